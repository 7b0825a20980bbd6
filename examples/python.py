"""Ports of a program and of a driver from Python, which opens libwharf.so by ctypes.

    cc -shared -fPIC -I include -o counter_drv.so drivers/counter_drv.c
    python3 examples/python.py target/release/libwharf.so .

The first argument is the library, or its name if it is installed: libwharf.so. The second is the
folder with counter_drv.so.
"""

import ctypes
import sys


class Port(ctypes.Structure):
    """A wharf_port: passed by value, and compared by its number."""

    _fields_ = [("id", ctypes.c_uint64)]


class Failed(Exception):
    """A function of the library has failed; the text says why."""


class Wharf:
    """The functions of wharf.h that this example needs, with their types."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        pointer, text = ctypes.c_void_p, ctypes.c_char_p
        self.host_new = self.function("wharf_host_new", pointer, pointer)
        self.process_new = self.function("wharf_process_new", pointer, pointer)
        self.error_text = self.function("wharf_error_text", text)
        self.text_free = self.function("wharf_text_free", None, pointer)
        self.host_free = self.call("wharf_host_free", pointer)
        self.driver_load = self.call("wharf_driver_load", pointer, text, text)
        self.open = self.call("wharf_open", pointer, text, text, ctypes.POINTER(Port))
        self.command = self.call("wharf_port_command", pointer, Port, text, ctypes.c_size_t)
        self.close = self.call("wharf_port_close", pointer, Port)
        self.receive = self.call(
            "wharf_receive_text", pointer, ctypes.c_int64, ctypes.POINTER(pointer)
        )

    def function(self, name, result, *arguments):
        function = self.library[name]
        function.restype = result
        function.argtypes = arguments
        return function

    def call(self, name, *arguments):
        """A function whose result is a status: 0, or a failure, which is raised."""
        function = self.function(name, ctypes.c_int, *arguments)

        def checked(*values):
            if function(*values) != 0:
                raise Failed(self.error_text().decode())

        return checked

    def next_message(self, process, timeout_ms):
        """The next message, as Erlang text."""
        text = ctypes.c_void_p()
        self.receive(process, timeout_ms, ctypes.byref(text))
        message = ctypes.string_at(text).decode()
        self.text_free(text)
        return message


def main(path, folder):
    wharf = Wharf(path)
    host = wharf.host_new(None)
    me = wharf.process_new(host)
    port = Port()

    wharf.open(me, b'{spawn, "cat"}', b"[binary]", ctypes.byref(port))
    wharf.command(me, port, b"hello", 5)
    print(wharf.next_message(me, 30000))
    wharf.close(me, port)

    wharf.driver_load(host, folder.encode(), b"counter_drv")
    wharf.open(me, b'{spawn_driver, "counter_drv"}', b"[binary]", ctypes.byref(port))
    wharf.command(me, port, b"42", 2)
    print(wharf.next_message(me, 30000))
    wharf.close(me, port)

    try:
        wharf.open(me, b'{spawn_driver, "no_such_drv"}', b"[]", ctypes.byref(port))
    except Failed as failure:
        print("refused, as it should be:", failure)
    wharf.host_free(host)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])

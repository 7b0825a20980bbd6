# A tour of ports: programs, descriptors, a driver, closing, owners, exit status.
#
#     cargo run --features cli -- run examples/tour.exs

defmodule Tour do
  def chapter(title) do
    IO.puts("\n#{title}")
    IO.puts(String.duplicate("-", String.length(title)))
  end

  # Waits for the next message about the port, and shows it.
  def show(port) do
    receive do
      {^port, _} = message -> IO.inspect(message, label: "  message")
      {:EXIT, ^port, _} = message -> IO.inspect(message, label: "  message")
      {:DOWN, _, :port, ^port, _} = message -> IO.inspect(message, label: "  message")
    after
      5000 -> raise "no message from #{inspect(port)} within five seconds"
    end
  end
end

IO.puts("A port is a door between a process and something outside.")

Tour.chapter("A program, by its command line")
port = Port.open({:spawn, "cat"}, [:binary])
IO.inspect(port, label: "  cat runs behind")
Port.command(port, "hello")
Tour.show(port)

Tour.chapter("Closing")
send(port, {self(), :close})
Tour.show(port)
IO.inspect(Port.info(port), label: "  info about it now")

Tour.chapter("A program, by its file and exact arguments")
echo = System.find_executable("echo")
port = Port.open({:spawn_executable, echo}, [:binary, args: ["two  spaces", "and $HOME"]])
Tour.show(port)

Tour.chapter("How a program ended")
port = Port.open({:spawn, "sh -c 'exit 7'"}, [:binary, :exit_status])
Tour.show(port)

Tour.chapter("Lines")
port = Port.open({:spawn, "printf 'first\\nsecond\\n'"}, [:binary, line: 80])
Tour.show(port)
Tour.show(port)

Tour.chapter("A descriptor that is open already: standard output")
port = Port.open({:fd, 1, 1}, [:out])
Port.command(port, "  this line was written by a port on descriptor 1\n")
# Closing this way is answered when everything is written.
send(port, {self(), :close})
Tour.show(port)

Tour.chapter("A driver: C code, loaded into this program")
port = Port.open({:spawn_driver, "counter_drv"}, [:binary])
IO.inspect(Port.info(port, :name), label: "  counter_drv runs behind")
Port.command(port, "40")
Tour.show(port)
Port.command(port, "2")
Tour.show(port)
IO.inspect(:erlang.port_control(port, ?g, ""), label: "  asked directly, it says")
Port.close(port)

Tour.chapter("Another owner")
tour = self()

friend =
  spawn(fn ->
    receive do
      {_port, {:data, text}} -> send(tour, {:friend_got, text})
    end

    receive do
      :done -> :ok
    end
  end)

port = Port.open({:spawn, "cat"}, [:binary])
Port.connect(port, friend)
Process.unlink(port)
Port.command(port, "for my friend")

receive do
  {:friend_got, text} -> IO.inspect(text, label: "  the new owner received")
end

Tour.chapter("The end of an owner is the end of its ports")
Port.monitor(port)
send(friend, :done)
Tour.show(port)

IO.puts("\nThat was the tour. `cargo run --features cli -- shell` lets you try it yourself.")

/* Options piece by piece, and the four kinds of open. */
#include "door.h"

#include <unistd.h>

static void hears(const wharf_process *me, wharf_message_kind kind, const char *bytes)
{
    wharf_message message;
    OK(wharf_receive(me, SOON_MS, &message));
    CHECK(message.kind == kind);
    CHECK(message.len == strlen(bytes) && memcmp(message.bytes, bytes, message.len) == 0);
    wharf_message_free(&message);
}

int main(int argc, char **argv)
{
    wharf_host *host = wharf_host_new(NULL);
    wharf_process *me = wharf_process_new(host);
    wharf_options *options = wharf_options_new();
    wharf_message message;
    wharf_port port;
    int to_port[2], from_port[2];
    char echoed[3];
    CHECK(argc == 2 && options != NULL);

    /* Exact arguments, folder, environment, lines, status. */
    OK(wharf_options_flag(options, WHARF_FLAG_BINARY));
    OK(wharf_options_flag(options, WHARF_FLAG_EXIT_STATUS));
    OK(wharf_options_line(options, 0));
    OK(wharf_options_arg(options, "-c"));
    OK(wharf_options_arg(options, "pwd; echo \"$1 $SHIP ${HOME-none}\"; exit 4"));
    OK(wharf_options_arg(options, "sh"));
    OK(wharf_options_arg(options, "a b"));
    OK(wharf_options_cd(options, "/"));
    OK(wharf_options_env(options, "SHIP", "Fram"));
    OK(wharf_options_env(options, "HOME", NULL));
    OK(wharf_open_executable(me, "/bin/sh", options, &port));
    wharf_options_free(options);
    hears(me, WHARF_MESSAGE_LINE, "/");
    hears(me, WHARF_MESSAGE_LINE, "a b Fram none");
    OK(wharf_receive(me, SOON_MS, &message));
    CHECK(message.kind == WHARF_MESSAGE_EXIT_STATUS && message.status == 4);
    wharf_message_free(&message);

    /* Packets through a command line. */
    options = wharf_options_new();
    OK(wharf_options_packet(options, 4));
    OK(wharf_options_busy_limits(options, 0, 0));
    OK(wharf_options_busy_limits(options, 100, 200));
    OK(wharf_options_busy_limits_msgq(options, 100, 200));
    FAILS(RANGE, wharf_options_busy_limits_msgq(options, 1, UINT64_MAX));
    OK(wharf_open_spawn(me, "cat", options, &port));
    OK(wharf_port_command(me, port, "one", 3));
    OK(wharf_port_command(me, port, "two", 3));
    hears(me, WHARF_MESSAGE_DATA, "one");
    hears(me, WHARF_MESSAGE_DATA, "two");
    OK(wharf_port_close(me, port));

    OK(wharf_options_packet(options, 0));
    OK(wharf_options_arg0(options, "name"));
    FAILS(BADARG, wharf_open_spawn(me, "cat", options, &port));
    SAYS("cannot open cat");
    FAILS(RANGE, wharf_options_packet(options, 3));
    FAILS(RANGE, wharf_options_flag(options, (wharf_flag)0));
    FAILS(RANGE, wharf_options_flag(options, (wharf_flag)15));
    FAILS(RANGE, wharf_options_busy_limits(options, 0, 100));
    FAILS(NULL, wharf_options_flag(NULL, WHARF_FLAG_EOF));
    FAILS(NULL, wharf_options_arg(options, NULL));
    FAILS(NULL, wharf_options_env(options, NULL, "x"));
    wharf_options_free(options);
    wharf_options_free(NULL);

    /* A driver, and descriptors. */
    OK(wharf_driver_load(host, argv[1], "echo_drv"));
    OK(wharf_open_driver(me, "echo_drv", NULL, &port));
    OK(wharf_port_command(me, port, "hello", 5));
    hears(me, WHARF_MESSAGE_DATA, "hello");
    OK(wharf_port_close(me, port));
    FAILS(NULL, wharf_open_driver(me, NULL, NULL, &port));
    FAILS(NULL, wharf_open_driver(me, "echo_drv", NULL, NULL));
    FAILS(BADARG, wharf_open_driver(me, "no_such_drv", NULL, &port));

    CHECK(pipe(to_port) == 0 && pipe(from_port) == 0);
    OK(wharf_open_fd(me, to_port[0], from_port[1], NULL, &port));
    CHECK(write(to_port[1], "in", 2) == 2);
    hears(me, WHARF_MESSAGE_DATA, "in");
    OK(wharf_port_command(me, port, "out", 3));
    CHECK(read(from_port[0], echoed, 3) == 3 && memcmp(echoed, "out", 3) == 0);
    OK(wharf_port_close(me, port));

    OK(wharf_host_close_ports(host, SOON_MS));
    OK(wharf_host_free(host));
    return 0;
}

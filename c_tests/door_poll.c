/* A program with an event loop of its own: poll(2) on a process's descriptor, with programs and drivers
 * behind it. No message is lost, and the loop does not turn for nothing. */
#include "door.h"

#include <poll.h>

static int readable(int fd, int timeout_ms)
{
    struct pollfd one;
    memset(&one, 0, sizeof one);
    one.fd = fd;
    one.events = POLLIN;
    return poll(&one, 1, timeout_ms) == 1 && (one.revents & POLLIN) != 0;
}

int main(int argc, char **argv)
{
    enum { ROUNDS = 500 };
    wharf_host *host = wharf_host_new(NULL);
    wharf_process *me = wharf_process_new(host), *other = wharf_process_new(host);
    wharf_port program, driver;
    wharf_message message;
    wharf_term *note;
    size_t echoed = 0, counted = 0, sent = 0;
    long turns = 0;
    int fd = wharf_process_fd(me);
    CHECK(argc == 2);
    CHECK(fd > 2 && wharf_process_fd(me) == fd);
    CHECK(wharf_process_fd(NULL) == -1);
    CHECK(!readable(fd, 0));

    /* What is sent from this very thread. */
    OK(wharf_process_send(me, wharf_process_pid(me), "one"));
    OK(wharf_process_send(me, wharf_process_pid(me), "two"));
    CHECK(readable(fd, 0));
    OK(wharf_expect(me, 0, "two"));
    CHECK(readable(fd, 0)); /* one was left */
    OK(wharf_expect(me, 0, "one"));
    CHECK(!readable(fd, 0));

    /* Programs and drivers answer while the thread is in poll, and nobody is inside wharf. */
    OK(wharf_driver_load(host, argv[1], "counter_drv"));
    OK(wharf_open(me, "{spawn, \"cat\"}", "[binary]", &program));
    OK(wharf_open(me, "{spawn_driver, \"counter_drv\"}", "[binary]", &driver));
    OK(wharf_port_control(me, driver, 't', "1", 1, NULL));
    while (echoed < ROUNDS * 4 || counted < 20) {
        wharf_status status;
        if (sent < ROUNDS) {
            OK(wharf_port_command(me, program, "ping", 4));
            sent++;
        }
        CHECK(readable(fd, SOON_MS));
        turns++;
        while ((status = wharf_receive(me, 0, &message)) == WHARF_STATUS_OK) {
            CHECK(message.kind == WHARF_MESSAGE_DATA);
            if (message.port.id == program.id)
                echoed += message.len;
            else
                counted++;
            wharf_message_free(&message);
        }
        CHECK(status == WHARF_STATUS_TIMEOUT);
    }
    CHECK(echoed == ROUNDS * 4);
    /* A turn has a message, or is one of the few that come for nothing. */
    CHECK(turns <= (long)(2 * (sent + counted)) + 100);
    OK(wharf_port_control(me, driver, 't', "0", 1, NULL));
    while (wharf_receive(me, 0, &message) == WHARF_STATUS_OK)
        wharf_message_free(&message);
    CHECK(!readable(fd, 0));

    /* A port that is busy, without waiting in wharf. */
    OK(wharf_port_close(me, driver));
    OK(wharf_driver_load(host, argv[1], "busy_drv"));
    OK(wharf_open(me, "{spawn_driver, \"busy_drv\"}", "[binary]", &driver));
    OK(wharf_term_parse("{free, 1}", &note));
    OK(wharf_port_notify(me, driver, note));
    OK(wharf_expect(me, 0, "{free, 1}"));
    OK(wharf_port_control(me, driver, 'b', NULL, 0, NULL));
    FAILS(BUSY, wharf_port_try_command(me, driver, "x", 1));
    OK(wharf_port_notify(me, driver, note));
    CHECK(!readable(fd, 0));
    OK(wharf_port_control(other, driver, 'f', NULL, 0, NULL));
    CHECK(readable(fd, SOON_MS));
    OK(wharf_expect(me, SOON_MS, "{free, 1}"));
    OK(wharf_port_try_command(me, driver, "x", 1));
    OK(wharf_expect(me, SOON_MS, "{_, {data, <<\"x\">>}}"));
    OK(wharf_port_control(me, driver, 'b', NULL, 0, NULL));
    OK(wharf_port_notify(me, driver, note));
    OK(wharf_port_close(other, driver));
    OK(wharf_expect(me, SOON_MS, "{free, 1}"));
    FAILS(CLOSED, wharf_port_notify(me, driver, note));
    FAILS(NULL, wharf_port_notify(me, program, NULL));
    wharf_term_free(note);

    /* The end of a process is something to be seen. */
    OK(wharf_port_close(me, program));
    OK(wharf_host_close_ports(host, SOON_MS));
    while (wharf_receive(me, 0, &message) == WHARF_STATUS_OK)
        wharf_message_free(&message);
    CHECK(!readable(fd, 0));
    OK(wharf_process_exit(other, wharf_process_pid(me), "kill"));
    CHECK(readable(fd, SOON_MS));
    FAILS(EXITED, wharf_receive(me, 0, &message));
    CHECK(readable(fd, 0));
    OK(wharf_process_free(me));
    CHECK(wharf_process_fd(me) == -1);
    SAYS("freed");
    OK(wharf_host_free(host));
    return 0;
}

/* Messages to processes, ports and names: at once, without waiting, later; and monitors by name. */
#include "door.h"

static wharf_term *parse(const char *text)
{
    wharf_term *term;
    OK(wharf_term_parse(text, &term));
    return term;
}

/* `{Owner, What}`. */
static wharf_term *request(wharf_process *owner, const char *what)
{
    wharf_term *parts[2];
    parts[0] = wharf_term_pid(wharf_process_pid(owner));
    parts[1] = parse(what);
    return wharf_term_tuple(parts, 2);
}

int main(int argc, char **argv)
{
    wharf_host *host = wharf_host_new(NULL);
    wharf_process *me = wharf_process_new(host), *other = wharf_process_new(host);
    wharf_term *to = wharf_term_pid(wharf_process_pid(other)), *message = parse("[hello, 1]"), *ask;
    wharf_term *names, *port_term;
    wharf_reference timer, monitor;
    wharf_message got;
    wharf_port port;
    uint64_t left_ms;
    CHECK(argc == 2);

    OK(wharf_send(me, to, message));
    OK(wharf_expect(other, 0, "[hello, 1]"));
    OK(wharf_try_send(me, to, message));
    OK(wharf_receive_term(other, 0, &names));
    CHECK(wharf_term_equals(names, message));
    wharf_term_free(names);
    FAILS(TIMEOUT, wharf_receive_term(other, 0, &names));
    FAILS(BADARG, wharf_send(me, message, message));
    FAILS(NULL, wharf_send(me, NULL, message));
    FAILS(NULL, wharf_send(me, to, NULL));
    FAILS(NULL, wharf_send(NULL, to, message));

    /* By name, and to ports. */
    OK(wharf_process_register(me, wharf_process_pid(other), "friend"));
    wharf_term_free(to);
    to = wharf_term_atom("friend");
    OK(wharf_send(me, to, message));
    OK(wharf_expect(other, 0, "[hello, 1]"));
    OK(wharf_host_names(host, &names));
    OK(wharf_term_match(names, "[friend]", NULL));
    wharf_term_free(names);
    OK(wharf_open(me, "{spawn, \"cat\"}", "[binary]", &port));
    port_term = wharf_term_port(port);
    ask = request(me, "{command, [<<\"he\">>, \"llo\"]}");
    OK(wharf_send(other, port_term, ask));
    wharf_term_free(ask);
    OK(wharf_expect(me, SOON_MS, "{_, {data, <<\"hello\">>}}"));
    OK(wharf_port_register(me, port, "pipe"));
    OK(wharf_name_monitor_port(other, "pipe", &monitor));
    ask = request(me, "close");
    OK(wharf_send(me, port_term, ask));
    wharf_term_free(ask);
    OK(wharf_expect(me, SOON_MS, "{_, closed}"));
    OK(wharf_receive(other, SOON_MS, &got));
    CHECK(got.kind == WHARF_MESSAGE_DOWN && got.reference.id == monitor.id);
    CHECK(wharf_term_is_atom(got.term, "normal"));
    wharf_message_free(&got);
    OK(wharf_name_monitor_process(me, "nobody", &monitor));
    OK(wharf_expect(me, 0, "{'DOWN', _, process, {nobody, _}, noproc}"));
    FAILS(NULL, wharf_name_monitor_port(me, NULL, &monitor));
    FAILS(NULL, wharf_name_monitor_port(me, "pipe", NULL));

    /* A busy port. */
    OK(wharf_driver_load(host, argv[1], "busy_drv"));
    OK(wharf_open(me, "{spawn_driver, \"busy_drv\"}", "[binary]", &port));
    OK(wharf_port_control(me, port, 'b', NULL, 0, NULL));
    wharf_term_free(port_term);
    port_term = wharf_term_port(port);
    ask = request(me, "{command, <<\"x\">>}");
    FAILS(BUSY, wharf_try_send(me, port_term, ask));
    SAYS("is busy");
    OK(wharf_port_control(other, port, 'f', NULL, 0, NULL));
    OK(wharf_try_send(me, port_term, ask));
    OK(wharf_expect(me, SOON_MS, "{_, {data, <<\"x\">>}}"));
    OK(wharf_port_close(me, port));
    OK(wharf_host_close_ports(host, SOON_MS));
    wharf_term_free(ask);
    wharf_term_free(port_term);

    /* Later. */
    OK(wharf_send_after(me, 1, to, message, NULL));
    OK(wharf_expect(other, SOON_MS, "[hello, 1]"));
    OK(wharf_send_after(me, 3600000, to, message, &timer));
    OK(wharf_timer_left(me, timer, &left_ms));
    CHECK(left_ms > 3000000 && left_ms <= 3600000);
    OK(wharf_timer_cancel(other, timer, &left_ms));
    CHECK(left_ms > 3000000);
    FAILS(NOTFOUND, wharf_timer_cancel(me, timer, NULL));
    FAILS(NOTFOUND, wharf_timer_left(me, timer, &left_ms));
    FAILS(NULL, wharf_timer_left(me, timer, NULL));
    FAILS(NULL, wharf_send_after(me, 1, NULL, message, &timer));

    /* Who has ended sends nothing. */
    OK(wharf_process_end(me, "{shutdown, 3}"));
    FAILS(EXITED, wharf_send(me, to, message));
    FAILS(EXITED, wharf_send_after(me, 1, to, message, &timer));
    FAILS(EXITED, wharf_process_exited(me, &names));
    OK(wharf_term_match(names, "{shutdown, 3}", NULL));
    wharf_term_free(names);
    FAILS(EXITED, wharf_process_exited(me, NULL));
    OK(wharf_process_exited(other, &names));
    FAILS(SYNTAX, wharf_process_end(other, "{"));
    wharf_term_free(to);
    wharf_term_free(message);
    OK(wharf_host_free(host));
    FAILS(FREED, wharf_process_exited(me, NULL));
    FAILS(FREED, wharf_process_end(me, "normal"));
    return 0;
}

/* NULLs, wrong pointers, freed ones: a status, never a crash. */
#include "door.h"

/* Every function that acts for a process, with one that is not there. */
static void no_process(wharf_process *none, wharf_status expected)
{
    wharf_port port = {0};
    wharf_pid pid = {0};
    wharf_reference reference = {0};
    wharf_term *term = wharf_term_int(1), *made;
    wharf_message message;
    char *text;
    uint64_t left_ms;
#define NONE(call) CHECK((call) == expected)
    NONE(wharf_process_free(none));
    NONE(wharf_process_trap_exit(none, true));
    NONE(wharf_process_exited(none, &made));
    NONE(wharf_process_end(none, "normal"));
    CHECK(wharf_process_pid(none).id == 0);
    CHECK(wharf_process_fd(none) == -1);
    CHECK(wharf_process_messages_count(none) == (size_t)-1);
    NONE(wharf_open(none, "{spawn, \"cat\"}", "[]", &port));
    NONE(wharf_open_term(none, term, NULL, &port));
    NONE(wharf_open_spawn(none, "cat", NULL, &port));
    NONE(wharf_open_executable(none, "/bin/cat", NULL, &port));
    NONE(wharf_open_driver(none, "counter_drv", NULL, &port));
    NONE(wharf_open_fd(none, 0, 1, NULL, &port));
    NONE(wharf_port_command(none, port, "x", 1));
    NONE(wharf_port_try_command(none, port, "x", 1));
    NONE(wharf_port_force_command(none, port, "x", 1));
    NONE(wharf_port_command_term(none, port, term));
    NONE(wharf_port_control(none, port, 1, "x", 1, &made));
    NONE(wharf_port_call(none, port, 1, term, &made));
    NONE(wharf_port_connect(none, port, pid));
    NONE(wharf_port_close(none, port));
    NONE(wharf_port_info(none, port, "name", &made));
    NONE(wharf_port_facts(none, port, &made));
    NONE(wharf_port_set_data(none, port, term));
    NONE(wharf_port_get_data(none, port, &made));
    NONE(wharf_port_notify(none, port, term));
    CHECK(!wharf_port_is_open(none, port));
    CHECK(wharf_port_os_pid(none, port) == -1);
    NONE(wharf_receive(none, 0, &message));
    NONE(wharf_receive_from(none, port, 0, &message));
    NONE(wharf_receive_text(none, 0, &text));
    NONE(wharf_receive_term(none, 0, &made));
    NONE(wharf_receive_match(none, 0, "_", &made));
    NONE(wharf_expect(none, 0, "_"));
    NONE(wharf_process_send(none, pid, "x"));
    NONE(wharf_send(none, term, term));
    NONE(wharf_try_send(none, term, term));
    NONE(wharf_send_after(none, 0, term, term, &reference));
    NONE(wharf_timer_cancel(none, reference, NULL));
    NONE(wharf_timer_left(none, reference, &left_ms));
    NONE(wharf_port_link(none, port));
    NONE(wharf_port_unlink(none, port));
    NONE(wharf_port_monitor(none, port, &reference));
    NONE(wharf_port_exit(none, port, "kill"));
    NONE(wharf_port_register(none, port, "name"));
    NONE(wharf_process_link(none, pid));
    NONE(wharf_process_unlink(none, pid));
    NONE(wharf_process_monitor(none, pid, &reference));
    NONE(wharf_process_demonitor(none, reference));
    NONE(wharf_process_exit(none, pid, "kill"));
    NONE(wharf_process_register(none, pid, "name"));
    NONE(wharf_name_unregister(none, "name"));
    NONE(wharf_name_whereis(none, "name", &port, &pid));
    NONE(wharf_name_monitor_port(none, "name", &reference));
    NONE(wharf_name_monitor_process(none, "name", &reference));
    NONE(wharf_driver_call(none, "info", term, &made));
    wharf_term_free(term);
}

/* The same for a host. */
static void no_host(wharf_host *none, wharf_status expected)
{
    wharf_pid pid = {0};
    wharf_port port;
    wharf_term *made;
    char *text;
    CHECK(wharf_process_new(none) == NULL);
    NONE(wharf_host_free(none));
    NONE(wharf_host_end(none, NULL));
    NONE(wharf_host_left(none, NULL));
    NONE(wharf_host_close_ports(none, 0));
    CHECK(wharf_host_ports_count(none) == (size_t)-1);
    CHECK(wharf_host_ports_max(none) == (size_t)-1);
    CHECK(wharf_host_ports(none, &port, 1) == (size_t)-1);
    CHECK(wharf_host_processes(none, &pid, 1) == (size_t)-1);
    CHECK(!wharf_host_is_alive(none, pid));
    NONE(wharf_host_process_info(none, pid, NULL, &made));
    NONE(wharf_host_names(none, &made));
    NONE(wharf_host_env(none, "PATH", &text));
    NONE(wharf_host_put_env(none, "A", "b"));
    NONE(wharf_host_env_all(none, &made));
    NONE(wharf_driver_load(none, ".", "x"));
    NONE(wharf_driver_unload(none, "x"));
    NONE(wharf_driver_names(none, &made));
    NONE(wharf_driver_info(none, "x", &made));
    NONE(wharf_driver_inspect(none, "x", &made));
}

int main(void)
{
    wharf_host *host = wharf_host_new(NULL), *other;
    wharf_process *me = wharf_process_new(host);
    wharf_port port = {0}, never = {987654321};
    wharf_pid never_pid = {UINT64_MAX};
    wharf_reference never_reference = {UINT64_MAX};
    wharf_term *term;
    int i;

    FAILS(NULL, wharf_port_command(me, port, NULL, 1));
    FAILS(NULL, wharf_port_command(me, port, "x", (size_t)-1));
    FAILS(CLOSED, wharf_port_command(me, port, "x", 1));
    FAILS(CLOSED, wharf_port_close(me, never));
    FAILS(NULL, wharf_expect(me, 0, NULL));
    FAILS(NULL, wharf_receive_text(me, 0, NULL));
    FAILS(NULL, wharf_driver_load(host, NULL, "x"));
    FAILS(NULL, wharf_driver_load(host, "x", NULL));
    FAILS(NULL, wharf_term_parse(NULL, &term));
    FAILS(NULL, wharf_term_parse("ok", NULL));
    FAILS(SYNTAX, wharf_term_parse("\xff", &term));
    CHECK(wharf_term_text(NULL) == NULL);
    /* Identities that never were. */
    OK(wharf_process_send(me, never_pid, "x"));
    FAILS(NOPROC, wharf_process_link(me, never_pid));
    FAILS(NOPROC, wharf_port_link(me, never));
    OK(wharf_process_unlink(me, never_pid));
    OK(wharf_process_demonitor(me, never_reference));
    FAILS(NOTFOUND, wharf_timer_cancel(me, never_reference, NULL));
    term = wharf_term_reference(never_reference);
    CHECK(wharf_term_text(NULL) == NULL);
    wharf_term_free(term);

    wharf_term_free(NULL);
    wharf_options_free(NULL);
    wharf_message_free(NULL);
    wharf_text_free(NULL);

    no_process(NULL, WHARF_STATUS_NULL);
    no_host(NULL, WHARF_STATUS_NULL);

    /* One kind for another, and what never was one. */
    no_process((wharf_process *)(void *)host, WHARF_STATUS_FREED);
    no_process((wharf_process *)(void *)&port, WHARF_STATUS_FREED);
    no_host((wharf_host *)(void *)me, WHARF_STATUS_FREED);
    CHECK(wharf_process_new((wharf_host *)(void *)me) == NULL);
    FAILS(FREED, wharf_host_free((wharf_host *)(void *)me));
    FAILS(FREED, wharf_process_free((wharf_process *)(void *)host));
    FAILS(FREED, wharf_process_free((wharf_process *)(void *)&port));

    /* Freed ones stay freed, however many come after them. */
    OK(wharf_process_free(me));
    FAILS(FREED, wharf_process_free(me));
    for (i = 0; i < 1000; i++) {
        wharf_process *next = wharf_process_new(host);
        CHECK(next != NULL && next != me);
        FAILS(FREED, wharf_process_trap_exit(me, true));
        OK(wharf_process_free(next));
    }
    me = wharf_process_new(host);
    OK(wharf_host_free(host));
    no_host(host, WHARF_STATUS_FREED);
    no_process(me, WHARF_STATUS_FREED);
    CHECK(wharf_process_new(host) == NULL);
    SAYS("freed");
    CHECK((other = wharf_host_new(NULL)) != NULL && other != host);
    OK(wharf_host_free(other));
    return 0;
}

/* Hosts: their settings, two of them at once, and what is left behind. */
#include "door.h"

static void limits(void)
{
    wharf_host_settings settings;
    wharf_host *host;
    wharf_process *me;
    wharf_port port;
    memset(&settings, 0, sizeof settings);
    settings.ports_max = 1;
    CHECK((host = wharf_host_new(&settings)) != NULL);
    CHECK((me = wharf_process_new(host)) != NULL);
    OK(wharf_open(me, "{spawn, \"cat\"}", "[]", &port));
    CHECK(wharf_host_ports_count(host) == 1);
    FAILS(LIMIT, wharf_open(me, "{spawn, \"cat\"}", "[]", &port));
    CHECK(strcmp(wharf_error_reason(), "system_limit") == 0);
    OK(wharf_port_close(me, port));
    OK(wharf_host_close_ports(host, SOON_MS));
    OK(wharf_host_free(host));

    settings.reserved[7] = 1;
    CHECK(wharf_host_new(&settings) == NULL);
    SAYS("not zero");
}

static void two_hosts(void)
{
    wharf_host *one = wharf_host_new(NULL), *two = wharf_host_new(NULL);
    wharf_process *here = wharf_process_new(one), *there = wharf_process_new(two);
    wharf_port port;
    OK(wharf_open(here, "{spawn, \"cat\"}", NULL, &port));
    FAILS(CLOSED, wharf_port_command(there, port, "x", 1));
    CHECK(wharf_process_pid(here).id != wharf_process_pid(there).id);
    CHECK(wharf_host_ports_count(two) == 0);
    OK(wharf_host_free(two));
    OK(wharf_port_close(here, port));
    OK(wharf_host_close_ports(one, SOON_MS));
    OK(wharf_host_free(one));
}

static void left_behind(void)
{
    wharf_host *host = wharf_host_new(NULL);
    wharf_process *me = wharf_process_new(host);
    wharf_port port;
    OK(wharf_open(me, "{spawn, \"cat\"}", "[]", &port));
    FAILS(LEFT, wharf_host_free(host));
    SAYS("#Port<0.");
    SAYS("(cat), owned by <0.");
    FAILS(FREED, wharf_host_free(host));
    FAILS(FREED, wharf_port_close(me, port));
}

static void processes(void)
{
    wharf_host *host = wharf_host_new(NULL);
    wharf_process *one = wharf_process_new(host), *two = wharf_process_new(host);
    wharf_pid pids[3];
    wharf_term *fact;
    CHECK(wharf_host_ports_max(host) == 65536);
    CHECK(wharf_host_processes(host, NULL, 0) == 2);
    CHECK(wharf_host_processes(host, NULL, 1) == (size_t)-1);
    CHECK(wharf_host_processes(host, pids, 1) == 2);
    CHECK(pids[0].id == wharf_process_pid(one).id);
    CHECK(wharf_host_is_alive(host, wharf_process_pid(two)));
    CHECK(wharf_process_host(one) == host && wharf_process_host(NULL) == NULL);
    OK(wharf_process_link(one, wharf_process_pid(two)));
    OK(wharf_host_process_info(host, wharf_process_pid(one), "links", &fact));
    OK(wharf_term_match(fact, "[_]", NULL));
    wharf_term_free(fact);
    OK(wharf_host_process_info(host, wharf_process_pid(one), NULL, &fact));
    OK(wharf_term_match(fact, "[{status, running} | _]", NULL));
    wharf_term_free(fact);
    FAILS(NOTFOUND, wharf_host_process_info(host, wharf_process_pid(one), "colour", &fact));
    FAILS(NULL, wharf_host_process_info(host, wharf_process_pid(one), "links", NULL));
    CHECK(wharf_host_processes(host, pids, 3) == 2);
    OK(wharf_process_free(two));
    CHECK(!wharf_host_is_alive(host, pids[1]));
    FAILS(EXITED, wharf_host_process_info(host, pids[1], "links", &fact));
    OK(wharf_host_free(host));
}

int main(void)
{
    processes();
    limits();
    two_hosts();
    left_behind();
    return 0;
}

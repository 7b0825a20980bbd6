/* A program that is linked with the library, shared or static. Its argument is the folder of
 * counter_drv.so. */
#include <wharf.h>

#include <stdio.h>
#include <string.h>

static int done(wharf_status status, const char *what)
{
    if (status != WHARF_STATUS_OK)
        fprintf(stderr, "%s: %s\n", what, wharf_error_text());
    return status == WHARF_STATUS_OK;
}

int main(int argc, char **argv)
{
    wharf_host *host = wharf_host_new(NULL);
    wharf_process *me = wharf_process_new(host);
    wharf_port driver, program;

    if (argc != 2 || wharf_version_number() != WHARF_VERSION_NUMBER)
        return 2;
    if (!done(wharf_driver_load(host, argv[1], "counter_drv"), "load") ||
        !done(wharf_open(me, "{spawn_driver, \"counter_drv\"}", "[binary]", &driver), "open") ||
        !done(wharf_port_command(me, driver, "42", 2), "command") ||
        !done(wharf_expect(me, 30000, "{Port, {data, <<\"42\">>}}"), "answer") ||
        !done(wharf_open(me, "{spawn, \"cat\"}", "[binary]", &program), "open") ||
        !done(wharf_port_command(me, program, "hello", 5), "command") ||
        !done(wharf_expect(me, 30000, "{Port, {data, <<\"hello\">>}}"), "answer") ||
        !done(wharf_port_close(me, driver), "close") ||
        !done(wharf_port_close(me, program), "close") ||
        !done(wharf_host_close_ports(host, 30000), "end") ||
        !done(wharf_host_free(host), "free"))
        return 1;
    puts("42");
    return 0;
}

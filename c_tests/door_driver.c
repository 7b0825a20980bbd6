/* The test that the author of a driver writes. The first argument is the folder of the drivers. */
#include "door.h"

int main(int argc, char **argv)
{
    wharf_host *host = wharf_host_new(NULL);
    wharf_process *me = wharf_process_new(host);
    wharf_port port;
    CHECK(argc == 2);

    OK(wharf_driver_load(host, argv[1], "counter_drv"));
    OK(wharf_open(me, "{spawn_driver, \"counter_drv\"}", "[binary]", &port));
    OK(wharf_port_command(me, port, "5", 1));
    OK(wharf_expect(me, SOON_MS, "{Port, {data, <<\"5\">>}}"));
    OK(wharf_port_command(me, port, "-7", 2));
    OK(wharf_expect(me, SOON_MS, "{Port, {data, <<\"-2\">>}}"));
    OK(wharf_port_close(me, port));

    FAILS(REFUSED, wharf_driver_load(host, argv[1], "no_such_drv"));
    SAYS("no such file");
    FAILS(BADARG, wharf_open(me, "{spawn_driver, \"no_such_drv\"}", "[]", &port));
    OK(wharf_host_free(host));
    return 0;
}

/*
 * echo_drv - the smallest driver: whatever is sent to the port comes back.
 *
 *     port_command(Port, "hello")      the owner receives {Port, {data, "hello"}}
 */
#include "erl_driver.h"

/* Called for every open. There is nothing to remember but the port, which driver_output()
 * needs; so the port itself is our data. A driver with state of its own allocates it here. */
static ErlDrvData start(ErlDrvPort port, char *command)
{
    (void)command;
    return (ErlDrvData)port;
}

/* Called with the data of each port_command(). */
static void output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    driver_output((ErlDrvPort)data, buf, len);
}

static ErlDrvEntry entry = {
    .start = start,
    .output = output,
    .driver_name = "echo_drv", /* the name in open_port, and that of the file without .so */
    /* These three are always the same: they say which version of the header was used. */
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    /* Our ports share nothing, so several may run at the same time. */
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
};

/* The one name that a driver exports. */
DRIVER_INIT(echo_drv)
{
    return &entry;
}

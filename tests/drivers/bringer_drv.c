/* bringer_drv - adds a second driver, brought_drv, when it is loaded, and takes it away again. */
#include "erl_driver.h"
#include <stdio.h>

static ErlDrvData start(ErlDrvPort port, char *command)
{
    (void)command;
    return (ErlDrvData)port;
}

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    driver_output((ErlDrvPort)data, buf, len);
}

static ErlDrvEntry brought = {
    .start = start,
    .output = output,
    .driver_name = "brought_drv",
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
};

static int init(void)
{
    add_driver_entry(&brought);
    return 0;
}

static ErlDrvEntry entry;

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    int first, again, self;
    (void)data, (void)operation, (void)buf, (void)len;
    first = remove_driver_entry(&brought);
    again = remove_driver_entry(&brought);
    self = remove_driver_entry(&entry);
    return snprintf(*rbuf, rlen, "%d %d %d", first, again, self);
}

static ErlDrvEntry entry = {
    .init = init,
    .start = start,
    .control = control,
    .driver_name = "bringer_drv",
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
};

DRIVER_INIT(bringer_drv)
{
    return &entry;
}

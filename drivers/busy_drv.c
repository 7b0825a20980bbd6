/*
 * busy_drv - makes those who send wait: an echo that takes a pause after every few commands.
 *
 *     open_port({spawn_driver, "busy_drv 3 50"}, [])
 *         after every 3 commands the port is busy for 50 ms; "busy_drv" alone never pauses
 *     port_control(Port, $b, "")       busy, until it is told otherwise
 *     port_control(Port, $f, "")       free
 *
 * While a port is busy, port_command() and ! suspend the process that calls them. A command
 * with the option force comes through all the same, because the driver allows it with
 * ERL_DRV_FLAG_SOFT_BUSY.
 */
#include "erl_driver.h"
#include <stdio.h>
#include <string.h>

typedef struct {
    ErlDrvPort port;
    int burst;    /* commands between two pauses, 0 for no pauses */
    int pause_ms;
    int taken;    /* commands since the last pause */
} Busy;

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Busy *busy;
    int burst = 0, pause_ms = 0;
    char *arguments = strchr(command, ' ');
    if (arguments != NULL
        && (sscanf(arguments, "%d %d", &burst, &pause_ms) != 2 || burst < 1 || pause_ms < 0))
        return ERL_DRV_ERROR_BADARG;
    busy = (Busy *)driver_alloc(sizeof *busy);
    if (busy == NULL)
        return ERL_DRV_ERROR_GENERAL;
    busy->port = port;
    busy->burst = burst;
    busy->pause_ms = pause_ms;
    busy->taken = 0;
    return (ErlDrvData)busy;
}

static void stop(ErlDrvData data)
{
    driver_free((Busy *)data);
}

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    Busy *busy = (Busy *)data;
    driver_output(busy->port, buf, len);
    if (busy->burst > 0 && ++busy->taken >= busy->burst) {
        busy->taken = 0;
        set_busy_port(busy->port, 1);
        driver_set_timer(busy->port, (unsigned long)busy->pause_ms);
    }
}

static void timeout(ErlDrvData data)
{
    set_busy_port(((Busy *)data)->port, 0);
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int command, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Busy *busy = (Busy *)data;
    (void)buf;
    (void)len;
    (void)rbuf;
    (void)rlen;
    if (command != 'b' && command != 'f')
        return -1;
    set_busy_port(busy->port, command == 'b');
    return 0;
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .output = output,
    .driver_name = "busy_drv",
    .control = control,
    .timeout = timeout,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING | ERL_DRV_FLAG_SOFT_BUSY,
};

DRIVER_INIT(busy_drv)
{
    return &entry;
}

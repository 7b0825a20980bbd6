/*
 * holding_drv - holds one of everything that a port can hold, and lets go only of what is its own
 * to let go of. Opening "holding_drv general", "errno" or "badarg" fails in that way.
 *
 *     control 'a'   holds everything
 *     control 'f'   fails with an atom, 'e' at the end of the file, 'x' exits
 */
#define _GNU_SOURCE
#include "erl_driver.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    ErlDrvPort port;
    ErlDrvBinary *binary;
    ErlDrvPDL pdl;
    int ends[2];
    int selected;
} Holding;

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Holding *holding;
    char *how = strchr(command, ' ');
    how = how == NULL ? "" : how + 1;
    if (strcmp(how, "general") == 0)
        return ERL_DRV_ERROR_GENERAL;
    if (strcmp(how, "badarg") == 0)
        return ERL_DRV_ERROR_BADARG;
    if (strcmp(how, "errno") == 0) {
        errno = EMLINK;
        return ERL_DRV_ERROR_ERRNO;
    }
    holding = driver_alloc(sizeof *holding);
    memset(holding, 0, sizeof *holding);
    holding->port = port;
    if (pipe2(holding->ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        driver_free(holding);
        return ERL_DRV_ERROR_ERRNO;
    }
    return (ErlDrvData)holding;
}

static void stop(ErlDrvData data)
{
    Holding *holding = (Holding *)data;
    if (holding->binary != NULL)
        driver_free_binary(holding->binary);
    if (holding->selected)
        driver_select(holding->port, (ErlDrvEvent)(intptr_t)holding->ends[0], ERL_DRV_USE, 0);
    else
        close(holding->ends[0]);
    close(holding->ends[1]);
    driver_free(holding);
}

static void stop_select(ErlDrvEvent event, void *reserved)
{
    (void)reserved;
    close((int)(intptr_t)event);
}

static void work(void *job)
{
    memset(job, 1, 100);
}

static void ready_async(ErlDrvData data, ErlDrvThreadData job)
{
    (void)data;
    driver_free(job);
}

static void timeout(ErlDrvData data)
{
    (void)data;
}

static void flush(ErlDrvData data)
{
    ErlDrvPort port = ((Holding *)data)->port;
    driver_deq(port, driver_sizeq(port));
}

static void hold(Holding *holding)
{
    ErlDrvPort port = holding->port;
    ErlDrvMonitor monitor;
    ErlDrvBinary *queued = driver_alloc_binary(70000);
    int round;
    holding->binary = driver_alloc_binary(1000);
    holding->pdl = driver_pdl_create(port);
    holding->selected = 1;
    driver_set_timer(port, 3600 * 1000);
    driver_select(port, (ErlDrvEvent)(intptr_t)holding->ends[0], ERL_DRV_READ | ERL_DRV_USE, 1);
    driver_monitor_process(port, driver_caller(port), &monitor);
    driver_monitor_process(port, driver_connected(port), &monitor);
    driver_enq(port, "queued", 6);
    driver_enq_bin(port, queued, 0, 70000);
    driver_free_binary(queued);
    for (round = 0; round < 3; round++)
        driver_async(port, NULL, work, driver_alloc(100), driver_free);
    driver_output_binary(port, "head", 4, holding->binary, 0, 1000);
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Holding *holding = (Holding *)data;
    (void)buf;
    (void)len;
    (void)rlen;
    (void)rbuf;
    switch (operation) {
    case 'a':
        hold(holding);
        return 0;
    case 'f':
        driver_failure_atom(holding->port, "failed");
        return 0;
    case 'e':
        driver_failure_eof(holding->port);
        return 0;
    case 'x':
        driver_exit(holding->port, 0);
        return 0;
    }
    return -1;
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .stop_select = stop_select,
    .timeout = timeout,
    .ready_async = ready_async,
    .flush = flush,
    .control = control,
    .driver_name = "holding_drv",
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
};

DRIVER_INIT(holding_drv)
{
    return &entry;
}

/*
 * monitor_drv - watches processes: who sends it a command is watched until it dies or says bye.
 *
 *     port_command(Port, "watch me")   by any process; the sender receives {Port, watching}
 *     port_command(Port, "bye")        the sender is not watched any more: {Port, bye}
 *
 * When a watched process dies, the owner of the port receives {Port, {gone, Pid}}.
 */
#include "erl_driver.h"
#include <string.h>

typedef struct Watch {
    ErlDrvTermData process;
    ErlDrvMonitor monitor;
    struct Watch *next;
} Watch;

typedef struct {
    ErlDrvPort port;
    Watch *watches;
} Watcher;

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Watcher *watcher = (Watcher *)driver_alloc(sizeof *watcher);
    (void)command;
    if (watcher == NULL)
        return ERL_DRV_ERROR_GENERAL;
    watcher->port = port;
    watcher->watches = NULL;
    return (ErlDrvData)watcher;
}

/* The monitors end with the port; only our own list has to go. */
static void stop(ErlDrvData data)
{
    Watcher *watcher = (Watcher *)data;
    while (watcher->watches != NULL) {
        Watch *watch = watcher->watches;
        watcher->watches = watch->next;
        driver_free(watch);
    }
    driver_free(watcher);
}

/* Sends {Port, Word} to a process. */
static void tell(Watcher *watcher, ErlDrvTermData process, char *word)
{
    ErlDrvTermData self = driver_mk_port(watcher->port);
    ErlDrvTermData spec[] = {
        ERL_DRV_PORT, self,
        ERL_DRV_ATOM, driver_mk_atom(word),
        ERL_DRV_TUPLE, 2,
    };
    erl_drv_send_term(self, process, spec, sizeof spec / sizeof spec[0]);
}

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    Watcher *watcher = (Watcher *)data;
    ErlDrvTermData sender = driver_caller(watcher->port);
    Watch **link, *watch;

    if (len == 3 && memcmp(buf, "bye", 3) == 0) {
        for (link = &watcher->watches; (watch = *link) != NULL;) {
            if (watch->process == sender) {
                driver_demonitor_process(watcher->port, &watch->monitor);
                *link = watch->next;
                driver_free(watch);
            } else {
                link = &watch->next;
            }
        }
        tell(watcher, sender, "bye");
        return;
    }
    watch = (Watch *)driver_alloc(sizeof *watch);
    if (watch == NULL)
        return;
    /* Fails when the sender has died in the meantime. */
    if (driver_monitor_process(watcher->port, sender, &watch->monitor) != 0) {
        driver_free(watch);
        return;
    }
    watch->process = sender;
    watch->next = watcher->watches;
    watcher->watches = watch;
    tell(watcher, sender, "watching");
}

/* A monitor is spent when it has fired. */
static void process_exit(ErlDrvData data, ErlDrvMonitor *monitor)
{
    Watcher *watcher = (Watcher *)data;
    Watch **link, *watch;
    for (link = &watcher->watches; (watch = *link) != NULL; link = &watch->next) {
        if (driver_compare_monitors(&watch->monitor, monitor) == 0) {
            ErlDrvTermData self = driver_mk_port(watcher->port);
            ErlDrvTermData spec[] = {
                ERL_DRV_PORT, self,
                ERL_DRV_ATOM, driver_mk_atom("gone"),
                ERL_DRV_PID, watch->process,
                ERL_DRV_TUPLE, 2,
                ERL_DRV_TUPLE, 2,
            };
            *link = watch->next;
            driver_free(watch);
            erl_drv_output_term(self, spec, sizeof spec / sizeof spec[0]);
            return;
        }
    }
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .output = output,
    .driver_name = "monitor_drv",
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
    .process_exit = process_exit,
};

DRIVER_INIT(monitor_drv)
{
    return &entry;
}

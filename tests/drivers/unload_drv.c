/*
 * unload_drv - stands still where it is told to, and says what is called, so that it can be unloaded
 * at any moment. "unload_drv SAYS WAITS ACKS WHERE" names three descriptors and a set of letters: each
 * place writes its letter as a line to SAYS, and where the letter is in WHERE it goes on when a
 * byte can be read from WAITS.
 *
 * s start, x stop, c control with operation 'c', t timeout, i ready_input, p stop_select, e
 * process_exit, j a job, r ready_async, d what frees a job's data, w and z a thread's begin and end, J
 * before finish waits for a thread, F the end of finish, 1 start was given a third argument.
 *
 * Control: j start a job, w start a thread, W start one that finish waits for, t a timer that runs
 * out at once, T one that does not, m monitor the caller, s select ACKS.
 */
#include "erl_driver.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "unload_drv"
#endif
#ifndef FLAGS
#define FLAGS 0
#endif

typedef struct {
    ErlDrvPort port;
    int acks; /* -1 when it is not selected */
    int over;
} Port; /* never freed: a callback after stop is to be seen, not to crash */

static int says = -1, waits = -1;
static char where[16];
static ErlDrvTid thread;
static int has_thread, finished;

/* Tells where it is, and waits there if it is to. */
static void at(char place)
{
    char line[2] = {place, '\n'};
    if (finished || write(says, line, 2) != 2)
        abort();
    if (strchr(where, place) != NULL && read(waits, line, 1) != 1)
        abort();
}

static void at_port(ErlDrvData data, char place)
{
    if (((Port *)data)->over)
        abort();
    at(place);
}

/* As old drivers of the system declare it: with the options of the open, which a host has none of. */
static ErlDrvData start(ErlDrvPort port, char *command, void *options)
{
    Port *mine = calloc(1, sizeof *mine);
    int said, waited, acks;
    mine->port = port;
    mine->acks = -1;
    if (sscanf(command, "%*s %d %d %d %15s", &said, &waited, &acks, where) >= 3 && says < 0) {
        says = dup(said);
        waits = dup(waited);
    }
    if (says >= 0)
        at('s');
    if (options != NULL)
        at('1');
    return (ErlDrvData)mine;
}

static void stop(ErlDrvData data)
{
    Port *mine = (Port *)data;
    if (mine->acks >= 0)
        driver_select(mine->port, (ErlDrvEvent)(long)mine->acks, ERL_DRV_READ | ERL_DRV_USE, 0);
    if (says >= 0)
        at_port(data, 'x');
    mine->over = 1;
}

static void finish(void)
{
    if (has_thread) {
        at('J');
        erl_drv_thread_join(thread, NULL);
    }
    if (says >= 0) {
        at('F');
        close(says);
        close(waits);
    }
    finished = 1;
}

static void stop_select(ErlDrvEvent event, void *reserved)
{
    (void)reserved;
    at('p');
    close((int)(long)event);
}

static void ready_input(ErlDrvData data, ErlDrvEvent event)
{
    char byte;
    at_port(data, 'i');
    (void)!read((int)(long)event, &byte, 1);
}

static void timeout(ErlDrvData data)
{
    at_port(data, 't');
}

static void process_exit(ErlDrvData data, ErlDrvMonitor *monitor)
{
    (void)monitor;
    at_port(data, 'e');
}

static void ready_async(ErlDrvData data, ErlDrvThreadData job)
{
    (void)job;
    at_port(data, 'r');
}

static void work(void *data)
{
    (void)data;
    at('j');
}

static void job_freed(void *data)
{
    (void)data;
    at('d');
}

static void *run(void *data)
{
    (void)data;
    at('w');
    return NULL;
}

/* After finish, as a thread that nobody waits for. */
static void *run_on(void *data)
{
    char byte;
    int out = dup(says), in = dup(waits);
    (void)data;
    at('w');
    if (read(in, &byte, 1) != 1 || write(out, "z\n", 2) != 2)
        abort();
    close(in);
    close(out);
    return NULL;
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Port *mine = (Port *)data;
    ErlDrvMonitor monitor;
    ErlDrvTid loose;
    int descriptor;
    (void)rlen;
    (void)rbuf;
    switch (operation) {
    case 'c':
        at_port(data, 'c');
        return 0;
    case 'j':
        return driver_async(mine->port, NULL, work, mine, job_freed) == -1 ? -1 : 0;
    case 'w':
        return erl_drv_thread_create("loose", &loose, run_on, NULL, NULL) == 0 ? 0 : -1;
    case 'W':
        has_thread = erl_drv_thread_create("held", &thread, run, NULL, NULL) == 0;
        return has_thread ? 0 : -1;
    case 't':
        return driver_set_timer(mine->port, 0);
    case 'T':
        return driver_set_timer(mine->port, 3600 * 1000);
    case 'm':
        return driver_monitor_process(mine->port, driver_caller(mine->port), &monitor);
    case 's':
        memcpy(&descriptor, buf, len < sizeof descriptor ? len : sizeof descriptor);
        mine->acks = dup(descriptor);
        return driver_select(mine->port, (ErlDrvEvent)(long)mine->acks,
                             ERL_DRV_READ | ERL_DRV_USE, 1);
    }
    return -1;
}

static ErlDrvEntry entry = {
    .start = (ErlDrvData(*)(ErlDrvPort, char *))(void (*)(void))start,
    .stop = stop,
    .ready_input = ready_input,
    .finish = finish,
    .control = control,
    .timeout = timeout,
    .ready_async = ready_async,
    .process_exit = process_exit,
    .stop_select = stop_select,
    .driver_name = NAME,
    .extended_marker = (int)ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = FLAGS,
};

DRIVER_INIT(unload_drv)
{
    return &entry;
}

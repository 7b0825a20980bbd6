/*
 * ending_drv - ends its port, or the other one, from inside the callback and in the way that the
 * command line names: "ending_drv WHERE HOW". It goes on to use the port that it has ended, and
 * writes into the file of its fourth word what it saw.
 */
#include "erl_driver.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "ending_drv"
#endif
#ifndef FLAGS
#define FLAGS 0
#endif

typedef struct Ending Ending;
struct Ending {
    ErlDrvPort port;
    ErlDrvTermData owner;
    char where[16], how[16];
    int ends[2];
    int stops;
    int inside;
    Ending *before;
};

/* Freed when the driver goes: who is called after stop is to be seen, not to crash. */
static Ending *last;

static void end(Ending *ending, const char *where)
{
    ErlDrvPort port = ending->port;
    ErlDrvTermData spec[] = {ERL_DRV_NIL};
    int first = 0, later = 0;
    SysIOVec *vector;
    unsigned long left;
    ErlDrvMonitor monitor;
    if (ending->stops > 0 && strcmp(where, "stop") != 0)
        abort(); /* a callback after stop */
    if (strcmp(where, ending->where) != 0 || ending->inside)
        return;
    ending->inside = 1;
    if (strcmp(ending->how, "atom") == 0)
        first = driver_failure_atom(port, "ended");
    else if (strcmp(ending->how, "eof") == 0)
        first = driver_failure_eof(port);
    else if (strcmp(ending->how, "posix") == 0)
        first = driver_failure_posix(port, EPIPE);
    else if (strcmp(ending->how, "number") == 0)
        first = driver_failure(port, 7);
    else
        first = driver_exit(port, 0);
    /* Whatever is called now is refused, and nothing happens twice. */
    later += driver_failure_atom(port, "again") == 0;
    later += driver_exit(port, 5) == 0;
    later += driver_output(port, "late", 4) == 0;
    later += driver_set_timer(port, 0) == 0;
    later += driver_select(port, (ErlDrvEvent)(long)ending->ends[0], ERL_DRV_READ, 1) == 0;
    later += driver_enq(port, "late", 4) == 0;
    later += driver_read_timer(port, &left) == 0;
    later += driver_monitor_process(port, ending->owner, &monitor) == 0;
    later += driver_async(port, NULL, free, NULL, NULL) >= 0;
    later += erl_drv_output_term(driver_mk_port(port), spec, 1) > 0;
    vector = driver_peekq(port, &first);
    later += vector != NULL;
    set_busy_port(port, 1);
    if (strcmp(where, "start") != 0 && strcmp(where, "stop") != 0 && later != 0) {
        fprintf(stderr, "%s %s: %d functions worked on a port that had ended\n", where,
                ending->how, later);
        abort();
    }
    ending->inside = 0;
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Ending *ending = calloc(1, sizeof *ending);
    do /* ports that have their own locks start at the same time */
        ending->before = __atomic_load_n(&last, __ATOMIC_SEQ_CST);
    while (!__sync_bool_compare_and_swap(&last, ending->before, ending));
    ending->port = port;
    ending->owner = driver_connected(port);
    sscanf(command, "%*s %15s %15s", ending->where, ending->how);
    if (pipe(ending->ends) != 0 || write(ending->ends[1], "x", 1) != 1)
        return ERL_DRV_ERROR_ERRNO;
    end(ending, "start");
    return (ErlDrvData)ending;
}

static void stop(ErlDrvData data)
{
    Ending *ending = (Ending *)data;
    if (ending == NULL)
        return;
    if (++ending->stops != 1)
        abort();
    end(ending, "stop");
    driver_select(ending->port, (ErlDrvEvent)(long)ending->ends[0], ERL_DRV_USE, 0);
    close(ending->ends[1]);
}

static void finish(void)
{
    while (last != NULL) {
        Ending *ending = last;
        last = ending->before;
        free(ending);
    }
}

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    (void)buf;
    (void)len;
    end((Ending *)data, "output");
}

static void outputv(ErlDrvData data, ErlIOVec *ev)
{
    char copy[8];
    end((Ending *)data, "outputv");
    driver_vec_to_buf(ev, copy, sizeof copy);
}

static void timeout(ErlDrvData data)
{
    end((Ending *)data, "timeout");
}

static void ready_input(ErlDrvData data, ErlDrvEvent event)
{
    (void)event;
    end((Ending *)data, "input");
}

static void ready_output(ErlDrvData data, ErlDrvEvent event)
{
    (void)event;
    end((Ending *)data, "ready");
}

static void stop_select(ErlDrvEvent event, void *reserved)
{
    (void)reserved;
    close((int)(long)event);
}

static void work(void *data)
{
    (void)data;
}

static void ready_async(ErlDrvData data, ErlDrvThreadData thread)
{
    (void)thread;
    end((Ending *)data, "async");
}

static void process_exit(ErlDrvData data, ErlDrvMonitor *monitor)
{
    driver_demonitor_process(((Ending *)data)->port, monitor);
    end((Ending *)data, "exit");
}

static void flush(ErlDrvData data)
{
    end((Ending *)data, "flush");
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Ending *ending = (Ending *)data;
    ErlDrvMonitor monitor;
    (void)buf;
    (void)len;
    (void)rlen;
    switch (operation) {
    case 't':
        return driver_set_timer(ending->port, 1);
    case 'i':
        return driver_select(ending->port, (ErlDrvEvent)(long)ending->ends[0],
                             ERL_DRV_READ | ERL_DRV_USE, 1);
    case 'o':
        return driver_select(ending->port, (ErlDrvEvent)(long)ending->ends[1],
                             ERL_DRV_WRITE | ERL_DRV_USE, 1);
    case 'a':
        return driver_async(ending->port, NULL, work, ending, NULL) > 0 ? 0 : -1;
    case 'm':
        return driver_monitor_process(ending->port, driver_caller(ending->port), &monitor);
    case 'q':
        return driver_enq(ending->port, "queued", 6);
    case 'c':
        end(ending, "control");
        memcpy(*rbuf, "ok", 2);
        return 2;
    }
    return -1;
}

static ErlDrvSSizeT call(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                         char **rbuf, ErlDrvSizeT rlen, unsigned int *flags)
{
    (void)operation;
    (void)rlen;
    (void)flags;
    end((Ending *)data, "call");
    memcpy(*rbuf, buf, len);
    return (ErlDrvSSizeT)len;
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .finish = finish,
    .output = output,
#ifdef VECTORS
    .outputv = outputv,
#endif
    .timeout = timeout,
    .ready_input = ready_input,
    .ready_output = ready_output,
    .ready_async = ready_async,
    .process_exit = process_exit,
    .stop_select = stop_select,
    .flush = flush,
    .control = control,
    .call = call,
    .driver_name = NAME,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = FLAGS,
};

DRIVER_INIT(ending_drv)
{
#ifndef VECTORS
    (void)outputv;
#endif
    return &entry;
}

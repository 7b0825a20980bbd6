/*
 * meddling_drv - from inside the callback that the command line names, does something to its other
 * ports: "meddling_drv WHERE WHAT". A port opened with no words is the victim of those that follow.
 *
 * What: "say" makes the victim output, and asks the host for a control of the victim and of itself;
 * "end" ends the victim, and "end2" does so twice; "make" makes a port, uses it and ends it; "keep"
 * makes one that stays. The driver aborts where a callback of a port is entered that has ended, or
 * where one is entered on top of another of the same port but for those that Erlang nests.
 */
#include "erl_driver.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "meddling_drv"
#endif
#ifndef FLAGS
#define FLAGS 0
#endif

typedef struct Meddler Meddler;
struct Meddler {
    ErlDrvPort port;
    ErlDrvTermData owner;
    char where[16], what[16];
    int ends[2];
    int inside;
    int over;
    Meddler *next;
};

static Meddler *all; /* freed when the driver goes: who is called after stop is to be seen */
static ErlDrvMutex *all_lock;
static ErlDrvPort victim;

static Meddler *add(void)
{
    Meddler *one = calloc(1, sizeof *one);
    one->ends[0] = one->ends[1] = -1;
    erl_drv_mutex_lock(all_lock);
    one->next = all;
    all = one;
    erl_drv_mutex_unlock(all_lock);
    return one;
}

static void tell(Meddler *one, const char *what, int result)
{
    ErlDrvTermData spec[] = {ERL_DRV_ATOM, driver_mk_atom((char *)what), ERL_DRV_INT,
                             (ErlDrvTermData)result, ERL_DRV_TUPLE, 2};
    /* By the driver's number of a port that lives: a closing one is not heard. */
    erl_drv_send_term(driver_mk_port(victim), one->owner, spec, 6);
}

static void ask(ErlDrvPort port, char letter)
{
    char *copy = driver_alloc(1);
    *copy = letter;
    if (erl_drv_port_control(driver_mk_port(port), 'o', copy, 1) != 0)
        driver_free(copy);
}

static void meddle(Meddler *one, const char *where)
{
    ErlDrvPort made;
    if (one->over)
        abort(); /* a callback after stop */
    if (strcmp(where, "stop") != 0 && strcmp(where, "flush") != 0 && one->inside)
        abort(); /* two callbacks of a port at a time */
    if (strcmp(one->where, where) != 0 || one->what[0] == '\0')
        return;
    one->inside++;
    if (strcmp(one->what, "say") == 0) {
        driver_output(victim, "said", 4);
        ask(victim, 'v');
        ask(one->port, 'm');
    } else if (strncmp(one->what, "end", 3) == 0) {
        int first = driver_failure_atom(victim, "ended");
        if (one->what[3] == '2' && driver_failure_atom(victim, "again") != -1)
            abort();
        if (first != 0 || driver_output(victim, "late", 4) != -1)
            abort();
    } else {
        Meddler *new = add();
        made = driver_create_port(one->port, one->owner, "made", (ErlDrvData)new);
        new->port = made;
        if (made != (ErlDrvPort)-1 && driver_output(made, "new", 3) != 0)
            abort();
        if (made == (ErlDrvPort)-1)
            tell(one, "refused", 0);
        else if (strcmp(one->what, "make") == 0 && driver_failure_atom(made, "enough") != 0)
            abort();
    }
    one->what[0] = '\0';
    one->inside--;
}

static int init(void)
{
    all_lock = erl_drv_mutex_create("all");
    return 0;
}

static void finish(void)
{
    while (all != NULL) {
        Meddler *one = all;
        all = one->next;
        if (!one->over)
            abort(); /* unloaded with a port */
        free(one);
    }
    erl_drv_mutex_destroy(all_lock);
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Meddler *one = add();
    one->port = port;
    one->owner = driver_connected(port);
    if (sscanf(command, "%*s %15s %15s", one->where, one->what) < 2)
        victim = port;
    if (pipe(one->ends) != 0 || write(one->ends[1], "x", 1) != 1)
        return ERL_DRV_ERROR_ERRNO;
    meddle(one, "start");
    return (ErlDrvData)one;
}

static void stop(ErlDrvData data)
{
    Meddler *one = (Meddler *)data;
    meddle(one, "stop");
    one->over = 1;
    if (one->ends[0] < 0)
        return;
    driver_select(one->port, (ErlDrvEvent)(long)one->ends[0], ERL_DRV_USE, 0);
    driver_select(one->port, (ErlDrvEvent)(long)one->ends[1], ERL_DRV_USE, 0);
}

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    (void)buf;
    (void)len;
    meddle((Meddler *)data, "output");
}

#ifdef VECTORS
static void outputv(ErlDrvData data, ErlIOVec *ev)
{
    (void)ev;
    meddle((Meddler *)data, "outputv");
}
#endif

static void timeout(ErlDrvData data)
{
    meddle((Meddler *)data, "timeout");
}

static void ready_input(ErlDrvData data, ErlDrvEvent event)
{
    Meddler *one = (Meddler *)data;
    driver_select(one->port, event, ERL_DRV_READ, 0);
    meddle(one, "input");
}

static void ready_output(ErlDrvData data, ErlDrvEvent event)
{
    Meddler *one = (Meddler *)data;
    driver_select(one->port, event, ERL_DRV_WRITE, 0);
    meddle(one, "ready");
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
    meddle((Meddler *)data, "async");
}

static void process_exit(ErlDrvData data, ErlDrvMonitor *monitor)
{
    (void)monitor;
    meddle((Meddler *)data, "exit");
}

static void flush(ErlDrvData data)
{
    Meddler *one = (Meddler *)data;
    meddle(one, "flush");
    driver_deq(one->port, driver_sizeq(one->port));
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Meddler *one = (Meddler *)data;
    ErlDrvMonitor monitor;
    (void)rlen;
    switch (operation) {
    case 't':
        return driver_set_timer(one->port, 1);
    case 'i':
        return driver_select(one->port, (ErlDrvEvent)(long)one->ends[0], ERL_DRV_READ | ERL_DRV_USE,
                             1);
    case 'r':
        return driver_select(one->port, (ErlDrvEvent)(long)one->ends[1],
                             ERL_DRV_WRITE | ERL_DRV_USE, 1);
    case 'a':
        return driver_async(one->port, NULL, work, one, NULL) > 0 ? 0 : -1;
    case 'm':
        return driver_monitor_process(one->port, driver_caller(one->port), &monitor);
    case 'q':
        return driver_enq(one->port, "queued", 6);
    case 'o': /* what another port asked for */
        if (one->over || one->inside)
            abort();
        driver_output(one->port, buf, len);
        break;
    case 'c':
        meddle(one, "control");
        break;
    }
    *rbuf = NULL;
    return 0;
}

static ErlDrvSSizeT call(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                         char **rbuf, ErlDrvSizeT rlen, unsigned int *flags)
{
    (void)operation;
    (void)rlen;
    (void)flags;
    meddle((Meddler *)data, "call");
    memcpy(*rbuf, buf, len);
    return (ErlDrvSSizeT)len;
}

static ErlDrvEntry entry = {
    .init = init,
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

DRIVER_INIT(meddling_drv)
{
    return &entry;
}

/*
 * gate_drv - stands still where it is told to. "gate_drv SAYS WAITS ACKS WHERE" names three
 * descriptors and a set of letters: each callback writes its letter and what it was given as a line
 * to SAYS, and where the letter is in WHERE it goes on when a byte can be read from WAITS. Compiled
 * with ERL_DRV_FLAG_USE_INIT_ACK among FLAGS, the port opens when a byte comes from ACKS: o opens it,
 * g refuses, f fails.
 *
 * s start, o output, c control with operation 'g', l call, f flush, x stop, e process_exit,
 * t timeout, i ready_input.
 */
#include "erl_driver.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "gate_drv"
#endif
#ifndef FLAGS
#define FLAGS 0
#endif

typedef struct Gate Gate;
struct Gate {
    ErlDrvPort port;
    int says, waits, acks;
    char where[16];
    int over;
    Gate *before;
};

/* Freed when the driver goes: a callback after stop is to be seen, not to crash. */
static Gate *last;

/* Tells where it is, and waits there if it is to. */
static void at(Gate *gate, char place, const char *what, size_t size)
{
    char line[80];
    int length = snprintf(line, sizeof line, "%c%.*s\n", place, (int)size, what);
    if (gate->over)
        abort();
    if (write(gate->says, line, (size_t)length) != length)
        abort();
    if (strchr(gate->where, place) != NULL && read(gate->waits, line, 1) != 1)
        abort();
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Gate *gate = calloc(1, sizeof *gate);
    do /* ports that have their own locks start at the same time */
        gate->before = __atomic_load_n(&last, __ATOMIC_SEQ_CST);
    while (!__sync_bool_compare_and_swap(&last, gate->before, gate));
    gate->port = port;
    if (sscanf(command, "%*s %d %d %d %15s", &gate->says, &gate->waits, &gate->acks,
               gate->where) < 3)
        return ERL_DRV_ERROR_BADARG;
    at(gate, 's', "", 0);
    if ((FLAGS & ERL_DRV_FLAG_USE_INIT_ACK) != 0 || strchr(gate->where, 'i') != NULL)
        driver_select(port, (ErlDrvEvent)(long)gate->acks, ERL_DRV_READ | ERL_DRV_USE, 1);
    return (ErlDrvData)gate;
}

static void stop(ErlDrvData data)
{
    Gate *gate = (Gate *)data;
    driver_select(gate->port, (ErlDrvEvent)(long)gate->acks, ERL_DRV_READ | ERL_DRV_USE, 0);
    at(gate, 'x', "", 0);
    driver_output(gate->port, "late", 4);
    gate->over = 1;
}

static void finish(void)
{
    while (last != NULL) {
        Gate *gate = last;
        last = gate->before;
        free(gate);
    }
}

static void stop_select(ErlDrvEvent event, void *reserved)
{
    (void)event;
    (void)reserved;
}

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    at((Gate *)data, 'o', buf, len);
}

static void flush(ErlDrvData data)
{
    at((Gate *)data, 'f', "", 0);
}

static void timeout(ErlDrvData data)
{
    at((Gate *)data, 't', "", 0);
}

static void process_exit(ErlDrvData data, ErlDrvMonitor *monitor)
{
    (void)monitor;
    at((Gate *)data, 'e', "", 0);
}

static void ready_input(ErlDrvData data, ErlDrvEvent event)
{
    Gate *gate = (Gate *)data;
    char byte = 0;
    if (read((int)(long)event, &byte, 1) != 1)
        abort();
    at(gate, 'i', "", 0);
    switch (byte) {
    case 'o':
        erl_drv_init_ack(gate->port, data);
        break;
    case 'g':
        erl_drv_init_ack(gate->port, ERL_DRV_ERROR_GENERAL);
        break;
    case 'f':
        driver_failure_atom(gate->port, "failed");
        break;
    }
}

/* What can be done, by letter. */
static void act(Gate *gate, char what)
{
    ErlDrvMonitor monitor;
    switch (what) {
    case 'b':
        set_busy_port(gate->port, 1);
        break;
    case 'r':
        set_busy_port(gate->port, 0);
        break;
    case 'q':
        driver_enq(gate->port, "queued", 6);
        break;
    case 'd':
        driver_deq(gate->port, driver_sizeq(gate->port));
        break;
    case 'e':
        driver_failure_eof(gate->port);
        break;
    case 'a':
        driver_failure_atom(gate->port, "failed");
        break;
    case 't':
        driver_set_timer(gate->port, 0);
        break;
    case 'm':
        driver_monitor_process(gate->port, driver_caller(gate->port), &monitor);
        break;
    case 'h':
        driver_output(gate->port, "hello", 5);
        break;
    }
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Gate *gate = (Gate *)data;
    ErlDrvSizeT done;
    (void)rbuf;
    (void)rlen;
    if (operation == 'g')
        at(gate, 'c', "", 0);
    for (done = 0; done < len; done++)
        act(gate, buf[done]);
    return 0;
}

static ErlDrvSSizeT call(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                         char **rbuf, ErlDrvSizeT rlen, unsigned int *flags)
{
    (void)flags;
    at((Gate *)data, 'l', "", 0);
    act((Gate *)data, (char)operation);
    if (len > rlen)
        return -1;
    memcpy(*rbuf, buf, len);
    return (ErlDrvSSizeT)len;
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .finish = finish,
    .output = output,
    .ready_input = ready_input,
    .timeout = timeout,
    .flush = flush,
    .control = control,
    .call = call,
    .process_exit = process_exit,
    .stop_select = stop_select,
    .driver_name = NAME,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = FLAGS,
};

DRIVER_INIT(gate_drv)
{
    return &entry;
}

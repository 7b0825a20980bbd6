/*
 * counter_drv - a driver with state, synchronous requests and a timer.
 *
 *     port_command(Port, "5")          adds 5; the owner receives {Port, {data, "5"}}, the sum
 *     port_control(Port, $g, "")       the sum, without a message
 *     port_control(Port, $r, "")       sets it back to 0 and answers what it was
 *     port_control(Port, $t, "20")     counts up by one every 20 ms, with a message each time
 *     port_control(Port, $t, "0")      stops that
 */
#include "erl_driver.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ErlDrvPort port;
    long sum;
    unsigned long interval_ms; /* 0: not ticking */
} Counter;

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Counter *counter = (Counter *)driver_alloc(sizeof *counter);
    (void)command;
    if (counter == NULL)
        return ERL_DRV_ERROR_GENERAL;
    counter->port = port;
    counter->sum = 0;
    counter->interval_ms = 0;
    return (ErlDrvData)counter;
}

/* Called once when the port ends, for whatever reason. A timer that is still set goes with it. */
static void stop(ErlDrvData data)
{
    driver_free((Counter *)data);
}

/* Reads a number. What comes from outside is not terminated by a zero, hence the copy. */
static int parse(const char *buf, ErlDrvSizeT len, long *number)
{
    char text[24], *end;
    if (len == 0 || len >= sizeof text)
        return 0;
    memcpy(text, buf, len);
    text[len] = '\0';
    *number = strtol(text, &end, 10);
    return *end == '\0';
}

static void add(Counter *counter, long number)
{
    counter->sum = (long)((unsigned long)counter->sum + (unsigned long)number);
}

static void tell_sum(Counter *counter)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%ld", counter->sum);
    driver_output(counter->port, text, (ErlDrvSizeT)len);
}

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    Counter *counter = (Counter *)data;
    long number;
    if (!parse(buf, len, &number)) {
        /* Ends the port; the owner gets {'EXIT', Port, not_a_number}. Our data is gone when
         * the function returns, so nothing may follow. */
        driver_failure_atom(counter->port, "not_a_number");
        return;
    }
    add(counter, number);
    tell_sum(counter);
}

/* The answer goes to *rbuf, where there is room for rlen bytes (64 at least). */
static ErlDrvSSizeT control(ErlDrvData data, unsigned int command, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Counter *counter = (Counter *)data;
    int answer = snprintf(*rbuf, rlen, "%ld", counter->sum);
    long number;
    switch (command) {
    case 'g':
        return answer;
    case 'r':
        counter->sum = 0;
        return answer;
    case 't':
        if (!parse(buf, len, &number) || number < 0)
            return -1;
        counter->interval_ms = (unsigned long)number;
        if (number > 0)
            driver_set_timer(counter->port, counter->interval_ms);
        else
            driver_cancel_timer(counter->port);
        return 0;
    default:
        return -1; /* port_control fails with badarg */
    }
}

/* A timer fires once; who wants more sets it again. */
static void timeout(ErlDrvData data)
{
    Counter *counter = (Counter *)data;
    add(counter, 1);
    tell_sum(counter);
    driver_set_timer(counter->port, counter->interval_ms);
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .output = output,
    .driver_name = "counter_drv",
    .control = control,
    .timeout = timeout,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
};

DRIVER_INIT(counter_drv)
{
    return &entry;
}

/*
 * rough_drv - does what a driver should not do, on request, one letter each. What it answers
 * shows that the host went on, and how.
 */
#include "erl_driver.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "rough_drv"
#endif
#ifndef FLAGS
#define FLAGS 0
#endif

static ErlDrvPort ports[2]; /* the last two that were opened */
static int ready;           /* calls of ready_input */
static int stopped;         /* calls of stop_select */
static char farewell[256];  /* a file that a thread writes after a while */

static ErlDrvData start(ErlDrvPort port, char *command)
{
    (void)command;
    ports[1] = ports[0];
    ports[0] = port;
    return (ErlDrvData)port;
}

static void ready_input(ErlDrvData data, ErlDrvEvent event)
{
    char byte;
    ErlDrvPort port = (ErlDrvPort)data;
    ready++;
    if (read((int)(long)event, &byte, 1) == 1 && byte == '!')
        driver_output(port, &byte, 1);
}

static void stop_select(ErlDrvEvent event, void *reserved)
{
    (void)event;
    (void)reserved;
    stopped++;
}

/* Runs on longer than anybody waits for it. */
static void *linger(void *data)
{
    int turns, fd;
    (void)data;
    for (turns = 0; turns < 200; turns++)
        usleep(1000);
    fd = open(farewell, O_WRONLY | O_CREAT, 0600);
    if (fd >= 0)
        close(fd);
    return NULL;
}

static void *join_self(void *result)
{
    *(int *)result = erl_drv_thread_join(erl_drv_thread_self(), NULL);
    return NULL;
}

static ErlDrvSSizeT said(char **rbuf, ErlDrvSizeT rlen, long one, long two, long three)
{
    return snprintf(*rbuf, rlen, "%ld %ld %ld", one, two, three);
}

static ErlDrvEntry second = {
    .start = start,
    .driver_name = NAME "_second",
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
};

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    static int fd = -1, ends[2];
    ErlDrvPort port = (ErlDrvPort)data, other;
    ErlDrvTid thread;
    ErlDrvPDL pdl;
    char *copy;
    int times, result = -1;
    long before, between;
    switch (operation) {
    case 'x': /* a callback ends the thread that it was lent */
        erl_drv_thread_exit(NULL);
        return said(rbuf, rlen, 0, 0, 0);
    case 'j': /* a thread waits for itself */
        erl_drv_thread_create(NULL, &thread, join_self, &result, NULL);
        times = erl_drv_thread_join(thread, NULL);
        return said(rbuf, rlen, times, result, 0);
    case 'l': /* a thread that nobody waits for */
        snprintf(farewell, sizeof farewell, "%.*s", (int)len, buf);
        return said(rbuf, rlen, erl_drv_thread_create("linger", &thread, linger, NULL, NULL), 0, 0);
    case 'p': /* more references given away than there are, a lock not held given back */
        pdl = driver_pdl_create(port);
        driver_pdl_dec_refc(pdl);
        driver_pdl_dec_refc(pdl);
        driver_pdl_unlock(pdl);
        driver_pdl_lock(pdl);
        driver_pdl_lock(pdl);
        driver_pdl_unlock(pdl);
        driver_pdl_unlock(pdl);
        before = driver_pdl_get_refc(pdl);
        between = driver_pdl_inc_refc(pdl);
        return said(rbuf, rlen, before, between, driver_pdl_dec_refc(pdl));
    case 'f': /* the same regular file, many times */
        fd = open("/proc/self/exe", O_RDONLY);
        for (times = 0; times < 1000; times++)
            driver_select(port, (ErlDrvEvent)(long)fd, ERL_DRV_READ | ERL_DRV_USE, 1);
        return said(rbuf, rlen, ready, 0, 0);
    case 'c':
        return said(rbuf, rlen, ready, stopped, 0);
    case 'd':
        driver_select(port, (ErlDrvEvent)(long)fd, ERL_DRV_USE, 0);
        close(fd);
        return said(rbuf, rlen, stopped, 0, 0);
    case 'b': /* a number that no descriptor can have */
        before = driver_select(port, (ErlDrvEvent)99999999L, ERL_DRV_USE, 1);
        between = driver_select(port, (ErlDrvEvent)99999999L, ERL_DRV_USE, 0);
        return said(rbuf, rlen, before, between, stopped);
    case 's': /* two ports take a pipe from each other */
        if (pipe(ends) != 0)
            return -1;
        driver_select(ports[1], (ErlDrvEvent)(long)ends[0], ERL_DRV_READ, 1);
        driver_select(ports[0], (ErlDrvEvent)(long)ends[0], ERL_DRV_READ, 1);
        driver_select(ports[1], (ErlDrvEvent)(long)ends[0], ERL_DRV_READ, 1);
        return 0;
    case 'w':
        return said(rbuf, rlen, write(ends[1], "!", 1), 0, 0);
    case 'e': /* the end of the input, with something queued */
        driver_enq(port, "abc", 3);
        result = driver_failure_eof(port);
        before = (long)driver_sizeq(port);
        return said(rbuf, rlen, result, before, (long)driver_deq(port, 3));
    case 'n': /* a new port is used at once, and ended at once */
        other = driver_create_port(port, driver_caller(port), "made", NULL);
        result = driver_output(other, "new", 3);
        before = driver_failure_atom(other, "enough");
        return said(rbuf, rlen, result, before, driver_output(other, "old", 3));
    case 'k': /* another port is asked for something, without waiting */
        copy = driver_alloc(1);
        *copy = '.';
        return said(rbuf, rlen, erl_drv_port_control(driver_mk_port(ports[0]), 'o', copy, 1), 0, 0);
    case 'o':
        driver_output(port, buf, len);
        return 0;
    case '+':
        add_driver_entry(&second);
        return 0;
    case '-':
        return said(rbuf, rlen, remove_driver_entry(&second), 0, 0);
    }
    return -1;
}

static ErlDrvEntry entry = {
    .start = start,
    .control = control,
    .ready_input = ready_input,
    .stop_select = stop_select,
    .driver_name = NAME,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = FLAGS,
};

DRIVER_INIT(rough_drv)
{
    return &entry;
}

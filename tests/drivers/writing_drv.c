/*
 * writing_drv - writes to a pipe and to a socket that nobody reads, in every callback, and tells of
 * each on the descriptor whose number is in WHARF_WRITING: a letter for the callback, large if it ran
 * on the thread that loaded the driver, and '!' in front if a write did anything but fail with EPIPE.
 *
 *     control 't'   sets the timer        control 'i'   lets ready_input come
 *     control 'a'   starts a job          control 'o'   lets ready_output come
 *     control 'm'   monitors the caller   control 'q'   leaves a byte in the queue
 */
#define _GNU_SOURCE
#include "erl_driver.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int broken[2] = {-1, -1};
static int report = -1;
static pid_t home;

static ErlDrvPort the_port;
static int ends[2];

static void try(char letter)
{
    char told[2] = {'!', letter};
    int good = 1;
    int i;
    if (gettid() == home)
        told[1] = (char)toupper(letter);
    for (i = 0; i < 2; i++)
        good = good && write(broken[i], "x", 1) == -1 && errno == EPIPE;
    if (write(report, good ? told + 1 : told, good ? 1 : 2) < 0)
        abort();
}

static int init(void)
{
    try('n');
    return 0;
}

static void finish(void)
{
    try('f');
    close(broken[0]);
    close(broken[1]);
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    the_port = port;
    set_port_control_flags(port, PORT_CONTROL_FLAG_BINARY);
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return ERL_DRV_ERROR_ERRNO;
    try('s');
    return (ErlDrvData)&the_port;
}

static void stop(ErlDrvData data)
{
    try('z');
    driver_select(the_port, (ErlDrvEvent)(intptr_t)ends[0], ERL_DRV_USE, 0);
    close(ends[1]);
}

static void stop_select(ErlDrvEvent event, void *reserved)
{
    try('x');
    close((int)(intptr_t)event);
}

static void output(ErlDrvData data, char *bytes, ErlDrvSizeT length)
{
    try('o');
}

static void job(void *data)
{
    try('j');
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *bytes, ErlDrvSizeT length,
                            char **answer, ErlDrvSizeT room)
{
    ErlDrvMonitor monitor;
    try('c');
    switch (operation) {
    case 't':
        driver_set_timer(the_port, 0);
        break;
    case 'i':
        driver_select(the_port, (ErlDrvEvent)(intptr_t)ends[0], ERL_DRV_READ | ERL_DRV_USE, 1);
        if (write(ends[1], "x", 1) != 1)
            return -1;
        break;
    case 'o':
        driver_select(the_port, (ErlDrvEvent)(intptr_t)ends[1], ERL_DRV_WRITE, 1);
        break;
    case 'a':
        driver_async(the_port, NULL, job, NULL, NULL);
        break;
    case 'm':
        if (driver_monitor_process(the_port, driver_caller(the_port), &monitor) != 0)
            return -1;
        break;
    case 'q':
        driver_enq(the_port, "x", 1);
        break;
    default:
        return -1;
    }
    return 0;
}

static ErlDrvSSizeT call(ErlDrvData data, unsigned int operation, char *bytes, ErlDrvSizeT length,
                         char **answer, ErlDrvSizeT room, unsigned int *flags)
{
    try('l');
    if (length > room)
        return -1;
    memcpy(*answer, bytes, length);
    return (ErlDrvSSizeT)length;
}

static void timeout(ErlDrvData data)
{
    try('t');
    driver_output(the_port, "t", 1);
}

static void ready_input(ErlDrvData data, ErlDrvEvent event)
{
    char byte;
    try('i');
    if (read((int)(intptr_t)event, &byte, 1) == 1)
        driver_output(the_port, "i", 1);
}

static void ready_output(ErlDrvData data, ErlDrvEvent event)
{
    try('w');
    driver_select(the_port, event, ERL_DRV_WRITE, 0);
    driver_output(the_port, "w", 1);
}

static void ready_async(ErlDrvData data, ErlDrvThreadData job_data)
{
    try('a');
    driver_output(the_port, "a", 1);
}

static void process_exit(ErlDrvData data, ErlDrvMonitor *monitor)
{
    try('m');
}

static void flush(ErlDrvData data)
{
    try('q');
    driver_deq(the_port, 1);
}

static ErlDrvEntry entry = {
    .init = init,
    .start = start,
    .stop = stop,
    .output = output,
    .ready_input = ready_input,
    .ready_output = ready_output,
    .driver_name = "writing_drv",
    .finish = finish,
    .control = control,
    .timeout = timeout,
    .ready_async = ready_async,
    .flush = flush,
    .call = call,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .process_exit = process_exit,
    .stop_select = stop_select,
};

DRIVER_INIT(writing_drv)
{
    int ends_of_pipe[2];
    int pair[2];
    report = atoi(getenv("WHARF_WRITING"));
    home = gettid();
    if (pipe2(ends_of_pipe, O_CLOEXEC) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return NULL;
    close(ends_of_pipe[0]);
    close(pair[0]);
    broken[0] = ends_of_pipe[1];
    broken[1] = pair[1];
    try('d');
    return &entry;
}

/*
 * turn_drv - shows who runs when: each command takes a while and notes if another one ran
 * meanwhile. Compiled with and without port locking. Also remembers, in a static variable, how
 * often it was used since it was loaded, and tells a file when it is unloaded.
 */
#include "erl_driver.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "turn_drv"
#endif
#ifndef FLAGS
#define FLAGS 0
#endif

typedef struct {
    ErlDrvPort port;
    ErlDrvTermData self;
    ErlDrvTid thread;
} Turn;

static int inside;   /* callbacks that are running */
static int together; /* the most that ran at a time */
static int uses;
static char farewell[256]; /* the file to write on unloading */

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Turn *turn = driver_alloc(sizeof *turn);
    char *file = strchr(command, ' ');
    if (file != NULL)
        snprintf(farewell, sizeof farewell, "%s", file + 1);
    turn->port = port;
    turn->self = driver_mk_port(port);
    return (ErlDrvData)turn;
}

static void stop(ErlDrvData data)
{
    driver_free((Turn *)data);
}

static void finish(void)
{
    int fd = farewell[0] != '\0' ? open(farewell, O_WRONLY | O_CREAT, 0600) : -1;
    if (fd >= 0) {
        (void)!write(fd, "bye", 3);
        close(fd);
    }
}

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    Turn *turn = (Turn *)data;
    char line[32];
    int now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST), written;
    (void)buf;
    (void)len;
    if (now > __atomic_load_n(&together, __ATOMIC_SEQ_CST))
        __atomic_store_n(&together, now, __ATOMIC_SEQ_CST);
    usleep(50000);
    __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    written = snprintf(line, sizeof line, "%d",
                       __atomic_load_n(&together, __ATOMIC_SEQ_CST));
    driver_output(turn->port, line, (ErlDrvSizeT)written);
}

/* Sends numbers from a thread of its own. */
static void *count(void *data)
{
    Turn *turn = data;
    int number;
    for (number = 0; number < 100; number++) {
        ErlDrvTermData spec[] = {ERL_DRV_PORT, turn->self, ERL_DRV_INT,
                                 (ErlDrvTermData)number, ERL_DRV_TUPLE, 2};
        erl_drv_output_term(turn->self, spec, 6);
    }
    return NULL;
}

static void slow(void *data)
{
    (void)data;
    usleep(100000);
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Turn *turn = (Turn *)data;
    (void)buf;
    (void)len;
    switch (operation) {
    case 'u':
        return snprintf(*rbuf, rlen, "%d", ++uses);
    case 't': /* a thread that sends, and whose end is waited for in here */
        erl_drv_thread_create("counter", &turn->thread, count, turn, NULL);
        erl_drv_thread_join(turn->thread, NULL);
        driver_output(turn->port, "joined", 6);
        return 0;
    case 'j': /* a job that takes a while */
        return snprintf(*rbuf, rlen, "%d", driver_async(turn->port, NULL, slow, NULL, NULL) > 0);
    case 'l':
        return snprintf(*rbuf, rlen, "%d", driver_lock_driver(turn->port));
    }
    return -1;
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .finish = finish,
    .output = output,
    .control = control,
    .driver_name = NAME,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = FLAGS,
};

DRIVER_INIT(turn_drv)
{
    return &entry;
}

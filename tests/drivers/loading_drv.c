/*
 * loading_drv - tells when it is loaded, used and unloaded. It appends a word to the file NAME.log in
 * the current folder in driver_init, init and finish, and in start and stop for a port that was opened
 * with an argument. Its init fails while there is a file NAME.fail.
 *
 * Control: u how often it was used since it was loaded, q queue a byte, d empty the queue, j start
 * a job that waits, J start a job that waits at a named pipe, w start a thread that waits (finish joins it), s select a pipe, g let one of
 * those who wait go on, l lock the driver, v which version it was compiled as, o tell the owner,
 * f fail.
 */
#include "erl_driver.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "loading_drv"
#endif
#ifndef SHOWN_NAME
#define SHOWN_NAME NAME
#endif
#ifndef FLAGS
#define FLAGS 0
#endif
#ifndef MARKER
#define MARKER ERL_DRV_EXTENDED_MARKER
#endif
#ifndef MAJOR
#define MAJOR ERL_DRV_EXTENDED_MAJOR_VERSION
#endif
#ifndef MINOR
#define MINOR ERL_DRV_EXTENDED_MINOR_VERSION
#endif
#ifndef INIT_RESULT
#define INIT_RESULT 0
#endif

typedef struct {
    ErlDrvPort port;
    int tells;
    int selected[2];
} Port;

static int uses;
static int gate[2] = {-1, -1};
static ErlDrvTid thread;
static int has_thread;

static void note(const char *word)
{
    int fd = open(NAME ".log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    char text[64];
    int length = snprintf(text, sizeof text, "%s ", word);
    if (fd < 0)
        return;
    (void)!write(fd, text, (size_t)length);
    close(fd);
}

static int init(void)
{
    note("init");
    if (access(NAME ".fail", F_OK) == 0)
        return -1;
    if (INIT_RESULT == 0 && pipe(gate) != 0)
        return -1;
    return INIT_RESULT;
}

static void finish(void)
{
    if (has_thread) {
        (void)!write(gate[1], ".", 1);
        erl_drv_thread_join(thread, NULL);
    }
    close(gate[0]);
    close(gate[1]);
    note("finish");
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Port *mine = driver_alloc(sizeof *mine);
    mine->port = port;
    mine->tells = strchr(command, ' ') != NULL;
    mine->selected[0] = mine->selected[1] = -1;
    if (mine->tells)
        note("start");
    return (ErlDrvData)mine;
}

static void stop(ErlDrvData data)
{
    Port *mine = (Port *)data;
    if (mine->selected[0] >= 0) {
        driver_select(mine->port, (ErlDrvEvent)(long)mine->selected[0], ERL_DRV_READ | ERL_DRV_USE,
                      0);
        close(mine->selected[1]);
    }
    if (mine->tells)
        note("stop");
    driver_free(mine);
}

static void stop_select(ErlDrvEvent event, void *reserved)
{
    (void)reserved;
    close((int)(long)event);
    note("released");
}

static void ready_input(ErlDrvData data, ErlDrvEvent event)
{
    char byte;
    (void)data;
    (void)!read((int)(long)event, &byte, 1);
}

static void wait_at_gate(void *data)
{
    char byte;
    (void)data;
    (void)!read(gate[0], &byte, 1);
    note("passed");
}

static void wait_at_file(void *name)
{
    char byte;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    (void)!read(fd, &byte, 1);
    close(fd);
    note("passed");
}

static void *run(void *data)
{
    wait_at_gate(data);
    return NULL;
}

static void flush(ErlDrvData data)
{
    (void)data;
}

static void ready_async(ErlDrvData data, ErlDrvThreadData job)
{
    (void)data;
    (void)job;
    note("job");
}

static void job_freed(void *job)
{
    (void)job;
    note("freed");
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Port *mine = (Port *)data;
    char *file;
    switch (operation) {
    case 'u':
        return snprintf(*rbuf, rlen, "%d", ++uses);
    case 'q':
        driver_enq(mine->port, "q", 1);
        return 0;
    case 'd':
        driver_deq(mine->port, driver_sizeq(mine->port));
        return 0;
    case 'j':
        return snprintf(*rbuf, rlen, "%d",
                        driver_async(mine->port, NULL, wait_at_gate, &uses, job_freed) != -1);
    case 'J':
        file = driver_alloc(len + 1);
        memcpy(file, buf, len);
        file[len] = 0;
        return snprintf(*rbuf, rlen, "%d",
                        driver_async(mine->port, NULL, wait_at_file, file, driver_free) != -1);
    case 'w':
        has_thread = erl_drv_thread_create("waits", &thread, run, NULL, NULL) == 0;
        return snprintf(*rbuf, rlen, "%d", has_thread);
    case 's':
        if (pipe(mine->selected) != 0)
            return -1;
        return snprintf(*rbuf, rlen, "%d",
                        driver_select(mine->port, (ErlDrvEvent)(long)mine->selected[0],
                                      ERL_DRV_READ | ERL_DRV_USE, 1));
    case 'g':
        (void)!write(gate[1], ".", 1);
        return 0;
    case 'l':
        return snprintf(*rbuf, rlen, "%d", driver_lock_driver(mine->port));
    case 'v':
        return snprintf(*rbuf, rlen, "%d.%d", MAJOR, MINOR);
    case 'o':
        driver_output(mine->port, "hello", 5);
        return 0;
    case 'f':
        driver_failure_atom(mine->port, "failed");
        return 0;
    }
    return -1;
}

static ErlDrvEntry entry = {
    .init = init,
    .start = start,
    .stop = stop,
    .ready_input = ready_input,
    .finish = finish,
    .control = control,
    .ready_async = ready_async,
    .flush = flush,
    .stop_select = stop_select,
    .driver_name = SHOWN_NAME,
    .extended_marker = (int)MARKER,
    .major_version = MAJOR,
    .minor_version = MINOR,
    .driver_flags = FLAGS,
};

#ifdef NO_INIT
ErlDrvEntry *some_other_function(void);
ErlDrvEntry *some_other_function(void)
#else
DRIVER_INIT(loading_drv)
#endif
{
    note("driver_init");
#ifdef NO_ENTRY
    (void)entry;
    return NULL;
#else
    return &entry;
#endif
}

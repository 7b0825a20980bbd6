/* A driver that leaves everything lying about, for the programs that ask the host what was left.
 *
 * Operations of port_control:
 *   'a'  allocates a binary of as many bytes as the data says, and keeps it
 *   'f'  frees the one allocated last
 *   'd'  breaks a rule: takes the last reference of a binary away with driver_binary_dec_refc
 *   'D'  the same, on a thread of its own
 *   's'  selects a pipe for reading; 'S' gives it up
 *   't'  sets a timer of an hour; 'T' cancels it
 *   'm'  monitors the caller; 'M' no longer
 *   'j'  starts a job that waits; 'J' lets it go
 *   'h'  starts a thread that waits; 'H' lets it go and joins it
 */
#include "erl_driver.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEPT_MAX 16

typedef struct {
    ErlDrvPort port;
    ErlDrvBinary *kept[KEPT_MAX];
    int kept_number;
    int pipe[2];
    ErlDrvMonitor monitor;
    ErlDrvTid thread;
} Careless;

/* Where the job and the thread wait. The job's data is not the port's, which may be gone before. */
static ErlDrvMutex *lock;
static ErlDrvCond *changed;
static int job_may_go, thread_may_go;

static void wait_for(int *may_go)
{
    erl_drv_mutex_lock(lock);
    while (!*may_go)
        erl_drv_cond_wait(changed, lock);
    erl_drv_mutex_unlock(lock);
}

static void let_go(int *may_go)
{
    erl_drv_mutex_lock(lock);
    *may_go = 1;
    erl_drv_cond_broadcast(changed);
    erl_drv_mutex_unlock(lock);
}

static int init(void)
{
    lock = erl_drv_mutex_create((char *)"careless");
    changed = erl_drv_cond_create((char *)"careless");
    return lock == NULL || changed == NULL;
}

static void finish(void)
{
    erl_drv_cond_destroy(changed);
    erl_drv_mutex_destroy(lock);
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Careless *self = (Careless *)driver_alloc(sizeof *self);
    (void)command;
    memset(self, 0, sizeof *self);
    self->port = port;
    return (ErlDrvData)self;
}

static void stop(ErlDrvData data)
{
    driver_free((Careless *)data);
}

static void *break_a_rule(void *unused)
{
    ErlDrvBinary *bin = driver_alloc_binary(10);
    driver_binary_dec_refc(bin);
    driver_free_binary(bin);
    return unused;
}

static void *wait_in_thread(void *unused)
{
    wait_for(&thread_may_go);
    return unused;
}

static void wait_in_job(void *unused)
{
    (void)unused;
    wait_for(&job_may_go);
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int command, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Careless *self = (Careless *)data;
    char digits[16] = "0";
    ErlDrvTid tid;
    (void)rbuf;
    (void)rlen;
    memcpy(digits, buf, len < sizeof digits - 1 ? len : sizeof digits - 1);
    switch (command) {
    case 'a':
        if (self->kept_number < KEPT_MAX)
            self->kept[self->kept_number++] = driver_alloc_binary((ErlDrvSizeT)atoi(digits));
        break;
    case 'f':
        if (self->kept_number > 0)
            driver_free_binary(self->kept[--self->kept_number]);
        break;
    case 'd':
        break_a_rule(NULL);
        break;
    case 'D':
        if (erl_drv_thread_create((char *)"rule_breaker", &tid, break_a_rule, NULL, NULL) == 0)
            erl_drv_thread_join(tid, NULL);
        break;
    case 's':
        if (pipe(self->pipe) == 0)
            driver_select(self->port, (ErlDrvEvent)(long)self->pipe[0], ERL_DRV_READ | ERL_DRV_USE, 1);
        break;
    case 'S':
        driver_select(self->port, (ErlDrvEvent)(long)self->pipe[0], ERL_DRV_READ | ERL_DRV_USE, 0);
        close(self->pipe[1]);
        break;
    case 't':
        driver_set_timer(self->port, 3600000);
        break;
    case 'T':
        driver_cancel_timer(self->port);
        break;
    case 'm':
        driver_monitor_process(self->port, driver_caller(self->port), &self->monitor);
        break;
    case 'M':
        driver_demonitor_process(self->port, &self->monitor);
        break;
    case 'j':
        job_may_go = 0;
        driver_async(self->port, NULL, wait_in_job, NULL, NULL);
        break;
    case 'J':
        let_go(&job_may_go);
        break;
    case 'h':
        thread_may_go = 0;
        erl_drv_thread_create((char *)"idler", &self->thread, wait_in_thread, NULL, NULL);
        break;
    case 'H':
        let_go(&thread_may_go);
        erl_drv_thread_join(self->thread, NULL);
        break;
    default:
        return -1;
    }
    return 0;
}

static void stop_select(ErlDrvEvent event, void *reserved)
{
    (void)reserved;
    close((int)(long)event);
}

static void process_exit(ErlDrvData data, ErlDrvMonitor *monitor)
{
    (void)data;
    (void)monitor;
}

static ErlDrvEntry entry = {
    init,    start, stop, NULL,        NULL,
    NULL,    (char *)"careless_drv",   finish,
    NULL,    control, NULL, NULL,      NULL,
    NULL,    NULL,  NULL, ERL_DRV_EXTENDED_MARKER,
    ERL_DRV_EXTENDED_MAJOR_VERSION,    ERL_DRV_EXTENDED_MINOR_VERSION,
    ERL_DRV_FLAG_USE_PORT_LOCKING,     NULL, process_exit,
    stop_select, NULL};

DRIVER_INIT(careless_drv)
{
    return &entry;
}

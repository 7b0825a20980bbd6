/*
 * worker_drv - work that takes long, done on another thread: counts the primes below a number.
 *
 *     port_command(Port, "100")        the owner receives {Port, {data, "100: 25"}}
 *
 * The port answers other requests meanwhile. Answers come in the order of the commands.
 */
#include "erl_driver.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ErlDrvPort port;
    unsigned int key; /* jobs with the same key run one after the other */
} Worker;

/* Everything that one job needs. It must not point into the Worker: the port may be closed
 * while the job runs, and the Worker with it. */
typedef struct {
    unsigned long limit;
    unsigned long primes;
} Job;

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Worker *worker = (Worker *)driver_alloc(sizeof *worker);
    (void)command;
    if (worker == NULL)
        return ERL_DRV_ERROR_GENERAL;
    worker->port = port;
    worker->key = driver_async_port_key(port);
    return (ErlDrvData)worker;
}

static void stop(ErlDrvData data)
{
    driver_free((Worker *)data);
}

/* Runs on a thread of the pool: nothing here may touch the port. */
static void count_primes(void *data)
{
    Job *job = (Job *)data;
    unsigned long number, divisor;
    job->primes = 0;
    for (number = 2; number < job->limit; number++) {
        for (divisor = 2; divisor * divisor <= number; divisor++)
            if (number % divisor == 0)
                break;
        if (divisor * divisor > number)
            job->primes++;
    }
}

/* Back in the port, with the job done. It is ours to free. */
static void ready_async(ErlDrvData data, ErlDrvThreadData thread_data)
{
    Worker *worker = (Worker *)data;
    Job *job = (Job *)thread_data;
    char text[64];
    int len = snprintf(text, sizeof text, "%lu: %lu", job->limit, job->primes);
    driver_free(job);
    driver_output(worker->port, text, (ErlDrvSizeT)len);
}

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    Worker *worker = (Worker *)data;
    char text[24] = "";
    Job *job = (Job *)driver_alloc(sizeof *job);
    if (job == NULL || len >= sizeof text) {
        driver_free(job);
        driver_failure_atom(worker->port, "too_long");
        return;
    }
    memcpy(text, buf, len);
    job->limit = strtoul(text, NULL, 10);
    /* If the port is closed before the job is done, driver_free() gets the job instead of
     * ready_async(). */
    driver_async(worker->port, &worker->key, count_primes, job, driver_free);
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .output = output,
    .driver_name = "worker_drv",
    .ready_async = ready_async,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
};

DRIVER_INIT(worker_drv)
{
    return &entry;
}

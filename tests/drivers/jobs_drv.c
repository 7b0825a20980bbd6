/*
 * jobs_drv - work on the host's pool, from every place and at its edges.
 * tests/scenarios/jobs.exs asks the questions of wharf and of Erlang.
 *
 * A job says "NAME" in the list of what was done when it runs, and waits first where its name begins
 * with '/': a named pipe that somebody writes to. Compiled with -DNO_READY the driver has no
 * ready_async.
 */
#include "asked.h"
#include <fcntl.h>
#include <unistd.h>

#ifndef NAME
#define NAME "jobs_drv"
#endif

typedef struct {
    char name[200];
    ErlDrvTermData port;
    ErlDrvTermData owner;
    int sent;
} Job;

typedef struct {
    ErlDrvPort port;
    int on_stop; /* asks for a job in stop */
    int again;   /* asks for another job in ready_async, so many times */
} Asker;

static ErlDrvMutex *guard; /* of what is below, which all ports and jobs share */
static char ran[4096], freed[4096];

static void note(char *list, const char *name)
{
    erl_drv_mutex_lock(guard);
    if (strlen(list) + strlen(name) + 2 < sizeof ran) {
        strcat(list, name[0] == '/' ? "gate" : name);
        strcat(list, " ");
    }
    erl_drv_mutex_unlock(guard);
}

static void work(void *data)
{
    Job *job = data;
    ErlDrvTermData spec[] = {ERL_DRV_ATOM, driver_mk_atom("working"),
                             ERL_DRV_STRING, (ErlDrvTermData)job->name, strlen(job->name),
                             ERL_DRV_TUPLE, 2};
    if (job->name[0] == '/') {
        char byte;
        int fd = open(job->name, O_RDONLY);
        (void)!read(fd, &byte, 1);
        close(fd);
    }
    note(ran, job->name);
    if (job->name[0] == '!')
        job->sent = erl_drv_output_term(job->port, spec, 7);
    else
        job->sent = erl_drv_send_term(job->port, job->owner, spec, 1); /* half a step */
}

static void abandon(void *data)
{
    Job *job = data;
    char text[256];
    snprintf(text, sizeof text, "%s:%d", job->name[0] == '/' ? "gate" : job->name, job->sent);
    note(freed, text);
    driver_free(job);
}

static Job *make(ErlDrvPort port, const char *name)
{
    Job *job = driver_alloc(sizeof *job);
    snprintf(job->name, sizeof job->name, "%s", name);
    job->port = driver_mk_port(port);
    job->owner = driver_connected(port);
    job->sent = 99;
    return job;
}

/* "KEY NAME": the key is a number, - for none, or p for the port's own. */
static void ask_job(ErlDrvPort port, char *argument)
{
    char *name = strchr(argument, ' ');
    unsigned int key = argument[0] == 'p' ? driver_async_port_key(port) : (unsigned int)strtoul(argument, NULL, 10);
    Job *job = make(port, name + 1);
    long id = driver_async(port, argument[0] == '-' ? NULL : &key, work, job, abandon);
    say("%d key %u", id > 0, key);
}

/* Many jobs with one key; the names are numbers. */
static void many(ErlDrvPort port, char *argument)
{
    unsigned int key = 12345;
    long last = 0;
    int i, rising = 1;
    for (i = 0; i < atoi(argument); i++) {
        char name[20];
        long id;
        snprintf(name, sizeof name, "%d", i);
        id = driver_async(port, &key, work, make(port, name), abandon);
        rising &= id > last;
        last = id;
    }
    say("rising %d", rising);
}

static void lists(ErlDrvPort port, char *argument)
{
    (void)port, (void)argument;
    erl_drv_mutex_lock(guard);
    say("ran %sfreed %s", ran, freed);
    erl_drv_mutex_unlock(guard);
}

static void forget(ErlDrvPort port, char *argument)
{
    (void)port, (void)argument;
    erl_drv_mutex_lock(guard);
    ran[0] = freed[0] = '\0';
    erl_drv_mutex_unlock(guard);
    say("ok");
}

static void key(ErlDrvPort port, char *argument)
{
    (void)argument;
    say("%d ", driver_async_port_key(port) == driver_async_port_key(port));
    say("%u", driver_async_port_key((ErlDrvPort)-1));
}

static void no_port(ErlDrvPort port, char *argument)
{
    unsigned int number = 77;
    (void)port, (void)argument;
    say("%ld ", driver_async((ErlDrvPort)-1, &number, work, NULL, abandon));
    say("key %u ", number);
    say("%ld", driver_async((ErlDrvPort)-1, NULL, work, NULL, NULL));
}

static void idle(void *data)
{
    note(ran, data == NULL ? "nothing" : data);
}

static void no_free(void *data)
{
    note(freed, data == NULL ? "nothing" : data);
}

/* Data that is not there, and no function to free it. */
static void bare(ErlDrvPort port, char *argument)
{
    say("%d", driver_async(port, NULL, idle, argument[0] == 'd' ? "bare" : NULL,
                           strchr(argument, 'f') != NULL ? no_free : NULL) > 0);
}

static void monitor(ErlDrvPort port, char *argument)
{
    ErlDrvMonitor watch;
    (void)argument;
    say("%d", driver_monitor_process(port, driver_caller(port), &watch));
}

static Asker *asking; /* whose control is running */

static void on_stop(ErlDrvPort port, char *argument)
{
    (void)port, (void)argument;
    asking->on_stop = 1;
    say("ok");
}

static void again(ErlDrvPort port, char *argument)
{
    asking->again = atoi(argument);
    say("%d", driver_async(port, NULL, work, make(port, "first"), abandon) > 0);
}

static void queue(ErlDrvPort port, char *argument)
{
    say("%d", driver_enq(port, argument, strlen(argument)));
}

static Question questions[] = {
    {"job", ask_job}, {"many", many},       {"lists", lists},     {"forget", forget},
    {"key", key},     {"no_port", no_port}, {"bare", bare},       {"monitor", monitor},
    {"queue", queue}, {"on_stop", on_stop}, {"again", again},     {NULL, NULL},
};

static int init(void)
{
    unsigned int number = 5;
    guard = erl_drv_mutex_create("lists");
    /* There is no port yet. */
    return driver_async((ErlDrvPort)-1, &number, work, NULL, NULL) == -1 && number == 5 ? 0 : 1;
}

static void finish(void)
{
    erl_drv_mutex_destroy(guard);
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Asker *asker = driver_alloc(sizeof *asker);
    memset(asker, 0, sizeof *asker);
    asker->port = port;
    if (strstr(command, " now") != NULL)
        driver_async(port, NULL, work, make(port, "started"), abandon);
    if (strstr(command, " fails") != NULL) {
        driver_async(port, NULL, work, make(port, "failed"), abandon);
        driver_free(asker);
        return ERL_DRV_ERROR_GENERAL;
    }
    return (ErlDrvData)asker;
}

static void stop(ErlDrvData data)
{
    Asker *asker = (Asker *)data;
    if (asker->on_stop)
        driver_async(asker->port, NULL, work, make(asker->port, "stopped"), abandon);
    driver_free(asker);
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    (void)operation, (void)rlen;
    asking = (Asker *)data;
    return answer(asking->port, buf, len, rbuf);
}

#ifndef NO_READY
static void ready_async(ErlDrvData data, ErlDrvThreadData thread_data)
{
    Asker *asker = (Asker *)data;
    Job *job = (Job *)thread_data;
    char text[256];
    if (job == NULL || strcmp((char *)job, "bare") == 0) {
        driver_output(asker->port, job == NULL ? "nothing" : "bare", job == NULL ? 7 : 4);
        return;
    }
    if (asker->again > 0) {
        asker->again--;
        driver_async(asker->port, NULL, work, make(asker->port, "again"), abandon);
    }
    snprintf(text, sizeof text, "done %s %d %d", job->name[0] == '/' ? "gate" : job->name, job->sent,
             driver_caller(asker->port) == driver_term_nil);
    driver_output(asker->port, text, strlen(text));
    if (strcmp(job->name, "ends") == 0)
        driver_failure_atom(asker->port, "ended");
    if (strcmp(job->name, "empties") == 0)
        driver_deq(asker->port, driver_sizeq(asker->port));
    driver_free(job);
}
#endif

static ErlDrvEntry entry = {
    .init = init,
    .start = start,
    .stop = stop,
    .finish = finish,
    .control = control,
#ifndef NO_READY
    .ready_async = ready_async,
#endif
    .driver_name = NAME,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
};

DRIVER_INIT(jobs_drv)
{
    return &entry;
}

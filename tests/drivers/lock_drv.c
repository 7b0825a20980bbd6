/*
 * lock_drv - shows whom its callbacks exclude, and in which order is heard what its threads, jobs
 * and ports say. Compiled with and without port locking. It aborts where it sees something that
 * must not be.
 *
 * Commands: "m" meets another callback inside, or gives up after a while; "h SAYS WAITS" tells the
 * one descriptor that it is inside, and stays there until a byte comes from the other; "r" lets
 * others come inside, too, if they can; "sX" says a number as X; any other is noted in the log.
 */
#include "erl_driver.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef NAME
#define NAME "lock_drv"
#endif
#ifndef FLAGS
#define FLAGS 0
#endif

#define OWN ((FLAGS & ERL_DRV_FLAG_USE_PORT_LOCKING) != 0)
#define THREADS 4
#define SENT 200

typedef struct {
    ErlDrvPort port;
    ErlDrvTermData self;
    ErlDrvPDL pdl;
    ErlDrvTid threads[THREADS];
    int started;
    int inside;  /* callbacks of this port that run */
    int number;  /* the next one that a callback of this port says */
    int key_number; /* the same for its jobs */
    int holds;   /* the thread has the port data lock */
    int going;   /* the port is about to end */
    int looked;  /* the thread is done with the queue: 1, and 2 if it was not as it should be */
} Lock;

typedef struct {
    Lock *lock;
    int who;
} Sender;

static int inside;  /* callbacks that run, of all ports */
static int most;    /* the most that ran at a time */
static int meeting; /* callbacks that came to the meeting */
static char log_[64]; /* what happened, a letter each */
static int logged;
static ErlDrvTermData listener; /* whom the senders tell */

static void note(char letter)
{
    int at = __atomic_fetch_add(&logged, 1, __ATOMIC_SEQ_CST);
    if (at < (int)sizeof log_ - 1)
        log_[at] = letter;
}

/* Waits for a number to become at least that; 0 if it does not. */
static int becomes(int *number, int least, int seconds)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (__atomic_load_n(number, __ATOMIC_SEQ_CST) < least) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec - start.tv_sec > seconds)
            return 0;
        sched_yield();
    }
    return 1;
}

static void enter(Lock *lock)
{
    int now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    int before = __atomic_load_n(&most, __ATOMIC_SEQ_CST);
    if (__atomic_add_fetch(&lock->inside, 1, __ATOMIC_SEQ_CST) != 1)
        abort(); /* two callbacks of one port */
    if (!OWN && now != 1)
        abort(); /* two callbacks of one driver */
    while (now > before &&
           !__atomic_compare_exchange_n(&most, &before, now, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
}

static void leave(Lock *lock)
{
    __atomic_sub_fetch(&lock->inside, 1, __ATOMIC_SEQ_CST);
    __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Lock *lock = calloc(1, sizeof *lock);
    (void)command;
    lock->port = port;
    lock->self = driver_mk_port(port);
    return (ErlDrvData)lock;
}

static void stop(ErlDrvData data)
{
    Lock *lock = (Lock *)data;
    int i;
    enter(lock);
    for (i = 0; i < lock->started; i++)
        erl_drv_thread_join(lock->threads[i], NULL);
    leave(lock);
    if (lock->pdl == NULL)
        free(lock);
}

/* Tells the listener {Who, Number}. */
static void say(Lock *lock, int who, int number)
{
    ErlDrvTermData spec[] = {ERL_DRV_INT, (ErlDrvTermData)who, ERL_DRV_INT, (ErlDrvTermData)number,
                             ERL_DRV_TUPLE, 2};
    if (erl_drv_send_term(lock->self, listener, spec, 6) != 1)
        abort();
}

static void *send_many(void *data)
{
    Sender *sender = data;
    int number;
    for (number = 0; number < SENT; number++)
        say(sender->lock, sender->who, number);
    driver_free(sender);
    return NULL;
}

/* Jobs of one key run one after the other. */
static void work(void *data)
{
    Lock *lock = data;
    say(lock, 100, lock->key_number++);
}

/* Looks at a binary in the queue, whose memory the host must not take away meanwhile. */
static void *look(void *data)
{
    Lock *lock = data;
    SysIOVec *vector;
    int len = 0, times, looked = 1;
    driver_pdl_lock(lock->pdl);
    vector = driver_peekq(lock->port, &len);
    __atomic_store_n(&lock->holds, 1, __ATOMIC_SEQ_CST);
    if (len != 1 || !becomes(&lock->going, 1, 30))
        abort();
    for (times = 0; times < 2000; times++) {
        const char *bytes = vector[0].iov_base;
        ErlDrvSizeT at;
        for (at = 0; at < vector[0].iov_len; at++)
            if (bytes[at] != 'q')
                looked = 2;
        sched_yield();
    }
    __atomic_store_n(&lock->looked, looked, __ATOMIC_SEQ_CST);
    driver_pdl_unlock(lock->pdl);
    return NULL;
}

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    Lock *lock = (Lock *)data;
    char line[64];
    int i, says, waits;
    enter(lock);
    switch (len > 0 ? buf[0] : ' ') {
    case 'm': /* meets whoever comes inside meanwhile */
        __atomic_add_fetch(&meeting, 1, __ATOMIC_SEQ_CST);
        if (becomes(&meeting, 2, 30))
            driver_output(lock->port, "met", 3);
        else
            driver_output(lock->port, "alone", 5);
        break;
    case 'h': /* is held inside */
        note('(');
        snprintf(line, sizeof line, "%.*s", (int)len, buf);
        if (sscanf(line, "h %d %d", &says, &waits) != 2 || write(says, ".", 1) != 1 ||
            read(waits, line, 1) != 1)
            abort();
        note(')');
        break;
    case 'r': /* gives the others a chance to come inside, too */
        for (i = 0; i < 3; i++)
            sched_yield();
        break;
    case 's': /* says the next number */
        say(lock, buf[1], lock->number++);
        break;
    default:
        note(buf[0]);
    }
    leave(lock);
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Lock *lock = (Lock *)data;
    unsigned int key = 7;
    char many[256];
    ErlDrvSSizeT result = 0;
    int i;
    (void)len;
    enter(lock);
    switch (operation) {
    case 'l':
        result = snprintf(*rbuf, rlen, "%s", log_);
        break;
    case 'm':
        result = snprintf(*rbuf, rlen, "%d", most);
        break;
    case 'L': /* the caller is who is told */
        listener = driver_caller(lock->port);
        break;
    case 't': /* threads and jobs begin to tell; the buffer has the first thread's number */
        for (lock->started = 0; lock->started < THREADS; lock->started++) {
            Sender *sender = driver_alloc(sizeof *sender);
            sender->lock = lock;
            sender->who = buf[0] + lock->started;
            erl_drv_thread_create("sender", &lock->threads[lock->started], send_many, sender, NULL);
        }
        for (i = 0; i < SENT; i++)
            if (driver_async(lock->port, &key, work, lock, NULL) <= 0)
                abort();
        break;
    case 'p': /* a thread has the port data lock and looks at the queue */
        memset(many, 'q', sizeof many);
        lock->pdl = driver_pdl_create(lock->port);
        driver_pdl_lock(lock->pdl);
        driver_enq(lock->port, many, sizeof many);
        driver_pdl_unlock(lock->pdl);
        erl_drv_thread_create("looker", &lock->threads[0], look, lock, NULL);
        result = snprintf(*rbuf, rlen, "%d", becomes(&lock->holds, 1, 30));
        break;
    case 'e': /* the end, while it looks */
        leave(lock);
        __atomic_store_n(&lock->going, 1, __ATOMIC_SEQ_CST);
        driver_failure_atom(lock->port, "over");
        /* The queue is gone, so the thread must be done with it. */
        result = snprintf(*rbuf, rlen, "%d", __atomic_load_n(&lock->looked, __ATOMIC_SEQ_CST));
        erl_drv_thread_join(lock->threads[0], NULL);
        free(lock);
        return result;
    }
    leave(lock);
    return result;
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .output = output,
    .control = control,
    .driver_name = NAME,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = FLAGS,
};

DRIVER_INIT(lock_drv)
{
    return &entry;
}

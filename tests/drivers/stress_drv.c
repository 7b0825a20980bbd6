/*
 * stress_drv - does everything that a driver can do, at random: each command, control, call,
 * timeout and so on is a number that says what. It counts what it begins and what it ends, and aborts
 * where the two disagree when it is unloaded, or where two callbacks of a port run at a time. When it is
 * unloaded it adds a line with what it counted to the file REPORT.
 */
#include "erl_driver.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "stress_drv"
#endif
#ifndef FLAGS
#define FLAGS 0
#endif
#ifndef REPORT
#define REPORT "/dev/null"
#endif

#define THREADS_MAX 2 /* of a port */
#define PORTS_MAX 100 /* beyond which none is made from inside */

#include "stress_counts.h"

typedef struct {
    int references; /* the port's, its threads' and its jobs' */
    ErlDrvPort port;
    ErlDrvTermData self;
    ErlDrvTermData owner;
    ErlDrvPDL pdl;
    ErlDrvTid threads[THREADS_MAX];
    int started;
    int ends[2]; /* a pipe, or -1 */
    int inside, over, busy, closing;
    unsigned int seed;
    unsigned int key;
} Port;

typedef struct {
    Port *port;
    ErlDrvBinary *binary;
    unsigned int number;
} Job;

static ErlDrvRWLock *terms_lock;
static ErlDrvTermData terms[SHARED]; /* ports, many of them gone */
static ErlDrvTSDKey key;
static unsigned long looked_at; /* so that looking is not left out */

static Port *hold(Port *port)
{
    __atomic_add_fetch(&port->references, 1, __ATOMIC_SEQ_CST);
    return port;
}

static void let_go(Port *port)
{
    if (__atomic_sub_fetch(&port->references, 1, __ATOMIC_SEQ_CST) == 0) {
        end(STATES);
        driver_free(port);
    }
}

/* Threads and jobs ask while callbacks note another one. */
static ErlDrvTermData owner_of(Port *port)
{
    return __atomic_load_n(&port->owner, __ATOMIC_SEQ_CST);
}

static Port *new_port(ErlDrvTermData owner, unsigned int seed)
{
    Port *port = driver_alloc(sizeof *port);
    memset(port, 0, sizeof *port);
    begin(STATES);
    port->references = 1;
    port->owner = owner;
    port->seed = seed;
    port->ends[0] = port->ends[1] = -1;
    return port;
}

/* The port now has its handle; a new one from driver_create_port may be used before it has. */
static void settle(Port *port, ErlDrvPort handle)
{
    port->self = driver_mk_port(handle);
    __atomic_store_n(&port->port, handle, __ATOMIC_SEQ_CST);
    erl_drv_rwlock_rwlock(terms_lock);
    terms[next(&port->seed) % SHARED] = port->self;
    erl_drv_rwlock_rwunlock(terms_lock);
}

/* The callbacks of a port run one at a time; stop may come on top of one. */
static void enter(Port *port)
{
    if (__atomic_add_fetch(&port->inside, 1, __ATOMIC_SEQ_CST) != 1 || port->over)
        abort();
    erl_drv_tsd_set(key, port);
    hold(port);
}

static void leave(Port *port)
{
    __atomic_sub_fetch(&port->inside, 1, __ATOMIC_SEQ_CST);
    let_go(port);
}

/* Tells a process something of every kind. */
static void tell(ErlDrvTermData from, ErlDrvTermData to, unsigned int number)
{
    ErlDrvBinary *binary = borrow(number);
    double real = 0.5;
    ErlDrvTermData spec[] = {ERL_DRV_ATOM, driver_mk_atom("told"), ERL_DRV_UINT, number,
                             ERL_DRV_BINARY, (ErlDrvTermData)binary,
                             (ErlDrvTermData)binary->orig_size, 0, ERL_DRV_STRING,
                             (ErlDrvTermData) "text", 4, ERL_DRV_FLOAT, (ErlDrvTermData)&real,
                             ERL_DRV_NIL, ERL_DRV_LIST, 3, ERL_DRV_TUPLE, 4};
    erl_drv_send_term(from, to, spec, (int)(sizeof spec / sizeof *spec));
    free_binary(binary);
}

static void lock_queue(Port *port)
{
    if (port->pdl != NULL)
        driver_pdl_lock(port->pdl);
}

static void unlock_queue(Port *port)
{
    if (port->pdl != NULL)
        driver_pdl_unlock(port->pdl);
}

/* Puts into the queue, looks at it, takes out. From a thread: only with the lock. */
static void queue_something(Port *port, unsigned int number)
{
    ErlDrvBinary *binary = borrow(number);
    SysIOVec *vector;
    ErlIOVec whole;
    unsigned long sum = 0;
    int len = 0, i;
    lock_queue(port);
    driver_enq_bin(port->port, binary, 0, (ErlDrvSizeT)binary->orig_size);
    driver_pushq(port->port, "front", number % 6);
    vector = driver_peekq(port->port, &len);
    for (i = 0; i < len; i++)
        if (vector[i].iov_len > 0)
            sum += (unsigned char)((char *)vector[i].iov_base)[vector[i].iov_len - 1];
    if (driver_peekqv(port->port, &whole) != (ErlDrvSizeT)-1)
        sum += whole.size;
    __atomic_store_n(&looked_at, sum, __ATOMIC_SEQ_CST);
    if (number % 3 == 0)
        driver_deq(port->port, driver_sizeq(port->port));
    else
        driver_deq(port->port, number % 40);
    unlock_queue(port);
    free_binary(binary);
}

static void *run(void *data)
{
    Port *port = data;
    unsigned int seed = (unsigned int)(size_t)&data, rounds = next(&seed) % 20;
    erl_drv_tsd_set(key, &seed);
    while (rounds-- > 0) {
        unsigned int number = next(&seed);
        if (number % 2 == 0 && port->pdl != NULL)
            queue_something(port, number);
        else if (number % 5 == 0)
            share(new_binary(number % 2000), number);
        else
            tell(port->self, owner_of(port), number);
    }
    if (erl_drv_tsd_get(key) != &seed)
        abort();
    let_go(port);
    return NULL;
}

static void work(void *data)
{
    Job *job = data;
    tell(job->port->self, owner_of(job->port), job->number);
    job->binary->orig_bytes[0] = 'j';
}

static void job_over(void *data)
{
    Job *job = data;
    end(JOBS);
    free_binary(job->binary);
    let_go(job->port);
    driver_free(job);
}

static void open_pipe(Port *port)
{
    if (port->ends[0] >= 0 || pipe(port->ends) != 0)
        return;
    begin(DESCRIPTORS);
    begin(DESCRIPTORS);
    fcntl(port->ends[0], F_SETFL, O_NONBLOCK);
    fcntl(port->ends[1], F_SETFL, O_NONBLOCK);
    if (driver_select(port->port, (ErlDrvEvent)(long)port->ends[0], ERL_DRV_READ | ERL_DRV_USE, 1) != 0 ||
        driver_select(port->port, (ErlDrvEvent)(long)port->ends[1], ERL_DRV_USE, 1) != 0)
        abort();
}

static void give_pipe_up(Port *port)
{
    int reads = port->ends[0], writes = port->ends[1];
    if (reads < 0)
        return;
    port->ends[0] = port->ends[1] = -1;
    driver_select(port->port, (ErlDrvEvent)(long)reads, ERL_DRV_USE, 0);
    driver_select(port->port, (ErlDrvEvent)(long)writes, ERL_DRV_READ | ERL_DRV_WRITE | ERL_DRV_USE, 0);
}

static int fail(ErlDrvPort port, unsigned int how)
{
    switch (how % 5) {
    case 0:
        return driver_failure_atom(port, "failed");
    case 1:
        return driver_failure_posix(port, EPIPE);
    case 2:
        return driver_failure(port, 7);
    case 3:
        return driver_exit(port, 0);
    }
    return driver_failure_eof(port);
}

static void make_port(Port *port)
{
    Port *made;
    ErlDrvPort handle;
    if (under_way(PORTS) > PORTS_MAX)
        return;
    made = hold(new_port(port->owner, next(&port->seed)));
    begin(PORTS);
    handle = driver_create_port(port->port, port->owner, "made", (ErlDrvData)made);
    if (handle == (ErlDrvPort)-1) {
        end(PORTS);
        let_go(made);
    } else {
        settle(made, handle);
        driver_output(handle, "made", 4);
    }
    let_go(made);
}

/* One of all the things there are to do. */
static void act(Port *port, unsigned int number)
{
    ErlDrvPort me = __atomic_load_n(&port->port, __ATOMIC_SEQ_CST);
    ErlDrvMonitor monitor;
    ErlDrvBinary *binary;
    ErlDrvSizeT low = 0, high = 0;
    unsigned long left;
    Job *job;
    char *copy;
    if (me == NULL)
        return; /* just made, and not settled yet */
    switch (number % 24) {
    case 0:
    case 1:
        driver_output(me, "something", number % 10);
        break;
    case 2:
        driver_output2(me, "head", 4, "tail", 4);
        break;
    case 3:
        binary = borrow(number);
        driver_output_binary(me, "h", 1, binary, 0, (ErlDrvSizeT)binary->orig_size);
        free_binary(binary);
        break;
    case 4:
        share(new_binary(number % 5000), number / 24);
        break;
    case 5:
        if (port->pdl == NULL && port->started == 0)
            port->pdl = driver_pdl_create(me);
        break;
    case 6:
    case 7:
        queue_something(port, number);
        break;
    case 8:
        /* A busy port has a timer that makes it ready. */
        if (!port->busy && !port->closing)
            driver_set_timer(me, number % 5);
        break;
    case 9:
        if (!port->busy && !port->closing)
            driver_cancel_timer(me);
        driver_read_timer(me, &left);
        break;
    case 10:
    case 11:
        job = driver_alloc(sizeof *job);
        job->port = hold(port);
        job->binary = new_binary(10);
        job->number = number;
        begin(JOBS);
        if (driver_async(me, number % 2 == 0 ? NULL : &port->key, work, job, job_over) <= 0)
            job_over(job);
        break;
    case 12:
        if (port->started < THREADS_MAX) {
            hold(port);
            if (erl_drv_thread_create("stress", &port->threads[port->started], run, port, NULL) == 0) {
                port->started++;
                begin(THREADS);
            } else {
                let_go(port);
            }
        }
        break;
    case 13:
        open_pipe(port);
        if (port->ends[1] >= 0 && write(port->ends[1], "some", 4) < 0 && errno != EAGAIN)
            abort();
        break;
    case 14:
        if (port->ends[1] >= 0)
            driver_select(me, (ErlDrvEvent)(long)port->ends[1], ERL_DRV_WRITE, 1);
        break;
    case 15:
        give_pipe_up(port);
        break;
    case 16:
        if (driver_monitor_process(me, port->owner, &monitor) == 0) {
            driver_get_monitored_process(me, &monitor);
            if (number % 3 != 0)
                driver_demonitor_process(me, &monitor);
        }
        break;
    case 17:
        port->busy = 1;
        set_busy_port(me, 1);
        driver_set_timer(me, number % 3);
        break;
    case 18:
        make_port(port);
        break;
    case 19:
        tell(port->self, port->owner, number);
        break;
    case 20: {
        ErlDrvTermData other;
        erl_drv_rwlock_rlock(terms_lock);
        other = terms[number % SHARED];
        erl_drv_rwlock_runlock(terms_lock);
        copy = driver_alloc(4);
        memset(copy, 0, 4);
        /* Not with what asks once more: they would go on for ever. */
        if (other == 0 || erl_drv_port_control(other, number % 12, copy, 4) != 0)
            driver_free(copy);
        break;
    }
    case 21:
        erl_drv_busy_msgq_limits(me, &low, &high);
        erl_drv_consume_timeslice(me, 30);
        driver_report_exit(me, 3);
        set_port_control_flags(me, number % 48 < 24 ? 0 : PORT_CONTROL_FLAG_BINARY);
        break;
    case 22:
        __atomic_store_n(&port->owner, driver_connected(me), __ATOMIC_SEQ_CST);
        if (driver_caller(me) != driver_term_nil)
            tell(port->self, driver_caller(me), number);
        break;
    default:
        /* The pipe, the threads and the jobs are for stop to end. */
        if (number % 3 == 0)
            fail(me, number / 24);
    }
}

static int init(void)
{
    shared_lock = erl_drv_mutex_create("shared");
    terms_lock = erl_drv_rwlock_create("terms");
    return erl_drv_tsd_key_create("stress", &key);
}

static void finish(void)
{
    char line[400];
    int what, used = 0, fd;
    for (what = 0; what < SHARED; what++)
        free_binary(shared[what]);
    for (what = 0; what < COUNTED; what++) {
        if (begun[what] != ended[what]) {
            fprintf(stderr, NAME ": %ld %s were begun, %ld were ended\n", begun[what], names[what],
                    ended[what]);
            abort();
        }
        used += snprintf(line + used, sizeof line - (size_t)used, "%s %ld ", names[what], begun[what]);
    }
    line[used++] = '\n';
    erl_drv_mutex_destroy(shared_lock);
    erl_drv_rwlock_destroy(terms_lock);
    erl_drv_tsd_key_destroy(key);
    fd = open(REPORT, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || write(fd, line, (size_t)used) != used)
        abort();
    close(fd);
}

static ErlDrvData start(ErlDrvPort handle, char *command)
{
    unsigned int seed = 0;
    Port *port;
    sscanf(command, "%*s %u", &seed);
    if (seed % 50 == 7)
        return ERL_DRV_ERROR_BADARG;
    port = new_port(driver_connected(handle), seed);
    begin(PORTS);
    settle(port, handle);
    driver_output(handle, command, strlen(command));
    return (ErlDrvData)port;
}

static void stop(ErlDrvData data)
{
    Port *port = (Port *)data;
    int i;
    if (port->over)
        abort();
    if (port->port != NULL)
        give_pipe_up(port);
    for (i = 0; i < port->started; i++) {
        if (erl_drv_thread_join(port->threads[i], NULL) != 0)
            abort();
        end(THREADS);
    }
    port->over = 1;
    end(PORTS);
    let_go(port);
}

static void outputv(ErlDrvData data, ErlIOVec *ev)
{
    Port *port = (Port *)data;
    ErlDrvBinary *copy;
    unsigned int number = 0;
    enter(port);
    driver_vec_to_buf(ev, (char *)&number, sizeof number);
    if (number % 7 == 0) {
        driver_outputv(port->port, "v", 1, ev, number % 3);
    } else if (number % 7 == 1) {
        lock_queue(port);
        driver_enqv(port->port, ev, 0);
        unlock_queue(port);
    } else if (number % 7 == 2) {
        copy = new_binary((unsigned int)ev->size);
        driver_vec_to_buf(ev, copy->orig_bytes, ev->size);
        share(copy, number);
    }
    act(port, number);
    leave(port);
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Port *port = (Port *)data;
    (void)buf;
    (void)rlen;
    enter(port);
    act(port, operation);
    leave(port);
    if (operation % 5 == 0) {
        *rbuf = NULL;
        return 0;
    }
    memcpy(*rbuf, "done", 4);
    return len % 5 == 4 ? 4 : -1;
}

static ErlDrvSSizeT call(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                         char **rbuf, ErlDrvSizeT rlen, unsigned int *flags)
{
    Port *port = (Port *)data;
    (void)flags;
    enter(port);
    act(port, operation);
    leave(port);
    if (len > rlen)
        *rbuf = driver_alloc(len);
    memcpy(*rbuf, buf, len);
    return (ErlDrvSSizeT)len;
}

static void timeout(ErlDrvData data)
{
    Port *port = (Port *)data;
    enter(port);
    port->busy = 0;
    set_busy_port(port->port, 0);
    /* Somebody may be waiting for the queue of a closing port to become empty. */
    lock_queue(port);
    driver_deq(port->port, driver_sizeq(port->port));
    unlock_queue(port);
    /* A thread may put more into it. */
    if (port->closing)
        driver_set_timer(port->port, 1);
    else if (port->seed % 4 == 0)
        act(port, next(&port->seed));
    leave(port);
}

static void flush(ErlDrvData data)
{
    Port *port = (Port *)data;
    enter(port);
    port->closing = 1;
    driver_set_timer(port->port, port->seed % 3);
    leave(port);
}

static void ready_input(ErlDrvData data, ErlDrvEvent event)
{
    Port *port = (Port *)data;
    char bytes[3];
    long got;
    enter(port);
    got = read((int)(long)event, bytes, sizeof bytes);
    if (got > 0)
        driver_output(port->port, bytes, (ErlDrvSizeT)got);
    if (port->seed % 8 == 0)
        act(port, next(&port->seed));
    leave(port);
}

static void ready_output(ErlDrvData data, ErlDrvEvent event)
{
    Port *port = (Port *)data;
    enter(port);
    driver_select(port->port, event, ERL_DRV_WRITE, 0);
    if (write((int)(long)event, "w", 1) < 0 && errno != EAGAIN)
        abort();
    leave(port);
}

static void stop_select(ErlDrvEvent event, void *reserved)
{
    (void)reserved;
    end(DESCRIPTORS);
    if (close((int)(long)event) != 0)
        abort();
}

static void ready_async(ErlDrvData data, ErlDrvThreadData thread)
{
    Port *port = (Port *)data;
    enter(port);
    job_over(thread);
    if (port->seed % 8 == 0)
        act(port, next(&port->seed));
    leave(port);
}

static void process_exit(ErlDrvData data, ErlDrvMonitor *monitor)
{
    Port *port = (Port *)data;
    enter(port);
    if (driver_get_monitored_process(port->port, monitor) == driver_term_nil)
        abort();
    driver_output(port->port, "down", 4);
    leave(port);
}

static ErlDrvEntry entry = {
    .init = init,
    .start = start,
    .stop = stop,
    .finish = finish,
    .outputv = outputv,
    .control = control,
    .call = call,
    .timeout = timeout,
    .flush = flush,
    .ready_input = ready_input,
    .ready_output = ready_output,
    .ready_async = ready_async,
    .stop_select = stop_select,
    .process_exit = process_exit,
    .driver_name = NAME,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = FLAGS,
};

DRIVER_INIT(stress_drv)
{
    return &entry;
}

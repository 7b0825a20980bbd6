/*
 * probe_drv - calls the driver functions in every way that can be told apart from outside, and
 * answers with what they returned. tests/scenarios/probe.exs asks it the same questions in
 * wharf and in Erlang.
 *
 * port_control(Port, Operation, Argument) answers with text. The operations are the letters in
 * control(), below.
 */
#include "erl_driver.h"
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "probe_drv"
#endif
#ifndef FLAGS
#define FLAGS 0
#endif

typedef struct {
    ErlDrvPort port;
    ErlDrvTermData self;
    int stop_says;   /* stop() outputs what it sees */
    int flush_takes; /* flush() empties the queue by itself after so many ms */
    int echo;        /* outputv(): 'd' describe, 'e' echo, 'h' with a header, 'k' skip 2, 'q' enqueue */
    int on_timeout;  /* what timeout() does */
    int answer;      /* 'B': how to answer */
    ErlDrvMonitor monitor;
    ErlDrvTermData watched;
} Probe;

static char text[4096];
static size_t used;

static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    used += (size_t)vsnprintf(text + used, sizeof text - used, format, arguments);
    va_end(arguments);
    if (used >= sizeof text)
        used = sizeof text - 1;
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Probe *probe;
    char *argument = strchr(command, ' ');
    argument = argument == NULL ? command + strlen(command) : argument + 1;
    if (strcmp(argument, "general") == 0)
        return ERL_DRV_ERROR_GENERAL;
    if (strcmp(argument, "badarg") == 0)
        return ERL_DRV_ERROR_BADARG;
    if (strncmp(argument, "errno ", 6) == 0) {
        errno = atoi(argument + 6);
        return ERL_DRV_ERROR_ERRNO;
    }
    probe = driver_alloc(sizeof *probe);
    memset(probe, 0, sizeof *probe);
    probe->port = port;
    probe->self = driver_mk_port(port);
    if (strcmp(argument, "output") == 0)
        driver_output(port, command, strlen(command));
    if (strcmp(argument, "flags") == 0) {
        used = 0;
        say("flags %d caller %d", get_port_flags(port),
            driver_caller(port) == driver_connected(port));
        driver_output(port, text, used);
    }
    if (strcmp(argument, "timer") == 0)
        driver_set_timer(port, 1);
    if (strncmp(argument, "ack ", 4) == 0) {
        probe->on_timeout = argument[4];
        driver_set_timer(port, 20);
    }
    if (strcmp(argument, "ack now") == 0) {
        probe->on_timeout = 0;
        driver_cancel_timer(port);
        erl_drv_init_ack(port, (ErlDrvData)probe);
    }
    return (ErlDrvData)probe;
}

static void stop(ErlDrvData data)
{
    Probe *probe = (Probe *)data;
    if (probe->stop_says) {
        char line[80];
        int len = snprintf(line, sizeof line, "stop: queue %ld, port %d, caller %d",
                           (long)driver_sizeq(probe->port),
                           driver_mk_port(probe->port) == probe->self,
                           driver_caller(probe->port) != driver_term_nil);
        driver_output(probe->port, line, (ErlDrvSizeT)len);
    }
    driver_free(probe);
}

static void flush(ErlDrvData data)
{
    Probe *probe = (Probe *)data;
    driver_output(probe->port, "never seen", 10);
    if (probe->flush_takes > 0) {
        probe->on_timeout = 'q';
        driver_set_timer(probe->port, (unsigned long)probe->flush_takes);
    }
}

static void timeout(ErlDrvData data)
{
    Probe *probe = (Probe *)data;
    unsigned long left = 99;
    switch (probe->on_timeout) {
    case 'q': /* empty the queue */
        driver_deq(probe->port, driver_sizeq(probe->port));
        break;
    case 'o': /* erl_drv_init_ack, in different ways */
        erl_drv_init_ack(probe->port, (ErlDrvData)probe);
        break;
    case 'g':
        erl_drv_init_ack(probe->port, ERL_DRV_ERROR_GENERAL);
        break;
    case 'e':
        errno = EACCES;
        erl_drv_init_ack(probe->port, ERL_DRV_ERROR_ERRNO);
        break;
    case 'b':
        erl_drv_init_ack(probe->port, ERL_DRV_ERROR_BADARG);
        break;
    case 'f':
        driver_failure_atom(probe->port, "before_ack");
        break;
    default:
        driver_read_timer(probe->port, &left);
        used = 0;
        say("timeout, left %lu, caller %d", left,
            driver_caller(probe->port) != driver_term_nil);
        driver_output(probe->port, text, used);
    }
}

static void describe(Probe *probe, ErlIOVec *ev)
{
    int i;
    used = 0;
    say("size %lu:", (unsigned long)ev->size);
    for (i = 0; i < ev->vsize; i++)
        say(" %lu%s", (unsigned long)ev->iov[i].iov_len, ev->binv[i] != NULL ? "b" : "");
    driver_output(probe->port, text, used);
}

static void outputv(ErlDrvData data, ErlIOVec *ev)
{
    Probe *probe = (Probe *)data;
    switch (probe->echo) {
    case 'e':
        driver_outputv(probe->port, NULL, 0, ev, 0);
        break;
    case 'h':
        driver_outputv(probe->port, "HD", 2, ev, 0);
        break;
    case 'k':
        driver_outputv(probe->port, "H", 1, ev, 2);
        break;
    case 'q':
        driver_enqv(probe->port, ev, 0);
        break;
    case 'w':
        used = (size_t)driver_vec_to_buf(ev, text, 10);
        driver_output(probe->port, text, used);
        break;
    default:
        describe(probe, ev);
    }
}

static void process_exit(ErlDrvData data, ErlDrvMonitor *monitor)
{
    Probe *probe = (Probe *)data;
    used = 0;
    say("process exit: same %d, pid %d, caller %d",
        driver_compare_monitors(monitor, &probe->monitor) == 0,
        driver_get_monitored_process(probe->port, monitor) == probe->watched,
        driver_caller(probe->port) != driver_term_nil);
    driver_output(probe->port, text, used);
}

typedef struct {
    ErlDrvTermData port;
    ErlDrvTermData owner;
    int sent;
} Job;

static void work(void *data)
{
    Job *job = data;
    ErlDrvTermData spec[] = {ERL_DRV_PORT, job->port, ERL_DRV_ATOM, driver_mk_atom("working"),
                             ERL_DRV_TUPLE, 2};
    usleep(20000);
    job->sent = erl_drv_output_term(job->port, spec, 6);
}

static void abandon(void *data)
{
    Job *job = data;
    ErlDrvTermData spec[] = {ERL_DRV_ATOM, driver_mk_atom("abandoned"),
                             ERL_DRV_INT, (ErlDrvTermData)job->sent, ERL_DRV_TUPLE, 2};
    (void)erl_drv_send_term(job->port, job->owner, spec, 6);
    driver_free(job);
}

static void ready_async(ErlDrvData data, ErlDrvThreadData thread_data)
{
    Probe *probe = (Probe *)data;
    Job *job = (Job *)thread_data;
    used = 0;
    say("async done: sent %d, caller %d", job->sent,
        driver_caller(probe->port) != driver_term_nil);
    driver_output(probe->port, text, used);
    driver_free(job);
}

/* Operations on the queue: e and p enqueue and push the text up to the next ;, d dequeues,
 * k peeks, s says the size. */
static void queue(Probe *probe, char *script)
{
    char *step;
    for (step = strtok(script, ";"); step != NULL; step = strtok(NULL, ";")) {
        switch (step[0]) {
        case 'e':
            say("%d ", driver_enq(probe->port, step + 1, strlen(step + 1)));
            break;
        case 'p':
            say("%d ", driver_pushq(probe->port, step + 1, strlen(step + 1)));
            break;
        case 'b': {
            ErlDrvBinary *bin = driver_alloc_binary(strlen(step + 1));
            memcpy(bin->orig_bytes, step + 1, strlen(step + 1));
            say("%d", driver_enq_bin(probe->port, bin, 1, strlen(step + 1) - 1));
            say("/%ld ", driver_binary_get_refc(bin));
            driver_free_binary(bin);
            break;
        }
        case 'd':
            say("%ld ", (long)driver_deq(probe->port, (ErlDrvSizeT)atoi(step + 1)));
            break;
        case 's':
            say("%ld ", (long)driver_sizeq(probe->port));
            break;
        case 'k': {
            int n, i;
            SysIOVec *iov = driver_peekq(probe->port, &n);
            say("%d[", n);
            for (i = 0; iov != NULL && i < n; i++)
                say("%.*s|", (int)iov[i].iov_len, iov[i].iov_base);
            say("] ");
            break;
        }
        case 'v': {
            ErlIOVec ev;
            say("%ld", (long)driver_peekqv(probe->port, &ev));
            say("/%d ", ev.vsize);
            break;
        }
        }
    }
}

/* Term programs, right and wrong. Answers with what erl_drv_output_term returned. */
static int term(Probe *probe, int number, ErlDrvTermData to)
{
    ErlDrvTermData self = probe->self;
    static double nan_, number_ = 1.5;
    static char ext[] = {(char)131, 97, 5, 0, 0}, bad_ext[] = {(char)131, 97};
    ErlDrvBinary *bin = NULL;
    ErlDrvTermData spec[16];
    int n = 0, result;
#define W(x) (spec[n++] = (ErlDrvTermData)(x))
    nan_ = 0.0;
    nan_ = nan_ / nan_;
    switch (number) {
    case 0: W(ERL_DRV_NIL); break;
    case 1: break; /* nothing at all */
    case 2: W(ERL_DRV_NIL); W(ERL_DRV_NIL); break;
    case 3: W(0); break;
    case 4: W(18); break;
    case 5: W(ERL_DRV_ATOM); break;
    case 6: W(ERL_DRV_ATOM); W(self); break;
    case 7: W(ERL_DRV_PORT); W(driver_connected(probe->port)); break;
    case 8: W(ERL_DRV_PID); W(self); break;
    case 9: W(ERL_DRV_TUPLE); W(0); break;
    case 10: W(ERL_DRV_TUPLE); W(1); break;
    case 11: W(ERL_DRV_INT); W(1); W(ERL_DRV_LIST); W(0); break;
    case 12: W(ERL_DRV_INT); W(7); W(ERL_DRV_LIST); W(1); break;
    case 13: W(ERL_DRV_INT); W(1); W(ERL_DRV_INT); W(2); W(ERL_DRV_LIST); W(2); break;
    case 14: W(ERL_DRV_STRING); W(NULL); W(0); break;
    case 15: W(ERL_DRV_STRING); W(""); W(0); break;
    case 16: W(ERL_DRV_STRING_CONS); W("a"); W(1); break;
    case 17: W(ERL_DRV_NIL); W(ERL_DRV_STRING_CONS); W("cd"); W(2); W(ERL_DRV_STRING_CONS); W("ab"); W(2); break;
    case 18: W(ERL_DRV_BUF2BINARY); W(NULL); W(0); break;
    case 19: W(ERL_DRV_BUF2BINARY); W(NULL); W(1); break;
    case 20: W(ERL_DRV_FLOAT); W(&nan_); break;
    case 21: W(ERL_DRV_FLOAT); W(&number_); break;
    case 22: W(ERL_DRV_EXT2TERM); W(ext); W(5); break;
    case 23: W(ERL_DRV_EXT2TERM); W(bad_ext); W(2); break;
    case 24: W(ERL_DRV_EXT2TERM); W(NULL); W(0); break;
    case 25: W(ERL_DRV_MAP); W(0); break;
    case 26: W(ERL_DRV_INT); W(1); W(ERL_DRV_NIL); W(ERL_DRV_INT); W(1); W(ERL_DRV_NIL); W(ERL_DRV_MAP); W(2); break;
    case 27: W(ERL_DRV_NIL); W(ERL_DRV_MAP); W(1); break;
    case 28: W(ERL_DRV_BINARY); W(NULL); W(0); W(0); break;
    case 29:
    case 30:
    case 31:
        bin = driver_alloc_binary(100);
        memset(bin->orig_bytes, 'x', 100);
        W(ERL_DRV_BINARY); W(bin);
        W(number == 29 ? 70 : number == 30 ? 10 : 71); W(30);
        break;
    case 32: W(ERL_DRV_INT); W(-1L); break;
    case 33: W(ERL_DRV_UINT); W(-1L); break;
    }
    result = to == 0 ? erl_drv_output_term(self, spec, n) : erl_drv_send_term(self, to, spec, n);
    if (bin != NULL) {
        say("refc %ld ", driver_binary_get_refc(bin));
        driver_free_binary(bin);
    }
    return result;
}

static void *thread_main(void *data)
{
    say("in %s ", erl_drv_thread_name(erl_drv_thread_self()));
    if (data != NULL)
        erl_drv_thread_exit(data);
    return NULL;
}

static void threads(void)
{
    ErlDrvTid tid;
    ErlDrvThreadOpts *opts = erl_drv_thread_opts_create("opts");
    void *result = &tid;
    ErlDrvMutex *mutex = erl_drv_mutex_create("lock");
    ErlDrvRWLock *rwlock = erl_drv_rwlock_create(NULL);
    ErlDrvTSDKey key;
    say("stack %d ", opts->suggested_stack_size);
    int created;
    created = erl_drv_thread_create("worker", &tid, thread_main, NULL, opts);
    erl_drv_thread_join(tid, &result);
    say("create %d ", created);
    say("null %d ", result == NULL);
    created = erl_drv_thread_create("leaver", &tid, thread_main, &tid, NULL);
    say("join %d ", erl_drv_thread_join(tid, &result));
    say("create %d ", created);
    say("exit value %d ", result == &tid);
    say("join self %d ", erl_drv_thread_join(erl_drv_thread_self(), NULL));
    say("equal %d ", erl_drv_equal_tids(erl_drv_thread_self(), erl_drv_thread_self()) != 0);
    erl_drv_thread_opts_destroy(opts);
    erl_drv_mutex_lock(mutex);
    say("try %d ", erl_drv_mutex_trylock(mutex));
    erl_drv_mutex_unlock(mutex);
    say("try %d ", erl_drv_mutex_trylock(mutex));
    erl_drv_mutex_unlock(mutex);
    say("name %s ", erl_drv_mutex_name(mutex));
    erl_drv_mutex_destroy(mutex);
    erl_drv_rwlock_rlock(rwlock);
    say("tryr %d tryrw %d ", erl_drv_rwlock_tryrlock(rwlock), erl_drv_rwlock_tryrwlock(rwlock));
    erl_drv_rwlock_runlock(rwlock);
    erl_drv_rwlock_runlock(rwlock);
    say("tryrw %d name %s ", erl_drv_rwlock_tryrwlock(rwlock), erl_drv_rwlock_name(rwlock));
    erl_drv_rwlock_rwunlock(rwlock);
    erl_drv_rwlock_destroy(rwlock);
    say("key %d ", erl_drv_tsd_key_create("key", &key));
    say("get %d ", erl_drv_tsd_get(key) == NULL);
    erl_drv_tsd_set(key, &key);
    say("get %d", erl_drv_tsd_get(key) == &key);
    erl_drv_tsd_set(key, NULL);
    erl_drv_tsd_key_destroy(key);
}

static void facts(void)
{
    ErlDrvSysInfo info;
    ErlDrvNowData one, two;
    char value[8];
    size_t size;
    memset(&info, 77, sizeof info);
    driver_system_info(&info, 32);
    say("%d.%d otp %s smp %d beyond %d ", info.driver_major_version, info.driver_minor_version,
        info.otp_release, info.smp_support, info.async_threads == 0x4d4d4d4d);
    driver_system_info(&info, sizeof info);
    say("nif %d.%d dirty %d ", info.nif_major_version, info.nif_minor_version,
        info.dirty_scheduler_support);
    driver_get_now(&one);
    driver_get_now(&two);
    say("now %d null %d ", one.secs < two.secs || one.microsecs < two.microsecs,
        driver_get_now(NULL));
    say("time %d bad %d %d ", erl_drv_monotonic_time(ERL_DRV_NSEC) <= erl_drv_monotonic_time(ERL_DRV_NSEC),
        erl_drv_monotonic_time((ErlDrvTimeUnit)9) == ERL_DRV_TIME_ERROR,
        erl_drv_convert_time_unit(1, ERL_DRV_SEC, (ErlDrvTimeUnit)9) == ERL_DRV_TIME_ERROR);
    say("convert %ld %ld %ld ", erl_drv_convert_time_unit(-1999, ERL_DRV_MSEC, ERL_DRV_SEC),
        erl_drv_convert_time_unit(1999, ERL_DRV_MSEC, ERL_DRV_SEC),
        erl_drv_convert_time_unit(3, ERL_DRV_SEC, ERL_DRV_NSEC));
    say("errno %s %s %s %s ", erl_errno_id(ENOENT), erl_errno_id(0), erl_errno_id(-1),
        erl_errno_id(99999));
    size = sizeof value;
    say("env %d ", erl_drv_getenv("WHARF_PROBE_NOT_SET", value, &size));
    say("put %d ", erl_drv_putenv("WHARF_PROBE", "12345"));
    size = sizeof value;
    say("get %d ", erl_drv_getenv("WHARF_PROBE", value, &size));
    say("%s %lu libc %d ", value, (unsigned long)size, getenv("WHARF_PROBE") != NULL);
    size = 5;
    say("small %d ", erl_drv_getenv("WHARF_PROBE", value, &size));
    size = 6;
    say("fits %d ", erl_drv_getenv("WHARF_PROBE", value, &size));
    say("dl %d ", driver_dl_open("/no/such/library") == NULL);
    say("atom %d ", driver_mk_atom("same") == driver_mk_atom("same"));
    say("nil %d null %d", driver_mk_term_nil() == driver_term_nil, null_func());
}

/* What the functions say when there is no such port. */
static void dead(ErlDrvPort port)
{
    ErlDrvMonitor monitor;
    ErlIOVec ev;
    unsigned long left;
    int n;
    memset(&monitor, 0, sizeof monitor);
    memset(&ev, 0, sizeof ev);
    say("out %d %d ", driver_output(port, "x", 1), driver_output2(port, "h", 1, "x", 1));
    say("outv %d ", driver_outputv(port, "h", 1, &ev, 0));
    say("failure %d %d %d %d %d ", driver_failure(port, 1), driver_failure_eof(port),
        driver_failure_atom(port, "a"), driver_failure_posix(port, 1), driver_exit(port, 1));
    say("timer %d %d %d ", driver_set_timer(port, 1), driver_cancel_timer(port),
        driver_read_timer(port, &left));
    say("queue %ld %ld %d ", (long)driver_sizeq(port), (long)driver_deq(port, 0),
        driver_enq(port, "x", 1));
    say("peek %d", driver_peekq(port, &n) == NULL);
    say("/%d ", n);
    say("peekv %ld ", (long)driver_peekqv(port, &ev));
    say("select %d ", driver_select(port, (ErlDrvEvent)0, ERL_DRV_READ, 1));
    say("terms %d %d %d ", driver_mk_port(port) == driver_term_nil,
        driver_connected(port) == driver_term_nil, driver_caller(port) == driver_term_nil);
    say("flags %d ", get_port_flags(port));
    say("async %ld %u ", driver_async(port, NULL, work, NULL, NULL), driver_async_port_key(port));
    say("pdl %d ", driver_pdl_create(port) == NULL);
    say("monitor %d %d %d ", driver_monitor_process(port, driver_term_nil, &monitor),
        driver_demonitor_process(port, &monitor),
        driver_get_monitored_process(port, &monitor) == driver_term_nil);
    say("slice %d lock %d ", erl_drv_consume_timeslice(port, 10), driver_lock_driver(port));
    say("create %d", driver_create_port(port, driver_term_nil, "x", NULL) == (ErlDrvPort)-1);
}

/* Ends the port, and then looks around. The Probe is gone. */
static void fail(ErlDrvPort port, char *how)
{
    int number = atoi(how + 1);
    switch (how[0]) {
    case 'a': say("%d ", driver_failure_atom(port, how + 1)); break;
    case 'p': say("%d ", driver_failure_posix(port, number)); break;
    case 'n': say("%d ", driver_failure(port, number)); break;
    case 'e': say("%d ", driver_failure_eof(port)); break;
    case 'x': say("%d ", driver_exit(port, number)); break;
    }
}

static ErlDrvSSizeT reply(Probe *probe, char **rbuf, int how)
{
    ErlDrvBinary *bin;
    set_port_control_flags(probe->port, how >= 'a' ? PORT_CONTROL_FLAG_BINARY : 0);
    switch (how) {
    case '0': case 'a': memcpy(*rbuf, "four", 4); return 4;
    case '1': *rbuf = driver_alloc(100); memset(*rbuf, 'y', 100); return 100;
    case '2': case 'b': *rbuf = NULL; return 7;
    case '3': case 'c': return 0;
    case '4': case 'd': return -1;
    case 'f':
        bin = driver_alloc_binary(100);
        memset(bin->orig_bytes, 'z', 100);
        *rbuf = (char *)bin;
        return 7;
    }
    return -1;
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Probe *probe = (Probe *)data;
    ErlDrvPort port = probe->port;
    char argument[256];
    unsigned long left;
    int i;

    (void)rlen;
    if (len >= sizeof argument)
        return -1;
    memcpy(argument, buf, len);
    argument[len] = '\0';
    used = 0;
    switch (operation) {
    case 'o': say("%d", driver_output(port, argument, len)); break;
    case '2': say("%d", driver_output2(port, "HD", 2, argument, len)); break;
    case 'n': say("%d", driver_output2(port, "HD", 2, NULL, 0)); break;
    case 'b': {
        ErlDrvBinary *bin = driver_alloc_binary(100);
        memset(bin->orig_bytes, 'q', 100);
        say("%d ", driver_output_binary(port, "H", atoi(argument) > 64, bin, 10, (ErlDrvSizeT)atoi(argument)));
        say("refc %ld", driver_binary_get_refc(bin));
        driver_free_binary(bin);
        break;
    }
    case 'B': return reply(probe, rbuf, argument[0]);
    case 'V': probe->echo = argument[0]; say("ok"); break;
    case 'q': queue(probe, argument); break;
    case 't': say("%d", term(probe, atoi(argument), 0)); break;
    case 'T': { /* to a process that has died, and to what is no process */
        int alive = term(probe, atoi(argument), probe->watched);
        say("%d %d", alive, term(probe, atoi(argument), probe->self));
        break;
    }
    case 'f': fail(port, argument); dead(port); break;
    case 'E': say("%d", driver_failure_eof(port)); break;
    case 'F': say("%d", get_port_flags(port)); break;
    case 'c': say("%d", driver_caller(port) == driver_connected(port)); break;
    case 's': probe->stop_says = 1; say("ok"); break;
    case 'S':
        for (i = 0; i < 5; i++)
            say("%d ", erl_drv_consume_timeslice(port, 25));
        break;
    case 'u': probe->flush_takes = atoi(argument); say("ok"); break;
    case '.': /* timers */
        say("%d ", driver_read_timer(port, &left));
        say("%lu ", left);
        say("%d ", driver_set_timer(port, 100000));
        driver_read_timer(port, &left);
        say("%d ", left > 99000 && left <= 100000);
        say("%d ", driver_cancel_timer(port));
        driver_read_timer(port, &left);
        say("%lu ", left);
        say("%d %d", driver_cancel_timer(port), driver_set_timer(port, (unsigned long)atoi(argument)));
        break;
    case 'l': { /* limits of waiting commands */
        unsigned long low, high;
        sscanf(argument, "%lu %lu", &low, &high);
        ErlDrvSizeT l = low == 9 ? ERL_DRV_BUSY_MSGQ_DISABLED : low, h = high;
        erl_drv_busy_msgq_limits(port, &l, &h);
        say("%ld %ld", (long)l, (long)h);
        erl_drv_busy_msgq_limits(port, NULL, NULL);
        break;
    }
    case 'm': /* monitors */
        probe->watched = driver_caller(port);
        say("%d ", driver_monitor_process(port, probe->watched, &probe->monitor));
        say("%d ", driver_get_monitored_process(port, &probe->monitor) == probe->watched);
        if (argument[0] != 'k') {
            say("%d ", driver_demonitor_process(port, &probe->monitor));
            say("%d ", driver_demonitor_process(port, &probe->monitor));
            say("%d", driver_get_monitored_process(port, &probe->monitor) == driver_term_nil);
        }
        break;
    case 'M': say("%d", driver_monitor_process(port, probe->watched, &probe->monitor)); break;
    case 'a': {
        Job *job = driver_alloc(sizeof *job);
        unsigned int key = 7;
        job->port = probe->self;
        job->owner = driver_connected(port);
        say("%d ", driver_async(port, &key, work, job, abandon) > 0);
        say("key %u", key);
        break;
    }
    case 'p': { /* port data lock */
        ErlDrvPDL pdl = driver_pdl_create(port);
        if (pdl == NULL) {
            say("there is one");
            break;
        }
        say("%ld ", driver_pdl_get_refc(pdl));
        say("%ld ", driver_pdl_inc_refc(pdl));
        driver_pdl_lock(pdl);
        say("%ld ", driver_pdl_get_refc(pdl));
        driver_pdl_unlock(pdl);
        say("%ld", driver_pdl_dec_refc(pdl));
        break;
    }
    case 'C': { /* another port */
        Probe *other = driver_alloc(sizeof *other);
        memset(other, 0, sizeof *other);
        other->port = driver_create_port(port, driver_caller(port), argument, (ErlDrvData)other);
        if (other->port == (ErlDrvPort)-1) {
            driver_free(other);
            say("none");
            break;
        }
        other->self = driver_mk_port(other->port);
        say("%d", driver_output(other->port, "born", 4));
        break;
    }
    case 'P': erl_drv_set_os_pid(port, atoi(argument)); say("ok"); break;
    case 'y': set_busy_port(port, argument[0] == '1'); say("ok"); break;
    case 'r': driver_report_exit(port, atoi(argument)); say("ok"); break;
    case 'L': say("%d %d", driver_lock_driver(port), driver_lock_driver(port)); break;
    case 'h': threads(); break;
    case 'i': facts(); break;
    case 'd': dead((ErlDrvPort)-1); break;
    default: return -1;
    }
    *rbuf = driver_alloc(used);
    memcpy(*rbuf, text, used);
    return (ErlDrvSSizeT)used;
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .outputv = outputv,
    .control = control,
    .timeout = timeout,
    .flush = flush,
    .process_exit = process_exit,
    .ready_async = ready_async,
    .driver_name = NAME,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = FLAGS,
};

DRIVER_INIT(probe_drv)
{
    return &entry;
}

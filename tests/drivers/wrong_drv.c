/*
 * wrong_drv - uses memory, locks, threads and monitors as a driver must not. Erlang would end, or
 * worse, so tests/drivers_wrong.rs asks wharf alone. Each question makes one kind of mistake, and
 * answers with what came of it and whether all goes on.
 */
#include "asked.h"
#include <sched.h>

#define ASK(name) static void name(ErlDrvPort port, char *argument)
#define IGNORE (void)port, (void)argument

ASK(mutex_unlock)
{
    ErlDrvMutex *mutex = erl_drv_mutex_create("m");
    IGNORE;
    erl_drv_mutex_unlock(mutex);
    say("%d", erl_drv_mutex_trylock(mutex));
    erl_drv_mutex_unlock(mutex);
    erl_drv_mutex_destroy(mutex);
}

ASK(mutex_relock)
{
    ErlDrvMutex *mutex = erl_drv_mutex_create("m");
    IGNORE;
    erl_drv_mutex_lock(mutex);
    erl_drv_mutex_lock(mutex);
    erl_drv_mutex_unlock(mutex);
    say("%d", erl_drv_mutex_trylock(mutex));
    erl_drv_mutex_unlock(mutex);
    erl_drv_mutex_destroy(mutex);
}

ASK(mutex_destroy)
{
    ErlDrvMutex *mutex = erl_drv_mutex_create("m");
    IGNORE;
    erl_drv_mutex_lock(mutex);
    erl_drv_mutex_destroy(mutex);
    say("%d %s", erl_drv_mutex_trylock(mutex), erl_drv_mutex_name(mutex));
    erl_drv_mutex_unlock(mutex);
    erl_drv_mutex_destroy(mutex);
}

ASK(mutex_null)
{
    IGNORE;
    erl_drv_mutex_lock(NULL);
    say("%d", erl_drv_mutex_trylock(NULL));
    erl_drv_mutex_unlock(NULL);
    erl_drv_mutex_destroy(NULL);
}

ASK(cond_unheld)
{
    ErlDrvMutex *mutex = erl_drv_mutex_create("m");
    ErlDrvCond *cond = erl_drv_cond_create("c");
    IGNORE;
    erl_drv_cond_wait(cond, mutex);
    say("%d", erl_drv_mutex_trylock(mutex));
    erl_drv_mutex_unlock(mutex);
    erl_drv_cond_destroy(cond);
    erl_drv_mutex_destroy(mutex);
}

ASK(cond_null)
{
    ErlDrvMutex *mutex = erl_drv_mutex_create("m");
    IGNORE;
    erl_drv_cond_wait(NULL, mutex);
    erl_drv_cond_signal(NULL);
    erl_drv_cond_broadcast(NULL);
    erl_drv_cond_destroy(NULL);
    erl_drv_mutex_destroy(mutex);
    say("on");
}

static struct {
    ErlDrvMutex *mutex;
    ErlDrvCond *cond;
    int waiting, go;
} meet;

static void *wait_for_go(void *unused)
{
    erl_drv_mutex_lock(meet.mutex);
    meet.waiting = 1;
    while (!meet.go)
        erl_drv_cond_wait(meet.cond, meet.mutex);
    erl_drv_mutex_unlock(meet.mutex);
    return unused;
}

ASK(cond_destroy)
{
    ErlDrvTid thread;
    IGNORE;
    memset(&meet, 0, sizeof meet);
    meet.mutex = erl_drv_mutex_create("m");
    meet.cond = erl_drv_cond_create("c");
    erl_drv_thread_create("waits", &thread, wait_for_go, NULL, NULL);
    erl_drv_mutex_lock(meet.mutex);
    while (!meet.waiting) {
        erl_drv_mutex_unlock(meet.mutex);
        sched_yield();
        erl_drv_mutex_lock(meet.mutex);
    }
    erl_drv_cond_destroy(meet.cond);
    meet.go = 1;
    erl_drv_cond_signal(meet.cond);
    erl_drv_mutex_unlock(meet.mutex);
    say("%d", erl_drv_thread_join(thread, NULL));
    erl_drv_cond_destroy(meet.cond);
    erl_drv_mutex_destroy(meet.mutex);
}

ASK(rwlock_unlock)
{
    ErlDrvRWLock *lock = erl_drv_rwlock_create("l");
    IGNORE;
    erl_drv_rwlock_runlock(lock);
    erl_drv_rwlock_rwunlock(lock);
    say("%d ", erl_drv_rwlock_tryrwlock(lock));
    erl_drv_rwlock_rwunlock(lock);
    say("%d", erl_drv_rwlock_tryrlock(lock));
    erl_drv_rwlock_runlock(lock);
    erl_drv_rwlock_destroy(lock);
}

ASK(rwlock_relock)
{
    ErlDrvRWLock *lock = erl_drv_rwlock_create("l");
    IGNORE;
    erl_drv_rwlock_rwlock(lock);
    erl_drv_rwlock_rwlock(lock);
    erl_drv_rwlock_rlock(lock);
    erl_drv_rwlock_rwunlock(lock);
    say("%d", erl_drv_rwlock_tryrwlock(lock));
    erl_drv_rwlock_rwunlock(lock);
    erl_drv_rwlock_destroy(lock);
}

static void *give_back_write(void *lock)
{
    erl_drv_rwlock_rwunlock(lock);
    return NULL;
}

ASK(rwlock_other)
{
    ErlDrvRWLock *lock = erl_drv_rwlock_create("l");
    ErlDrvTid thread;
    IGNORE;
    erl_drv_rwlock_rwlock(lock);
    erl_drv_thread_create("other", &thread, give_back_write, lock, NULL);
    erl_drv_thread_join(thread, NULL);
    say("%d", erl_drv_rwlock_tryrlock(lock));
    erl_drv_rwlock_rwunlock(lock);
    erl_drv_rwlock_destroy(lock);
}

ASK(rwlock_destroy)
{
    ErlDrvRWLock *lock = erl_drv_rwlock_create("l");
    IGNORE;
    erl_drv_rwlock_rlock(lock);
    erl_drv_rwlock_destroy(lock);
    say("%s", erl_drv_rwlock_name(lock));
    erl_drv_rwlock_runlock(lock);
    erl_drv_rwlock_destroy(lock);
}

ASK(rwlock_null)
{
    IGNORE;
    erl_drv_rwlock_rlock(NULL);
    erl_drv_rwlock_rwlock(NULL);
    say("%d %d", erl_drv_rwlock_tryrlock(NULL), erl_drv_rwlock_tryrwlock(NULL));
    erl_drv_rwlock_runlock(NULL);
    erl_drv_rwlock_rwunlock(NULL);
    erl_drv_rwlock_destroy(NULL);
}

ASK(pdl_unlock)
{
    ErlDrvPDL pdl = driver_pdl_create(port);
    (void)argument;
    driver_pdl_unlock(pdl);
    say("%ld", driver_pdl_get_refc(pdl));
}

ASK(pdl_relock)
{
    ErlDrvPDL pdl = driver_pdl_create(port);
    (void)argument;
    driver_pdl_lock(pdl);
    driver_pdl_lock(pdl);
    say("%ld ", driver_pdl_get_refc(pdl));
    driver_pdl_unlock(pdl);
    say("%ld", driver_pdl_get_refc(pdl));
}

ASK(pdl_dec)
{
    ErlDrvPDL pdl = driver_pdl_create(port);
    (void)argument;
    say("%ld ", driver_pdl_dec_refc(pdl));
    say("%ld ", driver_pdl_dec_refc(pdl));
    say("%ld ", driver_pdl_inc_refc(pdl));
    say("%ld", driver_pdl_dec_refc(pdl));
}

ASK(pdl_null)
{
    IGNORE;
    driver_pdl_lock(NULL);
    driver_pdl_unlock(NULL);
    say("%ld ", driver_pdl_get_refc(NULL));
    say("%ld ", driver_pdl_inc_refc(NULL));
    say("%ld", driver_pdl_dec_refc(NULL));
}

ASK(binary_dec)
{
    ErlDrvBinary *bin = driver_alloc_binary(100);
    IGNORE;
    say("%ld ", driver_binary_dec_refc(bin));
    say("%ld", driver_binary_get_refc(bin));
    driver_free_binary(bin);
}

ASK(binary_null)
{
    IGNORE;
    say("%ld ", driver_binary_get_refc(NULL));
    say("%ld ", driver_binary_inc_refc(NULL));
    say("%ld", driver_binary_dec_refc(NULL));
}

/* One that others hold, too, is theirs as it was. */
ASK(binary_shared)
{
    ErlDrvBinary *bin = driver_alloc_binary(100), *longer;
    SysIOVec *iov;
    int n;
    (void)argument;
    memset(bin->orig_bytes, 's', 100);
    driver_enq_bin(port, bin, 0, 100);
    longer = driver_realloc_binary(bin, 200);
    longer->orig_bytes[0] = 'l';
    iov = driver_peekq(port, &n);
    say("%ld %c %c %ld", (long)longer->orig_size, ((char *)iov[0].iov_base)[0], longer->orig_bytes[1],
        driver_binary_get_refc(longer));
    driver_deq(port, 100);
    driver_free_binary(longer);
}

static void *nothing(void *argument)
{
    return argument;
}

ASK(join_twice)
{
    ErlDrvTid thread, other;
    IGNORE;
    erl_drv_thread_create("one", &thread, nothing, NULL, NULL);
    say("%d ", erl_drv_thread_join(thread, NULL));
    erl_drv_thread_create("two", &other, nothing, NULL, NULL);
    say("%d ", erl_drv_thread_join(thread, NULL));
    say("%d ", erl_drv_thread_name(thread) == NULL);
    say("%d", erl_drv_thread_join(other, NULL));
}

ASK(join_none)
{
    IGNORE;
    say("%d %d %d", erl_drv_thread_join(NULL, NULL), erl_drv_thread_join((ErlDrvTid)port, NULL),
        erl_drv_thread_join(erl_drv_thread_self(), NULL));
}

static void *join_self(void *result)
{
    *(int *)result = erl_drv_thread_join(erl_drv_thread_self(), NULL);
    return NULL;
}

ASK(join_self_)
{
    ErlDrvTid thread;
    int result = 0;
    IGNORE;
    erl_drv_thread_create("self", &thread, join_self, &result, NULL);
    say("%d ", erl_drv_thread_join(thread, NULL));
    say("%d", result);
}

ASK(thread_exit_)
{
    IGNORE;
    erl_drv_thread_exit(NULL);
    say("on");
}

ASK(thread_null)
{
    ErlDrvTid thread;
    IGNORE;
    erl_drv_thread_opts_destroy(NULL);
    say("%d", erl_drv_thread_create("null", &thread, NULL, NULL, NULL));
}

ASK(key_twice)
{
    ErlDrvTSDKey key;
    IGNORE;
    erl_drv_tsd_key_create("key", &key);
    erl_drv_tsd_key_destroy(key);
    erl_drv_tsd_key_destroy(key);
    erl_drv_tsd_set(key, &key);
    say("%d %d", erl_drv_tsd_get(key) == NULL, erl_drv_tsd_get(-1) == NULL);
}

ASK(async_null)
{
    (void)argument;
    say("%ld", driver_async(port, NULL, NULL, NULL, NULL));
}

ASK(monitor_null)
{
    (void)argument;
    say("%d ", driver_monitor_process(port, driver_caller(port), NULL));
    say("%d ", driver_demonitor_process(port, NULL));
    say("%d ", driver_get_monitored_process(port, NULL) == driver_term_nil);
    say("%d", driver_compare_monitors(NULL, NULL));
}

ASK(facts)
{
    ErlDrvSysInfo info;
    (void)port;
    memset(&info, 77, sizeof info);
    driver_system_info(&info, (size_t)atol(argument));
    say("%d", info.driver_major_version == 0x4d4d4d4d);
}

ASK(unit)
{
    IGNORE;
    say("%d", erl_drv_monotonic_time((ErlDrvTimeUnit)4) == ERL_DRV_TIME_ERROR);
}

ASK(texts)
{
    size_t size = 0;
    IGNORE;
    say("%d %d ", erl_drv_putenv(NULL, "x"), erl_drv_putenv("x", NULL));
    say("%d %d ", erl_drv_getenv(NULL, NULL, &size), erl_drv_getenv("x", NULL, NULL));
    say("%d %d %d", driver_dl_open(NULL) == NULL, driver_dl_sym(NULL, "x") == NULL, driver_dl_close(NULL));
}

/* A port that is gone: what another port of the driver is told of it. */
static ErlDrvPort gone;

ASK(stale)
{
    ErlDrvMonitor monitor;
    unsigned int key = 7;
    (void)argument;
    memset(&monitor, 0, sizeof monitor);
    say("%ld %u ", driver_async(gone, &key, NULL, NULL, NULL), key);
    say("%u ", driver_async_port_key(gone));
    say("%d ", driver_pdl_create(gone) == NULL);
    say("%d ", driver_monitor_process(gone, driver_caller(port), &monitor));
    say("%d ", driver_demonitor_process(gone, &monitor));
    say("%d ", driver_get_monitored_process(gone, &monitor) == driver_term_nil);
    say("%d", driver_lock_driver(gone));
}

static struct {
    ErlDrvPort port;
    ErlDrvTermData caller;
    char text[100];
} away;

static void *elsewhere(void *unused)
{
    ErlDrvMonitor monitor;
    memset(&monitor, 0, sizeof monitor);
    snprintf(away.text, sizeof away.text, "%ld %u %d %d %d %d",
             driver_async(away.port, NULL, (void (*)(void *))elsewhere, NULL, NULL),
             driver_async_port_key(away.port), driver_pdl_create(away.port) == NULL,
             driver_monitor_process(away.port, away.caller, &monitor),
             driver_demonitor_process(away.port, &monitor), driver_lock_driver(away.port));
    return unused;
}

/* From a thread that is in no callback. */
ASK(wrong_thread)
{
    ErlDrvTid thread;
    (void)argument;
    away.port = port;
    away.caller = driver_caller(port);
    erl_drv_thread_create("elsewhere", &thread, elsewhere, NULL, NULL);
    erl_drv_thread_join(thread, NULL);
    say("%s", away.text);
}

static Question questions[] = {
    {"mutex_unlock", mutex_unlock},     {"mutex_relock", mutex_relock},
    {"mutex_destroy", mutex_destroy},   {"mutex_null", mutex_null},
    {"cond_unheld", cond_unheld},       {"cond_null", cond_null},
    {"cond_destroy", cond_destroy},     {"rwlock_unlock", rwlock_unlock},
    {"rwlock_relock", rwlock_relock},   {"rwlock_other", rwlock_other},
    {"rwlock_destroy", rwlock_destroy}, {"rwlock_null", rwlock_null},
    {"pdl_unlock", pdl_unlock},         {"pdl_relock", pdl_relock},
    {"pdl_dec", pdl_dec},               {"pdl_null", pdl_null},
    {"binary_dec", binary_dec},         {"binary_null", binary_null},
    {"binary_shared", binary_shared},   {"join_twice", join_twice},
    {"join_none", join_none},           {"join_self", join_self_},
    {"thread_exit", thread_exit_},      {"thread_null", thread_null},
    {"key_twice", key_twice},           {"async_null", async_null},
    {"monitor_null", monitor_null},     {"facts", facts},
    {"unit", unit},                     {"texts", texts},
    {"stale", stale},                   {"wrong_thread", wrong_thread},
    {NULL, NULL},
};

static ErlDrvData start(ErlDrvPort port, char *command)
{
    (void)command;
    return (ErlDrvData)port;
}

static void stop(ErlDrvData data)
{
    gone = (ErlDrvPort)data;
}

static void process_exit(ErlDrvData data, ErlDrvMonitor *monitor)
{
    (void)data, (void)monitor;
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    (void)operation, (void)rlen;
    return answer((ErlDrvPort)data, buf, len, rbuf);
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .control = control,
    .process_exit = process_exit,
    .driver_name = NAME,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
};

DRIVER_INIT(wrong_drv)
{
    return &entry;
}

/*
 * locks_drv - threads, their own data, and every kind of lock, at their edges.
 * tests/scenarios/locks.exs asks the questions of wharf and of Erlang.
 */
#include "asked.h"
#include <sys/prctl.h>

static ErlDrvData start(ErlDrvPort port, char *command)
{
    (void)command;
    return (ErlDrvData)port;
}

/* Runs `func` in a thread and waits for it. */
static void *in_thread(void *(*func)(void *), void *argument)
{
    ErlDrvTid thread;
    void *result = NULL;
    if (erl_drv_thread_create("helper", &thread, func, argument, NULL) != 0)
        return NULL;
    erl_drv_thread_join(thread, &result);
    return result;
}

/* Names. */

static void names(ErlDrvPort port, char *argument)
{
    char own[] = "own";
    ErlDrvMutex *mutex = erl_drv_mutex_create(own), *empty = erl_drv_mutex_create(""), *none = erl_drv_mutex_create(NULL);
    ErlDrvCond *cond = erl_drv_cond_create("cond"), *cond_none = erl_drv_cond_create(NULL);
    ErlDrvRWLock *rwlock = erl_drv_rwlock_create("rwlock"), *rwlock_none = erl_drv_rwlock_create(NULL);
    (void)port, (void)argument;
    own[0] = 'O'; /* the name was copied */
    say("%s (%s) %s ", erl_drv_mutex_name(mutex), erl_drv_mutex_name(empty), erl_drv_mutex_name(none));
    say("%s %s ", erl_drv_cond_name(cond), erl_drv_cond_name(cond_none));
    say("%s %s ", erl_drv_rwlock_name(rwlock), erl_drv_rwlock_name(rwlock_none));
    say("%d%d%d%d ", erl_drv_mutex_name(NULL) == NULL, erl_drv_cond_name(NULL) == NULL,
        erl_drv_rwlock_name(NULL) == NULL, erl_drv_thread_name(NULL) == NULL);
    say("%s", erl_drv_thread_name(erl_drv_thread_self()));
    erl_drv_mutex_destroy(mutex), erl_drv_mutex_destroy(empty), erl_drv_mutex_destroy(none);
    erl_drv_cond_destroy(cond), erl_drv_cond_destroy(cond_none);
    erl_drv_rwlock_destroy(rwlock), erl_drv_rwlock_destroy(rwlock_none);
}

/* Tries, from another thread. */

static void *try_mutex(void *mutex)
{
    int result = erl_drv_mutex_trylock(mutex);
    if (result == 0)
        erl_drv_mutex_unlock(mutex);
    return (void *)(long)result;
}

static void *try_read(void *rwlock)
{
    int result = erl_drv_rwlock_tryrlock(rwlock);
    if (result == 0)
        erl_drv_rwlock_runlock(rwlock);
    return (void *)(long)result;
}

static void *try_write(void *rwlock)
{
    int result = erl_drv_rwlock_tryrwlock(rwlock);
    if (result == 0)
        erl_drv_rwlock_rwunlock(rwlock);
    return (void *)(long)result;
}

static void say_tries(ErlDrvRWLock *rwlock)
{
    say("r%ld ", (long)in_thread(try_read, rwlock));
    say("w%ld ", (long)in_thread(try_write, rwlock));
}

static void tries(ErlDrvPort port, char *argument)
{
    ErlDrvMutex *mutex = erl_drv_mutex_create("tried");
    ErlDrvRWLock *rwlock = erl_drv_rwlock_create("tried");
    (void)port, (void)argument;
    say("free %ld ", (long)in_thread(try_mutex, mutex));
    erl_drv_mutex_lock(mutex);
    say("held %ld own %d ", (long)in_thread(try_mutex, mutex), erl_drv_mutex_trylock(mutex));
    erl_drv_mutex_unlock(mutex);
    say("free %ld ", (long)in_thread(try_mutex, mutex));
    say("free ");
    say_tries(rwlock);
    erl_drv_rwlock_rlock(rwlock);
    erl_drv_rwlock_rlock(rwlock);
    say("read twice ");
    say_tries(rwlock);
    erl_drv_rwlock_runlock(rwlock);
    say("read once ");
    say_tries(rwlock);
    erl_drv_rwlock_runlock(rwlock);
    erl_drv_rwlock_rwlock(rwlock);
    say("written ");
    say_tries(rwlock);
    say("own r%d ", erl_drv_rwlock_tryrlock(rwlock));
    say("w%d ", erl_drv_rwlock_tryrwlock(rwlock));
    erl_drv_rwlock_rwunlock(rwlock);
    say("free ");
    say_tries(rwlock);
    erl_drv_mutex_destroy(mutex);
    erl_drv_rwlock_destroy(rwlock);
}

/* A producer and consumers, over a small ring. */

#define RING 4

static struct {
    ErlDrvMutex *mutex;
    ErlDrvCond *more, *room;
    int ring[RING], count, next, left, broadcast;
    long sum;
} work;

static void *consume(void *unused)
{
    for (;;) {
        erl_drv_mutex_lock(work.mutex);
        while (work.count == 0 && work.left > 0)
            erl_drv_cond_wait(work.more, work.mutex);
        if (work.count == 0)
            break;
        work.sum += work.ring[(work.next - work.count + RING) % RING];
        work.count--;
        if (work.broadcast)
            erl_drv_cond_broadcast(work.room);
        else
            erl_drv_cond_signal(work.room);
        erl_drv_mutex_unlock(work.mutex);
    }
    erl_drv_mutex_unlock(work.mutex);
    return unused;
}

static void produce(ErlDrvPort port, char *argument)
{
    ErlDrvTid consumers[3];
    int i;
    (void)port;
    memset(&work, 0, sizeof work);
    work.broadcast = argument[0] == 'b';
    work.left = 3000;
    work.mutex = erl_drv_mutex_create("work");
    work.more = erl_drv_cond_create("more");
    work.room = erl_drv_cond_create("room");
    for (i = 0; i < 3; i++)
        erl_drv_thread_create("consumer", &consumers[i], consume, NULL, NULL);
    erl_drv_mutex_lock(work.mutex);
    while (work.left > 0) {
        while (work.count == RING)
            erl_drv_cond_wait(work.room, work.mutex);
        work.ring[work.next] = work.left--;
        work.next = (work.next + 1) % RING;
        work.count++;
        if (work.broadcast || work.left == 0)
            erl_drv_cond_broadcast(work.more);
        else
            erl_drv_cond_signal(work.more);
    }
    erl_drv_mutex_unlock(work.mutex);
    for (i = 0; i < 3; i++)
        erl_drv_thread_join(consumers[i], NULL);
    say("%ld", work.sum);
    erl_drv_cond_destroy(work.more);
    erl_drv_cond_destroy(work.room);
    erl_drv_mutex_destroy(work.mutex);
}

/* Writers make two numbers alike; readers never see them differ. */

static ErlDrvRWLock *pair_lock;
static volatile long pair[2], differed;

static void *write_pair(void *unused)
{
    int i;
    for (i = 0; i < 2000; i++) {
        erl_drv_rwlock_rwlock(pair_lock);
        pair[0]++;
        pair[1]++;
        erl_drv_rwlock_rwunlock(pair_lock);
    }
    return unused;
}

static void *read_pair(void *unused)
{
    int i;
    for (i = 0; i < 2000; i++) {
        erl_drv_rwlock_rlock(pair_lock);
        if (pair[0] != pair[1])
            differed = 1;
        erl_drv_rwlock_runlock(pair_lock);
    }
    return unused;
}

static void readers(ErlDrvPort port, char *argument)
{
    ErlDrvTid threads[4];
    int i;
    (void)port, (void)argument;
    pair[0] = pair[1] = differed = 0;
    pair_lock = erl_drv_rwlock_create("pair");
    for (i = 0; i < 4; i++)
        erl_drv_thread_create("pair", &threads[i], i % 2 ? read_pair : write_pair, NULL, NULL);
    for (i = 0; i < 4; i++)
        erl_drv_thread_join(threads[i], NULL);
    say("%ld %ld %ld", pair[0], pair[1], differed);
    erl_drv_rwlock_destroy(pair_lock);
}

/* Threads. */

/* Both names of a thread; the system's only if it is not that of the thread that made it. */
static void *look_around(void *parent)
{
    char system[17] = "";
    prctl(PR_GET_NAME, system);
    say("(%s) (%s) ", erl_drv_thread_name(erl_drv_thread_self()),
        strcmp(system, parent) == 0 ? "inherited" : system);
    return NULL;
}

static void deep_exit(void *value)
{
    erl_drv_thread_exit(value);
}

static void *leave(void *value)
{
    deep_exit(value);
    return NULL;
}

static void *give_back(void *value)
{
    return value;
}

static void *self_of(void *unused)
{
    (void)unused;
    return erl_drv_thread_self();
}

static void threads(ErlDrvPort port, char *argument)
{
    ErlDrvTid one, two, self = erl_drv_thread_self();
    ErlDrvThreadOpts *opts = erl_drv_thread_opts_create(NULL);
    void *result = &one;
    int sizes[] = {-1, 0, 1, 16, 512}, i;
    int created = 0, joined = 0;
    char changing[] = "changing name", system[17] = "";
    (void)port, (void)argument;
    prctl(PR_GET_NAME, system);
    created |= erl_drv_thread_create("a name of more than fifteen bytes", &one, look_around, system, NULL);
    joined |= erl_drv_thread_join(one, &result);
    created |= erl_drv_thread_create(NULL, &one, look_around, system, NULL);
    joined |= erl_drv_thread_join(one, NULL);
    created |= erl_drv_thread_create("", &one, look_around, system, opts);
    joined |= erl_drv_thread_join(one, NULL);
    say("create %d join %d null %d ", created, joined, result == NULL);
    for (i = 0; i < 5; i++) {
        opts->suggested_stack_size = sizes[i];
        say("%d", erl_drv_thread_create("sized", &one, give_back, &sizes[i], opts));
        say("%d ", erl_drv_thread_join(one, &result));
        say("%d ", result == &sizes[i]);
    }
    erl_drv_thread_opts_destroy(opts);
    erl_drv_thread_create("leaver", &one, leave, &opts, NULL);
    say("exit %d ", erl_drv_thread_join(one, &result));
    say("%d ", result == &opts);
    erl_drv_thread_create("leaver", &one, leave, NULL, NULL);
    erl_drv_thread_join(one, &result);
    say("null %d ", result == NULL);
    erl_drv_thread_create(changing, &one, self_of, NULL, NULL);
    erl_drv_thread_create("two", &two, give_back, NULL, NULL);
    changing[0] = 'C';
    say("name %s ", erl_drv_thread_name(one));
    say("equal %d%d%d%d ", erl_drv_equal_tids(one, one) != 0, erl_drv_equal_tids(one, two) != 0,
        erl_drv_equal_tids(one, self) != 0, erl_drv_equal_tids(self, erl_drv_thread_self()) != 0);
    erl_drv_thread_join(one, &result);
    say("itself %d ", result == one);
    erl_drv_thread_join(two, NULL);
    say("not joinable %d", erl_drv_thread_join(self, NULL));
}

/* Many at once, each waiting for the one that it made. */
static void *chain(void *depth)
{
    ErlDrvTid thread;
    void *below = NULL;
    long left = (long)depth;
    if (left == 0)
        return NULL;
    if (erl_drv_thread_create("chain", &thread, chain, (void *)(left - 1), NULL) != 0)
        return (void *)-1;
    if (erl_drv_thread_join(thread, &below) != 0)
        return (void *)-2;
    return (char *)below + 1;
}

static void chains(ErlDrvPort port, char *argument)
{
    (void)port;
    say("%ld", (long)in_thread(chain, (void *)atol(argument)));
}

/* Data of a thread's own. */

#define KEYS 40
static ErlDrvTSDKey keys[KEYS];

static void *other_thread(void *value)
{
    int before = erl_drv_tsd_get(keys[0]) == NULL;
    erl_drv_tsd_set(keys[0], value);
    return (void *)(long)(before && erl_drv_tsd_get(keys[0]) == value && erl_drv_tsd_get(keys[1]) == NULL);
}

static void own_data(ErlDrvPort port, char *argument)
{
    int i, results = 0, distinct = 1, empty = 1, kept = 1;
    ErlDrvTSDKey freed, again;
    (void)port, (void)argument;
    for (i = 0; i < KEYS; i++) {
        results |= erl_drv_tsd_key_create(i == 0 ? NULL : "key", &keys[i]);
        distinct &= i == 0 || keys[i] != keys[i - 1];
        empty &= erl_drv_tsd_get(keys[i]) == NULL;
    }
    say("create %d distinct %d empty %d ", results, distinct, empty);
    for (i = 0; i < KEYS; i++)
        erl_drv_tsd_set(keys[i], &keys[i]);
    say("other %ld ", (long)in_thread(other_thread, &results));
    for (i = 0; i < KEYS; i++)
        kept &= erl_drv_tsd_get(keys[i]) == &keys[i];
    say("kept %d ", kept);
    freed = keys[7];
    erl_drv_tsd_key_destroy(freed);
    say("again %d ", erl_drv_tsd_key_create("again", &again));
    say("lowest %d old value %d ", again == freed, erl_drv_tsd_get(again) == &keys[7]);
    erl_drv_tsd_set(again, NULL);
    say("cleared %d", erl_drv_tsd_get(again) == NULL);
    for (i = 0; i < KEYS; i++) {
        erl_drv_tsd_set(keys[i], NULL);
        erl_drv_tsd_key_destroy(keys[i]);
    }
}

/* The port data lock. */

static ErlDrvPDL kept_pdl;
static ErlDrvPort queue_port;
static volatile int unguarded, raced;

static void *enqueue(void *times)
{
    long i;
    for (i = 0; i < (long)times; i++) {
        driver_pdl_lock(kept_pdl);
        raced |= unguarded++ != 0;
        driver_enq(queue_port, "ab", 2);
        driver_deq(queue_port, 1);
        unguarded--;
        driver_pdl_unlock(kept_pdl);
    }
    return NULL;
}

static void pdl(ErlDrvPort port, char *argument)
{
    (void)argument;
    kept_pdl = driver_pdl_create(port);
    say("created %d ", kept_pdl != NULL);
    say("again %d ", driver_pdl_create(port) == NULL);
    say("no port %d ", driver_pdl_create((ErlDrvPort)-1) == NULL);
    say("%ld ", driver_pdl_get_refc(kept_pdl));
    say("%ld ", driver_pdl_inc_refc(kept_pdl));
    say("%ld ", driver_pdl_inc_refc(kept_pdl));
    say("%ld ", driver_pdl_dec_refc(kept_pdl));
    driver_pdl_lock(kept_pdl);
    say("locked %ld ", driver_pdl_get_refc(kept_pdl));
    driver_pdl_unlock(kept_pdl);
    say("unlocked %ld", driver_pdl_get_refc(kept_pdl));
}

/* A thread and this callback use the queue, each with the lock. */
static void contend(ErlDrvPort port, char *argument)
{
    ErlDrvTid thread;
    long times = atol(argument);
    ErlDrvSizeT left;
    kept_pdl = driver_pdl_create(port);
    queue_port = port;
    raced = unguarded = 0;
    erl_drv_thread_create("contender", &thread, enqueue, (void *)times, NULL);
    enqueue((void *)times);
    erl_drv_thread_join(thread, NULL);
    driver_pdl_lock(kept_pdl);
    left = driver_sizeq(port);
    say("raced %d queue %ld ", raced, (long)left);
    say("empty %ld", (long)driver_deq(port, left));
    driver_pdl_unlock(kept_pdl);
}

/* What another port says of a lock whose port is gone, and then gives the last reference away. */
static void outlive(ErlDrvPort port, char *argument)
{
    (void)port, (void)argument;
    say("%ld ", driver_pdl_get_refc(kept_pdl));
    driver_pdl_lock(kept_pdl);
    say("locked %ld ", driver_pdl_get_refc(kept_pdl));
    driver_pdl_unlock(kept_pdl);
    say("%ld ", driver_pdl_inc_refc(kept_pdl));
    say("%ld ", driver_pdl_dec_refc(kept_pdl));
    say("last %ld", driver_pdl_dec_refc(kept_pdl));
}

static void refc(ErlDrvPort port, char *argument)
{
    (void)port, (void)argument;
    say("%ld", driver_pdl_get_refc(kept_pdl));
}

static ErlDrvMutex *hold; /* stands in the way of a job */

static void held(void *unused)
{
    (void)unused;
    erl_drv_mutex_lock(hold);
    erl_drv_mutex_unlock(hold);
}

/* A job counts as a holder until it is delivered. */
static void job(ErlDrvPort port, char *argument)
{
    (void)argument;
    kept_pdl = driver_pdl_create(port);
    say("%ld ", driver_pdl_get_refc(kept_pdl));
    erl_drv_mutex_lock(hold);
    driver_async(port, NULL, held, NULL, NULL);
    say("with a job %ld ", driver_pdl_get_refc(kept_pdl));
    driver_async(port, NULL, held, NULL, NULL);
    say("with two %ld", driver_pdl_get_refc(kept_pdl));
    erl_drv_mutex_unlock(hold);
}

static Question questions[] = {
    {"names", names},     {"tries", tries}, {"produce", produce}, {"readers", readers},
    {"threads", threads}, {"chain", chains}, {"own_data", own_data}, {"pdl", pdl},
    {"contend", contend}, {"outlive", outlive}, {"refc", refc},   {"job", job},
    {NULL, NULL},
};

/* All of it works before there is a port, too. */
static int init(void)
{
    ErlDrvTSDKey key;
    int good = erl_drv_tsd_key_create("init", &key) == 0;
    erl_drv_tsd_set(key, &key);
    good = good && erl_drv_tsd_get(key) == &key && in_thread(give_back, &key) == &key;
    erl_drv_tsd_set(key, NULL);
    erl_drv_tsd_key_destroy(key);
    hold = erl_drv_mutex_create("hold");
    return good && hold != NULL ? 0 : 1;
}

static void finish(void)
{
    in_thread(give_back, NULL);
    erl_drv_mutex_destroy(hold);
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    (void)operation, (void)rlen;
    return answer((ErlDrvPort)data, buf, len, rbuf);
}

static ErlDrvEntry entry = {
    .init = init,
    .start = start,
    .finish = finish,
    .control = control,
    .driver_name = "locks_drv",
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
};

DRIVER_INIT(locks_drv)
{
    return &entry;
}

/*
 * memory_drv - binaries, memory, time, libraries and facts, at their edges.
 * tests/scenarios/memory.exs asks the questions of wharf and of Erlang.
 */
#include "asked.h"
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <time.h>

static ErlDrvBinary *kept; /* between questions */

static int filled(const char *bytes, size_t len, char with)
{
    while (len > 0)
        if (bytes[--len] != with)
            return 0;
    return 1;
}

static void memory(ErlDrvPort port, char *argument)
{
    char *one = driver_alloc(0), *two = driver_alloc(0), *grown;
    (void)port, (void)argument;
    say("apart %d ", one != NULL && two != NULL && one != two);
    say("aligned %d ", ((uintptr_t)one & 7) == 0 && ((uintptr_t)two & 7) == 0);
    one = driver_realloc(one, 10);
    memset(one, 'm', 10);
    one = driver_realloc(one, 100000);
    say("grown %d ", filled(one, 10, 'm'));
    memset(one, 'n', 100000);
    one = driver_realloc(one, 3);
    say("shrunk %d ", filled(one, 3, 'n'));
    grown = driver_realloc(one, (size_t)1 << 60);
    say("too large %d %d ", grown == NULL, filled(one, 3, 'n'));
    say("%d ", driver_alloc((size_t)1 << 60) == NULL);
    say("most %d ", driver_alloc(SIZE_MAX - 4096) == NULL);
    driver_free(one);
    driver_free(two);
    one = driver_realloc(NULL, 5);
    say("from nothing %d ", one != NULL);
    memset(one, 'o', 5);
    driver_free(one);
    driver_free(NULL);
    say("end");
}

static void binaries(ErlDrvPort port, char *argument)
{
    ErlDrvBinary *bin = driver_alloc_binary(0), *none;
    (void)port, (void)argument;
    say("empty %d size %ld refc %ld ", bin != NULL, (long)bin->orig_size,
        driver_binary_get_refc(bin));
    say("counts %ld ", driver_binary_inc_refc(bin));
    say("%ld ", driver_binary_inc_refc(bin));
    say("%ld ", driver_binary_dec_refc(bin));
    say("%ld ", driver_binary_dec_refc(bin));
    bin = driver_realloc_binary(bin, 10);
    memset(bin->orig_bytes, 'b', 10);
    say("size %ld refc %ld ", (long)bin->orig_size, driver_binary_get_refc(bin));
    bin = driver_realloc_binary(bin, 100000);
    say("size %ld kept %d ", (long)bin->orig_size, filled(bin->orig_bytes, 10, 'b'));
    bin = driver_realloc_binary(bin, 4);
    say("size %ld kept %d ", (long)bin->orig_size, filled(bin->orig_bytes, 4, 'b'));
    none = driver_realloc_binary(bin, (size_t)1 << 60);
    say("too large %d size %ld kept %d ", none == NULL, (long)bin->orig_size,
        filled(bin->orig_bytes, 4, 'b'));
    say("%d ", driver_alloc_binary((size_t)1 << 60) == NULL);
    bin = driver_realloc_binary(bin, 0);
    say("size %ld refc %ld ", (long)bin->orig_size, driver_binary_get_refc(bin));
    driver_binary_inc_refc(bin);
    driver_free_binary(bin);
    say("left %ld ", driver_binary_get_refc(bin));
    driver_free_binary(bin);
    say("end");
}

/* The system's own complaints go to its log. */
static void null_binaries(ErlDrvPort port, char *argument)
{
    ErlDrvBinary *bin = driver_realloc_binary(NULL, 6);
    (void)port, (void)argument;
    say("from nothing %d size %ld refc %ld ", bin != NULL, (long)bin->orig_size,
        driver_binary_get_refc(bin));
    driver_free_binary(bin);
    driver_free_binary(NULL);
    say("end");
}

/* One binary in the queue, more than once, and in the driver. */
static void queued(ErlDrvPort port, char *argument)
{
    ErlDrvBinary *bin = driver_alloc_binary(100);
    SysIOVec *iov;
    int n;
    (void)argument;
    memset(bin->orig_bytes, 'q', 100);
    say("enq %d ", driver_enq_bin(port, bin, 10, 80));
    say("refc %ld ", driver_binary_get_refc(bin));
    say("push %d ", driver_pushq_bin(port, bin, 0, 5));
    say("refc %ld ", driver_binary_get_refc(bin));
    say("nothing %d ", driver_enq_bin(port, bin, 100, 0));
    say("refc %ld ", driver_binary_get_refc(bin));
    iov = driver_peekq(port, &n);
    say("in place %d %d ", n, iov[0].iov_base == bin->orig_bytes && iov[1].iov_base == bin->orig_bytes + 10);
    say("deq %ld ", (long)driver_deq(port, 4));
    say("refc %ld ", driver_binary_get_refc(bin));
    say("deq %ld ", (long)driver_deq(port, 1));
    say("refc %ld ", driver_binary_get_refc(bin));
    driver_free_binary(bin);
    iov = driver_peekq(port, &n);
    say("there %d %d ", n, filled(iov[0].iov_base, 80, 'q'));
    say("deq %ld", (long)driver_deq(port, 80));
}

/* The kept binary as a term to whoever asks: "size offset". */
static void send_kept(ErlDrvPort port, char *argument)
{
    unsigned long size = 0, offset = 0;
    ErlDrvTermData spec[4];
    sscanf(argument, "%lu %lu", &size, &offset);
    spec[0] = ERL_DRV_BINARY;
    spec[1] = (ErlDrvTermData)kept;
    spec[2] = size;
    spec[3] = offset;
    say("%d", erl_drv_send_term(driver_mk_port(port), driver_caller(port), spec, 4));
}

static void keep(ErlDrvPort port, char *argument)
{
    size_t size = (size_t)atol(argument);
    (void)port;
    kept = driver_alloc_binary(size);
    memset(kept->orig_bytes, 'k', size);
    say("%ld", driver_binary_get_refc(kept));
}

/* What orig_size says is what there is. */
static void cut(ErlDrvPort port, char *argument)
{
    (void)port;
    kept->orig_size = atol(argument);
    say("%ld", (long)kept->orig_size);
}

static void refc(ErlDrvPort port, char *argument)
{
    (void)port, (void)argument;
    say("%ld", driver_binary_get_refc(kept));
}

static void enqueue(ErlDrvPort port, char *argument)
{
    (void)argument;
    say("%d ", driver_enq_bin(port, kept, 0, (ErlDrvSizeT)kept->orig_size));
    say("%ld", driver_binary_get_refc(kept));
}

static void dequeue(ErlDrvPort port, char *argument)
{
    say("%ld ", (long)driver_deq(port, (ErlDrvSizeT)atol(argument)));
    say("%ld", driver_binary_get_refc(kept));
}

static void release(ErlDrvPort port, char *argument)
{
    (void)port, (void)argument;
    driver_free_binary(kept);
    kept = NULL;
    say("ok");
}

/* What is kept of the last command: how much, and whether it is all the same byte. */
static void look(ErlDrvPort port, char *argument)
{
    (void)port;
    say("%ld %d", (long)kept->orig_size, filled(kept->orig_bytes, (size_t)kept->orig_size, argument[0]));
}

static void clock_(ErlDrvPort port, char *argument)
{
    static const ErlDrvTime per_second[] = {1, 1000, 1000000, 1000000000};
    ErlDrvTime now = (ErlDrvTime)time(NULL), before, after, sum;
    int unit;
    (void)port, (void)argument;
    for (unit = ERL_DRV_SEC; unit <= ERL_DRV_NSEC; unit++) {
        before = erl_drv_monotonic_time((ErlDrvTimeUnit)unit);
        after = erl_drv_monotonic_time((ErlDrvTimeUnit)unit);
        sum = (after + erl_drv_time_offset((ErlDrvTimeUnit)unit)) / per_second[unit];
        say("%d%d ", before <= after && after - before < 60 * per_second[unit], sum - now > -60 && sum - now < 60);
    }
    for (unit = -1; unit <= 5; unit += unit == -1 ? 5 : 1)
        say("%d%d ", erl_drv_monotonic_time((ErlDrvTimeUnit)unit) == ERL_DRV_TIME_ERROR,
            erl_drv_time_offset((ErlDrvTimeUnit)unit) == ERL_DRV_TIME_ERROR);
    say("%d", erl_drv_monotonic_time((ErlDrvTimeUnit)INT_MAX) == ERL_DRV_TIME_ERROR);
}

static void convert(ErlDrvPort port, char *argument)
{
    ErlDrvTime value = (ErlDrvTime)strtoll(argument, NULL, 10);
    int from, to;
    (void)port;
    for (from = ERL_DRV_SEC; from <= ERL_DRV_NSEC; from++)
        for (to = ERL_DRV_SEC; to <= ERL_DRV_NSEC; to++)
            say("%lld ", (long long)erl_drv_convert_time_unit(value, (ErlDrvTimeUnit)from, (ErlDrvTimeUnit)to));
    say("%d%d%d%d",
        erl_drv_convert_time_unit(value, (ErlDrvTimeUnit)-1, ERL_DRV_SEC) == ERL_DRV_TIME_ERROR,
        erl_drv_convert_time_unit(value, ERL_DRV_SEC, (ErlDrvTimeUnit)4) == ERL_DRV_TIME_ERROR,
        erl_drv_convert_time_unit(value, (ErlDrvTimeUnit)4, (ErlDrvTimeUnit)4) == ERL_DRV_TIME_ERROR,
        erl_drv_convert_time_unit(value, ERL_DRV_SEC, (ErlDrvTimeUnit)INT_MAX) == ERL_DRV_TIME_ERROR);
}

static void now(ErlDrvPort port, char *argument)
{
    ErlDrvNowData last, next;
    long difference;
    int i, increasing = 1, inside = 1, results = 0;
    (void)port, (void)argument;
    say("null %d ", driver_get_now(NULL));
    results |= driver_get_now(&last);
    difference = (long)(last.megasecs * 1000000 + last.secs) - (long)time(NULL);
    say("today %d ", difference > -60 && difference < 60);
    for (i = 0; i < 2000; i++, last = next) {
        results |= driver_get_now(&next);
        increasing &= next.megasecs > last.megasecs ||
                      (next.megasecs == last.megasecs &&
                       (next.secs > last.secs || (next.secs == last.secs && next.microsecs > last.microsecs)));
        inside &= next.secs < 1000000 && next.microsecs < 1000000;
    }
    say("results %d increasing %d inside %d", results, increasing, inside);
}

static void errors(ErlDrvPort port, char *argument)
{
    static const int odd[] = {-1, INT_MIN, INT_MAX, 512, 1000, 4095};
    size_t i;
    int number;
    (void)port, (void)argument;
    for (number = 0; number < 140; number++)
        say("%s ", erl_errno_id(number));
    for (i = 0; i < sizeof odd / sizeof odd[0]; i++)
        say("%s ", erl_errno_id(odd[i]));
}

/* What the system's facts fill of a structure of some size, and that no byte behind it is touched. */
static void facts(ErlDrvPort port, char *argument)
{
    union {
        ErlDrvSysInfo info;
        char bytes[128];
    } room;
    size_t size = (size_t)atol(argument), after;
    (void)port;
    memset(&room, 77, sizeof room);
    driver_system_info(&room.info, size);
    for (after = sizeof room; after > 0 && room.bytes[after - 1] == 77; after--)
        ;
    say("until %lu: ", (unsigned long)after);
    if (after == 0)
        return;
    say("%d.%d otp %s erts %s threads %d smp %d ", room.info.driver_major_version,
        room.info.driver_minor_version, room.info.otp_release, room.info.erts_version,
        room.info.thread_support, room.info.smp_support);
    if (after > 32)
        say("async %d schedulers %d ", room.info.async_threads, room.info.scheduler_threads > 0);
    if (after > 40)
        say("nif %d.%d ", room.info.nif_major_version, room.info.nif_minor_version);
    if (after > 48)
        say("dirty %d ", room.info.dirty_scheduler_support);
}

/* What driver_dl_error says, without the name of a file in front. */
static void say_error(void)
{
    char *text = driver_dl_error();
    char *behind = text == NULL ? NULL : strstr(text, ": ");
    say("(%s) ", text == NULL ? "NULL" : text[0] == '/' && behind != NULL ? behind + 2 : text);
}

/* A library by its path without ".so". In a thread of its own, as errors may be a thread's. */
static void *try_library(void *path)
{
    void *one, *two;
    say_error();
    one = driver_dl_open(path);
    say("open %d ", one != NULL);
    say_error();
    if (one == NULL)
        return NULL;
    two = driver_dl_open(path);
    say("again %d ", two != NULL);
    say("symbol %d ", driver_dl_sym(one, "driver_init") != NULL);
    say("same %d ", driver_dl_sym(one, "driver_init") == driver_dl_sym(two, "driver_init"));
    say_error();
    say("none %d ", driver_dl_sym(one, "no_such_symbol_at_all") == NULL);
    say_error();
    say("empty name %d ", driver_dl_sym(one, "") == NULL);
    say_error();
    say("open %d ", driver_dl_open("/no/such/library") != NULL);
    say_error();
    say("symbol %d ", driver_dl_sym(one, "driver_init") != NULL);
    say_error();
    say("close %d ", driver_dl_close(two));
    say("%d ", driver_dl_close(one));
    say_error();
    return NULL;
}

static void *only_error(void *unused)
{
    say_error();
    return unused;
}

static void library(ErlDrvPort port, char *argument)
{
    ErlDrvTid thread;
    (void)port;
    erl_drv_thread_create("library", &thread, try_library, argument, NULL);
    erl_drv_thread_join(thread, NULL);
    say("elsewhere ");
    erl_drv_thread_create("library", &thread, only_error, NULL, NULL);
    erl_drv_thread_join(thread, NULL);
}

static void nothing(ErlDrvPort port, char *argument)
{
    (void)port, (void)argument;
    say("%d", null_func());
}

static void lock(ErlDrvPort port, char *argument)
{
    (void)argument;
    say("%d ", driver_lock_driver((ErlDrvPort)-1));
    say("%d ", driver_lock_driver(port));
    say("%d", driver_lock_driver(port));
}

static Question questions[] = {
    {"memory", memory},   {"binaries", binaries}, {"null_binaries", null_binaries},
    {"queued", queued},   {"keep", keep},         {"send", send_kept},
    {"cut", cut},         {"refc", refc},         {"enqueue", enqueue},
    {"dequeue", dequeue}, {"release", release},   {"look", look},
    {"clock", clock_},    {"convert", convert},   {"now", now},
    {"errors", errors},   {"facts", facts},       {"library", library},
    {"null_func", nothing}, {"lock", lock},
    {NULL, NULL},
};

static ErlDrvData start(ErlDrvPort port, char *command)
{
    (void)command;
    return (ErlDrvData)port;
}

/* Keeps the last binary of a command. */
static void outputv(ErlDrvData data, ErlIOVec *ev)
{
    int last = ev->vsize - 1;
    (void)data;
    if (kept != NULL)
        driver_free_binary(kept);
    kept = last > 0 ? ev->binv[last] : NULL;
    if (kept != NULL)
        driver_binary_inc_refc(kept);
}

/* 1 answers with the kept binary itself, which it goes on keeping. */
static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    ErlDrvPort port = (ErlDrvPort)data;
    (void)rlen;
    set_port_control_flags(port, operation == 1 ? PORT_CONTROL_FLAG_BINARY : 0);
    if (operation != 1)
        return answer(port, buf, len, rbuf);
    driver_binary_inc_refc(kept);
    *rbuf = (char *)kept;
    return 0;
}

static ErlDrvEntry entry = {
    .start = start,
    .outputv = outputv,
    .control = control,
    .driver_name = "memory_drv",
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
};

DRIVER_INIT(memory_drv)
{
    return &entry;
}

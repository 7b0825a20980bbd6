/* The driver that `wharf bench` measures with, on wharf and on Erlang. Built twice: bench_drv
 * (output) and bench_drvv (-DOUTV: outputv). The word after the driver's name picks what output does:
 *   copy  driver_output of the same bytes
 *   bin   driver_output_binary (output) / driver_outputv, no copy (outputv)
 *   sink  nothing
 * Everything else is asked for through control, see the switch below. */
#define _GNU_SOURCE
#include <erl_driver.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MSG 64
#define MAXFD 20000
#define BINS 20000 /* lateness histogram, 10 us a bin */

typedef struct {
    ErlDrvPort port;
    ErlDrvTermData id, owner;
    char mode, batch;
    unsigned ms, left, count, nfd;
    int64_t due;
    int *rd;
    ErlDrvTid tid;
    int has_tid;
} St;

static ErlDrvTermData am_tag;
static int wr[MAXFD];
static unsigned nwr;
static uint64_t late_sum, late_n;
static uint32_t hist[BINS];

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static int init(void)
{
    am_tag = driver_mk_atom("tag");
    return 0;
}

static ErlDrvData start(ErlDrvPort port, char *cmd)
{
    St *s = driver_alloc(sizeof *s);
    char *arg = strchr(cmd, ' ');
    memset(s, 0, sizeof *s);
    s->port = port;
    s->id = driver_mk_port(port);
    s->owner = driver_connected(port);
    s->mode = arg ? arg[1] : 's';
    return (ErlDrvData)s;
}

static void stop(ErlDrvData d)
{
    St *s = (St *)d;
    if (s->has_tid)
        erl_drv_thread_join(s->tid, NULL);
    for (unsigned i = 0; i < s->nfd; i++)
        driver_select(s->port, (ErlDrvEvent)(intptr_t)s->rd[i], ERL_DRV_READ | ERL_DRV_USE, 0);
    if (s->nfd) { /* the port that made pipes closes every write end */
        for (unsigned i = 0; i < nwr; i++)
            close(wr[i]);
        nwr = 0;
        free(s->rd);
    }
    driver_free(s);
}

static void stop_select(ErlDrvEvent e, void *x) { (void)x; close((int)(intptr_t)e); }

#ifdef OUTV
static void outputv(ErlDrvData d, ErlIOVec *ev)
{
    St *s = (St *)d;
    if (s->mode == 'b')
        driver_outputv(s->port, NULL, 0, ev, 0);
}
#else
static void output(ErlDrvData d, char *buf, ErlDrvSizeT len)
{
    St *s = (St *)d;
    if (s->mode == 'c') {
        driver_output(s->port, buf, len);
    } else if (s->mode == 'b') {
        ErlDrvBinary *b = driver_alloc_binary(len);
        memcpy(b->orig_bytes, buf, len);
        driver_output_binary(s->port, NULL, 0, b, 0, len);
        driver_free_binary(b);
    }
}
#endif

static void *send_terms(void *x)
{
    St *s = x;
    static char body[16] = "0123456789abcdef";
    for (unsigned i = 0; i < s->count; i++) {
        ErlDrvTermData t[] = {ERL_DRV_ATOM, am_tag, ERL_DRV_UINT, i,
                              ERL_DRV_BUF2BINARY, (ErlDrvTermData)body, sizeof body,
                              ERL_DRV_TUPLE, 3};
        erl_drv_send_term(s->id, s->owner, t, sizeof t / sizeof *t);
    }
    return NULL;
}

static void *write_pipes(void *x)
{
    St *s = x;
    static char m[MSG];
    for (unsigned i = 0; i < s->count; i++)
        if (write(wr[i % nwr], m, MSG) != MSG)
            break;
    return NULL;
}

static void nop(void *x) { (void)x; }

static void ready_async(ErlDrvData d, ErlDrvThreadData x)
{
    St *s = (St *)d;
    ErlDrvTermData t[] = {ERL_DRV_ATOM, am_tag, ERL_DRV_UINT, (ErlDrvTermData)x, ERL_DRV_TUPLE, 2};
    erl_drv_send_term(s->id, s->owner, t, sizeof t / sizeof *t);
}

static void arm(St *s)
{
    s->due = now_us() + s->ms * 1000LL;
    driver_set_timer(s->port, s->ms);
}

static void timeout(ErlDrvData d)
{
    St *s = (St *)d;
    int64_t late = now_us() - s->due;
    unsigned b = late < 0 ? 0 : late / 10;
    __atomic_fetch_add(&late_sum, late < 0 ? 0 : late, __ATOMIC_RELAXED);
    __atomic_fetch_add(&late_n, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&hist[b < BINS ? b : BINS - 1], 1, __ATOMIC_RELAXED);
    if (--s->left)
        arm(s);
    else
        driver_output(s->port, "x", 1);
}

static void ready_input(ErlDrvData d, ErlDrvEvent e)
{
    St *s = (St *)d;
    static __thread char buf[65536];
    ssize_t n = read((int)(intptr_t)e, buf, s->batch ? sizeof buf : MSG);
    for (ssize_t i = 0; i < n; i += MSG)
        driver_output(s->port, buf + i, MSG);
}

static ErlDrvSSizeT control(ErlDrvData d, unsigned cmd, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    St *s = (St *)d;
    uint32_t a[2] = {0, 0};
    (void)rlen;
    if (cmd == 0)
        return 0;
    if (cmd == 8) {
        memcpy(*rbuf, "12345678", 8);
        return 8;
    }
    memcpy(a, buf, len < sizeof a ? len : sizeof a);
    switch (cmd) {
    case 'B': /* answer control in binaries */
        set_port_control_flags(s->port, PORT_CONTROL_FLAG_BINARY);
        break;
    case 'T': /* a thread sends a[0] terms */
    case 'W': /* a thread writes a[0] messages round robin over all pipes */
        s->count = a[0];
        s->has_tid = !erl_drv_thread_create("bench", &s->tid, cmd == 'T' ? send_terms : write_pipes,
                                            s, NULL);
        break;
    case 'A': /* submit a[0] jobs */
        for (uint32_t i = 0; i < a[0]; i++)
            driver_async(s->port, NULL, nop, (void *)(uintptr_t)i, NULL);
        break;
    case 'M': /* re-arm an a[0] ms timer a[1] times */
        s->ms = a[0];
        s->left = a[1];
        arm(s);
        break;
    case 'H': { /* mean and 99th percentile lateness in us; resets */
        uint64_t r[2] = {late_n ? late_sum / late_n : 0, 0}, acc = 0;
        while (r[1] < BINS - 1 && (acc += hist[r[1]]) * 100 < late_n * 99)
            r[1]++;
        r[1] *= 10;
        memset(hist, 0, sizeof hist);
        late_sum = late_n = 0;
        memcpy(*rbuf, r, sizeof r);
        return sizeof r;
    }
    case 'Q': /* queue a[0] pieces of a[1] bytes */
        for (uint32_t i = 0; i < a[0]; i++) {
            ErlDrvBinary *piece = driver_alloc_binary(a[1]);
            if (!piece)
                return -1;
            memset(piece->orig_bytes, 'q', a[1]);
            driver_enq_bin(s->port, piece, 0, a[1]);
            driver_free_binary(piece);
        }
        break;
    case 'D': { /* take all of the queue away, a[0] bytes at a time, and look at its front each time */
        int pieces;
        while (driver_sizeq(s->port) > 0 && driver_peekq(s->port, &pieces))
            driver_deq(s->port, a[0]);
        break;
    }
    case 'P': /* make a[0] pipes and select their read ends; a[1]: read all there is */
        s->nfd = a[0];
        s->batch = a[1];
        s->rd = malloc(a[0] * sizeof *s->rd);
        for (uint32_t i = 0; i < a[0]; i++) {
            int p[2];
            if (pipe2(p, O_CLOEXEC) != 0)
                return -1;
            fcntl(p[0], F_SETFL, O_NONBLOCK);
            s->rd[i] = p[0];
            wr[nwr++] = p[1];
            driver_select(s->port, (ErlDrvEvent)(intptr_t)p[0], ERL_DRV_READ | ERL_DRV_USE, 1);
        }
        break;
    default:
        return -1;
    }
    return 0;
}

#ifdef OUTV
#define NAME bench_drvv
#define NAMESTR "bench_drvv"
#else
#define NAME bench_drv
#define NAMESTR "bench_drv"
#endif

static ErlDrvEntry entry = {
    .init = init,
    .start = start,
    .stop = stop,
#ifdef OUTV
    .outputv = outputv,
#else
    .output = output,
#endif
    .ready_input = ready_input,
    .driver_name = NAMESTR,
    .control = control,
    .timeout = timeout,
    .ready_async = ready_async,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
    .stop_select = stop_select,
};

DRIVER_INIT(NAME) { return &entry; }

/* The work of `wharf bench` with nothing around it: what a machine allows at most. Each command
 * prints one or more numbers; src/bin/wharf/bench/rows.rs says which of them a row compares with. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <erl_driver.h>

extern char **environ;
static long A(char **v, int i) { return v[i] ? atol(v[i]) : 0; }

static int64_t ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}
static double secs(int64_t t0) { return (ns() - t0) * 1e-9; }
static void die(const char *w) { perror(w); exit(1); }

static long rss(void) /* bytes */
{
    long a, b = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &a, &b) != 2)
        die("statm");
    fclose(f);
    return b * 4096;
}

/* ---- queue: what stands in for a mailbox ---- */
typedef struct node { struct node *next; long n; char b[]; } Node;
typedef struct { pthread_mutex_t m; pthread_cond_t c; Node *head, **tail; int waits; } Q;
static void qinit(Q *q) { pthread_mutex_init(&q->m, 0); pthread_cond_init(&q->c, 0); q->head = 0; q->tail = &q->head; q->waits = 0; }
static void qput(Q *q, Node *x)
{
    x->next = NULL;
    pthread_mutex_lock(&q->m);
    *q->tail = x;
    q->tail = &x->next;
    int w = q->waits;
    pthread_mutex_unlock(&q->m);
    if (w)
        pthread_cond_signal(&q->c);
}
static Node *qone(Q *q) /* one, or NULL */
{
    pthread_mutex_lock(&q->m);
    Node *x = q->head;
    if (x && !(q->head = x->next))
        q->tail = &q->head;
    pthread_mutex_unlock(&q->m);
    return x;
}
static Node *qall(Q *q) /* waits; everything there is */
{
    pthread_mutex_lock(&q->m);
    while (!q->head) {
        q->waits++;
        pthread_cond_wait(&q->c, &q->m);
        q->waits--;
    }
    Node *x = q->head;
    q->head = 0;
    q->tail = &q->head;
    pthread_mutex_unlock(&q->m);
    return x;
}
static Q mbox;
static Node *msg(const void *b, long n)
{
    Node *x = malloc(sizeof *x + n);
    x->n = n;
    memcpy(x->b, b, n);
    return x;
}

/* ---- 1, 2: calls through a pointer under a port lock ---- */
static long N;
static long ctl_cb(unsigned cmd, char **r)
{
    if (cmd == 8) {
        memcpy(*r, "12345678", 8);
        return 8;
    }
    return 0;
}
static long (*volatile ctl_fp)(unsigned, char **) = ctl_cb;
static void *ctl_thread(void *x)
{
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    char out[64], *r = out;
    (void)x;
    for (long i = 0; i < N; i++) {
        pthread_mutex_lock(&m);
        ctl_fp(8, &r);
        pthread_mutex_unlock(&m);
    }
    return NULL;
}
static void ctl(char **v) /* N threads: calls/s of all */
{
    pthread_t t[8];
    int k = A(v, 1);
    N = A(v, 0);
    int64_t t0 = ns();
    for (int i = 0; i < k; i++)
        pthread_create(&t[i], 0, ctl_thread, 0);
    for (int i = 0; i < k; i++)
        pthread_join(t[i], 0);
    printf("%f\n", N * k / secs(t0));
}
static int refs = 1;
static void echo_copy(char *b, long n) { qput(&mbox, msg(b, n)); }
static void echo_ref(char *b, long n)
{
    __atomic_add_fetch(&refs, 1, __ATOMIC_RELAXED);
    Node *x = msg(&b, sizeof b);
    x->n = n;
    qput(&mbox, x);
}
static void sink_cb(char *b, long n) { (void)b; (void)n; }
static void echo(char **v) /* N size copy|ref|sink */
{
    void (*volatile fp)(char *, long) = *v[2] == 'c' ? echo_copy : *v[2] == 'r' ? echo_ref : sink_cb;
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    long n = A(v, 0), sz = A(v, 1);
    char *b = calloc(1, sz);
    int64_t t0 = ns();
    for (long i = 0; i < n; i++) {
        pthread_mutex_lock(&m);
        fp(b, sz);
        pthread_mutex_unlock(&m);
        Node *x = *v[2] == 's' ? 0 : qone(&mbox);
        if (x && *v[2] == 'r')
            __atomic_sub_fetch(&refs, 1, __ATOMIC_RELAXED);
        free(x);
    }
    printf("%f\n", n / secs(t0));
}

/* ---- 3: a thread sends, another receives ---- */
static void *term_thread(void *x)
{
    char b[48] = "";
    for (long i = 0; i < N; i++)
        qput(x, msg(b, sizeof b));
    return NULL;
}
static void term(char **v)
{
    pthread_t t;
    long got = 0;
    N = A(v, 0);
    int64_t t0 = ns();
    pthread_create(&t, 0, term_thread, &mbox);
    while (got < N)
        for (Node *x = qall(&mbox), *y; x; x = y, got++) {
            y = x->next;
            free(x);
        }
    printf("%f\n", N / secs(t0));
    pthread_join(t, 0);
}

/* ---- 4: job pool ---- */
static Q jobs[8];
static void *pool_thread(void *x)
{
    for (;;)
        for (Node *j = qall(x), *y; j; j = y) {
            y = j->next;
            qput(&mbox, j);
        }
    return NULL;
}
static void async(char **v) /* N threads */
{
    long n = A(v, 0), k = A(v, 1), got = 0;
    pthread_t t;
    for (long i = 0; i < k; i++) {
        qinit(&jobs[i]);
        pthread_create(&t, 0, pool_thread, &jobs[i]);
    }
    int64_t t0 = ns();
    for (long i = 0; i < n; i++)
        qput(&jobs[i % k], msg(&i, sizeof i));
    while (got < n)
        for (Node *x = qall(&mbox), *y; x; x = y, got++) {
            y = x->next;
            free(x);
        }
    printf("%f\n", n / secs(t0));
}

/* ---- 5: timers, a heap of deadlines ---- */
typedef struct { int64_t due; long left; } T;
static T heap[4096];
static void sift(long n)
{
    T t = heap[0];
    long i = 0, c;
    for (; (c = 2 * i + 1) < n; i = c) {
        if (c + 1 < n && heap[c + 1].due < heap[c].due)
            c++;
        if (t.due <= heap[c].due)
            break;
        heap[i] = heap[c];
    }
    heap[i] = t;
}
static void timer0(char **v) /* N: re-arms/s with no poll between, and with one */
{
    long n = A(v, 0);
    struct epoll_event e;
    for (int poll = 0; poll < 2; poll++) {
        int ep = epoll_create1(EPOLL_CLOEXEC);
        heap[0] = (T){ns(), n};
        int64_t t0 = ns();
        while (heap[0].left) {
            if (poll)
                epoll_wait(ep, &e, 1, 0);
            int64_t t = ns();
            if (heap[0].due <= t) {
                heap[0] = (T){t, heap[0].left - 1};
                sift(1);
            }
        }
        printf("%f ", n / secs(t0));
        close(ep);
    }
}
static void timer1(char **v) /* timers fires ms: fires/s, mean and p99 lateness in us */
{
    long n = A(v, 0), f = A(v, 1), ms = A(v, 2), total = n * f, left = total;
    static uint32_t hist[100000];
    int64_t sum = 0, step = ms * 1000000, t0 = ns(), acc = 0, p = 0;
    int ep = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e;
    prctl(PR_SET_TIMERSLACK, 1);
    for (long i = 0; i < n; i++)
        heap[i] = (T){ns() + step, f};
    while (left) {
        int64_t t = ns();
        while (left && heap[0].due <= t) {
            int64_t late = (t = ns()) - heap[0].due;
            sum += late;
            hist[late / 10000 < 100000 ? late / 10000 : 99999]++;
            left--;
            heap[0].due = --heap[0].left ? t + step : INT64_MAX;
            sift(n);
        }
        if (left && heap[0].due > t) {
            int64_t d = heap[0].due - t;
            struct timespec ts = {d / 1000000000, d % 1000000000};
            epoll_pwait2(ep, &e, 1, &ts, NULL);
        }
    }
    while ((acc += hist[p]) * 100 < total * 99)
        p++;
    printf("%f %f %f\n", total / secs(t0), sum / 1e3 / total, p * 10.0);
}

/* ---- 6: epoll over pipes a thread writes ---- */
static int wr[4096], nwr;
static void *pipe_thread(void *x)
{
    static char m[64];
    (void)x;
    for (long i = 0; i < N; i++)
        if (write(wr[i % nwr], m, 64) != 64)
            die("write");
    return NULL;
}
static void selects(char **v) /* N fds batch: messages/s */
{
    long got = 0;
    int k = A(v, 1), batch = A(v, 2), ep = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev[512];
    static char buf[65536];
    pthread_t t;
    N = A(v, 0);
    for (int i = 0; i < k; i++) {
        int p[2];
        if (pipe2(p, O_CLOEXEC))
            die("pipe");
        fcntl(p[0], F_SETFL, O_NONBLOCK);
        wr[nwr++] = p[1];
        struct epoll_event e = {.events = EPOLLIN, .data.fd = p[0]};
        epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e);
    }
    int64_t t0 = ns();
    pthread_create(&t, 0, pipe_thread, 0);
    while (got < N) {
        int n = epoll_wait(ep, ev, 512, -1);
        for (int64_t w = ns(); batch && ns() - w < 50000;)
            ; /* too eager a reader fights the writer for the pipe */
        for (int i = 0; i < n; i++) {
            ssize_t r = read(ev[i].data.fd, buf, batch ? sizeof buf : 64);
            for (ssize_t o = 0; o < r; o += 64, got++) {
                qput(&mbox, msg(buf + o, 64));
                free(qone(&mbox));
            }
        }
    }
    printf("%f\n", N / secs(t0));
}

/* ---- 7: spawning ---- */
static pid_t by_posix(char **av)
{
    pid_t p;
    if (posix_spawn(&p, av[0], 0, 0, av, environ))
        die("spawn");
    return p;
}
static pid_t by_vfork(char **av)
{
    pid_t p = vfork();
    if (!p) {
        execve(av[0], av, environ);
        _exit(127);
    }
    return p;
}
static pid_t by_fork(char **av)
{
    pid_t p = fork();
    if (!p) {
        execve(av[0], av, environ);
        _exit(127);
    }
    return p;
}
static void spawns(char **v) /* N in-flight heap-MB: posix_spawn, vfork, fork per s */
{
    pid_t (*how[])(char **) = {by_posix, by_vfork, by_fork};
    char *av[] = {"/bin/true", 0};
    long n = A(v, 0), fl = A(v, 1), mb = A(v, 2);
    if (mb)
        memset(malloc(mb << 20), 1, mb << 20);
    for (int h = 0; h < 3; h++) {
        int64_t t0 = ns();
        long live = 0;
        for (long i = 0; i < n; i++) {
            how[h](av);
            if (++live == fl) {
                wait(NULL);
                live--;
            }
        }
        while (wait(NULL) > 0)
            ;
        printf("%f ", n / secs(t0));
    }
}

/* ---- 8, 9: programs over pipes ---- */
static void one_core(void)
{
    cpu_set_t c;
    CPU_ZERO(&c);
    CPU_SET(sched_getcpu(), &c);
    sched_setaffinity(0, sizeof c, &c);
}
static pid_t prog(char **av, int *in, int *out)
{
    int a[2], b[2];
    pid_t p;
    posix_spawn_file_actions_t fa;
    if (pipe2(a, O_CLOEXEC) || pipe2(b, O_CLOEXEC))
        die("pipe");
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, a[0], 0);
    posix_spawn_file_actions_adddup2(&fa, b[1], 1);
    if (posix_spawn(&p, av[0], &fa, 0, av, environ))
        die("spawn");
    posix_spawn_file_actions_destroy(&fa);
    close(a[0]);
    close(b[1]);
    *in = a[1];
    *out = b[0];
    return p;
}
static void full(int wfd, char *b, long n)
{
    while (n) {
        ssize_t k = write(wfd, b, n);
        if (k < 0)
            die("write");
        b += k;
        n -= k;
    }
}
static char big[1 << 20];
/* N size packet4 first: round trips/s: blocking; epoll before each read; blocking, one core */
static void ext(char **v)
{
    long n = A(v, 0), sz = A(v, 1), p4 = A(v, 2);
    char *cat[] = {"/bin/cat", 0}, *e4[] = {"./prog", "echo4", 0};
    for (int how = A(v, 3); how < 3; how++) {
        int in, out, ep = epoll_create1(EPOLL_CLOEXEC);
        if (how == 2)
            one_core();
        pid_t pid = prog(p4 ? e4 : cat, &in, &out);
        struct epoll_event e = {.events = EPOLLIN};
        epoll_ctl(ep, EPOLL_CTL_ADD, out, &e);
        long tot = sz + (p4 ? 4 : 0);
        unsigned char h[4] = {sz >> 24, sz >> 16, sz >> 8, sz};
        memcpy(big, h, 4);
        int64_t t0 = ns();
        for (long i = 0; i < n; i++) {
            full(in, big, tot);
            for (long got = 0; got < tot;) {
                if (how == 1)
                    epoll_wait(ep, &e, 1, -1);
                ssize_t k = read(out, big + 65536 * 4, 65536);
                if (k <= 0)
                    die("read");
                got += k;
            }
        }
        printf("%f ", n / secs(t0));
        close(in);
        close(out);
        close(ep);
        waitpid(pid, 0, 0);
    }
}
static void pump1(char **v, int pipe_sz)
{
    long n = A(v, 0), left = n;
    int in, out;
    char *av[] = {"./prog", *v[1] == 'o' ? "blast" : "discard", v[0], 0};
    int64_t t0 = ns();
    pid_t p = prog(av, &in, &out);
    ssize_t k;
    if (pipe_sz && (fcntl(in, F_SETPIPE_SZ, pipe_sz) < 0 || fcntl(out, F_SETPIPE_SZ, pipe_sz) < 0))
        die("F_SETPIPE_SZ");
    if (*v[1] == 'o')
        while (left > 0 && (k = read(out, big, 65536)) > 0)
            left -= k;
    else {
        for (; left > 0; left -= 65536)
            full(in, big, 65536);
        if (read(out, big, 1) != 1)
            die("read");
    }
    printf("%f ", n / 1e6 / secs(t0));
    close(in);
    close(out);
    waitpid(p, 0, 0);
}
static void pump(char **v) /* bytes out|in: MB/s plain, with 1 MiB pipes, on one core */
{
    pump1(v, 0);
    pump1(v, 1 << 20);
    one_core();
    pump1(v, 0);
}
static void lines(char **v) /* N: lines/s, each copied into its own message */
{
    long n = A(v, 0), got = 0;
    int in, out;
    char *av[] = {"./prog", "lines", v[0], 0};
    int64_t t0 = ns();
    pid_t p = prog(av, &in, &out);
    ssize_t k, have = 0;
    while ((k = read(out, big + have, 65536)) > 0) {
        char *at = big, *end = big + have + k, *nl;
        while ((nl = memchr(at, '\n', end - at))) {
            qput(&mbox, msg(at, nl - at));
            free(qone(&mbox));
            got++;
            at = nl + 1;
        }
        memmove(big, at, have = end - at);
    }
    printf("%f\n", got / secs(t0));
    if (got != n)
        die("lines");
    waitpid(p, 0, 0);
}
static void many_drv(char **v) /* N: open ms, bytes each, round trip us each, close ms */
{
    typedef struct { pthread_mutex_t m; char pad[200]; void *st; } P;
    long n = A(v, 0);
    P **p = calloc(n, sizeof *p);
    void (*volatile fp)(char *, long) = echo_copy;
    char b[16] = "";
    long r0 = rss();
    int64_t t0 = ns();
    for (long i = 0; i < n; i++) {
        p[i] = calloc(1, sizeof(P));
        pthread_mutex_init(&p[i]->m, 0);
        p[i]->st = calloc(1, 64);
    }
    double open = secs(t0);
    long r1 = rss();
    t0 = ns();
    for (long i = 0; i < n; i++) {
        pthread_mutex_lock(&p[i]->m);
        fp(b, 16);
        pthread_mutex_unlock(&p[i]->m);
        free(qone(&mbox));
    }
    double rt = secs(t0);
    t0 = ns();
    for (long i = 0; i < n; i++) {
        free(p[i]->st);
        free(p[i]);
    }
    printf("%f %f %f %f\n", open * 1e3, (r1 - r0) / (double)n, rt * 1e6 / n, secs(t0) * 1e3);
}
/* N idle-s: open ms, bytes each, one by one us each, all at once us each, close ms, reaped ms;
 * with idle-s > 0 instead: CPU ms over that many idle seconds */
static void many_cat(char **v)
{
    long n = A(v, 0), idle = A(v, 1);
    char *cat[] = {"/bin/cat", 0}, b[16] = "";
    int *in = calloc(n, sizeof *in), *out = calloc(n, sizeof *out), ep = epoll_create1(EPOLL_CLOEXEC);
    long r0 = rss();
    int64_t t0 = ns();
    for (long i = 0; i < n; i++) {
        prog(cat, &in[i], &out[i]);
        struct epoll_event e = {.events = EPOLLIN, .data.fd = out[i]};
        epoll_ctl(ep, EPOLL_CTL_ADD, out[i], &e);
    }
    double open = secs(t0);
    long r1 = rss();
    if (idle) {
        struct rusage a, z;
        struct epoll_event e;
        getrusage(RUSAGE_SELF, &a);
        epoll_wait(ep, &e, 1, idle * 1000);
        getrusage(RUSAGE_SELF, &z);
        printf("%f\n", (z.ru_utime.tv_sec - a.ru_utime.tv_sec + z.ru_stime.tv_sec - a.ru_stime.tv_sec) * 1e3 +
                           (z.ru_utime.tv_usec - a.ru_utime.tv_usec + z.ru_stime.tv_usec - a.ru_stime.tv_usec) / 1e3);
    }
    t0 = ns();
    for (long i = 0; i < n; i++)
        if (write(in[i], b, 16) != 16 || read(out[i], b, 16) != 16)
            die("echo");
    double seq = secs(t0);
    t0 = ns();
    for (long i = 0; i < n; i++)
        if (write(in[i], b, 16) != 16)
            die("write");
    for (long got = 0; got < n;) {
        struct epoll_event ev[512];
        int k = epoll_wait(ep, ev, 512, -1);
        for (int i = 0; i < k; i++)
            got += read(ev[i].data.fd, b, 16) == 16;
    }
    double fan = secs(t0);
    t0 = ns();
    for (long i = 0; i < n; i++) {
        close(in[i]);
        close(out[i]);
    }
    double shut = secs(t0);
    while (wait(NULL) > 0)
        ;
    if (!idle)
        printf("%f %f %f %f %f %f\n", open * 1e3, (r1 - r0) / (double)n, seq * 1e6 / n, fan * 1e6 / n,
               shut * 1e3, secs(t0) * 1e3);
}

/* ---- cold start ---- */
/* what a driver calls while it is loaded, started and echoing */
ErlDrvTermData driver_mk_atom(char *s) { (void)s; return 1; }
ErlDrvTermData driver_mk_port(ErlDrvPort p) { (void)p; return 1; }
ErlDrvTermData driver_connected(ErlDrvPort p) { (void)p; return 1; }
void *driver_alloc(ErlDrvSizeT n) { return malloc(n); }
void driver_free(void *p) { free(p); }
int driver_output(ErlDrvPort p, char *b, ErlDrvSizeT n) { (void)p; qput(&mbox, msg(b, n)); return 0; }
static void cold(char **v) /* load the driver, echo once, cat echo once, exit */
{
    char b[2];
    int in, out;
    char *cat[] = {"/bin/cat", 0};
    (void)v;
    void *h = dlopen("./bench_drv.so", RTLD_LAZY);
    ErlDrvEntry *(*di)(void) = h ? (ErlDrvEntry * (*)(void)) dlsym(h, "driver_init") : 0;
    if (!di)
        die("dlopen");
    ErlDrvEntry *e = di();
    e->init();
    ErlDrvData d = e->start((ErlDrvPort)0, "bench_drv copy");
    e->output(d, "x", 1);
    free(qone(&mbox));
    prog(cat, &in, &out);
    if (write(in, "x", 1) != 1 || read(out, b, 1) != 1)
        die("cat");
}

int main(int argc, char **argv)
{
    static const struct { const char *n; void (*f)(char **); } cmds[] = {
        {"ctl", ctl}, {"echo", echo}, {"term", term}, {"async", async}, {"timer0", timer0},
        {"timer1", timer1}, {"select", selects}, {"spawn", spawns}, {"ext", ext}, {"pump", pump},
        {"lines", lines}, {"many_drv", many_drv}, {"many_cat", many_cat}, {"cold", cold}};
    qinit(&mbox);
    for (unsigned i = 0; argc > 1 && i < sizeof cmds / sizeof *cmds; i++)
        if (!strcmp(argv[1], cmds[i].n)) {
            cmds[i].f(argv + 2);
            return 0;
        }
    return 2;
}

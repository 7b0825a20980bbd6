/*
 * writers_drv - calls every function of the kernel's that writes, where it does what was asked and where
 * nobody reads. An answer that begins with "ok" is good; any other says what was wrong.
 *
 *     control 'e'  calls each of them here         control 'p'  by the function pointers of a table
 *     control 'r'  in a thread that the host does not know of
 *     control 'd'  in one that the host made       control 'u'  in such a one, which blocks nothing
 *     control 'h'  in a signal handler             control 'c'  in a thread that is cancelled
 *     control 'm'  answers "blocked" or "open": whether SIGPIPE is blocked in callbacks
 *
 * With -DONLY_ASKS nothing is there but 'm'; with -DALSO=name a function of that name is used as well.
 * With -DKEEPS a variable gets a function's address while the library is loaded, with -DLOSES one loses it.
 */
#define _GNU_SOURCE
#include "erl_driver.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

extern ssize_t __write(int, const void *, size_t);

#ifdef ALSO
void *also = (char *)&ALSO + 0
#ifdef ADDEND
                            + ADDEND
#endif
    ;
#endif
#ifdef IN_CODE
__asm__(".text\n.balign 8\n.quad write\n.previous");
#endif

#ifdef KEEPS
ssize_t (*kept)(int, const void *, size_t);
__attribute__((constructor)) static void keep(void)
{
    kept = write;
}
#endif
#ifdef LOSES
ssize_t (*lost)(int, const void *, size_t) = write;
void _init(void)
{
    lost = NULL;
}
#endif

static int is_blocked(void)
{
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    return sigismember(&mask, SIGPIPE);
}

static int is_pending(void)
{
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE);
}

#ifndef ONLY_ASKS

static char wrong[200];
/* There a signal that nobody will ever get may be pending. */
static __thread int in_own_thread;

static void complain(const char *function, const char *what, long number)
{
    if (!wrong[0])
        snprintf(wrong, sizeof wrong, "%s: %s (%ld)", function, what, number);
}

/* A pipe and a pair of sockets that somebody reads, and the same without readers. */
static int good_pipe[2], good_pair[2], bad_pipe, bad_socket, file, source_pipe[2];

static int make_ends(void)
{
    int ends[2], pair[2];
    if (pipe2(good_pipe, O_CLOEXEC) || socketpair(AF_UNIX, SOCK_STREAM, 0, good_pair) ||
        pipe2(ends, O_CLOEXEC) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
        pipe2(source_pipe, O_CLOEXEC))
        return -1;
    close(ends[0]);
    close(pair[0]);
    bad_pipe = ends[1];
    bad_socket = pair[1];
    file = memfd_create("writers", MFD_CLOEXEC);
    return file < 0 ? -1 : 0;
}

static void close_ends(void)
{
    int all[] = {good_pipe[0], good_pipe[1], good_pair[0], good_pair[1], bad_pipe,
                 bad_socket,   file,         source_pipe[0], source_pipe[1]};
    size_t i;
    for (i = 0; i < sizeof all / sizeof *all; i++)
        close(all[i]);
}

#define UNTOUCHED 4711

/* After a call that went well: its answer, errno as it was, and what the other side got. */
static void went(const char *function, long answer, int reader, const char *expected)
{
    char got[8] = "";
    long length = (long)strlen(expected);
    if (errno != UNTOUCHED)
        complain(function, "errno was touched", errno);
    if (answer != length)
        complain(function, "wrote another number of bytes", answer);
    else if (read(reader, got, (size_t)length) != length || memcmp(got, expected, length) != 0)
        complain(function, "other bytes arrived", 0);
}

/* After a call to write to nobody. */
static void failed(const char *function, long answer, int was_blocked, int was_pending)
{
    int number = errno;
    if (answer != -1 || number != EPIPE)
        complain(function, "did not fail with EPIPE", answer == -1 ? number : answer);
    if (is_blocked() != was_blocked)
        complain(function, "changed the mask", is_blocked());
    if (is_pending() != was_pending && !in_own_thread)
        complain(function, "changed what is pending", is_pending());
}

#define WELL(call, reader, expected)                                                                 \
    do {                                                                                             \
        errno = UNTOUCHED;                                                                           \
        long answer = (long)(call);                                                                  \
        went(#call, answer, reader, expected);                                                       \
    } while (0)

#define FAIL(call)                                                                                   \
    do {                                                                                             \
        int was_blocked = is_blocked(), was_pending = is_pending();                                  \
        errno = 0;                                                                                   \
        long answer = (long)(call);                                                                  \
        failed(#call, answer, was_blocked, was_pending);                                             \
    } while (0)

/* Messages have answers of their own: how many were sent. */
static long two_messages(int to, struct mmsghdr *both)
{
    int sent = sendmmsg(to, both, 2, 0);
    return sent < 0 ? sent : (long)(both[0].msg_len + both[1].msg_len) + (sent != 2);
}

static void fill_source(void)
{
    int number = errno;
    if (write(source_pipe[1], "tee", 3) != 3)
        complain("write", "does not write", errno);
    errno = number;
}

static void drain_source(void)
{
    char rest[64];
    int number = errno;
    if (read(source_pipe[0], rest, sizeof rest) < 1)
        complain("read", "does not read", errno);
    errno = number;
}

static void call_each(void)
{
    struct iovec two[2] = {{"ab", 2}, {"cd", 2}};
    struct msghdr message = {0};
    struct mmsghdr both[2] = {{{0}, 0}, {{0}, 0}};
    struct iovec halves[2] = {{"ab", 2}, {"cd", 2}};
    off_t at = 1;
    loff_t from = 1;
    message.msg_iov = two;
    message.msg_iovlen = 2;
    both[0].msg_hdr.msg_iov = &halves[0];
    both[1].msg_hdr.msg_iov = &halves[1];
    both[0].msg_hdr.msg_iovlen = both[1].msg_hdr.msg_iovlen = 1;

    WELL(write(good_pipe[1], "abc", 3), good_pipe[0], "abc");
    WELL(writev(good_pipe[1], two, 2), good_pipe[0], "abcd");
    lseek(file, 0, SEEK_SET);
    WELL(pwrite(file, "xyz", 3, 0), file, "xyz");
    WELL(pwrite64(file, "uvw", 3, 3), file, "uvw");
    lseek(file, 1, SEEK_SET);
    WELL(pwritev(file, two, 2, 1), file, "abcd");
    lseek(file, 2, SEEK_SET);
    WELL(pwritev64(file, two, 2, 2), file, "abcd");
    lseek(file, 0, SEEK_SET);
    WELL(pwritev2(file, two, 2, 0, 0), file, "abcd");
    lseek(file, 0, SEEK_SET);
    WELL(pwritev64v2(file, two, 2, 0, 0), file, "abcd");
    WELL(send(good_pair[0], "abc", 3, 0), good_pair[1], "abc");
    WELL(sendto(good_pair[0], "abc", 3, 0, NULL, 0), good_pair[1], "abc");
    WELL(sendmsg(good_pair[0], &message, 0), good_pair[1], "abcd");
    WELL(two_messages(good_pair[0], both), good_pair[1], "abcd");
    WELL(sendfile(good_pair[0], file, &at, 2), good_pair[1], "bc");
    if (at != 3)
        complain("sendfile", "left the offset elsewhere", at);
    WELL(sendfile64(good_pair[0], file, &from, 2), good_pair[1], "bc");
    from = 1;
    WELL(splice(file, &from, good_pipe[1], NULL, 3, 0), good_pipe[0], "bcd");
    if (from != 4)
        complain("splice", "left the offset elsewhere", from);
    WELL(vmsplice(good_pipe[1], two, 2, 0), good_pipe[0], "abcd");
    fill_source();
    WELL(tee(source_pipe[0], good_pipe[1], 3, 0), good_pipe[0], "tee");

    FAIL(write(bad_pipe, "abc", 3));
    FAIL(write(bad_socket, "abc", 3));
    FAIL(writev(bad_pipe, two, 2));
    FAIL(pwritev2(bad_pipe, two, 2, -1, 0));
    FAIL(pwritev64v2(bad_socket, two, 2, -1, 0));
    FAIL(send(bad_socket, "abc", 3, 0));
    FAIL(sendto(bad_socket, "abc", 3, 0, NULL, 0));
    FAIL(sendmsg(bad_socket, &message, 0));
    FAIL(sendmmsg(bad_socket, both, 2, 0));
    at = 0;
    FAIL(sendfile(bad_socket, file, &at, 2));
    from = 0;
    FAIL(sendfile64(bad_pipe, file, &from, 2));
    from = 0;
    FAIL(splice(file, &from, bad_pipe, NULL, 2, 0));
    FAIL(vmsplice(bad_pipe, two, 2, 0));
    FAIL(tee(source_pipe[0], bad_pipe, 3, 0));
    drain_source();
}

typedef ssize_t (*Write)(int, const void *, size_t);
static Write const fixed[] = {write, NULL, write};
static Write changing[] = {NULL, write};
static struct {
    char name[8];
    ssize_t (*send)(int, const void *, size_t, int);
} named = {"send", send};

static void call_by_pointer(void)
{
    volatile size_t which = 2;
    FAIL(fixed[which](bad_pipe, "x", 1));
    WELL(fixed[which](good_pipe[1], "x", 1), good_pipe[0], "x");
    FAIL(changing[which - 1](bad_socket, "x", 1));
    FAIL(named.send(bad_socket, "x", 1, 0));
    if (fixed[which] != write || changing[which - 1] != write)
        complain("write", "has two addresses", 0);
}

static void *call_each_in_thread(void *unused)
{
    call_each();
    return unused;
}

static void in_a_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, call_each_in_thread, NULL) != 0 ||
        pthread_join(thread, NULL) != 0)
        complain("pthread_create", "makes no thread", 0);
}

static void *call_each_in_own_thread(void *unblocks)
{
    in_own_thread = unblocks == NULL;
    if (!is_blocked())
        complain("erl_drv_thread_create", "does not block SIGPIPE", 0);
    if (unblocks != NULL) {
        sigset_t none;
        /* What is pending by now must not come. */
        write(bad_pipe, "x", 1);
        sigemptyset(&none);
        pthread_sigmask(SIG_SETMASK, &none, NULL);
        if (is_blocked())
            complain("pthread_sigmask", "does not unblock", 0);
    }
    call_each();
    return NULL;
}

static void in_own(void *unblocks)
{
    ErlDrvTid thread;
    if (erl_drv_thread_create("writer", &thread, call_each_in_own_thread, unblocks, NULL) != 0 ||
        erl_drv_thread_join(thread, NULL) != 0)
        complain("erl_drv_thread_create", "makes no thread", 0);
}

static void in_a_handler(int unused)
{
    call_each();
}

static void by_signal(void)
{
    struct sigaction before, action = {0};
    action.sa_handler = in_a_handler;
    sigaction(SIGUSR1, &action, &before);
    pthread_kill(pthread_self(), SIGUSR1);
    sigaction(SIGUSR1, &before, NULL);
}

static int cleaned;

static void clean(void *unused)
{
    cleaned = 1;
}

/* Writes until nothing more is taken, tells so elsewhere, and waits for room. */
static void *write_for_ever(void *to)
{
    static char block[65536];
    int end = *(int *)to;
    pthread_cleanup_push(clean, NULL);
    fcntl(end, F_SETFL, O_NONBLOCK);
    while (write(end, block, sizeof block) > 0)
        ;
    fcntl(end, F_SETFL, 0);
    write(good_pipe[1], "f", 1);
    for (;;)
        write(end, block, sizeof block);
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancelled(void)
{
    int ends[2];
    char full;
    pthread_t thread;
    void *end = NULL;
    cleaned = 0;
    if (pipe2(ends, O_CLOEXEC) != 0 || pthread_create(&thread, NULL, write_for_ever, &ends[1]) != 0)
        return complain("pthread_create", "makes no thread", 0);
    read(good_pipe[0], &full, 1);
    pthread_cancel(thread);
    pthread_join(thread, &end);
    if (end != PTHREAD_CANCELED)
        complain("pthread_cancel", "does not cancel a write", 0);
    if (!cleaned)
        complain("pthread_cancel", "does not clean up", 0);
    close(ends[0]);
    close(ends[1]);
}

#endif

static ErlDrvPort the_port;

static ErlDrvData start(ErlDrvPort port, char *command)
{
    the_port = port;
    set_port_control_flags(port, PORT_CONTROL_FLAG_BINARY);
#ifndef ONLY_ASKS
    if (make_ends() != 0)
        return ERL_DRV_ERROR_ERRNO;
#endif
    return (ErlDrvData)&the_port;
}

static void stop(ErlDrvData data)
{
#ifndef ONLY_ASKS
    close_ends();
#endif
}

static ErlDrvSSizeT answer_with(const char *text, char **answer)
{
    ErlDrvSizeT length = strlen(text);
    ErlDrvBinary *binary = driver_alloc_binary(length);
    memcpy(binary->orig_bytes, text, length);
    *answer = (char *)binary;
    return (ErlDrvSSizeT)length;
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *bytes, ErlDrvSizeT length,
                            char **answer, ErlDrvSizeT room)
{
    if (operation == 'm')
        return answer_with(is_blocked() ? "blocked" : "open", answer);
#ifndef ONLY_ASKS
    wrong[0] = 0;
    switch (operation) {
    case 'e':
        call_each();
        break;
    case 'p':
        call_by_pointer();
        break;
    case 'r':
        in_a_thread();
        break;
    case 'd':
        in_own(NULL);
        break;
    case 'u':
        in_own(&in_own_thread);
        break;
    case 'h':
        by_signal();
        break;
    case 'c':
        cancelled();
        break;
    default:
        return -1;
    }
    return answer_with(wrong[0] ? wrong : "ok", answer);
#else
    return -1;
#endif
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .driver_name = "writers_drv",
    .control = control,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
};

DRIVER_INIT(writers_drv)
{
    return &entry;
}

/* The programs behind ports, and two that run others:
 *   echo4           sends {packet,4} messages back, whole
 *   blast BYTES     writes so many bytes, 64 KiB at a time
 *   discard BYTES   reads so many bytes and answers with one
 *   lines N         writes N lines of 13 bytes
 *   one_core CMD    runs CMD, and all that it starts, on the first processor
 *   timed CMD       runs CMD, and prints its wall time in ms and its peak memory in MB last.
 *                   Small itself, because a process inherits the peak of the one that started it. */
#define _GNU_SOURCE
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static char buf[1 << 25];

static void put(const char *p, size_t n)
{
    while (n) {
        ssize_t k = write(1, p, n);
        if (k <= 0)
            exit(1);
        p += k;
        n -= k;
    }
}

static int one_core(char **command)
{
    cpu_set_t first, allowed;
    int core = 0;
    sched_getaffinity(0, sizeof allowed, &allowed);
    while (core < CPU_SETSIZE - 1 && !CPU_ISSET(core, &allowed))
        core++;
    CPU_ZERO(&first);
    CPU_SET(core, &first);
    if (sched_setaffinity(0, sizeof first, &first) == 0)
        execvp(command[0], command);
    perror(command[0]);
    return 1;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int timed(char **command)
{
    struct rusage used;
    pid_t pid;
    int status, error;
    int64_t begun = now_ns();
    if ((error = posix_spawnp(&pid, command[0], 0, 0, command, environ)) != 0) {
        fprintf(stderr, "%s: %s\n", command[0], strerror(error));
        return 1;
    }
    if (wait4(pid, &status, 0, &used) != pid || status != 0)
        return 1;
    printf("%f %f\n", (now_ns() - begun) / 1e6, used.ru_maxrss / 1024.0);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    if (argc > 2 && !strcmp(argv[1], "one_core"))
        return one_core(argv + 2);
    if (argc > 2 && !strcmp(argv[1], "timed"))
        return timed(argv + 2);
    if (!strcmp(argv[1], "echo4")) { /* whole {packet,4} messages, one write each */
        size_t have = 0;
        ssize_t n;
        while ((n = read(0, buf + have, sizeof buf - have)) > 0) {
            size_t at = 0;
            have += n;
            while (have - at >= 4) {
                unsigned char *h = (unsigned char *)buf + at;
                size_t len = 4 + ((size_t)h[0] << 24 | h[1] << 16 | h[2] << 8 | h[3]);
                if (have - at < len)
                    break;
                put(buf + at, len);
                at += len;
            }
            memmove(buf, buf + at, have -= at);
        }
        return 0;
    }
    long long left = argc > 2 ? atoll(argv[2]) : 0;
    if (!strcmp(argv[1], "blast")) { /* 64 KiB writes */
        for (; left > 0; left -= 65536)
            put(buf, left < 65536 ? left : 65536);
    } else if (!strcmp(argv[1], "discard")) { /* 64 KiB reads, then one byte back */
        ssize_t n;
        while (left > 0 && (n = read(0, buf, 65536)) > 0)
            left -= n;
        put("k", 1);
        while (read(0, buf, 65536) > 0)
            ;
    } else if (!strcmp(argv[1], "lines")) {
        setvbuf(stdout, NULL, _IOFBF, 65536);
        for (long long i = 0; i < left; i++)
            printf("line %07lld\n", i);
    } else {
        return 2;
    }
    return 0;
}

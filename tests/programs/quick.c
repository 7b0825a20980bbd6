/*
 * quick SHAPE END NUMBER - says NUMBER in a shape (n nothing, s a line and an unfinished one, p two
 * packets with lengths of two bytes) and ends: e by exit(NUMBER % 256), k by a signal that NUMBER
 * chooses.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static const int signals[] = {SIGKILL, SIGTERM, SIGSEGV, SIGHUP, SIGUSR1, SIGABRT};
    struct rlimit none = {0, 0};
    char text[80];
    size_t size = 0;
    int number = argc > 3 ? atoi(argv[3]) : 0;
    if (argc < 4)
        return 200;
    if (argv[1][0] == 's')
        size = (size_t)snprintf(text, sizeof text, "%d\nrest", number);
    if (argv[1][0] == 'p') {
        size = (size_t)snprintf(text + 2, sizeof text - 2, "%d", number);
        text[0] = 0;
        text[1] = (char)size;
        size += 2;
        text[size++] = 0;
        text[size++] = 0;
    }
    if (size > 0 && write(1, text, size) != (ssize_t)size)
        return 201;
    if (argv[2][0] == 'e')
        _exit(number & 255);
    setrlimit(RLIMIT_CORE, &none);
    signal(signals[number % 6], SIG_DFL);
    raise(signals[number % 6]);
    return 202;
}

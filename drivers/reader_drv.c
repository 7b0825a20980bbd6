/*
 * reader_drv - waits for a descriptor: sends what can be read from a file, a named pipe or a
 * device as messages, and ends the port where it ends.
 *
 *     open_port({spawn_driver, "reader_drv /path"}, [binary, eof])
 *         the owner receives {Port, {data, Bytes}}, ..., and at the end {Port, eof}
 *
 * Opening fails with enoent, eacces ... as open(2) does, and with badarg without a path.
 */
#include "erl_driver.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    ErlDrvPort port;
    int fd;
} Reader;

static ErlDrvEvent event_of(int fd)
{
    return (ErlDrvEvent)(intptr_t)fd;
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Reader *reader;
    /* The command is all of "reader_drv /path". */
    char *path = strchr(command, ' ');
    int fd, reason;

    if (path == NULL || path[1] == '\0')
        return ERL_DRV_ERROR_BADARG;
    /* Never block in a callback: reading must return when there is nothing. */
    fd = open(path + 1, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return ERL_DRV_ERROR_ERRNO; /* errno becomes the reason */
    reader = (Reader *)driver_alloc(sizeof *reader);
    if (reader == NULL) {
        close(fd);
        errno = ENOMEM;
        return ERL_DRV_ERROR_ERRNO;
    }
    reader->port = port;
    reader->fd = fd;
    /* ERL_DRV_USE: the descriptor is ours until stop_select() is called for it. */
    if (driver_select(port, event_of(fd), ERL_DRV_READ | ERL_DRV_USE, 1) != 0) {
        reason = errno;
        driver_free(reader);
        close(fd);
        errno = reason;
        return ERL_DRV_ERROR_ERRNO;
    }
    return (ErlDrvData)reader;
}

static void stop(ErlDrvData data)
{
    Reader *reader = (Reader *)data;
    /* Gives the descriptor up. It is not closed here: some thread may just be waiting for it. */
    driver_select(reader->port, event_of(reader->fd), ERL_DRV_READ | ERL_DRV_USE, 0);
    driver_free(reader);
}

/* Nobody waits for the descriptor any more. */
static void stop_select(ErlDrvEvent event, void *reserved)
{
    (void)reserved;
    close((int)(intptr_t)event);
}

/* Called while there is something to read, so one piece at a time is enough. */
static void ready_input(ErlDrvData data, ErlDrvEvent event)
{
    Reader *reader = (Reader *)data;
    char buf[4096];
    ssize_t got = read((int)(intptr_t)event, buf, sizeof buf);

    if (got > 0) {
        driver_output(reader->port, buf, (ErlDrvSizeT)got);
    } else if (got == 0) {
        /* With option eof the port stays open, so stop listening first: the end of a file is
         * always ready. */
        driver_select(reader->port, event, ERL_DRV_READ, 0);
        driver_failure_eof(reader->port);
    } else if (errno != EAGAIN && errno != EINTR) {
        driver_failure_posix(reader->port, errno);
    }
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .ready_input = ready_input,
    .driver_name = "reader_drv",
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
    .stop_select = stop_select,
};

DRIVER_INIT(reader_drv)
{
    return &entry;
}

/*
 * queue_drv - writes without copying and without blocking: what is sent to the port is queued
 * and written to a file or a named pipe when that has room. Closing the port waits until all
 * of it is written.
 *
 *     open_port({spawn_driver, "queue_drv /path"}, [])
 *     port_command(Port, Data)         appended to the file
 *     port_control(Port, $q, "")       the number of bytes that wait, in decimal
 */
#include "erl_driver.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PIECES_MAX = 16 };

typedef struct {
    ErlDrvPort port;
    int fd;
    int selected; /* ready_output() will be called */
} Writer;

static ErlDrvEvent event_of(int fd)
{
    return (ErlDrvEvent)(intptr_t)fd;
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Writer *writer;
    char *path = strchr(command, ' ');
    int fd;

    if (path == NULL || path[1] == '\0')
        return ERL_DRV_ERROR_BADARG;
    fd = open(path + 1, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0666);
    if (fd < 0)
        return ERL_DRV_ERROR_ERRNO;
    writer = (Writer *)driver_alloc(sizeof *writer);
    if (writer == NULL) {
        close(fd);
        errno = ENOMEM;
        return ERL_DRV_ERROR_ERRNO;
    }
    writer->port = port;
    writer->fd = fd;
    writer->selected = 0;
    return (ErlDrvData)writer;
}

static void stop(ErlDrvData data)
{
    Writer *writer = (Writer *)data;
    driver_select(writer->port, event_of(writer->fd), ERL_DRV_WRITE | ERL_DRV_USE, 0);
    driver_free(writer);
}

static void stop_select(ErlDrvEvent event, void *reserved)
{
    (void)reserved;
    close((int)(intptr_t)event);
}

static void listen_for_room(Writer *writer, int on)
{
    if (writer->selected != on) {
        /* Without ERL_DRV_USE, on = 0 only ends the waiting: we keep the descriptor. */
        int mode = on ? ERL_DRV_WRITE | ERL_DRV_USE : ERL_DRV_WRITE;
        driver_select(writer->port, event_of(writer->fd), mode, on);
        writer->selected = on;
    }
}

/* The queue keeps references to large binaries instead of copies. Writing is left to
 * ready_output(), which is called as soon as there is room. */
static void outputv(ErlDrvData data, ErlIOVec *ev)
{
    Writer *writer = (Writer *)data;
    driver_enqv(writer->port, ev, 0);
    listen_for_room(writer, 1);
}

static void ready_output(ErlDrvData data, ErlDrvEvent event)
{
    Writer *writer = (Writer *)data;
    int pieces;
    SysIOVec *iov = driver_peekq(writer->port, &pieces);
    ssize_t written;

    if (iov == NULL) {
        listen_for_room(writer, 0);
        return;
    }
    if (pieces > PIECES_MAX)
        pieces = PIECES_MAX;
    written = writev((int)(intptr_t)event, (const struct iovec *)iov, pieces);
    if (written < 0) {
        if (errno != EAGAIN && errno != EINTR)
            driver_failure_posix(writer->port, errno); /* the data is gone: return at once */
        return;
    }
    /* What was written leaves the queue; the answer is what remains. */
    if (driver_deq(writer->port, (ErlDrvSizeT)written) == 0)
        listen_for_room(writer, 0);
}

/* The port is closing with data in the queue. We are listening whenever there is some, so
 * there is nothing to add: stop() comes when ready_output() has emptied it. */
static void flush(ErlDrvData data)
{
    listen_for_room((Writer *)data, 1);
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int command, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    Writer *writer = (Writer *)data;
    (void)buf;
    (void)len;
    if (command != 'q')
        return -1;
    return snprintf(*rbuf, rlen, "%lu", (unsigned long)driver_sizeq(writer->port));
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .ready_output = ready_output,
    .driver_name = "queue_drv",
    .control = control,
    .outputv = outputv,
    .flush = flush,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
    .stop_select = stop_select,
};

DRIVER_INIT(queue_drv)
{
    return &entry;
}

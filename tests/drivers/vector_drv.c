/*
 * vector_drv - looks at the vectors that outputv gets. port_control(Port, Mode, Numbers) says what is done
 * with those to come:
 *
 *   'd'          their shape: bytes, pieces, and each piece's length ("b" with a binary, "n" without bytes);
 *                equal neighbours are counted, and the bytes are summed up
 *   'o' "H S"    driver_outputv with H bytes of a header, without the first S bytes
 *   'q' "S"      driver_enqv without the first S bytes; 'Q' driver_pushqv. Then what peekq and peekqv show
 *   'b' "R"      driver_vec_to_buf with room for R bytes
 *   'k'          keeps their binaries, which 'r' reads when the callback is long over, and lets go
 *   's'          scribbles on the vector itself, which is the driver's own
 *   'e'          ends the port in the callback, and then uses the vector
 */
#include "erl_driver.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MAX 2000

typedef struct {
    ErlDrvPort port;
    char mode;
    long first, second;
    ErlDrvBinary *kept[KEPT_MAX];
    char *from[KEPT_MAX];
    size_t lengths[KEPT_MAX];
    int number;
    char text[4000];
    size_t used;
} Vectors;

static void say(Vectors *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    self->used += (size_t)vsnprintf(self->text + self->used, sizeof self->text - self->used, format, arguments);
    va_end(arguments);
    if (self->used >= sizeof self->text)
        self->used = sizeof self->text - 1;
}

static unsigned long sum(unsigned long sum, const char *bytes, size_t len)
{
    size_t at;
    for (at = 0; at < len; at++)
        sum = (sum * 31 + (unsigned char)bytes[at]) & 0xffffffff;
    return sum;
}

static void describe(Vectors *self, ErlIOVec *ev)
{
    unsigned long all = 7;
    char one[40], last[40] = "";
    int at, times = 0;
    say(self, "%lu in %d:", (unsigned long)ev->size, ev->vsize);
    for (at = 0; at <= ev->vsize; at++) {
        one[0] = '\0';
        if (at < ev->vsize) {
            all = sum(all, ev->iov[at].iov_base, ev->iov[at].iov_len);
            snprintf(one, sizeof one, "%lu%s%s", (unsigned long)ev->iov[at].iov_len, ev->binv[at] != NULL ? "b" : "",
                     ev->iov[at].iov_base == NULL ? "n" : "");
        }
        if (at > 0 && strcmp(one, last) != 0) {
            if (times > 1)
                say(self, " %d*%s", times, last);
            else
                say(self, " %s", last);
            times = 0;
        }
        times++;
        strcpy(last, one);
    }
    say(self, " sum %lu", all);
}

/* Whether the bytes of a piece with a binary are in that binary. */
static int inside(ErlIOVec *ev, int at)
{
    ErlDrvBinary *bin = ev->binv[at];
    char *base = ev->iov[at].iov_base;
    return bin == NULL || (base >= bin->orig_bytes && base + ev->iov[at].iov_len <= bin->orig_bytes + bin->orig_size);
}

static void queue(Vectors *self, int result)
{
    int pieces = -5, at;
    size_t bytes = 0;
    ErlIOVec ev;
    SysIOVec *iov = driver_peekq(self->port, &pieces);
    for (at = 0; iov != NULL && at < pieces; at++)
        bytes += iov[at].iov_len;
    say(self, "%d, %lu queued, peekq %d of %lu, peekqv ", result, (unsigned long)driver_sizeq(self->port), pieces, (unsigned long)bytes);
    driver_peekqv(self->port, &ev);
    describe(self, &ev);
    say(self, ", rest %ld", (long)driver_deq(self->port, driver_sizeq(self->port) / 2));
    driver_peekqv(self->port, &ev);
    say(self, ", half ");
    describe(self, &ev);
    say(self, ", rest %ld", (long)driver_deq(self->port, driver_sizeq(self->port)));
}

static void keep(Vectors *self, ErlIOVec *ev)
{
    int at;
    for (at = 0; at < ev->vsize && self->number < KEPT_MAX; at++) {
        if (ev->binv[at] == NULL)
            continue;
        driver_binary_inc_refc(ev->binv[at]);
        self->kept[self->number] = ev->binv[at];
        self->from[self->number] = ev->iov[at].iov_base;
        self->lengths[self->number] = ev->iov[at].iov_len;
        self->number++;
    }
    say(self, "kept");
}

static void release(Vectors *self)
{
    unsigned long all = 7;
    int at;
    for (at = 0; at < self->number; at++) {
        all = sum(all, self->from[at], self->lengths[at]);
        driver_free_binary(self->kept[at]);
    }
    say(self, "%d kept, sum %lu", self->number, all);
    self->number = 0;
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    Vectors *self = calloc(1, sizeof *self);
    (void)command;
    self->port = port;
    self->mode = 'd';
    return (ErlDrvData)self;
}

static void stop(ErlDrvData data)
{
    Vectors *self = (Vectors *)data;
    self->used = 0;
    release(self);
    free(self);
}

static void outputv(ErlDrvData data, ErlIOVec *ev)
{
    Vectors *self = (Vectors *)data;
    char buffer[1000];
    int at, result, outside = 0;
    for (at = 0; at < ev->vsize; at++)
        outside += !inside(ev, at);
    self->used = 0;
    if (outside)
        say(self, "%d outside of their binaries ", outside);
    switch (self->mode) {
    case 'o':
        result = driver_outputv(self->port, "HEADER", (ErlDrvSizeT)self->first, ev, (ErlDrvSizeT)self->second);
        say(self, "%d", result);
        break;
    case 'q':
        queue(self, driver_enqv(self->port, ev, (ErlDrvSizeT)self->first));
        break;
    case 'Q':
        queue(self, driver_pushqv(self->port, ev, (ErlDrvSizeT)self->first));
        break;
    case 'b':
        result = (int)driver_vec_to_buf(ev, buffer, (ErlDrvSizeT)self->first);
        say(self, "%d, sum %lu", result, sum(7, buffer, (size_t)result));
        break;
    case 'k':
        keep(self, ev);
        break;
    case 's':
        describe(self, ev);
        memset(ev->iov, 0x5a, sizeof *ev->iov * (size_t)ev->vsize);
        memset(ev->binv, 0x5a, sizeof *ev->binv * (size_t)ev->vsize);
        memset(ev, 0x5a, sizeof *ev);
        break;
    case 'e': {
        unsigned long all = 7;
        ErlDrvPort port = self->port;
        driver_failure_atom(port, "over");
        /* self is gone, and the vector is not. */
        for (at = 0; at < ev->vsize; at++)
            all = sum(all, ev->iov[at].iov_base, ev->iov[at].iov_len);
        if (all == 1)
            abort();
        return;
    }
    default:
        describe(self, ev);
    }
    driver_output(self->port, self->text, self->used);
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len, char **rbuf,
                            ErlDrvSizeT rlen)
{
    Vectors *self = (Vectors *)data;
    char numbers[100] = "";
    if (operation == 'r') {
        self->used = 0;
        release(self);
        return snprintf(*rbuf, rlen, "%s", self->text);
    }
    memcpy(numbers, buf, len < sizeof numbers ? len : sizeof numbers - 1);
    self->mode = (char)operation;
    self->first = self->second = 0;
    sscanf(numbers, "%ld %ld", &self->first, &self->second);
    return 0;
}

static ErlDrvEntry entry = {
    .start = start,
    .stop = stop,
    .outputv = outputv,
    .control = control,
    .driver_name = "vector_drv",
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
};

DRIVER_INIT(vector_drv)
{
    return &entry;
}

/*
 * reply_drv - answers control and call in each of the ways there are.
 *
 *   port_control(Port, Length, "WAY")        answers so, and returns Length
 *   port_call(Port, Operation, {WAY, N})     the same; WAY is an atom
 *
 * The ways of control: given (in the buffer that came), own (in one of driver_alloc's), null, bin (a
 * driver binary of 100 bytes, for binary mode), keep (the same, of which the driver keeps a reference;
 * kept counts them and release lets go), list and binary (the mode from then on), args (what came:
 * operation, length and room), said (after output), over (after the port's end). A name with _less
 * returns a negative number. The ways of call are listed there.
 */
#include "erl_driver.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ErlDrvBinary *kept;
static char standing[600];

static ErlDrvData start(ErlDrvPort port, char *command)
{
    (void)command;
    return (ErlDrvData)port;
}

static int is(const char *way, const char *buf, ErlDrvSizeT len)
{
    return len >= strlen(way) && memcmp(buf, way, strlen(way)) == 0 && (len == strlen(way) || buf[strlen(way)] == ' ');
}

static ErlDrvBinary *hundred(char letter)
{
    ErlDrvBinary *binary = driver_alloc_binary(100);
    memset(binary->orig_bytes, letter, 100);
    return binary;
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    ErlDrvPort port = (ErlDrvPort)data;
    ErlDrvSSizeT answered = (ErlDrvSSizeT)(int)operation;
    if (is("given", buf, len)) {
        memset(*rbuf, 'g', operation < rlen ? operation : rlen);
    } else if (is("own", buf, len)) {
        *rbuf = driver_alloc(operation + 1);
        memset(*rbuf, 'o', operation);
    } else if (is("less", buf, len)) {
        return -answered;
    } else if (is("less_own", buf, len)) {
        *rbuf = driver_alloc(10);
        return -1;
    } else if (is("null", buf, len)) {
        *rbuf = NULL;
    } else if (is("null_less", buf, len)) {
        *rbuf = NULL;
        return -1;
    } else if (is("bin", buf, len)) {
        *rbuf = (char *)hundred('b');
    } else if (is("empty_bin", buf, len)) {
        *rbuf = (char *)driver_alloc_binary(0);
    } else if (is("keep", buf, len)) {
        kept = hundred('k');
        driver_binary_inc_refc(kept);
        *rbuf = (char *)kept;
    } else if (is("kept", buf, len)) {
        answered = snprintf(*rbuf, rlen, "%ld", driver_binary_get_refc(kept));
    } else if (is("release", buf, len)) {
        answered = snprintf(*rbuf, rlen, "%c", kept->orig_bytes[99]);
        driver_free_binary(kept);
    } else if (is("list", buf, len)) {
        set_port_control_flags(port, 0);
    } else if (is("binary", buf, len)) {
        set_port_control_flags(port, PORT_CONTROL_FLAG_BINARY);
    } else if (is("args", buf, len)) {
        answered = snprintf(*rbuf, rlen, "%u %ld %ld", operation, (long)len, (long)rlen);
    } else if (is("over", buf, len)) {
        driver_failure_atom(port, "over");
        answered = snprintf(*rbuf, rlen, "over");
    } else if (is("over_less", buf, len)) {
        driver_failure_atom(port, "over");
        return -1;
    } else if (is("over_binary", buf, len)) {
        set_port_control_flags(port, PORT_CONTROL_FLAG_BINARY);
        driver_failure_atom(port, "over");
        answered = snprintf(*rbuf, rlen, "over");
    } else if (is("said", buf, len)) {
        driver_output(port, "said", 4);
        answered = snprintf(*rbuf, rlen, "answered");
    } else if (len == 0) {
        answered = snprintf(*rbuf, rlen, "nothing");
    } else {
        return -1;
    }
    return answered;
}

/* The argument is {Way, N} as term_to_binary writes it; only the first atom's name is looked at. */
static ErlDrvSSizeT call(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len,
                         char **rbuf, ErlDrvSizeT rlen, unsigned int *flags)
{
    static const unsigned char small[] = {131, 97, 7};
    static const unsigned char unversioned[] = {97, 7, 131};
    static const unsigned char truncated[] = {131, 104, 2, 97, 7};
    static const unsigned char unknown[] = {131, 1, 97, 7};
    ErlDrvPort port = (ErlDrvPort)data;
    char way[64] = "", *end;
    size_t at;
    for (at = 0; at + 1 < len && at < 30; at++) {
        if ((buf[at] == 'd' && buf[at + 1] == 0) || buf[at] == 'w' || buf[at] == 's') {
            /* ATOM_EXT has two bytes of length, the small ones have one. */
            size_t skip = buf[at] == 'd' ? 3 : 2, size = (unsigned char)buf[at + skip - 1];
            if (at + skip + size <= len && size < sizeof way) {
                memcpy(way, buf + at + skip, size);
                way[size] = '\0';
            }
            break;
        }
    }
    end = *rbuf;
#define WAY(name) (strcmp(way, name) == 0)
    if (WAY("args")) {
        at = (size_t)snprintf(end + 6, rlen - 6, "%u %ld %d %u %d", operation, (long)len, rlen >= 255, *flags, (unsigned char)buf[0]);
        memcpy(end, "\203m\0\0\0", 5);
        end[5] = (char)at;
        return (ErlDrvSSizeT)at + 6;
    }
    if (WAY("room")) {
        at = (size_t)snprintf(end + 6, rlen - 6, "%ld", (long)rlen);
        memcpy(end, "\203m\0\0\0", 5);
        end[5] = (char)at;
        return (ErlDrvSSizeT)at + 6;
    }
    if (WAY("beyond")) { /* says more than the buffer holds */
        memset(end, 'f', rlen);
        memcpy(end, "\203m\0\0\1\0", 6);
        return 262;
    }
    if (WAY("null")) {
        *rbuf = NULL;
        return 3;
    }
    if (WAY("over") || WAY("said")) {
        if (WAY("over"))
            driver_failure_atom(port, "over");
        else
            driver_output(port, "said", 4);
    } else if (WAY("over_less")) {
        driver_failure_atom(port, "over");
        return -1;
    } else if (WAY("own") || WAY("standing") || WAY("own_long") || WAY("own_less") || WAY("own_bad") || WAY("standing_less")) {
        if (WAY("standing") || WAY("standing_less")) {
            *rbuf = standing;
            *flags |= DRIVER_CALL_KEEP_BUFFER;
        } else {
            *rbuf = driver_alloc(600);
        }
        memset(*rbuf, 'x', 600);
        memcpy(*rbuf, "\203m\0\0\002\000", 6); /* a binary of 512 bytes */
        if (WAY("own_less") || WAY("standing_less"))
            return -1;
        if (WAY("own_bad"))
            (*rbuf)[0] = 'x';
        return WAY("own_long") ? 600 : 518;
    } else if (WAY("less")) {
        memcpy(end, small, 3);
        return -1;
    } else if (WAY("nothing")) {
        memcpy(end, small, 3);
        return 0;
    } else if (WAY("one")) {
        memcpy(end, small, 3);
        return 1;
    } else if (WAY("short")) {
        memcpy(end, small, 3);
        return 2;
    } else if (WAY("unversioned")) {
        memcpy(end, unversioned, 3);
        return 3;
    } else if (WAY("truncated")) {
        memcpy(end, truncated, 5);
        return 5;
    } else if (WAY("unknown")) {
        memcpy(end, unknown, 4);
        return 4;
    } else if (WAY("kept_flag")) {
        *flags |= DRIVER_CALL_KEEP_BUFFER; /* about the host's own buffer, which changes nothing */
    } else if (WAY("odd_flags")) {
        *flags = ~DRIVER_CALL_KEEP_BUFFER;
    } else if (WAY("trailing")) {
        memcpy(end, small, 3);
        memset(end + 3, 'x', 50);
        return 53;
    } else if (WAY("full")) {
        memset(end, 'f', rlen);
        memcpy(end, "\203m\0\0\0\371", 6); /* 249 bytes, which end with the buffer */
        return 255;
    } else if (WAY("echo")) {
        /* The argument itself, as it came. */
        *rbuf = driver_alloc(len);
        memcpy(*rbuf, buf, len);
        return (ErlDrvSSizeT)len;
    } else if (WAY("argument")) {
        *rbuf = buf;
        *flags |= DRIVER_CALL_KEEP_BUFFER;
        return (ErlDrvSSizeT)len;
    }
    memcpy(end, small, 3);
    return 3;
}

static ErlDrvEntry entry = {
    .start = start,
    .control = control,
    .call = call,
    .driver_name = "reply_drv",
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
};

DRIVER_INIT(reply_drv)
{
    return &entry;
}

/*
 * call_drv - takes and gives terms synchronously, in the external format.
 *
 *     erlang:port_call(Port, 7, {some, "term"})        returns {7, {some, "term"}}
 *
 * The external format of a term is the byte 131 and then the term: a tag, and what the tag
 * asks for. Libraries (ei, for one) read and write it; wrapping a term needs none.
 */
#include "erl_driver.h"
#include <stdint.h>
#include <string.h>

enum { VERSION = 131, SMALL_TUPLE = 104, INTEGER = 98 };

static ErlDrvData start(ErlDrvPort port, char *command)
{
    (void)command;
    return (ErlDrvData)port;
}

static ErlDrvSSizeT call(ErlDrvData data, unsigned int command, char *buf, ErlDrvSizeT len,
                         char **rbuf, ErlDrvSizeT rlen, unsigned int *flags)
{
    ErlDrvSizeT needed = 8 + len - 1; /* all but the argument's own version byte */
    unsigned char *out;
    (void)data;
    (void)flags;

    if (len < 2 || (unsigned char)buf[0] != VERSION || command > INT32_MAX)
        return -1; /* port_call fails with badarg */
    if (needed > rlen) {
        /* The host frees this. */
        *rbuf = (char *)driver_alloc(needed);
        if (*rbuf == NULL)
            return -1;
    }
    out = (unsigned char *)*rbuf;
    *out++ = VERSION;
    *out++ = SMALL_TUPLE;
    *out++ = 2;
    *out++ = INTEGER;
    *out++ = (unsigned char)(command >> 24);
    *out++ = (unsigned char)(command >> 16);
    *out++ = (unsigned char)(command >> 8);
    *out++ = (unsigned char)command;
    memcpy(out, buf + 1, len - 1);
    return (ErlDrvSSizeT)needed;
}

static ErlDrvEntry entry = {
    .start = start,
    .driver_name = "call_drv",
    .call = call,
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
};

DRIVER_INIT(call_drv)
{
    return &entry;
}

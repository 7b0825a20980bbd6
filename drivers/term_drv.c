/*
 * term_drv - sends terms of every kind. The command names one:
 *
 *     port_command(Port, "map")        the owner receives {Port, #{one => 1, <<"two">> => 2.0}}
 *     port_command(Port, "reply")      whoever sent the command receives {Port, reply}
 *
 * nil atom int negative uint int64 uint64 float string string_cons binary shared tuple list
 * improper map pid port ext reply; anything else gives {Port, {unknown, Binary}}.
 */
#include "erl_driver.h"
#include <stdint.h>
#include <string.h>

/* The most words that a term below takes, with the {Port, _} around it. */
enum { WORDS_MAX = 64 };

/* An array of words in the making. */
typedef struct {
    ErlDrvTermData words[WORDS_MAX];
    int len;
} Spec;

static void push(Spec *spec, ErlDrvTermData word)
{
    if (spec->len < WORDS_MAX)
        spec->words[spec->len++] = word;
}

static void push2(Spec *spec, ErlDrvTermData tag, ErlDrvTermData operand)
{
    push(spec, tag);
    push(spec, operand);
}

static void push_atom(Spec *spec, char *name)
{
    push2(spec, ERL_DRV_ATOM, driver_mk_atom(name));
}

static void push_bytes(Spec *spec, ErlDrvTermData tag, const char *bytes, size_t len)
{
    push(spec, tag);
    push(spec, (ErlDrvTermData)bytes);
    push(spec, (ErlDrvTermData)len);
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    (void)command;
    return (ErlDrvData)port;
}

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    ErlDrvPort port = (ErlDrvPort)data;
    ErlDrvTermData self = driver_mk_port(port);
    ErlDrvBinary *shared = NULL;
    /* Operands that are pointers are read when the term is sent, not when they are pushed. */
    static ErlDrvSInt64 lowest = INT64_MIN;
    static ErlDrvUInt64 highest = UINT64_MAX;
    static double third = 0.25, two = 2.0;
    /* {a, 1} in the external term format. */
    static char ext[] = {(char)131, 104, 2, 100, 0, 1, 'a', 97, 1};
    Spec spec = {.len = 0};
#define IS(word) (len == sizeof word - 1 && memcmp(buf, word, len) == 0)

    push2(&spec, ERL_DRV_PORT, self);
    if (IS("nil")) {
        push(&spec, ERL_DRV_NIL);
    } else if (IS("atom")) {
        push_atom(&spec, "hello");
    } else if (IS("int")) {
        push2(&spec, ERL_DRV_INT, 42);
    } else if (IS("negative")) {
        push2(&spec, ERL_DRV_INT, (ErlDrvTermData)-42L);
    } else if (IS("uint")) {
        push2(&spec, ERL_DRV_UINT, ~(ErlDrvTermData)0);
    } else if (IS("int64")) {
        push2(&spec, ERL_DRV_INT64, (ErlDrvTermData)&lowest);
    } else if (IS("uint64")) {
        push2(&spec, ERL_DRV_UINT64, (ErlDrvTermData)&highest);
    } else if (IS("float")) {
        push2(&spec, ERL_DRV_FLOAT, (ErlDrvTermData)&third);
    } else if (IS("string")) {
        push_bytes(&spec, ERL_DRV_STRING, "text", 4);
    } else if (IS("string_cons")) { /* "head" in front of [tail] */
        push_atom(&spec, "tail");
        push(&spec, ERL_DRV_NIL);
        push2(&spec, ERL_DRV_LIST, 2);
        push_bytes(&spec, ERL_DRV_STRING_CONS, "head", 4);
    } else if (IS("binary")) { /* copied from memory */
        push_bytes(&spec, ERL_DRV_BUF2BINARY, "bytes", 5);
    } else if (IS("shared")) { /* 90 of the 100 bytes of a binary, without a copy */
        shared = driver_alloc_binary(100);
        if (shared == NULL)
            return;
        memset(shared->orig_bytes, 's', 100);
        push(&spec, ERL_DRV_BINARY);
        push(&spec, (ErlDrvTermData)shared);
        push(&spec, 90); /* size */
        push(&spec, 10); /* offset */
    } else if (IS("tuple")) {
        push_atom(&spec, "a");
        push2(&spec, ERL_DRV_INT, 1);
        push(&spec, ERL_DRV_NIL);
        push2(&spec, ERL_DRV_TUPLE, 3);
    } else if (IS("list")) { /* the [] at the end counts */
        push2(&spec, ERL_DRV_INT, 1000);
        push2(&spec, ERL_DRV_INT, 2000);
        push(&spec, ERL_DRV_NIL);
        push2(&spec, ERL_DRV_LIST, 3);
    } else if (IS("improper")) {
        push_atom(&spec, "a");
        push_atom(&spec, "b");
        push2(&spec, ERL_DRV_LIST, 2);
    } else if (IS("map")) {
        push_atom(&spec, "one");
        push2(&spec, ERL_DRV_INT, 1);
        push_bytes(&spec, ERL_DRV_BUF2BINARY, "two", 3);
        push2(&spec, ERL_DRV_FLOAT, (ErlDrvTermData)&two);
        push2(&spec, ERL_DRV_MAP, 2);
    } else if (IS("pid")) {
        push2(&spec, ERL_DRV_PID, driver_connected(port));
    } else if (IS("port")) {
        push2(&spec, ERL_DRV_PORT, self);
    } else if (IS("ext")) {
        push_bytes(&spec, ERL_DRV_EXT2TERM, ext, sizeof ext);
    } else if (IS("reply")) {
        push_atom(&spec, "reply");
    } else {
        push_atom(&spec, "unknown");
        push_bytes(&spec, ERL_DRV_BUF2BINARY, buf, len);
        push2(&spec, ERL_DRV_TUPLE, 2);
    }
    push2(&spec, ERL_DRV_TUPLE, 2);

    if (IS("reply"))
        erl_drv_send_term(self, driver_caller(port), spec.words, spec.len);
    else
        erl_drv_output_term(self, spec.words, spec.len);
    driver_free_binary(shared); /* our reference; the message has its own */
}

static ErlDrvEntry entry = {
    .start = start,
    .output = output,
    .driver_name = "term_drv",
    .extended_marker = ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
};

DRIVER_INIT(term_drv)
{
    return &entry;
}

/*
 * What stress_drv counts, and the binaries that all its ports share, which are counted as well: each
 * reference is one that was begun and has to be ended.
 */
#ifndef STRESS_COUNTS_H
#define STRESS_COUNTS_H

#include "erl_driver.h"
#include <stdlib.h>
#include <string.h>

#define SHARED 32

/* What was begun, and what was ended. */
enum { PORTS, JOBS, THREADS, BINARIES, DESCRIPTORS, STATES, COUNTED };
static const char *const names[] = {"ports", "jobs", "threads", "binaries", "descriptors", "states"};
static long begun[COUNTED], ended[COUNTED];

static ErlDrvMutex *shared_lock;
static ErlDrvBinary *shared[SHARED];

static void begin(int what)
{
    __atomic_add_fetch(&begun[what], 1, __ATOMIC_SEQ_CST);
}

static void end(int what)
{
    __atomic_add_fetch(&ended[what], 1, __ATOMIC_SEQ_CST);
}

static long under_way(int what)
{
    return __atomic_load_n(&begun[what], __ATOMIC_SEQ_CST) -
           __atomic_load_n(&ended[what], __ATOMIC_SEQ_CST);
}

static unsigned int next(unsigned int *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

static ErlDrvBinary *new_binary(unsigned int size)
{
    ErlDrvBinary *binary = driver_alloc_binary((ErlDrvSizeT)size);
    begin(BINARIES);
    memset(binary->orig_bytes, 'b', size);
    return binary;
}

static void free_binary(ErlDrvBinary *binary)
{
    if (binary != NULL) {
        end(BINARIES);
        driver_free_binary(binary);
    }
}

/* Puts a binary, with its reference, where others find it, and lets go of the one that was there. */
static void share(ErlDrvBinary *binary, unsigned int where)
{
    ErlDrvBinary *before;
    erl_drv_mutex_lock(shared_lock);
    before = shared[where % SHARED];
    shared[where % SHARED] = binary;
    erl_drv_mutex_unlock(shared_lock);
    free_binary(before);
}

/* A reference to one that others have, too, or to a new one. */
static ErlDrvBinary *borrow(unsigned int where)
{
    ErlDrvBinary *binary;
    erl_drv_mutex_lock(shared_lock);
    binary = shared[where % SHARED];
    if (binary != NULL) {
        begin(BINARIES);
        if (driver_binary_inc_refc(binary) < 2)
            abort();
    }
    erl_drv_mutex_unlock(shared_lock);
    return binary != NULL ? binary : new_binary(where % 300 + 1);
}

#endif

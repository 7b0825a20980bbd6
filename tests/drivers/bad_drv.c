/* bad_drv - fails to be loaded, in the way that a macro asks for. */
#include "erl_driver.h"

#ifndef NAME
#define NAME "bad_drv"
#endif
#ifndef MARKER
#define MARKER ERL_DRV_EXTENDED_MARKER
#endif
#ifndef MAJOR
#define MAJOR ERL_DRV_EXTENDED_MAJOR_VERSION
#endif
#ifndef MINOR
#define MINOR ERL_DRV_EXTENDED_MINOR_VERSION
#endif

#ifdef UNDEFINED
extern void nosuch_one(void);
extern void nosuch_two(void);
#endif

static int init(void)
{
#ifdef UNDEFINED
    nosuch_one();
    nosuch_two();
#endif
#ifdef INIT_FAILS
    return 1;
#else
    return 0;
#endif
}

static ErlDrvEntry entry = {
    .init = init,
    .driver_name = NAME,
    .extended_marker = MARKER,
    .major_version = MAJOR,
    .minor_version = MINOR,
};

#ifdef NO_INIT
ErlDrvEntry *some_other_function(void);
ErlDrvEntry *some_other_function(void)
#else
DRIVER_INIT(bad_drv)
#endif
{
#ifdef NO_ENTRY
    (void)entry;
    return NULL;
#else
    return &entry;
#endif
}

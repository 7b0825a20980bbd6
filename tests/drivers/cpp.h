/*
 * What somebody who writes a driver in C++ against Erlang's header has to say: that the function
 * which DRIVER_INIT defines has the name that C would give it. include/erl_driver.h says it.
 */
#include "erl_driver.h"

extern "C" ErlDrvEntry *driver_init(void);

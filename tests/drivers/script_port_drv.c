/* script_port_drv - the driver of scripts with a lock for each port. */
#define NAME "script_port_drv"
#define FLAGS ERL_DRV_FLAG_USE_PORT_LOCKING
#include "script_drv.c"

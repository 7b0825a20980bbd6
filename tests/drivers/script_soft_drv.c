/* script_drv with a lock for each port, soft busy ports, and no limit of waiting commands. */
#define NAME "script_soft_drv"
#define FLAGS (ERL_DRV_FLAG_USE_PORT_LOCKING | ERL_DRV_FLAG_SOFT_BUSY | ERL_DRV_FLAG_NO_BUSY_MSGQ)
#include "script_drv.c"

/* probe_ack_drv - the probe as a driver whose opens wait for erl_drv_init_ack(). */
#define NAME "probe_ack_drv"
#define FLAGS ERL_DRV_FLAG_USE_INIT_ACK
#include "probe_drv.c"

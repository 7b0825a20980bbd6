/* script_ack_drv - the driver of scripts as one whose opens wait for erl_drv_init_ack(). */
#define NAME "script_ack_drv"
#define FLAGS ERL_DRV_FLAG_USE_INIT_ACK
#include "script_drv.c"

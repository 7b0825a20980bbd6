/* script_drv with no callback but start and control. */
#define NAME "script_bare_drv"
#define BARE
#include "script_drv.c"

/* jobs_bare_drv - jobs_drv without ready_async. */
#define NAME "jobs_bare_drv"
#define NO_READY
#include "jobs_drv.c"

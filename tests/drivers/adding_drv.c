/*
 * adding_drv - adds drivers that are part of it to the drivers there are, and takes them away again, when
 * it is asked to:
 *
 *   port_control(Port, 'a', "N")  add_driver_entry of the entry of this number
 *   port_control(Port, 'r', "N")  remove_driver_entry of it; what it gave is the answer
 *   port_control(Port, '?', "")   what has been called in them since the last time
 *
 * 0 added_drv, 1 added_port_drv with port locking, 2 one that is called added_port_drv as well, 3 one whose
 * init fails, 4 none, 5 this driver's own, 6 one with nothing but its name, 7 one that is only taken away.
 */
#include "erl_driver.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t noting = PTHREAD_MUTEX_INITIALIZER;
static char notes[500];

static void note(const char *what)
{
    pthread_mutex_lock(&noting);
    if (strlen(notes) + strlen(what) + 2 < sizeof notes)
        strcat(strcat(notes, what), " ");
    pthread_mutex_unlock(&noting);
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    (void)command;
    note("start");
    return (ErlDrvData)port;
}

/* What is added stays for good, and so must the code. */
static ErlDrvData own_start(ErlDrvPort port, char *command)
{
    (void)command;
    driver_lock_driver(port);
    return (ErlDrvData)port;
}

static void stop(ErlDrvData data)
{
    (void)data;
    note("stop");
}

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len) { driver_output((ErlDrvPort)data, buf, len); }

static void second_output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    (void)buf, (void)len;
    driver_output((ErlDrvPort)data, "second", 6);
}

static int init(void)
{
    note("init");
    return 0;
}

static int failing_init(void)
{
    note("failing_init");
    return -1;
}

static void finish(void) { note("finish"); }

#define VERSION                                                                                               \
    .extended_marker = ERL_DRV_EXTENDED_MARKER, .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,              \
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION

static ErlDrvEntry entry;

static ErlDrvEntry added[] = {
    {.init = init, .start = start, .stop = stop, .output = output, .finish = finish, .driver_name = "added_drv", VERSION},
    {.init = init, .start = start, .stop = stop, .output = output, .finish = finish, .driver_name = "added_port_drv",
     .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING, VERSION},
    {.start = start, .stop = stop, .output = second_output, .driver_name = "added_port_drv", VERSION},
    {.init = failing_init, .start = start, .stop = stop, .finish = finish, .driver_name = "added_failing_drv", VERSION},
    {.driver_name = NULL},
    {.driver_name = NULL},
    {.driver_name = "added_bare_drv", VERSION},
    {.init = init, .start = start, .stop = stop, .finish = finish, .driver_name = "added_unused_drv", VERSION},
};

static ErlDrvEntry *numbered(const char *buf)
{
    int number = buf[0] - '0';
    return number == 4 ? NULL : number == 5 ? &entry : &added[number];
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int operation, char *buf, ErlDrvSizeT len, char **rbuf,
                            ErlDrvSizeT rlen)
{
    ErlDrvSSizeT said;
    (void)data, (void)len, (void)rlen;
    if (operation == 'a') {
        add_driver_entry(numbered(buf));
        return 0;
    }
    if (operation == 'r') {
        *rbuf = driver_alloc(10);
        return sprintf(*rbuf, "%d", remove_driver_entry(numbered(buf)));
    }
    pthread_mutex_lock(&noting);
    said = (ErlDrvSSizeT)strlen(notes);
    *rbuf = driver_alloc(sizeof notes);
    memcpy(*rbuf, notes, (size_t)said);
    notes[0] = '\0';
    pthread_mutex_unlock(&noting);
    return said;
}

static ErlDrvEntry entry = {.start = own_start, .control = control, .driver_name = "adding_drv", VERSION};

DRIVER_INIT(adding_drv)
{
    return &entry;
}

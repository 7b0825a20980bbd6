/*
 * What existing drivers write: old macro names, a table filled by position, casts between
 * numbers and handles. It has to compile without a warning as C and as C++; it is never run.
 */
#include "erl_driver.h"
#include "erl_driver.h"

static ErlDrvPort the_port;
static ErlDrvTermData kept[2];

static int init(void)
{
    kept[0] = driver_mk_atom((char *)"kept");
    kept[1] = driver_term_nil;
    return null_func();
}

static ErlDrvData start(ErlDrvPort port, char *command)
{
    ErlDrvSysInfo info;
    driver_system_info(&info, sizeof(ErlDrvSysInfo));
    the_port = port;
    if (command[0] == '!')
        return ERL_DRV_ERROR_GENERAL;
    driver_select(port, (ErlDrvEvent)(ErlDrvSInt)0, DO_READ | DO_WRITE, 1);
    return (ErlDrvData)port;
}

static void output(ErlDrvData data, char *buf, ErlDrvSizeT len)
{
    ErlDrvTermData spec[] = {ERL_DRV_PORT, driver_mk_port((ErlDrvPort)data),
                             ERL_DRV_STRING, TERM_DATA(buf), TERM_DATA(len),
                             ERL_DRV_TUPLE, 2};
    if (data == ERL_DRV_ERROR_ERRNO || data == ERL_DRV_ERROR_BADARG)
        return;
    erl_drv_output_term(driver_mk_port((ErlDrvPort)data), spec, sizeof(spec) / sizeof(spec[0]));
}

static ErlDrvSSizeT control(ErlDrvData data, unsigned int command, char *buf, ErlDrvSizeT len,
                            char **rbuf, ErlDrvSizeT rlen)
{
    ErlDrvBinary *bin = driver_alloc_binary(rlen);
    (void)data, (void)command, (void)buf, (void)len;
    set_port_control_flags(the_port, PORT_CONTROL_FLAG_BINARY);
    bin->orig_bytes[0] = 1;
    *rbuf = (char *)bin;
    return (ErlDrvSSizeT)bin->orig_size;
}

static ErlDrvEntry by_position = {
    init,
    start,
    NULL, /* stop */
    output,
    NULL, /* ready_input */
    NULL, /* ready_output */
    (char *)"accepted",
    NULL, /* finish */
    NULL, /* handle */
    control,
    NULL, /* timeout */
    NULL, /* outputv */
    NULL, /* ready_async */
    NULL, /* flush */
    NULL, /* call */
    NULL, /* event */
    ERL_DRV_EXTENDED_MARKER,
    ERL_DRV_EXTENDED_MAJOR_VERSION,
    ERL_DRV_EXTENDED_MINOR_VERSION,
    ERL_DRV_FLAG_USE_PORT_LOCKING,
    NULL, /* handle2 */
    NULL, /* process_exit */
    NULL, /* stop_select */
    NULL, /* emergency_close */
};

DRIVER_INIT(accepted) /* both DRIVER_INIT(name) and DRIVER_INIT("name") are in use */
{
    return &by_position;
}

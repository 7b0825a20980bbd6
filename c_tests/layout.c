/*
 * Prints every size, offset and number that a driver's binary depends on, one "name value" a
 * line. tests/header.rs compiles this with include/erl_driver.h, as C and as C++, and compares
 * the lines with the numbers of driver interface 3.3; where an Erlang is installed, with the
 * lines that its own header gives.
 */
#include <stddef.h>
#include <stdio.h>
#include "erl_driver.h"

#define SIZE(type) printf("sizeof(" #type ") %zu\n", sizeof(type))
#define FIELD(type, field) printf(#type "." #field " %zu\n", offsetof(type, field))
#define NUMBER(name) printf(#name " %llu\n", (unsigned long long)(name))

int main(void)
{
    SIZE(ErlDrvEntry);
    FIELD(ErlDrvEntry, init);
    FIELD(ErlDrvEntry, start);
    FIELD(ErlDrvEntry, stop);
    FIELD(ErlDrvEntry, output);
    FIELD(ErlDrvEntry, ready_input);
    FIELD(ErlDrvEntry, ready_output);
    FIELD(ErlDrvEntry, driver_name);
    FIELD(ErlDrvEntry, finish);
    FIELD(ErlDrvEntry, handle);
    FIELD(ErlDrvEntry, control);
    FIELD(ErlDrvEntry, timeout);
    FIELD(ErlDrvEntry, outputv);
    FIELD(ErlDrvEntry, ready_async);
    FIELD(ErlDrvEntry, flush);
    FIELD(ErlDrvEntry, call);
    FIELD(ErlDrvEntry, unused_event_callback);
    FIELD(ErlDrvEntry, extended_marker);
    FIELD(ErlDrvEntry, major_version);
    FIELD(ErlDrvEntry, minor_version);
    FIELD(ErlDrvEntry, driver_flags);
    FIELD(ErlDrvEntry, handle2);
    FIELD(ErlDrvEntry, process_exit);
    FIELD(ErlDrvEntry, stop_select);
    FIELD(ErlDrvEntry, emergency_close);

    SIZE(ErlIOVec);
    FIELD(ErlIOVec, vsize);
    FIELD(ErlIOVec, size);
    FIELD(ErlIOVec, iov);
    FIELD(ErlIOVec, binv);
    SIZE(SysIOVec);
    FIELD(SysIOVec, iov_base);
    FIELD(SysIOVec, iov_len);
    SIZE(ErlDrvBinary);
    FIELD(ErlDrvBinary, orig_size);
    FIELD(ErlDrvBinary, orig_bytes);
    SIZE(ErlDrvMonitor);
    SIZE(ErlDrvNowData);
    FIELD(ErlDrvNowData, megasecs);
    FIELD(ErlDrvNowData, secs);
    FIELD(ErlDrvNowData, microsecs);
    SIZE(ErlDrvThreadOpts);
    FIELD(ErlDrvThreadOpts, suggested_stack_size);
    SIZE(ErlDrvSysInfo);
    FIELD(ErlDrvSysInfo, driver_major_version);
    FIELD(ErlDrvSysInfo, driver_minor_version);
    FIELD(ErlDrvSysInfo, erts_version);
    FIELD(ErlDrvSysInfo, otp_release);
    FIELD(ErlDrvSysInfo, thread_support);
    FIELD(ErlDrvSysInfo, smp_support);
    FIELD(ErlDrvSysInfo, async_threads);
    FIELD(ErlDrvSysInfo, scheduler_threads);
    FIELD(ErlDrvSysInfo, nif_major_version);
    FIELD(ErlDrvSysInfo, nif_minor_version);
    FIELD(ErlDrvSysInfo, dirty_scheduler_support);

    SIZE(ErlDrvTermData);
    SIZE(ErlDrvUInt);
    SIZE(ErlDrvSInt);
    SIZE(ErlDrvUInt64);
    SIZE(ErlDrvSInt64);
    SIZE(ErlDrvSizeT);
    SIZE(ErlDrvSSizeT);
    SIZE(ErlDrvTime);
    SIZE(ErlDrvTimeUnit);
    SIZE(ErlDrvTSDKey);
    SIZE(ErlDrvPort);
    SIZE(ErlDrvData);
    SIZE(ErlDrvEvent);
    SIZE(ErlDrvTid);
    SIZE(ErlDrvThreadData);
    SIZE(ErlDrvPDL);

    NUMBER(ERL_DRV_EXTENDED_MARKER & 0xffffffffu);
    NUMBER(ERL_DRV_EXTENDED_MAJOR_VERSION);
    NUMBER(ERL_DRV_EXTENDED_MINOR_VERSION);
    NUMBER(ERL_DRV_MIN_REQUIRED_MAJOR_VERSION_ON_LOAD);
    NUMBER(ERL_DRV_READ);
    NUMBER(ERL_DRV_WRITE);
    NUMBER(ERL_DRV_USE);
    NUMBER(ERL_DRV_USE_NO_CALLBACK);
    NUMBER(DO_READ);
    NUMBER(DO_WRITE);
    NUMBER((size_t)ERL_DRV_ERROR_GENERAL);
    NUMBER((size_t)ERL_DRV_ERROR_ERRNO);
    NUMBER((size_t)ERL_DRV_ERROR_BADARG);
    NUMBER(DRIVER_CALL_KEEP_BUFFER);
    NUMBER(PORT_CONTROL_FLAG_BINARY);
    NUMBER(PORT_CONTROL_FLAG_HEAVY);
    NUMBER(PORT_FLAG_BINARY);
    NUMBER(PORT_FLAG_LINE);
    NUMBER(ERL_DRV_BUSY_MSGQ_DISABLED);
    NUMBER(ERL_DRV_BUSY_MSGQ_READ_ONLY);
    NUMBER(ERL_DRV_BUSY_MSGQ_LIM_MAX);
    NUMBER(ERL_DRV_BUSY_MSGQ_LIM_MIN);
    NUMBER(ERL_DRV_FLAG_USE_PORT_LOCKING);
    NUMBER(ERL_DRV_FLAG_SOFT_BUSY);
    NUMBER(ERL_DRV_FLAG_NO_BUSY_MSGQ);
    NUMBER(ERL_DRV_FLAG_USE_INIT_ACK);
    NUMBER(ERL_DRV_SEC);
    NUMBER(ERL_DRV_MSEC);
    NUMBER(ERL_DRV_USEC);
    NUMBER(ERL_DRV_NSEC);
    NUMBER(ERL_DRV_TIME_ERROR);
    NUMBER(ERL_DRV_NIL);
    NUMBER(ERL_DRV_ATOM);
    NUMBER(ERL_DRV_INT);
    NUMBER(ERL_DRV_PORT);
    NUMBER(ERL_DRV_BINARY);
    NUMBER(ERL_DRV_STRING);
    NUMBER(ERL_DRV_TUPLE);
    NUMBER(ERL_DRV_LIST);
    NUMBER(ERL_DRV_STRING_CONS);
    NUMBER(ERL_DRV_PID);
    NUMBER(ERL_DRV_FLOAT);
    NUMBER(ERL_DRV_EXT2TERM);
    NUMBER(ERL_DRV_UINT);
    NUMBER(ERL_DRV_BUF2BINARY);
    NUMBER(ERL_DRV_INT64);
    NUMBER(ERL_DRV_UINT64);
    NUMBER(ERL_DRV_MAP);
    return 0;
}

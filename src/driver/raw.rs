//! The driver interface as Rust sees it: generated from `include/erl_driver.h`, no logic.
//! `WHARF_REGENERATE=1 cargo check --features bindgen` writes this file.

#![allow(missing_docs, unreachable_pub, dead_code)]
#![allow(non_camel_case_types, non_upper_case_globals)]


pub const ERL_DRV_EXTENDED_MAJOR_VERSION: u32 = 3;
pub const ERL_DRV_EXTENDED_MINOR_VERSION: u32 = 3;
pub const ERL_DRV_MIN_REQUIRED_MAJOR_VERSION_ON_LOAD: u32 = 2;
pub const ERL_DRV_FLAG_USE_PORT_LOCKING: u32 = 1;
pub const ERL_DRV_FLAG_SOFT_BUSY: u32 = 2;
pub const ERL_DRV_FLAG_NO_BUSY_MSGQ: u32 = 4;
pub const ERL_DRV_FLAG_USE_INIT_ACK: u32 = 8;
pub const ERL_DRV_READ: u32 = 1;
pub const ERL_DRV_WRITE: u32 = 2;
pub const ERL_DRV_USE: u32 = 4;
pub const ERL_DRV_USE_NO_CALLBACK: u32 = 12;
pub const DO_READ: u32 = 1;
pub const DO_WRITE: u32 = 2;
pub const PORT_CONTROL_FLAG_BINARY: u32 = 1;
pub const PORT_CONTROL_FLAG_HEAVY: u32 = 2;
pub const DRIVER_CALL_KEEP_BUFFER: u32 = 1;
pub const PORT_FLAG_BINARY: u32 = 1;
pub const PORT_FLAG_LINE: u32 = 2;
pub type ErlDrvUInt = ::std::os::raw::c_ulong;
pub type ErlDrvSInt = ::std::os::raw::c_long;
pub type ErlDrvUInt64 = ::std::os::raw::c_ulong;
pub type ErlDrvSInt64 = ::std::os::raw::c_long;
pub type ErlDrvSizeT = usize;
pub type ErlDrvSSizeT = isize;
pub type ErlDrvTermData = ErlDrvUInt;
#[repr(C)]
#[derive(Debug)]
pub struct _erl_drv_port {
    _unused: [u8; 0],
}
pub type ErlDrvPort = *mut _erl_drv_port;
#[repr(C)]
#[derive(Debug)]
pub struct _erl_drv_data {
    _unused: [u8; 0],
}
pub type ErlDrvData = *mut _erl_drv_data;
#[repr(C)]
#[derive(Debug)]
pub struct _erl_drv_event {
    _unused: [u8; 0],
}
pub type ErlDrvEvent = *mut _erl_drv_event;
#[repr(C)]
#[derive(Debug)]
pub struct _erl_drv_thread_data {
    _unused: [u8; 0],
}
pub type ErlDrvThreadData = *mut _erl_drv_thread_data;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct erl_drv_binary {
    pub orig_size: ErlDrvSInt,
    pub orig_bytes: [::std::os::raw::c_char; 1usize],
}
pub type ErlDrvBinary = erl_drv_binary;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct SysIOVec {
    pub iov_base: *mut ::std::os::raw::c_char,
    pub iov_len: usize,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct erl_io_vec {
    pub vsize: ::std::os::raw::c_int,
    pub size: ErlDrvSizeT,
    pub iov: *mut SysIOVec,
    pub binv: *mut *mut ErlDrvBinary,
}
pub type ErlIOVec = erl_io_vec;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ErlDrvMonitor {
    pub data: [::std::os::raw::c_uchar; 32usize],
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ErlDrvSysInfo {
    pub driver_major_version: ::std::os::raw::c_int,
    pub driver_minor_version: ::std::os::raw::c_int,
    pub erts_version: *mut ::std::os::raw::c_char,
    pub otp_release: *mut ::std::os::raw::c_char,
    pub thread_support: ::std::os::raw::c_int,
    pub smp_support: ::std::os::raw::c_int,
    pub async_threads: ::std::os::raw::c_int,
    pub scheduler_threads: ::std::os::raw::c_int,
    pub nif_major_version: ::std::os::raw::c_int,
    pub nif_minor_version: ::std::os::raw::c_int,
    pub dirty_scheduler_support: ::std::os::raw::c_int,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct erl_drv_entry {
    pub init: ::std::option::Option<unsafe extern "C" fn() -> ::std::os::raw::c_int>,
    pub start: ::std::option::Option<
        unsafe extern "C" fn(port: ErlDrvPort, command: *mut ::std::os::raw::c_char) -> ErlDrvData,
    >,
    pub stop: ::std::option::Option<unsafe extern "C" fn(drv_data: ErlDrvData)>,
    pub output: ::std::option::Option<
        unsafe extern "C" fn(
            drv_data: ErlDrvData,
            buf: *mut ::std::os::raw::c_char,
            len: ErlDrvSizeT,
        ),
    >,
    pub ready_input:
        ::std::option::Option<unsafe extern "C" fn(drv_data: ErlDrvData, event: ErlDrvEvent)>,
    pub ready_output:
        ::std::option::Option<unsafe extern "C" fn(drv_data: ErlDrvData, event: ErlDrvEvent)>,
    pub driver_name: *mut ::std::os::raw::c_char,
    pub finish: ::std::option::Option<unsafe extern "C" fn()>,
    pub handle: *mut ::std::os::raw::c_void,
    pub control: ::std::option::Option<
        unsafe extern "C" fn(
            drv_data: ErlDrvData,
            command: ::std::os::raw::c_uint,
            buf: *mut ::std::os::raw::c_char,
            len: ErlDrvSizeT,
            rbuf: *mut *mut ::std::os::raw::c_char,
            rlen: ErlDrvSizeT,
        ) -> ErlDrvSSizeT,
    >,
    pub timeout: ::std::option::Option<unsafe extern "C" fn(drv_data: ErlDrvData)>,
    pub outputv:
        ::std::option::Option<unsafe extern "C" fn(drv_data: ErlDrvData, ev: *mut ErlIOVec)>,
    pub ready_async: ::std::option::Option<
        unsafe extern "C" fn(drv_data: ErlDrvData, thread_data: ErlDrvThreadData),
    >,
    pub flush: ::std::option::Option<unsafe extern "C" fn(drv_data: ErlDrvData)>,
    pub call: ::std::option::Option<
        unsafe extern "C" fn(
            drv_data: ErlDrvData,
            command: ::std::os::raw::c_uint,
            buf: *mut ::std::os::raw::c_char,
            len: ErlDrvSizeT,
            rbuf: *mut *mut ::std::os::raw::c_char,
            rlen: ErlDrvSizeT,
            flags: *mut ::std::os::raw::c_uint,
        ) -> ErlDrvSSizeT,
    >,
    pub unused_event_callback: ::std::option::Option<unsafe extern "C" fn()>,
    pub extended_marker: ::std::os::raw::c_int,
    pub major_version: ::std::os::raw::c_int,
    pub minor_version: ::std::os::raw::c_int,
    pub driver_flags: ::std::os::raw::c_int,
    pub handle2: *mut ::std::os::raw::c_void,
    pub process_exit: ::std::option::Option<
        unsafe extern "C" fn(drv_data: ErlDrvData, monitor: *mut ErlDrvMonitor),
    >,
    pub stop_select: ::std::option::Option<
        unsafe extern "C" fn(event: ErlDrvEvent, reserved: *mut ::std::os::raw::c_void),
    >,
    pub emergency_close: ::std::option::Option<unsafe extern "C" fn(drv_data: ErlDrvData)>,
}
pub type ErlDrvEntry = erl_drv_entry;
unsafe extern "C" {
    pub fn driver_output(
        port: ErlDrvPort,
        buf: *mut ::std::os::raw::c_char,
        len: ErlDrvSizeT,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_output2(
        port: ErlDrvPort,
        hbuf: *mut ::std::os::raw::c_char,
        hlen: ErlDrvSizeT,
        buf: *mut ::std::os::raw::c_char,
        len: ErlDrvSizeT,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_output_binary(
        port: ErlDrvPort,
        hbuf: *mut ::std::os::raw::c_char,
        hlen: ErlDrvSizeT,
        bin: *mut ErlDrvBinary,
        offset: ErlDrvSizeT,
        len: ErlDrvSizeT,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_outputv(
        port: ErlDrvPort,
        hbuf: *mut ::std::os::raw::c_char,
        hlen: ErlDrvSizeT,
        ev: *mut ErlIOVec,
        skip: ErlDrvSizeT,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_vec_to_buf(
        ev: *mut ErlIOVec,
        buf: *mut ::std::os::raw::c_char,
        len: ErlDrvSizeT,
    ) -> ErlDrvSizeT;
}
unsafe extern "C" {
    pub fn erl_drv_output_term(
        port: ErlDrvTermData,
        data: *mut ErlDrvTermData,
        len: ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn erl_drv_send_term(
        port: ErlDrvTermData,
        receiver: ErlDrvTermData,
        data: *mut ErlDrvTermData,
        len: ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_output_term(
        port: ErlDrvPort,
        data: *mut ErlDrvTermData,
        len: ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_send_term(
        port: ErlDrvPort,
        receiver: ErlDrvTermData,
        data: *mut ErlDrvTermData,
        len: ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_mk_atom(name: *mut ::std::os::raw::c_char) -> ErlDrvTermData;
}
unsafe extern "C" {
    pub fn driver_mk_port(port: ErlDrvPort) -> ErlDrvTermData;
}
unsafe extern "C" {
    pub fn driver_connected(port: ErlDrvPort) -> ErlDrvTermData;
}
unsafe extern "C" {
    pub fn driver_caller(port: ErlDrvPort) -> ErlDrvTermData;
}
unsafe extern "C" {
    pub static driver_term_nil: ErlDrvTermData;
}
unsafe extern "C" {
    pub fn driver_mk_term_nil() -> ErlDrvTermData;
}
unsafe extern "C" {
    pub fn driver_failure_eof(port: ErlDrvPort) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_failure_atom(
        port: ErlDrvPort,
        reason: *mut ::std::os::raw::c_char,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_failure_posix(
        port: ErlDrvPort,
        error: ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_failure(port: ErlDrvPort, error: ::std::os::raw::c_int) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_exit(port: ErlDrvPort, error: ::std::os::raw::c_int) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn erl_drv_port_control(
        port: ErlDrvTermData,
        command: ::std::os::raw::c_uint,
        buf: *mut ::std::os::raw::c_char,
        len: ErlDrvSizeT,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_report_exit(port: ErlDrvPort, status: ::std::os::raw::c_int);
}
unsafe extern "C" {
    pub fn driver_select(
        port: ErlDrvPort,
        event: ErlDrvEvent,
        mode: ::std::os::raw::c_int,
        on: ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_set_timer(
        port: ErlDrvPort,
        milliseconds: ::std::os::raw::c_ulong,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_cancel_timer(port: ErlDrvPort) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_read_timer(
        port: ErlDrvPort,
        milliseconds: *mut ::std::os::raw::c_ulong,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_async(
        port: ErlDrvPort,
        key: *mut ::std::os::raw::c_uint,
        invoke: ::std::option::Option<unsafe extern "C" fn(arg1: *mut ::std::os::raw::c_void)>,
        data: *mut ::std::os::raw::c_void,
        destroy: ::std::option::Option<unsafe extern "C" fn(arg1: *mut ::std::os::raw::c_void)>,
    ) -> ::std::os::raw::c_long;
}
unsafe extern "C" {
    pub fn driver_async_port_key(port: ErlDrvPort) -> ::std::os::raw::c_uint;
}
unsafe extern "C" {
    pub fn driver_enq(
        port: ErlDrvPort,
        buf: *mut ::std::os::raw::c_char,
        len: ErlDrvSizeT,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_pushq(
        port: ErlDrvPort,
        buf: *mut ::std::os::raw::c_char,
        len: ErlDrvSizeT,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_enq_bin(
        port: ErlDrvPort,
        bin: *mut ErlDrvBinary,
        offset: ErlDrvSizeT,
        len: ErlDrvSizeT,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_pushq_bin(
        port: ErlDrvPort,
        bin: *mut ErlDrvBinary,
        offset: ErlDrvSizeT,
        len: ErlDrvSizeT,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_enqv(
        port: ErlDrvPort,
        ev: *mut ErlIOVec,
        skip: ErlDrvSizeT,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_pushqv(
        port: ErlDrvPort,
        ev: *mut ErlIOVec,
        skip: ErlDrvSizeT,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_deq(port: ErlDrvPort, len: ErlDrvSizeT) -> ErlDrvSizeT;
}
unsafe extern "C" {
    pub fn driver_sizeq(port: ErlDrvPort) -> ErlDrvSizeT;
}
unsafe extern "C" {
    pub fn driver_peekq(port: ErlDrvPort, vlen: *mut ::std::os::raw::c_int) -> *mut SysIOVec;
}
unsafe extern "C" {
    pub fn driver_peekqv(port: ErlDrvPort, ev: *mut ErlIOVec) -> ErlDrvSizeT;
}
#[repr(C)]
#[derive(Debug)]
pub struct erl_drv_port_data_lock {
    _unused: [u8; 0],
}
pub type ErlDrvPDL = *mut erl_drv_port_data_lock;
unsafe extern "C" {
    pub fn driver_pdl_create(port: ErlDrvPort) -> ErlDrvPDL;
}
unsafe extern "C" {
    pub fn driver_pdl_lock(pdl: ErlDrvPDL);
}
unsafe extern "C" {
    pub fn driver_pdl_unlock(pdl: ErlDrvPDL);
}
unsafe extern "C" {
    pub fn driver_pdl_get_refc(pdl: ErlDrvPDL) -> ErlDrvSInt;
}
unsafe extern "C" {
    pub fn driver_pdl_inc_refc(pdl: ErlDrvPDL) -> ErlDrvSInt;
}
unsafe extern "C" {
    pub fn driver_pdl_dec_refc(pdl: ErlDrvPDL) -> ErlDrvSInt;
}
unsafe extern "C" {
    pub fn driver_alloc(size: ErlDrvSizeT) -> *mut ::std::os::raw::c_void;
}
unsafe extern "C" {
    pub fn driver_realloc(
        ptr: *mut ::std::os::raw::c_void,
        size: ErlDrvSizeT,
    ) -> *mut ::std::os::raw::c_void;
}
unsafe extern "C" {
    pub fn driver_free(ptr: *mut ::std::os::raw::c_void);
}
unsafe extern "C" {
    pub fn driver_alloc_binary(size: ErlDrvSizeT) -> *mut ErlDrvBinary;
}
unsafe extern "C" {
    pub fn driver_realloc_binary(bin: *mut ErlDrvBinary, size: ErlDrvSizeT) -> *mut ErlDrvBinary;
}
unsafe extern "C" {
    pub fn driver_free_binary(bin: *mut ErlDrvBinary);
}
unsafe extern "C" {
    pub fn driver_binary_get_refc(bin: *mut ErlDrvBinary) -> ErlDrvSInt;
}
unsafe extern "C" {
    pub fn driver_binary_inc_refc(bin: *mut ErlDrvBinary) -> ErlDrvSInt;
}
unsafe extern "C" {
    pub fn driver_binary_dec_refc(bin: *mut ErlDrvBinary) -> ErlDrvSInt;
}
unsafe extern "C" {
    pub fn set_port_control_flags(port: ErlDrvPort, flags: ::std::os::raw::c_int);
}
unsafe extern "C" {
    pub fn get_port_flags(port: ErlDrvPort) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn set_busy_port(port: ErlDrvPort, on: ::std::os::raw::c_int);
}
unsafe extern "C" {
    pub fn erl_drv_busy_msgq_limits(
        port: ErlDrvPort,
        low: *mut ErlDrvSizeT,
        high: *mut ErlDrvSizeT,
    );
}
unsafe extern "C" {
    pub fn erl_drv_consume_timeslice(
        port: ErlDrvPort,
        percent: ::std::os::raw::c_int,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn erl_drv_set_os_pid(port: ErlDrvPort, pid: ErlDrvSInt);
}
unsafe extern "C" {
    pub fn erl_drv_init_ack(port: ErlDrvPort, data: ErlDrvData);
}
unsafe extern "C" {
    pub fn driver_lock_driver(port: ErlDrvPort) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_create_port(
        creator: ErlDrvPort,
        owner: ErlDrvTermData,
        name: *mut ::std::os::raw::c_char,
        drv_data: ErlDrvData,
    ) -> ErlDrvPort;
}
unsafe extern "C" {
    pub fn add_driver_entry(entry: *mut ErlDrvEntry);
}
unsafe extern "C" {
    pub fn remove_driver_entry(entry: *mut ErlDrvEntry) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn null_func() -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_monitor_process(
        port: ErlDrvPort,
        process: ErlDrvTermData,
        monitor: *mut ErlDrvMonitor,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_demonitor_process(
        port: ErlDrvPort,
        monitor: *const ErlDrvMonitor,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_get_monitored_process(
        port: ErlDrvPort,
        monitor: *const ErlDrvMonitor,
    ) -> ErlDrvTermData;
}
unsafe extern "C" {
    pub fn driver_compare_monitors(
        a: *const ErlDrvMonitor,
        b: *const ErlDrvMonitor,
    ) -> ::std::os::raw::c_int;
}
#[repr(C)]
#[derive(Debug)]
pub struct ErlDrvMutex_ {
    _unused: [u8; 0],
}
pub type ErlDrvMutex = ErlDrvMutex_;
#[repr(C)]
#[derive(Debug)]
pub struct ErlDrvCond_ {
    _unused: [u8; 0],
}
pub type ErlDrvCond = ErlDrvCond_;
#[repr(C)]
#[derive(Debug)]
pub struct ErlDrvRWLock_ {
    _unused: [u8; 0],
}
pub type ErlDrvRWLock = ErlDrvRWLock_;
unsafe extern "C" {
    pub fn erl_drv_mutex_create(name: *mut ::std::os::raw::c_char) -> *mut ErlDrvMutex;
}
unsafe extern "C" {
    pub fn erl_drv_mutex_destroy(mutex: *mut ErlDrvMutex);
}
unsafe extern "C" {
    pub fn erl_drv_mutex_lock(mutex: *mut ErlDrvMutex);
}
unsafe extern "C" {
    pub fn erl_drv_mutex_trylock(mutex: *mut ErlDrvMutex) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn erl_drv_mutex_unlock(mutex: *mut ErlDrvMutex);
}
unsafe extern "C" {
    pub fn erl_drv_mutex_name(mutex: *mut ErlDrvMutex) -> *mut ::std::os::raw::c_char;
}
unsafe extern "C" {
    pub fn erl_drv_cond_create(name: *mut ::std::os::raw::c_char) -> *mut ErlDrvCond;
}
unsafe extern "C" {
    pub fn erl_drv_cond_destroy(cond: *mut ErlDrvCond);
}
unsafe extern "C" {
    pub fn erl_drv_cond_wait(cond: *mut ErlDrvCond, mutex: *mut ErlDrvMutex);
}
unsafe extern "C" {
    pub fn erl_drv_cond_signal(cond: *mut ErlDrvCond);
}
unsafe extern "C" {
    pub fn erl_drv_cond_broadcast(cond: *mut ErlDrvCond);
}
unsafe extern "C" {
    pub fn erl_drv_cond_name(cond: *mut ErlDrvCond) -> *mut ::std::os::raw::c_char;
}
unsafe extern "C" {
    pub fn erl_drv_rwlock_create(name: *mut ::std::os::raw::c_char) -> *mut ErlDrvRWLock;
}
unsafe extern "C" {
    pub fn erl_drv_rwlock_destroy(rwlock: *mut ErlDrvRWLock);
}
unsafe extern "C" {
    pub fn erl_drv_rwlock_rlock(rwlock: *mut ErlDrvRWLock);
}
unsafe extern "C" {
    pub fn erl_drv_rwlock_tryrlock(rwlock: *mut ErlDrvRWLock) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn erl_drv_rwlock_runlock(rwlock: *mut ErlDrvRWLock);
}
unsafe extern "C" {
    pub fn erl_drv_rwlock_rwlock(rwlock: *mut ErlDrvRWLock);
}
unsafe extern "C" {
    pub fn erl_drv_rwlock_tryrwlock(rwlock: *mut ErlDrvRWLock) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn erl_drv_rwlock_rwunlock(rwlock: *mut ErlDrvRWLock);
}
unsafe extern "C" {
    pub fn erl_drv_rwlock_name(rwlock: *mut ErlDrvRWLock) -> *mut ::std::os::raw::c_char;
}
pub type ErlDrvTSDKey = ::std::os::raw::c_int;
unsafe extern "C" {
    pub fn erl_drv_tsd_key_create(
        name: *mut ::std::os::raw::c_char,
        key: *mut ErlDrvTSDKey,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn erl_drv_tsd_key_destroy(key: ErlDrvTSDKey);
}
unsafe extern "C" {
    pub fn erl_drv_tsd_set(key: ErlDrvTSDKey, data: *mut ::std::os::raw::c_void);
}
unsafe extern "C" {
    pub fn erl_drv_tsd_get(key: ErlDrvTSDKey) -> *mut ::std::os::raw::c_void;
}
#[repr(C)]
#[derive(Debug)]
pub struct ErlDrvTid_ {
    _unused: [u8; 0],
}
pub type ErlDrvTid = *mut ErlDrvTid_;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ErlDrvThreadOpts {
    pub suggested_stack_size: ::std::os::raw::c_int,
}
unsafe extern "C" {
    pub fn erl_drv_thread_opts_create(name: *mut ::std::os::raw::c_char) -> *mut ErlDrvThreadOpts;
}
unsafe extern "C" {
    pub fn erl_drv_thread_opts_destroy(opts: *mut ErlDrvThreadOpts);
}
unsafe extern "C" {
    pub fn erl_drv_thread_create(
        name: *mut ::std::os::raw::c_char,
        tid: *mut ErlDrvTid,
        func: ::std::option::Option<
            unsafe extern "C" fn(arg1: *mut ::std::os::raw::c_void) -> *mut ::std::os::raw::c_void,
        >,
        arg: *mut ::std::os::raw::c_void,
        opts: *mut ErlDrvThreadOpts,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn erl_drv_thread_self() -> ErlDrvTid;
}
unsafe extern "C" {
    pub fn erl_drv_equal_tids(a: ErlDrvTid, b: ErlDrvTid) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn erl_drv_thread_exit(result: *mut ::std::os::raw::c_void);
}
unsafe extern "C" {
    pub fn erl_drv_thread_join(
        tid: ErlDrvTid,
        result: *mut *mut ::std::os::raw::c_void,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn erl_drv_thread_name(tid: ErlDrvTid) -> *mut ::std::os::raw::c_char;
}
pub type ErlDrvTime = ErlDrvSInt64;
pub const ERL_DRV_SEC: ErlDrvTimeUnit = 0;
pub const ERL_DRV_MSEC: ErlDrvTimeUnit = 1;
pub const ERL_DRV_USEC: ErlDrvTimeUnit = 2;
pub const ERL_DRV_NSEC: ErlDrvTimeUnit = 3;
pub type ErlDrvTimeUnit = ::std::os::raw::c_uint;
unsafe extern "C" {
    pub fn erl_drv_monotonic_time(unit: ErlDrvTimeUnit) -> ErlDrvTime;
}
unsafe extern "C" {
    pub fn erl_drv_time_offset(unit: ErlDrvTimeUnit) -> ErlDrvTime;
}
unsafe extern "C" {
    pub fn erl_drv_convert_time_unit(
        value: ErlDrvTime,
        from: ErlDrvTimeUnit,
        to: ErlDrvTimeUnit,
    ) -> ErlDrvTime;
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ErlDrvNowData {
    pub megasecs: ::std::os::raw::c_ulong,
    pub secs: ::std::os::raw::c_ulong,
    pub microsecs: ::std::os::raw::c_ulong,
}
unsafe extern "C" {
    pub fn driver_get_now(now: *mut ErlDrvNowData) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn erl_drv_putenv(
        key: *const ::std::os::raw::c_char,
        value: *mut ::std::os::raw::c_char,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn erl_drv_getenv(
        key: *const ::std::os::raw::c_char,
        value: *mut ::std::os::raw::c_char,
        size: *mut usize,
    ) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_dl_open(path: *mut ::std::os::raw::c_char) -> *mut ::std::os::raw::c_void;
}
unsafe extern "C" {
    pub fn driver_dl_sym(
        handle: *mut ::std::os::raw::c_void,
        name: *mut ::std::os::raw::c_char,
    ) -> *mut ::std::os::raw::c_void;
}
unsafe extern "C" {
    pub fn driver_dl_close(handle: *mut ::std::os::raw::c_void) -> ::std::os::raw::c_int;
}
unsafe extern "C" {
    pub fn driver_dl_error() -> *mut ::std::os::raw::c_char;
}
unsafe extern "C" {
    pub fn erl_errno_id(error: ::std::os::raw::c_int) -> *mut ::std::os::raw::c_char;
}
unsafe extern "C" {
    pub fn driver_system_info(info: *mut ErlDrvSysInfo, size: usize);
}

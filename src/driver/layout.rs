//! Holds the generated bindings to the layout that drivers were compiled for.
//!
//! Relies on `raw.rs`; promises that the package does not compile on a target, or after a
//! change of the header, where a size or an offset differs. `c_tests/layout.c` shows the same
//! numbers from the C side. Constants that the generator cannot read stand here, too.
#![forbid(unsafe_code)]

use std::mem::{align_of, offset_of, size_of};

use super::raw::{
    ErlDrvBinary, ErlDrvEntry, ErlDrvMonitor, ErlDrvNowData, ErlDrvSysInfo, ErlDrvThreadOpts,
    ErlIOVec, SysIOVec,
};

/// The marker that tells a driver's table from an older, shorter one.
pub(super) const EXTENDED_MARKER: u32 = 0xfeee_eeed;

/// What `start` and `erl_drv_init_ack` give instead of data.
pub(super) const ERROR_GENERAL: isize = -1;
/// As above, with the reason in `errno`.
pub(super) const ERROR_ERRNO: isize = -2;
/// As above: `badarg`.
pub(super) const ERROR_BADARG: isize = -3;

const _: () = {
    assert!(size_of::<ErlDrvEntry>() == 176 && align_of::<ErlDrvEntry>() == 8);
    assert!(offset_of!(ErlDrvEntry, init) == 0);
    assert!(offset_of!(ErlDrvEntry, start) == 8);
    assert!(offset_of!(ErlDrvEntry, stop) == 16);
    assert!(offset_of!(ErlDrvEntry, output) == 24);
    assert!(offset_of!(ErlDrvEntry, ready_input) == 32);
    assert!(offset_of!(ErlDrvEntry, ready_output) == 40);
    assert!(offset_of!(ErlDrvEntry, driver_name) == 48);
    assert!(offset_of!(ErlDrvEntry, finish) == 56);
    assert!(offset_of!(ErlDrvEntry, handle) == 64);
    assert!(offset_of!(ErlDrvEntry, control) == 72);
    assert!(offset_of!(ErlDrvEntry, timeout) == 80);
    assert!(offset_of!(ErlDrvEntry, outputv) == 88);
    assert!(offset_of!(ErlDrvEntry, ready_async) == 96);
    assert!(offset_of!(ErlDrvEntry, flush) == 104);
    assert!(offset_of!(ErlDrvEntry, call) == 112);
    assert!(offset_of!(ErlDrvEntry, unused_event_callback) == 120);
    assert!(offset_of!(ErlDrvEntry, extended_marker) == 128);
    assert!(offset_of!(ErlDrvEntry, major_version) == 132);
    assert!(offset_of!(ErlDrvEntry, minor_version) == 136);
    assert!(offset_of!(ErlDrvEntry, driver_flags) == 140);
    assert!(offset_of!(ErlDrvEntry, handle2) == 144);
    assert!(offset_of!(ErlDrvEntry, process_exit) == 152);
    assert!(offset_of!(ErlDrvEntry, stop_select) == 160);
    assert!(offset_of!(ErlDrvEntry, emergency_close) == 168);

    assert!(size_of::<ErlIOVec>() == 32);
    assert!(offset_of!(ErlIOVec, vsize) == 0 && offset_of!(ErlIOVec, size) == 8);
    assert!(offset_of!(ErlIOVec, iov) == 16 && offset_of!(ErlIOVec, binv) == 24);
    assert!(size_of::<SysIOVec>() == 16);
    assert!(offset_of!(SysIOVec, iov_base) == 0 && offset_of!(SysIOVec, iov_len) == 8);
    assert!(size_of::<ErlDrvBinary>() == 16 && align_of::<ErlDrvBinary>() == 8);
    assert!(offset_of!(ErlDrvBinary, orig_size) == 0 && offset_of!(ErlDrvBinary, orig_bytes) == 8);
    assert!(size_of::<ErlDrvMonitor>() == 32 && align_of::<ErlDrvMonitor>() == 1);
    assert!(size_of::<ErlDrvNowData>() == 24);
    assert!(size_of::<ErlDrvThreadOpts>() == 4);

    assert!(size_of::<ErlDrvSysInfo>() == 56);
    assert!(offset_of!(ErlDrvSysInfo, erts_version) == 8);
    assert!(offset_of!(ErlDrvSysInfo, otp_release) == 16);
    assert!(offset_of!(ErlDrvSysInfo, smp_support) == 28);
    assert!(offset_of!(ErlDrvSysInfo, scheduler_threads) == 36);
    assert!(offset_of!(ErlDrvSysInfo, nif_minor_version) == 44);
    assert!(offset_of!(ErlDrvSysInfo, dirty_scheduler_support) == 48);
};

//! The port's timer.

use std::ffi::{c_int, c_ulong};
use std::time::Duration;

use super::{export, with_port};
use crate::driver::raw::ErlDrvPort;
use crate::ffi::pointer;

export! {
    fn driver_set_timer(port: ErlDrvPort, milliseconds: c_ulong) -> c_int, else -1 => {
        with_port(port, |on, port, instance| {
            instance.set_timer(on, port, Duration::from_millis(milliseconds));
            0
        })
        .unwrap_or(-1)
    }

    fn driver_cancel_timer(port: ErlDrvPort) -> c_int, else -1 => {
        with_port(port, |on, port, instance| {
            instance.cancel_timer(on, port);
            0
        })
        .unwrap_or(-1)
    }

    fn driver_read_timer(port: ErlDrvPort, milliseconds: *mut c_ulong) -> c_int, else -1 => {
        let Some(left) = with_port(port, |on, _, instance| instance.timer_left(on)) else {
            return -1;
        };
        // Rounded up: a timer that is still to fire has something left.
        let left = left.as_nanos().div_ceil(1_000_000);
        // SAFETY: the driver wants the number there.
        unsafe { pointer::store(milliseconds, c_ulong::try_from(left).unwrap_or(c_ulong::MAX)) };
        0
    }
}

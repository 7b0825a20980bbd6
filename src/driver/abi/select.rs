//! `driver_select`.

use std::ffi::c_int;

use super::misuse::{self, Rule};
use super::{export, with_port};
use crate::driver::handle;
use crate::driver::raw::{
    ERL_DRV_READ, ERL_DRV_USE, ERL_DRV_USE_NO_CALLBACK, ERL_DRV_WRITE, ErlDrvEvent, ErlDrvPort,
};
use crate::driver::select::{Directions, Release, deselect, is_possible, select};

export! {
    fn driver_select(port: ErlDrvPort, event: ErlDrvEvent, mode: c_int, on: c_int) -> c_int, else -1 => {
        // A descriptor is an int that was cast to a pointer, by whichever way.
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
        let fd = event.addr() as isize as c_int;
        if !is_possible(fd) {
            misuse::tell(handle::as_handle(port.addr()), &Rule::BadDescriptor(fd));
            return -1;
        }
        let mode = mode.cast_unsigned();
        let directions =
            Directions { read: mode & ERL_DRV_READ != 0, write: mode & ERL_DRV_WRITE != 0 };
        // USE_NO_CALLBACK has the bit of USE in it.
        let release = match mode & ERL_DRV_USE_NO_CALLBACK {
            ERL_DRV_USE => Release::WithCallback,
            ERL_DRV_USE_NO_CALLBACK => Release::Silently,
            _ => Release::Keep,
        };
        let done = with_port(port, |turn, port, instance| {
            if on == 0 {
                deselect(turn, port, instance, fd, directions, release);
            } else {
                select(turn, port, instance, fd, directions);
            }
        });
        if done.is_some() { 0 } else { -1 }
    }
}

//! Counted binaries, shared between drivers and terms.

use std::ptr::{self, NonNull};

use super::export;
use super::misuse::{self, Rule};
use crate::driver::ledger;
use crate::driver::raw::{ErlDrvBinary, ErlDrvSInt, ErlDrvSizeT};
use crate::term::Counted;

export! {
    fn driver_alloc_binary(size: ErlDrvSizeT) -> *mut ErlDrvBinary, else ptr::null_mut() => {
        // SAFETY: the driver fills the bytes before it shows them to anybody; until then nobody
        // but the driver has the binary.
        let counted = unsafe { Counted::alloc_unfilled(size) };
        counted.map_or(ptr::null_mut(), given)
    }

    fn driver_realloc_binary(bin: *mut ErlDrvBinary, size: ErlDrvSizeT) -> *mut ErlDrvBinary, else ptr::null_mut() => {
        let resized = match NonNull::new(bin.cast::<u8>()) {
            // SAFETY: the driver's reference is handed over, and comes back in the result.
            Some(raw) => unsafe { Counted::from_raw(raw) }.realloc(size),
            // SAFETY: as in driver_alloc_binary.
            None => return unsafe { driver_alloc_binary(size) },
        };
        match resized {
            Ok(counted) => given(counted),
            Err(unchanged) => {
                // Still the driver's.
                let _ = unchanged.into_raw();
                ptr::null_mut()
            }
        }
    }

    fn driver_free_binary(bin: *mut ErlDrvBinary), else () => {
        if let Some(raw) = NonNull::new(bin.cast::<u8>()) {
            // SAFETY: the driver gives its reference away.
            drop(unsafe { Counted::from_raw(raw) });
        }
    }

    fn driver_binary_get_refc(bin: *mut ErlDrvBinary) -> ErlDrvSInt, else 0 => {
        with(bin, |counted| counted.refc())
    }

    fn driver_binary_inc_refc(bin: *mut ErlDrvBinary) -> ErlDrvSInt, else 0 => {
        with(bin, |counted| counted.inc())
    }

    fn driver_binary_dec_refc(bin: *mut ErlDrvBinary) -> ErlDrvSInt, else 0 => {
        with(bin, |counted| {
            let before = counted.refc();
            let left = counted.dec();
            // The last reference goes by driver_free_binary alone.
            if left == 1 && before == 1 {
                misuse::tell_here(&Rule::NoReference("a binary"));
            }
            left
        })
    }
}

/// A new binary, into the driver's hands.
#[inline]
fn given(mut counted: Counted) -> *mut ErlDrvBinary {
    ledger::binary_allocated(&mut counted);
    counted.into_raw().as_ptr().cast()
}

/// A look at a driver's binary without counting as a holder; 0 for NULL.
fn with(bin: *mut ErlDrvBinary, f: impl FnOnce(&Counted) -> i64) -> i64 {
    let Some(raw) = NonNull::new(bin.cast::<u8>()) else {
        misuse::tell_here(&Rule::Nothing("a binary"));
        return 0;
    };
    // SAFETY: the driver holds the binary; its reference stays its own, as this value is not
    // dropped.
    let counted = std::mem::ManuallyDrop::new(unsafe { Counted::from_raw(raw) });
    f(&counted)
}

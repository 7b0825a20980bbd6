//! The driver queue. Also called by the driver's own threads, which then hold the port data
//! lock; so nothing here needs the turn.

use std::ffi::{c_char, c_int};
use std::ptr::{self, NonNull};

use super::misuse::{self, Rule};
use super::output::{Small, pieces_of};
use super::{export, with_port_anywhere};
use crate::driver::raw::{ErlDrvBinary, ErlDrvPort, ErlDrvSizeT, ErlIOVec, SysIOVec};
use crate::ffi::pointer;
use crate::port::queue::End;
use crate::term::{Binary, Counted};

export! {
    fn driver_enq(port: ErlDrvPort, buf: *mut c_char, len: ErlDrvSizeT) -> c_int, else -1 => {
        // SAFETY: the driver says that `len` bytes are there.
        unsafe { add_bytes(port, End::Back, buf, len) }
    }

    fn driver_pushq(port: ErlDrvPort, buf: *mut c_char, len: ErlDrvSizeT) -> c_int, else -1 => {
        // SAFETY: as above.
        unsafe { add_bytes(port, End::Front, buf, len) }
    }

    fn driver_enq_bin(
        port: ErlDrvPort,
        bin: *mut ErlDrvBinary,
        offset: ErlDrvSizeT,
        len: ErlDrvSizeT,
    ) -> c_int, else -1 => {
        // SAFETY: the driver holds the binary that it names.
        unsafe { add_binary(port, End::Back, bin, offset, len) }
    }

    fn driver_pushq_bin(
        port: ErlDrvPort,
        bin: *mut ErlDrvBinary,
        offset: ErlDrvSizeT,
        len: ErlDrvSizeT,
    ) -> c_int, else -1 => {
        // SAFETY: as above.
        unsafe { add_binary(port, End::Front, bin, offset, len) }
    }

    fn driver_enqv(port: ErlDrvPort, ev: *mut ErlIOVec, skip: ErlDrvSizeT) -> c_int, else -1 => {
        // SAFETY: the driver's vector, with as many pieces and binaries as it says.
        unsafe { add_vector(port, End::Back, ev, skip) }
    }

    fn driver_pushqv(port: ErlDrvPort, ev: *mut ErlIOVec, skip: ErlDrvSizeT) -> c_int, else -1 => {
        // SAFETY: as above.
        unsafe { add_vector(port, End::Front, ev, skip) }
    }

    fn driver_deq(port: ErlDrvPort, len: ErlDrvSizeT) -> ErlDrvSizeT, else usize::MAX => {
        let left = with_port_anywhere(port, |port, instance| {
            let mut beside = instance.beside().lock();
            let held = beside.wanted();
            let left = held.queue.take(len);
            if left.is_none() {
                let there = held.queue.bytes();
                drop(beside);
                misuse::tell(Some(port.id()), &Rule::DequeuedTooMuch { wanted: len, there });
            }
            left
        });
        left.flatten().unwrap_or(usize::MAX)
    }

    fn driver_sizeq(port: ErlDrvPort) -> ErlDrvSizeT, else usize::MAX => {
        with_port_anywhere(port, |_, instance| instance.queue_bytes())
            .unwrap_or(usize::MAX)
    }

    fn driver_peekq(port: ErlDrvPort, vlen: *mut c_int) -> *mut SysIOVec, else ptr::null_mut() => {
        let (len, iov) = match lend(port) {
            Some(ev) => (ev.vsize, ev.iov),
            None => (-1, ptr::null_mut()),
        };
        // SAFETY: the driver wants the number there.
        unsafe { pointer::store(vlen, len) };
        iov
    }

    fn driver_peekqv(port: ErlDrvPort, ev: *mut ErlIOVec) -> ErlDrvSizeT, else usize::MAX => {
        let Some(lent) = lend(port) else {
            return usize::MAX;
        };
        // SAFETY: the driver wants the vector there.
        unsafe { pointer::store(ev, lent) };
        lent.size
    }
}

fn lend(port: ErlDrvPort) -> Option<ErlIOVec> {
    with_port_anywhere(port, |_, instance| {
        let mut beside = instance.beside().lock();
        let held = beside.wanted();
        held.lent.lend(&held.queue)
    })
}

fn add(port: ErlDrvPort, end: End, segments: Vec<Binary>) -> c_int {
    let added = with_port_anywhere(port, |_, instance| {
        instance.beside().lock().wanted().queue.add(end, segments)
    });
    if added == Some(true) { 0 } else { -1 }
}

/// # Safety
/// There are `len` bytes at `buf`.
unsafe fn add_bytes(port: ErlDrvPort, end: End, buf: *mut c_char, len: usize) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { pointer::bytes(buf, len) } {
        Some([]) => 0,
        Some(bytes) => match Counted::copy_of(bytes) {
            Some(copy) => add(port, end, vec![Binary::from(copy)]),
            None => -1,
        },
        None => misuse::refuse(port, &Rule::NoBytes, -1),
    }
}

/// # Safety
/// `bin` is NULL or a binary that the driver holds.
unsafe fn add_binary(
    port: ErlDrvPort,
    end: End,
    bin: *mut ErlDrvBinary,
    offset: usize,
    len: usize,
) -> c_int {
    if len == 0 {
        return 0;
    }
    let Some(raw) = NonNull::new(bin.cast::<u8>()) else {
        return misuse::refuse(port, &Rule::NoBytes, -1);
    };
    // SAFETY: the caller's promise.
    let counted = unsafe { Counted::share_raw(raw) };
    match Binary::from_counted(counted, offset, len) {
        Some(segment) => add(port, end, vec![segment]),
        None => misuse::refuse(port, &Rule::NoBytes, -1),
    }
}

/// # Safety
/// As for [`pieces_of`].
unsafe fn add_vector(port: ErlDrvPort, end: End, ev: *mut ErlIOVec, skip: usize) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { pieces_of(ev, skip, Small::Shared) } {
        // Also with nothing to add the port must be one.
        Some(pieces) => add(port, end, pieces.unwrap_or_default()),
        None => misuse::refuse(port, &Rule::NoBytes, -1),
    }
}

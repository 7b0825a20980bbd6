//! The callbacks that answer: `control` and `call`.
//!
//! Relies on the gate for everything around them. Promises that an answer is at most as long as the
//! memory that it is in, and that memory the driver gives away is given back once.

use std::ffi::{c_char, c_uint};
use std::ptr::NonNull;

use super::{Called, data_of, enter};
use crate::driver::abi::misuse;
use crate::driver::raw::{DRIVER_CALL_KEEP_BUFFER, ErlDrvSSizeT};
use crate::runtime::turn::OnTurn;
use crate::term::{Binary, Counted, List, Term};

/// The driver cannot do it.
pub(in crate::driver) struct Refused;

/// `port_control` gives a buffer of this size to answer in.
const CONTROL_SCRATCH: usize = 64;

/// `control`; what it answers with is put into `answer`, which is nil before.
#[inline]
pub(in crate::driver) fn control(
    on: &mut OnTurn<'_>,
    called: Called<'_>,
    operation: u32,
    argument: &[u8],
    answer: &mut Term,
) -> Result<(), Refused> {
    let control = called.instance.callbacks().control.ok_or(Refused)?;
    let data = data_of(called.instance.data(on));
    let mut scratch = [0_u8; CONTROL_SCRATCH];
    let own = scratch.as_mut_ptr().cast::<c_char>();
    let mut buffer = own;
    let (text, text_len) = (argument.as_ptr().cast_mut().cast(), argument.len());
    let place = &raw mut buffer;
    let len = enter(on, "control", called, move || {
        // SAFETY: as in `start`; the argument is lent for reading, which is all that the interface
        // allows, and the scratch buffer has the size that is said.
        let len = unsafe { control(data, operation, text, text_len, place, CONTROL_SCRATCH) };
        // SAFETY: the place is ours, and the driver is done with it.
        if unsafe { place.read() } == own {
            misuse::check_answer(len, CONTROL_SCRATCH);
        }
        len
    });
    let binary = called.instance.answers_in_binaries(on);
    let len = usize::try_from(len).map_err(|_| Refused)?;
    if buffer == own {
        if len > 0 || binary {
            // What lies beyond the buffer was never the driver's to answer with.
            put(answer, &scratch[..len.min(CONTROL_SCRATCH)], binary);
        }
    } else if let Some(buffer) = NonNull::new(buffer) {
        // SAFETY: the driver has put its own buffer in the place of ours, of so many bytes, or in
        // binary mode a binary.
        set(answer, unsafe { given(buffer, len, binary) });
    }
    Ok(())
}

/// Puts bytes, in their shape, where the answer is wanted: short ones are put together there, and
/// not moved.
#[inline(always)]
fn put(answer: &mut Term, bytes: &[u8], binary: bool) {
    if binary {
        set(answer, Term::Binary(Binary::from(bytes)));
    } else if let Some(list) = List::of_few_bytes(bytes) {
        set(answer, Term::List(list));
    } else {
        set(answer, long_list(bytes));
    }
}

#[cold]
#[inline(never)]
fn long_list(bytes: &[u8]) -> Term {
    List::copy_of_bytes(bytes).map_or(Term::Nil, Term::List)
}

/// Gives a term that is nil another value; there is nothing to drop.
#[inline(always)]
fn set(term: &mut Term, value: Term) {
    debug_assert!(matches!(term, Term::Nil), "an answer is already there");
    std::mem::forget(std::mem::replace(term, value));
}

/// An answer in memory that the driver gives away.
///
/// # Safety
/// In binary mode `buffer` is a binary from `driver_alloc_binary`, with one reference given away; else
/// it has `len` bytes, came from `driver_alloc`, and nobody else has it.
#[inline(never)]
unsafe fn given(buffer: NonNull<c_char>, len: usize, binary: bool) -> Term {
    if binary {
        // SAFETY: the caller's promise.
        let counted = unsafe { Counted::from_raw(buffer.cast()) };
        // What the driver keeps, too, is shared only if Erlang would share it: it can count.
        let copy = (counted.refc() > 1)
            .then(|| Binary::share_or_copy(&counted, 0, counted.len()))
            .flatten();
        return Term::Binary(copy.unwrap_or_else(|| Binary::from(counted)));
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), len) };
    let list = long_list(bytes);
    // SAFETY: the caller's promise; nothing of it is used any more.
    unsafe { crate::os::memory::free(buffer.as_ptr().cast()) };
    list
}

/// `port_call` gives a buffer of this size to answer in.
const CALL_SCRATCH: usize = 256;

/// `call`, with terms in the external format; the answer is handed to `read`.
pub(in crate::driver) fn call<R>(
    on: &mut OnTurn<'_>,
    called: Called<'_>,
    operation: u32,
    argument: &mut [u8],
    read: impl FnOnce(&[u8]) -> Option<R>,
) -> Result<R, Refused> {
    let call = called.instance.callbacks().call.ok_or(Refused)?;
    let data = data_of(called.instance.data(on));
    let mut scratch = [0 as c_char; CALL_SCRATCH];
    let own = scratch.as_mut_ptr();
    let mut answer = own;
    let mut flags: c_uint = 0;
    let len: ErlDrvSSizeT = enter(on, "call", called, || {
        // SAFETY: as in `control`.
        let len = unsafe {
            call(
                data,
                operation,
                argument.as_mut_ptr().cast(),
                argument.len(),
                &raw mut answer,
                CALL_SCRATCH,
                &raw mut flags,
            )
        };
        if answer == own {
            misuse::check_answer(len, CALL_SCRATCH);
        }
        len
    });
    let len = usize::try_from(len).unwrap_or(0);
    let len = if answer == own {
        len.min(CALL_SCRATCH)
    } else {
        len
    };
    let result = if len == 0 || answer.is_null() {
        None
    } else {
        // SAFETY: the driver says that `len` bytes are there (of our own buffer, no more than
        // it has).
        read(unsafe { std::slice::from_raw_parts(answer.cast::<u8>(), len) })
    };
    if answer != own && flags & DRIVER_CALL_KEEP_BUFFER == 0 {
        // SAFETY: it came from driver_alloc and, without the flag, is ours. NULL is allowed.
        unsafe { crate::os::memory::free(answer.cast()) };
    }
    result.ok_or(Refused)
}

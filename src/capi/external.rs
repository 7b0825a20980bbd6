//! Terms in the external format of Erlang: what `term_to_binary` makes and `ei` reads.

use std::ffi::c_void;

use super::status::{Fault, wharf_status};
use super::term::{hand_over, lent, wharf_term};
use super::{argument, export};
use crate::ffi::pointer;
use crate::term::{Binary, Term, decode, encode};
use wharf_status::*;

/// Writes a term in the external format, as Erlang's `term_to_binary`: the byte 131 first, as
/// `ei_decode_version` wants it. `level` is how hard to compress, from 0 (not at all) to 9.
///
/// The result is a binary, whose bytes `wharf_term_get_binary` gives. It belongs to the caller, who frees
/// it with `wharf_term_free`. `*binary` is written on success only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_BADARG`: there is something in it that has no external form; the error's text says what.
/// - `WHARF_STATUS_RANGE`: there is no such level.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_encode(
    term: *const wharf_term,
    level: u32,
    binary: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_term_encode, {
        // SAFETY: C's promise.
        let term = unsafe { lent("term", term) }?;
        let place = argument::place("binary", binary)?;
        let encoded = match level {
            0 => encode::encode(term),
            1..=9 => encode::encode_compressed(term, level),
            _ => {
                let text = format!("there is no level {level}; it is from 0 to 9");
                return Err(Fault::new(WHARF_STATUS_RANGE, text));
            }
        };
        let bytes = encoded.map_err(|error| Fault::new(WHARF_STATUS_BADARG, error.to_string()))?;
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { hand_over(place, Term::Binary(Binary::from(bytes))) };
        Ok(())
    })
}

/// Reads a term in the external format, as Erlang's `binary_to_term`: from `len` bytes, the first of
/// which is 131. How many of them it took is written to `*used`; with NULL for `used`, it has to take all.
/// What strangers send does no harm: depth and size are limited, and the bytes are checked.
///
/// The term belongs to the caller, who frees it with `wharf_term_free`. `*term` is written on success
/// only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_SYNTAX`: the bytes are no term; the error's text says where.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_decode(
    data: *const c_void,
    len: usize,
    term: *mut *mut wharf_term,
    used: *mut usize,
) -> wharf_status {
    export!(wharf_term_decode, {
        // SAFETY: C's promise.
        let bytes = unsafe { argument::bytes("data", data, len) }?;
        let place = argument::place("term", term)?;
        let wrong = |text| Fault::new(WHARF_STATUS_SYNTAX, text);
        let (decoded, taken) = decode::decode(bytes).map_err(|error| wrong(error.to_string()))?;
        if used.is_null() && taken < len {
            let text = format!("the term ends after {taken} of {len} bytes");
            return Err(wrong(text));
        }
        // SAFETY: C's promise.
        unsafe {
            pointer::store(used, taken);
            hand_over(place, decoded);
        }
        Ok(())
    })
}

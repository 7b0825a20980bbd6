//! What C hands over, as Rust values, or a fault that names the argument.

use std::ffi::{OsStr, c_char, c_void};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::status::Fault;
use super::status::wharf_status::*;
use crate::ffi::pointer;
use crate::term::{Atom, AtomError, Term, text};

fn null(name: &str) -> Fault {
    Fault::new(WHARF_STATUS_NULL, format!("{name} is NULL"))
}

/// A string.
///
/// # Safety
/// As [`pointer::string`].
pub(super) unsafe fn string<'a>(name: &str, start: *const c_char) -> Result<&'a [u8], Fault> {
    // SAFETY: the caller's promise.
    let text = unsafe { pointer::string(start) };
    text.map(|text| text.to_bytes()).ok_or_else(|| null(name))
}

/// A string that names a file, a folder or a command: any bytes.
///
/// # Safety
/// As [`pointer::string`].
pub(super) unsafe fn os_string<'a>(name: &str, start: *const c_char) -> Result<&'a OsStr, Fault> {
    // SAFETY: the caller's promise.
    Ok(OsStr::from_bytes(unsafe { string(name, start) }?))
}

/// A string of UTF-8.
///
/// # Safety
/// As [`pointer::string`].
pub(super) unsafe fn utf8<'a>(name: &str, start: *const c_char) -> Result<&'a str, Fault> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { string(name, start) }?;
    std::str::from_utf8(bytes).map_err(|error| {
        Fault::new(
            WHARF_STATUS_SYNTAX,
            format!("{name} is not UTF-8 from byte {} on", error.valid_up_to()),
        )
    })
}

/// A term as Erlang text.
///
/// # Safety
/// As [`pointer::string`].
pub(super) unsafe fn term_text(name: &str, start: *const c_char) -> Result<Term, Fault> {
    // SAFETY: the caller's promise.
    let written = unsafe { utf8(name, start) }?;
    text::parse(written)
        .map_err(|error| Fault::new(WHARF_STATUS_SYNTAX, format!("{name}, {error}: {written}")))
}

/// An atom of this name.
pub(super) fn atom(name: &str) -> Result<Term, Fault> {
    Atom::try_new(name).map(Term::Atom).map_err(|error| {
        let status = match error {
            AtomError::TableFull => WHARF_STATUS_LIMIT,
            _ => WHARF_STATUS_BADARG,
        };
        Fault::new(status, error.to_string())
    })
}

/// `len` bytes; NULL with 0 is none.
///
/// # Safety
/// As [`pointer::bytes`].
pub(super) unsafe fn bytes<'a>(
    name: &str,
    start: *const c_void,
    len: usize,
) -> Result<&'a [u8], Fault> {
    // SAFETY: the caller's promise.
    unsafe { pointer::bytes(start.cast::<c_char>(), len) }.ok_or_else(|| {
        let wrong = if start.is_null() { "NULL" } else { "too long" };
        Fault::new(WHARF_STATUS_NULL, format!("{name} is {wrong}"))
    })
}

/// Checks that there is a place for a result, before anything is done for it.
pub(super) fn place<T>(name: &str, place: *mut T) -> Result<*mut T, Fault> {
    if place.is_null() {
        return Err(null(name));
    }
    Ok(place)
}

/// How long to wait: negative is for ever.
pub(super) fn timeout(timeout_ms: i64) -> Option<Duration> {
    u64::try_from(timeout_ms).ok().map(Duration::from_millis)
}

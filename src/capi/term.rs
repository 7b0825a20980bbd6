//! Terms: values of Erlang.

use std::ffi::c_char;

use super::status::{Fault, wharf_status};
use super::{argument, export, text};
use crate::ffi::pointer;
use crate::term::Term;
use wharf_status::*;

/// A value of Erlang: an atom, a number, a binary, a tuple, a list, a map … It never changes.
///
/// Who makes or is given a term frees it with `wharf_term_free`, once. Any number of threads may read
/// the same term.
#[allow(non_camel_case_types)]
pub struct wharf_term(pub(super) Term);

/// Hands a term over to C.
pub(super) fn give(term: Term) -> *mut wharf_term {
    Box::into_raw(Box::new(wharf_term(term)))
}

/// The term that C lends.
///
/// # Safety
/// If not NULL, it was made by [`give`], was not freed, and stays for `'a`.
pub(super) unsafe fn lent<'a>(name: &str, term: *const wharf_term) -> Result<&'a Term, Fault> {
    // SAFETY: the caller's promise.
    let term = unsafe { term.as_ref() };
    term.map(|term| &term.0)
        .ok_or_else(|| Fault::new(WHARF_STATUS_NULL, format!("{name} is NULL")))
}

/// Reads a term from Erlang text: `{ok, [1, 2.5, <<"bytes">>]}`. Comments and a final full stop are
/// allowed.
///
/// The term belongs to the caller, who frees it with `wharf_term_free`. `*term` is written on success
/// only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_SYNTAX`: it is not a term, or not UTF-8; the error's text says where.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_parse(
    text: *const c_char,
    term: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_term_parse, {
        let place = argument::place("term", term)?;
        // SAFETY: C's promise.
        let parsed = unsafe { argument::term_text("text", text) }?;
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { pointer::store(place, give(parsed)) };
        Ok(())
    })
}

/// Prints a term as Erlang text. The text belongs to the caller, who frees it with
/// `wharf_text_free`. NULL is a failure: the term is NULL.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_text(term: *const wharf_term) -> *mut c_char {
    export!(wharf_term_text, |_| std::ptr::null_mut(), {
        // SAFETY: C's promise.
        let term = unsafe { lent("term", term) }?;
        Ok(text::give(term.to_string()))
    })
}

/// Frees a term. NULL is fine.
///
/// Any thread may call this, once for each term.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_free(term: *mut wharf_term) {
    export!(wharf_term_free, |_| (), {
        if !term.is_null() {
            // SAFETY: `give` made it; that it is given back once is C's promise.
            drop(unsafe { Box::from_raw(term) });
        }
        Ok(())
    });
}

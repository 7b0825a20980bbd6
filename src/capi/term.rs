//! Terms: values of Erlang, as a whole.

use std::cmp::Ordering;
use std::ffi::c_char;

use super::status::{Fault, wharf_status};
use super::{argument, export, text};
use crate::ffi::pointer;
use crate::term::Term;
use crate::term::pattern::Pattern;
use wharf_status::*;

/// A value of Erlang: an atom, a number, a binary, a tuple, a list, a map … It never changes.
///
/// Who makes or is given a term frees it with `wharf_term_free`, once. A `const wharf_term *` that a
/// function hands out is lent: it belongs to the term, or the message, that it is a part of, and is good
/// for as long as that is. Any number of threads may read the same term.
#[allow(non_camel_case_types)]
pub struct wharf_term {
    _opaque: [u8; 0],
}

/// Hands a term over to C.
pub(super) fn give(term: Term) -> *mut wharf_term {
    give_box(Box::new(term))
}

fn give_box(term: Box<Term>) -> *mut wharf_term {
    Box::into_raw(term).cast()
}

/// Takes a term back from C; `None` for NULL.
///
/// # Safety
/// If not NULL, it was made by [`give`], and is not used after this.
pub(super) unsafe fn take_back(term: *mut wharf_term) -> Option<Term> {
    // SAFETY: `give` made it of a box; the rest is the caller's promise.
    (!term.is_null()).then(|| *unsafe { Box::from_raw(term.cast::<Term>()) })
}

/// Hands an answer to C, where C wants it.
///
/// # Safety
/// If not NULL, `place` can be written.
pub(super) unsafe fn hand_over(place: *mut *mut wharf_term, answer: Term) {
    if !place.is_null() {
        // SAFETY: the caller's promise.
        unsafe { pointer::store(place, give(answer)) };
    }
}

/// The same of an answer that was made where it stays.
///
/// # Safety
/// As of [`hand_over`].
#[inline]
pub(super) unsafe fn hand_over_box(place: *mut *mut wharf_term, answer: Box<Term>) {
    if !place.is_null() {
        // SAFETY: the caller's promise.
        unsafe { pointer::store(place, give_box(answer)) };
    }
}

/// Lends C a part of a term that C has.
pub(super) fn lend(term: &Term) -> *const wharf_term {
    std::ptr::from_ref(term).cast()
}

/// The term that C lends.
///
/// # Safety
/// If not NULL, it was made by [`give`] or [`lend`], was not freed, and stays for `'a`.
pub(super) unsafe fn lent<'a>(name: &str, term: *const wharf_term) -> Result<&'a Term, Fault> {
    // SAFETY: the caller's promise.
    let term = unsafe { seen(term) };
    term.ok_or_else(|| Fault::new(WHARF_STATUS_NULL, format!("{name} is NULL")))
}

/// The same, where NULL is fine.
///
/// # Safety
/// As of [`lent`].
pub(super) unsafe fn seen<'a>(term: *const wharf_term) -> Option<&'a Term> {
    // SAFETY: the caller's promise.
    unsafe { term.cast::<Term>().as_ref() }
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
        unsafe { hand_over(place, parsed) };
        Ok(())
    })
}

/// Prints a term as Erlang text, on one line. The text belongs to the caller, who frees it with
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

/// Another term of the same value, which belongs to the caller, who frees it with `wharf_term_free`.
/// Nothing large is copied. With it, what is lent can be kept. NULL is a failure: the term is NULL.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_copy(term: *const wharf_term) -> *mut wharf_term {
    export!(wharf_term_copy, |_| std::ptr::null_mut(), {
        // SAFETY: C's promise.
        Ok(give(unsafe { lent("term", term) }?.clone()))
    })
}

/// Frees a term. NULL is fine.
///
/// Any thread may call this, once for each term. What is lent is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_free(term: *mut wharf_term) {
    export!(wharf_term_free, |_| (), {
        // SAFETY: that it is given back once is C's promise.
        drop(unsafe { take_back(term) });
        Ok(())
    });
}

/// Whether two terms are the same, as Erlang's `=:=`: 1 and 1.0 are not. Two NULLs are the same.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_equals(a: *const wharf_term, b: *const wharf_term) -> bool {
    export!(wharf_term_equals, |_| false, {
        // SAFETY: C's promise about both.
        Ok(unsafe { seen(a) == seen(b) })
    })
}

/// Compares two terms in Erlang's order, in which numbers come before atoms, and 1 and 1.0 are equal:
/// negative when `a` comes first, positive when `b` does, 0 otherwise. NULL comes before all.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_compare(a: *const wharf_term, b: *const wharf_term) -> i32 {
    export!(wharf_term_compare, |_| 0, {
        // SAFETY: C's promise about both.
        let (a, b) = unsafe { (seen(a), seen(b)) };
        let order = match (a, b) {
            (Some(a), Some(b)) => a.compare(b),
            _ => a.is_some().cmp(&b.is_some()),
        };
        Ok(match order {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        })
    })
}

/// Whether a term matches a pattern, see `wharf_expect`, and what the pattern's variables are then: a
/// map from their names, as atoms, to their values, written to `*variables`, from which
/// `wharf_term_map_get_atom` takes them. `variables` may be NULL where it is not wanted.
///
/// ```c
/// wharf_term_match(term, "{ok, Size, _}", &variables);
/// wharf_term_map_get_atom(variables, "Size", &size);
/// ```
///
/// The map belongs to the caller, who frees it with `wharf_term_free`. `*variables` is written on
/// success only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_MISMATCH`: it does not match.
/// - `WHARF_STATUS_SYNTAX`: the text is no pattern; the error's text says where.
/// - `WHARF_STATUS_LIMIT`: there can be no more atoms for the names.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_match(
    term: *const wharf_term,
    pattern: *const c_char,
    variables: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_term_match, {
        // SAFETY: C's promise.
        let term = unsafe { lent("term", term) }?;
        // SAFETY: C's promise.
        let written = unsafe { argument::utf8("pattern", pattern) }?;
        let pattern = pattern_of(written)?;
        let bound = pattern.bind(term).ok_or_else(|| {
            let text = format!("{term} does not match {written}");
            Fault::new(WHARF_STATUS_MISMATCH, text)
        })?;
        let pair = |(name, value): (String, Term)| Ok((argument::atom(&name)?, value));
        let pairs = bound.into_iter().map(pair).collect::<Result<_, Fault>>()?;
        // SAFETY: C's promise.
        unsafe { hand_over(variables, Term::Map(pairs)) };
        Ok(())
    })
}

pub(super) fn pattern_of(written: &str) -> Result<Pattern, Fault> {
    Pattern::parse(written)
        .map_err(|error| Fault::new(WHARF_STATUS_SYNTAX, format!("{error}: {written}")))
}

//! Terms, made of numbers, bytes and other terms.

use std::ffi::{c_char, c_void};

use super::link::wharf_reference;
use super::port::wharf_port;
use super::process::wharf_pid;
use super::status::{Fault, wharf_status};
use super::term::{give, take_back, wharf_term};
use super::{argument, export};
use crate::ffi::pointer;
use crate::term::{Binary, Bitstring, Pid, Reference, Term};
use num_bigint::BigInt;
use wharf_status::*;

/// Makes an atom. The name is UTF-8 of at most 255 characters. Atoms are never forgotten, and there can
/// be 1,048,576 of them: do not make them of what strangers send.
///
/// The term belongs to the caller, who frees it with `wharf_term_free` or makes it part of another. NULL
/// is a failure, about which `wharf_error_text` says more: a name that is NULL, too long or not UTF-8, or
/// too many atoms.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_atom(name: *const c_char) -> *mut wharf_term {
    export!(wharf_term_atom, |_| std::ptr::null_mut(), {
        // SAFETY: C's promise.
        let name = unsafe { argument::utf8("name", name) }?;
        argument::atom(name).map(give)
    })
}

/// Makes the atom `true` or `false`. Never NULL. It belongs to the caller, as of `wharf_term_atom`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_term_bool(value: bool) -> *mut wharf_term {
    export!(wharf_term_bool, |_| std::ptr::null_mut(), {
        Ok(give(Term::boolean(value)))
    })
}

/// Makes an integer. Never NULL. It belongs to the caller, as of `wharf_term_atom`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_term_int(value: i64) -> *mut wharf_term {
    export!(wharf_term_int, |_| std::ptr::null_mut(), {
        Ok(give(Term::from(value)))
    })
}

/// Makes an integer that is not negative. Never NULL. It belongs to the caller, as of
/// `wharf_term_atom`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_term_uint(value: u64) -> *mut wharf_term {
    export!(wharf_term_uint, |_| std::ptr::null_mut(), {
        Ok(give(Term::integer(BigInt::from(value))))
    })
}

/// Makes an integer of any size from decimal digits, which may have a sign in front.
///
/// It belongs to the caller, as of `wharf_term_atom`. NULL is a failure: the text is NULL, or something
/// else than a number.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_big(decimal: *const c_char) -> *mut wharf_term {
    export!(wharf_term_big, |_| std::ptr::null_mut(), {
        // SAFETY: C's promise.
        let text = unsafe { argument::utf8("decimal", decimal) }?;
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = plain.then(|| text.parse::<BigInt>().ok()).flatten();
        let number = number.ok_or_else(|| {
            let text = format!("decimal is not a number: {text}");
            Fault::new(WHARF_STATUS_SYNTAX, text)
        })?;
        Ok(give(Term::integer(number)))
    })
}

/// Makes a float.
///
/// It belongs to the caller, as of `wharf_term_atom`. NULL is a failure: Erlang has neither infinities
/// nor what is not a number.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_term_float(value: f64) -> *mut wharf_term {
    export!(wharf_term_float, |_| std::ptr::null_mut(), {
        if !value.is_finite() {
            let text = format!("{value} is no float of Erlang");
            return Err(Fault::new(WHARF_STATUS_RANGE, text));
        }
        Ok(give(Term::Float(value)))
    })
}

/// Makes a binary, a copy of `len` bytes.
///
/// It belongs to the caller, as of `wharf_term_atom`. NULL is a failure: `data` is NULL and `len` is not
/// 0, or `len` is larger than memory can be.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_binary(data: *const c_void, len: usize) -> *mut wharf_term {
    export!(wharf_term_binary, |_| std::ptr::null_mut(), {
        // SAFETY: C's promise.
        let bytes = unsafe { argument::bytes("data", data, len) }?;
        Ok(give(Term::Binary(Binary::from(bytes))))
    })
}

/// Makes a bitstring, a copy of `len` bytes, of the last of which the upper `last_bits` bits count: 1 to 8,
/// where 8 is a binary.
///
/// It belongs to the caller, as of `wharf_term_atom`. NULL is a failure: as of `wharf_term_binary`, or
/// another number of bits.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_bitstring(
    data: *const c_void,
    len: usize,
    last_bits: u8,
) -> *mut wharf_term {
    export!(wharf_term_bitstring, |_| std::ptr::null_mut(), {
        // SAFETY: C's promise.
        let bytes = unsafe { argument::bytes("data", data, len) }?;
        let made = Bitstring::term(Binary::from(bytes), last_bits);
        let made = made.ok_or_else(|| {
            let text = format!("a byte has no {last_bits} upper bits; 1 to 8 can count");
            Fault::new(WHARF_STATUS_RANGE, text)
        })?;
        Ok(give(made))
    })
}

/// Makes a list of small integers, one for each of `len` bytes: what ports send that were opened without
/// `binary`.
///
/// It belongs to the caller, as of `wharf_term_atom`. NULL is a failure as of `wharf_term_binary`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_byte_list(data: *const c_void, len: usize) -> *mut wharf_term {
    export!(wharf_term_byte_list, |_| std::ptr::null_mut(), {
        // SAFETY: C's promise.
        let bytes = unsafe { argument::bytes("data", data, len) }?;
        Ok(give(Term::bytes_list(Binary::from(bytes))))
    })
}

/// Makes a charlist: a list of the code points of a text in UTF-8.
///
/// It belongs to the caller, as of `wharf_term_atom`. NULL is a failure: the text is NULL or not UTF-8.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_charlist(text: *const c_char) -> *mut wharf_term {
    export!(wharf_term_charlist, |_| std::ptr::null_mut(), {
        // SAFETY: C's promise.
        let text = unsafe { argument::utf8("text", text) }?;
        Ok(give(Term::charlist(text)))
    })
}

/// Takes the terms that C gives away. All are taken, also when one of them is missing.
///
/// # Safety
/// If not NULL, `terms` points to `count` pointers, each of them NULL or a term that C owns.
unsafe fn taken(terms: *const *mut wharf_term, count: usize) -> Result<Vec<Term>, Fault> {
    // SAFETY: the caller's promise.
    let given = unsafe { pointer::slice(terms, count) }
        .ok_or_else(|| Fault::new(WHARF_STATUS_NULL, "the terms are NULL, or too many"))?;
    // SAFETY: the caller's promise; a term that is there twice is C's mistake.
    let take = |term: &*mut wharf_term| unsafe { take_back(*term) };
    let taken: Vec<Option<Term>> = given.iter().map(take).collect();
    let missing = taken.iter().position(Option::is_none);
    match missing {
        None => Ok(taken.into_iter().flatten().collect()),
        Some(place) => {
            let text = format!("term {place} is NULL; what should have made it has failed");
            Err(Fault::new(WHARF_STATUS_NULL, text))
        }
    }
}

/// Makes a tuple of `count` terms:
///
/// ```c
/// wharf_term *parts[] = {wharf_term_atom("ok"), wharf_term_int(1)};
/// wharf_term *pair = wharf_term_tuple(parts, 2);
/// ```
///
/// The terms become parts of the tuple: they are not the caller's any more, and must not be freed, also
/// when this fails. The array stays the caller's. The tuple belongs to the caller, as of
/// `wharf_term_atom`. NULL is a failure: one of the terms is NULL, because what should have made it has
/// failed, or `terms` is and `count` is not 0.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_tuple(
    terms: *const *mut wharf_term,
    count: usize,
) -> *mut wharf_term {
    export!(wharf_term_tuple, |_| std::ptr::null_mut(), {
        // SAFETY: C's promise.
        let terms = unsafe { taken(terms, count) }?;
        Ok(give(Term::tuple(terms)))
    })
}

/// Makes a list of `count` terms, the empty list of none. What becomes of the terms, and failures, are as
/// of `wharf_term_tuple`: they belong to the list, and the list belongs to the caller. NULL is a failure.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_list(
    terms: *const *mut wharf_term,
    count: usize,
) -> *mut wharf_term {
    export!(wharf_term_list, |_| std::ptr::null_mut(), {
        // SAFETY: C's promise.
        let terms = unsafe { taken(terms, count) }?;
        Ok(give(Term::list(terms)))
    })
}

/// Makes a list of a first element and the rest, `[Head | Tail]`. Both are taken, and failures are as of
/// `wharf_term_tuple`; the list belongs to the caller. NULL is a failure.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_cons(
    head: *mut wharf_term,
    tail: *mut wharf_term,
) -> *mut wharf_term {
    export!(wharf_term_cons, |_| std::ptr::null_mut(), {
        let both = [head, tail];
        // SAFETY: an array of two; C's promise about the terms.
        let taken = unsafe { taken(both.as_ptr(), both.len()) }?;
        let pair: Result<[Term; 2], _> = taken.try_into();
        let [head, tail] = pair.map_err(|_| Fault::new(WHARF_STATUS_INTERNAL, "not two"))?;
        Ok(give(Term::cons(head, tail)))
    })
}

/// Makes a map of `count` pairs: `2 * count` terms, each key before its value. Of equal keys the last
/// counts. What becomes of the terms, and failures, are as of `wharf_term_tuple`; the map belongs to the
/// caller. NULL is a failure.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_map(
    keys_and_values: *const *mut wharf_term,
    count: usize,
) -> *mut wharf_term {
    export!(wharf_term_map, |_| std::ptr::null_mut(), {
        // SAFETY: C's promise; too large a number is refused.
        let terms = unsafe { taken(keys_and_values, count.saturating_mul(2)) }?;
        let mut terms = terms.into_iter();
        let pairs = std::iter::from_fn(|| Some((terms.next()?, terms.next()?)));
        Ok(give(Term::Map(pairs.collect())))
    })
}

/// Makes a term of a process's identity. Never NULL. It belongs to the caller, as of `wharf_term_atom`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_term_pid(pid: wharf_pid) -> *mut wharf_term {
    export!(wharf_term_pid, |_| std::ptr::null_mut(), {
        Ok(give(Term::Pid(Pid::from_number(pid.id))))
    })
}

/// Makes a term of a port's identity. Never NULL. It belongs to the caller, as of `wharf_term_atom`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_term_port(port: wharf_port) -> *mut wharf_term {
    export!(wharf_term_port, |_| std::ptr::null_mut(), {
        Ok(give(Term::Port(port.id())))
    })
}

/// Makes a term of a reference. Never NULL. It belongs to the caller, as of `wharf_term_atom`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_term_reference(reference: wharf_reference) -> *mut wharf_term {
    export!(wharf_term_reference, |_| std::ptr::null_mut(), {
        Ok(give(Term::Reference(Reference::from_number(reference.id))))
    })
}

/// A reference like no other, as Erlang's `make_ref()`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_reference_new() -> wharf_reference {
    export!(wharf_reference_new, |_| wharf_reference { id: 0 }, {
        Ok(wharf_reference {
            id: Reference::fresh().number(),
        })
    })
}

//! Terms, taken apart.

use std::ffi::{c_char, c_void};

use super::link::wharf_reference;
use super::port::wharf_port;
use super::process::wharf_pid;
use super::status::{Fault, wharf_status};
use super::term::{give, hand_over, lend, lent, seen, wharf_term};
use super::{argument, export, text};
use crate::ffi::pointer;
use crate::term::{Atom, Pid, PortId, Reference, Term, iodata};
use wharf_status::*;
use wharf_term_kind::*;

/// What a term is. Later versions may know more kinds.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wharf_term_kind {
    /// None: the pointer is NULL.
    WHARF_TERM_NONE = 0,
    /// An atom; `true` and `false` are, too.
    WHARF_TERM_ATOM = 1,
    /// An integer, of any size.
    WHARF_TERM_INTEGER = 2,
    /// A float.
    WHARF_TERM_FLOAT = 3,
    /// A binary.
    WHARF_TERM_BINARY = 4,
    /// Bits that are no whole bytes.
    WHARF_TERM_BITSTRING = 5,
    /// The empty list.
    WHARF_TERM_NIL = 6,
    /// A list that is not empty.
    WHARF_TERM_LIST = 7,
    /// A tuple.
    WHARF_TERM_TUPLE = 8,
    /// A map.
    WHARF_TERM_MAP = 9,
    /// The identity of a process.
    WHARF_TERM_PID = 10,
    /// The identity of a port.
    WHARF_TERM_PORT = 11,
    /// A reference.
    WHARF_TERM_REFERENCE = 12,
    /// A function.
    WHARF_TERM_FUN = 13,
    /// An identity that another node has made: it can be printed, compared and encoded.
    WHARF_TERM_FOREIGN = 14,
}

fn kind(term: &Term) -> (wharf_term_kind, &'static str) {
    match term {
        Term::Nil => (WHARF_TERM_NIL, "the empty list"),
        Term::Atom(_) => (WHARF_TERM_ATOM, "an atom"),
        Term::Int(_) | Term::BigInt(_) => (WHARF_TERM_INTEGER, "an integer"),
        Term::Float(_) => (WHARF_TERM_FLOAT, "a float"),
        Term::Binary(_) => (WHARF_TERM_BINARY, "a binary"),
        Term::Bitstring(_) => (WHARF_TERM_BITSTRING, "a bitstring"),
        Term::List(_) => (WHARF_TERM_LIST, "a list"),
        Term::Tuple(_) => (WHARF_TERM_TUPLE, "a tuple"),
        Term::Map(_) => (WHARF_TERM_MAP, "a map"),
        Term::Pid(_) => (WHARF_TERM_PID, "a pid"),
        Term::Port(_) => (WHARF_TERM_PORT, "a port"),
        Term::Reference(_) => (WHARF_TERM_REFERENCE, "a reference"),
        Term::Fun(_) => (WHARF_TERM_FUN, "a function"),
        Term::Foreign(_) => (WHARF_TERM_FOREIGN, "an identity of another node"),
    }
}

fn mistaken(term: &Term, wanted: &str) -> Fault {
    let text = format!("the term is {}, not {wanted}: {term}", kind(term).1);
    Fault::new(WHARF_STATUS_TYPE, text)
}

/// Writes what `read` finds in a term, or says what the term is instead.
///
/// # Safety
/// `term` as of [`lent`]; `place`, if not NULL, can be written.
unsafe fn get<T>(
    term: *const wharf_term,
    wanted: &str,
    place: *mut T,
    read: impl FnOnce(&'static Term) -> Option<T>,
) -> Result<(), Fault> {
    // SAFETY: the caller's promise. What is found points into the term, and C knows for how long.
    let term = unsafe { lent("term", term) }?;
    let place = argument::place("the place for the value", place)?;
    let value = read(term).ok_or_else(|| mistaken(term, wanted))?;
    // SAFETY: not NULL; the rest is the caller's promise.
    unsafe { pointer::store(place, value) };
    Ok(())
}

/// What a term is; `WHARF_TERM_NONE` for NULL.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_kind_of(term: *const wharf_term) -> wharf_term_kind {
    export!(wharf_term_kind_of, |_| WHARF_TERM_NONE, {
        // SAFETY: C's promise.
        let term = unsafe { seen(term) };
        Ok(term.map_or(WHARF_TERM_NONE, |term| kind(term).0))
    })
}

/// The value of an integer that fits.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TYPE`: it is no integer.
/// - `WHARF_STATUS_RANGE`: it is one that needs more than 64 bits; `wharf_term_text` prints it.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_get_int(
    term: *const wharf_term,
    value: *mut i64,
) -> wharf_status {
    export!(wharf_term_get_int, {
        // SAFETY: C's promise.
        unsafe { fits(term)? };
        // SAFETY: C's promise.
        unsafe { get(term, "an integer", value, Term::as_int) }
    })
}

/// # Safety
/// As [`lent`].
unsafe fn fits(term: *const wharf_term) -> Result<(), Fault> {
    // SAFETY: the caller's promise.
    match unsafe { lent("term", term) }? {
        Term::BigInt(_) => {
            let text = "the integer needs more than 64 bits";
            Err(Fault::new(WHARF_STATUS_RANGE, text))
        }
        _ => Ok(()),
    }
}

/// The value of an integer that is not negative and fits.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TYPE`: it is no integer.
/// - `WHARF_STATUS_RANGE`: it is negative, or needs more than 64 bits.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_get_uint(
    term: *const wharf_term,
    value: *mut u64,
) -> wharf_status {
    export!(wharf_term_get_uint, {
        // SAFETY: C's promise.
        let number = unsafe { lent("term", term) }?;
        let Some(integer) = number.to_big_int() else {
            return Err(mistaken(number, "an integer"));
        };
        let Ok(integer) = u64::try_from(integer) else {
            let text = format!("{number} is not from 0 to 2^64 - 1");
            return Err(Fault::new(WHARF_STATUS_RANGE, text));
        };
        // SAFETY: C's promise.
        unsafe { get(term, "an integer", value, |_| Some(integer)) }
    })
}

/// The value of a float. Integers are none.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TYPE`: it is no float.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_get_float(
    term: *const wharf_term,
    value: *mut f64,
) -> wharf_status {
    export!(wharf_term_get_float, {
        // SAFETY: C's promise.
        unsafe { get(term, "a float", value, Term::as_float) }
    })
}

/// The value of the atom `true` or `false`.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TYPE`: it is neither.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_get_bool(
    term: *const wharf_term,
    value: *mut bool,
) -> wharf_status {
    export!(wharf_term_get_bool, {
        // SAFETY: C's promise.
        unsafe { get(term, "true or false", value, Term::as_bool) }
    })
}

/// The name of an atom, in UTF-8 with a NUL at its end. It belongs to the library and is good for ever.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TYPE`: it is no atom.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_get_atom(
    term: *const wharf_term,
    name: *mut *const c_char,
) -> wharf_status {
    export!(wharf_term_get_atom, {
        let read = |term: &Term| term.as_atom().map(|atom| atom.as_c_str().as_ptr());
        // SAFETY: C's promise.
        unsafe { get(term, "an atom", name, read) }
    })
}

/// Whether a term is the atom of this name. False for NULLs.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_is_atom(term: *const wharf_term, name: *const c_char) -> bool {
    export!(wharf_term_is_atom, |_| false, {
        // SAFETY: C's promise.
        let (term, name) = unsafe { (lent("term", term)?, argument::utf8("name", name)?) };
        Ok(term.is_atom(name))
    })
}

/// The bytes of a binary, which are not copied: they belong to the term, and are good and unchanged
/// until it is freed. No NUL ends them.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TYPE`: it is no binary.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_get_binary(
    term: *const wharf_term,
    data: *mut *const c_void,
    len: *mut usize,
) -> wharf_status {
    export!(wharf_term_get_binary, {
        let place = argument::place("len", len)?;
        let read = |term: &'static Term| {
            let bytes = term.as_binary()?.as_bytes();
            // SAFETY: not NULL; the rest is C's promise.
            unsafe { pointer::store(place, bytes.len()) };
            Some(bytes.as_ptr().cast())
        };
        // SAFETY: C's promise.
        unsafe { get(term, "a binary", data, read) }
    })
}

/// The bytes of a binary or a bitstring, as of `wharf_term_get_binary`: they belong to the term. Of the
/// last byte the upper `last_bits` bits count: 8 in a binary, 0 when there is no byte.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TYPE`: it is neither.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_get_bitstring(
    term: *const wharf_term,
    data: *mut *const c_void,
    len: *mut usize,
    last_bits: *mut u8,
) -> wharf_status {
    export!(wharf_term_get_bitstring, {
        let (len, last) = (
            argument::place("len", len)?,
            argument::place("last_bits", last_bits)?,
        );
        let read = |term: &'static Term| {
            let (bytes, bits) = match term {
                Term::Binary(binary) if binary.is_empty() => (&[][..], 0),
                Term::Binary(binary) => (binary.as_bytes(), 8),
                Term::Bitstring(bits) => (bits.bytes(), bits.last_bits()),
                _ => return None,
            };
            // SAFETY: not NULL; the rest is C's promise.
            unsafe {
                pointer::store(len, bytes.len());
                pointer::store(last, bits);
            }
            Some(bytes.as_ptr().cast())
        };
        // SAFETY: C's promise.
        unsafe { get(term, "a bitstring", data, read) }
    })
}

/// The identity of a process.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TYPE`: it is none.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_get_pid(
    term: *const wharf_term,
    pid: *mut wharf_pid,
) -> wharf_status {
    export!(wharf_term_get_pid, {
        let read = |term: &Term| term.as_pid().map(Pid::number).map(|id| wharf_pid { id });
        // SAFETY: C's promise.
        unsafe { get(term, "a pid", pid, read) }
    })
}

/// The identity of a port.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TYPE`: it is none.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_get_port(
    term: *const wharf_term,
    port: *mut wharf_port,
) -> wharf_status {
    export!(wharf_term_get_port, {
        let read = |term: &Term| {
            term.as_port()
                .map(PortId::number)
                .map(|id| wharf_port { id })
        };
        // SAFETY: C's promise.
        unsafe { get(term, "a port", port, read) }
    })
}

/// A reference.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TYPE`: it is none.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_get_reference(
    term: *const wharf_term,
    reference: *mut wharf_reference,
) -> wharf_status {
    export!(wharf_term_get_reference, {
        let number = |term: &Term| term.as_reference().map(Reference::number);
        let read = |term: &Term| number(term).map(|id| wharf_reference { id });
        // SAFETY: C's promise.
        unsafe { get(term, "a reference", reference, read) }
    })
}

/// How many elements a tuple or a list has, how many pairs a map, how many bytes a binary or a
/// bitstring. Of a list that ends in something else than `[]` that end is not counted. `(size_t)-1` is a
/// failure: the term is NULL, or of another kind.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_size(term: *const wharf_term) -> usize {
    export!(wharf_term_size, |_| usize::MAX, {
        // SAFETY: C's promise.
        let term = unsafe { lent("term", term) }?;
        match term {
            Term::Nil => Ok(0),
            Term::Tuple(tuple) => Ok(tuple.len()),
            Term::List(list) => Ok(list.iter().count()),
            Term::Map(map) => Ok(map.len()),
            Term::Binary(binary) => Ok(binary.len()),
            Term::Bitstring(bits) => Ok(bits.bytes().len()),
            _ => Err(mistaken(term, "one that has a size")),
        }
    })
}

/// Element number `index` of a tuple, counted from 0. It is lent: it belongs to the tuple, and is good until
/// that is freed. NULL is a failure: the term is NULL or no tuple, or has no such element.
///
/// Lists and maps are read by way of `wharf_term_elements`. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_element(
    term: *const wharf_term,
    index: usize,
) -> *const wharf_term {
    export!(wharf_term_element, |_| std::ptr::null(), {
        // SAFETY: C's promise.
        let term = unsafe { lent("term", term) }?;
        let tuple = term.as_tuple();
        let tuple = tuple.ok_or_else(|| mistaken(term, "a tuple"))?;
        let element = tuple.get(index).ok_or_else(|| {
            let text = format!("there is no element {index} of {}", tuple.len());
            Fault::new(WHARF_STATUS_RANGE, text)
        })?;
        Ok(lend(element))
    })
}

/// The elements of a list, or the pairs `{Key, Value}` of a map in the order of their keys, as a tuple,
/// which `wharf_term_element` reads by number. A tuple is given as it is.
///
/// The tuple belongs to the caller, who frees it with `wharf_term_free`. `*elements` is written on success
/// only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TYPE`: the term is neither, or a list that ends in something else than `[]`;
///   `wharf_term_head` and `wharf_term_tail` read that.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_elements(
    term: *const wharf_term,
    elements: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_term_elements, {
        // SAFETY: C's promise.
        let term = unsafe { lent("term", term) }?;
        let place = argument::place("elements", elements)?;
        let found: Vec<Term> = match term {
            Term::Tuple(tuple) => tuple.to_vec(),
            Term::Map(map) => {
                let pairs = map.iter();
                pairs
                    .map(|(key, value)| Term::tuple([key.clone(), value.clone()]))
                    .collect()
            }
            _ => term
                .to_list_vec()
                .ok_or_else(|| mistaken(term, "one with elements and an end"))?,
        };
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { hand_over(place, Term::tuple(found)) };
        Ok(())
    })
}

/// The first element of a list. It belongs to the caller, who frees it with `wharf_term_free`. NULL is a
/// failure: the term is NULL, or no list, or the empty one.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_head(term: *const wharf_term) -> *mut wharf_term {
    export!(wharf_term_head, |_| std::ptr::null_mut(), {
        // SAFETY: C's promise.
        let term = unsafe { lent("term", term) }?;
        let list = term.as_list();
        let list = list.ok_or_else(|| mistaken(term, "a list with elements"))?;
        Ok(give(list.head()))
    })
}

/// What comes after the first element of a list. It belongs to the caller, who frees it with
/// `wharf_term_free`. NULL is a failure as of `wharf_term_head`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_tail(term: *const wharf_term) -> *mut wharf_term {
    export!(wharf_term_tail, |_| std::ptr::null_mut(), {
        // SAFETY: C's promise.
        let term = unsafe { lent("term", term) }?;
        let list = term.as_list();
        let list = list.ok_or_else(|| mistaken(term, "a list with elements"))?;
        Ok(give(list.tail()))
    })
}

/// The value of a key in a map. It is lent: it belongs to the map, and is good until that is freed. `*value`
/// is written on success only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NOTFOUND`: the map has no such key.
/// - `WHARF_STATUS_TYPE`: it is no map.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_map_get(
    map: *const wharf_term,
    key: *const wharf_term,
    value: *mut *const wharf_term,
) -> wharf_status {
    export!(wharf_term_map_get, {
        // SAFETY: C's promise.
        let key = unsafe { lent("key", key) }?;
        // SAFETY: C's promise.
        unsafe { look_up(map, Some(key), &key.to_string(), value) }
    })
}

/// The value of a key that is an atom of this name, as `wharf_term_map_get` finds it: it is lent, and
/// belongs to the map.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NOTFOUND`: the map has no such key.
/// - `WHARF_STATUS_TYPE`: it is no map.
/// - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_map_get_atom(
    map: *const wharf_term,
    name: *const c_char,
    value: *mut *const wharf_term,
) -> wharf_status {
    export!(wharf_term_map_get_atom, {
        // SAFETY: C's promise.
        let name = unsafe { argument::utf8("name", name) }?;
        let key = Atom::existing(name).map(Term::Atom);
        // SAFETY: C's promise.
        unsafe { look_up(map, key.as_ref(), name, value) }
    })
}

/// # Safety
/// `map` as of [`lent`]; `place`, if not NULL, can be written.
unsafe fn look_up(
    map: *const wharf_term,
    key: Option<&Term>,
    shown: &str,
    place: *mut *const wharf_term,
) -> Result<(), Fault> {
    // SAFETY: the caller's promise.
    let term = unsafe { lent("map", map) }?;
    let place = argument::place("value", place)?;
    let map = term.as_map().ok_or_else(|| mistaken(term, "a map"))?;
    let value = key.and_then(|key| map.get(key)).ok_or_else(|| {
        let text = format!("the map has no key {shown}");
        Fault::new(WHARF_STATUS_NOTFOUND, text)
    })?;
    // SAFETY: not NULL; the rest is the caller's promise.
    unsafe { pointer::store(place, lend(value)) };
    Ok(())
}

/// All bytes of iodata, which is a binary or nested lists of bytes and binaries, as one binary: Erlang's
/// `iolist_to_binary`.
///
/// The binary belongs to the caller, who frees it with `wharf_term_free`. `*binary` is written on success
/// only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TYPE`: it is no iodata.
/// - `WHARF_STATUS_NULL`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_flatten(
    term: *const wharf_term,
    binary: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_term_flatten, {
        // SAFETY: C's promise.
        let term = unsafe { lent("term", term) }?;
        let place = argument::place("binary", binary)?;
        let flat = iodata::flatten(term).map_err(|_| mistaken(term, "iodata"))?;
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { hand_over(place, Term::Binary(flat)) };
        Ok(())
    })
}

/// A charlist, a list of code points, as text in UTF-8. The text belongs to the caller, who frees it with
/// `wharf_text_free`. NULL is a failure: the term is NULL or no charlist.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_term_charlist_text(term: *const wharf_term) -> *mut c_char {
    export!(wharf_term_charlist_text, |_| std::ptr::null_mut(), {
        // SAFETY: C's promise.
        let term = unsafe { lent("term", term) }?;
        let text = term.to_charlist_string();
        let text = text.ok_or_else(|| mistaken(term, "a charlist"))?;
        Ok(text::give(text))
    })
}

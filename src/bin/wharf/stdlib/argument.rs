//! Taking arguments apart: what a native function expects of a term, and the error when it is something else.
//!
//! Relies on terms and throws. Promises the words of Erlang's BIFs ("1st argument: not a binary").
#![forbid(unsafe_code)]

use crate::lang::throw::Throw;
use num_bigint::BigInt;
use wharf::term::{Atom, Binary, Map, Term, Tuple};

/// The result of a native function.
pub(crate) type Answer = Result<Term, Throw>;

/// `:ok`.
pub(crate) fn ok() -> Term {
    Term::atom("ok")
}

/// `nil`.
pub(crate) fn nil() -> Term {
    Term::atom("nil")
}

/// `{:ok, value}`.
pub(crate) fn ok_with(value: Term) -> Term {
    Term::tuple([ok(), value])
}

/// `{:error, reason}`.
pub(crate) fn error_with(reason: Term) -> Term {
    Term::tuple([Term::atom("error"), reason])
}

/// Neither `nil` nor `false`.
pub(crate) fn is_truthy(term: &Term) -> bool {
    !(term.is_atom("nil") || term.is_atom("false"))
}

/// `ArgumentError` about the argument in place `place` (from 1).
pub(crate) fn bad(place: usize, what: &str) -> Throw {
    let ordinal = match place {
        1 => "1st".to_owned(),
        2 => "2nd".to_owned(),
        3 => "3rd".to_owned(),
        _ => format!("{place}th"),
    };
    Throw::badarg(Some(&format!("{ordinal} argument: {what}")))
}

/// The integer at `place` (from 1).
pub(crate) fn integer(args: &[Term], place: usize) -> Result<i64, Throw> {
    match &args[place - 1] {
        Term::Int(integer) => Ok(*integer),
        Term::BigInt(_) => Err(bad(place, "out of range")),
        _ => Err(bad(place, "not an integer")),
    }
}

/// The number of things at `place`: an integer that is not negative.
pub(crate) fn count(args: &[Term], place: usize) -> Result<usize, Throw> {
    usize::try_from(integer(args, place)?).map_err(|_| bad(place, "out of range"))
}

/// How much a function may make at a blow: what is more could not be had, and asking for it would end the program.
const MADE_MAX: usize = 1 << 32;

/// `times` things of `size` bytes each, if that is not too much; `:system_limit` otherwise.
pub(crate) fn amount(times: usize, size: usize) -> Result<usize, Throw> {
    let whole = times
        .checked_mul(size.max(1))
        .filter(|whole| *whole <= MADE_MAX);
    whole
        .map(|_| times)
        .ok_or_else(|| Throw::error(Term::atom("system_limit")))
}

/// The number of terms at `place` that a function is to make.
pub(crate) fn terms(args: &[Term], place: usize) -> Result<usize, Throw> {
    amount(count(args, place)?, size_of::<Term>())
}

/// The binary at `place`.
pub(crate) fn binary(args: &[Term], place: usize) -> Result<&Binary, Throw> {
    match &args[place - 1] {
        Term::Binary(binary) => Ok(binary),
        _ => Err(bad(place, "not a binary")),
    }
}

/// The atom at `place`.
pub(crate) fn atom(args: &[Term], place: usize) -> Result<Atom, Throw> {
    match &args[place - 1] {
        Term::Atom(atom) => Ok(*atom),
        _ => Err(bad(place, "not an atom")),
    }
}

/// The tuple at `place`.
pub(crate) fn tuple(args: &[Term], place: usize) -> Result<&Tuple, Throw> {
    match &args[place - 1] {
        Term::Tuple(tuple) => Ok(tuple),
        _ => Err(bad(place, "not a tuple")),
    }
}

/// The elements of the list at `place`.
pub(crate) fn list(args: &[Term], place: usize) -> Result<Vec<Term>, Throw> {
    args[place - 1]
        .to_list_vec()
        .ok_or_else(|| bad(place, "not a list"))
}

/// The map at `place`; `BadMapError` otherwise.
pub(crate) fn map(args: &[Term], place: usize) -> Result<&Map, Throw> {
    match &args[place - 1] {
        Term::Map(map) => Ok(map),
        other => Err(bad_map(other)),
    }
}

/// `{:badmap, term}`.
pub(crate) fn bad_map(term: &Term) -> Throw {
    Throw::error(Term::tuple([Term::atom("badmap"), term.clone()]))
}

/// An integer of any size.
pub(crate) fn big(term: &Term) -> Option<BigInt> {
    match term {
        Term::Int(integer) => Some(BigInt::from(*integer)),
        Term::BigInt(integer) => Some(BigInt::clone(integer)),
        _ => None,
    }
}

/// The bytes of a binary.
pub(crate) fn bytes(term: &Term) -> Option<&[u8]> {
    match term {
        Term::Binary(binary) => Some(binary),
        _ => None,
    }
}

/// A list of code points, strings and such lists, or a string, as text (`IO.chardata_to_string/1`).
///
/// The error is the code point, or the rest, that cannot be in a text.
pub(crate) fn chardata(term: &Term) -> Result<Vec<u8>, Term> {
    let mut output = Vec::new();
    let mut pending = vec![term.clone()];
    while let Some(term) = pending.pop() {
        match &term {
            Term::Nil => {}
            Term::Binary(binary) => output.extend_from_slice(binary),
            Term::Int(code) => {
                let character = u32::try_from(*code)
                    .ok()
                    .and_then(char::from_u32)
                    .ok_or_else(|| term.clone())?;
                output.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Term::List(list) => {
                let tail = list.tail();
                if matches!(tail, Term::Int(_)) {
                    return Err(tail);
                }
                pending.push(tail);
                pending.push(list.head());
            }
            _ => return Err(term.clone()),
        }
    }
    Ok(output)
}

/// The value of `key` in a keyword list.
pub(crate) fn option(options: &Term, key: &str) -> Option<Term> {
    options
        .to_list_vec()?
        .into_iter()
        .find_map(|entry| match entry {
            Term::Tuple(pair) if pair.len() == 2 && pair[0].is_atom(key) => Some(pair[1].clone()),
            _ => None,
        })
}

/// Whether a list of options has the bare atom `name`.
pub(crate) fn has_flag(options: &Term, name: &str) -> bool {
    options
        .to_list_vec()
        .is_some_and(|options| options.iter().any(|option| option.is_atom(name)))
}

/// A string as a term.
pub(crate) fn string(text: impl AsRef<str>) -> Term {
    Term::from(text.as_ref())
}

/// Bytes as a binary term.
pub(crate) fn binary_of(bytes: impl Into<Binary>) -> Term {
    Term::Binary(bytes.into())
}

//! Terms into the external term format (`term_to_binary`).
//!
//! Writes what OTP 25 writes, byte for byte, but for maps of more than 32 pairs, whose order
//! there follows from a hash. Pids, ports and references of this program are those of
//! `nonode@nohost`. Walks nested terms with a list of its own, not by recursion.
#![forbid(unsafe_code)]

use super::external as tag;
use super::external_fun::ExternalFun;
use super::foreign::{Foreign, ForeignId};
use super::list::View;
use super::{Atom, Bitstring, Fun, Term, atom, map};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use num_bigint::{BigInt, Sign};
use std::io::Write;

/// Why a term has no external form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A fun that only this program can call.
    #[error("a fun of this program has no external form")]
    Fun,
    /// A float that Erlang does not have.
    #[error("infinity and NaN have no external form")]
    NotFinite,
    /// Something with more than 2^32 - 1 bytes or elements.
    #[error("too large for the external form (more than 4294967295 bytes or elements)")]
    TooLarge,
}

/// The external form of a term, with the leading version byte 131.
pub fn encode(term: &Term) -> Result<Vec<u8>, EncodeError> {
    // Most messages fit; larger ones grow it.
    let mut out = Vec::with_capacity(64);
    out.push(tag::VERSION);
    write_all(term, &mut out)?;
    Ok(out)
}

/// The external form, compressed (level 0 to 9) when that makes it shorter.
pub fn encode_compressed(term: &Term, level: u32) -> Result<Vec<u8>, EncodeError> {
    let plain = encode(term)?;
    let Some((_, body)) = plain.split_first() else {
        return Ok(plain);
    };
    let mut out = vec![tag::VERSION, tag::COMPRESSED];
    out.extend(length(body.len())?.to_be_bytes());
    let mut zlib = ZlibEncoder::new(out, Compression::new(level.min(9)));
    // Writing into a vector cannot fail.
    match zlib.write_all(body).and_then(|()| zlib.finish()) {
        Ok(compressed) if compressed.len() < plain.len() => Ok(compressed),
        _ => Ok(plain),
    }
}

/// What is still to be written.
enum Work<'a> {
    Term(&'a Term),
    Elements(&'a [Term]),
    /// The cells of a list from here on, and its tail; the length has been written.
    Rest(&'a Term),
    Pairs(map::Iter<'a>),
}

fn write_all(term: &Term, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut later = vec![Work::Term(term)];
    while let Some(work) = later.pop() {
        match work {
            Work::Term(term) => write_term(term, out, &mut later)?,
            Work::Elements(elements) => {
                if let Some((first, others)) = elements.split_first() {
                    later.extend([Work::Elements(others), Work::Term(first)]);
                }
            }
            Work::Rest(Term::List(list)) => match list.view() {
                View::Cell(head, tail) => later.extend([Work::Rest(tail), Work::Term(head)]),
                View::Bytes(bytes) => {
                    for byte in bytes {
                        out.extend([tag::SMALL_INTEGER, *byte]);
                    }
                    out.push(tag::NIL);
                }
            },
            Work::Rest(tail) => later.push(Work::Term(tail)),
            Work::Pairs(mut pairs) => {
                if let Some((key, value)) = pairs.next() {
                    later.extend([Work::Pairs(pairs), Work::Term(value), Work::Term(key)]);
                }
            }
        }
    }
    Ok(())
}

fn write_term<'a>(
    term: &'a Term,
    out: &mut Vec<u8>,
    later: &mut Vec<Work<'a>>,
) -> Result<(), EncodeError> {
    match term {
        Term::Nil => out.push(tag::NIL),
        Term::Atom(atom) => write_atom(*atom, out),
        Term::Int(value) => write_int(*value, out)?,
        Term::BigInt(value) => write_big(value, out)?,
        Term::Float(value) => {
            if !value.is_finite() {
                return Err(EncodeError::NotFinite);
            }
            out.push(tag::NEW_FLOAT);
            out.extend(value.to_be_bytes());
        }
        Term::Binary(binary) => {
            out.push(tag::BINARY);
            out.extend(length(binary.len())?.to_be_bytes());
            out.extend_from_slice(binary);
        }
        Term::Bitstring(bits) => write_bits(bits, out)?,
        Term::Pid(pid) => {
            let [serial, id] = halves(pid.number());
            write_pid(atom::NONODE_NOHOST, id, serial, 0, out);
        }
        Term::Port(port) => write_port(atom::NONODE_NOHOST, port.number(), 0, out),
        Term::Reference(reference) => {
            write_reference(atom::NONODE_NOHOST, &reference.words(), 0, out)?
        }
        Term::Foreign(foreign) => write_foreign(foreign, out)?,
        Term::Fun(fun) => write_fun(fun, out)?,
        Term::Tuple(tuple) => {
            match u8::try_from(tuple.len()) {
                Ok(arity) => out.extend([tag::SMALL_TUPLE, arity]),
                Err(_) => {
                    out.push(tag::LARGE_TUPLE);
                    out.extend(length(tuple.len())?.to_be_bytes());
                }
            }
            later.push(Work::Elements(tuple));
        }
        Term::Map(map) => {
            out.push(tag::MAP);
            out.extend(length(map.len())?.to_be_bytes());
            later.push(Work::Pairs(map.iter()));
        }
        Term::List(list) => match Shape::of(list.view()) {
            Shape {
                elements,
                is_string: true,
            } if elements <= tag::STRING_MAX => {
                out.push(tag::STRING);
                let [_, _, high, low] = length(elements)?.to_be_bytes();
                out.extend([high, low]);
                write_string(list.view(), out);
            }
            Shape { elements, .. } => {
                out.push(tag::LIST);
                out.extend(length(elements)?.to_be_bytes());
                later.push(Work::Rest(term));
            }
        },
    }
    Ok(())
}

fn length(len: usize) -> Result<u32, EncodeError> {
    u32::try_from(len).map_err(|_| EncodeError::TooLarge)
}

#[allow(clippy::cast_possible_truncation)] // takes the number apart
fn halves(number: u64) -> [u32; 2] {
    [(number >> 32) as u32, number as u32]
}

/// Latin-1 where the name allows it, as OTP up to 25 does.
pub(super) fn write_atom(atom: Atom, out: &mut Vec<u8>) {
    // At most 255 characters of at most four bytes.
    let long = |len: usize| u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
    let name = atom.as_str().as_bytes();
    if name.is_ascii() {
        out.push(tag::ATOM);
        out.extend(long(name.len()));
        out.extend_from_slice(name);
    } else if let Some(latin1) = atom.to_latin1() {
        out.push(tag::ATOM);
        out.extend(long(latin1.len()));
        out.extend(latin1);
    } else {
        match u8::try_from(name.len()) {
            Ok(len) => out.extend([tag::SMALL_ATOM_UTF8, len]),
            Err(_) => {
                out.push(tag::ATOM_UTF8);
                out.extend(long(name.len()));
            }
        }
        out.extend_from_slice(name);
    }
}

fn write_int(value: i64, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if let Ok(byte) = u8::try_from(value) {
        out.extend([tag::SMALL_INTEGER, byte]);
        return Ok(());
    }
    match i32::try_from(value) {
        Ok(value) => {
            out.push(tag::INTEGER);
            out.extend(value.to_be_bytes());
            Ok(())
        }
        Err(_) => {
            let bytes = value.unsigned_abs().to_le_bytes();
            let used = bytes
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(0, |last| last + 1);
            write_magnitude(value < 0, &bytes[..used], out)
        }
    }
}

fn write_big(value: &BigInt, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if let Ok(small) = i64::try_from(value) {
        return write_int(small, out);
    }
    let (sign, bytes) = value.to_bytes_le();
    write_magnitude(sign == Sign::Minus, &bytes, out)
}

fn write_magnitude(negative: bool, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match u8::try_from(bytes.len()) {
        Ok(len) => out.extend([tag::SMALL_BIG, len]),
        Err(_) => {
            out.push(tag::LARGE_BIG);
            out.extend(length(bytes.len())?.to_be_bytes());
        }
    }
    out.push(u8::from(negative));
    out.extend_from_slice(bytes);
    Ok(())
}

fn write_bits(bits: &Bitstring, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    out.push(tag::BIT_BINARY);
    out.extend(length(bits.bytes().len())?.to_be_bytes());
    out.push(bits.last_bits());
    out.extend_from_slice(bits.bytes());
    Ok(())
}

fn write_pid(node: Atom, id: u32, serial: u32, creation: u32, out: &mut Vec<u8>) {
    out.push(tag::NEW_PID);
    write_atom(node, out);
    for word in [id, serial, creation] {
        out.extend(word.to_be_bytes());
    }
}

fn write_port(node: Atom, id: u64, creation: u32, out: &mut Vec<u8>) {
    let [high, low] = halves(id);
    if id <= tag::NEW_PORT_MAX {
        out.push(tag::NEW_PORT);
        write_atom(node, out);
    } else {
        out.push(tag::V4_PORT);
        write_atom(node, out);
        out.extend(high.to_be_bytes());
    }
    out.extend(low.to_be_bytes());
    out.extend(creation.to_be_bytes());
}

fn write_reference(
    node: Atom,
    words: &[u32],
    creation: u32,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let count = u16::try_from(words.len()).map_err(|_| EncodeError::TooLarge)?;
    out.push(tag::NEWER_REFERENCE);
    out.extend(count.to_be_bytes());
    write_atom(node, out);
    for word in std::iter::once(&creation).chain(words) {
        out.extend(word.to_be_bytes());
    }
    Ok(())
}

fn write_foreign(foreign: &Foreign, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let Foreign { node, creation, id } = foreign;
    match id {
        ForeignId::Pid { id, serial } => write_pid(*node, *id, *serial, *creation, out),
        ForeignId::Port(id) => write_port(*node, *id, *creation, out),
        ForeignId::Reference(words) => write_reference(*node, words, *creation, out)?,
    }
    Ok(())
}

fn write_fun(fun: &Fun, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let external = fun.downcast_ref::<ExternalFun>().ok_or(EncodeError::Fun)?;
    out.extend_from_slice(&external.encoded);
    Ok(())
}

/// What has to be known of a list before its first element is written.
struct Shape {
    elements: usize,
    /// Proper, and bytes only.
    is_string: bool,
}

impl Shape {
    fn of(mut view: View<'_>) -> Shape {
        let mut shape = Shape {
            elements: 0,
            is_string: true,
        };
        loop {
            match view {
                View::Bytes(bytes) => {
                    shape.elements += bytes.len();
                    return shape;
                }
                View::Cell(head, tail) => {
                    shape.elements += 1;
                    shape.is_string &= matches!(head, Term::Int(0..=255));
                    match tail {
                        Term::List(list) => view = list.view(),
                        Term::Nil => return shape,
                        _ => {
                            shape.is_string = false;
                            return shape;
                        }
                    }
                }
            }
        }
    }
}

fn write_string(mut view: View<'_>, out: &mut Vec<u8>) {
    loop {
        match view {
            View::Bytes(bytes) => {
                out.extend_from_slice(bytes);
                return;
            }
            View::Cell(head, tail) => {
                out.extend(head.as_int().and_then(|value| u8::try_from(value).ok()));
                match tail {
                    Term::List(list) => view = list.view(),
                    _ => return,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::{Binary, FunObject, Pid, PortId, Reference};

    fn bytes(term: Term) -> Vec<u8> {
        encode(&term).expect("encodes")[1..].to_vec()
    }

    /// What OTP 25 was seen to write.
    #[test]
    fn terms_are_written_as_otp_25_does() {
        assert_eq!(
            encode(&Term::atom("foo")),
            Ok(vec![131, 100, 0, 3, 102, 111, 111])
        );
        assert_eq!(bytes(Term::atom("ö")), [100, 0, 1, 246]);
        assert_eq!(bytes(Term::atom("π")), [119, 2, 207, 128]);
        assert_eq!(
            bytes(Term::atom(&"π".repeat(255)))[..5],
            [118, 1, 254, 207, 128]
        );
        assert_eq!(bytes(Term::Int(255)), [97, 255]);
        assert_eq!(bytes(Term::Int(-1)), [98, 255, 255, 255, 255]);
        assert_eq!(bytes(Term::Int(1 << 31)), [110, 4, 0, 0, 0, 0, 128]);
        assert_eq!(bytes(Term::Int(-(1 << 31))), [98, 128, 0, 0, 0]);
        assert_eq!(bytes(Term::Int(1 << 40)), [110, 6, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(bytes(Term::Float(1.5)), [70, 63, 248, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes(Term::charlist("abc")), [107, 0, 3, 97, 98, 99]);
        assert_eq!(
            bytes(Term::cons(1.into(), Term::charlist("abc"))),
            [107, 0, 4, 1, 97, 98, 99]
        );
        assert_eq!(
            bytes(Term::cons(300.into(), Term::charlist("ab"))),
            [108, 0, 0, 0, 3, 98, 0, 0, 1, 44, 97, 97, 97, 98, 106]
        );
        assert_eq!(
            bytes(Term::improper(vec![1.into(), 2.into()], 3.into())),
            [108, 0, 0, 0, 2, 97, 1, 97, 2, 97, 3]
        );
        let map = [
            (Term::Int(2), Term::Nil),
            (Term::Float(1.5), Term::Nil),
            (Term::Int(1), Term::Nil),
        ];
        assert_eq!(
            bytes(Term::Map(map.into_iter().collect())),
            [
                116, 0, 0, 0, 3, 97, 1, 106, 97, 2, 106, 70, 63, 248, 0, 0, 0, 0, 0, 0, 106
            ]
        );
        assert_eq!(bytes(Term::tuple(vec![Term::Nil; 256])).len(), 5 + 256);
        assert_eq!(
            Bitstring::term(Binary::from(&[0x20]), 3).map(bytes),
            Some(vec![77, 0, 0, 0, 1, 3, 32])
        );
    }

    #[test]
    fn identities_are_those_of_nonode() {
        let node: Vec<u8> = [100, 0, 13].into_iter().chain(*b"nonode@nohost").collect();
        let with = |before: &[u8], after: &[u8]| [before, &node, after].concat();
        assert_eq!(
            bytes(Pid::from_number(9).into()),
            with(&[88], &[0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0])
        );
        assert_eq!(
            bytes(PortId::from_number(7).into()),
            with(&[89], &[0, 0, 0, 7, 0, 0, 0, 0])
        );
        assert_eq!(
            bytes(PortId::from_number(1 << 28).into()),
            with(&[120], &[0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0])
        );
        assert_eq!(
            bytes(Reference::from_number(5).into()),
            with(
                &[90, 0, 3],
                &[0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0]
            )
        );
    }

    #[test]
    fn what_has_no_external_form_is_refused() {
        #[derive(Debug)]
        struct Local;
        impl FunObject for Local {
            fn arity(&self) -> usize {
                0
            }
            fn name(&self) -> String {
                String::new()
            }
        }
        let fun = Term::list(vec![Term::Fun(Fun::new(Local))]);
        assert_eq!(encode(&fun), Err(EncodeError::Fun));
        assert_eq!(encode(&Term::Float(f64::NAN)), Err(EncodeError::NotFinite));
    }

    #[test]
    fn compression_is_used_when_it_helps() {
        assert_eq!(encode_compressed(&Term::Int(1), 6), encode(&Term::Int(1)));
        let term = Term::bytes_list(Binary::from(vec![b'a'; 1000]));
        let short = encode_compressed(&term, 6).expect("encodes");
        assert_eq!(short[..6], [131, 80, 0, 0, 3, 0xEB]);
        assert!(short.len() < 100);
    }
}

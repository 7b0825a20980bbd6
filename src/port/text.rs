//! Erlang's texts as the bytes that the operating system wants.
//!
//! A command, a file name, a directory and an argument may each be a charlist (nested at
//! will), a binary or an atom. Relies on `term` alone. Promises bytes without a NUL: a
//! charlist or atom that holds one is refused, a binary ends in front of it. Native names are
//! UTF-8, as they are under Elixir.

#![forbid(unsafe_code)]

use crate::term::Term;
use thiserror::Error;

/// Why a term is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadText {
    /// Something else altogether.
    #[error("must be a charlist, a binary or an atom")]
    NotText,
    /// Something else, where an atom or a binary would be wrong, too.
    #[error("must be a charlist")]
    NotCharlist,
    /// A list that holds more than code points and lists of them.
    #[error("a charlist may hold code points and charlists only")]
    NotCodePoint,
    /// A list with a tail that is no list.
    #[error("a charlist must be a proper list")]
    Improper,
    /// A charlist or an atom with a code point 0.
    #[error("contains a NUL, which no name or argument can hold")]
    Nul,
    /// A bitstring that ends inside a byte.
    #[error("a bitstring must consist of whole bytes")]
    PartialByte,
}

/// The bytes of a command, file name, directory or argument.
pub(crate) fn native_text(term: &Term) -> Result<Vec<u8>, BadText> {
    match term {
        Term::Atom(atom) => without_nul(atom.as_str().as_bytes()),
        Term::Binary(bytes) => {
            let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
            Ok(bytes[..end].to_vec())
        }
        // Erlang takes a few bits for an empty text; with more of them it crashes.
        Term::Bitstring(bits) if bits.bit_len() < 8 => Ok(Vec::new()),
        Term::Bitstring(_) => Err(BadText::PartialByte),
        Term::Nil | Term::List(_) => charlist_text(term),
        _ => Err(BadText::NotText),
    }
}

/// The bytes of a text that must be a charlist, as environment variables must.
pub(crate) fn charlist_text(term: &Term) -> Result<Vec<u8>, BadText> {
    let mut text = Vec::new();
    // What follows the lists that we are inside of. Not the call stack: nesting has no limit.
    let mut outer: Vec<Term> = Vec::new();
    let mut rest = match term {
        Term::Nil => return Ok(text),
        Term::List(_) => term.clone(),
        _ => return Err(BadText::NotCharlist),
    };
    loop {
        let list = match &rest {
            Term::List(list) => list,
            Term::Nil => match outer.pop() {
                Some(after) => {
                    rest = after;
                    continue;
                }
                None => return Ok(text),
            },
            _ => return Err(BadText::Improper),
        };
        let head = list.head();
        let tail = list.tail();
        rest = match head {
            Term::Int(code) => {
                push_code_point(code, &mut text)?;
                tail
            }
            Term::Nil => tail,
            Term::List(_) => {
                outer.push(tail);
                head
            }
            _ => return Err(BadText::NotCodePoint),
        };
    }
}

fn push_code_point(code: i64, text: &mut Vec<u8>) -> Result<(), BadText> {
    let character = u32::try_from(code).ok().and_then(char::from_u32);
    match character {
        Some('\0') => Err(BadText::Nul),
        Some(character) => {
            text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            Ok(())
        }
        None => Err(BadText::NotCodePoint),
    }
}

fn without_nul(bytes: &[u8]) -> Result<Vec<u8>, BadText> {
    match memchr::memchr(0, bytes) {
        Some(_) => Err(BadText::Nul),
        None => Ok(bytes.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::{Binary, Bitstring};

    fn codes(codes: &[i64]) -> Term {
        Term::list(codes.iter().map(|&code| Term::Int(code)).collect())
    }

    fn native(term: &Term) -> Result<String, BadText> {
        native_text(term).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn charlists_become_utf8() {
        assert_eq!(native(&Term::charlist("cat -u")).unwrap(), "cat -u");
        assert_eq!(native(&Term::charlist("höher")).unwrap(), "höher");
        assert_eq!(native(&codes(&[255])).unwrap(), "ÿ");
        assert_eq!(native(&codes(&[0x10FFFF])).unwrap(), "\u{10FFFF}");
        assert_eq!(native(&codes(&[0xFFFE])).unwrap(), "\u{FFFE}");
        assert_eq!(native(&Term::Nil).unwrap(), "");
    }

    #[test]
    fn charlists_may_nest() {
        let nested = Term::list(vec![
            Term::charlist("ca"),
            Term::Nil,
            Term::list(vec![Term::list(vec![Term::charlist("t")])]),
            Term::Int(33),
        ]);
        assert_eq!(native(&nested).unwrap(), "cat!");
        let consed = Term::improper(vec![Term::charlist("ec")], Term::charlist("ho"));
        assert_eq!(native(&consed).unwrap(), "echo");
        assert_eq!(native(&Term::list(vec![Term::Nil])).unwrap(), "");
    }

    #[test]
    fn deep_nesting_is_no_danger() {
        let mut term = Term::charlist("x");
        for _ in 0..200_000 {
            term = Term::list(vec![term]);
        }
        assert_eq!(native(&term).unwrap(), "x");
    }

    #[test]
    fn what_is_no_code_point_is_refused() {
        for code in [-1, 0x110000, 0xD800, 0xDFFF, i64::MAX] {
            assert_eq!(native(&codes(&[99, code])), Err(BadText::NotCodePoint));
        }
        for element in [Term::from("bin"), Term::atom("a"), Term::Float(97.0)] {
            let mixed = Term::list(vec![Term::charlist("ec"), element]);
            assert_eq!(native(&mixed), Err(BadText::NotCodePoint));
        }
    }

    #[test]
    fn improper_lists_are_refused() {
        for tail in [Term::Int(97), Term::atom("b"), Term::from("b")] {
            let term = Term::improper(vec![Term::charlist("a")], tail);
            assert_eq!(native(&term), Err(BadText::Improper));
        }
    }

    #[test]
    fn binaries_are_raw_and_end_at_a_nul() {
        let raw = Term::Binary(Binary::from(&[255u8, 254][..]));
        assert_eq!(native_text(&raw).unwrap(), [255, 254]);
        assert_eq!(native(&Term::from("ca\0t")).unwrap(), "ca");
        assert_eq!(native(&Term::from("\0")).unwrap(), "");
        assert_eq!(native(&Term::from("")).unwrap(), "");
    }

    #[test]
    fn atoms_are_texts() {
        assert_eq!(native(&Term::atom("cat")).unwrap(), "cat");
        assert_eq!(native(&Term::atom("nil")).unwrap(), "nil");
        assert_eq!(native(&Term::atom("")).unwrap(), "");
        assert_eq!(native(&Term::atom("ö")).unwrap(), "ö");
        assert_eq!(native(&Term::atom("tr\0ue")), Err(BadText::Nul));
    }

    #[test]
    fn a_nul_in_a_charlist_is_refused() {
        assert_eq!(native(&codes(&[99, 0, 116])), Err(BadText::Nul));
    }

    #[test]
    fn bits_count_as_empty_up_to_a_byte() {
        let bits = |bytes: &[u8]| Bitstring::term(Binary::from(bytes), 3).unwrap();
        assert_eq!(native(&bits(&[0x20])).unwrap(), "");
        assert_eq!(native(&bits(b"ab ")), Err(BadText::PartialByte));
    }

    #[test]
    fn other_terms_are_no_text() {
        for term in [Term::Int(5), Term::Float(1.0), Term::tuple(vec![])] {
            assert_eq!(native(&term), Err(BadText::NotText));
        }
    }

    #[test]
    fn some_texts_must_be_charlists() {
        assert_eq!(charlist_text(&Term::charlist("A")).unwrap(), b"A");
        assert_eq!(charlist_text(&Term::Nil).unwrap(), b"");
        for term in [Term::from("A"), Term::atom("A"), Term::Int(65)] {
            assert_eq!(charlist_text(&term), Err(BadText::NotCharlist));
        }
    }
}

//! The parts of the external term format that have no parts of their own: numbers, atoms, bytes,
//! and the names of processes, ports and references.
//!
//! Relies on nobody: every length is checked against the bytes that are there.
#![forbid(unsafe_code)]

use super::decode::Problem;
use super::external as tag;
use super::foreign::{Foreign, ForeignId};
use super::{Atom, AtomError, Binary, Bitstring, Pid, PortId, Reference, Term, atom};
use num_bigint::{BigInt, Sign};
use std::sync::Arc;

/// The bytes and how far they have been read.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Problem> {
        if len > self.left() {
            return Err(Problem::Truncated);
        }
        let taken = &self.bytes[self.at..self.at + len];
        self.at += len;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        self.take(N)?.try_into().map_err(|_| Problem::Truncated)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Problem> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn word(&mut self) -> Result<u32, Problem> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn length(&mut self) -> Result<usize, Problem> {
        usize::try_from(self.word()?).map_err(|_| Problem::Truncated)
    }

    pub(super) fn short_length(&mut self) -> Result<usize, Problem> {
        self.array()
            .map(|bytes| usize::from(u16::from_be_bytes(bytes)))
    }

    /// Old formats have a byte for it, new ones a word.
    pub(super) fn creation(&mut self, is_old: bool) -> Result<u32, Problem> {
        if is_old {
            match self.byte()? {
                creation @ 0..=3 => Ok(u32::from(creation)),
                _ => Err(Problem::Value("an old creation above 3")),
            }
        } else {
            self.word()
        }
    }
}

/// Reads what `tag`, found at `began`, announces.
pub(super) fn read_leaf(reader: &mut Reader<'_>, tag: u8, began: usize) -> Result<Term, Problem> {
    Ok(match tag {
        tag::NIL => Term::Nil,
        tag::SMALL_INTEGER => Term::Int(i64::from(reader.byte()?)),
        tag::INTEGER => Term::Int(i64::from(i32::from_be_bytes(reader.array()?))),
        tag::SMALL_BIG => {
            let len = usize::from(reader.byte()?);
            read_big(reader, len)?
        }
        tag::LARGE_BIG => {
            let len = reader.length()?;
            read_big(reader, len)?
        }
        tag::NEW_FLOAT => finite(f64::from_be_bytes(reader.array()?))?,
        tag::FLOAT => read_old_float(reader)?,
        tag::STRING => {
            let len = reader.short_length()?;
            Term::bytes_list(Binary::from(reader.take(len)?))
        }
        tag::BINARY => {
            let len = reader.length()?;
            Term::Binary(Binary::from(reader.take(len)?))
        }
        tag::BIT_BINARY => read_bits(reader)?,
        tag::ATOM | tag::SMALL_ATOM | tag::ATOM_UTF8 | tag::SMALL_ATOM_UTF8 => {
            Term::Atom(read_atom(reader, tag)?)
        }
        tag::PID | tag::NEW_PID => read_pid(reader, tag)?,
        tag::PORT | tag::NEW_PORT | tag::V4_PORT => read_port(reader, tag)?,
        tag::REFERENCE | tag::NEW_REFERENCE | tag::NEWER_REFERENCE => read_reference(reader, tag)?,
        unknown => {
            reader.at = began;
            return Err(Problem::Tag(unknown));
        }
    })
}

fn read_big(reader: &mut Reader<'_>, len: usize) -> Result<Term, Problem> {
    let sign = if reader.byte()? == 0 {
        Sign::Plus
    } else {
        Sign::Minus
    };
    Ok(Term::integer(BigInt::from_bytes_le(
        sign,
        reader.take(len)?,
    )))
}

fn finite(value: f64) -> Result<Term, Problem> {
    if value.is_finite() {
        Ok(Term::Float(value))
    } else {
        Err(Problem::Value("a float that is not finite"))
    }
}

/// Thirty-one bytes of text, filled up with zeros.
fn read_old_float(reader: &mut Reader<'_>) -> Result<Term, Problem> {
    let text = reader
        .take(31)?
        .split(|byte| *byte == 0)
        .next()
        .unwrap_or_default();
    let value = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.trim_start().parse().ok());
    finite(value.ok_or(Problem::Value("a float that is not a number"))?)
}

fn read_bits(reader: &mut Reader<'_>) -> Result<Term, Problem> {
    let len = reader.length()?;
    let last_bits = reader.byte()?;
    let bytes = reader.take(len)?;
    if len == 0 && last_bits == 0 {
        return Ok(Term::Binary(Binary::empty()));
    }
    let bits = if len == 0 {
        None
    } else {
        Bitstring::term(Binary::from(bytes), last_bits)
    };
    bits.ok_or(Problem::Value(
        "a bitstring with an impossible number of bits",
    ))
}

fn read_atom(reader: &mut Reader<'_>, tag: u8) -> Result<Atom, Problem> {
    let len = match tag {
        tag::SMALL_ATOM | tag::SMALL_ATOM_UTF8 => usize::from(reader.byte()?),
        _ => reader.short_length()?,
    };
    let name = reader.take(len)?;
    if matches!(tag, tag::ATOM | tag::SMALL_ATOM) {
        if len > Atom::CHARS_MAX {
            return Err(AtomError::TooLong.into());
        }
        return Ok(Atom::from_latin1(name)?);
    }
    let name =
        std::str::from_utf8(name).map_err(|_| Problem::Value("an atom that is not UTF-8"))?;
    Ok(Atom::try_new(name)?)
}

fn read_node(reader: &mut Reader<'_>) -> Result<Atom, Problem> {
    match reader.byte()? {
        tag @ (tag::ATOM | tag::SMALL_ATOM | tag::ATOM_UTF8 | tag::SMALL_ATOM_UTF8) => {
            read_atom(reader, tag)
        }
        _ => Err(Problem::Value("a node that is not an atom")),
    }
}

fn is_local(node: Atom, creation: u32) -> bool {
    node == atom::NONODE_NOHOST && creation == 0
}

fn foreign(node: Atom, creation: u32, id: ForeignId) -> Term {
    Term::Foreign(Arc::new(Foreign { node, creation, id }))
}

fn read_pid(reader: &mut Reader<'_>, tag: u8) -> Result<Term, Problem> {
    let node = read_node(reader)?;
    let (id, serial) = (reader.word()?, reader.word()?);
    let creation = reader.creation(tag == tag::PID)?;
    Ok(if is_local(node, creation) {
        Term::Pid(Pid::from_number(u64::from(serial) << 32 | u64::from(id)))
    } else {
        foreign(node, creation, ForeignId::Pid { id, serial })
    })
}

fn read_port(reader: &mut Reader<'_>, tag: u8) -> Result<Term, Problem> {
    let node = read_node(reader)?;
    let high = if tag == tag::V4_PORT {
        reader.word()?
    } else {
        0
    };
    let id = u64::from(high) << 32 | u64::from(reader.word()?);
    let creation = reader.creation(tag == tag::PORT)?;
    Ok(if is_local(node, creation) {
        Term::Port(PortId::from_number(id))
    } else {
        foreign(node, creation, ForeignId::Port(id))
    })
}

fn read_reference(reader: &mut Reader<'_>, tag: u8) -> Result<Term, Problem> {
    let count = if tag == tag::REFERENCE {
        1
    } else {
        reader.short_length()?
    };
    if count > tag::REFERENCE_WORDS_MAX {
        return Err(Problem::Value("a reference with more than five words"));
    }
    let node = read_node(reader)?;
    let mut words = Vec::with_capacity(count);
    let creation = if tag == tag::REFERENCE {
        words.push(reader.word()?);
        reader.creation(true)?
    } else {
        let creation = reader.creation(tag == tag::NEW_REFERENCE)?;
        for _ in 0..count {
            words.push(reader.word()?);
        }
        creation
    };
    let word = |place: usize| words.get(place).copied().unwrap_or(0);
    let local = is_local(node, creation);
    let small = local || tag != tag::NEWER_REFERENCE;
    if small && word(0) >> Reference::FIRST_WORD_BITS != 0 {
        return Err(Problem::Value("a reference with a first word above 262143"));
    }
    if local && count > 3 {
        return Err(Problem::Value(
            "a reference of this node with more than three words",
        ));
    }
    if local && let Some(reference) = Reference::from_words([word(0), word(1), word(2)]) {
        return Ok(Term::Reference(reference));
    }
    Ok(foreign(node, creation, ForeignId::Reference(words)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::decode::decode;

    fn is_read(before: &[u8], node: &str, after: &[u8]) -> bool {
        let node = [&[119, u8::try_from(node.len()).unwrap()], node.as_bytes()].concat();
        match decode(&[&[131], before, &node, after].concat()) {
            Ok(_) => true,
            Err(error) => {
                assert!(matches!(error.problem, Problem::Value(_)), "{error}");
                false
            }
        }
    }

    /// Where OTP 25 was seen to draw the line.
    #[test]
    fn identities_have_their_limits() {
        let (own, other) = ("nonode@nohost", "a@b");
        for (tag, id) in [(103, 8), (102, 4), (101, 4)] {
            for (creation, fine) in [(0, true), (3, true), (4, false), (255, false)] {
                let after = [&vec![0; id][..], &[creation]].concat();
                assert_eq!(is_read(&[tag], other, &after), fine, "{tag} {creation}");
            }
        }
        let word = |value: u32| value.to_be_bytes();
        let old = |creation: u8, first| [&[creation], &word(first)[..], &[0; 4]].concat();
        let newer = |first| [&word(0)[..], &word(first), &[0; 4]].concat();
        assert!(is_read(&[114, 0, 2], other, &old(3, 262_143)));
        assert!(!is_read(&[114, 0, 2], other, &old(4, 1)));
        assert!(!is_read(&[114, 0, 2], other, &old(3, 262_144)));
        assert!(!is_read(
            &[101],
            other,
            &[&word(262_144)[..], &[0]].concat()
        ));
        assert!(is_read(&[90, 0, 2], other, &newer(u32::MAX)));
        assert!(is_read(&[90, 0, 2], own, &newer(262_143)));
        assert!(!is_read(&[90, 0, 2], own, &newer(262_144)));
        for (node, most) in [(own, 3_u8), (other, 5)] {
            for words in 1..=6 {
                let after = vec![0; 4 + 4 * usize::from(words)];
                assert_eq!(is_read(&[90, 0, words], node, &after), words <= most);
            }
        }
    }
}

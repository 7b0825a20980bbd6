//! Nested lists of bytes and binaries, as flat bytes or as segments.
//!
//! What counts as such data: a binary, nil, or a list of bytes (0 to 255), binaries and such
//! lists again, with nil or a binary as its last tail. Anything else, and a bitstring whose last
//! byte is not full, is [`BadIoData`]. How a command becomes segments for a driver follows what
//! OTP 25 was seen to do: small parts are gathered into one allocation, large binaries are passed
//! as they are. The empty slot in front, which drivers expect, is the driver room's to add.
//!
//! Walks nested lists with a list of its own, not by recursion.
#![forbid(unsafe_code)]

use super::list::View;
use super::{Binary, Counted, Term};
use std::borrow::Cow;

/// Why a term cannot be sent to a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadIoData {
    /// It is not made of bytes, binaries and lists of them.
    #[error("not bytes: expected a binary or a list of bytes (0..255), binaries and such lists")]
    NotBytes,
    /// There is no memory for it.
    #[error("too much data for one command")]
    TooLarge,
}

/// Data on its way into a port, in the form in which the sender has it.
#[derive(Debug, Clone)]
pub enum IoData<'a> {
    /// Bytes that the sender keeps.
    Bytes(&'a [u8]),
    /// Bytes that can be shared.
    Binary(Binary),
    /// Gathered and large parts in turn.
    Vector(IoVector),
}

impl Default for IoData<'_> {
    /// No bytes.
    #[inline]
    fn default() -> Self {
        IoData::Bytes(&[])
    }
}

impl IoData<'_> {
    /// How many bytes there are.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            IoData::Bytes(bytes) => bytes.len(),
            IoData::Binary(binary) => binary.len(),
            IoData::Vector(vector) => vector.size(),
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes in one piece, copied only if there are several.
    #[inline]
    pub fn flat(&self) -> Cow<'_, [u8]> {
        match self {
            IoData::Bytes(bytes) => Cow::Borrowed(bytes),
            IoData::Binary(binary) => Cow::Borrowed(binary),
            IoData::Vector(vector) => match vector.segments() {
                [] => Cow::Borrowed(&[]),
                [only] => Cow::Borrowed(only),
                several => Cow::Owned(several.concat()),
            },
        }
    }

    /// The bytes in one piece that can be kept.
    pub fn into_binary(self) -> Binary {
        match self {
            IoData::Bytes(bytes) => Binary::from(bytes),
            IoData::Binary(binary) => binary,
            IoData::Vector(vector) => match vector.segments() {
                [] => Binary::empty(),
                [only] => only.clone(),
                several => Binary::from(several.concat()),
            },
        }
    }

    /// The data that a term stands for; nothing large is copied.
    pub fn from_term(term: &Term) -> Result<IoData<'static>, BadIoData> {
        match term {
            Term::Binary(binary) => Ok(IoData::Binary(binary.clone())),
            _ => IoVector::from_term(term).map(IoData::Vector),
        }
    }

    /// The same data in a form that can be kept.
    pub fn into_owned(self) -> IoData<'static> {
        match self {
            IoData::Bytes(bytes) => IoData::Binary(Binary::from(bytes)),
            IoData::Binary(binary) => IoData::Binary(binary),
            IoData::Vector(vector) => IoData::Vector(vector),
        }
    }

    /// The bytes in segments that can be kept.
    pub fn into_vector(self) -> Result<IoVector, BadIoData> {
        match self {
            IoData::Bytes([]) => Ok(IoVector::one(Binary::empty())),
            IoData::Bytes(bytes) => {
                let copy = Counted::copy_of(bytes).ok_or(BadIoData::TooLarge)?;
                Ok(IoVector::one(Binary::from(copy)))
            }
            IoData::Binary(binary) if binary.is_empty() || binary.len() > GATHERED_MAX => {
                Ok(IoVector::one(binary))
            }
            IoData::Binary(binary) => IoVector::from_binary(&binary),
            IoData::Vector(vector) => Ok(vector),
        }
    }
}

/// Data in segments, as a driver with `outputv` sees it behind the empty first slot. Every
/// segment that has bytes is a window on a counted allocation.
#[derive(Debug, Clone, Default)]
pub struct IoVector {
    segments: Segments,
    size: usize,
}

/// Most commands are one segment, which then needs no vector around it.
#[derive(Debug, Clone, Default)]
enum Segments {
    #[default]
    None,
    One(Binary),
    Many(Vec<Binary>),
}

/// Binaries of up to this many bytes are gathered...
const GATHERED_MAX: usize = Binary::SMALL_MAX;
/// ...and if there would still be this many segments...
const SEGMENTS_CROWDED: usize = 16;
/// ...binaries of up to this many bytes are gathered as well.
const GATHERED_MAX_CROWDED: usize = 255;

impl IoVector {
    /// The segments of a command.
    pub fn from_term(term: &Term) -> Result<IoVector, BadIoData> {
        if let Term::Binary(binary) = term {
            return IoVector::from_binary(binary);
        }
        let mut plain = Plan::new(GATHERED_MAX);
        let mut crowded = Plan::new(GATHERED_MAX_CROWDED);
        walk(term, |part| {
            plain.count(part)?;
            crowded.count(part)
        })?;
        let plan = if plain.segments < SEGMENTS_CROWDED {
            plain
        } else {
            crowded
        };
        plan.build(term)
    }

    /// The one segment of a whole binary; an empty binary is an empty segment.
    pub fn from_binary(binary: &Binary) -> Result<IoVector, BadIoData> {
        let segment = if binary.is_empty() {
            // Also of an empty part of a long one: nobody has to keep that.
            Binary::default()
        } else if binary.len() > GATHERED_MAX {
            binary.clone()
        } else {
            Binary::from(Counted::copy_of(binary).ok_or(BadIoData::TooLarge)?)
        };
        Ok(IoVector::one(segment))
    }

    fn one(segment: Binary) -> IoVector {
        IoVector {
            size: segment.len(),
            segments: Segments::One(segment),
        }
    }

    /// The segments, in order.
    pub fn segments(&self) -> &[Binary] {
        match &self.segments {
            Segments::None => &[],
            Segments::One(only) => std::slice::from_ref(only),
            Segments::Many(segments) => segments,
        }
    }

    /// How many bytes there are in all segments.
    pub fn size(&self) -> usize {
        self.size
    }
}

/// What the segments of a command will be, if binaries of up to `limit` bytes are gathered.
struct Plan {
    limit: usize,
    segments: usize,
    gathered: usize,
    size: usize,
    /// Whether the next small part continues the segment before it.
    gathering: bool,
}

impl Plan {
    fn new(limit: usize) -> Plan {
        Plan {
            limit,
            segments: 0,
            gathered: 0,
            size: 0,
            gathering: false,
        }
    }

    fn count(&mut self, part: Part<'_>) -> Result<(), BadIoData> {
        let len = part.len();
        self.size = self.size.checked_add(len).ok_or(BadIoData::TooLarge)?;
        let small = part.is_small(self.limit);
        if small {
            self.gathered += len;
        }
        if len > 0 && !(small && self.gathering) {
            self.segments += 1;
            self.gathering = small;
        }
        Ok(())
    }

    fn build(&self, term: &Term) -> Result<IoVector, BadIoData> {
        let gathered = self.gather(term)?;
        let mut segments = Vec::with_capacity(self.segments);
        let mut taken = 0;
        let mut pending = 0;
        walk(term, |part| {
            if part.is_small(self.limit) {
                pending += part.len();
            } else if let Part::Binary(binary) = part {
                flush(&gathered, &mut taken, &mut pending, &mut segments);
                segments.push(binary.clone());
            }
            Ok(())
        })?;
        flush(&gathered, &mut taken, &mut pending, &mut segments);
        let segments = match segments.len() {
            0 => Segments::None,
            1 => segments.pop().map_or(Segments::None, Segments::One),
            _ => Segments::Many(segments),
        };
        Ok(IoVector {
            segments,
            size: self.size,
        })
    }

    /// All small parts, one behind the other.
    fn gather(&self, term: &Term) -> Result<Binary, BadIoData> {
        if self.gathered == 0 {
            return Ok(Binary::empty());
        }
        let mut counted = Counted::alloc(self.gathered).ok_or(BadIoData::TooLarge)?;
        if let Some(bytes) = counted.bytes_mut() {
            fill(term, bytes, |part| part.is_small(self.limit))?;
        }
        Ok(Binary::from(counted))
    }
}

/// The small parts since the last large one become a segment.
fn flush(gathered: &Binary, taken: &mut usize, pending: &mut usize, segments: &mut Vec<Binary>) {
    if *pending > 0 {
        segments.push(gathered.slice(*taken..*taken + *pending));
        *taken += *pending;
        *pending = 0;
    }
}

/// All bytes of a term in one piece; a binary is shared, not copied.
pub fn flatten(term: &Term) -> Result<Binary, BadIoData> {
    if let Term::Binary(binary) = term {
        return Ok(binary.clone());
    }
    let size = size(term)?;
    if size <= Binary::INLINE_MAX {
        let mut bytes = [0; Binary::INLINE_MAX];
        fill(term, &mut bytes[..size], |_| true)?;
        return Ok(Binary::from(&bytes[..size]));
    }
    let mut counted = Counted::alloc(size).ok_or(BadIoData::TooLarge)?;
    if let Some(bytes) = counted.bytes_mut() {
        fill(term, bytes, |_| true)?;
    }
    Ok(Binary::from(counted))
}

/// How many bytes a term stands for.
pub fn size(term: &Term) -> Result<usize, BadIoData> {
    let mut size = 0_usize;
    walk(term, |part| {
        size = size.checked_add(part.len()).ok_or(BadIoData::TooLarge)?;
        Ok(())
    })?;
    Ok(size)
}

/// Copies the wanted parts of `term` into `bytes`, which is as long as they are together.
fn fill(term: &Term, bytes: &mut [u8], wanted: impl Fn(Part<'_>) -> bool) -> Result<(), BadIoData> {
    let mut at = 0;
    walk(term, |part| {
        if wanted(part) {
            match part {
                Part::Byte(byte) => bytes[at] = byte,
                Part::Bytes(part) => bytes[at..at + part.len()].copy_from_slice(part),
                Part::Binary(part) => bytes[at..at + part.len()].copy_from_slice(part),
            }
            at += part.len();
        }
        Ok(())
    })
}

/// A piece of data as it is stored in the term.
#[derive(Clone, Copy)]
enum Part<'a> {
    Byte(u8),
    Bytes(&'a [u8]),
    Binary(&'a Binary),
}

impl Part<'_> {
    fn len(&self) -> usize {
        match self {
            Part::Byte(_) => 1,
            Part::Bytes(bytes) => bytes.len(),
            Part::Binary(binary) => binary.len(),
        }
    }

    /// Whether it is to be gathered: bytes of lists always are.
    fn is_small(&self, limit: usize) -> bool {
        match self {
            Part::Byte(_) | Part::Bytes(_) => true,
            Part::Binary(binary) => binary.len() <= limit,
        }
    }
}

/// Calls `each` with the parts of `term` in order.
fn walk<'a>(
    term: &'a Term,
    mut each: impl FnMut(Part<'a>) -> Result<(), BadIoData>,
) -> Result<(), BadIoData> {
    let mut later: Vec<&'a Term> = Vec::new();
    let mut next = Some(term);
    while let Some(term) = next {
        match term {
            Term::Nil => next = later.pop(),
            Term::Binary(binary) => {
                each(Part::Binary(binary))?;
                next = later.pop();
            }
            Term::List(list) => match list.view() {
                View::Bytes(bytes) => {
                    each(Part::Bytes(bytes))?;
                    next = later.pop();
                }
                View::Cell(head, tail) => {
                    next = Some(tail);
                    match head {
                        Term::Int(value) => {
                            each(Part::Byte(
                                u8::try_from(*value).map_err(|_| BadIoData::NotBytes)?,
                            ))?;
                        }
                        Term::Binary(binary) => each(Part::Binary(binary))?,
                        Term::Nil => {}
                        Term::List(_) => {
                            // Nothing waits behind the innermost of many brackets.
                            if !matches!(tail, Term::Nil) {
                                later.push(tail);
                            }
                            next = Some(head);
                        }
                        _ => return Err(BadIoData::NotBytes),
                    }
                }
            },
            _ => return Err(BadIoData::NotBytes),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::Bitstring;

    fn bin(len: usize) -> Term {
        Term::Binary(Binary::from(vec![b'x'; len]))
    }

    fn lens(term: &Term) -> Vec<usize> {
        let vector = IoVector::from_term(term).expect("iodata");
        assert_eq!(vector.size(), size(term).expect("iodata"));
        assert_eq!(vector.segments().concat(), &*flatten(term).expect("iodata"));
        for segment in vector.segments() {
            assert!(segment.is_empty() || segment.as_counted().is_some());
        }
        vector
            .segments()
            .iter()
            .map(|segment| segment.len())
            .collect()
    }

    fn repeated(times: usize, elements: &[Term]) -> Term {
        Term::list(vec![Term::list(elements.to_vec()); times])
    }

    #[test]
    fn bytes_binaries_and_lists_are_accepted() {
        let nested = Term::improper(
            vec![
                Term::charlist("ab"),
                99.into(),
                Term::list(vec!["d".into(), Term::Nil, Term::list(vec![101.into()])]),
            ],
            "f".into(),
        );
        assert_eq!(flatten(&nested), Ok(Binary::from("abcdef")));
        assert_eq!(flatten(&Term::Nil), Ok(Binary::empty()));
        assert_eq!(flatten(&bin(100)).map(|b| b.len()), Ok(100));
        let long = Term::list(vec![Term::bytes_list(Binary::from(vec![1; 50])), bin(50)]);
        assert_eq!(flatten(&long).map(|b| b.len()), Ok(100));
    }

    #[test]
    fn anything_else_is_refused() {
        let partial = Bitstring::term(Binary::from(&[0xE0]), 3).expect("bits");
        let bad = [
            256.into(),
            Term::Int(1),
            Term::Int(-1),
            Term::Float(1.0),
            Term::atom("a"),
            Term::tuple([]),
            partial,
            Term::Map(Default::default()),
        ];
        for term in bad {
            assert_eq!(flatten(&term), Err(BadIoData::NotBytes), "{term}");
            if term != Term::Int(1) {
                assert_eq!(
                    size(&Term::list(vec!["x".into(), term.clone()])),
                    Err(BadIoData::NotBytes),
                    "[{term}]"
                );
            }
            assert_eq!(
                size(&Term::cons(1.into(), term.clone())),
                Err(BadIoData::NotBytes),
                "[1|{term}]"
            );
            assert!(IoVector::from_term(&term).is_err());
        }
    }

    /// The vectors that a driver of OTP 25 was shown, without their empty first slot.
    #[test]
    fn segments_are_those_of_otp_25() {
        assert_eq!(lens(&Term::Nil), []);
        assert_eq!(lens(&bin(0)), [0]);
        assert_eq!(lens(&Term::list(vec![bin(0)])), []);
        assert_eq!(lens(&Term::list(vec![bin(0), 97.into()])), [1]);
        assert_eq!(lens(&bin(9)), [9]);
        assert_eq!(lens(&Term::list(vec![bin(100), bin(0)])), [100]);
        assert_eq!(
            lens(&Term::list(vec![bin(100), bin(0), bin(100)])),
            [100, 100]
        );
        let mixed = [97.into(), bin(100), 98.into(), bin(9), bin(100), 99.into()];
        assert_eq!(lens(&Term::list(mixed.to_vec())), [1, 100, 10, 100, 1]);
        assert_eq!(lens(&Term::cons(97.into(), bin(100))), [1, 100]);
        assert_eq!(lens(&Term::cons(97.into(), bin(64))), [65]);
        assert_eq!(lens(&repeated(15, &[bin(100)])), [100; 15]);
        assert_eq!(lens(&repeated(16, &[bin(100)])), [1600]);
        assert_eq!(lens(&repeated(7, &[97.into(), bin(200)])).len(), 14);
        assert_eq!(lens(&repeated(8, &[97.into(), bin(200)])), [1608]);
        assert_eq!(lens(&repeated(20, &[97.into(), bin(255)])), [5120]);
        assert_eq!(lens(&repeated(20, &[97.into(), bin(256)])).len(), 40);
        assert_eq!(lens(&repeated(20, &[bin(256)])), [256; 20]);
    }

    #[test]
    fn gathered_segments_share_one_allocation_and_large_ones_their_own() {
        let large = Binary::from(vec![1; 100]);
        let part = large.slice(10..90);
        let term = Term::list(vec![
            97.into(),
            Term::Binary(part),
            98.into(),
            Term::Binary(large.slice(0..10)),
        ]);
        let vector = IoVector::from_term(&term).expect("iodata");
        let places: Vec<_> = vector
            .segments()
            .iter()
            .filter_map(Binary::as_counted)
            .collect();
        let [(first, 0), (second, 10), (third, 1)] = places[..] else {
            panic!("{places:?}")
        };
        assert_eq!(first.as_raw(), third.as_raw());
        assert_eq!(
            Some(second.as_raw()),
            large.as_counted().map(|(counted, _)| counted.as_raw())
        );
    }

    #[test]
    fn deep_lists_need_no_stack() {
        let levels = if cfg!(miri) { 1_000 } else { 200_000 };
        let deep = (0..levels).fold(Term::Nil, |inner, _| Term::cons(inner, Term::charlist("a")));
        assert_eq!(size(&deep), Ok(levels));
        assert_eq!(lens(&deep), [levels]);
    }

    #[test]
    fn data_is_the_same_in_every_form() {
        let vector = IoVector::from_term(&Term::list(vec![97.into(), bin(100)])).expect("iodata");
        for data in [
            IoData::Vector(vector),
            IoData::Bytes(b"abc"),
            IoData::Binary(Binary::from("abc")),
        ] {
            let flat = data.flat().into_owned();
            assert_eq!((flat.len(), data.is_empty()), (data.len(), false));
            assert_eq!(data.clone().into_binary(), flat.as_slice());
            assert_eq!(data.into_vector().map(|v| v.segments().concat()), Ok(flat));
        }
    }
}

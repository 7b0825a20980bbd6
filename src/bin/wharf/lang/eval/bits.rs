//! `<<…>>`: building binaries, and matching them part by part.
#![forbid(unsafe_code)]

use super::binary::{Reader, Writer};
use super::{Eval, Frame};
use crate::lang::context::Context;
use crate::lang::node::{Node, Pattern, Segment, SegmentSort};
use crate::lang::operators::{bad_segment, big, float};
use crate::lang::throw::Throw;
use wharf::term::Term;

/// No script needs a field of more than a gigabit; a wrong size must not take all memory.
const FIELD_BITS_MAX: usize = 1 << 30;

impl Context {
    pub(super) fn build_bits(&mut self, segments: &[Segment<Node>], frame: &mut Frame) -> Eval {
        let mut writer = Writer::default();
        for (index, segment) in segments.iter().enumerate() {
            let value = self.eval(&segment.value, frame)?;
            let size = match &segment.size {
                None => None,
                Some(size) => match self.eval(size, frame)?.as_usize() {
                    Some(size) => Some(size),
                    None => return Err(frame.pass(Throw::badarg(None), segment.line)),
                },
            };
            if let Err(throw) = write(&mut writer, segment, index + 1, &value, size) {
                return Err(frame.pass(throw, segment.line));
            }
        }
        Ok(writer.finish())
    }

    pub(super) fn matches_bits(
        &mut self,
        segments: &[Segment<Pattern>],
        term: &Term,
        frame: &mut Frame,
    ) -> Eval<bool> {
        let Some(mut reader) = Reader::of(term) else {
            return Ok(false);
        };
        Ok(self.read_bits(segments, &mut reader, frame)? && reader.left() == 0)
    }

    /// Reads the segments from wherever the reader is.
    pub(super) fn read_bits(
        &mut self,
        segments: &[Segment<Pattern>],
        reader: &mut Reader,
        frame: &mut Frame,
    ) -> Eval<bool> {
        for segment in segments {
            let size = match &segment.size {
                None => None,
                // A size that is no size matches nothing.
                Some(size) => match self.eval(size, frame)?.as_usize() {
                    Some(size) => Some(size),
                    None => return Ok(false),
                },
            };
            let Some(value) = read(segment, size, reader) else {
                return Ok(false);
            };
            if !self.matches(&segment.value, &value, frame)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn bits_of<T>(segment: &Segment<T>, size: Option<usize>, default: usize) -> usize {
    size.map_or(default, |size| size.saturating_mul(segment.unit))
}

fn write(
    writer: &mut Writer,
    segment: &Segment<Node>,
    number: usize,
    value: &Term,
    size: Option<usize>,
) -> Result<(), Throw> {
    let refuse = || Throw::badarg(None);
    let bad = |sort: &str, expected: &str| bad_segment(number, sort, expected, value);
    if bits_of(segment, size, 0) > FIELD_BITS_MAX {
        return Err(Throw::error(Term::atom("system_limit")));
    }
    match segment.sort {
        SegmentSort::Integer => {
            let value = big(value).ok_or_else(|| bad("integer", "an integer"))?;
            writer.integer(&value, bits_of(segment, size, 8), segment.little);
        }
        SegmentSort::Float => {
            let value = float(value).ok_or_else(|| bad("float", "a float or an integer"))?;
            let mut bytes = match bits_of(segment, size, 64) {
                64 => value.to_be_bytes().to_vec(),
                32 => {
                    // A float too large for 32 bits is a wrong argument.
                    #[allow(clippy::cast_possible_truncation)]
                    let small = value as f32;
                    if !small.is_finite() {
                        return Err(refuse());
                    }
                    small.to_be_bytes().to_vec()
                }
                _ => return Err(refuse()),
            };
            if segment.little {
                bytes.reverse();
            }
            writer.bits(&bytes, bytes.len() * 8);
        }
        SegmentSort::Binary | SegmentSort::Bitstring => {
            let (bytes, length) = match value {
                Term::Binary(bytes) => (&**bytes, bytes.len() * 8),
                Term::Bitstring(bits) => (bits.bytes(), bits.bit_len()),
                _ => return Err(bad("binary", "a binary")),
            };
            let whole = segment.sort == SegmentSort::Bitstring || length % 8 == 0;
            let count = bits_of(segment, size, length);
            if count > length || (size.is_none() && !whole) {
                return Err(refuse());
            }
            writer.bits(bytes, count);
        }
        SegmentSort::Utf8 | SegmentSort::Utf16 | SegmentSort::Utf32 => {
            let code = value.as_int().and_then(|code| u32::try_from(code).ok());
            let c = code.and_then(char::from_u32).ok_or_else(refuse)?;
            let bytes: Vec<u8> = match segment.sort {
                SegmentSort::Utf8 => c.encode_utf8(&mut [0; 4]).as_bytes().to_vec(),
                SegmentSort::Utf16 if segment.little => c
                    .encode_utf16(&mut [0; 2])
                    .iter()
                    .flat_map(|unit| unit.to_le_bytes())
                    .collect(),
                SegmentSort::Utf16 => c
                    .encode_utf16(&mut [0; 2])
                    .iter()
                    .flat_map(|unit| unit.to_be_bytes())
                    .collect(),
                _ if segment.little => u32::from(c).to_le_bytes().to_vec(),
                _ => u32::from(c).to_be_bytes().to_vec(),
            };
            writer.bits(&bytes, bytes.len() * 8);
        }
    }
    Ok(())
}

fn read(segment: &Segment<Pattern>, size: Option<usize>, reader: &mut Reader) -> Option<Term> {
    match segment.sort {
        SegmentSort::Integer => {
            reader.integer(bits_of(segment, size, 8), segment.signed, segment.little)
        }
        SegmentSort::Float => reader.float(bits_of(segment, size, 64), segment.little),
        SegmentSort::Binary | SegmentSort::Bitstring => {
            let count = match (&segment.value, size) {
                (_, Some(size)) => size.saturating_mul(segment.unit),
                (Pattern::Value(Term::Binary(text)), None) => text.len() * 8,
                (_, None) => reader.left(),
            };
            // What is left must be whole units.
            if size.is_none() && count % segment.unit != 0 {
                return None;
            }
            reader.term(count)
        }
        SegmentSort::Utf8 => reader.utf8(),
        SegmentSort::Utf16 => reader.wide(true, segment.little),
        SegmentSort::Utf32 => reader.wide(false, segment.little),
    }
}

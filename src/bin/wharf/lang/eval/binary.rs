//! Bits in a row: writing them one field after the other, and reading them back.
//!
//! Relies on nothing but terms. Promises that fields may begin and end at any bit.
#![forbid(unsafe_code)]

use num_bigint::{BigInt, BigUint, Sign};
use wharf::term::{Binary, Bitstring, Term};

/// Bits being put together.
#[derive(Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    /// How many bits of the last byte are used; 0 when it is full.
    used: u8,
}

impl Writer {
    /// Appends the first `count` bits of `bytes`.
    pub(super) fn bits(&mut self, bytes: &[u8], count: usize) {
        let (whole, rest) = (count / 8, count % 8);
        for byte in &bytes[..whole] {
            self.push(*byte, 8);
        }
        if rest > 0 {
            self.push(bytes[whole], u8::try_from(rest).unwrap_or(8));
        }
    }

    /// Appends the upper `count` (1 to 8) bits of a byte.
    fn push(&mut self, byte: u8, count: u8) {
        let byte = byte & (0xFFu8 << (8 - count));
        match self.bytes.last_mut() {
            Some(last) if self.used > 0 => {
                *last |= byte >> self.used;
                if self.used + count > 8 {
                    self.bytes.push(byte << (8 - self.used));
                }
            }
            _ => self.bytes.push(byte),
        }
        self.used = (self.used + count) % 8;
    }

    /// Appends an integer as `size` bits, its upper ones cut off.
    pub(super) fn integer(&mut self, value: &BigInt, size: usize, little: bool) {
        let length = size.div_ceil(8);
        let mut bytes = value.to_signed_bytes_le();
        let fill = if value.sign() == Sign::Minus { 0xFF } else { 0 };
        bytes.resize(length, fill);
        let rest = size % 8;
        if little {
            // The odd bits are the upper ones of the number, and stand left in the last byte.
            if rest > 0
                && let Some(last) = bytes.last_mut()
            {
                *last <<= 8 - rest;
            }
            self.bits(&bytes, size);
            return;
        }
        bytes.reverse();
        if rest > 0 {
            // The first byte is short: its lower bits count.
            if let Some((first, others)) = bytes.split_first() {
                self.push(first << (8 - rest), u8::try_from(rest).unwrap_or(8));
                self.bits(others, others.len() * 8);
            }
            return;
        }
        self.bits(&bytes, size);
    }

    pub(super) fn finish(self) -> Term {
        if self.used == 0 {
            return Term::from(Binary::from(self.bytes));
        }
        Bitstring::term(Binary::from(self.bytes), self.used).unwrap_or(Term::Nil)
    }
}

/// Bits being taken apart.
#[derive(Clone)]
pub(super) struct Reader {
    bytes: Binary,
    position: usize,
    end: usize,
}

impl Reader {
    /// `None` for a term that has no bits.
    pub(super) fn of(term: &Term) -> Option<Reader> {
        match term {
            Term::Binary(bytes) => Some(Reader {
                bytes: bytes.clone(),
                position: 0,
                end: bytes.len() * 8,
            }),
            Term::Bitstring(bits) => Some(Reader {
                bytes: Binary::from(bits.bytes()),
                position: 0,
                end: bits.bit_len(),
            }),
            _ => None,
        }
    }

    pub(super) fn left(&self) -> usize {
        self.end - self.position
    }

    /// The next `count` bits as bytes, the last one filled with zeros.
    fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        if count > self.left() {
            return None;
        }
        let (shift, first) = (self.position % 8, self.position / 8);
        self.position += count;
        let length = count.div_ceil(8);
        let mut taken: Vec<u8> = (0..length)
            .map(|index| {
                let high = self.bytes[first + index] << shift;
                let low = match self.bytes.get(first + index + 1) {
                    Some(next) if shift > 0 => next >> (8 - shift),
                    _ => 0,
                };
                high | low
            })
            .collect();
        if !count.is_multiple_of(8)
            && let Some(last) = taken.last_mut()
        {
            *last &= 0xFFu8 << (8 - count % 8);
        }
        Some(taken)
    }

    /// The next `count` bits as a binary or bitstring; shares the bytes where it can.
    pub(super) fn term(&mut self, count: usize) -> Option<Term> {
        if count > self.left() {
            return None;
        }
        if self.position.is_multiple_of(8) && count.is_multiple_of(8) {
            let start = self.position / 8;
            self.position += count;
            return Some(Term::from(self.bytes.slice(start..start + count / 8)));
        }
        let bytes = Binary::from(self.take(count)?);
        match u8::try_from(count % 8) {
            Ok(0) | Err(_) => Some(Term::from(bytes)),
            Ok(rest) => Bitstring::term(bytes, rest),
        }
    }

    pub(super) fn integer(&mut self, size: usize, signed: bool, little: bool) -> Option<Term> {
        if size == 0 {
            return Some(Term::from(0));
        }
        let mut bytes = self.take(size)?;
        let rest = size % 8;
        let value = if little {
            if rest > 0
                && let Some(last) = bytes.last_mut()
            {
                *last >>= 8 - rest;
            }
            BigUint::from_bytes_le(&bytes)
        } else {
            BigUint::from_bytes_be(&bytes) >> if rest > 0 { 8 - rest } else { 0 }
        };
        let mut value = BigInt::from(value);
        if signed && value.bit(u64::try_from(size - 1).unwrap_or(0)) {
            value -= BigInt::from(1) << size;
        }
        Some(Term::integer(value))
    }

    pub(super) fn float(&mut self, size: usize, little: bool) -> Option<Term> {
        let mut bytes = self.take(size)?;
        if little {
            bytes.reverse();
        }
        let value = match size {
            64 => f64::from_be_bytes(bytes.try_into().ok()?),
            32 => f64::from(f32::from_be_bytes(bytes.try_into().ok()?)),
            16 => half(u16::from_be_bytes(bytes.try_into().ok()?)),
            _ => return None,
        };
        value.is_finite().then_some(Term::Float(value))
    }

    /// The next character in UTF-8.
    pub(super) fn utf8(&mut self) -> Option<Term> {
        let first = *self.clone().take(8)?.first()?;
        let length = match first {
            0..=0x7F => 1,
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF7 => 4,
            _ => return None,
        };
        let bytes = self.take(length * 8)?;
        let c = std::str::from_utf8(&bytes).ok()?.chars().next()?;
        Some(Term::from(u32::from(c)))
    }

    /// The next character in UTF-16 or UTF-32.
    pub(super) fn wide(&mut self, sixteen: bool, little: bool) -> Option<Term> {
        let mut unit = |size: usize| {
            self.integer(size, false, little)?
                .as_int()
                .and_then(|unit| u32::try_from(unit).ok())
        };
        if !sixteen {
            let code = unit(32)?;
            return char::from_u32(code).map(|_| Term::from(code));
        }
        let high = unit(16)?;
        if !(0xD800..0xDC00).contains(&high) {
            return char::from_u32(high).map(|_| Term::from(high));
        }
        let low = unit(16).filter(|low| (0xDC00..0xE000).contains(low))?;
        Some(Term::from(
            0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00),
        ))
    }
}

/// A 16-bit float's value.
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from((bits >> 10) & 0x1F);
    let fraction = f64::from(bits & 0x3FF) / 1024.0;
    match exponent {
        0 => sign * fraction * 2f64.powi(-14),
        31 => f64::INFINITY,
        _ => sign * (1.0 + fraction) * 2f64.powi(exponent - 15),
    }
}

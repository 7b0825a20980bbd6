//! Bitstrings whose last byte is not full.
#![forbid(unsafe_code)]

use super::{Binary, Term};
use std::sync::Arc;

/// Bits that do not fill their last byte. Whole bytes are a [`Binary`] instead.
pub struct Bitstring {
    bytes: Binary,
    last_bits: u8,
}

impl Bitstring {
    /// The term of `bytes`, of whose last byte only the upper `last_bits` (1 to 8) count: a
    /// binary if they all do, or if there are no bytes. `None` for another number of bits.
    pub fn term(bytes: Binary, last_bits: u8) -> Option<Term> {
        if !(1..=8).contains(&last_bits) {
            return None;
        }
        let Some((last, whole)) = bytes.split_last() else {
            return Some(Term::Binary(bytes));
        };
        if last_bits == 8 {
            return Some(Term::Binary(bytes));
        }
        // Unused bits are zero, so that equal bitstrings have equal bytes.
        let cleared = last & (0xFF << (8 - last_bits));
        let bytes = if cleared == *last {
            bytes
        } else {
            whole.iter().copied().chain([cleared]).collect()
        };
        Some(Term::Bitstring(Arc::new(Bitstring { bytes, last_bits })))
    }

    /// The bytes; unused bits of the last one are zero.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bits of the last byte count: 1 to 7, the upper ones.
    pub fn last_bits(&self) -> u8 {
        self.last_bits
    }

    /// How many bits there are.
    pub fn bit_len(&self) -> usize {
        self.bytes.len() * 8 - usize::from(8 - self.last_bits)
    }
}

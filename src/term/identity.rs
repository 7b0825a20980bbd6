//! Names for what may die: processes, ports, references.
//!
//! Each is a number, not an address; whoever holds one has to look it up. Whether it is still
//! alive is the business of the rooms above.
#![forbid(unsafe_code)]

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Names a process. Never used twice for different processes of one host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(u64);

/// Names a port. Never used twice for different ports of one host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(u64);

/// A value that is equal to nothing but its own copies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(u64);

impl Pid {
    /// The pid with this number.
    pub const fn from_number(number: u64) -> Pid {
        Pid(number)
    }

    /// The number inside.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl PortId {
    /// The port id with this number.
    pub const fn from_number(number: u64) -> PortId {
        PortId(number)
    }

    /// The number inside.
    pub const fn number(self) -> u64 {
        self.0
    }
}

const FIRST_WORD_BITS: u32 = Reference::FIRST_WORD_BITS;
const LAST_WORD_BITS: u32 = 64 - FIRST_WORD_BITS - 32;

impl Reference {
    /// How many bits of a reference are in its first word, as in Erlang.
    pub(super) const FIRST_WORD_BITS: u32 = 18;

    /// A reference that this process has not seen before.
    pub fn fresh() -> Reference {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Reference(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The reference with this number.
    pub const fn from_number(number: u64) -> Reference {
        Reference(number)
    }

    /// The number inside.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The three words of the external format, lowest first.
    #[allow(clippy::cast_possible_truncation)] // takes the number apart
    pub(super) fn words(self) -> [u32; 3] {
        let low = self.0 & ((1 << FIRST_WORD_BITS) - 1);
        [
            low as u32,
            (self.0 >> FIRST_WORD_BITS) as u32,
            (self.0 >> (FIRST_WORD_BITS + 32)) as u32,
        ]
    }

    /// The reference of three words; `None` when they are larger than any that wharf makes.
    pub(super) fn from_words([low, middle, high]: [u32; 3]) -> Option<Reference> {
        if low >> FIRST_WORD_BITS != 0 || high >> LAST_WORD_BITS != 0 {
            return None;
        }
        let (low, middle, high) = (u64::from(low), u64::from(middle), u64::from(high));
        Some(Reference(
            low | middle << FIRST_WORD_BITS | high << (FIRST_WORD_BITS + 32),
        ))
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<0.{}.0>", self.0)
    }
}

impl fmt::Display for PortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#Port<0.{}>", self.0)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, middle, high] = self.words();
        write!(f, "#Ref<0.{high}.{middle}.{low}>")
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for PortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_survive_being_taken_apart() {
        for number in [0, 1, (1 << 18) - 1, 1 << 18, 1 << 50, u64::MAX] {
            let reference = Reference::from_number(number);
            assert_eq!(Reference::from_words(reference.words()), Some(reference));
        }
        assert_eq!(Reference::from_words([1 << 18, 0, 0]), None);
        assert_eq!(Reference::from_words([0, 0, 1 << 14]), None);
    }

    #[test]
    fn fresh_references_differ() {
        assert_ne!(Reference::fresh(), Reference::fresh());
    }

    #[test]
    fn they_look_as_in_erlang() {
        assert_eq!(Pid::from_number(80).to_string(), "<0.80.0>");
        assert_eq!(PortId::from_number(5).to_string(), "#Port<0.5>");
        assert_eq!(
            Reference::from_words([3, 2, 1]).map(|r| r.to_string()),
            Some("#Ref<0.1.2.3>".into())
        );
    }
}

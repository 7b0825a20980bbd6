//! A list that grows without moving: what has a place keeps it, and a look takes no lock.
//!
//! It grows by pieces that are never larger than a quarter of what is there, so little of it is
//! memory that nobody uses yet.
#![forbid(unsafe_code)]

use std::sync::OnceLock;

/// The first pieces have this many places.
const FIRST_PIECE: usize = 16;
/// So many pieces have the same size; the following ones are twice as large.
const PIECES_ALIKE: usize = 4;
/// Enough for some 2^28 places.
const PIECES: usize = 24 * PIECES_ALIKE;

/// See the module's text.
pub(crate) struct Places<T> {
    pieces: [OnceLock<Box<[T]>>; PIECES],
}

/// Where a place is.
struct At {
    piece: usize,
    piece_len: usize,
    offset: usize,
}

impl At {
    #[inline]
    fn of(index: usize) -> At {
        let place = index.saturating_add(FIRST_PIECE * PIECES_ALIKE);
        let doublings = place.ilog2() - (FIRST_PIECE * PIECES_ALIKE).ilog2();
        // Shifts and masks: the lengths are powers of two, which no compiler sees.
        let piece_bits = FIRST_PIECE.ilog2() + doublings;
        let piece_len = 1 << piece_bits;
        At {
            piece: doublings as usize * PIECES_ALIKE + (place >> piece_bits) % PIECES_ALIKE,
            piece_len,
            offset: place & (piece_len - 1),
        }
    }
}

impl<T: Default> Places<T> {
    /// No memory for any place yet.
    pub(crate) const fn new() -> Places<T> {
        Places {
            pieces: [const { OnceLock::new() }; PIECES],
        }
    }

    /// What is there, if anybody ever wanted a place about there.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        let at = At::of(index);
        self.pieces.get(at.piece)?.get()?.get(at.offset)
    }

    /// What is there, and from now on there is memory for it. `None` where no list is that long.
    pub(crate) fn wanted(&self, index: usize) -> Option<&T> {
        let at = At::of(index);
        let piece = self.pieces.get(at.piece)?;
        let made = piece.get_or_init(|| (0..at.piece_len).map(|_| T::default()).collect());
        made.get(at.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn each_index_has_a_place_of_its_own_that_stays() {
        let places = Places::<AtomicUsize>::new();
        for index in (0..5000).rev() {
            let place = places.wanted(index).unwrap();
            assert_eq!(place.swap(index + 1, Ordering::Relaxed), 0, "{index}");
        }
        for index in 0..5000 {
            let place = places.get(index).unwrap();
            assert_eq!(place.load(Ordering::Relaxed), index + 1);
        }
    }

    #[test]
    fn there_is_memory_for_little_more_than_what_was_wanted() {
        for number in [1, 100, 2_000, 10_000, 100_000] {
            let places = Places::<u8>::new();
            let wanted = (0..number).all(|index| places.wanted(index).is_some());
            let made: usize = places
                .pieces
                .iter()
                .filter_map(OnceLock::get)
                .map(|piece| piece.len())
                .sum();
            assert!(wanted && made >= number && made <= number + number / 4 + FIRST_PIECE);
        }
    }

    #[test]
    fn what_nobody_wanted_is_not_there() {
        let places = Places::<u8>::new();
        places.wanted(1000);
        assert_eq!(places.get(0), None);
        for index in [1 << 40, usize::MAX] {
            assert_eq!(places.get(index), None);
            assert_eq!(places.wanted(index), None);
        }
    }
}

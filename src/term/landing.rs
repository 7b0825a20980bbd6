//! A place for bytes to be read to, that becomes a binary without a copy when they fill it well.
//!
//! Nobody writes to it beforehand: a reader says which part it has filled, by giving that part back.
//!
//! A few places that nobody holds any more are kept to be used again. An allocator that gets one
//! back for each that it gives returns them to the kernel, which clears them anew.

use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use super::binary::Binary;
use super::counted::{Counted, Header};
use crate::lock::Brief;

/// As many bytes as one takes: 64 KiB, and a little that comes in front of them.
pub(crate) const PLACE_BYTES: usize = 65_536 + 64;

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Landing {
    /// Taken when the first bytes come.
    memory: Option<Counted>,
    filled: usize,
}

impl Landing {
    /// Has `read` fill one after the other from the front, each with `max` bytes if it takes as many; what they
    /// held is gone. Gives how many bytes there are in all; `None` when there is no memory.
    pub(crate) fn fill<E, const N: usize>(
        row: &mut [Landing; N],
        max: usize,
        read: impl for<'m> FnOnce([&'m mut [MaybeUninit<u8>]; N]) -> Result<[&'m mut [u8]; N], E>,
    ) -> Option<Result<usize, E>> {
        let mut starts = [ptr::null_mut(); N];
        for (landing, start) in row.iter_mut().zip(&mut starts) {
            landing.filled = 0;
            if landing.memory.is_none() {
                landing.memory = Some(place()?);
            }
            *start = landing.memory.as_ref()?.start();
        }
        let len = PLACE_BYTES.min(max);
        // SAFETY: as many bytes are there, nobody else holds the memory, and they need not be
        // initialised.
        let rooms =
            starts.map(|start| unsafe { std::slice::from_raw_parts_mut(start.cast(), len) });
        Some(read(rooms).map(|filled| {
            for ((landing, start), filled) in row.iter_mut().zip(starts).zip(&filled) {
                // Who gives back a part of a room has it filled: there is no other way to such a slice.
                assert!(filled.as_ptr() == start && filled.len() <= PLACE_BYTES);
                landing.filled = filled.len();
            }
            filled.iter().map(|filled| filled.len()).sum()
        }))
    }

    /// What was read.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.memory {
            // SAFETY: so many bytes were filled, and the memory lives as long as the borrow.
            Some(memory) => unsafe { std::slice::from_raw_parts(memory.start(), self.filled) },
            None => &[],
        }
    }

    /// What was read, from `skip` on, as a binary: the place itself where at least half of it is used, else
    /// a copy.
    pub(crate) fn take(&mut self, skip: usize) -> Binary {
        if self.filled < PLACE_BYTES / 2 {
            let copy = Binary::from(self.bytes().get(skip..).unwrap_or_default());
            self.filled = 0;
            return copy;
        }
        let filled = std::mem::take(&mut self.filled);
        let skip = skip.min(filled);
        self.memory.take().map_or_else(Binary::empty, |memory| {
            memory.shorten(filled);
            Binary::window(memory, skip, filled - skip)
        })
    }
}

/// As many places as are kept.
const SPARE_MAX: usize = 8;

/// The memory of a place that nobody holds.
struct Spare(NonNull<Header>);

// SAFETY: plain memory, and nobody else has it.
unsafe impl Send for Spare {}

static SPARE: Brief<[Option<Spare>; SPARE_MAX]> = Brief::new([const { None }; SPARE_MAX]);

/// Memory for one; `None` when there is none. Its bytes are shown to nobody before they are filled.
fn place() -> Option<Counted> {
    let spare = SPARE.lock().iter_mut().find_map(Option::take);
    match spare {
        // SAFETY: it was given to `keep` and to nobody else; for the bytes see above.
        Some(Spare(memory)) => unsafe { Counted::again(memory, PLACE_BYTES) },
        // SAFETY: see above.
        None => unsafe { Counted::alloc_unfilled(PLACE_BYTES) },
    }
}

/// Keeps the memory of an allocation for [`PLACE_BYTES`] that has ended. False when enough are kept, and
/// it is still the caller's.
///
/// # Safety
/// Nobody uses it any more.
pub(super) unsafe fn keep(memory: NonNull<Header>) -> bool {
    let mut spare = SPARE.lock();
    match spare.iter_mut().find(|kept| kept.is_none()) {
        Some(free) => {
            *free = Some(Spare(memory));
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has one landing filled.
    fn fill<E>(
        landing: &mut Landing,
        max: usize,
        read: impl for<'m> FnOnce(&'m mut [MaybeUninit<u8>]) -> Result<&'m mut [u8], E>,
    ) -> Option<Result<usize, E>> {
        Landing::fill(std::array::from_mut(landing), max, |[room]| {
            read(room).map(|filled| [filled])
        })
    }

    fn put<'m>(room: &'m mut [MaybeUninit<u8>], bytes: &[u8]) -> Result<&'m mut [u8], ()> {
        for (to, &from) in room.iter_mut().zip(bytes) {
            to.write(from);
        }
        // SAFETY: written just now.
        Ok(unsafe { std::slice::from_raw_parts_mut(room.as_mut_ptr().cast(), bytes.len()) })
    }

    #[test]
    fn many_bytes_stay_where_they_are_and_few_are_copied() {
        let mut landing = Landing::default();
        assert_eq!(landing.bytes(), b"");
        let few = [7; PLACE_BYTES / 2 - 1];
        assert_eq!(
            fill(&mut landing, PLACE_BYTES, |room| put(room, &few)),
            Some(Ok(few.len()))
        );
        let place = landing.bytes().as_ptr();
        let copy = landing.take(0);
        assert_eq!(&copy[..], few);
        assert_ne!(copy.as_ptr(), place);
        let many = [8; PLACE_BYTES / 2];
        assert_eq!(
            fill(&mut landing, PLACE_BYTES, |room| put(room, &many)),
            Some(Ok(many.len()))
        );
        assert_eq!(landing.bytes().as_ptr(), place, "the place is used again");
        let taken = landing.take(0);
        assert_eq!((&taken[..], taken.as_ptr()), (&many[..], place));
        let (counted, offset) = taken.as_counted().unwrap();
        assert_eq!(
            (counted.len(), offset),
            (many.len(), 0),
            "nothing unfilled can be seen"
        );
        assert_eq!(landing.bytes(), b"");
        assert_eq!(
            fill(&mut landing, PLACE_BYTES, |room| put(room, &many)),
            Some(Ok(many.len()))
        );
        assert_eq!(
            landing.take(4)[..],
            many[4..],
            "what stands in front is left out"
        );
        assert_eq!(fill(&mut landing, 3, |room| Err(room.len())), Some(Err(3)));
        assert_eq!(
            fill(&mut landing, usize::MAX, |room| Err(room.len())),
            Some(Err(PLACE_BYTES))
        );
        assert_eq!(fill(&mut landing, PLACE_BYTES, |_| Err(5)), Some(Err(5)));
        assert_eq!(landing.take(0), Binary::empty());
    }

    #[test]
    fn some_of_many_places_are_used_again_and_none_by_two() {
        let bytes = [9; PLACE_BYTES];
        let read = |byte: u8| {
            let mut landing = Landing::default();
            let bytes = [byte; PLACE_BYTES];
            fill(&mut landing, PLACE_BYTES, |room| put(room, &bytes))
                .unwrap()
                .unwrap();
            landing.take(0)
        };
        for _ in 0..2 {
            let taken: Vec<Binary> = (0..20).map(read).collect();
            for (byte, binary) in (0..).zip(&taken) {
                assert_eq!(binary[..], [byte; PLACE_BYTES]);
            }
        }
        // Allocated for as many bytes, however many it shows at its end.
        let counted = Counted::copy_of(&bytes).unwrap();
        counted.shorten(3);
        drop(counted);
        assert_eq!(read(1)[..], [1; PLACE_BYTES]);
    }

    #[test]
    fn a_row_is_filled_from_its_front_and_shows_nothing_of_before() {
        let mut row: [Landing; 3] = Default::default();
        let mut fill = |lens: [usize; 3]| {
            let filled = Landing::fill(&mut row, 100, |rooms| {
                let mut which = 0;
                Ok::<_, ()>(rooms.map(|room| {
                    which += 1;
                    put(room, &vec![which; lens[usize::from(which) - 1]]).unwrap()
                }))
            });
            let shown = row.each_ref().map(|landing| landing.bytes().to_vec());
            (filled, shown)
        };
        let bytes = |lens: [usize; 3]| {
            let mut which = 0;
            lens.map(|len| {
                which += 1;
                vec![which; len]
            })
        };
        for lens in [[100; 3], [100, 50, 0], [0; 3]] {
            let all = lens.iter().sum::<usize>();
            assert_eq!(fill(lens), (Some(Ok(all)), bytes(lens)));
        }
        fill([100; 3]);
        assert_eq!(Landing::fill(&mut row, 100, |_| Err(7)), Some(Err(7)));
        assert!(row.iter().all(|landing| landing.bytes().is_empty()));
    }

    #[test]
    #[should_panic(expected = "filled.as_ptr() == start")]
    fn another_slice_is_no_answer() {
        let _ = fill(&mut Landing::default(), 10, |_| {
            Ok::<_, ()>(Box::leak(Box::new([0u8; 5])))
        });
    }
}

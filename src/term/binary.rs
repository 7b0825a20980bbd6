//! Bytes as a value: what a term, a message and a queue hold.
//!
//! A [`Binary`] holds up to [`Binary::INLINE_MAX`] bytes itself, or is a window on a [`Counted`].
//! Promises that the bytes seen through it stay put and unchanged for as long as it lives (a driver that
//! writes into a binary it has given away breaks the driver interface's own rule).
//!
//! It is two numbers of four bytes and two of eight, and no enum, because values that are moved many
//! times should be moved as they were written: a move that cuts across the writes before it makes
//! processors wait for as long as the rest of a request takes. With a kind of one byte, the seven behind
//! it would be moved in halves that overlap.

use std::alloc::Layout;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::ptr::{self, NonNull};

use super::counted::{Counted, Header};

const _: () = assert!(
    cfg!(target_endian = "little") && size_of::<usize>() == 8,
    "the words of a binary are put together for such machines"
);

/// Bytes that are cheap to clone, to slice and to send: short ones stand inside, longer ones are
/// a window on a [`Counted`].
#[repr(C)]
pub struct Binary {
    /// Leaves `Term` its niche.
    kind: Kind,
    /// Inline: the first bytes. Window: the low half of where it begins.
    head: u32,
    /// Inline: more bytes. Window: the allocation, of which this is a holder; not NULL.
    body: *mut Header,
    /// Inline: the last bytes. Window: how many bytes there are, and in the highest bits the rest of where it
    /// begins.
    tail: u64,
}

/// That it is a window, or how many bytes stand inside.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(dead_code)] // the others are made of numbers
#[repr(u32)]
#[rustfmt::skip]
enum Kind {
    Of0, Of1, Of2, Of3, Of4, Of5, Of6, Of7, Of8, Of9, Of10,
    Of11, Of12, Of13, Of14, Of15, Of16, Of17, Of18, Of19, Of20,
    Window,
}

/// Where the bytes of an inline one begin: behind the kind.
const INLINE_AT: usize = 4;
/// Of the length of a window, and of where it begins: there are no more bytes than that.
const LEN_BITS: u32 = 48;

const _: () = assert!(size_of::<Binary>() == 24 && size_of::<Option<Binary>>() == 24);
const _: () = assert!(size_of::<Binary>() == INLINE_AT + Binary::INLINE_MAX);
const _: () = assert!(Kind::Window as usize == Binary::INLINE_MAX + 1);

// SAFETY: the pointer is a holder of a counted allocation, which is `Send`, or plain bytes.
unsafe impl Send for Binary {}
// SAFETY: as above, and `Counted` is `Sync`.
unsafe impl Sync for Binary {}

impl Binary {
    /// The longest binary that needs no allocation.
    pub const INLINE_MAX: usize = 20;
    /// Erlang keeps binaries up to this size inside the message; longer ones are shared.
    pub const SMALL_MAX: usize = 64;

    /// The binary without bytes.
    pub const fn empty() -> Binary {
        Binary {
            kind: Kind::Of0,
            head: 0,
            body: ptr::null_mut(),
            tail: 0,
        }
    }

    /// A window of `len` bytes from `offset` on a counted allocation, which is shared whatever
    /// its size; `None` when it reaches beyond the allocation's bytes.
    #[inline(always)] // put together where it stays
    pub fn from_counted(counted: Counted, offset: usize, len: usize) -> Option<Binary> {
        let end = offset.checked_add(len)?;
        (end <= counted.len()).then(|| Binary::window(counted, offset, len))
    }

    /// What Erlang does with a part of a driver's binary in a message: more than
    /// [`SMALL_MAX`](Binary::SMALL_MAX) bytes are shared, fewer are copied.
    pub fn share_or_copy(counted: &Counted, offset: usize, len: usize) -> Option<Binary> {
        if len > Binary::SMALL_MAX {
            return Binary::from_counted(counted.clone(), offset, len);
        }
        let end = offset.checked_add(len)?;
        counted.bytes().get(offset..end).map(Binary::from)
    }

    /// The allocation behind this binary and where in it the binary begins; `None` for an inline
    /// one.
    #[inline]
    pub fn as_counted(&self) -> Option<(&Counted, usize)> {
        if self.kind != Kind::Window {
            return None;
        }
        // SAFETY: a window's `body` is a pointer that a `Counted` was made into, and has its layout;
        // the reference lives no longer than the holder that it is.
        let counted = unsafe { &*(&raw const self.body).cast::<Counted>() };
        Some((counted, unpack(self.head, self.tail).0))
    }

    /// The allocation behind a binary, if nobody else holds it.
    pub fn into_sole(self) -> Option<Counted> {
        if self.as_counted()?.0.refc() != 1 {
            return None;
        }
        let sole = ManuallyDrop::new(self);
        // SAFETY: as in `drop`, which does not come now.
        Some(unsafe { sole.holder() })
    }

    /// The holder that a window is.
    ///
    /// # Safety
    /// It is a window, and nobody uses it as one afterwards.
    #[inline]
    unsafe fn holder(&self) -> Counted {
        // SAFETY: a window's `body` came from `into_header`, and is not NULL.
        unsafe { Counted::from_header(NonNull::new_unchecked(self.body)) }
    }

    /// The same bytes as a counted allocation and an offset, copying only an inline binary.
    pub fn to_counted(&self) -> Option<(Counted, usize)> {
        match self.as_counted() {
            Some((counted, offset)) => Some((counted.clone(), offset)),
            None => Counted::copy_of(self).map(|counted| (counted, 0)),
        }
    }

    /// A part of this binary. Shares the bytes of a counted one, as Erlang's sub-binaries do.
    ///
    /// # Panics
    /// When the range is not inside the binary, as slicing does.
    pub fn slice(&self, range: Range<usize>) -> Binary {
        let Some((counted, offset)) = self.as_counted() else {
            return Binary::from(&self[range]);
        };
        assert!(
            range.start <= range.end && range.end <= self.len(),
            "slice {range:?} of {} bytes",
            self.len()
        );
        Binary::window(counted.clone(), offset + range.start, range.len())
    }

    /// The bytes for writing: a copy of its own first, if somebody else holds them, too. `None` when
    /// there is no memory for that.
    pub fn make_mut(&mut self) -> Option<&mut [u8]> {
        if let Some((counted, _)) = self.as_counted()
            && counted.refc() != 1
        {
            let len = self.len();
            let copy = Counted::copy_of(self)?;
            *self = Binary::window(copy, 0, len);
        }
        let (start, len) = match self.as_counted() {
            // SAFETY: a window lies inside its allocation, see `as_bytes`.
            Some((counted, offset)) => (unsafe { counted.start().add(offset) }, self.window_len()),
            None => (self.inline_start_mut(), self.kind as usize),
        };
        // SAFETY: as many bytes are there, see `as_bytes`; they are in `self`, which is borrowed
        // exclusively, or nobody else holds them, and new holders need a borrow of this one.
        Some(unsafe { std::slice::from_raw_parts_mut(start, len) })
    }

    fn window_len(&self) -> usize {
        unpack(self.head, self.tail).1
    }

    fn inline_start_mut(&mut self) -> *mut u8 {
        (&raw mut *self).cast::<u8>().wrapping_add(INLINE_AT)
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match self.as_counted() {
            // SAFETY: every constructor of a window checks that it lies inside the bytes of its
            // allocation, which cannot shrink while this holder exists (`realloc` copies then),
            // whatever C writes into `orig_size`.
            Some((counted, offset)) => unsafe {
                std::slice::from_raw_parts(counted.start().add(offset), self.window_len())
            },
            None => {
                let start = (&raw const *self).cast::<u8>().wrapping_add(INLINE_AT);
                // SAFETY: an inline one has at most `INLINE_MAX` bytes there, all of them written,
                // and so many as it says.
                unsafe { std::slice::from_raw_parts(start, self.kind as usize) }
            }
        }
    }

    /// The caller has checked that the window lies inside the allocation.
    #[inline(always)]
    pub(super) fn window(counted: Counted, offset: usize, len: usize) -> Binary {
        let (head, tail) = pack(offset, len);
        Binary {
            kind: Kind::Window,
            head,
            body: counted.into_header().as_ptr(),
            tail,
        }
    }

    /// At most [`INLINE_MAX`](Binary::INLINE_MAX) bytes.
    #[inline(always)]
    fn inline(source: &[u8]) -> Binary {
        const HEAD_BITS: u32 = 32; // `INLINE_AT` bytes
        debug_assert!(source.len() <= Binary::INLINE_MAX);
        let [first, second, third] = words(source);
        let words = [
            source.len() as u64 | first << HEAD_BITS,
            first >> (u64::BITS - HEAD_BITS) | second << HEAD_BITS,
            second >> (u64::BITS - HEAD_BITS) | third << HEAD_BITS,
        ];
        // SAFETY: three words as large as this, in the first half of the first a length, which is the
        // kind of that length; and a pointer that is bytes may be any.
        unsafe { std::mem::transmute::<[u64; 3], Binary>(words) }
    }
}

/// Where a window begins and how many bytes it has, as its head and tail.
#[inline]
#[allow(clippy::cast_possible_truncation)] // the rest of it is in the tail
fn pack(offset: usize, len: usize) -> (u32, u64) {
    let rest = offset as u64 >> u32::BITS;
    (offset as u32, len as u64 | rest << LEN_BITS)
}

#[inline]
#[allow(clippy::cast_possible_truncation)] // as wide
fn unpack(head: u32, tail: u64) -> (usize, usize) {
    let rest = tail >> LEN_BITS;
    let offset = u64::from(head) | rest << u32::BITS;
    (offset as usize, (tail & ((1 << LEN_BITS) - 1)) as usize)
}

impl Clone for Binary {
    #[inline]
    fn clone(&self) -> Binary {
        if let Some((counted, _)) = self.as_counted() {
            counted.inc();
        }
        // SAFETY: plain words; the holder that a second window is was just counted.
        unsafe { ptr::read(self) }
    }
}

impl Drop for Binary {
    #[inline]
    fn drop(&mut self) {
        if self.kind == Kind::Window {
            // SAFETY: it is one, and this is the last that is heard of it.
            drop(unsafe { self.holder() });
        }
    }
}

impl From<&[u8]> for Binary {
    #[inline]
    fn from(source: &[u8]) -> Binary {
        if source.len() <= Binary::INLINE_MAX {
            return Binary::inline(source);
        }
        let Some(counted) = Counted::copy_of(source) else {
            std::alloc::handle_alloc_error(Layout::for_value(source))
        };
        Binary::window(counted, 0, source.len())
    }
}

impl From<Counted> for Binary {
    fn from(counted: Counted) -> Binary {
        let len = counted.len();
        Binary::window(counted, 0, len)
    }
}

/// At most [`Binary::INLINE_MAX`] bytes as three words, with zeros behind them. They stay in registers:
/// what is put together in memory piece by piece must not be read as a whole right afterwards, for
/// which processors wait longer than the rest takes.
#[inline]
pub(super) fn words(source: &[u8]) -> [u64; 3] {
    const WORD: usize = 8;
    const BITS: usize = 8;
    let word = |at: usize| {
        let chunk = source[at..].first_chunk::<WORD>();
        chunk.map_or(0, |chunk| u64::from_le_bytes(*chunk))
    };
    // The last word's bytes beyond `at`.
    let rest = |at: usize| {
        let last = source.last_chunk::<WORD>();
        let last = last.map_or(0, |chunk| u64::from_le_bytes(*chunk));
        let known = (at + WORD).saturating_sub(source.len());
        u32::try_from(BITS * known).map_or(0, |bits| last.checked_shr(bits).unwrap_or(0))
    };
    match source.len() {
        0..WORD => [
            source
                .iter()
                .rev()
                .fold(0, |word, byte| word << BITS | u64::from(*byte)),
            0,
            0,
        ],
        WORD..16 => [word(0), rest(8), 0],
        _ => [word(0), word(8), rest(16)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ones_are_inline_and_long_ones_counted() {
        for len in [0, 1, 19, 20, 21, 64, 65, 1000] {
            let bytes: Vec<u8> = (0..=250).cycle().take(len).collect();
            let binary = Binary::from(bytes.as_slice());
            assert_eq!(binary, bytes.as_slice());
            assert_eq!(binary.as_counted().is_some(), len > Binary::INLINE_MAX);
            assert_eq!(binary.clone(), binary);
        }
    }

    #[test]
    fn slices_share_and_count_holders() {
        let whole = Binary::from(vec![7; 100]);
        let part = whole.slice(10..20);
        assert_eq!(part, &[7; 10]);
        let (counted, offset) = part.as_counted().expect("shares its parent");
        assert_eq!((counted.refc(), offset), (2, 10));
        drop(whole);
        let again = part.slice(2..2);
        assert!(again.is_empty());
        assert_eq!(part.as_counted().map(|(c, _)| c.refc()), Some(2));
    }

    #[test]
    #[should_panic(expected = "slice")]
    fn slicing_beyond_the_end_panics() {
        let _ = Binary::from(vec![0; 30]).slice(20..31);
    }

    #[test]
    fn windows_stay_inside() {
        let counted = Counted::copy_of(&[1; 70]).expect("memory");
        assert!(Binary::from_counted(counted.clone(), 60, 11).is_none());
        assert!(Binary::from_counted(counted.clone(), usize::MAX, 2).is_none());
        assert!(Binary::share_or_copy(&counted, 69, 2).is_none());
        assert_eq!(counted.refc(), 1);
        let shared = Binary::share_or_copy(&counted, 0, 65).expect("inside");
        let copied = Binary::share_or_copy(&counted, 6, 64).expect("inside");
        assert_eq!((shared.len(), copied.len(), counted.refc()), (65, 64, 2));
    }

    #[test]
    fn a_window_may_begin_anywhere() {
        for offset in [0, 1, 0xffff_ffff, 0x1_0000_0000, 0xabcd_1234_5678] {
            for len in [0, 1, 70, 0x1234_5678_9abc] {
                let (head, tail) = pack(offset, len);
                assert_eq!(unpack(head, tail), (offset, len));
            }
        }
    }

    #[test]
    fn bytes_cross_threads() {
        let binary = Binary::from(vec![9; 1000]);
        let there = binary.clone();
        let sum = std::thread::spawn(move || there.iter().map(|b| u64::from(*b)).sum::<u64>());
        assert_eq!(sum.join().ok(), Some(9000));
        assert_eq!(binary.as_counted().map(|(c, _)| c.refc()), Some(1));
    }

    #[test]
    fn words_hold_every_length_and_nothing_else() {
        let bytes: Vec<u8> = (1..=40).collect();
        for len in 0..=Binary::INLINE_MAX {
            // What lies around them must not get in.
            let source = &bytes[7..7 + len];
            let flat: Vec<u8> = words(source)
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect();
            assert_eq!(&flat[..len], source, "{len}");
            assert!(flat[len..].iter().all(|byte| *byte == 0), "{len}");
        }
    }

    #[test]
    fn who_writes_into_one_that_is_shared_writes_into_a_copy() {
        for len in [5, 20, 21, 100] {
            let mut binary = Binary::from(vec![b'a'; len]);
            let other = binary.clone();
            binary.make_mut().expect("memory")[len - 1] = b'b';
            assert_eq!(other, vec![b'a'; len].as_slice());
            assert_eq!(binary.last(), Some(&b'b'));
            assert_eq!(binary.len(), len);
            let start = binary.as_ptr();
            binary.make_mut().expect("memory")[0] = b'c';
            assert_eq!(
                (binary.as_ptr(), binary[0]),
                (start, b'c'),
                "nobody shares it now"
            );
        }
        let mut part = Binary::from(vec![b'a'; 100]).slice(30..60);
        part.make_mut().expect("memory").fill(b'd');
        assert_eq!(part, &[b'd'; 30]);
        assert_eq!(part.into_sole().map(|counted| counted.len()), Some(100));
    }
}

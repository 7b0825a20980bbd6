//! Counted bytes: the one owner of data in wharf.
//!
//! A [`Counted`] is an allocation with the memory layout that C port drivers expect behind an
//! `ErlDrvBinary*`, so that the same bytes can be a term, a queue segment and a driver's binary
//! without a copy. A [`Binary`] is a window on a `Counted`, or holds up to
//! [`Binary::INLINE_MAX`] bytes itself.
//!
//! Relies on the global allocator only. Promises: the bytes seen through a `Binary` stay put and
//! unchanged for as long as it lives (a driver that writes into a binary it has given away breaks
//! the driver interface's own rule), and the count seen by C is the true number of holders.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::fmt;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicI64, Ordering, fence};

/// What C sees of a binary, and in front of it what C does not see.
///
/// `size` and the bytes behind it are the public `ErlDrvBinary`; a pointer to `size` is what a
/// driver holds. Aligned to 16 so that this pointer is, too; the bytes begin 8 after it.
#[repr(C, align(16))]
struct Header {
    /// How many holders there are; C reads and changes it through `driver_binary_*_refc`.
    holders: AtomicI64,
    /// Bytes allocated behind the header. Private, because a driver may write to `size`.
    capacity: usize,
    /// `orig_size`, as C may change it. Never trusted beyond `capacity`.
    size: i64,
}

/// Where the bytes begin: right behind `size`, inside the header's own padding.
const BYTES_AT: usize = std::mem::offset_of!(Header, size) + 8;
/// Where C's pointer points.
const RAW_AT: usize = std::mem::offset_of!(Header, size);

const _: () = assert!(RAW_AT == 16 && BYTES_AT == 24);

/// A counted allocation that C drivers can hold as an `ErlDrvBinary`.
///
/// Cloning counts one holder more, dropping one less; the last one frees it.
pub struct Counted {
    header: NonNull<Header>,
}

// SAFETY: the count is atomic, and the bytes are written only by a sole holder (`bytes_mut`,
// `realloc`), which `&mut self` and the count guarantee.
unsafe impl Send for Counted {}
// SAFETY: as for `Send`; shared access only reads the bytes and changes the count atomically.
unsafe impl Sync for Counted {}

impl Counted {
    /// Allocates `size` zero bytes with one holder; `None` when there is no memory for them.
    pub fn alloc(size: usize) -> Option<Counted> {
        let layout = layout(size)?;
        // SAFETY: the layout has a size of at least the header's.
        Counted::initialise(unsafe { alloc_zeroed(layout) }, size)
    }

    /// Like [`alloc`](Counted::alloc), but leaves the bytes as they come.
    ///
    /// # Safety
    /// The bytes must be written (by C, too) before anyone reads them.
    pub unsafe fn alloc_unfilled(size: usize) -> Option<Counted> {
        let layout = layout(size)?;
        // SAFETY: the layout has a size of at least the header's.
        Counted::initialise(unsafe { alloc(layout) }, size)
    }

    /// A new allocation that holds a copy of `bytes`.
    pub fn copy_of(bytes: &[u8]) -> Option<Counted> {
        // SAFETY: all bytes are written by the next statement.
        let counted = unsafe { Counted::alloc_unfilled(bytes.len())? };
        // SAFETY: a fresh allocation of exactly this length cannot overlap with `bytes`.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), counted.start(), bytes.len()) };
        Some(counted)
    }

    fn initialise(memory: *mut u8, size: usize) -> Option<Counted> {
        let header = NonNull::new(memory)?.cast::<Header>();
        let size_seen = i64::try_from(size).ok()?;
        // SAFETY: `layout` reserved and aligned room for a header here. Fields are written one
        // by one because the padding at the end of `Header` already belongs to the bytes.
        unsafe {
            let header = header.as_ptr();
            (&raw mut (*header).holders).write(AtomicI64::new(1));
            (&raw mut (*header).capacity).write(size);
            (&raw mut (*header).size).write(size_seen);
        }
        Some(Counted { header })
    }

    /// Gives this holder away as C's pointer (to `orig_size`); [`from_raw`](Counted::from_raw)
    /// takes it back.
    pub fn into_raw(self) -> NonNull<u8> {
        let raw = self.as_raw();
        std::mem::forget(self);
        raw
    }

    /// C's pointer, still owned here.
    pub fn as_raw(&self) -> NonNull<u8> {
        // SAFETY: the header is part of a live allocation; the result stays inside it.
        unsafe { self.header.cast::<u8>().byte_add(RAW_AT) }
    }

    /// Takes over the holder that a pointer from [`into_raw`](Counted::into_raw) stands for.
    ///
    /// # Safety
    /// `raw` came from `into_raw` or `as_raw` of a binary that still lives, and one of its
    /// counted holders is handed over with it.
    pub unsafe fn from_raw(raw: NonNull<u8>) -> Counted {
        // SAFETY: the caller's pointer is `RAW_AT` behind the start of its allocation.
        let header = unsafe { raw.byte_sub(RAW_AT) }.cast::<Header>();
        Counted { header }
    }

    /// Counts one holder more for a pointer that somebody else holds.
    ///
    /// # Safety
    /// `raw` came from `into_raw` or `as_raw` of a binary that lives during this call.
    pub unsafe fn share_raw(raw: NonNull<u8>) -> Counted {
        // SAFETY: forwarded to the caller; `forget` leaves the caller's own holder counted.
        let theirs = std::mem::ManuallyDrop::new(unsafe { Counted::from_raw(raw) });
        Counted::clone(&theirs)
    }

    /// How many holders there are at this moment.
    pub fn refc(&self) -> i64 {
        self.count().load(Ordering::Acquire)
    }

    /// One holder more without a `Counted` for it (C's `inc_refc`); gives the new count.
    pub fn inc(&self) -> i64 {
        self.count().fetch_add(1, Ordering::Relaxed) + 1
    }

    /// One holder less without freeing anything (C's `dec_refc`, which must not reach zero): the
    /// last holder stays. Gives the new count.
    pub fn dec(&self) -> i64 {
        let update = |holders: i64| (holders > 1).then(|| holders - 1);
        match self
            .count()
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, update)
        {
            Ok(before) => before - 1,
            Err(unchanged) => unchanged,
        }
    }

    /// How many bytes there are: `orig_size`, but never more than were allocated.
    pub fn len(&self) -> usize {
        // SAFETY: the header lives as long as `self`. C may write this field at any time, hence
        // no reference to it and no second read.
        let (size, capacity) = unsafe {
            let header = self.header.as_ptr();
            (
                (&raw const (*header).size).read_volatile(),
                (*header).capacity,
            )
        };
        usize::try_from(size).unwrap_or(0).min(capacity)
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `len` is at most the allocation's capacity; the bytes were written (zeroed,
        // copied, or by the promise of `alloc_unfilled`) and are not changed while shared.
        unsafe { std::slice::from_raw_parts(self.start(), self.len()) }
    }

    /// The bytes for writing, when this is the only holder.
    pub fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        if self.refc() != 1 {
            return None;
        }
        // SAFETY: as in `bytes`; nobody else holds it, and new holders need this `&mut`.
        Some(unsafe { std::slice::from_raw_parts_mut(self.start(), self.len()) })
    }

    /// Changes the size and keeps the leading bytes (new ones are zero); without memory the old
    /// allocation comes back unchanged. If there are other holders, they keep the old one.
    pub fn realloc(self, size: usize) -> Result<Counted, Counted> {
        if self.refc() != 1 {
            let Some(mut copy) = Counted::alloc(size) else {
                return Err(self);
            };
            let kept = size.min(self.len());
            if let Some(bytes) = copy.bytes_mut() {
                bytes[..kept].copy_from_slice(&self.bytes()[..kept]);
            }
            return Ok(copy);
        }
        let old_len = self.len();
        let (Some(old), Some(new)) = (layout(self.capacity()), layout(size)) else {
            return Err(self);
        };
        // SAFETY: allocated with exactly `old` by `alloc*` or an earlier `realloc`; the new size
        // is not zero and, by `layout`, does not overflow.
        let memory = unsafe { realloc(self.header.as_ptr().cast(), old, new.size()) };
        if memory.is_null() {
            return Err(self);
        }
        // The old allocation is gone, and with it this holder: nothing left to drop.
        std::mem::forget(self);
        match Counted::initialise(memory, size) {
            Some(counted) => {
                let kept = old_len.min(size);
                // SAFETY: `kept..size` is inside the new allocation, whose sole holder this is.
                unsafe { ptr::write_bytes(counted.start().add(kept), 0, size - kept) };
                Ok(counted)
            }
            None => unreachable!("realloc gave memory for a size that layout() accepted"),
        }
    }

    fn capacity(&self) -> usize {
        // SAFETY: the header lives as long as `self`, and `capacity` never changes in it.
        unsafe { (*self.header.as_ptr()).capacity }
    }

    fn count(&self) -> &AtomicI64 {
        // SAFETY: the header lives as long as `self`; the count is only used atomically.
        unsafe { &(*self.header.as_ptr()).holders }
    }

    fn start(&self) -> *mut u8 {
        // SAFETY: every allocation reaches at least to `BYTES_AT`.
        unsafe { self.header.as_ptr().cast::<u8>().add(BYTES_AT) }
    }
}

/// The memory for `size` bytes behind a header; `None` when that is more than can exist.
fn layout(size: usize) -> Option<Layout> {
    let whole = size.checked_add(BYTES_AT)?.max(size_of::<Header>());
    // Offsets have to fit into the seven bytes that `Binary` has for them.
    if whole >> 55 != 0 {
        return None;
    }
    Layout::from_size_align(whole, align_of::<Header>()).ok()
}

impl Clone for Counted {
    fn clone(&self) -> Counted {
        self.inc();
        Counted {
            header: self.header,
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.count().fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // Pairs with the `Release` above in other holders: their reads happen before the free.
        fence(Ordering::Acquire);
        if let Some(layout) = layout(self.capacity()) {
            // SAFETY: the last holder is gone; allocated with this very layout.
            unsafe { dealloc(self.header.as_ptr().cast(), layout) };
        }
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counted")
            .field("len", &self.len())
            .field("holders", &self.refc())
            .finish()
    }
}

/// Bytes that are cheap to clone, to slice and to send: short ones stand inside, longer ones are
/// a window on a [`Counted`].
#[derive(Clone)]
pub struct Binary(Repr);

#[derive(Clone)]
enum Repr {
    Inline {
        len: u8,
        bytes: [u8; Binary::INLINE_MAX],
    },
    /// `offset` in seven bytes leaves the eighth for the tag, and `Term` its niche.
    Window {
        offset: [u8; 7],
        counted: Counted,
        len: usize,
    },
}

const _: () = assert!(size_of::<Binary>() == 24 && size_of::<Option<Binary>>() == 24);

impl Binary {
    /// The longest binary that needs no allocation.
    pub const INLINE_MAX: usize = 22;
    /// Erlang keeps binaries up to this size inside the message; longer ones are shared.
    pub const SMALL_MAX: usize = 64;

    /// The binary without bytes.
    pub const fn empty() -> Binary {
        Binary(Repr::Inline {
            len: 0,
            bytes: [0; Binary::INLINE_MAX],
        })
    }

    /// A window of `len` bytes from `offset` on a counted allocation, which is shared whatever
    /// its size; `None` when it reaches beyond the allocation's bytes.
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
    pub fn as_counted(&self) -> Option<(&Counted, usize)> {
        match &self.0 {
            Repr::Inline { .. } => None,
            Repr::Window {
                offset, counted, ..
            } => Some((counted, unpack(*offset))),
        }
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
        match &self.0 {
            Repr::Inline { .. } => Binary::from(&self[range]),
            Repr::Window {
                offset,
                counted,
                len,
            } => {
                assert!(
                    range.start <= range.end && range.end <= *len,
                    "slice {range:?} of {len} bytes"
                );
                Binary::window(counted.clone(), unpack(*offset) + range.start, range.len())
            }
        }
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Repr::Window {
                offset,
                counted,
                len,
            } => {
                // SAFETY: every constructor of a window checks that it lies inside the bytes of
                // its allocation, which cannot shrink while this holder exists (`realloc` copies
                // then), whatever C writes into `orig_size`.
                unsafe { std::slice::from_raw_parts(counted.start().add(unpack(*offset)), *len) }
            }
        }
    }

    /// The caller has checked that the window lies inside the allocation.
    fn window(counted: Counted, offset: usize, len: usize) -> Binary {
        Binary(Repr::Window {
            offset: pack(offset),
            counted,
            len,
        })
    }
}

/// An offset in seven bytes; `layout` refuses allocations in which that would not be enough.
fn pack(offset: usize) -> [u8; 7] {
    let [a, b, c, d, e, f, g, _] = (offset as u64).to_le_bytes();
    [a, b, c, d, e, f, g]
}

#[allow(clippy::cast_possible_truncation)] // 64-bit platforms only, as the driver interface
fn unpack([a, b, c, d, e, f, g]: [u8; 7]) -> usize {
    u64::from_le_bytes([a, b, c, d, e, f, g, 0]) as usize
}

impl From<&[u8]> for Binary {
    #[inline]
    fn from(source: &[u8]) -> Binary {
        if source.len() > Binary::INLINE_MAX {
            let Some(counted) = Counted::copy_of(source) else {
                std::alloc::handle_alloc_error(Layout::for_value(source))
            };
            return Binary::window(counted, 0, source.len());
        }
        let mut bytes = [0; Binary::INLINE_MAX];
        bytes[..source.len()].copy_from_slice(source);
        #[allow(clippy::cast_possible_truncation)] // at most INLINE_MAX, just checked
        let len = source.len() as u8;
        Binary(Repr::Inline { len, bytes })
    }
}

impl From<Counted> for Binary {
    fn from(counted: Counted) -> Binary {
        let len = counted.len();
        Binary::window(counted, 0, len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ones_are_inline_and_long_ones_counted() {
        for len in [0, 1, 21, 22, 23, 64, 65, 1000] {
            let bytes: Vec<u8> = (0..=250).cycle().take(len).collect();
            let binary = Binary::from(bytes.as_slice());
            assert_eq!(binary, bytes.as_slice());
            assert_eq!(binary.as_counted().is_some(), len > Binary::INLINE_MAX);
            assert_eq!(binary.clone(), binary);
        }
    }

    #[test]
    fn layout_is_what_drivers_expect() {
        let raw = Counted::copy_of(b"hello").expect("memory").into_raw();
        assert_eq!(raw.as_ptr().addr() % 16, 0);
        // SAFETY: the documented layout of an `ErlDrvBinary` of five bytes.
        unsafe {
            assert_eq!(raw.cast::<i64>().read(), 5);
            assert_eq!(std::slice::from_raw_parts(raw.as_ptr().add(8), 5), b"hello");
            drop(Counted::from_raw(raw));
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
    fn resize_keeps_bytes_and_leaves_other_holders_alone() {
        let counted = Counted::copy_of(b"abc").expect("memory");
        let grown = counted.realloc(6).expect("memory");
        assert_eq!(grown.bytes(), b"abc\0\0\0");
        let other = grown.clone();
        let shrunk = grown.realloc(2).expect("memory");
        assert_eq!(
            (shrunk.bytes(), other.bytes()),
            (&b"ab"[..], &b"abc\0\0\0"[..])
        );
        assert_eq!((shrunk.refc(), other.refc()), (1, 1));
        let refused = shrunk.realloc(usize::MAX).expect_err("too large");
        assert_eq!(refused.bytes(), b"ab");
    }

    #[test]
    fn c_can_shrink_its_size_but_not_grow_it() {
        let counted = Counted::copy_of(b"abcdef").expect("memory");
        for (written, seen) in [(3_i64, 3), (600, 6), (-1, 0)] {
            // SAFETY: what a driver does when it assigns to `orig_size`.
            unsafe { counted.as_raw().cast::<i64>().write(written) };
            assert_eq!(counted.len(), seen);
        }
    }

    #[test]
    fn counts_follow_the_driver_functions() {
        let counted = Counted::alloc(0).expect("memory");
        assert_eq!((counted.refc(), counted.inc(), counted.dec()), (1, 2, 1));
        assert_eq!(counted.dec(), 1, "the last holder is never taken away");
        // SAFETY: `counted` lives.
        let more = unsafe { Counted::share_raw(counted.as_raw()) };
        assert_eq!(more.refc(), 2);
        let mut more = more;
        assert!(more.bytes_mut().is_none());
        drop(counted);
        assert!(more.bytes_mut().is_some());
    }

    #[test]
    fn bytes_cross_threads() {
        let binary = Binary::from(vec![9; 1000]);
        let there = binary.clone();
        let sum = std::thread::spawn(move || there.iter().map(|b| u64::from(*b)).sum::<u64>());
        assert_eq!(sum.join().ok(), Some(9000));
        assert_eq!(binary.as_counted().map(|(c, _)| c.refc()), Some(1));
    }
}

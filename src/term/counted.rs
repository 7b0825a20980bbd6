//! Counted bytes: the one owner of data in wharf.
//!
//! A [`Counted`] is an allocation with the memory layout that C port drivers expect behind an
//! `ErlDrvBinary*`, so that the same bytes can be a term, a queue segment and a driver's binary
//! without a copy.
//!
//! Relies on the global allocator only. Promises: the bytes stay put for as long as they are held, and
//! the count seen by C is the true number of holders.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use super::landing::{self, PLACE_BYTES};

/// What C sees of a binary, and in front of it what C does not see.
///
/// `size` and the bytes behind it are the public `ErlDrvBinary`; a pointer to `size` is what a
/// driver holds. Aligned to 16 so that this pointer is, too; the bytes begin 8 after it.
#[repr(C, align(16))]
pub(super) struct Header {
    /// How many holders there are; C reads and changes it through `driver_binary_*_refc`.
    holders: AtomicI64,
    /// Bytes allocated behind the header, and [`MARK`]. Private, because a driver may write to `size`.
    capacity: usize,
    /// `orig_size`, as C may change it. Never trusted beyond `capacity`.
    size: i64,
}

/// Where the bytes begin: right behind `size`, inside the header's own padding.
const BYTES_AT: usize = std::mem::offset_of!(Header, size) + 8;
/// Where C's pointer points.
const RAW_AT: usize = std::mem::offset_of!(Header, size);

const _: () = assert!(RAW_AT == 16 && BYTES_AT == 24);

/// The bit of `capacity`, larger than any, by which somebody hears of the end of an allocation.
const MARK: usize = 1 << (usize::BITS - 1);

static MARKED_ENDS: OnceLock<fn(usize)> = OnceLock::new();

/// Whom to call with the address ([`Counted::as_raw`]) of each marked allocation that ends, before its
/// memory is freed or moved. There is one for all time.
pub(crate) fn on_end_of_marked(hear: fn(usize)) {
    let _ = MARKED_ENDS.set(hear);
}

/// A counted allocation that C drivers can hold as an `ErlDrvBinary`.
///
/// Cloning counts one holder more, dropping one less; the last one frees it.
#[repr(transparent)] // `Binary` has the pointer, and lends it as one of these
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

    /// One with room for `size` bytes in memory that held one before, which has ended.
    ///
    /// # Safety
    /// The memory was allocated for as many bytes, and nobody else has it. As for
    /// [`alloc_unfilled`](Counted::alloc_unfilled), the bytes must be written before anyone reads them.
    pub(super) unsafe fn again(memory: NonNull<Header>, size: usize) -> Option<Counted> {
        Counted::initialise(memory.as_ptr().cast(), size)
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

    /// Gives this holder away as the pointer that [`from_header`](Counted::from_header) takes back.
    #[inline]
    pub(super) fn into_header(self) -> NonNull<Header> {
        let header = self.header;
        std::mem::forget(self);
        header
    }

    /// Takes over the holder that a pointer from [`into_header`](Counted::into_header) stands for.
    ///
    /// # Safety
    /// It came from there, and is taken over once.
    #[inline]
    pub(super) unsafe fn from_header(header: NonNull<Header>) -> Counted {
        Counted { header }
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
    #[inline]
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
    #[inline]
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
    #[inline]
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

    /// Puts other bytes in the place of these, in the same allocation. `None`, and nothing changed,
    /// if they are more than it was made for or somebody else holds it, too.
    pub fn refill(&mut self, bytes: &[u8]) -> Option<()> {
        if self.refc() != 1 || bytes.len() > self.capacity() {
            return None;
        }
        let size = i64::try_from(bytes.len()).ok()?;
        // SAFETY: the allocation has room for them, this is its only holder, and `bytes` cannot lie
        // in it, since `self` is borrowed exclusively.
        unsafe {
            (&raw mut (*self.header.as_ptr()).size).write(size);
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.start(), bytes.len());
        }
        Some(())
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
        self.tell_end_if_marked();
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

    /// Shows no more than the first `size` bytes from now on. For one that nobody else has seen yet.
    pub(super) fn shorten(&self, size: usize) {
        let size = i64::try_from(size.min(self.capacity())).unwrap_or(0);
        // SAFETY: the header lives as long as `self`; nobody else has it yet who could look.
        unsafe { (&raw mut (*self.header.as_ptr()).size).write(size) };
    }

    #[inline]
    fn capacity(&self) -> usize {
        // SAFETY: the header lives as long as `self`, and `capacity` changes only in `mark`.
        unsafe { (*self.header.as_ptr()).capacity & !MARK }
    }

    /// Has the end of this allocation told, see [`on_end_of_marked`]. For one that nobody else has
    /// seen yet.
    pub(crate) fn mark(&mut self) {
        debug_assert_eq!(self.refc(), 1);
        // SAFETY: the header lives as long as `self`, the only holder, which is borrowed for this alone.
        unsafe { (*self.header.as_ptr()).capacity |= MARK };
    }

    #[inline]
    fn tell_end_if_marked(&self) {
        // SAFETY: as in `capacity`.
        if unsafe { (*self.header.as_ptr()).capacity } & MARK != 0 {
            self.tell_end();
        }
    }

    #[cold]
    fn tell_end(&self) {
        if let Some(hear) = MARKED_ENDS.get() {
            hear(self.as_raw().addr().get());
        }
    }

    fn count(&self) -> &AtomicI64 {
        // SAFETY: the header lives as long as `self`; the count is only used atomically.
        unsafe { &(*self.header.as_ptr()).holders }
    }

    #[inline]
    pub(super) fn start(&self) -> *mut u8 {
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
        // Pairs with the `Release` above in other holders: their reads happen before the free. A load
        // and not a fence, because thread sanitizers follow loads only.
        self.count().load(Ordering::Acquire);
        self.tell_end_if_marked();
        let capacity = self.capacity();
        // SAFETY: the last holder is gone.
        if capacity == PLACE_BYTES && unsafe { landing::keep(self.header) } {
            return;
        }
        if let Some(layout) = layout(capacity) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_sole_holder_can_put_other_bytes_in_their_place() {
        let mut counted = Counted::alloc(4).expect("memory");
        assert_eq!(counted.refill(b"abc"), Some(()));
        assert_eq!(counted.bytes(), b"abc");
        assert_eq!(
            counted.refill(b"abcd"),
            Some(()),
            "as many as it was made for"
        );
        assert_eq!(counted.refill(b"abcde"), None);
        let other = counted.clone();
        assert_eq!(counted.refill(b"x"), None);
        assert_eq!(other.bytes(), b"abcd");
    }
}

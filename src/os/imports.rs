//! The functions that an open library imports, bound to others than the system's loader found.
//!
//! A library keeps the address of what it imports in *slots* of its own, which the loader has filled, and
//! maybe protected, when the library is open; whoever stores another address there does what the loader
//! would have done, had it found that one. Relies on the loader for where the library's segments are.
//! Promises that a slot is only changed if it belongs to the library and holds the address of the function
//! that it is said to be of, that all slots are changed or the library still works as before, and that
//! the protection of its memory is afterwards what it was.

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::library::Library;
use super::writers::Writer;

/// A place where a library keeps the address of an imported function that writes.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Where it is, as the library's file counts.
    pub(crate) address: u64,
    /// What the library takes the function there for.
    pub(crate) writer: Writer,
}

/// Binds the slots of an open library to the functions of [`writers`](super::writers). False if this
/// cannot be done for all of them; then some may be bound.
///
/// # Safety
/// `inside` is an address in the library, or in one that stays open as long. The library's code uses the
/// slots for nothing but to call or compare the functions that they are of.
pub(crate) unsafe fn bind(library: &Library, inside: NonNull<c_void>, slots: &[Slot]) -> bool {
    /// Nobody else may protect a page while we write to it.
    static BINDING: parking_lot::Mutex<()> = parking_lot::Mutex::new(());
    let _one_at_a_time = BINDING.lock();
    // SAFETY: `library` stays open until the end of this function.
    let Some(image) = (unsafe { Image::around(inside) }) else {
        return false;
    };
    // All are looked at before the first is changed.
    slots.iter().all(|slot| image.can_bind(library, slot))
        // SAFETY: just looked at; the rest is the caller's promise.
        && slots.iter().all(|slot| unsafe { image.bind(slot) })
}

/// Where a library is in memory.
struct Image<'a> {
    /// What is added to the addresses in its file.
    base: usize,
    segments: &'a [libc::Elf64_Phdr],
}

impl Image<'_> {
    /// The library that an address is in.
    ///
    /// # Safety
    /// The library stays open for as long as the image is used.
    unsafe fn around(inside: NonNull<c_void>) -> Option<Self> {
        let mut search = Search {
            address: inside.as_ptr().addr(),
            found: None,
        };
        // SAFETY: `look` gets the search, which outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
        search.found
    }

    /// The memory of a segment.
    fn range(&self, segment: &libc::Elf64_Phdr) -> Option<Range<usize>> {
        let start = self.base.wrapping_add(word(segment.p_vaddr)?);
        Some(start..start.checked_add(word(segment.p_memsz)?)?)
    }

    fn any(
        &self,
        kind: u32,
        mut what: impl FnMut(&libc::Elf64_Phdr, Range<usize>) -> bool,
    ) -> bool {
        let mut segments = self
            .segments
            .iter()
            .filter(|segment| segment.p_type == kind);
        segments.any(|segment| {
            self.range(segment)
                .is_some_and(|range| what(segment, range))
        })
    }

    fn place(&self, slot: &Slot) -> Option<usize> {
        Some(self.base.wrapping_add(word(slot.address)?))
    }

    /// Whether the slot is one, and holds what it should.
    fn can_bind(&self, library: &Library, slot: &Slot) -> bool {
        let Some(place) = self.place(slot) else {
            return false;
        };
        let is_writable = |segment: &libc::Elf64_Phdr, range: Range<usize>| {
            segment.p_flags & libc::PF_W != 0
                && range.contains(&place)
                && range.contains(&(place + size_of::<usize>() - 1))
        };
        if place % align_of::<usize>() != 0 || !self.any(libc::PT_LOAD, is_writable) {
            return false;
        }
        // SAFETY: a word within the library's data, as was just seen.
        let holds = unsafe { at(place) }.load(Ordering::Acquire);
        // The loader looks in the whole process first, and then in what the library needs. One that is
        // bound already is one that was opened twice.
        let name = slot.writer.name;
        [Library::process().symbol(name), library.symbol(name)]
            .into_iter()
            .flatten()
            .map(|function| function.as_ptr().addr())
            .chain([slot.writer.function.addr()])
            .any(|function| function == holds)
    }

    /// Stores the writer's address in the slot.
    ///
    /// # Safety
    /// [`Image::can_bind`] says so, nobody else does this meanwhile, and [`bind`]'s promise.
    unsafe fn bind(&self, slot: &Slot) -> bool {
        let Some(place) = self.place(slot) else {
            return false;
        };
        let Some(page) = Page::around(place) else {
            return false;
        };
        let store = || {
            // SAFETY: a word within the library's data, which can be written to now; others at most
            // read it, and find either function.
            unsafe { at(place) }.store(slot.writer.function.expose_provenance(), Ordering::Release);
        };
        let is_protected = |_: &_, range: Range<usize>| {
            // The loader protects whole pages; the last one has something else in it, too.
            (floor(range.start, page.size)..floor(range.end, page.size)).contains(&page.start)
        };
        if !self.any(libc::PT_GNU_RELRO, is_protected) {
            store();
            return true;
        }
        // SAFETY: what was to be read only can be written to for a moment by us alone.
        unsafe {
            if !page.protect(libc::PROT_READ | libc::PROT_WRITE) {
                return false;
            }
            store();
            page.protect(libc::PROT_READ)
        }
    }
}

/// # Safety
/// There is an aligned word of memory at this address, which is only used as one that others change.
unsafe fn at<'a>(address: usize) -> &'a AtomicUsize {
    // SAFETY: the caller's promise.
    unsafe { AtomicUsize::from_ptr(ptr::with_exposed_provenance_mut(address)) }
}

fn word(number: u64) -> Option<usize> {
    usize::try_from(number).ok()
}

/// The beginning of the page that an address is in.
fn floor(address: usize, page_size: usize) -> usize {
    address & !page_size.wrapping_sub(1)
}

/// One page of memory.
struct Page {
    start: usize,
    size: usize,
}

impl Page {
    fn around(address: usize) -> Option<Page> {
        // SAFETY: only asks.
        let size = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()?;
        let start = floor(address, size);
        size.is_power_of_two().then_some(Page { start, size })
    }

    /// # Safety
    /// As for `mprotect`: whoever uses the page meanwhile can do with what is left.
    unsafe fn protect(&self, how: c_int) -> bool {
        // SAFETY: the caller's promise.
        unsafe { libc::mprotect(ptr::with_exposed_provenance_mut(self.start), self.size, how) == 0 }
    }
}

struct Search<'a> {
    address: usize,
    found: Option<Image<'a>>,
}

/// Looks at one of the process's libraries; 1 ends the search.
unsafe extern "C" fn look(
    info: *mut libc::dl_phdr_info,
    _: libc::size_t,
    search: *mut c_void,
) -> c_int {
    // SAFETY: what `dl_iterate_phdr` hands over: a structure of its own, and our search.
    let (info, search) = unsafe { (&*info, &mut *search.cast::<Search<'_>>()) };
    if info.dlpi_phdr.is_null() {
        return 0;
    }
    let (Some(base), number) = (word(info.dlpi_addr), usize::from(info.dlpi_phnum)) else {
        return 0;
    };
    let image = Image {
        base,
        // SAFETY: as many segments are there for as long as the library is open.
        segments: unsafe { std::slice::from_raw_parts(info.dlpi_phdr, number) },
    };
    if image.any(libc::PT_LOAD, |_, range| range.contains(&search.address)) {
        search.found = Some(image);
        return 1;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::writers;

    /// A library that imports `write` by no slot at the places given here.
    #[test]
    fn only_slots_of_the_library_are_changed() {
        let library = Library::process();
        let inside = library.symbol(c"malloc").unwrap();
        // SAFETY: the C library is not closed.
        let image = unsafe { Image::around(inside) }.unwrap();
        let data = image
            .segments
            .iter()
            .find(|segment| segment.p_type == libc::PT_LOAD && segment.p_flags & libc::PF_W != 0)
            .unwrap();
        let code = image
            .segments
            .iter()
            .find(|segment| segment.p_type == libc::PT_LOAD && segment.p_flags & libc::PF_X != 0)
            .unwrap();
        let aligned = (data.p_vaddr + 7) & !7;
        for (what, address) in [
            ("another word", aligned),
            ("no word", aligned + 1),
            ("code", (code.p_vaddr + 7) & !7),
            ("outside", data.p_vaddr + data.p_memsz + 0x10_0000),
            ("far outside", u64::MAX - 7),
            ("beyond the end", u64::MAX),
        ] {
            let writer = writers::find("write").unwrap();
            let slots = [Slot { address, writer }];
            // SAFETY: none of them is used as a slot, and so none is changed.
            assert!(!unsafe { bind(&library, inside, &slots) }, "{what}");
        }
    }

    #[test]
    fn an_address_outside_of_libraries_is_in_none() {
        let on_the_heap = Box::new(0);
        // SAFETY: there is no library that could be closed.
        assert!(unsafe { Image::around(NonNull::from(&*on_the_heap).cast()) }.is_none());
    }

    #[test]
    fn a_page_is_protected_and_opened_again() {
        // SAFETY: a mapping of our own, gone at the end.
        unsafe {
            let size = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap();
            let (how, kind) = (libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            let memory = libc::mmap(ptr::null_mut(), size, how, kind, -1, 0);
            assert_ne!(memory, libc::MAP_FAILED);
            let page = Page::around(memory.expose_provenance() + size - 1).unwrap();
            assert_eq!((page.start, page.size), (memory.addr(), size));
            assert!(page.protect(libc::PROT_READ | libc::PROT_WRITE));
            at(page.start).store(7, Ordering::Relaxed);
            assert!(page.protect(libc::PROT_READ));
            assert_eq!(at(page.start).load(Ordering::Relaxed), 7);
            libc::munmap(memory, size);
            assert!(!page.protect(libc::PROT_READ), "nothing is there");
        }
    }
}

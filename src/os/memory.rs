//! The C library's allocator, for memory that changes hands between drivers and us.
//!
//! Drivers get memory here and give some of it to us to free, and some of them mix up their
//! two allocators; with the C library's own either works.

use std::ffi::c_void;

/// `size` bytes, also for 0; null when there are none.
pub(crate) fn alloc(size: usize) -> *mut c_void {
    // SAFETY: no memory is involved yet.
    unsafe { libc::malloc(size.max(1)) }
}

/// Changes the size; null, with the old block intact, when there is no memory.
///
/// # Safety
/// `block` is null, or came from this allocator and has not been freed.
pub(crate) unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { libc::realloc(block, size.max(1)) }
}

/// Frees a block; null is allowed.
///
/// # Safety
/// As for [`realloc`].
pub(crate) unsafe fn free(block: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { libc::free(block) };
}

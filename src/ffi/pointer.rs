//! From C's pointers to references, checked for NULL and for lengths that cannot be.
//!
//! Each function is unsafe for one reason, that C's promises cannot be checked: that memory it
//! points to is there, is not written by others meanwhile, and stays until the exported function
//! returns. Callers therefore never keep what they get here.

use std::ffi::{CStr, c_char};

/// `len` bytes from `start`; nothing is lent for NULL with 0, and NULL with more is `None`.
///
/// # Safety
/// If not NULL, `start` points to `len` bytes that stay unchanged for `'a`.
pub(crate) unsafe fn bytes<'a>(start: *const c_char, len: usize) -> Option<&'a [u8]> {
    // SAFETY: handed on to the caller; a byte is a byte.
    unsafe { slice(start.cast::<u8>(), len) }
}

/// `len` elements from `start`, as [`bytes`].
///
/// # Safety
/// If not NULL, `start` points to `len` aligned, valid elements that stay unchanged for `'a`.
pub(crate) unsafe fn slice<'a, T>(start: *const T, len: usize) -> Option<&'a [T]> {
    if len == 0 {
        return Some(&[]);
    }
    if start.is_null() || len > isize::MAX as usize / size_of::<T>().max(1) {
        return None;
    }
    // SAFETY: not NULL, not larger than an object can be; the rest is the caller's promise.
    Some(unsafe { std::slice::from_raw_parts(start, len) })
}

/// A string that ends with a zero byte; `None` for NULL.
///
/// # Safety
/// If not NULL, `start` points to a string that stays unchanged for `'a`.
pub(crate) unsafe fn string<'a>(start: *const c_char) -> Option<&'a CStr> {
    if start.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { CStr::from_ptr(start) })
}

/// Stores a value where C wants it; not where C passed NULL.
///
/// # Safety
/// If not NULL, `place` can be written as a `T`.
pub(crate) unsafe fn store<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: the caller's promise. Unaligned, because nothing is lost by being careful.
        unsafe { place.write_unaligned(value) };
    }
}

/// Reads a value; `None` for NULL.
///
/// # Safety
/// If not NULL, `place` can be read as a `T`.
pub(crate) unsafe fn load<T: Copy>(place: *const T) -> Option<T> {
    // SAFETY: not NULL, and the caller's promise.
    (!place.is_null()).then(|| unsafe { place.read_unaligned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_nothing_or_a_mistake() {
        // SAFETY: NULL is allowed everywhere here.
        unsafe {
            assert_eq!(bytes(std::ptr::null(), 0), Some(&[][..]));
            assert_eq!(bytes(std::ptr::null(), 1), None);
            assert_eq!(string(std::ptr::null()), None);
            assert_eq!(load::<u32>(std::ptr::null()), None);
            store(std::ptr::null_mut(), 5_u32);
        }
    }

    #[test]
    fn lengths_that_cannot_be_are_refused() {
        let words = [1_u64, 2];
        // SAFETY: the first two lengths are right, the third is refused before it is used.
        unsafe {
            assert_eq!(slice(words.as_ptr(), 2), Some(&words[..]));
            assert_eq!(slice(words.as_ptr(), usize::MAX), None);
        }
    }
}

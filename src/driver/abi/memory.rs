//! `driver_alloc` and its relatives: the C library's allocator.

use std::ffi::c_void;
use std::ptr;

use super::export;
use crate::driver::raw::ErlDrvSizeT;
use crate::os::memory;

export! {
    fn driver_alloc(size: ErlDrvSizeT) -> *mut c_void, else ptr::null_mut() => {
        memory::alloc(size)
    }

    fn driver_realloc(ptr: *mut c_void, size: ErlDrvSizeT) -> *mut c_void, else ptr::null_mut() => {
        // SAFETY: the driver's block, from these functions.
        unsafe { memory::realloc(ptr, size) }
    }

    fn driver_free(ptr: *mut c_void), else () => {
        // SAFETY: as above.
        unsafe { memory::free(ptr) };
    }
}

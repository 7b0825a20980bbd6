//! Text that the library makes for C, and how it is given back.

use std::ffi::{CString, c_char};

use super::export;
use super::status::c_string;

/// Hands a text over to C.
pub(super) fn give(text: impl Into<Vec<u8>>) -> *mut c_char {
    c_string(text).into_raw()
}

/// Frees a text that a function of this library has made for the caller. NULL is fine.
///
/// Any thread may call this, once for each text. What `wharf_error_text` and the like lend is not
/// freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_text_free(text: *mut c_char) {
    export!(wharf_text_free, |_| (), {
        if !text.is_null() {
            // SAFETY: `give` made it of a `CString`; that it is given back once is C's promise.
            drop(unsafe { CString::from_raw(text) });
        }
        Ok(())
    });
}

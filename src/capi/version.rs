//! Which version this is, when compiled and when run.

use std::ffi::c_char;

/// The version of this header: its first number. Programs made for another first number do not
/// work with this library.
pub const WHARF_VERSION_MAJOR: i32 = 0;
/// The version of this header: its second number.
pub const WHARF_VERSION_MINOR: i32 = 1;
/// The version of this header: its third number.
pub const WHARF_VERSION_PATCH: i32 = 0;
/// The version of this header as one number, to be compared: 1.2.3 is 1002003.
pub const WHARF_VERSION_NUMBER: i32 = 1000;

/// What programs and library have to agree in. It changes when programs must be compiled anew, and never
/// otherwise: compare it with what `wharf_abi_version` answers.
pub const WHARF_ABI_VERSION: i32 = 1;

const _: () = assert!(
    WHARF_ABI_VERSION
        == match WHARF_VERSION_MAJOR {
            0 => WHARF_VERSION_MINOR,
            major => major * 1000,
        }
);

const _: () = assert!(
    WHARF_VERSION_NUMBER
        == WHARF_VERSION_MAJOR * 1_000_000 + WHARF_VERSION_MINOR * 1000 + WHARF_VERSION_PATCH
);

/// The version of the library that the program runs with, as `WHARF_VERSION_NUMBER` counts. A
/// program that may meet another library than it was compiled for compares the two.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_version_number() -> i32 {
    WHARF_VERSION_NUMBER
}

/// The number of the agreement that the library keeps: a program compiled with another
/// `WHARF_ABI_VERSION` must not call anything else.
///
/// ```c
/// if (wharf_abi_version() != WHARF_ABI_VERSION)
///     return 1;
/// ```
///
/// The dynamic loader sees to that by itself for programs that are linked to the library, since each such
/// number has a file name of its own; this is for programs that open the library themselves. This function
/// and the two beside it are there, and unchanged, in all versions.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_abi_version() -> i32 {
    WHARF_ABI_VERSION
}

/// The version of the library that the program runs with, for people: "0.1.0". Never NULL, never
/// freed.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_version_text() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_the_package_s_version() {
        let package = env!("CARGO_PKG_VERSION");
        let header = format!("{WHARF_VERSION_MAJOR}.{WHARF_VERSION_MINOR}.{WHARF_VERSION_PATCH}");
        assert_eq!(header, package);
    }
}

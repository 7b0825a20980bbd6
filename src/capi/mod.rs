//! What a C user holds: `wharf_*`, declared in `include/wharf.h`.
//!
//! A file for each noun. An exported function makes Rust values of its arguments, calls one
//! function of the Rust door, and turns the result into C's; [`export!`] writes the border around
//! it. Its documentation is the header's, so it speaks to a C reader; `tests/c_header.rs` makes the
//! header from these files and fails when it differs.
//!
//! Relies on the Rust door, on `ffi`, and on one kind of fence of `os`. Promises that no panic reaches C, that what
//! has ended or was freed is told by a status as far as it can be known ([`living`]), and that
//! numbers of statuses stand in [`status`] only.

mod argument;
mod compose;
mod driver;
mod environment;
mod external;
mod host;
mod link;
mod living;
mod log;
mod message;
mod name;
mod options;
mod parts;
mod port;
mod process;
mod receive;
mod recent;
mod request;
mod send;
mod status;
mod term;
mod text;
mod version;

/// The body of an exported function: `export!(name, failure, { ... })`. What it gives is an
/// `Ok` with the value for C, or an `Err` with a [`status::Fault`], which becomes the thread's last
/// error; C then gets the failure value made of the status. A panic is the status
/// `WHARF_STATUS_INTERNAL`.
macro_rules! export {
    ($name:ident, $failure:expr, $body:block) => {
        $crate::capi::status::answer(stringify!($name), $failure, || $body)
    };
    // A function whose answer is the status itself.
    ($name:ident, $body:block) => {
        $crate::capi::status::done(stringify!($name), || $body)
    };
}
use export;

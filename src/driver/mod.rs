//! Back ends made of loaded code: unmodified C port drivers.
//!
//! A driver's file becomes a `load::Driver`, the table of callbacks it returns is checked and
//! copied (`entry`), and the `registry` keeps it under its name for those who use it.

// Until the loader uses all of it.
#[allow(dead_code)]
mod layout;
#[rustfmt::skip]
#[allow(unsafe_code)] // declarations only
mod raw;

//! Tools for both borders with C: the driver interface and our own.
//!
//! Relies on nothing. Promises that no panic reaches C ([`guard`]) and that what C points to is
//! looked at only after a check for NULL ([`mod@pointer`]).

pub(crate) mod guard;
#[allow(unsafe_code)]
pub(crate) mod pointer;

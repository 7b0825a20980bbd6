//! From a name and options to a port.
#![forbid(unsafe_code)]

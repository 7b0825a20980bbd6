//! Every system call, behind functions that the other rooms can call without care.
//!
//! Arguments are owned types or plain numbers, failures are an [`Errno`](errno::Errno) (a
//! [`LibraryError`](library::LibraryError) where the loader has a sentence of its own), and nothing
//! here touches what belongs to the whole process: no signal handlers, no changed dispositions, no
//! working directory. Linux is the one platform; what would differ elsewhere differs in here only.

#[allow(unsafe_code)]
pub(crate) mod alarm;
#[allow(unsafe_code)]
pub(crate) mod child;
pub(crate) mod clock;
pub(crate) mod errno;
#[allow(unsafe_code)]
pub(crate) mod event;
#[allow(unsafe_code)]
mod exec;
#[allow(unsafe_code)]
pub(crate) mod fd;
#[allow(unsafe_code)]
pub(crate) mod fence;
#[allow(unsafe_code)]
pub(crate) mod imports;
#[allow(unsafe_code)]
pub(crate) mod library;
#[allow(unsafe_code)]
pub(crate) mod memory;
#[allow(unsafe_code)]
pub(crate) mod poll;
#[allow(unsafe_code)]
pub(crate) mod sigpipe;
#[allow(unsafe_code)]
pub(crate) mod sync;
#[allow(unsafe_code)]
pub(crate) mod thread;
#[allow(unsafe_code)]
pub(crate) mod writers;

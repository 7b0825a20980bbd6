//! A descriptor that can be made readable and taken back: a counter of the kernel.
//!
//! For others to wait for by `poll` and its like; they never read it themselves.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::errno::Result;
use super::fd::{check, lift};

/// See the file's text; not readable at first.
#[derive(Debug)]
pub(crate) struct Event(OwnedFd);

impl Event {
    /// A new one, which programs that are started do not get.
    pub(crate) fn new() -> Result<Event> {
        // SAFETY: no memory is involved.
        let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: the kernel has just made it for us.
        Ok(Event(lift(unsafe { OwnedFd::from_raw_fd(fd) })))
    }

    /// Readable from now on.
    pub(crate) fn set(&self) {
        let one = 1_u64;
        // It fails only when the counter is full, and then it is readable.
        // SAFETY: the kernel reads the eight bytes of the number.
        unsafe {
            libc::write(
                self.0.as_raw_fd(),
                (&raw const one).cast(),
                size_of::<u64>(),
            )
        };
    }

    /// Not readable from now on.
    pub(crate) fn clear(&self) {
        let mut count = 0_u64;
        // It fails only when the counter is 0 already.
        // SAFETY: the kernel writes the eight bytes of the number.
        unsafe {
            libc::read(
                self.0.as_raw_fd(),
                (&raw mut count).cast(),
                size_of::<u64>(),
            )
        };
    }
}

impl AsFd for Event {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

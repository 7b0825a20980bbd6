//! A clock that rings once, at a time that may be put off: a timer of the kernel.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use super::errno::{Errno, Result};
use super::fd::{check, lift};

/// See the file's text; off at first. Closed when dropped.
#[derive(Debug)]
pub(crate) struct Alarm(OwnedFd);

impl Alarm {
    /// One for a selector: reading it never blocks.
    pub(crate) fn for_selector() -> Result<Alarm> {
        Alarm::new(libc::TFD_NONBLOCK)
    }

    /// One for a thread that waits for it.
    pub(crate) fn for_thread() -> Result<Alarm> {
        Alarm::new(0)
    }

    fn new(flags: libc::c_int) -> Result<Alarm> {
        // SAFETY: no memory is involved.
        let fd = check(unsafe {
            libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC | flags)
        })?;
        // SAFETY: the kernel has just made it for us.
        Ok(Alarm(lift(unsafe { OwnedFd::from_raw_fd(fd) })))
    }

    /// Rings in so long, to within what the clock can do, and not at the time that was set before;
    /// `None` switches it off.
    pub(crate) fn set(&self, ahead: Option<Duration>) -> Result<()> {
        let zero = timespec(Duration::ZERO);
        let value = libc::itimerspec {
            it_interval: zero,
            // Zero would switch it off.
            it_value: ahead.map_or(zero, |ahead| timespec(ahead.max(Duration::from_nanos(1)))),
        };
        // SAFETY: the structure is ours and nobody asks for the old setting.
        check(unsafe {
            libc::timerfd_settime(self.0.as_raw_fd(), 0, &raw const value, ptr::null_mut())
        })
        .map(drop)
    }

    /// Waits until it rings.
    pub(crate) fn wait(&self) -> Result<()> {
        let mut rings = 0_u64;
        loop {
            // SAFETY: the kernel writes the eight bytes of the number.
            let read = unsafe {
                libc::read(
                    self.0.as_raw_fd(),
                    (&raw mut rings).cast(),
                    size_of::<u64>(),
                )
            };
            match Errno::last() {
                _ if read >= 0 => return Ok(()),
                Errno::EINTR => {}
                error => return Err(error),
            }
        }
    }
}

impl AsRawFd for Alarm {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

pub(super) fn timespec(span: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: libc::time_t::try_from(span.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(span.subsec_nanos()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn it_rings_when_it_was_set_to_last() {
        let alarm = Alarm::for_thread().unwrap();
        let began = Instant::now();
        alarm.set(Some(Duration::from_secs(600))).unwrap();
        alarm.set(Some(Duration::from_millis(2))).unwrap();
        alarm.wait().unwrap();
        assert!(began.elapsed() >= Duration::from_millis(2));
        alarm.set(Some(Duration::ZERO)).unwrap();
        alarm.wait().unwrap();
    }
}

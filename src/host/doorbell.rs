//! A process's descriptor, for event loops that are not wharf's.
#![forbid(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use crate::host::Process;
use crate::lock::Lock;
use crate::os::event::Event;
use crate::process::mailbox::Bell;

/// A descriptor that is readable while it rings.
pub(super) struct Doorbell {
    event: Event,
    /// Whether it rings; held while that changes, so that the descriptor says the same.
    rings: Lock<bool>,
}

impl Bell for Doorbell {
    fn ring(&self) {
        let mut rings = self.rings.lock();
        if !*rings {
            *rings = true;
            self.event.set();
        }
    }

    fn silence(&self) {
        let mut rings = self.rings.lock();
        if *rings {
            *rings = false;
            self.event.clear();
        }
    }
}

impl Process {
    /// A descriptor to be waited for by `poll`, `epoll` and the like: readable while a message waits,
    /// also one that a selective receive has left, and once the process has ended. Now and then it
    /// is readable for a moment when nothing waits, so receive without waiting. It is never read or
    /// closed by the caller, and closes with the last handle to the process.
    ///
    /// Until it is asked for the first time it costs nothing; from then on each change between
    /// nothing and something to receive costs one more system call. Ports go on while the thread
    /// waits elsewhere: a thread of the host's own waits for the kernel's events.
    ///
    /// ```
    /// use wharf::{Host, Term};
    ///
    /// let me = Host::new()?.process();
    /// let _descriptor = me.descriptor()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The process may have no more descriptors.
    pub fn descriptor(&self) -> io::Result<BorrowedFd<'_>> {
        let place = self.doorbell();
        let doorbell = match place.get() {
            Some(doorbell) => doorbell,
            None => {
                let event = Event::new()?;
                let rings = Lock::new(false);
                let made = Arc::new(Doorbell { event, rings });
                // Another thread may have been faster; then this one was made for nothing.
                place.get_or_init(|| made)
            }
        };
        self.cell().mailbox().ring_with(Arc::clone(doorbell) as _);
        Ok(doorbell.event.as_fd())
    }
}

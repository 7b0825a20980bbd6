//! Where a receiver sleeps until somebody has something for it.
#![forbid(unsafe_code)]

use std::time::Instant;

use crate::lock::{Lock, Signal};

/// Remembers one wake-up until somebody has had it, so that none is missed between a look and a sleep.
#[derive(Default)]
pub(crate) struct Parker {
    woken: Lock<bool>,
    changed: Signal,
}

impl Parker {
    /// Wakes who sleeps here, or who is about to.
    pub(crate) fn unpark(&self) {
        *self.woken.lock() = true;
        self.changed.notify_all();
    }

    /// Sleeps until it is woken, or until `deadline`. A wake-up from long ago counts, too: look
    /// whether there is what you wait for.
    pub(crate) fn park(&self, deadline: Option<Instant>) {
        let mut woken = self.woken.lock();
        while !std::mem::take(&mut *woken) {
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return;
            }
            self.changed.wait(&mut woken, deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_wake_up_counts_once_also_for_who_comes_later() {
        let parker = Parker::default();
        parker.unpark();
        parker.unpark();
        parker.park(None);
        let soon = Instant::now() + Duration::from_millis(1);
        parker.park(Some(soon));
        assert!(Instant::now() >= soon, "there was no other");
    }
}

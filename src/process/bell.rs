//! Where a receiver sleeps until somebody has something for it.
#![forbid(unsafe_code)]

use std::time::Instant;

use crate::lock::{Lock, Signal};

/// Remembers one ring until somebody has heard it, so that none is missed between a look and a sleep.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Lock<bool>,
    changed: Signal,
}

impl Bell {
    /// Wakes who sleeps here, or who is about to.
    pub(crate) fn ring(&self) {
        *self.rung.lock() = true;
        self.changed.notify_all();
    }

    /// Sleeps until the bell was rung, or until `deadline`. A ring from long ago counts, too: look
    /// whether there is what you wait for.
    pub(crate) fn sleep(&self, deadline: Option<Instant>) {
        let mut rung = self.rung.lock();
        while !std::mem::take(&mut *rung) {
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return;
            }
            self.changed.wait(&mut rung, deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_ring_is_heard_once_also_by_who_comes_later() {
        let bell = Bell::default();
        bell.ring();
        bell.ring();
        bell.sleep(None);
        let soon = Instant::now() + Duration::from_millis(1);
        bell.sleep(Some(soon));
        assert!(Instant::now() >= soon, "there was no other ring");
    }
}

//! The port data lock: a counted mutex that a driver's threads share with its callbacks.
//!
//! Relies on `os::sync`. Promises that the mutex lives as long as anybody counts, and that a
//! holder of the lock counts: one who locks it and then loses every other reference still
//! unlocks something that exists. `abi/sync.rs` turns it into the pointer that C holds.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicI64, Ordering};

use crate::os::sync::Mutex;

/// See the module's text.
pub(super) struct Pdl {
    mutex: Mutex,
    holders: AtomicI64,
}

impl Pdl {
    /// An unlocked one with one holder, the port.
    pub(super) fn new() -> Pdl {
        Pdl {
            mutex: Mutex::new(Some(c"port data")),
            holders: AtomicI64::new(1),
        }
    }

    /// How many holders there are.
    pub(super) fn holders(&self) -> i64 {
        self.holders.load(Ordering::Acquire)
    }

    /// One more; gives their number.
    pub(super) fn add_holder(&self) -> i64 {
        self.holders.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// One less; gives their number. At 0 the caller, who was the last, must drop it.
    pub(super) fn remove_holder(&self) -> i64 {
        self.holders.fetch_sub(1, Ordering::AcqRel) - 1
    }

    /// Locks, and counts as a holder until [`unlock`](Pdl::unlock).
    pub(super) fn lock(&self) -> bool {
        self.add_holder();
        self.mutex.lock().is_ok()
    }

    /// Unlocks; gives the number of holders, as [`remove_holder`](Pdl::remove_holder).
    pub(super) fn unlock(&self) -> i64 {
        if self.mutex.unlock().is_err() {
            tracing::error!("a driver unlocked a port data lock that it had not locked");
        }
        self.remove_holder()
    }
}

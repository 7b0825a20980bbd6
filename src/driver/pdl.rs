//! The port data lock: a counted mutex that a driver's threads share with its callbacks.
//!
//! Relies on `os::sync`. Promises that the mutex lives as long as anybody counts, and that a
//! holder of the lock counts: one who locks it and then loses every other reference still
//! unlocks something that exists. The references of wharf and those of the driver are counted
//! apart, so that a driver that gives away more than it has takes none of ours. `abi/sync.rs`
//! turns it into the pointer that C holds.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};

use super::abi::misuse::{self, Rule};
use crate::os::sync::Mutex;

/// What the log calls it.
const NAME: &str = "a port data lock";

/// See the module's text.
pub(super) struct Pdl {
    mutex: Mutex,
    /// The driver's references in the lower half, ours in the upper.
    holders: AtomicU64,
}

/// One of ours.
const OURS: u64 = 1 << 32;

/// How many of these are the driver's.
fn theirs(holders: u64) -> u64 {
    holders % OURS
}

/// All of them.
fn sum(holders: u64) -> i64 {
    (holders / OURS + theirs(holders)).cast_signed()
}

impl Pdl {
    /// An unlocked one with one holder, the port.
    pub(super) fn new() -> Pdl {
        Pdl {
            mutex: Mutex::new(Some(c"port data")),
            holders: AtomicU64::new(OURS),
        }
    }

    /// Whether any thread has locked it.
    pub(super) fn is_locked(&self) -> bool {
        self.mutex.is_locked()
    }

    /// How many holders there are.
    pub(super) fn holders(&self) -> i64 {
        sum(self.holders.load(Ordering::Acquire))
    }

    /// One more of ours.
    pub(super) fn add_ours(&self) {
        self.holders.fetch_add(OURS, Ordering::Relaxed);
    }

    /// One less of ours; gives the number of all. At 0 the caller, who was the last, must drop
    /// it.
    pub(super) fn remove_ours(&self) -> i64 {
        sum(self.holders.fetch_sub(OURS, Ordering::AcqRel) - OURS)
    }

    /// One more of the driver's; gives the number of all.
    pub(super) fn add_holder(&self) -> i64 {
        sum(self.holders.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// One less of the driver's, if it has one; gives the number of all. At 0 the caller, who
    /// was the last, must drop it.
    pub(super) fn remove_holder(&self) -> i64 {
        let one_less = |holders: u64| (theirs(holders) > 0).then(|| holders - 1);
        let result = self
            .holders
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less);
        match result {
            Ok(before) => sum(before - 1),
            Err(unchanged) => {
                misuse::tell_here(&Rule::NoReference(NAME));
                sum(unchanged)
            }
        }
    }

    /// Locks, and counts as a holder until [`unlock`](Pdl::unlock). False if this thread has it
    /// already.
    pub(super) fn lock(&self) -> bool {
        self.add_holder();
        let locked = self.mutex.lock().is_ok();
        if !locked {
            misuse::tell_here(&Rule::LockedAlready(NAME));
            self.remove_holder();
        }
        locked
    }

    /// Runs `f` while nobody else has it, or while the calling thread has it anyway. Who calls this has
    /// a reference.
    pub(super) fn exclusively<R>(&self, f: impl FnOnce() -> R) -> R {
        let locked = self.mutex.lock().is_ok();
        let result = f();
        if locked {
            let unlocked = self.mutex.unlock();
            debug_assert!(unlocked.is_ok());
        }
        result
    }

    /// Unlocks; gives the number of holders, as [`remove_holder`](Pdl::remove_holder).
    pub(super) fn unlock(&self) -> i64 {
        if self.mutex.unlock().is_err() {
            misuse::tell_here(&Rule::NotLocked(NAME));
            return self.holders();
        }
        self.remove_holder()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_driver_has_not_it_cannot_give_away() {
        let pdl = Pdl::new();
        assert_eq!((pdl.remove_holder(), pdl.unlock()), (1, 1));
        assert_eq!((pdl.add_holder(), pdl.remove_holder()), (2, 1));
        assert!(pdl.lock() && !pdl.lock());
        assert_eq!((pdl.holders(), pdl.unlock(), pdl.unlock()), (2, 1, 1));
    }

    #[test]
    fn the_last_reference_is_the_last_whoever_has_it() {
        let pdl = Pdl::new();
        pdl.add_ours();
        pdl.add_holder();
        assert_eq!((pdl.remove_ours(), pdl.remove_ours()), (2, 1));
        assert_eq!(pdl.remove_holder(), 0);
    }
}

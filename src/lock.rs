//! The short lock: guards data for a few instructions, never a wait and never foreign code.
//!
//! It does not poison: a panic under it leaves data that the next holder can still read.
//! Debug builds count the locks a thread holds, and the gate out to a driver asserts that
//! there are none ([`assert_none_held`]).
#![forbid(unsafe_code)]

use std::ops::{Deref, DerefMut};
use std::time::Instant;

use parking_lot::{Condvar, Mutex, MutexGuard};

#[cfg(debug_assertions)]
thread_local! {
    static HELD: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Numbers that threads share. Named here so that the models in `models/` can put others in
/// their place.
pub(crate) mod atomic {
    pub(crate) use std::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering};
}

/// A lock that may be held while its holder waits: it is not counted, and whoever wants it says
/// how long.
pub(crate) type LongLock<T> = Mutex<T>;
/// The right to use what a [`LongLock`] guards.
pub(crate) type LongGuard<'a, T> = MutexGuard<'a, T>;

/// A mutual exclusion lock around a `T`, for short critical sections.
#[derive(Debug, Default)]
pub(crate) struct Lock<T>(Mutex<T>);

/// The right to use what a [`Lock`] guards; given back when dropped.
pub(crate) struct Guard<'a, T>(MutexGuard<'a, T>);

impl<T> Lock<T> {
    /// A lock around `value`.
    pub(crate) const fn new(value: T) -> Lock<T> {
        Lock(Mutex::new(value))
    }

    /// Waits for the lock and takes it.
    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        let guard = self.0.lock();
        #[cfg(debug_assertions)]
        HELD.with(|held| held.set(held.get() + 1));
        Guard(guard)
    }
}

#[cfg(debug_assertions)]
impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        HELD.with(|held| held.set(held.get() - 1));
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// A place to wait for a change of what a [`Lock`] guards.
#[derive(Debug, Default)]
pub(crate) struct Signal(Condvar);

impl Signal {
    /// A place nobody waits at yet.
    pub(crate) const fn new() -> Signal {
        Signal(Condvar::new())
    }

    /// Lets go of the lock, sleeps until notified or until `deadline`, and takes the lock
    /// again. Wakes without a reason are possible: test the condition in a loop.
    pub(crate) fn wait<T>(&self, guard: &mut Guard<'_, T>, deadline: Option<Instant>) {
        match deadline {
            Some(deadline) => {
                let _ = self.0.wait_until(&mut guard.0, deadline);
            }
            None => self.0.wait(&mut guard.0),
        }
    }

    /// Wakes one waiting thread.
    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes every waiting thread.
    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Asserts, in debug builds, that this thread holds no [`Lock`]. Called where control goes
/// to foreign code, which may come back through any function and may take any time.
#[inline]
pub(crate) fn assert_none_held() {
    #[cfg(debug_assertions)]
    HELD.with(|held| assert_eq!(held.get(), 0, "a short lock is held at the gate out"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_is_noticed_at_the_gate() {
        let lock = Lock::new(1);
        assert_none_held();
        let guard = lock.lock();
        let caught = std::panic::catch_unwind(assert_none_held);
        assert_eq!(caught.is_err(), cfg!(debug_assertions));
        drop(guard);
        assert_none_held();
    }
}

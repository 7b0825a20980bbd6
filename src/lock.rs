//! The short lock: guards data for a few instructions, never a wait and never foreign code.
//!
//! It does not poison: a panic under it leaves data that the next holder can still read.
//! Debug builds count the locks a thread holds, and the gate out to a driver asserts that
//! there are none ([`assert_none_held`]).
#![forbid(unsafe_code)]

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use atomic::{AtomicU32, Ordering};
use parking_lot::{Condvar, Mutex, MutexGuard};
use spin::mutex::{SpinMutex, SpinMutexGuard};

#[cfg(debug_assertions)]
thread_local! {
    static HELD: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// This thread holds a short lock more.
#[inline]
pub(crate) fn count_held() {
    #[cfg(debug_assertions)]
    HELD.with(|held| held.set(held.get() + 1));
}

/// It holds one less.
#[inline]
pub(crate) fn count_released() {
    #[cfg(debug_assertions)]
    HELD.with(|held| held.set(held.get() - 1));
}

/// Numbers that threads share. Named here so that the models in `models/` can put others in
/// their place.
pub(crate) mod atomic {
    pub(crate) use std::sync::atomic::{
        AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering, fence,
    };
}

/// Gives back what `taken` says is taken, and passes a fence.
#[inline]
pub(crate) fn release_and_fence(taken: &atomic::AtomicBool) {
    // One instruction on many processors, where a write and a fence are two.
    taken.swap(false, Ordering::SeqCst);
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    atomic::fence(Ordering::SeqCst);
}

/// A lock that may be held while its holder waits: it is not counted, and whoever wants it says
/// how long.
pub(crate) type LongLock<T> = Mutex<T>;
/// The right to use what a [`LongLock`] guards.
pub(crate) type LongGuard<'a, T> = MutexGuard<'a, T>;

/// A mutual exclusion lock around a `T`, for short critical sections.
#[derive(Debug, Default)]
pub(crate) struct Lock<T>(Mutex<T>);

/// Looks again and again, `looks` times at most, whether `there` holds: for what another processor is
/// about to do, which is shorter than a sleep and a wake-up.
#[inline]
pub(crate) fn spin_for(looks: u32, mut there: impl FnMut() -> bool) -> bool {
    for _ in 0..looks {
        if there() {
            return true;
        }
        std::hint::spin_loop();
    }
    there()
}

/// Lets others run until `there` holds: `times` times at most, and once only where they keep the processor for
/// longer than `patience`. They have work for it then, and it may be for this very thread.
pub(crate) fn yield_for(times: u32, patience: Duration, mut there: impl FnMut() -> bool) -> bool {
    for _ in 0..times {
        if there() {
            return true;
        }
        let before = Instant::now();
        std::thread::yield_now();
        if before.elapsed() > patience {
            break;
        }
    }
    there()
}

/// How many looks for what another processor is about to bring are worth while before a sleep: more
/// where that has paid off.
#[derive(Debug)]
pub(crate) struct Lookout(AtomicU32);

/// Looks at first, at most (a few microseconds), and where they never helped.
const LOOKS_FIRST: u32 = 8;
const LOOKS_MAX: u32 = 64;
const LOOKS_MIN: u32 = 1;

impl Lookout {
    /// Nothing is known yet.
    pub(crate) const fn new() -> Lookout {
        Lookout(AtomicU32::new(LOOKS_FIRST))
    }

    /// Looks for a moment whether `there` holds.
    pub(crate) fn look(&self, there: impl FnMut() -> bool) {
        let looks = self.0.load(Ordering::Relaxed);
        let next = match spin_for(looks, there) {
            true => (2 * looks).clamp(LOOKS_FIRST, LOOKS_MAX),
            false => looks / 2,
        };
        self.0.store(next.max(LOOKS_MIN), Ordering::Relaxed);
    }
}

/// A lock for a few instructions on a path that is taken millions of times a second: giving it back
/// is a plain store, where a [`Lock`] has to look for sleepers. Who finds it taken spins, then lets
/// others run, then sleeps for a little.
#[derive(Debug, Default)]
pub(crate) struct Brief<T>(SpinMutex<T>);

/// The right to use what a [`Brief`] guards; given back when dropped.
pub(crate) struct BriefGuard<'a, T>(SpinMutexGuard<'a, T>);

/// Looks at a taken lock before the holder is thought to be off its processor.
const SPINS: u32 = 100;
/// Times that others are let run, before the holder is thought to be of lower priority.
const YIELDS: u32 = 100;
/// After so many looks it sleeps.
const LOOKS: u32 = SPINS + YIELDS;
/// And then so long at a time, which lets anybody run.
const NAP: Duration = Duration::from_micros(50);

impl<T> Brief<T> {
    /// A lock around `value`.
    pub(crate) const fn new(value: T) -> Brief<T> {
        Brief(SpinMutex::new(value))
    }

    /// Waits for the lock and takes it.
    #[inline]
    pub(crate) fn lock(&self) -> BriefGuard<'_, T> {
        let guard = match self.0.try_lock() {
            Some(guard) => guard,
            None => self.wait(),
        };
        count_held();
        BriefGuard(guard)
    }

    #[cold]
    fn wait(&self) -> SpinMutexGuard<'_, T> {
        loop {
            wait_until(|| !self.0.is_locked());
            if let Some(guard) = self.0.try_lock() {
                return guard;
            }
        }
    }
}

/// Waits until another thread has brought about, within a few instructions of its own, that `there` holds.
#[cold]
pub(crate) fn wait_until(mut there: impl FnMut() -> bool) {
    let mut looks = 0_u32;
    while !there() {
        match looks {
            0..SPINS => std::hint::spin_loop(),
            SPINS..LOOKS => std::thread::yield_now(),
            _ => std::thread::sleep(NAP),
        }
        looks = looks.saturating_add(1);
    }
}

/// How often a thread takes a lock that is nobody's until it is its own.
pub(crate) const HABIT: u32 = 16;

#[cfg(debug_assertions)]
impl<T> Drop for BriefGuard<'_, T> {
    fn drop(&mut self) {
        count_released();
    }
}

impl<T> Deref for BriefGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for BriefGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

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
        count_held();
        Guard(guard)
    }
}

#[cfg(debug_assertions)]
impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        count_released();
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
    fn others_are_let_run_until_it_is_there_or_they_keep_the_processor() {
        let looks = |times, patience, there_at| {
            let mut looks = 0;
            let there = yield_for(times, patience, || {
                looks += 1;
                looks == there_at
            });
            (there, looks)
        };
        let ever = Duration::from_secs(1000);
        assert_eq!(looks(16, ever, 1), (true, 1));
        assert_eq!(looks(16, ever, 5), (true, 5));
        assert_eq!(looks(16, ever, 18), (false, 17));
        assert_eq!(looks(16, Duration::ZERO, 18), (false, 2));
        assert_eq!(looks(16, Duration::ZERO, 2), (true, 2));
    }

    #[test]
    fn a_held_lock_is_noticed_at_the_gate() {
        let lock = Lock::new(1);
        assert_none_held();
        let guard = lock.lock();
        let caught = std::panic::catch_unwind(assert_none_held);
        assert_eq!(caught.is_err(), cfg!(debug_assertions));
        drop(guard);
        assert_none_held();
        let brief = Brief::new(1);
        let guard = brief.lock();
        let caught = std::panic::catch_unwind(assert_none_held);
        assert_eq!(caught.is_err(), cfg!(debug_assertions));
        drop(guard);
        assert_none_held();
    }

    #[test]
    fn a_brief_lock_is_waited_for_however_long_it_is_taken() {
        const EACH: usize = if cfg!(miri) { 20 } else { 10_000 };
        let lock = Brief::new(0);
        std::thread::scope(|scope| {
            let guard = lock.lock();
            let waits = scope.spawn(|| *lock.lock() += 1);
            // Longer than spinning and yielding take.
            std::thread::sleep(4 * NAP);
            drop(guard);
            waits.join().unwrap();
            for _ in 0..4 {
                scope.spawn(|| (0..EACH).for_each(|_| *lock.lock() += 1));
            }
        });
        assert_eq!(*lock.lock(), 1 + 4 * EACH);
    }
}

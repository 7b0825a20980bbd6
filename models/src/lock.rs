//! The names of the library's `lock.rs`, made of loom's locks. Nothing is ever late here: a wait
//! with a deadline waits until it is over, and so a wake-up that is lost is a deadlock, which loom
//! reports.

use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;
use std::time::Instant;

use loom::sync::{Condvar, Mutex, MutexGuard};

pub(crate) mod atomic {
    use std::ops::Deref;

    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering, fence};

    use super::Late;

    pub(crate) struct AtomicU32(Late<u32, loom::sync::atomic::AtomicU32>);

    impl AtomicU32 {
        pub(crate) const fn new(first: u32) -> AtomicU32 {
            AtomicU32(Late::new(first))
        }
    }

    impl Deref for AtomicU32 {
        type Target = loom::sync::atomic::AtomicU32;
        fn deref(&self) -> &Self::Target {
            self.0.get(loom::sync::atomic::AtomicU32::new)
        }
    }
}

/// Loom's ordering of single accesses is weaker than the processor's: it needs the fence.
pub(crate) fn release_and_fence(taken: &atomic::AtomicBool) {
    taken.store(false, atomic::Ordering::Release);
    atomic::fence(atomic::Ordering::SeqCst);
}

/// Once is a habit, and so a model is short.
pub(crate) const HABIT: u32 = 1;

pub(crate) fn count_held() {}

pub(crate) fn count_released() {}

pub(crate) fn wait_until(mut there: impl FnMut() -> bool) {
    while !there() {
        loom::thread::yield_now();
    }
}

/// One look: more of them add ways, and nothing that could happen.
pub(crate) fn spin_for(_: u32, mut there: impl FnMut() -> bool) -> bool {
    there()
}

/// One look, as above.
pub(crate) struct Lookout;

impl Lookout {
    pub(crate) const fn new() -> Lookout {
        Lookout
    }

    pub(crate) fn look(&self, mut there: impl FnMut() -> bool) {
        there();
    }
}

/// One of loom's things, made when it is first used: loom makes none in a constant.
struct Late<V, L> {
    first: std::sync::Mutex<Option<V>>,
    made: OnceLock<L>,
}

impl<V, L> Late<V, L> {
    const fn new(first: V) -> Late<V, L> {
        Late {
            first: std::sync::Mutex::new(Some(first)),
            made: OnceLock::new(),
        }
    }

    fn get(&self, make: fn(V) -> L) -> &L {
        let first = || self.first.lock().unwrap().take().expect("made once");
        self.made.get_or_init(|| make(first()))
    }
}

pub(crate) struct Lock<T>(Late<T, Mutex<T>>);

pub(crate) struct Guard<'a, T>(Option<MutexGuard<'a, T>>);

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Lock<T> {
        Lock(Late::new(value))
    }

    pub(crate) fn lock(&self) -> Guard<'_, T> {
        Guard(Some(self.0.get(Mutex::new).lock().unwrap()))
    }
}

/// What it is made of is not modelled: it is a lock like any other.
pub(crate) type Brief<T> = Lock<T>;
pub(crate) type BriefGuard<'a, T> = Guard<'a, T>;

impl<T: Default> Default for Lock<T> {
    fn default() -> Lock<T> {
        Lock::new(T::default())
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0.as_ref().unwrap()
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().unwrap()
    }
}

#[derive(Debug)]
pub(crate) struct Signal(Condvar);

impl Default for Signal {
    fn default() -> Signal {
        Signal::new()
    }
}

impl Signal {
    pub(crate) fn new() -> Signal {
        Signal(Condvar::new())
    }

    pub(crate) fn wait<T>(&self, guard: &mut Guard<'_, T>, _: Option<Instant>) {
        let held = guard.0.take().unwrap();
        guard.0 = Some(self.0.wait(held).unwrap());
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

pub(crate) struct LongLock<T>(Mutex<T>);

pub(crate) type LongGuard<'a, T> = MutexGuard<'a, T>;

impl<T> LongLock<T> {
    pub(crate) fn new(value: T) -> LongLock<T> {
        LongLock(Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> LongGuard<'_, T> {
        self.0.lock().unwrap()
    }

    pub(crate) fn try_lock(&self) -> Option<LongGuard<'_, T>> {
        self.0.try_lock().ok()
    }

    pub(crate) fn try_lock_until(&self, _: Instant) -> Option<LongGuard<'_, T>> {
        Some(self.lock())
    }
}

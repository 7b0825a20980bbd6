//! A lock that one thread takes much more often than others.
//!
//! Who has taken it some times in a row, and nobody else, has it for its own from then on: takes it by a
//! plain write and a look whether it still is its own, and gives it back by a plain write. The first
//! other thread that wants it takes that away for good, which costs a few microseconds once
//! ([`fence`]); after that all of them take a [`Brief`].

use std::cell::{Cell, UnsafeCell};
use std::ops::{Deref, DerefMut};

use crate::lock::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::lock::{self, Brief, BriefGuard};
use crate::os::fence;

/// See the module's text.
pub(crate) struct Biased<T> {
    /// The number of the thread whose own it is, or one of those below. Written with `shared` taken.
    owner: AtomicUsize,
    /// The owner uses it; written by the owner alone.
    inside: AtomicBool,
    /// Taken by everybody but the owner.
    shared: Brief<Habit>,
    value: UnsafeCell<T>,
}

/// It may become somebody's own.
const NOBODYS: usize = 0;
/// It never will (again).
const EVERYBODYS: usize = 1;
/// The first number of a thread, and that of one which has none.
const FIRST: usize = 2;
const UNNUMBERED: usize = usize::MAX;

/// Who has taken a lock so far that is nobody's.
#[derive(Default)]
struct Habit {
    thread: usize,
    times: u32,
}

/// The right to use what a [`Biased`] guards; given back when dropped.
pub(crate) struct BiasedGuard<'a, T> {
    lock: &'a Biased<T>,
    /// None: it is the thread's own.
    shared: Option<BriefGuard<'a, Habit>>,
}

// SAFETY: one thread at a time reaches the value, see `Biased::lock`, so sharing the lock moves a `T` between
// threads at most.
unsafe impl<T: Send> Sync for Biased<T> {}

thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(UNNUMBERED) };
}

/// Gives this thread its number.
#[cold]
fn number_thread() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(FIRST);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    NUMBER.with(|mine| mine.set(number));
    number
}

impl<T> Biased<T> {
    /// A lock around `value` that is nobody's yet.
    pub(crate) fn new(value: T) -> Biased<T> {
        Biased {
            owner: AtomicUsize::new(NOBODYS),
            inside: AtomicBool::new(false),
            shared: Brief::new(Habit::default()),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits for the lock and takes it.
    #[inline(always)]
    pub(crate) fn lock(&self) -> BiasedGuard<'_, T> {
        let me = NUMBER.with(Cell::get);
        let shared = match self.owner.load(Ordering::Relaxed) == me && self.enter(me) {
            true => None,
            false => Some(self.lock_shared()),
        };
        BiasedGuard { lock: self, shared }
    }

    /// The owner's way in. The write and the second look meet those of [`Self::take_away`]: one of the two
    /// sees the other.
    #[inline(always)]
    fn enter(&self, me: usize) -> bool {
        self.inside.store(true, Ordering::Relaxed);
        fence::helped();
        if self.owner.load(Ordering::Relaxed) != me {
            self.inside.store(false, Ordering::Release);
            return false;
        }
        lock::count_held();
        true
    }

    /// The way of all others, who find nobody inside.
    #[inline]
    fn lock_shared(&self) -> BriefGuard<'_, Habit> {
        let mut habit = self.shared.lock();
        if self.owner.load(Ordering::Relaxed) != EVERYBODYS {
            self.take_away(&mut habit);
        }
        habit
    }

    /// Notes who takes it while it is nobody's; or takes it from whose own it is.
    #[cold]
    fn take_away(&self, habit: &mut Habit) {
        if self.owner.load(Ordering::Relaxed) != NOBODYS {
            self.owner.store(EVERYBODYS, Ordering::Relaxed);
            fence::help();
            return lock::wait_until(|| !self.inside.load(Ordering::Acquire));
        }
        let me = match NUMBER.with(Cell::get) {
            UNNUMBERED => number_thread(),
            number => number,
        };
        if !fence::is_helped() && fence::may_be_helped() {
            return;
        }
        if habit.times > 0 && habit.thread != me || !fence::is_helped() {
            return self.owner.store(EVERYBODYS, Ordering::Relaxed);
        }
        habit.thread = me;
        habit.times += 1;
        if habit.times == lock::HABIT {
            // The next time it takes the other way; until then it holds this lock.
            self.owner.store(me, Ordering::Relaxed);
        }
    }
}

impl<T> Drop for BiasedGuard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.shared.is_none() {
            lock::count_released();
            self.lock.inside.store(false, Ordering::Release);
        }
    }
}

impl<T> Deref for BiasedGuard<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: as below.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for BiasedGuard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: one thread at a time has a guard. Those with `shared` taken wait for each other, and the
        // owner does not come in while one of them has it: it became the owner under `shared`, and
        // whoever took that later has set another owner, and waited until this one was outside.
        unsafe { &mut *self.lock.value.get() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    const TIMES: usize = if cfg!(miri) { 40 } else { 100_000 };

    /// Waits for the kernel's help, where there is any.
    fn helped() -> bool {
        fence::prepare();
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(2);
        while !fence::is_helped() && std::time::Instant::now() < patience {
            std::thread::yield_now();
        }
        fence::is_helped()
    }

    fn owner(lock: &Biased<usize>) -> usize {
        lock.owner.load(Ordering::Relaxed)
    }

    #[test]
    fn who_takes_it_often_and_alone_has_it_until_another_comes() {
        let helped = helped();
        let lock = Biased::new(0);
        for _ in 0..2 * lock::HABIT {
            *lock.lock() += 1;
        }
        assert_eq!(owner(&lock) >= FIRST, helped);
        let seen = std::thread::scope(|scope| scope.spawn(|| *lock.lock()).join().unwrap());
        assert_eq!((seen, owner(&lock)), (2 * lock::HABIT as usize, EVERYBODYS));
        *lock.lock() += 1;
        assert_eq!(owner(&lock), EVERYBODYS);
    }

    #[test]
    fn what_two_take_from_the_start_is_nobodys_own() {
        helped();
        let lock = Biased::new(0);
        *lock.lock() += 1;
        std::thread::scope(|scope| scope.spawn(|| *lock.lock() += 1).join().unwrap());
        assert_eq!((*lock.lock(), owner(&lock)), (2, EVERYBODYS));
    }

    #[test]
    fn it_is_taken_away_only_while_its_owner_is_outside() {
        helped();
        const OTHERS: usize = if cfg!(miri) { 2 } else { 50 };
        for _ in 0..OTHERS {
            let (lock, both) = (Biased::new(0), Barrier::new(2));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    both.wait();
                    for _ in 0..TIMES / 100 {
                        *lock.lock() += 1;
                    }
                });
                for _ in 0..lock::HABIT {
                    *lock.lock() += 1;
                }
                both.wait();
                for _ in 0..TIMES / 100 {
                    *lock.lock() += 1;
                }
            });
            assert_eq!(*lock.lock(), lock::HABIT as usize + TIMES / 100 * 2);
        }
    }
}

//! Locks without guards, for C: taken by one call, given back by another.
//!
//! They are the C library's own, because the tools that watch a driver's threads (thread sanitizers,
//! lock checkers) know those and no others. They guard no Rust data; to use one wrongly is the driver's
//! bug and can stall the threads that share it, but breaks no memory. What can be told apart is an
//! error instead of a hang: a thread that locks what it holds already (`EDEADLK`), that unlocks what
//! another holds (`EPERM`), that only wanted to try (`EBUSY`).
//!
//! Who makes one keeps it in one place while threads use it; C needs that anyway.

use std::cell::UnsafeCell;
use std::ffi::{CStr, CString, c_int};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::errno::{Errno, Result};

/// One thread at a time.
pub(crate) struct Mutex {
    raw: UnsafeCell<libc::pthread_mutex_t>,
    name: Option<CString>,
}

/// Threads that wait until others tell them to look again.
pub(crate) struct Condition {
    raw: UnsafeCell<libc::pthread_cond_t>,
    /// How many threads wait: to destroy it would wait for them.
    waiting: AtomicUsize,
    name: Option<CString>,
}

/// Many readers, or one writer.
pub(crate) struct RwLock {
    raw: UnsafeCell<libc::pthread_rwlock_t>,
    /// How often it is locked: the C library does not notice when it is given back too often, and is
    /// of no use afterwards.
    holds: AtomicUsize,
    /// The thread that writes; 0 for none.
    writer: AtomicUsize,
    name: Option<CString>,
}

// SAFETY: the C library's locks are made to be used by many threads; the names are only read.
unsafe impl Send for Mutex {}
// SAFETY: as above.
unsafe impl Sync for Mutex {}
// SAFETY: as above.
unsafe impl Send for Condition {}
// SAFETY: as above.
unsafe impl Sync for Condition {}
// SAFETY: as above.
unsafe impl Send for RwLock {}
// SAFETY: as above.
unsafe impl Sync for RwLock {}

impl Mutex {
    /// An unlocked mutex.
    pub(crate) fn new(name: Option<&CStr>) -> Mutex {
        let raw = UnsafeCell::new(libc::PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP);
        Mutex {
            raw,
            name: name.map(CStr::to_owned),
        }
    }

    /// Waits until it is free and takes it.
    pub(crate) fn lock(&self) -> Result<()> {
        // SAFETY: initialised when made and not moved while in use, here and below.
        answer(unsafe { libc::pthread_mutex_lock(self.raw.get()) })
    }

    /// Takes it if it is free; `EBUSY` if any thread has it, the calling one included.
    pub(crate) fn try_lock(&self) -> Result<()> {
        // SAFETY: see `lock`.
        answer(unsafe { libc::pthread_mutex_trylock(self.raw.get()) })
    }

    /// Gives it back.
    pub(crate) fn unlock(&self) -> Result<()> {
        // SAFETY: see `lock`.
        answer(unsafe { libc::pthread_mutex_unlock(self.raw.get()) })
    }

    /// Whether a thread has it; then it must not be destroyed.
    pub(crate) fn is_locked(&self) -> bool {
        self.try_lock().and_then(|()| self.unlock()).is_err()
    }

    /// The name it was made with.
    pub(crate) fn name(&self) -> Option<&CStr> {
        self.name.as_deref()
    }
}

impl Drop for Mutex {
    fn drop(&mut self) {
        // SAFETY: nobody else can reach it any more. The tools want to be told.
        unsafe { libc::pthread_mutex_destroy(self.raw.get()) };
    }
}

impl Condition {
    /// A condition that nobody waits for.
    pub(crate) fn new(name: Option<&CStr>) -> Condition {
        let raw = UnsafeCell::new(libc::PTHREAD_COND_INITIALIZER);
        Condition {
            raw,
            waiting: AtomicUsize::new(0),
            name: name.map(CStr::to_owned),
        }
    }

    /// Gives the mutex back, waits to be told, takes it again. May come back untold. `EPERM` if the
    /// calling thread does not have the mutex.
    pub(crate) fn wait(&self, mutex: &Mutex) -> Result<()> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // SAFETY: both initialised when made and not moved while in use, here and below.
        let result = unsafe { libc::pthread_cond_wait(self.raw.get(), mutex.raw.get()) };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        answer(result)
    }

    /// Whether threads wait; then it must not be destroyed.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Tells one of those who wait.
    pub(crate) fn signal(&self) {
        // SAFETY: see `wait`.
        unsafe { libc::pthread_cond_signal(self.raw.get()) };
    }

    /// Tells all of those who wait.
    pub(crate) fn broadcast(&self) {
        // SAFETY: see `wait`.
        unsafe { libc::pthread_cond_broadcast(self.raw.get()) };
    }

    /// The name it was made with.
    pub(crate) fn name(&self) -> Option<&CStr> {
        self.name.as_deref()
    }
}

impl Drop for Condition {
    fn drop(&mut self) {
        // SAFETY: nobody else can reach it any more.
        unsafe { libc::pthread_cond_destroy(self.raw.get()) };
    }
}

impl RwLock {
    /// An unlocked lock.
    pub(crate) fn new(name: Option<&CStr>) -> RwLock {
        let raw = UnsafeCell::new(libc::PTHREAD_RWLOCK_INITIALIZER);
        RwLock {
            raw,
            holds: AtomicUsize::new(0),
            writer: AtomicUsize::new(0),
            name: name.map(CStr::to_owned),
        }
    }

    /// Waits until no writer has it and joins the readers.
    pub(crate) fn read_lock(&self) -> Result<()> {
        // SAFETY: initialised when made and not moved while in use, here and below.
        answer(unsafe { libc::pthread_rwlock_rdlock(self.raw.get()) })?;
        self.holds.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Joins the readers unless there is a writer (`EBUSY`).
    pub(crate) fn try_read_lock(&self) -> Result<()> {
        // SAFETY: see `read_lock`.
        answer(unsafe { libc::pthread_rwlock_tryrdlock(self.raw.get()) })?;
        self.holds.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until nobody has it and takes it.
    pub(crate) fn write_lock(&self) -> Result<()> {
        // SAFETY: see `read_lock`.
        answer(unsafe { libc::pthread_rwlock_wrlock(self.raw.get()) })?;
        self.holds.fetch_add(1, Ordering::Relaxed);
        self.writer.store(this_thread(), Ordering::Relaxed);
        Ok(())
    }

    /// Takes it if nobody has it; else `EBUSY`.
    pub(crate) fn try_write_lock(&self) -> Result<()> {
        // SAFETY: see `read_lock`.
        answer(unsafe { libc::pthread_rwlock_trywrlock(self.raw.get()) })?;
        self.holds.fetch_add(1, Ordering::Relaxed);
        self.writer.store(this_thread(), Ordering::Relaxed);
        Ok(())
    }

    /// Gives back what the calling thread has of it. `EPERM` if nobody has it, or another thread for
    /// writing; which threads read is not known.
    pub(crate) fn unlock(&self) -> Result<()> {
        let writer = self.writer.load(Ordering::Relaxed);
        if writer != 0 && writer != this_thread() {
            return Err(Errno::EPERM);
        }
        let one_less = |holds: usize| holds.checked_sub(1);
        let (order, failed) = (Ordering::Relaxed, Ordering::Relaxed);
        if self.holds.fetch_update(order, failed, one_less).is_err() {
            return Err(Errno::EPERM);
        }
        self.writer.store(0, Ordering::Relaxed);
        // SAFETY: see `read_lock`.
        answer(unsafe { libc::pthread_rwlock_unlock(self.raw.get()) })
    }

    /// Whether readers or a writer have it; then it must not be destroyed.
    pub(crate) fn is_locked(&self) -> bool {
        self.try_write_lock().and_then(|()| self.unlock()).is_err()
    }

    /// The name it was made with.
    pub(crate) fn name(&self) -> Option<&CStr> {
        self.name.as_deref()
    }
}

impl Drop for RwLock {
    fn drop(&mut self) {
        // SAFETY: nobody else can reach it any more.
        unsafe { libc::pthread_rwlock_destroy(self.raw.get()) };
    }
}

/// A number that no other thread has while this one lives; never 0.
fn this_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// These functions answer the error itself.
fn answer(number: c_int) -> Result<()> {
    if number == 0 {
        Ok(())
    } else {
        Err(Errno::new(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_mutex_is_busy_even_for_its_own_thread() {
        let mutex = Mutex::new(Some(c"door"));
        assert_eq!(mutex.name(), Some(c"door"));
        assert!(!mutex.is_locked());
        mutex.lock().unwrap();
        assert_eq!(mutex.try_lock(), Err(Errno::EBUSY));
        assert_eq!(mutex.lock().map_err(Errno::name), Err("edeadlk"));
        thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(mutex.try_lock(), Err(Errno::EBUSY));
                assert_eq!(mutex.unlock(), Err(Errno::EPERM));
                assert!(mutex.is_locked());
            });
        });
        mutex.unlock().unwrap();
        mutex.try_lock().unwrap();
        mutex.unlock().unwrap();
    }

    #[test]
    fn a_mutex_lets_one_thread_in_at_a_time() {
        let (mutex, inside, rounds) = (Mutex::new(None), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        mutex.lock().unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                        rounds.fetch_add(1, Ordering::Relaxed);
                        inside.fetch_sub(1, Ordering::Relaxed);
                        mutex.unlock().unwrap();
                    }
                });
            }
        });
        assert_eq!(rounds.into_inner(), 4000);
    }

    #[test]
    fn a_condition_hands_work_back_and_forth() {
        let (mutex, told) = (Mutex::new(None), Condition::new(Some(c"turns")));
        assert_eq!(told.name(), Some(c"turns"));
        assert_eq!(told.wait(&mutex), Err(Errno::EPERM));
        let turn = AtomicUsize::new(0);
        thread::scope(|scope| {
            for parity in 0..2 {
                let (mutex, told, turn) = (&mutex, &told, &turn);
                scope.spawn(move || {
                    for _ in 0..200 {
                        mutex.lock().unwrap();
                        while turn.load(Ordering::Relaxed) % 2 != parity {
                            told.wait(mutex).unwrap();
                        }
                        turn.fetch_add(1, Ordering::Relaxed);
                        if parity == 0 {
                            told.signal()
                        } else {
                            told.broadcast()
                        }
                        mutex.unlock().unwrap();
                    }
                });
            }
        });
        assert_eq!(turn.into_inner(), 400);
    }

    #[test]
    fn readers_share_and_a_writer_does_not() {
        let lock = RwLock::new(None);
        assert_eq!(lock.name(), None);
        lock.read_lock().unwrap();
        lock.try_read_lock().unwrap();
        assert_eq!(lock.try_write_lock(), Err(Errno::EBUSY));
        assert!(lock.is_locked());
        lock.unlock().unwrap();
        lock.unlock().unwrap();
        assert!(!lock.is_locked());
        lock.write_lock().unwrap();
        assert_eq!(lock.try_read_lock(), Err(Errno::EBUSY));
        assert_eq!(lock.try_write_lock(), Err(Errno::EBUSY));
        assert_eq!(lock.write_lock().map_err(Errno::name), Err("edeadlk"));
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(lock.unlock(), Err(Errno::EPERM)));
        });
        lock.unlock().unwrap();
        assert_eq!(lock.unlock(), Err(Errno::EPERM), "nobody has it");
        lock.try_write_lock().unwrap();
        lock.unlock().unwrap();
    }
}

//! Whom a thread acted for last: the process and the port of its last call, found again without a look
//! at the tables, which would cost as much as the call itself.
//!
//! A thread has one [`Recent`], which it uses for the time of a call, an [`Acting`]. Whoever frees a
//! process or a host empties those of all threads; one that is in use is emptied by its thread at the end
//! of the call, as if the call had held what it uses by itself. So nothing that was freed is found, and
//! nothing is kept longer than a call. A call within a call (a driver's callback that calls the
//! library) looks at the tables.
//!
//! A call begins with a write and a look at what the other side has written, and so does an emptying.
//! That is a case for [`fence`]: so a call pays for no fence, no lock and no atomic change.

use std::cell::UnsafeCell;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::living::{self, ProcessEntry};
use super::port::{find, wharf_port};
use super::process::wharf_process;
use super::status::Fault;
use crate::host::Port;
use crate::lock::{Lock, LongLock};
use crate::os::fence;

/// See the module's text.
#[derive(Default)]
struct Recent {
    /// Its thread uses it; written by that thread alone.
    in_use: AtomicBool,
    /// It is to be emptied, by who has set this or by its thread; unset under the lock.
    doomed: AtomicBool,
    /// Taken by who empties it.
    emptying: Lock<()>,
    held: UnsafeCell<Held>,
}

#[derive(Default)]
struct Held {
    process: Option<(*const wharf_process, Arc<ProcessEntry>)>,
    /// Of that process.
    port: Option<Port>,
}

// SAFETY: the pointer is a name and is never followed.
unsafe impl Send for Held {}
// SAFETY: `held` is touched by its own thread between `begin` and `end`, and by `empty`, whose callers say why
// the two do not meet.
unsafe impl Sync for Recent {}

/// Those of all threads.
static ALL: Lock<Vec<Arc<Recent>>> = Lock::new(Vec::new());
/// Taken by who empties those of others: one at a time, so that `doomed` is its own while it looks.
static FORGETTING: LongLock<()> = LongLock::new(());

/// A thread's own; leaves the list when the thread ends.
struct Mine(Arc<Recent>);

thread_local! {
    static MINE: Mine = Mine::new();
}

impl Mine {
    fn new() -> Mine {
        let recent = Arc::<Recent>::default();
        ALL.lock().push(Arc::clone(&recent));
        Mine(recent)
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        ALL.lock().retain(|recent| !Arc::ptr_eq(recent, &self.0));
        // SAFETY: of this thread, which is in no call.
        drop(unsafe { self.0.empty() });
    }
}

impl Recent {
    /// Its thread uses it from now on; false if it does so already.
    #[inline(always)]
    fn begin(&self) -> bool {
        if self.in_use.load(Ordering::Relaxed) {
            return false;
        }
        self.in_use.store(true, Ordering::Relaxed);
        fence::often();
        if self.doomed.load(Ordering::Acquire) {
            // SAFETY: its own thread, which has not begun.
            drop(unsafe { self.empty() });
        }
        true
    }

    /// Its thread uses it no longer.
    #[inline(always)]
    fn end(&self) {
        self.in_use.store(false, Ordering::Release);
        fence::often();
        if self.doomed.load(Ordering::Acquire) {
            // SAFETY: its own thread, which is done.
            drop(unsafe { self.empty() });
        }
    }

    /// Takes out what is there, to be dropped without a lock.
    ///
    /// # Safety
    /// By its own thread outside of its calls, or as [`Self::empty_if_idle`].
    #[cold]
    unsafe fn empty(&self) -> Held {
        let _emptying = self.emptying.lock();
        // SAFETY: two that are outside of the thread's calls wait for each other by the lock; and by the
        // caller's promise nobody is inside.
        unsafe { self.take() }
    }

    /// The same by another thread. `None` where its own thread sees to it, or has done so.
    ///
    /// # Safety
    /// `doomed` was set by this thread and then a fence passed, as the other side of those in `begin` and
    /// `end`; and nobody else has set it since.
    unsafe fn empty_if_idle(&self) -> Option<Held> {
        let _emptying = self.emptying.lock();
        if !self.doomed.load(Ordering::Relaxed) || self.in_use.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: its thread is outside of its calls, and has not looked at `doomed` since that was set: it
        // would have unset it. So by the fences it will see it set when it looks next, which is before it
        // is inside again, and wait for the lock.
        Some(unsafe { self.take() })
    }

    /// # Safety
    /// Nobody else touches what is held.
    unsafe fn take(&self) -> Held {
        // SAFETY: the caller's promise.
        let held = std::mem::take(unsafe { &mut *self.held.get() });
        self.doomed.store(false, Ordering::Release);
        held
    }
}

/// Forgets what all threads have used. For whoever has just taken a process or a host out of its table.
pub(super) fn forget_all() {
    forget(fence::rarely);
}

/// If the fence cannot be passed, others are not touched: they forget when they are used next.
fn forget(pass_fence: impl FnOnce() -> bool) {
    let forgetting = FORGETTING.lock();
    let all = ALL.lock().clone();
    for recent in &all {
        recent.doomed.store(true, Ordering::Relaxed);
    }
    let is_mine = |recent: &&Arc<Recent>| {
        MINE.try_with(|mine| Arc::ptr_eq(recent, &mine.0))
            .unwrap_or(false)
    };
    let others = all.iter().any(|recent| !is_mine(&recent));
    let passed = !others || pass_fence();
    let reached = all.iter().filter(|recent| passed || is_mine(recent));
    // SAFETY: they were doomed, and the fence was passed, which this thread does not need with itself. Others
    // that would set it again wait.
    let held = reached.map(|recent| unsafe { recent.empty_if_idle() });
    let held: Vec<_> = held.collect();
    drop(forgetting);
    drop(held);
}

/// A process that this thread acts for, for the time of a call.
pub(super) struct Acting {
    entry: NonNull<ProcessEntry>,
    /// Where the process was found; NULL where a holder of it was taken from the table for this call.
    recent: *const Recent,
}

/// A port, found for the time of a call.
pub(super) enum Found<'a> {
    Before(&'a Port),
    Now(Port),
}

/// The process that C names.
#[inline(always)]
pub(super) fn process(named: *const wharf_process) -> Result<Acting, Fault> {
    let begun = MINE.try_with(|mine| {
        let recent = &*mine.0;
        recent.begin().then(|| ptr::from_ref(recent))
    });
    // A call within a call, or at the end of the thread, has none.
    let Ok(Some(recent)) = begun else {
        return by_table(named);
    };
    // SAFETY: the thread has it for as long as it lives, and this is a call on that thread, which has begun.
    let held = unsafe { &*(*recent).held.get() };
    match &held.process {
        Some((known, entry)) if *known == named => Ok(Acting {
            entry: NonNull::from(&**entry),
            recent,
        }),
        // SAFETY: as above.
        _ => unsafe { keep(recent, named) },
    }
}

#[cold]
fn by_table(named: *const wharf_process) -> Result<Acting, Fault> {
    let entry = Arc::into_raw(living::process(named)?);
    Ok(Acting {
        // SAFETY: of an `Arc`, so not NULL.
        entry: unsafe { NonNull::new_unchecked(entry.cast_mut()) },
        recent: ptr::null(),
    })
}

/// Looks the process up, and keeps it for the next calls.
///
/// # Safety
/// `recent` is this thread's, and in use by the call that asks.
#[cold]
unsafe fn keep(recent: *const Recent, named: *const wharf_process) -> Result<Acting, Fault> {
    // SAFETY: the thread has it for as long as it lives.
    let recent = unsafe { &*recent };
    let entry = living::process(named).inspect_err(|_| recent.end())?;
    let acting = Acting {
        entry: NonNull::from(&*entry),
        recent,
    };
    // SAFETY: in use by this call, which has no reference into it.
    let held = unsafe { &mut *recent.held.get() };
    let before = std::mem::take(held);
    held.process = Some((named, entry));
    // What its end leads to comes back here as a call within this one.
    drop(before);
    Ok(acting)
}

impl Acting {
    /// The port that C names, in the name of the process. If there is none, it cannot be `doing` anything.
    #[inline(always)]
    pub(super) fn port(&mut self, named: wharf_port, doing: &str) -> Result<Found<'_>, Fault> {
        if self.recent.is_null() {
            return find(self, doing, named).map(Found::Now);
        }
        // SAFETY: in use by this call; no reference is made.
        let place = unsafe { &raw mut (*(*self.recent).held.get()).port };
        // SAFETY: what is borrowed from there is borrowed from this value, exclusively, and what `entry`
        // points to lies elsewhere.
        match unsafe { &*place } {
            Some(port) if port.id() == named.id() && self.process.exited().is_none() => {
                Ok(Found::Before(port))
            }
            // SAFETY: as above; the look is over.
            _ => self.look_up(unsafe { &mut *place }, named, doing),
        }
    }

    #[cold]
    fn look_up<'a>(
        &self,
        place: &'a mut Option<Port>,
        named: wharf_port,
        doing: &str,
    ) -> Result<Found<'a>, Fault> {
        let port = find(self, doing, named)?;
        drop(place.take());
        Ok(Found::Before(place.insert(port)))
    }
}

impl Deref for Acting {
    type Target = ProcessEntry;
    #[inline(always)]
    fn deref(&self) -> &ProcessEntry {
        // SAFETY: held by the `Recent`, which nobody else touches until `end`, or by this value.
        unsafe { self.entry.as_ref() }
    }
}

impl Drop for Acting {
    #[inline(always)]
    fn drop(&mut self) {
        if self.recent.is_null() {
            // SAFETY: made of one in `by_table`.
            drop(unsafe { Arc::from_raw(self.entry.as_ptr()) });
        } else {
            // SAFETY: as in `process`.
            unsafe { &*self.recent }.end();
        }
    }
}

impl Deref for Found<'_> {
    type Target = Port;
    #[inline(always)]
    fn deref(&self) -> &Port {
        match self {
            Found::Before(port) => port,
            Found::Now(port) => port,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capi::host::wharf_host;
    use crate::capi::status::wharf_status::*;
    use crate::host::Host;
    use std::sync::Barrier;

    fn host_and_process() -> (*mut wharf_host, *mut wharf_process) {
        let host = living::enter_host(Host::new().expect("a host")).expect("room");
        (host, living::enter_process(host).expect("room"))
    }

    fn is_freed(process: *const wharf_process) -> bool {
        let found = super::process(process);
        found.is_err_and(|fault| fault.status == WHARF_STATUS_FREED)
    }

    #[test]
    fn what_was_freed_is_not_found_and_not_kept() {
        let (host, process) = host_and_process();
        let weak = Arc::downgrade(&living::process(process).expect("there"));
        // What is in use is not emptied by other tests.
        let acting = super::process(process).expect("there");
        assert_eq!(weak.strong_count(), 2, "the table and this thread have it");
        drop(acting);
        drop(living::remove_process(process).expect("there"));
        assert_eq!(weak.strong_count(), 0, "this thread keeps it");
        assert!(is_freed(process));
        let other = living::enter_process(host).expect("room");
        assert!(super::process(other).is_ok());
        drop(living::remove_host(host).expect("there"));
        assert!(is_freed(other));
    }

    #[test]
    fn a_call_that_is_being_made_keeps_what_it_uses_and_no_longer() {
        let (host, process) = host_and_process();
        let entry = Arc::downgrade(&living::process(process).expect("there"));
        let acting = super::process(process).expect("there");
        drop(living::remove_host(host).expect("there"));
        assert_eq!(entry.strong_count(), 1);
        // Within the call the tables are asked.
        assert!(is_freed(process));
        drop(acting);
        assert_eq!(entry.strong_count(), 0);
        assert!(is_freed(process));
    }

    #[test]
    fn a_panic_ends_the_call_like_any_other_end() {
        let (host, process) = host_and_process();
        let status = crate::capi::export!(wharf_some_function, {
            let _me = super::process(process)?;
            panic!("on purpose")
        });
        assert_eq!(status, WHARF_STATUS_INTERNAL);
        let entry = Arc::downgrade(&living::process(process).expect("there"));
        let acting = super::process(process).expect("there");
        assert!(!acting.recent.is_null(), "the call before has not ended");
        drop(acting);
        drop(living::remove_host(host).expect("there"));
        assert_eq!(entry.strong_count(), 0);
    }

    #[test]
    fn without_a_fence_others_forget_when_they_are_used_next() {
        let (host, process) = host_and_process();
        let other = living::enter_process(host).expect("room");
        let entry = Arc::downgrade(&living::process(process).expect("there"));
        let (named, next) = (process.addr(), other.addr());
        let (used, freed) = (Barrier::new(2), Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let named = std::ptr::without_provenance(named);
                assert!(super::process(named).is_ok());
                used.wait();
                freed.wait();
                assert!(super::process(std::ptr::without_provenance(next)).is_ok());
                assert_eq!(entry.strong_count(), 0);
                assert!(is_freed(named));
            });
            used.wait();
            // As `living` does, with a kernel that refuses.
            let taken = living::take_out(process).expect("there");
            forget(|| false);
            drop(taken);
            freed.wait();
        });
        drop(living::remove_host(host).expect("there"));
    }

    #[test]
    fn threads_that_act_while_others_free_meet_a_status() {
        for _ in 0..20 {
            let (host, process) = host_and_process();
            let entry = Arc::downgrade(&living::process(process).expect("there"));
            let (named, owner) = (process.addr(), host.addr());
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(move || {
                        let process = std::ptr::without_provenance(named);
                        while !is_freed(process) {
                            std::thread::yield_now();
                        }
                        assert!(is_freed(process));
                    });
                }
                scope.spawn(move || {
                    let host = std::ptr::without_provenance(owner);
                    drop(living::remove_host(host).expect("there"));
                });
            });
            assert_eq!(entry.strong_count(), 0);
        }
    }
}

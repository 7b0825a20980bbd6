//! Whom a thread acted for last: the process and the port of its last call, found again without a look
//! at the tables, which would cost as much as the call itself.
//!
//! A thread has one [`Recent`], which it claims for the time of a call. Whoever frees a process or a
//! host empties those of all threads; one that is claimed is emptied by its thread at the end of the
//! call, as if the call had held what it uses by itself. So nothing that was freed is found, and
//! nothing is kept longer than a call. A call within a call (a driver's callback that calls the
//! library) looks at the tables.

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::living::{self, ProcessEntry};
use super::port::{find, wharf_port};
use super::process::wharf_process;
use super::status::Fault;
use crate::host::Port;
use crate::lock::Lock;

/// Nobody uses it.
const IDLE: u8 = 0;
/// Its thread does.
const CLAIMED: u8 = 1;
/// Its thread does, and is to empty it afterwards.
const DOOMED: u8 = 2;
/// Somebody else empties it.
const EMPTYING: u8 = 3;

/// See the module's text.
struct Recent {
    state: AtomicU8,
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
// SAFETY: `held` is only touched by who has brought `state` from IDLE to CLAIMED or EMPTYING, until it
// goes back to IDLE; these changes order what is done.
unsafe impl Sync for Recent {}

/// Those of all threads.
static ALL: Lock<Vec<Arc<Recent>>> = Lock::new(Vec::new());

/// A thread's own; leaves the list when the thread ends.
struct Mine(Arc<Recent>);

thread_local! {
    static MINE: Mine = Mine::new();
}

impl Mine {
    fn new() -> Mine {
        let recent = Arc::new(Recent {
            state: AtomicU8::new(IDLE),
            held: UnsafeCell::new(Held::default()),
        });
        ALL.lock().push(Arc::clone(&recent));
        Mine(recent)
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        ALL.lock().retain(|recent| !Arc::ptr_eq(recent, &self.0));
        drop(self.0.empty());
    }
}

impl Recent {
    fn claim(&self) -> Option<Claim<'_>> {
        let claimed =
            self.state
                .compare_exchange(IDLE, CLAIMED, Ordering::Acquire, Ordering::Relaxed);
        claimed.ok().map(|_| Claim(self))
    }

    /// Takes out what is there, or has its thread do it. What is given is dropped without a lock.
    fn empty(&self) -> Option<Held> {
        loop {
            let emptying =
                self.state
                    .compare_exchange(IDLE, EMPTYING, Ordering::AcqRel, Ordering::Acquire);
            match emptying {
                Ok(_) => {
                    // SAFETY: claimed by the change of state.
                    let held = std::mem::take(unsafe { &mut *self.held.get() });
                    self.state.store(IDLE, Ordering::Release);
                    return Some(held);
                }
                Err(CLAIMED) => {
                    let doomed = self.state.compare_exchange(
                        CLAIMED,
                        DOOMED,
                        Ordering::AcqRel,
                        Ordering::Relaxed,
                    );
                    if doomed.is_ok() {
                        return None;
                    }
                }
                // Somebody else sees to it, or is about to be done.
                Err(DOOMED) => return None,
                Err(_) => std::hint::spin_loop(),
            }
        }
    }
}

/// A [`Recent`] that this thread alone uses.
struct Claim<'r>(&'r Recent);

impl Claim<'_> {
    fn held(&mut self) -> &mut Held {
        // SAFETY: claimed, and borrowed no longer than the claim.
        unsafe { &mut *self.0.held.get() }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let released =
            self.0
                .state
                .compare_exchange(CLAIMED, IDLE, Ordering::Release, Ordering::Relaxed);
        if released.is_err() {
            let held = std::mem::take(self.held());
            self.0.state.store(IDLE, Ordering::Release);
            drop(held);
        }
    }
}

/// Forgets what all threads have used. For whoever has just taken a process or a host out of its table.
pub(super) fn forget_all() {
    let all = ALL.lock().clone();
    for recent in all {
        drop(recent.empty());
    }
}

/// Runs `f` for the process that C names.
#[inline]
pub(super) fn with_process<R>(
    named: *const wharf_process,
    f: impl FnOnce(&ProcessEntry) -> Result<R, Fault>,
) -> Result<R, Fault> {
    with_held(named, |entry, _| f(entry))
}

/// Runs `f` for the port that C names, in the name of a process. If there is none, it cannot be
/// `doing` anything.
#[inline]
pub(super) fn with_port<R>(
    named: *const wharf_process,
    port: wharf_port,
    doing: &str,
    f: impl FnOnce(&Port) -> Result<R, Fault>,
) -> Result<R, Fault> {
    with_held(named, |entry, recent| {
        let id = port.id();
        match recent {
            Some(Some(port)) if port.id() == id && entry.process.exited().is_none() => f(port),
            Some(place) => f(place.insert(find(entry, doing, port)?)),
            None => f(&find(entry, doing, port)?),
        }
    })
}

/// Runs `f` with the process, and with the place for its last port if this is no call within a call.
#[inline]
fn with_held<R>(
    named: *const wharf_process,
    f: impl FnOnce(&ProcessEntry, Option<&mut Option<Port>>) -> Result<R, Fault>,
) -> Result<R, Fault> {
    let mut f = Some(f);
    let done = MINE.try_with(|mine| {
        let mut claim = mine.0.claim()?;
        let f = f.take()?;
        let held = claim.held();
        if !matches!(&held.process, Some((known, _)) if *known == named) {
            let entry = match living::process(named) {
                Ok(entry) => entry,
                Err(fault) => return Some(Err(fault)),
            };
            *held = Held {
                process: Some((named, entry)),
                port: None,
            };
        }
        let Held { process, port } = held;
        let (_, entry) = process.as_ref()?;
        Some(f(entry, Some(port)))
    });
    match (done, f) {
        (Ok(Some(done)), _) => done,
        // A call within a call, or at the end of the thread.
        (_, Some(f)) => f(&*living::process(named)?, None),
        (_, None) => unreachable!("it was run, and has an answer"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capi::host::wharf_host;
    use crate::capi::status::wharf_status::*;
    use crate::host::Host;

    fn host_and_process() -> (*mut wharf_host, *mut wharf_process) {
        let host = living::enter_host(Host::new().expect("a host")).expect("room");
        (host, living::enter_process(host).expect("room"))
    }

    fn is_freed(process: *const wharf_process) -> bool {
        let found = with_process(process, |_| Ok(()));
        found.is_err_and(|fault| fault.status == WHARF_STATUS_FREED)
    }

    #[test]
    fn what_was_freed_is_not_found_and_not_kept() {
        let (host, process) = host_and_process();
        let weak = Arc::downgrade(&living::process(process).expect("there"));
        assert!(with_process(process, |_| Ok(())).is_ok());
        assert_eq!(weak.strong_count(), 2, "the table and this thread have it");
        drop(living::remove_process(process).expect("there"));
        assert_eq!(weak.strong_count(), 0, "this thread keeps it");
        assert!(is_freed(process));
        let other = living::enter_process(host).expect("room");
        assert!(with_process(other, |_| Ok(())).is_ok());
        drop(living::remove_host(host).expect("there"));
        assert!(is_freed(other));
    }

    #[test]
    fn a_call_that_is_being_made_keeps_what_it_uses_and_no_longer() {
        let (host, process) = host_and_process();
        let entry = Arc::downgrade(&living::process(process).expect("there"));
        let used = with_process(process, |_| {
            drop(living::remove_host(host)?);
            assert_eq!(entry.strong_count(), 1);
            // Within the call the tables are asked.
            assert!(is_freed(process));
            Ok(())
        });
        assert!(used.is_ok());
        assert_eq!(entry.strong_count(), 0);
        assert!(is_freed(process));
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

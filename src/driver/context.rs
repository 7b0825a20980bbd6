//! Whose code a thread runs when no callback of a port says so.
//!
//! Functions without a port, such as `erl_drv_getenv`, are about the host whose driver calls them. A
//! callback has its port; while a driver is loaded or unloaded, in a job, and in a thread that a driver
//! made, the host is noted here. For a thread that a driver made behind our back there is an answer
//! only while there is one host.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use super::callback;
use crate::lock::Lock;
use crate::port::variables::Variables;

thread_local! {
    static VARIABLES: RefCell<Option<Arc<Variables>>> = const { RefCell::new(None) };
}

/// Those of all hosts.
static HOSTS: Lock<Vec<Weak<Variables>>> = Lock::new(Vec::new());

/// There is a new host, with these variables.
pub(super) fn host_made(variables: &Arc<Variables>) {
    let mut hosts = HOSTS.lock();
    hosts.retain(|host| host.strong_count() > 0);
    hosts.push(Arc::downgrade(variables));
}

/// The variables of the only host, if there is but one.
fn only() -> Option<Arc<Variables>> {
    let hosts = HOSTS.lock();
    let mut live = hosts.iter().filter_map(Weak::upgrade);
    let first = live.next()?;
    live.next().is_none().then_some(first)
}

/// A mark on this thread; when it goes, the mark before it counts again.
pub(super) struct Mark(Option<Arc<Variables>>);

/// Marks this thread as running a driver of the host with these variables.
#[must_use]
pub(super) fn mark(variables: Arc<Variables>) -> Mark {
    Mark(VARIABLES.replace(Some(variables)))
}

/// The same for as long as the thread lives, or until it is marked again.
pub(super) fn mark_for_good(variables: &Arc<Variables>) {
    VARIABLES.with_borrow_mut(|mine| {
        if !mine
            .as_ref()
            .is_some_and(|mine| Arc::ptr_eq(mine, variables))
        {
            *mine = Some(Arc::clone(variables));
        }
    });
}

impl Drop for Mark {
    fn drop(&mut self) {
        VARIABLES.set(self.0.take());
    }
}

/// The variables of the host whose driver this thread runs.
pub(super) fn variables() -> Option<Arc<Variables>> {
    // A thread at its end, whose own data is gone, has none.
    let marked = VARIABLES.try_with(|variables| variables.borrow().clone());
    if let Ok(Some(variables)) = marked {
        return Some(variables);
    }
    let called = callback::innermost()
        .and_then(|id| callback::with_frame(id, |port, _| Arc::clone(&port.services().variables)));
    called.or_else(only)
}

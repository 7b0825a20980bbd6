//! What is to happen at a certain time.
//!
//! The kernel is told only of the earliest deadline, and only when that changes; whoever
//! waits for kernel events runs what is due ([`Timers::run_due`]).
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::lock::Lock;
use crate::os::poll::Poller;

/// What to do when the time has come; short, since every other deadline waits for it.
pub(crate) type Action = Box<dyn FnOnce() + Send>;

/// Names one deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerId {
    at: Instant,
    serial: u64,
}

impl TimerId {
    /// How long it still takes.
    pub(crate) fn time_left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}

/// See the module's text.
pub(crate) struct Timers {
    poller: Arc<Poller>,
    book: Lock<Book>,
}

#[derive(Default)]
struct Book {
    actions: BTreeMap<TimerId, Action>,
    serial: u64,
    /// What the kernel was last told.
    alarm: Option<Instant>,
}

impl Timers {
    /// No deadlines yet; `poller` will be woken for them.
    pub(crate) fn new(poller: Arc<Poller>) -> Timers {
        Timers {
            poller,
            book: Lock::new(Book::default()),
        }
    }

    /// Has `action` run at `at`, never earlier.
    pub(crate) fn set(&self, at: Instant, action: Action) -> TimerId {
        let mut book = self.book.lock();
        book.serial += 1;
        let id = TimerId {
            at,
            serial: book.serial,
        };
        book.actions.insert(id, action);
        if book.alarm.is_none_or(|alarm| at < alarm) {
            book.alarm = Some(at);
            self.tell_kernel(at);
        }
        id
    }

    /// Takes a deadline back. False when it has passed already.
    pub(crate) fn cancel(&self, id: TimerId) -> bool {
        let action = self.book.lock().actions.remove(&id);
        action.is_some()
    }

    /// Runs what is due.
    pub(crate) fn run_due(&self) {
        loop {
            let mut book = self.book.lock();
            if book.alarm.is_none() {
                return;
            }
            let now = Instant::now();
            match book.actions.first_entry() {
                Some(first) if first.key().at <= now => {
                    let action = first.remove();
                    drop(book);
                    action();
                }
                Some(first) => {
                    let at = first.key().at;
                    if book.alarm != Some(at) {
                        book.alarm = Some(at);
                        self.tell_kernel(at);
                    }
                    return;
                }
                None => {
                    book.alarm = None;
                    return;
                }
            }
        }
    }

    fn tell_kernel(&self, at: Instant) {
        if let Err(error) = self.poller.set_alarm(Some(at)) {
            tracing::error!(%error, "the kernel takes no alarm; deadlines will be late");
        }
    }
}

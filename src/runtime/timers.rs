//! What is to happen at a certain time.
//!
//! The kernel is told only of the earliest deadline, and only when that changes; whoever
//! waits for kernel events runs what is due ([`Timers::run_due`]).
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::lock::Lock;
use crate::os::errno::Errno;
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
            let told = self.poller.set_alarm(Some(at));
            drop(book);
            complain_of(told);
        }
        id
    }

    /// Takes a deadline back. False when it has passed already.
    pub(crate) fn cancel(&self, id: TimerId) -> bool {
        let action = self.book.lock().actions.remove(&id);
        action.is_some()
    }

    /// Runs what is due. The kernel is told of the next deadline before that, so that it is
    /// kept by another thread if an action takes long, and also if one panics.
    pub(crate) fn run_due(&self) {
        let mut book = self.book.lock();
        if book.alarm.is_none() {
            return;
        }
        let now = Instant::now();
        let mut due = Vec::new();
        let next = loop {
            match book.actions.first_entry() {
                Some(first) if first.key().at <= now => due.push(first.remove()),
                Some(first) => break Some(first.key().at),
                None => break None,
            }
        };
        let mut told = Ok(());
        if book.alarm != next {
            book.alarm = next;
            if let Some(at) = next {
                told = self.poller.set_alarm(Some(at));
            }
        }
        drop(book);
        complain_of(told);
        for action in due {
            if catch_unwind(AssertUnwindSafe(action)).is_err() {
                tracing::error!("the action of a deadline panicked; the others go on");
            }
        }
    }
}

/// To be called without a lock, since the log may be anybody's code.
fn complain_of(told: Result<(), Errno>) {
    if let Err(error) = told {
        tracing::error!(%error, "the kernel takes no alarm; deadlines will be late");
    }
}

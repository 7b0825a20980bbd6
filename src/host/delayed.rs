//! Messages that are sent later.
//!
//! Relies on the timers to run what is due. Promises that a message which nobody can get any more,
//! because its process has ended, is forgotten at once and not only when its time comes.
#![forbid(unsafe_code)]

use std::collections::{HashMap, HashSet};

use crate::lock::Lock;
use crate::runtime::timers::{TimerId, Timers};
use crate::term::{Pid, Reference};

/// Delayed messages that have not been sent yet.
#[derive(Default)]
pub(super) struct Delayed {
    book: Lock<Book>,
}

#[derive(Default)]
struct Book {
    messages: HashMap<Reference, Entry>,
    by_process: HashMap<Pid, HashSet<Reference>>,
}

struct Entry {
    timer: TimerId,
    to: Option<Pid>,
}

impl Delayed {
    /// Notes a message, with the process that it is for if it is for one by identity. `set` sets its
    /// timer, which finds the message noted however soon it runs.
    pub(super) fn add(&self, reference: Reference, to: Option<Pid>, set: impl FnOnce() -> TimerId) {
        let mut book = self.book.lock();
        let timer = set();
        book.messages.insert(reference, Entry { timer, to });
        if let Some(pid) = to {
            book.by_process.entry(pid).or_default().insert(reference);
        }
    }

    /// Forgets a message; its timer if it was still noted.
    pub(super) fn take(&self, reference: Reference) -> Option<TimerId> {
        let mut book = self.book.lock();
        let Entry { timer, to } = book.messages.remove(&reference)?;
        if let Some(pid) = to
            && let Some(of_process) = book.by_process.get_mut(&pid)
        {
            of_process.remove(&reference);
            if of_process.is_empty() {
                book.by_process.remove(&pid);
            }
        }
        Some(timer)
    }

    /// The timer of a message.
    pub(super) fn timer(&self, reference: Reference) -> Option<TimerId> {
        let book = self.book.lock();
        book.messages.get(&reference).map(|entry| entry.timer)
    }

    /// All that have not been sent.
    pub(super) fn all(&self) -> Vec<(Reference, TimerId)> {
        let book = self.book.lock();
        let messages = book.messages.iter();
        messages
            .map(|(reference, entry)| (*reference, entry.timer))
            .collect()
    }

    /// Forgets what was for a process that has ended.
    pub(super) fn process_exited(&self, pid: Pid, timers: &Timers) {
        let mut book = self.book.lock();
        let gone = book.by_process.remove(&pid).unwrap_or_default();
        let gone = gone
            .iter()
            .filter_map(|reference| book.messages.remove(reference));
        let gone: Vec<Entry> = gone.collect();
        drop(book);
        for entry in gone {
            timers.cancel(entry.timer);
        }
    }
}

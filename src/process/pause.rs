//! Where a thread, or a task, waits for one thing to happen.
#![forbid(unsafe_code)]

use std::task::Waker;

use crate::lock::{Lock, Signal};

/// Where a suspended thread sleeps until it may try again.
#[derive(Default)]
pub(crate) struct Pause {
    over: Lock<bool>,
    changed: Signal,
    waker: Lock<Option<Waker>>,
}

impl Pause {
    /// Ends the pause.
    pub(crate) fn end(&self) {
        *self.over.lock() = true;
        self.changed.notify_all();
        if let Some(waker) = self.waker.lock().take() {
            waker.wake();
        }
    }

    /// Whether the pause has ended.
    pub(crate) fn is_over(&self) -> bool {
        *self.over.lock()
    }

    /// Sleeps until the pause ends.
    pub(crate) fn sleep(&self) {
        let mut over = self.over.lock();
        while !*over {
            self.changed.wait(&mut over, None);
        }
    }

    /// Has `waker` woken when the pause ends. False when it already has ended.
    pub(crate) fn wake_later(&self, waker: &Waker) -> bool {
        *self.waker.lock() = Some(waker.clone());
        !self.is_over()
    }
}

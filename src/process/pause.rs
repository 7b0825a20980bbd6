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
        let waker = self.waker.lock().take();
        if let Some(waker) = waker {
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
        let before = self.waker.lock().replace(waker.clone());
        drop(before);
        !self.is_over()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::task::Wake;

    /// Looks at the pause when it is woken, as an executor that polls at once does.
    struct Eager(Arc<Pause>);

    impl Wake for Eager {
        fn wake(self: Arc<Self>) {
            assert!(!self.0.wake_later(Waker::noop()));
        }
    }

    #[test]
    fn a_task_may_be_polled_while_it_is_woken() {
        let pause = Arc::new(Pause::default());
        assert!(pause.wake_later(&Waker::from(Arc::new(Eager(Arc::clone(&pause))))));
        pause.end();
        assert!(pause.is_over());
        pause.sleep();
    }
}

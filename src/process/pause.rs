//! Where a thread, or a task, waits for one thing to happen.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::task::Waker;

use crate::lock::{Lock, Signal};
use crate::process::mailbox::Pump;

/// Where a suspended thread sleeps until it may try again.
#[derive(Default)]
pub(crate) struct Pause {
    over: Lock<bool>,
    changed: Signal,
    waker: Lock<Option<Waker>>,
    /// What a thread does meanwhile that sleeps here.
    pump: Lock<Option<Arc<dyn Pump>>>,
}

impl Pause {
    /// Ends the pause.
    pub(crate) fn end(&self) {
        *self.over.lock() = true;
        self.changed.notify_all();
        let pump = self.pump.lock().take();
        if let Some(pump) = pump {
            pump.kick();
        }
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

    /// [`Self::sleep`], but handles the kernel's events meanwhile, if nobody else does: the one that
    /// ends the pause is often among them, and then no other thread is needed for it.
    pub(crate) fn sleep_pumping(&self, pump: &Arc<dyn Pump>) {
        // Before the first look: from here on the end is a kick as well.
        *self.pump.lock() = Some(Arc::clone(pump));
        pump.pump(&|| self.is_over(), None);
        self.sleep();
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
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;
    use std::time::Instant;

    /// Looks at the pause when it is woken, as an executor that polls at once does.
    struct Eager(Arc<Pause>);

    impl Wake for Eager {
        fn wake(self: Arc<Self>) {
            assert!(!self.0.wake_later(Waker::noop()));
        }
    }

    /// A kernel whose only event ends the pause; or whose events somebody else handles.
    struct Kernel {
        pause: Arc<Pause>,
        is_free: bool,
        kicks: AtomicUsize,
    }

    impl Pump for Kernel {
        fn pump(&self, done: &dyn Fn() -> bool, _: Option<Instant>) -> bool {
            if self.is_free {
                assert!(!done());
                self.pause.end();
                assert!(done());
            }
            self.is_free
        }
        fn kick(&self) {
            self.kicks.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn kernel(is_free: bool) -> (Arc<Pause>, Arc<Kernel>, Arc<dyn Pump>) {
        let pause = Arc::new(Pause::default());
        let kernel = Arc::new(Kernel {
            pause: Arc::clone(&pause),
            is_free,
            kicks: AtomicUsize::new(0),
        });
        let pump = Arc::clone(&kernel);
        (pause, kernel, pump)
    }

    #[test]
    fn who_sleeps_handles_the_event_that_ends_the_pause() {
        let (pause, kernel, pump) = kernel(true);
        pause.sleep_pumping(&pump);
        assert!(pause.is_over());
        assert_eq!(
            kernel.kicks.load(Ordering::Relaxed),
            1,
            "it may sleep there"
        );
    }

    #[test]
    fn who_cannot_handle_events_is_woken_all_the_same() {
        let (pause, _, pump) = kernel(false);
        std::thread::scope(|scope| {
            scope.spawn(|| pause.sleep_pumping(&pump));
            pause.end();
        });
        pause.sleep_pumping(&pump);
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

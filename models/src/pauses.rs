//! The pause of a suspended sender: whoever sleeps in one, or is to be woken from one, is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use loom::thread;

use crate::mailboxes::Kernel;
use crate::process::mailbox::Pump;
use crate::process::pause::Pause;

struct Called(AtomicBool);

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(crate) fn search() {
    crate::search("pause: two threads sleep in it", || {
        let pause = Arc::new(Pause::default());
        let other = Arc::clone(&pause);
        let sleeper = thread::spawn(move || other.sleep());
        let third = Arc::clone(&pause);
        let ender = thread::spawn(move || third.end());
        pause.sleep();
        sleeper.join().unwrap();
        ender.join().unwrap();
        assert!(pause.is_over());
    });
    crate::search("pause: a thread polls the kernel in it, and one sleeps", || {
        let pause = Arc::new(Pause::default());
        let pump: Arc<dyn Pump> = Arc::new(Kernel::default());
        let (other, kernel) = (Arc::clone(&pause), Arc::clone(&pump));
        let sleeper = thread::spawn(move || other.sleep_pumping(&kernel));
        let third = Arc::clone(&pause);
        let ender = thread::spawn(move || third.end());
        pause.sleep_pumping(&pump);
        sleeper.join().unwrap();
        ender.join().unwrap();
        assert!(pause.is_over());
    });
    crate::search("pause: a task is told, or sees for itself", || {
        let pause = Arc::new(Pause::default());
        let called = Arc::new(Called(AtomicBool::new(false)));
        let other = Arc::clone(&pause);
        let ender = thread::spawn(move || other.end());
        let to_be_told = pause.wake_later(&Waker::from(Arc::clone(&called)));
        ender.join().unwrap();
        assert!(
            !to_be_told || called.0.load(Ordering::Relaxed),
            "nobody woke the task"
        );
    });
}

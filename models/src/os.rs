//! The system, as far as the files under test ask it for something.

pub(crate) mod thread {
    pub(crate) fn spawn(_: &str, body: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        loom::thread::spawn(body);
        Ok(())
    }
}

/// The kernel's help is not modelled: each side passes a fence of its own where the library's has the
/// kernel's, and so nothing is shown of what the kernel promises.
pub(crate) mod fence {
    use std::sync::atomic::AtomicBool;

    use loom::sync::atomic::{Ordering, fence};

    /// Whether the kernel is said to help, from now on.
    pub(crate) static HELPS: AtomicBool = AtomicBool::new(true);

    pub(crate) fn prepare() {}

    pub(crate) fn is_helped() -> bool {
        HELPS.load(Ordering::Relaxed)
    }

    pub(crate) fn may_be_helped() -> bool {
        !is_helped()
    }

    pub(crate) fn helped() {
        fence(Ordering::SeqCst);
    }

    pub(crate) fn help() {
        fence(Ordering::SeqCst);
    }
}

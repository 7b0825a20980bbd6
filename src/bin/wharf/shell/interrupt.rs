//! Ctrl-C while an input is evaluated.
//!
//! Relies on a descriptor that tells of SIGINT, so that no signal handler is needed: the signal
//! is blocked in every thread, and one thread reads of it. Promises that an interrupted
//! evaluation ends by the death of its process, as by `Process.exit(pid, :kill)`.
#![forbid(unsafe_code)]

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::sync::{Arc, Mutex, PoisonError};
use wharf::host::Process;
use wharf::term::Term;

/// The watch over SIGINT.
pub(super) struct Interrupts {
    running: Arc<Mutex<Option<Process>>>,
}

impl Interrupts {
    /// Takes SIGINT from this thread and all that it will start.
    pub(super) fn watch() -> Result<Interrupts, String> {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGINT);
        let told = signals
            .thread_block()
            .and_then(|()| SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC))
            .map_err(|error| format!("Ctrl-C cannot be watched: {error}"))?;
        let running: Arc<Mutex<Option<Process>>> = Arc::default();
        let watched = running.clone();
        std::thread::spawn(move || {
            while let Ok(Some(_)) = told.read_signal() {
                let process = watched
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                if let Some(process) = process {
                    let killer = process.host().process();
                    // One that has just died needs no killing.
                    let _ = killer.exit_signal(&Term::from(process.pid()), Term::atom("kill"));
                }
            }
        });
        Ok(Interrupts { running })
    }

    /// Does something that Ctrl-C may end by killing `process`.
    pub(super) fn during<R>(&self, process: &Process, work: impl FnOnce() -> R) -> R {
        self.set(Some(process.clone()));
        let result = work();
        self.set(None);
        result
    }

    fn set(&self, process: Option<Process>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = process;
    }
}

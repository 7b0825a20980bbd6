//! How a story about ports ends: no port, message, link, monitor or name is left. And a story
//! that hangs is ended, with its name.
#![forbid(unsafe_code)]
#![allow(dead_code)] // each test file uses its part

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use wharf::{Atom, Host, Process, Term};

/// Longer than anything takes on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Ends the whole test program if a story takes too long: what hangs inside the library cannot be
/// ended in another way.
pub(crate) struct Watchdog(Sender<()>);

impl Watchdog {
    pub(crate) fn new(story: &'static str) -> Watchdog {
        Watchdog::within(story, 4 * SOON)
    }

    pub(crate) fn within(story: &'static str, limit: Duration) -> Watchdog {
        let (over, wait) = channel();
        std::thread::spawn(move || {
            if wait.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                eprintln!("the story \"{story}\" hangs");
                std::process::abort();
            }
        });
        Watchdog(over)
    }
}

/// Tries until something is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came to this: {what}");
        std::thread::yield_now();
    }
}

/// A port is told to have ended a moment before it leaves the table.
#[track_caller]
pub(crate) fn wait_for_no_ports(host: &Host) {
    wait_until("no ports", || host.ports().is_empty());
}

fn fact(host: &Host, process: &Process, item: &str) -> Option<Term> {
    let pair = host.process_info(process.pid(), Atom::new(item))?;
    pair.as_tuple()?.last().cloned()
}

/// Nothing is left: no ports in the host, and nothing with those processes that live. To be called
/// when everything that was going to be told has been.
#[track_caller]
pub(crate) fn all_quiet(host: &Host, processes: &[&Process]) {
    wait_for_no_ports(host);
    let names = host.registered();
    assert!(names.is_empty(), "names are left: {names:?}");
    for process in processes {
        if process.exited().is_some() {
            continue;
        }
        for item in ["links", "monitors", "monitored_by"] {
            let left = fact(host, process, item);
            assert_eq!(left, Some(Term::Nil), "{item} are left");
        }
        if process.messages_waiting() > 0 {
            let message = process.receive_any(SOON);
            panic!("a message too many: {message:?}");
        }
    }
}

/// What a thread of the process is doing: `running`, `waiting` or `suspended`.
pub(crate) fn status(process: &Process) -> String {
    let host = process.host();
    fact(host, process, "status").map_or(String::new(), |status| status.to_string())
}

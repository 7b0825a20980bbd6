//! Where a driver's events and timers run: on the thread that noticed them, or on a worker.
//!
//! A thread that waits for a message also waits for the kernel's events, and a callback that it runs
//! at once is the shortest way from an event to a message. But a driver may take any time, and nobody
//! else's messages may wait for it. So a callback runs on the spot only where its own owner is
//! the one that waits there, and only for drivers that have not been seen to take long; all else is
//! left to the workers. A job's result goes back to such a driver on the job's own thread, which has
//! nothing else to do but the next job.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::instance::Instance;
use crate::os::clock;
use crate::port::Port;
use crate::process::party;

/// A callback that takes longer than this is slow. The coarse clock jumps by up to 10 ms, hence no
/// less than two jumps.
const SLOW_NS: i64 = 25_000_000;

/// Whether a driver was seen to take long.
#[derive(Default)]
pub(super) struct Pace(AtomicBool);

/// Whether the driver was never seen to take long.
pub(super) fn is_quick(instance: &Instance) -> bool {
    !instance.driver().pace.0.load(Ordering::Relaxed)
}

/// Whether a callback of this port may run on this thread, which was waiting for something.
pub(super) fn may_run_here(port: &Port, instance: &Instance) -> bool {
    is_quick(instance)
        && party::receiving_here().is_some_and(|waiting| port.listener() == Some(waiting))
}

/// A callback that an event or a timer brought, and that began at this time by the coarse clock, has
/// returned: notes how long it took. Gives the time it is now.
#[inline]
pub(super) fn note(port: &Port, instance: &Instance, began_ns: i64) -> i64 {
    let now_ns = clock::coarse_ns();
    let taken_ns = now_ns - began_ns;
    if taken_ns > SLOW_NS {
        note_slow(port, instance, taken_ns);
    }
    now_ns
}

#[cold]
fn note_slow(port: &Port, instance: &Instance, taken_ns: i64) {
    if !instance.driver().pace.0.swap(true, Ordering::Relaxed) {
        let taken = Duration::from_nanos(taken_ns.unsigned_abs());
        tracing::warn!(driver = %instance.driver().name(), port = %port.id(), ?taken,
            "a callback for an event took long; the driver's events run on worker threads from now on");
    }
}

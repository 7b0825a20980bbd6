//! The jobs of one port (`driver_async`): those under way, and those that are done and wait for its turn.
//!
//! The pool's thread gives a job back itself where the port's turn is free. Where it is not, the job
//! waits in a list, and one task on the turn gives back all that has come together by its time. Relies on
//! the pool and on the turn; promises that the jobs of one thread come back in the order in which they
//! were done, that what finds the port ended is freed instead, and that the port stays there and its driver
//! loaded until the last one is back: a job holds neither itself.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::sync::Arc;

use smallvec::SmallVec;

use super::abi::job::{Done, Job};
use super::drivers::Pin;
use super::instance::Instance;
use super::pace;
use crate::lock::Brief;
use crate::os::clock;
use crate::port::Port;
use crate::runtime::turn::{OnTurn, Turn, TurnCell, thread_is_on_a_turn};

/// See the module's text.
pub(super) struct PortJobs {
    /// Where there are any, a task that gives them back is on the turn.
    done: Brief<VecDeque<Done>>,
    under_way: TurnCell<UnderWay>,
}

#[derive(Default)]
struct UnderWay {
    number: usize,
    /// Keeps the port: since its first job until it has ended and the last of them is back.
    keeper: Option<Arc<Port>>,
    /// Keeps the driver loaded once the port, which did, is gone.
    pin: Option<Pin>,
}

/// How many jobs one task gives back before others have the turn, where nobody waits for it, and how
/// many it takes at once.
const BATCHES_MAX: usize = 4;
const BATCH_MAX: usize = 16;

impl PortJobs {
    fn new(turn: &Arc<Turn>) -> PortJobs {
        PortJobs {
            done: Brief::new(VecDeque::new()),
            under_way: TurnCell::new(turn, UnderWay::default()),
        }
    }

    fn take_some(&self) -> SmallVec<[Done; BATCH_MAX]> {
        let mut done = self.done.lock();
        let number = done.len().min(BATCH_MAX);
        done.drain(..number).collect()
    }
}

impl Instance {
    /// Has the pool do a job, on the thread that `key` names or on any; the thread's index is given.
    pub(super) fn begin_job(
        &self,
        on: &mut OnTurn<'_>,
        port: &Arc<Port>,
        key: Option<usize>,
        job: impl FnOnce() -> Job,
    ) -> Option<usize> {
        let keeper = &mut self.under_way(on).keeper;
        keeper.get_or_insert_with(|| Arc::clone(port));
        let lane = self.drivers_of_open(on)?.jobs().submit(key, job).ok()?;
        // It comes back on this turn, hence later.
        self.under_way(on).number += 1;
        Some(lane)
    }

    fn jobs(&self, turn: &Arc<Turn>) -> &PortJobs {
        let make = || Box::new(PortJobs::new(turn));
        self.jobs.get_or_init(make)
    }

    fn under_way<'a>(&'a self, on: &'a mut OnTurn<'_>) -> &'a mut UnderWay {
        self.jobs(on.turn()).under_way.get(on)
    }

    /// Whether jobs of this port have not come back.
    pub(super) fn has_jobs(&self, on: &mut OnTurn<'_>) -> bool {
        self.jobs.get().is_some() && self.under_way(on).number > 0
    }

    /// The port is gone: lets go of the pin when the last of its jobs is back.
    pub(super) fn pin_for_jobs(&self, on: &mut OnTurn<'_>, pin: Option<Pin>) {
        if self.has_jobs(on) {
            self.under_way(on).pin = pin;
        }
    }

    /// The port has ended: it holds itself no longer than jobs are under way.
    pub(super) fn let_go_of_port(&self, on: &mut OnTurn<'_>) {
        if self.jobs.get().is_some() {
            let under_way = self.under_way(on);
            if under_way.number == 0 {
                drop(under_way.keeper.take());
            }
        }
    }

    /// Gives one job back to the driver, or frees what is left of it; the time before and after it is given. The
    /// caller holds the port, which may have nobody else afterwards.
    fn give_back(&self, on: &mut OnTurn<'_>, port: &Arc<Port>, done: Done, began_ns: i64) -> i64 {
        let mut now_ns = began_ns;
        if self.is_live(on) {
            done.give_back(on, self.called(port, None));
            now_ns = pace::note(port, self, began_ns);
            Instance::after(on, port);
        } else {
            done.destroy(port);
        }
        let under_way = self.under_way(on);
        under_way.number -= 1;
        if under_way.number == 0 {
            drop(under_way.pin.take());
            if self.is_over() {
                self.let_go_of_port(on);
            }
        }
        now_ns
    }
}

/// A job of the port is done: its driver gets it back. Until it has, the port is kept for it, and then no more.
pub(super) fn job_done(port: &Arc<Port>, done: Done) {
    let Some(instance) = port.transport_as::<Instance>() else {
        return;
    };
    // A driver that takes its time keeps no thread from other jobs.
    if pace::is_quick(instance)
        && !thread_is_on_a_turn()
        && let Some(mut visit) = port.turn().enter_first()
    {
        let held = Arc::clone(port);
        instance.give_back(visit.on(), &held, done, clock::coarse_ns());
        drop(visit);
        drop(held);
        return;
    }
    let mut waiting = instance.jobs(port.turn()).done.lock();
    // Once it is in the list others may give it back, as soon as they have the lock.
    let first = waiting.is_empty().then(|| Arc::clone(port));
    waiting.push_back(done);
    drop(waiting);
    if let Some(port) = first {
        give_back_later(port);
    }
}

fn give_back_later(port: Arc<Port>) {
    let turn = Arc::clone(port.turn());
    turn.post(Box::new(move |on| give_all_back(on, port)));
}

/// Gives back the jobs that are done; many, by a further task.
fn give_all_back(on: &mut OnTurn<'_>, port: Arc<Port>) {
    let Some(instance) = port.transport_as::<Instance>() else {
        return;
    };
    let jobs = instance.jobs(on.turn());
    let mut now_ns = clock::coarse_ns();
    for _ in 0..BATCHES_MAX {
        let some = jobs.take_some();
        if some.is_empty() {
            return;
        }
        for done in some {
            now_ns = instance.give_back(on, &port, done, now_ns);
        }
        if on.is_awaited() {
            break;
        }
    }
    let more = !jobs.done.lock().is_empty();
    if more {
        give_back_later(port);
    }
}

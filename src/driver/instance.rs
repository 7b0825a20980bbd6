//! One open port of a driver: the back end that a port of this kind has.
//!
//! Relies on the port's turn for exclusion, and on [`callback`] to run the driver's code.
//! Promises that the driver stays loaded until the port's last callback has returned, that
//! `stop` runs exactly once after a `start` that succeeded, and that after it every function
//! called with this port fails softly.
#![forbid(unsafe_code)]

use std::mem::take;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use super::abi::lent::LentQueue;
use super::abi::misuse::{self, Rule};
use super::abi::monitor;
use super::abi::sync::PdlHandle;
use super::callback::{self, Called, Start};
use super::drivers::{Drivers, Pin};
use super::entry::Callbacks;
use super::jobs::PortJobs;
use super::ledger::HeldByPort;
use super::load::Driver;
use super::pace;
use super::select::{self, Fds, Selects};
use super::timer::Timer;
use crate::lock::Lock;
use crate::port::Port;
use crate::port::queue::Queue;
use crate::port::state::Phase;
use crate::port::transport::{Locking, Nature, Started, Transport, Unsupported};
use crate::runtime::reactor::Readiness;
use crate::runtime::turn::{Hold, OnTurn, Turn, TurnCell};
use crate::seldom::Seldom;
use crate::term::iodata::IoData;
use crate::term::{Pid, PortId, Reference, Term, decode, encode};

/// See the module's text.
pub(super) struct Instance {
    driver: Arc<Driver>,
    drivers: Weak<Drivers>,
    fds: Arc<Fds>,
    interior: TurnCell<Interior>,
    beside: Lock<Seldom<Beside>>,
    /// The same as `life` says, for those who are not on the turn.
    over: AtomicBool,
    /// Whether there is a port data lock, or was.
    pub(super) has_pdl: AtomicBool,
    /// There once the port has had a job.
    pub(super) jobs: OnceLock<Box<PortJobs>>,
}

/// What only whoever is on the turn may touch.
pub(super) struct Interior {
    /// The driver's `ErlDrvData`.
    data: usize,
    life: Life,
    /// The last word on `set_port_control_flags`.
    pub(super) control_binary: bool,
    pub(super) timer: Seldom<Timer>,
    /// How much of its time slice the running callback has used, in percent.
    pub(super) timeslice: u32,
    pub(super) selects: Seldom<Selects>,
    pub(super) ack: Ack,
    /// Keeps the driver loaded.
    count: Option<PortCount>,
}

/// What many ports never need, and what is also reached by who is not on the turn.
#[derive(Default)]
pub(super) struct Beside {
    /// The driver queue. The driver's own threads hold its port data lock when they reach it.
    pub(super) queue: Queue,
    /// What was lent out of the queue.
    pub(super) lent: LentQueue,
    /// The port data lock.
    pub(super) pdl: Option<PdlHandle>,
    /// The turn, for the callback that has made the port and goes on; whose it is.
    kept: Option<(PortId, Hold)>,
    /// What the driver acknowledged while `start` was running.
    early: Option<Result<(), Term>>,
    /// What `port_info` gives as `os_pid`.
    pub(super) os_pid: Option<i64>,
}

impl Beside {
    fn clear(&mut self) -> (Queue, LentQueue) {
        (take(&mut self.queue), take(&mut self.lent))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Not started yet. With data: made by `driver_create_port`, nothing to start.
    New { started: bool },
    /// Functions called with the port work.
    Live,
    /// `stop` has returned, or `start` failed.
    Over,
}

/// Where the acknowledgement of an open stands.
pub(super) enum Ack {
    /// The driver does not give any.
    Unwanted,
    /// `start` is running.
    Starting,
    /// Given while `start` was running.
    Early,
    /// The open is waiting for it.
    Awaited,
    /// The open is over.
    Given,
}

/// One port more that keeps its driver loaded.
pub(super) struct PortCount {
    driver: Arc<Driver>,
    /// There until the last of its ports is gone, though that may be later than the host's end.
    drivers: Option<Arc<Drivers>>,
}

impl PortCount {
    /// For a port that the registry has counted already.
    pub(super) fn counted(driver: Arc<Driver>, drivers: Option<Arc<Drivers>>) -> PortCount {
        PortCount { driver, drivers }
    }

    pub(super) fn driver(&self) -> &Arc<Driver> {
        &self.driver
    }

    /// The port is no longer counted; its driver stays loaded until the pin is dropped.
    fn into_pin(mut self) -> Option<Pin> {
        let drivers = self.drivers.take()?;
        Some(drivers.port_to_pin(&self.driver))
    }
}

impl Drop for PortCount {
    fn drop(&mut self) {
        if let Some(drivers) = &self.drivers {
            drivers.close_port(&self.driver);
        }
    }
}

impl Instance {
    /// The back end of a port that is to be opened.
    pub(super) fn new(count: PortCount, fds: Arc<Fds>, turn: &Arc<Turn>) -> Instance {
        let wants_ack = count.driver.entry.flags.init_ack();
        let life = Life::New { started: false };
        let ack = if wants_ack {
            Ack::Starting
        } else {
            Ack::Unwanted
        };
        Instance::with(count, fds, turn, 0, life, ack)
    }

    /// The back end of a port that `driver_create_port` makes.
    pub(super) fn created(
        count: PortCount,
        fds: Arc<Fds>,
        turn: &Arc<Turn>,
        data: usize,
    ) -> Instance {
        let life = Life::New { started: true };
        Instance::with(count, fds, turn, data, life, Ack::Unwanted)
    }

    fn with(
        count: PortCount,
        fds: Arc<Fds>,
        turn: &Arc<Turn>,
        data: usize,
        life: Life,
        ack: Ack,
    ) -> Instance {
        Instance {
            driver: Arc::clone(&count.driver),
            drivers: count
                .drivers
                .as_ref()
                .map_or_else(Weak::new, Arc::downgrade),
            fds,
            interior: TurnCell::new(
                turn,
                Interior {
                    data,
                    life,
                    control_binary: false,
                    timer: Seldom::default(),
                    timeslice: 0,
                    selects: Seldom::default(),
                    ack,
                    count: Some(count),
                },
            ),
            beside: Lock::new(Seldom::default()),
            over: AtomicBool::new(false),
            has_pdl: AtomicBool::new(false),
            jobs: OnceLock::new(),
        }
    }

    /// The driver's functions.
    #[inline]
    pub(super) fn callbacks(&self) -> &Callbacks {
        &self.driver.entry.callbacks
    }

    /// The driver.
    pub(super) fn driver(&self) -> &Arc<Driver> {
        &self.driver
    }

    /// The drivers of the host, as long as the port is open and the host is there.
    pub(super) fn drivers_of_open<'a>(&'a self, on: &'a mut OnTurn<'_>) -> Option<&'a Drivers> {
        self.interior.get(on).count.as_ref()?.drivers.as_deref()
    }

    /// The drivers of the host.
    pub(super) fn drivers(&self) -> Option<Arc<Drivers>> {
        self.drivers.upgrade()
    }

    /// Who has selected what.
    pub(super) fn fds(&self) -> &Arc<Fds> {
        &self.fds
    }

    /// What the turn guards.
    #[inline]
    pub(super) fn interior<'a>(&'a self, on: &'a mut OnTurn<'_>) -> &'a mut Interior {
        self.interior.get(on)
    }

    /// The driver queue, the port data lock and more.
    pub(super) fn beside(&self) -> &Lock<Seldom<Beside>> {
        &self.beside
    }

    /// How many bytes are in the driver queue.
    #[inline]
    pub(super) fn queue_bytes(&self) -> usize {
        let beside = self.beside.lock();
        beside.get().map_or(0, |beside| beside.queue.bytes())
    }

    /// Has the callback of this port that runs, and makes this one, keep the turn of this one.
    pub(super) fn keep_for(&self, maker: PortId, hold: Hold) {
        self.beside.lock().wanted().kept = Some((maker, hold));
    }

    /// Runs `f` on the turn that is kept for a port of which `is_maker` says that its callback is running
    /// on this thread.
    pub(super) fn on_kept<R>(
        &self,
        is_maker: impl FnOnce(PortId) -> bool,
        f: impl FnOnce(&mut OnTurn<'_>) -> R,
    ) -> Option<R> {
        let (maker, mut hold) = {
            let mut beside = self.beside.lock();
            let kept = &mut beside.get_mut()?.kept;
            if !kept.as_ref().is_some_and(|(maker, _)| is_maker(*maker)) {
                return None;
            }
            kept.take()?
        };
        let result = hold.run(f);
        self.keep_for(maker, hold);
        Some(result)
    }

    /// Whether the turn is kept for such a port.
    pub(super) fn is_kept(&self, is_maker: impl FnOnce(PortId) -> bool) -> bool {
        let beside = self.beside.lock();
        let kept = beside.get().and_then(|beside| beside.kept.as_ref());
        kept.is_some_and(|(maker, _)| is_maker(*maker))
    }

    /// The callback that kept the turn is over.
    pub(super) fn keep_no_longer(&self) {
        let mut beside = self.beside.lock();
        let kept = beside.get_mut().and_then(|beside| beside.kept.take());
        drop(beside);
        drop(kept);
    }

    /// A share of the port data lock, if there is one.
    #[inline]
    pub(super) fn pdl(&self) -> Option<PdlHandle> {
        if !self.has_pdl.load(Ordering::Relaxed) {
            return None;
        }
        let beside = self.beside.lock();
        Some(beside.get()?.pdl.as_ref()?.share())
    }

    /// The driver's data.
    #[inline]
    pub(super) fn data(&self, on: &mut OnTurn<'_>) -> usize {
        let interior = self.interior.get(on);
        // A callback is about to run.
        interior.timeslice = 0;
        interior.data
    }

    /// Whether `port_control` is answered with binaries.
    pub(super) fn answers_in_binaries(&self, on: &mut OnTurn<'_>) -> bool {
        self.interior.get(on).control_binary
    }

    /// Whether functions called with this port work.
    #[inline]
    pub(super) fn is_live(&self, on: &mut OnTurn<'_>) -> bool {
        self.interior.get(on).life == Life::Live
    }

    /// Whether the port is gone, for any thread and as of this moment.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// What has to be given back before the port ends.
    pub(super) fn held(&self, on: &mut OnTurn<'_>) -> HeldByPort {
        let timer = self.timer_set(on);
        HeldByPort {
            descriptors: (self.interior.get(on).selects.get())
                .map_or_else(Vec::new, Selects::waited_for),
            timer,
        }
    }

    /// `erl_drv_init_ack`.
    pub(super) fn acknowledge(&self, on: &mut OnTurn<'_>, port: &Arc<Port>, verdict: Start) {
        let interior = self.interior.get(on);
        let outcome = match verdict {
            Start::Data(data) => Ok(data),
            Start::Failed(reason) => Err(reason),
        };
        match interior.ack {
            Ack::Starting => {
                if let Ok(data) = outcome {
                    interior.data = data;
                }
                interior.ack = Ack::Early;
                self.beside.lock().wanted().early = Some(outcome.map(|_| ()));
            }
            Ack::Awaited => {
                interior.ack = Ack::Given;
                if let Ok(data) = outcome {
                    interior.data = data;
                }
                port.acknowledge(on, outcome.map(|_| ()));
            }
            Ack::Unwanted | Ack::Early | Ack::Given => {
                misuse::tell(Some(port.id()), &Rule::UnwantedAck);
            }
        }
    }

    /// The driver ends the port: an open that is still waiting comes back first, and what is
    /// queued is lost.
    pub(super) fn before_failure(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) {
        self.before_end_of_input(on, port);
        // One that was closing already shows its stop what is left.
        if port.phase(on) != Phase::Closing {
            self.clear_queue();
        }
    }

    /// The driver's input ends, which may be all that the owner wants to know: an open that is
    /// still waiting comes back first.
    pub(super) fn before_end_of_input(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) {
        let interior = self.interior.get(on);
        if let Ack::Awaited = interior.ack {
            interior.ack = Ack::Given;
            port.acknowledge(on, Ok(()));
        }
    }

    /// Empties the queue. A thread of the driver's that has the port data lock may be reading what it
    /// was lent of it, and is waited for. Tells whether there is such a lock.
    fn clear_queue(&self) -> bool {
        let mut beside = self.beside.lock();
        let Some(there) = beside.get_mut() else {
            return false;
        };
        let Some(pdl) = there.pdl.as_ref().map(PdlHandle::share) else {
            let cleared = there.clear();
            // The segments are dropped outside the short lock.
            drop(beside);
            drop(cleared);
            return false;
        };
        drop(beside);
        pdl.exclusively(|| {
            let cleared = self.beside.lock().get_mut().map(Beside::clear);
            drop(cleared);
        });
        true
    }

    pub(super) fn called<'a>(&'a self, port: &'a Arc<Port>, caller: Option<Pid>) -> Called<'a> {
        Called {
            port,
            instance: self,
            caller: caller.into(),
        }
    }

    /// After a callback: a closing port whose queue has become empty ends.
    #[inline]
    pub(super) fn after(on: &mut OnTurn<'_>, port: &Arc<Port>) {
        port.flushed(on);
    }

    /// Lets go of everything but the driver's code, which may still be on this thread's stack.
    fn wind_up(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) {
        self.cancel_timer(on, port);
        let interior = self.interior.get(on);
        interior.life = Life::Over;
        self.over.store(true, Ordering::Release);
        let count = interior.count.take();
        for (fd, waiting) in interior.selects.take().unwrap_or_default().all() {
            if waiting {
                misuse::tell(Some(port.id()), &Rule::LeftSelected(fd));
            }
            self.fds.forget(port.id(), fd);
        }
        if self.clear_queue() {
            let pdl = self.beside.lock().get_mut().map(|there| there.pdl.take());
            drop(pdl);
        }
        self.let_go_of_port(on);
        let inside = callback::innermost().is_some();
        if !inside && !self.has_jobs(on) {
            drop(count);
            return;
        }
        let pin = count.and_then(PortCount::into_pin);
        if !inside {
            self.pin_for_jobs(on, pin);
            return;
        }
        // A callback is what ended the port, and has still to return: the driver may be unloaded
        // once this task of the turn is over, not before.
        let port = Arc::clone(port);
        on.turn().post(Box::new(move |on| {
            if let Some(instance) = port.transport_as::<Instance>() {
                instance.pin_for_jobs(on, pin);
            }
        }));
    }
}

impl Transport for Instance {
    fn start(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) -> Result<Started, Term> {
        // Counted before the door was closed, and too late to be found by who closes the ports.
        if (self.drivers()).is_some_and(|drivers| drivers.is_killing(&self.driver)) {
            self.wind_up(on, port);
            return Err(Term::atom("badarg"));
        }
        let created = self.interior.get(on).life == Life::New { started: true };
        self.interior.get(on).life = Life::Live;
        if created {
            return Ok(Started::Now);
        }
        let opener = port.owner(on);
        match callback::start(on, self.called(port, Some(opener))) {
            Start::Failed(reason) => {
                self.wind_up(on, port);
                Err(reason)
            }
            Start::Data(data) => {
                let interior = self.interior.get(on);
                match std::mem::replace(&mut interior.ack, Ack::Given) {
                    Ack::Starting => {
                        interior.data = data;
                        interior.ack = Ack::Awaited;
                        Ok(Started::WhenAcknowledged)
                    }
                    Ack::Early => {
                        let early = self.beside.lock().wanted().early.take();
                        let outcome = early.unwrap_or(Ok(()));
                        if outcome.is_err() {
                            interior.data = data;
                            self.stop(on, port);
                        }
                        outcome.map(|()| Started::Now)
                    }
                    other => {
                        interior.ack = other;
                        interior.data = data;
                        Ok(Started::Now)
                    }
                }
            }
        }
    }

    #[inline]
    fn command(
        &self,
        on: &mut OnTurn<'_>,
        port: &Arc<Port>,
        caller: Option<Pid>,
        data: &mut IoData<'_>,
    ) {
        callback::output(on, self.called(port, caller), data);
        Instance::after(on, port);
    }

    fn control(
        &self,
        on: &mut OnTurn<'_>,
        port: &Arc<Port>,
        caller: Pid,
        operation: u32,
        data: &[u8],
        answer: &mut Term,
    ) -> Result<(), Unsupported> {
        let called = self.called(port, Some(caller));
        let answered = callback::control(on, called, operation, data, answer);
        Instance::after(on, port);
        answered.map_err(|_| Unsupported)
    }

    fn call(
        &self,
        on: &mut OnTurn<'_>,
        port: &Arc<Port>,
        caller: Pid,
        operation: u32,
        data: &Term,
    ) -> Result<Term, Unsupported> {
        let mut argument = encode::encode(data).map_err(|_| Unsupported)?;
        let called = self.called(port, Some(caller));
        let answer = callback::call(on, called, operation, &mut argument, |bytes| {
            Some(decode::decode(bytes).ok()?.0)
        });
        Instance::after(on, port);
        answer.map_err(|_| Unsupported)
    }

    fn queued(&self, _: &mut OnTurn<'_>) -> usize {
        self.queue_bytes()
    }

    fn flush(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) {
        callback::plain(on, "flush", self.called(port, None), |callbacks| {
            callbacks.flush
        });
    }

    fn stop(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) {
        self.cancel_timer(on, port);
        callback::plain(on, "stop", self.called(port, None), |callbacks| {
            callbacks.stop
        });
        self.wind_up(on, port);
    }

    fn process_down(&self, on: &mut OnTurn<'_>, port: &Arc<Port>, monitor: Reference) {
        callback::process_exit(on, self.called(port, None), monitor::to_raw(monitor));
    }

    fn due(&self, port: &Arc<Port>, serial: u64) {
        self.expire(port, serial);
    }

    fn ready(&self, on: &mut OnTurn<'_>, port: &Arc<Port>, fd: RawFd, readiness: Readiness) {
        select::ready(on, port, self, fd, readiness);
    }

    fn may_run_here(&self, port: &Port) -> bool {
        pace::may_run_here(port, self)
    }

    fn os_pid(&self, _: &mut OnTurn<'_>) -> Option<i64> {
        self.beside.lock().get()?.os_pid
    }

    fn nature(&self) -> Nature {
        let flags = self.driver.entry.flags;
        Nature {
            locking: if flags.port_locking() {
                Locking::Port
            } else {
                Locking::Driver
            },
            queue_limited: false,
            soft_busy: flags.soft_busy(),
        }
    }
}

//! One open port of a driver: the back end that a port of this kind has.
//!
//! Relies on the port's turn for exclusion, and on [`callback`] to run the driver's code.
//! Promises that the driver stays loaded until the port's last callback has returned, that
//! `stop` runs exactly once after a `start` that succeeded, and that after it every function
//! called with this port fails softly.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use super::abi::lent::LentQueue;
use super::abi::misuse::{self, Rule};
use super::abi::monitor;
use super::abi::sync::PdlHandle;
use super::callback::{self, Called, Start};
use super::drivers::{Drivers, Pin};
use super::entry::Callbacks;
use super::ledger::HeldByPort;
use super::load::Driver;
use super::select::{Fds, Selects};
use super::timer::Timer;
use crate::lock::Lock;
use crate::port::Port;
use crate::port::queue::Queue;
use crate::port::state::Phase;
use crate::port::transport::{Locking, Nature, Started, Transport, Unsupported};
use crate::runtime::turn::{Hold, OnTurn, Turn, TurnCell};
use crate::term::iodata::IoData;
use crate::term::{Pid, PortId, Reference, Term, decode, encode};

/// See the module's text.
pub(super) struct Instance {
    driver: Arc<Driver>,
    drivers: Weak<Drivers>,
    fds: Arc<Fds>,
    interior: TurnCell<Interior>,
    /// Also reached by the driver's own threads, which hold its port data lock then.
    queue: Lock<PortQueue>,
    /// The same as `life` says, for those who are not on the turn.
    over: AtomicBool,
    pdl: Lock<Option<PdlHandle>>,
    /// The turn, for the callback that has made the port and goes on; whose it is.
    held: Lock<Option<(PortId, Hold)>>,
}

/// What only whoever is on the turn may touch.
pub(super) struct Interior {
    /// The driver's `ErlDrvData`.
    data: usize,
    life: Life,
    /// The last word on `set_port_control_flags`.
    pub(super) control_binary: bool,
    pub(super) timer: Timer,
    /// How much of its time slice the running callback has used, in percent.
    pub(super) timeslice: u32,
    pub(super) os_pid: Option<i64>,
    pub(super) selects: Selects,
    pub(super) ack: Ack,
    /// Keeps the driver loaded.
    count: Option<PortCount>,
}

/// The queue and what was lent out of it.
#[derive(Default)]
pub(super) struct PortQueue {
    pub(super) queue: Queue,
    pub(super) lent: LentQueue,
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
    Early(Result<(), Term>),
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
    counts: bool,
}

impl PortCount {
    /// For a port that the registry has counted already.
    pub(super) fn counted(driver: Arc<Driver>, drivers: Option<Arc<Drivers>>) -> PortCount {
        PortCount {
            driver,
            drivers,
            counts: true,
        }
    }

    pub(super) fn driver(&self) -> &Arc<Driver> {
        &self.driver
    }

    /// The port is no longer counted; its driver stays loaded until the pin is dropped.
    fn into_pin(mut self) -> Option<Pin> {
        self.counts = false;
        let drivers = self.drivers.as_ref()?;
        Some(drivers.port_to_pin(&self.driver))
    }
}

impl Drop for PortCount {
    fn drop(&mut self) {
        if let Some(drivers) = self.drivers.as_ref().filter(|_| self.counts) {
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
                    timer: Timer::default(),
                    timeslice: 0,
                    os_pid: None,
                    selects: Selects::default(),
                    ack,
                    count: Some(count),
                },
            ),
            queue: Lock::new(PortQueue::default()),
            over: AtomicBool::new(false),
            pdl: Lock::new(None),
            held: Lock::new(None),
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

    /// The driver queue.
    pub(super) fn queue(&self) -> &Lock<PortQueue> {
        &self.queue
    }

    /// Has the callback of this port that runs, and makes this one, keep the turn of this one.
    pub(super) fn keep_for(&self, maker: PortId, hold: Hold) {
        *self.held.lock() = Some((maker, hold));
    }

    /// Runs `f` on the turn that is kept for a port of which `is_maker` says that its callback is running
    /// on this thread.
    pub(super) fn on_kept<R>(
        &self,
        is_maker: impl FnOnce(PortId) -> bool,
        f: impl FnOnce(&mut OnTurn<'_>) -> R,
    ) -> Option<R> {
        let (maker, mut hold) = {
            let mut held = self.held.lock();
            match &*held {
                Some((maker, _)) if is_maker(*maker) => held.take()?,
                _ => return None,
            }
        };
        let result = hold.run(f);
        *self.held.lock() = Some((maker, hold));
        Some(result)
    }

    /// Whether the turn is kept for such a port.
    pub(super) fn is_kept(&self, is_maker: impl FnOnce(PortId) -> bool) -> bool {
        let held = self.held.lock();
        held.as_ref().is_some_and(|(maker, _)| is_maker(*maker))
    }

    /// The callback that kept the turn is over.
    pub(super) fn keep_no_longer(&self) {
        let held = self.held.lock().take();
        drop(held);
    }

    /// The port data lock.
    pub(super) fn pdl(&self) -> &Lock<Option<PdlHandle>> {
        &self.pdl
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
            descriptors: self.interior.get(on).selects.waited_for(),
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
                interior.ack = Ack::Early(outcome.map(|_| ()));
            }
            Ack::Awaited => {
                interior.ack = Ack::Given;
                if let Ok(data) = outcome {
                    interior.data = data;
                }
                port.acknowledge(on, outcome.map(|_| ()));
            }
            Ack::Unwanted | Ack::Early(_) | Ack::Given => {
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
    /// was lent of it, and is waited for.
    fn clear_queue(&self) {
        let pdl = self.pdl.lock().as_ref().map(PdlHandle::share);
        let clear = || {
            // The segments are dropped outside the short lock.
            let _queue = std::mem::take(&mut *self.queue.lock());
        };
        match pdl {
            Some(pdl) => pdl.exclusively(clear),
            None => clear(),
        }
    }

    pub(super) fn called<'a>(&'a self, port: &'a Arc<Port>, caller: Option<Pid>) -> Called<'a> {
        Called {
            port,
            instance: self,
            caller,
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
        for (fd, waiting) in interior.selects.clear() {
            if waiting {
                misuse::tell(Some(port.id()), &Rule::LeftSelected(fd));
            }
            self.fds.forget(port.id(), fd);
        }
        self.clear_queue();
        let _pdl = self.pdl.lock().take();
        if callback::innermost().is_none() {
            drop(count);
            return;
        }
        // A callback is what ended the port, and has still to return: the driver may be unloaded
        // once this task of the turn is over, not before.
        let pin = count.and_then(PortCount::into_pin);
        on.turn().post(Box::new(move |_| drop(pin)));
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
                    Ack::Early(Ok(())) => Ok(Started::Now),
                    Ack::Early(Err(reason)) => {
                        interior.data = data;
                        self.stop(on, port);
                        Err(reason)
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
        self.queue.lock().queue.bytes()
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

    fn os_pid(&self, on: &mut OnTurn<'_>) -> Option<i64> {
        self.interior.get(on).os_pid
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

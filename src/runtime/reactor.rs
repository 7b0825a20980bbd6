//! From kernel events to tasks on turns.
//!
//! A watched descriptor is somebody's, who is named by a number and has a turn; an event runs their
//! handler on that turn, at once if the turn is idle and the handler may run there. One thread of its own waits for events. A thread that waits
//! for a message anyway may wait for events beside it ([`Reactor::pump`]); the kernel gives
//! an event to the thread that came last, so usually to that one, and the message that the
//! event turns into has arrived without another thread being woken.
//!
//! A pumping thread that sleeps can only be brought back through the kernel.
//! [`Reactor::kick`] does that, and since the thread of our own may catch the kick instead,
//! it then passes it on and stays away until the kick has arrived. A pumping thread that is
//! busy with a handler is only told not to go to sleep: nobody waits for it meanwhile.
//!
//! A handler or timer action that panics ends nothing but itself.
//!
//! A descriptor has one watch. Who needs it more may take it over; the watch before is silent
//! from then on, and its end changes nothing for the new one.
#![forbid(unsafe_code)]

use std::os::fd::RawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

use self::standby::Standby;
use self::vigil::Vigil;
use crate::lock::{Lock, Signal, yield_for};
use crate::os::clock;
use crate::os::errno::Errno;
use crate::os::poll::{Event, Events, Interest, Poller};
use crate::os::thread;
use crate::runtime::timers::Timers;
use crate::runtime::turn::{OnTurn, Turn};
use crate::runtime::watched::{Token, Watched};

/// What happens to a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// Reading will not block.
    pub(crate) readable: bool,
    /// Writing will not block.
    pub(crate) writable: bool,
    /// The other side is gone.
    pub(crate) hangup: bool,
}

/// Who hears of descriptors' events.
pub(crate) trait Ready: Send + Sync {
    /// Where [`Self::ready`] is called.
    fn turn(&self) -> &Arc<Turn>;

    /// Called on the turn, never after the watch ended. Events that came while the turn was taken
    /// are put together.
    fn ready(self: Arc<Self>, on: &mut OnTurn<'_>, fd: RawFd, readiness: Readiness);

    /// Whether [`Self::ready`] may run on this thread, which waits for events and must neither
    /// miss them nor stay longer than it wants. If not, a worker runs it: foreign code takes any time.
    fn may_run_here(&self) -> bool {
        true
    }
}

/// Finds who has a number; `None` once they are gone. Numbers keep nobody alive.
pub(crate) type Find = fn(u64) -> Option<Arc<dyn Ready>>;

/// See the module's text.
pub(crate) struct Reactor {
    shared: Arc<Shared>,
    /// Held while the thread is being started.
    starting: Lock<()>,
}

/// A few microseconds, or one switch of threads on a processor that both share.
const YIELDS_MAX: u32 = 16;
/// Longer than such a switch.
const YIELD_PATIENCE: Duration = Duration::from_micros(20);

/// No thread pumps.
const NOBODY: u8 = 0;
/// A thread pumps and is looking at its `done`, or at what the kernel gave it.
const LOOKING: u8 = 1;
/// As `LOOKING`, but it must look at its `done` once more before it sleeps.
const LOOKING_AGAIN: u8 = 2;
/// A thread pumps and sleeps in the kernel, or is about to.
const ASLEEP: u8 = 3;
/// As `ASLEEP`, and a wake is on its way to it.
const KICKED: u8 = 4;

struct Shared {
    poller: Arc<Poller>,
    timers: Arc<Timers>,
    watched: Watched,
    find: Find,
    /// What the pumping thread does: one of the five constants above.
    pumping: AtomicU8,
    /// Where the thread of our own waits for a kick to arrive at the pumping thread.
    arrival: (Lock<()>, Signal),
    /// Whether the thread of our own is elsewhere than in the kernel.
    own_is_out: AtomicBool,
    standby: Standby,
    /// For the pumping thread.
    vigil: Vigil,
    running: AtomicBool,
    stopped: AtomicBool,
}

/// What to do about a descriptor that is being watched already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim {
    IfFree,
    Always,
}

/// A descriptor being watched, until it is dropped.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    token: Token,
}

impl Reactor {
    /// A reactor on `poller`, which also runs what is due of `timers`; those who watch are found by `find`.
    pub(crate) fn new(poller: Arc<Poller>, timers: Arc<Timers>, find: Find) -> Reactor {
        Reactor {
            shared: Arc::new(Shared {
                poller,
                timers,
                watched: Watched::new(),
                find,
                pumping: AtomicU8::new(NOBODY),
                arrival: (Lock::new(()), Signal::new()),
                own_is_out: AtomicBool::new(false),
                standby: Standby::new(),
                vigil: Vigil::new(),
                running: AtomicBool::new(false),
                stopped: AtomicBool::new(false),
            }),
            starting: Lock::new(()),
        }
    }

    /// Starts the thread that waits for events, unless it runs. [`Self::watch`] does it by
    /// itself; whoever sets a timer has to. False when no thread can be had now.
    pub(crate) fn start(&self) -> bool {
        if self.shared.running.load(Ordering::Acquire) {
            return true;
        }
        let _starting = self.starting.lock();
        if self.shared.running.load(Ordering::Acquire) {
            return true;
        }
        let shared = Arc::clone(&self.shared);
        let started = thread::spawn("wharf_poll", move || shared.serve());
        if let Err(error) = &started {
            tracing::error!(%error, "no thread could be started to wait for events");
        }
        let running = started.is_ok();
        self.shared.running.store(running, Ordering::Release);
        running
    }

    /// Watches `fd`, which stays open as long as the watch lives, for whoever has the number `whom`.
    /// `EEXIST` if there is a watch on it already.
    pub(crate) fn watch(&self, fd: RawFd, interest: Interest, whom: u64) -> Result<Watch, Errno> {
        self.enter(fd, interest, whom, Claim::IfFree)
    }

    /// [`Self::watch`], but a watch that is there already goes silent.
    pub(crate) fn take_over(
        &self,
        fd: RawFd,
        interest: Interest,
        whom: u64,
    ) -> Result<Watch, Errno> {
        self.enter(fd, interest, whom, Claim::Always)
    }

    fn enter(
        &self,
        fd: RawFd,
        interest: Interest,
        whom: u64,
        claim: Claim,
    ) -> Result<Watch, Errno> {
        if !self.start() {
            return Err(Errno::EAGAIN);
        }
        Ok(Watch {
            token: self.shared.hold(fd, interest, whom, claim)?,
            shared: Arc::clone(&self.shared),
        })
    }

    /// Waits for events on this thread until `done` says so or `deadline` passes. False, at
    /// once, when another thread does it already or there is nothing to wait for.
    pub(crate) fn pump(&self, done: &dyn Fn() -> bool, deadline: Option<Instant>) -> bool {
        self.shared.pump(done, deadline)
    }

    /// Brings a pumping thread back to look at its `done`.
    pub(crate) fn kick(&self) {
        self.shared.kick();
    }
}

impl Drop for Reactor {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        self.shared.poller.wake();
        self.shared.standby.stop();
    }
}

impl Watch {
    /// What is watched.
    pub(crate) fn fd(&self) -> RawFd {
        self.token.fd
    }

    /// Asks for events again, or for others. `EBUSY` once another watch has the descriptor.
    pub(crate) fn rearm(&self, interest: Interest) -> Result<(), Errno> {
        let entry = self.shared.watched.entry_of(self.token);
        let _entry = entry.ok_or(Errno::EBUSY)?;
        let Token { fd, .. } = self.token;
        let poller = &self.shared.poller;
        poller.modify(&fd, self.token.number(), interest)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(mut entry) = self.shared.watched.entry_of(self.token) {
            entry.end();
            // It fails only if the descriptor was closed before, and then it is out already.
            let _ = self.shared.poller.remove(&self.token.fd);
        }
    }
}

impl Shared {
    /// Gives a descriptor to a watch.
    fn hold(&self, fd: RawFd, interest: Interest, whom: u64, claim: Claim) -> Result<Token, Errno> {
        let entry = self.watched.entry_to_be(fd);
        let mut entry = entry.ok_or(Errno::EBADF)?;
        let token = entry.next_token(fd);
        let taken_over = match self.poller.add(&fd, token.number(), interest) {
            Err(Errno::EEXIST) if claim == Claim::Always => {
                self.poller.modify(&fd, token.number(), interest)?;
                true
            }
            added => {
                added?;
                false
            }
        };
        entry.begin(token, whom);
        drop(entry);
        if taken_over {
            tracing::warn!(fd, "a watched descriptor is watched by somebody else now");
        }
        Ok(token)
    }

    fn pump(self: &Arc<Self>, done: &dyn Fn() -> bool, deadline: Option<Instant>) -> bool {
        if !self.running.load(Ordering::Acquire) || !self.step(NOBODY, LOOKING) {
            return false;
        }
        let _end = EndOfPumping(self);
        self.standby.came();
        let mut events = Events::with_capacity(16);
        while !done() && deadline.is_none_or(|deadline| Instant::now() < deadline) {
            let waited = self.wait(&mut events, deadline);
            self.look();
            self.standby.seen();
            if waited == Ok(false) {
                continue;
            }
            // Also after a failure: the alarm may have been passed on to this thread.
            self.timers.run_due();
            if waited.is_err() {
                break;
            }
            self.tell(&events);
        }
        true
    }

    /// Waits for events on the pumping thread. False when it was told to look at its `done` instead.
    fn wait(&self, events: &mut Events, deadline: Option<Instant>) -> Result<bool, Errno> {
        // Who sleeps in the kernel would be woken by what this thread looks out for.
        let alone_since_ns = self.standby.is_here().then(clock::monotonic_ns);
        let there = alone_since_ns.is_some_and(|began_ns| {
            self.vigil.keep(began_ns, || {
                self.poller.look(events);
                !events.is_empty() || self.pumping.load(Ordering::Relaxed) != LOOKING
            })
        });
        if !there {
            if !self.step(LOOKING, ASLEEP) {
                return Ok(false);
            }
            self.poller.wait(events, deadline)?;
        }
        if let Some(began_ns) = alone_since_ns {
            self.vigil.came(began_ns);
        }
        Ok(true)
    }

    /// The pumping thread goes from one state to the next. False when it is in another one.
    fn step(&self, from: u8, to: u8) -> bool {
        self.pumping
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// The pumping thread is awake and will look at its `done`: a kick has arrived.
    fn look(&self) {
        self.leave_for(LOOKING);
    }

    fn leave_for(&self, state: u8) {
        if self.pumping.swap(state, Ordering::SeqCst) == KICKED {
            drop(self.arrival.0.lock());
            self.arrival.1.notify_all();
            self.let_own_in();
        }
    }

    /// Gives the thread of our own a moment to go back to the kernel, so that the pumping thread will come
    /// after it and have the next event. In the other order each event would go to the one thread
    /// and be a kick to the other.
    fn let_own_in(&self) {
        if self.standby.is_here() {
            return;
        }
        let is_in = || !self.own_is_out.load(Ordering::Acquire);
        yield_for(YIELDS_MAX, YIELD_PATIENCE, is_in);
    }

    fn kick(&self) {
        loop {
            match self.pumping.load(Ordering::Acquire) {
                ASLEEP => {
                    if self.step(ASLEEP, KICKED) {
                        return self.poller.wake();
                    }
                }
                LOOKING => {
                    if self.step(LOOKING, LOOKING_AGAIN) {
                        return;
                    }
                }
                // Nobody to kick, or somebody who will look anyway.
                _ => return,
            }
        }
    }

    fn tell(self: &Arc<Self>, events: &Events) {
        for event in events.iter() {
            // A panic must not end the thread on which everybody's events arrive, nor
            // surface in a `receive` of somebody else.
            let tell = AssertUnwindSafe(|| self.tell_one(event));
            if catch_unwind(tell).is_err() {
                tracing::error!("the handler of an event panicked; the others go on");
            }
        }
    }

    fn tell_one(self: &Arc<Self>, event: Event) {
        let noted = self.watched.note(event);
        let Some((token, who)) = noted.and_then(|(token, whom)| Some((token, (self.find)(whom)?)))
        else {
            return;
        };
        let (shared, handler) = (Arc::clone(self), Arc::clone(&who));
        let run = move |on: &mut OnTurn<'_>| {
            if let Some(readiness) = shared.watched.take(token) {
                handler.ready(on, token.fd, readiness);
            }
        };
        if who.may_run_here() {
            who.turn().run_or_post(run);
        } else {
            who.turn().post(Box::new(run));
        }
    }

    /// The thread of our own.
    fn serve(self: &Arc<Self>) {
        let mut events = Events::with_capacity(256);
        while !self.stopped.load(Ordering::Acquire) {
            self.stand_by();
            self.own_is_out.store(false, Ordering::Release);
            let waited = self.poller.wait(&mut events, None);
            self.own_is_out.store(true, Ordering::Release);
            if let Err(error) = waited {
                tracing::error!(%error, "waiting for kernel events failed");
                return;
            }
            self.pass_kick_on();
            if !(events.has_alarm() && self.pass_alarm_on()) {
                self.timers.run_due();
            }
            self.tell(&events);
        }
    }

    fn stand_by(&self) {
        let state = || self.pumping.load(Ordering::SeqCst);
        self.standby.stand_by(
            || state() != NOBODY,
            || matches!(state(), ASLEEP | KICKED),
            || self.stopped.load(Ordering::Acquire),
        );
    }

    /// Deadlines are better kept by a thread that waits for a message anyway: it may run what is due
    /// itself, and once it waits again it is the first to hear of the next one. False when there is none.
    fn pass_alarm_on(&self) -> bool {
        let is_there = self.step(ASLEEP, KICKED);
        if is_there {
            self.pass_kick_on();
        }
        is_there
    }

    /// A kick that came here was meant for the pumping thread: sends it again, and stays
    /// out of its way. That thread is in the kernel, so this takes but a moment.
    fn pass_kick_on(&self) {
        let wanted = || self.pumping.load(Ordering::Acquire) == KICKED;
        if !wanted() {
            return;
        }
        self.poller.wake();
        let mut gate = self.arrival.0.lock();
        while wanted() && !self.stopped.load(Ordering::Acquire) {
            self.arrival.1.wait(&mut gate, None);
        }
    }
}

/// Lets another thread pump, also when `done` panicked.
struct EndOfPumping<'s>(&'s Shared);

impl Drop for EndOfPumping<'_> {
    fn drop(&mut self) {
        self.0.leave_for(NOBODY);
        self.0.standby.goes();
    }
}

mod standby;
#[cfg(test)]
mod tests;
mod vigil;

//! From kernel events to tasks on turns.
//!
//! A watched descriptor has a handler and a turn; an event runs the handler on that turn,
//! at once if the turn is idle. One thread of its own waits for events. A thread that waits
//! for a message anyway may wait for events beside it ([`Reactor::pump`]); the kernel gives
//! an event to the thread that came last, so usually to that one, and the message that the
//! event turns into has arrived without another thread being woken.
//!
//! A pumping thread can only be brought back through the kernel. [`Reactor::kick`] does
//! that, and since the thread of our own may catch the kick instead, it then passes it on
//! and stays away until the kick has arrived.
//!
//! A descriptor has one watch: who watches it after somebody else takes it over, and the
//! watch before goes silent, as in Erlang.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crate::lock::{Lock, Signal};
use crate::os::errno::Errno;
use crate::os::poll::{Event, Events, Interest, Poller};
use crate::runtime::timers::Timers;
use crate::runtime::turn::{OnTurn, Turn};
use crate::table::Table;

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

const READABLE: u8 = 1;
const WRITABLE: u8 = 2;
const HANGUP: u8 = 4;

/// Who is to hear of a descriptor's events.
pub(crate) trait Ready: Send + Sync {
    /// Called on the turn that was named with the descriptor, never after the watch ended.
    /// Events that came while the turn was taken are put together.
    fn ready(&self, on: &mut OnTurn<'_>, readiness: Readiness);
}

/// See the module's text.
pub(crate) struct Reactor {
    shared: Arc<Shared>,
    thread: OnceLock<()>,
}

struct Shared {
    poller: Arc<Poller>,
    timers: Arc<Timers>,
    sources: Table<Source>,
    /// The watch that each descriptor in the poller belongs to.
    holders: Lock<HashMap<RawFd, u64>>,
    pumping: AtomicBool,
    kicked: AtomicBool,
    /// Where the thread of our own waits for a kick to arrive at the pumping thread.
    arrival: (Lock<()>, Signal),
    running: AtomicBool,
    stopped: AtomicBool,
}

struct Source {
    turn: Arc<Turn>,
    handler: Arc<dyn Ready>,
    pending: AtomicU8,
    ended: AtomicBool,
}

/// A descriptor being watched, until it is dropped.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    source: Arc<Source>,
    token: u64,
    fd: RawFd,
}

impl Reactor {
    /// A reactor on `poller`, which also runs what is due of `timers`.
    pub(crate) fn new(poller: Arc<Poller>, timers: Arc<Timers>) -> Reactor {
        Reactor {
            shared: Arc::new(Shared {
                poller,
                timers,
                sources: Table::new(),
                holders: Lock::new(HashMap::new()),
                pumping: AtomicBool::new(false),
                kicked: AtomicBool::new(false),
                arrival: (Lock::new(()), Signal::new()),
                running: AtomicBool::new(false),
                stopped: AtomicBool::new(false),
            }),
            thread: OnceLock::new(),
        }
    }

    /// Starts the thread that waits for events, once. [`Self::watch`] does it by itself;
    /// whoever sets a timer has to.
    pub(crate) fn start(&self) {
        self.thread.get_or_init(|| {
            let shared = Arc::clone(&self.shared);
            let started = std::thread::Builder::new()
                .name("wharf_poll".to_owned())
                .spawn(move || shared.serve());
            match started {
                Ok(_) => self.shared.running.store(true, Ordering::Release),
                Err(error) => {
                    tracing::error!(%error, "no thread could be started to wait for events");
                }
            }
        });
    }

    /// Watches `fd`, which stays open as long as the watch lives; `handler` hears of its
    /// events, on `turn`.
    pub(crate) fn watch(
        &self,
        fd: RawFd,
        interest: Interest,
        turn: &Arc<Turn>,
        handler: Arc<dyn Ready>,
    ) -> Result<Watch, Errno> {
        self.start();
        let mut token = 0;
        let source = self.shared.sources.insert(|number| {
            token = number;
            Some(Arc::new(Source {
                turn: Arc::clone(turn),
                handler,
                pending: AtomicU8::new(0),
                ended: AtomicBool::new(false),
            }))
        });
        let source = source.ok_or(Errno::ENOSPC)?;
        if let Err(error) = self.shared.hold(fd, token, interest) {
            self.shared.sources.remove(token);
            return Err(error);
        }
        Ok(Watch {
            shared: Arc::clone(&self.shared),
            source,
            token,
            fd,
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
    }
}

impl Watch {
    /// Asks for events again, or for others. Without effect once another watch has the
    /// descriptor.
    pub(crate) fn rearm(&self, interest: Interest) -> Result<(), Errno> {
        let holders = self.shared.holders.lock();
        match holders.get(&self.fd) {
            Some(holder) if *holder == self.token => {
                self.shared.poller.modify(&self.fd, self.token, interest)
            }
            _ => Ok(()),
        }
    }

    /// The descriptor.
    pub(crate) fn fd(&self) -> RawFd {
        self.fd
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.source.ended.store(true, Ordering::Release);
        self.shared.sources.remove(self.token);
        let mut holders = self.shared.holders.lock();
        if holders.get(&self.fd) == Some(&self.token) {
            holders.remove(&self.fd);
            // It fails only if the descriptor was closed before, and then it is out already.
            let _ = self.shared.poller.remove(&self.fd);
        }
    }
}

thread_local! {
    /// Whether this thread is inside `pump`: then it needs no kick.
    static PUMPING_HERE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

impl Shared {
    /// Gives a descriptor to a watch, whoever had it before.
    fn hold(&self, fd: RawFd, token: u64, interest: Interest) -> Result<(), Errno> {
        let mut holders = self.holders.lock();
        match self.poller.add(&fd, token, interest) {
            Err(Errno::EEXIST) => {
                tracing::warn!(fd, "a watched descriptor is watched by somebody else now");
                self.poller.modify(&fd, token, interest)?;
            }
            added => added?,
        }
        holders.insert(fd, token);
        Ok(())
    }

    fn pump(&self, done: &dyn Fn() -> bool, deadline: Option<Instant>) -> bool {
        if !self.running.load(Ordering::Acquire)
            || PUMPING_HERE.get()
            || self.pumping.swap(true, Ordering::AcqRel)
        {
            return false;
        }
        let _end = EndOfPumping(self);
        PUMPING_HERE.set(true);
        let mut events = Events::with_capacity(16);
        while !done() && deadline.is_none_or(|deadline| Instant::now() < deadline) {
            if self.poller.wait(&mut events, deadline).is_err() {
                break;
            }
            self.kick_arrived();
            self.dispatch(&events);
        }
        true
    }

    fn kick(&self) {
        if PUMPING_HERE.get() {
            return;
        }
        self.kicked.store(true, Ordering::Release);
        self.poller.wake();
    }

    fn kick_arrived(&self) {
        if self.kicked.swap(false, Ordering::AcqRel) {
            drop(self.arrival.0.lock());
            self.arrival.1.notify_all();
        }
    }

    fn dispatch(&self, events: &Events) {
        self.timers.run_due();
        for event in events.iter() {
            if let Some(source) = self.sources.get(event.token) {
                Source::tell(&source, event);
            }
        }
    }

    /// The thread of our own.
    fn serve(&self) {
        let mut events = Events::with_capacity(256);
        while !self.stopped.load(Ordering::Acquire) {
            if let Err(error) = self.poller.wait(&mut events, None) {
                tracing::error!(%error, "waiting for kernel events failed");
                return;
            }
            self.pass_kick_on();
            self.dispatch(&events);
        }
    }

    /// A kick that came here was meant for the pumping thread: sends it again, and stays
    /// out of its way.
    fn pass_kick_on(&self) {
        let wanted = || self.kicked.load(Ordering::Acquire) && self.pumping.load(Ordering::Acquire);
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

/// Lets another thread pump, also when a handler panicked.
struct EndOfPumping<'s>(&'s Shared);

impl Drop for EndOfPumping<'_> {
    fn drop(&mut self) {
        PUMPING_HERE.set(false);
        self.0.pumping.store(false, Ordering::Release);
        self.0.kicked.store(false, Ordering::Release);
        drop(self.0.arrival.0.lock());
        self.0.arrival.1.notify_all();
    }
}

impl Source {
    fn tell(source: &Arc<Source>, event: Event) {
        let mut bits = 0;
        for (is_so, bit) in [
            (event.readable, READABLE),
            (event.writable, WRITABLE),
            (event.hangup, HANGUP),
        ] {
            bits |= if is_so { bit } else { 0 };
        }
        if source.pending.fetch_or(bits, Ordering::AcqRel) != 0 {
            return;
        }
        let task = Arc::clone(source);
        source.turn.run_or_post(move |on| {
            let bits = task.pending.swap(0, Ordering::AcqRel);
            if !task.ended.load(Ordering::Acquire) {
                task.handler.ready(
                    on,
                    Readiness {
                        readable: bits & READABLE != 0,
                        writable: bits & WRITABLE != 0,
                        hangup: bits & HANGUP != 0,
                    },
                );
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::fd::{self, pipe};
    use crate::os::poll::Mode;
    use crate::runtime::workers::Workers;
    use std::os::fd::AsRawFd;
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;

    struct Tell(Sender<(std::thread::ThreadId, Readiness)>);

    impl Ready for Tell {
        fn ready(&self, _: &mut OnTurn<'_>, readiness: Readiness) {
            self.0.send((std::thread::current().id(), readiness)).ok();
        }
    }

    const EDGE: Interest = Interest {
        readable: true,
        writable: false,
        mode: Mode::Edge,
    };

    fn reactor() -> (Reactor, Arc<Timers>) {
        let poller = Arc::new(Poller::new().expect("a poller"));
        let timers = Arc::new(Timers::new(Arc::clone(&poller)));
        (Reactor::new(poller, Arc::clone(&timers)), timers)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn events_reach_the_handler_until_the_watch_is_dropped() {
        let (reactor, _timers) = reactor();
        let turn = Turn::new(&Workers::new(1));
        let pipe = pipe().unwrap();
        let (tell, told) = channel();
        let watch = reactor
            .watch(pipe.reader.as_raw_fd(), EDGE, &turn, Arc::new(Tell(tell)))
            .unwrap();
        fd::write(&pipe.writer, b"x").unwrap();
        let (_, readiness) = told.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(readiness.readable && !readiness.hangup);
        drop(watch);
        fd::write(&pipe.writer, b"x").unwrap();
        assert!(
            told.recv().is_err(),
            "the handler is gone, and nothing was told"
        );
    }

    #[test]
    fn a_descriptor_goes_to_who_watches_it_last() {
        let (reactor, _timers) = reactor();
        let turn = Turn::new(&Workers::new(1));
        let pipe = pipe().unwrap();
        let (tell, told) = channel();
        let watch = |tell| {
            reactor
                .watch(pipe.reader.as_raw_fd(), EDGE, &turn, Arc::new(Tell(tell)))
                .unwrap()
        };
        let (silent, nothing) = channel();
        let first = watch(silent);
        let _second = watch(tell);
        first.rearm(EDGE).unwrap();
        fd::write(&pipe.writer, b"x").unwrap();
        told.recv_timeout(Duration::from_secs(10)).unwrap();
        drop(first);
        fd::write(&pipe.writer, b"x").unwrap();
        told.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(nothing.try_recv().is_err());
    }

    #[test]
    fn a_kick_brings_the_pumping_thread_back_whoever_catches_it() {
        let (reactor, _timers) = reactor();
        reactor.start();
        let done = AtomicBool::new(false);
        for _ in 0..200 {
            done.store(false, Ordering::SeqCst);
            std::thread::scope(|scope| {
                let pumping = scope.spawn(|| {
                    let pumped = reactor.pump(&|| done.load(Ordering::SeqCst), Some(soon()));
                    (pumped, Instant::now())
                });
                done.store(true, Ordering::SeqCst);
                let kicked_at = Instant::now();
                reactor.kick();
                let (pumped, back) = pumping.join().unwrap();
                assert!(pumped);
                assert!(
                    back - kicked_at < Duration::from_secs(5),
                    "the kick was lost"
                );
            });
        }
    }

    #[test]
    fn timers_run_in_order_and_not_early() {
        let (reactor, timers) = reactor();
        reactor.start();
        let (tell, told) = channel();
        let base = Instant::now();
        let mut cancelled = None;
        for (n, ms) in [(3, 30), (1, 10), (2, 20), (4, 25)] {
            let tell = tell.clone();
            let at = base + Duration::from_millis(ms);
            let id = timers.set(
                at,
                Box::new(move || {
                    assert!(Instant::now() >= at);
                    tell.send(n).ok();
                }),
            );
            if n == 4 {
                cancelled = Some(id);
            }
        }
        assert!(timers.cancel(cancelled.unwrap()));
        for n in 1..=3 {
            assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(n));
        }
        assert!(!timers.cancel(cancelled.unwrap()));
    }
}

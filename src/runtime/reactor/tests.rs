//! Events, kicks and deadlines, on real descriptors.
#![forbid(unsafe_code)]

use super::*;
use crate::os::fd::{self, pipe};
use crate::os::poll::Mode;
use crate::runtime::workers::Workers;
use crate::table::Table;
use std::os::fd::AsRawFd;
use std::sync::mpsc::{Receiver, channel};
use std::thread::ThreadId;
use std::time::Duration;

/// Somebody who watches, until dropped.
struct Watcher(u64);

struct Handler {
    turn: Arc<Turn>,
    act: Box<dyn Fn(Readiness) + Send + Sync>,
}

static HANDLERS: Table<Handler> = Table::new();

fn find(number: u64) -> Option<Arc<dyn Ready>> {
    Some(HANDLERS.get(number)?)
}

impl Ready for Handler {
    fn turn(&self) -> &Arc<Turn> {
        &self.turn
    }

    fn ready(self: Arc<Self>, _: &mut OnTurn<'_>, _: RawFd, readiness: Readiness) {
        (self.act)(readiness);
    }
}

impl Watcher {
    fn new(turn: &Arc<Turn>, act: impl Fn(Readiness) + Send + Sync + 'static) -> Watcher {
        let mut number = 0;
        HANDLERS.insert(|given| {
            number = given;
            Some(Arc::new(Handler {
                turn: Arc::clone(turn),
                act: Box::new(act),
            }))
        });
        Watcher(number)
    }

    /// One that tells what it hears.
    fn telling(turn: &Arc<Turn>) -> (Watcher, Receiver<Readiness>) {
        let (tell, told) = channel();
        let watcher = Watcher::new(turn, move |readiness| {
            tell.send(readiness).ok();
        });
        (watcher, told)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        HANDLERS.remove(self.0);
    }
}

const EDGE: Interest = Interest {
    readable: true,
    writable: false,
    mode: Mode::Edge,
};
const LONG: Duration = Duration::from_secs(10);

fn reactor() -> (Reactor, Arc<Timers>) {
    let poller = Arc::new(Poller::new().expect("a poller"));
    let timers = Arc::new(Timers::new(Arc::clone(&poller)));
    (Reactor::new(poller, Arc::clone(&timers), find), timers)
}

fn soon() -> Instant {
    Instant::now() + LONG
}

/// Returns when the events that there were before have been told.
fn after_all_that_was(reactor: &Reactor, turn: &Arc<Turn>) {
    let last = pipe().unwrap();
    let (watcher, told) = Watcher::telling(turn);
    let _watch = reactor.watch(last.reader.as_raw_fd(), EDGE, watcher.0);
    fd::write(&last.writer, b"x").unwrap();
    told.recv_timeout(LONG).unwrap();
}

#[test]
fn events_reach_the_handler_until_the_watch_is_dropped() {
    let (reactor, _timers) = reactor();
    let turn = Turn::new(&Workers::new(1));
    let pipe = pipe().unwrap();
    let (watcher, told) = Watcher::telling(&turn);
    let watch = reactor
        .watch(pipe.reader.as_raw_fd(), EDGE, watcher.0)
        .unwrap();
    fd::write(&pipe.writer, b"x").unwrap();
    let readiness = told.recv_timeout(LONG).unwrap();
    assert!(readiness.readable && !readiness.hangup);
    drop(watch);
    fd::write(&pipe.writer, b"x").unwrap();
    after_all_that_was(&reactor, &turn);
    assert!(told.try_recv().is_err());
}

#[test]
fn a_watcher_that_is_gone_hears_of_nothing() {
    let (reactor, _timers) = reactor();
    let turn = Turn::new(&Workers::new(1));
    let pipe = pipe().unwrap();
    let (watcher, told) = Watcher::telling(&turn);
    let _watch = reactor
        .watch(pipe.reader.as_raw_fd(), EDGE, watcher.0)
        .unwrap();
    drop(watcher);
    fd::write(&pipe.writer, b"x").unwrap();
    after_all_that_was(&reactor, &turn);
    assert!(told.try_recv().is_err());
}

#[test]
fn a_descriptor_that_is_taken_over_stays_so() {
    let (reactor, _timers) = reactor();
    let turn = Turn::new(&Workers::new(1));
    let pipe = pipe().unwrap();
    let number = pipe.reader.as_raw_fd();
    let (silent, nothing) = Watcher::telling(&turn);
    let first = reactor.watch(number, EDGE, silent.0).unwrap();
    let (watcher, told) = Watcher::telling(&turn);
    let refused = reactor.watch(number, EDGE, watcher.0);
    assert_eq!(refused.err(), Some(Errno::EEXIST));
    let _second = reactor.take_over(number, EDGE, watcher.0).unwrap();
    assert_eq!(first.rearm(EDGE), Err(Errno::EBUSY));
    fd::write(&pipe.writer, b"x").unwrap();
    told.recv_timeout(LONG).unwrap();
    drop(first);
    fd::write(&pipe.writer, b"x").unwrap();
    told.recv_timeout(LONG).unwrap();
    assert!(nothing.try_recv().is_err());
}

/// Drivers close what they have selected, and the number comes again.
#[test]
fn a_watch_of_a_closed_descriptor_has_nothing_to_do_with_the_next_of_that_number() {
    let (reactor, _timers) = reactor();
    let turn = Turn::new(&Workers::new(1));
    let (silent, nothing) = Watcher::telling(&turn);
    let (watcher, told) = Watcher::telling(&turn);
    let (mut first, next) = (pipe().unwrap(), pipe().unwrap());
    let number = first.reader.as_raw_fd();
    let stale = reactor.watch(number, EDGE, silent.0).unwrap();
    nix::unistd::dup2(&next.reader, &mut first.reader).unwrap();
    let _watch = reactor.watch(number, EDGE, watcher.0).unwrap();
    assert_eq!(stale.rearm(EDGE), Err(Errno::EBUSY));
    drop(stale);
    fd::write(&next.writer, b"x").unwrap();
    told.recv_timeout(LONG).unwrap();
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
fn a_panicking_handler_leaves_the_others_their_events() {
    let (reactor, timers) = reactor();
    let turn = Turn::new(&Workers::new(1));
    let pipes = [pipe().unwrap(), pipe().unwrap()];
    let bad = Watcher::new(&turn, |_| panic!("on purpose"));
    let _bad = reactor.watch(pipes[0].reader.as_raw_fd(), EDGE, bad.0);
    let (good, told) = Watcher::telling(&turn);
    let _good = reactor.watch(pipes[1].reader.as_raw_fd(), EDGE, good.0);
    let (late, rang) = channel();
    for (at, panics) in [(1, true), (2, false)] {
        let late = late.clone();
        timers.set(
            Instant::now() + Duration::from_millis(at),
            Box::new(move || {
                assert!(!panics, "on purpose");
                late.send(()).ok();
            }),
        );
    }
    fd::write(&pipes[0].writer, b"x").unwrap();
    fd::write(&pipes[1].writer, b"x").unwrap();
    // To print where a panic came from takes long under a sanitizer.
    assert!(told.recv_timeout(Duration::from_secs(60)).is_ok());
    assert!(rang.recv_timeout(Duration::from_secs(60)).is_ok());
}

/// A kick that meets the pumping thread inside a handler must not keep the thread of
/// our own from the events that this handler waits for.
#[test]
fn a_handler_that_waits_for_another_event_gets_it_in_spite_of_kicks() {
    let (reactor, _timers) = reactor();
    let workers = Workers::new(1);
    let pipes = [pipe().unwrap(), pipe().unwrap()];
    let (enter, entered) = channel();
    let (second, told) = Watcher::telling(&Turn::new(&workers));
    let told = std::sync::Mutex::new(told);
    let got = Arc::new(AtomicU8::new(0));
    let seen = Arc::clone(&got);
    let patient = Watcher::new(&Turn::new(&workers), move |_| {
        enter.send(()).ok();
        let answer = told.lock().unwrap().recv_timeout(Duration::from_secs(5));
        seen.store(1 + u8::from(answer.is_ok()), Ordering::SeqCst);
    });
    let _first = reactor.watch(pipes[0].reader.as_raw_fd(), EDGE, patient.0);
    let _second = reactor.watch(pipes[1].reader.as_raw_fd(), EDGE, second.0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            reactor.pump(&|| got.load(Ordering::SeqCst) > 0, Some(soon()));
        });
        fd::write(&pipes[0].writer, b"x").unwrap();
        entered.recv_timeout(Duration::from_secs(10)).unwrap();
        reactor.kick();
        fd::write(&pipes[1].writer, b"x").unwrap();
        let deadline = soon();
        while got.load(Ordering::SeqCst) == 0 {
            assert!(Instant::now() < deadline);
            std::thread::yield_now();
        }
        reactor.kick();
    });
    assert_eq!(
        got.load(Ordering::SeqCst),
        2,
        "the second event was kept back"
    );
}

#[test]
fn a_kick_between_the_last_look_and_the_sleep_is_not_lost() {
    let (reactor, _timers) = reactor();
    assert!(reactor.start());
    let looks = AtomicU8::new(0);
    let started = Instant::now();
    let pumped = reactor.pump(
        &|| {
            if looks.fetch_add(1, Ordering::SeqCst) == 0 {
                // What it waits for happens now, but it has looked already.
                reactor.kick();
                return false;
            }
            true
        },
        Some(soon()),
    );
    assert!(pumped);
    assert_eq!(looks.load(Ordering::SeqCst), 2);
    assert!(started.elapsed() < Duration::from_secs(5), "it slept");
}

#[test]
fn pumping_threads_that_come_and_go_lose_no_kick() {
    let (reactor, _timers) = reactor();
    reactor.start();
    let flags: [AtomicBool; 2] = Default::default();
    std::thread::scope(|scope| {
        for flag in &flags {
            let reactor = &reactor;
            scope.spawn(move || {
                let deadline = soon();
                for _ in 0..300 {
                    while !flag.load(Ordering::SeqCst) {
                        assert!(Instant::now() < deadline, "a kick was lost");
                        reactor.pump(&|| flag.load(Ordering::SeqCst), Some(deadline));
                        std::thread::yield_now();
                    }
                    flag.store(false, Ordering::SeqCst);
                }
            });
        }
        for flag in &flags {
            let reactor = &reactor;
            scope.spawn(move || {
                for _ in 0..300 {
                    flag.store(true, Ordering::SeqCst);
                    reactor.kick();
                    let deadline = soon();
                    while flag.load(Ordering::SeqCst) {
                        assert!(Instant::now() < deadline, "a kick was lost");
                        std::thread::yield_now();
                    }
                }
            });
        }
    });
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

#[test]
fn an_action_that_waits_for_a_close_deadline_has_it_kept_by_another_thread() {
    let (reactor, timers) = reactor();
    assert!(reactor.start());
    for _ in 0..20 {
        let (tell, told) = channel();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let pumping = scope.spawn(|| {
                reactor.pump(&|| done.load(Ordering::SeqCst), Some(soon()));
            });
            let inner = Arc::clone(&timers);
            let action = move || {
                let (ring, rings) = channel();
                let close = Instant::now() + Duration::from_micros(50);
                inner.set(close, Box::new(move || ring.send(()).unwrap()));
                tell.send(rings.recv_timeout(Duration::from_secs(10)).is_ok())
                    .ok();
            };
            let start = Instant::now();
            timers.set(start + Duration::from_micros(100), Box::new(action));
            // So close that the kernel is not told of it while the first runs.
            timers.set(start + Duration::from_micros(300), Box::new(|| ()));
            assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(true));
            done.store(true, Ordering::SeqCst);
            reactor.kick();
            pumping.join().unwrap();
        });
    }
}

#[test]
fn an_alarm_goes_to_the_thread_that_pumps() {
    let (reactor, timers) = reactor();
    assert!(reactor.start());
    let done = AtomicBool::new(false);
    let until = soon();
    std::thread::scope(|scope| {
        let pumping = scope.spawn(|| reactor.pump(&|| done.load(Ordering::SeqCst), Some(until)));
        let (tell, told) = channel();
        loop {
            let tell = tell.clone();
            let ring = move || tell.send(std::thread::current().id()).unwrap();
            timers.set(Instant::now(), Box::new(ring));
            let ran_on = told.recv_timeout(Duration::from_secs(10)).unwrap();
            if ran_on == pumping.thread().id() {
                break;
            }
            assert!(Instant::now() < until, "it heard of none");
        }
        done.store(true, Ordering::SeqCst);
        reactor.kick();
        assert!(pumping.join().unwrap());
    });
}

/// Pumps again and again on this thread until the thread of our own stands by.
fn be_reliable(reactor: &Reactor, pipe: &fd::Pipe, told: &Receiver<ThreadId>) {
    let until = soon();
    while !reactor.shared.standby.is_here() {
        assert!(Instant::now() < until, "it never stood by");
        fd::write(&pipe.writer, b"x").unwrap();
        let told_one = AtomicBool::new(false);
        let done = || {
            told_one.fetch_or(told.try_recv().is_ok(), Ordering::SeqCst);
            told_one.load(Ordering::SeqCst)
        };
        while !done() {
            reactor.pump(&done, Some(Instant::now() + Duration::from_millis(1)));
        }
    }
}

/// Tells on which thread it hears of something.
fn telling_where(turn: &Arc<Turn>) -> (Watcher, Receiver<ThreadId>) {
    let (tell, told) = channel();
    let watcher = Watcher::new(turn, move |_| {
        tell.send(std::thread::current().id()).ok();
    });
    (watcher, told)
}

#[test]
fn a_thread_that_is_back_soon_is_left_alone_and_stood_in_for_when_it_stays_away() {
    let (reactor, _timers) = reactor();
    let turn = Turn::new(&Workers::new(1));
    let pipe = pipe().unwrap();
    let (watcher, told) = telling_where(&turn);
    let _watch = reactor
        .watch(pipe.reader.as_raw_fd(), EDGE, watcher.0)
        .unwrap();
    for _ in 0..3 {
        be_reliable(&reactor, &pipe, &told);
        // It stays away, and the event comes all the same.
        fd::write(&pipe.writer, b"x").unwrap();
        let by = told.recv_timeout(LONG).unwrap();
        assert_ne!(by, std::thread::current().id());
        assert!(!reactor.shared.standby.is_here());
    }
}

#[test]
fn a_handler_that_keeps_a_reliable_thread_keeps_no_events_from_others() {
    let (reactor, _timers) = reactor();
    let workers = Workers::new(1);
    let pipes = [pipe().unwrap(), pipe().unwrap(), pipe().unwrap()];
    let (first, told) = telling_where(&Turn::new(&workers));
    let _first = reactor.watch(pipes[0].reader.as_raw_fd(), EDGE, first.0);
    be_reliable(&reactor, &pipes[0], &told);
    let (second, other) = Watcher::telling(&Turn::new(&workers));
    let _second = reactor.watch(pipes[1].reader.as_raw_fd(), EDGE, second.0);
    let got = Arc::new(AtomicU8::new(0));
    let seen = Arc::clone(&got);
    let writer = pipes[1].writer.try_clone().unwrap();
    let other = std::sync::Mutex::new(other);
    // Waits for an event that nobody but the thread of our own can bring.
    let patient = Watcher::new(&Turn::new(&workers), move |_| {
        fd::write(&writer, b"x").unwrap();
        let answer = other.lock().unwrap().recv_timeout(LONG);
        seen.store(1 + u8::from(answer.is_ok()), Ordering::SeqCst);
    });
    let _third = reactor.watch(pipes[2].reader.as_raw_fd(), EDGE, patient.0);
    fd::write(&pipes[2].writer, b"x").unwrap();
    reactor.pump(&|| got.load(Ordering::SeqCst) > 0, Some(soon()));
    while got.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    assert_eq!(got.load(Ordering::SeqCst), 2, "its event was kept back");
}

#[test]
fn a_reactor_ends_while_its_thread_stands_by() {
    let (reactor, _timers) = reactor();
    let turn = Turn::new(&Workers::new(1));
    let pipe = pipe().unwrap();
    let (watcher, told) = telling_where(&turn);
    let watch = reactor
        .watch(pipe.reader.as_raw_fd(), EDGE, watcher.0)
        .unwrap();
    be_reliable(&reactor, &pipe, &told);
    let shared = Arc::downgrade(&reactor.shared);
    drop((watch, reactor));
    let until = soon();
    while shared.strong_count() > 0 {
        assert!(Instant::now() < until, "its thread stays");
        std::thread::yield_now();
    }
}

//! The owner of a driver's port dies, or the port is told to end, in each state that a port can be
//! in. The states are reached for sure, by a driver that stands still where the test wants it to.
//! Whoever is linked or watches hears of one end, the driver's `stop` runs once, nothing is left.

#[path = "support/gate.rs"]
mod gate;
#[path = "support/quiet.rs"]
mod quiet;
#[path = "support/world.rs"]
mod world;

use std::thread::ScopedJoinHandle;

use gate::Gate;
use quiet::{SOON, Watchdog, all_quiet, status, wait_until};
use wharf::{Error, Host, Message, Options, Port, PortId, Process, Reference, Term};

/// The ways a port can be brought to its end from outside.
#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    OwnerNormal,
    OwnerBoom,
    OwnerKilled,
    PortNormal,
    PortBoom,
    PortKilled,
    Closed,
}

const ENDS: [End; 7] = [
    End::OwnerNormal,
    End::OwnerBoom,
    End::OwnerKilled,
    End::PortNormal,
    End::PortBoom,
    End::PortKilled,
    End::Closed,
];

impl End {
    fn reason(self) -> &'static str {
        match self {
            End::OwnerNormal | End::PortNormal | End::Closed => "normal",
            End::OwnerBoom | End::PortBoom => "boom",
            End::OwnerKilled | End::PortKilled => "killed",
        }
    }

    fn flushes(self) -> bool {
        self != End::PortKilled
    }
}

/// Somebody owns the port, somebody else watches it and is linked to it, a third one acts.
struct Story {
    host: Host,
    owner: Process,
    watcher: Process,
    actor: Process,
    gate: Gate,
    port: Port,
    monitor: Reference,
}

impl Story {
    /// A port that stands still at these places. The driver `name` is loaded by the host.
    fn new(host: &Host, name: &'static str, places: &str) -> Story {
        let (owner, watcher, actor) = (host.process(), host.process(), host.process());
        owner.set_trap_exit(true);
        watcher.set_trap_exit(true);
        let mut gate = Gate::new();
        let port = gate.open(&owner, name, places);
        watcher.link(&port.id().into()).expect("open");
        let monitor = port.on_behalf_of(&watcher).monitor();
        Story {
            host: host.clone(),
            owner,
            watcher,
            actor,
            gate,
            port,
            monitor,
        }
    }

    fn theirs(&self) -> Port {
        self.port.on_behalf_of(&self.actor)
    }

    fn id(&self) -> PortId {
        self.port.id()
    }

    fn control(&self, what: &str) {
        self.theirs().control(0, what).expect("the port is there");
    }

    /// Brings the end about. Where the port's turn is taken it happens later, except for `Closed`,
    /// whose caller waits.
    fn end(&self, end: End) {
        let port = Term::from(self.id());
        let signal = |to: &Term, reason: &str| {
            let sent = self.actor.exit_signal(to, Term::atom(reason));
            sent.expect("a process or a port");
        };
        match end {
            End::OwnerNormal => self.owner.exit(Term::atom("normal")),
            End::OwnerBoom => self.owner.exit(Term::atom("boom")),
            End::OwnerKilled => signal(&self.owner.pid().into(), "kill"),
            End::PortNormal => signal(&port, "normal"),
            End::PortBoom => signal(&port, "boom"),
            End::PortKilled => signal(&port, "kill"),
            End::Closed => self.theirs().close().expect("open"),
        }
    }

    fn exit(&self, reason: &str) -> Message {
        Message::Exit {
            from: self.id().into(),
            reason: Term::atom(reason),
        }
    }

    /// The end is told, once to everybody.
    #[track_caller]
    fn is_told(&self, reason: &str) {
        let exit = self.exit(reason);
        assert_eq!(self.watcher.next(SOON), Ok(Some(exit.clone())));
        let down = Message::Down {
            reference: self.monitor,
            object: self.id().into(),
            reason: Term::atom(reason),
        };
        assert_eq!(self.watcher.next(SOON), Ok(Some(down)));
        if self.owner.exited().is_none() {
            assert_eq!(self.owner.next(SOON), Ok(Some(exit)));
        }
    }

    /// Nothing is left, but what `stop` said to an owner who hears it.
    #[track_caller]
    fn ends_quietly(self, late: bool) {
        quiet::wait_for_no_ports(&self.host);
        if late && self.owner.exited().is_none() {
            let late = Message::Data {
                port: self.id(),
                bytes: "late".into(),
            };
            assert_eq!(self.owner.next(SOON), Ok(Some(late)));
        }
        all_quiet(&self.host, &[&self.owner, &self.watcher, &self.actor]);
        self.gate.is_quiet(&self.host);
    }
}

/// Tells a story for each end, and for a driver whose ports share a turn and one whose do not.
fn for_each_end(name: [&'static str; 2], story: impl Fn(&Host, &'static str, End)) {
    let _watchdog = Watchdog::new(name[0]);
    for (name, flags) in name.into_iter().zip(["0", "ERL_DRV_FLAG_USE_PORT_LOCKING"]) {
        let host = Host::new().expect("a host");
        let loader = host.process();
        gate::load(&loader, name, flags);
        for end in ENDS {
            story(&host, name, end);
        }
    }
}

/// A request that is under way on another thread, while the driver stands still.
type Asked<'s> = ScopedJoinHandle<'s, Result<Term, Error>>;

#[test]
fn an_idle_port_ends() {
    for_each_end(["idle_one", "idle_own"], |host, name, end| {
        let mut story = Story::new(host, name, "");
        story.end(end);
        story.is_told(end.reason());
        story.gate.reaches("x");
        story.ends_quietly(true);
    });
}

#[test]
fn a_port_with_queued_output_ends_when_it_is_out() {
    for_each_end(["queue_one", "queue_own"], |host, name, end| {
        let mut story = Story::new(host, name, "");
        story.control("q");
        story.end(end);
        story.is_told(end.reason());
        if end.flushes() {
            story.gate.reaches("f");
            assert_eq!(host.ports(), [story.id()]);
            story.control("d");
        }
        story.gate.reaches("x");
        story.ends_quietly(!end.flushes());
    });
}

#[test]
fn a_port_that_is_flushing_is_not_ended_twice() {
    for_each_end(["flush_one", "flush_own"], |host, name, end| {
        let mut story = Story::new(host, name, "");
        story.control("q");
        story.theirs().close().expect("open");
        story.is_told("normal");
        story.gate.reaches("f");
        if end != End::Closed {
            story.end(end);
        }
        // Not even a kill ends it before its output is out.
        assert!(!story.port.is_open());
        assert_eq!(host.ports(), [story.id()]);
        story.control("d");
        story.gate.reaches("x");
        story.ends_quietly(false);
    });
}

/// The owner waits at a busy port when the end comes.
fn suspended(names: [&'static str; 2], send: fn(&Story) -> bool) {
    for_each_end(names, |host, name, end| {
        let mut story = Story::new(host, name, "");
        story.control("b");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| send(&story));
            wait_until("the owner is suspended", || {
                status(&story.owner) == "suspended"
            });
            story.end(end);
            assert!(waiting.join().expect("no panic"), "{end:?}");
        });
        story.is_told(end.reason());
        story.gate.reaches("x");
        story.ends_quietly(true);
    });
}

#[test]
fn an_owner_that_waits_with_a_command_is_told() {
    suspended(["command_one", "command_own"], |story| {
        story
            .port
            .command("x")
            .is_err_and(|error| error.is("badarg"))
    });
}

#[test]
fn an_owner_that_waits_with_a_message_goes_on() {
    suspended(["send_one", "send_own"], |story| {
        let command = Term::tuple([Term::atom("command"), Term::from("x")]);
        let message = Term::tuple([story.owner.pid().into(), command]);
        story.owner.send(&story.id().into(), message).is_ok()
    });
}

/// A stranger is inside the driver when the end comes.
fn inside(names: [&'static str; 2], letter: &'static str, ask: fn(&Port) -> Result<Term, Error>) {
    for_each_end(names, |host, name, end| {
        let mut story = Story::new(host, name, letter);
        let stranger = story.port.on_behalf_of(&host.process());
        std::thread::scope(|scope| {
            let asked: Asked<'_> = scope.spawn(|| ask(&stranger));
            story.gate.reaches(&letter.replace('o', "ox"));
            match end {
                End::Closed => {
                    // Its caller waits for the turn; whether it does by now makes no difference.
                    let closing = scope.spawn(|| story.port.close());
                    story.gate.let_go();
                    closing.join().expect("no panic").expect("open");
                }
                end => {
                    story.end(end);
                    assert_eq!(host.ports(), [story.id()]);
                    story.gate.let_go();
                }
            }
            asked
                .join()
                .expect("no panic")
                .expect("it was asked before");
        });
        story.is_told(end.reason());
        story.gate.reaches("x");
        story.ends_quietly(true);
    });
}

#[test]
fn a_port_inside_a_control_ends_after_it() {
    inside(["control_one", "control_own"], "c", |port| {
        port.control(u32::from(b'g'), "")
    });
}

#[test]
fn a_port_inside_a_call_ends_after_it() {
    inside(["call_one", "call_own"], "l", |port| {
        port.call(0, Term::from(7))
    });
}

#[test]
fn a_port_inside_a_command_ends_after_it() {
    inside(["output_one", "output_own"], "o", |port| {
        port.command("x").map(|()| Term::Nil)
    });
}

/// The port is being closed, on another thread, and stands in the driver's `flush` or `stop`.
fn closing(names: [&'static str; 2], letter: &'static str) {
    for_each_end(names, |host, name, end| {
        let mut story = Story::new(host, name, letter);
        let stranger = story.port.on_behalf_of(&host.process());
        if letter == "f" {
            story.control("q");
        }
        std::thread::scope(|scope| {
            let closing = scope.spawn(|| stranger.close());
            story.gate.reaches(letter);
            // Everybody knows, though the driver has not done its part.
            story.is_told("normal");
            assert!(!story.port.is_open());
            if end != End::Closed {
                story.end(end);
            }
            story.gate.let_go();
            closing.join().expect("no panic").expect("open");
        });
        if letter == "f" {
            story.control("d");
            story.gate.reaches("x");
        }
        story.ends_quietly(letter == "x");
    });
}

#[test]
fn a_port_inside_its_flush_is_not_ended_twice() {
    closing(["inflush_one", "inflush_own"], "f");
}

#[test]
fn a_port_inside_its_stop_is_not_ended_twice() {
    closing(["instop_one", "instop_own"], "x");
}

#[test]
fn a_port_after_the_end_of_its_input_ends() {
    for_each_end(["eof_one", "eof_own"], |host, name, end| {
        let mut story = Story::new(host, name, "");
        let mut gate = Gate::new();
        let options = Options::new().binary().eof();
        let port = story
            .owner
            .open(gate.name(name, ""), options)
            .expect("it starts");
        gate.reaches("s");
        port.on_behalf_of(&story.actor)
            .control(0, "e")
            .expect("open");
        let eof = Message::Eof { port: port.id() };
        assert_eq!(story.owner.next(SOON), Ok(Some(eof)));
        port.close().expect("it stays until it is closed");
        assert!(story.owner.next(SOON).is_ok_and(|exit| exit.is_some()));
        gate.reaches("x");
        assert!(story.owner.next(SOON).is_ok_and(|late| late.is_some()));
        story.end(end);
        story.is_told(end.reason());
        story.gate.reaches("x");
        story.ends_quietly(true);
    });
}

/// The port changes hands while it is inside the driver, and its old owner dies meanwhile.
#[test]
fn a_port_that_is_being_connected_ends_with_whom_it_is_linked_to() {
    for_each_end(["connect_one", "connect_own"], |host, name, end| {
        let mut story = Story::new(host, name, "c");
        let heir = host.process();
        heir.set_trap_exit(true);
        let stranger = story.port.on_behalf_of(&host.process());
        let message = Term::tuple([
            story.owner.pid().into(),
            Term::tuple([Term::atom("connect"), heir.pid().into()]),
        ]);
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| stranger.control(u32::from(b'g'), ""));
            story.gate.reaches("c");
            story
                .actor
                .send(&story.id().into(), message)
                .expect("a port");
            if end != End::Closed {
                story.end(end);
            }
            story.gate.let_go();
            asked.join().expect("no panic").expect("open");
        });
        if story.owner.exited().is_none() {
            let connected = Message::Connected { port: story.id() };
            assert_eq!(story.owner.next(SOON), Ok(Some(connected)));
        }
        // An old owner that is linked does no harm when it ends normally.
        let end = match end {
            End::OwnerNormal => End::Closed,
            end => end,
        };
        if end == End::Closed {
            let owner = story.port.info("connected");
            assert_eq!(owner, Some(Term::from(heir.pid())));
            story.end(End::Closed);
        }
        story.is_told(end.reason());
        story.gate.reaches("x");
        let late = Message::Data {
            port: story.id(),
            bytes: "late".into(),
        };
        assert_eq!(
            heir.next(SOON),
            Ok(Some(late)),
            "it is the owner, and not linked"
        );
        all_quiet(host, &[&heir]);
        story.ends_quietly(false);
    });
}

/// Somebody linked to both the port and its owner dies: the owner hears of the port's end before
/// it hears what the driver says while it stops, whoever's death began it all.
#[test]
fn the_end_of_a_port_is_told_before_its_driver_stops() {
    for_each_end(["before_one", "before_own"], |host, name, end| {
        if end != End::PortBoom {
            return;
        }
        let mut story = Story::new(host, name, "x");
        let third = host.process();
        third.link(&story.id().into()).expect("open");
        std::thread::scope(|scope| {
            scope.spawn(|| third.exit(Term::atom("boom")));
            story.gate.reaches("x");
            story.is_told("boom");
            story.gate.let_go();
        });
        story.ends_quietly(true);
    });
}

/// What a dying process tells other processes does not wait for a driver that is slow to stop.
#[test]
fn a_slow_stop_keeps_the_death_of_its_owner_from_nobody() {
    for_each_end(["slow_one", "slow_own"], |host, name, end| {
        if end != End::OwnerBoom {
            return;
        }
        let mut story = Story::new(host, name, "x");
        let friend = host.process();
        friend.set_trap_exit(true);
        friend.link(&story.owner.pid().into()).expect("alive");
        let monitor = friend.monitor(&Term::atom("process"), &story.owner.pid().into());
        std::thread::scope(|scope| {
            scope.spawn(|| story.owner.exit(Term::atom("boom")));
            story.gate.reaches("x");
            let exit = Message::Exit {
                from: story.owner.pid().into(),
                reason: Term::atom("boom"),
            };
            assert_eq!(friend.next(SOON), Ok(Some(exit)));
            let down = Message::Down {
                reference: monitor.expect("a process"),
                object: story.owner.pid().into(),
                reason: Term::atom("boom"),
            };
            assert_eq!(friend.next(SOON), Ok(Some(down)));
            story.is_told("boom");
            story.gate.let_go();
        });
        all_quiet(host, &[&friend]);
        story.ends_quietly(false);
    });
}

/// Nor for one that watches it, and takes long to hear of it.
#[test]
fn a_slow_watcher_keeps_a_death_from_nobody() {
    for_each_end(["watch_one", "watch_own"], |host, name, end| {
        if end != End::Closed {
            return;
        }
        let mut story = Story::new(host, name, "e");
        let (mortal, friend) = (host.process(), host.process());
        let watched = story.port.on_behalf_of(&mortal).control(0, "m");
        watched.expect("the driver answers");
        let mortal_pid = Term::from(mortal.pid());
        let reference = friend.monitor(&Term::atom("process"), &mortal_pid);
        std::thread::scope(|scope| {
            scope.spawn(|| mortal.exit(Term::atom("boom")));
            story.gate.reaches("e");
            let down = Message::Down {
                reference: reference.expect("a process"),
                object: mortal_pid.clone(),
                reason: Term::atom("boom"),
            };
            assert_eq!(friend.next(SOON), Ok(Some(down)));
            story.gate.let_go();
        });
        story.end(end);
        story.is_told("normal");
        story.gate.reaches("x");
        all_quiet(host, &[&friend]);
        story.ends_quietly(true);
    });
}

/// The owner dies while the driver's `start` stands still: the port opens for nobody, and closes.
#[test]
fn an_owner_dies_while_its_port_starts() {
    for_each_end(["start_one", "start_own"], |host, name, end| {
        let owner = host.process();
        let mut gate = Gate::new();
        let wanted = gate.name(name, "s");
        std::thread::scope(|scope| {
            let opening = scope.spawn(|| owner.open(wanted, Options::new()));
            gate.reaches("s");
            owner.exit(Term::atom(end.reason()));
            assert!(!opening.is_finished());
            gate.let_go();
            drop(opening.join().expect("no panic"));
        });
        gate.reaches("x");
        all_quiet(host, &[]);
        gate.is_quiet(host);
    });
}

/// The driver has not said yet whether its port opens.
#[test]
fn an_owner_dies_while_it_waits_for_an_acknowledgement() {
    let _watchdog = Watchdog::new("acknowledgement");
    let host = Host::new().expect("a host");
    let loader = host.process();
    gate::load(&loader, "ack_drv", "ERL_DRV_FLAG_USE_INIT_ACK");
    for end in [None, Some("normal"), Some("boom"), Some("kill")] {
        let owner = host.process();
        let mut gate = Gate::new();
        let name = gate.name("ack_drv", "");
        std::thread::scope(|scope| {
            let opening = scope.spawn(|| owner.open(name, Options::new()));
            gate.reaches("s");
            wait_until("the owner waits", || status(&owner) == "suspended");
            match end {
                None => gate.acknowledge(b'o'),
                Some("kill") => {
                    let owner = Term::from(owner.pid());
                    loader
                        .exit_signal(&owner, Term::atom("kill"))
                        .expect("alive");
                }
                Some(reason) => owner.exit(Term::atom(reason)),
            }
            let opened = opening.join().expect("no panic");
            assert_eq!(opened.is_ok(), end.is_none(), "{opened:?}");
            match opened {
                Ok(port) => {
                    gate.reaches("i");
                    port.close().expect("open");
                }
                // Too late, and nobody is harmed by it.
                Err(_) => gate.acknowledge(b'o'),
            }
        });
        gate.reaches("x");
        quiet::wait_for_no_ports(&host);
        gate.is_quiet(&host);
    }
    all_quiet(&host, &[&loader]);
}

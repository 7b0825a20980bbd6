//! What holds for every port, told with a back end that does as it is told.
#![forbid(unsafe_code)]

mod awkward;
mod events;
mod jobs;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::port::Port as Core;
use crate::port::options::Options;
use crate::port::transport::{Locking, Nature, Started, Transport, Unsupported};
use crate::runtime::turn::{OnTurn, Turn, TurnCell};
use crate::term::iodata::IoData;
use crate::term::{Binary, Reference, Term, atom};

/// Echoes, and obeys `busy`, `ready`, `fail`, `eof`, `leave`, `keep N` and `drain`.
struct Puppet {
    kept: TurnCell<usize>,
    soft_busy: bool,
}

impl Transport for Puppet {
    fn start(&self, _: &mut OnTurn<'_>, _: &Arc<Core>) -> Result<Started, Term> {
        Ok(Started::Now)
    }

    fn command(
        &self,
        on: &mut OnTurn<'_>,
        port: &Arc<Core>,
        _: Option<Pid>,
        data: &mut IoData<'_>,
    ) {
        match &*data.flat() {
            b"busy" => port.set_busy(on, true),
            b"ready" => port.set_busy(on, false),
            b"fail" => port.fail(on, Term::atom("epipe")),
            b"leave" => port.fail_unlinked(on, Term::atom("eio")),
            b"eof" => port.end_of_input(on, Some(3)),
            b"keep" => *self.kept.get(on) += 10,
            other => port.deliver_bytes(on, other),
        }
    }

    fn control(
        &self,
        on: &mut OnTurn<'_>,
        port: &Arc<Core>,
        _: Pid,
        operation: u32,
        data: &[u8],
        _: &mut Term,
    ) -> Result<(), Unsupported> {
        match operation {
            0 => {
                *self.kept.get(on) = 0;
                port.flushed(on);
                Ok(())
            }
            1 => {
                port.set_busy(on, !data.is_empty());
                Ok(())
            }
            _ => Err(Unsupported),
        }
    }

    fn queued(&self, on: &mut OnTurn<'_>) -> usize {
        *self.kept.get(on)
    }

    fn flush(&self, _: &mut OnTurn<'_>, _: &Arc<Core>) {}

    fn stop(&self, on: &mut OnTurn<'_>, port: &Arc<Core>) {
        port.deliver_bytes(on, b"last words");
    }

    fn nature(&self) -> Nature {
        Nature {
            locking: Locking::Port,
            queue_limited: false,
            soft_busy: self.soft_busy,
        }
    }
}

fn puppet(me: &Process, options: Options) -> Term {
    let services = me.host().services();
    let turn = Turn::new(&services.workers);
    let back_end = Box::new(Puppet {
        kept: TurnCell::new(&turn, 0),
        soft_busy: false,
    });
    let port = Core::open(
        services,
        turn,
        (*b"puppet").into(),
        options,
        me.cell(),
        back_end,
    );
    Term::Port(port.expect("a port").id())
}

fn setting() -> (Host, Process) {
    let host = Host::new().expect("a host");
    let me = host.process();
    me.set_trap_exit(true);
    (host, me)
}

fn binary(text: &str) -> Term {
    Term::Binary(Binary::from(text))
}

fn pair(a: impl Into<Term>, b: impl Into<Term>) -> Term {
    Term::tuple([a.into(), b.into()])
}

fn command(me: &Process, port: &Term, text: &str) -> Result<bool, Raise> {
    me.port_command(port, &binary(text), &Term::Nil)
}

fn soon() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(10))
}

fn next(me: &Process) -> Term {
    let message = me.receive(|message| Some(message.clone()), soon());
    message.expect("alive").expect("a message in time")
}

fn quiet(me: &Process) -> bool {
    me.messages_waiting() == 0
}

fn exit(port: &Term, reason: &str) -> Term {
    Term::tuple([Term::Atom(atom::EXIT), port.clone(), Term::atom(reason)])
}

fn data(port: &Term, text: &str) -> Term {
    pair(
        port.clone(),
        pair(atom::DATA, Term::bytes_list(Binary::from(text))),
    )
}

#[test]
fn the_end_is_told_to_links_then_monitors_then_the_one_who_asked() {
    let (_host, me) = setting();
    let port = puppet(&me, Options::new());
    let monitor = me.monitor(&Term::Atom(atom::PORT), &port).expect("a port");
    me.send(&port, pair(me.pid(), atom::CLOSE)).expect("sent");
    assert_eq!(next(&me), exit(&port, "normal"));
    let down = next(&me);
    assert_eq!(down.as_tuple().map(|d| d[1].clone()), Some(monitor.into()));
    assert_eq!(next(&me), data(&port, "last words"));
    assert_eq!(next(&me), pair(port.clone(), atom::CLOSED));
    assert_eq!(
        command(&me, &port, "x").unwrap_err().reason,
        Term::Atom(atom::BADARG)
    );
    assert_eq!(me.port_info(&port), Ok(Term::Atom(atom::UNDEFINED)));
    assert!(quiet(&me));
}

#[test]
fn a_queue_keeps_a_closed_port_until_it_is_drained_even_when_it_is_killed() {
    let (_host, me) = setting();
    for killed in [false, true] {
        let port = puppet(&me, Options::new());
        command(&me, &port, "keep").expect("open");
        me.port_close(&port).expect("open");
        assert_eq!(next(&me), exit(&port, "normal"));
        assert!(me.port_close(&port).is_err());
        assert_ne!(me.port_info(&port), Ok(Term::Atom(atom::UNDEFINED)));
        if killed {
            me.exit_signal(&port, Term::Atom(atom::KILL))
                .expect("a port");
            assert_ne!(me.port_info(&port), Ok(Term::Atom(atom::UNDEFINED)));
        }
        let drained = me.port_control(&port, &0.into(), &Term::Nil);
        assert_eq!(drained, Ok(Term::Nil));
        assert_eq!(me.port_info(&port), Ok(Term::Atom(atom::UNDEFINED)));
        assert!(quiet(&me), "nothing is heard from a port that was flushing");
    }
}

#[test]
fn a_suspended_sender_goes_on_when_the_port_is_ready_closed_or_itself_killed() {
    let (host, me) = setting();
    for ending in ["ready", "close", "kill"] {
        let port = puppet(&me, Options::new());
        command(&me, &port, "busy").expect("open");
        assert_eq!(
            me.port_command(
                &port,
                &binary("x"),
                &Term::list(vec![Term::atom("nosuspend")])
            ),
            Ok(false)
        );
        let other = host.process();
        let pid = other.pid();
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| command(&other, &port, "late"));
            let suspended = Term::tuple([Term::atom("status"), Term::atom("suspended")]);
            let deadline = soon().unwrap();
            while host.process_info(pid, Atom::new("status")) != Some(suspended.clone()) {
                assert!(Instant::now() < deadline, "the sender was never suspended");
                std::thread::yield_now();
            }
            match ending {
                "ready" => drop(me.port_control(&port, &1.into(), &Term::Nil)),
                "close" => me.port_close(&port).expect("open"),
                _ => me
                    .exit_signal(&pid.into(), Term::Atom(atom::KILL))
                    .expect("sent"),
            }
            let outcome = sender.join().expect("no panic");
            assert_eq!(outcome.is_ok(), ending == "ready");
        });
        if ending == "ready" {
            assert_eq!(next(&me), data(&port, "late"));
        }
        let _ = me.port_close(&port);
        while !quiet(&me) {
            next(&me);
        }
    }
}

#[test]
fn an_owner_is_told_of_failures_by_exit_and_driver_exit_leaves_it_out() {
    let (host, me) = setting();
    let port = puppet(&me, Options::new());
    assert_eq!(command(&me, &port, "fail"), Ok(true));
    assert_eq!(next(&me), exit(&port, "epipe"));
    assert_eq!(next(&me), data(&port, "last words"));

    let port = puppet(&me, Options::new());
    let other = host.process();
    other.set_trap_exit(true);
    other.link(&port).expect("open");
    assert_eq!(command(&me, &port, "leave"), Ok(true));
    assert_eq!(next(&other), exit(&port, "eio"));
    assert_eq!(next(&me), data(&port, "last words"));
    assert!(quiet(&me));
}

#[test]
fn the_end_of_input_closes_unless_eof_was_asked_for() {
    let (_host, me) = setting();
    let port = puppet(&me, Options::new().eof().line(10).binary());
    command(&me, &port, "ab\ncd").expect("open");
    command(&me, &port, "eof").expect("open");
    let line = |kind, text| pair(port.clone(), pair(atom::DATA, pair(kind, binary(text))));
    assert_eq!(next(&me), line(atom::EOL, "ab"));
    let status = pair(Term::atom("exit_status"), 3_i64);
    assert_eq!(next(&me), pair(port.clone(), status));
    assert_eq!(next(&me), line(atom::NOEOL, "cd"));
    assert_eq!(next(&me), pair(port.clone(), atom::EOF));
    assert!(me.port_close(&port).is_ok());
}

#[test]
fn bad_messages_punish_the_owner_whoever_sends_them() {
    let (host, me) = setting();
    let port = puppet(&me, Options::new());
    let stranger = host.process();
    let bad = [
        Term::atom("junk"),
        pair(stranger.pid(), atom::CLOSE),
        pair(me.pid(), pair(atom::COMMAND, Term::atom("no_iodata"))),
        pair(me.pid(), pair(atom::CONNECT, 7_i64)),
    ];
    for message in bad {
        stranger.send(&port, message).expect("sent");
        assert_eq!(next(&me), exit(&port, "badsig"));
    }
    me.unlink(&port).expect("a port");
    me.set_trap_exit(false);
    stranger.send(&port, Term::Nil).expect("sent");
    assert_eq!(me.exited(), Some(Term::Atom(atom::BADSIG)));
    assert!(
        stranger
            .port_command(&port, &binary("x"), &Term::Nil)
            .is_ok()
    );
}

#[test]
fn owners_change_by_message_without_a_link_and_by_request_with_one() {
    let (host, me) = setting();
    let port = puppet(&me, Options::new());
    let next_owner = host.process();
    let connect = pair(me.pid(), pair(atom::CONNECT, next_owner.pid()));
    me.send(&port, connect).expect("sent");
    assert_eq!(next(&me), pair(port.clone(), atom::CONNECTED));
    command(&me, &port, "hello").expect("open");
    assert_eq!(next(&next_owner), data(&port, "hello"));
    drop(next_owner);
    command(&me, &port, "to nobody").expect("the port has outlived its owner");

    let third = host.process();
    me.port_connect(&port, &third.pid().into()).expect("open");
    third.exit(Term::Atom(atom::NORMAL));
    assert_eq!(next(&me), exit(&port, "normal"));
}

#[test]
fn links_to_the_dead_raise_or_are_told() {
    let (host, me) = setting();
    let port = puppet(&me, Options::new());
    me.port_close(&port).expect("open");
    while !quiet(&me) {
        next(&me);
    }
    me.link(&port).expect("a trapping process is told");
    assert_eq!(next(&me), exit(&port, "noproc"));
    let plain = host.process();
    assert_eq!(
        plain.link(&port).unwrap_err().reason,
        Term::Atom(atom::NOPROC)
    );
    let monitor: Reference = me.monitor(&Term::Atom(atom::PORT), &port).expect("a port");
    let down = next(&me);
    assert_eq!(
        down.as_tuple().map(|d| (d[1].clone(), d[4].clone())),
        Some((monitor.into(), Term::Atom(atom::NOPROC)))
    );
}

#[test]
fn a_chain_of_links_a_hundred_thousand_long_ends_without_recursion() {
    let (host, _me) = setting();
    let chain: Vec<Process> = (0..100_000).map(|_| host.process()).collect();
    for two in chain.windows(2) {
        two[0].link(&two[1].pid().into()).expect("alive");
    }
    chain[0].exit(Term::atom("boom"));
    assert_eq!(
        chain.last().and_then(Process::exited),
        Some(Term::atom("boom"))
    );
}

#[test]
fn names_are_for_processes_and_ports_and_go_with_them() {
    let (host, me) = setting();
    let port = puppet(&me, Options::new());
    let name = Term::atom("my_port");
    me.register(&name, &port).expect("free");
    assert!(me.register(&Term::atom("other"), &port).is_err());
    assert!(me.register(&name, &me.pid().into()).is_err());
    command(&me, &name, "hi").expect("by name");
    assert_eq!(next(&me), data(&port, "hi"));
    me.port_close(&name).expect("by name");
    assert_eq!(me.whereis(&name), Ok(Term::Atom(atom::UNDEFINED)));
    assert!(host.registered().is_empty());
}

#[test]
fn one_port_more_than_allowed_is_refused() {
    let host = Host::builder().ports_max(2).build().expect("a host");
    let me = host.process();
    let open = || {
        let services = host.services();
        let turn = Turn::new(&services.workers);
        let back_end = Box::new(Puppet {
            kept: TurnCell::new(&turn, 0),
            soft_busy: false,
        });
        Core::open(
            services,
            turn,
            (*b"p").into(),
            Options::new(),
            me.cell(),
            back_end,
        )
    };
    let first = open().expect("room");
    open().expect("room");
    assert!(open().is_err());
    me.port_close(&Term::Port(first.id())).expect("open");
    open().expect("room again");
}

#[test]
fn dropping_the_host_ends_what_is_in_it() {
    let (host, me) = setting();
    let port = puppet(&me, Options::new());
    let id = port.as_port().expect("a port");
    drop(me);
    assert!(crate::port::table::get(id).is_none());
    drop(host);
}

#[test]
fn delayed_messages_come_once_or_not_at_all() {
    let (_host, me) = setting();
    let to = Term::Pid(me.pid());
    let late = me.send_after(Duration::from_secs(3600), &to, Term::atom("late"));
    me.send_after(Duration::from_millis(1), &to, Term::atom("early"));
    assert_eq!(next(&me), Term::atom("early"));
    assert!(me.read_timer(late).is_some());
    assert!(me.cancel_timer(late).is_some());
    assert_eq!(me.cancel_timer(late), None);
}

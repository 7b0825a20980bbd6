//! Opens that wait for `erl_drv_init_ack`, where Erlang never comes back: acknowledged inside of `start`,
//! and ended by others while the opener waits. What Erlang survives is in `scenarios/script_acks.exs`.
//!
//! `tests/drivers/script_drv.c` runs the scripts.
#![cfg(feature = "cli")]

#[path = "support/log.rs"]
mod log;
#[path = "support/world.rs"]
mod world;

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use log::Log;
use wharf::host::{Process, Raise};
use wharf::term::{PortId, Term};
use world::{DEADLINE, World, compile_with, shown, term};

/// A world with the driver of scripts under a name of its own, as one that acknowledges.
fn acknowledging(name: &str, more: &str) -> World {
    let folder = compile_with(
        "script_drv",
        name,
        &[
            &format!("-DNAME=\"{name}\""),
            &format!("-DFLAGS=ERL_DRV_FLAG_USE_INIT_ACK{more}"),
            "-Wno-deprecated-declarations",
            "-pthread",
        ],
    );
    let world = World::new();
    assert_eq!(world.ddll("load", &[&folder.to_string_lossy(), name]), "ok");
    world
}

/// Ports with one lock for all, and with a lock each.
const LOCKS: [(&str, &str); 2] = [("one", ""), ("own", "|ERL_DRV_FLAG_USE_PORT_LOCKING")];

fn port_name(driver: &str, steps: &str) -> Term {
    Term::tuple([
        Term::atom("spawn_driver"),
        Term::charlist(&format!("{driver} {steps}")),
    ])
}

#[test]
fn an_acknowledgement_in_start_opens_the_port_or_fails_the_open() {
    for (lock, more) in LOCKS {
        let name = &format!("acks_start_{lock}");
        let world = acknowledging(name, more);
        for (steps, reason, told) in [
            ("ack -1", "einval", 0),
            ("ack -2", "eacces", 0),
            ("ack -3", "badarg", 0),
            ("ack -1;ack 0", "einval", 1),
            ("output early;ack -1", "einval", 0),
            // The last word is that of start itself.
            ("ack 0;start_fails -3", "badarg", 0),
            ("ack -1;start_fails -3", "badarg", 0),
            ("ack 0;atom over", "over", 0),
            ("atom over;ack 0", "over", 0),
        ] {
            let (opened, lines) = Log::of(|| world.try_open(&format!("{name} 0 {steps}"), "[]"));
            assert_eq!(
                opened.map_err(|raise| shown(&raise.reason)),
                Err(reason.to_owned()),
                "{steps}"
            );
            let unwanted = lines.iter().filter(|line| line.contains("acknowledge"));
            assert_eq!(unwanted.count(), told, "{steps}: {lines:#?}");
        }
        for (steps, said) in [
            ("ack 0", "[start 0]"),
            ("ack 0;ack 0", "[start 0 0]"),
            ("ack 0;ack -1", "[start 0 0]"),
            ("ack 0;enq abc;sizeq;deq 3", "[start 0 0 3 0]"),
        ] {
            let port = world.open(&format!("{name} 0 {steps}"), "[]");
            assert_eq!(
                world.control(port, u32::from(b'?'), ""),
                format!("\"{said}\"")
            );
            world.close(port);
        }
    }
}

/// The only port that waits for its acknowledgement.
fn waiting(world: &World) -> PortId {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(port) = world.host.ports().first() {
            return *port;
        }
        assert!(Instant::now() < deadline, "no port is there");
        thread::yield_now();
    }
}

/// What others do to a port, and what its opener, which gets the port, then hears of it.
type Act = (
    &'static str,
    fn(&World, PortId, &Process),
    &'static [&'static str],
);

const ACTS: [Act; 5] = [
    (
        "a close",
        |world, port, _| world.close(port),
        &["{'EXIT',P,normal}"],
    ),
    (
        "a message to close, in the owner's name",
        |world, port, opener| {
            let message = Term::tuple([Term::from(opener.pid()), Term::atom("close")]);
            world.me.send(&port.into(), message).unwrap();
        },
        &["{'EXIT',P,normal}", "{P,closed}"],
    ),
    (
        "an exit signal",
        |world, port, _| {
            let sent = world.me.exit_signal(&port.into(), Term::atom("boom"));
            sent.unwrap();
        },
        &["{'EXIT',P,boom}"],
    ),
    (
        "a kill",
        |world, port, _| {
            let sent = world.me.exit_signal(&port.into(), Term::atom("kill"));
            sent.unwrap();
        },
        &["{'EXIT',P,killed}"],
    ),
    (
        "an unload that kills ports",
        |world, port, _| {
            let Ok(name) = world.me.port_info_item(&port.into(), &Term::atom("name")) else {
                panic!("the port is there");
            };
            // `{name, "acks_others_one 0"}`
            let text = name.to_string();
            let driver = text.split('"').nth(1).unwrap().split(' ').next().unwrap();
            let answer = world.ddll_terms(
                "try_unload",
                &[Term::charlist(driver), term("[kill_ports]")],
            );
            assert_eq!(answer, "{ok,pending_driver}");
        },
        &["{'EXIT',P,driver_unloaded}"],
    ),
];

/// Opens a port for `opener` on a thread of its own, does something to it while its open waits, and
/// gives the outcome of the open.
fn meanwhile(
    world: &World,
    opener: &Process,
    name: &Term,
    act: impl FnOnce(PortId),
) -> (PortId, Result<PortId, Raise>) {
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || tell.send(opener.open_port(name, &Term::Nil)));
        let port = waiting(world);
        act(port);
        (port, told.recv_timeout(DEADLINE).expect("the open returns"))
    })
}

#[test]
fn a_port_that_waits_for_its_acknowledgement_can_be_ended_by_others() {
    for (lock, more) in LOCKS {
        let name = &format!("acks_others_{lock}");
        let world = acknowledging(name, more);
        let opener = world.host.process();
        opener.set_trap_exit(true);
        for (what, act, heard) in ACTS {
            let open = port_name(name, "0");
            let (port, opened) = meanwhile(&world, &opener, &open, |port| {
                act(&world, port, &opener);
            });
            assert_eq!(opened.map_err(|raise| raise.reason), Ok(port), "{what}");
            for expected in heard {
                let message = opener.receive_any(DEADLINE).unwrap();
                assert_eq!(
                    message.map(|term| shown(&term)).as_deref(),
                    Some(*expected),
                    "{what}"
                );
            }
            assert_eq!(world.host.ports(), [], "{what}");
        }
    }
}

#[test]
fn a_port_that_waits_for_its_acknowledgement_can_be_given_away() {
    for (lock, more) in LOCKS {
        let name = &format!("acks_given_{lock}");
        let world = acknowledging(name, more);
        let opener = world.host.process();
        let other = world.host.process();
        let (port, opened) = meanwhile(&world, &opener, &port_name(name, "0"), |port| {
            let given = (world.me).port_connect(&port.into(), &Term::from(other.pid()));
            given.unwrap();
            // It goes on waiting, and takes the word of the driver.
            world.control(port, u32::from(b'!'), "ack 0");
        });
        assert_eq!(opened.map_err(|raise| raise.reason), Ok(port));
        let connected = world
            .me
            .port_info_item(&port.into(), &Term::atom("connected"));
        let expected = Term::tuple([Term::atom("connected"), Term::from(other.pid())]);
        assert_eq!(connected, Ok(expected));
        world.close(port);
    }
}

//! Whom a callback excludes, and what is heard in which order: two ports that must run at the same
//! moment and two that must not, and senders of every kind, each with numbers of its own.

#[path = "support/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::thread;

use wharf::term::{PortId, Term};
use world::{DEADLINE, World, compile_with};

const PORT_LOCKING: &str = "ERL_DRV_FLAG_USE_PORT_LOCKING";

/// A world with a locking driver of its own name, so that its counters are its own, too.
fn locking(name: &str, flags: &str) -> World {
    let defines = [format!("-DNAME=\"{name}\""), format!("-DFLAGS={flags}")];
    let folder = compile_with("lock_drv", name, &[&defines[0], &defines[1]]);
    let world = World::new();
    assert_eq!(world.ddll("load", &[&folder.to_string_lossy(), name]), "ok");
    world
}

fn ask(world: &World, port: PortId, letter: char) -> String {
    world.control(port, u32::from(letter), "A")
}

#[test]
fn two_ports_with_their_own_locks_meet_inside() {
    let world = locking("lock_meet", PORT_LOCKING);
    let ports = [world.open("lock_meet", "[]"), world.open("lock_meet", "[]")];
    thread::scope(|scope| {
        for port in ports {
            let other = world.host.process();
            scope.spawn(move || {
                let command = Term::from("m");
                other.port_command(&port.into(), &command, &Term::Nil)
            });
        }
    });
    // Each waited inside until the other one was there.
    assert_eq!(world.messages(2), [r#"{P,{data,"met"}}"#; 2]);
    assert_eq!(ask(&world, ports[0], 'm'), "\"2\"");
}

/// Holds a command to the first port inside, sends one to the second, and gives what happened.
fn one_held_inside(name: &str, flags: &str) -> String {
    let world = locking(name, flags);
    let ports = [world.open(name, "[]"), world.open(name, "[]")];
    let ((mut says, said), (waits, mut opens)) =
        (std::io::pipe().unwrap(), std::io::pipe().unwrap());
    let hold = format!("h {} {}", said.as_raw_fd(), waits.as_raw_fd());
    thread::scope(|scope| {
        let other = world.host.process();
        let held = ports[0];
        scope.spawn(move || {
            let command = Term::from(hold.as_str());
            other.port_command(&held.into(), &command, &Term::Nil)
        });
        says.read_exact(&mut [0]).unwrap();
        // Whoever may come in does so on this thread, before the call returns.
        let command = Term::tuple([Term::atom("command"), Term::from("x")]);
        let message = Term::tuple([Term::from(world.me.pid()), command]);
        world.me.send(&ports[1].into(), message).unwrap();
        opens.write_all(b".").unwrap();
    });
    ask(&world, ports[1], 'l')
}

#[test]
fn a_port_stays_out_while_another_one_of_its_driver_is_inside() {
    assert_eq!(one_held_inside("lock_held", "0"), "\"()x\"");
}

#[test]
fn a_port_with_its_own_lock_comes_in() {
    assert_eq!(one_held_inside("lock_free", PORT_LOCKING), "\"(x)\"");
}

/// Many threads, many ports: the driver aborts where two are inside that must not be.
fn crowd(name: &str, flags: &str) -> World {
    let world = locking(name, flags);
    let ports: Vec<PortId> = (0..4).map(|_| world.open(name, "[]")).collect();
    thread::scope(|scope| {
        for first in 0..4 {
            let (other, ports) = (world.host.process(), &ports);
            scope.spawn(move || {
                for round in 0..500 {
                    let port = Term::from(ports[(first + round) % ports.len()]);
                    let command = Term::from("r");
                    other.port_command(&port, &command, &Term::Nil).unwrap();
                }
            });
        }
    });
    world
}

#[test]
fn never_more_than_one_is_inside_a_driver() {
    let world = crowd("lock_crowd", "0");
    let port = world.host.ports()[0];
    assert_eq!(ask(&world, port, 'm'), "\"1\"");
}

#[test]
fn never_more_than_one_is_inside_a_port() {
    crowd("lock_crowds", PORT_LOCKING);
}

/// Threads and jobs of one port, callbacks of two others, all telling one process.
fn everybody_tells(name: &str, flags: &str) {
    const SENT: usize = 200;
    let world = locking(name, flags);
    let ports: Vec<PortId> = (0..3).map(|_| world.open(name, "[]")).collect();
    assert_eq!(ask(&world, ports[0], 'L'), "[]");
    assert_eq!(ask(&world, ports[0], 't'), "[]");
    thread::scope(|scope| {
        for (port, who) in [(ports[1], "sX"), (ports[2], "sY")] {
            let other = world.host.process();
            scope.spawn(move || {
                for _ in 0..SENT {
                    let command = Term::from(who);
                    other
                        .port_command(&port.into(), &command, &Term::Nil)
                        .unwrap();
                }
            });
        }
    });
    // Four threads, the jobs of one key, two ports.
    let mut next: BTreeMap<i64, i64> = BTreeMap::new();
    for _ in 0..7 * SENT {
        let told = world.me.receive_any(DEADLINE).unwrap().expect("a number");
        let numbers: Vec<i64> = told
            .as_tuple()
            .unwrap()
            .iter()
            .map(|number| number.to_string().parse().unwrap())
            .collect();
        let expected = next.entry(numbers[0]).or_default();
        assert_eq!(numbers[1], *expected, "from {}", numbers[0]);
        *expected += 1;
    }
    assert_eq!(next.len(), 7, "{next:?}");
    world.nothing_waits();
}

#[test]
fn every_sender_is_heard_in_its_order() {
    everybody_tells("lock_order", "0");
    everybody_tells("lock_orders", PORT_LOCKING);
}

#[test]
fn the_queue_stays_while_a_thread_that_has_its_lock_looks_at_it() {
    let world = locking("lock_queue", "0");
    let port = world.open("lock_queue", "[]");
    assert_eq!(ask(&world, port, 'p'), "\"1\"");
    assert_eq!(ask(&world, port, 'e'), "\"1\"");
    assert_eq!(world.message(), "{'EXIT',P,over}");
}

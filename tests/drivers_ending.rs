//! A port ended by its own driver, from inside each callback and in each way: the driver's
//! `stop` runs once, everything it calls afterwards is refused, the owner hears why, and the
//! driver can be unloaded. The driver aborts where that is not so.

#[path = "support/world.rs"]
mod world;

use std::time::Instant;

use wharf::term::{PortId, Term};
use world::{DEADLINE, World, compile_with};

const WAYS: [(&str, Option<&str>); 5] = [
    ("atom", Some("ended")),
    ("eof", Some("normal")),
    ("posix", Some("epipe")),
    ("number", Some("7")),
    ("exit", None),
];

/// A world with an ending driver of its own name.
fn ending(name: &str, flags: &[&str]) -> World {
    let define = format!("-DNAME=\"{name}\"");
    let flags: Vec<&str> = [&define[..]].iter().chain(flags).copied().collect();
    let folder = compile_with("ending_drv", name, &flags);
    let world = World::new();
    assert_eq!(world.ddll("load", &[&folder.to_string_lossy(), name]), "ok");
    world
}

/// What makes a port's driver enter a callback.
fn provoke(world: &World, port: PortId, callback: &str) {
    let control = |letter: char| world.control(port, u32::from(letter), "");
    match callback {
        "output" | "outputv" => world.command(port, "bytes"),
        "timeout" => assert_eq!(control('t'), "[]"),
        "input" => assert_eq!(control('i'), "[]"),
        "ready" => assert_eq!(control('o'), "[]"),
        "async" => assert_eq!(control('a'), "[]"),
        "control" => assert_eq!(control('c'), "\"ok\""),
        "call" => {
            let answer = world.me.port_call(&port.into(), &Term::from(1), &Term::Nil);
            assert_eq!(answer, Ok(Term::Nil));
        }
        "exit" => {
            let other = world.host.process();
            let watched =
                other.port_control(&port.into(), &Term::from(u32::from('m')), &Term::from(""));
            assert_eq!(watched, Ok(Term::Nil));
            other.exit(Term::atom("normal"));
        }
        "flush" => {
            assert_eq!(control('q'), "[]");
            world.close(port);
        }
        "stop" => world.close(port),
        other => panic!("{other}"),
    }
}

fn ends_well(name: &str, flags: &[&str], callbacks: &[&str]) {
    let world = ending(name, flags);
    for callback in callbacks {
        for (way, reason) in WAYS {
            let port = world.open(&format!("{name} {callback} {way}"), "[]");
            provoke(&world, port, callback);
            let by_owner = ["flush", "stop"].contains(callback);
            let exit = if by_owner { Some("normal") } else { reason };
            let mut expected: Vec<String> = Vec::new();
            expected.extend(exit.map(|reason| format!("{{'EXIT',P,{reason}}}")));
            if *callback == "stop" {
                // Until it returns, the port works.
                expected.extend(["{P,{data,\"late\"}}".to_owned(), "[]".to_owned()]);
            }
            let heard = world.messages(expected.len());
            assert_eq!(heard, expected, "{callback} {way}");
        }
    }
    // Of an end by `driver_exit` nothing is heard, and an unload would kill who has not come to it.
    let deadline = Instant::now() + DEADLINE;
    while !world.host.ports().is_empty() {
        assert!(Instant::now() < deadline, "{:?}", world.host.ports());
        std::thread::yield_now();
    }
    assert_eq!(world.ddll("unload_driver", &[name]), "ok");
    world.nothing_waits();
}

const CALLBACKS: [&str; 10] = [
    "output", "timeout", "input", "ready", "async", "control", "call", "exit", "flush", "stop",
];

#[test]
fn ports_of_one_turn_end_in_every_callback() {
    ends_well("ending_one", &[], &CALLBACKS);
}

#[test]
fn ports_with_their_own_turns_end_in_every_callback() {
    let flags = ["-DFLAGS=ERL_DRV_FLAG_USE_PORT_LOCKING"];
    ends_well("ending_own", &flags, &CALLBACKS);
}

#[test]
fn ports_that_take_vectors_end_in_the_callback_for_them() {
    ends_well("ending_vectors", &["-DVECTORS"], &["outputv"]);
}

#[test]
fn a_port_that_is_ended_while_it_starts_does_not_open() {
    let world = ending("ending_start", &[]);
    for (way, reason) in WAYS {
        let refused = world.try_open(&format!("ending_start start {way}"), "[]");
        let expected = match reason {
            Some("7") => Term::from(7),
            other => Term::atom(other.unwrap_or("normal")),
        };
        let reason = refused.map_err(|raise| raise.reason);
        assert_eq!(reason, Err(expected), "{way}");
    }
    assert_eq!(world.ddll("unload_driver", &["ending_start"]), "ok");
}

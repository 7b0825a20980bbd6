//! A driver that reaches out of one port's callback, each callback there is, to its other ports:
//! makes them speak, asks them, ends them, makes new ones. Nobody waits for himself, no callback
//! runs on top of another, and nothing is left. The driver aborts where that is not so.

#[path = "support/quiet.rs"]
mod quiet;
#[path = "support/world.rs"]
mod world;

use quiet::{Watchdog, wait_for_no_ports};
use wharf::term::{PortId, Term};
use world::{World, compile_with};

const CALLBACKS: [&str; 11] = [
    "start", "output", "timeout", "input", "ready", "async", "control", "call", "exit", "flush",
    "stop",
];

/// A world with a meddling driver of its own name.
fn meddling(name: &str, flags: &[&str]) -> World {
    let define = format!("-DNAME=\"{name}\"");
    let flags: Vec<&str> = [&define[..]].iter().chain(flags).copied().collect();
    let folder = compile_with("meddling_drv", name, &flags);
    let world = World::new();
    assert_eq!(world.ddll("load", &[&folder.to_string_lossy(), name]), "ok");
    world
}

/// What makes a port's driver enter a callback.
fn provoke(world: &World, port: PortId, callback: &str) {
    let control = |letter: char| assert_eq!(world.control(port, u32::from(letter), ""), "[]");
    match callback {
        "output" | "outputv" => world.command(port, "bytes"),
        "timeout" => control('t'),
        "input" => control('i'),
        "ready" => control('r'),
        "async" => control('a'),
        "control" => control('c'),
        "call" => {
            let answer = world.me.port_call(&port.into(), &Term::from(1), &Term::Nil);
            assert_eq!(answer, Ok(Term::Nil));
        }
        "exit" => {
            let other = world.host.process();
            let operation = Term::from(u32::from('m'));
            let watched = other.port_control(&port.into(), &operation, &Term::from(""));
            assert_eq!(watched, Ok(Term::Nil));
            other.exit(Term::atom("normal"));
        }
        "flush" => {
            control('q');
            world.close(port);
        }
        "stop" => world.close(port),
        "start" => {}
        other => panic!("{other}"),
    }
}

/// The next messages, in the order of their text: what comes from several ports has no order.
fn heard(world: &World, number: usize) -> Vec<String> {
    let mut heard = world.messages(number);
    heard.sort();
    heard
}

fn meddles_well(name: &'static str, flags: &[&str], callbacks: &[&str]) {
    let _watchdog = Watchdog::new(name);
    let world = meddling(name, flags);
    for callback in callbacks {
        for what in ["say", "end", "end2", "make", "keep"] {
            let story = format!("{callback} {what}");
            world.open(name, "[]");
            let port = world.open(&format!("{name} {story}"), "[]");
            provoke(&world, port, callback);
            let closed = ["flush", "stop"].contains(callback);
            let mut expected = match what {
                // A port that is closing does what it was asked for, and is not heard.
                "say" if closed => vec![r#"{P,{data,"said"}}"#, r#"{P,{data,"v"}}"#],
                "say" => vec![
                    r#"{P,{data,"m"}}"#,
                    r#"{P,{data,"said"}}"#,
                    r#"{P,{data,"v"}}"#,
                ],
                "make" => vec!["{'EXIT',P,enough}", r#"{P,{data,"new"}}"#],
                "keep" => vec![r#"{P,{data,"new"}}"#],
                _ => vec!["{'EXIT',P,ended}"],
            };
            if closed {
                expected.push("{'EXIT',P,normal}");
            }
            expected.sort_unstable();
            assert_eq!(heard(&world, expected.len()), expected, "{story}");
            for port in world.host.ports() {
                let _ = world.me.port_close(&port.into());
            }
            wait_for_no_ports(&world.host);
            // The exit signals are out before the ports leave the table.
            while world.me.messages_waiting() > 0 {
                assert_eq!(world.message(), "{'EXIT',P,normal}", "{story}");
            }
        }
    }
    assert_eq!(world.ddll("unload_driver", &[name]), "ok");
    let loaded = world.ddll_terms("loaded_drivers", &[]);
    assert!(!loaded.contains(name), "{loaded}");
}

#[test]
fn ports_of_one_turn_meddle_in_every_callback() {
    meddles_well("meddling_one", &[], &CALLBACKS);
}

#[test]
fn ports_with_their_own_turns_meddle_in_every_callback() {
    let flags = ["-DFLAGS=ERL_DRV_FLAG_USE_PORT_LOCKING"];
    meddles_well("meddling_own", &flags, &CALLBACKS);
}

#[test]
fn ports_that_take_vectors_meddle_in_the_callback_for_them() {
    meddles_well("meddling_vectors", &["-DVECTORS"], &["outputv"]);
}

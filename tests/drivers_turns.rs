//! Who runs when: ports that share a driver's turn, ports that have one each, threads of the
//! driver's own, and what a driver must not be able to break.

#[path = "support/world.rs"]
mod world;

use std::thread;

use wharf::term::Term;
use world::{World, compile_with};

/// Sends a command to two ports at the same time; gives the most that ran together.
fn together(name: &str, flags: &str) -> Vec<String> {
    let folder = compile_with(
        "turn_drv",
        name,
        &[&format!("-DNAME=\"{name}\""), &format!("-DFLAGS={flags}")],
    );
    let world = World::new();
    assert_eq!(world.ddll("load", &[&folder.to_string_lossy(), name]), "ok");
    let ports = [world.open(name, "[]"), world.open(name, "[]")];
    thread::scope(|scope| {
        for port in ports {
            let other = world.host.process();
            scope.spawn(move || {
                other
                    .port_command(&port.into(), &Term::from("x"), &Term::Nil)
                    .unwrap();
            });
        }
    });
    world.messages(2)
}

#[test]
fn ports_of_a_driver_exclude_each_other() {
    let alone = r#"{P,{data,"1"}}"#;
    assert_eq!(together("turn_alone", "0"), [alone, alone]);
}

#[test]
fn ports_with_their_own_locks_do_not() {
    let seen = together("turn_own", "ERL_DRV_FLAG_USE_PORT_LOCKING");
    assert_eq!(
        seen.last().map(String::as_str),
        Some(r#"{P,{data,"2"}}"#),
        "{seen:?}"
    );
}

#[test]
fn a_thread_sends_while_its_port_waits_for_it() {
    let folder = compile_with("turn_drv", "turn_thread", &["-DNAME=\"turn_thread\""]);
    let world = World::new();
    assert_eq!(
        world.ddll("load", &[&folder.to_string_lossy(), "turn_thread"]),
        "ok"
    );
    let port = world.open("turn_thread", "[]");
    assert_eq!(world.control(port, u32::from(b't'), ""), "[]");
    let mut expected: Vec<String> = (0..100).map(|number| format!("{{P,{number}}}")).collect();
    expected.push(r#"{P,{data,"joined"}}"#.to_owned());
    assert_eq!(
        world.messages(101),
        expected,
        "in order, and before what came after"
    );
}

#[test]
fn commands_of_one_process_arrive_in_order() {
    let world = World::with("echo_drv");
    let port = world.open("echo_drv", "[binary]");
    let me = Term::from(world.me.pid());
    for number in 0..200 {
        let text = Term::from(number.to_string().as_str());
        if number % 2 == 0 {
            world.command(port, text);
        } else {
            let command = Term::tuple(vec![Term::atom("command"), text]);
            world
                .me
                .send(&port.into(), Term::tuple(vec![me.clone(), command]))
                .unwrap();
        }
    }
    let expected: Vec<String> = (0..200)
        .map(|n| format!("{{P,{{data,<<\"{n}\">>}}}}"))
        .collect();
    assert_eq!(world.messages(200), expected);
}

#[test]
fn many_threads_and_ports_at_once() {
    let world = World::with("counter_drv");
    let port = world.open("counter_drv", "[]");
    thread::scope(|scope| {
        for _ in 0..4 {
            let other = world.host.process();
            scope.spawn(move || {
                for _ in 0..500 {
                    other
                        .port_command(&port.into(), &Term::from("1"), &Term::Nil)
                        .unwrap();
                }
                for _ in 0..50 {
                    let name = world::term("{spawn_driver,\"counter_drv\"}");
                    let own = Term::from(other.open_port(&name, &Term::Nil).unwrap());
                    other
                        .port_command(&own, &Term::from("2"), &Term::Nil)
                        .unwrap();
                    other.port_close(&own).unwrap();
                }
            });
        }
    });
    let last = world.messages(2000).pop();
    assert_eq!(last.as_deref(), Some(r#"{P,{data,"2000"}}"#));
    assert_eq!(world.host.ports().len(), 1);
}

#[test]
fn another_port_of_the_same_driver() {
    let world = World::with("probe_drv");
    let port = world.open("probe_drv", "[binary]");
    assert_eq!(
        world.control(port, u32::from(b'C'), "a name of its own"),
        r#""0""#
    );
    assert_eq!(world.message(), r#"{P,{data,"born"}}"#);
    let created = world
        .host
        .ports()
        .into_iter()
        .find(|id| *id != port)
        .unwrap();
    assert_eq!(world.control(created, u32::from(b'F'), ""), r#""0""#);
    let name = world
        .me
        .port_info_item(&created.into(), &Term::atom("name"))
        .unwrap();
    assert_eq!(world::shown(&name), r#"{name,"a name of its own"}"#);
    world.close(created);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
}

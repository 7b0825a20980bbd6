//! What drivers should not do, and nevertheless must not break anything with.

#[path = "support/world.rs"]
mod world;

use std::time::Instant;

use wharf::term::Term;
use world::{DEADLINE, World, compile_with, scratch};

/// A world with a rough driver of its own name, so that its static data is its own, too.
fn rough(name: &str, flags: &str) -> World {
    let folder = compile_with(
        "rough_drv",
        name,
        &[&format!("-DNAME=\"{name}\""), &format!("-DFLAGS={flags}")],
    );
    let world = World::new();
    assert_eq!(world.ddll("load", &[&folder.to_string_lossy(), name]), "ok");
    world
}

fn ask(world: &World, port: wharf::term::PortId, letter: u8) -> String {
    world.control(port, u32::from(letter), "")
}

#[test]
fn a_callback_cannot_end_the_thread_it_was_lent() {
    let world = rough("rough_exit", "0");
    let port = world.open("rough_exit", "[]");
    assert_eq!(ask(&world, port, b'x'), "\"0 0 0\"");
}

#[test]
fn a_thread_that_waits_for_itself_can_still_be_waited_for() {
    let world = rough("rough_join", "0");
    let port = world.open("rough_join", "[]");
    assert_eq!(ask(&world, port, b'j'), "\"0 35 0\"", "EDEADLK");
}

#[test]
fn a_thread_that_nobody_joined_keeps_the_library() {
    let world = rough("rough_linger", "0");
    let port = world.open("rough_linger", "[]");
    let file = scratch("rough_linger").join("bye");
    let path = file.to_string_lossy();
    assert_eq!(world.control(port, u32::from(b'l'), &path), "\"0 0 0\"");
    world.close(port);
    assert_eq!(world.ddll("unload_driver", &["rough_linger"]), "ok");
    assert!(!file.exists());
    let deadline = Instant::now() + DEADLINE;
    while !file.exists() && Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert!(file.exists(), "the thread came to its end");
}

#[test]
fn a_port_data_lock_outlives_what_is_given_away_too_often() {
    let world = rough("rough_pdl", "0");
    let port = world.open("rough_pdl", "[]");
    assert_eq!(
        ask(&world, port, b'p'),
        "\"1 2 1\"",
        "the port is one holder"
    );
    world.close(port);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
}

#[test]
fn a_file_selected_often_is_ready_once_at_a_time() {
    let world = rough("rough_file", "0");
    let port = world.open("rough_file", "[]");
    ask(&world, port, b'f');
    let count = || -> u64 {
        let said = ask(&world, port, b'c');
        let number = said.trim_matches('"').split(' ').next();
        number.and_then(|number| number.parse().ok()).unwrap()
    };
    // A request waits for its turn among the calls; with one of them there it waits for few.
    let between = (0..50).map(|_| {
        let before = count();
        count() - before
    });
    let fewest = between.min().unwrap();
    assert!(fewest < 500, "{fewest} calls from one request to the next");
    ask(&world, port, b'd');
}

#[test]
fn descriptors_beyond_the_limit_are_refused_whatever_is_asked() {
    let world = rough("rough_limit", "0");
    let port = world.open("rough_limit", "[]");
    assert_eq!(ask(&world, port, b'b'), "\"-1 -1 0\"");
}

#[test]
fn the_last_one_to_select_a_descriptor_has_it() {
    let world = rough("rough_steal", "0");
    let victor = world.open("rough_steal", "[]");
    let loser = world.open("rough_steal", "[]");
    assert_eq!(ask(&world, loser, b's'), "[]");
    // By now what the first two selections left to be done is done.
    assert_eq!(ask(&world, loser, b'w'), "\"1 0 0\"");
    let told = world.me.receive_any(DEADLINE).unwrap().expect("it is told");
    let expected = Term::tuple(vec![
        victor.into(),
        Term::tuple(vec![Term::atom("data"), Term::charlist("!")]),
    ]);
    assert_eq!(told, expected);
}

#[test]
fn an_end_of_input_that_is_only_told_leaves_the_queue() {
    let world = rough("rough_eof", "0");
    let port = world.open("rough_eof", "[eof]");
    assert_eq!(ask(&world, port, b'e'), "\"0 3 0\"");
    assert_eq!(world.message(), "{P,eof}");
    let ended = world.open("rough_eof", "[]");
    assert_eq!(ask(&world, ended, b'e'), "\"0 -1 -1\"");
    assert_eq!(world.message(), "{'EXIT',P,normal}");
}

#[test]
fn a_port_that_a_driver_made_works_at_once() {
    for (name, flags) in [
        ("rough_made", "0"),
        ("rough_made_own", "ERL_DRV_FLAG_USE_PORT_LOCKING"),
    ] {
        let world = rough(name, flags);
        let port = world.open(name, "[]");
        assert_eq!(ask(&world, port, b'n'), "\"0 0 -1\"", "{name}");
        let told = world.messages(2);
        assert_eq!(told, ["{P,{data,\"new\"}}", "{'EXIT',P,enough}"], "{name}");
    }
}

#[test]
fn a_driver_may_ask_a_port_without_waiting() {
    let world = rough("rough_ask", "0");
    let port = world.open("rough_ask", "[]");
    assert_eq!(ask(&world, port, b'k'), "\"0 0 0\"");
    assert_eq!(world.message(), "{P,{data,\".\"}}");
}

#[test]
fn a_part_of_a_driver_that_is_in_use_stays() {
    let world = rough("rough_part", "0");
    let port = world.open("rough_part", "[]");
    assert_eq!(ask(&world, port, b'+'), "[]");
    let second = world.open("rough_part_second", "[]");
    assert_eq!(ask(&world, port, b'-'), "\"-1 0 0\"", "it has a port");
    world.close(second);
    world.close(port);
    assert_eq!(
        world.messages(2),
        ["{'EXIT',P,normal}", "{'EXIT',P,normal}"]
    );
    assert_eq!(world.ddll("unload_driver", &["rough_part"]), "ok");
    let third = world.open("rough_part_second", "[]");
    world.close(third);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
}

#[test]
fn a_vector_pushed_in_front_is_there_as_it_was() {
    // OTP 25 shows other bytes; so this is asked of wharf alone.
    let folder = compile_with(
        "script_drv",
        "rough_front",
        &[
            "-DNAME=\"rough_front\"",
            "-Wno-deprecated-declarations",
            "-pthread",
        ],
    );
    let world = World::new();
    assert_eq!(
        world.ddll("load", &[&folder.to_string_lossy(), "rough_front"]),
        "ok"
    );
    let port = world.open("rough_front 0", "[]");
    let run = |steps: &str| world.control(port, u32::from(b'!'), steps);
    assert_eq!(
        run("enq abc;pushqv 1 e,3,b3,n,1;peekqv;deq 4;peekq;drain"),
        "\"0 refc 2 0 4 9  bc+|bcd+|a+|abc+|9 5 d|a|abc|3 0\""
    );
    world.close(port);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
}

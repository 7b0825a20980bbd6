//! What a driver does wrong is answered with the failure value, and the log says what it was.
//!
//! `tests/drivers/script_drv.c` does the wrong things; in Erlang many of them end the emulator.
#![cfg(feature = "cli")]

#[path = "support/log.rs"]
mod log;
#[path = "support/world.rs"]
mod world;

use log::Log;
use wharf::term::{PortId, Term};
use world::{World, compile_with, shown, term};

/// A world with a driver of its own name, and so with variables of its own.
fn scripted(name: &str) -> (World, PortId) {
    let folder = compile_with(
        "script_drv",
        name,
        &[
            &format!("-DNAME=\"{name}\""),
            "-Wno-deprecated-declarations",
            "-pthread",
        ],
    );
    let world = World::new();
    assert_eq!(world.ddll("load", &[&folder.to_string_lossy(), name]), "ok");
    let port = world.open(&format!("{name} 0"), "[]");
    (world, port)
}

fn run(world: &World, port: PortId, steps: &str) -> String {
    let said = world.control(port, u32::from(b'!'), steps);
    said.trim_matches('"').to_owned()
}

/// Runs steps that are wrong in one way; the line in the log must have all these parts.
fn wrong(world: &World, port: PortId, steps: &str, answer: &str, parts: &[&str]) {
    let (said, lines) = Log::of(|| run(world, port, steps));
    assert_eq!(said, answer, "{steps}");
    assert_eq!(lines.len(), 1, "{steps}: {lines:#?}");
    for part in parts {
        assert!(
            lines[0].contains(part),
            "{steps}: no {part} in {}",
            lines[0]
        );
    }
}

#[test]
fn the_log_names_driver_port_callback_function_and_rule() {
    let (world, port) = scripted("misuse_names");
    let shown = format!("port=\"{port}\"");
    wrong(
        &world,
        port,
        "deq 5",
        "-1",
        &[
            "driver=\"misuse_names\"",
            &shown,
            "callback=\"control\"",
            "function=\"driver_deq\"",
            "no more than the queue holds may be taken out of it: 5 of 0 bytes",
        ],
    );
    let (_, lines) = Log::of(|| {
        run(&world, port, "steps timeout term 18");
        world.control(port, u32::from(b'='), "output term 18");
        world.command(port, "x");
    });
    assert!(lines[0].contains("callback=\"output\""), "{lines:#?}");
    assert!(
        lines[0].contains("word 0 is 18, which is no tag"),
        "{lines:#?}"
    );
}

#[test]
fn each_rule_is_told_once_and_then_counted() {
    let (world, port) = scripted("misuse_often");
    let (_, lines) = Log::of(|| {
        for _ in 0..150 {
            assert_eq!(run(&world, port, "deq 5"), "-1");
        }
    });
    let times: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split("times=").nth(1))
        .collect();
    assert_eq!(times, ["1", "10", "100"], "{lines:#?}");
    // Another port has an account of its own.
    let other = world.open("misuse_often 1", "[]");
    wrong(&world, other, "deq 5", "-1", &["times=1"]);
}

#[test]
fn what_is_no_port_is_refused() {
    let (world, port) = scripted("misuse_port");
    let rule = "must be the port that start was called with";
    // NULL, -1, and a term in the place of a port.
    let (_, lines) = Log::of(|| assert_eq!(run(&world, port, "@- sizeq;@: timer 5"), "-1 -1"));
    assert!(
        lines.iter().any(|line| line.contains(rule)) && lines.len() == 2,
        "{lines:#?}"
    );
    for steps in [
        "output x",
        "select =0 r 1",
        "enq x",
        "cancel",
        "eof",
        "old_term nil",
        "monitor",
    ] {
        assert_eq!(run(&world, port, &format!("@: {steps}")), "-1", "{steps}");
    }
    // What answers otherwise.
    assert_eq!(
        run(&world, port, "@: mk_port;@: connected;@: caller;@: flags"),
        "0 0 0 0"
    );
    assert_eq!(run(&world, port, "@: limits 1 1"), "-1 -1");
    assert_eq!(
        run(&world, port, "@: peekq;@: peekqv;@: slice 1;@: lock"),
        "-1 -1 -1 -1"
    );
    assert_eq!(
        run(
            &world,
            port,
            "@: busy 1;@: control_flags 1;@: os_pid 1;@: report 1;@: ack 0"
        ),
        "0 0 0 0 0"
    );
}

#[test]
fn a_stale_port_is_refused() {
    let (world, port) = scripted("misuse_stale");
    let gone = world.open("misuse_stale 1", "[]");
    world.close(gone);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
    wrong(
        &world,
        port,
        "@1 timer 5",
        "-1",
        &[
            "function=\"driver_set_timer\"",
            &format!("port=\"{gone}\""),
            "must not be used after it has ended",
        ],
    );
    for steps in [
        "output x",
        "output2 h x",
        "cancel",
        "left 0 0",
        "eof",
        "atom a",
        "posix 1",
        "fail 1",
        "exit 1",
        "enq x",
        "pushq x",
        "deq 1",
        "sizeq",
        "peekqv",
        "select =0 r 1",
        "select =0 ru 0",
        "old_term nil",
        "slice 1",
        "lock",
        "monitor",
        "peekq",
    ] {
        let said = run(&world, port, &format!("@1 {steps}"));
        assert!(said.ends_with("-1"), "{steps}: {said}");
    }
    assert_eq!(
        run(&world, port, "@1 async;@1 pdl;@1 create c2name"),
        "0 0 -1"
    );
    assert_eq!(
        run(&world, port, "@1 caller;@1 connected;@1 mk_port;@1 flags"),
        "0 0 0 0"
    );
    // Nothing has happened to the one that asked.
    assert_eq!(run(&world, port, "sizeq;mk_port;caller"), "0 1 1");
}

#[test]
fn a_thread_outside_of_the_callbacks_is_refused() {
    let (world, port) = scripted("misuse_thread");
    // The subscriber is this thread's; the driver's thread would need a global one.
    for steps in [
        "output x",
        "timer 5",
        "cancel",
        "select =0 r 1",
        "eof",
        "atom over",
        "exit 0",
        "slice 5",
        "lock",
        "monitor",
    ] {
        assert_eq!(
            run(&world, port, &format!("thread {steps}")),
            "-1",
            "{steps}"
        );
    }
    assert_eq!(
        run(&world, port, "thread caller;thread flags;thread pdl"),
        "0 0 0"
    );
    assert_eq!(run(&world, port, "thread mk_port;thread connected"), "1 1");
    // Where the lock is not needed it works.
    assert_eq!(
        run(&world, port, "thread enq abc;thread sizeq;thread deq 3"),
        "0 3 0"
    );
    assert_eq!(run(&world, port, "mk_port"), "1", "the port goes on");
}

#[test]
fn steps_of_terms_that_point_nowhere_are_refused() {
    let (world, port) = scripted("misuse_terms");
    for words in [
        "11 0", "15 0", "16 0", "5 0 0 0", "6 0 1", "9 0 0", "12 0 1", "14 0 1",
    ] {
        assert_eq!(run(&world, port, &format!("term {words}")), "-1", "{words}");
    }
    assert_eq!(world.me.messages_waiting(), 0);
    wrong(
        &world,
        world.open("misuse_terms 1", "[]"),
        "@1 term 11 0",
        "-1",
        &["the step of tag 11 at word 0 is wrong"],
    );
    wrong(
        &world,
        world.open("misuse_terms 2", "[]"),
        "@2 term nil 2 7",
        "-1",
        &["the step of tag 2 at word 1 is wrong"],
    );
    wrong(
        &world,
        world.open("misuse_terms 3", "[]"),
        "@3 term nil nil",
        "-1",
        &["2 terms are left"],
    );
    wrong(
        &world,
        world.open("misuse_terms 4", "[]"),
        "@4 term float:nan",
        "-1",
        &["a number is none"],
    );
    wrong(
        &world,
        world.open("misuse_terms 5", "[]"),
        "@5 term nil n:0",
        "-1",
        &["there are no words"],
    );
    wrong(
        &world,
        world.open("misuse_terms 6", "[]"),
        "@6 send_term port nil",
        "0",
        &["the receiver must be a process"],
    );
}

#[test]
fn descriptors_that_cannot_be_selected_are_told() {
    let (world, port) = scripted("misuse_select");
    wrong(
        &world,
        port,
        "select =99999999 r 1",
        "-1",
        &["driver_select", "and not 99999999"],
    );
    wrong(
        &world,
        port,
        "pipe 0 1;forget 0;select 0 r 1",
        "0 0 0",
        &["must be open while it is selected"],
    );
    let other = world.open("misuse_select 1", "[]");
    wrong(
        &world,
        other,
        "pair 2 3;@0 select 2 r 1;@1 select 2 r 1",
        "0 0 0",
        &["was selected by", &format!("port=\"{other}\"")],
    );
}

#[test]
fn bytes_that_are_not_there_are_told() {
    let (world, port) = scripted("misuse_bytes");
    wrong(
        &world,
        port,
        "output_null 5",
        "-1",
        &["must be there", "driver_output"],
    );
    let other = world.open("misuse_bytes 1", "[]");
    wrong(
        &world,
        other,
        "enq_bin 50 51",
        "refc 1 -1",
        &["must be there", "driver_enq_bin"],
    );
    for steps in [
        "enq_bin 0 101",
        "pushq_bin 101 1",
        "output_binary 0 0 101",
        "output_binary 0 101 0",
    ] {
        assert_eq!(run(&world, other, steps), "refc 1 -1", "{steps}");
    }
    wrong(
        &world,
        world.open("misuse_bytes 2", "[]"),
        "ack 0",
        "0",
        &["acknowledged"],
    );
}

#[test]
fn an_answer_longer_than_its_buffer_is_cut_off_and_told() {
    let folder = compile_with("reply_drv", "reply_drv", &[]);
    let world = World::new();
    let load = world.ddll("load", &[&folder.to_string_lossy(), "reply_drv"]);
    assert_eq!(load, "ok");
    let port = world.open("reply_drv", "[]");
    let call = |port: PortId, way: &str| {
        let answer = (world.me).port_call(&port.into(), &Term::from(0), &term(way));
        shown(&answer.unwrap_or_else(|raise| raise.reason))
    };
    // What fits exactly does fit.
    let (said, lines) = Log::of(|| world.control(port, 64, "given"));
    assert_eq!((said.matches('g').count(), lines), (64, Vec::new()));
    let (said, lines) = Log::of(|| world.control(port, 65, "given"));
    assert_eq!(said.matches('g').count(), 64, "{said}");
    let shown_port = format!("port=\"{port}\"");
    for part in [
        "driver=\"reply_drv\"",
        &shown_port,
        "callback=\"control\"",
        "function=\"none\"",
        "65 bytes do not fit into 64",
    ] {
        assert!(lines.len() == 1 && lines[0].contains(part), "{lines:#?}");
    }
    // The end of this one is missing, and so it is no term.
    let other = world.open("reply_drv", "[]");
    let (said, lines) = Log::of(|| call(other, "{beyond,1}"));
    assert_eq!(said, "badarg");
    for part in ["262 bytes do not fit into 256", "callback=\"call\""] {
        assert!(lines.len() == 1 && lines[0].contains(part), "{lines:#?}");
    }
    assert_eq!(call(other, "{plain,1}"), "7", "it goes on");
    world.control(other, 0, "binary");
    let cut = world.control(other, 80, "given");
    assert_eq!(cut.matches('g').count(), 64, "{cut}");
}

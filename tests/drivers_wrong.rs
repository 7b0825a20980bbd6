//! Locks, threads, memory and monitors used as they must not be: the failure value, a line in the log,
//! and everything goes on. In Erlang most of these end the emulator.
//!
//! `tests/drivers/wrong_drv.c` makes the mistakes, one kind for each question.
#![cfg(feature = "cli")]

#[path = "support/log.rs"]
mod log;
#[path = "support/world.rs"]
mod world;

use log::Log;
use world::{World, compile_with};

fn world(name: &str) -> World {
    let flags = [
        &format!("-DNAME=\"{name}\""),
        "-pthread",
        "-Wno-nonnull",
        "-Wno-cast-function-type",
    ];
    let folder = compile_with("wrong_drv", name, &flags);
    let world = World::new();
    assert_eq!(world.ddll("load", &[&folder.to_string_lossy(), name]), "ok");
    world
}

/// Asks a port of its own, so that each rule is told; gives the answer and the log.
fn ask(world: &World, name: &str, question: &str) -> (String, Vec<String>) {
    let port = world.open(name, "[]");
    let (said, lines) = Log::of(|| world.control(port, 0, question));
    world.close(port);
    assert_eq!(world.message(), "{'EXIT',P,normal}", "{question}");
    (said.trim_matches('"').to_owned(), lines)
}

/// Each question's answer, and what its only line in the log says.
fn each(name: &str, stories: &[(&str, &str, &str, &str)]) {
    let world = world(name);
    for (question, answer, function, rule) in stories {
        let (said, lines) = ask(&world, name, question);
        assert_eq!(said, *answer, "{question}");
        assert_eq!(lines.len(), 1, "{question}: {lines:#?}");
        let function = format!("function=\"{function}\"");
        let driver = format!("driver=\"{name}\"");
        for part in [
            rule,
            &*function,
            &*driver,
            "port=\"#Port<",
            "callback=\"control\"",
        ] {
            assert!(
                lines[0].contains(part),
                "{question}: no {part} in {}",
                lines[0]
            );
        }
    }
}

#[test]
fn locks_that_are_used_wrongly_still_work() {
    let again = "must not be locked by the thread that has it locked";
    let given = "may only be given back, or waited with, by the thread that has it locked";
    let in_use = "must not be destroyed while a thread has it or waits for it";
    let null = "and not NULL";
    each(
        "wrong_locks",
        &[
            ("mutex_unlock", "0", "erl_drv_mutex_unlock", given),
            ("mutex_relock", "0", "erl_drv_mutex_lock", again),
            ("mutex_destroy", "16 m", "erl_drv_mutex_destroy", in_use),
            ("mutex_null", "22", "erl_drv_mutex_lock", null),
            (
                "cond_unheld",
                "0",
                "erl_drv_cond_wait",
                "a mutex may only be given back",
            ),
            ("cond_null", "on", "erl_drv_cond_wait", null),
            ("cond_destroy", "0", "erl_drv_cond_destroy", in_use),
            ("rwlock_unlock", "0 0", "erl_drv_rwlock_runlock", given),
            ("rwlock_destroy", "l", "erl_drv_rwlock_destroy", in_use),
            ("rwlock_null", "22 22", "erl_drv_rwlock_rlock", null),
            ("pdl_unlock", "1", "driver_pdl_unlock", given),
            ("pdl_relock", "2 1", "driver_pdl_lock", again),
            ("pdl_null", "-1 -1 -1", "driver_pdl_lock", null),
            ("rwlock_relock", "0", "erl_drv_rwlock_rwlock", again),
        ],
    );
}

#[test]
fn a_lock_for_writing_is_given_back_by_its_writer_only() {
    let world = world("wrong_writer");
    // The other thread has a log of its own.
    assert_eq!(ask(&world, "wrong_writer", "rwlock_other").0, "16");
}

#[test]
fn references_that_are_not_there_are_not_given_away() {
    let rule = "may be given away than the driver has";
    each(
        "wrong_refs",
        &[
            ("pdl_dec", "1 1 2 1", "driver_pdl_dec_refc", rule),
            ("binary_dec", "1 1", "driver_binary_dec_refc", rule),
            (
                "binary_null",
                "0 0 0",
                "driver_binary_get_refc",
                "a binary, and not NULL",
            ),
        ],
    );
    let world = world("wrong_shared");
    let (said, lines) = ask(&world, "wrong_shared", "binary_shared");
    assert_eq!((said.as_str(), lines.len()), ("200 s s 1", 0));
}

#[test]
fn threads_and_keys_are_joined_and_destroyed_once() {
    let joined = "only threads from erl_drv_thread_create can be joined, and each once";
    each(
        "wrong_threads",
        &[
            ("join_twice", "0 22 1 0", "erl_drv_thread_join", joined),
            ("join_none", "22 22 22", "erl_drv_thread_join", joined),
            ("thread_exit", "on", "erl_drv_thread_exit", "may be ended"),
            (
                "thread_null",
                "22",
                "erl_drv_thread_create",
                "a function to run",
            ),
            (
                "key_twice",
                "1 1",
                "erl_drv_tsd_key_destroy",
                "a key for thread-specific data must exist",
            ),
        ],
    );
    let world = world("wrong_self");
    assert_eq!(ask(&world, "wrong_self", "join_self").0, "0 35", "EDEADLK");
}

#[test]
fn what_is_not_there_is_refused() {
    each(
        "wrong_null",
        &[
            ("async_null", "-1", "driver_async", "a function to run"),
            (
                "monitor_null",
                "-1 -1 1 0",
                "driver_monitor_process",
                "room for a monitor, and not NULL",
            ),
            ("facts 0", "1", "driver_system_info", "and 0 bytes are not"),
            (
                "facts 31",
                "1",
                "driver_system_info",
                "and 31 bytes are not",
            ),
            (
                "unit",
                "1",
                "erl_drv_monotonic_time",
                "a unit of time must be one of the four, and not 4",
            ),
        ],
    );
    let world = world("wrong_texts");
    let (said, lines) = ask(&world, "wrong_texts", "texts");
    assert_eq!(said, "-1 -1 -1 -1 1 1 -1");
    assert_eq!(lines.len(), 1, "{lines:#?}");
}

#[test]
fn a_port_that_is_gone_and_a_thread_that_is_in_no_callback_get_failures() {
    let world = world("wrong_ports");
    let (_, _) = ask(&world, "wrong_ports", "unit");
    let (said, lines) = ask(&world, "wrong_ports", "stale");
    assert_eq!(said, "-1 7 0 1 -1 -1 1 -1");
    assert!(
        lines
            .iter()
            .any(|line| line.contains("a port must not be used after it has ended")),
        "{lines:#?}"
    );
    assert_eq!(
        ask(&world, "wrong_ports", "wrong_thread").0,
        "-1 0 1 -1 -1 -1"
    );
}

#[test]
fn a_port_may_end_itself_when_it_hears_of_a_death() {
    let world = World::with("watch_drv");
    let port = world.open("watch_drv", "[]");
    let dies = world.host.process();
    let control = |process: &wharf::host::Process, text: &str| {
        let answer = process.port_control(&port.into(), &0_u32.into(), &text.into());
        world::shown(&answer.unwrap())
    };
    assert_eq!(control(&dies, "me a"), "\"ok\"");
    for question in ["on_exit f", "many a5"] {
        control(&world.me, question);
    }
    drop(dies);
    assert_eq!(world.message(), "{'EXIT',P,exited}");
    // What is told in stop, when the port has ended, reaches nobody.
    let port = world.open("watch_drv", "[]");
    let dies = world.host.process();
    let control = |process: &wharf::host::Process, text: &str| {
        let answer = process.port_control(&port.into(), &0_u32.into(), &text.into());
        world::shown(&answer.unwrap())
    };
    control(&dies, "me a");
    control(&world.me, "on_exit s");
    world.close(port);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
    drop(dies);
    let port = world.open("watch_drv", "[]");
    assert_eq!(world.control(port, 0, "exits"), "\"0 late 0 stopping 0\"");
}

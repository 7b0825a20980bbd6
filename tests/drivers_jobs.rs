//! Jobs on a pool of several threads. `tests/scenarios/jobs.exs` has the stories with one.
#![cfg(feature = "cli")]

#[path = "support/world.rs"]
mod world;

use wharf::host::Host;
use world::{World, compile};

/// A world with the driver, and four threads for its jobs.
fn world() -> World {
    let host = Host::builder().async_threads(4).build().unwrap();
    let me = host.process();
    me.set_trap_exit(true);
    let world = World { host, me };
    let folder = compile("jobs_drv");
    let path = folder.to_string_lossy();
    assert_eq!(world.ddll("load", &[&path, "jobs_drv"]), "ok");
    world
}

#[test]
fn a_key_becomes_the_number_of_its_thread() {
    let world = world();
    let port = world.open("jobs_drv", "[]");
    for (key, lane) in [("0", 0), ("3", 3), ("4", 0), ("7", 3), ("4294967295", 3)] {
        let answer = world.control(port, 0, &format!("job {key} plain"));
        assert_eq!(answer, format!("\"1 key {lane}\""), "{key}");
    }
    let done = vec!["{P,{data,\"done plain -1 1\"}}"; 5];
    assert_eq!(world.messages(5), done);
}

/// They come while the turn is taken, by the control that asks for them and by others after it.
#[test]
fn jobs_of_one_key_come_back_in_order_however_many_wait_for_the_turn() {
    const JOBS: usize = 1500;
    let world = world();
    let port = world.open("jobs_drv", "[]");
    for _ in 0..3 {
        assert_eq!(
            world.control(port, 0, &format!("many {JOBS}")),
            "\"rising 1\""
        );
        for _ in 0..300 {
            world.control(port, 0, "key");
        }
        for (number, message) in world.messages(JOBS).into_iter().enumerate() {
            assert_eq!(message, format!("{{P,{{data,\"done {number} -1 1\"}}}}"));
        }
        world.nothing_waits();
    }
}

/// What is done when the port has ended is freed, also in the middle of what comes back at once; and only
/// then the driver is unloaded.
#[test]
fn jobs_that_come_back_together_are_freed_once_one_of_them_ends_the_port() {
    let world = world();
    let keeps = world.open("jobs_drv", "[]");
    for _ in 0..20 {
        assert_eq!(world.control(keeps, 0, "forget"), "\"ok\"");
        let port = world.open("jobs_drv", "[]");
        assert_eq!(world.control(port, 0, "job 1 one"), "\"1 key 1\"");
        assert_eq!(world.control(port, 0, "job 1 ends"), "\"1 key 1\"");
        let _ = world.control(port, 0, "many 40");
        let seen = world.messages(3);
        assert_eq!(seen.len(), 3, "{seen:?}");
        assert!(world.host.leftovers().len() < 50);
    }
}

#[test]
fn the_first_job_of_a_port_may_be_done_before_its_control_returns() {
    let world = world();
    for _ in 0..500 {
        let port = world.open("jobs_drv", "[]");
        assert_eq!(world.control(port, 0, "job 2 first"), "\"1 key 2\"");
        assert_eq!(world.message(), "{P,{data,\"done first -1 1\"}}");
    }
}

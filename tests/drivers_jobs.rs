//! Jobs on a pool of several threads. `tests/scenarios/jobs.exs` has the stories with one.
#![cfg(feature = "cli")]

#[path = "support/world.rs"]
mod world;

use wharf::host::Host;
use world::{World, compile};

#[test]
fn a_key_becomes_the_number_of_its_thread() {
    let host = Host::builder().async_threads(4).build().unwrap();
    let me = host.process();
    me.set_trap_exit(true);
    let world = World { host, me };
    let folder = compile("jobs_drv");
    let path = folder.to_string_lossy();
    assert_eq!(world.ddll("load", &[&path, "jobs_drv"]), "ok");
    let port = world.open("jobs_drv", "[]");
    for (key, lane) in [("0", 0), ("3", 3), ("4", 0), ("7", 3), ("4294967295", 3)] {
        let answer = world.control(port, 0, &format!("job {key} plain"));
        assert_eq!(answer, format!("\"1 key {lane}\""), "{key}");
    }
    let done = vec!["{P,{data,\"done plain -1 1\"}}"; 5];
    assert_eq!(world.messages(5), done);
}

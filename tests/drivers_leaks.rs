//! Loading and unloading a thousand times leaves nothing behind: no descriptor, no mapping, no
//! thread. In a process of its own, whose books nobody else writes in.

#[path = "support/world.rs"]
mod world;

use std::fs;

use world::{World, compile};

/// What this process holds: descriptors, mappings, threads.
fn books() -> [usize; 3] {
    let count = |folder: &str| fs::read_dir(folder).unwrap().count();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    [
        count("/proc/self/fd"),
        maps.lines()
            .filter(|line| line.contains("counter_drv"))
            .count(),
        count("/proc/self/task"),
    ]
}

/// Kilobytes of memory in use.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_thousand_loads_leave_nothing_behind() {
    const ROUNDS: usize = 1000;
    let folder = compile("counter_drv");
    let folder = folder.to_string_lossy();
    let world = World::new();
    let round = || {
        assert_eq!(world.ddll("load", &[&folder, "counter_drv"]), "ok");
        let port = world.open("counter_drv", "[binary]");
        world.command(port, "5");
        assert_eq!(world.message(), r#"{P,{data,<<"5">>}}"#);
        assert_eq!(world.control(port, u32::from(b't'), "1"), "[]");
        world.close(port);
        while world.message() != "{'EXIT',P,normal}" {}
        assert_eq!(world.ddll("unload_driver", &["counter_drv"]), "ok");
    };
    for _ in 0..20 {
        round();
    }
    let (before, memory) = (books(), resident());
    for _ in 0..ROUNDS {
        round();
    }
    assert_eq!(books(), before);
    let grown = resident().saturating_sub(memory);
    assert!(grown < 2 * ROUNDS, "{grown} kB more after {ROUNDS} rounds");
}

//! Loading and unloading, and failing to, many times leaves nothing behind: no descriptor, no mapping, no
//! thread, no memory. In a process of its own, whose books nobody else writes in.
//! `WHARF_LEAKS_ROUNDS` sets how often each story is told.

#[path = "support/world.rs"]
mod world;

use std::fs;
use std::time::Instant;

use wharf::{Host, Term};
use world::{DEADLINE, World, compile, compile_with, scratch, term};

/// What this process holds: descriptors, mappings, threads.
fn books() -> [usize; 3] {
    let count = |folder: &str| fs::read_dir(folder).unwrap().count();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    [
        count("/proc/self/fd"),
        maps.lines()
            .filter(|line| {
                line.contains("_drv") || line.contains("leaks_") || line.contains("memfd")
            })
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

/// How often each story is told.
fn rounds() -> usize {
    let wanted = std::env::var("WHARF_LEAKS_ROUNDS").ok();
    wanted.map_or(300, |number| {
        number.parse().expect("WHARF_LEAKS_ROUNDS is a number")
    })
}

/// Tells a story many times, and finds the books as they were.
fn leaves_nothing(what: &str, round: impl Fn()) {
    /// Of a thousand rounds; an allocator that several threads share keeps some.
    const KB_MAX: usize = 2000;
    for _ in 0..20 {
        round();
    }
    let (before, memory) = (books(), resident());
    let rounds = rounds();
    for _ in 0..rounds {
        round();
    }
    // A thread, or a file that one of them has open, may be on its way out, or in.
    let deadline = Instant::now() + DEADLINE;
    while books() != before {
        assert!(
            Instant::now() < deadline,
            "{what}: descriptors, mappings, threads {before:?}, then {:?}",
            books()
        );
        std::thread::yield_now();
    }
    let grown = resident().saturating_sub(memory);
    let allowed = KB_MAX + rounds / 8;
    assert!(
        grown < allowed,
        "{what}: {grown} kB more after {rounds} rounds"
    );
    eprintln!("{what}: {rounds} rounds, {grown} kB more");
}

// One test: another one beside it would write in the same books.
#[test]
fn many_loads_leave_nothing_behind() {
    // One worker, which is there from the first round on: a second one starts when it is needed.
    let host = Host::builder().work_threads(1).build().unwrap();
    let me = host.process();
    me.set_trap_exit(true);
    let world = World { host, me };
    let folder = compile("counter_drv").to_string_lossy().into_owned();
    leaves_nothing("loads with a port", || {
        assert_eq!(world.ddll("load", &[&folder, "counter_drv"]), "ok");
        let port = world.open("counter_drv", "[binary]");
        world.command(port, "5");
        assert_eq!(world.message(), r#"{P,{data,<<"5">>}}"#);
        assert_eq!(world.control(port, u32::from(b't'), "1"), "[]");
        world.close(port);
        while world.message() != "{'EXIT',P,normal}" {}
        assert_eq!(world.ddll("unload_driver", &["counter_drv"]), "ok");
    });
    leaves_nothing("loads by a process that dies", || {
        let mortal = world.host.process();
        let words = [&*folder, "counter_drv"].map(Term::charlist);
        assert_eq!(mortal.ddll("load", &words), Ok(Term::atom("ok")));
        let watch = [Term::atom("driver"), term("{counter_drv,unloaded}")];
        let watching = world.me.ddll("monitor", &watch);
        assert!(watching.is_ok());
        mortal.exit(Term::atom("over"));
        assert_eq!(world.message(), "{'DOWN',R,driver,counter_drv,unloaded}");
    });
    assert_eq!(world.ddll("load", &[&folder, "counter_drv"]), "ok");
    leaves_nothing("reloads", || {
        assert_eq!(world.ddll("reload", &[&folder, "counter_drv"]), "ok");
    });
    assert_eq!(world.ddll("unload_driver", &["counter_drv"]), "ok");
    let files = scratch("leaks_no_drivers");
    std::fs::write(files.join("short.so"), "x").unwrap();
    std::fs::write(files.join("text.so"), "no library ".repeat(100)).unwrap();
    std::fs::create_dir(files.join("folder.so")).unwrap();
    let files = files.to_string_lossy().into_owned();
    for name in ["missing", "short", "text", "folder"] {
        leaves_nothing(name, || {
            let refused = world.ddll("load", &[&files, name]);
            assert!(refused.starts_with("{error,{open_error,"), "{refused}");
        });
    }
    for (name, flags, reason) in [
        ("leaks_no_init", "-DNO_INIT", "no_driver_init"),
        ("leaks_no_entry", "-DNO_ENTRY", "driver_init_failed"),
        ("leaks_marker", "-DMARKER=1", "driver_incorrect_version"),
        ("leaks_version", "-DMINOR=4", "driver_incorrect_version"),
        ("leaks_name", "-DNAME=\"other\"", "bad_driver_name"),
        ("leaks_init", "-DINIT_FAILS", "driver_init_failed"),
        ("leaks_symbols", "-DUNDEFINED", "open_error"),
    ] {
        let own_name = format!("-DNAME=\"{name}\"");
        let mut flags = vec![flags];
        if reason != "bad_driver_name" {
            flags.push(&own_name);
        }
        let folder = compile_with("bad_drv", name, &flags);
        let folder = folder.to_string_lossy();
        leaves_nothing(name, || {
            let refused = world.ddll("load", &[&folder, name]);
            assert!(refused.contains(reason), "{refused}");
        });
    }
}

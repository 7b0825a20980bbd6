//! A driver is unloaded at awkward moments: its code stays where it is until nobody can be in it, its
//! `finish` runs once and last, and then it is gone from memory.
#![forbid(unsafe_code)]

#[path = "support/gate.rs"]
mod gate;
#[path = "support/quiet.rs"]
mod quiet;
#[path = "support/world.rs"]
mod world;

use std::io::Write;
use std::os::fd::AsRawFd;
use std::sync::Barrier;
use std::thread;

use gate::Gate;
use quiet::{Watchdog, wait_for_no_ports, wait_until};
use wharf::{Host, Options, Port, PortName, Process, Term};
use world::{compile_with, shown, term};

/// A loaded driver of this name, its owner, and one port that has started.
struct Scene {
    host: Host,
    owner: Process,
    name: &'static str,
    folder: String,
    gate: Gate,
    port: Port,
    _watchdog: Watchdog,
}

/// The kinds of turn: one for each driver, and one for each port.
const LOCKING: [(&str, &str); 2] = [("0", ""), ("ERL_DRV_FLAG_USE_PORT_LOCKING", "_p")];

fn compile(name: &str, flags: &str) -> String {
    let flags = [format!("-DNAME=\"{name}\""), format!("-DFLAGS={flags}")];
    let folder = compile_with("unload_drv", name, &[&flags[0], &flags[1]]);
    folder.to_string_lossy().into_owned()
}

fn load(process: &Process, folder: &str, name: &str) {
    let words = [folder, name].map(Term::charlist);
    assert_eq!(process.ddll("load", &words), Ok(Term::atom("ok")));
}

/// How often a race is run.
fn rounds() -> usize {
    let wanted = std::env::var("WHARF_RACES").ok();
    wanted.map_or(30, |number| {
        number.parse().expect("WHARF_RACES is a number")
    })
}

/// Whether the driver's file is part of this process.
fn is_mapped(name: &str) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let file = format!("/{name}.so");
    maps.lines().any(|line| line.ends_with(&file))
}

fn control(by: &Process, port: &Port, operation: char, data: &[u8]) {
    let operation = Term::from(u32::from(operation));
    let data = Term::Binary(data.into());
    let _ = by.port_control(&port.id().into(), &operation, &data);
}

impl Scene {
    /// The port stands still in the places of these letters.
    fn new(name: &'static str, flags: &str, places: &str) -> Scene {
        Scene::from(compile(name, flags), name, places)
    }

    /// The same of a driver that is there already.
    fn from(folder: String, name: &'static str, places: &str) -> Scene {
        let watchdog = Watchdog::new(name);
        let host = Host::new().unwrap();
        let owner = host.process();
        owner.set_trap_exit(true);
        load(&owner, &folder, name);
        let mut gate = Gate::new();
        let port = gate.open(&owner, name, places);
        Scene {
            host,
            owner,
            name,
            folder,
            gate,
            port,
            _watchdog: watchdog,
        }
    }

    fn control(&self, operation: char) {
        control(&self.owner, &self.port, operation, b"");
    }

    /// Asks for the unload; it is not done while anybody may be in the code.
    fn unload(&self, options: &str) {
        let words = [Term::charlist(self.name), term(options)];
        let answer = self.owner.ddll("try_unload", &words).unwrap();
        assert_eq!(shown(&answer), "{ok,pending_driver,R}");
    }

    /// Hears that the driver is gone, among other messages.
    fn hears_of_the_unload(&self) {
        let last = format!("{{'DOWN',R,driver,{},unloaded}}", self.name);
        loop {
            let message = self.owner.receive_any(quiet::SOON).unwrap();
            if shown(&message.expect("the driver is unloaded")) == last {
                return;
            }
        }
    }

    /// The driver is gone, after its last word.
    fn ends(mut self) {
        self.gate.reaches("F");
        self.hears_of_the_unload();
        assert!(!is_mapped(self.name), "the file is still mapped");
        wait_for_no_ports(&self.host);
        self.gate.is_quiet(&self.host);
    }
}

const KILL: &str = "[kill_ports,{monitor,pending_driver}]";
const WAIT: &str = "[{monitor,pending_driver}]";

#[test]
fn a_callback_that_runs_on_another_thread_is_waited_for() {
    for ((flags, kind), name) in LOCKING.into_iter().zip(["unload_back", "unload_back_p"]) {
        let mut scene = Scene::new(name, flags, "c");
        thread::scope(|threads| {
            let caller = scene.host.process();
            let port = scene.port.clone();
            threads.spawn(move || control(&caller, &port, 'c', b""));
            scene.gate.reaches("c");
            scene.unload(KILL);
            assert!(is_mapped(name), "{kind}: unmapped under a callback");
            scene.gate.let_go();
        });
        scene.gate.reaches("x");
        scene.ends();
    }
}

#[test]
fn a_job_is_waited_for_though_its_port_is_gone() {
    for ((flags, _), name) in LOCKING.into_iter().zip(["unload_job", "unload_job_p"]) {
        let mut scene = Scene::new(name, flags, "j");
        scene.control('j');
        scene.gate.reaches("j");
        scene.unload(KILL);
        scene.gate.reaches("x");
        wait_until("no ports", || scene.host.ports().is_empty());
        assert!(is_mapped(name), "unmapped under a job");
        scene.gate.let_go();
        scene.gate.reaches("d");
        scene.ends();
    }
}

#[test]
fn a_job_that_is_done_gets_its_data_back_before_the_end() {
    let mut scene = Scene::new("unload_done", "0", "jcr");
    scene.control('j');
    scene.gate.reaches("j");
    thread::scope(|threads| {
        let caller = scene.host.process();
        let port = scene.port.clone();
        // The port is in use, so that the job's end has to wait.
        threads.spawn(move || control(&caller, &port, 'c', b""));
        scene.gate.reaches("c");
        scene.gate.let_go();
        scene.gate.let_go();
    });
    scene.gate.reaches("r");
    scene.unload(KILL);
    assert!(is_mapped("unload_done"), "unmapped under ready_async");
    scene.gate.let_go();
    scene.gate.reaches("x");
    scene.ends();
}

#[test]
fn finish_may_wait_for_a_thread() {
    let mut scene = Scene::new("unload_held", "0", "w");
    scene.control('W');
    scene.gate.reaches("w");
    scene.unload(KILL);
    scene.gate.reaches("x");
    scene.gate.reaches("J");
    assert!(is_mapped("unload_held"), "unmapped under a thread");
    scene.gate.let_go();
    scene.ends();
}

#[test]
fn a_thread_that_nobody_waits_for_keeps_the_code() {
    let mut scene = Scene::new("unload_loose", "0", "");
    scene.control('w');
    scene.gate.reaches("w");
    scene.unload(KILL);
    scene.gate.reaches("x");
    scene.gate.reaches("F");
    scene.hears_of_the_unload();
    assert!(is_mapped("unload_loose"), "unmapped under a thread");
    // The same file again is a driver with variables of its own.
    load(&scene.owner, &scene.folder, "unload_loose");
    let mut second = Gate::new();
    let port = second.open(&scene.owner, "unload_loose", "");
    scene.gate.let_go();
    scene.gate.reaches("z");
    port.close().unwrap();
    second.reaches("x");
    scene.unload(WAIT);
    second.reaches("F");
    scene.hears_of_the_unload();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(!maps.contains("memfd:unload_loose"), "the copy stays");
    assert!(is_mapped("unload_loose"));
}

#[test]
fn a_descriptor_is_given_back_before_the_end() {
    for ((flags, _), name) in LOCKING.into_iter().zip(["unload_fd", "unload_fd_p"]) {
        let mut scene = Scene::new(name, flags, "cp");
        let (reads, mut writes) = std::io::pipe().unwrap();
        let number = reads.as_raw_fd().to_ne_bytes();
        control(&scene.owner, &scene.port, 's', &number);
        thread::scope(|threads| {
            let caller = scene.host.process();
            let port = scene.port.clone();
            threads.spawn(move || control(&caller, &port, 'c', b""));
            scene.gate.reaches("c");
            // The port is dead before it can hear of what is asked of it from now on.
            scene.unload(KILL);
            writes.write_all(b"event").unwrap();
            scene.gate.let_go();
        });
        scene.gate.reaches("p");
        assert!(is_mapped(name), "unmapped under stop_select");
        scene.gate.let_go();
        scene.gate.reaches("x");
        scene.ends();
    }
}

#[test]
fn timers_and_deaths_that_are_due_do_not_come_after_the_end() {
    for (name, what) in [
        ("unload_timer", 't'),
        ("unload_later", 'T'),
        ("unload_death", 'm'),
    ] {
        let mut scene = Scene::new(name, "0", "c");
        let watched = scene.host.process();
        if what == 'm' {
            control(&watched, &scene.port, 'm', b"");
        }
        thread::scope(|threads| {
            let caller = scene.host.process();
            let port = scene.port.clone();
            threads.spawn(move || control(&caller, &port, 'c', b""));
            scene.gate.reaches("c");
            thread::scope(|threads| {
                // Waits behind the callback, as what sets the timer does: the order is theirs.
                let setter = scene.host.process();
                let port = scene.port.clone();
                threads.spawn(move || control(&setter, &port, what, b""));
                scene.unload(KILL);
                watched.exit(Term::atom("over"));
                scene.gate.let_go();
            });
        });
        // Before its stop it may hear of either; after it, it would abort.
        loop {
            let place = scene.gate.next();
            if place == "x" {
                break;
            }
            assert!(["t", "e"].contains(&&*place), "{place}");
        }
        scene.ends();
    }
}

#[test]
fn two_hosts_unload_the_same_file_each_for_itself() {
    let mut first = Scene::new("unload_two", "0", "c");
    let mut second = Scene::from(first.folder.clone(), "unload_two", "c");
    thread::scope(|threads| {
        let caller = first.host.process();
        let port = first.port.clone();
        threads.spawn(move || control(&caller, &port, 'c', b""));
        first.gate.reaches("c");
        // The other one has a copy, and goes as a whole.
        second.unload(KILL);
        second.gate.reaches("x");
        second.gate.reaches("F");
        second.hears_of_the_unload();
        assert!(is_mapped("unload_two"), "unmapped under another host");
        first.unload(KILL);
        first.gate.let_go();
    });
    first.gate.reaches("x");
    first.ends();
}

#[test]
fn a_load_as_the_last_user_dies_holds_or_starts_anew() {
    let _watchdog = Watchdog::new("a load as the last user dies");
    let folder = compile("unload_race", "0");
    let host = Host::new().unwrap();
    let words = |name: &str| [Term::charlist(&folder), Term::charlist(name)];
    for _ in 0..rounds() {
        let (dies, stays) = (host.process(), host.process());
        load(&dies, &folder, "unload_race");
        let start = Barrier::new(2);
        thread::scope(|threads| {
            threads.spawn(|| {
                start.wait();
                dies.exit(Term::atom("over"));
            });
            start.wait();
            let answer = stays.ddll("load", &words("unload_race"));
            assert_eq!(answer, Ok(Term::atom("ok")));
        });
        let name = PortName::spawn_driver("unload_race");
        let port = stays.open(name, Options::new()).expect("it is loaded");
        port.close().unwrap();
        let unload = [Term::charlist("unload_race")];
        assert_eq!(stays.ddll("unload_driver", &unload), Ok(Term::atom("ok")));
        assert!(stays.ddll("info", &unload).is_err(), "somebody is left");
        assert!(!is_mapped("unload_race"));
    }
}

#[test]
fn what_a_dead_process_loads_or_watches_is_nobodys() {
    let _watchdog = Watchdog::new("what a dead process loads");
    let folder = compile("unload_dead", "0");
    let host = Host::new().unwrap();
    let (dead, lives) = (host.process(), host.process());
    dead.exit(Term::atom("over"));
    let words = [&*folder, "unload_dead"].map(Term::charlist);
    let _ = dead.ddll("load", &words);
    wait_until("unloaded", || lives.ddll("info", &words[1..]).is_err());
    assert!(!is_mapped("unload_dead"));
    load(&lives, &folder, "unload_dead");
    let watched = [Term::atom("driver"), term("{\"unload_dead\",unloaded}")];
    let _ = dead.ddll("monitor", &watched);
    let item = [words[1].clone(), Term::atom("awaiting_unload")];
    assert_eq!(lives.ddll("info", &item), Ok(Term::Nil));
}

#[test]
fn opening_while_the_driver_is_loaded_anew_waits_for_it() {
    let _watchdog = Watchdog::new("opening while loaded anew");
    let folder = compile("unload_anew", "0");
    let host = Host::new().unwrap();
    let loader = host.process();
    load(&loader, &folder, "unload_anew");
    let over = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|threads| {
        for _ in 0..2 {
            let opener = host.process();
            let over = &over;
            threads.spawn(move || {
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    let name = PortName::spawn_driver("unload_anew");
                    let port = opener.open(name, Options::new()).expect("always there");
                    port.close().unwrap();
                }
            });
        }
        let words = [&*folder, "unload_anew"].map(Term::charlist);
        for _ in 0..rounds() {
            assert_eq!(loader.ddll("reload", &words), Ok(Term::atom("ok")));
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_port_that_is_being_opened_is_killed_with_the_others() {
    for ((flags, _), name) in LOCKING.into_iter().zip(["unload_open", "unload_open_p"]) {
        let _watchdog = Watchdog::new(name);
        let folder = compile(name, flags);
        let host = Host::new().unwrap();
        let owner = host.process();
        owner.set_trap_exit(true);
        load(&owner, &folder, name);
        let mut gate = Gate::new();
        thread::scope(|threads| {
            let opener = host.process();
            let opened = gate.name(name, "s");
            threads.spawn(move || drop(opener.open(opened, Options::new())));
            gate.reaches("s");
            let words = [Term::charlist(name), term(KILL)];
            let answer = owner.ddll("try_unload", &words).unwrap();
            assert_eq!(shown(&answer), "{ok,pending_driver,R}");
            assert!(is_mapped(name), "unmapped under start");
            gate.let_go();
        });
        gate.reaches("x");
        gate.reaches("F");
        let message = owner.receive_any(quiet::SOON).unwrap();
        let last = format!("{{'DOWN',R,driver,{name},unloaded}}");
        assert_eq!(message.map(|message| shown(&message)), Some(last));
        assert!(!is_mapped(name));
    }
}

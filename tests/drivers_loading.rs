//! Loading and unloading: what is refused and in which words, who keeps a driver, when it goes.

#[path = "support/world.rs"]
mod world;

use std::path::Path;
use std::time::{Duration, Instant};

use wharf::term::Term;
use world::{DEADLINE, World, compile_with, scratch, shown, term};

/// Loads a bad driver, compiled with flags, and gives the error.
fn refused(library: &str, flags: &[&str]) -> String {
    let world = World::new();
    let folder = compile_with("bad_drv", library, flags);
    world.ddll("load", &[&folder.to_string_lossy(), library])
}

/// Loads something and gives the text of the loader's error.
fn open_error(folder: &Path, name: &str) -> String {
    let world = World::new();
    let answer = world.ddll("load", &[&folder.to_string_lossy(), name]);
    let reason = answer
        .strip_prefix("{error,")
        .and_then(|rest| rest.strip_suffix('}'));
    let reason = reason.unwrap_or_else(|| panic!("{answer}"));
    assert!(reason.starts_with("{open_error,-"), "{answer}");
    world.ddll_terms("format_error", &[term(reason)])
}

#[test]
fn bad_drivers_are_refused_in_erlangs_words() {
    for (library, flags, error) in [
        (
            "bad_no_init",
            &["-DNO_INIT", "-DNAME=\"bad_no_init\""][..],
            "no_driver_init",
        ),
        ("bad_no_entry", &["-DNO_ENTRY"], "driver_init_failed"),
        (
            "bad_marker",
            &["-DMARKER=1", "-DNAME=\"bad_marker\""],
            "driver_incorrect_version",
        ),
        (
            "bad_old",
            &["-DMAJOR=1", "-DNAME=\"bad_old\""],
            "driver_incorrect_version",
        ),
        (
            "bad_new",
            &["-DMINOR=4", "-DNAME=\"bad_new\""],
            "driver_incorrect_version",
        ),
        (
            "bad_newer",
            &["-DMAJOR=4", "-DNAME=\"bad_newer\""],
            "driver_incorrect_version",
        ),
        ("bad_name", &["-DNAME=\"another\""], "bad_driver_name"),
        (
            "bad_init",
            &["-DINIT_FAILS", "-DNAME=\"bad_init\""],
            "driver_init_failed",
        ),
    ] {
        assert_eq!(
            refused(library, flags),
            format!("{{error,{error}}}"),
            "{library}"
        );
    }
    for (library, flags) in [
        (
            "fine_2_0",
            &["-DMAJOR=2", "-DMINOR=0", "-DNAME=\"fine_2_0\""][..],
        ),
        ("fine_3_0", &["-DMINOR=0", "-DNAME=\"fine_3_0\""]),
    ] {
        assert_eq!(refused(library, flags), "ok", "{library}");
    }
}

#[test]
fn files_that_are_no_libraries_are_refused_in_the_loaders_words() {
    let folder = scratch("no_libraries");
    let missing = "\"cannot open shared object file: No such file or directory\"";
    assert_eq!(open_error(&folder, "missing"), missing);
    std::fs::write(folder.join("short.so"), "x").unwrap();
    assert_eq!(open_error(&folder, "short"), "\"file too short\"");
    std::fs::write(folder.join("text.so"), "x".repeat(1000)).unwrap();
    assert_eq!(open_error(&folder, "text"), "\"invalid ELF header\"");
}

#[test]
fn all_missing_symbols_are_named() {
    let folder = compile_with(
        "bad_drv",
        "bad_symbols",
        &["-DUNDEFINED", "-DNAME=\"bad_symbols\""],
    );
    let text = open_error(&folder, "bad_symbols");
    assert!(text.starts_with("\"undefined symbol: nosuch_"), "{text}");
    assert!(
        text.contains("nosuch_one") && text.contains("nosuch_two"),
        "{text}"
    );
    assert!(!text.contains("driver_"), "{text}");
}

#[test]
fn a_driver_that_cannot_be_loaded_says_why_in_a_sentence() {
    let folder = compile_with(
        "bad_drv",
        "bad_sentence",
        &["-DMINOR=9", "-DNAME=\"bad_sentence\""],
    );
    let host = wharf::host::Host::builder()
        .driver_path(&folder)
        .build()
        .unwrap();
    let name = term("{spawn_driver,\"bad_sentence\"}");
    let raise = host.process().open_port(&name, &Term::Nil).unwrap_err();
    assert_eq!(raise.reason, Term::atom("badarg"));
    let text = raise.to_string();
    assert!(
        text.contains("bad_sentence.so") && text.contains("driver interface 3.9"),
        "{text}"
    );
}

#[test]
fn a_driver_on_the_path_needs_no_loading() {
    let folder = compile_with("echo_drv", "echo_drv", &[]);
    let host = wharf::host::Host::builder()
        .driver_path(&folder)
        .build()
        .unwrap();
    let me = host.process();
    let open = |name: &str| me.open_port(&term(name), &term("[binary]"));
    assert_eq!(
        open("{spawn_driver,\"nobody_has_it\"}").unwrap_err().reason,
        Term::atom("badarg")
    );
    assert_eq!(
        open("{spawn_driver,\"../echo_drv\"}").unwrap_err().reason,
        Term::atom("badarg")
    );
    let port = open("{spawn_driver,\"echo_drv\"}").unwrap();
    me.port_command(&port.into(), &Term::from("here"), &Term::Nil)
        .unwrap();
    let message = me.receive_any(DEADLINE).unwrap().unwrap();
    assert_eq!(shown(&message), "{P,{data,<<\"here\">>}}");
}

/// A world with a turn driver of its own name, so that its static data is its own, too.
fn turn_world(name: &str) -> (World, std::path::PathBuf) {
    let folder = compile_with("turn_drv", name, &[&format!("-DNAME=\"{name}\"")]);
    let world = World::new();
    assert_eq!(world.ddll("load", &[&folder.to_string_lossy(), name]), "ok");
    (world, folder)
}

/// Waits until a file is there.
fn appears(file: &Path) -> bool {
    let deadline = Instant::now() + DEADLINE;
    while !file.exists() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

#[test]
fn a_driver_stays_until_its_last_port_is_closed() {
    let (world, _) = turn_world("turn_stays");
    let farewell = scratch("turn_stays").join("bye");
    let port = world.open(&format!("turn_stays {}", farewell.display()), "[]");
    let wait = world.me.ddll(
        "monitor",
        &[Term::atom("driver"), term("{\"turn_stays\",unloaded}")],
    );
    assert!(wait.is_ok());
    assert_eq!(world.ddll("unload", &["turn_stays"]), "ok");
    assert_eq!(world.control(port, u32::from(b'u'), ""), "\"1\"");
    let second = world.open("turn_stays", "[]");
    world.close(port);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
    assert!(!farewell.exists());
    world.close(second);
    assert_eq!(
        world.messages(2),
        ["{'EXIT',P,normal}", "{'DOWN',R,driver,turn_stays,unloaded}"]
    );
    assert!(
        farewell.exists(),
        "finish ran before the driver was called unloaded"
    );
    assert_eq!(
        world.try_open("turn_stays", "[]").unwrap_err().reason,
        Term::atom("badarg")
    );
}

#[test]
fn a_reload_starts_afresh() {
    let (world, folder) = turn_world("turn_reload");
    let port = world.open("turn_reload", "[]");
    for uses in ["\"1\"", "\"2\""] {
        assert_eq!(world.control(port, u32::from(b'u'), ""), uses);
    }
    world.close(port);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
    let folder = folder.to_string_lossy();
    assert_eq!(world.ddll("reload", &[&folder, "turn_reload"]), "ok");
    let port = world.open("turn_reload", "[]");
    assert_eq!(world.control(port, u32::from(b'u'), ""), "\"1\"");
}

#[test]
fn killing_ports_unloads_at_once() {
    let (world, _) = turn_world("turn_kill");
    let farewell = scratch("turn_kill").join("bye");
    world.open(&format!("turn_kill {}", farewell.display()), "[]");
    assert_eq!(world.ddll("unload_driver", &["turn_kill"]), "ok");
    assert!(farewell.exists());
    assert_eq!(world.message(), "{'EXIT',P,driver_unloaded}");
}

#[test]
fn a_job_in_flight_keeps_the_driver() {
    let (world, _) = turn_world("turn_job");
    let farewell = scratch("turn_job").join("bye");
    let port = world.open(&format!("turn_job {}", farewell.display()), "[]");
    // Before the job begins, so that it cannot have had a start of it.
    let started = Instant::now();
    assert_eq!(world.control(port, u32::from(b'j'), ""), "\"1\"");
    world.close(port);
    assert_eq!(world.ddll("unload_driver", &["turn_job"]), "ok");
    assert!(
        started.elapsed() >= Duration::from_millis(90),
        "the job was not waited for"
    );
    assert!(farewell.exists());
}

#[test]
fn a_process_that_ends_takes_its_loads_with_it() {
    let folder = compile_with("turn_drv", "turn_owner", &["-DNAME=\"turn_owner\""]);
    let world = World::new();
    let farewell = scratch("turn_owner").join("bye");
    let other = world.host.process();
    let arguments = [
        Term::charlist(&folder.to_string_lossy()),
        Term::charlist("turn_owner"),
    ];
    assert_eq!(other.ddll("load", &arguments), Ok(Term::atom("ok")));
    let port = world.open(&format!("turn_owner {}", farewell.display()), "[]");
    other.exit(Term::atom("normal"));
    assert_eq!(
        world.control(port, u32::from(b'u'), ""),
        "\"1\"",
        "its port keeps it"
    );
    world.close(port);
    assert!(appears(&farewell));
}

#[test]
fn a_permanent_driver_stays() {
    let (world, folder) = turn_world("turn_permanent");
    let port = world.open("turn_permanent", "[]");
    assert_eq!(world.control(port, u32::from(b'l'), ""), "\"0\"");
    assert_eq!(
        world.ddll("unload", &["turn_permanent"]),
        "{error,permanent}"
    );
    let folder = folder.to_string_lossy();
    assert_eq!(
        world.ddll("load", &[&folder, "turn_permanent"]),
        "{error,permanent}"
    );
    let info = world.ddll("info", &["turn_permanent"]);
    assert!(
        info.contains("{permanent,true}") && info.contains("{processes,permanent}"),
        "{info}"
    );
}

#[test]
fn two_hosts_have_a_driver_each() {
    let folder = compile_with("turn_drv", "turn_hosts", &["-DNAME=\"turn_hosts\""]);
    let worlds = [World::new(), World::new()];
    for world in &worlds {
        assert_eq!(
            world.ddll("load", &[&folder.to_string_lossy(), "turn_hosts"]),
            "ok"
        );
    }
    let [other, port] = [0, 1].map(|host| worlds[host].open("turn_hosts", "[]"));
    for uses in ["\"1\"", "\"2\""] {
        assert_eq!(worlds[0].control(other, u32::from(b'u'), ""), uses);
    }
    assert_eq!(worlds[0].ddll("unload_driver", &["turn_hosts"]), "ok");
    assert_eq!(
        worlds[1].control(port, u32::from(b'u'), ""),
        "\"1\"",
        "the other host's is still there, and has variables of its own"
    );
}

#[test]
fn a_host_that_goes_unloads_its_drivers() {
    let (world, _) = turn_world("turn_gone");
    let farewell = scratch("turn_gone").join("bye");
    world.open(&format!("turn_gone {}", farewell.display()), "[]");
    drop(world);
    assert!(appears(&farewell));
}

#[test]
fn a_driver_can_bring_others_along() {
    let world = World::with("bringer_drv");
    let port = world.open("brought_drv", "[]");
    world.command(port, "hello");
    assert_eq!(world.message(), r#"{P,{data,"hello"}}"#);
    assert_eq!(
        world.ddll("unload", &["brought_drv"]),
        "{error,linked_in_driver}"
    );
    let info = world.ddll("info", &["brought_drv"]);
    assert!(info.contains("{linked_in_driver,true}"), "{info}");
    world.close(port);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
    let bringer = world.open("bringer_drv", "[]");
    assert_eq!(world.control(bringer, 0, ""), "\"1 0 -1\"");
    assert_eq!(
        world.try_open("brought_drv", "[]").unwrap_err().reason,
        Term::atom("badarg")
    );
}

/// Erlang adds a second driver of a name, which hides the first, and looks at freed memory when a driver is
/// taken away that has a port, or just had one.
#[test]
fn a_driver_is_not_taken_away_under_its_ports_and_no_name_is_taken_twice() {
    let world = World::with("adding_drv");
    let adding = world.open("adding_drv", "[]");
    let add = |number: &str| assert_eq!(world.control(adding, u32::from(b'a'), number), "[]");
    let remove = |number: &str| world.control(adding, u32::from(b'r'), number);
    let notes = || world.control(adding, u32::from(b'?'), "");
    add("1");
    // The second one of a name is refused, and so is none at all.
    add("2");
    add("4");
    let port = world.open("added_port_drv", "[]");
    world.command(port, "first");
    assert_eq!(world.message(), r#"{P,{data,"first"}}"#);
    assert_eq!([remove("2"), remove("1")], ["\"0\"", "\"-1\""]);
    world.command(port, "still");
    assert_eq!(world.message(), r#"{P,{data,"still"}}"#);
    world.close(port);
    assert_eq!(world.message(), "{'EXIT',P,normal}");
    assert_eq!(remove("1"), "\"1\"");
    assert!(world.try_open("added_port_drv", "[]").is_err());
    assert_eq!(notes(), "\"init start stop \"");
    // At once, and more often than anybody would.
    for _ in 0..100 {
        add("0");
        let port = world.open("added_drv", "[]");
        world.close(port);
        assert_eq!(remove("0"), "\"1\"");
        assert_eq!(world.message(), "{'EXIT',P,normal}");
        assert_eq!(notes(), "\"init start stop \"");
    }
}

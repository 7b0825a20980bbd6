//! What a host says of what it would leave behind, and of what it has left.
#![forbid(unsafe_code)]

#[path = "support/drivers.rs"]
mod drivers;

use std::path::Path;
use std::time::Duration;

use wharf::{Host, Leftover, Options, Port, PortName, Process};

const CARELESS: &str = "c_tests/careless_drv.c";

/// A port of a driver in this file.
fn open(host: &Host, test: &str, file: &str) -> (Process, Port) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("leftovers-{test}"));
    std::fs::create_dir_all(&folder).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    drivers::compile(&source, &folder);
    let name = source.file_stem().unwrap().to_str().unwrap();
    let me = host.process();
    me.load_driver(&folder, name).unwrap();
    let port = me.open(PortName::spawn_driver(name), Options::new());
    (me, port.unwrap())
}

/// Size and driver of each binary.
fn binaries(left: &[Leftover]) -> Vec<(usize, Option<&str>)> {
    let binary = |one| match one {
        &Leftover::Binary { bytes, ref driver } => Some((bytes, driver.as_deref())),
        _ => None,
    };
    left.iter().filter_map(binary).collect()
}

#[test]
fn binaries_are_noted_where_that_is_wanted_only() {
    let noting = Host::builder().note_binaries(true).build().unwrap();
    let other = Host::builder().note_binaries(true).build().unwrap();
    let plain = Host::new().unwrap();
    let (_me, port) = open(&noting, "noting", CARELESS);
    let (_you, silent) = open(&plain, "plain", CARELESS);
    port.control(u32::from(b'a'), "1000").unwrap();
    port.control(u32::from(b'a'), "7").unwrap();
    silent.control(u32::from(b'a'), "1000").unwrap();
    let found = noting.leftovers();
    let careless = Some("careless_drv");
    assert_eq!(binaries(&found), [(1000, careless), (7, careless)]);
    assert!(binaries(&plain.leftovers()).is_empty());
    assert!(other.leftovers().is_empty());
    port.control(u32::from(b'f'), "").unwrap();
    silent.control(u32::from(b'f'), "").unwrap();
    assert_eq!(binaries(&noting.leftovers()), [(1000, careless)]);
    port.control(u32::from(b'f'), "").unwrap();
    assert_eq!(noting.leftovers().len(), 1, "the port itself");
}

#[test]
fn an_end_tells_what_was_there_and_what_is_left() {
    let host = Host::builder().note_binaries(true).build().unwrap();
    let (me, port) = open(&host, "ending", CARELESS);
    port.control(u32::from(b't'), "").unwrap();
    let ended = host.end();
    assert!(me.exited().is_some() && !port.is_open());
    drop((me, port));
    let left = ended.leftovers();
    assert_eq!(left.len(), 2, "{ended:?}");
    assert!(matches!(left[0], Leftover::Port { .. }));
    assert!(matches!(left[1], Leftover::Timer { .. }));
}

#[test]
fn a_driver_s_binary_is_left_as_long_as_somebody_has_it() {
    let host = Host::builder().note_binaries(true).build().unwrap();
    let (me, port) = open(&host, "shared", "drivers/term_drv.c");
    port.command("shared").unwrap();
    let message = me.next(Duration::from_secs(30)).unwrap().unwrap();
    port.close().unwrap();
    assert_eq!(host.leftovers().len(), 1);
    let ended = host.end();
    drop((me, port));
    let lines: Vec<String> = ended.leftovers().iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["binary of 100 bytes, allocated by term_drv"]);
    drop(message);
    assert!(ended.leftovers().is_empty());
}

#[test]
fn a_deadline_further_off_than_the_clock_reaches_is_none() {
    let host = Host::new().unwrap();
    let me = host.process();
    let port = me.open(PortName::spawn("cat"), Options::new()).unwrap();
    assert!(host.close_ports(Duration::MAX).is_empty());
    assert!(!port.is_open());
    assert!(host.leftovers().is_empty());
}

//! `wharf inspect` on drivers that load, and on drivers that do not, for each reason there is.
#![forbid(unsafe_code)]
#![cfg(feature = "cli")]

#[path = "support/command.rs"]
mod command;
#[path = "support/drivers.rs"]
mod drivers;
#[path = "support/program.rs"]
mod program;

use std::path::{Path, PathBuf};
use std::time::Duration;

fn folder() -> &'static Path {
    static FOLDER: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    FOLDER.get_or_init(|| drivers::compile_all("inspect"))
}

/// Compiles the echo driver under another name, with something in it replaced.
fn altered(name: &str, from: &str, to: &str) -> PathBuf {
    let echo = Path::new(env!("CARGO_MANIFEST_DIR")).join("drivers/echo_drv.c");
    let text = std::fs::read_to_string(echo).unwrap();
    let text = text.replace("\"echo_drv\"", &format!("\"{name}\""));
    assert!(text.contains(from));
    let source = folder().join(format!("{name}.c"));
    std::fs::write(&source, text.replace(from, to)).unwrap();
    drivers::compile(&source, folder())
}

fn inspect(arguments: &[&str], driver: &Path) -> (i32, String) {
    let mut all = vec!["inspect"];
    all.extend(arguments);
    let path = driver.display().to_string();
    all.push(&path);
    let output = program::run_within(command::wharf(&all), "", Duration::from_secs(60));
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

fn refused(driver: &Path, sentence: &str, term: &str) {
    let (status, text) = inspect(&[], driver);
    assert_eq!(status, 1, "{text}");
    assert!(text.contains(sentence), "{sentence:?} in {text}");
    assert!(text.contains(term), "{term:?} in {text}");
}

#[test]
fn a_driver_that_loads() {
    let (status, text) = inspect(&[], &folder().join("counter_drv.so"));
    assert_eq!(status, 0, "{text}");
    for part in [
        "counter_drv",
        "3.3",
        "ERL_DRV_FLAG_USE_PORT_LOCKING",
        "control timeout",
        "driver_set_timer",
        "yes",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

#[test]
fn json_for_programs() {
    let (_, text) = inspect(&["--json"], &folder().join("worker_drv.so"));
    let facts: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(facts["name"], "worker_drv");
    assert_eq!(facts["version"]["major"], 3);
    assert_eq!(facts["loads"], true);
    let callbacks = facts["callbacks"].as_array().unwrap();
    assert!(callbacks.iter().any(|name| name == "ready_async"), "{text}");
    let symbols = facts["symbols"].as_array().unwrap();
    assert!(symbols.iter().any(|name| name == "driver_async"), "{text}");
}

#[test]
fn no_driver_init() {
    let source = folder().join("bare_drv.c");
    std::fs::write(&source, "int nothing;\n").unwrap();
    let driver = drivers::compile(&source, folder());
    refused(&driver, "no function driver_init", "{error,no_driver_init}");
}

#[test]
fn a_wrong_marker() {
    let driver = altered("marker_drv", "= ERL_DRV_EXTENDED_MARKER", "= 7");
    refused(
        &driver,
        "marker 0x00000007",
        "{error,driver_incorrect_version}",
    );
}

#[test]
fn a_version_from_the_future() {
    let driver = altered("future_drv", "= ERL_DRV_EXTENDED_MAJOR_VERSION", "= 4");
    refused(
        &driver,
        "driver interface 4.3",
        "{error,driver_incorrect_version}",
    );
}

#[test]
fn another_name() {
    let driver = folder().join("renamed_drv.so");
    std::fs::copy(folder().join("echo_drv.so"), &driver).unwrap();
    refused(
        &driver,
        "calls itself \"echo_drv\"",
        "{error,bad_driver_name}",
    );
}

#[test]
fn an_init_that_fails() {
    let driver = altered(
        "failing_drv",
        "static ErlDrvEntry entry = {",
        "static int fail(void) { return -1; }\nstatic ErlDrvEntry entry = {\n    .init = fail,",
    );
    refused(
        &driver,
        "init callback failed",
        "{error,driver_init_failed}",
    );
}

#[test]
fn all_symbols_that_are_missing() {
    let driver = altered(
        "symbols_drv",
        "    driver_output(",
        "    extern int one_missing(void), another_missing(void);\n    one_missing();\n    \
         another_missing();\n    driver_output(",
    );
    refused(
        &driver,
        "symbols that nobody provides",
        "{error,{open_error,",
    );
    refused(&driver, "one_missing", "another_missing");
}

#[test]
fn files_that_the_loader_must_not_see() {
    let whole = std::fs::read(folder().join("echo_drv.so")).unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let changed = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        bytes
    };
    let other = if cfg!(target_arch = "x86_64") {
        ("is made for arm64, and this is x86-64", 183)
    } else {
        ("is made for x86-64, and this is arm64", 62)
    };
    for (path, sentence) in [
        (file("empty_drv.so", b""), "no ELF file"),
        (file("word_drv.so", b"\x7fEL"), "no ELF file"),
        (file("head_drv.so", &whole[..20]), "ELF header is damaged"),
        (file("cut_drv.so", &whole[..whole.len() / 5]), "cut short"),
        (file("narrow_drv.so", &changed(4, 1)), "a 32-bit library"),
        (file("other_drv.so", &changed(18, other.1)), other.0),
        (
            file("object_drv.so", &changed(16, 1)),
            "link it with -shared",
        ),
        (PathBuf::from("/dev/zero"), "a device or a pipe"),
    ] {
        refused(&path, sentence, "{error,{open_error,");
    }
}

/// The errors of `Process::load_driver` are the same sentences.
#[test]
fn an_error_in_rust_says_it_too() {
    let whole = std::fs::read(folder().join("echo_drv.so")).unwrap();
    std::fs::write(folder().join("short_drv.so"), &whole[..whole.len() / 5]).unwrap();
    std::fs::write(folder().join("called_drv.so"), &whole).unwrap();
    let entry = "static ErlDrvEntry entry = {";
    let fails = format!("static int fail(void) {{ return 5; }}\n{entry}\n    .init = fail,");
    altered("init_drv", entry, &fails);
    altered("mark_drv", "= ERL_DRV_EXTENDED_MARKER", "= 7");
    altered("old_drv", "= ERL_DRV_EXTENDED_MAJOR_VERSION", "= 1");
    altered(
        "needy_drv",
        "    driver_output(",
        "    extern int one_absent(void), another_absent(void);\n    one_absent();\n    \
         another_absent();\n    driver_output(",
    );
    let me = wharf::Host::new().unwrap().process();
    for (name, sentence) in [
        ("short_drv", "cut short"),
        ("absent_drv", "no such file"),
        ("called_drv", "it calls itself \"echo_drv\""),
        ("init_drv", "its init callback failed with 5"),
        ("mark_drv", "the marker 0x00000007"),
        ("old_drv", "driver interface 1.3"),
        ("needy_drv", "symbols that nobody provides"),
    ] {
        let error = me.load_driver(folder(), name).unwrap_err().to_string();
        assert!(error.contains(sentence), "{sentence:?} in {error}");
        assert!(error.starts_with("cannot load /"), "{error}");
    }
}

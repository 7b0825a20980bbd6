//! Drivers as a distribution packages them, from scripts and from a Rust program: the answers are
//! those recorded with a real Elixir, and where one is installed it is asked again.
#![forbid(unsafe_code)]
#![cfg(feature = "cli")]

#[path = "support/command.rs"]
mod command;
#[path = "support/packaged.rs"]
mod packaged;
#[path = "support/program.rs"]
mod program;

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("packaged")
        .join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What a program prints; the signal, if one ended it.
fn output(mut command: Command, driver: &Path, scratch: &Path) -> Result<String, i32> {
    command.env("DRIVER", driver).env("SCRATCH", scratch);
    // SDL without a screen.
    command
        .env("SDL_VIDEODRIVER", "dummy")
        .env("SDL_AUDIODRIVER", "dummy");
    let output = program::run_within(command, "", PATIENCE);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    if let Some(signal) = output.status.signal() {
        eprintln!("ended by signal {signal}:\n{text}\n{errors}");
        return Err(signal);
    }
    assert!(output.status.success(), "{text}\n{errors}");
    Ok(text)
}

/// How often Erlang is asked again when it crashes, as OTP 25 does now and then when
/// `trace_ip_drv` closes its sockets. Wharf is never asked twice.
const TRIES: usize = 20;

fn same_answers(name: &str, application: &str, driver: &str) {
    let Some(driver) = packaged::folder(application, driver) else {
        return;
    };
    let file = |extension: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packaged");
        folder.join(name).with_extension(extension)
    };
    let script = file("exs");
    let theirs = || {
        (0..TRIES).find_map(|_| {
            let mut elixir = Command::new("elixir");
            elixir.arg(&script);
            output(elixir, &driver, &scratch(name)).ok()
        })
    };
    if std::env::var_os("WHARF_RECORD").is_some() {
        std::fs::write(file("out"), theirs().expect("it does not crash each time")).unwrap();
    }
    let recorded = std::fs::read_to_string(file("out")).unwrap();
    let ours = command::wharf(&["run", &script.to_string_lossy()]);
    let ours = output(ours, &driver, &scratch(name));
    assert_eq!(ours.as_ref(), Ok(&recorded), "wharf");
    let elixir = Command::new("elixir").arg("--version").output();
    if elixir.is_err() {
        eprintln!("skipped: no elixir");
        return;
    }
    match theirs() {
        Some(theirs) => assert_eq!(theirs, recorded, "elixir"),
        None => eprintln!("skipped: elixir crashed {TRIES} times"),
    }
}

#[test]
fn sqlite_from_a_script() {
    same_answers("sqlite", "p1_sqlite3", "sqlite3_drv");
}

#[test]
fn trace_file_from_a_script() {
    same_answers("trace_file", "runtime_tools", "trace_file_drv");
}

#[test]
fn trace_ip_from_a_script() {
    same_answers("trace_ip", "runtime_tools", "trace_ip_drv");
}

#[test]
fn megaco_from_a_script() {
    same_answers("megaco", "megaco", "megaco_flex_scanner_drv");
}

#[test]
fn setuid_from_a_script() {
    same_answers("setuid", "yaws", "setuid_drv");
}

#[test]
fn sdl_from_a_script() {
    same_answers("sdl", "esdl", "sdl_driver");
}

#[test]
fn sqlite_from_a_rust_program() {
    let Some(driver) = packaged::folder("p1_sqlite3", "sqlite3_drv") else {
        return;
    };
    // Cargo builds the examples beside the command, unless only one test was asked for.
    let example = Path::new(env!("CARGO_BIN_EXE_wharf"))
        .with_file_name("examples")
        .join("sqlite");
    if !example.exists() {
        eprintln!("skipped: the example is not built (cargo build --example sqlite)");
        return;
    }
    let mut program = Command::new(example);
    program.arg(&driver);
    let text = output(program, &driver, &scratch("rust")).expect("it ends by itself");
    let answers: Vec<&str> = text.lines().collect();
    let parts = [
        ",ok}",
        ",ok}",
        ",{rowid,2}}",
        ",{rows,[{1,<<\"hello\">>},{2,<<\"world\">>}]}",
        "near \"nonsense\": syntax error",
    ];
    assert_eq!(answers.len(), parts.len(), "{text}");
    for (answer, part) in answers.iter().zip(parts) {
        assert!(
            answer.replace("\\\"", "\"").contains(part),
            "{part} in {text}"
        );
    }
}

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

fn output(mut command: Command, driver: &Path, scratch: &Path) -> String {
    command.env("DRIVER", driver).env("SCRATCH", scratch);
    // SDL without a screen.
    command
        .env("SDL_VIDEODRIVER", "dummy")
        .env("SDL_AUDIODRIVER", "dummy");
    let output = program::run_within(command, "", PATIENCE);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    text
}

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
        let mut elixir = Command::new("elixir");
        elixir.arg(&script);
        output(elixir, &driver, &scratch(name))
    };
    if std::env::var_os("WHARF_RECORD").is_some() {
        std::fs::write(file("out"), theirs()).unwrap();
    }
    let recorded = std::fs::read_to_string(file("out")).unwrap();
    let ours = command::wharf(&["run", &script.to_string_lossy()]);
    assert_eq!(output(ours, &driver, &scratch(name)), recorded, "wharf");
    let elixir = Command::new("elixir").arg("--version").output();
    if elixir.is_err() {
        eprintln!("skipped: no elixir");
        return;
    }
    assert_eq!(theirs(), recorded, "elixir");
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
    let text = output(program, &driver, &scratch("rust"));
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

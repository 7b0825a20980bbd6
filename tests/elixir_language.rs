//! The language of the command: each script of `tests/lang` prints what Elixir 1.14 printed for it.
//!
//! `NAME.exs` is the script, `NAME.out` what `elixir NAME.exs` wrote to standard output. Where an `elixir` of that version
//! is installed, the recorded answers are compared with its own as well.
#![cfg(feature = "cli")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang")
}

fn scripts() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).expect("tests/lang is there");
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    let mut scripts: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|ext| ext == "exs"))
        .collect();
    scripts.sort();
    scripts
}

/// What the program writes to standard output for a script; nothing else may decide the comparison.
fn output(program: &mut Command, script: &Path) -> (String, String) {
    let name = script.file_name().expect("a script has a name");
    let output = program
        .arg(name)
        .current_dir(folder())
        .output()
        .expect("the program runs");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (normalized(&text(&output.stdout)), text(&output.stderr))
}

/// Numbers that differ from run to run give way to a dash.
fn normalized(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("#") {
        let (before, tail) = rest.split_at(start);
        shown.push_str(before);
        let kind = ["#PID<", "#Port<", "#Reference<", "#Function<"]
            .into_iter()
            .find(|kind| tail.starts_with(kind));
        match (kind, tail.find('>')) {
            (Some(kind), Some(end)) => {
                shown.push_str(kind);
                shown.push_str("->");
                rest = &tail[end + 1..];
            }
            _ => {
                shown.push('#');
                rest = &tail[1..];
            }
        }
    }
    shown.push_str(rest);
    shown
}

fn recorded(script: &Path) -> String {
    let answer = script.with_extension("out");
    let text = std::fs::read_to_string(&answer);
    normalized(&text.unwrap_or_else(|error| panic!("{}: {error}", answer.display())))
}

#[test]
fn scripts_print_what_elixir_printed() {
    let scripts = scripts();
    assert!(!scripts.is_empty());
    let mut failures = Vec::new();
    for script in &scripts {
        let (printed, complaints) =
            output(Command::new(env!("CARGO_BIN_EXE_wharf")).arg("run"), script);
        if printed != recorded(script) {
            failures.push(format!(
                "{}:\n{}\n{complaints}",
                script.display(),
                difference(&recorded(script), &printed)
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn recorded_answers_are_elixirs() {
    let version = Command::new("elixir").arg("--version").output();
    let is_peer = |text: &[u8]| String::from_utf8_lossy(text).contains("Elixir 1.14");
    if !version.is_ok_and(|output| is_peer(&output.stdout)) {
        eprintln!("no Elixir 1.14 here: the recorded answers stand alone");
        return;
    }
    for script in &scripts() {
        let (printed, _) = output(&mut Command::new("elixir"), script);
        assert_eq!(unlogged(&printed), recorded(script), "{}", script.display());
    }
}

/// Elixir's logger writes to standard output; what it says of dead processes carries the time of day.
fn unlogged(printed: &str) -> String {
    let is_log = |block: &&str| !block.lines().next().unwrap_or("").contains(" [error] ");
    let kept: Vec<&str> = printed.split("\n\n").filter(is_log).collect();
    let text = kept.join("\n\n");
    if text.ends_with('\n') {
        text
    } else {
        text + "\n"
    }
}

/// The lines that differ.
fn difference(expected: &str, printed: &str) -> String {
    let (expected, printed): (Vec<_>, Vec<_>) =
        (expected.lines().collect(), printed.lines().collect());
    let mut text = String::new();
    for index in 0..expected.len().max(printed.len()) {
        let (left, right) = (expected.get(index), printed.get(index));
        if left != right {
            text.push_str(&format!(
                "  line {}: expected {left:?}, printed {right:?}\n",
                index + 1
            ));
        }
    }
    text
}

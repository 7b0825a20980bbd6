//! The standard library of the command: each script of `tests/stdlib` prints what Elixir 1.14 printed for it.
//!
//! `NAME.exs` is the script and `NAME.out` what `elixir` wrote to standard output; `tests/stdlib/record` writes it again.
//! The scripts hold several hundred generated terms for `inspect`, with the options that change it, several hundred calls
//! with their results, and what wrong arguments raise.
#![cfg(feature = "cli")]

use std::path::Path;
use std::process::Command;

/// Runs `NAME.exs` and compares what it prints with `NAME.out`, line by line.
fn prints_what_elixir_printed(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stdlib");
    let recorded =
        std::fs::read_to_string(folder.join(format!("{name}.out"))).expect("a recorded answer");
    let output = Command::new(env!("CARGO_BIN_EXE_wharf"))
        .args(["run", &format!("{name}.exs")])
        .current_dir(&folder)
        .output()
        .expect("the command runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    if printed == recorded {
        return;
    }
    let lines = recorded.lines().chain(std::iter::once("(the end)"));
    let place = lines
        .clone()
        .zip(printed.lines().chain(std::iter::once("(the end)")));
    let place = place
        .take_while(|(recorded, printed)| recorded == printed)
        .count();
    let from = place.saturating_sub(5);
    let part = |text: &str| {
        text.lines()
            .skip(from)
            .take(15)
            .collect::<Vec<_>>()
            .join("\n")
    };
    panic!(
        "{name}: line {} differs\n--- Elixir\n{}\n--- wharf\n{}\n--- standard error\n{}",
        place + 1,
        part(&recorded),
        part(&printed),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn leaves_are_shown_alike() {
    prints_what_elixir_printed("inspect_leaves");
}

#[test]
fn options_and_line_breaks_are_alike() {
    prints_what_elixir_printed("inspect_options");
}

#[test]
fn generated_terms_are_shown_alike() {
    prints_what_elixir_printed("inspect_terms");
}

#[test]
fn functions_give_the_same() {
    prints_what_elixir_printed("functions");
}

#[test]
fn wrong_arguments_raise_the_same() {
    prints_what_elixir_printed("errors");
}

#[test]
fn processes_and_ports_do_the_same() {
    prints_what_elixir_printed("processes");
}

#[test]
fn functions_work_together() {
    prints_what_elixir_printed("together");
}

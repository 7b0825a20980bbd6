//! How many instructions the core paths take, counted by valgrind's callgrind.
//!
//! `cargo bench --features drivers --bench instructions` counts, and fails when a path takes 3 % more
//! than `benches/instructions.toml` says. `WHARF_REGENERATE=1` in front writes that file anew; look
//! at the difference before you commit it. The file says with which compiler, C library and
//! valgrind it was counted: with others the numbers differ, and nothing is compared, which is said
//! aloud.
//!
//! Each path runs a fixed number of times in a process under callgrind, once few times and once
//! many; the difference is what the repetitions alone take.
#![forbid(unsafe_code)]

#[path = "instructions/paths.rs"]
mod paths;
#[path = "instructions/record.rs"]
mod record;

use paths::PATHS;
use record::Record;
use std::process::{Command, ExitCode};

/// How much more a path may take before somebody has to say why.
const GROWTH_MAX: f64 = 0.03;

/// What memory, tables and the like take in the beginning lies behind after so many times.
const FEW: u32 = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, name, times] = &arguments[..]
        && flag == "--path"
    {
        let path = PATHS.iter().find(|path| path.name == name);
        let times = times.parse().expect("a number of times");
        (path.expect("a path of this name").run)(times);
        return ExitCode::SUCCESS;
    }
    if cfg!(debug_assertions) {
        println!("skipped: instructions are counted in a release build, by cargo bench");
        return ExitCode::SUCCESS;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: no valgrind to count instructions with");
        return ExitCode::SUCCESS;
    }
    let regenerate = std::env::var("WHARF_REGENERATE").is_ok_and(|value| value == "1");
    let stored = Record::stored();
    let here = record::surroundings();
    if !regenerate && let Some(difference) = stored.differs_from(&here) {
        println!("skipped: INSTRUCTIONS WERE NOT COMPARED, they were counted with another");
        println!("         {difference}");
        println!("         WHARF_REGENERATE=1 counts anew, at a commit that is known to be well");
        return ExitCode::SUCCESS;
    }
    let counted: Vec<(String, f64)> = PATHS
        .iter()
        .map(|path| (path.name.to_owned(), each(path.name, path.times)))
        .collect();
    if regenerate {
        Record::new(here, counted).store();
        return ExitCode::SUCCESS;
    }
    compare(&stored, &counted)
}

/// Tells all, and fails when one has grown too much, or nobody knows how many there were.
fn compare(stored: &Record, counted: &[(String, f64)]) -> ExitCode {
    let mut well = true;
    for (name, now) in counted {
        let verdict = match stored.count(name) {
            None => {
                well = false;
                "not recorded: WHARF_REGENERATE=1 counts anew".to_owned()
            }
            Some(before) => {
                let growth = now / before - 1.0;
                let mark = if growth > GROWTH_MAX {
                    well = false;
                    "  TOO MANY"
                } else if growth < -GROWTH_MAX {
                    "  fewer: WHARF_REGENERATE=1 keeps it so"
                } else {
                    ""
                };
                format!("{before:>10.1} before {:>+7.2} %{mark}", 100.0 * growth)
            }
        };
        println!("{name:<36} {now:>10.1} instructions {verdict}");
    }
    if well {
        return ExitCode::SUCCESS;
    }
    println!("a core path takes more instructions than it did: find out why, or say why it has to");
    ExitCode::FAILURE
}

/// What one of so many repetitions of the path takes.
fn each(name: &str, times: u32) -> f64 {
    let more: i64 = collected(name, FEW + times) - collected(name, FEW);
    #[allow(clippy::cast_precision_loss)] // far below 2^52
    let more = more as f64;
    more / f64::from(times)
}

/// How many instructions a process takes that runs the path so often.
fn collected(name: &str, times: u32) -> i64 {
    let itself = std::env::current_exe().expect("a program knows itself");
    let mut command = Command::new("valgrind");
    command.args([
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        // Threads that wait for each other take turns in a fixed order.
        "--fair-sched=yes",
    ]);
    command.arg(itself).arg("--path").arg(name);
    command.arg(times.to_string());
    // Memory is laid out alike, and hash tables see the same addresses, whoever counts.
    command.env_clear().env("LC_ALL", "C");
    let output = command.output().expect("valgrind runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {told}");
    let line = told
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let (_, number) = line.expect("callgrind says how many it collected");
    number.trim().parse().expect("a number")
}

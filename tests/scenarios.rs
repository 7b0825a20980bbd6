//! One story told to wharf and to a real Elixir.
//!
//! Each `tests/scenarios/<topic>.exs`, with `header.exs` in front, prints a line for each of its
//! stories. wharf's lines are compared with those recorded from Elixir in `<topic>.expected`
//! (`RECORDED` says which), and so are Elixir's own where one is installed.
//! `tests/scenarios/record` records anew.
#![forbid(unsafe_code)]
#![cfg(feature = "cli")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

#[path = "support/program.rs"]
mod program;
#[path = "support/drivers.rs"]
mod sample_drivers;
use program::run_within;

const PATIENCE: Duration = Duration::from_secs(120);

macro_rules! topics {
    ($($topic:ident),* $(,)?) => {
        mod wharf { $(#[test] fn $topic() { super::wharf_agrees(stringify!($topic)); })* }
        mod elixir { $(#[test] fn $topic() { super::elixir_agrees(stringify!($topic)); })* }
    };
}

topics!(
    adding,
    appendix,
    arguments,
    busy,
    child,
    closing,
    connect,
    descriptors,
    drivers,
    ending,
    ends,
    environment,
    environment_table,
    facts,
    flushing,
    framing,
    information,
    jobs,
    limits,
    lines,
    loading,
    loading_files,
    loading_monitors,
    loading_ports,
    locks,
    memory,
    names,
    options,
    owner,
    packets,
    probe,
    programs,
    relations,
    registration,
    replies,
    script_acks,
    script_create,
    script_output,
    script_port,
    script_queue,
    script_select,
    script_terms,
    script_timers,
    settings,
    signals,
    strangers,
    surprises,
    text,
    vectors,
    waiting,
    watching,
    writing
);

/// The sample drivers do the same whichever header they were compiled against, as C and as C++.
mod samples {
    const CPP: &[&str] = &["-x", "c++", "-std=gnu++20", "-Wno-narrowing"];

    #[test]
    fn compiled_as_cpp() {
        super::samples_agree("cpp", None, CPP);
    }

    #[test]
    fn compiled_against_erlangs_header() {
        super::samples_agree("erlang-c", Some("/usr/lib/erlang/usr/include"), &[]);
    }

    #[test]
    fn compiled_against_erlangs_header_as_cpp() {
        let said_too = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/drivers/cpp.h");
        let flags = [CPP, &["-include", said_too]].concat();
        super::samples_agree("erlang-cpp", Some("/usr/lib/erlang/usr/include"), &flags);
    }
}

fn samples_agree(variant: &str, include: Option<&str>, flags: &[&str]) {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let include = include.map_or(ours, PathBuf::from);
    if !include.join("erl_driver.h").exists() {
        println!("skipped: no erlang-dev");
        return;
    }
    if recording() {
        return;
    }
    let folder = sample_drivers::compile_all_with(variant, &include, flags);
    let command = format!("exec {} run", env!("CARGO_BIN_EXE_wharf"));
    let teller = format!("wharf-{variant}");
    compare("drivers", &tell_with("drivers", &teller, &command, &folder));
}

fn wharf_agrees(topic: &str) {
    if recording() {
        return;
    }
    let lines = tell(
        topic,
        "wharf",
        &format!("exec {} run", env!("CARGO_BIN_EXE_wharf")),
    );
    compare(topic, &lines);
}

fn elixir_agrees(topic: &str) {
    if Command::new("elixir")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        println!("skipped: no elixir");
        return;
    }
    let lines = tell(
        topic,
        "elixir",
        "exec elixir --erl '-kernel logger_level none'",
    );
    if recording() {
        std::fs::write(path(topic, "expected"), lines.join("\n") + "\n").unwrap();
        let version = Command::new("elixir").arg("--version").output().unwrap();
        std::fs::write(folder().join("RECORDED"), version.stdout).unwrap();
    }
    compare(topic, &lines);
}

fn recording() -> bool {
    std::env::var_os("WHARF_RECORD").is_some()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

fn path(topic: &str, extension: &str) -> PathBuf {
    folder().join(format!("{topic}.{extension}"))
}

/// Runs the scenario and gives its lines, ids by number.
fn tell(topic: &str, teller: &str, command: &str) -> Vec<String> {
    tell_with(topic, teller, command, drivers())
}

fn tell_with(topic: &str, teller: &str, command: &str, drivers: &Path) -> Vec<String> {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{topic}-{teller}"));
    let _ = std::fs::remove_dir_all(&scratch);
    std::fs::create_dir_all(&scratch).unwrap();
    let script = scratch.join(format!("{topic}.exs"));
    let header = std::fs::read_to_string(folder().join("header.exs")).unwrap();
    let body = std::fs::read_to_string(path(topic, "exs")).unwrap();
    std::fs::write(&script, header + &body).unwrap();
    // For the scenarios on descriptors: number 8 is a pipe to itself, number 9 one that nobody
    // writes to any more.
    let shell = format!(
        "mkfifo fifo over && exec 8<>fifo 7<>over && exec 9<over 7>&- && {command} '{}'",
        script.display()
    );
    let mut program = Command::new("sh");
    program
        .args(["-c", &shell])
        .current_dir(&scratch)
        .env("TMPDIR", &scratch)
        .env("LC_ALL", "C.UTF-8")
        .env("WHARF_SCENARIO_DRIVERS", drivers);
    let output = run_within(program, "", PATIENCE);
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(with_numbered_ids)
        .collect();
    assert!(
        output.status.success(),
        "{teller} ended with {} after {} lines:\n{}",
        output.status,
        lines.len(),
        String::from_utf8_lossy(&output.stderr)
    );
    lines
}

/// The sample drivers, compiled as anybody would compile them.
fn drivers() -> &'static Path {
    static DRIVERS: OnceLock<PathBuf> = OnceLock::new();
    DRIVERS.get_or_init(|| {
        let folder = sample_drivers::compile_all("scenarios");
        sample_drivers::compile_probes(&folder);
        sample_drivers::compile_loadings(&folder);
        folder
    })
}

/// `#Port<0.7>` becomes `#Port<1>`, the first of its kind in the line.
fn with_numbered_ids(line: &str) -> String {
    let mut numbered = String::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut count: HashMap<&str, usize> = HashMap::new();
    let mut rest = line;
    while let Some(start) = rest.find('#') {
        let (before, id) = rest.split_at(start);
        numbered.push_str(before);
        let kind = ["#Port<", "#PID<", "#Reference<"]
            .into_iter()
            .find(|kind| id.starts_with(kind));
        let (Some(kind), Some(end)) = (kind, id.find('>')) else {
            numbered.push('#');
            rest = &id[1..];
            continue;
        };
        let number = *known.entry(&id[..=end]).or_insert_with(|| {
            let count = count.entry(kind).or_default();
            *count += 1;
            *count
        });
        numbered.push_str(&format!("{kind}{number}>"));
        rest = &id[end + 1..];
    }
    numbered + rest
}

fn compare(topic: &str, lines: &[String]) {
    let expected = std::fs::read_to_string(path(topic, "expected")).expect("a recording");
    let expected: Vec<&str> = expected.lines().collect();
    let mut differences = String::new();
    for at in 0..expected.len().max(lines.len()) {
        let recorded = expected.get(at).copied().unwrap_or("(nothing)");
        let told = lines.get(at).map_or("(nothing)", String::as_str);
        if recorded != told {
            differences.push_str(&format!("- {recorded}\n+ {told}\n"));
        }
    }
    assert!(
        differences.is_empty(),
        "{topic}.exs: recorded (-) and told (+)\n{differences}"
    );
}

//! One story told to wharf and to a real Elixir.
//!
//! Each `tests/scenarios/<topic>.exs`, with `header.exs` in front, prints a line for each of its
//! stories. wharf's lines are compared with those recorded from Elixir in `<topic>.expected`
//! (`RECORDED` says which), and so are Elixir's own where one is installed. A topic that differs is told
//! once more; a story that differs both times fails.
//! `tests/scenarios/record` records anew.
#![forbid(unsafe_code)]
#![cfg(feature = "cli")]

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

#[path = "support/program.rs"]
mod program;
#[path = "support/drivers.rs"]
mod sample_drivers;
use program::try_run_within;

/// Longer than a topic takes on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(240);
/// And where another program watches it.
const PATIENCE_WATCHED: Duration = Duration::from_secs(1800);

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
    script_states,
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
    let command = wharf();
    let teller = format!("wharf-{variant}");
    compare("drivers", &teller, || {
        tell_with("drivers", &teller, &command, &folder)
    });
}

/// The command, under another program if one is wanted: one that watches memory.
fn wharf() -> String {
    let under = std::env::var("WHARF_SCENARIO_UNDER").unwrap_or_default();
    format!("exec {under} {} run", env!("CARGO_BIN_EXE_wharf"))
}

fn wharf_agrees(topic: &str) {
    if recording() {
        return;
    }
    let command = wharf();
    compare(topic, "wharf", || tell(topic, "wharf", &command));
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
    let command = "exec elixir --erl '-kernel logger_level none'";
    if recording() {
        let lines = tell(topic, "elixir", command).unwrap();
        std::fs::write(path(topic, "expected"), lines.join("\n") + "\n").unwrap();
        let version = Command::new("elixir").arg("--version").output().unwrap();
        std::fs::write(folder().join("RECORDED"), version.stdout).unwrap();
        return;
    }
    compare(topic, "elixir", || tell(topic, "elixir", command));
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

/// Runs the scenario and gives its lines, ids by number, or what is wrong with the run itself.
fn tell(topic: &str, teller: &str, command: &str) -> Result<Vec<String>, String> {
    tell_with(topic, teller, command, drivers())
}

fn tell_with(
    topic: &str,
    teller: &str,
    command: &str,
    drivers: &Path,
) -> Result<Vec<String>, String> {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{topic}-{teller}"));
    let _ = std::fs::remove_dir_all(&scratch);
    std::fs::create_dir_all(&scratch).unwrap();
    let script = scratch.join(format!("{topic}.exs"));
    let header = std::fs::read_to_string(folder().join("header.exs")).unwrap();
    let body = std::fs::read_to_string(path(topic, "exs")).unwrap();
    std::fs::write(&script, header + &body).unwrap();
    if !recording() {
        let recorded = std::fs::read_to_string(path(topic, "expected")).expect("a recording");
        let numbers = recorded.lines().map(|line| messages(line).to_string());
        let numbers: Vec<String> = numbers.collect();
        std::fs::write(scratch.join("messages"), numbers.join("\n")).unwrap();
    }
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
    let patience = match std::env::var_os("WHARF_SCENARIO_UNDER") {
        Some(_) => PATIENCE_WATCHED,
        None => PATIENCE,
    };
    let output = try_run_within(program, "", patience)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(with_numbered_ids)
        .collect();
    if output.status.success() {
        return Ok(lines);
    }
    Err(format!(
        "{teller} ended with {} after {} lines:\n{}",
        output.status,
        lines.len(),
        String::from_utf8_lossy(&output.stderr)
    ))
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

/// How many messages a line of a recording ends with: it is "name: value; [message, ...]".
fn messages(line: &str) -> usize {
    let mut starts = line.match_indices("; [").map(|(at, _)| at + 2);
    starts
        .find_map(|start| elements(&line[start..]))
        .unwrap_or(0)
}

/// The number of elements of a list that is all of the text; none if it is something else.
fn elements(list: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut commas = 0;
    let mut quoted = None;
    let mut bytes = list.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (quoted, byte) {
            (Some(_), b'\\') => {
                bytes.next();
            }
            (Some(quote), _) if byte == quote => quoted = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quoted = Some(byte),
            (None, b'[' | b'{' | b'(') => depth += 1,
            (None, b']' | b'}' | b')') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 && at + 1 < list.len() {
                    return None;
                }
            }
            // `<<1, 2>>` and `#Port<1>` stand inside of something here.
            (None, b',') if depth == 1 => commas += 1,
            (None, _) => {}
        }
    }
    let whole = depth == 0 && quoted.is_none();
    whole.then_some(if list == "[]" { 0 } else { commas + 1 })
}

#[test]
fn the_messages_of_a_recorded_line_are_counted() {
    for (line, count) in [
        ("name: true; []", 0),
        ("name: true; [{#Port<1>, :closed}]", 1),
        (
            r#"sh("a; [b"): "x; [y]"; [{#Port<1>, {:data, "a], \"b"}}, :two]"#,
            2,
        ),
        (
            "name: [1, 2]; [{#Port<1>, {:data, [104, 105]}}, 'it, is', {:a, {:b, 1}}]",
            3,
        ),
        ("owner died: :boom", 0),
    ] {
        assert_eq!(messages(line), count, "{line}");
    }
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

/// Compares what is told with the recording. A busy machine can upset a story that waits for
/// something; so a topic with a difference is told once more, and says so. A story that is told
/// otherwise both times fails, and so does a second run that does not come to its end.
fn compare(topic: &str, teller: &str, tell: impl Fn() -> Result<Vec<String>, String>) {
    let expected = std::fs::read_to_string(path(topic, "expected")).expect("a recording");
    let expected: Vec<&str> = expected.lines().collect();
    let first = Differences::of(&expected, tell());
    if first.is_empty() {
        return;
    }
    let once_more = format!("{topic}.exs by {teller} is told once more, for there was:\n{first}");
    // Not by println, which is only shown when the test fails.
    let _ = writeln!(std::io::stderr(), "{once_more}");
    let second = Differences::of(&expected, tell());
    let both = first.and(&second);
    assert!(
        both.is_empty(),
        "{topic}.exs by {teller}, told twice: recorded (-) and told (+)\n{both}"
    );
}

/// What was told otherwise than it was recorded, by line.
#[derive(Default)]
struct Differences {
    lines: BTreeMap<usize, String>,
    /// There was no whole telling.
    failure: Option<String>,
}

impl Differences {
    fn of(expected: &[&str], told: Result<Vec<String>, String>) -> Differences {
        let told = match told {
            Ok(told) => told,
            Err(error) => {
                return Differences {
                    failure: Some(error),
                    ..Differences::default()
                };
            }
        };
        let lines = (0..expected.len().max(told.len())).filter_map(|at| {
            let recorded = expected.get(at).copied().unwrap_or("(nothing)");
            let told = told.get(at).map_or("(nothing)", String::as_str);
            (recorded != told).then(|| (at, format!("- {recorded}\n+ {told}\n")))
        });
        Differences {
            lines: lines.collect(),
            failure: None,
        }
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.failure.is_none()
    }

    /// Those that were there this time, and the next one as well.
    fn and(&self, next: &Differences) -> Differences {
        let again = |at: &usize| self.failure.is_some() || self.lines.contains_key(at);
        let lines = next.lines.iter().filter(|(at, _)| again(at));
        Differences {
            lines: lines.map(|(at, line)| (*at, line.clone())).collect(),
            failure: next.failure.clone(),
        }
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.failure.as_deref().unwrap_or_default())?;
        self.lines.values().try_for_each(|line| f.write_str(line))
    }
}

/// The second telling decides nothing that the first one got right, and forgives no more.
#[test]
fn a_story_fails_if_it_is_told_otherwise_twice() {
    let recorded = ["one: 1", "two: 2", "three: 3"];
    let told = |lines: &[&str]| {
        let lines = lines.iter().map(|&line| line.to_owned());
        Differences::of(&recorded, Ok(lines.collect()))
    };
    let right = told(&recorded);
    let first = told(&["one: 1", "two: 7", "three: 3"]);
    let other = told(&["one: 7", "two: 2", "three: 3"]);
    let short = told(&["one: 1", "two: 2"]);
    let crashed = Differences::of(&recorded, Err("crashed".to_owned()));
    assert!(right.is_empty());
    assert_eq!(first.to_string(), "- two: 2\n+ two: 7\n");
    assert!(first.and(&right).is_empty());
    assert!(first.and(&other).is_empty());
    assert!(crashed.and(&right).is_empty());
    for (before, after) in [
        (&first, &first),
        (&short, &short),
        (&first, &crashed),
        (&crashed, &other),
        (&crashed, &crashed),
    ] {
        assert!(!before.and(after).is_empty(), "{before} {after}");
    }
}

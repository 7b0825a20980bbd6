//! `wharf bench`: every item does its work, and what is told has the promised form.
#![forbid(unsafe_code)]
#![cfg(feature = "cli")]

#[path = "support/command.rs"]
mod command;
#[path = "support/program.rs"]
mod program;

use command::wharf;
use program::run_within;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);

/// What a run prints, which has to end well.
fn bench(arguments: &[&str]) -> String {
    let output = run_within(wharf(&[&["bench"], arguments].concat()), "", PATIENCE);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

fn has(program: &str) -> bool {
    let runs = Command::new(program).arg("-version").output().is_ok();
    if !runs {
        println!("skipped: no {program}");
    }
    runs
}

#[test]
fn every_item_gives_a_number_for_each_column() {
    for (item, columns) in [
        ("control 0 1 100", 1),
        ("control_binary 8 2 100", 1),
        ("scaling 8 100", 2),
        ("echo bench_drv copy 16 100", 1),
        ("echo bench_drv bin 16 100", 1),
        ("echo bench_drvv bin 65536 100", 1),
        ("flood bench_drv 100", 1),
        ("flood bench_drvv 100", 1),
        ("terms 100", 1),
        ("async 1 each 10", 1),
        ("async 4 all 10", 1),
        ("timer 10 3 1", 3),
        ("rearm 100", 1),
        ("select 10 1 0 100", 1),
        ("select 1 2 1 100", 1),
        ("spawn 5 1 1", 1),
        ("spawn 5 64 0", 1),
        ("program 0 65536 3", 1),
        ("program 1 1048576 3", 1),
        ("pump out 1048576", 1),
        ("pump in 1048576", 1),
        ("lines 100", 1),
        ("many_drivers 10", 4),
        ("many_programs 5", 6),
        ("cold", 0),
        ("mailbox 100", 2),
        ("selective 100", 2),
        ("delays 100", 3),
        ("monitors 100", 4),
        ("driver_queue 100 1024", 2),
        ("program_queue 20", 2),
    ] {
        let words: Vec<&str> = ["--one"].into_iter().chain(item.split(' ')).collect();
        let told = bench(&words);
        let numbers: Vec<f64> = told
            .split_whitespace()
            .map(|number| number.parse().unwrap())
            .collect();
        assert_eq!(numbers.len(), columns, "{item}: {told}");
        // Memory may even shrink; everything else takes time.
        let sensible = numbers.iter().all(|number| number.is_finite());
        assert!(sensible, "{item}: {told}");
    }
}

#[test]
fn an_item_that_cannot_be_is_a_sentence() {
    for (item, sentence) in [
        (&["nonsense"] as &[&str], "no item `nonsense`"),
        (&["control", "0"], "argument 2"),
        (&["control", "0", "many", "1"], "`many` is not a number"),
    ] {
        let words = [&["bench", "--one"], item].concat();
        let output = run_within(wharf(&words), "", PATIENCE);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(told.contains(sentence), "{told}");
    }
}

/// The way in which a start is measured, before the command has read its options.
#[test]
fn a_reading_without_its_folder_is_a_sentence() {
    let output = run_within(wharf(&["--reading", "/no/folder", "cold"]), "", PATIENCE);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("/no/folder/bench_drv.so"), "{told}");
}

#[test]
fn json_has_an_object_for_each_number() {
    let told = bench(&["--only", "20", "--rounds", "2", "--json"]);
    let array: Value = serde_json::from_str(&told).unwrap();
    let array = array.as_array().unwrap();
    assert_eq!(array.len(), 4);
    for object in array {
        assert_eq!(object["row"], "20");
        assert!(object["name"].is_string() && object["unit"].is_string());
        let wharf = &object["wharf"];
        let number = |name: &str| wharf[name].as_f64().unwrap();
        assert!(0.0 < number("min") && number("min") <= number("median"));
        assert!(number("median") <= number("max"));
        assert!(object["otp"].is_null() && object["ratio"].is_null());
        assert!(object["target"].as_str().unwrap().starts_with("≤ 6 "));
        assert!(object["met"].is_boolean());
    }
}

#[test]
fn peers_are_measured_beside() {
    let mut arguments = vec!["--only", "17", "--rounds", "1", "--json", "--vs-c"];
    if has("erl") {
        arguments.push("--vs-otp");
    }
    let array: Value = serde_json::from_str(&bench(&arguments)).unwrap();
    for object in array.as_array().unwrap() {
        for party in ["wharf", "c"] {
            assert!(object[party]["median"].is_f64(), "{party}: {object}");
        }
        if arguments.contains(&"--vs-otp") {
            assert!(object["otp"]["median"].is_f64(), "{object}");
            assert!(object["ratio"]["max"].is_f64(), "{object}");
        }
    }
}

#[test]
fn tables_name_rows_targets_and_verdicts() {
    let table = bench(&["--only", "20", "--rounds", "1"]);
    for part in ["row", "target", "cold start, wharf eval: wall", "≤ 6 ms"] {
        assert!(table.contains(part), "{part} in {table}");
    }
    let markdown = bench(&["--only", "20", "--rounds", "1", "--markdown"]);
    let line = markdown
        .lines()
        .find(|line| line.contains("wharf eval: wall"));
    assert_eq!(line.unwrap().matches('|').count(), 7, "{markdown}");
}

#[test]
fn what_is_wrong_with_the_command_line_is_said_before_anything_runs() {
    for (arguments, sentence) in [
        (&["--only", "21"], "there is no row `21`"),
        (&["--rounds", "0"], "not a number from 1 on"),
    ] {
        let words = [&["bench"] as &[&str], arguments].concat();
        let output = run_within(wharf(&words), "", PATIENCE);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2));
        assert!(told.contains(sentence), "{told}");
    }
}

/// The folder with the driver and the programs goes with the run.
#[test]
fn nothing_is_left_behind() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
    std::fs::create_dir_all(&folder).unwrap();
    let mut command = wharf(&["bench", "--only", "20", "--rounds", "1"]);
    command.env("TMPDIR", &folder);
    assert!(run_within(command, "", PATIENCE).status.success());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

//! `tests/scenarios/COVERAGE.md` says which story or test holds which rule about ports; here it is
//! held to what there is. That a story would fail if its rule were broken, only people can see.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The sections, and how many rules each has: a rule is not to be lost unseen.
const SECTIONS: [(&str, usize); 28] = [
    ("0 Model", 7),
    ("1.1 Names", 15),
    ("1.2 Commands", 16),
    ("1.3 Files", 12),
    ("1.4 Options", 23),
    ("Env", 8),
    ("A cd that fails, and what a program finds", 13),
    ("1.5 Descriptors", 15),
    ("1.6 Other errors of opening", 7),
    ("2.1 Data to a port", 9),
    ("2.2 Data from a port", 24),
    ("3.1 Programs that end", 15),
    ("3.2 Closing", 24),
    ("3.3 Exit signals and links", 12),
    ("3.4 Junk", 6),
    ("3.5 Monitors", 9),
    ("4 Calls", 1),
    ("4.1 port_command", 8),
    ("4.2 Busy ports", 9),
    ("4.3 port_connect and the message", 11),
    ("4.4 port_control and port_call", 8),
    ("4.5 port_info and others", 21),
    ("4.6 Names", 4),
    ("5 Drivers, seen from processes", 13),
    ("6 Elixir", 14),
    ("7 Versions", 1),
    ("8 Surprises", 30),
    ("9 Observed cases", 1),
];

struct Rule {
    section: String,
    words: String,
    held_by: Vec<String>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn rules() -> Vec<Rule> {
    let text = read(&root().join("tests/scenarios/COVERAGE.md")).expect("the list");
    let mut section = String::new();
    let mut rules = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("##") {
            section = title.trim_start_matches('#').trim().to_owned();
        }
        if !line.starts_with("| ") || line.starts_with("| Rule |") || line.starts_with("| --- |") {
            continue;
        }
        // A bar in a name is written `\|`.
        let line = line.replace("\\|", "\u{1}");
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let [words, holders] = cells[..] else {
            panic!("no row of two: {line}");
        };
        let holders = holders.replace('\u{1}', "|");
        let held_by = holders.split('`').skip(1).step_by(2);
        rules.push(Rule {
            section: section.clone(),
            words: words.trim().to_owned(),
            held_by: held_by.map(str::to_owned).collect(),
        });
    }
    rules
}

#[test]
fn each_rule_names_stories_and_tests_that_exist() {
    let mut stories: HashMap<String, Option<String>> = HashMap::new();
    let mut wrong = Vec::new();
    for rule in rules() {
        if rule.held_by.is_empty() {
            wrong.push(format!("{}: nothing holds {:?}", rule.section, rule.words));
        }
        for holder in &rule.held_by {
            let (place, name) = holder.split_once(": ").unwrap_or((holder, ""));
            let exists = if place.starts_with("tests/") {
                let test = format!("fn {name}(");
                read(&root().join(place)).is_some_and(|source| source.contains(&test))
            } else {
                let path = format!("tests/scenarios/{place}.expected");
                let told = stories
                    .entry(place.to_owned())
                    .or_insert_with(|| read(&root().join(path)));
                let begin = format!("{name}: ");
                told.as_deref()
                    .is_some_and(|told| told.lines().any(|line| line.starts_with(&begin)))
            };
            if !exists {
                wrong.push(format!("{}: there is no `{holder}`", rule.section));
            }
        }
    }
    assert!(wrong.is_empty(), "COVERAGE.md:\n{}", wrong.join("\n"));
}

#[test]
fn no_section_has_lost_a_rule() {
    let rules = rules();
    for (section, number) in SECTIONS {
        let there = rules.iter().filter(|rule| rule.section == section).count();
        assert!(there >= number, "{section}: {there} of {number} rules");
    }
}

//! The rules of the house, as far as they can be read from the text of the files.
//!
//! Who may import whom, where unsafe code may live, how long a file may be, and that every file
//! says what it is for and is part of the package. `docs/architecture.md` gives the reasons.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 600;

/// What every room may import: the locks, the list that stays where it is, what is seldom there, and the
/// table of numbered things.
const ANYWHERE: [&str; 5] = ["biased", "lock", "places", "seldom", "table"];

/// The rooms that a room may import from, besides itself and those.
const ARROWS: [(&str, &[&str]); 10] = [
    (
        "host",
        &[
            "driver",
            "transport",
            "port",
            "runtime",
            "process",
            "table",
            "term",
            "os",
            "ffi",
        ],
    ),
    ("capi", &["host", "process", "term", "os", "ffi"]),
    (
        "driver",
        &["port", "runtime", "process", "term", "os", "ffi"],
    ),
    ("transport", &["port", "runtime", "term", "os"]),
    ("port", &["runtime", "process", "term"]),
    ("process", &["term"]),
    ("runtime", &["os"]),
    ("term", &[]),
    ("os", &[]),
    ("ffi", &[]),
];

/// Where unsafe code may live: whole folders end with a slash.
const UNSAFE: [&str; 17] = [
    "biased.rs",
    "os/",
    "term/binary.rs",
    "term/landing.rs",
    "term/counted.rs",
    "term/stock.rs",
    "ffi/",
    "runtime/turn.rs",
    "driver/entry.rs",
    "driver/load.rs",
    "driver/missing.rs",
    "driver/callback.rs",
    "driver/callback/answer.rs",
    "driver/abi/",
    "driver/rust/table.rs",
    "driver/rust/vector.rs",
    "capi/",
];

/// A file of the library or the command.
struct Source {
    /// Its path within `src`.
    path: String,
    text: String,
}

impl Source {
    /// The first part of the path: `port`, `bin`, `lib.rs`.
    fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The lines that are code: no comments, no documentation.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self
            .text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line));
        lines
            .map(|(at, line)| (at, line.split("//").next().unwrap_or_default()))
            .filter(|(_, line)| !line.trim().is_empty())
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, extension, found);
        } else if path.extension().is_some_and(|end| end == extension) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut paths = Vec::new();
    files_below(&src, "rs", &mut paths);
    paths.sort();
    let read = |path: PathBuf| Source {
        text: std::fs::read_to_string(&path).unwrap(),
        path: path.strip_prefix(&src).unwrap().display().to_string(),
    };
    let sources: Vec<Source> = paths.into_iter().map(read).collect();
    assert!(
        sources.len() > 50,
        "the house has more than {} files",
        sources.len()
    );
    sources
}

fn all_well(what: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "{what}:\n{}", complaints.join("\n"));
}

/// The first names behind each `crate::` in a line, also of `crate::{a, b::c}`.
fn named_after_crate(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let part_of_word =
            code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        if part_of_word {
            continue;
        }
        let rest = code[at + "crate::".len()..].trim_start();
        match rest.strip_prefix('{') {
            Some(group) => names.extend(top_level(group)),
            None => names.extend(first_word(rest)),
        }
    }
    names
}

fn first_word(text: &str) -> Option<String> {
    let word = text.trim_start();
    let end = word
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(word.len());
    (end > 0).then(|| word[..end].to_owned())
}

/// The first word of each part of a `{...}` group, whose `{` is already gone.
fn top_level(group: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut depth = 0;
    let mut part = String::new();
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => words.extend(first_word(&std::mem::take(&mut part))),
            _ if depth == 0 => part.push(c),
            _ => {}
        }
    }
    words.extend(first_word(&part));
    words
}

/// How many `super::` a `use` that starts its line begins with.
fn climbs(line: &str) -> Option<(usize, &str)> {
    let path = line
        .strip_prefix("pub(crate) ")
        .unwrap_or(line)
        .strip_prefix("use ")?;
    let mut rest = path;
    let mut count = 0;
    while let Some(more) = rest.strip_prefix("super::") {
        rest = more;
        count += 1;
    }
    (count > 0).then_some((count, rest))
}

#[test]
fn imports_follow_the_arrows() {
    let mut complaints = Vec::new();
    for source in sources() {
        let room = source.room();
        if matches!(room, "bin" | "lib") || ANYWHERE.contains(&room) {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == room) else {
            complaints.push(format!(
                "{}: the room {room} has no arrows in this test",
                source.path
            ));
            continue;
        };
        // Joined, because a group may spread over lines.
        let code: Vec<&str> = source.code().map(|(_, line)| line.trim()).collect();
        let mut targets: BTreeSet<String> =
            named_after_crate(&code.join(" ")).into_iter().collect();
        let parts = source.path.split('/').count();
        let depth = if source.path.ends_with("/mod.rs") {
            parts - 1
        } else {
            parts
        };
        for (_, line) in source.code() {
            if let Some((count, rest)) = climbs(line)
                && count >= depth
            {
                targets.extend(first_word(rest));
            }
        }
        for target in targets {
            let fine = target == room
                || ANYWHERE.contains(&target.as_str())
                // The C door is built on the public one, whose types lib.rs names.
                || (room == "capi" && target.starts_with(char::is_uppercase))
                || allowed.contains(&target.as_str());
            if !fine {
                complaints.push(format!("{}: {room} may not import {target}", source.path));
            }
        }
    }
    all_well("imports against the arrows", &complaints);
}

#[test]
fn the_command_uses_the_public_door_alone() {
    let mut complaints = Vec::new();
    for source in sources().iter().filter(|source| source.room() == "bin") {
        for (line, code) in source.code() {
            if code.contains("#[path") || code.contains("include!(") {
                complaints.push(format!("{}:{line}: {}", source.path, code.trim()));
            }
        }
    }
    all_well("ways around the library's public items", &complaints);
}

#[test]
fn unsafe_code_lives_where_the_map_says() {
    let mut complaints = Vec::new();
    for source in sources() {
        let path = source.path.as_str();
        let allowed = UNSAFE
            .iter()
            .any(|place| path == *place || (place.ends_with('/') && path.starts_with(place)));
        if allowed {
            continue;
        }
        // Declarations made from the header; the layouts are asserted beside them.
        let generated = path == "driver/raw.rs";
        for (line, code) in source.code() {
            let words: Vec<&str> = code
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .collect();
            if words.contains(&"unsafe") && !generated {
                complaints.push(format!("{path}:{line}: unsafe code outside its rooms"));
            }
        }
        // A parent cannot forbid what its child may do.
        let folder = path.strip_suffix("mod.rs").or(path.strip_suffix("lib.rs"));
        let mixed =
            folder.is_some_and(|folder| UNSAFE.iter().any(|place| place.starts_with(folder)));
        if !mixed && !generated && !source.text.contains("#![forbid(unsafe_code)]") {
            complaints.push(format!("{path}: does not forbid unsafe code"));
        }
    }
    all_well("the map of unsafe code", &complaints);
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut paths = Vec::new();
    for folder in ["src", "build", "tests", "benches", "examples"] {
        if root().join(folder).is_dir() {
            files_below(&root().join(folder), "rs", &mut paths);
        }
    }
    paths.push(root().join("build.rs"));
    let mut complaints = Vec::new();
    for path in paths {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > LINES_MAX && name != "src/driver/raw.rs" {
            complaints.push(format!("{name}: {lines} lines, more than {LINES_MAX}"));
        }
        let first = text.lines().next().unwrap_or_default();
        if !first.starts_with("//! ") && name != "src/driver/raw.rs" {
            complaints.push(format!(
                "{name}: does not open with `//!` and what it is for"
            ));
        }
    }
    all_well("files", &complaints);
}

#[test]
fn every_file_is_part_of_something() {
    let sources = sources();
    let mut complaints = Vec::new();
    for source in &sources {
        let path = source.path.as_str();
        if matches!(path, "lib.rs" | "bin/wharf/main.rs") {
            continue;
        }
        let (parents, name) = parents_of(path);
        let declared = sources
            .iter()
            .filter(|parent| parents.contains(&parent.path))
            .any(|parent| {
                parent.code().any(|(_, line)| {
                    let line = line.trim();
                    let line = line.rsplit_once("mod ").map_or("", |(_, rest)| rest);
                    line.trim_end_matches(';').trim_end() == name
                })
            });
        if !declared {
            complaints.push(format!("{path}: no `mod {name};` leads to it"));
        }
    }
    all_well("dead files", &complaints);
}

/// The files that may declare the module at `path`, and the module's name.
fn parents_of(path: &str) -> (Vec<String>, String) {
    let module = path
        .strip_suffix("/mod.rs")
        .or(path.strip_suffix(".rs"))
        .unwrap();
    let (folder, name) = module.rsplit_once('/').unwrap_or(("", module));
    let parents = match folder {
        "" => vec!["lib.rs".to_owned()],
        "bin/wharf" => vec!["bin/wharf/main.rs".to_owned()],
        folder => vec![format!("{folder}/mod.rs"), format!("{folder}.rs")],
    };
    (parents, name.to_owned())
}

#[test]
fn nothing_is_left_to_be_written() {
    let mut complaints = Vec::new();
    for source in sources() {
        for (line, code) in source.code() {
            if ["todo!(", "unimplemented!(", "dbg!("]
                .iter()
                .any(|mark| code.contains(mark))
            {
                complaints.push(format!("{}:{line}: {}", source.path, code.trim()));
            }
        }
    }
    all_well("left to be written", &complaints);
}

#[test]
fn the_rules_can_be_broken() {
    assert_eq!(named_after_crate("use crate::port::state;"), ["port"]);
    assert_eq!(
        named_after_crate("use crate::{port::{a, b}, term::Term};"),
        ["port", "term"]
    );
    assert_eq!(
        named_after_crate("let x = crate::os::fd::Fd; $crate::x"),
        ["os"]
    );
    assert_eq!(climbs("use super::super::port;"), Some((2, "port;")));
    assert_eq!(climbs("    use super::super::port;"), None);
    assert_eq!(
        parents_of("driver/abi/send.rs").0,
        ["driver/abi/mod.rs", "driver/abi.rs"]
    );
    assert_eq!(
        parents_of("driver/abi/mod.rs").0,
        ["driver/mod.rs", "driver.rs"]
    );
}

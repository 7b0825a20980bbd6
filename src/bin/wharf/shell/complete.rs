//! What Tab offers, and what is shown behind the cursor.
//!
//! Relies on the library's tables, the session's variables and modules, and the driver path.
#![forbid(unsafe_code)]

use super::{color, help};
use crate::lang::session::Session;
use crate::lang::world::World;
use crate::print::Paint;
use crate::stdlib;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::validate::Validator;
use rustyline::{Context, Helper};
use std::borrow::Cow;
use std::cell::Cell;
use std::path::PathBuf;
use wharf::Host;

/// Helps with the line being edited.
pub(super) struct Assistant {
    paint: Paint,
    files: FilenameCompleter,
    /// The names of drivers that can be opened without loading them first.
    pub(super) drivers: Vec<String>,
    variables: Vec<String>,
    world: Option<World>,
    /// Whether the line last seen had anything in it: Ctrl-C abandons it then.
    typed: Cell<bool>,
}

/// What the shell itself understands, and Elixir's words.
const WORDS: [&str; 16] = [
    "after",
    "case",
    "catch",
    "cond",
    "def",
    "defmodule",
    "defp",
    "end",
    "for",
    "if",
    "receive",
    "rescue",
    "try",
    "unless",
    "when",
    "with",
];

impl Assistant {
    pub(super) fn new(paint: Paint) -> Assistant {
        Assistant {
            paint,
            files: FilenameCompleter::new(),
            drivers: Vec::new(),
            variables: Vec::new(),
            world: None,
            typed: Cell::new(false),
        }
    }

    /// Learns what the last input has bound and defined.
    pub(super) fn refresh(&mut self, session: &Session) {
        self.variables = session.variables();
        self.world = Some(session.world().clone());
        self.typed.set(false);
    }

    pub(super) fn line_has_text(&self) -> bool {
        self.typed.get()
    }

    /// The word before the cursor, and what could stand in its place.
    fn candidates(&self, before: &str) -> (usize, Vec<String>) {
        let start = before.rfind(|c: char| !(c.is_alphanumeric() || "_.:?!@".contains(c)));
        let start = start.map_or(0, |at| {
            at + before[at..].chars().next().map_or(1, char::len_utf8)
        });
        let word = &before[start..];
        let Some(world) = &self.world else {
            return (start, Vec::new());
        };
        if let Some((module, function)) = word.rsplit_once('.') {
            let mut found = of_module(module, function, world);
            found.extend(submodules(word, world));
            return (start, found);
        }
        let mut found: Vec<String> = Vec::new();
        if word.starts_with(':') || word.starts_with(char::is_uppercase) {
            found.extend(help::modules(world));
        } else if !word.is_empty() {
            found.extend(self.variables.iter().cloned());
            found.extend(WORDS.map(String::from));
            let kernel = stdlib::functions(help::atom_of("Kernel"));
            found.extend(kernel.iter().map(|entry| entry.name.to_owned()));
        }
        found.retain(|name| name.starts_with(word));
        found.sort_unstable();
        found.dedup();
        (start, found)
    }
}

/// The functions of a module that begin so, written with the module.
fn of_module(module: &str, function: &str, world: &World) -> Vec<String> {
    let mut found: Vec<String> = help::functions(help::atom_of(module), world)
        .iter()
        .filter_map(|name| name.split('/').next())
        .filter(|name| name.starts_with(function))
        .map(|name| format!("{module}.{name}"))
        .collect();
    found.dedup();
    found
}

/// Modules whose names go on behind the dot.
fn submodules(word: &str, world: &World) -> Vec<String> {
    help::modules(world)
        .into_iter()
        .filter(|name| name.starts_with(word))
        .collect()
}

/// The names of the drivers that the driver path holds.
pub(super) fn driver_names(folders: &[PathBuf]) -> Vec<String> {
    let mut names: Vec<String> = Host::sample_drivers().map(str::to_owned).collect();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        let files = entries.flatten().map(|entry| entry.path());
        let libraries = files.filter(|path| path.extension().is_some_and(|end| end == "so"));
        names.extend(libraries.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())));
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// The text of the string that is open at the end of `before`, and where it starts.
fn open_string(before: &str) -> Option<(usize, &str)> {
    let mut open = None;
    let mut escaped = false;
    for (at, c) in before.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => open = if open.is_some() { None } else { Some(at + 1) },
            _ => {}
        }
    }
    open.map(|start| (start, &before[start..]))
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = &line[..pos];
        let pairs = |names: Vec<String>| -> Vec<Pair> {
            names
                .into_iter()
                .map(|name| Pair {
                    display: name.clone(),
                    replacement: name,
                })
                .collect()
        };
        if let Some((start, text)) = open_string(before) {
            let head = before[..start - 1]
                .trim_end()
                .trim_end_matches(['(', ','])
                .trim_end();
            if head.ends_with(":spawn_driver") || head.ends_with(":spawn") {
                let mut names = self.drivers.clone();
                names.retain(|name| name.starts_with(text));
                if !names.is_empty() {
                    return Ok((start, pairs(names)));
                }
            }
            return self.files.complete_path(line, pos);
        }
        let (start, names) = self.candidates(before);
        Ok((start, pairs(names)))
    }
}

impl Hinter for Assistant {
    type Hint = Shown;

    /// The arguments of the function whose bracket was just opened; otherwise the only way on.
    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<Shown> {
        self.typed.set(!line.is_empty());
        if pos < line.len() || open_string(line).is_some() {
            return None;
        }
        let Some(call) = line.strip_suffix('(') else {
            let (start, names) = self.candidates(line);
            let [only] = names.as_slice() else {
                return None;
            };
            let rest = only.strip_prefix(&line[start..])?;
            return (!rest.is_empty()).then(|| Shown::Rest(rest.to_owned()));
        };
        let word_start = |text: &str| {
            text.rfind(|c: char| !(c.is_alphanumeric() || "_.:?!".contains(c)))
                .map_or(0, |at| at + 1)
        };
        let (module, name) = call[word_start(call)..].rsplit_once('.')?;
        let entries = stdlib::functions(help::atom_of(module));
        let entry = entries.iter().rev().find(|entry| entry.name == name)?;
        let (_, arguments) = entry.help.split_once('(')?;
        let (arguments, _) = arguments.split_once(')')?;
        Some(Shown::Usage(format!("{arguments})")))
    }
}

/// What is shown behind the cursor.
pub(super) enum Shown {
    /// The rest of a word; the right arrow takes it.
    Rest(String),
    /// How a function is called; nothing to be taken.
    Usage(String),
}

impl Hint for Shown {
    fn display(&self) -> &str {
        match self {
            Shown::Rest(text) | Shown::Usage(text) => text,
        }
    }

    fn completion(&self) -> Option<&str> {
        match self {
            Shown::Rest(text) => Some(text),
            Shown::Usage(_) => None,
        }
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        Cow::Owned(color::code(line, self.paint))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(self.paint.dim(hint))
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor
    }
}

impl Validator for Assistant {}
impl Helper for Assistant {}

#[cfg(test)]
mod tests {
    use super::open_string;

    #[test]
    fn an_open_string_is_found() {
        assert_eq!(open_string(r#"f("a", "b"#), Some((8, "b")));
        assert_eq!(open_string(r#"f("a\""#), Some((3, r#"a\""#)));
        assert_eq!(open_string(r#"f("a")"#), None);
    }
}

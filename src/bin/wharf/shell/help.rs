//! `h`: what there is, and what it does.
//!
//! Relies on the tables of `stdlib`, whose entries say how each function is called.
#![forbid(unsafe_code)]

use crate::lang::world::World;
use crate::print::Paint;
use crate::stdlib;
use std::fmt::Write;
use wharf::term::Atom;

/// What an input asks help about: `h Port.open`, `h(Port)`, `h`.
pub(super) fn topic(input: &str) -> Option<&str> {
    let rest = input.trim().strip_prefix('h')?;
    if rest.is_empty() {
        return Some("");
    }
    if let Some(inside) = rest.strip_prefix('(') {
        return inside.strip_suffix(')').map(str::trim);
    }
    let topic = rest.strip_prefix(char::is_whitespace)?.trim();
    // `h = 1` and the like mean a variable.
    let name = topic
        .chars()
        .all(|c| c.is_alphanumeric() || "._:?!/".contains(c));
    (name && !topic.starts_with('=')).then_some(topic)
}

/// The text about a topic.
pub(super) fn about(topic: &str, world: &World, paint: Paint) -> String {
    if topic.is_empty() {
        return overview(world, paint);
    }
    let topic = topic.split_once('/').map_or(topic, |(name, _arity)| name);
    if let Some(text) = module(topic, world, paint) {
        return text;
    }
    let (module, name) = topic.rsplit_once('.').unwrap_or(("Kernel", topic));
    let entries = stdlib::functions(atom_of(module));
    let found: Vec<_> = entries.iter().filter(|entry| entry.name == name).collect();
    if found.is_empty() {
        return format!("Nothing is called {topic}. `h` alone lists the modules.\n");
    }
    let mut text = String::new();
    for entry in found {
        let _ = writeln!(
            text,
            "{}",
            paint.bold(format!("{module}.{name}/{}", entry.arity))
        );
        let _ = writeln!(text, "  {}", entry.help);
    }
    text
}

fn overview(world: &World, paint: Paint) -> String {
    let mut text = format!("{}\n", paint.bold("Modules"));
    let names = modules(world);
    for line in columns(&names) {
        let _ = writeln!(text, "  {line}");
    }
    text.push_str("\n`h Port` lists the functions of a module, `h Port.open` explains one.\n");
    text
}

fn module(topic: &str, world: &World, paint: Paint) -> Option<String> {
    let names = functions(atom_of(topic), world);
    if names.is_empty() {
        return None;
    }
    let mut text = format!("{}\n", paint.bold(topic));
    for line in columns(&names) {
        let _ = writeln!(text, "  {line}");
    }
    Some(text)
}

/// The modules of the library and of the session, as they are written.
pub(super) fn modules(world: &World) -> Vec<String> {
    let mut names: Vec<String> = stdlib::modules().into_iter().map(written).collect();
    names.extend(
        world
            .modules()
            .iter()
            .map(|module| written(module.name.as_str())),
    );
    names.sort_unstable();
    names.dedup();
    names
}

/// The functions of a module with their arities: `open/2`.
pub(super) fn functions(module: Atom, world: &World) -> Vec<String> {
    let library = stdlib::functions(module);
    let mut names: Vec<String> = library
        .iter()
        .map(|entry| format!("{}/{}", entry.name, entry.arity))
        .collect();
    if let Some(defined) = world.module(module) {
        let own = defined.functions.keys();
        names.extend(own.map(|(name, arity)| format!("{}/{arity}", name.as_str())));
    }
    names.sort_unstable();
    names
}

/// The atom that a module's written name stands for.
pub(super) fn atom_of(name: &str) -> Atom {
    match name.strip_prefix(':') {
        Some(erlang) => Atom::new(erlang),
        None => Atom::new(&format!("Elixir.{name}")),
    }
}

fn written(atom: &str) -> String {
    match atom.strip_prefix("Elixir.") {
        Some(name) => name.to_owned(),
        None => format!(":{atom}"),
    }
}

/// Names side by side, 78 columns at most.
fn columns(names: &[String]) -> Vec<String> {
    let width = names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
        + 2;
    let per_line = (78 / width).max(1);
    let line = |names: &[String]| {
        let cells: String = names.iter().map(|name| format!("{name:<width$}")).collect();
        cells.trim_end().to_owned()
    };
    names.chunks(per_line).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::topic;

    #[test]
    fn help_is_asked_for_by_h_and_nothing_else() {
        assert_eq!(topic("h"), Some(""));
        assert_eq!(topic("h Port.open"), Some("Port.open"));
        assert_eq!(
            topic(" h(:erlang.port_info/1) "),
            Some(":erlang.port_info/1")
        );
        for other in ["h = 1", "hello", "h + 1", "h.()", "ho Port"] {
            assert_eq!(topic(other), None, "{other}");
        }
    }
}

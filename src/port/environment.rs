//! The environment of a program: what `{env, List}` may say, and what comes of it.
//!
//! Relies on `text` for charlists. Promises `NAME=value` strings without NULs in which every
//! name that was mentioned appears at most once.

#![forbid(unsafe_code)]

use crate::port::name::shown;
use crate::port::options::{BadOption, invalid};
use crate::port::text::charlist_text;
use crate::term::{Term, atom};
use std::collections::HashMap;

/// A name and the value it is to have; without one, the name is removed.
pub(crate) type Variable = (Vec<u8>, Option<Vec<u8>>);

/// Reads Erlang's `{env, List}`.
pub(crate) fn read(value: &Term) -> Result<Vec<Variable>, BadOption> {
    let entries = value
        .to_list_vec()
        .ok_or_else(|| invalid("env", "must be a proper list"))?;
    entries.iter().map(read_variable).collect()
}

fn read_variable(entry: &Term) -> Result<Variable, BadOption> {
    let bad = |problem: &str| invalid("env", format!("entry {}: {problem}", shown(entry)));
    let Some([name, value]) = entry.as_tuple().map(|tuple| tuple.elements()) else {
        return Err(bad("must be {Name, Value}"));
    };
    let text = |term| charlist_text(term).map_err(|reason| bad(&reason.to_string()));
    let name = text(name)?;
    let value = match value {
        // A bare empty list removes; an empty value is written `[[]]`.
        Term::Atom(atom::FALSE) | Term::Nil => None,
        _ => Some(text(value)?),
    };
    match problem(&name, value.as_deref()) {
        Some(problem) => Err(bad(problem)),
        None => Ok((name, value)),
    }
}

/// What is wrong with a variable that is to be set or, without a value, removed.
pub(crate) fn problem(name: &[u8], value: Option<&[u8]>) -> Option<&'static str> {
    if name.contains(&b'=') {
        return Some("the name of a variable must not contain =");
    }
    let nul = name.contains(&0) || value.is_some_and(|value| value.contains(&0));
    nul.then_some("contains a NUL")
}

/// The environment `base` with these changes made to it, the last one for a name counting.
pub(crate) fn apply(
    env: &[Variable],
    base: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
) -> Vec<Vec<u8>> {
    let mut changes: HashMap<&[u8], Option<&[u8]>> = env
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_deref()))
        .collect();
    let mut variables: Vec<Vec<u8>> = base
        .filter(|(name, _)| !changes.contains_key(name.as_slice()))
        .map(|(name, value)| joined(&name, &value))
        .collect();
    for (name, _) in env {
        // Once per name, with the last value, where the name was first mentioned.
        if let Some(Some(value)) = changes.remove(name.as_slice()) {
            variables.push(joined(name, value));
        }
    }
    variables
}

fn joined(name: &[u8], value: &[u8]) -> Vec<u8> {
    [name, b"=", value].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::options::Options;

    fn flag(name: &str) -> Term {
        Term::atom(name)
    }

    fn text(text: &str) -> Term {
        Term::charlist(text)
    }

    fn pair(name: &str, value: Term) -> Term {
        Term::tuple(vec![Term::atom(name), value])
    }

    fn good(options: Vec<Term>) -> Options {
        Options::from_term(&Term::list(options)).unwrap()
    }

    fn assert_bad(option: Term) {
        let bad = Options::from_term(&Term::list(vec![option.clone()]));
        let bad = bad.expect_err(&option.to_string());
        assert_eq!(bad.option(), "env");
        assert_eq!(bad.erlang_text(), "2nd argument: invalid option in list");
    }

    fn env_option(entries: Vec<Term>) -> Term {
        pair("env", Term::list(entries))
    }

    fn entry(name: Term, value: Term) -> Term {
        Term::tuple(vec![name, value])
    }

    #[test]
    fn variables() {
        let options = good(vec![env_option(vec![
            entry(text("A"), text("b=c")),
            entry(
                Term::list(vec![text("B")]),
                Term::list(vec![text("x"), Term::Int(121)]),
            ),
            entry(text("C"), Term::boolean(false)),
            entry(text("D"), Term::Nil),
            entry(text("E"), Term::list(vec![Term::Nil])),
            entry(Term::Nil, text("x")),
        ])]);
        let set = |name: &str, value: &str| (name.into(), Some(value.into()));
        let expected: Vec<Variable> = vec![
            set("A", "b=c"),
            set("B", "xy"),
            ("C".into(), None),
            ("D".into(), None),
            set("E", ""),
            set("", "x"),
        ];
        assert_eq!(options.env, expected);
    }

    #[test]
    fn a_later_env_replaces_an_earlier_one() {
        let first = || env_option(vec![entry(text("A"), text("b"))]);
        let second = env_option(vec![entry(text("B"), text("c"))]);
        let options = good(vec![first(), second]);
        assert_eq!(options.env, [(b"B".to_vec(), Some(b"c".to_vec()))]);
        assert_eq!(good(vec![first(), env_option(vec![])]).env, []);
    }

    #[test]
    fn variables_are_charlists_only() {
        for bad in [
            Term::from("A"),
            flag("a"),
            flag("true"),
            flag("nil"),
            Term::Int(1),
        ] {
            assert_bad(env_option(vec![entry(text("A"), bad.clone())]));
            assert_bad(env_option(vec![entry(bad, text("b"))]));
        }
        let mixed = Term::list(vec![text("b"), Term::from("c")]);
        assert_bad(env_option(vec![entry(text("A"), mixed)]));
        let nul = || Term::list(vec![Term::Int(0)]);
        assert_bad(env_option(vec![entry(text("A"), nul())]));
        assert_bad(env_option(vec![entry(nul(), text("A"))]));
        for name in ["A=", "=A", "A=B"] {
            assert_bad(env_option(vec![entry(text(name), text("b"))]));
            assert_bad(env_option(vec![entry(text(name), Term::boolean(false))]));
        }
    }

    #[test]
    fn env_must_be_a_proper_list_of_pairs() {
        assert_bad(pair("env", flag("a")));
        assert_bad(env_option(vec![flag("a")]));
        assert_bad(env_option(vec![Term::tuple(vec![text("A")])]));
        assert_bad(env_option(vec![Term::tuple(vec![
            text("A"),
            text("b"),
            text("c"),
        ])]));
        let pairs = vec![entry(text("A"), text("b"))];
        assert_bad(pair("env", Term::improper(pairs, flag("x"))));
    }

    fn environment(options: &Options, base: &[(&str, &str)]) -> Vec<String> {
        let base = base
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        let mut strings: Vec<String> = options
            .environment(base)
            .into_iter()
            .map(|string| String::from_utf8(string).unwrap())
            .collect();
        strings.sort();
        strings
    }

    #[test]
    fn the_environment_is_inherited_and_changed() {
        let base = [("HOME", "/root"), ("LANG", "C"), ("Z", "")];
        assert_eq!(
            environment(&Options::new(), &base),
            ["HOME=/root", "LANG=C", "Z="]
        );
        let options = Options::new()
            .env("LANG", "de")
            .env_remove("HOME")
            .env("A", "1=2")
            .env_remove("NEVER");
        assert_eq!(environment(&options, &base), ["A=1=2", "LANG=de", "Z="]);
    }

    #[test]
    fn the_last_entry_for_a_variable_wins() {
        let set_last = Options::new().env("A", "1").env_remove("A").env("A", "2");
        assert_eq!(environment(&set_last, &[("A", "0")]), ["A=2"]);
        let removed_last = Options::new().env("A", "1").env_remove("A");
        assert_eq!(environment(&removed_last, &[("A", "0")]), [""; 0]);
        let empty = Options::new().env("", "x").env("", "y").env("B", "");
        assert_eq!(environment(&empty, &[]), ["=y", "B="]);
    }
}

//! What a program's environment differs in from its host's: what `{env, List}` may say.
//!
//! Relies on `text` for charlists; `variables` makes the changes. Promises that there is no NUL in
//! them, and no `=` in a name.

#![forbid(unsafe_code)]

use crate::port::name::shown;
use crate::port::options::{BadOption, invalid};
use crate::port::text::charlist_text;
use crate::term::{Term, atom};

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
}

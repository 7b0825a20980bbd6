//! What a port is opened on: the first argument of `open_port`.
//!
//! Relies on `text` for the bytes of names. Promises that a [`PortName`] made from a term
//! holds no NUL and that its descriptors are numbers Erlang takes for such; whether a file,
//! a driver or a descriptor of that name exists is for others to find out.
//!
//! Erlang looks at the options before the name, so a host checks them in that order when it
//! wants to give the same reason.

#![forbid(unsafe_code)]

use std::borrow::Cow;

use crate::port::text::{BadText, native_text};
use crate::term::{Term, atom};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use thiserror::Error;

/// The integers that Erlang keeps in a word, and takes for a descriptor.
const SMALL_INTEGERS: std::ops::RangeInclusive<i64> = -(1 << 59)..=(1 << 59) - 1;

/// What to open, and by which of the four mechanisms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PortName {
    /// A driver, if one is loaded under the first word; else a command line for the shell.
    Spawn(Vec<u8>),
    /// One file, run as it is.
    SpawnExecutable(Vec<u8>),
    /// A driver, named by the first word; it is given all of the text.
    SpawnDriver(Vec<u8>),
    /// Two descriptors that the process already has.
    Fd {
        /// The number to read from.
        input: i64,
        /// The number to write to.
        output: i64,
    },
}

/// Why a term names no port. Erlang says `badarg` to all of them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadName {
    /// A bare atom or charlist: in old Erlang the name of a file to read and write.
    #[error(
        "a bare name would open the file of that name, which is not supported; \
         write {{spawn, Command}} to run a program"
    )]
    File,
    /// None of the forms.
    #[error(
        "a port name is {{spawn, Command}}, {{spawn_executable, File}}, \
         {{spawn_driver, Command}} or {{fd, In, Out}}, not {0}"
    )]
    NotAName(String),
    /// The command or file is no text.
    #[error("the {what} {reason}")]
    Text {
        /// `command` or `file name`.
        what: &'static str,
        /// What is wrong with it.
        reason: BadText,
    },
    /// The command or file is an empty list.
    #[error("the {0} is empty")]
    Empty(&'static str),
    /// A descriptor that is no small integer.
    #[error("a descriptor must be a small integer, not {0}")]
    Descriptor(String),
}

impl BadName {
    /// The sentence with which Erlang 25 explains its `badarg`; it has none for names that
    /// are not tuples.
    pub fn erlang_text(&self) -> Option<&'static str> {
        match self {
            BadName::File => None,
            BadName::NotAName(shown) if !shown.starts_with('{') => None,
            _ => Some("1st argument: invalid port name"),
        }
    }
}

impl PortName {
    /// A command line, or a loaded driver with its arguments.
    pub fn spawn(command: impl AsRef<OsStr>) -> PortName {
        PortName::Spawn(command.as_ref().as_bytes().to_vec())
    }

    /// A program's file; the options hold its arguments.
    pub fn spawn_executable(file: impl AsRef<OsStr>) -> PortName {
        PortName::SpawnExecutable(file.as_ref().as_bytes().to_vec())
    }

    /// A driver's name, and after a space whatever it wants to be told.
    pub fn spawn_driver(command: impl AsRef<OsStr>) -> PortName {
        PortName::SpawnDriver(command.as_ref().as_bytes().to_vec())
    }

    /// Two descriptors; they are neither duplicated nor ever closed by the port.
    pub fn fd(input: i32, output: i32) -> PortName {
        PortName::Fd {
            input: input.into(),
            output: output.into(),
        }
    }

    /// Reads the first argument of Erlang's `open_port`.
    pub fn from_term(term: &Term) -> Result<PortName, BadName> {
        let elements = match term {
            Term::Tuple(tuple) => tuple.elements(),
            Term::Atom(_) => return Err(BadName::File),
            Term::List(_) if native_text(term).is_ok() => return Err(BadName::File),
            _ => return Err(BadName::NotAName(shown(term))),
        };
        match elements {
            [Term::Atom(atom::SPAWN), command] => text("command", command).map(PortName::Spawn),
            [Term::Atom(atom::SPAWN_EXECUTABLE), file] => {
                text("file name", file).map(PortName::SpawnExecutable)
            }
            [Term::Atom(atom::SPAWN_DRIVER), command] => {
                text("command", command).map(PortName::SpawnDriver)
            }
            [Term::Atom(atom::FD), input, output] => Ok(PortName::Fd {
                input: descriptor(input)?,
                output: descriptor(output)?,
            }),
            _ => Err(BadName::NotAName(shown(term))),
        }
    }

    /// What stands in front of the first space: the name a driver would have. A tab is no
    /// space, and a leading space makes the word empty. `None` for files and descriptors,
    /// which are never drivers.
    pub fn driver_word(&self) -> Option<&[u8]> {
        match self {
            PortName::Spawn(command) | PortName::SpawnDriver(command) => {
                command.split(|&byte| byte == b' ').next()
            }
            PortName::SpawnExecutable(_) | PortName::Fd { .. } => None,
        }
    }

    /// The bytes that `port_info` gives as the port's name.
    pub fn display_bytes(&self) -> Cow<'_, [u8]> {
        match self {
            PortName::Spawn(name)
            | PortName::SpawnExecutable(name)
            | PortName::SpawnDriver(name) => Cow::Borrowed(name),
            PortName::Fd { input, output } => Cow::Owned(format!("{input}/{output}").into_bytes()),
        }
    }
}

fn text(what: &'static str, term: &Term) -> Result<Vec<u8>, BadName> {
    // Only the bare empty list is refused; an empty binary or atom is a text like another.
    if matches!(term, Term::Nil) {
        return Err(BadName::Empty(what));
    }
    native_text(term).map_err(|reason| BadName::Text { what, reason })
}

fn descriptor(term: &Term) -> Result<i64, BadName> {
    term.as_int()
        .filter(|number| SMALL_INTEGERS.contains(number))
        .ok_or_else(|| BadName::Descriptor(shown(term)))
}

/// A term in a message for people: not all of it, if it is long.
pub(crate) fn shown(term: &Term) -> String {
    const SHOWN_CHARS_MAX: usize = 60;
    let text = term.to_string();
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(tag: &str, term: Term) -> Term {
        Term::tuple(vec![Term::atom(tag), term])
    }

    fn name(term: &Term) -> Result<PortName, BadName> {
        PortName::from_term(term)
    }

    fn fd(input: Term, output: Term) -> Term {
        Term::tuple(vec![Term::atom("fd"), input, output])
    }

    #[test]
    fn the_three_spawns_take_any_text() {
        for text in [Term::charlist("cat"), Term::from("cat"), Term::atom("cat")] {
            let read = |tag| name(&pair(tag, text.clone())).unwrap();
            assert_eq!(read("spawn"), PortName::spawn("cat"));
            assert_eq!(read("spawn_executable"), PortName::spawn_executable("cat"));
            assert_eq!(read("spawn_driver"), PortName::spawn_driver("cat"));
        }
    }

    #[test]
    fn only_the_bare_empty_list_is_refused() {
        for tag in ["spawn", "spawn_executable", "spawn_driver"] {
            let refused = name(&pair(tag, Term::Nil)).unwrap_err();
            assert!(matches!(refused, BadName::Empty(_)), "{refused}");
            for empty in [Term::from(""), Term::atom(""), Term::list(vec![Term::Nil])] {
                assert!(name(&pair(tag, empty)).is_ok());
            }
        }
    }

    #[test]
    fn other_texts_are_explained() {
        let refused = name(&pair("spawn", Term::Int(5))).unwrap_err();
        let message = "the command must be a charlist, a binary or an atom";
        assert_eq!(refused.to_string(), message);
        assert_eq!(
            refused.erlang_text(),
            Some("1st argument: invalid port name")
        );
    }

    #[test]
    fn descriptors_are_small_integers() {
        let read = |input: i64, output: i64| name(&fd(Term::Int(input), Term::Int(output)));
        assert_eq!(read(0, 1).unwrap(), PortName::fd(0, 1));
        assert_eq!(read(-1, 77).unwrap(), PortName::fd(-1, 77));
        let large = (1 << 59) - 1;
        assert!(matches!(read(0, large), Ok(PortName::Fd { output, .. }) if output == large));
        for refused in [read(1 << 59, 1), read(0, i64::MIN)] {
            assert!(matches!(refused, Err(BadName::Descriptor(_))));
        }
        for bad in [Term::Float(1.0), Term::atom("a"), Term::Nil] {
            let refused = name(&fd(Term::Int(0), bad));
            assert!(matches!(refused, Err(BadName::Descriptor(_))));
        }
    }

    #[test]
    fn bare_names_were_files_once() {
        for file in [Term::atom("cat"), Term::charlist("cat")] {
            let refused = name(&file).unwrap_err();
            assert_eq!(refused, BadName::File);
            assert_eq!(refused.erlang_text(), None);
        }
    }

    #[test]
    fn anything_else_is_no_name() {
        let tuples = [
            Term::tuple(vec![]),
            pair("bogus", Term::charlist("cat")),
            Term::tuple(vec![Term::charlist("spawn"), Term::charlist("cat")]),
            Term::tuple(vec![Term::atom("fd"), Term::Int(0)]),
            Term::tuple(vec![Term::atom("spawn"), Term::Nil, Term::Nil]),
        ];
        for term in tuples {
            let refused = name(&term).unwrap_err();
            assert!(matches!(refused, BadName::NotAName(_)), "{refused}");
            assert!(refused.erlang_text().is_some());
        }
        let others = [
            Term::Nil,
            Term::Int(5),
            Term::from("cat"),
            Term::improper(vec![Term::charlist("a")], Term::atom("b")),
        ];
        for term in others {
            let refused = name(&term).unwrap_err();
            assert!(matches!(refused, BadName::NotAName(_)), "{refused}");
            assert_eq!(refused.erlang_text(), None);
        }
    }

    #[test]
    fn the_first_word_ends_at_a_space_only() {
        let word = |command: &str| PortName::spawn(command).driver_word().unwrap().to_vec();
        assert_eq!(word("echo_drv a b"), b"echo_drv");
        assert_eq!(word("echo_drv"), b"echo_drv");
        assert_eq!(word(" cat"), b"");
        assert_eq!(word("cat\t-u"), b"cat\t-u");
        assert_eq!(word(""), b"");
        assert_eq!(PortName::spawn_executable("a b").driver_word(), None);
        assert_eq!(PortName::fd(0, 1).driver_word(), None);
    }

    #[test]
    fn names_are_shown_as_port_info_does() {
        assert_eq!(*PortName::spawn("cat -u").display_bytes(), *b"cat -u");
        assert_eq!(
            PortName::spawn_driver("drv ö").display_bytes(),
            "drv ö".as_bytes()
        );
        assert_eq!(
            *PortName::spawn_executable("/bin/ls").display_bytes(),
            *b"/bin/ls"
        );
        assert_eq!(*PortName::fd(0, 1).display_bytes(), *b"0/1");
    }

    #[test]
    fn long_terms_are_shortened_in_messages() {
        let refused = name(&Term::list(vec![Term::atom("abcdef"); 100])).unwrap_err();
        assert!(refused.to_string().ends_with("..."));
        assert!(refused.to_string().len() < 250);
    }
}

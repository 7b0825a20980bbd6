//! What a request raises, in Erlang's words.
#![forbid(unsafe_code)]

use std::fmt;

use crate::term::{Term, atom};

/// The class of an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// A run-time error (`badarg`, `enoent` …).
    Error,
    /// An exit.
    Exit,
    /// A thrown value.
    Throw,
}

/// An exception as a function of Erlang raises it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Raise {
    /// Its class.
    pub class: Class,
    /// Its reason, for example the atom `badarg`.
    pub reason: Term,
    /// Which argument was wrong and why, as Erlang words it
    /// (`2nd argument: invalid option in list`), where it does; a line for each such argument.
    pub detail: Option<String>,
    /// More that a person may want to know; Erlang does not say it.
    pub hint: Option<String>,
}

impl Raise {
    /// An error with this reason.
    pub fn error(reason: impl Into<Term>) -> Raise {
        Raise {
            class: Class::Error,
            reason: reason.into(),
            detail: None,
            hint: None,
        }
    }

    /// `badarg` without further words.
    pub fn badarg() -> Raise {
        Raise::error(atom::BADARG)
    }

    /// `badarg` for the argument of this number (from 1), with the words for it.
    pub fn argument(number: usize, fault: &str) -> Raise {
        let ordinal = match number {
            1 => "1st".to_owned(),
            2 => "2nd".to_owned(),
            3 => "3rd".to_owned(),
            n => format!("{n}th"),
        };
        Raise {
            detail: Some(format!("{ordinal} argument: {fault}")),
            ..Raise::badarg()
        }
    }

    /// What several arguments together raise: `badarg` with the words for each that is wrong, a
    /// line each.
    pub(crate) fn faults(faults: impl IntoIterator<Item = Option<Raise>>) -> Result<(), Raise> {
        let wrong = faults.into_iter().flatten();
        match wrong.reduce(|first, next| first.and(&next)) {
            Some(raise) => Err(raise),
            None => Ok(()),
        }
    }

    fn and(mut self, next: &Raise) -> Raise {
        let lines = [self.detail.take(), next.detail.clone()];
        self.detail = Some(lines.into_iter().flatten().collect::<Vec<_>>().join("\n"));
        self
    }

    /// Adds what Erlang does not say.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Raise {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Raise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        for more in [&self.detail, &self.hint].into_iter().flatten() {
            write!(f, "; {}", more.replace('\n', "; "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Raise {}

/// The process was ended by a signal while it waited, or before.
#[derive(Clone, Debug, PartialEq)]
pub struct Exited {
    /// Why.
    pub reason: Term,
}

impl fmt::Display for Exited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the process has ended: {}", self.reason)
    }
}

impl std::error::Error for Exited {}

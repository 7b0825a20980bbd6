//! Why a request of the typed door failed, for people and for programs.
#![forbid(unsafe_code)]

use std::fmt;

use crate::host::Raise;
use crate::term::Term;

/// A request about a port failed.
///
/// It shows as a sentence with the operation, the port and what to do about it;
/// [`Self::reason`] is what Erlang would have raised.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    operation: &'static str,
    port: String,
    raise: Raise,
}

impl Error {
    pub(super) fn new(operation: &'static str, port: impl Into<String>, raise: Raise) -> Error {
        Error {
            operation,
            port: port.into(),
            raise,
        }
    }

    /// The reason as Erlang has it: `badarg`, `enoent`, `notsup` …
    pub fn reason(&self) -> &Term {
        &self.raise.reason
    }

    /// Whether the reason is the atom of this name.
    pub fn is(&self, reason: &str) -> bool {
        self.raise.reason.is_atom(reason)
    }

    /// The exception as Erlang would raise it.
    pub fn into_raise(self) -> Raise {
        self.raise
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: ", self.operation, self.port)?;
        let detail = self.raise.hint.as_ref().or(self.raise.detail.as_ref());
        let words = self.raise.reason.as_atom().and_then(|r| words(r.as_str()));
        match (detail.map(String::as_str), words) {
            (Some(detail), _) => write!(f, "{detail} ({})", self.raise.reason),
            (None, Some(words)) => write!(f, "{words} ({})", self.raise.reason),
            (None, None) => write!(f, "{}", self.raise.reason),
        }
    }
}

impl std::error::Error for Error {}

/// What frequent reasons mean and what to do about them.
fn words(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "enoent" => "there is no such file; give its path, since PATH is not searched",
        "eacces" => "the file may not be executed; check its mode",
        "enotdir" => "a part of the path is not a directory",
        "enametoolong" => "the path is too long",
        "emfile" => "this program has no descriptors left; raise `ulimit -n` or close some",
        "eloop" => "symbolic links lead in a circle; give another path",
        "enfile" => "the system has no descriptors left; close some, in whatever program",
        "eagain" => "no more processes may be started; raise `ulimit -u` or end some",
        "enomem" => "the system has no memory left; free some and try again",
        "einval" => "the driver or the descriptor refused",
        "system_limit" => "there are as many ports as the host allows; see `Builder::ports_max`",
        "badarg" => "an argument is wrong, or the port is closed",
        _ => return None,
    })
}

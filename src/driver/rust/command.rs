//! What a driver in Rust answers with.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;

use crate::term::Binary;

/// Why a port cannot be opened; the opener gets the reason.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// `einval`.
    General,
    /// `badarg`: the text of the open makes no sense.
    BadArgument,
    /// The name of the error's number, as `enoent`; `einval` if it has none.
    Io(io::Error),
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> StartError {
        StartError::Io(error)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::General => f.write_str("the port cannot be opened"),
            StartError::BadArgument => f.write_str("the text of the open makes no sense"),
            StartError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StartError::Io(error) => Some(error),
            _ => None,
        }
    }
}

/// The driver does not know the operation, or the data does not fit: `badarg` for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRequest;

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the driver does not understand this request")
    }
}

impl std::error::Error for BadRequest {}

/// The answer to `port_control`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub(super) bytes: Option<Binary>,
    pub(super) binary: bool,
}

impl Reply {
    /// `[]`.
    pub fn empty() -> Reply {
        Reply {
            bytes: None,
            binary: false,
        }
    }

    /// A list of bytes, as most drivers in C answer. The `From` implementations make these.
    pub fn list(bytes: impl Into<Binary>) -> Reply {
        Reply {
            bytes: Some(bytes.into()),
            binary: false,
        }
    }

    /// A binary.
    pub fn binary(bytes: impl Into<Binary>) -> Reply {
        Reply {
            bytes: Some(bytes.into()),
            binary: true,
        }
    }
}

impl From<()> for Reply {
    fn from((): ()) -> Reply {
        Reply::empty()
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Reply {
        Reply::list(text)
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Reply {
        Reply::list(text)
    }
}

impl From<&[u8]> for Reply {
    fn from(bytes: &[u8]) -> Reply {
        Reply::list(bytes)
    }
}

impl From<Vec<u8>> for Reply {
    fn from(bytes: Vec<u8>) -> Reply {
        Reply::list(bytes)
    }
}

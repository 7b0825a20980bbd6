//! Words on the terminal: colours where they help, plain text everywhere else.
#![forbid(unsafe_code)]

use crate::args::Color;
use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// Adds colours, or leaves them out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// For text that goes to standard output.
    pub(crate) fn stdout(color: Color) -> Paint {
        Paint::choose(color, std::io::stdout().is_terminal())
    }

    /// For text that goes to standard error.
    pub(crate) fn stderr(color: Color) -> Paint {
        Paint::choose(color, std::io::stderr().is_terminal())
    }

    fn choose(color: Color, terminal: bool) -> Paint {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let on = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !forbidden,
        };
        Paint { on }
    }

    /// No colours: for text that goes into a file.
    pub(crate) const fn plain() -> Paint {
        Paint { on: false }
    }

    /// Whether colours are written at all.
    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    pub(crate) fn red(self, text: impl Display) -> String {
        self.code("31", text)
    }

    pub(crate) fn green(self, text: impl Display) -> String {
        self.code("32", text)
    }

    pub(crate) fn yellow(self, text: impl Display) -> String {
        self.code("33", text)
    }

    pub(crate) fn magenta(self, text: impl Display) -> String {
        self.code("35", text)
    }

    pub(crate) fn cyan(self, text: impl Display) -> String {
        self.code("36", text)
    }

    pub(crate) fn bold(self, text: impl Display) -> String {
        self.code("1", text)
    }

    pub(crate) fn dim(self, text: impl Display) -> String {
        self.code("2", text)
    }

    fn code(self, code: &str, text: impl Display) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }
}

/// `wharf: …` on standard error: what the command itself has to say.
pub(crate) fn complain(paint: Paint, message: impl Display) {
    let _ = writeln!(std::io::stderr(), "{} {message}", paint.red("wharf:"));
}

/// Writes to standard output. That its reader is gone (`| head`) is no error: nobody misses the rest.
pub(crate) fn say(text: impl Display) {
    let mut out = std::io::stdout().lock();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}

//! A line on the terminal that says how far a run is. Nothing anywhere else.
#![forbid(unsafe_code)]

use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// See the module's text.
pub(super) struct Progress {
    shown: bool,
    done: usize,
    all: usize,
}

impl Progress {
    /// Of so many readings.
    pub(super) fn new(all: usize) -> Progress {
        Progress {
            shown: std::io::stderr().is_terminal(),
            done: 0,
            all,
        }
    }

    /// The next reading begins.
    pub(super) fn next(&mut self, what: impl Display) {
        if self.shown {
            let percent = 100 * self.done / self.all.max(1);
            let line = format!("[{percent:>3} %] {what}");
            let line: String = line.chars().take(78).collect();
            write_line(&format!("\r\x1b[K{line}"));
        }
        self.done += 1;
    }

    /// Readings that will not be taken.
    pub(super) fn skip(&mut self, number: usize) {
        self.done += number;
    }

    /// Makes room for other lines.
    pub(super) fn clear(&self) {
        if self.shown {
            write_line("\r\x1b[K");
        }
    }
}

fn write_line(text: &str) {
    let mut terminal = std::io::stderr().lock();
    // A terminal that is gone needs no progress.
    let _ = terminal
        .write_all(text.as_bytes())
        .and_then(|()| terminal.flush());
}

//! A real iex that answers prompts, to hold a transcript against Erlang itself.
//!
//! Relies on an `iex` in the path that reads its standard input. Each input is followed by a
//! line that prints a mark no answer contains; what comes before the mark is the answer.
#![forbid(unsafe_code)]

use super::check::{Answer, Interpreter};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A running iex.
pub(crate) struct Iex {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    marks: usize,
}

/// How often the mailbox is looked at while messages are awaited.
const POLL: Duration = Duration::from_millis(20);

impl Iex {
    /// Starts it, finding sample and other drivers nowhere: a transcript loads its own.
    pub(crate) fn start() -> std::io::Result<Iex> {
        let mut child = Command::new("iex")
            .args(["--dot-iex", ""])
            .env("TERM", "dumb")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(std::io::Error::other(
                "iex has no standard input and output",
            ));
        };
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Iex {
            child,
            input,
            lines,
            marks: 0,
        })
    }

    /// What iex prints for `source`.
    fn ask(&mut self, source: &str, timeout: Duration) -> Result<String, Answer> {
        self.marks += 1;
        let mark = format!("-- wharf mark {} --", self.marks);
        let gone = |error: std::io::Error| Answer::Gone(format!("iex is gone: {error}"));
        // Kept in two pieces, so that an echoed or misread input is not taken for the mark.
        writeln!(
            self.input,
            "{source}\nIO.puts(\"-- wharf mark \" <> \"{} --\")",
            self.marks
        )
        .and_then(|()| self.input.flush())
        .map_err(gone)?;
        let deadline = Instant::now() + timeout;
        let mut shown = Vec::new();
        loop {
            match self
                .lines
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(line) if without_prompts(&line) == mark => break,
                Ok(line) => shown.push(without_prompts(&line).to_owned()),
                Err(RecvTimeoutError::Timeout) => return Err(Answer::TimedOut),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Answer::Gone("iex ended".to_owned()));
                }
            }
        }
        // The value of the mark before this one, and the greeting of an iex that just started.
        shown.retain(|line| !line.starts_with("Interactive Elixir ("));
        if self.marks > 1 && shown.first().is_some_and(|line| line == ":ok") {
            shown.remove(0);
        }
        Ok(shown.join("\n").trim_end().to_owned())
    }
}

impl Interpreter for Iex {
    fn evaluate(&mut self, source: &str, timeout: Duration) -> Answer {
        let shown = match self.ask(source, timeout) {
            Ok(shown) => shown,
            Err(answer) => return answer,
        };
        let start = if shown.starts_with("** (") {
            Some(0)
        } else {
            shown.find("\n** (").map(|at| at + 1)
        };
        match start {
            Some(at) => Answer::Raised {
                printed: shown[..at].to_owned(),
                error: without_trace(&shown[at..]),
            },
            None => Answer::Shown(shown),
        }
    }

    fn messages(&mut self, wait: Duration) -> Result<Vec<String>, Answer> {
        let deadline = Instant::now() + wait;
        loop {
            let shown = self.ask("flush()", wait + Duration::from_secs(5))?;
            let mut lines: Vec<String> = shown.lines().map(str::to_owned).collect();
            lines.retain(|line| !line.is_empty());
            lines.pop_if(|last| last == ":ok");
            if !lines.is_empty() || Instant::now() >= deadline {
                return Ok(super::messages::split(&lines));
            }
            std::thread::sleep(POLL.min(deadline.saturating_duration_since(Instant::now())));
        }
    }
}

impl Drop for Iex {
    fn drop(&mut self) {
        // Nothing is left to say to it; an error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The line without the prompts that a piped iex leaves in front of it.
fn without_prompts(line: &str) -> &str {
    let mut rest = line;
    loop {
        let body = ["iex(", "...("]
            .iter()
            .find_map(|start| rest.strip_prefix(start));
        match body.and_then(|body| body.split_once(")> ")) {
            Some((number, after)) if number.chars().all(|c| c.is_ascii_digit()) => rest = after,
            _ => return rest,
        }
    }
}

/// The error without the lines that tell where it was raised.
fn without_trace(error: &str) -> String {
    let trace = |line: &&str| !line.starts_with("    ");
    error
        .lines()
        .take_while(trace)
        .collect::<Vec<_>>()
        .join("\n")
        .trim_end()
        .to_owned()
}

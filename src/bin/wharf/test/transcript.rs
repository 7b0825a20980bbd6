//! Transcripts: prompts and the answers expected beneath them, read from Markdown or plain text.
//!
//! Promises that every prompt knows its lines and columns in the file, so that whatever goes
//! wrong later can be pointed at, and that a file without prompts is an error with a reason.
#![forbid(unsafe_code)]

use std::fmt;
use std::path::Path;

/// The sessions of one file, in order.
#[derive(Debug)]
pub(crate) struct Transcript {
    pub(crate) sessions: Vec<Session>,
}

/// Prompts that share variables, processes and the names of ids.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) prompts: Vec<Prompt>,
}

/// One prompt with its continuation lines, and what is expected beneath.
#[derive(Debug)]
pub(crate) struct Prompt {
    /// The input, one piece per line of the file.
    pub(crate) lines: Vec<SourceLine>,
    /// The expected lines without the prompt's indentation; none accepts any value.
    pub(crate) expected: Vec<String>,
    indent: usize,
}

/// A piece of input and where it stands in the file, counted from one.
#[derive(Debug)]
pub(crate) struct SourceLine {
    pub(crate) text: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Why a file cannot be run.
#[derive(Debug)]
pub(crate) enum NotATranscript {
    /// It cannot be read: a directory, missing, forbidden.
    Unreadable(std::io::Error),
    /// It is not text; the offset of the first byte that is not.
    Binary(usize),
    /// It is text, but there is no prompt in it.
    NoPrompt,
}

impl fmt::Display for NotATranscript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotATranscript::Unreadable(error) => write!(f, "cannot be read: {error}"),
            NotATranscript::Binary(offset) => {
                write!(f, "not a transcript: not UTF-8 text (byte {offset})")
            }
            NotATranscript::NoPrompt => {
                f.write_str("not a transcript: no line starts with an `iex>` prompt")
            }
        }
    }
}

impl Prompt {
    /// The whole input, as it was written.
    pub(crate) fn source(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|line| line.text.as_str()).collect();
        lines.join("\n")
    }

    /// The line of the file that the prompt is on.
    pub(crate) fn line(&self) -> usize {
        self.lines.first().map_or(0, |line| line.line)
    }

    /// From a place in the input (counted from one) to the place in the file.
    pub(crate) fn place(&self, line: usize, column: usize) -> (usize, usize) {
        match self.lines.get(line.saturating_sub(1)).or(self.lines.last()) {
            Some(at) => (at.line, at.column + column.saturating_sub(1)),
            None => (line, column),
        }
    }
}

impl Transcript {
    /// Reads the file at `path`.
    pub(crate) fn read(path: &Path) -> Result<Transcript, NotATranscript> {
        let bytes = std::fs::read(path).map_err(NotATranscript::Unreadable)?;
        if let Some(offset) = bytes.iter().position(|&byte| byte == 0) {
            return Err(NotATranscript::Binary(offset));
        }
        let text = String::from_utf8(bytes)
            .map_err(|error| NotATranscript::Binary(error.utf8_error().valid_up_to()))?;
        Transcript::parse(&text)
    }

    /// Finds the sessions in `text`.
    pub(crate) fn parse(text: &str) -> Result<Transcript, NotATranscript> {
        let mut reader = Reader::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            reader.line(index + 1, line.trim_end());
        }
        reader.end_session();
        if reader.sessions.is_empty() {
            return Err(NotATranscript::NoPrompt);
        }
        Ok(Transcript {
            sessions: reader.sessions,
        })
    }
}

/// What the next line belongs to.
#[derive(Default)]
struct Reader {
    sessions: Vec<Session>,
    session: Session,
    after_blank: bool,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        if let Some(source) = after_prompt(body, &["iex", "wharf"]) {
            self.prompt(number, line, indent, source);
            self.after_blank = false;
        } else if body.starts_with("```") || body.starts_with("~~~") {
            self.end_session();
        } else if body.is_empty() {
            self.after_blank = true;
        } else if !self.beneath_prompt(number, line, indent, body) {
            self.end_session();
        }
    }

    fn prompt(&mut self, number: usize, line: &str, indent: usize, source: &str) {
        let column = line.len() - source.len() + 1;
        let first = SourceLine {
            text: source.to_owned(),
            line: number,
            column,
        };
        self.session.prompts.push(Prompt {
            lines: vec![first],
            expected: Vec::new(),
            indent,
        });
    }

    /// Takes the line as input or answer of the latest prompt; false when it is neither.
    fn beneath_prompt(&mut self, number: usize, line: &str, indent: usize, body: &str) -> bool {
        let Some(prompt) = self.session.prompts.last_mut() else {
            return false;
        };
        if self.after_blank {
            // Erlang explains errors in indented paragraphs beneath the message.
            let error = prompt
                .expected
                .first()
                .is_some_and(|line| line.starts_with("** ("));
            if !error || indent < prompt.indent + 2 {
                return false;
            }
            prompt.expected.push(String::new());
            self.after_blank = false;
        }
        if prompt.expected.is_empty()
            && let Some(source) = after_prompt(body, &["...", "…"])
        {
            let column = line.len() - source.len() + 1;
            prompt.lines.push(SourceLine {
                text: source.to_owned(),
                line: number,
                column,
            });
            return true;
        }
        if indent < prompt.indent {
            return false;
        }
        prompt.expected.push(line[prompt.indent..].to_owned());
        true
    }

    fn end_session(&mut self) {
        let mut session = std::mem::take(&mut self.session);
        session.prompts.retain(|prompt| {
            prompt.lines.iter().any(|line| {
                let text = line.text.trim_start();
                !text.is_empty() && !text.starts_with('#')
            })
        });
        if !session.prompts.is_empty() {
            self.sessions.push(session);
        }
        self.after_blank = false;
    }
}

/// The input after a prompt such as `iex>`, `iex(3)>` or `iex(name@host)3>`.
fn after_prompt<'a>(line: &'a str, words: &[&str]) -> Option<&'a str> {
    let rest = words.iter().find_map(|word| line.strip_prefix(word))?;
    let rest = match rest.strip_prefix('(') {
        Some(inside) => inside.split_once(')')?.1,
        None => rest,
    };
    let rest = rest
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .strip_prefix('>')?;
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(text: &str) -> Vec<Vec<(String, Vec<String>)>> {
        let transcript = Transcript::parse(text).unwrap();
        let prompts = |session: Session| {
            session
                .prompts
                .into_iter()
                .map(|p| (p.source(), p.expected))
                .collect()
        };
        transcript.sessions.into_iter().map(prompts).collect()
    }

    fn prompt(source: &str, expected: &[&str]) -> (String, Vec<String>) {
        (
            source.to_owned(),
            expected.iter().map(|&line| line.to_owned()).collect(),
        )
    }

    #[test]
    fn a_blank_line_followed_by_text_ends_a_session_and_one_followed_by_a_prompt_does_not() {
        let text = "Text\n\niex> a = 1\n1\n\niex> a\n1\n\nMore text\n\niex> 2\n";
        let first = vec![prompt("a = 1", &["1"]), prompt("a", &["1"])];
        assert_eq!(sessions(text), [first, vec![prompt("2", &[])]]);
    }

    #[test]
    fn a_fence_ends_a_session_and_its_answer() {
        let text = "```elixir\niex> 1\n1\n```\n```\niex(2)> 2\n```\ntext";
        assert_eq!(
            sessions(text),
            [vec![prompt("1", &["1"])], vec![prompt("2", &[])]]
        );
    }

    #[test]
    fn continuations_join_the_input_and_keep_their_place() {
        let text = "    iex(1)> fn ->\n    ...(1)>   1\n    …> end\n    #Function<0.1/0>\nend";
        let transcript = Transcript::parse(text).unwrap();
        let prompt = &transcript.sessions[0].prompts[0];
        assert_eq!(prompt.source(), "fn ->\n  1\nend");
        assert_eq!(prompt.expected, ["#Function<0.1/0>"]);
        assert_eq!(prompt.place(1, 1), (1, 13));
        assert_eq!(prompt.place(2, 3), (2, 15));
    }

    #[test]
    fn an_error_keeps_its_indented_explanation() {
        let text = "iex> f()\n** (ArgumentError) errors\n\n  * 1st argument: bad\n\nText";
        let expected = ["** (ArgumentError) errors", "", "  * 1st argument: bad"];
        assert_eq!(sessions(text), [vec![prompt("f()", &expected)]]);
    }

    #[test]
    fn prompts_without_input_are_no_prompts() {
        assert!(matches!(
            Transcript::parse("iex> \niex># nothing"),
            Err(NotATranscript::NoPrompt)
        ));
        assert!(matches!(
            Transcript::parse("iexx> 1"),
            Err(NotATranscript::NoPrompt)
        ));
    }

    #[test]
    fn nodes_and_windows_lines_are_understood() {
        let text = "iex(a@b)12> 1\r\n1\r\n";
        assert_eq!(sessions(text), [vec![prompt("1", &["1"])]]);
    }
}

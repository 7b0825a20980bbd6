//! One session, prompt by prompt: puts it to an interpreter and judges the answers.
//!
//! Relies on an [`Interpreter`]: wharf's own language, or a real iex. Promises an [`Outcome`] for
//! every prompt, also after one that hung.
#![forbid(unsafe_code)]

use super::messages::{self, Boundaries, Progress};
use super::names::Names;
use super::transcript::{Prompt, Session};
use std::time::{Duration, Instant};

/// Who answers prompts.
pub(crate) trait Interpreter {
    /// The answer to one input, within the time given.
    fn evaluate(&mut self, source: &str, timeout: Duration) -> Answer;

    /// The messages that are there, inspected, oldest first; waits at most so long for the first.
    fn messages(&mut self, wait: Duration) -> Result<Vec<String>, Answer>;
}

/// What an interpreter says to an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// What it printed, and the inspected value.
    Value { printed: String, value: String },
    /// Output and value as an iex shows them, not told apart.
    Shown(String),
    /// What it printed, then `** (Name) message`.
    Raised { printed: String, error: String },
    /// The input cannot be read; line and column count from one within the input. `error` is
    /// what iex would print.
    Syntax {
        line: usize,
        column: usize,
        reason: String,
        error: String,
    },
    /// The time was over; the session is lost.
    TimedOut,
    /// The interpreter itself is gone, and why.
    Gone(String),
}

/// How a prompt went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) line: usize,
    pub(crate) source: String,
    pub(crate) failure: Option<Failure>,
}

/// Why a prompt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something else came; both texts, ids under the session's names.
    Differs { expected: String, actual: String },
    /// Nothing was expected, and an error came.
    Error(String),
    /// The input cannot be read; the place in the file.
    Syntax {
        line: usize,
        column: usize,
        reason: String,
    },
    /// It took too long.
    TimedOut(Duration),
    /// The interpreter could not go on, or an earlier prompt took the session with it.
    Gone(String),
}

/// After the expected messages, how long others are looked for.
const QUIET: Duration = Duration::from_millis(40);

/// Puts every prompt of the session to the interpreter.
pub(crate) fn session(
    session: &Session,
    interpreter: &mut dyn Interpreter,
    timeout: Duration,
) -> Vec<Outcome> {
    let boundaries = boundaries(session);
    let mut names = Names::default();
    let mut lost: Option<String> = None;
    let mut outcomes = Vec::with_capacity(session.prompts.len());
    for prompt in &session.prompts {
        let source = prompt.source();
        let failure = match &lost {
            Some(reason) => Some(Failure::Gone(reason.clone())),
            None if is_flush(&source) && !prompt.expected.is_empty() => {
                flush(prompt, interpreter, &mut names, boundaries, timeout)
            }
            None => judge(
                prompt,
                interpreter.evaluate(&source, timeout),
                &mut names,
                timeout,
            ),
        };
        if let Some(Failure::TimedOut(_) | Failure::Gone(_)) = failure
            && lost.is_none()
        {
            lost = Some(format!(
                "not run: the session was lost at line {}",
                prompt.line()
            ));
        }
        outcomes.push(Outcome {
            line: prompt.line(),
            source,
            failure,
        });
    }
    outcomes
}

/// Pieces of a stream may be joined, but a session that speaks of packets or drivers means its messages as they stand.
fn boundaries(session: &Session) -> Boundaries {
    let exact = session.prompts.iter().any(|prompt| {
        let source = prompt.source();
        ["packet", "spawn_driver", "erl_ddll"]
            .iter()
            .any(|word| source.contains(word))
    });
    if exact {
        Boundaries::Exact
    } else {
        Boundaries::Loose
    }
}

fn is_flush(source: &str) -> bool {
    let code = source.split('#').next().unwrap_or_default();
    matches!(code.trim(), "flush()" | "flush")
}

fn flush(
    prompt: &Prompt,
    interpreter: &mut dyn Interpreter,
    names: &mut Names,
    boundaries: Boundaries,
    timeout: Duration,
) -> Option<Failure> {
    let mut expected = messages::split(&prompt.expected);
    if expected.last().is_some_and(|last| last == ":ok") {
        expected.pop();
    }
    let deadline = Instant::now() + timeout;
    let mut actual: Vec<String> = Vec::new();
    let mut settled = false;
    loop {
        let mut attempt = names.clone();
        let progress = messages::compare(&mut attempt, &expected, &actual, boundaries);
        let wait = match progress {
            Progress::Waiting => deadline.saturating_duration_since(Instant::now()),
            _ if settled => Duration::ZERO,
            _ => QUIET,
        };
        if wait.is_zero() {
            if progress == Progress::Complete {
                *names = attempt;
                return None;
            }
            let actual: Vec<String> = actual.iter().map(|text| attempt.renamed(text)).collect();
            return Some(Failure::Differs {
                expected: or_no_messages(expected.join("\n")),
                actual: or_no_messages(actual.join("\n")),
            });
        }
        settled = progress != Progress::Waiting;
        match interpreter.messages(wait) {
            Ok(more) => actual.extend(more),
            Err(answer) => return judge(prompt, answer, names, timeout),
        }
    }
}

fn or_no_messages(text: String) -> String {
    if text.is_empty() {
        "(no message)".to_owned()
    } else {
        text
    }
}

fn judge(prompt: &Prompt, answer: Answer, names: &mut Names, timeout: Duration) -> Option<Failure> {
    let expected = prompt.expected.join("\n");
    let mut try_all = |candidates: &[String]| {
        expected.is_empty()
            || candidates
                .iter()
                .any(|actual| names.matches(&expected, actual))
    };
    let actual = match answer {
        Answer::Value { printed, value } => {
            let whole = join(&printed, &value);
            // The output alone will do where the value says nothing.
            let output = if value == ":ok" {
                printed
            } else {
                whole.clone()
            };
            if try_all(&[value, whole.clone(), output]) {
                return None;
            }
            whole
        }
        Answer::Shown(whole) => {
            let mut candidates = vec![whole.clone()];
            candidates.extend(whole.strip_suffix("\n:ok").map(str::to_owned));
            candidates.extend(
                whole
                    .match_indices('\n')
                    .map(|(at, _)| whole[at + 1..].to_owned()),
            );
            if try_all(&candidates) {
                return None;
            }
            whole
        }
        Answer::Raised { printed, error } => {
            if expected.is_empty() {
                return Some(Failure::Error(join(&printed, &error)));
            }
            let mut candidates = Vec::new();
            for shown in errors(&error, &expected) {
                candidates.push(join(&printed, &shown));
                candidates.push(shown);
            }
            if try_all(&candidates) {
                return None;
            }
            join(&printed, &error)
        }
        Answer::Syntax {
            line,
            column,
            reason,
            error,
        } => {
            if !expected.is_empty() && try_all(&errors(&error, &expected)) {
                return None;
            }
            let (line, column) = prompt.place(line, column);
            return Some(Failure::Syntax {
                line,
                column,
                reason,
            });
        }
        Answer::TimedOut => return Some(Failure::TimedOut(timeout)),
        Answer::Gone(reason) => return Some(Failure::Gone(reason)),
    };
    Some(Failure::Differs {
        expected,
        actual: names.renamed(&actual),
    })
}

/// The forms in which an error may be expected: whole, its first paragraph, and its name alone when no more is expected.
fn errors(error: &str, expected: &str) -> Vec<String> {
    let mut forms = vec![error.to_owned()];
    if let Some((first, _)) = error.split_once("\n\n") {
        forms.push(first.to_owned());
        forms.push(first.trim_end_matches(':').to_owned());
    }
    if expected.ends_with(')')
        && let Some((name, _)) = error.split_once(") ")
    {
        forms.push(format!("{name})"));
    }
    forms
}

fn join(printed: &str, answer: &str) -> String {
    if printed.trim().is_empty() {
        answer.to_owned()
    } else {
        format!("{}\n{answer}", printed.trim_end_matches('\n'))
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::Transcript;
    use super::*;

    /// Answers from a list.
    struct Scripted {
        answers: Vec<Answer>,
        messages: Vec<Vec<&'static str>>,
    }

    impl Interpreter for Scripted {
        fn evaluate(&mut self, _: &str, _: Duration) -> Answer {
            self.answers.remove(0)
        }

        fn messages(&mut self, _: Duration) -> Result<Vec<String>, Answer> {
            if self.messages.is_empty() {
                return Ok(Vec::new());
            }
            Ok(self
                .messages
                .remove(0)
                .into_iter()
                .map(String::from)
                .collect())
        }
    }

    fn failures(
        text: &str,
        answers: &[Answer],
        messages: &[&[&'static str]],
    ) -> Vec<Option<Failure>> {
        let transcript = Transcript::parse(text).unwrap();
        let messages = messages.iter().map(|batch| batch.to_vec()).collect();
        let mut interpreter = Scripted {
            answers: answers.to_vec(),
            messages,
        };
        let timeout = Duration::from_millis(20);
        let outcomes = session(&transcript.sessions[0], &mut interpreter, timeout);
        outcomes
            .into_iter()
            .map(|outcome| outcome.failure)
            .collect()
    }

    fn value(printed: &str, value: &str) -> Answer {
        Answer::Value {
            printed: printed.to_owned(),
            value: value.to_owned(),
        }
    }

    fn raised(error: &str) -> Answer {
        Answer::Raised {
            printed: String::new(),
            error: error.to_owned(),
        }
    }

    #[test]
    fn a_value_may_be_expected_with_its_output_or_without() {
        for expected in ["hi\n:ok", ":ok", "hi"] {
            let text = format!("iex> IO.puts(\"hi\")\n{expected}");
            assert!(
                failures(&text, &[value("hi\n", ":ok")], &[])[0].is_none(),
                "{expected}"
            );
        }
        assert!(failures("iex> f()\nho", &[value("hi\n", ":ok")], &[])[0].is_some());
        assert!(failures("iex> f()\nhi", &[value("hi\n", "1")], &[])[0].is_some());
    }

    #[test]
    fn nothing_expected_accepts_a_value_but_not_an_error() {
        assert!(failures("iex> f()", &[value("", "1")], &[])[0].is_none());
        assert!(matches!(
            failures("iex> f()", &[raised("** (A) b")], &[])[0],
            Some(Failure::Error(_))
        ));
    }

    #[test]
    fn an_error_is_expected_by_name_by_message_or_whole() {
        let error = "** (ArgumentError) errors were found:\n\n  * 1st argument: bad\n";
        for expected in [
            "** (ArgumentError)",
            "** (ArgumentError) errors were found:",
            error,
        ] {
            let text = format!("iex> f()\n{expected}");
            assert!(
                failures(&text, &[raised(error)], &[])[0].is_none(),
                "{expected}"
            );
        }
        for expected in ["** (RuntimeError)", "** (ArgumentError) other", "1"] {
            let text = format!("iex> f()\n{expected}");
            assert!(
                failures(&text, &[raised(error)], &[])[0].is_some(),
                "{expected}"
            );
        }
    }

    #[test]
    fn flush_waits_for_its_messages_and_reports_others() {
        let text = "iex> flush()\n{#Port<0.1>, :connected}\n:ok";
        assert!(failures(text, &[], &[&[], &["{#Port<0.7>, :connected}"]])[0].is_none());
        assert!(failures(text, &[], &[&["{#Port<0.7>, :connected}", ":more"]])[0].is_some());
        assert!(failures(text, &[], &[&["{#Port<0.7>, :connected}"], &[":late"]])[0].is_some());
        assert!(failures(text, &[], &[])[0].is_some());
        assert!(failures("iex> flush()\n:ok", &[], &[])[0].is_none());
    }

    #[test]
    fn a_prompt_that_hangs_takes_the_rest_of_the_session_with_it() {
        let found = failures("iex> f()\n1\niex> 2\n2", &[Answer::TimedOut], &[]);
        assert!(matches!(found[0], Some(Failure::TimedOut(_))));
        assert!(matches!(found[1], Some(Failure::Gone(_))));
    }
}

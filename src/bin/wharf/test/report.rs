//! What a test run tells: a diff for each failure, the count at the end, and JUnit XML.
#![forbid(unsafe_code)]

use super::check::{Failure, Outcome};
use crate::print::Paint;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use similar::{ChangeTag, TextDiff};
use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

/// How much of a difference is shown.
const LINES_MAX: usize = 100;

/// And how much of one line.
const LETTERS_MAX: usize = 400;

/// What became of one file.
pub(crate) struct FileReport {
    pub(crate) path: String,
    pub(crate) result: Result<Vec<Outcome>, String>,
}

impl FileReport {
    /// How many prompts passed and failed; a file that cannot be run is one failure.
    pub(crate) fn counts(&self) -> (usize, usize) {
        match &self.result {
            Ok(outcomes) => {
                let failed = outcomes
                    .iter()
                    .filter(|outcome| outcome.failure.is_some())
                    .count();
                (outcomes.len() - failed, failed)
            }
            Err(_) => (0, 1),
        }
    }

    /// The failures, as a person reads them.
    pub(crate) fn describe(&self, paint: Paint) -> String {
        let outcomes = match &self.result {
            Ok(outcomes) => outcomes,
            Err(reason) => return format!("{}: {reason}\n", paint.bold(&self.path)),
        };
        let mut text = String::new();
        for outcome in outcomes {
            let Some(failure) = &outcome.failure else {
                continue;
            };
            let place = match failure {
                Failure::Syntax { line, column, .. } => format!("{}:{line}:{column}", self.path),
                _ => format!("{}:{}", self.path, outcome.line),
            };
            let _ = writeln!(
                text,
                "{}: {}",
                paint.bold(place),
                paint.red(summary(failure))
            );
            for (at, line) in outcome.source.lines().enumerate() {
                let prompt = if at == 0 { "iex>" } else { "...>" };
                let _ = writeln!(text, "  {}", paint.dim(format!("{prompt} {line}")));
            }
            text.push_str(&detail(failure, paint));
            text.push('\n');
        }
        text
    }
}

/// `N passed, N failed`.
pub(crate) fn counts(passed: usize, failed: usize, paint: Paint) -> String {
    let failures = format!("{failed} failed");
    let failures = if failed > 0 {
        paint.red(failures)
    } else {
        failures
    };
    let passes = format!("{passed} passed");
    let passes = if passed > 0 && failed == 0 {
        paint.green(passes)
    } else {
        passes
    };
    format!("{passes}, {failures}")
}

fn summary(failure: &Failure) -> String {
    match failure {
        Failure::Differs { .. } => "not as expected".to_owned(),
        Failure::Error(_) => "an error that was not expected".to_owned(),
        Failure::Syntax { reason, .. } => reason.clone(),
        Failure::TimedOut(after) => format!("no answer within {} s", after.as_secs_f64()),
        Failure::Gone(reason) => reason.clone(),
    }
}

fn detail(failure: &Failure, paint: Paint) -> String {
    match failure {
        Failure::Differs { expected, actual } => diff(expected, actual, paint),
        Failure::Error(error) => error.lines().map(|line| format!("  {line}\n")).collect(),
        Failure::Syntax { .. } | Failure::TimedOut(_) | Failure::Gone(_) => String::new(),
    }
}

/// A unified diff, `-` before what was expected and `+` before what came.
fn diff(expected: &str, actual: &str, paint: Paint) -> String {
    let (expected, actual) = (format!("{expected}\n"), format!("{actual}\n"));
    let mut shown = 0;
    let diff = TextDiff::from_lines(expected.as_str(), actual.as_str());
    let mut text = format!(
        "  {}\n  {}\n",
        paint.red("--- expected"),
        paint.green("+++ actual")
    );
    for group in diff.grouped_ops(3) {
        for op in group {
            for change in diff.iter_changes(&op) {
                shown += 1;
                if shown > LINES_MAX {
                    continue;
                }
                let line = shortened(change.value().trim_end_matches('\n'));
                let line = match change.tag() {
                    ChangeTag::Delete => paint.red(format!("-{line}")),
                    ChangeTag::Insert => paint.green(format!("+{line}")),
                    ChangeTag::Equal => format!(" {line}"),
                };
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    if shown > LINES_MAX {
        let more = shown - LINES_MAX;
        let _ = writeln!(text, "  {}", paint.dim(format!("… and {more} more lines")));
    }
    text
}

/// Both ends of a long line.
fn shortened(line: &str) -> Cow<'_, str> {
    let letters = line.chars().count();
    if letters <= LETTERS_MAX {
        return Cow::Borrowed(line);
    }
    let head: String = line.chars().take(LETTERS_MAX / 2).collect();
    let tail: String = line.chars().skip(letters - LETTERS_MAX / 4).collect();
    let left_out = letters - LETTERS_MAX / 2 - LETTERS_MAX / 4;
    Cow::Owned(format!("{head}… {left_out} more …{tail}"))
}

/// Writes the results as JUnit XML: a suite for each file, a case for each prompt.
pub(crate) fn write_junit(reports: &[FileReport], path: &Path) -> Result<(), String> {
    let mut junit = Report::new("wharf test");
    for report in reports {
        let mut suite = TestSuite::new(report.path.as_str());
        match &report.result {
            Ok(outcomes) => {
                for outcome in outcomes {
                    let first = outcome.source.lines().next().unwrap_or_default();
                    let name = format!("line {}: {first}", outcome.line);
                    let mut case = TestCase::new(name, status(outcome.failure.as_ref()));
                    case.set_classname(report.path.as_str());
                    suite.add_test_case(case);
                }
            }
            Err(reason) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
                status.set_message(reason.as_str());
                suite.add_test_case(TestCase::new("transcript", status));
            }
        }
        junit.add_test_suite(suite);
    }
    let text = junit.to_string().map_err(|error| error.to_string())?;
    std::fs::write(path, text).map_err(|error| error.to_string())
}

fn status(failure: Option<&Failure>) -> TestCaseStatus {
    let Some(failure) = failure else {
        return TestCaseStatus::success();
    };
    let kind = match failure {
        Failure::Differs { .. } => NonSuccessKind::Failure,
        _ => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(summary(failure));
    status.set_description(detail(failure, Paint::plain()));
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_shown_with_its_place_and_a_diff() {
        let failure = Failure::Differs {
            expected: "1\n2".into(),
            actual: "1\n3".into(),
        };
        let outcome = Outcome {
            line: 7,
            source: "f()".into(),
            failure: Some(failure),
        };
        let report = FileReport {
            path: "a.md".into(),
            result: Ok(vec![outcome]),
        };
        let text = report.describe(Paint::plain());
        assert_eq!(
            text,
            "a.md:7: not as expected\n  iex> f()\n  --- expected\n  +++ actual\n   1\n  -2\n  +3\n\n"
        );
        assert_eq!(report.counts(), (0, 1));
    }

    #[test]
    fn a_difference_without_measure_is_shortened() {
        let long = "é".repeat(10_000);
        let text = diff("1", &long, Paint::plain());
        assert!(text.len() < 1_000, "{text}");
        assert!(text.contains("more …é"), "{text}");
        let many: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
        let text = diff("x", &many.join("\n"), Paint::plain());
        assert_eq!(text.lines().count(), 103, "{text}");
        assert!(text.ends_with("… and 901 more lines\n"), "{text}");
    }
}

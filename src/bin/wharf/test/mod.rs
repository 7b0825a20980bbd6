//! `wharf test`: runs transcripts and tells which answers differ.
//!
//! The way of a file: `transcript` finds prompts, `check` puts them to an interpreter (`own` or
//! `iex`) and compares the answers with `names` and `messages`, `report` tells.
#![forbid(unsafe_code)]

mod check;
mod iex;
mod messages;
mod names;
mod own;
mod report;
mod transcript;

use crate::args::{Global, Test};
use crate::print::{Paint, complain, say};
use check::{Interpreter, Outcome};
use report::FileReport;
use std::path::Path;
use std::process::ExitCode;
use transcript::Transcript;

/// Runs the files and prints what differs; fails when anything does.
pub(crate) fn run(options: &Test, global: &Global) -> ExitCode {
    let paint = Paint::stdout(global.color);
    let mut reports = Vec::new();
    for path in &options.files {
        let report = FileReport {
            path: path.display().to_string(),
            result: file(path, options, global),
        };
        say(report.describe(paint));
        reports.push(report);
    }
    let mut passed = 0;
    let mut failed = 0;
    for report in &reports {
        let (passes, failures) = report.counts();
        passed += passes;
        failed += failures;
    }
    if let Some(path) = &options.junit
        && let Err(error) = report::write_junit(&reports, path)
    {
        complain(
            Paint::stderr(global.color),
            format!("{}: {error}", path.display()),
        );
        failed += 1;
    }
    say(report::counts(passed, failed, paint) + "\n");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn file(path: &Path, options: &Test, global: &Global) -> Result<Vec<Outcome>, String> {
    let transcript = Transcript::read(path).map_err(|reason| reason.to_string())?;
    let mut outcomes = Vec::new();
    for session in &transcript.sessions {
        let mut interpreter: Box<dyn Interpreter> = if options.iex {
            let started = iex::Iex::start();
            Box::new(started.map_err(|error| format!("iex cannot be started: {error}"))?)
        } else {
            Box::new(own::Own::start(crate::host(global)?)?)
        };
        outcomes.extend(check::session(
            session,
            interpreter.as_mut(),
            options.timeout,
        ));
    }
    Ok(outcomes)
}

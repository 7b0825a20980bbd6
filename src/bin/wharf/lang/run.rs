//! `wharf run` and `wharf eval`: a whole script, from its text to the command's exit status.
#![forbid(unsafe_code)]

use super::session::{Failure, Session};
use super::world::{Output, World};
use std::io::Read;
use wharf::host::Host;
use wharf::term::Term;

/// Evaluates a script, `-` for standard input. Gives the exit status; what failed is on standard error by then.
pub(crate) fn run_file(host: Host, path: &str, arguments: Vec<String>) -> i32 {
    let (name, source) = match read(path) {
        Ok(read) => read,
        Err(error) => {
            eprintln!("wharf: {path}: {error}");
            return 1;
        }
    };
    match evaluate(host, &name, &source, arguments) {
        Ok(_) => 0,
        Err(failure) => complain(&failure),
    }
}

/// Evaluates expressions and prints the last one's value as iex would. Gives the exit status.
pub(crate) fn eval_string(host: Host, source: &str, arguments: Vec<String>) -> i32 {
    match evaluate(host, "nofile", source, arguments) {
        Ok(value) => {
            println!("{}", crate::inspect::inspect(&value));
            0
        }
        Err(failure) => complain(&failure),
    }
}

fn read(path: &str) -> std::io::Result<(String, String)> {
    let mut bytes = Vec::new();
    let name = if path == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        "stdin"
    } else {
        bytes = std::fs::read(path)?;
        path
    };
    let source = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        std::io::Error::other(format!(
            "line {line}: this is no UTF-8 text, so it is no script"
        ))
    })?;
    // A script may begin with the line that names its interpreter.
    let source = if source.starts_with("#!") {
        format!("#{source}")
    } else {
        source
    };
    Ok((name.to_owned(), source))
}

fn evaluate(host: Host, name: &str, source: &str, arguments: Vec<String>) -> Result<Term, Failure> {
    let world = World::new(host, Output::Standard, arguments);
    let mut session = match Session::new(world.clone(), name) {
        Ok(session) => session,
        Err(error) => {
            eprintln!("wharf: the script's process cannot start: {error}");
            std::process::exit(1);
        }
    };
    let result = session.eval_at(source, 1);
    if let Err(failure) = &result {
        // Before the processes end: what they still write comes after the reason.
        if failure.exit_status() != 0 {
            world.complain(&failure.report());
        }
    }
    result
}

fn complain(failure: &Failure) -> i32 {
    failure.exit_status()
}

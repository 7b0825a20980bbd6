//! `wharf completions`: a completion script for the user's shell.
#![forbid(unsafe_code)]

use crate::args::Arguments;
use clap::CommandFactory;
use std::io::Write;
use std::process::ExitCode;

/// Prints the script, made from the same description that parses the command line.
pub(crate) fn write(shell: clap_complete::Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "wharf", &mut script);
    match std::io::stdout().write_all(&script) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

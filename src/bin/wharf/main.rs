//! The `wharf` command: scripts, transcripts, a shell, facts about drivers, and measurements.
//!
//! A second door on wharf's public Rust API: nothing here reaches behind it. `args` says what
//! can be asked; `lang`, `stdlib` and `inspect` are the language; the other modules are a
//! subcommand each.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod completions;
mod inspect;
mod inspect_driver;
mod lang;
mod print;
mod shell;
mod stdlib;
mod test;

use args::{Arguments, Command, Global};
use clap::Parser;
use print::{Paint, complain};
use std::process::ExitCode;
use wharf::host::Host;

fn main() -> ExitCode {
    if let Some(status) = bench::taken_reading() {
        return status;
    }
    let Arguments { global, command } = Arguments::parse();
    tracing_subscriber::fmt()
        .with_max_level(global.log)
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false)
        .with_ansi(Paint::stderr(global.color).is_on())
        .init();
    match command {
        Command::Run(options) => evaluated(&global, |host| {
            lang::run::run_file(host, &options.file, options.arguments)
        }),
        Command::Eval(options) => evaluated(&global, |host| {
            lang::run::eval_string(host, &options.source, Vec::new())
        }),
        Command::Test(options) => test::run(&options, &global),
        Command::Shell(options) => shell::run(&options, &global),
        Command::Inspect(options) => inspect_driver::run(&options, &global),
        Command::Bench(options) => bench::run(&options, &global),
        Command::Completions(options) => completions::write(options.shell),
    }
}

/// A host that finds drivers where the command line says.
fn host(global: &Global) -> Result<Host, String> {
    let mut builder = Host::builder();
    for folder in &global.driver_path {
        builder = builder.driver_path(folder);
    }
    builder.build().map_err(|error| error.to_string())
}

/// Ends with the status that an evaluation gives.
fn evaluated(global: &Global, evaluate: impl FnOnce(Host) -> i32) -> ExitCode {
    match host(global) {
        Ok(host) => match u8::try_from(evaluate(host)) {
            Ok(status) => ExitCode::from(status),
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => {
            complain(Paint::stderr(global.color), error);
            ExitCode::FAILURE
        }
    }
}

//! `wharf run` and `wharf eval`: a whole script, from its text to the command's exit status.
#![forbid(unsafe_code)]

use super::session::Session;
use super::world::{Output, World};
use crate::inspect::{Options, inspect_lines};
use std::io::Read;
use std::time::Duration;
use wharf::host::Host;
use wharf::term::Term;

/// Evaluates a script, `-` for standard input. Gives the exit status; what failed is on standard error by then.
pub(crate) fn run_file(host: Host, path: &str, arguments: Vec<String>) -> i32 {
    match read(path) {
        Ok((name, source)) => evaluate(host, &name, &source, arguments, Show::Nothing),
        Err(error) => {
            eprintln!("wharf: {path}: {error}");
            1
        }
    }
}

/// Evaluates expressions and prints the last one's value as iex would. Gives the exit status.
pub(crate) fn eval_string(host: Host, source: &str, arguments: Vec<String>) -> i32 {
    evaluate(host, "nofile", source, arguments, Show::Value)
}

/// Ends the program from any of its processes, as `System.halt/1` does.
pub(crate) fn leave(world: &World, status: i32, ports: Ports) -> ! {
    if ports == Ports::Written {
        close_ports(world);
    }
    std::process::exit(status)
}

/// What becomes of output that waits in ports when the program ends.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Ports {
    /// It is written first.
    Written,
    /// It is lost.
    Left,
}

/// What is printed of a script's value.
#[derive(PartialEq)]
enum Show {
    Nothing,
    Value,
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
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        std::io::Error::other(format!(
            "line {line}: this is no UTF-8 text, so it is no script"
        ))
    })?;
    Ok((name.to_owned(), source))
}

fn evaluate(host: Host, name: &str, source: &str, arguments: Vec<String>, show: Show) -> i32 {
    let world = World::new(host, Output::Standard, arguments);
    let mut session = match Session::new(world.clone(), name) {
        Ok(session) => session,
        Err(error) => {
            eprintln!("wharf: the script's process cannot start: {error}");
            return 1;
        }
    };
    let status = match session.eval_at(source, 1) {
        Ok(value) => {
            if show == Show::Value {
                let text = inspect_lines(&value, &Options::default());
                world.write(format!("{text}\n").as_bytes());
            }
            0
        }
        Err(failure) => {
            if !failure.is_quiet() {
                world.complain(&failure.report());
            }
            failure.exit_status()
        }
    };
    close_ports(&world);
    status
}

/// Erlang's end of a program waits for what was written to ports, however long that takes; a person is told why.
fn close_ports(world: &World) {
    const PATIENCE: Duration = Duration::from_secs(5);
    loop {
        let left = world.host().close_ports(PATIENCE);
        if left.is_empty() {
            return;
        }
        let shown: Vec<String> = left
            .iter()
            .map(|port| crate::inspect::inspect(&Term::Port(*port)))
            .collect();
        let names = shown.join(", ");
        world.complain(&format!(
            "wharf: the end waits for {names} to take what was written to it (Ctrl-C gives up)\n"
        ));
    }
}

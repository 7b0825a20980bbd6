//! What people read when a script fails: `** (ArgumentError) …` and the calls beneath.
//!
//! Relies on `exception`. Promises Elixir's layout.
#![forbid(unsafe_code)]

use super::context::Context;
use super::exception::{self, module_text};
use super::throw::{Call, Class, Throw};
use crate::inspect::{exception::exit_text, inspect};
use wharf::term::Term;

/// `** (ArgumentError) argument error`: the failure alone.
pub(crate) fn banner(context: &mut Context, throw: &Throw) -> String {
    match throw.class {
        Class::Exit => format!("** (exit) {}", exit_text(&throw.reason)),
        Class::Throw => format!("** (throw) {}", inspect(&throw.reason)),
        Class::Error => {
            let exception = exception::normalize(throw);
            let name = match &exception {
                Term::Map(map) => map
                    .get(&Term::atom("__struct__"))
                    .and_then(Term::as_atom)
                    .map(module_text),
                _ => None,
            };
            let message = exception::message(context, &exception);
            format!(
                "** ({}) {message}{}",
                name.unwrap_or_default(),
                given_arguments(throw)
            )
        }
    }
}

/// The failure and the calls it came through.
pub(crate) fn full(context: &mut Context, throw: &Throw) -> String {
    let mut text = banner(context, throw);
    text.push('\n');
    // A message that ends in its own line break stays apart from the calls.
    for call in &throw.trace {
        text.push_str("    ");
        text.push_str(&call_text(call));
        text.push('\n');
    }
    text
}

/// Elixir shows the arguments that no clause took.
fn given_arguments(throw: &Throw) -> String {
    let (true, Some(call)) = (throw.reason.is_atom("function_clause"), throw.trace.first()) else {
        return String::new();
    };
    let Some(arguments) = &call.arguments else {
        return String::new();
    };
    let mut text = format!(
        "    \n    \n    The following arguments were given to {}:\n    \n",
        name(call)
    );
    for (index, argument) in arguments.iter().enumerate() {
        let shown = inspect(argument).replace('\n', "\n        ");
        text.push_str(&format!("        # {}\n        {shown}\n    \n", index + 1));
    }
    text.truncate(text.trim_end_matches('\n').len());
    text
}

/// `file.exs:3: Foo.bar/1`, `:erlang.port_close(1)`.
pub(crate) fn call_text(call: &Call) -> String {
    if call.file.is_empty() {
        let Some(arguments) = &call.arguments else {
            return name(call);
        };
        let shown: Vec<String> = arguments.iter().map(inspect).collect();
        let module = call
            .module
            .map(|module| format!("{}.", module_text(module)))
            .unwrap_or_default();
        return format!("{module}{}({})", call.function, shown.join(", "));
    }
    format!("{}:{}: {}", call.file, call.line, name(call))
}

fn name(call: &Call) -> String {
    if call.function.starts_with('(') || call.function.starts_with("anonymous fn/") {
        return call.function.to_string();
    }
    let module = call
        .module
        .map(|module| format!("{}.", module_text(module)))
        .unwrap_or_default();
    format!("{module}{}/{}", call.function, call.arity)
}

/// What is logged when a process ends in an error.
pub(crate) fn process_failed(context: &mut Context, throw: &Throw) -> String {
    let pid = inspect(&Term::Pid(context.process().pid()));
    let mut throw = throw.clone();
    if throw.class == Class::Throw {
        throw.reason = Term::tuple([Term::atom("nocatch"), throw.reason.clone()]);
        throw.class = Class::Error;
    }
    let report = full(context, &throw);
    format!(
        "\n{} [error] Process {pid} raised an exception\n{report}",
        time_of_day()
    )
}

/// Hours, minutes, seconds and milliseconds of the day, universal time.
fn time_of_day() -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = now.as_secs() % 86_400;
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        now.subsec_millis()
    )
}

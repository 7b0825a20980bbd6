//! Programs that are run to their end: `System.cmd/3`, `System.shell/2` and `:os.cmd/1`.
//!
//! They are ports of the process that asks, as in Elixir: the host's variables reach them, and who traps exits finds the
//! port's among the messages. `:os.cmd` has a process of its own for it. Relies on `environment` and `executable`.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad, binary_of, bytes, is_truthy, list, option};
use super::enumeration::build::collect_into;
use super::{Entry, convert, environment, executable, table};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use wharf::Process;
use wharf::term::{Term, atom};

/// What a program wrote, and how it ended.
struct Outcome {
    output: Vec<u8>,
    status: Term,
}

enum News {
    Data(Vec<u8>),
    Status(Term),
}

fn set(name: &str, value: Term) -> Term {
    Term::tuple([Term::atom(name), value])
}

/// Runs a file with these arguments and more options of a port.
fn run(process: &Process, file: &[u8], args: Vec<Term>, more: Vec<Term>) -> Result<Outcome, Throw> {
    let name = set("spawn_executable", binary_of(file));
    let mut options = vec![
        Term::atom("exit_status"),
        Term::atom("binary"),
        Term::atom("hide"),
        set("args", Term::list(args)),
    ];
    options.extend(more);
    let port = Term::Port(process.open_port(&name, &Term::list(options))?);
    let mut output = Vec::new();
    loop {
        let news = process.receive(|message| news(message, &port), None);
        match news.map_err(|exited| Throw::killed(exited.reason))? {
            Some(News::Data(bytes)) => output.extend(bytes),
            Some(News::Status(status)) => return Ok(Outcome { output, status }),
            None => {}
        }
    }
}

fn news(message: &Term, port: &Term) -> Option<News> {
    let [from, news] = &message.as_tuple()?[..] else {
        return None;
    };
    let [kind, what] = &news.as_tuple()?[..] else {
        return None;
    };
    match (from == port, kind, what) {
        (true, Term::Atom(atom::DATA), Term::Binary(bytes)) => Some(News::Data(bytes.to_vec())),
        (true, Term::Atom(kind), status) if kind.as_str() == "exit_status" => {
            Some(News::Status(status.clone()))
        }
        _ => None,
    }
}

/// The options of `System.cmd/3` that are a port's.
fn of_the_port(ctx: &mut Context, options: &Term) -> Result<Vec<Term>, Throw> {
    let mut settings = Vec::new();
    if let Some(folder) = option(options, "cd") {
        settings.push(set("cd", binary_of(convert::to_text(&folder)?)));
    }
    if option(options, "stderr_to_stdout").is_some_and(|both| is_truthy(&both)) {
        settings.push(Term::atom("stderr_to_stdout"));
    }
    settings.push(set("env", environment::program_env(ctx, options)?));
    Ok(settings)
}

fn finish(outcome: Outcome, options: &Term) -> Answer {
    let into = option(options, "into").unwrap_or_else(|| Term::from(""));
    let output = collect_into(vec![binary_of(outcome.output)], &into)?;
    Ok(Term::tuple([output, outcome.status]))
}

/// `System.cmd(program, arguments, options \\ [])`
fn cmd(ctx: &mut Context, args: &[Term]) -> Answer {
    let options = args.get(2).cloned().unwrap_or(Term::Nil);
    let program = bytes(&args[0]).ok_or_else(|| Throw::function_clause("System", "cmd", args))?;
    let program = executable::without_nul("cmd/3", program)?;
    let arguments = list(args, 2)?;
    if !arguments.iter().all(|one| matches!(one, Term::Binary(_))) {
        let problem = "all arguments for System.cmd/3 must be binaries";
        return Err(Throw::argument_error(problem));
    }
    // What is absolute is not looked for, and says itself why it does not run.
    let found = if program.starts_with(b"/") {
        Some(program.to_vec())
    } else {
        executable::find(ctx, program, None)
    };
    let found = found.ok_or_else(|| Throw::error(Term::atom("enoent")))?;
    let settings = of_the_port(ctx, &options)?;
    finish(run(ctx.process(), &found, arguments, settings)?, &options)
}

/// Arguments that have a shell run this, with nothing to read.
fn shell_arguments(line: &[u8]) -> Vec<Term> {
    let whole = [b"(", line, b"\n) </dev/null"].concat();
    vec![Term::from("-c"), binary_of(whole)]
}

/// `System.shell(command, options \\ [])`
fn shell(ctx: &mut Context, args: &[Term]) -> Answer {
    let options = args.get(1).cloned().unwrap_or(Term::Nil);
    let line = bytes(&args[0]).ok_or_else(|| Throw::function_clause("System", "shell", args))?;
    let line = executable::without_nul("shell/2", line)?;
    let found =
        executable::find(ctx, b"sh", None).ok_or_else(|| Throw::error(Term::atom("enoent")))?;
    let settings = of_the_port(ctx, &options)?;
    finish(
        run(ctx.process(), &found, shell_arguments(line), settings)?,
        &options,
    )
}

/// `:os.cmd(command)`: what it writes, standard error included, as a charlist
fn os_cmd(ctx: &mut Context, args: &[Term]) -> Answer {
    let line = match &args[0] {
        Term::Atom(name) => name.as_str().as_bytes().to_vec(),
        text => environment::characters(text).map_err(|_| bad(1, "not a list of characters"))?,
    };
    let process = ctx.world().host().process();
    let both = vec![Term::atom("stderr_to_stdout")];
    let outcome = run(&process, b"/bin/sh", shell_arguments(&line), both)?;
    Ok(environment::charlist(&outcome.output))
}

/// The functions of `System`.
pub(crate) const SYSTEM: &[Entry] = table! {
    "cmd"/2 => cmd, "System.cmd(program, args): {output, exit status} of a program run to its end";
    "cmd"/3 => cmd, "System.cmd(program, args, opts): opts are :cd, :env, :into and :stderr_to_stdout";
    "shell"/1 => shell, "System.shell(command): {output, exit status} of a shell's command line";
    "shell"/2 => shell, "System.shell(command, opts)";
};

/// The function of `:os`.
pub(crate) const OS: &[Entry] = table! {
    "cmd"/1 => os_cmd, ":os.cmd(command): what a shell's command line writes";
};

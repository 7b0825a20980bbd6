//! `System` and `:os` but for the environment: the program itself, and programs run to their end.
//!
//! Relies on the standard library's `Command` for the latter. Promises their output and status as `System.cmd/3` has them.
#![forbid(unsafe_code)]

use super::argument::{Answer, bytes, chardata, is_truthy, list, option};
use super::enumeration::build::collect_into;
use super::{Entry, convert, environment, erlang, table};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use wharf::term::{Binary, Map, Term};

/// The Elixir whose behaviour wharf has.
const ELIXIR_VERSION: &str = "1.14.0";

/// What a program wrote, and how it ended.
struct Outcome {
    output: Vec<u8>,
    status: i64,
}

/// Runs a program to its end. `settings` are pairs as a port's `:env` has them.
fn run(mut command: Command, both: bool, settings: &Term) -> Result<Outcome, Throw> {
    for pair in settings.to_list_vec().unwrap_or_default() {
        let Some([name, value]) = pair.as_tuple().map(|pair| &pair[..]) else {
            continue;
        };
        let name = chardata(name).unwrap_or_default();
        match chardata(value) {
            Ok(value) => command.env(OsStr::from_bytes(&name), OsStr::from_bytes(&value)),
            Err(_) => command.env_remove(OsStr::from_bytes(&name)),
        };
    }
    let failed = |error: std::io::Error| Throw::error(Term::atom(&super::file::reason(&error)));
    let (mut reader, writer) = std::io::pipe().map_err(failed)?;
    command.stdin(Stdio::null());
    if both {
        command.stderr(writer.try_clone().map_err(failed)?);
    }
    command.stdout(writer);
    let mut child = command.spawn().map_err(failed)?;
    // The ends of the pipe that the command holds would keep it open.
    drop(command);
    let mut output = Vec::new();
    reader.read_to_end(&mut output).map_err(failed)?;
    let status = child.wait().map_err(failed)?;
    let status = status
        .code()
        .map_or_else(|| 128 + i64::from(status.signal().unwrap_or(0)), i64::from);
    Ok(Outcome { output, status })
}

/// The environment of programs: the script's changes, then the pairs given.
fn environment_of(ctx: &mut Context, options: &Term) -> Answer {
    let own = environment::program_env(ctx, options)?;
    let settings =
        environment::with_changes(&Term::list(vec![Term::tuple([Term::atom("env"), own])]));
    Ok(option(&settings, "env").unwrap_or(Term::Nil))
}

fn finish(outcome: Outcome, options: &Term) -> Answer {
    let into = option(options, "into").unwrap_or_else(|| Term::from(""));
    let output = collect_into(vec![Term::Binary(Binary::from(outcome.output))], &into)?;
    Ok(Term::tuple([output, Term::Int(outcome.status)]))
}

fn start(ctx: &mut Context, mut command: Command, options: &Term) -> Answer {
    if let Some(folder) = option(options, "cd") {
        command.current_dir(OsStr::from_bytes(&convert::to_text(&folder)?));
    }
    let both = option(options, "stderr_to_stdout").is_some_and(|both| is_truthy(&both));
    let environment = environment_of(ctx, options)?;
    finish(run(command, both, &environment)?, options)
}

/// `System.cmd(program, arguments, options \\ [])`
fn cmd(ctx: &mut Context, args: &[Term]) -> Answer {
    let options = args.get(2).cloned().unwrap_or(Term::Nil);
    let program = bytes(&args[0]).ok_or_else(|| Throw::function_clause("System", "cmd", args))?;
    let found = environment::find_executable(program, None)
        .ok_or_else(|| Throw::error(Term::atom("enoent")))?;
    let mut command = Command::new(OsStr::from_bytes(&found));
    for argument in list(args, 2)? {
        let argument = bytes(&argument).map(<[u8]>::to_vec);
        let argument = argument.ok_or_else(|| {
            Throw::argument_error("all arguments for System.cmd/3 must be binaries")
        })?;
        command.arg(OsStr::from_bytes(&argument));
    }
    start(ctx, command, &options)
}

fn shell_command(line: &[u8]) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(OsStr::from_bytes(line));
    command
}

/// `System.shell(command, options \\ [])`
fn shell(ctx: &mut Context, args: &[Term]) -> Answer {
    let line = bytes(&args[0]).ok_or_else(|| Throw::function_clause("System", "shell", args))?;
    start(
        ctx,
        shell_command(line),
        &args.get(1).cloned().unwrap_or(Term::Nil),
    )
}

/// `:os.cmd(command)`: what it writes, standard error included, as a charlist
fn os_cmd(ctx: &mut Context, args: &[Term]) -> Answer {
    let line = chardata(&args[0]).map_err(|_| Throw::badarg(None))?;
    let environment = environment_of(ctx, &Term::Nil)?;
    let outcome = run(shell_command(&line), true, &environment)?;
    Ok(convert::characters(&outcome.output))
}

fn halt(ctx: &mut Context, args: &[Term]) -> Answer {
    match args.first() {
        None => ctx.halt(0),
        Some(Term::Int(status)) => ctx.halt(i32::try_from(status & 0xFF).unwrap_or(0)),
        Some(status) if status.is_atom("abort") => ctx.halt(134),
        Some(Term::Binary(message)) => {
            eprintln!("{}", String::from_utf8_lossy(message));
            ctx.halt(1)
        }
        Some(_) => Err(Throw::function_clause("System", "halt", args)),
    }
}

fn argv(ctx: &mut Context, _: &[Term]) -> Answer {
    Ok(Term::list(
        ctx.world()
            .arguments()
            .iter()
            .map(|argument| Term::from(argument.as_str()))
            .collect(),
    ))
}

fn threads() -> Term {
    std::thread::available_parallelism()
        .map_or(1, usize::from)
        .into()
}

fn build_info(_: &mut Context, _: &[Term]) -> Answer {
    let text = |key: &str, value: &str| (Term::atom(key), Term::from(value));
    let pairs = [
        text(
            "build",
            &format!(
                "{ELIXIR_VERSION} (compiled with Erlang/OTP {})",
                erlang::OTP_RELEASE
            ),
        ),
        text("date", ""),
        text("otp_release", erlang::OTP_RELEASE),
        text("revision", ""),
        text("version", ELIXIR_VERSION),
    ];
    Ok(Term::Map(pairs.into_iter().collect::<Map>()))
}

fn endianness() -> Term {
    Term::atom(if cfg!(target_endian = "little") {
        "little"
    } else {
        "big"
    })
}

/// The functions of `System`.
pub(crate) const TABLE: &[Entry] = table! {
    "cmd"/2 => cmd, "System.cmd(program, args): {output, exit status} of a program run to its end";
    "cmd"/3 => cmd, "System.cmd(program, args, opts): opts are :cd, :env, :into and :stderr_to_stdout";
    "shell"/1 => shell, "System.shell(command): {output, exit status} of a shell's command line";
    "shell"/2 => shell, "System.shell(command, opts)";
    "halt"/0 => halt, "System.halt(): ends the program";
    "halt"/1 => halt, "System.halt(status): ends the program with this status";
    "stop"/0 => halt, "System.stop(): ends the program";
    "stop"/1 => halt, "System.stop(status): ends the program with this status";
    "argv"/0 => argv, "System.argv(): the script's arguments";
    "pid"/0 => |_, _| Ok(Term::from(std::process::id().to_string().as_str())), "System.pid(): the operating system's number of this program";
    "version"/0 => |_, _| Ok(Term::from(ELIXIR_VERSION)), "System.version(): the Elixir version wharf behaves as";
    "otp_release"/0 => |_, _| Ok(Term::from(erlang::OTP_RELEASE)), "System.otp_release(): the Erlang release wharf behaves as";
    "build_info"/0 => build_info, "System.build_info()";
    "schedulers"/0 => |_, _| Ok(threads()), "System.schedulers()";
    "schedulers_online"/0 => |_, _| Ok(threads()), "System.schedulers_online()";
    "endianness"/0 => |_, _| Ok(endianness()), "System.endianness()";
    "unique_integer"/0 => erlang::unique_integer, "System.unique_integer()";
    "unique_integer"/1 => erlang::unique_integer, "System.unique_integer(modifiers)";
    "cwd"/0 => super::file::cwd_or_nil, "System.cwd(): the current folder";
    "cwd!"/0 => super::file::cwd_or_raise, "System.cwd!(): the current folder";
};

/// The functions of `:os`.
pub(crate) const OS: &[Entry] = table! {
    "cmd"/1 => os_cmd, ":os.cmd(command): what a shell's command line writes";
    "getpid"/0 => |_, _| Ok(Term::charlist(&std::process::id().to_string())), ":os.getpid()";
    "type"/0 => |_, _| Ok(Term::tuple([Term::atom("unix"), Term::atom("linux")])), ":os.type(): {:unix, :linux}";
};

//! `System` and `:os` but for the environment and other programs: facts about this program, and its end.
#![forbid(unsafe_code)]

use super::argument::Answer;
use super::{Entry, erlang, table};
use crate::lang::native::Context;
use crate::lang::run::Ports;
use crate::lang::throw::Throw;
use wharf::term::{Map, Term};

/// The Elixir whose behaviour wharf has.
const ELIXIR_VERSION: &str = "1.14.0";

fn halt(ctx: &mut Context, args: &[Term]) -> Answer {
    match args.first() {
        None => ctx.halt(0, Ports::Written),
        Some(Term::Int(status)) => {
            ctx.halt(i32::try_from(status & 0xFF).unwrap_or(0), Ports::Written)
        }
        Some(status) if status.is_atom("abort") => ctx.halt(134, Ports::Left),
        Some(Term::Binary(message)) => {
            eprintln!("{}", String::from_utf8_lossy(message));
            ctx.halt(1, Ports::Left)
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
    "getpid"/0 => |_, _| Ok(Term::charlist(&std::process::id().to_string())), ":os.getpid()";
    "type"/0 => |_, _| Ok(Term::tuple([Term::atom("unix"), Term::atom("linux")])), ":os.type(): {:unix, :linux}";
};

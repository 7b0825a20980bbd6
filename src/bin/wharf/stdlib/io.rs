//! `IO`, and `:io`: writing text and terms, reading lines.
//!
//! Relies on the context for standard output, which transcripts capture. Promises that what was written is there when the
//! function returns.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad, binary_of, chardata, ok, string};
use super::{Entry, convert, format, table};
use crate::inspect::{Options, inspect_lines};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use std::io::{BufRead, Read, Write};
use wharf::term::Term;

/// Where output goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Device {
    Output,
    Error,
}

impl Device {
    fn of(term: &Term) -> Result<Device, Throw> {
        match term {
            Term::Atom(name) => match name.as_str() {
                "stdio" | "standard_io" | "user" => Ok(Device::Output),
                "stderr" | "standard_error" => Ok(Device::Error),
                _ => Err(bad(1, "the device does not exist")),
            },
            Term::Pid(_) => Ok(Device::Output),
            _ => Err(bad(1, "the device does not exist")),
        }
    }

    fn write(self, ctx: &mut Context, text: &[u8]) {
        match self {
            Device::Output => ctx.write(text),
            Device::Error => {
                // Nobody is left to tell when standard error is gone.
                let _ = std::io::stderr().write_all(text);
            }
        }
    }
}

/// The device, if one is given, and the rest of the arguments.
fn device(args: &[Term], without: usize) -> Result<(Device, &[Term]), Throw> {
    if args.len() == without {
        Ok((Device::Output, args))
    } else {
        Ok((Device::of(&args[0])?, &args[1..]))
    }
}

/// Characters to write: chardata as it is, other terms by `to_string`.
fn characters(term: &Term) -> Result<Vec<u8>, Throw> {
    match term {
        Term::Binary(_) | Term::Nil | Term::List(_) => {
            chardata(term).map_err(|_| Throw::badarg(None))
        }
        other => convert::to_text(other),
    }
}

fn puts(ctx: &mut Context, args: &[Term]) -> Answer {
    let (device, args) = device(args, 1)?;
    let mut text = characters(&args[0])?;
    text.push(b'\n');
    device.write(ctx, &text);
    Ok(ok())
}

fn write(ctx: &mut Context, args: &[Term]) -> Answer {
    let (device, args) = device(args, 1)?;
    let text = characters(&args[0])?;
    device.write(ctx, &text);
    Ok(ok())
}

fn binwrite(ctx: &mut Context, args: &[Term]) -> Answer {
    let (device, args) = device(args, 1)?;
    let bytes = convert::flatten(args, 1, "not an iodata term")?;
    device.write(ctx, &bytes);
    Ok(ok())
}

/// `IO.inspect(item)`, `(item, options)` and `(device, item, options)`
fn inspect(ctx: &mut Context, args: &[Term]) -> Answer {
    let (device, args) = if args.len() == 3 {
        (Device::of(&args[0])?, &args[1..])
    } else {
        (Device::Output, args)
    };
    let mut text = Vec::new();
    let mut options = Options::default();
    if let Some(given) = args.get(1) {
        options =
            Options::from_keyword(given).map_err(|message| Throw::argument_error(&message))?;
        if let Some(label) = super::argument::option(given, "label") {
            text = convert::to_text(&label)?;
            text.extend_from_slice(b": ");
        }
    }
    text.extend(inspect_lines(&args[0], &options).into_bytes());
    text.push(b'\n');
    device.write(ctx, &text);
    Ok(args[0].clone())
}

/// A line of standard input, after a prompt.
fn gets(ctx: &mut Context, args: &[Term]) -> Answer {
    let prompt = characters(&args[args.len() - 1])?;
    ctx.write(&prompt);
    line()
}

fn line() -> Answer {
    let mut line = Vec::new();
    match std::io::stdin().lock().read_until(b'\n', &mut line) {
        Ok(0) => Ok(Term::atom("eof")),
        Ok(_) => Ok(binary_of(line)),
        Err(error) => Ok(super::argument::error_with(Term::atom(
            &super::file::reason(&error),
        ))),
    }
}

fn read(_: &mut Context, args: &[Term]) -> Answer {
    match &args[args.len() - 1] {
        what if what.is_atom("line") => line(),
        what if what.is_atom("eof") || what.is_atom("all") => {
            let mut all = Vec::new();
            match std::io::stdin().lock().read_to_end(&mut all) {
                Ok(0) if what.is_atom("eof") => Ok(Term::atom("eof")),
                Ok(_) => Ok(binary_of(all)),
                Err(error) => Ok(super::argument::error_with(Term::atom(
                    &super::file::reason(&error),
                ))),
            }
        }
        _ => Err(Throw::function_clause("IO", "read", args)),
    }
}

fn chardata_to_string(_: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        text @ Term::Binary(_) => Ok(text.clone()),
        Term::Nil | Term::List(_) => convert::list_to_text(&args[0]).map(binary_of),
        _ => Err(Throw::function_clause("IO", "chardata_to_string", args)),
    }
}

fn formatted(ctx: &mut Context, args: &[Term]) -> Answer {
    let (device, args) = match args {
        [_, _, _] => (Device::of(&args[0])?, &args[1..]),
        [first, list]
            if Device::of(first).is_ok()
                && !matches!(list, Term::Nil)
                && !is_arguments(first, list) =>
        {
            (Device::of(first)?, &args[1..])
        }
        _ => (Device::Output, args),
    };
    let values = args.get(1).cloned().unwrap_or(Term::Nil);
    let text = format::format(&args[0], &values)?;
    device.write(ctx, text.as_bytes());
    Ok(ok())
}

/// Whether `(first, list)` is a format with its values, and not a device with a format.
fn is_arguments(first: &Term, list: &Term) -> bool {
    !matches!(first, Term::Atom(_)) && matches!(list, Term::List(_))
}

fn ansi(code: &'static str) -> Answer {
    Ok(string(code))
}

/// The functions of `IO`.
pub(crate) const TABLE: &[Entry] = table! {
    "puts"/1 => puts, "IO.puts(item): writes text and a line break";
    "puts"/2 => puts, "IO.puts(device, item): device is :stdio or :stderr";
    "write"/1 => write, "IO.write(item): writes text";
    "write"/2 => write, "IO.write(device, item)";
    "binwrite"/1 => binwrite, "IO.binwrite(iodata): writes bytes";
    "binwrite"/2 => binwrite, "IO.binwrite(device, iodata)";
    "inspect"/1 => inspect, "IO.inspect(item): writes it as inspect/2 shows it, gives it back";
    "inspect"/2 => inspect, "IO.inspect(item, opts): opts are label: and those of inspect/2";
    "inspect"/3 => inspect, "IO.inspect(device, item, opts)";
    "gets"/1 => gets, "IO.gets(prompt): a line of standard input, or :eof";
    "gets"/2 => gets, "IO.gets(device, prompt)";
    "read"/1 => read, "IO.read(:line | :eof): from standard input";
    "read"/2 => read, "IO.read(device, :line | :eof)";
    "iodata_to_binary"/1 => convert::iolist_to_binary, "IO.iodata_to_binary(iodata): nested lists of bytes and binaries as one binary";
    "iodata_length"/1 => convert::iolist_size, "IO.iodata_length(iodata): the number of bytes";
    "chardata_to_string"/1 => chardata_to_string, "IO.chardata_to_string(chardata): nested lists of characters and strings as one string";
};

/// The functions of `:io`.
pub(crate) const ERLANG: &[Entry] = table! {
    "format"/1 => formatted, ":io.format(format): writes it";
    "format"/2 => formatted, ":io.format(format, values): ~p ~w ~s ~c ~b ~f ~n and others";
    "format"/3 => formatted, ":io.format(device, format, values)";
    "fwrite"/1 => formatted, ":io.fwrite(format)";
    "fwrite"/2 => formatted, ":io.fwrite(format, values)";
    "fwrite"/3 => formatted, ":io.fwrite(device, format, values)";
    "put_chars"/1 => write, ":io.put_chars(chardata)";
    "put_chars"/2 => write, ":io.put_chars(device, chardata)";
    "nl"/0 => |ctx, _| { ctx.write(b"\n"); Ok(ok()) }, ":io.nl()";
    "setopts"/1 => |_, _| Ok(ok()), ":io.setopts(options): accepted";
    "setopts"/2 => |_, _| Ok(ok()), ":io.setopts(device, options): accepted";
};

/// The functions of `IO.ANSI`.
pub(crate) const ANSI: &[Entry] = table! {
    "reset"/0 => |_, _| ansi("\u{1b}[0m"), "IO.ANSI.reset()";
    "red"/0 => |_, _| ansi("\u{1b}[31m"), "IO.ANSI.red()";
    "green"/0 => |_, _| ansi("\u{1b}[32m"), "IO.ANSI.green()";
    "yellow"/0 => |_, _| ansi("\u{1b}[33m"), "IO.ANSI.yellow()";
    "blue"/0 => |_, _| ansi("\u{1b}[34m"), "IO.ANSI.blue()";
    "bright"/0 => |_, _| ansi("\u{1b}[1m"), "IO.ANSI.bright()";
    "faint"/0 => |_, _| ansi("\u{1b}[2m"), "IO.ANSI.faint()";
};

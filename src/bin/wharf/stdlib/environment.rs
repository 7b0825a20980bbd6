//! The environment variables as scripts see and change them: `System` and `:os`.
//!
//! Relies on `wharf::Host` for the table, which programs and drivers share. Promises Erlang's texts and errors.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad, binary_of, nil, ok, ok_with, option};
use super::enumeration::items::collect;
use super::{Entry, convert, table};
use crate::inspect::inspect;
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use wharf::BadVariable;
use wharf::term::{Map, Term};

type Bytes = Vec<u8>;

/// The value of a variable.
pub(crate) fn variable(ctx: &Context, name: &[u8]) -> Option<Bytes> {
    let value = ctx.world().host().env(OsStr::from_bytes(name));
    value.map(OsStringExt::into_vec)
}

/// Bytes from outside as text: what is not UTF-8 is Latin-1, as a whole.
fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(
        |_| bytes.iter().map(|byte| char::from(*byte)).collect(),
        str::to_owned,
    )
}

fn string(bytes: &[u8]) -> Term {
    Term::from(text(bytes).as_str())
}

pub(crate) fn charlist(bytes: &[u8]) -> Term {
    Term::charlist(&text(bytes))
}

fn words(fault: BadVariable) -> &'static str {
    match fault {
        BadVariable::NameWithEquals => {
            "\"=\" characters is not allowed in environment variable names"
        }
        _ => "\"\\0\" characters is not allowed in environment variable names or values",
    }
}

/// What is wrong with the text at `place`, of those that are names.
fn fault(name: &[u8]) -> Option<BadVariable> {
    match name.iter().find(|byte| matches!(byte, b'=' | 0))? {
        0 => Some(BadVariable::NameWithNul),
        _ => Some(BadVariable::NameWithEquals),
    }
}

fn checked(name: &[u8]) -> Result<&[u8], Throw> {
    fault(name).map_or(Ok(name), |fault| Err(bad(1, words(fault))))
}

fn get_checked(ctx: &Context, name: &[u8]) -> Result<Option<Bytes>, Throw> {
    Ok(variable(ctx, checked(name)?))
}

fn set(ctx: &Context, name: &[u8], value: &[u8]) -> Result<(), Throw> {
    let host = ctx.world().host();
    let done = host.put_env(OsStr::from_bytes(name), OsStr::from_bytes(value));
    done.map_err(|fault| match fault {
        BadVariable::ValueWithNul => bad(2, words(fault)),
        fault => bad(1, words(fault)),
    })
}

fn unset(ctx: &Context, name: &[u8]) -> Result<(), Throw> {
    let done = ctx.world().host().delete_env(OsStr::from_bytes(name));
    done.map_err(|fault| bad(1, words(fault)))
}

/// The text of `term` as `String.to_charlist/1` takes it.
fn utf8(term: &Term) -> Result<&[u8], Throw> {
    let Term::Binary(bytes) = term else {
        return Err(Throw::function_clause(
            "String",
            "to_charlist",
            std::slice::from_ref(term),
        ));
    };
    std::str::from_utf8(bytes)
        .map(str::as_bytes)
        .map_err(|error| {
            let (good, rest) = bytes.split_at(error.valid_up_to());
            let rest = inspect(&binary_of(rest));
            Throw::exception(
                "UnicodeConversionError",
                &[
                    ("encoded", charlist(good)),
                    (
                        "message",
                        Term::from(format!("invalid encoding starting at {rest}").as_str()),
                    ),
                ],
            )
        })
}

/// The texts that a clause of `System.function` takes if all of them are strings.
fn strings<'a>(function: &str, args: &'a [Term], which: &[usize]) -> Result<Vec<&'a [u8]>, Throw> {
    if which.iter().any(|at| !matches!(args[*at], Term::Binary(_))) {
        return Err(Throw::function_clause("System", function, args));
    }
    which.iter().map(|at| utf8(&args[*at])).collect()
}

fn get(ctx: &mut Context, args: &[Term]) -> Answer {
    let default = args.get(1).cloned().unwrap_or_else(nil);
    let full = [args[0].clone(), default];
    let [name, default] = &full;
    if !matches!(default, Term::Binary(_)) && !default.is_atom("nil") {
        return Err(Throw::function_clause("System", "get_env", &full));
    }
    if !matches!(name, Term::Binary(_)) {
        return Err(Throw::function_clause("System", "get_env", &full));
    }
    let value = get_checked(ctx, utf8(name)?)?;
    Ok(value.map_or_else(|| default.clone(), |value| string(&value)))
}

fn get_all(ctx: &mut Context, _: &[Term]) -> Answer {
    let all = ctx.world().host().env_vars().into_iter();
    let pairs = all.map(|(name, value)| (string(name.as_bytes()), string(value.as_bytes())));
    Ok(Term::Map(pairs.collect::<Map>()))
}

fn fetch(ctx: &mut Context, args: &[Term]) -> Answer {
    let name = strings("fetch_env", args, &[0])?;
    let value = get_checked(ctx, name[0])?;
    Ok(value.map_or_else(|| Term::atom("error"), |value| ok_with(string(&value))))
}

fn fetch_or_raise(ctx: &mut Context, args: &[Term]) -> Answer {
    let name = strings("fetch_env!", args, &[0])?;
    let value = get_checked(ctx, name[0])?;
    value
        .map(|value| string(&value))
        .ok_or_else(|| Throw::exception("System.EnvError", &[("env", args[0].clone())]))
}

fn with_equals(function: &str, shown: &str) -> Throw {
    Throw::argument_error(&format!(
        "cannot execute System.put_env/{function} for key with \"=\", got: {shown}"
    ))
}

fn put(ctx: &mut Context, args: &[Term]) -> Answer {
    if let [Term::Binary(name), Term::Binary(_)] = args
        && name.contains(&b'=')
    {
        return Err(with_equals("2", &inspect(&args[0])));
    }
    let texts = strings("put_env", args, &[0, 1])?;
    set(ctx, texts[0], texts[1])?;
    Ok(ok())
}

fn put_all(ctx: &mut Context, args: &[Term]) -> Answer {
    for entry in collect(ctx, &args[0])? {
        let Some([name, value]) = entry.as_tuple().map(|pair| &pair[..]) else {
            return Err(Throw::function_clause("System", "put_env", args));
        };
        let name = convert::to_text(name)?;
        if value.is_atom("nil") {
            unset(ctx, &name)?;
            continue;
        }
        if name.contains(&b'=') {
            return Err(with_equals("1", &inspect(&charlist(&name))));
        }
        set(ctx, &name, &convert::to_text(value)?)?;
    }
    Ok(ok())
}

fn delete(ctx: &mut Context, args: &[Term]) -> Answer {
    unset(ctx, utf8(&args[0])?)?;
    Ok(ok())
}

/// The bytes of a charlist, nested or not, as Erlang's `os` takes it; else what is wrong with it.
pub(crate) fn characters(term: &Term) -> Result<Bytes, &'static str> {
    if !matches!(term, Term::Nil | Term::List(_)) {
        return Err("not a list");
    }
    let mut bytes = Vec::new();
    let mut pending = vec![term.clone()];
    while let Some(term) = pending.pop() {
        let Some(items) = term.to_list_vec() else {
            return Err("not a proper list");
        };
        for (at, item) in items.iter().enumerate() {
            match item {
                Term::Int(code) => {
                    let character = u32::try_from(*code).ok().and_then(char::from_u32);
                    let character = character.ok_or("invalid characters")?;
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Term::Nil => {}
                Term::List(_) => {
                    pending.push(Term::list(items[at + 1..].to_vec()));
                    pending.push(item.clone());
                    break;
                }
                _ => return Err("not a list of characters"),
            }
        }
    }
    Ok(bytes)
}

/// The name at the first place.
fn os_name(args: &[Term]) -> Result<Bytes, Throw> {
    let name = characters(&args[0]).map_err(|problem| bad(1, problem))?;
    checked(&name).map(<[u8]>::to_vec)
}

fn os_get(ctx: &mut Context, args: &[Term]) -> Answer {
    let default = || args.get(1).cloned().unwrap_or_else(|| false.into());
    let value = variable(ctx, &os_name(args)?);
    Ok(value.map_or_else(default, |value| charlist(&value)))
}

fn os_get_all(ctx: &mut Context, _: &[Term]) -> Answer {
    let all = ctx.world().host().env_vars().into_iter();
    let lines = all.map(|(name, value)| {
        Term::charlist(&format!(
            "{}={}",
            text(name.as_bytes()),
            text(value.as_bytes())
        ))
    });
    Ok(Term::list(lines.collect()))
}

fn os_pairs(ctx: &mut Context, _: &[Term]) -> Answer {
    let all = ctx.world().host().env_vars().into_iter();
    let pairs = all
        .map(|(name, value)| Term::tuple([charlist(name.as_bytes()), charlist(value.as_bytes())]));
    Ok(Term::list(pairs.collect()))
}

fn os_put(ctx: &mut Context, args: &[Term]) -> Answer {
    let name = characters(&args[0]).and_then(|name| match fault(&name) {
        None => Ok(name),
        Some(fault) => Err(words(fault)),
    });
    let value = characters(&args[1]).and_then(|value| match value.contains(&0) {
        false => Ok(value),
        true => Err(words(BadVariable::ValueWithNul)),
    });
    match (name, value) {
        (Ok(name), Ok(value)) => set(ctx, &name, &value)?,
        (Err(first), Err(second)) => {
            // Erlang names both.
            let both = format!("1st argument: {first}\n2nd argument: {second}");
            return Err(Throw::badarg(Some(&both)));
        }
        (Err(first), Ok(_)) => return Err(bad(1, first)),
        (Ok(_), Err(second)) => return Err(bad(2, second)),
    }
    Ok(true.into())
}

fn os_unset(ctx: &mut Context, args: &[Term]) -> Answer {
    unset(ctx, &os_name(args)?)?;
    Ok(true.into())
}

/// The folder for temporary files: the first of `TMPDIR`, `TEMP`, `TMP` and `/tmp` that can be written to.
pub(crate) fn tmp_dir(ctx: &Context) -> Option<Bytes> {
    let named = [b"TMPDIR".as_slice(), b"TEMP", b"TMP"]
        .into_iter()
        .filter_map(|name| variable(ctx, name));
    named.chain([b"/tmp".to_vec()]).find(|folder| {
        std::fs::metadata(OsStr::from_bytes(folder))
            .is_ok_and(|facts| facts.is_dir() && !facts.permissions().readonly())
    })
}

fn tmp(ctx: &mut Context, _: &[Term]) -> Answer {
    Ok(tmp_dir(ctx).map_or_else(nil, |folder| string(&folder)))
}

fn tmp_or_raise(ctx: &mut Context, _: &[Term]) -> Answer {
    let folder = tmp_dir(ctx).ok_or_else(|| {
        Throw::runtime_error(
            "could not get a writable temporary directory, please set the TMPDIR environment variable",
        )
    })?;
    Ok(string(&folder))
}

fn home(ctx: &mut Context, _: &[Term]) -> Answer {
    Ok(variable(ctx, b"HOME").map_or_else(nil, |home| string(&home)))
}

fn home_or_raise(ctx: &mut Context, _: &[Term]) -> Answer {
    let home = variable(ctx, b"HOME").ok_or_else(|| {
        Throw::runtime_error(
            "could not find the user home, please set the HOME environment variable",
        )
    })?;
    Ok(string(&home))
}

/// The `:env` of `System.cmd/3` as a port takes it: charlists, of which an empty one unsets as `nil` does.
pub(crate) fn program_env(ctx: &mut Context, options: &Term) -> Answer {
    let mut env = Vec::new();
    for entry in collect(ctx, &option(options, "env").unwrap_or(Term::Nil))? {
        let Some([name, value]) = entry.as_tuple().map(|pair| &pair[..]) else {
            let problem = format!("invalid environment key-value {}", inspect(&entry));
            return Err(Throw::argument_error(&problem));
        };
        let name = charlist(utf8(name)?);
        let value = match value {
            value if value.is_atom("nil") => false.into(),
            value => charlist(utf8(value)?),
        };
        env.push(Term::tuple([name, value]));
    }
    Ok(Term::list(env))
}

/// The functions of `System`.
pub(crate) const SYSTEM: &[Entry] = table! {
    "get_env"/0 => get_all, "System.get_env(): all environment variables";
    "get_env"/1 => get, "System.get_env(name): its value, or nil";
    "get_env"/2 => get, "System.get_env(name, default)";
    "fetch_env"/1 => fetch, "System.fetch_env(name): {:ok, value} or :error";
    "fetch_env!"/1 => fetch_or_raise, "System.fetch_env!(name): its value, or System.EnvError";
    "put_env"/2 => put, "System.put_env(name, value): for this script, its drivers and the programs it starts";
    "put_env"/1 => put_all, "System.put_env(enumerable): the same for several; nil unsets";
    "delete_env"/1 => delete, "System.delete_env(name)";
    "tmp_dir"/0 => tmp, "System.tmp_dir(): a folder for temporary files, or nil";
    "tmp_dir!"/0 => tmp_or_raise, "System.tmp_dir!()";
    "user_home"/0 => home, "System.user_home(): or nil";
    "user_home!"/0 => home_or_raise, "System.user_home!()";
};

/// The functions of `:os`.
pub(crate) const OS: &[Entry] = table! {
    "getenv"/0 => os_get_all, ":os.getenv(): all variables as 'NAME=value'";
    "getenv"/1 => os_get, ":os.getenv(name): a charlist, or false";
    "getenv"/2 => os_get, ":os.getenv(name, default)";
    "env"/0 => os_pairs, ":os.env(): all variables as {name, value}";
    "putenv"/2 => os_put, ":os.putenv(name, value)";
    "unsetenv"/1 => os_unset, ":os.unsetenv(name)";
};

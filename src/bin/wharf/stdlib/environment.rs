//! The environment variables as scripts see and change them: `System` and `:os`.
//!
//! A process's real environment cannot be changed safely while other threads run, so changes are kept here and handed to
//! programs as the `:env` of their port. Promises that a program sees them, whatever opened it.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad, bytes, chardata, nil, ok, option};
use super::enumeration::items::{collect, pair};
use super::{Entry, table};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::{Mutex, MutexGuard, PoisonError};
use wharf::term::{Map, Term};

type Bytes = Vec<u8>;

/// What scripts set, or unset (`None`).
static CHANGES: Mutex<BTreeMap<Bytes, Option<Bytes>>> = Mutex::new(BTreeMap::new());

fn changes() -> MutexGuard<'static, BTreeMap<Bytes, Option<Bytes>>> {
    CHANGES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The value of a variable.
pub(crate) fn variable(name: &[u8]) -> Option<Bytes> {
    match changes().get(name) {
        Some(change) => change.clone(),
        None => std::env::var_os(std::ffi::OsStr::from_bytes(name)).map(OsString::into_vec),
    }
}

/// All variables.
fn all() -> BTreeMap<Bytes, Bytes> {
    let mut all: BTreeMap<Bytes, Bytes> = std::env::vars_os()
        .map(|(name, value)| (name.into_vec(), value.into_vec()))
        .collect();
    for (name, change) in changes().iter() {
        match change {
            Some(value) => all.insert(name.clone(), value.clone()),
            None => all.remove(name),
        };
    }
    all
}

/// Sets or unsets a variable. Names with `=` or zeros, and values with zeros, cannot be in an environment.
fn change(name: &[u8], value: Option<&[u8]>) -> Result<(), Throw> {
    let clean = |text: &[u8]| !text.contains(&0);
    if name.is_empty() || name.contains(&b'=') || !clean(name) || !value.is_none_or(clean) {
        return Err(Throw::badarg(None));
    }
    changes().insert(name.to_vec(), value.map(<[u8]>::to_vec));
    Ok(())
}

/// The settings of a port, with the changes in front of its own `:env`.
pub(crate) fn with_changes(settings: &Term) -> Term {
    let changes = changes();
    let Some(mut items) = settings.to_list_vec().filter(|_| !changes.is_empty()) else {
        return settings.clone();
    };
    let is_env = |item: &Term| {
        item.as_tuple()
            .is_some_and(|pair| pair.len() == 2 && pair[0].is_atom("env"))
    };
    let own = items
        .iter()
        .rev()
        .find(|item| is_env(item))
        .map(|item| item.as_tuple().map_or(Term::Nil, |pair| pair[1].clone()));
    let Some(own) = own.unwrap_or(Term::Nil).to_list_vec() else {
        return settings.clone();
    };
    let mut env: Vec<Term> = changes
        .iter()
        .map(|(name, value)| {
            let value = value
                .as_ref()
                .map_or_else(|| false.into(), |value| super::convert::characters(value));
            Term::tuple([super::convert::characters(name), value])
        })
        .collect();
    env.extend(own);
    items.retain(|item| !is_env(item));
    items.push(Term::tuple([Term::atom("env"), Term::list(env)]));
    Term::list(items)
}

/// The text at `place`, which no clause of `System.function` takes if it is none.
fn name<'a>(function: &str, args: &'a [Term], place: usize) -> Result<&'a [u8], Throw> {
    bytes(&args[place - 1]).ok_or_else(|| Throw::function_clause("System", function, args))
}

fn text(value: Option<Bytes>) -> Option<Term> {
    value.map(super::argument::binary_of)
}

fn get(_: &mut Context, args: &[Term]) -> Answer {
    let default = args.get(1).cloned().unwrap_or_else(nil);
    let full = [args[0].clone(), default.clone()];
    Ok(text(variable(name("get_env", &full, 1)?)).unwrap_or(default))
}

fn get_all(_: &mut Context, _: &[Term]) -> Answer {
    let pairs = all().into_iter().map(|(name, value)| {
        (
            super::argument::binary_of(name),
            super::argument::binary_of(value),
        )
    });
    Ok(Term::Map(pairs.collect::<Map>()))
}

fn fetch(_: &mut Context, args: &[Term]) -> Answer {
    Ok(text(variable(name("fetch_env", args, 1)?))
        .map_or_else(|| Term::atom("error"), super::argument::ok_with))
}

fn fetch_or_raise(_: &mut Context, args: &[Term]) -> Answer {
    let name = name("fetch_env!", args, 1)?;
    text(variable(name))
        .ok_or_else(|| Throw::exception("System.EnvError", &[("env", args[0].clone())]))
}

fn put(_: &mut Context, args: &[Term]) -> Answer {
    let (name, value) = (name("put_env", args, 1)?, name("put_env", args, 2)?);
    if name.contains(&b'=') {
        let message = format!(
            "cannot execute System.put_env/2 for key with \"=\", got: {}",
            crate::inspect::inspect(&args[0])
        );
        return Err(Throw::argument_error(&message));
    }
    change(name, Some(value))?;
    Ok(ok())
}

fn put_all(ctx: &mut Context, args: &[Term]) -> Answer {
    for entry in collect(ctx, &args[0])? {
        match entry.as_tuple().map(|pair| &pair[..]) {
            Some([name, value]) => {
                let name = super::convert::to_text(name)?;
                match value {
                    value if value.is_atom("nil") => change(&name, None)?,
                    value => change(&name, Some(&super::convert::to_text(value)?))?,
                }
            }
            _ => return Err(Throw::function_clause("System", "put_env", args)),
        }
    }
    Ok(ok())
}

fn delete(_: &mut Context, args: &[Term]) -> Answer {
    change(name("delete_env", args, 1)?, None)?;
    Ok(ok())
}

/// A charlist at `place`, as Erlang's `:os` takes it.
fn characters(args: &[Term], place: usize) -> Result<Bytes, Throw> {
    match &args[place - 1] {
        Term::Binary(_) => Err(Throw::badarg(None)),
        text => chardata(text).map_err(|_| Throw::badarg(None)),
    }
}

fn os_get(_: &mut Context, args: &[Term]) -> Answer {
    let value = variable(&characters(args, 1)?).map(|value| super::convert::characters(&value));
    Ok(value.unwrap_or_else(|| args.get(1).cloned().unwrap_or_else(|| false.into())))
}

fn os_get_all(_: &mut Context, _: &[Term]) -> Answer {
    let lines = all()
        .into_iter()
        .map(|(name, value)| super::convert::characters(&[&name[..], b"=", &value[..]].concat()));
    Ok(Term::list(lines.collect()))
}

fn os_put(_: &mut Context, args: &[Term]) -> Answer {
    change(&characters(args, 1)?, Some(&characters(args, 2)?))?;
    Ok(true.into())
}

fn os_unset(_: &mut Context, args: &[Term]) -> Answer {
    change(&characters(args, 1)?, None)?;
    Ok(true.into())
}

/// The file that a shell would run for `program`: by its path, or in one of the folders of `PATH`.
pub(crate) fn find_executable(program: &[u8], path: Option<&[u8]>) -> Option<Bytes> {
    use std::os::unix::fs::PermissionsExt;
    let runs = |file: &[u8]| {
        let path = std::path::Path::new(std::ffi::OsStr::from_bytes(file));
        std::fs::metadata(path)
            .is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
    };
    if program.contains(&b'/') {
        if !runs(program) {
            return None;
        }
        let absolute = std::path::absolute(std::ffi::OsStr::from_bytes(program)).ok()?;
        return Some(absolute.into_os_string().into_vec());
    }
    let path = path
        .map(<[u8]>::to_vec)
        .or_else(|| variable(b"PATH"))
        .unwrap_or_default();
    path.split(|byte| *byte == b':').find_map(|folder| {
        let file = [if folder.is_empty() { b"." } else { folder }, b"/", program].concat();
        runs(&file).then_some(file)
    })
}

fn system_find(_: &mut Context, args: &[Term]) -> Answer {
    let program = name("find_executable", args, 1)?;
    Ok(text(find_executable(program, None)).unwrap_or_else(nil))
}

fn os_find(_: &mut Context, args: &[Term]) -> Answer {
    let path = if args.len() > 1 {
        Some(characters(args, 2)?)
    } else {
        None
    };
    let found = find_executable(&characters(args, 1)?, path.as_deref());
    Ok(found.map_or_else(|| false.into(), |found| super::convert::characters(&found)))
}

/// The folder for temporary files: the first of `TMPDIR`, `TEMP`, `TMP` and `/tmp` that can be written to.
pub(crate) fn tmp_dir() -> Option<Bytes> {
    let named = [b"TMPDIR".as_slice(), b"TEMP", b"TMP"]
        .into_iter()
        .filter_map(variable);
    named.chain([b"/tmp".to_vec()]).find(|folder| {
        std::fs::metadata(std::ffi::OsStr::from_bytes(folder))
            .is_ok_and(|facts| facts.is_dir() && !facts.permissions().readonly())
    })
}

/// The `:env` of `System.cmd/3` as a port takes it: charlists, `nil` unsets.
pub(crate) fn program_env(ctx: &mut Context, options: &Term) -> Answer {
    let mut env = Vec::new();
    for entry in collect(ctx, &option(options, "env").unwrap_or(Term::Nil))? {
        let Some([name, value]) = entry.as_tuple().map(|pair| &pair[..]) else {
            return Err(bad(3, "invalid env"));
        };
        let value = match value {
            value if value.is_atom("nil") => false.into(),
            value => super::convert::characters(&super::convert::to_text(value)?),
        };
        let name = super::convert::characters(&super::convert::to_text(name)?);
        env.push(pair((&name, &value)));
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
    "put_env"/2 => put, "System.put_env(name, value): for this script and the programs it starts";
    "put_env"/1 => put_all, "System.put_env(enumerable): the same for several; nil unsets";
    "delete_env"/1 => delete, "System.delete_env(name)";
    "find_executable"/1 => system_find, "System.find_executable(program): its path, or nil";
    "tmp_dir"/0 => |_, _| Ok(text(tmp_dir()).unwrap_or_else(nil)), "System.tmp_dir(): a folder for temporary files, or nil";
    "tmp_dir!"/0 => |_, _| text(tmp_dir()).ok_or_else(|| Throw::runtime_error("could not get a writable temporary directory, please set the TMPDIR environment variable")), "System.tmp_dir!()";
    "user_home"/0 => |_, _| Ok(text(variable(b"HOME")).unwrap_or_else(nil)), "System.user_home(): or nil";
    "user_home!"/0 => |_, _| text(variable(b"HOME")).ok_or_else(|| Throw::runtime_error("could not find the user home, please set the HOME environment variable")), "System.user_home!()";
};

/// The functions of `:os`.
pub(crate) const OS: &[Entry] = table! {
    "getenv"/0 => os_get_all, ":os.getenv(): all variables as 'NAME=value'";
    "getenv"/1 => os_get, ":os.getenv(name): a charlist, or false";
    "getenv"/2 => os_get, ":os.getenv(name, default)";
    "putenv"/2 => os_put, ":os.putenv(name, value)";
    "unsetenv"/1 => os_unset, ":os.unsetenv(name)";
    "find_executable"/1 => os_find, ":os.find_executable(name): a charlist, or false";
    "find_executable"/2 => os_find, ":os.find_executable(name, path)";
};

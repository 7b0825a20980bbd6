//! `erl_ddll`, function by function: terms in, terms out.
//!
//! Relies on [`Drivers`]. Promises the answers, and the refusals, of Erlang's module of this
//! name. A function that waits in Erlang (`load/2`, `reload/2`, `unload_driver/1` ...) answers
//! [`Reply::Wait`] here: the caller receives the message with this reference, and [`awaited`]
//! makes the result of it.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use super::drivers::{DriverError, Drivers};
use super::record::{Event, LoadOptions, Outcome, Pending};
use super::registry::{TryLoad, TryUnload};
use crate::process::ProcessCell;
use crate::process::mailbox::Patience;
use crate::process::signal::Message;
use crate::term::{Binary, Pid, Reference, Term, iodata};

/// The result of a function.
#[derive(Debug)]
enum Reply {
    /// It is this.
    Now(Term),
    /// It is [`awaited`] of the message `{'UP' | 'DOWN', Reference, driver, _, _}`.
    Wait(Reference),
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Misuse {
    /// `badarg`.
    BadArgument,
    /// No function of this name has so many arguments.
    Undefined,
}

use Misuse::BadArgument;

impl Drivers {
    /// The function `erl_ddll:Function(Arguments...)`, called by `process`; an error is the
    /// reason to raise. May wait, as Erlang does, until a driver is loaded or unloaded.
    pub(crate) fn ddll(
        self: &Arc<Self>,
        process: &Arc<ProcessCell>,
        function: &str,
        arguments: &[Term],
    ) -> Result<Term, Term> {
        match call(self, process.pid(), function, arguments) {
            Ok(Reply::Now(term)) => Ok(term),
            Ok(Reply::Wait(reference)) => wait(process, reference),
            Err(misuse) => Err(misuse.reason()),
        }
    }

    /// `erl_ddll:load(Folder, Name)` for people: a failure is the reason that Erlang gives, and
    /// a sentence.
    pub(crate) fn load(
        self: &Arc<Self>,
        process: &Arc<ProcessCell>,
        folder: &Term,
        name: &Term,
    ) -> Result<(), (Term, Option<String>)> {
        let misused = |misuse: Misuse| (misuse.reason(), None);
        let folder = folder_text(folder).map_err(misused)?;
        let name = name_text(name).map_err(misused)?;
        match self.try_load(process.pid(), &folder, &name, awaited_load("load")) {
            Ok(Outcome::PendingDriver(Some(reference))) => {
                let answer = wait(process, reference).map_err(|reason| (reason, None))?;
                match answer.as_tuple().map(|pair| pair.elements()) {
                    Some([_, reason]) => Err((reason.clone(), None)),
                    _ => Ok(()),
                }
            }
            Ok(_) => Ok(()),
            Err(failure) => Err((refusal(self, &failure), Some(failure.sentence()))),
        }
    }
}

impl Misuse {
    fn reason(self) -> Term {
        match self {
            Misuse::BadArgument => Term::atom("badarg"),
            Misuse::Undefined => Term::atom("undef"),
        }
    }
}

/// What became of a request that is answered by a message.
fn wait(process: &Arc<ProcessCell>, reference: Reference) -> Result<Term, Term> {
    let answer = process.receive(|message| notice_of(message, reference), Patience::Forever)?;
    Ok(answer.map_or_else(|| Term::atom("ok"), |message| awaited(&message)))
}

/// How the functions load that wait until it is done.
fn awaited_load(function: &str) -> TryLoad {
    TryLoad {
        options: LoadOptions {
            kill_ports: function.ends_with("_driver"),
        },
        monitor: Some(Pending::Driver),
        reload: function.starts_with("reload").then_some(Pending::Driver),
    }
}

/// The reason that those functions give.
fn refusal(drivers: &Drivers, failure: &DriverError) -> Term {
    match failure {
        DriverError::Refused {
            reason: "inconsistent",
            ..
        } => Term::atom("bad_driver_name"),
        _ => drivers.reason(failure),
    }
}

/// The message with this reference, if it is that.
fn notice_of(message: &Message, reference: Reference) -> Option<Term> {
    let Message::Term(term) = message else {
        return None;
    };
    match term.as_tuple().map(|tuple| tuple.elements()) {
        Some([_, Term::Reference(named), kind, _, _])
            if *named == reference && kind.is_atom("driver") =>
        {
            Some(term.clone())
        }
        _ => None,
    }
}

/// Calls a function for a process.
fn call(drivers: &Drivers, pid: Pid, function: &str, arguments: &[Term]) -> Result<Reply, Misuse> {
    let now = |term: Term| Ok(Reply::Now(term));
    match (function, arguments) {
        ("start", []) => now(error(Term::tuple(vec![
            Term::atom("already_started"),
            Term::atom("undefined"),
        ]))),
        ("stop", []) => now(Term::atom("ok")),
        ("try_load", [folder, name, options]) => {
            let (folder, name) = (folder_text(folder)?, name_text(name)?);
            let how = load_options(options)?;
            let result = drivers.try_load(pid, &folder, &name, how);
            now(result.map_or_else(|failure| error(drivers.reason(&failure)), answer))
        }
        ("load" | "load_driver" | "reload" | "reload_driver", [folder, name]) => {
            let how = awaited_load(function);
            let (folder, name) = (folder_text(folder)?, name_text(name)?);
            match drivers.try_load(pid, &folder, &name, how) {
                Ok(Outcome::PendingDriver(Some(reference))) => Ok(Reply::Wait(reference)),
                Ok(_) => now(Term::atom("ok")),
                Err(failure) => now(error(refusal(drivers, &failure))),
            }
        }
        ("try_unload", [name, options]) => {
            let name = name_text(name)?;
            let how = unload_options(options)?;
            let result = drivers.try_unload(pid, &name, how);
            now(result.map_or_else(|failure| error(drivers.reason(&failure)), answer))
        }
        ("unload", [name]) => {
            let result = drivers.try_unload(pid, &name_text(name)?, TryUnload::default());
            now(result.map_or_else(
                |failure| error(drivers.reason(&failure)),
                |_| Term::atom("ok"),
            ))
        }
        ("unload_driver", [name]) => {
            let how = TryUnload {
                kill_ports: true,
                monitor: Some(Pending::Driver),
            };
            match drivers.try_unload(pid, &name_text(name)?, how) {
                Ok(Outcome::PendingDriver(Some(reference))) => Ok(Reply::Wait(reference)),
                Ok(_) => now(Term::atom("ok")),
                Err(failure) => now(error(drivers.reason(&failure))),
            }
        }
        ("loaded_drivers", []) => {
            let names = drivers
                .names()
                .iter()
                .map(|name| Term::charlist(name))
                .collect();
            now(Term::tuple(vec![Term::atom("ok"), Term::list(names)]))
        }
        ("info", []) => {
            let names = drivers.dynamic_names();
            let all = names.iter().filter_map(|name| {
                let items = items(drivers.info(name)?);
                Some(Term::tuple(vec![Term::charlist(name), items]))
            });
            now(Term::list(all.collect()))
        }
        ("info", [name]) => now(items(drivers.info(&name_text(name)?).ok_or(BadArgument)?)),
        ("info", [name, item]) => {
            let items = drivers.info(&name_text(name)?).ok_or(BadArgument)?;
            let found = items.into_iter().find(|(known, _)| item.is_atom(known));
            now(found.ok_or(BadArgument)?.1)
        }
        ("monitor", [kind, what]) if kind.is_atom("driver") => {
            let Some([given, event]) = what.as_tuple().map(|tuple| tuple.elements()) else {
                return Err(BadArgument);
            };
            let event = match event.as_atom().map(crate::term::Atom::as_str) {
                Some("loaded") => Event::Loaded,
                Some("unloaded") => Event::Unloaded,
                Some("unloaded_only") => Event::UnloadedOnly,
                _ => return Err(BadArgument),
            };
            let reference = drivers.monitor(pid, &name_text(given)?, given, event);
            now(Term::Reference(reference))
        }
        ("monitor", [_, _]) => Err(BadArgument),
        ("demonitor", [reference]) => {
            drivers.demonitor(pid, reference.as_reference().ok_or(BadArgument)?);
            now(Term::boolean(true))
        }
        ("format_error", [reason]) => now(Term::charlist(&format_error(drivers, reason)?)),
        _ => Err(Misuse::Undefined),
    }
}

/// What a function that waited answers, by the message it waited for.
fn awaited(message: &Term) -> Term {
    let Some([way, _, _, _, what]) = message.as_tuple().map(|tuple| tuple.elements()) else {
        return error(Term::atom("unspecified_error"));
    };
    if let Some([word, reason]) = what.as_tuple().map(|tuple| tuple.elements())
        && word.is_atom("load_failure")
    {
        return error(reason.clone());
    }
    let done = match what.as_atom().map(crate::term::Atom::as_str) {
        Some("loaded" | "unload_cancelled") => way.is_atom("UP"),
        Some("unloaded") => way.is_atom("DOWN"),
        _ => false,
    };
    if done {
        Term::atom("ok")
    } else {
        error(what.clone())
    }
}

fn error(reason: Term) -> Term {
    Term::tuple(vec![Term::atom("error"), reason])
}

fn answer(outcome: Outcome) -> Term {
    let (word, reference) = match outcome {
        Outcome::Loaded => ("loaded", None),
        Outcome::AlreadyLoaded => ("already_loaded", None),
        Outcome::PendingDriver(reference) => ("pending_driver", reference),
        Outcome::PendingProcess(reference) => ("pending_process", reference),
    };
    let mut answer = vec![Term::atom("ok"), Term::atom(word)];
    answer.extend(reference.map(Term::Reference));
    Term::tuple(answer)
}

fn items(items: Vec<(&'static str, Term)>) -> Term {
    let pair = |(name, value)| Term::tuple(vec![Term::atom(name), value]);
    Term::list(items.into_iter().map(pair).collect())
}

/// A string, nested or not, or the bytes of a file's name.
fn folder_text(term: &Term) -> Result<OsString, Misuse> {
    match term.as_binary() {
        Some(bytes) => Ok(OsString::from_vec(bytes.to_vec())),
        None => charlist(term).map(OsString::from),
    }
}

/// An atom that is not empty, or bytes in any arrangement. What follows a zero is not seen: the
/// name is one of C. No driver here has a name that is not UTF-8.
fn name_text(term: &Term) -> Result<String, Misuse> {
    let bytes = match term.as_atom() {
        Some(name) if name.as_str().is_empty() => return Err(BadArgument),
        Some(name) => Binary::from(name.as_str().as_bytes()),
        None => iodata::flatten(term).map_err(|_| BadArgument)?,
    };
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}

/// A list of characters, nested or not.
fn charlist(term: &Term) -> Result<String, Misuse> {
    let mut text = String::new();
    for element in term.to_list_vec().ok_or(BadArgument)? {
        match element.as_int() {
            Some(point) => text.push(
                u32::try_from(point)
                    .ok()
                    .and_then(char::from_u32)
                    .filter(|point| *point != '\0')
                    .ok_or(BadArgument)?,
            ),
            None => text.push_str(&charlist(&element)?),
        }
    }
    Ok(text)
}

fn pending(value: &Term) -> Result<Pending, Misuse> {
    match value.as_atom().map(crate::term::Atom::as_str) {
        Some("pending_driver") => Ok(Pending::Driver),
        Some("pending") => Ok(Pending::Any),
        _ => Err(BadArgument),
    }
}

fn load_options(options: &Term) -> Result<TryLoad, Misuse> {
    let mut how = TryLoad::default();
    for option in options.to_list_vec().ok_or(BadArgument)? {
        let Some([name, value]) = option.as_tuple().map(|tuple| tuple.elements()) else {
            return Err(BadArgument);
        };
        match name.as_atom().map(crate::term::Atom::as_str) {
            Some("driver_options") => {
                for word in value.to_list_vec().ok_or(BadArgument)? {
                    if !word.is_atom("kill_ports") {
                        return Err(BadArgument);
                    }
                    how.options.kill_ports = true;
                }
            }
            Some("monitor") => how.monitor = Some(pending(value)?),
            Some("reload") => how.reload = Some(pending(value)?),
            _ => return Err(BadArgument),
        }
    }
    Ok(how)
}

fn unload_options(options: &Term) -> Result<TryUnload, Misuse> {
    let mut how = TryUnload::default();
    for option in options.to_list_vec().ok_or(BadArgument)? {
        if option.is_atom("kill_ports") {
            how.kill_ports = true;
            continue;
        }
        match option.as_tuple().map(|tuple| tuple.elements()) {
            Some([name, value]) if name.is_atom("monitor") => how.monitor = Some(pending(value)?),
            _ => return Err(BadArgument),
        }
    }
    Ok(how)
}

fn format_error(drivers: &Drivers, reason: &Term) -> Result<String, Misuse> {
    let known = match reason.as_tuple().map(|pair| pair.elements()) {
        Some([word, code]) if word.is_atom("open_error") => {
            return number_text(drivers, code.as_int().ok_or(BadArgument)?);
        }
        _ => reason
            .as_atom()
            .and_then(|word| erlang_sentence(word.as_str())),
    };
    known.map(str::to_owned).ok_or(BadArgument)
}

/// The words for `{open_error, Code}`. Numbers above -10 are Erlang's own.
fn number_text(drivers: &Drivers, code: i64) -> Result<String, Misuse> {
    let own = match code {
        0 => return Ok("No error".to_owned()),
        -1 => "no_driver_init",
        -2 => "driver_init_failed",
        -3 => "bad_driver_name",
        -4 => "driver_name_to_long",
        -5 => "driver_incorrect_version",
        -6 => "no_ddll_available",
        -7 => "unspecified_error",
        -8 => "symbol_not_found",
        ..=-10 => {
            let text = drivers.open_error_text(code);
            return Ok(text.unwrap_or_else(|| "Unknown dlload error".to_owned()));
        }
        _ => return Ok("Unspecified error".to_owned()),
    };
    erlang_sentence(own).map(str::to_owned).ok_or(BadArgument)
}

/// Erlang's own sentence for a reason; its spelling is part of the interface.
fn erlang_sentence(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "inconsistent" => {
            "Driver name and/or driver options are inconsistent with currently loaded driver"
        }
        "linked_in_driver" => "Driver is statically linked and cannot be loaded/unloaded",
        "permanent" => "DDLL driver is permanent an cannot be unloaded/loaded",
        "not_loaded" => "DDLL driver is not loaded",
        "not_loaded_by_this_process" => "DDLL driver was not loaded by this process",
        "already_loaded" => "DDLL driver is already loaded successfully",
        "pending_reload" => "Driver reloading is already pending",
        "pending_process" => {
            "Driver is loaded by others when attempting option {reload, pending_driver}"
        }
        "no_driver_init" => "No driver init in dynamic library",
        "driver_init_failed" => "Driver init failed",
        "bad_driver_name" => "Bad driver name",
        "driver_name_to_long" => "Driver name to long",
        "driver_incorrect_version" => "Driver compiled with incorrect version of erl_driver.h",
        "no_ddll_available" => "DDLL functionality not available on this platform",
        "unspecified_error" => "Unspecified dynamic library error",
        "symbol_not_found" => "Symbol not found in dynamic library",
        "load_cancelled" => "Loading was cancelled from other process",
        _ => return None,
    })
}

/// What went wrong and what to do, for people, by `erl_ddll`'s word for it.
pub(super) fn sentence(reason: &str) -> &'static str {
    match reason {
        "inconsistent" => {
            "is loaded already, from another folder (spelled differently) or with other options"
        }
        "linked_in_driver" => "is part of the program and cannot be loaded or unloaded",
        "permanent" => "has locked itself in and stays loaded as long as the program runs",
        "not_loaded" => "is not loaded",
        "not_loaded_by_this_process" => "was not loaded by this process, which cannot unload it",
        "pending_reload" => "is about to be reloaded already",
        "pending_process" => {
            "is in use by other processes and cannot be reloaded before they let go"
        }
        _ => "cannot be loaded or unloaded now",
    }
}

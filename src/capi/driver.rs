//! Drivers: shared libraries that ports are opened with.

use std::ffi::c_char;

use super::host::wharf_host;
use super::link::alive;
use super::living;
use super::process::wharf_process;
use super::status::{Fault, wharf_status};
use super::term::{give, hand_over, lent, wharf_term};
use super::{argument, export};
use crate::host::Host;
use crate::term::Term;
use wharf_status::*;

/// Loads the driver `name` from the file `folder/name.so`, for as long as the host lives. Ports of
/// it are opened with `{spawn_driver, "name"}`.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_REFUSED`: the file is missing or no driver, needs a symbol nobody has, is of a
///   version that does not fit, or refuses; the error's text says which.
/// - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this. The driver's `init` runs on it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_driver_load(
    host: *const wharf_host,
    folder: *const c_char,
    name: *const c_char,
) -> wharf_status {
    export!(wharf_driver_load, {
        let entry = living::host(host)?;
        // SAFETY: C's promise about both texts.
        let (folder, name) = unsafe {
            (
                argument::os_string("folder", folder)?,
                argument::utf8("name", name)?,
            )
        };
        Ok(entry.loader().load_driver(folder, name)?)
    })
}

/// Takes one `wharf_driver_load` of the host back. The driver is unloaded when nobody uses it any more: no
/// port of it is open, and no process has loaded it by `wharf_driver_call`. That may be after this has
/// returned; `wharf_driver_call` with `monitor` hears of it.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_REFUSED`: it is not loaded, or not by `wharf_driver_load`, or it is permanent.
/// - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this. The driver's `finish` may run on it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_driver_unload(
    host: *const wharf_host,
    name: *const c_char,
) -> wharf_status {
    export!(wharf_driver_unload, {
        let entry = living::host(host)?;
        // SAFETY: C's promise.
        let name = unsafe { argument::utf8("name", name) }?;
        let unloaded = entry.loader().unload_driver(name);
        unloaded.map_err(|error| Fault::from(error).with_status(WHARF_STATUS_REFUSED))
    })
}

/// Calls a function of Erlang's module `erl_ddll` in the name of a process: `load`, `try_load`, `reload`,
/// `unload`, `try_unload`, `monitor`, `demonitor`, `info`, `loaded_drivers`, `format_error` and so on.
/// `arguments` is a list of its arguments, which stays the caller's. What the function answers, also
/// `{error, Reason}`, is written to `*answer`, which may be NULL where it is not wanted.
///
/// ```c
/// wharf_term_parse("[\"build\", \"counter_drv\"]", &arguments);
/// wharf_driver_call(me, "load", arguments, &answer);
/// ```
///
/// The answer belongs to the caller, who frees it with `wharf_term_free`; it is written on success only.
///
/// - `WHARF_STATUS_OK`: it has answered.
/// - `WHARF_STATUS_BADARG`: the arguments are wrong, or are no list.
/// - `WHARF_STATUS_NOTFOUND`: there is no such function of so many arguments.
/// - `WHARF_STATUS_SYNTAX`: the function's name is not UTF-8.
/// - `WHARF_STATUS_REFUSED`: the process ended while it waited.
/// - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this. The driver's `init` and `finish` may run on it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_driver_call(
    process: *const wharf_process,
    function: *const c_char,
    arguments: *const wharf_term,
    answer: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_driver_call, {
        let entry = alive(process)?;
        // SAFETY: C's promise.
        let function = unsafe { argument::utf8("function", function) }?;
        // SAFETY: C's promise.
        let arguments = unsafe { lent("arguments", arguments) }?;
        let list = arguments.to_list_vec().ok_or_else(|| {
            let text = format!("the arguments are no list: {arguments}");
            Fault::new(WHARF_STATUS_BADARG, text)
        })?;
        let answered = entry.process.ddll(function, &list);
        let answered = answered.map_err(|raise| {
            let unknown = raise.reason.is_atom("undef");
            let fault = Fault::raise(&format!("call erl_ddll:{function}"), raise);
            match unknown {
                true => fault.with_status(WHARF_STATUS_NOTFOUND),
                false => fault,
            }
        })?;
        // SAFETY: C's promise.
        unsafe { hand_over(answer, answered) };
        Ok(())
    })
}

/// The names of the drivers that are loaded in a host, as a list of charlists.
///
/// The list belongs to the caller, who frees it with `wharf_term_free`. `*names` is written on success
/// only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this; drivers come and go meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_driver_names(
    host: *const wharf_host,
    names: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_driver_names, {
        let entry = living::host(host)?;
        let place = argument::place("names", names)?;
        let told = entry.loader().ddll("loaded_drivers", &[]);
        let told = told.map_err(|raise| Fault::raise("list the drivers", raise))?;
        let pair = told.as_tuple().and_then(|pair| pair.last());
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { hand_over(place, pair.cloned().unwrap_or_default()) };
        Ok(())
    })
}

/// What is known of a driver that is loaded, as Erlang's `erl_ddll:info(Name)`: a list of pairs, among them
/// `{processes, _}` and `{port_count, _}`.
///
/// The list belongs to the caller, who frees it with `wharf_term_free`. `*facts` is written on success
/// only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NOTFOUND`: no driver of this name is loaded.
/// - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_driver_info(
    host: *const wharf_host,
    name: *const c_char,
    facts: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_driver_info, {
        let entry = living::host(host)?;
        // SAFETY: C's promise.
        let name = unsafe { argument::utf8("name", name) }?;
        let place = argument::place("facts", facts)?;
        let told = entry.loader().ddll("info", &[Term::charlist(name)]);
        let told = told.map_err(|_| {
            let text = format!("no driver {name} is loaded");
            Fault::new(WHARF_STATUS_NOTFOUND, text)
        })?;
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { hand_over(place, told) };
        Ok(())
    })
}

/// What the driver in a file says about itself, as a map: `name` (a binary), `version` (a pair), `flags` and
/// `callbacks` (lists of atoms). It is loaded for that and unloaded again, so its `init` and `finish` run.
///
/// The map belongs to the caller, who frees it with `wharf_term_free`. `*facts` is written on success
/// only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_REFUSED`: it cannot be loaded; the error's text says why, and names missing symbols.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_driver_inspect(
    host: *const wharf_host,
    file: *const c_char,
    facts: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_driver_inspect, {
        let entry = living::host(host)?;
        // SAFETY: C's promise.
        let file = unsafe { argument::os_string("file", file) }?;
        let place = argument::place("facts", facts)?;
        let told = entry.host.inspect_driver(file);
        let told = told.map_err(|fault| Fault {
            reason: Some(fault.reason),
            ..Fault::new(WHARF_STATUS_REFUSED, fault.message)
        })?;
        let atoms = |names: Vec<&str>| {
            let atoms = names.into_iter().map(Term::atom);
            Term::list(atoms.collect())
        };
        let version = [Term::from(told.major), Term::from(told.minor)];
        let pairs = [
            ("name", Term::from(told.name.as_str())),
            ("version", Term::tuple(version)),
            ("flags", atoms(told.flags)),
            ("callbacks", atoms(told.callbacks)),
        ];
        let pairs = pairs.map(|(key, value)| (Term::atom(key), value));
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { hand_over(place, Term::Map(pairs.into_iter().collect())) };
        Ok(())
    })
}

/// The names of the sample drivers that are part of the library, which `wharf_open_driver` finds without a
/// file, as a list of atoms; the empty list where it was built without them.
///
/// The list belongs to the caller, who frees it with `wharf_term_free`. Never NULL.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_driver_samples() -> *mut wharf_term {
    export!(wharf_driver_samples, |_| std::ptr::null_mut(), {
        Ok(give(Term::list(
            Host::sample_drivers().map(Term::atom).collect(),
        )))
    })
}

/// The names of all functions that a driver may call on its host, as a list of atoms.
///
/// The list belongs to the caller, who frees it with `wharf_term_free`. Never NULL.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_driver_symbols() -> *mut wharf_term {
    export!(wharf_driver_symbols, |_| std::ptr::null_mut(), {
        let names = Host::driver_symbols().iter();
        Ok(give(Term::list(
            names.map(|name| Term::atom(name)).collect(),
        )))
    })
}

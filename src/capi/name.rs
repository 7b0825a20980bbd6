//! Names of processes and ports.

use std::ffi::c_char;

use super::host::wharf_host;
use super::link::{alive, pid_term, port_term, watch, wharf_reference};
use super::living;
use super::port::wharf_port;
use super::process::{wharf_pid, wharf_process};
use super::status::{Fault, wharf_status};
use super::term::{hand_over, wharf_term};
use super::{argument, export};
use crate::ffi::pointer;
use crate::term::{Pid, Term, atom};
use wharf_status::*;

/// Gives a port a name in its host, until it ends or `wharf_name_unregister` takes it away.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_BADARG`: the name is taken, or is `undefined`, or longer than 255 characters; or the
///   port has a name already, or has ended.
/// - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
/// - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_register(
    process: *const wharf_process,
    port: wharf_port,
    name: *const c_char,
) -> wharf_status {
    export!(wharf_port_register, {
        // SAFETY: C's promise.
        unsafe { register(process, &port_term(port), name) }
    })
}

/// Gives a process a name in its host, as `wharf_port_register` does.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_register(
    process: *const wharf_process,
    other: wharf_pid,
    name: *const c_char,
) -> wharf_status {
    export!(wharf_process_register, {
        // SAFETY: C's promise.
        unsafe { register(process, &pid_term(other), name) }
    })
}

/// # Safety
/// If not NULL, `name` is a string.
unsafe fn register(
    process: *const wharf_process,
    what: &Term,
    name: *const c_char,
) -> Result<(), Fault> {
    let entry = alive(process)?;
    // SAFETY: the caller's promise.
    let name = unsafe { self::name(name) }?;
    let done = entry.process.register(&name, what);
    done.map_err(|raise| Fault::raise(&format!("register {what} as {name}"), raise))
}

/// # Safety
/// If not NULL, `name` is a string.
unsafe fn name(name: *const c_char) -> Result<Term, Fault> {
    // SAFETY: the caller's promise.
    let name = unsafe { argument::utf8("name", name) }?;
    argument::atom(name)
}

/// Takes a name away from whoever has it.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_BADARG`: nobody has the name, or it is longer than 255 characters.
/// - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
/// - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_name_unregister(
    process: *const wharf_process,
    name: *const c_char,
) -> wharf_status {
    export!(wharf_name_unregister, {
        let entry = alive(process)?;
        // SAFETY: C's promise.
        let name = unsafe { self::name(name) }?;
        let done = entry.process.unregister(&name);
        done.map_err(|raise| Fault::raise(&format!("unregister {name}"), raise))
    })
}

/// Who has a name: a port, written to `*port`, or a process, written to `*pid`; the other of the two gets
/// 0 inside. Either may be NULL where it is not wanted.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NOTFOUND`: nobody has it.
/// - `WHARF_STATUS_BADARG`: it is longer than 255 characters.
/// - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
/// - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_name_whereis(
    process: *const wharf_process,
    name: *const c_char,
    port: *mut wharf_port,
    pid: *mut wharf_pid,
) -> wharf_status {
    export!(wharf_name_whereis, {
        let entry = alive(process)?;
        // SAFETY: C's promise.
        let name = unsafe { self::name(name) }?;
        let found = entry.process.whereis(&name);
        let found = found.map_err(|raise| Fault::raise(&format!("look up {name}"), raise))?;
        if found.is_atom("undefined") {
            let text = format!("nobody has the name {name}");
            return Err(Fault::new(WHARF_STATUS_NOTFOUND, text));
        }
        let port_id = found.as_port().map_or(0, crate::term::PortId::number);
        let pid_id = found.as_pid().map_or(0, Pid::number);
        // SAFETY: C's promise; NULL is fine.
        unsafe {
            pointer::store(port, wharf_port { id: port_id });
            pointer::store(pid, wharf_pid { id: pid_id });
        }
        Ok(())
    })
}

/// Has a process hear of the end of the port that has a name now, as `wharf_port_monitor` does. Of a name
/// that no port has it hears at once. The object of the message is `{Name, Node}`.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_BADARG`: the name is longer than 255 characters.
/// - `WHARF_STATUS_SYNTAX`: the name is not UTF-8.
/// - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_name_monitor_port(
    process: *const wharf_process,
    name: *const c_char,
    monitor: *mut wharf_reference,
) -> wharf_status {
    export!(wharf_name_monitor_port, {
        // SAFETY: C's promise.
        let name = unsafe { self::name(name) }?;
        // SAFETY: C's promise.
        unsafe { watch(process, Term::Atom(atom::PORT), &name, monitor) }
    })
}

/// Has a process hear of the end of the process that has a name now, as `wharf_name_monitor_port`
/// does of a port.
///
/// Statuses as of `wharf_name_monitor_port`. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_name_monitor_process(
    process: *const wharf_process,
    name: *const c_char,
    monitor: *mut wharf_reference,
) -> wharf_status {
    export!(wharf_name_monitor_process, {
        // SAFETY: C's promise.
        let name = unsafe { self::name(name) }?;
        // SAFETY: C's promise.
        unsafe { watch(process, Term::Atom(atom::PROCESS), &name, monitor) }
    })
}

/// All names of a host, as a list of atoms.
///
/// The list belongs to the caller, who frees it with `wharf_term_free`. `*names` is written on success
/// only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this; names come and go meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_names(
    host: *const wharf_host,
    names: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_host_names, {
        let entry = living::host(host)?;
        let place = argument::place("names", names)?;
        let all = entry.host.registered().into_iter().map(Term::Atom);
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { hand_over(place, Term::list(all.collect())) };
        Ok(())
    })
}

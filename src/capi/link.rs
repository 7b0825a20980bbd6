//! What processes and ports are to each other: links, monitors, exit signals, names.

use std::ffi::c_char;

use super::living::{self, ProcessEntry};
use super::port::wharf_port;
use super::process::{wharf_pid, wharf_process};
use super::status::{Fault, wharf_status};
use super::{argument, export};
use crate::ffi::pointer;
use crate::host::Exited;
use crate::term::{Pid, Reference, Term, atom};

/// The identity of a monitor. Compare by `id`; 0 is none.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct wharf_reference {
    /// A number that is never given out again.
    pub id: u64,
}

pub(super) fn port_term(port: wharf_port) -> Term {
    Term::Port(port.id())
}

pub(super) fn pid_term(pid: wharf_pid) -> Term {
    Term::Pid(Pid::from_number(pid.id))
}

/// Who asks, if it is there and has not ended.
pub(super) fn alive(process: *const wharf_process) -> Result<std::sync::Arc<ProcessEntry>, Fault> {
    let entry = living::process(process)?;
    match entry.process.exited() {
        Some(reason) => Err(Exited { reason }.into()),
        None => Ok(entry),
    }
}

/// Links a process to a port: when one ends, the other is told by an exit signal.
///
/// - `WHARF_STATUS_OK`: also where the port has ended and the process traps exits; it then gets
///   `{'EXIT', Port, noproc}`.
/// - `WHARF_STATUS_NOPROC`: the port has ended.
/// - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_link(
    process: *const wharf_process,
    port: wharf_port,
) -> wharf_status {
    export!(wharf_port_link, { link(process, &port_term(port)) })
}

/// Links a process to another, as `wharf_port_link` does.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_link(
    process: *const wharf_process,
    other: wharf_pid,
) -> wharf_status {
    export!(wharf_process_link, { link(process, &pid_term(other)) })
}

fn link(process: *const wharf_process, other: &Term) -> Result<(), Fault> {
    let linked = alive(process)?.process.link(other);
    linked.map_err(|raise| Fault::raise(&format!("link {other}"), raise))
}

/// Takes the link to a port away; no exit signal of it comes after this. No failure where there is none.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_unlink(
    process: *const wharf_process,
    port: wharf_port,
) -> wharf_status {
    export!(wharf_port_unlink, { unlink(process, &port_term(port)) })
}

/// Takes the link to another process away, as `wharf_port_unlink` does.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_unlink(
    process: *const wharf_process,
    other: wharf_pid,
) -> wharf_status {
    export!(wharf_process_unlink, { unlink(process, &pid_term(other)) })
}

fn unlink(process: *const wharf_process, other: &Term) -> Result<(), Fault> {
    let unlinked = alive(process)?.process.unlink(other);
    unlinked.map_err(|raise| Fault::raise(&format!("unlink {other}"), raise))
}

/// Has a process hear of a port's end by a message, once: `WHARF_MESSAGE_DOWN` with this reference. Of one
/// that has ended it hears at once. `*monitor` is written on success only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_monitor(
    process: *const wharf_process,
    port: wharf_port,
    monitor: *mut wharf_reference,
) -> wharf_status {
    export!(wharf_port_monitor, {
        // SAFETY: C's promise.
        unsafe { watch(process, Term::Atom(atom::PORT), &port_term(port), monitor) }
    })
}

/// Has a process hear of another's end, as `wharf_port_monitor` does.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_monitor(
    process: *const wharf_process,
    other: wharf_pid,
    monitor: *mut wharf_reference,
) -> wharf_status {
    export!(wharf_process_monitor, {
        // SAFETY: C's promise.
        unsafe { watch(process, Term::atom("process"), &pid_term(other), monitor) }
    })
}

/// # Safety
/// If not NULL, `place` can be written.
pub(super) unsafe fn watch(
    process: *const wharf_process,
    kind: Term,
    what: &Term,
    place: *mut wharf_reference,
) -> Result<(), Fault> {
    let entry = alive(process)?;
    let place = argument::place("monitor", place)?;
    let monitor = entry.process.monitor(&kind, what);
    let monitor = monitor.map_err(|raise| Fault::raise(&format!("monitor {what}"), raise))?;
    let id = monitor.number();
    // SAFETY: the caller's promise.
    unsafe { pointer::store(place, wharf_reference { id }) };
    Ok(())
}

/// Takes a monitor away, and its message if that has come already.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_demonitor(
    process: *const wharf_process,
    monitor: wharf_reference,
) -> wharf_status {
    export!(wharf_process_demonitor, {
        let entry = alive(process)?;
        let monitor = Term::Reference(Reference::from_number(monitor.id));
        let flush = Term::list(vec![Term::atom("flush")]);
        let done = entry.process.demonitor(&monitor, &flush);
        done.map(drop)
            .map_err(|raise| Fault::raise(&format!("demonitor {monitor}"), raise))
    })
}

/// Sends a port an exit signal, as Erlang's `exit(Port, Reason)`; the reason is Erlang text, for example
/// `kill`. A port that has ended gets nothing, and that is no failure.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_SYNTAX`: the reason is not a term.
/// - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_exit(
    process: *const wharf_process,
    port: wharf_port,
    reason: *const c_char,
) -> wharf_status {
    export!(wharf_port_exit, {
        // SAFETY: C's promise.
        unsafe { signal(process, &port_term(port), reason) }
    })
}

/// Sends a process an exit signal, as `wharf_port_exit` does. A process that sends one to itself
/// ends, unless it traps exits.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_exit(
    process: *const wharf_process,
    other: wharf_pid,
    reason: *const c_char,
) -> wharf_status {
    export!(wharf_process_exit, {
        // SAFETY: C's promise.
        unsafe { signal(process, &pid_term(other), reason) }
    })
}

/// # Safety
/// If not NULL, `reason` is a string.
unsafe fn signal(
    process: *const wharf_process,
    to: &Term,
    reason: *const c_char,
) -> Result<(), Fault> {
    let entry = alive(process)?;
    // SAFETY: the caller's promise.
    let reason = unsafe { argument::term_text("reason", reason) }?;
    let sent = entry.process.exit_signal(to, reason);
    sent.map_err(|raise| Fault::raise(&format!("send an exit signal to {to}"), raise))
}

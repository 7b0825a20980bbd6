//! Ports: opening, data out, closing.

use std::ffi::{c_char, c_void};

use super::living::{self, ProcessEntry};
use super::process::wharf_process;
use super::recent;
use super::status::{Fault, wharf_status};
use super::term::{lent, wharf_term};
use super::{argument, export};
use crate::ffi::pointer;
use crate::host::{Error, Exited, Port};
use crate::term::{PortId, Term};
use wharf_status::*;

/// The identity of a port. Compare by `id`; 0 is no port. A port ends by itself sooner or later, and
/// what is asked of it then is answered by `WHARF_STATUS_CLOSED`: an identity is never given out
/// again.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct wharf_port {
    /// A number that no other port of this program has or will have.
    pub id: u64,
}

impl wharf_port {
    pub(super) fn id(self) -> PortId {
        PortId::from_number(self.id)
    }
}

/// The port of an identity, in the name of a process.
pub(super) fn find(process: &ProcessEntry, doing: &str, port: wharf_port) -> Result<Port, Fault> {
    let process = &process.process;
    if let Some(reason) = process.exited() {
        let text = format!(
            "cannot {doing} {}: the process has ended: {reason}",
            port.id()
        );
        return Err(Fault {
            reason: Some(reason),
            ..Fault::new(WHARF_STATUS_EXITED, text)
        });
    }
    process.port(port.id()).ok_or_else(|| {
        let text = format!("cannot {doing} {}: the port is closed", port.id());
        Fault::new(WHARF_STATUS_CLOSED, text)
    })
}

/// What an error about a port is: that the port has been closed meanwhile says more than `badarg`.
pub(super) fn fault(port: &Port, error: Error) -> Fault {
    let closed = error.is("badarg") && !port.is_open();
    let fault = Fault::from(error);
    if port.process().exited().is_some() {
        return fault.with_status(WHARF_STATUS_EXITED);
    }
    match closed {
        true => fault.with_status(WHARF_STATUS_CLOSED),
        false => fault,
    }
}

/// Opens a port, as Erlang's `open_port(Name, Options)`, with both arguments as Erlang text:
///
/// ```c
/// wharf_open(me, "{spawn, \"cat\"}", "[binary]", &port);
/// wharf_open(me, "{spawn_executable, \"/bin/sh\"}", "[{args, [\"-c\", \"exit 3\"]}, exit_status]", &port);
/// wharf_open(me, "{spawn_driver, \"counter_drv\"}", "[]", &port);
/// wharf_open(me, "{fd, 0, 1}", "[binary, eof]", &port);
/// ```
///
/// `options` may be NULL, which is `[]`. The process owns the port and is linked to it. `*port` is
/// written on success only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_SYNTAX`: a text is not a term; the error's text says where.
/// - `WHARF_STATUS_BADARG`: no such kind of name, no such driver, or options that do not fit.
/// - `WHARF_STATUS_REFUSED`: the system or the driver said no; `wharf_error_reason` is `enoent`,
///   `eacces`, `emfile` and so on. A program that cannot be started after all is told by its exit status.
/// - `WHARF_STATUS_LIMIT`: the host has as many ports as it may have.
/// - `WHARF_STATUS_EXITED`: the process has ended.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_open(
    process: *const wharf_process,
    name: *const c_char,
    options: *const c_char,
    port: *mut wharf_port,
) -> wharf_status {
    export!(wharf_open, {
        let entry = living::process(process)?;
        let place = argument::place("port", port)?;
        // SAFETY: C's promise about both texts.
        let name = unsafe { argument::term_text("name", name) }?;
        let options = match options.is_null() {
            true => Term::Nil,
            // SAFETY: as above.
            false => unsafe { argument::term_text("options", options) }?,
        };
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { open(&entry, &name, &options, place) }
    })
}

/// # Safety
/// `place` can be written.
unsafe fn open(
    entry: &ProcessEntry,
    name: &Term,
    options: &Term,
    place: *mut wharf_port,
) -> Result<(), Fault> {
    if let Some(reason) = entry.process.exited() {
        return Err(Exited { reason }.into());
    }
    let opened = entry.process.open_port(name, options);
    let id = opened.map_err(|raise| Fault::raise(&format!("open {name}"), raise))?;
    // SAFETY: the caller's promise.
    unsafe { pointer::store(place, wharf_port { id: id.number() }) };
    Ok(())
}

/// Opens a port as `wharf_open` does, with both arguments as terms, which stay the caller's. `options` may
/// be NULL, which is `[]`. Ownership and statuses as of `wharf_open`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_open_term(
    process: *const wharf_process,
    name: *const wharf_term,
    options: *const wharf_term,
    port: *mut wharf_port,
) -> wharf_status {
    export!(wharf_open_term, {
        let entry = living::process(process)?;
        let place = argument::place("port", port)?;
        // SAFETY: C's promise.
        let name = unsafe { lent("name", name) }?;
        let options = match options.is_null() {
            true => &Term::Nil,
            // SAFETY: C's promise.
            false => unsafe { lent("options", options) }?,
        };
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { open(&entry, name, options, place) }
    })
}

/// Hands `len` bytes to a port, and waits while the port is busy. They are read, or copied, before this
/// returns. Success means that they were taken; what fails later is told by the port's end.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_CLOSED`: the port is closed, or was while this waited.
/// - `WHARF_STATUS_BADARG`: asked by a callback of the port's own driver, which cannot wait for itself.
/// - `WHARF_STATUS_EXITED`: the process has ended.
/// - `WHARF_STATUS_NULL`: `data` is NULL and `len` is not 0.
/// - `WHARF_STATUS_FREED`
///
/// Any thread may call this; the bytes of each call stay together.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_command(
    process: *const wharf_process,
    port: wharf_port,
    data: *const c_void,
    len: usize,
) -> wharf_status {
    export!(wharf_port_command, {
        // SAFETY: C's promise.
        let data = unsafe { argument::bytes("data", data, len) }?;
        let mut me = recent::process(process)?;
        let port = me.port(port, "command")?;
        port.command(data).map_err(|error| fault(&port, error))
    })
}

/// Closes a port. Output that was taken still goes out, and nothing is told to the owner, except that a
/// process that traps exits gets `{'EXIT', Port, normal}`.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_CLOSED`: it is closed already.
/// - `WHARF_STATUS_BADARG`: asked by a callback of the port's own driver, which cannot wait for itself.
/// - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_close(
    process: *const wharf_process,
    port: wharf_port,
) -> wharf_status {
    export!(wharf_port_close, {
        let entry = living::process(process)?;
        let port = find(&entry, "close", port)?;
        port.close().map_err(|error| fault(&port, error))
    })
}

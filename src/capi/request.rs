//! What else can be asked of a port: without waiting, with an answer, about itself.

use std::ffi::{c_char, c_void};

use super::host::wharf_host;
use super::living;
use super::port::{fault, find, wharf_port};
use super::process::{wharf_pid, wharf_process};
use super::status::{Fault, wharf_status};
use super::term::{self, wharf_term};
use super::{argument, export};
use crate::ffi::pointer;
use crate::term::{Pid, Term};
use wharf_status::*;

/// Hands bytes to a port as `wharf_port_command` does, but does not wait.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_BUSY`: the port is busy, and nothing was sent.
/// - Others as of `wharf_port_command`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_try_command(
    process: *const wharf_process,
    port: wharf_port,
    data: *const c_void,
    len: usize,
) -> wharf_status {
    export!(wharf_port_try_command, {
        let entry = living::process(process)?;
        // SAFETY: C's promise.
        let data = unsafe { argument::bytes("data", data, len) }?;
        let port = find(&entry, "command", port)?;
        match port.try_command(data) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let text = format!("{} is busy, and nothing was sent", port.id());
                Err(Fault::new(WHARF_STATUS_BUSY, text))
            }
            Err(error) => Err(fault(&port, error)),
        }
    })
}

/// Hands an answer to C, where C wants it.
///
/// # Safety
/// If not NULL, `place` can be written.
unsafe fn hand_over(place: *mut *mut wharf_term, answer: Term) {
    if !place.is_null() {
        // SAFETY: the caller's promise.
        unsafe { pointer::store(place, term::give(answer)) };
    }
}

/// Asks a driver to do operation number `operation` with `len` bytes, as Erlang's `port_control`. The
/// answer, a binary or a list of bytes as the driver chooses, is written to `*answer` on success, and
/// belongs to the caller, who frees it with `wharf_term_free`; `answer` may be NULL where it is not
/// wanted.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_BADARG`: the port does not know this operation.
/// - `WHARF_STATUS_CLOSED`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this. The driver's `control` runs on it when nobody else is in the driver.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_control(
    process: *const wharf_process,
    port: wharf_port,
    operation: u32,
    data: *const c_void,
    len: usize,
    answer: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_port_control, {
        let entry = living::process(process)?;
        // SAFETY: C's promise.
        let data = unsafe { argument::bytes("data", data, len) }?;
        let port = find(&entry, "control", port)?;
        let answered = port.control(operation, data);
        let answered = answered.map_err(|error| fault(&port, error))?;
        // SAFETY: C's promise.
        unsafe { hand_over(answer, answered) };
        Ok(())
    })
}

/// Hands a term to a driver and gets one back, as Erlang's `erlang:port_call`. `data` stays the caller's.
/// The answer is given as by `wharf_port_control`, and so are the statuses.
///
/// Any thread may call this. The driver's `call` runs on it when nobody else is in the driver.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_call(
    process: *const wharf_process,
    port: wharf_port,
    operation: u32,
    data: *const wharf_term,
    answer: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_port_call, {
        let entry = living::process(process)?;
        // SAFETY: C's promise.
        let data = unsafe { term::lent("data", data) }?;
        let port = find(&entry, "call", port)?;
        let answered = port.call(operation, data.clone());
        let answered = answered.map_err(|error| fault(&port, error))?;
        // SAFETY: C's promise.
        unsafe { hand_over(answer, answered) };
        Ok(())
    })
}

/// Makes another process the owner of a port, and links it. The former owner stays linked.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_BADARG`: there is no such process in this host, or it has ended.
/// - `WHARF_STATUS_CLOSED`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_connect(
    process: *const wharf_process,
    port: wharf_port,
    to: wharf_pid,
) -> wharf_status {
    export!(wharf_port_connect, {
        let entry = living::process(process)?;
        let port = find(&entry, "connect", port)?;
        let connected = port.connect(Pid::from_number(to.id));
        connected.map_err(|error| fault(&port, error))
    })
}

/// One fact about a port, as Erlang's `erlang:port_info(Port, Item)`: `name`, `connected`, `links`,
/// `input`, `output`, `os_pid`, `queue_size`, `registered_name` and so on. Only the fact is given, without
/// the item's name.
///
/// The term belongs to the caller, who frees it with `wharf_term_free`. `*fact` is written on success
/// only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NOTFOUND`: there is no such item, or the port has none.
/// - `WHARF_STATUS_SYNTAX`: the item's name is not UTF-8.
/// - `WHARF_STATUS_CLOSED`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_info(
    process: *const wharf_process,
    port: wharf_port,
    item: *const c_char,
    fact: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_port_info, {
        let entry = living::process(process)?;
        let place = argument::place("fact", fact)?;
        // SAFETY: C's promise.
        let item = unsafe { argument::utf8("item", item) }?;
        let port = find(&entry, "ask", port)?;
        let found = port.info(item).ok_or_else(|| {
            let text = format!("{} has no fact {item}", port.id());
            Fault::new(WHARF_STATUS_NOTFOUND, text)
        })?;
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { hand_over(place, found) };
        Ok(())
    })
}

/// Lists the ports of a host, those that are closing included: up to `max` of them are written to
/// `ports`. The answer is how many there are, which may be more than `max`; `(size_t)-1` is a failure: the
/// host is NULL or was freed, or `ports` is NULL and `max` is not 0.
///
/// Any thread may call this; ports come and go meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_ports(
    host: *const wharf_host,
    ports: *mut wharf_port,
    max: usize,
) -> usize {
    export!(wharf_host_ports, |_| usize::MAX, {
        let all = living::host(host)?.host.ports();
        if max > 0 {
            argument::place("ports", ports)?;
        }
        for (at, id) in all.iter().enumerate().take(max) {
            // SAFETY: C promises room for `max` ports.
            unsafe { pointer::store(ports.add(at), wharf_port { id: id.number() }) };
        }
        Ok(all.len())
    })
}

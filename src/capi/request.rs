//! What else can be asked of a port: without waiting, with an answer, about itself.

use std::ffi::{c_char, c_void};

use super::living;
use super::port::{fault, find, wharf_port};
use super::process::{wharf_pid, wharf_process};
use super::recent;
use super::status::{Fault, wharf_status};
use super::term::{self, wharf_term};
use super::{argument, export};
use crate::ffi::pointer;
use crate::host::{Port, Raise};
use crate::term::iodata::IoData;
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
        // SAFETY: C's promise.
        let data = unsafe { argument::bytes("data", data, len) }?;
        let mut me = recent::process(process)?;
        let port = me.port(port, "command")?;
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

/// Hands bytes to a port as `wharf_port_command` does, whether it is busy or not: Erlang's flag `force`.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NOTSUP`: only drivers with the flag `ERL_DRV_FLAG_SOFT_BUSY` allow it.
/// - Others as of `wharf_port_command`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_force_command(
    process: *const wharf_process,
    port: wharf_port,
    data: *const c_void,
    len: usize,
) -> wharf_status {
    export!(wharf_port_force_command, {
        let entry = living::process(process)?;
        // SAFETY: C's promise.
        let data = unsafe { argument::bytes("data", data, len) }?;
        let port = find(&entry, "command", port)?;
        port.force_command(data)
            .map_err(|error| fault(&port, error))
    })
}

/// Hands iodata to a port as `wharf_port_command` does bytes: a binary, or nested lists of bytes and
/// binaries. Large binaries are not copied, and reach a driver's `outputv` as they are. The term stays the
/// caller's.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TYPE`: it is no iodata.
/// - Others as of `wharf_port_command`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_command_term(
    process: *const wharf_process,
    port: wharf_port,
    data: *const wharf_term,
) -> wharf_status {
    export!(wharf_port_command_term, {
        let entry = living::process(process)?;
        // SAFETY: C's promise.
        let term = unsafe { term::lent("data", data) }?;
        let data = IoData::from_term(term).map_err(|_| {
            let text = format!("data is no iodata: {term}");
            Fault::new(WHARF_STATUS_TYPE, text)
        })?;
        let port = find(&entry, "command", port)?;
        port.command_data(&data)
            .map_err(|error| fault(&port, error))
    })
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
        // SAFETY: C's promise.
        let data = unsafe { argument::bytes("data", data, len) }?;
        let mut me = recent::process(process)?;
        let port = me.port(port, "control")?;
        // Where it stays, because a move would cost as much as all else here.
        let mut answered = Box::write(Box::new_uninit(), Term::Nil);
        port.control_into(operation, data, &mut answered)
            .map_err(|error| fault(&port, error))?;
        // SAFETY: C's promise.
        unsafe { term::hand_over_box(answer, answered) };
        Ok(())
    })
}

/// Asks a driver as `wharf_port_control` does, and copies the bytes of its answer, which may be a binary or
/// a list, to `buffer`, which has room for `size`. The length of the whole answer is written to
/// `*answer_len`. Where that is more than `size`, only the first `size` bytes were copied, and the driver
/// has done the operation all the same. `buffer` may be NULL where `size` is 0. Both are written on success
/// only.
///
/// ```c
/// char total[32];
/// size_t len;
/// wharf_port_control_bytes(me, port, 'g', NULL, 0, total, sizeof total, &len);
/// ```
///
/// - `WHARF_STATUS_NULL`: also when there is no place for the answer; nothing was asked.
/// - Others as of `wharf_port_control`.
///
/// Any thread may call this. The driver's `control` runs on it when nobody else is in the driver.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_control_bytes(
    process: *const wharf_process,
    port: wharf_port,
    operation: u32,
    data: *const c_void,
    len: usize,
    buffer: *mut c_void,
    size: usize,
    answer_len: *mut usize,
) -> wharf_status {
    export!(wharf_port_control_bytes, {
        // SAFETY: C's promise.
        let data = unsafe { argument::bytes("data", data, len) }?;
        if size > 0 {
            argument::place("buffer", buffer)?;
        }
        let place = argument::place("answer_len", answer_len)?;
        let mut me = recent::process(process)?;
        let port = me.port(port, "control")?;
        let mut answered = Term::Nil;
        port.control_into(operation, data, &mut answered)
            .map_err(|error| fault(&port, error))?;
        let bytes = answer_bytes(&answered);
        if size > 0 {
            let copied = bytes.len().min(size);
            // SAFETY: C promises room for `size` bytes, which nobody else knows of while this runs.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast(), copied) };
        }
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { pointer::store(place, bytes.len()) };
        Ok(())
    })
}

/// The bytes of an answer of `control`, which is a binary or a list of bytes.
fn answer_bytes(answer: &Term) -> &[u8] {
    match answer {
        Term::Binary(bytes) => bytes.as_bytes(),
        Term::List(bytes) => bytes.as_bytes().unwrap_or_default(),
        _ => &[],
    }
}

/// Hands a term to a driver and gets one back, as Erlang's `erlang:port_call`. `data` stays the caller's.
/// The answer is written to `*answer` on success, and belongs to the caller, who frees it with
/// `wharf_term_free`; `answer` may be NULL where it is not wanted.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_BADARG`: the port does not know this operation.
/// - `WHARF_STATUS_CLOSED`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
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
        unsafe { term::hand_over(answer, answered) };
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
        unsafe { term::hand_over(place, found) };
        Ok(())
    })
}

/// The usual facts about a port, as Erlang's `erlang:port_info(Port)`: a list of pairs `{Item, Fact}`.
///
/// The term belongs to the caller, who frees it with `wharf_term_free`. `*facts` is written on success
/// only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_CLOSED`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_facts(
    process: *const wharf_process,
    port: wharf_port,
    facts: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_port_facts, {
        let entry = living::process(process)?;
        let place = argument::place("facts", facts)?;
        let port = find(&entry, "ask", port)?;
        let told = entry.process.port_info(&Term::Port(port.id()));
        let told = told.map_err(|raise| raised(&port, "ask", raise))?;
        if told.as_atom().is_some() {
            let text = format!("cannot ask {}: the port is closed", port.id());
            return Err(Fault::new(WHARF_STATUS_CLOSED, text));
        }
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { term::hand_over(place, told) };
        Ok(())
    })
}

/// What an exception about a port is.
fn raised(port: &Port, doing: &str, raise: Raise) -> Fault {
    let fault = Fault::raise(&format!("{doing} {}", port.id()), raise);
    match port.is_open() {
        true => fault,
        false => fault.with_status(WHARF_STATUS_CLOSED),
    }
}

/// Whether a port can be used. False also when one of the two is nothing.
///
/// Any thread may call this; the port may close right afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_is_open(
    process: *const wharf_process,
    port: wharf_port,
) -> bool {
    export!(wharf_port_is_open, |_| false, {
        let entry = living::process(process)?;
        Ok(find(&entry, "ask", port)?.is_open())
    })
}

/// The process id that the system knows the port's program by; a driver may have set one for its port. -1 is
/// a failure: there is none, or the port is closed.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_os_pid(process: *const wharf_process, port: wharf_port) -> i64 {
    export!(wharf_port_os_pid, |_| -1, {
        let entry = living::process(process)?;
        let port = find(&entry, "ask", port)?;
        port.os_pid().ok_or_else(|| {
            let text = format!("{} has no program", port.id());
            Fault::new(WHARF_STATUS_NOTFOUND, text)
        })
    })
}

/// Keeps a term with a port, as Erlang's `erlang:port_set_data`, in place of the one before. The term stays
/// the caller's.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_CLOSED`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_set_data(
    process: *const wharf_process,
    port: wharf_port,
    data: *const wharf_term,
) -> wharf_status {
    export!(wharf_port_set_data, {
        let entry = living::process(process)?;
        // SAFETY: C's promise.
        let data = unsafe { term::lent("data", data) }?;
        let port = find(&entry, "set the data of", port)?;
        let set = entry
            .process
            .port_set_data(&Term::Port(port.id()), data.clone());
        set.map_err(|raise| raised(&port, "set the data of", raise))
    })
}

/// The term that is kept with a port, at first the atom `undefined`.
///
/// The term belongs to the caller, who frees it with `wharf_term_free`. `*data` is written on success
/// only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_CLOSED`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_get_data(
    process: *const wharf_process,
    port: wharf_port,
    data: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_port_get_data, {
        let entry = living::process(process)?;
        let place = argument::place("data", data)?;
        let port = find(&entry, "get the data of", port)?;
        let kept = entry.process.port_get_data(&Term::Port(port.id()));
        let kept = kept.map_err(|raise| raised(&port, "get the data of", raise))?;
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { term::hand_over(place, kept) };
        Ok(())
    })
}

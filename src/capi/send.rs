//! Messages to others: now, without waiting, later.

use std::ffi::c_char;
use std::time::Duration;

use super::link::{alive, pid_term, wharf_reference};
use super::living;
use super::port::{fault, find, wharf_port};
use super::process::{wharf_pid, wharf_process};
use super::status::{Fault, wharf_status};
use super::term::{lent, wharf_term};
use super::{argument, export};
use crate::ffi::pointer;
use crate::term::Reference;
use wharf_status::*;

/// Sends a message to a process: a term as Erlang text, for example `{self, [1, 2]}`. A process that
/// has ended gets nothing, and that is no failure.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_SYNTAX`: the text is not a term; the error's text says where.
/// - `WHARF_STATUS_EXITED`: the sender has ended.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// `wharf_send` sends terms, and to whomever. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_send(
    process: *const wharf_process,
    to: wharf_pid,
    message: *const c_char,
) -> wharf_status {
    export!(wharf_process_send, {
        let entry = alive(process)?;
        // SAFETY: C's promise.
        let message = unsafe { argument::term_text("message", message) }?;
        let sent = entry.process.send(&pid_term(to), message);
        sent.map_err(|raise| Fault::raise(&format!("send to {}", pid_term(to)), raise))
    })
}

/// Sends a message as Erlang's `To ! Message`. `to` is a term: the identity of a process or port, or a
/// name. To a port the message is a request, `{Owner, {command, Data}}`, `{Owner, close}` or
/// `{Owner, {connect, Pid}}`, with the owner's identity in it; where the port is busy, this waits. Both
/// terms stay the caller's. Who has ended gets nothing, and that is no failure.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_BADARG`: `to` is none of these, or nobody has the name; or a callback of the port's own
///   driver asked, which cannot wait for itself.
/// - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_send(
    process: *const wharf_process,
    to: *const wharf_term,
    message: *const wharf_term,
) -> wharf_status {
    export!(wharf_send, {
        // SAFETY: C's promise.
        unsafe { send(process, to, message, false) }
    })
}

/// Sends a message as `wharf_send` does, but does not wait: Erlang's `send(To, Message, [nosuspend])`. Both
/// terms stay the caller's.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_BUSY`: it is for a port that is busy, and nothing was sent.
/// - `WHARF_STATUS_BADARG`, `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`: as of
///   `wharf_send`.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_try_send(
    process: *const wharf_process,
    to: *const wharf_term,
    message: *const wharf_term,
) -> wharf_status {
    export!(wharf_try_send, {
        // SAFETY: C's promise.
        unsafe { send(process, to, message, true) }
    })
}

/// # Safety
/// Both terms as of [`lent`].
unsafe fn send(
    process: *const wharf_process,
    to: *const wharf_term,
    message: *const wharf_term,
    nosuspend: bool,
) -> Result<(), Fault> {
    let entry = alive(process)?;
    // SAFETY: the caller's promise.
    let (to, message) = unsafe { (lent("to", to)?, lent("message", message)?) };
    let sent = entry.process.send_with(to, message.clone(), nosuspend);
    match sent.map_err(|raise| Fault::raise(&format!("send to {to}"), raise))? {
        true => Ok(()),
        false => {
            let text = format!("{to} is busy, and nothing was sent");
            Err(Fault::new(WHARF_STATUS_BUSY, text))
        }
    }
}

/// Sends a message in `delay_ms` milliseconds, as Erlang's `erlang:send_after`: to a process, a port or a
/// name, unless the process that it is for has ended by then. `*timer` is written on success only, and may
/// be NULL where it is not wanted. Both terms stay the caller's.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_send_after(
    process: *const wharf_process,
    delay_ms: u64,
    to: *const wharf_term,
    message: *const wharf_term,
    timer: *mut wharf_reference,
) -> wharf_status {
    export!(wharf_send_after, {
        let entry = alive(process)?;
        // SAFETY: C's promise.
        let (to, message) = unsafe { (lent("to", to)?, lent("message", message)?) };
        let delay = Duration::from_millis(delay_ms);
        let set = entry.process.send_after(delay, to, message.clone());
        let set = wharf_reference { id: set.number() };
        // SAFETY: C's promise.
        unsafe { pointer::store(timer, set) };
        Ok(())
    })
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn no_timer() -> Fault {
    let text = "there is no such timer: its message was sent, or it was cancelled";
    Fault::new(WHARF_STATUS_NOTFOUND, text)
}

/// Takes a delayed message back. How many milliseconds were left is written to `*left_ms`, which may be
/// NULL.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NOTFOUND`: it was sent, or taken back, or there never was one.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this, for any process of the host.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_timer_cancel(
    process: *const wharf_process,
    timer: wharf_reference,
    left_ms: *mut u64,
) -> wharf_status {
    export!(wharf_timer_cancel, {
        let entry = living::process(process)?;
        let timer = Reference::from_number(timer.id);
        let left = entry.process.cancel_timer(timer).ok_or_else(no_timer)?;
        // SAFETY: C's promise.
        unsafe { pointer::store(left_ms, milliseconds(left)) };
        Ok(())
    })
}

/// How many milliseconds there are until a delayed message is sent.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NOTFOUND`: it was sent, or taken back, or there never was one.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this, for any process of the host.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_timer_left(
    process: *const wharf_process,
    timer: wharf_reference,
    left_ms: *mut u64,
) -> wharf_status {
    export!(wharf_timer_left, {
        let entry = living::process(process)?;
        let place = argument::place("left_ms", left_ms)?;
        let timer = Reference::from_number(timer.id);
        let left = entry.process.read_timer(timer).ok_or_else(no_timer)?;
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { pointer::store(place, milliseconds(left)) };
        Ok(())
    })
}

/// Has a message sent to a process when a port takes commands: at once if it does now, otherwise when it
/// is not busy any more, or has closed. Then `wharf_port_try_command` is tried again, which may find
/// the port busy once more. So an event loop need not wait in `wharf_port_command`. The message stays the
/// caller's.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_CLOSED`: the port is closed.
/// - `WHARF_STATUS_BADARG`: asked by a callback of the port's own driver, which cannot wait for itself.
/// - `WHARF_STATUS_EXITED`, `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_port_notify(
    process: *const wharf_process,
    port: wharf_port,
    message: *const wharf_term,
) -> wharf_status {
    export!(wharf_port_notify, {
        let entry = living::process(process)?;
        // SAFETY: C's promise.
        let message = unsafe { lent("message", message) }?;
        let port = find(&entry, "wait for", port)?;
        port.notify(message.clone())
            .map_err(|error| fault(&port, error))
    })
}

//! Messages, taken apart as far as ports send them.

use std::ffi::c_char;
use std::time::Duration;

use super::link::wharf_reference;
use super::living;
use super::port::wharf_port;
use super::process::{wharf_pid, wharf_process};
use super::receive;
use super::recent;
use super::status::{Fault, wharf_status};
use super::term::{self, wharf_term};
use super::{argument, export};
use crate::ffi::pointer;
use crate::host::{Message, Process};
use crate::term::{Binary, PortId, Term};
use wharf_message_kind::*;

/// What a message is. Later versions may know more kinds.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wharf_message_kind {
    /// None: the message was freed, or none has come.
    WHARF_MESSAGE_NONE = 0,
    /// `{Port, {data, Data}}`: `port`, and the bytes in `bytes` and `len`.
    WHARF_MESSAGE_DATA = 1,
    /// `{Port, {data, {eol | noeol, Line}}}`: as data, without the end of the line. `complete` is
    /// false where the line's end was not seen yet.
    WHARF_MESSAGE_LINE = 2,
    /// `{Port, {exit_status, Status}}`: `port`, and the program's `status`; 128 and more is a signal.
    WHARF_MESSAGE_EXIT_STATUS = 3,
    /// `{Port, eof}`: the program has closed its output; `port` is still open.
    WHARF_MESSAGE_EOF = 4,
    /// `{Port, closed}`: the answer to the message `{Owner, close}`.
    WHARF_MESSAGE_CLOSED = 5,
    /// `{Port, connected}`: the answer to the message `{Owner, {connect, Pid}}`.
    WHARF_MESSAGE_CONNECTED = 6,
    /// `{'EXIT', From, Reason}`: a linked port or process, in `port` or `pid`, has ended; `term` is
    /// the reason.
    WHARF_MESSAGE_EXIT = 7,
    /// `{'DOWN', Reference, _, Object, Reason}`: what was monitored, in `port` or `pid` unless it was
    /// by name, has ended; `reference` is the monitor, `term` the reason.
    WHARF_MESSAGE_DOWN = 8,
    /// Anything else: `term` is the message.
    WHARF_MESSAGE_OTHER = 9,
}

/// What keeps a message's bytes and terms.
#[allow(non_camel_case_types)]
pub struct wharf_message_body {
    bytes: Binary,
    term: Option<Term>,
}

/// A message, written by `wharf_receive` and freed by `wharf_message_free`. `kind` says which fields
/// mean something; the others are zero. `bytes` and `term` belong to the message and are good until it
/// is freed; bytes are not copied, and a message may be kept for as long as its bytes are wanted.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wharf_message {
    /// What it is.
    pub kind: wharf_message_kind,
    /// Of a line: whether its end was seen.
    pub complete: bool,
    /// The port that it came from, or that has ended.
    pub port: wharf_port,
    /// The process that has ended.
    pub pid: wharf_pid,
    /// The monitor.
    pub reference: wharf_reference,
    /// The program's exit status.
    pub status: i64,
    /// The data; not terminated by a NUL.
    pub bytes: *const u8,
    /// How many bytes of data.
    pub len: usize,
    /// The reason of an end, or the whole of another message.
    pub term: *const wharf_term,
    /// The library's own.
    pub body: *mut wharf_message_body,
}

const NONE: wharf_message = wharf_message {
    kind: WHARF_MESSAGE_NONE,
    complete: false,
    port: wharf_port { id: 0 },
    pid: wharf_pid { id: 0 },
    reference: wharf_reference { id: 0 },
    status: 0,
    bytes: std::ptr::null(),
    len: 0,
    term: std::ptr::null(),
    body: std::ptr::null_mut(),
};

impl wharf_message {
    fn of(kind: wharf_message_kind) -> wharf_message {
        wharf_message { kind, ..NONE }
    }

    fn from(self, port: PortId) -> wharf_message {
        let port = wharf_port { id: port.number() };
        wharf_message { port, ..self }
    }

    fn about(self, object: &Term) -> wharf_message {
        let port = object.as_port().map_or(0, PortId::number);
        let pid = object.as_pid().map_or(0, crate::term::Pid::number);
        wharf_message {
            port: wharf_port { id: port },
            pid: wharf_pid { id: pid },
            ..self
        }
    }

    fn with(self, bytes: Option<Binary>, term: Option<Term>) -> wharf_message {
        let has_bytes = bytes.is_some();
        let body = Box::new(wharf_message_body {
            bytes: bytes.unwrap_or_else(|| Binary::from("")),
            term,
        });
        // A short binary holds its bytes itself, so the pointers are into the box.
        let body = Box::into_raw(body);
        // SAFETY: just made, and nobody else has it.
        let kept = unsafe { &*body };
        let (bytes, len) = match has_bytes {
            true => (kept.bytes.as_ptr(), kept.bytes.len()),
            false => (std::ptr::null(), 0),
        };
        let term = kept.term.as_ref().map_or(std::ptr::null(), term::lend);
        wharf_message {
            bytes,
            len,
            term,
            body,
            ..self
        }
    }

    /// Data, in the place that C has for it: bytes that were taken out of the mailbox just now are not moved
    /// on, which would cost as much as the rest.
    ///
    /// # Safety
    /// `place` can be written.
    #[inline(always)]
    unsafe fn give_data(place: *mut wharf_message, port: PortId, bytes: Binary) {
        let body = Box::into_raw(Box::<wharf_message_body>::new_uninit());
        let body = body.cast::<wharf_message_body>();
        // SAFETY: just made, and nobody else has it; each part is written where it stays.
        let kept = unsafe {
            (&raw mut (*body).bytes).write(bytes);
            (&raw mut (*body).term).write(None);
            // A short binary holds its bytes itself, so they are in the box.
            (*body).bytes.as_bytes()
        };
        let message = wharf_message {
            kind: WHARF_MESSAGE_DATA,
            port: wharf_port { id: port.number() },
            bytes: kept.as_ptr(),
            len: kept.len(),
            body,
            ..NONE
        };
        // SAFETY: the caller's promise.
        unsafe { pointer::store(place, message) };
    }

    #[inline(never)]
    fn give(message: Message) -> wharf_message {
        match message {
            Message::Data { port, bytes } => wharf_message::of(WHARF_MESSAGE_DATA)
                .from(port)
                .with(Some(bytes), None),
            Message::Line {
                port,
                bytes,
                complete,
            } => wharf_message {
                complete,
                ..wharf_message::of(WHARF_MESSAGE_LINE)
            }
            .from(port)
            .with(Some(bytes), None),
            Message::ExitStatus { port, status } => wharf_message {
                status,
                ..wharf_message::of(WHARF_MESSAGE_EXIT_STATUS).from(port)
            },
            Message::Eof { port } => wharf_message::of(WHARF_MESSAGE_EOF).from(port),
            Message::Closed { port } => wharf_message::of(WHARF_MESSAGE_CLOSED).from(port),
            Message::Connected { port } => wharf_message::of(WHARF_MESSAGE_CONNECTED).from(port),
            Message::Exit { from, reason } => wharf_message::of(WHARF_MESSAGE_EXIT)
                .about(&from)
                .with(None, Some(reason)),
            Message::Down {
                reference,
                object,
                reason,
            } => wharf_message {
                reference: wharf_reference {
                    id: reference.number(),
                },
                ..wharf_message::of(WHARF_MESSAGE_DOWN)
            }
            .about(&object)
            .with(None, Some(reason)),
            Message::Other(term) => wharf_message::of(WHARF_MESSAGE_OTHER).with(None, Some(term)),
        }
    }
}

/// The next message, of a port or of anybody, into C's hands.
///
/// # Safety
/// `place` can be written.
#[inline(always)]
unsafe fn receive(
    process: *const wharf_process,
    from: Option<PortId>,
    timeout_ms: i64,
    place: *mut wharf_message,
) -> Result<(), Fault> {
    let me = recent::process(process)?;
    let place = argument::place("message", place)?;
    let mut bytes = Binary::empty();
    if let Some(port) = me.process.only_data(from, &mut bytes) {
        // SAFETY: the caller's promise.
        unsafe { wharf_message::give_data(place, port, bytes) };
        return Ok(());
    }
    // SAFETY: the caller's promise.
    unsafe { await_one(&me.process, from, timeout_ms, place) }
}

/// # Safety
/// As of [`receive`].
#[inline(never)]
unsafe fn await_one(
    process: &Process,
    from: Option<PortId>,
    timeout_ms: i64,
    place: *mut wharf_message,
) -> Result<(), Fault> {
    let timeout = argument::timeout(timeout_ms).unwrap_or(Duration::MAX);
    let received = match from {
        Some(port) => process.next_from(port, timeout),
        None => process.next(timeout),
    };
    let message = received?.ok_or_else(|| receive::nothing(timeout_ms))?;
    // SAFETY: the caller's promise.
    unsafe { pointer::store(place, wharf_message::give(message)) };
    Ok(())
}

/// Takes the next message of a process. Waits up to `timeout_ms` for one; 0 only looks, a negative
/// number waits for ever.
///
/// The message belongs to the caller, who frees it with `wharf_message_free`. `*message` is written
/// on success only, whatever was there before.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TIMEOUT`: no message came.
/// - `WHARF_STATUS_EXITED`: the process has ended, or did so meanwhile.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this; one at a time receives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_receive(
    process: *const wharf_process,
    timeout_ms: i64,
    message: *mut wharf_message,
) -> wharf_status {
    export!(wharf_receive, {
        // SAFETY: C's promise.
        unsafe { receive(process, None, timeout_ms, message) }
    })
}

/// Takes the next message that speaks of `port`, as `wharf_receive` does. Others stay where they are.
///
/// Statuses as of `wharf_receive`; a port that is closed already is waited for like any other.
///
/// Any thread may call this; one at a time receives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_receive_from(
    process: *const wharf_process,
    port: wharf_port,
    timeout_ms: i64,
    message: *mut wharf_message,
) -> wharf_status {
    export!(wharf_receive_from, {
        // SAFETY: C's promise.
        unsafe { receive(process, Some(port.id()), timeout_ms, message) }
    })
}

/// Takes the first message that matches a pattern, see `wharf_expect`, as a term. Others stay where
/// they are. Nothing is written to the standard error.
///
/// The term belongs to the caller, who frees it with `wharf_term_free`. `*message` is written on
/// success only. Statuses as of `wharf_expect`.
///
/// Any thread may call this; one at a time receives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_receive_match(
    process: *const wharf_process,
    timeout_ms: i64,
    pattern: *const c_char,
    message: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_receive_match, {
        let entry = living::process(process)?;
        let place = argument::place("message", message)?;
        // SAFETY: C's promise.
        let written = unsafe { argument::utf8("pattern", pattern) }?;
        let matched = receive::expect(&entry, timeout_ms, written)?;
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { pointer::store(place, term::give(matched)) };
        Ok(())
    })
}

/// Frees what a message holds, and makes its kind `WHARF_MESSAGE_NONE`, so that freeing it again does
/// no harm. NULL is fine.
///
/// Any thread may call this, when no other uses the message. A copy of the structure is not another
/// message: free one of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_message_free(message: *mut wharf_message) {
    export!(wharf_message_free, |_| (), {
        // SAFETY: C's promise.
        let Some(held) = (unsafe { pointer::load(message) }) else {
            return Ok(());
        };
        if !held.body.is_null() {
            // SAFETY: `with` made it of a box; that it is given back once is C's promise.
            drop(unsafe { Box::from_raw(held.body) });
        }
        // SAFETY: as the read above.
        unsafe { pointer::store(message, NONE) };
        Ok(())
    });
}

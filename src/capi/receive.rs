//! Receiving: the next message as text, and the message that a test expects.

use std::ffi::c_char;
use std::io::Write as _;
use std::time::{Duration, Instant};

use super::living::{self, ProcessEntry};
use super::process::wharf_process;
use super::status::{Fault, wharf_status};
use super::term::{hand_over, pattern_of, wharf_term};
use super::{argument, export, text};
use crate::ffi::pointer;
use crate::host::Process;
use crate::term::Term;
use wharf_status::*;

/// How many of the messages that came instead are told.
const SHOWN_MAX: usize = 20;

pub(super) fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

/// Takes the next message of a process, as Erlang text, for example
/// `{#Port<0.5>,{data,<<"hello">>}}`. Waits up to `timeout_ms` for one; 0 only looks, a negative
/// number waits for ever.
///
/// The text belongs to the caller, who frees it with `wharf_text_free`. `*message` is written on
/// success only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TIMEOUT`: no message came.
/// - `WHARF_STATUS_EXITED`: the process has ended, or did so meanwhile.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this; one at a time receives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_receive_text(
    process: *const wharf_process,
    timeout_ms: i64,
    message: *mut *mut c_char,
) -> wharf_status {
    export!(wharf_receive_text, {
        let entry = living::process(process)?;
        let place = argument::place("message", message)?;
        let deadline = deadline(argument::timeout(timeout_ms));
        let received = entry
            .process
            .receive(|term| Some(term.to_string()), deadline)?;
        let received = received.ok_or_else(|| nothing(timeout_ms))?;
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { pointer::store(place, text::give(received)) };
        Ok(())
    })
}

/// Takes the next message of a process as a term, whatever it is. Waits up to `timeout_ms` for one; 0 only
/// looks, a negative number waits for ever.
///
/// The term belongs to the caller, who frees it with `wharf_term_free`. `*message` is written on
/// success only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TIMEOUT`: no message came.
/// - `WHARF_STATUS_EXITED`: the process has ended, or did so meanwhile.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this; one at a time receives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_receive_term(
    process: *const wharf_process,
    timeout_ms: i64,
    message: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_receive_term, {
        let entry = living::process(process)?;
        let place = argument::place("message", message)?;
        let timeout = argument::timeout(timeout_ms).unwrap_or(Duration::MAX);
        let received = entry.process.receive_any(timeout)?;
        let received = received.ok_or_else(|| nothing(timeout_ms))?;
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { hand_over(place, received) };
        Ok(())
    })
}

pub(super) fn nothing(timeout_ms: i64) -> Fault {
    Fault::new(
        WHARF_STATUS_TIMEOUT,
        format!("no message came within {timeout_ms} ms"),
    )
}

/// For tests: takes the first message that matches a pattern, waiting up to `timeout_ms` for one.
/// Other messages stay where they are, in order.
///
/// A pattern is Erlang text. In it `_` matches everything, and a variable (`Port`, `Data`) matches
/// anything, but the same wherever it stands again:
///
/// ```c
/// wharf_expect(me, 1000, "{Port, {data, <<\"5\">>}}");
/// wharf_expect(me, 1000, "{'EXIT', _, normal}");
/// ```
///
/// A map matches when it has the pattern's keys with matching values. When nothing matches, the
/// pattern, the messages that came instead and the state of the process's ports are written to
/// the standard error, and are the text of `wharf_error_text`.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_TIMEOUT`: no message is there at all.
/// - `WHARF_STATUS_MISMATCH`: messages are there, and none of them matches.
/// - `WHARF_STATUS_SYNTAX`: the text is no pattern; the error's text says where.
/// - `WHARF_STATUS_EXITED`: the process has ended, or did so meanwhile.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this; one at a time receives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_expect(
    process: *const wharf_process,
    timeout_ms: i64,
    pattern: *const c_char,
) -> wharf_status {
    export!(wharf_expect, {
        let entry = living::process(process)?;
        // SAFETY: C's promise.
        let written = unsafe { argument::utf8("pattern", pattern) }?;
        let expected = expect(&entry, timeout_ms, written);
        expected.map(drop).inspect_err(|fault| {
            // For whoever reads the test's output; a status alone says too little. Where it cannot be
            // written nobody reads it.
            let _ = writeln!(std::io::stderr(), "wharf_expect: {}", fault.text);
        })
    })
}

/// The first message that matches.
pub(super) fn expect(entry: &ProcessEntry, timeout_ms: i64, written: &str) -> Result<Term, Fault> {
    let pattern = pattern_of(written)?;
    let until = deadline(argument::timeout(timeout_ms));
    let choose = |message: &Term| pattern.matches(message).then(|| message.clone());
    match entry.process.receive(choose, until) {
        Ok(Some(message)) => Ok(message),
        Ok(None) => Err(unmet(&entry.process, timeout_ms, written)),
        Err(exited) => Err(Fault {
            text: format!("expected {written}, but {exited}"),
            ..Fault::from(exited)
        }),
    }
}

/// What there is to say when nothing matched.
fn unmet(process: &Process, timeout_ms: i64, written: &str) -> Fault {
    let mut came = Vec::new();
    let mut more = 0_usize;
    // Looks at what is there, and takes nothing.
    let _ = process.receive(
        |message| {
            match came.len() < SHOWN_MAX {
                true => came.push(message.to_string()),
                false => more += 1,
            }
            None::<()>
        },
        Some(Instant::now()),
    );
    let mut text = format!("within {timeout_ms} ms nothing matched\n  expected: {written}");
    for message in &came {
        text += &format!("\n  came:     {message}");
    }
    match (came.is_empty(), more) {
        (true, _) => text += "\n  came:     nothing",
        (_, 0) => {}
        (_, more) => text += &format!("\n  and {more} more"),
    }
    text += &ports(process);
    let status = match came.is_empty() {
        true => WHARF_STATUS_TIMEOUT,
        false => WHARF_STATUS_MISMATCH,
    };
    Fault::new(status, text)
}

/// The state of the ports that a process owns, a line each.
fn ports(process: &Process) -> String {
    let mine = Term::Pid(process.pid());
    let all = process.host().ports().into_iter();
    let lines = all.filter_map(|id| {
        let port = process.port(id)?;
        if port.info("connected")? != mine {
            return None;
        }
        let open = if port.is_open() { "open" } else { "closing" };
        let facts = process.port_info(&Term::Port(id)).ok()?;
        Some(format!("\n  port:     {id} is {open}: {facts}"))
    });
    let lines: String = lines.collect();
    match lines.is_empty() {
        true => "\n  port:     the process owns no open port".into(),
        false => lines,
    }
}

//! Numbers for what went wrong, the only such table, and the words of a thread's last error.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::mem::MaybeUninit;

use super::export;
use crate::ffi::guard;
use crate::host::{Error, Exited, Raise};
use crate::term::Term;

/// How a function ended. 0 is success. A number is never given another meaning, and numbers that
/// are not listed here may come from a later version of the library: treat them as failures.
///
/// `wharf_status_text` has words for each; `wharf_error_text` says what exactly went wrong.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wharf_status {
    /// It was done.
    WHARF_STATUS_OK = 0,
    /// An argument is NULL that must not be, or a length is larger than memory can be.
    WHARF_STATUS_NULL = 1,
    /// The host or process was freed, or there never was one of this address.
    WHARF_STATUS_FREED = 2,
    /// An argument is wrong: Erlang's `badarg`.
    WHARF_STATUS_BADARG = 3,
    /// The text is not a term, not a pattern, or not UTF-8.
    WHARF_STATUS_SYNTAX = 4,
    /// The port is closed, or there never was one of this identity in this host.
    WHARF_STATUS_CLOSED = 5,
    /// The process has ended.
    WHARF_STATUS_EXITED = 6,
    /// Nothing came in time.
    WHARF_STATUS_TIMEOUT = 7,
    /// What came in time was something else.
    WHARF_STATUS_MISMATCH = 8,
    /// The port is busy, and the call was not to wait.
    WHARF_STATUS_BUSY = 9,
    /// The port or its driver cannot do this: Erlang's `notsup`.
    WHARF_STATUS_NOTSUP = 10,
    /// There is none of this name: no process or port, no driver, no timer.
    WHARF_STATUS_NOTFOUND = 11,
    /// The process or port to be linked has ended: Erlang's `noproc`.
    WHARF_STATUS_NOPROC = 12,
    /// The host has as many ports or processes as it may have: Erlang's `system_limit`.
    WHARF_STATUS_LIMIT = 13,
    /// The system or a driver refused; `wharf_error_reason` has its word for it, for example
    /// `enoent`.
    WHARF_STATUS_REFUSED = 14,
    /// The term is of another kind than the function is about.
    WHARF_STATUS_TYPE = 15,
    /// A number or an index is outside what it may be.
    WHARF_STATUS_RANGE = 16,
    /// It was done, and something was left that somebody should have put away.
    WHARF_STATUS_LEFT = 17,
    /// A fault in wharf itself, which it has survived. Please report it.
    WHARF_STATUS_INTERNAL = 18,
    /// Never answered. It makes room in the type for the numbers of later versions.
    WHARF_STATUS_LARGEST = 0x7fff_ffff,
}

use wharf_status::*;

/// Why a function fails: the number, the sentence, and Erlang's reason.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) status: wharf_status,
    pub(super) text: String,
    pub(super) reason: Option<Term>,
}

impl Fault {
    pub(super) fn new(status: wharf_status, text: impl Into<String>) -> Fault {
        Fault {
            status,
            text: text.into(),
            reason: None,
        }
    }

    /// What an exception of Erlang's functions is, with what was being done in front.
    pub(super) fn raise(doing: &str, raise: Raise) -> Fault {
        Fault {
            status: of_reason(&raise.reason),
            text: format!("cannot {doing}: {raise}"),
            reason: Some(raise.reason),
        }
    }

    /// The same fault with another number, which says more than its reason does.
    pub(super) fn with_status(self, status: wharf_status) -> Fault {
        Fault { status, ..self }
    }
}

fn of_reason(reason: &Term) -> wharf_status {
    match reason.as_atom().map(|reason| reason.as_str()) {
        Some("badarg") => WHARF_STATUS_BADARG,
        Some("notsup") => WHARF_STATUS_NOTSUP,
        Some("noproc") => WHARF_STATUS_NOPROC,
        Some("system_limit") => WHARF_STATUS_LIMIT,
        _ => WHARF_STATUS_REFUSED,
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let text = error.to_string();
        let reason = error.into_raise().reason;
        Fault {
            status: of_reason(&reason),
            text,
            reason: Some(reason),
        }
    }
}

impl From<Exited> for Fault {
    fn from(exited: Exited) -> Fault {
        Fault {
            status: WHARF_STATUS_EXITED,
            text: exited.to_string(),
            reason: Some(exited.reason),
        }
    }
}

/// What went wrong last on a thread.
struct Last {
    text: CString,
    reason: CString,
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// A string for C: it ends at its first NUL, of which there are none in what people read.
pub(super) fn c_string(text: impl Into<Vec<u8>>) -> CString {
    let mut bytes = text.into();
    bytes.retain(|byte| *byte != 0);
    CString::new(bytes).unwrap_or_default()
}

/// Notes a fault as the thread's last error.
fn remember(function: &str, fault: &Fault) {
    let reason = fault.reason.as_ref().map(Term::to_string);
    let last = Last {
        text: c_string(format!("{function}: {}", fault.text)),
        reason: c_string(reason.unwrap_or_default()),
    };
    // A thread that is ending has no last error any more.
    let _ = LAST.try_with(|place| drop(place.borrow_mut().replace(last)));
}

/// Runs the body of an exported function, see [`export!`].
#[inline]
pub(super) fn answer<R>(
    function: &'static str,
    failure: impl FnOnce(wharf_status) -> R,
    body: impl FnOnce() -> Result<R, Fault>,
) -> R {
    match guard::run(body) {
        Ok(Ok(value)) => value,
        Ok(Err(fault)) => {
            let status = fault.status;
            let _ = guard::run(|| remember(function, &fault));
            failure(status)
        }
        Err(panic) => {
            tracing::error!(function, message = panic.0, "a panic in the library");
            let fault = Fault::new(
                WHARF_STATUS_INTERNAL,
                format!("a fault in wharf: {}", panic.0),
            );
            let _ = guard::run(|| remember(function, &fault));
            failure(WHARF_STATUS_INTERNAL)
        }
    }
}

/// Runs the body of an exported function whose answer is the status itself.
#[inline]
pub(super) fn done(
    function: &'static str,
    body: impl FnOnce() -> Result<(), Fault>,
) -> wharf_status {
    answer(
        function,
        |status| status,
        || body().map(|()| WHARF_STATUS_OK),
    )
}

/// The words for a status, for example `the port is closed`. Never NULL.
///
/// The text is part of the library and is never freed. Any thread may call this, with any
/// number.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_status_text(status: MaybeUninit<wharf_status>) -> *const c_char {
    const _: () = assert!(size_of::<wharf_status>() == size_of_val(&(WHARF_STATUS_LARGEST as u32)));
    // SAFETY: C gives a number of this size, which need not be one of ours and is read as any.
    let status = unsafe { status.as_ptr().cast::<u32>().read() };
    words(status).as_ptr()
}

fn words(status: u32) -> &'static CStr {
    const WORDS: [(wharf_status, &CStr); 19] = [
        (WHARF_STATUS_OK, c"no error"),
        (WHARF_STATUS_NULL, c"an argument is NULL that must not be"),
        (WHARF_STATUS_FREED, c"the host or process was freed"),
        (WHARF_STATUS_BADARG, c"an argument is wrong"),
        (WHARF_STATUS_SYNTAX, c"the text cannot be read"),
        (WHARF_STATUS_CLOSED, c"the port is closed"),
        (WHARF_STATUS_EXITED, c"the process has ended"),
        (WHARF_STATUS_TIMEOUT, c"nothing came in time"),
        (WHARF_STATUS_MISMATCH, c"something else came"),
        (WHARF_STATUS_BUSY, c"the port is busy"),
        (WHARF_STATUS_NOTSUP, c"the port cannot do this"),
        (WHARF_STATUS_NOTFOUND, c"there is none of this name"),
        (
            WHARF_STATUS_NOPROC,
            c"the process or port to be linked has ended",
        ),
        (WHARF_STATUS_LIMIT, c"the host has as many as it may have"),
        (WHARF_STATUS_REFUSED, c"the system or a driver refused"),
        (WHARF_STATUS_TYPE, c"the term is of another kind"),
        (WHARF_STATUS_RANGE, c"a number is outside what it may be"),
        (WHARF_STATUS_LEFT, c"something was left behind"),
        (WHARF_STATUS_INTERNAL, c"a fault in wharf itself"),
    ];
    let found = WORDS.iter().find(|(known, _)| *known as u32 == status);
    found.map_or(c"a status of another version of wharf", |(_, words)| words)
}

/// What went wrong last on this thread: the function, the port and the operation, and what to do
/// about it. An empty text when nothing has. Never NULL.
///
/// The text belongs to the library, and is good until the next call on this thread that fails.
/// A call that succeeds leaves it as it is.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_error_text() -> *const c_char {
    last(|last| &last.text)
}

/// Erlang's reason for what went wrong last on this thread, as Erlang text, for example `enoent`
/// or `badarg`. An empty text where Erlang has none. Never NULL.
///
/// The text belongs to the library, and is good until the next call on this thread that fails.
#[unsafe(no_mangle)]
pub extern "C" fn wharf_error_reason() -> *const c_char {
    last(|last| &last.reason)
}

fn last(choose: impl FnOnce(&Last) -> &CString) -> *const c_char {
    export!(wharf_error_text, |_| c"".as_ptr(), {
        let text = LAST.try_with(|place| place.borrow().as_ref().map(|last| choose(last).as_ptr()));
        Ok(text.ok().flatten().unwrap_or(c"".as_ptr()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_words_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for status in 0..=WHARF_STATUS_INTERNAL as u32 {
            assert!(seen.insert(words(status)), "{status}");
        }
        assert!(seen.insert(words(u32::MAX)));
        assert!(!seen.insert(words(WHARF_STATUS_INTERNAL as u32 + 1)));
    }

    #[test]
    fn a_panic_is_a_status_with_its_words() {
        let status = export!(wharf_some_function, { panic!("on purpose") });
        assert_eq!(status, WHARF_STATUS_INTERNAL);
        // SAFETY: the library's own text, read before anything else fails here.
        let text = unsafe { CStr::from_ptr(wharf_error_text()) };
        assert_eq!(text, c"wharf_some_function: a fault in wharf: on purpose");
    }
}

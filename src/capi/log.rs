//! What the library has to say to the program's log.

use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::fmt::{self, Write as _};
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber, callsite, subscriber};

use super::export;
use super::status::{Fault, c_string, wharf_status};
use crate::lock::{self, Lock};
use wharf_log_level::*;
use wharf_status::*;

/// How much a message of the log matters. Later versions may know more.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wharf_log_level {
    /// Something has failed, or a driver breaks a rule that Erlang's log tells of, too.
    WHARF_LOG_ERROR = 1,
    /// Something is likely wrong: a driver breaks a rule, or takes long.
    WHARF_LOG_WARNING = 2,
    /// What may be good to know.
    WHARF_LOG_INFO = 3,
    /// For people who look for a fault.
    WHARF_LOG_DEBUG = 4,
    /// Everything.
    WHARF_LOG_TRACE = 5,
}

/// What is called with a message of the log: the text ends with a NUL, and is good during the call only.
#[allow(non_camel_case_types)]
pub type wharf_log_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, level: wharf_log_level, text: *const c_char)>;

/// What C has set.
struct Target {
    callback: unsafe extern "C" fn(*mut c_void, wharf_log_level, *const c_char),
    user: *mut c_void,
}

// SAFETY: C promises that the callback may be called from any thread, with this pointer.
unsafe impl Send for Target {}
// SAFETY: as for `Send`; nothing is changed in it.
unsafe impl Sync for Target {}

static TARGET: Lock<Option<Arc<Target>>> = Lock::new(None);
/// The least that matters: 0 for nothing.
static LEVEL_MAX: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Takes what the library tells `tracing`, and hands it to C.
struct ToC;

fn level(of: Level) -> wharf_log_level {
    match of {
        Level::ERROR => WHARF_LOG_ERROR,
        Level::WARN => WHARF_LOG_WARNING,
        Level::INFO => WHARF_LOG_INFO,
        Level::DEBUG => WHARF_LOG_DEBUG,
        Level::TRACE => WHARF_LOG_TRACE,
    }
}

impl Subscriber for ToC {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        level(*metadata.level()) as u32 <= LEVEL_MAX.load(Ordering::Relaxed)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match LEVEL_MAX.load(Ordering::Relaxed) {
            0 => LevelFilter::OFF,
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            4 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        })
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let Some(target) = TARGET.lock().clone() else {
            return;
        };
        // What the callback makes the library say would lead back here without an end.
        if INSIDE
            .try_with(|inside| inside.replace(true))
            .unwrap_or(true)
        {
            return;
        }
        let mut line = Line::default();
        event.record(&mut line);
        let text = c_string(line.message + &line.fields);
        lock::assert_none_held();
        // SAFETY: what C promised when it set the callback.
        unsafe { (target.callback)(target.user, level(*event.metadata().level()), text.as_ptr()) };
        let _ = INSIDE.try_with(|inside| inside.set(false));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A message as people read it: what is said, then what it is about.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a text does not fail.
        let _ = match field.name() {
            "message" if self.message.is_empty() => write!(self.message, "{value:?}"),
            name => write!(self.fields, ", {name}: {value:?}"),
        };
    }
}

/// Has a callback called with what the library has to say: faults of drivers above all, which break no
/// function's result. `level_max` is the least important level that is wanted; NULL for `callback` ends it.
/// Without a callback nothing is said, and nothing is spent on it.
///
/// ```c
/// static void say(void *user, wharf_log_level level, const char *text)
/// {
///     (void)level;
///     fprintf(user, "wharf: %s\n", text);
/// }
///
/// wharf_log_set(WHARF_LOG_WARNING, say, stderr);
/// ```
///
/// There is one callback for the whole program, whatever its hosts. It is called on whichever thread finds
/// something to say, at any time and by several at once, a driver's thread or one of the library's among
/// them, in the middle of what is being done: it should be quick, and not wait for the library. No lock is
/// held. What the library has to say about calls that the callback makes is dropped. When
/// `wharf_log_set` returns, another thread may still be in the callback that was set before.
///
/// `user` is handed to the callback and stays the caller's.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_RANGE`: there is no such level.
/// - `WHARF_STATUS_REFUSED`: a part of the program that is written in Rust takes the log already.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_log_set(
    level_max: MaybeUninit<wharf_log_level>,
    callback: wharf_log_callback,
    user: *mut c_void,
) -> wharf_status {
    const _: () = assert!(size_of::<wharf_log_level>() == size_of::<u32>());
    export!(wharf_log_set, {
        // SAFETY: C gives a number of this size, which need not be one of ours and is read as any.
        let level_max = unsafe { level_max.as_ptr().cast::<u32>().read() };
        let Some(callback) = callback else {
            LEVEL_MAX.store(0, Ordering::Relaxed);
            let before = TARGET.lock().take();
            drop(before);
            callsite::rebuild_interest_cache();
            return Ok(());
        };
        if !(WHARF_LOG_ERROR as u32..=WHARF_LOG_TRACE as u32).contains(&level_max) {
            let text = format!("there is no level {level_max} of the log");
            return Err(Fault::new(WHARF_STATUS_RANGE, text));
        }
        listen()?;
        let before = TARGET.lock().replace(Arc::new(Target { callback, user }));
        drop(before);
        LEVEL_MAX.store(level_max, Ordering::Relaxed);
        callsite::rebuild_interest_cache();
        Ok(())
    })
}

/// Sees to it that what the library says comes here.
fn listen() -> Result<(), Fault> {
    static LISTENING: Lock<bool> = Lock::new(false);
    let mut listening = LISTENING.lock();
    if !*listening {
        subscriber::set_global_default(ToC).map_err(|_| {
            let text = "a part of the program takes what the library says already";
            Fault::new(WHARF_STATUS_REFUSED, text)
        })?;
        *listening = true;
    }
    Ok(())
}

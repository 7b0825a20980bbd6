//! A driver's own threads, and data that each thread has its own of.

use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use super::export;
use crate::driver::context;
use crate::driver::raw::{ErlDrvTSDKey, ErlDrvThreadOpts, ErlDrvTid};
use crate::ffi::pointer;
use crate::lock::Lock;
use crate::os::errno::Errno;
use crate::os::library;
use crate::os::thread::{self, Body, Key, Start, Thread};

/// What an `ErlDrvTid` points to. One for each thread that was created, or asked who it is.
struct Record {
    name: CString,
    /// Made by erl_drv_thread_create.
    created: bool,
    /// `None` for a thread that the driver did not create: nobody can join it.
    thread: Lock<Option<Thread>>,
    /// The library that its function is in.
    home: Option<usize>,
}

/// The libraries that threads run in which nobody has joined, once for each thread.
static RUNNING_IN: Lock<Vec<usize>> = Lock::new(Vec::new());

/// Whether there are threads with a function in this library that nobody has joined.
pub(in crate::driver) fn run_in(library: usize) -> bool {
    RUNNING_IN.lock().contains(&library)
}

thread_local! {
    /// This thread's record.
    static SELF: Cell<*mut Record> = const { Cell::new(ptr::null_mut()) };
}

/// Names for threads nobody named.
const UNKNOWN: &CStr = c"unknown";

export! {
    fn erl_drv_thread_opts_create(_name: *mut c_char) -> *mut ErlDrvThreadOpts, else ptr::null_mut() => {
        Box::into_raw(Box::new(ErlDrvThreadOpts { suggested_stack_size: -1 }))
    }

    fn erl_drv_thread_opts_destroy(opts: *mut ErlDrvThreadOpts), else () => {
        if !opts.is_null() {
            // SAFETY: the driver's, from erl_drv_thread_opts_create.
            drop(unsafe { Box::from_raw(opts) });
        }
    }

    fn erl_drv_thread_create(
        name: *mut c_char,
        tid: *mut ErlDrvTid,
        func: Option<unsafe extern "C" fn(*mut c_void) -> *mut c_void>,
        arg: *mut c_void,
        opts: *mut ErlDrvThreadOpts,
    ) -> c_int, else Errno::EINVAL.number() => {
        let Some(func) = func else {
            return Errno::EINVAL.number();
        };
        // SAFETY: NULL, or a string of the driver's; NULL, or its options.
        let (name, opts) = unsafe { (pointer::string(name), pointer::load(opts)) };
        let record = Box::into_raw(Box::new(Record {
            name: name.unwrap_or(UNKNOWN).to_owned(),
            created: true,
            thread: Lock::new(None),
            home: library::base_of(func as usize),
        }));
        let known = record.expose_provenance();
        let variables = context::variables();
        // SAFETY: the same function, seen as one that may be left by erl_drv_thread_exit.
        let body: Body = unsafe { std::mem::transmute(func) };
        let start = Start {
            name,
            stack_bytes: opts.and_then(|opts| stack_bytes(opts.suggested_stack_size)),
            prologue: Box::new(move || {
                SELF.set(ptr::with_exposed_provenance_mut(known));
                if let Some(variables) = variables {
                    context::mark_for_good(variables);
                }
            }),
            body,
            argument: arg,
        };
        // SAFETY: the record lives until the thread is joined, for which the lock is needed.
        let made = unsafe { &*record };
        let mut slot = made.thread.lock();
        // SAFETY: the driver wants this function run; its library is not closed before the
        // thread is joined.
        match unsafe { thread::start(start) } {
            Ok(thread) => {
                RUNNING_IN.lock().extend(made.home);
                *slot = Some(thread);
                drop(slot);
                // SAFETY: the driver wants the thread's name there.
                unsafe { pointer::store(tid, record.cast()) };
                0
            }
            Err(error) => {
                drop(slot);
                // SAFETY: no thread was started that could know it.
                drop(unsafe { Box::from_raw(record) });
                error.number()
            }
        }
    }

    fn erl_drv_thread_self() -> ErlDrvTid, else ptr::null_mut() => {
        if SELF.get().is_null() {
            // Small, one for each thread that asks, and it has to outlive what the driver does
            // with it, which nobody knows.
            let record =
                Record { name: UNKNOWN.to_owned(), created: false, thread: Lock::new(None), home: None };
            SELF.set(Box::into_raw(Box::new(record)));
        }
        SELF.get().cast()
    }

    fn erl_drv_equal_tids(a: ErlDrvTid, b: ErlDrvTid) -> c_int, else 0 => {
        c_int::from(ptr::eq(a, b))
    }

    fn erl_drv_thread_join(tid: ErlDrvTid, result: *mut *mut c_void) -> c_int, else Errno::EINVAL.number() => {
        let record = tid.cast::<Record>();
        // SAFETY: NULL, or a record: the driver joins each thread once.
        let Some(known) = (unsafe { record.as_ref() }) else {
            return Errno::EINVAL.number();
        };
        if known.created && ptr::eq(record, SELF.get()) {
            return Errno::EDEADLK.number();
        }
        let Some(thread) = known.thread.lock().take() else {
            return Errno::EINVAL.number();
        };
        match thread.join() {
            Ok(value) => {
                left(known.home);
                // SAFETY: NULL, or where the driver wants it.
                unsafe { pointer::store(result, value) };
                // SAFETY: the thread is over, and its name with it.
                drop(unsafe { Box::from_raw(record) });
                0
            }
            Err(error) => error.number(),
        }
    }

    fn erl_drv_thread_name(tid: ErlDrvTid) -> *mut c_char, else ptr::null_mut() => {
        // SAFETY: NULL, or a record.
        match unsafe { tid.cast::<Record>().as_ref() } {
            Some(record) => record.name.as_ptr().cast_mut(),
            None => ptr::null_mut(),
        }
    }

    fn erl_drv_tsd_key_create(_name: *mut c_char, key: *mut ErlDrvTSDKey) -> c_int, else Errno::EAGAIN.number() => {
        match Key::create() {
            Ok(made) => {
                // SAFETY: the driver wants the key there.
                unsafe { pointer::store(key, made.number().cast_signed()) };
                0
            }
            Err(error) => error.number(),
        }
    }

    fn erl_drv_tsd_key_destroy(key: ErlDrvTSDKey), else () => {
        with_key(key, "erl_drv_tsd_key_destroy", Key::destroy);
    }

    fn erl_drv_tsd_set(key: ErlDrvTSDKey, data: *mut c_void), else () => {
        with_key(key, "erl_drv_tsd_set", |key| key.set(data));
    }

    fn erl_drv_tsd_get(key: ErlDrvTSDKey) -> *mut c_void, else ptr::null_mut() => {
        with_key(key, "erl_drv_tsd_get", Key::get).unwrap_or(ptr::null_mut())
    }
}

/// Ends the calling thread. It unwinds the stack by force, so it cannot be one of `export!`.
/// Without effect in a thread that is only lent to the driver.
///
/// # Safety
/// As for [`thread::exit`], if the caller is a thread from `erl_drv_thread_create`.
pub(super) unsafe extern "C-unwind" fn erl_drv_thread_exit(result: *mut c_void) {
    if is_a_drivers_own() {
        // SAFETY: there is nothing between the function of such a thread and here but the
        // driver's code.
        unsafe { thread::exit(result) }
    }
    tracing::error!("a driver called erl_drv_thread_exit in a thread that it had not created");
}

fn is_a_drivers_own() -> bool {
    // SAFETY: NULL, or this thread's record, which lives until the thread is joined.
    unsafe { SELF.get().as_ref() }.is_some_and(|record| record.created)
}

/// A thread is no longer in this library.
fn left(home: Option<usize>) {
    let mut running = RUNNING_IN.lock();
    if let Some(at) = running.iter().position(|one| Some(*one) == home) {
        running.swap_remove(at);
    }
}

/// Kilowords to bytes; -1 leaves it to the system.
fn stack_bytes(kilowords: c_int) -> Option<usize> {
    let kilowords = usize::try_from(kilowords).ok()?;
    kilowords.checked_mul(1024 * size_of::<usize>())
}

fn with_key<R>(key: ErlDrvTSDKey, function: &str, f: impl FnOnce(Key) -> R) -> Option<R> {
    match Key::from_number(i64::from(key)) {
        Ok(key) => Some(f(key)),
        Err(_) => {
            tracing::error!(function, key, "a driver used a key that does not exist");
            None
        }
    }
}

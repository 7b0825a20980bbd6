//! A driver's own threads, and data that each thread has its own of.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use super::export;
use super::misuse::{self, Function, Rule};
use crate::driver::callback;
use crate::driver::context;
use crate::driver::raw::{ErlDrvTSDKey, ErlDrvThreadOpts, ErlDrvTid};
use crate::ffi::pointer;
use crate::lock::Lock;
use crate::os::errno::Errno;
use crate::os::library;
use crate::os::thread::{self, Body, Key, Start, Thread};
use crate::port::variables::Variables;

/// What an `ErlDrvTid` stands for. One for each thread that was created, or asked who it is.
struct Record {
    name: CString,
    /// Made by erl_drv_thread_create.
    created: bool,
    /// `None` for a thread that the driver did not create: nobody can join it.
    thread: Lock<Option<Thread>>,
    /// The library that its function is in.
    home: Option<usize>,
    /// The driver whose callback made it, and the host, for those who ask what was left.
    driver: Option<String>,
    host: Option<Weak<Variables>>,
}

/// All that were not joined, by number: an `ErlDrvTid` is that, tagged, and never used again, so that
/// who joins twice is found out.
static THREADS: Lock<BTreeMap<usize, Arc<Record>>> = Lock::new(BTreeMap::new());

const TAG_BITS: u32 = 4;
const TAG: usize = 0xd;

/// A thread that a driver has made and nobody has joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldThread {
    pub(crate) name: String,
    /// `None` when it was made outside the callbacks of a port.
    pub(crate) driver: Option<String>,
}

/// The threads that the drivers of a host have made and nobody has joined, the oldest first.
pub(crate) fn unjoined(host: &Weak<Variables>) -> Vec<HeldThread> {
    let threads = THREADS.lock();
    let mine = threads.values().filter(|record| {
        let of_host = record.host.as_ref();
        record.created && of_host.is_some_and(|of_host| of_host.ptr_eq(host))
    });
    let held = mine.map(|record| HeldThread {
        name: record.name.to_string_lossy().into_owned(),
        driver: record.driver.clone(),
    });
    held.collect()
}

/// Notes one more and gives its number.
fn note(record: Arc<Record>) -> usize {
    static SERIAL: AtomicUsize = AtomicUsize::new(1);
    let number = SERIAL.fetch_add(1, Ordering::Relaxed);
    THREADS.lock().insert(number, record);
    number
}

fn known(number: usize) -> Option<Arc<Record>> {
    THREADS.lock().get(&number).map(Arc::clone)
}

/// The word that C keeps.
fn tid_of(number: usize) -> ErlDrvTid {
    ptr::without_provenance_mut(number << TAG_BITS | TAG)
}

/// The number in it; 0, which none has, for any other word.
fn number_of(tid: ErlDrvTid) -> usize {
    let word = tid.addr();
    if word & ((1 << TAG_BITS) - 1) == TAG {
        word >> TAG_BITS
    } else {
        0
    }
}

/// The libraries that threads run in which nobody has joined, once for each thread.
static RUNNING_IN: Lock<Vec<usize>> = Lock::new(Vec::new());

/// Whether there are threads with a function in this library that nobody has joined.
pub(in crate::driver) fn run_in(library: usize) -> bool {
    RUNNING_IN.lock().contains(&library)
}

thread_local! {
    /// The number of this thread's record; 0 for none.
    static SELF: Cell<usize> = const { Cell::new(0) };
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
            misuse::tell_here(&Rule::Nothing("a function to run"));
            return Errno::EINVAL.number();
        };
        // SAFETY: NULL, or a string of the driver's; NULL, or its options.
        let (name, opts) = unsafe { (pointer::string(name), pointer::load(opts)) };
        let variables = context::variables();
        let made = Arc::new(Record {
            name: name.unwrap_or(UNKNOWN).to_owned(),
            created: true,
            thread: Lock::new(None),
            home: library::base_of(func as usize),
            driver: callback::driver(),
            host: variables.as_ref().map(Arc::downgrade),
        });
        let number = note(Arc::clone(&made));
        // SAFETY: the same function, seen as one that may be left by erl_drv_thread_exit.
        let body: Body = unsafe { std::mem::transmute(func) };
        let start = Start {
            name,
            stack_bytes: opts.and_then(|opts| stack_bytes(opts.suggested_stack_size)),
            prologue: Box::new(move || {
                SELF.set(number);
                if let Some(variables) = variables {
                    context::mark_for_good(&variables);
                }
            }),
            body,
            argument: arg,
        };
        // Who joins the thread before it is known here waits.
        let mut slot = made.thread.lock();
        // SAFETY: the driver wants this function run; its library is not closed before the
        // thread is joined.
        match unsafe { thread::start(start) } {
            Ok(thread) => {
                RUNNING_IN.lock().extend(made.home);
                *slot = Some(thread);
                drop(slot);
                // SAFETY: the driver wants the thread's name there.
                unsafe { pointer::store(tid, tid_of(number)) };
                0
            }
            Err(error) => {
                drop(slot);
                THREADS.lock().remove(&number);
                error.number()
            }
        }
    }

    fn erl_drv_thread_self() -> ErlDrvTid, else ptr::null_mut() => {
        if SELF.get() == 0 {
            // Small, one for each thread that asks, and it has to outlive what the driver does
            // with it, which nobody knows.
            let record = Record {
                name: UNKNOWN.to_owned(),
                created: false,
                thread: Lock::new(None),
                home: None,
                driver: None,
                host: None,
            };
            SELF.set(note(Arc::new(record)));
        }
        tid_of(SELF.get())
    }

    fn erl_drv_equal_tids(a: ErlDrvTid, b: ErlDrvTid) -> c_int, else 0 => {
        c_int::from(ptr::eq(a, b))
    }

    fn erl_drv_thread_join(tid: ErlDrvTid, result: *mut *mut c_void) -> c_int, else Errno::EINVAL.number() => {
        let number = number_of(tid);
        let found = known(number);
        if number == SELF.get() && found.as_ref().is_some_and(|found| found.created) {
            misuse::tell_here(&Rule::JoinsItself);
            return Errno::EDEADLK.number();
        }
        let taken = found.and_then(|found| Some((found.thread.lock().take()?, found.home)));
        let Some((thread, home)) = taken else {
            misuse::tell_here(&Rule::NotJoinable);
            return Errno::EINVAL.number();
        };
        match thread.join() {
            Ok(value) => {
                left(home);
                // SAFETY: NULL, or where the driver wants it.
                unsafe { pointer::store(result, value) };
                // Its name goes with it.
                THREADS.lock().remove(&number);
                0
            }
            Err(error) => error.number(),
        }
    }

    fn erl_drv_thread_name(tid: ErlDrvTid) -> *mut c_char, else ptr::null_mut() => {
        // There until the thread is joined.
        match known(number_of(tid)) {
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
        with_key(key, Key::destroy);
    }

    fn erl_drv_tsd_set(key: ErlDrvTSDKey, data: *mut c_void), else () => {
        with_key(key, |key| key.set(data));
    }

    fn erl_drv_tsd_get(key: ErlDrvTSDKey) -> *mut c_void, else ptr::null_mut() => {
        with_key(key, Key::get).unwrap_or(ptr::null_mut())
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
    misuse::note_function(&THREAD_EXIT);
    misuse::tell_here(&Rule::NotItsThread);
}

static THREAD_EXIT: Function = Function("erl_drv_thread_exit");

fn is_a_drivers_own() -> bool {
    known(SELF.get()).is_some_and(|record| record.created)
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

fn with_key<R>(key: ErlDrvTSDKey, f: impl FnOnce(Key) -> R) -> Option<R> {
    match Key::from_number(i64::from(key)) {
        Ok(key) => Some(f(key)),
        Err(_) => {
            misuse::tell_here(&Rule::NoKey(key));
            None
        }
    }
}

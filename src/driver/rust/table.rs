//! The table of callbacks of a driver in Rust, and the functions in it.
//!
//! Each of them makes Rust values of what the gate out hands over, and calls the trait's method.
//! Relies on the gate out for what the interface promises: callbacks of a port come one at a time,
//! `stop` comes once and last. Promises that no panic gets out, and that a method never finds the
//! driver's value in somebody else's hands: should the port end inside of a callback, the value
//! goes when that callback has returned.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::marker::PhantomData;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::ptr::{self, NonNull};

use super::port::{Ending, Watches};
use super::{BadRequest, Command, DriverPort, PortDriver, Reply, StartError};
use crate::driver::abi::job::driver_async;
use crate::driver::abi::monitor;
use crate::driver::abi::reach;
use crate::driver::callback;
use crate::driver::layout::{ERROR_BADARG, ERROR_ERRNO, ERROR_GENERAL, EXTENDED_MARKER};
use crate::driver::load::{Driver, LoadError};
use crate::driver::raw::{
    ERL_DRV_EXTENDED_MAJOR_VERSION, ERL_DRV_EXTENDED_MINOR_VERSION, ERL_DRV_FLAG_SOFT_BUSY,
    ERL_DRV_FLAG_USE_PORT_LOCKING, ErlDrvData, ErlDrvEntry, ErlDrvEvent, ErlDrvMonitor, ErlDrvPort,
    ErlDrvSSizeT, ErlDrvSizeT, ErlDrvThreadData, ErlIOVec,
};
use crate::ffi::{guard, pointer};
use crate::os::errno::Errno;
use crate::os::memory;
use crate::term::{Counted, Term, decode, encode};

/// The driver that a type stands for.
pub(crate) fn driver<D: PortDriver>() -> Result<Driver, LoadError> {
    // SAFETY: a whole table, which stays for ever, as do its functions.
    unsafe { Driver::from_table(Table::<D>::ENTRY, None, None, D::MAY_WRITE) }
}

/// One open port, as the host's `ErlDrvData` points to it.
struct Slot<D> {
    word: ErlDrvPort,
    inside: RefCell<Inside<D>>,
    /// The port ended inside of a callback, which has the value still in its hands.
    stopped: Cell<bool>,
}

struct Inside<D> {
    /// `None` after a panic: nobody knows what state it is in.
    driver: Option<D>,
    watches: Watches,
}

struct Table<D>(PhantomData<D>);

impl<D: PortDriver> Table<D> {
    #[allow(clippy::cast_possible_wrap)] // small numbers
    const ENTRY: &'static ErlDrvEntry = &ErlDrvEntry {
        init: None,
        start: Some(start::<D>),
        stop: Some(stop::<D>),
        output: None,
        ready_input: Some(ready_input::<D>),
        ready_output: Some(ready_output::<D>),
        driver_name: CStr::as_ptr(D::NAME).cast_mut(),
        finish: None,
        handle: ptr::null_mut(),
        control: Some(control::<D>),
        timeout: Some(timeout::<D>),
        outputv: Some(outputv::<D>),
        ready_async: Some(ready_async::<D>),
        flush: Some(flush::<D>),
        call: Some(call::<D>),
        unused_event_callback: None,
        extended_marker: EXTENDED_MARKER.cast_signed(),
        major_version: ERL_DRV_EXTENDED_MAJOR_VERSION as c_int,
        minor_version: ERL_DRV_EXTENDED_MINOR_VERSION as c_int,
        driver_flags: (ERL_DRV_FLAG_USE_PORT_LOCKING
            | if D::SOFT_BUSY {
                ERL_DRV_FLAG_SOFT_BUSY
            } else {
                0
            }) as c_int,
        handle2: ptr::null_mut(),
        process_exit: Some(process_exit::<D>),
        stop_select: Some(stop_select),
        emergency_close: None,
    };
}

/// Runs a method of the driver, and then does what it asked to be done afterwards. `None` if it
/// panicked, or had before.
///
/// # Safety
/// `data` is what `start` of the same type returned, and `stop` has not been called with it before
/// this.
unsafe fn inside<D: PortDriver, R>(
    data: ErlDrvData,
    callback: &'static str,
    body: impl FnOnce(&mut D, &mut DriverPort<'_>) -> R,
) -> Option<R> {
    let slot: *mut Slot<D> = ptr::with_exposed_provenance_mut(data.addr());
    // SAFETY: the caller's promise; the slot goes below, or with `stop`, not before.
    let (result, ending, word) = unsafe { &*slot }.run(callback, body);
    // SAFETY: as above.
    if unsafe { &*slot }.stopped.get() {
        // SAFETY: `stop` has come, so no callback comes any more, and this was the outermost.
        drop(unsafe { Box::from_raw(slot) });
    } else if let Some(ending) = ending {
        // `stop` may come inside of this, and take the slot with it.
        ending.carry_out(word);
    }
    result
}

impl<D: PortDriver> Slot<D> {
    fn run<R>(
        &self,
        callback: &'static str,
        body: impl FnOnce(&mut D, &mut DriverPort<'_>) -> R,
    ) -> (Option<R>, Option<Ending>, ErlDrvPort) {
        let nothing = (None, None, self.word);
        let Ok(mut inside) = self.inside.try_borrow_mut() else {
            return nothing;
        };
        let inside = &mut *inside;
        let (Some(driver), Some(mut port)) = (
            inside.driver.as_mut(),
            DriverPort::new(self.word, &mut inside.watches),
        ) else {
            return nothing;
        };
        match guard::run(|| body(driver, &mut port)) {
            Ok(result) => (Some(result), port.ending, self.word),
            Err(panic) => {
                callback::note_panic(callback, panic);
                inside.driver = None;
                nothing
            }
        }
    }
}

unsafe extern "C" fn start<D: PortDriver>(word: ErlDrvPort, command: *mut c_char) -> ErlDrvData {
    // SAFETY: the gate out ends the text with a zero.
    let command = unsafe { pointer::string(command) }.map_or(&b""[..], CStr::to_bytes);
    let mut watches = Watches::default();
    let Some(mut port) = DriverPort::new(word, &mut watches) else {
        return ptr::without_provenance_mut(ERROR_GENERAL.cast_unsigned());
    };
    let started = guard::run(|| D::start(&mut port, command));
    let failure = match (started, &port.ending) {
        (Ok(Ok(driver)), None) => {
            let slot = Box::new(Slot {
                word,
                inside: RefCell::new(Inside {
                    driver: Some(driver),
                    watches,
                }),
                stopped: Cell::new(false),
            });
            return Box::into_raw(slot).cast();
        }
        (Ok(Ok(_)), Some(_)) | (Ok(Err(StartError::General)), _) => ERROR_GENERAL,
        (Ok(Err(StartError::BadArgument)), _) => ERROR_BADARG,
        (Ok(Err(StartError::Io(error))), _) => match error.raw_os_error() {
            Some(number) => {
                Errno::new(number).leave();
                ERROR_ERRNO
            }
            None => ERROR_GENERAL,
        },
        (Err(panic), _) => {
            tracing::error!(driver = ?D::NAME, message = panic.0, "start panicked");
            ERROR_GENERAL
        }
    };
    port.unwatch_all();
    ptr::without_provenance_mut(failure.cast_unsigned())
}

unsafe extern "C" fn stop<D: PortDriver>(data: ErlDrvData) {
    let slot: *mut Slot<D> = ptr::with_exposed_provenance_mut(data.addr());
    {
        // SAFETY: what `start` returned; it goes below.
        let slot = unsafe { &*slot };
        let Ok(mut inside) = slot.inside.try_borrow_mut() else {
            return slot.stopped.set(true);
        };
        let inside = &mut *inside;
        if let Some(mut port) = DriverPort::new(slot.word, &mut inside.watches) {
            if let Some(driver) = inside.driver.take()
                && let Err(panic) = guard::run(|| driver.stop(&mut port))
            {
                tracing::error!(driver = ?D::NAME, message = panic.0, "stop panicked");
            }
            port.unwatch_all();
        }
    }
    // SAFETY: this is the last callback, and no other is under way.
    drop(unsafe { Box::from_raw(slot) });
}

unsafe extern "C" fn outputv<D: PortDriver>(data: ErlDrvData, ev: *mut ErlIOVec) {
    // SAFETY: the gate out's vector, which stays until this returns.
    let Some(command) = (unsafe { Command::from_raw(ev) }) else {
        return;
    };
    // SAFETY: the gate out calls with the port's own data.
    unsafe {
        inside::<D, _>(data, "outputv", |driver, port| {
            driver.outputv(port, command)
        })
    };
}

unsafe extern "C" fn timeout<D: PortDriver>(data: ErlDrvData) {
    // SAFETY: as in `outputv`.
    unsafe { inside::<D, _>(data, "timeout", |driver, port| driver.timeout(port)) };
}

unsafe extern "C" fn flush<D: PortDriver>(data: ErlDrvData) {
    // SAFETY: as in `outputv`.
    unsafe { inside::<D, _>(data, "flush", |driver, port| driver.flush(port)) };
}

unsafe extern "C" fn ready_input<D: PortDriver>(data: ErlDrvData, event: ErlDrvEvent) {
    let body = |driver: &mut D, port: &mut DriverPort<'_>| {
        if let Some(fd) = port.original(descriptor(event)) {
            driver.ready_input(port, fd);
        }
    };
    // SAFETY: as in `outputv`.
    unsafe { inside::<D, _>(data, "ready_input", body) };
}

unsafe extern "C" fn ready_output<D: PortDriver>(data: ErlDrvData, event: ErlDrvEvent) {
    let body = |driver: &mut D, port: &mut DriverPort<'_>| {
        if let Some(fd) = port.original(descriptor(event)) {
            driver.ready_output(port, fd);
        }
    };
    // SAFETY: as in `outputv`.
    unsafe { inside::<D, _>(data, "ready_output", body) };
}

#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // it was an int
fn descriptor(event: ErlDrvEvent) -> RawFd {
    event.addr() as RawFd
}

/// A watched descriptor is a copy, made for being watched alone.
unsafe extern "C" fn stop_select(event: ErlDrvEvent, _: *mut c_void) {
    // SAFETY: `DriverPort::unwatch` gives its ownership up to this callback.
    drop(unsafe { OwnedFd::from_raw_fd(descriptor(event)) });
}

unsafe extern "C" fn process_exit<D: PortDriver>(data: ErlDrvData, raw: *mut ErlDrvMonitor) {
    // SAFETY: the gate out's monitor.
    let Some(raw) = (unsafe { pointer::load(raw) }) else {
        return;
    };
    let monitor = monitor::from_raw(&raw);
    // SAFETY: as in `outputv`.
    unsafe {
        inside::<D, _>(data, "process_exit", |driver, port| {
            driver.process_exit(port, monitor)
        })
    };
}

/// What `control` and `call` answer to refuse.
const REFUSED: ErlDrvSSizeT = -1;

unsafe extern "C" fn control<D: PortDriver>(
    data: ErlDrvData,
    operation: c_uint,
    buf: *mut c_char,
    len: ErlDrvSizeT,
    rbuf: *mut *mut c_char,
    rlen: ErlDrvSizeT,
) -> ErlDrvSSizeT {
    // SAFETY: the gate out lends as many bytes as it says.
    let Some(bytes) = (unsafe { pointer::bytes(buf, len) }) else {
        return REFUSED;
    };
    let body = |driver: &mut D, port: &mut DriverPort<'_>| {
        let reply = driver.control(port, operation, bytes);
        if let Ok(reply) = &reply {
            port.answer_in_binaries(reply.binary);
        }
        reply
    };
    // SAFETY: as in `outputv`.
    match unsafe { inside::<D, _>(data, "control", body) } {
        // SAFETY: the gate out's buffer, of this size.
        Some(Ok(reply)) => unsafe { answer(reply, rbuf, rlen) },
        Some(Err(BadRequest)) | None => REFUSED,
    }
}

/// # Safety
/// `rbuf` points to a pointer to a buffer of `rlen` bytes.
unsafe fn answer(reply: Reply, rbuf: *mut *mut c_char, rlen: usize) -> ErlDrvSSizeT {
    let binary = reply.binary;
    let Some(bytes) = reply.bytes else {
        // SAFETY: the caller's promise.
        unsafe { pointer::store(rbuf, ptr::null_mut()) };
        return 0;
    };
    let shared = bytes
        .as_counted()
        .filter(|(whole, offset)| binary && *offset == 0 && whole.len() == bytes.len());
    if let Some((whole, _)) = shared {
        let raw = whole.clone().into_raw();
        // SAFETY: the caller's promise.
        unsafe { pointer::store(rbuf, raw.as_ptr().cast()) };
        return bytes.len().cast_signed();
    }
    if binary && bytes.len() > rlen {
        let Some(copy) = Counted::copy_of(&bytes) else {
            return REFUSED;
        };
        // SAFETY: as above.
        unsafe { pointer::store(rbuf, copy.into_raw().as_ptr().cast()) };
        return bytes.len().cast_signed();
    }
    // SAFETY: as above.
    unsafe { copy_out(&bytes, rbuf, rlen) }
}

/// Puts bytes into the buffer, or a larger one from `driver_alloc`.
///
/// # Safety
/// As for [`answer`].
unsafe fn copy_out(bytes: &[u8], rbuf: *mut *mut c_char, rlen: usize) -> ErlDrvSSizeT {
    // SAFETY: the caller's promise.
    let own = unsafe { pointer::load(rbuf) }.unwrap_or(ptr::null_mut());
    let place = if bytes.len() <= rlen {
        own
    } else {
        memory::alloc(bytes.len()).cast()
    };
    let Some(place) = NonNull::new(place) else {
        return REFUSED;
    };
    // SAFETY: there is room, and nobody else knows of it.
    unsafe {
        place
            .as_ptr()
            .cast::<u8>()
            .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        pointer::store(rbuf, place.as_ptr());
    }
    bytes.len().cast_signed()
}

unsafe extern "C" fn call<D: PortDriver>(
    data: ErlDrvData,
    operation: c_uint,
    buf: *mut c_char,
    len: ErlDrvSizeT,
    rbuf: *mut *mut c_char,
    rlen: ErlDrvSizeT,
    _: *mut c_uint,
) -> ErlDrvSSizeT {
    // SAFETY: as in `control`.
    let argument = unsafe { pointer::bytes(buf, len) }.and_then(|bytes| decode::decode(bytes).ok());
    let Some((argument, _)) = argument else {
        return REFUSED;
    };
    // SAFETY: as in `outputv`.
    let answer: Option<Result<Term, BadRequest>> = unsafe {
        inside::<D, _>(data, "call", |driver, port| {
            driver.call(port, operation, argument)
        })
    };
    match answer.and_then(|answer| encode::encode(&answer.ok()?).ok()) {
        // SAFETY: as in `control`.
        Some(bytes) => unsafe { copy_out(&bytes, rbuf, rlen) },
        None => REFUSED,
    }
}

/// What a job gives.
type Done = Box<dyn Any + Send>;

/// A job on its way.
enum Job {
    Waiting(Box<dyn FnOnce() -> Done + Send>),
    Over(Result<Done, guard::Panic>),
}

/// Hands a job to the pool, as a driver in C does.
pub(super) fn submit(word: ErlDrvPort, key: Option<u32>, job: Box<dyn FnOnce() -> Done + Send>) {
    let job = Box::into_raw(Box::new(Job::Waiting(job))).cast();
    let mut key = key;
    let key = key.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
    // SAFETY: the key outlives the call; the job belongs to the three functions, of which the
    // last one is called once, with it.
    let number = unsafe { driver_async(word, key, Some(run_job), job, Some(drop_job)) };
    if number < 0 {
        // SAFETY: nobody has taken it.
        unsafe { drop_job(job) };
    }
}

unsafe extern "C" fn run_job(job: *mut c_void) {
    // SAFETY: the pool's, until it hands it on.
    let job = unsafe { &mut *job.cast::<Job>() };
    let taken = std::mem::replace(job, Job::Over(Ok(Box::new(()))));
    if let Job::Waiting(body) = taken {
        *job = Job::Over(guard::run(body));
    }
}

unsafe extern "C" fn drop_job(job: *mut c_void) {
    // SAFETY: from `submit`, and nobody has it any more.
    let job = unsafe { Box::from_raw(job.cast::<Job>()) };
    // What a job gives may panic when it is dropped.
    let _ = guard::run(|| drop(job));
}

unsafe extern "C" fn ready_async<D: PortDriver>(data: ErlDrvData, job: ErlDrvThreadData) {
    // SAFETY: what `submit` made; from now on ours.
    let job = unsafe { Box::from_raw(job.cast::<Job>()) };
    let body = |driver: &mut D, port: &mut DriverPort<'_>| match *job {
        Job::Over(Ok(result)) => driver.ready_async(port, result),
        Job::Over(Err(guard::Panic(message))) => {
            tracing::error!(port = %port.id(), message, "a job panicked");
            port.fail(Term::atom("internal_error"));
        }
        Job::Waiting(_) => {}
    };
    // SAFETY: as in `outputv`.
    unsafe { inside::<D, _>(data, "ready_async", body) };
}

impl DriverPort<'_> {
    /// The port's `set_port_control_flags`.
    fn answer_in_binaries(&mut self, on: bool) {
        reach(self.word(), |turn, _, instance| {
            instance.interior(turn).control_binary = on;
        });
    }
}

//! The gate out: the only place that calls a port's callbacks.
//!
//! Relies on the turn (whoever has an [`OnTurn`] may run the port's code, nobody else does
//! meanwhile) and on the instance, which keeps the driver's library open. Promises that no
//! short lock is held while foreign code runs, that a panic in a function that the driver called
//! ends the port instead of the program, and that a driver that writes to a pipe or socket nobody
//! reads gets `EPIPE`, as in Erlang, whatever SIGPIPE does to the host.
//!
//! What is being called is noted in a *frame*; the frames of a thread are a list through its
//! stack, innermost first. The functions of `abi` find there the port they are called for, at
//! the price of a comparison, and who asked.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use super::entry::Callbacks;
use super::handle;
use super::instance::Instance;
use super::load::Driver;
use super::raw::{
    DRIVER_CALL_KEEP_BUFFER, ErlDrvBinary, ErlDrvData, ErlDrvEvent, ErlDrvMonitor, ErlDrvPort,
    ErlDrvSSizeT, ErlIOVec, SysIOVec,
};
use crate::ffi::guard::Panic;
use crate::lock;
use crate::os::errno::Errno;
use crate::os::sigpipe::without_sigpipe;
use crate::port::Port;
use crate::runtime::turn::OnTurn;
use crate::term::iodata::{IoData, IoVector};
use crate::term::{Binary, Counted, Pid, PortId, Term};

/// A callback that is running on this thread.
struct Frame {
    /// Which one, by its name in the driver's table.
    name: &'static str,
    id: PortId,
    port: *const Arc<Port>,
    instance: *const Instance,
    caller: Option<Pid>,
    panic: Cell<Option<Panic>>,
    outer: *const Frame,
}

thread_local! {
    /// The innermost frame of this thread.
    static FRAMES: Cell<*const Frame> = const { Cell::new(ptr::null()) };
}

/// Takes the innermost frame off the list.
struct Leave(*const Frame);

impl Drop for Leave {
    fn drop(&mut self) {
        FRAMES.set(self.0);
    }
}

/// Who is called: the port, its instance, and on whose behalf.
#[derive(Clone, Copy)]
pub(super) struct Called<'a> {
    pub(super) port: &'a Arc<Port>,
    pub(super) instance: &'a Instance,
    pub(super) caller: Option<Pid>,
}

/// Runs foreign code for a port.
#[inline]
fn enter<R>(
    on: &mut OnTurn<'_>,
    name: &'static str,
    called: Called<'_>,
    code: impl FnOnce() -> R,
) -> R {
    lock::assert_none_held();
    let frame = Frame {
        name,
        id: called.port.id(),
        port: called.port,
        instance: called.instance,
        caller: called.caller,
        panic: Cell::new(None),
        outer: FRAMES.get(),
    };
    let result = {
        let _leave = Leave(frame.outer);
        FRAMES.set(&frame);
        if called.instance.driver().may_write {
            on.lend(|| without_sigpipe(code))
        } else {
            on.lend(code)
        }
    };
    if let Some(Panic(message)) = frame.panic.take() {
        tracing::error!(port = %called.port.id(), message, "wharf failed inside a driver function");
        called.port.fail(on, Term::atom("internal_error"));
    }
    result
}

/// Calls `f` with each frame, innermost first, until it gives something.
fn find<R>(mut f: impl FnMut(&Frame) -> Option<R>) -> Option<R> {
    let mut at = FRAMES.get();
    while !at.is_null() {
        // SAFETY: frames live in stack frames of this thread that have not ended: `enter` takes
        // its frame off the list before it returns.
        let frame = unsafe { &*at };
        let found = f(frame);
        if found.is_some() {
            return found;
        }
        at = frame.outer;
    }
    None
}

/// Runs `f` with the port that a callback of this thread is running for.
#[inline]
pub(super) fn with_frame<R>(id: PortId, f: impl FnOnce(&Arc<Port>, &Instance) -> R) -> Option<R> {
    let (port, instance) = find(|frame| (frame.id == id).then_some((frame.port, frame.instance)))?;
    // SAFETY: `enter` borrowed both for as long as the frame is on the list, which is longer
    // than this call.
    Some(unsafe { f(&*port, &*instance) })
}

/// The process on whose behalf a callback of this port is running.
pub(super) fn caller(id: PortId) -> Option<Pid> {
    find(|frame| if frame.id == id { frame.caller } else { None })
}

/// Whether a callback of one of this driver's ports is running on this thread.
pub(super) fn is_inside(driver: &Arc<Driver>) -> bool {
    // SAFETY: as in `with_frame`.
    find(|frame| Arc::ptr_eq(unsafe { &*frame.instance }.driver(), driver).then_some(())).is_some()
}

/// The name of the innermost callback.
pub(super) fn name() -> Option<&'static str> {
    find(|frame| Some(frame.name))
}

/// The name of the driver that it belongs to.
pub(super) fn driver() -> Option<String> {
    // SAFETY: as in `with_frame`.
    find(|frame| Some(unsafe { &*frame.instance }.driver().name()))
}

/// The port of the innermost callback.
pub(super) fn innermost() -> Option<PortId> {
    find(|frame| Some(frame.id))
}

/// Notes that a function called by the innermost callback panicked.
pub(super) fn note_panic(function: &'static str, panic: Panic) {
    let Panic(message) = panic;
    let told = find(|frame| {
        frame
            .panic
            .set(Some(Panic(format!("{function}: {message}"))));
        Some(())
    });
    if told.is_none() {
        tracing::error!(function, message, "wharf failed inside a driver function");
    }
}

/// How a `start` ended.
pub(super) enum Start {
    Data(usize),
    /// The reason for the open to fail.
    Failed(Term),
}

/// The `ErlDrvPort` of a port.
fn word_of(port: &Port) -> ErlDrvPort {
    ptr::without_provenance_mut(handle::handle(port.id()))
}

fn data_of(word: usize) -> ErlDrvData {
    ptr::without_provenance_mut(word)
}

fn event_of(fd: c_int) -> ErlDrvEvent {
    #[allow(clippy::cast_sign_loss)] // selected descriptors are not negative
    ptr::without_provenance_mut(fd as usize)
}

/// What `start` and `erl_drv_init_ack` give: data, or one of three reasons to fail.
#[allow(clippy::cast_possible_wrap)] // three of its values are negative numbers
pub(super) fn judge(data: ErlDrvData, errno: Errno) -> Start {
    use super::layout::{ERROR_BADARG, ERROR_ERRNO, ERROR_GENERAL};
    match data.addr() as isize {
        ERROR_GENERAL => Start::Failed(Term::atom("einval")),
        ERROR_ERRNO => Start::Failed(Term::atom(errno.name())),
        ERROR_BADARG => Start::Failed(Term::atom("badarg")),
        _ => Start::Data(data.expose_provenance()),
    }
}

type StartOf2 = unsafe extern "C" fn(ErlDrvPort, *mut c_char) -> ErlDrvData;
/// Erlang gives its own drivers the options of the open as well; here there are none to give, and a
/// driver that asks finds NULL.
type StartOf3 = unsafe extern "C" fn(ErlDrvPort, *mut c_char, *mut c_void) -> ErlDrvData;

/// `start`. Without one the port opens, with 0 as its data.
pub(super) fn start(on: &mut OnTurn<'_>, called: Called<'_>, command: &[u8]) -> Start {
    let Some(start) = called.instance.callbacks().start else {
        return Start::Data(0);
    };
    // The driver may write to it, and its end is marked by a zero.
    let mut text = Vec::with_capacity(command.len() + 1);
    text.extend_from_slice(command);
    text.push(0);
    let port = word_of(called.port);
    let (data, errno) = enter(on, "start", called, || {
        // SAFETY: a checked driver's callback, on the port's turn; the instance keeps its library
        // open. The text lives until it returns. The third argument is one that most drivers do
        // not declare, and in the C calling conventions of the supported machines do not notice.
        let data = unsafe {
            let start = std::mem::transmute::<StartOf2, StartOf3>(start);
            start(port, text.as_mut_ptr().cast(), ptr::null_mut())
        };
        (data, Errno::last())
    });
    judge(data, errno)
}

/// Calls one that takes the data alone. False if the driver has none.
pub(super) fn plain(
    on: &mut OnTurn<'_>,
    name: &'static str,
    called: Called<'_>,
    which: impl FnOnce(&Callbacks) -> Option<unsafe extern "C" fn(ErlDrvData)>,
) -> bool {
    let Some(callback) = which(called.instance.callbacks()) else {
        return false;
    };
    let data = data_of(called.instance.data(on));
    // SAFETY: as in `start`; the data is what `start` returned.
    enter(on, name, called, || unsafe { callback(data) });
    true
}

/// Bytes up to this number are copied to the stack for `output`.
const STACK_COPY_MAX: usize = 512;

/// `outputv`, else `output`, else nothing.
pub(super) fn output(on: &mut OnTurn<'_>, called: Called<'_>, bytes: IoData<'_>) {
    let callbacks = called.instance.callbacks();
    let data = data_of(called.instance.data(on));
    if let Some(outputv) = callbacks.outputv {
        match bytes.into_vector() {
            Ok(vector) => outputv_with(on, called, data, outputv, &vector),
            Err(_) => called.port.fail(on, Term::atom("enomem")),
        }
        return;
    }
    let Some(output) = callbacks.output else {
        return;
    };
    // The driver may scribble on what it gets, hence the copy.
    let source = bytes.flat();
    let mut few = [const { MaybeUninit::<u8>::uninit() }; STACK_COPY_MAX];
    let mut many = Vec::new();
    let copy: &mut [MaybeUninit<u8>] = if source.len() <= STACK_COPY_MAX {
        &mut few
    } else {
        many.reserve_exact(source.len());
        many.spare_capacity_mut()
    };
    let start = copy.as_mut_ptr().cast::<c_char>();
    // SAFETY: as many bytes are there, and nobody else knows of them.
    unsafe { start.copy_from_nonoverlapping(source.as_ptr().cast(), source.len()) };
    // SAFETY: as in `start`; the copy lives until the callback returns.
    enter(on, "output", called, || unsafe {
        output(data, start, source.len())
    });
}

/// Vectors up to this length, the empty slot included, stand on the stack.
const STACK_VECTOR_MAX: usize = 18;

const EMPTY_PIECE: SysIOVec = SysIOVec {
    iov_base: ptr::null_mut(),
    iov_len: 0,
};

fn outputv_with(
    on: &mut OnTurn<'_>,
    called: Called<'_>,
    data: ErlDrvData,
    outputv: unsafe extern "C" fn(ErlDrvData, *mut ErlIOVec),
    vector: &IoVector,
) {
    let segments = vector.segments();
    let len = segments.len() + 1;
    let mut few = (
        [EMPTY_PIECE; STACK_VECTOR_MAX],
        [ptr::null_mut(); STACK_VECTOR_MAX],
    );
    let mut many = (Vec::new(), Vec::new());
    let (iov, binv): (&mut [SysIOVec], &mut [*mut ErlDrvBinary]) = if len <= STACK_VECTOR_MAX {
        (&mut few.0[..len], &mut few.1[..len])
    } else {
        many.0.resize(len, EMPTY_PIECE);
        many.1.resize(len, ptr::null_mut());
        (&mut many.0, &mut many.1)
    };
    // The first slot stays empty: room for a header when the driver passes the vector on.
    for ((piece, binary), segment) in iov.iter_mut().zip(binv.iter_mut()).skip(1).zip(segments) {
        piece.iov_base = segment.as_bytes().as_ptr().cast_mut().cast();
        piece.iov_len = segment.len();
        if let Some((counted, _)) = segment.as_counted() {
            *binary = counted.as_raw().as_ptr().cast();
        }
    }
    let mut ev = ErlIOVec {
        vsize: c_int::try_from(len).unwrap_or(c_int::MAX),
        size: vector.size(),
        iov: iov.as_mut_ptr(),
        binv: binv.as_mut_ptr(),
    };
    // SAFETY: as in `start`; the vector and what it points to live until the callback returns.
    enter(on, "outputv", called, || unsafe {
        outputv(data, &raw mut ev)
    });
}

/// The driver cannot do it.
pub(super) struct Refused;

/// `port_control` gives a buffer of this size to answer in.
const CONTROL_SCRATCH: usize = 64;

/// `control`.
pub(super) fn control(
    on: &mut OnTurn<'_>,
    called: Called<'_>,
    operation: u32,
    bytes: &IoData<'_>,
) -> Result<Term, Refused> {
    let control = called.instance.callbacks().control.ok_or(Refused)?;
    let data = data_of(called.instance.data(on));
    let argument = bytes.flat();
    let mut scratch = [0_u8; CONTROL_SCRATCH];
    let own = scratch.as_mut_ptr().cast::<c_char>();
    let mut answer = own;
    let len = enter(on, "control", called, || {
        // SAFETY: as in `start`; the argument is lent for reading, which is all that the
        // interface allows, and the scratch buffer has the size that is said.
        unsafe {
            control(
                data,
                operation,
                argument.as_ptr().cast_mut().cast(),
                argument.len(),
                &raw mut answer,
                CONTROL_SCRATCH,
            )
        }
    });
    let binary = called.instance.answers_in_binaries(on);
    let Ok(len) = usize::try_from(len) else {
        return Err(Refused);
    };
    if answer.is_null() {
        return Ok(Term::Nil);
    }
    if answer == own {
        // What lies beyond the buffer was never the driver's to answer with.
        let bytes = Binary::from(&scratch[..len.min(CONTROL_SCRATCH)]);
        return Ok(if binary {
            Term::Binary(bytes)
        } else {
            Term::bytes_list(bytes)
        });
    }
    if binary {
        let Some(raw) = NonNull::new(answer.cast::<u8>()) else {
            return Ok(Term::Nil);
        };
        // SAFETY: in binary mode what the driver answers with is a binary from
        // driver_alloc_binary, and the reference is ours from now on.
        let counted = unsafe { Counted::from_raw(raw) };
        // What the driver keeps, too, is shared only if Erlang would share it: it can count.
        let copy = (counted.refc() > 1)
            .then(|| Binary::share_or_copy(&counted, 0, counted.len()))
            .flatten();
        return Ok(Term::Binary(copy.unwrap_or_else(|| Binary::from(counted))));
    }
    // SAFETY: the driver says that `len` bytes are there.
    let bytes = Binary::from(unsafe { std::slice::from_raw_parts(answer.cast::<u8>(), len) });
    // SAFETY: it came from driver_alloc and is ours.
    unsafe { crate::os::memory::free(answer.cast()) };
    Ok(Term::bytes_list(bytes))
}

/// `port_call` gives a buffer of this size to answer in.
const CALL_SCRATCH: usize = 256;

/// `call`, with terms in the external format; the answer is handed to `read`.
pub(super) fn call<R>(
    on: &mut OnTurn<'_>,
    called: Called<'_>,
    operation: u32,
    argument: &mut [u8],
    read: impl FnOnce(&[u8]) -> Option<R>,
) -> Result<R, Refused> {
    let call = called.instance.callbacks().call.ok_or(Refused)?;
    let data = data_of(called.instance.data(on));
    let mut scratch = [0 as c_char; CALL_SCRATCH];
    let own = scratch.as_mut_ptr();
    let mut answer = own;
    let mut flags: c_uint = 0;
    let len: ErlDrvSSizeT = enter(on, "call", called, || {
        // SAFETY: as in `control`.
        unsafe {
            call(
                data,
                operation,
                argument.as_mut_ptr().cast(),
                argument.len(),
                &raw mut answer,
                CALL_SCRATCH,
                &raw mut flags,
            )
        }
    });
    let len = usize::try_from(len).unwrap_or(0);
    let len = if answer == own {
        len.min(CALL_SCRATCH)
    } else {
        len
    };
    let result = if len == 0 || answer.is_null() {
        None
    } else {
        // SAFETY: the driver says that `len` bytes are there (of our own buffer, no more than
        // it has).
        read(unsafe { std::slice::from_raw_parts(answer.cast::<u8>(), len) })
    };
    if answer != own && flags & DRIVER_CALL_KEEP_BUFFER == 0 {
        // SAFETY: it came from driver_alloc and, without the flag, is ours. NULL is allowed.
        unsafe { crate::os::memory::free(answer.cast()) };
    }
    result.ok_or(Refused)
}

/// `ready_input` or `ready_output`. False if the driver has none.
pub(super) fn ready(
    on: &mut OnTurn<'_>,
    name: &'static str,
    called: Called<'_>,
    fd: c_int,
    which: impl FnOnce(&Callbacks) -> Option<unsafe extern "C" fn(ErlDrvData, ErlDrvEvent)>,
) -> bool {
    let Some(callback) = which(called.instance.callbacks()) else {
        return false;
    };
    let data = data_of(called.instance.data(on));
    // SAFETY: as in `start`.
    enter(on, name, called, || unsafe { callback(data, event_of(fd)) });
    true
}

/// `ready_async`. False if the driver has none: then the job's data is still to be freed.
pub(super) fn ready_async(on: &mut OnTurn<'_>, called: Called<'_>, job: *mut c_void) -> bool {
    let Some(callback) = called.instance.callbacks().ready_async else {
        return false;
    };
    let data = data_of(called.instance.data(on));
    // SAFETY: as in `start`; the job's data is the driver's own.
    enter(on, "ready_async", called, || unsafe {
        callback(data, job.cast())
    });
    true
}

/// `process_exit`.
pub(super) fn process_exit(on: &mut OnTurn<'_>, called: Called<'_>, mut monitor: ErlDrvMonitor) {
    let Some(callback) = called.instance.callbacks().process_exit else {
        return;
    };
    let data = data_of(called.instance.data(on));
    // SAFETY: as in `start`; the monitor lives until the callback returns.
    enter(on, "process_exit", called, || unsafe {
        callback(data, &raw mut monitor)
    });
}

/// `stop_select`. It belongs to no port; with none on the list the functions that take a port
/// find none by frame. False if the driver has none.
pub(super) fn stop_select(instance: &Instance, fd: c_int) -> bool {
    let Some(callback) = instance.callbacks().stop_select else {
        return false;
    };
    lock::assert_none_held();
    // Descriptors are let go of too rarely to ask whether this driver writes.
    // SAFETY: a checked driver's callback; the instance keeps the library open.
    without_sigpipe(|| unsafe { callback(event_of(fd), ptr::null_mut()) });
    true
}

//! The gate out: the only place that calls a port's callbacks.
//!
//! Relies on the turn (whoever has an [`OnTurn`] may run the port's code, nobody else does
//! meanwhile) and on the instance, which keeps the driver's library open. Promises that no
//! short lock is held while foreign code runs, that a panic in a function that the driver called
//! ends the port instead of the program, and that a driver that writes to a pipe or socket nobody
//! reads gets `EPIPE`, as in Erlang, whatever SIGPIPE does to the host.
//!
//! What is being called is noted in a *frame*, which is the note at the loan of the turn: so the
//! frames of a thread are a list through its stack, innermost first. The functions of `abi` find
//! there the port they are called for, at the price of a comparison, and who asked.

mod answer;

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;

pub(super) use self::answer::{call, control};
use super::entry::Callbacks;
use super::handle;
use super::instance::Instance;
use super::load::Driver;
use super::raw::{
    ErlDrvBinary, ErlDrvData, ErlDrvEvent, ErlDrvMonitor, ErlDrvPort, ErlDrvSizeT, ErlIOVec,
    SysIOVec,
};
use super::spare;
use crate::ffi::guard::Panic;
use crate::lock;
use crate::os::errno::Errno;
use crate::os::sigpipe::without_sigpipe;
use crate::port::Port;
use crate::runtime::turn::{self, Loan, OnTurn};
use crate::term::iodata::{IoData, IoVector};
use crate::term::{Binary, Pid, PortId, Term};

/// A callback that is running on this thread.
struct Frame {
    /// Which one, by its name in the driver's table.
    name: &'static str,
    id: PortId,
    port: *const Arc<Port>,
    instance: *const Instance,
    caller: Caller,
    /// What went wrong in a function that the callback called; boxed, because it hardly ever does.
    panic: Cell<Option<Box<Panic>>>,
}

/// On whose behalf a callback runs, as one word: of two, it would be read at once and in one piece
/// where it was just written in two, for which processors have to wait.
#[derive(Clone, Copy)]
pub(super) struct Caller(u64);

impl Caller {
    /// No process has this number.
    const NOBODY: u64 = u64::MAX;

    fn pid(self) -> Option<Pid> {
        (self.0 != Caller::NOBODY).then(|| Pid::from_number(self.0))
    }
}

impl From<Option<Pid>> for Caller {
    #[inline]
    fn from(pid: Option<Pid>) -> Caller {
        Caller(pid.map_or(Caller::NOBODY, Pid::number))
    }
}

/// Who is called: the port, its instance, and on whose behalf.
#[derive(Clone, Copy)]
pub(super) struct Called<'a> {
    pub(super) port: &'a Arc<Port>,
    pub(super) instance: &'a Instance,
    pub(super) caller: Caller,
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
    };
    let note = (&raw const frame).cast();
    let result = on.lend(note, || {
        if called.instance.driver().shielded {
            shielded(code)
        } else {
            code()
        }
    });
    if let Some(panic) = frame.panic.take() {
        fail_after(on, called.port, &panic);
    }
    result
}

/// Code that may write to pipes.
#[inline(never)]
fn shielded<R>(code: impl FnOnce() -> R) -> R {
    without_sigpipe(code)
}

/// Ends a port in one of whose callbacks wharf itself panicked.
#[cold]
fn fail_after(on: &mut OnTurn<'_>, port: &Arc<Port>, Panic(message): &Panic) {
    tracing::error!(port = %port.id(), message, "wharf failed inside a driver function");
    port.fail(on, Term::atom("internal_error"));
}

/// Calls `f` with each loan and its frame, innermost first, until it gives something.
#[inline]
fn find_lent<R>(mut f: impl FnMut(&Loan, &Frame) -> Option<R>) -> Option<R> {
    turn::find_loan(|loan| {
        // SAFETY: only `enter` lends turns outside of tests, and its note is a frame that lives
        // longer than the loan.
        f(loan, unsafe { &*loan.note().cast::<Frame>() })
    })
}

/// Calls `f` with each frame, innermost first, until it gives something.
fn find<R>(mut f: impl FnMut(&Frame) -> Option<R>) -> Option<R> {
    find_lent(|_, frame| f(frame))
}

/// Runs `f` with the port that a callback of this thread is running for.
#[inline]
pub(super) fn with_frame<R>(id: PortId, f: impl FnOnce(&Arc<Port>, &Instance) -> R) -> Option<R> {
    let (port, instance) = find(|frame| (frame.id == id).then_some((frame.port, frame.instance)))?;
    // SAFETY: `enter` borrowed both for as long as the frame is on the list, which is longer
    // than this call.
    Some(unsafe { f(&*port, &*instance) })
}

/// The same with the port's turn; `None` also when somebody further in is using that.
#[inline]
pub(super) fn with_frame_on_turn<R>(
    id: PortId,
    f: impl FnOnce(&mut OnTurn<'_>, &Arc<Port>, &Instance) -> R,
) -> Option<R> {
    let mut f = Some(f);
    find_lent(|loan, frame| {
        if frame.id != id {
            return None;
        }
        loan.with_turn(|on| {
            // SAFETY: as above.
            let (port, instance) = unsafe { (&*frame.port, &*frame.instance) };
            f.take().map(|f| f(on, port, instance))
        })?
    })
}

/// The process on whose behalf a callback of this port is running.
pub(super) fn caller(id: PortId) -> Option<Pid> {
    find(|frame| {
        if frame.id == id {
            frame.caller.pid()
        } else {
            None
        }
    })
}

/// Whether a callback of one of this driver's ports is running on this thread.
pub(super) fn is_inside(driver: &Arc<Driver>) -> bool {
    // SAFETY: as in `with_frame`.
    find(|frame| Arc::ptr_eq(unsafe { &*frame.instance }.driver(), driver).then_some(())).is_some()
}

/// Whether a callback of this port is running on this thread.
pub(super) fn is_running(port: PortId) -> bool {
    find(|frame| (frame.id == port).then_some(())).is_some()
}

/// The name of the innermost callback.
pub(super) fn name() -> Option<&'static str> {
    find(|frame| Some(frame.name))
}

/// The name of the driver that it belongs to.
pub(super) fn driver() -> Option<String> {
    // SAFETY: as in `with_frame`.
    find(|frame| Some(unsafe { &*frame.instance }.driver().name().to_owned()))
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
            .set(Some(Box::new(Panic(format!("{function}: {message}")))));
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
pub(super) fn start(on: &mut OnTurn<'_>, called: Called<'_>) -> Start {
    let Some(start) = called.instance.callbacks().start else {
        return Start::Data(0);
    };
    // The whole text of the open, which is the port's name. The driver may write to it, and its end is
    // marked by a zero.
    let command = called.port.name();
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
#[inline]
pub(super) fn output(on: &mut OnTurn<'_>, called: Called<'_>, data: &mut IoData<'_>) {
    let callbacks = called.instance.callbacks();
    if let Some(outputv) = callbacks.outputv {
        output_vector(on, called, outputv, data);
    } else if let Some(output) = callbacks.output {
        match data {
            IoData::Bytes(bytes) if bytes.len() <= STACK_COPY_MAX => {
                output_few(on, called, output, bytes);
            }
            data => output_many(on, called, output, std::mem::take(data)),
        }
    }
}

type Output = unsafe extern "C" fn(ErlDrvData, *mut c_char, ErlDrvSizeT);

/// The driver may scribble on what it gets, hence the copy.
#[inline]
fn output_few(on: &mut OnTurn<'_>, called: Called<'_>, output: Output, bytes: &[u8]) {
    debug_assert!(bytes.len() <= STACK_COPY_MAX);
    let mut copy = MaybeUninit::<[u8; STACK_COPY_MAX]>::uninit();
    let start = copy.as_mut_ptr().cast::<c_char>();
    // SAFETY: as many bytes are there, and nobody else knows of them.
    unsafe { start.copy_from_nonoverlapping(bytes.as_ptr().cast(), bytes.len()) };
    let data = data_of(called.instance.data(on));
    let len = bytes.len();
    // SAFETY: as in `start`; the copy lives until the callback returns.
    enter(on, "output", called, move || unsafe {
        output(data, start, len)
    });
}

/// Here the copy is made only if somebody else may see the bytes, too.
#[inline(never)]
fn output_many(on: &mut OnTurn<'_>, called: Called<'_>, output: Output, bytes: IoData<'_>) {
    let mut private = bytes.into_binary();
    let Some(bytes) = private.make_mut() else {
        return called.port.fail(on, Term::atom("enomem"));
    };
    let (start, len) = (bytes.as_mut_ptr().cast::<c_char>(), bytes.len());
    let data = data_of(called.instance.data(on));
    // SAFETY: as in `start`; the bytes live until the callback returns, and nobody else looks.
    enter(on, "output", called, move || unsafe {
        output(data, start, len)
    });
}

type OutputV = unsafe extern "C" fn(ErlDrvData, *mut ErlIOVec);

#[inline(never)]
fn output_vector(on: &mut OnTurn<'_>, called: Called<'_>, outputv: OutputV, data: &mut IoData<'_>) {
    match data {
        IoData::Binary(binary) if binary.len() > Binary::SMALL_MAX => {
            output_one(on, called, outputv, binary);
        }
        IoData::Bytes(bytes) if !bytes.is_empty() && bytes.len() <= Binary::SMALL_MAX => {
            output_short(on, called, outputv, bytes);
        }
        IoData::Binary(bytes) if !bytes.is_empty() => output_short(on, called, outputv, bytes),
        data => match std::mem::take(data).into_vector() {
            Ok(vector) => output_several(on, called, outputv, &vector),
            Err(_) => called.port.fail(on, Term::atom("enomem")),
        },
    }
}

/// Few bytes, in a binary of their own.
#[inline]
fn output_short(on: &mut OnTurn<'_>, called: Called<'_>, outputv: OutputV, bytes: &[u8]) {
    spare::with_copy(bytes, |copy| match copy {
        Some(copy) => output_one(on, called, outputv, copy),
        None => called.port.fail(on, Term::atom("enomem")),
    });
}

/// The first slot of a vector stays empty: room for a header when the driver passes it on.
const EMPTY_PIECE: SysIOVec = SysIOVec {
    iov_base: ptr::null_mut(),
    iov_len: 0,
};

/// A piece as C sees it, and the binary behind it; behind nothing there is none, as in Erlang.
#[inline]
fn piece_of(segment: &Binary) -> (SysIOVec, *mut ErlDrvBinary) {
    let bytes = segment.as_bytes();
    let piece = SysIOVec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    let behind = segment.as_counted().filter(|_| !bytes.is_empty());
    let behind = behind.map_or(ptr::null_mut(), |(counted, _)| counted.as_raw().as_ptr());
    (piece, behind.cast())
}

/// `outputv` with one segment, as most commands have.
#[inline]
fn output_one(on: &mut OnTurn<'_>, called: Called<'_>, outputv: OutputV, segment: &Binary) {
    let (piece, behind) = piece_of(segment);
    let mut iov = [EMPTY_PIECE, piece];
    let mut binv = [ptr::null_mut(), behind];
    call_outputv(on, called, outputv, segment.len(), &mut iov, &mut binv);
}

#[inline(never)]
fn output_several(on: &mut OnTurn<'_>, called: Called<'_>, outputv: OutputV, vector: &IoVector) {
    let pieces = vector.segments().iter().map(piece_of);
    let (mut iov, mut binv): (Vec<_>, Vec<_>) = std::iter::once((EMPTY_PIECE, ptr::null_mut()))
        .chain(pieces)
        .unzip();
    call_outputv(on, called, outputv, vector.size(), &mut iov, &mut binv);
}

#[inline]
fn call_outputv(
    on: &mut OnTurn<'_>,
    called: Called<'_>,
    outputv: OutputV,
    size: usize,
    iov: &mut [SysIOVec],
    binv: &mut [*mut ErlDrvBinary],
) {
    let mut ev = ErlIOVec {
        vsize: c_int::try_from(iov.len()).unwrap_or(c_int::MAX),
        size,
        iov: iov.as_mut_ptr(),
        binv: binv.as_mut_ptr(),
    };
    let data = data_of(called.instance.data(on));
    let ev = &raw mut ev;
    // SAFETY: as in `start`; the vector, as long as it says, and what it points to live until the
    // callback returns.
    enter(on, "outputv", called, move || unsafe { outputv(data, ev) });
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

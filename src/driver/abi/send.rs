//! Terms: the words for atoms, ports and processes, and the programs that build messages.

use std::ffi::{c_char, c_int, c_long, c_uint};
use std::sync::Arc;

use super::misuse::{self, BadTerm, Rule};
use super::output::{atom_of, part_of};
use super::{export, reach, with_port};
use crate::driver::callback;
use crate::driver::handle::{self, NIL};
use crate::driver::instance::Instance;
use crate::driver::later::control_later;
use crate::driver::raw::{ErlDrvBinary, ErlDrvPort, ErlDrvSizeT, ErlDrvTermData};
use crate::driver::script::{BadScript, Builder, Step};
use crate::ffi::pointer;
use crate::port::{Port, table as ports};
use crate::process::signal::Message;
use crate::term::{Binary, Pid, decode};

export! {
    fn erl_drv_output_term(port: ErlDrvTermData, data: *mut ErlDrvTermData, len: c_int) -> c_int, else -1 => {
        // SAFETY: the driver says that `len` words are there.
        with_term(port, |port| unsafe { send(port, None, data, len) }).unwrap_or(-1)
    }

    fn erl_drv_send_term(
        port: ErlDrvTermData,
        receiver: ErlDrvTermData,
        data: *mut ErlDrvTermData,
        len: c_int,
    ) -> c_int, else -1 => {
        // SAFETY: as above.
        with_term(port, |port| unsafe { send(port, Some(receiver), data, len) }).unwrap_or(-1)
    }

    fn driver_output_term(port: ErlDrvPort, data: *mut ErlDrvTermData, len: c_int) -> c_int, else -1 => {
        // SAFETY: as above.
        port_to_send(port).map_or(-1, |port| unsafe { send(&port, None, data, len) })
    }

    fn driver_send_term(
        port: ErlDrvPort,
        receiver: ErlDrvTermData,
        data: *mut ErlDrvTermData,
        len: c_int,
    ) -> c_int, else -1 => {
        // SAFETY: as above.
        port_to_send(port).map_or(-1, |port| unsafe { send(&port, Some(receiver), data, len) })
    }

    fn erl_drv_port_control(
        port: ErlDrvTermData,
        command: c_uint,
        buf: *mut c_char,
        len: ErlDrvSizeT,
    ) -> c_int, else -1 => {
        // SAFETY: the driver says that `len` bytes are there.
        match (port_of_term(port), unsafe { pointer::bytes(buf, len) }) {
            (Some(port), Some(bytes)) => {
                control_later(port, command, bytes.into());
                // SAFETY: it came from driver_alloc and is ours. NULL is allowed.
                unsafe { crate::os::memory::free(buf.cast()) };
                0
            }
            _ => -1,
        }
    }

    fn driver_mk_atom(name: *mut c_char) -> ErlDrvTermData, else NIL => {
        // SAFETY: a string of the driver's.
        let name = unsafe { pointer::string(name) };
        let atom = name.and_then(|name| atom_of(name.to_bytes()));
        if atom.is_none() {
            misuse::tell(callback::innermost(), &Rule::BadAtom);
        }
        atom.map_or(NIL, handle::atom)
    }

    fn driver_mk_port(port: ErlDrvPort) -> ErlDrvTermData, else NIL => {
        // Packaged drivers call it in their jobs, too, where Erlang does not mind.
        reach(port, |_, port, _| handle::port(port.id()))
            .or_else(|| port_to_send(port).map(|port| handle::port(port.id())))
            .unwrap_or(NIL)
    }

    fn driver_connected(port: ErlDrvPort) -> ErlDrvTermData, else NIL => {
        reach(port, |on, port, _| handle::pid(port.owner(on)))
            .or_else(|| port_to_send(port)?.listener().map(handle::pid))
            .unwrap_or(NIL)
    }

    fn driver_caller(port: ErlDrvPort) -> ErlDrvTermData, else NIL => {
        let caller = with_port(port, |_, port, _| callback::caller(port.id()));
        handle::pid_or_nil(caller.flatten())
    }

    fn driver_mk_term_nil() -> ErlDrvTermData, else NIL => {
        NIL
    }
}

/// The port that a term names, if it is there and a driver's.
fn port_of_term(word: ErlDrvTermData) -> Option<Arc<Port>> {
    let port = ports::get(handle::as_port(word)?)?;
    port.transport_as::<Instance>().is_some().then_some(port)
}

/// Runs `f` for the port that a term names, if it is there and a driver's.
fn with_term<R>(word: ErlDrvTermData, f: impl FnOnce(&Port) -> R) -> Option<R> {
    let mut f = Some(f);
    // In a callback of the port, which is open, it need not be looked up.
    let called = callback::with_frame(handle::as_port(word)?, |port, _| {
        port.listener()?;
        Some(f.take()?(port))
    });
    match called {
        Some(Some(result)) => Some(result),
        _ => Some(f.take()?(&*port_of_term(word)?)),
    }
}

/// The same as [`port_of_term`]; if there is none, the log says so.
fn port_to_send(word: ErlDrvPort) -> Option<Arc<Port>> {
    let port = port_of_handle(word);
    if port.is_none() {
        misuse::tell_bad_port(word.addr());
    }
    port
}

fn port_of_handle(word: ErlDrvPort) -> Option<Arc<Port>> {
    let port = ports::get(handle::as_handle(word.addr())?)?;
    port.transport_as::<Instance>().is_some().then_some(port)
}

/// Runs a term program and sends the result: to a process, or to the port's owner. The steps are
/// judged before the receiver is looked up, the values afterwards.
///
/// # Safety
/// There are `len` words at `data`, and what they point to is there.
unsafe fn send(
    port: &Port,
    receiver: Option<ErlDrvTermData>,
    data: *const ErlDrvTermData,
    len: c_int,
) -> c_int {
    // A port that is closing hears nobody, not even who talks nonsense.
    let Some(owner) = port.listener() else {
        return 0;
    };
    let bad = |bad| {
        misuse::tell(Some(port.id()), &Rule::BadTerm(bad));
        -1
    };
    let Some(words) = usize::try_from(len).ok().filter(|len| *len > 0) else {
        return bad(BadTerm::Nothing);
    };
    // SAFETY: the caller's promise.
    let Some(words) = (unsafe { pointer::slice(data, words) }) else {
        return bad(BadTerm::Nothing);
    };
    let mut builder = Builder::default();
    // SAFETY: the caller's promise.
    if let Err(what) = unsafe { build(&mut builder, words) } {
        return bad(what);
    }
    let to = match receiver.map(handle::as_pid) {
        None => Some(owner),
        Some(Some(pid)) => Some(pid),
        // Nobody is there.
        Some(None) => {
            misuse::tell(Some(port.id()), &Rule::NoProcess);
            None
        }
    };
    let Some(process) = to.and_then(|pid: Pid| port.services().directory.process(pid)) else {
        return 0;
    };
    let Ok(term) = builder.finish() else {
        return bad(BadTerm::Value);
    };
    c_int::from(process.deliver(Message::Term(term)))
}

/// Runs a program. What is wrong with a value is told when it is finished.
///
/// # Safety
/// What the words point to is there.
unsafe fn build(builder: &mut Builder, words: &[ErlDrvTermData]) -> Result<(), BadTerm> {
    let mut rest = words.iter().copied();
    loop {
        let at = words.len() - rest.len();
        let Some(tag) = rest.next() else {
            break;
        };
        // SAFETY: the caller's promise.
        let step = unsafe { step(tag, &mut rest) };
        step.and_then(|step| builder.step(step))
            .map_err(|BadScript| BadTerm::Step { at, tag })?;
    }
    match builder.left() {
        1 => Ok(()),
        left => Err(BadTerm::Leaves(left)),
    }
}

/// One step: its tag, and the words that are still to come.
///
/// # Safety
/// As for [`build`].
unsafe fn step<'a>(
    tag: ErlDrvTermData,
    words: &mut impl Iterator<Item = ErlDrvTermData>,
) -> Result<Step<'a>, BadScript> {
    let mut word = || words.next().ok_or(BadScript);
    Ok(match tag {
        1 => Step::Nil,
        2 => Step::Atom(handle::as_atom(word()?).ok_or(BadScript)?),
        3 => Step::Int(word()?.cast_signed()),
        4 => Step::Port(handle::as_port(word()?).ok_or(BadScript)?),
        5 => {
            let (bin, size, offset) = (address::<ErlDrvBinary>(word()?), word()?, word()?);
            let (size, offset) = (length(size)?, length(offset)?);
            // SAFETY: the driver holds the binary.
            Step::Binary(unsafe { part_of(bin, offset, size) }.ok_or(BadScript)?)
        }
        // SAFETY: the driver says that these bytes are there.
        6 => Step::String(unsafe { text(word()?, word()?) }?),
        7 => Step::Tuple(count(word()?)?),
        8 => Step::List(count(word()?)?),
        // SAFETY: as above.
        9 => Step::StringCons(unsafe { text(word()?, word()?) }?),
        10 => Step::Pid(handle::as_pid(word()?).ok_or(BadScript)?),
        // SAFETY: the driver says that a number is there, here and below.
        11 => Step::Float(unsafe { pointer::load(address::<f64>(word()?)) }.ok_or(BadScript)?),
        12 => {
            // SAFETY: as above.
            let bytes = unsafe { text(word()?, word()?) }?;
            Step::Term(decode::decode(bytes).map_err(|_| BadScript)?.0)
        }
        13 => Step::Uint(word()?),
        14 => {
            let (start, len) = (address::<c_char>(word()?), length(word()?)?);
            // SAFETY: as above; NULL with 0 is the empty binary.
            let bytes = unsafe { pointer::bytes(start, len) }.ok_or(BadScript)?;
            Step::Binary(Binary::from(bytes))
        }
        // SAFETY: as above.
        15 => Step::Int(unsafe { pointer::load(address::<c_long>(word()?)) }.ok_or(BadScript)?),
        // SAFETY: as above.
        16 => Step::Uint(unsafe { pointer::load(address::<u64>(word()?)) }.ok_or(BadScript)?),
        17 => Step::Map(count(word()?)?),
        _ => return Err(BadScript),
    })
}

/// A pointer that was put into a word.
fn address<T>(word: ErlDrvTermData) -> *mut T {
    #[allow(clippy::cast_possible_truncation)] // as wide as a pointer
    std::ptr::with_exposed_provenance_mut(word as usize)
}

fn length(word: ErlDrvTermData) -> Result<usize, BadScript> {
    usize::try_from(word).map_err(|_| BadScript)
}

/// Numbers of elements are compared as 32-bit integers.
#[allow(clippy::cast_possible_truncation)] // that is the rule
fn count(word: ErlDrvTermData) -> Result<usize, BadScript> {
    usize::try_from(word.cast_signed() as i32).map_err(|_| BadScript)
}

/// Bytes that must be somewhere, even if there are none.
///
/// # Safety
/// `len` bytes are at the address for `'a`.
unsafe fn text<'a>(start: ErlDrvTermData, len: ErlDrvTermData) -> Result<&'a [u8], BadScript> {
    let start = address::<c_char>(start);
    if start.is_null() {
        return Err(BadScript);
    }
    // SAFETY: the caller's promise.
    unsafe { pointer::bytes(start, count(len)?) }.ok_or(BadScript)
}

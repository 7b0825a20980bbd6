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
use crate::process::directory::{Directory, HostId};
use crate::process::signal::Message;
use crate::term::{Binary, Pid, PortId, Term, Tuple, decode};

export! {
    fn erl_drv_output_term(port: ErlDrvTermData, data: *mut ErlDrvTermData, len: c_int) -> c_int, else -1 => {
        // SAFETY: the driver says that `len` words are there.
        sender(port).map_or(-1, |port| unsafe { send(&port, None, data, len) })
    }

    fn erl_drv_send_term(
        port: ErlDrvTermData,
        receiver: ErlDrvTermData,
        data: *mut ErlDrvTermData,
        len: c_int,
    ) -> c_int, else -1 => {
        // SAFETY: as above.
        sender(port).map_or(-1, |port| unsafe { send(&port, Some(receiver), data, len) })
    }

    fn driver_output_term(port: ErlDrvPort, data: *mut ErlDrvTermData, len: c_int) -> c_int, else -1 => {
        // SAFETY: as above.
        port_to_send(port).map_or(-1, |port| unsafe { send(&Sender::of(&port), None, data, len) })
    }

    fn driver_send_term(
        port: ErlDrvPort,
        receiver: ErlDrvTermData,
        data: *mut ErlDrvTermData,
        len: c_int,
    ) -> c_int, else -1 => {
        // SAFETY: as above.
        port_to_send(port)
            .map_or(-1, |port| unsafe { send(&Sender::of(&port), Some(receiver), data, len) })
    }

    fn erl_drv_port_control(
        port: ErlDrvTermData,
        command: c_uint,
        buf: *mut c_char,
        len: ErlDrvSizeT,
    ) -> c_int, else -1 => {
        let port = handle::as_port(port).and_then(ports::get).filter(is_drivers);
        // SAFETY: the driver says that `len` bytes are there.
        match (port, unsafe { pointer::bytes(buf, len) }) {
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

/// What sending takes of a port.
struct Sender {
    id: PortId,
    host: HostId,
    /// Whom terms for the owner go to; `None` when nothing is heard any more.
    listener: Option<Pid>,
}

impl Sender {
    fn of(port: &Port) -> Sender {
        Sender {
            id: port.id(),
            host: HostId::of(&port.services().directory),
            listener: port.listener(),
        }
    }
}

/// The port that a term names, if it is there and a driver's, as far as sending takes it.
#[inline]
fn sender(word: ErlDrvTermData) -> Option<Sender> {
    let id = handle::as_port(word)?;
    // In a callback of the port, which is open, it need not be looked up.
    let called = callback::with_frame(id, |port, _| Sender::of(port));
    if let Some(Sender {
        listener: Some(_), ..
    }) = called
    {
        return called;
    }
    ports::with(id, |port| is_drivers(port).then(|| Sender::of(port)))?
}

fn is_drivers(port: &Arc<Port>) -> bool {
    port.transport_as::<Instance>().is_some()
}

/// The port that C names, if it is there and a driver's; if there is none, the log says so.
fn port_to_send(word: ErlDrvPort) -> Option<Arc<Port>> {
    let port = port_of_handle(word);
    if port.is_none() {
        misuse::tell_bad_port(word.addr());
    }
    port
}

fn port_of_handle(word: ErlDrvPort) -> Option<Arc<Port>> {
    ports::get(handle::as_handle(word.addr())?).filter(is_drivers)
}

/// Runs a term program and sends the result: to a process, or to the port's owner. The steps are
/// judged before the receiver is looked up, the values afterwards.
///
/// # Safety
/// There are `len` words at `data`, and what they point to is there.
unsafe fn send(
    port: &Sender,
    receiver: Option<ErlDrvTermData>,
    data: *const ErlDrvTermData,
    len: c_int,
) -> c_int {
    // A port that is closing hears nobody, not even who talks nonsense.
    let Some(owner) = port.listener else {
        return 0;
    };
    let words = usize::try_from(len).ok().filter(|len| *len > 0);
    // SAFETY: the caller's promise.
    let Some(words) = words.and_then(|len| unsafe { pointer::slice(data, len) }) else {
        misuse::tell(Some(port.id), &Rule::BadTerm(BadTerm::Nothing));
        return -1;
    };
    // SAFETY: the caller's promise.
    if let Some(tuple) = unsafe { tuple_of_leaves(words) } {
        return match listed(port, owner, receiver) {
            Some(to) => deliver(port, to, Term::Tuple(tuple)),
            None => 0,
        };
    }
    // SAFETY: the caller's promise.
    unsafe { send_built(port, owner, receiver, words) }
}

/// To whom it goes; `None` when that is nobody.
#[inline]
fn listed(port: &Sender, owner: Pid, receiver: Option<ErlDrvTermData>) -> Option<Pid> {
    let Some(word) = receiver else {
        return Some(owner);
    };
    let pid = handle::as_pid(word);
    if pid.is_none() {
        misuse::tell(Some(port.id), &Rule::NoProcess);
    }
    pid
}

#[inline]
fn deliver(port: &Sender, to: Pid, term: Term) -> c_int {
    // Where there is no place for it, it is dropped here, without a lock.
    let mut term = Some(term);
    c_int::from(Directory::deliver(port.host, to, |place| {
        if let Some(term) = term.take() {
            *place = Message::Term(term);
        }
    }))
}

/// [`send`] of any program.
///
/// # Safety
/// What the words point to is there.
#[inline(never)]
unsafe fn send_built(
    port: &Sender,
    owner: Pid,
    receiver: Option<ErlDrvTermData>,
    words: &[ErlDrvTermData],
) -> c_int {
    let bad = |bad| {
        misuse::tell(Some(port.id), &Rule::BadTerm(bad));
        -1
    };
    let mut builder = Builder::default();
    // SAFETY: the caller's promise.
    if let Err(what) = unsafe { build(&mut builder, words) } {
        return bad(what);
    }
    let there = |to: &Pid| Directory::has(port.host, *to);
    let Some(to) = listed(port, owner, receiver).filter(there) else {
        return 0;
    };
    match builder.finish() {
        Ok(term) => deliver(port, to, term),
        Err(BadScript) => bad(BadTerm::Value),
    }
}

const TUPLE: ErlDrvTermData = 7;

/// The tuple that a program makes of leaves alone, as most do: put together where it stays, without a
/// stack. `None`: the program is of another kind, or has a mistake.
///
/// # Safety
/// What the words point to is there.
#[inline]
unsafe fn tuple_of_leaves(words: &[ErlDrvTermData]) -> Option<Tuple> {
    let [leaves @ .., TUPLE, elements] = words else {
        return None;
    };
    let (mut at, mut found) = (0, 0);
    while let Some(tag) = leaves.get(at) {
        at += 1 + words_behind(*tag)?;
        found += 1;
    }
    if at != leaves.len() || count(*elements) != Ok(found) {
        return None;
    }
    let mut rest = leaves.iter().copied();
    let mut is_well = true;
    let tuple = Tuple::of(found, |_| {
        let tag = rest.next().unwrap_or_default();
        // SAFETY: the caller's promise.
        let leaf = unsafe { step(tag, &mut rest) };
        let leaf = leaf.ok().and_then(Step::term);
        is_well &= leaf.is_some();
        leaf.unwrap_or_default()
    });
    is_well.then_some(tuple)
}

/// How many words follow the tag of a step that takes nothing off the stack.
#[inline]
fn words_behind(tag: ErlDrvTermData) -> Option<usize> {
    Some(match tag {
        1 => 0,
        2..=4 | 10 | 11 | 13 | 15 | 16 => 1,
        6 | 12 | 14 => 2,
        5 => 3,
        _ => return None,
    })
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
#[inline]
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
        TUPLE => Step::Tuple(count(word()?)?),
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

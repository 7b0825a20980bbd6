//! What drivers do wrong: a line in the log for each, and never more than a few.
//!
//! A function that was called against its rules gives its failure value; here it also says so,
//! naming the driver, the port, the callback that was running, the function and the rule. Each
//! rule that a port's driver breaks is told once, and then when it was broken ten, a hundred, a
//! thousand times: a driver that goes on in a loop does not flood the log. Nothing is looked up or
//! counted before something is wrong; until then [`note_function`] is all there is.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::mem::{Discriminant, discriminant};
use std::sync::LazyLock;

use crate::driver::callback;
use crate::driver::handle;
use crate::driver::instance::Instance;
use crate::driver::raw::{ErlDrvPort, ErlDrvSSizeT};
use crate::lock::Lock;
use crate::os::errno::Errno;
use crate::port::table as ports;
use crate::term::PortId;

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::driver) enum Rule {
    /// What was passed for a port has never been one.
    NoPort,
    /// The port was one.
    PortGone,
    /// The port belongs to a program or a descriptor.
    NotADriversPort,
    /// The port is there, and this thread is in none of its callbacks.
    WrongThread,
    /// The queue was used by a thread that is in no callback and has not locked the port's data.
    QueueUnlocked,
    /// There is nothing where bytes, a vector or a binary should be, or it is too short.
    NoBytes,
    /// More was to be taken out of the queue than there is.
    DequeuedTooMuch { wanted: usize, there: usize },
    /// A term program is wrong.
    BadTerm(BadTerm),
    /// The receiver of a term is no process.
    NoProcess,
    /// No descriptor can have this number.
    BadDescriptor(i32),
    /// The descriptor is not open.
    ClosedDescriptor { fd: i32, error: Errno },
    /// Another port had the descriptor.
    StolenDescriptor { fd: i32, from: PortId },
    /// The port ended while it waited for the descriptor.
    LeftSelected(i32),
    /// The driver lacks the callback that would have been called.
    NoCallback(&'static str),
    /// An acknowledgement that nobody waits for.
    UnwantedAck,
    /// A callback says that it has answered more than there is room for where it answered.
    AnswerTooLong { said: usize, room: usize },
    /// An atom's name that is none.
    BadAtom,
    /// NULL, where this has to be.
    Nothing(&'static str),
    /// The calling thread has this locked already.
    LockedAlready(&'static str),
    /// The calling thread has not locked this.
    NotLocked(&'static str),
    /// Threads have this, or wait for it.
    DestroyedInUse(&'static str),
    /// One reference to this more is given away than the driver has.
    NoReference(&'static str),
    /// A driver function failed for another reason of the system's.
    System(Errno),
    /// No such key for thread-specific data, or no longer.
    NoKey(i32),
    /// The thread was joined before, or is none of the driver's own.
    NotJoinable,
    /// A thread joins itself.
    JoinsItself,
    /// A thread that is only lent to the driver was to be ended.
    NotItsThread,
    /// No version of the system's facts is so short.
    NoRoomForFacts(usize),
    /// No unit of time.
    NoUnit(i32),
    /// There are several hosts, and nobody knows which one this thread belongs to.
    WhichHost,
}

/// What is wrong with a term program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::driver) enum BadTerm {
    /// There is none.
    Nothing,
    /// The step that begins with this word, which is this tag.
    Step { at: usize, tag: u64 },
    /// It leaves so many terms instead of one.
    Leaves(usize),
    /// It has a number that is none, or a key that comes twice.
    Value,
}

impl fmt::Display for BadTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadTerm::Nothing => f.write_str("there are no words"),
            BadTerm::Step { at, tag } if (1..=17).contains(tag) => {
                write!(f, "the step of tag {tag} at word {at} is wrong")
            }
            BadTerm::Step { at, tag } => write!(f, "word {at} is {tag}, which is no tag"),
            BadTerm::Leaves(terms) => write!(f, "{terms} terms are left"),
            BadTerm::Value => {
                f.write_str("a number is none, a term does not decode, or a key comes twice")
            }
        }
    }
}

impl Rule {
    fn is_logged_by_erlang(&self) -> bool {
        use Rule::{BadDescriptor, ClosedDescriptor, LeftSelected, NoCallback, StolenDescriptor};
        matches!(
            self,
            BadDescriptor(_)
                | ClosedDescriptor { .. }
                | LeftSelected(_)
                | NoCallback(_)
                | StolenDescriptor { .. }
        )
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::NoPort => f.write_str("the first argument must be the port that start was called with, or one from driver_create_port"),
            Rule::PortGone => f.write_str("a port must not be used after it has ended"),
            Rule::NotADriversPort => f.write_str("the port must be one of a driver"),
            Rule::WrongThread => f.write_str("this may only be called in a callback of the port, not by another thread"),
            Rule::QueueUnlocked => f.write_str("a thread outside of the port's callbacks must lock the port data lock before it touches the queue"),
            Rule::NoBytes => f.write_str("the bytes, vector or binary that the arguments describe must be there"),
            Rule::DequeuedTooMuch { wanted, there } => {
                write!(f, "no more than the queue holds may be taken out of it: {wanted} of {there} bytes")
            }
            Rule::BadTerm(bad) => write!(f, "a term must be described by whole steps that leave one term: {bad}"),
            Rule::NoProcess => f.write_str("the receiver must be a process"),
            Rule::BadDescriptor(fd) => write!(f, "a descriptor must have a possible number, and not {fd}"),
            Rule::ClosedDescriptor { fd, error } => {
                write!(f, "a descriptor must be open while it is selected, and {fd} cannot be watched: {error}")
            }
            Rule::StolenDescriptor { fd, from } => {
                write!(f, "a descriptor must be selected by one port at a time, and {fd} was selected by {from}")
            }
            Rule::LeftSelected(fd) => write!(f, "a port must deselect its descriptors before it ends, and {fd} was selected"),
            Rule::NoCallback(name) => write!(f, "a driver that asks for a callback must have one: there is no {name}"),
            Rule::UnwantedAck => f.write_str("only an open that waits for it may be acknowledged, and only once"),
            Rule::AnswerTooLong { said, room } => {
                write!(f, "an answer in the buffer that the callback was given must fit, and {said} bytes do not fit into {room}; a longer one needs a buffer from driver_alloc")
            }
            Rule::BadAtom => f.write_str("an atom must have a name"),
            Rule::Nothing(what) => write!(f, "there must be {what}, and not NULL"),
            Rule::LockedAlready(what) => write!(f, "{what} must not be locked by the thread that has it locked"),
            Rule::NotLocked(what) => write!(f, "{what} may only be given back, or waited with, by the thread that has it locked"),
            Rule::DestroyedInUse(what) => write!(f, "{what} must not be destroyed while a thread has it or waits for it"),
            Rule::NoReference(what) => write!(f, "no more references to {what} may be given away than the driver has"),
            Rule::System(error) => write!(f, "the system must be able to do it: {error}"),
            Rule::NoKey(key) => write!(f, "a key for thread-specific data must exist, and {key} does not"),
            Rule::NotJoinable => f.write_str("only threads from erl_drv_thread_create can be joined, and each once"),
            Rule::JoinsItself => f.write_str("a thread must not join itself"),
            Rule::NotItsThread => f.write_str("only a thread from erl_drv_thread_create may be ended"),
            Rule::NoRoomForFacts(size) => write!(f, "there must be room for the facts of some version, and {size} bytes are not"),
            Rule::NoUnit(unit) => write!(f, "a unit of time must be one of the four, and not {unit}"),
            Rule::WhichHost => f.write_str("while there are several hosts, only threads from erl_drv_thread_create may change the environment"),
        }
    }
}

thread_local! {
    /// The function that a driver called last on this thread.
    static FUNCTION: Cell<&'static Function> = const { Cell::new(&Function("")) };
}

/// The name of a driver function.
pub(super) struct Function(pub(super) &'static str);

/// Notes which function a driver is calling.
#[inline]
pub(super) fn note_function(function: &'static Function) {
    FUNCTION.set(function);
}

/// How often each rule was broken, by port; the word of what was passed for one where there is
/// none.
type Counts = HashMap<(u64, Discriminant<Rule>), u64>;

static BROKEN: LazyLock<Lock<Counts>> = LazyLock::new(Lock::default);

/// So many are remembered. Then counting begins anew.
const REMEMBERED_MAX: usize = 1000;

/// Says that a rule was broken by the function that is being called.
#[cold]
pub(in crate::driver) fn tell(port: Option<PortId>, rule: &Rule) {
    tell_word(
        port.map_or(0, |port| handle::handle(port) as u64),
        port,
        rule,
    );
}

/// The same of a function that has no port: of the callback's that is running.
#[cold]
pub(in crate::driver) fn tell_here(rule: &Rule) {
    tell(callback::innermost(), rule);
}

/// What a callback is about to return as the length of its answer in the buffer that it was given.
#[inline]
pub(in crate::driver) fn check_answer(len: ErlDrvSSizeT, room: usize) {
    if let Ok(said) = usize::try_from(len)
        && said > room
    {
        // No function is being called.
        FUNCTION.set(&Function("none"));
        tell_here(&Rule::AnswerTooLong { said, room });
    }
}

/// The same in front of giving up.
#[cold]
pub(super) fn refuse<R>(port: ErlDrvPort, rule: &Rule, failure: R) -> R {
    tell(handle::as_handle(port.addr()), rule);
    failure
}

/// What is wrong with a port that a function could not be called for.
#[cold]
pub(super) fn tell_bad_port(word: usize) {
    let port = handle::as_handle(word);
    let rule = match port {
        None => Rule::NoPort,
        Some(id) => match ports::get(id) {
            None => Rule::PortGone,
            Some(port) => match port.transport_as::<Instance>() {
                None => Rule::NotADriversPort,
                Some(instance) if instance.is_over() => Rule::PortGone,
                Some(_) => Rule::WrongThread,
            },
        },
    };
    tell_word(word as u64, port, &rule);
}

fn tell_word(word: u64, port: Option<PortId>, rule: &Rule) {
    let times = {
        let mut broken = BROKEN.lock();
        if broken.len() >= REMEMBERED_MAX {
            broken.clear();
        }
        let times = broken.entry((word, discriminant(rule))).or_default();
        *times += 1;
        *times
    };
    if !is_told(times) {
        return;
    }
    let driver = callback::driver().or_else(|| driver_of(port?));
    let driver = driver.unwrap_or_else(|| "unknown".into());
    let port = match (port, word) {
        (Some(port), _) => port.to_string(),
        (None, 0) => "none".into(),
        (None, word) => format!("{word:#x}"),
    };
    let callback = callback::name().unwrap_or("none");
    let function = FUNCTION.get().0;
    // What Erlang tells its logger is an error here, too. About the rest it says nothing.
    if rule.is_logged_by_erlang() {
        tracing::error!(driver, port, callback, function, times, "{rule}");
    } else {
        tracing::warn!(driver, port, callback, function, times, "{rule}");
    }
}

/// Whether the log says it this time: the first, the tenth, the hundredth.
fn is_told(times: u64) -> bool {
    times == 10_u64.pow(times.ilog10())
}

fn driver_of(port: PortId) -> Option<String> {
    let port = ports::get(port)?;
    Some(port.transport_as::<Instance>()?.driver().name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_ten_times_the_last() {
        let told: Vec<u64> = (1..5000).filter(|times| is_told(*times)).collect();
        assert_eq!(told, [1, 10, 100, 1000]);
    }
}

//! What a driver in Rust may do with its port: the `driver_*` functions, made safe.
//!
//! Relies on `abi`, which finds the port and the turn that the callback was lent. A function
//! that ends the port takes effect when the callback has returned: `stop` takes the driver's
//! value, which the callback still has in its hands.
#![forbid(unsafe_code)]

use std::any::Any;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd, RawFd};
use std::time::Duration;

use crate::driver::abi::port::{end, end_of_input};
use crate::driver::abi::{reach, reach_anywhere};
use crate::driver::raw::ErlDrvPort;
use crate::driver::rust::table;
use crate::driver::select::{Directions, Release, deselect, select};
use crate::driver::{callback, handle};
use crate::os::errno::Errno;
use crate::os::fd;
use crate::port::queue::End;
use crate::port::{Port, table as ports};
use crate::process::signal::Message;
use crate::term::{Binary, Pid, PortId, Reference, Term, atom};

/// The port that a callback is called for. Good for as long as the callback runs.
pub struct DriverPort<'a> {
    id: PortId,
    word: ErlDrvPort,
    watches: &'a mut Watches,
    pub(super) ending: Option<Ending>,
    /// A callback's thread alone is on the port's turn.
    _here: PhantomData<*const ()>,
}

/// What a driver waits for on a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// It can be read: [`PortDriver::ready_input`](super::PortDriver::ready_input).
    Read,
    /// It can be written: [`PortDriver::ready_output`](super::PortDriver::ready_output).
    Write,
    /// Either.
    Both,
}

impl Interest {
    fn directions(self) -> Directions {
        Directions {
            read: self != Interest::Write,
            write: self != Interest::Read,
        }
    }
}

/// How a callback wants the port to end.
pub(super) enum Ending {
    Failed(Term),
    EndOfInput,
    Exit(Term),
}

impl Ending {
    /// Ends the port. Its `stop` may have run when this returns.
    pub(super) fn carry_out(self, word: ErlDrvPort) {
        match self {
            Ending::Failed(reason) => end(word, |on, port| port.fail(on, reason)),
            Ending::EndOfInput => end_of_input(word),
            Ending::Exit(reason) => end(word, |on, port| port.fail_unlinked(on, reason)),
        };
    }
}

/// The descriptors that a port watches: the driver's number, and the copy that is watched, which
/// stays open until the host has let go of it, whatever becomes of the original.
#[derive(Default)]
pub(super) struct Watches(Vec<(RawFd, OwnedFd)>);

impl<'a> DriverPort<'a> {
    pub(super) fn new(word: ErlDrvPort, watches: &'a mut Watches) -> Option<DriverPort<'a>> {
        Some(DriverPort {
            id: handle::as_handle(word.addr())?,
            word,
            watches,
            ending: None,
            _here: PhantomData,
        })
    }

    pub(super) fn word(&self) -> ErlDrvPort {
        self.word
    }

    /// The driver's number for a descriptor that is watched.
    pub(super) fn original(&self, copy: RawFd) -> Option<RawFd> {
        let found = self
            .watches
            .0
            .iter()
            .find(|(_, known)| known.as_raw_fd() == copy)?;
        Some(found.0)
    }

    /// The port, as processes know it.
    pub fn id(&self) -> PortId {
        self.id
    }

    /// The process that gets what the port sends.
    pub fn owner(&self) -> Option<Pid> {
        reach(self.word, |on, port, _| port.owner(on))
    }

    /// The process that asked for what the callback is about, if one did.
    pub fn caller(&self) -> Option<Pid> {
        reach(self.word, |_, port, _| callback::caller(port.id())).flatten()
    }

    /// Whether the port was opened for binaries; else its data comes as lists.
    pub fn is_binary(&self) -> bool {
        reach(self.word, |_, port, _| port.kept_options().binary) == Some(true)
    }

    /// Sends the owner data: `{Port, {data, Data}}`, in lines if the port was opened so.
    pub fn output(&mut self, data: &[u8]) {
        reach(self.word, |on, port, _| port.deliver_bytes(on, data));
    }

    /// The same without a copy.
    pub fn output_binary(&mut self, data: Binary) {
        reach(self.word, |on, port, _| {
            port.deliver_piece(on, &mut { data })
        });
    }

    /// Sends the owner a term as it is. False if nobody is there.
    pub fn output_term(&mut self, term: Term) -> bool {
        reach(self.word, |on, port, _| port.deliver_term(on, term)) == Some(true)
    }

    /// Sends a process a term. False if it is not there.
    pub fn send(&mut self, to: Pid, term: Term) -> bool {
        self.sender().send(to, term)
    }

    /// What threads and jobs of the driver can send messages with.
    pub fn sender(&self) -> Sender {
        Sender { port: self.id }
    }

    /// Has [`timeout`](super::PortDriver::timeout) called once, after this time. A port has one
    /// timer; setting it anew replaces it.
    pub fn set_timer(&mut self, after: Duration) {
        reach(self.word, |on, port, instance| {
            instance.set_timer(on, port, after)
        });
    }

    /// Calls that off.
    pub fn cancel_timer(&mut self) {
        reach(self.word, |on, port, instance| {
            instance.cancel_timer(on, port)
        });
    }

    /// How long the timer still has to run; `None` if it is not set.
    pub fn timer_left(&self) -> Option<Duration> {
        let left = reach(self.word, |on, _, instance| instance.timer_left(on))?;
        (left > Duration::ZERO).then_some(left)
    }

    /// Puts bytes at the end of the port's queue. As long as it has any, a close waits for
    /// [`flush`](super::PortDriver::flush) to do its work.
    pub fn enqueue(&mut self, bytes: impl Into<Binary>) {
        self.add(End::Back, bytes.into());
    }

    /// Puts bytes at the front of the queue.
    pub fn push_front(&mut self, bytes: impl Into<Binary>) {
        self.add(End::Front, bytes.into());
    }

    fn add(&mut self, end: End, bytes: Binary) {
        if bytes.is_empty() {
            return;
        }
        reach_anywhere(self.word, |_, instance| {
            instance
                .beside()
                .lock()
                .wanted()
                .queue
                .add(end, vec![bytes])
        });
    }

    /// How many bytes are in the queue.
    pub fn queue_len(&self) -> usize {
        reach_anywhere(self.word, |_, instance| instance.queue_bytes()).unwrap_or(0)
    }

    /// The queue's pieces, first in first out. Nothing is copied.
    pub fn queue(&self) -> Vec<Binary> {
        reach_anywhere(self.word, |_, instance| {
            let mut beside = instance.beside().lock();
            beside.wanted().queue.segments().cloned().collect()
        })
        .unwrap_or_default()
    }

    /// Takes bytes off the front of the queue; all of them if there are no more than that.
    pub fn dequeue(&mut self, bytes: usize) {
        reach_anywhere(self.word, |_, instance| {
            let mut beside = instance.beside().lock();
            let held = beside.wanted();
            let bytes = bytes.min(held.queue.bytes());
            held.queue.take(bytes);
        });
    }

    /// Watches a descriptor: [`ready_input`](super::PortDriver::ready_input) and
    /// [`ready_output`](super::PortDriver::ready_output) are called with its number. It need not
    /// stay open meanwhile; what it stands for is watched until [`Self::unwatch`] or the port's end.
    ///
    /// # Errors
    /// There are no more descriptors, or this is none.
    pub fn watch(&mut self, descriptor: impl AsFd, interest: Interest) -> io::Result<()> {
        let original = descriptor.as_fd().as_raw_fd();
        if self.copy_of(original).is_none() {
            let copy = fd::duplicate(original)?;
            self.watches.0.push((original, copy));
        }
        let Some(copy) = self.copy_of(original) else {
            return Ok(());
        };
        reach(self.word, |on, port, instance| {
            select(on, port, instance, copy, interest.directions());
        });
        Ok(())
    }

    /// Ends that, for the directions that are given.
    pub fn unwatch(&mut self, descriptor: impl AsFd, interest: Interest) {
        self.unwatch_number(descriptor.as_fd().as_raw_fd(), interest);
    }

    fn unwatch_number(&mut self, original: RawFd, interest: Interest) {
        let Some(at) = self
            .watches
            .0
            .iter()
            .position(|(known, _)| *known == original)
        else {
            return;
        };
        let copy = self.watches.0[at].1.as_raw_fd();
        let release = match interest {
            Interest::Both => Release::WithCallback,
            _ => Release::Keep,
        };
        let done = reach(self.word, |on, port, instance| {
            deselect(on, port, instance, copy, interest.directions(), release);
        });
        if release == Release::WithCallback {
            let (_, copy) = self.watches.0.swap_remove(at);
            if done.is_some() {
                // It belongs to the callback stop_select, which closes it.
                let _ = copy.into_raw_fd();
            }
        }
    }

    /// Watches nothing any more.
    pub(super) fn unwatch_all(&mut self) {
        while let Some((original, _)) = self.watches.0.first() {
            self.unwatch_number(*original, Interest::Both);
        }
    }

    fn copy_of(&self, original: RawFd) -> Option<RawFd> {
        let found = self
            .watches
            .0
            .iter()
            .find(|(known, _)| *known == original)?;
        Some(found.1.as_raw_fd())
    }

    /// Runs a job on the host's pool of threads; what it gives comes back with
    /// [`ready_async`](super::PortDriver::ready_async), or is dropped if the port is gone by then. Jobs
    /// with the same key run in order.
    pub fn spawn_job<T: Any + Send>(
        &mut self,
        key: Option<u32>,
        job: impl FnOnce() -> T + Send + 'static,
    ) {
        table::submit(self.word, key, Box::new(move || Box::new(job())));
    }

    /// Monitors a process: [`process_exit`](super::PortDriver::process_exit) is called when it is
    /// gone. `None` if it is gone already.
    pub fn monitor(&mut self, process: Pid) -> Option<Reference> {
        reach(self.word, |on, port, _| {
            let reference = Reference::fresh();
            port.monitor_process(on, process, reference)
                .then_some(reference)
        })
        .flatten()
    }

    /// Ends that. False if it is over.
    pub fn demonitor(&mut self, monitor: Reference) -> bool {
        reach(self.word, |on, port, _| port.demonitor_process(on, monitor)) == Some(true)
    }

    /// The process that is monitored.
    pub fn monitored(&self, monitor: Reference) -> Option<Pid> {
        reach(self.word, |on, port, _| port.monitored_process(on, monitor)).flatten()
    }

    /// Says whether the port can take commands; whoever sends it one meanwhile is suspended.
    pub fn set_busy(&mut self, busy: bool) {
        reach(self.word, |on, port, _| port.set_busy(on, busy));
    }

    /// What `port_info` gives as `os_pid`.
    pub fn set_os_pid(&mut self, pid: i64) {
        reach(self.word, |_, _, instance| {
            instance.beside().lock().wanted().os_pid = Some(pid);
        });
    }

    /// Ends the port with this reason when the callback has returned. In `start`: the open fails
    /// with `einval`.
    pub fn fail(&mut self, reason: impl Into<Term>) {
        self.ending = Some(Ending::Failed(reason.into()));
    }

    /// The same with the name of an error: `eio`.
    pub fn fail_with(&mut self, error: &io::Error) {
        let name = error
            .raw_os_error()
            .map_or("eio", |number| Errno::new(number).name());
        self.fail(Term::atom(name));
    }

    /// Says that no more data will come: the port ends normally, or tells its owner `eof` if it was opened
    /// so. When the callback has returned.
    pub fn end_of_input(&mut self) {
        self.ending = Some(Ending::EndOfInput);
    }

    /// Ends the port when the callback has returned, without an exit signal to its owner.
    pub fn exit(&mut self) {
        self.ending = Some(Ending::Exit(Term::Atom(atom::NORMAL)));
    }
}

/// Sends messages in the name of a port, from any thread and at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    port: PortId,
}

impl Sender {
    /// Sends a process of the port's host a term. False if the process, or the port, is not there.
    pub fn send(&self, to: Pid, term: Term) -> bool {
        self.deliver(term, |_| Some(to))
    }

    /// Sends the port's owner a term. False if nobody is there.
    pub fn send_owner(&self, term: Term) -> bool {
        self.deliver(term, Port::listener)
    }

    fn deliver(&self, term: Term, to: impl FnOnce(&Port) -> Option<Pid>) -> bool {
        let Some(port) = ports::get(self.port) else {
            return false;
        };
        let process = to(&port).and_then(|pid| port.services().directory.process(pid));
        process.is_some_and(|process| process.deliver(Message::Term(term)))
    }
}

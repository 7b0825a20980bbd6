//! What may be asked of a port, and has an answer.
//!
//! A request runs at once, on the asker's thread, when the port's turn is idle; otherwise
//! it is left on the turn, and the asker waits for its answer.
#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::lock::{Lock, spin_for};
use crate::port::state::{Gate, Phase};
use crate::port::transport::Unsupported;
use crate::port::{Flush, Port};
use crate::process::pause::Pause;
use crate::process::signal::Party;
use crate::runtime::turn::{OnTurn, thread_is_on_a_turn};
use crate::term::iodata::IoData;
use crate::term::{Binary, Pid, Term, atom};

/// A request that would have to wait for its own end: the thread is on the port's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WouldDeadlock;

/// Looks for an answer before a sleep.
const LOOKS: u32 = 64;

/// How a command behaves at a busy port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommandFlags {
    /// Send although the port is busy; only soft-busy drivers allow it.
    pub(crate) force: bool,
    /// Do not wait.
    pub(crate) nosuspend: bool,
}

/// What became of a command.
pub(crate) enum Commanded {
    /// It was taken.
    Taken,
    /// The port is busy; try again when the pause is over.
    Wait(Arc<Pause>),
    /// The port is busy, and waiting was not wanted.
    Busy,
    /// The port is closed.
    Closed,
    /// `force` is not for this port.
    NotSupported,
}

/// What became of another request.
pub(crate) enum Answer<T> {
    /// It is done.
    Is(T),
    /// A command of the same process waits in the port; try again when the pause is over.
    Wait(Arc<Pause>),
}

impl Port {
    /// Runs `f` on the port's turn and returns its answer.
    pub(crate) fn ask<R: Send + 'static>(
        self: &Arc<Self>,
        f: impl FnOnce(&mut OnTurn<'_>, &Arc<Port>) -> R + Send + 'static,
    ) -> Result<R, WouldDeadlock> {
        if let Some(mut visit) = self.turn.enter() {
            return Ok(f(visit.on(), self));
        }
        let port = Arc::clone(self);
        self.ask_later(move |on| f(on, &port))
    }

    pub(super) fn ask_later<R: Send + 'static>(
        self: &Arc<Self>,
        f: impl FnOnce(&mut OnTurn<'_>) -> R + Send + 'static,
    ) -> Result<R, WouldDeadlock> {
        if thread_is_on_a_turn() {
            return Err(WouldDeadlock);
        }
        let answer = Arc::new((Lock::new(None), Pause::default()));
        let there = Arc::clone(&answer);
        self.turn.post(Box::new(move |on| {
            // Wakes the asker also when the request panics.
            let guard = EndOnDrop(&there.1);
            let result = f(on);
            *there.0.lock() = Some(result);
            drop(guard);
        }));
        // Most tasks are done in less time than a sleep and a wake-up take.
        spin_for(LOOKS, || answer.1.is_over());
        answer.1.sleep();
        answer.0.lock().take().ok_or(WouldDeadlock)
    }

    /// A command by `port_command`. The data may be taken out of `data` when it passes, and is still
    /// there when it does not.
    #[inline]
    pub(crate) fn command(
        self: &Arc<Self>,
        caller: Pid,
        data: &mut IoData<'_>,
        flags: CommandFlags,
    ) -> Result<Commanded, WouldDeadlock> {
        match self.turn.enter() {
            Some(mut visit) => Ok(self.command_on(visit.on(), caller, data, flags)),
            None => self.command_later(caller, data, flags),
        }
    }

    /// The same where somebody else is on the turn.
    #[cold]
    fn command_later(
        self: &Arc<Self>,
        caller: Pid,
        data: &mut IoData<'_>,
        flags: CommandFlags,
    ) -> Result<Commanded, WouldDeadlock> {
        if flags.nosuspend && !flags.force && self.backlog.is_busy() {
            return Ok(Commanded::Busy);
        }
        let port = Arc::clone(self);
        let mut kept = std::mem::take(data).into_owned();
        let (commanded, kept) = self.ask_later(move |on| {
            let commanded = port.command_on(on, caller, &mut kept, flags);
            (commanded, kept)
        })?;
        *data = kept;
        Ok(commanded)
    }

    #[inline]
    fn command_on(
        self: &Arc<Self>,
        on: &mut OnTurn<'_>,
        caller: Pid,
        data: &mut IoData<'_>,
        flags: CommandFlags,
    ) -> Commanded {
        let admitted = self.admit(on, caller, flags);
        if matches!(admitted, Commanded::Taken) {
            self.pass(on, Some(caller), data);
        }
        admitted
    }

    /// Whether a command may pass; `Taken` when it may.
    #[inline]
    fn admit(&self, on: &mut OnTurn<'_>, caller: Pid, flags: CommandFlags) -> Commanded {
        let state = self.state.get(on);
        match state.gate() {
            _ if state.phase == Phase::Closed => Commanded::Closed,
            _ if flags.force && !self.transport.nature().soft_busy => Commanded::NotSupported,
            Gate::Shut => Commanded::Closed,
            // Force passes a busy port, and not what the same process sent before.
            Gate::Busy if flags.force && !state.holds_for(Some(caller)) => Commanded::Taken,
            Gate::Busy if flags.nosuspend && !flags.force => Commanded::Busy,
            Gate::Busy => Commanded::Wait(state.suspend()),
            Gate::Free => Commanded::Taken,
        }
    }

    /// A command whose data is none: what it meets before that is found out; `Taken` when
    /// nothing stands before it.
    pub(crate) fn try_the_gate(
        self: &Arc<Self>,
        caller: Pid,
        flags: CommandFlags,
    ) -> Result<Commanded, WouldDeadlock> {
        self.ask(move |on, port| port.admit(on, caller, flags))
    }

    /// Hands a command to the back end of an open port.
    #[inline]
    pub(super) fn pass(
        self: &Arc<Self>,
        on: &mut OnTurn<'_>,
        caller: Option<Pid>,
        data: &mut IoData<'_>,
    ) {
        self.state.get(on).bytes_out += data.len() as u64;
        self.transport.command(on, self, caller, data);
    }

    /// What a process asks for comes after the commands that it sent before.
    #[inline]
    fn in_order<R>(
        self: &Arc<Self>,
        on: &mut OnTurn<'_>,
        caller: Pid,
        request: impl FnOnce(&mut OnTurn<'_>) -> R,
    ) -> Answer<R> {
        let state = self.state.get(on);
        if state.holds_for(Some(caller)) {
            return Answer::Wait(state.suspend());
        }
        Answer::Is(request(on))
    }

    /// `port_control`. The error: the port is closed, or the request would deadlock.
    #[inline]
    pub(crate) fn control(
        self: &Arc<Self>,
        caller: Pid,
        operation: u32,
        data: &[u8],
        answer: &mut Term,
    ) -> Answer<Result<(), Unsupported>> {
        match self.turn.enter() {
            Some(mut visit) => self.control_on(visit.on(), caller, operation, data, answer),
            None => self.control_later(caller, operation, data, answer),
        }
    }

    /// The same where somebody else is on the turn.
    #[cold]
    fn control_later(
        self: &Arc<Self>,
        caller: Pid,
        operation: u32,
        data: &[u8],
        answer: &mut Term,
    ) -> Answer<Result<(), Unsupported>> {
        let (port, data) = (Arc::clone(self), Binary::from(data));
        let asked = self.ask_later(move |on| {
            let mut answer = Term::Nil;
            let asked = port.control_on(on, caller, operation, &data, &mut answer);
            (asked, answer)
        });
        let Ok((asked, there)) = asked else {
            return Answer::Is(Err(Unsupported));
        };
        *answer = there;
        asked
    }

    #[inline]
    fn control_on(
        self: &Arc<Self>,
        on: &mut OnTurn<'_>,
        caller: Pid,
        operation: u32,
        data: &[u8],
        answer: &mut Term,
    ) -> Answer<Result<(), Unsupported>> {
        let state = self.state.get(on);
        if state.holds_for(Some(caller)) {
            return Answer::Wait(state.suspend());
        }
        Answer::Is(match state.answers() {
            true => self
                .transport
                .control(on, self, caller, operation, data, answer),
            false => Err(Unsupported),
        })
    }

    /// `port_call`.
    pub(crate) fn call(
        self: &Arc<Self>,
        caller: Pid,
        operation: u32,
        data: Term,
    ) -> Answer<Result<Term, Unsupported>> {
        self.ask(move |on, port| {
            port.in_order(on, caller, |on| match port.state.get(on).answers() {
                true => port.transport.call(on, port, caller, operation, &data),
                false => Err(Unsupported),
            })
        })
        .unwrap_or(Answer::Is(Err(Unsupported)))
    }

    /// `port_close`. False when the port is closed already.
    pub(crate) fn close_by_request(
        self: &Arc<Self>,
        caller: Pid,
    ) -> Result<Answer<bool>, WouldDeadlock> {
        self.ask(move |on, port| {
            port.in_order(on, caller, |on| {
                let open = port.state.get(on).phase == Phase::Open;
                port.close(on, Term::Atom(atom::NORMAL), Flush::Yes);
                open
            })
        })
    }

    /// `port_connect`. False when the port is closed or there is no such process.
    pub(crate) fn connect_by_request(
        self: &Arc<Self>,
        caller: Pid,
        to: Pid,
    ) -> Result<Answer<bool>, WouldDeadlock> {
        self.ask(move |on, port| port.in_order(on, caller, |on| port.connect_on(on, to)))
    }

    fn connect_on(&self, on: &mut OnTurn<'_>, to: Pid) -> bool {
        let Some(process) = self.services.directory.process(to) else {
            return false;
        };
        let state = self.state.get(on);
        if state.phase != Phase::Open || !process.accept_link(Party::Port(self.id)) {
            return false;
        }
        state.relations.link(Party::Process(to));
        state.owner = to;
        state.owner_cell = Some(process);
        self.set_listener(to);
        true
    }

    /// `link`: the port's side of it. False when the port is closed.
    pub(crate) fn link_by_request(self: &Arc<Self>, from: Pid) -> Result<bool, WouldDeadlock> {
        self.ask(move |on, port| {
            let state = port.state.get(on);
            let open = state.phase == Phase::Open;
            if open {
                state.relations.link(Party::Process(from));
            }
            open
        })
    }
}

/// Ends a pause when it goes out of scope.
struct EndOnDrop<'p>(&'p Pause);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

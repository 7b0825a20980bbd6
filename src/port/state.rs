//! What must hold for every port: which phase it is in, who owns it, whom it is linked to,
//! who waits for it. No I/O and no locks: an event goes in, and what is to be done about it
//! comes out.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::sync::Arc;

use crate::port::Opening;
use crate::port::flow::{Flow, Limits};
use crate::port::line::LineBuffer;
use crate::port::options::Options;
use crate::process::ProcessCell;
use crate::process::exit;
use crate::process::pause::Pause;
use crate::process::relations::Relations;
use crate::process::signal::{ExitCause, Party, Shape};
use crate::seldom::Seldom;
use crate::term::{Pid, Term};

/// Where a port is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The back end is starting; options do not apply to its output yet.
    Opening,
    /// Everything works.
    Open,
    /// Closed for everyone outside; queued output still goes out.
    Closing,
    /// Over.
    Closed,
}

/// What a port knows about itself. Guarded by the port's turn.
pub(crate) struct State {
    pub(crate) phase: Phase,
    pub(crate) owner: Pid,
    /// The owner, found once per change; `None` when it had ended by then.
    pub(crate) owner_cell: Option<Arc<ProcessCell>>,
    pub(crate) relations: Relations,
    /// How data looks once the port is open.
    pub(crate) shape: Shape,
    pub(crate) line: Option<Box<LineBuffer>>,
    /// The option `eof`: end of input is told and the port stays.
    pub(crate) eof: bool,
    pub(crate) flow: Flow,
    pub(crate) rare: Seldom<Rare>,
    /// Bytes that came from the back end, and bytes that went to it.
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    /// Whether the owner is to hear `closed`.
    pub(crate) closed_wanted: bool,
    /// Whether a task that lets them pass is on its way.
    pub(crate) releasing: bool,
    /// Whether closing began with output queued: then nothing more reaches the owner.
    pub(crate) silent: bool,
    /// The back end is being stopped.
    pub(crate) stopping: bool,
}

/// What few ports ever have.
#[derive(Default)]
pub(crate) struct Rare {
    pub(crate) waits: Waits,
    pub(crate) starting: Starting,
}

/// Who and what waits for the port.
#[derive(Default)]
pub(crate) struct Waits {
    /// Threads that wait until the port is not busy.
    suspended: Vec<Arc<Pause>>,
    /// Commands that were left on the turn and met a busy port, and what their senders sent
    /// after them, oldest first.
    pub(crate) held: VecDeque<Held>,
}

/// What the back end said while it was starting.
#[derive(Default)]
pub(crate) struct Starting {
    /// Why it failed.
    pub(crate) failure: Option<Term>,
    /// What it acknowledged.
    pub(crate) acknowledged: Option<Result<(), Term>>,
    /// The open that waits for an acknowledgement.
    pub(crate) opening: Option<Arc<Opening>>,
}

/// What waits in the port, because its sender did not.
pub(crate) struct Held {
    pub(crate) caller: Option<Pid>,
    pub(crate) what: Waiting,
}

/// The ways of waiting.
pub(crate) enum Waiting {
    /// A command that met a busy port, or another message behind one of the same sender.
    Message(Term),
    /// An exit signal, behind a command of the same sender.
    Exit { reason: Term, cause: ExitCause },
}

/// What a command meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// It may pass.
    Free,
    /// It has to wait.
    Busy,
    /// There is nothing to pass to.
    Shut,
}

impl State {
    /// A port that is opening.
    pub(crate) fn new(
        owner: &Arc<ProcessCell>,
        relations: Relations,
        options: &Options,
        queue_limited: bool,
    ) -> State {
        let queue_limits = match queue_limited {
            true => options.port_limits(),
            false => Limits::Disabled,
        };
        State {
            phase: Phase::Opening,
            owner: owner.pid(),
            owner_cell: Some(Arc::clone(owner)),
            relations,
            shape: if options.is_binary() {
                Shape::Binary
            } else {
                Shape::List
            },
            line: options
                .line_limit()
                .map(|limit| Box::new(LineBuffer::new(limit))),
            eof: options.wants_eof(),
            flow: Flow::new(queue_limits),
            rare: Seldom::default(),
            bytes_in: 0,
            bytes_out: 0,
            closed_wanted: false,
            releasing: false,
            silent: false,
            stopping: false,
        }
    }

    /// May a command pass?
    #[inline]
    pub(crate) fn gate(&self) -> Gate {
        match self.phase {
            Phase::Open if self.flow.is_busy() || self.holds() => Gate::Busy,
            Phase::Open => Gate::Free,
            _ => Gate::Shut,
        }
    }

    /// Whether control and call reach the back end: also while output is being flushed.
    #[inline]
    pub(crate) fn answers(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Closing) && !self.stopping
    }

    /// Whether a command of this process waits: then all that it asks for has to wait, too.
    #[inline]
    pub(crate) fn holds_for(&self, caller: Option<Pid>) -> bool {
        self.rare.get().is_some_and(|rare| {
            caller.is_some() && rare.waits.held.iter().any(|held| held.caller == caller)
        })
    }

    /// Whether a command waits.
    #[inline]
    pub(crate) fn holds(&self) -> bool {
        let rare = self.rare.get();
        rare.is_some_and(|rare| !rare.waits.held.is_empty())
    }

    /// Takes out the command that has waited longest.
    pub(crate) fn next_held(&mut self) -> Option<Held> {
        self.rare.get_mut()?.waits.held.pop_front()
    }

    /// Does an exit signal end this port? Takes note of a link that is thereby gone.
    pub(crate) fn on_exit_signal(&mut self, from: Party, reason: &Term, cause: ExitCause) -> bool {
        if cause == ExitCause::Link && !self.relations.unlink(from) {
            return false;
        }
        self.phase == Phase::Open
            && exit::ends_port(cause, from, Party::Process(self.owner), reason)
    }

    /// The port is closing: everyone who knew it is handed over, to be told.
    pub(crate) fn on_close(&mut self) -> (Relations, Vec<Arc<Pause>>) {
        self.phase = Phase::Closing;
        self.flow.on_close();
        let rare = self.rare.take().unwrap_or_default();
        (self.relations.take(), rare.waits.suspended)
    }

    /// Where somebody may wait until the port is not busy.
    pub(crate) fn suspend(&mut self) -> Arc<Pause> {
        let suspended = &mut self.rare.wanted().waits.suspended;
        if suspended.len() == suspended.capacity() {
            // Who was killed, or gave up, has left only our side of its pause.
            suspended.retain(|pause| Arc::strong_count(pause) > 1);
        }
        let pause = Arc::new(Pause::default());
        suspended.push(Arc::clone(&pause));
        pause
    }

    /// Who may go on, now that the port is not busy.
    /// Who was the first to wait comes last, as in Erlang.
    pub(crate) fn resume(&mut self) -> Vec<Arc<Pause>> {
        let Some(rare) = self.rare.get_mut() else {
            return Vec::new();
        };
        let mut suspended = std::mem::take(&mut rare.waits.suspended);
        if !suspended.is_empty() {
            suspended.rotate_left(1);
        }
        suspended
    }
}

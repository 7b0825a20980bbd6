//! What may be asked of a port, by processes and by their signals.
//!
//! A request runs at once, on the asker's thread, when the port's turn is idle; otherwise
//! it is left on the turn, and the asker waits for its answer unless it is a mere message.
#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::lock::Lock;
use crate::port::state::{Gate, Held, Phase};
use crate::port::transport::Unsupported;
use crate::port::{Flush, Port};
use crate::process::pause::Pause;
use crate::process::signal::{ExitCause, Party, Signal};
use crate::runtime::turn::{OnTurn, thread_is_on_a_turn};
use crate::term::iodata::IoData;
use crate::term::{Pid, Term, atom};

/// A request that would have to wait for its own end: the thread is on the port's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WouldDeadlock;

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

impl Port {
    /// Runs `f` on the port's turn and returns its answer.
    pub(crate) fn ask<R: Send + 'static>(
        self: &Arc<Self>,
        f: impl FnOnce(&mut OnTurn<'_>, &Arc<Port>) -> R + Send + 'static,
    ) -> Result<R, WouldDeadlock> {
        let here = Arc::clone(self);
        match self.turn.try_run(move |on| f(on, &here)) {
            Ok(answer) => Ok(answer),
            Err(f) => self.ask_later(f),
        }
    }

    fn ask_later<R: Send + 'static>(
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
        answer.1.sleep();
        answer.0.lock().take().ok_or(WouldDeadlock)
    }

    /// A command by `port_command`.
    #[inline]
    pub(crate) fn command(
        self: &Arc<Self>,
        caller: Pid,
        data: IoData<'_>,
        flags: CommandFlags,
    ) -> Result<Commanded, WouldDeadlock> {
        let mut data = Some(data);
        let inline = self.turn.try_run(|on| {
            let data = data.take().unwrap_or(IoData::Bytes(&[]));
            self.command_on(on, Some(caller), data, flags)
        });
        match inline {
            Ok(commanded) => Ok(commanded),
            Err(_) if flags.nosuspend && !flags.force && self.backlog.is_busy() => {
                Ok(Commanded::Busy)
            }
            Err(_) => {
                let data = data.take().map_or(IoData::Bytes(&[]), IoData::into_owned);
                let port = Arc::clone(self);
                self.ask_later(move |on| port.command_on(on, Some(caller), data, flags))
            }
        }
    }

    fn command_on(
        self: &Arc<Self>,
        on: &mut OnTurn<'_>,
        caller: Option<Pid>,
        data: IoData<'_>,
        flags: CommandFlags,
    ) -> Commanded {
        let state = self.state.get(on);
        if state.phase != Phase::Open {
            return Commanded::Closed;
        }
        if flags.force && !self.transport.nature().soft_busy {
            return Commanded::NotSupported;
        }
        if state.gate() == Gate::Busy && !flags.force {
            if flags.nosuspend {
                return Commanded::Busy;
            }
            let pause = Arc::new(Pause::default());
            state.suspended.push(Arc::clone(&pause));
            return Commanded::Wait(pause);
        }
        state.bytes_out += data.len() as u64;
        self.transport.command(on, self, caller, data);
        Commanded::Taken
    }

    /// `port_control`. The outer error: the port is closed, or the request would deadlock.
    pub(crate) fn control(
        self: &Arc<Self>,
        caller: Pid,
        operation: u32,
        data: IoData<'_>,
    ) -> Result<Term, Unsupported> {
        let mut data = Some(data);
        let run = move |port: &Arc<Port>, on: &mut OnTurn<'_>, data: IoData<'_>| {
            if port.answers(on) {
                port.transport.control(on, port, caller, operation, data)
            } else {
                Err(Unsupported)
            }
        };
        let inline = self.turn.try_run(|on| {
            let data = data.take().unwrap_or(IoData::Bytes(&[]));
            run(self, on, data)
        });
        match inline {
            Ok(answer) => answer,
            Err(_) => {
                let data = data.take().map_or(IoData::Bytes(&[]), IoData::into_owned);
                let port = Arc::clone(self);
                self.ask_later(move |on| run(&port, on, data))
                    .unwrap_or(Err(Unsupported))
            }
        }
    }

    /// `port_call`.
    pub(crate) fn call(
        self: &Arc<Self>,
        caller: Pid,
        operation: u32,
        data: Term,
    ) -> Result<Term, Unsupported> {
        self.ask(move |on, port| {
            if port.answers(on) {
                port.transport.call(on, port, caller, operation, &data)
            } else {
                Err(Unsupported)
            }
        })
        .unwrap_or(Err(Unsupported))
    }

    /// Whether control and call reach the back end: also while output is being flushed.
    fn answers(&self, on: &mut OnTurn<'_>) -> bool {
        let state = self.state.get(on);
        matches!(state.phase, Phase::Open | Phase::Closing) && !state.stopping
    }

    /// `port_close`. False when the port is closed already.
    pub(crate) fn close_by_request(self: &Arc<Self>) -> Result<bool, WouldDeadlock> {
        self.ask(|on, port| {
            let open = port.state.get(on).phase == Phase::Open;
            port.close(on, Term::Atom(atom::NORMAL), Flush::Yes);
            open
        })
    }

    /// `port_connect`. False when the port is closed or there is no such process.
    pub(crate) fn connect_by_request(self: &Arc<Self>, to: Pid) -> Result<bool, WouldDeadlock> {
        self.ask(move |on, port| {
            let directory = &port.services.directory;
            let Some(process) = directory.process(to) else {
                return false;
            };
            let state = port.state.get(on);
            if state.phase != Phase::Open || !process.accept_link(Party::Port(port.id)) {
                return false;
            }
            state.relations.link(Party::Process(to));
            state.owner = to;
            state.owner_cell = Some(process);
            port.set_listener(to);
            true
        })
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

    /// A message sent to the port. `Wait` when the port is busy with commands and the
    /// message is one; every other fault is told to the owner, not to the sender.
    pub(crate) fn message(
        self: &Arc<Self>,
        sender: Option<Pid>,
        message: Term,
        nosuspend: bool,
    ) -> Result<Commanded, WouldDeadlock> {
        let mut message = Some(message);
        let inline = (!thread_is_on_a_turn())
            .then(|| {
                self.turn
                    .try_run(|on| match message.take() {
                        Some(message) => self.message_on(on, sender, message, Some(nosuspend)),
                        None => Commanded::Taken,
                    })
                    .ok()
            })
            .flatten();
        if let Some(done) = inline {
            return Ok(done);
        }
        let Some(message) = message else {
            return Ok(Commanded::Taken);
        };
        if self.backlog.is_busy() && !thread_is_on_a_turn() {
            if nosuspend {
                return Ok(Commanded::Busy);
            }
            let port = Arc::clone(self);
            return self.ask_later(move |on| port.message_on(on, sender, message, Some(nosuspend)));
        }
        let bytes = message_bytes(&message);
        self.backlog.add(bytes);
        let port = Arc::clone(self);
        self.turn.post(Box::new(move |on| {
            port.backlog.remove(bytes);
            port.message_on(on, sender, message, None);
        }));
        Ok(Commanded::Taken)
    }

    /// Handles a message; `patience` is what to do at a busy port, or `None` where the
    /// sender has gone on and the port has to keep the command itself.
    fn message_on(
        self: &Arc<Self>,
        on: &mut OnTurn<'_>,
        sender: Option<Pid>,
        message: Term,
        patience: Option<bool>,
    ) -> Commanded {
        let state = self.state.get(on);
        if state.phase != Phase::Open {
            return Commanded::Taken;
        }
        let owner = state.owner;
        match Order::read(&message, owner) {
            Some(Order::Command(data)) => {
                self.command_message(on, sender, data, &message, patience)
            }
            Some(Order::Close) => {
                self.state.get(on).closed_wanted = true;
                self.close(on, Term::Atom(atom::NORMAL), Flush::Yes);
                Commanded::Taken
            }
            Some(Order::Connect(to)) => {
                let process = self.services.directory.process(to);
                self.deliver_tagged(on, Term::Atom(atom::CONNECTED));
                let state = self.state.get(on);
                state.owner = to;
                state.owner_cell = process;
                self.set_listener(to);
                Commanded::Taken
            }
            None => {
                self.punish(owner);
                Commanded::Taken
            }
        }
    }

    fn command_message(
        self: &Arc<Self>,
        on: &mut OnTurn<'_>,
        sender: Option<Pid>,
        data: &Term,
        message: &Term,
        patience: Option<bool>,
    ) -> Commanded {
        let Ok(data) = IoData::from_term(data) else {
            tracing::warn!(port = %self.id, name = %String::from_utf8_lossy(&self.name),
                message = %message, "bad value on output port");
            let owner = self.state.get(on).owner;
            self.punish(owner);
            return Commanded::Taken;
        };
        let state = self.state.get(on);
        if state.gate() == Gate::Free && (patience.is_some() || state.held.is_empty()) {
            return self.command_on(on, sender, data, CommandFlags::default());
        }
        match patience {
            Some(true) => Commanded::Busy,
            Some(false) => {
                let pause = Arc::new(Pause::default());
                state.suspended.push(Arc::clone(&pause));
                Commanded::Wait(pause)
            }
            None => {
                let bytes = data.len();
                state.held.push_back(Held {
                    caller: sender,
                    data: data.into_owned(),
                });
                self.backlog.add(bytes);
                Commanded::Taken
            }
        }
    }

    /// Lets commands through that were kept while the port was busy.
    pub(crate) fn release_held(self: &Arc<Self>, on: &mut OnTurn<'_>) {
        loop {
            let state = self.state.get(on);
            if state.gate() != Gate::Free {
                return;
            }
            let Some(held) = state.held.pop_front() else {
                return;
            };
            self.backlog.remove(held.data.len());
            self.command_on(on, held.caller, held.data, CommandFlags::default());
        }
    }

    /// The owner's punishment for a message that makes no sense.
    fn punish(&self, owner: Pid) {
        self.services.directory.tell(
            Party::Process(owner),
            Signal::Exit {
                from: Party::Port(self.id),
                reason: Term::Atom(atom::BADSIG),
                cause: ExitCause::Badsig,
            },
        );
    }

    /// Takes a signal in, now or when the turn is free.
    pub(crate) fn take_signal(self: &Arc<Self>, signal: Signal) {
        let port = Arc::clone(self);
        self.turn.run_or_post(move |on| port.signal_on(on, signal));
    }

    fn signal_on(self: &Arc<Self>, on: &mut OnTurn<'_>, signal: Signal) {
        let state = self.state.get(on);
        match signal {
            Signal::Message(message) => {
                self.message_on(on, None, message.into_term(), None);
            }
            Signal::Exit {
                from,
                reason,
                cause,
            } => {
                if state.on_exit_signal(from, &reason, cause) {
                    let flush = match cause {
                        ExitCause::Request if reason.is_atom("kill") => Flush::No,
                        _ => Flush::Yes,
                    };
                    let reason = crate::process::exit::port_reason(cause, reason);
                    self.close(on, reason, flush);
                } else if cause == ExitCause::Request
                    && reason.is_atom("kill")
                    && state.phase == Phase::Closing
                {
                    self.finish(on);
                } else if from == Party::Process(state.owner) && cause == ExitCause::Link {
                    state.owner_cell = None;
                }
            }
            Signal::Link(from) => {
                if state.phase == Phase::Open {
                    state.relations.link(from);
                }
            }
            Signal::Unlink(from) => {
                state.relations.unlink(from);
            }
            Signal::Monitor(watch) => {
                if state.phase == Phase::Open {
                    state.relations.add_watch(watch);
                } else {
                    self.services.directory.tell(
                        watch.watcher,
                        Signal::Down {
                            reference: watch.reference,
                            kind: atom::PORT,
                            object: watch.object,
                            reason: Term::Atom(atom::NOPROC),
                        },
                    );
                }
            }
            Signal::Demonitor(reference) => {
                state.relations.remove_watch(reference);
            }
            Signal::Down { reference, .. } => {
                if !state.stopping && state.phase != Phase::Closed {
                    self.transport.process_down(on, self, reference);
                    self.state.get(on).relations.unwatch(reference);
                    self.flushed(on);
                }
            }
        }
    }
}

/// Ends a pause when it goes out of scope.
struct EndOnDrop<'p>(&'p Pause);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A message to a port that makes sense.
enum Order<'m> {
    Command(&'m Term),
    Close,
    Connect(Pid),
}

impl<'m> Order<'m> {
    /// Reads `{Owner, close}` and its like; `None` when it is none, or not `owner`'s.
    fn read(message: &'m Term, owner: Pid) -> Option<Order<'m>> {
        let [Term::Pid(from), what] = &message.as_tuple()?[..] else {
            return None;
        };
        if *from != owner {
            return None;
        }
        if *what == Term::Atom(atom::CLOSE) {
            return Some(Order::Close);
        }
        match &what.as_tuple()?[..] {
            [Term::Atom(atom::COMMAND), data] => Some(Order::Command(data)),
            [Term::Atom(atom::CONNECT), Term::Pid(to)] => Some(Order::Connect(*to)),
            _ => None,
        }
    }
}

/// About how many bytes a waiting message keeps.
fn message_bytes(message: &Term) -> usize {
    match message.as_tuple().map(|pair| &pair[..]) {
        Some([_, what]) => match what.as_tuple().map(|pair| &pair[..]) {
            Some([_, data]) => IoData::from_term(data).map_or(1, |data| data.len().max(1)),
            _ => 1,
        },
        _ => 1,
    }
}

//! What a port is told, without an answer: messages, and the signals of links, monitors and
//! exits.
//!
//! A message that meets a busy port suspends its sender where that can be; where the sender
//! has gone on, the port holds the command, and behind it whatever else that sender sends, so
//! that all of it arrives in the order it was sent. Held commands pass before all others, and
//! never while the back end is inside a call, which it may use to say that it is ready. Only
//! `kill` overtakes: what waits is lost by it anyway.
#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::port::request::{Commanded, WouldDeadlock};
use crate::port::state::{Gate, Held, Phase, Waiting};
use crate::port::{Flush, Port};
use crate::process::exit;
use crate::process::signal::{ExitCause, Party, Signal};
use crate::runtime::turn::{OnTurn, thread_is_on_a_turn};
use crate::term::iodata::IoData;
use crate::term::{Pid, Term, atom};

impl Port {
    /// A message sent to the port. `Wait` when the port is busy with commands and the
    /// message is one; every other fault is told to the owner, not to the sender.
    pub(crate) fn message(
        self: &Arc<Self>,
        sender: Option<Pid>,
        message: Term,
        nosuspend: bool,
    ) -> Result<Commanded, WouldDeadlock> {
        if !thread_is_on_a_turn()
            && let Some(mut visit) = self.turn.enter()
        {
            return Ok(self.message_on(visit.on(), sender, message, Some(nosuspend)));
        }
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
        // Whose name a command bears, and what it holds, is looked at when it may pass.
        if state.gate() == Gate::Busy && is_command(&message) {
            return match patience {
                Some(true) => Commanded::Busy,
                Some(false) => Commanded::Wait(state.suspend()),
                None => {
                    self.hold(on, sender, Waiting::Message(message));
                    Commanded::Taken
                }
            };
        }
        if state.holds_for(sender) {
            self.hold(on, sender, Waiting::Message(message));
            return Commanded::Taken;
        }
        match Order::read(&message, owner) {
            Some(Order::Command(data)) => self.command_message(on, sender, data, &message),
            order => self.obey(on, owner, order),
        }
        Commanded::Taken
    }

    /// Does what a message asks for that is no command.
    fn obey(self: &Arc<Self>, on: &mut OnTurn<'_>, owner: Pid, order: Option<Order<'_>>) {
        match order {
            Some(Order::Close) => {
                self.state.get(on).closed_wanted = true;
                self.close(on, Term::Atom(atom::NORMAL), Flush::Yes);
            }
            Some(Order::Connect(to)) => {
                let process = self.services.directory.process(to);
                self.deliver_tagged(on, Term::Atom(atom::CONNECTED));
                let state = self.state.get(on);
                state.owner = to;
                state.owner_cell = process;
                self.set_listener(to);
            }
            Some(Order::Command(_)) | None => self.punish(owner),
        }
    }

    /// Keeps what its sender does not wait with.
    fn hold(&self, on: &mut OnTurn<'_>, caller: Option<Pid>, what: Waiting) {
        self.backlog.add(what.bytes());
        let rare = self.state.get(on).rare.wanted();
        rare.waits.held.push_back(Held { caller, what });
    }

    /// A command of the owner, which may pass.
    fn command_message(
        self: &Arc<Self>,
        on: &mut OnTurn<'_>,
        sender: Option<Pid>,
        data: &Term,
        message: &Term,
    ) {
        match IoData::from_term(data) {
            Ok(mut data) => self.pass(on, sender, &mut data),
            Err(_) => {
                let owner = self.state.get(on).owner;
                tracing::warn!(port = %self.id, name = %String::from_utf8_lossy(&self.name),
                    message = %message, "bad value on output port");
                self.punish(owner);
            }
        }
    }

    /// The port is ready again. Held commands pass first, in a task of their own: this may
    /// have been called from inside the back end, which must not be entered twice.
    pub(super) fn resume(self: &Arc<Self>, on: &mut OnTurn<'_>) {
        let state = self.state.get(on);
        if !state.holds() {
            for pause in state.resume() {
                pause.end();
            }
        } else if !std::mem::replace(&mut state.releasing, true) {
            let port = Arc::clone(self);
            self.turn.post(Box::new(move |on| port.release_held(on)));
        }
    }

    fn release_held(self: &Arc<Self>, on: &mut OnTurn<'_>) {
        self.state.get(on).releasing = false;
        loop {
            let state = self.state.get(on);
            if state.phase != Phase::Open || state.flow.is_busy() {
                return;
            }
            let Some(held) = state.next_held() else {
                return self.resume(on);
            };
            self.backlog.remove(held.what.bytes());
            match held.what {
                Waiting::Message(message) => {
                    let owner = self.state.get(on).owner;
                    match Order::read(&message, owner) {
                        Some(Order::Command(data)) => {
                            self.command_message(on, held.caller, data, &message);
                        }
                        order => self.obey(on, owner, order),
                    }
                }
                Waiting::Exit { reason, cause } => {
                    if let Some(pid) = held.caller {
                        self.exit_on(on, Party::Process(pid), reason, cause);
                    }
                }
            }
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
            } => match from {
                Party::Process(pid) if state.holds_for(Some(pid)) && !is_kill(cause, &reason) => {
                    self.hold(on, Some(pid), Waiting::Exit { reason, cause });
                }
                _ => self.exit_on(on, from, reason, cause),
            },
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
                // One that is closing hears of nobody's death, though it may go on watching.
                let open = matches!(state.phase, Phase::Opening | Phase::Open);
                if open && state.relations.is_watching(reference) && !state.stopping {
                    self.services.directory.tell_now([]);
                    self.transport.process_down(on, self, reference);
                    self.state.get(on).relations.unwatch(reference);
                    self.flushed(on);
                }
            }
        }
    }
}

impl Port {
    /// An exit signal, when it is its time.
    fn exit_on(self: &Arc<Self>, on: &mut OnTurn<'_>, from: Party, reason: Term, cause: ExitCause) {
        let state = self.state.get(on);
        let kill = is_kill(cause, &reason);
        if state.on_exit_signal(from, &reason, cause) {
            let flush = if kill { Flush::No } else { Flush::Yes };
            self.close(on, exit::port_reason(cause, reason), flush);
        } else if from == Party::Process(state.owner) && cause == ExitCause::Link {
            state.owner_cell = None;
        }
    }
}

/// Whether it is `exit(Port, kill)`.
fn is_kill(cause: ExitCause, reason: &Term) -> bool {
    cause == ExitCause::Request && reason.is_atom("kill")
}

impl Waiting {
    /// About how many bytes it keeps.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Waiting::Message(message) => message_bytes(message),
            Waiting::Exit { .. } => 1,
        }
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

/// Whether a message would be a command, if its name and its data are right.
fn is_command(message: &Term) -> bool {
    match message.as_tuple().map(|pair| &pair[..]) {
        Some([Term::Pid(_), what]) => what
            .as_tuple()
            .is_some_and(|what| matches!(&what[..], [tag, _] if *tag == Term::Atom(atom::COMMAND))),
        _ => false,
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

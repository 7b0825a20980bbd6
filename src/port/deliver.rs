//! What a back end reports, and how it reaches the owner: bytes cut into lines where the
//! port is in line mode, terms as they are, ends of input and of the port.
#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::port::flow::Change;
use crate::port::line::LineKind;
use crate::port::state::{Phase, State};
use crate::port::{Flush, Port};
use crate::process::mailbox::Batch;
use crate::process::signal::{Message, Party, Piece, Shape, Signal, Watch};
use crate::runtime::turn::OnTurn;
use crate::term::{Binary, Pid, Reference, Term, atom};

impl Port {
    /// Whether output still reaches the owner.
    fn is_heard(state: &State) -> bool {
        state.phase != Phase::Closed && !state.silent
    }

    /// Bytes for the owner, as one piece or, in line mode, line by line.
    #[inline]
    pub(crate) fn deliver_bytes(&self, on: &mut OnTurn<'_>, bytes: &[u8]) {
        let state = self.state.get(on);
        state.bytes_in += bytes.len() as u64;
        if !Port::is_heard(state) {
            return;
        }
        if state.line.is_some() && state.phase != Phase::Opening {
            return self.deliver_lines(state, bytes);
        }
        self.deliver_whole(state, &mut Binary::from(bytes));
    }

    /// [`Self::deliver_bytes`] without a copy.
    #[inline]
    pub(crate) fn deliver_binary(&self, on: &mut OnTurn<'_>, bytes: Binary) {
        let state = self.state.get(on);
        state.bytes_in += bytes.len() as u64;
        if !Port::is_heard(state) {
            return;
        }
        if state.line.is_some() && state.phase != Phase::Opening {
            return self.deliver_lines(state, &bytes);
        }
        self.deliver_whole(state, &mut { bytes });
    }

    /// [`Self::deliver_binary`] as one piece, also in line mode; taken out of `bytes`.
    pub(crate) fn deliver_piece(&self, on: &mut OnTurn<'_>, bytes: &mut Binary) {
        let state = self.state.get(on);
        state.bytes_in += bytes.len() as u64;
        if Port::is_heard(state) {
            self.deliver_whole(state, bytes);
        }
    }

    /// The bytes are taken from where they are when the message has a place, and moved once.
    #[inline(never)] // so that there is one place at which they are
    fn deliver_whole(&self, state: &State, bytes: &mut Binary) {
        if let Some(owner) = &state.owner_cell {
            owner.deliver_with(|place| place.put_data(self.id, Port::shape(state), bytes));
        }
    }

    fn deliver_lines(&self, state: &mut State, bytes: &[u8]) {
        let shape = state.shape;
        let owner = state.owner_cell.as_ref();
        let Some(line) = state.line.as_mut() else {
            return;
        };
        let mut lines = Batch::new();
        line.feed(bytes, |kind, text| {
            let Some(owner) = owner else { return };
            lines.push(self.line_message(kind, shape, text));
            if lines.len() == lines.inline_size() {
                owner.deliver_all(&mut lines);
            }
        });
        if let (Some(owner), false) = (owner, lines.is_empty()) {
            owner.deliver_all(&mut lines);
        }
    }

    fn line_message(&self, kind: LineKind, shape: Shape, text: &[u8]) -> Message {
        Message::Data {
            port: self.id,
            piece: match kind {
                LineKind::Eol => Piece::Eol,
                LineKind::Noeol => Piece::Noeol,
            },
            shape,
            bytes: Binary::from(text),
        }
    }

    /// Cuts `bytes` into lines as [`Self::deliver_bytes`] does, and hands each piece to
    /// `emit` instead of the owner. False when the port is not in line mode, or its options
    /// do not apply yet; then nothing was done.
    pub(crate) fn cut_lines(
        &self,
        on: &mut OnTurn<'_>,
        bytes: &[u8],
        mut emit: impl FnMut(Piece, &[u8]),
    ) -> bool {
        let state = self.state.get(on);
        if state.phase == Phase::Opening {
            return false;
        }
        let Some(line) = state.line.as_mut() else {
            return false;
        };
        line.feed(bytes, |kind, text| match kind {
            LineKind::Eol => emit(Piece::Eol, text),
            LineKind::Noeol => emit(Piece::Noeol, text),
        });
        true
    }

    /// Counts bytes that reached the port in another way than by the calls above.
    pub(crate) fn count_input(&self, on: &mut OnTurn<'_>, bytes: usize) {
        self.state.get(on).bytes_in += bytes as u64;
    }

    /// The shape data has at this moment.
    pub(crate) fn data_shape(&self, on: &mut OnTurn<'_>) -> Shape {
        Port::shape(self.state.get(on))
    }

    /// A term for the owner, as it is. False when nobody hears it.
    pub(crate) fn deliver_term(&self, on: &mut OnTurn<'_>, term: Term) -> bool {
        let state = self.state.get(on);
        if !Port::is_heard(state) {
            return false;
        }
        match &state.owner_cell {
            Some(owner) => owner.deliver(Message::Term(term)),
            None => false,
        }
    }

    /// The input has ended, and where that was asked for also the program, with `status`.
    /// Tells the owner the status, the unfinished last line, and then either `eof`, in which
    /// case the port stays, or ends the port.
    pub(crate) fn end_of_input(self: &Arc<Self>, on: &mut OnTurn<'_>, status: Option<u8>) {
        let state = self.state.get(on);
        match state.phase {
            Phase::Open => {}
            Phase::Opening => {
                let failure = &mut state.rare.wanted().starting.failure;
                failure.get_or_insert(Term::Atom(atom::NORMAL));
                return;
            }
            Phase::Closing => return self.finish(on),
            Phase::Closed => return,
        }
        if let Some(status) = status {
            let status = i64::from(status);
            self.deliver_tagged(on, Term::tuple([Term::atom("exit_status"), status.into()]));
        }
        let state = self.state.get(on);
        let shape = state.shape;
        let owner = state.owner_cell.as_ref();
        if let Some(line) = &mut state.line {
            line.finish(|kind, rest| {
                if let Some(owner) = owner {
                    owner.deliver(self.line_message(kind, shape, rest));
                }
            });
        }
        if state.eof {
            self.deliver_tagged(on, Term::Atom(atom::EOF));
        } else {
            self.close(on, Term::Atom(atom::NORMAL), Flush::No);
        }
    }

    /// Whether the end of its input would be told, and not end it.
    pub(crate) fn outlives_its_input(&self, on: &mut OnTurn<'_>) -> bool {
        let state = self.state.get(on);
        state.eof && state.phase == Phase::Open
    }

    /// `{Port, What}` for the owner.
    pub(crate) fn deliver_tagged(&self, on: &mut OnTurn<'_>, what: Term) -> bool {
        let message = Term::tuple([Term::Port(self.id), what]);
        self.deliver_term(on, message)
    }

    /// The same also while the port is closing and silent: `driver_report_exit` is no output.
    pub(crate) fn report(&self, on: &mut OnTurn<'_>, what: Term) {
        if let Some(owner) = &self.state.get(on).owner_cell {
            owner.deliver(Message::Term(Term::tuple([Term::Port(self.id), what])));
        }
    }

    /// The back end has failed: the port ends with `reason` and queued output is lost.
    pub(crate) fn fail(self: &Arc<Self>, on: &mut OnTurn<'_>, reason: Term) {
        let state = self.state.get(on);
        match state.phase {
            Phase::Opening => {
                state.rare.wanted().starting.failure.get_or_insert(reason);
            }
            Phase::Open => self.close(on, reason, Flush::No),
            Phase::Closing => self.finish(on),
            Phase::Closed => {}
        }
    }

    /// [`Self::fail`], but the owner, unlinked first, gets no exit signal (`driver_exit`).
    pub(crate) fn fail_unlinked(self: &Arc<Self>, on: &mut OnTurn<'_>, reason: Term) {
        let state = self.state.get(on);
        if state.phase == Phase::Open {
            let owner = state.owner;
            if state.relations.unlink(Party::Process(owner))
                && let Some(owner) = &state.owner_cell
            {
                owner.drop_link(Party::Port(self.id));
            }
        }
        self.fail(on, reason);
    }

    /// The back end's queue holds this many bytes now: turns the port busy or ready.
    #[inline]
    pub(crate) fn queue_changed(self: &Arc<Self>, on: &mut OnTurn<'_>, bytes: usize) {
        let change = self.state.get(on).flow.on_queue(bytes);
        self.apply_flow(on, change);
    }

    /// The back end says itself whether the port is busy (`set_busy_port`).
    pub(crate) fn set_busy(self: &Arc<Self>, on: &mut OnTurn<'_>, busy: bool) {
        let state = self.state.get(on);
        if matches!(state.phase, Phase::Open | Phase::Opening) {
            let change = state.flow.on_driver(busy);
            self.apply_flow(on, change);
        }
    }

    fn apply_flow(self: &Arc<Self>, on: &mut OnTurn<'_>, change: Option<Change>) {
        if change == Some(Change::Ready) {
            self.resume(on);
        }
    }

    /// Adjusts and reads the limits of waiting messages (`erl_drv_busy_msgq_limits`).
    pub(crate) fn adjust_message_limits(
        &self,
        _on: &mut OnTurn<'_>,
        low: u64,
        high: u64,
    ) -> (u64, u64) {
        self.backlog.adjust(low, high)
    }

    /// Has the port monitor a process for its back end. False when there is no such process.
    pub(crate) fn monitor_process(
        &self,
        on: &mut OnTurn<'_>,
        pid: Pid,
        reference: Reference,
    ) -> bool {
        let target = Party::Process(pid);
        let watch = Watch {
            watcher: Party::Port(self.id),
            reference,
            object: Term::Pid(pid),
        };
        if !self.services.directory.tell(target, Signal::Monitor(watch)) {
            return false;
        }
        self.state
            .get(on)
            .relations
            .watch(reference, Some(target), Term::Pid(pid));
        true
    }

    /// Ends such a monitor. False when it is not one (any longer).
    pub(crate) fn demonitor_process(&self, on: &mut OnTurn<'_>, reference: Reference) -> bool {
        let watching = self.state.get(on).relations.unwatch(reference);
        let Some(target) = watching.and_then(|watching| watching.target) else {
            return false;
        };
        self.services
            .directory
            .tell(target, Signal::Demonitor(reference));
        true
    }

    /// The process that such a monitor watches.
    pub(crate) fn monitored_process(
        &self,
        on: &mut OnTurn<'_>,
        reference: Reference,
    ) -> Option<Pid> {
        let relations = &self.state.get(on).relations;
        relations
            .watching()
            .find(|(known, _)| *known == reference)
            .and_then(|(_, watching)| match watching.target {
                Some(Party::Process(pid)) => Some(pid),
                _ => None,
            })
    }
}

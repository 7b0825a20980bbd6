//! Ports: the state machine that every port is, whatever is behind it.
//!
//! Requests and signals come in ([`request`]), are decided upon ([`state`]), are done by a
//! back end ([`transport`]), and what the back end reports goes out to the owner
//! ([`deliver`]). All of it happens on the port's [turn](crate::runtime::turn).
#![forbid(unsafe_code)]

mod deliver;
mod environment;
pub(crate) mod flow;
pub(crate) mod info;
pub(crate) mod line;
pub(crate) mod name;
pub(crate) mod options;
pub(crate) mod queue;
pub(crate) mod request;
pub(crate) mod services;
mod settings;
mod signals;
pub(crate) mod state;
pub(crate) mod table;
mod text;
pub(crate) mod transport;
pub(crate) mod variables;

pub use flow::Limits;
pub use name::{BadName, PortName};
pub use options::{BadOption, Direction, Mechanism, Options, Packet};
pub use text::BadText;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use smallvec::SmallVec;

use crate::lock::{Brief, Lock};
use crate::port::flow::Backlog;
use crate::port::request::WouldDeadlock;
use crate::port::services::Services;
use crate::port::state::{Phase, State};
use crate::port::transport::{Started, Transport};
use crate::process::ProcessCell;
use crate::process::directory::Bearer;
use crate::process::party::farewells;
use crate::process::pause::Pause;
use crate::process::relations::Relations;
use crate::process::signal::{Message, Party, Shape};
use crate::runtime::turn::{OnTurn, Turn, TurnCell};
use crate::term::{Atom, Pid, PortId, Term, atom};

/// One port.
pub(crate) struct Port {
    id: PortId,
    /// What `port_info(Port, name)` says, in the bytes it was given in.
    name: SmallVec<[u8; 16]>,
    turn: Arc<Turn>,
    services: Arc<Services>,
    transport: Box<dyn Transport>,
    state: TurnCell<State>,
    kept: KeptOptions,
    /// Messages left on the turn, and not handled yet.
    backlog: Backlog,
    tags: Brief<Tags>,
    /// The owner's number for those who are not on the turn; all ones when nobody listens.
    listener: AtomicU64,
}

/// What of a port's options is asked for while it is open. The rest is large, and done with.
#[derive(Clone, Copy)]
pub(crate) struct KeptOptions {
    pub(crate) binary: bool,
    pub(crate) line: bool,
    pub(crate) parallel: bool,
}

impl KeptOptions {
    fn of(options: &Options) -> KeptOptions {
        KeptOptions {
            binary: options.is_binary(),
            line: options.line_limit().is_some(),
            parallel: options.is_parallel(),
        }
    }
}

/// What may be read and written without being on the turn.
#[derive(Default)]
struct Tags {
    name: Tag,
    data: Option<Box<Term>>,
}

/// The registered name.
#[derive(Clone, Copy, Default)]
enum Tag {
    #[default]
    Nameless,
    Name(Atom),
    /// The port is closed: it has no name and no data, and will not have any.
    Closed,
}

impl Tag {
    fn name(self) -> Option<Atom> {
        match self {
            Tag::Name(name) => Some(name),
            Tag::Nameless | Tag::Closed => None,
        }
    }
}

impl Tags {
    fn closed(&self) -> bool {
        matches!(self.name, Tag::Closed)
    }
}

/// An open that waits for the driver's acknowledgement.
#[derive(Default)]
pub(crate) struct Opening {
    outcome: Lock<Option<Result<(), Term>>>,
    pause: Arc<Pause>,
}

impl Opening {
    fn wait(&self, owner: &Arc<ProcessCell>) -> Result<(), Term> {
        if owner.suspend(&self.pause) {
            return self.outcome.lock().take().unwrap_or(Ok(()));
        }
        // It was killed, and the port hears of that by its link.
        Err(owner.fate_or_killed())
    }
}

/// Why a port could not be opened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OpenError {
    /// There are as many ports as there may be.
    TooMany,
    /// The back end says no, in Erlang's words.
    Refused(Term),
}

/// No process has this number.
const NOBODY: u64 = u64::MAX;

/// Whether queued output goes out before a port ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    Yes,
    No,
}

impl Port {
    /// Opens a port for `owner`, who is linked to it; returns when it is open.
    pub(crate) fn open(
        services: &Arc<Services>,
        turn: Arc<Turn>,
        name: Box<[u8]>,
        options: Options,
        owner: &Arc<ProcessCell>,
        transport: Box<dyn Transport>,
    ) -> Result<Arc<Port>, OpenError> {
        let port = Port::enter_counted(services, turn, name, options, owner, transport)?;
        let opener = Arc::clone(owner);
        let started = port.ask(move |on, port| port.begin(on, &opener));
        let outcome = match started {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(opening))) => opening.wait(owner),
            Ok(Err(reason)) => Err(reason),
            Err(WouldDeadlock) => {
                let unused = Arc::clone(&port);
                port.turn.post(Box::new(move |on| unused.withdraw(on)));
                Err(Term::Atom(atom::BADARG))
            }
        };
        match outcome {
            Ok(()) => Ok(port),
            Err(reason) => Err(OpenError::Refused(reason)),
        }
    }

    fn enter_counted(
        services: &Arc<Services>,
        turn: Arc<Turn>,
        name: Box<[u8]>,
        options: Options,
        owner: &Arc<ProcessCell>,
        transport: Box<dyn Transport>,
    ) -> Result<Arc<Port>, OpenError> {
        let before = services.ports_open.fetch_add(1, Ordering::Relaxed);
        if before < services.ports_max
            && let Some(port) = Port::enter(services, turn, name, options, owner, transport)
        {
            return Ok(port);
        }
        services.ports_open.fetch_sub(1, Ordering::Relaxed);
        Err(OpenError::TooMany)
    }

    /// [`Self::open`] for a caller that is on the port's turn, for a back end that starts at once.
    pub(crate) fn open_here(
        on: &mut OnTurn<'_>,
        services: &Arc<Services>,
        turn: Arc<Turn>,
        name: Box<[u8]>,
        options: Options,
        owner: &Arc<ProcessCell>,
        transport: Box<dyn Transport>,
    ) -> Result<Arc<Port>, OpenError> {
        let port = Port::enter_counted(services, turn, name, options, owner, transport)?;
        match port.begin(on, owner) {
            Ok(_) => Ok(port),
            Err(reason) => Err(OpenError::Refused(reason)),
        }
    }

    fn enter(
        services: &Arc<Services>,
        turn: Arc<Turn>,
        name: Box<[u8]>,
        options: Options,
        owner: &Arc<ProcessCell>,
        transport: Box<dyn Transport>,
    ) -> Option<Arc<Port>> {
        let mut relations = Relations::default();
        relations.link(Party::Process(owner.pid()));
        let limited = transport.nature().queue_limited;
        let state = State::new(owner, relations, &options, limited);
        let backlog = Backlog::new(options.message_limits());
        table::insert(|id| {
            Arc::new(Port {
                id,
                name: SmallVec::from_slice(&name),
                state: TurnCell::new(&turn, state),
                turn,
                services: Arc::clone(services),
                transport,
                kept: KeptOptions::of(&options),
                backlog,
                tags: Brief::new(Tags::default()),
                listener: AtomicU64::new(owner.pid().number()),
            })
        })
    }

    /// Starts the back end; on the turn. Gives what the opener has to wait for, if that is
    /// an acknowledgement.
    fn begin(
        self: &Arc<Self>,
        on: &mut OnTurn<'_>,
        opener: &Arc<ProcessCell>,
    ) -> Result<Option<Arc<Opening>>, Term> {
        let started = match self.transport.start(on, self) {
            Ok(started) => started,
            Err(reason) => {
                self.withdraw(on);
                return Err(reason);
            }
        };
        let rare = self.state.get(on).rare.get_mut();
        let said = rare.map(|rare| std::mem::take(&mut rare.starting));
        let said = said.unwrap_or_default();
        let acknowledged = match started {
            Started::Now => Some(Ok(())),
            Started::WhenAcknowledged => said.acknowledged,
        };
        match (said.failure, acknowledged) {
            (Some(reason), _) | (None, Some(Err(reason))) => {
                self.transport.stop(on, self);
                self.withdraw(on);
                Err(reason)
            }
            (None, Some(Ok(()))) => {
                self.opened(on, opener);
                Ok(None)
            }
            (None, None) => {
                // Only the opener waits: to all others the port is there.
                let opening = Arc::<Opening>::default();
                let rare = self.state.get(on).rare.wanted();
                rare.starting.opening = Some(Arc::clone(&opening));
                self.opened(on, opener);
                Ok(Some(opening))
            }
        }
    }

    /// The back end has started: options apply, and the opener is linked.
    fn opened(self: &Arc<Self>, on: &mut OnTurn<'_>, opener: &Arc<ProcessCell>) {
        self.state.get(on).phase = Phase::Open;
        if !opener.accept_link(Party::Port(self.id)) {
            let reason = opener.fate_or_killed();
            self.close(on, reason, Flush::Yes);
        }
    }

    /// A port that did not open leaves the table. Without effect for any other.
    fn withdraw(self: &Arc<Self>, on: &mut OnTurn<'_>) {
        let state = self.state.get(on);
        if state.phase != Phase::Opening {
            return;
        }
        state.phase = Phase::Closed;
        state.owner_cell = None;
        self.take_tags();
        self.leave_table();
    }

    /// Takes name and data away, for good.
    fn take_tags(&self) {
        let (name, data) = {
            let mut tags = self.tags.lock();
            let name = std::mem::replace(&mut tags.name, Tag::Closed).name();
            (name, tags.data.take())
        };
        drop(data);
        if let Some(name) = name {
            let directory = &self.services.directory;
            directory.forget_name(name, Party::Port(self.id));
        }
    }

    fn leave_table(&self) {
        table::remove(self.id);
        self.services.ports_open.fetch_sub(1, Ordering::Relaxed);
    }

    /// The back end that answered [`Started::WhenAcknowledged`], or is about to, has made up
    /// its mind. Without effect for any other port, and the second time.
    pub(crate) fn acknowledge(self: &Arc<Self>, on: &mut OnTurn<'_>, outcome: Result<(), Term>) {
        let state = self.state.get(on);
        let rare = state.rare.get_mut();
        let Some(opening) = rare.and_then(|rare| rare.starting.opening.take()) else {
            if state.phase == Phase::Opening {
                let starting = &mut state.rare.wanted().starting;
                starting.acknowledged.get_or_insert(outcome);
            }
            return;
        };
        if outcome.is_err() {
            self.fail_unlinked(on, Term::Atom(atom::NORMAL));
        }
        *opening.outcome.lock() = Some(outcome);
        opening.pause.end();
    }

    /// The identity.
    #[inline]
    pub(crate) fn id(&self) -> PortId {
        self.id
    }

    /// Whom terms for the owner go to, as of this moment and for any thread. `None` when
    /// nothing that the port says is heard any more.
    pub(crate) fn listener(&self) -> Option<Pid> {
        let number = self.listener.load(Ordering::Acquire);
        (number != NOBODY).then(|| Pid::from_number(number))
    }

    fn set_listener(&self, owner: Pid) {
        self.listener.store(owner.number(), Ordering::Release);
    }

    /// The name it was opened by.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Its turn.
    #[inline]
    pub(crate) fn turn(&self) -> &Arc<Turn> {
        &self.turn
    }

    /// What it shares with the other ports of its host.
    pub(crate) fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// The options that are asked for later.
    pub(crate) fn kept_options(&self) -> KeptOptions {
        self.kept
    }

    /// Its back end as the type that it is, if it is a `T`.
    #[inline]
    pub(crate) fn transport_as<T: Transport>(&self) -> Option<&T> {
        let any: &dyn Any = &*self.transport;
        any.downcast_ref()
    }

    /// Whether it is one of the ports of `services`' host.
    pub(crate) fn belongs_to(&self, services: &Arc<Services>) -> bool {
        Arc::ptr_eq(&self.services, services)
    }

    /// The phase it is in.
    pub(crate) fn phase(&self, on: &mut OnTurn<'_>) -> Phase {
        self.state.get(on).phase
    }

    /// The owner.
    pub(crate) fn owner(&self, on: &mut OnTurn<'_>) -> Pid {
        self.state.get(on).owner
    }

    /// Whose end it would hear of.
    pub(crate) fn monitored(&self, on: &mut OnTurn<'_>) -> Vec<Term> {
        let watching = self.state.get(on).relations.watching();
        watching.map(|(_, it)| it.object.clone()).collect()
    }

    /// The registered name.
    pub(crate) fn registered_name(&self) -> Option<Atom> {
        self.tags.lock().name.name()
    }

    /// Whether it has not been closed.
    pub(crate) fn is_open(&self) -> bool {
        !self.tags.lock().closed()
    }

    /// `port_set_data`. False when the port is closed.
    pub(crate) fn set_data(&self, data: Term) -> bool {
        let mut tags = self.tags.lock();
        let open = !tags.closed();
        let before = open.then(|| tags.data.replace(Box::new(data)));
        drop(tags);
        drop(before);
        open
    }

    /// `port_get_data`. `None` when the port is closed.
    pub(crate) fn data(&self) -> Option<Term> {
        let tags = self.tags.lock();
        if tags.closed() {
            return None;
        }
        let data = tags.data.as_deref().cloned();
        Some(data.unwrap_or(Term::Atom(atom::UNDEFINED)))
    }

    /// Closes an open port: everyone who knows it is told `reason`, then queued output goes
    /// out if it is to, then the back end stops.
    pub(crate) fn close(self: &Arc<Self>, on: &mut OnTurn<'_>, reason: Term, flush: Flush) {
        if self.state.get(on).phase != Phase::Open {
            return;
        }
        // Whoever still waits for the open gets the port, and then hears of its end.
        self.acknowledge(on, Ok(()));
        let state = self.state.get(on);
        for held in state.rare.get().iter().flat_map(|rare| &rare.waits.held) {
            self.backlog.remove(held.what.bytes());
        }
        let (relations, waiting) = state.on_close();
        self.take_tags();
        for pause in waiting {
            pause.end();
        }
        let who = Party::Port(self.id);
        self.services
            .directory
            .tell_now(farewells(who, atom::PORT, &relations, &reason));
        if flush == Flush::Yes && self.transport.queued(on) > 0 {
            self.state.get(on).silent = true;
            self.listener.store(NOBODY, Ordering::Release);
            self.transport.flush(on, self);
            self.flushed(on);
        } else {
            self.finish(on);
        }
    }

    /// Ends a closing port whose output is out by now. The back end calls it whenever that
    /// may have become so; a driver's gate calls it after each callback.
    pub(crate) fn flushed(self: &Arc<Self>, on: &mut OnTurn<'_>) {
        if self.state.get(on).phase == Phase::Closing && self.transport.queued(on) == 0 {
            self.finish(on);
        }
    }

    /// Ends a closing port, queued output or not. Without effect on any other.
    pub(crate) fn finish(self: &Arc<Self>, on: &mut OnTurn<'_>) {
        let state = self.state.get(on);
        if state.phase != Phase::Closing {
            return;
        }
        // From here on the phase is still `Closing`, so that output from `stop` is judged by
        // whether anything was queued; a second end is prevented by `stopping`.
        if std::mem::replace(&mut state.stopping, true) {
            return;
        }
        self.transport.stop(on, self);
        let state = self.state.get(on);
        state.phase = Phase::Closed;
        self.listener.store(NOBODY, Ordering::Release);
        let owner = state.owner_cell.take();
        let wanted = state.closed_wanted;
        self.leave_table();
        if let (true, Some(owner)) = (wanted, owner) {
            owner.deliver(Message::Term(Term::tuple([
                Term::Port(self.id),
                Term::Atom(atom::CLOSED),
            ])));
        }
    }

    /// Ends the port, for a host that goes: nothing waits, and nobody is told.
    pub(crate) fn abandon(self: &Arc<Self>) {
        let port = Arc::clone(self);
        self.turn.run_or_post(move |on| {
            port.close(on, Term::Atom(atom::KILLED), Flush::No);
            port.finish(on);
        });
    }

    /// Closes the port for a program that ends: what is queued goes out first.
    pub(crate) fn retire(self: &Arc<Self>) {
        let port = Arc::clone(self);
        self.turn.run_or_post(move |on| {
            port.close(on, Term::Atom(atom::NORMAL), Flush::Yes);
            // Somebody else may have emptied the queue of one that was closing already.
            port.flushed(on);
        });
    }

    /// The shape data has for the owner: as the options say once the port is open.
    fn shape(state: &State) -> Shape {
        match state.phase {
            Phase::Opening => Shape::List,
            _ => state.shape,
        }
    }
}

impl Bearer for Port {
    fn set_name(&self, name: Option<Atom>) -> bool {
        let mut tags = self.tags.lock();
        if tags.closed() || (name.is_some() && tags.name.name().is_some()) {
            return false;
        }
        tags.name = name.map_or(Tag::Nameless, Tag::Name);
        true
    }
}

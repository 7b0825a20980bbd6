//! What a process tells others: messages, links, monitors, exits, names, delayed messages.
//! The functions of the module `erlang`, with their arguments and exceptions.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::host::{Process, Raise};
use crate::port::request::Commanded;
use crate::process::Directory;
use crate::process::signal::{ExitCause, Message as Mail, Party, Signal, Watch};
use crate::term::{Atom, PortId, Reference, Term, atom};

/// The name of the only node there is.
pub(super) const NODE: &str = "nonode@nohost";

/// Whom a message is for.
enum To {
    Party(Party),
    /// Nobody, and that is no fault of the sender.
    Nobody,
}

impl Process {
    /// `!`: sends a message to a process, a port or a name. Waits while a port is busy. What a
    /// process that has ended sends goes nowhere.
    ///
    /// # Errors
    /// `badarg` for a name that nobody has, and for what cannot be sent to.
    pub fn send(&self, to: &Term, message: Term) -> Result<(), Raise> {
        self.send_with(to, message, false).map(drop)
    }

    /// `erlang:send/3`: like [`Self::send`], but with `nosuspend` false is returned, and
    /// nothing sent, where the sender would have to wait.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_with(&self, to: &Term, message: Term, nosuspend: bool) -> Result<bool, Raise> {
        match self.destination(to)? {
            _ if self.alive().is_err() => Ok(true),
            To::Nobody => Ok(true),
            To::Party(Party::Process(pid)) => {
                if let Some(process) = self.host().directory().process(pid) {
                    process.deliver(Mail::Term(message));
                }
                Ok(true)
            }
            To::Party(Party::Port(id)) => {
                let Some(port) = self.port_of(id) else {
                    return Ok(true);
                };
                loop {
                    match port.message(Some(self.pid()), message.clone(), nosuspend)? {
                        Commanded::Busy => return Ok(false),
                        Commanded::Wait(pause) => {
                            if !self.cell().suspend(&pause) {
                                return Ok(true);
                            }
                        }
                        _ => return Ok(true),
                    }
                }
            }
        }
    }

    fn destination(&self, to: &Term) -> Result<To, Raise> {
        let invalid = || Raise::argument(1, "invalid destination");
        match to {
            Term::Pid(pid) => Ok(To::Party(Party::Process(*pid))),
            Term::Port(id) => Ok(To::Party(Party::Port(*id))),
            Term::Atom(name) => match self.host().directory().whereis(*name) {
                Some(party) => Ok(To::Party(party)),
                None => Err(invalid()),
            },
            Term::Tuple(pair) => match &pair[..] {
                [Term::Atom(name), Term::Atom(node)] => {
                    let found = (node.as_str() == NODE)
                        .then(|| self.host().directory().whereis(*name))
                        .flatten();
                    Ok(found.map_or(To::Nobody, To::Party))
                }
                _ => Err(invalid()),
            },
            // A reference may have been an alias of a process.
            Term::Foreign(_) | Term::Reference(_) => Ok(To::Nobody),
            _ => Err(invalid()),
        }
    }

    /// `link/1`. To link with what has ended sends `{'EXIT', _, noproc}` to a process that
    /// traps exits.
    ///
    /// # Errors
    /// `noproc` when the other has ended and this process does not trap exits; `badarg` for
    /// what cannot be linked.
    pub fn link(&self, other: &Term) -> Result<(), Raise> {
        let party = identity(other).ok_or_else(|| Raise::argument(1, "not a pid"))?;
        if party == Party::Process(self.pid()) {
            return Ok(());
        }
        let linked = match party {
            Party::Process(pid) => {
                let process = self.host().directory().process(pid);
                process.is_some_and(|process| self.cell().link_with(&process))
            }
            Party::Port(id) => self.link_port(id)?,
        };
        if linked || self.exited().is_some() {
            return Ok(());
        }
        let noproc = Term::Atom(atom::NOPROC);
        if self.cell().traps_exits() {
            self.cell().deliver(Mail::exit(party, noproc));
            Ok(())
        } else {
            Err(Raise::error(noproc))
        }
    }

    /// `unlink/1`: no exit signal of the other's end comes after it.
    ///
    /// # Errors
    /// `badarg` for what cannot be linked.
    pub fn unlink(&self, other: &Term) -> Result<(), Raise> {
        let party = identity(other).ok_or_else(|| Raise::argument(1, "not a pid"))?;
        if let Party::Process(pid) = party
            && let Some(process) = self.host().directory().process(pid)
        {
            self.cell().unlink_with(&process);
            return Ok(());
        }
        let _in_order = self.cell().link_in_order();
        if self.cell().drop_link(party) {
            let me = Party::Process(self.pid());
            self.host().directory().tell(party, Signal::Unlink(me));
        }
        Ok(())
    }

    /// Both sides of a link to a port. False when the port is closed.
    fn link_port(&self, id: PortId) -> Result<bool, Raise> {
        let party = Party::Port(id);
        let in_order = self.cell().link_in_order();
        if !self.cell().accept_link(party) {
            return Ok(false);
        }
        let linked = match self.port_of(id) {
            Some(port) => port.link_by_request(self.pid()),
            None => Ok(false),
        };
        if linked != Ok(true) {
            self.cell().drop_link(party);
        }
        drop(in_order);
        // If this process ended in between, its farewell met no link there.
        if let (Ok(true), Some(reason)) = (linked, self.exited()) {
            let farewell = Signal::Exit {
                from: Party::Process(self.pid()),
                reason,
                cause: ExitCause::Link,
            };
            self.host().directory().tell(party, farewell);
        }
        Ok(linked?)
    }

    /// `monitor/2`, for processes and ports, by identity, by name, or by `{Name, Node}`.
    ///
    /// # Errors
    /// `badarg` for anything else.
    pub fn monitor(&self, kind: &Term, what: &Term) -> Result<Reference, Raise> {
        let (kind, fault) = match kind {
            Term::Atom(atom::PROCESS) => (atom::PROCESS, "not a pid"),
            Term::Atom(atom::PORT) => (atom::PORT, "not a port"),
            _ => return Err(Raise::argument(1, "invalid monitor type")),
        };
        let directory = self.host().directory();
        let fits = |party: &Party| matches!(party, Party::Port(_)) == (kind == atom::PORT);
        let by_name = |name: Atom| {
            let object = Term::tuple([Term::Atom(name), Term::atom(NODE)]);
            (directory.whereis(name).filter(fits), object)
        };
        let (target, object) = match what {
            Term::Atom(name) => by_name(*name),
            Term::Tuple(pair) => match &pair[..] {
                [Term::Atom(name), Term::Atom(node)] if node.as_str() == NODE => by_name(*name),
                _ => return Err(Raise::argument(2, fault)),
            },
            _ => match identity(what).filter(fits) {
                Some(party) => (Some(party), what.clone()),
                None => return Err(Raise::argument(2, fault)),
            },
        };
        let reference = Reference::fresh();
        self.watch(kind, target, object, reference);
        Ok(reference)
    }

    fn watch(&self, kind: Atom, target: Option<Party>, object: Term, reference: Reference) {
        if target == Some(Party::Process(self.pid())) {
            return;
        }
        if !self.cell().note_monitor(reference, target, object.clone()) {
            return;
        }
        let watch = Watch {
            watcher: Party::Process(self.pid()),
            reference,
            object: object.clone(),
        };
        let told = target
            .is_some_and(|target| self.host().directory().tell(target, Signal::Monitor(watch)));
        // If this process ended in between, its farewell met no monitor there.
        if let (true, Some(target), Some(_)) = (told, target, self.exited()) {
            let signal = Signal::Demonitor(reference);
            self.host().directory().tell(target, signal);
        }
        if !told {
            self.cell().take_signal(Signal::Down {
                reference,
                kind,
                object,
                reason: Term::Atom(atom::NOPROC),
            });
        }
    }

    /// `demonitor/2`. The answer is that of `demonitor/2` with `info`: whether the monitor
    /// was there; without that option it is always true.
    ///
    /// # Errors
    /// `badarg` for what is no reference, and for unknown options.
    pub fn demonitor(&self, reference: &Term, options: &Term) -> Result<bool, Raise> {
        let Term::Reference(reference) = reference else {
            return Err(Raise::argument(1, "not a reference"));
        };
        let Some(options) = options.to_list_vec() else {
            return Err(Raise::argument(2, "not a list"));
        };
        let (mut flush, mut info) = (false, false);
        for option in options {
            match option {
                option if option.is_atom("flush") => flush = true,
                option if option.is_atom("info") => info = true,
                _ => return Err(Raise::argument(2, "invalid option in list")),
            }
        }
        let known = self.cell().drop_monitor(*reference);
        if let Some(Some(target)) = known {
            let signal = Signal::Demonitor(*reference);
            self.host().directory().tell(target, signal);
        }
        if flush && known.is_none() {
            let name = Term::Reference(*reference);
            let _ = self.receive(
                |message| is_down(message, &name).then_some(()),
                Some(Instant::now()),
            );
        }
        Ok(!info || known.is_some())
    }

    /// `exit/2`: sends an exit signal. The reasons `normal` and `kill` are atoms,
    /// `Term::atom("kill")`.
    ///
    /// # Errors
    /// `badarg` for what is neither process nor port.
    pub fn exit_signal(&self, to: &Term, reason: Term) -> Result<(), Raise> {
        let party = identity(to).ok_or_else(|| Raise::argument(1, "not a pid"))?;
        let signal = Signal::Exit {
            from: Party::Process(self.pid()),
            reason,
            cause: ExitCause::Request,
        };
        if self.alive().is_ok() {
            self.host().directory().tell(party, signal);
        }
        Ok(())
    }

    /// `register/2`.
    ///
    /// # Errors
    /// `badarg` when the name is taken, or the process or port has one or has ended.
    pub fn register(&self, name: &Term, what: &Term) -> Result<(), Raise> {
        let Term::Atom(name) = name else {
            return Err(Raise::argument(1, "not an atom"));
        };
        let Some(party) = identity(what) else {
            return Err(Raise::argument(2, "not a pid"));
        };
        if *name == atom::UNDEFINED {
            return Err(Raise::argument(1, "'undefined' is not a valid name"));
        }
        let directory = self.host().directory();
        if directory.register(*name, party) {
            return Ok(());
        }
        // Erlang has no other words for a closed port than these of the name.
        let dead = |pid| directory.process(pid).is_none();
        Err(match party {
            _ if self.has_name(party) => {
                Raise::argument(2, "this process or port already has a name")
            }
            Party::Process(pid) if dead(pid) => {
                Raise::argument(2, "the pid does not refer to an existing process")
            }
            _ => Raise::argument(1, "name is in use"),
        })
    }

    fn has_name(&self, party: Party) -> bool {
        match party {
            Party::Process(pid) => {
                let process = self.host().directory().process(pid);
                process.is_some_and(|process| process.name().is_some())
            }
            Party::Port(id) => {
                let port = self.port_of(id);
                port.is_some_and(|port| port.registered_name().is_some())
            }
        }
    }

    /// `unregister/1`.
    ///
    /// # Errors
    /// `badarg` when nobody has the name.
    pub fn unregister(&self, name: &Term) -> Result<(), Raise> {
        let Term::Atom(name) = name else {
            return Err(Raise::argument(1, "not an atom"));
        };
        match self.host().directory().unregister(*name) {
            true => Ok(()),
            false => Err(Raise::argument(1, "not a pid")),
        }
    }

    /// `whereis/1`: who has a name, or the atom `undefined`.
    ///
    /// # Errors
    /// `badarg` for what is no name.
    pub fn whereis(&self, name: &Term) -> Result<Term, Raise> {
        let Term::Atom(name) = name else {
            return Err(Raise::argument(1, "not an atom"));
        };
        let party = self.host().directory().whereis(*name);
        Ok(party.map_or(Term::Atom(atom::UNDEFINED), Party::term))
    }

    /// `erlang:send_after/3`: sends a message when `delay` has passed, unless the process that it
    /// is for has ended by then.
    pub fn send_after(&self, delay: Duration, to: &Term, message: Term) -> Reference {
        let reference = Reference::fresh();
        let Some(at) = Instant::now().checked_add(delay) else {
            return reference;
        };
        let services = self.host().services();
        let delayed = Arc::clone(self.host().delayed());
        let directory = Arc::clone(&services.directory);
        let to = to.clone();
        services.reactor.start();
        let process = match &to {
            Term::Pid(pid) => Some(*pid),
            _ => None,
        };
        let later = Arc::clone(&delayed);
        delayed.add(reference, process, || {
            services.timers.set(
                at,
                Box::new(move || {
                    later.take(reference);
                    deliver_later(&directory, &to, message);
                }),
            )
        });
        // Looked at afterwards: one that ends meanwhile is told of, or seen to be gone here.
        if let Some(pid) = process.filter(|pid| !self.host().is_alive(*pid)) {
            delayed.process_exited(pid, &services.timers);
        }
        reference
    }

    /// `erlang:cancel_timer/1`: takes a delayed message back. `None` when it was sent.
    pub fn cancel_timer(&self, reference: Reference) -> Option<Duration> {
        let id = self.host().delayed().take(reference)?;
        self.host()
            .services()
            .timers
            .cancel(id)
            .then(|| id.time_left())
    }

    /// `erlang:read_timer/1`: how long until a delayed message is sent.
    pub fn read_timer(&self, reference: Reference) -> Option<Duration> {
        let timer = self.host().delayed().timer(reference)?;
        Some(timer.time_left())
    }
}

fn deliver_later(directory: &Arc<Directory>, to: &Term, message: Term) {
    let party = match to {
        Term::Atom(name) => directory.whereis(*name),
        _ => identity(to),
    };
    if let Some(party) = party {
        directory.tell(party, Signal::Message(Mail::Term(message)));
    }
}

fn is_down(message: &Term, reference: &Term) -> bool {
    message.as_tuple().is_some_and(|parts| {
        parts.len() == 5 && parts[0] == Term::Atom(atom::DOWN) && parts[1] == *reference
    })
}

/// The process or port that a term is the identity of.
fn identity(term: &Term) -> Option<Party> {
    match term {
        Term::Pid(pid) => Some(Party::Process(*pid)),
        Term::Port(id) => Some(Party::Port(*id)),
        _ => None,
    }
}

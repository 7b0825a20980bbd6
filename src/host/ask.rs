//! What a process asks of ports: the port functions of the module `erlang`, with their
//! arguments and exceptions. A port is named by its identity or by its registered name.
#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::host::{Process, Raise};
use crate::port::request::{Answer, CommandFlags, Commanded, WouldDeadlock};
use crate::port::transport::Unsupported;
use crate::port::{Port, info, table};
use crate::process::pause::Pause;
use crate::process::signal::Party;
use crate::term::iodata::IoData;
use crate::term::{Atom, PortId, Term, atom};

impl From<WouldDeadlock> for Raise {
    fn from(_: WouldDeadlock) -> Raise {
        Raise::badarg().hint("the request was made by the port's own callback and cannot wait")
    }
}

const NOT_A_PORT: &str = "not a port";
const NOT_IODATA: &str = "not an iodata term";

impl Process {
    /// The open or closing port that a term names. `Ok(None)`: there is none (any longer).
    fn find_port(&self, port: &Term) -> Result<Option<Arc<Port>>, Raise> {
        match port {
            Term::Port(id) => Ok(self.port_of(*id)),
            Term::Atom(name) => match self.host().directory().whereis(*name) {
                Some(Party::Port(id)) => Ok(self.port_of(id)),
                _ => Ok(None),
            },
            _ => Err(Raise::argument(1, NOT_A_PORT)),
        }
    }

    pub(super) fn port_of(&self, id: PortId) -> Option<Arc<Port>> {
        table::get(id).filter(|port| port.belongs_to(self.host().services()))
    }

    fn open_or_closing(&self, port: &Term) -> Result<Arc<Port>, Raise> {
        self.find_port(port)?.ok_or_else(closed)
    }

    /// `port_command/3`: hands data to a port. Waits while the port is busy unless told not
    /// to. False when it is busy and `nosuspend` is among the flags.
    ///
    /// # Errors
    /// `badarg` for a closed port, bad data or flags; `notsup` for `force` where it is not
    /// supported.
    pub fn port_command(&self, port: &Term, data: &Term, flags: &Term) -> Result<bool, Raise> {
        let flags = read_flags(flags);
        let found = self.find_port(port);
        let parsed = IoData::from_term(data).map_err(|_| Raise::argument(2, NOT_IODATA));
        if let (Ok(flags), Ok(Some(port)), Err(_)) = (&flags, &found, &parsed) {
            // What stands in the way of a command is seen before its data.
            match self.insist(|| port.try_the_gate(self.pid(), *flags)) {
                Ok(false) => return Ok(false),
                Err(raise) if !raise.reason.is_atom("badarg") => return Err(raise),
                Ok(true) | Err(_) => {}
            }
            tracing::error!(port = %port.id(),
                name = %String::from_utf8_lossy(port.name()), "bad value on output port");
        }
        Raise::faults([fault(&found), fault(&parsed), fault(&flags)])?;
        let (flags, mut parsed, port) = (flags?, parsed?, found?.ok_or_else(closed)?);
        self.command(&port, flags, &mut parsed)
    }

    #[inline]
    pub(super) fn command(
        &self,
        port: &Arc<Port>,
        flags: CommandFlags,
        data: &mut IoData<'_>,
    ) -> Result<bool, Raise> {
        self.insist(|| port.command(self.pid(), data, flags))
    }

    /// Tries until the port is not busy, or says at once what it came to.
    #[inline]
    fn insist(
        &self,
        mut attempt: impl FnMut() -> Result<Commanded, WouldDeadlock>,
    ) -> Result<bool, Raise> {
        loop {
            self.alive()?;
            let attempted = attempt();
            if let Ok(Commanded::Taken) = attempted {
                return Ok(true);
            }
            if let Some(outcome) = self.settle(attempted) {
                return outcome;
            }
        }
    }

    /// What became of an attempt that did not pass; `None` when it is to be tried again.
    #[cold]
    fn settle(&self, attempted: Result<Commanded, WouldDeadlock>) -> Option<Result<bool, Raise>> {
        match attempted {
            Ok(Commanded::Taken) => Some(Ok(true)),
            Ok(Commanded::Busy) => Some(Ok(false)),
            Ok(Commanded::Closed) => Some(Err(closed())),
            Ok(Commanded::NotSupported) => Some(Err(Raise::error(Term::atom("notsup"))
                .hint("force needs a driver with the soft busy flag"))),
            Ok(Commanded::Wait(pause)) => {
                // If it has ended, that is seen at once.
                self.cell().suspend(&pause);
                None
            }
            Err(stuck) => Some(Err(stuck.into())),
        }
    }

    /// Asks until there is an answer; between, a command of this process is waited for. `None`
    /// when the process has ended.
    #[inline]
    pub(super) fn answered<T, E>(
        &self,
        mut ask: impl FnMut() -> Result<Answer<T>, E>,
    ) -> Result<Option<T>, E> {
        loop {
            if self.alive().is_err() {
                return Ok(None);
            }
            match ask()? {
                Answer::Is(answer) => return Ok(Some(answer)),
                Answer::Wait(pause) => self.wait(&pause),
            }
        }
    }

    #[cold]
    fn wait(&self, pause: &Arc<Pause>) {
        self.cell().suspend(pause);
    }

    /// `port_close/1`.
    ///
    /// # Errors
    /// `badarg` for a closed port.
    pub fn port_close(&self, port: &Term) -> Result<(), Raise> {
        let port = self.open_or_closing(port)?;
        match self.answered(|| port.close_by_request(self.pid()))? {
            Some(true) => Ok(()),
            _ => Err(closed()),
        }
    }

    /// `port_connect/2`: makes another process the owner, and links it.
    ///
    /// # Errors
    /// `badarg` for a closed port or an ended process.
    pub fn port_connect(&self, port: &Term, to: &Term) -> Result<(), Raise> {
        let found = self.find_port(port);
        let to = to.as_pid().ok_or_else(|| Raise::argument(2, "not a pid"));
        Raise::faults([fault(&found), fault(&to)])?;
        let (port, to) = (found?.ok_or_else(closed)?, to?);
        match self.answered(|| port.connect_by_request(self.pid(), to))? {
            Some(true) => Ok(()),
            _ => Err(closed()),
        }
    }

    /// `port_control/3`: asks a driver to do operation number `operation`.
    ///
    /// # Errors
    /// `badarg` for a closed port, bad arguments, or when the driver says so.
    pub fn port_control(&self, port: &Term, operation: &Term, data: &Term) -> Result<Term, Raise> {
        let found = self.find_port(port);
        let operation = read_operation(operation);
        let data = IoData::from_term(data).map_err(|_| Raise::argument(3, NOT_IODATA));
        Raise::faults([fault(&found), fault(&operation), fault(&data)])?;
        let port = found?.ok_or_else(closed)?;
        let mut answer = Term::Nil;
        self.control(&port, operation?, &data?.flat(), &mut answer)
            .map(|()| answer)
            .map_err(|_| Raise::badarg().hint("the port does not know this operation"))
    }

    /// `port_call/3`: hands a term to a driver and gets one back.
    ///
    /// # Errors
    /// `badarg` for a closed port, a bad operation, or when the driver says so.
    pub fn port_call(&self, port: &Term, operation: &Term, data: &Term) -> Result<Term, Raise> {
        let found = self.find_port(port);
        let operation = read_operation(operation);
        Raise::faults([fault(&found), fault(&operation)])?;
        let port = found?.ok_or_else(closed)?;
        self.call(&port, operation?, data)
            .map_err(|_| Raise::badarg().hint("the port does not know this operation"))
    }

    #[inline]
    pub(super) fn control(
        &self,
        port: &Arc<Port>,
        operation: u32,
        data: &[u8],
        answer: &mut Term,
    ) -> Result<(), Unsupported> {
        let ask = || Ok(port.control(self.pid(), operation, data, answer));
        self.answered(ask)?.unwrap_or(Err(Unsupported))
    }

    pub(super) fn call(
        &self,
        port: &Arc<Port>,
        operation: u32,
        data: &Term,
    ) -> Result<Term, Unsupported> {
        let ask = || Ok(port.call(self.pid(), operation, data.clone()));
        self.answered(ask)?.unwrap_or(Err(Unsupported))
    }

    /// `port_info/1`: a list of facts, or the atom `undefined` for a closed port.
    ///
    /// # Errors
    /// `badarg` for what cannot name a port.
    pub fn port_info(&self, port: &Term) -> Result<Term, Raise> {
        let facts = match self.find_port(port)? {
            Some(port) => port.ask(|on, port| port.facts(on))?,
            None => None,
        };
        Ok(facts.unwrap_or(Term::Atom(atom::UNDEFINED)))
    }

    /// `port_info/2`: one fact, or the atom `undefined` for a closed port.
    ///
    /// # Errors
    /// `badarg` for what cannot name a port, and for an unknown item of an open port.
    pub fn port_info_item(&self, port: &Term, item: &Term) -> Result<Term, Raise> {
        let Some(port) = self.find_port(port)? else {
            return Ok(Term::Atom(atom::UNDEFINED));
        };
        match item {
            Term::Atom(item) if info::is_item(*item) => {
                let item = *item;
                let fact = port.ask(move |on, port| port.fact(on, item))?;
                Ok(fact.unwrap_or(Term::Atom(atom::UNDEFINED)))
            }
            _ => Err(Raise::argument(2, "invalid option in list")),
        }
    }

    /// `port_set_data/2`: keeps a term with the port.
    ///
    /// # Errors
    /// `badarg` for a closed port.
    pub fn port_set_data(&self, port: &Term, data: Term) -> Result<(), Raise> {
        let port = self.find_port(port).map_err(|_| closed())?;
        match port.ok_or_else(closed)?.set_data(data) {
            true => Ok(()),
            false => Err(closed()),
        }
    }

    /// `port_get_data/1`: the term kept with the port, at first `undefined`.
    ///
    /// # Errors
    /// `badarg` for a closed port.
    pub fn port_get_data(&self, port: &Term) -> Result<Term, Raise> {
        let port = self.find_port(port).map_err(|_| closed())?;
        port.and_then(|port| port.data()).ok_or_else(closed)
    }
}

/// What a closed port, or a name without one, raises.
fn closed() -> Raise {
    Raise::badarg().hint("the port is closed")
}

/// What is wrong with an argument, if anything is.
fn fault<T>(argument: &Result<T, Raise>) -> Option<Raise> {
    argument.as_ref().err().cloned()
}

fn read_flags(flags: &Term) -> Result<CommandFlags, Raise> {
    let Some(flags) = flags.to_list_vec() else {
        return Err(Raise::argument(3, "not a list"));
    };
    let mut read = CommandFlags::default();
    for flag in flags {
        if flag == Term::Atom(Atom::new("force")) {
            read.force = true;
        } else if flag == Term::Atom(Atom::new("nosuspend")) {
            read.nosuspend = true;
        } else {
            return Err(Raise::argument(3, "invalid option in list"));
        }
    }
    Ok(read)
}

fn read_operation(operation: &Term) -> Result<u32, Raise> {
    match operation {
        Term::Int(n) => u32::try_from(*n).map_err(|_| Raise::argument(2, "out of range")),
        Term::BigInt(_) => Err(Raise::argument(2, "out of range")),
        _ => Err(Raise::argument(2, "not an integer")),
    }
}

impl Process {
    /// `erl_ddll:Function(Arguments…)`: loads, unloads and asks about drivers.
    ///
    /// # Errors
    /// `undef` for a function that does not exist, `badarg` for wrong arguments.
    pub fn ddll(&self, function: &str, arguments: &[Term]) -> Result<Term, Raise> {
        self.host()
            .drivers()
            .ddll(self.cell(), function, arguments)
            .map_err(Raise::error)
    }
}

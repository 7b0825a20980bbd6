//! Facts about a port, as `port_info` tells them.
#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::port::Port;
use crate::port::state::Phase;
use crate::port::transport::Locking;
use crate::process::signal::Party;
use crate::runtime::turn::OnTurn;
use crate::term::{Atom, Binary, Term, atom};

/// The items of `port_info/1`, in the order Erlang gives them; a registered name comes first.
const USUAL: [&str; 7] = [
    "name",
    "links",
    "id",
    "connected",
    "input",
    "output",
    "os_pid",
];

/// Every item that `port_info/2` knows.
const ALL: [&str; 14] = [
    "registered_name",
    "name",
    "links",
    "id",
    "connected",
    "input",
    "output",
    "os_pid",
    "monitors",
    "monitored_by",
    "parallelism",
    "queue_size",
    "memory",
    "locking",
];

/// Whether `port_info/2` knows this item.
pub(crate) fn is_item(item: Atom) -> bool {
    ALL.contains(&item.as_str())
}

impl Port {
    /// The answer of `port_info/1`; `None` when the port is closed.
    pub(crate) fn facts(self: &Arc<Self>, on: &mut OnTurn<'_>) -> Option<Term> {
        let mut facts = Vec::with_capacity(8);
        if let Some(name) = self.registered_name() {
            facts.push(pair("registered_name", Term::Atom(name)));
        }
        for item in USUAL {
            facts.push(self.fact(on, Atom::new(item))?);
        }
        Some(Term::list(facts))
    }

    /// The answer of `port_info/2` for a known item; `None` when the port is closed.
    pub(crate) fn fact(self: &Arc<Self>, on: &mut OnTurn<'_>, item: Atom) -> Option<Term> {
        let state = self.state.get(on);
        if !matches!(state.phase, Phase::Open | Phase::Closing) {
            return None;
        }
        let value = match item.as_str() {
            "registered_name" => match self.registered_name() {
                Some(name) => Term::Atom(name),
                None => return Some(Term::Nil),
            },
            "name" => Term::bytes_list(Binary::from(self.name())),
            "links" => parties(state.relations.links()),
            "id" => integer(self.id.number().saturating_mul(8)),
            "connected" => Term::Pid(state.owner),
            "input" => integer(state.bytes_in),
            "output" => integer(state.bytes_out),
            "os_pid" => match self.transport.os_pid(on) {
                Some(pid) => pid.into(),
                None => Term::Atom(atom::UNDEFINED),
            },
            "monitors" => Term::list(
                state
                    .relations
                    .watching()
                    .filter_map(|(_, watching)| watching.target)
                    .map(|target| pair("process", target.term()))
                    .collect(),
            ),
            "monitored_by" => parties(state.relations.watches().iter().map(|w| w.watcher)),
            "parallelism" => Term::boolean(self.kept.parallel),
            "queue_size" => Term::from(self.transport.queued(on)),
            "memory" => Term::from(std::mem::size_of::<Port>()),
            "locking" => Term::atom(match self.transport.nature().locking {
                Locking::Driver => "driver_level",
                Locking::Port => "port_level",
            }),
            _ => return None,
        };
        Some(Term::tuple([Term::Atom(item), value]))
    }
}

fn pair(key: &str, value: Term) -> Term {
    Term::tuple([Term::atom(key), value])
}

fn parties(parties: impl Iterator<Item = Party>) -> Term {
    Term::list(parties.map(Party::term).collect())
}

fn integer(value: u64) -> Term {
    Term::from(usize::try_from(value).unwrap_or(usize::MAX))
}

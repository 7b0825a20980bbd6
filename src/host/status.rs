//! Facts about processes, as `process_info` tells them.
#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::host::Host;
use crate::process::ProcessCell;
use crate::process::party::Status;
use crate::process::relations::Watching;
use crate::process::signal::Party;
use crate::term::{Atom, Pid, Term};

/// What `process_info/1` lists of what is known here, in Erlang's order.
const USUAL: [&str; 5] = [
    "registered_name",
    "status",
    "message_queue_len",
    "links",
    "trap_exit",
];

impl Host {
    /// The answer of `process_info/2`, for the items `registered_name`, `status`,
    /// `message_queue_len`, `links`, `monitors`, `monitored_by` and `trap_exit`. `None`
    /// when there is no such process or no such item.
    pub fn process_info(&self, pid: Pid, item: Atom) -> Option<Term> {
        let process = self.directory().process(pid)?;
        fact(&process, item)
    }

    /// The answer of `process_info/1`. `None` when there is no such process.
    pub fn process_facts(&self, pid: Pid) -> Option<Term> {
        let process = self.directory().process(pid)?;
        let facts = USUAL
            .into_iter()
            .filter_map(|item| fact(&process, Atom::new(item)))
            .filter(|fact| *fact != Term::Nil);
        Some(Term::list(facts.collect()))
    }
}

fn fact(process: &Arc<ProcessCell>, item: Atom) -> Option<Term> {
    let value = match item.as_str() {
        "registered_name" => match process.name() {
            Some(name) => Term::Atom(name),
            None => return Some(Term::Nil),
        },
        "status" => Term::atom(match process.status() {
            Status::Running => "running",
            Status::Waiting => "waiting",
            Status::Suspended => "suspended",
        }),
        "message_queue_len" => Term::from(process.mailbox().len()),
        "links" => process.relations(|relations| parties(relations.links())),
        "monitors" => process.relations(|relations| {
            let monitor = |watching: &Watching| {
                let kind = match watching.target? {
                    Party::Process(_) => "process",
                    Party::Port(_) => "port",
                };
                Some(Term::tuple([Term::atom(kind), watching.object.clone()]))
            };
            let monitors = relations.watching();
            Term::list(monitors.filter_map(|(_, it)| monitor(it)).collect())
        }),
        "monitored_by" => {
            process.relations(|relations| parties(relations.watches().iter().map(|w| w.watcher)))
        }
        "trap_exit" => Term::boolean(process.traps_exits()),
        _ => return None,
    };
    Some(Term::tuple([Term::Atom(item), value]))
}

fn parties(parties: impl Iterator<Item = Party>) -> Term {
    Term::list(parties.map(Party::term).collect())
}

//! A set of links: nearly always one, sometimes a hundred thousand.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use crate::process::signal::Party;
use crate::term::{Pid, PortId};

/// See the module's text. In order of identity.
#[derive(Debug, Default)]
pub(super) enum Links {
    #[default]
    None,
    One(Party),
    Many(Box<Many>),
}

/// Numbers alone, which are half as large as what says whose they are.
#[derive(Debug, Default)]
pub(super) struct Many {
    processes: BTreeSet<Pid>,
    ports: BTreeSet<PortId>,
}

impl Links {
    /// Adds one. False when it was there.
    pub(super) fn insert(&mut self, party: Party) -> bool {
        match self {
            Links::None => *self = Links::One(party),
            Links::One(one) if *one == party => return false,
            Links::One(one) => {
                let mut many = Box::<Many>::default();
                many.insert(*one);
                many.insert(party);
                *self = Links::Many(many);
            }
            Links::Many(many) => return many.insert(party),
        }
        true
    }

    /// Takes one out. False when it was not there.
    pub(super) fn remove(&mut self, party: Party) -> bool {
        match self {
            Links::One(one) if *one == party => {
                *self = Links::None;
                true
            }
            Links::None | Links::One(_) => false,
            Links::Many(many) => match party {
                Party::Process(pid) => many.processes.remove(&pid),
                Party::Port(id) => many.ports.remove(&id),
            },
        }
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = Party> + '_ {
        let (one, many) = match self {
            Links::None => (None, None),
            Links::One(one) => (Some(*one), None),
            Links::Many(many) => (None, Some(many)),
        };
        one.into_iter()
            .chain(many.into_iter().flat_map(|many| many.iter()))
    }
}

impl Many {
    fn insert(&mut self, party: Party) -> bool {
        match party {
            Party::Process(pid) => self.processes.insert(pid),
            Party::Port(id) => self.ports.insert(id),
        }
    }

    fn iter(&self) -> impl Iterator<Item = Party> + '_ {
        let processes = self.processes.iter().copied().map(Party::Process);
        processes.chain(self.ports.iter().copied().map(Party::Port))
    }
}

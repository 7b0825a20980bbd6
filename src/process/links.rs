//! A set of links: nearly always one or two, sometimes a hundred thousand.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use smallvec::SmallVec;

use crate::process::signal::Party;

/// So many are kept in place; a tree's first node is larger than a port's other books together.
const FEW: usize = 1;
/// A list of up to so many is searched; beyond, a tree is.
const LISTED_MAX: usize = 16;

/// See the module's text. In order of identity.
#[derive(Debug)]
pub(super) enum Links {
    Few(SmallVec<[Party; FEW]>),
    Many(BTreeSet<Party>),
}

impl Default for Links {
    fn default() -> Links {
        Links::Few(SmallVec::new())
    }
}

impl Links {
    /// Adds one. False when it was there.
    pub(super) fn insert(&mut self, party: Party) -> bool {
        match self {
            Links::Few(list) => match list.binary_search(&party) {
                Ok(_) => false,
                Err(at) if list.len() < LISTED_MAX => {
                    list.insert(at, party);
                    true
                }
                Err(_) => {
                    let mut tree: BTreeSet<Party> = list.drain(..).collect();
                    tree.insert(party);
                    *self = Links::Many(tree);
                    true
                }
            },
            Links::Many(tree) => tree.insert(party),
        }
    }

    /// Takes one out. False when it was not there.
    pub(super) fn remove(&mut self, party: Party) -> bool {
        match self {
            Links::Few(list) => {
                let found = list.binary_search(&party);
                found.is_ok_and(|at| list.remove(at) == party)
            }
            Links::Many(tree) => tree.remove(&party),
        }
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = Party> + '_ {
        let (list, tree) = match self {
            Links::Few(list) => (Some(list), None),
            Links::Many(tree) => (None, Some(tree)),
        };
        let list = list.into_iter().flatten();
        list.chain(tree.into_iter().flatten()).copied()
    }
}

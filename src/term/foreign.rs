//! Pids, ports and references of other nodes: kept as they came, never looked up.
#![forbid(unsafe_code)]

use super::Atom;
use std::fmt;

/// Names something on another node.
#[derive(Clone)]
pub struct Foreign {
    pub(super) node: Atom,
    pub(super) creation: u32,
    pub(super) id: ForeignId,
}

/// What is named, by the numbers of the external term format.
#[derive(Clone)]
pub(super) enum ForeignId {
    Pid {
        id: u32,
        serial: u32,
    },
    Port(u64),
    /// Up to five words, lowest first; zeros at the end say nothing.
    Reference(Vec<u32>),
}

impl Foreign {
    /// The node that can say more about it.
    pub fn node(&self) -> Atom {
        self.node
    }
}

/// Erlang shows a number of its own in place of the node's name; wharf knows no nodes and shows
/// the creation, which also tells apart what has to be.
impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = self.creation;
        match &self.id {
            ForeignId::Pid { id, serial } => write!(f, "<{node}.{id}.{serial}>"),
            ForeignId::Port(id) => write!(f, "#Port<{node}.{id}>"),
            ForeignId::Reference(words) => {
                write!(f, "#Ref<{node}")?;
                words
                    .iter()
                    .rev()
                    .try_for_each(|word| write!(f, ".{word}"))?;
                f.write_str(">")
            }
        }
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

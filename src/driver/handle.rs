//! Words for what may die: how ports, processes and atoms look to a driver.
//!
//! A word is a number with a tag in its low bits, never an address: whoever uses one looks it
//! up, and what is gone is found to be gone. Promises one word per thing, disjoint kinds, and
//! none that is 0 or all ones. Erlang's words look alike (`[]` is the same), so that a driver
//! that prints them shows something familiar.
#![forbid(unsafe_code)]

use crate::term::{Atom, Pid, PortId};

/// `[]`. `build.rs` writes the same number into the trampoline library, as `driver_term_nil`.
pub(super) const NIL: u64 = 0x3b;

const TAG_BITS: u32 = 4;
const TAG_MASK: u64 = (1 << TAG_BITS) - 1;
const PID: u64 = 0x3;
const PORT: u64 = 0x7;
/// What an `ErlDrvPort` ends in: not the same as the port's term, so that one passed for the
/// other is noticed.
const HANDLE: u64 = 0x5;
const ATOM_BITS: u32 = 6;
const ATOM_MASK: u64 = (1 << ATOM_BITS) - 1;
const ATOM: u64 = 0x0b;

/// The word for an atom.
pub(super) fn atom(atom: Atom) -> u64 {
    u64::from(atom.index()) << ATOM_BITS | ATOM
}

/// The word for a process.
pub(super) fn pid(pid: Pid) -> u64 {
    pid.number() << TAG_BITS | PID
}

/// The word for a port as a term.
pub(super) fn port(port: PortId) -> u64 {
    port.number() << TAG_BITS | PORT
}

/// An `ErlDrvPort`, which is a word of the same size that C takes for a pointer.
#[allow(clippy::cast_possible_truncation)] // drivers exist for 64 bits only
pub(super) fn handle(port: PortId) -> usize {
    (port.number() << TAG_BITS | HANDLE) as usize
}

/// The atom behind a word.
pub(super) fn as_atom(word: u64) -> Option<Atom> {
    if word & ATOM_MASK != ATOM {
        return None;
    }
    Atom::from_index(u32::try_from(word >> ATOM_BITS).ok()?)
}

/// The process behind a word.
pub(super) fn as_pid(word: u64) -> Option<Pid> {
    (word & TAG_MASK == PID).then(|| Pid::from_number(word >> TAG_BITS))
}

/// The port behind a term's word.
pub(super) fn as_port(word: u64) -> Option<PortId> {
    (word & TAG_MASK == PORT).then(|| PortId::from_number(word >> TAG_BITS))
}

/// The port behind an `ErlDrvPort`.
pub(super) fn as_handle(word: usize) -> Option<PortId> {
    let word = word as u64;
    (word & TAG_MASK == HANDLE).then(|| PortId::from_number(word >> TAG_BITS))
}

/// A process, or `[]`.
pub(super) fn pid_or_nil(found: Option<Pid>) -> u64 {
    found.map_or(NIL, pid)
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_disjoint_and_words_come_back() {
        let (a, p, q) = (
            Atom::new("handle_test"),
            Pid::from_number(3),
            PortId::from_number(3),
        );
        assert_eq!(as_atom(atom(a)), Some(a));
        assert_eq!(as_pid(pid(p)), Some(p));
        assert_eq!(as_port(port(q)), Some(q));
        assert_eq!(as_handle(handle(q)), Some(q));
        for (at, word) in [NIL, atom(a), pid(p), port(q), handle(q) as u64]
            .into_iter()
            .enumerate()
        {
            let kinds = [
                word == NIL,
                as_atom(word).is_some(),
                as_pid(word).is_some(),
                as_port(word).is_some(),
                as_handle(word as usize).is_some(),
            ];
            assert_eq!(kinds.iter().filter(|is| **is).count(), 1);
            assert!(kinds[at]);
        }
    }

    #[test]
    fn what_drivers_take_for_invalid_is_nothing() {
        for word in [0, u64::MAX] {
            assert!(word != NIL && as_atom(word).is_none() && as_pid(word).is_none());
            assert!(as_port(word).is_none() && as_handle(word as usize).is_none());
        }
        assert_eq!(
            handle(PortId::from_number(0)),
            5,
            "the first port is not NULL"
        );
    }

    #[test]
    fn atoms_that_do_not_exist_are_none() {
        assert!(as_atom(u64::MAX << ATOM_BITS | ATOM).is_none());
        assert!(as_atom(u64::from(u32::MAX) << ATOM_BITS | ATOM).is_none());
    }
}

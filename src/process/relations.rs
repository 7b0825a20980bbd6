//! Links and monitors of one party, a process or a port. Pure: it only keeps the books, its
//! owner tells the others.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use crate::process::links::Links;
use crate::process::signal::{Party, Watch};
use crate::seldom::Seldom;
use crate::term::{Reference, Term};

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Relations {
    links: Links,
    monitors: Seldom<Monitors>,
}

#[derive(Debug, Default)]
struct Monitors {
    /// Monitors on this party, oldest first.
    watches: Vec<Watch>,
    /// Monitors this party has on others.
    watching: BTreeMap<Reference, Watching>,
}

/// The watcher's side of a monitor.
#[derive(Clone, Debug)]
pub(crate) struct Watching {
    /// Who is monitored; `None` when there was nobody, and the news is on its way.
    pub(crate) target: Option<Party>,
    /// What the `'DOWN'` message will name: an identity, or `{Name, Node}`.
    pub(crate) object: Term,
}

impl Relations {
    /// Adds a link. False when there was one.
    pub(crate) fn link(&mut self, other: Party) -> bool {
        self.links.insert(other)
    }

    /// Removes a link. False when there was none.
    pub(crate) fn unlink(&mut self, other: Party) -> bool {
        self.links.remove(other)
    }

    /// All links, in order of identity.
    pub(crate) fn links(&self) -> impl Iterator<Item = Party> + '_ {
        self.links.iter()
    }

    /// Notes a monitor on this party.
    pub(crate) fn add_watch(&mut self, watch: Watch) {
        self.monitors.wanted().watches.push(watch);
    }

    /// Forgets a monitor on this party.
    pub(crate) fn remove_watch(&mut self, reference: Reference) -> Option<Watch> {
        let watches = &mut self.monitors.get_mut()?.watches;
        let at = watches.iter().position(|w| w.reference == reference)?;
        Some(watches.remove(at))
    }

    /// Monitors on this party, oldest first.
    pub(crate) fn watches(&self) -> &[Watch] {
        self.monitors
            .get()
            .map_or(&[], |monitors| &monitors.watches)
    }

    /// Notes a monitor of this party on another.
    pub(crate) fn watch(&mut self, reference: Reference, target: Option<Party>, object: Term) {
        let watching = &mut self.monitors.wanted().watching;
        watching.insert(reference, Watching { target, object });
    }

    /// Ends a monitor of this party. `None` when it is not (or no longer) one.
    pub(crate) fn unwatch(&mut self, reference: Reference) -> Option<Watching> {
        self.monitors.get_mut()?.watching.remove(&reference)
    }

    /// Whether this is a monitor of this party.
    pub(crate) fn is_watching(&self, reference: Reference) -> bool {
        let monitors = self.monitors.get();
        monitors.is_some_and(|monitors| monitors.watching.contains_key(&reference))
    }

    /// Monitors this party has on others.
    pub(crate) fn watching(&self) -> impl Iterator<Item = (Reference, &Watching)> + '_ {
        let monitors = self.monitors.get().into_iter();
        let watching = monitors.flat_map(|monitors| &monitors.watching);
        watching.map(|(reference, w)| (*reference, w))
    }

    /// Takes everything, for the end of the party.
    pub(crate) fn take(&mut self) -> Relations {
        std::mem::take(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::{Pid, PortId};
    use proptest::prelude::*;

    /// Few enough that steps meet each other.
    fn party(number: u8) -> Party {
        match number % 2 {
            0 => Party::Process(Pid::from_number(u64::from(number / 2))),
            _ => Party::Port(PortId::from_number(u64::from(number / 2))),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_books_are_a_set_a_row_and_a_map(
            steps in proptest::collection::vec((0..8_u8, 0..60_u8, 0..6_u64), 0..200),
        ) {
            let mut relations = Relations::default();
            let mut links: Vec<Party> = Vec::new();
            let mut watches: Vec<(Reference, Party)> = Vec::new();
            let mut watching: Vec<(Reference, Option<Party>)> = Vec::new();
            for (step, who, number) in steps {
                let (who, reference) = (party(who), Reference::from_number(number));
                match step {
                    0 | 1 => {
                        let known = links.contains(&who);
                        prop_assert_eq!(relations.link(who), !known);
                        links.extend((!known).then_some(who));
                    }
                    2 => {
                        let known = links.contains(&who);
                        prop_assert_eq!(relations.unlink(who), known);
                        links.retain(|link| *link != who);
                    }
                    // References are made once: a second monitor of the same name is none.
                    3 | 4 if watches.iter().all(|(known, _)| *known != reference) => {
                        relations.add_watch(Watch { watcher: who, reference, object: Term::Nil });
                        watches.push((reference, who));
                    }
                    3..=5 => {
                        let at = watches.iter().position(|(known, _)| *known == reference);
                        let expected = at.map(|at| watches.remove(at));
                        let removed = relations.remove_watch(reference);
                        prop_assert_eq!(removed.map(|watch| (watch.reference, watch.watcher)), expected);
                    }
                    6 if !relations.is_watching(reference) => {
                        let target = (number % 2 == 0).then_some(who);
                        relations.watch(reference, target, who.term());
                        watching.push((reference, target));
                    }
                    _ => {
                        let at = watching.iter().position(|(known, _)| *known == reference);
                        prop_assert_eq!(relations.is_watching(reference), at.is_some());
                        let expected = at.map(|at| watching.remove(at).1);
                        prop_assert_eq!(relations.unwatch(reference).map(|known| known.target), expected);
                    }
                }
                links.sort();
                watching.sort();
                prop_assert!(relations.links().eq(links.iter().copied()));
                let seen = relations.watches().iter().map(|watch| (watch.reference, watch.watcher));
                prop_assert!(seen.eq(watches.iter().copied()));
                let seen = relations.watching().map(|(reference, known)| (reference, known.target));
                prop_assert!(seen.eq(watching.iter().copied()));
            }
            let taken = relations.take();
            prop_assert_eq!(taken.links().count(), links.len());
            prop_assert_eq!(relations.links().count() + relations.watches().len() + relations.watching().count(), 0);
        }
    }

    #[test]
    fn links_are_a_set_and_monitors_are_not() {
        let mut relations = Relations::default();
        let other = Party::Process(Pid::from_number(7));
        assert!(relations.link(other));
        assert!(!relations.link(other));
        for _ in 0..2 {
            relations.add_watch(Watch {
                watcher: other,
                reference: Reference::fresh(),
                object: Term::Nil,
            });
        }
        let first = relations.watches()[0].reference;
        assert!(relations.remove_watch(first).is_some());
        assert!(relations.remove_watch(first).is_none());
        assert_eq!(relations.watches().len(), 1);
        assert!(relations.unlink(other));
        assert_eq!(relations.links().next(), None);
    }
}

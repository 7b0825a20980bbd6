//! A table from numbers to what they name, where a number is never given out twice.
//!
//! A number holds the index of a slot and how often the slot was used before, so that the
//! name of something gone finds nothing, also after its slot has a new tenant. A look-up is
//! an index into a list and one short lock of that slot alone. Slots freed longest ago
//! are used first.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::sync::Arc;

use crate::lock::Brief;
use crate::lock::atomic::{AtomicU32, Ordering};
use crate::places::Places;

/// Bits of a number that hold the slot's index; the rest counts the slot's uses.
const INDEX_BITS: u32 = 24;
/// Number 0 is never given out: some languages take it for nothing.
const FIRST_INDEX: u32 = 1;
/// Freed slots wait until this many are free, so that a number's slot is not reused soon.
const FREE_MIN: usize = 64;

/// See the module's text.
pub(crate) struct Table<T> {
    slots: Places<Slot<T>>,
    free: Brief<VecDeque<u32>>,
    used: AtomicU32,
}

struct Slot<T> {
    tenant: Brief<Tenant<T>>,
}

struct Tenant<T> {
    uses: u64,
    value: Option<Arc<T>>,
}

impl<T> Default for Slot<T> {
    fn default() -> Slot<T> {
        let nobody = Tenant {
            uses: 0,
            value: None,
        };
        Slot {
            tenant: Brief::new(nobody),
        }
    }
}

impl<T> Table<T> {
    /// An empty table.
    pub(crate) const fn new() -> Table<T> {
        Table {
            slots: Places::new(),
            free: Brief::new(VecDeque::new()),
            used: AtomicU32::new(FIRST_INDEX),
        }
    }

    /// Adds what `make` makes of its number. `None` when the table is full or `make` gave up.
    pub(crate) fn insert(&self, make: impl FnOnce(u64) -> Option<Arc<T>>) -> Option<Arc<T>> {
        let index = self.vacant_index()?;
        let slot = self.slots.wanted(index as usize)?;
        let number = slot.tenant.lock().uses << INDEX_BITS | u64::from(index);
        let Some(value) = make(number) else {
            self.free.lock().push_back(index);
            return None;
        };
        slot.tenant.lock().value = Some(Arc::clone(&value));
        Some(value)
    }

    fn vacant_index(&self) -> Option<u32> {
        let mut free = self.free.lock();
        if free.len() < FREE_MIN {
            let fresh = self.used.load(Ordering::Relaxed);
            if fresh < 1 << INDEX_BITS {
                self.used.store(fresh + 1, Ordering::Relaxed);
                return Some(fresh);
            }
        }
        free.pop_front()
    }

    fn slot_of(&self, number: u64) -> Option<&Slot<T>> {
        let index = u32::try_from(number & ((1 << INDEX_BITS) - 1)).ok()?;
        if index >= self.used.load(Ordering::Relaxed) {
            return None;
        }
        self.slots.get(index as usize)
    }

    /// What `number` names, if it still exists.
    #[inline]
    pub(crate) fn get(&self, number: u64) -> Option<Arc<T>> {
        self.with(number, Arc::clone)
    }

    /// Runs `look`, a few instructions that lock no table's slot twice, for what `number` names while it is
    /// sure to stay there: cheaper than a holder of it.
    #[inline]
    pub(crate) fn with<R>(&self, number: u64, look: impl FnOnce(&Arc<T>) -> R) -> Option<R> {
        let tenant = self.slot_of(number)?.tenant.lock();
        if tenant.uses != number >> INDEX_BITS {
            return None;
        }
        tenant.value.as_ref().map(look)
    }

    /// Takes out what `number` names.
    pub(crate) fn remove(&self, number: u64) -> Option<Arc<T>> {
        let mut tenant = self.slot_of(number)?.tenant.lock();
        if tenant.uses != number >> INDEX_BITS {
            return None;
        }
        let value = tenant.value.take()?;
        tenant.uses += 1;
        drop(tenant);
        let index = u32::try_from(number & ((1 << INDEX_BITS) - 1)).ok()?;
        self.free.lock().push_back(index);
        Some(value)
    }

    /// Every entry, as of some moment during the call.
    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        (0..self.used.load(Ordering::Relaxed))
            .filter_map(|index| self.slots.get(index as usize)?.tenant.lock().value.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_good_for_one_tenant() {
        let table = Table::new();
        let mut seen = std::collections::HashSet::new();
        for round in 0..10_000_u64 {
            let mut number = 0;
            let entry = table.insert(|n| {
                number = n;
                Some(Arc::new(round))
            });
            assert_eq!(entry.as_deref(), Some(&round));
            assert!(seen.insert(number), "{number} was given out twice");
            assert_eq!(table.get(number).as_deref(), Some(&round));
            assert_eq!(table.remove(number).as_deref(), Some(&round));
            assert!(table.get(number).is_none());
            assert!(table.remove(number).is_none());
        }
        assert!(table.all().is_empty());
    }

    #[test]
    fn numbers_that_were_never_given_out_name_nothing() {
        let table = Table::<u8>::new();
        for number in [0, 1, 63, 64, 1 << 24, u64::MAX] {
            assert!(table.get(number).is_none());
            assert!(table.remove(number).is_none());
        }
    }

    #[test]
    fn there_is_room_for_many_entries() {
        let table = Table::new();
        for n in 0..5000_u32 {
            table.insert(|_| Some(Arc::new(n))).expect("room");
        }
        assert_eq!(table.all().len(), 5000);
    }
}

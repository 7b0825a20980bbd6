//! Maps.
//!
//! Keys are kept in Erlang's order for map keys, in which 1 and 1.0 differ: that is the order in
//! which OTP prints and encodes maps of up to 32 pairs, and one order is as good as another for
//! larger ones. Changing a map copies it when it is shared, and only then.
#![forbid(unsafe_code)]

use super::Term;
use super::order::compare_exactly;
use super::release::{Body, release};
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map;
use std::sync::Arc;

/// A map from terms to terms; cloning shares its pairs.
#[derive(Clone)]
pub struct Map(
    /// `None` when empty.
    Option<Arc<Entries>>,
);

pub(super) type Entries = BTreeMap<Key, Term>;

/// A term in the order of map keys.
#[derive(Clone)]
pub(super) struct Key(Term);

impl Map {
    /// The map without pairs.
    pub const fn new() -> Map {
        Map(None)
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |entries| entries.len())
    }

    /// Whether there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of `key`.
    pub fn get(&self, key: &Term) -> Option<&Term> {
        self.0.as_ref()?.get(key as &dyn AsKey)
    }

    /// Whether there is a pair with this key.
    pub fn contains_key(&self, key: &Term) -> bool {
        self.get(key).is_some()
    }

    /// Puts a pair in; gives the value that `key` had before.
    pub fn insert(&mut self, key: Term, value: Term) -> Option<Term> {
        let entries = self.0.get_or_insert_default();
        Arc::make_mut(entries).insert(Key(key), value)
    }

    /// Takes the pair with this key out; gives its value.
    pub fn remove(&mut self, key: &Term) -> Option<Term> {
        if !self.contains_key(key) {
            return None;
        }
        Arc::make_mut(self.0.as_mut()?).remove(key as &dyn AsKey)
    }

    /// Whether both are the same pairs in memory, and so equal without a look at them.
    pub(super) fn is_shared_with(&self, other: &Map) -> bool {
        matches!((&self.0, &other.0), (Some(mine), Some(theirs)) if Arc::ptr_eq(mine, theirs))
    }

    /// The pairs in the order of their keys.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.0.as_ref().map(|entries| entries.iter()))
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl Iterator<Item = &Term> {
        self.iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &Term> {
        self.iter().map(|(_, value)| value)
    }
}

impl Default for Map {
    fn default() -> Map {
        Map::new()
    }
}

/// Goes through the pairs of a map.
#[derive(Clone)]
pub struct Iter<'a>(Option<btree_map::Iter<'a, Key, Term>>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Term, &'a Term);

    fn next(&mut self) -> Option<(&'a Term, &'a Term)> {
        self.0.as_mut()?.next().map(|(key, value)| (&key.0, value))
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Term, &'a Term);
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl FromIterator<(Term, Term)> for Map {
    /// Of pairs with the same key, the last one stays.
    fn from_iter<I: IntoIterator<Item = (Term, Term)>>(pairs: I) -> Map {
        let entries: Entries = pairs
            .into_iter()
            .map(|(key, value)| (Key(key), value))
            .collect();
        Map((!entries.is_empty()).then(|| Arc::new(entries)))
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        if let Some(entries) = self.0.take() {
            release(Body::Map(entries));
        }
    }
}

/// Lets a borrowed term be looked up without making a [`Key`] of it.
pub(super) trait AsKey {
    fn term(&self) -> &Term;
}

impl AsKey for Term {
    fn term(&self) -> &Term {
        self
    }
}

impl AsKey for Key {
    fn term(&self) -> &Term {
        &self.0
    }
}

impl<'a> Borrow<dyn AsKey + 'a> for Key {
    fn borrow(&self) -> &(dyn AsKey + 'a) {
        self
    }
}

impl PartialEq for dyn AsKey + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for dyn AsKey + '_ {}

impl PartialOrd for dyn AsKey + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn AsKey + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_exactly(self.term(), other.term())
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        compare_exactly(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(key: i64, value: &str) -> (Term, Term) {
        (Term::Int(key), Term::from(value))
    }

    #[test]
    fn a_changed_copy_leaves_the_other_alone() {
        let map: Map = [pair(2, "b"), pair(1, "a")].into_iter().collect();
        let mut copy = map.clone();
        assert_eq!(copy.insert(Term::Int(1), "z".into()), Some("a".into()));
        assert_eq!(copy.remove(&Term::Int(2)), Some("b".into()));
        assert_eq!(copy.remove(&Term::Int(2)), None);
        assert_eq!(
            (Term::Map(map).to_string(), Term::Map(copy).to_string()),
            (
                "#{1 => <<\"a\">>,2 => <<\"b\">>}".into(),
                "#{1 => <<\"z\">>}".into()
            )
        );
    }

    #[test]
    fn one_and_one_point_zero_are_two_keys() {
        let mut map: Map = [pair(1, "int")].into_iter().collect();
        assert_eq!(map.get(&Term::Float(1.0)), None);
        map.insert(Term::Float(1.0), "float".into());
        map.insert(Term::Int(7), "last integer".into());
        let keys: Vec<String> = map.keys().map(Term::to_string).collect();
        assert_eq!(keys, ["1", "7", "1.0"]);
        assert_eq!(map.values().count(), 3);
    }

    #[test]
    fn of_equal_keys_the_last_value_stays() {
        let map: Map = [pair(1, "first"), pair(1, "last")].into_iter().collect();
        assert_eq!(
            (map.len(), map.get(&Term::Int(1))),
            (1, Some(&Term::from("last")))
        );
    }

    #[test]
    fn emptied_and_never_filled_are_equal() {
        let mut map: Map = [pair(1, "a")].into_iter().collect();
        map.remove(&Term::Int(1));
        assert!(map.is_empty());
        assert_eq!(Term::Map(map), Term::Map(Map::new()));
    }
}

//! The environment variables of a host: one table for programs, drivers and scripts.
//!
//! It begins as a copy of the process's own environment, which is never changed: other threads may be
//! reading that one. Promises that names and values are kept byte by byte, and that the strings
//! for a program are made anew only after a change.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, HashMap};
use std::ffi::CString;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use crate::lock::Lock;
use crate::port::environment::Variable;

/// A whole environment, as `NAME=value`.
pub(crate) type Strings = Arc<[CString]>;

/// The table. Whoever puts something into it has seen to it that there is no NUL in it, and no
/// `=` in the name unless a driver wants that.
#[derive(Debug, Default)]
pub(crate) struct Variables(Lock<Table>);

#[derive(Debug, Default)]
struct Table {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What an unchanged program gets, once it has been asked for.
    strings: Option<Strings>,
}

impl Variables {
    /// What the process has now. Of a name that is there twice, the last one counts, as in Erlang.
    pub(crate) fn of_this_process() -> Variables {
        let own = std::env::vars_os().map(|(name, value)| (name.into_vec(), value.into_vec()));
        Variables::from_iter(own)
    }

    /// A variable's value.
    pub(crate) fn get(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.0.lock().values.get(name).cloned()
    }

    /// Sets a variable.
    pub(crate) fn put(&self, name: &[u8], value: &[u8]) {
        let mut table = self.0.lock();
        table.values.insert(name.to_vec(), value.to_vec());
        table.strings = None;
    }

    /// Removes a variable, if there is such a one.
    pub(crate) fn delete(&self, name: &[u8]) {
        let mut table = self.0.lock();
        table.values.remove(name);
        table.strings = None;
    }

    /// Every variable, by name.
    pub(crate) fn all(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.0.lock().values.clone()
    }

    /// What a program gets: the table with these changes made to it, the last one for a name
    /// counting.
    pub(crate) fn strings(&self, changes: &[Variable]) -> Strings {
        let mut table = self.0.lock();
        if !changes.is_empty() {
            return changed(&table.values, changes);
        }
        let Table { values, strings } = &mut *table;
        let strings = strings.get_or_insert_with(|| {
            let all = values.iter();
            all.map(|(name, value)| joined(name, value)).collect()
        });
        Arc::clone(strings)
    }
}

impl FromIterator<(Vec<u8>, Vec<u8>)> for Variables {
    fn from_iter<I: IntoIterator<Item = (Vec<u8>, Vec<u8>)>>(all: I) -> Variables {
        Variables(Lock::new(Table {
            values: all.into_iter().collect(),
            strings: None,
        }))
    }
}

fn changed(values: &BTreeMap<Vec<u8>, Vec<u8>>, changes: &[Variable]) -> Strings {
    let last: HashMap<&[u8], Option<&[u8]>> = changes
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_deref()))
        .collect();
    let kept = values
        .iter()
        .filter(|(name, _)| !last.contains_key(name.as_slice()))
        .map(|(name, value)| joined(name, value));
    let set = last
        .iter()
        .filter_map(|(name, value)| Some(joined(name, (*value)?)));
    kept.chain(set).collect()
}

/// Up to the first NUL, of which there is none.
fn joined(name: &[u8], value: &[u8]) -> CString {
    let mut bytes = Vec::with_capacity(name.len() + value.len() + 2);
    bytes.extend_from_slice(name);
    bytes.push(b'=');
    bytes.extend_from_slice(value);
    if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
        bytes.truncate(end);
    }
    CString::new(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(all: &[(&str, &str)]) -> Variables {
        let bytes = |text: &str| text.as_bytes().to_vec();
        all.iter()
            .map(|(name, value)| (bytes(name), bytes(value)))
            .collect()
    }

    fn shown(variables: &Variables, changes: &[(&str, Option<&str>)]) -> Vec<String> {
        let bytes = |text: &str| text.as_bytes().to_vec();
        let changes: Vec<Variable> = changes
            .iter()
            .map(|(name, value)| (bytes(name), value.map(bytes)))
            .collect();
        let strings = variables.strings(&changes);
        let mut strings: Vec<String> = strings
            .iter()
            .map(|string| string.to_string_lossy().into_owned())
            .collect();
        strings.sort();
        strings
    }

    #[test]
    fn the_environment_is_inherited_and_changed() {
        let base = table(&[("HOME", "/root"), ("LANG", "C"), ("Z", "")]);
        assert_eq!(shown(&base, &[]), ["HOME=/root", "LANG=C", "Z="]);
        let changes = [
            ("LANG", Some("de")),
            ("HOME", None),
            ("A", Some("1=2")),
            ("NEVER", None),
        ];
        assert_eq!(shown(&base, &changes), ["A=1=2", "LANG=de", "Z="]);
        assert_eq!(shown(&base, &[]), ["HOME=/root", "LANG=C", "Z="]);
    }

    #[test]
    fn the_last_entry_for_a_variable_wins() {
        let base = table(&[("A", "0")]);
        let set_last = [("A", Some("1")), ("A", None), ("A", Some("2"))];
        assert_eq!(shown(&base, &set_last), ["A=2"]);
        assert_eq!(shown(&base, &[("A", Some("1")), ("A", None)]), [""; 0]);
        let empty = [("", Some("x")), ("", Some("y")), ("B", Some(""))];
        assert_eq!(shown(&table(&[]), &empty), ["=y", "B="]);
    }

    #[test]
    fn names_are_whole() {
        // A driver can set such a name; an entry for A is about another one.
        let base = table(&[("A=B", "c"), ("A", "d")]);
        assert_eq!(shown(&base, &[("A", None)]), ["A=B=c"]);
    }

    #[test]
    fn the_strings_are_made_again_only_after_a_change() {
        let variables = table(&[("A", "1")]);
        let first = variables.strings(&[]);
        assert!(Arc::ptr_eq(&first, &variables.strings(&[])));
        variables.put(b"B", b"\xff");
        assert_eq!(*variables.strings(&[])[1], *c"B=\xff");
        variables.delete(b"A");
        assert_eq!(variables.strings(&[]).len(), 1);
        assert_eq!(*first[0], *c"A=1");
    }
}

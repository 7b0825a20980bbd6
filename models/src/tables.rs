//! The table of handles: a number finds what it was given for or nothing, and what is taken out
//! is taken out once.

use std::sync::Arc;

use loom::thread;

use crate::table::Table;

pub(crate) fn search() {
    crate::search("table: two take out the same thing", || {
        let table = Arc::new(Table::new());
        let mut number = 0;
        table.insert(|given| {
            number = given;
            Some(Arc::new(7))
        });
        let other = Arc::clone(&table);
        let taker = thread::spawn(move || other.remove(number).is_some());
        let here = table.remove(number).is_some();
        assert!(here != taker.join().unwrap());
        assert!(table.get(number).is_none());
    });
    crate::search("table: looked up while it goes and another comes", || {
        let table = Arc::new(Table::new());
        let mut number = 0;
        table.insert(|given| {
            number = given;
            Some(Arc::new(given))
        });
        let other = Arc::clone(&table);
        let changer = thread::spawn(move || {
            other.remove(number);
            other.insert(|given| Some(Arc::new(given)));
        });
        if let Some(found) = table.get(number) {
            assert_eq!(*found, number);
        }
        changer.join().unwrap();
        assert!(table.get(number).is_none());
        assert_eq!(table.all().len(), 1);
    });
    crate::search("table: two come in", || {
        let table = Arc::new(Table::new());
        let insert = |table: &Table<u64>| *table.insert(|given| Some(Arc::new(given))).unwrap();
        let other = Arc::clone(&table);
        let comer = thread::spawn(move || insert(&other));
        let here = insert(&table);
        let there = comer.join().unwrap();
        assert!(here != there);
        assert_eq!(table.get(here).as_deref(), Some(&here));
        assert_eq!(table.get(there).as_deref(), Some(&there));
    });
}

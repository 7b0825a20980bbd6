//! A lock that is one thread's own: nobody is ever inside beside somebody, also while it is taken away.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use crate::biased::Biased;

/// A number that loom sees being touched: two at a time fail the model.
#[derive(Default)]
struct Seen(UnsafeCell<u32>);

fn add(lock: &Biased<Seen>) {
    let guard = lock.lock();
    guard.0.with_mut(|number| unsafe { *number += 1 });
}

fn number(lock: &Biased<Seen>) -> u32 {
    lock.lock().0.with(|number| unsafe { *number })
}

/// Both take it twice; before that it may be the own of one of them.
fn two_threads(owned: bool) {
    let lock = Arc::new(Biased::new(Seen::default()));
    if owned {
        add(&lock);
    }
    let others = Arc::clone(&lock);
    let other = thread::spawn(move || {
        add(&others);
        add(&others);
    });
    add(&lock);
    add(&lock);
    other.join().unwrap();
    assert_eq!(number(&lock), 4 + u32::from(owned));
}

pub(crate) fn search() {
    crate::search("biased lock: taken from its owner", || two_threads(true));
    crate::search("biased lock: two want it to be their own", || {
        two_threads(false);
    });
    crate::search("biased lock: two take it from its owner", || {
        let lock = Arc::new(Biased::new(Seen::default()));
        add(&lock);
        let others: Vec<_> = (0..2)
            .map(|_| {
                let lock = Arc::clone(&lock);
                thread::spawn(move || add(&lock))
            })
            .collect();
        add(&lock);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(number(&lock), 4);
    });
}

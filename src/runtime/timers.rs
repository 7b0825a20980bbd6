//! What is to happen at a certain time.
//!
//! The kernel is told only of the earliest deadline, and only when that changes; whoever
//! waits for kernel events runs what is due ([`Timers::run_due`]). While somebody does, and the next
//! deadline is close, the kernel's alarm is no more than a watch on that thread, which looks at the
//! deadlines again by itself when it is done: so many that come one shortly after the other are kept by
//! one thread, which tells the kernel once for all that it has run. Deadlines stand in a heap; one that
//! is taken back leaves its place there until it is reached, or until such places are most of it.
#![forbid(unsafe_code)]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::lock::Lock;
use crate::os::errno::Errno;
use crate::os::poll::Poller;

/// What to do when the time has come; short, since every other deadline waits for it.
pub(crate) type Action = Box<dyn FnOnce() + Send>;

/// Somebody who sets deadlines again and again.
pub(crate) trait Due: Send + Sync {
    /// The deadline that was set with this number has passed.
    fn due(self: Arc<Self>, number: u64);
}

/// Names one deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimerId {
    at: Instant,
    serial: u64,
    slot: usize,
}

impl TimerId {
    /// How long it still takes.
    pub(crate) fn time_left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}

/// See the module's text.
pub(crate) struct Timers {
    poller: Arc<Poller>,
    book: Lock<Book>,
}

#[derive(Default)]
struct Book {
    /// Earliest first, and those of one moment in the order they were set.
    places: BinaryHeap<Reverse<Place>>,
    slots: Vec<Slot>,
    vacant: Vec<usize>,
    serial: u64,
    /// What the kernel was last told.
    alarm: Option<Instant>,
    /// Whether that is a watch on who runs what is due, and will look for what is due next.
    watching: bool,
}

/// A place in the heap; its deadline stands as long as the slot has the same serial.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    at: Instant,
    serial: u64,
    slot: usize,
}

struct Slot {
    serial: u64,
    what: Option<What>,
}

enum What {
    Do(Action),
    Tell(Arc<dyn Due>, u64),
}

/// How many actions one run takes out of the book at once, and how many it runs in all: whoever
/// runs them has other things to do.
const BATCH_MAX: usize = 32;
const BATCHES_MAX: usize = 8;

/// Deadlines that come sooner than this after others have run are kept together, this much later than
/// those: to sleep and wake up for each takes longer than to run it.
const SLACK: Duration = Duration::from_micros(30);

/// How long who runs what is due may take, until another thread looks after the deadlines that are close.
const WATCH: Duration = Duration::from_micros(500);

/// Fewer places than this are never tidied up.
const PLACES_MIN: usize = 64;

impl Timers {
    /// No deadlines yet; `poller` will be woken for them.
    pub(crate) fn new(poller: Arc<Poller>) -> Timers {
        Timers {
            poller,
            book: Lock::new(Book::default()),
        }
    }

    /// Has `action` run at `at`, never earlier.
    pub(crate) fn set(&self, at: Instant, action: Action) -> TimerId {
        self.enter(at, What::Do(action))
    }

    /// Has `who` told at `at`, never earlier.
    pub(crate) fn set_for(&self, at: Instant, who: Arc<dyn Due>, number: u64) -> TimerId {
        self.enter(at, What::Tell(who, number))
    }

    fn enter(&self, at: Instant, what: What) -> TimerId {
        let mut book = self.book.lock();
        let id = book.enter(at, what);
        if !book.watching && book.alarm.is_none_or(|alarm| at < alarm) {
            let told = self.tell_kernel(&mut book, Some(at));
            drop(book);
            complain_of(told);
        }
        id
    }

    /// Takes a deadline back. False when it has passed already.
    pub(crate) fn cancel(&self, id: TimerId) -> bool {
        // The action is dropped without the lock.
        let action = self.book.lock().take(id.slot, id.serial);
        action.is_some()
    }

    /// Runs what is due. The kernel is told of the next deadline before that, or given a watch on this
    /// thread, so that it is kept by another thread if an action takes long, and also if one panics.
    pub(crate) fn run_due(&self) {
        let mut due = Vec::new();
        for _ in 0..BATCHES_MAX {
            let mut book = self.book.lock();
            if book.alarm.is_none() {
                return;
            }
            let now = Instant::now();
            let next = book.take_due(now, &mut due);
            let told = if due.is_empty() {
                let first = next.map(|next| next.max(now + SLACK));
                self.wake_for(&mut book, first)
            } else {
                self.watch_for(&mut book, next, now)
            };
            drop(book);
            complain_of(told);
            if due.is_empty() {
                return;
            }
            for what in due.drain(..) {
                if catch_unwind(AssertUnwindSafe(|| what.run())).is_err() {
                    tracing::error!("the action of a deadline panicked; the others go on");
                }
            }
        }
        let mut book = self.book.lock();
        let next = book.next();
        let told = self.wake_for(&mut book, next);
        drop(book);
        complain_of(told);
    }

    /// Nobody looks for what is due at `next` by himself.
    fn wake_for(&self, book: &mut Book, next: Option<Instant>) -> Result<(), Errno> {
        book.watching = false;
        self.tell_kernel(book, next)
    }

    /// This thread looks for what is due at `next`, if that is soon.
    fn watch_for(&self, book: &mut Book, next: Option<Instant>, now: Instant) -> Result<(), Errno> {
        let watch_ends = now + WATCH;
        if next.is_none_or(|next| next >= watch_ends) {
            return self.wake_for(book, next);
        }
        let is_watched = book.watching && book.alarm.is_some_and(|alarm| alarm > now + WATCH / 2);
        book.watching = true;
        match is_watched {
            true => Ok(()),
            false => self.tell_kernel(book, Some(watch_ends)),
        }
    }

    /// An alarm that nobody needs any more is left to go off.
    fn tell_kernel(&self, book: &mut Book, alarm: Option<Instant>) -> Result<(), Errno> {
        if book.alarm == alarm {
            return Ok(());
        }
        book.alarm = alarm;
        match alarm {
            Some(at) => self.poller.set_alarm(Some(at)),
            None => Ok(()),
        }
    }
}

/// To be called without a lock, since the log may be anybody's code.
fn complain_of(told: Result<(), Errno>) {
    if let Err(error) = told {
        tracing::error!(%error, "the kernel takes no alarm; deadlines will be late");
    }
}

impl What {
    fn run(self) {
        match self {
            What::Do(action) => action(),
            What::Tell(who, number) => who.due(number),
        }
    }
}

impl Book {
    fn enter(&mut self, at: Instant, what: What) -> TimerId {
        self.tidy_up();
        self.serial += 1;
        let serial = self.serial;
        let entry = Slot {
            serial,
            what: Some(what),
        };
        let slot = match self.vacant.pop() {
            Some(slot) => {
                self.slots[slot] = entry;
                slot
            }
            None => {
                self.slots.push(entry);
                self.slots.len() - 1
            }
        };
        self.places.push(Reverse(Place { at, serial, slot }));
        TimerId { at, serial, slot }
    }

    /// Takes an action out, if it is still there.
    fn take(&mut self, slot: usize, serial: u64) -> Option<What> {
        let found = self.slots.get_mut(slot)?;
        if found.serial != serial {
            return None;
        }
        let what = found.what.take()?;
        self.vacant.push(slot);
        Some(what)
    }

    /// Moves what is due to `due`; gives the next deadline, which may have passed as well.
    fn take_due(&mut self, now: Instant, due: &mut Vec<What>) -> Option<Instant> {
        loop {
            let at = self.next()?;
            if at > now || due.len() == BATCH_MAX {
                return Some(at);
            }
            if let Some(Reverse(Place { serial, slot, .. })) = self.places.pop() {
                due.extend(self.take(slot, serial));
            }
        }
    }

    /// The next deadline that stands; the places in front of it are cleared away.
    fn next(&mut self) -> Option<Instant> {
        loop {
            let &Reverse(Place { at, serial, slot }) = self.places.peek()?;
            if self.slots[slot].serial == serial && self.slots[slot].what.is_some() {
                return Some(at);
            }
            self.places.pop();
        }
    }

    /// Forgets the places of what was taken back, once they are most.
    fn tidy_up(&mut self) {
        let standing = self.slots.len() - self.vacant.len();
        if self.places.len() < PLACES_MIN || self.places.len() / 2 < standing {
            return;
        }
        let slots = &self.slots;
        self.places.retain(|Reverse(place)| {
            slots[place.slot].serial == place.serial && slots[place.slot].what.is_some()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is due at a moment, by the numbers that were set.
    fn due(book: &mut Book, now: Instant) -> Vec<u64> {
        let mut due = Vec::new();
        book.take_due(now, &mut due);
        let number = |what: What| match what {
            What::Tell(_, number) => number,
            What::Do(_) => panic!("not set in these tests"),
        };
        due.into_iter().map(number).collect()
    }

    struct Nobody;

    impl Due for Nobody {
        fn due(self: Arc<Self>, _: u64) {}
    }

    fn set(book: &mut Book, at: Instant, number: u64) -> TimerId {
        book.enter(at, What::Tell(Arc::new(Nobody), number))
    }

    #[test]
    fn deadlines_come_in_order_and_those_taken_back_do_not() {
        let mut book = Book::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let ids: Vec<TimerId> = [30, 10, 20, 10, 40]
            .into_iter()
            .zip(0..)
            .map(|(ms, number)| set(&mut book, at(ms), number))
            .collect();
        assert!(book.take(ids[2].slot, ids[2].serial).is_some());
        assert!(book.take(ids[2].slot, ids[2].serial).is_none());
        // A slot that has a new tenant is not the old one's.
        set(&mut book, at(20), 5);
        assert!(book.take(ids[2].slot, ids[2].serial).is_none());
        assert!(due(&mut book, at(9)).is_empty());
        assert_eq!(due(&mut book, at(29)), [1, 3, 5]);
        assert_eq!(book.take_due(at(29), &mut Vec::new()), Some(at(30)));
        assert_eq!(due(&mut book, at(100)), [0, 4]);
        assert_eq!(book.take_due(at(100), &mut Vec::new()), None);
        assert!(book.take(ids[0].slot, ids[0].serial).is_none());
    }

    #[test]
    fn a_deadline_that_is_set_and_taken_back_for_ever_takes_no_room() {
        let mut book = Book::default();
        let start = Instant::now();
        set(&mut book, start, 0);
        for _ in 0..10_000 {
            let id = set(&mut book, start + Duration::from_secs(60), 1);
            assert!(book.take(id.slot, id.serial).is_some());
        }
        assert!(book.places.len() <= 2 * PLACES_MIN && book.slots.len() == 2);
        assert_eq!(due(&mut book, start), [0]);
    }

    #[test]
    fn many_that_are_due_come_in_batches() {
        let mut book = Book::default();
        let start = Instant::now();
        for number in 0..100 {
            set(&mut book, start, number);
        }
        let mut seen = Vec::new();
        while seen.len() < 100 {
            let batch = due(&mut book, start);
            assert!((1..=BATCH_MAX).contains(&batch.len()));
            seen.extend(batch);
        }
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
    }
}

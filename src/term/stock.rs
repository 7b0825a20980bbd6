//! Small tuples that nobody holds any longer, kept for those who make many.
//!
//! A driver's thread makes a tuple, and the receiver, on another processor, lets go of it. The
//! allocator would hand the memory back at once, by lists that lead through the memory itself, and each
//! step along them waits for the other processor. So where somebody makes such tuples, those that are
//! let go of are emptied and handed over in batches, and a processor is told to fetch the one after the
//! next while the next is filled. At most some hundred are kept.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Term;
use crate::lock::Brief;

/// The numbers of elements of those that are kept.
const SMALLEST: usize = 2;
const LARGEST: usize = 4;
const SIZES: usize = LARGEST - SMALLEST + 1;

/// As many are handed over at once.
const BATCH: usize = 64;
/// As many batches wait, of each size; and with fewer, more are wanted.
const BATCHES_MAX: usize = 4;
const BATCHES_MIN: usize = 2;

/// Each has no other holder, and only empty elements.
type Batch = Vec<Arc<[Term]>>;

/// Those of one size that wait for whoever wants them.
struct Shelf {
    /// On a cache line that is seldom written.
    is_wanted: AtomicBool,
    batches: Brief<Vec<Batch>>,
}

static SHELVES: [Shelf; SIZES] = [const {
    Shelf {
        is_wanted: AtomicBool::new(false),
        batches: Brief::new(Vec::new()),
    }
}; SIZES];

thread_local! {
    static MINE: RefCell<[Batch; SIZES]> = const { RefCell::new([const { Vec::new() }; SIZES]) };
}

/// Which shelf is for so many elements.
#[inline]
fn size(number: usize) -> Option<usize> {
    number.checked_sub(SMALLEST).filter(|size| *size < SIZES)
}

/// A tuple of so many empty elements, if one is there.
#[inline]
pub(super) fn take(number: usize) -> Option<Arc<[Term]>> {
    let size = size(number)?;
    let taken = MINE.try_with(|mine| {
        let mine = &mut mine.try_borrow_mut().ok()?[size];
        if mine.is_empty() {
            *mine = SHELVES[size].take()?;
        }
        let taken = mine.pop();
        if let Some(next) = mine.last() {
            fetch(next);
        }
        taken
    });
    taken.ok()?
}

/// Whether [`put`] would keep a tuple of so many elements.
#[inline]
pub(super) fn wants(number: usize) -> bool {
    size(number).is_some_and(|size| SHELVES[size].is_wanted.load(Ordering::Relaxed))
}

/// Keeps a tuple that has no other holder, and only empty elements.
#[inline]
pub(super) fn put(emptied: Arc<[Term]>) {
    let Some(size) = size(emptied.len()) else {
        return;
    };
    let full = MINE.try_with(|mine| {
        let mine = &mut mine.try_borrow_mut().ok()?[size];
        mine.push(emptied);
        (mine.len() == 2 * BATCH).then(|| mine.split_off(BATCH))
    });
    if let Ok(Some(batch)) = full {
        SHELVES[size].put(batch);
    }
}

impl Shelf {
    #[cold]
    fn take(&self) -> Option<Batch> {
        let mut batches = self.batches.lock();
        let taken = batches.pop();
        if batches.len() < BATCHES_MIN {
            self.is_wanted.store(true, Ordering::Relaxed);
        }
        taken
    }

    #[cold]
    fn put(&self, batch: Batch) {
        let mut batches = self.batches.lock();
        if batches.len() < BATCHES_MAX {
            batches.push(batch);
        } else {
            self.is_wanted.store(false, Ordering::Relaxed);
            drop(batches);
            drop(batch);
        }
    }
}

/// Tells the processor that this will soon be written to.
#[inline(always)]
fn fetch(next: &Arc<[Term]>) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        let (start, end) = (next.as_ptr_range().start, next.as_ptr_range().end);
        // SAFETY: a hint, which reads nothing; and the addresses are of one allocation.
        unsafe {
            _mm_prefetch::<_MM_HINT_ET0>(start.cast());
            _mm_prefetch::<_MM_HINT_ET0>(end.cast::<i8>().wrapping_sub(1));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = next;
}

#[cfg(test)]
mod tests {
    use super::super::Tuple;
    use super::*;

    const MANY: usize = 20 * BATCH;

    fn numbers(at: i64) -> Tuple {
        Tuple::of(LARGEST, |element| {
            Term::Int(at + i64::try_from(element).unwrap())
        })
    }

    fn is_well(tuple: &Tuple, at: i64) -> bool {
        let shown = tuple.elements().iter().map(Term::as_int);
        shown.eq((at..).take(LARGEST).map(Some))
    }

    #[test]
    fn what_one_thread_lets_go_of_another_makes_anew() {
        let (send, receive) = std::sync::mpsc::channel();
        let maker = std::thread::spawn(move || {
            for at in (0..).take(MANY) {
                send.send(numbers(at)).unwrap();
            }
        });
        let mut copies = Vec::new();
        for (at, tuple) in (0..).zip(receive) {
            assert!(is_well(&tuple, at));
            if at % 7 == 0 {
                copies.push((at, tuple.clone()));
            }
        }
        maker.join().unwrap();
        assert!(copies.iter().all(|(at, copy)| is_well(copy, *at)));
    }

    #[test]
    fn no_more_than_some_are_kept() {
        SHELVES[LARGEST - SMALLEST].take();
        let many: Vec<_> = (0..).take(MANY).map(numbers).collect();
        drop(many);
        let waiting = SHELVES[LARGEST - SMALLEST].batches.lock().len();
        assert!(waiting <= BATCHES_MAX);
        let mine = MINE.with_borrow(|mine| mine[LARGEST - SMALLEST].len());
        assert!(mine < 2 * BATCH);
    }

    #[test]
    fn what_is_kept_holds_nothing() {
        let held = Arc::new(crate::term::Binary::from(vec![1; 100]));
        let bytes = || Term::Binary((*held).clone());
        SHELVES[0].take();
        drop(Tuple::of(SMALLEST, |_| bytes()));
        assert_eq!(
            held.as_counted().map(|(counted, _)| counted.refc()),
            Some(1)
        );
    }
}

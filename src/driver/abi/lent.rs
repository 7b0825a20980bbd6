//! What `driver_peekq` lends out: the queue as the arrays that C expects.
//!
//! A driver with a long queue looks at it, writes a little and takes that away, again and again.
//! So the arrays are kept and brought up to date: what is gone is skipped, what is new is added.

use std::ffi::c_int;
use std::ptr;

use crate::driver::raw::{ErlDrvBinary, ErlIOVec, SysIOVec};
use crate::port::queue::{History, Queue};
use crate::term::Binary;

/// The arrays last lent. They are good until the queue changes, and stay allocated until the
/// next look at it.
#[derive(Default)]
pub(in crate::driver) struct LentQueue {
    iov: Vec<SysIOVec>,
    binv: Vec<*mut ErlDrvBinary>,
    /// How many entries at the front belong to segments that are gone.
    gone: usize,
    /// Up to which moment the arrays are right.
    history: History,
    /// An entry leads into the queue itself, whose segments move when it grows.
    inline: bool,
}

// SAFETY: the pointers are only handed to C, never followed here; what they point to belongs to
// the queue beside this, which moves between threads with it.
unsafe impl Send for LentQueue {}

impl LentQueue {
    /// The queue's segments as a vector for C; with NULLs when it is empty.
    pub(super) fn lend(&mut self, queue: &Queue) -> ErlIOVec {
        self.follow(queue);
        let len = self.iov.len() - self.gone;
        let (mut iov, mut binv) = (ptr::null_mut(), ptr::null_mut());
        if len > 0 {
            iov = self.iov[self.gone..].as_mut_ptr();
            binv = self.binv[self.gone..].as_mut_ptr();
        }
        ErlIOVec {
            vsize: c_int::try_from(len).unwrap_or(c_int::MAX),
            size: queue.bytes(),
            iov,
            binv,
        }
    }

    /// Brings the arrays up to date.
    fn follow(&mut self, queue: &Queue) {
        let history = queue.history();
        let gone = usize::try_from(history.gone - self.history.gone).unwrap_or(usize::MAX);
        let known = (self.iov.len() - self.gone).checked_sub(gone);
        let same_front = history.in_front == self.history.in_front && !self.inline;
        self.history = history;
        let Some(known) = known.filter(|known| same_front && *known > 0) else {
            self.forget();
            self.add(queue, 0);
            return;
        };
        self.gone += gone;
        // Each entry is moved at most once for each that has gone before it.
        if self.gone > known {
            self.iov.drain(..self.gone);
            self.binv.drain(..self.gone);
            self.gone = 0;
        }
        // Part of the first may have been taken.
        if let Some(first) = queue.segments().next() {
            (self.iov[self.gone], self.binv[self.gone]) = entry(first);
        }
        self.add(queue, known);
    }

    fn forget(&mut self) {
        self.iov.clear();
        self.binv.clear();
        self.gone = 0;
        self.inline = false;
    }

    /// Adds what stands behind the first `known` segments.
    fn add(&mut self, queue: &Queue, known: usize) {
        for segment in queue.segments_behind(known) {
            let (iov, binary) = entry(segment);
            self.inline |= binary.is_null();
            self.iov.push(iov);
            self.binv.push(binary);
        }
    }
}

fn entry(segment: &Binary) -> (SysIOVec, *mut ErlDrvBinary) {
    let iov = SysIOVec {
        iov_base: segment.as_bytes().as_ptr().cast_mut().cast(),
        iov_len: segment.len(),
    };
    let binary = segment.as_counted();
    let binary = binary.map_or(ptr::null_mut(), |(counted, _)| counted.as_raw().as_ptr());
    (iov, binary.cast())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::queue::End;
    use crate::term::Counted;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Add(End, Vec<usize>),
        /// So many thousandths of what is there.
        Take(usize),
        Clear,
        Look,
    }

    fn step() -> impl Strategy<Value = Step> {
        // Short ones may lie inside the queue itself.
        let sizes = || vec(prop_oneof![1_usize..8, 60_usize..200], 1..4);
        prop_oneof![
            4 => sizes().prop_map(|sizes| Step::Add(End::Back, sizes)),
            1 => sizes().prop_map(|sizes| Step::Add(End::Front, sizes)),
            3 => (0_usize..=1000).prop_map(Step::Take),
            1 => Just(Step::Clear),
            6 => Just(Step::Look),
        ]
    }

    fn segment((at, size): (usize, &usize)) -> Binary {
        let bytes = vec![u8::try_from(at + size % 50).unwrap(); *size];
        if size.is_multiple_of(2) {
            Binary::from(bytes)
        } else {
            Binary::from(Counted::copy_of(&bytes).unwrap())
        }
    }

    proptest! {
        #[test]
        fn what_is_lent_is_what_is_queued(steps in vec(step(), 0..60)) {
            let (mut queue, mut lent) = (Queue::default(), LentQueue::default());
            for step in steps {
                match step {
                    Step::Add(end, sizes) => {
                        let segments = sizes.iter().enumerate().map(segment).collect();
                        prop_assert!(queue.add(end, segments));
                    }
                    Step::Take(share) => {
                        queue.take(queue.bytes() * share / 1000);
                    }
                    Step::Clear => queue.clear(),
                    Step::Look => {
                        let ev = lent.lend(&queue);
                        prop_assert_eq!(ev.size, queue.bytes());
                        prop_assert_eq!(ev.iov.is_null(), queue.is_empty());
                        let front = lent.gone;
                        let entries = lent.iov[front..].iter().zip(&lent.binv[front..]);
                        prop_assert_eq!(entries.len(), queue.segments().len());
                        for ((iov, binary), segment) in entries.zip(queue.segments()) {
                            let (wanted, counted) = entry(segment);
                            prop_assert_eq!(iov.iov_base, wanted.iov_base);
                            prop_assert_eq!(iov.iov_len, wanted.iov_len);
                            prop_assert_eq!(*binary, counted);
                        }
                    }
                }
            }
        }
    }
}

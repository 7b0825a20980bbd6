//! Bytes that wait to go out of a port: binaries, and windows on binaries, first in first out.
//! Both kinds of back end keep what was taken and not yet passed on in one.
//!
//! Promises that nothing is copied, and that the bytes of a segment stay where they are until
//! the queue is changed again.
#![forbid(unsafe_code)]

use std::collections::VecDeque;

use crate::term::Binary;

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    segments: VecDeque<Binary>,
    bytes: usize,
    history: History,
}

/// How many segments ever came and went, so that who keeps a picture of the queue can bring it up
/// to date instead of drawing it anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// Taken off the front, whole.
    pub(crate) gone: u64,
    /// Put in front.
    pub(crate) in_front: u64,
}

/// Where new bytes go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Back,
    Front,
}

impl Queue {
    /// How many bytes wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether none do.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The segments, first in first out.
    pub(crate) fn segments(&self) -> impl ExactSizeIterator<Item = &Binary> {
        self.segments.iter()
    }

    /// The segments but for so many at the front.
    pub(crate) fn segments_behind(&self, front: usize) -> impl Iterator<Item = &Binary> {
        self.segments.range(front.min(self.segments.len())..)
    }

    /// What happened at the front so far.
    pub(crate) fn history(&self) -> History {
        self.history
    }

    /// Adds segments, in this order. False, with nothing done, when that would be more bytes
    /// than can be counted.
    pub(crate) fn add(&mut self, end: End, segments: Vec<Binary>) -> bool {
        let added: Option<usize> = segments
            .iter()
            .try_fold(self.bytes, |sum, segment| sum.checked_add(segment.len()));
        let Some(bytes) = added else {
            return false;
        };
        self.bytes = bytes;
        match end {
            End::Back => self.segments.extend(segments),
            End::Front => {
                for segment in segments.into_iter().rev() {
                    self.history.in_front += 1;
                    self.segments.push_front(segment);
                }
            }
        }
        true
    }

    /// Adds one segment at the end, unless it is empty.
    pub(crate) fn push(&mut self, segment: Binary) {
        if !segment.is_empty() {
            self.bytes = self.bytes.saturating_add(segment.len());
            self.segments.push_back(segment);
        }
    }

    /// Forgets all that waits.
    pub(crate) fn clear(&mut self) {
        let segments = std::mem::take(&mut self.segments);
        self.bytes = 0;
        self.history.gone += segments.len() as u64;
    }

    /// Takes bytes off the front and gives how many are left; `None`, with nothing done, when
    /// there are not so many.
    pub(crate) fn take(&mut self, bytes: usize) -> Option<usize> {
        let left = self.bytes.checked_sub(bytes)?;
        let mut to_take = bytes;
        while to_take > 0 {
            let Some(first) = self.segments.front_mut() else {
                break;
            };
            if first.len() > to_take {
                *first = first.slice(to_take..first.len());
                break;
            }
            to_take -= first.len();
            self.history.gone += 1;
            self.segments.pop_front();
        }
        self.bytes = left;
        Some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::Counted;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn segment(bytes: &[u8]) -> Vec<Binary> {
        vec![Binary::from(Counted::copy_of(bytes).unwrap())]
    }

    fn contents(queue: &Queue) -> Vec<u8> {
        queue
            .segments()
            .flat_map(|segment| segment.to_vec())
            .collect()
    }

    #[test]
    fn what_is_pushed_stands_in_front() {
        let mut queue = Queue::default();
        assert!(queue.add(End::Back, segment(b"abc")));
        assert!(queue.add(End::Front, segment(b"01")));
        assert_eq!(
            (contents(&queue), queue.bytes(), queue.segments().len()),
            (b"01abc".to_vec(), 5, 2)
        );
        assert_eq!(queue.take(3), Some(2));
        assert_eq!(contents(&queue), b"bc");
        assert!(queue.add(End::Front, [segment(b"x"), segment(b"y")].concat()));
        assert_eq!(contents(&queue), b"xybc");
    }

    #[test]
    fn nobody_takes_more_than_there_is() {
        let mut queue = Queue::default();
        queue.add(End::Back, segment(b"abc"));
        assert_eq!(queue.take(4), None);
        assert_eq!(queue.bytes(), 3);
        assert_eq!(queue.take(3), Some(0));
        assert_eq!(queue.segments().len(), 0);
        assert_eq!(queue.take(0), Some(0));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(Vec<u8>),
        Add(End, Vec<Vec<u8>>),
        Take(usize),
        Clear,
    }

    fn step() -> impl Strategy<Value = Step> {
        let bytes = || vec(any::<u8>(), 0..80);
        let end = prop_oneof![Just(End::Back), Just(End::Front)];
        prop_oneof![
            3 => bytes().prop_map(Step::Push),
            3 => (end, vec(bytes(), 0..4)).prop_map(|(end, parts)| Step::Add(end, parts)),
            4 => (0..150_usize).prop_map(Step::Take),
            1 => Just(Step::Take(usize::MAX)),
            1 => Just(Step::Clear),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_queue_is_its_bytes(steps in vec(step(), 0..40)) {
            let mut queue = Queue::default();
            let mut model: Vec<u8> = Vec::new();
            for step in steps {
                match step {
                    Step::Push(bytes) => {
                        model.extend(&bytes);
                        queue.push(Binary::from(bytes));
                    }
                    Step::Add(end, parts) => {
                        let at = if end == End::Back { model.len() } else { 0 };
                        model.splice(at..at, parts.concat());
                        prop_assert!(queue.add(end, parts.into_iter().map(Binary::from).collect()));
                    }
                    Step::Take(bytes) if bytes > model.len() => {
                        prop_assert_eq!(queue.take(bytes), None);
                    }
                    Step::Take(bytes) => {
                        model.drain(..bytes);
                        prop_assert_eq!(queue.take(bytes), Some(model.len()));
                    }
                    Step::Clear => {
                        model.clear();
                        queue.clear();
                    }
                }
                prop_assert_eq!(contents(&queue), &model[..]);
                prop_assert_eq!(queue.bytes(), model.len());
                prop_assert_eq!(queue.is_empty(), model.is_empty());
            }
        }
    }

    #[test]
    fn partly_taken_segments_share_their_binary() {
        let mut queue = Queue::default();
        let counted = Counted::copy_of(&[7; 100]).unwrap();
        queue.add(End::Back, vec![Binary::from(counted.clone())]);
        queue.take(40);
        assert_eq!(counted.refc(), 2);
        let offset = queue
            .segments()
            .next()
            .and_then(|s| s.as_counted())
            .map(|(_, at)| at);
        assert_eq!(offset, Some(40));
        queue.take(60);
        assert_eq!(counted.refc(), 1);
    }
}

//! Bytes that wait to go out, first in, first out.
//!
//! A queue of segments: shared ones, which are binaries that somebody else may hold, too, and
//! own ones, into which bytes are copied. A stream takes them as slices for `writev`; a driver
//! sees them as its port queue. Relies on [`Binary`] for sharing.
//!
//! What it promises: bytes leave in the order of their places, a segment is never empty,
//! small copies join the one before them, memory is given back as the bytes leave, and no
//! operation but the copying itself depends on how many bytes there are.

#![forbid(unsafe_code)]

use crate::term::Binary;
use crate::term::iodata::IoData;
use std::collections::VecDeque;
use std::io::IoSlice;
use thiserror::Error;

/// Copied bytes are kept in pieces of at most this size, so that a large amount of them is
/// given back bit by bit and not at its end.
const OWN_BYTES_MAX: usize = 64 * 1024;

/// Binaries of up to this size are rather copied than shared when nobody asks to see them
/// again: an entry for `writev` costs about as much.
const GATHERED_BYTES_MAX: usize = 256;

/// How many places an empty queue may keep for segments to come.
const KEPT_PLACES: usize = 64;

/// An attempt to take more bytes out than there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{asked} bytes cannot leave a queue of {queued}")]
pub(crate) struct Overrun {
    /// How many were to leave.
    pub(crate) asked: usize,
    /// How many there are.
    pub(crate) queued: usize,
}

#[derive(Debug)]
enum Segment {
    Shared(Binary),
    Own {
        bytes: Vec<u8>,
        /// How many of them have left already.
        gone: usize,
    },
}

impl Segment {
    fn bytes(&self) -> &[u8] {
        match self {
            Segment::Shared(binary) => binary,
            Segment::Own { bytes, gone } => &bytes[*gone..],
        }
    }

    fn advance(&mut self, count: usize) {
        match self {
            Segment::Shared(binary) => *binary = binary.slice(count..binary.len()),
            Segment::Own { gone, .. } => *gone += count,
        }
    }
}

/// Bytes that wait to go out.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    segments: VecDeque<Segment>,
    bytes: usize,
}

impl Queue {
    /// A queue with nothing in it.
    pub(crate) fn new() -> Queue {
        Queue::default()
    }

    /// How many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// Whether no bytes wait.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Shares a binary as the last segment.
    pub(crate) fn push_back(&mut self, binary: Binary) {
        if !binary.is_empty() {
            self.bytes += binary.len();
            self.segments.push_back(Segment::Shared(binary));
        }
    }

    /// Shares a binary as the first segment.
    pub(crate) fn push_front(&mut self, binary: Binary) {
        if !binary.is_empty() {
            self.bytes += binary.len();
            self.segments.push_front(Segment::Shared(binary));
        }
    }

    /// Copies bytes to the end.
    pub(crate) fn push_back_bytes(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        let mut rest = bytes;
        if let Some(Segment::Own { bytes: last, .. }) = self.segments.back_mut() {
            let room = OWN_BYTES_MAX - last.len();
            let (joins, after) = rest.split_at(room.min(rest.len()));
            last.extend_from_slice(joins);
            rest = after;
        }
        for piece in rest.chunks(OWN_BYTES_MAX) {
            self.segments.push_back(own(piece));
        }
    }

    /// Copies bytes to the front.
    pub(crate) fn push_front_bytes(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        for piece in bytes.rchunks(OWN_BYTES_MAX) {
            self.segments.push_front(own(piece));
        }
    }

    /// Adds what is left of `data` behind its first `skip` bytes, which have gone out
    /// already. Large binaries are shared, all else is copied.
    pub(crate) fn push_back_data(&mut self, data: IoData<'_>, skip: usize) {
        match data {
            IoData::Bytes(bytes) => {
                self.push_back_bytes(bytes.get(skip..).unwrap_or_default());
            }
            IoData::Binary(binary) => self.gather(&binary, skip),
            IoData::Vector(vector) => {
                let mut skip = skip;
                for segment in vector.segments() {
                    self.gather(segment, skip);
                    skip = skip.saturating_sub(segment.len());
                }
            }
        }
    }

    fn gather(&mut self, binary: &Binary, skip: usize) {
        let skip = skip.min(binary.len());
        if binary.len() - skip <= GATHERED_BYTES_MAX {
            self.push_back_bytes(&binary[skip..]);
        } else {
            self.push_back(binary.slice(skip..binary.len()));
        }
    }

    /// Takes `count` bytes out at the front and tells how many are left. With fewer bytes
    /// than that, nothing is taken out.
    pub(crate) fn advance(&mut self, count: usize) -> Result<usize, Overrun> {
        if count > self.bytes {
            return Err(Overrun {
                asked: count,
                queued: self.bytes,
            });
        }
        self.bytes -= count;
        let mut count = count;
        while count > 0 {
            let Some(first) = self.segments.front_mut() else {
                break;
            };
            let len = first.bytes().len();
            if count < len {
                first.advance(count);
                break;
            }
            count -= len;
            self.segments.pop_front();
        }
        if self.segments.is_empty() {
            self.forget_places();
        }
        Ok(self.bytes)
    }

    /// Drops all bytes.
    pub(crate) fn clear(&mut self) {
        self.segments.clear();
        self.bytes = 0;
        self.forget_places();
    }

    /// How many segments there are.
    pub(crate) fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// The segments, in order: their bytes, and the binary that a shared one is a part of.
    pub(crate) fn segments(&self) -> impl Iterator<Item = (&[u8], Option<&Binary>)> {
        self.segments.iter().map(|segment| match segment {
            Segment::Shared(binary) => (segment.bytes(), Some(binary)),
            Segment::Own { .. } => (segment.bytes(), None),
        })
    }

    /// Puts the first segments into `slices`, as many as fit, and tells how many those are.
    pub(crate) fn io_slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        for (slice, segment) in slices.iter_mut().zip(&self.segments) {
            *slice = IoSlice::new(segment.bytes());
            count += 1;
        }
        count
    }

    fn forget_places(&mut self) {
        if self.segments.capacity() > KEPT_PLACES {
            self.segments = VecDeque::new();
        }
    }
}

fn own(bytes: &[u8]) -> Segment {
    Segment::Own {
        bytes: bytes.to_vec(),
        gone: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::Term;
    use crate::term::iodata::IoVector;
    use proptest::prelude::*;

    fn binary(text: &str) -> Binary {
        Binary::from(text)
    }

    fn content(queue: &Queue) -> Vec<u8> {
        queue
            .segments()
            .flat_map(|(bytes, _)| bytes.to_vec())
            .collect()
    }

    fn segments(queue: &Queue) -> Vec<&[u8]> {
        queue.segments().map(|(bytes, _)| bytes).collect()
    }

    #[test]
    fn bytes_leave_in_order() {
        let mut queue = Queue::new();
        queue.push_back(binary("abc"));
        queue.push_front(binary("01"));
        assert_eq!(segments(&queue), [b"01".as_slice(), b"abc"]);
        assert_eq!(queue.advance(3), Ok(2));
        assert_eq!(content(&queue), b"bc");
        assert_eq!(queue.advance(2), Ok(0));
        assert!(queue.is_empty());
        assert_eq!(queue.advance(0), Ok(0));
    }

    #[test]
    fn more_than_there_is_cannot_leave() {
        let mut queue = Queue::new();
        queue.push_back_bytes(b"abc");
        let refused = queue.advance(4).unwrap_err();
        assert_eq!(
            refused,
            Overrun {
                asked: 4,
                queued: 3
            }
        );
        assert_eq!(refused.to_string(), "4 bytes cannot leave a queue of 3");
        assert_eq!(content(&queue), b"abc");
        assert!(queue.advance(usize::MAX).is_err());
    }

    #[test]
    fn nothing_adds_no_segment() {
        let mut queue = Queue::new();
        queue.push_back(binary(""));
        queue.push_front(binary(""));
        queue.push_back_bytes(b"");
        queue.push_front_bytes(b"");
        queue.push_back_data(IoData::Bytes(b"abc"), 3);
        queue.push_back_data(IoData::Bytes(b"abc"), 9);
        assert_eq!((queue.len(), queue.segment_count()), (0, 0));
    }

    #[test]
    fn small_copies_join() {
        let mut queue = Queue::new();
        for _ in 0..1000 {
            queue.push_back_bytes(b"0123456789");
        }
        assert_eq!((queue.len(), queue.segment_count()), (10_000, 1));
        queue.advance(9_999).unwrap();
        queue.push_back_bytes(b"ab");
        assert_eq!(content(&queue), b"9ab");
        assert_eq!(queue.segment_count(), 1);
    }

    #[test]
    fn shared_binaries_stay_themselves() {
        let large = Binary::from(vec![7; 1000]);
        let mut queue = Queue::new();
        queue.push_back(large.clone());
        queue.push_back(large.clone());
        queue.push_back_bytes(b"x");
        let shared: Vec<bool> = queue
            .segments()
            .map(|(_, binary)| binary.is_some())
            .collect();
        assert_eq!(shared, [true, true, false]);
        queue.advance(400).unwrap();
        let (bytes, _) = queue.segments().next().unwrap();
        assert_eq!(bytes.as_ptr(), large[400..].as_ptr());
    }

    #[test]
    fn data_is_shared_when_it_pays() {
        let large = Binary::from(vec![7; 1000]);
        let mut queue = Queue::new();
        queue.push_back_data(IoData::Bytes(b"head"), 1);
        queue.push_back_data(IoData::Binary(binary("small")), 2);
        queue.push_back_data(IoData::Binary(large.clone()), 10);
        queue.push_back_data(IoData::Binary(large.clone()), 900);
        assert_eq!(queue.len(), 3 + 3 + 990 + 100);
        let shared: Vec<bool> = queue
            .segments()
            .map(|(_, binary)| binary.is_some())
            .collect();
        assert_eq!(shared, [false, true, false]);
        assert_eq!(&content(&queue)[..7], b"eadall\x07");
    }

    #[test]
    fn vectors_are_skipped_across_segments() {
        let large = Binary::from(vec![7; 1000]);
        let term = Term::list(vec![
            Term::from("first"),
            Term::Binary(large),
            Term::from("last"),
        ]);
        let vector = IoVector::from_term(&term).unwrap();
        let mut flat = b"first".to_vec();
        flat.extend([7; 1000]);
        flat.extend(b"last");
        for skip in [0, 3, 5, 6, 1005, 1007, 1009, 2000] {
            let mut queue = Queue::new();
            queue.push_back_data(IoData::Vector(vector.clone()), skip);
            assert_eq!(
                content(&queue),
                &flat[skip.min(flat.len())..],
                "skip {skip}"
            );
        }
    }

    #[test]
    fn slices_are_bounded() {
        let mut queue = Queue::new();
        for text in ["a", "bc", "def"] {
            queue.push_back(binary(text));
        }
        let mut slices = [IoSlice::new(&[]); 2];
        assert_eq!(queue.io_slices(&mut slices), 2);
        assert_eq!((&*slices[0], &*slices[1]), (&b"a"[..], &b"bc"[..]));
        let mut slices = [IoSlice::new(&[]); 5];
        assert_eq!(queue.io_slices(&mut slices), 3);
        assert_eq!(&*slices[2], b"def");
    }

    #[test]
    fn large_amounts_leave_their_memory_behind() {
        let mut queue = Queue::new();
        let piece = vec![1u8; 1 << 20];
        for _ in 0..64 {
            queue.push_back_bytes(&piece);
        }
        assert_eq!(queue.len(), 64 << 20);
        assert!(
            queue
                .segments()
                .all(|(bytes, _)| bytes.len() <= OWN_BYTES_MAX)
        );
        let segments = queue.segment_count();
        queue.advance(32 << 20).unwrap();
        assert_eq!(queue.segment_count(), segments / 2);
        queue.advance(32 << 20).unwrap();
        assert!(queue.segments.capacity() <= KEPT_PLACES);
    }

    #[test]
    fn a_gigabyte_of_shared_bytes_costs_a_few_places() {
        let mebibyte = Binary::from(vec![0; 1 << 20]);
        let mut queue = Queue::new();
        for _ in 0..1024 {
            queue.push_back(mebibyte.clone());
        }
        assert_eq!(queue.len(), 1 << 30);
        assert_eq!(queue.advance((1 << 30) - 1), Ok(1));
        queue.clear();
        assert_eq!((queue.len(), queue.segment_count()), (0, 0));
        assert!(queue.segments.capacity() <= KEPT_PLACES);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Back(Vec<u8>),
        Front(Vec<u8>),
        BackBytes(Vec<u8>),
        FrontBytes(Vec<u8>),
        Data(Vec<u8>, usize),
        Advance(usize),
        Clear,
    }

    fn step() -> impl Strategy<Value = Step> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..400);
        prop_oneof![
            4 => bytes().prop_map(Step::Back),
            2 => bytes().prop_map(Step::Front),
            4 => bytes().prop_map(Step::BackBytes),
            2 => bytes().prop_map(Step::FrontBytes),
            4 => (bytes(), 0usize..450).prop_map(|(bytes, skip)| Step::Data(bytes, skip)),
            5 => (0usize..900).prop_map(Step::Advance),
            1 => Just(Step::Clear),
        ]
    }

    proptest! {
        #[test]
        fn it_is_a_queue_of_bytes(steps in proptest::collection::vec(step(), 0..40)) {
            let mut queue = Queue::new();
            let mut model: Vec<u8> = Vec::new();
            for step in steps {
                match step {
                    Step::Back(bytes) => {
                        queue.push_back(Binary::from(&bytes[..]));
                        model.extend(bytes);
                    }
                    Step::Front(bytes) => {
                        queue.push_front(Binary::from(&bytes[..]));
                        model.splice(0..0, bytes);
                    }
                    Step::BackBytes(bytes) => {
                        queue.push_back_bytes(&bytes);
                        model.extend(bytes);
                    }
                    Step::FrontBytes(bytes) => {
                        queue.push_front_bytes(&bytes);
                        model.splice(0..0, bytes);
                    }
                    Step::Data(bytes, skip) => {
                        let data = Binary::from(&bytes[..]);
                        queue.push_back_data(IoData::Binary(data), skip);
                        model.extend(&bytes[skip.min(bytes.len())..]);
                    }
                    Step::Advance(count) => {
                        let outcome = queue.advance(count);
                        if count > model.len() {
                            prop_assert_eq!(
                                outcome,
                                Err(Overrun { asked: count, queued: model.len() })
                            );
                        } else {
                            model.drain(..count);
                            prop_assert_eq!(outcome, Ok(model.len()));
                        }
                    }
                    Step::Clear => {
                        queue.clear();
                        model.clear();
                    }
                }
                prop_assert_eq!(queue.len(), model.len());
                prop_assert_eq!(&content(&queue), &model);
                prop_assert!(queue.segments().all(|(bytes, _)| !bytes.is_empty()));
            }
        }
    }
}

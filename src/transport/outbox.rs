//! Bytes that wait until a descriptor takes them.
//!
//! Pure: what is pushed comes out in order and in pieces, however much is taken at a time.
//! Keeps shared binaries as they are and copies only bytes that somebody else keeps.
#![forbid(unsafe_code)]

use std::io::IoSlice;

use crate::port::queue::Queue;
use crate::term::Binary;
use crate::term::iodata::IoData;
use crate::transport::packet::Header;

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: Queue,
}

/// As many pieces as are offered to one write.
const PIECES_MAX: usize = 64;

impl Outbox {
    /// How many bytes wait.
    pub(super) fn len(&self) -> usize {
        self.queue.bytes()
    }

    /// Whether none do.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Adds a packet but for its first `done` bytes, which are out already.
    pub(super) fn push(&mut self, header: &Header, data: IoData<'_>, done: usize) {
        let header = header.as_bytes();
        let in_header = done.min(header.len());
        self.queue.push(Binary::from(&header[in_header..]));
        let mut skip = done - in_header;
        match data {
            IoData::Bytes(bytes) => self
                .queue
                .push(Binary::from(&bytes[skip.min(bytes.len())..])),
            IoData::Binary(binary) => self.queue.push(rest(&binary, &mut skip)),
            IoData::Vector(vector) => {
                for segment in vector.segments() {
                    self.queue.push(rest(segment, &mut skip));
                }
            }
        }
    }

    /// The first bytes that wait, for one write.
    pub(super) fn front(&self) -> Vec<IoSlice<'_>> {
        let pieces = self.queue.segments().take(PIECES_MAX);
        pieces.map(|piece| IoSlice::new(piece)).collect()
    }

    /// The first piece that waits, or as much of it as `max` allows.
    pub(super) fn first(&self, max: usize) -> Binary {
        match self.queue.segments().next() {
            Some(piece) => piece.slice(0..piece.len().min(max)),
            None => Binary::empty(),
        }
    }

    /// The first `done` bytes are out.
    pub(super) fn advance(&mut self, done: usize) {
        self.queue.take(done.min(self.queue.bytes()));
    }

    /// Forgets all that waits.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }
}

/// `binary` without what is to be skipped of it.
fn rest(binary: &Binary, skip: &mut usize) -> Binary {
    let skipped = binary.len().min(*skip);
    *skip -= skipped;
    binary.slice(skipped..binary.len())
}

/// Gives `write` a packet in pieces, as one write takes them.
pub(super) fn with_pieces<R>(
    header: &Header,
    data: &IoData<'_>,
    write: impl FnOnce(&[IoSlice<'_>]) -> R,
) -> R {
    let header = IoSlice::new(header.as_bytes());
    let only = match data {
        IoData::Bytes(bytes) => bytes,
        IoData::Binary(binary) => binary.as_bytes(),
        IoData::Vector(vector) => match vector.segments() {
            [] => &[],
            [only] => only.as_bytes(),
            several => {
                let several = several.iter().map(|segment| IoSlice::new(segment));
                return write(&std::iter::once(header).chain(several).collect::<Vec<_>>());
            }
        },
    };
    let both = [header, IoSlice::new(only)];
    // A stream's empty header is no piece.
    write(if header.is_empty() { &both[1..] } else { &both })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::Packet;
    use crate::term::Term;

    fn vector() -> IoData<'static> {
        let large = |byte: u8| Term::Binary(Binary::from(vec![byte; 100]));
        let parts = vec![
            large(1),
            Term::Int(2),
            large(3),
            Term::Binary("four".into()),
        ];
        IoData::from_term(&Term::list(parts)).unwrap()
    }

    fn flat(outbox: &Outbox) -> Vec<u8> {
        let front = outbox.front();
        front
            .iter()
            .flat_map(|piece| piece.iter().copied())
            .collect()
    }

    #[test]
    fn what_was_not_written_waits_whatever_was() {
        for header in [Header::NONE, Header::new(Packet::Four, 205).unwrap()] {
            let forms = [
                IoData::Bytes(b"plain bytes"),
                IoData::Binary(Binary::from(vec![9; 70])),
                vector(),
            ];
            for data in forms {
                let whole: Vec<u8> = with_pieces(&header, &data, |pieces| {
                    pieces
                        .iter()
                        .flat_map(|piece| piece.iter().copied())
                        .collect()
                });
                assert_eq!(whole.len(), header.as_bytes().len() + data.len());
                for done in 0..=whole.len() {
                    let mut outbox = Outbox::default();
                    outbox.push(&header, data.clone(), done);
                    assert_eq!(outbox.len(), whole.len() - done);
                    assert_eq!(flat(&outbox), whole[done..]);
                }
            }
        }
    }

    #[test]
    fn bytes_leave_in_order_in_steps_of_any_size() {
        for step in [1, 2, 7, 64, 1000] {
            let mut outbox = Outbox::default();
            for _ in 0..3 {
                outbox.push(&Header::NONE, vector(), 0);
            }
            let (whole, mut seen) = (flat(&outbox), Vec::new());
            while !outbox.is_empty() {
                let first = outbox.first(step);
                assert!(first.len() <= step);
                seen.extend_from_slice(&first);
                outbox.advance(first.len());
            }
            assert_eq!(seen, whole);
            assert_eq!((outbox.len(), outbox.front().len()), (0, 0));
        }
    }

    #[test]
    fn clearing_forgets() {
        let mut outbox = Outbox::default();
        outbox.push(&Header::NONE, vector(), 3);
        outbox.clear();
        assert!(outbox.is_empty() && outbox.front().is_empty());
    }
}

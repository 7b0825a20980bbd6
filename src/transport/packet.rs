//! Packets with their length in front, as the option `{packet, 1 | 2 | 4}` has them.
//!
//! Pure: bytes go in as they come, however the other side's writes were cut or joined, and
//! whole packets come out. A large body has memory of its own from the start ([`Decoder::room`]),
//! so that it can be read to where it stays; no length that a program may claim takes more
//! memory than twice what it has really sent, beyond a first step.
#![forbid(unsafe_code)]

use crate::port::Packet;
use crate::term::{Binary, Counted};

/// The length in front of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    bytes: [u8; 4],
    skipped: usize,
}

impl Header {
    /// No header, for streams.
    pub(super) const NONE: Header = Header {
        bytes: [0; 4],
        skipped: 4,
    };

    /// The header of a packet of `len` bytes; `None` when that is more than it can say.
    pub(super) fn new(packet: Packet, len: usize) -> Option<Header> {
        let skipped = 4 - packet.header_bytes();
        let bytes = u32::try_from(len).ok()?.to_be_bytes();
        bytes[..skipped]
            .iter()
            .all(|&byte| byte == 0)
            .then_some(Header { bytes, skipped })
    }

    /// The bytes to send.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.skipped..]
    }
}

/// There is no memory for a packet as large as the program says it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoMemory;

/// Cuts a stream into packets.
#[derive(Debug)]
pub(super) struct Decoder {
    header_bytes: usize,
    /// The length read so far, and how many of its bytes that were.
    len: usize,
    len_bytes: usize,
    body: Option<Body>,
}

/// A packet that has begun to arrive.
#[derive(Debug)]
struct Body {
    /// At most as long as the packet; grows as it fills.
    memory: Counted,
    filled: usize,
}

/// What a packet gets to begin with; and how much room is worth a read of its own.
const FIRST_STEP_BYTES: usize = 1 << 20;
const ROOM_BYTES_MIN: usize = 4096;

impl Decoder {
    /// At the start of a packet.
    pub(super) fn new(packet: Packet) -> Decoder {
        Decoder {
            header_bytes: packet.header_bytes(),
            len: 0,
            len_bytes: 0,
            body: None,
        }
    }

    /// Takes bytes from the front of `input` up to the end of a packet and gives that packet;
    /// `None` when the input is used up and the packet is not complete.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Binary>, NoMemory> {
        while self.len_bytes < self.header_bytes {
            let Some((&byte, rest)) = input.split_first() else {
                return Ok(None);
            };
            self.len = self.len << 8 | usize::from(byte);
            self.len_bytes += 1;
            *input = rest;
        }
        if self.body.is_none() {
            if let Some((packet, rest)) = input.split_at_checked(self.len) {
                *input = rest;
                self.restart();
                return Ok(Some(Binary::from(packet)));
            }
            let memory = Counted::alloc(self.len.min(FIRST_STEP_BYTES)).ok_or(NoMemory)?;
            self.body = Some(Body { memory, filled: 0 });
        }
        loop {
            let room = self.body_room()?;
            let taken = room.len().min(input.len());
            room[..taken].copy_from_slice(&input[..taken]);
            *input = &input[taken..];
            self.filled(taken);
            match &self.body {
                Some(body) if body.filled == self.len => {
                    let packet = self.body.take().map(|body| Binary::from(body.memory));
                    self.restart();
                    return Ok(packet);
                }
                _ if input.is_empty() => return Ok(None),
                _ => {}
            }
        }
    }

    /// Memory of a packet under way that is worth being read into directly; empty if there is
    /// none. What was read is reported by [`Decoder::filled`], and then fetched by
    /// [`Decoder::next`].
    pub(super) fn room(&mut self) -> Result<&mut [u8], NoMemory> {
        match &self.body {
            Some(body) if self.len - body.filled >= ROOM_BYTES_MIN => self.body_room(),
            _ => Ok(&mut []),
        }
    }

    /// So many bytes of the room are there now.
    pub(super) fn filled(&mut self, bytes: usize) {
        if let Some(body) = &mut self.body {
            body.filled = (body.filled + bytes).min(body.memory.len());
        }
    }

    /// The part of the body that still has to come, or as much of it as there is memory yet.
    fn body_room(&mut self) -> Result<&mut [u8], NoMemory> {
        let Some(mut body) = self.body.take() else {
            return Ok(&mut []);
        };
        if body.filled == body.memory.len() && body.filled < self.len {
            let size = body.filled.saturating_mul(2).min(self.len);
            body.memory = body.memory.realloc(size).map_err(|_| NoMemory)?;
        }
        let body = self.body.insert(body);
        // Nobody else has the memory before the packet is complete.
        let bytes = body.memory.bytes_mut().unwrap_or_default();
        Ok(&mut bytes[body.filled..])
    }

    fn restart(&mut self) {
        self.len = 0;
        self.len_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Packet; 3] = [Packet::One, Packet::Two, Packet::Four];

    fn encode(packet: Packet, bodies: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for body in bodies {
            bytes.extend(Header::new(packet, body.len()).unwrap().as_bytes());
            bytes.extend(*body);
        }
        bytes
    }

    fn drain(decoder: &mut Decoder, mut input: &[u8], packets: &mut Vec<Binary>) {
        while let Some(packet) = decoder.next(&mut input).unwrap() {
            packets.push(packet);
        }
        assert!(input.is_empty());
    }

    #[test]
    fn headers_are_big_endian_and_have_a_limit() {
        let header = |packet, len| Header::new(packet, len).map(|h| h.as_bytes().to_vec());
        assert_eq!(header(Packet::One, 255), Some(vec![255]));
        assert_eq!(header(Packet::One, 256), None);
        assert_eq!(header(Packet::Two, 0x1234), Some(vec![0x12, 0x34]));
        assert_eq!(header(Packet::Two, 65_536), None);
        assert_eq!(header(Packet::Four, 65_536), Some(vec![0, 1, 0, 0]));
        assert_eq!(header(Packet::Four, 0xffff_ffff), Some(vec![255; 4]));
        assert_eq!(header(Packet::Four, 0x1_0000_0000), None);
        assert_eq!(Header::NONE.as_bytes(), b"");
    }

    #[test]
    fn packets_come_out_whole_wherever_the_stream_was_cut() {
        let bodies: [&[u8]; 6] = [b"", b"a", b"", b"hello, world", &[7; 100], b"end"];
        for packet in ALL {
            let bytes = encode(packet, &bodies);
            for first in 0..=bytes.len() {
                for second in first..=bytes.len() {
                    let mut decoder = Decoder::new(packet);
                    let mut packets = Vec::new();
                    for part in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                        drain(&mut decoder, part, &mut packets);
                    }
                    assert_eq!(packets, bodies, "{packet:?} cut at {first} and {second}");
                }
            }
        }
    }

    #[test]
    fn a_large_body_is_read_to_where_it_stays() {
        let body: Vec<u8> = (0..3_000_000).map(|n: u32| n.to_le_bytes()[0]).collect();
        let bytes = encode(Packet::Four, &[&body, b"next"]);
        let mut decoder = Decoder::new(Packet::Four);
        assert!(decoder.room().unwrap().is_empty());
        assert_eq!(decoder.next(&mut &bytes[..10]), Ok(None));
        let mut at = 10;
        loop {
            let room = decoder.room().unwrap();
            if room.is_empty() {
                break;
            }
            assert!(
                room.len() <= at.max(FIRST_STEP_BYTES),
                "claimed, but not sent"
            );
            let taken = room.len().min(65_536);
            room[..taken].copy_from_slice(&bytes[at..at + taken]);
            decoder.filled(taken);
            at += taken;
        }
        let mut rest = &bytes[at..];
        assert_eq!(decoder.next(&mut rest).unwrap().unwrap(), body[..]);
        assert_eq!(decoder.next(&mut rest).unwrap().unwrap(), b"next"[..]);
        assert_eq!(decoder.next(&mut rest), Ok(None));
    }

    #[test]
    fn a_body_that_was_read_to_its_end_comes_out_without_further_input() {
        let body = [5; ROOM_BYTES_MIN];
        let mut decoder = Decoder::new(Packet::Two);
        let header = encode(Packet::Two, &[&body]);
        assert_eq!(decoder.next(&mut &header[..2]), Ok(None));
        let room = decoder.room().unwrap();
        assert_eq!(room.len(), body.len());
        room.copy_from_slice(&body);
        decoder.filled(body.len());
        assert!(decoder.room().unwrap().is_empty());
        assert_eq!(decoder.next(&mut &[][..]).unwrap().unwrap(), body[..]);
    }

    #[test]
    fn a_claim_alone_takes_little_memory() {
        for claim in [0x7fff_ffff_u32, 0x8000_0000, 0xffff_ffff] {
            let mut decoder = Decoder::new(Packet::Four);
            let mut input = &[&claim.to_be_bytes()[..], b"abc"].concat()[..];
            assert_eq!(decoder.next(&mut input), Ok(None));
            assert!(decoder.room().unwrap().len() <= FIRST_STEP_BYTES);
        }
    }
}

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

    /// Where the packet begins in `input`, if that is one packet, whole, and nothing else.
    pub(super) fn only(&self, input: &[u8]) -> Option<usize> {
        let (header, body) = input.split_at_checked(self.header_bytes)?;
        let len = header
            .iter()
            .fold(0, |len, &byte| len << 8 | usize::from(byte));
        let fresh = self.len_bytes == 0 && self.body.is_none();
        (fresh && len == body.len()).then_some(self.header_bytes)
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
    use proptest::prelude::*;

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

    /// The same rule said the slow way: the packets of a stream that ends here.
    fn model(packet: Packet, mut stream: &[u8]) -> Vec<Binary> {
        let mut packets = Vec::new();
        while let Some((header, rest)) = stream.split_at_checked(packet.header_bytes()) {
            let len = header
                .iter()
                .fold(0, |len, &byte| len * 256 + usize::from(byte));
            let Some((body, rest)) = rest.split_at_checked(len) else {
                break;
            };
            packets.push(Binary::from(body));
            stream = rest;
        }
        packets
    }

    #[test]
    fn every_way_to_cut_every_short_stream() {
        let mut streams = vec![Vec::new()];
        for at in 0..364 {
            // All strings of these three up to six bytes, shortest first.
            for byte in 0..3 {
                streams.push([&streams[at][..], &[byte]].concat());
            }
        }
        assert_eq!(streams.last().map(Vec::as_slice), Some(&[2; 6][..]));
        for packet in ALL {
            for stream in &streams {
                let expected = model(packet, stream);
                for cuts in 0_u32..1 << stream.len().saturating_sub(1) {
                    let mut decoder = Decoder::new(packet);
                    let mut packets = Vec::new();
                    let mut begin = 0;
                    for end in 1..=stream.len() {
                        if end == stream.len() || cuts & 1 << (end - 1) != 0 {
                            drain(&mut decoder, &stream[begin..end], &mut packets);
                            begin = end;
                        }
                    }
                    assert_eq!(packets, expected, "{packet:?} {stream:?} cut at {cuts:b}");
                }
            }
        }
    }

    #[test]
    fn a_packet_that_came_alone_is_known() {
        for packet in ALL {
            let header = packet.header_bytes();
            let one = encode(packet, &[b"hello"]);
            let mut decoder = Decoder::new(packet);
            assert_eq!(decoder.only(&one), Some(header));
            assert_eq!(decoder.only(&encode(packet, &[b""])), Some(header));
            for other in [
                &one[..one.len() - 1],
                &one[..header],
                &one[..1],
                b"",
                &one.repeat(2),
            ] {
                assert_eq!(decoder.only(other), None, "{packet:?} {other:?}");
            }
            // What comes next is the rest of one that has begun.
            for begun in 1..one.len() {
                assert_eq!(decoder.next(&mut &one[..begun]), Ok(None));
                assert_eq!(decoder.only(&one), None);
                decoder = Decoder::new(packet);
            }
        }
    }

    /// Bodies whose lengths lie around what headers can say and around the room that is worth
    /// a read of its own.
    fn body() -> impl Strategy<Value = Vec<u8>> {
        const EDGES: [usize; 12] = [
            0, 1, 254, 255, 256, 4094, 4095, 4096, 4097, 65_534, 65_535, 65_536,
        ];
        let len = prop_oneof![
            0..40_usize,
            proptest::sample::select(&EDGES[..]),
            0..20_000_usize
        ];
        (len, any::<u8>()).prop_map(|(len, first)| {
            let bytes = (0..len).map(|at| at.to_le_bytes()[0].wrapping_add(first));
            bytes.collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn reads_of_any_size_into_any_memory_give_the_same_packets(
            packet in proptest::sample::select(&ALL[..]),
            bodies in proptest::collection::vec(body(), 0..6),
            lost in 0..3_usize,
            reads in proptest::collection::vec((1..9000_usize, any::<bool>()), 1..40),
        ) {
            let fitting: Vec<&[u8]> = bodies.iter().map(Vec::as_slice)
                .filter(|body| Header::new(packet, body.len()).is_some()).collect();
            let mut stream = encode(packet, &fitting);
            stream.truncate(stream.len().saturating_sub(lost));
            let expected = model(packet, &stream);
            let mut decoder = Decoder::new(packet);
            let mut packets: Vec<Binary> = Vec::new();
            let mut rest = &stream[..];
            let mut reads = reads.iter().cycle();
            while !rest.is_empty() {
                let &(most, in_place) = reads.next().unwrap();
                let room = decoder.room().unwrap();
                let place = if in_place { room.len() } else { 0 };
                let taken = most.min(rest.len()).min(if place > 0 { place } else { usize::MAX });
                let (read, after) = rest.split_at(taken);
                rest = after;
                if place > 0 {
                    room[..taken].copy_from_slice(read);
                    decoder.filled(taken);
                    drain(&mut decoder, &[], &mut packets);
                } else {
                    drain(&mut decoder, read, &mut packets);
                }
            }
            prop_assert_eq!(packets, expected);
        }

        #[test]
        fn headers_say_the_length_or_refuse(
            packet in proptest::sample::select(&ALL[..]),
            len in prop_oneof![0..70_000_usize, any::<usize>(), (0..3_usize).prop_map(|over| 0xffff_ffff - 1 + over)],
        ) {
            let most = (1_usize << (8 * packet.header_bytes())) - 1;
            let header = Header::new(packet, len);
            prop_assert_eq!(header.is_some(), len <= most);
            if let Some(header) = header {
                let bytes = header.as_bytes();
                prop_assert_eq!(bytes.len(), packet.header_bytes());
                let said = bytes.iter().fold(0_usize, |said, &byte| said << 8 | usize::from(byte));
                prop_assert_eq!(said, len);
            }
        }
    }

    #[test]
    fn memory_follows_what_was_sent_and_not_what_was_claimed() {
        for claim in [0x7fff_ffff_u32, 0x8000_0000, 0xffff_ffff] {
            let mut decoder = Decoder::new(Packet::Four);
            assert_eq!(decoder.next(&mut &claim.to_be_bytes()[..]), Ok(None));
            let part = [0; 100_000];
            for sent in (part.len()..=4_000_000).step_by(part.len()) {
                assert_eq!(decoder.next(&mut &part[..]), Ok(None));
                let memory = decoder.body.as_ref().unwrap().memory.len();
                assert!(
                    memory <= FIRST_STEP_BYTES.max(2 * sent),
                    "{memory} for {sent}"
                );
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

//! Cuts a stream of bytes into lines, as the port option `{line, L}` asks.
//!
//! Relies on nothing but its input: it neither reads nor sends. Program output and driver
//! output both pass through here, so the two cannot disagree about what a line is.
//!
//! What it promises:
//!
//! - A newline, or a carriage return directly followed by one, ends a line. Other carriage
//!   returns are ordinary bytes.
//! - A line of at most `L` bytes comes as one [`LineKind::Eol`] piece. A longer one comes as
//!   `Noeol` pieces of exactly `L` bytes and an `Eol` piece with the rest.
//! - How the input was split into chunks never shows in the pieces.
//! - The work is linear in the input, whatever the limit and the size of the chunks, and a
//!   piece that lies wholly inside one chunk is handed out without a copy.

#![forbid(unsafe_code)]

use memchr::memchr;

/// The limit that the bare option `line` stands for.
pub(crate) const LINE_BYTES_DEFAULT: usize = 512;

/// A buffer larger than this is given back once its line is out, so that one long line does
/// not make a port heavy for the rest of its life.
const KEPT_CAPACITY_BYTES: usize = 64 * 1024;

/// Whether a piece ends its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// The piece was ended by a newline, which is not part of it.
    Eol,
    /// The line goes on, or the input ended without a newline.
    Noeol,
}

/// The part of a line that has arrived so far, and the rule for cutting it.
#[derive(Debug)]
pub(crate) struct LineBuffer {
    limit: usize,
    /// At most `limit` bytes, or one more when the last is a carriage return: until the next
    /// byte is known, it may belong to the newline.
    pending: Vec<u8>,
}

impl LineBuffer {
    /// A cutter for lines of at most `limit` bytes. A limit of 0 could never make progress
    /// and counts as 1; the options refuse it long before.
    pub(crate) fn new(limit: usize) -> LineBuffer {
        LineBuffer {
            limit: limit.max(1),
            pending: Vec::new(),
        }
    }

    /// Takes the next bytes and hands out every piece that is now certain.
    pub(crate) fn feed(&mut self, input: &[u8], mut emit: impl FnMut(LineKind, &[u8])) {
        let mut rest = input;
        while let Some(newline) = memchr(b'\n', rest) {
            self.end_line(&rest[..newline], &mut emit);
            rest = &rest[newline + 1..];
        }
        if !rest.is_empty() {
            self.extend_line(rest, &mut emit);
        }
    }

    /// The input is over: hands out the unterminated line, if there is one.
    pub(crate) fn finish(&mut self, mut emit: impl FnMut(LineKind, &[u8])) {
        for piece in self.pending.chunks(self.limit) {
            emit(LineKind::Noeol, piece);
        }
        self.pending = Vec::new();
    }

    /// `tail` is what stood before a newline.
    fn end_line(&mut self, tail: &[u8], emit: &mut impl FnMut(LineKind, &[u8])) {
        if !tail.is_empty() {
            self.release_overflow(emit);
        } else if self.pending.last() == Some(&b'\r') {
            self.pending.pop();
        }
        let tail = tail.strip_suffix(b"\r").unwrap_or(tail);
        let rest = self.complete_pending(tail, emit);
        if !self.pending.is_empty() {
            // `complete_pending` leaves something only when the whole line fits.
            emit(LineKind::Eol, &self.pending);
            self.forget_pending();
            return;
        }
        let rest = self.cut_full(rest, emit);
        emit(LineKind::Eol, rest);
    }

    /// `more` holds no newline, and no more is known yet.
    fn extend_line(&mut self, more: &[u8], emit: &mut impl FnMut(LineKind, &[u8])) {
        // A carriage return at the very end proves nothing about the bytes before it, so
        // the pieces are decided without it.
        let certain = more.strip_suffix(b"\r").unwrap_or(more);
        let held = &more[certain.len()..];
        self.release_overflow(emit);
        let rest = self.complete_pending(certain, emit);
        let rest = self.cut_full(rest, emit);
        self.pending.extend_from_slice(rest);
        self.pending.extend_from_slice(held);
    }

    /// Hands out full pieces while more bytes follow them; returns the last piece.
    fn cut_full<'a>(&self, mut rest: &'a [u8], emit: &mut impl FnMut(LineKind, &[u8])) -> &'a [u8] {
        while rest.len() > self.limit {
            let (piece, after) = rest.split_at(self.limit);
            emit(LineKind::Noeol, piece);
            rest = after;
        }
        rest
    }

    /// Joins `more` to the pending bytes, which hold no overflow. If all of it fits in one
    /// piece it stays pending and nothing is left over; otherwise the pending bytes go out,
    /// filled up to the limit, and what did not fit is returned.
    fn complete_pending<'a>(
        &mut self,
        more: &'a [u8],
        emit: &mut impl FnMut(LineKind, &[u8]),
    ) -> &'a [u8] {
        if self.pending.is_empty() {
            return more;
        }
        let room = self.limit - self.pending.len();
        if more.len() <= room {
            self.pending.extend_from_slice(more);
            return &[];
        }
        let (fits, rest) = more.split_at(room);
        self.pending.extend_from_slice(fits);
        emit(LineKind::Noeol, &self.pending);
        self.forget_pending();
        rest
    }

    /// More bytes follow a carriage return that was held back beyond a full piece: the piece
    /// is complete, and the return opens the next one.
    fn release_overflow(&mut self, emit: &mut impl FnMut(LineKind, &[u8])) {
        if self.pending.len() > self.limit {
            emit(LineKind::Noeol, &self.pending[..self.limit]);
            self.pending.drain(..self.limit);
        }
    }

    fn forget_pending(&mut self) {
        if self.pending.capacity() > KEPT_CAPACITY_BYTES {
            self.pending = Vec::new();
        } else {
            self.pending.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LineKind::{Eol, Noeol};
    use super::*;
    use proptest::prelude::*;

    type Piece = (LineKind, Vec<u8>);

    fn feed(lines: &mut LineBuffer, input: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        lines.feed(input, |kind, bytes| pieces.push((kind, bytes.to_vec())));
        pieces
    }

    fn finish(lines: &mut LineBuffer) -> Vec<Piece> {
        let mut pieces = Vec::new();
        lines.finish(|kind, bytes| pieces.push((kind, bytes.to_vec())));
        pieces
    }

    /// All pieces of chunks that arrive one after the other, then end of input.
    fn cut(limit: usize, chunks: &[&[u8]]) -> Vec<Piece> {
        let mut lines = LineBuffer::new(limit);
        let mut pieces: Vec<Piece> = chunks
            .iter()
            .flat_map(|chunk| feed(&mut lines, chunk))
            .collect();
        pieces.extend(finish(&mut lines));
        pieces
    }

    fn eol(text: &str) -> Piece {
        (Eol, text.as_bytes().to_vec())
    }

    fn noeol(text: &str) -> Piece {
        (Noeol, text.as_bytes().to_vec())
    }

    #[test]
    fn lines_end_at_newlines() {
        assert_eq!(cut(5, &[b"ab\n"]), [eol("ab")]);
        assert_eq!(cut(5, &[b"\n"]), [eol("")]);
        assert_eq!(cut(5, &[b"a\n\nb\n"]), [eol("a"), eol(""), eol("b")]);
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_one_piece() {
        assert_eq!(cut(5, &[b"abcde\n"]), [eol("abcde")]);
        assert_eq!(cut(5, &[b"abcde", b"\n"]), [eol("abcde")]);
    }

    #[test]
    fn longer_lines_are_cut() {
        assert_eq!(cut(5, &[b"abcdef\n"]), [noeol("abcde"), eol("f")]);
        assert_eq!(
            cut(2, &[b"abcdefg\n"]),
            [noeol("ab"), noeol("cd"), noeol("ef"), eol("g")]
        );
        assert_eq!(cut(1, &[b"abc\n"]), [noeol("a"), noeol("b"), eol("c")]);
    }

    #[test]
    fn a_full_piece_waits_for_proof_that_the_line_goes_on() {
        let mut lines = LineBuffer::new(5);
        assert_eq!(feed(&mut lines, b"abcde"), []);
        assert_eq!(feed(&mut lines, b"\r"), []);
        assert_eq!(lines.pending.len(), 6);
        assert_eq!(feed(&mut lines, b"x"), [noeol("abcde")]);
        assert_eq!(feed(&mut lines, b"\n"), [eol("\rx")]);
        assert_eq!(lines.pending.len(), 0);
    }

    #[test]
    fn a_return_before_the_newline_belongs_to_it() {
        assert_eq!(cut(5, &[b"ab\r\n"]), [eol("ab")]);
        assert_eq!(cut(5, &[b"abcde\r\n"]), [eol("abcde")]);
        assert_eq!(cut(5, &[b"\r\n"]), [eol("")]);
        for split in 1..7 {
            let (left, right) = b"abcde\r\n".split_at(split);
            assert_eq!(cut(5, &[left, right]), [eol("abcde")], "split at {split}");
        }
    }

    #[test]
    fn other_returns_are_ordinary_bytes() {
        assert_eq!(cut(5, &[b"abcde\rX\n"]), [noeol("abcde"), eol("\rX")]);
        assert_eq!(cut(4, &[b"abc\rZ\n"]), [noeol("abc\r"), eol("Z")]);
        assert_eq!(cut(50, &[b"a\rb\r\rc\n"]), [eol("a\rb\r\rc")]);
        assert_eq!(cut(50, &[b"cd\r", b"x\n"]), [eol("cd\rx")]);
        assert_eq!(cut(50, &[b"a\r\r\n"]), [eol("a\r")]);
    }

    #[test]
    fn the_end_of_input_hands_out_the_rest() {
        assert_eq!(cut(5, &[b"cd"]), [noeol("cd")]);
        assert_eq!(cut(5, &[b"ab\r"]), [noeol("ab\r")]);
        assert_eq!(cut(5, &[b"abcde\r"]), [noeol("abcde"), noeol("\r")]);
        assert_eq!(cut(5, &[b"abcde"]), [noeol("abcde")]);
        assert_eq!(cut(5, &[]), []);
        assert_eq!(cut(5, &[b"ab\n"]), [eol("ab")]);
    }

    #[test]
    fn nothing_is_left_after_the_end_of_input() {
        let mut lines = LineBuffer::new(5);
        feed(&mut lines, b"ab");
        assert_eq!(finish(&mut lines), [noeol("ab")]);
        assert_eq!(finish(&mut lines), []);
        assert_eq!(feed(&mut lines, b"c\n"), [eol("c")]);
    }

    #[test]
    fn driver_output_is_cut_alike() {
        let mut lines = LineBuffer::new(5);
        assert_eq!(
            feed(&mut lines, b"abc\ndefghijkl\r\nx"),
            [eol("abc"), noeol("defgh"), eol("ijkl")]
        );
        assert_eq!(finish(&mut lines), [noeol("x")]);
    }

    #[test]
    fn a_piece_inside_the_input_is_not_copied() {
        let input = b"one\ntwo\r\nlonger line\n";
        let bounds = input.as_ptr_range();
        let mut lines = LineBuffer::new(6);
        let mut pieces = 0;
        lines.feed(input, |_, bytes| {
            let piece = bytes.as_ptr_range();
            assert!(bounds.start <= piece.start && piece.end <= bounds.end);
            pieces += 1;
        });
        assert_eq!(pieces, 4);
    }

    #[test]
    fn an_enormous_limit_is_harmless() {
        let mut lines = LineBuffer::new(usize::MAX);
        for _ in 0..100_000 {
            assert_eq!(feed(&mut lines, b"\r"), []);
            assert_eq!(feed(&mut lines, b"x"), []);
        }
        let pieces = feed(&mut lines, b"\r\n");
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].0, Eol);
        assert_eq!(pieces[0].1, b"\rx".repeat(100_000));
    }

    #[test]
    fn a_long_line_does_not_keep_its_memory() {
        let mut lines = LineBuffer::new(usize::MAX);
        feed(&mut lines, &vec![b'x'; 10 * KEPT_CAPACITY_BYTES]);
        feed(&mut lines, b"\n");
        assert!(lines.pending.capacity() <= KEPT_CAPACITY_BYTES);
    }

    #[test]
    fn a_limit_of_nothing_counts_as_one() {
        assert_eq!(cut(0, &[b"ab\n"]), [noeol("a"), eol("b")]);
    }

    /// The same rule said the slow way: whole lines first, then pieces.
    fn model(limit: usize, input: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut lines: Vec<&[u8]> = input.split(|&byte| byte == b'\n').collect();
        let unfinished = lines.pop().unwrap_or_default();
        for line in lines {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let mut cuts: Vec<Piece> = line
                .chunks(limit)
                .map(|piece| (Noeol, piece.to_vec()))
                .collect();
            match cuts.last_mut() {
                Some(last) => last.0 = Eol,
                None => cuts.push(eol("")),
            }
            pieces.extend(cuts);
        }
        pieces.extend(
            unfinished
                .chunks(limit)
                .map(|piece| (Noeol, piece.to_vec())),
        );
        pieces
    }

    /// Every string of `a`, carriage returns and newlines, up to a length.
    fn all_strings(len_max: usize) -> Vec<Vec<u8>> {
        let mut all = vec![Vec::new()];
        let mut begin = 0;
        for _ in 0..len_max {
            let end = all.len();
            for at in begin..end {
                for byte in *b"a\r\n" {
                    all.push([&all[at][..], &[byte]].concat());
                }
            }
            begin = end;
        }
        all
    }

    #[test]
    fn every_short_input_cut_in_two_anywhere() {
        for limit in 1..=6 {
            for input in all_strings(7) {
                let expected = model(limit, &input);
                for split in 0..=input.len() {
                    let (left, right) = input.split_at(split);
                    let pieces = cut(limit, &[left, right]);
                    assert_eq!(pieces, expected, "{limit}: {left:?} {right:?}");
                }
            }
        }
    }

    #[test]
    fn every_way_to_cut_a_very_short_input() {
        for limit in 1..=4 {
            for input in all_strings(5) {
                let expected = model(limit, &input);
                for cuts in 0_u32..1 << input.len().saturating_sub(1) {
                    let mut lines = LineBuffer::new(limit);
                    let mut pieces = Vec::new();
                    let mut begin = 0;
                    for end in 1..=input.len() {
                        if end == input.len() || cuts & 1 << (end - 1) != 0 {
                            pieces.extend(feed(&mut lines, &input[begin..end]));
                            begin = end;
                        }
                    }
                    pieces.extend(finish(&mut lines));
                    assert_eq!(pieces, expected, "{limit}: {input:?} cut at {cuts:b}");
                }
            }
        }
    }

    /// What is certain is what comes out whichever way the input goes on.
    #[test]
    fn a_piece_comes_out_as_soon_as_it_is_certain() {
        for limit in 1..=6 {
            for input in all_strings(7) {
                let futures: [&[u8]; 5] = [b"", b"a", b"\n", b"\r\n", b"\ra"];
                let mut certain = model(limit, &[&input[..], futures[0]].concat());
                for future in &futures[1..] {
                    let pieces = model(limit, &[&input[..], future].concat());
                    let same = pieces.iter().zip(&certain).take_while(|(a, b)| a == b);
                    certain.truncate(same.count());
                }
                let pieces = feed(&mut LineBuffer::new(limit), &input);
                assert_eq!(pieces, certain, "{limit}: {input:?}");
            }
        }
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![4 => Just(b'a'), 2 => Just(b'\r'), 1 => Just(b'\n')];
        proptest::collection::vec(byte, 0..40)
    }

    proptest! {
        #[test]
        fn every_split_gives_the_same_pieces(
            input in text(),
            limit in 1usize..9,
            cuts in proptest::collection::vec(0usize..40, 0..6),
        ) {
            let expected = model(limit, &input);
            prop_assert_eq!(&cut(limit, &[&input]), &expected);
            let single: Vec<&[u8]> = input.chunks(1).collect();
            prop_assert_eq!(&cut(limit, &single), &expected);
            for split in 0..=input.len() {
                let (left, right) = input.split_at(split);
                prop_assert_eq!(&cut(limit, &[left, right]), &expected);
            }
            let mut chunks = Vec::new();
            let mut rest = &input[..];
            for at in cuts {
                let (chunk, after) = rest.split_at(at.min(rest.len()));
                chunks.push(chunk);
                rest = after;
            }
            chunks.push(rest);
            prop_assert_eq!(&cut(limit, &chunks), &expected);
        }

        #[test]
        fn what_is_held_back_is_bounded(input in text(), limit in 1usize..9) {
            let mut lines = LineBuffer::new(limit);
            for chunk in input.chunks(3) {
                feed(&mut lines, chunk);
                let held = lines.pending.last() == Some(&b'\r');
                prop_assert!(lines.pending.len() <= limit + usize::from(held));
            }
        }
    }
}

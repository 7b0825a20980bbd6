//! Output to the owner: `driver_output` and its relatives.

use std::ffi::{c_char, c_int};
use std::ptr::NonNull;

use super::misuse::{self, Rule};
use super::{export, with_port};
use crate::driver::raw::{ErlDrvBinary, ErlDrvPort, ErlDrvSizeT, ErlIOVec, SysIOVec};
use crate::ffi::pointer;
use crate::port::Port;
use crate::process::signal::{Piece, Shape};
use crate::runtime::turn::OnTurn;
use crate::term::{Atom, Binary, Counted, Term, atom};

export! {
    fn driver_output(port: ErlDrvPort, buf: *mut c_char, len: ErlDrvSizeT) -> c_int, else -1 => {
        // SAFETY: the driver says that `len` bytes are there.
        let Some(bytes) = (unsafe { pointer::bytes(buf, len) }) else {
            return misuse::refuse(port, &Rule::NoBytes, -1);
        };
        with_port(port, |on, port, _| {
            if buf.is_null() {
                output_with_header(on, port, &[], Tail::None);
            } else {
                port.deliver_bytes(on, bytes);
            }
            0
        })
        .unwrap_or(-1)
    }

    fn driver_output2(
        port: ErlDrvPort,
        hbuf: *mut c_char,
        hlen: ErlDrvSizeT,
        buf: *mut c_char,
        len: ErlDrvSizeT,
    ) -> c_int, else -1 => {
        // SAFETY: as above, for both.
        let (header, data) = unsafe { (pointer::bytes(hbuf, hlen), pointer::bytes(buf, len)) };
        let (Some(header), Some(data)) = (header, data) else {
            return misuse::refuse(port, &Rule::NoBytes, -1);
        };
        let tail = if buf.is_null() { Tail::None } else { Tail::Bytes(data) };
        with_port(port, |on, port, _| {
            output_with_header(on, port, header, tail);
            0
        })
        .unwrap_or(-1)
    }

    fn driver_output_binary(
        port: ErlDrvPort,
        hbuf: *mut c_char,
        hlen: ErlDrvSizeT,
        bin: *mut ErlDrvBinary,
        offset: ErlDrvSizeT,
        len: ErlDrvSizeT,
    ) -> c_int, else -1 => {
        // SAFETY: as above.
        let Some(header) = (unsafe { pointer::bytes(hbuf, hlen) }) else {
            return misuse::refuse(port, &Rule::NoBytes, -1);
        };
        // SAFETY: the driver holds the binary that it names.
        let Some(part) = (unsafe { part_of(bin, offset, len) }) else {
            return misuse::refuse(port, &Rule::NoBytes, -1);
        };
        with_port(port, |on, port, _| {
            let shape = port.data_shape(on);
            // A list is a copy: the driver may go on to use its binary.
            let part = match shape {
                Shape::Binary => part,
                Shape::List => Binary::from(&part[..]),
            };
            if header.is_empty() {
                port.deliver_piece(on, &mut { part });
                return 0;
            }
            port.count_input(on, header.len() + part.len());
            let data = after_header(shape, header, shape_bytes(shape, part));
            send(on, port, data);
            0
        })
        .unwrap_or(-1)
    }

    fn driver_outputv(
        port: ErlDrvPort,
        hbuf: *mut c_char,
        hlen: ErlDrvSizeT,
        ev: *mut ErlIOVec,
        skip: ErlDrvSizeT,
    ) -> c_int, else -1 => {
        // SAFETY: as above.
        let Some(header) = (unsafe { pointer::bytes(hbuf, hlen) }) else {
            return misuse::refuse(port, &Rule::NoBytes, -1);
        };
        if header.is_empty() && skip == 0
            // SAFETY: the driver's vector, with as many pieces and binaries as it says.
            && let Some(only) = unsafe { only_piece_of(ev) }
        {
            let mut only = only;
            return with_port(port, |on, port, _| output_piece(on, port, &mut only))
                .map_or(-1, |()| 0);
        }
        // SAFETY: as above.
        let Some(pieces) = (unsafe { pieces_of(ev, skip, Small::Copied) }) else {
            return misuse::refuse(port, &Rule::NoBytes, -1);
        };
        with_port(port, |on, port, _| {
            match pieces {
                None => output_with_header(on, port, header, Tail::None),
                Some(pieces) => output_pieces(on, port, header, pieces),
            }
            0
        })
        .unwrap_or(-1)
    }

    fn driver_vec_to_buf(ev: *mut ErlIOVec, buf: *mut c_char, len: ErlDrvSizeT) -> ErlDrvSizeT, else 0 => {
        // SAFETY: as above.
        let Some(iov) = (unsafe { vector(ev) }) else {
            return 0;
        };
        let mut copied = 0;
        for piece in iov {
            let number = piece.iov_len.min(len - copied);
            if number > 0 && !piece.iov_base.is_null() && !buf.is_null() {
                // SAFETY: as many bytes are left in the buffer, and there are in the piece. They
                // may overlap for all we know.
                unsafe { piece.iov_base.copy_to(buf.add(copied), number) };
                copied += number;
            }
        }
        copied
    }
}

/// What comes behind a header.
enum Tail<'a> {
    Bytes(&'a [u8]),
    /// Nothing at all: the header stands alone.
    None,
}

/// A header and bytes: one piece, or in line mode a piece for each line, each with the header.
fn output_with_header(on: &mut OnTurn<'_>, port: &Port, header: &[u8], tail: Tail<'_>) {
    let data = match tail {
        Tail::Bytes(data) if header.is_empty() => return port.deliver_bytes(on, data),
        Tail::Bytes(data) => data,
        Tail::None => &[],
    };
    port.count_input(on, header.len() + data.len());
    let shape = port.data_shape(on);
    let mut lines = Vec::new();
    let in_lines = port.cut_lines(on, data, |piece, text| {
        let text = after_header(shape, header, shape_bytes(shape, Binary::from(text)));
        lines.push(match piece {
            Piece::Whole => text,
            Piece::Eol => Term::tuple([Term::Atom(atom::EOL), text]),
            Piece::Noeol => Term::tuple([Term::Atom(atom::NOEOL), text]),
        });
    });
    if in_lines {
        for line in lines {
            send(on, port, line);
        }
        return;
    }
    let rest = match tail {
        Tail::Bytes(data) => shape_bytes(shape, Binary::from(data)),
        Tail::None => Term::Nil,
    };
    send(on, port, after_header(shape, header, rest));
}

/// A vector: in binary shape a list of its pieces with the last one as its tail, else one list.
fn output_pieces(on: &mut OnTurn<'_>, port: &Port, header: &[u8], mut pieces: Vec<Binary>) {
    if header.is_empty()
        && pieces.len() == 1
        && let Some(mut only) = pieces.pop()
    {
        return output_piece(on, port, &mut only);
    }
    let size: usize = pieces.iter().map(|piece| piece.len()).sum();
    port.count_input(on, header.len() + size);
    let shape = port.data_shape(on);
    let data = match shape {
        Shape::Binary => {
            let mut pieces = pieces.into_iter().rev().map(Term::Binary);
            let last = pieces.next().unwrap_or(Term::Nil);
            pieces.fold(last, |tail, piece| Term::cons(piece, tail))
        }
        Shape::List => {
            let mut all = Vec::with_capacity(size);
            for piece in &pieces {
                all.extend_from_slice(piece);
            }
            Term::bytes_list(Binary::from(all))
        }
    };
    send(on, port, after_header(shape, header, data));
}

/// A piece without a header.
#[inline]
fn output_piece(on: &mut OnTurn<'_>, port: &Port, only: &mut Binary) {
    match port.data_shape(on) {
        Shape::Binary => port.deliver_piece(on, only),
        Shape::List => port.deliver_piece(on, &mut Binary::from(&only[..])),
    }
}

fn send(on: &mut OnTurn<'_>, port: &Port, data: Term) {
    port.deliver_tagged(on, Term::tuple([Term::Atom(atom::DATA), data]));
}

fn shape_bytes(shape: Shape, bytes: Binary) -> Term {
    match shape {
        Shape::Binary => Term::Binary(bytes),
        Shape::List => Term::bytes_list(bytes),
    }
}

/// The header's bytes as list elements in front of a tail.
fn after_header(shape: Shape, header: &[u8], tail: Term) -> Term {
    if header.is_empty() {
        return tail;
    }
    match (shape, &tail) {
        (Shape::List, Term::Nil) => Term::bytes_list(Binary::from(header)),
        _ => header
            .iter()
            .rev()
            .fold(tail, |tail, byte| Term::cons(Term::from(*byte), tail)),
    }
}

/// A part of a driver's binary, as Erlang puts one into a message: shared when it is large.
///
/// # Safety
/// `bin` is NULL or a binary that the driver holds.
pub(in crate::driver) unsafe fn part_of(
    bin: *mut ErlDrvBinary,
    offset: usize,
    len: usize,
) -> Option<Binary> {
    let raw = NonNull::new(bin.cast::<u8>())?;
    // SAFETY: the driver holds it.
    let counted = unsafe { Counted::share_raw(raw) };
    Binary::share_or_copy(&counted, offset, len)
}

/// The pieces of a vector.
///
/// # Safety
/// `ev` is NULL or a vector whose arrays are as long as it says and stay for `'a`.
unsafe fn vector<'a>(ev: *const ErlIOVec) -> Option<&'a [SysIOVec]> {
    // SAFETY: the caller's promise.
    let ev = unsafe { pointer::load(ev) }?;
    let len = usize::try_from(ev.vsize).ok()?;
    // SAFETY: the caller's promise.
    unsafe { pointer::slice(ev.iov, len) }
}

/// What becomes of pieces that have a binary behind them but are small.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::driver) enum Small {
    /// A message gets a copy.
    Copied,
    /// A queue shares all.
    Shared,
}

/// The pieces of a vector without its first `skip` bytes. What is empty is left out of a queue; of a
/// message only the first piece, where drivers have room for a header. The inner `None`: there are
/// no more bytes than are skipped; the outer: the vector makes no sense.
///
/// # Safety
/// As for [`vector`]; the binaries are the driver's, and the pieces lie in them where there is
/// one.
#[allow(clippy::option_option)] // two different nothings
pub(in crate::driver) unsafe fn pieces_of(
    ev: *const ErlIOVec,
    skip: usize,
    small: Small,
) -> Option<Option<Vec<Binary>>> {
    // SAFETY: the caller's promise.
    let (raw, iov) = unsafe { (pointer::load(ev)?, vector(ev)?) };
    if raw.size <= skip {
        return Some(None);
    }
    // SAFETY: as long as `iov`; NULL where the driver has no binaries at all.
    let binv = unsafe { pointer::slice(raw.binv, if raw.binv.is_null() { 0 } else { iov.len() }) }?;
    let mut to_skip = Some(skip);
    let mut pieces = Vec::with_capacity(iov.len());
    for (at, piece) in iov.iter().enumerate() {
        // SAFETY: the caller's promise.
        let bytes = unsafe { pointer::bytes(piece.iov_base, piece.iov_len) }?;
        let skipped = to_skip.map_or(0, |left| left.min(bytes.len()));
        let whole = to_skip.is_some() && skipped == bytes.len();
        to_skip = to_skip.and_then(|left| left.checked_sub(skipped).filter(|left| *left > 0));
        let bytes = &bytes[skipped..];
        if whole || (bytes.is_empty() && small == Small::Shared) {
            continue;
        }
        let behind = binv.get(at).copied().unwrap_or(std::ptr::null_mut());
        // SAFETY: the caller's promise.
        pieces.push(unsafe { piece_of(behind, bytes, small) }?);
    }
    Some(Some(pieces))
}

/// One piece, with the binary behind it or NULL.
///
/// # Safety
/// The driver holds the binary.
#[inline(always)] // a binary is not handed from function to function, but put together where it stays
unsafe fn piece_of(behind: *mut ErlDrvBinary, bytes: &[u8], small: Small) -> Option<Binary> {
    if (small == Small::Shared || bytes.len() > Binary::SMALL_MAX)
        && let Some(raw) = NonNull::new(behind.cast::<u8>())
        // SAFETY: the caller's promise.
        && let Some(shared) = unsafe { window(raw, bytes) }
    {
        return Some(shared);
    }
    match small {
        Small::Copied => Some(Binary::from(bytes)),
        Small::Shared => Counted::copy_of(bytes).map(Binary::from),
    }
}

/// The piece of a vector for a message that has no other but an empty first one: what
/// [`pieces_of`] would find, without a vector around it.
///
/// # Safety
/// As for [`pieces_of`].
#[inline(always)]
unsafe fn only_piece_of(ev: *const ErlIOVec) -> Option<Binary> {
    // SAFETY: the caller's promise.
    let (raw, iov) = unsafe { (pointer::load(ev)?, vector(ev)?) };
    let [first, second] = iov else {
        return None;
    };
    if first.iov_len != 0 || second.iov_len == 0 || raw.size == 0 || raw.binv.is_null() {
        return None;
    }
    // SAFETY: the caller's promise; there are two binaries, or NULLs, as there are pieces.
    unsafe {
        let bytes = pointer::bytes(second.iov_base, second.iov_len)?;
        piece_of(*raw.binv.add(1), bytes, Small::Copied)
    }
}

/// The window on a binary that these bytes are; `None` if they do not lie in it.
///
/// # Safety
/// The driver holds the binary.
#[inline(always)]
unsafe fn window(raw: NonNull<u8>, bytes: &[u8]) -> Option<Binary> {
    // SAFETY: the caller's promise.
    let counted = unsafe { Counted::share_raw(raw) };
    let offset = bytes
        .as_ptr()
        .addr()
        .checked_sub(counted.bytes().as_ptr().addr())?;
    Binary::from_counted(counted, offset, bytes.len())
}

/// An atom of a driver's characters, which are Latin-1; too long ones are cut.
pub(in crate::driver) fn atom_of(name: &[u8]) -> Option<Atom> {
    let name = &name[..name.len().min(Atom::CHARS_MAX)];
    Atom::from_latin1(name).ok()
}

//! The pieces of a command, as the sender had them.
//!
//! Relies on the gate out, which lends the vector for as long as the callback runs. Promises that
//! nobody keeps a piece longer, unless as a counted binary.

use std::borrow::Cow;
use std::fmt;

use crate::driver::abi::output::{Small, pieces_of};
use crate::driver::raw::{ErlIOVec, SysIOVec};
use crate::ffi::pointer;
use crate::term::Binary;

/// The bytes of a command.
#[derive(Clone, Copy)]
pub struct Command<'a> {
    raw: &'a ErlIOVec,
    pieces: &'a [SysIOVec],
}

impl<'a> Command<'a> {
    /// The command that a vector holds.
    ///
    /// # Safety
    /// `ev` is the vector that `outputv` was called with, and `'a` ends before the callback
    /// returns.
    pub(super) unsafe fn from_raw(ev: *const ErlIOVec) -> Option<Command<'a>> {
        // SAFETY: the caller's promise.
        let raw = unsafe { ev.as_ref() }?;
        let len = usize::try_from(raw.vsize).ok()?;
        // SAFETY: the gate out made the array as long as it says.
        let pieces = unsafe { pointer::slice(raw.iov, len) }?;
        Some(Command { raw, pieces })
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.raw.size
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.raw.size == 0
    }

    /// Its pieces, in order; none of them is empty.
    pub fn pieces(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let bytes = self.pieces.iter().filter_map(|piece| {
            // SAFETY: the gate out filled the vector from binaries that live as long as it.
            unsafe { pointer::bytes(piece.iov_base, piece.iov_len) }
        });
        bytes.filter(|piece| !piece.is_empty())
    }

    /// All of them in one: borrowed if there is only one.
    pub fn to_bytes(&self) -> Cow<'a, [u8]> {
        let mut pieces = self.pieces();
        let (Some(first), second) = (pieces.next(), pieces.next()) else {
            return Cow::Borrowed(&[]);
        };
        match second {
            None => Cow::Borrowed(first),
            Some(second) => {
                let mut all = Vec::with_capacity(self.len());
                all.extend_from_slice(first);
                all.extend_from_slice(second);
                for piece in pieces {
                    all.extend_from_slice(piece);
                }
                Cow::Owned(all)
            }
        }
    }

    /// Its pieces as binaries, to be kept or passed on: large ones are shared, not copied.
    pub fn to_binaries(&self) -> Vec<Binary> {
        // SAFETY: as in `pieces`; its binaries are alive as long as it is.
        let pieces = unsafe { pieces_of(self.raw, 0, Small::Shared) };
        pieces.flatten().unwrap_or_default()
    }
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pieces()).finish()
    }
}

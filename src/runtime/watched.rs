//! What is watched, by descriptor: for whom, and what has happened since they were last told.
//!
//! A descriptor has one watch. Who takes it over has another generation, so that the watch before
//! hears of nothing and changes nothing any more; neither does one whose descriptor was closed
//! and has become something else.
#![forbid(unsafe_code)]

use std::os::fd::RawFd;

use crate::lock::{Guard, Lock};
use crate::os::poll::Event;
use crate::places::Places;
use crate::runtime::reactor::Readiness;

/// See the module's text.
pub(super) struct Watched {
    groups: Places<Lock<[Entry; GROUP]>>,
}

/// So many neighbours share a lock, which is held for little longer than the kernel takes to note a change.
const GROUP: usize = 8;

/// One descriptor.
#[derive(Default)]
pub(super) struct Entry {
    /// The number of who hears of it.
    whom: u64,
    generation: u32,
    watched: bool,
    pending: u8,
}

/// The right to change a descriptor's entry.
pub(super) struct EntryGuard<'w> {
    group: Guard<'w, [Entry; GROUP]>,
    at: usize,
}

const READABLE: u8 = 1;
const WRITABLE: u8 = 2;
const HANGUP: u8 = 4;

/// What the kernel knows a watch by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) fd: RawFd,
    generation: u32,
}

impl Token {
    /// As one number, which the kernel gives back with each event.
    pub(super) fn number(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.fd.cast_unsigned())
    }

    #[allow(clippy::cast_possible_truncation)] // takes the number apart
    fn from_number(number: u64) -> Token {
        Token {
            fd: (number as u32).cast_signed(),
            generation: (number >> 32) as u32,
        }
    }
}

impl Watched {
    /// Nothing yet.
    pub(super) fn new() -> Watched {
        Watched {
            groups: Places::new(),
        }
    }

    /// The entry of a descriptor that somebody watches, or once did.
    #[inline]
    fn entry(&self, fd: RawFd) -> Option<EntryGuard<'_>> {
        let index = usize::try_from(fd).ok()?;
        let group = self.groups.get(index / GROUP)?.lock();
        let at = index % GROUP;
        Some(EntryGuard { group, at })
    }

    /// The entry of a descriptor, to be watched. `None` for what can be no descriptor.
    pub(super) fn entry_to_be(&self, fd: RawFd) -> Option<EntryGuard<'_>> {
        let index = usize::try_from(fd).ok()?;
        let group = self.groups.wanted(index / GROUP)?.lock();
        let at = index % GROUP;
        Some(EntryGuard { group, at })
    }

    /// The entry of a watch, if the descriptor is still its.
    #[inline]
    pub(super) fn entry_of(&self, token: Token) -> Option<EntryGuard<'_>> {
        let entry = self.entry(token.fd)?;
        let current = entry.group[entry.at].is_of(token);
        current.then_some(entry)
    }

    /// Notes an event, and who is to be told: nobody if they are about to be told of another one.
    pub(super) fn note(&self, event: Event) -> Option<(Token, u64)> {
        let token = Token::from_number(event.token);
        let mut entry = self.entry_of(token)?;
        let entry = entry.get();
        let told = entry.pending != 0;
        for (is_so, bit) in [
            (event.readable, READABLE),
            (event.writable, WRITABLE),
            (event.hangup, HANGUP),
        ] {
            entry.pending |= if is_so { bit } else { 0 };
        }
        (!told && entry.pending != 0).then_some((token, entry.whom))
    }

    /// What has been noted since the last time. `None` once the watch is over.
    pub(super) fn take(&self, token: Token) -> Option<Readiness> {
        let mut entry = self.entry_of(token)?;
        let bits = std::mem::take(&mut entry.get().pending);
        Some(Readiness {
            readable: bits & READABLE != 0,
            writable: bits & WRITABLE != 0,
            hangup: bits & HANGUP != 0,
        })
    }
}

impl Entry {
    fn is_of(&self, token: Token) -> bool {
        self.watched && self.generation == token.generation
    }
}

impl EntryGuard<'_> {
    fn get(&mut self) -> &mut Entry {
        &mut self.group[self.at]
    }

    /// What the next watch of this descriptor will be known by.
    pub(super) fn next_token(&mut self, fd: RawFd) -> Token {
        let generation = self.get().generation.wrapping_add(1);
        Token { fd, generation }
    }

    /// It is watched from now on, and by nobody who watched it before.
    pub(super) fn begin(&mut self, token: Token, whom: u64) {
        *self.get() = Entry {
            whom,
            generation: token.generation,
            watched: true,
            pending: 0,
        };
    }

    /// Nobody watches it any more.
    pub(super) fn end(&mut self) {
        self.get().watched = false;
    }
}

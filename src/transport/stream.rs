//! Bytes in from one descriptor, bytes out to another: what programs and descriptor ports
//! have in common.
//!
//! An [`Intake`] reads when told that there is something, cuts packets where the port has
//! them, and hands over what came. An [`Outlet`] writes what the other side takes at once and
//! keeps the rest. Neither waits, and neither holds its own state while it tells the port
//! something, because that may well close them.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use crate::os::errno::Errno;
use crate::os::fd;
use crate::port::{Packet, Port};
use crate::runtime::reactor::Watch;
use crate::runtime::turn::{OnTurn, Turn, TurnCell};
use crate::term::iodata::IoData;
use crate::transport::outbox::{Outbox, with_pieces};
use crate::transport::packet::{Decoder, Header};

/// As much as one message of a stream holds.
const READ_BYTES_MAX: usize = 65_536;
/// How often one turn reads before others get it.
const READS_MAX: usize = 16;

/// A descriptor that is ours to close, or only ours to use.
#[derive(Debug)]
pub(super) enum Source {
    /// A pipe of ours, which does not block.
    Owned(OwnedFd),
    /// Somebody else's pipe, terminal or socket: it may block, and is not to be waited for.
    Number(RawFd),
    /// Somebody else's file: there is always something, or the end.
    File(RawFd),
}

impl AsRawFd for Source {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Source::Owned(fd) => fd.as_raw_fd(),
            Source::Number(number) | Source::File(number) => *number,
        }
    }
}

/// The way in.
pub(super) struct Intake {
    state: TurnCell<Reading>,
}

struct Reading {
    // The watch goes before the descriptor it watches.
    watch: Option<Watch>,
    source: Option<Source>,
    decoder: Option<Decoder>,
}

/// How reading came to its end for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pumped {
    /// There is no more at the moment.
    Dry,
    /// There may be more; somebody else should have a chance first.
    More,
    /// The end of the file.
    End,
    /// Reading is over: what was read closed the port.
    Closed,
    Failed(Errno),
}

/// How far to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// One read: the next one might wait.
    Once,
    /// Less came than was asked for, so there was no more.
    Short,
    /// Nothing came, or the end: the other side is gone, and nobody will tell again.
    Dry,
}

impl Intake {
    /// Not reading yet.
    pub(super) fn new(turn: &Arc<Turn>, packet: Option<Packet>) -> Intake {
        let reading = Reading {
            watch: None,
            source: None,
            decoder: packet.map(Decoder::new),
        };
        Intake {
            state: TurnCell::new(turn, reading),
        }
    }

    /// Reads from here from now on, when the watch says so.
    pub(super) fn open(&self, on: &mut OnTurn<'_>, source: Source, watch: Option<Watch>) {
        let state = self.state.get(on);
        state.watch = watch;
        state.source = Some(source);
    }

    /// The watch, to be asked for more.
    pub(super) fn watch<'a>(&'a self, on: &'a mut OnTurn<'_>) -> Option<&'a Watch> {
        self.state.get(on).watch.as_ref()
    }

    /// Reads no more, and closes what is ours.
    pub(super) fn close(&self, on: &mut OnTurn<'_>) {
        let state = self.state.get(on);
        state.watch = None;
        state.source = None;
        state.decoder = None;
    }

    /// Reads what is there and hands it to the port.
    pub(super) fn pump(&self, on: &mut OnTurn<'_>, port: &Arc<Port>, until: Until) -> Pumped {
        let mut scratch = Scratch::take();
        for _ in 0..READS_MAX {
            let read = match self.state.get(on).read(scratch.bytes()) {
                Ok(read) => read,
                Err(pumped) => return pumped,
            };
            if let Some(ended) = self.hand_over(on, port, &scratch.bytes()[..read.in_scratch]) {
                return ended;
            }
            if until == Until::Once || (until == Until::Short && read.was_short) {
                return Pumped::Dry;
            }
        }
        Pumped::More
    }

    fn hand_over(&self, on: &mut OnTurn<'_>, port: &Arc<Port>, mut bytes: &[u8]) -> Option<Pumped> {
        loop {
            let state = self.state.get(on);
            if state.source.is_none() {
                return Some(Pumped::Closed);
            }
            match state
                .decoder
                .as_mut()
                .map(|decoder| decoder.next(&mut bytes))
            {
                Some(Ok(Some(packet))) => port.deliver_binary(on, packet),
                Some(Ok(None)) => return None,
                Some(Err(_)) => return Some(Pumped::Failed(Errno::ENOMEM)),
                None if bytes.is_empty() => return None,
                None => port.deliver_bytes(on, std::mem::take(&mut bytes)),
            }
        }
    }
}

/// What one read gave.
struct Read {
    in_scratch: usize,
    was_short: bool,
}

impl Reading {
    /// Reads once: to the place where a large packet is to stay, or else into `scratch`.
    fn read(&mut self, scratch: &mut [u8]) -> Result<Read, Pumped> {
        let Some(source) = &self.source else {
            return Err(Pumped::Closed);
        };
        let room = match &mut self.decoder {
            Some(decoder) => decoder.room().map_err(|_| Pumped::Failed(Errno::ENOMEM))?,
            None => &mut [],
        };
        let direct = !room.is_empty();
        let into = if direct { room } else { scratch };
        let asked = into.len();
        let got = match source {
            Source::Owned(_) | Source::File(_) => fd::read_into(source, into),
            Source::Number(_) => fd::read_now(source, into),
        };
        match got {
            Ok(0) => Err(Pumped::End),
            Ok(got) => {
                if let (true, Some(decoder)) = (direct, &mut self.decoder) {
                    decoder.filled(got);
                }
                Ok(Read {
                    in_scratch: if direct { 0 } else { got },
                    was_short: got < asked,
                })
            }
            Err(Errno::EAGAIN) => Err(Pumped::Dry),
            Err(error) => Err(Pumped::Failed(error)),
        }
    }
}

/// Memory to read into, one per thread that reads.
struct Scratch(Option<Box<[u8]>>);

thread_local! {
    static SCRATCH: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

impl Scratch {
    /// This thread's, or another one where that is in use or the thread is at its end.
    fn take() -> Scratch {
        Scratch(SCRATCH.try_with(Cell::take).ok().flatten())
    }

    fn bytes(&mut self) -> &mut [u8] {
        self.0.get_or_insert_with(|| vec![0; READ_BYTES_MAX].into())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let memory = self.0.take();
        // A thread at its end has no use for it.
        let _ = SCRATCH.try_with(|scratch| scratch.set(memory));
    }
}

/// The way out of a descriptor of our own that does not block.
pub(super) struct Outlet {
    state: TurnCell<Writing>,
}

struct Writing {
    // The watch goes before the descriptor it watches.
    watch: Option<Watch>,
    to: Option<OwnedFd>,
    outbox: Outbox,
}

impl Outlet {
    /// Nowhere to write to yet.
    pub(super) fn new(turn: &Arc<Turn>) -> Outlet {
        let writing = Writing {
            watch: None,
            to: None,
            outbox: Outbox::default(),
        };
        Outlet {
            state: TurnCell::new(turn, writing),
        }
    }

    /// Writes go here from now on.
    pub(super) fn open(&self, on: &mut OnTurn<'_>, to: OwnedFd) {
        self.state.get(on).to = Some(to);
    }

    /// Forgets what waits, and closes.
    pub(super) fn close(&self, on: &mut OnTurn<'_>) {
        let state = self.state.get(on);
        state.watch = None;
        state.to = None;
        state.outbox.clear();
    }

    /// How many bytes wait.
    pub(super) fn queued(&self, on: &mut OnTurn<'_>) -> usize {
        self.state.get(on).outbox.len()
    }

    /// The descriptor that has to be watched, because bytes wait and nobody does yet.
    pub(super) fn unwatched(&self, on: &mut OnTurn<'_>) -> Option<RawFd> {
        let state = self.state.get(on);
        match (&state.to, &state.watch) {
            (Some(to), None) if !state.outbox.is_empty() => Some(to.as_raw_fd()),
            _ => None,
        }
    }

    /// Somebody watches now, and calls [`Outlet::drain`].
    pub(super) fn watched(&self, on: &mut OnTurn<'_>, watch: Watch) {
        self.state.get(on).watch = Some(watch);
    }

    /// Sends a packet, or as much as is taken now; the rest waits its turn.
    pub(super) fn send(
        &self,
        on: &mut OnTurn<'_>,
        header: &Header,
        data: IoData<'_>,
    ) -> Result<(), Errno> {
        let state = self.state.get(on);
        let Some(to) = &state.to else {
            return Err(Errno::EBADF);
        };
        let done = match state.outbox.is_empty() {
            true => with_pieces(header, &data, |pieces| {
                taken(fd::write_vectored(to, pieces))
            })?,
            false => 0,
        };
        if done < header.as_bytes().len() + data.len() {
            state.outbox.push(header, data, done);
        }
        Ok(())
    }

    /// Writes as much of what waits as is taken now.
    pub(super) fn drain(&self, on: &mut OnTurn<'_>) -> Result<(), Errno> {
        let state = self.state.get(on);
        let Some(to) = &state.to else {
            return Ok(());
        };
        while !state.outbox.is_empty() {
            match taken(fd::write_vectored(to, &state.outbox.front()))? {
                0 => break,
                done => state.outbox.advance(done),
            }
        }
        Ok(())
    }
}

/// A full pipe takes nothing, which is no failure.
fn taken(written: Result<usize, Errno>) -> Result<usize, Errno> {
    match written {
        Err(Errno::EAGAIN) => Ok(0),
        other => other,
    }
}

//! Bytes in from one descriptor, bytes out to another: what programs and descriptor ports
//! have in common.
//!
//! An [`Intake`] reads when told that there is something, cuts packets where the port has
//! them, and hands over what came. An [`Outlet`] writes what the other side takes at once and
//! keeps the rest. Neither waits, and neither holds its own state while it tells the port
//! something, because that may well close them.
#![forbid(unsafe_code)]

use std::array;
use std::cell::Cell;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use crate::os::errno::Errno;
use crate::os::fd::{self, Wait};
use crate::os::poll::Interest;
use crate::port::{Options, Packet, Port};
use crate::runtime::reactor::Watch;
use crate::runtime::turn::{OnTurn, Turn, TurnCell};
use crate::seldom::Seldom;
use crate::term::iodata::IoData;
use crate::term::{Binary, Landing, PLACE_BYTES};
use crate::transport::outbox::{Outbox, with_pieces};
use crate::transport::packet::{Decoder, Header};
use crate::transport::width::{WIDE_IN_BYTES, WIDE_OUT_BYTES, Width};

/// As much as one message of a stream holds.
const STREAM_BYTES_MAX: usize = 65_536;
/// How often one turn reads before others get it, and the owner what was read: seldom, since what waits for
/// the owner has to be fetched from memory again, and takes places that are not kept ([`Landing`]).
const READS_MAX: usize = 2;
/// So many messages are read at once, instead, from a wide pipe: each read wakes who writes to it, which may
/// take the processor from this thread, and better does so seldom.
const ROW: usize = 4;

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
    /// For a port that has packets.
    decoder: Option<Box<Decoder>>,
    width: Width<WIDE_IN_BYTES>,
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
    pub(super) fn new(turn: &Arc<Turn>, options: &Options) -> Intake {
        let reading = Reading {
            watch: None,
            source: None,
            decoder: options.packet.map(|packet| Box::new(Decoder::new(packet))),
            width: Width::default(),
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

    /// Asks to be told again of what is left to read. False when that cannot be had.
    pub(super) fn ask_again(&self, on: &mut OnTurn<'_>, interest: Interest) -> bool {
        let watch = self.state.get(on).watch.as_ref();
        watch.is_some_and(|watch| watch.rearm(interest).is_ok())
    }

    /// Whether this is the descriptor that is read.
    pub(super) fn reads_from(&self, on: &mut OnTurn<'_>, fd: RawFd) -> bool {
        let source = self.state.get(on).source.as_ref();
        source.is_some_and(|source| source.as_raw_fd() == fd)
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
        state.width = Width::default();
    }

    /// Reads what is there and hands it to the port.
    pub(super) fn pump(&self, on: &mut OnTurn<'_>, port: &Arc<Port>, until: Until) -> Pumped {
        let mut scratch = Scratch::take();
        for _ in 0..READS_MAX {
            let row = scratch.row();
            let read = match self.state.get(on).read(row) {
                Ok(read) => read,
                Err(pumped) => return pumped,
            };
            let ended = match read.from {
                Place::Packet => self.hand_over(on, port, &[]),
                Place::Landings(number) => row
                    .iter_mut()
                    .take(number)
                    .filter(|landing| !landing.bytes().is_empty())
                    .find_map(|landing| self.hand_over_landing(on, port, landing)),
            };
            if let Some(ended) = ended {
                return ended;
            }
            if until == Until::Once || (until == Until::Short && read.was_short) {
                return Pumped::Dry;
            }
            if let Place::Landings(ROW) = read.from {
                break;
            }
        }
        Pumped::More
    }

    fn hand_over_landing(
        &self,
        on: &mut OnTurn<'_>,
        port: &Arc<Port>,
        landing: &mut Landing,
    ) -> Option<Pumped> {
        match self.whole(on, port, landing.bytes()) {
            Some(skip) => self.hand_over_whole(on, port, landing.take(skip)),
            None => self.hand_over(on, port, landing.bytes()),
        }
    }

    /// Where the message begins in what was read, if that is one as it is.
    fn whole(&self, on: &mut OnTurn<'_>, port: &Port, bytes: &[u8]) -> Option<usize> {
        match &self.state.get(on).decoder {
            // It is cut into lines, and so has no use for memory of its own.
            _ if port.kept_options().line => None,
            None => Some(0),
            Some(decoder) => decoder.only(bytes),
        }
    }

    fn hand_over_whole(
        &self,
        on: &mut OnTurn<'_>,
        port: &Arc<Port>,
        message: Binary,
    ) -> Option<Pumped> {
        port.deliver_binary(on, message);
        let closed = self.state.get(on).source.is_none();
        closed.then_some(Pumped::Closed)
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
    from: Place,
    was_short: bool,
}

/// Where it was read to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The first so many of a row.
    Landings(usize),
    /// Where a large packet is to stay.
    Packet,
}

impl Reading {
    /// Reads once: to the place where a large packet is to stay, or else to one or all of `row`.
    fn read(&mut self, row: &mut [Landing; ROW]) -> Result<Read, Pumped> {
        let Some(source) = &self.source else {
            return Err(Pumped::Closed);
        };
        // Only a pipe of ours is ever wide.
        let is_row = self.decoder.is_none() && self.width.is_wide();
        let (room, most) = match &mut self.decoder {
            Some(decoder) => {
                let room = decoder.room().map_err(|_| Pumped::Failed(Errno::ENOMEM))?;
                (room, PLACE_BYTES)
            }
            None => (&mut [][..], STREAM_BYTES_MAX),
        };
        let wait = match source {
            Source::Owned(_) | Source::File(_) => Wait::AsSet,
            Source::Number(_) => Wait::Never,
        };
        let (from, asked) = match room.len() {
            0 if is_row => (Place::Landings(ROW), ROW * most),
            0 => (Place::Landings(1), most),
            room => (Place::Packet, room),
        };
        let got = match (from, wait) {
            (Place::Landings(ROW), _) => {
                Landing::fill(row, most, |rooms| fd::read_to_row(source, rooms))
                    .unwrap_or(Err(Errno::ENOMEM))
            }
            (Place::Landings(_), _) => {
                let [landing, ..] = row;
                Landing::fill(array::from_mut(landing), most, |[room]| {
                    fd::read_to(source, room, wait).map(|filled| [filled])
                })
                .unwrap_or(Err(Errno::ENOMEM))
            }
            (Place::Packet, Wait::AsSet) => fd::read_into(source, room),
            (Place::Packet, Wait::Never) => fd::read_now(source, room),
        };
        match got {
            Ok(0) => Err(Pumped::End),
            Ok(got) => {
                if let (Place::Packet, Some(decoder)) = (from, &mut self.decoder) {
                    decoder.filled(got);
                }
                if let (Source::Owned(pipe), true) = (source, got >= STREAM_BYTES_MAX) {
                    self.width.crowded(pipe, got);
                }
                Ok(Read {
                    from,
                    was_short: got < asked,
                })
            }
            Err(Errno::EAGAIN) => Err(Pumped::Dry),
            Err(error) => Err(Pumped::Failed(error)),
        }
    }
}

/// Memory to read to, one per thread that reads.
struct Scratch(Option<[Landing; ROW]>);

thread_local! {
    static SCRATCH: Cell<Option<[Landing; ROW]>> = const { Cell::new(None) };
}

impl Scratch {
    /// This thread's, or another one where that is in use or the thread is at its end.
    fn take() -> Scratch {
        Scratch(SCRATCH.try_with(Cell::take).ok().flatten())
    }

    fn row(&mut self) -> &mut [Landing; ROW] {
        self.0.get_or_insert_default()
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
    packet: Option<Packet>,
    // The watch goes before the descriptor it watches.
    held_up: Seldom<HeldUp>,
    to: Option<OwnedFd>,
    width: Width<WIDE_OUT_BYTES>,
}

/// What was not taken at once.
#[derive(Default)]
struct HeldUp {
    watch: Option<Watch>,
    outbox: Outbox,
}

impl Outlet {
    /// Nowhere to write to yet.
    pub(super) fn new(options: &Options) -> Outlet {
        Outlet {
            packet: options.packet,
            held_up: Seldom::default(),
            to: None,
            width: Width::default(),
        }
    }

    /// Writes go here from now on.
    pub(super) fn open(&mut self, to: OwnedFd) {
        self.to = Some(to);
    }

    /// Forgets what waits, and closes.
    pub(super) fn close(&mut self) {
        self.held_up.take();
        self.to = None;
        self.width = Width::default();
    }

    /// How many bytes wait.
    pub(super) fn queued(&self) -> usize {
        self.held_up.get().map_or(0, |held_up| held_up.outbox.len())
    }

    /// The descriptor that has to be watched, because bytes wait and nobody does yet.
    pub(super) fn unwatched(&self) -> Option<RawFd> {
        let held_up = self.held_up.get()?;
        let unwatched = held_up.watch.is_none() && !held_up.outbox.is_empty();
        let to = self.to.as_ref().filter(|_| unwatched);
        to.map(OwnedFd::as_raw_fd)
    }

    /// Somebody watches now, and calls [`Outlet::drain`].
    pub(super) fn watched(&mut self, watch: Watch) {
        self.held_up.wanted().watch = Some(watch);
    }

    /// Sends a packet, or as much as is taken now; the rest waits its turn. `EINVAL` for more than a packet
    /// can hold, `EBADF` where there is no way out.
    pub(super) fn send(&mut self, data: IoData<'_>) -> Result<(), Errno> {
        let Some(to) = &self.to else {
            return Err(Errno::EBADF);
        };
        let header = match self.packet {
            None if data.is_empty() => return Ok(()),
            None => Header::NONE,
            Some(packet) => Header::new(packet, data.len()).ok_or(Errno::EINVAL)?,
        };
        let done = match self.queued() == 0 {
            true => with_pieces(&header, &data, |pieces| {
                taken(fd::write_vectored(to, pieces))
            })?,
            false => 0,
        };
        if done < header.as_bytes().len() + data.len() {
            // Nothing at a pipe that was full before: the other side may stand still.
            self.width.crowded(to, done);
            self.held_up.wanted().outbox.push(&header, data, done);
        }
        Ok(())
    }

    /// Writes as much of what waits as is taken now.
    pub(super) fn drain(&mut self) -> Result<(), Errno> {
        let (Some(to), Some(held_up)) = (&self.to, self.held_up.get_mut()) else {
            return Ok(());
        };
        while !held_up.outbox.is_empty() {
            match taken(fd::write_vectored(to, &held_up.outbox.front()))? {
                0 => break,
                done => {
                    held_up.outbox.advance(done);
                    self.width.crowded(to, done);
                }
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

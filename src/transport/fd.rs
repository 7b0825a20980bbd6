//! Descriptors that the host has already, as a port. They are used, and never closed.
//!
//! They may block, be shared with other processes, and be closed by somebody else at any
//! time. So a read is made when the kernel says that there is something, and gives up rather
//! than wait. A write is made at once where the kernel can be told not to wait; what is left
//! then, and everything to terminals and files, is written by a thread of the port's own that
//! is there from the first such write on. It may get stuck in a terminal that is held up;
//! then the thread stays until that is over, and nobody waits for it.
#![forbid(unsafe_code)]

use std::os::fd::RawFd;
use std::sync::{Arc, OnceLock, Weak};

use crate::lock::{Lock, Signal};
use crate::os::errno::Errno;
use crate::os::fd;
use crate::os::poll::{Events, Interest, Mode, Poller};
use crate::os::thread;
use crate::port::transport::{Locking, Nature, Started, Transport};
use crate::port::{Direction, Options, Packet, Port};
use crate::runtime::reactor::Readiness;
use crate::runtime::turn::{OnTurn, Turn};
use crate::term::iodata::IoData;
use crate::term::{Binary, Pid, Term};
use crate::transport::outbox::{Outbox, with_pieces};
use crate::transport::packet::Header;
use crate::transport::stream::{Intake, Pumped, Source, Until};

/// The back end of `{fd, In, Out}`.
pub(super) struct Descriptors {
    input: i64,
    output: i64,
    direction: Direction,
    packet: Option<Packet>,
    intake: Intake,
    writer: OnceLock<Arc<Writer>>,
}

/// One event, then silence until asked again: a descriptor that blocks is read once per event.
const READ_ONCE: Interest = Interest {
    readable: true,
    writable: false,
    mode: Mode::OneShot,
};

impl Descriptors {
    /// Descriptors that nobody has looked at yet.
    pub(super) fn new(input: i64, output: i64, options: &Options, turn: &Arc<Turn>) -> Descriptors {
        Descriptors {
            input,
            output,
            direction: options.direction,
            packet: options.packet,
            intake: Intake::new(turn, options),
            writer: OnceLock::new(),
        }
    }

    /// Begins to read. That the number is not open is no error of the open.
    fn listen(&self, on: &mut OnTurn<'_>, port: &Arc<Port>, number: RawFd) {
        let reactor = &port.services().reactor;
        match reactor.take_over(number, READ_ONCE, port.id().number()) {
            Ok(watch) => self.intake.open(on, Source::Number(number), Some(watch)),
            // A file, which is always ready.
            Err(Errno::EPERM) => {
                self.intake.open(on, Source::File(number), None);
                read_on(on, port);
            }
            Err(error) => {
                tracing::error!(port = %port.id(), fd = number, %error, "bad input descriptor");
            }
        }
    }

    fn on_input(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) {
        match self.intake.pump(on, port, Until::Once) {
            Pumped::Dry | Pumped::More => match self.intake.watch(on) {
                Some(watch) => match watch.rearm(READ_ONCE) {
                    // Another port reads it now, and this one hears no more of it.
                    Ok(()) | Err(Errno::EBUSY) => {}
                    Err(error) => port.fail(on, Term::atom(error.name())),
                },
                None => read_on(on, port),
            },
            Pumped::End => {
                self.intake.close(on);
                port.end_of_input(on, None);
            }
            Pumped::Closed => {}
            Pumped::Failed(error) => port.fail(on, Term::atom(error.name())),
        }
    }

    /// The thread that writes has got on, or has failed.
    fn on_output(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) {
        let Some(writer) = self.writer.get() else {
            return;
        };
        let (queued, failed) = writer.news();
        if let Some(error) = failed {
            return port.fail(on, Term::atom(error.name()));
        }
        port.queue_changed(on, queued);
        port.flushed(on);
    }
}

impl Transport for Descriptors {
    fn start(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) -> Result<Started, Term> {
        let einval = || Term::atom(Errno::EINVAL.name());
        let max = fd::descriptors_max();
        let check = |number: i64| {
            let in_range = u64::try_from(number).is_ok_and(|number| number < max);
            RawFd::try_from(number)
                .ok()
                .filter(|_| in_range)
                .ok_or_else(einval)
        };
        if self.direction.writes() {
            let output = check(self.output)?;
            self.writer
                .get_or_init(|| Arc::new(Writer::new(output, Arc::downgrade(port))));
        }
        if self.direction.reads() {
            let input = check(self.input)?;
            self.listen(on, port, input);
        }
        Ok(Started::Now)
    }

    fn command(
        &self,
        on: &mut OnTurn<'_>,
        port: &Arc<Port>,
        _: Option<Pid>,
        data: &mut IoData<'_>,
    ) {
        let Some(writer) = self.writer.get() else {
            return port.fail(on, Term::atom(Errno::EBADF.name()));
        };
        let header = match self.packet {
            None if data.is_empty() => return,
            None => Header::NONE,
            Some(packet) => match Header::new(packet, data.len()) {
                Some(header) => header,
                None => return port.fail(on, Term::atom(Errno::EINVAL.name())),
            },
        };
        match writer.send(&header, std::mem::take(data)) {
            Ok(0) => {}
            Ok(queued) => port.queue_changed(on, queued),
            Err(error) => port.fail(on, Term::atom(error.name())),
        }
    }

    fn queued(&self, _: &mut OnTurn<'_>) -> usize {
        self.writer.get().map_or(0, |writer| writer.queued())
    }

    /// Nothing to do: what waits is being written anyway.
    fn flush(&self, _: &mut OnTurn<'_>, _: &Arc<Port>) {}

    fn stop(&self, on: &mut OnTurn<'_>, _: &Arc<Port>) {
        self.intake.close(on);
        if let Some(writer) = self.writer.get() {
            writer.stop();
        }
    }

    fn ready(&self, on: &mut OnTurn<'_>, port: &Arc<Port>, _: RawFd, _: Readiness) {
        self.on_input(on, port);
    }

    fn nature(&self) -> Nature {
        Nature {
            locking: Locking::Driver,
            queue_limited: true,
            soft_busy: false,
        }
    }
}

/// Reads more of a file, when it is this port's turn again.
fn read_on(on: &mut OnTurn<'_>, port: &Arc<Port>) {
    let port = Arc::downgrade(port);
    on.turn().post(Box::new(move |on| {
        with(&port, |descriptors, port| descriptors.on_input(on, port));
    }));
}

fn with(port: &Weak<Port>, f: impl FnOnce(&Descriptors, &Arc<Port>)) {
    if let Some(port) = port.upgrade()
        && let Some(descriptors) = port.transport_as::<Descriptors>()
    {
        f(descriptors, &port);
    }
}

/// Writes to one descriptor: on the turn what is taken at once, in a thread the rest.
struct Writer {
    to: RawFd,
    port: Weak<Port>,
    work: Lock<Work>,
    changed: Signal,
    /// Where the thread waits for the descriptor.
    poller: OnceLock<Poller>,
}

#[derive(Default)]
struct Work {
    outbox: Outbox,
    /// The thread is there.
    served: bool,
    stopped: bool,
    failed: Option<Errno>,
    /// The port is going to ask for news.
    told: bool,
}

/// What a pipe that has room takes without waiting; a terminal does not take more either.
const STEP_BYTES: usize = 4096;
const FILE_STEP_BYTES: usize = 65_536;

const WRITES: Interest = Interest {
    readable: false,
    writable: true,
    mode: Mode::Level,
};

impl Writer {
    fn new(to: RawFd, port: Weak<Port>) -> Writer {
        Writer {
            to,
            port,
            work: Lock::default(),
            changed: Signal::new(),
            poller: OnceLock::new(),
        }
    }

    /// Called on the turn. Answers how many bytes wait now.
    fn send(self: &Arc<Self>, header: &Header, data: IoData<'_>) -> Result<usize, Errno> {
        // Bytes wait until they are out, and only the turn adds any: where none wait, the
        // thread has nothing in hand that must go first.
        let done = match self.queued() {
            0 => match with_pieces(header, &data, |pieces| fd::write_now(&self.to, pieces)) {
                Ok(done) => done,
                Err(Errno::EAGAIN | Errno::EOPNOTSUPP) => 0,
                Err(error) => return Err(error),
            },
            _ => 0,
        };
        if done == header.as_bytes().len() + data.len() {
            return Ok(0);
        }
        let mut work = self.work.lock();
        work.outbox.push(header, data, done);
        let queued = work.outbox.len();
        let served = std::mem::replace(&mut work.served, true);
        drop(work);
        if served {
            self.changed.notify_one();
        } else {
            let writer = Arc::clone(self);
            thread::spawn(&format!("wharf_fd_{}", self.to), move || writer.serve())?;
        }
        Ok(queued)
    }

    fn queued(&self) -> usize {
        self.work.lock().outbox.len()
    }

    fn news(&self) -> (usize, Option<Errno>) {
        let mut work = self.work.lock();
        work.told = false;
        (work.outbox.len(), work.failed)
    }

    fn stop(&self) {
        let mut work = self.work.lock();
        work.stopped = true;
        work.outbox.clear();
        drop(work);
        self.changed.notify_one();
        if let Some(poller) = self.poller.get() {
            poller.wake();
        }
    }

    /// The thread.
    fn serve(&self) {
        let watched = self.watch();
        let step = if watched { STEP_BYTES } else { FILE_STEP_BYTES };
        while let Some(piece) = self.next(step) {
            if watched && !self.wait() {
                continue;
            }
            match fd::write(&self.to, &piece) {
                Ok(done) => self.advance(done),
                Err(Errno::EAGAIN) => {}
                Err(error) => return self.fail(error),
            }
        }
    }

    /// Whether the descriptor is one to wait for; files are not, and without a poller a write
    /// waits by itself.
    fn watch(&self) -> bool {
        let Ok(poller) = Poller::new() else {
            return false;
        };
        let watched = poller.add(&self.to, 0, WRITES).is_ok();
        self.poller.set(poller).is_ok() && watched
    }

    /// Sleeps until the descriptor takes something. False when something else came up.
    fn wait(&self) -> bool {
        let mut events = Events::with_capacity(1);
        match self
            .poller
            .get()
            .map(|poller| poller.wait(&mut events, None))
        {
            Some(Ok(())) => events.iter().next().is_some(),
            Some(Err(_)) | None => true,
        }
    }

    /// What to write next, once there is something; nothing ever again for a port that is gone.
    fn next(&self, step: usize) -> Option<Binary> {
        let mut work = self.work.lock();
        loop {
            if work.stopped {
                return None;
            }
            if !work.outbox.is_empty() {
                return Some(work.outbox.first(step));
            }
            self.changed.wait(&mut work, None);
        }
    }

    fn advance(&self, done: usize) {
        let mut work = self.work.lock();
        if !work.stopped {
            work.outbox.advance(done);
        }
        let told = std::mem::replace(&mut work.told, true);
        drop(work);
        if !told {
            self.tell();
        }
    }

    fn fail(&self, error: Errno) {
        self.work.lock().failed = Some(error);
        self.tell();
    }

    fn tell(&self) {
        let Some(port) = self.port.upgrade() else {
            return;
        };
        let weak = Weak::clone(&self.port);
        port.turn().post(Box::new(move |on| {
            with(&weak, |descriptors, port| descriptors.on_output(on, port));
        }));
    }
}

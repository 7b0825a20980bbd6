//! An external program as a port.
//!
//! The port lives by the program's output, not by the program: what ends it is the end of
//! the pipe it reads (with the option `exit_status`: that and the program's end). It is told
//! of the program's end by a descriptor, and a program that outlives its port is waited for
//! elsewhere. Programs are never signalled.
#![forbid(unsafe_code)]

use std::num::NonZeroU32;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Weak};

use crate::os::child::{Child, Exit, Given};
use crate::os::errno::Errno;
use crate::os::fd::{self, Pipe, pipe};
use crate::os::poll::{Interest, Mode};
use crate::port::state::Phase;
use crate::port::transport::{Locking, Nature, Started, Transport};
use crate::port::{Direction, Options, Port};
use crate::runtime::reactor::{Readiness, Watch};
use crate::runtime::turn::{OnTurn, Turn, TurnCell};
use crate::term::iodata::IoData;
use crate::term::{Pid, Term};
use crate::transport::command::Command;
use crate::transport::stream::{Intake, Outlet, Pumped, Source, Until};

/// The back end of `{spawn, _}` and `{spawn_executable, _}`.
pub(super) struct Program {
    intake: Intake,
    life: TurnCell<Life>,
}

/// The program itself, and the way to it.
struct Life {
    /// Nothing once it is started.
    start: Option<Box<Start>>,
    outlet: Outlet,
    pid: Option<NonZeroU32>,
    // The watch goes before the child it watches.
    watch: Option<Watch>,
    /// Until it has ended, or the port has.
    child: Option<Child>,
    status: Option<u8>,
    /// Without output to be read a status is never told, even if asked for.
    wants_status: bool,
    input_ended: bool,
}

/// What to start, and with which descriptors.
struct Start {
    command: Command,
    direction: Direction,
    nouse_stdio: bool,
    stderr_to_stdout: bool,
}

/// The ends of the pipes between port and program.
struct Pipes {
    to_port: Option<Pipe>,
    to_program: Option<Pipe>,
}

const READS: Interest = Interest {
    readable: true,
    writable: false,
    mode: Mode::Edge,
};
const WRITES: Interest = Interest {
    readable: false,
    writable: true,
    mode: Mode::Edge,
};
/// Once, since a program that is waited for is an event to all who still wait for one.
const ENDS: Interest = Interest {
    readable: true,
    writable: false,
    mode: Mode::OneShot,
};

impl Program {
    /// A program that is still to be started.
    pub(super) fn new(command: Command, options: &Options, turn: &Arc<Turn>) -> Program {
        let start = Start {
            command,
            direction: options.direction,
            nouse_stdio: options.nouse_stdio,
            stderr_to_stdout: options.stderr_to_stdout,
        };
        let life = Life {
            start: Some(Box::new(start)),
            outlet: Outlet::new(options),
            pid: None,
            watch: None,
            child: None,
            status: None,
            wants_status: options.exit_status && options.direction.reads(),
            input_ended: false,
        };
        Program {
            intake: Intake::new(turn, options),
            life: TurnCell::new(turn, life),
        }
    }

    fn launch(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) -> Result<(), Errno> {
        let Some(start) = self.life.get(on).start.take() else {
            return Err(Errno::EINVAL);
        };
        let pipes = Pipes::new(start.direction, start.stderr_to_stdout)?;
        let child = start.command.start(start.descriptors(&pipes))?;
        self.life.get(on).pid = NonZeroU32::new(child.pid());
        let attached = self.attach(on, port, pipes, start.direction.reads(), &child);
        let life = self.life.get(on);
        match attached {
            Ok(watch) => {
                life.watch = Some(watch);
                life.child = Some(child);
                Ok(())
            }
            Err(error) => {
                life.outlet.close();
                self.intake.close(on);
                port.services().orphans.adopt(child);
                Err(error)
            }
        }
    }

    /// Takes our ends of the pipes, and begins to listen.
    fn attach(
        &self,
        on: &mut OnTurn<'_>,
        port: &Arc<Port>,
        pipes: Pipes,
        reads: bool,
        child: &Child,
    ) -> Result<Watch, Errno> {
        if let Some(Pipe { writer, .. }) = pipes.to_program {
            let writer = fd::keep(writer);
            fd::set_nonblocking(&writer, true)?;
            self.life.get(on).outlet.open(writer);
        }
        if let Some(Pipe { reader, .. }) = pipes.to_port.filter(|_| reads) {
            let reader = fd::keep(reader);
            fd::set_nonblocking(&reader, true)?;
            let watch = watch(port, &reader, READS)?;
            self.intake.open(on, Source::Owned(reader), Some(watch));
        }
        watch(port, child, ENDS)
    }

    /// There is something to read, or nothing ever again.
    fn on_input(&self, on: &mut OnTurn<'_>, port: &Arc<Port>, until: Until) {
        match self.intake.pump(on, port, until) {
            Pumped::Dry | Pumped::Closed => {}
            // As another event, so that the owner comes first if it is this thread that reads.
            Pumped::More if self.intake.ask_again(on, READS) => {}
            Pumped::More => {
                let port = Arc::downgrade(port);
                on.turn().post(Box::new(move |on| read_on(on, &port)));
            }
            Pumped::End => {
                self.intake.close(on);
                self.life.get(on).input_ended = true;
                if self.life.get(on).wants_status {
                    self.tell_status(on, port);
                } else {
                    port.end_of_input(on, None);
                }
            }
            Pumped::Failed(error) => port.fail(on, Term::atom(error.name())),
        }
    }

    /// The program may take more.
    fn on_output(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) {
        if let Err(error) = self.life.get(on).outlet.drain() {
            return port.fail(on, Term::atom(error.name()));
        }
        let queued = self.queued(on);
        port.queue_changed(on, queued);
        port.flushed(on);
    }

    /// The program has ended.
    fn on_end(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) {
        let life = self.life.get(on);
        let exit = match life.child.as_ref().map(Child::reap) {
            Some(Ok(Some(exit))) => exit,
            Some(Err(_)) => Exit::Taken,
            Some(Ok(None)) => {
                // It fails only where it is watched no more.
                let _ = life.watch.as_ref().map(|watch| watch.rearm(ENDS));
                return;
            }
            None => return,
        };
        life.watch = None;
        life.child = None;
        match exit {
            Exit::Status(status) => {
                life.status = Some(status);
                self.tell_status(on, port);
            }
            Exit::Taken if life.wants_status && port.phase(on) == Phase::Open => {
                tracing::error!(port = %port.id(), "the exit status of the program is lost: \
                    this process ignores SIGCHLD, or waits for children that are not its own");
                port.fail(on, Term::atom(Errno::ECHILD.name()));
            }
            Exit::Taken => {}
        }
    }

    /// Tells the status once the program has ended and all its output is told. A port that is
    /// closing has nobody to tell, and goes on to write what waits.
    fn tell_status(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) {
        let life = self.life.get(on);
        if let (true, Some(status)) = (life.wants_status && life.input_ended, life.status)
            && port.phase(on) == Phase::Open
        {
            port.end_of_input(on, Some(status));
        }
    }
}

impl Transport for Program {
    fn start(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) -> Result<Started, Term> {
        match self.launch(on, port) {
            Ok(()) => Ok(Started::Now),
            Err(error) => Err(Term::atom(error.name())),
        }
    }

    fn command(
        &self,
        on: &mut OnTurn<'_>,
        port: &Arc<Port>,
        _: Option<Pid>,
        data: &mut IoData<'_>,
    ) {
        let outlet = &mut self.life.get(on).outlet;
        if let Err(error) = outlet.send(std::mem::take(data)) {
            return port.fail(on, Term::atom(error.name()));
        }
        let queued = outlet.queued();
        if queued == 0 {
            return;
        }
        if let Some(fd) = outlet.unwatched() {
            match watch(port, &fd, WRITES) {
                Ok(watch) => outlet.watched(watch),
                Err(error) => return port.fail(on, Term::atom(error.name())),
            }
        }
        port.queue_changed(on, queued);
    }

    fn queued(&self, on: &mut OnTurn<'_>) -> usize {
        self.life.get(on).outlet.queued()
    }

    /// Nothing to do: what waits is being written anyway, and input is still read, so that its
    /// end is noticed.
    fn flush(&self, _: &mut OnTurn<'_>, _: &Arc<Port>) {}

    fn stop(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) {
        self.intake.close(on);
        let life = self.life.get(on);
        life.outlet.close();
        life.watch = None;
        if let Some(child) = life.child.take() {
            port.services().orphans.adopt(child);
        }
    }

    fn ready(&self, on: &mut OnTurn<'_>, port: &Arc<Port>, fd: RawFd, readiness: Readiness) {
        let child = self.life.get(on).child.as_ref();
        if child.is_some_and(|child| child.as_raw_fd() == fd) {
            return self.on_end(on, port);
        }
        if !self.intake.reads_from(on, fd) {
            return self.on_output(on, port);
        }
        // After the end of the other side nothing is reported again: read to the end.
        let until = if readiness.hangup {
            Until::Dry
        } else {
            Until::Short
        };
        self.on_input(on, port, until);
    }

    fn os_pid(&self, on: &mut OnTurn<'_>) -> Option<i64> {
        self.life.get(on).pid.map(|pid| i64::from(pid.get()))
    }

    fn nature(&self) -> Nature {
        Nature {
            locking: Locking::Port,
            queue_limited: true,
            soft_busy: false,
        }
    }
}

impl Start {
    /// What the program gets as its descriptors 0 to 4.
    fn descriptors<'p>(&self, pipes: &'p Pipes) -> [Given<'p>; 5] {
        let copy = |end: &'p OwnedFd| Given::Copy(end.as_fd());
        let reads = pipes.to_program.as_ref().map(|pipe| copy(&pipe.reader));
        let writes = pipes.to_port.as_ref().map(|pipe| copy(&pipe.writer));
        if self.nouse_stdio {
            let reads = reads.unwrap_or(Given::Closed);
            let writes = writes.unwrap_or(Given::Closed);
            return [
                Given::Inherited,
                Given::Inherited,
                Given::Inherited,
                reads,
                writes,
            ];
        }
        let errors = writes.filter(|_| self.stderr_to_stdout);
        let writes = writes.filter(|_| self.direction.reads());
        [
            reads.unwrap_or(Given::Inherited),
            writes.unwrap_or(Given::Inherited),
            errors.unwrap_or(Given::Inherited),
            Given::Closed,
            Given::Closed,
        ]
    }
}

impl Pipes {
    fn new(direction: Direction, stderr_to_stdout: bool) -> Result<Pipes, Errno> {
        // A port that only writes has errors sent into a pipe that nobody reads.
        let to_port = (direction.reads() || stderr_to_stdout)
            .then(pipe)
            .transpose()?;
        let to_program = direction.writes().then(pipe).transpose()?;
        Ok(Pipes {
            to_port,
            to_program,
        })
    }
}

/// Watches one of the port's descriptors.
fn watch(port: &Arc<Port>, fd: &impl AsRawFd, interest: Interest) -> Result<Watch, Errno> {
    let reactor = &port.services().reactor;
    reactor.watch(fd.as_raw_fd(), interest, port.id().number())
}

/// Reads more of what there is.
fn read_on(on: &mut OnTurn<'_>, port: &Weak<Port>) {
    if let Some(port) = port.upgrade()
        && let Some(program) = port.transport_as::<Program>()
    {
        program.on_input(on, &port, Until::Dry);
    }
}

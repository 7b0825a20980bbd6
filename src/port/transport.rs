//! What a back end of a port must do, whether it is made of descriptors or of loaded code.
//!
//! A back end is called on the port's turn only, and reports to the port what happens
//! ([`Port::deliver_bytes`], [`Port::end_of_input`], [`Port::fail`] …). Nothing of the
//! port's own state is borrowed while it runs, so it may report at any time, also from
//! inside the calls below; a report can end the port and so call [`Transport::stop`] before
//! it returns.
#![forbid(unsafe_code)]

use std::any::Any;
use std::os::fd::RawFd;
use std::sync::Arc;

use crate::port::Port;
use crate::runtime::reactor::{Readiness, Ready};
use crate::runtime::timers::Due;
use crate::runtime::turn::{OnTurn, Turn};
use crate::term::iodata::IoData;
use crate::term::{Pid, Reference, Term};

/// How a start ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Started {
    /// The port is open.
    Now,
    /// The port opens, or fails to, when the back end calls [`Port::acknowledge`].
    WhenAcknowledged,
}

/// The back end cannot do what it was asked (`badarg`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsupported;

/// What a port asks of its back end. See the module's text.
pub(crate) trait Transport: Any + Send + Sync {
    /// Opens: starts the program, or calls the driver. An error is the reason that the
    /// open fails with, and leaves nothing behind; `stop` is not called then.
    fn start(&self, on: &mut OnTurn<'_>, port: &Arc<Port>) -> Result<Started, Term>;

    /// Takes a command's bytes, out of `data` if they are to be kept. What goes wrong is reported by
    /// [`Port::fail`].
    fn command(
        &self,
        on: &mut OnTurn<'_>,
        port: &Arc<Port>,
        caller: Option<Pid>,
        data: &mut IoData<'_>,
    );

    /// `port_control`: the answer as Erlang sees it, put where the asker wants it. (Handed back through
    /// every level it would cost more than the request.)
    fn control(
        &self,
        _on: &mut OnTurn<'_>,
        _port: &Arc<Port>,
        _caller: Pid,
        _operation: u32,
        _data: &[u8],
        _answer: &mut Term,
    ) -> Result<(), Unsupported> {
        Err(Unsupported)
    }

    /// `port_call`.
    fn call(
        &self,
        _on: &mut OnTurn<'_>,
        _port: &Arc<Port>,
        _caller: Pid,
        _operation: u32,
        _data: &Term,
    ) -> Result<Term, Unsupported> {
        Err(Unsupported)
    }

    /// How many bytes have been taken but not yet been passed on.
    fn queued(&self, on: &mut OnTurn<'_>) -> usize;

    /// The port was closed while [`Self::queued`] bytes wait: from now on input is unwanted,
    /// and once the bytes are out, or can never be, [`Port::flushed`] is to be called.
    fn flush(&self, on: &mut OnTurn<'_>, port: &Arc<Port>);

    /// The port ends: lets go of everything. Called once, and nothing after it.
    fn stop(&self, on: &mut OnTurn<'_>, port: &Arc<Port>);

    /// A deadline that the back end has set with this number has passed. Called on no turn.
    fn due(&self, _port: &Arc<Port>, _number: u64) {}

    /// Something has happened to a descriptor that the back end watches.
    fn ready(&self, _on: &mut OnTurn<'_>, _port: &Arc<Port>, _fd: RawFd, _readiness: Readiness) {}

    /// Whether [`Self::ready`] may run on the thread that waits for events; see [`Ready`].
    fn may_run_here(&self, _port: &Port) -> bool {
        true
    }

    /// A process that the back end monitors has ended.
    fn process_down(&self, _on: &mut OnTurn<'_>, _port: &Arc<Port>, _monitor: Reference) {}

    /// The process id of the program, where there is one.
    fn os_pid(&self, _on: &mut OnTurn<'_>) -> Option<i64> {
        None
    }

    /// What does not change during the port's life.
    fn nature(&self) -> Nature;
}

impl Due for Port {
    fn due(self: Arc<Self>, number: u64) {
        self.transport.due(&self, number);
    }
}

impl Ready for Port {
    fn turn(&self) -> &Arc<Turn> {
        &self.turn
    }

    fn ready(self: Arc<Self>, on: &mut OnTurn<'_>, fd: RawFd, readiness: Readiness) {
        self.transport.ready(on, &self, fd, readiness);
    }

    fn may_run_here(&self) -> bool {
        self.transport.may_run_here(self)
    }
}

/// What a port needs to know of its kind of back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nature {
    /// `port_level` or `driver_level` in `port_info(Port, locking)`.
    pub(crate) locking: Locking,
    /// Whether the limits on queued output make the port busy by themselves; a driver says
    /// so itself.
    pub(crate) queue_limited: bool,
    /// Whether a busy port takes a command that is sent with `force`.
    pub(crate) soft_busy: bool,
}

/// How far the exclusion of callbacks reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locking {
    /// The ports of a driver exclude each other.
    Driver,
    /// Each port is on its own.
    Port,
}

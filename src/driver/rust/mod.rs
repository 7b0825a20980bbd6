//! Port drivers written in Rust: the interface of [`PortDriver`].
//!
//! A driver in Rust gets a table of callbacks like one in C (`table.rs` makes it), and from there on the
//! two are treated alike: the same registry, the same gate out, the same turns, the same functions
//! behind [`DriverPort`]. What C has to promise, the compiler sees to here: data that belongs to
//! one port is reached by one callback at a time, ends when the port ends, and never before a
//! callback has returned.

mod command;
mod port;
#[allow(unsafe_code)]
mod table;
#[allow(unsafe_code)]
mod vector;

use std::any::Any;
use std::ffi::CStr;
use std::os::fd::RawFd;

pub use self::command::{BadRequest, Reply, StartError};
pub use self::port::{DriverPort, Interest, Sender};
pub(crate) use self::table::driver;
pub use self::vector::Command;
use crate::term::{Reference, Term};

/// A port driver in Rust. A value of the type is one open port; [`Host::add_driver`] makes the
/// type known, and `{spawn_driver, Name}` opens a port with it, from wherever one is opened.
///
/// Each port runs on its own turn: its callbacks come one at a time and in order, on whichever thread
/// brought the reason for them, and two ports of a driver may be inside it at the same time (what they
/// share has to be shared as between threads). A callback that takes long holds up its port
/// alone, and whoever waits for an answer of it; long work goes to [`DriverPort::spawn_job`]. A
/// callback that panics ends its port with the reason `internal_error`; the program goes on.
///
/// A callback that is not written answers as a C driver that has none.
///
/// ```
/// use std::ffi::CStr;
/// use std::time::Duration;
/// use wharf::rust_driver::{BadRequest, DriverPort, PortDriver, Reply, StartError};
/// use wharf::{Host, Message, Options, PortName};
///
/// struct Sum(u64);
///
/// impl PortDriver for Sum {
///     const NAME: &'static CStr = c"sum";
///
///     fn start(_: &mut DriverPort<'_>, _: &[u8]) -> Result<Self, StartError> {
///         Ok(Sum(0))
///     }
///
///     fn output(&mut self, port: &mut DriverPort<'_>, data: &[u8]) {
///         self.0 += data.iter().map(|byte| u64::from(*byte)).sum::<u64>();
///         port.output(self.0.to_string().as_bytes());
///     }
///
///     fn control(&mut self, _: &mut DriverPort<'_>, operation: u32, _: &[u8]) -> Result<Reply, BadRequest> {
///         match operation {
///             0 => Ok(Reply::from(self.0.to_string())),
///             _ => Err(BadRequest),
///         }
///     }
/// }
///
/// let host = Host::new()?;
/// host.add_driver::<Sum>()?;
/// let me = host.process();
/// let port = me.open(PortName::spawn_driver("sum"), Options::new().binary())?;
/// port.command([1, 2, 3])?;
/// match me.next(Duration::from_secs(5))? {
///     Some(Message::Data { bytes, .. }) => assert_eq!(&bytes[..], b"6"),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`Host::add_driver`]: crate::Host::add_driver
#[allow(unused_variables)] // the names say what callbacks get
pub trait PortDriver: Sized + Send + 'static {
    /// The name that ports are opened by.
    const NAME: &'static CStr;

    /// Whether a command may be forced on a busy port (`ERL_DRV_FLAG_SOFT_BUSY`).
    const SOFT_BUSY: bool = false;

    /// Whether callbacks may write to pipes or sockets, by whatever way. In a host where SIGPIPE is
    /// deadly they are then kept from it, and get an error instead (`BrokenPipe`), as under Erlang.
    /// That costs a few system calls for each callback on a thread of the host that does not ignore
    /// or block the signal, and one where it is ignored, as in most Rust programs. A driver that never
    /// writes can say `false` and save them.
    const MAY_WRITE: bool = true;

    /// A port is opened. `command` is the whole text of the open, the driver's name at its front.
    ///
    /// # Errors
    /// The open fails, with the reason that is given.
    fn start(port: &mut DriverPort<'_>, command: &[u8]) -> Result<Self, StartError>;

    /// A command. Not called where [`outputv`](Self::outputv) is written.
    fn output(&mut self, port: &mut DriverPort<'_>, data: &[u8]) {}

    /// A command, in the pieces that the sender had it in, which can be kept without a copy.
    fn outputv(&mut self, port: &mut DriverPort<'_>, data: Command<'_>) {
        self.output(port, &data.to_bytes());
    }

    /// `port_control`. The caller waits for the answer.
    ///
    /// # Errors
    /// The caller gets `badarg`.
    fn control(
        &mut self,
        port: &mut DriverPort<'_>,
        operation: u32,
        data: &[u8],
    ) -> Result<Reply, BadRequest> {
        Err(BadRequest)
    }

    /// `port_call`. The caller waits for the answer.
    ///
    /// # Errors
    /// The caller gets `badarg`.
    fn call(
        &mut self,
        port: &mut DriverPort<'_>,
        operation: u32,
        argument: Term,
    ) -> Result<Term, BadRequest> {
        Err(BadRequest)
    }

    /// The timer of [`DriverPort::set_timer`] has run out.
    fn timeout(&mut self, port: &mut DriverPort<'_>) {}

    /// A descriptor that is [watched](DriverPort::watch) can be read. Comes again until
    /// everything has been read.
    fn ready_input(&mut self, port: &mut DriverPort<'_>, fd: RawFd) {}

    /// A descriptor that is [watched](DriverPort::watch) can be written. Comes again until
    /// nobody watches it for that.
    fn ready_output(&mut self, port: &mut DriverPort<'_>, fd: RawFd) {}

    /// A [job](DriverPort::spawn_job) is done; `result` is what it gave. A job that panicked ends the
    /// port instead.
    fn ready_async(&mut self, port: &mut DriverPort<'_>, result: Box<dyn Any + Send>) {}

    /// A [monitored](DriverPort::monitor) process is gone.
    fn process_exit(&mut self, port: &mut DriverPort<'_>, monitor: Reference) {}

    /// The port is being closed while bytes wait in its [queue](DriverPort::enqueue): get rid of
    /// them, now or later. The port ends when the queue is empty.
    fn flush(&mut self, port: &mut DriverPort<'_>) {}

    /// The port ends, for whatever reason. Its timer and what it watches end with it.
    fn stop(self, port: &mut DriverPort<'_>) {}
}

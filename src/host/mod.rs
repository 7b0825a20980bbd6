//! What a Rust user holds: a [`Host`], its [`Process`]es, and the ports they open.
//!
//! A host is one small world: processes that own ports, their names, the threads that serve
//! them, and the drivers that were loaded into it. Any number of hosts can live in a
//! program. Nothing here touches the program's signals, environment or directory.
#![forbid(unsafe_code)]

mod ask;
mod builder;
mod delayed;
mod doorbell;
mod drivers;
mod environment;
mod error;
mod halt;
mod leftovers;
mod message;
mod open;
mod port;
mod process;
mod raise;
mod signals;
mod status;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::driver::Drivers;
use crate::driver::ledger::Ledger;
use crate::port::services::Services;
use crate::port::table;
use crate::process::mailbox::Pump;
use crate::process::{Directory, ProcessCell};
use crate::term::{Atom, Pid, PortId};

pub use crate::driver::{DriverFacts, DriverFault};
pub use builder::{Builder, StartError};
pub use environment::BadVariable;
pub use error::Error;
pub use leftovers::{Ended, Leftover};
pub use message::Message;
pub use port::Port;
pub use process::Process;
pub use raise::{Class, Exited, Raise};

/// A world of processes and ports. Cheap to clone; the world ends with the last handle to it
/// or to one of its processes: ports are closed, drivers unloaded, threads stopped.
///
/// ```
/// use wharf::{Host, Options, PortName};
///
/// let host = Host::builder().ports_max(100).build()?;
/// let me = host.process();
/// let port = me.open(PortName::spawn("cat"), Options::new())?;
/// assert_eq!(host.ports(), [port.id()]);
/// assert!(host.is_alive(me.pid()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Host {
    core: Arc<Core>,
}

/// What the handles of one host share.
struct Core {
    services: Arc<Services>,
    drivers: Arc<Drivers>,
    pump: Arc<dyn Pump>,
    messages_max: usize,
    delayed: Arc<delayed::Delayed>,
    /// What drivers have allocated, if that is noted. Kept on by whoever asks after the end.
    ledger: Option<Arc<Ledger>>,
}

impl Host {
    /// A host with the usual settings.
    ///
    /// # Errors
    /// When the kernel gives no descriptors for watching others.
    pub fn new() -> Result<Host, StartError> {
        Host::builder().build()
    }

    /// Settings for a host.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A new process. It ends, normally, when the last handle to it is dropped, unless it
    /// has ended before.
    ///
    /// # Panics
    /// When there are 16,777,216 processes already.
    pub fn process(&self) -> Process {
        let cell = ProcessCell::start(
            &self.core.services.directory,
            Arc::clone(&self.core.pump),
            self.core.messages_max,
        );
        Process::new(self.clone(), cell.expect("the process table has room"))
    }

    /// Whether there is such a process.
    pub fn is_alive(&self, pid: Pid) -> bool {
        self.directory().process(pid).is_some()
    }

    /// Every live process.
    pub fn processes(&self) -> Vec<Pid> {
        let all = self.directory().processes();
        all.iter().map(|process| process.pid()).collect()
    }

    /// Every port, also those that are closing (`erlang:ports/0`).
    pub fn ports(&self) -> Vec<PortId> {
        let all = table::of_host(&self.core.services);
        all.iter().map(|port| port.id()).collect()
    }

    /// Every registered name.
    pub fn registered(&self) -> Vec<Atom> {
        self.directory().registered()
    }

    /// How many ports there may be.
    pub fn ports_max(&self) -> usize {
        self.core.services.ports_max
    }

    fn directory(&self) -> &Arc<Directory> {
        &self.core.services.directory
    }

    fn services(&self) -> &Arc<Services> {
        &self.core.services
    }

    fn delayed(&self) -> &Arc<delayed::Delayed> {
        &self.core.delayed
    }

    fn drivers(&self) -> &Arc<Drivers> {
        &self.core.drivers
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("processes", &self.processes().len())
            .field("ports", &self.ports().len())
            .finish()
    }
}

impl Drop for Core {
    /// Nobody is left to hear anything: processes end, which closes what they are linked
    /// to; what is left is closed without waiting for output that nobody reads.
    fn drop(&mut self) {
        self.close();
    }
}

impl Core {
    fn close(&self) {
        for process in self.services.directory.processes() {
            process.end(crate::term::Term::atom("shutdown"));
        }
        for port in table::of_host(&self.services) {
            port.abandon();
        }
    }
}

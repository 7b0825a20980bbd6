//! Settings of a host.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use crate::driver::Drivers;
use crate::driver::ledger::Ledger;
use crate::host::delayed::Delayed;
use crate::host::{Core, Host};
use crate::os::poll::Poller;
use crate::port::services::Services;
use crate::port::table::{self, Route};
use crate::port::variables::Variables;
use crate::process::Directory;
use crate::process::mailbox::Pump;
use crate::runtime::orphans::Orphans;
use crate::runtime::reactor::Reactor;
use crate::runtime::timers::Timers;
use crate::runtime::workers::Workers;

/// Settings of a host that is still to be made.
#[derive(Clone, Debug)]
pub struct Builder {
    ports_max: usize,
    messages_max: usize,
    async_threads: usize,
    work_threads: usize,
    driver_paths: Vec<PathBuf>,
    ledger: bool,
}

/// A host could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the kernel gives no descriptors to watch others with: {0}")]
pub struct StartError(std::io::Error);

impl Default for Builder {
    fn default() -> Builder {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Builder {
            ports_max: 65_536,
            messages_max: usize::MAX,
            async_threads: 1,
            work_threads: cores.max(2),
            driver_paths: Vec::new(),
            ledger: false,
        }
    }
}

impl Builder {
    /// How many ports may be open at once; 65,536 unless set, at least 1. One more answers
    /// `system_limit`.
    #[must_use]
    pub fn ports_max(mut self, ports: usize) -> Builder {
        self.ports_max = ports.max(1);
        self
    }

    /// How many messages a mailbox may hold; without a limit unless set. A process that
    /// gets one more is ended with the reason `{system_limit, message_queue}`.
    #[must_use]
    pub fn messages_max(mut self, messages: usize) -> Builder {
        self.messages_max = messages.max(1);
        self
    }

    /// How many threads serve `driver_async`: 1 unless set, 1 to 1024 (`erl +A`).
    #[must_use]
    pub fn async_threads(mut self, threads: usize) -> Builder {
        self.async_threads = threads.clamp(1, 1024);
        self
    }

    /// How many threads may run ports whose callers did not run them themselves; one per
    /// processor and at least two unless set.
    #[must_use]
    pub fn work_threads(mut self, threads: usize) -> Builder {
        self.work_threads = threads.max(1);
        self
    }

    /// Adds a folder where `{spawn_driver, Name}` finds `Name.so` that nobody has loaded.
    #[must_use]
    pub fn driver_path(mut self, folder: impl Into<PathBuf>) -> Builder {
        self.driver_paths.push(folder.into());
        self
    }

    /// Whether binaries that drivers allocate are noted, so that [`Host::leftovers`] can name those
    /// that nobody has freed. Off unless set: it makes each `driver_alloc_binary` a little slower.
    #[must_use]
    pub fn note_binaries(mut self, note: bool) -> Builder {
        self.ledger = note;
        self
    }

    /// Makes the host, with a copy of the environment that this process has now. No thread is
    /// started before there is something for it to do.
    ///
    /// # Errors
    /// When the kernel gives no descriptors for watching others.
    pub fn build(self) -> Result<Host, StartError> {
        let poller = Poller::new().map_err(|errno| StartError(errno.into()))?;
        let poller = Arc::new(poller);
        let timers = Arc::new(Timers::new(Arc::clone(&poller)));
        let reactor = Arc::new(Reactor::new(
            poller,
            Arc::clone(&timers),
            table::who_watches,
        ));
        let directory = Directory::new();
        let services = Arc::new(Services {
            directory: Arc::clone(&directory),
            workers: Workers::new(self.work_threads),
            reactor: Arc::clone(&reactor),
            timers,
            orphans: Orphans::default(),
            variables: Arc::new(Variables::of_this_process()),
            ports_open: AtomicUsize::new(0),
            ports_max: self.ports_max,
        });
        directory.set_ports(Box::new(Route(Arc::downgrade(&services))));
        let drivers = Drivers::new(&services, self.driver_paths, self.async_threads);
        let unload = Arc::downgrade(&drivers);
        let delayed = Arc::<Delayed>::default();
        let (forget, timers) = (Arc::downgrade(&delayed), Arc::downgrade(&services.timers));
        directory.set_exit_hook(Box::new(move |pid| {
            if let (Some(delayed), Some(timers)) = (forget.upgrade(), timers.upgrade()) {
                delayed.process_exited(pid, &timers);
            }
            if let Some(drivers) = unload.upgrade() {
                drivers.process_exited(pid);
            }
        }));
        let ledger = self
            .ledger
            .then(|| Arc::new(Ledger::keep(&services.variables)));
        Ok(Host {
            core: Arc::new(Core {
                services,
                drivers,
                pump: Arc::new(Pumping(reactor)),
                messages_max: self.messages_max,
                delayed,
                ledger,
            }),
        })
    }
}

/// Lets a thread that waits for a message wait for kernel events beside it.
struct Pumping(Arc<Reactor>);

impl Pump for Pumping {
    fn pump(&self, done: &dyn Fn() -> bool, deadline: Option<Instant>) -> bool {
        self.0.pump(done, deadline)
    }

    fn kick(&self) {
        self.0.kick();
    }
}

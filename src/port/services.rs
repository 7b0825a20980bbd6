//! All that a port may reach beside itself.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use crate::port::variables::Variables;
use crate::process::Directory;
use crate::runtime::orphans::Orphans;
use crate::runtime::reactor::Reactor;
use crate::runtime::timers::Timers;
use crate::runtime::workers::Workers;

/// What a host's ports share.
pub(crate) struct Services {
    /// The route to processes and ports.
    pub(crate) directory: Arc<Directory>,
    /// Threads that run turns.
    pub(crate) workers: Arc<Workers>,
    /// Kernel events.
    pub(crate) reactor: Arc<Reactor>,
    /// Deadlines.
    pub(crate) timers: Arc<Timers>,
    /// Programs that outlive their port.
    pub(crate) orphans: Orphans,
    /// What programs, drivers and scripts find in the environment.
    pub(crate) variables: Arc<Variables>,
    /// Open ports, and how many there may be.
    pub(crate) ports_open: AtomicUsize,
    /// The limit that answers `system_limit`.
    pub(crate) ports_max: usize,
}

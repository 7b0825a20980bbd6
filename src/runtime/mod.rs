//! When and where things run: turns and the workers that run them, the kernel's events,
//! timers, and a pool for blocking work. It knows nothing of ports; what it is asked to run
//! are tasks on turns.

pub(crate) mod jobs;
pub(crate) mod orphans;
pub(crate) mod reactor;
pub(crate) mod timers;
#[allow(unsafe_code)]
pub(crate) mod turn;
mod watched;
pub(crate) mod workers;

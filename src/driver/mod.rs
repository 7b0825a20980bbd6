//! Back ends made of loaded code: unmodified C port drivers.
//!
//! A driver's file becomes a `load::Driver`, the table of callbacks it returns is checked and
//! copied (`entry`), and the `registry` keeps it under its name for those who use it.

// Until the loader uses all of it.
#[allow(dead_code)]
mod layout;
#[rustfmt::skip]
#[allow(unsafe_code)] // declarations only
mod raw;

use std::path::PathBuf;
use std::sync::Arc;

use crate::port::services::Services;
use crate::term::Pid;

/// The drivers of one host: what is loaded, by whom, and how it is found.
pub(crate) struct Drivers {
    _paths: Vec<PathBuf>,
}

impl Drivers {
    /// No drivers yet; `paths` are searched for those that nobody has loaded.
    pub(crate) fn new(_services: &Arc<Services>, paths: Vec<PathBuf>) -> Arc<Drivers> {
        Arc::new(Drivers { _paths: paths })
    }

    /// A process has ended: what it loaded is unloaded.
    pub(crate) fn process_exited(&self, _pid: Pid) {}
}

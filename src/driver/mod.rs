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

use crate::port::options::Mechanism;
use crate::port::services::Services;
use crate::port::transport::Transport;
use crate::process::ProcessCell;
use crate::runtime::turn::Turn;
use crate::runtime::workers::Workers;
use crate::term::{Pid, Term};

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

    /// The driver of that name. `Ok(None)` when there is none; an error, in words, when one
    /// was found on the driver path but cannot be loaded.
    pub(crate) fn find(&self, _name: &[u8], _search: Search) -> Result<Option<Opener>, String> {
        Ok(None)
    }

    /// The function `erl_ddll:Function(Arguments…)`, called by `process`.
    pub(crate) fn ddll(
        self: &Arc<Self>,
        _process: &Arc<ProcessCell>,
        _function: &str,
        _arguments: &[Term],
    ) -> Result<Term, Term> {
        Err(Term::atom("undef"))
    }
}

/// Where a driver is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// Among those that are loaded.
    Loaded,
    /// Among those, and then among the files of the driver path.
    LoadedOrOnPath,
}

/// A driver with which a port is about to be opened; it stays loaded meanwhile.
pub(crate) struct Opener;

impl Opener {
    /// What options have to fit.
    pub(crate) fn mechanism(&self) -> Mechanism {
        todo!()
    }

    /// The turn of a port of this driver: its own one, or that of all ports of the driver.
    pub(crate) fn turn(&self, _workers: &Arc<Workers>) -> Arc<Turn> {
        todo!()
    }

    /// The back end of a new port, opened by `command`.
    pub(crate) fn instance(self, _command: &[u8], _turn: &Arc<Turn>) -> Box<dyn Transport> {
        todo!()
    }
}

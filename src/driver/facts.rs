//! What can be known of a driver's file without opening a port.
//!
//! Relies on the loader, since a driver describes itself by code that has to run. Promises that
//! the driver is unloaded again, and that whatever is wrong is told both in Erlang's terms and
//! in words.
#![forbid(unsafe_code)]

use std::fmt;
use std::path::Path;

use super::drivers::{DriverError, Drivers};
use super::entry::Entry;
use super::load::{Driver, LoadError};
use super::{abi, samples};
use crate::term::Term;

/// What a driver says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriverFacts {
    /// The name it is opened by.
    pub name: String,
    /// The major version of the driver interface it was compiled for.
    pub major: i32,
    /// The minor version.
    pub minor: i32,
    /// The names of the flags it sets, as in `erl_driver.h`.
    pub flags: Vec<&'static str>,
    /// The names of the callbacks it has, in the order of `ErlDrvEntry`.
    pub callbacks: Vec<&'static str>,
}

/// Why a driver cannot be loaded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DriverFault {
    /// What `erl_ddll:load/2` gives as the reason.
    pub reason: Term,
    /// The same in words.
    pub message: String,
    /// The symbols that nobody provides, when that is what is wrong.
    pub missing: Vec<String>,
}

impl fmt::Display for DriverFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DriverFault {}

impl Drivers {
    /// Loads the driver in `file`, which has to bear the driver's name, and unloads it again.
    pub(crate) fn inspect(&self, file: &Path) -> Result<DriverFacts, DriverFault> {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let _turn = self.enter_list_turn();
        match Driver::from_file(file, &name) {
            Ok(driver) => {
                let facts = facts(&driver.entry);
                driver.unload(|driver| self.shares_library(driver));
                Ok(facts)
            }
            Err(error) => {
                let message = error.sentence(file);
                let missing = match &error {
                    LoadError::Open { missing, .. } => missing.clone(),
                    _ => Vec::new(),
                };
                let name = name.into_owned();
                let file = file.to_owned();
                let reason = self.reason(&DriverError::Load { name, file, error });
                Err(DriverFault {
                    reason,
                    message,
                    missing,
                })
            }
        }
    }
}

/// The functions that drivers may leave undefined, for their host to provide.
pub(crate) fn symbols() -> &'static [&'static str] {
    &abi::table::NAMES
}

/// The drivers that are built in.
pub(crate) fn sample_names() -> impl Iterator<Item = &'static str> {
    samples::names()
}

fn facts(entry: &Entry) -> DriverFacts {
    let calls = &entry.callbacks;
    let present = |named: &[(&'static str, bool)]| -> Vec<&'static str> {
        named
            .iter()
            .filter(|(_, is)| *is)
            .map(|(name, _)| *name)
            .collect()
    };
    DriverFacts {
        name: entry.name.to_string_lossy().into_owned(),
        major: entry.version.major,
        minor: entry.version.minor,
        flags: present(&[
            ("ERL_DRV_FLAG_USE_PORT_LOCKING", entry.flags.port_locking()),
            ("ERL_DRV_FLAG_SOFT_BUSY", entry.flags.soft_busy()),
            ("ERL_DRV_FLAG_NO_BUSY_MSGQ", entry.flags.no_busy_msgq()),
            ("ERL_DRV_FLAG_USE_INIT_ACK", entry.flags.init_ack()),
        ]),
        callbacks: present(&[
            ("init", calls.init.is_some()),
            ("start", calls.start.is_some()),
            ("stop", calls.stop.is_some()),
            ("output", calls.output.is_some()),
            ("ready_input", calls.ready_input.is_some()),
            ("ready_output", calls.ready_output.is_some()),
            ("finish", calls.finish.is_some()),
            ("control", calls.control.is_some()),
            ("timeout", calls.timeout.is_some()),
            ("outputv", calls.outputv.is_some()),
            ("ready_async", calls.ready_async.is_some()),
            ("flush", calls.flush.is_some()),
            ("call", calls.call.is_some()),
            ("process_exit", calls.process_exit.is_some()),
            ("stop_select", calls.stop_select.is_some()),
            ("emergency_close", entry.has_emergency_close),
        ]),
    }
}

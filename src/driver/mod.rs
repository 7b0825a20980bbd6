//! Back ends made of loaded code: unmodified C port drivers.
//!
//! A driver's file becomes a [`load::Driver`], the table of callbacks it returns is checked and
//! copied ([`entry`]), and the [`registry`] keeps it under its name for those who use it. A port
//! opened with it has an [`instance`] as its back end, which calls the driver through
//! [`callback`]; the driver calls back through [`abi`].

#[allow(unsafe_code)]
mod abi;
#[allow(unsafe_code)]
mod callback;
mod context;
mod ddll;
mod drivers;
#[allow(unsafe_code)]
mod entry;
mod facts;
mod file;
mod handle;
mod instance;
mod jobs;
mod later;
mod layout;
pub(crate) mod ledger;
#[allow(unsafe_code)]
mod load;
#[allow(unsafe_code)]
mod missing;
mod pace;
mod pdl;
#[rustfmt::skip]
#[allow(unsafe_code)] // declarations only
mod raw;
mod record;
mod registry;
pub mod rust;
mod samples;
mod script;
mod select;
mod spare;
mod timer;
mod writes;

pub(crate) use abi::thread::unjoined;
pub(crate) use drivers::{Drivers, Search};
pub use facts::{DriverFacts, DriverFault};
pub(crate) use facts::{sample_names, symbols};

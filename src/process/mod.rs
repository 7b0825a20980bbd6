//! Who can be told something: processes with their mailbox, links, monitors and names, and
//! the routes by which signals travel to them and to ports.
#![forbid(unsafe_code)]

pub(crate) mod directory;
pub(crate) mod exit;
mod links;
pub(crate) mod mailbox;
mod parker;
pub(crate) mod party;
pub(crate) mod pause;
pub(crate) mod relations;
pub(crate) mod signal;

pub(crate) use directory::Directory;
pub(crate) use party::ProcessCell;

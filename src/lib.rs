//! Erlang's port system without the Erlang virtual machine.
//!
//! The rooms, from the ground up: [`term`] (values), `os` (system calls), `process`
//! (who can be told something), `runtime` (when and where things run), `port` (the state
//! machine), `transport` (programs and descriptors), `driver` (loaded C code) and
//! [`host`] (what a Rust user holds). `docs/architecture.md` is the street map.

mod driver;
mod ffi;
pub mod host;
mod lock;
mod os;
mod port;
mod process;
mod runtime;
mod table;
pub mod term;
mod transport;

pub use host::{Builder, Error, Exited, Host, Message, Port, Process, Raise};
pub use port::{
    BadName, BadOption, BadText, Direction, Limits, Mechanism, Options, Packet, PortName,
};
pub use term::{Atom, Binary, Pid, PortId, Reference, Term};

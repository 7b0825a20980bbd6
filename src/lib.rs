//! Erlang's port system without the Erlang virtual machine.
//!
//! A [`Host`] is a small world of processes and ports. A [`Process`] of it opens a [`Port`] by a
//! [`PortName`] and [`Options`], and receives [`Message`]s from it:
//!
//! ```
//! use std::time::Duration;
//! use wharf::{Host, Message, Options, PortName};
//!
//! let me = Host::new()?.process();
//! let port = me.open(PortName::spawn("cat"), Options::new().binary())?;
//! port.command("hello")?;
//! match me.next(Duration::from_secs(5))? {
//!     Some(Message::Data { bytes, .. }) => assert_eq!(&bytes[..], b"hello"),
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What Erlang's functions do with terms is there too, under Erlang's names and with its errors:
//! [`Process::open_port`], [`Process::port_command`], [`Process::ddll`] and so on.
//!
//! The rooms, from the ground up: [`term`] (values), `os` (system calls), `process`
//! (who can be told something), `runtime` (when and where things run), `port` (the state
//! machine), `transport` (programs and descriptors), `driver` (loaded C code) and
//! [`host`] (what a Rust user holds). `docs/architecture.md` is the street map.

#[allow(unsafe_code)]
mod biased;
#[allow(unsafe_code, unreachable_pub)]
mod capi;
mod driver;
mod ffi;
pub mod host;
mod lock;
mod os;
mod places;
mod port;
mod process;
mod runtime;
mod seldom;
mod table;
pub mod term;
mod transport;

pub use driver::rust as rust_driver;
pub use host::{
    BadVariable, Builder, Ended, Error, Exited, Host, Leftover, Message, Port, Process, Raise,
};
pub use port::{
    BadName, BadOption, BadText, Direction, Limits, Mechanism, Options, Packet, PortName,
};
pub use term::{Atom, Binary, Pid, PortId, Reference, Term};

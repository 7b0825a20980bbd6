//! From a port's identity to the port. Process-wide, because drivers name ports without
//! saying which host they belong to; each host sees its own ones.
#![forbid(unsafe_code)]

use std::sync::{Arc, Weak};

use crate::port::Port;
use crate::port::services::Services;
use crate::process::directory::{Bearer, PortRoute};
use crate::process::signal::Signal;
use crate::runtime::reactor::Ready;
use crate::table::Table;
use crate::term::PortId;

static PORTS: Table<Port> = Table::new();

/// Adds a port, made from its identity. `None` when the table is full.
pub(crate) fn insert(make: impl FnOnce(PortId) -> Arc<Port>) -> Option<Arc<Port>> {
    PORTS.insert(|number| Some(make(PortId::from_number(number))))
}

/// The port of that identity, of whichever host.
#[inline]
pub(crate) fn get(id: PortId) -> Option<Arc<Port>> {
    PORTS.get(id.number())
}

/// Runs `look`, a few instructions, for the port of that identity, of whichever host.
#[inline]
pub(crate) fn with<R>(id: PortId, look: impl FnOnce(&Arc<Port>) -> R) -> Option<R> {
    PORTS.with(id.number(), look)
}

/// The port of that number, as who hears of a descriptor.
pub(crate) fn who_watches(number: u64) -> Option<Arc<dyn Ready>> {
    Some(PORTS.get(number)?)
}

/// Takes a port that ended out of the table.
pub(crate) fn remove(id: PortId) {
    PORTS.remove(id.number());
}

/// The ports of one host, closing ones too.
pub(crate) fn of_host(services: &Arc<Services>) -> Vec<Arc<Port>> {
    let mut all = PORTS.all();
    all.retain(|port| port.belongs_to(services));
    all
}

/// The route of one host's signals to its ports.
pub(crate) struct Route(pub(crate) Weak<Services>);

impl Route {
    fn port(&self, id: PortId) -> Option<Arc<Port>> {
        let services = self.0.upgrade()?;
        get(id).filter(|port| port.belongs_to(&services))
    }
}

impl PortRoute for Route {
    fn tell(&self, port: PortId, signal: Signal) -> bool {
        match self.port(port) {
            Some(port) => {
                port.take_signal(signal);
                true
            }
            None => false,
        }
    }

    fn bearer(&self, port: PortId) -> Option<Arc<dyn Bearer>> {
        Some(self.port(port)?)
    }
}

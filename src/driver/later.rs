//! What happens to a driver's port because of something that is not one of its callbacks: a request from
//! another driver, an unloading by force. (The end of a job is in `jobs.rs`.)
//!
//! Relies on the port's turn: each of them becomes a task on it, and finds the port gone, or its driver
//! stopped, if it comes too late.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::callback;
use super::instance::Instance;
use super::load::Driver;
use crate::port::Port;
use crate::term::Term;

/// `erl_drv_port_control`: a request whose answer nobody waits for, on behalf of nobody.
pub(super) fn control_later(port: Arc<Port>, operation: u32, data: Box<[u8]>) {
    let turn = Arc::clone(port.turn());
    turn.post(Box::new(move |on| {
        if let Some(instance) = port.transport_as::<Instance>()
            && instance.is_live(on)
        {
            let called = instance.called(&port, None);
            let _ = callback::control(on, called, operation, &data, &mut Term::Nil);
            Instance::after(on, &port);
        }
    }));
}

/// Closes the port of a driver that is being unloaded by force.
pub(super) fn kill(port: &Arc<Port>, driver: &Arc<Driver>) {
    let is_of = |port: &Port| {
        port.transport_as::<Instance>()
            .is_some_and(|instance| Arc::ptr_eq(instance.driver(), driver))
    };
    if !is_of(port) {
        return;
    }
    let port = Arc::clone(port);
    let turn = Arc::clone(port.turn());
    turn.run_or_post(move |on| {
        if let Some(instance) = port.transport_as::<Instance>() {
            instance.before_failure(on, &port);
            port.fail(on, Term::atom("driver_unloaded"));
        }
    });
}

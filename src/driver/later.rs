//! What happens to a driver's port because of something that is not one of its callbacks: a request from
//! another driver, the end of a job, an unloading by force.
//!
//! Relies on the port's turn: each of them becomes a task on it, and finds the port gone, or its driver
//! stopped, if it comes too late.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::callback::{self, Called};
use super::instance::Instance;
use super::load::Driver;
use super::pace;
use crate::os::clock;
use crate::port::{Port, table};
use crate::runtime::turn::OnTurn;
use crate::term::{PortId, Term};

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

/// A job of the port is done: its driver gets it back, if there still is somebody to get it.
pub(super) fn job_done(
    id: PortId,
    deliver: impl FnOnce(Option<(&mut OnTurn<'_>, Called<'_>)>) + Send + 'static,
) {
    let Some(port) = table::get(id) else {
        return deliver(None);
    };
    let turn = Arc::clone(port.turn());
    let here = port.transport_as::<Instance>().is_some_and(pace::is_quick);
    let run = move |on: &mut OnTurn<'_>| match port.transport_as::<Instance>() {
        Some(instance) if instance.is_live(on) => {
            let began = clock::coarse();
            deliver(Some((on, instance.called(&port, None))));
            pace::note(&port, instance, began);
            Instance::after(on, &port);
        }
        _ => deliver(None),
    };
    // A driver that takes its time keeps no thread from other jobs.
    if here {
        turn.run_or_post(run);
    } else {
        turn.post(Box::new(run));
    }
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

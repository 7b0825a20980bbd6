//! Process monitors.
//!
//! An `ErlDrvMonitor` is 32 bytes of ours: the number of the reference, and zeros.

use std::ffi::c_int;

use super::misuse::{self, Rule};
use super::{export, with_port};
use crate::driver::handle;
use crate::driver::raw::{ErlDrvMonitor, ErlDrvPort, ErlDrvTermData};
use crate::ffi::pointer;
use crate::term::Reference;

export! {
    fn driver_monitor_process(port: ErlDrvPort, process: ErlDrvTermData, monitor: *mut ErlDrvMonitor) -> c_int, else -1 => {
        if monitor.is_null() {
            return misuse::refuse(port, &Rule::Nothing("room for a monitor"), -1);
        }
        let done = with_port(port, |on, port, instance| {
            if instance.callbacks().process_exit.is_none() {
                misuse::tell(Some(port.id()), &Rule::NoCallback("process_exit"));
                return None;
            }
            let reference = Reference::fresh();
            // Any other word is no process, as one that has died.
            let Some(pid) = handle::as_pid(process) else {
                misuse::tell(Some(port.id()), &Rule::NoProcess);
                return Some(None);
            };
            Some(port.monitor_process(on, pid, reference).then_some(reference))
        });
        match done.flatten() {
            None => -1,
            Some(None) => 1,
            Some(Some(reference)) => {
                // SAFETY: the driver wants the monitor there.
                unsafe { pointer::store(monitor, to_raw(reference)) };
                0
            }
        }
    }

    fn driver_demonitor_process(port: ErlDrvPort, monitor: *const ErlDrvMonitor) -> c_int, else -1 => {
        // SAFETY: a monitor of the driver's.
        let Some(monitor) = (unsafe { pointer::load(monitor) }) else {
            return misuse::refuse(port, &Rule::Nothing("a monitor"), -1);
        };
        match with_port(port, |on, port, _| port.demonitor_process(on, from_raw(&monitor))) {
            None => -1,
            Some(false) => 1,
            Some(true) => 0,
        }
    }

    fn driver_get_monitored_process(port: ErlDrvPort, monitor: *const ErlDrvMonitor) -> ErlDrvTermData, else handle::NIL => {
        // SAFETY: as above.
        let Some(monitor) = (unsafe { pointer::load(monitor) }) else {
            return misuse::refuse(port, &Rule::Nothing("a monitor"), handle::NIL);
        };
        let found = with_port(port, |on, port, _| port.monitored_process(on, from_raw(&monitor)));
        handle::pid_or_nil(found.flatten())
    }

    fn driver_compare_monitors(a: *const ErlDrvMonitor, b: *const ErlDrvMonitor) -> c_int, else 0 => {
        /// The part that counts.
        const COMPARED: usize = 24;
        // SAFETY: as above.
        let (a, b) = unsafe { (pointer::load(a), pointer::load(b)) };
        if a.is_none() || b.is_none() {
            misuse::tell_here(&Rule::Nothing("a monitor"));
        }
        let bytes = |monitor: Option<ErlDrvMonitor>| monitor.map(|monitor| monitor.data);
        let (a, b) = (bytes(a), bytes(b));
        let order = a.as_ref().map(|a| &a[..COMPARED]).cmp(&b.as_ref().map(|b| &b[..COMPARED]));
        order as c_int
    }
}

/// The monitor of a reference.
pub(in crate::driver) fn to_raw(reference: Reference) -> ErlDrvMonitor {
    let mut data = [0; 32];
    // Big end first, so that the order of monitors is that of their making.
    data[..8].copy_from_slice(&reference.number().to_be_bytes());
    ErlDrvMonitor { data }
}

/// The reference of a monitor.
pub(in crate::driver) fn from_raw(monitor: &ErlDrvMonitor) -> Reference {
    let mut number = [0; 8];
    number.copy_from_slice(&monitor.data[..8]);
    Reference::from_number(u64::from_be_bytes(number))
}

//! The port itself: how it ends, its attributes, and new ports of the same driver.

use std::ffi::{c_char, c_int};
use std::ptr;
use std::sync::Arc;

use super::output::atom_of;
use super::{export, with_port};
use crate::driver::callback;
use crate::driver::drivers;
use crate::driver::handle;
use crate::driver::instance::Instance;
use crate::driver::load::Driver;
use crate::driver::raw::{
    ErlDrvData, ErlDrvEntry, ErlDrvPort, ErlDrvSInt, ErlDrvSizeT, ErlDrvTermData,
    PORT_CONTROL_FLAG_BINARY, PORT_FLAG_BINARY, PORT_FLAG_LINE,
};
use crate::ffi::pointer;
use crate::os::errno::Errno;
use crate::port::Port;
use crate::port::state::Phase;
use crate::port::table as ports;
use crate::runtime::turn::OnTurn;
use crate::term::{Term, atom};

export! {
    fn driver_failure_eof(port: ErlDrvPort) -> c_int, else -1 => {
        end_of_input(port)
    }

    fn driver_failure_atom(port: ErlDrvPort, reason: *mut c_char) -> c_int, else -1 => {
        // SAFETY: a string of the driver's.
        let name = unsafe { pointer::string(reason) }.map_or(&b""[..], |name| name.to_bytes());
        let reason = match name {
            // Whoever is told must not take it for the order to die.
            b"kill" => Term::Atom(atom::KILLED),
            _ => atom_of(name).map_or_else(|| Term::atom("unknown"), Term::Atom),
        };
        end(port, |on, port| port.fail(on, reason))
    }

    fn driver_failure_posix(port: ErlDrvPort, error: c_int) -> c_int, else -1 => {
        end(port, |on, port| port.fail(on, Term::atom(Errno::new(error).name())))
    }

    fn driver_failure(port: ErlDrvPort, error: c_int) -> c_int, else -1 => {
        if error == 0 {
            return end_of_input(port);
        }
        end(port, |on, port| port.fail(on, Term::from(error)))
    }

    fn driver_exit(port: ErlDrvPort, error: c_int) -> c_int, else -1 => {
        let reason = match error {
            0 => Term::Atom(atom::NORMAL),
            error => Term::atom(Errno::new(error).name()),
        };
        end(port, |on, port| port.fail_unlinked(on, reason))
    }

    fn driver_report_exit(port: ErlDrvPort, status: c_int), else () => {
        with_port(port, |on, port, _| {
            port.report(on, Term::tuple([Term::atom("exit_status"), Term::from(status)]));
        });
    }

    fn set_port_control_flags(port: ErlDrvPort, flags: c_int), else () => {
        with_port(port, |on, _, instance| {
            let binary = flags.cast_unsigned() & PORT_CONTROL_FLAG_BINARY != 0;
            instance.interior(on).control_binary = binary;
        });
    }

    fn get_port_flags(port: ErlDrvPort) -> c_int, else 0 => {
        let flags = with_port(port, |on, port, _| {
            if port.phase(on) == Phase::Opening {
                return 0;
            }
            let options = port.kept_options();
            let binary = if options.binary { PORT_FLAG_BINARY } else { 0 };
            let line = if options.line { PORT_FLAG_LINE } else { 0 };
            binary | line
        });
        flags.unwrap_or(0).cast_signed()
    }

    fn set_busy_port(port: ErlDrvPort, on: c_int), else () => {
        with_port(port, |turn, port, _| port.set_busy(turn, on != 0));
    }

    fn erl_drv_busy_msgq_limits(port: ErlDrvPort, low: *mut ErlDrvSizeT, high: *mut ErlDrvSizeT), else () => {
        /// The number for "switched off".
        const DISABLED: usize = usize::MAX;
        // SAFETY: NULL, or numbers of the driver's.
        let wanted = unsafe { (pointer::load(low), pointer::load(high)) };
        let limits = with_port(port, |on, port, instance| {
            if instance.driver().entry.flags.no_busy_msgq() {
                return None;
            }
            let wanted = (wanted.0.unwrap_or(0), wanted.1.unwrap_or(0));
            let (low, high) = port.adjust_message_limits(on, wanted.0 as u64, wanted.1 as u64);
            Some((usize::try_from(low).ok()?, usize::try_from(high).ok()?))
        });
        let (found_low, found_high) = limits.flatten().unwrap_or((DISABLED, DISABLED));
        // SAFETY: as above.
        unsafe {
            pointer::store(low, found_low);
            pointer::store(high, found_high);
        }
    }

    fn erl_drv_consume_timeslice(port: ErlDrvPort, percent: c_int) -> c_int, else -1 => {
        let percent = percent.clamp(1, 100).unsigned_abs();
        let used_up = with_port(port, |on, _, instance| {
            let used = &mut instance.interior(on).timeslice;
            *used = used.saturating_add(percent);
            *used >= 100
        });
        used_up.map_or(-1, c_int::from)
    }

    fn erl_drv_set_os_pid(port: ErlDrvPort, pid: ErlDrvSInt), else () => {
        with_port(port, |_, _, instance| {
            instance.beside().lock().wanted().os_pid = (pid >= 0).then_some(pid);
        });
    }

    fn erl_drv_init_ack(port: ErlDrvPort, data: ErlDrvData), else () => {
        let verdict = callback::judge(data, Errno::last());
        with_port(port, |on, port, instance| instance.acknowledge(on, port, verdict));
    }

    fn driver_lock_driver(port: ErlDrvPort) -> c_int, else -1 => {
        let locked = with_port(port, |_, _, instance| {
            instance.drivers().is_some_and(|drivers| drivers.make_permanent(instance.driver()))
        });
        if locked == Some(true) { 0 } else { -1 }
    }

    fn driver_create_port(
        creator: ErlDrvPort,
        owner: ErlDrvTermData,
        name: *mut c_char,
        data: ErlDrvData,
    ) -> ErlDrvPort, else NO_PORT => {
        // SAFETY: a string of the driver's.
        let name = unsafe { pointer::string(name) }.map_or(&b""[..], |name| name.to_bytes());
        let data = data.expose_provenance();
        let created = with_port(creator, |on, port, instance| {
            let owner = port.services().directory.process(handle::as_pid(owner)?)?;
            create(on, port, instance, &owner, name, data)
        });
        created.flatten().map_or(NO_PORT, |port| {
            ptr::without_provenance_mut(handle::handle(port.id()))
        })
    }

    fn add_driver_entry(entry: *mut ErlDrvEntry), else () => {
        // SAFETY: the driver's table, which is part of the program and stays.
        match unsafe { Driver::from_table(entry, None, None, true) } {
            Ok(driver) => {
                let name = driver.name().to_owned();
                if !drivers::of_this_thread().is_some_and(|drivers| drivers.add_static(driver)) {
                    tracing::error!(name, "add_driver_entry: the name is taken, or no host is loading a driver");
                }
            }
            Err(error) => tracing::error!(%error, "add_driver_entry: the driver is refused"),
        }
    }

    fn remove_driver_entry(entry: *mut ErlDrvEntry) -> c_int, else 0 => {
        match drivers::of_this_thread().map(|drivers| drivers.remove_static(entry.addr())) {
            Some(Ok(true)) => 1,
            Some(Ok(false)) | None => 0,
            Some(Err(())) => -1,
        }
    }

    fn null_func() -> c_int, else 0 => {
        0
    }
}

/// What `driver_create_port` gives when it cannot.
const NO_PORT: ErlDrvPort = ptr::without_provenance_mut(usize::MAX);

/// Ends a port from inside. Its `stop` has run when this returns.
pub(in crate::driver) fn end(
    port: ErlDrvPort,
    how: impl FnOnce(&mut OnTurn<'_>, &Arc<Port>),
) -> c_int {
    with_port(port, |on, port, instance| {
        instance.before_failure(on, port);
        how(on, port);
        0
    })
    .unwrap_or(-1)
}

/// The same, unless the owner only wants to be told that the input has ended.
pub(in crate::driver) fn end_of_input(port: ErlDrvPort) -> c_int {
    with_port(port, |on, port, instance| {
        instance.before_end_of_input(on, port);
        if !port.outlives_its_input(on) {
            instance.before_failure(on, port);
        }
        port.end_of_input(on, None);
        0
    })
    .unwrap_or(-1)
}

/// Another port of the same driver.
fn create(
    on: &mut OnTurn<'_>,
    port: &Arc<Port>,
    instance: &Instance,
    owner: &Arc<crate::process::ProcessCell>,
    name: &[u8],
    data: usize,
) -> Option<Arc<Port>> {
    let opener = instance.drivers()?.another(instance.driver())?;
    let turn = opener.turn(&port.services().workers);
    let transport = opener.created(&turn, data);
    let options = crate::port::Options::new();
    let services = port.services();
    let open = |on: &mut OnTurn<'_>, turn| {
        Port::open_here(on, services, turn, name.into(), options, owner, transport).ok()
    };
    if Arc::ptr_eq(&turn, port.turn()) {
        return open(on, turn);
    }
    // Nobody else gets to the new port, not even its own timer, before the callback that made it is over.
    let mut hold = turn.hold()?;
    let made = hold.run(|on| open(on, turn))?;
    let maker = callback::innermost().unwrap_or(port.id());
    if let Some(instance) = made.transport_as::<Instance>() {
        instance.keep_for(maker, hold);
    }
    let kept = Arc::clone(&made);
    let maker = ports::get(maker);
    let turn = maker.as_ref().map_or(port.turn(), |maker| maker.turn());
    turn.post(Box::new(move |_| {
        if let Some(instance) = kept.transport_as::<Instance>() {
            instance.keep_no_longer();
        }
    }));
    Some(made)
}

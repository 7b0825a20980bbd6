//! `driver_async`: long work on the host's pool.

use std::ffi::{c_long, c_uint, c_void};
use std::sync::atomic::{AtomicI64, Ordering};

use super::misuse::{self, Rule};
use super::{export, with_port};
use crate::driver::callback;
use crate::driver::context;
use crate::driver::handle;
use crate::driver::later::job_done;
use crate::driver::raw::ErlDrvPort;
use crate::ffi::pointer;
use crate::port::Port;

export! {
    fn driver_async(
        port: ErlDrvPort,
        key: *mut c_uint,
        invoke: Option<unsafe extern "C" fn(*mut c_void)>,
        data: *mut c_void,
        destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    ) -> c_long, else -1 => {
        static SERIAL: AtomicI64 = AtomicI64::new(0);
        let Some(invoke) = invoke else {
            return misuse::refuse(port, &Rule::Nothing("a function to run"), -1);
        };
        // SAFETY: NULL, or the driver's key.
        let wanted = unsafe { pointer::load(key) };
        let submitted = with_port(port, |_, port, instance| {
            let drivers = instance.drivers()?;
            let driver = std::sync::Arc::clone(instance.driver());
            // Both are let go when the driver has its data back.
            let pin = drivers.pin(&driver);
            let pdl = instance.pdl();
            let (id, data) = (port.id(), Data(data));
            let variables = std::sync::Arc::clone(&port.services().variables);
            let job = Box::new(move || {
                let data = data;
                let marked = context::mark(std::sync::Arc::clone(&variables));
                // SAFETY: the driver's function, which it wants run with this data on a thread of
                // the pool; the pin keeps its library open.
                unsafe { invoke(data.0) };
                drop(marked);
                job_done(id, move |back| {
                    let data = data;
                    let taken = back.is_some_and(|(on, called)| callback::ready_async(on, called, data.0));
                    if let (false, Some(destroy)) = (taken, destroy) {
                        let _marked = context::mark(variables);
                        // SAFETY: the driver's function for data that nobody gets back.
                        unsafe { destroy(data.0) };
                    }
                    drop((pdl, pin));
                });
            });
            port.services().jobs.submit(wanted.map(|key| key as usize), job).ok()
        });
        let Some(lane) = submitted.flatten() else {
            return -1;
        };
        if wanted.is_some() {
            // SAFETY: as above. The driver's next job with this key gets the same thread.
            unsafe { pointer::store(key, c_uint::try_from(lane).unwrap_or(0)) };
        }
        SERIAL.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn driver_async_port_key(port: ErlDrvPort) -> c_uint, else 0 => {
        with_port(port, |_, port, _| key_of(port)).unwrap_or(0)
    }
}

/// The data of a job: the driver's own, which moves from thread to thread with the job.
struct Data(*mut c_void);

// SAFETY: nobody here follows the pointer, and the interface says that the data belongs to
// whichever of the driver's functions was handed it last.
unsafe impl Send for Data {}

/// A number for the port, never 0.
fn key_of(port: &Port) -> c_uint {
    let word = handle::port(port.id());
    // Ports that were opened one after the other get keys that are far from multiples.
    let mixed = (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as u32;
    mixed.max(1)
}

//! `driver_async`: long work on the host's pool.

use std::ffi::{c_long, c_uint, c_void};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::misuse::{self, Rule};
use super::sync::PdlHandle;
use super::{export, with_port};
use crate::driver::callback::{self, Called};
use crate::driver::context;
use crate::driver::handle;
use crate::driver::jobs::job_done;
use crate::driver::raw::ErlDrvPort;
use crate::ffi::pointer;
use crate::port::Port;
use crate::runtime::jobs;
use crate::runtime::turn::OnTurn;

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
        let submitted = with_port(port, |on, port, instance| {
            let pdl = instance.pdl();
            let job = || Job {
                // SAFETY: the port's `UnderWay` keeps it from `begin_job` until the job is back, and a job that
                // was not begun does nothing.
                port: unsafe { Kept::port(port) },
                invoke,
                done: Done {
                    data: Data(data),
                    destroy,
                    _pdl: pdl,
                },
            };
            instance.begin_job(on, port, wanted.map(|key| key as usize), job)
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

/// A job for the pool.
pub(crate) struct Job {
    /// Keeps the driver's library open, too.
    port: Kept,
    invoke: unsafe extern "C" fn(*mut c_void),
    done: Done,
}

impl jobs::Job for Job {
    fn run(self) {
        // A pool is one host's, as is all that its threads run.
        context::mark_for_good(&self.port.services().variables);
        // SAFETY: the driver's function, which it wants run with this data on a thread of the pool;
        // the port's back end keeps its library open.
        unsafe { (self.invoke)(self.done.data.0) };
        job_done(&self.port, self.done);
    }
}

/// The port of a job, which is kept for the job's sake without counting it as a holder: jobs come by the million,
/// and two threads would change the one number with each.
struct Kept(ManuallyDrop<Arc<Port>>);

impl Kept {
    /// # Safety
    /// Somebody holds the port whenever this is used.
    unsafe fn port(port: &Arc<Port>) -> Kept {
        // SAFETY: it came from an `Arc`. It is never dropped, so the number of holders stays right.
        Kept(ManuallyDrop::new(unsafe {
            Arc::from_raw(Arc::as_ptr(port))
        }))
    }
}

impl Deref for Kept {
    type Target = Arc<Port>;
    fn deref(&self) -> &Arc<Port> {
        &self.0
    }
}

/// What there is of a job once it is done, and before.
pub(in crate::driver) struct Done {
    data: Data,
    destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    /// Let go of when the driver has its data back.
    _pdl: Option<PdlHandle>,
}

impl Done {
    /// The driver gets its data back, or at least frees it.
    pub(in crate::driver) fn give_back(self, on: &mut OnTurn<'_>, called: Called<'_>) {
        if !callback::ready_async(on, called, self.data.0) {
            self.destroy(called.port);
        }
    }

    /// Nobody is there to get the data back: the driver's function frees it.
    pub(in crate::driver) fn destroy(self, port: &Port) {
        if let Some(destroy) = self.destroy {
            let _marked = context::mark(Arc::clone(&port.services().variables));
            // SAFETY: the driver's function for data that nobody gets back; the port's back end keeps
            // its library open.
            unsafe { destroy(self.data.0) };
        }
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

//! A port holds itself while its jobs are under way, and no longer: told with a driver in Rust.
#![forbid(unsafe_code)]

use std::any::Any;
use std::ffi::CStr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, Weak};

use super::awkward::until;
use super::*;
use crate::driver::rust::{DriverPort, PortDriver, StartError};
use crate::port::name::PortName;
use crate::port::table;

const PATIENCE: Duration = Duration::from_secs(10);

/// Where the jobs of a port wait until they may end; by the text that it was opened with.
static GATES: Mutex<Vec<(String, Receiver<()>)>> = Mutex::new(Vec::new());

/// A command is a job, which waits at the gate if there is one. The port ends with a job whose
/// command was `end`.
struct Worker(String);

impl PortDriver for Worker {
    const NAME: &'static CStr = c"worker_of_tests";

    fn start(_: &mut DriverPort<'_>, command: &[u8]) -> Result<Self, StartError> {
        Ok(Worker(String::from_utf8_lossy(command).into_owned()))
    }

    fn output(&mut self, port: &mut DriverPort<'_>, data: &[u8]) {
        let mut gates = GATES.lock().unwrap();
        let gate = gates.iter().position(|(name, _)| *name == self.0);
        let gate = gate.map(|at| gates.swap_remove(at).1);
        let text = data.to_vec();
        port.spawn_job(None, move || {
            let waited = gate.map(|gate| gate.recv_timeout(PATIENCE));
            assert_ne!(waited, Some(Err(RecvTimeoutError::Timeout)));
            text
        });
    }

    fn ready_async(&mut self, port: &mut DriverPort<'_>, result: Box<dyn Any + Send>) {
        let text = result.downcast::<Vec<u8>>().unwrap();
        match text.as_slice() {
            b"end" => port.exit(),
            text => port.output(text),
        }
    }
}

/// A host, a process, and a port of the worker's that was opened with `story`.
fn setting(story: &str) -> (Host, Process, Term, Weak<Core>) {
    let host = Host::new().unwrap();
    host.add_driver::<Worker>().unwrap();
    let me = host.process();
    let name = PortName::spawn_driver(format!("worker_of_tests {story}"));
    let port = me.open(name, Options::new()).unwrap();
    let weak = Arc::downgrade(&table::get(port.id()).unwrap());
    (host, me, Term::Port(port.id()), weak)
}

/// The next command's job waits until something is sent, or this is dropped.
fn gate(story: &str) -> Sender<()> {
    let (open, gate) = channel();
    let command = format!("worker_of_tests {story}");
    GATES.lock().unwrap().push((command, gate));
    open
}

fn is_gone(port: &Weak<Core>) -> bool {
    port.upgrade().is_none()
}

#[test]
fn a_port_whose_jobs_are_back_is_gone_when_it_is_closed() {
    let (_host, me, port, weak) = setting("closed");
    for _ in 0..3 {
        command(&me, &port, "x").unwrap();
        me.receive_any(PATIENCE).unwrap().expect("the job is back");
    }
    me.port_close(&port).unwrap();
    until("it is gone", || is_gone(&weak));
}

#[test]
fn a_port_that_is_closed_before_is_gone_when_its_last_job_is_back() {
    let (_host, me, port, weak) = setting("before");
    let open = gate("before");
    command(&me, &port, "waits").unwrap();
    command(&me, &port, "comes after it").unwrap();
    me.port_close(&port).unwrap();
    assert!(!is_gone(&weak), "a job is under way");
    drop(open);
    until("it is gone", || is_gone(&weak));
}

#[test]
fn a_port_that_ends_with_a_job_is_gone_with_it() {
    for jobs in [&["end"][..], &["x", "end", "y"]] {
        let (_host, me, port, weak) = setting("ends");
        let open = gate("ends");
        for text in jobs {
            command(&me, &port, text).unwrap();
        }
        drop(open);
        until("it is gone", || is_gone(&weak));
    }
}

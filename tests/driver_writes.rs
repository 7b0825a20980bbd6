//! Drivers that write to pipes and sockets nobody reads get `EPIPE`, as in Erlang, where SIGPIPE is
//! ignored: whatever the signal does to the host, it does not come, and the thread's mask and pending
//! signals are afterwards what they were.

#![allow(unsafe_code)] // sets what a host might set, and asks the kernel about this thread

#[path = "support/apart.rs"]
mod apart;
#[path = "support/drivers.rs"]
mod drivers;

use std::ffi::CStr;
use std::io::{PipeReader, Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apart::apart;
use wharf::rust_driver::{BadRequest, DriverPort, PortDriver, Reply, StartError};
use wharf::{Host, Message, Options, Port, PortName, Process, Term};

const SOON: Duration = Duration::from_secs(60);

/// Whether SIGPIPE is blocked in this thread, and whether it waits for it.
fn thread() -> (bool, bool) {
    // SAFETY: the sets are ours, and nothing is changed.
    unsafe {
        let mut mask: libc::sigset_t = std::mem::zeroed();
        let mut waiting: libc::sigset_t = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut mask);
        libc::sigpending(&raw mut waiting);
        let is_in = |set: &libc::sigset_t| libc::sigismember(set, libc::SIGPIPE) == 1;
        (is_in(&mask), is_in(&waiting))
    }
}

fn block() {
    // SAFETY: the set is ours.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigaddset(&raw mut set, libc::SIGPIPE);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
    }
}

/// What SIGPIPE does, for this process alone.
fn on_sigpipe(handler: libc::sighandler_t) {
    // SAFETY: the handlers given here do what handlers may.
    unsafe { libc::signal(libc::SIGPIPE, handler) };
}

/// The driver of these tests, and what it tells.
struct Stage {
    folder: PathBuf,
    told: PipeReader,
    host: Host,
    owner: Process,
    /// What this thread was like before.
    thread: (bool, bool),
}

impl Stage {
    fn new(test: &str) -> Stage {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        std::fs::create_dir_all(&folder).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers/writing_drv.c");
        drivers::compile(&source, &folder);
        let (told, to) = std::io::pipe().unwrap();
        let number = to.as_raw_fd().to_string();
        // The driver has it until the process ends.
        std::mem::forget(to);
        // SAFETY: this process has one thread that knows of the environment.
        unsafe { std::env::set_var("WHARF_WRITING", number) };
        let host = Host::new().unwrap();
        let owner = host.process();
        owner.set_trap_exit(true);
        Stage {
            folder,
            told,
            host,
            owner,
            thread: thread(),
        }
    }

    /// The next callbacks told of are these (in lower case, by whichever thread they ran on), and left
    /// nothing behind.
    fn told(&mut self, letters: &str) -> String {
        let mut told = vec![0; letters.len()];
        self.told.read_exact(&mut told).unwrap();
        let told = String::from_utf8(told).unwrap();
        assert_eq!(told.to_lowercase(), letters, "{told}");
        assert_eq!(thread(), self.thread, "{letters}");
        told
    }

    fn open(&self) -> Port {
        let name = PortName::spawn_driver("writing_drv");
        self.owner.open(name, Options::new().binary()).unwrap()
    }

    fn control(&self, port: &Port, operation: char) {
        let answer = port.control(u32::from(operation), "");
        assert!(answer.is_ok(), "{operation}");
    }

    /// Every callback there is, from loading to unloading.
    fn tell(&mut self) {
        self.owner.load_driver(&self.folder, "writing_drv").unwrap();
        self.told("dn");
        let port = self.open();
        self.told("s");
        port.command("x").unwrap();
        assert_eq!(self.told("o"), "O");
        port.call(0, Term::Nil).unwrap();
        assert_eq!(self.told("l"), "L");
        for (operation, callbacks) in [('t', "ct"), ('i', "ci"), ('o', "cw")] {
            self.on_this_thread(&port, operation, callbacks);
        }
        self.control(&port, 'a');
        self.told("cja");
        let mortal = self.host.process();
        let monitor = Term::from(u32::from('m'));
        mortal
            .port_control(&port.id().into(), &monitor, &Term::Nil)
            .unwrap();
        mortal.exit(Term::atom("over"));
        self.told("cm");
        self.control(&port, 'q');
        self.told("c");
        port.close().unwrap();
        self.told("qzx");
        while !matches!(self.owner.next(SOON).unwrap(), Some(Message::Exit { .. })) {}
        drop(port);
        self.owner.unload_driver("writing_drv").unwrap();
        self.told("f");
    }

    /// Has a callback come until it came on this thread, which waits for what it sends.
    fn on_this_thread(&mut self, port: &Port, operation: char, callbacks: &str) {
        const TRIES: usize = 200;
        /// In which the host's own thread falls asleep, so that this one can be sooner.
        const REST: Duration = Duration::from_millis(2);
        for _ in 0..TRIES {
            self.control(port, operation);
            self.owner.next_from(port.id(), SOON).unwrap().unwrap();
            let told = self.told(callbacks);
            if told.ends_with(char::is_uppercase) {
                return;
            }
            assert!(self.owner.next(REST).unwrap().is_none());
        }
        panic!("{operation} never came on the thread that waits");
    }
}

#[test]
fn where_it_is_deadly() {
    apart("where_it_is_deadly", || {
        on_sigpipe(libc::SIG_DFL);
        let mut stage = Stage::new("where_it_is_deadly");
        assert_eq!(stage.thread, (false, false));
        stage.tell();
    });
}

#[test]
fn where_the_thread_blocks_it() {
    apart("where_the_thread_blocks_it", || {
        on_sigpipe(libc::SIG_DFL);
        block();
        let mut stage = Stage::new("where_the_thread_blocks_it");
        assert_eq!(stage.thread, (true, false));
        stage.tell();
        // One that waits already stays.
        // SAFETY: this thread blocks it.
        unsafe { libc::raise(libc::SIGPIPE) };
        stage.thread = thread();
        assert_eq!(stage.thread, (true, true));
        stage.tell();
    });
}

static CAUGHT: AtomicUsize = AtomicUsize::new(0);

extern "C" fn catch(_: libc::c_int) {
    CAUGHT.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn where_the_host_handles_it() {
    apart("where_the_host_handles_it", || {
        let handler: extern "C" fn(libc::c_int) = catch;
        on_sigpipe(handler as libc::sighandler_t);
        let mut stage = Stage::new("where_the_host_handles_it");
        stage.tell();
        assert_eq!(CAUGHT.load(Ordering::Relaxed), 0);
        // SAFETY: there is a handler.
        unsafe { libc::raise(libc::SIGPIPE) };
        assert_eq!(CAUGHT.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn where_it_is_ignored() {
    apart("where_it_is_ignored", || {
        on_sigpipe(libc::SIG_IGN);
        Stage::new("where_it_is_ignored").tell();
    });
}

/// Writes to nobody from Rust.
struct Writing;

impl PortDriver for Writing {
    const NAME: &'static CStr = c"writing";

    fn start(_: &mut DriverPort<'_>, _: &[u8]) -> Result<Self, StartError> {
        Ok(Writing)
    }

    fn control(&mut self, _: &mut DriverPort<'_>, _: u32, _: &[u8]) -> Result<Reply, BadRequest> {
        let (_, mut writer) = std::io::pipe().map_err(|_| BadRequest)?;
        let error = writer.write_all(b"x").expect_err("nobody reads");
        Ok(Reply::from(error.kind().to_string()))
    }
}

#[test]
fn from_a_driver_in_rust() {
    apart("from_a_driver_in_rust", || {
        on_sigpipe(libc::SIG_DFL);
        let host = Host::new().unwrap();
        host.add_driver::<Writing>().unwrap();
        let owner = host.process();
        let port = owner
            .open(PortName::spawn_driver("writing"), Options::new().binary())
            .unwrap();
        let answer = port.control(0, "").unwrap();
        assert_eq!(answer.to_string(), "\"broken pipe\"");
        assert_eq!(thread(), (false, false));
    });
}

//! What belongs to the process stays as it was: what signals do, which are blocked in each thread,
//! environment, directory, umask, limits, priority, session, locale. And nothing that a port writes
//! to can kill the process.

#![allow(unsafe_code)] // asks the kernel about this process, and sets what a host might set

#[path = "support/apart.rs"]
mod apart;
#[path = "support/drivers.rs"]
mod drivers;

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::fs;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use apart::{apart, wait_until_well};
use wharf::{Host, Message, Options, Port, PortName, Process, Term};

const SOON: Duration = Duration::from_secs(60);

/// Everything that the kernel and the C library keep for the process as a whole, by name.
fn picture() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut note = |name: String, value: String| all.insert(name, value);
    for signal in 1..=64 {
        // SAFETY: the structure is ours, and nothing is changed.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0 {
                let what = (action.sa_sigaction, action.sa_flags);
                note(format!("signal {signal}"), format!("{what:?}"));
            }
        }
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    for name in [
        "SigIgn",
        "SigCgt",
        "Umask",
        "NoNewPrivs",
        "Seccomp",
        "Groups",
        "CapEff",
        "Name",
    ] {
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default();
        note(name.to_owned(), line.to_owned());
    }
    for name in ["limits", "oom_score_adj", "cgroup"] {
        note(
            name.to_owned(),
            fs::read_to_string(format!("/proc/self/{name}")).unwrap(),
        );
    }
    let folder = std::env::current_dir().unwrap();
    note("directory".to_owned(), folder.display().to_string());
    let variables: Vec<_> = std::env::vars_os().collect();
    note("environment".to_owned(), format!("{variables:?}"));
    // SAFETY: these only ask; the locale's name is a C string.
    unsafe {
        let mut subreaper = 0;
        libc::prctl(libc::PR_GET_CHILD_SUBREAPER, &raw mut subreaper);
        note("subreaper".to_owned(), subreaper.to_string());
        note(
            "dumpable".to_owned(),
            libc::prctl(libc::PR_GET_DUMPABLE).to_string(),
        );
        note(
            "priority".to_owned(),
            libc::getpriority(libc::PRIO_PROCESS, 0).to_string(),
        );
        note(
            "session".to_owned(),
            format!("{} {}", libc::getsid(0), libc::getpgrp()),
        );
        let locale = libc::setlocale(libc::LC_ALL, std::ptr::null());
        note("locale".to_owned(), format!("{:?}", CStr::from_ptr(locale)));
    }
    all
}

fn blocked(thread: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/self/task/{thread}/status")).ok()?;
    status
        .lines()
        .find(|line| line.starts_with("SigBlk"))
        .map(str::to_owned)
}

/// What is blocked in the host's own threads; those of the library are its own affair.
fn masks(own: &[String]) -> Vec<Option<String>> {
    own.iter().map(|thread| blocked(thread)).collect()
}

fn threads() -> Vec<String> {
    let listed = fs::read_dir("/proc/self/task").unwrap().flatten();
    listed
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn sh(owner: &Process, script: &str, options: Options) -> Port {
    let options = options.binary().args(["-c", script]);
    owner
        .open(PortName::spawn_executable("/bin/sh"), options)
        .unwrap()
}

/// Drops messages up to the end of the port; the reason.
fn end(owner: &Process, port: &Port) -> String {
    loop {
        let message = owner.next_from(port.id(), SOON).unwrap();
        if let Message::Exit { reason, .. } = message.expect("the port ends") {
            return reason.to_string();
        }
    }
}

fn trapping() -> Process {
    let owner = Host::new().unwrap().process();
    owner.set_trap_exit(true);
    owner
}

/// A bit of everything that a host can ask for.
fn exercise(look: &dyn Fn(&str)) {
    let owner = trapping();
    look("a host");
    let port = sh(
        &owner,
        "cat",
        Options::new()
            .env("WHARF_STATE", "1")
            .env_remove("HOME")
            .cd("/"),
    );
    look("an open program");
    port.command("hello").unwrap();
    owner.next_from(port.id(), SOON).unwrap().unwrap();
    port.close().unwrap();
    end(&owner, &port);
    look("a program that was closed");
    for script in ["kill -PIPE $$; exit 3", "exec 0<&-; echo ready; exit 3"] {
        let port = sh(&owner, script, Options::new());
        end(&owner, &port);
    }
    assert!(
        owner
            .open(PortName::spawn_executable("/no/such"), Options::new())
            .is_err()
    );
    let nowhere = sh(&owner, "true", Options::new().cd("/no/such/folder"));
    end(&owner, &nowhere);
    look("failures");
    let (one, other) = UnixStream::pair().unwrap();
    let port = owner
        .open(
            PortName::fd(one.as_raw_fd(), one.as_raw_fd()),
            Options::new(),
        )
        .unwrap();
    port.command(vec![b'x'; 1_000_000]).unwrap();
    drop(other);
    end(&owner, &port);
    look("descriptors");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("process_state");
    fs::create_dir_all(&folder).unwrap();
    drivers::compile_probes(&folder);
    owner.load_driver(&folder, "probe_drv").unwrap();
    let open = |name: &str| {
        owner
            .open(PortName::spawn_driver(name), Options::new())
            .unwrap()
    };
    for (driver, command) in [
        ("counter_drv", "5"),
        ("worker_drv", "1000"),
        ("echo_drv", "x"),
    ] {
        let port = open(driver);
        port.command(command).unwrap();
        owner.next_from(port.id(), SOON).unwrap().unwrap();
        look(driver);
        port.close().unwrap();
    }
    let probe = open("probe_drv");
    for operation in ['h', 'i'] {
        // Threads of the driver's own, and its variables.
        let operation = Term::from(u32::from(operation));
        let _ = owner.port_control(&probe.id().into(), &operation, &Term::Nil);
    }
    look("a driver with threads and variables");
    drop((port, probe));
    drop(owner);
    look("the end of the host");
}

#[test]
fn nothing_of_the_process_is_changed() {
    apart("nothing_of_the_process_is_changed", || {
        // SAFETY: sets what a host may have set before, for this process alone.
        unsafe {
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
            libc::signal(libc::SIGUSR1, libc::SIG_IGN);
            libc::umask(0o027);
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigaddset(&raw mut set, libc::SIGUSR2);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        }
        let own = threads();
        let (before, mask) = (picture(), masks(&own));
        exercise(&|when| {
            assert_eq!(picture(), before, "{when}");
            assert_eq!(masks(&own), mask, "{when}");
        });
        assert_eq!(picture(), before);
    });
}

/// A signal that the host keeps for one of its threads does not arrive in one of ours.
#[test]
fn threads_of_ours_take_none_of_the_hosts_signals() {
    apart("threads_of_ours_take_none_of_the_hosts_signals", || {
        let own = threads();
        let owner = trapping();
        let (blocking, _reader) = std::io::pipe().unwrap().into_pair();
        let port = owner.open(
            PortName::fd(0, blocking.as_raw_fd()),
            Options::new().output_only(),
        );
        port.unwrap().command(vec![b'x'; 1_000_000]).unwrap();
        let worker = owner
            .open(PortName::spawn_driver("worker_drv"), Options::new())
            .unwrap();
        worker.command("10").unwrap();
        owner.next_from(worker.id(), SOON).unwrap().unwrap();
        sh(&owner, "exec sleep 30 2>&1", Options::new())
            .close()
            .unwrap();
        let ours: Vec<String> = threads()
            .into_iter()
            .filter(|one| !own.contains(one))
            .collect();
        assert!(ours.len() >= 3, "{ours:?}");
        for thread in ours {
            let Some(line) = blocked(&thread) else {
                continue;
            };
            let mask = u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap();
            for signal in [
                libc::SIGTERM,
                libc::SIGCHLD,
                libc::SIGPIPE,
                libc::SIGINT,
                libc::SIGHUP,
            ] {
                assert!(mask >> (signal - 1) & 1 == 1, "{thread}: {line}");
            }
        }
    });
}

/// The two ends of a pipe in the other order.
trait IntoPair {
    fn into_pair(self) -> (std::io::PipeWriter, std::io::PipeReader);
}

impl IntoPair for (std::io::PipeReader, std::io::PipeWriter) {
    fn into_pair(self) -> (std::io::PipeWriter, std::io::PipeReader) {
        (self.1, self.0)
    }
}

/// Whether SIGPIPE waits for this thread, which a write may not leave behind.
fn sigpipe_waits() -> bool {
    // SAFETY: the set is ours.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigpending(&raw mut set);
        libc::sigismember(&raw const set, libc::SIGPIPE) == 1
    }
}

#[test]
fn writing_to_nobody_kills_no_host() {
    apart("writing_to_nobody_kills_no_host", || {
        // SAFETY: for this process alone.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let owner = trapping();
        // A program that has closed its input.
        let port = sh(
            &owner,
            "exec 0<&-; echo ready; exec sleep 600",
            Options::new(),
        );
        owner.next_from(port.id(), SOON).unwrap().unwrap();
        let pid: i32 = port.info("os_pid").unwrap().to_string().parse().unwrap();
        while port.command("x").is_ok() {}
        assert_eq!(end(&owner, &port), "epipe");
        // SAFETY: the program is this test's own.
        unsafe { libc::kill(pid, libc::SIGKILL) };
        // Descriptors whose other side goes before anything is written, and afterwards.
        for early in [true, false] {
            let (reader, writer) = std::io::pipe().unwrap();
            let (one, other) = UnixStream::pair().unwrap();
            let ends: [(i32, Box<dyn std::any::Any>); 2] = [
                (writer.as_raw_fd(), Box::new(reader)),
                (one.as_raw_fd(), Box::new(other)),
            ];
            for (to, other_side) in ends {
                let options = Options::new().output_only();
                let mut other_side = Some(other_side);
                if early {
                    other_side.take();
                }
                let port = owner.open(PortName::fd(0, to), options).unwrap();
                port.command(vec![b'x'; 2_000_000]).unwrap();
                other_side.take();
                assert_eq!(end(&owner, &port), "epipe", "{early}");
            }
        }
        assert!(!sigpipe_waits());
    });
}

/// What a host makes of SIGCHLD does not change what its ports tell.
fn statuses_are_right(owner: &Process) {
    let forgets = {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        let mut version = release
            .split(['.', '-'])
            .map_while(|part| part.parse::<u32>().ok());
        (version.next(), version.next()) < (Some(6), Some(15))
    };
    for round in 0..20 {
        let (script, status) = match round % 3 {
            0 => ("exit 7", 7),
            1 => ("kill -9 $$", 137),
            _ => ("exit 0", 0),
        };
        let port = sh(owner, script, Options::new().exit_status());
        match owner.next_from(port.id(), SOON).unwrap().unwrap() {
            Message::ExitStatus { status: told, .. } => {
                assert_eq!(told, status);
                assert_eq!(end(owner, &port), "normal");
            }
            // Kernels before 6.15 remember the status for nobody, and then that is said.
            Message::Exit { reason, .. } if forgets => assert_eq!(reason.to_string(), "echild"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_host_may_ignore_sigchld() {
    apart("a_host_may_ignore_sigchld", || {
        // SAFETY: for this process alone.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        statuses_are_right(&trapping());
    });
}

extern "C" fn reap_all(_: libc::c_int) {
    // SAFETY: allowed in a handler; what `errno` was is put back.
    unsafe {
        let errno = *libc::__errno_location();
        while libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) > 0 {}
        *libc::__errno_location() = errno;
    }
}

fn on_sigchld(handler: libc::sighandler_t, flags: libc::c_int) {
    // SAFETY: the structure is ours, and the handler does what handlers may.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        assert_eq!(
            libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut()),
            0
        );
    }
}

#[test]
fn a_host_may_want_no_children_left() {
    apart("a_host_may_want_no_children_left", || {
        on_sigchld(libc::SIG_DFL, libc::SA_NOCLDWAIT);
        statuses_are_right(&trapping());
    });
}

#[test]
fn a_host_may_reap_in_a_handler() {
    apart("a_host_may_reap_in_a_handler", || {
        let handler: extern "C" fn(libc::c_int) = reap_all;
        on_sigchld(handler as libc::sighandler_t, libc::SA_RESTART);
        statuses_are_right(&trapping());
        // A handler that interrupts every call.
        on_sigchld(handler as libc::sighandler_t, 0);
        statuses_are_right(&trapping());
    });
}

#[test]
fn a_thread_of_the_host_may_wait_for_any_child() {
    apart("a_thread_of_the_host_may_wait_for_any_child", || {
        std::thread::spawn(|| {
            loop {
                // SAFETY: no memory is involved.
                if unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) } < 0 {
                    std::thread::yield_now();
                }
            }
        });
        statuses_are_right(&trapping());
    });
}

/// What the thread that opens has blocked, and what handlers the host has, is not handed down.
#[test]
fn a_program_has_erlangs_signals_whatever_the_host_has() {
    apart(
        "a_program_has_erlangs_signals_whatever_the_host_has",
        || {
            let handler: extern "C" fn(libc::c_int) = reap_all;
            // SAFETY: for this process and thread alone.
            unsafe {
                for signal in [libc::SIGHUP, libc::SIGTERM, libc::SIGINT, libc::SIGQUIT] {
                    libc::signal(signal, libc::SIG_IGN);
                }
                libc::signal(libc::SIGPIPE, libc::SIG_DFL);
                libc::signal(libc::SIGUSR1, handler as libc::sighandler_t);
                let mut all: libc::sigset_t = std::mem::zeroed();
                libc::sigfillset(&raw mut all);
                libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
            }
            let owner = trapping();
            let port = sh(&owner, "exec cat /proc/self/status", Options::new());
            let mut status = String::new();
            while let Some(Message::Data { bytes, .. }) = owner.next_from(port.id(), SOON).unwrap()
            {
                status.push_str(std::str::from_utf8(&bytes).unwrap());
            }
            let set = |name: &str| {
                let line = status.lines().find(|line| line.starts_with(name)).unwrap();
                u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
            };
            let has = |set: u64, signal: i32| set >> (signal - 1) & 1 == 1;
            assert_eq!((set("SigBlk"), set("SigCgt")), (0, 0));
            let ignored = set("SigIgn");
            for signal in [libc::SIGPIPE, libc::SIGFPE, libc::SIGHUP] {
                assert!(has(ignored, signal), "{signal} in {ignored:x}");
            }
            for signal in [
                libc::SIGTERM,
                libc::SIGINT,
                libc::SIGQUIT,
                libc::SIGCHLD,
                libc::SIGUSR1,
            ] {
                assert!(!has(ignored, signal), "{signal} in {ignored:x}");
            }
        },
    );
}

/// A host forks, and the new process does nothing but become a program: both go on undisturbed.
#[test]
fn a_host_may_fork_and_exec() {
    apart("a_host_may_fork_and_exec", || {
        let owner = trapping();
        let port = sh(&owner, "cat", Options::new());
        for _ in 0..20 {
            // SAFETY: the new process calls nothing but exec and exit, and is waited for.
            let status = unsafe {
                let child = libc::fork();
                if child == 0 {
                    let none = std::ptr::null::<libc::c_char>();
                    libc::execl(c"/bin/true".as_ptr(), c"true".as_ptr(), none);
                    libc::_exit(1);
                }
                let mut status = 0;
                assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
                status
            };
            assert_eq!(status, 0);
            port.command("still here").unwrap();
            owner.next_from(port.id(), SOON).unwrap().unwrap();
        }
        port.close().unwrap();
        assert_eq!(end(&owner, &port), "normal");
        let (mut reader, writer) = std::io::pipe().unwrap();
        drop(writer);
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
        wait_until_well(|| match owner.host().ports().is_empty() {
            true => Ok(()),
            false => Err("a port is left".to_owned()),
        });
    });
}

//! The functions that a driver writes by are kept from SIGPIPE one by one, wherever and by whatever they
//! are called, however the driver is linked; where that cannot be, all of a callback is.

#![allow(unsafe_code)] // sets what a host might set, and asks the kernel about this thread

#[path = "support/apart.rs"]
mod apart;
#[path = "support/drivers.rs"]
mod drivers;

use std::ffi::CString;
use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use apart::apart;
use wharf::{Host, Message, Options, Port, PortName, Process};

const NAME: &str = "writers_drv";

/// What the driver does in turn, all of it good.
const ALL_WAYS: &str = "eprduhce";

fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("writers-{test}"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The driver, compiled and linked as asked.
fn compile(test: &str, flags: &[&str]) -> PathBuf {
    let folder = folder(test);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers/writers_drv.c");
    drivers::compile_with_flags(&source, &folder, flags);
    folder
}

/// In this process a SIGPIPE that arrives is deadly.
fn let_it_be_deadly() {
    // SAFETY: for this process alone.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

fn open(owner: &Process) -> Port {
    owner
        .open(PortName::spawn_driver(NAME), Options::new().binary())
        .unwrap()
}

fn ask(port: &Port, operation: char) -> String {
    let answer = port.control(u32::from(operation), "").unwrap().to_string();
    answer.trim_matches(['<', '>', '"']).to_owned()
}

/// Has the driver in a folder loaded, write in all ways, and unloaded.
fn writes_well(host: &Host, folder: &Path) {
    let owner = host.process();
    owner.load_driver(folder, NAME).unwrap();
    let port = open(&owner);
    for operation in ALL_WAYS.chars() {
        assert_eq!(ask(&port, operation), "ok", "{operation}");
    }
    assert_eq!(ask(&port, 'm'), "open");
    port.close().unwrap();
    owner.unload_driver(NAME).unwrap();
}

/// Whether all of a callback is kept from the signal, for the driver in a folder.
fn callbacks_are_shielded(folder: &Path) -> bool {
    let host = Host::new().unwrap();
    let owner = host.process();
    owner.load_driver(folder, NAME).unwrap();
    let port = open(&owner);
    match &*ask(&port, 'm') {
        "blocked" => true,
        "open" => false,
        other => panic!("{other}"),
    }
}

#[test]
fn however_it_is_linked() {
    apart("however_it_is_linked", || {
        let_it_be_deadly();
        let host = Host::new().unwrap();
        for (test, flags) in [
            ("plain", &[][..]),
            ("now", &["-Wl,-z,now,-z,relro"]),
            ("lazy", &["-Wl,-z,lazy,-z,relro"]),
            ("no-relro", &["-Wl,-z,lazy,-z,norelro"]),
            ("no-plt", &["-fno-plt", "-O2", "-D_FORTIFY_SOURCE=2"]),
            ("large-files", &["-D_FILE_OFFSET_BITS=64"]),
            ("elsewhere", &["-Wl,-Ttext-segment=0x200000"]),
            ("old-hash", &["-Wl,--hash-style=sysv", "-s"]),
        ] {
            let folder = compile(test, flags);
            writes_well(&host, &folder);
            // Loaded anew, it is bound anew.
            writes_well(&host, &folder);
        }
    });
}

#[test]
fn where_the_host_ignores_it() {
    apart("where_the_host_ignores_it", || {
        // SAFETY: for this process alone.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        writes_well(&Host::new().unwrap(), &compile("ignored", &[]));
    });
}

#[test]
fn one_that_waits_already_stays() {
    apart("one_that_waits_already_stays", || {
        let_it_be_deadly();
        let folder = compile("waiting", &[]);
        let host = Host::new().unwrap();
        let owner = host.process();
        owner.load_driver(folder, NAME).unwrap();
        let port = open(&owner);
        // SAFETY: the set is ours, and a blocked signal does nothing.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigaddset(&raw mut set, libc::SIGPIPE);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
            libc::raise(libc::SIGPIPE);
        }
        assert_eq!(ask(&port, 'e'), "ok");
        assert_eq!(ask(&port, 'p'), "ok");
    });
}

#[test]
fn in_two_hosts_at_once() {
    apart("in_two_hosts_at_once", || {
        let_it_be_deadly();
        let folder = compile("twice", &[]);
        let hosts = [Host::new().unwrap(), Host::new().unwrap()];
        let ports = hosts.each_ref().map(|host| {
            let owner = host.process();
            owner.load_driver(&folder, NAME).unwrap();
            (open(&owner), owner)
        });
        for operation in ALL_WAYS.chars() {
            for (port, _) in &ports {
                assert_eq!(ask(port, operation), "ok", "{operation}");
            }
        }
        assert!(ports.iter().all(|(port, _)| ask(port, 'm') == "open"));
    });
}

/// A sample driver has no file, and its `ready_output` writes.
#[test]
fn in_a_driver_that_is_built_in() {
    apart("in_a_driver_that_is_built_in", || {
        let_it_be_deadly();
        let path = folder("built-in").join("fifo");
        let _ = std::fs::remove_file(&path);
        let name = CString::new(path.as_os_str().as_bytes()).unwrap();
        // SAFETY: the name lives through the call.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let reader = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(&path)
            .unwrap();
        let host = Host::new().unwrap();
        let owner = host.process();
        owner.set_trap_exit(true);
        let open = PortName::spawn_driver(format!("queue_drv {}", path.display()));
        let port = owner.open(open, Options::new()).unwrap();
        drop(reader);
        port.command("x").unwrap();
        match owner.next(apart::DEADLINE).unwrap() {
            Some(Message::Exit { reason, .. }) => assert_eq!(reason.to_string(), "epipe"),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_driver_that_writes_by_nothing_else_is_called_as_it_is() {
    apart(
        "a_driver_that_writes_by_nothing_else_is_called_as_it_is",
        || {
            let_it_be_deadly();
            for function in ["write", "sendmsg", "pwritev64v2", "snprintf", "read"] {
                let also = format!("-DALSO={function}");
                let folder = compile(function, &["-DONLY_ASKS", &also]);
                assert!(!callbacks_are_shielded(&folder), "{function}");
            }
            let folder = compile("nothing", &["-DONLY_ASKS"]);
            assert!(!callbacks_are_shielded(&folder));
        },
    );
}

#[test]
fn in_doubt_all_of_a_callback_is_shielded() {
    apart("in_doubt_all_of_a_callback_is_shielded", || {
        let_it_be_deadly();
        for function in ["printf", "fflush", "dlsym", "syscall", "__write", "syslog"] {
            let also = format!("-DALSO={function}");
            let folder = compile(function, &["-DONLY_ASKS", &also]);
            assert!(callbacks_are_shielded(&folder), "{function}");
            // Also beside functions that could be bound.
            let folder = compile(&format!("beside-{function}"), &[&also]);
            assert!(callbacks_are_shielded(&folder), "{function}");
        }
        for (test, flags) in [
            ("addend", &["-DALSO=write", "-DADDEND=8"][..]),
            ("in-code", &["-DIN_CODE", "-Wl,-z,notext"]),
            ("kept", &["-DKEEPS"]),
            ("lost", &["-DLOSES", "-nostartfiles"]),
            ("resolver", &["-Wl,--no-as-needed", "-lresolv"]),
        ] {
            let folder = compile(test, flags);
            assert!(callbacks_are_shielded(&folder), "{test}");
        }
    });
}

#[test]
fn a_file_without_sections_is_a_doubt() {
    apart("a_file_without_sections_is_a_doubt", || {
        let_it_be_deadly();
        let file = compile("sections", &[]).join(NAME).with_extension("so");
        let mut bytes = std::fs::read(file).unwrap();
        // The header's `e_shoff`, and `e_shnum` with `e_shstrndx`.
        bytes[40..48].fill(0);
        bytes[60..64].fill(0);
        let without = folder("no-sections");
        std::fs::write(without.join(NAME).with_extension("so"), bytes).unwrap();
        assert!(callbacks_are_shielded(&without));
    });
}

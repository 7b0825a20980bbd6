//! Drivers for tests: compiled from C, loaded, opened, and listened to.
//!
//! A driver's source is in `drivers/` or `tests/drivers/`. Terms are compared by their Erlang
//! text, with every port shown as `P` and every process as `<pid>`.
#![allow(dead_code)] // each test file uses its part

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use wharf::host::{Host, Process, Raise};
use wharf::term::{PortId, Term};

/// Longer than anything here takes.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A host with one process, which traps exits.
pub(crate) struct World {
    pub(crate) host: Host,
    pub(crate) me: Process,
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of this test's own, empty.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Compiles a driver and gives the folder it is in.
pub(crate) fn compile(name: &str) -> PathBuf {
    compile_with(name, name, &[])
}

/// Compiles `NAME.c` into `library.so`, with more flags.
pub(crate) fn compile_with(name: &str, library: &str, flags: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("drivers");
    std::fs::create_dir_all(&folder).unwrap();
    let places =
        ["drivers", "tests/drivers"].map(|place| root().join(place).join(format!("{name}.c")));
    let source = places
        .iter()
        .find(|source| source.exists())
        .expect("the driver's source");
    // Tests run side by side: each writes a file of its own, and the last one wins.
    static SERIAL: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let serial = SERIAL.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let fresh = folder.join(format!("{library}.{}.{serial}", std::process::id()));
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    // For sanitizers.
    let more = std::env::var("WHARF_TEST_CFLAGS").unwrap_or_default();
    let ran = Command::new(compiler)
        .args(more.split_whitespace())
        .args(["-shared", "-fPIC", "-g", "-Wall", "-Wextra", "-I"])
        .arg(root().join("include"))
        .args(flags)
        .arg("-o")
        .arg(&fresh)
        .arg(source)
        .output()
        .expect("a C compiler is installed");
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    std::fs::rename(&fresh, folder.join(format!("{library}.so"))).unwrap();
    folder
}

impl World {
    pub(crate) fn new() -> World {
        let host = Host::new().unwrap();
        let me = host.process();
        me.set_trap_exit(true);
        World { host, me }
    }

    /// A world with one driver loaded.
    pub(crate) fn with(driver: &str) -> World {
        let world = World::new();
        let folder = compile(driver);
        assert_eq!(
            world.ddll("load", &[&folder.to_string_lossy(), driver]),
            "ok"
        );
        world
    }

    /// `erl_ddll:Function(String, ...)`.
    pub(crate) fn ddll(&self, function: &str, texts: &[&str]) -> String {
        let arguments: Vec<Term> = texts.iter().map(|text| Term::charlist(text)).collect();
        shown(
            &self
                .me
                .ddll(function, &arguments)
                .unwrap_or_else(|raise| raise.reason),
        )
    }

    /// `erl_ddll:Function(Term, ...)`.
    pub(crate) fn ddll_terms(&self, function: &str, arguments: &[Term]) -> String {
        shown(
            &self
                .me
                .ddll(function, arguments)
                .unwrap_or_else(|raise| raise.reason),
        )
    }

    pub(crate) fn try_open(&self, command: &str, options: &str) -> Result<PortId, Raise> {
        let name = Term::tuple(vec![Term::atom("spawn_driver"), Term::charlist(command)]);
        self.me.open_port(&name, &term(options))
    }

    pub(crate) fn open(&self, command: &str, options: &str) -> PortId {
        self.try_open(command, options).unwrap()
    }

    pub(crate) fn command(&self, port: PortId, data: impl Into<Term>) {
        self.me
            .port_command(&port.into(), &data.into(), &Term::Nil)
            .unwrap();
    }

    pub(crate) fn control(&self, port: PortId, operation: u32, data: &str) -> String {
        let answer = self
            .me
            .port_control(&port.into(), &Term::from(operation), &Term::from(data));
        shown(&answer.unwrap_or_else(|raise| raise.reason))
    }

    pub(crate) fn close(&self, port: PortId) {
        self.me.port_close(&port.into()).unwrap();
    }

    /// The next messages, as text.
    pub(crate) fn messages(&self, number: usize) -> Vec<String> {
        (0..number)
            .map_while(|_| self.me.receive_any(DEADLINE).unwrap())
            .map(|message| shown(&message))
            .collect()
    }

    /// The next message, as text.
    pub(crate) fn message(&self) -> String {
        self.messages(1).pop().expect("a message comes")
    }

    /// Nothing is in the mailbox, and nothing arrives while a request goes to the port and back.
    pub(crate) fn nothing_waits(&self) {
        assert_eq!(self.me.messages_waiting(), 0, "{:?}", self.message());
    }
}

/// A term written as in Erlang.
pub(crate) fn term(text: &str) -> Term {
    wharf::term::text::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A term as text, with `P` for ports and `<pid>` for processes.
pub(crate) fn shown(term: &Term) -> String {
    let text = term.to_string();
    let text = replace(&text, "#Port<", "P");
    let text = replace(&text, "#Ref<", "R");
    replace(&text, "<0.", "<pid>")
}

/// Replaces everything from `start` to the next `>`.
fn replace(text: &str, start: &str, with: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(start) {
        out.push_str(before);
        out.push_str(with);
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    out + rest
}

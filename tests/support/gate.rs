//! Ports of a driver that stands still where the test wants it to (`tests/drivers/gate_drv.c`).
#![forbid(unsafe_code)]
#![allow(dead_code)] // each test file uses its part

use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use wharf::{Host, Options, Port, PortName, Process, Term};

use crate::world::compile_with;

/// Loads a gate driver of its own name, so that its turn is its own, too.
pub(crate) fn load(loader: &Process, name: &str, flags: &str) {
    let define = format!("-DNAME=\"{name}\"");
    let flags = format!("-DFLAGS={flags}");
    let folder: PathBuf = compile_with("gate_drv", name, &[&define, &flags]);
    let words = [&folder.to_string_lossy(), name].map(Term::charlist);
    assert_eq!(loader.ddll("load", &words), Ok(Term::atom("ok")));
}

/// The test's side of the pipes: what the driver says, and what it waits for.
pub(crate) struct Gate {
    says: BufReader<PipeReader>,
    opens: PipeWriter,
    acks: PipeWriter,
    theirs: (PipeWriter, PipeReader, PipeReader),
}

impl Gate {
    pub(crate) fn new() -> Gate {
        let pipe = || std::io::pipe().expect("descriptors");
        let ((says, said), (waits, opens), (acked, acks)) = (pipe(), pipe(), pipe());
        Gate {
            says: BufReader::new(says),
            opens,
            acks,
            theirs: (said, waits, acked),
        }
    }

    /// What to open: a port that stands still in the callbacks of these letters.
    pub(crate) fn name(&self, driver: &str, places: &str) -> PortName {
        let (said, waits, acked) = &self.theirs;
        let numbers = [said.as_raw_fd(), waits.as_raw_fd(), acked.as_raw_fd()];
        let [said, waits, acked] = numbers;
        PortName::spawn_driver(format!("{driver} {said} {waits} {acked} {places}"))
    }

    /// Opens such a port, and lets it start.
    pub(crate) fn open(&mut self, owner: &Process, driver: &str, places: &str) -> Port {
        let port = owner
            .open(self.name(driver, places), Options::new().binary())
            .expect("the driver starts");
        self.reaches("s");
        port
    }

    /// Waits for the next callback, which is this one.
    #[track_caller]
    pub(crate) fn reaches(&mut self, expected: &str) {
        let mut line = String::new();
        self.says.read_line(&mut line).expect("a line");
        assert_eq!(line.trim_end(), expected);
    }

    /// The next callback, whichever it is.
    pub(crate) fn next(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// Lets the callback that stands still go on.
    pub(crate) fn let_go(&mut self) {
        self.opens.write_all(b".").expect("the driver reads");
    }

    /// Makes the driver acknowledge its open.
    pub(crate) fn acknowledge(&mut self, how: u8) {
        self.acks.write_all(&[how]).expect("the driver reads");
    }

    /// Nothing was called that the test has not seen; to be asked when the ports are gone.
    #[track_caller]
    #[allow(clippy::wrong_self_convention)] // it closes the pipes to see that
    pub(crate) fn is_quiet(mut self, host: &Host) {
        assert!(host.ports().is_empty());
        drop((self.theirs, self.opens, self.acks));
        let mut rest = String::new();
        self.says.read_line(&mut rest).expect("the end");
        assert_eq!(rest, "", "a callback too many");
    }
}

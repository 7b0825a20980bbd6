//! What a host would leave behind if it ended now, and what it has left behind: for tests of drivers,
//! and of programs that use ports.
#![forbid(unsafe_code)]

use std::fmt;
use std::os::fd::RawFd;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::driver::ledger::{self, Ledger};
use crate::driver::unjoined;
use crate::host::Host;
use crate::port::variables::Variables;
use crate::port::{Port, table};
use crate::term::{Pid, PortId, Reference, Term};

/// Something that somebody should have put away. Printed as a sentence without an end.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Leftover {
    /// A port that is open, or still closing.
    Port {
        /// Its identity.
        id: PortId,
        /// Its name: the command, or the driver's.
        name: String,
        /// Whom it belongs to.
        owner: Pid,
    },
    /// A descriptor that a port of a driver has selected (`driver_select`).
    Descriptor {
        /// The port.
        port: PortId,
        /// The descriptor.
        number: RawFd,
    },
    /// A timer that a port of a driver has set (`driver_set_timer`).
    Timer {
        /// The port.
        port: PortId,
        /// When it will run out.
        left: Duration,
    },
    /// A message that is to be sent later.
    Message {
        /// Its timer.
        timer: Reference,
        /// When it will be sent.
        left: Duration,
    },
    /// A monitor that has not told anything yet.
    Monitor {
        /// The process or port that would hear of it.
        watcher: Term,
        /// Whose end it is about.
        object: Term,
    },
    /// A job of `driver_async` that waits or runs.
    Job,
    /// A binary that a driver has allocated (`driver_alloc_binary`) and nobody has freed; a message or a
    /// term that somebody keeps may be holding it.
    Binary {
        /// How large it is.
        bytes: usize,
        /// Whose callback allocated it; `None` outside the callbacks of a port.
        driver: Option<String>,
    },
    /// A thread that a driver has made (`erl_drv_thread_create`) and nobody has joined.
    Thread {
        /// Its name.
        name: String,
        /// Whose callback made it; `None` outside the callbacks of a port.
        driver: Option<String>,
    },
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Leftover::Port { id, name, owner } => write!(f, "port {id} ({name}), owned by {owner}"),
            Leftover::Descriptor { port, number } => {
                write!(f, "descriptor {number}, selected by {port}")
            }
            Leftover::Timer { port, left } => {
                write!(f, "timer of {port}, with {} s to go", left.as_secs())
            }
            Leftover::Message { timer, left } => {
                write!(f, "message {timer}, to be sent in {} s", left.as_secs())
            }
            Leftover::Monitor { watcher, object } => write!(f, "monitor of {object} by {watcher}"),
            Leftover::Job => f.write_str("job of driver_async, not finished"),
            Leftover::Binary { bytes, driver } => {
                write!(f, "binary of {bytes} bytes, allocated by {}", named(driver))
            }
            Leftover::Thread { name, driver } => {
                write!(f, "thread {name} of {}, not joined", named(driver))
            }
        }
    }
}

fn named(driver: &Option<String>) -> &str {
    driver
        .as_deref()
        .unwrap_or("a driver outside its callbacks")
}

/// A host that has ended, see [`Host::end`].
pub struct Ended {
    before: Vec<Leftover>,
    ledger: Option<Arc<Ledger>>,
    mark: Weak<Variables>,
}

impl Ended {
    /// What the host has left behind: what was still there when it was ended, and the binaries and
    /// threads of drivers that are there now.
    pub fn leftovers(&self) -> Vec<Leftover> {
        let mut left = self.before.clone();
        held_by_drivers(self.ledger.as_deref(), &self.mark, &mut left);
        left
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.leftovers()).finish()
    }
}

impl Host {
    /// What would be left behind if the host ended now. Drivers may yet free some of their binaries, as
    /// their ports end or they are unloaded. Binaries are among it only where
    /// [`Builder::note_binaries`](crate::Builder::note_binaries) asked for that.
    ///
    /// ```
    /// use wharf::{Host, Options, PortName};
    ///
    /// let host = Host::new()?;
    /// let me = host.process();
    /// let port = me.open(PortName::spawn("cat"), Options::new())?;
    /// let left = host.leftovers();
    /// assert_eq!(left.len(), 1);
    /// assert_eq!(left[0].to_string(), format!("port {} (cat), owned by {}", port.id(), me.pid()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn leftovers(&self) -> Vec<Leftover> {
        let mut left = self.left_in_host();
        let mark = Arc::downgrade(&self.services().variables);
        held_by_drivers(self.core.ledger.as_deref(), &mark, &mut left);
        left
    }

    /// Ends the host, whoever has handles of it or of its processes: the processes end, the ports are
    /// closed without waiting for output that nobody reads. Its drivers are unloaded when the last
    /// handle is dropped. Gives what tells afterwards what was left behind.
    pub fn end(self) -> Ended {
        let ended = Ended {
            before: self.left_in_host(),
            ledger: self.core.ledger.clone(),
            mark: Arc::downgrade(&self.services().variables),
        };
        self.core.close();
        ended
    }

    fn left_in_host(&self) -> Vec<Leftover> {
        let mut left = Vec::new();
        for port in table::of_host(self.services()) {
            left_of_port(&port, &mut left);
        }
        for process in self.directory().processes() {
            let watcher = Term::Pid(process.pid());
            process.relations(|relations| {
                left.extend(relations.watching().map(|(_, it)| Leftover::Monitor {
                    watcher: watcher.clone(),
                    object: it.object.clone(),
                }));
            });
        }
        let messages = self.delayed().all().into_iter();
        left.extend(messages.map(|(timer, id)| Leftover::Message {
            timer,
            left: id.time_left(),
        }));
        let jobs = self.drivers().jobs().unfinished();
        left.extend(std::iter::repeat_n(Leftover::Job, jobs));
        left
    }
}

/// A port, and what it holds. One that is gone by now holds nothing.
fn left_of_port(port: &Arc<Port>, left: &mut Vec<Leftover>) {
    let id = port.id();
    let asked = port.ask(|on, port| {
        let monitored = port.monitored(on);
        (port.owner(on), monitored, ledger::held_by_port(on, port))
    });
    let Ok((owner, monitored, held)) = asked else {
        return;
    };
    left.push(Leftover::Port {
        id,
        name: String::from_utf8_lossy(port.name()).into_owned(),
        owner,
    });
    left.extend(
        held.descriptors
            .into_iter()
            .map(|number| Leftover::Descriptor { port: id, number }),
    );
    left.extend(held.timer.map(|left| Leftover::Timer { port: id, left }));
    left.extend(monitored.into_iter().map(|object| Leftover::Monitor {
        watcher: Term::Port(id),
        object,
    }));
}

fn held_by_drivers(ledger: Option<&Ledger>, host: &Weak<Variables>, left: &mut Vec<Leftover>) {
    let binaries = ledger.map(Ledger::binaries).unwrap_or_default();
    left.extend(binaries.into_iter().map(|it| Leftover::Binary {
        bytes: it.bytes,
        driver: it.driver,
    }));
    left.extend(unjoined(host).into_iter().map(|it| Leftover::Thread {
        name: it.name,
        driver: it.driver,
    }));
}

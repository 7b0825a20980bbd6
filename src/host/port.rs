//! A port as a Rust user holds it.
#![forbid(unsafe_code)]

use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::{Poll, Wake, Waker};

use crate::host::{Error, Process, Raise};
use crate::lock::Lock;
use crate::port::Port as PortCore;
use crate::port::name::PortName;
use crate::port::options::Options;
use crate::port::request::{CommandFlags, Commanded};
use crate::process::ProcessCell;
use crate::process::pause::Pause;
use crate::process::signal::Message as Mail;
use crate::term::iodata::IoData;
use crate::term::{Atom, Binary, Pid, PortId, Reference, Term, atom};

/// A port, used in the name of a process.
///
/// The handle does not own the port: dropping it changes nothing, and a port that was closed
/// meanwhile answers with an error. It keeps its process alive, whose end would close it.
///
/// ```
/// use std::time::Duration;
/// use wharf::{Host, Message, Options, PortName, Term};
///
/// let me = Host::new()?.process();
/// let options = Options::new().binary().exit_status().args(["-c", "read line; exit 3"]);
/// let port = me.open(PortName::spawn_executable("/bin/sh"), options)?;
/// assert_eq!(port.info("name"), Some(Term::charlist("/bin/sh")));
/// port.command("go\n")?;
/// let ended = me.next_from(port.id(), Duration::from_secs(5))?;
/// assert_eq!(ended, Some(Message::ExitStatus { port: port.id(), status: 3 }));
///
/// let error = port.command("anyone?").unwrap_err();
/// assert!(error.is("badarg"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Port {
    process: Process,
    core: Arc<PortCore>,
}

impl Process {
    /// Opens a port, owned by this process and linked to it.
    ///
    /// # Errors
    /// As Erlang's `open_port/2`: `badarg` for options that do not fit, `enoent` and its
    /// like for a file that cannot be executed, what a driver answers, `emfile`,
    /// `system_limit`. A *program* that cannot be started after that is told by its exit
    /// status instead.
    pub fn open(&self, name: PortName, options: Options) -> Result<Port, Error> {
        match self.open_checked(&name, options) {
            Ok(core) => Ok(Port {
                process: self.clone(),
                core,
            }),
            Err(raise) => Err(Error::new("open", shown(&name), raise)),
        }
    }

    /// A handle for a port known by its identity. `None` when it is closed.
    pub fn port(&self, id: PortId) -> Option<Port> {
        Some(Port {
            process: self.clone(),
            core: self.port_of(id)?,
        })
    }
}

impl Port {
    /// The identity; messages from the port carry it.
    pub fn id(&self) -> PortId {
        self.core.id()
    }

    /// The process in whose name the handle acts.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The same port in the name of another process.
    #[must_use]
    pub fn on_behalf_of(&self, process: &Process) -> Port {
        Port {
            process: process.clone(),
            core: Arc::clone(&self.core),
        }
    }

    /// Hands data to the port, waiting while it is busy: the calling thread sleeps. Success
    /// means that it was taken; what fails later arrives as the port's exit
    /// (`port_command/2` of Erlang's module `erlang`).
    ///
    /// # Errors
    /// `badarg` when the port is closed, or the process has ended, before or while waiting.
    #[inline]
    pub fn command(&self, data: impl AsRef<[u8]>) -> Result<(), Error> {
        let data = data.as_ref();
        self.command_with(CommandFlags::default(), IoData::Bytes(data))
            .map(drop)
    }

    /// [`Self::command`] without a copy of large data.
    ///
    /// # Errors
    /// As [`Self::command`].
    pub fn command_data(&self, data: &IoData<'_>) -> Result<(), Error> {
        self.command_with(CommandFlags::default(), data.clone())
            .map(drop)
    }

    /// [`Self::command`] of bytes that the caller gives away: they are not copied on the way, not even
    /// for a driver, if nobody else holds them.
    ///
    /// # Errors
    /// As [`Self::command`].
    #[inline]
    pub fn command_binary(&self, data: Binary) -> Result<(), Error> {
        self.command_with(CommandFlags::default(), IoData::Binary(data))
            .map(drop)
    }

    /// [`Self::command`] without waiting: false, and nothing sent, when the port is busy.
    ///
    /// # Errors
    /// As [`Self::command`].
    pub fn try_command(&self, data: impl AsRef<[u8]>) -> Result<bool, Error> {
        let flags = CommandFlags {
            nosuspend: true,
            ..CommandFlags::default()
        };
        let data = data.as_ref();
        self.command_with(flags, IoData::Bytes(data))
    }

    /// [`Self::command`] whether the port is busy or not.
    ///
    /// # Errors
    /// As [`Self::command`]; `notsup` unless the driver has the soft busy flag.
    pub fn force_command(&self, data: impl AsRef<[u8]>) -> Result<(), Error> {
        let flags = CommandFlags {
            force: true,
            ..CommandFlags::default()
        };
        let data = data.as_ref();
        self.command_with(flags, IoData::Bytes(data)).map(drop)
    }

    #[inline]
    fn command_with(&self, flags: CommandFlags, mut data: IoData<'_>) -> Result<bool, Error> {
        let commanded = self.process.command(&self.core, flags, &mut data);
        if let IoData::Bytes(_) = data {
            // Nothing to drop, which is not seen by itself.
            std::mem::forget(data);
        }
        commanded.map_err(|raise| self.error("command", raise))
    }

    /// [`Self::command`] as a future for any executor: pending while the port is busy. A future
    /// that is dropped before it is ready has sent nothing.
    ///
    /// # Errors
    /// As [`Self::command`].
    pub async fn command_async(&self, data: impl AsRef<[u8]>) -> Result<(), Error> {
        let mut data = IoData::Bytes(data.as_ref());
        loop {
            if let Err(ended) = self.process.alive() {
                return Err(self.error("command", ended));
            }
            let flags = CommandFlags::default();
            let commanded = self.core.command(self.process.pid(), &mut data, flags);
            match commanded {
                Ok(Commanded::Taken) => return Ok(()),
                Ok(Commanded::Wait(pause)) => {
                    let Some(_pausing) = self.process.cell().pausing(&pause) else {
                        continue;
                    };
                    poll_fn(|task| match pause.wake_later(task.waker()) {
                        true => Poll::Pending,
                        false => Poll::Ready(()),
                    })
                    .await;
                }
                Ok(_) => return Err(self.error("command", Raise::badarg())),
                Err(stuck) => return Err(self.error("command", stuck.into())),
            }
        }
    }

    /// Has `message` sent to the process when the port takes commands: at once if it does now,
    /// otherwise when it is not busy any more or has closed. For event loops, which must not wait in
    /// [`Self::command`]: then it is time for another [`Self::try_command`], which may find the port
    /// busy once more.
    ///
    /// # Errors
    /// `badarg` when the port is closed, or the process has ended.
    pub fn notify(&self, message: impl Into<Term>) -> Result<(), Error> {
        self.process
            .alive()
            .map_err(|ended| self.error("wait for", ended))?;
        let cell = self.process.cell();
        let gate = self
            .core
            .try_the_gate(self.process.pid(), CommandFlags::default());
        match gate {
            Ok(Commanded::Taken) => {
                cell.deliver(Mail::Term(message.into()));
                Ok(())
            }
            Ok(Commanded::Wait(pause)) => {
                let process = Arc::downgrade(cell);
                let notice = Arc::new(Notice {
                    process,
                    message: Lock::new(Some(message.into())),
                    pause: Arc::clone(&pause),
                });
                if !pause.wake_later(&Waker::from(Arc::clone(&notice))) {
                    notice.wake();
                }
                Ok(())
            }
            Ok(_) => Err(self.error("wait for", Raise::badarg())),
            Err(stuck) => Err(self.error("wait for", stuck.into())),
        }
    }

    /// Asks a driver to do operation number `operation`; the answer is a binary, or a list
    /// of bytes, as the driver chooses.
    ///
    /// # Errors
    /// `badarg` when the port is closed, or does not know the operation: only drivers do.
    #[inline]
    pub fn control(&self, operation: u32, data: impl AsRef<[u8]>) -> Result<Term, Error> {
        let mut answer = Term::Nil;
        self.control_into(operation, data.as_ref(), &mut answer)?;
        Ok(answer)
    }

    /// [`Self::control`], with the answer put into `answer`, which is `Nil`.
    #[inline]
    pub(crate) fn control_into(
        &self,
        operation: u32,
        data: &[u8],
        answer: &mut Term,
    ) -> Result<(), Error> {
        let asked = self.process.control(&self.core, operation, data, answer);
        asked.map_err(|_| self.error("control", unknown_operation()))
    }

    /// Hands a term to a driver and gets one back.
    ///
    /// # Errors
    /// As [`Self::control`].
    pub fn call(&self, operation: u32, data: impl Into<Term>) -> Result<Term, Error> {
        self.process
            .call(&self.core, operation, &data.into())
            .map_err(|_| self.error("call", unknown_operation()))
    }

    /// Closes the port; output that was taken still goes out.
    ///
    /// # Errors
    /// `badarg` when it is closed already.
    pub fn close(&self) -> Result<(), Error> {
        let pid = self.process.pid();
        match self.process.answered(|| self.core.close_by_request(pid)) {
            Ok(Some(true)) => Ok(()),
            Ok(_) => Err(self.error("close", Raise::badarg())),
            Err(stuck) => Err(self.error("close", stuck.into())),
        }
    }

    /// Makes another process the owner, and links it.
    ///
    /// # Errors
    /// `badarg` when the port is closed or the process has ended.
    pub fn connect(&self, to: Pid) -> Result<(), Error> {
        let pid = self.process.pid();
        let ask = || self.core.connect_by_request(pid, to);
        match self.process.answered(ask) {
            Ok(Some(true)) => Ok(()),
            Ok(_) => {
                let nobody = format!("there is no process {to} in this host");
                Err(self.error("connect", Raise::badarg().hint(nobody)))
            }
            Err(stuck) => Err(self.error("connect", stuck.into())),
        }
    }

    /// Has the process hear of the port's end by [`Message::Down`](crate::Message::Down); with
    /// the reason `noproc`, and at once, if it is closed already
    /// (`monitor/2` of Erlang's module `erlang`).
    pub fn monitor(&self) -> Reference {
        let id = Term::Port(self.id());
        let monitor = self.process.monitor(&Term::Atom(atom::PORT), &id);
        monitor.unwrap_or_else(|_| Reference::fresh())
    }

    /// One fact, see Erlang's `port_info/2`: `connected`, `os_pid`, `queue_size` … `None`
    /// when the port is closed, or for an item that does not exist.
    pub fn info(&self, item: &str) -> Option<Term> {
        let item = Atom::existing(item)?;
        let fact = self.core.ask(move |on, port| port.fact(on, item)).ok()??;
        match fact.as_tuple() {
            Some(pair) => pair.last().cloned(),
            None => Some(fact),
        }
    }

    /// The process id of the program behind the port. `None` when the port is closed, or is one
    /// of descriptors or of a driver.
    pub fn os_pid(&self) -> Option<i64> {
        self.info("os_pid")?.as_int()
    }

    /// Whether the port can still be used.
    pub fn is_open(&self) -> bool {
        self.core.is_open()
    }

    #[cold]
    fn error(&self, operation: &'static str, raise: Raise) -> Error {
        let raise = match self.process.alive() {
            _ if raise.detail.is_none() && !self.is_open() => {
                raise.hint("the port is closed; open another")
            }
            Err(ended) => ended,
            Ok(()) => raise,
        };
        let name = String::from_utf8_lossy(self.core.name());
        Error::new(operation, format!("{} ({name})", self.id()), raise)
    }
}

impl std::fmt::Debug for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Port")
            .field("id", &self.id())
            .field("name", &String::from_utf8_lossy(self.core.name()))
            .finish()
    }
}

/// A message that waits for the end of a pause.
struct Notice {
    process: Weak<ProcessCell>,
    message: Lock<Option<Term>>,
    /// Held, because the port forgets a pause that only the port has. The pause's end breaks the ring.
    pause: Arc<Pause>,
}

impl Wake for Notice {
    fn wake(self: Arc<Self>) {
        debug_assert!(self.pause.is_over());
        let message = self.message.lock().take();
        if let (Some(process), Some(message)) = (self.process.upgrade(), message) {
            process.deliver(Mail::Term(message));
        }
    }
}

fn unknown_operation() -> Raise {
    Raise::badarg().hint("the port does not know this operation, or refuses its data")
}

fn shown(name: &PortName) -> String {
    String::from_utf8_lossy(&name.display_bytes()).into_owned()
}

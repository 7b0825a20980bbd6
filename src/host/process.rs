//! A process as a Rust user holds it.
#![forbid(unsafe_code)]

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::host::doorbell::Doorbell;
use crate::host::{Exited, Host, Raise};
use crate::process::ProcessCell;
use crate::process::mailbox::Patience;
use crate::process::signal::Message as Mail;
use crate::term::{Pid, Reference, Term, atom};

/// A process: somebody who owns ports and gets messages.
///
/// It has no thread of its own: the threads that hold the handle act for it. Handles may be
/// cloned and used from several threads; one of them receives at a time. The process ends
/// when [`Self::exit`] is called, when a signal ends it, or when the last handle is dropped.
///
/// A selective receive, as Erlang's: what does not match stays where it is.
///
/// ```
/// use std::time::{Duration, Instant};
/// use wharf::{Host, Term};
///
/// let me = Host::new()?.process();
/// let myself = Term::from(me.pid());
/// me.send(&myself, Term::atom("other"))?;
/// me.send(&myself, Term::tuple([Term::atom("answer"), Term::from(42)]))?;
/// let answer = me.receive(
///     |message| match message.as_tuple().map(|parts| &parts[..]) {
///         Some([tag, value]) if tag.is_atom("answer") => value.as_int(),
///         _ => None,
///     },
///     Some(Instant::now() + Duration::from_secs(5)),
/// )?;
/// assert_eq!(answer, Some(42));
/// assert_eq!(me.messages_waiting(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Process {
    held: Arc<Held>,
}

/// Ends the process with the last handle.
struct Held {
    cell: Arc<ProcessCell>,
    host: Host,
    doorbell: OnceLock<Arc<Doorbell>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.cell.end(Term::Atom(atom::NORMAL));
    }
}

impl Process {
    pub(super) fn new(host: Host, cell: Arc<ProcessCell>) -> Process {
        Process {
            held: Arc::new(Held {
                cell,
                host,
                doorbell: OnceLock::new(),
            }),
        }
    }

    pub(super) fn cell(&self) -> &Arc<ProcessCell> {
        &self.held.cell
    }

    pub(super) fn doorbell(&self) -> &OnceLock<Arc<Doorbell>> {
        &self.held.doorbell
    }

    /// Its identity.
    pub fn pid(&self) -> Pid {
        self.held.cell.pid()
    }

    /// The host it lives in.
    pub fn host(&self) -> &Host {
        &self.held.host
    }

    /// Why it has ended, if it has.
    pub fn exited(&self) -> Option<Term> {
        self.held.cell.fate().cloned()
    }

    /// Ends it: links and monitors are told `reason`. What its handles ask of ports afterwards
    /// is refused, and what they send goes nowhere.
    ///
    /// The reasons `normal` and `kill` are atoms, `Term::atom("normal")`: a text by itself is a
    /// binary, which to links is a failure like any other.
    pub fn exit(&self, reason: impl Into<Term>) {
        self.held.cell.end(reason.into());
    }

    /// Refuses what is asked in the name of a process that has ended.
    #[inline]
    pub(super) fn alive(&self) -> Result<(), Raise> {
        match self.held.cell.fate() {
            None => Ok(()),
            Some(reason) => Err(ended(reason)),
        }
    }

    /// Whether exit signals become messages from now on; the former setting is returned
    /// (`process_flag(trap_exit, _)`).
    pub fn set_trap_exit(&self, traps: bool) -> bool {
        self.held.cell.set_trap_exit(traps)
    }

    /// Takes the first message for which `select` has an answer, waiting for one until
    /// `deadline`, or for ever without. `Ok(None)` when the time is up; messages that were
    /// not chosen stay, in order. `select` must not receive for the same process.
    ///
    /// # Errors
    /// When the process has ended, or does so meanwhile.
    pub fn receive<R>(
        &self,
        mut select: impl FnMut(&Term) -> Option<R>,
        deadline: Option<Instant>,
    ) -> Result<Option<R>, Exited> {
        self.receive_mail(
            |mail| {
                if let Mail::Data { .. } = mail {
                    let data = std::mem::take(mail);
                    *mail = Mail::Term(data.into_term());
                }
                match mail {
                    Mail::Term(term) => select(term),
                    Mail::Data { .. } => None,
                }
            },
            deadline.into(),
        )
    }

    /// The next message, whatever it is, if one comes within `timeout`.
    ///
    /// # Errors
    /// When the process has ended, or does so meanwhile.
    pub fn receive_any(&self, timeout: Duration) -> Result<Option<Term>, Exited> {
        let take = |mail: &mut Mail| Some(std::mem::take(mail).into_term());
        match self.cell().take_first(take) {
            None => self.receive_mail(take, Patience::For(timeout)),
            taken => Ok(taken),
        }
    }

    pub(super) fn receive_mail<R>(
        &self,
        select: impl FnMut(&mut Mail) -> Option<R>,
        patience: Patience,
    ) -> Result<Option<R>, Exited> {
        self.held
            .cell
            .receive(select, patience)
            .map_err(|reason| Exited { reason })
    }

    /// How many messages wait.
    pub fn messages_waiting(&self) -> usize {
        self.held.cell.mailbox().len()
    }

    /// A reference that is like no other (`make_ref/0`).
    pub fn make_ref(&self) -> Reference {
        Reference::fresh()
    }
}

#[cold]
fn ended(reason: &Term) -> Raise {
    let hint = format!("the process has ended ({reason}); act for one that lives");
    Raise::badarg().hint(hint)
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process").field("pid", &self.pid()).finish()
    }
}

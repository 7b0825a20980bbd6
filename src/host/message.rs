//! Messages as a Rust user takes them.
#![forbid(unsafe_code)]

use std::future::poll_fn;
use std::time::Duration;

use crate::host::{Exited, Process};
use crate::process::mailbox::Patience;
use crate::process::signal::{Message as Mail, Piece};
use crate::term::{Binary, PortId, Reference, Term, atom};

/// A message, taken apart as far as it is one that ports send.
///
/// ```
/// use std::time::Duration;
/// use wharf::{Host, Message, Options, PortName};
///
/// let me = Host::new()?.process();
/// me.set_trap_exit(true);
/// me.open(PortName::spawn(r"printf 'one\ntwo'"), Options::new().binary().line(80))?;
/// let mut told = Vec::new();
/// while let Some(message) = me.next(Duration::from_secs(5))? {
///     match message {
///         Message::Line { bytes, complete, .. } => told.push((bytes.to_vec(), complete)),
///         Message::Exit { reason, .. } => {
///             assert!(reason.is_atom("normal"));
///             break;
///         }
///         other => panic!("{other:?}"),
///     }
/// }
/// assert_eq!(told, [(b"one".to_vec(), true), (b"two".to_vec(), false)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[repr(u64)] // as for the messages that these are made of
pub enum Message {
    /// `{Port, {data, Data}}`: bytes, or one packet.
    Data {
        /// Where it came from.
        port: PortId,
        /// The bytes.
        bytes: Binary,
    },
    /// `{Port, {data, {eol | noeol, Line}}}`.
    Line {
        /// Where it came from.
        port: PortId,
        /// The line, without its end.
        bytes: Binary,
        /// Whether the end of the line was seen (`eol`), or the line is too long for one
        /// message or ends with the input (`noeol`).
        complete: bool,
    },
    /// `{Port, {exit_status, Status}}`: the program has ended; 128 and more is a signal.
    ExitStatus {
        /// Where it came from.
        port: PortId,
        /// The status.
        status: i64,
    },
    /// `{Port, eof}`: the program has closed its output; the port is still open.
    Eof {
        /// Where it came from.
        port: PortId,
    },
    /// `{Port, closed}`: the answer to the message `{Owner, close}`.
    Closed {
        /// Where it came from.
        port: PortId,
    },
    /// `{Port, connected}`: the answer to the message `{Owner, {connect, Pid}}`.
    Connected {
        /// Where it came from.
        port: PortId,
    },
    /// `{'EXIT', From, Reason}`: a linked port or process has ended.
    Exit {
        /// The port or process.
        from: Term,
        /// Why.
        reason: Term,
    },
    /// `{'DOWN', Reference, _, Object, Reason}`: what was monitored has ended.
    Down {
        /// The monitor.
        reference: Reference,
        /// What was monitored.
        object: Term,
        /// Why it ended.
        reason: Term,
    },
    /// Anything else.
    Other(Term),
}

impl Message {
    /// The port that the message speaks of, if there is one.
    pub fn port(&self) -> Option<PortId> {
        match self {
            Message::Data { port, .. }
            | Message::Line { port, .. }
            | Message::ExitStatus { port, .. }
            | Message::Eof { port }
            | Message::Closed { port }
            | Message::Connected { port } => Some(*port),
            Message::Exit { from: object, .. } | Message::Down { object, .. } => object.as_port(),
            Message::Other(term) => match &term.as_tuple()?[..] {
                [Term::Port(port), _] => Some(*port),
                _ => None,
            },
        }
    }

    /// Takes it out of where it is, and leaves nothing there.
    #[inline]
    fn from_mail(mail: &mut Mail) -> Message {
        match mail {
            Mail::Data {
                port, piece, bytes, ..
            } => Message::from_data(*port, *piece, bytes),
            Mail::Term(term) => Message::of_term(std::mem::take(term)),
        }
    }

    #[inline(always)] // moved once
    fn from_data(port: PortId, piece: Piece, bytes: &mut Binary) -> Message {
        let bytes = std::mem::take(bytes);
        match piece {
            Piece::Whole => Message::Data { port, bytes },
            Piece::Eol | Piece::Noeol => Message::Line {
                port,
                bytes,
                complete: piece == Piece::Eol,
            },
        }
    }

    #[cold]
    fn of_term(term: Term) -> Message {
        Message::from_term(&term).unwrap_or(Message::Other(term))
    }

    fn from_term(term: &Term) -> Option<Message> {
        match &term.as_tuple()?[..] {
            [Term::Port(port), what] => Message::from_port(*port, what),
            [Term::Atom(atom::EXIT), from, reason] => Some(Message::Exit {
                from: from.clone(),
                reason: reason.clone(),
            }),
            [
                Term::Atom(atom::DOWN),
                Term::Reference(reference),
                Term::Atom(_),
                object,
                reason,
            ] => Some(Message::Down {
                reference: *reference,
                object: object.clone(),
                reason: reason.clone(),
            }),
            _ => None,
        }
    }

    fn from_port(port: PortId, what: &Term) -> Option<Message> {
        match what {
            Term::Atom(atom::EOF) => Some(Message::Eof { port }),
            Term::Atom(atom::CLOSED) => Some(Message::Closed { port }),
            Term::Atom(atom::CONNECTED) => Some(Message::Connected { port }),
            Term::Tuple(pair) => match &pair[..] {
                [tag, Term::Int(status)] if tag.is_atom("exit_status") => {
                    Some(Message::ExitStatus {
                        port,
                        status: *status,
                    })
                }
                _ => None,
            },
            _ => None,
        }
    }
}

impl Process {
    /// The next message, taken apart, if one comes within `timeout`.
    ///
    /// # Errors
    /// When the process has ended, or does so meanwhile.
    #[inline]
    pub fn next(&self, timeout: Duration) -> Result<Option<Message>, Exited> {
        let take = |mail: &mut Mail| Some(Message::from_mail(mail));
        match self.cell().take_first(take) {
            None => self.receive_mail(take, Patience::For(timeout)),
            taken => Ok(taken),
        }
    }

    /// The short way of [`Self::next`], and of [`Self::next_from`] where it is from a port: data that is there
    /// and comes first. Its bytes are put into `place`, which is empty; the port that sent them is
    /// answered.
    #[inline(always)]
    pub(crate) fn only_data(&self, from: Option<PortId>, place: &mut Binary) -> Option<PortId> {
        self.cell().take_first(|mail| match mail {
            Mail::Data {
                port,
                piece: Piece::Whole,
                bytes,
                ..
            } if from.is_none_or(|from| from == *port) => {
                // An empty one is left, which holds nothing.
                std::mem::swap(place, bytes);
                Some(*port)
            }
            _ => None,
        })
    }

    /// The next message that speaks of `port`, if one comes within `timeout`. Others stay.
    ///
    /// # Errors
    /// When the process has ended, or does so meanwhile.
    #[inline]
    pub fn next_from(&self, port: PortId, timeout: Duration) -> Result<Option<Message>, Exited> {
        let take = |mail: &mut Mail| take_data(mail, port);
        match self.cell().take_first(take) {
            None => self.receive_mail(|mail| take_from(mail, port), Patience::For(timeout)),
            taken => Ok(taken),
        }
    }

    /// The next message, as a future for any executor. Dropping the future loses nothing.
    ///
    /// ```
    /// use wharf::{Host, Message, Options, PortName};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let me = Host::new()?.process();
    /// let port = me.open(PortName::spawn("cat"), Options::new().binary())?;
    /// port.command_async("hello").await?;
    /// assert!(matches!(me.next_async().await?, Message::Data { .. }));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the process has ended, or does so meanwhile.
    pub async fn next_async(&self) -> Result<Message, Exited> {
        self.receive_async(|mail| Some(Message::from_mail(mail)))
            .await
    }

    /// The next message that speaks of `port`, as a future for any executor. Others stay.
    ///
    /// # Errors
    /// When the process has ended, or does so meanwhile.
    pub async fn next_from_async(&self, port: PortId) -> Result<Message, Exited> {
        self.receive_async(|mail| take_from(mail, port)).await
    }

    async fn receive_async<R>(
        &self,
        mut select: impl FnMut(&mut Mail) -> Option<R>,
    ) -> Result<R, Exited> {
        let received = poll_fn(|task| self.cell().mailbox().poll_receive(task, &mut select));
        received.await.map_err(|_| Exited {
            reason: self.cell().fate_or_killed(),
        })
    }
}

/// What `mail` is if it is data of that port; then nothing is left.
#[inline(always)]
fn take_data(mail: &mut Mail, wanted: PortId) -> Option<Message> {
    match mail {
        Mail::Data {
            port, piece, bytes, ..
        } if *port == wanted => Some(Message::from_data(wanted, *piece, bytes)),
        _ => None,
    }
}

fn take_from(mail: &mut Mail, wanted: PortId) -> Option<Message> {
    match mail {
        Mail::Data { .. } => take_data(mail, wanted),
        Mail::Term(term) => {
            let message = Message::from_term(term);
            let message = message.unwrap_or_else(|| Message::Other(term.clone()));
            (message.port() == Some(wanted)).then_some(message)
        }
    }
}

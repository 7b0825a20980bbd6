//! What travels between processes and ports.
#![forbid(unsafe_code)]

use crate::term::{Atom, Binary, Pid, PortId, Reference, Term, atom};

/// A process or a port: somebody who can be linked and monitored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Party {
    /// A process.
    Process(Pid),
    /// A port.
    Port(PortId),
}

impl Party {
    /// The identity as a term.
    pub(crate) fn term(self) -> Term {
        match self {
            Party::Process(pid) => Term::Pid(pid),
            Party::Port(id) => Term::Port(id),
        }
    }
}

/// Why an exit signal was sent, which decides what it may do to its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitCause {
    /// The sender ended and was linked. Void if the link is gone by now.
    Link,
    /// Somebody called `exit/2`: `kill` cannot be trapped, `normal` is ignored by others.
    Request,
    /// The port's punishment for a bad message (`badsig`), link or no link.
    Badsig,
}

/// Something to be told to a process or a port.
#[derive(Clone, Debug)]
pub(crate) enum Signal {
    /// A message for the mailbox.
    Message(Message),
    /// The sender wants the receiver to end, or says that it ended itself.
    Exit {
        from: Party,
        reason: Term,
        cause: ExitCause,
    },
    /// The sender took the link back.
    Unlink(Party),
    /// The sender wants to hear of the receiver's end.
    Monitor(Watch),
    /// The sender no longer does.
    Demonitor(Reference),
    /// What the receiver monitored ended.
    Down {
        reference: Reference,
        /// `process` or `port`.
        kind: Atom,
        /// What the `'DOWN'` message names: an identity, or `{Name, Node}`.
        object: Term,
        reason: Term,
    },
}

/// A monitor as the monitored side keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    /// Who is to hear.
    pub(crate) watcher: Party,
    /// The monitor's name.
    pub(crate) reference: Reference,
    /// What the `'DOWN'` message will name.
    pub(crate) object: Term,
}

/// In what shape a port hands bytes to its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One binary.
    Binary,
    /// A list of bytes.
    List,
}

/// What a piece of a port's data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Bytes or a packet.
    Whole,
    /// A line with its newline seen.
    Eol,
    /// A part of a line.
    Noeol,
}

/// What a mailbox holds. The frequent kind is kept in parts, so that nothing need be
/// allocated for the tuples around it until somebody wants to see them as a term.
///
/// The tag is a word, so that the parts behind it lie on the words they are moved by: a move that reads
/// across two earlier writes makes the processor wait.
#[derive(Clone, Debug)]
#[repr(u64)]
pub(crate) enum Message {
    /// Any term.
    Term(Term),
    /// `{Port, {data, …}}`.
    Data {
        port: PortId,
        piece: Piece,
        shape: Shape,
        bytes: Binary,
    },
}

/// One that holds nothing.
const EMPTY: Message = Message::Data {
    port: PortId::from_number(0),
    piece: Piece::Whole,
    shape: Shape::Binary,
    bytes: Binary::empty(),
};

impl Default for Message {
    #[inline]
    fn default() -> Message {
        EMPTY
    }
}

impl Message {
    /// Makes the default one data in one piece; `bytes` are taken.
    #[inline(always)] // where it stays
    pub(crate) fn put_data(&mut self, from: PortId, as_shape: Shape, taken: &mut Binary) {
        if let Message::Data {
            port, shape, bytes, ..
        } = self
        {
            *port = from;
            *shape = as_shape;
            std::mem::swap(bytes, taken);
        }
    }

    /// The message as Erlang shows it.
    pub(crate) fn into_term(self) -> Term {
        match self {
            Message::Term(term) => term,
            Message::Data {
                port,
                piece,
                shape,
                bytes,
            } => {
                let bytes = match shape {
                    Shape::Binary => Term::Binary(bytes),
                    Shape::List => Term::bytes_list(bytes),
                };
                let data = match piece {
                    Piece::Whole => bytes,
                    Piece::Eol => Term::tuple([Term::Atom(atom::EOL), bytes]),
                    Piece::Noeol => Term::tuple([Term::Atom(atom::NOEOL), bytes]),
                };
                Term::tuple([
                    Term::Port(port),
                    Term::tuple([Term::Atom(atom::DATA), data]),
                ])
            }
        }
    }

    /// `{'EXIT', From, Reason}`.
    pub(crate) fn exit(from: Party, reason: Term) -> Message {
        Message::Term(Term::tuple([Term::Atom(atom::EXIT), from.term(), reason]))
    }

    /// `{'DOWN', Reference, Kind, Object, Reason}`.
    pub(crate) fn down(reference: Reference, kind: Atom, object: Term, reason: Term) -> Message {
        Message::Term(Term::tuple([
            Term::Atom(atom::DOWN),
            Term::Reference(reference),
            Term::Atom(kind),
            object,
            reason,
        ]))
    }
}

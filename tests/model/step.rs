//! What may happen in a story: requests of processes, and acts of whatever is behind a port.
//!
//! A step names processes and ports by slot, so that a story stays one when steps are taken out
//! of it. [`Step::bound`] turns slots into the numbers of the processes and ports that are in
//! them at that moment.

pub(crate) const SLOTS: usize = 4;
pub(crate) const NAMES: [&str; 2] = ["harbour", "quay"];
pub(crate) const REASONS: [&str; 4] = ["normal", "kill", "boom", "shutdown"];
pub(crate) const ITEMS: [&str; 12] = [
    "registered_name",
    "name",
    "links",
    "connected",
    "input",
    "output",
    "os_pid",
    "monitors",
    "monitored_by",
    "queue_size",
    "locking",
    "no_such_item",
];

/// What is behind a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A program that gives back what it gets.
    Cat,
    /// A program that gives back lines, until one of them tells it with which status to end.
    Told,
    /// A program that ends by itself, with this status.
    Quick(u8),
    /// A program that never reads.
    Deaf,
    /// Two pipes; the test has the other ends.
    Fd,
    /// The driver `echo_drv`.
    Echo,
    /// The driver `busy_drv`, an echo that is busy when it is told to be.
    Busy,
    /// The driver `queue_drv`, which writes to a named pipe; the test reads from it.
    Queue,
    /// A file that is not there.
    Missing,
    /// A driver that is not there.
    NoDriver,
}

/// The options of an open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opts {
    pub(crate) binary: bool,
    pub(crate) exit_status: bool,
    pub(crate) eof: bool,
    pub(crate) input_only: bool,
    pub(crate) packet: Option<u8>,
    pub(crate) line: Option<usize>,
    /// Something that is no option.
    pub(crate) nonsense: bool,
}

/// Bytes to be sent: letters, and where wanted ends of lines among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Data {
    pub(crate) from: u8,
    pub(crate) len: usize,
    pub(crate) lines: bool,
}

/// Whom a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    Port(usize),
    Name(usize),
}

/// In whose name a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As {
    Sender,
    Owner,
    Process(usize),
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Command(Data),
    BadCommand,
    Close,
    Connect(usize),
    BadConnect,
    /// Not even a pair.
    Junk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Start {
        who: usize,
    },
    Trap {
        who: usize,
        on: bool,
    },
    Exit {
        who: usize,
        reason: &'static str,
    },
    ExitSignal {
        who: usize,
        whom: usize,
        reason: &'static str,
    },
    Receive {
        who: usize,
    },
    Open {
        who: usize,
        slot: usize,
        kind: Kind,
        opts: Opts,
    },
    Command {
        who: usize,
        to: To,
        data: Option<Data>,
        nosuspend: bool,
        force: bool,
    },
    Send {
        who: usize,
        to: To,
        name: As,
        word: Word,
        nosuspend: bool,
    },
    Close {
        who: usize,
        to: To,
    },
    Connect {
        who: usize,
        to: To,
        whom: usize,
    },
    Control {
        who: usize,
        to: To,
        letter: char,
    },
    Call {
        who: usize,
        to: To,
    },
    Info {
        who: usize,
        to: To,
        item: &'static str,
    },
    SetData {
        who: usize,
        to: To,
        value: u8,
    },
    GetData {
        who: usize,
        to: To,
    },
    Register {
        who: usize,
        name: usize,
        port: usize,
    },
    Unregister {
        who: usize,
        name: usize,
    },
    Whereis {
        who: usize,
        name: usize,
    },
    Link {
        who: usize,
        port: usize,
    },
    Unlink {
        who: usize,
        port: usize,
    },
    Monitor {
        who: usize,
        to: To,
    },
    Demonitor {
        who: usize,
        which: usize,
        flush: bool,
        info: bool,
    },
    ExitPort {
        who: usize,
        port: usize,
        reason: &'static str,
    },
    /// A command of this many bytes, more than a pipe takes.
    Stuff {
        who: usize,
        port: usize,
        bytes: usize,
    },
    /// A line that ends a program of the kind `Told`; with a rest that is no line, or without.
    Tell {
        who: usize,
        port: usize,
        status: u8,
        rest: bool,
    },
    PeerReads {
        port: usize,
    },
    PeerWrites {
        port: usize,
        data: Data,
    },
    PeerCloses {
        port: usize,
    },
    /// Kills a program of the kind `Deaf`.
    PeerDies {
        port: usize,
    },
}

impl Data {
    pub(crate) fn text(self) -> String {
        let byte = |at: usize| {
            let turn = (usize::from(self.from) + at) % 20;
            match self.lines && turn % 7 == 6 {
                true => '\n',
                false => char::from(b'a' + u8::try_from(turn).unwrap()),
            }
        };
        (0..self.len).map(byte).collect()
    }
}

impl Opts {
    /// As Erlang writes them.
    pub(crate) fn text(self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let flags = [
            (self.binary, "binary"),
            (self.exit_status, "exit_status"),
            (self.eof, "eof"),
            (self.input_only, "in"),
            (self.nonsense, "{binary,true}"),
        ];
        parts.extend(flags.iter().filter(|flag| flag.0).map(|flag| flag.1.into()));
        parts.extend(self.packet.map(|bytes| format!("{{packet,{bytes}}}")));
        parts.extend(self.line.map(|bytes| format!("{{line,{bytes}}}")));
        format!("[{}]", parts.join(","))
    }
}

/// Who is in which slot.
pub(crate) trait Places {
    /// The process in a slot.
    fn process(&self, slot: usize) -> usize;
    /// The port that was opened last in a slot.
    fn port(&self, slot: usize) -> Option<usize>;
    fn owner(&self, port: usize) -> usize;
    fn named(&self, name: usize) -> Option<usize>;
}

impl Step {
    /// The step with numbers instead of slots; `None` when there is nothing in a slot.
    pub(crate) fn bound(mut self, places: &impl Places) -> Option<Step> {
        use Step::{
            Call, Close, Command, Connect, Control, Demonitor, Exit, ExitPort, ExitSignal, GetData,
            Info, Link, Monitor, Open, PeerCloses, PeerDies, PeerReads, PeerWrites, Receive,
            Register, Send, SetData, Start, Stuff, Tell, Trap, Unlink, Unregister, Whereis,
        };
        let bind_to = |to: &mut To| match to {
            To::Port(slot) => places.port(*slot).map(|port| *slot = port),
            To::Name(_) => Some(()),
        };
        match &mut self {
            Connect { to, whom, .. } => {
                bind_to(to)?;
                *whom = places.process(*whom);
            }
            Send {
                who,
                to,
                name,
                word,
                ..
            } => {
                bind_to(to)?;
                let target = match to {
                    To::Port(port) => Some(*port),
                    To::Name(name) => places.named(*name),
                };
                *name = As::Process(match (&name, target) {
                    (As::Owner, Some(port)) => places.owner(port),
                    (As::Process(slot), _) => places.process(*slot),
                    _ => places.process(*who),
                });
                if let Word::Connect(whom) = word {
                    *whom = places.process(*whom);
                }
            }
            Command { to, .. }
            | Close { to, .. }
            | Control { to, .. }
            | Call { to, .. }
            | Info { to, .. }
            | SetData { to, .. }
            | GetData { to, .. }
            | Monitor { to, .. } => bind_to(to)?,
            Register { port, .. }
            | Link { port, .. }
            | Unlink { port, .. }
            | ExitPort { port, .. }
            | Stuff { port, .. }
            | Tell { port, .. }
            | PeerReads { port }
            | PeerWrites { port, .. }
            | PeerCloses { port }
            | PeerDies { port } => *port = places.port(*port)?,
            ExitSignal { whom, .. } => *whom = places.process(*whom),
            Start { .. } => return Some(self),
            _ => {}
        }
        match &mut self {
            Trap { who, .. }
            | Exit { who, .. }
            | ExitSignal { who, .. }
            | Receive { who }
            | Open { who, .. }
            | Command { who, .. }
            | Send { who, .. }
            | Close { who, .. }
            | Connect { who, .. }
            | Control { who, .. }
            | Call { who, .. }
            | Info { who, .. }
            | SetData { who, .. }
            | GetData { who, .. }
            | Register { who, .. }
            | Unregister { who, .. }
            | Whereis { who, .. }
            | Link { who, .. }
            | Unlink { who, .. }
            | Monitor { who, .. }
            | Demonitor { who, .. }
            | ExitPort { who, .. }
            | Stuff { who, .. }
            | Tell { who, .. } => {
                *who = places.process(*who);
            }
            _ => {}
        }
        Some(self)
    }
}

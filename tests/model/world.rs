//! What there is in the model: processes with mailboxes, and ports; and how their ends travel.
//!
//! Only what others can see is here. Times are not: by the rules of a story a step begins when
//! all that the one before set off is over. What may still come in any order has one `group`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::step::{Data, Kind, Opts, Places, To, Word};

/// Who a message is from: its order with others of the same sender is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sender {
    Port(usize),
    Process(usize),
    /// The news that there is nobody of that name.
    Nobody(usize),
}

/// What a process must get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mail {
    /// One message. Neighbours of one group other than 0 may change places.
    Message { text: String, group: usize },
    /// Bytes of a stream, in any number of messages.
    Stream { text: String, binary: bool },
}

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) alive: bool,
    pub(crate) traps: bool,
    pub(crate) links: BTreeSet<usize>,
    /// Its monitors that have not fired: name, and the port.
    pub(crate) monitors: BTreeMap<usize, usize>,
    pub(crate) mail: BTreeMap<Sender, VecDeque<Mail>>,
    /// It waits at a busy port.
    pub(crate) suspended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Open,
    /// Closed for everyone; what is queued still goes out.
    Closing,
    Closed,
}

/// A request that waits until the port is not busy.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Waiting {
    Command(Option<Data>),
    Message { name: usize, word: Word },
}

#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) kind: Kind,
    pub(crate) opts: Opts,
    pub(crate) life: Life,
    pub(crate) owner: usize,
    pub(crate) links: BTreeSet<usize>,
    pub(crate) watchers: Vec<(usize, usize, String)>,
    pub(crate) name: Option<usize>,
    pub(crate) data: Option<u8>,
    pub(crate) input: usize,
    pub(crate) output: usize,
    /// An unfinished line.
    pub(crate) line: String,
    /// The pipe behind it is full.
    pub(crate) stuffed: bool,
    pub(crate) queue: usize,
    /// Bytes for the other side so far, with headers.
    pub(crate) wire: usize,
    pub(crate) busy: bool,
    pub(crate) input_ended: bool,
    pub(crate) wants_closed: bool,
    pub(crate) suspended: Vec<(usize, Waiting)>,
}

/// All of it, and what the step at hand brought about.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) processes: Vec<Process>,
    pub(crate) ports: Vec<Port>,
    pub(crate) names: BTreeMap<usize, usize>,
    /// For each monitor that ever was, who it speaks of.
    pub(crate) monitors: Vec<Sender>,
    pub(crate) process_slots: Vec<usize>,
    pub(crate) port_slots: BTreeMap<usize, usize>,
    /// Requests that waited and are over, with their answers.
    pub(crate) resumed: Vec<(usize, String)>,
    /// Of what is told to owners at the moment.
    pub(crate) group: usize,
    groups: usize,
    /// Whose message is the only sign that something has arrived.
    pub(crate) listen: Option<usize>,
}

impl Places for World {
    fn process(&self, slot: usize) -> usize {
        self.process_slots[slot]
    }

    fn port(&self, slot: usize) -> Option<usize> {
        self.port_slots.get(&slot).copied()
    }

    fn owner(&self, port: usize) -> usize {
        self.ports[port].owner
    }

    fn named(&self, name: usize) -> Option<usize> {
        self.names.get(&name).copied()
    }
}

impl Port {
    pub(crate) fn new(kind: Kind, opts: Opts, owner: usize) -> Port {
        Port {
            kind,
            opts,
            life: Life::Open,
            owner,
            links: BTreeSet::from([owner]),
            watchers: Vec::new(),
            name: None,
            data: None,
            input: 0,
            output: 0,
            line: String::new(),
            stuffed: false,
            queue: 0,
            wire: 0,
            busy: false,
            input_ended: false,
            wants_closed: false,
            suspended: Vec::new(),
        }
    }

    pub(crate) fn is_driver(&self) -> bool {
        matches!(self.kind, Kind::Echo | Kind::Busy | Kind::Queue)
    }

    /// What a command of this data is at this port: programs that read lines get whole ones.
    pub(crate) fn payload(&self, data: Data) -> String {
        let text = data.text();
        match self.kind {
            Kind::Told if !text.is_empty() => text.replace('\n', "n") + "\n",
            _ => text,
        }
    }

    /// Bytes as the owner gets them.
    fn shown(&self, text: &str) -> String {
        let text = text.replace('\n', "\\n");
        match (self.opts.binary, text.is_empty()) {
            (true, true) => "<<>>".into(),
            (true, false) => format!("<<\"{text}\">>"),
            (false, true) => "[]".into(),
            (false, false) => format!("\"{text}\""),
        }
    }
}

impl World {
    pub(crate) fn start(&mut self, traps: bool) -> usize {
        self.processes.push(Process {
            alive: true,
            traps,
            links: BTreeSet::new(),
            monitors: BTreeMap::new(),
            mail: BTreeMap::new(),
            suspended: false,
        });
        self.processes.len() - 1
    }

    pub(crate) fn fresh_group(&mut self) -> usize {
        self.groups += 1;
        self.groups
    }

    /// The open or closing port that is meant.
    pub(crate) fn find(&self, to: To) -> Option<usize> {
        let port = match to {
            To::Port(port) => port,
            To::Name(name) => self.named(name)?,
        };
        (self.ports[port].life != Life::Closed).then_some(port)
    }

    /// The open port that is meant.
    pub(crate) fn open(&self, to: To) -> Option<usize> {
        let port = self.find(to)?;
        (self.ports[port].life == Life::Open).then_some(port)
    }

    pub(crate) fn tell(&mut self, to: usize, from: Sender, text: String, group: usize) {
        if self.processes[to].alive {
            let mail = self.processes[to].mail.entry(from).or_default();
            mail.push_back(Mail::Message { text, group });
        }
    }

    /// `{Port, What}` for the owner.
    pub(crate) fn tell_owner(&mut self, port: usize, what: &str) {
        let (owner, group) = (self.ports[port].owner, self.group);
        self.tell(
            owner,
            Sender::Port(port),
            format!("{{P{port},{what}}}"),
            group,
        );
    }

    /// What came from behind the port goes to the owner: lines, packets, or a stream.
    pub(crate) fn deliver(&mut self, port: usize, text: &str) {
        let it = &mut self.ports[port];
        it.input += text.len();
        if let Some(most) = it.opts.line {
            let mut whole = Vec::new();
            for letter in text.chars() {
                if letter == '\n' {
                    whole.push(("eol", std::mem::take(&mut it.line)));
                    continue;
                }
                // A full line waits for what comes: it may be its end.
                if it.line.len() == most {
                    whole.push(("noeol", std::mem::take(&mut it.line)));
                }
                it.line.push(letter);
            }
            for (end, line) in whole {
                let shown = self.ports[port].shown(&line);
                self.tell_owner(port, &format!("{{data,{{{end},{shown}}}}}"));
            }
        } else if it.is_driver() || it.opts.packet.is_some() {
            let shown = it.shown(text);
            if text.is_empty() {
                self.listen = Some(self.ports[port].owner);
            }
            self.tell_owner(port, &format!("{{data,{shown}}}"));
        } else if !text.is_empty() && self.processes[it.owner].alive {
            let (owner, binary) = (it.owner, it.opts.binary);
            let mail = self.processes[owner]
                .mail
                .entry(Sender::Port(port))
                .or_default();
            mail.push_back(Mail::Stream {
                text: text.into(),
                binary,
            });
        }
    }

    /// Nothing more comes from behind the port. The status, the unfinished line, and then
    /// either word of it, or the end of the port.
    pub(crate) fn end_of_input(&mut self, port: usize, status: u8) {
        if self.ports[port].life == Life::Closing {
            return self.finish(port);
        }
        self.ports[port].input_ended = true;
        let opts = self.ports[port].opts;
        if opts.exit_status {
            self.tell_owner(port, &format!("{{exit_status,{status}}}"));
        }
        let rest = std::mem::take(&mut self.ports[port].line);
        if !rest.is_empty() {
            let shown = self.ports[port].shown(&rest);
            self.tell_owner(port, &format!("{{data,{{noeol,{shown}}}}}"));
        }
        match opts.eof {
            true => self.tell_owner(port, "eof"),
            false => self.close(port, "normal", false),
        }
    }

    /// The end of a port: its name is free, those who wait go on, links and then monitors are
    /// told, what is queued goes out, and last the owner hears `closed` if it asked for that.
    pub(crate) fn close(&mut self, port: usize, reason: &str, flush: bool) {
        let it = &mut self.ports[port];
        if it.life != Life::Open {
            return;
        }
        it.life = Life::Closing;
        it.busy = false;
        let (links, watchers) = (
            std::mem::take(&mut it.links),
            std::mem::take(&mut it.watchers),
        );
        let (waiting, name) = (std::mem::take(&mut it.suspended), it.name.take());
        if let Some(name) = name {
            self.names.remove(&name);
        }
        for (who, request) in waiting {
            self.go_on(who, &request);
        }
        for link in links {
            self.processes[link].links.remove(&port);
            self.exit_signal(link, Sender::Port(port), reason);
        }
        let group = self.fresh_group();
        for (reference, watcher, object) in watchers {
            self.processes[watcher].monitors.remove(&reference);
            let down = format!("{{'DOWN',R{reference},port,{object},{reason}}}");
            self.tell(watcher, Sender::Port(port), down, group);
        }
        if !flush || self.ports[port].queue == 0 {
            self.finish(port);
        }
    }

    /// Queued output is out, or lost.
    pub(crate) fn finish(&mut self, port: usize) {
        let it = &mut self.ports[port];
        if it.life == Life::Closing {
            it.life = Life::Closed;
            it.queue = 0;
            if it.wants_closed {
                self.tell_owner(port, "closed");
            }
        }
    }

    /// A waiting request returns, because there is no port any more, or no process.
    fn go_on(&mut self, who: usize, request: &Waiting) {
        self.processes[who].suspended = false;
        let answer = match request {
            Waiting::Command(_) => "raises badarg",
            Waiting::Message { .. } => "true",
        };
        self.resumed.push((who, answer.into()));
    }

    /// The signal of a link that broke, or of `badsig`.
    pub(crate) fn exit_signal(&mut self, to: usize, from: Sender, reason: &str) {
        if !self.processes[to].traps {
            if reason != "normal" {
                self.die(to, reason);
            }
            return;
        }
        let who = match from {
            Sender::Port(port) => format!("P{port}"),
            Sender::Process(process) => format!("p{process}"),
            Sender::Nobody(_) => unreachable!(),
        };
        self.tell(to, from, format!("{{'EXIT',{who},{reason}}}"), 0);
    }

    /// `exit(Pid, Reason)`.
    pub(crate) fn exit_request(&mut self, to: usize, from: usize, reason: &str) {
        let process = &self.processes[to];
        if reason == "kill" {
            self.die(to, "killed");
        } else if !process.traps && to == from {
            self.die(to, reason);
        } else {
            self.exit_signal(to, Sender::Process(from), reason);
        }
    }

    /// The end of a process: ports that it owns and is linked to close, others unless it ends
    /// normally.
    pub(crate) fn die(&mut self, who: usize, reason: &str) {
        let process = &mut self.processes[who];
        if !std::mem::replace(&mut process.alive, false) {
            return;
        }
        process.mail.clear();
        process.monitors.clear();
        let links = std::mem::take(&mut process.links);
        for port in 0..self.ports.len() {
            let it = &mut self.ports[port];
            it.watchers.retain(|watcher| watcher.1 != who);
            let waiting = it.suspended.iter().position(|waiting| waiting.0 == who);
            if let Some(at) = waiting {
                let (who, request) = it.suspended.remove(at);
                self.go_on(who, &request);
            }
        }
        for port in links {
            let it = &mut self.ports[port];
            it.links.remove(&who);
            if it.owner == who || reason != "normal" {
                self.close(port, reason, true);
            }
        }
    }
}

//! What Erlang answers to each request, and what the request sets off: the rules of ports, one
//! `fn` for each family.

use crate::step::{As, Data, ITEMS, Kind, Opts, Places, Step, To, Word};
use crate::world::{Life, Mail, Port, Sender, Waiting, World};

/// What a step must be seen to do, besides what mailboxes get.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// What is returned; `?` for anything, `waits` when the caller is suspended.
    pub(crate) reply: String,
    /// Whose messages are to be taken now.
    pub(crate) listen: Option<usize>,
}

/// Bytes by which a port's queue makes it busy.
const HIGH: usize = 8192;

pub(crate) fn replies(text: &str) -> Option<Outcome> {
    Some(Outcome {
        reply: text.into(),
        listen: None,
    })
}

fn badarg() -> Option<Outcome> {
    replies("raises badarg")
}

impl World {
    /// Does a bound step. `None`, and nothing done, when it means nothing here, or when what it
    /// leads to is a matter of chance.
    pub(crate) fn apply(&mut self, step: Step) -> Option<Outcome> {
        if let Some(who) = actor(&step)
            && (!self.processes[who].alive || self.processes[who].suspended)
        {
            return None;
        }
        match step {
            Step::Start { who } => {
                if self.processes[self.process_slots[who]].alive {
                    return None;
                }
                self.process_slots[who] = self.start(true);
                replies("ok")
            }
            Step::Trap { who, on } => {
                let before = std::mem::replace(&mut self.processes[who].traps, on);
                replies(&before.to_string())
            }
            Step::Exit { who, reason } => {
                self.die(who, reason);
                replies("ok")
            }
            Step::ExitSignal { who, whom, reason } => {
                self.exit_request(whom, who, reason);
                replies("true")
            }
            Step::Receive { who } => Some(Outcome {
                reply: "ok".into(),
                listen: Some(who),
            }),
            Step::Open {
                who,
                slot,
                kind,
                opts,
            } => self.open_port(who, slot, kind, opts),
            Step::Command {
                who,
                to,
                data,
                nosuspend,
                force,
            } => self.command(who, to, data, nosuspend, force),
            Step::Send {
                who,
                to,
                name: As::Process(name),
                word,
                nosuspend,
            } => self.message(who, to, name, word, nosuspend),
            Step::Send { .. } => None,
            Step::Close { to, .. } => {
                let Some(port) = self.open(to) else {
                    return badarg();
                };
                self.close(port, "normal", true);
                replies("true")
            }
            Step::Connect { to, whom, .. } => {
                let Some(port) = self.open(to).filter(|_| self.processes[whom].alive) else {
                    return badarg();
                };
                self.link(whom, port);
                self.ports[port].owner = whom;
                replies("true")
            }
            Step::Control { to, letter, .. } => self.control(to, letter),
            Step::Call { .. } => badarg(),
            Step::Info { to, item, .. } => self.info(to, item),
            Step::SetData { to, value, .. } => {
                let Some(port) = self.open(to) else {
                    return badarg();
                };
                self.ports[port].data = Some(value);
                replies("true")
            }
            Step::GetData { to, .. } => {
                let Some(port) = self.open(to) else {
                    return badarg();
                };
                let data = self.ports[port].data;
                replies(&data.map_or("undefined".into(), |data| data.to_string()))
            }
            Step::Register { name, port, .. } => {
                let open = self.open(To::Port(port)).is_some();
                if !open || self.ports[port].name.is_some() || self.names.contains_key(&name) {
                    return badarg();
                }
                self.ports[port].name = Some(name);
                self.names.insert(name, port);
                replies("true")
            }
            Step::Unregister { name, .. } => {
                let Some(port) = self.names.remove(&name) else {
                    return badarg();
                };
                self.ports[port].name = None;
                replies("true")
            }
            Step::Whereis { name, .. } => {
                let port = self.names.get(&name);
                replies(&port.map_or("undefined".into(), |port| format!("P{port}")))
            }
            Step::Link { who, port } => {
                if self.open(To::Port(port)).is_some() {
                    self.link(who, port);
                } else if self.processes[who].traps {
                    let exit = format!("{{'EXIT',P{port},noproc}}");
                    self.tell(who, Sender::Port(port), exit, 0);
                } else {
                    return replies("raises noproc");
                }
                replies("true")
            }
            Step::Unlink { who, port } => {
                self.processes[who].links.remove(&port);
                self.ports[port].links.remove(&who);
                replies("true")
            }
            Step::Monitor { who, to } => self.monitor(who, to),
            Step::Demonitor {
                who,
                which,
                flush,
                info,
            } => self.demonitor(who, which, flush, info),
            Step::ExitPort { port, reason, .. } => {
                match reason {
                    "kill" => self.close(port, "killed", false),
                    reason => self.close(port, reason, true),
                }
                replies("true")
            }
            behind => self.behind(behind),
        }
    }

    fn open_port(&mut self, who: usize, slot: usize, kind: Kind, opts: Opts) -> Option<Outcome> {
        let before = self.port_slots.get(&slot);
        if before.is_some_and(|port| self.ports[*port].life == Life::Open) {
            return None;
        }
        let program = !matches!(kind, Kind::Fd | Kind::Echo | Kind::Busy | Kind::Queue);
        let clash = opts.packet.is_some() && opts.line.is_some();
        if opts.nonsense || kind == Kind::NoDriver || clash || (opts.exit_status && !program) {
            return badarg();
        }
        if kind == Kind::Missing {
            return replies("raises enoent");
        }
        let port = self.ports.len();
        self.ports.push(Port::new(kind, opts, who));
        self.port_slots.insert(slot, port);
        self.processes[who].links.insert(port);
        let listen = match kind {
            Kind::Quick(status) => {
                self.end_of_input(port, status);
                Some(who).filter(|_| opts.eof)
            }
            _ => None,
        };
        Some(Outcome {
            reply: format!("P{port}"),
            listen,
        })
    }

    fn link(&mut self, who: usize, port: usize) {
        self.processes[who].links.insert(port);
        self.ports[port].links.insert(who);
    }

    /// `port_command`: anybody may; what is wrong with the data is seen last.
    fn command(
        &mut self,
        who: usize,
        to: To,
        data: Option<Data>,
        nosuspend: bool,
        force: bool,
    ) -> Option<Outcome> {
        let meant = self.find(to);
        if force && meant.is_some_and(|port| self.ports[port].kind != Kind::Busy) {
            return replies("raises notsup");
        }
        let Some(port) = self.open(to) else {
            return badarg();
        };
        let it = &self.ports[port];
        if it.busy && !force {
            return match nosuspend {
                true => replies("false"),
                false => self.suspend(who, port, Waiting::Command(data)),
            };
        }
        let Some(data) = data else { return badarg() };
        self.take(port, &self.ports[port].payload(data));
        replies("true")
    }

    /// `!`: the name in the message must be the owner's, whoever sends it. A command waits
    /// while the port is busy, and is looked at only then; all else goes through.
    fn message(
        &mut self,
        who: usize,
        to: To,
        name: usize,
        word: Word,
        nosuspend: bool,
    ) -> Option<Outcome> {
        if let To::Name(unknown) = to
            && self.named(unknown).is_none()
        {
            return badarg();
        }
        let Some(port) = self.open(to) else {
            return replies("true");
        };
        if self.ports[port].busy && matches!(word, Word::Command(_) | Word::BadCommand) {
            return match nosuspend {
                true => replies("false"),
                false => self.suspend(who, port, Waiting::Message { name, word }),
            };
        }
        self.obey(port, name, word);
        replies("true")
    }

    fn obey(&mut self, port: usize, name: usize, word: Word) {
        let owner = self.ports[port].owner;
        match word {
            Word::Command(data) if name == owner => {
                self.take(port, &self.ports[port].payload(data));
            }
            Word::Close if name == owner => {
                self.ports[port].wants_closed = true;
                self.close(port, "normal", true);
            }
            Word::Connect(whom) if name == owner => {
                self.tell_owner(port, "connected");
                self.ports[port].owner = whom;
            }
            // The owner pays, linked or not.
            _ => self.exit_signal(owner, Sender::Port(port), "badsig"),
        }
    }

    /// The caller waits. With several of them the order afterwards is anybody's guess, so only
    /// what bears that may join.
    fn suspend(&mut self, who: usize, port: usize, request: Waiting) -> Option<Outcome> {
        let it = &mut self.ports[port];
        let calm = |waiting: &Waiting| matches!(waiting, Waiting::Command(Some(_)));
        let all_calm = calm(&request) && it.suspended.iter().all(|(_, other)| calm(other));
        if !it.suspended.is_empty() && (!all_calm || it.opts.line.is_some()) {
            return None;
        }
        it.suspended.push((who, request));
        self.processes[who].suspended = true;
        replies("waits")
    }

    /// The port is busy no longer: those who wait ask again.
    pub(crate) fn ready(&mut self, port: usize) {
        let it = &mut self.ports[port];
        it.busy = false;
        let waiting = std::mem::take(&mut it.suspended);
        self.group = self.fresh_group();
        for (who, request) in waiting {
            self.processes[who].suspended = false;
            let answer = match request {
                Waiting::Command(data) => self.command(who, To::Port(port), data, false, false),
                Waiting::Message { name, word } => {
                    self.message(who, To::Port(port), name, word, false)
                }
            };
            let reply = answer.map_or(String::new(), |outcome| outcome.reply);
            self.resumed.push((who, reply));
        }
        self.group = 0;
    }

    /// A command that the port takes.
    fn take(&mut self, port: usize, text: &str) {
        let it = &mut self.ports[port];
        it.output += text.len();
        let framed = it.opts.packet.filter(|_| !it.is_driver());
        if it.opts.input_only {
            return self.close(port, "ebadf", false);
        }
        if framed == Some(1) && text.len() > 255 {
            return self.close(port, "einval", false);
        }
        if text.is_empty() && framed.is_none() && !it.is_driver() {
            return;
        }
        match it.kind {
            Kind::Told | Kind::Quick(_) | Kind::Deaf if it.input_ended => {
                self.close(port, "epipe", false);
            }
            Kind::Cat | Kind::Told | Kind::Echo | Kind::Busy => self.deliver(port, text),
            _ => {
                let bytes = text.len() + usize::from(framed.unwrap_or(0));
                it.wire += bytes;
                if it.stuffed {
                    self.queued(port, self.ports[port].queue + bytes);
                }
            }
        }
    }

    /// The queue has grown to this many bytes. A driver says itself when it is busy.
    pub(crate) fn queued(&mut self, port: usize, bytes: usize) {
        let it = &mut self.ports[port];
        it.queue = bytes;
        it.busy |= bytes >= HIGH && !it.is_driver();
    }

    fn control(&mut self, to: To, letter: char) -> Option<Outcome> {
        let Some(port) = self.find(to) else {
            return badarg();
        };
        match (self.ports[port].kind, letter) {
            (Kind::Busy, 'b') => self.ports[port].busy = true,
            (Kind::Busy, 'f') => self.ready(port),
            (Kind::Queue, 'q') => return replies(&format!("\"{}\"", self.ports[port].queue)),
            _ => return badarg(),
        }
        replies("[]")
    }

    fn info(&self, to: To, item: &str) -> Option<Outcome> {
        let Some(port) = self.find(to) else {
            return replies("undefined");
        };
        let it = &self.ports[port];
        let list = |mut who: Vec<usize>| {
            who.sort_unstable();
            let who: Vec<String> = who.iter().map(|who| format!("p{who}")).collect();
            format!("[{}]", who.join(","))
        };
        let value = match item {
            "registered_name" => match it.name {
                Some(name) => crate::step::NAMES[name].to_owned(),
                None => return replies("[]"),
            },
            "name" => match it.kind {
                Kind::Cat => "\"cat 2>/dev/null\"".into(),
                Kind::Echo => "\"echo_drv\"".into(),
                Kind::Busy => "\"busy_drv\"".into(),
                _ => return replies("?"),
            },
            "links" => list(it.links.iter().copied().collect()),
            "connected" => format!("p{}", it.owner),
            "input" => it.input.to_string(),
            "output" => it.output.to_string(),
            "os_pid" if it.is_driver() || it.kind == Kind::Fd => "undefined".into(),
            "os_pid" => "some".into(),
            "monitors" => "[]".into(),
            "monitored_by" => list(it.watchers.iter().map(|watcher| watcher.1).collect()),
            "queue_size" => it.queue.to_string(),
            "locking" if it.kind == Kind::Fd => "driver_level".into(),
            "locking" => "port_level".into(),
            _ => return badarg(),
        };
        debug_assert!(ITEMS.contains(&item));
        replies(&format!("{{{item},{value}}}"))
    }

    fn monitor(&mut self, who: usize, to: To) -> Option<Outcome> {
        let reference = self.monitors.len();
        let object = match to {
            To::Port(port) => format!("P{port}"),
            To::Name(name) => format!("{{{},nonode@nohost}}", crate::step::NAMES[name]),
        };
        if let Some(port) = self.open(to) {
            self.monitors.push(Sender::Port(port));
            self.ports[port].watchers.push((reference, who, object));
            self.processes[who].monitors.insert(reference, port);
        } else {
            let from = match to {
                To::Port(port) => Sender::Port(port),
                To::Name(_) => Sender::Nobody(reference),
            };
            self.monitors.push(from);
            let down = format!("{{'DOWN',R{reference},port,{object},noproc}}");
            self.tell(who, from, down, 0);
        }
        replies(&format!("R{reference}"))
    }

    /// Of all monitors there ever were, `which` counts from the last.
    fn demonitor(&mut self, who: usize, which: usize, flush: bool, info: bool) -> Option<Outcome> {
        let reference = self.monitors.len().checked_sub(which + 1)?;
        let process = &mut self.processes[who];
        let active = process.monitors.remove(&reference);
        if let Some(port) = active {
            self.ports[port]
                .watchers
                .retain(|watcher| watcher.0 != reference);
        } else if flush && let Some(mail) = process.mail.get_mut(&self.monitors[reference]) {
            let start = format!("{{'DOWN',R{reference},");
            mail.retain(|mail| match mail {
                Mail::Message { text, .. } => !text.starts_with(&start),
                Mail::Stream { .. } => true,
            });
        }
        replies(if info && active.is_none() {
            "false"
        } else {
            "true"
        })
    }
}

/// The process that makes a bound step.
fn actor(step: &Step) -> Option<usize> {
    match step {
        Step::Trap { who, .. }
        | Step::Exit { who, .. }
        | Step::ExitSignal { who, .. }
        | Step::Receive { who }
        | Step::Open { who, .. }
        | Step::Command { who, .. }
        | Step::Send { who, .. }
        | Step::Close { who, .. }
        | Step::Connect { who, .. }
        | Step::Control { who, .. }
        | Step::Call { who, .. }
        | Step::Info { who, .. }
        | Step::SetData { who, .. }
        | Step::GetData { who, .. }
        | Step::Register { who, .. }
        | Step::Unregister { who, .. }
        | Step::Whereis { who, .. }
        | Step::Link { who, .. }
        | Step::Unlink { who, .. }
        | Step::Monitor { who, .. }
        | Step::Demonitor { who, .. }
        | Step::ExitPort { who, .. }
        | Step::Stuff { who, .. }
        | Step::Tell { who, .. } => Some(*who),
        _ => None,
    }
}

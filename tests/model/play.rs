//! Plays a story against a real host, and holds each step to what the model says of it.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use wharf::host::{Host, Process, Raise};
use wharf::term::text::parse;
use wharf::term::{Atom, Pid, PortId, Reference, Term};

use crate::behind::tell;
use crate::hear::sorted;
use crate::peer::Peer;
use crate::step::{As, Data, Kind, NAMES, Places, Step, To, Word};
use crate::world::{Life, World};

/// What a request came to.
pub(crate) type Answer = Result<Term, Raise>;

pub(crate) struct Player {
    host: Host,
    pub(crate) world: World,
    pub(crate) processes: Vec<Option<Process>>,
    pub(crate) ports: Vec<PortId>,
    peers: Vec<Peer>,
    pub(crate) references: Vec<Reference>,
    /// Requests on threads of their own, which wait at busy ports.
    waiting: BTreeMap<usize, Receiver<Answer>>,
    /// Asks about ports, and is in nobody's way.
    stranger: Process,
    pub(crate) patience: Duration,
}

/// Why a story went wrong.
pub(crate) type Played<T> = Result<T, String>;

fn yes(answer: Result<(), Raise>) -> Answer {
    answer.map(|()| Term::atom("true"))
}

impl Player {
    pub(crate) fn new(drivers: &std::path::Path, patience: Duration) -> Player {
        let host = Host::builder()
            .driver_path(drivers)
            .build()
            .expect("a host");
        let mut world = World::default();
        let mut processes = Vec::new();
        for slot in 0..crate::step::SLOTS {
            let process = host.process();
            let traps = slot != 3;
            process.set_trap_exit(traps);
            processes.push(Some(process));
            let number = world.start(traps);
            world.process_slots.push(number);
        }
        Player {
            stranger: host.process(),
            host,
            world,
            processes,
            ports: Vec::new(),
            peers: Vec::new(),
            references: Vec::new(),
            waiting: BTreeMap::new(),
            patience,
        }
    }

    /// One step, and all that it sets off.
    pub(crate) fn step(&mut self, step: Step) -> Played<()> {
        let Some(bound) = step.bound(&self.world) else {
            return Ok(());
        };
        let (to_port, ports_before) = (self.payload(bound), self.world.ports.len());
        let Some(outcome) = self.world.apply(bound) else {
            return Ok(());
        };
        let reply = if outcome.reply == "waits" {
            self.wait_at_busy_port(bound, to_port)?
        } else {
            let answer = self.perform(bound, to_port, ports_before)?;
            self.shown(&answer)
        };
        if outcome.reply != "?" && reply != outcome.reply {
            return Err(format!("answered {reply}, not {}", outcome.reply));
        }
        if let Step::PeerReads { port } = bound {
            let deadline = Instant::now() + self.patience;
            self.peers[port].read_all(self.world.ports[port].wire, deadline)?;
        }
        for (who, expected) in std::mem::take(&mut self.world.resumed) {
            let answers = self.waiting.remove(&who).expect("it waited");
            let answer = match answers.recv_timeout(self.patience) {
                Ok(answer) => answer,
                Err(RecvTimeoutError::Timeout) => return Err(format!("p{who} still waits")),
                Err(RecvTimeoutError::Disconnected) => return Err(format!("p{who} panicked")),
            };
            let reply = self.shown(&answer);
            if reply != expected {
                return Err(format!(
                    "what p{who} waited for answered {reply}, not {expected}"
                ));
            }
        }
        self.settle()?;
        for who in [outcome.listen, self.world.listen.take()]
            .into_iter()
            .flatten()
        {
            self.listen(who)?;
        }
        self.compare_books()
    }

    /// The bytes of a command, as the port that gets them wants them.
    fn payload(&self, step: Step) -> String {
        let (to, data) = match step {
            Step::Command {
                to,
                data: Some(data),
                ..
            } => (to, data),
            Step::Send {
                to,
                word: Word::Command(data),
                ..
            } => (to, data),
            _ => return String::new(),
        };
        let port = match to {
            To::Port(port) => Some(port),
            To::Name(name) => self.world.named(name),
        };
        port.map_or_else(
            || Data::text(data),
            |port| self.world.ports[port].payload(data),
        )
    }

    fn to(&self, to: To) -> Term {
        match to {
            To::Port(port) => Term::Port(self.ports[port]),
            To::Name(name) => Term::atom(NAMES[name]),
        }
    }

    fn pid(&self, process: usize) -> Pid {
        self.processes[process]
            .as_ref()
            .expect("it was started")
            .pid()
    }

    /// A request that can be made on any thread.
    fn request(&self, step: Step, text: String) -> Option<Box<dyn FnOnce() -> Answer + Send>> {
        let me = |who: usize| self.processes[who].clone().expect("alive");
        Some(match step {
            Step::Command {
                who,
                to,
                data,
                nosuspend,
                force,
            } => {
                let (me, to) = (me(who), self.to(to));
                let data = data.map_or(Term::atom("no_iodata"), |_| Term::from(&text[..]));
                let flags = [(nosuspend, "nosuspend"), (force, "force")];
                let flags = flags
                    .iter()
                    .filter(|flag| flag.0)
                    .map(|flag| Term::atom(flag.1));
                let flags = Term::list(flags.collect());
                Box::new(move || me.port_command(&to, &data, &flags).map(Term::boolean))
            }
            Step::Send {
                who,
                to,
                name: As::Process(name),
                word,
                nosuspend,
            } => {
                let (me, to) = (me(who), self.to(to));
                let what = match word {
                    Word::Command(_) => Term::tuple([Term::atom("command"), Term::from(&text[..])]),
                    Word::BadCommand => Term::tuple([Term::atom("command"), Term::atom("bad")]),
                    Word::Close => Term::atom("close"),
                    Word::Connect(whom) => {
                        Term::tuple([Term::atom("connect"), Term::Pid(self.pid(whom))])
                    }
                    Word::BadConnect => Term::tuple([Term::atom("connect"), Term::from(3)]),
                    Word::Junk => Term::Nil,
                };
                let message = match word {
                    Word::Junk => Term::atom("junk"),
                    _ => Term::tuple([Term::Pid(self.pid(name)), what]),
                };
                Box::new(move || me.send_with(&to, message, nosuspend).map(Term::boolean))
            }
            _ => return None,
        })
    }

    /// Makes a request that suspends its caller, on a thread of its own.
    fn wait_at_busy_port(&mut self, step: Step, text: String) -> Played<String> {
        let (Step::Command { who, .. } | Step::Send { who, .. }) = step else {
            return Err("only commands wait".into());
        };
        let request = self.request(step, text).expect("a command");
        let (send, receive) = channel();
        std::thread::spawn(move || send.send(request()));
        let (pid, deadline) = (self.pid(who), Instant::now() + self.patience);
        loop {
            let status = self.host.process_info(pid, Atom::new("status"));
            let status = status.map(|pair| pair.to_string()).unwrap_or_default();
            if status == "{status,suspended}" {
                self.waiting.insert(who, receive);
                return Ok("waits".into());
            }
            if let Ok(answer) = receive.try_recv() {
                return Ok(self.shown(&answer));
            }
            if Instant::now() > deadline {
                return Err(format!("p{who} is not suspended but {status}"));
            }
            std::thread::yield_now();
        }
    }

    fn perform(&mut self, step: Step, text: String, ports_before: usize) -> Played<Answer> {
        if let Some(request) = self.request(step, text) {
            return Ok(request());
        }
        let me = |who: usize| self.processes[who].as_ref().expect("alive");
        let ok = || Ok(Term::atom("ok"));
        let atom = Term::atom;
        let port_term = |port: usize| Term::Port(self.ports[port]);
        Ok(match step {
            Step::Start { .. } => {
                let process = self.host.process();
                process.set_trap_exit(true);
                self.processes.push(Some(process));
                ok()
            }
            Step::Trap { who, on } => Ok(Term::boolean(me(who).set_trap_exit(on))),
            Step::Exit { who, reason } => {
                me(who).exit(atom(reason));
                ok()
            }
            Step::ExitSignal { who, whom, reason } => {
                yes(me(who).exit_signal(&Term::Pid(self.pid(whom)), atom(reason)))
            }
            Step::Open {
                who, kind, opts, ..
            } => {
                let mut peer = Peer::new(kind);
                let (name, options) = peer.opening(kind, opts);
                let term = |text: &str| parse(text).map_err(|error| format!("{text}: {error}"));
                let opened = me(who).open_port(&term(&name)?, &term(&options)?);
                if let Ok(port) = opened {
                    if let Peer::Program(pid) = &mut peer {
                        let handle = self.stranger.port(port);
                        let number = handle.and_then(|port| port.os_pid());
                        *pid = number.and_then(|number| i32::try_from(number).ok());
                    }
                    self.ports.push(port);
                    self.peers.push(peer);
                }
                if self.ports.len() != self.world.ports.len() {
                    let expected = self.world.ports.len() > ports_before;
                    return Err(format!("opened: {opened:?}, to succeed: {expected}"));
                }
                opened.map(Term::Port)
            }
            Step::Close { who, to } => yes(me(who).port_close(&self.to(to))),
            Step::Connect { who, to, whom } => {
                yes(me(who).port_connect(&self.to(to), &Term::Pid(self.pid(whom))))
            }
            Step::Control { who, to, letter } => {
                let operation = Term::from(u32::from(letter));
                me(who).port_control(&self.to(to), &operation, &Term::Nil)
            }
            Step::Call { who, to } => me(who).port_call(&self.to(to), &Term::from(1), &Term::Nil),
            Step::Info { who, to, item } => me(who).port_info_item(&self.to(to), &atom(item)),
            Step::SetData { who, to, value } => {
                yes(me(who).port_set_data(&self.to(to), Term::from(i64::from(value))))
            }
            Step::GetData { who, to } => me(who).port_get_data(&self.to(to)),
            Step::Register { who, name, port } => {
                yes(me(who).register(&atom(NAMES[name]), &port_term(port)))
            }
            Step::Unregister { who, name } => yes(me(who).unregister(&atom(NAMES[name]))),
            Step::Whereis { who, name } => me(who).whereis(&atom(NAMES[name])),
            Step::Link { who, port } => yes(me(who).link(&port_term(port))),
            Step::Unlink { who, port } => yes(me(who).unlink(&port_term(port))),
            Step::Monitor { who, to } => {
                let reference = me(who).monitor(&atom("port"), &self.to(to));
                self.references.extend(reference.clone().ok());
                reference.map(Term::Reference)
            }
            Step::Demonitor {
                who,
                which,
                flush,
                info,
            } => {
                let options = [(flush, "flush"), (info, "info")];
                let options = options.iter().filter(|option| option.0);
                let options = Term::list(options.map(|option| atom(option.1)).collect());
                let reference = self.references[self.references.len() - which - 1];
                let answer = me(who).demonitor(&Term::Reference(reference), &options);
                answer.map(Term::boolean)
            }
            Step::ExitPort { who, port, reason } => {
                yes(me(who).exit_signal(&port_term(port), atom(reason)))
            }
            Step::Tell {
                who,
                port,
                status,
                rest,
            } => {
                let line = Term::from(&tell(status, rest)[..]);
                let answer = me(who).port_command(&port_term(port), &line, &Term::Nil);
                answer.map(Term::boolean)
            }
            Step::Stuff { who, port, bytes } => {
                let much = Term::from(&"s".repeat(bytes)[..]);
                let answer = me(who).port_command(&port_term(port), &much, &Term::Nil);
                let peer = &self.peers[port];
                self.wait_until("the pipe is full", || Ok(peer.is_full()))?;
                let queued = self.fact(port, "queue_size")?.parse().unwrap_or(0);
                if queued == 0 || queued >= bytes {
                    return Err(format!("{queued} of {bytes} bytes are queued"));
                }
                self.world.queued(port, queued);
                answer.map(Term::boolean)
            }
            Step::PeerWrites { port, data } => {
                self.peers[port].write(&data.text(), self.world.ports[port].opts);
                ok()
            }
            Step::PeerCloses { port } | Step::PeerDies { port } => {
                self.peers[port].end();
                ok()
            }
            _ => ok(),
        })
    }

    fn wait_until(&self, what: &str, done: impl Fn() -> Played<bool>) -> Played<()> {
        let deadline = Instant::now() + self.patience;
        while !done()? {
            if Instant::now() > deadline {
                return Err(format!("waited in vain until {what}"));
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    /// A fact about a port, `undefined` when it is gone.
    fn fact(&self, port: usize, item: &str) -> Played<String> {
        let port = Term::Port(self.ports[port]);
        let fact = self.stranger.port_info_item(&port, &Term::atom(item));
        let shown = self.shown(&fact);
        let value = shown
            .strip_prefix(&format!("{{{item},"))
            .and_then(|v| v.strip_suffix('}'));
        Ok(value.unwrap_or(&shown).to_owned())
    }

    fn os_pid(&self, port: usize) -> i64 {
        let handle = self.stranger.port(self.ports[port]);
        handle.and_then(|port| port.os_pid()).unwrap_or(-1)
    }

    /// Waits until every port has got as far as the model has.
    fn settle(&self) -> Played<()> {
        for (number, port) in self.world.ports.iter().enumerate() {
            if port.life == Life::Closed {
                self.wait_until(&format!("P{number} is gone"), || {
                    Ok(self.fact(number, "input")? == "undefined")
                })?;
                continue;
            }
            if port.input_ended && !port.is_driver() && port.kind != Kind::Fd {
                // Its output is closed a moment before its input.
                let program = format!("/proc/{}", self.os_pid(number));
                self.wait_until(&format!("the program of P{number} is gone"), || {
                    Ok(!std::path::Path::new(&program).exists())
                })?;
            }
            for (item, expected) in [("input", port.input), ("queue_size", port.queue)] {
                let expected = expected.to_string();
                let mut last = String::new();
                let arrived = self.wait_until("", || Ok(self.fact(number, item)? == expected));
                if arrived.is_err() {
                    last = self.fact(number, item)?;
                }
                arrived.map_err(|_| format!("{item} of P{number} is {last}, not {expected}"))?;
            }
        }
        Ok(())
    }

    /// Links and monitors are the same on both sides, and in the model.
    fn compare_books(&self) -> Played<()> {
        for (number, process) in self.world.processes.iter().enumerate() {
            let real = self.processes[number].as_ref().expect("it was started");
            if real.exited().is_none() != process.alive {
                return Err(format!("p{number} has ended with {:?}", real.exited()));
            }
            if process.alive {
                let links = process.links.iter().map(|port| format!("P{port}"));
                let links = sorted(links.collect());
                let told = self
                    .host
                    .process_info(real.pid(), Atom::new("links"))
                    .unwrap();
                let told = self.shown(&Ok(told));
                if told != format!("{{links,{links}}}") {
                    return Err(format!("p{number} has {told}, not {links}"));
                }
            }
        }
        for (number, port) in self.world.ports.iter().enumerate() {
            if port.life == Life::Closed {
                continue;
            }
            let people =
                |who: Vec<usize>| sorted(who.iter().map(|who| format!("p{who}")).collect());
            for (item, expected) in [
                ("connected", format!("p{}", port.owner)),
                ("links", people(port.links.iter().copied().collect())),
                (
                    "monitored_by",
                    people(port.watchers.iter().map(|it| it.1).collect()),
                ),
                ("output", port.output.to_string()),
            ] {
                let told = self.fact(number, item)?;
                if told != expected {
                    return Err(format!("{item} of P{number} is {told}, not {expected}"));
                }
            }
        }
        Ok(())
    }

    /// Everything ends, and nothing is left.
    pub(crate) fn end(&mut self) -> Played<()> {
        // Somebody new, whose slot is not in use by the story.
        let number = self.world.start(true);
        self.world.process_slots.push(number);
        self.processes.push(Some(self.host.process()));
        self.processes[number]
            .as_ref()
            .expect("it was")
            .set_trap_exit(true);
        for port in 0..self.world.ports.len() {
            let it = &self.world.ports[port];
            // One that is closing cannot be killed; what it waits for comes instead.
            let ending = match (it.life, it.kind) {
                (Life::Closed, _) => continue,
                (Life::Open, _) => Step::ExitPort {
                    who: crate::step::SLOTS,
                    port: 0,
                    reason: "kill",
                },
                (Life::Closing, Kind::Deaf) => Step::PeerDies { port: 0 },
                (Life::Closing, _) => Step::PeerReads { port: 0 },
            };
            self.world.port_slots.insert(0, port);
            self.step(ending)?;
        }
        for slot in 0..self.world.process_slots.len() {
            self.step(Step::Receive { who: slot })?;
        }
        for slot in 0..self.world.process_slots.len() {
            self.step(Step::Exit {
                who: slot,
                reason: "normal",
            })?;
        }
        let left = (
            self.host.ports(),
            self.host.registered(),
            self.host.processes(),
        );
        match left.0.is_empty() && left.1.is_empty() && left.2 == [self.stranger.pid()] {
            true => Ok(()),
            false => Err(format!("left over: {left:?}")),
        }
    }
}

//! Four processes, each on a thread of its own, at the same ports: what must hold whoever wins.
//!
//! Nobody knows here what is answered and who gets what. But an answer is one of a few, and what
//! a process did and got, in its own order, must fit together: see `judge.rs`.

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wharf::host::{Host, Process, Raise};
use wharf::term::text::parse;
use wharf::term::{Pid, PortId, Reference, Term};

use crate::judge;
use crate::random::Random;

const PROCESSES: usize = 4;
const SLOTS: usize = 3;
const REQUESTS: usize = 60;
/// Longer than any race takes.
const PATIENCE: Duration = Duration::from_secs(60);
const STATUS: i64 = 7;

/// What a process did and got, in its own order.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Opened(PortId),
    /// The port took a command with this number of the process, or may have.
    Sent(PortId, usize),
    Refused(PortId, usize),
    /// A message `{Pid, close}` or `{Pid, {connect, _}}` in the name of a process.
    AskedClose(PortId, Pid),
    AskedConnect(PortId, Pid),
    /// A process was made the owner, and linked.
    Connected(PortId, Pid),
    Linked(PortId),
    Unlinked(PortId),
    Monitored(PortId, Reference),
    /// With `flush`; whether it was still there.
    Demonitored(Reference, bool),
    Got(Term),
    /// It has ended.
    Ended,
}

/// What the processes share: the ports they know of.
struct Quay {
    pids: Vec<Pid>,
    slots: Mutex<[Option<PortId>; SLOTS]>,
}

struct Runner {
    number: usize,
    me: Process,
    quay: Arc<Quay>,
    random: Random,
    events: Vec<Event>,
    monitors: Vec<Reference>,
    words: usize,
}

/// Lets a race of this seed be run; panics when something does not fit.
pub(crate) fn run(seed: u64, drivers: &Path) {
    let host = Host::builder()
        .driver_path(drivers)
        .build()
        .expect("a host");
    let processes: Vec<Process> = (0..PROCESSES).map(|_| host.process()).collect();
    let master = host.process();
    let quay = Arc::new(Quay {
        pids: processes.iter().map(Process::pid).collect(),
        slots: Mutex::default(),
    });
    let (done, finished) = channel();
    for (number, me) in processes.iter().enumerate() {
        me.set_trap_exit(true);
        let mut runner = Runner {
            number,
            me: me.clone(),
            quay: Arc::clone(&quay),
            random: Random::new(seed ^ (number as u64) << 32),
            events: Vec::new(),
            monitors: Vec::new(),
            words: 0,
        };
        let done = done.clone();
        std::thread::spawn(move || {
            for _ in 0..REQUESTS {
                runner.request();
            }
            let _ = done.send((runner.number, runner.events));
        });
    }
    drop(done);
    let mut events = vec![Vec::new(); PROCESSES];
    let mut running = PROCESSES;
    let deadline = Instant::now() + PATIENCE;
    while running > 0 {
        match finished.recv_timeout(Duration::from_millis(1)) {
            Ok((number, its_events)) => {
                events[number] = its_events;
                running -= 1;
            }
            // Whoever waits at a port that nobody frees would wait for ever.
            Err(RecvTimeoutError::Timeout) => free_all(&host, &master),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("a process's thread panicked in the race of WHARF_MODEL_SEED={seed}")
            }
        }
        assert!(
            Instant::now() < deadline,
            "the race of WHARF_MODEL_SEED={seed} hangs with {running} at work"
        );
    }
    for port in host.ports() {
        master
            .exit_signal(&port.into(), Term::atom("kill"))
            .expect("a port");
    }
    while !host.ports().is_empty() {
        assert!(
            Instant::now() < deadline,
            "ports are left in the race of WHARF_MODEL_SEED={seed}"
        );
        std::thread::yield_now();
    }
    let mut faults = loop {
        for (process, events) in processes.iter().zip(&mut events) {
            hear(process, events);
        }
        let faults = judge::faults(&quay.pids, &events, STATUS);
        // What was asked of a port just before its end may be answered a moment after it.
        if faults.is_empty() || Instant::now() > deadline {
            break faults;
        }
        std::thread::yield_now();
    };
    if !host.registered().is_empty() {
        faults.push(format!("names are left: {:?}", host.registered()));
    }
    if !faults.is_empty() {
        for (events, pid) in events.iter().zip(&quay.pids) {
            eprintln!("what {pid} did and got:");
            events.iter().for_each(|event| eprintln!("  {event:?}"));
        }
        panic!(
            "the race of WHARF_MODEL_SEED={seed} went wrong:\n{}",
            faults.join("\n")
        );
    }
}

/// Frees every port that is busy because it was told so.
fn free_all(host: &Host, master: &Process) {
    for port in host.ports() {
        let _ = master.port_control(&port.into(), &Term::from(u32::from('f')), &Term::Nil);
    }
}

/// Takes what is in the mailbox.
fn hear(process: &Process, events: &mut Vec<Event>) {
    loop {
        match process.receive_any(Duration::ZERO) {
            Ok(Some(message)) => events.push(Event::Got(message)),
            Ok(None) => return,
            Err(_) => return events.push(Event::Ended),
        }
    }
}

impl Runner {
    fn request(&mut self) {
        let slot = self.random.below(SLOTS);
        let known = self.quay.slots.lock().unwrap()[slot];
        let Some(port) = known else {
            return self.open(slot);
        };
        let to = Term::Port(port);
        let whom = self.quay.pids[self.random.below(PROCESSES)];
        let name = Term::atom(self.random.pick(&["pier", "mole"]));
        let me = self.me.clone();
        match self.random.below(32) {
            0..=2 => self.open(slot),
            3..=8 => self.command(port),
            9..=12 => self.message(port),
            13 => {
                allowed(me.port_close(&to), &["badarg"]);
            }
            14 => {
                let owner = self.owner(port);
                self.events.push(Event::AskedClose(port, owner));
                self.send(&to, owner, Term::atom("close"));
            }
            15..=16 => {
                self.events.push(Event::Connected(port, whom));
                allowed(me.port_connect(&to, &whom.into()), &["badarg"]);
            }
            17..=18 => {
                let owner = self.owner(port);
                self.events.push(Event::AskedConnect(port, owner));
                self.send(
                    &to,
                    owner,
                    Term::tuple([Term::atom("connect"), whom.into()]),
                );
            }
            19 => {
                let letter = u32::from(self.random.pick(&['b', 'f']));
                allowed(
                    me.port_control(&to, &Term::from(letter), &Term::Nil),
                    &["badarg"],
                );
            }
            20..=21 => {
                self.events.push(Event::Linked(port));
                allowed(me.link(&to), &[]);
            }
            22 => {
                allowed(me.unlink(&to), &[]);
                // What came before it is still in the mailbox.
                hear(&me, &mut self.events);
                self.events.push(Event::Unlinked(port));
            }
            23..=24 => {
                let monitor = allowed(me.monitor(&Term::atom("port"), &to), &[]);
                let monitor = monitor.expect("a port can be monitored");
                self.events.push(Event::Monitored(port, monitor));
                self.monitors.push(monitor);
            }
            25 => {
                if let Some(monitor) = self.monitors.pop() {
                    let options = Term::list(vec![Term::atom("flush"), Term::atom("info")]);
                    let was = allowed(me.demonitor(&monitor.into(), &options), &[]);
                    self.events
                        .push(Event::Demonitored(monitor, was == Some(true)));
                }
            }
            26 => {
                let reason = self.random.pick(&["normal", "boom", "kill"]);
                allowed(me.exit_signal(&to, Term::atom(reason)), &[]);
            }
            27 => {
                allowed(me.register(&name, &to), &["badarg"]);
            }
            28 => {
                allowed(me.unregister(&name), &["badarg"]);
            }
            29 => {
                let item = self.random.pick(&["links", "connected", "queue_size"]);
                allowed(me.port_info_item(&to, &Term::atom(item)), &[]);
            }
            30 if self.random.one_in(12) => {
                me.exit(Term::atom(self.random.pick(&["normal", "boom"])));
            }
            _ => hear(&me, &mut self.events),
        }
    }

    fn open(&mut self, slot: usize) {
        let (name, options) = self.random.pick(&[
            ("{spawn,\"cat 2>/dev/null\"}", "[binary,{packet,2}]"),
            ("{spawn_driver,\"echo_drv\"}", "[binary]"),
            ("{spawn_driver,\"busy_drv\"}", "[binary]"),
            ("{spawn_driver,\"busy_drv 3 1\"}", "[binary]"),
            ("{spawn,\"sh -c 'exit 7'\"}", "[binary,exit_status]"),
        ]);
        let (name, options) = (parse(name).unwrap(), parse(options).unwrap());
        match self.me.open_port(&name, &options) {
            Ok(port) => {
                self.events.push(Event::Opened(port));
                self.quay.slots.lock().unwrap()[slot] = Some(port);
            }
            // A process that has ended opens nothing.
            Err(raise) => assert!(self.me.exited().is_some(), "open: {raise}"),
        }
    }

    fn owner(&mut self, port: PortId) -> Pid {
        let owner = self
            .me
            .port_info_item(&port.into(), &Term::atom("connected"));
        let owner = owner
            .ok()
            .and_then(|pair| pair.as_tuple()?.last()?.as_pid());
        owner.unwrap_or(self.me.pid())
    }

    fn word(&mut self) -> (usize, Term) {
        self.words += 1;
        let text = format!("{} {}", self.number, self.words);
        (self.words, Term::from(&text[..]))
    }

    fn command(&mut self, port: PortId) {
        let (number, word) = self.word();
        let flag = self.random.pick(&["", "", "nosuspend", "force"]);
        let flags = match flag {
            "" => Term::Nil,
            flag => Term::list(vec![Term::atom(flag)]),
        };
        let answer = self.me.port_command(&port.into(), &word, &flags);
        assert!(
            answer != Ok(false) || flag == "nosuspend",
            "false without nosuspend"
        );
        let refusals: &[&str] = if flag == "force" {
            &["badarg", "notsup"]
        } else {
            &["badarg"]
        };
        self.events.push(match allowed(answer, refusals) {
            Some(true) => Event::Sent(port, number),
            _ => Event::Refused(port, number),
        });
    }

    fn message(&mut self, port: PortId) {
        let (number, word) = self.word();
        let owner = self.owner(port);
        let nosuspend = self.random.one_in(2);
        let what = Term::tuple([Term::atom("command"), word]);
        let message = Term::tuple([owner.into(), what]);
        let answer = self.me.send_with(&port.into(), message, nosuspend);
        assert!(answer != Ok(false) || nosuspend, "false without nosuspend");
        self.events.push(match allowed(answer, &[]) {
            Some(true) => Event::Sent(port, number),
            _ => Event::Refused(port, number),
        });
    }

    fn send(&self, to: &Term, owner: Pid, what: Term) {
        allowed(self.me.send(to, Term::tuple([owner.into(), what])), &[]);
    }
}

/// The answer, which may be a refusal for one of these reasons.
fn allowed<T>(answer: Result<T, Raise>, refusals: &[&str]) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(raise) => {
            let known = refusals.iter().any(|reason| raise.reason.is_atom(reason));
            assert!(known, "refused with {raise}, not {refusals:?}");
            None
        }
    }
}

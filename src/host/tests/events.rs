//! Any row of requests, signals and reports, in any order: a port ends once, tells each who knew
//! it once and in order, and from then on says nothing.
#![forbid(unsafe_code)]

use proptest::prelude::*;
use std::collections::BTreeSet;

use super::*;
use crate::port::request::{CommandFlags, Commanded};
use crate::port::table;
use crate::process::pause::Pause;

/// What somebody does, or the back end reports.
#[derive(Clone, Copy, Debug)]
enum Event {
    Say(&'static str),
    Busy(bool),
    Drain,
    Link,
    Unlink,
    Monitor,
    Demonitor,
    Close,
    SendClose,
    SendCommand,
    SendNonsense,
    Connect(usize),
    SendConnect(usize),
    Exit(&'static str),
}

fn event() -> impl Strategy<Value = Event> {
    use Event::*;
    prop_oneof![
        4 => proptest::sample::select(vec!["hello", "keep"]).prop_map(Say),
        1 => proptest::sample::select(vec!["fail", "leave", "eof"]).prop_map(Say),
        2 => any::<bool>().prop_map(Busy),
        2 => Just(Drain),
        4 => Just(Link),
        2 => Just(Unlink),
        3 => Just(Monitor),
        2 => Just(Demonitor),
        1 => Just(Close),
        1 => Just(SendClose),
        2 => Just(SendCommand),
        1 => Just(SendNonsense),
        2 => (0..3_usize).prop_map(Connect),
        2 => (0..3_usize).prop_map(SendConnect),
        1 => proptest::sample::select(vec!["normal", "kill", "boom"]).prop_map(Exit),
    ]
}

/// Three processes, a port, and what must be true of them.
struct World {
    people: [Process; 3],
    port: Term,
    id: PortId,
    owner: usize,
    links: BTreeSet<usize>,
    /// Oldest first.
    monitors: Vec<(usize, Reference)>,
    /// Who is to hear `closed`.
    asked: Option<usize>,
    kept: bool,
    closed: bool,
}

impl World {
    fn is_open(&self) -> bool {
        table::get(self.id).is_some_and(|port| port.is_open())
    }

    fn act(&mut self, who: usize, event: Event) {
        let (me, port) = (&self.people[who], &self.port);
        let nosuspend = Term::list(vec![Term::atom("nosuspend")]);
        match event {
            Event::Say(text) => {
                let taken = me.port_command(port, &binary(text), &nosuspend);
                assert_eq!(taken.is_err(), self.closed, "{taken:?}");
                self.kept |= taken == Ok(true) && text == "keep";
                if taken == Ok(true) && text == "leave" {
                    self.links.remove(&self.owner);
                }
            }
            Event::Busy(busy) => {
                let text = binary(if busy { "x" } else { "" });
                let _ = me.port_control(port, &1.into(), &text);
            }
            Event::Drain => {
                let _ = me.port_control(port, &0.into(), &Term::Nil);
                self.kept = false;
            }
            Event::Link => {
                let _ = me.link(port);
                self.links.insert(who);
            }
            Event::Unlink => {
                me.unlink(port).expect("a port");
                self.links.remove(&who);
            }
            Event::Monitor => {
                let made = me.monitor(&Term::Atom(atom::PORT), port).expect("a port");
                self.monitors.push((who, made));
            }
            Event::Demonitor => {
                if let Some(at) = self.monitors.iter().position(|(of, _)| *of == who) {
                    let (_, gone) = self.monitors.remove(at);
                    me.demonitor(&gone.into(), &Term::Nil).expect("ours");
                }
            }
            Event::Close => assert_eq!(me.port_close(port).is_err(), self.closed),
            Event::SendClose => {
                me.send(port, pair(me.pid(), atom::CLOSE)).expect("sent");
                if who == self.owner && !self.closed {
                    self.asked = Some(who);
                }
            }
            Event::SendCommand => {
                let what = pair(me.pid(), pair(atom::COMMAND, "message"));
                me.send_with(port, what, true).expect("sent");
            }
            Event::SendNonsense => me.send(port, Term::atom("nonsense")).expect("sent"),
            Event::Connect(to) => {
                let done = me.port_connect(port, &self.people[to].pid().into());
                assert_eq!(done.is_err(), self.closed);
                if !self.closed {
                    self.owner = to;
                    self.links.insert(to);
                }
            }
            Event::SendConnect(to) => {
                let what = pair(atom::CONNECT, self.people[to].pid());
                me.send(port, pair(me.pid(), what)).expect("sent");
                if who == self.owner && !self.closed {
                    self.owner = to;
                }
            }
            Event::Exit(reason) => {
                me.exit_signal(port, Term::atom(reason)).expect("a port");
            }
        }
    }

    /// The news of an end that came to one of the three, in order: `exit`, a monitor, `words`,
    /// `closed`. Other data is no such news, and neither is the punishment for nonsense.
    fn news(&self, who: usize) -> Vec<String> {
        let mut news = Vec::new();
        while !quiet(&self.people[who]) {
            let message = next(&self.people[who]);
            let parts = message.as_tuple().expect("a tuple").elements();
            match parts {
                [Term::Atom(atom::EXIT), _, Term::Atom(atom::BADSIG)] => {}
                [Term::Atom(atom::EXIT), _, Term::Atom(atom::NOPROC)] => assert!(self.closed),
                [Term::Atom(atom::EXIT), from, _] => {
                    assert_eq!(*from, self.port);
                    news.push("exit".to_owned());
                }
                [Term::Atom(atom::DOWN), .., Term::Atom(atom::NOPROC)] => assert!(self.closed),
                [Term::Atom(atom::DOWN), monitor, ..] => news.push(monitor.to_string()),
                [_, Term::Atom(atom::CLOSED)] => news.push("closed".to_owned()),
                [_, _] if message == data(&self.port, "last words") => {
                    news.push("words".to_owned());
                }
                _ => assert!(!self.closed, "{message} from a port that has ended"),
            }
        }
        news
    }

    fn step(&mut self, who: usize, event: Event) {
        self.act(who, event);
        let ends = !self.closed && !self.is_open();
        let flushes = match event {
            Event::Say(_) | Event::Exit("kill") => false,
            _ => self.kept,
        };
        for who in 0..3 {
            let mut expected = Vec::new();
            if ends {
                expected.extend(self.links.contains(&who).then(|| "exit".to_owned()));
                let mine = self.monitors.iter().filter(|(of, _)| *of == who);
                expected.extend(mine.map(|(_, monitor)| Term::from(*monitor).to_string()));
                if who == self.owner && !flushes {
                    expected.push("words".to_owned());
                }
            }
            // Who asked hears of it when the queue has gone out, or is given up.
            let over = table::get(self.id).is_none();
            if over && (ends || self.closed) && self.asked == Some(who) {
                expected.push("closed".to_owned());
                self.asked = None;
            }
            assert_eq!(self.news(who), expected, "{who} after {event:?}");
        }
        if ends {
            self.closed = true;
            self.links.clear();
            self.monitors.clear();
        }
        assert_eq!(self.closed, !self.is_open(), "the end is for good");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_end_is_told_once_and_in_order(
        events in proptest::collection::vec((0..3_usize, event()), 0..40),
    ) {
        let (host, first) = setting();
        let people = [first, host.process(), host.process()];
        people.iter().for_each(|one| {
            one.set_trap_exit(true);
        });
        let port = puppet(&people[0], Options::new());
        let Term::Port(id) = port else { unreachable!("made by `puppet`") };
        let mut world = World {
            people, port, id, owner: 0, links: BTreeSet::from([0]), monitors: Vec::new(),
            asked: None, kept: false, closed: false,
        };
        for (who, event) in events {
            world.step(who, event);
        }
        for event in [Event::SendClose, Event::Drain] {
            world.step(world.owner, event);
        }
        prop_assert!(world.closed && table::get(id).is_none());
        prop_assert_eq!(world.asked, None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_waits_waits_until_the_port_is_ready_or_gone(steps in proptest::collection::vec(0..12_u8, 0..60)) {
        let (_host, me) = setting();
        let id = puppet(&me, Options::new());
        let Term::Port(number) = id else { unreachable!("made by `puppet`") };
        let port = table::get(number).expect("just opened");
        let mut waiting: Vec<Arc<Pause>> = Vec::new();
        let (mut busy, mut closed) = (false, false);
        for step in steps {
            match step {
                0..=5 => match port.command(me.pid(), &mut IoData::Bytes(b"x"), CommandFlags::default()) {
                    Ok(Commanded::Taken) => prop_assert!(!busy && !closed),
                    Ok(Commanded::Wait(pause)) => {
                        prop_assert!(busy && !closed && !pause.is_over());
                        waiting.push(pause);
                    }
                    Ok(Commanded::Closed) => prop_assert!(closed),
                    _ => prop_assert!(false, "no other answer"),
                },
                6 | 7 => {
                    let _ = me.port_control(&id, &1.into(), &binary("x"));
                    busy = !closed;
                }
                8 | 9 => {
                    let _ = me.port_control(&id, &1.into(), &Term::Nil);
                    busy = false;
                }
                10 => drop(waiting.pop()),
                _ if waiting.len() > 3 => {
                    let _ = me.port_close(&id);
                    (busy, closed) = (false, true);
                }
                _ => {}
            }
            for pause in &waiting {
                prop_assert_eq!(pause.is_over(), !busy);
            }
            waiting.retain(|pause| !pause.is_over());
        }
    }
}

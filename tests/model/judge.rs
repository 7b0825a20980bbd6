//! Whether what racing processes did and got fits together.

use std::collections::{BTreeMap, BTreeSet};

use wharf::term::{Pid, PortId, Reference, Term};

use crate::race::Event;

/// What a port told, as far as it matters here.
enum Told {
    /// A command came back: the number of its sender, and its own.
    Word(usize, usize),
    Status(i64),
    Connected,
    Closed,
    Exit(String),
    Down(Reference, String),
    Other,
}

/// All that does not fit; nothing, for a sound host.
pub(crate) fn faults(pids: &[Pid], events: &[Vec<Event>], status: i64) -> Vec<String> {
    let mut faults = Vec::new();
    let mut court = Court::default();
    for (number, events) in events.iter().enumerate() {
        for event in events {
            match event {
                Event::Sent(port, word) => court.sent.insert((*port, number, *word)),
                Event::Refused(port, word) => court.refused.insert((*port, number, *word)),
                _ => continue,
            };
        }
    }
    let all = || events.iter().flatten();
    for (pid, events) in pids.iter().zip(events) {
        let mut one = court.hear(events, status);
        for (port, answers) in &one.connected {
            let asked = |event: &&Event| {
                matches!(event, Event::AskedConnect(it, owner)
                if it == port && owner == pid)
            };
            let connects = all().filter(asked).count();
            if *answers > connects {
                one.faults.push(format!(
                    "{port} answered {answers} times to {connects} connects"
                ));
            }
        }
        for port in &one.closed {
            let asked = |event: &Event| {
                matches!(event, Event::AskedClose(it, owner)
                if it == port && owner == pid)
            };
            if !all().any(asked) {
                one.faults.push(format!("{port} told closed unasked"));
            }
        }
        let alive = !events.iter().any(|event| matches!(event, Event::Ended));
        if alive {
            one.faults.extend(missing(*pid, events, &one, all()));
        }
        faults.extend(one.faults.iter().map(|fault| format!("{pid}: {fault}")));
    }
    for (port, reasons) in &court.reasons {
        if reasons.len() > 1 {
            faults.push(format!("{port} ended for several reasons: {reasons:?}"));
        }
    }
    for (port, times) in &court.closed {
        if *times > 1 {
            faults.push(format!("{port} told closed {times} times"));
        }
    }
    faults
}

/// What all processes heard together.
#[derive(Default)]
struct Court {
    /// Commands that were taken, or may have been: port, sender, number.
    sent: BTreeSet<(PortId, usize, usize)>,
    refused: BTreeSet<(PortId, usize, usize)>,
    heard: BTreeSet<(PortId, usize, usize)>,
    reasons: BTreeMap<PortId, BTreeSet<String>>,
    closed: BTreeMap<PortId, usize>,
}

/// What one process heard.
#[derive(Default)]
struct Hearing {
    faults: Vec<String>,
    connected: BTreeMap<PortId, usize>,
    closed: BTreeSet<PortId>,
    /// Ports of whose end it heard by a link, or that there were none.
    exits: BTreeSet<PortId>,
    downs: BTreeSet<Reference>,
}

impl Court {
    fn hear(&mut self, events: &[Event], status: i64) -> Hearing {
        let mut one = Hearing::default();
        let mut ended: BTreeSet<PortId> = BTreeSet::new();
        let mut downed: BTreeSet<PortId> = BTreeSet::new();
        let mut last_word: BTreeMap<(PortId, usize), usize> = BTreeMap::new();
        let mut statuses: BTreeSet<PortId> = BTreeSet::new();
        let mut given_up: BTreeMap<Reference, bool> = BTreeMap::new();
        let mut own: BTreeMap<Reference, PortId> = BTreeMap::new();
        for event in events {
            let message = match event {
                Event::Got(message) => message,
                Event::Monitored(port, monitor) => {
                    own.insert(*monitor, *port);
                    continue;
                }
                Event::Demonitored(monitor, was) => {
                    if *was && one.downs.contains(monitor) {
                        one.faults
                            .push(format!("{monitor} was there after it had fired"));
                    }
                    given_up.insert(*monitor, *was);
                    continue;
                }
                _ => continue,
            };
            let Some((port, told)) = read(message) else {
                one.faults.push(format!("got {message}"));
                continue;
            };
            let mut fault = |what: &str| one.faults.push(format!("got {message} {what}"));
            let alive = !ended.contains(&port) && !one.closed.contains(&port);
            match told {
                Told::Word(sender, number) => {
                    if !alive {
                        fault("after the end");
                    }
                    if self.refused.contains(&(port, sender, number)) {
                        fault("that was refused");
                    } else if !self.sent.contains(&(port, sender, number)) {
                        fault("that nobody sent");
                    }
                    if !self.heard.insert((port, sender, number)) {
                        fault("twice");
                    }
                    let before = last_word.insert((port, sender), number);
                    if before.is_some_and(|before| before > number) {
                        fault("after a later one");
                    }
                }
                Told::Status(number) => {
                    if !alive || number != status || !statuses.insert(port) {
                        fault("out of place");
                    }
                }
                Told::Connected => {
                    if !alive {
                        fault("after the end");
                    }
                    *one.connected.entry(port).or_default() += 1;
                }
                Told::Closed => {
                    *self.closed.entry(port).or_default() += 1;
                    one.closed.insert(port);
                }
                Told::Exit(reason) if reason == "badsig" => {
                    if !alive {
                        fault("after the end");
                    }
                }
                Told::Exit(reason) => {
                    one.exits.insert(port);
                    if reason == "noproc" {
                        continue;
                    }
                    if !ended.insert(port) {
                        fault("twice");
                    }
                    if downed.contains(&port) || one.closed.contains(&port) {
                        fault("after what comes later");
                    }
                    self.reasons.entry(port).or_default().insert(reason);
                }
                Told::Down(monitor, reason) => {
                    if own.get(&monitor) != Some(&port) {
                        fault("without a monitor");
                    }
                    if given_up.contains_key(&monitor) {
                        fault("after its monitor was given up");
                    }
                    if !one.downs.insert(monitor) {
                        fault("twice");
                    }
                    if reason != "noproc" {
                        downed.insert(port);
                        if one.closed.contains(&port) {
                            fault("after closed");
                        }
                        self.reasons.entry(port).or_default().insert(reason);
                    }
                }
                Told::Other => fault("which nobody sends"),
            }
        }
        one
    }
}

/// Links and monitors of whose end a process that lives has not heard.
fn missing<'e>(
    pid: Pid,
    events: &[Event],
    one: &Hearing,
    all: impl Iterator<Item = &'e Event> + Clone,
) -> Vec<String> {
    let mut faults = Vec::new();
    let unlinked = |port: PortId| {
        let is = |event: &Event| matches!(event, Event::Unlinked(it) if *it == port);
        events.iter().any(is)
    };
    let mut given_up = BTreeSet::new();
    for event in events {
        match event {
            Event::Demonitored(monitor, _) => {
                given_up.insert(*monitor);
            }
            Event::Opened(port) | Event::Linked(port)
                if !unlinked(*port) && !one.exits.contains(port) =>
            {
                faults.push(format!("is linked to {port} and did not hear of its end"));
            }
            _ => {}
        }
    }
    for event in events {
        if let Event::Monitored(port, monitor) = event
            && !given_up.contains(monitor)
            && !one.downs.contains(monitor)
        {
            faults.push(format!("monitors {port} and did not hear of its end"));
        }
    }
    // After an unlink, and without a link since, there is no news of the end.
    for (at, event) in events.iter().enumerate() {
        let Event::Unlinked(port) = event else {
            continue;
        };
        let linked_again = events[at..]
            .iter()
            .any(|event| matches!(event, Event::Linked(it) if it == port))
            || all
                .clone()
                .any(|event| matches!(event, Event::Connected(it, to) if it == port && *to == pid));
        let told_later = events[at..].iter().any(|event| match event {
            Event::Got(message) => matches!(read(message),
                Some((it, Told::Exit(reason))) if it == *port && reason != "badsig"),
            _ => false,
        });
        if told_later && !linked_again {
            faults.push(format!("unlinked {port} and heard of its end"));
        }
    }
    faults
}

fn read(message: &Term) -> Option<(PortId, Told)> {
    match &message.as_tuple()?[..] {
        [Term::Port(port), what] => Some((*port, from_port(what))),
        [tag, Term::Port(port), reason] if tag.is_atom("EXIT") => {
            Some((*port, Told::Exit(reason.to_string())))
        }
        [
            tag,
            Term::Reference(monitor),
            kind,
            Term::Port(port),
            reason,
        ] if tag.is_atom("DOWN") && kind.is_atom("port") => {
            Some((*port, Told::Down(*monitor, reason.to_string())))
        }
        _ => None,
    }
}

fn from_port(what: &Term) -> Told {
    if what.is_atom("connected") {
        return Told::Connected;
    }
    if what.is_atom("closed") {
        return Told::Closed;
    }
    let pair = what.as_tuple().map(|pair| &pair[..]);
    match pair {
        Some([tag, Term::Int(status)]) if tag.is_atom("exit_status") => Told::Status(*status),
        Some([tag, data]) if tag.is_atom("data") => {
            let text = data
                .as_binary()
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let word = text.as_deref().and_then(|text| {
                let (sender, number) = text.split_once(' ')?;
                Some(Told::Word(sender.parse().ok()?, number.parse().ok()?))
            });
            word.unwrap_or(Told::Other)
        }
        _ => Told::Other,
    }
}

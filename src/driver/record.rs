//! One driver in the registry: who uses it, what it is about to do, and who waits for that.
#![forbid(unsafe_code)]

use crate::term::{Atom, Pid, Reference, Term};

pub(super) struct Record<D> {
    /// `None` while the library is being replaced.
    pub(super) driver: Option<D>,
    /// The folder as it was given; its text is part of the driver's identity.
    pub(super) folder: String,
    pub(super) options: LoadOptions,
    pub(super) standing: Standing,
    pub(super) phase: Phase,
    /// All ports are being closed, and no new ones opened.
    pub(super) killing: bool,
    pub(super) users: Vec<(Pid, usize)>,
    pub(super) ports: usize,
    /// Jobs and delayed `stop_select` calls.
    pub(super) pins: usize,
    /// Oldest first; told newest first, as Erlang does.
    pub(super) watches: Vec<Watch>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Dynamic,
    /// Locked in by `driver_lock_driver`.
    Permanent,
    /// Part of the program.
    Static,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Loaded,
    Unloading,
    Reloading,
}

pub(super) struct Watch {
    pub(super) pid: Pid,
    pub(super) reference: Reference,
    pub(super) event: Event,
}

/// What a process waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// `loaded`.
    Loaded,
    /// `unloaded`, or that this was called off.
    Unloaded,
    /// `unloaded`, whatever happens in between.
    UnloadedOnly,
}

/// `driver_options` of a load.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct LoadOptions {
    /// Close the driver's ports when its last user is gone.
    pub(crate) kill_ports: bool,
}

/// `pending_driver` or `pending`, as the value of `monitor` and of `reload`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pending {
    /// Only if the driver's ports are in the way.
    Driver,
    /// Also if other users are.
    Any,
}

/// The part after `ok` in an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Loaded,
    AlreadyLoaded,
    PendingDriver(Option<Reference>),
    PendingProcess(Option<Reference>),
}

/// Why not, by Erlang's word for it.
pub(crate) type Refusal = &'static str;

/// A message to a process: `{'UP' | 'DOWN', Reference, driver, Name, What}`.
#[derive(Debug, PartialEq)]
pub(crate) struct Notice {
    pub(crate) to: Pid,
    pub(crate) message: Term,
}

impl<D> Record<D> {
    pub(super) fn refuses(&self) -> Option<Refusal> {
        match self.standing {
            Standing::Dynamic => None,
            Standing::Permanent => Some("permanent"),
            Standing::Static => Some("linked_in_driver"),
        }
    }

    pub(super) fn is_due(&self) -> bool {
        self.phase != Phase::Loaded && self.ports == 0 && self.pins == 0 && self.driver.is_some()
    }

    /// A load of a driver that is there already.
    pub(super) fn add_user(&mut self, pid: Pid, name: &str) -> (Outcome, Vec<Notice>) {
        match self.users.iter_mut().find(|(user, _)| *user == pid) {
            Some((_, count)) => *count += 1,
            None => self.users.push((pid, 1)),
        }
        match self.phase {
            Phase::Loaded => (Outcome::AlreadyLoaded, Vec::new()),
            Phase::Unloading if !self.killing => {
                self.phase = Phase::Loaded;
                let what = Term::atom("unload_cancelled");
                let told = self.tell(Told::Atom(name), "UP", what, |e| e == Event::Unloaded);
                (Outcome::AlreadyLoaded, told)
            }
            // Too late to call it off: it comes back once it is gone.
            Phase::Unloading | Phase::Reloading => {
                self.phase = Phase::Reloading;
                (
                    Outcome::PendingDriver(Some(self.watch(pid, Event::Loaded))),
                    Vec::new(),
                )
            }
        }
    }

    pub(super) fn reload(
        &mut self,
        pid: Pid,
        reload: Pending,
        monitor: Option<Pending>,
    ) -> Result<Outcome, Refusal> {
        if self.phase == Phase::Reloading {
            return Err("pending_reload");
        }
        if !self.users.iter().any(|(user, _)| *user == pid) {
            return Err("not_loaded_by_this_process");
        }
        let shared = self
            .users
            .iter()
            .any(|(user, count)| *user != pid || *count > 1);
        if shared && reload == Pending::Driver {
            return Err("pending_process");
        }
        self.phase = Phase::Reloading;
        self.killing |= self.options.kill_ports;
        let told = monitor == Some(Pending::Any) || (monitor.is_some() && !shared);
        let reference = told.then(|| self.watch(pid, Event::Loaded));
        Ok(if shared {
            Outcome::PendingProcess(reference)
        } else {
            Outcome::PendingDriver(reference)
        })
    }

    /// Takes one load away from a process; false if it has none.
    pub(super) fn take_user(&mut self, pid: Pid) -> bool {
        let Some(at) = self.users.iter().position(|(user, _)| *user == pid) else {
            return false;
        };
        self.users[at].1 -= 1;
        if self.users[at].1 == 0 {
            self.users.remove(at);
        }
        true
    }

    /// The last load is gone.
    pub(super) fn begin_unloading(&mut self, name: &str) -> Vec<Notice> {
        self.phase = Phase::Unloading;
        self.tell(
            Told::Atom(name),
            "DOWN",
            Term::atom("load_cancelled"),
            |e| e == Event::Loaded,
        )
    }

    pub(super) fn watch(&mut self, pid: Pid, event: Event) -> Reference {
        let reference = Reference::fresh();
        self.watches.push(Watch {
            pid,
            reference,
            event,
        });
        reference
    }

    /// Tells those who wait for something, the newest first, and forgets them.
    pub(super) fn tell(
        &mut self,
        name: Told<'_>,
        way: &str,
        what: Term,
        who: impl Fn(Event) -> bool,
    ) -> Vec<Notice> {
        let told = self.watches.extract_if(.., |watch| who(watch.event));
        let mut notices: Vec<Notice> = told
            .map(|watch| name.notice(watch.pid, watch.reference, way, what.clone()))
            .collect();
        notices.reverse();
        notices
    }

    /// Who waits, and how often.
    pub(super) fn waiting(&self, which: impl Fn(Event) -> bool) -> Vec<(Pid, usize)> {
        let mut counts: Vec<(Pid, usize)> = Vec::new();
        for watch in self.watches.iter().filter(|watch| which(watch.event)) {
            match counts.iter_mut().find(|(pid, _)| *pid == watch.pid) {
                Some((_, count)) => *count += 1,
                None => counts.push((watch.pid, 1)),
            }
        }
        counts
    }
}

/// The name in a notice: as an atom, or as the caller wrote it.
pub(super) enum Told<'a> {
    Atom(&'a str),
    Term(Term),
}

impl Told<'_> {
    pub(super) fn notice(&self, to: Pid, reference: Reference, way: &str, what: Term) -> Notice {
        let name = match self {
            Told::Atom(name) => Atom::try_new(name).map_or(Term::Nil, Term::Atom),
            Told::Term(name) => name.clone(),
        };
        let driver = Term::atom("driver");
        let message = vec![
            Term::atom(way),
            Term::Reference(reference),
            driver,
            name,
            what,
        ];
        Notice {
            to,
            message: Term::tuple(message),
        }
    }
}

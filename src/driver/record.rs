//! One driver in the registry: who uses it, what it is about to do, and who waits for that.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};

use crate::term::{Atom, Pid, Reference, Term};

pub(super) struct Record<D> {
    /// `None` while the library is being replaced.
    pub(super) driver: Option<D>,
    /// The folder as it was given; its text is part of the driver's identity.
    pub(super) folder: OsString,
    pub(super) options: LoadOptions,
    pub(super) standing: Standing,
    pub(super) phase: Phase,
    /// All ports are being closed, and no new ones opened.
    pub(super) killing: bool,
    /// One entry for each load, oldest first.
    pub(super) users: Vec<Pid>,
    pub(super) ports: usize,
    /// Ports that are gone but whose driver's code may still be running, or whose jobs are under way.
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
        self.users.push(pid);
        match self.phase {
            Phase::Loaded => (Outcome::AlreadyLoaded, Vec::new()),
            Phase::Unloading => {
                self.phase = Phase::Loaded;
                self.killing = false;
                let what = Term::atom("unload_cancelled");
                let told = self.tell(Told::Atom(name), "UP", what, |e| e == Event::Unloaded);
                (Outcome::AlreadyLoaded, told)
            }
            // Too late to call it off: it comes back once it is gone.
            Phase::Reloading => (
                Outcome::PendingDriver(Some(self.watch(pid, Event::Loaded))),
                Vec::new(),
            ),
        }
    }

    /// A load anew, perhaps from another folder.
    pub(super) fn reload(
        &mut self,
        pid: Pid,
        folder: &OsStr,
        options: LoadOptions,
        reload: Pending,
        monitor: Option<Pending>,
    ) -> Result<Outcome, Refusal> {
        // Words and order of the checks are Erlang's.
        match self.phase {
            Phase::Loaded => {}
            Phase::Unloading => return Err("not_loaded_by_this_process"),
            Phase::Reloading => return Err("pending_reload"),
        }
        if reload == Pending::Driver && self.users != [pid] {
            return Err("pending_process");
        }
        if self.options != options {
            return Err("inconsistent");
        }
        if !self.take_user(pid) {
            return Err("not_loaded_by_this_process");
        }
        self.users.push(pid);
        self.folder = folder.to_owned();
        self.phase = Phase::Reloading;
        self.kill_if(self.options.kill_ports);
        let reference = monitor.map(|_| self.watch(pid, Event::Loaded));
        Ok(match reload {
            Pending::Any => Outcome::PendingProcess(reference),
            Pending::Driver => Outcome::PendingDriver(reference),
        })
    }

    /// Takes one load away from a process; false if it has none.
    pub(super) fn take_user(&mut self, pid: Pid) -> bool {
        let Some(at) = self.users.iter().rposition(|user| *user == pid) else {
            return false;
        };
        self.users.remove(at);
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

    /// Whether the ports are to be closed, if there are any.
    pub(super) fn kill_if(&mut self, wanted: bool) {
        self.killing = wanted && self.ports > 0;
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

    /// Who has loaded it, and how often.
    pub(super) fn user_counts(&self) -> Vec<(Pid, usize)> {
        counted(self.users.iter().copied())
    }

    /// Who waits, and how often.
    pub(super) fn waiting(&self, which: impl Fn(Event) -> bool) -> Vec<(Pid, usize)> {
        let watches = self.watches.iter().filter(|watch| which(watch.event));
        counted(watches.map(|watch| watch.pid))
    }
}

/// How often each is named; the one that was named last stands last.
fn counted(pids: impl DoubleEndedIterator<Item = Pid>) -> Vec<(Pid, usize)> {
    let mut counts: Vec<(Pid, usize)> = Vec::new();
    for named in pids.rev() {
        match counts.iter_mut().find(|(pid, _)| *pid == named) {
            Some((_, count)) => *count += 1,
            None => counts.push((named, 1)),
        }
    }
    counts.reverse();
    counts
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

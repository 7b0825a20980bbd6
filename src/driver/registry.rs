//! Which drivers are loaded, by whom, and when they go.
//!
//! The rules of `erl_ddll`, as plain logic: a request goes in, an [`Outcome`] and [`Notice`]s
//! come out, and what has to be *done* (load, close ports, unload) is named but not done here.
//! `drivers.rs` does it. Promises that a driver is named for unloading only when it has no
//! ports, no job under way and no delayed `stop_select`.
//!
//! A process's loads are counted, and all taken back when it dies. When the last one goes, the
//! driver is *unloading*: its ports go on, new ones may be opened (unless they are being killed),
//! and a new load takes it all back. *Reloading* is the same with a new load at the end.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use crate::term::{Atom, Pid, Reference, Term};

/// The drivers of one host.
pub(crate) struct Registry<D> {
    records: BTreeMap<String, Record<D>>,
}

struct Record<D> {
    /// `None` while the library is being replaced.
    driver: Option<D>,
    /// The folder as it was given; its text is part of the driver's identity.
    folder: String,
    options: LoadOptions,
    standing: Standing,
    phase: Phase,
    /// All ports are being closed, and no new ones opened.
    killing: bool,
    users: Vec<(Pid, usize)>,
    ports: usize,
    /// Jobs and delayed `stop_select` calls.
    pins: usize,
    /// Oldest first; told newest first, as Erlang does.
    watches: Vec<Watch>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Dynamic,
    /// Locked in by `driver_lock_driver`.
    Permanent,
    /// Part of the program.
    Static,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Loaded,
    Unloading,
    Reloading,
}

struct Watch {
    pid: Pid,
    reference: Reference,
    event: Event,
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

/// The options of `try_load/3`.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct TryLoad {
    pub(crate) options: LoadOptions,
    pub(crate) monitor: Option<Pending>,
    pub(crate) reload: Option<Pending>,
}

/// The options of `try_unload/2`.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct TryUnload {
    pub(crate) kill_ports: bool,
    pub(crate) monitor: Option<Pending>,
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

/// What a request led to.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) result: T,
    pub(crate) notices: Vec<Notice>,
    /// Close all ports of this driver with `driver_unloaded`.
    pub(crate) kill: bool,
}

impl<T> Answer<T> {
    fn plain(result: T) -> Answer<T> {
        Answer {
            result,
            notices: Vec::new(),
            kill: false,
        }
    }
}

/// What a load led to.
#[derive(Debug, PartialEq)]
pub(crate) enum Plan {
    /// Nothing is loaded under this name: load it, then say [`Registry::insert`].
    Load,
    Done(Outcome),
}

/// A driver whose time has come.
#[derive(Debug)]
pub(crate) struct Due<D> {
    pub(crate) name: String,
    pub(crate) driver: D,
    /// Where to load it anew from afterwards.
    pub(crate) reload: Option<String>,
}

impl<D: Clone> Registry<D> {
    pub(crate) fn new() -> Registry<D> {
        Registry {
            records: BTreeMap::new(),
        }
    }

    /// The driver of this name, for a port that is to be opened; it counts from now on.
    pub(crate) fn open_port(&mut self, name: &str) -> Option<D> {
        let record = self.records.get_mut(name)?;
        if record.killing {
            return None;
        }
        let driver = record.driver.clone()?;
        record.ports += 1;
        Some(driver)
    }

    /// A port is gone. True: something may be [`due`](Registry::due).
    pub(crate) fn close_port(&mut self, name: &str) -> bool {
        let Some(record) = self.records.get_mut(name) else {
            return false;
        };
        record.ports = record.ports.saturating_sub(1);
        record.is_due()
    }

    /// A port is gone, and its driver's code may still be running: from now on it counts as a
    /// [`pin`](Registry::pin).
    pub(crate) fn port_to_pin(&mut self, name: &str) {
        if let Some(record) = self.records.get_mut(name) {
            record.ports = record.ports.saturating_sub(1);
            record.pins += 1;
        }
    }

    /// A job is under way, or a `stop_select` call delayed.
    pub(crate) fn pin(&mut self, name: &str) {
        if let Some(record) = self.records.get_mut(name) {
            record.pins += 1;
        }
    }

    /// It is over. True: something may be [`due`](Registry::due).
    pub(crate) fn unpin(&mut self, name: &str) -> bool {
        let Some(record) = self.records.get_mut(name) else {
            return false;
        };
        record.pins = record.pins.saturating_sub(1);
        record.is_due()
    }

    /// Whether a port could be opened with this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.records.contains_key(name)
    }

    /// The names of all, in alphabetical order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.records.keys().cloned().collect()
    }

    /// The names of those that are not part of the program.
    pub(crate) fn dynamic_names(&self) -> Vec<String> {
        let dynamic = self
            .records
            .iter()
            .filter(|(_, r)| r.standing != Standing::Static);
        dynamic.map(|(name, _)| name.clone()).collect()
    }

    /// `try_load/3`.
    pub(crate) fn try_load(
        &mut self,
        pid: Pid,
        folder: &str,
        name: &str,
        how: TryLoad,
    ) -> Answer<Result<Plan, Refusal>> {
        let Some(record) = self.records.get_mut(name) else {
            return Answer::plain(match how.reload {
                Some(_) => Err("not_loaded"),
                None => Ok(Plan::Load),
            });
        };
        if let Some(refusal) = record.refuses() {
            return Answer::plain(Err(refusal));
        }
        if record.folder != folder.trim_end_matches('/') || record.options != how.options {
            return Answer::plain(Err("inconsistent"));
        }
        match how.reload {
            None => {
                let (outcome, notices) = record.add_user(pid, name);
                Answer {
                    result: Ok(Plan::Done(outcome)),
                    notices,
                    kill: false,
                }
            }
            Some(reload) => {
                let result = record.reload(pid, reload, how.monitor);
                let kill = result.is_ok() && record.killing && record.ports > 0;
                Answer {
                    result: result.map(Plan::Done),
                    notices: Vec::new(),
                    kill,
                }
            }
        }
    }

    /// The driver has been loaded, as [`Plan::Load`] asked.
    pub(crate) fn insert(
        &mut self,
        pid: Option<Pid>,
        folder: &str,
        name: &str,
        options: LoadOptions,
        driver: D,
    ) {
        self.records.insert(
            name.to_owned(),
            Record {
                driver: Some(driver),
                folder: folder.trim_end_matches('/').to_owned(),
                options,
                standing: if pid.is_some() {
                    Standing::Dynamic
                } else {
                    Standing::Static
                },
                phase: Phase::Loaded,
                killing: false,
                users: pid.map(|pid| (pid, 1)).into_iter().collect(),
                ports: 0,
                pins: 0,
                watches: Vec::new(),
            },
        );
    }

    /// `try_unload/2`.
    pub(crate) fn try_unload(
        &mut self,
        pid: Pid,
        name: &str,
        how: TryUnload,
    ) -> Answer<Result<Outcome, Refusal>> {
        let Some(record) = self.records.get_mut(name) else {
            return Answer::plain(Err("not_loaded"));
        };
        if let Some(refusal) = record.refuses() {
            return Answer::plain(Err(refusal));
        }
        let mut notices = Vec::new();
        if record.phase != Phase::Unloading {
            if !record.take_user(pid) {
                return Answer::plain(Err("not_loaded_by_this_process"));
            }
            if !record.users.is_empty() {
                let watch = how.monitor == Some(Pending::Any);
                let reference = watch.then(|| record.watch(pid, Event::Unloaded));
                return Answer::plain(Ok(Outcome::PendingProcess(reference)));
            }
            notices = record.begin_unloading(name);
        }
        record.killing |= how.kill_ports || record.options.kill_ports;
        let reference = how.monitor.map(|_| record.watch(pid, Event::Unloaded));
        Answer {
            result: Ok(Outcome::PendingDriver(reference)),
            notices,
            kill: record.killing && record.ports > 0,
        }
    }

    /// A process has died: its loads and its watches end. Gives the drivers whose ports are to
    /// be closed.
    pub(crate) fn process_exited(&mut self, pid: Pid) -> Answer<Vec<String>> {
        let mut answer = Answer::plain(Vec::new());
        for (name, record) in &mut self.records {
            record.watches.retain(|watch| watch.pid != pid);
            let users_before = record.users.len();
            record.users.retain(|(user, _)| *user != pid);
            if record.users.len() == users_before || !record.users.is_empty() {
                continue;
            }
            if record.standing != Standing::Dynamic {
                continue;
            }
            answer.notices.extend(record.begin_unloading(name));
            record.killing |= record.options.kill_ports;
            if record.killing && record.ports > 0 {
                answer.result.push(name.clone());
            }
        }
        answer
    }

    /// Whether [`due`](Registry::due) would name any.
    pub(crate) fn is_any_due(&self) -> bool {
        self.records.values().any(Record::is_due)
    }

    /// Takes out all drivers that no port and no job needs.
    pub(crate) fn take_unused(&mut self) -> Vec<D> {
        let unused = |record: &&mut Record<D>| record.ports == 0 && record.pins == 0;
        self.records
            .values_mut()
            .filter(unused)
            .filter_map(|record| record.driver.take())
            .collect()
    }

    /// The driver of this name.
    pub(crate) fn driver(&self, name: &str) -> Option<D> {
        self.records.get(name)?.driver.clone()
    }

    /// The drivers to unload now. Until [`unloaded`](Registry::unloaded) is said of one, no port
    /// can be opened with it.
    pub(crate) fn due(&mut self) -> Vec<Due<D>> {
        let due = self
            .records
            .iter_mut()
            .filter(|(_, record)| record.is_due());
        due.filter_map(|(name, record)| {
            let reload = (record.phase == Phase::Reloading).then(|| record.folder.clone());
            Some(Due {
                name: name.clone(),
                driver: record.driver.take()?,
                reload,
            })
        })
        .collect()
    }

    /// The library of a [`Due`] driver is closed. If it is to be loaded anew, say
    /// [`reloaded`](Registry::reloaded) next.
    pub(crate) fn unloaded(&mut self, name: &str) -> Vec<Notice> {
        let Some(record) = self.records.get_mut(name) else {
            return Vec::new();
        };
        let told = record.tell(Told::Atom(name), "DOWN", Term::atom("unloaded"), |event| {
            event != Event::Loaded
        });
        if record.phase == Phase::Unloading {
            self.records.remove(name);
        }
        told
    }

    /// The second half of a reload.
    pub(crate) fn reloaded(&mut self, name: &str, loaded: Result<D, Term>) -> Vec<Notice> {
        let Some(record) = self.records.get_mut(name) else {
            return Vec::new();
        };
        match loaded {
            Ok(driver) => {
                record.driver = Some(driver);
                record.phase = Phase::Loaded;
                record.killing = false;
                record.tell(Told::Atom(name), "UP", Term::atom("loaded"), |event| {
                    event == Event::Loaded
                })
            }
            Err(reason) => {
                let what = Term::tuple(vec![Term::atom("load_failure"), reason]);
                let told = record.tell(Told::Atom(name), "DOWN", what, |_| true);
                self.records.remove(name);
                told
            }
        }
    }

    /// `driver_lock_driver`: false if there is no such driver, or it is part of the program.
    pub(crate) fn make_permanent(&mut self, name: &str) -> (bool, Vec<Notice>) {
        match self.records.get_mut(name) {
            Some(record) if record.standing != Standing::Static => {
                record.standing = Standing::Permanent;
                record.phase = Phase::Loaded;
                record.killing = false;
                (
                    true,
                    record.tell(Told::Atom(name), "UP", Term::atom("permanent"), |_| true),
                )
            }
            _ => (false, Vec::new()),
        }
    }

    /// Takes out a driver that is part of the program, by a test on it: 1 done, 0 unknown,
    /// -1 another kind.
    pub(crate) fn remove_static(&mut self, is_it: impl Fn(&D) -> bool) -> Result<Option<D>, ()> {
        let found = self
            .records
            .iter()
            .find(|(_, r)| r.driver.as_ref().is_some_and(&is_it));
        let Some((name, record)) = found else {
            return Ok(None);
        };
        if record.standing != Standing::Static {
            return Err(());
        }
        let name = name.clone();
        Ok(self.records.remove(&name).and_then(|record| record.driver))
    }

    /// `monitor/2`. `given` is the name as the caller wrote it; an answer that is known at once
    /// repeats it.
    pub(crate) fn monitor(
        &mut self,
        pid: Pid,
        name: &str,
        given: &Term,
        event: Event,
    ) -> (Reference, Option<Notice>) {
        let known = match self.records.get_mut(name) {
            None => Some(("DOWN", "unloaded")),
            Some(record) if record.standing != Standing::Dynamic => Some(("UP", "permanent")),
            Some(record) => match (event, record.phase) {
                (Event::Loaded, Phase::Loaded) => Some(("UP", "loaded")),
                (Event::Loaded, Phase::Unloading) => Some(("DOWN", "load_cancelled")),
                _ => return (record.watch(pid, event), None),
            },
        };
        let reference = Reference::fresh();
        let notice = known.map(|(way, what)| {
            let told = Told::Term(given.clone());
            told.notice(pid, reference, way, Term::atom(what))
        });
        (reference, notice)
    }

    /// `demonitor/1`.
    pub(crate) fn demonitor(&mut self, pid: Pid, reference: Reference) {
        for record in self.records.values_mut() {
            record
                .watches
                .retain(|watch| watch.reference != reference || watch.pid != pid);
        }
    }

    /// `info/1`: all items; `None` for a driver that is not there.
    pub(crate) fn info(&self, name: &str) -> Option<Vec<(&'static str, Term)>> {
        let record = self.records.get(name)?;
        let counted = |counts: Vec<(Pid, usize)>| {
            let pair = |(pid, count)| Term::tuple(vec![Term::Pid(pid), Term::from(count)]);
            Term::list(counts.into_iter().map(pair).collect())
        };
        let options = if record.options.kill_ports {
            vec![Term::atom("kill_ports")]
        } else {
            vec![]
        };
        // Where the word says that it does not apply.
        let or_standing = |value: Term| match record.standing {
            Standing::Dynamic => value,
            Standing::Permanent => Term::atom("permanent"),
            Standing::Static => Term::atom("linked_in_driver"),
        };
        Some(vec![
            ("processes", or_standing(counted(record.users.clone()))),
            (
                "driver_options",
                match record.standing {
                    Standing::Static => Term::atom("linked_in_driver"),
                    _ => Term::list(options),
                },
            ),
            ("port_count", or_standing(Term::from(record.ports))),
            (
                "linked_in_driver",
                Term::boolean(record.standing == Standing::Static),
            ),
            (
                "permanent",
                Term::boolean(record.standing == Standing::Permanent),
            ),
            (
                "awaiting_load",
                or_standing(counted(record.waiting(|e| e == Event::Loaded))),
            ),
            (
                "awaiting_unload",
                or_standing(counted(record.waiting(|e| e != Event::Loaded))),
            ),
        ])
    }
}

impl<D> Record<D> {
    fn refuses(&self) -> Option<Refusal> {
        match self.standing {
            Standing::Dynamic => None,
            Standing::Permanent => Some("permanent"),
            Standing::Static => Some("linked_in_driver"),
        }
    }

    fn is_due(&self) -> bool {
        self.phase != Phase::Loaded && self.ports == 0 && self.pins == 0 && self.driver.is_some()
    }

    /// A load of a driver that is there already.
    fn add_user(&mut self, pid: Pid, name: &str) -> (Outcome, Vec<Notice>) {
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

    fn reload(
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
    fn take_user(&mut self, pid: Pid) -> bool {
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
    fn begin_unloading(&mut self, name: &str) -> Vec<Notice> {
        self.phase = Phase::Unloading;
        self.tell(
            Told::Atom(name),
            "DOWN",
            Term::atom("load_cancelled"),
            |e| e == Event::Loaded,
        )
    }

    fn watch(&mut self, pid: Pid, event: Event) -> Reference {
        let reference = Reference::fresh();
        self.watches.push(Watch {
            pid,
            reference,
            event,
        });
        reference
    }

    /// Tells those who wait for something, the newest first, and forgets them.
    fn tell(
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
    fn waiting(&self, which: impl Fn(Event) -> bool) -> Vec<(Pid, usize)> {
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
enum Told<'a> {
    Atom(&'a str),
    Term(Term),
}

impl Told<'_> {
    fn notice(&self, to: Pid, reference: Reference, way: &str, what: Term) -> Notice {
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

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Pid = Pid::from_number(1);
    const OTHER: Pid = Pid::from_number(2);
    const RELOAD: TryLoad = TryLoad {
        options: LoadOptions { kill_ports: false },
        monitor: Some(Pending::Driver),
        reload: Some(Pending::Driver),
    };

    fn loaded() -> Registry<u32> {
        let mut registry = Registry::new();
        let plan = registry.try_load(ME, "dir/", "d", TryLoad::default());
        assert_eq!(plan.result, Ok(Plan::Load));
        registry.insert(Some(ME), "dir/", "d", LoadOptions::default(), 7);
        registry
    }

    fn load(registry: &mut Registry<u32>, pid: Pid, how: TryLoad) -> Result<Plan, Refusal> {
        registry.try_load(pid, "dir", "d", how).result
    }

    fn unload(registry: &mut Registry<u32>, pid: Pid) -> Result<Outcome, Refusal> {
        registry.try_unload(pid, "d", TryUnload::default()).result
    }

    fn item(registry: &Registry<u32>, item: &str) -> String {
        let items = registry.info("d").expect("it is loaded");
        items
            .iter()
            .find(|(name, _)| *name == item)
            .expect("an item")
            .1
            .to_string()
    }

    /// `DOWN unloaded` and so on, in order.
    fn said(notices: &[Notice]) -> Vec<String> {
        let word = |term: &Term| term.to_string().trim_matches('\'').to_owned();
        let pair = |notice: &Notice| {
            let tuple = notice.message.as_tuple().expect("a tuple");
            format!("{} {}", word(&tuple[0]), word(&tuple[4]))
        };
        notices.iter().map(pair).collect()
    }

    #[test]
    fn loads_are_counted_by_process() {
        let mut registry = loaded();
        let again = Ok(Plan::Done(Outcome::AlreadyLoaded));
        assert_eq!(load(&mut registry, ME, TryLoad::default()), again);
        assert_eq!(load(&mut registry, OTHER, TryLoad::default()), again);
        assert_eq!(item(&registry, "processes"), "[{<0.1.0>,2},{<0.2.0>,1}]");
        assert_eq!(unload(&mut registry, ME), Ok(Outcome::PendingProcess(None)));
        assert_eq!(unload(&mut registry, ME), Ok(Outcome::PendingProcess(None)));
        assert_eq!(unload(&mut registry, ME), Err("not_loaded_by_this_process"));
        assert!(registry.due().is_empty());
        assert_eq!(
            unload(&mut registry, OTHER),
            Ok(Outcome::PendingDriver(None))
        );
        assert_eq!(registry.due().len(), 1);
        registry.unloaded("d");
        assert_eq!(unload(&mut registry, ME), Err("not_loaded"));
    }

    #[test]
    fn a_dying_process_loses_all_its_loads() {
        let mut registry = loaded();
        load(&mut registry, ME, TryLoad::default()).expect("loaded");
        assert!(registry.process_exited(OTHER).result.is_empty());
        assert!(registry.due().is_empty());
        registry.process_exited(ME);
        assert_eq!(registry.due().len(), 1);
    }

    #[test]
    fn ports_and_jobs_keep_a_driver() {
        let mut registry = loaded();
        assert_eq!(registry.open_port("d"), Some(7));
        registry.pin("d");
        unload(&mut registry, ME).expect("unloading");
        assert!(registry.due().is_empty());
        assert_eq!(
            registry.open_port("d"),
            Some(7),
            "new ports may still be opened"
        );
        assert!(!registry.close_port("d"));
        assert!(!registry.close_port("d"));
        assert!(registry.unpin("d"));
        let due = registry.due();
        assert_eq!(
            (due.len(), due[0].driver, due[0].reload.is_some()),
            (1, 7, false)
        );
        assert_eq!(registry.open_port("d"), None, "its library is being closed");
    }

    #[test]
    fn a_new_load_calls_the_unload_off() {
        let mut registry = loaded();
        registry.open_port("d");
        let monitor = TryUnload {
            monitor: Some(Pending::Driver),
            kill_ports: false,
        };
        let answer = registry.try_unload(ME, "d", monitor);
        assert!(matches!(answer.result, Ok(Outcome::PendingDriver(Some(_)))));
        registry.monitor(ME, "d", &Term::charlist("d"), Event::UnloadedOnly);
        registry.monitor(OTHER, "d", &Term::charlist("d"), Event::Unloaded);
        assert_eq!(
            item(&registry, "awaiting_unload"),
            "[{<0.1.0>,2},{<0.2.0>,1}]"
        );
        let (_, notice) = registry.monitor(ME, "d", &Term::charlist("d"), Event::Loaded);
        assert_eq!(said(&[notice.expect("at once")]), ["DOWN load_cancelled"]);
        let answer = registry.try_load(OTHER, "dir", "d", TryLoad::default());
        assert_eq!(answer.result, Ok(Plan::Done(Outcome::AlreadyLoaded)));
        assert_eq!(
            said(&answer.notices),
            ["UP unload_cancelled", "UP unload_cancelled"]
        );
        assert_eq!(answer.notices[0].to, OTHER, "the newest is told first");
        registry.close_port("d");
        assert!(registry.due().is_empty());
        unload(&mut registry, OTHER).expect("unloading");
        registry.due();
        assert_eq!(said(&registry.unloaded("d")), ["DOWN unloaded"]);
    }

    #[test]
    fn killing_ports_closes_the_door() {
        let mut registry = loaded();
        registry.open_port("d");
        let kill = TryUnload {
            monitor: None,
            kill_ports: true,
        };
        assert!(registry.try_unload(ME, "d", kill).kill);
        assert_eq!(registry.open_port("d"), None);
        // Too late to call off: the driver comes back after it is gone.
        let result = load(&mut registry, OTHER, TryLoad::default());
        assert!(matches!(
            result,
            Ok(Plan::Done(Outcome::PendingDriver(Some(_))))
        ));
        assert!(registry.close_port("d"));
        assert_eq!(registry.due()[0].reload.as_deref(), Some("dir"));
        assert!(registry.unloaded("d").is_empty());
        assert_eq!(said(&registry.reloaded("d", Ok(8))), ["UP loaded"]);
        assert_eq!(registry.open_port("d"), Some(8));
    }

    #[test]
    fn a_reload_waits_for_ports_and_refuses_to_disturb_others() {
        let mut registry = loaded();
        load(&mut registry, OTHER, TryLoad::default()).expect("loaded");
        assert_eq!(load(&mut registry, ME, RELOAD), Err("pending_process"));
        unload(&mut registry, OTHER).expect("one less");
        assert_eq!(
            load(&mut registry, OTHER, RELOAD),
            Err("not_loaded_by_this_process")
        );
        registry.open_port("d");
        let result = load(&mut registry, ME, RELOAD);
        assert!(matches!(
            result,
            Ok(Plan::Done(Outcome::PendingDriver(Some(_))))
        ));
        assert_eq!(load(&mut registry, ME, RELOAD), Err("pending_reload"));
        assert_eq!(registry.open_port("d"), Some(7), "the old one works on");
        registry.close_port("d");
        assert!(registry.due().is_empty());
        assert!(registry.close_port("d"));
        assert_eq!(registry.due().len(), 1);
        registry.unloaded("d");
        let told = registry.reloaded("d", Err(Term::atom("driver_init_failed")));
        assert_eq!(said(&told), ["DOWN {load_failure,driver_init_failed}"]);
        assert!(registry.info("d").is_none());
    }

    #[test]
    fn identity_is_the_text_of_the_folder_and_the_options() {
        let mut registry = loaded();
        let other_folder = registry.try_load(ME, "./dir", "d", TryLoad::default());
        assert_eq!(other_folder.result, Err("inconsistent"));
        let kill = TryLoad {
            options: LoadOptions { kill_ports: true },
            ..TryLoad::default()
        };
        assert_eq!(load(&mut registry, ME, kill), Err("inconsistent"));
    }

    #[test]
    fn permanent_and_static_drivers_stay() {
        let mut registry = loaded();
        registry.monitor(ME, "d", &Term::Nil, Event::Unloaded);
        let (done, told) = registry.make_permanent("d");
        assert!(done);
        assert_eq!(said(&told), ["UP permanent"]);
        assert_eq!(unload(&mut registry, ME), Err("permanent"));
        assert_eq!(
            load(&mut registry, ME, TryLoad::default()),
            Err("permanent")
        );
        assert_eq!(item(&registry, "processes"), "permanent");
        registry.process_exited(ME);
        assert!(registry.due().is_empty());
        registry.insert(None, "", "s", LoadOptions::default(), 9);
        assert_eq!(
            registry.try_unload(ME, "s", TryUnload::default()).result,
            Err("linked_in_driver")
        );
        assert_eq!(registry.remove_static(|d| *d == 7), Err(()));
        assert_eq!(registry.remove_static(|d| *d == 8), Ok(None));
        assert_eq!(registry.remove_static(|d| *d == 9), Ok(Some(9)));
    }

    #[test]
    fn monitors_of_what_is_not_there_answer_at_once() {
        let mut registry = loaded();
        let given = Term::charlist("none");
        let (_, notice) = registry.monitor(ME, "none", &given, Event::Loaded);
        let message = notice.expect("at once").message;
        assert_eq!(message.as_tuple().map(|t| t[3].clone()), Some(given));
        let (reference, notice) = registry.monitor(ME, "d", &Term::Nil, Event::Unloaded);
        assert!(notice.is_none());
        registry.demonitor(ME, reference);
        unload(&mut registry, ME).expect("unloading");
        registry.due();
        assert!(registry.unloaded("d").is_empty());
    }
}

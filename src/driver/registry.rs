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
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::record::{
    Event, LoadOptions, Notice, Outcome, Pending, Phase, Record, Refusal, Standing, Told,
};
use crate::term::{Pid, Reference, Term};

/// The drivers of one host.
pub(crate) struct Registry<D> {
    records: BTreeMap<String, Record<D>>,
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
    pub(crate) reload: Option<OsString>,
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

    /// Whether a driver of this name has been unloaded and is about to be loaded anew.
    pub(crate) fn is_between(&self, name: &str) -> bool {
        let record = self.records.get(name);
        record.is_some_and(|record| record.driver.is_none() && record.phase == Phase::Reloading)
    }

    /// Whether all ports of this driver are being closed.
    pub(crate) fn is_killing(&self, name: &str) -> bool {
        self.records.get(name).is_some_and(|record| record.killing)
    }

    /// A port is gone. True: something may be [`due`](Registry::due).
    pub(crate) fn close_port(&mut self, name: &str) -> bool {
        let Some(record) = self.records.get_mut(name) else {
            return false;
        };
        record.ports = record.ports.saturating_sub(1);
        record.is_due()
    }

    /// A port is gone, and its driver's code may still be running, or a job be under way: from now on it
    /// counts as a pin.
    pub(crate) fn port_to_pin(&mut self, name: &str) {
        if let Some(record) = self.records.get_mut(name) {
            record.ports = record.ports.saturating_sub(1);
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
        folder: &OsStr,
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
        let folder = without_slashes(folder);
        match how.reload {
            None if record.folder != folder || record.options != how.options => {
                Answer::plain(Err("inconsistent"))
            }
            None => {
                let (outcome, notices) = record.add_user(pid, name);
                Answer {
                    result: Ok(Plan::Done(outcome)),
                    notices,
                    kill: false,
                }
            }
            Some(reload) => {
                let result = record.reload(pid, folder, how.options, reload, how.monitor);
                let kill = result.is_ok() && record.killing;
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
        folder: &OsStr,
        name: &str,
        options: LoadOptions,
        driver: D,
    ) {
        self.records.insert(
            name.to_owned(),
            Record {
                driver: Some(driver),
                folder: without_slashes(folder).to_owned(),
                options,
                standing: if pid.is_some() {
                    Standing::Dynamic
                } else {
                    Standing::Static
                },
                phase: Phase::Loaded,
                killing: false,
                users: pid.into_iter().collect(),
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
        record.kill_if(how.kill_ports || record.options.kill_ports);
        let reference = how.monitor.map(|_| record.watch(pid, Event::Unloaded));
        Answer {
            result: Ok(Outcome::PendingDriver(reference)),
            notices,
            kill: record.killing,
        }
    }

    /// A process has died: its loads and its watches end. Gives the drivers whose ports are to
    /// be closed.
    pub(crate) fn process_exited(&mut self, pid: Pid) -> Answer<Vec<String>> {
        let mut answer = Answer::plain(Vec::new());
        for (name, record) in &mut self.records {
            record.watches.retain(|watch| watch.pid != pid);
            let users_before = record.users.len();
            record.users.retain(|user| *user != pid);
            if record.users.len() == users_before || !record.users.is_empty() {
                continue;
            }
            if record.standing != Standing::Dynamic {
                continue;
            }
            answer.notices.extend(record.begin_unloading(name));
            record.kill_if(record.options.kill_ports);
            if record.killing {
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
                record.killing = false;
                // Its last user may have gone meanwhile: then it is due once more.
                if record.phase == Phase::Reloading {
                    record.phase = Phase::Loaded;
                }
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

    /// Whether there is a driver of which this is true.
    pub(crate) fn any(&self, is_it: impl Fn(&D) -> bool) -> bool {
        let mut drivers = self.records.values().filter_map(|r| r.driver.as_ref());
        drivers.any(is_it)
    }

    /// Takes out a driver that is part of the program, by a test on it. `None` if there is none;
    /// an error if it is of another kind, or a port or a job of it is left.
    pub(crate) fn remove_static(&mut self, is_it: impl Fn(&D) -> bool) -> Result<Option<D>, ()> {
        let found = self
            .records
            .iter()
            .find(|(_, r)| r.driver.as_ref().is_some_and(&is_it));
        let Some((name, record)) = found else {
            return Ok(None);
        };
        if record.standing != Standing::Static || record.ports > 0 || record.pins > 0 {
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
            ("processes", or_standing(counted(record.user_counts()))),
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

/// A folder as Erlang compares it.
pub(super) fn without_slashes(folder: &OsStr) -> &OsStr {
    let bytes = folder.as_bytes();
    let end = bytes.iter().rposition(|byte| *byte != b'/');
    OsStr::from_bytes(&bytes[..end.map_or(0, |last| last + 1)])
}

#[cfg(test)]
mod tests;

//! The drivers of one host: does what the registry decides.
//!
//! Relies on [`Registry`] for the rules and on [`Driver`] for loading. Promises that driver code (`driver_init`, `init`, `finish`)
//! runs one driver at a time and with no lock held: the *list turn* is a mark, not a lock.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use super::abi::job::Job;
use super::callback;
use super::context;
use super::instance::{Instance, PortCount};
use super::later;
use super::load::{Driver, LoadError, file_of};
use super::record::{Event, LoadOptions, Notice, Outcome, Refusal};
use super::registry::{Answer, Plan, Registry, TryLoad, TryUnload};
use super::samples;
use super::select::Fds;
use crate::lock::{Lock, Signal};
use crate::port::options::Mechanism;
use crate::port::services::Services;
use crate::port::table as ports;
use crate::port::transport::Transport;
use crate::process::signal::Message;
use crate::runtime::jobs::Jobs;
use crate::runtime::turn::Turn;
use crate::runtime::workers::Workers;
use crate::term::{Pid, Reference, Term};

/// The drivers of one host.
pub(crate) struct Drivers {
    me: Weak<Drivers>,
    services: Arc<Services>,
    registry: Lock<Registry<Arc<Driver>>>,
    /// Whether somebody is loading or unloading.
    list_turn: Lock<bool>,
    list_free: Signal,
    /// Where drivers are unloaded: never on a thread that may be in their code.
    settling: Arc<Turn>,
    /// Where to look for drivers that nobody loaded.
    search: Vec<PathBuf>,
    /// Loader messages; `{open_error, N}` names one by its place.
    messages: Lock<Vec<String>>,
    fds: Arc<Fds>,
    /// Their pool (`driver_async`).
    jobs: Jobs<Job>,
}

/// Where a driver is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// Among those that are loaded.
    Loaded,
    /// Among those, then among the files of the driver path, then among the samples.
    LoadedOrOnPath,
}

/// A driver with which a port is about to be opened; it stays loaded meanwhile.
pub(crate) struct Opener {
    count: PortCount,
    fds: Arc<Fds>,
}

impl Opener {
    /// What options have to fit.
    pub(crate) fn mechanism(&self) -> Mechanism {
        Mechanism::Driver {
            no_busy_msgq: self.count.driver().entry.flags.no_busy_msgq(),
        }
    }

    /// The turn of a port of this driver: its own one, or that of all ports of the driver.
    pub(crate) fn turn(&self, workers: &Arc<Workers>) -> Arc<Turn> {
        self.count.driver().turn(workers)
    }

    /// The back end of a new port, opened by `command`.
    pub(crate) fn instance(self, turn: &Arc<Turn>) -> Box<dyn Transport> {
        Box::new(Instance::new(self.count, self.fds, turn))
    }

    /// The back end of a port that the driver made itself.
    pub(super) fn created(self, turn: &Arc<Turn>, data: usize) -> Box<dyn Transport> {
        Box::new(Instance::created(self.count, self.fds, turn, data))
    }
}

/// Keeps a driver loaded while jobs of a port that is gone are under way.
pub(super) struct Pin {
    /// Nobody once the host is going; else it is there until the last pin is dropped, so that a
    /// driver is unloaded though jobs of it outlive their host.
    drivers: Option<Arc<Drivers>>,
    driver: Arc<Driver>,
}

impl Drop for Pin {
    fn drop(&mut self) {
        if let Some(drivers) = &self.drivers {
            drivers.unpin(&self.driver);
        }
    }
}

thread_local! {
    /// The drivers that this thread is loading one of.
    static LOADING: RefCell<Option<Weak<Drivers>>> = const { RefCell::new(None) };
}

/// The drivers that a function without a port is about: those of the host that is loading one
/// on this thread, else of the one whose callback is running.
pub(super) fn of_this_thread() -> Option<Arc<Drivers>> {
    if let Some(drivers) = LOADING.with_borrow(|loading| loading.as_ref()?.upgrade()) {
        return Some(drivers);
    }
    let port = ports::get(callback::innermost()?)?;
    port.transport_as::<Instance>()?.drivers()
}

/// Why a driver was not loaded, or not unloaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DriverError {
    /// The registry's rules.
    #[error("driver {name}: {}", super::ddll::sentence(.reason))]
    Refused {
        /// Which driver.
        name: String,
        /// `erl_ddll`'s word for it.
        reason: Refusal,
    },
    /// The file.
    #[error("driver {name} in {}: {}", .file.display(), .error.sentence(.file))]
    Load {
        /// Which driver.
        name: String,
        /// Its file.
        file: PathBuf,
        /// What was wrong with it.
        error: LoadError,
    },
}

impl DriverError {
    /// What is wrong, in words, of a file that the caller names.
    pub(super) fn sentence(&self) -> String {
        match self {
            DriverError::Refused { .. } => self.to_string(),
            DriverError::Load { error, file, .. } => error.sentence(file),
        }
    }
}

impl Drivers {
    /// No drivers yet; the folders `search` are looked through for those that nobody loads. So many
    /// threads are for their jobs.
    pub(crate) fn new(
        services: &Arc<Services>,
        search: Vec<PathBuf>,
        async_threads: usize,
    ) -> Arc<Drivers> {
        context::host_made(&services.variables);
        Arc::new_cyclic(|me| Drivers {
            me: Weak::clone(me),
            services: Arc::clone(services),
            registry: Lock::new(Registry::new()),
            list_turn: Lock::new(false),
            list_free: Signal::new(),
            settling: Turn::new(&services.workers),
            search,
            messages: Lock::new(Vec::new()),
            fds: Arc::default(),
            jobs: Jobs::new(async_threads, "async"),
        })
    }

    /// Their pool (`driver_async`).
    pub(crate) fn jobs(&self) -> &Jobs<Job> {
        &self.jobs
    }

    /// The driver of that name. `Ok(None)` when there is none; an error, in words, when one was
    /// found on the driver path but cannot be loaded.
    pub(crate) fn find(&self, name: &[u8], search: Search) -> Result<Option<Opener>, String> {
        let Ok(name) = std::str::from_utf8(name) else {
            return Ok(None);
        };
        let mut loaded = self.registry.lock().open_port(name);
        if loaded.is_none() && self.registry.lock().is_between(name) {
            let _turn = self.enter_list_turn();
            loaded = self.registry.lock().open_port(name);
        }
        let driver = match (loaded, search) {
            (Some(driver), _) => Some(driver),
            (None, Search::Loaded) => None,
            (None, Search::LoadedOrOnPath) => self
                .load_from_path(name)
                .map_err(|error| error.to_string())
                // Erlang's term for it is badarg, which leaves a script's author in the dark.
                .inspect_err(|error| tracing::error!("{error}"))?,
        };
        Ok(driver.map(|driver| self.opener(driver)))
    }

    /// One port more of a driver that has one already.
    pub(super) fn another(&self, driver: &Arc<Driver>) -> Option<Opener> {
        let driver = self.registry.lock().open_port(driver.name())?;
        Some(self.opener(driver))
    }

    fn opener(&self, driver: Arc<Driver>) -> Opener {
        let count = PortCount::counted(driver, self.me.upgrade());
        Opener {
            count,
            fds: Arc::clone(&self.fds),
        }
    }

    /// Loads a driver that nobody loaded, and counts one port of it.
    fn load_from_path(&self, name: &str) -> Result<Option<Arc<Driver>>, DriverError> {
        let Some(source) = self.source_of(name) else {
            return Ok(None);
        };
        let _turn = self.enter_list_turn();
        let known = self.registry.lock().contains(name);
        if !known {
            let driver = Arc::new(load_found(name, source)?);
            self.registry
                .lock()
                .insert(None, OsStr::new(""), name, LoadOptions::default(), driver);
        }
        Ok(self.registry.lock().open_port(name))
    }

    /// A port of the driver is gone.
    pub(super) fn close_port(&self, driver: &Driver) {
        let due = self.registry.lock().close_port(driver.name());
        if due {
            self.settle_soon();
        }
    }

    /// A port of the driver is gone, and the driver's code may still be running: keeps it loaded.
    pub(super) fn port_to_pin(&self, driver: &Arc<Driver>) -> Pin {
        self.registry.lock().port_to_pin(driver.name());
        Pin {
            drivers: self.me.upgrade(),
            driver: Arc::clone(driver),
        }
    }

    fn unpin(&self, driver: &Driver) {
        let due = self.registry.lock().unpin(driver.name());
        if due {
            self.settle_soon();
        }
    }

    /// Has [`settle`](Drivers::settle) called, on a worker.
    fn settle_soon(&self) {
        let me = Weak::clone(&self.me);
        self.settling.post(Box::new(move |_| {
            if let Some(drivers) = me.upgrade() {
                drivers.settle();
            }
        }));
    }

    fn settle_if(&self, due: bool) {
        if due {
            self.settle_soon();
        }
    }

    /// `try_load/3`.
    pub(crate) fn try_load(
        &self,
        pid: Pid,
        folder: &OsStr,
        name: &str,
        how: TryLoad,
    ) -> Result<Outcome, DriverError> {
        let _turn = self.enter_list_turn();
        let answer = self.registry.lock().try_load(pid, folder, name, how);
        let plan = self
            .act(name, answer)
            .map_err(|reason| refused(name, reason))?;
        let outcome = match plan {
            Plan::Done(outcome) => outcome,
            Plan::Load => {
                let driver = load_file(name, &file_of(folder, name))?;
                let driver = Arc::new(driver);
                self.registry
                    .lock()
                    .insert(Some(pid), folder, name, how.options, driver);
                Outcome::Loaded
            }
        };
        self.settle_if(self.registry.lock().is_any_due());
        self.forget_if_dead(pid);
        Ok(outcome)
    }

    /// What a process asked for in its last moment, or later, is nobody's: by now it may have been
    /// told that the process is gone.
    fn forget_if_dead(&self, pid: Pid) {
        if self.services.directory.process(pid).is_none() {
            self.process_exited(pid);
        }
    }

    /// Whether the ports of the driver are being closed by force.
    pub(super) fn is_killing(&self, driver: &Driver) -> bool {
        self.registry.lock().is_killing(driver.name())
    }

    /// `try_unload/2`.
    pub(crate) fn try_unload(
        &self,
        pid: Pid,
        name: &str,
        how: TryUnload,
    ) -> Result<Outcome, DriverError> {
        let answer = self.registry.lock().try_unload(pid, name, how);
        let outcome = self
            .act(name, answer)
            .map_err(|reason| refused(name, reason))?;
        self.settle_if(self.registry.lock().is_any_due());
        self.forget_if_dead(pid);
        Ok(outcome)
    }

    /// A process has died.
    pub(crate) fn process_exited(&self, pid: Pid) {
        let answer = self.registry.lock().process_exited(pid);
        self.tell(answer.notices);
        for name in answer.result {
            self.kill_ports(&name);
        }
        self.settle_if(self.registry.lock().is_any_due());
    }

    /// Unloads, and loads anew, the drivers whose time has come.
    fn settle(&self) {
        let _turn = self.enter_list_turn();
        let due = self.registry.lock().due();
        for due in due {
            due.driver.unload(|driver| self.shares_library(driver));
            drop(due.driver);
            let notices = self.registry.lock().unloaded(&due.name);
            self.tell(notices);
            if let Some(folder) = due.reload {
                let loaded = load_file(&due.name, &file_of(&folder, &due.name));
                let loaded = loaded.map(Arc::new).map_err(|error| self.reason(&error));
                let notices = self.registry.lock().reloaded(&due.name, loaded);
                self.tell(notices);
            }
        }
        self.settle_if(self.registry.lock().is_any_due());
    }

    /// Whether another driver is in the same library: one of `add_driver_entry`.
    pub(super) fn shares_library(&self, driver: &Driver) -> bool {
        let registry = self.registry.lock();
        registry.any(|other| other.shares_library_with(driver))
    }

    /// `driver_lock_driver`.
    pub(crate) fn make_permanent(&self, driver: &Driver) -> bool {
        let (done, notices) = self.registry.lock().make_permanent(driver.name());
        self.tell(notices);
        done
    }

    /// `add_driver_entry`: false if the name is taken.
    pub(crate) fn add_static(&self, driver: Driver) -> bool {
        let name = driver.name().to_owned();
        let mut registry = self.registry.lock();
        if registry.contains(&name) {
            return false;
        }
        registry.insert(
            None,
            OsStr::new(""),
            &name,
            LoadOptions::default(),
            Arc::new(driver),
        );
        true
    }

    /// `remove_driver_entry`, by the address of the table.
    pub(crate) fn remove_static(&self, address: usize) -> Result<bool, ()> {
        let removed = self
            .registry
            .lock()
            .remove_static(|driver| driver.entry.address == address)?;
        Ok(removed.is_some())
    }

    /// The same, by its name.
    pub(crate) fn remove_named(&self, name: &str) -> Result<bool, ()> {
        let named = |driver: &Arc<Driver>| driver.entry.name.as_bytes() == name.as_bytes();
        let removed = self.registry.lock().remove_static(named)?;
        Ok(removed.is_some())
    }

    /// `monitor/2`.
    pub(crate) fn monitor(&self, pid: Pid, name: &str, given: &Term, event: Event) -> Reference {
        let (reference, notice) = self.registry.lock().monitor(pid, name, given, event);
        self.tell(notice);
        self.forget_if_dead(pid);
        reference
    }

    /// `demonitor/1`.
    pub(crate) fn demonitor(&self, pid: Pid, reference: Reference) {
        self.registry.lock().demonitor(pid, reference);
    }

    /// `info/1`.
    pub(crate) fn info(&self, name: &str) -> Option<Vec<(&'static str, Term)>> {
        self.registry.lock().info(name)
    }

    /// The names of all loaded drivers.
    pub(crate) fn names(&self) -> Vec<String> {
        self.registry.lock().names()
    }

    /// The names of those that were loaded from files.
    pub(crate) fn dynamic_names(&self) -> Vec<String> {
        self.registry.lock().dynamic_names()
    }

    /// The reason that `erl_ddll` gives for an error.
    pub(crate) fn reason(&self, error: &DriverError) -> Term {
        match error {
            DriverError::Refused { reason, .. } => Term::atom(reason),
            DriverError::Load { error, .. } => error.reason().unwrap_or_else(|| {
                let code = self.open_error_code(&error.to_string());
                Term::tuple(vec![Term::atom("open_error"), Term::Int(code)])
            }),
        }
    }

    /// The text behind `{open_error, Code}`.
    pub(crate) fn open_error_text(&self, code: i64) -> Option<String> {
        let place = usize::try_from(-10 - code).ok()?;
        self.messages.lock().get(place).cloned()
    }

    fn open_error_code(&self, message: &str) -> i64 {
        /// More different messages than this share the last number.
        const MESSAGES_MAX: usize = 1000;
        let mut messages = self.messages.lock();
        let known = messages.iter().position(|known| known == message);
        let place = known.unwrap_or_else(|| {
            if messages.len() >= MESSAGES_MAX {
                messages.pop();
            }
            messages.push(message.to_owned());
            messages.len() - 1
        });
        -10 - i64::try_from(place).unwrap_or(0)
    }

    /// Tells and closes what an answer says, and gives its result.
    fn act<T>(&self, name: &str, answer: Answer<T>) -> T {
        self.tell(answer.notices);
        if answer.kill {
            self.kill_ports(name);
        }
        answer.result
    }

    fn kill_ports(&self, name: &str) {
        let driver = self.registry.lock().driver(name);
        if let Some(driver) = driver {
            for port in ports::of_host(&self.services) {
                later::kill(&port, &driver);
            }
        }
    }

    fn tell(&self, notices: impl IntoIterator<Item = Notice>) {
        for notice in notices {
            if let Some(process) = self.services.directory.process(notice.to) {
                process.deliver(Message::Term(notice.message));
            }
        }
    }

    /// Where a driver that nobody loaded could come from.
    fn source_of(&self, name: &str) -> Option<Source> {
        // A name is a file's name here, never a path.
        if name.is_empty() || name.contains('/') {
            return None;
        }
        let mut files = self
            .search
            .iter()
            .map(|folder| folder.join(format!("{name}.so")));
        let file = files.find(|file| file.is_file());
        file.map(Source::File)
            .or_else(|| samples::find(name).map(Source::Bytes))
    }

    pub(super) fn enter_list_turn(&self) -> ListTurn<'_> {
        let mut taken = self.list_turn.lock();
        while *taken {
            self.list_free.wait(&mut taken, None);
        }
        *taken = true;
        LOADING.set(Some(Weak::clone(&self.me)));
        ListTurn {
            drivers: self,
            _mark: context::mark(Arc::clone(&self.services.variables)),
        }
    }
}

/// The host goes: what no port and no job needs is unloaded; the rest stays, code and all.
impl Drop for Drivers {
    fn drop(&mut self) {
        let _mark = context::mark(Arc::clone(&self.services.variables));
        let mut unused = self.registry.lock().take_unused();
        // Those that are parts of another one's library go before it.
        unused.sort_by_key(|driver| driver.has_library());
        for driver in unused {
            driver.unload(|driver| self.shares_library(driver));
        }
    }
}

enum Source {
    File(PathBuf),
    Bytes(&'static [u8]),
}

/// One thread loads or unloads at a time.
pub(super) struct ListTurn<'a> {
    drivers: &'a Drivers,
    _mark: context::Mark,
}

impl Drop for ListTurn<'_> {
    fn drop(&mut self) {
        LOADING.set(None);
        *self.drivers.list_turn.lock() = false;
        self.drivers.list_free.notify_one();
    }
}

fn load_found(name: &str, source: Source) -> Result<Driver, DriverError> {
    match source {
        Source::File(file) => load_file(name, &file),
        Source::Bytes(bytes) => Driver::from_bytes(bytes, name)
            .map_err(|error| failed(name, PathBuf::from(format!("(built in) {name}.so")), error)),
    }
}

fn load_file(name: &str, file: &Path) -> Result<Driver, DriverError> {
    Driver::from_file(file, name).map_err(|error| failed(name, file.to_owned(), error))
}

fn failed(name: &str, file: PathBuf, error: LoadError) -> DriverError {
    DriverError::Load {
        name: name.to_owned(),
        file,
        error,
    }
}

fn refused(name: &str, reason: Refusal) -> DriverError {
    DriverError::Refused {
        name: name.to_owned(),
        reason,
    }
}

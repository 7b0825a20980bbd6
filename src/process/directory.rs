//! The only route for a signal: from an identity or a name to its receiver.
//!
//! Identities are process-wide numbers, names belong to one host. Signals that a dying
//! process sets off are told one after the other, not one inside the other, however long
//! the chain of links is.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, OnceLock};

use crate::lock::Lock;
use crate::process::party::ProcessCell;
use crate::process::signal::{Party, Signal};
use crate::table::Table;
use crate::term::{Atom, Pid, PortId};

/// Every process of every host.
static PROCESSES: Table<ProcessCell> = Table::new();

/// The way to ports, which are made in a room above this one.
pub(crate) trait PortRoute: Send + Sync {
    /// Tells `signal` to a port of this host. False when there is no such port.
    fn tell(&self, port: PortId, signal: Signal) -> bool;
    /// Notes the name of a port, or that it has none. False when the port is gone or, for a
    /// new name, has one already.
    fn name(&self, port: PortId, name: Option<Atom>) -> bool;
}

/// Called with the identity of each process that ended.
pub(crate) type ExitHook = Box<dyn Fn(Pid) + Send + Sync>;

/// See the module's text.
pub(crate) struct Directory {
    names: Lock<HashMap<Atom, Party>>,
    ports: OnceLock<Box<dyn PortRoute>>,
    on_exit: OnceLock<ExitHook>,
}

/// Signals set off by one that is being told on this thread.
type Pending = VecDeque<(Arc<Directory>, Party, Signal)>;

thread_local! {
    static PENDING: RefCell<Option<Pending>> = const { RefCell::new(None) };
}

impl Directory {
    /// A directory without names and without a way to ports.
    pub(crate) fn new() -> Arc<Directory> {
        Arc::new(Directory {
            names: Lock::new(HashMap::new()),
            ports: OnceLock::new(),
            on_exit: OnceLock::new(),
        })
    }

    /// Sets, once, the way to ports.
    pub(crate) fn set_ports(&self, ports: Box<dyn PortRoute>) {
        let _ = self.ports.set(ports);
    }

    /// Sets, once, what is called when a process has ended.
    pub(crate) fn set_exit_hook(&self, hook: ExitHook) {
        let _ = self.on_exit.set(hook);
    }

    /// Adds a process, made from its number. `None` when the process table is full.
    pub(crate) fn add_process(
        &self,
        make: impl FnOnce(Pid) -> Arc<ProcessCell>,
    ) -> Option<Arc<ProcessCell>> {
        PROCESSES.insert(|number| Some(make(Pid::from_number(number))))
    }

    /// The live process of this host that `pid` names.
    pub(crate) fn process(self: &Arc<Self>, pid: Pid) -> Option<Arc<ProcessCell>> {
        PROCESSES
            .get(pid.number())
            .filter(|process| process.belongs_to(self))
    }

    /// Every live process of this host.
    pub(crate) fn processes(self: &Arc<Self>) -> Vec<Arc<ProcessCell>> {
        let mut all = PROCESSES.all();
        all.retain(|process| process.belongs_to(self));
        all
    }

    /// Takes a process that ended off the books.
    pub(crate) fn remove_process(&self, pid: Pid, name: Option<Atom>) {
        PROCESSES.remove(pid.number());
        if let Some(name) = name {
            self.names.lock().remove(&name);
        }
        if let Some(hook) = self.on_exit.get() {
            hook(pid);
        }
    }

    /// Tells `signal` to `to`. False when there is nobody of that identity.
    pub(crate) fn tell(self: &Arc<Self>, to: Party, signal: Signal) -> bool {
        match to {
            Party::Process(pid) => match self.process(pid) {
                Some(process) => process.take_signal(signal),
                None => false,
            },
            Party::Port(port) => self
                .ports
                .get()
                .is_some_and(|ports| ports.tell(port, signal)),
        }
    }

    /// Tells each signal, after those that are being told on this thread already.
    pub(crate) fn tell_all(self: &Arc<Self>, signals: impl IntoIterator<Item = (Party, Signal)>) {
        let nested = PENDING.with_borrow_mut(|pending| {
            let nested = pending.is_some();
            let queue = pending.get_or_insert_default();
            for (to, signal) in signals {
                queue.push_back((Arc::clone(self), to, signal));
            }
            nested
        });
        if nested {
            return;
        }
        while let Some((directory, to, signal)) =
            PENDING.with_borrow_mut(|pending| pending.as_mut().and_then(VecDeque::pop_front))
        {
            directory.tell(to, signal);
        }
        PENDING.set(None);
    }

    /// Whom `name` names.
    pub(crate) fn whereis(&self, name: Atom) -> Option<Party> {
        self.names.lock().get(&name).copied()
    }

    /// Every registered name.
    pub(crate) fn registered(&self) -> Vec<Atom> {
        self.names.lock().keys().copied().collect()
    }

    /// Gives `party` a name. False when the name is taken, or the party has one or is gone.
    pub(crate) fn register(self: &Arc<Self>, name: Atom, party: Party) -> bool {
        {
            let mut names = self.names.lock();
            if names.contains_key(&name) {
                return false;
            }
            names.insert(name, party);
        }
        let noted = match party {
            Party::Process(pid) => self.process(pid).is_some_and(|p| p.set_name(Some(name))),
            Party::Port(port) => self.ports.get().is_some_and(|p| p.name(port, Some(name))),
        };
        if !noted {
            self.names.lock().remove(&name);
        }
        noted
    }

    /// Takes a name away. False when nobody has it.
    pub(crate) fn unregister(self: &Arc<Self>, name: Atom) -> bool {
        let Some(party) = self.names.lock().remove(&name) else {
            return false;
        };
        // Whoever has just ended has lost the name anyway.
        let _ = match party {
            Party::Process(pid) => self.process(pid).map(|p| p.set_name(None)),
            Party::Port(port) => self.ports.get().map(|p| p.name(port, None)),
        };
        true
    }

    /// Takes away the name of a port that is closing.
    pub(crate) fn forget_name(&self, name: Atom) {
        self.names.lock().remove(&name);
    }
}

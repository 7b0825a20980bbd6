//! The only route for a signal: from an identity or a name to its receiver.
//!
//! Identities are process-wide numbers, names belong to one host. Signals that a dying
//! process sets off are told one after the other, not one inside the other, however long
//! the chain of links is; and all of them before foreign code runs that one of them leads to.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use crate::lock::Lock;
use crate::process::mailbox::Pushed;
use crate::process::party::ProcessCell;
use crate::process::signal::{Message, Party, Signal};
use crate::table::Table;
use crate::term::{Atom, Pid, PortId};

/// Every process of every host.
static PROCESSES: Table<ProcessCell> = Table::new();

/// The way to ports, which are made in a room above this one.
pub(crate) trait PortRoute: Send + Sync {
    /// Tells `signal` to a port of this host. False when there is no such port.
    fn tell(&self, port: PortId, signal: Signal) -> bool;
    /// The port of this host that can have a name, if there is such a port.
    fn bearer(&self, port: PortId) -> Option<Arc<dyn Bearer>>;
}

/// Somebody who can have a name.
pub(crate) trait Bearer {
    /// Notes a name, or that there is none. False when the bearer has ended or, for a new name,
    /// has one already. Called with the names locked: neither waits nor calls anybody.
    fn set_name(&self, name: Option<Atom>) -> bool;
}

/// Called with the identity of each process that ended.
pub(crate) type ExitHook = Box<dyn Fn(Pid) + Send + Sync>;

/// See the module's text.
pub(crate) struct Directory {
    names: Lock<HashMap<Atom, Party>>,
    ports: OnceLock<Box<dyn PortRoute>>,
    on_exit: OnceLock<ExitHook>,
}

/// A host as a name: as long as it lives, no other has the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct HostId(*const Directory);

impl HostId {
    /// The host whose directory this is.
    #[inline]
    pub(crate) fn of(directory: &Arc<Directory>) -> HostId {
        HostId(Arc::as_ptr(directory))
    }
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
            .filter(|process| Arc::ptr_eq(process.directory(), self))
    }

    /// Delivers what `fill` makes of an empty message to the process of `host` that `pid` names, without
    /// becoming a holder of the process. False when there is none. What `fill` has captured is dropped
    /// under a lock.
    #[inline]
    pub(crate) fn deliver(host: HostId, pid: Pid, fill: impl FnOnce(&mut Message)) -> bool {
        let put = PROCESSES.with(pid.number(), |process| {
            if HostId::of(process.directory()) != host {
                return None;
            }
            let (pushed, wake) = process.mailbox().put(fill);
            let done = pushed == Pushed::Kept && wake.is_nobody();
            Some((!done).then(|| (Arc::clone(process), pushed, wake)))
        });
        match put.flatten() {
            None => false,
            Some(None) => true,
            Some(Some((process, pushed, wake))) => process.after_put(pushed, wake),
        }
    }

    /// Whether `pid` names a live process of `host`.
    pub(crate) fn has(host: HostId, pid: Pid) -> bool {
        let is_there = |process: &Arc<ProcessCell>| HostId::of(process.directory()) == host;
        PROCESSES.with(pid.number(), is_there) == Some(true)
    }

    /// Every live process of this host.
    pub(crate) fn processes(self: &Arc<Self>) -> Vec<Arc<ProcessCell>> {
        let mut all = PROCESSES.all();
        all.retain(|process| Arc::ptr_eq(process.directory(), self));
        all
    }

    /// Takes a process that ended off the books.
    pub(crate) fn remove_process(&self, pid: Pid, name: Option<Atom>) {
        PROCESSES.remove(pid.number());
        if let Some(name) = name {
            self.forget_name(name, Party::Process(pid));
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
        let mut signals = signals.into_iter();
        let mut first = signals.next();
        if first.is_none() {
            return;
        }
        let nested = PENDING.try_with(|pending| {
            let mut pending = pending.borrow_mut();
            let nested = pending.is_some();
            let queue = pending.get_or_insert_default();
            // Most often there is only one, which needs no place in the queue where that is empty.
            let waiting = first.take_if(|_| nested).into_iter().chain(&mut signals);
            queue.extend(waiting.map(|(to, signal)| (Arc::clone(self), to, signal)));
            nested
        });
        // Not there, and none at all: the thread is ending and has lost its queue, so nothing is
        // nested in it.
        for (to, signal) in first.into_iter().chain(signals) {
            self.tell_safely(to, signal);
        }
        if nested == Ok(false) {
            tell_queued();
            PENDING.set(None);
        }
    }

    /// A receiver that panics must not keep the news from the others, of this and of all later
    /// times.
    fn tell_safely(self: &Arc<Self>, to: Party, signal: Signal) {
        if catch_unwind(AssertUnwindSafe(|| self.tell(to, signal))).is_err() {
            tracing::error!(
                ?to,
                "the receiver of a signal panicked; the others are told"
            );
        }
    }

    /// [`Self::tell_all`] for a port that is about to run its back end's code, which may take
    /// long and say things of its own: all that is queued on this thread is told before. On a
    /// port's turn signals to ports are only left there, so nothing nests deeper.
    pub(crate) fn tell_now(self: &Arc<Self>, signals: impl IntoIterator<Item = (Party, Signal)>) {
        self.tell_all(signals);
        tell_queued();
    }

    /// Whom `name` names.
    pub(crate) fn whereis(&self, name: Atom) -> Option<Party> {
        self.names.lock().get(&name).copied()
    }

    /// Every registered name.
    pub(crate) fn registered(&self) -> Vec<Atom> {
        self.names.lock().keys().copied().collect()
    }

    fn bearer(self: &Arc<Self>, party: Party) -> Option<Arc<dyn Bearer>> {
        match party {
            Party::Process(pid) => Some(self.process(pid)?),
            Party::Port(port) => self.ports.get()?.bearer(port),
        }
    }

    /// Gives `party` a name. False when the name is taken, or the party has one or is gone. One
    /// that has ended never holds a name, not even for a moment, because both are noted at once.
    pub(crate) fn register(self: &Arc<Self>, name: Atom, party: Party) -> bool {
        // Let go of after the lock: it may be the last to hold the party.
        let Some(bearer) = self.bearer(party) else {
            return false;
        };
        let mut names = self.names.lock();
        let free = !names.contains_key(&name) && bearer.set_name(Some(name));
        if free {
            names.insert(name, party);
        }
        free
    }

    /// Takes a name away. False when nobody has it.
    pub(crate) fn unregister(self: &Arc<Self>, name: Atom) -> bool {
        while let Some(party) = self.whereis(name) {
            let bearer = self.bearer(party);
            let mut names = self.names.lock();
            if names.get(&name) == Some(&party) {
                names.remove(&name);
                if let Some(bearer) = &bearer {
                    bearer.set_name(None);
                }
                return true;
            }
        }
        false
    }

    /// Takes away the name of a party that ends, unless it is another's by now.
    pub(crate) fn forget_name(&self, name: Atom, party: Party) {
        let mut names = self.names.lock();
        if names.get(&name) == Some(&party) {
            names.remove(&name);
        }
    }
}

/// Tells what is queued on this thread until nothing is.
fn tell_queued() {
    let next = || {
        let pending = PENDING.try_with(|pending| pending.borrow_mut().as_mut()?.pop_front());
        pending.ok().flatten()
    };
    while let Some((directory, to, signal)) = next() {
        directory.tell_safely(to, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::mailbox::Pump;
    use crate::process::signal::ExitCause;
    use crate::term::Term;
    use std::time::Instant;

    struct NoPump;

    impl Pump for NoPump {
        fn pump(&self, _: &dyn Fn() -> bool, _: Option<Instant>) -> bool {
            false
        }
        fn kick(&self) {}
    }

    /// A route that leads to no port, and panics at the first.
    struct Trap;

    impl PortRoute for Trap {
        fn tell(&self, port: PortId, _: Signal) -> bool {
            assert_ne!(port.number(), 1, "on purpose");
            false
        }
        fn bearer(&self, _: PortId) -> Option<Arc<dyn Bearer>> {
            Some(Arc::new(Anything))
        }
    }

    struct Anything;

    impl Bearer for Anything {
        fn set_name(&self, _: Option<Atom>) -> bool {
            true
        }
    }

    fn directory() -> Arc<Directory> {
        let directory = Directory::new();
        directory.set_ports(Box::new(Trap));
        directory
    }

    fn exit(from: Party) -> Signal {
        Signal::Exit {
            from,
            reason: Term::atom("boom"),
            cause: ExitCause::Request,
        }
    }

    #[test]
    fn a_receiver_that_panics_keeps_the_news_from_nobody() {
        let directory = directory();
        let port = Party::Port(PortId::from_number(1));
        for _ in 0..2 {
            let process = ProcessCell::start(&directory, Arc::new(NoPump), 10).unwrap();
            let pid = Party::Process(process.pid());
            directory.tell_all([(port, exit(pid)), (pid, exit(port))]);
            assert_eq!(process.fate(), Some(&Term::atom("boom")));
        }
    }

    #[test]
    fn a_process_may_be_the_last_that_a_thread_lets_go_of() {
        struct Ends(Arc<ProcessCell>);
        impl Drop for Ends {
            fn drop(&mut self) {
                self.0.end(Term::atom("boom"));
            }
        }
        thread_local! {
            static LAST: RefCell<Option<Ends>> = const { RefCell::new(None) };
        }
        let directory = directory();
        let start = || ProcessCell::start(&directory, Arc::new(NoPump), 10).unwrap();
        let (one, other) = (start(), start());
        other.accept_link(Party::Process(one.pid()));
        one.accept_link(Party::Process(other.pid()));
        std::thread::scope(|scope| {
            let ends = Ends(Arc::clone(&one));
            scope.spawn(move || {
                LAST.set(Some(ends));
                // Its destructor runs before that of what was used first.
                PENDING.set(None);
            });
        });
        let deadline = Instant::now() + std::time::Duration::from_secs(10);
        while other.fate().is_none() {
            assert!(Instant::now() < deadline, "the link was never told");
            std::thread::yield_now();
        }
    }

    #[test]
    fn an_ending_party_takes_only_its_own_name_away() {
        let directory = directory();
        let (one, other) = (PortId::from_number(7), PortId::from_number(8));
        let name = Atom::new("its_name");
        assert!(directory.register(name, Party::Port(one)));
        assert!(directory.unregister(name));
        assert!(directory.register(name, Party::Port(other)));
        directory.forget_name(name, Party::Port(one));
        assert_eq!(directory.whereis(name), Some(Party::Port(other)));
        directory.forget_name(name, Party::Port(other));
        assert_eq!(directory.whereis(name), None);
    }
}

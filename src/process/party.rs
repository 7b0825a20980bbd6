//! One process: an identity, a mailbox, and its relations to others.
//!
//! A process has no thread of its own: whoever holds its handle acts for it. Its end can
//! come from any thread; the books are settled at once, by the thread that brings it, and
//! the threads acting for it find out at their next call or when they wake.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

use crate::lock::{Guard, Lock};
use crate::process::directory::{Bearer, Directory};
use crate::process::exit::{self, Effect};
use crate::process::mailbox::{Batch, Mailbox, Patience, Pump, Pushed, Wake};
use crate::process::pause::Pause;
use crate::process::relations::Relations;
use crate::process::signal::{ExitCause, Message, Party, Signal, Watch};
use crate::term::{Atom, Pid, Reference, Term, atom};

thread_local! {
    /// The process that this thread is receiving for.
    static RECEIVING: Cell<Option<Pid>> = const { Cell::new(None) };
}

/// The process that this thread waits, or looks, for a message of.
pub(crate) fn receiving_here() -> Option<Pid> {
    RECEIVING.get()
}

/// Puts back for whom this thread was receiving before.
struct Receiving(Option<Pid>);

impl Drop for Receiving {
    fn drop(&mut self) {
        RECEIVING.set(self.0);
    }
}

/// See the module's text.
pub(crate) struct ProcessCell {
    pid: Pid,
    directory: Arc<Directory>,
    mailbox: Mailbox,
    traps_exits: AtomicBool,
    status: AtomicU8,
    books: Lock<Books>,
    /// Held while the two sides of a link to a port are brought to agree.
    link_order: Mutex<()>,
    fate: OnceLock<Term>,
}

struct Books {
    relations: Relations,
    name: Option<Atom>,
    /// What suspended threads and tasks of this process wait at.
    suspended_at: Vec<Arc<Pause>>,
    ended: bool,
}

/// What the threads of a process are seen doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    Running = 0,
    Waiting = 1,
    Suspended = 2,
}

/// A pause that ends with the process, see [`ProcessCell::pausing`].
pub(crate) struct Pausing<'p> {
    process: &'p ProcessCell,
    pause: &'p Arc<Pause>,
}

impl Drop for Pausing<'_> {
    fn drop(&mut self) {
        let pauses = &mut self.process.books.lock().suspended_at;
        if let Some(at) = pauses
            .iter()
            .position(|known| Arc::ptr_eq(known, self.pause))
        {
            // Not the last holder: `self.pause` is one.
            pauses.swap_remove(at);
        }
    }
}

impl ProcessCell {
    /// Adds a process to `directory`. `None` when the process table is full.
    pub(crate) fn start(
        directory: &Arc<Directory>,
        pump: Arc<dyn Pump>,
        messages_max: usize,
    ) -> Option<Arc<ProcessCell>> {
        directory.add_process(|pid| {
            Arc::new(ProcessCell {
                pid,
                directory: Arc::clone(directory),
                mailbox: Mailbox::new(pump, messages_max),
                traps_exits: AtomicBool::new(false),
                status: AtomicU8::new(Status::Running as u8),
                books: Lock::new(Books {
                    relations: Relations::default(),
                    name: None,
                    suspended_at: Vec::new(),
                    ended: false,
                }),
                link_order: Mutex::new(()),
                fate: OnceLock::new(),
            })
        })
    }

    /// The identity.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// The directory it is in.
    pub(crate) fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Its messages.
    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// Why it ended, once it has.
    pub(crate) fn fate(&self) -> Option<&Term> {
        self.fate.get()
    }

    /// Sets whether exit signals become messages; the former setting is returned.
    pub(crate) fn set_trap_exit(&self, traps: bool) -> bool {
        self.traps_exits.swap(traps, Ordering::AcqRel)
    }

    /// Whether exit signals become messages.
    pub(crate) fn traps_exits(&self) -> bool {
        self.traps_exits.load(Ordering::Acquire)
    }

    /// What it is doing.
    pub(crate) fn status(&self) -> Status {
        match self.status.load(Ordering::Relaxed) {
            1 => Status::Waiting,
            2 => Status::Suspended,
            _ => Status::Running,
        }
    }

    /// Its registered name.
    pub(crate) fn name(&self) -> Option<Atom> {
        self.books.lock().name
    }

    /// Reads its links and monitors.
    pub(crate) fn relations<R>(&self, read: impl FnOnce(&Relations) -> R) -> R {
        read(&self.books.lock().relations)
    }

    /// Receives, see [`Mailbox::receive`].
    pub(crate) fn receive<R>(
        &self,
        select: impl FnMut(&mut Message) -> Option<R>,
        patience: Patience,
    ) -> Result<Option<R>, Term> {
        let _running = self.while_seen(Status::Waiting);
        let _receiving = Receiving(RECEIVING.replace(Some(self.pid)));
        let received = self.mailbox.receive(select, patience);
        received.map_err(|_| self.fate_or_killed())
    }

    /// What is there at once, see [`Mailbox::take_first`].
    #[inline(always)]
    pub(crate) fn take_first<R>(&self, take: impl FnOnce(&mut Message) -> Option<R>) -> Option<R> {
        self.mailbox.take_first(take)
    }

    fn while_seen(&self, status: Status) -> impl Drop {
        struct Running<'s>(&'s AtomicU8);
        impl Drop for Running<'_> {
            fn drop(&mut self) {
                self.0.store(Status::Running as u8, Ordering::Relaxed);
            }
        }
        self.status.store(status as u8, Ordering::Relaxed);
        Running(&self.status)
    }

    /// Why it ended; for callers who know that it did.
    pub(crate) fn fate_or_killed(&self) -> Term {
        self.fate().cloned().unwrap_or(Term::Atom(atom::KILLED))
    }

    /// Sleeps at `pause`; the end of the process ends the pause too. False when it ended.
    pub(crate) fn suspend(&self, pause: &Arc<Pause>) -> bool {
        let Some(pausing) = self.pausing(pause) else {
            return false;
        };
        let running = self.while_seen(Status::Suspended);
        pause.sleep_pumping(self.mailbox.pump());
        drop((running, pausing));
        self.fate().is_none()
    }

    /// While this lives, the end of the process ends `pause`. `None` when it has ended.
    pub(crate) fn pausing<'p>(&'p self, pause: &'p Arc<Pause>) -> Option<Pausing<'p>> {
        let mut books = self.books.lock();
        if books.ended {
            return None;
        }
        books.suspended_at.push(Arc::clone(pause));
        Some(Pausing {
            process: self,
            pause,
        })
    }

    /// How many threads and tasks it has that are suspended.
    #[cfg(test)]
    pub(crate) fn pauses(&self) -> usize {
        self.books.lock().suspended_at.len()
    }

    /// Delivers a message. False when the process is gone.
    #[inline(always)] // see `Mailbox::push`
    pub(crate) fn deliver(self: &Arc<Self>, message: Message) -> bool {
        self.deliver_with(move |place| *place = message)
    }

    /// The same of a message that is put together where it has a place, see [`Mailbox::push_with`].
    #[inline(always)] // see there
    pub(crate) fn deliver_with(self: &Arc<Self>, fill: impl FnOnce(&mut Message)) -> bool {
        match self.mailbox.push_with(fill) {
            Pushed::Kept => true,
            other => self.after_push(other),
        }
    }

    /// Delivers messages in their order; none are left. False when the process is gone.
    pub(crate) fn deliver_all(self: &Arc<Self>, messages: &mut Batch) -> bool {
        match self.mailbox.push_all(messages) {
            Pushed::Kept => true,
            other => self.after_push(other),
        }
    }

    /// What is left to be done of [`Mailbox::put`] when no lock is held. False when the process is gone.
    #[cold]
    pub(super) fn after_put(self: &Arc<Self>, pushed: Pushed, wake: Wake) -> bool {
        self.mailbox.wake(wake);
        self.after_push(pushed)
    }

    #[cold]
    fn after_push(self: &Arc<Self>, pushed: Pushed) -> bool {
        match pushed {
            Pushed::Kept => true,
            Pushed::Closed => false,
            Pushed::Full => {
                tracing::error!(
                    pid = %self.pid,
                    "the mailbox has reached its limit; its process is ended"
                );
                self.end(Term::tuple([
                    Term::atom("system_limit"),
                    Term::atom("message_queue"),
                ]));
                false
            }
        }
    }

    /// Delivers `message` if `unbook` finds in the books that it is still wanted; whoever
    /// takes that note out first has either the message before, or none after. `None` when
    /// it is not wanted.
    fn deliver_booked(
        self: &Arc<Self>,
        message: Message,
        unbook: impl FnOnce(&mut Relations) -> bool,
    ) -> Option<bool> {
        let mut message = Some(message);
        let mut books = self.books.lock();
        if !unbook(&mut books.relations) {
            return None;
        }
        let (pushed, wake) = self.mailbox.put(|place| {
            // One that has no place is dropped without a lock.
            if let Some(message) = message.take() {
                *place = message;
            }
        });
        drop(books);
        Some(self.after_put(pushed, wake))
    }

    /// Takes a signal in. False when the process is gone.
    pub(crate) fn take_signal(self: &Arc<Self>, signal: Signal) -> bool {
        match signal {
            Signal::Message(message) => self.deliver(message),
            Signal::Exit {
                from,
                reason,
                cause,
            } => self.take_exit(from, reason, cause),
            Signal::Unlink(from) => {
                self.books.lock().relations.unlink(from);
                true
            }
            Signal::Monitor(watch) => self.accept_monitor(watch),
            Signal::Demonitor(reference) => {
                self.books.lock().relations.remove_watch(reference);
                true
            }
            Signal::Down {
                reference,
                kind,
                object,
                reason,
            } => {
                let message = Message::down(reference, kind, object, reason);
                let told = self.deliver_booked(message, |books| books.unwatch(reference).is_some());
                told.unwrap_or(false)
            }
        }
    }

    fn take_exit(self: &Arc<Self>, from: Party, reason: Term, cause: ExitCause) -> bool {
        let itself = from == Party::Process(self.pid);
        let effect = exit::effect(cause, &reason, self.traps_exits(), itself);
        let linked = |books: &mut Relations| cause != ExitCause::Link || books.unlink(from);
        match effect {
            Effect::Message => {
                let told = self.deliver_booked(Message::exit(from, reason), linked);
                told.unwrap_or(true)
            }
            effect => {
                if linked(&mut self.books.lock().relations)
                    && let Effect::Death(reason) = effect
                {
                    self.end(reason);
                }
                true
            }
        }
    }

    /// Adds a link that the other side asks for. False when this process has ended.
    pub(crate) fn accept_link(&self, other: Party) -> bool {
        let mut books = self.books.lock();
        if books.ended {
            return false;
        }
        books.relations.link(other);
        true
    }

    /// Removes this side of a link. False when there was none.
    pub(crate) fn drop_link(&self, other: Party) -> bool {
        self.books.lock().relations.unlink(other)
    }

    /// While this lives, no other thread that acts for this process makes or takes back a link to
    /// a port, whose side of it may have to be waited for. Not to be held while foreign code runs.
    pub(crate) fn link_in_order(&self) -> MutexGuard<'_, ()> {
        self.link_order.lock()
    }

    /// Links two processes, both sides at once. False when one of them has ended.
    pub(crate) fn link_with(&self, other: &ProcessCell) -> bool {
        let (mut mine, mut theirs) = self.both_books(other);
        if mine.ended || theirs.ended {
            return false;
        }
        mine.relations.link(Party::Process(other.pid));
        theirs.relations.link(Party::Process(self.pid));
        true
    }

    /// Takes a link of two processes back, both sides at once.
    pub(crate) fn unlink_with(&self, other: &ProcessCell) {
        let (mut mine, mut theirs) = self.both_books(other);
        mine.relations.unlink(Party::Process(other.pid));
        theirs.relations.unlink(Party::Process(self.pid));
    }

    /// The books of two processes, locked in the same order whoever asks.
    fn both_books<'b>(&'b self, other: &'b ProcessCell) -> (Guard<'b, Books>, Guard<'b, Books>) {
        if self.pid < other.pid {
            (self.books.lock(), other.books.lock())
        } else {
            let theirs = other.books.lock();
            (self.books.lock(), theirs)
        }
    }

    fn accept_monitor(&self, watch: Watch) -> bool {
        let mut books = self.books.lock();
        if books.ended {
            return false;
        }
        books.relations.add_watch(watch);
        true
    }

    /// Notes that this process monitors `target`. False when this process has ended.
    pub(crate) fn note_monitor(
        &self,
        reference: Reference,
        target: Option<Party>,
        object: Term,
    ) -> bool {
        let mut books = self.books.lock();
        if !books.ended {
            books.relations.watch(reference, target, object);
        }
        !books.ended
    }

    /// Ends a monitor of this process. `None` when it is not one (any longer).
    pub(crate) fn drop_monitor(&self, reference: Reference) -> Option<Option<Party>> {
        let watching = self.books.lock().relations.unwatch(reference)?;
        Some(watching.target)
    }

    /// Ends the process: links and monitors are told, names and messages go. Only the first
    /// call has an effect.
    pub(crate) fn end(self: &Arc<Self>, reason: Term) {
        let (relations, name, pauses) = {
            let mut books = self.books.lock();
            if std::mem::replace(&mut books.ended, true) {
                return;
            }
            let _ = self.fate.set(reason.clone());
            (
                books.relations.take(),
                books.name.take(),
                std::mem::take(&mut books.suspended_at),
            )
        };
        self.mailbox.close();
        for pause in pauses {
            pause.end();
        }
        self.directory.remove_process(self.pid, name);
        self.directory.tell_all(farewells(
            Party::Process(self.pid),
            atom::PROCESS,
            &relations,
            &reason,
        ));
    }
}

impl Bearer for ProcessCell {
    fn set_name(&self, name: Option<Atom>) -> bool {
        let mut books = self.books.lock();
        if books.ended || (name.is_some() && books.name.is_some()) {
            return false;
        }
        books.name = name;
        true
    }
}

/// The signals by which the end of `who` becomes known: exits to links, then `'DOWN'`s, then
/// the withdrawal of its own monitors.
pub(crate) fn farewells(who: Party, kind: Atom, relations: &Relations, reason: &Term) -> Farewells {
    let mut signals = Farewells::new();
    relations.links().for_each(|link| {
        let exit = Signal::Exit {
            from: who,
            reason: reason.clone(),
            cause: ExitCause::Link,
        };
        signals.push((link, exit));
    });
    for watch in relations.watches() {
        let down = Signal::Down {
            reference: watch.reference,
            kind,
            object: watch.object.clone(),
            reason: reason.clone(),
        };
        signals.push((watch.watcher, down));
    }
    for (reference, watching) in relations.watching() {
        if let Some(target) = watching.target {
            signals.push((target, Signal::Demonitor(reference)));
        }
    }
    signals
}

/// Most who end have one link and no more.
type Farewells = SmallVec<[(Party, Signal); 1]>;

//! Messages waiting for one process.
//!
//! Anybody may push; one thread at a time receives, choosing messages in the order they
//! came. What a receiver looked at and left is kept on its own side, so that pushing is one
//! short lock and looking again is none. No lock is held while the choice is made.
//!
//! A receiver that must wait may poll the kernel itself meanwhile ([`Pump`]), so that the
//! event it waits for need not wake a second thread. Who waits elsewhere, in an event loop of its
//! own, has a [`Bell`] rung.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use crate::biased::{Biased, BiasedGuard};
use crate::lock::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::lock::{LongGuard, LongLock, Lookout};
use crate::process::parker::Parker;
use crate::process::signal::Message;

/// What a thread can usefully do while its mailbox is empty.
pub(crate) trait Pump: Send + Sync {
    /// Handles the kernel's events on this thread until `done` or `deadline`. False, at
    /// once, when another thread already does this.
    fn pump(&self, done: &dyn Fn() -> bool, deadline: Option<Instant>) -> bool;
    /// Has the thread inside `pump` look at its `done` again.
    fn kick(&self);
}

/// Something outside that shows whether messages wait.
pub(crate) trait Bell: Send + Sync {
    /// Shows, from now on, that there is something to receive.
    fn ring(&self);
    /// Shows that there is nothing.
    fn silence(&self);
}

/// See the module's text.
pub(crate) struct Mailbox {
    inbox: Line<Biased<Inbox>>,
    parker: Parker,
    side: Line<Side>,
    /// Whether messages are in the inbox, for who looks without the lock.
    filled: AtomicBool,
    /// For a receiver's looks before it goes to sleep.
    lookout: Lookout,
    pump: Arc<dyn Pump>,
    messages_max: usize,
    bell: OnceLock<Arc<dyn Bell>>,
}

/// Messages that go into a mailbox together: one lock for all of them, and one wake-up.
pub(crate) type Batch = SmallVec<[Message; 32]>;

/// On cache lines of its own: senders and the receiver, on two processors, do not take from each other
/// what only one of them uses at the time.
#[repr(align(64))]
struct Line<T>(T);

/// The receiver's side.
struct Side {
    /// Messages that a receiver has looked at and left, oldest first.
    kept: LongLock<VecDeque<Message>>,
    /// How many those are, for everybody else; a receiver may hold them for long.
    kept_number: AtomicUsize,
}

struct Inbox {
    messages: VecDeque<Message>,
    /// No more than this are kept on the receiver's side: what it was told last time it was asked.
    kept_max: usize,
    waiting: Waiting,
    closed: bool,
}

/// How the receiver of an empty mailbox wants to hear of a message.
enum Waiting {
    Nobody,
    Asleep,
    Pumping,
    Task(Waker),
    /// Elsewhere: the mailbox's bell is silent.
    Bell,
}

/// How long a receiver waits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// Until a message comes.
    Forever,
    /// Until this time.
    Until(Instant),
    /// So long from the moment when there turns out to be none; the clock is not asked
    /// before.
    For(Duration),
}

impl Patience {
    /// When it is over; `None` for never.
    fn deadline(self) -> Option<Instant> {
        match self {
            Patience::Forever => None,
            Patience::Until(at) => Some(at),
            Patience::For(span) => Instant::now().checked_add(span),
        }
    }
}

impl From<Option<Instant>> for Patience {
    fn from(deadline: Option<Instant>) -> Patience {
        deadline.map_or(Patience::Forever, Patience::Until)
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is in the mailbox.
    Kept,
    /// The process is gone; the message too.
    Closed,
    /// The mailbox has all the messages it may have.
    Full,
}

/// Whom to wake because of a change; to be done when no lock is held.
#[must_use]
pub(crate) struct Wake(Waiting);

impl Wake {
    /// Whether nobody is to be woken.
    #[inline]
    pub(crate) fn is_nobody(&self) -> bool {
        matches!(self.0, Waiting::Nobody)
    }
}

/// The process ended while, or before, it waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

impl Mailbox {
    /// An empty mailbox for at most `messages_max` messages.
    pub(crate) fn new(pump: Arc<dyn Pump>, messages_max: usize) -> Mailbox {
        Mailbox {
            inbox: Line(Biased::new(Inbox {
                messages: VecDeque::new(),
                kept_max: 0,
                waiting: Waiting::Nobody,
                closed: false,
            })),
            parker: Parker::default(),
            side: Line(Side {
                kept: LongLock::new(VecDeque::new()),
                kept_number: AtomicUsize::new(0),
            }),
            filled: AtomicBool::new(false),
            lookout: Lookout::new(),
            pump,
            messages_max,
            bell: OnceLock::new(),
        }
    }

    /// Has `bell` rung from now on while something can be received, and after the end. There is
    /// one bell for all time.
    pub(crate) fn ring_with(&self, bell: Arc<dyn Bell>) {
        let bell = self.bell.get_or_init(|| bell);
        match self.side.0.kept.try_lock() {
            Some(kept) => self.settle(&kept),
            // A receiver that is at work may not have seen the bell yet; the next one settles.
            None => bell.ring(),
        }
    }

    /// Leaves the bell as it has to be when a receiver goes.
    #[inline]
    fn settle(&self, kept: &VecDeque<Message>) {
        if let Some(bell) = self.bell.get() {
            self.set_bell(&**bell, kept.is_empty());
        }
    }

    #[cold]
    fn set_bell(&self, bell: &dyn Bell, nothing_kept: bool) {
        let mut inbox = self.inbox.0.lock();
        let something = !nothing_kept || !inbox.messages.is_empty() || inbox.closed;
        if something {
            drop(inbox);
            return bell.ring();
        }
        // Under the lock: the ring of a message that comes next is not taken back.
        bell.silence();
        if !matches!(inbox.waiting, Waiting::Task(_)) {
            let before = inbox.wait_as(Waiting::Bell);
            drop(inbox);
            drop(before);
        }
    }

    /// What a thread of this mailbox's process does while it waits.
    pub(crate) fn pump(&self) -> &Arc<dyn Pump> {
        &self.pump
    }

    /// Adds a message at the end.
    #[cfg(test)]
    pub(crate) fn push(&self, message: Message) -> Pushed {
        self.push_with(move |place| *place = message)
    }

    /// Adds a message at the end: what `fill`, code of ours, makes of an empty one once it is known to have
    /// a place. It is put together there, because a message that was written elsewhere piece by
    /// piece and is moved at once makes the processor wait.
    #[inline(always)]
    pub(crate) fn push_with(&self, fill: impl FnOnce(&mut Message)) -> Pushed {
        let mut inbox = self.inbox.0.lock();
        if let Err(refused) = self.room(&mut inbox, 1) {
            return refused;
        }
        self.add(&mut inbox, fill);
        if let Waiting::Nobody = inbox.waiting {
            return Pushed::Kept;
        }
        self.wake_receiver(inbox);
        Pushed::Kept
    }

    /// Adds messages at the end, in their order, as far as there is a place for them; none are left.
    pub(crate) fn push_all(&self, messages: &mut Batch) -> Pushed {
        let mut inbox = self.inbox.0.lock();
        let places = match self.room(&mut inbox, messages.len()) {
            Ok(places) => places,
            Err(refused) => {
                drop(inbox);
                messages.clear();
                return refused;
            }
        };
        inbox.messages.extend(messages.drain(..places));
        self.show_filled();
        match inbox.waiting {
            Waiting::Nobody => drop(inbox),
            _ => self.wake_receiver(inbox),
        }
        if messages.is_empty() {
            return Pushed::Kept;
        }
        messages.clear();
        Pushed::Full
    }

    #[cold]
    fn wake_receiver(&self, mut inbox: BiasedGuard<'_, Inbox>) {
        let wake = inbox.wait_as(Waiting::Nobody);
        drop(inbox);
        self.wake(wake);
    }

    /// There are messages in the inbox, whose lock the caller holds.
    #[inline]
    fn show_filled(&self) {
        // Seldom written, so that it stays in the caches of all who look.
        if !self.filled.load(Ordering::Relaxed) {
            self.filled.store(true, Ordering::Relaxed);
        }
    }

    /// How many messages more the mailbox takes, up to as many as are `wanted`; at least one.
    #[inline]
    fn room(&self, inbox: &mut Inbox, wanted: usize) -> Result<usize, Pushed> {
        if inbox.closed {
            return Err(Pushed::Closed);
        }
        if inbox.places(self.messages_max) >= wanted {
            return Ok(wanted);
        }
        // The receiver may have taken some since.
        inbox.kept_max = self.side.0.kept_number.load(Ordering::Relaxed);
        match inbox.places(self.messages_max) {
            0 => Err(Pushed::Full),
            places => Ok(places.min(wanted)),
        }
    }

    /// [`Self::push_with`] for a caller that holds a lock, and calls [`Self::wake`] without it.
    #[inline]
    pub(crate) fn put(&self, fill: impl FnOnce(&mut Message)) -> (Pushed, Wake) {
        let mut inbox = self.inbox.0.lock();
        if let Err(refused) = self.room(&mut inbox, 1) {
            return (refused, Wake(Waiting::Nobody));
        }
        self.add(&mut inbox, fill);
        match inbox.waiting {
            Waiting::Nobody => (Pushed::Kept, Wake(Waiting::Nobody)),
            _ => (Pushed::Kept, inbox.wait_as(Waiting::Nobody)),
        }
    }

    #[inline(always)]
    fn add(&self, inbox: &mut Inbox, fill: impl FnOnce(&mut Message)) {
        inbox.messages.push_back(Message::default());
        if let Some(place) = inbox.messages.back_mut() {
            fill(place);
        }
        self.show_filled();
    }

    /// Wakes whoever waits, as [`Self::put`] says.
    pub(crate) fn wake(&self, wake: Wake) {
        match wake.0 {
            Waiting::Nobody => {}
            Waiting::Asleep => self.parker.unpark(),
            Waiting::Pumping => self.pump.kick(),
            Waiting::Task(waker) => {
                self.ring();
                waker.wake();
            }
            Waiting::Bell => self.ring(),
        }
    }

    fn ring(&self) {
        if let Some(bell) = self.bell.get() {
            bell.ring();
        }
    }

    /// Drops all messages and refuses new ones; who waits is woken.
    pub(crate) fn close(&self) {
        let mut inbox = self.inbox.0.lock();
        inbox.closed = true;
        let dropped = std::mem::take(&mut inbox.messages);
        let wake = inbox.wait_as(Waiting::Nobody);
        drop(inbox);
        self.wake(wake);
        drop(dropped);
        if let Some(kept) = self.side.0.kept.try_lock() {
            self.forget(kept);
        }
    }

    /// Drops the messages of a closed mailbox. A message may hold anything, which its drop
    /// ends, so no lock is held by then.
    fn forget(&self, mut kept: LongGuard<'_, VecDeque<Message>>) {
        let dropped = std::mem::take(&mut *kept);
        self.side.0.kept_number.store(0, Ordering::Relaxed);
        drop(kept);
        drop(dropped);
    }

    /// How many messages wait.
    pub(crate) fn len(&self) -> usize {
        // Messages move from the inbox to `kept` under the inbox's lock.
        let inbox = self.inbox.0.lock();
        inbox.messages.len() + self.side.0.kept_number.load(Ordering::Relaxed)
    }

    /// What `take` takes out of the first message, where it is, if it wants something and the message is to be
    /// had at once: the short way of [`Self::receive`], which looks further and collects many. It is
    /// asked under a lock, so it is code of ours that calls nobody; what it leaves is forgotten without a
    /// look, so it leaves nothing that would have to be dropped. A mailbox with a bell has no short way.
    #[inline(always)]
    pub(crate) fn take_first<R>(&self, take: impl FnOnce(&mut Message) -> Option<R>) -> Option<R> {
        if self.side.0.kept_number.load(Ordering::Relaxed) != 0 {
            return self.take_kept(take);
        }
        let mut inbox = self.with_only()?;
        let taken = take(inbox.messages.front_mut()?)?;
        self.filled.store(false, Ordering::Relaxed);
        std::mem::forget(inbox.messages.pop_front());
        Some(taken)
    }

    /// The inbox, if it has the only message.
    #[inline(always)]
    fn with_only(&self) -> Option<BiasedGuard<'_, Inbox>> {
        if self.side.0.kept_number.load(Ordering::Relaxed) != 0 || self.bell.get().is_some() {
            return None;
        }
        let inbox = self.inbox.0.lock();
        let alone =
            inbox.messages.len() == 1 && self.side.0.kept_number.load(Ordering::Relaxed) == 0;
        alone.then_some(inbox)
    }

    /// [`Self::take_first`] where receivers have left messages: those came before all others.
    #[inline]
    fn take_kept<R>(&self, take: impl FnOnce(&mut Message) -> Option<R>) -> Option<R> {
        if self.bell.get().is_some() {
            return None;
        }
        let mut kept = self.side.0.kept.try_lock()?;
        let taken = take(kept.front_mut()?)?;
        std::mem::forget(kept.pop_front());
        self.side.0.kept_number.store(kept.len(), Ordering::Relaxed);
        Some(taken)
    }

    /// Takes the first message for which `select` has an answer, waiting for one as long as
    /// `patience` says. `Ok(None)` when time is up. Another thread receiving from the same
    /// mailbox is waited for in the same way.
    pub(crate) fn receive<R>(
        &self,
        mut select: impl FnMut(&mut Message) -> Option<R>,
        patience: Patience,
    ) -> Result<Option<R>, Closed> {
        let Some(mut kept) = self.reserve(patience) else {
            return Ok(None);
        };
        let mut seen = 0;
        let mut deadline = None;
        loop {
            if let Some(chosen) = self.choose(&mut kept, &mut seen, &mut select) {
                self.settle(&kept);
                return Ok(Some(chosen));
            }
            let fetched = match self.collect(&mut kept) {
                Ok(false) => {
                    let until = *deadline.get_or_insert_with(|| patience.deadline());
                    self.fetch(&mut kept, until)
                }
                collected => collected,
            };
            match fetched {
                Ok(true) => {}
                Ok(false) => {
                    self.settle(&kept);
                    return Ok(None);
                }
                Err(closed) => {
                    self.settle(&kept);
                    self.forget(kept);
                    return Err(closed);
                }
            }
        }
    }

    /// The first answer `select` has for a message from `*seen` on; that message is removed.
    #[inline]
    fn choose<R>(
        &self,
        kept: &mut VecDeque<Message>,
        seen: &mut usize,
        select: &mut impl FnMut(&mut Message) -> Option<R>,
    ) -> Option<R> {
        while let Some(message) = kept.get_mut(*seen) {
            if let Some(chosen) = select(message) {
                drop(match *seen {
                    0 => kept.pop_front(),
                    seen => kept.remove(seen),
                });
                self.side.0.kept_number.store(kept.len(), Ordering::Relaxed);
                return Some(chosen);
            }
            *seen += 1;
        }
        None
    }

    /// Moves what has come into `kept`, without waiting. False when nothing has.
    #[inline]
    fn collect(&self, kept: &mut VecDeque<Message>) -> Result<bool, Closed> {
        let mut inbox = self.inbox.0.lock();
        if inbox.closed {
            return Err(Closed);
        }
        Ok(self.take_in(&mut inbox, kept))
    }

    /// Moves the messages of the inbox into `kept`. False when there are none.
    #[inline]
    fn take_in(&self, inbox: &mut Inbox, kept: &mut VecDeque<Message>) -> bool {
        if inbox.messages.is_empty() {
            return false;
        }
        self.filled.store(false, Ordering::Relaxed);
        if kept.is_empty() {
            std::mem::swap(&mut inbox.messages, kept);
        } else {
            kept.append(&mut inbox.messages);
        }
        inbox.kept_max = kept.len();
        self.side.0.kept_number.store(kept.len(), Ordering::Relaxed);
        true
    }

    /// [`Self::receive`] for a task: `Pending` after arranging for the task to be woken.
    pub(crate) fn poll_receive<R>(
        &self,
        task: &mut Context<'_>,
        mut select: impl FnMut(&mut Message) -> Option<R>,
    ) -> Poll<Result<R, Closed>> {
        let mut kept = self.side.0.kept.lock();
        let mut seen = 0;
        loop {
            if let Some(chosen) = self.choose(&mut kept, &mut seen, &mut select) {
                self.settle(&kept);
                return Poll::Ready(Ok(chosen));
            }
            let mut inbox = self.inbox.0.lock();
            if inbox.closed {
                drop(inbox);
                self.forget(kept);
                return Poll::Ready(Err(Closed));
            }
            if !self.take_in(&mut inbox, &mut kept) {
                let before = inbox.wait_as(Waiting::Task(task.waker().clone()));
                drop(inbox);
                self.settle(&kept);
                drop(kept);
                drop(before);
                return Poll::Pending;
            }
        }
    }

    fn reserve(&self, patience: Patience) -> Option<LongGuard<'_, VecDeque<Message>>> {
        self.side
            .0
            .kept
            .try_lock()
            .or_else(|| match patience.deadline() {
                None => Some(self.side.0.kept.lock()),
                Some(deadline) => self.side.0.kept.try_lock_until(deadline),
            })
    }

    /// Moves new messages into `kept`, waiting for one. False when time is up.
    fn fetch(
        &self,
        kept: &mut VecDeque<Message>,
        deadline: Option<Instant>,
    ) -> Result<bool, Closed> {
        let mut pumped = false;
        // A sleep and a wake-up cost more.
        self.lookout.look(|| self.filled.load(Ordering::Relaxed));
        let mut inbox = self.inbox.0.lock();
        loop {
            if inbox.closed {
                return Err(Closed);
            }
            if self.take_in(&mut inbox, kept) {
                return Ok(true);
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                let before = inbox.wait_as(Waiting::Nobody);
                drop(inbox);
                drop(before);
                return Ok(false);
            }
            if pumped {
                // A task's waker was taken out before: whoever holds `kept` waits alone.
                let before = inbox.wait_as(Waiting::Asleep);
                drop(inbox);
                drop(before);
                self.parker.park(deadline);
                inbox = self.inbox.0.lock();
                continue;
            }
            let before = inbox.wait_as(Waiting::Pumping);
            drop(inbox);
            drop(before);
            let done = || {
                let inbox = self.inbox.0.lock();
                inbox.closed || !inbox.messages.is_empty()
            };
            pumped = !self.pump.pump(&done, deadline);
            inbox = self.inbox.0.lock();
        }
    }
}

impl Inbox {
    /// How many messages more fit in, at least.
    #[inline]
    fn places(&self, messages_max: usize) -> usize {
        let there = self.messages.len().saturating_add(self.kept_max);
        messages_max.saturating_sub(there)
    }

    /// Notes how the receiver waits from now on; how it waited before is returned.
    #[inline]
    fn wait_as(&mut self, waiting: Waiting) -> Wake {
        Wake(std::mem::replace(&mut self.waiting, waiting))
    }
}

#[cfg(test)]
mod bell_tests;

#[cfg(test)]
mod tests;

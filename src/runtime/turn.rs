//! A turn: the right to touch one port (or all ports of a driver) and to run its code.
//!
//! A turn is a queue rather than a lock. Whoever finds it idle runs at once, on its own
//! thread ([`Turn::enter`]); whoever finds it taken leaves a task that a worker runs when
//! it is that task's time ([`Turn::post`]). Tasks run one at a time and in order, and an
//! idle turn has no tasks, so what one thread asks for happens in the order it asked.
//!
//! Being on a turn is a value, [`OnTurn`], that cannot be made elsewhere. What the turn
//! guards lives in [`TurnCell`]s, which open only to an exclusive borrow of that value:
//! hence there is never a second reference into a cell, and none survives a call into
//! foreign code, which needs the same exclusive borrow ([`OnTurn::lend`]).

use std::cell::{Cell, UnsafeCell};
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use crate::lock::atomic::{self, AtomicBool, AtomicU8, Ordering};
use crate::lock::{Guard, Lock, release_and_fence, spin_for};
use crate::os::fence;
use crate::runtime::workers::Workers;
use crate::seldom::Seldom;

/// Something to do once it is its time on a turn.
pub(crate) type Task = Box<dyn FnOnce(&mut OnTurn<'_>) + Send>;

/// Of a turn's news: a task was left while somebody was on the turn, once or more often.
const SHARED: u8 = 1;
/// Tasks wait, or a worker runs the last of them. Set and taken back under the lock of the tasks.
const AWAITED: u8 = 2;
/// Beside `SHARED`: nobody has met anybody, but the kernel had not said yet that it helps.
const UNDECIDED: u8 = 8;
/// Beside `AWAITED`: the last of them is being run, and no more wait.
const LAST: u8 = 4;

/// How many tasks a worker runs before it lets other turns have the thread.
const TASKS_PER_VISIT: usize = 64;

/// Looks at a turn that is taken before a task is left on it: some microseconds, on some processors some tens
/// of them, about what it takes to wake the worker that would run the task.
const LOOKS: u32 = 500;

/// See the module's text.
///
/// Who leaves a turn frees it and then looks at the news; who leaves a task writes the news and then
/// looks whether the turn is free. Each passes a fence between the two, or both could miss the other. A
/// turn on which nobody has ever met anybody is left without one, as that is what most calls
/// cost: the first who finds it taken has the kernel pass fences for everybody ([`fence`]).
pub(crate) struct Turn {
    /// Somebody is on the turn, or a worker is about to be.
    taken: AtomicBool,
    news: AtomicU8,
    /// Guards `tasks`. Beside them, since around them it would take as much room as a pointer.
    gate: Lock<()>,
    tasks: UnsafeCell<Seldom<VecDeque<Task>>>,
    workers: Arc<Workers>,
}

// SAFETY: tasks may go to any thread, and are reached through `Tasks` alone, which has the gate.
unsafe impl Sync for Turn {}

/// The tasks of a turn, while nobody else has them.
struct Tasks<'t> {
    tasks: &'t UnsafeCell<Seldom<VecDeque<Task>>>,
    _gate: Guard<'t, ()>,
}

impl Deref for Tasks<'_> {
    type Target = Seldom<VecDeque<Task>>;
    fn deref(&self) -> &Self::Target {
        // SAFETY: `Turn::tasks` took the gate, which is held as long as this lives.
        unsafe { &*self.tasks.get() }
    }
}

impl DerefMut for Tasks<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        // SAFETY: as above, and this borrow is exclusive.
        unsafe { &mut *self.tasks.get() }
    }
}

/// Proof that the current thread is on a turn.
pub(crate) struct OnTurn<'t> {
    turn: &'t Arc<Turn>,
    /// The same as an address, which each opening of a cell compares.
    at: *const Turn,
}

/// Data that only whoever is on a certain turn may touch.
pub(crate) struct TurnCell<T> {
    /// The turn's address, to tell turns apart; the cell's owner keeps the turn alive.
    turn: *const Turn,
    value: UnsafeCell<T>,
}

/// A turn that foreign code has been lent, in a list through the stacks of nested calls.
pub(crate) struct Loan {
    turn: *const Turn,
    /// The lender's [`OnTurn`]; taken out while a function called back is using it.
    on: Cell<Option<NonNull<OnTurn<'static>>>>,
    note: *const (),
    outer: *const Loan,
}

/// What a thread knows of its turns; in one piece, since each look for such a thing is a call in a
/// shared library.
struct Stay {
    /// The innermost loan.
    loans: Cell<*const Loan>,
    /// On how many turns it is.
    depth: Cell<usize>,
}

thread_local! {
    static STAY: Stay = const { Stay { loans: Cell::new(ptr::null()), depth: Cell::new(0) } };
}

/// Whether this thread is on any turn: it must then not wait for another one.
pub(crate) fn thread_is_on_a_turn() -> bool {
    STAY.with(|stay| stay.depth.get()) > 0
}

#[inline]
fn deeper() {
    STAY.with(|stay| stay.depth.set(stay.depth.get() + 1));
}

#[inline]
fn back() {
    STAY.with(|stay| stay.depth.set(stay.depth.get() - 1));
}

impl Turn {
    /// An idle turn whose left tasks `workers` run.
    pub(crate) fn new(workers: &Arc<Workers>) -> Arc<Turn> {
        let news = match (fence::is_helped(), fence::may_be_helped()) {
            (true, _) => 0,
            (false, true) => SHARED | UNDECIDED,
            (false, false) => SHARED,
        };
        Arc::new(Turn {
            taken: AtomicBool::new(false),
            news: AtomicU8::new(news),
            gate: Lock::new(()),
            tasks: UnsafeCell::new(Seldom::default()),
            workers: Arc::clone(workers),
        })
    }

    fn tasks(&self) -> Tasks<'_> {
        Tasks {
            _gate: self.gate.lock(),
            tasks: &self.tasks,
        }
    }

    /// Enters this turn on this thread if it is idle, or is so in a moment: most visits are short.
    #[inline]
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Visit<'_>> {
        match self.enter_now() {
            None => self.enter_soon(),
            entered => entered,
        }
    }

    /// The same unless tasks wait, which come first.
    #[inline]
    pub(crate) fn enter_first(self: &Arc<Self>) -> Option<Visit<'_>> {
        match self.has_news(AWAITED) {
            true => None,
            false => self.enter(),
        }
    }

    #[cold]
    fn enter_soon(self: &Arc<Self>) -> Option<Visit<'_>> {
        let seen = || match self.has_news(AWAITED) {
            // There is a queue to join.
            true => Some(false),
            false => (!self.taken.load(Ordering::Relaxed)).then_some(true),
        };
        let mut is_idle = None;
        spin_for(LOOKS, || {
            is_idle = seen();
            is_idle.is_some()
        });
        match is_idle {
            Some(true) => self.enter_now(),
            _ => None,
        }
    }

    /// Enters this turn on this thread, if it is idle at this moment.
    #[inline]
    pub(crate) fn enter_now(self: &Arc<Self>) -> Option<Visit<'_>> {
        if !self.take_idle() {
            return None;
        }
        deeper();
        Some(Visit {
            on: OnTurn::new(self),
        })
    }

    /// Keeps this turn, if it is idle, for longer than a call lasts.
    pub(crate) fn hold(self: &Arc<Self>) -> Option<Hold> {
        self.take_idle().then(|| Hold(Arc::clone(self)))
    }

    #[inline]
    fn take(&self) -> bool {
        self.taken
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes the turn where no task waits.
    #[inline]
    fn take_idle(self: &Arc<Self>) -> bool {
        let taken = self.take();
        if taken && self.has_news(AWAITED) {
            // Who was here has left, and has not yet seen the tasks, which come first.
            self.workers.schedule(Arc::clone(self));
            return false;
        }
        taken
    }

    #[inline]
    fn has_news(&self, which: u8) -> bool {
        self.news.load(Ordering::Relaxed) & which != 0
    }

    /// Whoever was on the turn leaves it.
    #[inline]
    fn leave(self: &Arc<Self>) {
        self.free();
        if self.has_news(AWAITED) {
            self.pass_on();
        }
    }

    #[inline]
    fn free(&self) {
        if self.has_news(SHARED) && !self.decide() {
            release_and_fence(&self.taken);
        } else {
            self.taken.store(false, Ordering::Release);
            fence::helped();
        }
    }

    /// For who is on the turn: it is like one that was made later, where the kernel helps by now.
    #[inline]
    fn decide(&self) -> bool {
        self.has_news(UNDECIDED) && fence::is_helped() && self.take_back_shared()
    }

    #[cold]
    fn take_back_shared(&self) -> bool {
        let _tasks = self.tasks();
        // Who leaves a task makes it shared for good, under this lock.
        let undecided = self.has_news(UNDECIDED);
        if undecided {
            self.news.store(0, Ordering::Relaxed);
        }
        undecided
    }

    /// Tasks came meanwhile: unless somebody has seen to them, a worker does.
    #[cold]
    fn pass_on(self: &Arc<Self>) {
        if self.take() {
            self.workers.schedule(Arc::clone(self));
        }
    }

    fn run(self: &Arc<Self>, task: Task) {
        deeper();
        let _back = Back;
        if catch_unwind(AssertUnwindSafe(|| task(&mut OnTurn::new(self)))).is_err() {
            tracing::error!("a task panicked on its turn; the turn goes on");
        }
    }

    /// Leaves `task` to be run in its time, by a worker.
    pub(crate) fn post(self: &Arc<Self>, task: Task) {
        let mut tasks = self.tasks();
        tasks.wanted().push_back(task);
        let before = self.news.swap(SHARED | AWAITED, Ordering::Relaxed);
        if before & AWAITED != 0 {
            // Somebody sees to those before it, and so to this one.
            return;
        }
        if before & SHARED != 0 {
            atomic::fence(Ordering::SeqCst);
        } else {
            // Under the lock: the next who leaves a task relies on this fence, too.
            fence::help();
        }
        drop(tasks);
        // Where it is taken, whoever is on it sees the news as it leaves.
        if self.take() {
            self.workers.schedule(Arc::clone(self));
        }
    }

    /// Runs `f` now if the turn is idle and this thread is on no other; else leaves it.
    pub(crate) fn run_or_post<F>(self: &Arc<Self>, f: F)
    where
        F: FnOnce(&mut OnTurn<'_>) + Send + 'static,
    {
        if thread_is_on_a_turn() {
            return self.post(Box::new(f));
        }
        match self.enter() {
            Some(mut visit) => f(visit.on()),
            None => self.post(Box::new(f)),
        }
    }

    /// Gives `f` the turn back that this thread has lent to the foreign code now calling.
    /// `None` where this thread is not inside a loan of this turn.
    #[inline]
    pub(crate) fn with_lent<R>(&self, f: impl FnOnce(&mut OnTurn<'_>) -> R) -> Option<R> {
        let mut f = Some(f);
        find_loan(|loan| {
            if !ptr::eq(loan.turn, self) {
                return None;
            }
            loan.with_turn(|on| f.take().map(|f| f(on)))?
        })
    }

    /// A worker's visit: runs waiting tasks, and leaves the turn idle if none is left.
    pub(crate) fn visit(self: &Arc<Self>) {
        for _ in 0..TASKS_PER_VISIT {
            let mut tasks = self.tasks();
            let Some(task) = self.pop(&mut tasks) else {
                // Under the lock of the tasks none can slip in between look and leave.
                self.taken.store(false, Ordering::Release);
                return;
            };
            drop(tasks);
            self.run(task);
        }
        self.workers.schedule(Arc::clone(self));
    }

    /// The next task. Whether there are more is noted, and whether there was one.
    fn pop(&self, tasks: &mut Seldom<VecDeque<Task>>) -> Option<Task> {
        let next = tasks.get_mut().and_then(VecDeque::pop_front);
        if tasks.get().is_none_or(VecDeque::is_empty) {
            let news = if next.is_some() { AWAITED | LAST } else { 0 };
            // Nobody else writes it without the lock, and it is not new.
            self.news.store(SHARED | news, Ordering::Relaxed);
        }
        next
    }
}

/// A stay on a turn that was idle. Dropping it leaves the turn.
pub(crate) struct Visit<'t> {
    on: OnTurn<'t>,
}

impl<'t> Visit<'t> {
    /// The proof.
    #[inline]
    pub(crate) fn on(&mut self) -> &mut OnTurn<'t> {
        &mut self.on
    }
}

impl Drop for Visit<'_> {
    #[inline]
    fn drop(&mut self) {
        back();
        self.on.turn.leave();
    }
}

/// A turn that is kept. It may be used again and again, by one thread at a time, and moved to others;
/// dropping it leaves the turn.
pub(crate) struct Hold(Arc<Turn>);

impl Hold {
    /// Runs `f` on the turn.
    pub(crate) fn run<R>(&mut self, f: impl FnOnce(&mut OnTurn<'_>) -> R) -> R {
        deeper();
        let _back = Back;
        f(&mut OnTurn::new(&self.0))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// This thread is on one turn less.
struct Back;

impl Drop for Back {
    fn drop(&mut self) {
        back();
    }
}

impl<'t> OnTurn<'t> {
    #[inline]
    fn new(turn: &'t Arc<Turn>) -> OnTurn<'t> {
        OnTurn {
            turn,
            at: Arc::as_ptr(turn),
        }
    }

    /// The turn this is proof of.
    pub(crate) fn turn(&self) -> &'t Arc<Turn> {
        self.turn
    }

    /// Whether tasks wait for their time on this turn, as of this moment.
    #[inline]
    pub(crate) fn is_awaited(&self) -> bool {
        self.turn.news.load(Ordering::Relaxed) & (AWAITED | LAST) == AWAITED
    }

    /// Runs foreign code, which may call back: functions it calls reach this turn again by
    /// [`Turn::with_lent`], or by the loan itself, which they tell by its note ([`find_loan`]).
    #[inline]
    pub(crate) fn lend<R>(&mut self, note: *const (), f: impl FnOnce() -> R) -> R {
        let loan = Loan {
            turn: self.at,
            on: Cell::new(Some(NonNull::from(&mut *self).cast())),
            note,
            outer: STAY.with(|stay| stay.loans.get()),
        };
        let _unwind = Unlist(loan.outer);
        STAY.with(|stay| stay.loans.set(&loan));
        f()
    }
}

/// Calls `f` with each loan of this thread, innermost first, until it gives something.
#[inline]
pub(crate) fn find_loan<R>(mut f: impl FnMut(&Loan) -> Option<R>) -> Option<R> {
    let mut at = STAY.with(|stay| stay.loans.get());
    while !at.is_null() {
        // SAFETY: loans live in stack frames of this thread that have not ended: `lend` takes its
        // loan off the list before it returns.
        let loan = unsafe { &*at };
        let found = f(loan);
        if found.is_some() {
            return found;
        }
        at = loan.outer;
    }
    None
}

impl Loan {
    /// What the lender said about it. The lender keeps what it points to for as long as the loan is
    /// on the list.
    #[inline]
    pub(crate) fn note(&self) -> *const () {
        self.note
    }

    /// Gives `f` the turn, unless somebody further in uses it already.
    #[inline]
    pub(crate) fn with_turn<R>(&self, f: impl FnOnce(&mut OnTurn<'_>) -> R) -> Option<R> {
        let mut on = self.on.take()?;
        let _back = PutBack(self, on);
        // SAFETY: `on` came from the exclusive borrow that `lend` holds for as long as the loan is
        // on the list, and it was taken out of the loan, so nobody else makes a reference from it
        // until it is put back.
        Some(f(unsafe { on.as_mut() }))
    }
}

/// Takes the innermost loan off the list.
struct Unlist(*const Loan);

impl Drop for Unlist {
    #[inline]
    fn drop(&mut self) {
        STAY.with(|stay| stay.loans.set(self.0));
    }
}

/// Puts a lent turn back into its loan.
struct PutBack<'l>(&'l Loan, NonNull<OnTurn<'static>>);

impl Drop for PutBack<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.on.set(Some(self.1));
    }
}

// SAFETY: a cell gives out references only to whoever is on its turn (`get` compares the
// addresses), one thread at a time, so sharing the cell moves a `T` between threads at most.
unsafe impl<T: Send> Sync for TurnCell<T> {}
// SAFETY: the address is only compared, never followed.
unsafe impl<T: Send> Send for TurnCell<T> {}

impl<T> TurnCell<T> {
    /// A cell that opens on `turn`.
    pub(crate) fn new(turn: &Arc<Turn>, value: T) -> TurnCell<T> {
        TurnCell {
            turn: Arc::as_ptr(turn),
            value: UnsafeCell::new(value),
        }
    }

    /// What is inside. Panics when `on` is proof of another turn, a mistake of ours.
    #[inline]
    pub(crate) fn get<'a>(&'a self, on: &'a mut OnTurn<'_>) -> &'a mut T {
        assert!(
            ptr::eq(self.turn, on.at),
            "a turn's cell was opened on another turn"
        );
        // SAFETY: `on` proves that this thread is on the cell's turn, and it stays
        // exclusively borrowed as long as the reference lives, so there is no other one:
        // neither from this thread (`lend` and `get` need the same borrow) nor from another
        // (one thread at a time is on a turn).
        unsafe { &mut *self.value.get() }
    }
}

#[cfg(test)]
mod tests;

//! A pool of threads for work that blocks.
//!
//! What shares a key is done by one thread, in order. What has no key is done by whichever thread is
//! free; in a pool of one thread everything is done in order. Threads are started when they
//! are needed, and look for more work for a moment before they sleep: none is woken where enough of
//! them are looking. What was queued runs even when the pool is being dropped, since somebody may be
//! waiting for its end; then the threads go.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::lock::{Guard, Lock, Lookout, Signal};
use crate::os::thread;

/// Some work; it tells its result itself, as a task on a turn.
pub(crate) trait Job: Send + 'static {
    /// Does it.
    fn run(self);
}

/// See the module's text.
pub(crate) struct Jobs<J>(Arc<Pool<J>>);

struct Pool<J> {
    prefix: String,
    queues: Lock<Queues<J>>,
    /// Whether jobs without a key wait, for who looks without the lock.
    common_filled: AtomicBool,
    seats: Box<[Seat]>,
}

/// A thread's place, whether it has been started or not.
struct Seat {
    work: Signal,
    /// Whether jobs of its own wait, for itself when it looks without the lock.
    filled: AtomicBool,
    lookout: Lookout,
    /// Jobs that it has taken and that have not ended.
    in_hand: AtomicUsize,
}

struct Queues<J> {
    /// Those without a key.
    common: VecDeque<J>,
    /// Those with one, by thread.
    own: Box<[Own<J>]>,
    /// How many threads look for work.
    looking: usize,
    stopped: bool,
}

struct Own<J> {
    jobs: VecDeque<J>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    NotStarted,
    AtWork,
    Asleep,
}

/// A thread that has done more jobs than this in a row gives their room back.
const ROOM_KEPT: usize = 1024;

impl<J: Job> Jobs<J> {
    /// A pool of `threads` threads (1 to 1024), whose names start with `prefix`.
    pub(crate) fn new(threads: usize, prefix: &str) -> Jobs<J> {
        let threads = threads.clamp(1, 1024);
        let seat = |_| Seat {
            work: Signal::new(),
            filled: AtomicBool::new(false),
            lookout: Lookout::new(),
            in_hand: AtomicUsize::new(0),
        };
        let own = |_| Own {
            jobs: VecDeque::new(),
            state: State::NotStarted,
        };
        Jobs(Arc::new(Pool {
            prefix: prefix.to_owned(),
            queues: Lock::new(Queues {
                common: VecDeque::new(),
                own: (0..threads).map(own).collect(),
                looking: 0,
                stopped: false,
            }),
            common_filled: AtomicBool::new(false),
            seats: (0..threads).map(seat).collect(),
        }))
    }

    /// How many jobs wait or run.
    pub(crate) fn unfinished(&self) -> usize {
        // Jobs move from the queues to the threads under the lock.
        let queues = self.0.queues.lock();
        let own = queues.own.iter().map(|own| own.jobs.len());
        let in_hand = |seat: &Seat| seat.in_hand.load(Ordering::Relaxed);
        let taken = self.0.seats.iter().map(in_hand);
        queues.common.len() + own.chain(taken).sum::<usize>()
    }

    /// How many threads the pool has.
    pub(crate) fn threads(&self) -> usize {
        self.0.seats.len()
    }

    /// Queues `job`, for the thread that `key` names or for any; the thread's index is returned, and
    /// means nothing without a key. An error means that a thread that is needed could not be
    /// started and the job was not taken.
    pub(crate) fn submit(&self, key: Option<usize>, job: J) -> Result<usize, std::io::Error> {
        let pool = &self.0;
        let queues = pool.queues.lock();
        match key {
            None if pool.seats.len() > 1 => pool.submit_to_any(queues, job),
            key => pool.submit_to(key.unwrap_or(0) % pool.seats.len(), queues, job),
        }
    }
}

impl<J> Drop for Jobs<J> {
    fn drop(&mut self) {
        self.0.queues.lock().stopped = true;
        self.0.seats.iter().for_each(|seat| seat.work.notify_one());
    }
}

impl<J: Job> Pool<J> {
    fn submit_to(
        self: &Arc<Self>,
        at: usize,
        mut queues: Guard<'_, Queues<J>>,
        job: J,
    ) -> Result<usize, std::io::Error> {
        let own = &mut queues.own[at];
        if own.state == State::NotStarted {
            self.start(at)?;
        }
        let state = std::mem::replace(&mut own.state, State::AtWork);
        own.jobs.push_back(job);
        self.seats[at].filled.store(true, Ordering::Relaxed);
        drop(queues);
        if state == State::Asleep {
            self.seats[at].work.notify_one();
        }
        Ok(at)
    }

    fn submit_to_any(
        self: &Arc<Self>,
        mut queues: Guard<'_, Queues<J>>,
        job: J,
    ) -> Result<usize, std::io::Error> {
        queues.common.push_back(job);
        self.common_filled.store(true, Ordering::Relaxed);
        match queues.in_want() {
            None => {}
            Some((at, State::NotStarted)) => match self.start(at) {
                Ok(()) => queues.own[at].state = State::AtWork,
                // Others are there to do it, sooner or later.
                Err(_) if queues.are_started() => {}
                Err(error) => {
                    drop(queues.common.pop_back());
                    return Err(error);
                }
            },
            Some((at, _)) => self.wake(at, queues),
        }
        Ok(0)
    }

    fn start(self: &Arc<Self>, at: usize) -> Result<(), std::io::Error> {
        let pool = Arc::clone(self);
        thread::spawn(&format!("{}_{}", self.prefix, at + 1), move || {
            pool.serve(at);
        })
    }

    fn wake(&self, at: usize, mut queues: Guard<'_, Queues<J>>) {
        queues.own[at].state = State::AtWork;
        drop(queues);
        self.seats[at].work.notify_one();
    }

    /// What one thread does.
    fn serve(&self, at: usize) {
        let in_hand = &self.seats[at].in_hand;
        let mut taken = VecDeque::new();
        let mut own_next = true;
        while self.take(at, own_next, &mut taken) {
            own_next = !own_next;
            while let Some(job) = taken.pop_front() {
                if catch_unwind(AssertUnwindSafe(|| job.run())).is_err() {
                    tracing::error!("a job panicked; its thread goes on");
                }
                in_hand.store(taken.len(), Ordering::Relaxed);
            }
            taken.shrink_to(ROOM_KEPT);
        }
    }

    /// Takes jobs that are there, and waits for some. False when there will never be any.
    fn take(&self, at: usize, own_first: bool, taken: &mut VecDeque<J>) -> bool {
        let seat = &self.seats[at];
        let mut has_looked = false;
        let mut queues = self.queues.lock();
        loop {
            let found = match own_first {
                true => {
                    self.take_own(at, &mut queues, taken) || self.take_common(&mut queues, taken)
                }
                false => {
                    self.take_common(&mut queues, taken) || self.take_own(at, &mut queues, taken)
                }
            };
            if found {
                seat.in_hand.store(taken.len(), Ordering::Relaxed);
                // What is left is for another thread.
                if let Some((another, State::Asleep)) = queues.in_want() {
                    self.wake(another, queues);
                }
                return true;
            }
            if queues.stopped {
                return false;
            }
            if !std::mem::replace(&mut has_looked, true) {
                queues.looking += 1;
                drop(queues);
                seat.lookout.look(|| {
                    seat.filled.load(Ordering::Relaxed)
                        || self.common_filled.load(Ordering::Relaxed)
                });
                queues = self.queues.lock();
                queues.looking -= 1;
                continue;
            }
            queues.own[at].state = State::Asleep;
            seat.work.wait(&mut queues, None);
            queues.own[at].state = State::AtWork;
            has_looked = false;
        }
    }

    fn take_own(&self, at: usize, queues: &mut Queues<J>, taken: &mut VecDeque<J>) -> bool {
        std::mem::swap(&mut queues.own[at].jobs, taken);
        self.seats[at].filled.store(false, Ordering::Relaxed);
        !taken.is_empty()
    }

    /// A part of what is there, so that there is some for each thread, also for those that will come back.
    fn take_common(&self, queues: &mut Queues<J>, taken: &mut VecDeque<J>) -> bool {
        let part = queues.common.len().div_ceil(2 * self.seats.len());
        taken.extend(queues.common.drain(..part));
        if queues.common.is_empty() {
            self.common_filled.store(false, Ordering::Relaxed);
        }
        part > 0
    }
}

impl<J> Queues<J> {
    /// A thread that should be woken, or started, since more jobs wait than threads look for them.
    fn in_want(&self) -> Option<(usize, State)> {
        if self.looking >= self.common.len() {
            return None;
        }
        let at = |state| self.own.iter().position(|own| own.state == state);
        let asleep = at(State::Asleep).map(|at| (at, State::Asleep));
        asleep.or_else(|| at(State::NotStarted).map(|at| (at, State::NotStarted)))
    }

    fn are_started(&self) -> bool {
        self.own.iter().any(|own| own.state != State::NotStarted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_secs(10);

    struct Do<F>(F);

    impl<F: FnOnce() + Send + 'static> Job for Do<F> {
        fn run(self) {
            (self.0)();
        }
    }

    #[test]
    fn one_key_is_one_thread_and_in_order() {
        let jobs = Jobs::new(3, "test");
        let (done, wait) = mpsc::channel();
        for n in 0..100 {
            let done = done.clone();
            let lane = jobs.submit(Some(7), Do(move || done.send(n).unwrap()));
            assert_eq!(lane.unwrap(), 1);
        }
        for n in 0..100 {
            assert_eq!(wait.recv_timeout(PATIENCE), Ok(n));
        }
    }

    #[test]
    fn what_was_queued_runs_after_the_pool_is_dropped() {
        let jobs = Jobs::new(1, "test");
        let (done, wait) = mpsc::channel();
        for n in 0..10 {
            let done = done.clone();
            jobs.submit(None, Do(move || done.send(n).unwrap()))
                .unwrap();
        }
        drop(jobs);
        drop(done);
        assert_eq!(wait.into_iter().count(), 10);
    }

    #[test]
    fn jobs_count_until_they_have_ended_wherever_they_are() {
        let jobs = Jobs::new(1, "test");
        let (begun, has_begun) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let may_go_on = Arc::new(std::sync::Mutex::new(may_go_on));
        for n in 0..3 {
            let (begun, may_go_on) = (begun.clone(), Arc::clone(&may_go_on));
            let job = move || {
                begun.send(n).unwrap();
                may_go_on.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            };
            jobs.submit(None, Do(job)).unwrap();
        }
        for n in 0..3 {
            assert_eq!(has_begun.recv_timeout(PATIENCE), Ok(n));
            assert_eq!(jobs.unfinished(), 3 - n);
            go_on.send(()).unwrap();
        }
        let deadline = std::time::Instant::now() + PATIENCE;
        while jobs.unfinished() > 0 {
            assert!(std::time::Instant::now() < deadline, "the last never ended");
            std::thread::yield_now();
        }
    }

    #[test]
    fn one_that_blocks_keeps_none_from_the_other_threads() {
        const THREADS: usize = 4;
        const EACH: usize = if cfg!(miri) { 10 } else { 1000 };
        let jobs = Jobs::new(THREADS, "test");
        let gate = Arc::new(std::sync::Barrier::new(THREADS));
        for round in 0..EACH {
            // Each waits until all threads have one.
            let (done, wait) = mpsc::channel();
            for _ in 0..THREADS {
                let (done, gate) = (done.clone(), Arc::clone(&gate));
                let job = move || {
                    gate.wait();
                    done.send(()).unwrap();
                };
                jobs.submit(None, Do(job)).unwrap();
            }
            for _ in 0..THREADS {
                assert_eq!(wait.recv_timeout(PATIENCE), Ok(()), "round {round}");
            }
        }
    }

    #[test]
    fn jobs_with_keys_and_without_come_to_their_turn() {
        const EACH: usize = if cfg!(miri) { 50 } else { 10_000 };
        let jobs = Jobs::new(2, "test");
        let (done, wait) = mpsc::channel();
        for n in 0..EACH {
            for key in [Some(0), None, Some(1)] {
                let done = done.clone();
                jobs.submit(key, Do(move || done.send((key, n)).unwrap()))
                    .unwrap();
            }
        }
        drop(done);
        let seen: Vec<_> = wait.into_iter().take(3 * EACH).collect();
        for key in [Some(0), Some(1)] {
            let of_key = seen.iter().filter(|(of, _)| *of == key).map(|(_, n)| *n);
            assert!(of_key.eq(0..EACH), "{key:?} in order");
        }
        assert_eq!(seen.iter().filter(|(of, _)| of.is_none()).count(), EACH);
    }

    #[test]
    fn a_job_that_panics_ends_no_other() {
        let jobs = Jobs::new(1, "test");
        let (done, wait) = mpsc::channel();
        for n in 0..4 {
            let done = done.clone();
            let job = move || {
                assert!(n % 2 == 1, "on purpose");
                done.send(n).unwrap();
            };
            jobs.submit(None, Do(job)).unwrap();
        }
        for n in [1, 3] {
            assert_eq!(wait.recv_timeout(PATIENCE), Ok(n));
        }
    }
}

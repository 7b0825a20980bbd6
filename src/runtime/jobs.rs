//! A pool of threads for work that blocks.
//!
//! Work is spread over a fixed number of queues, one thread each; what shares a key shares
//! a queue and runs in order. What has no key goes to a thread that has nothing to do, first of all to the
//! one that had the last of it: for short work one thread is awake instead of all.
//!
//! Threads are started when their queue first gets work, take all of it that is there at once, and look for
//! more for a moment before they sleep. Where jobs come in a row they let some gather: each that is taken
//! by itself has both sides wait for a line of memory, which takes longer than the job.
//!
//! What was queued runs even when the pool is being dropped, since somebody may be waiting for
//! its end; then the threads go.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::lock::{Guard, Lock, Lookout, Signal, spin_for};
use crate::os::thread;

/// Some work; it tells its result itself, as a task on a turn.
pub(crate) trait Job: Send + 'static {
    /// Does it.
    fn run(self);
}

/// See the module's text.
pub(crate) struct Jobs<J> {
    lanes: Box<[Arc<Lane<J>>]>,
    /// The lane that had the last job without a key.
    recent: AtomicUsize,
}

struct Lane<J> {
    name: String,
    door: Door<J>,
    own: Own,
}

/// Where jobs are handed over: changed by all.
#[repr(align(64))]
struct Door<J> {
    /// Whether jobs are in the queue, for who looks without the lock.
    filled: AtomicBool,
    queue: Lock<Queue<J>>,
    work: Signal,
}

/// What the lane's thread alone changes; apart, since it does so with each job.
#[repr(align(64))]
struct Own {
    lookout: Lookout,
    /// Jobs that the thread has taken out of the queue and that have not ended.
    in_hand: AtomicUsize,
}

struct Queue<J> {
    jobs: VecDeque<J>,
    started: bool,
    asleep: bool,
    stopped: bool,
}

/// So many lanes are asked whether they are free.
const LANES_TRIED: usize = 8;

/// Moments, of some nanoseconds each, that a thread lets jobs gather where some came together the last time: at
/// first, and at most.
const MOMENTS_FIRST: u32 = 8;
const MOMENTS_MAX: u32 = 64;

/// A thread that has done more jobs than this in a row gives their room back.
const ROOM_KEPT: usize = 1024;

impl<J: Job> Jobs<J> {
    /// A pool of `threads` threads (1 to 1024), whose names start with `prefix`.
    pub(crate) fn new(threads: usize, prefix: &str) -> Jobs<J> {
        let lane = |number| Lane {
            name: format!("{prefix}_{number}"),
            door: Door {
                filled: AtomicBool::new(false),
                queue: Lock::new(Queue {
                    jobs: VecDeque::new(),
                    started: false,
                    asleep: false,
                    stopped: false,
                }),
                work: Signal::new(),
            },
            own: Own {
                lookout: Lookout::new(),
                in_hand: AtomicUsize::new(0),
            },
        };
        Jobs {
            lanes: (1..=threads.clamp(1, 1024))
                .map(|number| Arc::new(lane(number)))
                .collect(),
            recent: AtomicUsize::new(0),
        }
    }

    /// How many jobs wait or run.
    pub(crate) fn unfinished(&self) -> usize {
        let of_lane = |lane: &Arc<Lane<J>>| {
            // Jobs move from the queue to the thread under the queue's lock.
            let queue = lane.door.queue.lock();
            queue.jobs.len() + lane.own.in_hand.load(Ordering::Relaxed)
        };
        self.lanes.iter().map(of_lane).sum()
    }

    /// How many threads the pool has.
    pub(crate) fn threads(&self) -> usize {
        self.lanes.len()
    }

    /// Queues `job`, in the lane that `key` names or in one that is free, if there is one; the lane's index is
    /// returned. An error means that the lane's thread could not be started and the job
    /// was not taken.
    pub(crate) fn submit(
        &self,
        key: Option<usize>,
        job: impl FnOnce() -> J,
    ) -> Result<usize, std::io::Error> {
        let at = |index: usize| index % self.lanes.len();
        // Where there is but one thread there is no choice.
        if let Some(key) = key.or((self.lanes.len() == 1).then_some(0)) {
            let lane = &self.lanes[at(key)];
            lane.push(lane.door.queue.lock(), job)?;
            return Ok(at(key));
        }
        self.submit_to_any(job)
    }

    fn submit_to_any(&self, job: impl FnOnce() -> J) -> Result<usize, std::io::Error> {
        let at = |index: usize| index % self.lanes.len();
        let recent = self.recent.load(Ordering::Relaxed);
        for index in (recent..recent + self.lanes.len().min(LANES_TRIED)).map(at) {
            let lane = &self.lanes[index];
            if let Some(queue) = lane.queue_if_free() {
                if index != recent {
                    self.recent.store(index, Ordering::Relaxed);
                }
                lane.push(queue, job)?;
                return Ok(index);
            }
        }
        let index = at(recent + 1);
        self.recent.store(index, Ordering::Relaxed);
        let lane = &self.lanes[index];
        lane.push(lane.door.queue.lock(), job)?;
        Ok(index)
    }
}

impl<J> Drop for Jobs<J> {
    fn drop(&mut self) {
        for lane in &self.lanes {
            lane.door.queue.lock().stopped = true;
            lane.door.work.notify_one();
        }
    }
}

impl<J: Job> Lane<J> {
    /// The queue, if neither it nor the thread has a job.
    fn queue_if_free(&self) -> Option<Guard<'_, Queue<J>>> {
        let is_free = || self.own.in_hand.load(Ordering::Relaxed) == 0;
        if self.door.filled.load(Ordering::Relaxed) || !is_free() {
            return None;
        }
        let queue = self.door.queue.lock();
        // Jobs move from the queue to the thread under the queue's lock.
        (queue.jobs.is_empty() && is_free()).then_some(queue)
    }

    #[inline(always)] // so that the job is put together where it stays
    fn push(
        self: &Arc<Self>,
        mut queue: Guard<'_, Queue<J>>,
        job: impl FnOnce() -> J,
    ) -> Result<(), std::io::Error> {
        if !queue.started {
            self.start()?;
            queue.started = true;
        }
        queue.jobs.push_back(job());
        self.door.filled.store(true, Ordering::Relaxed);
        let asleep = std::mem::take(&mut queue.asleep);
        drop(queue);
        if asleep {
            self.door.work.notify_one();
        }
        Ok(())
    }

    #[cold]
    fn start(self: &Arc<Self>) -> Result<(), std::io::Error> {
        let served = Arc::clone(self);
        thread::spawn(&self.name, move || served.serve())
    }

    fn serve(&self) {
        let (mut taken, mut moments) = (VecDeque::new(), 0);
        while self.take(&mut taken, moments) {
            moments = match taken.len() {
                1 => moments / 2,
                _ => (2 * moments).clamp(MOMENTS_FIRST, MOMENTS_MAX),
            };
            while let Some(job) = taken.pop_front() {
                if catch_unwind(AssertUnwindSafe(|| job.run())).is_err() {
                    tracing::error!("a job panicked; its thread goes on");
                }
                self.own.in_hand.store(taken.len(), Ordering::Relaxed);
            }
            taken.shrink_to(ROOM_KEPT);
        }
    }

    /// Takes the jobs that are there, after so many moments more, and waits for some. False when there will never
    /// be any.
    fn take(&self, taken: &mut VecDeque<J>, moments: u32) -> bool {
        let is_filled = || self.door.filled.load(Ordering::Relaxed);
        self.own.lookout.look(is_filled);
        if is_filled() {
            spin_for(moments, || false);
        }
        let mut queue = self.door.queue.lock();
        while queue.jobs.is_empty() {
            if queue.stopped {
                return false;
            }
            queue.asleep = true;
            self.door.work.wait(&mut queue, None);
        }
        queue.asleep = false;
        std::mem::swap(&mut queue.jobs, taken);
        self.door.filled.store(false, Ordering::Relaxed);
        self.own.in_hand.store(taken.len(), Ordering::Relaxed);
        true
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

    fn wait_until(there: impl Fn() -> bool) {
        let deadline = std::time::Instant::now() + PATIENCE;
        while !there() {
            assert!(std::time::Instant::now() < deadline, "it never came so far");
            std::thread::yield_now();
        }
    }

    #[test]
    fn one_key_is_one_thread_and_in_order() {
        let jobs = Jobs::new(3, "test");
        let (done, wait) = mpsc::channel();
        for n in 0..100 {
            let done = done.clone();
            let lane = jobs.submit(Some(7), || Do(move || done.send(n).unwrap()));
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
            jobs.submit(None, || Do(move || done.send(n).unwrap()))
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
            jobs.submit(None, || Do(job)).unwrap();
        }
        for n in 0..3 {
            assert_eq!(has_begun.recv_timeout(PATIENCE), Ok(n));
            assert_eq!(jobs.unfinished(), 3 - n);
            go_on.send(()).unwrap();
        }
        wait_until(|| jobs.unfinished() == 0);
    }

    #[test]
    fn what_has_no_key_goes_where_nothing_is_to_be_done() {
        let jobs = Jobs::new(3, "test");
        let (done, wait) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let waits = move || may_go_on.recv_timeout(PATIENCE).unwrap();
        let waits: Box<dyn FnOnce() + Send> = Box::new(waits);
        let busy = jobs.submit(None, || Do(waits)).unwrap();
        for _ in 0..100 {
            let done = done.clone();
            let quick = Box::new(move || done.send(()).unwrap());
            let lane = jobs.submit(None, || Do(quick));
            assert_ne!(lane.unwrap(), busy);
            wait.recv_timeout(PATIENCE).expect("it waits for nobody");
            wait_until(|| jobs.unfinished() == 1);
        }
        go_on.send(()).unwrap();
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
            jobs.submit(None, || Do(job)).unwrap();
        }
        for n in [1, 3] {
            assert_eq!(wait.recv_timeout(PATIENCE), Ok(n));
        }
    }
}

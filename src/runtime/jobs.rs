//! A pool of threads for work that blocks.
//!
//! Work is spread over a fixed number of queues, one thread each; what shares a key shares
//! a queue and runs in order. Threads are started when their queue first gets work. What
//! was queued runs even when the pool is being dropped, since somebody may be waiting for
//! its end; then the threads go.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::lock::{Lock, Signal};
use crate::os::thread;

/// Some work; it tells its result itself, as a task on a turn.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// See the module's text.
pub(crate) struct Jobs {
    lanes: Box<[Arc<Lane>]>,
    spread: AtomicUsize,
    unfinished: Arc<AtomicUsize>,
}

struct Lane {
    name: String,
    queue: Lock<Queue>,
    work: Signal,
    /// Of all lanes: the jobs that have not ended.
    unfinished: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    started: bool,
    stopped: bool,
}

impl Jobs {
    /// A pool of `threads` threads (1 to 1024), whose names start with `prefix`.
    pub(crate) fn new(threads: usize, prefix: &str) -> Jobs {
        let unfinished = Arc::<AtomicUsize>::default();
        let lanes = (1..=threads.clamp(1, 1024))
            .map(|number| {
                Arc::new(Lane {
                    name: format!("{prefix}_{number}"),
                    queue: Lock::new(Queue::default()),
                    work: Signal::new(),
                    unfinished: Arc::clone(&unfinished),
                })
            })
            .collect();
        Jobs {
            lanes,
            spread: AtomicUsize::new(0),
            unfinished,
        }
    }

    /// How many jobs wait or run.
    pub(crate) fn unfinished(&self) -> usize {
        self.unfinished.load(Ordering::Relaxed)
    }

    /// How many threads the pool has.
    pub(crate) fn threads(&self) -> usize {
        self.lanes.len()
    }

    /// Queues `job`, in the lane that `key` names or in the next one; the lane's index is
    /// returned. An error means that the lane's thread could not be started and the job
    /// was not taken.
    pub(crate) fn submit(&self, key: Option<usize>, job: Job) -> Result<usize, std::io::Error> {
        let index =
            key.unwrap_or_else(|| self.spread.fetch_add(1, Ordering::Relaxed)) % self.lanes.len();
        let lane = &self.lanes[index];
        let mut queue = lane.queue.lock();
        if !queue.started {
            let served = Arc::clone(lane);
            thread::spawn(&lane.name, move || served.serve())?;
            queue.started = true;
        }
        queue.jobs.push_back(job);
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        drop(queue);
        lane.work.notify_one();
        Ok(index)
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        for lane in &self.lanes {
            lane.queue.lock().stopped = true;
            lane.work.notify_one();
        }
    }
}

impl Lane {
    fn serve(&self) {
        loop {
            let mut queue = self.queue.lock();
            let job = loop {
                if let Some(job) = queue.jobs.pop_front() {
                    break job;
                }
                if queue.stopped {
                    return;
                }
                self.work.wait(&mut queue, None);
            };
            drop(queue);
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
                tracing::error!("a job panicked; its thread goes on");
            }
            self.unfinished.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn one_key_is_one_thread_and_in_order() {
        let jobs = Jobs::new(3, "test");
        let (done, wait) = mpsc::channel();
        for n in 0..100 {
            let done = done.clone();
            let lane = jobs.submit(Some(7), Box::new(move || done.send(n).unwrap()));
            assert_eq!(lane.unwrap(), 1);
        }
        for n in 0..100 {
            assert_eq!(wait.recv_timeout(Duration::from_secs(10)), Ok(n));
        }
    }

    #[test]
    fn what_was_queued_runs_after_the_pool_is_dropped() {
        let jobs = Jobs::new(1, "test");
        let (done, wait) = mpsc::channel();
        for n in 0..10 {
            let done = done.clone();
            jobs.submit(None, Box::new(move || done.send(n).unwrap()))
                .unwrap();
        }
        drop(jobs);
        drop(done);
        assert_eq!(wait.into_iter().count(), 10);
    }
}

//! The threads that run turns whose tasks nobody ran inline.
//!
//! Threads are started when there is work for them, up to a bound, and end when the last
//! [`Arc<Workers>`] of a host goes. Turns are served in the order they were scheduled. Where
//! the system gives no thread at all, the thread that brought the work does it.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::sync::Arc;

use crate::lock::{Lock, Signal};
use crate::os::{fence, thread};
use crate::runtime::turn::Turn;

/// See the module's text.
pub(crate) struct Workers {
    shared: Arc<Shared>,
    threads_max: usize,
}

struct Shared {
    queue: Lock<Queue>,
    work: Signal,
}

#[derive(Default)]
struct Queue {
    turns: VecDeque<Arc<Turn>>,
    threads: usize,
    idle: usize,
    stopped: bool,
    /// Whether a thread that is no worker serves, for want of workers.
    helped: bool,
}

impl Workers {
    /// Workers with at most `threads_max` threads, none of them started yet.
    pub(crate) fn new(threads_max: usize) -> Arc<Workers> {
        // For the turns.
        fence::prepare();
        Arc::new(Workers {
            shared: Arc::new(Shared {
                queue: Lock::new(Queue::default()),
                work: Signal::new(),
            }),
            threads_max: threads_max.max(1),
        })
    }

    /// How many threads may run at once.
    pub(crate) fn threads_max(&self) -> usize {
        self.threads_max
    }

    /// Has some thread visit `turn` soon.
    pub(crate) fn schedule(&self, turn: Arc<Turn>) {
        let mut queue = self.shared.queue.lock();
        if queue.stopped {
            return;
        }
        queue.turns.push_back(turn);
        if queue.idle >= queue.turns.len() {
            drop(queue);
            self.shared.work.notify_one();
        } else if queue.threads < self.threads_max {
            queue.threads += 1;
            let number = queue.threads;
            drop(queue);
            self.start_thread(number);
        }
    }

    fn start_thread(&self, number: usize) {
        let shared = Arc::clone(&self.shared);
        let started = thread::spawn(&format!("wharf_work_{number}"), move || shared.serve());
        if let Err(error) = started {
            tracing::error!(%error, "no thread could be started to run port work");
            let mut queue = self.shared.queue.lock();
            queue.threads -= 1;
            if queue.threads == 0 && !std::mem::replace(&mut queue.helped, true) {
                drop(queue);
                self.shared.help();
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let mut queue = self.shared.queue.lock();
        queue.stopped = true;
        let left = std::mem::take(&mut queue.turns);
        drop(queue);
        self.shared.work.notify_all();
        drop(left);
    }
}

impl Shared {
    fn serve(&self) {
        loop {
            let mut queue = self.queue.lock();
            let turn = loop {
                if queue.stopped {
                    return;
                }
                if let Some(turn) = queue.turns.pop_front() {
                    break turn;
                }
                queue.idle += 1;
                self.work.wait(&mut queue, None);
                queue.idle -= 1;
            };
            drop(queue);
            turn.visit();
        }
    }

    /// Serves what waits, and comes back.
    fn help(&self) {
        loop {
            let mut queue = self.queue.lock();
            let Some(turn) = queue.turns.pop_front() else {
                queue.helped = false;
                return;
            };
            drop(queue);
            turn.visit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn work_is_done_by_those_who_bring_it_where_there_are_no_threads() {
        let workers = Workers::new(1);
        // As if a thread had been counted that could then not be started.
        workers.shared.queue.lock().threads = 1;
        let turn = Turn::new(&workers);
        let done = Arc::new(AtomicUsize::new(0));
        for _ in 0..200 {
            let done = Arc::clone(&done);
            turn.post(Box::new(move |_| {
                done.fetch_add(1, Ordering::Relaxed);
            }));
        }
        assert_eq!(done.load(Ordering::Relaxed), 0);
        workers.shared.queue.lock().helped = true;
        workers.shared.help();
        assert_eq!(done.load(Ordering::Relaxed), 200);
        assert!(!workers.shared.queue.lock().helped);
    }
}

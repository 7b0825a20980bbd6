//! Turns: nobody is ever beside somebody on one, nothing that was left is forgotten, and what one
//! thread asks for happens in the order it asked.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use loom::cell::UnsafeCell;
use loom::thread;

use crate::lock::{Lock, Signal};
use crate::os::fence;
use crate::runtime::turn::{OnTurn, Turn, TurnCell};
use crate::runtime::workers::Workers;

/// Data that loom sees being touched: two at a time fail the model.
struct Seen(UnsafeCell<Vec<u32>>);

impl Seen {
    fn push(&self, number: u32) {
        self.0.with_mut(|list| unsafe { (*list).push(number) });
    }

    fn list(&self) -> Vec<u32> {
        self.0.with(|list| unsafe { (*list).clone() })
    }
}

/// A turn, its data, and how many tasks are still to run.
struct World {
    turn: Arc<Turn>,
    cell: TurnCell<Seen>,
    left: Lock<usize>,
    done: Signal,
}

impl World {
    fn new(threads_max: usize, tasks: usize) -> Arc<World> {
        let turn = Turn::new(&Workers::new(threads_max));
        let cell = TurnCell::new(&turn, Seen(UnsafeCell::new(Vec::new())));
        Arc::new(World {
            turn,
            cell,
            left: Lock::new(tasks),
            done: Signal::new(),
        })
    }

    /// Notes a number, now or in its time.
    fn ask(self: &Arc<World>, number: u32) {
        let world = Arc::clone(self);
        self.turn.run_or_post(move |on| world.run(on, number));
    }

    /// Leaves it for a worker.
    fn leave(self: &Arc<World>, number: u32) {
        let world = Arc::clone(self);
        self.turn.post(Box::new(move |on| world.run(on, number)));
    }

    fn run(&self, on: &mut OnTurn<'_>, number: u32) {
        self.cell.get(on).push(number);
        let mut left = self.left.lock();
        *left -= 1;
        drop(left);
        self.done.notify_all();
    }

    /// Waits for all tasks, and gives the numbers in the order they came. A task that is
    /// forgotten is a deadlock.
    fn finish(&self) -> Vec<u32> {
        let mut left = self.left.lock();
        while *left > 0 {
            self.done.wait(&mut left, None);
        }
        drop(left);
        loop {
            if let Some(mut visit) = self.turn.enter() {
                return self.cell.get(visit.on()).list();
            }
            thread::yield_now();
        }
    }
}

fn in_order(list: &[u32], of: &[u32]) -> bool {
    let seen: Vec<u32> = list
        .iter()
        .copied()
        .filter(|number| of.contains(number))
        .collect();
    seen == of
}

pub(crate) fn search() {
    for (helps, fences) in [(false, "fences of its own"), (true, "the kernel's fences")] {
        fence::HELPS.store(helps, Ordering::Relaxed);
        search_with(fences);
    }
}

fn search_with(fences: &str) {
    let search = |name, model: fn()| crate::search(&format!("turn with {fences}: {name}"), model);
    search("two threads ask for two things each", || {
        let world = World::new(1, 4);
        let other = Arc::clone(&world);
        let asker = thread::spawn(move || {
            other.ask(1);
            other.ask(2);
        });
        world.ask(11);
        world.ask(12);
        asker.join().unwrap();
        let list = world.finish();
        assert!(
            in_order(&list, &[1, 2]) && in_order(&list, &[11, 12]),
            "{list:?}"
        );
    });
    search("one leaves tasks, one asks", || {
        let world = World::new(1, 3);
        let other = Arc::clone(&world);
        let asker = thread::spawn(move || other.ask(1));
        world.leave(11);
        world.ask(12);
        asker.join().unwrap();
        let list = world.finish();
        assert!(in_order(&list, &[11, 12]), "{list:?}");
        assert_eq!(list.len(), 3);
    });
    search("a task leaves another one", || {
        let world = World::new(1, 3);
        let again = Arc::clone(&world);
        world.turn.post(Box::new(move |on| {
            again.leave(2);
            again.run(on, 1);
        }));
        world.ask(3);
        let list = world.finish();
        assert!(in_order(&list, &[1, 2]), "{list:?}");
    });
    search("two turns share one worker", || {
        let (one, two) = (World::new(1, 1), World::new(1, 1));
        let other = Arc::clone(&two);
        let asker = thread::spawn(move || other.leave(1));
        one.leave(2);
        asker.join().unwrap();
        assert_eq!((one.finish(), two.finish()), (vec![2], vec![1]));
    });
}

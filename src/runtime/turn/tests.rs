//! Who enters, what is left, in which order.
#![forbid(unsafe_code)]

use super::*;
use std::sync::mpsc;
use std::time::Duration;

/// More than a worker runs at one visit. Miri is slow.
const TASKS: i32 = if cfg!(miri) { 70 } else { 1000 };

const PATIENCE: Duration = Duration::from_secs(if cfg!(miri) { 600 } else { 10 });

fn turn() -> Arc<Turn> {
    Turn::new(&Workers::new(2))
}

#[test]
fn an_idle_turn_runs_on_the_callers_thread() {
    let turn = turn();
    let here = std::thread::current().id();
    let (ran, wait) = mpsc::channel();
    turn.run_or_post(move |_| ran.send(std::thread::current().id()).unwrap());
    assert_eq!(wait.try_recv(), Ok(here));
}

#[test]
fn a_taken_turn_refuses_and_runs_left_tasks_in_order_afterwards() {
    let turn = turn();
    let cell = Arc::new(TurnCell::new(&turn, Vec::new()));
    let (done, wait) = mpsc::channel();
    {
        let mut visit = turn.enter().expect("idle");
        assert!(turn.enter().is_none());
        for n in 0..TASKS {
            let cell = Arc::clone(&cell);
            let done = done.clone();
            turn.post(Box::new(move |on| {
                cell.get(on).push(n);
                if n == TASKS - 1 {
                    done.send(cell.get(on).clone()).ok();
                }
            }));
        }
        cell.get(visit.on()).push(-1);
    }
    let seen = wait.recv_timeout(PATIENCE).expect("all tasks run");
    assert_eq!(seen, (-1..TASKS).collect::<Vec<_>>());
}

#[test]
fn lent_turns_come_back_to_the_functions_called_inside() {
    let turn = turn();
    let cell = TurnCell::new(&turn, 0);
    assert!(turn.with_lent(|_| ()).is_none());
    let mut visit = turn.enter().expect("idle");
    let on = visit.on();
    *cell.get(on) = 1;
    on.lend(ptr::null(), || {
        turn.with_lent(|on| {
            *cell.get(on) += 1;
            assert!(turn.with_lent(|_| ()).is_none(), "already in use");
            on.lend(ptr::null(), || turn.with_lent(|on| *cell.get(on) += 1));
        })
    });
    assert_eq!(*cell.get(on), 3);
    assert!(turn.with_lent(|_| ()).is_none());
}

#[test]
fn a_turn_that_is_held_runs_nothing_else() {
    let turn = turn();
    let mut hold = turn.hold().expect("idle");
    assert!(turn.hold().is_none() && turn.enter().is_none());
    let (ran, wait) = mpsc::channel();
    turn.post(Box::new(move |_| ran.send(()).unwrap()));
    assert!(hold.run(|_| thread_is_on_a_turn()));
    assert!(!thread_is_on_a_turn());
    assert!(wait.try_recv().is_err());
    drop(hold);
    wait.recv_timeout(PATIENCE).expect("its time has come");
}

#[test]
fn a_panicking_task_leaves_the_turn_usable() {
    let turn = turn();
    let (done, wait) = mpsc::channel();
    turn.post(Box::new(|_| panic!("on purpose")));
    turn.post(Box::new(move |_| done.send(()).unwrap()));
    wait.recv_timeout(PATIENCE).expect("the next task runs");
}

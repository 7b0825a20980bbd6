//! Who gets which message, and when.
#![forbid(unsafe_code)]

use super::*;
use crate::term::Term;
use std::time::Duration;

struct NoPump;

impl Pump for NoPump {
    fn pump(&self, _: &dyn Fn() -> bool, _: Option<Instant>) -> bool {
        false
    }
    fn kick(&self) {}
}

fn mailbox(messages_max: usize) -> Mailbox {
    Mailbox::new(Arc::new(NoPump), messages_max)
}

fn number(n: i64) -> Message {
    Message::Term(Term::from(n))
}

fn as_number(message: &Message) -> Option<i64> {
    message.clone().into_term().as_int()
}

fn soon() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(10))
}

#[test]
fn messages_are_chosen_in_order_and_the_others_stay() {
    let mailbox = mailbox(100);
    for n in 1..=6 {
        assert_eq!(mailbox.push(number(n)), Pushed::Kept);
    }
    let even = |m: &mut Message| as_number(m).filter(|n| n % 2 == 0);
    assert_eq!(mailbox.receive(even, soon().into()), Ok(Some(2)));
    mailbox.push(number(7));
    assert_eq!(mailbox.receive(even, soon().into()), Ok(Some(4)));
    let mut rest = Vec::new();
    while let Ok(Some(n)) = mailbox.receive(|m| as_number(m), Some(Instant::now()).into()) {
        rest.push(n);
    }
    assert_eq!(rest, [1, 3, 5, 6, 7]);
}

#[test]
fn the_first_message_is_taken_the_short_way_once_a_receiver_has_collected_several() {
    let mailbox = mailbox(100);
    let take = |message: &mut Message| as_number(&std::mem::take(message));
    assert_eq!(mailbox.take_first(take), None);
    mailbox.push(number(1));
    assert_eq!(mailbox.take_first(|_| None::<()>), None);
    assert_eq!((mailbox.take_first(take), mailbox.len()), (Some(1), 0));
    mailbox.push(number(2));
    mailbox.push(number(3));
    assert_eq!(mailbox.take_first(take), None, "there are two");
    // A receiver that looks for something else leaves both on its side.
    let none = mailbox.receive(|_| None::<()>, Some(Instant::now()).into());
    assert_eq!(none, Ok(None));
    mailbox.push(number(4));
    assert_eq!(mailbox.take_first(|_| None::<()>), None);
    assert_eq!((mailbox.take_first(take), mailbox.len()), (Some(2), 2));
    let order: Vec<_> = std::iter::from_fn(|| {
        let next = mailbox.receive(|m| as_number(m), Some(Instant::now()).into());
        next.expect("alive")
    })
    .collect();
    assert_eq!(order, [3, 4]);
    assert_eq!(mailbox.take_first(take), None);
}

#[test]
fn a_batch_comes_in_order_as_far_as_there_is_a_place() {
    let mailbox = mailbox(5);
    let batch = |range: std::ops::Range<i64>| range.map(number).collect::<Batch>();
    assert_eq!(mailbox.push_all(&mut batch(1..3)), Pushed::Kept);
    assert_eq!(mailbox.push(number(3)), Pushed::Kept);
    let mut more = batch(4..8);
    assert_eq!(mailbox.push_all(&mut more), Pushed::Full);
    assert!(more.is_empty());
    assert_eq!(mailbox.push_all(&mut batch(8..9)), Pushed::Full);
    let mut got = Vec::new();
    while let Ok(Some(n)) = mailbox.receive(|m| as_number(m), Some(Instant::now()).into()) {
        got.push(n);
    }
    assert_eq!(got, [1, 2, 3, 4, 5]);
    mailbox.close();
    assert_eq!(mailbox.push_all(&mut batch(1..2)), Pushed::Closed);
}

#[test]
fn a_waiting_receiver_is_woken_by_a_batch() {
    let mailbox = Arc::new(mailbox(100));
    std::thread::scope(|scope| {
        let waiting = Arc::clone(&mailbox);
        let receiver = scope.spawn(move || waiting.receive(|m| as_number(m), soon().into()));
        while !matches!(mailbox.inbox.0.lock().waiting, Waiting::Asleep) {
            std::thread::yield_now();
        }
        mailbox.push_all(&mut [number(1), number(2)].into_iter().collect());
        assert_eq!(receiver.join().unwrap(), Ok(Some(1)));
    });
}

#[test]
fn a_waiting_receiver_is_woken_by_a_push_and_by_the_end() {
    let mailbox = Arc::new(mailbox(100));
    std::thread::scope(|scope| {
        let receiver = scope.spawn(|| {
            let first = mailbox.receive(|m| as_number(m), None.into());
            let second = mailbox.receive(|m| as_number(m), None.into());
            (first, second)
        });
        mailbox.push(number(1));
        while mailbox.len() > 0 {
            std::thread::yield_now();
        }
        mailbox.close();
        assert_eq!(receiver.join().unwrap(), (Ok(Some(1)), Err(Closed)));
    });
    assert_eq!(mailbox.push(number(2)), Pushed::Closed);
}

#[test]
fn a_full_mailbox_says_so() {
    let mailbox = mailbox(2);
    assert_eq!(mailbox.push(number(1)), Pushed::Kept);
    assert_eq!(mailbox.push(number(2)), Pushed::Kept);
    assert_eq!(mailbox.push(number(3)), Pushed::Full);
    let none = mailbox.receive(|_| None::<()>, Some(Instant::now()).into());
    assert_eq!(none, Ok(None));
    assert_eq!(
        mailbox.push(number(3)),
        Pushed::Full,
        "looked at, but there"
    );
}

#[test]
fn messages_that_a_receiver_left_are_counted_while_it_waits() {
    let mailbox = mailbox(100);
    std::thread::scope(|scope| {
        scope.spawn(|| mailbox.receive(|m| as_number(m).filter(|n| *n == 0), soon().into()));
        for n in 1..=3 {
            assert_eq!(mailbox.push(number(n)), Pushed::Kept);
        }
        let deadline = soon().unwrap();
        while mailbox.side.0.kept_number.load(Ordering::Relaxed) < 3 {
            assert!(Instant::now() < deadline);
            std::thread::yield_now();
        }
        assert_eq!(mailbox.len(), 3);
        mailbox.push(number(0));
    });
    assert_eq!(mailbox.len(), 3);
}

/// Pushes to the mailbox that it was in.
#[derive(Debug)]
struct Parting(std::sync::Weak<Mailbox>);

impl crate::term::FunObject for Parting {
    fn arity(&self) -> usize {
        0
    }
    fn name(&self) -> String {
        String::new()
    }
}

impl Drop for Parting {
    fn drop(&mut self) {
        if let Some(mailbox) = self.0.upgrade() {
            assert_eq!(mailbox.push(number(1)), Pushed::Closed);
        }
    }
}

#[test]
fn what_a_dropped_message_ends_may_come_back_to_the_mailbox() {
    let mailbox = Arc::new(mailbox(100));
    let parting = || Parting(Arc::downgrade(&mailbox));
    let message = || Message::Term(Term::Fun(crate::term::Fun::new(parting())));
    mailbox.push(message());
    std::thread::scope(|scope| {
        let receiver = scope.spawn(|| mailbox.receive(|_| None::<()>, soon().into()));
        let deadline = soon().unwrap();
        while mailbox.side.0.kept_number.load(Ordering::Relaxed) < 1 {
            assert!(Instant::now() < deadline);
            std::thread::yield_now();
        }
        mailbox.close();
        assert_eq!(receiver.join().unwrap(), Err(Closed));
    });
}

#[test]
fn a_task_s_waker_is_dropped_outside_the_lock() {
    struct Comes(Arc<Mailbox>);
    impl std::task::Wake for Comes {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Comes {
        fn drop(&mut self) {
            self.0.push(number(9));
        }
    }
    let mailbox = Arc::new(mailbox(100));
    let waker = Waker::from(Arc::new(Comes(Arc::clone(&mailbox))));
    let polled = mailbox.poll_receive(&mut Context::from_waker(&waker), |m| as_number(m));
    assert_eq!(polled, Poll::Pending);
    drop(waker);
    // A thread takes over from the task, whose last trace is the waker.
    assert_eq!(
        mailbox.receive(|m| as_number(m), soon().into()),
        Ok(Some(9))
    );
}

//! When a mailbox's bell rings, and when it is silent.
#![forbid(unsafe_code)]

use super::*;
use crate::term::Term;

struct NoPump;

impl Pump for NoPump {
    fn pump(&self, _: &dyn Fn() -> bool, _: Option<Instant>) -> bool {
        false
    }
    fn kick(&self) {}
}

fn mailbox() -> Mailbox {
    Mailbox::new(Arc::new(NoPump), 100)
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

/// Whether it rings.
#[derive(Default)]
struct Doorbell(std::sync::atomic::AtomicBool);

impl Bell for Doorbell {
    fn ring(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
    fn silence(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

fn belled(mailbox: &Mailbox) -> Arc<Doorbell> {
    let doorbell = Arc::<Doorbell>::default();
    mailbox.ring_with(Arc::clone(&doorbell) as _);
    doorbell
}

#[test]
fn the_bell_rings_while_something_can_be_received() {
    let mailbox = mailbox();
    mailbox.push(number(1));
    let doorbell = belled(&mailbox);
    let rings = || doorbell.0.load(Ordering::SeqCst);
    let now = || Some(Instant::now()).into();
    assert!(rings(), "what came before the bell");
    assert_eq!(mailbox.receive(|m| as_number(m), now()), Ok(Some(1)));
    assert!(!rings());
    mailbox.push(number(2));
    mailbox.push(number(3));
    assert!(rings());
    let third = |m: &mut Message| as_number(m).filter(|n| *n == 3);
    assert_eq!(mailbox.receive(third, now()), Ok(Some(3)));
    assert!(rings(), "one was left");
    assert_eq!(mailbox.receive(|_| None::<()>, now()), Ok(None));
    assert!(rings(), "looked at, and left");
    assert_eq!(mailbox.receive(|m| as_number(m), now()), Ok(Some(2)));
    assert!(!rings());
    mailbox.close();
    assert!(rings(), "the end is to be noticed");
    assert_eq!(mailbox.receive(|m| as_number(m), now()), Err(Closed));
    assert!(rings());
}

#[test]
fn the_bell_rings_for_a_task_that_nobody_polls_any_more() {
    let mailbox = mailbox();
    let doorbell = belled(&mailbox);
    let mut task = Context::from_waker(Waker::noop());
    assert!(
        mailbox
            .poll_receive(&mut task, |m| as_number(m))
            .is_pending()
    );
    mailbox.push(number(1));
    assert!(doorbell.0.load(Ordering::SeqCst));
    let polled = mailbox.poll_receive(&mut task, |m| as_number(m));
    assert_eq!(polled, Poll::Ready(Ok(1)));
    assert!(!doorbell.0.load(Ordering::SeqCst));
}

#[test]
fn the_bell_rings_after_a_thread_has_waited() {
    let mailbox = mailbox();
    let doorbell = belled(&mailbox);
    std::thread::scope(|scope| {
        let receiver = scope.spawn(|| mailbox.receive(|m| as_number(m), soon().into()));
        mailbox.push(number(1));
        assert_eq!(receiver.join().unwrap(), Ok(Some(1)));
    });
    assert!(!doorbell.0.load(Ordering::SeqCst));
    mailbox.push(number(2));
    assert!(doorbell.0.load(Ordering::SeqCst));
}

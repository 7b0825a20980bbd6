//! The mailbox: no message is lost or doubled, each sender's come in order, and a receiver that
//! waits is woken, whichever way it waits.

use std::sync::Arc;
use std::time::Instant;

use loom::thread;

use crate::lock::{Lock, Signal};
use crate::process::mailbox::{Batch, Closed, Mailbox, Patience, Pump, Pushed};
use crate::process::signal::Message;

/// A kernel without events: who pumps sleeps until kicked.
#[derive(Default)]
pub(crate) struct Kernel {
    state: Lock<State>,
    kicked: Signal,
}

#[derive(Default)]
struct State {
    kicks: usize,
    taken: bool,
}

impl Pump for Kernel {
    fn pump(&self, done: &dyn Fn() -> bool, _: Option<Instant>) -> bool {
        let mut state = self.state.lock();
        if std::mem::replace(&mut state.taken, true) {
            return false;
        }
        drop(state);
        loop {
            if done() {
                self.state.lock().taken = false;
                return true;
            }
            let mut state = self.state.lock();
            while state.kicks == 0 {
                self.kicked.wait(&mut state, None);
            }
            state.kicks = 0;
        }
    }

    fn kick(&self) {
        self.state.lock().kicks += 1;
        self.kicked.notify_all();
    }
}

/// Somebody else pumps, always.
struct Elsewhere;

impl Pump for Elsewhere {
    fn pump(&self, _: &dyn Fn() -> bool, _: Option<Instant>) -> bool {
        false
    }

    fn kick(&self) {}
}

fn receive(mailbox: &Mailbox, wanted: impl Fn(u32) -> bool) -> Result<u32, Closed> {
    let chosen = mailbox.receive(
        |message| wanted(message.0).then_some(message.0),
        Patience::Forever,
    );
    chosen.map(|message| message.expect("no time to be up"))
}

fn two_senders(pump: Arc<dyn Pump>) {
    let mailbox = Arc::new(Mailbox::new(pump, 10));
    let other = Arc::clone(&mailbox);
    let sender = thread::spawn(move || {
        assert_eq!(other.push_with(|place| place.0 = 1), Pushed::Kept);
        assert_eq!(other.push_with(|place| place.0 = 2), Pushed::Kept);
    });
    let third = Arc::clone(&mailbox);
    let loner = thread::spawn(move || third.push_with(|place| place.0 = 11));
    let mut got = vec![receive(&mailbox, |_| true).unwrap()];
    got.push(receive(&mailbox, |_| true).unwrap());
    got.push(receive(&mailbox, |_| true).unwrap());
    sender.join().unwrap();
    assert_eq!(loner.join().unwrap(), Pushed::Kept);
    let place = |number| got.iter().position(|got| *got == number).expect("came");
    assert!(place(1) < place(2), "{got:?}");
    place(11);
    assert_eq!(mailbox.len(), 0);
}

pub(crate) fn search() {
    crate::search("mailbox: two senders, a receiver that sleeps", || {
        two_senders(Arc::new(Elsewhere));
    });
    crate::search(
        "mailbox: two senders, a receiver that polls the kernel",
        || {
            two_senders(Arc::new(Kernel::default()));
        },
    );
    crate::search("mailbox: a batch, and a receiver that sleeps", || {
        let mailbox = Arc::new(Mailbox::new(Arc::new(Elsewhere), 10));
        let other = Arc::clone(&mailbox);
        let sender = thread::spawn(move || {
            let mut batch: Batch = [Message(1), Message(2)].into_iter().collect();
            assert_eq!(other.push_all(&mut batch), Pushed::Kept);
        });
        let got = [(); 2].map(|()| receive(&mailbox, |_| true).unwrap());
        sender.join().unwrap();
        assert_eq!((got, mailbox.len()), ([1, 2], 0));
    });
    crate::search("mailbox: the one that is wanted comes last", || {
        let mailbox = Arc::new(Mailbox::new(Arc::new(Kernel::default()), 10));
        let other = Arc::clone(&mailbox);
        let sender = thread::spawn(move || {
            other.push_with(|place| place.0 = 1);
            other.push_with(|place| place.0 = 2);
        });
        assert_eq!(receive(&mailbox, |message| message == 2), Ok(2));
        assert_eq!(receive(&mailbox, |_| true), Ok(1));
        sender.join().unwrap();
    });
    crate::search("mailbox: closed while its receiver waits", || {
        let mailbox = Arc::new(Mailbox::new(Arc::new(Kernel::default()), 10));
        let other = Arc::clone(&mailbox);
        let closer = thread::spawn(move || {
            let pushed = other.push_with(|place| place.0 = 1);
            other.close();
            pushed
        });
        let got = receive(&mailbox, |message| message == 9);
        assert_eq!(got, Err(Closed));
        closer.join().unwrap();
        assert_eq!(
            (mailbox.push_with(|place| place.0 = 3), mailbox.len()),
            (Pushed::Closed, 0)
        );
    });
    crate::search("mailbox: two receivers, one message each", || {
        let mailbox = Arc::new(Mailbox::new(Arc::new(Elsewhere), 10));
        let other = Arc::clone(&mailbox);
        let receiver = thread::spawn(move || receive(&other, |_| true));
        mailbox.push_with(|place| place.0 = 1);
        mailbox.push_with(|place| place.0 = 2);
        let here = receive(&mailbox, |_| true).unwrap();
        let there = receiver.join().unwrap().unwrap();
        assert_eq!(here + there, 3);
    });
    crate::search("mailbox: no more than it may have", || {
        let mailbox = Arc::new(Mailbox::new(Arc::new(Elsewhere), 1));
        let other = Arc::clone(&mailbox);
        let sender = thread::spawn(move || other.push_with(|place| place.0 = 1));
        let here = mailbox.push_with(|place| place.0 = 2);
        let there = sender.join().unwrap();
        let kept = [here, there]
            .iter()
            .filter(|pushed| **pushed == Pushed::Kept)
            .count();
        assert_eq!((kept, mailbox.len()), (1, 1));
    });
}

//! A driver that takes long over what it is called for holds up nobody but itself: messages and
//! events of others arrive, and waits end when their time is over.

#[path = "support/gate.rs"]
mod gate;
#[path = "support/quiet.rs"]
mod quiet;
#[path = "support/world.rs"]
mod world;

use std::time::Duration;

use gate::Gate;
use quiet::{SOON, Watchdog, all_quiet, status, wait_until};
use wharf::{Host, Message, Options, PortName, Term};

/// What the driver stands still in, and how it gets there.
fn holds_up_nobody(name: &'static str, letter: &str, provoke: impl Fn(&mut Gate, &wharf::Port)) {
    let _watchdog = Watchdog::new(name);
    let host = Host::new().expect("a host");
    let (me, friend, late) = (host.process(), host.process(), host.process());
    gate::load(&me, name, "0");
    for round in 0..20 {
        let mut gate = Gate::new();
        let port = gate.open(&me, name, letter);
        std::thread::scope(|scope| {
            // Threads that wait for messages also wait for events of the kernel.
            let told = scope.spawn(|| friend.next(SOON));
            let timed_out = scope.spawn(|| late.next(Duration::from_millis(20)));
            wait_until("somebody waits", || {
                status(&friend) == "waiting" || told.is_finished()
            });
            provoke(&mut gate, &port);
            gate.reaches(letter);
            // The driver stands still from here on.
            me.send(&friend.pid().into(), Term::from(round))
                .expect("alive");
            let told = told.join().expect("no panic");
            assert_eq!(told, Ok(Some(Message::Other(Term::from(round)))));
            assert_eq!(timed_out.join().expect("no panic"), Ok(None));
            let options = Options::new().exit_status();
            let program = friend
                .open(PortName::spawn("true"), options)
                .expect("it runs");
            let over = friend.next_from(program.id(), SOON);
            let ended = Message::ExitStatus {
                port: program.id(),
                status: 0,
            };
            assert_eq!(over, Ok(Some(ended)));
            gate.let_go();
        });
        port.close().expect("open");
        gate.reaches("x");
        // The driver's last words.
        assert!(matches!(me.next(SOON), Ok(Some(Message::Data { .. }))));
        quiet::wait_for_no_ports(&host);
        gate.is_quiet(&host);
    }
    all_quiet(&host, &[&me, &friend, &late]);
}

#[test]
fn a_driver_slow_with_its_input_holds_up_nobody() {
    holds_up_nobody("slow_input", "i", |gate, _| gate.acknowledge(b'i'));
}

#[test]
fn a_driver_slow_with_its_timer_holds_up_nobody() {
    holds_up_nobody("slow_timer", "t", |_, port| {
        port.control(0, "t").expect("open");
    });
}

#[test]
fn a_driver_known_to_be_slow_does_not_hold_up_its_owner_either() {
    let _watchdog = Watchdog::new("slow_owner");
    let host = Host::new().expect("a host");
    let me = host.process();
    gate::load(&me, "slow_owner", "0");
    let mut gate = Gate::new();
    let port = gate.open(&me, "slow_owner", "i");
    for round in 0..10 {
        gate.acknowledge(b'i');
        if round == 0 {
            // The first time it takes long, which is what this is about.
            gate.reaches("i");
            std::thread::sleep(Duration::from_millis(100));
        } else {
            assert_eq!(me.next(Duration::from_millis(1)), Ok(None));
            gate.reaches("i");
            assert_eq!(me.next(Duration::from_millis(1)), Ok(None));
        }
        gate.let_go();
    }
    port.close().expect("open");
    gate.reaches("x");
    quiet::wait_for_no_ports(&host);
}

//! Commands, closes and other requests of one process reach a port in the order they were made,
//! also when the port was in use, or busy, at that moment.

#[path = "support/gate.rs"]
mod gate;
#[path = "support/quiet.rs"]
mod quiet;
#[path = "support/world.rs"]
mod world;

use gate::Gate;
use quiet::{SOON, Watchdog, all_quiet};
use wharf::{Host, Message, Options, PortName, Process, Term};

fn tell(owner: &Process, port: &wharf::Port, what: Term) {
    let message = Term::tuple([Term::Pid(owner.pid()), what]);
    owner.send(&port.id().into(), message).expect("a port");
}

fn command(text: &str) -> Term {
    Term::tuple([Term::atom("command"), Term::from(text)])
}

fn exit(port: &wharf::Port, reason: &str) -> Message {
    Message::Exit {
        from: port.id().into(),
        reason: Term::atom(reason),
    }
}

/// A command was sent while another process was inside the port, which turned busy there. What its
/// sender asks for next comes after it.
fn after_a_command_that_waits(
    name: &str,
    ask: impl FnOnce(&Process, &wharf::Port) + Send,
    reason: &str,
    last: Option<fn(wharf::PortId) -> Message>,
) {
    let _watchdog = Watchdog::new("after a command that waits");
    let host = Host::new().expect("a host");
    let (me, other) = (host.process(), host.process());
    me.set_trap_exit(true);
    gate::load(&me, name, "0");
    let mut gate = Gate::new();
    let port = gate.open(&me, name, "c");
    let theirs = port.on_behalf_of(&other);
    std::thread::scope(|scope| {
        let inside = scope.spawn(|| theirs.control(u32::from(b'g'), "b"));
        gate.reaches("c");
        tell(&me, &port, command("first"));
        gate.let_go();
        inside
            .join()
            .expect("no panic")
            .expect("the driver answers");
        // Now the command waits in the port.
        let asker = scope.spawn(|| ask(&me, &port));
        quiet::wait_until("it is asked", || {
            asker.is_finished() || quiet::status(&me) == "suspended"
        });
        theirs.control(0, "r").expect("the port is open");
        gate.reaches("ofirst");
        asker.join().expect("no panic");
    });
    gate.reaches("x");
    if me.exited().is_none() {
        assert_eq!(me.next(SOON), Ok(Some(exit(&port, reason))));
        let late = Message::Data {
            port: port.id(),
            bytes: "late".into(),
        };
        assert_eq!(me.next(SOON), Ok(Some(late)));
    }
    if let Some(last) = last {
        assert_eq!(me.next(SOON), Ok(Some(last(port.id()))));
    }
    all_quiet(&host, &[&me, &other]);
    gate.is_quiet(&host);
}

#[test]
fn a_close_by_message_comes_after_a_command_that_waits() {
    let close = |me: &Process, port: &wharf::Port| tell(me, port, Term::atom("close"));
    let closed = |port| Message::Closed { port };
    after_a_command_that_waits("order_message", close, "normal", Some(closed));
}

#[test]
fn a_close_comes_after_a_command_that_waits() {
    let close = |_: &Process, port: &wharf::Port| port.close().expect("open");
    after_a_command_that_waits("order_close", close, "normal", None);
}

#[test]
fn an_exit_signal_comes_after_a_command_that_waits() {
    let exit = |me: &Process, port: &wharf::Port| {
        let port = port.id().into();
        me.exit_signal(&port, Term::atom("normal")).expect("a port");
    };
    after_a_command_that_waits("order_exit", exit, "normal", None);
}

#[test]
fn a_control_comes_after_a_command_that_waits() {
    let fail = |_: &Process, port: &wharf::Port| {
        port.control(0, "a").expect("the port is open");
    };
    after_a_command_that_waits("order_control", fail, "failed", None);
}

/// Force passes a busy port, but not the command that its own process sent before.
#[test]
fn a_forced_command_comes_after_a_command_that_waits() {
    let _watchdog = Watchdog::new("a forced command");
    let host = Host::new().expect("a host");
    let (me, other) = (host.process(), host.process());
    gate::load(&me, "order_force", "ERL_DRV_FLAG_SOFT_BUSY");
    let mut gate = Gate::new();
    let port = gate.open(&me, "order_force", "c");
    let theirs = port.on_behalf_of(&other);
    std::thread::scope(|scope| {
        let inside = scope.spawn(|| theirs.control(u32::from(b'g'), "b"));
        gate.reaches("c");
        tell(&me, &port, command("first"));
        gate.let_go();
        let inside = inside.join().expect("no panic");
        inside.expect("the driver answers");
        let forced = scope.spawn(|| port.force_command("second"));
        quiet::wait_until("it is asked", || {
            forced.is_finished() || quiet::status(&me) == "suspended"
        });
        theirs.control(0, "r").expect("the port is open");
        gate.reaches("ofirst");
        gate.reaches("osecond");
        forced.join().expect("no panic").expect("the port is open");
    });
    port.close().expect("open");
    gate.reaches("x");
    let late = Message::Data {
        port: port.id(),
        bytes: "late".into(),
    };
    assert_eq!(me.next(SOON), Ok(Some(late)));
    all_quiet(&host, &[&me, &other]);
}

#[test]
fn the_end_of_its_sender_comes_after_a_command_that_waits() {
    let end = |me: &Process, _: &wharf::Port| me.exit(Term::atom("normal"));
    after_a_command_that_waits("order_end", end, "normal", None);
}

/// What was sent to a program is in its file after a close, whoever was writing at the time.
#[test]
fn nothing_that_was_sent_before_a_close_is_lost() {
    let _watchdog = Watchdog::new("nothing sent is lost");
    let host = Host::new().expect("a host");
    let me = host.process();
    me.set_trap_exit(true);
    let folder = world::scratch("sent");
    let line = "x".repeat(999) + "\n";
    for round in 0..20 {
        let file = folder.join(format!("{round}"));
        let script = format!("cat >{}", file.display());
        let options = Options::new().output_only();
        let port = me.open(PortName::spawn(script), options).expect("cat runs");
        for _ in 0..400 {
            tell(&me, &port, command(&line));
        }
        tell(&me, &port, Term::atom("close"));
        assert_eq!(me.next(SOON), Ok(Some(exit(&port, "normal"))));
        assert_eq!(me.next(SOON), Ok(Some(Message::Closed { port: port.id() })));
        let size = || std::fs::metadata(&file).map_or(0, |facts| facts.len());
        let deadline = std::time::Instant::now() + SOON;
        while size() < 400_000 {
            assert!(
                std::time::Instant::now() < deadline,
                "{} bytes in round {round}",
                size()
            );
            std::thread::yield_now();
        }
        assert_eq!(size(), 400_000);
    }
    all_quiet(&host, &[&me]);
}

//! The typed Rust door, with real programs behind the ports.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use wharf::{Host, Message, Options, Packet, PortName, Process, Term};

const SOON: Duration = Duration::from_secs(60);

fn process() -> Process {
    Host::new().expect("a host").process()
}

fn next(me: &Process) -> Message {
    me.next(SOON).expect("alive").expect("a message in time")
}

fn text(message: &Message) -> &str {
    match message {
        Message::Data { bytes, .. } | Message::Line { bytes, .. } => {
            std::str::from_utf8(bytes).expect("text")
        }
        other => panic!("no data but {other:?}"),
    }
}

#[test]
fn a_program_answers_what_it_is_told() {
    let me = process();
    let options = Options::new().binary().packet(Packet::Four);
    let port = me.open(PortName::spawn("cat"), options).expect("cat runs");
    for word in ["one", "two", ""] {
        port.command(word).expect("open");
    }
    for word in ["one", "two", ""] {
        assert_eq!(text(&next(&me)), word);
    }
    assert!(port.os_pid().is_some_and(|pid| pid > 1));
    assert_eq!(port.info("output"), Some(Term::from(6_i64)));
    port.close().expect("open");
    assert!(!port.is_open());
    assert_eq!(port.info("output"), None);
}

#[test]
fn status_lines_and_ends_come_apart() {
    let me = process();
    me.set_trap_exit(true);
    let options = Options::new()
        .binary()
        .lines()
        .exit_status()
        .args(["-c", "echo hi; printf x; exit 7"]);
    let port = me
        .open(PortName::spawn_executable("/bin/sh"), options)
        .expect("sh runs");
    let line = next(&me);
    assert!(
        matches!(line, Message::Line { complete: true, .. }),
        "{line:?}"
    );
    assert_eq!(text(&line), "hi");
    assert_eq!(
        next(&me),
        Message::ExitStatus {
            port: port.id(),
            status: 7
        }
    );
    let rest = next(&me);
    assert!(
        matches!(
            rest,
            Message::Line {
                complete: false,
                ..
            }
        ),
        "{rest:?}"
    );
    assert_eq!(
        next(&me),
        Message::Exit {
            from: Term::Port(port.id()),
            reason: Term::atom("normal")
        }
    );
}

#[test]
fn errors_say_what_failed_on_what_and_why() {
    let me = process();
    let missing = me.open(PortName::spawn_executable("/no/such"), Options::new());
    let error = missing.expect_err("there is no such file");
    assert!(error.is("enoent"));
    let shown = error.to_string();
    assert!(
        shown.contains("/no/such") && shown.contains("enoent"),
        "{shown}"
    );

    let conflict = Options::new().line(80).packet(Packet::Two);
    let error = me
        .open(PortName::spawn("cat"), conflict)
        .expect_err("a conflict");
    assert!(error.is("badarg"));
    assert!(error.to_string().contains("packet"), "{error}");

    let port = me
        .open(PortName::spawn("cat"), Options::new())
        .expect("cat runs");
    port.close().expect("open");
    let error = port.command("x").expect_err("closed");
    assert!(
        error.is("badarg") && error.to_string().contains("closed"),
        "{error}"
    );
}

/// Ends a program that nothing else would: a port never signals its program.
struct EndOfProgram(i64);

impl Drop for EndOfProgram {
    fn drop(&mut self) {
        let kill = format!("kill -9 {}", self.0);
        let _ = std::process::Command::new("sh")
            .args(["-c", &kill])
            .status();
    }
}

#[test]
fn a_busy_port_makes_senders_wait_and_futures_pend() {
    let me = process();
    me.set_trap_exit(true);
    let port = me
        .open(PortName::spawn("sleep 1000"), Options::new())
        .expect("sleep runs");
    let _sleeper = EndOfProgram(port.os_pid().expect("a program"));
    port.command(vec![b'x'; 300_000])
        .expect("one command of any size is taken");
    assert_eq!(port.try_command("y"), Ok(false));

    struct Woken(std::sync::mpsc::Sender<()>);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.send(()).ok();
        }
    }
    let (woken, wakes) = std::sync::mpsc::channel();
    let waker = Waker::from(Arc::new(Woken(woken)));
    let mut task = Context::from_waker(&waker);
    let mut command = pin!(port.command_async("z"));
    assert!(command.as_mut().poll(&mut task).is_pending());
    me.exit_signal(&Term::Port(port.id()), Term::atom("kill"))
        .expect("a port");
    wakes.recv_timeout(SOON).expect("the task is woken");
    match command.poll(&mut task) {
        Poll::Ready(Err(error)) => assert!(error.is("badarg")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_future_is_woken_by_the_message() {
    let me = process();
    let port = me
        .open(PortName::spawn("cat"), Options::new().binary())
        .expect("cat runs");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("tokio");
    let message = runtime.block_on(async {
        let wait = tokio::time::timeout(SOON, me.next_async());
        port.command("hello").expect("open");
        wait.await.expect("in time").expect("alive")
    });
    assert_eq!(text(&message), "hello");
}

#[test]
fn another_process_can_use_and_adopt_a_port() {
    let host = Host::new().expect("a host");
    let (me, other) = (host.process(), host.process());
    let port = me
        .open(PortName::spawn("cat"), Options::new().binary())
        .expect("cat runs");
    port.on_behalf_of(&other)
        .command("from other")
        .expect("anyone may");
    assert_eq!(text(&next(&me)), "from other");
    port.connect(other.pid()).expect("alive");
    port.command("to other").expect("open");
    assert_eq!(text(&next(&other)), "to other");
}

#[test]
fn two_hosts_do_not_see_each_other() {
    let (one, two) = (Host::new().expect("a host"), Host::new().expect("a host"));
    let (me, stranger) = (one.process(), two.process());
    let port = me
        .open(PortName::spawn("cat"), Options::new())
        .expect("cat runs");
    assert!(stranger.port(port.id()).is_none());
    assert!(!two.is_alive(me.pid()));
    assert!(two.ports().is_empty());
    assert_eq!(one.ports(), [port.id()]);
}

#[test]
fn whatever_speaks_of_a_port_comes_from_it() {
    let me = process();
    let port = me
        .open(PortName::spawn("cat"), Options::new())
        .expect("cat runs");
    // As a driver's `driver_output2` has it: a header in front of the binary.
    let data = Term::improper(vec![1.into()], Term::from("rest"));
    let message = Term::tuple([
        Term::Port(port.id()),
        Term::tuple([Term::atom("data"), data]),
    ]);
    let myself = Term::Pid(me.pid());
    me.send(&myself, Term::atom("another")).expect("alive");
    me.send(&myself, message.clone()).expect("alive");
    let from_port = me.next_from(port.id(), SOON).expect("alive");
    assert_eq!(from_port, Some(Message::Other(message)));
    assert_eq!(next(&me), Message::Other(Term::atom("another")));
}

#[test]
fn what_a_port_refuses_has_erlangs_reason() {
    let host = Host::new().expect("a host");
    let (me, gone) = (host.process(), host.process());
    let ended = gone.pid();
    gone.exit(Term::atom("normal"));
    let port = me
        .open(PortName::spawn("cat"), Options::new())
        .expect("cat runs");
    let refused = |port: &wharf::Port, forced: &str| {
        let answers = [
            (port.force_command("x").err(), forced),
            (port.control(1, "").err(), "badarg"),
            (port.call(1, Term::Nil).err(), "badarg"),
            (port.connect(ended).err(), "badarg"),
        ];
        for (at, (error, reason)) in answers.into_iter().enumerate() {
            let error = error.unwrap_or_else(|| panic!("number {at} is refused"));
            assert!(error.is(reason), "number {at}: {error}");
        }
    };
    refused(&port, "notsup");
    assert_eq!(port.info("registered_name"), Some(Term::Nil));
    assert_eq!(port.info("bogus"), None);
    port.close().expect("open");
    refused(&port, "badarg");
    assert!(port.try_command("x").is_err_and(|error| error.is("badarg")));
    assert!(port.close().is_err_and(|error| error.is("badarg")));
    assert_eq!(port.info("name"), None);
}

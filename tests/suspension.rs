//! Who waits at a busy port, by thread and by future: what wakes them, what they are told, and
//! that nobody is forgotten.
#![forbid(unsafe_code)]

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use wharf::{Error, Host, Limits, Message, Options, Port, PortName, Process, Term};

const SOON: Duration = Duration::from_secs(60);
/// More than a pipe takes, so that the port is busy until its program reads.
const MUCH: usize = 300_000;

/// A program that reads nothing before it gets a signal, and then tells how much it got; it ends
/// when the test does.
struct Reluctant {
    me: Process,
    port: Port,
    os_pid: i64,
}

impl Reluctant {
    fn busy() -> Reluctant {
        let me = Host::new().expect("a host").process();
        me.set_trap_exit(true);
        let script = "exec 2>/dev/null; trap 'cat | wc -c; exit' USR1; echo ready; while :; do sleep 0.02; done";
        let options = Options::new().binary().lines().args(["-c", script]);
        let port = me.open(PortName::spawn_executable("/bin/sh"), options);
        let port = port.expect("sh runs");
        let os_pid = port.os_pid().expect("a program");
        let it = Reluctant { me, port, os_pid };
        assert_eq!(it.next_line(), "ready");
        it.port.command(vec![b'x'; MUCH]).expect("not busy yet");
        assert_eq!(it.port.try_command("no"), Ok(false));
        it
    }

    fn next_line(&self) -> String {
        match self.me.next_from(self.port.id(), SOON) {
            Ok(Some(Message::Line { bytes, .. })) => String::from_utf8_lossy(&bytes).into_owned(),
            other => panic!("no line but {other:?}"),
        }
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.os_pid);
        let killed = std::process::Command::new("sh")
            .args(["-c", &kill])
            .status();
        assert!(killed.is_ok_and(|status| status.success()));
    }

    fn reads_on(&self) {
        self.signal("USR1");
    }

    fn status(&self, of: &Process) -> Option<Term> {
        let status = self
            .me
            .host()
            .process_info(of.pid(), wharf::Atom::new("status"))?;
        status.as_tuple()?.last().cloned()
    }

    #[track_caller]
    fn until_suspended(&self, who: &Process) {
        let deadline = Instant::now() + SOON;
        while self.status(who) != Some(Term::atom("suspended")) {
            assert!(Instant::now() < deadline, "not suspended");
            std::thread::yield_now();
        }
    }

    fn kill_port(&self) {
        let to = Term::Port(self.port.id());
        let kill = self.me.exit_signal(&to, Term::atom("kill"));
        kill.expect("a port");
    }
}

impl Drop for Reluctant {
    fn drop(&mut self) {
        let kill = format!("kill -9 {}", self.os_pid);
        let _ = std::process::Command::new("sh")
            .args(["-c", &kill])
            .stderr(std::process::Stdio::null())
            .status();
    }
}

struct Woken(Sender<()>);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.send(()).ok();
    }
}

fn waker() -> (Waker, Receiver<()>) {
    let (woken, wakes) = channel();
    (Waker::from(Arc::new(Woken(woken))), wakes)
}

type Sending<'f> = Pin<&'f mut dyn Future<Output = Result<(), Error>>>;

/// Polls until it is ready, each time after a wake.
fn finished(mut sending: Sending<'_>, waker: &Waker, wakes: &Receiver<()>) -> Result<(), Error> {
    loop {
        wakes.recv_timeout(SOON).expect("it is woken");
        if let Poll::Ready(answer) = sending.as_mut().poll(&mut Context::from_waker(waker)) {
            return answer;
        }
    }
}

#[track_caller]
fn pends(sending: Sending<'_>, waker: &Waker) {
    assert!(sending.poll(&mut Context::from_waker(waker)).is_pending());
}

#[test]
fn all_who_wait_go_on_when_there_is_room() {
    let it = Reluctant::busy();
    let other = it.me.host().process();
    let third = it.me.host().process();
    let theirs = it.port.on_behalf_of(&other);
    let (waker, wakes) = waker();
    let future = it.port.on_behalf_of(&third);
    let mut sending = pin!(future.command_async("future"));
    pends(sending.as_mut(), &waker);
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| theirs.command("thread"));
        it.until_suspended(&other);
        it.reads_on();
        assert_eq!(thread.join().expect("no panic"), Ok(()));
        assert_eq!(finished(sending, &waker, &wakes), Ok(()));
    });
    let taken = MUCH + "future".len() + "thread".len();
    assert_eq!(it.port.info("output"), Some(Term::from(taken)));
}

#[test]
fn a_future_that_is_dropped_has_sent_nothing_and_holds_nobody_up() {
    let it = Reluctant::busy();
    let other = it.me.host().process();
    let theirs = it.port.on_behalf_of(&other);
    let (first, _) = waker();
    {
        let mut dropped = pin!(it.port.command_async("never"));
        pends(dropped.as_mut(), &first);
    }
    let (second, wakes) = waker();
    let mut sending = pin!(theirs.command_async("z"));
    pends(sending.as_mut(), &second);
    it.reads_on();
    assert_eq!(finished(sending, &second, &wakes), Ok(()));
    assert_eq!(it.port.info("output"), Some(Term::from(MUCH + 1)));
}

#[test]
fn a_future_is_woken_by_whoever_polled_it_last() {
    let it = Reluctant::busy();
    let (old, old_wakes) = waker();
    let (new, new_wakes) = waker();
    let mut sending = pin!(it.port.command_async("z"));
    pends(sending.as_mut(), &old);
    pends(sending.as_mut(), &new);
    it.reads_on();
    assert_eq!(finished(sending, &new, &new_wakes), Ok(()));
    assert!(old_wakes.try_recv().is_err(), "the old waker has gone");
}

/// What happens while somebody waits, and what the sentence of the refusal then says.
type Event = (&'static str, fn(&Reluctant, &Process), &'static str);

const EVENTS: [Event; 6] = [
    (
        "the port is killed",
        |it, _| it.kill_port(),
        "the port is closed",
    ),
    (
        "the port is closed",
        |it, _| it.port.close().expect("open"),
        "the port is closed",
    ),
    (
        "all ports close",
        |it, _| {
            it.me.host().close_ports(Duration::ZERO);
        },
        "the port is closed",
    ),
    (
        "the program dies",
        |it, _| it.signal("KILL"),
        "the port is closed",
    ),
    (
        "the owner ends",
        |it, _| it.me.exit(Term::atom("normal")),
        "the port is closed",
    ),
    (
        "the sender ends",
        |_, sender| sender.exit(Term::atom("normal")),
        "the process has ended",
    ),
];

#[test]
fn a_thread_that_waits_hears_what_happened() {
    for (story, event, words) in EVENTS {
        let it = Reluctant::busy();
        let sender = it.me.host().process();
        let theirs = it.port.on_behalf_of(&sender);
        let answer = std::thread::scope(|scope| {
            let thread = scope.spawn(|| theirs.command("z"));
            it.until_suspended(&sender);
            event(&it, &sender);
            thread.join().expect("no panic")
        });
        let error = answer.expect_err(story);
        assert!(error.is("badarg"), "{story}: {error}");
        assert!(error.to_string().contains(words), "{story}: {error}");
    }
}

#[test]
fn a_future_that_waits_hears_what_happened() {
    for (story, event, words) in EVENTS {
        let it = Reluctant::busy();
        let sender = it.me.host().process();
        let theirs = it.port.on_behalf_of(&sender);
        let (waker, wakes) = waker();
        let mut sending = pin!(theirs.command_async("z"));
        pends(sending.as_mut(), &waker);
        event(&it, &sender);
        let error = finished(sending, &waker, &wakes).expect_err(story);
        assert!(error.is("badarg"), "{story}: {error}");
        assert!(error.to_string().contains(words), "{story}: {error}");
    }
}

#[test]
fn what_does_not_wait_is_done_while_others_wait() {
    let it = Reluctant::busy();
    let sender = it.me.host().process();
    let theirs = it.port.on_behalf_of(&sender);
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| theirs.command("z"));
        it.until_suspended(&sender);
        assert_eq!(it.port.try_command("y"), Ok(false));
        assert!(
            it.port
                .force_command("y")
                .is_err_and(|error| error.is("notsup"))
        );
        assert!(it.port.control(1, "").is_err());
        assert_eq!(it.port.info("output"), Some(Term::from(MUCH)));
        let queued = it.port.info("queue_size").and_then(|size| size.as_int());
        assert!(queued.is_some_and(|size| size > 8192), "{queued:?}");
        it.port.connect(it.me.pid()).expect("itself");
        let owner = Term::Pid(it.me.pid());
        let connect = Term::tuple([Term::atom("connect"), owner.clone()]);
        let message = Term::tuple([owner, connect]);
        let id = it.port.id();
        it.me.send(&Term::Port(id), message).expect("a port");
        let connected = it.me.next_from(id, SOON);
        assert_eq!(connected, Ok(Some(Message::Connected { port: id })));
        it.port.close().expect("open");
        assert!(thread.join().expect("no panic").is_err());
    });
}

#[test]
fn a_process_whose_future_waits_may_ask_other_things_meanwhile() {
    let it = Reluctant::busy();
    let (waker, wakes) = waker();
    let mut sending = pin!(it.port.command_async("z"));
    pends(sending.as_mut(), &waker);
    assert_eq!(it.status(&it.me), Some(Term::atom("running")));
    assert_eq!(it.port.try_command("y"), Ok(false));
    assert!(it.port.control(1, "").is_err());
    it.port.connect(it.me.pid()).expect("itself");
    it.port.close().expect("open");
    let error = finished(sending, &waker, &wakes).expect_err("closed");
    assert!(error.to_string().contains("the port is closed"), "{error}");
}

#[test]
fn limits_that_are_disabled_make_nobody_wait() {
    let me = Host::new().expect("a host").process();
    let options = Options::new().busy_limits_port(Limits::Disabled);
    let options = options.args(["-c", "read line"]);
    let port = me.open(PortName::spawn_executable("/bin/sh"), options);
    let port = port.expect("sh runs");
    for _ in 0..10 {
        assert_eq!(port.try_command(vec![b'x'; MUCH]), Ok(true));
    }
    assert_eq!(port.info("output"), Some(Term::from(10 * MUCH)));
    let kill = me.exit_signal(&Term::Port(port.id()), Term::atom("kill"));
    kill.expect("a port");
}

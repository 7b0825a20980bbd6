//! Programs that leave at awkward moments: with a pipe closed, while their port writes to them or
//! somebody waits for that, stopped and continued, leaving others behind that hold the pipe.

#[path = "support/quiet.rs"]
mod quiet;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quiet::{SOON, Watchdog, all_quiet, status, wait_until};
use wharf::{Host, Message, Options, Port, PortName, Process, Term};

/// Much more than a pipe holds.
const MUCH: usize = 300_000;

/// Ends a process that may be there at the end of a test.
struct Mortal(Pid);

impl Mortal {
    fn of(port: &Port) -> Mortal {
        Mortal::new(port.os_pid().expect("a program"))
    }

    fn new(pid: i64) -> Mortal {
        Mortal(Pid::from_raw(i32::try_from(pid).expect("a process number")))
    }

    fn send(&self, signal: Signal) {
        kill(self.0, signal).expect("the process is there");
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGKILL);
    }
}

/// A world with an owner that traps exits.
fn owner() -> (Host, Process) {
    let host = Host::new().expect("a host");
    let me = host.process();
    me.set_trap_exit(true);
    (host, me)
}

/// The four ways to be told of the end of a program.
fn ways() -> [(&'static str, Options); 4] {
    let options = || Options::new().binary();
    [
        ("plain", options()),
        ("exit_status", options().exit_status()),
        ("eof", options().eof()),
        ("both", options().eof().exit_status()),
    ]
}

fn sh(me: &Process, script: &str, options: Options) -> Port {
    let options = options.args(["-c", script]);
    me.open(PortName::spawn_executable("/bin/sh"), options)
        .expect("sh runs")
}

/// The next message, in short.
fn next(me: &Process, port: &Port) -> String {
    let message = me.next_from(port.id(), SOON).expect("alive");
    match message.expect("a message in time") {
        Message::Data { bytes, .. } => String::from_utf8_lossy(&bytes).into_owned(),
        Message::Line {
            bytes, complete, ..
        } => {
            let kind = if complete { "eol" } else { "noeol" };
            format!("{kind} {}", String::from_utf8_lossy(&bytes))
        }
        Message::ExitStatus { status, .. } => format!("status {status}"),
        Message::Eof { .. } => "eof".into(),
        Message::Closed { .. } => "closed".into(),
        Message::Exit { reason, .. } => format!("exit {reason}"),
        other => panic!("nobody should hear {other:?}"),
    }
}

#[track_caller]
fn hears(me: &Process, port: &Port, expected: &[&str]) {
    for expected in expected {
        assert_eq!(next(me, port), *expected);
    }
}

/// Closes a port that tells the end of its input and stays.
fn close(me: &Process, port: &Port, way: &str) {
    if way == "eof" || way == "both" {
        port.close().expect("it stays");
        hears(me, port, &["exit normal"]);
    }
}

#[test]
fn a_program_that_closes_its_input_is_noticed_by_the_next_write() {
    let _watchdog = Watchdog::new("closed input");
    for (way, options) in ways() {
        let (host, me) = owner();
        let port = sh(&me, "exec <&-; echo closed; exec sleep 100", options);
        let _mortal = Mortal::of(&port);
        hears(&me, &port, &["closed\n"]);
        // A program that is being started has a copy of the pipe for a moment.
        wait_until("a write is refused", || port.command("x").is_err());
        hears(&me, &port, &["exit epipe"]);
        assert!(!port.is_open(), "{way}");
        all_quiet(&host, &[&me]);
    }
}

/// The output is closed, the program goes on: what that means is a matter of options.
#[test]
fn a_program_that_closes_its_output_and_lives() {
    let _watchdog = Watchdog::new("closed output");
    for (way, options) in ways() {
        for line in [false, true] {
            let (host, me) = owner();
            let options = match line {
                true => options.clone().line(80),
                false => options.clone(),
            };
            let script = "printf 'one\\ntwo'; exec >&-; read x; exit $x";
            let port = sh(&me, script, options);
            match line {
                true => hears(&me, &port, &["eol one"]),
                false => {
                    let mut all = String::new();
                    while all != "one\ntwo" {
                        all += &next(&me, &port);
                    }
                }
            }
            let rest: &[&str] = if line { &["noeol two"] } else { &[] };
            match way {
                "plain" => {
                    hears(&me, &port, rest);
                    hears(&me, &port, &["exit normal"]);
                }
                "eof" => {
                    hears(&me, &port, rest);
                    hears(&me, &port, &["eof"]);
                    port.command("7\n").expect("it stays");
                }
                _ => {
                    port.command("7\n")
                        .expect("it lasts as long as the program");
                    hears(&me, &port, &["status 7"]);
                    hears(&me, &port, rest);
                    hears(
                        &me,
                        &port,
                        &[if way == "both" { "eof" } else { "exit normal" }],
                    );
                }
            }
            close(&me, &port, way);
            all_quiet(&host, &[&me]);
        }
    }
}

#[test]
fn somebody_else_holds_the_pipe() {
    let _watchdog = Watchdog::new("a grandchild");
    for (way, options) in ways() {
        let (host, me) = owner();
        let port = sh(&me, "sleep 100 & echo $!; exit 2", options);
        let program = Mortal::of(&port);
        let pid = next(&me, &port);
        let grandchild = Mortal::new(pid.trim().parse().expect("a number"));
        // Gone, but for its grave.
        let stat = format!("/proc/{}/stat", program.0);
        wait_until("the program is over", || {
            !std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z"))
        });
        assert!(port.is_open());
        assert_eq!(me.messages_waiting(), 0, "{way}");
        grandchild.send(Signal::SIGKILL);
        match way {
            "plain" => hears(&me, &port, &["exit normal"]),
            "exit_status" => hears(&me, &port, &["status 2", "exit normal"]),
            "eof" => hears(&me, &port, &["eof"]),
            _ => hears(&me, &port, &["status 2", "eof"]),
        }
        std::mem::forget(program);
        close(&me, &port, way);
        all_quiet(&host, &[&me]);
    }
}

/// What may be heard of a program that dies with output of the port still queued: the end of its
/// output and the failure of the write race, and the second one takes the status away.
fn is_end_of_killed(way: &str, heard: &[String]) -> bool {
    let all: Vec<&str> = heard.iter().map(String::as_str).collect();
    match way {
        "plain" => matches!(all[..], ["exit normal"] | ["exit epipe"]),
        "exit_status" => matches!(all[..], ["status 137", "exit normal"] | ["exit epipe"]),
        "eof" => matches!(all[..], ["eof", "exit epipe"] | ["exit epipe"]),
        _ => matches!(
            all[..],
            ["status 137", "eof", "exit epipe"] | ["exit epipe"]
        ),
    }
}

fn until_exit(me: &Process, port: &Port) -> Vec<String> {
    let mut all = vec![next(me, port)];
    while !all.last().is_some_and(|last| last.starts_with("exit")) {
        all.push(next(me, port));
    }
    all
}

/// How a process waits at a busy port; the answer says whether that ended as it should.
type Send = fn(&Process, &Port) -> bool;

#[test]
fn a_program_that_dies_frees_who_waits_for_it() {
    let _watchdog = Watchdog::new("dying while waited for");
    let command: Send = |_, port| port.command("y").is_err_and(|error| error.is("badarg"));
    let message: Send = |me, port| {
        let command = Term::tuple([Term::atom("command"), Term::from("y")]);
        me.send(&port.id().into(), Term::tuple([me.pid().into(), command]))
            .is_ok()
    };
    for (way, options) in ways() {
        for send in [command, message] {
            let (host, me) = owner();
            let port = me.open(PortName::spawn("sleep 100"), options.clone());
            let port = port.expect("sleep runs");
            let mortal = Mortal::of(&port);
            port.command(vec![b'x'; MUCH])
                .expect("one of any size is taken");
            assert_eq!(port.try_command("y"), Ok(false));
            std::thread::scope(|scope| {
                let waits = [
                    scope.spawn(|| send(&me, &port)),
                    scope.spawn(|| send(&me, &port)),
                ];
                wait_until("suspended", || status(&me) == "suspended");
                mortal.send(Signal::SIGKILL);
                for wait in waits {
                    assert!(wait.join().expect("no panic"), "{way}");
                }
            });
            std::mem::forget(mortal);
            let heard = until_exit(&me, &port);
            assert!(is_end_of_killed(way, &heard), "{way}: {heard:?}");
            assert!(port.try_command("y").is_err());
            all_quiet(&host, &[&me]);
        }
    }
}

#[test]
fn a_program_that_dies_ends_the_flush() {
    let _watchdog = Watchdog::new("dying while flushed to");
    for (way, options) in ways() {
        let (host, me) = owner();
        let port = me.open(PortName::spawn("sleep 100"), options.clone());
        let port = port.expect("sleep runs");
        let mortal = Mortal::of(&port);
        port.command(vec![b'x'; MUCH]).expect("open");
        let close = Term::tuple([me.pid().into(), Term::atom("close")]);
        me.send(&port.id().into(), close).expect("a port");
        hears(&me, &port, &["exit normal"]);
        assert_eq!(host.ports(), [port.id()], "{way}");
        assert_ne!(port.info("queue_size"), Some(Term::from(0)));
        mortal.send(Signal::SIGKILL);
        std::mem::forget(mortal);
        hears(&me, &port, &["closed"]);
        all_quiet(&host, &[&me]);
    }
}

#[test]
fn stopping_and_continuing_is_not_told() {
    let _watchdog = Watchdog::new("stopped");
    for (way, options) in ways() {
        let (host, me) = owner();
        let port = sh(&me, "read x; echo $x; read x; exit $x", options);
        let mortal = Mortal::of(&port);
        mortal.send(Signal::SIGSTOP);
        let stat = format!("/proc/{}/stat", mortal.0);
        wait_until("stopped", || {
            std::fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") T"))
        });
        port.command("on\n").expect("open");
        assert_eq!(me.messages_waiting(), 0);
        mortal.send(Signal::SIGCONT);
        hears(&me, &port, &["on\n"]);
        port.command("5\n").expect("open");
        match way {
            "plain" => hears(&me, &port, &["exit normal"]),
            "exit_status" => hears(&me, &port, &["status 5", "exit normal"]),
            "eof" => hears(&me, &port, &["eof"]),
            _ => hears(&me, &port, &["status 5", "eof"]),
        }
        close(&me, &port, way);
        std::mem::forget(mortal);
        all_quiet(&host, &[&me]);
    }
}

/// The port outlives its owner until the queue is out, or somebody has had enough.
#[test]
fn an_owner_dies_and_its_program_never_reads() {
    let _watchdog = Watchdog::new("never reads");
    for (way, options) in ways() {
        for killed in [false, true] {
            let (host, me) = owner();
            let mortal_owner = host.process();
            let port = mortal_owner.open(PortName::spawn("sleep 100"), options.clone());
            let port = port.expect("sleep runs").on_behalf_of(&me);
            let program = Mortal::of(&port);
            let reference = port.monitor();
            port.command(vec![b'x'; MUCH]).expect("open");
            std::thread::scope(|scope| {
                let mine = port.on_behalf_of(&mortal_owner);
                let waiting = scope.spawn(move || mine.command("y"));
                wait_until("suspended", || status(&mortal_owner) == "suspended");
                mortal_owner.exit(Term::atom("boom"));
                assert!(waiting.join().expect("no panic").is_err(), "{way}");
            });
            let down = Message::Down {
                reference,
                object: port.id().into(),
                reason: Term::atom("boom"),
            };
            assert_eq!(me.next(SOON), Ok(Some(down)));
            assert_eq!(host.ports(), [port.id()]);
            assert!(!port.is_open());
            if killed {
                // Too late: it is closing already.
                let kill = me.exit_signal(&port.id().into(), Term::atom("kill"));
                kill.expect("a port");
                assert!(port.info("queue_size").is_some());
                assert_eq!(host.ports(), [port.id()]);
            }
            program.send(Signal::SIGKILL);
            std::mem::forget(program);
            all_quiet(&host, &[&me]);
        }
    }
}

//! What the typed door says of a port: data in each framing, each way to end, and in which order.
#![forbid(unsafe_code)]

use std::time::Duration;

use wharf::{Host, Message, Options, Packet, Port, PortName, Process, Reference, Term};

const SOON: Duration = Duration::from_secs(60);

fn owner() -> Process {
    let owner = Host::new().expect("a host").process();
    owner.set_trap_exit(true);
    owner
}

fn sh(owner: &Process, script: &str, options: Options) -> Port {
    let options = options.args(["-c", script]);
    let port = owner.open(PortName::spawn_executable("/bin/sh"), options);
    port.expect("sh runs")
}

/// A message in a few letters, and that it names this port.
fn shown(message: &Message, port: &Port, monitor: Option<Reference>) -> String {
    assert_eq!(message.port(), Some(port.id()), "{message:?}");
    match message {
        Message::Data { bytes, .. } => format!("data {}", bytes.escape_ascii()),
        Message::Line {
            bytes, complete, ..
        } => {
            let end = if *complete { "eol" } else { "noeol" };
            format!("{end} {}", bytes.escape_ascii())
        }
        Message::ExitStatus { status, .. } => format!("status {status}"),
        Message::Eof { .. } => "eof".to_owned(),
        Message::Closed { .. } => "closed".to_owned(),
        Message::Connected { .. } => "connected".to_owned(),
        Message::Exit { from, reason } => {
            assert_eq!(*from, Term::Port(port.id()));
            format!("exit {reason}")
        }
        Message::Down {
            reference,
            object,
            reason,
        } => {
            assert_eq!(
                (Some(*reference), object),
                (monitor, &Term::Port(port.id()))
            );
            format!("down {reason}")
        }
        other => format!("{other:?}"),
    }
}

/// Takes as many messages as `expected` has, and sees that there are no others. Pieces of a
/// stream count as one.
#[track_caller]
fn hears(me: &Process, port: &Port, monitor: Option<Reference>, expected: &[&str], story: &str) {
    let mut heard: Vec<String> = Vec::new();
    while heard.len() < expected.len() || *heard != *expected {
        let message = me.next(SOON).expect("alive");
        let Some(message) = message else {
            panic!("{story}: {heard:?} and no more");
        };
        let message = shown(&message, port, monitor);
        match (heard.last_mut(), message.strip_prefix("data ")) {
            (Some(last), Some(more)) if last.starts_with("data ") && !story.contains("packet") => {
                last.push_str(more);
            }
            _ => heard.push(message),
        }
        let as_far = heard.len().saturating_sub(1);
        assert!(
            heard.len() <= expected.len() && heard[..as_far] == expected[..as_far],
            "{story}: {heard:?}"
        );
    }
    assert_eq!(me.messages_waiting(), 0, "{story}");
}

#[test]
fn data_comes_in_the_framing_that_was_asked_for() {
    let binary = || Options::new().binary();
    let cases: [(&str, &str, Options, &[&str]); 15] = [
        (
            "stream",
            "printf 'one\\ntwo'",
            binary(),
            &["data one\\ntwo", "exit normal"],
        ),
        (
            "stream as lists",
            "printf 'a\\377'",
            Options::new(),
            &["data a\\xff", "exit normal"],
        ),
        ("nothing", "exit 3", binary(), &["exit normal"]),
        (
            "packet of 1",
            "printf '\\002ab\\000\\001c'",
            binary().packet(Packet::One),
            &["data ab", "data ", "data c", "exit normal"],
        ),
        (
            "packet of 2, the last one half",
            "printf '\\000\\002ab\\000\\003cd'",
            binary().packet(Packet::Two),
            &["data ab", "exit normal"],
        ),
        (
            "packet of 4 as lists",
            "printf '\\000\\000\\000\\000\\000\\000\\000\\001x'",
            Options::new().packet(Packet::Four),
            &["data ", "data x", "exit normal"],
        ),
        (
            "packet, then stream",
            "printf '\\001a'",
            binary().packet(Packet::One).stream(),
            &["data \\x01a", "exit normal"],
        ),
        (
            "lines",
            "printf 'ab\\r\\n\\nabcdefg\\nrest'",
            binary().line(5),
            &[
                "eol ab",
                "eol ",
                "noeol abcde",
                "eol fg",
                "noeol rest",
                "exit normal",
            ],
        ),
        (
            "lines as lists",
            "printf 'ab\\ncd'",
            Options::new().lines(),
            &["eol ab", "noeol cd", "exit normal"],
        ),
        (
            "lines and a status",
            "printf 'ab\\ncd'; exit 7",
            binary().lines().exit_status(),
            &["eol ab", "status 7", "noeol cd", "exit normal"],
        ),
        (
            "a status",
            "kill -TERM $$",
            binary().exit_status(),
            &["status 143", "exit normal"],
        ),
        ("eof", "printf x", binary().eof(), &["data x", "eof"]),
        (
            "lines, a status and eof",
            "printf x; exit 255",
            binary().eof().lines().exit_status(),
            &["status 255", "noeol x", "eof"],
        ),
        (
            "errors, too",
            "printf out; printf err >&2",
            binary().stderr_to_stdout(),
            &["data outerr", "exit normal"],
        ),
        (
            "on 4",
            "printf four >&4",
            binary().nouse_stdio(),
            &["data four", "exit normal"],
        ),
    ];
    for (story, script, options, expected) in cases {
        let me = owner();
        let port = sh(&me, script, options);
        hears(&me, &port, None, expected, story);
        let open = expected.last() == Some(&"eof");
        assert_eq!(port.is_open(), open, "{story}");
    }
}

#[test]
fn data_is_a_list_or_a_binary_to_who_takes_terms() {
    let packet = || Options::new().packet(Packet::One);
    for (options, expected) in [
        (packet(), Term::charlist("hi")),
        (packet().binary(), Term::from("hi")),
    ] {
        let me = owner();
        let port = me.open(PortName::spawn("cat"), options).expect("cat runs");
        port.command("hi").expect("open");
        let data = Term::tuple([Term::atom("data"), expected]);
        let message = Term::tuple([Term::Port(port.id()), data]);
        assert_eq!(me.receive_any(SOON), Ok(Some(message)));
    }
}

/// A way to end a port: what is done, by the owner or another process.
type End = fn(&Process, &Port, &Process);

#[test]
fn each_way_to_end_tells_the_same_in_the_same_order() {
    fn send(from: &Process, owner: &Process, port: &Port, what: Term) {
        let message = Term::tuple([Term::Pid(owner.pid()), what]);
        from.send(&Term::Port(port.id()), message).expect("a port");
    }
    fn signal(from: &Process, port: &Port, reason: &str) {
        let to = Term::Port(port.id());
        from.exit_signal(&to, Term::atom(reason)).expect("a port");
    }
    let normal: &[&str] = &["exit normal", "down normal"];
    let closed: &[&str] = &["exit normal", "down normal", "closed"];
    let cases: [(&str, End, &[&str]); 12] = [
        ("close", |_, port, _| port.close().expect("open"), normal),
        (
            "close on behalf of another",
            |_, port, other| port.on_behalf_of(other).close().expect("open"),
            normal,
        ),
        (
            "close by message",
            |me, port, _| send(me, me, port, Term::atom("close")),
            closed,
        ),
        (
            "close by another's message",
            |me, port, other| send(other, me, port, Term::atom("close")),
            closed,
        ),
        (
            "exit signal",
            |me, port, _| signal(me, port, "boom"),
            &["exit boom", "down boom"],
        ),
        (
            "another's exit signal",
            |_, port, other| signal(other, port, "boom"),
            &["exit boom", "down boom"],
        ),
        (
            "exit signal of normal",
            |me, port, _| signal(me, port, "normal"),
            normal,
        ),
        (
            "kill",
            |me, port, _| signal(me, port, "kill"),
            &["exit killed", "down killed"],
        ),
        (
            "too long a packet",
            |_, port, _| port.command([b'x'; 256]).expect("taken"),
            &["exit einval", "down einval"],
        ),
        (
            "a linked process that fails",
            |_, port, other| {
                other.link(&Term::Port(port.id())).expect("open");
                other.exit(Term::atom("boom"));
            },
            &["exit boom", "down boom"],
        ),
        (
            "all ports of the host",
            |me, _, _| assert_eq!(me.host().close_ports(SOON), []),
            normal,
        ),
        (
            "end of the program",
            |_, port, _| {
                // What it reads ends it.
                port.command("\n").expect("open");
            },
            normal,
        ),
    ];
    for (story, end, expected) in cases {
        let me = owner();
        let other = me.host().process();
        other.set_trap_exit(true);
        let options = Options::new().binary().packet(Packet::One);
        let port = sh(&me, "head -c 2 >/dev/null", options);
        let monitor = port.monitor();
        end(&me, &port, &other);
        hears(&me, &port, Some(monitor), expected, story);
        assert!(!port.is_open(), "{story}");
        // While its back end stops it is still listed, as in Erlang; this waits for that.
        assert_eq!(port.info("name"), None, "{story}");
        assert!(me.host().ports().is_empty(), "{story}");
        assert_eq!(other.messages_waiting(), 0, "{story}");
    }
}

#[test]
fn an_unlinked_owner_hears_of_the_end_by_its_monitor_alone() {
    let me = owner();
    let port = sh(&me, "read line", Options::new());
    me.unlink(&Term::Port(port.id())).expect("a port");
    let monitor = port.monitor();
    port.close().expect("open");
    hears(&me, &port, Some(monitor), &["down normal"], "unlinked");
    let late = port.monitor();
    hears(
        &me,
        &port,
        Some(late),
        &["down noproc"],
        "a monitor of what is closed",
    );
    let again = me.link(&Term::Port(port.id()));
    assert_eq!(again, Ok(()), "one that traps exits is told by message");
    hears(
        &me,
        &port,
        None,
        &["exit noproc"],
        "a link to what is closed",
    );
    me.set_trap_exit(false);
    let raised = me.link(&Term::Port(port.id())).expect_err("closed");
    assert!(raised.reason.is_atom("noproc"), "{raised}");
}

#[test]
fn an_owner_that_does_not_trap_exits_ends_with_the_port_unless_it_is_normal() {
    for (reason, survives) in [("normal", true), ("boom", false), ("kill", false)] {
        let me = Host::new().expect("a host").process();
        let port = sh(&me, "read line", Options::new());
        me.exit_signal(&Term::Port(port.id()), Term::atom(reason))
            .expect("a port");
        let expected =
            (!survives).then(|| Term::atom(if reason == "kill" { "killed" } else { reason }));
        assert_eq!(me.exited(), expected, "{reason}");
        let next = me.next(Duration::ZERO);
        assert_eq!(next.is_err(), !survives, "{reason}");
    }
}

#[test]
fn a_change_of_owner_is_told_to_the_old_one_by_message_alone() {
    let me = owner();
    let heir = me.host().process();
    heir.set_trap_exit(true);
    let port = me
        .open(PortName::spawn("cat"), Options::new().binary())
        .expect("cat runs");
    let connect = Term::tuple([Term::atom("connect"), Term::Pid(heir.pid())]);
    let message = Term::tuple([Term::Pid(me.pid()), connect]);
    me.send(&Term::Port(port.id()), message).expect("a port");
    hears(&me, &port, None, &["connected"], "by message");
    assert_eq!(port.info("connected"), Some(Term::Pid(heir.pid())));
    assert_eq!(port.info("links"), Some(Term::list(vec![me.pid().into()])));
    port.command("x").expect("anyone may");
    hears(&heir, &port, None, &["data x"], "what comes");

    let back = port.on_behalf_of(&heir);
    back.connect(heir.pid()).expect("itself");
    back.connect(me.pid()).expect("alive");
    assert_eq!(me.messages_waiting() + heir.messages_waiting(), 0);
    assert_eq!(port.info("connected"), Some(Term::Pid(me.pid())));
    heir.exit(Term::atom("boom"));
    hears(&me, &port, None, &["exit boom"], "the old owner was linked");
}

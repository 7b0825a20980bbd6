//! What the typed door refuses once a port is there: with Erlang's reason, and a sentence that
//! names the request and the port and says what to do.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use wharf::host::Class;
use wharf::{Error, Host, Options, Packet, Port, PortName, Process, Term};

const SOON: Duration = Duration::from_secs(60);

fn owner() -> Process {
    let owner = Host::new().expect("a host").process();
    owner.set_trap_exit(true);
    owner
}

fn cat(owner: &Process) -> Port {
    let port = owner.open(PortName::spawn("cat"), Options::new().binary());
    port.expect("cat runs")
}

#[track_caller]
fn is_refused<T>(answer: Result<T, Error>, reason: &str, words: &[&str]) {
    let Err(error) = answer else {
        panic!("not refused, but {reason} {words:?}");
    };
    assert!(error.is(reason), "{error}");
    assert_eq!(error.reason(), &Term::atom(reason));
    let sentence = error.to_string();
    for word in words {
        assert!(sentence.contains(word), "{sentence:?} has no {word:?}");
    }
    assert!(
        sentence.ends_with(&format!("({reason})")),
        "{sentence:?} does not end with the reason"
    );
    let raise = error.into_raise();
    assert_eq!(raise.class, Class::Error);
    assert!(raise.reason.is_atom(reason));
}

type Request = fn(&Port) -> Result<(), Error>;
type End = fn(&Port);

/// Every request by its name.
const REQUESTS: [(&str, Request); 8] = [
    ("command", |port| port.command("x")),
    ("command", |port| port.try_command("x").map(drop)),
    ("command", |port| {
        let data = wharf::term::iodata::IoData::Bytes(b"x");
        port.command_data(&data)
    }),
    ("command", |port| {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("tokio").block_on(port.command_async("x"))
    }),
    ("control", |port| port.control(1, "").map(drop)),
    ("call", |port| port.call(1, Term::Nil).map(drop)),
    ("connect", |port| port.connect(port.process().pid())),
    ("close", |port| port.close()),
];

#[test]
fn a_port_that_is_gone_refuses_all_and_says_so() {
    let ends: [(&str, End); 3] = [
        ("closed", |port| port.close().expect("open")),
        ("killed", |port| {
            let to = Term::Port(port.id());
            let kill = port.process().exit_signal(&to, Term::atom("kill"));
            kill.expect("a port");
        }),
        ("ended by a failed write", |port| {
            port.command([b'x'; 256]).expect("taken");
        }),
    ];
    for (story, end) in ends {
        let me = owner();
        let options = Options::new().packet(Packet::One);
        let port = me.open(PortName::spawn("cat -u"), options).expect("cat");
        end(&port);
        assert!(!port.is_open(), "{story}");
        let shown = format!("{} (cat -u)", port.id());
        for (name, request) in REQUESTS {
            let begin = format!("cannot {name} ");
            let words = [&begin, &shown, "the port is closed", "open another"];
            is_refused(request(&port), "badarg", &words);
        }
        is_refused(
            port.force_command("x"),
            "badarg",
            &["cannot command ", "closed"],
        );
        assert_eq!((port.os_pid(), port.info("name")), (None, None), "{story}");
        assert_eq!(port.info("bogus"), None, "{story}");
        assert!(me.port(port.id()).is_none(), "{story}");
    }
}

#[test]
fn what_a_program_cannot_do_is_refused_and_the_port_stays() {
    let me = owner();
    let port = cat(&me);
    let shown = port.id().to_string();
    is_refused(
        port.force_command("x"),
        "notsup",
        &["cannot command ", &shown, "soft busy"],
    );
    let unknown = ["cannot control ", &shown, "does not know this operation"];
    is_refused(port.control(17, "x"), "badarg", &unknown);
    let unknown = ["cannot call ", &shown, "does not know this operation"];
    is_refused(port.call(17, 5), "badarg", &unknown);
    port.command("still there").expect("open");
    assert!(matches!(
        me.next(SOON),
        Ok(Some(wharf::Message::Data { .. }))
    ));
}

#[test]
fn only_a_live_process_of_the_same_host_can_be_connected() {
    let me = owner();
    let port = cat(&me);
    let dead = me.host().process();
    dead.exit(Term::atom("normal"));
    let foreign = owner();
    for pid in [dead.pid(), foreign.pid()] {
        let words = ["cannot connect ", "no process ", &pid.to_string()];
        is_refused(port.connect(pid), "badarg", &words);
    }
    assert_eq!(port.info("connected"), Some(Term::Pid(me.pid())));
}

#[test]
fn a_process_that_has_ended_can_do_nothing() {
    for linked in [true, false] {
        let me = owner();
        let heir = me.host().process();
        let port = cat(&me);
        if !linked {
            me.unlink(&Term::Port(port.id())).expect("a port");
        }
        me.exit(Term::atom("normal"));
        assert_eq!(port.is_open(), !linked);
        for (name, request) in REQUESTS {
            let begin = format!("cannot {name} ");
            let answer = request(&port);
            let why = if linked {
                "the port is closed"
            } else {
                "the process has ended"
            };
            is_refused(answer, "badarg", &[&begin, why]);
        }
        assert_eq!(port.is_open(), !linked, "nothing was done");
        let to_port = Term::Port(port.id());
        me.exit_signal(&to_port, Term::atom("kill"))
            .expect("nothing");
        let close = Term::tuple([Term::Pid(me.pid()), Term::atom("close")]);
        me.send(&to_port, close).expect("nothing");
        me.send(&Term::Pid(heir.pid()), Term::Nil).expect("nothing");
        assert_eq!(port.is_open(), !linked, "nothing was done");
        assert_eq!(heir.messages_waiting(), 0);
        let more = me.open(PortName::spawn("cat"), Options::new());
        is_refused(
            more.map(drop),
            "badarg",
            &["cannot open cat", "the process has ended"],
        );
        assert_eq!(me.host().ports().len(), usize::from(!linked));
        let ended = me.next(SOON).expect_err("ended");
        assert!(ended.reason.is_atom("normal"), "{ended}");
        assert!(me.receive_any(SOON).is_err());
        let none: Result<Option<()>, _> = me.receive(|_| None, Some(Instant::now() + SOON));
        assert!(none.is_err());
        if !linked {
            let adopted = port.on_behalf_of(&heir);
            assert_eq!(adopted.info("output"), Some(Term::from(0)));
            adopted.connect(heir.pid()).expect("alive");
            adopted.close().expect("open");
        }
    }
}

#[test]
fn another_host_does_not_know_the_port() {
    let (me, stranger) = (owner(), owner());
    let port = cat(&me);
    assert!(stranger.port(port.id()).is_none());
    let by_term = Term::Port(port.id());
    let raised = stranger.port_close(&by_term).expect_err("not its own");
    assert!(raised.reason.is_atom("badarg"), "{raised}");
    stranger
        .exit_signal(&by_term, Term::atom("kill"))
        .expect("nothing");
    stranger
        .send(&by_term, Term::atom("junk"))
        .expect("nothing");
    let message = stranger.link(&by_term);
    assert_eq!(message, Ok(()));
    assert!(
        matches!(stranger.next(SOON), Ok(Some(wharf::Message::Exit { reason, .. })) if reason.is_atom("noproc"))
    );
    assert!(port.is_open());
    assert_eq!(me.messages_waiting(), 0);
}

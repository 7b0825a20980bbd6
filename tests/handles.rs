//! Handles of the typed door: whom they keep alive, what they say of a port, and that they may be
//! used from any thread, also after the end.
#![forbid(unsafe_code)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use wharf::host::Class;
use wharf::{Host, Message, Options, Packet, Port, PortName, Process, Term};

const SOON: Duration = Duration::from_secs(60);

fn owner() -> Process {
    let owner = Host::new().expect("a host").process();
    owner.set_trap_exit(true);
    owner
}

fn cat(owner: &Process) -> Port {
    let options = Options::new().binary().packet(Packet::Two);
    let port = owner.open(PortName::spawn("cat"), options);
    port.expect("cat runs")
}

#[test]
fn a_port_is_closed_with_the_last_handle_to_its_owner() {
    let host = Host::new().expect("a host");
    let me = host.process();
    let pid = me.pid();
    let port = cat(&me);
    let (again, twin) = (me.clone(), port.clone());
    drop((me, port));
    assert!(host.is_alive(pid) && twin.is_open());
    drop(again);
    assert!(host.is_alive(pid), "the port's handle keeps its process");
    assert_eq!(host.ports(), [twin.id()]);
    let watcher = host.process();
    let watching = twin.on_behalf_of(&watcher);
    let monitor = watching.monitor();
    drop(twin);
    assert!(!host.is_alive(pid), "the last handle is gone");
    assert!(!watching.is_open() && host.ports().is_empty());
    let down = Message::Down {
        reference: monitor,
        object: Term::Port(watching.id()),
        reason: Term::atom("normal"),
    };
    assert_eq!(watcher.next(SOON), Ok(Some(down)));
}

#[test]
fn a_port_handle_by_itself_does_not_keep_the_port() {
    let me = owner();
    let port = cat(&me);
    let id = port.id();
    drop(port);
    let port = me.port(id).expect("still there");
    port.command("x").expect("open");
    assert!(matches!(
        me.next_from(id, SOON),
        Ok(Some(Message::Data { .. }))
    ));
}

#[test]
fn a_host_lives_as_long_as_one_of_its_processes() {
    let me = owner();
    let port = cat(&me);
    let weak = me.host().clone();
    drop(weak);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| me.next(SOON));
        port.command("x").expect("open");
        let message = waits.join().expect("no panic");
        assert!(
            matches!(message, Ok(Some(Message::Data { .. }))),
            "{message:?}"
        );
    });
}

#[test]
fn what_is_known_of_a_port_has_erlangs_types() {
    let me = owner();
    let program = cat(&me);
    let (reader, writer) = std::io::pipe().expect("descriptors");
    let numbers = [&reader as &dyn std::os::fd::AsRawFd, &writer].map(|end| end.as_raw_fd());
    let name = PortName::fd(numbers[0], numbers[1]);
    let pair = me.open(name, Options::new()).expect("open");
    program.command("12345").expect("open");
    me.next_from(program.id(), SOON).expect("alive");
    let shown = format!("{}/{}", numbers[0], numbers[1]);
    let links = Term::list(vec![Term::Pid(me.pid())]);
    let rows = [
        ("registered_name", Term::Nil, Term::Nil),
        ("name", Term::charlist("cat"), Term::charlist(&shown)),
        ("links", links.clone(), links),
        ("connected", me.pid().into(), me.pid().into()),
        ("input", 5.into(), 0.into()),
        ("output", 5.into(), 0.into()),
        ("monitors", Term::Nil, Term::Nil),
        ("monitored_by", Term::Nil, Term::Nil),
        ("parallelism", Term::boolean(false), Term::boolean(false)),
        ("queue_size", 0.into(), 0.into()),
        (
            "locking",
            Term::atom("port_level"),
            Term::atom("driver_level"),
        ),
    ];
    for (item, of_program, of_pair) in rows {
        assert_eq!(program.info(item), Some(of_program), "{item} of a program");
        assert_eq!(pair.info(item), Some(of_pair), "{item} of descriptors");
    }
    for port in [&program, &pair] {
        let number = |item| port.info(item).and_then(|value| value.as_int());
        assert!(number("id").is_some_and(|id| id >= 0));
        assert!(number("memory").is_some_and(|bytes| bytes > 0));
        assert_eq!(port.info("no such item"), None);
        assert_eq!(port.info(""), None);
    }
    assert!(program.os_pid().is_some_and(|pid| pid > 1));
    assert_eq!(pair.os_pid(), None);
    assert_eq!(pair.info("os_pid"), Some(Term::atom("undefined")));

    let watcher = me.host().process();
    program.on_behalf_of(&watcher).monitor();
    program.on_behalf_of(&watcher).monitor();
    let by = Term::list(vec![Term::Pid(watcher.pid()); 2]);
    assert_eq!(program.info("monitored_by"), Some(by));
    me.register(&Term::atom("the_cat"), &Term::Port(program.id()))
        .expect("free");
    assert_eq!(program.info("registered_name"), Some(Term::atom("the_cat")));
}

#[test]
fn a_name_leads_to_the_port_until_it_is_closed() {
    let me = owner();
    let (port, other) = (cat(&me), cat(&me));
    let (name, id) = (Term::atom("a_port"), Term::Port(port.id()));
    let whereis = || me.whereis(&name).expect("an atom");
    assert_eq!(whereis(), Term::atom("undefined"));
    me.register(&name, &id).expect("free");
    assert_eq!(whereis(), id);
    let other_id = Term::Port(other.id());
    let refused = [
        ("taken", me.register(&name, &other_id), "name is in use"),
        (
            "a second one",
            me.register(&Term::atom("second"), &id),
            "already has a name",
        ),
        (
            "undefined",
            me.register(&Term::atom("undefined"), &other_id),
            "not a valid name",
        ),
        (
            "no atom",
            me.register(&Term::from("text"), &other_id),
            "not an atom",
        ),
        (
            "no port",
            me.register(&Term::atom("third"), &Term::from(1)),
            "not a pid",
        ),
        ("nobody's", me.unregister(&Term::atom("third")), "not a pid"),
    ];
    for (story, answer, words) in refused {
        let raise = answer.expect_err(story);
        assert_eq!(
            (raise.class, raise.reason.is_atom("badarg")),
            (Class::Error, true)
        );
        assert!(raise.to_string().contains(words), "{story}: {raise}");
    }
    me.port_command(&name, &Term::from("by name"), &Term::Nil)
        .expect("open");
    assert!(
        matches!(me.next_from(port.id(), SOON), Ok(Some(Message::Data { bytes, .. })) if &bytes[..] == b"by name")
    );
    port.close().expect("open");
    assert_eq!(whereis(), Term::atom("undefined"));
    me.register(&name, &other_id).expect("free again");
    me.unregister(&name).expect("there");
    let raise = me.send(&name, Term::Nil).expect_err("nobody has it");
    assert!(raise.reason.is_atom("badarg"), "{raise}");
}

#[test]
fn many_threads_may_use_one_port() {
    let me = owner();
    let port = cat(&me);
    const EACH: u8 = 200;
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let port = port.clone();
            scope.spawn(move || {
                for number in 0..EACH {
                    port.command([thread, number]).expect("open");
                }
            });
        }
        let mut next = [0; 4];
        for _ in 0..4 * usize::from(EACH) {
            let Ok(Some(Message::Data { bytes, .. })) = me.next(SOON) else {
                panic!("no packet after {next:?}");
            };
            let of_thread = &mut next[usize::from(bytes[0])];
            assert_eq!(bytes[1], *of_thread, "in order");
            *of_thread += 1;
        }
        assert_eq!(next, [EACH; 4]);
    });
}

#[test]
fn who_waits_for_a_message_hears_of_the_end_of_its_process() {
    for by_future in [false, true] {
        let me = owner();
        let killer = me.host().process();
        let ended = std::thread::scope(|scope| {
            let waits = scope.spawn(|| match by_future {
                false => me.next(SOON).map(drop),
                true => {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .build()
                        .expect("tokio");
                    runtime.block_on(me.next_async()).map(drop)
                }
            });
            killer
                .exit_signal(&Term::Pid(me.pid()), Term::atom("kill"))
                .expect("a process");
            waits.join().expect("no panic")
        });
        let ended = ended.expect_err("killed");
        assert!(ended.reason.is_atom("killed"), "{ended}");
        assert_eq!(ended.to_string(), "the process has ended: killed");
        assert_eq!(me.exited(), Some(Term::atom("killed")));
    }
}

#[test]
fn a_message_future_that_is_dropped_loses_nothing() {
    let me = owner();
    let port = cat(&me);
    {
        let mut waits = pin!(me.next_async());
        let mut task = Context::from_waker(Waker::noop());
        assert!(waits.as_mut().poll(&mut task).is_pending());
    }
    port.command("x").expect("open");
    let deadline = Instant::now() + SOON;
    // Nobody waits for the kernel on this thread: a worker of the host brings the message.
    while me.messages_waiting() == 0 {
        assert!(Instant::now() < deadline, "no message");
        std::thread::yield_now();
    }
    let mut waits = pin!(me.next_from_async(port.id()));
    match waits.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(Message::Data { bytes, .. })) => assert_eq!(&bytes[..], b"x"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_monitor_can_be_taken_back() {
    let me = owner();
    let port = cat(&me);
    let (kept, taken) = (port.monitor(), port.monitor());
    let options = Term::list(vec![Term::atom("flush"), Term::atom("info")]);
    assert_eq!(me.demonitor(&Term::Reference(taken), &options), Ok(true));
    assert_eq!(me.demonitor(&Term::Reference(taken), &options), Ok(false));
    port.close().expect("open");
    let exit = me.next(SOON);
    assert!(matches!(exit, Ok(Some(Message::Exit { .. }))), "{exit:?}");
    let down = me.next(SOON);
    assert!(
        matches!(down, Ok(Some(Message::Down { reference, .. })) if reference == kept),
        "{down:?}"
    );
    assert_eq!(me.messages_waiting(), 0);
}

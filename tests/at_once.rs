//! Requests of several threads to one port at the same instant, many rounds of them: whoever comes
//! first, each is answered once, each monitor hears of one end, each link of one or none.
//! `WHARF_RACES=10000` tells each story that many times.

#[path = "support/quiet.rs"]
mod quiet;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use quiet::{SOON, Watchdog, all_quiet, wait_for_no_ports, wait_until};
use wharf::{Host, Message, Options, Port, PortId, PortName, Process, Reference, Term};

/// How often each story is told.
fn rounds() -> usize {
    let wanted = std::env::var("WHARF_RACES").ok();
    wanted.and_then(|number| number.parse().ok()).unwrap_or(200)
}

fn trapping(host: &Host) -> Process {
    let process = host.process();
    process.set_trap_exit(true);
    process
}

/// A port that lives until it is closed, and costs no program: its input is a pipe that stays open.
struct Idle {
    _pipe: (std::io::PipeReader, std::io::PipeWriter),
    port: Port,
}

impl Idle {
    fn open(owner: &Process) -> Idle {
        use std::os::fd::AsRawFd;
        let (reader, writer) = std::io::pipe().expect("descriptors");
        let name = PortName::fd(reader.as_raw_fd(), writer.as_raw_fd());
        let options = Options::new().binary().input_only();
        let port = owner.open(name, options).expect("it opens");
        Idle {
            _pipe: (reader, writer),
            port,
        }
    }
}

/// Runs all at the same instant, each on a thread of its own.
fn at_once(acts: Vec<Box<dyn FnOnce() + Send + '_>>) {
    let barrier = Barrier::new(acts.len());
    std::thread::scope(|scope| {
        for act in acts {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                act();
            });
        }
    });
}

/// All that is in the mailbox; only to be asked when nothing more can come.
fn heard(process: &Process) -> Vec<Message> {
    let mut all = Vec::new();
    while let Some(message) = process.next(Duration::ZERO).expect("alive") {
        all.push(message);
    }
    all
}

fn exit(port: PortId, reason: &str) -> Message {
    Message::Exit {
        from: port.into(),
        reason: Term::atom(reason),
    }
}

fn down(port: PortId, reference: Reference, reason: &str) -> Message {
    Message::Down {
        reference,
        object: port.into(),
        reason: Term::atom(reason),
    }
}

#[test]
fn of_two_closes_one_succeeds() {
    let _watchdog = Watchdog::within("two closes", 20 * SOON);
    let host = Host::new().expect("a host");
    let (me, other) = (trapping(&host), trapping(&host));
    for _ in 0..rounds() {
        let idle = Idle::open(&me);
        let (mine, theirs) = (&idle.port, &idle.port.on_behalf_of(&other));
        let closed = AtomicUsize::new(0);
        let close = |port: &Port| match port.close() {
            Ok(()) => drop(closed.fetch_add(1, Ordering::Relaxed)),
            Err(error) => assert!(error.is("badarg"), "{error}"),
        };
        at_once(vec![Box::new(|| close(mine)), Box::new(|| close(theirs))]);
        assert_eq!(closed.into_inner(), 1);
        assert_eq!(heard(&me), [exit(mine.id(), "normal")]);
        all_quiet(&host, &[&me, &other]);
    }
}

/// One closes by message, one makes another process the owner, one writes.
#[test]
fn a_close_a_connect_and_a_command_meet() {
    let _watchdog = Watchdog::within("close, connect, command", 20 * SOON);
    let host = Host::new().expect("a host");
    let (me, heir) = (trapping(&host), trapping(&host));
    for _ in 0..rounds() {
        let options = Options::new().binary().output_only();
        let port = me.open(PortName::spawn("cat >/dev/null"), options);
        let port = port.expect("cat runs");
        let id = port.id();
        let connected = AtomicBool::new(false);
        at_once(vec![
            Box::new(|| {
                let close = Term::tuple([me.pid().into(), Term::atom("close")]);
                me.send(&id.into(), close).expect("a port");
            }),
            Box::new(|| {
                let done = port.on_behalf_of(&heir).connect(heir.pid()).is_ok();
                connected.store(done, Ordering::Relaxed);
            }),
            Box::new(|| {
                if let Err(error) = port.on_behalf_of(&heir).command("x") {
                    assert!(error.is("badarg"), "{error}");
                }
            }),
        ]);
        // Asked after all of them, so that none is still under way.
        let _ = port.info("connected");
        if connected.into_inner() {
            // The close came after, and was not the owner's any more: a punishment for the heir.
            assert_eq!(heard(&heir), [exit(id, "badsig")]);
            port.close().expect("open");
            wait_for_no_ports(&host);
            assert_eq!(heard(&heir), [exit(id, "normal")]);
            assert_eq!(heard(&me), [exit(id, "normal")]);
        } else {
            wait_for_no_ports(&host);
            wait_until("closed", || me.messages_waiting() == 2);
            assert_eq!(
                heard(&me),
                [exit(id, "normal"), Message::Closed { port: id }]
            );
        }
        all_quiet(&host, &[&me, &heir]);
    }
}

#[test]
fn two_heirs_get_the_port_one_after_the_other() {
    let _watchdog = Watchdog::within("two heirs", 20 * SOON);
    let host = Host::new().expect("a host");
    let (me, one, two) = (trapping(&host), trapping(&host), trapping(&host));
    for _ in 0..rounds() {
        let idle = Idle::open(&me);
        let (port, id) = (&idle.port, idle.port.id());
        at_once(vec![
            Box::new(|| port.on_behalf_of(&one).connect(one.pid()).expect("open")),
            Box::new(|| port.on_behalf_of(&two).connect(two.pid()).expect("open")),
            Box::new(|| me.unlink(&id.into()).expect("a port")),
        ]);
        let owner = port.info("connected").expect("open");
        assert!(
            [&one, &two]
                .map(|heir| Term::from(heir.pid()))
                .contains(&owner)
        );
        port.close().expect("open");
        wait_for_no_ports(&host);
        assert_eq!(heard(&one), [exit(id, "normal")]);
        assert_eq!(heard(&two), [exit(id, "normal")]);
        all_quiet(&host, &[&me, &one, &two]);
    }
}

/// Processes link, unlink, monitor and demonitor while the port ends.
#[test]
fn the_end_of_a_port_is_told_to_whom_it_concerns() {
    let _watchdog = Watchdog::within("relations", 20 * SOON);
    let host = Host::new().expect("a host");
    let (me, friend, former) = (trapping(&host), trapping(&host), trapping(&host));
    let (watcher, leaver) = (trapping(&host), trapping(&host));
    for round in 0..rounds() {
        let idle = Idle::open(&me);
        let (port, id) = (&idle.port, idle.port.id());
        former.link(&id.into()).expect("open");
        let left = port.on_behalf_of(&leaver).monitor();
        let watch = std::sync::Mutex::new(None);
        let told_after_unlink = AtomicUsize::new(0);
        at_once(vec![
            Box::new(|| match round % 3 {
                0 => port.close().expect("open"),
                1 => me
                    .exit_signal(&id.into(), Term::atom("kill"))
                    .expect("a port"),
                _ => me
                    .exit_signal(&id.into(), Term::atom("boom"))
                    .expect("a port"),
            }),
            Box::new(|| friend.link(&id.into()).expect("it traps exits")),
            Box::new(|| {
                former.unlink(&id.into()).expect("a port");
                told_after_unlink.store(former.messages_waiting(), Ordering::Relaxed);
            }),
            Box::new(|| *watch.lock().unwrap() = Some(port.on_behalf_of(&watcher).monitor())),
            Box::new(|| {
                let flush = Term::list(vec![Term::atom("flush")]);
                let done = leaver.demonitor(&left.into(), &flush);
                assert_eq!(done, Ok(true));
            }),
        ]);
        wait_for_no_ports(&host);
        let reason = ["normal", "killed", "boom"][round % 3];
        assert_eq!(heard(&me), [exit(id, reason)]);
        // Linked before: the reason. After: there is nothing to be linked with.
        let linked = heard(&friend);
        assert!(
            linked == [exit(id, reason)] || linked == [exit(id, "noproc")],
            "{linked:?}"
        );
        let before = told_after_unlink.into_inner();
        let all = heard(&former);
        assert_eq!(all.len(), before, "an exit after unlink returned: {all:?}");
        assert!(all.is_empty() || all == [exit(id, reason)], "{all:?}");
        let reference = watch.into_inner().unwrap().expect("a monitor");
        // The monitor may still be on its way to where the port was.
        let all = [watcher.next(SOON).expect("alive").expect("one end")];
        assert!(
            all == [down(id, reference, reason)] || all == [down(id, reference, "noproc")],
            "{all:?}"
        );
        all_quiet(&host, &[&me, &friend, &former, &watcher, &leaver]);
    }
}

/// One process, acted for by two threads, links and unlinks at the same instant: both sides agree
/// afterwards on whether there is a link.
#[test]
fn both_sides_of_a_link_agree() {
    let _watchdog = Watchdog::within("both sides", 20 * SOON);
    let host = Host::new().expect("a host");
    let (me, friend) = (trapping(&host), trapping(&host));
    let idle = Idle::open(&me);
    let id = Term::from(idle.port.id());
    let links = |process: &Process| {
        let links = host.process_info(process.pid(), wharf::Atom::new("links"));
        let links = links.expect("alive").as_tuple().expect("a pair")[1].to_list_vec();
        links.expect("a list")
    };
    let ports = |process: &Process| {
        let links = idle
            .port
            .info("links")
            .and_then(|links| links.to_list_vec());
        links.expect("a list").contains(&process.pid().into())
    };
    for round in 0..10 * rounds() {
        at_once(vec![
            Box::new(|| friend.link(&id).expect("open")),
            Box::new(|| (0..20).for_each(|_| friend.unlink(&id).expect("a port"))),
        ]);
        let agree = links(&friend).contains(&id) == ports(&friend);
        assert!(agree, "round {round}: {:?}", idle.port.info("links"));
        friend.unlink(&id).expect("a port");
    }
    let (other, stranger) = (trapping(&host), trapping(&host));
    for round in 0..10 * rounds() {
        let (one, two) = (Term::from(other.pid()), Term::from(stranger.pid()));
        at_once(vec![
            Box::new(|| (0..5).for_each(|_| other.link(&two).expect("alive"))),
            Box::new(|| (0..5).for_each(|_| stranger.unlink(&one).expect("a pid"))),
        ]);
        let (mine, theirs) = (links(&other).len(), links(&stranger).len());
        assert_eq!(mine, theirs, "round {round}");
        other.unlink(&two).expect("a pid");
    }
    idle.port.close().expect("open");
    assert_eq!(heard(&me), [exit(idle.port.id(), "normal")]);
    all_quiet(&host, &[&me, &friend]);
}

/// Who has heard of the end finds the name free, though a third one tries to give it to the port
/// that is ending, at that very moment.
#[test]
fn a_name_is_free_when_the_end_is_told() {
    let _watchdog = Watchdog::within("names", 20 * SOON);
    let host = Host::new().expect("a host");
    let (me, late) = (trapping(&host), trapping(&host));
    let name = Term::atom("races_name");
    for round in 0..10 * rounds() {
        let idle = Idle::open(&me);
        let id = Term::from(idle.port.id());
        let given = round % 2 == 0;
        if given {
            late.register(&name, &id).expect("free");
        }
        at_once(vec![
            Box::new(|| idle.port.close().expect("open")),
            Box::new(|| {
                // It fails if the port has the name, or is closed.
                let _ = late.register(&name, &id);
            }),
            Box::new(|| {
                let end = exit(idle.port.id(), "normal");
                assert_eq!(me.next(SOON), Ok(Some(end)));
                let undefined = Term::atom("undefined");
                assert_eq!(me.whereis(&name), Ok(undefined), "round {round}");
                me.register(&name, &me.pid().into())
                    .expect("the name is free");
            }),
        ]);
        me.unregister(&name).expect("it is mine");
        all_quiet(&host, &[&me, &late]);
    }
}

/// A name moves from one to the other while both want it: one has it at any time, or none.
#[test]
fn two_want_one_name() {
    let _watchdog = Watchdog::within("one name", 20 * SOON);
    let host = Host::new().expect("a host");
    let (me, other) = (trapping(&host), trapping(&host));
    let name = Term::atom("races_wanted");
    for _ in 0..rounds() {
        let (one, two) = (Idle::open(&me), Idle::open(&other));
        let given = AtomicUsize::new(0);
        let want = |process: &Process, port: &Port| {
            if process.register(&name, &port.id().into()).is_ok() {
                given.fetch_add(1, Ordering::Relaxed);
            }
        };
        at_once(vec![
            Box::new(|| want(&me, &one.port)),
            Box::new(|| want(&other, &two.port)),
        ]);
        assert_eq!(given.into_inner(), 1);
        one.port.close().expect("open");
        two.port.close().expect("open");
        assert_eq!(heard(&me).len() + heard(&other).len(), 2);
        all_quiet(&host, &[&me, &other]);
    }
}

/// Numbers are used again, handles are not: one that is stale reaches nobody, whatever port has
/// come to its place.
#[test]
fn a_stale_handle_reaches_nobody() {
    let _watchdog = Watchdog::within("stale", 20 * SOON);
    let host = Host::new().expect("a host");
    let me = trapping(&host);
    let first = Idle::open(&me);
    let (stale, id) = (&first.port, first.port.id());
    stale.close().expect("open");
    assert_eq!(heard(&me), [exit(id, "normal")]);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let stranger = trapping(&host);
            while !over.load(Ordering::Relaxed) {
                assert!(stale.close().is_err_and(|error| error.is("badarg")));
                assert!(stale.command("x").is_err());
                assert!(stale.connect(stranger.pid()).is_err());
                assert!(stale.info("connected").is_none());
                assert!(stranger.port(id).is_none());
                stranger
                    .exit_signal(&id.into(), Term::atom("kill"))
                    .expect("a port");
                stranger.link(&id.into()).expect("it traps exits");
                assert_eq!(heard(&stranger), [exit(id, "noproc")]);
            }
        });
        // More ports than are kept back, one after the other: the first one's place is used again.
        for _ in 0..rounds().max(200) {
            let idle = Idle::open(&me);
            assert_ne!(idle.port.id(), id);
            assert!(idle.port.is_open());
            idle.port.close().expect("only its own handle closes it");
            assert_eq!(heard(&me), [exit(idle.port.id(), "normal")]);
        }
        over.store(true, Ordering::Relaxed);
    });
    all_quiet(&host, &[&me]);
}

/// Ports are opened while all are being closed for the end of the program: none is left.
#[test]
fn ports_that_open_while_all_close_are_closed_too() {
    let _watchdog = Watchdog::within("closing all", 20 * SOON);
    for _ in 0..rounds().min(1000) {
        let host = Host::new().expect("a host");
        let (me, other) = (trapping(&host), trapping(&host));
        let opened = std::sync::Mutex::new(Vec::new());
        let before = Idle::open(&me);
        at_once(vec![
            Box::new(|| {
                let late = Idle::open(&other);
                opened.lock().unwrap().push(late);
            }),
            Box::new(|| {
                assert_eq!(host.close_ports(SOON), []);
            }),
        ]);
        assert!(!before.port.is_open());
        // What opened after that is closed by asking again.
        assert!(host.close_ports(SOON).is_empty());
        assert_eq!(heard(&me), [exit(before.port.id(), "normal")]);
        let late = opened.into_inner().unwrap();
        assert_eq!(heard(&other), [exit(late[0].port.id(), "normal")]);
        all_quiet(&host, &[&me, &other]);
    }
}

/// The last handles of a host go away while ports open and close in it.
#[test]
fn a_host_ends_while_its_last_port_opens() {
    let _watchdog = Watchdog::within("the end of a host", 20 * SOON);
    for _ in 0..rounds() {
        let host = Host::new().expect("a host");
        let (me, other) = (host.process(), host.process());
        let (mut reader, writer) = std::io::pipe().expect("descriptors");
        at_once(vec![
            Box::new(move || {
                use std::os::fd::AsRawFd;
                let name = PortName::fd(0, writer.as_raw_fd());
                let options = Options::new().output_only();
                let port = me.open(name, options).expect("it opens");
                port.command("x").expect("open");
                drop((port, me));
                drop(writer);
            }),
            Box::new(move || drop(host)),
            Box::new(move || drop(other)),
        ]);
        let mut all = String::new();
        std::io::Read::read_to_string(&mut reader, &mut all).expect("the end");
        assert_eq!(all, "x");
    }
}

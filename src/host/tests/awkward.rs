//! Awkward moments: ends that meet beginnings, threads that meet each other, back ends that
//! call while they are called.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use super::*;

/// What an [`Imp`] does when it is started.
#[derive(Clone, Copy, PartialEq)]
enum Start {
    Now,
    AcknowledgeInside,
    RefuseInside,
    FailLater,
    Never,
}

/// A back end that calls the port from wherever it can.
struct Imp {
    start: Start,
    /// Ready and busy by turns inside each command.
    flutters: AtomicBool,
    inside: AtomicBool,
    stops: Arc<AtomicUsize>,
    downs: Arc<AtomicUsize>,
}

impl Imp {
    fn new(start: Start) -> Imp {
        Imp {
            start,
            flutters: AtomicBool::new(false),
            inside: AtomicBool::new(false),
            stops: Arc::default(),
            downs: Arc::default(),
        }
    }

    fn open(self, me: &Process) -> Result<Arc<Core>, crate::port::OpenError> {
        let services = me.host().services();
        let turn = Turn::new(&services.workers);
        let options = Options::new().binary();
        Core::open(
            services,
            turn,
            (*b"imp").into(),
            options,
            me.cell(),
            Box::new(self),
        )
    }
}

impl Transport for Imp {
    fn start(&self, on: &mut OnTurn<'_>, port: &Arc<Core>) -> Result<Started, Term> {
        match self.start {
            Start::Now => return Ok(Started::Now),
            Start::AcknowledgeInside => port.acknowledge(on, Ok(())),
            Start::RefuseInside => port.acknowledge(on, Err(Term::atom("enodev"))),
            Start::FailLater => {
                let port = Arc::clone(port);
                on.turn()
                    .post(Box::new(move |on| port.fail(on, Term::atom("eio"))));
            }
            Start::Never => {}
        }
        Ok(Started::WhenAcknowledged)
    }

    fn command(
        &self,
        on: &mut OnTurn<'_>,
        port: &Arc<Core>,
        _: Option<Pid>,
        data: &mut IoData<'_>,
    ) {
        assert!(!self.inside.swap(true, Ordering::SeqCst), "entered twice");
        if self.flutters.load(Ordering::SeqCst) {
            port.set_busy(on, true);
            port.set_busy(on, false);
        }
        port.deliver_bytes(on, &data.flat());
        self.inside.store(false, Ordering::SeqCst);
    }

    fn queued(&self, _: &mut OnTurn<'_>) -> usize {
        0
    }

    fn flush(&self, _: &mut OnTurn<'_>, _: &Arc<Core>) {}

    fn stop(&self, _: &mut OnTurn<'_>, _: &Arc<Core>) {
        self.stops.fetch_add(1, Ordering::SeqCst);
    }

    fn process_down(&self, _: &mut OnTurn<'_>, _: &Arc<Core>, _: Reference) {
        self.downs.fetch_add(1, Ordering::SeqCst);
    }

    fn nature(&self) -> Nature {
        Nature {
            locking: Locking::Port,
            queue_limited: false,
            soft_busy: false,
        }
    }
}

pub(super) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = soon().unwrap();
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}

fn info(host: &Host, pid: Pid, item: &str) -> Option<Term> {
    let fact = host.process_info(pid, Atom::new(item))?;
    fact.as_tuple().map(|pair| pair[1].clone())
}

fn is_suspended(host: &Host, pid: Pid) -> bool {
    info(host, pid, "status") == Some(Term::atom("suspended"))
}

#[test]
fn held_commands_pass_in_order_and_never_one_inside_another() {
    const HELD: usize = 20_000;
    let (_host, me) = setting();
    let port = Imp::new(Start::Now).open(&me).expect("a port");
    let id = Term::Port(port.id());
    let send = |text: &str| {
        let command = pair(atom::COMMAND, binary(text));
        me.send(&id, pair(me.pid(), command)).expect("sent");
    };
    {
        let mut visit = port.turn().enter().expect("idle");
        port.set_busy(visit.on(), true);
        for n in 0..HELD {
            send(&n.to_string());
        }
    }
    // It comes behind the messages, and sets off what must not be done inside it.
    let ready = port.ask(|on, port| {
        let imp = port.transport_as::<Imp>().expect("an imp");
        imp.flutters.store(true, Ordering::SeqCst);
        port.set_busy(on, false);
    });
    assert_eq!(ready, Ok(()));
    assert_eq!(command(&me, &id, "last"), Ok(true));
    for n in 0..HELD {
        let expected = pair(id.clone(), pair(atom::DATA, binary(&n.to_string())));
        assert_eq!(next(&me), expected);
    }
    assert_eq!(
        next(&me),
        pair(id.clone(), pair(atom::DATA, binary("last")))
    );
}

#[test]
fn every_suspended_thread_of_a_process_wakes_when_it_is_killed() {
    let (host, me) = setting();
    let ports = [(); 2].map(|()| puppet(&me, Options::new()));
    let other = host.process();
    std::thread::scope(|scope| {
        let senders = ports.each_ref().map(|port| {
            command(&me, port, "busy").expect("open");
            scope.spawn(|| command(&other, port, "late"))
        });
        let pauses = || other.cell().pauses();
        until("both are suspended", || pauses() == 2);
        let pid = Term::Pid(other.pid());
        me.exit_signal(&pid, Term::Atom(atom::KILL)).expect("sent");
        for sender in senders {
            assert!(sender.join().expect("no panic").is_err());
        }
    });
}

struct Counts(AtomicUsize);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_task_that_waits_at_a_busy_port_wakes_when_its_process_is_killed() {
    let (host, me) = setting();
    let id = puppet(&me, Options::new());
    command(&me, &id, "busy").expect("open");
    let other = host.process();
    let port = other.port(id.as_port().expect("a port")).expect("open");
    let counts = Arc::new(Counts(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&counts));
    let mut task = Context::from_waker(&waker);
    let mut sending = Box::pin(port.command_async("late"));
    assert!(sending.as_mut().poll(&mut task).is_pending());
    other.exit(Term::atom("boom"));
    assert_eq!(counts.0.load(Ordering::SeqCst), 1);
    assert!(sending.as_mut().poll(&mut task).is_ready());
}

#[test]
fn opening_ends_with_the_acknowledgement_wherever_it_comes_from() {
    let (host, me) = setting();
    let port = Imp::new(Start::AcknowledgeInside).open(&me);
    let id = Term::Port(port.expect("acknowledged").id());
    assert_eq!(command(&me, &id, "x"), Ok(true));
    me.port_close(&id).expect("open");

    let imp = Imp::new(Start::RefuseInside);
    let stops = Arc::clone(&imp.stops);
    let refused = crate::port::OpenError::Refused(Term::atom("enodev"));
    assert_eq!(imp.open(&me).err(), Some(refused));
    assert_eq!(stops.load(Ordering::SeqCst), 1);

    while !quiet(&me) {
        next(&me);
    }
    let failed = Imp::new(Start::FailLater).open(&me);
    let failed = Term::Port(failed.expect("a port that has failed").id());
    assert_eq!(next(&me), exit(&failed, "eio"));
    until("the port is gone", || host.ports().is_empty());
}

#[test]
fn an_opener_that_is_killed_takes_the_opening_port_with_it() {
    let (host, _me) = setting();
    let opener = host.process();
    let imp = Imp::new(Start::Never);
    let stops = Arc::clone(&imp.stops);
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| imp.open(&opener).map(|port| port.id()));
        until("the opener waits", || is_suspended(&host, opener.pid()));
        opener.exit(Term::atom("boom"));
        assert!(opening.join().expect("no panic").is_err());
    });
    until("the port is gone", || host.ports().is_empty());
    assert_eq!(stops.load(Ordering::SeqCst), 1);
}

#[test]
fn an_ended_monitor_of_a_back_end_is_silent_though_the_news_is_on_its_way() {
    let (host, me) = setting();
    let imp = Imp::new(Start::Now);
    let downs = Arc::clone(&imp.downs);
    let port = imp.open(&me).expect("a port");
    for ended in [true, false] {
        let other = host.process();
        let done = port.ask(move |on, port| {
            let reference = Reference::fresh();
            assert!(port.monitor_process(on, other.pid(), reference));
            other.exit(Term::atom("boom"));
            if ended {
                assert!(port.demonitor_process(on, reference));
            }
        });
        assert_eq!(done, Ok(()));
        // Whatever the turn still had to do comes before this.
        assert_eq!(port.ask(|_, _| ()), Ok(()));
        assert_eq!(downs.load(Ordering::SeqCst), usize::from(!ended));
    }
}

/// Runs two things at once, many times.
fn race(rounds: usize, mut round: impl FnMut(&dyn Fn(&(dyn Fn() + Sync), &(dyn Fn() + Sync)))) {
    for _ in 0..rounds {
        round(&|one, other| {
            let gate = AtomicUsize::new(0);
            let together = || {
                gate.fetch_add(1, Ordering::SeqCst);
                while gate.load(Ordering::SeqCst) < 2 {
                    std::thread::yield_now();
                }
            };
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    together();
                    other();
                });
                together();
                one();
            });
        });
    }
}

#[test]
fn who_ends_while_it_links_or_monitors_leaves_nothing_with_the_other() {
    let (host, me) = setting();
    let port = puppet(&me, Options::new());
    let me_term = Term::Pid(me.pid());
    let delay = AtomicUsize::new(0);
    race(300, |together| {
        let short = host.process();
        together(
            &|| {
                // The end comes somewhere in the middle.
                while short.exited().is_none() {
                    for (kind, target) in [(atom::PROCESS, &me_term), (atom::PORT, &port)] {
                        let _ = short.link(target);
                        let _ = short.unlink(target);
                        let monitor = short.monitor(&Term::Atom(kind), target);
                        let monitor = Term::Reference(monitor.expect("a reference"));
                        let _ = short.demonitor(&monitor, &Term::Nil);
                    }
                }
            },
            &|| {
                // A little later in each round.
                for _ in 0..delay.fetch_add(7, Ordering::SeqCst) {
                    std::hint::spin_loop();
                }
                short.exit(Term::Atom(atom::NORMAL));
            },
        );
        assert_eq!(
            info(&host, me.pid(), "monitored_by"),
            Some(Term::Nil),
            "a monitor of the dead"
        );
        let links = me.cell().relations(|books| books.links().count());
        assert_eq!(links, 1, "only the port");
        for (item, kept) in [("links", vec![me_term.clone()]), ("monitored_by", vec![])] {
            let fact = me.port_info_item(&port, &Term::atom(item));
            assert_eq!(fact, Ok(pair(Term::atom(item), Term::list(kept))));
        }
    });
}

#[test]
fn nothing_is_heard_after_unlink_or_a_flushing_demonitor() {
    let (host, me) = setting();
    let flush = Term::list(vec![Term::atom("flush")]);
    race(300, |together| {
        let other = host.process();
        let other_term = Term::Pid(other.pid());
        me.link(&other_term).expect("alive");
        let kind = Term::Atom(atom::PROCESS);
        let monitor = Term::Reference(me.monitor(&kind, &other_term).expect("a pid"));
        together(
            &|| {
                me.demonitor(&monitor, &flush).expect("a reference");
                me.unlink(&other_term).expect("a pid");
                let exits = |message: &Term| {
                    let from = message.as_tuple().map(|parts| parts[1].clone());
                    (from.as_ref() == Some(&other_term)).then_some(())
                };
                let _ = me.receive(exits, Some(Instant::now()));
            },
            &|| other.exit(Term::atom("boom")),
        );
        assert!(quiet(&me), "{:?}", next(&me));
    });
}

#[test]
fn commands_of_many_threads_all_arrive_each_threads_in_order() {
    const EACH: usize = 500;
    let (host, me) = setting();
    let port = puppet(&me, Options::new().binary());
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            let (host, port) = (&host, &port);
            scope.spawn(move || {
                let sender = host.process();
                for n in 0..EACH {
                    let text = format!("{thread} {n}");
                    assert_eq!(command(&sender, port, &text), Ok(true));
                }
            });
        }
        let mut counts = [0; 4];
        for _ in 0..4 * EACH {
            let message = next(&me);
            let data = message.as_tuple().and_then(|m| m[1].as_tuple().cloned());
            let data = data.and_then(|d| d[1].as_binary().cloned()).expect("data");
            let text = String::from_utf8(data.to_vec()).expect("text");
            let (thread, n) = text.split_once(' ').expect("two numbers");
            let count = &mut counts[thread.parse::<usize>().expect("a number")];
            assert_eq!(n.parse(), Ok(*count));
            *count += 1;
        }
    });
    assert!(quiet(&me));
}

#[test]
fn a_dropped_host_leaves_nothing_behind() {
    let (host, me) = setting();
    let services = Arc::downgrade(host.services());
    let other = host.process();
    for text in ["keep", "busy"] {
        let port = puppet(&me, Options::new());
        command(&me, &port, text).expect("open");
        me.port_set_data(&port, Term::from("x")).expect("open");
        other.link(&port).expect("open");
        me.monitor(&Term::Atom(atom::PORT), &port).expect("a port");
        if text == "keep" {
            me.port_close(&port).expect("open");
        } else {
            me.unlink(&port).expect("a port");
            other.unlink(&port).expect("a port");
        }
    }
    me.send_after(Duration::from_secs(3600), &me.pid().into(), Term::Nil);
    let directory = Arc::downgrade(host.directory());
    drop((me, other, host));
    until("the services are gone", || services.upgrade().is_none());
    until("the directory is gone", || directory.upgrade().is_none());
}

#[test]
fn monitors_show_the_name_that_was_monitored() {
    let (host, me) = setting();
    let name = Term::atom("monitored_by_name");
    let other = host.process();
    other.register(&name, &other.pid().into()).expect("free");
    me.monitor(&Term::Atom(atom::PROCESS), &name)
        .expect("a name");
    let shown = pair(atom::PROCESS, pair(name, Term::atom("nonode@nohost")));
    assert_eq!(
        info(&host, me.pid(), "monitors"),
        Some(Term::list(vec![shown]))
    );
}

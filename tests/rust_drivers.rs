//! Drivers written in Rust: what the callbacks get, what they may do, and how ports end on them.
#![forbid(unsafe_code)]

use std::any::Any;
use std::collections::HashMap;
use std::ffi::CStr;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, LazyLock, Mutex};
use std::time::Duration;

use wharf::rust_driver::{
    BadRequest, Command, DriverPort, Interest, PortDriver, Reply, StartError,
};
use wharf::{Host, Options, Port, PortName, Process, Term};

const SOON: Duration = Duration::from_secs(60);

/// What happened, by the text that the port was opened with.
static STORIES: LazyLock<Mutex<HashMap<String, Vec<String>>>> = LazyLock::new(Mutex::default);

static NOTED: Condvar = Condvar::new();

fn note(story: &str, line: impl Into<String>) {
    let mut stories = STORIES.lock().unwrap();
    stories.entry(story.into()).or_default().push(line.into());
    NOTED.notify_all();
}

/// What happened, once the driver's value is gone: processes are told of an end before that.
fn noted(story: &str) -> Vec<String> {
    let stories = STORIES.lock().unwrap();
    let unfinished = |stories: &mut HashMap<String, Vec<String>>| {
        !stories
            .get(story)
            .is_some_and(|lines| lines.iter().any(|line| line == "dropped"))
    };
    let (stories, late) = NOTED.wait_timeout_while(stories, SOON, unfinished).unwrap();
    assert!(!late.timed_out(), "{story}: {:?}", stories.get(story));
    stories[story].clone()
}

/// Does what it is told.
struct Obedient {
    story: String,
    wire: Option<UnixStream>,
    keep: Vec<wharf::Binary>,
}

impl Drop for Obedient {
    fn drop(&mut self) {
        note(&self.story, "dropped");
    }
}

impl Obedient {
    fn obey(&mut self, port: &mut DriverPort<'_>, order: &str) {
        let (order, rest) = order.split_once(' ').unwrap_or((order, ""));
        match order {
            "say" => port.output(rest.as_bytes()),
            "fail" => {
                port.fail(Term::atom("boom"));
                note(&self.story, "still here");
            }
            "exit" => port.exit(),
            "eof" => port.end_of_input(),
            "eio" => port.fail_with(&std::io::Error::from_raw_os_error(5)),
            "panic" => panic!("as ordered"),
            "timer" => port.set_timer(Duration::from_millis(rest.parse().unwrap())),
            "job" => {
                let rest = rest.to_owned();
                port.spawn_job(Some(1), move || match rest.as_str() {
                    "panic" => panic!("in the job"),
                    _ => format!("done {rest}"),
                });
            }
            "keep" => port.enqueue(rest),
            "busy" => port.set_busy(rest == "on"),
            "unwatch" => {
                if let Some(wire) = self.wire.take() {
                    port.unwatch(&wire, Interest::Both);
                }
            }
            "monitor" => {
                let caller = port.caller().expect("somebody asked");
                let monitor = port.monitor(caller).expect("alive");
                assert_eq!(port.monitored(monitor), Some(caller));
            }
            other => panic!("no such order: {other}"),
        }
    }
}

impl PortDriver for Obedient {
    const NAME: &'static CStr = c"obedient";
    const SOFT_BUSY: bool = true;

    fn start(port: &mut DriverPort<'_>, command: &[u8]) -> Result<Self, StartError> {
        let story = String::from_utf8_lossy(command).into_owned();
        match story.split(' ').nth(1) {
            Some("badarg") => return Err(StartError::BadArgument),
            Some("general") => return Err(StartError::General),
            Some("panic") => panic!("no start"),
            Some("fail") => port.fail(Term::atom("early")),
            Some("enoent") => {
                std::fs::File::open("/no/such/file")?;
            }
            _ => {}
        }
        Ok(Obedient {
            story,
            wire: None,
            keep: Vec::new(),
        })
    }

    fn output(&mut self, port: &mut DriverPort<'_>, data: &[u8]) {
        self.obey(port, std::str::from_utf8(data).unwrap());
    }

    fn control(
        &mut self,
        port: &mut DriverPort<'_>,
        operation: u32,
        data: &[u8],
    ) -> Result<Reply, BadRequest> {
        match operation {
            0 => Ok(Reply::empty()),
            1 => Ok(Reply::list(data)),
            2 => Ok(Reply::binary(data)),
            3 => Ok(Reply::list(data.repeat(1000))),
            4 => Ok(Reply::binary(data.repeat(1000))),
            5 => {
                self.obey(port, std::str::from_utf8(data).unwrap());
                Ok(Reply::from(()))
            }
            6 => {
                let (mut ours, theirs) = UnixStream::pair().unwrap();
                ours.write_all(data).unwrap();
                port.watch(&theirs, Interest::Read).unwrap();
                self.wire = Some(theirs);
                Ok(Reply::from(()))
            }
            7 => Ok(Reply::from(format!("{}", port.queue_len()))),
            _ => Err(BadRequest),
        }
    }

    fn call(
        &mut self,
        port: &mut DriverPort<'_>,
        operation: u32,
        argument: Term,
    ) -> Result<Term, BadRequest> {
        match operation {
            0 => Ok(Term::tuple([Term::Port(port.id()), argument])),
            _ => Err(BadRequest),
        }
    }

    fn timeout(&mut self, port: &mut DriverPort<'_>) {
        assert_eq!(port.timer_left(), None);
        port.output(b"time");
        port.dequeue(usize::MAX);
    }

    fn ready_input(&mut self, port: &mut DriverPort<'_>, fd: RawFd) {
        let wire = self.wire.as_mut().unwrap();
        assert_eq!(wire.as_raw_fd(), fd);
        let mut bytes = [0; 100];
        let number = wire.read(&mut bytes).unwrap();
        if number == 0 {
            let wire = self.wire.take().unwrap();
            port.unwatch(&wire, Interest::Both);
            port.output(b"hung up");
        } else {
            port.output(&bytes[..number]);
        }
    }

    fn ready_async(&mut self, port: &mut DriverPort<'_>, result: Box<dyn Any + Send>) {
        let text = result.downcast::<String>().unwrap();
        if let Some(order) = text.strip_prefix("done order ") {
            self.obey(port, order);
        } else {
            port.output(text.as_bytes());
        }
    }

    fn process_exit(&mut self, port: &mut DriverPort<'_>, _: wharf::Reference) {
        port.output(b"somebody went");
    }

    fn flush(&mut self, port: &mut DriverPort<'_>) {
        for bytes in port.queue() {
            note(
                &self.story,
                format!("flushed {}", String::from_utf8_lossy(&bytes)),
            );
            self.keep.push(bytes);
        }
        port.set_timer(Duration::ZERO);
    }

    fn stop(self, port: &mut DriverPort<'_>) {
        port.fail(Term::atom("too_late"));
        note(&self.story, "stopped");
    }
}

fn world() -> (Host, Process) {
    let host = Host::new().expect("a host");
    host.add_driver::<Obedient>().expect("the name is free");
    let me = host.process();
    me.set_trap_exit(true);
    (host, me)
}

fn open(me: &Process, story: &str) -> Port {
    let name = PortName::spawn_driver(format!("obedient {story}"));
    me.open(name, Options::new().binary()).expect("opens")
}

/// The next message, with the port shown as P.
fn next(me: &Process, port: &Port) -> String {
    let message = me
        .receive_any(SOON)
        .expect("alive")
        .expect("a message in time");
    message
        .to_string()
        .replace(&Term::Port(port.id()).to_string(), "P")
}

fn quiet(me: &Process) {
    assert_eq!(
        me.messages_waiting(),
        0,
        "{:?}",
        me.receive_any(Duration::ZERO)
    );
}

#[test]
fn commands_arrive_and_answers_come_back() {
    let (_host, me) = world();
    let port = open(&me, "answers");
    port.command("say hello").unwrap();
    assert_eq!(next(&me, &port), "{P,{data,<<\"hello\">>}}");
    port.close().unwrap();
    assert_eq!(next(&me, &port), "{'EXIT',P,normal}");
    assert_eq!(noted("obedient answers"), ["stopped", "dropped"]);
}

#[test]
fn opens_fail_with_the_reason_of_the_driver() {
    let (host, me) = world();
    for (story, reason) in [
        ("badarg", "badarg"),
        ("general", "einval"),
        ("enoent", "enoent"),
        ("panic", "einval"),
        ("fail", "einval"),
    ] {
        let name = PortName::spawn_driver(format!("obedient {story}"));
        let error = me.open(name, Options::new()).unwrap_err();
        assert!(error.is(reason), "{story}: {error}");
    }
    assert!(host.ports().is_empty());
    quiet(&me);
}

#[test]
fn control_answers_in_lists_and_binaries_of_any_size() {
    let (_host, me) = world();
    let port = open(&me, "control");
    let answer = |operation, data: &str| port.control(operation, data).unwrap();
    assert_eq!(answer(0, "x"), Term::Nil);
    assert_eq!(answer(1, "ab").to_string(), "\"ab\"");
    assert_eq!(answer(1, ""), Term::Nil);
    assert_eq!(answer(2, "ab").to_string(), "<<\"ab\">>");
    assert_eq!(answer(2, "").to_string(), "<<>>");
    assert_eq!(
        answer(3, "ab").to_charlist_string().unwrap(),
        "ab".repeat(1000)
    );
    assert_eq!(
        answer(4, "ab"),
        Term::from(wharf::Binary::from("ab".repeat(1000)))
    );
    assert_eq!(
        answer(1, "ab").to_string(),
        "\"ab\"",
        "lists again after binaries"
    );
    assert!(port.control(99, "").unwrap_err().is("badarg"));
}

#[test]
fn calls_carry_terms() {
    let (_host, me) = world();
    let port = open(&me, "call");
    let long = Term::from(wharf::Binary::from("x".repeat(10_000)));
    let answer = port.call(0, long.clone()).unwrap();
    assert_eq!(answer, Term::tuple([Term::Port(port.id()), long]));
    assert!(port.call(1, Term::Nil).unwrap_err().is("badarg"));
}

#[test]
fn timers_jobs_and_monitors_call_back() {
    let (host, me) = world();
    let port = open(&me, "calls back");
    port.command("timer 1").unwrap();
    assert_eq!(next(&me, &port), "{P,{data,<<\"time\">>}}");
    port.command("job one").unwrap();
    assert_eq!(next(&me, &port), "{P,{data,<<\"done one\">>}}");
    let other = host.process();
    port.on_behalf_of(&other).command("monitor").unwrap();
    other.exit(Term::atom("over"));
    assert_eq!(next(&me, &port), "{P,{data,<<\"somebody went\">>}}");
}

#[test]
fn descriptors_are_watched_until_they_hang_up() {
    let (_host, me) = world();
    let port = open(&me, "wire");
    port.control(6, "through the wire").unwrap();
    assert_eq!(next(&me, &port), "{P,{data,<<\"through the wire\">>}}");
    assert_eq!(next(&me, &port), "{P,{data,<<\"hung up\">>}}");
    // Again, with the port ending while it watches.
    port.control(6, "second").unwrap();
    assert_eq!(next(&me, &port), "{P,{data,<<\"second\">>}}");
    port.close().unwrap();
}

#[test]
fn a_close_waits_for_the_queue() {
    let (_host, me) = world();
    let port = open(&me, "queue");
    port.command("keep abc").unwrap();
    port.command("keep def").unwrap();
    assert_eq!(port.control(7, "").unwrap().to_string(), "\"6\"");
    me.send(
        &Term::Port(port.id()),
        Term::tuple([Term::Pid(me.pid()), Term::atom("close")]),
    )
    .unwrap();
    assert_eq!(next(&me, &port), "{'EXIT',P,normal}");
    assert_eq!(next(&me, &port), "{P,closed}");
    let told = noted("obedient queue");
    assert_eq!(told, ["flushed abc", "flushed def", "stopped", "dropped"]);
}

#[test]
fn a_busy_port_takes_no_command_unless_forced() {
    let (_host, me) = world();
    let port = open(&me, "busy");
    port.command("busy on").unwrap();
    assert!(!port.try_command("say lost").unwrap());
    port.force_command("say forced").unwrap();
    assert_eq!(next(&me, &port), "{P,{data,<<\"forced\">>}}");
    port.force_command("busy off").unwrap();
    assert!(port.try_command("say free").unwrap());
    assert_eq!(next(&me, &port), "{P,{data,<<\"free\">>}}");
}

#[test]
fn a_callback_ends_its_port_when_it_has_returned() {
    let (_host, me) = world();
    for (order, reason) in [
        ("fail", Some("boom")),
        ("eio", Some("eio")),
        ("eof", Some("normal")),
        ("exit", None),
    ] {
        // By a command, by control, and from a job.
        for way in ["command", "control", "job"] {
            let port = open(&me, &format!("ends by {order}, {way}"));
            match way {
                "command" => port.command(order).unwrap(),
                "control" => assert_eq!(port.control(5, order).unwrap(), Term::Nil),
                _ => port.command(format!("job order {order}")).unwrap(),
            }
            if let Some(reason) = reason {
                assert_eq!(
                    next(&me, &port),
                    format!("{{'EXIT',P,{reason}}}"),
                    "{order} by {way}"
                );
            } else {
                let down = port.monitor();
                let gone = me.receive_any(SOON).unwrap().unwrap().to_string();
                assert!(gone.starts_with("{'DOWN',"), "{gone} for {down:?}");
            }
            let told = noted(&format!("obedient ends by {order}, {way}"));
            let told: Vec<&str> = told.iter().map(String::as_str).collect();
            assert!(
                told.ends_with(&["stopped", "dropped"]),
                "{order} by {way}: {told:?}"
            );
            assert_eq!(told.iter().filter(|line| **line == "dropped").count(), 1);
        }
    }
    quiet(&me);
}

#[test]
fn a_panic_ends_the_port_and_nothing_else() {
    let (_host, me) = world();
    let bystander = open(&me, "bystander");
    for order in ["panic", "job panic", "job order panic"] {
        let port = open(&me, &format!("and {order}"));
        port.command(order).unwrap();
        assert_eq!(next(&me, &port), "{'EXIT',P,internal_error}", "{order}");
        let dropped = noted(&format!("obedient and {order}"));
        assert_eq!(
            dropped.iter().filter(|line| *line == "dropped").count(),
            1,
            "{dropped:?}"
        );
    }
    let port = open(&me, "control panics");
    port.control(5, "panic").unwrap_err();
    assert_eq!(next(&me, &port), "{'EXIT',P,internal_error}");
    bystander.command("say fine").unwrap();
    assert_eq!(next(&me, &bystander), "{P,{data,<<\"fine\">>}}");
}

#[test]
fn names_are_taken_once_and_given_back() {
    let (host, me) = world();
    let taken = host.add_driver::<Obedient>().unwrap_err();
    assert_eq!(
        taken.to_string(),
        "cannot add the driver obedient: there is a driver of this name already (badarg)"
    );
    let port = open(&me, "in use");
    assert!(
        host.remove_driver("obedient")
            .unwrap_err()
            .to_string()
            .contains("still open")
    );
    port.close().unwrap();
    host.remove_driver("obedient").unwrap();
    assert!(host.remove_driver("obedient").unwrap_err().is("badarg"));
    let gone = me
        .open(PortName::spawn_driver("obedient"), Options::new())
        .unwrap_err();
    assert!(gone.is("badarg"));
    host.add_driver::<Obedient>().unwrap();
    open(&me, "again");
}

/// Keeps what it is sent and gives it back in one message, piece by piece.
struct Collector;

impl PortDriver for Collector {
    const NAME: &'static CStr = c"collector";

    fn start(_: &mut DriverPort<'_>, _: &[u8]) -> Result<Self, StartError> {
        Ok(Collector)
    }

    fn outputv(&mut self, port: &mut DriverPort<'_>, data: Command<'_>) {
        assert_eq!(data.len(), data.to_bytes().len());
        assert_eq!(data.pieces().map(<[u8]>::len).sum::<usize>(), data.len());
        assert_eq!(data.is_empty(), data.pieces().next().is_none());
        let pieces = data.to_binaries();
        let owner = port.owner().unwrap();
        let sender = port.sender();
        // From a thread of the driver's own.
        std::thread::spawn(move || {
            for piece in pieces {
                sender.send(owner, Term::from(piece));
            }
            sender.send_owner(Term::atom("all"))
        })
        .join()
        .unwrap();
    }
}

#[test]
fn pieces_are_shared_and_threads_may_send() {
    let (host, me) = world();
    host.add_driver::<Collector>().unwrap();
    let port = me
        .open(PortName::spawn("collector of pieces"), Options::new())
        .unwrap();
    let large = wharf::Binary::from("x".repeat(5000));
    let data = Term::list(vec![
        Term::from(large.clone()),
        Term::from(1_i64),
        Term::from(large.clone()),
    ]);
    assert!(
        me.port_command(&Term::Port(port.id()), &data, &Term::Nil)
            .unwrap()
    );
    let mut got = Vec::new();
    loop {
        let term = me.receive_any(SOON).unwrap().unwrap();
        if term.is_atom("all") {
            break;
        }
        got.push(term.as_binary().expect("a binary").clone());
    }
    assert_eq!(got.iter().map(|piece| piece.len()).sum::<usize>(), 10_001);
    let shared = got
        .iter()
        .filter(|piece| piece.as_bytes().as_ptr() == large.as_bytes().as_ptr());
    assert_eq!(shared.count(), 2, "large pieces are not copied");
    port.command("").unwrap();
    assert!(me.receive_any(SOON).unwrap().unwrap().is_atom("all"));
}

/// What a callback of [`Outsider`] does to its own port, as if it were somebody else.
type Deed = Box<dyn Fn() -> String + Send>;
static DEED: Mutex<Option<Deed>> = Mutex::new(None);

/// Has its port in its hands from outside, too.
struct Outsider;

impl PortDriver for Outsider {
    const NAME: &'static CStr = c"outsider";

    fn start(_: &mut DriverPort<'_>, _: &[u8]) -> Result<Self, StartError> {
        Ok(Outsider)
    }

    fn output(&mut self, port: &mut DriverPort<'_>, _: &[u8]) {
        let deed = DEED.lock().unwrap().take().expect("a deed");
        let told = deed();
        port.output(told.as_bytes());
    }

    fn stop(self, _: &mut DriverPort<'_>) {
        note("outsider", "stopped");
    }
}

impl Drop for Outsider {
    fn drop(&mut self) {
        note("outsider", "dropped");
    }
}

#[test]
fn a_callback_may_turn_on_its_own_port_from_outside() {
    let (host, me) = world();
    host.add_driver::<Outsider>().unwrap();
    let open = || {
        me.open(PortName::spawn_driver("outsider"), Options::new().binary())
            .unwrap()
    };
    let ask = |port: &Port, deed: Deed| {
        *DEED.lock().unwrap() = Some(deed);
        port.command("").unwrap();
    };

    // To wait for oneself would take for ever: it is an error, and the port goes on.
    let port = open();
    let (own, helper) = (port.id(), host.process());
    let closer = helper.port(own).expect("there");
    ask(
        &port,
        Box::new(move || closer.close().unwrap_err().reason().to_string()),
    );
    let told = next(&me, &port);
    assert!(told.starts_with("{P,{data,"), "{told}");

    // A signal is taken when the callback is over.
    let killer = host.process();
    let target = Term::Port(own);
    ask(
        &port,
        Box::new(move || {
            killer.exit_signal(&target, Term::atom("kill")).unwrap();
            "killed".into()
        }),
    );
    let mut told = vec![next(&me, &port)];
    while !told.last().unwrap().starts_with("{'EXIT'") {
        told.push(next(&me, &port));
    }
    assert_eq!(told.last().unwrap(), "{'EXIT',P,killed}");
    assert_eq!(noted("outsider"), ["stopped", "dropped"]);
}

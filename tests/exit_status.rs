//! The exit status is told exactly once, after all data and before the end, however many programs
//! end at the same time and however late their owners listen. `WHARF_RACES=10000` runs that many
//! programs for each kind of listener instead of a few hundred.

#[path = "support/quiet.rs"]
mod quiet;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use quiet::{SOON, Watchdog, all_quiet};
use wharf::{Host, Message, Options, Packet, Port, PortId, PortName, Process, Term};

/// How many programs run at a time for one owner.
const IN_FLIGHT: usize = 64;

/// How many programs each story runs.
fn programs() -> usize {
    let wanted = std::env::var("WHARF_RACES").ok();
    wanted
        .and_then(|number| number.parse().ok())
        .unwrap_or(4 * IN_FLIGHT)
}

/// The compiled program. A process of its own is told where it is.
fn quick() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| match std::env::var_os("WHARF_QUICK") {
        Some(path) => path.into(),
        None => compile_quick(),
    })
}

fn compile_quick() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("quick");
    let fresh = path.with_extension(std::process::id().to_string());
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/quick.c");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let compiled = Command::new(compiler)
        .args(["-O1", "-Wall", "-Wextra", "-o"])
        .args([&fresh, &source])
        .status()
        .expect("a C compiler is installed");
    assert!(compiled.success(), "quick.c does not compile");
    std::fs::rename(&fresh, &path).expect("the same folder");
    path
}

/// What one program is asked to do, and what has to be heard of it.
struct Story {
    number: usize,
    shape: &'static str,
    status: bool,
    eof: bool,
    killed: bool,
}

/// What was heard, for comparison: streams are joined, for nobody promises where they are cut.
#[derive(Debug, PartialEq, Clone)]
enum Heard {
    Data(String),
    Line(String, bool),
    Status(i64),
    Eof,
    End(String),
}

impl Story {
    /// All combinations come by in turn.
    fn new(number: usize) -> Story {
        Story {
            number,
            shape: ["stream", "line", "packet", "nothing"][number % 4],
            status: number / 4 % 4 != 3,
            eof: number / 16 % 4 >= 2,
            killed: number / 64 % 4 == 3,
        }
    }

    fn open(&self, owner: &Process) -> Port {
        let shape = match self.shape {
            "packet" => "p",
            "nothing" => "n",
            _ => "s",
        };
        let end = if self.killed { "k" } else { "e" };
        let number = self.number.to_string();
        let mut options = Options::new().binary().args([shape, end, &number]);
        options = match self.shape {
            "line" => options.line(80),
            "packet" => options.packet(Packet::Two),
            _ => options,
        };
        if self.status {
            options = options.exit_status();
        }
        if self.eof {
            options = options.eof();
        }
        owner
            .open(PortName::spawn_executable(quick()), options)
            .expect("the program starts")
    }

    fn code(&self) -> i64 {
        let signals = [9, 15, 11, 1, 10, 6];
        match self.killed {
            true => 128 + signals[self.number % signals.len()],
            false => (self.number % 256) as i64,
        }
    }

    fn expected(&self) -> Vec<Heard> {
        let number = self.number.to_string();
        let mut all = match self.shape {
            "stream" => vec![Heard::Data(format!("{number}\nrest"))],
            "line" => vec![Heard::Line(number, true)],
            "packet" => vec![Heard::Data(number), Heard::Data(String::new())],
            _ => Vec::new(),
        };
        if self.status {
            all.push(Heard::Status(self.code()));
        }
        if self.shape == "line" {
            all.push(Heard::Line("rest".into(), false));
        }
        all.push(match self.eof {
            true => Heard::Eof,
            false => Heard::End("normal".into()),
        });
        all
    }

    /// Whether this is the last that is heard of the program.
    fn is_over(heard: &Heard) -> bool {
        matches!(heard, Heard::Eof | Heard::End(_))
    }

    fn check(&self, heard: &[Heard]) {
        let mut joined: Vec<Heard> = Vec::new();
        for one in heard {
            match (joined.last_mut(), one) {
                (Some(Heard::Data(before)), Heard::Data(more)) if self.shape == "stream" => {
                    before.push_str(more);
                }
                _ => joined.push(one.clone()),
            }
        }
        let Story { number, shape, .. } = self;
        assert_eq!(joined, self.expected(), "program {number}, {shape}");
    }
}

fn read(message: Message) -> (PortId, Heard) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match message {
        Message::Data { port, bytes } => (port, Heard::Data(text(&bytes))),
        Message::Line {
            port,
            bytes,
            complete,
        } => (port, Heard::Line(text(&bytes), complete)),
        Message::ExitStatus { port, status } => (port, Heard::Status(status)),
        Message::Eof { port } => (port, Heard::Eof),
        Message::Exit { from, reason } => {
            let port = from.as_port().expect("only ports end here");
            (port, Heard::End(reason.to_string()))
        }
        other => panic!("nobody should hear {other:?}"),
    }
}

fn next(owner: &Process) -> (PortId, Heard) {
    read(owner.next(SOON).expect("alive").expect("in time"))
}

fn next_from(owner: &Process, port: PortId) -> Heard {
    let message = owner.next_from(port, SOON).expect("alive");
    read(message.expect("in time")).1
}

fn owner(host: &Host) -> Process {
    let owner = host.process();
    owner.set_trap_exit(true);
    owner
}

/// A port that has told `eof` is there until it is closed, and ends then as all do.
fn close(story: &Story, owner: &Process, port: &Port) {
    if story.eof {
        port.close().expect("open until closed");
        let end = Heard::End("normal".into());
        assert_eq!(next_from(owner, port.id()), end, "{}", story.number);
    }
}

/// Always as many programs as are allowed, and each message is taken as soon as it comes.
fn keep_up(owner: &Process, numbers: impl Iterator<Item = usize>) {
    let mut numbers = numbers.map(Story::new);
    let mut running: HashMap<PortId, (Story, Port, Vec<Heard>)> = HashMap::new();
    loop {
        while running.len() < IN_FLIGHT
            && let Some(story) = numbers.next()
        {
            let port = story.open(owner);
            running.insert(port.id(), (story, port, Vec::new()));
        }
        if running.is_empty() {
            return;
        }
        let (port, heard) = next(owner);
        let known = running.get_mut(&port);
        let (story, ..) = known.unwrap_or_else(|| panic!("{heard:?} after the end of {port}"));
        let over = Story::is_over(&heard);
        let number = story.number;
        let all = &mut running.get_mut(&port).expect("as above").2;
        all.push(heard);
        if over {
            let (story, handle, all) = running.remove(&port).expect("as above");
            assert_eq!(number, story.number);
            story.check(&all);
            close(&story, owner, &handle);
        }
    }
}

/// A batch of programs is over, all of it, before the first message is looked at; then they are
/// asked for port by port, the last one first, in a mailbox full of other things.
fn lag(owner: &Process, numbers: impl Iterator<Item = usize>) {
    let numbers: Vec<usize> = numbers.collect();
    let myself = Term::Pid(owner.pid());
    for batch in numbers.chunks(IN_FLIGHT) {
        let mut running = Vec::new();
        for (at, number) in batch.iter().enumerate() {
            let other = Term::tuple([Term::atom("other"), Term::from(at)]);
            owner.send(&myself, other).expect("alive");
            let story = Story::new(*number);
            let port = story.open(owner);
            running.push((story, port));
        }
        quiet::wait_until("the programs end", || {
            let ports = running.iter().filter(|(story, _)| !story.eof);
            let mut ports = ports.map(|(_, port)| port);
            !ports.any(Port::is_open) && owner.messages_waiting() > batch.len()
        });
        for (story, port) in running.iter().rev() {
            let mut all = Vec::new();
            while !all.last().is_some_and(Story::is_over) {
                all.push(next_from(owner, port.id()));
            }
            story.check(&all);
            close(story, owner, port);
        }
        for at in 0..batch.len() {
            let other = Term::tuple([Term::atom("other"), Term::from(at)]);
            assert_eq!(owner.receive_any(SOON), Ok(Some(other)), "others stay");
        }
        assert_eq!(owner.messages_waiting(), 0);
    }
}

#[test]
fn listeners_that_keep_up_hear_each_status_once() {
    let _watchdog = Watchdog::within("keeping up", 20 * SOON);
    let host = Host::new().expect("a host");
    let me = owner(&host);
    keep_up(&me, 0..programs());
    all_quiet(&host, &[&me]);
}

#[test]
fn listeners_that_lag_hear_each_status_once() {
    let _watchdog = Watchdog::within("lagging", 20 * SOON);
    let host = Host::new().expect("a host");
    let me = owner(&host);
    lag(&me, 0..programs());
    all_quiet(&host, &[&me]);
}

#[test]
fn many_owners_hear_only_of_their_own() {
    let _watchdog = Watchdog::within("many owners", 20 * SOON);
    let hosts = [Host::new().expect("a host"), Host::new().expect("a host")];
    let owners: Vec<Process> = (0..4).map(|at| owner(&hosts[at % 2])).collect();
    std::thread::scope(|scope| {
        for (at, owner) in owners.iter().enumerate() {
            scope.spawn(move || {
                let numbers = (at..programs()).step_by(4);
                match at < 2 {
                    true => keep_up(owner, numbers),
                    false => lag(owner, numbers),
                }
            });
        }
    });
    for host in &hosts {
        let of_host: Vec<&Process> = owners.iter().filter(|it| host.is_alive(it.pid())).collect();
        assert_eq!(of_host.len(), 2);
        all_quiet(host, &of_host);
    }
}

#[test]
fn futures_hear_each_status_once() {
    let _watchdog = Watchdog::within("futures", 20 * SOON);
    let host = Host::new().expect("a host");
    let me = owner(&host);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("tokio");
    let numbers: Vec<usize> = (0..programs()).collect();
    for batch in numbers.chunks(IN_FLIGHT) {
        let open = |number: &usize| {
            let story = Story::new(*number);
            let port = story.open(&me);
            (story, port)
        };
        let running: Vec<(Story, Port)> = batch.iter().map(open).collect();
        for (story, port) in &running {
            let mut all = Vec::new();
            while !all.last().is_some_and(Story::is_over) {
                let message = runtime.block_on(async {
                    let next = tokio::time::timeout(SOON, me.next_from_async(port.id()));
                    next.await.expect("in time").expect("alive")
                });
                all.push(read(message).1);
            }
            story.check(&all);
            close(story, &me, port);
        }
    }
    all_quiet(&host, &[&me]);
}

/// Runs one of the tests that need a process of their own, after `before` in a shell.
#[track_caller]
fn in_a_process_of_its_own(before: &str, test: &str) {
    let script = format!("{before} exec \"$0\" --exact --nocapture --ignored {test}");
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().expect("this test program"))
        .env("WHARF_QUICK", quick())
        .output()
        .expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("1 passed"), "{text}\n{errors}");
    assert!(output.status.success(), "{text}\n{errors}");
}

/// The kernel reaps the programs then, and is asked for the status afterwards.
#[test]
fn a_host_that_ignores_the_end_of_children_hears_each_status_once() {
    in_a_process_of_its_own("trap '' CHLD;", "in_a_host_that_ignores_children");
}

#[test]
#[ignore = "needs a process that ignores SIGCHLD; the test above gives it one"]
fn in_a_host_that_ignores_children() {
    tell_all_without_children("ignoring");
}

/// Somebody else in the process waits for any child, and gets what the ports wait for.
#[test]
fn a_host_that_waits_for_any_child_hears_each_status_once() {
    in_a_process_of_its_own("", "in_a_host_that_waits_for_any_child");
}

#[test]
#[ignore = "takes the children of other tests; the test above gives it a process of its own"]
fn in_a_host_that_waits_for_any_child() {
    // Ends with the process, which is soon.
    std::thread::spawn(|| {
        loop {
            // `ECHILD` while there are none.
            let _ = nix::sys::wait::wait();
            std::thread::yield_now();
        }
    });
    tell_all_without_children("stealing");
}

fn tell_all_without_children(story: &'static str) {
    let _watchdog = Watchdog::within(story, 20 * SOON);
    if !kernel_remembers() {
        eprintln!("skipped: kernels before 6.15 forget the statuses of children that others took");
        return;
    }
    let host = Host::new().expect("a host");
    let me = owner(&host);
    keep_up(&me, 0..programs());
    lag(&me, 0..programs());
    all_quiet(&host, &[&me]);
}

/// Whether the kernel tells the status of a child that is not there any more.
fn kernel_remembers() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("Linux");
    let numbers = release.split(['.', '-']);
    let mut version = numbers.map_while(|part| part.parse::<u32>().ok());
    (version.next(), version.next()) >= (Some(6), Some(15))
}

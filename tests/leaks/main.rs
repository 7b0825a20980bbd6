//! Nothing is left of a port after its end, whatever kind it was and whichever way it ended: no
//! descriptor, child, thread, or byte of memory. The same for processes and for whole hosts.
//!
//! Each story is told many times, in batches. Threads keep a little memory from the first time that
//! they need it, so a batch counts that leaves *exactly* nothing; what leaks in every round, or only
//! now and then, leaves something in each batch. `WHARF_LEAKS_ROUNDS` sets how often every story is
//! told, `WHARF_LEAKS_ONLY` which ones (a part of their name).

#[path = "../support/apart.rs"]
mod apart;
#[path = "../support/books.rs"]
mod books;
mod descriptors;
mod drivers;
mod processes;
mod programs;
#[path = "../support/drivers.rs"]
mod sources;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use apart::apart;
use books::{Books, live_bytes, resident_kb};
use wharf::{Host, Options, Port, PortId, PortName, Process, Term};

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(60);

/// What the stories are told on.
struct Stage {
    host: Host,
    /// Traps exits.
    owner: Process,
    folder: PathBuf,
}

/// A story, and how many times it is told in short: starting programs takes time.
type Story = (&'static str, fn(&Stage));
const PROGRAMS_BATCH: usize = 8;
const OTHERS_BATCH: usize = 100;
const HOSTS_BATCH: usize = 10;

impl Stage {
    fn new() -> Stage {
        // Its own: the tests run side by side.
        let name = format!("leaks-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers/holding_drv.c");
        sources::compile(&source, &folder);
        // Fewer threads come by sooner at everything they may keep.
        let host = Host::builder().work_threads(1).build().unwrap();
        let owner = host.process();
        owner.set_trap_exit(true);
        owner.load_driver(&folder, "holding_drv").unwrap();
        Stage {
            host,
            owner,
            folder,
        }
    }

    fn open(&self, name: PortName, options: Options) -> Port {
        self.owner
            .open(name, options)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Hears the end of a port, and forgets what came before; the reason.
    fn end(&self, port: PortId) -> String {
        loop {
            let message = self
                .owner
                .receive_any(DEADLINE)
                .unwrap()
                .expect("the port ends");
            if let Some([tag, of, reason]) = message.as_tuple().map(|parts| &parts[..])
                && tag.is_atom("EXIT")
                && *of == Term::Port(port)
            {
                return reason.to_string();
            }
        }
    }

    fn ends(&self, port: &Port, reason: &str) {
        assert_eq!(self.end(port.id()), reason);
    }

    /// A message to a port in the owner's name: `{Owner, What}`.
    fn ask(&self, port: &Port, what: Term) {
        let message = Term::tuple([self.owner.pid().into(), what]);
        self.owner.send(&port.id().into(), message).unwrap();
    }

    /// Closes by message.
    fn ask_to_close(&self, port: &Port) {
        self.ask(port, Term::atom("close"));
        self.ends(port, "normal");
        let closed = Term::tuple([port.id().into(), Term::atom("closed")]);
        let told = self.owner.receive_any(DEADLINE).unwrap();
        assert_eq!(told, Some(closed));
    }

    fn kill(&self, port: &Port) {
        self.owner
            .exit_signal(&port.id().into(), Term::atom("kill"))
            .unwrap();
        self.ends(port, "killed");
    }

    /// Opens a port in the name of a process that then dies.
    fn owner_dies(&self, open: impl FnOnce(&Process) -> Port) {
        let mortal = self.host.process();
        let port = open(&mortal);
        mortal.exit(Term::atom("over"));
        drop(port);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// How often every story is told in all; nothing set means a few times only.
fn rounds() -> Option<usize> {
    let number = std::env::var("WHARF_LEAKS_ROUNDS").ok()?;
    Some(number.parse().expect("WHARF_LEAKS_ROUNDS is a number"))
}

fn tell_all(stories: &[Story], batch: usize) {
    let stage = Stage::new();
    // One program outlives its port all the time, so that the thread that waits for such programs is
    // always there.
    let sleeper = stage.open(PortName::spawn("sleep 3600 2>&1"), Options::new());
    let _sleeper = Sleeper(programs::pid(&sleeper));
    sleeper.close().unwrap();
    stage.ends(&sleeper, "normal");
    drop(sleeper);
    start_the_worker(&stage);
    let only = std::env::var("WHARF_LEAKS_ONLY").unwrap_or_default();
    for (name, story) in stories.iter().filter(|(name, _)| name.contains(&only)) {
        let begun = Instant::now();
        // What threads keep from the first time on.
        for _ in 0..batch {
            story(&stage);
        }
        match rounds() {
            None => tell_shortly(&stage, name, *story, batch),
            Some(rounds) => tell_at_length(&stage, name, *story, rounds),
        }
        eprintln!("{name}: {:.1?}", begun.elapsed());
    }
}

/// The worker starts when somebody first finds a port's turn taken, which in most stories is a matter
/// of luck. It is sure to start for a timer while nobody waits for a message.
fn start_the_worker(stage: &Stage) {
    let port = stage.open(PortName::spawn_driver("counter_drv"), Options::new());
    port.control(u32::from(b't'), "1").unwrap();
    let waited = Instant::now();
    while !Books::now().has_thread("wharf_work_1") {
        assert!(waited.elapsed() < DEADLINE, "no worker starts");
        std::thread::yield_now();
    }
    port.control(u32::from(b't'), "0").unwrap();
    port.close().unwrap();
    stage.ends(&port, "normal");
}

/// A program that ends with the test, however that ends.
struct Sleeper(i32);

impl Drop for Sleeper {
    fn drop(&mut self) {
        programs::kill(self.0);
    }
}

/// The books once they do not change any more: threads that were told to end take a moment.
fn settled() -> Books {
    const LOOKS: usize = 50;
    let mut books = Books::now();
    let mut same = 0;
    while same < LOOKS {
        std::thread::yield_now();
        let next = Books::now();
        same = if next == books { same + 1 } else { 0 };
        books = next;
    }
    books
}

/// What stays of a number of rounds.
/// The bytes, if all the rest is as it was.
fn left_after(stage: &Stage, story: fn(&Stage), rounds: usize) -> Result<isize, String> {
    /// Threads that end give back their last bytes a moment later.
    const PATIENCE_FOR_BYTES: Duration = Duration::from_millis(300);
    const PATIENCE: Duration = Duration::from_secs(4);
    let books = settled();
    let bytes = live_bytes();
    for _ in 0..rounds {
        story(stage);
    }
    let waited = Instant::now();
    loop {
        // In this order: books are made of memory themselves.
        let grown = live_bytes() - bytes;
        let left = Books::now();
        let (ports, messages) = (stage.host.ports().len(), stage.owner.messages_waiting());
        if left == books && ports == 0 && messages == 0 {
            if grown == 0 || waited.elapsed() > PATIENCE_FOR_BYTES {
                return Ok(grown);
            }
        } else if waited.elapsed() > PATIENCE {
            return Err(format!(
                "after {rounds} rounds {ports} ports, {messages} messages, {grown} bytes more, \
                 {left:?} instead of {books:?}"
            ));
        }
        std::thread::yield_now();
    }
}

fn tell_shortly(stage: &Stage, name: &str, story: fn(&Stage), batch: usize) {
    const ATTEMPTS: usize = 8;
    let mut left = Vec::new();
    while left.len() < ATTEMPTS {
        left.push(left_after(stage, story, batch));
        if left.last() == Some(&Ok(0)) {
            return;
        }
    }
    panic!("{name}: {left:#?}");
}

fn tell_at_length(stage: &Stage, name: &str, story: fn(&Stage), rounds: usize) {
    const BATCHES: usize = 10;
    const JUDGED: usize = BATCHES / 2;
    /// A thread keeps some memory from the first time on that it reads, which may be any time.
    const BATCHES_MAX: usize = BATCHES + 4 * JUDGED;
    /// What is left in every round, or in some, is more than this on average.
    const BYTES_PER_ROUND: usize = 8;
    const LATE_KB: usize = 2048;
    let batch = rounds.div_ceil(BATCHES);
    let allowed = isize::try_from(JUDGED * batch * BYTES_PER_ROUND).unwrap();
    let mut left = Vec::new();
    let mut resident = Vec::new();
    loop {
        left.push(left_after(stage, story, batch));
        resident.push(resident_kb());
        assert!(left.iter().skip(1).all(Result::is_ok), "{name}: {left:#?}");
        if left.len() < BATCHES {
            continue;
        }
        let last = left.len() - JUDGED;
        let bytes: isize = left[last..].iter().flatten().sum();
        let grown_kb = resident[left.len() - 1].saturating_sub(resident[last]);
        if bytes <= allowed && grown_kb <= LATE_KB {
            break;
        }
        assert!(left.len() < BATCHES_MAX, "{name}: {left:?}, {resident:?}");
    }
    let left: Vec<isize> = left.into_iter().flatten().collect();
    eprintln!("    bytes left by each batch {left:?}, kB in use {resident:?}");
}

#[test]
fn nothing_is_left_of_programs() {
    apart("nothing_is_left_of_programs", || {
        tell_all(&programs::STORIES, PROGRAMS_BATCH)
    });
}

#[test]
fn nothing_is_left_of_descriptor_ports() {
    apart("nothing_is_left_of_descriptor_ports", || {
        tell_all(&descriptors::STORIES, OTHERS_BATCH);
    });
}

#[test]
fn nothing_is_left_of_driver_ports() {
    apart("nothing_is_left_of_driver_ports", || {
        tell_all(&drivers::STORIES, OTHERS_BATCH)
    });
}

#[test]
fn nothing_is_left_of_processes() {
    apart("nothing_is_left_of_processes", || {
        tell_all(&processes::STORIES, OTHERS_BATCH)
    });
}

#[test]
fn nothing_is_left_of_hosts() {
    apart("nothing_is_left_of_hosts", || {
        tell_all(&processes::HOSTS, HOSTS_BATCH)
    });
}

//! Everything at once: threads that open, use, pass on, end and unload ports of a driver that does
//! everything that a driver can do, at random. Afterwards nothing is left, and what the driver has
//! counted agrees (it aborts where not). `WHARF_STRESS_SECONDS=300` goes on for that long,
//! `WHARF_STRESS_SEED` begins with another seed.

#[allow(dead_code)] // of its numbers only some
#[path = "support/books.rs"]
mod books;
#[path = "support/quiet.rs"]
mod quiet;
#[path = "support/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use books::Books;
use quiet::{SOON, Watchdog, wait_until};
use wharf::Process;
use wharf::term::{Pid, PortId, Term};
use world::{World, compile_with, scratch, term};

const THREADS: u64 = 8;
/// One with a turn for all its ports, one with a turn for each.
const DRIVERS: [&str; 2] = ["stress_one", "stress_own"];
const PORTS_MAX: usize = 200;

fn number_from(variable: &str, otherwise: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

/// Numbers without pattern, the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let number = self.below(from.len().max(1) as u64);
        from.get(usize::try_from(number).ok()?).copied()
    }
}

/// What all threads know.
struct Shared<'w> {
    world: &'w World,
    folder: Term,
    processes: Mutex<Vec<Pid>>,
    until: Instant,
}

/// One thread's process, and what it does.
struct Actor<'w> {
    shared: &'w Shared<'w>,
    me: Process,
    random: Random,
    references: Vec<Term>,
}

impl Actor<'_> {
    fn new<'w>(shared: &'w Shared<'w>, seed: u64) -> Actor<'w> {
        let me = shared.world.host.process();
        me.set_trap_exit(true);
        shared.processes.lock().unwrap().push(me.pid());
        Actor {
            shared,
            me,
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            references: Vec::new(),
        }
    }

    fn run(mut self) {
        while Instant::now() < self.shared.until {
            self.act();
        }
    }

    fn port(&mut self) -> Term {
        let ports = self.shared.world.host.ports();
        self.random.pick(&ports).map_or(Term::Nil, Term::from)
    }

    fn pid(&mut self) -> Term {
        let processes = self.shared.processes.lock().unwrap();
        self.random.pick(&processes).map_or(Term::Nil, Term::from)
    }

    fn driver(&mut self) -> &'static str {
        self.random.pick(&DRIVERS).unwrap()
    }

    /// Bytes that begin with what the driver is to do, in pieces of several kinds.
    fn data(&mut self) -> Term {
        let what = u32::try_from(self.random.below(1 << 20)).unwrap();
        let head = wharf::term::Binary::from(&what.to_le_bytes()[..]);
        let len = usize::try_from(self.random.below(200)).unwrap();
        let tail = wharf::term::Binary::from(vec![b'x'; len]);
        Term::list(vec![
            Term::Binary(head),
            Term::Binary(tail),
            Term::from("text"),
        ])
    }

    fn open(&mut self, owner: Option<&Process>) -> Option<PortId> {
        if self.shared.world.host.ports().len() > PORTS_MAX {
            return None;
        }
        let command = format!("{} {}", self.driver(), self.random.below(1 << 30));
        let name = Term::tuple([Term::atom("spawn_driver"), Term::charlist(&command)]);
        let options = [
            "[]",
            "[binary]",
            "[binary,eof]",
            "[{line,10}]",
            "[binary,{busy_limits_msgq,{10,50}}]",
        ];
        let options = term(self.random.pick(&options).unwrap());
        // There may be no such driver at the moment, or it does not want to.
        owner.unwrap_or(&self.me).open_port(&name, &options).ok()
    }

    /// One request. What is answered depends on what the others do.
    fn act(&mut self) {
        let port = self.port();
        let operation = Term::from(self.random.below(1 << 20));
        let me = Term::from(self.me.pid());
        match self.random.below(20) {
            0..=2 => {
                self.open(None);
                if self.random.below(3) == 0 {
                    // It dies with what it has opened and asked.
                    let owner = self.shared.world.host.process();
                    if let Some(port) = self.open(Some(&owner)) {
                        let _ = owner.port_control(&port.into(), &operation, &Term::from("data"));
                    }
                    owner.exit(Term::atom("enough"));
                }
            }
            3..=5 => {
                let data = self.data();
                let _ = self.me.port_command(&port, &data, &Term::Nil);
            }
            6 => {
                let data = self.data();
                let _ = self.me.port_command(&port, &data, &term("[nosuspend]"));
            }
            7 => {
                let what = Term::tuple([Term::atom("command"), self.data()]);
                let _ = self.me.send(&port, Term::tuple([me, what]));
            }
            8 | 9 => {
                let _ = self.me.port_control(&port, &operation, &Term::from("data"));
            }
            10 => {
                let _ = self.me.port_call(&port, &operation, &term("{a,[1,2,3]}"));
            }
            11 => {
                let to = self.pid();
                let _ = self.me.port_connect(&port, &to);
            }
            12 => {
                let _ = self.me.link(&port);
            }
            13 => {
                let _ = self.me.unlink(&port);
            }
            14 => {
                if let Ok(reference) = self.me.monitor(&Term::atom("port"), &port) {
                    self.references.push(reference.into());
                }
                if self.references.len() > 10 {
                    let reference = self.references.swap_remove(0);
                    let _ = self.me.demonitor(&reference, &term("[flush]"));
                }
            }
            15 => {
                let _ = self.me.port_close(&port);
            }
            16 => {
                let reason = self.random.pick(&["kill", "normal", "reason"]).unwrap();
                let _ = self.me.exit_signal(&port, Term::atom(reason));
            }
            17 => {
                let _ = self.me.port_info(&port);
                let _ = self.me.send(&port, Term::tuple([me, Term::atom("close")]));
            }
            18 => self.load_or_unload(),
            _ => while let Ok(Some(_)) = self.me.receive_any(Duration::ZERO) {},
        }
    }

    fn load_or_unload(&mut self) {
        let name = Term::charlist(self.driver());
        let folder = self.shared.folder.clone();
        let _ = match self.random.below(40) {
            0..=17 => self.me.ddll("try_unload", &[name, term("[kill_ports]")]),
            18 => {
                let options = term("[{reload,pending_driver}]");
                self.me.ddll("try_load", &[folder, name, options])
            }
            19..=26 => self.me.ddll("try_unload", &[name, Term::Nil]),
            _ => self.me.ddll("try_load", &[folder, name, Term::Nil]),
        };
    }
}

/// The sums of what the drivers counted each time that they were unloaded.
fn counted(report: &Path) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for line in fs::read_to_string(report).unwrap_or_default().lines() {
        *sums.entry("unloads".to_owned()).or_default() += 1;
        let words: Vec<&str> = line.split_whitespace().collect();
        for pair in words.chunks_exact(2) {
            *sums.entry(pair[0].to_owned()).or_default() += pair[1].parse::<u64>().unwrap();
        }
    }
    sums
}

#[test]
fn everything_at_once_leaves_nothing() {
    let seconds = number_from("WHARF_STRESS_SECONDS", 1);
    let seed = number_from("WHARF_STRESS_SEED", 1);
    let limit = Duration::from_secs(120 + 3 * seconds);
    let _watchdog = Watchdog::within("everything at once", limit);
    let report = scratch("stress").join("counted");
    let define = format!("-DREPORT=\"{}\"", report.display());
    let mut folder = None;
    for (name, flags) in DRIVERS.iter().zip(["0", "ERL_DRV_FLAG_USE_PORT_LOCKING"]) {
        let name_is = format!("-DNAME=\"{name}\"");
        let flags = format!("-DFLAGS={flags}");
        folder = Some(compile_with(
            "stress_drv",
            name,
            &[&define, &name_is, &flags],
        ));
    }
    let folder = folder.unwrap();
    let threads = || fs::read_dir("/proc/self/task").unwrap().count();
    let threads_before = threads();
    {
        // What the process has from its first driver on, it keeps.
        let world = World::new();
        let place = folder.to_string_lossy();
        assert_eq!(world.ddll("load", &[&place, DRIVERS[0]]), "ok");
    }
    wait_until("its threads are over", || threads() == threads_before);
    let folder = Term::charlist(&folder.to_string_lossy());
    let before = Books::now();
    {
        let world = World::new();
        let shared = Shared {
            world: &world,
            folder,
            processes: Mutex::default(),
            until: Instant::now() + Duration::from_secs(seconds),
        };
        std::thread::scope(|scope| {
            for number in 0..THREADS {
                let shared = &shared;
                scope.spawn(move || Actor::new(shared, seed * THREADS + number).run());
            }
        });
        // A port that nobody is linked to stays; all others end with their processes.
        wait_until("the last port is closed", || {
            let ports = world.host.ports();
            for port in &ports {
                let _ = world.me.exit_signal(&(*port).into(), Term::atom("kill"));
            }
            ports.is_empty()
        });
        wait_until("the drivers are unloaded", || {
            let loaded = world.ddll_terms("loaded_drivers", &[]);
            !loaded.contains("stress")
        });
    }
    let deadline = Instant::now() + SOON;
    while Books::now() != before {
        assert!(
            Instant::now() < deadline,
            "{before:#?}, and now {:#?}",
            Books::now()
        );
        std::thread::yield_now();
    }
    let sums = counted(&report);
    println!("{sums:?}");
    for what in [
        "unloads",
        "ports",
        "jobs",
        "threads",
        "binaries",
        "descriptors",
    ] {
        assert!(sums.get(what).is_some_and(|sum| *sum > 0), "{sums:?}");
    }
}

//! Cost grows in proportion: eight times as much of anything takes nowhere near sixty-four times as
//! long.
//!
//! Absolute times say nothing here, and times on a clock little on a busy machine: what counts is the
//! processor's time that this process takes, while one story is told at a time. Each is told for a
//! number and for eight times that number, turn about; of each the least time counts, because
//! whatever disturbs can only add to it. A square would show as 64 times; anything below 24 passes.
#![forbid(unsafe_code)]
#![cfg(feature = "drivers")]

use nix::time::{ClockId, clock_gettime};
use std::error::Error;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use wharf::term::iodata::IoData;
use wharf::term::{decode, encode};
use wharf::{Binary, Host, Limits, Message, Options, Packet, Pid, Port, PortName, Process, Term};

const DEADLINE: Duration = Duration::from_secs(120);
const TIMES: u32 = 8;
const GROWTH_MAX: f64 = 24.0;
const ROUNDS: u32 = 3;

type Told = Result<Duration, Box<dyn Error>>;

/// Tells a story that gives the time that counts of it.
fn in_proportion(what: &str, number: u32, story: impl Fn(u32) -> Told) {
    let growth = growth(number, &story);
    assert!(
        growth < GROWTH_MAX,
        "{what}: {TIMES} times as many take {growth:.1} times as long"
    );
}

/// While somebody has it, no other story takes the processor's time.
static ALONE: Mutex<()> = Mutex::new(());

fn growth(number: u32, story: &impl Fn(u32) -> Told) -> f64 {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut least = [Duration::MAX; 2];
    for _ in 0..ROUNDS {
        for (least, number) in least.iter_mut().zip([number, TIMES * number]) {
            let took = story(number).unwrap_or_else(|error| panic!("{number}: {error}"));
            *least = took.min(*least);
        }
    }
    let [few, many] = least;
    println!("{few:?} for {number}, {many:?} for {TIMES} times as many");
    many.as_secs_f64() / few.as_secs_f64().max(1e-6)
}

/// How long all threads of this process have run.
fn ran() -> Result<Duration, Box<dyn Error>> {
    Ok(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into())
}

fn timed(body: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Told {
    let before = ran()?;
    body()?;
    Ok(ran()? - before)
}

fn process() -> Process {
    let host = Host::builder().ports_max(100_000).build();
    host.expect("a host").process()
}

fn driver(me: &Process, name: &str, options: Options) -> Result<Port, wharf::Error> {
    me.open(PortName::spawn_driver(name), options.binary())
}

/// What the bench driver takes two numbers for.
fn ask(port: &Port, operation: u8, first: u32, second: u32) -> Result<(), wharf::Error> {
    let data = [first.to_ne_bytes(), second.to_ne_bytes()].concat();
    port.control(u32::from(operation), data).map(drop)
}

fn bench_driver(me: &Process) -> Result<Port, wharf::Error> {
    me.load_driver(concat!(env!("OUT_DIR"), "/bench"), "bench_drv")?;
    driver(me, "bench_drv sink", Options::new())
}

fn fill(me: &Process, number: u32) -> Result<(), Box<dyn Error>> {
    let to = Term::Pid(me.pid());
    for message in 0..number {
        me.send(&to, Term::from(message))
            .map_err(|raise| raise.to_string())?;
    }
    Ok(())
}

fn take_all(me: &Process, number: u32) -> Result<(), Box<dyn Error>> {
    for _ in 0..number {
        me.receive_any(DEADLINE)?.ok_or("no message in time")?;
    }
    Ok(())
}

fn next(me: &Process) -> Result<Message, Box<dyn Error>> {
    me.next(DEADLINE)?
        .ok_or_else(|| "no message in time".into())
}

fn watch(me: &Process, pid: Pid) -> Result<(), Box<dyn Error>> {
    let watched = me.monitor(&Term::atom("process"), &Term::Pid(pid));
    watched.map(drop).map_err(|raise| raise.to_string().into())
}

#[test]
fn a_square_is_noticed() {
    let square = |number: u32| Ok(Duration::from_micros(1) * number * number);
    let line = |number: u32| Ok(Duration::from_micros(1) * number);
    assert!(growth(1_000, &square) > GROWTH_MAX);
    assert!(growth(1_000, &line) < GROWTH_MAX);
}

#[test]
fn messages_in_order() {
    in_proportion("messages", 5_000, |number| {
        let me = process();
        timed(|| {
            fill(&me, number)?;
            take_all(&me, number)
        })
    });
}

#[test]
fn one_message_behind_many() {
    in_proportion("messages passed over", 5_000, |number| {
        let me = process();
        fill(&me, number)?;
        let port = driver(&me, "echo_drv", Options::new())?;
        timed(|| {
            port.command("x")?;
            let answer = me.next_from(port.id(), DEADLINE)?;
            answer.map(drop).ok_or_else(|| "no answer in time".into())
        })
    });
}

#[test]
fn messages_in_another_order() {
    in_proportion("pairs, the later one first", 5_000, |number| {
        let me = process();
        fill(&me, 2 * number)?;
        timed(|| {
            for pair in 0..i64::from(number) {
                for wanted in [2 * pair + 1, 2 * pair] {
                    let found = me.receive(
                        |message| (message.as_int() == Some(wanted)).then_some(()),
                        Some(Instant::now() + DEADLINE),
                    )?;
                    found.ok_or("it was sent")?;
                }
            }
            Ok(())
        })
    });
}

#[test]
fn delayed_messages() {
    in_proportion("delays asked for and taken back", 2_000, |number| {
        let me = process();
        let to = Term::Pid(me.pid());
        timed(|| {
            let delays: Vec<_> = (0..u64::from(number))
                .map(|after| {
                    let delay = Duration::from_secs(3600) + Duration::from_millis(after % 1000);
                    me.send_after(delay, &to, Term::Nil)
                })
                .collect();
            for delay in delays {
                me.cancel_timer(delay).ok_or("it was sent")?;
            }
            Ok(())
        })
    });
}

#[test]
fn monitors_of_one() {
    in_proportion("monitors of one process", 2_000, |number| {
        let me = process();
        let one = me.host().process();
        timed(|| {
            for _ in 0..number {
                watch(&me, one.pid())?;
            }
            one.exit(Term::atom("normal"));
            take_all(&me, number)
        })
    });
}

#[test]
fn monitors_of_many() {
    in_proportion("monitors of many processes", 1_000, |number| {
        let me = process();
        let many: Vec<Process> = (0..number).map(|_| me.host().process()).collect();
        timed(|| {
            for process in &many {
                watch(&me, process.pid())?;
            }
            for process in &many {
                process.exit(Term::atom("normal"));
            }
            take_all(&me, number)
        })
    });
}

#[test]
fn driver_ports() {
    in_proportion("ports opened, used and closed", 500, |number| {
        let me = process();
        timed(|| {
            let ports: Result<Vec<Port>, _> = (0..number)
                .map(|_| driver(&me, "echo_drv", Options::new()))
                .collect();
            let ports = ports?;
            for port in &ports {
                port.command("x")?;
                next(&me)?;
            }
            ports.iter().try_for_each(Port::close)?;
            Ok(())
        })
    });
}

#[test]
fn an_owner_that_ends_with_many_ports() {
    in_proportion("ports that end with their owner", 500, |number| {
        let me = process();
        let owner = me.host().process();
        let ports: Result<Vec<Port>, _> = (0..number)
            .map(|_| driver(&owner, "echo_drv", Options::new()))
            .collect();
        let ports = ports?;
        for port in &ports {
            port.on_behalf_of(&me).monitor();
        }
        timed(|| {
            owner.exit(Term::atom("over"));
            take_all(&me, number)
        })
    });
}

#[test]
fn a_queue_of_a_driver() {
    in_proportion("pieces in a driver's queue", 5_000, |number| {
        let me = process();
        let port = bench_driver(&me)?;
        timed(|| {
            ask(&port, b'Q', number, 100)?;
            Ok(ask(&port, b'D', 100, 0)?)
        })
    });
}

/// Nobody reads the pipe until all is queued.
#[test]
fn a_queue_of_a_descriptor() {
    const PIECE: usize = 1_000;
    // So many that what a pipe holds is little of it.
    in_proportion("commands that wait", 4_000, |number| {
        let (mut reader, writer) = std::io::pipe()?;
        let me = process();
        let fd = writer.as_raw_fd();
        let options = Options::new()
            .output_only()
            .busy_limits_port(Limits::Disabled);
        let port = me.open(PortName::fd(fd, fd), options)?;
        let piece = Binary::from(vec![b'x'; PIECE]);
        let piece = IoData::Binary(piece);
        let took = timed(|| {
            for _ in 0..number {
                port.command_data(&piece)?;
            }
            let mut all = vec![0; PIECE * usize::try_from(number)?];
            Ok(reader.read_exact(&mut all)?)
        });
        port.close()?;
        took
    });
}

#[test]
fn timers_of_many_ports() {
    // So many that several threads are at it for both numbers: fewer are sometimes done by one alone, at a
    // third of the time for each.
    in_proportion("timers of ports", 2000, |number| {
        let me = process();
        let ports: Result<Vec<Port>, _> = (0..number).map(|_| bench_driver(&me)).collect();
        let ports = ports?;
        timed(|| {
            for port in &ports {
                ask(port, b'M', 0, 2)?;
            }
            take_all(&me, number)
        })
    });
}

#[test]
fn one_long_line() {
    in_proportion("a line that comes in pieces", 500, |number| {
        let limit = usize::try_from(number)? * 100;
        let me = process();
        let port = driver(&me, "echo_drv", Options::new().line(limit))?;
        timed(|| {
            for _ in 0..number {
                port.command([b'x'; 100])?;
            }
            port.command("\n")?;
            next(&me).map(drop)
        })
    });
}

#[test]
fn many_lines_at_once() {
    in_proportion("lines in one command", 1_000, |number| {
        let me = process();
        let port = driver(&me, "echo_drv", Options::new().line(80))?;
        let text = "line\n".repeat(usize::try_from(number)?);
        timed(|| {
            port.command(&text)?;
            take_all(&me, number)
        })
    });
}

#[test]
fn one_long_packet() {
    in_proportion("a packet that comes in pieces", 50, |number| {
        const PIECE: usize = 10_000;
        let (reader, mut writer) = std::io::pipe()?;
        let me = process();
        let fd = reader.as_raw_fd();
        let options = Options::new().binary().input_only().packet(Packet::Four);
        let port = me.open(PortName::fd(fd, fd), options)?;
        let took = timed(|| {
            writer.write_all(&(u32::try_from(PIECE)? * number).to_be_bytes())?;
            for _ in 0..number {
                writer.write_all(&[b'x'; PIECE])?;
            }
            next(&me).map(drop)
        });
        port.close()?;
        took
    });
}

#[test]
fn terms_out_and_in() {
    in_proportion("a list to bytes and back", 2_000, |number| {
        let elements = (0..number).map(|element| Term::tuple([Term::from(element), Term::Nil]));
        let list = Term::list(elements.collect());
        timed(|| {
            let bytes = encode::encode(&list).map_err(|error| error.to_string())?;
            decode::decode(&bytes).map_err(|error| error.to_string())?;
            Ok(())
        })
    });
}

#[test]
fn a_command_of_many_parts() {
    in_proportion("parts of a command", 2_000, |number| {
        let me = process();
        let port = driver(&me, "echo_drv", Options::new())?;
        let parts = (0..number).map(|part| match part % 2 {
            0 => Term::Int(120),
            _ => Term::from("some more bytes"),
        });
        let data = Term::list(parts.collect());
        timed(|| {
            let sent = me.port_command(&Term::Port(port.id()), &data, &Term::Nil);
            sent.map_err(|raise| raise.to_string())?;
            next(&me).map(drop)
        })
    });
}

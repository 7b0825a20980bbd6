//! What the frequent paths cost, through the public Rust door: those of the rows 1 to 9, 11, 14 and
//! 16 of `wharf bench`, small.
//!
//! `cargo bench --features drivers --bench ports` runs all, with `-- control` behind it those whose
//! name holds the word. Read the medians, and compare two versions turn about in one sitting:
//! absolute times move with the machine.
#![forbid(unsafe_code)]

use std::time::Duration;

use divan::{
    Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};
use wharf::term::iodata::IoData;
use wharf::term::{decode, encode};
use wharf::{Binary, Host, Message, Options, Packet, Port, PortName, Process, Term};

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(10);

/// Where build.rs puts the drivers of `benches/peers`.
const DRIVERS: &str = concat!(env!("OUT_DIR"), "/bench");

/// How much of what comes by itself is asked for at once.
const BATCH: u32 = 1_000;

fn driver(me: &Process, command: &str) -> Port {
    driver_with(me, command, Options::new())
}

fn driver_with(me: &Process, command: &str, options: Options) -> Port {
    me.open(PortName::spawn_driver(command), options.binary())
        .expect("a driver of ours")
}

fn process() -> Process {
    process_of(&Host::new().expect("a host"))
}

fn process_of(host: &Host) -> Process {
    let me = host.process();
    for name in ["bench_drv", "bench_drvv"] {
        me.load_driver(DRIVERS, name).expect("built with us");
    }
    me
}

fn next(port: &Port) -> Message {
    let message = port.process().next_from(port.id(), DEADLINE);
    message.expect("alive").expect("a message in time")
}

/// Takes whatever comes.
fn take(me: &Process, messages: u32) {
    for _ in 0..messages {
        black_box(me.receive_any(DEADLINE).expect("alive").expect("in time"));
    }
}

/// Command to message: what one request and its answer cost.
fn round_trip(port: &Port, data: &[u8]) -> Message {
    port.command(data).expect("open");
    next(port)
}

/// What the bench driver takes two numbers for.
fn ask(port: &Port, operation: u8, first: u32, second: u32) {
    let data = [first.to_ne_bytes(), second.to_ne_bytes()].concat();
    port.control(u32::from(operation), data).expect("known");
}

fn main() {
    divan::main();
}

/// The bench driver answers operation 0 with nothing, and 8 with eight bytes.
#[divan::bench(args = [0, 8])]
fn control(bencher: Bencher, operation: u32) {
    let port = driver(&process(), "bench_drv sink");
    bencher.bench_local(|| port.control(operation, black_box([])).expect("known"));
}

/// Each thread has a process and a port of its own.
#[divan::bench(threads = [2])]
fn control_on_two_threads(bencher: Bencher) {
    let host = process().host().clone();
    let port = || driver(&process_of(&host), "bench_drv sink");
    bencher.with_inputs(port).bench_refs(|port| {
        for _ in 0..BATCH {
            black_box(port.control(0, black_box([])).expect("known"));
        }
    });
}

#[divan::bench(args = [16, 1024, 65_536])]
fn driver_output(bencher: Bencher, bytes: usize) {
    let port = driver(&process(), "bench_drv copy");
    let data = vec![b'x'; bytes];
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| round_trip(&port, black_box(&data)));
}

#[divan::bench(args = [1024, 65_536])]
fn driver_outputv(bencher: Bencher, bytes: usize) {
    let port = driver(&process(), "bench_drvv bin");
    let data = IoData::Binary(Binary::from(vec![b'x'; bytes]));
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        port.command_data(black_box(&data)).expect("open");
        next(&port)
    });
}

#[divan::bench(args = ["bench_drv sink", "bench_drvv sink"])]
fn one_way_command(bencher: Bencher, command: &str) {
    let port = driver(&process(), command);
    bencher.bench_local(|| port.command(black_box([b'x'; 64])).expect("open"));
}

#[divan::bench(sample_size = 1)]
fn terms_from_a_thread(bencher: Bencher) {
    let me = process();
    bencher
        .counter(ItemsCount::new(BATCH))
        // One thread for each port.
        .with_inputs(|| driver(&me, "bench_drv sink"))
        .bench_local_values(|port| {
            ask(&port, b'T', BATCH, 0);
            take(&me, BATCH);
            port
        });
}

#[divan::bench(args = [1, 4])]
fn jobs(bencher: Bencher, threads: usize) {
    let host = Host::builder().async_threads(threads).build();
    let me = process_of(&host.expect("a host"));
    let port = driver(&me, "bench_drv sink");
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        ask(&port, b'A', BATCH, 0);
        take(&me, BATCH);
    });
}

#[divan::bench]
fn timer_set_again(bencher: Bencher) {
    let me = process();
    let port = driver(&me, "bench_drv sink");
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        ask(&port, b'M', 0, BATCH);
        take(&me, 1);
    });
}

/// A driver's output is cut like a program's.
#[divan::bench]
fn lines_of_13_bytes(bencher: Bencher) {
    let me = process();
    let port = driver_with(&me, "bench_drv copy", Options::new().line(4096));
    let text = "line 0000001\n".repeat(1000);
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        port.command(black_box(&text)).expect("open");
        for _ in 0..BATCH {
            black_box(next(&port));
        }
    });
}

#[divan::bench]
fn cat_echo_16_bytes(bencher: Bencher) {
    let me = process();
    let port = me
        .open(PortName::spawn("cat"), Options::new().binary())
        .expect("cat runs");
    bencher.bench_local(|| round_trip(&port, black_box(&[b'x'; 16])));
}

#[divan::bench]
fn cat_echo_16_bytes_in_packets(bencher: Bencher) {
    let me = process();
    let options = Options::new().binary().packet(Packet::Four);
    let port = me.open(PortName::spawn("cat"), options).expect("cat runs");
    bencher.bench_local(|| round_trip(&port, black_box(&[b'x'; 16])));
}

#[divan::bench(sample_size = 1)]
fn spawn_to_exit_status(bencher: Bencher) {
    let me = process();
    me.set_trap_exit(true);
    bencher.bench_local(|| {
        let name = PortName::spawn_executable("/bin/true");
        let port = me.open(name, Options::new().exit_status()).expect("runs");
        assert!(matches!(next(&port), Message::ExitStatus { status: 0, .. }));
        assert!(matches!(next(&port), Message::Exit { .. }));
    });
}

#[divan::bench(sample_size = 1)]
fn open_and_close_1000_driver_ports(bencher: Bencher) {
    let me = process();
    bencher.bench_local(|| {
        let ports: Vec<Port> = (0..1000).map(|_| driver(&me, "bench_drv copy")).collect();
        for port in &ports {
            port.close().expect("open");
        }
    });
}

fn typical() -> Term {
    Term::tuple([
        Term::atom("reply"),
        Term::from(1_234_567_i64),
        Term::list(vec![
            Term::from("a binary"),
            Term::charlist("a text"),
            2.5.into(),
        ]),
    ])
}

#[divan::bench]
fn encode_a_message(bencher: Bencher) {
    let term = typical();
    bencher.bench_local(|| encode::encode(black_box(&term)).expect("plain terms"));
}

#[divan::bench]
fn decode_a_message(bencher: Bencher) {
    let bytes = encode::encode(&typical()).expect("plain terms");
    bencher.bench_local(|| decode::decode(black_box(&bytes)).expect("our own bytes"));
}

//! What the frequent paths cost, through the public Rust door.
//!
//! `cargo bench --features drivers` runs all, `cargo bench --features drivers -- control` those
//! whose name holds the word. Read the medians, and compare two versions turn about in one
//! sitting: absolute times move with the machine.
#![forbid(unsafe_code)]

use std::time::Duration;

use divan::{Bencher, black_box, counter::BytesCount};
use wharf::term::{decode, encode};
use wharf::{Host, Message, Options, Packet, Port, PortName, Process, Term};

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(10);

fn driver(me: &Process, name: &str) -> Port {
    me.open(PortName::spawn_driver(name), Options::new().binary())
        .expect("a sample driver")
}

fn process() -> Process {
    Host::new().expect("a host").process()
}

fn next(port: &Port) -> Message {
    let message = port.process().next_from(port.id(), DEADLINE);
    message.expect("alive").expect("a message in time")
}

/// Command to message: what one request and its answer cost.
fn round_trip(port: &Port, data: &[u8]) -> Message {
    port.command(data).expect("open");
    next(port)
}

fn main() {
    divan::main();
}

/// `counter_drv` answers `t` with nothing, and `g` with a number of as many digits as it has.
#[divan::bench(args = [0, 8])]
fn control(bencher: Bencher, answer_bytes: usize) {
    let port = driver(&process(), "counter_drv");
    port.command("12345678").expect("open");
    let (operation, data) = match answer_bytes {
        0 => (u32::from(b't'), "0"),
        _ => (u32::from(b'g'), ""),
    };
    bencher.bench_local(|| port.control(operation, black_box(data)).expect("known"));
}

#[divan::bench(args = [16, 1024, 65_536])]
fn driver_echo(bencher: Bencher, bytes: usize) {
    let port = driver(&process(), "echo_drv");
    let data = vec![b'x'; bytes];
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| round_trip(&port, black_box(&data)));
}

/// `monitor_drv` says nothing to `bye` from a process that it does not watch.
#[divan::bench]
fn one_way_command(bencher: Bencher) {
    let port = driver(&process(), "monitor_drv");
    bencher.bench_local(|| port.command(black_box("bye")).expect("open"));
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
        let ports: Vec<Port> = (0..1000).map(|_| driver(&me, "echo_drv")).collect();
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

//! The core paths, each as a function that goes it so many times.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::time::Duration;
use wharf::term::iodata::IoData;
use wharf::term::{decode, encode};
use wharf::{Binary, Host, Message, Options, Packet, Port, PortName, Process, Term};

/// Longer than anything here takes, also under valgrind on a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// Where build.rs puts the drivers of `benches/peers`.
const DRIVERS: &str = concat!(env!("OUT_DIR"), "/bench");

/// A path that is guarded.
pub(super) struct Path {
    pub(super) name: &'static str,
    /// How often it is gone: a process takes some ten thousand instructions more or less to start,
    /// next to which this has to be much.
    pub(super) times: u32,
    pub(super) run: fn(u32),
}

/// All of them.
pub(super) const PATHS: &[Path] = &[
    Path {
        name: "control, no reply",
        times: 20_000,
        run: |times| control(times, 0),
    },
    Path {
        name: "control, 8 B reply",
        times: 20_000,
        run: |times| control(times, 8),
    },
    Path {
        name: "output and driver_output, 16 B",
        times: 20_000,
        run: echo_16,
    },
    Path {
        name: "outputv and driver_outputv, 1 KiB",
        times: 20_000,
        run: echo_1024,
    },
    Path {
        name: "one-way 64 B, output",
        times: 20_000,
        run: |times| flood(times, "bench_drv sink"),
    },
    Path {
        name: "one-way 64 B, outputv",
        times: 20_000,
        run: |times| flood(times, "bench_drvv sink"),
    },
    Path {
        name: "100 lines of 13 B cut",
        times: 500,
        run: lines,
    },
    Path {
        name: "100 packets of 16 B read",
        times: 500,
        run: packets_in,
    },
    Path {
        name: "a packet of 16 B written",
        times: 20_000,
        run: packets_out,
    },
    Path {
        name: "a driver's port opened and closed",
        times: 5_000,
        run: open_and_close,
    },
    Path {
        name: "a message sent and received",
        times: 20_000,
        run: send_and_receive,
    },
    Path {
        name: "a term encoded",
        times: 20_000,
        run: encoding,
    },
    Path {
        name: "a term decoded",
        times: 20_000,
        run: decoding,
    },
];

fn process() -> Process {
    let me = Host::new().expect("a host").process();
    for driver in ["bench_drv", "bench_drvv"] {
        me.load_driver(DRIVERS, driver).expect("built with us");
    }
    me
}

fn driver(me: &Process, command: &str, options: Options) -> Port {
    let name = PortName::spawn_driver(command);
    me.open(name, options.binary()).expect("loaded")
}

fn next_from(port: &Port) -> Message {
    let message = port.process().next_from(port.id(), DEADLINE);
    message.expect("alive").expect("a message in time")
}

fn control(times: u32, operation: u32) {
    let port = driver(&process(), "bench_drv sink", Options::new());
    for _ in 0..times {
        black_box(port.control(operation, black_box([])).expect("known"));
    }
}

fn echo_16(times: u32) {
    let port = driver(&process(), "bench_drv copy", Options::new());
    for _ in 0..times {
        port.command(black_box([b'x'; 16])).expect("open");
        black_box(next_from(&port));
    }
}

fn echo_1024(times: u32) {
    let port = driver(&process(), "bench_drvv bin", Options::new());
    let data = IoData::Binary(Binary::from(vec![b'x'; 1024]));
    for _ in 0..times {
        port.command_data(black_box(&data)).expect("open");
        black_box(next_from(&port));
    }
}

fn flood(times: u32, command: &str) {
    let port = driver(&process(), command, Options::new());
    for _ in 0..times {
        port.command(black_box([b'x'; 64])).expect("open");
    }
    port.control(0, []).expect("known");
}

/// A driver's output is cut like a program's.
fn lines(times: u32) {
    let port = driver(&process(), "bench_drv copy", Options::new().line(4096));
    let text = b"line 0000001\n".repeat(100);
    for _ in 0..times {
        port.command(black_box(&text)).expect("open");
        for _ in 0..100 {
            black_box(next_from(&port));
        }
    }
}

/// A port on a pipe that has everything in it already, so that each read finds as much.
fn packets_in(times: u32) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let port = of_descriptors(reader.as_raw_fd(), |options| options.input_only());
    let packets = b"\0\0\0\x10abcdefghijklmnop".repeat(100);
    for _ in 0..times {
        writer
            .write_all(black_box(&packets))
            .expect("room in the pipe");
        for _ in 0..100 {
            black_box(next_from(&port));
        }
    }
}

fn packets_out(times: u32) {
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let port = of_descriptors(writer.as_raw_fd(), |options| options.output_only());
    let mut packet = [0; 20];
    for _ in 0..times {
        port.command(black_box([b'x'; 16])).expect("open");
        reader.read_exact(&mut packet).expect("it was written");
    }
}

fn of_descriptors(fd: i32, direction: impl Fn(Options) -> Options) -> Port {
    let options = direction(Options::new().binary().packet(Packet::Four));
    let me = process();
    me.open(PortName::fd(fd, fd), options)
        .expect("open descriptors")
}

fn open_and_close(times: u32) {
    let me = process();
    for _ in 0..times {
        let port = driver(&me, "bench_drv sink", Options::new());
        port.close().expect("open");
    }
}

fn send_and_receive(times: u32) {
    let me = process();
    let to = Term::Pid(me.pid());
    for message in 0..times {
        me.send(&to, Term::from(message)).expect("alive");
        black_box(me.receive_any(DEADLINE).expect("alive"));
    }
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

fn encoding(times: u32) {
    let term = typical();
    for _ in 0..times {
        black_box(encode::encode(black_box(&term)).expect("plain terms"));
    }
}

fn decoding(times: u32) {
    let bytes = encode::encode(&typical()).expect("plain terms");
    for _ in 0..times {
        black_box(decode::decode(black_box(&bytes)).expect("our own bytes"));
    }
}

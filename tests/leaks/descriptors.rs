//! Ports of descriptors, in every way to end.

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use wharf::{Options, Packet, Port, PortName, Process};

use crate::programs::refused;
use crate::{Stage, Story};

pub(crate) const STORIES: [Story; 15] = [
    ("fd, the end of the input", |s| {
        let mut pair = Pair::new();
        let port = s.open(pair.name(), plain());
        drop(pair.feed.take());
        s.ends(&port, "normal");
    }),
    ("fd, close", |s| {
        let pair = Pair::new();
        close(s, s.open(pair.name(), plain()));
    }),
    ("fd, close by message", |s| {
        let pair = Pair::new();
        s.ask_to_close(&s.open(pair.name(), plain()));
    }),
    ("fd, kill", |s| {
        let pair = Pair::new();
        s.kill(&s.open(pair.name(), plain()));
    }),
    ("fd, the owner dies", |s| {
        let pair = Pair::new();
        s.owner_dies(|owner| owner.open(pair.name(), plain()).unwrap());
        wait_for_no_ports(s);
    }),
    ("fd, half a packet", |s| {
        let mut pair = Pair::new();
        let port = s.open(pair.name(), plain().packet(Packet::Four));
        pair.feed(b"\0\0\0\x09half");
        drop(pair.feed.take());
        s.ends(&port, "normal");
    }),
    ("fd, half a packet and close", |s| {
        let mut pair = Pair::new();
        let port = s.open(pair.name(), plain().packet(Packet::Four));
        pair.feed(b"\0\0\xff\xffhalf");
        close(s, port);
    }),
    ("fd, half a line", |s| {
        let mut pair = Pair::new();
        let port = s.open(pair.name(), plain().line(100));
        pair.feed(b"one\ntwo");
        drop(pair.feed.take());
        s.ends(&port, "normal");
    }),
    ("fd, queued output and kill", |s| {
        let pair = Pair::new();
        let port = s.open(pair.name(), plain());
        port.command(vec![b'x'; 200_000]).unwrap();
        s.kill(&port);
    }),
    ("fd, queued output is written", |s| {
        let mut pair = Pair::new();
        let port = s.open(pair.name(), plain());
        port.command(vec![b'x'; 200_000]).unwrap();
        let mut written = vec![0; 200_000];
        pair.drain.read_exact(&mut written).unwrap();
        s.ask_to_close(&port);
    }),
    ("fd, queued output and no reader", |s| {
        let Pair {
            input,
            output,
            drain,
            ..
        } = &mut Pair::new();
        let (_, other) = (input, std::mem::replace(drain, pipe().unwrap().0));
        let options = plain().output_only();
        let port = s.open(PortName::fd(0, output.as_raw_fd()), options);
        port.command(vec![b'x'; 200_000]).unwrap();
        drop(other);
        s.ends(&port, "epipe");
    }),
    ("fd, a socket", |s| {
        let (one, mut other) = UnixStream::pair().unwrap();
        let port = s.open(PortName::fd(one.as_raw_fd(), one.as_raw_fd()), plain());
        other.write_all(b"hello").unwrap();
        drop(other);
        s.ends(&port, "normal");
    }),
    ("fd, a file", |s| {
        let file = std::fs::File::open("/etc/passwd").unwrap();
        let port = s.open(PortName::fd(file.as_raw_fd(), 1), plain().input_only());
        s.ends(&port, "normal");
    }),
    ("fd, refused", |s| {
        refused(s.owner.open(PortName::fd(-1, 1), plain()), "einval");
        refused(s.owner.open(PortName::fd(0, i32::MAX), plain()), "einval");
        refused(
            s.owner.open(PortName::fd(0, 1), plain().exit_status()),
            "badarg",
        );
    }),
    ("fd, not open", |s| {
        let port = s.open(PortName::fd(777, 777), plain().output_only());
        port.command("x").unwrap();
        s.ends(&port, "ebadf");
    }),
];

/// What a port is given, and the other ends.
struct Pair {
    input: PipeReader,
    output: PipeWriter,
    feed: Option<PipeWriter>,
    drain: PipeReader,
}

impl Pair {
    fn new() -> Pair {
        let (input, feed) = pipe().unwrap();
        let (drain, output) = pipe().unwrap();
        Pair {
            input,
            output,
            feed: Some(feed),
            drain,
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.feed.as_mut().unwrap().write_all(bytes).unwrap();
    }

    fn name(&self) -> PortName {
        PortName::fd(self.input.as_raw_fd(), self.output.as_raw_fd())
    }
}

fn plain() -> Options {
    Options::new().binary()
}

fn close(stage: &Stage, port: Port) {
    port.close().unwrap();
    stage.ends(&port, "normal");
}

/// Before its descriptors close, which must not surprise a port.
pub(crate) fn wait_for_no_ports(stage: &Stage) {
    let on: &Process = &stage.owner;
    crate::apart::wait_until_well(|| match on.host().ports().is_empty() {
        true => Ok(()),
        false => Err("a port outlives its owner".to_owned()),
    });
}

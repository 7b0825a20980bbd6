//! Ports on descriptors that the process has already. What is expected here is what
//! Erlang/OTP 25 was seen to do.

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use wharf::{Binary, Host, PortId, Process, Term};

const SOON: Duration = Duration::from_secs(60);

fn owner() -> Process {
    let owner = Host::new().expect("a host").process();
    owner.set_trap_exit(true);
    owner
}

fn erl(text: &str) -> Term {
    wharf::term::text::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn try_open(owner: &Process, input: i64, output: i64, options: &str) -> Result<PortId, Term> {
    let name = erl(&format!("{{fd,{input},{output}}}"));
    owner
        .open_port(&name, &erl(options))
        .map_err(|raise| raise.reason)
}

fn open(owner: &Process, input: &impl AsRawFd, output: &impl AsRawFd, options: &str) -> PortId {
    let number = |fd: RawFd| i64::from(fd);
    try_open(
        owner,
        number(input.as_raw_fd()),
        number(output.as_raw_fd()),
        options,
    )
    .expect("a port")
}

fn command(owner: &Process, port: PortId, data: &[u8]) {
    let data = Term::from(Binary::from(data));
    assert_eq!(
        owner.port_command(&Term::Port(port), &data, &Term::Nil),
        Ok(true)
    );
}

fn next(owner: &Process, port: PortId) -> String {
    let message = owner
        .receive_any(SOON)
        .expect("alive")
        .expect("a message in time");
    message
        .to_string()
        .replace(&Term::Port(port).to_string(), "P")
}

fn info(owner: &Process, port: PortId, item: &str) -> String {
    owner
        .port_info_item(&Term::Port(port), &Term::atom(item))
        .unwrap()
        .to_string()
}

fn close(owner: &Process, port: PortId) {
    owner.port_close(&Term::Port(port)).unwrap();
    assert_eq!(next(owner, port), "{'EXIT',P,normal}");
}

/// Reads exactly so many bytes.
fn read(mut from: impl Read, bytes: usize) -> Vec<u8> {
    let mut all = vec![0; bytes];
    from.read_exact(&mut all).unwrap();
    all
}

#[test]
fn bytes_go_both_ways_and_nothing_is_ever_closed() {
    let owner = owner();
    let ((in_reader, mut in_writer), (out_reader, out_writer)) = (pipe().unwrap(), pipe().unwrap());
    for _ in 0..3 {
        let port = open(&owner, &in_reader, &out_writer, "[binary]");
        let name = format!(
            "{{name,\"{}/{}\"}}",
            in_reader.as_raw_fd(),
            out_writer.as_raw_fd()
        );
        assert_eq!(info(&owner, port, "name"), name);
        assert_eq!(info(&owner, port, "os_pid"), "{os_pid,undefined}");
        assert_eq!(info(&owner, port, "locking"), "{locking,driver_level}");
        command(&owner, port, b"out");
        assert_eq!(read(&out_reader, 3), b"out");
        for part in ["in", "again"] {
            in_writer.write_all(part.as_bytes()).unwrap();
            assert_eq!(next(&owner, port), format!("{{P,{{data,<<\"{part}\">>}}}}"));
        }
        close(&owner, port);
    }
    // Still the test's own.
    (&out_writer).write_all(b"x").unwrap();
    assert_eq!(read(&out_reader, 1), b"x");
}

#[test]
fn framing_is_as_for_programs() {
    let owner = owner();
    let ((in_reader, mut in_writer), (out_reader, out_writer)) = (pipe().unwrap(), pipe().unwrap());
    let port = open(&owner, &in_reader, &out_writer, "[binary,{packet,2}]");
    in_writer.write_all(b"\0\x03abc\0\0\0").unwrap();
    assert_eq!(next(&owner, port), "{P,{data,<<\"abc\">>}}");
    assert_eq!(next(&owner, port), "{P,{data,<<>>}}");
    command(&owner, port, b"xy");
    assert_eq!(read(&out_reader, 4), b"\0\x02xy");
    command(&owner, port, &[0; 65_536]);
    assert_eq!(next(&owner, port), "{'EXIT',P,einval}");
    let port = open(&owner, &in_reader, &out_writer, "[{line,3}]");
    in_writer.write_all(b"a\nbcde\n").unwrap();
    for expected in [
        "{P,{data,{eol,\"a\"}}}",
        "{P,{data,{noeol,\"bcd\"}}}",
        "{P,{data,{eol,\"e\"}}}",
    ] {
        assert_eq!(next(&owner, port), expected);
    }
}

#[test]
fn the_end_of_input_ends_the_port_or_is_told() {
    for (options, expected) in [
        ("[binary]", "{'EXIT',P,normal}"),
        ("[binary,eof]", "{P,eof}"),
    ] {
        let owner = owner();
        let ((in_reader, in_writer), (out_reader, out_writer)) = (pipe().unwrap(), pipe().unwrap());
        let port = open(&owner, &in_reader, &out_writer, options);
        drop(in_writer);
        assert_eq!(next(&owner, port), expected);
        if expected == "{P,eof}" {
            command(&owner, port, b"still");
            assert_eq!(read(&out_reader, 5), b"still");
        }
    }
}

#[test]
fn one_number_can_be_both() {
    let owner = owner();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let port = open(&owner, &theirs, &theirs, "[binary]");
    (&ours).write_all(b"ping").unwrap();
    assert_eq!(next(&owner, port), "{P,{data,<<\"ping\">>}}");
    command(&owner, port, b"pong");
    assert_eq!(read(&ours, 4), b"pong");
    close(&owner, port);
}

#[test]
fn numbers_that_cannot_be_are_refused_and_those_that_are_not_open_are_not() {
    let owner = owner();
    let einval = || Err(Term::atom("einval"));
    for number in [-1, i64::from(i32::MAX), 1 << 40] {
        assert_eq!(try_open(&owner, number, 1, "[]"), einval());
        assert_eq!(try_open(&owner, 0, number, "[]"), einval());
        // The number of the other direction does not matter.
        close(&owner, try_open(&owner, number, 1, "[out]").unwrap());
    }
    let limit = descriptors_max();
    assert_eq!(try_open(&owner, limit, 1, "[]"), einval());
    for (options, input) in [("[]", limit - 1), ("[out]", 0)] {
        let port = try_open(&owner, input, limit - 1, options).unwrap();
        assert_eq!(
            info(&owner, port, "connected"),
            format!("{{connected,{}}}", owner.pid())
        );
        command(&owner, port, b"x");
        assert_eq!(next(&owner, port), "{'EXIT',P,ebadf}");
    }
    let (reader, _writer) = pipe().unwrap();
    let port = open(&owner, &reader, &1_000_000_000, "[in]");
    command(&owner, port, b"");
    assert_eq!(next(&owner, port), "{'EXIT',P,ebadf}");
    assert_eq!(owner.messages_waiting(), 0);
}

fn descriptors_max() -> i64 {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap()
}

#[test]
fn a_second_port_on_the_same_input_takes_it_over() {
    let owner = owner();
    let (reader, mut writer) = pipe().unwrap();
    let first = open(&owner, &reader, &1, "[in,binary]");
    let second = open(&owner, &reader, &1, "[in,binary]");
    for _ in 0..3 {
        writer.write_all(b"x").unwrap();
        assert_eq!(next(&owner, second), "{P,{data,<<\"x\">>}}");
    }
    close(&owner, first);
    writer.write_all(b"y").unwrap();
    assert_eq!(next(&owner, second), "{P,{data,<<\"y\">>}}");
    close(&owner, second);
}

#[test]
fn a_file_is_read_to_its_end_and_written() {
    let owner = owner();
    let path = std::env::temp_dir().join(format!("wharf-file-{}", std::process::id()));
    let body: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let file = std::fs::File::create(&path).unwrap();
    let port = open(&owner, &0, &file, "[out]");
    command(&owner, port, &body);
    owner
        .send(
            &Term::Port(port),
            Term::tuple([Term::Pid(owner.pid()), Term::atom("close")]),
        )
        .unwrap();
    assert_eq!(next(&owner, port), "{'EXIT',P,normal}");
    assert_eq!(next(&owner, port), "{P,closed}");
    let file = std::fs::File::open(&path).unwrap();
    let port = open(&owner, &file, &1, "[in,binary]");
    let mut seen = Vec::new();
    loop {
        let message = owner.receive_any(SOON).unwrap().unwrap();
        let parts = message.as_tuple().unwrap();
        if parts[0] != Term::Port(port) {
            break;
        }
        seen.extend_from_slice(parts[1].as_tuple().unwrap()[1].as_binary().unwrap());
    }
    std::fs::remove_file(&path).unwrap();
    assert!(seen == body, "{} bytes of {}", seen.len(), body.len());
}

/// A pipe that is full, and how much it took.
fn full_pipe() -> (PipeReader, PipeWriter, usize) {
    let (reader, writer) = pipe().unwrap();
    let owner = owner();
    let port = open(&owner, &0, &writer, "[out,{busy_limits_port,disabled}]");
    let mut taken = 0;
    while info(&owner, port, "queue_size") == "{queue_size,0}" {
        command(&owner, port, &[0; 4096]);
        taken += 4096;
    }
    owner
        .exit_signal(&Term::Port(port), Term::atom("kill"))
        .unwrap();
    assert_eq!(next(&owner, port), "{'EXIT',P,killed}");
    (reader, writer, taken - 4096)
}

/// The descriptor blocks, and nobody reads: no caller waits for it but the one who is busy.
#[test]
fn a_slow_reader_stalls_nobody() {
    let (reader, writer, inside) = full_pipe();
    let owner = owner();
    let port = open(&owner, &0, &writer, "[out]");
    let start = Instant::now();
    command(&owner, port, &[1; 100_000]);
    assert_eq!(info(&owner, port, "queue_size"), "{queue_size,100000}");
    let data = Term::from(Binary::from(&b"y"[..]));
    let nosuspend = erl("[nosuspend]");
    assert_eq!(
        owner.port_command(&Term::Port(port), &data, &nosuspend),
        Ok(false)
    );
    owner
        .send(
            &Term::Port(port),
            Term::tuple([Term::Pid(owner.pid()), Term::atom("close")]),
        )
        .unwrap();
    assert_eq!(next(&owner, port), "{'EXIT',P,normal}");
    assert!(start.elapsed() < Duration::from_secs(50));
    assert_eq!(owner.host().ports(), [port]);
    let all = read(&reader, inside + 100_000);
    assert!(all[inside..].iter().all(|byte| *byte == 1));
    assert_eq!(next(&owner, port), "{P,closed}");
}

#[test]
fn busy_ends_when_the_reader_goes_on() {
    let (reader, writer, inside) = full_pipe();
    let owner = owner();
    let port = open(&owner, &0, &writer, "[out]");
    command(&owner, port, &[1; 50_000]);
    let reading = std::thread::spawn(move || read(&reader, inside + 50_001).len());
    // Waits while the port is busy.
    command(&owner, port, &[2]);
    assert_eq!(reading.join().unwrap(), inside + 50_001);
}

#[test]
fn a_reader_that_goes_away_ends_the_port() {
    let (reader, writer, _) = full_pipe();
    let owner = owner();
    let port = open(&owner, &0, &writer, "[out]");
    command(&owner, port, &[1; 5000]);
    drop(reader);
    assert_eq!(next(&owner, port), "{'EXIT',P,epipe}");
    let port = open(&owner, &0, &writer, "[out]");
    command(&owner, port, &[1]);
    assert_eq!(next(&owner, port), "{'EXIT',P,epipe}");
}

/// A descriptor that somebody else drains between the kernel's word and the read.
#[test]
fn input_that_somebody_else_takes_stalls_nobody() {
    let owner = owner();
    let (reader, mut writer) = pipe().unwrap();
    let port = open(&owner, &reader, &1, "[in,binary]");
    let other = reader.try_clone().unwrap();
    let taker = std::thread::spawn(move || {
        let mut taken = 0;
        let mut byte = [0; 1];
        while (&other).read(&mut byte).unwrap() == 1 && byte[0] != b'.' {
            taken += 1;
        }
        taken
    });
    for _ in 0..2000 {
        writer.write_all(b"x").unwrap();
        // Answers at once, whoever got the byte.
        assert!(info(&owner, port, "input").starts_with("{input,"));
    }
    drop(owner);
    writer.write_all(b"..").unwrap();
    assert!(taker.join().unwrap() <= 2000);
}

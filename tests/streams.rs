//! Much data out of a program: so much that its pipe is made wider and several messages are read at
//! once. No byte is lost, out of order, or shown to another port.
#![forbid(unsafe_code)]

use std::time::Duration;

use wharf::{Host, Message, Options, Port, PortName, Process};

const SOON: Duration = Duration::from_secs(60);
/// Some 14 MB of lines.
const NUMBERS: u32 = 2_000_000;
/// A stream's messages have at most so many bytes.
const MESSAGE_MAX: usize = 65_536;

fn owner() -> Process {
    Host::new().expect("a host").process()
}

fn lines() -> impl Iterator<Item = String> {
    (1..=NUMBERS).map(|number| number.to_string())
}

fn count(owner: &Process, options: Options) -> Port {
    // Writes of a megabyte find the pipe full, however soon it is read.
    let command = format!("seq {NUMBERS} 2>/dev/null | dd obs=1048576 2>/dev/null");
    let opened = owner.open(PortName::spawn(command), options.binary().eof());
    opened.expect("sh runs")
}

fn cat(owner: &Process) -> Port {
    let opened = owner.open(PortName::spawn("cat"), Options::new().binary());
    opened.expect("cat runs")
}

fn next(owner: &Process) -> Message {
    let next = owner.next(SOON).expect("the owner lives");
    next.expect("a message comes")
}

#[test]
fn all_bytes_come_in_order_while_the_same_thread_reads_another_port() {
    let owner = owner();
    let (stream, other) = (count(&owner, Options::new()), cat(&owner));
    let (mut got, mut asked, mut echoed) = (Vec::new(), 0, Vec::new());
    loop {
        match next(&owner) {
            Message::Data { port, bytes, .. } if port == stream.id() => {
                assert!((1..=MESSAGE_MAX).contains(&bytes.len()), "{}", bytes.len());
                got.extend_from_slice(&bytes);
                if got.len() / (1 << 18) > asked {
                    asked += 1;
                    other.command(format!("{asked};")).expect("cat is open");
                }
            }
            Message::Data { bytes, .. } => echoed.extend_from_slice(&bytes),
            Message::Eof { .. } => break,
            message => panic!("{message:?}"),
        }
    }
    let expected: String = lines().map(|line| line + "\n").collect();
    assert!(got == expected.as_bytes(), "{} bytes", got.len());
    assert!(asked > 40);
    let expected: String = (1..=asked).map(|number| format!("{number};")).collect();
    while echoed.len() < expected.len() {
        match next(&owner) {
            Message::Data { bytes, .. } => echoed.extend_from_slice(&bytes),
            message => panic!("{message:?}"),
        }
    }
    assert_eq!(String::from_utf8(echoed).unwrap(), expected);
}

#[test]
fn all_lines_come_whole_and_in_order() {
    let owner = owner();
    let port = count(&owner, Options::new().lines());
    for expected in lines() {
        match next(&owner) {
            Message::Line { bytes, .. } => assert_eq!(&bytes[..], expected.as_bytes()),
            message => panic!("{message:?} instead of {expected}"),
        }
    }
    assert!(matches!(next(&owner), Message::Eof { port: of, .. } if of == port.id()));
}

#[test]
fn a_port_that_is_closed_amid_its_stream_leaves_nothing_to_the_next_one() {
    let owner = owner();
    for bytes_first in [1, MESSAGE_MAX, 1 << 20, 3 << 20] {
        let stream = count(&owner, Options::new());
        let mut got = 0;
        while got < bytes_first {
            match next(&owner) {
                Message::Data { bytes, .. } => got += bytes.len(),
                message => panic!("{message:?}"),
            }
        }
        stream.close().expect("it is open");
        // What was on its way when it was closed is the owner's all the same.
        while owner.messages_waiting() > 0 {
            let message = next(&owner);
            assert!(matches!(message, Message::Data { port, .. } if port == stream.id()));
        }
        let other = cat(&owner);
        other.command("mine").expect("cat is open");
        match next(&owner) {
            Message::Data { port, bytes, .. } => {
                assert_eq!((port, &bytes[..]), (other.id(), &b"mine"[..]));
            }
            message => panic!("{message:?}"),
        }
        other.close().expect("it is open");
    }
}

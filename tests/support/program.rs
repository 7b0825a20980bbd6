//! Programs with a deadline, for tests.
#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Runs a program with `input` on its standard input; kills it and panics when it takes longer.
#[allow(dead_code)] // one test wants to know
pub(crate) fn run_within(command: Command, input: &str, limit: Duration) -> Output {
    try_run_within(command, input, limit).unwrap_or_else(|error| panic!("{error}"))
}

/// The same, with the words for the panic as its error.
pub(crate) fn try_run_within(
    mut command: Command,
    input: &str,
    limit: Duration,
) -> Result<Output, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A program that does not read its input is no error here.
    std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let stdout = collect(child.stdout.take().unwrap());
    let stderr = collect(child.stderr.take().unwrap());
    let Ok(stdout) = stdout.recv_timeout(limit) else {
        let _ = child.kill();
        let _ = child.wait();
        let text = stderr
            .recv_timeout(Duration::from_secs(1))
            .unwrap_or_default();
        return Err(format!(
            "{command:?} did not end within {limit:?}: {}",
            String::from_utf8_lossy(&text)
        ));
    };
    // What it leaves running may keep its standard error open.
    let stderr = stderr
        .recv_timeout(Duration::from_secs(5))
        .unwrap_or_default();
    let status = child.wait().unwrap();
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}

fn collect(mut source: impl Read + Send + 'static) -> std::sync::mpsc::Receiver<Vec<u8>> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = source.read_to_end(&mut bytes);
        let _ = send.send(bytes);
    });
    receive
}

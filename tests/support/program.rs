//! Programs with a deadline, for tests.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
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
    // A file, because what the program leaves running may keep its standard error open.
    let errors = Errors::new();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(errors.open())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A program that does not read its input is no error here.
    std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let stdout = collect(child.stdout.take().unwrap());
    let Ok(stdout) = stdout.recv_timeout(limit) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!(
            "{command:?} did not end within {limit:?}: {}",
            String::from_utf8_lossy(&errors.text())
        ));
    };
    let status = child.wait().unwrap();
    Ok(Output {
        status,
        stdout,
        stderr: errors.text(),
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

/// A file for what a program says on its standard error, removed in the end.
struct Errors(PathBuf);

impl Errors {
    fn new() -> Errors {
        static SERIAL: AtomicUsize = AtomicUsize::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = format!("errors-{}-{serial}", std::process::id());
        Errors(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    fn open(&self) -> File {
        File::create(&self.0).expect("a folder for tests")
    }

    fn text(&self) -> Vec<u8> {
        std::fs::read(&self.0).expect("opened before")
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

//! A test in a process of its own, for what belongs to a whole process: descriptors, signals,
//! limits, directories.
//!
//! The test program runs itself once more for this one test. What panics in there is told by the
//! test outside, also when the inner process has closed its standard error.
#![allow(unsafe_code)] // the inner process ends without the test runner's farewell
#![allow(dead_code)] // each test file uses its part

#[path = "program.rs"]
mod program;

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// Longer than anything here takes, on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

const INSIDE: &str = "WHARF_TEST_APART";

/// Runs `body` in a process of its own. `name` is the test's own name.
pub(crate) fn apart(name: &str, body: fn()) {
    apart_after(name, || Ok(()), body);
}

/// The same, where the new process does something before it becomes the test program.
pub(crate) fn apart_after(
    name: &str,
    before: impl FnMut() -> std::io::Result<()> + Send + Sync + 'static,
    body: fn(),
) {
    if std::env::var(INSIDE).as_deref() == Ok(name) {
        inside(body);
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(INSIDE, name).env("RUST_BACKTRACE", "0");
    // SAFETY: the callers' closures only call what is allowed between fork and exec.
    unsafe { command.pre_exec(before) };
    // What is asked to take long may.
    let hours = std::env::var_os("WHARF_LEAKS_ROUNDS").map_or(0, |_| 6);
    let limit = 2 * DEADLINE + Duration::from_secs(hours * 3600);
    let output = program::run_within(command, "", limit);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", output.status);
}

fn inside(body: fn()) -> ! {
    // High up, where nobody closes it by mistake, and not for programs.
    // SAFETY: no memory is involved; the descriptor is new.
    let told = unsafe {
        let copy = libc::fcntl(libc::STDERR_FILENO, libc::F_DUPFD_CLOEXEC, 900);
        OwnedFd::from_raw_fd(copy)
    };
    std::panic::set_hook(Box::new(move |panic| {
        let copy = told.as_fd().try_clone_to_owned().map(File::from);
        let _ = copy.and_then(|mut file| writeln!(file, "{panic}"));
    }));
    let ended = std::panic::catch_unwind(body);
    // SAFETY: ends the process at once; the runner must not write its summary to descriptors that
    // may be anything by now.
    unsafe { libc::_exit(i32::from(ended.is_err())) }
}

/// Waits until `look` finds nothing to complain about.
pub(crate) fn wait_until_well(mut look: impl FnMut() -> Result<(), String>) {
    let deadline = Instant::now() + DEADLINE;
    while let Err(complaint) = look() {
        assert!(Instant::now() < deadline, "{complaint}");
        std::thread::yield_now();
    }
}

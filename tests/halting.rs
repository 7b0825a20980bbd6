//! The end of the whole program while output waits for a port's program: what still arrives.
//!
//! Told to wharf, and to Elixir where it is installed.
#![forbid(unsafe_code)]
#![cfg(feature = "cli")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(10);
/// More than a pipe takes, and what certainly is no more than that.
const ALL: u64 = 400_000;
const PIPE_FULL_MAX: u64 = 100_000;

/// How it ends, and whether that waits for the output.
const ENDS: [(&str, bool); 7] = [
    ("System.halt(0)", true),
    (":erlang.halt(0)", true),
    (":erlang.halt(0, [])", true),
    (":erlang.halt(0, [{:flush, true}])", true),
    (":ok", true),
    (":erlang.halt(0, [{:flush, false}])", false),
    ("Process.sleep(:infinity)", false),
];

#[test]
fn wharf_waits_for_output_unless_told_not_to() {
    tell(&[env!("CARGO_BIN_EXE_wharf"), "eval"], "wharf");
}

#[test]
fn so_does_elixir() {
    if Command::new("elixir")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        println!("skipped: no elixir");
        return;
    }
    tell(&["elixir", "-e"], "elixir");
}

fn tell(teller: &[&str], name: &str) {
    for (at, (end, waits)) in ENDS.into_iter().enumerate() {
        for options in ["[:out]", "[:exit_status]"] {
            let folder = Folder::new(&format!("halting-{name}-{at}-{}", options.len()));
            let told = Story::begin(teller, &folder.0, end, options);
            let arrived = match waits {
                true => told.waiting(),
                false => told.at_once(end.contains("sleep")),
            };
            let expected = match waits {
                true => arrived == ALL,
                false => arrived > 0 && arrived <= PIPE_FULL_MAX,
            };
            assert!(expected, "{name}: {end} {options}: {arrived} bytes arrived");
        }
    }
}

/// A program of ours that has written to its port, whose program waits at a gate.
struct Story<'f> {
    folder: &'f Path,
    child: Child,
}

impl<'f> Story<'f> {
    fn begin(teller: &[&str], folder: &'f Path, end: &str, options: &str) -> Story<'f> {
        let gate = folder.join("gate");
        let made = Command::new("mkfifo").arg(&gate).status();
        assert!(made.is_ok_and(|status| status.success()));
        let script = format!(
            "p = Port.open({{:spawn_executable, \"/bin/sh\"}}, [{{:args, [\"-c\", \
             \"read x < gate; cat > part; mv part all\"]}}, {{:busy_limits_port, :disabled}} | {options}])\n\
             Port.command(p, String.duplicate(\"x\", {ALL}))\n\
             File.write!(\"ready\", \"\")\n{end}"
        );
        let child = Command::new(teller[0])
            .args(&teller[1..])
            .arg(script)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let story = Story { folder, child };
        story.wait_for("ready");
        story
    }

    /// Sees that it waits, lets the port's program go on, and gives what that has read.
    fn waiting(mut self) -> u64 {
        let early = Instant::now() + 20 * STEP;
        while Instant::now() < early {
            assert_eq!(self.child.try_wait().unwrap(), None, "it did not wait");
            std::thread::sleep(STEP);
        }
        self.open_the_gate();
        assert!(self.ended().success());
        self.read()
    }

    /// Sees it end, by force if need be, and gives what the port's program then can read.
    fn at_once(mut self, killed: bool) -> u64 {
        if killed {
            self.child.kill().unwrap();
        }
        assert_eq!(self.ended().success(), !killed);
        self.open_the_gate();
        self.read()
    }

    fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it did not end");
            std::thread::sleep(STEP);
        }
    }

    fn open_the_gate(&self) {
        std::fs::write(self.folder.join("gate"), "go\n").unwrap();
    }

    fn read(&self) -> u64 {
        self.wait_for("all");
        std::fs::metadata(self.folder.join("all")).unwrap().len()
    }

    fn wait_for(&self, file: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.folder.join(file).exists() {
            assert!(Instant::now() < deadline, "no {file}");
            std::thread::sleep(STEP);
        }
    }
}

impl Drop for Story<'_> {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

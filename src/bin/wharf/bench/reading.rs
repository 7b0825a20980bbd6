//! One reading: a fresh process of wharf, of Erlang or of plain C does the work once, and prints a
//! number for each column.
//!
//! Relies on the folder for what it starts. Promises an end: a process that takes longer than
//! the deadline is killed, and the reading is an error that names it.
#![forbid(unsafe_code)]

use super::rows::{Group, Way};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Longer than any reading takes on a slow and busy machine.
const DEADLINE: Duration = Duration::from_secs(300);

/// Whose reading it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Party {
    Wharf,
    Erlang,
    Floor,
}

/// Takes readings with the files of one folder.
pub(super) struct Readings<'f> {
    folder: &'f Path,
    wharf: PathBuf,
}

impl<'f> Readings<'f> {
    pub(super) fn new(folder: &'f Path) -> Result<Readings<'f>, String> {
        let wharf = std::env::current_exe()
            .map_err(|error| format!("the command does not find itself: {error}"))?;
        Ok(Readings { folder, wharf })
    }

    /// One number for each column; for the floor one for each that it prints.
    pub(super) fn take(&self, group: &Group, party: Party) -> Result<Vec<f64>, String> {
        let numbers = match party {
            Party::Wharf => self.run(group, self.wharf(group))?,
            Party::Erlang => self.run(group, self.erlang(group))?,
            Party::Floor => {
                let Some(work) = group.floor else {
                    return Ok(Vec::new());
                };
                self.run(group, self.floor(work))?
            }
        };
        if party != Party::Floor && numbers.len() != group.columns.len() {
            let (got, wanted) = (numbers.len(), group.columns.len());
            return Err(format!("{group}: {got} numbers instead of {wanted}"));
        }
        Ok(numbers)
    }

    /// The numbers that wharf prints for an item.
    pub(super) fn item(&self, item: &[String]) -> Result<Vec<f64>, String> {
        let shown = item.join(" ");
        numbers(&shown, self.one(item.iter().map(String::as_str)))
    }

    fn run(&self, group: &Group, command: Command) -> Result<Vec<f64>, String> {
        numbers(&group.to_string(), command)
    }

    fn one<'w>(&self, item: impl Iterator<Item = &'w str>) -> Command {
        let mut command = Command::new(&self.wharf);
        command.arg("bench").arg("--folder").arg(self.folder);
        command.arg("--one").args(item);
        command
    }

    fn wharf(&self, group: &Group) -> Command {
        let work = self.one(group.work.split(' '));
        match group.way {
            Way::Plain => work,
            Way::OneCore => self.by_prog("one_core", &work),
            Way::Library => {
                let mut command = Command::new(&self.wharf);
                command.arg(super::READING).arg(self.folder);
                command.args(group.work.split(' '));
                self.by_prog("timed", &command)
            }
            Way::Script => {
                let folder = self.folder.display();
                let script = format!(
                    ":ok = :erl_ddll.load('{folder}', 'bench_drv'); \
                     p = Port.open({{:spawn_driver, 'bench_drv copy'}}, [:binary]); \
                     Port.command(p, \"x\"); receive do {{^p, {{:data, \"x\"}}}} -> :ok end; \
                     c = Port.open({{:spawn_executable, '/bin/cat'}}, [:binary]); \
                     Port.command(c, \"x\"); receive do {{^c, {{:data, \"x\"}}}} -> :ok end; nil"
                );
                let mut command = Command::new(&self.wharf);
                command.arg("eval").arg(script);
                self.by_prog("timed", &command)
            }
        }
    }

    fn erlang(&self, group: &Group) -> Command {
        let mut command = Command::new("erl");
        if let Way::Library | Way::Script = group.way {
            let folder = self.folder.display();
            command.args(["-noshell", "-eval"]).arg(format!(
                "ok = erl_ddll:load(\"{folder}\", \"bench_drv\"), \
                 P = open_port({{spawn_driver, \"bench_drv copy\"}}, [binary]), \
                 port_command(P, <<\"x\">>), receive {{P, {{data, <<\"x\">>}}}} -> ok end, \
                 C = open_port({{spawn_executable, \"/bin/cat\"}}, [binary]), \
                 port_command(C, <<\"x\">>), receive {{C, {{data, <<\"x\">>}}}} -> ok end, halt()."
            ));
            return self.by_prog("timed", &command);
        }
        let mut words = group.work.split(' ');
        if let (Some("async"), Some(threads)) = (words.next(), words.next()) {
            command.args(["+A", threads]);
        }
        command.arg("-noshell").arg("-pa").arg(self.folder);
        command.args(["-s", "otp_bench", "one"]);
        command.args(group.work.split(' '));
        match group.way {
            Way::OneCore => self.by_prog("one_core", &command),
            _ => command,
        }
    }

    fn floor(&self, work: &str) -> Command {
        let mut command = Command::new(self.folder.join("floor"));
        command.args(work.split(' '));
        if work == "cold" {
            command = self.by_prog("timed", &command);
        }
        // It finds its programs beside itself.
        command.current_dir(self.folder);
        command
    }

    /// The same command, run by the program that pins or times others.
    fn by_prog(&self, how: &str, command: &Command) -> Command {
        let mut outer = Command::new(self.folder.join("prog"));
        outer.arg(how).arg(command.get_program());
        outer.args(command.get_args());
        outer
    }
}

/// Runs it, and reads its last line as numbers.
fn numbers(what: &str, mut command: Command) -> Result<Vec<f64>, String> {
    let text = output(what, &mut command)?;
    let line = text.lines().next_back().unwrap_or_default();
    let numbers: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
    numbers.map_err(|_| format!("{what}: not numbers: {line}"))
}

fn output(what: &str, command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(Stdio::piped());
    let child = command
        .spawn()
        .map_err(|error| format!("{what}: {program} does not start: {error}"))?;
    let pid = i32::try_from(child.id()).map(Pid::from_raw);
    let (told, heard) = mpsc::channel();
    // Waiting for the end of its output, and not by asking again and again, which would take
    // a processor's time from what is measured.
    thread::spawn(move || {
        // Nobody listens any more when the time was up.
        let _ = told.send(child.wait_with_output());
    });
    let Ok(ended) = heard.recv_timeout(DEADLINE) else {
        // It has not been waited for, so the number is still its own.
        if let Ok(pid) = pid {
            let _ = kill(pid, Signal::SIGKILL);
        }
        let seconds = DEADLINE.as_secs();
        return Err(format!("{what}: {program} has not ended after {seconds} s"));
    };
    let ended = ended.map_err(|error| format!("{what}: {program}: {error}"))?;
    if !ended.status.success() {
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let sentence = said.lines().next_back().unwrap_or("it says nothing");
        let status = ended.status;
        return Err(format!("{what}: {program} ends with {status}: {sentence}"));
    }
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}

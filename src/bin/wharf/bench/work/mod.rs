//! The work that is measured, done by wharf as an ordinary Rust program would have it done.
//!
//! `benches/peers/otp_bench.erl` does the same by Erlang, item by item, with the same words for
//! them; `benches/peers/floor.c` does it in plain C. A reading is one number for each column of
//! the item.
#![forbid(unsafe_code)]

mod calls;
mod events;
mod growth;
mod many;
mod programs;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wharf::{Binary, Exited, Host, Message, Options, Port, PortName, Process};

/// Longer than any single message takes, also the one behind two million timers on a busy machine.
const DEADLINE: Duration = Duration::from_secs(280);

/// A number for each column, or why there is none.
pub(super) type Reading = Result<Vec<f64>, Box<dyn Error>>;

/// What the work is done with.
struct World {
    me: Process,
    /// Where the drivers and the program are.
    folder: PathBuf,
}

/// An item's arguments.
struct Arguments<'w>(&'w [String]);

impl Arguments<'_> {
    fn word(&self, at: usize) -> Result<&str, Box<dyn Error>> {
        let word = self.0.get(at).map(String::as_str);
        word.ok_or_else(|| format!("argument {} of the item is missing", at + 1).into())
    }

    fn number(&self, at: usize) -> Result<usize, Box<dyn Error>> {
        let word = self.word(at)?;
        word.parse()
            .map_err(|_| format!("`{word}` is not a number").into())
    }
}

/// Does the work of one item, given as its name and arguments.
pub(super) fn reading(folder: &Path, item: &[String]) -> Reading {
    let (name, arguments) = item.split_first().ok_or("there is no item to measure")?;
    let with = Arguments(arguments);
    let threads = match name.as_str() {
        "async" => with.number(0)?,
        _ => 1,
    };
    let host = Host::builder().async_threads(threads).ports_max(200_000);
    let me = host.build()?.process();
    me.load_driver(folder, "bench_drv")?;
    // A start has to do with one of them alone.
    if name != "cold" {
        me.load_driver(folder, "bench_drvv")?;
    }
    let folder = folder.to_owned();
    let world = World { me, folder };
    match name.as_str() {
        "control" => calls::control(&world, &with, calls::Answer::List),
        "control_binary" => calls::control(&world, &with, calls::Answer::Binary),
        "scaling" => calls::scaling(&world, &with),
        "echo" => calls::echo(&world, &with),
        "flood" => calls::flood(&world, &with),
        "terms" => events::terms(&world, &with),
        "async" => events::jobs(&world, &with),
        "timer" => events::timers(&world, &with),
        "rearm" => events::rearm(&world, &with),
        "select" => events::select(&world, &with),
        "spawn" => programs::spawn(&world, &with),
        "program" => programs::round_trips(&world, &with),
        "pump" => programs::pump(&world, &with),
        "lines" => programs::lines(&world, &with),
        "many_drivers" => many::drivers(&world, &with),
        "many_programs" => many::programs(&world, &with),
        "idle" => many::idle(&world, &with),
        "mailbox" => growth::mailbox(&world, &with),
        "selective" => growth::selective(&world, &with),
        "delays" => growth::delays(&world, &with),
        "monitors" => growth::monitors(&world, &with),
        "driver_queue" => growth::driver_queue(&world, &with),
        "program_queue" => growth::program_queue(&world, &with),
        "cold" => many::cold(&world),
        other => Err(format!("there is no item `{other}`").into()),
    }
}

impl World {
    /// Opens a port of a driver: `bench_drv copy`.
    fn driver(&self, command: &str) -> Result<Port, wharf::Error> {
        driver(&self.me, command)
    }

    fn executable(
        &self,
        file: &str,
        arguments: &[&str],
        options: Options,
    ) -> Result<Port, wharf::Error> {
        let name = PortName::spawn_executable(file);
        self.me.open(name, options.binary().args(arguments))
    }

    fn cat(&self) -> Result<Port, wharf::Error> {
        self.executable("/bin/cat", &[], Options::new())
    }

    fn program(&self, arguments: &[&str], options: Options) -> Result<Port, wharf::Error> {
        let file = self.folder.join("prog").display().to_string();
        self.executable(&file, arguments, options)
    }

    /// The next message, whoever sends it.
    fn next(&self) -> Result<Message, Box<dyn Error>> {
        self.me.next(DEADLINE)?.ok_or_else(nothing_came)
    }
}

fn driver(process: &Process, command: &str) -> Result<Port, wharf::Error> {
    process.open(PortName::spawn_driver(command), Options::new().binary())
}

/// The next message of this port.
#[inline]
fn next_from(port: &Port) -> Result<Message, Box<dyn Error>> {
    let message = port.process().next_from(port.id(), DEADLINE)?;
    message.ok_or_else(nothing_came)
}

/// The next data of this port: how many bytes.
#[inline]
fn data_from(port: &Port) -> Result<usize, Box<dyn Error>> {
    match port.process().next_from(port.id(), DEADLINE) {
        Ok(Some(Message::Data { bytes, .. })) => Ok(bytes.len()),
        other => Err(no_data(other)),
    }
}

/// The next data of this port.
#[inline]
fn bytes_from(port: &Port) -> Result<Binary, Box<dyn Error>> {
    match port.process().next_from(port.id(), DEADLINE) {
        Ok(Some(Message::Data { bytes, .. })) => Ok(bytes),
        other => Err(no_data(other)),
    }
}

/// What came instead.
#[cold]
fn no_data(instead: Result<Option<Message>, Exited>) -> Box<dyn Error> {
    match instead {
        Ok(Some(other)) => unexpected(&other),
        Ok(None) => nothing_came(),
        Err(exited) => exited.into(),
    }
}

#[cold]
fn nothing_came() -> Box<dyn Error> {
    "no message came in time".into()
}

#[cold]
fn unexpected(message: &Message) -> Box<dyn Error> {
    format!("a message that nobody expects: {message:?}").into()
}

/// What the bench driver takes two numbers for.
fn ask(port: &Port, operation: u8, first: usize, second: usize) -> Result<(), Box<dyn Error>> {
    let mut data = [0; 8];
    data[..4].copy_from_slice(&u32::try_from(first)?.to_ne_bytes());
    data[4..].copy_from_slice(&u32::try_from(second)?.to_ne_bytes());
    port.control(u32::from(operation), data)?;
    Ok(())
}

/// How long `body` takes, in seconds.
fn seconds(body: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let begun = Instant::now();
    body()?;
    Ok(begun.elapsed().as_secs_f64())
}

/// How many of `number` things there are in a second.
fn rate(number: usize, seconds: f64) -> f64 {
    real(number) / seconds
}

/// Exact for every number that occurs here.
#[allow(clippy::cast_precision_loss)]
fn real(number: usize) -> f64 {
    number as f64
}

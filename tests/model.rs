//! Random stories about ports, told to wharf and to a model that fits in two files.
//!
//! `model/spec.rs` and `model/world.rs` say what Erlang's ports do; a story is a list of steps
//! (`model/step.rs`) by four processes and by whatever is behind the ports. After each step all
//! that it set off is waited for, and compared: answers, messages in order for each sender,
//! links, monitors, owners, queues. A failure prints the seed and the shortest story that still
//! fails; `WHARF_MODEL_SEED=n` tells that one again, `WHARF_MODEL_SECONDS=n` goes on for so long,
//! half of it with processes that race (`model/race.rs`).

#[path = "model/behind.rs"]
mod behind;
#[path = "model/choose.rs"]
mod choose;
#[path = "support/drivers.rs"]
mod drivers;
#[path = "model/hear.rs"]
mod hear;
#[path = "model/judge.rs"]
mod judge;
#[path = "model/peer.rs"]
mod peer;
#[path = "model/play.rs"]
mod play;
#[path = "model/race.rs"]
mod race;
#[path = "model/random.rs"]
mod random;
#[path = "model/spec.rs"]
mod spec;
#[path = "model/step.rs"]
mod step;
#[path = "model/story.rs"]
mod story;
#[path = "model/world.rs"]
mod world;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long each test goes on when nobody says.
const SECONDS: u64 = 4;

/// Tells one story after the other, or the one that was asked for.
fn tell_many(test: &str, tell: impl Fn(u64, &Path)) {
    // One of these may go on for long while others come and go.
    let folder = format!("{test}-{}", std::process::id());
    let drivers = Removed(drivers::compile_all(&folder));
    if let Some(seed) = number("WHARF_MODEL_SEED") {
        return tell(seed, &drivers.0);
    }
    let seconds = number("WHARF_MODEL_SECONDS").map_or(SECONDS, |both| both / 2);
    let end = Instant::now() + Duration::from_secs(seconds);
    let started = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let mut seeds = random::Random::new(u64::try_from(started.as_nanos()).unwrap_or(0));
    let mut told = 0;
    while Instant::now() < end {
        tell(seeds.next(), &drivers.0);
        told += 1;
    }
    println!("{test}: {told} stories");
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is not a number: {text}")))
}

/// Removes a folder at the end.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn ports_do_what_the_model_says() {
    tell_many("model", story::tell);
}

#[test]
fn what_racing_processes_see_fits_together() {
    tell_many("races", race::run);
}

//! Random stories about ports, told to wharf and to a model that fits in two files.
//!
//! `model/spec.rs` and `model/world.rs` say what Erlang's ports do; a story is a list of steps
//! (`model/step.rs`) by four processes and by whatever is behind the ports. After each step all
//! that it set off is waited for, and compared: answers, messages in order for each sender,
//! links, monitors, owners, queues. A failure prints the seed and the shortest story that still
//! fails; `WHARF_MODEL_SEED=n` tells that one again, `WHARF_MODEL_SECONDS=n` goes on for so long.

#[path = "model/behind.rs"]
mod behind;
#[path = "model/choose.rs"]
mod choose;
#[path = "support/drivers.rs"]
mod drivers;
#[path = "model/hear.rs"]
mod hear;
#[path = "model/peer.rs"]
mod peer;
#[path = "model/play.rs"]
mod play;
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

use std::time::{Duration, Instant};

/// How long the stories go on when nobody says.
const SECONDS: u64 = 4;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is not a number: {text}")),
    )
}

#[test]
fn ports_do_what_the_model_says() {
    let drivers = drivers::compile_all("model");
    if let Some(seed) = number("WHARF_MODEL_SEED") {
        return story::tell(seed, &drivers);
    }
    let seconds = number("WHARF_MODEL_SECONDS").unwrap_or(SECONDS);
    let end = Instant::now() + Duration::from_secs(seconds);
    let started = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let mut seeds = random::Random::new(u64::try_from(started.as_nanos()).unwrap_or(0));
    let mut stories = 0;
    while Instant::now() < end {
        story::tell(seeds.next(), &drivers);
        stories += 1;
    }
    println!("{stories} stories");
}

//! Searches the interleavings of what threads of the library share: turns and their workers, the
//! lock that is one thread's own, the mailbox, the table of handles, the pause of a suspended sender.
//!
//! The files under test are the library's own, compiled here against loom's locks and atomics
//! (`lock.rs` beside this file has the names that theirs has). So what is searched is the code that
//! runs, not a copy of it. Each model runs in a small world: two or three threads, a few steps.
#![allow(dead_code)] // a model uses a part of each file

/// As the standard one, for loom's threads, which share one of the system's.
macro_rules! thread_local {
    ($($(#[$attribute:meta])* static $name:ident: $type:ty = const { $first:expr };)*) => {
        loom::thread_local! { $($(#[$attribute])* static $name: $type = $first;)* }
    };
}

#[path = "../../src/biased.rs"]
mod biased;
mod lock;
#[path = "../../src/places.rs"]
mod places;
#[path = "../../src/seldom.rs"]
mod seldom;
#[path = "../../src/table.rs"]
mod table;

mod os;
mod process;
mod runtime;

mod biases;
mod mailboxes;
mod pauses;
mod tables;
mod turns;

/// How many times a thread is forced to give way in one run. The number of ways grows steeply with it,
/// and few bugs need many; the program's argument sets another.
const SWITCHES: usize = 3;

/// Searches one model, and tells how many ways there were.
fn search(name: &str, model: impl Fn() + Send + Sync + 'static) {
    let ways = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&ways);
    let mut builder = loom::model::Builder::new();
    let argument = std::env::args().nth(1);
    let switches = argument.map_or(SWITCHES, |text| text.parse().expect("a number of switches"));
    builder.preemption_bound = Some(switches);
    builder.check(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        model();
    });
    println!(
        "{name}: {} ways, all well",
        ways.load(std::sync::atomic::Ordering::Relaxed)
    );
}

fn main() {
    biases::search();
    turns::search();
    mailboxes::search();
    tables::search();
    pauses::search();
}

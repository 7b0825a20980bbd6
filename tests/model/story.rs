//! One story: made from a seed, played, and shortened when it goes wrong.

use std::fmt::Write;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::play::Player;
use crate::random::Random;
use crate::step::Step;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// While a story is shortened: a wait in vain should not cost much.
const IMPATIENCE: Duration = Duration::from_secs(3);
/// After so long without a step the story hangs.
const HANG: Duration = Duration::from_secs(180);
const STEPS_MAX: usize = 50;

/// Tells the story of this seed; panics when it goes wrong.
pub(crate) fn tell(seed: u64, drivers: &Path) {
    let mut random = Random::new(seed);
    let length = 5 + random.below(STEPS_MAX - 5);
    let steps: Vec<Step> = (0..length).map(|_| Step::any(&mut random)).collect();
    let Err((reached, fault)) = played(seed, &steps, drivers, PATIENCE) else {
        return;
    };
    let (steps, fault) = shortened(seed, steps[..reached].to_vec(), fault, drivers);
    let mut text = String::new();
    for (at, step) in steps.iter().enumerate() {
        let _ = writeln!(text, "  {}. {step:?}", at + 1);
    }
    panic!("the story went wrong: {fault}\n{text}tell it again: WHARF_MODEL_SEED={seed}");
}

/// Plays; an error is how many steps were reached, and what was wrong.
fn played(
    seed: u64,
    steps: &[Step],
    drivers: &Path,
    patience: Duration,
) -> Result<(), (usize, String)> {
    let so_far = Arc::new(Mutex::new(Vec::new()));
    let _watched = Watched::new(seed, Arc::clone(&so_far));
    let mut player = Player::new(drivers, patience);
    for (at, step) in steps.iter().enumerate() {
        so_far.lock().unwrap().push(format!("{step:?}"));
        if let Err(fault) = player.step(*step) {
            return Err((at + 1, format!("step {}: {fault}", at + 1)));
        }
    }
    so_far.lock().unwrap().push("the end".into());
    player
        .end()
        .map_err(|fault| (steps.len(), format!("at the end: {fault}")))
}

/// Leaves out what can be left out: first large pieces, then single steps, until nothing can.
fn shortened(
    seed: u64,
    mut steps: Vec<Step>,
    mut fault: String,
    drivers: &Path,
) -> (Vec<Step>, String) {
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        let before = steps.len();
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            match played(seed, &fewer, drivers, IMPATIENCE) {
                Err((reached, other)) => {
                    fewer.truncate(reached);
                    (steps, fault) = (fewer, other);
                }
                Ok(()) => at += size,
            }
        }
        if size > 1 || steps.len() == before {
            size /= 2;
        }
    }
    (steps, fault)
}

/// Ends the test when a story does not go on.
struct Watched {
    _done: std::sync::mpsc::Sender<()>,
}

impl Watched {
    fn new(seed: u64, so_far: Arc<Mutex<Vec<String>>>) -> Watched {
        let (done, ended) = channel();
        std::thread::spawn(move || {
            let mut seen = 0;
            while ended.recv_timeout(HANG) == Err(RecvTimeoutError::Timeout) {
                let steps = so_far.lock().unwrap();
                if std::mem::replace(&mut seen, steps.len()) == steps.len() {
                    eprintln!("the story of WHARF_MODEL_SEED={seed} hangs after:\n{steps:#?}");
                    std::process::exit(101);
                }
            }
        });
        Watched { _done: done }
    }
}

//! A fence whose one side costs nothing.
//!
//! Two threads that each write something and then look at what the other has written need a fence
//! between the two, each of them, or neither may see the other's. Where one of them comes millions of
//! times a second and the other hardly ever, the kernel makes up for the fence of the first: it has all
//! processors that run this program pass one when the second asks (`membarrier`).

use std::os::unix::fs::MetadataExt;
use std::sync::Once;
use std::sync::atomic::{AtomicU8, Ordering, compiler_fence, fence};
use std::time::Duration;

use super::thread;

/// Both sides pass a fence of their own: the kernel has not answered yet.
const BOTH: u8 = 0;
/// The kernel helps.
const KERNEL: u8 = 1;
/// It did, and refuses now: somebody forbade it after the start.
const BROKEN: u8 = 2;
/// Both pass one, for good: the kernel knows no such thing, or somebody forbids it.
const REFUSED: u8 = 3;

static WAY: AtomicU8 = AtomicU8::new(BOTH);

/// Asks the kernel for its help, once. Until it has agreed, both sides pass a fence of their own.
pub(crate) fn prepare() {
    static ASKED: Once = Once::new();
    ASKED.call_once(|| {
        // Where there are other threads, the kernel waits for all processors, some 20 ms.
        if is_only_thread() || thread::spawn("wharf_fence", ask_for_help).is_err() {
            ask_for_help();
        }
    });
}

fn ask_for_help() {
    let way = match ask(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) {
        true => KERNEL,
        false => REFUSED,
    };
    WAY.store(way, Ordering::SeqCst);
}

/// Whether this process has no thread but this one, as far as can be told.
fn is_only_thread() -> bool {
    // A folder has a link from each folder in it, beside its own two.
    let tasks = std::fs::metadata("/proc/self/task");
    tasks.is_ok_and(|tasks| tasks.nlink() == 3)
}

/// Whether the kernel helps.
pub(crate) fn is_helped() -> bool {
    WAY.load(Ordering::Acquire) == KERNEL
}

/// Whether the kernel may help later.
pub(crate) fn may_be_helped() -> bool {
    WAY.load(Ordering::Relaxed) == BOTH
}

/// For the side that comes often and knows that the kernel helps, or did so once.
#[inline(always)]
pub(crate) fn helped() {
    compiler_fence(Ordering::SeqCst);
}

/// For the other side of that.
pub(crate) fn help() {
    if !rarely() {
        // No processor keeps a write to itself for so long.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// For the side that comes often.
#[inline(always)]
pub(crate) fn often() {
    if is_helped() {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

/// For the side that comes rarely. False, and no fence between it and other threads, when the kernel has
/// stopped to help.
#[must_use]
pub(crate) fn rarely() -> bool {
    fence(Ordering::SeqCst);
    match WAY.load(Ordering::SeqCst) {
        BOTH | REFUSED => true,
        KERNEL if pass_everywhere() => true,
        _ => {
            WAY.store(BROKEN, Ordering::SeqCst);
            false
        }
    }
}

fn pass_everywhere() -> bool {
    // A child by fork may have to ask anew.
    ask(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
        || ask(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
            && ask(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
}

fn ask(command: libc::c_int) -> bool {
    const NO_FLAGS: libc::c_uint = 0;
    const NO_CPU: libc::c_int = 0;
    // miri knows no such call.
    // SAFETY: plain numbers; it changes nothing but the order in which writes are seen.
    !cfg!(miri) && unsafe { libc::syscall(libc::SYS_membarrier, command, NO_FLAGS, NO_CPU) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, Instant};

    const ROUNDS: u32 = if cfg!(miri) { 20 } else { 50_000 };
    const APART: Duration = Duration::from_micros(4);
    const DELAYS: u32 = 8;

    /// On a cache line of its own.
    #[derive(Default)]
    #[repr(align(128))]
    struct Flag(AtomicBool);

    /// In each round, at a time that both know: writes what is mine and looks at what is the other's.
    fn side(
        (mine, others): (&[Flag], &[Flag]),
        began: Instant,
        slower: u32,
        pass: impl Fn() -> bool,
    ) -> Vec<bool> {
        let mut delays = (0..DELAYS).cycle().map(|delay| delay * slower);
        let rounds = (1..).map(|round| began + round * APART);
        let round = |((mine, other), at): ((&Flag, &Flag), Instant)| {
            // Both lines are in both caches, so that a write takes its time.
            let _ = (
                mine.0.load(Ordering::Relaxed),
                other.0.load(Ordering::Relaxed),
            );
            while Instant::now() < at {}
            // The two are not equally fast, so they meet after a different delay in each round.
            (0..delays.next().unwrap_or(0)).for_each(|_| std::hint::spin_loop());
            mine.0.store(true, Ordering::Relaxed);
            let passed = pass();
            other.0.load(Ordering::Relaxed) || !passed
        };
        mine.iter().zip(others).zip(rounds).map(round).collect()
    }

    #[test]
    fn one_of_the_two_sides_sees_the_other() {
        prepare();
        let flags = || (0..ROUNDS).map(|_| Flag::default()).collect::<Vec<_>>();
        let (left, right) = (flags(), flags());
        let began = Instant::now() + Duration::from_millis(1);
        let (by_left, by_right) = std::thread::scope(|scope| {
            let there = scope.spawn(|| {
                side((&left, &right), began, 1, || {
                    often();
                    true
                })
            });
            let here = side((&right, &left), began, 0, rarely);
            (there.join().unwrap(), here)
        });
        let missed = by_left.iter().zip(&by_right).position(|(a, b)| !a && !b);
        assert_eq!(missed, None, "the round in which both missed the other");
    }
}

//! A fence whose one side costs nothing.
//!
//! Two threads that each write something and then look at what the other has written need a fence
//! between the two, each of them, or neither may see the other's. Where one of them comes millions of
//! times a second and the other hardly ever, the kernel makes up for the fence of the first: it has all
//! processors that run this program pass one when the second asks (`membarrier`).

use std::sync::atomic::{AtomicU8, Ordering, compiler_fence, fence};

/// Both sides pass a fence of their own, as the kernel cannot help; so it is at first.
const BOTH: u8 = 0;
/// The kernel helps.
const KERNEL: u8 = 1;
/// It did, and refuses now: somebody forbade it after the start.
const BROKEN: u8 = 2;

static WAY: AtomicU8 = AtomicU8::new(BOTH);

/// Asks the kernel for its help. Until somebody has, both sides pass a fence of their own.
pub(crate) fn prepare() {
    if WAY.load(Ordering::Relaxed) == BOTH && ask(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) {
        let _ = WAY.compare_exchange(BOTH, KERNEL, Ordering::SeqCst, Ordering::SeqCst);
    }
}

/// For the side that comes often.
#[inline(always)]
pub(crate) fn often() {
    if WAY.load(Ordering::Relaxed) == KERNEL {
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
        BOTH => true,
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
    use std::sync::Barrier;
    use std::sync::atomic::AtomicU32;

    /// Each side writes and looks; that both miss the other's is what fences are against.
    #[test]
    fn one_of_the_two_sides_sees_the_other() {
        const ROUNDS: u32 = if cfg!(miri) { 20 } else { 1_000 };
        prepare();
        let (left, right) = (AtomicU32::new(0), AtomicU32::new(0));
        let (saw_left, saw_right) = (AtomicU32::new(0), AtomicU32::new(0));
        let together = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    together.wait();
                    left.store(round, Ordering::Relaxed);
                    often();
                    saw_right.store(right.load(Ordering::Relaxed), Ordering::Relaxed);
                    together.wait();
                }
            });
            for round in 1..=ROUNDS {
                together.wait();
                right.store(round, Ordering::Relaxed);
                let helped = rarely();
                saw_left.store(left.load(Ordering::Relaxed), Ordering::Relaxed);
                together.wait();
                let seen = saw_left.load(Ordering::Relaxed) == round
                    || saw_right.load(Ordering::Relaxed) == round;
                assert!(seen || !helped, "round {round}");
            }
        });
    }
}

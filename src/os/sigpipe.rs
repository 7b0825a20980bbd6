//! Foreign code, and writes, that SIGPIPE cannot hit.
//!
//! The signal's default is to end the process, and what it does belongs to the host. So the thread
//! blocks it for a while, and takes back the one that its own writes left pending. The kernel sends it
//! to the writing thread, so nobody else ever sees it. Promises that the thread's mask and its pending
//! signals are afterwards what they were before.
//!
//! A host that ignores the signal pays one system call to have it known. Threads of our own, and those
//! that drivers have us make, block it from their birth and pay nothing, until their code changes their
//! mask; what stays pending in them is never delivered.

use std::cell::Cell;
use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr;

use super::errno::Errno;

thread_local! {
    /// Whether this thread has it blocked by what this module knows: for good, or by a call of
    /// [`without_sigpipe`] further out, which takes back what is left by those further in.
    static BLOCKED: Cell<bool> = const { Cell::new(false) };
    /// Whether it was so from the start of this thread, so that none that waits is anybody's.
    static FROM_BIRTH: Cell<bool> = const { Cell::new(false) };
}

/// To be called by threads that were started with the signal blocked and leave it so.
pub(super) fn is_blocked_for_good() {
    BLOCKED.set(true);
    FROM_BIRTH.set(true);
}

/// Foreign code is about to change this thread's mask: what its writes left pending must not come then.
pub(super) fn before_new_mask() {
    if FROM_BIRTH.get() && is_pending() {
        take_back();
    }
}

/// Foreign code has changed this thread's mask: what was known of it is looked at again.
pub(super) fn after_new_mask() {
    if BLOCKED.get() && !contains(&change_mask(libc::SIG_BLOCK, &empty_set())) {
        BLOCKED.set(false);
        FROM_BIRTH.set(false);
    }
}

/// Runs something that may write to pipes or sockets nobody reads. A SIGPIPE that was pending before
/// stays so.
pub(crate) fn without_sigpipe<R>(code: impl FnOnce() -> R) -> R {
    let _shield = Shield::new();
    code()
}

/// What to give to [`after_call`].
pub(super) struct Call(Option<Before>);

/// Keeps SIGPIPE away from one call of a C function that comes now. Nothing has to be put back if it never
/// returns: the thread may be cancelled in there, or a signal handler jump out. So the two may be used in
/// signal handlers as well.
#[inline]
pub(super) fn before_call() -> Call {
    Call(if BLOCKED.get() { None } else { raise() })
}

/// The call has returned. `errno` stays as it left it.
#[inline]
pub(super) fn after_call(call: Call) {
    if let Call(Some(before)) = call {
        let errno = Errno::last();
        lower(&before);
        errno.leave();
    }
}

/// Keeps SIGPIPE away until it is dropped, also by a panic.
struct Shield(Option<Before>);

/// What the thread had before.
struct Before {
    mask: libc::sigset_t,
    was_pending: bool,
}

impl Shield {
    #[inline]
    fn new() -> Shield {
        let before = if BLOCKED.get() { None } else { raise() };
        if before.is_some() {
            BLOCKED.set(true);
        }
        Shield(before)
    }
}

impl Drop for Shield {
    #[inline]
    fn drop(&mut self) {
        if let Some(before) = self.0.take() {
            BLOCKED.set(false);
            lower(&before);
        }
    }
}

fn raise() -> Option<Before> {
    if is_ignored() {
        return None;
    }
    let mask = change_mask(libc::SIG_BLOCK, &set());
    // A signal that is not blocked does not wait.
    let was_pending = contains(&mask) && is_pending();
    Some(Before { mask, was_pending })
}

fn lower(before: &Before) {
    if !before.was_pending && is_pending() {
        take_back();
    }
    if !contains(&before.mask) {
        // Only this signal: whoever ran meanwhile may have changed others on purpose.
        change_mask(libc::SIG_UNBLOCK, &set());
    }
}

/// Takes the signal from those that are pending. Not by `sigtimedwait`, in which a thread that is to be
/// cancelled would be.
fn take_back() {
    /// The kernel's sets have a bit for each signal.
    const SET_BYTES: libc::size_t = size_of::<u64>();
    let at_once = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let sigpipe = set();
    // SAFETY: the set, which is larger for C than for the kernel, and the time are ours; nobody wants to
    // know more about the signal.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigtimedwait,
            &raw const sigpipe,
            ptr::null_mut::<libc::siginfo_t>(),
            &raw const at_once,
            SET_BYTES,
        )
    };
}

/// Whether the process ignores the signal. One that is ignored and blocked may be left pending, as
/// it would be without us.
fn is_ignored() -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: only asks, and the structure is filled when the answer is 0.
    unsafe {
        libc::sigaction(libc::SIGPIPE, ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// Changes this thread's mask; what it was.
fn change_mask(how: c_int, by: &libc::sigset_t) -> libc::sigset_t {
    let mut before = empty_set();
    // SAFETY: both sets are initialised.
    unsafe { libc::pthread_sigmask(how, by, &raw mut before) };
    before
}

/// Whether the signal waits for this thread or for the process.
pub(super) fn is_pending() -> bool {
    let mut pending = empty_set();
    // SAFETY: the set is ours.
    unsafe { libc::sigpending(&raw mut pending) == 0 && contains(&pending) }
}

fn contains(signals: &libc::sigset_t) -> bool {
    // SAFETY: an initialised set.
    unsafe { libc::sigismember(signals, libc::SIGPIPE) == 1 }
}

/// The signal alone.
pub(super) fn set() -> libc::sigset_t {
    let mut set = empty_set();
    // SAFETY: the set is initialised.
    unsafe { libc::sigaddset(&raw mut set, libc::SIGPIPE) };
    set
}

fn empty_set() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` initialises the whole set.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    }
}

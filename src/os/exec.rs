//! What a new process does between its birth and the program it becomes.
//!
//! The newborn borrows its parent's memory, and the thread that made it stands still until it has
//! started its program or given up (see `child.rs`). That makes starting a program cheap in a process
//! of any size, and it makes rules. In here nothing allocates, takes a lock, panics or touches memory
//! except its own stack and the [`Plan`]; only calls are made that are allowed in a signal handler.
//! Their `errno` is the waiting thread's own, which has no use for it meanwhile. Signals stay blocked
//! until no handler of the parent's can run in here.
//!
//! Whatever fails ends the new process with the error number as its exit status: that is how Erlang
//! reports it.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::mem::MaybeUninit;
use std::ptr;

/// Descriptors a program is given by number; all others are closed.
pub(super) const GIVEN: usize = 5;
const FIRST_OTHER: c_int = 5;

/// Everything the newborn needs, made ready by the parent.
pub(super) struct Plan {
    pub(super) path: *const c_char,
    /// Both end with a null pointer.
    pub(super) argv: *const *const c_char,
    pub(super) env: *const *const c_char,
    /// Null: stay.
    pub(super) directory: *const c_char,
    pub(super) descriptors: [Source; GIVEN],
    /// Whether the host's table of descriptors is this process's as well, and must be left first.
    pub(super) shares: bool,
    /// Whether `close_range` may be tried; tests of older kernels' way say no.
    pub(super) close_range: bool,
    /// For the parent to read: why the directory could not be entered, 0 if it could.
    pub(super) directory_error: c_int,
    /// For the parent to read: the shared table could not be left, and nothing was done.
    pub(super) stuck: bool,
}

/// Where one of the program's descriptors comes from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Keep,
    Closed,
    Number(c_int),
}

/// The newborn's whole life; the answer is its exit status, and there is one only on failure.
///
/// `plan` points to a [`Plan`] whose pointers are valid and which nobody else uses meanwhile.
pub(super) extern "C" fn become_program(plan: *mut c_void) -> c_int {
    // SAFETY: the parent passes its plan and waits; the answer goes to `_exit` by way of the C
    // library's `clone`, so nothing of the parent's frames is run.
    unsafe {
        let plan = plan.cast::<Plan>();
        if (*plan).shares && !leave_table(&(*plan).descriptors, (*plan).close_range) {
            (*plan).stuck = true;
            return libc::EPERM;
        }
        // First, because other pipes of the host seem to have a reader and a writer more as long as
        // this process has copies of them.
        if !arrange(&(*plan).descriptors) {
            return errno();
        }
        close_others((*plan).close_range);
        settle_signals();
        // A new process is no group leader, so this cannot fail.
        libc::setsid();
        if !(*plan).directory.is_null() && libc::chdir((*plan).directory) != 0 {
            (*plan).directory_error = errno();
            return (*plan).directory_error;
        }
        set_mask(0);
        libc::execve((*plan).path, (*plan).argv, (*plan).env);
        errno()
    }
}

/// Signals as Erlang hands them down. No handler survives, since it would run on the parent's memory
/// once signals are let in. What the host's own parent had it ignore stays ignored (SIGHUP under
/// `nohup`), but for those an Erlang system uses itself. Writing to a closed pipe is an error, not death.
///
/// # Safety
/// Only in the newborn.
unsafe fn settle_signals() {
    for signal in 1..=64 {
        let wanted = match signal {
            libc::SIGPIPE | libc::SIGFPE => libc::SIG_IGN,
            libc::SIGINT | libc::SIGQUIT | libc::SIGTERM | libc::SIGCHLD => libc::SIG_DFL,
            _ => match disposition(signal) {
                None | Some(libc::SIG_DFL | libc::SIG_IGN) => continue,
                Some(_) => libc::SIG_DFL,
            },
        };
        // SAFETY: all-zero is a valid `sigaction`; the kernel reads it and writes nothing.
        unsafe {
            let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
            action.sa_sigaction = wanted;
            libc::sigaction(signal, &raw const action, ptr::null_mut());
        }
    }
}

/// What a signal does now; nothing for those the C library keeps for itself.
fn disposition(signal: c_int) -> Option<libc::sighandler_t> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the kernel writes the old action into our frame.
    unsafe {
        (libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) == 0)
            .then(|| action.assume_init().sa_sigaction)
    }
}

/// Blocks exactly the signals in `mask` (a bit each) in this thread, the C library's own included, and
/// tells which were blocked before.
pub(super) fn set_mask(mask: u64) -> u64 {
    let mut before = 0u64;
    // SAFETY: the kernel's own set of signals is these eight bytes, here and for the answer.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const mask,
            &raw mut before,
            size_of::<u64>(),
        );
    }
    before
}

/// Gets a table of its own with nothing in it but the lowest numbers and what the program is given;
/// false if that is forbidden here.
///
/// # Safety
/// Only in a newborn that shares its parent's table.
unsafe fn leave_table(descriptors: &[Source; GIVEN], close_range: bool) -> bool {
    const UNSHARE: c_uint = 2;
    let last = descriptors
        .iter()
        .fold(FIRST_OTHER - 1, |last, source| match source {
            Source::Number(number) => last.max(*number),
            Source::Keep | Source::Closed => last,
        });
    // SAFETY: no memory is involved, here and below.
    let above = || unsafe { libc::syscall(libc::SYS_close_range, last + 1, c_uint::MAX, UNSHARE) };
    if !(close_range && above() == 0) {
        // SAFETY: as above.
        return unsafe { libc::unshare(libc::CLONE_FILES) } == 0;
    }
    let mut first = FIRST_OTHER;
    while first < last {
        // Up to the next one that is needed.
        let next = descriptors.iter().fold(last, |next, source| match source {
            Source::Number(number) if *number >= first => next.min(*number),
            _ => next,
        });
        if next > first {
            // SAFETY: as above.
            unsafe { libc::syscall(libc::SYS_close_range, first, next - 1, 0) };
        }
        first = next + 1;
    }
    true
}

/// Puts the program's descriptors where it expects them.
///
/// # Safety
/// Only in the newborn: the host's own descriptors would go.
unsafe fn arrange(descriptors: &[Source; GIVEN]) -> bool {
    // A source may stand where another one belongs (a host that closed its standard input gets pipes
    // with number 0): all those move out of the way first.
    let mut safe = *descriptors;
    for index in 0..GIVEN {
        if let Source::Number(number) = safe[index]
            && number < FIRST_OTHER
        {
            // SAFETY: no memory is involved, here and in the calls on numbers below.
            let away = || unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, FIRST_OTHER) };
            let mut moved = away();
            if moved < 0 && errno() == libc::EMFILE {
                // SAFETY: as for this function.
                unsafe { make_room(&safe) };
                moved = away();
            }
            if moved < 0 {
                return false;
            }
            safe[index] = Source::Number(moved);
        }
    }
    // SAFETY: as for this function; no memory is involved.
    (0..).zip(safe).all(|(target, source)| unsafe {
        match source {
            // A copy made by `dup2` stays open in the new program, one that was here may not.
            Source::Number(number) => libc::dup2(number, target) >= 0,
            // What closes by itself is no stream of the host's: it closed the stream, and something
            // else got the number, be it for a moment. As in Erlang there is then `/dev/null`.
            Source::Keep => match libc::fcntl(target, libc::F_GETFD) {
                flags if flags >= 0 && flags & libc::FD_CLOEXEC == 0 => true,
                _ => open_null(target),
            },
            Source::Closed => {
                libc::close(target);
                true
            }
        }
    })
}

/// Closes a few of the descriptors that the program is not given, where all numbers are taken.
///
/// # Safety
/// As for [`arrange`].
unsafe fn make_room(descriptors: &[Source; GIVEN]) {
    /// Enough for all that may have to move, and for those that must stay.
    const ROOM: c_int = 16;
    for number in FIRST_OTHER..FIRST_OTHER + ROOM {
        let given = |source: &Source| matches!(source, Source::Number(own) if *own == number);
        if !descriptors.iter().any(given) {
            // SAFETY: no memory is involved.
            unsafe { libc::close(number) };
        }
    }
}

/// # Safety
/// As for [`arrange`].
unsafe fn open_null(target: c_int) -> bool {
    let mode = if target == 0 {
        libc::O_RDONLY
    } else {
        libc::O_RDWR
    };
    // SAFETY: the path is a C string.
    unsafe {
        // There may be no other number left.
        libc::close(target);
        let opened = libc::open(c"/dev/null".as_ptr(), mode);
        if opened < 0 || opened == target {
            return opened == target;
        }
        let placed = libc::dup2(opened, target) >= 0;
        libc::close(opened);
        placed
    }
}

/// Closes everything the program was not given. The descriptors are this process's own copy.
///
/// # Safety
/// As for [`arrange`].
unsafe fn close_others(close_range: bool) {
    // SAFETY: no memory is involved.
    unsafe {
        if close_range && libc::syscall(libc::SYS_close_range, FIRST_OTHER, c_uint::MAX, 0) == 0 {
            return;
        }
        if close_listed() {
            return;
        }
        let mut limit = MaybeUninit::<libc::rlimit>::zeroed();
        libc::getrlimit(libc::RLIMIT_NOFILE, limit.as_mut_ptr());
        let max = c_int::try_from(limit.assume_init().rlim_cur).unwrap_or(1 << 20);
        for number in FIRST_OTHER..max {
            libc::close(number);
        }
    }
}

/// Closes what `/proc` lists (kernels before 5.9); false if there is no such list.
///
/// # Safety
/// As for [`arrange`].
unsafe fn close_listed() -> bool {
    const ROOM: usize = 2048;
    /// Where an entry has its length and its name.
    const LENGTH: usize = 16;
    const NAME: usize = 19;
    let mut room = [0u64; ROOM / 8];
    // SAFETY: the path is a C string, the kernel writes at most `ROOM` bytes into `room`, and a `u64`
    // may be looked at as bytes.
    unsafe {
        let folder = libc::open(
            c"/proc/self/fd".as_ptr(),
            libc::O_RDONLY | libc::O_DIRECTORY,
        );
        if folder < 0 {
            return false;
        }
        loop {
            let got = libc::syscall(libc::SYS_getdents64, folder, room.as_mut_ptr(), ROOM);
            let Ok(got @ 1..=ROOM) = usize::try_from(got) else {
                break;
            };
            let mut entries = std::slice::from_raw_parts(room.as_ptr().cast::<u8>(), got);
            while let (Some(&low), Some(&high), Some(name)) = (
                entries.get(LENGTH),
                entries.get(LENGTH + 1),
                entries.get(NAME..),
            ) {
                if let Some(number) = number_in(name)
                    && number >= FIRST_OTHER
                    && number != folder
                {
                    libc::close(number);
                }
                let Some(rest @ [_, ..]) =
                    entries.get(usize::from(u16::from_ne_bytes([low, high])).max(NAME)..)
                else {
                    break;
                };
                entries = rest;
            }
        }
        libc::close(folder);
    }
    true
}

/// The number that a file name spells, if it does.
fn number_in(name: &[u8]) -> Option<c_int> {
    let mut number: c_int = 0;
    for (index, &byte) in name.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                number = number
                    .checked_mul(10)?
                    .checked_add(c_int::from(byte - b'0'))?
            }
            0 if index > 0 => return Some(number),
            _ => return None,
        }
    }
    None
}

fn errno() -> c_int {
    // SAFETY: every thread has its `errno`.
    unsafe { *libc::__errno_location() }
}

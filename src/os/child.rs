//! Programs: started with exactly the descriptors they are given, ended with a status Erlang's way.
//!
//! A start copies no memory, whatever the size of the host: the new process borrows the host's memory
//! (`clone` with `CLONE_VM`) while the calling thread waits (`CLONE_VFORK`) for it to turn into its
//! program, which `exec.rs` does. `posix_spawn` cannot serve: Erlang has a program that cannot be run
//! end with the error number as its status, which only code in the child can arrange.
//!
//! A child is known by its pidfd, a descriptor that becomes readable when it ends. So no signal handler
//! is needed, process numbers cannot be confused, and children of others are left alone. Exit statuses
//! stay right in a host that ignores SIGCHLD or waits for any child: where the status was taken away,
//! the kernel is asked for it through the pidfd (Linux 6.15), and on older ones [`Exit::Taken`] says so.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::errno::{Errno, Result};
use super::exec::{self, GIVEN, Plan, Source};
use super::fd::{check, keep, lift};
use crate::lock::Lock;

/// What to run, and with what.
pub(crate) struct Program<'a> {
    /// The file, looked for nowhere else; relative to `directory` if there is one.
    pub(crate) path: &'a CStr,
    /// All arguments, the zeroth included.
    pub(crate) argv: &'a [CString],
    /// The whole environment, as `NAME=value`.
    pub(crate) env: &'a [CString],
    /// Where to run; nothing stays in the host's directory.
    pub(crate) directory: Option<&'a CStr>,
    /// Its descriptors 0 to 4. It has no others.
    pub(crate) descriptors: [Given<'a>; GIVEN],
}

/// What a program gets under one descriptor number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given<'a> {
    /// What the host would hand down under the same number; `/dev/null` where it has nothing, or
    /// something that closes when a program is started.
    Inherited,
    /// Nothing.
    Closed,
    /// A copy of this.
    Copy(BorrowedFd<'a>),
}

/// A program that was started and has not been seen to end.
#[derive(Debug)]
pub(crate) struct Child {
    pid: u32,
    pidfd: OwnedFd,
}

/// What a start gives.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) child: Child,
    /// Why it could not enter its directory; it ends with that number as its status.
    pub(crate) directory_error: Option<Errno>,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Its exit code, or 128 and the signal that killed it.
    Status(u8),
    /// It has ended, but somebody else in this process took the status (by ignoring SIGCHLD, or by
    /// waiting for any child), and this kernel remembers it for nobody.
    Taken,
}

/// Whether a new process can leave the descriptors it shares with us without a copy of all of them;
/// on some systems it may not.
static MAY_SHARE: AtomicBool = AtomicBool::new(true);

/// Whether valgrind runs this process: it knows no `clone` that shares descriptors, and ends who asks
/// for one.
fn under_valgrind() -> bool {
    static UNDER: OnceLock<bool> = OnceLock::new();
    *UNDER.get_or_init(|| {
        let preloaded = std::env::var_os("LD_PRELOAD").unwrap_or_default();
        preloaded.to_string_lossy().contains("vgpreload")
    })
}

/// How a new process comes to have none but its own descriptors.
#[derive(Clone, Copy)]
struct Means {
    /// It begins with the host's table, not with a copy, so that it never holds what is not its own: the
    /// other end of a pipe would seem to be open for as long.
    share: bool,
    close_range: bool,
}

/// Starts a program. What goes wrong in the new process (no such directory, not a program) is its exit
/// status, an error number; what goes wrong before (no memory, too many processes) is the error here.
pub(crate) fn start(program: &Program<'_>) -> Result<Started> {
    let share = MAY_SHARE.load(Ordering::Relaxed) && !under_valgrind();
    start_with(
        program,
        Means {
            share,
            close_range: true,
        },
    )
}

fn start_with(program: &Program<'_>, means: Means) -> Result<Started> {
    let argv = pointers(program.argv);
    let env = pointers(program.env);
    let mut plan = Plan {
        path: program.path.as_ptr(),
        argv: argv.as_ptr(),
        env: env.as_ptr(),
        directory: program.directory.map_or(ptr::null(), CStr::as_ptr),
        descriptors: program.descriptors.map(|given| match given {
            Given::Inherited => Source::Keep,
            Given::Closed => Source::Closed,
            Given::Copy(fd) => Source::Number(fd.as_raw_fd()),
        }),
        shares: means.share,
        close_range: means.close_range,
        directory_error: 0,
        stuck: false,
    };
    let stack = Stack::take()?;
    let mut pidfd: RawFd = -1;
    let mut flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
    if means.share {
        flags |= libc::CLONE_FILES;
    }
    // No handler of the host's may run in the child, and none in this thread between the two.
    let mask = exec::set_mask(u64::MAX);
    // SAFETY: the child runs `become_program` on a stack of its own, with a plan whose pointers stay
    // valid because this thread waits; the kernel writes the pidfd through the first extra argument.
    let answer = unsafe {
        let plan = (&raw mut plan).cast::<c_void>();
        check(libc::clone(
            exec::become_program,
            stack.top(),
            flags,
            plan,
            &raw mut pidfd,
        ))
    };
    exec::set_mask(mask);
    stack.keep();
    let pid = answer?.unsigned_abs();
    // SAFETY: the kernel has made this descriptor for us.
    let pidfd = keep(lift(unsafe { OwnedFd::from_raw_fd(pidfd) }));
    // SAFETY: `plan` is ours; read this way because the child has written it behind the compiler's back.
    let (directory_error, stuck) = unsafe {
        (
            (&raw const plan.directory_error).read_volatile(),
            (&raw const plan.stuck).read_volatile(),
        )
    };
    let child = Child { pid, pidfd };
    if stuck {
        // It has ended without doing anything; the next one gets a copy.
        child.wait()?;
        MAY_SHARE.store(false, Ordering::Relaxed);
        return start_with(
            program,
            Means {
                share: false,
                ..means
            },
        );
    }
    Ok(Started {
        child,
        directory_error: (directory_error != 0).then(|| Errno::new(directory_error)),
    })
}

/// Whether this process may run the file, as far as its permissions tell.
pub(crate) fn check_executable(path: &CStr) -> Result<()> {
    // SAFETY: the path is a C string.
    check(unsafe { libc::access(path.as_ptr(), libc::X_OK) }).map(drop)
}

impl Child {
    /// The process number.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, if it has; and then the process is gone from the system's table. To be asked when
    /// the descriptor is readable, until it answers.
    pub(crate) fn reap(&self) -> Result<Option<Exit>> {
        self.wait_with(libc::WNOHANG)
    }

    /// Waits until it has ended, for a thread that has nothing else to do.
    pub(crate) fn wait(&self) -> Result<()> {
        loop {
            match self.wait_with(0) {
                Ok(None) | Err(Errno::EINTR) => {}
                ended => return ended.map(drop),
            }
        }
    }

    fn wait_with(&self, flags: c_int) -> Result<Option<Exit>> {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        let id = libc::id_t::from(self.pidfd.as_raw_fd().unsigned_abs());
        // SAFETY: the structure is ours; zeroed, because nothing is written while the child runs.
        let answer = check(unsafe {
            libc::waitid(libc::P_PIDFD, id, info.as_mut_ptr(), libc::WEXITED | flags)
        });
        match answer {
            Ok(_) => {}
            Err(Errno::ECHILD) => return Ok(Some(self.ask_kernel())),
            Err(error) => return Err(error),
        }
        // SAFETY: all-zero or filled by the kernel; both have the fields of a child's signal.
        let (pid, code, status) = unsafe {
            let info = info.assume_init();
            (info.si_pid(), info.si_code, info.si_status())
        };
        Ok((pid != 0).then(|| match code {
            libc::CLD_EXITED => exit_code(status),
            _ => killed_by(status),
        }))
    }

    /// Asks for the status of a child that was reaped by somebody else. The kernel records it while it
    /// reaps, a moment after the child is seen to be nobody's: the reaping thread may lose its processor
    /// in between, hence the patience.
    fn ask_kernel(&self) -> Exit {
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut gone = false;
        loop {
            // SAFETY: all-zero is a valid structure of numbers.
            let mut info: libc::pidfd_info = unsafe { MaybeUninit::zeroed().assume_init() };
            info.mask = u64::from(libc::PIDFD_INFO_EXIT);
            // SAFETY: the kernel writes no more than the size that the request names, which is this
            // structure's.
            let answer = check(unsafe {
                libc::ioctl(self.pidfd.as_raw_fd(), libc::PIDFD_GET_INFO, &raw mut info)
            });
            match answer {
                Ok(_) if info.mask & u64::from(libc::PIDFD_INFO_EXIT) != 0 => {
                    return if libc::WIFEXITED(info.exit_code) {
                        exit_code(libc::WEXITSTATUS(info.exit_code))
                    } else {
                        killed_by(libc::WTERMSIG(info.exit_code))
                    };
                }
                Ok(_) if Instant::now() < deadline => {}
                // The kernel looks for the record first and for the child after it, and the child may
                // have left between the two; but then the record is there by now.
                Err(Errno::ESRCH) if !gone => gone = true,
                _ => return Exit::Taken,
            }
            std::thread::yield_now();
        }
    }
}

/// The pidfd, to be watched.
impl AsRawFd for Child {
    fn as_raw_fd(&self) -> RawFd {
        self.pidfd.as_raw_fd()
    }
}

fn exit_code(code: c_int) -> Exit {
    Exit::Status(u8::try_from(code & 0xff).unwrap_or(u8::MAX))
}

fn killed_by(signal: c_int) -> Exit {
    Exit::Status(u8::try_from(128 + signal).unwrap_or(u8::MAX))
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings
        .iter()
        .map(|string| string.as_ptr())
        .chain([ptr::null()])
        .collect()
}

/// Memory for the child to stand on until it has its own, with a page below that nobody may touch.
struct Stack {
    base: *mut c_void,
}

// SAFETY: plain memory, which nobody has but its owner.
unsafe impl Send for Stack {}

static SPARE_STACK: Lock<Option<Stack>> = Lock::new(None);

impl Stack {
    const SIZE: usize = 64 * 1024;
    /// At least a page, whatever size the system's pages have.
    const GUARD: usize = 64 * 1024;

    /// The one that was kept, or a new one.
    fn take() -> Result<Stack> {
        let spare = SPARE_STACK.lock().take();
        spare.map_or_else(Stack::new, Ok)
    }

    /// Keeps it for the next program, in the place of another one: to take its pages out of the tables of all
    /// processors, and to make new ones, would be a tenth of what a start takes on one processor.
    fn keep(self) {
        // Which ends without the lock.
        let other = SPARE_STACK.lock().replace(self);
        drop(other);
    }

    fn new() -> Result<Stack> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK | libc::MAP_NORESERVE;
        // SAFETY: new memory at an address of the kernel's choice; the guard is part of it.
        unsafe {
            let size = Stack::GUARD + Stack::SIZE;
            let base = libc::mmap(ptr::null_mut(), size, libc::PROT_NONE, flags, -1, 0);
            if base == libc::MAP_FAILED {
                return Err(Errno::last());
            }
            let stack = Stack { base };
            check(libc::mprotect(
                base.byte_add(Stack::GUARD),
                Stack::SIZE,
                libc::PROT_READ | libc::PROT_WRITE,
            ))?;
            Ok(stack)
        }
    }

    fn top(&self) -> *mut c_void {
        // SAFETY: one past the end of the mapping.
        unsafe { self.base.byte_add(Stack::GUARD + Stack::SIZE) }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: made in `new` with this size; the child has left it.
        unsafe { libc::munmap(self.base, Stack::GUARD + Stack::SIZE) };
    }
}

#[cfg(test)]
mod tests;

//! Descriptors: pipes, reads and writes that need not wait, writes that cannot kill.
//!
//! Functions take anything with a descriptor number, a plain number too, because descriptor ports work
//! on numbers that belong to somebody else; one that is closed answers `EBADF`. Calls that a signal
//! interrupts are made again.
//!
//! A write to a pipe nobody reads raises SIGPIPE, whose default is to end the process, and a library
//! may not change what signals do. [`write`] and [`write_vectored`] therefore ask the kernel not to
//! raise it (`RWF_NOSIGNAL`, Linux 6.18); on older kernels they write [`without_sigpipe`].

use std::ffi::c_int;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;

use super::errno::{Errno, Result};
use super::sigpipe::without_sigpipe;

/// The two ends of a new pipe. Both close when the process runs another program.
#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) reader: OwnedFd,
    pub(crate) writer: OwnedFd,
}

/// A new pipe; both ends block, because whoever is given one expects that.
pub(crate) fn pipe() -> Result<Pipe> {
    let mut ends: [c_int; 2] = [-1; 2];
    // SAFETY: the array has room for the two numbers the kernel writes.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    // SAFETY: the kernel has just made both descriptors for us.
    let [reader, writer] = ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) });
    Ok(Pipe {
        reader: lift(reader),
        writer: lift(writer),
    })
}

/// What C and Rust print to, and what a program is handed down: no descriptor of ours may be one
/// of these, also in a host that has closed them.
const FIRST_FREE: RawFd = libc::STDERR_FILENO + 1;

/// Numbers from here up to [`FIRST_KEPT`] are for what is there for a moment. A start copies the
/// table of descriptors up to the highest one that the program is given; were all the low numbers taken by what
/// many ports keep, each start would copy, and close again, everything they have.
const FIRST_BRIEF: RawFd = 16;
const FIRST_KEPT: RawFd = 64;

/// Moves a descriptor away from the numbers of the standard streams; it stays where it is if the
/// process can have no more.
pub(super) fn lift(fd: OwnedFd) -> OwnedFd {
    if fd.as_raw_fd() >= FIRST_FREE {
        return fd;
    }
    duplicate(fd.as_raw_fd()).unwrap_or(fd)
}

/// Moves a descriptor that a port keeps away from the numbers that had better be free when the next
/// program is started; it stays where it is if there are no others.
pub(crate) fn keep(fd: OwnedFd) -> OwnedFd {
    if !(FIRST_BRIEF..FIRST_KEPT).contains(&fd.as_raw_fd()) {
        return fd;
    }
    duplicate_above(fd.as_raw_fd(), FIRST_KEPT).unwrap_or(fd)
}

/// Whether reads and writes on this descriptor come back at once. The setting belongs to the open
/// file: everybody who shares it is affected.
pub(crate) fn set_nonblocking(fd: &impl AsRawFd, on: bool) -> Result<()> {
    let flags = status_flags(fd)?;
    let wanted = if on {
        flags | libc::O_NONBLOCK
    } else {
        flags & !libc::O_NONBLOCK
    };
    if wanted == flags {
        return Ok(());
    }
    // SAFETY: no memory is involved.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, wanted) }).map(drop)
}

/// A second descriptor of what a number stands for; closed in programs that are started.
pub(crate) fn duplicate(number: RawFd) -> Result<OwnedFd> {
    duplicate_above(number, FIRST_FREE)
}

/// The same; it gets a number that is not below `least`.
fn duplicate_above(number: RawFd, least: RawFd) -> Result<OwnedFd> {
    // SAFETY: no memory is involved.
    let copy = check(unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, least) })?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// How many descriptors this process may have: every number is below it.
pub(crate) fn descriptors_max() -> u64 {
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: the kernel fills the structure when it answers 0.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, limit.as_mut_ptr()) } != 0 {
        return 0;
    }
    // SAFETY: filled, as the answer said.
    unsafe { limit.assume_init() }.rlim_cur
}

/// Reads what is there, as far as the buffer goes, and answers how much that was; 0 is the end of
/// the file.
pub(crate) fn read_into(fd: &impl AsRawFd, into: &mut [u8]) -> Result<usize> {
    // SAFETY: the kernel writes at most the buffer's length into the buffer.
    unsafe { read(fd, into.as_mut_ptr(), into.len()) }
}

/// Reads like [`read_into`], but never waits, even where the descriptor is one that does: `EAGAIN`
/// says that there is nothing.
pub(crate) fn read_now(fd: &impl AsRawFd, into: &mut [u8]) -> Result<usize> {
    // SAFETY: as in `read_into`.
    unsafe { read_at_once(fd, into.as_mut_ptr(), into.len()) }
}

/// Reads like [`read_into`], or like [`read_now`] if it may not wait, to memory that nobody has written
/// to before; gives the part that is filled now.
pub(crate) fn read_to<'m>(
    fd: &impl AsRawFd,
    room: &'m mut [MaybeUninit<u8>],
    wait: Wait,
) -> Result<&'m mut [u8]> {
    let (start, len) = (room.as_mut_ptr().cast::<u8>(), room.len());
    // SAFETY: as in `read_into`; that it was not written to is no matter to the kernel.
    let got = unsafe {
        match wait {
            Wait::AsSet => read(fd, start, len),
            Wait::Never => read_at_once(fd, start, len),
        }
    }?;
    // SAFETY: the kernel has filled that many bytes, and nobody else has them.
    Ok(unsafe { std::slice::from_raw_parts_mut(start, got.min(len)) })
}

/// Reads like [`read_to`], once, to several rooms one after the other; waits as the descriptor is set.
pub(crate) fn read_to_row<'m, const N: usize>(
    fd: &impl AsRawFd,
    rooms: [&'m mut [MaybeUninit<u8>]; N],
) -> Result<[&'m mut [u8]; N]> {
    let rooms = rooms.map(|room| libc::iovec {
        iov_base: room.as_mut_ptr().cast(),
        iov_len: room.len(),
    });
    let count = c_int::try_from(N).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the rooms are there and nobody else has them; as in `read_to` for what is in them.
    let mut left = retry(|| unsafe { libc::readv(fd.as_raw_fd(), rooms.as_ptr(), count) })?;
    Ok(rooms.map(|room| {
        let filled = room.iov_len.min(left);
        left -= filled;
        // SAFETY: the kernel has filled that many bytes of a room that is borrowed for as long as they are.
        unsafe { std::slice::from_raw_parts_mut(room.iov_base.cast(), filled) }
    }))
}

/// Whether a read may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// As the descriptor is set.
    AsSet,
    Never,
}

/// # Safety
/// There are `len` bytes to write to.
unsafe fn read(fd: &impl AsRawFd, start: *mut u8, len: usize) -> Result<usize> {
    // SAFETY: the caller's promise.
    retry(|| unsafe { libc::read(fd.as_raw_fd(), start.cast(), len) })
}

/// # Safety
/// There are `len` bytes to write to.
unsafe fn read_at_once(fd: &impl AsRawFd, start: *mut u8, len: usize) -> Result<usize> {
    let room = libc::iovec {
        iov_base: start.cast(),
        iov_len: len,
    };
    let number = fd.as_raw_fd();
    // SAFETY: the caller's promise.
    let answer =
        retry(|| unsafe { libc::preadv2(number, &raw const room, 1, HERE, libc::RWF_NOWAIT) });
    match answer {
        // Terminals and the like cannot be read so; then a look first has to do.
        Err(Errno::EOPNOTSUPP | Errno::ENOSYS | Errno::EINVAL) => {
            match is_ready(fd, libc::POLLIN) {
                // SAFETY: the caller's promise.
                true => unsafe { read(fd, start, len) },
                false => Err(Errno::EAGAIN),
            }
        }
        answer => answer,
    }
}

/// Makes a pipe hold as many bytes, or more; `EPERM` where the system allows this user no more.
pub(crate) fn grow_pipe(fd: &impl AsRawFd, bytes: usize) -> Result<()> {
    let bytes = c_int::try_from(bytes).map_err(|_| Errno::EINVAL)?;
    // SAFETY: no memory is involved.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETPIPE_SZ, bytes) }).map(drop)
}

/// How much memory for pipes the system gives one user before it becomes sparing.
pub(crate) fn pipe_bytes_of_user() -> usize {
    const PAGE_BYTES: usize = 4096;
    /// What the kernel says by itself, and the answer where it sets no limit.
    const PAGES: usize = 16_384;
    let text = std::fs::read_to_string("/proc/sys/fs/pipe-user-pages-soft");
    let pages = text.ok().and_then(|text| text.trim().parse().ok());
    pages
        .filter(|&pages: &usize| pages > 0)
        .unwrap_or(PAGES)
        .saturating_mul(PAGE_BYTES)
}

/// Writes what the other side takes now and answers how much that was. No SIGPIPE.
pub(crate) fn write(fd: &impl AsRawFd, bytes: &[u8]) -> Result<usize> {
    write_vectored(fd, &[IoSlice::new(bytes)])
}

/// Writes several pieces as one; see [`write`]. Pieces beyond what the kernel takes at once are left.
pub(crate) fn write_vectored(fd: &impl AsRawFd, pieces: &[IoSlice<'_>]) -> Result<usize> {
    if can_be_silent() {
        let answer = retry(|| write_with(fd, pieces, RWF_NOSIGNAL));
        // Some kinds of file take no flags at all; they may still be pipes of a sort.
        if answer != Err(Errno::EOPNOTSUPP) {
            return answer;
        }
    }
    without_sigpipe(|| retry(|| plain_write(fd, pieces)))
}

/// Writes like [`write_vectored`], but never waits, even where the descriptor is one that does.
/// `EAGAIN` says that nothing is taken now, `EOPNOTSUPP` that this descriptor cannot be written so.
pub(crate) fn write_now(fd: &impl AsRawFd, pieces: &[IoSlice<'_>]) -> Result<usize> {
    if can_be_silent() {
        return retry(|| write_with(fd, pieces, libc::RWF_NOWAIT | RWF_NOSIGNAL));
    }
    let answer = without_sigpipe(|| retry(|| write_with(fd, pieces, libc::RWF_NOWAIT)));
    answer.map_err(|error| {
        if error == Errno::ENOSYS {
            Errno::EOPNOTSUPP
        } else {
            error
        }
    })
}

/// Tells the host's standard error something, if it can be told without waiting.
pub(crate) fn complain(text: &[u8]) {
    /// What a pipe that has any room at all takes at once.
    const ROOM_MIN: usize = 4096;
    if is_ready(&libc::STDERR_FILENO, libc::POLLOUT) {
        // Nobody is left to be told that this failed.
        let _ = write(&libc::STDERR_FILENO, &text[..text.len().min(ROOM_MIN)]);
    }
}

fn is_ready(fd: &impl AsRawFd, wanted: libc::c_short) -> bool {
    // An end or an error is something that a read can tell at once.
    look(fd, wanted) & (wanted | libc::POLLHUP | libc::POLLERR) != 0
}

/// What there is to say about a descriptor at this moment.
fn look(fd: &impl AsRawFd, wanted: libc::c_short) -> libc::c_short {
    let mut look = libc::pollfd {
        fd: fd.as_raw_fd(),
        events: wanted,
        revents: 0,
    };
    // SAFETY: one structure, ours, and no waiting.
    match unsafe { libc::poll(&raw mut look, 1, 0) } {
        1 => look.revents,
        _ => 0,
    }
}

/// Whether a descriptor could be read, or written, at this moment, and nothing else is to be said
/// about it: no end, no error, no closed number.
pub(crate) fn plainly_ready(fd: &impl AsRawFd, read: bool, write: bool) -> Ready {
    let readable = if read { libc::POLLIN } else { 0 };
    let writable = if write { libc::POLLOUT } else { 0 };
    let seen = look(fd, readable | writable);
    let plain = seen & !(readable | writable) == 0;
    Ready {
        readable: plain && seen & readable != 0,
        writable: plain && seen & writable != 0,
    }
}

/// See [`plainly_ready`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// The kernel takes no more pieces at once.
const PIECES_MAX: usize = 1024;

fn vector(pieces: &[IoSlice<'_>]) -> (*const libc::iovec, c_int) {
    let taken = pieces.len().min(PIECES_MAX);
    // `IoSlice` promises the layout of an `iovec`.
    (
        pieces.as_ptr().cast(),
        c_int::try_from(taken).unwrap_or(c_int::MAX),
    )
}

fn plain_write(fd: &impl AsRawFd, pieces: &[IoSlice<'_>]) -> isize {
    let (first, number) = vector(pieces);
    // SAFETY: the pieces are readable for as long as they are borrowed here.
    unsafe { libc::writev(fd.as_raw_fd(), first, number) }
}

/// Not in the C library's headers yet.
const RWF_NOSIGNAL: c_int = 0x100;
/// Read or write where the file stands, as `read` and `write` do.
const HERE: libc::off_t = -1;

fn write_with(fd: &impl AsRawFd, pieces: &[IoSlice<'_>], flags: c_int) -> isize {
    let (first, number) = vector(pieces);
    // SAFETY: the pieces are readable for as long as they are borrowed here.
    unsafe { libc::pwritev2(fd.as_raw_fd(), first, number, HERE, flags) }
}

/// Whether the kernel knows writes without SIGPIPE: asked once, with a pipe that has a reader.
fn can_be_silent() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    if let Some(known) = ANSWER.get() {
        return *known;
    }
    // Without a descriptor to spare the question stays open.
    let Ok(probe) = pipe() else { return false };
    *ANSWER.get_or_init(|| write_with(&probe.writer, &[IoSlice::new(b"?")], RWF_NOSIGNAL) == 1)
}

fn status_flags(fd: &impl AsRawFd) -> Result<c_int> {
    // SAFETY: no memory is involved.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) })
}

/// The C convention for calls that give a small number: -1 is a failure.
pub(super) fn check(answer: c_int) -> Result<c_int> {
    if answer < 0 {
        Err(Errno::last())
    } else {
        Ok(answer)
    }
}

/// Makes a call again as long as signals interrupt it.
fn retry(mut call: impl FnMut() -> isize) -> Result<usize> {
    loop {
        match usize::try_from(call()) {
            Ok(number) => return Ok(number),
            Err(_) => match Errno::last() {
                Errno::EINTR => {}
                error => return Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sigpipe;
    use super::*;
    use std::ptr;

    #[test]
    fn bytes_go_through_a_pipe_in_pieces() {
        let pipe = pipe().unwrap();
        let pieces = [IoSlice::new(b"he"), IoSlice::new(b""), IoSlice::new(b"llo")];
        assert_eq!(write_vectored(&pipe.writer, &pieces), Ok(5));
        let mut got = [0; 4];
        assert_eq!(read_into(&pipe.reader, &mut got), Ok(4));
        assert_eq!(&got, b"hell");
        assert_eq!(read_into(&pipe.reader, &mut got), Ok(1));
        assert_eq!(&got, b"oell");
        drop(pipe.writer);
        assert_eq!(read_into(&pipe.reader, &mut got), Ok(0));
    }

    #[test]
    fn a_row_of_rooms_is_filled_from_its_front() {
        let pipe = pipe().unwrap();
        set_nonblocking(&pipe.reader, true).unwrap();
        let read = || {
            let mut rooms = [[MaybeUninit::uninit(); 4]; 3];
            let rooms = rooms.each_mut().map(|room| &mut room[..]);
            read_to_row(&pipe.reader, rooms).map(|filled| filled.map(|part| part.to_vec()))
        };
        assert_eq!(read(), Err(Errno::EAGAIN));
        for (bytes, parts) in [
            ("hello", ["hell", "o", ""]),
            ("hello, world", ["hell", "o, w", "orld"]),
        ] {
            assert_eq!(write(&pipe.writer, bytes.as_bytes()), Ok(bytes.len()));
            assert_eq!(read(), Ok(parts.map(|part| part.as_bytes().to_vec())));
        }
    }

    #[test]
    fn what_is_kept_leaves_low_numbers_to_what_is_brief() {
        let (mut kept, mut brief) = (Vec::new(), Vec::new());
        for _ in 0..FIRST_KEPT {
            let pipe = pipe().unwrap();
            kept.push(keep(pipe.writer));
            brief.push(pipe.reader);
        }
        for end in &kept {
            assert!(!(FIRST_BRIEF..FIRST_KEPT).contains(&end.as_raw_fd()));
        }
        // What is moved is the same as before.
        let last = brief.pop().unwrap();
        assert_eq!(write(kept.last().unwrap(), b"x"), Ok(1));
        assert_eq!(read_into(&last, &mut [0; 2]), Ok(1));
        drop(kept);
        assert_eq!(read_into(&last, &mut [0; 2]), Ok(0));
    }

    #[test]
    fn more_pieces_than_the_kernel_takes_are_left() {
        let pipe = pipe().unwrap();
        let pieces = vec![IoSlice::new(b"x"); PIECES_MAX + 5];
        assert_eq!(write_vectored(&pipe.writer, &pieces), Ok(PIECES_MAX));
    }

    #[test]
    fn a_full_pipe_says_so_when_asked_not_to_block() {
        let pipe = pipe().unwrap();
        set_nonblocking(&pipe.writer, true).unwrap();
        let taken = write(&pipe.writer, &vec![0; 10_000_000]).unwrap();
        assert!((4096..10_000_000).contains(&taken));
        assert_eq!(write(&pipe.writer, b"x"), Err(Errno::EAGAIN));
        assert_eq!(read_into(&pipe.reader, &mut [0; 4096]), Ok(4096));
        set_nonblocking(&pipe.writer, false).unwrap();
        assert_eq!(write(&pipe.writer, b"x"), Ok(1));
    }

    #[test]
    fn a_pipe_that_blocks_is_not_waited_for() {
        let pipe = pipe().unwrap();
        let mut buffer = [0; 16];
        assert_eq!(read_now(&pipe.reader, &mut buffer), Err(Errno::EAGAIN));
        let page = [7; 4096];
        let pieces = [IoSlice::new(&page), IoSlice::new(&page)];
        let mut written = 0;
        let full = loop {
            match write_now(&pipe.writer, &pieces) {
                Ok(more) => written += more,
                Err(error) => break error,
            }
        };
        // Kernels that cannot do it say so, and never wait.
        assert!(matches!(full, Errno::EAGAIN | Errno::EOPNOTSUPP), "{full}");
        write(&pipe.writer, b"").unwrap();
        if written > 0 {
            assert_eq!(read_now(&pipe.reader, &mut buffer), Ok(16));
            assert_eq!(buffer, [7; 16]);
        }
        drop(pipe.reader);
        // A program that another test is just starting may hold a copy of the reader until it runs.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while write_now(&pipe.writer, &pieces) == Err(Errno::EAGAIN) {
            assert!(std::time::Instant::now() < deadline, "the reader is gone");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_closed_number_is_ebadf() {
        let number = pipe().unwrap().reader.as_raw_fd() + 1_000_000;
        assert_eq!(write(&number, b"x"), Err(Errno::EBADF));
        assert_eq!(read_into(&number, &mut [0]), Err(Errno::EBADF));
        assert_eq!(read_now(&number, &mut [0]), Err(Errno::EBADF));
        assert_eq!(set_nonblocking(&number, true), Err(Errno::EBADF));
        assert!(descriptors_max() > 3);
    }

    /// In a process of its own: what signals do belongs to the whole process, and the loser dies.
    #[test]
    fn a_pipe_without_reader_kills_nobody() {
        // Asked here, not in the child: a fork can come in the middle of another test's asking.
        can_be_silent();
        // SAFETY: only calls that are allowed between fork and exit; the parent waits below.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: this process has one thread and ends here.
            unsafe {
                libc::signal(libc::SIGPIPE, libc::SIG_DFL);
                libc::_exit(write_to_nobody());
            }
        }
        let mut status = 0;
        // SAFETY: waits for the child above, once.
        unsafe { libc::waitpid(child, &raw mut status, 0) };
        assert!(
            libc::WIFEXITED(status),
            "killed by signal {}",
            libc::WTERMSIG(status)
        );
        assert_eq!(libc::WEXITSTATUS(status), 0);
    }

    /// Every way to write, with SIGPIPE deadly: 0 if all went well, else which one did not.
    fn write_to_nobody() -> i32 {
        let Ok(Pipe { reader, writer }) = pipe() else {
            return 1;
        };
        drop(reader);
        if write(&writer, b"x") != Err(Errno::EPIPE) {
            return 2;
        }
        let plain = || without_sigpipe(|| retry(|| plain_write(&writer, &[IoSlice::new(b"x")])));
        if plain() != Err(Errno::EPIPE) || sigpipe::is_pending() {
            return 3;
        }
        // A signal that was pending before stays.
        let sigpipe = sigpipe::set();
        // SAFETY: the set is ours; the signal goes to this thread, which blocks it.
        unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const sigpipe, ptr::null_mut());
            libc::raise(libc::SIGPIPE);
        }
        if plain() != Err(Errno::EPIPE) || !sigpipe::is_pending() {
            return 4;
        }
        0
    }
}

//! The kernel's selector: which of many descriptors are ready.
//!
//! One [`Poller`] may be used by any number of threads at once: each event goes to one of those who
//! wait. Tokens, not pointers, go to the kernel; what a token means, and whether it still means
//! anything when its event arrives, is the caller's to know.
//!
//! Some descriptors cannot be watched, and the caller decides what that means: a regular file is
//! always ready and answers `EPERM`, a number that is not open answers `EBADF`. A descriptor leaves
//! by itself when the last copy of it is closed, so copies held elsewhere keep it in.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::alarm::{Alarm, timespec};
use super::errno::{Errno, Result};
use super::fd::{check, lift};

/// The kernel's selector; closed when dropped.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
    /// A counter that makes one waiting thread come back.
    wake: OwnedFd,
    /// A timer that does the same, with the precision the waiting call itself does not have.
    alarm: Alarm,
}

/// What to look out for, and how often to say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interest {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) mode: Mode,
}

/// How often a ready descriptor is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// When something new has happened: read or write until `EAGAIN` before waiting for the next.
    Edge,
    /// Once; then not before [`Poller::modify`] asks again.
    OneShot,
    /// In every wait, as long as it is ready.
    Level,
}

/// A descriptor that is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) token: u64,
    /// Reading will not block: there are bytes, or the end of the file, or an error.
    pub(crate) readable: bool,
    /// Writing will not block: there is room, or an error.
    pub(crate) writable: bool,
    /// The other side is gone. Bytes may still be left to read.
    pub(crate) hangup: bool,
}

/// Room for the events of one wait; made once and used again.
pub(crate) struct Events {
    room: Vec<libc::epoll_event>,
}

/// Tokens that a caller may not use.
const WAKE: u64 = u64::MAX;
const ALARM: u64 = u64::MAX - 1;

impl Poller {
    /// A selector that watches nothing yet.
    pub(crate) fn new() -> Result<Poller> {
        // SAFETY: no memory is involved in either; each answers a new descriptor.
        let (epoll, wake) = unsafe {
            (
                own(libc::epoll_create1(libc::EPOLL_CLOEXEC))?,
                own(libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK))?,
            )
        };
        let alarm = Alarm::for_selector()?;
        let poller = Poller { epoll, wake, alarm };
        // By edge, so that each wake reaches one thread and nobody has to read the counter back.
        let edge = Interest {
            readable: true,
            writable: false,
            mode: Mode::Edge,
        };
        poller.control(libc::EPOLL_CTL_ADD, &poller.wake, WAKE, edge)?;
        poller.control(libc::EPOLL_CTL_ADD, &poller.alarm, ALARM, edge)?;
        Ok(poller)
    }

    /// Watches a descriptor from now on. What is ready already is reported too.
    pub(crate) fn add(&self, fd: &impl AsRawFd, token: u64, interest: Interest) -> Result<()> {
        debug_assert!(token < ALARM, "a token the poller keeps for itself");
        self.control(libc::EPOLL_CTL_ADD, fd, token, interest)
    }

    /// Changes what to look out for. What is ready already is reported again.
    pub(crate) fn modify(&self, fd: &impl AsRawFd, token: u64, interest: Interest) -> Result<()> {
        debug_assert!(token < ALARM, "a token the poller keeps for itself");
        self.control(libc::EPOLL_CTL_MOD, fd, token, interest)
    }

    /// Stops to watch. An event that a thread has fetched before may still be on its way.
    pub(crate) fn remove(&self, fd: &impl AsRawFd) -> Result<()> {
        let nothing = Interest {
            readable: false,
            writable: false,
            mode: Mode::Level,
        };
        self.control(libc::EPOLL_CTL_DEL, fd, 0, nothing)
    }

    /// Waits for events until the deadline, if there is one. Comes back without any when the deadline
    /// has passed, and also after [`Poller::wake`] or an alarm. The deadline is as precise as
    /// the thread's timer slack (50 µs unless somebody changed it), and never early.
    pub(crate) fn wait(&self, events: &mut Events, deadline: Option<Instant>) -> Result<()> {
        events.room.clear();
        let number = loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match self.wait_kernel(events, left) {
                Ok(number) => break number,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        };
        // SAFETY: the kernel has filled that many events.
        unsafe { events.room.set_len(number) };
        Ok(())
    }

    /// What is ready at this moment; nothing also when the look has failed.
    pub(crate) fn look(&self, events: &mut Events) {
        events.room.clear();
        let number = self.wait_kernel(events, Some(Duration::ZERO)).unwrap_or(0);
        // SAFETY: the kernel has filled that many events.
        unsafe { events.room.set_len(number) };
    }

    /// Makes one waiting thread come back; if none waits, the next one does at once.
    pub(crate) fn wake(&self) {
        let one = 1u64.to_ne_bytes();
        // SAFETY: eight readable bytes. It can only fail when the counter is full, which wakes as well.
        unsafe { libc::write(self.wake.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Makes one waiting thread come back at this time, to within what the clock can do; replaces the
    /// alarm before, and `None` switches it off.
    pub(crate) fn set_alarm(&self, at: Option<Instant>) -> Result<()> {
        self.alarm
            .set(at.map(|at| at.saturating_duration_since(Instant::now())))
    }

    fn control(
        &self,
        what: c_int,
        fd: &impl AsRawFd,
        token: u64,
        interest: Interest,
    ) -> Result<()> {
        let mut event = libc::epoll_event {
            events: interest.bits(),
            u64: token,
        };
        // SAFETY: the structure is ours; the kernel only reads it.
        check(unsafe {
            libc::epoll_ctl(self.epoll.as_raw_fd(), what, fd.as_raw_fd(), &raw mut event)
        })
        .map(drop)
    }

    fn wait_kernel(&self, events: &mut Events, left: Option<Duration>) -> Result<usize> {
        /// Set when the kernel turns out to be too old (before 5.11) for waits in nanoseconds.
        static MILLISECONDS_ONLY: AtomicBool = AtomicBool::new(false);
        let epoll = self.epoll.as_raw_fd();
        let (room, max) = events.room_for_kernel();
        if !MILLISECONDS_ONLY.load(Ordering::Relaxed) {
            let timeout = left.map(timespec);
            let pointer = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
            // SAFETY: `room` has place for `max` events, the time is ours or absent, no signal mask.
            let answer = unsafe {
                libc::syscall(
                    libc::SYS_epoll_pwait2,
                    epoll,
                    room,
                    max,
                    pointer,
                    ptr::null::<libc::sigset_t>(),
                    0usize,
                )
            };
            match usize::try_from(answer) {
                Ok(number) => return Ok(number),
                Err(_) if Errno::last() != Errno::ENOSYS => return Err(Errno::last()),
                Err(_) => MILLISECONDS_ONLY.store(true, Ordering::Relaxed),
            }
        }
        // SAFETY: as above.
        let answer = unsafe { libc::epoll_wait(epoll, room, max, left.map_or(-1, milliseconds)) };
        check(answer).map(|number| usize::try_from(number).unwrap_or(0))
    }
}

impl Interest {
    fn bits(self) -> u32 {
        let mode = match self.mode {
            Mode::Edge => libc::EPOLLET,
            Mode::OneShot => libc::EPOLLONESHOT,
            Mode::Level => 0,
        };
        let readable = if self.readable {
            libc::EPOLLIN | libc::EPOLLRDHUP
        } else {
            0
        };
        let writable = if self.writable { libc::EPOLLOUT } else { 0 };
        (mode | readable | writable).cast_unsigned()
    }
}

impl Events {
    /// Room for so many events at a time (at least one).
    pub(crate) fn with_capacity(number: usize) -> Events {
        Events {
            room: Vec::with_capacity(number.max(1)),
        }
    }

    /// What the last wait found.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Event> + '_ {
        self.room
            .iter()
            .filter(|event| event.u64 < ALARM)
            .map(|event| {
                let has = |bits: c_int| event.events & bits.cast_unsigned() != 0;
                Event {
                    token: event.u64,
                    readable: has(libc::EPOLLIN
                        | libc::EPOLLRDHUP
                        | libc::EPOLLHUP
                        | libc::EPOLLERR),
                    writable: has(libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR),
                    hangup: has(libc::EPOLLHUP | libc::EPOLLERR),
                }
            })
    }

    /// Whether the last wait found nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.room.is_empty()
    }

    /// Whether the last wait came back because of the alarm.
    pub(crate) fn has_alarm(&self) -> bool {
        self.room.iter().any(|event| event.u64 == ALARM)
    }

    fn room_for_kernel(&mut self) -> (*mut libc::epoll_event, c_int) {
        let max = c_int::try_from(self.room.capacity()).unwrap_or(c_int::MAX);
        (self.room.as_mut_ptr(), max)
    }
}

fn own(answer: c_int) -> Result<OwnedFd> {
    let number = check(answer)?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(lift(unsafe { OwnedFd::from_raw_fd(number) }))
}

/// Rounded up: coming back early would make the caller spin.
fn milliseconds(span: Duration) -> c_int {
    c_int::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::fd::{self, pipe};
    use super::*;
    use std::sync::{Arc, mpsc};

    const READ_EDGE: Interest = Interest {
        readable: true,
        writable: false,
        mode: Mode::Edge,
    };

    fn now() -> Option<Instant> {
        Some(Instant::now())
    }

    fn soon() -> Option<Instant> {
        Some(Instant::now() + Duration::from_secs(10))
    }

    fn tokens(poller: &Poller, deadline: Option<Instant>) -> Vec<u64> {
        let mut events = Events::with_capacity(8);
        poller.wait(&mut events, deadline).unwrap();
        events.iter().map(|event| event.token).collect()
    }

    #[test]
    fn an_edge_is_told_once_and_a_level_every_time() {
        let (poller, edge, level) = (Poller::new().unwrap(), pipe().unwrap(), pipe().unwrap());
        poller.add(&edge.reader, 1, READ_EDGE).unwrap();
        poller
            .add(
                &level.reader,
                2,
                Interest {
                    mode: Mode::Level,
                    ..READ_EDGE
                },
            )
            .unwrap();
        assert_eq!(tokens(&poller, now()), []);
        fd::write(&edge.writer, b"x").unwrap();
        assert_eq!(tokens(&poller, soon()), [1]);
        fd::write(&level.writer, b"x").unwrap();
        assert_eq!(tokens(&poller, soon()), [2]);
        assert_eq!(tokens(&poller, now()), [2]);
        fd::write(&edge.writer, b"x").unwrap();
        assert_eq!(tokens(&poller, now()).len(), 2);
        poller.remove(&level.reader).unwrap();
        assert_eq!(tokens(&poller, now()), []);
    }

    #[test]
    fn a_one_shot_speaks_again_when_asked_again() {
        let (poller, pipe) = (Poller::new().unwrap(), pipe().unwrap());
        let once = Interest {
            readable: false,
            writable: true,
            mode: Mode::OneShot,
        };
        poller.add(&pipe.writer, 7, once).unwrap();
        assert_eq!(tokens(&poller, soon()), [7]);
        assert_eq!(tokens(&poller, now()), []);
        poller.modify(&pipe.writer, 7, once).unwrap();
        assert_eq!(tokens(&poller, soon()), [7]);
    }

    #[test]
    fn the_end_of_the_other_side_is_seen() {
        let (poller, pipe) = (Poller::new().unwrap(), pipe().unwrap());
        poller.add(&pipe.reader, 3, READ_EDGE).unwrap();
        drop(pipe.writer);
        let mut events = Events::with_capacity(8);
        poller.wait(&mut events, soon()).unwrap();
        let seen: Vec<Event> = events.iter().collect();
        assert_eq!(
            seen,
            [Event {
                token: 3,
                readable: true,
                writable: true,
                hangup: true
            }]
        );
    }

    #[test]
    fn what_cannot_be_watched_says_why() {
        let poller = Poller::new().unwrap();
        let file = std::fs::File::open("/etc/passwd").unwrap();
        assert_eq!(poller.add(&file, 1, READ_EDGE), Err(Errno::EPERM));
        let closed = file.as_raw_fd() + 1_000_000;
        assert_eq!(poller.add(&closed, 1, READ_EDGE), Err(Errno::EBADF));
        assert_eq!(poller.remove(&closed), Err(Errno::EBADF));
        assert_eq!(
            poller.modify(&pipe().unwrap().reader, 1, READ_EDGE),
            Err(Errno::new(libc::ENOENT))
        );
    }

    #[test]
    fn each_wake_brings_back_one_of_several_threads() {
        let poller = Arc::new(Poller::new().unwrap());
        let (back, came_back) = mpsc::channel();
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (poller, back) = (Arc::clone(&poller), back.clone());
                std::thread::spawn(move || {
                    let deadline = soon();
                    assert_eq!(tokens(&poller, deadline), []);
                    back.send(Instant::now() < deadline.unwrap()).unwrap();
                })
            })
            .collect();
        for _ in 0..3 {
            poller.wake();
            assert!(came_back.recv_timeout(Duration::from_secs(10)).unwrap());
        }
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        // A wake without anybody waiting is kept, once.
        poller.wake();
        poller.wake();
        let start = Instant::now();
        tokens(&poller, soon());
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn deadlines_and_alarms_are_never_early() {
        let poller = Poller::new().unwrap();
        for span in [0, 1, 300, 5_000].map(Duration::from_micros) {
            let deadline = Instant::now() + span;
            assert_eq!(tokens(&poller, Some(deadline)), []);
            let now = Instant::now();
            assert!(now >= deadline, "{span:?} early by {:?}", deadline - now);
            let at = Instant::now() + span;
            poller.set_alarm(Some(at)).unwrap();
            assert_eq!(tokens(&poller, soon()), []);
            assert!(Instant::now() >= at && at.elapsed() < Duration::from_secs(5));
        }
        let at = Instant::now() + Duration::from_millis(20);
        poller.set_alarm(Some(at)).unwrap();
        poller.set_alarm(None).unwrap();
        // On a machine that let us wait for so long it may have gone off before.
        if Instant::now() < at {
            let deadline = at + Duration::from_millis(5);
            tokens(&poller, Some(deadline));
            assert!(Instant::now() >= deadline);
        }
        assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
    }
}

//! When the thread of our own stays away from the kernel's events.
//!
//! A thread that waits for messages handles events itself while it waits, then uses what has come, and is
//! back some microseconds later. Events that come meanwhile had better wait for it: another thread that
//! was woken for each would take time from both, and bring it messages one by one. So the thread of
//! our own stands by where another one has been back soon several times in a row: it sleeps at an alarm that
//! the other puts off, and takes over when that rings, [`GRACE`] after the other was last seen. From
//! then on the other must show again that it can be relied upon.
#![forbid(unsafe_code)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use crate::os::alarm::Alarm;
use crate::os::clock;

/// How long events wait at most for a thread that stays away for once.
const GRACE: Duration = Duration::from_nanos(GRACE_NS.unsigned_abs());
const GRACE_NS: i64 = 250_000;
/// Who is back in that time was back soon.
const SOON_NS: i64 = GRACE_NS / 2;
/// So many times in a row make it reliable.
const TIMES: u32 = 16;

/// See the module's text. The thread that pumps is called the regular one.
pub(super) struct Standby {
    alarm: OnceLock<Option<Alarm>>,
    /// The thread of our own stands by.
    is_here: AtomicBool,
    /// The alarm will ring, so far as the regular thread knows.
    is_set: AtomicBool,
    /// When it was set last.
    set_at_ns: AtomicI64,
    /// When the regular thread left.
    left_at_ns: AtomicI64,
    /// How often in a row it was back soon.
    times: AtomicU32,
}

impl Standby {
    pub(super) fn new() -> Standby {
        Standby {
            alarm: OnceLock::new(),
            is_here: AtomicBool::new(false),
            is_set: AtomicBool::new(false),
            set_at_ns: AtomicI64::new(0),
            left_at_ns: AtomicI64::new(i64::MIN),
            times: AtomicU32::new(0),
        }
    }

    /// The regular thread is back.
    pub(super) fn came(&self) {
        let now_ns = clock::monotonic_ns();
        let times = match self.was_here(now_ns, SOON_NS) {
            true => self.times.load(Ordering::Relaxed).saturating_add(1),
            false => 0,
        };
        self.times.store(times, Ordering::Relaxed);
    }

    /// It goes.
    pub(super) fn goes(&self) {
        let now_ns = clock::monotonic_ns();
        self.left_at_ns.store(now_ns, Ordering::Relaxed);
        self.seen_at(now_ns);
    }

    /// It has come out of the kernel.
    #[inline]
    pub(super) fn seen(&self) {
        if self.is_here.load(Ordering::Relaxed) {
            self.seen_at(clock::monotonic_ns());
        }
    }

    /// Puts the alarm off; not each time, as it is a system call.
    fn seen_at(&self, now_ns: i64) {
        if !self.is_here.load(Ordering::SeqCst) {
            return;
        }
        let recent = now_ns - self.set_at_ns.load(Ordering::Relaxed) < SOON_NS;
        if !(recent && self.is_set.load(Ordering::SeqCst)) {
            self.set(now_ns);
        }
    }

    fn set(&self, now_ns: i64) -> bool {
        let Some(alarm) = self.alarm() else {
            return false;
        };
        self.set_at_ns.store(now_ns, Ordering::Relaxed);
        self.is_set.store(true, Ordering::SeqCst);
        alarm.set(Some(GRACE)).is_ok()
    }

    fn alarm(&self) -> Option<&Alarm> {
        self.alarm.get_or_init(|| Alarm::for_thread().ok()).as_ref()
    }

    fn was_here(&self, now_ns: i64, span_ns: i64) -> bool {
        now_ns.saturating_sub(self.left_at_ns.load(Ordering::Relaxed)) < span_ns
    }

    /// For the thread of our own: stands by, if that is wanted now, until it is needed. `pumps` tells whether
    /// there is a regular thread, `sleeps` whether it sleeps in the kernel, where it has each event.
    pub(super) fn stand_by(
        &self,
        pumps: impl Fn() -> bool,
        sleeps: impl Fn() -> bool,
        stopped: impl Fn() -> bool,
    ) {
        let now_ns = clock::monotonic_ns();
        if self.times.load(Ordering::Relaxed) < TIMES
            || !(pumps() || self.was_here(now_ns, GRACE_NS))
            || self.alarm().is_none()
        {
            return;
        }
        self.is_here.store(true, Ordering::SeqCst);
        let mut set = self.set(now_ns);
        while set && !stopped() {
            set = self.alarm().is_some_and(|alarm| alarm.wait().is_ok());
            // It sets the alarm again when it comes out of the kernel: it looks at this after it has
            // said that it is out, and here it is the other way round.
            self.is_set.store(false, Ordering::SeqCst);
            if !sleeps() {
                break;
            }
        }
        self.times.store(0, Ordering::Relaxed);
        self.is_here.store(false, Ordering::SeqCst);
    }

    /// Whether the thread of our own stands by.
    #[inline]
    pub(super) fn is_here(&self) -> bool {
        self.is_here.load(Ordering::Relaxed)
    }

    /// Ends a standing by, after what `stopped` tells has been set.
    pub(super) fn stop(&self) {
        if let Some(Some(alarm)) = self.alarm.get() {
            let _ = alarm.set(Some(Duration::ZERO));
        }
    }
}

//! When a port is busy: high and low water for its output queue and for the commands that
//! wait for its turn, and the driver's own word.
//!
//! Relies on nothing and suspends nobody: it is told sizes and gives answers. [`Flow`] belongs
//! to whoever is on the port's turn; [`Backlog`] is counted by senders that are not, so it
//! takes no lock.
//!
//! What it promises: [`Flow`] reports a [`Change`] exactly when its answer differs from before,
//! so `Busy` and `Ready` alternate. A [`Backlog`] below its low mark is never busy, however
//! the threads that count meet.
//!
//! The output queue makes a port busy when it *reaches* the high mark, waiting commands when
//! they *exceed* theirs; both must fall *below* the low mark to make it ready again.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};

/// The number that stands for "disabled" in the driver interface.
pub(crate) const LIMIT_DISABLED: u64 = u64::MAX;

/// Low and high water, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limits {
    /// Never busy for this reason.
    Disabled,
    /// Busy from `high` on, ready again below `low`.
    Watermarks {
        /// The mark to fall below.
        low: u64,
        /// The mark to reach.
        high: u64,
    },
}

impl Limits {
    /// Marks of a port that was opened without saying anything about them.
    pub const DEFAULT: Limits = Limits::Watermarks {
        low: Marks::DEFAULT.low,
        high: Marks::DEFAULT.high,
    };

    /// Two marks, each of 1 to 2^64 - 2 bytes; a `low` above `high` counts as `high`. `None`
    /// when a mark is out of range.
    pub fn new(low: u64, high: u64) -> Option<Limits> {
        let valid = 1..LIMIT_DISABLED;
        (valid.contains(&low) && valid.contains(&high)).then_some(Limits::Watermarks {
            low: low.min(high),
            high,
        })
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::DEFAULT
    }
}

/// What senders have to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// From now on senders wait.
    Busy,
    /// The senders that wait may go on.
    Ready,
}

/// Bytes to fall below, and to reach.
#[derive(Clone, Copy, Debug)]
struct Marks {
    low: u64,
    high: u64,
}

impl Marks {
    const DEFAULT: Marks = Marks {
        low: 4096,
        high: 8192,
    };
}

/// The busy state of one port, as far as its queue and its driver decide.
#[derive(Debug)]
pub(crate) struct Flow {
    /// False where its queue never makes the port busy, as with drivers.
    limited: bool,
    /// Others than the usual ones.
    marks: Option<Box<Marks>>,
    queue_busy: bool,
    driver_busy: bool,
    closed: bool,
}

impl Flow {
    /// A port with nothing queued, and the limits of its output queue.
    ///
    /// A driver keeps its queue for itself: give [`Limits::Disabled`] for it.
    pub(crate) fn new(limits: Limits) -> Flow {
        let (limited, marks) = match limits {
            Limits::Disabled => (false, None),
            Limits::DEFAULT => (true, None),
            Limits::Watermarks { low, high } => (true, Some(Box::new(Marks { low, high }))),
        };
        Flow {
            limited,
            marks,
            queue_busy: false,
            driver_busy: false,
            closed: false,
        }
    }

    /// Whether a sender has to wait.
    pub(crate) fn is_busy(&self) -> bool {
        self.driver_busy || self.queue_busy
    }

    /// The output queue now holds this many bytes.
    pub(crate) fn on_queue(&mut self, bytes: usize) -> Option<Change> {
        if !self.limited {
            return None;
        }
        let Marks { low, high } = self.marks.as_deref().copied().unwrap_or(Marks::DEFAULT);
        let bytes = bytes as u64;
        // The marks may be equal: at the mark the queue is full.
        let busy = bytes >= high || (self.queue_busy && bytes >= low);
        self.change(|flow| flow.queue_busy = busy && !flow.closed)
    }

    /// The driver says that it is busy, or no longer.
    pub(crate) fn on_driver(&mut self, busy: bool) -> Option<Change> {
        self.change(|flow| flow.driver_busy = busy && !flow.closed)
    }

    /// The port closes: from now on nothing makes it busy, and whoever waits goes on to learn
    /// that it is gone.
    pub(crate) fn on_close(&mut self) -> Option<Change> {
        self.change(|flow| {
            flow.queue_busy = false;
            flow.driver_busy = false;
            flow.closed = true;
        })
    }

    fn change(&mut self, act: impl FnOnce(&mut Flow)) -> Option<Change> {
        let before = self.is_busy();
        act(self);
        match (before, self.is_busy()) {
            (false, true) => Some(Change::Busy),
            (true, false) => Some(Change::Ready),
            _ => None,
        }
    }
}

/// How many bytes of commands wait for a port's turn, and whether that is too many.
///
/// Disabled limits are kept as marks that no amount can reach.
#[derive(Debug)]
pub(crate) struct Backlog {
    /// How many bytes wait, and [`PASSED`].
    bytes: AtomicU64,
    low: AtomicU64,
    high: AtomicU64,
}

/// The high mark was passed, and the low one not since. May lag behind the bytes it stands beside, which
/// have the last word outside the two marks. No memory holds so many bytes.
const PASSED: u64 = 1 << 63;

impl Backlog {
    /// An empty one.
    pub(crate) fn new(limits: Limits) -> Backlog {
        let (low, high) = match limits {
            Limits::Watermarks { low, high } => (low, high),
            Limits::Disabled => (LIMIT_DISABLED, LIMIT_DISABLED),
        };
        Backlog {
            bytes: AtomicU64::new(0),
            low: AtomicU64::new(low),
            high: AtomicU64::new(high),
        }
    }

    /// A command of this many bytes waits from now on.
    pub(crate) fn add(&self, bytes: usize) {
        let added = bytes as u64;
        let bytes = self.bytes.fetch_add(added, Ordering::Relaxed) + added;
        if bytes & !PASSED > self.high.load(Ordering::Relaxed) {
            self.bytes.fetch_or(PASSED, Ordering::Relaxed);
        }
    }

    /// A command of this many bytes waits no longer.
    pub(crate) fn remove(&self, bytes: usize) {
        let removed = bytes as u64;
        let bytes = self.bytes.fetch_sub(removed, Ordering::Relaxed) - removed;
        if bytes & PASSED != 0 && bytes & !PASSED < self.low.load(Ordering::Relaxed) {
            self.bytes.fetch_and(!PASSED, Ordering::Relaxed);
        }
    }

    /// Whether a sender has to wait.
    pub(crate) fn is_busy(&self) -> bool {
        let both = self.bytes.load(Ordering::Relaxed);
        let (bytes, passed) = (both & !PASSED, both & PASSED != 0);
        bytes > self.high.load(Ordering::Relaxed)
            || (passed && bytes >= self.low.load(Ordering::Relaxed))
    }

    /// Reads and sets the limits by the rules of the driver interface's
    /// `erl_drv_busy_msgq_limits`: 0 asks for a mark and leaves it, another number sets it,
    /// and [`LIMIT_DISABLED`] for either switches the limits off for good. To be called on
    /// the port's turn only.
    ///
    /// Returned are the two numbers that the driver sees afterwards. A lone mark that
    /// crosses the other one takes it along; of two that cross, `low` gives way.
    pub(crate) fn adjust(&self, low: u64, high: u64) -> (u64, u64) {
        let low_before = self.low.load(Ordering::Relaxed);
        let high_before = self.high.load(Ordering::Relaxed);
        if high_before == LIMIT_DISABLED {
            return (LIMIT_DISABLED, LIMIT_DISABLED);
        }
        // The call that switches them off sees its own numbers, later ones see all ones.
        let off = low == LIMIT_DISABLED || high == LIMIT_DISABLED;
        let seen = match (low, high) {
            _ if off => (low, high),
            (0, 0) => (low_before, high_before),
            (low, 0) => (low, high_before.max(low)),
            (0, high) => (low_before.min(high), high),
            (low, high) => (low.min(high), high),
        };
        let (low, high) = match off {
            true => (LIMIT_DISABLED, LIMIT_DISABLED),
            false => seen,
        };
        self.low.store(low, Ordering::Relaxed);
        self.high.store(high, Ordering::Relaxed);
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::Change::{Busy, Ready};
    use super::*;
    use proptest::prelude::*;

    fn marks(low: u64, high: u64) -> Limits {
        Limits::new(low, high).unwrap()
    }

    #[test]
    fn the_queue_makes_a_port_busy_between_its_marks() {
        let mut flow = Flow::new(Limits::DEFAULT);
        assert_eq!(flow.on_queue(8191), None);
        assert_eq!(flow.on_queue(8192), Some(Busy));
        assert!(flow.is_busy());
        assert_eq!(flow.on_queue(9000), None);
        assert_eq!(flow.on_queue(4096), None);
        assert_eq!(flow.on_queue(4095), Some(Ready));
        assert!(!flow.is_busy());
        assert_eq!(flow.on_queue(8000), None);
    }

    #[test]
    fn one_large_write_is_enough() {
        let mut flow = Flow::new(Limits::DEFAULT);
        assert_eq!(flow.on_queue(1_000_000), Some(Busy));
        assert_eq!(flow.on_queue(0), Some(Ready));
    }

    #[test]
    fn limits_can_be_chosen_or_switched_off() {
        let mut flow = Flow::new(marks(50_000, 100_000));
        assert_eq!(flow.on_queue(99_999), None);
        assert_eq!(flow.on_queue(100_000), Some(Busy));
        assert_eq!(flow.on_queue(49_999), Some(Ready));

        let mut flow = Flow::new(Limits::Disabled);
        assert_eq!(flow.on_queue(usize::MAX), None);
    }

    #[test]
    fn equal_marks_still_alternate() {
        let mut flow = Flow::new(marks(1, 1));
        assert_eq!(flow.on_queue(1), Some(Busy));
        assert_eq!(flow.on_queue(1), None);
        assert_eq!(flow.on_queue(0), Some(Ready));
    }

    #[test]
    fn limits_are_checked_and_clamped() {
        assert_eq!(Limits::new(0, 5), None);
        assert_eq!(Limits::new(5, 0), None);
        assert_eq!(Limits::new(1, u64::MAX), None);
        assert_eq!(Limits::new(u64::MAX, 1), None);
        assert_eq!(Limits::new(5, 2), Limits::new(2, 2));
        assert!(Limits::new(1, u64::MAX - 1).is_some());
        assert_eq!(Limits::default(), marks(4096, 8192));
    }

    #[test]
    fn the_last_reason_to_go_makes_the_port_ready() {
        let mut flow = Flow::new(Limits::DEFAULT);
        assert_eq!(flow.on_driver(true), Some(Busy));
        assert_eq!(flow.on_driver(true), None);
        assert_eq!(flow.on_queue(9000), None);
        assert_eq!(flow.on_driver(false), None);
        assert!(flow.is_busy());
        assert_eq!(flow.on_queue(0), Some(Ready));
    }

    #[test]
    fn closing_frees_the_senders_for_good() {
        let mut flow = Flow::new(Limits::DEFAULT);
        assert_eq!(flow.on_close(), None);
        let mut flow = Flow::new(Limits::DEFAULT);
        flow.on_driver(true);
        flow.on_queue(10_000);
        assert_eq!(flow.on_close(), Some(Ready));
        assert_eq!(flow.on_queue(20_000), None);
        assert_eq!(flow.on_driver(true), None);
        assert!(!flow.is_busy());
    }

    #[test]
    fn waiting_commands_must_exceed_their_mark() {
        let backlog = Backlog::new(marks(50, 100));
        backlog.add(100);
        assert!(!backlog.is_busy());
        backlog.add(1);
        assert!(backlog.is_busy());
        backlog.remove(51);
        assert!(backlog.is_busy());
        backlog.remove(1);
        assert!(!backlog.is_busy());
        backlog.add(40);
        assert!(!backlog.is_busy());
    }

    #[test]
    fn a_backlog_without_limits_is_never_busy() {
        let backlog = Backlog::new(Limits::Disabled);
        backlog.add(1 << 40);
        assert!(!backlog.is_busy());
        assert_eq!(backlog.adjust(1, 2), (LIMIT_DISABLED, LIMIT_DISABLED));
        assert!(!backlog.is_busy());
    }

    #[test]
    fn a_mark_that_lags_behind_changes_nothing_outside_the_marks() {
        let backlog = Backlog::new(marks(50, 100));
        backlog.bytes.fetch_or(PASSED, Ordering::Relaxed);
        assert!(!backlog.is_busy());
        backlog.add(200);
        backlog.bytes.fetch_and(!PASSED, Ordering::Relaxed);
        assert!(backlog.is_busy());
    }

    fn adjusted(low: u64, high: u64) -> (u64, u64) {
        Backlog::new(Limits::DEFAULT).adjust(low, high)
    }

    #[test]
    fn zero_reads_the_limits() {
        let backlog = Backlog::new(Limits::DEFAULT);
        assert_eq!(backlog.adjust(0, 0), (4096, 8192));
        assert_eq!(backlog.adjust(100, 0), (100, 8192));
        assert_eq!(backlog.adjust(0, 5000), (100, 5000));
        assert_eq!(backlog.adjust(0, 0), (100, 5000));
    }

    #[test]
    fn crossing_limits_are_straightened() {
        assert_eq!(adjusted(100, 50), (50, 50));
        assert_eq!(adjusted(20_000, 0), (20_000, 20_000));
        assert_eq!(adjusted(0, 50), (50, 50));
        assert_eq!(adjusted(0, u64::MAX - 1), (4096, u64::MAX - 1));
        let backlog = Backlog::new(Limits::DEFAULT);
        backlog.adjust(10, 20);
        assert_eq!(backlog.adjust(30, 0), (30, 30));
        assert_eq!(backlog.adjust(0, 5), (5, 5));
    }

    #[test]
    fn disabling_the_limits_is_for_good() {
        for (low, high) in [
            (0, LIMIT_DISABLED),
            (LIMIT_DISABLED, 0),
            (LIMIT_DISABLED, 5),
        ] {
            let backlog = Backlog::new(Limits::DEFAULT);
            backlog.add(9000);
            assert_eq!(backlog.adjust(low, high), (low, high));
            assert!(!backlog.is_busy());
            let off = (LIMIT_DISABLED, LIMIT_DISABLED);
            assert_eq!(backlog.adjust(0, 0), off);
            assert_eq!(backlog.adjust(10, 20), off);
            backlog.add(1_000_000);
            assert!(!backlog.is_busy());
        }
    }

    #[test]
    fn new_limits_are_judged_at_once() {
        let backlog = Backlog::new(Limits::DEFAULT);
        backlog.add(100);
        backlog.adjust(10, 50);
        assert!(backlog.is_busy());
        backlog.adjust(200, 300);
        assert!(!backlog.is_busy());
    }

    #[test]
    fn threads_that_meet_leave_no_trace() {
        let backlog = Backlog::new(marks(2, 3));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        backlog.add(2);
                        backlog.remove(2);
                    }
                });
            }
        });
        assert!(!backlog.is_busy());
    }

    fn limits() -> impl Strategy<Value = Limits> {
        prop_oneof![
            1 => Just(Limits::Disabled),
            4 => (1..30_u64, 1..30_u64).prop_map(|(low, high)| marks(low, high)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn marks_are_kept_to_the_byte(
            limits in limits(),
            events in proptest::collection::vec((0u8..20, 0usize..35), 0..60),
        ) {
            let mut flow = Flow::new(limits);
            let (mut queue, mut driver, mut closed) = (false, false, false);
            for (event, amount) in events {
                let before = queue || driver;
                let change = match event {
                    0 => {
                        (queue, driver, closed) = (false, false, true);
                        flow.on_close()
                    }
                    1..=4 => {
                        driver = amount % 2 == 0 && !closed;
                        flow.on_driver(amount % 2 == 0)
                    }
                    _ => {
                        if let Limits::Watermarks { low, high } = limits && !closed {
                            queue = match amount as u64 {
                                bytes if bytes >= high => true,
                                bytes if bytes < low => false,
                                _ => queue,
                            };
                        }
                        flow.on_queue(amount)
                    }
                };
                prop_assert_eq!(flow.is_busy(), queue || driver);
                let expected = match (before, queue || driver) {
                    (false, true) => Some(Busy),
                    (true, false) => Some(Ready),
                    _ => None,
                };
                prop_assert_eq!(change, expected);
            }
        }

        #[test]
        fn a_backlog_counts_what_waits(
            limits in limits(),
            events in proptest::collection::vec((0u8..8, 1usize..20, 0u64..30), 0..60),
        ) {
            let backlog = Backlog::new(limits);
            let mut waiting: Vec<usize> = Vec::new();
            let mut now = match limits {
                Limits::Watermarks { low, high } => Some((low, high)),
                Limits::Disabled => None,
            };
            // Whether the high mark was passed, and since then the low one not.
            let mut passed = false;
            for (event, bytes, mark) in events {
                match event {
                    0..=3 => {
                        backlog.add(bytes);
                        waiting.push(bytes);
                        let sum = waiting.iter().sum::<usize>() as u64;
                        passed |= now.is_some_and(|(_, high)| sum > high);
                    }
                    4..=6 => {
                        if let Some(bytes) = waiting.pop() {
                            backlog.remove(bytes);
                        }
                        let sum = waiting.iter().sum::<usize>() as u64;
                        passed &= now.is_none_or(|(low, _)| sum >= low);
                    }
                    _ => {
                        let seen = backlog.adjust(mark, bytes as u64);
                        if now.is_some() {
                            let high = bytes as u64;
                            let low = if mark == 0 { now.map_or(0, |(low, _)| low) } else { mark };
                            now = Some((low.min(high), high));
                        }
                        prop_assert_eq!(seen, now.unwrap_or((LIMIT_DISABLED, LIMIT_DISABLED)));
                    }
                }
                let sum = waiting.iter().sum::<usize>() as u64;
                prop_assert_eq!(backlog.bytes.load(Ordering::Relaxed) & !PASSED, sum);
                let busy = now.is_some_and(|(low, high)| sum > high || (sum >= low && passed));
                prop_assert_eq!(backlog.is_busy(), busy, "{} bytes of {:?}", sum, now);
            }
        }

        #[test]
        fn changes_alternate_and_tell_the_truth(
            events in proptest::collection::vec((0u8..3, 0usize..30), 0..60),
        ) {
            let mut flow = Flow::new(marks(8, 16));
            let mut told = false;
            for (event, amount) in events {
                let change = match event {
                    0 | 1 => flow.on_queue(amount),
                    _ => flow.on_driver(amount % 2 == 0),
                };
                match change {
                    Some(Busy) => { prop_assert!(!told); told = true; }
                    Some(Ready) => { prop_assert!(told); told = false; }
                    None => {}
                }
                prop_assert_eq!(told, flow.is_busy());
            }
        }
    }
}

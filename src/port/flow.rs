//! When a port is busy: high and low water for its output queue and for the commands that
//! wait for it, and the driver's own word.
//!
//! Relies on nothing and does nothing: it is told sizes and answers with changes. Whoever
//! holds the port suspends and wakes the senders.
//!
//! What it promises: a [`Change`] is reported exactly when the answer of
//! [`Flow::is_busy`] differs from before, so `Busy` and `Ready` alternate.
//!
//! The output queue makes a port busy when it *reaches* the high mark, waiting commands when
//! they *exceed* theirs; both must fall *below* the low mark to make it ready again.

#![forbid(unsafe_code)]

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
        low: 4096,
        high: 8192,
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

/// At what size a level counts as busy.
#[derive(Clone, Copy, Debug)]
enum Mark {
    Reached,
    Exceeded,
}

/// One amount of bytes with its marks.
#[derive(Debug)]
struct Level {
    limits: Limits,
    mark: Mark,
    bytes: u64,
    busy: bool,
}

impl Level {
    fn new(limits: Limits, mark: Mark) -> Level {
        Level {
            limits,
            mark,
            bytes: 0,
            busy: false,
        }
    }

    fn set_bytes(&mut self, bytes: usize) {
        self.bytes = bytes as u64;
        self.judge();
    }

    fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        self.judge();
    }

    fn judge(&mut self) {
        let Limits::Watermarks { low, high } = self.limits else {
            self.busy = false;
            return;
        };
        let full = match self.mark {
            Mark::Reached => self.bytes >= high,
            Mark::Exceeded => self.bytes > high,
        };
        // `low` may equal `high`: full wins, else a level at the mark would be both.
        if full {
            self.busy = true;
        } else if self.bytes < low {
            self.busy = false;
        }
    }
}

/// The busy state of one port.
#[derive(Debug)]
pub(crate) struct Flow {
    queue: Level,
    commands: Level,
    driver_busy: bool,
    closed: bool,
}

impl Flow {
    /// A port with nothing queued. `queue` are the limits of its output queue, `commands`
    /// those of the commands that wait for the port's turn.
    ///
    /// A driver keeps its queue for itself: give [`Limits::Disabled`] for it.
    pub(crate) fn new(queue: Limits, commands: Limits) -> Flow {
        Flow {
            queue: Level::new(queue, Mark::Reached),
            commands: Level::new(commands, Mark::Exceeded),
            driver_busy: false,
            closed: false,
        }
    }

    /// Whether a sender has to wait.
    pub(crate) fn is_busy(&self) -> bool {
        self.driver_busy || self.queue.busy || self.commands.busy
    }

    /// The output queue now holds this many bytes.
    pub(crate) fn on_queue(&mut self, bytes: usize) -> Option<Change> {
        self.change(|flow| flow.queue.set_bytes(bytes))
    }

    /// The commands that wait for the port now hold this many bytes.
    pub(crate) fn on_commands(&mut self, bytes: usize) -> Option<Change> {
        self.change(|flow| flow.commands.set_bytes(bytes))
    }

    /// The driver says that it is busy, or no longer.
    pub(crate) fn on_driver(&mut self, busy: bool) -> Option<Change> {
        self.change(|flow| flow.driver_busy = busy && !flow.closed)
    }

    /// The port closes: from now on nothing makes it busy, and whoever waits goes on to learn
    /// that it is gone.
    pub(crate) fn on_close(&mut self) -> Option<Change> {
        self.change(|flow| {
            flow.queue.set_limits(Limits::Disabled);
            flow.commands.set_limits(Limits::Disabled);
            flow.driver_busy = false;
            flow.closed = true;
        })
    }

    /// Reads and sets the limits on waiting commands by the rules of the driver interface's
    /// `erl_drv_busy_msgq_limits`: 0 asks for a mark and leaves it, another number sets it,
    /// and [`LIMIT_DISABLED`] for either switches the limits off for good.
    ///
    /// Returned are the two numbers that the driver sees afterwards. A lone mark that
    /// crosses the other one takes it along; of two that cross, `low` gives way.
    pub(crate) fn adjust_command_limits(
        &mut self,
        low: u64,
        high: u64,
    ) -> ((u64, u64), Option<Change>) {
        let Limits::Watermarks {
            low: low_before,
            high: high_before,
        } = self.commands.limits
        else {
            return ((LIMIT_DISABLED, LIMIT_DISABLED), None);
        };
        if low == LIMIT_DISABLED || high == LIMIT_DISABLED {
            let change = self.change(|flow| flow.commands.set_limits(Limits::Disabled));
            // The call that switches them off sees its own numbers, later ones see all ones.
            return ((low, high), change);
        }
        let (low, high) = match (low, high) {
            (0, 0) => (low_before, high_before),
            (low, 0) => (low, high_before.max(low)),
            (0, high) => (low_before.min(high), high),
            (low, high) => (low.min(high), high),
        };
        let limits = Limits::Watermarks { low, high };
        let change = self.change(|flow| flow.commands.set_limits(limits));
        ((low, high), change)
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

#[cfg(test)]
mod tests {
    use super::Change::{Busy, Ready};
    use super::*;
    use proptest::prelude::*;

    fn marks(low: u64, high: u64) -> Limits {
        Limits::new(low, high).unwrap()
    }

    fn program() -> Flow {
        Flow::new(Limits::DEFAULT, Limits::DEFAULT)
    }

    #[test]
    fn the_queue_makes_a_port_busy_between_its_marks() {
        let mut flow = program();
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
        let mut flow = program();
        assert_eq!(flow.on_queue(1_000_000), Some(Busy));
        assert_eq!(flow.on_queue(0), Some(Ready));
    }

    #[test]
    fn limits_can_be_chosen_or_switched_off() {
        let mut flow = Flow::new(marks(50_000, 100_000), Limits::DEFAULT);
        assert_eq!(flow.on_queue(99_999), None);
        assert_eq!(flow.on_queue(100_000), Some(Busy));
        assert_eq!(flow.on_queue(49_999), Some(Ready));

        let mut flow = Flow::new(Limits::Disabled, Limits::Disabled);
        assert_eq!(flow.on_queue(usize::MAX), None);
        assert_eq!(flow.on_commands(usize::MAX), None);
    }

    #[test]
    fn equal_marks_still_alternate() {
        let mut flow = Flow::new(marks(1, 1), Limits::DEFAULT);
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
    fn waiting_commands_must_exceed_their_mark() {
        let mut flow = Flow::new(Limits::Disabled, marks(50, 100));
        assert_eq!(flow.on_commands(100), None);
        assert_eq!(flow.on_commands(101), Some(Busy));
        assert_eq!(flow.on_commands(100), None);
        assert_eq!(flow.on_commands(50), None);
        assert_eq!(flow.on_commands(49), Some(Ready));
    }

    #[test]
    fn the_last_reason_to_go_makes_the_port_ready() {
        let mut flow = program();
        assert_eq!(flow.on_driver(true), Some(Busy));
        assert_eq!(flow.on_driver(true), None);
        assert_eq!(flow.on_queue(9000), None);
        assert_eq!(flow.on_commands(9000), None);
        assert_eq!(flow.on_driver(false), None);
        assert_eq!(flow.on_queue(0), None);
        assert!(flow.is_busy());
        assert_eq!(flow.on_commands(0), Some(Ready));
    }

    #[test]
    fn closing_frees_the_senders_for_good() {
        let mut flow = program();
        assert_eq!(flow.on_close(), None);
        let mut flow = program();
        flow.on_driver(true);
        flow.on_queue(10_000);
        assert_eq!(flow.on_close(), Some(Ready));
        assert_eq!(flow.on_queue(20_000), None);
        assert_eq!(flow.on_driver(true), None);
        assert!(!flow.is_busy());
    }

    fn adjust(flow: &mut Flow, low: u64, high: u64) -> (u64, u64) {
        flow.adjust_command_limits(low, high).0
    }

    #[test]
    fn zero_reads_the_limits() {
        let mut flow = program();
        assert_eq!(adjust(&mut flow, 0, 0), (4096, 8192));
        assert_eq!(adjust(&mut flow, 100, 0), (100, 8192));
        assert_eq!(adjust(&mut flow, 0, 5000), (100, 5000));
        assert_eq!(adjust(&mut flow, 0, 0), (100, 5000));
    }

    #[test]
    fn crossing_limits_are_straightened() {
        assert_eq!(adjust(&mut program(), 100, 50), (50, 50));
        assert_eq!(adjust(&mut program(), 20_000, 0), (20_000, 20_000));
        assert_eq!(adjust(&mut program(), 0, 50), (50, 50));
        let mut flow = program();
        adjust(&mut flow, 10, 20);
        assert_eq!(adjust(&mut flow, 30, 0), (30, 30));
        assert_eq!(adjust(&mut flow, 0, 5), (5, 5));
    }

    #[test]
    fn disabling_the_limits_is_for_good() {
        for (low, high) in [
            (0, LIMIT_DISABLED),
            (LIMIT_DISABLED, 0),
            (LIMIT_DISABLED, 5),
        ] {
            let mut flow = program();
            flow.on_commands(9000);
            let outcome = flow.adjust_command_limits(low, high);
            assert_eq!(outcome, ((low, high), Some(Ready)));
            let off = (LIMIT_DISABLED, LIMIT_DISABLED);
            assert_eq!(adjust(&mut flow, 0, 0), off);
            assert_eq!(adjust(&mut flow, 10, 20), off);
            assert_eq!(flow.on_commands(1_000_000), None);
        }
    }

    #[test]
    fn new_limits_are_judged_at_once() {
        let mut flow = program();
        flow.on_commands(100);
        assert_eq!(flow.adjust_command_limits(10, 50).1, Some(Busy));
        assert_eq!(flow.adjust_command_limits(200, 300).1, Some(Ready));
    }

    proptest! {
        #[test]
        fn changes_alternate_and_tell_the_truth(
            events in proptest::collection::vec((0u8..5, 0usize..30), 0..60),
        ) {
            let mut flow = Flow::new(marks(8, 16), marks(5, 10));
            let mut told = false;
            for (event, amount) in events {
                let change = match event {
                    0 | 1 => flow.on_queue(amount),
                    2 => flow.on_commands(amount),
                    3 => flow.on_driver(amount % 2 == 0),
                    _ => flow.adjust_command_limits(amount as u64, 0).1,
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

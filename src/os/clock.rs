//! What time it is, in Erlang's three senses.
//!
//! Monotonic time never goes back and starts anywhere (here: close to the first look, so it may well be
//! small); wall time is the system's; their difference is the time offset, so that monotonic time plus
//! offset is wall time. [`strictly_increasing`] is `erlang:now/0`: wall time that never gives one value
//! twice. Units convert with floor division, as Erlang's do: -1999 ms are -2 s.
#![forbid(unsafe_code)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

/// Units of time, coarsest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
}

impl Unit {
    const fn per_second(self) -> i64 {
        match self {
            Unit::Second => 1,
            Unit::Millisecond => 1_000,
            Unit::Microsecond => 1_000_000,
            Unit::Nanosecond => 1_000_000_000,
        }
    }
}

/// Nanoseconds on the monotonic clock.
pub(crate) fn monotonic_ns() -> i64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    clamp(i128::try_from(start.elapsed().as_nanos()).unwrap_or(i128::MAX))
}

/// Nanoseconds on the monotonic clock as of the kernel's last tick: a few milliseconds late, and all but
/// free.
#[inline]
pub(crate) fn coarse_ns() -> i64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE);
    now.map_or(0, |now| now.tv_sec() * 1_000_000_000 + now.tv_nsec())
}

/// Nanoseconds since 1970 on the system's clock; negative before.
pub(crate) fn wall_ns() -> i64 {
    let now = SystemTime::now();
    match now.duration_since(UNIX_EPOCH) {
        Ok(since) => clamp(i128::try_from(since.as_nanos()).unwrap_or(i128::MAX)),
        Err(before) => clamp(-i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX)),
    }
}

/// What to add to monotonic time to get wall time, in nanoseconds.
pub(crate) fn offset_ns() -> i64 {
    wall_ns().saturating_sub(monotonic_ns())
}

/// The same span in another unit, rounded down. What does not fit into 64 bits wraps around, as in
/// Erlang, where it is also the rounding that may not fit.
pub(crate) fn convert(value: i64, from: Unit, to: Unit) -> i64 {
    let (from, to) = (from.per_second(), to.per_second());
    if to >= from {
        return value.wrapping_mul(to / from);
    }
    let many = from / to;
    if value < 0 {
        value.wrapping_sub(many - 1) / many
    } else {
        value / many
    }
}

/// Wall time in microseconds, but never the same or an earlier value than any call before in this process.
pub(crate) fn strictly_increasing_us() -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(i64::MIN);
    let now = convert(wall_ns(), Unit::Nanosecond, Unit::Microsecond);
    let next = |last: i64| now.max(last.saturating_add(1));
    // The closure always gives a value, so both arms hold the previous one.
    let (Ok(last) | Err(last)) = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
        Some(next(last))
    });
    next(last)
}

fn clamp(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversion_rounds_down() {
        assert_eq!(convert(-1999, Unit::Millisecond, Unit::Second), -2);
        assert_eq!(convert(1999, Unit::Millisecond, Unit::Second), 1);
        assert_eq!(convert(-1, Unit::Nanosecond, Unit::Microsecond), -1);
        assert_eq!(convert(7, Unit::Second, Unit::Nanosecond), 7_000_000_000);
        assert_eq!(convert(i64::MAX, Unit::Second, Unit::Millisecond), -1000);
        assert_eq!(convert(i64::MIN, Unit::Second, Unit::Millisecond), 0);
        let most = convert(-i64::MAX, Unit::Millisecond, Unit::Second);
        assert_eq!(most, 9_223_372_036_854_774, "rounding wraps, too");
    }

    #[test]
    fn monotonic_time_and_offset_make_wall_time() {
        let (before, sum, after) = (wall_ns(), monotonic_ns() + offset_ns(), wall_ns());
        let slack = 50_000_000;
        assert!(
            before - slack <= sum && sum <= after + slack,
            "{before} {sum} {after}"
        );
        assert!(monotonic_ns() <= monotonic_ns());
    }

    #[test]
    fn now_never_repeats_across_threads() {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(|| {
                    (0..2000)
                        .map(|_| strictly_increasing_us())
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let mut all: Vec<i64> = Vec::new();
        for thread in threads {
            let times = thread.join().unwrap();
            assert!(times.is_sorted_by(|a, b| a < b));
            all.extend(times);
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}

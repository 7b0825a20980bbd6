//! The table of what is measured: the work of each row, the columns of its readings, and what
//! each has to reach.
//!
//! Nothing else knows a target. `docs/performance.md` explains the rows.
#![forbid(unsafe_code)]

use std::fmt;

/// Readings that are taken together: one piece of work gives a number for each column.
pub(super) struct Group {
    /// The row: a number, and a letter for a sub-row.
    pub(super) row: &'static str,
    pub(super) way: Way,
    /// The item and its arguments, as `wharf bench --one` and the Erlang peer take them.
    pub(super) work: &'static str,
    /// The same work in plain C, as `floor` takes it.
    pub(super) floor: Option<&'static str>,
    pub(super) columns: &'static [Column],
}

/// In which surroundings the work is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// In a process of its own.
    Plain,
    /// In a process that shares one processor with all that it starts.
    OneCore,
    /// In a process of its own, whose whole life is measured: of a program that uses the library.
    Library,
    /// The same of `wharf eval`.
    Script,
}

/// One number of a reading.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) better: Better,
    pub(super) target: Target,
    /// Which number of the floor's reading it compares with.
    pub(super) floor: Option<usize>,
}

/// Which way a number should go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Better {
    More,
    Less,
}

/// What a number has to reach. Ratios say how many times better wharf is.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// So many times better than Erlang.
    Erlang(f64),
    /// So many times as good as plain C.
    Floor(f64),
    /// In the column's own unit: at most so much, or at least.
    Limit(f64),
    /// Told for comparison.
    None,
}

impl Column {
    /// The target in words.
    pub(super) fn target_text(&self) -> String {
        let limit = match self.better {
            Better::More => "≥",
            Better::Less => "≤",
        };
        match self.target {
            Target::Erlang(times) => format!("≥ {times} × OTP"),
            Target::Floor(times) => format!("≥ {times} × plain C"),
            Target::Limit(value) if self.unit == "×" => format!("{limit} {value}"),
            Target::Limit(value) => format!("{limit} {value} {}", self.unit),
            Target::None => "–".to_owned(),
        }
    }
}

impl Better {
    /// How many times better the first is than the second.
    pub(super) fn times(self, this: f64, other: f64) -> f64 {
        let (over, under) = match self {
            Better::More => (this, other),
            Better::Less => (other, this),
        };
        // What takes no measurable time is as good as can be, but not infinitely good.
        over.max(1e-9) / under.max(1e-9)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.row, self.work)
    }
}

const fn column(
    name: &'static str,
    unit: &'static str,
    better: Better,
    target: Target,
    floor: Option<usize>,
) -> Column {
    Column {
        name,
        unit,
        better,
        target,
        floor,
    }
}

/// How much of something is done in a second, compared with the floor's first number.
const fn rate(name: &'static str, target: Target) -> Column {
    column(name, "/s", Better::More, target, Some(0))
}

/// Something there should be little of.
const fn cost(
    name: &'static str,
    unit: &'static str,
    target: Target,
    floor: Option<usize>,
) -> Column {
    column(name, unit, Better::Less, target, floor)
}

const fn group(
    row: &'static str,
    way: Way,
    work: &'static str,
    floor: Option<&'static str>,
    columns: &'static [Column],
) -> Group {
    Group {
        row,
        way,
        work,
        floor,
        columns,
    }
}

use Target::{Erlang, Floor, Limit, None as Told};
use Way::{Library, OneCore, Plain, Script};

/// All of it, in the order of the rows.
#[rustfmt::skip] // a table
pub(super) const GROUPS: &[Group] = &[
    group("1", Plain, "control 0 1 4000000", Some("ctl 10000000 1"),
        &[rate("control, no reply", Erlang(2.5))]),
    group("2", Plain, "control 8 1 4000000", Some("ctl 10000000 1"),
        &[rate("control, 8 B reply, a list", Erlang(2.5))]),
    group("2", Plain, "control_binary 8 1 4000000", Some("ctl 10000000 1"),
        &[rate("control, 8 B reply, a binary", Erlang(2.5))]),
    group("3", Plain, "scaling 0 4000000", Some("ctl 10000000 2"), &[
        rate("control, no reply, two threads on two ports", Erlang(2.5)),
        column("the same: times one thread", "×", Better::More, Limit(1.8), None),
    ]),
    group("3", Plain, "scaling 8 4000000", Some("ctl 10000000 2"), &[
        rate("control, 8 B reply, two threads on two ports", Erlang(2.5)),
        column("the same: times one thread", "×", Better::More, Limit(1.8), None),
    ]),
    group("4", Plain, "echo bench_drv copy 16 1500000", Some("echo 3000000 16 copy"),
        &[rate("driver_output, 16 B round trip", Erlang(3.0))]),
    group("5", Plain, "echo bench_drvv bin 1024 1500000", Some("echo 3000000 1024 ref"),
        &[rate("driver_outputv, 1 KiB round trip", Erlang(3.0))]),
    group("5", Plain, "echo bench_drvv bin 65536 1000000", Some("echo 3000000 65536 ref"),
        &[rate("driver_outputv, 64 KiB round trip", Erlang(3.0))]),
    group("6", Plain, "echo bench_drv copy 65536 100000", Some("echo 200000 65536 copy"),
        &[rate("driver_output, 64 KiB round trip", Erlang(1.9))]),
    group("7", Plain, "flood bench_drv 4000000", Some("echo 40000000 64 sink"),
        &[rate("one-way 64 B commands, output", Erlang(4.0))]),
    group("7", Plain, "flood bench_drvv 4000000", Some("echo 40000000 64 sink"),
        &[rate("one-way 64 B commands, outputv", Erlang(4.0))]),
    group("8", Plain, "terms 1000000", Some("term 1000000"),
        &[rate("erl_drv_send_term from a driver's thread", Erlang(2.5))]),
    group("9", Plain, "async 1 each 100000", Some("async 1000000 1"),
        &[rate("driver_async, 1 thread, a control per job", Erlang(3.0))]),
    group("9", Plain, "async 1 all 100000", Some("async 1000000 1"),
        &[rate("driver_async, 1 thread, one control", Erlang(3.0))]),
    group("9", Plain, "async 4 each 100000", Some("async 1000000 4"),
        &[rate("driver_async, 4 threads, a control per job", Erlang(2.0))]),
    group("9", Plain, "async 4 all 100000", Some("async 1000000 4"),
        &[rate("driver_async, 4 threads, one control", Erlang(2.0))]),
    group("10", Plain, "timer 1000 1000 1", Some("timer1 1000 1000 1"), &[
        rate("1 ms timers on 1,000 ports", Told),
        cost("the same: mean lateness", "µs", Limit(100.0), Some(1)),
        cost("the same: p99 lateness", "µs", Limit(250.0), Some(2)),
    ]),
    group("11", Plain, "rearm 2000000", Some("timer0 5000000"),
        &[rate("driver_set_timer(0), set again", Erlang(2.0))]),
    group("12", Plain, "select 1 1 0 300000", Some("select 300000 1 0"),
        &[rate("driver_select, 1 descriptor", Erlang(2.0))]),
    group("12", Plain, "select 1000 1 0 300000", Some("select 300000 1000 0"),
        &[rate("driver_select, 1,000 descriptors on 1,000 ports", Erlang(2.0))]),
    group("12b", Plain, "select 1 1 1 1000000", Some("select 1000000 1 1"),
        &[rate("driver_select, 64 KiB reads", Erlang(1.3))]),
    group("13", Plain, "spawn 300 1 0", Some("spawn 300 1 0"),
        &[rate("/bin/true, one by one", Floor(0.95))]),
    group("13", Plain, "spawn 640 64 0", Some("spawn 640 64 0"),
        &[rate("/bin/true, 64 in flight", Floor(0.95))]),
    group("13", Plain, "spawn 150 1 1024", Some("spawn 150 1 1024"),
        &[rate("/bin/true, one by one, 1 GB resident", Floor(0.95))]),
    group("14", Plain, "program 0 16 20000", Some("ext 20000 16 0"),
        &[column("cat, 16 B round trip", "/s", Better::More, Floor(1.0), Some(1))]),
    group("14", Plain, "program 0 65536 5000", Some("ext 5000 65536 0"),
        &[column("cat, 64 KiB round trip", "/s", Better::More, Floor(1.0), Some(1))]),
    group("14", Plain, "program 1 16 20000", Some("ext 20000 16 1"),
        &[column("{packet,4}, 16 B round trip", "/s", Better::More, Floor(1.0), Some(1))]),
    group("14", Plain, "program 1 65536 5000", Some("ext 5000 65536 1"),
        &[column("{packet,4}, 64 KiB round trip", "/s", Better::More, Floor(1.0), Some(1))]),
    group("14b", OneCore, "program 0 16 20000", Some("ext 20000 16 0 2"),
        &[rate("one core: cat, 16 B round trip", Erlang(1.7))]),
    group("14b", OneCore, "program 1 16 20000", Some("ext 20000 16 1 2"),
        &[rate("one core: {packet,4}, 16 B round trip", Erlang(1.7))]),
    group("15", Plain, "pump out 1073741824", Some("pump 1073741824 out"),
        &[column("1 GiB out of a program", "MB/s", Better::More, Erlang(2.5), Some(1))]),
    group("15", Plain, "pump in 1073741824", Some("pump 1073741824 in"),
        &[column("1 GiB into a program", "MB/s", Better::More, Erlang(2.5), Some(1))]),
    group("15b", OneCore, "pump out 1073741824", Some("pump 1073741824 out"),
        &[column("one core: 1 GiB out of a program", "MB/s", Better::More, Erlang(1.4), Some(2))]),
    group("15b", OneCore, "pump in 1073741824", Some("pump 1073741824 in"),
        &[column("one core: 1 GiB into a program", "MB/s", Better::More, Erlang(1.4), Some(2))]),
    group("16", Plain, "lines 5000000", Some("lines 5000000"),
        &[rate("{line,4096}, lines of 13 B", Erlang(2.5))]),
    group("17", Plain, "many_drivers 10000", Some("many_drv 10000"), &[
        cost("10,000 driver ports: open all", "ms", Limit(10.0), Some(0)),
        cost("10,000 driver ports: memory each", "B", Limit(700.0), Some(1)),
        cost("10,000 driver ports: round trip each", "µs", Limit(0.1), Some(2)),
        cost("10,000 driver ports: close all", "ms", Limit(3.0), Some(3)),
    ]),
    group("18", Plain, "many_programs 2000", Some("many_cat 2000 0"), &[
        cost("2,000 cat ports: open all", "ms", Erlang(1.0), Some(0)),
        cost("2,000 cat ports: host memory each", "B", Erlang(1.0), Some(1)),
        cost("2,000 cat ports: round trip, one by one", "µs", Told, Some(2)),
        cost("2,000 cat ports: round trip, all at once", "µs", Erlang(1.0), Some(3)),
        cost("2,000 cat ports: close all", "ms", Told, Some(4)),
        cost("2,000 cat ports: close until gone", "ms", Erlang(1.0), Some(5)),
    ]),
    group("19", Plain, "idle 2000", Some("many_cat 2000 5"),
        &[cost("2,000 idle ports: CPU of the host in 5 s", "ms", Limit(0.2), Some(0))]),
    group("20", Script, "cold", Some("cold"), &[
        cost("cold start, wharf eval: wall", "ms", Limit(6.0), Some(0)),
        cost("cold start, wharf eval: peak memory", "MB", Limit(6.0), Some(1)),
    ]),
    group("20", Library, "cold", Some("cold"), &[
        cost("cold start, the library: wall", "ms", Limit(6.0), Some(0)),
        cost("cold start, the library: peak memory", "MB", Limit(6.0), Some(1)),
    ]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_there_in_order_and_no_two_have_one_name() {
        let numbers: Vec<u32> = GROUPS
            .iter()
            .map(|group| {
                let digits = group.row.trim_end_matches(|c: char| c.is_alphabetic());
                digits.parse().unwrap()
            })
            .collect();
        assert!(numbers.is_sorted());
        assert!((1..=20).all(|row| numbers.contains(&row)));
        for group in GROUPS {
            assert!(!group.columns.is_empty(), "{group}");
        }
    }

    #[test]
    fn a_ratio_says_how_many_times_better() {
        assert_eq!(Better::More.times(10.0, 5.0), 2.0);
        assert_eq!(Better::Less.times(10.0, 5.0), 0.5);
        assert!(Better::Less.times(0.0, 5.0) > 1e8);
    }
}

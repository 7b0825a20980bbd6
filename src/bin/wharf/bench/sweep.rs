//! How cost grows: the same work for one, ten, a hundred and so on, as the cost of one.
//!
//! A line that stays level is cost in proportion to the number; one that climbs with it is a
//! square. `SWEEPS` is the table of them.
#![forbid(unsafe_code)]

use super::progress::Progress;
use super::reading::Readings;
use super::spread::Spread;

/// One drawing: lines over one scale.
pub(super) struct Sweep {
    pub(super) title: &'static str,
    /// What the numbers along the bottom count.
    pub(super) across: &'static str,
    /// Of what.
    pub(super) unit: &'static str,
    works: &'static [Work],
}

/// One piece of work, for growing numbers.
struct Work {
    /// The item; `#` stands for the number, `*` for how often, so that it takes long enough to be
    /// measured and not too long.
    item: &'static str,
    numbers: &'static [usize],
    lines: &'static [Line],
}

/// What of a reading is drawn.
struct Line {
    name: &'static str,
    /// Which of its numbers.
    column: usize,
    cost: Cost,
}

/// How a number of a reading becomes the cost of one.
#[derive(Clone, Copy)]
enum Cost {
    /// It is one, but for the unit.
    Times(f64),
    /// It is a cost of all of them, but for the unit.
    OfAll(f64),
    /// It is a number per second.
    PerSecond(f64),
}

/// A line as it was measured.
pub(super) struct Curve {
    pub(super) name: &'static str,
    pub(super) points: Vec<(usize, Spread)>,
}

/// A drawing as it was measured.
pub(super) struct Grown {
    pub(super) sweep: &'static Sweep,
    pub(super) curves: Vec<Curve>,
    /// What could not be measured, and why.
    pub(super) skipped: Vec<String>,
}

const SIZES: &[usize] = &[1, 16, 256, 4096, 65_536, 1 << 20, 1 << 24];
const PORTS: &[usize] = &[1, 10, 100, 1_000, 10_000, 100_000];
const PROGRAMS: &[usize] = &[1, 10, 100, 1_000, 2_000, 5_000];
const MESSAGES: &[usize] = &[100, 1_000, 10_000, 100_000, 1_000_000];
const HUNDRED_THOUSAND: &[usize] = &[100, 1_000, 10_000, 100_000];
const KIBIBYTES: &[usize] = &[100, 1_000, 10_000, 100_000, 1_000_000];
const PIECES: &[usize] = &[16, 128, 1_024, 16_384];

const fn line(name: &'static str, column: usize, cost: Cost) -> Line {
    Line { name, column, cost }
}

use Cost::{OfAll, PerSecond, Times};

/// All drawings.
#[rustfmt::skip] // a table
pub(super) const SWEEPS: &[Sweep] = &[
    Sweep { title: "A round trip, by the size of its data", across: "bytes", unit: "µs", works: &[
        Work { item: "echo bench_drv copy # *", numbers: SIZES,
            lines: &[line("driver, one copy", 0, PerSecond(1e6))] },
        Work { item: "echo bench_drvv bin # *", numbers: SIZES,
            lines: &[line("driver, no copy", 0, PerSecond(1e6))] },
        Work { item: "program 0 # *", numbers: SIZES,
            lines: &[line("cat", 0, PerSecond(1e6))] },
        Work { item: "program 1 # *", numbers: SIZES,
            lines: &[line("{packet,4}", 0, PerSecond(1e6))] },
    ] },
    Sweep { title: "A driver's port among others", across: "ports", unit: "µs", works: &[
        Work { item: "many_drivers #", numbers: PORTS, lines: &[
            line("open", 0, OfAll(1e3)),
            line("16 B round trip", 2, Times(1.0)),
            line("close", 3, OfAll(1e3)),
        ] },
    ] },
    Sweep { title: "Memory of a port among others", across: "ports", unit: "B", works: &[
        Work { item: "many_drivers #", numbers: &[100, 1_000, 10_000, 100_000],
            lines: &[line("driver", 1, Times(1.0))] },
        Work { item: "many_programs #", numbers: &[100, 1_000, 2_000, 5_000],
            lines: &[line("cat (host only)", 1, Times(1.0))] },
    ] },
    Sweep { title: "A program among others", across: "programs", unit: "µs", works: &[
        Work { item: "many_programs #", numbers: PROGRAMS, lines: &[
            line("open", 0, OfAll(1e3)),
            line("round trip, all at once", 3, Times(1.0)),
            line("close", 4, OfAll(1e3)),
            line("close until gone", 5, OfAll(1e3)),
        ] },
    ] },
    Sweep { title: "A message among others", across: "messages waiting", unit: "ns", works: &[
        Work { item: "mailbox #", numbers: MESSAGES, lines: &[
            line("send", 0, Times(1.0)),
            line("receive", 1, Times(1.0)),
        ] },
        Work { item: "selective #", numbers: MESSAGES, lines: &[
            line("pass over, in a selective receive", 0, Times(1.0)),
            line("receive in pairs, the later one first", 1, Times(1.0)),
        ] },
    ] },
    Sweep { title: "A delayed message among others", across: "delays", unit: "ns", works: &[
        Work { item: "delays #", numbers: HUNDRED_THOUSAND, lines: &[
            line("ask for", 0, Times(1.0)),
            line("take back", 1, Times(1.0)),
            line("ask for and receive, after 1 ms", 2, Times(1.0)),
        ] },
    ] },
    Sweep { title: "A monitor among others", across: "monitors", unit: "ns", works: &[
        Work { item: "monitors #", numbers: HUNDRED_THOUSAND, lines: &[
            line("watch one process", 0, Times(1.0)),
            line("be told of its end", 1, Times(1.0)),
            line("watch many", 2, Times(1.0)),
            line("be told of the end of each", 3, Times(1.0)),
        ] },
    ] },
    Sweep { title: "A driver's queue of pieces of 1 KiB, up to 1 GB", across: "pieces", unit: "ns", works: &[
        Work { item: "driver_queue # 1024", numbers: KIBIBYTES, lines: &[
            line("add", 0, Times(1.0)),
            line("look at all, and take one away", 1, Times(1.0)),
        ] },
    ] },
    Sweep { title: "Commands of 64 KiB that wait for a program, up to 1 GB", across: "commands", unit: "ns", works: &[
        Work { item: "program_queue #", numbers: PIECES, lines: &[
            line("queue", 0, Times(1.0)),
            line("write", 1, Times(1.0)),
        ] },
    ] },
];

impl Cost {
    fn of_one(self, value: f64, number: usize) -> f64 {
        match self {
            Cost::Times(factor) => value * factor,
            // Exact for every number in the tables.
            #[allow(clippy::cast_precision_loss)]
            Cost::OfAll(factor) => value * factor / number as f64,
            Cost::PerSecond(factor) => factor / value,
        }
    }
}

impl Work {
    fn item(&self, number: usize) -> Vec<String> {
        // About a hundred megabytes, and at most so many round trips.
        let often = ((100 << 20) / number.max(1)).clamp(5, 20_000);
        let word = |word: &str| match word {
            "#" => number.to_string(),
            "*" => often.to_string(),
            other => other.to_owned(),
        };
        self.item.split(' ').map(word).collect()
    }
}

impl Curve {
    /// How many times the median of a point is that of the one before, at most.
    pub(super) fn steepest(&self) -> f64 {
        let medians: Vec<f64> = self.points.iter().map(|(_, cost)| cost.median()).collect();
        let steps = medians.windows(2).map(|pair| pair[1] / pair[0].max(1e-9));
        steps.fold(0.0, f64::max)
    }
}

/// How many readings all drawings take.
pub(super) fn readings(rounds: usize) -> usize {
    let works = SWEEPS.iter().flat_map(|sweep| sweep.works);
    works.map(|work| work.numbers.len()).sum::<usize>() * rounds
}

/// Measures one drawing.
pub(super) fn grow(
    sweep: &'static Sweep,
    readings: &Readings<'_>,
    rounds: usize,
    progress: &mut Progress,
) -> Grown {
    let mut grown = Grown {
        sweep,
        curves: Vec::new(),
        skipped: Vec::new(),
    };
    for work in sweep.works {
        let mut curves: Vec<Curve> = work
            .lines
            .iter()
            .map(|line| Curve {
                name: line.name,
                points: Vec::new(),
            })
            .collect();
        for number in work.numbers {
            let item = work.item(*number);
            let mut taken = Vec::new();
            for round in 0..rounds {
                progress.next(item.join(" "));
                match readings.item(&item) {
                    Ok(numbers) => taken.push(numbers),
                    Err(failure) => {
                        grown.skipped.push(failure);
                        progress.skip(rounds - round - 1);
                        break;
                    }
                }
            }
            for (curve, line) in curves.iter_mut().zip(work.lines) {
                let of_one = |numbers: &Vec<f64>| {
                    let value = numbers.get(line.column)?;
                    Some(line.cost.of_one(*value, *number))
                };
                let costs = taken.iter().filter_map(of_one).collect();
                curve
                    .points
                    .extend(Spread::of(costs).map(|costs| (*number, costs)));
            }
        }
        grown.curves.extend(curves);
    }
    grown
}

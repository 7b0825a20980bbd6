//! What was found out about one column, and whether that is enough.
#![forbid(unsafe_code)]

use super::rows::{Better, Column, Group, Target};
use super::spread::Spread;

/// The readings of a group, by party: for each round the numbers of its columns.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) wharf: Vec<Vec<f64>>,
    pub(super) erlang: Vec<Vec<f64>>,
    pub(super) floor: Vec<Vec<f64>>,
    /// Why there are no more.
    pub(super) failure: Option<String>,
}

/// A column with its numbers.
pub(super) struct Outcome {
    pub(super) group: &'static Group,
    pub(super) column: &'static Column,
    pub(super) wharf: Option<Spread>,
    pub(super) erlang: Option<Spread>,
    /// How many times better wharf is than Erlang, pair by pair.
    pub(super) times_erlang: Option<Spread>,
    pub(super) floor: Option<Spread>,
    /// The same beside plain C.
    pub(super) times_floor: Option<Spread>,
    pub(super) failure: Option<String>,
}

impl Outcome {
    /// One for each column of the group.
    pub(super) fn all(group: &'static Group, taken: &Taken) -> Vec<Outcome> {
        let outcome = |(at, column): (usize, &'static Column)| {
            let wharf = numbers(&taken.wharf, Some(at));
            let erlang = numbers(&taken.erlang, Some(at));
            let floor = numbers(&taken.floor, column.floor);
            Outcome {
                group,
                column,
                times_erlang: times(column.better, &wharf, &erlang),
                times_floor: times(column.better, &wharf, &floor),
                wharf: Spread::of(wharf),
                erlang: Spread::of(erlang),
                floor: Spread::of(floor),
                failure: taken.failure.clone(),
            }
        };
        group.columns.iter().enumerate().map(outcome).collect()
    }

    /// Whether the target is reached. `None` where there is none, or nobody to compare with.
    pub(super) fn met(&self) -> Option<bool> {
        let at_least = |spread: &Option<Spread>, times: f64| {
            let median = spread.as_ref()?.median();
            Some(median >= times)
        };
        match self.column.target {
            Target::Erlang(times) => at_least(&self.times_erlang, times),
            Target::Floor(times) => at_least(&self.times_floor, times),
            Target::Limit(limit) => {
                let median = self.wharf.as_ref()?.median();
                Some(match self.column.better {
                    Better::More => median >= limit,
                    Better::Less => median <= limit,
                })
            }
            Target::None => None,
        }
    }
}

/// One column of the readings.
fn numbers(readings: &[Vec<f64>], column: Option<usize>) -> Vec<f64> {
    let Some(column) = column else {
        return Vec::new();
    };
    let number = |reading: &Vec<f64>| reading.get(column).copied();
    readings.iter().filter_map(number).collect()
}

fn times(better: Better, this: &[f64], other: &[f64]) -> Option<Spread> {
    let pairs = this.iter().zip(other);
    Spread::of(
        pairs
            .map(|(this, other)| better.times(*this, *other))
            .collect(),
    )
}

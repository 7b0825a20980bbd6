//! Outcomes as a table, for a terminal and as Markdown; what sweeps found as another.
#![forbid(unsafe_code)]

use super::outcome::Outcome;
use super::spread::{Spread, short};
use super::sweep::Grown;
use crate::print::Paint;

/// Which columns there are besides wharf's own, and how they are written.
#[derive(Clone, Copy)]
pub(super) struct Table {
    pub(super) erlang: bool,
    pub(super) floor: bool,
    pub(super) paint: Paint,
}

const NUMBER_WIDTH: usize = 16;
const NAME_WIDTH: usize = 48;
const SPREAD_WIDTH: usize = 24;
const TIMES_WIDTH: usize = 18;
const TARGET_WIDTH: usize = 16;

impl Table {
    fn cells(self, outcome: &Outcome) -> Vec<(String, usize)> {
        let spread = |spread: &Option<Spread>| match spread {
            Some(spread) => spread.to_string(),
            None => "–".to_owned(),
        };
        let mut cells = vec![
            (outcome.group.row.to_owned(), 4),
            (outcome.column.name.to_owned(), NAME_WIDTH),
            (outcome.column.unit.to_owned(), 5),
            (spread(&outcome.wharf), SPREAD_WIDTH),
        ];
        if self.erlang {
            cells.push((spread(&outcome.erlang), SPREAD_WIDTH));
            cells.push((spread(&outcome.times_erlang), TIMES_WIDTH));
        }
        if self.floor {
            cells.push((spread(&outcome.floor), SPREAD_WIDTH));
            cells.push((spread(&outcome.times_floor), TIMES_WIDTH));
        }
        cells.push((outcome.column.target_text(), TARGET_WIDTH));
        cells
    }

    fn titles(self) -> Vec<(&'static str, usize)> {
        let mut titles = vec![
            ("row", 4),
            ("median (least–most)", NAME_WIDTH),
            ("unit", 5),
            ("wharf", SPREAD_WIDTH),
        ];
        if self.erlang {
            titles.push(("OTP", SPREAD_WIDTH));
            titles.push(("times better", TIMES_WIDTH));
        }
        if self.floor {
            titles.push(("plain C", SPREAD_WIDTH));
            titles.push(("times better", TIMES_WIDTH));
        }
        titles.push(("target", TARGET_WIDTH));
        titles
    }

    /// The line above all.
    pub(super) fn head(self) -> String {
        let titles = self.titles();
        let line: Vec<String> = titles
            .iter()
            .map(|(title, width)| padded(title, *width))
            .collect();
        format!("{}\n", self.paint.bold(line.join(" ").trim_end()))
    }

    /// One line.
    pub(super) fn row(self, outcome: &Outcome) -> String {
        let cells = self.cells(outcome);
        let line: Vec<String> = cells
            .iter()
            .map(|(cell, width)| padded(cell, *width))
            .collect();
        let met = match outcome.met() {
            Some(true) => self.paint.green("met"),
            Some(false) => self.paint.red("missed"),
            None => String::new(),
        };
        let mut text = format!("{} {met}", line.join(" "));
        text.truncate(text.trim_end().len());
        if let Some(failure) = &outcome.failure {
            text += &format!("\n     {}", self.paint.red(failure));
        }
        text + "\n"
    }

    /// The whole table in Markdown.
    pub(super) fn markdown(self, outcomes: &[Outcome]) -> String {
        let mut titles: Vec<&str> = self.titles().iter().map(|(title, _)| *title).collect();
        titles.push("met");
        let mut text = format!(
            "| {} |\n|{}\n",
            titles.join(" | "),
            " --- |".repeat(titles.len())
        );
        for outcome in outcomes {
            let mut cells: Vec<String> = self
                .cells(outcome)
                .into_iter()
                .map(|(cell, _)| cell)
                .collect();
            cells.push(match (&outcome.failure, outcome.met()) {
                (Some(failure), _) => failure.replace('|', "\\|"),
                (None, Some(true)) => "yes".to_owned(),
                (None, Some(false)) => "no".to_owned(),
                (None, None) => "–".to_owned(),
            });
            text += &format!("| {} |\n", cells.join(" | "));
        }
        text
    }
}

/// Filled up with blanks, by what is seen of it.
fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    text.to_owned() + &" ".repeat(missing)
}

/// What a sweep found: a line for each number, a column for each curve.
pub(super) fn growth(grown: &Grown, paint: Paint) -> String {
    let mut numbers: Vec<usize> = grown
        .curves
        .iter()
        .flat_map(|curve| curve.points.iter().map(|(number, _)| *number))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let title = format!("{} ({} each)", grown.sweep.title, grown.sweep.unit);
    let mut text = format!("\n{}\n", paint.bold(title));
    let width = |name: &str| name.chars().count().max(SPREAD_WIDTH);
    text += &padded(grown.sweep.across, NUMBER_WIDTH);
    for curve in &grown.curves {
        text += &format!(" {}", padded(curve.name, width(curve.name)));
    }
    text += "\n";
    for number in numbers {
        text += &padded(&number.to_string(), NUMBER_WIDTH);
        for curve in &grown.curves {
            let point = curve.points.iter().find(|(of, _)| *of == number);
            let cell = point.map_or_else(|| "–".to_owned(), |(_, cost)| cost.to_string());
            text += &format!(" {}", padded(&cell, width(curve.name)));
        }
        text.truncate(text.trim_end().len());
        text += "\n";
    }
    text += &padded("steepest step", NUMBER_WIDTH);
    for curve in &grown.curves {
        let step = format!("× {}", short(curve.steepest()));
        text += &format!(" {}", padded(&step, width(curve.name)));
    }
    text.truncate(text.trim_end().len());
    text += "\n";
    for skipped in &grown.skipped {
        text += &format!("not measured: {skipped}\n");
    }
    text
}

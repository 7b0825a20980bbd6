//! Which rows are wanted: `1,4-7,12b,growth`.
#![forbid(unsafe_code)]

use super::rows::GROUPS;
use std::str::FromStr;

/// A choice of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Only {
    ranges: Vec<Range>,
    growth: bool,
}

/// Rows by their numbers; one of them alone may have a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Range {
    Numbers(u32, u32),
    Row(String),
}

impl Only {
    /// Whether the row is among them: `12` means `12b` as well.
    pub(super) fn row(&self, row: &str) -> bool {
        self.ranges.iter().any(|range| match range {
            Range::Numbers(first, last) => {
                number(row).is_some_and(|row| (*first..=*last).contains(&row))
            }
            Range::Row(wanted) => wanted == row,
        })
    }

    /// Whether the curves of growth are.
    pub(super) fn growth(&self) -> bool {
        self.growth
    }
}

/// The number of a row: 12 for `12b`.
fn number(row: &str) -> Option<u32> {
    row.trim_end_matches(|c: char| c.is_ascii_lowercase())
        .parse()
        .ok()
}

impl FromStr for Only {
    type Err = String;

    fn from_str(text: &str) -> Result<Only, String> {
        let mut only = Only {
            ranges: Vec::new(),
            growth: false,
        };
        for part in text.split(',').map(str::trim) {
            if part == "growth" {
                only.growth = true;
                continue;
            }
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let range = match (first.parse(), last.parse()) {
                (Ok(first), Ok(last)) => Range::Numbers(first, last),
                _ => Range::Row(part.to_owned()),
            };
            only.ranges.push(range);
            let last = Only {
                ranges: only.ranges[only.ranges.len() - 1..].to_vec(),
                growth: false,
            };
            if !GROUPS.iter().any(|group| last.row(group.row)) {
                return Err(format!(
                    "there is no row `{part}`; rows are 1 to 20, such as 4, 1-7 or 12b, and `growth`"
                ));
            }
        }
        Ok(only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_ranges_and_letters() {
        let only: Only = "1, 4-6,12b".parse().unwrap();
        let chosen = |row| only.row(row);
        assert!(chosen("1") && chosen("4") && chosen("5") && chosen("6") && chosen("12b"));
        assert!(!chosen("2") && !chosen("7") && !chosen("12") && !chosen("11"));
        assert!(!only.growth());
        let twelve: Only = "12,growth".parse().unwrap();
        assert!(twelve.row("12") && twelve.row("12b") && twelve.growth());
    }

    #[test]
    fn what_there_is_not_is_refused() {
        for text in ["", "0", "21", "x", "4-", "7-4", "12c"] {
            assert!(text.parse::<Only>().is_err(), "{text}");
        }
    }
}

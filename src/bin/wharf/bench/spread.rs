//! What several readings of one number say together: the median, the extremes, and a short way
//! to write them.
#![forbid(unsafe_code)]

/// At least one number.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    /// In the order in which they were read.
    readings: Vec<f64>,
    sorted: Vec<f64>,
}

impl Spread {
    /// `None` without any number.
    pub(super) fn of(readings: Vec<f64>) -> Option<Spread> {
        if readings.is_empty() {
            return None;
        }
        let mut sorted = readings.clone();
        sorted.sort_by(f64::total_cmp);
        Some(Spread { readings, sorted })
    }

    pub(super) fn median(&self) -> f64 {
        let number = self.sorted.len();
        f64::midpoint(self.sorted[(number - 1) / 2], self.sorted[number / 2])
    }

    pub(super) fn min(&self) -> f64 {
        self.sorted[0]
    }

    pub(super) fn max(&self) -> f64 {
        self.sorted[self.sorted.len() - 1]
    }

    /// In the order in which they were read.
    pub(super) fn readings(&self) -> &[f64] {
        &self.readings
    }
}

impl std::fmt::Display for Spread {
    /// `12.9 M (12.1 M–13.4 M)`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (median, min, max) = (short(self.median()), short(self.min()), short(self.max()));
        f.pad(&format!("{median} ({min}–{max})"))
    }
}

/// Three digits that count, and a letter for thousands and millions.
pub(super) fn short(value: f64) -> String {
    let (scaled, letter) = match value.abs() {
        large if large >= 999_500.0 => (value / 1e6, " M"),
        large if large >= 9_995.0 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let digits = match scaled.abs() {
        large if large >= 99.95 => 0,
        large if large >= 9.995 => 1,
        large if large >= 0.0995 => 2,
        _ => 3,
    };
    format!("{scaled:.digits$}{letter}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        let spread = Spread::of(vec![3.0, 1.0, 10.0]).unwrap();
        assert_eq!(
            (spread.median(), spread.min(), spread.max()),
            (3.0, 1.0, 10.0)
        );
        assert_eq!(Spread::of(vec![1.0, 2.0]).unwrap().median(), 1.5);
        assert_eq!(spread.readings(), [3.0, 1.0, 10.0]);
        assert!(Spread::of(Vec::new()).is_none());
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(short(15_234_000.0), "15.2 M");
        assert_eq!(short(999_700.0), "1.00 M");
        assert_eq!(short(431_000.0), "431 k");
        assert_eq!(short(1_344.0), "1344");
        assert_eq!(short(0.27), "0.27");
        assert_eq!(short(0.05), "0.050");
    }
}

//! Integers of any size and floats: making, comparing and printing them as Erlang does.
#![forbid(unsafe_code)]

use super::Term;
use num_bigint::{BigInt, Sign};
use std::cmp::Ordering;
use std::sync::Arc;

impl Term {
    /// An integer of any size.
    pub fn integer(value: BigInt) -> Term {
        match i64::try_from(&value) {
            Ok(small) => Term::Int(small),
            Err(_) => Term::BigInt(Arc::new(value)),
        }
    }

    /// The integer's value, whatever its size.
    pub fn to_big_int(&self) -> Option<BigInt> {
        match self {
            Term::Int(value) => Some(BigInt::from(*value)),
            Term::BigInt(value) => Some(BigInt::clone(value)),
            _ => None,
        }
    }
}

/// A number seen without a copy.
#[derive(Clone, Copy)]
pub(super) enum Number<'a> {
    Int(i64),
    Big(&'a BigInt),
    Float(f64),
}

impl<'a> Number<'a> {
    pub(super) fn of(term: &'a Term) -> Option<Number<'a>> {
        match term {
            Term::Int(value) => Some(Number::Int(*value)),
            Term::BigInt(value) => Some(Number::Big(value)),
            Term::Float(value) => Some(Number::Float(*value)),
            _ => None,
        }
    }

    /// By value: 1 and 1.0 are equal. Never rounds, so that the order is one.
    pub(super) fn compare(self, other: Number<'_>) -> Ordering {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a.cmp(&b),
            (Number::Float(a), Number::Float(b)) => compare_floats(a, b),
            (Number::Big(a), Number::Big(b)) => a.cmp(b),
            // A big one is beyond every i64, in the direction of its sign.
            (Number::Big(a), Number::Int(_)) => beyond(a),
            (Number::Int(_), Number::Big(b)) => beyond(b).reverse(),
            (Number::Int(a), Number::Float(b)) => compare_with_float(&Number::Int(a), b),
            (Number::Big(a), Number::Float(b)) => compare_with_float(&Number::Big(a), b),
            (Number::Float(a), b) => compare_with_float(&b, a).reverse(),
        }
    }

    /// As in the keys of maps: every integer before every float.
    pub(super) fn compare_exactly(self, other: Number<'_>) -> Ordering {
        let is_float = |number| matches!(number, Number::Float(_));
        is_float(self)
            .cmp(&is_float(other))
            .then_with(|| self.compare(other))
    }
}

fn beyond(big: &BigInt) -> Ordering {
    if big.sign() == Sign::Minus {
        Ordering::Less
    } else {
        Ordering::Greater
    }
}

/// Zeros are equal; NaN, which Erlang does not have, is equal to itself and above all.
fn compare_floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b)
        .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Up to here every integer has a float of its own.
const LOSSLESS_MAX: f64 = 9_007_199_254_740_992.0;

fn compare_with_float(integer: &Number<'_>, float: f64) -> Ordering {
    if !float.is_finite() {
        return if float == f64::NEG_INFINITY {
            Ordering::Greater
        } else {
            Ordering::Less
        };
    }
    match integer {
        // Rounding a larger integer cannot bring it below the float.
        #[allow(clippy::cast_precision_loss)]
        Number::Int(value) if float.abs() < LOSSLESS_MAX => compare_floats(*value as f64, float),
        Number::Int(value) => BigInt::from(*value).cmp(&truncate(float)),
        Number::Big(value) if float.abs() < LOSSLESS_MAX => beyond(value),
        Number::Big(value) => (*value).cmp(&truncate(float)),
        Number::Float(value) => compare_floats(*value, float),
    }
}

/// The whole part of a finite float, exactly.
pub(super) fn truncate(float: f64) -> BigInt {
    let bits = float.to_bits();
    let exponent = i64::try_from((bits >> 52) & 0x7FF).unwrap_or(0) - 1075;
    let fraction = bits & ((1 << 52) - 1) | 1 << 52;
    let magnitude = match exponent {
        0.. => BigInt::from(fraction) << exponent,
        -52..0 => BigInt::from(fraction >> -exponent),
        _ => BigInt::ZERO,
    };
    if float < 0.0 { -magnitude } else { magnitude }
}

/// The fewest digits that read back as this float, as `d.ddde±x`. Where two such numbers are
/// equally near, Rust takes the upper one and Erlang the even one, which rounding to that many
/// digits gives.
fn shortest(value: f64) -> String {
    let shortest = format!("{value:e}");
    let digits = shortest
        .bytes()
        .take_while(|byte| *byte != b'e')
        .filter(u8::is_ascii_digit)
        .count();
    let rounded = format!("{value:.*e}", digits.saturating_sub(1));
    if rounded.parse() == Ok(value) {
        rounded
    } else {
        shortest
    }
}

/// The shortest text that reads back as this float, laid out as OTP 25 does: whichever of plain
/// and scientific notation is shorter, and scientific where floats no longer tell whole numbers
/// apart.
pub fn float_text(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value == 0.0 {
        return format!("{sign}0.0");
    }
    let scientific = shortest(value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    // Where the point stands, counted from the first digit.
    let point = exponent + 1;
    let exponent_len = i64::try_from(exponent.to_string().len()).unwrap_or(0);
    let scientific_cost = exponent_len + 1 + if count == 1 { 2 } else { 1 };
    let zeros = |n: i64| "0".repeat(usize::try_from(n).unwrap_or(0));
    let plain = if value.abs() >= LOSSLESS_MAX {
        None
    } else if point <= 0 {
        (point == 0 || 2 - point <= scientific_cost).then(|| format!("0.{}{digits}", zeros(-point)))
    } else if point >= count {
        (point - count + 2 <= scientific_cost)
            .then(|| format!("{digits}{}.0", zeros(point - count)))
    } else {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
        Some(format!("{whole}.{fraction}"))
    };
    let text = plain.unwrap_or_else(|| {
        let (first, others) = digits.split_at(1);
        format!(
            "{first}.{}e{exponent}",
            if others.is_empty() { "0" } else { others }
        )
    });
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_otp_25() {
        for (value, text) in [
            (1.0, "1.0"),
            (1.0e10, "1.0e10"),
            (1.0e-5, "1.0e-5"),
            (1.0e22, "1.0e22"),
            (123_456_789.0, "123456789.0"),
            (0.1, "0.1"),
            (0.001, "0.001"),
            (0.0001, "0.0001"),
            (1.0e15, "1.0e15"),
            (-0.0, "-0.0"),
            (0.0, "0.0"),
            (1_234_567_890_123_456.0, "1234567890123456.0"),
            (12_345_678_901_234_567.0, "1.2345678901234568e16"),
            (5.0e-324, "5.0e-324"),
            (f64::MAX, "1.7976931348623157e308"),
            (100_000.0, "1.0e5"),
            (1.5e-7, "1.5e-7"),
            (0.000_123_45, "1.2345e-4"),
            (9_007_199_254_740_992.0, "9.007199254740992e15"),
            (-2.5, "-2.5"),
            (100.0, "100.0"),
            (1000.0, "1.0e3"),
            (23_677_462_250_259.563, "23677462250259.562"),
            (1200.0, "1.2e3"),
            (120_000.0, "1.2e5"),
        ] {
            assert_eq!(float_text(value), text);
        }
    }

    #[test]
    fn integers_and_floats_compare_without_rounding() {
        let int = Number::Int;
        assert_eq!(int(1).compare(Number::Float(1.0)), Ordering::Equal);
        assert_eq!(int(1).compare_exactly(Number::Float(0.5)), Ordering::Less);
        let limit = 1_i64 << 53;
        assert_eq!(
            int(limit + 1).compare(Number::Float(LOSSLESS_MAX)),
            Ordering::Greater
        );
        assert_eq!(
            int(i64::MAX).compare(Number::Float(9_223_372_036_854_775_808.0)),
            Ordering::Less
        );
        assert_eq!(
            int(i64::MIN).compare(Number::Float(-9_223_372_036_854_775_808.0)),
            Ordering::Equal
        );
        let big = BigInt::from(1) << 80;
        let as_float = Number::Float(1_208_925_819_614_629_174_706_176.0);
        assert_eq!(Number::Big(&big).compare(as_float), Ordering::Equal);
        assert_eq!(Number::Big(&(big + 1)).compare(as_float), Ordering::Greater);
        assert_eq!(Number::Float(f64::MAX).compare(int(1)), Ordering::Greater);
    }

    #[test]
    fn truncation_is_exact() {
        for (float, whole) in [
            (0.9, "0"),
            (-1.5, "-1"),
            (2_251_799_813_685_249.5, "2251799813685249"),
            (1e22, "10000000000000000000000"),
        ] {
            assert_eq!(truncate(float).to_string(), whole);
        }
    }

    #[test]
    fn big_integers_are_big_only_when_they_must() {
        assert!(matches!(
            Term::integer(BigInt::from(i64::MAX)),
            Term::Int(i64::MAX)
        ));
        assert!(matches!(
            Term::integer(BigInt::from(i64::MAX) + 1),
            Term::BigInt(_)
        ));
        assert!(matches!(Term::from(u64::MAX), Term::BigInt(_)));
    }
}

//! Numbers as text: floats with the fewest digits that read back, integers in the bases of `inspect`.
//!
//! Relies on Rust's shortest digits. Promises Elixir's choice between `100000.0` and `1.0e5`, which is not the same for
//! `inspect` and for `to_string`.
#![forbid(unsafe_code)]

/// The base integers are shown in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Base {
    /// `10`
    #[default]
    Decimal,
    /// `0b1010`
    Binary,
    /// `0o12`
    Octal,
    /// `0xA`
    Hexadecimal,
}

/// The sign, the significant digits (no zero at either end) and the decimal point's place: 0.`digits` × 10^place.
fn digits(float: f64) -> (bool, String, i32) {
    let text = format!("{:e}", float.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    (
        float.is_sign_negative(),
        digits,
        exponent.parse::<i32>().unwrap_or(0) + 1,
    )
}

/// What `to_string/1` and Erlang's `~p` write: the shorter of `1.0e5` and `100000.0`; the plain one when they are alike.
pub(crate) fn float_to_string(float: f64) -> String {
    if float == 0.0 {
        return if float.is_sign_negative() {
            "-0.0"
        } else {
            "0.0"
        }
        .to_owned();
    }
    let (negative, digits, place) = digits(float);
    let plain = plain(&digits, place);
    let scientific = scientific(&digits, place);
    let exact = float.abs() < 9_007_199_254_740_992.0;
    let body = if exact && plain.len() <= scientific.len() {
        plain
    } else {
        scientific
    };
    if negative { format!("-{body}") } else { body }
}

/// What `inspect/1` writes: plain from 1.0 up to 1.0e16, and as `to_string/1` elsewhere.
pub(crate) fn inspect_float(float: f64) -> String {
    if (1.0..1.0e16).contains(&float.abs()) {
        let (negative, digits, place) = digits(float);
        let body = plain(&digits, place);
        if negative { format!("-{body}") } else { body }
    } else {
        float_to_string(float)
    }
}

fn plain(digits: &str, place: i32) -> String {
    let Ok(whole) = usize::try_from(place) else {
        return format!("0.{}{digits}", "0".repeat(place.unsigned_abs() as usize));
    };
    match digits.len() {
        _ if whole == 0 => format!("0.{digits}"),
        length if length <= whole => format!("{digits}{}.0", "0".repeat(whole - length)),
        _ => format!("{}.{}", &digits[..whole], &digits[whole..]),
    }
}

fn scientific(digits: &str, place: i32) -> String {
    let fraction = if digits.len() == 1 { "0" } else { &digits[1..] };
    format!("{}.{fraction}e{}", &digits[..1], place - 1)
}

/// An integer of any size, given as its decimal text's value, in `base`.
pub(crate) fn inspect_integer(integer: i64, base: Base) -> String {
    let sign = if integer < 0 { "-" } else { "" };
    let size = integer.unsigned_abs();
    match base {
        Base::Decimal => integer.to_string(),
        Base::Binary => format!("{sign}0b{size:b}"),
        Base::Octal => format!("{sign}0o{size:o}"),
        Base::Hexadecimal => format!("{sign}0x{size:X}"),
    }
}

/// The same for an integer that does not fit 64 bits.
pub(crate) fn inspect_big(integer: &num_bigint::BigInt, base: Base) -> String {
    let (radix, prefix) = match base {
        Base::Decimal => return integer.to_string(),
        Base::Binary => (2, "0b"),
        Base::Octal => (8, "0o"),
        Base::Hexadecimal => (16, "0x"),
    };
    let sign = if integer.sign() == num_bigint::Sign::Minus {
        "-"
    } else {
        ""
    };
    format!(
        "{sign}{prefix}{}",
        integer.magnitude().to_str_radix(radix).to_uppercase()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_elixir_does() {
        for (float, string, inspected) in [
            (0.0, "0.0", "0.0"),
            (-0.0, "-0.0", "-0.0"),
            (1.0e10, "1.0e10", "10000000000.0"),
            (100.0, "100.0", "100.0"),
            (1.0e15, "1.0e15", "1000000000000000.0"),
            (1.0e16, "1.0e16", "1.0e16"),
            (12_345_678_901_234.5, "12345678901234.5", "12345678901234.5"),
            (1.0e5, "1.0e5", "100000.0"),
            (1.0e-5, "1.0e-5", "1.0e-5"),
            (1.2e-4, "1.2e-4", "1.2e-4"),
            (0.0001, "0.0001", "0.0001"),
            (
                9_007_199_254_740_992.0,
                "9.007199254740992e15",
                "9007199254740992.0",
            ),
            (
                1_234_567_890_123_456.0,
                "1234567890123456.0",
                "1234567890123456.0",
            ),
            (0.012345, "0.012345", "0.012345"),
            (-1.23e7, "-1.23e7", "-12300000.0"),
            (5.0e-324, "5.0e-324", "5.0e-324"),
        ] {
            assert_eq!(float_to_string(float), string);
            assert_eq!(inspect_float(float), inspected);
        }
    }
}

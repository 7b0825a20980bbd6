//! `Integer`, `Float` and `Bitwise`.
//!
//! Relies on `number`, `convert` and the language's operators. Promises Elixir's results for negative operands.
#![forbid(unsafe_code)]

use super::argument::{Answer, big, binary, integer};
use super::number::{finite, floor_div_mod, is_integer, to_float};
use super::{Entry, convert, table};
use crate::inspect::number::float_to_string;
use crate::lang::native::Context;
use crate::lang::operators::{BinaryOp, UnaryOp};
use crate::lang::throw::Throw;
use num_bigint::{BigInt, Sign};
use wharf::term::Term;

fn parse(_: &mut Context, args: &[Term]) -> Answer {
    let Term::Binary(text) = &args[0] else {
        return Err(Throw::function_clause("Integer", "parse", args));
    };
    let base = match args.get(1) {
        None => 10,
        Some(Term::Int(base)) if (2..=36).contains(base) => u32::try_from(*base).unwrap_or(10),
        Some(base) => {
            return Err(Throw::argument_error(&format!(
                "invalid base {}",
                crate::inspect::inspect(base)
            )));
        }
    };
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let digits = text[sign..]
        .iter()
        .take_while(|byte| char::from(**byte).is_digit(base))
        .count();
    Ok(match convert::parse_integer(&text[..sign + digits], base) {
        Some(value) => Term::tuple([value, Term::Binary(text.slice(sign + digits..text.len()))]),
        None => Term::atom("error"),
    })
}

fn digits(_: &mut Context, args: &[Term]) -> Answer {
    let wrong = || Throw::function_clause("Integer", "digits", args);
    let mut rest = big(&args[0]).ok_or_else(wrong)?;
    let base = match args.get(1) {
        None => BigInt::from(10),
        Some(Term::Int(base)) if *base >= 2 => BigInt::from(*base),
        Some(_) => return Err(wrong()),
    };
    let mut digits = Vec::new();
    while digits.is_empty() || rest.sign() != Sign::NoSign {
        digits.push(Term::integer(&rest % &base));
        rest /= &base;
    }
    digits.reverse();
    Ok(Term::list(digits))
}

fn undigits(_: &mut Context, args: &[Term]) -> Answer {
    let wrong = || Throw::function_clause("Integer", "undigits", args);
    let base = args
        .get(1)
        .map_or(Some(BigInt::from(10)), big)
        .ok_or_else(wrong)?;
    let mut value = BigInt::from(0);
    for digit in args[0].to_list_vec().ok_or_else(wrong)? {
        value = value * &base + big(&digit).ok_or_else(wrong)?;
    }
    Ok(Term::integer(value))
}

fn gcd(_: &mut Context, args: &[Term]) -> Answer {
    let (Some(mut left), Some(mut right)) = (big(&args[0]), big(&args[1])) else {
        return Err(Throw::function_clause("Integer", "gcd", args));
    };
    while right.sign() != Sign::NoSign {
        let remainder = &left % &right;
        left = std::mem::replace(&mut right, remainder);
    }
    Ok(Term::integer(BigInt::from(left.magnitude().clone())))
}

fn power(_: &mut Context, args: &[Term]) -> Answer {
    match (&args[0], &args[1]) {
        (base, Term::Int(exponent)) if is_integer(base) && *exponent < 0 => {
            Err(Throw::arithmetic())
        }
        (base, exponent) if is_integer(base) && is_integer(exponent) => {
            BinaryOp::Power.apply(base, exponent)
        }
        _ => Err(Throw::function_clause("Integer", "pow", args)),
    }
}

fn is_even(args: &[Term]) -> Answer {
    Ok((BinaryOp::BitAnd.apply(&args[0], &Term::Int(1))? == Term::Int(0)).into())
}

/// The functions of `Integer`.
pub(crate) const INTEGER: &[Entry] = table! {
    "parse"/1 => parse, "Integer.parse(string): {integer, rest} or :error";
    "parse"/2 => parse, "Integer.parse(string, base): {integer, rest} or :error";
    "to_string"/1 => convert::integer_to_binary, "Integer.to_string(integer)";
    "to_string"/2 => convert::integer_to_binary, "Integer.to_string(integer, base)";
    "to_charlist"/1 => convert::integer_to_list, "Integer.to_charlist(integer)";
    "to_charlist"/2 => convert::integer_to_list, "Integer.to_charlist(integer, base)";
    "digits"/1 => digits, "Integer.digits(integer): its decimal digits";
    "digits"/2 => digits, "Integer.digits(integer, base)";
    "undigits"/1 => undigits, "Integer.undigits(digits): the integer of decimal digits";
    "undigits"/2 => undigits, "Integer.undigits(digits, base)";
    "floor_div"/2 => |_, args| floor_div_mod(&args[0], &args[1]).map(|(quotient, _)| quotient), "Integer.floor_div(dividend, divisor): rounded down";
    "mod"/2 => |_, args| floor_div_mod(&args[0], &args[1]).map(|(_, modulo)| modulo), "Integer.mod(dividend, divisor): with the divisor's sign";
    "pow"/2 => power, "Integer.pow(base, exponent)";
    "gcd"/2 => gcd, "Integer.gcd(left, right): the greatest common divisor";
    "is_even"/1 => |_, args| is_even(args), "Integer.is_even(integer)";
    "is_odd"/1 => |_, args| is_even(args).map(|even| (!even.is_true()).into()), "Integer.is_odd(integer)";
};

macro_rules! operator {
    ($operator:ident) => {
        |_, args| BinaryOp::$operator.apply(&args[0], &args[1])
    };
}

/// The functions of `Bitwise`, which `:erlang` has too; the language has its operators.
pub(crate) const BITWISE: &[Entry] = table! {
    "band"/2 => operator!(BitAnd), "band(left, right): bitwise and";
    "bor"/2 => operator!(BitOr), "bor(left, right): bitwise or";
    "bxor"/2 => operator!(BitXor), "bxor(left, right): bitwise exclusive or";
    "bsl"/2 => operator!(ShiftLeft), "bsl(integer, places): shifted to the left";
    "bsr"/2 => operator!(ShiftRight), "bsr(integer, places): shifted to the right";
    "bnot"/1 => |_, args| UnaryOp::BitNot.apply(&args[0]), "bnot(integer): bitwise not";
};

fn parse_float(_: &mut Context, args: &[Term]) -> Answer {
    let text = binary(args, 1)?;
    let digits = |from: usize| {
        text[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let whole = digits(sign);
    if whole == 0 {
        return Ok(Term::atom("error"));
    }
    let mut end = sign + whole;
    if text.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
        if matches!(text.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits((end + 1 + sign).min(text.len()));
            if exponent > 0 {
                end += 1 + sign + exponent;
            }
        }
    }
    let number = std::str::from_utf8(&text[..end])
        .ok()
        .and_then(|number| number.parse::<f64>().ok());
    match number.filter(|number| number.is_finite()) {
        Some(number) => Ok(Term::tuple([
            Term::Float(number),
            Term::Binary(text.slice(end..text.len())),
        ])),
        None => Err(super::argument::bad(
            1,
            "not a textual representation of a float",
        )),
    }
}

/// Rounds to so many decimals. The decimal digits of the exact value decide, as in Elixir: 2.675 is a little less.
fn decimals(
    args: &[Term],
    function: &str,
    how: fn(f64) -> f64,
    direction: std::cmp::Ordering,
) -> Answer {
    let full = [
        args[0].clone(),
        args.get(1).cloned().unwrap_or(Term::Int(0)),
    ];
    let Term::Float(float) = full[0] else {
        return Err(Throw::function_clause("Float", function, &full));
    };
    let Some(places @ 0..=15) = full[1].as_int() else {
        return Err(Throw::argument_error(&format!(
            "precision {} is out of valid range of 0..15",
            crate::inspect::inspect(&full[1])
        )));
    };
    if places == 0 {
        return finite(how(float));
    }
    let places = usize::try_from(places).unwrap_or(0);
    // Thirty decimals more than asked for say on which side of the rounded value the float lies.
    let exact = format!("{float:.0$}", places + 60);
    let cut = exact.len() - 60;
    let (kept, dropped) = exact.split_at(cut);
    let mut digits: BigInt = kept.replace('.', "").parse().unwrap_or_default();
    let negative = kept.starts_with('-');
    let rest = dropped.bytes().any(|digit| digit != b'0');
    let away = match direction {
        std::cmp::Ordering::Equal => dropped
            .as_bytes()
            .first()
            .is_some_and(|digit| *digit >= b'5'),
        std::cmp::Ordering::Greater => rest && !negative,
        std::cmp::Ordering::Less => rest && negative,
    };
    if away {
        digits += if negative { -1 } else { 1 };
    }
    let text = format!("{digits}e-{places}");
    let rounded = text.parse::<f64>().unwrap_or(float);
    finite(if rounded == 0.0 && negative {
        -0.0
    } else {
        rounded
    })
}

fn ratio(_: &mut Context, args: &[Term]) -> Answer {
    let Term::Float(float) = args[0] else {
        return Err(Throw::function_clause("Float", "ratio", args));
    };
    let bits = float.to_bits();
    let exponent = i64::try_from((bits >> 52) & 0x7FF).unwrap_or(0);
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) = if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, exponent - 1075)
    };
    let sign = if float.is_sign_negative() { -1 } else { 1 };
    let zeros = i64::from(mantissa.trailing_zeros().min(63)).min((-exponent).max(0));
    let numerator = BigInt::from(mantissa >> zeros) * sign;
    let exponent = exponent + zeros;
    let shift = usize::try_from(exponent.unsigned_abs()).unwrap_or(0);
    Ok(if mantissa == 0 {
        Term::tuple([Term::Int(0), Term::Int(1)])
    } else if exponent >= 0 {
        Term::tuple([Term::integer(numerator << shift), Term::Int(1)])
    } else {
        Term::tuple([
            Term::integer(numerator),
            Term::integer(BigInt::from(1) << shift),
        ])
    })
}

fn float_text(args: &[Term]) -> Result<String, Throw> {
    match &args[0] {
        Term::Float(float) => Ok(float_to_string(*float)),
        _ => Err(super::argument::bad(1, "not a float")),
    }
}

/// The functions of `Float`.
pub(crate) const FLOAT: &[Entry] = table! {
    "parse"/1 => parse_float, "Float.parse(string): {float, rest} or :error";
    "round"/1 => |_, args| decimals(args, "round", f64::round, std::cmp::Ordering::Equal), "Float.round(float)";
    "round"/2 => |_, args| decimals(args, "round", f64::round, std::cmp::Ordering::Equal), "Float.round(float, precision): to so many decimals";
    "ceil"/1 => |_, args| decimals(args, "ceil", f64::ceil, std::cmp::Ordering::Greater), "Float.ceil(float)";
    "ceil"/2 => |_, args| decimals(args, "ceil", f64::ceil, std::cmp::Ordering::Greater), "Float.ceil(float, precision)";
    "floor"/1 => |_, args| decimals(args, "floor", f64::floor, std::cmp::Ordering::Less), "Float.floor(float)";
    "floor"/2 => |_, args| decimals(args, "floor", f64::floor, std::cmp::Ordering::Less), "Float.floor(float, precision)";
    "ratio"/1 => ratio, "Float.ratio(float): {numerator, denominator}, exactly";
    "pow"/2 => |_, args| finite(to_float(&args[0])?.powf(to_float(&args[1])?)), "Float.pow(base, exponent)";
    "to_string"/1 => |_, args| float_text(args).map(|text| Term::from(text.as_str())), "Float.to_string(float)";
    "to_charlist"/1 => |_, args| float_text(args).map(|text| Term::charlist(&text)), "Float.to_charlist(float)";
};

/// The integer at place 1 that must not be negative, for `:timer`'s units.
pub(crate) fn multiplied(args: &[Term], by: i64) -> Answer {
    BinaryOp::Multiply.apply(&Term::Int(integer(args, 1)?), &Term::Int(by))
}

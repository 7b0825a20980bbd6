//! Numbers: rounding, sizes, extremes, and division that rounds down; the operators themselves are the language's.
//!
//! Relies on `lang::operators`. Promises `:badarith` (`ArithmeticError`) or `:badarg` as Erlang's functions have them.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad, big};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use num_bigint::{BigInt, Sign};
use std::cmp::Ordering;
use wharf::term::Term;

/// The number as a float.
pub(crate) fn to_float(term: &Term) -> Result<f64, Throw> {
    let float = match term {
        #[allow(clippy::cast_precision_loss)]
        Term::Int(integer) => *integer as f64,
        Term::Float(float) => *float,
        Term::BigInt(integer) => integer.to_string().parse().unwrap_or(f64::INFINITY),
        _ => return Err(Throw::arithmetic()),
    };
    if float.is_finite() {
        Ok(float)
    } else {
        Err(Throw::arithmetic())
    }
}

/// A float as a term, if it is in a float's range.
pub(crate) fn finite(float: f64) -> Answer {
    if float.is_finite() {
        Ok(Term::Float(float))
    } else {
        Err(Throw::arithmetic())
    }
}

/// `abs(number)`
pub(crate) fn abs(_: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        Term::Int(integer) => Ok(integer
            .checked_abs()
            .map_or_else(|| Term::integer(-BigInt::from(*integer)), Term::Int)),
        Term::BigInt(integer) => Ok(Term::integer(BigInt::from(integer.magnitude().clone()))),
        Term::Float(float) => Ok(Term::Float(float.abs())),
        _ => Err(bad(1, "not a number")),
    }
}

/// `round(number)`
pub(crate) fn round(_: &mut Context, args: &[Term]) -> Answer {
    to_whole(&args[0], f64::round)
}

/// `trunc(number)`
pub(crate) fn trunc(_: &mut Context, args: &[Term]) -> Answer {
    to_whole(&args[0], f64::trunc)
}

/// `floor(number)`
pub(crate) fn floor(_: &mut Context, args: &[Term]) -> Answer {
    to_whole(&args[0], f64::floor)
}

/// `ceil(number)`
pub(crate) fn ceil(_: &mut Context, args: &[Term]) -> Answer {
    to_whole(&args[0], f64::ceil)
}

fn to_whole(number: &Term, how: fn(f64) -> f64) -> Answer {
    match number {
        Term::Int(_) | Term::BigInt(_) => Ok(number.clone()),
        Term::Float(float) => {
            let digits = format!("{:.0}", how(*float));
            Ok(digits.parse::<BigInt>().map_or(Term::Int(0), Term::integer))
        }
        _ => Err(bad(1, "not a number")),
    }
}

/// Whether the term is an integer of any size.
pub(crate) fn is_integer(term: &Term) -> bool {
    matches!(term, Term::Int(_) | Term::BigInt(_))
}

/// Whether the term is an integer or a float.
pub(crate) fn is_number(term: &Term) -> bool {
    is_integer(term) || matches!(term, Term::Float(_))
}

/// `max(left, right)`, of any terms
pub(crate) fn max(_: &mut Context, args: &[Term]) -> Answer {
    Ok(if args[0].compare(&args[1]) == Ordering::Less {
        &args[1]
    } else {
        &args[0]
    }
    .clone())
}

/// `min(left, right)`, of any terms
pub(crate) fn min(_: &mut Context, args: &[Term]) -> Answer {
    Ok(if args[0].compare(&args[1]) == Ordering::Greater {
        &args[1]
    } else {
        &args[0]
    }
    .clone())
}

/// Quotient and remainder that round down, of integers.
pub(crate) fn floor_div_mod(left: &Term, right: &Term) -> Result<(Term, Term), Throw> {
    let (Some(left), Some(right)) = (big(left), big(right)) else {
        return Err(Throw::arithmetic());
    };
    if right.sign() == Sign::NoSign {
        return Err(Throw::arithmetic());
    }
    let (mut quotient, mut remainder) = (&left / &right, &left % &right);
    if remainder.sign() != Sign::NoSign && remainder.sign() != right.sign() {
        quotient -= 1;
        remainder += right;
    }
    Ok((Term::integer(quotient), Term::integer(remainder)))
}

/// The random numbers of scripts: SplitMix64, seeded from the hasher's own randomness.
pub(crate) fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    thread_local! {
        static STATE: std::cell::Cell<u64> = std::cell::Cell::new(RandomState::new().hash_one(0));
    }
    STATE.with(|state| {
        let seed = state.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        state.set(seed);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    })
}

/// A random number below `bound`, which is not 0.
pub(crate) fn random_below(bound: usize) -> usize {
    let wide = u128::from(random()) * bound as u128;
    usize::try_from(wide >> 64).unwrap_or(0)
}

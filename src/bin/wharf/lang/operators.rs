//! Operators on terms: arithmetic without bounds, comparison, lists, binaries, bits.
//!
//! Relies on terms. Promises Erlang's results and Erlang's errors (`:badarith`, `:badarg`).
#![forbid(unsafe_code)]

use super::throw::Throw;
use num_bigint::BigInt;
use std::cmp::Ordering;
use wharf::term::{Binary, Term, atom};

/// Operators with two operands that evaluate both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    IntegerDivide,
    Remainder,
    Equal,
    NotEqual,
    Exactly,
    NotExactly,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Append,
    Without,
    Concat,
    In,
    NotIn,
    Matches,
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnaryOp {
    Negate,
    Plus,
    /// `not`: booleans only.
    Not,
    /// `!`: anything.
    Falsy,
    BitNot,
}

impl BinaryOp {
    /// The operator that is written so, and `div` and `rem`.
    pub(crate) fn named(name: &str) -> Option<BinaryOp> {
        Some(match name {
            "+" => BinaryOp::Add,
            "-" => BinaryOp::Subtract,
            "*" => BinaryOp::Multiply,
            "/" => BinaryOp::Divide,
            "**" => BinaryOp::Power,
            "div" => BinaryOp::IntegerDivide,
            "rem" => BinaryOp::Remainder,
            "==" => BinaryOp::Equal,
            "!=" => BinaryOp::NotEqual,
            "===" => BinaryOp::Exactly,
            "!==" => BinaryOp::NotExactly,
            "<" => BinaryOp::Less,
            "<=" => BinaryOp::LessOrEqual,
            ">" => BinaryOp::Greater,
            ">=" => BinaryOp::GreaterOrEqual,
            "++" => BinaryOp::Append,
            "--" => BinaryOp::Without,
            "<>" => BinaryOp::Concat,
            "in" => BinaryOp::In,
            "not in" => BinaryOp::NotIn,
            "=~" => BinaryOp::Matches,
            "&&&" | "band" => BinaryOp::BitAnd,
            "|||" | "bor" => BinaryOp::BitOr,
            "^^^" | "bxor" => BinaryOp::BitXor,
            "<<<" | "bsl" => BinaryOp::ShiftLeft,
            ">>>" | "bsr" => BinaryOp::ShiftRight,
            _ => return None,
        })
    }

    /// Applies the operator.
    pub(crate) fn apply(self, left: &Term, right: &Term) -> Result<Term, Throw> {
        // Small integers first: loops live here.
        if let (Term::Int(a), Term::Int(b)) = (left, right) {
            let result = match self {
                BinaryOp::Add => a.checked_add(*b).map(Term::Int),
                BinaryOp::Subtract => a.checked_sub(*b).map(Term::Int),
                BinaryOp::Multiply => a.checked_mul(*b).map(Term::Int),
                BinaryOp::IntegerDivide => a.checked_div(*b).map(Term::Int),
                BinaryOp::Remainder => a.checked_rem(*b).map(Term::Int),
                BinaryOp::Equal | BinaryOp::Exactly => Some(Term::boolean(a == b)),
                BinaryOp::NotEqual | BinaryOp::NotExactly => Some(Term::boolean(a != b)),
                BinaryOp::Less => Some(Term::boolean(a < b)),
                BinaryOp::LessOrEqual => Some(Term::boolean(a <= b)),
                BinaryOp::Greater => Some(Term::boolean(a > b)),
                BinaryOp::GreaterOrEqual => Some(Term::boolean(a >= b)),
                BinaryOp::BitAnd => Some(Term::Int(a & b)),
                BinaryOp::BitOr => Some(Term::Int(a | b)),
                BinaryOp::BitXor => Some(Term::Int(a ^ b)),
                _ => None,
            };
            if let Some(result) = result {
                return Ok(result);
            }
        }
        match self {
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => {
                arithmetic(self, left, right)
            }
            BinaryOp::Power => power(left, right),
            BinaryOp::IntegerDivide
            | BinaryOp::Remainder
            | BinaryOp::BitAnd
            | BinaryOp::BitOr
            | BinaryOp::BitXor => integers(self, left, right),
            BinaryOp::ShiftLeft | BinaryOp::ShiftRight => shift(self, left, right),
            BinaryOp::Equal => Ok(Term::boolean(left.loosely_equals(right))),
            BinaryOp::NotEqual => Ok(Term::boolean(!left.loosely_equals(right))),
            BinaryOp::Exactly => Ok(Term::boolean(left == right)),
            BinaryOp::NotExactly => Ok(Term::boolean(left != right)),
            BinaryOp::Less => Ok(Term::boolean(left.compare(right) == Ordering::Less)),
            BinaryOp::LessOrEqual => Ok(Term::boolean(left.compare(right) != Ordering::Greater)),
            BinaryOp::Greater => Ok(Term::boolean(left.compare(right) == Ordering::Greater)),
            BinaryOp::GreaterOrEqual => Ok(Term::boolean(left.compare(right) != Ordering::Less)),
            BinaryOp::Append => append(left, right),
            BinaryOp::Without => without(left, right),
            BinaryOp::Concat => concat(left, right),
            BinaryOp::In | BinaryOp::NotIn => {
                let found = membership(left, right)?;
                Ok(Term::boolean(found == (self == BinaryOp::In)))
            }
            BinaryOp::Matches => contains(left, right),
        }
    }
}

impl UnaryOp {
    pub(crate) fn apply(self, operand: &Term) -> Result<Term, Throw> {
        match (self, operand) {
            (UnaryOp::Negate, Term::Float(value)) => Ok(Term::Float(-value)),
            (UnaryOp::Negate, _) => Ok(Term::integer(-big(operand).ok_or_else(Throw::arithmetic)?)),
            (UnaryOp::Plus, Term::Float(_) | Term::Int(_) | Term::BigInt(_)) => Ok(operand.clone()),
            (UnaryOp::Plus, _) => Err(Throw::arithmetic()),
            (UnaryOp::Not, _) => match boolean(operand) {
                Some(value) => Ok(Term::boolean(!value)),
                None => Err(Throw::badarg(None)),
            },
            (UnaryOp::Falsy, _) => Ok(Term::boolean(!truthy(operand))),
            (UnaryOp::BitNot, _) => Ok(Term::integer(!big(operand).ok_or_else(Throw::arithmetic)?)),
        }
    }
}

/// Anything but `false` and `nil`.
pub(crate) fn truthy(term: &Term) -> bool {
    !matches!(term, Term::Atom(atom::FALSE | atom::NIL))
}

/// `true` or `false`, if the term is one of them.
pub(crate) fn boolean(term: &Term) -> Option<bool> {
    term.as_bool()
}

/// The integer, whatever its size.
pub(crate) fn big(term: &Term) -> Option<BigInt> {
    match term {
        Term::Int(value) => Some(BigInt::from(*value)),
        Term::BigInt(value) => Some((**value).clone()),
        _ => None,
    }
}

/// The number as a float; `None` for other terms and for integers beyond all floats.
pub(crate) fn float(term: &Term) -> Option<f64> {
    match term {
        Term::Float(value) => Some(*value),
        // Rounds as Erlang does.
        #[allow(clippy::cast_precision_loss)]
        Term::Int(value) => Some(*value as f64),
        Term::BigInt(value) => value
            .to_string()
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite()),
        _ => None,
    }
}

fn arithmetic(op: BinaryOp, left: &Term, right: &Term) -> Result<Term, Throw> {
    if op != BinaryOp::Divide
        && let (Some(a), Some(b)) = (big(left), big(right))
    {
        return Ok(Term::integer(match op {
            BinaryOp::Add => a + b,
            BinaryOp::Subtract => a - b,
            _ => a * b,
        }));
    }
    let (Some(a), Some(b)) = (float(left), float(right)) else {
        return Err(Throw::arithmetic());
    };
    let value = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        _ if b == 0.0 => return Err(Throw::arithmetic()),
        _ => a / b,
    };
    // Erlang has no infinities.
    if value.is_finite() {
        Ok(Term::Float(value))
    } else {
        Err(Throw::arithmetic())
    }
}

/// How many bits a computed integer may have: far beyond use, well before memory ends.
const BITS_MAX: u64 = 1 << 24;

fn power(left: &Term, right: &Term) -> Result<Term, Throw> {
    if let (Some(base), Term::Int(exponent)) = (big(left), right)
        && let Ok(exponent) = u32::try_from(*exponent)
    {
        if base.bits().saturating_mul(u64::from(exponent)) > BITS_MAX {
            return Err(Throw::error(Term::atom("system_limit")));
        }
        return Ok(Term::integer(base.pow(exponent)));
    }
    let (Some(a), Some(b)) = (float(left), float(right)) else {
        return Err(Throw::arithmetic());
    };
    let value = a.powf(b);
    if value.is_finite() {
        Ok(Term::Float(value))
    } else {
        Err(Throw::arithmetic())
    }
}

fn integers(op: BinaryOp, left: &Term, right: &Term) -> Result<Term, Throw> {
    let (Some(a), Some(b)) = (big(left), big(right)) else {
        return Err(Throw::arithmetic());
    };
    let divides = matches!(op, BinaryOp::IntegerDivide | BinaryOp::Remainder);
    if divides && b == BigInt::ZERO {
        return Err(Throw::arithmetic());
    }
    Ok(Term::integer(match op {
        BinaryOp::IntegerDivide => a / b,
        BinaryOp::Remainder => a % b,
        BinaryOp::BitAnd => a & b,
        BinaryOp::BitOr => a | b,
        _ => a ^ b,
    }))
}

fn shift(op: BinaryOp, left: &Term, right: &Term) -> Result<Term, Throw> {
    let (Some(value), Term::Int(by)) = (big(left), right) else {
        return Err(Throw::arithmetic());
    };
    let by = if op == BinaryOp::ShiftLeft {
        *by
    } else {
        by.saturating_neg()
    };
    let count = by.unsigned_abs();
    if by >= 0 {
        if value != BigInt::ZERO && value.bits().saturating_add(count) > BITS_MAX {
            return Err(Throw::error(Term::atom("system_limit")));
        }
        return Ok(Term::integer(value << count));
    }
    Ok(Term::integer(value >> count.min(BITS_MAX * 2)))
}

fn append(left: &Term, right: &Term) -> Result<Term, Throw> {
    if matches!(left, Term::Nil) {
        return Ok(right.clone());
    }
    let items = left.to_list_vec().ok_or_else(|| Throw::badarg(None))?;
    Ok(Term::improper(items, right.clone()))
}

fn without(left: &Term, right: &Term) -> Result<Term, Throw> {
    let (Some(mut items), Some(gone)) = (left.to_list_vec(), right.to_list_vec()) else {
        return Err(Throw::badarg(None));
    };
    for item in gone {
        if let Some(index) = items.iter().position(|other| *other == item) {
            items.remove(index);
        }
    }
    Ok(Term::list(items))
}

fn concat(left: &Term, right: &Term) -> Result<Term, Throw> {
    let (a, b) = (piece(left, 1)?, piece(right, 2)?);
    let mut bytes = Vec::with_capacity(a.len() + b.len());
    bytes.extend_from_slice(a);
    bytes.extend_from_slice(b);
    Ok(Term::from(Binary::from(bytes)))
}

fn piece(term: &Term, segment: usize) -> Result<&Binary, Throw> {
    term.as_binary()
        .ok_or_else(|| bad_segment(segment, "binary", "a binary", term))
}

/// Erlang's words for a value that does not fit into its part of a binary.
pub(crate) fn bad_segment(segment: usize, sort: &str, expected: &str, value: &Term) -> Throw {
    let shown = crate::inspect::inspect(value);
    let detail = format!(
        "construction of binary failed: segment {segment} of type '{sort}': expected {expected} but got: {shown}"
    );
    Throw::badarg(Some(&detail))
}

/// `left in right`, for lists and ranges.
pub(crate) fn membership(left: &Term, right: &Term) -> Result<bool, Throw> {
    if let Some((first, last, step)) = super::enumerable::range(right) {
        let Term::Int(value) = left else {
            return Ok(false);
        };
        let inside = if step > 0 {
            first <= *value && *value <= last
        } else {
            last <= *value && *value <= first
        };
        return Ok(inside && step != 0 && value.wrapping_sub(first).wrapping_rem(step) == 0);
    }
    let items = match right {
        Term::Map(map) => {
            return Ok(left
                .as_tuple()
                .is_some_and(|pair| pair.len() == 2 && map.get(&pair[0]) == Some(&pair[1])));
        }
        _ => right.to_list_vec(),
    };
    let items = items.ok_or_else(|| super::exception::protocol_undefined("Enumerable", right))?;
    Ok(items.contains(left))
}

/// `left =~ right`: does the string hold this text?
fn contains(left: &Term, right: &Term) -> Result<Term, Throw> {
    let (Some(text), Some(part)) = (left.as_binary(), right.as_binary()) else {
        return Err(Throw::function_clause(
            "Kernel",
            "=~",
            &[left.clone(), right.clone()],
        ));
    };
    Ok(Term::boolean(memchr::memmem::find(text, part).is_some()))
}

//! `String`: binaries read as UTF-8.
//!
//! `grapheme` counts and cuts by characters, `change` makes other texts of one, `pattern` looks for parts. Bytes that are no
//! UTF-8 count as a character each, as in Elixir.
#![forbid(unsafe_code)]

pub(crate) mod change;
pub(crate) mod grapheme;
pub(crate) mod pattern;

use crate::lang::throw::Throw;
use wharf::term::{Binary, Term};

/// The binary at `place` (from 1); no clause of `String.function` matches anything else.
fn subject<'a>(function: &str, args: &'a [Term], place: usize) -> Result<&'a Binary, Throw> {
    match &args[place - 1] {
        Term::Binary(binary) => Ok(binary),
        _ => Err(Throw::function_clause("String", function, args)),
    }
}

/// The integer at `place` (from 1).
fn number(function: &str, args: &[Term], place: usize) -> Result<i64, Throw> {
    args[place - 1]
        .as_int()
        .ok_or_else(|| Throw::function_clause("String", function, args))
}

/// Part of `whole`, as a binary that shares its bytes. `part` must lie within it.
fn part(whole: &Binary, part: &[u8]) -> Term {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    Term::Binary(whole.slice(start..start + part.len()))
}

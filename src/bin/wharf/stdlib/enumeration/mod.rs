//! `Enum` and `Stream`: everything about many items.
//!
//! `items` walks, `reduce` folds and counts, `search` finds, `order` sorts, `shape` cuts and joins, `build` collects, `stream`
//! walks later.
#![forbid(unsafe_code)]

pub(crate) mod build;
pub(crate) mod items;
pub(crate) mod order;
pub(crate) mod reduce;
pub(crate) mod search;
pub(crate) mod shape;
pub(crate) mod slice;
pub(crate) mod stream;

use crate::lang::native::Context;
use crate::lang::throw::Throw;
use wharf::term::Term;

/// `fun.(item)`.
fn apply(ctx: &mut Context, fun: &Term, item: Term) -> Result<Term, Throw> {
    ctx.apply(fun, vec![item])
}

/// Whether `fun.(item)` is neither `nil` nor `false`.
fn holds(ctx: &mut Context, fun: &Term, item: Term) -> Result<bool, Throw> {
    ctx.apply(fun, vec![item])
        .map(|result| super::argument::is_truthy(&result))
}

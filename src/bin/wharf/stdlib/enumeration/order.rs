//! `Enum`'s functions that compare items: sorting, extremes, duplicates.
//!
//! Relies on Erlang's term order. Promises stable sorting, also with a function of the script's that contradicts itself.
#![forbid(unsafe_code)]

use super::apply;
use super::items::{Items, collect};
use super::reduce::empty_error;
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use crate::stdlib::argument::{Answer, is_truthy};
use crate::stdlib::{Entry, table};
use std::cmp::Ordering;
use std::collections::HashSet;
use wharf::term::Term;

/// How to compare two items.
enum By<'a> {
    Ascending,
    Descending,
    /// A function: whether the first may stand before the second.
    Function(&'a Term),
    /// A module with `compare/2`, which gives `:lt`, `:eq` or `:gt`.
    Module(&'a Term, bool),
}

impl By<'_> {
    fn of(term: &Term) -> By<'_> {
        match term {
            Term::Tuple(pair) if pair.len() == 2 => By::Module(&pair[1], pair[0].is_atom("desc")),
            _ if term.is_atom("asc") => By::Ascending,
            _ if term.is_atom("desc") => By::Descending,
            Term::Atom(_) => By::Module(term, false),
            _ => By::Function(term),
        }
    }

    /// Whether `left` may stand before `right`.
    fn in_order(&self, ctx: &mut Context, left: &Term, right: &Term) -> Result<bool, Throw> {
        match self {
            By::Ascending => Ok(left.compare(right) != Ordering::Greater),
            By::Descending => Ok(left.compare(right) != Ordering::Less),
            By::Function(fun) => Ok(is_truthy(
                &ctx.apply(fun, vec![left.clone(), right.clone()])?,
            )),
            By::Module(module, descending) => {
                let Term::Atom(module) = module else {
                    return Err(Throw::badarg(None));
                };
                let order = ctx.call(*module, "compare", vec![left.clone(), right.clone()])?;
                Ok(!order.is_atom(if *descending { "lt" } else { "gt" }))
            }
        }
    }

    /// Merge sort of `items` by the keys beside them.
    fn sort(
        &self,
        ctx: &mut Context,
        mut items: Vec<(Term, Term)>,
    ) -> Result<Vec<(Term, Term)>, Throw> {
        match self {
            By::Ascending => items.sort_by(|left, right| left.0.compare(&right.0)),
            By::Descending => items.sort_by(|left, right| right.0.compare(&left.0)),
            _ if items.len() > 1 => {
                let right = items.split_off(items.len() / 2);
                let mut left = self.sort(ctx, items)?.into_iter().peekable();
                let mut right = self.sort(ctx, right)?.into_iter().peekable();
                let mut merged = Vec::with_capacity(left.len() + right.len());
                while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
                    let next = if self.in_order(ctx, &first.0, &second.0)? {
                        &mut left
                    } else {
                        &mut right
                    };
                    merged.extend(next.next());
                }
                merged.extend(left);
                merged.extend(right);
                return Ok(merged);
            }
            _ => {}
        }
        Ok(items)
    }
}

fn sort(ctx: &mut Context, args: &[Term]) -> Answer {
    let by = args.get(1).map_or(By::Ascending, By::of);
    let items = collect(ctx, &args[0])?
        .into_iter()
        .map(|item| (item, Term::Nil))
        .collect();
    Ok(Term::list(
        by.sort(ctx, items)?
            .into_iter()
            .map(|(item, _)| item)
            .collect(),
    ))
}

fn sort_by(ctx: &mut Context, args: &[Term]) -> Answer {
    let by = args.get(2).map_or(By::Ascending, By::of);
    let items = with_keys(ctx, &args[0], &args[1])?;
    Ok(Term::list(
        by.sort(ctx, items)?
            .into_iter()
            .map(|(_, item)| item)
            .collect(),
    ))
}

/// Each item after its key.
fn with_keys(ctx: &mut Context, enumerable: &Term, fun: &Term) -> Result<Vec<(Term, Term)>, Throw> {
    let mut items = Vec::new();
    for item in collect(ctx, enumerable)? {
        items.push((apply(ctx, fun, item.clone())?, item));
    }
    Ok(items)
}

fn max(ctx: &mut Context, args: &[Term]) -> Answer {
    let (by, empty) = by_and_empty(args, 1, By::Descending);
    let items = collect(ctx, &args[0])?
        .into_iter()
        .map(|item| (item.clone(), item))
        .collect();
    extreme(ctx, items, &by, empty, true)
}

fn min(ctx: &mut Context, args: &[Term]) -> Answer {
    let (by, empty) = by_and_empty(args, 1, By::Ascending);
    let items = collect(ctx, &args[0])?
        .into_iter()
        .map(|item| (item.clone(), item))
        .collect();
    extreme(ctx, items, &by, empty, false)
}

fn max_by(ctx: &mut Context, args: &[Term]) -> Answer {
    let (by, empty) = by_and_empty(args, 2, By::Descending);
    let items = with_keys(ctx, &args[0], &args[1])?;
    extreme(ctx, items, &by, empty, true)
}

fn min_by(ctx: &mut Context, args: &[Term]) -> Answer {
    let (by, empty) = by_and_empty(args, 2, By::Ascending);
    let items = with_keys(ctx, &args[0], &args[1])?;
    extreme(ctx, items, &by, empty, false)
}

/// The sorter and the function for nothing at all; a function without parameters is the latter.
fn by_and_empty<'a>(args: &'a [Term], from: usize, default: By<'a>) -> (By<'a>, Option<&'a Term>) {
    match &args[from..] {
        [] => (default, None),
        [Term::Fun(fun)] if fun.arity() == 0 => (default, Some(&args[from])),
        [by] => (By::of(by), None),
        [by, empty, ..] => (By::of(by), Some(empty)),
    }
}

/// The first item that may stand before all others. A module sorts the other way round for a maximum.
fn extreme(
    ctx: &mut Context,
    items: Vec<(Term, Term)>,
    by: &By<'_>,
    empty: Option<&Term>,
    largest: bool,
) -> Answer {
    let turned;
    let by = match by {
        By::Module(module, descending) if largest => {
            turned = By::Module(module, !descending);
            &turned
        }
        _ => by,
    };
    let mut items = items.into_iter();
    let Some(mut best) = items.next() else {
        return match empty {
            Some(fun) => ctx.apply(fun, Vec::new()),
            None => Err(empty_error()),
        };
    };
    for item in items {
        if !by.in_order(ctx, &best.0, &item.0)? {
            best = item;
        }
    }
    Ok(best.1)
}

fn min_max(ctx: &mut Context, args: &[Term]) -> Answer {
    let smallest = min(ctx, &args[..1])?;
    let largest = max(ctx, &args[..1])?;
    Ok(Term::tuple([smallest, largest]))
}

fn min_max_by(ctx: &mut Context, args: &[Term]) -> Answer {
    let smallest = min_by(ctx, &args[..2])?;
    let largest = max_by(ctx, &args[..2])?;
    Ok(Term::tuple([smallest, largest]))
}

fn uniq(ctx: &mut Context, args: &[Term]) -> Answer {
    let (mut items, mut seen, mut result) = (Items::of(&args[0])?, HashSet::new(), Vec::new());
    while let Some(item) = items.next(ctx)? {
        let key = match args.get(1) {
            Some(fun) => apply(ctx, fun, item.clone())?,
            None => item.clone(),
        };
        if seen.insert(key) {
            result.push(item);
        }
    }
    Ok(Term::list(result))
}

fn dedup(ctx: &mut Context, args: &[Term]) -> Answer {
    let (mut items, mut last, mut result) = (Items::of(&args[0])?, None, Vec::new());
    while let Some(item) = items.next(ctx)? {
        let key = match args.get(1) {
            Some(fun) => apply(ctx, fun, item.clone())?,
            None => item.clone(),
        };
        if last.as_ref() != Some(&key) {
            result.push(item);
            last = Some(key);
        }
    }
    Ok(Term::list(result))
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "sort"/1 => sort, "Enum.sort(enumerable): the items in Erlang's term order";
    "sort"/2 => sort, "Enum.sort(enumerable, fun): sorted by :asc, :desc, a module with compare/2 or a function";
    "sort_by"/2 => sort_by, "Enum.sort_by(enumerable, mapper): sorted by the results of mapper";
    "sort_by"/3 => sort_by, "Enum.sort_by(enumerable, mapper, sorter): sorted by the results of mapper, as sort/2";
    "max"/1 => max, "Enum.max(enumerable): the largest item";
    "max"/2 => max, "Enum.max(enumerable, sorter): the largest item; or a function for no items";
    "max"/3 => max, "Enum.max(enumerable, sorter, empty_fallback)";
    "min"/1 => min, "Enum.min(enumerable): the smallest item";
    "min"/2 => min, "Enum.min(enumerable, sorter): the smallest item; or a function for no items";
    "min"/3 => min, "Enum.min(enumerable, sorter, empty_fallback)";
    "max_by"/2 => max_by, "Enum.max_by(enumerable, fun): the item with the largest result of fun";
    "max_by"/3 => max_by, "Enum.max_by(enumerable, fun, sorter)";
    "max_by"/4 => max_by, "Enum.max_by(enumerable, fun, sorter, empty_fallback)";
    "min_by"/2 => min_by, "Enum.min_by(enumerable, fun): the item with the smallest result of fun";
    "min_by"/3 => min_by, "Enum.min_by(enumerable, fun, sorter)";
    "min_by"/4 => min_by, "Enum.min_by(enumerable, fun, sorter, empty_fallback)";
    "min_max"/1 => min_max, "Enum.min_max(enumerable): {smallest, largest}";
    "min_max_by"/2 => min_max_by, "Enum.min_max_by(enumerable, fun): the items with the smallest and the largest result of fun";
    "uniq"/1 => uniq, "Enum.uniq(enumerable): the items without repetitions";
    "uniq_by"/2 => uniq, "Enum.uniq_by(enumerable, fun): the items whose result of fun is new";
    "dedup"/1 => dedup, "Enum.dedup(enumerable): repetitions that follow each other become one";
    "dedup_by"/2 => dedup, "Enum.dedup_by(enumerable, fun): the same by the results of fun";
};

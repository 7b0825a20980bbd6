//! `Enum`'s functions that fold many items into one value, and those that visit each.
//!
//! Relies on `items`. Promises to visit in order and to stop as soon as the answer is known.
#![forbid(unsafe_code)]

use super::items::{Items, members, range_parts, range_size, struct_name};
use super::{apply, holds};
use crate::lang::native::Context;
use crate::lang::operators::BinaryOp;
use crate::lang::throw::Throw;
use crate::stdlib::argument::{Answer, is_truthy, ok};
use crate::stdlib::{Entry, table};
use wharf::term::{Map, Term};

/// `Enum.EmptyError`.
pub(super) fn empty_error() -> Throw {
    Throw::message("Enum.EmptyError", "empty error")
}

fn map(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = Items::of(&args[0])?;
    let mut result = Vec::new();
    while let Some(item) = items.next(ctx)? {
        result.push(apply(ctx, &args[1], item)?);
    }
    Ok(Term::list(result))
}

fn map_every(ctx: &mut Context, args: &[Term]) -> Answer {
    let every = crate::stdlib::argument::count(args, 2)?;
    let mut items = Items::of(&args[0])?;
    let (mut result, mut index) = (Vec::new(), 0_usize);
    while let Some(item) = items.next(ctx)? {
        let chosen = every != 0 && index % every == 0;
        result.push(if chosen {
            apply(ctx, &args[2], item)?
        } else {
            item
        });
        index += 1;
    }
    Ok(Term::list(result))
}

fn each(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = Items::of(&args[0])?;
    while let Some(item) = items.next(ctx)? {
        apply(ctx, &args[1], item)?;
    }
    Ok(ok())
}

fn filter(ctx: &mut Context, args: &[Term]) -> Answer {
    keep(ctx, args, true)
}

fn reject(ctx: &mut Context, args: &[Term]) -> Answer {
    keep(ctx, args, false)
}

fn keep(ctx: &mut Context, args: &[Term], wanted: bool) -> Answer {
    let mut items = Items::of(&args[0])?;
    let mut result = Vec::new();
    while let Some(item) = items.next(ctx)? {
        if holds(ctx, &args[1], item.clone())? == wanted {
            result.push(item);
        }
    }
    Ok(Term::list(result))
}

fn reduce_first(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = Items::of(&args[0])?;
    let Some(mut acc) = items.next(ctx)? else {
        return Err(empty_error());
    };
    while let Some(item) = items.next(ctx)? {
        acc = ctx.apply(&args[1], vec![item, acc])?;
    }
    Ok(acc)
}

fn reduce(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = Items::of(&args[0])?;
    let mut acc = args[1].clone();
    while let Some(item) = items.next(ctx)? {
        acc = ctx.apply(&args[2], vec![item, acc])?;
    }
    Ok(acc)
}

fn reduce_while(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = Items::of(&args[0])?;
    let mut acc = args[1].clone();
    while let Some(item) = items.next(ctx)? {
        let answer = ctx.apply(&args[2], vec![item, acc])?;
        match &answer {
            Term::Tuple(pair) if pair.len() == 2 && pair[0].is_atom("cont") => {
                acc = pair[1].clone()
            }
            Term::Tuple(pair) if pair.len() == 2 && pair[0].is_atom("halt") => {
                return Ok(pair[1].clone());
            }
            _ => return Err(Throw::case_clause(answer)),
        }
    }
    Ok(acc)
}

fn map_reduce(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = Items::of(&args[0])?;
    let (mut mapped, mut acc) = (Vec::new(), args[1].clone());
    while let Some(item) = items.next(ctx)? {
        let answer = ctx.apply(&args[2], vec![item, acc])?;
        match &answer {
            Term::Tuple(pair) if pair.len() == 2 => {
                mapped.push(pair[0].clone());
                acc = pair[1].clone();
            }
            _ => return Err(Throw::match_error(answer)),
        }
    }
    Ok(Term::tuple([Term::list(mapped), acc]))
}

fn flat_map_reduce(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = Items::of(&args[0])?;
    let (mut mapped, mut acc) = (Vec::new(), args[1].clone());
    while let Some(item) = items.next(ctx)? {
        let answer = ctx.apply(&args[2], vec![item, acc])?;
        match &answer {
            Term::Tuple(pair) if pair.len() == 2 && pair[0].is_atom("halt") => {
                acc = pair[1].clone();
                break;
            }
            Term::Tuple(pair) if pair.len() == 2 => {
                mapped.extend(super::items::collect(ctx, &pair[0])?);
                acc = pair[1].clone();
            }
            _ => return Err(Throw::case_clause(answer)),
        }
    }
    Ok(Term::tuple([Term::list(mapped), acc]))
}

fn scan_first(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = Items::of(&args[0])?;
    let Some(first) = items.next(ctx)? else {
        return Ok(Term::Nil);
    };
    scan_on(ctx, items, vec![first.clone()], first, &args[1])
}

fn scan(ctx: &mut Context, args: &[Term]) -> Answer {
    scan_on(
        ctx,
        Items::of(&args[0])?,
        Vec::new(),
        args[1].clone(),
        &args[2],
    )
}

fn scan_on(
    ctx: &mut Context,
    mut items: Items,
    mut result: Vec<Term>,
    mut acc: Term,
    fun: &Term,
) -> Answer {
    while let Some(item) = items.next(ctx)? {
        acc = ctx.apply(fun, vec![item, acc])?;
        result.push(acc.clone());
    }
    Ok(Term::list(result))
}

/// The number of items, without a walk where it is known.
fn size(ctx: &mut Context, term: &Term) -> Result<usize, Throw> {
    if let Term::Map(map) = term {
        match struct_name(map) {
            None => return Ok(map.len()),
            Some("Elixir.Range") => {
                if let Some(parts) = range_parts(map) {
                    return Ok(range_size(parts));
                }
            }
            Some("Elixir.MapSet") => return Ok(members(map).len()),
            Some(_) => {}
        }
    }
    let (mut items, mut count) = (Items::of(term)?, 0);
    while items.next(ctx)?.is_some() {
        count += 1;
    }
    Ok(count)
}

fn count(ctx: &mut Context, args: &[Term]) -> Answer {
    size(ctx, &args[0]).map(Term::from)
}

fn count_where(ctx: &mut Context, args: &[Term]) -> Answer {
    let (mut items, mut count) = (Items::of(&args[0])?, 0_usize);
    while let Some(item) = items.next(ctx)? {
        if holds(ctx, &args[1], item)? {
            count += 1;
        }
    }
    Ok(count.into())
}

fn count_until(ctx: &mut Context, args: &[Term]) -> Answer {
    let bound = crate::stdlib::argument::count(args, 2)?;
    let (mut items, mut count) = (Items::of(&args[0])?, 0_usize);
    while count < bound && items.next(ctx)?.is_some() {
        count += 1;
    }
    Ok(count.into())
}

fn sum(ctx: &mut Context, args: &[Term]) -> Answer {
    fold_numbers(ctx, args, BinaryOp::Add, 0)
}

fn product(ctx: &mut Context, args: &[Term]) -> Answer {
    fold_numbers(ctx, args, BinaryOp::Multiply, 1)
}

fn fold_numbers(ctx: &mut Context, args: &[Term], operator: BinaryOp, start: i64) -> Answer {
    let (mut items, mut acc) = (Items::of(&args[0])?, Term::Int(start));
    while let Some(item) = items.next(ctx)? {
        acc = operator.apply(&item, &acc)?;
    }
    Ok(acc)
}

fn all(ctx: &mut Context, args: &[Term]) -> Answer {
    decide(ctx, args, false)
}

fn any(ctx: &mut Context, args: &[Term]) -> Answer {
    decide(ctx, args, true)
}

/// Whether an item (or the function's answer for it) is as `decisive`, which ends the search.
fn decide(ctx: &mut Context, args: &[Term], decisive: bool) -> Answer {
    let mut items = Items::of(&args[0])?;
    while let Some(item) = items.next(ctx)? {
        let value = match args.get(1) {
            Some(fun) => holds(ctx, fun, item)?,
            None => is_truthy(&item),
        };
        if value == decisive {
            return Ok(decisive.into());
        }
    }
    Ok((!decisive).into())
}

fn frequencies(ctx: &mut Context, args: &[Term]) -> Answer {
    let (mut items, mut counts) = (Items::of(&args[0])?, Map::new());
    while let Some(item) = items.next(ctx)? {
        let key = match args.get(1) {
            Some(fun) => apply(ctx, fun, item)?,
            None => item,
        };
        let count = match counts.get(&key) {
            Some(Term::Int(count)) => *count,
            _ => 0,
        };
        counts.insert(key, Term::Int(count + 1));
    }
    Ok(Term::Map(counts))
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "map"/2 => map, "Enum.map(enumerable, fun): the result of fun for each item";
    "map_every"/3 => map_every, "Enum.map_every(enumerable, nth, fun): like map/2, for every nth item, the first included";
    "each"/2 => each, "Enum.each(enumerable, fun): calls fun with each item";
    "filter"/2 => filter, "Enum.filter(enumerable, fun): the items for which fun is truthy";
    "reject"/2 => reject, "Enum.reject(enumerable, fun): the items for which fun is falsy";
    "reduce"/2 => reduce_first, "Enum.reduce(enumerable, fun): folds with fun.(item, acc), starting from the first item";
    "reduce"/3 => reduce, "Enum.reduce(enumerable, acc, fun): folds with fun.(item, acc)";
    "reduce_while"/3 => reduce_while, "Enum.reduce_while(enumerable, acc, fun): folds while fun gives {:cont, acc}, ends on {:halt, acc}";
    "map_reduce"/3 => map_reduce, "Enum.map_reduce(enumerable, acc, fun): maps and folds at once; fun gives {item, acc}";
    "flat_map_reduce"/3 => flat_map_reduce, "Enum.flat_map_reduce(enumerable, acc, fun): fun gives {items, acc} or {:halt, acc}";
    "scan"/2 => scan_first, "Enum.scan(enumerable, fun): all intermediate results of a fold";
    "scan"/3 => scan, "Enum.scan(enumerable, acc, fun): all intermediate results of a fold from acc";
    "count"/1 => count, "Enum.count(enumerable): the number of items";
    "count"/2 => count_where, "Enum.count(enumerable, fun): the number of items for which fun is truthy";
    "count_until"/2 => count_until, "Enum.count_until(enumerable, limit): the number of items, counting no further than limit";
    "sum"/1 => sum, "Enum.sum(enumerable): the sum of the items";
    "product"/1 => product, "Enum.product(enumerable): the product of the items";
    "all?"/1 => all, "Enum.all?(enumerable): whether all items are truthy";
    "all?"/2 => all, "Enum.all?(enumerable, fun): whether fun is truthy for all items";
    "any?"/1 => any, "Enum.any?(enumerable): whether an item is truthy";
    "any?"/2 => any, "Enum.any?(enumerable, fun): whether fun is truthy for an item";
    "frequencies"/1 => frequencies, "Enum.frequencies(enumerable): how often each item occurs";
    "frequencies_by"/2 => frequencies, "Enum.frequencies_by(enumerable, fun): how often each result of fun occurs";
};

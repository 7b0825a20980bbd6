//! `Enum`'s functions that look for items: by place, by value, by condition.
//!
//! Relies on `items`. Promises to stop at the first that is found.
#![forbid(unsafe_code)]

use super::items::{Items, collect, members, range_parts, struct_name};
use super::{apply, holds};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use crate::stdlib::argument::{Answer, is_truthy, nil, ok_with};
use crate::stdlib::number::random_below;
use crate::stdlib::{Entry, table};
use wharf::term::Term;

/// The item in place `index` (from the end if negative).
fn item_at(ctx: &mut Context, enumerable: &Term, index: i64) -> Result<Option<Term>, Throw> {
    let Ok(mut skip) = usize::try_from(index) else {
        let items = collect(ctx, enumerable)?;
        let back = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        return Ok(items
            .len()
            .checked_sub(back)
            .and_then(|place| items.get(place).cloned()));
    };
    let mut items = Items::of(enumerable)?;
    loop {
        match items.next(ctx)? {
            Some(item) if skip == 0 => return Ok(Some(item)),
            Some(_) => skip -= 1,
            None => return Ok(None),
        }
    }
}

fn index_of(function: &str, args: &[Term]) -> Result<i64, Throw> {
    match &args[1] {
        Term::Int(index) => Ok(*index),
        _ => Err(Throw::function_clause("Enum", function, args)),
    }
}

fn at(ctx: &mut Context, args: &[Term]) -> Answer {
    let index = index_of(
        "at",
        &[
            args[0].clone(),
            args[1].clone(),
            args.get(2).cloned().unwrap_or_else(nil),
        ],
    )?;
    Ok(item_at(ctx, &args[0], index)?.unwrap_or_else(|| args.get(2).cloned().unwrap_or_else(nil)))
}

fn fetch(ctx: &mut Context, args: &[Term]) -> Answer {
    let index = index_of("fetch", args)?;
    Ok(item_at(ctx, &args[0], index)?.map_or_else(|| Term::atom("error"), ok_with))
}

fn fetch_or_raise(ctx: &mut Context, args: &[Term]) -> Answer {
    let index = index_of("fetch!", args)?;
    item_at(ctx, &args[0], index)?
        .ok_or_else(|| Throw::message("Enum.OutOfBoundsError", "out of bounds error"))
}

fn find(ctx: &mut Context, args: &[Term]) -> Answer {
    let (default, fun) = default_and_fun(args);
    let mut items = Items::of(&args[0])?;
    while let Some(item) = items.next(ctx)? {
        if holds(ctx, fun, item.clone())? {
            return Ok(item);
        }
    }
    Ok(default)
}

fn find_value(ctx: &mut Context, args: &[Term]) -> Answer {
    let (default, fun) = default_and_fun(args);
    let mut items = Items::of(&args[0])?;
    while let Some(item) = items.next(ctx)? {
        let value = apply(ctx, fun, item)?;
        if is_truthy(&value) {
            return Ok(value);
        }
    }
    Ok(default)
}

fn default_and_fun(args: &[Term]) -> (Term, &Term) {
    match args {
        [_, default, fun] => (default.clone(), fun),
        _ => (nil(), &args[args.len() - 1]),
    }
}

fn find_index(ctx: &mut Context, args: &[Term]) -> Answer {
    let (mut items, mut index) = (Items::of(&args[0])?, 0_usize);
    while let Some(item) = items.next(ctx)? {
        if holds(ctx, &args[1], item)? {
            return Ok(index.into());
        }
        index += 1;
    }
    Ok(nil())
}

/// Whether `wanted` is among the items: exactly equal.
pub(crate) fn contains(ctx: &mut Context, enumerable: &Term, wanted: &Term) -> Result<bool, Throw> {
    if let Term::Map(map) = enumerable {
        match (struct_name(map), wanted) {
            (None, Term::Tuple(pair)) if pair.len() == 2 => {
                return Ok(map.get(&pair[0]) == Some(&pair[1]));
            }
            (None, _) => return Ok(false),
            (Some("Elixir.MapSet"), _) => return Ok(members(map).contains(wanted)),
            (Some("Elixir.Range"), Term::Int(number)) => {
                if let Some((first, last, step)) = range_parts(map) {
                    let (low, high) = if step > 0 {
                        (first, last)
                    } else {
                        (last, first)
                    };
                    let distance = i128::from(*number) - i128::from(first);
                    return Ok((low..=high).contains(number)
                        && step != 0
                        && distance % i128::from(step) == 0);
                }
            }
            (Some("Elixir.Range"), _) => return Ok(false),
            _ => {}
        }
    }
    let mut items = Items::of(enumerable)?;
    while let Some(item) = items.next(ctx)? {
        if item == *wanted {
            return Ok(true);
        }
    }
    Ok(false)
}

fn member(ctx: &mut Context, args: &[Term]) -> Answer {
    contains(ctx, &args[0], &args[1]).map(Term::from)
}

fn is_empty(ctx: &mut Context, args: &[Term]) -> Answer {
    Ok(Items::of(&args[0])?.next(ctx)?.is_none().into())
}

fn random(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = collect(ctx, &args[0])?;
    if items.is_empty() {
        return Err(super::reduce::empty_error());
    }
    let place = random_below(items.len());
    Ok(items.swap_remove(place))
}

fn take_random(ctx: &mut Context, args: &[Term]) -> Answer {
    let wanted = crate::stdlib::argument::count(args, 2)?;
    let mut items = shuffled(collect(ctx, &args[0])?);
    items.truncate(wanted);
    Ok(Term::list(items))
}

fn shuffle(ctx: &mut Context, args: &[Term]) -> Answer {
    Ok(Term::list(shuffled(collect(ctx, &args[0])?)))
}

fn shuffled(mut items: Vec<Term>) -> Vec<Term> {
    for place in (1..items.len()).rev() {
        items.swap(place, random_below(place + 1));
    }
    items
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "at"/2 => at, "Enum.at(enumerable, index): the item at index, from the end if negative, or nil";
    "at"/3 => at, "Enum.at(enumerable, index, default): the item at index, or default";
    "fetch"/2 => fetch, "Enum.fetch(enumerable, index): {:ok, item} or :error";
    "fetch!"/2 => fetch_or_raise, "Enum.fetch!(enumerable, index): the item at index, or Enum.OutOfBoundsError";
    "find"/2 => find, "Enum.find(enumerable, fun): the first item for which fun is truthy, or nil";
    "find"/3 => find, "Enum.find(enumerable, default, fun): the first item for which fun is truthy, or default";
    "find_value"/2 => find_value, "Enum.find_value(enumerable, fun): the first truthy result of fun, or nil";
    "find_value"/3 => find_value, "Enum.find_value(enumerable, default, fun): the first truthy result of fun, or default";
    "find_index"/2 => find_index, "Enum.find_index(enumerable, fun): the index of the first item for which fun is truthy";
    "member?"/2 => member, "Enum.member?(enumerable, element): whether element is among the items";
    "empty?"/1 => is_empty, "Enum.empty?(enumerable): whether there are no items";
    "random"/1 => random, "Enum.random(enumerable): one of the items";
    "take_random"/2 => take_random, "Enum.take_random(enumerable, count): count of the items, in any order";
    "shuffle"/1 => shuffle, "Enum.shuffle(enumerable): the items in a random order";
};

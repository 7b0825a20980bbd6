//! `Enum`'s functions that take parts: the first ones, a slice, chunks.
//!
//! Relies on `items`. Promises not to walk further than the part goes, except where places count from the end.
#![forbid(unsafe_code)]

use super::items::{Items, collect, range_parts, struct_name};
use super::{apply, holds};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use crate::stdlib::argument::Answer;
use crate::stdlib::{Entry, table};
use wharf::term::Term;

fn amount(function: &str, args: &[Term]) -> Result<i64, Throw> {
    match &args[1] {
        Term::Int(amount) => Ok(*amount),
        _ => Err(Throw::function_clause("Enum", function, args)),
    }
}

/// As many items as asked for, or fewer.
fn first(ctx: &mut Context, items: &mut Items, amount: usize) -> Result<Vec<Term>, Throw> {
    let mut result = Vec::new();
    while result.len() < amount {
        match items.next(ctx)? {
            Some(item) => result.push(item),
            None => break,
        }
    }
    Ok(result)
}

/// Where to cut so that the first part has `amount` items, or the second `-amount`.
fn cut(length: usize, amount: i64) -> usize {
    match usize::try_from(amount) {
        Ok(amount) => amount.min(length),
        Err(_) => {
            length.saturating_sub(usize::try_from(amount.unsigned_abs()).unwrap_or(usize::MAX))
        }
    }
}

fn take(ctx: &mut Context, args: &[Term]) -> Answer {
    let amount = amount("take", args)?;
    if let Ok(amount) = usize::try_from(amount) {
        let mut items = Items::of(&args[0])?;
        return first(ctx, &mut items, amount).map(Term::list);
    }
    let mut items = collect(ctx, &args[0])?;
    let place = cut(items.len(), amount);
    Ok(Term::list(items.split_off(place)))
}

fn drop_first(ctx: &mut Context, args: &[Term]) -> Answer {
    let amount = amount("drop", args)?;
    let mut items = collect(ctx, &args[0])?;
    let place = cut(items.len(), amount);
    if amount < 0 {
        items.truncate(place);
        return Ok(Term::list(items));
    }
    Ok(Term::list(items.split_off(place)))
}

fn split(ctx: &mut Context, args: &[Term]) -> Answer {
    let amount = amount("split", args)?;
    let mut items = collect(ctx, &args[0])?;
    let place = cut(items.len(), amount);
    let rest = items.split_off(place);
    Ok(Term::tuple([Term::list(items), Term::list(rest)]))
}

/// The items up to the first for which the function is falsy, and the rest.
fn parted(ctx: &mut Context, args: &[Term]) -> Result<(Vec<Term>, Vec<Term>), Throw> {
    let mut items = Items::of(&args[0])?;
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    while let Some(item) = items.next(ctx)? {
        if !holds(ctx, &args[1], item.clone())? {
            tail.push(item);
            break;
        }
        head.push(item);
    }
    tail.extend(items.collect(ctx)?);
    Ok((head, tail))
}

fn take_while(ctx: &mut Context, args: &[Term]) -> Answer {
    let (mut items, mut result) = (Items::of(&args[0])?, Vec::new());
    while let Some(item) = items.next(ctx)? {
        if !holds(ctx, &args[1], item.clone())? {
            break;
        }
        result.push(item);
    }
    Ok(Term::list(result))
}

fn drop_while(ctx: &mut Context, args: &[Term]) -> Answer {
    parted(ctx, args).map(|(_, tail)| Term::list(tail))
}

fn split_while(ctx: &mut Context, args: &[Term]) -> Answer {
    parted(ctx, args).map(|(head, tail)| Term::tuple([Term::list(head), Term::list(tail)]))
}

fn split_with(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = Items::of(&args[0])?;
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    while let Some(item) = items.next(ctx)? {
        if holds(ctx, &args[1], item.clone())? {
            &mut yes
        } else {
            &mut no
        }
        .push(item);
    }
    Ok(Term::tuple([Term::list(yes), Term::list(no)]))
}

fn take_every(ctx: &mut Context, args: &[Term]) -> Answer {
    every(ctx, args, true)
}

fn drop_every(ctx: &mut Context, args: &[Term]) -> Answer {
    every(ctx, args, false)
}

fn every(ctx: &mut Context, args: &[Term], take: bool) -> Answer {
    let step = crate::stdlib::argument::count(args, 2)?;
    let items = collect(ctx, &args[0])?.into_iter().enumerate();
    let chosen = items.filter(|(index, _)| (step != 0 && index % step == 0) == take);
    Ok(Term::list(chosen.map(|(_, item)| item).collect()))
}

fn slice_range(ctx: &mut Context, args: &[Term]) -> Answer {
    let parts = match &args[1] {
        Term::Map(map) if struct_name(map) == Some("Elixir.Range") => range_parts(map),
        _ => None,
    };
    let Some((first, last, step)) = parts else {
        return Err(Throw::function_clause("Enum", "slice", args));
    };
    let items = collect(ctx, &args[0])?;
    Ok(Term::list(
        places(items.len(), first, last, step)
            .into_iter()
            .filter_map(|at| items.get(at).cloned())
            .collect(),
    ))
}

/// The places that a range selects of `length` things; negative ends count from the end.
pub(crate) fn places(length: usize, first: i64, last: i64, step: i64) -> Vec<usize> {
    let size = i64::try_from(length).unwrap_or(i64::MAX);
    let from_end = |place: i64| if place < 0 { place + size } else { place };
    let step = if step == -1 && last < 0 { 1 } else { step };
    let (first, last) = (
        from_end(first).max(if first < 0 { 0 } else { first }),
        from_end(last).min(size - 1),
    );
    let Ok(step) = usize::try_from(step) else {
        return Vec::new();
    };
    if step == 0 || first > last || first < 0 {
        return Vec::new();
    }
    (first..=last)
        .step_by(step)
        .filter_map(|place| usize::try_from(place).ok())
        .collect()
}

fn slice(ctx: &mut Context, args: &[Term]) -> Answer {
    let (Term::Int(start), Term::Int(amount)) = (&args[1], &args[2]) else {
        return Err(Throw::function_clause("Enum", "slice", args));
    };
    let Ok(amount) = usize::try_from(*amount) else {
        return Err(Throw::function_clause("Enum", "slice", args));
    };
    if let Ok(start) = usize::try_from(*start) {
        let mut items = Items::of(&args[0])?;
        for _ in 0..start {
            if items.next(ctx)?.is_none() {
                return Ok(Term::Nil);
            }
        }
        return first(ctx, &mut items, amount).map(Term::list);
    }
    let items = collect(ctx, &args[0])?;
    let back = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
    let start = items.len().saturating_sub(back);
    Ok(Term::list(
        items.into_iter().skip(start).take(amount).collect(),
    ))
}

fn chunk_every(ctx: &mut Context, args: &[Term]) -> Answer {
    let size = |place: usize| match args.get(place) {
        Some(Term::Int(size)) if *size > 0 => usize::try_from(*size).ok(),
        _ => None,
    };
    let wrong = || {
        let step = args.get(2).unwrap_or(&args[1]).clone();
        let leftover = args.get(3).cloned().unwrap_or(Term::Nil);
        let full = [args[0].clone(), args[1].clone(), step, leftover];
        Throw::function_clause("Enum", "chunk_every", &full)
    };
    let count = size(1).ok_or_else(wrong)?;
    let step = if args.len() > 2 {
        size(2).ok_or_else(wrong)?
    } else {
        count
    };
    let items = collect(ctx, &args[0])?;
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < items.len() {
        let end = (start + count).min(items.len());
        let mut chunk = items[start..end].to_vec();
        if chunk.len() < count {
            match args.get(3) {
                Some(leftover) if leftover.is_atom("discard") => break,
                Some(leftover) => {
                    let mut leftover = Items::of(leftover)?;
                    chunk.extend(first(ctx, &mut leftover, count - chunk.len())?);
                }
                None => {}
            }
            chunks.push(Term::list(chunk));
            break;
        }
        chunks.push(Term::list(chunk));
        start += step;
    }
    Ok(Term::list(chunks))
}

fn chunk_by(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = Items::of(&args[0])?;
    let (mut chunks, mut chunk, mut last): (Vec<Term>, Vec<Term>, Option<Term>) =
        (Vec::new(), Vec::new(), None);
    while let Some(item) = items.next(ctx)? {
        let key = apply(ctx, &args[1], item.clone())?;
        if last.as_ref().is_some_and(|last| *last != key) {
            chunks.push(Term::list(std::mem::take(&mut chunk)));
        }
        last = Some(key);
        chunk.push(item);
    }
    if !chunk.is_empty() {
        chunks.push(Term::list(chunk));
    }
    Ok(Term::list(chunks))
}

fn chunk_while(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = Items::of(&args[0])?;
    let (mut chunks, mut acc) = (Vec::new(), args[1].clone());
    while let Some(item) = items.next(ctx)? {
        let answer = ctx.apply(&args[2], vec![item, acc])?;
        match &answer {
            Term::Tuple(parts) if parts.len() == 2 && parts[0].is_atom("cont") => {
                acc = parts[1].clone()
            }
            Term::Tuple(parts) if parts.len() == 3 && parts[0].is_atom("cont") => {
                chunks.push(parts[1].clone());
                acc = parts[2].clone();
            }
            Term::Tuple(parts) if parts.len() == 2 && parts[0].is_atom("halt") => {
                acc = parts[1].clone();
                break;
            }
            _ => return Err(Throw::case_clause(answer)),
        }
    }
    let answer = apply(ctx, &args[3], acc)?;
    match &answer {
        Term::Tuple(parts) if parts.len() == 2 && parts[0].is_atom("cont") => {}
        Term::Tuple(parts) if parts.len() == 3 && parts[0].is_atom("cont") => {
            chunks.push(parts[1].clone())
        }
        _ => return Err(Throw::case_clause(answer)),
    }
    Ok(Term::list(chunks))
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "take"/2 => take, "Enum.take(enumerable, amount): the first items, or the last if negative";
    "drop"/2 => drop_first, "Enum.drop(enumerable, amount): all but the first items, or but the last if negative";
    "split"/2 => split, "Enum.split(enumerable, count): {first, rest}";
    "take_while"/2 => take_while, "Enum.take_while(enumerable, fun): the first items for which fun is truthy";
    "drop_while"/2 => drop_while, "Enum.drop_while(enumerable, fun): the items from the first for which fun is falsy";
    "split_while"/2 => split_while, "Enum.split_while(enumerable, fun): {taken, dropped} of take_while/2 and drop_while/2";
    "split_with"/2 => split_with, "Enum.split_with(enumerable, fun): {filtered, rejected}";
    "take_every"/2 => take_every, "Enum.take_every(enumerable, nth): every nth item, the first included";
    "drop_every"/2 => drop_every, "Enum.drop_every(enumerable, nth): all but every nth item";
    "slice"/2 => slice_range, "Enum.slice(enumerable, range): the items in these places";
    "slice"/3 => slice, "Enum.slice(enumerable, start, amount): amount items from start";
    "chunk_every"/2 => chunk_every, "Enum.chunk_every(enumerable, count): lists of count items";
    "chunk_every"/3 => chunk_every, "Enum.chunk_every(enumerable, count, step): lists of count items, one begun every step items";
    "chunk_every"/4 => chunk_every, "Enum.chunk_every(enumerable, count, step, leftover): leftover fills the last list; :discard drops it";
    "chunk_by"/2 => chunk_by, "Enum.chunk_by(enumerable, fun): lists of neighbours with the same result of fun";
    "chunk_while"/4 => chunk_while, "Enum.chunk_while(enumerable, acc, chunk_fun, after_fun)";
};

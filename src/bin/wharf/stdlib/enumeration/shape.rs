//! `Enum`'s functions that join, pair and rearrange items.
//!
//! Relies on `items`. Promises to stop a zip at the shortest.
#![forbid(unsafe_code)]

use super::apply;
use super::items::{Items, collect};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use crate::stdlib::argument::Answer;
use crate::stdlib::{Entry, table};
use wharf::term::Term;

fn concat(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut result = Vec::new();
    for part in collect(ctx, &args[0])? {
        result.extend(collect(ctx, &part)?);
    }
    Ok(Term::list(result))
}

fn concat_two(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut result = collect(ctx, &args[0])?;
    result.extend(collect(ctx, &args[1])?);
    Ok(Term::list(result))
}

fn flat_map(ctx: &mut Context, args: &[Term]) -> Answer {
    let (mut items, mut result) = (Items::of(&args[0])?, Vec::new());
    while let Some(item) = items.next(ctx)? {
        let part = apply(ctx, &args[1], item)?;
        result.extend(collect(ctx, &part)?);
    }
    Ok(Term::list(result))
}

fn reverse(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = collect(ctx, &args[0])?;
    items.reverse();
    if let Some(tail) = args.get(1) {
        items.extend(collect(ctx, tail)?);
    }
    Ok(Term::list(items))
}

fn reverse_slice(ctx: &mut Context, args: &[Term]) -> Answer {
    let (start, amount) = (
        crate::stdlib::argument::count(args, 2)?,
        crate::stdlib::argument::count(args, 3)?,
    );
    let mut items = collect(ctx, &args[0])?;
    let start = start.min(items.len());
    let end = start.saturating_add(amount).min(items.len());
    items[start..end].reverse();
    Ok(Term::list(items))
}

fn slide(ctx: &mut Context, args: &[Term]) -> Answer {
    let wrong = || Throw::function_clause("Enum", "slide", args);
    let mut items = collect(ctx, &args[0])?;
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let from_end = |place: i64| if place < 0 { place + length } else { place };
    let (first, last) = match &args[1] {
        Term::Int(place) => (*place, *place),
        Term::Map(map) => super::items::range_parts(map)
            .map(|(first, last, _)| (first, last))
            .ok_or_else(wrong)?,
        _ => return Err(wrong()),
    };
    let (first, last) = (from_end(first), from_end(last).min(length - 1));
    let to = from_end(args[2].as_int().ok_or_else(wrong)?);
    if first < 0 || first > last || to < 0 || (first..=last).contains(&to) {
        return Ok(Term::list(items));
    }
    let (first, last) = (
        usize::try_from(first).unwrap_or(0),
        usize::try_from(last).unwrap_or(0),
    );
    let to = usize::try_from(to).unwrap_or(0).min(items.len() - 1);
    let size = last + 1 - first;
    if to < first {
        items[to..=last].rotate_right(size);
    } else {
        items[first..=to].rotate_left(size);
    }
    Ok(Term::list(items))
}

fn with_index(ctx: &mut Context, args: &[Term]) -> Answer {
    let (mut items, mut result) = (Items::of(&args[0])?, Vec::new());
    let mut index = match args.get(1) {
        None | Some(Term::Fun(_)) => 0,
        Some(Term::Int(offset)) => *offset,
        Some(_) => return Err(Throw::function_clause("Enum", "with_index", args)),
    };
    while let Some(item) = items.next(ctx)? {
        result.push(match args.get(1) {
            Some(fun @ Term::Fun(_)) => ctx.apply(fun, vec![item, Term::Int(index)])?,
            _ => Term::tuple([item, Term::Int(index)]),
        });
        index += 1;
    }
    Ok(Term::list(result))
}

/// Rows of one item of each, until one has no more.
fn rows(ctx: &mut Context, columns: &[Term]) -> Result<Vec<Vec<Term>>, Throw> {
    let mut columns = columns
        .iter()
        .map(Items::of)
        .collect::<Result<Vec<_>, _>>()?;
    let mut rows = Vec::new();
    if columns.is_empty() {
        return Ok(rows);
    }
    loop {
        let mut row = Vec::with_capacity(columns.len());
        for column in &mut columns {
            match column.next(ctx)? {
                Some(item) => row.push(item),
                None => return Ok(rows),
            }
        }
        rows.push(row);
    }
}

fn zip(ctx: &mut Context, args: &[Term]) -> Answer {
    let columns = collect(ctx, &args[0])?;
    Ok(Term::list(
        rows(ctx, &columns)?.into_iter().map(Term::tuple).collect(),
    ))
}

fn zip_two(ctx: &mut Context, args: &[Term]) -> Answer {
    Ok(Term::list(
        rows(ctx, args)?.into_iter().map(Term::tuple).collect(),
    ))
}

fn zip_with(ctx: &mut Context, args: &[Term]) -> Answer {
    let columns = collect(ctx, &args[0])?;
    let mut result = Vec::new();
    for row in rows(ctx, &columns)? {
        result.push(apply(ctx, &args[1], Term::list(row))?);
    }
    Ok(Term::list(result))
}

fn zip_two_with(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut result = Vec::new();
    for row in rows(ctx, &args[..2])? {
        result.push(ctx.apply(&args[2], row)?);
    }
    Ok(Term::list(result))
}

fn zip_reduce(ctx: &mut Context, args: &[Term]) -> Answer {
    let columns = collect(ctx, &args[0])?;
    let mut acc = args[1].clone();
    for row in rows(ctx, &columns)? {
        acc = ctx.apply(&args[2], vec![Term::list(row), acc])?;
    }
    Ok(acc)
}

fn zip_two_reduce(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut acc = args[2].clone();
    for mut row in rows(ctx, &args[..2])? {
        row.push(acc);
        acc = ctx.apply(&args[3], row)?;
    }
    Ok(acc)
}

fn unzip(ctx: &mut Context, args: &[Term]) -> Answer {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for item in collect(ctx, &args[0])? {
        match &item {
            Term::Tuple(pair) if pair.len() == 2 => {
                left.push(pair[0].clone());
                right.push(pair[1].clone());
            }
            _ => return Err(Throw::function_clause("Enum", "unzip", args)),
        }
    }
    Ok(Term::tuple([Term::list(left), Term::list(right)]))
}

fn intersperse(ctx: &mut Context, args: &[Term]) -> Answer {
    Ok(Term::list(separated(collect(ctx, &args[0])?, &args[1])))
}

fn map_intersperse(ctx: &mut Context, args: &[Term]) -> Answer {
    let (mut items, mut result) = (Items::of(&args[0])?, Vec::new());
    while let Some(item) = items.next(ctx)? {
        result.push(apply(ctx, &args[2], item)?);
    }
    Ok(Term::list(separated(result, &args[1])))
}

/// `separator` between all items.
pub(crate) fn separated(items: Vec<Term>, separator: &Term) -> Vec<Term> {
    let mut result = Vec::with_capacity(items.len() * 2);
    for item in items {
        if !result.is_empty() {
            result.push(separator.clone());
        }
        result.push(item);
    }
    result
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "concat"/1 => concat, "Enum.concat(enumerables): the items of all of them";
    "concat"/2 => concat_two, "Enum.concat(left, right): the items of both";
    "flat_map"/2 => flat_map, "Enum.flat_map(enumerable, fun): the items of all results of fun";
    "reverse"/1 => reverse, "Enum.reverse(enumerable): the items from last to first";
    "reverse"/2 => reverse, "Enum.reverse(enumerable, tail): the items from last to first, then tail";
    "reverse_slice"/3 => reverse_slice, "Enum.reverse_slice(enumerable, start, count): a part of the items reversed";
    "slide"/3 => slide, "Enum.slide(enumerable, range_or_index, to): items moved to another place";
    "with_index"/1 => with_index, "Enum.with_index(enumerable): {item, index} for each item";
    "with_index"/2 => with_index, "Enum.with_index(enumerable, fun_or_offset): with another first index, or fun.(item, index)";
    "zip"/1 => zip, "Enum.zip(enumerables): tuples of one item of each";
    "zip"/2 => zip_two, "Enum.zip(left, right): {item, item} of both, as long as both have items";
    "zip_with"/2 => zip_with, "Enum.zip_with(enumerables, fun): fun.([item, item]) of all";
    "zip_with"/3 => zip_two_with, "Enum.zip_with(left, right, fun): fun.(item, item) of both";
    "zip_reduce"/3 => zip_reduce, "Enum.zip_reduce(enumerables, acc, fun): folds with fun.([item, item], acc)";
    "zip_reduce"/4 => zip_two_reduce, "Enum.zip_reduce(left, right, acc, fun): folds with fun.(item, item, acc)";
    "unzip"/1 => unzip, "Enum.unzip(pairs): {first elements, second elements}";
    "intersperse"/2 => intersperse, "Enum.intersperse(enumerable, separator): separator between all items";
    "map_intersperse"/3 => map_intersperse, "Enum.map_intersperse(enumerable, separator, mapper)";
};

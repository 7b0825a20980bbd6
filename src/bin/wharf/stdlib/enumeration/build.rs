//! `Enum`'s functions that collect items into a list, a map, a set or a text.
//!
//! Relies on `items`, and on `convert` for text. Promises what Elixir's `Collectable` gives for lists, maps, sets and binaries.
#![forbid(unsafe_code)]

use super::apply;
use super::items::{Items, collect, struct_name, structure, undefined_protocol};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use crate::stdlib::argument::{Answer, binary_of};
use crate::stdlib::convert::to_text;
use crate::stdlib::{Entry, table};
use wharf::term::{Map, Term};

fn to_list(ctx: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        list @ (Term::Nil | Term::List(_)) => Ok(list.clone()),
        other => collect(ctx, other).map(Term::list),
    }
}

fn into(ctx: &mut Context, args: &[Term]) -> Answer {
    let (mut walk, mut items) = (Items::of(&args[0])?, Vec::new());
    while let Some(item) = walk.next(ctx)? {
        items.push(match args.get(2) {
            Some(fun) => apply(ctx, fun, item)?,
            None => item,
        });
    }
    collect_into(items, &args[1])
}

/// `items` added to `into`.
pub(crate) fn collect_into(items: Vec<Term>, into: &Term) -> Answer {
    match into {
        Term::Nil => Ok(Term::list(items)),
        Term::List(list) => {
            let (mut all, _) = list.to_parts();
            all.extend(items);
            Ok(Term::list(all))
        }
        Term::Map(map) if struct_name(map).is_none() => {
            let mut map = map.clone();
            for item in items {
                let Term::Tuple(pair) = &item else {
                    return Err(Throw::badarg(None));
                };
                let [key, value] = &pair[..] else {
                    return Err(Throw::badarg(None));
                };
                map.insert(key.clone(), value.clone());
            }
            Ok(Term::Map(map))
        }
        Term::Map(map) if struct_name(map) == Some("Elixir.MapSet") => {
            let mut all = super::items::members(map);
            all.extend(items);
            Ok(new_set(all))
        }
        Term::Binary(start) => {
            let mut bytes = start.to_vec();
            for item in &items {
                match item {
                    Term::Binary(part) => bytes.extend_from_slice(part),
                    _ => {
                        let message = format!(
                            "collecting into a binary requires a bitstring, got: {}",
                            crate::inspect::inspect(item)
                        );
                        return Err(Throw::argument_error(&message));
                    }
                }
            }
            Ok(binary_of(bytes))
        }
        _ => Err(undefined_protocol("Collectable", into)),
    }
}

/// A `MapSet` of these members.
pub(crate) fn new_set(members: Vec<Term>) -> Term {
    let map: Map = members
        .into_iter()
        .map(|member| (member, Term::Nil))
        .collect();
    structure(
        "Elixir.MapSet",
        &[("map", Term::Map(map)), ("version", Term::Int(2))],
    )
}

fn join(ctx: &mut Context, args: &[Term]) -> Answer {
    joined(ctx, &args[0], args.get(1), None)
}

fn map_join(ctx: &mut Context, args: &[Term]) -> Answer {
    match args {
        [items, joiner, fun] => joined(ctx, items, Some(joiner), Some(fun)),
        _ => joined(ctx, &args[0], None, Some(&args[1])),
    }
}

fn joined(ctx: &mut Context, items: &Term, joiner: Option<&Term>, fun: Option<&Term>) -> Answer {
    let joiner = match joiner {
        None => Vec::new(),
        Some(Term::Binary(joiner)) => joiner.to_vec(),
        Some(joiner) => to_text(joiner)?,
    };
    let (mut items, mut text, mut first) = (Items::of(items)?, Vec::new(), true);
    while let Some(item) = items.next(ctx)? {
        if !std::mem::take(&mut first) {
            text.extend_from_slice(&joiner);
        }
        let item = match fun {
            Some(fun) => apply(ctx, fun, item)?,
            None => item,
        };
        text.extend(to_text(&item)?);
    }
    Ok(binary_of(text))
}

fn group_by(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = Items::of(&args[0])?;
    let mut groups: std::collections::HashMap<Term, Vec<Term>> = std::collections::HashMap::new();
    while let Some(item) = items.next(ctx)? {
        let key = apply(ctx, &args[1], item.clone())?;
        let value = match args.get(2) {
            Some(fun) => apply(ctx, fun, item)?,
            None => item,
        };
        groups.entry(key).or_default().push(value);
    }
    Ok(Term::Map(
        groups
            .into_iter()
            .map(|(key, values)| (key, Term::list(values)))
            .collect(),
    ))
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "to_list"/1 => to_list, "Enum.to_list(enumerable): the items as a list";
    "into"/2 => into, "Enum.into(enumerable, collectable): the items added to a list, map, set or binary";
    "into"/3 => into, "Enum.into(enumerable, collectable, transform): the results of transform added";
    "join"/1 => join, "Enum.join(enumerable): the items as one string";
    "join"/2 => join, "Enum.join(enumerable, joiner): the items as one string with joiner between them";
    "map_join"/2 => map_join, "Enum.map_join(enumerable, mapper): the results of mapper as one string";
    "map_join"/3 => map_join, "Enum.map_join(enumerable, joiner, mapper): the results of mapper with joiner between them";
    "group_by"/2 => group_by, "Enum.group_by(enumerable, key_fun): a map from keys to lists of items";
    "group_by"/3 => group_by, "Enum.group_by(enumerable, key_fun, value_fun): a map from keys to lists of values";
};

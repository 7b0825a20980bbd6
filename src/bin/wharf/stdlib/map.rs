//! `Map`, and `:maps`, which has the same under other names and with other orders of arguments.
//!
//! Relies on terms. Promises `BadMapError` for what is no map and `KeyError` for a key that must be there.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad_map, map, nil, ok_with};
use super::enumeration::items::{collect, pair, struct_name};
use super::{Entry, table};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use wharf::term::{Map, Term};

fn missing(args: &[Term]) -> Throw {
    Throw::key_error(args[1].clone(), args[0].clone())
}

fn get(_: &mut Context, args: &[Term]) -> Answer {
    Ok(map(args, 1)?
        .get(&args[1])
        .cloned()
        .unwrap_or_else(|| args.get(2).cloned().unwrap_or_else(nil)))
}

fn get_lazy(ctx: &mut Context, args: &[Term]) -> Answer {
    match map(args, 1)?.get(&args[1]) {
        Some(value) => Ok(value.clone()),
        None => ctx.apply(&args[2], Vec::new()),
    }
}

fn fetch(_: &mut Context, args: &[Term]) -> Answer {
    Ok(map(args, 1)?
        .get(&args[1])
        .cloned()
        .map_or_else(|| Term::atom("error"), ok_with))
}

fn fetch_or_raise(_: &mut Context, args: &[Term]) -> Answer {
    map(args, 1)?
        .get(&args[1])
        .cloned()
        .ok_or_else(|| missing(args))
}

fn has_key(_: &mut Context, args: &[Term]) -> Answer {
    map(args, 1).map(|map| map.contains_key(&args[1]).into())
}

/// The map at place 1 with a change made.
fn changed(args: &[Term], change: impl FnOnce(&mut Map)) -> Answer {
    let mut map = map(args, 1)?.clone();
    change(&mut map);
    Ok(Term::Map(map))
}

fn put(_: &mut Context, args: &[Term]) -> Answer {
    changed(args, |map| {
        map.insert(args[1].clone(), args[2].clone());
    })
}

fn put_new(ctx: &mut Context, args: &[Term]) -> Answer {
    if map(args, 1)?.contains_key(&args[1]) {
        Ok(args[0].clone())
    } else {
        put(ctx, args)
    }
}

fn put_new_lazy(ctx: &mut Context, args: &[Term]) -> Answer {
    if map(args, 1)?.contains_key(&args[1]) {
        return Ok(args[0].clone());
    }
    let value = ctx.apply(&args[2], Vec::new())?;
    put(ctx, &[args[0].clone(), args[1].clone(), value])
}

fn replace(ctx: &mut Context, args: &[Term]) -> Answer {
    if map(args, 1)?.contains_key(&args[1]) {
        put(ctx, args)
    } else {
        Ok(args[0].clone())
    }
}

fn replace_or_raise(ctx: &mut Context, args: &[Term]) -> Answer {
    if map(args, 1)?.contains_key(&args[1]) {
        put(ctx, args)
    } else {
        Err(missing(args))
    }
}

fn delete(_: &mut Context, args: &[Term]) -> Answer {
    changed(args, |map| {
        map.remove(&args[1]);
    })
}

fn update(ctx: &mut Context, args: &[Term]) -> Answer {
    let value = match (map(args, 1)?.get(&args[1]), args) {
        (Some(value), _) => ctx.apply(&args[args.len() - 1], vec![value.clone()])?,
        (None, [_, _, default, _]) => default.clone(),
        (None, _) => return Err(missing(args)),
    };
    put(ctx, &[args[0].clone(), args[1].clone(), value])
}

fn get_and_update(ctx: &mut Context, args: &[Term]) -> Answer {
    let current = map(args, 1)?.get(&args[1]).cloned();
    let current = current.unwrap_or_else(nil);
    let answer = ctx.apply(&args[2], vec![current.clone()])?;
    let (result, value) = super::access::get_and_update_answer(&answer, &current)?;
    let map = changed(args, |map| {
        match value {
            Some(value) => map.insert(args[1].clone(), value),
            None => map.remove(&args[1]),
        };
    })?;
    Ok(Term::tuple([result, map]))
}

fn get_and_update_or_raise(ctx: &mut Context, args: &[Term]) -> Answer {
    if map(args, 1)?.contains_key(&args[1]) {
        get_and_update(ctx, args)
    } else {
        Err(missing(args))
    }
}

fn pop(ctx: &mut Context, args: &[Term]) -> Answer {
    let value = get(ctx, args)?;
    Ok(Term::tuple([value, delete(ctx, args)?]))
}

fn pop_or_raise(ctx: &mut Context, args: &[Term]) -> Answer {
    if map(args, 1)?.contains_key(&args[1]) {
        pop(ctx, args)
    } else {
        Err(missing(args))
    }
}

fn pop_lazy(ctx: &mut Context, args: &[Term]) -> Answer {
    let value = get_lazy(ctx, args)?;
    Ok(Term::tuple([value, delete(ctx, args)?]))
}

fn keys(_: &mut Context, args: &[Term]) -> Answer {
    map(args, 1).map(|map| Term::list(map.keys().cloned().collect()))
}

fn values(_: &mut Context, args: &[Term]) -> Answer {
    map(args, 1).map(|map| Term::list(map.values().cloned().collect()))
}

fn to_list(_: &mut Context, args: &[Term]) -> Answer {
    map(args, 1).map(|map| Term::list(map.iter().map(pair).collect()))
}

fn merge(_: &mut Context, args: &[Term]) -> Answer {
    let right = map(args, 2)?;
    changed(args, |map| {
        for (key, value) in right {
            map.insert(key.clone(), value.clone());
        }
    })
}

fn merge_with(ctx: &mut Context, args: &[Term]) -> Answer {
    let (left, right) = (map(args, 1)?, map(args, 2)?);
    let mut merged = left.clone();
    for (key, value) in right {
        let value = match left.get(key) {
            Some(current) => {
                ctx.apply(&args[2], vec![key.clone(), current.clone(), value.clone()])?
            }
            None => value.clone(),
        };
        merged.insert(key.clone(), value);
    }
    Ok(Term::Map(merged))
}

/// The pairs whose keys are among those of place 2, and the others.
fn divided(ctx: &mut Context, args: &[Term]) -> Result<(Map, Map), Throw> {
    let wanted = collect(ctx, &args[1])?;
    let mut others = map(args, 1)?.clone();
    let mut chosen = Map::new();
    for key in wanted {
        if let Some(value) = others.remove(&key) {
            chosen.insert(key, value);
        }
    }
    Ok((chosen, others))
}

fn keep(
    ctx: &mut Context,
    map: &Map,
    wanted: bool,
    mut fits: impl FnMut(&mut Context, Term, Term) -> Answer,
) -> Answer {
    let mut kept = Map::new();
    for (key, value) in map {
        if super::argument::is_truthy(&fits(ctx, key.clone(), value.clone())?) == wanted {
            kept.insert(key.clone(), value.clone());
        }
    }
    Ok(Term::Map(kept))
}

fn filter(ctx: &mut Context, args: &[Term], wanted: bool) -> Answer {
    keep(ctx, map(args, 1)?, wanted, |ctx, key, value| {
        ctx.apply(&args[1], vec![Term::tuple([key, value])])
    })
}

fn new(ctx: &mut Context, args: &[Term]) -> Answer {
    let Some(source) = args.first() else {
        return Ok(Term::Map(Map::new()));
    };
    if let (Term::Map(map), 1) = (source, args.len())
        && struct_name(map).is_none()
    {
        return Ok(source.clone());
    }
    let mut pairs = collect(ctx, source)?;
    if let Some(fun) = args.get(1) {
        for pair in &mut pairs {
            *pair = ctx.apply(fun, vec![pair.clone()])?;
        }
    }
    super::enumeration::build::collect_into(pairs, &Term::Map(Map::new()))
}

fn from_struct(ctx: &mut Context, args: &[Term]) -> Answer {
    let fields = match &args[0] {
        Term::Atom(module) => ctx.call(*module, "__struct__", Vec::new())?,
        other => other.clone(),
    };
    match &fields {
        Term::Map(map) if struct_name(map).is_some() => {
            let mut map = map.clone();
            map.remove(&Term::atom("__struct__"));
            Ok(Term::Map(map))
        }
        _ => Err(Throw::function_clause("Map", "from_struct", args)),
    }
}

fn from_keys(ctx: &mut Context, args: &[Term]) -> Answer {
    let keys = collect(ctx, &args[0])?;
    Ok(Term::Map(
        keys.into_iter().map(|key| (key, args[1].clone())).collect(),
    ))
}

fn equal(_: &mut Context, args: &[Term]) -> Answer {
    map(args, 1)?;
    map(args, 2)?;
    Ok((args[0] == args[1]).into())
}

/// The functions of this file that are `Map`'s.
pub(crate) const TABLE: &[Entry] = table! {
    "get"/2 => get, "Map.get(map, key): the value of key, or nil";
    "get"/3 => get, "Map.get(map, key, default): the value of key, or default";
    "get_lazy"/3 => get_lazy, "Map.get_lazy(map, key, fun): the value of key, or the result of fun";
    "fetch"/2 => fetch, "Map.fetch(map, key): {:ok, value} or :error";
    "fetch!"/2 => fetch_or_raise, "Map.fetch!(map, key): the value of key, or KeyError";
    "has_key?"/2 => has_key, "Map.has_key?(map, key)";
    "put"/3 => put, "Map.put(map, key, value)";
    "put_new"/3 => put_new, "Map.put_new(map, key, value): key set unless it is there";
    "put_new_lazy"/3 => put_new_lazy, "Map.put_new_lazy(map, key, fun)";
    "replace"/3 => replace, "Map.replace(map, key, value): key set if it is there";
    "replace!"/3 => replace_or_raise, "Map.replace!(map, key, value): key set, or KeyError";
    "delete"/2 => delete, "Map.delete(map, key)";
    "update"/4 => update, "Map.update(map, key, default, fun): fun of the value of key, or default";
    "update!"/3 => update, "Map.update!(map, key, fun): fun of the value of key, or KeyError";
    "get_and_update"/3 => get_and_update, "Map.get_and_update(map, key, fun): fun gives {result, new value} or :pop";
    "get_and_update!"/3 => get_and_update_or_raise, "Map.get_and_update!(map, key, fun): the same of a key that must be there";
    "pop"/2 => pop, "Map.pop(map, key): {value, map without key}";
    "pop"/3 => pop, "Map.pop(map, key, default)";
    "pop!"/2 => pop_or_raise, "Map.pop!(map, key): {value, map without key}, or KeyError";
    "pop_lazy"/3 => pop_lazy, "Map.pop_lazy(map, key, fun)";
    "keys"/1 => keys, "Map.keys(map)";
    "values"/1 => values, "Map.values(map)";
    "to_list"/1 => to_list, "Map.to_list(map): {key, value} for each";
    "merge"/2 => merge, "Map.merge(left, right): both, right's values where both have a key";
    "merge"/3 => merge_with, "Map.merge(left, right, fun): fun.(key, left, right) where both have a key";
    "take"/2 => |ctx, args| divided(ctx, args).map(|(taken, _)| Term::Map(taken)), "Map.take(map, keys): only these keys";
    "drop"/2 => |ctx, args| divided(ctx, args).map(|(_, left)| Term::Map(left)), "Map.drop(map, keys): all but these keys";
    "split"/2 => |ctx, args| divided(ctx, args).map(|(taken, left)| Term::tuple([Term::Map(taken), Term::Map(left)])), "Map.split(map, keys): {these, the others}";
    "filter"/2 => |ctx, args| filter(ctx, args, true), "Map.filter(map, fun): the pairs for which fun.({key, value}) is truthy";
    "reject"/2 => |ctx, args| filter(ctx, args, false), "Map.reject(map, fun): the pairs for which fun.({key, value}) is falsy";
    "new"/0 => new, "Map.new(): an empty map";
    "new"/1 => new, "Map.new(enumerable): a map of its pairs";
    "new"/2 => new, "Map.new(enumerable, transform): a map of the pairs transform gives";
    "from_struct"/1 => from_struct, "Map.from_struct(struct): its fields as a map";
    "from_keys"/2 => from_keys, "Map.from_keys(keys, value): value for each key";
    "equal?"/2 => equal, "Map.equal?(left, right)";
};

/// Elixir's order of arguments for a function of Erlang's that has the key first and the map last.
fn turned(args: &[Term]) -> Vec<Term> {
    let mut turned = vec![args[args.len() - 1].clone()];
    turned.extend_from_slice(&args[..args.len() - 1]);
    turned
}

fn erlang_get(_: &mut Context, args: &[Term]) -> Answer {
    let found = match &args[1] {
        Term::Map(map) => map.get(&args[0]).cloned(),
        other => return Err(bad_map(other)),
    };
    found
        .or_else(|| args.get(2).cloned())
        .ok_or_else(|| Throw::key_error(args[0].clone(), args[1].clone()))
}

fn find(_: &mut Context, args: &[Term]) -> Answer {
    Ok(map(args, 2)?
        .get(&args[0])
        .cloned()
        .map_or_else(|| Term::atom("error"), ok_with))
}

fn take(ctx: &mut Context, args: &[Term]) -> Answer {
    let args = turned(args);
    match map(&args, 1)?.get(&args[1]) {
        Some(value) => Ok(Term::tuple([value.clone(), delete(ctx, &args)?])),
        None => Ok(Term::atom("error")),
    }
}

fn fold(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut acc = args[1].clone();
    for (key, value) in map(args, 3)? {
        acc = ctx.apply(&args[0], vec![key.clone(), value.clone(), acc])?;
    }
    Ok(acc)
}

fn map_values(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut result = Map::new();
    for (key, value) in map(args, 2)? {
        result.insert(
            key.clone(),
            ctx.apply(&args[0], vec![key.clone(), value.clone()])?,
        );
    }
    Ok(Term::Map(result))
}

fn erlang_filter(ctx: &mut Context, args: &[Term]) -> Answer {
    keep(ctx, map(args, 2)?, true, |ctx, key, value| {
        ctx.apply(&args[0], vec![key, value])
    })
}

fn erlang_update(ctx: &mut Context, args: &[Term]) -> Answer {
    let turned = turned(args);
    if map(&turned, 1)?.contains_key(&args[0]) {
        put(ctx, &turned)
    } else {
        Err(Throw::key_error(args[0].clone(), args[2].clone()))
    }
}

/// The functions of this file that are `:maps`'.
pub(crate) const ERLANG: &[Entry] = table! {
    "new"/0 => new, ":maps.new()";
    "get"/2 => erlang_get, ":maps.get(key, map)";
    "get"/3 => erlang_get, ":maps.get(key, map, default)";
    "find"/2 => find, ":maps.find(key, map): {:ok, value} or :error";
    "put"/3 => |ctx, args| put(ctx, &turned(args)), ":maps.put(key, value, map)";
    "update"/3 => erlang_update, ":maps.update(key, value, map): of a key that must be there";
    "remove"/2 => |ctx, args| delete(ctx, &turned(args)), ":maps.remove(key, map)";
    "take"/2 => take, ":maps.take(key, map): {value, map without key} or :error";
    "is_key"/2 => |ctx, args| has_key(ctx, &turned(args)), ":maps.is_key(key, map)";
    "keys"/1 => keys, ":maps.keys(map)";
    "values"/1 => values, ":maps.values(map)";
    "to_list"/1 => to_list, ":maps.to_list(map)";
    "from_list"/1 => new, ":maps.from_list(pairs)";
    "size"/1 => super::kernel::map_size, ":maps.size(map)";
    "merge"/2 => merge, ":maps.merge(left, right)";
    "fold"/3 => fold, ":maps.fold(fun, acc, map): folds with fun.(key, value, acc)";
    "map"/2 => map_values, ":maps.map(fun, map): fun.(key, value) for each value";
    "filter"/2 => erlang_filter, ":maps.filter(fun, map): the pairs for which fun.(key, value) is true";
    "with"/2 => |ctx, args| divided(ctx, &turned(args)).map(|(taken, _)| Term::Map(taken)), ":maps.with(keys, map)";
    "without"/2 => |ctx, args| divided(ctx, &turned(args)).map(|(_, left)| Term::Map(left)), ":maps.without(keys, map)";
};

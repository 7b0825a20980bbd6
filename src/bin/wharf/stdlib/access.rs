//! `Access`, and what `Kernel` builds on it: values by keys, one inside the other.
//!
//! Relies on terms. Promises `nil` for what is missing, and Elixir's errors for what has no keys.
#![forbid(unsafe_code)]

use super::argument::{Answer, nil, ok_with};
use super::{Entry, table};
use crate::inspect::inspect;
use crate::lang::function::made;
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use wharf::term::Term;

/// The value of `key` in a map, keyword list or `nil`.
pub(crate) fn fetch(container: &Term, key: &Term) -> Result<Option<Term>, Throw> {
    match container {
        Term::Map(map) => Ok(map.get(key).cloned()),
        Term::Nil | Term::List(_) => match key {
            Term::Atom(_) => Ok(super::keyword::first(container, key)),
            _ => Err(Throw::argument_error(&format!(
                "the Access calls for keywords expect the key to be an atom, got: {}",
                inspect(key)
            ))),
        },
        _ if container.is_atom("nil") => Ok(None),
        _ => Err(Throw::function_clause(
            "Access",
            "get",
            &[container.clone(), key.clone(), nil()],
        )),
    }
}

fn get(_: &mut Context, args: &[Term]) -> Answer {
    Ok(fetch(&args[0], &args[1])?.unwrap_or_else(|| args.get(2).cloned().unwrap_or_else(nil)))
}

fn fetch_key(_: &mut Context, args: &[Term]) -> Answer {
    Ok(fetch(&args[0], &args[1])?.map_or_else(|| Term::atom("error"), ok_with))
}

fn fetch_or_raise(_: &mut Context, args: &[Term]) -> Answer {
    fetch(&args[0], &args[1])?.ok_or_else(|| Throw::key_error(args[1].clone(), args[0].clone()))
}

/// `container` with `key` set, or without it.
fn put(container: &Term, key: &Term, value: Option<Term>) -> Answer {
    match container {
        Term::Map(map) => {
            let mut map = map.clone();
            match value {
                Some(value) => map.insert(key.clone(), value),
                None => map.remove(key),
            };
            Ok(Term::Map(map))
        }
        Term::Nil | Term::List(_) => Ok(match value {
            Some(value) => super::keyword::put(container, key, value),
            None => super::keyword::without(container, key),
        }),
        _ => Err(Throw::argument_error(&format!(
            "could not put/update key {} on a {} value",
            inspect(key),
            if container.is_atom("nil") {
                "nil".to_owned()
            } else {
                inspect(container)
            }
        ))),
    }
}

/// What becomes of a value: a result, and the new value if it stays.
type Change<'a> = &'a mut dyn FnMut(&mut Context, Term) -> Result<(Term, Option<Term>), Throw>;

/// Walks down the keys and changes what is there.
fn change(
    ctx: &mut Context,
    data: &Term,
    keys: &[Term],
    with: Change<'_>,
) -> Result<(Term, Term), Throw> {
    let [key, rest @ ..] = keys else {
        return Err(Throw::function_clause(
            "Kernel",
            "get_and_update_in",
            std::slice::from_ref(data),
        ));
    };
    if let Term::Fun(_) = key {
        return Err(Throw::argument_error(
            "functions as keys can only be read with get_in/2 here",
        ));
    }
    if is_all(key) {
        let items = data.to_list_vec().ok_or_else(|| all_of(data))?;
        let (mut results, mut kept) = (Vec::new(), Vec::new());
        for item in items {
            let (result, value) = if rest.is_empty() {
                with(ctx, item)?
            } else {
                let (result, value) = change(ctx, &item, rest, with)?;
                (result, Some(value))
            };
            results.push(result);
            kept.extend(value);
        }
        return Ok((Term::list(results), Term::list(kept)));
    }
    let current = fetch(data, key)?.unwrap_or_else(nil);
    let (result, value) = if rest.is_empty() {
        with(ctx, current)?
    } else {
        let (result, value) = change(ctx, &current, rest, with)?;
        (result, Some(value))
    };
    Ok((result, put(data, key, value)?))
}

fn is_all(key: &Term) -> bool {
    key.is_atom("$access_all")
}

fn all_of(data: &Term) -> Throw {
    Throw::runtime_error(&format!(
        "Access.all/0 expected a list, got: {}",
        inspect(data)
    ))
}

fn keys(args: &[Term]) -> Result<Vec<Term>, Throw> {
    args[1]
        .to_list_vec()
        .filter(|keys| !keys.is_empty())
        .ok_or_else(|| Throw::function_clause("Kernel", "get_in", args))
}

fn walk(ctx: &mut Context, data: Term, keys: &[Term]) -> Answer {
    let [key, rest @ ..] = keys else {
        return Ok(data);
    };
    if let Term::Fun(_) = key {
        // A function finds its own way, and is told how to go on.
        let rest = rest.to_vec();
        let next = made(1, move |ctx, args| walk(ctx, args[0].clone(), &rest));
        return ctx.apply(key, vec![Term::atom("get"), data, next]);
    }
    if is_all(key) {
        if data.is_atom("nil") {
            return Ok(nil());
        }
        let mut values = Vec::new();
        for item in data.to_list_vec().ok_or_else(|| all_of(&data))? {
            values.push(walk(ctx, item, rest)?);
        }
        return Ok(Term::list(values));
    }
    let value = fetch(&data, key)?.unwrap_or_else(nil);
    walk(ctx, value, rest)
}

/// `get_in(data, keys)`
pub(crate) fn get_in(ctx: &mut Context, args: &[Term]) -> Answer {
    let keys = keys(args)?;
    walk(ctx, args[0].clone(), &keys)
}

/// `put_in(data, keys, value)`
pub(crate) fn put_in(ctx: &mut Context, args: &[Term]) -> Answer {
    let value = args[2].clone();
    change(ctx, &args[0], &keys(args)?, &mut |_, _| {
        Ok((nil(), Some(value.clone())))
    })
    .map(|(_, data)| data)
}

/// `update_in(data, keys, fun)`
pub(crate) fn update_in(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut with =
        |ctx: &mut Context, value: Term| Ok((nil(), Some(ctx.apply(&args[2], vec![value])?)));
    change(ctx, &args[0], &keys(args)?, &mut with).map(|(_, data)| data)
}

/// `pop_in(data, keys)`
pub(crate) fn pop_in(ctx: &mut Context, args: &[Term]) -> Answer {
    change(ctx, &args[0], &keys(args)?, &mut |_, value| {
        Ok((value, None))
    })
    .map(|(value, data)| Term::tuple([value, data]))
}

/// `get_and_update_in(data, keys, fun)`
pub(crate) fn get_and_update_in(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut with = |ctx: &mut Context, value: Term| {
        let answer = ctx.apply(&args[2], vec![value.clone()])?;
        get_and_update_answer(&answer, &value)
    };
    change(ctx, &args[0], &keys(args)?, &mut with).map(|(result, data)| Term::tuple([result, data]))
}

/// What the function of a `get_and_update` decided: `{result, new value}` or `:pop`.
pub(crate) fn get_and_update_answer(
    answer: &Term,
    value: &Term,
) -> Result<(Term, Option<Term>), Throw> {
    match answer {
        Term::Tuple(pair) if pair.len() == 2 => Ok((pair[0].clone(), Some(pair[1].clone()))),
        _ if answer.is_atom("pop") => Ok((value.clone(), None)),
        _ => Err(Throw::runtime_error(&format!(
            "the given function must return a two-element tuple or :pop, got: {}",
            inspect(answer)
        ))),
    }
}

fn get_and_update(ctx: &mut Context, args: &[Term]) -> Answer {
    let path = Term::list(vec![args[1].clone()]);
    get_and_update_in(ctx, &[args[0].clone(), path, args[2].clone()])
}

fn pop(_: &mut Context, args: &[Term]) -> Answer {
    let value = fetch(&args[0], &args[1])?;
    let rest = put(&args[0], &args[1], None)?;
    Ok(Term::tuple([
        value.unwrap_or_else(|| args.get(2).cloned().unwrap_or_else(nil)),
        rest,
    ]))
}

/// The functions of this file that are `Access`'s.
pub(crate) const TABLE: &[Entry] = table! {
    "get"/2 => get, "Access.get(container, key): the value of a map or keyword list, or nil";
    "get"/3 => get, "Access.get(container, key, default): the value of a map or keyword list, or default";
    "fetch"/2 => fetch_key, "Access.fetch(container, key): {:ok, value} or :error";
    "fetch!"/2 => fetch_or_raise, "Access.fetch!(container, key): the value, or KeyError";
    "get_and_update"/3 => get_and_update, "Access.get_and_update(container, key, fun): fun gives {result, new value} or :pop";
    "pop"/2 => pop, "Access.pop(container, key): {value, container without it}";
    "pop"/3 => pop, "Access.pop(container, key, default)";
    "all"/0 => |_, _| Ok(Term::atom("$access_all")), "Access.all(): a key for every item of a list in get_in/2 and others";
};

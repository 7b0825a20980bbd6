//! `Keyword`: lists of pairs with atoms for keys, in order, repetitions allowed.
//!
//! Relies on terms. Promises that the order of entries stays, and that putting a key removes its repetitions.
#![forbid(unsafe_code)]

use super::argument::{Answer, nil, ok_with};
use super::enumeration::items::collect;
use super::{Entry, table};
use crate::inspect::inspect;
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use wharf::term::Term;

type Pairs = Vec<(Term, Term)>;

/// The value of the first `key`.
pub(crate) fn first(list: &Term, key: &Term) -> Option<Term> {
    list.as_list()?.iter().find_map(|entry| match &entry {
        Term::Tuple(pair) if pair.len() == 2 && pair[0] == *key => Some(pair[1].clone()),
        _ => None,
    })
}

/// `list` with `key` set once, at its front.
pub(crate) fn put(list: &Term, key: &Term, value: Term) -> Term {
    Term::cons(Term::tuple([key.clone(), value]), without(list, key))
}

/// `list` without any entry of `key`.
pub(crate) fn without(list: &Term, key: &Term) -> Term {
    let entries = list.to_list_vec().unwrap_or_default();
    let others = entries
        .into_iter()
        .filter(|entry| !matches!(entry, Term::Tuple(pair) if pair.first() == Some(key)));
    Term::list(others.collect())
}

/// The entries of the keyword list at place 1.
fn pairs(function: &str, args: &[Term]) -> Result<Pairs, Throw> {
    entries(&args[0]).ok_or_else(|| Throw::function_clause("Keyword", function, args))
}

fn entries(list: &Term) -> Option<Pairs> {
    let entry = |entry: Term| match &entry {
        Term::Tuple(pair) if pair.len() == 2 => Some((pair[0].clone(), pair[1].clone())),
        _ => None,
    };
    list.to_list_vec()?.into_iter().map(entry).collect()
}

fn to_term(pairs: Pairs) -> Term {
    Term::list(
        pairs
            .into_iter()
            .map(|(key, value)| Term::tuple([key, value]))
            .collect(),
    )
}

fn position(pairs: &Pairs, key: &Term) -> Option<usize> {
    pairs.iter().position(|(other, _)| other == key)
}

fn lookup(function: &str, args: &[Term]) -> Result<Option<Term>, Throw> {
    match (&args[0], &args[1]) {
        (Term::Nil | Term::List(_), Term::Atom(_)) => Ok(first(&args[0], &args[1])),
        _ => {
            let mut all = args.to_vec();
            if function == "get" && all.len() == 2 {
                all.push(nil());
            }
            Err(Throw::function_clause("Keyword", function, &all))
        }
    }
}

fn default(args: &[Term]) -> Term {
    args.get(2).cloned().unwrap_or_else(nil)
}

fn get(_: &mut Context, args: &[Term]) -> Answer {
    Ok(lookup("get", args)?.unwrap_or_else(|| default(args)))
}

fn get_lazy(ctx: &mut Context, args: &[Term]) -> Answer {
    lookup("get_lazy", args)?.map_or_else(|| ctx.apply(&args[2], Vec::new()), Ok)
}

fn fetch(_: &mut Context, args: &[Term]) -> Answer {
    Ok(lookup("fetch", args)?.map_or_else(|| Term::atom("error"), ok_with))
}

fn fetch_or_raise(_: &mut Context, args: &[Term]) -> Answer {
    lookup("fetch!", args)?.ok_or_else(|| missing(args))
}

fn missing(args: &[Term]) -> Throw {
    Throw::key_error(args[1].clone(), args[0].clone())
}

fn has_key(_: &mut Context, args: &[Term]) -> Answer {
    Ok(lookup("has_key?", args)?.is_some().into())
}

fn put_key(_: &mut Context, args: &[Term]) -> Answer {
    pairs("put", args)?;
    Ok(put(&args[0], &args[1], args[2].clone()))
}

fn put_new(_: &mut Context, args: &[Term]) -> Answer {
    Ok(match lookup("put_new", args)? {
        Some(_) => args[0].clone(),
        None => Term::cons(
            Term::tuple([args[1].clone(), args[2].clone()]),
            args[0].clone(),
        ),
    })
}

fn put_new_lazy(ctx: &mut Context, args: &[Term]) -> Answer {
    if lookup("put_new_lazy", args)?.is_some() {
        return Ok(args[0].clone());
    }
    let value = ctx.apply(&args[2], Vec::new())?;
    Ok(Term::cons(
        Term::tuple([args[1].clone(), value]),
        args[0].clone(),
    ))
}

fn replace(_: &mut Context, args: &[Term]) -> Answer {
    let mut pairs = pairs("replace", args)?;
    if let Some(place) = position(&pairs, &args[1]) {
        set(&mut pairs, place, args[2].clone());
    }
    Ok(to_term(pairs))
}

fn replace_or_raise(ctx: &mut Context, args: &[Term]) -> Answer {
    if lookup("replace!", args)?.is_some() {
        replace(ctx, args)
    } else {
        Err(missing(args))
    }
}

/// Another value in `place`, and no repetition of its key behind it.
fn set(pairs: &mut Pairs, place: usize, value: Term) {
    let key = pairs[place].0.clone();
    pairs[place].1 = value;
    let mut index = 0;
    pairs.retain(|(other, _)| {
        index += 1;
        index - 1 <= place || *other != key
    });
}

fn update(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut pairs = pairs("update", args)?;
    match position(&pairs, &args[1]) {
        Some(place) => {
            let value = ctx.apply(&args[args.len() - 1], vec![pairs[place].1.clone()])?;
            set(&mut pairs, place, value);
        }
        None if args.len() == 4 => pairs.push((args[1].clone(), args[2].clone())),
        None => return Err(missing(args)),
    }
    Ok(to_term(pairs))
}

fn get_and_update(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut pairs = pairs("get_and_update", args)?;
    let place = position(&pairs, &args[1]);
    let current = place.map_or_else(nil, |place| pairs[place].1.clone());
    let answer = ctx.apply(&args[2], vec![current.clone()])?;
    let (result, value) = super::access::get_and_update_answer(&answer, &current)?;
    match (place, value) {
        (Some(place), Some(value)) => set(&mut pairs, place, value),
        (None, Some(value)) => pairs.insert(0, (args[1].clone(), value)),
        (_, None) => pairs.retain(|(key, _)| *key != args[1]),
    }
    Ok(Term::tuple([result, to_term(pairs)]))
}

fn delete(_: &mut Context, args: &[Term]) -> Answer {
    let mut pairs = pairs("delete", args)?;
    pairs.retain(|(key, _)| *key != args[1]);
    Ok(to_term(pairs))
}

fn delete_first(_: &mut Context, args: &[Term]) -> Answer {
    let mut pairs = pairs("delete_first", args)?;
    if let Some(place) = position(&pairs, &args[1]) {
        pairs.remove(place);
    }
    Ok(to_term(pairs))
}

fn pop(ctx: &mut Context, args: &[Term]) -> Answer {
    let value = lookup("pop", args)?.unwrap_or_else(|| default(args));
    Ok(Term::tuple([value, delete(ctx, args)?]))
}

fn pop_or_raise(ctx: &mut Context, args: &[Term]) -> Answer {
    if lookup("pop!", args)?.is_some() {
        pop(ctx, args)
    } else {
        Err(missing(args))
    }
}

fn pop_first(ctx: &mut Context, args: &[Term]) -> Answer {
    let value = lookup("pop_first", args)?.unwrap_or_else(|| default(args));
    Ok(Term::tuple([value, delete_first(ctx, args)?]))
}

fn pop_values(ctx: &mut Context, args: &[Term]) -> Answer {
    let values = get_values(ctx, args)?;
    Ok(Term::tuple([values, delete(ctx, args)?]))
}

fn get_values(_: &mut Context, args: &[Term]) -> Answer {
    let pairs = pairs("get_values", args)?;
    Ok(Term::list(
        pairs
            .into_iter()
            .filter(|(key, _)| *key == args[1])
            .map(|(_, value)| value)
            .collect(),
    ))
}

fn keys(_: &mut Context, args: &[Term]) -> Answer {
    Ok(Term::list(
        pairs("keys", args)?
            .into_iter()
            .map(|(key, _)| key)
            .collect(),
    ))
}

fn values(_: &mut Context, args: &[Term]) -> Answer {
    Ok(Term::list(
        pairs("values", args)?
            .into_iter()
            .map(|(_, value)| value)
            .collect(),
    ))
}

fn is_keyword(_: &mut Context, args: &[Term]) -> Answer {
    Ok(entries(&args[0])
        .is_some_and(|pairs| pairs.iter().all(|(key, _)| key.as_atom().is_some()))
        .into())
}

fn merge(_: &mut Context, args: &[Term]) -> Answer {
    let (mut left, right) = (pairs("merge", args)?, pairs("merge", &args[1..])?);
    left.retain(|(key, _)| position(&right, key).is_none());
    left.extend(right);
    Ok(to_term(left))
}

fn merge_with(ctx: &mut Context, args: &[Term]) -> Answer {
    let (mut left, right) = (pairs("merge", args)?, pairs("merge", &args[1..])?);
    let mut added = Vec::new();
    for (key, value) in right {
        match position(&left, &key) {
            Some(place) => {
                let (_, current) = left.remove(place);
                added.push((key.clone(), ctx.apply(&args[2], vec![key, current, value])?));
            }
            None => added.push((key, value)),
        }
    }
    left.extend(added);
    Ok(to_term(left))
}

/// The entries whose keys are in the list at place 2, and the others.
fn divided(function: &str, args: &[Term]) -> Result<(Term, Term), Throw> {
    let wanted = args[1]
        .to_list_vec()
        .ok_or_else(|| Throw::function_clause("Keyword", function, args))?;
    let (chosen, others) = pairs(function, args)?
        .into_iter()
        .partition(|(key, _)| wanted.contains(key));
    Ok((to_term(chosen), to_term(others)))
}

fn filter(ctx: &mut Context, args: &[Term], wanted: bool) -> Answer {
    let mut chosen = Vec::new();
    for entry in collect(ctx, &args[0])? {
        if super::argument::is_truthy(&ctx.apply(&args[1], vec![entry.clone()])?) == wanted {
            chosen.push(entry);
        }
    }
    Ok(Term::list(chosen))
}

fn new(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut result: Pairs = Vec::new();
    let Some(source) = args.first() else {
        return Ok(Term::Nil);
    };
    for entry in collect(ctx, source)? {
        let entry = match args.get(1) {
            Some(fun) => ctx.apply(fun, vec![entry])?,
            None => entry,
        };
        match &entry {
            Term::Tuple(pair) if pair.len() == 2 && pair[0].as_atom().is_some() => {
                result.retain(|(key, _)| *key != pair[0]);
                result.push((pair[0].clone(), pair[1].clone()));
            }
            _ => return Err(Throw::function_clause("Keyword", "new", args)),
        }
    }
    Ok(to_term(result))
}

/// The keyword list with the defaults it lacks, or the keys it may not have.
fn validated(args: &[Term]) -> Result<Result<Term, Vec<Term>>, Throw> {
    let given = pairs("validate", args)?;
    let allowed = args[1]
        .to_list_vec()
        .ok_or_else(|| Throw::function_clause("Keyword", "validate", args))?;
    let name = |entry: &Term| match entry {
        Term::Tuple(pair) if pair.len() == 2 => pair[0].clone(),
        other => other.clone(),
    };
    let unknown: Vec<Term> = given
        .iter()
        .map(|(key, _)| key)
        .filter(|key| !allowed.iter().any(|entry| name(entry) == **key))
        .cloned()
        .collect();
    if !unknown.is_empty() {
        return Ok(Err(unknown));
    }
    let mut result = given;
    for entry in &allowed {
        if let Term::Tuple(pair) = entry
            && position(&result, &pair[0]).is_none()
        {
            result.insert(0, (pair[0].clone(), pair[1].clone()));
        }
    }
    Ok(Ok(to_term(result)))
}

fn validate(_: &mut Context, args: &[Term]) -> Answer {
    Ok(match validated(args)? {
        Ok(list) => ok_with(list),
        Err(unknown) => super::argument::error_with(Term::list(unknown)),
    })
}

fn validate_or_raise(_: &mut Context, args: &[Term]) -> Answer {
    validated(args)?.map_err(|unknown| {
        let allowed = args[1].to_list_vec().unwrap_or_default();
        let keys = allowed
            .into_iter()
            .map(|entry| {
                entry
                    .as_tuple()
                    .map_or(entry.clone(), |pair| pair[0].clone())
            })
            .collect();
        Throw::argument_error(&format!(
            "unknown keys {} in {}, the allowed keys are: {}",
            inspect(&Term::list(unknown)),
            inspect(&args[0]),
            inspect(&Term::list(keys))
        ))
    })
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "get"/2 => get, "Keyword.get(keywords, key): the first value of key, or nil";
    "get"/3 => get, "Keyword.get(keywords, key, default): the first value of key, or default";
    "get_lazy"/3 => get_lazy, "Keyword.get_lazy(keywords, key, fun): the first value of key, or the result of fun";
    "get_values"/2 => get_values, "Keyword.get_values(keywords, key): all values of key";
    "fetch"/2 => fetch, "Keyword.fetch(keywords, key): {:ok, value} or :error";
    "fetch!"/2 => fetch_or_raise, "Keyword.fetch!(keywords, key): the first value of key, or KeyError";
    "has_key?"/2 => has_key, "Keyword.has_key?(keywords, key)";
    "put"/3 => put_key, "Keyword.put(keywords, key, value): key set once";
    "put_new"/3 => put_new, "Keyword.put_new(keywords, key, value): key set unless it is there";
    "put_new_lazy"/3 => put_new_lazy, "Keyword.put_new_lazy(keywords, key, fun)";
    "replace"/3 => replace, "Keyword.replace(keywords, key, value): key set if it is there";
    "replace!"/3 => replace_or_raise, "Keyword.replace!(keywords, key, value): key set, or KeyError";
    "update"/4 => update, "Keyword.update(keywords, key, default, fun): fun of the value of key, or default";
    "update!"/3 => update, "Keyword.update!(keywords, key, fun): fun of the value of key, or KeyError";
    "get_and_update"/3 => get_and_update, "Keyword.get_and_update(keywords, key, fun): fun gives {result, new value} or :pop";
    "delete"/2 => delete, "Keyword.delete(keywords, key): without any entry of key";
    "delete_first"/2 => delete_first, "Keyword.delete_first(keywords, key): without the first entry of key";
    "pop"/2 => pop, "Keyword.pop(keywords, key): {first value, keywords without key}";
    "pop"/3 => pop, "Keyword.pop(keywords, key, default)";
    "pop!"/2 => pop_or_raise, "Keyword.pop!(keywords, key): {first value, keywords without key}, or KeyError";
    "pop_first"/2 => pop_first, "Keyword.pop_first(keywords, key): {first value, keywords without that entry}";
    "pop_first"/3 => pop_first, "Keyword.pop_first(keywords, key, default)";
    "pop_values"/2 => pop_values, "Keyword.pop_values(keywords, key): {all values, keywords without key}";
    "keys"/1 => keys, "Keyword.keys(keywords): the keys in order";
    "values"/1 => values, "Keyword.values(keywords): the values in order";
    "keyword?"/1 => is_keyword, "Keyword.keyword?(term): whether it is a keyword list";
    "merge"/2 => merge, "Keyword.merge(left, right): both, right's entries where both have a key";
    "merge"/3 => merge_with, "Keyword.merge(left, right, fun): fun.(key, left, right) where both have a key";
    "take"/2 => |_, args| divided("take", args).map(|(taken, _)| taken), "Keyword.take(keywords, keys): only these keys";
    "drop"/2 => |_, args| divided("drop", args).map(|(_, left)| left), "Keyword.drop(keywords, keys): all but these keys";
    "split"/2 => |_, args| divided("split", args).map(|(taken, left)| Term::tuple([taken, left])), "Keyword.split(keywords, keys): {these, the others}";
    "filter"/2 => |ctx, args| filter(ctx, args, true), "Keyword.filter(keywords, fun): the entries for which fun is truthy";
    "reject"/2 => |ctx, args| filter(ctx, args, false), "Keyword.reject(keywords, fun): the entries for which fun is falsy";
    "new"/0 => new, "Keyword.new(): an empty keyword list";
    "new"/1 => new, "Keyword.new(pairs): a keyword list without repetitions";
    "new"/2 => new, "Keyword.new(enumerable, fun): a keyword list of the pairs fun gives";
    "to_list"/1 => |_, args| Ok(args[0].clone()), "Keyword.to_list(keywords): itself";
    "validate"/2 => validate, "Keyword.validate(keywords, allowed): {:ok, keywords with defaults} or {:error, unknown keys}";
    "validate!"/2 => validate_or_raise, "Keyword.validate!(keywords, allowed): keywords with defaults, or ArgumentError";
};

//! `:lists`: Erlang's functions on lists, places from 1.
//!
//! Relies on `list` and on `Enum`'s functions where they are the same. Promises `:function_clause` for what is no list.
#![forbid(unsafe_code)]

use super::argument::{Answer, is_truthy};
use super::list::{flat, key_place, sort_by_key};
use super::{Entry, convert, table};
use crate::lang::native::Context;
use crate::lang::operators::BinaryOp;
use crate::lang::throw::Throw;
use std::cmp::Ordering;
use wharf::term::{Atom, Term};

fn clause(function: &str, args: &[Term]) -> Throw {
    Throw::about_call("function_clause", Some(Atom::new("lists")), function, args)
}

fn items(function: &str, args: &[Term], place: usize) -> Result<Vec<Term>, Throw> {
    args[place - 1]
        .to_list_vec()
        .ok_or_else(|| clause(function, args))
}

fn number(function: &str, args: &[Term], place: usize) -> Result<usize, Throw> {
    args[place - 1]
        .as_usize()
        .ok_or_else(|| clause(function, args))
}

fn seq(_: &mut Context, args: &[Term]) -> Answer {
    let wrong = || clause("seq", args);
    let (from, to) = (
        args[0].as_int().ok_or_else(wrong)?,
        args[1].as_int().ok_or_else(wrong)?,
    );
    let step = args
        .get(2)
        .map_or(Some(1), Term::as_int)
        .ok_or_else(wrong)?;
    // A step past the end gives an empty list; anything else that cannot arrive is an error.
    let before = i128::from(from) - i128::from(step);
    if step == 0 && from == to {
        return Ok(Term::list(vec![Term::Int(from)]));
    }
    let last = i128::from(to);
    if step > 0 && before <= last && from > to || step < 0 && before >= last && from < to {
        return Ok(Term::Nil);
    }
    if step == 0 || (step > 0) != (to >= from) {
        return Err(wrong());
    }
    let numbers = std::iter::successors(Some(from), |number| number.checked_add(step));
    let numbers = numbers.take_while(|number| {
        if step > 0 {
            *number <= to
        } else {
            *number >= to
        }
    });
    Ok(Term::list(numbers.map(Term::Int).collect()))
}

fn nth(_: &mut Context, args: &[Term]) -> Answer {
    let place = number("nth", args, 1)?.checked_sub(1);
    let items = items("nth", args, 2)?;
    place
        .and_then(|place| items.get(place).cloned())
        .ok_or_else(|| clause("nth", args))
}

fn nthtail(_: &mut Context, args: &[Term]) -> Answer {
    let (skip, mut items) = (number("nthtail", args, 1)?, items("nthtail", args, 2)?);
    if skip > items.len() {
        return Err(clause("nthtail", args));
    }
    Ok(Term::list(items.split_off(skip)))
}

fn last(_: &mut Context, args: &[Term]) -> Answer {
    items("last", args, 1)?
        .pop()
        .ok_or_else(|| clause("last", args))
}

fn droplast(_: &mut Context, args: &[Term]) -> Answer {
    let mut items = items("droplast", args, 1)?;
    items.pop().ok_or_else(|| clause("droplast", args))?;
    Ok(Term::list(items))
}

fn reverse(_: &mut Context, args: &[Term]) -> Answer {
    let mut items = items("reverse", args, 1)?;
    items.reverse();
    Ok(match args.get(1) {
        Some(tail) => Term::improper(items, tail.clone()),
        None => Term::list(items),
    })
}

fn sorted(function: &str, args: &[Term], unique: bool) -> Answer {
    let mut items = items(function, args, 1)?;
    items.sort_by(Term::compare);
    if unique {
        items.dedup_by(|left, right| left.compare(right) == Ordering::Equal);
    }
    Ok(Term::list(items))
}

fn enum_call(ctx: &mut Context, function: &str, args: Vec<Term>) -> Answer {
    ctx.call(Atom::new("Elixir.Enum"), function, args)
}

/// `:lists.function(fun, list)` as `Enum.function(list, fun)`.
fn turned(ctx: &mut Context, function: &str, args: &[Term]) -> Answer {
    items(function, args, 2)?;
    enum_call(ctx, function, vec![args[1].clone(), args[0].clone()])
}

fn foldl(ctx: &mut Context, args: &[Term]) -> Answer {
    fold(ctx, args, items("foldl", args, 3)?)
}

fn foldr(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = items("foldr", args, 3)?;
    items.reverse();
    fold(ctx, args, items)
}

fn fold(ctx: &mut Context, args: &[Term], items: Vec<Term>) -> Answer {
    let mut acc = args[1].clone();
    for item in items {
        acc = ctx.apply(&args[0], vec![item, acc])?;
    }
    Ok(acc)
}

fn foreach(ctx: &mut Context, args: &[Term]) -> Answer {
    for item in items("foreach", args, 2)? {
        ctx.apply(&args[0], vec![item])?;
    }
    Ok(Term::atom("ok"))
}

fn filtermap(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut result = Vec::new();
    for item in items("filtermap", args, 2)? {
        let answer = ctx.apply(&args[0], vec![item.clone()])?;
        match answer.as_tuple().map(|pair| &pair[..]) {
            Some([tag, value]) if tag.is_true() => result.push(value.clone()),
            _ if answer.is_true() => result.push(item),
            _ => {}
        }
    }
    Ok(Term::list(result))
}

fn search(ctx: &mut Context, args: &[Term]) -> Answer {
    for item in items("search", args, 2)? {
        if is_truthy(&ctx.apply(&args[0], vec![item.clone()])?) {
            return Ok(Term::tuple([Term::atom("value"), item]));
        }
    }
    Ok(false.into())
}

/// The tuples at place 3 and where in it the key of place 1 is, at the position of place 2.
fn keyed(function: &str, args: &[Term]) -> Result<(Vec<Term>, Option<usize>), Throw> {
    let items = items(function, args, args.len().min(3))?;
    let position = number(function, args, 2)?
        .checked_sub(1)
        .ok_or_else(|| clause(function, args))?;
    let place = key_place(&items, &args[0], position);
    Ok((items, place))
}

fn keyfind(_: &mut Context, args: &[Term]) -> Answer {
    let (items, place) = keyed("keyfind", args)?;
    Ok(place.map_or_else(|| false.into(), |place| items[place].clone()))
}

fn keysearch(_: &mut Context, args: &[Term]) -> Answer {
    let (items, place) = keyed("keysearch", args)?;
    Ok(place.map_or_else(
        || false.into(),
        |place| Term::tuple([Term::atom("value"), items[place].clone()]),
    ))
}

fn keydelete(_: &mut Context, args: &[Term]) -> Answer {
    let (mut items, place) = keyed("keydelete", args)?;
    place.map(|place| items.remove(place));
    Ok(Term::list(items))
}

fn keytake(_: &mut Context, args: &[Term]) -> Answer {
    let (mut items, place) = keyed("keytake", args)?;
    Ok(match place.map(|place| items.remove(place)) {
        Some(item) => Term::tuple([Term::atom("value"), item, Term::list(items)]),
        None => false.into(),
    })
}

/// `keyreplace` and `keystore`, which adds what it does not find.
fn key_put(function: &str, args: &[Term], add: bool) -> Answer {
    let (mut items, place) = keyed(function, args)?;
    match place {
        Some(place) => items[place] = args[3].clone(),
        None if add => items.push(args[3].clone()),
        None => {}
    }
    Ok(Term::list(items))
}

fn keysort(_: &mut Context, args: &[Term]) -> Answer {
    let mut items = items("keysort", args, 2)?;
    let position = number("keysort", args, 1)?
        .checked_sub(1)
        .ok_or_else(|| clause("keysort", args))?;
    sort_by_key(&mut items, position)?;
    Ok(Term::list(items))
}

fn sublist(_: &mut Context, args: &[Term]) -> Answer {
    let items = items("sublist", args, 1)?;
    let length = number("sublist", args, args.len())?;
    let start = if args.len() == 3 {
        number("sublist", args, 2)?
            .checked_sub(1)
            .ok_or_else(|| clause("sublist", args))?
    } else {
        0
    };
    Ok(Term::list(
        items.into_iter().skip(start).take(length).collect(),
    ))
}

fn extreme(function: &str, args: &[Term], wanted: Ordering) -> Answer {
    let mut items = items(function, args, 1)?.into_iter();
    let mut best = items.next().ok_or_else(|| clause(function, args))?;
    for item in items {
        if item.compare(&best) == wanted {
            best = item;
        }
    }
    Ok(best)
}

fn sum(_: &mut Context, args: &[Term]) -> Answer {
    items("sum", args, 1)?
        .iter()
        .try_fold(Term::Int(0), |acc, item| BinaryOp::Add.apply(&acc, item))
}

fn append(_: &mut Context, args: &[Term]) -> Answer {
    let lists = if args.len() == 2 {
        args.to_vec()
    } else {
        items("append", args, 1)?
    };
    let Some((tail, heads)) = lists.split_last() else {
        return Ok(Term::Nil);
    };
    let mut all = Vec::new();
    for head in heads {
        all.extend(head.to_list_vec().ok_or_else(|| clause("append", args))?);
    }
    Ok(Term::improper(all, tail.clone()))
}

fn zip(ctx: &mut Context, args: &[Term]) -> Answer {
    if items("zip", args, 1)?.len() != items("zip", args, 2)?.len() {
        return Err(clause("zip", args));
    }
    enum_call(ctx, "zip", args.to_vec())
}

fn enumerate(_: &mut Context, args: &[Term]) -> Answer {
    let start = if args.len() > 1 {
        args[0].as_int().ok_or_else(|| clause("enumerate", args))?
    } else {
        1
    };
    let items = items("enumerate", args, args.len())?;
    Ok(Term::list(
        (start..i64::MAX)
            .zip(items)
            .map(|(number, item)| Term::tuple([Term::Int(number), item]))
            .collect(),
    ))
}

/// `:lists.concat(things)`: the text of all.
fn concat(_: &mut Context, args: &[Term]) -> Answer {
    let mut text = Vec::new();
    for item in items("concat", args, 1)? {
        match item.to_list_vec() {
            Some(characters) => text.extend(characters),
            None => text.extend(
                convert::characters(&convert::to_text(&item)?)
                    .to_list_vec()
                    .unwrap_or_default(),
            ),
        }
    }
    Ok(Term::list(text))
}

fn prefix(args: &[Term], end: bool) -> Answer {
    let (part, whole) = (items("prefix", args, 1)?, items("prefix", args, 2)?);
    Ok(if end {
        whole.ends_with(&part)
    } else {
        whole.starts_with(&part)
    }
    .into())
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "seq"/2 => seq, ":lists.seq(from, to): the numbers between, both included";
    "seq"/3 => seq, ":lists.seq(from, to, step)";
    "nth"/2 => nth, ":lists.nth(place, list)";
    "nthtail"/2 => nthtail, ":lists.nthtail(place, list): without the first items";
    "last"/1 => last, ":lists.last(list)";
    "droplast"/1 => droplast, ":lists.droplast(list)";
    "reverse"/1 => reverse, ":lists.reverse(list)";
    "reverse"/2 => reverse, ":lists.reverse(list, tail)";
    "sort"/1 => |_, args| sorted("sort", args, false), ":lists.sort(list)";
    "sort"/2 => |ctx, args| turned(ctx, "sort", args), ":lists.sort(fun, list)";
    "usort"/1 => |_, args| sorted("usort", args, true), ":lists.usort(list): sorted, without repetitions";
    "map"/2 => |ctx, args| turned(ctx, "map", args), ":lists.map(fun, list)";
    "flatmap"/2 => |ctx, args| turned(ctx, "flat_map", args), ":lists.flatmap(fun, list)";
    "filter"/2 => |ctx, args| turned(ctx, "filter", args), ":lists.filter(fun, list)";
    "filtermap"/2 => filtermap, ":lists.filtermap(fun, list)";
    "foreach"/2 => foreach, ":lists.foreach(fun, list)";
    "foldl"/3 => foldl, ":lists.foldl(fun, acc, list)";
    "foldr"/3 => foldr, ":lists.foldr(fun, acc, list)";
    "mapfoldl"/3 => |ctx, args| enum_call(ctx, "map_reduce", vec![args[2].clone(), args[1].clone(), args[0].clone()]), ":lists.mapfoldl(fun, acc, list)";
    "all"/2 => |ctx, args| turned(ctx, "all?", args), ":lists.all(fun, list)";
    "any"/2 => |ctx, args| turned(ctx, "any?", args), ":lists.any(fun, list)";
    "partition"/2 => |ctx, args| turned(ctx, "split_with", args), ":lists.partition(fun, list)";
    "splitwith"/2 => |ctx, args| turned(ctx, "split_while", args), ":lists.splitwith(fun, list)";
    "takewhile"/2 => |ctx, args| turned(ctx, "take_while", args), ":lists.takewhile(fun, list)";
    "dropwhile"/2 => |ctx, args| turned(ctx, "drop_while", args), ":lists.dropwhile(fun, list)";
    "search"/2 => search, ":lists.search(fun, list): {:value, item} or false";
    "member"/2 => |_, args| Ok(items("member", args, 2)?.contains(&args[0]).into()), ":lists.member(item, list)";
    "keyfind"/3 => keyfind, ":lists.keyfind(key, position, tuples): a tuple or false";
    "keysearch"/3 => keysearch, ":lists.keysearch(key, position, tuples): {:value, tuple} or false";
    "keymember"/3 => |_, args| keyed("keymember", args).map(|(_, place)| place.is_some().into()), ":lists.keymember(key, position, tuples)";
    "keydelete"/3 => keydelete, ":lists.keydelete(key, position, tuples)";
    "keytake"/3 => keytake, ":lists.keytake(key, position, tuples): {:value, tuple, rest} or false";
    "keyreplace"/4 => |_, args| key_put("keyreplace", args, false), ":lists.keyreplace(key, position, tuples, tuple)";
    "keystore"/4 => |_, args| key_put("keystore", args, true), ":lists.keystore(key, position, tuples, tuple)";
    "keysort"/2 => keysort, ":lists.keysort(position, tuples)";
    "sublist"/2 => sublist, ":lists.sublist(list, length)";
    "sublist"/3 => sublist, ":lists.sublist(list, start, length)";
    "max"/1 => |_, args| extreme("max", args, Ordering::Greater), ":lists.max(list)";
    "min"/1 => |_, args| extreme("min", args, Ordering::Less), ":lists.min(list)";
    "sum"/1 => sum, ":lists.sum(list)";
    "append"/1 => append, ":lists.append(lists)";
    "append"/2 => append, ":lists.append(left, right)";
    "concat"/1 => concat, ":lists.concat(things): their text as one charlist";
    "flatten"/1 => |_, args| flat(&args[0], Vec::new()).map(Term::list).ok_or_else(|| clause("flatten", args)), ":lists.flatten(list)";
    "duplicate"/2 => |_, args| Ok(Term::list(vec![args[1].clone(); super::argument::amount(number("duplicate", args, 1)?, size_of::<Term>())?])), ":lists.duplicate(count, item)";
    "delete"/2 => |ctx, args| ctx.call(Atom::new("Elixir.List"), "delete", vec![args[1].clone(), args[0].clone()]), ":lists.delete(item, list)";
    "split"/2 => |ctx, args| turned(ctx, "split", args), ":lists.split(count, list)";
    "zip"/2 => zip, ":lists.zip(left, right)";
    "unzip"/1 => |ctx, args| enum_call(ctx, "unzip", args.to_vec()), ":lists.unzip(pairs)";
    "enumerate"/1 => enumerate, ":lists.enumerate(list): {number, item}, numbers from 1";
    "enumerate"/2 => enumerate, ":lists.enumerate(first, list)";
    "join"/2 => |ctx, args| enum_call(ctx, "intersperse", vec![args[1].clone(), args[0].clone()]), ":lists.join(separator, list)";
    "prefix"/2 => |_, args| prefix(args, false), ":lists.prefix(part, list)";
    "suffix"/2 => |_, args| prefix(args, true), ":lists.suffix(part, list)";
};

//! `List`: places, keys in tuples, flattening, conversion.
//!
//! Relies on terms. Promises Elixir's reading of negative places.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad, nil};
use super::{Entry, convert, table};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use wharf::term::Term;

fn items(function: &str, args: &[Term], place: usize) -> Result<Vec<Term>, Throw> {
    args[place - 1]
        .to_list_vec()
        .ok_or_else(|| Throw::function_clause("List", function, args))
}

fn index(function: &str, args: &[Term], place: usize) -> Result<i64, Throw> {
    args[place - 1]
        .as_int()
        .ok_or_else(|| Throw::function_clause("List", function, args))
}

fn first(_: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        Term::List(list) => Ok(list.head()),
        Term::Nil => Ok(default(args)),
        _ => Err(Throw::function_clause(
            "List",
            "first",
            &[args[0].clone(), default(args)],
        )),
    }
}

fn last(_: &mut Context, args: &[Term]) -> Answer {
    Ok(items("last", args, 1)?
        .pop()
        .unwrap_or_else(|| default(args)))
}

fn default(args: &[Term]) -> Term {
    args.get(1).cloned().unwrap_or_else(nil)
}

/// All items of nested lists, then `tail`.
pub(crate) fn flat(list: &Term, tail: Vec<Term>) -> Option<Vec<Term>> {
    let mut result = Vec::new();
    let mut pending = vec![list.clone()];
    while let Some(term) = pending.pop() {
        match &term {
            Term::Nil => {}
            Term::List(list) => {
                let (items, end) = list.to_parts();
                if end != Term::Nil {
                    return None;
                }
                // Items that are lists wait in front of those behind them.
                let nested = items
                    .iter()
                    .position(|item| matches!(item, Term::List(_) | Term::Nil));
                match nested {
                    None => result.extend(items),
                    Some(place) => {
                        result.extend(items[..place].iter().cloned());
                        pending.push(Term::list(items[place + 1..].to_vec()));
                        pending.push(items[place].clone());
                    }
                }
            }
            _ => return None,
        }
    }
    result.extend(tail);
    Some(result)
}

fn flatten(_: &mut Context, args: &[Term]) -> Answer {
    let tail = if args.len() > 1 {
        items("flatten", args, 2)?
    } else {
        Vec::new()
    };
    flat(&args[0], tail)
        .map(Term::list)
        .ok_or_else(|| Throw::function_clause("List", "flatten", args))
}

fn foldl(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut acc = args[1].clone();
    for item in items("foldl", args, 1)? {
        acc = ctx.apply(&args[2], vec![item, acc])?;
    }
    Ok(acc)
}

fn foldr(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut acc = args[1].clone();
    for item in items("foldr", args, 1)?.into_iter().rev() {
        acc = ctx.apply(&args[2], vec![item, acc])?;
    }
    Ok(acc)
}

/// The place that `index` names in a list of `length`, if it is inside; negative from the end.
fn place(index: i64, length: usize) -> Option<usize> {
    let length_signed = i64::try_from(length).ok()?;
    let index = if index < 0 {
        index + length_signed
    } else {
        index
    };
    usize::try_from(index).ok().filter(|place| *place < length)
}

fn insert_at(_: &mut Context, args: &[Term]) -> Answer {
    let mut items = items("insert_at", args, 1)?;
    let index = index("insert_at", args, 2)?;
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let at = if index < 0 {
        (length + index + 1).max(0)
    } else {
        index.min(length)
    };
    items.insert(usize::try_from(at).unwrap_or(0), args[2].clone());
    Ok(Term::list(items))
}

fn replace_at(_: &mut Context, args: &[Term]) -> Answer {
    let mut items = items("replace_at", args, 1)?;
    if let Some(place) = place(index("replace_at", args, 2)?, items.len()) {
        items[place] = args[2].clone();
    }
    Ok(Term::list(items))
}

fn update_at(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = items("update_at", args, 1)?;
    if let Some(place) = place(index("update_at", args, 2)?, items.len()) {
        items[place] = ctx.apply(&args[2], vec![items[place].clone()])?;
    }
    Ok(Term::list(items))
}

fn delete_at(_: &mut Context, args: &[Term]) -> Answer {
    let mut items = items("delete_at", args, 1)?;
    if let Some(place) = place(index("delete_at", args, 2)?, items.len()) {
        items.remove(place);
    }
    Ok(Term::list(items))
}

fn pop_at(_: &mut Context, args: &[Term]) -> Answer {
    let mut items = items("pop_at", args, 1)?;
    let value = match place(index("pop_at", args, 2)?, items.len()) {
        Some(place) => items.remove(place),
        None => args.get(2).cloned().unwrap_or_else(nil),
    };
    Ok(Term::tuple([value, Term::list(items)]))
}

fn delete(_: &mut Context, args: &[Term]) -> Answer {
    let mut items = items("delete", args, 1)?;
    if let Some(place) = items.iter().position(|item| *item == args[1]) {
        items.remove(place);
    }
    Ok(Term::list(items))
}

fn duplicate(_: &mut Context, args: &[Term]) -> Answer {
    let count = args[1]
        .as_usize()
        .ok_or_else(|| Throw::function_clause("List", "duplicate", args))?;
    let count = super::argument::amount(count, size_of::<Term>())?;
    Ok(Term::list(vec![args[0].clone(); count]))
}

fn wrap(_: &mut Context, args: &[Term]) -> Answer {
    Ok(match &args[0] {
        list @ (Term::Nil | Term::List(_)) => list.clone(),
        term if term.is_atom("nil") => Term::Nil,
        term => Term::list(vec![term.clone()]),
    })
}

/// The place of the first tuple whose element at `position` (from 0) equals `key`.
pub(crate) fn key_place(items: &[Term], key: &Term, position: usize) -> Option<usize> {
    items.iter().position(|item| {
        item.as_tuple()
            .and_then(|tuple| tuple.get(position))
            .is_some_and(|element| element.loosely_equals(key))
    })
}

/// The items, and the place of the tuple that has the key of place 2 at the position of place 3.
fn keyed(function: &str, args: &[Term]) -> Result<(Vec<Term>, Option<usize>), Throw> {
    let items = items(function, args, 1)?;
    let position = args[2]
        .as_usize()
        .ok_or_else(|| Throw::function_clause("List", function, args))?;
    let place = key_place(&items, &args[1], position);
    Ok((items, place))
}

fn keyfind(_: &mut Context, args: &[Term]) -> Answer {
    let (items, place) = keyed("keyfind", args)?;
    Ok(place.map_or_else(
        || args.get(3).cloned().unwrap_or_else(nil),
        |place| items[place].clone(),
    ))
}

fn keyfind_or_raise(_: &mut Context, args: &[Term]) -> Answer {
    let (items, place) = keyed("keyfind!", args)?;
    place.map(|place| items[place].clone()).ok_or_else(|| {
        let message = format!(
            "key {} at position {} not found in: {}",
            crate::inspect::inspect(&args[1]),
            crate::inspect::inspect(&args[2]),
            crate::inspect::inspect(&args[0])
        );
        Throw::exception(
            "KeyError",
            &[
                ("key", args[1].clone()),
                ("term", args[0].clone()),
                ("message", Term::from(message.as_str())),
            ],
        )
    })
}

fn keymember(_: &mut Context, args: &[Term]) -> Answer {
    keyed("keymember?", args).map(|(_, place)| place.is_some().into())
}

fn keydelete(_: &mut Context, args: &[Term]) -> Answer {
    let (mut items, place) = keyed("keydelete", args)?;
    if let Some(place) = place {
        items.remove(place);
    }
    Ok(Term::list(items))
}

fn keyreplace(_: &mut Context, args: &[Term]) -> Answer {
    let (mut items, place) = keyed("keyreplace", args)?;
    if let Some(place) = place {
        items[place] = args[3].clone();
    }
    Ok(Term::list(items))
}

fn keystore(_: &mut Context, args: &[Term]) -> Answer {
    let (mut items, place) = keyed("keystore", args)?;
    match place {
        Some(place) => items[place] = args[3].clone(),
        None => items.push(args[3].clone()),
    }
    Ok(Term::list(items))
}

fn keytake(_: &mut Context, args: &[Term]) -> Answer {
    let (mut items, place) = keyed("keytake", args)?;
    Ok(match place {
        Some(place) => {
            let item = items.remove(place);
            Term::tuple([item, Term::list(items)])
        }
        None => nil(),
    })
}

fn keysort(_: &mut Context, args: &[Term]) -> Answer {
    let mut items = items("keysort", args, 1)?;
    let position = args[1]
        .as_usize()
        .ok_or_else(|| Throw::function_clause("List", "keysort", args))?;
    sort_by_key(&mut items, position)?;
    Ok(Term::list(items))
}

/// Sorts tuples by the element at `position` (from 0).
pub(crate) fn sort_by_key(items: &mut [Term], position: usize) -> Result<(), Throw> {
    if items
        .iter()
        .any(|item| item.as_tuple().is_none_or(|tuple| tuple.len() <= position))
    {
        return Err(bad(2, "not a list of tuples with that many elements"));
    }
    let key = |item: &Term| {
        item.as_tuple()
            .map_or(Term::Nil, |tuple| tuple[position].clone())
    };
    items.sort_by(|left, right| key(left).compare(&key(right)));
    Ok(())
}

fn to_tuple(_: &mut Context, args: &[Term]) -> Answer {
    args[0]
        .to_list_vec()
        .map(Term::tuple)
        .ok_or_else(|| bad(1, "not a list"))
}

fn to_string(_: &mut Context, args: &[Term]) -> Answer {
    convert::list_to_text(&args[0]).map(super::argument::binary_of)
}

fn to_charlist(_: &mut Context, args: &[Term]) -> Answer {
    convert::list_to_text(&args[0]).map(|text| convert::characters(&text))
}

fn zip(_: &mut Context, args: &[Term]) -> Answer {
    let columns = items("zip", args, 1)?;
    let columns: Option<Vec<Vec<Term>>> = columns.iter().map(Term::to_list_vec).collect();
    let columns = columns.ok_or_else(|| Throw::function_clause("List", "zip", args))?;
    let length = columns.iter().map(Vec::len).min().unwrap_or(0);
    let rows = (0..length).map(|row| {
        Term::tuple(
            columns
                .iter()
                .map(|column| column[row].clone())
                .collect::<Vec<_>>(),
        )
    });
    Ok(Term::list(rows.collect()))
}

fn starts_with(_: &mut Context, args: &[Term]) -> Answer {
    Ok(items("starts_with?", args, 1)?
        .starts_with(&items("starts_with?", args, 2)?)
        .into())
}

fn is_improper(_: &mut Context, args: &[Term]) -> Answer {
    Ok((args[0].as_list().is_some() && args[0].to_list_vec().is_none()).into())
}

fn is_ascii_printable(_: &mut Context, args: &[Term]) -> Answer {
    let items = items("ascii_printable?", args, 1)?;
    let limit = args.get(1).and_then(Term::as_usize).unwrap_or(usize::MAX);
    let printable = |item: &Term| {
        item.as_int()
            .is_some_and(crate::inspect::text::is_printable_ascii)
    };
    Ok(items.iter().take(limit).all(printable).into())
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "first"/1 => first, "List.first(list): the first item, or nil";
    "first"/2 => first, "List.first(list, default): the first item, or default";
    "last"/1 => last, "List.last(list): the last item, or nil";
    "last"/2 => last, "List.last(list, default): the last item, or default";
    "flatten"/1 => flatten, "List.flatten(list): the items of all lists inside";
    "flatten"/2 => flatten, "List.flatten(list, tail): the items of all lists inside, then tail";
    "foldl"/3 => foldl, "List.foldl(list, acc, fun): folds from the left";
    "foldr"/3 => foldr, "List.foldr(list, acc, fun): folds from the right";
    "insert_at"/3 => insert_at, "List.insert_at(list, index, value)";
    "replace_at"/3 => replace_at, "List.replace_at(list, index, value)";
    "update_at"/3 => update_at, "List.update_at(list, index, fun)";
    "delete_at"/2 => delete_at, "List.delete_at(list, index)";
    "pop_at"/2 => pop_at, "List.pop_at(list, index): {item, list without it}";
    "pop_at"/3 => pop_at, "List.pop_at(list, index, default)";
    "delete"/2 => delete, "List.delete(list, element): without the first of it";
    "duplicate"/2 => duplicate, "List.duplicate(element, count)";
    "wrap"/1 => wrap, "List.wrap(term): a list as it is, nil as [], others in a list";
    "keyfind"/3 => keyfind, "List.keyfind(list, key, position): the first tuple with key at position";
    "keyfind"/4 => keyfind, "List.keyfind(list, key, position, default)";
    "keyfind!"/3 => keyfind_or_raise, "List.keyfind!(list, key, position): the tuple, or KeyError";
    "keymember?"/3 => keymember, "List.keymember?(list, key, position)";
    "keydelete"/3 => keydelete, "List.keydelete(list, key, position)";
    "keyreplace"/4 => keyreplace, "List.keyreplace(list, key, position, tuple)";
    "keystore"/4 => keystore, "List.keystore(list, key, position, tuple): replaced or added";
    "keytake"/3 => keytake, "List.keytake(list, key, position): {tuple, list without it} or nil";
    "keysort"/2 => keysort, "List.keysort(list, position)";
    "to_tuple"/1 => to_tuple, "List.to_tuple(list)";
    "to_string"/1 => to_string, "List.to_string(list): characters and strings as one string";
    "to_charlist"/1 => to_charlist, "List.to_charlist(list): characters and strings as one charlist";
    "to_integer"/1 => convert::list_to_integer, "List.to_integer(charlist)";
    "to_integer"/2 => convert::list_to_integer, "List.to_integer(charlist, base)";
    "to_float"/1 => convert::list_to_float, "List.to_float(charlist)";
    "to_atom"/1 => convert::list_to_atom, "List.to_atom(charlist)";
    "to_existing_atom"/1 => convert::list_to_existing_atom, "List.to_existing_atom(charlist)";
    "zip"/1 => zip, "List.zip(lists): tuples of one item of each";
    "starts_with?"/2 => starts_with, "List.starts_with?(list, prefix)";
    "improper?"/1 => is_improper, "List.improper?(list)";
    "ascii_printable?"/1 => is_ascii_printable, "List.ascii_printable?(list)";
    "ascii_printable?"/2 => is_ascii_printable, "List.ascii_printable?(list, limit)";
};

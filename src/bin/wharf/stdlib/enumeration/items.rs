//! Walking through whatever `Enum` can walk through, an item at a time.
//!
//! Relies on terms and, for streams, on the language's functions. Promises that a range of any length and an endless
//! stream cost nothing until their items are asked for.
#![forbid(unsafe_code)]

use super::stream;
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use wharf::term::{Map, Term};

/// What is left of an enumerable.
pub(crate) enum Items {
    /// What remains of a list; its tail matters only when asked for.
    List(Term),
    /// Items made beforehand.
    Ready(std::vec::IntoIter<Term>),
    /// Numbers from `next` to `last`.
    Range { next: i64, last: i64, step: i64 },
    /// Items made by functions.
    Stream(Box<stream::Stream>),
}

impl Items {
    /// The items of `term`; `Protocol.UndefinedError` when it has none.
    pub(crate) fn of(term: &Term) -> Result<Items, Throw> {
        Ok(match term {
            Term::Nil | Term::List(_) => Items::List(term.clone()),
            Term::Map(map) => match struct_name(map) {
                None => Items::Ready(map.iter().map(pair).collect::<Vec<_>>().into_iter()),
                Some("Elixir.Range") => range(map).ok_or_else(|| not_enumerable(term))?,
                Some("Elixir.MapSet") => Items::Ready(members(map).into_iter()),
                Some("Elixir.Stream") => Items::Stream(Box::new(
                    stream::Stream::of(map).ok_or_else(|| not_enumerable(term))?,
                )),
                Some(_) => return Err(not_enumerable(term)),
            },
            _ => return Err(not_enumerable(term)),
        })
    }

    /// The next item, if there is one.
    pub(crate) fn next(&mut self, ctx: &mut Context) -> Result<Option<Term>, Throw> {
        match self {
            Items::List(rest) => {
                let Term::List(list) = &*rest else {
                    return match rest {
                        Term::Nil => Ok(None),
                        _ => Err(Throw::function_clause(
                            "Enumerable.List",
                            "reduce",
                            std::slice::from_ref(rest),
                        )),
                    };
                };
                let (head, tail) = (list.head(), list.tail());
                *rest = tail;
                Ok(Some(head))
            }
            Items::Ready(items) => Ok(items.next()),
            Items::Range { next, last, step } => {
                let item = *next;
                if *step == 0 || (*step > 0 && item > *last) || (*step < 0 && item < *last) {
                    return Ok(None);
                }
                match item.checked_add(*step) {
                    Some(following) => *next = following,
                    None => *step = 0,
                }
                Ok(Some(Term::Int(item)))
            }
            Items::Stream(stream) => stream.next(ctx),
        }
    }

    /// All that is left, in order.
    pub(crate) fn collect(mut self, ctx: &mut Context) -> Result<Vec<Term>, Throw> {
        if let Items::Ready(items) = self {
            return Ok(items.collect());
        }
        let mut all = Vec::new();
        while let Some(item) = self.next(ctx)? {
            all.push(item);
        }
        Ok(all)
    }
}

/// All items of an enumerable.
pub(crate) fn collect(ctx: &mut Context, term: &Term) -> Result<Vec<Term>, Throw> {
    Items::of(term)?.collect(ctx)
}

/// The name of a struct's module, as the whole atom.
pub(crate) fn struct_name(map: &Map) -> Option<&'static str> {
    match map.get(&Term::atom("__struct__"))? {
        Term::Atom(name) => Some(name.as_str()),
        _ => None,
    }
}

/// `{key, value}`.
pub(crate) fn pair((key, value): (&Term, &Term)) -> Term {
    Term::tuple([key.clone(), value.clone()])
}

/// The struct `name` with these fields.
pub(crate) fn structure(name: &str, fields: &[(&str, Term)]) -> Term {
    let mut map = Map::new();
    map.insert(Term::atom("__struct__"), Term::atom(name));
    for (key, value) in fields {
        map.insert(Term::atom(key), value.clone());
    }
    Term::Map(map)
}

/// `first..last//step`.
pub(crate) fn new_range(first: i64, last: i64, step: i64) -> Term {
    structure(
        "Elixir.Range",
        &[
            ("first", first.into()),
            ("last", last.into()),
            ("step", step.into()),
        ],
    )
}

/// First, last and step of a range.
pub(crate) fn range_parts(map: &Map) -> Option<(i64, i64, i64)> {
    let part = |name: &str| match map.get(&Term::atom(name))? {
        Term::Int(integer) => Some(*integer),
        _ => None,
    };
    Some((part("first")?, part("last")?, part("step")?))
}

/// The number of items of a range.
pub(crate) fn range_size((first, last, step): (i64, i64, i64)) -> usize {
    let (first, last, step) = (i128::from(first), i128::from(last), i128::from(step));
    if step == 0 || (step > 0 && first > last) || (step < 0 && first < last) {
        return 0;
    }
    usize::try_from((last - first) / step + 1).unwrap_or(usize::MAX)
}

fn range(map: &Map) -> Option<Items> {
    let (next, last, step) = range_parts(map)?;
    Some(Items::Range { next, last, step })
}

/// The members of a set.
pub(crate) fn members(set: &Map) -> Vec<Term> {
    match set.get(&Term::atom("map")) {
        Some(Term::Map(map)) => map.iter().map(|(key, _)| key.clone()).collect(),
        _ => Vec::new(),
    }
}

/// `** (Protocol.UndefinedError) protocol Enumerable not implemented for …`.
pub(crate) fn not_enumerable(term: &Term) -> Throw {
    undefined_protocol("Enumerable", term)
}

/// `Protocol.UndefinedError` of `protocol`.
pub(crate) fn undefined_protocol(protocol: &str, term: &Term) -> Throw {
    Throw::exception(
        "Protocol.UndefinedError",
        &[
            ("protocol", Term::atom(&format!("Elixir.{protocol}"))),
            ("value", term.clone()),
            ("description", Term::from("")),
        ],
    )
}

//! What `for` and `in` go through: lists, maps, ranges.
#![forbid(unsafe_code)]

use wharf::term::{Map, Term};

/// First, last and step of a range.
pub(crate) fn range(term: &Term) -> Option<(i64, i64, i64)> {
    let Term::Map(map) = term else { return None };
    if !map.get(&Term::atom("__struct__"))?.is_atom("Elixir.Range") {
        return None;
    }
    let field = |name: &str| map.get(&Term::atom(name)).and_then(Term::as_int);
    let (first, last) = (field("first")?, field("last")?);
    Some((
        first,
        last,
        field("step").unwrap_or(if first <= last { 1 } else { -1 }),
    ))
}

/// The range `first..last//step`.
pub(crate) fn make_range(first: i64, last: i64, step: i64) -> Term {
    let mut map = Map::new();
    map.insert(Term::atom("__struct__"), Term::atom("Elixir.Range"));
    map.insert(Term::atom("first"), Term::from(first));
    map.insert(Term::atom("last"), Term::from(last));
    map.insert(Term::atom("step"), Term::from(step));
    Term::Map(map)
}

/// Goes through what can be gone through without a library.
pub(crate) enum Elements {
    List(Term),
    Range { next: i64, last: i64, step: i64 },
    Vec(std::vec::IntoIter<Term>),
}

impl Elements {
    /// `None` for terms that only the library can enumerate.
    pub(crate) fn of(term: &Term) -> Option<Elements> {
        if let Some((first, last, step)) = range(term) {
            return Some(Elements::Range {
                next: first,
                last,
                step,
            });
        }
        match term {
            Term::Nil | Term::List(_) => Some(Elements::List(term.clone())),
            Term::Map(map) if !map.contains_key(&Term::atom("__struct__")) => {
                let pairs: Vec<Term> = map
                    .iter()
                    .map(|(key, value)| Term::tuple([key.clone(), value.clone()]))
                    .collect();
                Some(Elements::Vec(pairs.into_iter()))
            }
            _ => None,
        }
    }

    /// The tail of an improper list, once it is reached.
    pub(crate) fn improper_tail(&self) -> Option<&Term> {
        match self {
            Elements::List(Term::Nil | Term::List(_)) => None,
            Elements::List(tail) => Some(tail),
            _ => None,
        }
    }
}

impl Iterator for Elements {
    type Item = Term;

    fn next(&mut self) -> Option<Term> {
        match self {
            Elements::List(rest) => {
                let Term::List(list) = rest else { return None };
                let (head, tail) = (list.head(), list.tail());
                *rest = tail;
                Some(head)
            }
            Elements::Range { next, last, step } => {
                let over = if *step > 0 {
                    *next > *last
                } else {
                    *next < *last
                };
                if over || *step == 0 {
                    return None;
                }
                let value = *next;
                match next.checked_add(*step) {
                    Some(after) => *next = after,
                    None => *step = 0,
                }
                Some(Term::from(value))
            }
            Elements::Vec(items) => items.next(),
        }
    }
}

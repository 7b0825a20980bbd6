//! Lists that are not empty.
//!
//! A list is either a cell of head and tail, or, when it came from a port or a string, bytes that
//! only look like a list of integers ("compact"). Head and tail cost the same in both. Relies on
//! `release` for dropping long ones.
#![forbid(unsafe_code)]

use super::binary::words;
use super::release::{Body, release};
use super::{Binary, Term};
use std::sync::Arc;

/// A list with at least one element, possibly with an improper tail; the empty one is
/// [`Term::Nil`].
#[derive(Clone)]
pub struct List(Repr);

#[derive(Clone)]
enum Repr {
    /// `None` only while it is dropped.
    Cell(Option<Arc<Cell>>),
    /// The first `len` of `bytes`, at least one, and then nil. No allocation for what is short.
    Few { len: u8, bytes: [u8; FEW] },
    /// The integers of `bytes` from `skip` on, at least one of them, and then nil.
    Compact { skip: u32, bytes: Arc<Binary> },
}

/// So many bytes fit beside the length without making a list larger.
const FEW: usize = 14;

/// One element and the rest.
pub(super) struct Cell {
    head: Term,
    tail: Term,
}

const _: () = assert!(size_of::<List>() == 16);

impl List {
    /// The list `[head | tail]`.
    pub fn cons(head: Term, tail: Term) -> List {
        List(Repr::Cell(Some(Arc::new(Cell { head, tail }))))
    }

    /// The list of these bytes' values, without a cell for each; `None` if there are none.
    #[inline]
    pub fn from_bytes(bytes: Binary) -> Option<List> {
        match bytes.len() {
            0 => None,
            1..=FEW => Some(List::few(&bytes)),
            _ => Some(List(Repr::Compact {
                skip: 0,
                bytes: Arc::new(bytes),
            })),
        }
    }

    /// [`Self::from_bytes`] of bytes that are copied.
    pub fn copy_of_bytes(bytes: &[u8]) -> Option<List> {
        List::of_few_bytes(bytes).or_else(|| List::from_bytes(Binary::from(bytes)))
    }

    /// [`Self::copy_of_bytes`] of so few that they need no memory. `None` if there are more, or none.
    #[inline(always)] // put together where it stays
    pub(crate) fn of_few_bytes(bytes: &[u8]) -> Option<List> {
        matches!(bytes.len(), 1..=FEW).then(|| List::few(bytes))
    }

    /// The list of at most [`FEW`] bytes.
    #[inline(always)]
    fn few(source: &[u8]) -> List {
        let source = &source[..source.len().min(FEW)];
        let [first, second, _] = words(source);
        let mut bytes = [0; FEW];
        bytes[..8].copy_from_slice(&first.to_le_bytes());
        bytes[8..].copy_from_slice(&second.to_le_bytes()[..FEW - 8]);
        #[allow(clippy::cast_possible_truncation)] // at most FEW
        let len = source.len() as u8;
        List(Repr::Few { len, bytes })
    }

    /// The first element.
    pub fn head(&self) -> Term {
        match self.view() {
            View::Cell(head, _) => head.clone(),
            View::Bytes(bytes) => bytes
                .first()
                .map_or(Term::Nil, |byte| Term::Int(i64::from(*byte))),
        }
    }

    /// What comes after the first element: a list, nil or, in an improper list, anything.
    pub fn tail(&self) -> Term {
        match &self.0 {
            Repr::Cell(cell) => cell.as_ref().map_or(Term::Nil, |cell| cell.tail.clone()),
            Repr::Few { len, bytes } => match bytes[..usize::from(*len)].split_first() {
                Some((_, rest @ [_, ..])) => Term::List(List::few(rest)),
                _ => Term::Nil,
            },
            Repr::Compact { skip, bytes } => {
                let next = *skip as usize + 1;
                if next >= bytes.len() {
                    return Term::Nil;
                }
                Term::List(List(match skip.checked_add(1) {
                    Some(skip) => Repr::Compact {
                        skip,
                        bytes: Arc::clone(bytes),
                    },
                    None => Repr::Compact {
                        skip: 0,
                        bytes: Arc::new(bytes.slice(next..bytes.len())),
                    },
                }))
            }
        }
    }

    /// The elements as bytes, if this is a compact list.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self.view() {
            View::Bytes(bytes) => Some(bytes),
            View::Cell(..) => None,
        }
    }

    /// The elements, in order; an improper tail is not one of them (see [`ListIter::rest`](Iter::rest)).
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            rest: Rest::List(self.view()),
        }
    }

    /// The elements and the tail that follows the last one: [`Term::Nil`] if the list is proper.
    pub fn to_parts(&self) -> (Vec<Term>, Term) {
        let mut iter = self.iter();
        let elements = iter.by_ref().collect();
        (elements, iter.rest())
    }

    pub(super) fn view(&self) -> View<'_> {
        match &self.0 {
            Repr::Cell(Some(cell)) => View::Cell(&cell.head, &cell.tail),
            Repr::Cell(None) => View::Bytes(&[]),
            Repr::Few { len, bytes } => View::Bytes(&bytes[..usize::from(*len)]),
            Repr::Compact { skip, bytes } => View::Bytes(&bytes[*skip as usize..]),
        }
    }
}

/// A list seen without counting holders. Bytes stand for a proper list of them.
#[derive(Clone, Copy)]
pub(super) enum View<'a> {
    Cell(&'a Term, &'a Term),
    Bytes(&'a [u8]),
}

/// Goes through the elements of a list.
pub struct Iter<'a> {
    rest: Rest<'a>,
}

enum Rest<'a> {
    List(View<'a>),
    Tail(&'a Term),
}

impl Iter<'_> {
    /// What the iterator has not gone through yet; after the last element, the list's tail.
    pub fn rest(&self) -> Term {
        match self.rest {
            Rest::List(View::Cell(head, tail)) => Term::cons(head.clone(), tail.clone()),
            Rest::List(View::Bytes(bytes)) => Term::bytes_list(Binary::from(bytes)),
            Rest::Tail(tail) => tail.clone(),
        }
    }
}

impl Iterator for Iter<'_> {
    type Item = Term;

    fn next(&mut self) -> Option<Term> {
        match self.rest {
            Rest::List(View::Cell(head, tail)) => {
                self.rest = match tail {
                    Term::List(list) => Rest::List(list.view()),
                    other => Rest::Tail(other),
                };
                Some(head.clone())
            }
            Rest::List(View::Bytes(bytes)) => {
                let (first, others) = bytes.split_first()?;
                self.rest = Rest::List(View::Bytes(others));
                Some(Term::Int(i64::from(*first)))
            }
            Rest::Tail(_) => None,
        }
    }
}

impl<'a> IntoIterator for &'a List {
    type Item = Term;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl Drop for List {
    fn drop(&mut self) {
        if let Repr::Cell(cell) = &mut self.0
            && let Some(cell) = cell.take()
        {
            release(Body::Cell(cell));
        }
    }
}

/// Drops the cells of a list one after the other, up to one that somebody else holds.
pub(super) fn drop_cells(mut cell: Arc<Cell>) {
    while let Some(Cell { head, mut tail }) = Arc::into_inner(cell) {
        drop(head);
        match &mut tail {
            Term::List(List(Repr::Cell(next))) => match next.take() {
                Some(next) => cell = next,
                None => return,
            },
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compact(bytes: &[u8]) -> List {
        List::from_bytes(Binary::from(bytes)).expect("not empty")
    }

    #[test]
    fn compact_and_cells_look_the_same() {
        let cells = Term::list(vec![1.into(), 2.into(), 3.into()]);
        let bytes = Term::List(compact(&[1, 2, 3]));
        assert_eq!(cells, bytes);
        let (cells, bytes) = (
            cells.as_list().expect("list"),
            bytes.as_list().expect("list"),
        );
        assert_eq!(cells.head(), bytes.head());
        assert_eq!(cells.tail(), bytes.tail());
        assert!(cells.iter().eq(bytes.iter()));
        assert_eq!(
            (bytes.as_bytes(), cells.as_bytes()),
            (Some(&[1, 2, 3][..]), None)
        );
        assert!(List::from_bytes(Binary::empty()).is_none());
    }

    #[test]
    fn tails_go_down_to_nil() {
        for len in 1..=2 * FEW {
            let bytes: Vec<u8> = (97..).take(len).collect();
            let mut term = Term::List(compact(&bytes));
            for byte in &bytes {
                let list = term.as_list().expect("list").clone();
                assert_eq!(list.head(), Term::from(*byte));
                term = list.tail();
            }
            assert_eq!(term, Term::Nil);
        }
    }

    #[test]
    fn improper_tails_are_kept() {
        let list = List::cons(Term::Int(1), Term::Int(2));
        assert_eq!(list.to_parts(), (vec![Term::Int(1)], Term::Int(2)));
        assert_eq!(compact(b"x").to_parts(), (vec![Term::Int(120)], Term::Nil));
        let mut iter = list.iter();
        assert_eq!(iter.rest(), Term::List(list.clone()));
        iter.next();
        assert_eq!((iter.next(), iter.rest()), (None, Term::Int(2)));
    }

    #[test]
    fn long_and_deep_lists_drop_without_stack() {
        let count = if cfg!(miri) { 2_000 } else { 1_000_000 };
        let long = (0..count).fold(Term::Nil, |tail, i| Term::cons(Term::Int(i), tail));
        let shared = long.clone();
        drop(long);
        assert_eq!(
            shared.as_list().map(|list| list.iter().count()),
            usize::try_from(count).ok()
        );
        drop(shared);
        drop((0..count).fold(Term::Nil, |inner, _| Term::cons(inner, Term::Nil)));
        drop((0..count).fold(Term::Nil, |inner, _| Term::tuple([inner])));
        drop((0..count / 10).fold(Term::Nil, |inner, _| {
            Term::tuple([Term::Map(
                [(Term::Int(1), Term::cons(inner, Term::Nil))]
                    .into_iter()
                    .collect(),
            )])
        }));
    }
}

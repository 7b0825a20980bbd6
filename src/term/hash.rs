//! Hashes of terms: equal terms (as `==` of Rust and `=:=` of Erlang mean it) hash alike, however
//! they are kept.
//!
//! Relies on `order` for what makes names of other nodes equal. Walks nested terms with a list of
//! its own, not by recursion.
#![forbid(unsafe_code)]

use super::Term;
use super::list::View;
use super::order::{LIST_RANK, NIL_RANK, NUMBER_RANK, foreign_name, rank};
use std::hash::{Hash, Hasher};

impl Hash for Term {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut later = Vec::new();
        let mut next = Some(self);
        while let Some(term) = next {
            hash_one(term, state, &mut later);
            next = later.pop();
        }
    }
}

/// Hashes what is in `term` itself; what is inside it waits in `later`.
fn hash_one<'a, H: Hasher>(term: &'a Term, state: &mut H, later: &mut Vec<&'a Term>) {
    state.write_u8(rank(term));
    match term {
        Term::Nil => {}
        Term::Atom(atom) => atom.hash(state),
        Term::Int(value) => value.hash(state),
        Term::BigInt(value) => value.hash(state),
        // Zeros are equal, whatever their sign.
        Term::Float(value) => (if *value == 0.0 { 0.0 } else { *value })
            .to_bits()
            .hash(state),
        Term::Binary(binary) => binary.hash(state),
        Term::Bitstring(bits) => (bits.bytes(), bits.last_bits()).hash(state),
        Term::Pid(pid) => pid.hash(state),
        Term::Port(port) => port.hash(state),
        Term::Reference(reference) => reference.hash(state),
        Term::Foreign(foreign) => foreign_name(foreign).hash(state),
        Term::Fun(fun) => fun.identity().hash(state),
        Term::Tuple(tuple) => {
            tuple.len().hash(state);
            later.extend(tuple.iter());
        }
        Term::Map(map) => {
            map.len().hash(state);
            later.extend(map.iter().flat_map(|(key, value)| [key, value]));
        }
        Term::List(list) => match list.view() {
            View::Cell(head, tail) => later.extend([tail, head]),
            // Exactly what a list of cells would give: for each element the list's rank, its
            // own, its value; then nil.
            View::Bytes(bytes) => {
                for (place, byte) in bytes.iter().enumerate() {
                    if place > 0 {
                        state.write_u8(LIST_RANK);
                    }
                    state.write_u8(NUMBER_RANK);
                    i64::from(*byte).hash(state);
                }
                state.write_u8(NIL_RANK);
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::Bitstring;
    use crate::term::decode::decode;
    use std::hash::DefaultHasher;

    fn hash(term: &Term) -> u64 {
        let mut hasher = DefaultHasher::new();
        term.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn equal_terms_hash_alike() {
        let cells = Term::list(vec![97.into(), 98.into()]);
        let reference = |words: &[u8]| {
            let count = u8::try_from(words.len() / 4).expect("few");
            let bytes = [&[131, 90, 0, count, 100, 0, 1, b'n', 0, 0, 0, 1], words].concat();
            decode(&bytes).expect("a reference").0
        };
        let bits = |last| Bitstring::term(crate::term::Binary::from(&[last]), 3).expect("bits");
        for (a, b) in [
            (cells.clone(), Term::charlist("ab")),
            (
                Term::cons(1.into(), cells.clone()),
                Term::cons(1.into(), Term::charlist("ab")),
            ),
            (Term::Float(0.0), Term::Float(-0.0)),
            (
                reference(&[0, 0, 0, 5]),
                reference(&[0, 0, 0, 5, 0, 0, 0, 0]),
            ),
            (bits(0xFF), bits(0xE0)),
        ] {
            assert_eq!(a, b);
            assert_eq!(hash(&a), hash(&b), "{a}");
        }
        assert_ne!(hash(&Term::Int(1)), hash(&Term::Float(1.0)));
        assert_ne!(
            hash(&Term::tuple([cells.clone()])),
            hash(&Term::list(vec![cells]))
        );
    }

    #[test]
    fn deep_terms_need_no_stack() {
        let levels = if cfg!(miri) { 1_000 } else { 200_000 };
        let deep = || {
            (0..levels).fold(Term::Nil, |inner, _| {
                Term::tuple([Term::cons(inner, Term::Nil)])
            })
        };
        assert_eq!(hash(&deep()), hash(&deep()));
    }
}

//! Builds a term from the steps of a driver's term program (`erl_drv_output_term`).
//!
//! A stack machine: a step pushes a term, or takes some off the stack and pushes what they
//! make. Pure: `abi/send.rs` reads the steps from the raw words. A step that is wrong ends the
//! program. Numbers that are none and a key that comes twice do not: Erlang finds those last, after it
//! has looked whether there is a receiver, so they are told at the end.
#![forbid(unsafe_code)]

use smallvec::SmallVec;

use crate::term::{Atom, Binary, List, Map, Pid, PortId, Term, Tuple};

/// One step. Memory that it points to is the driver's, lent for the call.
pub(super) enum Step<'a> {
    Nil,
    Atom(Atom),
    Int(i64),
    Uint(u64),
    Port(PortId),
    Pid(Pid),
    Float(f64),
    Binary(Binary),
    /// A list of bytes.
    String(&'a [u8]),
    /// Bytes in front of the list on the stack.
    StringCons(&'a [u8]),
    /// One that was read from the external format.
    Term(Term),
    Tuple(usize),
    /// The tail counts and is on top.
    List(usize),
    /// Pairs: key, value, key, value.
    Map(usize),
}

impl Step<'_> {
    /// The term that it pushes, if it takes none off the stack and there is such a value.
    #[inline(always)] // put together where it stays
    pub(super) fn term(self) -> Option<Term> {
        Some(match self {
            Step::Nil => Term::Nil,
            Step::Atom(atom) => Term::Atom(atom),
            Step::Int(value) => Term::Int(value),
            Step::Uint(value) => Term::from(value),
            Step::Port(port) => Term::Port(port),
            Step::Pid(pid) => Term::Pid(pid),
            Step::Float(value) if value.is_finite() => Term::Float(value),
            Step::Binary(binary) => Term::Binary(binary),
            Step::String(bytes) => List::copy_of_bytes(bytes).map_or(Term::Nil, Term::List),
            Step::Term(term) => term,
            _ => return None,
        })
    }
}

/// The program is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadScript;

/// Most programs need no memory for their stack.
type Stack = SmallVec<[Term; 8]>;

/// A program that is being run.
#[derive(Default)]
pub(super) struct Builder {
    stack: Stack,
    /// Something is in the place of a value that cannot be.
    valueless: bool,
}

impl Builder {
    /// How many terms are on the stack: at the end it must be one.
    pub(super) fn left(&self) -> usize {
        self.stack.len()
    }

    /// The term, once one is left.
    pub(super) fn finish(&mut self) -> Result<Term, BadScript> {
        match self.stack.pop() {
            Some(term) if self.stack.is_empty() && !self.valueless => Ok(term),
            _ => Err(BadScript),
        }
    }

    /// Runs a step.
    pub(super) fn step(&mut self, step: Step<'_>) -> Result<(), BadScript> {
        let term = match step {
            Step::StringCons(bytes) => {
                let tail = self.stack.pop().ok_or(BadScript)?;
                bytes
                    .iter()
                    .rev()
                    .fold(tail, |tail, byte| Term::cons(Term::from(*byte), tail))
            }
            Step::Tuple(elements) => {
                let mut elements = take(&mut self.stack, elements)?;
                Term::Tuple(Tuple::of(elements.len(), |_| {
                    elements.next().unwrap_or_default()
                }))
            }
            Step::List(0) => return Err(BadScript),
            Step::List(terms) => {
                let mut elements = take(&mut self.stack, terms)?;
                let tail = elements.next_back().ok_or(BadScript)?;
                elements.rfold(tail, |tail, head| Term::cons(head, tail))
            }
            Step::Map(pairs) => {
                let terms = pairs.checked_mul(2).ok_or(BadScript)?;
                let map = map(take(&mut self.stack, terms)?);
                map.unwrap_or_else(|| self.no_value())
            }
            leaf => leaf.term().unwrap_or_else(|| self.no_value()),
        };
        self.stack.push(term);
        Ok(())
    }

    #[cold]
    fn no_value(&mut self) -> Term {
        self.valueless = true;
        Term::Nil
    }
}

fn take(
    stack: &mut Stack,
    number: usize,
) -> Result<impl DoubleEndedIterator<Item = Term> + ExactSizeIterator, BadScript> {
    let kept = stack.len().checked_sub(number).ok_or(BadScript)?;
    Ok(stack.drain(kept..))
}

/// `None` when a key comes twice.
fn map(mut terms: impl Iterator<Item = Term>) -> Option<Term> {
    let mut map = Map::new();
    while let (Some(key), Some(value)) = (terms.next(), terms.next()) {
        if map.insert(key, value).is_some() {
            return None;
        }
    }
    Some(Term::Map(map))
}

#[cfg(test)]
mod tests {
    use super::Step::*;
    use super::*;
    use crate::term::Term as Value;
    use proptest::prelude::*;

    fn run(steps: Vec<Step<'_>>) -> Result<Builder, BadScript> {
        let mut builder = Builder::default();
        for step in steps {
            builder.step(step)?;
        }
        Ok(builder)
    }

    fn build(steps: Vec<Step<'_>>) -> Result<Value, BadScript> {
        run(steps).and_then(|mut builder| builder.finish())
    }

    fn shown(steps: Vec<Step<'_>>) -> Result<std::string::String, BadScript> {
        build(steps).map(|term| term.to_string())
    }

    fn is(steps: Vec<Step<'_>>, text: &str) {
        assert_eq!(shown(steps).as_deref(), Ok(text));
    }

    /// Few values, so that keys meet each other; counts that fit, and such that never do.
    fn step() -> impl Strategy<Value = (u8, usize)> {
        let count =
            prop_oneof![20 => 0..4_usize, 1 => Just(usize::MAX), 1 => Just(usize::MAX / 2 + 1)];
        (0..14_u8, count)
    }

    fn made((kind, count): (u8, usize)) -> Step<'static> {
        let small = i64::try_from(count).unwrap_or(-1);
        match kind {
            0 => Nil,
            1 => Step::Atom(crate::term::Atom::new("a")),
            2 => Int(small),
            3 => Uint(u64::MAX - 1 + (count as u64 & 1)),
            4 => Float(if count < 3 { 1.0 } else { f64::NAN }),
            5 => Step::Binary(crate::term::Binary::from("b")),
            6 => String(b"cd"),
            7 => StringCons(b"ef"),
            8 => Step::Term(Value::Nil),
            9 | 10 => Tuple(count),
            11 | 12 => List(count),
            _ => Map(count),
        }
    }

    /// The same machine on texts: each term is what it prints as, a list its elements and tail.
    fn model(steps: &[(u8, usize)]) -> Result<Value, BadScript> {
        let mut stack: Vec<Value> = Vec::new();
        for &step in steps {
            let made = made(step);
            let takes = match made {
                Tuple(count) => count,
                List(0) => return Err(BadScript),
                List(count) => count,
                StringCons(_) => 1,
                Map(pairs) => pairs.checked_mul(2).ok_or(BadScript)?,
                _ => 0,
            };
            if takes > stack.len() {
                return Err(BadScript);
            }
            let mut taken = stack.split_off(stack.len() - takes);
            stack.push(match made {
                Tuple(_) => Value::tuple(taken),
                List(_) => {
                    let tail = taken.pop().ok_or(BadScript)?;
                    if taken.is_empty() {
                        tail
                    } else {
                        Value::improper(taken, tail)
                    }
                }
                StringCons(bytes) => {
                    let bytes = bytes.iter().map(|byte| Value::from(*byte)).collect();
                    Value::improper(bytes, taken.remove(0))
                }
                Map(_) => {
                    let pairs = taken
                        .chunks(2)
                        .map(|pair| (pair[0].clone(), pair[1].clone()));
                    let map: crate::term::Map = pairs.collect();
                    if map.len() * 2 != takes {
                        return Err(BadScript);
                    }
                    Value::Map(map)
                }
                Float(value) if value.is_nan() => return Err(BadScript),
                leaf => build(vec![leaf])?,
            });
        }
        match <[Value; 1]>::try_from(stack) {
            Ok([term]) => Ok(term),
            Err(_) => Err(BadScript),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_program_builds_what_it_says_or_is_refused(steps in proptest::collection::vec(step(), 0..20)) {
            let program = || steps.iter().map(|step| made(*step)).collect::<Vec<_>>();
            let expected = model(&steps);
            prop_assert_eq!(build(program()), expected.clone());
            // What is there at the end fails only for a number that is none, or a key that comes twice.
            let checked = run(program()).is_ok_and(|builder| builder.left() == 1);
            prop_assert!(checked || expected.is_err());
            let odd = steps.iter().any(|(kind, count)| matches!((kind, count), (4, 3..) | (13, _)));
            prop_assert!(odd || checked == expected.is_ok());
        }

        #[test]
        fn programs_that_fit_build(leaves in proptest::collection::vec((0..9_u8, 0..3_usize), 1..8), kind in 9..14_u8) {
            let leaves: Vec<_> = leaves.into_iter().filter(|(kind, _)| *kind != 7).collect();
            let count = if kind == 13 { leaves.len() / 2 } else { leaves.len() };
            let taken = if kind == 13 { count * 2 } else { count };
            let steps = [&leaves[..taken], &[(kind, count)]].concat();
            prop_assert_eq!(build(steps.iter().map(|step| made(*step)).collect()), model(&steps));
        }
    }

    #[test]
    fn the_count_of_a_list_includes_its_tail() {
        is(vec![Int(1000), Int(2000), Nil, List(3)], "[1000,2000]");
        is(vec![Int(1), Int(2), List(2)], "[1|2]");
        is(vec![Nil, List(1)], "[]");
        is(vec![Int(5), List(1)], "5");
        assert_eq!(shown(vec![Int(1), List(0)]), Err(BadScript));
        assert_eq!(shown(vec![Int(1), List(2)]), Err(BadScript));
    }

    #[test]
    fn strings_stand_in_front_of_what_is_there() {
        is(vec![Nil, StringCons(b"cd"), StringCons(b"ab")], "\"abcd\"");
        is(vec![String(b"")], "[]");
        assert_eq!(shown(vec![StringCons(b"a")]), Err(BadScript));
    }

    #[test]
    fn numbers_have_their_whole_range() {
        is(vec![Uint(u64::MAX)], "18446744073709551615");
        is(vec![Int(i64::MIN)], "-9223372036854775808");
        for value in [f64::NAN, f64::INFINITY] {
            assert_eq!(shown(vec![Float(value)]), Err(BadScript));
        }
    }

    #[test]
    fn maps_have_each_key_once() {
        let key = || Int(1);
        is(vec![key(), Nil, Map(1)], "#{1 => []}");
        is(vec![Map(0)], "#{}");
        assert_eq!(shown(vec![key(), Nil, key(), Nil, Map(2)]), Err(BadScript));
        assert_eq!(shown(vec![Map(usize::MAX)]), Err(BadScript));
    }

    #[test]
    fn exactly_one_term_is_left() {
        is(vec![Tuple(0)], "{}");
        is(vec![Int(1), Int(2), Tuple(2)], "{1,2}");
        assert_eq!(shown(vec![]), Err(BadScript));
        assert_eq!(shown(vec![Nil, Nil]), Err(BadScript));
        assert_eq!(shown(vec![Tuple(1)]), Err(BadScript));
    }
}

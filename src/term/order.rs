//! Equality and order of terms.
//!
//! Erlang's order: number < atom < reference < fun < port < pid < tuple < map < nil < list <
//! bitstring. Both walk nested terms with a list of their own instead of recursion, so that
//! no term, however deep, can exhaust the stack.
#![forbid(unsafe_code)]

use super::foreign::{Foreign, ForeignId};
use super::list::View;
use super::number::Number;
use super::{Atom, Term, atom, map};
use std::cmp::Ordering;

impl Term {
    /// Erlang's order of terms (`<`, `lists:sort`), in which 1 and 1.0 are equal.
    pub fn compare(&self, other: &Term) -> Ordering {
        compare_with(self, other, Mode::Loose)
    }

    /// Erlang's `==`: as `=:=` (the `==` of Rust), but 1 and 1.0 are equal.
    pub fn loosely_equals(&self, other: &Term) -> bool {
        self.compare(other) == Ordering::Equal
    }
}

impl PartialEq for Term {
    fn eq(&self, other: &Term) -> bool {
        match (self, other) {
            (Term::Atom(a), Term::Atom(b)) => a == b,
            (Term::Int(a), Term::Int(b)) => a == b,
            _ => compare_exactly(self, other) == Ordering::Equal,
        }
    }
}

impl Eq for Term {}

/// The order of map keys: like [`Term::compare`], but every integer comes before every float.
pub(super) fn compare_exactly(a: &Term, b: &Term) -> Ordering {
    compare_with(a, b, Mode::Exact)
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Loose,
    Exact,
}

/// A comparison to be made; everything before it was equal.
enum Step<'a> {
    Terms(&'a Term, &'a Term),
    /// Of the same length.
    Slices(&'a [Term], &'a [Term]),
    Lists(View<'a>, View<'a>),
    /// Of the same length. Keys are compared exactly in every mode.
    Keys(map::Iter<'a>, map::Iter<'a>),
    Values(map::Iter<'a>, map::Iter<'a>),
    /// Of what could be told already.
    Known(Ordering),
}

/// What a step comes to.
enum Next<'a> {
    Known(Ordering),
    Then(Step<'a>, Mode),
}

type Later<'a> = Vec<(Step<'a>, Mode)>;

fn compare_with(a: &Term, b: &Term, mode: Mode) -> Ordering {
    let mut later = Vec::new();
    let (mut step, mut mode) = (Step::Terms(a, b), mode);
    loop {
        (step, mode) = match take(step, mode, &mut later) {
            Next::Then(step, mode) => (step, mode),
            Next::Known(Ordering::Equal) => match later.pop() {
                Some(waiting) => waiting,
                None => return Ordering::Equal,
            },
            Next::Known(order) => return order,
        };
    }
}

fn take<'a>(step: Step<'a>, mode: Mode, later: &mut Later<'a>) -> Next<'a> {
    match step {
        Step::Terms(Term::Tuple(a), Term::Tuple(b)) => {
            if a.len() != b.len() {
                return Next::Known(a.len().cmp(&b.len()));
            }
            if a.as_ptr() == b.as_ptr() {
                return Next::Known(Ordering::Equal);
            }
            Next::Then(Step::Slices(a, b), mode)
        }
        Step::Terms(Term::Map(a), Term::Map(b)) => {
            if a.len() != b.len() {
                return Next::Known(a.len().cmp(&b.len()));
            }
            if a.is_shared_with(b) {
                return Next::Known(Ordering::Equal);
            }
            later.push((Step::Values(a.iter(), b.iter()), mode));
            Next::Then(Step::Keys(a.iter(), b.iter()), mode)
        }
        Step::Terms(Term::List(a), Term::List(b)) => {
            Next::Then(Step::Lists(a.view(), b.view()), mode)
        }
        Step::Terms(a, b) => Next::Known(compare_leaves(a, b, mode)),
        Step::Known(order) => Next::Known(order),
        Step::Slices(a, b) => compare_slices(a, b, mode, later),
        Step::Lists(a, b) => compare_lists(a, b, mode, later),
        Step::Keys(mut a, mut b) => match (a.next(), b.next()) {
            (Some((key_a, _)), Some((key_b, _))) => {
                later.push((Step::Keys(a, b), mode));
                Next::Then(Step::Terms(key_a, key_b), Mode::Exact)
            }
            _ => Next::Known(Ordering::Equal),
        },
        Step::Values(mut a, mut b) => match (a.next(), b.next()) {
            (Some((_, value_a)), Some((_, value_b))) => {
                later.push((Step::Values(a, b), mode));
                Next::Then(Step::Terms(value_a, value_b), mode)
            }
            _ => Next::Known(Ordering::Equal),
        },
    }
}

/// Whether comparing these two takes more than one step.
fn are_nested(a: &Term, b: &Term) -> bool {
    matches!(
        (a, b),
        (Term::Tuple(_), Term::Tuple(_))
            | (Term::Map(_), Term::Map(_))
            | (Term::List(_), Term::List(_))
    )
}

fn compare_slices<'a>(a: &'a [Term], b: &'a [Term], mode: Mode, later: &mut Later<'a>) -> Next<'a> {
    for (place, (element_a, element_b)) in a.iter().zip(b).enumerate() {
        if are_nested(element_a, element_b) {
            // Nothing has to wait for the last one, so that most terms need no memory here.
            if place + 1 < a.len() {
                later.push((Step::Slices(&a[place + 1..], &b[place + 1..]), mode));
            }
            return Next::Then(Step::Terms(element_a, element_b), mode);
        }
        let order = compare_leaves(element_a, element_b, mode);
        if order != Ordering::Equal {
            return Next::Known(order);
        }
    }
    Next::Known(Ordering::Equal)
}

/// Two terms of which at most one has parts, or of which the parts do not matter.
fn compare_leaves(a: &Term, b: &Term, mode: Mode) -> Ordering {
    if let (Some(a), Some(b)) = (Number::of(a), Number::of(b)) {
        return compare_numbers(a, b, mode);
    }
    match (a, b) {
        (Term::Atom(a), Term::Atom(b)) => a.cmp(b),
        (Term::Pid(a), Term::Pid(b)) => a.cmp(b),
        (Term::Port(a), Term::Port(b)) => a.cmp(b),
        (Term::Reference(a), Term::Reference(b)) => a.cmp(b),
        (Term::Fun(a), Term::Fun(b)) => a.identity().cmp(&b.identity()),
        (Term::Binary(a), Term::Binary(b)) => a.cmp(b),
        (Term::Binary(_) | Term::Bitstring(_), Term::Binary(_) | Term::Bitstring(_)) => {
            compare_bits(a, b)
        }
        _ => rank(a).cmp(&rank(b)).then_with(|| name(a).cmp(&name(b))),
    }
}

fn compare_numbers(a: Number<'_>, b: Number<'_>, mode: Mode) -> Ordering {
    if mode == Mode::Exact {
        a.compare_exactly(b)
    } else {
        a.compare(b)
    }
}

/// The first element of a list.
enum Head<'a> {
    Byte(u8),
    Term(&'a Term),
}

/// The rest of a list: a list again, or what it ends with.
type Rest<'a> = Result<View<'a>, &'a Term>;

fn split(view: View<'_>) -> (Head<'_>, Rest<'_>) {
    static NIL: Term = Term::Nil;
    match view {
        View::Cell(head, Term::List(tail)) => (Head::Term(head), Ok(tail.view())),
        View::Cell(head, tail) => (Head::Term(head), Err(tail)),
        View::Bytes([first]) => (Head::Byte(*first), Err(&NIL)),
        View::Bytes([first, others @ ..]) => (Head::Byte(*first), Ok(View::Bytes(others))),
        // No list is empty.
        View::Bytes([]) => (Head::Term(&NIL), Err(&NIL)),
    }
}

fn compare_lists<'a>(a: View<'a>, b: View<'a>, mode: Mode, later: &mut Later<'a>) -> Next<'a> {
    match (a, b) {
        (View::Bytes(a), View::Bytes(b)) => return Next::Known(a.cmp(b)),
        (View::Cell(a, _), View::Cell(b, _)) if std::ptr::eq(a, b) => {
            return Next::Known(Ordering::Equal);
        }
        _ => {}
    }
    let ((head_a, rest_a), (head_b, rest_b)) = (split(a), split(b));
    let rest = match (rest_a, rest_b) {
        (Ok(a), Ok(b)) => Next::Then(Step::Lists(a, b), mode),
        (Err(a), Err(b)) => Next::Then(Step::Terms(a, b), mode),
        (Ok(_), Err(end)) => Next::Known(LIST_RANK.cmp(&rank(end))),
        (Err(end), Ok(_)) => Next::Known(rank(end).cmp(&LIST_RANK)),
    };
    let order = match (head_a, head_b) {
        (Head::Byte(a), Head::Byte(b)) => a.cmp(&b),
        (Head::Byte(a), Head::Term(b)) => compare_byte(a, b, mode),
        (Head::Term(a), Head::Byte(b)) => compare_byte(b, a, mode).reverse(),
        (Head::Term(a), Head::Term(b)) if are_nested(a, b) => {
            later.push(match rest {
                Next::Then(step, mode) => (step, mode),
                Next::Known(order) => (Step::Known(order), mode),
            });
            return Next::Then(Step::Terms(a, b), mode);
        }
        (Head::Term(a), Head::Term(b)) => compare_leaves(a, b, mode),
    };
    if order == Ordering::Equal {
        rest
    } else {
        Next::Known(order)
    }
}

fn compare_byte(byte: u8, term: &Term, mode: Mode) -> Ordering {
    match Number::of(term) {
        Some(number) => compare_numbers(Number::Int(i64::from(byte)), number, mode),
        None => Ordering::Less,
    }
}

/// Bit by bit; when one is the other's beginning, the shorter one is less.
fn compare_bits(a: &Term, b: &Term) -> Ordering {
    fn parts(term: &Term) -> (&[u8], u8) {
        match term {
            Term::Bitstring(bits) => (bits.bytes(), bits.last_bits()),
            Term::Binary(binary) => (binary, 8),
            _ => (&[], 8),
        }
    }
    let ((bytes_a, last_a), (bytes_b, last_b)) = (parts(a), parts(b));
    // Unused bits are zero, so whole bytes can be compared; what is left is which one goes on.
    let common = bytes_a.len().min(bytes_b.len());
    let cut = |bytes: &[u8], last: u8, other: u8| {
        let keep = last.min(other);
        bytes
            .last()
            .map(|byte| byte & (0xFF_u8.checked_shl(u32::from(8 - keep)).unwrap_or(0)))
    };
    let (part_a, part_b) = (&bytes_a[..common], &bytes_b[..common]);
    let ends_a = if bytes_a.len() == common { last_a } else { 8 };
    let ends_b = if bytes_b.len() == common { last_b } else { 8 };
    let whole = common.saturating_sub(1);
    part_a[..whole]
        .cmp(&part_b[..whole])
        .then_with(|| cut(part_a, ends_a, ends_b).cmp(&cut(part_b, ends_b, ends_a)))
        .then_with(|| (bytes_a.len(), ends_a).cmp(&(bytes_b.len(), ends_b)))
}

pub(super) const LIST_RANK: u8 = 9;
pub(super) const NIL_RANK: u8 = 8;
pub(super) const NUMBER_RANK: u8 = 0;

/// Where a term's kind stands in Erlang's order.
pub(super) fn rank(term: &Term) -> u8 {
    match term {
        Term::Int(_) | Term::BigInt(_) | Term::Float(_) => NUMBER_RANK,
        Term::Atom(_) => 1,
        Term::Reference(_) => 2,
        Term::Fun(_) => 3,
        Term::Port(_) => 4,
        Term::Pid(_) => 5,
        Term::Foreign(foreign) => match foreign.id {
            ForeignId::Reference(_) => 2,
            ForeignId::Port(_) => 4,
            ForeignId::Pid { .. } => 5,
        },
        Term::Tuple(_) => 6,
        Term::Map(_) => 7,
        Term::Nil => NIL_RANK,
        Term::List(_) => LIST_RANK,
        Term::Binary(_) | Term::Bitstring(_) => 10,
    }
}

/// What orders pids, ports and references when at least one of the two is of another node: pids
/// by number, then by node; the others by node, then by number.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Name {
    Pid {
        serial: u32,
        id: u32,
        node: Atom,
        creation: u32,
    },
    Port {
        node: Atom,
        creation: u32,
        id: u64,
    },
    /// The words from the highest that is not zero, and how many those are.
    Reference {
        node: Atom,
        creation: u32,
        count: usize,
        words: Vec<u32>,
    },
}

fn name(term: &Term) -> Option<Name> {
    let node = atom::NONODE_NOHOST;
    match term {
        Term::Pid(pid) => Some(Name::Pid {
            serial: u32::try_from(pid.number() >> 32).unwrap_or(0),
            id: u32::try_from(pid.number() & u64::from(u32::MAX)).unwrap_or(0),
            node,
            creation: 0,
        }),
        Term::Port(port) => Some(Name::Port {
            node,
            creation: 0,
            id: port.number(),
        }),
        Term::Reference(reference) => Some(reference_name(node, 0, &reference.words())),
        Term::Foreign(foreign) => Some(foreign_name(foreign)),
        _ => None,
    }
}

pub(super) fn foreign_name(foreign: &Foreign) -> Name {
    let Foreign { node, creation, id } = foreign;
    let (node, creation) = (*node, *creation);
    match id {
        ForeignId::Pid { id, serial } => Name::Pid {
            serial: *serial,
            id: *id,
            node,
            creation,
        },
        ForeignId::Port(id) => Name::Port {
            node,
            creation,
            id: *id,
        },
        ForeignId::Reference(words) => reference_name(node, creation, words),
    }
}

fn reference_name(node: Atom, creation: u32, words: &[u32]) -> Name {
    let words: Vec<u32> = words
        .iter()
        .rev()
        .copied()
        .skip_while(|word| *word == 0)
        .collect();
    Name::Reference {
        node,
        creation,
        count: words.len(),
        words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::decode::decode;
    use crate::term::text::parse;
    use crate::term::{Binary, Bitstring};

    fn term(text: &str) -> Term {
        parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn assert_ascending(texts: &[&str]) {
        for pair in texts.windows(2) {
            let (a, b) = (term(pair[0]), term(pair[1]));
            assert_eq!(a.compare(&b), Ordering::Less, "{a} < {b}");
            assert_eq!(b.compare(&a), Ordering::Greater, "{b} > {a}");
        }
    }

    #[test]
    fn kinds_follow_each_other() {
        assert_ascending(&[
            "-1",
            "0.5",
            "1",
            "100000000000000000000",
            "a",
            "b",
            "#Ref<0.0.0.9>",
            "fun m:f/1",
            "#Port<0.9>",
            "<0.9.0>",
            "{}",
            "{z}",
            "{a,a}",
            "#{}",
            "#{a => 9}",
            "#{b => 0}",
            "#{a => 1,b => 1}",
            "#{a => 2,b => 0}",
            "[]",
            "[1|2]",
            "[1,2]",
            "\"a\"",
            "<<>>",
            "<<1>>",
            "<<1,0>>",
            "<<2>>",
        ]);
        assert_ascending(&["<<32>>", "<<1:2>>", "<<1:1>>"]);
        assert_ascending(&["<<32>>", "<<1:3,0:6>>", "<<33>>"]);
        assert_ascending(&["<<1:3>>", "<<32>>"]);
    }

    #[test]
    fn one_and_one_point_zero() {
        assert!(term("1").loosely_equals(&term("1.0")) && term("1") != term("1.0"));
        assert!(term("{[1],#{1 => 1}}").loosely_equals(&term("{[1.0],#{1 => 1.0}}")));
        assert!(!term("#{1 => 1}").loosely_equals(&term("#{1.0 => 1}")));
        assert!(term("[97|b]").loosely_equals(&term("[97.0|b]")));
        assert!(Term::charlist("a").loosely_equals(&Term::list(vec![Term::Float(97.0)])));
        assert_eq!(term("0.0"), Term::Float(-0.0));
    }

    #[test]
    fn compact_lists_stand_where_their_cells_would() {
        let bytes = Term::charlist("abc");
        for (other, expected) in [
            ("[97,98]", Ordering::Greater),
            ("[97,98,99,100]", Ordering::Less),
            ("[97,98,99|d]", Ordering::Greater),
            ("[97|<<>>]", Ordering::Less),
            ("[97,98,99.0]", Ordering::Equal),
            ("[a]", Ordering::Less),
            ("[]", Ordering::Greater),
        ] {
            assert_eq!(bytes.compare(&term(other)), expected, "{other}");
            assert_eq!(term(other).compare(&bytes), expected.reverse(), "{other}");
        }
    }

    /// As OTP 25 was seen to do: pids by number first, ports and references by node first.
    #[test]
    fn other_nodes_have_their_place() {
        let pid = |node: u8, number: u8, serial: u8, creation: u8| {
            let bytes = [
                131, 88, 100, 0, 1, node, 0, 0, 0, number, 0, 0, 0, serial, 0, 0, 0, creation,
            ];
            decode(&bytes).expect("a pid").0
        };
        let port = |node: u8, number: u8| {
            decode(&[131, 89, 100, 0, 1, node, 0, 0, 0, number, 0, 0, 0, 1])
                .expect("a port")
                .0
        };
        assert_eq!(
            pid(b'a', 9, 0, 1).compare(&pid(b'b', 1, 0, 1)),
            Ordering::Greater
        );
        assert_eq!(
            pid(b'a', 1, 9, 1).compare(&pid(b'a', 9, 1, 1)),
            Ordering::Greater
        );
        assert_eq!(
            pid(b'a', 1, 0, 2).compare(&pid(b'b', 1, 0, 1)),
            Ordering::Less
        );
        assert_eq!(
            term("<0.1.0>").compare(&pid(b'a', 1, 0, 1)),
            Ordering::Greater
        );
        assert_eq!(term("<0.1.0>").compare(&pid(b'a', 9, 0, 1)), Ordering::Less);
        assert_eq!(port(b'a', 9).compare(&port(b'b', 1)), Ordering::Less);
        assert_eq!(term("#Port<0.9>").compare(&port(b'z', 1)), Ordering::Less);
        assert_eq!(port(b'a', 9).compare(&pid(b'a', 1, 0, 1)), Ordering::Less);
    }

    #[test]
    fn bitstrings_differ_from_their_bytes() {
        let bits = |last, count| Bitstring::term(Binary::from(&[1, last]), count).expect("bits");
        assert_eq!(bits(0xFF, 3), bits(0xE0, 3));
        assert_ne!(bits(0xE0, 3), bits(0xE0, 4));
        assert_eq!(bits(0xE0, 3).compare(&bits(0xE0, 4)), Ordering::Less);
        assert_ne!(bits(0xE0, 3), Term::Binary(Binary::from(&[1, 0xE0])));
    }

    #[test]
    fn deep_terms_need_no_stack() {
        let levels = if cfg!(miri) { 1_000 } else { 200_000 };
        let deep = |inner| {
            (0..levels).fold(inner, |inner, _| {
                Term::tuple([Term::cons(inner, Term::Nil)])
            })
        };
        assert_eq!(
            deep(Term::Int(1)).compare(&deep(Term::Float(2.0))),
            Ordering::Less
        );
        assert_ne!(deep(Term::Int(1)), deep(Term::Float(1.0)));
    }
}

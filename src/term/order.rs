//! Equality, order and hash of terms.
//!
//! Erlang's order: number < atom < reference < fun < port < pid < tuple < map < nil < list <
//! bitstring. All three walk nested terms with a list of their own instead of recursion, so that
//! no term, however deep, can exhaust the stack.
#![forbid(unsafe_code)]

use super::foreign::{Foreign, ForeignId};
use super::list::View;
use super::number::Number;
use super::{Atom, Term, atom, map};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

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

/// A comparison still to be made; everything before it was equal.
enum Step<'a> {
    Terms(&'a Term, &'a Term),
    Slices(&'a [Term], &'a [Term]),
    Lists(View<'a>, View<'a>),
    /// Keys are compared exactly in every mode.
    Keys(map::Iter<'a>, map::Iter<'a>),
    Values(map::Iter<'a>, map::Iter<'a>),
}

static NIL: Term = Term::Nil;

fn compare_with(a: &Term, b: &Term, mode: Mode) -> Ordering {
    let mut later = Vec::new();
    let mut next = Some((Step::Terms(a, b), mode));
    while let Some((step, mode)) = next {
        let order = match step {
            Step::Terms(a, b) => compare_terms(a, b, mode, &mut later),
            Step::Slices(a, b) => {
                if let (Some((a, others_a)), Some((b, others_b))) =
                    (a.split_first(), b.split_first())
                {
                    later.push((Step::Slices(others_a, others_b), mode));
                    later.push((Step::Terms(a, b), mode));
                }
                Ordering::Equal
            }
            Step::Lists(a, b) => compare_lists(a, b, mode, &mut later),
            Step::Keys(mut a, mut b) => {
                if let (Some((key_a, _)), Some((key_b, _))) = (a.next(), b.next()) {
                    later.push((Step::Keys(a, b), mode));
                    later.push((Step::Terms(key_a, key_b), Mode::Exact));
                }
                Ordering::Equal
            }
            Step::Values(mut a, mut b) => {
                if let (Some((_, value_a)), Some((_, value_b))) = (a.next(), b.next()) {
                    later.push((Step::Values(a, b), mode));
                    later.push((Step::Terms(value_a, value_b), mode));
                }
                Ordering::Equal
            }
        };
        if order != Ordering::Equal {
            return order;
        }
        next = later.pop();
    }
    Ordering::Equal
}

type Later<'a> = Vec<(Step<'a>, Mode)>;

fn compare_terms<'a>(a: &'a Term, b: &'a Term, mode: Mode, later: &mut Later<'a>) -> Ordering {
    if let (Some(a), Some(b)) = (Number::of(a), Number::of(b)) {
        return if mode == Mode::Exact {
            a.compare_exactly(b)
        } else {
            a.compare(b)
        };
    }
    match (a, b) {
        (Term::Atom(a), Term::Atom(b)) => a.cmp(b),
        (Term::Nil, Term::Nil) => Ordering::Equal,
        (Term::Pid(a), Term::Pid(b)) => a.cmp(b),
        (Term::Port(a), Term::Port(b)) => a.cmp(b),
        (Term::Reference(a), Term::Reference(b)) => a.cmp(b),
        (Term::Fun(a), Term::Fun(b)) => a.identity().cmp(&b.identity()),
        (Term::Tuple(a), Term::Tuple(b)) => {
            let by_len = a.len().cmp(&b.len());
            if by_len == Ordering::Equal && a.as_ptr() != b.as_ptr() {
                later.push((Step::Slices(a, b), mode));
            }
            by_len
        }
        (Term::Map(a), Term::Map(b)) => {
            later.push((Step::Values(a.iter(), b.iter()), mode));
            later.push((Step::Keys(a.iter(), b.iter()), mode));
            a.len().cmp(&b.len())
        }
        (Term::List(a), Term::List(b)) => compare_lists(a.view(), b.view(), mode, later),
        (Term::Binary(a), Term::Binary(b)) => a.cmp(b),
        (Term::Binary(_) | Term::Bitstring(_), Term::Binary(_) | Term::Bitstring(_)) => {
            compare_bits(a, b)
        }
        _ => rank(a).cmp(&rank(b)).then_with(|| name(a).cmp(&name(b))),
    }
}

fn compare_lists<'a>(a: View<'a>, b: View<'a>, mode: Mode, later: &mut Later<'a>) -> Ordering {
    match (a, b) {
        (View::Cell(head_a, tail_a), View::Cell(head_b, tail_b)) => {
            if !std::ptr::eq(head_a, head_b) {
                later.push((Step::Terms(tail_a, tail_b), mode));
                later.push((Step::Terms(head_a, head_b), mode));
            }
            Ordering::Equal
        }
        (View::Bytes(a), View::Bytes(b)) => a.cmp(b),
        (View::Bytes(bytes), View::Cell(head, tail)) => {
            compare_with_cell(bytes, head, tail, mode, later)
        }
        (View::Cell(head, tail), View::Bytes(bytes)) => {
            // The pushed steps must be turned round as well, so heads are compared here first.
            let Some((first, others)) = bytes.split_first() else {
                return Ordering::Greater;
            };
            let order = compare_byte(*first, head, mode).reverse();
            if order == Ordering::Equal {
                match (tail, others.is_empty()) {
                    (Term::List(list), false) => {
                        later.push((Step::Lists(list.view(), View::Bytes(others)), mode))
                    }
                    (_, true) => later.push((Step::Terms(tail, &NIL), mode)),
                    (_, false) => return rank(tail).cmp(&LIST_RANK),
                }
            }
            order
        }
    }
}

fn compare_with_cell<'a>(
    bytes: &'a [u8],
    head: &'a Term,
    tail: &'a Term,
    mode: Mode,
    later: &mut Later<'a>,
) -> Ordering {
    let Some((first, others)) = bytes.split_first() else {
        return Ordering::Less;
    };
    let order = compare_byte(*first, head, mode);
    if order == Ordering::Equal {
        match (tail, others.is_empty()) {
            (Term::List(list), false) => {
                later.push((Step::Lists(View::Bytes(others), list.view()), mode))
            }
            (_, true) => later.push((Step::Terms(&NIL, tail), mode)),
            (_, false) => return LIST_RANK.cmp(&rank(tail)),
        }
    }
    order
}

fn compare_byte(byte: u8, term: &Term, mode: Mode) -> Ordering {
    let byte = Number::Int(i64::from(byte));
    match Number::of(term) {
        Some(number) if mode == Mode::Exact => byte.compare_exactly(number),
        Some(number) => byte.compare(number),
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

const LIST_RANK: u8 = 9;

/// Where a term's kind stands in Erlang's order.
fn rank(term: &Term) -> u8 {
    match term {
        Term::Int(_) | Term::BigInt(_) | Term::Float(_) => 0,
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
        Term::Nil => 8,
        Term::List(_) => LIST_RANK,
        Term::Binary(_) | Term::Bitstring(_) => 10,
    }
}

/// What orders pids, ports and references when at least one of the two is of another node: pids
/// by number, then by node; the others by node, then by number.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Name {
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

fn foreign_name(foreign: &Foreign) -> Name {
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
                    state.write_u8(0);
                    i64::from(*byte).hash(state);
                }
                state.write_u8(8);
            }
        },
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
        let mut hasher = std::hash::DefaultHasher::new();
        deep(Term::Nil).hash(&mut hasher);
    }
}

//! What must hold for every term: round trips through bytes and text, one order, equal hashes for
//! equal terms, and data that means the same flat and in segments. And for every sequence of
//! bytes: decoding it says yes or no.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};
use wharf::term::decode::{Limits, decode, decode_within};
use wharf::term::encode::{encode, encode_compressed};
use wharf::term::iodata::{self, IoVector};
use wharf::term::text::parse;
use wharf::term::{Atom, Binary, Bitstring, Pid, PortId, Reference, Term};

/// Few enough names that terms meet equal ones, odd enough to need every kind of quoting.
fn atom() -> impl Strategy<Value = Term> {
    prop_oneof![
        prop::sample::select(vec![
            "ok",
            "error",
            "",
            "EXIT",
            "fun",
            "a b",
            "ö",
            "Ö",
            "π",
            "\\'\n",
            "a@b_1",
            "\u{7f}\u{0}1"
        ])
        .prop_map(Term::atom),
        vec(any::<char>(), 0..4)
            .prop_map(|name| Term::Atom(Atom::new(&name.into_iter().collect::<String>()))),
    ]
}

fn number() -> impl Strategy<Value = Term> {
    let edges = vec![
        0,
        1,
        -1,
        255,
        256,
        i64::from(i32::MAX),
        i64::from(i32::MAX) + 1,
        1 << 53,
        (1 << 53) + 1,
        i64::MAX,
        i64::MIN,
    ];
    prop_oneof![
        prop::sample::select(edges.clone()).prop_map(Term::Int),
        prop::sample::select(edges).prop_map(|value| Term::Float(value as f64)),
        (-300_i64..300).prop_map(Term::Int),
        any::<i64>().prop_map(Term::Int),
        vec(any::<u8>(), 0..300).prop_map(|bytes| big(&bytes)),
        any::<f64>()
            .prop_filter("Erlang's floats are finite", |value| value.is_finite())
            .prop_map(Term::Float),
    ]
}

/// An integer of any size, by way of the external format, so that this test needs no bignums.
fn big(bytes: &[u8]) -> Term {
    let len = u32::try_from(bytes.len()).expect("short").to_be_bytes();
    let sign = bytes.first().map_or(0, |byte| byte & 1);
    let encoded = [&[131, 111], &len[..], &[sign], bytes].concat();
    decode(&encoded).expect("an integer").0
}

fn bytes() -> impl Strategy<Value = Binary> {
    prop_oneof![
        vec(any::<u8>(), 0..80).prop_map(Binary::from),
        "[ -~\n\t]{0,40}".prop_map(Binary::from),
        "\\PC{0,10}".prop_map(Binary::from),
        (vec(any::<u8>(), 100..300), 0..50_usize, 50..100_usize)
            .prop_map(|(bytes, from, to)| Binary::from(bytes).slice(from..to)),
    ]
}

fn leaf() -> impl Strategy<Value = Term> {
    prop_oneof![
        Just(Term::Nil),
        atom(),
        number(),
        bytes().prop_map(Term::Binary),
        bytes().prop_map(Term::bytes_list),
        (vec(any::<u8>(), 1..5), 1..8_u8).prop_filter_map("bits", |(bytes, bits)| Bitstring::term(
            Binary::from(bytes),
            bits
        )),
        any::<u64>().prop_map(|number| Term::Pid(Pid::from_number(number))),
        any::<u64>().prop_map(|number| Term::Port(PortId::from_number(number))),
        any::<u64>().prop_map(|number| Term::Reference(Reference::from_number(number))),
    ]
}

fn term() -> impl Strategy<Value = Term> {
    leaf().prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Term::tuple),
            vec(inner.clone(), 0..6).prop_map(Term::list),
            (vec(inner.clone(), 1..4), inner.clone())
                .prop_map(|(elements, tail)| Term::improper(elements, tail)),
            vec((inner.clone(), inner), 0..5)
                .prop_map(|pairs| Term::Map(pairs.into_iter().collect())),
        ]
    })
}

/// The same list, every compact one taken apart into cells.
fn in_cells(term: &Term) -> Term {
    match term {
        Term::List(list) => {
            let (elements, tail) = list.to_parts();
            Term::improper(elements, in_cells(&tail))
        }
        other => other.clone(),
    }
}

/// Data for a port, and beside it the bytes that it stands for.
fn io_data() -> impl Strategy<Value = (Term, Vec<u8>)> {
    let leaf = prop_oneof![
        Just((Term::Nil, Vec::new())),
        bytes().prop_map(|binary| (Term::Binary(binary.clone()), binary.to_vec())),
        bytes().prop_map(|binary| (Term::bytes_list(binary.clone()), binary.to_vec())),
        (60..400_usize).prop_map(|len| (Term::Binary(Binary::from(vec![7; len])), vec![7; len])),
    ];
    leaf.prop_recursive(4, 60, 20, |inner| {
        let element = prop_oneof![
            any::<u8>().prop_map(|byte| (Term::from(byte), vec![byte])),
            inner.clone()
        ];
        (vec(element, 0..20), inner).prop_map(|(elements, (tail, tail_bytes))| {
            let (terms, mut bytes): (Vec<Term>, Vec<Vec<u8>>) = elements.into_iter().unzip();
            bytes.push(tail_bytes);
            (Term::improper(terms, tail), bytes.concat())
        })
    })
}

fn hash(term: &Term) -> u64 {
    let mut hasher = DefaultHasher::new();
    term.hash(&mut hasher);
    hasher.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_and_back(term in term()) {
        let encoded = encode(&term).expect("encodes");
        prop_assert_eq!(decode(&encoded), Ok((term.clone(), encoded.len())));
        let compressed = encode_compressed(&term, 6).expect("encodes");
        prop_assert!(compressed.len() <= encoded.len());
        prop_assert_eq!(decode(&compressed), Ok((term, compressed.len())));
    }

    #[test]
    fn text_and_back(term in term()) {
        let text = term.to_string();
        prop_assert_eq!(parse(&text).map_err(|error| format!("{text}: {error}")), Ok(term));
    }

    #[test]
    fn any_bytes_decode_or_do_not(mut bytes in vec(any::<u8>(), 0..300)) {
        let limits = Limits { depth: 100, inflated: 10_000 };
        let _ = decode_within(&bytes, limits);
        if let Some(first) = bytes.first_mut() {
            *first = 131;
        }
        if let Ok((term, used)) = decode_within(&bytes, limits) {
            prop_assert!(used <= bytes.len());
            let again = encode(&term).expect("what was decoded encodes");
            prop_assert_eq!(decode(&again).expect("decodes").0, term);
        }
    }

    #[test]
    fn damaged_terms_decode_or_do_not(term in term(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut encoded = encode(&term).expect("encodes");
        let at = at.index(encoded.len());
        encoded[at] = byte;
        if let Ok((term, _)) = decode(&encoded) {
            let again = encode(&term).expect("what was decoded encodes");
            prop_assert_eq!(decode(&again).expect("decodes").0, term);
        }
        prop_assert!(at == 0 || decode(&encoded[..at]).is_err());
    }

    #[test]
    fn any_text_parses_or_does_not(text in "[\\PC\n]{0,40}", pieces in vec(prop::sample::select(vec!["[", "]", "{", "}", "#{", "=>", ",", "|", "a", "'", "\"", "<<", ">>", "1", "16#", ".", "$", "\\x{", "#Port<", "% ", "\n"]), 0..12)) {
        let _ = parse(&text);
        if let Ok(term) = parse(&pieces.concat()) {
            prop_assert_eq!(parse(&term.to_string()), Ok(term));
        }
    }

    #[test]
    fn order_is_total(a in term(), b in term(), c in term()) {
        prop_assert_eq!(a.compare(&b), b.compare(&a).reverse());
        prop_assert_eq!(a.compare(&a), Ordering::Equal);
        let mut sorted = [a, b, c];
        sorted.sort_by(Term::compare);
        let [least, middle, most] = &sorted;
        prop_assert_ne!(least.compare(middle), Ordering::Greater);
        prop_assert_ne!(middle.compare(most), Ordering::Greater);
        prop_assert_ne!(least.compare(most), Ordering::Greater);
    }

    #[test]
    fn numbers_are_ordered_by_value(a in number(), b in number(), c in number()) {
        let mut sorted = [a, b, c];
        sorted.sort_by(Term::compare);
        let [least, middle, most] = &sorted;
        if least.loosely_equals(middle) && middle.loosely_equals(most) {
            prop_assert!(least.loosely_equals(most));
        }
        prop_assert_ne!(least.compare(most), Ordering::Greater);
    }

    #[test]
    fn equal_terms_hash_alike_however_they_are_kept(term in term(), other in term()) {
        let cells = in_cells(&term);
        prop_assert_eq!(&cells, &term);
        prop_assert_eq!(cells.compare(&other), term.compare(&other));
        prop_assert_eq!(hash(&cells), hash(&term));
        prop_assert_eq!(cells.to_string(), term.to_string());
        prop_assert_eq!(encode(&cells), encode(&term));
        if term == other {
            prop_assert_eq!(hash(&term), hash(&other));
            prop_assert!(term.loosely_equals(&other));
        }
    }

    #[test]
    fn maps_keep_what_is_put_in(pairs in btree_map(any::<i8>(), any::<u8>(), 0..40), gone in vec(any::<i8>(), 0..10)) {
        let mut model = pairs.clone();
        let mut map: wharf::term::Map =
            pairs.into_iter().map(|(key, value)| (Term::from(i64::from(key)), Term::from(value))).collect();
        let untouched = map.clone();
        for key in gone {
            let removed = map.remove(&Term::from(i64::from(key)));
            prop_assert_eq!(removed, model.remove(&key).map(Term::from));
        }
        prop_assert!(map.len() <= untouched.len());
        let expected = model.into_iter().map(|(key, value)| (Term::from(i64::from(key)), Term::from(value)));
        prop_assert!(map.iter().map(|(key, value)| (key.clone(), value.clone())).eq(expected));
    }

    #[test]
    fn data_is_the_same_flat_and_in_segments((term, expected) in io_data()) {
        prop_assert_eq!(iodata::size(&term), Ok(expected.len()));
        prop_assert_eq!(&iodata::flatten(&term).expect("iodata")[..], &expected[..]);
        let vector = IoVector::from_term(&term).expect("iodata");
        prop_assert_eq!(vector.size(), expected.len());
        prop_assert_eq!(vector.segments().concat(), expected);
    }

    #[test]
    fn one_bad_element_spoils_the_data((term, _) in io_data(), bad in term()) {
        let is_data = iodata::size(&bad).is_ok() || matches!(bad, Term::Int(0..=255));
        let spoiled = Term::list(vec![term.clone(), bad]);
        prop_assert_eq!(iodata::size(&spoiled).is_ok(), is_data);
        prop_assert_eq!(iodata::flatten(&spoiled).is_ok(), is_data);
        prop_assert_eq!(IoVector::from_term(&spoiled).is_ok(), is_data);
    }
}

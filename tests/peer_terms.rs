//! Terms beside a real Erlang, where one is installed: the same bytes, the same text, the same
//! order.
//!
//! Erlang is started once per test with a file of terms and writes a file of answers, both in the
//! external format. OTP 25 is the one to agree with; others write atoms differently.

#[path = "support/erlang.rs"]
mod erlang;

use erlang::{ask_erlang, erlang_is_there};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cmp::Ordering;
use wharf::term::decode::decode;
use wharf::term::encode::encode;
use wharf::term::text::parse;
use wharf::term::{Binary, Bitstring, Pid, PortId, Reference, Term};

fn leaf() -> impl Strategy<Value = Term> {
    let names = vec![
        "ok",
        "",
        "EXIT",
        "fun",
        "maybe",
        "else",
        "a b",
        "ö",
        "÷",
        "Ö",
        "π",
        "\\'\n",
        "a@b_1",
        "\u{7f}\u{0}1",
        "\u{9f}\u{a0}",
    ];
    let edges = vec![
        0,
        255,
        256,
        -1,
        i64::from(i32::MAX),
        1 << 31,
        -(1 << 31) - 1,
        1 << 53,
        (1 << 53) + 1,
        1 << 59,
        i64::MAX,
        i64::MIN,
    ];
    prop_oneof![
        Just(Term::Nil),
        prop::sample::select(names).prop_map(Term::atom),
        prop::sample::select(edges.clone()).prop_map(Term::Int),
        prop::sample::select(edges).prop_map(|value| Term::Float(value as f64)),
        (-5_i64..5).prop_map(Term::Int),
        any::<f64>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(Term::Float),
        (-1_000_000_i32..1_000_000, 0..9)
            .prop_map(|(digits, zeros)| Term::Float(f64::from(digits) / 10_f64.powi(zeros))),
        (0..300_u32, any::<bool>()).prop_map(|(power, negative)| {
            let text = format!(
                "{}1{}",
                if negative { "-" } else { "" },
                "0".repeat(power as usize)
            );
            parse(&text).expect("an integer")
        }),
        vec(any::<u8>(), 0..70).prop_map(|bytes| Term::Binary(Binary::from(bytes))),
        "[ -~\n\tö]{0,12}".prop_map(|text| Term::Binary(Binary::from(text))),
        "[ -~\n\tö]{0,12}".prop_map(|text| Term::charlist(&text)),
        "\\PC{0,4}".prop_map(|text| Term::charlist(&text)),
        (vec(any::<u8>(), 1..4), 1..8_u8).prop_filter_map("bits", |(bytes, bits)| Bitstring::term(
            Binary::from(bytes),
            bits
        )),
        (0..1000_u64).prop_map(|number| Term::Pid(Pid::from_number(number))),
        (0..1000_u64).prop_map(|number| Term::Port(PortId::from_number(number))),
        (0..1_u64 << 60).prop_map(|number| Term::Reference(Reference::from_number(number))),
        Just(parse("fun lists:map/2").expect("a fun")),
    ]
}

fn term() -> impl Strategy<Value = Term> {
    leaf().prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Term::tuple),
            vec(inner.clone(), 0..5).prop_map(Term::list),
            (vec(inner.clone(), 1..4), inner.clone())
                .prop_map(|(elements, tail)| Term::improper(elements, tail)),
            vec((inner.clone(), inner), 0..4)
                .prop_map(|pairs| Term::Map(pairs.into_iter().collect())),
        ]
    })
}

/// The same terms in every run.
fn terms(count: usize) -> Vec<Term> {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let term = term();
    (0..count)
        .map(|_| term.new_tree(&mut runner).expect("a term").current())
        .collect()
}

fn encoded(term: &Term) -> Binary {
    Binary::from(encode(term).expect("encodes"))
}

fn is_true(term: &Term) -> bool {
    term.is_true()
}

#[test]
fn bytes_are_those_of_erlang() {
    if !erlang_is_there() {
        return;
    }
    let terms = terms(800);
    let questions: Vec<Binary> = terms.iter().map(encoded).collect();
    let answers = ask_erlang(
        "peer_terms_bytes",
        "fun(B) -> term_to_binary(binary_to_term(B)) end",
        &questions,
    );
    for ((term, ours), theirs) in terms.iter().zip(&questions).zip(&answers) {
        let theirs = theirs.as_binary().expect("bytes");
        assert_eq!(ours, theirs, "{term}");
        assert_eq!(decode(theirs).map(|(term, _)| term).as_ref(), Ok(term));
    }
}

#[test]
fn compressed_bytes_mean_the_same_to_erlang() {
    if !erlang_is_there() {
        return;
    }
    let terms: Vec<Term> = terms(200)
        .into_iter()
        .map(|term| Term::list(vec![term; 10]))
        .collect();
    let compress =
        |term| Binary::from(wharf::term::encode::encode_compressed(term, 9).expect("encodes"));
    let questions: Vec<Binary> = terms.iter().map(compress).collect();
    let answers = ask_erlang(
        "peer_terms_compressed",
        "fun(B) -> term_to_binary(binary_to_term(B), [compressed]) end",
        &questions,
    );
    for (term, theirs) in terms.iter().zip(&answers) {
        let theirs = theirs.as_binary().expect("bytes");
        assert_eq!(decode(theirs).as_ref(), Ok(&(term.clone(), theirs.len())));
    }
}

#[test]
fn text_is_that_of_erlang_and_both_read_it() {
    if !erlang_is_there() {
        return;
    }
    let terms = terms(800);
    let ask_pair = |term: &Term| {
        encoded(&Term::tuple([
            term.clone(),
            term.to_string().as_str().into(),
        ]))
    };
    let questions: Vec<Binary> = terms.iter().map(ask_pair).collect();
    let answer = r#"fun(B) ->
        {T, Text} = binary_to_term(B),
        {ok, Tokens, _} = case erl_scan:string(unicode:characters_to_list(Text) ++ ".") of {ok, _, _} = Ok -> Ok; _ -> {ok, [], 0} end,
        Same = case erl_parse:parse_term(Tokens) of {ok, T2} -> T2 =:= T; _ -> unreadable end,
        {unicode:characters_to_binary(io_lib:format("~0tp", [T])), Same}
    end"#;
    for (term, answer) in terms
        .iter()
        .zip(ask_erlang("peer_terms_text", answer, &questions))
    {
        let answer = answer.as_tuple().expect("a pair").clone();
        let theirs = String::from_utf8_lossy(answer[0].as_binary().expect("text")).into_owned();
        assert_eq!(term.to_string(), theirs);
        assert_eq!(parse(&theirs).as_ref(), Ok(term));
        // Erlang's reader has no syntax for these.
        let unreadable = ["<0.", "#Port<", "#Ref<", "fun lists:"]
            .iter()
            .any(|part| theirs.contains(part));
        assert!(
            unreadable || is_true(&answer[1]),
            "Erlang reads {theirs} as another term"
        );
    }
}

#[test]
fn order_is_that_of_erlang() {
    if !erlang_is_there() {
        return;
    }
    let terms = terms(1500);
    // Neighbours are mostly of different kinds; elements of the same place in two tuples, a list
    // and its own tail, and a number and its other form come close to each other.
    let mut pairs: Vec<(Term, Term)> = terms
        .windows(2)
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .collect();
    for (a, b) in pairs.clone() {
        pairs.push((
            Term::tuple([Term::Int(1), a.clone()]),
            Term::tuple([Term::Float(1.0), b.clone()]),
        ));
        if let (Term::Int(value), _) = (&a, &b) {
            pairs.push((a.clone(), Term::Float(*value as f64)));
        }
        pairs.push((Term::cons(a.clone(), b.clone()), Term::cons(a.clone(), a)));
    }
    let numbers: Vec<Term> = terms
        .iter()
        .filter(|t| matches!(t, Term::Int(_) | Term::BigInt(_) | Term::Float(_)))
        .cloned()
        .collect();
    pairs.extend(
        numbers
            .windows(2)
            .map(|pair| (pair[0].clone(), pair[1].clone())),
    );
    let bits: Vec<Term> = terms
        .iter()
        .filter(|t| matches!(t, Term::Binary(_) | Term::Bitstring(_)))
        .cloned()
        .collect();
    pairs.extend(
        bits.windows(2)
            .map(|pair| (pair[0].clone(), pair[1].clone())),
    );

    let questions: Vec<Binary> = pairs
        .iter()
        .map(|(a, b)| encoded(&Term::tuple([a.clone(), b.clone()])))
        .collect();
    let answer = "fun(Q) -> {A, B} = binary_to_term(Q), {if A < B -> -1; A > B -> 1; true -> 0 end, A =:= B} end";
    for ((a, b), answer) in pairs
        .iter()
        .zip(ask_erlang("peer_terms_order", answer, &questions))
    {
        let answer = answer.as_tuple().expect("a pair").clone();
        let order = match a.compare(b) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        };
        assert_eq!(Some(order), answer[0].as_int(), "{a} beside {b}");
        assert_eq!(a == b, is_true(&answer[1]), "{a} =:= {b}");
    }
}

/// Terms that Erlang makes itself, among them those that wharf can only pass on.
#[test]
fn what_erlang_makes_goes_through_unchanged() {
    if !erlang_is_there() {
        return;
    }
    let made = [
        "self()",
        "make_ref()",
        "hd(erlang:ports())",
        "fun lists:map/2",
        "fun(X) -> X end",
        "fun erl_eval:expr/5",
        "lists:seq(1, 300)",
        "lists:duplicate(65535, $a)",
        "lists:duplicate(65536, $a)",
        "#{}",
        "#{a => #{b => c}}",
        "erlang:make_tuple(255, a)",
        "erlang:make_tuple(256, a)",
        "1 bsl 2040 - 1",
        "1 bsl 2040",
        "-(1 bsl 64)",
        "binary_to_term(<<131,103,100,0,3,\"a@b\",5:32,6:32,3>>)",
        "binary_to_term(<<131,102,100,0,3,\"a@b\",5:32,3>>)",
        "binary_to_term(<<131,120,100,0,3,\"a@b\",5:64,7:32>>)",
        "binary_to_term(<<131,114,0,2,100,0,3,\"a@b\",3,5:32,6:32>>)",
        "<<1:7>>",
        "list_to_atom(lists:duplicate(255, 1000))",
        "[a | b]",
        "-0.0",
        "4.9e-324",
    ];
    let questions: Vec<Binary> = made.iter().map(|source| Binary::from(*source)).collect();
    let answer = "fun(S) -> {ok, Ts, _} = erl_scan:string(binary_to_list(S) ++ \".\"), {ok, Es} = erl_parse:parse_exprs(Ts), \
                  {value, T, _} = erl_eval:exprs(Es, []), term_to_binary(T) end";
    for (source, bytes) in made
        .iter()
        .zip(ask_erlang("peer_terms_made", answer, &questions))
    {
        let bytes = bytes.as_binary().expect("bytes").clone();
        let (term, used) = decode(&bytes).unwrap_or_else(|error| panic!("{source}: {error}"));
        assert_eq!(used, bytes.len(), "{source}");
        assert_eq!(encoded(&term), bytes, "{source}");
    }
}

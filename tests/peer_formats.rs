//! The external term format beside a real Erlang, where one is installed: all that Erlang writes
//! is read and goes back unchanged, and what Erlang refuses is refused.
#![forbid(unsafe_code)]

#[path = "support/erlang.rs"]
mod erlang;

use erlang::{ask_erlang, erlang_is_there};
use wharf::term::decode::decode;
use wharf::term::encode::encode;
use wharf::term::text::parse;
use wharf::term::{Binary, Term};

/// A row of numbers that is the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 20).expect("64 bits") % limit
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("a byte")
    }
}

/// A fun of a seed: as many terms as are asked for, each as
/// `{LargeMapInside, LocalFunInside, [Bytes]}` in all the ways that `term_to_binary` has to write it.
const MAKER: &str = r#"fun(Seed) ->
    rand:seed(exsss, {1, 2, binary_to_integer(Seed)}),
    R = fun(N) -> rand:uniform(N) - 1 end,
    Pick = fun(L) -> lists:nth(rand:uniform(length(L)), L) end,
    Many = fun(N, F) -> [F() || _ <- lists:seq(1, N)] end,
    Chars = fun(N, Max) -> [case R(Max) + 1 of C when C >= 16#D800, C =< 16#DFFF -> $x; C -> C end || _ <- lists:seq(1, N)] end,
    Old = fun(Bytes) -> binary_to_term(<<131, Bytes/binary>>) end,
    Node = fun() -> N = Pick([<<"a@b">>, <<"c">>, <<"x@", 246>>]), <<100, (byte_size(N)):16, N/binary>> end,
    {ok, Tokens, _} = erl_scan:string("fun(Z) -> {X, Y, Z} end."),
    {ok, [Local]} = erl_parse:parse_exprs(Tokens),
    Leaf = fun() -> case R(24) of
        0 -> R(300) - 20;
        1 -> (1 bsl R(70)) * Pick([1, -1]) + Pick([0, 1, -1]);
        2 -> rand:uniform(1 bsl (R(2100) + 1)) * Pick([1, -1]);
        3 -> F = fun F() -> <<B:64>> = rand:bytes(8), case <<B:64>> of <<X/float>> -> X; _ -> F() end end, F();
        4 -> Pick([0.0, -0.0, 1.5, -1.0e-300, 1.7976931348623157e308, 4.9e-324, 0.1, 1.0e22, 123456789.125]);
        5 -> list_to_atom(Chars(R(20), 127));
        6 -> list_to_atom(Chars(R(255), 255));
        7 -> list_to_atom(Chars(R(255), 16#10FFFF - 1));
        8 -> rand:bytes(R(100));
        9 -> N = R(60), <<B:N/bitstring, _/bitstring>> = rand:bytes(8), B;
        10 -> Chars(R(300), 255);
        11 -> Chars(R(20), 16#10FFFF - 1);
        12 -> [];
        13 -> Pick([self(), make_ref(), hd(erlang:ports()), group_leader(), Old(<<88, 100, 13:16, "nonode@nohost", (R(1 bsl 15)):32, (R(1 bsl 13)):32, (R(2)):32>>)]);
        14 -> Pick([fun lists:map/2, fun 'no such':'module at all'/255, fun erlang:'+'/2]);
        15 -> Old(<<103, (Node())/binary, (R(1 bsl 15)):32, (R(1 bsl 13)):32, (R(4)):8>>);
        16 -> Old(<<88, (Node())/binary, (R(1 bsl 28)):32, (R(1 bsl 28)):32, (R(5)):32>>);
        17 -> Old(<<102, (Node())/binary, (R(1 bsl 28)):32, (R(4)):8>>);
        18 -> Old(<<89, (Node())/binary, (R(1 bsl 28)):32, (R(5)):32>>);
        19 -> Old(<<120, (Node())/binary, (R(1 bsl 60)):64, (R(5)):32>>);
        20 -> N = R(2) + 2, Old(<<114, N:16, (Node())/binary, (R(4)):8, (R(1 bsl 18)):32, (rand:bytes(4 * N - 4))/binary>>);
        21 -> N = R(4) + 2, Old(<<90, N:16, (Node())/binary, (R(5)):32, (R(1 bsl 18)):32, (rand:bytes(4 * N - 4))/binary>>);
        22 -> list_to_tuple(lists:seq(1, Pick([0, 1, 254, 255, 256, 300])));
        23 -> Pick([true, false, nil, undefined, '', 'EXIT'])
    end end,
    Term = fun Term(0) -> Leaf();
      Term(D) -> T = fun() -> Term(D - 1) end, case R(10) of
        0 -> list_to_tuple(Many(R(6), T));
        1 -> Many(R(8), T);
        2 -> case Many(R(5) + 1, T) of [H | L] -> lists:foldl(fun(E, A) -> [E | A] end, [T() | H], L) end;
        3 -> maps:from_list([{T(), T()} || _ <- lists:seq(1, R(8))]);
        4 -> maps:from_list([{Leaf(), R(3)} || _ <- lists:seq(1, 20 + R(40))]);
        5 -> {value, F, _} = erl_eval:expr(Local, [{'X', T()}, {'Y', T()}]), F;
        6 -> lists:duplicate(R(20), T());
        _ -> Leaf()
      end end,
    Funs = fun Funs(M) when is_map(M) -> Funs(maps:to_list(M));
      Funs(T) when is_tuple(T) -> Funs(tuple_to_list(T));
      Funs([H | T]) -> Funs(H) orelse Funs(T);
      Funs(F) when is_function(F) -> erlang:fun_info(F, type) =:= {type, local};
      Funs(_) -> false end,
    Large = fun Large(M) when is_map(M) -> map_size(M) > 32 orelse Large(maps:to_list(M));
      Large(T) when is_tuple(T) -> Large(tuple_to_list(T));
      Large([H | T]) -> Large(H) orelse Large(T);
      Large(F) when is_function(F) -> {env, E} = erlang:fun_info(F, env), Large(E);
      Large(_) -> false end,
    Made = [Term(R(3)) || _ <- lists:seq(1, 150)],
    [{Large(T), Funs(T), [term_to_binary(T) | [term_to_binary(T, O) || O <- [
        [{minor_version, 0}], [{minor_version, 1}], [{minor_version, 2}], [deterministic],
        [compressed], [{compressed, 1}], [{compressed, 9}, {minor_version, 2}], [{compressed, 9}, {minor_version, 0}]]]]}
     || T <- Made]
  end"#;

/// Erlang makes terms and writes them in every way it has; wharf reads each, and Erlang finds
/// nothing changed in what wharf writes.
#[test]
fn all_that_erlang_writes_is_read_and_goes_back_unchanged() {
    if !erlang_is_there() {
        return;
    }
    let seeds: Vec<Binary> = (1..=5).map(|seed| Binary::from(seed.to_string())).collect();
    let mut pairs: Vec<Binary> = Vec::new();
    let mut bytewise = 0;
    for made in ask_erlang("peer_formats_made", MAKER, &seeds) {
        for one in made.to_list_vec().expect("a list") {
            let one = one.as_tuple().expect("a triple");
            let has_large_map = one[0].is_true();
            let has_fun = one[1].is_true();
            let forms = one[2].to_list_vec().expect("a list");
            let first = forms[0].as_binary().expect("bytes");
            let (term, _) = decode(first).unwrap_or_else(|error| panic!("{error}: {first:?}"));
            for form in &forms {
                let form = form.as_binary().expect("bytes");
                let read = decode(form).unwrap_or_else(|error| panic!("{error}: {form:?}"));
                assert_eq!(read.1, form.len(), "{form:?}");
                if has_fun {
                    // Funs are kept as they came, and are equal only if they came alike.
                    let ours = Term::Binary(encoded(&read.0));
                    pairs.push(encoded(&Term::tuple([Term::Binary(first.clone()), ours])));
                } else {
                    assert_eq!(read.0, term, "{form:?}");
                }
            }
            let ours = Binary::from(encode(&term).expect("encodes"));
            if !has_large_map {
                assert_eq!(&ours, first, "{term}");
                bytewise += 1;
            }
            pairs.push(encoded(&Term::tuple([
                Term::Binary(first.clone()),
                Term::Binary(ours),
            ])));
        }
    }
    assert!(bytewise > 400 && bytewise + 100 < pairs.len(), "{bytewise}");
    let same = "fun(Q) -> {A, B} = binary_to_term(Q), T = binary_to_term(A), U = binary_to_term(B), \
                case T =:= U of true -> same; false -> {T, U} end end";
    for (pair, same) in pairs
        .iter()
        .zip(ask_erlang("peer_formats_back", same, &pairs))
    {
        assert_eq!(same, Term::atom("same"), "{pair:?}");
    }
}

fn encoded(term: &Term) -> Binary {
    Binary::from(encode(term).expect("encodes"))
}

/// Bytes of good terms with some of them changed, left out or added, and mere tags and lengths.
fn questionable(count: usize) -> Vec<Binary> {
    let texts = [
        "[1, 255, 256, -1, 100000, 12345678901, -98765432109876543210]",
        "{ok, 2.5, \"text\", 'an atom', 'ö', 'π'}",
        "<<\"a binary\">>",
        "[<<5:3>>, <<1, 2, 1:1>>]",
        "#{a => 1, 2 => [x | y], 2.0 => #{}}",
        "[fun lists:map/2, {fun m:'f g'/0}]",
        "[[], [a], [300], \"\", {}]",
    ];
    let mut whole: Vec<Vec<u8>> = texts
        .iter()
        .map(|text| encode(&parse(text).expect("a term")).expect("encodes"))
        .collect();
    let node = [100, 0, 3, b'a', b'@', b'b'];
    let with = |before: &[u8], after: &[u8]| [&[131], before, &node, after].concat();
    whole.extend([
        with(&[103], &[0, 0, 0, 5, 0, 0, 0, 7, 3]),
        with(&[88], &[0, 0, 0, 5, 0, 0, 0, 7, 0, 0, 0, 3]),
        with(&[102], &[0, 0, 0, 5, 3]),
        with(&[120], &[0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 3]),
        with(&[101], &[0, 0, 0, 5, 3]),
        with(&[114, 0, 2], &[3, 0, 0, 0, 5, 0, 0, 0, 6]),
        with(&[90, 0, 2], &[0, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0, 6]),
        [&[131, 99][..], b"1.50000000000000000000e+00", &[0; 5]].concat(),
        [&[131, 99][..], b"-3.25e-7", &[0; 23]].concat(),
    ]);
    let tags = [
        70, 77, 88, 97, 97, 98, 99, 100, 103, 104, 104, 105, 106, 106, 107, 108, 109, 110, 111,
        113, 115, 116, 116, 118, 119, 120,
    ];
    let mut dice = Dice(0x5eed_0f7e_0057);
    let mut questions = Vec::new();
    for _ in 0..count {
        let mut bytes = whole[dice.below(whole.len())].clone();
        match dice.below(4) {
            0 => {
                bytes.truncate(1);
                for _ in 0..dice.below(24) {
                    let small = u8::try_from(dice.below(4)).expect("a byte");
                    bytes.push(match dice.below(3) {
                        0 => small,
                        _ => tags[dice.below(tags.len())],
                    });
                }
            }
            1 => {
                let at = 1 + dice.below(bytes.len() - 1);
                bytes.insert(at, dice.byte());
            }
            2 => {
                let at = 1 + dice.below(bytes.len() - 1);
                bytes.remove(at);
            }
            _ => {
                for _ in 0..=dice.below(3) {
                    let at = 1 + dice.below(bytes.len() - 1);
                    bytes[at] = match dice.below(3) {
                        0 => dice.byte(),
                        1 => bytes[at] ^ 1 << dice.below(8),
                        _ => tags[dice.below(tags.len())],
                    };
                }
            }
        }
        // What OTP 25 makes of a reference without words depends on what else is in its memory.
        if !bytes
            .windows(3)
            .any(|part| matches!(part, [90 | 114, 0, 0]))
        {
            questions.push(Binary::from(bytes));
        }
    }
    questions
}

#[test]
fn what_erlang_refuses_is_refused() {
    if !erlang_is_there() {
        return;
    }
    let questions = questionable(4000);
    let answer = "fun(B) -> try binary_to_term(B, [used]) of {T, Used} -> {Used, term_to_binary(T)} \
                  catch error:_ -> refused end end";
    let (mut taken, mut wrong) = (0, Vec::new());
    for (bytes, theirs) in
        questions
            .iter()
            .zip(ask_erlang("peer_formats_refused", answer, &questions))
    {
        let ours = match decode(bytes) {
            Ok((term, used)) => {
                taken += 1;
                let used = i64::try_from(used).expect("short");
                Term::tuple([Term::Int(used), Term::Binary(encoded(&term))])
            }
            Err(_) => Term::atom("refused"),
        };
        if ours != theirs {
            wrong.push(format!(
                "{:?}\n  wharf:  {ours}\n  Erlang: {theirs}",
                &bytes[..]
            ));
        }
    }
    assert!(taken > 500, "{taken}");
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

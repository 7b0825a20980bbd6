//! Any text is read, or is an error with a place and a reason.
#![forbid(unsafe_code)]

use super::*;
use proptest::prelude::*;

/// What scripts are made of, whole and broken off.
const PIECES: &[&str] = &[
    "a",
    "x?",
    "Enum.map(",
    ":ok",
    ":\"a b\"",
    "@x",
    "&1",
    "&",
    "fn ",
    " -> ",
    " end",
    " do\n",
    "do: ",
    "case x",
    "def f(x) when x",
    "else",
    "rescue",
    "after",
    "not ",
    " in ",
    " when ",
    "%{",
    "%M{",
    "#{",
    "<<",
    ">>",
    "::size(8)",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    " | ",
    " |> ",
    " = ",
    " => ",
    " <- ",
    "..",
    "//",
    "\\\\",
    ",",
    ";",
    "\n",
    "\"",
    "'",
    "\"\"\"\n",
    "~s(",
    "~w[a b]a",
    "~S|",
    "\\x{",
    "\\u00",
    "?\\",
    "?a",
    "0x",
    "0b12",
    "1_0",
    "1.5e",
    "1.0e999",
    "nil",
    "key: ",
    "\"k\": ",
    "# comment\n",
    "é",
    "\u{0}",
    "\u{202e}",
    "\r\n",
    "…",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_tree_or_an_error_with_a_place(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..25),
        anything in "\\PC{0,6}",
        line in 1..1000_u32,
    ) {
        let text = pieces.concat() + &anything;
        if let Err(error) = parse(&text, line) {
            prop_assert!(!error.reason.is_empty());
            let lines = u32::try_from(text.split('\n').count()).unwrap();
            prop_assert!((line..=line + lines).contains(&error.at.line), "{:?}: {:?}", text, error);
            let wide = text.split('\n').map(|line| line.chars().count()).max().unwrap_or(0);
            let column = error.at.column as usize;
            prop_assert!((1..=wide + 2).contains(&column), "{:?}: {:?}", text, error);
        }
    }
}

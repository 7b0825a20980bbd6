//! Colours for values and for the line being typed, as iex chooses them.
//!
//! Relies on the text alone: strings, atoms and numbers are told apart as they are written.
//! Promises that the letters stay the same.
#![forbid(unsafe_code)]

use crate::print::Paint;

/// What a stretch of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Atom,
    Constant,
    Number,
    Word,
    Comment,
    Other,
}

const WORDS: [&str; 22] = [
    "fn",
    "do",
    "end",
    "case",
    "cond",
    "if",
    "unless",
    "else",
    "for",
    "with",
    "receive",
    "after",
    "try",
    "rescue",
    "catch",
    "when",
    "and",
    "or",
    "not",
    "in",
    "def",
    "defmodule",
];

/// An inspected value in colours.
pub(super) fn value(text: &str, paint: Paint) -> String {
    colored(text, paint, false)
}

/// A line of code in colours.
pub(super) fn code(text: &str, paint: Paint) -> String {
    colored(text, paint, true)
}

fn colored(text: &str, paint: Paint, words: bool) -> String {
    if !paint.is_on() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while !rest.is_empty() {
        let (kind, len) = next(rest);
        let (piece, after) = rest.split_at(len);
        rest = after;
        out.push_str(&match kind {
            Kind::Text => paint.green(piece),
            Kind::Atom => paint.cyan(piece),
            Kind::Constant => paint.magenta(piece),
            Kind::Number => paint.yellow(piece),
            Kind::Word if words => paint.bold(piece),
            Kind::Comment if words => paint.dim(piece),
            _ => piece.to_owned(),
        });
    }
    out
}

/// The next stretch: its kind, and its length in bytes.
fn next(text: &str) -> (Kind, usize) {
    let mut chars = text.char_indices();
    let Some((_, first)) = chars.next() else {
        return (Kind::Other, 0);
    };
    let second = text[first.len_utf8()..].chars().next();
    let while_ = |start: usize, accept: fn(char) -> bool| {
        text[start..]
            .find(|c| !accept(c))
            .map_or(text.len(), |at| start + at)
    };
    let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '?' | '!');
    match first {
        '"' | '\'' => (Kind::Text, quoted(text, 0, first)),
        ':' if second == Some('"') => (Kind::Atom, quoted(text, 1, '"')),
        ':' if second.is_some_and(|c| c.is_alphabetic() || c == '_') => {
            (Kind::Atom, while_(1, name))
        }
        // An id such as #Port<0.5> is no comment, and its numbers are no numbers.
        '#' if ["#Port<", "#PID<", "#Reference<", "#Function<"]
            .iter()
            .any(|id| text.starts_with(id)) =>
        {
            (Kind::Other, text.find('>').map_or(text.len(), |at| at + 1))
        }
        '#' => (Kind::Comment, text.find('\n').unwrap_or(text.len())),
        c if c.is_ascii_digit() => (
            Kind::Number,
            while_(1, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')),
        ),
        c if c.is_alphabetic() || c == '_' => {
            let len = while_(first.len_utf8(), name);
            let word = &text[..len];
            let key = text[len..].starts_with(':') && !text[len..].starts_with("::");
            match word {
                _ if key => (Kind::Atom, len + 1),
                "true" | "false" | "nil" => (Kind::Constant, len),
                _ if WORDS.contains(&word) => (Kind::Word, len),
                _ if word.starts_with(char::is_uppercase) => (Kind::Atom, len),
                _ => (Kind::Other, len),
            }
        }
        _ => (Kind::Other, first.len_utf8()),
    }
}

/// The end of the text that starts with a quote at `start`.
fn quoted(text: &str, start: usize, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(start + 1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        let mut found = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (kind, len) = next(rest);
            if kind != Kind::Other {
                found.push((kind, &rest[..len]));
            }
            rest = &rest[len..];
        }
        found
    }

    #[test]
    fn values_are_told_apart() {
        let found = kinds(r##"{#Port<0.5>, :data, "a\"b", [x: 1.5], nil, :"q q", Foo}"##);
        let expected = [
            (Kind::Atom, ":data"),
            (Kind::Text, r#""a\"b""#),
            (Kind::Atom, "x:"),
            (Kind::Number, "1.5"),
            (Kind::Constant, "nil"),
            (Kind::Atom, ":\"q q\""),
            (Kind::Atom, "Foo"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn unfinished_text_is_colored_to_its_end() {
        assert_eq!(
            kinds("IO.puts \"half"),
            [(Kind::Atom, "IO"), (Kind::Text, "\"half")]
        );
        assert_eq!(kinds("'ä"), [(Kind::Text, "'ä")]);
    }

    #[test]
    fn letters_stay_the_same() {
        let text = "fn x -> {x, ?ä, \"ß\", :ok} end # done";
        let paint = Paint::stdout(crate::args::Color::Always);
        let mut plain = String::new();
        let mut escape = false;
        for c in code(text, paint).chars() {
            match c {
                '\x1b' => escape = true,
                'm' if escape => escape = false,
                _ if escape => {}
                _ => plain.push(c),
            }
        }
        assert_eq!(plain, text);
    }
}

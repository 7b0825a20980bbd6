//! Prints terms the way an Erlang shell does (`~tp`), but on one line.
//!
//! Walks nested terms with a list of its own, not by recursion.
#![forbid(unsafe_code)]

use super::external_fun::ExternalFun;
use super::list::View;
use super::number::float_text;
use super::{Atom, Binary, Bitstring, Fun, Term, map};
use std::fmt::{self, Debug, Display, Formatter, Write};

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut later = vec![Piece::Term(self)];
        while let Some(piece) = later.pop() {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::Term(term) => write_term(f, term, &mut later)?,
                Piece::Elements(elements) => {
                    if let Some((first, others)) = elements.split_first() {
                        f.write_str(",")?;
                        later.extend([Piece::Elements(others), Piece::Term(first)]);
                    }
                }
                Piece::Rest(rest) => write_rest(f, rest, &mut later)?,
                Piece::Pairs(mut pairs, separator) => {
                    if let Some((key, value)) = pairs.next() {
                        f.write_str(separator)?;
                        let after = [
                            Piece::Pairs(pairs, ","),
                            Piece::Term(value),
                            Piece::Text(" => "),
                        ];
                        later.extend(after);
                        later.push(Piece::Term(key));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Debug for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

/// What is still to be printed.
enum Piece<'a> {
    Text(&'static str),
    Term(&'a Term),
    /// Elements of a tuple, a comma before each.
    Elements(&'a [Term]),
    /// The tail of a list, with what joins it to the elements before, and without the bracket.
    Rest(&'a Term),
    /// Pairs of a map, with what stands before the first of them.
    Pairs(map::Iter<'a>, &'static str),
}

fn write_term<'a>(
    f: &mut Formatter<'_>,
    term: &'a Term,
    later: &mut Vec<Piece<'a>>,
) -> fmt::Result {
    match term {
        Term::Nil => f.write_str("[]"),
        Term::Atom(atom) => Display::fmt(atom, f),
        Term::Int(value) => write!(f, "{value}"),
        Term::BigInt(value) => write!(f, "{value}"),
        Term::Float(value) => f.write_str(&float_text(*value)),
        Term::Binary(binary) => write_binary(f, binary),
        Term::Bitstring(bits) => write_bitstring(f, bits),
        Term::Pid(pid) => write!(f, "{pid}"),
        Term::Port(port) => write!(f, "{port}"),
        Term::Reference(reference) => write!(f, "{reference}"),
        Term::Foreign(foreign) => write!(f, "{foreign}"),
        Term::Fun(fun) => write_fun(f, fun),
        Term::Tuple(tuple) => {
            f.write_str("{")?;
            later.push(Piece::Text("}"));
            if let Some((first, others)) = tuple.split_first() {
                later.extend([Piece::Elements(others), Piece::Term(first)]);
            }
            Ok(())
        }
        Term::Map(map) => {
            f.write_str("#{")?;
            later.extend([Piece::Text("}"), Piece::Pairs(map.iter(), "")]);
            Ok(())
        }
        Term::List(list) => {
            if let Some(text) = printable_list(list.view()) {
                return write_string(f, &text);
            }
            f.write_str("[")?;
            later.push(Piece::Text("]"));
            match list.view() {
                View::Cell(head, tail) => {
                    later.extend([Piece::Rest(tail), Piece::Term(head)]);
                    Ok(())
                }
                View::Bytes(bytes) => write_numbers(f, bytes),
            }
        }
    }
}

fn write_rest<'a>(
    f: &mut Formatter<'_>,
    rest: &'a Term,
    later: &mut Vec<Piece<'a>>,
) -> fmt::Result {
    match rest {
        Term::Nil => Ok(()),
        Term::List(list) => {
            f.write_str(",")?;
            match list.view() {
                View::Cell(head, tail) => later.extend([Piece::Rest(tail), Piece::Term(head)]),
                View::Bytes(bytes) => write_numbers(f, bytes)?,
            }
            Ok(())
        }
        tail => {
            f.write_str("|")?;
            later.push(Piece::Term(tail));
            Ok(())
        }
    }
}

fn write_numbers(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    for (place, byte) in bytes.iter().enumerate() {
        let separator = if place == 0 { "" } else { "," };
        write!(f, "{separator}{byte}")?;
    }
    Ok(())
}

impl Display for Atom {
    /// With quotes where Erlang needs them.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = self.as_str();
        if needs_no_quotes(name) {
            return f.write_str(name);
        }
        f.write_char('\'')?;
        name.chars().try_for_each(|c| write_char(f, c, '\''))?;
        f.write_char('\'')
    }
}

fn needs_no_quotes(name: &str) -> bool {
    let mut chars = name.chars();
    let lower = |c: char| c.is_ascii_lowercase() || ('ß'..='ÿ').contains(&c) && c != '÷';
    let upper = |c: char| c.is_ascii_uppercase() || ('À'..='Þ').contains(&c) && c != '×';
    let inside = |c: char| lower(c) || upper(c) || c.is_ascii_digit() || c == '_' || c == '@';
    chars.next().is_some_and(lower) && chars.all(inside) && !RESERVED.contains(&name)
}

/// Words of the language, which as atoms need quotes.
pub(super) const RESERVED: [&str; 27] = [
    "after", "and", "andalso", "band", "begin", "bnot", "bor", "bsl", "bsr", "bxor", "case",
    "catch", "cond", "div", "end", "fun", "if", "let", "not", "of", "or", "orelse", "receive",
    "rem", "try", "when", "xor",
];

/// One character inside quotes.
fn write_char(f: &mut Formatter<'_>, c: char, quote: char) -> fmt::Result {
    match c {
        '\\' => f.write_str("\\\\"),
        c if c == quote => write!(f, "\\{c}"),
        '\n' => f.write_str("\\n"),
        '\t' => f.write_str("\\t"),
        '\r' => f.write_str("\\r"),
        '\u{8}' => f.write_str("\\b"),
        '\u{b}' => f.write_str("\\v"),
        '\u{c}' => f.write_str("\\f"),
        '\u{1b}' => f.write_str("\\e"),
        '\u{7f}' => f.write_str("\\d"),
        c if u32::from(c) < 32 || ('\u{80}'..'\u{a0}').contains(&c) => {
            write!(f, "\\{:03o}", u32::from(c))
        }
        c => f.write_char(c),
    }
}

fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{ff}' | '\n' | '\r' | '\t' | '\u{b}' | '\u{8}' | '\u{c}' | '\u{1b}')
}

/// The text of a proper list of printable characters.
fn printable_list(mut view: View<'_>) -> Option<String> {
    let mut text = String::new();
    loop {
        match view {
            View::Bytes(bytes) => {
                for byte in bytes {
                    text.push(Some(char::from(*byte)).filter(|c| is_printable(*c))?);
                }
                return Some(text);
            }
            View::Cell(head, tail) => {
                let point = char::from(u8::try_from(head.as_int()?).ok()?);
                text.push(Some(point).filter(|c| is_printable(*c))?);
                match tail {
                    Term::Nil => return Some(text),
                    Term::List(list) => view = list.view(),
                    _ => return None,
                }
            }
        }
    }
}

fn write_string(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    text.chars().try_for_each(|c| write_char(f, c, '"'))?;
    f.write_char('"')
}

fn write_binary(f: &mut Formatter<'_>, binary: &Binary) -> fmt::Result {
    f.write_str("<<")?;
    if !binary.is_empty() {
        let latin1 = |byte: &u8| Some(char::from(*byte)).filter(|c| is_printable(*c));
        match std::str::from_utf8(binary) {
            Ok(text) if text.chars().all(is_printable) => {
                write_string(f, text)?;
                if !text.is_ascii() {
                    f.write_str("/utf8")?;
                }
            }
            Ok(_) => write_numbers(f, binary)?,
            Err(_) => match binary.iter().map(latin1).collect::<Option<String>>() {
                Some(text) => write_string(f, &text)?,
                None => write_numbers(f, binary)?,
            },
        }
    }
    f.write_str(">>")
}

fn write_bitstring(f: &mut Formatter<'_>, bits: &Bitstring) -> fmt::Result {
    let Some((last, whole)) = bits.bytes().split_last() else {
        return f.write_str("<<>>");
    };
    f.write_str("<<")?;
    write_numbers(f, whole)?;
    let separator = if whole.is_empty() { "" } else { "," };
    let value = last >> (8 - bits.last_bits());
    write!(f, "{separator}{value}:{}>>", bits.last_bits())
}

fn write_fun(f: &mut Formatter<'_>, fun: &Fun) -> fmt::Result {
    match fun.downcast_ref::<ExternalFun>() {
        Some(external) if external.export.is_some() => write!(f, "fun {}", external.name),
        _ => write!(f, "#Fun<{}>", fun.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::{Binary, FunObject};

    /// What `io:format("~0tp")` of OTP 25 was seen to print.
    #[test]
    fn terms_look_as_in_erlang() {
        for (term, text) in [
            (Term::atom("maybe"), "maybe"),
            (Term::atom("let"), "'let'"),
            (Term::atom("aÖ"), "aÖ"),
            (Term::atom("÷"), "'÷'"),
            (Term::atom("aπ"), "'aπ'"),
            (Term::atom("_a"), "'_a'"),
            (Term::atom("\u{7f}"), r"'\d'"),
            (Term::atom("x\u{0}1"), r"'x\0001'"),
            (Term::atom("\u{9f}"), r"'\237'"),
            (
                Term::charlist("\t\r\u{b}\u{c}\u{8}\u{1b}\"'\\"),
                r#""\t\r\v\f\b\e\"'\\""#,
            ),
            (Term::charlist("\u{7f}"), "[127]"),
            (Term::charlist("aπ"), "[97,960]"),
            (Term::improper(vec![97.into()], Term::atom("b")), "[97|b]"),
            (Term::cons(1.into(), Term::charlist("ab")), "[1,97,98]"),
            (Term::bytes_list(Binary::from(&[1, 97])), "[1,97]"),
            (Term::Binary(Binary::from(&[246])), "<<\"ö\">>"),
            (Term::from("ö"), "<<\"ö\"/utf8>>"),
            (Term::from("π"), "<<207,128>>"),
            (Term::Binary(Binary::from(&[195, 182, 246])), "<<\"Ã¶ö\">>"),
            (
                Term::Binary(Binary::from(&[224, 168, 160])),
                "<<224,168,160>>",
            ),
            (Term::from(""), "<<>>"),
            (Term::tuple([]), "{}"),
            (
                Term::list(vec![Term::Nil, Term::charlist("a")]),
                "[[],\"a\"]",
            ),
        ] {
            assert_eq!(term.to_string(), text);
            assert_eq!(format!("{term:?}"), text);
        }
    }

    #[test]
    fn funs_show_their_name() {
        #[derive(Debug)]
        struct Named;
        impl FunObject for Named {
            fn arity(&self) -> usize {
                1
            }
            fn name(&self) -> String {
                "there.7/1".into()
            }
        }
        assert_eq!(Term::Fun(Fun::new(Named)).to_string(), "#Fun<there.7/1>");
    }

    #[test]
    fn deep_terms_need_no_stack() {
        let levels = if cfg!(miri) { 1_000 } else { 200_000 };
        let deep = (0..levels).fold(Term::Nil, |inner, _| Term::tuple([inner]));
        assert_eq!(deep.to_string().len(), 2 * levels + 2);
    }
}

//! Erlang text into terms: everything that [`Display`](std::fmt::Display) prints, and how else a
//! person would write a term.
//!
//! Reads one term, with comments and a final full stop allowed. No variables, no expressions.
//! Nested terms are read with a list of their own, not by recursion, and to a bounded depth.
#![forbid(unsafe_code)]

use super::external_fun::export;
use super::scan::{Fault, Scanner};
use super::{Atom, Map, Pid, PortId, Reference, Term};
use std::fmt;

/// Why text is not a term, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub reason: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.line, self.column, self.reason
        )
    }
}

impl std::error::Error for ParseError {}

/// How many brackets may be open within each other.
const DEPTH_MAX: usize = 10_000;

/// Reads one term.
///
/// ```
/// use wharf::term::text::parse;
/// let term = parse("{ok, [1, 2.5 | rest]}. % a comment").unwrap();
/// assert_eq!(term.to_string(), "{ok,[1,2.5|rest]}");
/// assert_eq!(parse("{ok,\n ]").unwrap_err().to_string(), "line 2, column 2: expected a term, found `]`");
/// ```
pub fn parse(text: &str) -> Result<Term, ParseError> {
    read_all(&mut Scanner::new(text), text)
}

/// Reads what `scanner` has, which is `text`.
pub(super) fn read_all(scanner: &mut Scanner<'_>, text: &str) -> Result<Term, ParseError> {
    read(scanner).map_err(|fault| {
        let before = text.get(..fault.at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ParseError {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            reason: fault.reason,
        }
    })
}

fn read(scanner: &mut Scanner<'_>) -> Result<Term, Fault> {
    let term = read_term(scanner)?;
    scanner.skip_space();
    if scanner.eat(".") {
        scanner.skip_space();
    }
    if scanner.peek().is_some() {
        return Err(scanner.unexpected("the end"));
    }
    Ok(term)
}

/// An open bracket. Its elements wait on the stack of values, from `start` on.
struct Frame {
    kind: Kind,
    start: usize,
    /// Where it was opened, for the error about a missing end.
    at: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Tuple,
    List,
    /// A list of which the `|` was read.
    ListTail,
    Map,
}

impl Kind {
    fn end(self) -> &'static str {
        if matches!(self, Kind::List | Kind::ListTail) {
            "]"
        } else {
            "}"
        }
    }
}

fn read_term(scanner: &mut Scanner<'_>) -> Result<Term, Fault> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut values: Vec<Term> = Vec::new();
    loop {
        scanner.skip_space();
        if let Some(kind) = opened(scanner) {
            if frames.len() >= DEPTH_MAX {
                return Err(
                    scanner.fault(format!("more than {DEPTH_MAX} brackets within each other"))
                );
            }
            let at = scanner.at();
            scanner.eat(if kind == Kind::Map {
                "#{"
            } else if kind == Kind::Tuple {
                "{"
            } else {
                "["
            });
            frames.push(Frame {
                kind,
                start: values.len(),
                at,
            });
            scanner.skip_space();
            if !scanner.eat(kind.end()) {
                continue;
            }
            close(&mut frames, &mut values);
        } else {
            values.push(read_leaf(scanner)?);
        }
        // A value is there; what follows decides about the brackets around it.
        loop {
            scanner.skip_space();
            let Some(frame) = frames.last_mut() else {
                return values.pop().ok_or_else(|| scanner.unexpected("a term"));
            };
            if scanner.peek().is_none() {
                return Err(Fault {
                    at: frame.at,
                    reason: format!("`{}` is missing for this bracket", frame.kind.end()),
                });
            }
            let is_key = frame.kind == Kind::Map && (values.len() - frame.start) % 2 == 1;
            if is_key {
                let between = scanner.eat("=>") || (scanner.reads_pattern() && scanner.eat(":="));
                if !between {
                    return Err(scanner.unexpected("`=>`"));
                }
                break;
            }
            if frame.kind != Kind::ListTail && scanner.eat(",") {
                break;
            }
            if frame.kind == Kind::List && scanner.eat("|") {
                frame.kind = Kind::ListTail;
                break;
            }
            if !scanner.eat(frame.kind.end()) {
                return Err(scanner.unexpected(match frame.kind {
                    Kind::ListTail => "`]`",
                    Kind::List => "`,`, `|` or `]`",
                    Kind::Tuple | Kind::Map => "`,` or `}`",
                }));
            }
            close(&mut frames, &mut values);
        }
    }
}

fn opened(scanner: &Scanner<'_>) -> Option<Kind> {
    if scanner.starts_with("#{") {
        return Some(Kind::Map);
    }
    match scanner.peek()? {
        '{' => Some(Kind::Tuple),
        '[' => Some(Kind::List),
        _ => None,
    }
}

/// Replaces the elements of the innermost bracket by the term that they make.
fn close(frames: &mut Vec<Frame>, values: &mut Vec<Term>) {
    let Some(Frame { kind, start, .. }) = frames.pop() else {
        return;
    };
    let term = match kind {
        Kind::Tuple => Term::Tuple(values.drain(start..).collect()),
        Kind::List => Term::list(values.split_off(start)),
        Kind::ListTail => {
            let tail = values.pop().unwrap_or(Term::Nil);
            Term::improper(values.split_off(start), tail)
        }
        Kind::Map => {
            let mut parts = values.drain(start..);
            Term::Map(std::iter::from_fn(|| Some((parts.next()?, parts.next()?))).collect::<Map>())
        }
    };
    values.push(term);
}

/// Reads a term without brackets.
fn read_leaf(scanner: &mut Scanner<'_>) -> Result<Term, Fault> {
    let Some(first) = scanner.peek() else {
        return Err(scanner.unexpected("a term"));
    };
    match first {
        '0'..='9' | '-' | '+' => scanner.number(),
        '$' => scanner.character(),
        '"' => read_string(scanner),
        '\'' => scanner.quoted('\'').and_then(|name| atom(scanner, &name)),
        '<' if scanner.starts_with("<<") => scanner.binary(),
        '<' => read_pid(scanner),
        '#' => read_hash(scanner),
        _ if scanner.at_word() => read_word(scanner),
        _ => Err(scanner.unexpected("a term")),
    }
}

/// One string, or several with only space between them, which are one.
fn read_string(scanner: &mut Scanner<'_>) -> Result<Term, Fault> {
    let mut text = scanner.quoted('"')?;
    loop {
        scanner.skip_space();
        if scanner.peek() != Some('"') {
            return Ok(Term::charlist(&text));
        }
        text.push_str(&scanner.quoted('"')?);
    }
}

fn atom(scanner: &Scanner<'_>, name: &str) -> Result<Term, Fault> {
    Atom::try_new(name)
        .map(Term::Atom)
        .map_err(|error| scanner.fault(error.to_string()))
}

fn read_word(scanner: &mut Scanner<'_>) -> Result<Term, Fault> {
    let at = scanner.at();
    let word = scanner.word();
    if word == "fun" {
        return read_export(scanner);
    }
    if word.starts_with(|c: char| c == '_' || c.is_uppercase()) {
        if let Some(variable) = scanner.variable(word, None) {
            return Ok(variable);
        }
        return Err(Fault {
            at,
            reason: format!("`{word}` is a variable, not a term"),
        });
    }
    if super::display::RESERVED.contains(&word) {
        return Err(Fault {
            at,
            reason: format!("`{word}` is a word of the language; as an atom it is '{word}'"),
        });
    }
    Atom::try_new(word).map(Term::Atom).map_err(|error| Fault {
        at,
        reason: error.to_string(),
    })
}

/// The rest of `fun module:function/arity`.
fn read_export(scanner: &mut Scanner<'_>) -> Result<Term, Fault> {
    let mut name = |end: &str| {
        scanner.skip_space();
        let name = match scanner.peek() {
            Some('\'') => scanner.quoted('\'')?,
            _ => scanner.word().to_owned(),
        };
        if name.is_empty() || !scanner.eat(end) {
            return Err(scanner.unexpected("module:function/arity"));
        }
        Atom::try_new(&name).map_err(|error| scanner.fault(error.to_string()))
    };
    let (module, function) = (name(":")?, name("/")?);
    let arity = scanner.decimal()?;
    match u8::try_from(arity) {
        Ok(arity) => Ok(export(module, function, arity)),
        Err(_) => Err(scanner.fault("a fun has at most 255 arguments")),
    }
}

fn read_pid(scanner: &mut Scanner<'_>) -> Result<Term, Fault> {
    let at = scanner.at();
    scanner.eat("<");
    match scanner.dotted()?[..] {
        [0, number, 0] => Ok(Term::Pid(Pid::from_number(number))),
        _ => Err(Fault {
            at,
            reason: "a pid is written <0.N.0>".into(),
        }),
    }
}

/// What begins with `#` and is not a map.
fn read_hash(scanner: &mut Scanner<'_>) -> Result<Term, Fault> {
    let at = scanner.at();
    let fault = |reason: &str| Fault {
        at,
        reason: reason.into(),
    };
    if scanner.eat("#Port<") {
        return match scanner.dotted()?[..] {
            [0, number] => Ok(Term::Port(PortId::from_number(number))),
            _ => Err(fault("a port is written #Port<0.N>")),
        };
    }
    if scanner.eat("#Ref<") {
        let reference = match scanner.dotted()?[..] {
            [0, high, middle, low] => {
                let words = [low, middle, high].map(|word| u32::try_from(word).unwrap_or(u32::MAX));
                Reference::from_words(words)
                    .filter(|reference| reference.words().map(u64::from) == [low, middle, high])
            }
            _ => None,
        };
        return reference
            .map(Term::Reference)
            .ok_or_else(|| fault("a reference is written #Ref<0.A.B.C>"));
    }
    if scanner.starts_with("#Fun<") {
        return Err(fault("a fun cannot be read back from its text"));
    }
    Err(fault("expected #{...}, #Port<...> or #Ref<...>"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::{Binary, Bitstring};
    use num_bigint::BigInt;

    fn term(text: &str) -> Term {
        match parse(text) {
            Ok(term) => term,
            Err(error) => panic!("{text}: {error}"),
        }
    }

    fn error(text: &str) -> String {
        match parse(text) {
            Ok(term) => panic!("{text} is {term}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_printed_is_read_back() {
        for text in [
            "ok",
            "'EXIT'",
            "''",
            "'a b'",
            r"'\''",
            r"'\n'",
            "ö",
            "'π'",
            "a@b_1",
            "[]",
            "{}",
            "#{}",
            "{ok,[1,2|3]}",
            "\"abc\"",
            r#""a\"b\\\n""#,
            "<<>>",
            "<<\"abc\">>",
            "<<1,2>>",
            "<<1:3>>",
            "<<97,1:3>>",
            "<<\"ö\"/utf8>>",
            "1.0",
            "-1.0e-5",
            "123456789012345678901234567890",
            "-1",
            "#{1 => 2,a => \"b\"}",
            "#Port<0.5>",
            "<0.5.0>",
            "#Ref<0.1.2.3>",
            "fun lists:map/2",
            "fun 'A':'b c'/0",
            "{data,{eol,<<\"x\">>}}",
        ] {
            assert_eq!(term(text).to_string(), text);
        }
    }

    #[test]
    fn what_people_write_is_read_too() {
        assert_eq!(
            term(" { a ,\n% comment }\n b } . "),
            Term::tuple([Term::atom("a"), Term::atom("b")])
        );
        assert_eq!(term("16#ff"), Term::Int(255));
        assert_eq!(term("-2#101"), Term::Int(-5));
        assert_eq!(term("36#Zz"), Term::Int(35 * 36 + 35));
        assert_eq!(term("1_000_000"), Term::Int(1_000_000));
        assert_eq!(term("+7"), Term::Int(7));
        assert_eq!(term("-9223372036854775808"), Term::Int(i64::MIN));
        assert_eq!(
            term("9223372036854775808"),
            Term::integer(BigInt::from(1) << 63)
        );
        assert_eq!(term("2.5E+3"), Term::Float(2500.0));
        assert_eq!(
            term("[$a,$\\n,$\\s,$ ,$\\x41,$\\x{3C0},$\\101,$\\^A,$π]")
                .to_list_vec()
                .map(|l| l.len()),
            Some(9)
        );
        assert_eq!(term("[$\\x41,$\\101,$\\s,$ ]"), Term::charlist("AA  "));
        assert_eq!(term("\"ab\" \"cd\""), Term::charlist("abcd"));
        assert_eq!(term("\"a\\x{3C0}\\d\""), Term::charlist("aπ\x7F"));
        assert_eq!(term("<<\"a\", 98, 0>>"), Term::Binary(Binary::from("ab\0")));
        assert_eq!(term("<<\"ö\">>"), Term::Binary(Binary::from(&[246])));
        assert_eq!(
            term("<<-1, 258, 1:16, 960/utf8>>"),
            Term::Binary(Binary::from(&[255, 2, 0, 1, 207, 128]))
        );
        assert_eq!(
            term("<<5:4, 6:4, 1:1>>"),
            Bitstring::term(Binary::from(&[0x56, 0x80]), 1).expect("bits")
        );
        assert_eq!(term("#{a => 1, a => 2}"), term("#{a => 2}"));
        assert_eq!(term("[1,2|[3]]"), term("[1,2,3]"));
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, expected) in [
            ("", "line 1, column 1: expected a term, found the end"),
            (
                "{a,\n  b",
                "line 1, column 1: `}` is missing for this bracket",
            ),
            ("{a b}", "line 1, column 4: expected `,` or `}`, found `b`"),
            ("[a|b,c]", "line 1, column 5: expected `]`, found `,`"),
            ("#{a,b}", "line 1, column 4: expected `=>`, found `,`"),
            ("ok ok", "line 1, column 4: expected the end, found `o`"),
            (
                "{ö,\n ö, Var}",
                "line 2, column 5: `Var` is a variable, not a term",
            ),
            (
                "[fine, end]",
                "line 1, column 8: `end` is a word of the language; as an atom it is 'end'",
            ),
            ("\"abc", "line 1, column 1: the closing `\"` is missing"),
            ("'abc", "line 1, column 1: the closing `'` is missing"),
            (
                "\"a\\x{110000}\"",
                "line 1, column 3: no character has this number",
            ),
            ("37#1", "line 1, column 1: the base of a number is 2 to 36"),
            ("2#12", "line 1, column 4: expected the end, found `2`"),
            (
                "1.0e999",
                "line 1, column 1: a float of this size does not exist",
            ),
            (
                "<<1",
                "line 1, column 4: expected `,` or `>>`, found the end",
            ),
            (
                "<<256:99999999>>",
                "line 1, column 7: at most 65536 bits in one segment",
            ),
            ("<<1/float>>", "line 1, column 5: only /utf8 is known here"),
            (
                "#Fun<a.b>",
                "line 1, column 1: a fun cannot be read back from its text",
            ),
            (
                "#Port<1.5>",
                "line 1, column 1: a port is written #Port<0.N>",
            ),
            ("<0.5>", "line 1, column 1: a pid is written <0.N.0>"),
            (
                "#Ref<0.99999.0.262144>",
                "line 1, column 1: a reference is written #Ref<0.A.B.C>",
            ),
            ("$", "line 1, column 2: expected a character, found the end"),
        ] {
            assert_eq!(error(text), expected, "{text}");
        }
        assert!(error(&"a".repeat(256)).contains("255 characters"));
    }

    #[test]
    fn depth_is_bounded_but_not_by_the_stack() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(term(&nested(DEPTH_MAX)).to_string(), nested(DEPTH_MAX));
        assert!(error(&nested(DEPTH_MAX + 1)).contains("brackets within each other"));
        assert!(error(&"{[".repeat(1_000_000)).contains("brackets within each other"));
    }
}

//! Literals with an inside: strings, charlists, quoted atoms, sigils, heredocs; and numbers and characters.
//!
//! Promises Elixir's escapes (`\n`, `\xHH` as a byte, `\uHHHH`), interpolation, and heredocs without the indentation of
//! their closing quotes.
#![forbid(unsafe_code)]

use super::{Parsed, Reader, SyntaxError};
use crate::lang::ast::{Expr, Kind, Piece, Quoted};
use num_bigint::BigInt;
use tree_sitter::Node;
use wharf::term::{Binary, Term};

/// `1_000`, `0xFF`, `0o17`, `0b101`.
pub(super) fn integer(text: &str) -> Term {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let (digits, radix) = match digits.get(..2) {
        Some("0x") => (&digits[2..], 16),
        Some("0o") => (&digits[2..], 8),
        Some("0b") => (&digits[2..], 2),
        _ => (&digits[..], 10),
    };
    Term::integer(BigInt::parse_bytes(digits.as_bytes(), radix).unwrap_or_default())
}

pub(super) fn float(text: &str) -> Option<Term> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    digits
        .parse::<f64>()
        .ok()
        .filter(|value| value.is_finite())
        .map(Term::Float)
}

/// `?a`, `?\n`.
pub(super) fn character(text: &str) -> Term {
    let mut chars = text.chars().skip(1);
    let code = match chars.next() {
        Some('\\') => match chars.next() {
            Some(escaped) => simple_escape(escaped).map_or(u32::from(escaped), u32::from),
            None => u32::from('\\'),
        },
        Some(c) => u32::from(c),
        None => 0,
    };
    Term::from(code)
}

/// The byte that a one-letter escape stands for.
fn simple_escape(letter: char) -> Option<u8> {
    Some(match letter {
        '0' => 0,
        'a' => 7,
        'b' => 8,
        't' => 9,
        'n' => 10,
        'v' => 11,
        'f' => 12,
        'r' => 13,
        'e' => 27,
        's' => 32,
        'd' => 127,
        _ => return None,
    })
}

/// Which escapes mean something.
#[derive(Clone, Copy, PartialEq)]
enum Escapes {
    All,
    /// Upper-case sigils: only the terminator.
    Terminator,
}

impl Reader<'_> {
    /// Strings, charlists, quoted atoms and quoted keywords.
    pub(super) fn quoted(&mut self, node: Node) -> Parsed<Kind> {
        let pieces = self.pieces(node, Escapes::All)?;
        let sort = match node.kind() {
            "charlist" => Quoted::Charlist,
            "quoted_atom" => Quoted::Atom,
            _ => Quoted::String,
        };
        self.settle(node, sort, pieces)
    }

    /// A literal when nothing is interpolated.
    fn settle(&self, node: Node, sort: Quoted, mut pieces: Vec<Piece>) -> Parsed<Kind> {
        let bytes = match pieces.as_mut_slice() {
            [] => Vec::new(),
            [Piece::Bytes(bytes)] => std::mem::take(bytes),
            _ => return Ok(Kind::Quoted(sort, pieces)),
        };
        Ok(match sort {
            Quoted::String => Kind::Literal(Term::from(Binary::from(bytes))),
            Quoted::Charlist => Kind::Literal(charlist(&bytes)),
            Quoted::Atom => {
                let name = String::from_utf8(bytes)
                    .map_err(|_| SyntaxError::wrong(self.at(node), "invalid encoding in atom"))?;
                Kind::Literal(Term::Atom(self.atom(self.at(node), &name)?))
            }
            Quoted::Words(sort) => Kind::Literal(words(&bytes, sort)),
        })
    }

    pub(super) fn sigil(&mut self, node: Node) -> Parsed<Kind> {
        let at = self.at(node);
        let children = self.children(node);
        let text_of = |kind: &str| {
            children
                .iter()
                .find(|child| child.kind() == kind)
                .map(|child| self.text(*child))
        };
        let name = text_of("sigil_name").unwrap_or("");
        let modifiers = text_of("sigil_modifiers").unwrap_or("");
        let escapes = match name {
            _ if name.starts_with(char::is_uppercase) => Escapes::Terminator,
            _ => Escapes::All,
        };
        let sort = match name {
            "s" | "S" => Quoted::String,
            "c" | "C" => Quoted::Charlist,
            "w" | "W" => match modifiers {
                "" | "s" => Quoted::Words('s'),
                "a" => Quoted::Words('a'),
                "c" => Quoted::Words('c'),
                _ => return Err(SyntaxError::wrong(at, "modifier must be one of: s, a, c")),
            },
            "r" | "R" => {
                return Err(SyntaxError::unsupported(
                    at,
                    &format!("the regular expression sigil `~{name}`"),
                ));
            }
            _ => {
                return Err(SyntaxError::unsupported(
                    at,
                    &format!("the sigil `~{name}`"),
                ));
            }
        };
        let pieces = self.pieces(node, escapes)?;
        self.settle(node, sort, pieces)
    }

    fn pieces(&mut self, node: Node, escapes: Escapes) -> Parsed<Vec<Piece>> {
        let terminator = node
            .child_by_field_name("quoted_end")
            .map(|end| self.text(end))
            .unwrap_or("\"");
        let heredoc = terminator.len() == 3;
        let indent = if heredoc {
            self.field(node, "quoted_end")?.start_position().column
        } else {
            0
        };
        let mut pieces = Vec::new();
        let mut bytes = Vec::new();
        // A heredoc's text begins after the line end that follows the opening quotes.
        let mut first = heredoc;
        let mut line_start = false;
        for child in self.children(node) {
            match child.kind() {
                "quoted_content" => {
                    let mut text = self.text(child);
                    if std::mem::take(&mut first) {
                        text = text.split_once('\n').map_or("", |(_, rest)| rest);
                        line_start = true;
                    }
                    for line in text.split_inclusive('\n') {
                        let indented = heredoc && line_start;
                        let shown = if indented {
                            unindented(line, indent)
                        } else {
                            line
                        };
                        line_start = line.ends_with('\n');
                        // A backslash at the end of a line takes the line end away.
                        let joined = shown
                            .strip_suffix("\\\n")
                            .filter(|_| escapes == Escapes::All);
                        bytes.extend_from_slice(joined.unwrap_or(shown).as_bytes());
                    }
                }
                "escape_sequence" => {
                    let text = self.text(child);
                    line_start = heredoc && text.ends_with('\n');
                    self.escape(child, text, terminator, escapes, &mut bytes)?;
                }
                "interpolation" => {
                    line_start = false;
                    if !bytes.is_empty() {
                        pieces.push(Piece::Bytes(std::mem::take(&mut bytes)));
                    }
                    let at = self.at(child);
                    let body = self.expressions(child)?;
                    pieces.push(Piece::Expr(Expr::new(at, Kind::Block(body))));
                }
                _ => {}
            }
        }
        if !bytes.is_empty() {
            pieces.push(Piece::Bytes(bytes));
        }
        Ok(pieces)
    }

    fn escape(
        &self,
        node: Node,
        text: &str,
        terminator: &str,
        escapes: Escapes,
        bytes: &mut Vec<u8>,
    ) -> Parsed<()> {
        let inside = text.get(1..).unwrap_or("");
        if escapes != Escapes::All {
            bytes.extend_from_slice(if inside == terminator {
                inside.as_bytes()
            } else {
                text.as_bytes()
            });
            return Ok(());
        }
        let mut chars = inside.chars();
        let letter = chars.next().unwrap_or('\\');
        let digits = chars.as_str().trim_start_matches('{').trim_end_matches('}');
        match letter {
            '\n' | '\r' => {}
            'x' | 'u' => {
                let code = u32::from_str_radix(digits, 16).ok();
                let code =
                    code.ok_or_else(|| SyntaxError::wrong(self.at(node), "invalid escape"))?;
                if letter == 'x'
                    && let Ok(byte) = u8::try_from(code)
                {
                    bytes.push(byte);
                    return Ok(());
                }
                let c = char::from_u32(code).ok_or_else(|| {
                    SyntaxError::wrong(
                        self.at(node),
                        format!("invalid or reserved Unicode code point \\u{{{digits}}}"),
                    )
                })?;
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => match simple_escape(letter) {
                Some(byte) => bytes.push(byte),
                None => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            },
        }
        Ok(())
    }
}

/// A charlist of this text: code points, or the bytes where they are no text.
pub(crate) fn charlist(bytes: &[u8]) -> Term {
    match std::str::from_utf8(bytes) {
        Ok(text) => Term::charlist(text),
        Err(_) => Term::list(
            bytes
                .iter()
                .map(|byte| Term::from(i64::from(*byte)))
                .collect(),
        ),
    }
}

/// What `~w` makes of its text; `sort` is its modifier.
pub(crate) fn words(bytes: &[u8], sort: char) -> Term {
    let text = String::from_utf8_lossy(bytes);
    let word = |word: &str| match sort {
        'a' => Term::atom(word),
        'c' => charlist(word.as_bytes()),
        _ => Term::from(word),
    };
    Term::list(text.split_whitespace().map(word).collect())
}

/// The line without up to `indent` blanks at its start.
fn unindented(line: &str, indent: usize) -> &str {
    let blanks = line
        .bytes()
        .take(indent)
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    &line[blanks..]
}

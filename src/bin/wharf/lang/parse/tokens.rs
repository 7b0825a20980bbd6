//! A look at brackets, quotes and `do … end` alone, for texts that the grammar cannot read.
//!
//! Promises to tell a text that stops too early (a prompt then asks for more) from one that closes what it did not open.
#![forbid(unsafe_code)]

use super::{Fault, SyntaxError};
use crate::lang::ast::At;

/// Something open.
struct Open {
    text: String,
    at: At,
}

/// What the text's first imbalance is, if it has one.
pub(super) fn imbalance(source: &str, line: u32) -> Option<SyntaxError> {
    let mut scan = Scan {
        chars: source.chars().collect(),
        position: 0,
        at: At { line, column: 1 },
        open: Vec::new(),
        trailing: false,
        last: At { line, column: 1 },
    };
    scan.run().err()
}

struct Scan {
    chars: Vec<char>,
    position: usize,
    at: At,
    open: Vec<Open>,
    /// The last token was an operator or a comma: something must follow.
    trailing: bool,
    /// Where the last token ended.
    last: At,
}

type Scanned = Result<(), SyntaxError>;

fn closer(open: &str) -> &str {
    match open {
        "(" => ")",
        "[" => "]",
        "{" | "#{" => "}",
        "<<" => ">>",
        _ => "end",
    }
}

impl Scan {
    fn peek(&self, ahead: usize) -> char {
        self.chars
            .get(self.position + ahead)
            .copied()
            .unwrap_or('\0')
    }

    fn looking_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.peek(i) == c)
    }

    fn step(&mut self) -> char {
        let c = self.peek(0);
        self.position += 1;
        if c == '\n' {
            self.at = At {
                line: self.at.line + 1,
                column: 1,
            };
        } else {
            self.at.column += 1;
        }
        c
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.step();
        }
    }

    fn ended(&self) -> bool {
        self.position >= self.chars.len()
    }

    fn run(&mut self) -> Scanned {
        self.code(0)?;
        if let Some(open) = self.open.last() {
            let reason = format!(
                "missing terminator: {} (for \"{}\" starting at line {})",
                closer(&open.text),
                open.text,
                open.at.line
            );
            return Err(SyntaxError {
                at: self.at,
                reason,
                sort: Fault::Incomplete,
            });
        }
        if self.trailing {
            let reason = "syntax error: expression is incomplete".to_owned();
            return Err(SyntaxError {
                at: self.last,
                reason,
                sort: Fault::Incomplete,
            });
        }
        Ok(())
    }

    /// Code until the text ends, or until the interpolation that began at this depth of brackets does.
    fn code(&mut self, floor: usize) -> Scanned {
        while !self.ended() {
            let at = self.at;
            let c = self.peek(0);
            let trailing = std::mem::take(&mut self.trailing);
            match c {
                ' ' | '\t' | '\n' | '\r' => {
                    self.trailing = trailing;
                    self.step();
                }
                '#' => {
                    self.trailing = trailing;
                    while !self.ended() && self.peek(0) != '\n' {
                        self.step();
                    }
                }
                '"' | '\'' => self.quoted(at)?,
                '?' => {
                    self.skip(if self.peek(1) == '\\' { 3 } else { 2 });
                }
                '~' if self.peek(1).is_ascii_alphabetic() => self.sigil(at)?,
                ':' if matches!(self.peek(1), '"' | '\'') => {
                    self.step();
                }
                ':' if self.peek(1).is_alphabetic() || self.peek(1) == '_' => {
                    self.step();
                    self.word();
                }
                '(' | '[' | '{' => {
                    self.step();
                    self.open.push(Open {
                        text: c.to_string(),
                        at,
                    });
                }
                '<' if self.looking_at("<<") && !matches!(self.peek(2), '<' | '~') => {
                    self.skip(2);
                    self.open.push(Open {
                        text: "<<".to_owned(),
                        at,
                    });
                }
                '>' if self.looking_at(">>")
                    && self.peek(2) != '>'
                    && self.open.last().is_some_and(|open| open.text == "<<") =>
                {
                    self.skip(2);
                    self.open.pop();
                }
                ')' | ']' | '}' => {
                    self.step();
                    self.close(&c.to_string(), at)?;
                    if self.open.len() < floor {
                        return Ok(());
                    }
                }
                _ if c.is_alphabetic() || c == '_' => self.name(at)?,
                _ if c.is_ascii_digit() => {
                    self.word();
                }
                _ => {
                    self.step();
                    self.trailing = !matches!(c, ';' | '&' | '@' | '!' | '^');
                    self.last = self.at;
                }
            }
        }
        Ok(())
    }

    fn close(&mut self, text: &str, at: At) -> Scanned {
        let sort = Fault::Wrong;
        let what = if text == "end" {
            "unexpected reserved word"
        } else {
            "unexpected token"
        };
        match self.open.pop() {
            Some(open) if closer(&open.text) == text => Ok(()),
            Some(open) => {
                let reason = format!(
                    "{what}: {text}. The \"{}\" at line {} is missing terminator \"{}\"",
                    open.text,
                    open.at.line,
                    closer(&open.text)
                );
                Err(SyntaxError { at, reason, sort })
            }
            None => Err(SyntaxError {
                at,
                reason: format!("{what}: {text}"),
                sort,
            }),
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while self.peek(0).is_alphanumeric() || matches!(self.peek(0), '_' | '@') {
            word.push(self.step());
        }
        if matches!(self.peek(0), '?' | '!') && self.peek(1) != '=' {
            word.push(self.step());
        }
        word
    }

    fn name(&mut self, at: At) -> Scanned {
        let after_dot = self.position > 0 && self.chars[self.position - 1] == '.';
        let word = self.word();
        let key = self.peek(0) == ':' && self.peek(1) != ':';
        if key {
            self.step();
        }
        if key || after_dot {
            return Ok(());
        }
        match word.as_str() {
            "do" | "fn" => self.open.push(Open { text: word, at }),
            "end" => return self.close("end", at),
            "and" | "or" | "not" | "in" | "when" => {
                self.trailing = true;
                self.last = self.at;
            }
            _ => {}
        }
        Ok(())
    }

    /// A string or charlist, or a heredoc of either.
    fn quoted(&mut self, at: At) -> Scanned {
        let quote = self.peek(0);
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        if self.looking_at(&triple) {
            self.skip(3);
            return self.until(&triple, "heredoc", at, true);
        }
        self.step();
        self.until(
            &quote.to_string(),
            if quote == '"' { "string" } else { "charlist" },
            at,
            true,
        )
    }

    fn sigil(&mut self, at: At) -> Scanned {
        self.step();
        let interpolates = self.peek(0).is_lowercase();
        self.step();
        let name: String = self.chars[self.position - 2..self.position]
            .iter()
            .collect();
        let open = self.peek(0);
        let close = match open {
            '(' => ")",
            '[' => "]",
            '{' => "}",
            '<' => ">",
            '|' => "|",
            '/' => "/",
            '"' | '\'' => {
                let triple: String = std::iter::repeat_n(open, 3).collect();
                if self.looking_at(&triple) {
                    self.skip(3);
                    return self.until(&triple, "heredoc", at, interpolates);
                }
                if open == '"' { "\"" } else { "'" }
            }
            _ => return Ok(()),
        };
        self.step();
        self.until(close, &format!("sigil {name}{open}"), at, interpolates)
    }

    fn until(&mut self, end: &str, what: &str, at: At, interpolates: bool) -> Scanned {
        while !self.ended() {
            if self.looking_at(end) {
                self.skip(end.chars().count());
                // A quoted key, `"a": 1`, ends in a colon that is no operator.
                if self.peek(0) == ':' && self.peek(1).is_whitespace() {
                    self.step();
                }
                return Ok(());
            }
            if self.peek(0) == '\\' {
                self.skip(2);
            } else if interpolates && self.looking_at("#{") {
                let at = self.at;
                self.skip(2);
                self.open.push(Open {
                    text: "#{".to_owned(),
                    at,
                });
                self.code(self.open.len())?;
            } else {
                self.step();
            }
        }
        let reason = format!(
            "missing terminator: {end} (for {what} starting at line {})",
            at.line
        );
        Err(SyntaxError {
            at: self.at,
            reason,
            sort: Fault::Incomplete,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(source: &str) -> String {
        imbalance(source, 1)
            .map(|error| error.reason)
            .unwrap_or_default()
    }

    #[test]
    fn balanced_texts_pass() {
        for source in [
            "f(1)",
            "<<1, 2::16>>",
            "\"a #{g(\"b\")} )\"",
            "if x, do: 1",
            ":end",
            "?(",
            "~s(a [ b)",
            "x.end",
            "1 <<< 2 >>> 3",
        ] {
            assert_eq!(reason(source), "", "{source}");
        }
    }

    #[test]
    fn missing_ends_are_incomplete() {
        for (source, expected) in [
            (
                "if true do\n  1\n",
                "missing terminator: end (for \"do\" starting at line 1)",
            ),
            (
                "x = (1 + 2\ny = 3",
                "missing terminator: ) (for \"(\" starting at line 1)",
            ),
            (
                "x = \"abc\n",
                "missing terminator: \" (for string starting at line 1)",
            ),
            (
                "\"\"\"\nabc",
                "missing terminator: \"\"\" (for heredoc starting at line 1)",
            ),
            ("x = 1 +", "syntax error: expression is incomplete"),
        ] {
            assert_eq!(reason(source), expected, "{source}");
        }
    }

    #[test]
    fn wrong_ends_are_named() {
        assert_eq!(
            reason("[1, 2}"),
            "unexpected token: }. The \"[\" at line 1 is missing terminator \"]\""
        );
        assert_eq!(reason("end"), "unexpected reserved word: end");
        assert_eq!(reason("1 + )"), "unexpected token: )");
    }
}

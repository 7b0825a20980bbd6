//! The words of Erlang text: space, numbers, quoted text, escapes, binaries.
//!
//! What `text` is made of; everything here reads forward only and in time proportional to what it
//! reads (numbers of any length aside, which are bounded).
#![forbid(unsafe_code)]

use super::pattern::Variable;
use super::{Binary, Bitstring, Reference, Term};
use num_bigint::BigInt;

/// What is wrong, and at which byte of the text.
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) reason: String,
}

/// Text and how far it has been read.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// The variables so far, if the text is a pattern and may have such.
    variables: Option<Vec<Variable>>,
}

/// Reading more digits would take noticeable time.
const DIGITS_MAX: usize = 100_000;
/// More bits than anyone writes as one number.
const SEGMENT_BITS_MAX: u64 = 65_536;

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Scanner<'a> {
        Scanner {
            text,
            at: 0,
            variables: None,
        }
    }

    /// For text with variables.
    pub(super) fn of_pattern(text: &'a str) -> Scanner<'a> {
        Scanner {
            variables: Some(Vec::new()),
            ..Scanner::new(text)
        }
    }

    pub(super) fn reads_pattern(&self) -> bool {
        self.variables.is_some()
    }

    pub(super) fn into_variables(self) -> Vec<Variable> {
        self.variables.unwrap_or_default()
    }

    /// A term that stands for a variable, and is like no other. Nothing where there may be none.
    pub(super) fn variable(&mut self, name: &str, prefix: Option<Binary>) -> Option<Term> {
        let stand_in = Reference::fresh();
        self.variables.as_mut()?.push(Variable {
            name: name.to_owned(),
            stand_in,
            prefix,
        });
        Some(Term::Reference(stand_in))
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    /// Goes over `text` if it is next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let is_next = self.starts_with(text);
        if is_next {
            self.at += text.len();
        }
        is_next
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Goes over the characters that `wanted` accepts, and gives them.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    pub(super) fn skip_space(&mut self) {
        loop {
            self.take_while(|c| c.is_whitespace() || c <= ' ');
            if self.peek() != Some('%') {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    pub(super) fn fault(&self, reason: impl Into<String>) -> Fault {
        Fault {
            at: self.at,
            reason: reason.into(),
        }
    }

    pub(super) fn unexpected(&self, expected: &str) -> Fault {
        match self.peek() {
            Some(c) => self.fault(format!("expected {expected}, found `{c}`")),
            None => self.fault(format!("expected {expected}, found the end")),
        }
    }

    /// Whether an atom without quotes, a variable or a reserved word is next.
    pub(super) fn at_word(&self) -> bool {
        self.peek()
            .is_some_and(|c| is_in_word(c) && !c.is_ascii_digit() && c != '@')
    }

    pub(super) fn word(&mut self) -> &'a str {
        self.take_while(is_in_word)
    }

    /// A number without a sign.
    pub(super) fn decimal(&mut self) -> Result<u64, Fault> {
        let at = self.at;
        let digits = self.take_while(|c| c.is_ascii_digit());
        if digits.is_empty() {
            return Err(self.unexpected("a number"));
        }
        digits.parse().map_err(|_| Fault {
            at,
            reason: "this number is too large".into(),
        })
    }

    /// Numbers with points between them, up to and with the closing `>`.
    pub(super) fn dotted(&mut self) -> Result<Vec<u64>, Fault> {
        let mut numbers = vec![self.decimal()?];
        while self.eat(".") {
            if numbers.len() == 5 {
                return Err(self.unexpected("`>`"));
            }
            numbers.push(self.decimal()?);
        }
        if self.eat(">") {
            Ok(numbers)
        } else {
            Err(self.unexpected("`>`"))
        }
    }

    /// An integer or a float, with a sign or without.
    pub(super) fn number(&mut self) -> Result<Term, Fault> {
        let start = self.at;
        let negative = self.eat("-");
        if !negative {
            self.eat("+");
        }
        let whole = self.digits(10)?;
        if self.starts_with("#") && !self.starts_with("#{") {
            self.eat("#");
            let base = whole.parse().ok().filter(|base| (2..=36).contains(base));
            let base = base.ok_or_else(|| Fault {
                at: start,
                reason: "the base of a number is 2 to 36".into(),
            })?;
            let digits = self.digits(base)?;
            return Ok(integer(&digits, base, negative));
        }
        let fraction_follows = self
            .rest()
            .strip_prefix('.')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if !fraction_follows {
            return Ok(integer(&whole, 10, negative));
        }
        self.eat(".");
        let mut float = format!(
            "{}{whole}.{}",
            if negative { "-" } else { "" },
            self.digits(10)?
        );
        if self.eat("e") || self.eat("E") {
            float.push('e');
            if self.eat("-") {
                float.push('-');
            } else {
                self.eat("+");
            }
            float.push_str(&self.digits(10)?);
        }
        match float.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Term::Float(value)),
            _ => Err(Fault {
                at: start,
                reason: "a float of this size does not exist".into(),
            }),
        }
    }

    /// Digits of a base, with single underscores between them left out.
    fn digits(&mut self, base: u32) -> Result<String, Fault> {
        let at = self.at;
        let mut digits = String::new();
        loop {
            digits.push_str(self.take_while(|c| c.is_digit(base)));
            let another = |rest: &str| rest.starts_with(|c: char| c.is_digit(base));
            let goes_on = !digits.is_empty() && self.rest().strip_prefix('_').is_some_and(another);
            if !goes_on {
                break;
            }
            self.eat("_");
        }
        if digits.is_empty() {
            return Err(self.unexpected("a digit"));
        }
        if digits.len() > DIGITS_MAX {
            return Err(Fault {
                at,
                reason: format!("more than {DIGITS_MAX} digits"),
            });
        }
        Ok(digits)
    }

    /// `$c`, the number of a character.
    pub(super) fn character(&mut self) -> Result<Term, Fault> {
        self.eat("$");
        let c = match self.peek() {
            Some('\\') => self.escape()?,
            Some(c) => {
                self.next();
                c
            }
            None => return Err(self.unexpected("a character")),
        };
        Ok(Term::from(u32::from(c)))
    }

    /// Text between two `quote`s, escapes resolved.
    pub(super) fn quoted(&mut self, quote: char) -> Result<String, Fault> {
        let start = self.at;
        self.next();
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != quote && c != '\\'));
            match self.peek() {
                Some('\\') => text.push(self.escape()?),
                Some(_) => {
                    self.next();
                    return Ok(text);
                }
                None => {
                    return Err(Fault {
                        at: start,
                        reason: format!("the closing `{quote}` is missing"),
                    });
                }
            }
        }
    }

    /// A backslash and what belongs to it.
    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        self.next();
        let number = |digits: &str, base| {
            u32::from_str_radix(digits, base)
                .ok()
                .and_then(char::from_u32)
        };
        let character = match self.peek() {
            None => return Err(self.unexpected("a character")),
            Some('0'..='7') => {
                let len = self
                    .rest()
                    .chars()
                    .take(3)
                    .take_while(|c| c.is_digit(8))
                    .count();
                let digits = &self.rest()[..len];
                self.at += len;
                number(digits, 8)
            }
            Some('x') => {
                self.next();
                let digits = if self.eat("{") {
                    let digits = self.take_while(|c| c.is_ascii_hexdigit());
                    if !self.eat("}") {
                        return Err(self.unexpected("`}`"));
                    }
                    digits
                } else {
                    let len = self
                        .rest()
                        .chars()
                        .take(2)
                        .take_while(char::is_ascii_hexdigit)
                        .count();
                    let digits = &self.rest()[..len];
                    self.at += len;
                    digits
                };
                number(digits, 16)
            }
            Some('^') => {
                self.next();
                match self.next() {
                    Some(c @ '@'..='_') => char::from_u32(u32::from(c) - 64),
                    Some(c @ 'a'..='z') => char::from_u32(u32::from(c) - 96),
                    _ => None,
                }
            }
            Some(c) => {
                self.next();
                Some(match c {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    's' => ' ',
                    'b' => '\u{8}',
                    'v' => '\u{b}',
                    'f' => '\u{c}',
                    'e' => '\u{1b}',
                    'd' => '\u{7f}',
                    other => other,
                })
            }
        };
        character.ok_or_else(|| Fault {
            at: start,
            reason: "no character has this number".into(),
        })
    }

    /// `<<...>>`, of numbers and strings.
    pub(super) fn binary(&mut self) -> Result<Term, Fault> {
        self.eat("<<");
        let mut bits = Bits::default();
        self.skip_space();
        if self.eat(">>") {
            return Ok(bits.into_term());
        }
        loop {
            self.skip_space();
            match self.peek() {
                Some('"') => self.string_segment(&mut bits)?,
                Some('0'..='9' | '-' | '+' | '$') => self.number_segment(&mut bits)?,
                _ if self.reads_pattern() && self.at_word() => return self.rest_segment(bits),
                _ => return Err(self.unexpected("a byte or a string")),
            }
            self.skip_space();
            if self.eat(">>") {
                return Ok(bits.into_term());
            }
            if !self.eat(",") {
                return Err(self.unexpected("`,` or `>>`"));
            }
        }
    }

    /// `Name/binary>>` at the end of a pattern: the bytes after those that were read.
    fn rest_segment(&mut self, before: Bits) -> Result<Term, Fault> {
        let at = self.at;
        let fault = |reason: &str| Fault {
            at,
            reason: reason.into(),
        };
        let name = self.word();
        if !self.eat("/") || !matches!(self.word(), "binary" | "bytes") {
            return Err(fault("the rest of a binary is written Name/binary"));
        }
        let Term::Binary(prefix) = before.into_term() else {
            return Err(fault("the rest of a binary begins at a whole byte"));
        };
        self.skip_space();
        if !self.eat(">>") {
            return Err(self.unexpected("`>>` after the rest of the binary"));
        }
        let variable = self.variable(name, Some(prefix));
        variable.ok_or_else(|| fault("variables belong into patterns only"))
    }

    fn string_segment(&mut self, bits: &mut Bits) -> Result<(), Fault> {
        let text = self.quoted('"')?;
        if self.utf8()? {
            text.bytes().for_each(|byte| bits.push(u64::from(byte), 8));
        } else {
            // As in Erlang, the lowest eight bits of each character.
            text.chars()
                .for_each(|c| bits.push(u64::from(u32::from(c)), 8));
        }
        Ok(())
    }

    fn number_segment(&mut self, bits: &mut Bits) -> Result<(), Fault> {
        let at = self.at;
        let value = if self.peek() == Some('$') {
            self.character()?
        } else {
            self.number()?
        };
        let Some(value) = value.as_int() else {
            return Err(Fault {
                at,
                reason: "only integers of up to 64 bits here".into(),
            });
        };
        if self.eat(":") {
            let at = self.at;
            let size = self.decimal()?;
            if size > SEGMENT_BITS_MAX {
                return Err(Fault {
                    at,
                    reason: format!("at most {SEGMENT_BITS_MAX} bits in one segment"),
                });
            }
            // The upper bits repeat the sign.
            for _ in 64..size {
                bits.push(u64::from(value < 0), 1);
            }
            #[allow(clippy::cast_sign_loss)] // the bits of the number are meant
            bits.push(value as u64, size.min(64));
            return Ok(());
        }
        if self.utf8()? {
            let c = u32::try_from(value).ok().and_then(char::from_u32);
            let c = c.ok_or_else(|| Fault {
                at,
                reason: "no character has this number".into(),
            })?;
            c.encode_utf8(&mut [0; 4])
                .bytes()
                .for_each(|byte| bits.push(u64::from(byte), 8));
        } else {
            #[allow(clippy::cast_sign_loss)] // as in Erlang, the lowest eight bits
            bits.push(value as u64, 8);
        }
        Ok(())
    }

    /// Whether `/utf8` is next, the one type of segment that is known here.
    fn utf8(&mut self) -> Result<bool, Fault> {
        if !self.eat("/") {
            return Ok(false);
        }
        let at = self.at;
        if self.word() == "utf8" {
            Ok(true)
        } else {
            Err(Fault {
                at,
                reason: "only /utf8 is known here".into(),
            })
        }
    }
}

fn is_in_word(c: char) -> bool {
    let latin1_letter = ('À'..='ÿ').contains(&c) && c != '×' && c != '÷';
    c.is_ascii_alphanumeric() || c == '_' || c == '@' || latin1_letter
}

fn integer(digits: &str, base: u32, negative: bool) -> Term {
    if let Ok(value) = i64::from_str_radix(digits, base) {
        return Term::Int(if negative { -value } else { value });
    }
    // All are digits of the base, so there is a number.
    let value = BigInt::parse_bytes(digits.as_bytes(), base).unwrap_or_default();
    Term::integer(if negative { -value } else { value })
}

/// Bits in the order in which they are written.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// How many bits of the last byte are used; 0 if all are.
    used: u8,
}

impl Bits {
    /// Appends the lowest `count` (up to 64) bits of `value`.
    fn push(&mut self, value: u64, count: u64) {
        if self.used == 0 && count == 8 {
            self.bytes.push(value.to_le_bytes()[0]);
            return;
        }
        for place in (0..count).rev() {
            if self.used == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= u8::from(value >> place & 1 == 1) << (7 - self.used);
            }
            self.used = (self.used + 1) % 8;
        }
    }

    fn into_term(self) -> Term {
        let bytes = Binary::from(self.bytes);
        let last_bits = if self.used == 0 { 8 } else { self.used };
        // `last_bits` is 1 to 8, as it has to be.
        Bitstring::term(bytes, last_bits).unwrap_or_default()
    }
}

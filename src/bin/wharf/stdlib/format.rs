//! Erlang's formats: `:io_lib.format("~p ~s~n", [term, text])`.
//!
//! Relies on `Display` of terms for `~p`. Promises one line: a format never breaks lines of its own.
#![forbid(unsafe_code)]

use super::argument::{Answer, big, chardata};
use super::{Entry, convert, table};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use std::fmt::Write;
use wharf::term::Term;

/// One directive: `~F.P.PadC`.
struct Directive {
    width: Option<i64>,
    precision: Option<i64>,
    pad: char,
    unicode: bool,
}

/// The text of a format and its values; `:badarg` when they do not fit.
pub(crate) fn format(format: &Term, values: &Term) -> Result<String, Throw> {
    let wrong = || Throw::badarg(None);
    let text = match format {
        Term::Atom(name) => name.as_str().to_owned(),
        _ => String::from_utf8_lossy(&chardata(format).map_err(|_| wrong())?).into_owned(),
    };
    let mut values = values.to_list_vec().ok_or_else(wrong)?.into_iter();
    let mut output = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '~' {
            output.push(character);
            continue;
        }
        let mut directive = Directive {
            width: None,
            precision: None,
            pad: ' ',
            unicode: false,
        };
        directive.width = number(&mut characters, &mut values).ok_or_else(wrong)?;
        if characters.next_if_eq(&'.').is_some() {
            directive.precision = number(&mut characters, &mut values).ok_or_else(wrong)?;
            if characters.next_if_eq(&'.').is_some() {
                directive.pad = characters.next().ok_or_else(wrong)?;
            }
        }
        while let Some(modifier) = characters.next_if(|next| matches!(next, 't' | 'l' | 'k' | 'K'))
        {
            directive.unicode |= modifier == 't';
        }
        let control = characters.next().ok_or_else(wrong)?;
        let piece = match control {
            '~' => "~".to_owned(),
            'n' => "\n".repeat(
                directive
                    .width
                    .and_then(|count| usize::try_from(count).ok())
                    .unwrap_or(1),
            ),
            _ => directive.value(control, &mut values).ok_or_else(wrong)?,
        };
        output.push_str(&piece);
    }
    if values.next().is_some() {
        Err(wrong())
    } else {
        Ok(output)
    }
}

/// A number in a directive, or `*` for one of the values. `None` inside when there is none.
fn number(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    values: &mut std::vec::IntoIter<Term>,
) -> Option<Option<i64>> {
    if characters.next_if_eq(&'*').is_some() {
        let number = values.next()?.as_int();
        return number.filter(|number| within(*number)).map(Some);
    }
    let mut digits = String::new();
    digits.extend(characters.next_if_eq(&'-'));
    while let Some(digit) = characters.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    if digits.is_empty() {
        return Some(None);
    }
    let number = digits.parse().ok();
    number.filter(|number| within(*number)).map(Some)
}

/// Whether a width or precision is one that a text can have.
fn within(number: i64) -> bool {
    number.unsigned_abs() <= 1 << 24
}

impl Directive {
    fn value(&self, control: char, values: &mut std::vec::IntoIter<Term>) -> Option<String> {
        let value = values.next()?;
        let text = match control {
            'i' => return Some(String::new()),
            // The width of ~p is that of its lines; there is one line here.
            'p' => return Some(value.to_string()),
            'P' => {
                values.next()?;
                return Some(value.to_string());
            }
            'w' => written(&value),
            'W' => {
                values.next()?;
                written(&value)
            }
            's' => return self.string(&value),
            'c' => {
                let character = char::from_u32(u32::try_from(value.as_int()?).ok()?)?;
                let count = usize::try_from(self.width.unwrap_or(1).max(0)).ok()?;
                let count = self
                    .precision
                    .and_then(|count| usize::try_from(count).ok())
                    .unwrap_or(count);
                return Some(self.fit(character.to_string().repeat(count), false));
            }
            'b' | 'B' => self.integer(&value)?,
            '+' | '#' => {
                let digits = self.integer(&value)?.to_uppercase();
                let (sign, digits) = digits
                    .strip_prefix('-')
                    .map_or(("", &digits[..]), |digits| ("-", digits));
                format!("{sign}{}#{digits}", self.base())
            }
            'x' | 'X' => {
                let prefix = values.next()?;
                if matches!(prefix, Term::Binary(_)) {
                    return None;
                }
                let prefix = String::from_utf8(chardata(&prefix).ok()?).ok()?;
                let digits = self.integer(&value)?;
                let (sign, digits) = digits
                    .strip_prefix('-')
                    .map_or(("", &digits[..]), |digits| ("-", digits));
                format!("{sign}{prefix}{digits}")
            }
            'f' => format!(
                "{:.*}",
                self.places(6)?,
                super::number::to_float(&value).ok()?
            ),
            'e' => exponent(
                super::number::to_float(&value).ok()?,
                self.places(6)?.checked_sub(1)?,
            ),
            'g' => {
                let float = super::number::to_float(&value).ok()?;
                let places = self.places(6)?;
                if float == 0.0 || (0.1..10_000.0).contains(&float.abs()) {
                    let before = if float.abs() < 1.0 {
                        0
                    } else {
                        format!("{:.0}", float.abs().trunc()).len()
                    };
                    format!("{float:.*}", places.checked_sub(before)?)
                } else {
                    exponent(float, places.checked_sub(1)?)
                }
            }
            _ => return None,
        };
        let text = if matches!(control, 'b' | 'x') {
            text.to_lowercase()
        } else {
            text
        };
        Some(self.fit(text, false))
    }

    fn places(&self, default: usize) -> Option<usize> {
        self.precision
            .map_or(Some(default), |places| usize::try_from(places).ok())
    }

    fn base(&self) -> i64 {
        self.precision.unwrap_or(10)
    }

    fn integer(&self, value: &Term) -> Option<String> {
        let base = u32::try_from(self.base())
            .ok()
            .filter(|base| (2..=36).contains(base))?;
        Some(big(value)?.to_str_radix(base).to_uppercase())
    }

    /// Text: a binary, a list of characters or an atom, cut to the precision and padded to the width.
    fn string(&self, value: &Term) -> Option<String> {
        let text = match value {
            Term::Atom(name) => name.as_str().to_owned(),
            Term::Binary(bytes) if !self.unicode => {
                bytes.iter().map(|byte| char::from(*byte)).collect()
            }
            Term::Binary(_) | Term::Nil | Term::List(_) => {
                String::from_utf8(chardata(value).ok()?).ok()?
            }
            _ => return None,
        };
        let text = match self
            .precision
            .and_then(|precision| usize::try_from(precision).ok())
        {
            Some(precision) => {
                let cut: String = text.chars().take(precision).collect();
                let missing = precision.saturating_sub(cut.chars().count());
                if self.width.is_some() {
                    cut
                } else {
                    cut + &self.pad.to_string().repeat(missing)
                }
            }
            None => text,
        };
        Some(self.fit(text, true))
    }

    /// `text` at the width: padded, or cut if it is text, or filled with stars if it does not fit.
    fn fit(&self, text: String, cut: bool) -> String {
        let Some(width) = self.width else { return text };
        let size = usize::try_from(width.unsigned_abs()).unwrap_or(0);
        let count = text.chars().count();
        if count > size {
            return if cut {
                text.chars().take(size).collect()
            } else {
                "*".repeat(size)
            };
        }
        let padding = self.pad.to_string().repeat(size - count);
        if width < 0 {
            text + &padding
        } else {
            padding + &text
        }
    }
}

/// `1.50000e+0`
fn exponent(float: f64, places: usize) -> String {
    let text = format!("{float:.places$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{mantissa}e{sign}{exponent}")
}

/// A term as `~w` writes it: no text but in atoms.
fn written(term: &Term) -> String {
    let mut output = String::new();
    write_term(term, &mut output, 0);
    output
}

fn write_term(term: &Term, output: &mut String, depth: usize) {
    if depth > 1_000 {
        output.push_str("...");
        return;
    }
    let mut separator = "";
    match term {
        Term::List(list) => {
            let (items, tail) = list.to_parts();
            output.push('[');
            for item in items {
                output.push_str(separator);
                separator = ",";
                write_term(&item, output, depth + 1);
            }
            if tail != Term::Nil {
                output.push('|');
                write_term(&tail, output, depth + 1);
            }
            output.push(']');
        }
        Term::Tuple(items) => {
            output.push('{');
            for item in items {
                output.push_str(separator);
                separator = ",";
                write_term(item, output, depth + 1);
            }
            output.push('}');
        }
        Term::Map(map) => {
            output.push_str("#{");
            for (key, value) in map {
                output.push_str(separator);
                separator = ",";
                write_term(key, output, depth + 1);
                output.push_str(" => ");
                write_term(value, output, depth + 1);
            }
            output.push('}');
        }
        Term::Binary(bytes) => {
            let bytes: Vec<String> = bytes.iter().map(u8::to_string).collect();
            write!(output, "<<{}>>", bytes.join(",")).expect("writing to a string");
        }
        other => output.push_str(&other.to_string()),
    }
}

fn format_list(_: &mut Context, args: &[Term]) -> Answer {
    format(&args[0], &args[1]).map(|text| convert::characters(text.as_bytes()))
}

fn write(_: &mut Context, args: &[Term]) -> Answer {
    Ok(Term::charlist(&written(&args[0])))
}

/// The functions of `:io_lib`.
pub(crate) const TABLE: &[Entry] = table! {
    "format"/2 => format_list, ":io_lib.format(format, values): the characters";
    "fwrite"/2 => format_list, ":io_lib.fwrite(format, values): the characters";
    "write"/1 => write, ":io_lib.write(term): as ~w";
    "print"/1 => |_, args| Ok(Term::charlist(&args[0].to_string())), ":io_lib.print(term): as ~p";
};

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, values: Vec<Term>) -> Option<String> {
        format(&Term::from(text), &Term::list(values)).ok()
    }

    #[test]
    fn formats_are_filled_as_erlang_does() {
        let text = Term::from("ab");
        let values = vec![
            Term::atom("a"),
            text.clone(),
            text,
            Term::Int(42),
            Term::Float(3.14259),
            Term::Float(2.5),
            Term::Float(1.5),
            Term::Float(0.1),
        ];
        assert_eq!(
            with("~10p|~-10s|~10s|~5..0B|~.2f|~8.3f|~e|~g", values).as_deref(),
            Some("a|ab        |        ab|00042|3.14|   2.500|1.50000e+0|0.100000")
        );
        let values = vec![
            Term::Int(255),
            Term::Int(5),
            Term::Int(31),
            Term::Int(31),
            Term::charlist("0x"),
        ];
        assert_eq!(
            with("~.16B ~.2b ~.16# ~.16X", values).as_deref(),
            Some("FF 101 16#1F 0x1F")
        );
        let values = vec![
            Term::Int(5),
            Term::charlist("ab"),
            Term::Int(120),
            Term::from("abcdefgh"),
            Term::from("xyz"),
        ];
        assert_eq!(
            with("~*w|~3c|~5s|~.2s", values).as_deref(),
            Some("*****|xxx|abcde|xy")
        );
        assert_eq!(with("~i~n~~", vec![Term::Nil]).as_deref(), Some("\n~"));
        assert_eq!(with("~p", vec![]), None);
        assert_eq!(with("a", vec![Term::Nil]), None);
        assert_eq!(with("~z", vec![Term::Nil]), None);
    }
}

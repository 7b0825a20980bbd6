//! Terms to text and bytes: `to_string`, numbers and their digits, iodata.
//!
//! Relies on `wharf::term::iodata` for bytes. Promises Elixir's `String.Chars` for the kinds of term that have it.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad, binary_of, bytes, chardata, string};
use super::enumeration::items::undefined_protocol;
use crate::inspect::{inspect, number::float_to_string};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use num_bigint::BigInt;
use wharf::term::{Atom, Binary, Term, iodata};

/// The text of a term: `String.Chars.to_string/1`.
pub(crate) fn to_text(term: &Term) -> Result<Vec<u8>, Throw> {
    Ok(match term {
        Term::Binary(bytes) => bytes.to_vec(),
        Term::Atom(_) if term.is_atom("nil") => Vec::new(),
        Term::Atom(name) => name.as_str().as_bytes().to_vec(),
        Term::Int(integer) => integer.to_string().into_bytes(),
        Term::BigInt(integer) => integer.to_string().into_bytes(),
        Term::Float(float) => float_to_string(*float).into_bytes(),
        Term::Nil => Vec::new(),
        Term::List(_) => list_to_text(term)?,
        _ => return Err(undefined_protocol("String.Chars", term)),
    })
}

/// A list of characters as text; `ArgumentError` with Elixir's long explanation when it is none.
pub(crate) fn list_to_text(list: &Term) -> Result<Vec<u8>, Throw> {
    chardata(list).map_err(|culprit| match culprit {
        Term::Int(code) if !is_improper(list) => {
            Throw::exception("UnicodeConversionError", &[
                ("encoded", Term::from("")),
                ("message", string(format!("invalid code point {code}"))),
            ])
        }
        _ => Throw::argument_error(&format!(
            "cannot convert the given list to a string.\n\nTo be converted to a string, a list must either be empty or \
             only\ncontain the following elements:\n\n  * strings\n  * integers representing Unicode code points\n  * a \
             list containing one of these three elements\n\nPlease check the given list or call inspect/1 to get the \
             list representation, got:\n\n{}\n",
            inspect(list)
        )),
    })
}

fn is_improper(list: &Term) -> bool {
    list.to_list_vec().is_none()
}

/// `to_string(term)`
pub(crate) fn to_string(_: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        text @ Term::Binary(_) => Ok(text.clone()),
        other => to_text(other).map(binary_of),
    }
}

/// `to_charlist(term)`
pub(crate) fn to_charlist(_: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        list @ (Term::Nil | Term::List(_)) => Ok(list.clone()),
        other => to_text(other).map(|text| characters(&text)),
    }
}

/// The code points of a text as a list; a byte that is no UTF-8 stands for itself.
pub(crate) fn characters(text: &[u8]) -> Term {
    let mut list = Vec::new();
    for chunk in text.utf8_chunks() {
        list.extend(
            chunk
                .valid()
                .chars()
                .map(|character| Term::Int(i64::from(u32::from(character)))),
        );
        list.extend(
            chunk
                .invalid()
                .iter()
                .map(|byte| Term::Int(i64::from(*byte))),
        );
    }
    Term::list(list)
}

/// The bytes of iodata.
pub(crate) fn flatten(args: &[Term], place: usize, what: &str) -> Result<Binary, Throw> {
    iodata::flatten(&args[place - 1]).map_err(|_| bad(place, what))
}

/// `:erlang.iolist_to_binary(iodata)`
pub(crate) fn iolist_to_binary(_: &mut Context, args: &[Term]) -> Answer {
    flatten(args, 1, "not an iodata term").map(Term::Binary)
}

/// `:erlang.iolist_size(iodata)`
pub(crate) fn iolist_size(_: &mut Context, args: &[Term]) -> Answer {
    flatten(args, 1, "not an iodata term").map(|bytes| bytes.len().into())
}

/// `:erlang.list_to_binary(iolist)`
pub(crate) fn list_to_binary(_: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        Term::Nil | Term::List(_) => flatten(args, 1, "not an iolist term").map(Term::Binary),
        _ => Err(bad(1, "not an iolist term")),
    }
}

/// `:erlang.binary_to_list(binary)`
pub(crate) fn binary_to_list(_: &mut Context, args: &[Term]) -> Answer {
    super::argument::binary(args, 1).map(|bytes| Term::bytes_list(bytes.clone()))
}

/// `:erlang.binary_to_list(binary, from, to)`, places from 1
pub(crate) fn binary_slice_to_list(_: &mut Context, args: &[Term]) -> Answer {
    let bytes = super::argument::binary(args, 1)?;
    let (from, to) = (
        super::argument::count(args, 2)?,
        super::argument::count(args, 3)?,
    );
    if from == 0 || from > bytes.len() {
        return Err(bad(2, "out of range"));
    }
    if to < from || to > bytes.len() {
        return Err(bad(3, "out of range"));
    }
    Ok(Term::bytes_list(bytes.slice(from - 1..to)))
}

/// The radix at `place`, or 10.
fn radix(args: &[Term], place: usize) -> Result<u32, Throw> {
    match args.get(place - 1) {
        None => Ok(10),
        Some(Term::Int(radix)) if (2..=36).contains(radix) => {
            Ok(u32::try_from(*radix).unwrap_or(10))
        }
        Some(_) => Err(bad(place, "not an integer in the range 2 through 36")),
    }
}

/// The digits of the integer at place 1 in the radix at place 2.
pub(crate) fn integer_digits(args: &[Term]) -> Result<String, Throw> {
    let integer = super::argument::big(&args[0]).ok_or_else(|| bad(1, "not an integer"))?;
    Ok(integer.to_str_radix(radix(args, 2)?).to_uppercase())
}

/// `integer_to_binary(integer, base \\ 10)`
pub(crate) fn integer_to_binary(_: &mut Context, args: &[Term]) -> Answer {
    integer_digits(args).map(string)
}

/// `integer_to_list(integer, base \\ 10)`
pub(crate) fn integer_to_list(_: &mut Context, args: &[Term]) -> Answer {
    integer_digits(args).map(|digits| Term::charlist(&digits))
}

/// An integer from its digits, a sign before them allowed, nothing else.
pub(crate) fn parse_integer(digits: &[u8], radix: u32) -> Option<Term> {
    let unsigned = digits
        .strip_prefix(b"+")
        .or_else(|| digits.strip_prefix(b"-"))
        .unwrap_or(digits);
    if unsigned.is_empty()
        || !unsigned
            .iter()
            .all(|digit| char::from(*digit).is_digit(radix))
    {
        return None;
    }
    let digits = digits.strip_prefix(b"+").unwrap_or(digits);
    BigInt::parse_bytes(digits, radix).map(Term::integer)
}

/// `binary_to_integer(binary, base \\ 10)`
pub(crate) fn binary_to_integer(_: &mut Context, args: &[Term]) -> Answer {
    let digits = super::argument::binary(args, 1)?;
    parse_integer(digits, radix(args, 2)?)
        .ok_or_else(|| bad(1, "not a textual representation of an integer"))
}

/// `list_to_integer(list, base \\ 10)`
pub(crate) fn list_to_integer(_: &mut Context, args: &[Term]) -> Answer {
    let items = super::argument::list(args, 1)?;
    let digits: Option<Vec<u8>> = items
        .iter()
        .map(|item| u8::try_from(item.as_int()?).ok())
        .collect();
    digits
        .and_then(|digits| parse_integer(&digits, radix(args, 2).ok()?))
        .ok_or_else(|| bad(1, "not a textual representation of an integer"))
}

/// A float as Erlang writes one: digits on both sides of the point.
pub(crate) fn parse_float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(place) => (&text[..place], Some(&text[place + 1..])),
        None => (text, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.')?;
    let exponent_fits = exponent
        .is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    if !digits(whole) || !digits(fraction) || !exponent_fits {
        return None;
    }
    text.parse::<f64>().ok().filter(|float| float.is_finite())
}

/// `binary_to_float(binary)`
pub(crate) fn binary_to_float(_: &mut Context, args: &[Term]) -> Answer {
    let text = super::argument::binary(args, 1)?;
    parse_float(text)
        .map(Term::Float)
        .ok_or_else(|| bad(1, "not a textual representation of a float"))
}

/// `list_to_float(list)`
pub(crate) fn list_to_float(_: &mut Context, args: &[Term]) -> Answer {
    let text = chardata(&args[0]).map_err(|_| bad(1, "not a list"))?;
    parse_float(&text)
        .map(Term::Float)
        .ok_or_else(|| bad(1, "not a textual representation of a float"))
}

/// The text of a float by Erlang's options `decimals`, `scientific`, `compact` and `short`.
pub(crate) fn float_digits(args: &[Term]) -> Result<String, Throw> {
    let Term::Float(float) = &args[0] else {
        return Err(bad(1, "not a float"));
    };
    let Some(options) = args.get(1) else {
        return Ok(scientific(*float, 20));
    };
    let items = options.to_list_vec().ok_or_else(|| bad(2, "not a list"))?;
    let (mut text, mut compact) = (scientific(*float, 20), false);
    for item in &items {
        match item {
            Term::Tuple(pair) if pair.len() == 2 => match (&pair[0], &pair[1]) {
                (name, Term::Int(places))
                    if name.is_atom("decimals") && (0..=253).contains(places) =>
                {
                    text = format!("{float:.0$}", usize::try_from(*places).unwrap_or(0));
                }
                (name, Term::Int(places))
                    if name.is_atom("scientific") && (0..=249).contains(places) =>
                {
                    text = scientific(*float, usize::try_from(*places).unwrap_or(0));
                }
                _ => return Err(bad(2, "invalid option in list")),
            },
            _ if item.is_atom("compact") => compact = true,
            _ if item.is_atom("short") => text = float_to_string(*float),
            _ => return Err(bad(2, "invalid option in list")),
        }
    }
    if compact && text.contains('.') && !text.contains('e') {
        let kept = text.trim_end_matches('0').len();
        text.truncate(if text[..kept].ends_with('.') {
            kept + 1
        } else {
            kept
        });
        if text.ends_with('.') {
            text.push('0');
        }
    }
    Ok(text)
}

/// `1.500e+00`: so many digits after the point, at least two in the exponent.
pub(crate) fn scientific(float: f64, places: usize) -> String {
    let text = format!("{float:.places$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// `float_to_binary(float, options)`
pub(crate) fn float_to_binary(_: &mut Context, args: &[Term]) -> Answer {
    float_digits(args).map(string)
}

/// `float_to_list(float, options)`
pub(crate) fn float_to_list(_: &mut Context, args: &[Term]) -> Answer {
    float_digits(args).map(|text| Term::charlist(&text))
}

/// The atom of this name; `system_limit` when it is too long or there are too many.
pub(crate) fn to_atom(name: &str) -> Answer {
    Atom::try_new(name)
        .map(Term::Atom)
        .map_err(|_| Throw::error(Term::atom("system_limit")))
}

fn utf8(args: &[Term]) -> Result<&str, Throw> {
    let bytes = bytes(&args[0]).ok_or_else(|| bad(1, "not a binary"))?;
    std::str::from_utf8(bytes).map_err(|_| bad(1, "invalid UTF-8 encoding"))
}

/// `binary_to_atom(binary)`
pub(crate) fn binary_to_atom(_: &mut Context, args: &[Term]) -> Answer {
    to_atom(utf8(args)?)
}

/// `binary_to_existing_atom(binary)`
pub(crate) fn binary_to_existing_atom(_: &mut Context, args: &[Term]) -> Answer {
    Atom::existing(utf8(args)?)
        .map(Term::Atom)
        .ok_or_else(|| bad(1, "not an already existing atom"))
}

/// `list_to_atom(charlist)`
pub(crate) fn list_to_atom(_: &mut Context, args: &[Term]) -> Answer {
    let name = args[0]
        .to_charlist_string()
        .ok_or_else(|| bad(1, "not a list of characters"))?;
    to_atom(&name)
}

/// `list_to_existing_atom(charlist)`
pub(crate) fn list_to_existing_atom(_: &mut Context, args: &[Term]) -> Answer {
    let name = args[0]
        .to_charlist_string()
        .ok_or_else(|| bad(1, "not a list of characters"))?;
    Atom::existing(&name)
        .map(Term::Atom)
        .ok_or_else(|| bad(1, "not an already existing atom"))
}

/// `atom_to_binary(atom)`
pub(crate) fn atom_to_binary(_: &mut Context, args: &[Term]) -> Answer {
    super::argument::atom(args, 1).map(|atom| string(atom.as_str()))
}

/// `atom_to_list(atom)`
pub(crate) fn atom_to_list(_: &mut Context, args: &[Term]) -> Answer {
    super::argument::atom(args, 1).map(|atom| Term::charlist(atom.as_str()))
}

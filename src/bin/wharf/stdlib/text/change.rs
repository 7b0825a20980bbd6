//! Texts made of a text: case, blanks, padding, numbers and atoms.
//!
//! Relies on Rust's Unicode tables. Promises Elixir's results for the default (language-independent) modes.
#![forbid(unsafe_code)]

use super::grapheme::graphemes;
use super::{number, part, subject};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use crate::stdlib::argument::{Answer, amount, bad, binary, binary_of, bytes};
use crate::stdlib::{Entry, convert, table};
use wharf::term::{Binary, Term};

/// `change` on the UTF-8 of a text; other bytes stay.
fn by_chunks(text: &[u8], mut change: impl FnMut(&str, &mut Vec<u8>)) -> Term {
    let mut output = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        change(chunk.valid(), &mut output);
        output.extend_from_slice(chunk.invalid());
    }
    binary_of(output)
}

fn lower(text: &str, output: &mut Vec<u8>) {
    // Letter by letter: a capital sigma has one small form, whatever follows.
    for character in text.chars().flat_map(char::to_lowercase) {
        output.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

fn is_ascii_mode(args: &[Term]) -> bool {
    args.get(1).is_some_and(|mode| mode.is_atom("ascii"))
}

fn clause_arguments(args: &[Term]) -> Vec<Term> {
    vec![
        args[0].clone(),
        args.get(1)
            .cloned()
            .unwrap_or_else(|| Term::atom("default")),
    ]
}

fn upcase(_: &mut Context, args: &[Term]) -> Answer {
    let full = clause_arguments(args);
    let text = subject("upcase", &full, 1)?;
    if is_ascii_mode(args) {
        return Ok(binary_of(text.to_ascii_uppercase()));
    }
    Ok(by_chunks(text, |text, output| {
        output.extend_from_slice(text.to_uppercase().as_bytes())
    }))
}

fn downcase(_: &mut Context, args: &[Term]) -> Answer {
    let full = clause_arguments(args);
    let text = subject("downcase", &full, 1)?;
    if is_ascii_mode(args) {
        return Ok(binary_of(text.to_ascii_lowercase()));
    }
    Ok(by_chunks(text, lower))
}

fn capitalize(_: &mut Context, args: &[Term]) -> Answer {
    let full = clause_arguments(args);
    let text = subject("capitalize", &full, 1)?;
    let mut first = true;
    Ok(by_chunks(text, |text, output| {
        let mut characters = text.chars();
        if std::mem::take(&mut first)
            && let Some(initial) = characters.next()
        {
            output.extend(initial.to_uppercase().collect::<String>().bytes());
        }
        lower(characters.as_str(), output);
    }))
}

/// Which ends to trim.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Leading,
    Trailing,
    Both,
}

fn trim(function: &str, args: &[Term], ends: Ends) -> Answer {
    let text = subject(function, args, 1)?;
    let mut rest: &[u8] = text;
    match args.get(1) {
        None => {
            if ends != Ends::Trailing {
                let skipped = rest.utf8_chunks().next().map_or(0, |chunk| {
                    chunk.valid().len() - chunk.valid().trim_start().len()
                });
                rest = &rest[skipped..];
            }
            if ends != Ends::Leading
                && let Some(last) = rest
                    .utf8_chunks()
                    .last()
                    .filter(|last| last.invalid().is_empty())
            {
                rest = &rest[..rest.len() - (last.valid().len() - last.valid().trim_end().len())];
            }
        }
        Some(Term::Binary(blank)) if !blank.is_empty() => {
            while let Some(after) = rest
                .strip_prefix(&blank[..])
                .filter(|_| ends != Ends::Trailing)
            {
                rest = after;
            }
            while let Some(before) = rest
                .strip_suffix(&blank[..])
                .filter(|_| ends != Ends::Leading)
            {
                rest = before;
            }
        }
        Some(Term::Binary(_)) => {}
        Some(_) => return Err(Throw::function_clause("String", function, args)),
    }
    Ok(part(text, rest))
}

/// The padding that brings `length` characters to `wanted`.
fn padding(function: &str, args: &[Term]) -> Result<(Vec<u8>, Binary), Throw> {
    let full = [
        args[0].clone(),
        args[1].clone(),
        args.get(2)
            .cloned()
            .unwrap_or_else(|| Term::list(vec![Term::from(" ")])),
    ];
    let wrong = || Throw::function_clause("String", function, &full);
    let text = subject(function, &full, 1)?.clone();
    let wanted = usize::try_from(number(function, &full, 2)?).map_err(|_| wrong())?;
    let pieces: Vec<Vec<u8>> = match &full[2] {
        Term::Binary(padding) => graphemes(padding).into_iter().map(<[u8]>::to_vec).collect(),
        Term::List(_) => {
            let items = full[2].to_list_vec().ok_or_else(wrong)?;
            items
                .iter()
                .map(|item| bytes(item).map(<[u8]>::to_vec))
                .collect::<Option<_>>()
                .ok_or_else(|| {
                    Throw::argument_error(
                        "expected a string padding element, got: something that is not a string",
                    )
                })?
        }
        _ => return Err(wrong()),
    };
    if pieces.is_empty() {
        return Err(Throw::function_clause(
            "String",
            function,
            &[args[0].clone(), args[1].clone(), Term::Nil],
        ));
    }
    let missing = amount(wanted.saturating_sub(graphemes(&text).len()), 1)?;
    let padding = pieces
        .iter()
        .cycle()
        .take(missing)
        .flatten()
        .copied()
        .collect();
    Ok((padding, text))
}

fn pad_leading(_: &mut Context, args: &[Term]) -> Answer {
    let (mut padding, text) = padding("pad_leading", args)?;
    padding.extend_from_slice(&text);
    Ok(binary_of(padding))
}

fn pad_trailing(_: &mut Context, args: &[Term]) -> Answer {
    let (padding, text) = padding("pad_trailing", args)?;
    Ok(binary_of([&text[..], &padding[..]].concat()))
}

fn duplicate(_: &mut Context, args: &[Term]) -> Answer {
    let text = subject("duplicate", args, 1)?;
    let count = super::number("duplicate", args, 2)?;
    let count = usize::try_from(count).map_err(|_| bad(2, "out of range"))?;
    Ok(binary_of(text.repeat(amount(count, text.len())?)))
}

fn to_integer(ctx: &mut Context, args: &[Term]) -> Answer {
    convert::binary_to_integer(ctx, args)
}

fn replace_prefix(args: &[Term], function: &str, leading: bool) -> Answer {
    let (text, from, to) = (
        subject(function, args, 1)?,
        subject(function, args, 2)?,
        subject(function, args, 3)?,
    );
    let rest = if leading {
        text.strip_prefix(&from[..])
    } else {
        text.strip_suffix(&from[..])
    };
    Ok(match rest {
        Some(rest) if leading => binary_of([&to[..], rest].concat()),
        Some(rest) => binary_of([rest, &to[..]].concat()),
        None => args[0].clone(),
    })
}

fn equivalent(_: &mut Context, args: &[Term]) -> Answer {
    Ok((binary(args, 1)?[..] == binary(args, 2)?[..]).into())
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "upcase"/1 => upcase, "String.upcase(string)";
    "upcase"/2 => upcase, "String.upcase(string, mode): mode is :default or :ascii";
    "downcase"/1 => downcase, "String.downcase(string)";
    "downcase"/2 => downcase, "String.downcase(string, mode): mode is :default or :ascii";
    "capitalize"/1 => capitalize, "String.capitalize(string): the first character in upper case, the others in lower";
    "capitalize"/2 => capitalize, "String.capitalize(string, mode)";
    "trim"/1 => |_, args| trim("trim", args, Ends::Both), "String.trim(string): without white space at its ends";
    "trim"/2 => |_, args| trim("trim", args, Ends::Both), "String.trim(string, to_trim): without to_trim at its ends";
    "trim_leading"/1 => |_, args| trim("trim_leading", args, Ends::Leading), "String.trim_leading(string)";
    "trim_leading"/2 => |_, args| trim("trim_leading", args, Ends::Leading), "String.trim_leading(string, to_trim)";
    "trim_trailing"/1 => |_, args| trim("trim_trailing", args, Ends::Trailing), "String.trim_trailing(string)";
    "trim_trailing"/2 => |_, args| trim("trim_trailing", args, Ends::Trailing), "String.trim_trailing(string, to_trim)";
    "pad_leading"/2 => pad_leading, "String.pad_leading(string, count): with blanks before it, count characters";
    "pad_leading"/3 => pad_leading, "String.pad_leading(string, count, padding)";
    "pad_trailing"/2 => pad_trailing, "String.pad_trailing(string, count): with blanks behind it, count characters";
    "pad_trailing"/3 => pad_trailing, "String.pad_trailing(string, count, padding)";
    "duplicate"/2 => duplicate, "String.duplicate(string, count): the string count times";
    "to_integer"/1 => to_integer, "String.to_integer(string)";
    "to_integer"/2 => to_integer, "String.to_integer(string, base)";
    "to_float"/1 => convert::binary_to_float, "String.to_float(string)";
    "to_atom"/1 => convert::binary_to_atom, "String.to_atom(string)";
    "to_existing_atom"/1 => convert::binary_to_existing_atom, "String.to_existing_atom(string)";
    "replace_prefix"/3 => |_, args| replace_prefix(args, "replace_prefix", true), "String.replace_prefix(string, match, replacement)";
    "replace_suffix"/3 => |_, args| replace_prefix(args, "replace_suffix", false), "String.replace_suffix(string, match, replacement)";
    "equivalent?"/2 => equivalent, "String.equivalent?(left, right)";
};

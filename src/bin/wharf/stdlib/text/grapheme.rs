//! Characters as readers see them: lengths, places, slices.
//!
//! Relies on `unicode-segmentation` for grapheme clusters. Promises that the pieces of a text make up the text.
#![forbid(unsafe_code)]

use super::{number, part, subject};
use crate::inspect::text::{is_printable, is_printable_text};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use crate::stdlib::argument::{Answer, binary_of, nil};
use crate::stdlib::convert::characters;
use crate::stdlib::enumeration::items::{range_parts, struct_name};
use crate::stdlib::enumeration::slice::places;
use crate::stdlib::{Entry, table};
use unicode_segmentation::UnicodeSegmentation;
use wharf::term::{Binary, Term};

/// The grapheme clusters of a text.
pub(super) fn graphemes(text: &[u8]) -> Vec<&[u8]> {
    let mut result = Vec::new();
    let mut rest = text;
    for chunk in text.utf8_chunks() {
        result.extend(chunk.valid().graphemes(true).map(str::as_bytes));
        rest = &rest[chunk.valid().len()..];
        let (invalid, after) = rest.split_at(chunk.invalid().len());
        result.extend(invalid.chunks(1));
        rest = after;
    }
    result
}

/// The code points of a text.
fn codepoints(text: &[u8]) -> Vec<&[u8]> {
    let mut result = Vec::new();
    let mut rest = text;
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            let (point, after) = rest.split_at(character.len_utf8());
            result.push(point);
            rest = after;
        }
        let (invalid, after) = rest.split_at(chunk.invalid().len());
        result.extend(invalid.chunks(1));
        rest = after;
    }
    result
}

fn list_of(whole: &Binary, parts: Vec<&[u8]>) -> Term {
    Term::list(parts.into_iter().map(|piece| part(whole, piece)).collect())
}

fn length(_: &mut Context, args: &[Term]) -> Answer {
    let text = subject("length", args, 1)?;
    Ok(if text.is_ascii() && !text.contains(&b'\r') {
        text.len()
    } else {
        graphemes(text).len()
    }
    .into())
}

fn at(_: &mut Context, args: &[Term]) -> Answer {
    let (text, index) = (subject("at", args, 1)?, number("at", args, 2)?);
    let pieces = graphemes(text);
    let size = i64::try_from(pieces.len()).unwrap_or(i64::MAX);
    let place = usize::try_from(if index < 0 { index + size } else { index }).ok();
    Ok(place
        .and_then(|place| pieces.get(place))
        .map_or_else(nil, |piece| part(text, piece)))
}

fn first(_: &mut Context, args: &[Term]) -> Answer {
    let text = subject("first", args, 1)?;
    Ok(graphemes(text)
        .first()
        .map_or_else(nil, |piece| part(text, piece)))
}

fn last(_: &mut Context, args: &[Term]) -> Answer {
    let text = subject("last", args, 1)?;
    Ok(graphemes(text)
        .last()
        .map_or_else(nil, |piece| part(text, piece)))
}

fn slice(_: &mut Context, args: &[Term]) -> Answer {
    let text = subject("slice", args, 1)?;
    let (start, count) = (number("slice", args, 2)?, number("slice", args, 3)?);
    let count =
        usize::try_from(count).map_err(|_| Throw::function_clause("String", "slice", args))?;
    let pieces = graphemes(text);
    let start = match usize::try_from(start) {
        Ok(start) => start,
        Err(_) => pieces
            .len()
            .saturating_sub(usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    Ok(binary_of(
        pieces
            .into_iter()
            .skip(start)
            .take(count)
            .collect::<Vec<_>>()
            .concat(),
    ))
}

fn slice_range(_: &mut Context, args: &[Term]) -> Answer {
    let text = subject("slice", args, 1)?;
    let range = args[1]
        .as_map()
        .filter(|map| struct_name(map) == Some("Elixir.Range"))
        .and_then(range_parts);
    let (first, last, step) =
        range.ok_or_else(|| Throw::function_clause("String", "slice", args))?;
    let pieces = graphemes(text);
    let chosen = places(pieces.len(), first, last, step)
        .into_iter()
        .filter_map(|place| pieces.get(place).copied());
    Ok(binary_of(chosen.collect::<Vec<_>>().concat()))
}

fn split_at(_: &mut Context, args: &[Term]) -> Answer {
    let (text, index) = (subject("split_at", args, 1)?, number("split_at", args, 2)?);
    let pieces = graphemes(text);
    let place = match usize::try_from(index) {
        Ok(place) => place.min(pieces.len()),
        Err(_) => pieces
            .len()
            .saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let bytes = pieces[..place].iter().map(|piece| piece.len()).sum();
    Ok(Term::tuple([
        Term::Binary(text.slice(0..bytes)),
        Term::Binary(text.slice(bytes..text.len())),
    ]))
}

/// The first of `parts`, and the rest of the text.
fn next(text: &Binary, first: Option<&&[u8]>) -> Term {
    match first {
        Some(piece) => {
            let size = piece.len();
            Term::tuple([
                Term::Binary(text.slice(0..size)),
                Term::Binary(text.slice(size..text.len())),
            ])
        }
        None => nil(),
    }
}

fn reverse(_: &mut Context, args: &[Term]) -> Answer {
    let mut pieces = graphemes(subject("reverse", args, 1)?);
    pieces.reverse();
    Ok(binary_of(pieces.concat()))
}

fn is_valid(_: &mut Context, args: &[Term]) -> Answer {
    Ok(std::str::from_utf8(subject("valid?", args, 1)?)
        .is_ok()
        .into())
}

fn is_printable_string(_: &mut Context, args: &[Term]) -> Answer {
    let limit = args.get(1).and_then(Term::as_usize);
    Ok(is_printable_text(subject("printable?", args, 1)?, limit).into())
}

/// Runs of characters that are all valid (or printable) or all not.
fn chunk(_: &mut Context, args: &[Term]) -> Answer {
    let text = subject("chunk", args, 1)?;
    let printable = args[1].is_atom("printable");
    let fits = |piece: &[u8]| match std::str::from_utf8(piece) {
        Ok(piece) => !printable || piece.chars().all(is_printable),
        Err(_) => false,
    };
    let mut runs: Vec<(bool, Vec<u8>)> = Vec::new();
    for piece in codepoints(text) {
        let kind = fits(piece);
        match runs.last_mut() {
            Some((last, run)) if *last == kind => run.extend_from_slice(piece),
            _ => runs.push((kind, piece.to_vec())),
        }
    }
    Ok(Term::list(
        runs.into_iter().map(|(_, run)| binary_of(run)).collect(),
    ))
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "length"/1 => length, "String.length(string): the number of characters";
    "at"/2 => at, "String.at(string, position): the character there, from the end if negative, or nil";
    "first"/1 => first, "String.first(string): the first character, or nil";
    "last"/1 => last, "String.last(string): the last character, or nil";
    "slice"/2 => slice_range, "String.slice(string, range): the characters in these places";
    "slice"/3 => slice, "String.slice(string, start, length): length characters from start";
    "split_at"/2 => split_at, "String.split_at(string, position): {before, from there}";
    "graphemes"/1 => |_, args| { let text = subject("graphemes", args, 1)?; Ok(list_of(text, graphemes(text))) }, "String.graphemes(string): the characters as readers see them";
    "codepoints"/1 => |_, args| { let text = subject("codepoints", args, 1)?; Ok(list_of(text, codepoints(text))) }, "String.codepoints(string): the code points";
    "next_grapheme"/1 => |_, args| { let text = subject("next_grapheme", args, 1)?; Ok(next(text, graphemes(text).first())) }, "String.next_grapheme(string): {character, rest} or nil";
    "next_codepoint"/1 => |_, args| { let text = subject("next_codepoint", args, 1)?; Ok(next(text, codepoints(text).first())) }, "String.next_codepoint(string): {code point, rest} or nil";
    "to_charlist"/1 => |_, args| subject("to_charlist", args, 1).map(|text| characters(text)), "String.to_charlist(string): the code points as integers";
    "reverse"/1 => reverse, "String.reverse(string): the characters from last to first";
    "valid?"/1 => is_valid, "String.valid?(string): whether it is UTF-8";
    "printable?"/1 => is_printable_string, "String.printable?(string)";
    "printable?"/2 => is_printable_string, "String.printable?(string, character_limit)";
    "chunk"/2 => chunk, "String.chunk(string, trait): runs that are :valid or :printable and runs that are not";
};

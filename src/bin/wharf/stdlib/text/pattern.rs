//! Looking for parts of a text: splitting, replacing, containing.
//!
//! Relies on `memchr` through [`find`]. Promises the leftmost match, and of several patterns the longest there.
#![forbid(unsafe_code)]

use super::grapheme::graphemes;
use super::{part, subject};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use crate::stdlib::argument::{Answer, bad, binary_of, bytes, is_truthy, option};
use crate::stdlib::convert::to_text;
use crate::stdlib::{Entry, table};
use std::ops::Range;
use wharf::term::Term;

/// The patterns of a term: a binary, or a list of binaries.
pub(crate) fn patterns(term: &Term) -> Option<Vec<Vec<u8>>> {
    match term {
        Term::Binary(pattern) => Some(vec![pattern.to_vec()]),
        Term::Nil | Term::List(_) => term
            .to_list_vec()?
            .iter()
            .map(|item| bytes(item).map(<[u8]>::to_vec))
            .collect(),
        _ => None,
    }
}

/// The next match of a pattern at or after `from`.
pub(crate) fn find(text: &[u8], patterns: &[Vec<u8>], from: usize) -> Option<Range<usize>> {
    patterns
        .iter()
        .filter(|pattern| !pattern.is_empty())
        .filter_map(|pattern| {
            let start = from + memchr::memmem::find(text.get(from..)?, pattern)?;
            Some(start..start + pattern.len())
        })
        .min_by_key(|found| (found.start, std::cmp::Reverse(found.end)))
}

/// All matches, none inside another.
pub(crate) fn find_all(text: &[u8], patterns: &[Vec<u8>]) -> Vec<Range<usize>> {
    let (mut all, mut from) = (Vec::new(), 0);
    while let Some(found) = find(text, patterns, from) {
        from = found.end;
        all.push(found);
    }
    all
}

fn pattern_argument(args: &[Term]) -> Result<Vec<Vec<u8>>, Throw> {
    patterns(&args[1]).ok_or_else(|| bad(2, "not a valid pattern"))
}

/// `String.split(string)`: at white space, without empty parts.
fn split_blank(_: &mut Context, args: &[Term]) -> Answer {
    let Term::Binary(text) = &args[0] else {
        return Err(bad(1, "not a binary"));
    };
    let parts = match std::str::from_utf8(text) {
        Ok(valid) => valid
            .split_whitespace()
            .map(str::as_bytes)
            .collect::<Vec<_>>(),
        Err(_) => text
            .split(u8::is_ascii_whitespace)
            .filter(|part| !part.is_empty())
            .collect(),
    };
    Ok(Term::list(
        parts.into_iter().map(|piece| part(text, piece)).collect(),
    ))
}

fn split(_: &mut Context, args: &[Term]) -> Answer {
    let Term::Binary(text) = &args[0] else {
        return Err(bad(1, "not a binary"));
    };
    let options = args.get(2).cloned().unwrap_or(Term::Nil);
    let trim = option(&options, "trim").is_some_and(|trim| is_truthy(&trim));
    let parts_max = match option(&options, "parts") {
        Some(Term::Int(parts)) if parts > 0 => usize::try_from(parts).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let patterns = pattern_argument(args)?;
    let mut parts: Vec<&[u8]> = Vec::new();
    if matches!(&args[1], Term::Binary(pattern) if pattern.is_empty()) {
        // Between all characters, and before the first and behind the last.
        parts.push(b"");
        parts.extend(graphemes(text));
        parts.push(b"");
        if parts.len() > parts_max {
            let kept: usize = parts[..parts_max - 1].iter().map(|part| part.len()).sum();
            parts.truncate(parts_max - 1);
            parts.push(&text[kept..]);
        }
        let trimmed = parts.into_iter().filter(|part| !trim || !part.is_empty());
        return Ok(Term::list(
            trimmed
                .map(|piece| {
                    if piece.is_empty() {
                        Term::from("")
                    } else {
                        part(text, piece)
                    }
                })
                .collect(),
        ));
    }
    let mut from = 0;
    for found in find_all(text, &patterns) {
        if parts.len() + 1 >= parts_max {
            break;
        }
        let piece = &text[from..found.start];
        from = found.end;
        if !(trim && piece.is_empty()) {
            parts.push(piece);
        }
    }
    let rest = &text[from..];
    if !(trim && rest.is_empty()) {
        parts.push(rest);
    }
    Ok(Term::list(
        parts.into_iter().map(|piece| part(text, piece)).collect(),
    ))
}

fn replace(ctx: &mut Context, args: &[Term]) -> Answer {
    let full = [
        args[0].clone(),
        args[1].clone(),
        args[2].clone(),
        args.get(3).cloned().unwrap_or(Term::Nil),
    ];
    let text = subject("replace", &full, 1)?;
    if !matches!(args[2], Term::Binary(_) | Term::Fun(_)) {
        return Err(Throw::function_clause("String", "replace", &full));
    }
    let global = option(&full[3], "global").is_none_or(|global| is_truthy(&global));
    let patterns = pattern_argument(args)?;
    let mut matches = if matches!(&args[1], Term::Binary(pattern) if pattern.is_empty()) {
        let ends = graphemes(text).into_iter().scan(0, |end, piece| {
            *end += piece.len();
            Some(*end)
        });
        std::iter::once(0)
            .chain(ends)
            .map(|place| place..place)
            .collect()
    } else {
        find_all(text, &patterns)
    };
    if !global {
        matches.truncate(1);
    }
    let (mut output, mut from) = (Vec::with_capacity(text.len()), 0);
    for found in matches {
        output.extend_from_slice(&text[from..found.start]);
        match &args[2] {
            Term::Binary(replacement) => output.extend_from_slice(replacement),
            fun => output.extend(to_text(
                &ctx.apply(fun, vec![Term::Binary(text.slice(found.clone()))])?,
            )?),
        }
        from = found.end;
    }
    output.extend_from_slice(&text[from..]);
    Ok(binary_of(output))
}

/// Whether one of the patterns at place 2 is where `fits` looks for it.
fn test(function: &str, args: &[Term], fits: fn(&[u8], &[u8]) -> bool) -> Answer {
    let text = subject(function, args, 1)?;
    let patterns = patterns(&args[1]).ok_or_else(|| match function {
        "contains?" => bad(2, "not a valid pattern"),
        _ => Throw::function_clause("String", function, args),
    })?;
    Ok(patterns.iter().any(|pattern| fits(text, pattern)).into())
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

fn replace_end(args: &[Term], leading: bool) -> Answer {
    let function = if leading {
        "replace_leading"
    } else {
        "replace_trailing"
    };
    let (text, from, to) = (
        subject(function, args, 1)?,
        subject(function, args, 2)?,
        subject(function, args, 3)?,
    );
    if from.is_empty() {
        return Err(Throw::argument_error(
            "cannot use an empty string as the match to replace",
        ));
    }
    let (mut rest, mut count): (&[u8], usize) = (text, 0);
    while let Some(shorter) = if leading {
        rest.strip_prefix(&from[..])
    } else {
        rest.strip_suffix(&from[..])
    } {
        (rest, count) = (shorter, count + 1);
    }
    let replaced = to.repeat(count);
    Ok(binary_of(if leading {
        [&replaced[..], rest].concat()
    } else {
        [rest, &replaced[..]].concat()
    }))
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "split"/1 => split_blank, "String.split(string): the parts between white space";
    "split"/2 => split, "String.split(string, pattern): the parts between the pattern, or one of several";
    "split"/3 => split, "String.split(string, pattern, opts): opts are :parts and :trim";
    "replace"/3 => replace, "String.replace(string, pattern, replacement): replacement is a string or a function";
    "replace"/4 => replace, "String.replace(string, pattern, replacement, opts): global: false for the first only";
    "replace_leading"/3 => |_, args| replace_end(args, true), "String.replace_leading(string, match, replacement)";
    "replace_trailing"/3 => |_, args| replace_end(args, false), "String.replace_trailing(string, match, replacement)";
    "contains?"/2 => |_, args| test("contains?", args, contains), "String.contains?(string, contents): one of them, if several";
    "starts_with?"/2 => |_, args| test("starts_with?", args, |text, part| text.starts_with(part)), "String.starts_with?(string, prefix): one of them, if several";
    "ends_with?"/2 => |_, args| test("ends_with?", args, |text, part| text.ends_with(part)), "String.ends_with?(string, suffix): one of them, if several";
};

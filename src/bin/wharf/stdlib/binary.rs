//! `:binary`: parts of binaries, by place and by pattern.
//!
//! Relies on `text::pattern` for the search. Promises parts that share the bytes they are of.
#![forbid(unsafe_code)]

use super::argument::{Answer, amount, bad, binary, bytes, has_flag, option};
use super::kernel::binary_part;
use super::text::pattern::{find_all, patterns};
use super::{Entry, convert, table};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use num_bigint::{BigInt, Sign};
use std::ops::Range;
use wharf::term::{Binary, Term};

fn options(args: &[Term], place: usize) -> Term {
    args.get(place - 1).cloned().unwrap_or(Term::Nil)
}

/// The matches of the patterns at place 2, in the `scope` if the options have one.
fn matches(args: &[Term], options: &Term) -> Result<Vec<Range<usize>>, Throw> {
    let whole = binary(args, 1)?;
    let wanted = match &args[1] {
        Term::Tuple(compiled) if compiled.len() == 2 && compiled[0].is_atom("$pattern") => {
            &compiled[1]
        }
        pattern => pattern,
    };
    let wanted = patterns(wanted)
        .filter(|patterns| {
            !patterns.is_empty() && patterns.iter().all(|pattern| !pattern.is_empty())
        })
        .ok_or_else(|| bad(2, "not a valid pattern"))?;
    let scope = match option(options, "scope") {
        None => 0..whole.len(),
        Some(scope) => scope
            .as_tuple()
            .and_then(|scope| place(whole.len(), scope.first()?, scope.get(1)?))
            .ok_or_else(|| bad(3, "invalid options"))?,
    };
    let found = find_all(&whole[scope.clone()], &wanted);
    Ok(found
        .into_iter()
        .map(|found| found.start + scope.start..found.end + scope.start)
        .collect())
}

/// The bytes that start and length name; a negative length goes back.
fn place(size: usize, start: &Term, length: &Term) -> Option<Range<usize>> {
    let (start, length) = (start.as_int()?, length.as_int()?);
    let end = start.checked_add(length)?;
    let range = usize::try_from(start.min(end)).ok()?..usize::try_from(start.max(end)).ok()?;
    (range.end <= size).then_some(range)
}

fn pair(range: &Range<usize>) -> Term {
    Term::tuple([range.start.into(), range.len().into()])
}

fn match_first(_: &mut Context, args: &[Term]) -> Answer {
    let found = matches(args, &options(args, 3))?;
    Ok(found.first().map_or_else(|| Term::atom("nomatch"), pair))
}

fn match_all(_: &mut Context, args: &[Term]) -> Answer {
    Ok(Term::list(
        matches(args, &options(args, 3))?.iter().map(pair).collect(),
    ))
}

fn split(_: &mut Context, args: &[Term]) -> Answer {
    let (whole, options) = (binary(args, 1)?, options(args, 3));
    let mut found = matches(args, &options)?;
    if !has_flag(&options, "global") {
        found.truncate(1);
    }
    let mut parts = Vec::new();
    let mut from = 0;
    for found in found {
        parts.push(whole.slice(from..found.start));
        from = found.end;
    }
    parts.push(whole.slice(from..whole.len()));
    if has_flag(&options, "trim_all") {
        parts.retain(|part| !part.is_empty());
    } else if has_flag(&options, "trim") {
        let kept = parts
            .iter()
            .rposition(|part| !part.is_empty())
            .map_or(0, |last| last + 1);
        parts.truncate(kept);
    }
    Ok(Term::list(parts.into_iter().map(Term::Binary).collect()))
}

fn replace(ctx: &mut Context, args: &[Term]) -> Answer {
    let (whole, options) = (binary(args, 1)?, options(args, 4));
    let mut found = matches(args, &options)?;
    if !has_flag(&options, "global") {
        found.truncate(1);
    }
    let (mut output, mut from) = (Vec::with_capacity(whole.len()), 0);
    for found in found {
        output.extend_from_slice(&whole[from..found.start]);
        from = found.end;
        match &args[2] {
            Term::Binary(replacement) => output.extend_from_slice(replacement),
            fun @ Term::Fun(_) => {
                let made = ctx.apply(fun, vec![Term::Binary(whole.slice(found))])?;
                output.extend_from_slice(
                    bytes(&made).ok_or_else(|| bad(3, "not a valid replacement"))?,
                );
            }
            _ => return Err(bad(3, "not a valid replacement")),
        }
    }
    output.extend_from_slice(&whole[from..]);
    Ok(super::argument::binary_of(output))
}

fn part(ctx: &mut Context, args: &[Term]) -> Answer {
    match args {
        [whole, Term::Tuple(place)] if place.len() == 2 => {
            binary_part(ctx, &[whole.clone(), place[0].clone(), place[1].clone()])
        }
        [_, _, _] => binary_part(ctx, args),
        _ => Err(bad(2, "not a valid {Pos, Length} tuple")),
    }
}

fn at(_: &mut Context, args: &[Term]) -> Answer {
    let whole = binary(args, 1)?;
    let byte = args[1].as_usize().and_then(|place| whole.get(place));
    byte.map(|byte| Term::Int(i64::from(*byte)))
        .ok_or_else(|| Throw::badarg(None))
}

fn end(args: &[Term], byte: Option<&u8>) -> Answer {
    binary(args, 1)?;
    byte.map(|byte| Term::Int(i64::from(*byte)))
        .ok_or_else(|| bad(1, "a zero-sized binary is not allowed"))
}

fn copy(_: &mut Context, args: &[Term]) -> Answer {
    let whole = binary(args, 1)?;
    let times = if args.len() > 1 {
        super::argument::count(args, 2)?
    } else {
        1
    };
    let times = amount(times, whole.len())?;
    Ok(Term::Binary(Binary::from(whole.repeat(times))))
}

fn to_list(_: &mut Context, args: &[Term]) -> Answer {
    let whole = binary(args, 1)?;
    let range = match args {
        [_] => Some(0..whole.len()),
        [_, Term::Tuple(range)] if range.len() == 2 => place(whole.len(), &range[0], &range[1]),
        [_, start, length] => place(whole.len(), start, length),
        _ => None,
    };
    Ok(Term::bytes_list(
        whole.slice(range.ok_or_else(|| Throw::badarg(None))?),
    ))
}

fn is_little(args: &[Term]) -> bool {
    args.get(1).is_some_and(|order| order.is_atom("little"))
}

fn encode_unsigned(_: &mut Context, args: &[Term]) -> Answer {
    let number = super::argument::big(&args[0]).filter(|number| number.sign() != Sign::Minus);
    let number = number.ok_or_else(|| bad(1, "not a non-negative integer"))?;
    let bytes = number.magnitude();
    Ok(super::argument::binary_of(if is_little(args) {
        bytes.to_bytes_le()
    } else {
        bytes.to_bytes_be()
    }))
}

fn decode_unsigned(_: &mut Context, args: &[Term]) -> Answer {
    let bytes = binary(args, 1)?;
    Ok(Term::integer(if is_little(args) {
        BigInt::from_bytes_le(Sign::Plus, bytes)
    } else {
        BigInt::from_bytes_be(Sign::Plus, bytes)
    }))
}

/// How many bytes all the binaries have in common.
fn common(args: &[Term], from_end: bool) -> Answer {
    let wrong = || bad(1, "not a list of binaries");
    let items = args[0]
        .to_list_vec()
        .filter(|items| !items.is_empty())
        .ok_or_else(wrong)?;
    let all: Vec<&[u8]> = items
        .iter()
        .map(bytes)
        .collect::<Option<_>>()
        .ok_or_else(wrong)?;
    let byte = |text: &[u8], place: usize| {
        if from_end {
            text.len().checked_sub(place + 1).map(|place| text[place])
        } else {
            text.get(place).copied()
        }
    };
    let count = (0..).take_while(|place| {
        let first = byte(all[0], *place);
        first.is_some() && all.iter().all(|text| byte(text, *place) == first)
    });
    Ok(count.count().into())
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "split"/2 => split, ":binary.split(binary, pattern): the parts around the first match";
    "split"/3 => split, ":binary.split(binary, pattern, options): :global, :trim, :trim_all";
    "match"/2 => match_first, ":binary.match(binary, pattern): {place, length} or :nomatch";
    "match"/3 => match_first, ":binary.match(binary, pattern, scope: {place, length})";
    "matches"/2 => match_all, ":binary.matches(binary, pattern): all {place, length}";
    "matches"/3 => match_all, ":binary.matches(binary, pattern, options)";
    "compile_pattern"/1 => |_, args| Ok(Term::tuple([Term::atom("$pattern"), args[0].clone()])), ":binary.compile_pattern(pattern)";
    "replace"/3 => replace, ":binary.replace(binary, pattern, replacement): the first match";
    "replace"/4 => replace, ":binary.replace(binary, pattern, replacement, [:global])";
    "part"/2 => part, ":binary.part(binary, {place, length})";
    "part"/3 => part, ":binary.part(binary, place, length)";
    "at"/2 => at, ":binary.at(binary, place): the byte there";
    "first"/1 => |_, args| end(args, binary(args, 1)?.first()), ":binary.first(binary): the first byte";
    "last"/1 => |_, args| end(args, binary(args, 1)?.last()), ":binary.last(binary): the last byte";
    "copy"/1 => copy, ":binary.copy(binary)";
    "copy"/2 => copy, ":binary.copy(binary, times)";
    "bin_to_list"/1 => to_list, ":binary.bin_to_list(binary)";
    "bin_to_list"/2 => to_list, ":binary.bin_to_list(binary, {place, length})";
    "bin_to_list"/3 => to_list, ":binary.bin_to_list(binary, place, length)";
    "list_to_bin"/1 => convert::list_to_binary, ":binary.list_to_bin(iolist)";
    "encode_unsigned"/1 => encode_unsigned, ":binary.encode_unsigned(integer): its bytes, largest first";
    "encode_unsigned"/2 => encode_unsigned, ":binary.encode_unsigned(integer, :big | :little)";
    "decode_unsigned"/1 => decode_unsigned, ":binary.decode_unsigned(binary)";
    "decode_unsigned"/2 => decode_unsigned, ":binary.decode_unsigned(binary, :big | :little)";
    "longest_common_prefix"/1 => |_, args| common(args, false), ":binary.longest_common_prefix(binaries): its length";
    "longest_common_suffix"/1 => |_, args| common(args, true), ":binary.longest_common_suffix(binaries): its length";
    "referenced_byte_size"/1 => |_, args| binary(args, 1).map(|bytes| bytes.len().into()), ":binary.referenced_byte_size(binary)";
};

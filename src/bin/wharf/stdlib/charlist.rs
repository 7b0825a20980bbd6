//! `:string`: Erlang's functions on text, which may be charlists or binaries and stay what they are.
//!
//! Relies on `String`'s functions. Promises charlists for charlists and binaries for binaries.
#![forbid(unsafe_code)]

use super::argument::{Answer, binary_of, chardata, error_with};
use super::{Entry, convert, table};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use wharf::term::{Atom, Term};

fn clause(function: &str, args: &[Term]) -> Throw {
    Throw::about_call("function_clause", Some(Atom::new("string")), function, args)
}

fn text(function: &str, args: &[Term], place: usize) -> Result<Vec<u8>, Throw> {
    chardata(&args[place - 1]).map_err(|_| clause(function, args))
}

/// Text of the kind that `like` is.
fn of_kind(text: &[u8], like: &Term) -> Term {
    if matches!(like, Term::Binary(_)) {
        binary_of(text)
    } else {
        convert::characters(text)
    }
}

/// `String.function` of the first argument as a binary; the answer in the argument's kind.
fn as_string(ctx: &mut Context, function: &str, args: &[Term]) -> Answer {
    let subject = binary_of(text(function, args, 1)?);
    let result = ctx.call(Atom::new("Elixir.String"), function, vec![subject])?;
    Ok(match &result {
        Term::Binary(bytes) => of_kind(bytes, &args[0]),
        _ => result,
    })
}

/// The parts of the text between any of the separators' characters, without empty ones.
fn lexemes(function: &str, args: &[Term]) -> Answer {
    let subject = text(function, args, 1)?;
    let separators = args[1]
        .to_list_vec()
        .ok_or_else(|| clause(function, args))?;
    let separators: Vec<char> = separators
        .iter()
        .filter_map(|separator| char::from_u32(u32::try_from(separator.as_int()?).ok()?))
        .collect();
    let subject = String::from_utf8_lossy(&subject);
    let parts = subject
        .split(&separators[..])
        .filter(|part| !part.is_empty());
    Ok(Term::list(
        parts
            .map(|part| of_kind(part.as_bytes(), &args[0]))
            .collect(),
    ))
}

fn find_place(
    args: &[Term],
    function: &str,
    last: bool,
) -> Result<(Vec<u8>, usize, Option<usize>), Throw> {
    let (subject, pattern) = (text(function, args, 1)?, text(function, args, 2)?);
    let place = match () {
        () if pattern.is_empty() => None,
        () if last => memchr::memmem::rfind(&subject, &pattern),
        () => memchr::memmem::find(&subject, &pattern),
    };
    Ok((subject, pattern.len(), place))
}

fn is_from_end(args: &[Term], place: usize) -> bool {
    args.get(place - 1)
        .is_some_and(|direction| direction.is_atom("trailing"))
}

fn find(_: &mut Context, args: &[Term]) -> Answer {
    let (subject, _, place) = find_place(args, "find", is_from_end(args, 3))?;
    Ok(place.map_or_else(
        || Term::atom("nomatch"),
        |place| of_kind(&subject[place..], &args[0]),
    ))
}

/// The text cut at matches: the first, the last or all.
fn pieces(args: &[Term], function: &str, direction: usize) -> Result<Vec<Vec<u8>>, Throw> {
    if args
        .get(direction - 1)
        .is_some_and(|direction| direction.is_atom("all"))
    {
        let (subject, pattern) = (text(function, args, 1)?, text(function, args, 2)?);
        let mut from = 0;
        let mut pieces = Vec::new();
        for found in super::text::pattern::find_all(&subject, &[pattern]) {
            pieces.push(subject[from..found.start].to_vec());
            from = found.end;
        }
        pieces.push(subject[from..].to_vec());
        return Ok(pieces);
    }
    let (subject, length, place) = find_place(args, function, is_from_end(args, direction))?;
    Ok(match place {
        Some(place) => vec![
            subject[..place].to_vec(),
            subject[place + length..].to_vec(),
        ],
        None => vec![subject],
    })
}

fn split(_: &mut Context, args: &[Term]) -> Answer {
    let pieces = pieces(args, "split", 3)?;
    Ok(Term::list(
        pieces
            .iter()
            .map(|piece| of_kind(piece, &args[0]))
            .collect(),
    ))
}

fn replace(_: &mut Context, args: &[Term]) -> Answer {
    let pieces = pieces(args, "replace", 4)?;
    let pieces = pieces
        .iter()
        .map(|piece| of_kind(piece, &args[0]))
        .collect();
    Ok(Term::list(super::enumeration::shape::separated(
        pieces, &args[2],
    )))
}

fn join(_: &mut Context, args: &[Term]) -> Answer {
    let lists = args[0].to_list_vec().ok_or_else(|| clause("join", args))?;
    let separator = args[1].to_list_vec().ok_or_else(|| clause("join", args))?;
    let mut all = Vec::new();
    for (index, list) in lists.iter().enumerate() {
        if index > 0 {
            all.extend(separator.iter().cloned());
        }
        all.extend(list.to_list_vec().ok_or_else(|| clause("join", args))?);
    }
    Ok(Term::list(all))
}

/// `{number, rest}` of the digits a text begins with.
fn to_integer(_: &mut Context, args: &[Term]) -> Answer {
    let subject = text("to_integer", args, 1)?;
    let sign = usize::from(matches!(subject.first(), Some(b'+' | b'-')));
    let digits = subject[sign..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    Ok(
        match convert::parse_integer(&subject[..sign + digits], 10) {
            Some(number) => Term::tuple([number, of_kind(&subject[sign + digits..], &args[0])]),
            None => error_with(Term::atom("no_integer")),
        },
    )
}

fn equal(_: &mut Context, args: &[Term]) -> Answer {
    Ok((text("equal", args, 1)? == text("equal", args, 2)?).into())
}

fn is_empty(_: &mut Context, args: &[Term]) -> Answer {
    Ok(text("is_empty", args, 1)?.is_empty().into())
}

fn prefix(_: &mut Context, args: &[Term]) -> Answer {
    let (subject, start) = (text("prefix", args, 1)?, text("prefix", args, 2)?);
    Ok(subject
        .strip_prefix(&start[..])
        .map_or_else(|| Term::atom("nomatch"), |rest| of_kind(rest, &args[0])))
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "length"/1 => |ctx, args| as_string(ctx, "length", args), ":string.length(text)";
    "uppercase"/1 => |ctx, args| as_string(ctx, "upcase", args), ":string.uppercase(text)";
    "lowercase"/1 => |ctx, args| as_string(ctx, "downcase", args), ":string.lowercase(text)";
    "to_upper"/1 => |ctx, args| as_string(ctx, "upcase", args), ":string.to_upper(charlist)";
    "to_lower"/1 => |ctx, args| as_string(ctx, "downcase", args), ":string.to_lower(charlist)";
    "trim"/1 => |ctx, args| as_string(ctx, "trim", args), ":string.trim(text)";
    "strip"/1 => |ctx, args| as_string(ctx, "trim", args), ":string.strip(charlist)";
    "reverse"/1 => |ctx, args| as_string(ctx, "reverse", args), ":string.reverse(text)";
    "split"/2 => split, ":string.split(text, pattern): at the first match";
    "split"/3 => split, ":string.split(text, pattern, :leading | :trailing | :all)";
    "replace"/3 => replace, ":string.replace(text, pattern, replacement): a list of parts";
    "replace"/4 => replace, ":string.replace(text, pattern, replacement, :leading | :trailing | :all)";
    "find"/2 => find, ":string.find(text, pattern): the text from the match, or :nomatch";
    "find"/3 => find, ":string.find(text, pattern, :leading | :trailing)";
    "tokens"/2 => |_, args| lexemes("tokens", args), ":string.tokens(charlist, separators)";
    "lexemes"/2 => |_, args| lexemes("lexemes", args), ":string.lexemes(text, separators)";
    "join"/2 => join, ":string.join(charlists, separator)";
    "to_integer"/1 => to_integer, ":string.to_integer(text): {integer, rest} or {:error, reason}";
    "equal"/2 => equal, ":string.equal(left, right)";
    "is_empty"/1 => is_empty, ":string.is_empty(text)";
    "prefix"/2 => prefix, ":string.prefix(text, prefix): the rest, or :nomatch";
};

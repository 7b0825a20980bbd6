//! `Path`, and `:filename`: names of files as text, without looking at files but for wildcards.
//!
//! Relies on `file` for the current folder. Promises Elixir's forms: no trailing slash, no doubled one where it joins.
#![forbid(unsafe_code)]

use super::argument::{Answer, binary_of, chardata};
use super::file::{current, entries};
use super::{Entry, convert, environment, table};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use wharf::term::Term;

/// The path at `place`, chardata, as bytes.
fn path(args: &[Term], place: usize) -> Result<Vec<u8>, Throw> {
    let term = &args[place - 1];
    let wrong = || Throw::function_clause("IO", "chardata_to_string", std::slice::from_ref(term));
    match term {
        Term::Binary(_) | Term::Nil | Term::List(_) => chardata(term).map_err(|_| wrong()),
        Term::Atom(name) if !term.is_atom("nil") => Ok(name.as_str().as_bytes().to_vec()),
        _ => Err(wrong()),
    }
}

fn text(bytes: impl AsRef<[u8]>) -> Term {
    binary_of(bytes.as_ref())
}

/// Without slashes at its end, but for the root.
fn trimmed(path: &[u8]) -> &[u8] {
    let end = path
        .iter()
        .rposition(|byte| *byte != b'/')
        .map_or(usize::from(!path.is_empty()), |last| last + 1);
    &path[..end]
}

/// `left/right`: one slash goes from the end of the left, and from both ends of the right.
fn joined(left: &[u8], right: &[u8]) -> Vec<u8> {
    let right = right.strip_prefix(b"/").unwrap_or(right);
    let right = right.strip_suffix(b"/").unwrap_or(right);
    match left.strip_suffix(b"/").unwrap_or(left) {
        _ if left.is_empty() => right.to_vec(),
        b"" => [b"/", right].concat(),
        left if right.is_empty() => left.to_vec(),
        left => [left, b"/", right].concat(),
    }
}

/// The same with doubled slashes made one, and none at the end.
fn collapsed(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut result = [left, b"/", right].concat();
    result.dedup_by(|byte, before| *byte == b'/' && *before == b'/');
    trimmed(&result).to_vec()
}

fn join(_: &mut Context, args: &[Term]) -> Answer {
    Ok(text(joined(&path(args, 1)?, &path(args, 2)?)))
}

fn join_all(_: &mut Context, args: &[Term]) -> Answer {
    let parts = args[0].to_list_vec().filter(|parts| !parts.is_empty());
    let parts = parts.ok_or_else(|| Throw::function_clause("Path", "join", args))?;
    let mut result = trimmed(&path(&parts, 1)?).to_vec();
    for place in 2..=parts.len() {
        result = joined(&result, &path(&parts, place)?);
    }
    Ok(text(result))
}

/// The parts between slashes.
fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty())
}

fn is_absolute(path: &[u8]) -> bool {
    path.first() == Some(&b'/')
}

/// An absolute path without `.` and `..`.
fn normal(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    for part in parts(path) {
        match part {
            b"." => {}
            b".." => {
                kept.pop();
            }
            part => kept.push(part),
        }
    }
    [b"/", &kept.join(&b'/')[..]].concat()
}

/// With `~` for the home folder.
fn at_home(ctx: &Context, path: Vec<u8>) -> Vec<u8> {
    match path.strip_prefix(b"~") {
        Some(rest) if rest.is_empty() || is_absolute(rest) => [
            environment::variable(ctx, b"HOME").unwrap_or_default(),
            rest.to_vec(),
        ]
        .concat(),
        _ => path,
    }
}

fn absolute(path: &[u8], folder: &[u8]) -> Vec<u8> {
    if is_absolute(path) {
        collapsed(path, b"")
    } else {
        collapsed(folder, path)
    }
}

fn folder(ctx: &Context, args: &[Term]) -> Result<Vec<u8>, Throw> {
    if args.len() < 2 {
        Ok(current())
    } else {
        Ok(absolute(&at_home(ctx, path(args, 2)?), &current()))
    }
}

fn expand(ctx: &mut Context, args: &[Term]) -> Answer {
    let path = at_home(ctx, path(args, 1)?);
    Ok(text(normal(&absolute(&path, &folder(ctx, args)?))))
}

fn absname(_: &mut Context, args: &[Term]) -> Answer {
    let folder = if args.len() < 2 {
        current()
    } else {
        path(args, 2)?
    };
    Ok(text(absolute(&path(args, 1)?, &folder)))
}

fn base(path: &[u8]) -> &[u8] {
    parts(path).last().unwrap_or_default()
}

fn basename(_: &mut Context, args: &[Term]) -> Answer {
    let path = path(args, 1)?;
    let name = base(&path);
    if args.len() < 2 {
        return Ok(text(name));
    }
    let extension = chardata(&args[1]).map_err(|_| Throw::badarg(None))?;
    let stem = name
        .strip_suffix(&extension[..])
        .filter(|stem| !stem.is_empty());
    Ok(text(stem.unwrap_or(name)))
}

fn dir(path: &[u8]) -> Vec<u8> {
    match path.iter().rposition(|byte| *byte == b'/') {
        None => b".".to_vec(),
        Some(last) => match trimmed(&path[..=last]) {
            [] => b"/".to_vec(),
            folder => folder.to_vec(),
        },
    }
}

/// Where the extension begins: the last dot of the last part, not its first character.
fn extension_place(path: &[u8]) -> Option<usize> {
    let name = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    path[name..]
        .iter()
        .rposition(|byte| *byte == b'.')
        .filter(|dot| *dot > 0)
        .map(|dot| name + dot)
}

fn extname(_: &mut Context, args: &[Term]) -> Answer {
    let path = path(args, 1)?;
    Ok(text(
        extension_place(&path).map_or(&[][..], |place| &path[place..]),
    ))
}

fn rootname(_: &mut Context, args: &[Term]) -> Answer {
    let path = path(args, 1)?;
    let root = match args.get(1) {
        None => extension_place(&path).map_or(&path[..], |place| &path[..place]),
        Some(extension) => {
            let extension = chardata(extension).map_err(|_| Throw::badarg(None))?;
            path.strip_suffix(&extension[..]).unwrap_or(&path)
        }
    };
    Ok(text(root))
}

fn split(_: &mut Context, args: &[Term]) -> Answer {
    let path = path(args, 1)?;
    let mut result = Vec::new();
    if is_absolute(&path) {
        result.push(Term::from("/"));
    }
    result.extend(parts(&path).map(text));
    Ok(Term::list(result))
}

fn kind(_: &mut Context, args: &[Term]) -> Answer {
    Ok(Term::atom(if is_absolute(&path(args, 1)?) {
        "absolute"
    } else {
        "relative"
    }))
}

fn relative(_: &mut Context, args: &[Term]) -> Answer {
    let path = path(args, 1)?;
    let kept: Vec<&[u8]> = parts(&path).collect();
    Ok(text(kept.join(&b'/')))
}

fn relative_to(_: &mut Context, args: &[Term]) -> Answer {
    let whole = path(args, 1)?;
    let folder = if args.len() < 2 {
        current()
    } else {
        path(args, 2)?
    };
    let mut rest = parts(&whole);
    let inside = is_absolute(&whole) == is_absolute(&folder)
        && parts(&folder).all(|part| rest.next() == Some(part));
    if !inside {
        return Ok(text(trimmed(&whole)));
    }
    let rest: Vec<&[u8]> = rest.collect();
    Ok(if rest.is_empty() {
        Term::from(".")
    } else {
        text(rest.join(&b'/'))
    })
}

/// Whether a name fits a pattern of `*`, `?`, `[abc]` and literal characters.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.first(), name.first()) {
        (None, None) => true,
        (Some(b'*'), _) => {
            matches(&pattern[1..], name) || !name.is_empty() && matches(pattern, &name[1..])
        }
        (Some(b'?'), Some(_)) => matches(&pattern[1..], &name[1..]),
        (Some(b'['), Some(byte)) => match pattern.iter().position(|byte| *byte == b']') {
            Some(end) => pattern[1..end].contains(byte) && matches(&pattern[end + 1..], &name[1..]),
            None => false,
        },
        (Some(wanted), Some(byte)) if wanted == byte => matches(&pattern[1..], &name[1..]),
        _ => false,
    }
}

/// The files that `pattern`, from `parts` on, names below `folder`.
fn walk(folder: &[u8], parts: &[&[u8]], found: &mut Vec<Vec<u8>>) {
    let [part, rest @ ..] = parts else {
        found.push(folder.to_vec());
        return;
    };
    if *part == b"**" {
        walk(folder, rest, found);
    }
    let is_literal = !part.iter().any(|byte| b"*?[".contains(byte));
    for name in entries(folder) {
        let below = if folder.is_empty() {
            name.clone()
        } else {
            joined(folder, &name)
        };
        let hidden = name.first() == Some(&b'.') && part.first() != Some(&b'.');
        if *part == b"**" {
            if !hidden && std::path::Path::new(&*String::from_utf8_lossy(&below)).is_dir() {
                walk(&below, parts, found);
            }
        } else if (is_literal && name == *part) || (!is_literal && !hidden && matches(part, &name))
        {
            walk(&below, rest, found);
        }
    }
}

fn wildcard(_: &mut Context, args: &[Term]) -> Answer {
    let pattern = path(args, 1)?;
    let mut found = Vec::new();
    let start: &[u8] = if is_absolute(&pattern) { b"/" } else { b"" };
    walk(start, &parts(&pattern).collect::<Vec<_>>(), &mut found);
    found.sort_unstable();
    found.dedup();
    Ok(Term::list(found.into_iter().map(text).collect()))
}

/// The functions of `Path`.
pub(crate) const TABLE: &[Entry] = table! {
    "join"/1 => join_all, "Path.join(parts): one path of all";
    "join"/2 => join, "Path.join(left, right): one path of both";
    "expand"/1 => expand, "Path.expand(path): absolute, without . and ..";
    "expand"/2 => expand, "Path.expand(path, relative_to)";
    "absname"/1 => absname, "Path.absname(path): absolute, with . and .. as they are";
    "absname"/2 => absname, "Path.absname(path, relative_to)";
    "basename"/1 => basename, "Path.basename(path): the last part";
    "basename"/2 => basename, "Path.basename(path, extension): the last part without extension";
    "dirname"/1 => |_, args| Ok(text(dir(&path(args, 1)?))), "Path.dirname(path): all but the last part";
    "extname"/1 => extname, "Path.extname(path): the extension with its dot";
    "rootname"/1 => rootname, "Path.rootname(path): without its extension";
    "rootname"/2 => rootname, "Path.rootname(path, extension)";
    "split"/1 => split, "Path.split(path): its parts";
    "type"/1 => kind, "Path.type(path): :absolute or :relative";
    "relative"/1 => relative, "Path.relative(path): without its root";
    "relative_to"/2 => relative_to, "Path.relative_to(path, from): the part below from, or all of it";
    "relative_to_cwd"/1 => relative_to, "Path.relative_to_cwd(path)";
    "wildcard"/1 => wildcard, "Path.wildcard(glob): the files that *, **, ? and [abc] stand for";
};

/// `function` for Erlang: text comes back as the kind it came in.
fn in_kind(result: Answer, args: &[Term]) -> Answer {
    let as_list = args.iter().all(|arg| !matches!(arg, Term::Binary(_)));
    let to_list = |term: Term| match &term {
        Term::Binary(text) if as_list => convert::characters(text),
        _ => term,
    };
    result.map(to_list)
}

/// The functions of `:filename`.
pub(crate) const ERLANG: &[Entry] = table! {
    "join"/1 => |ctx, args| in_kind(join_all(ctx, args), &args[0].to_list_vec().unwrap_or_default()), ":filename.join(parts)";
    "join"/2 => |ctx, args| in_kind(join(ctx, args), args), ":filename.join(left, right)";
    "basename"/1 => |ctx, args| in_kind(basename(ctx, args), args), ":filename.basename(name)";
    "basename"/2 => |ctx, args| in_kind(basename(ctx, args), args), ":filename.basename(name, extension)";
    "dirname"/1 => |_, args| in_kind(Ok(text(dir(&path(args, 1)?))), args), ":filename.dirname(name)";
    "extension"/1 => |ctx, args| in_kind(extname(ctx, args), args), ":filename.extension(name)";
    "rootname"/1 => |ctx, args| in_kind(rootname(ctx, args), args), ":filename.rootname(name)";
    "absname"/1 => |ctx, args| in_kind(absname(ctx, args), args), ":filename.absname(name)";
};

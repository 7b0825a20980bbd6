//! Where programs are found: `System.find_executable/1` and `:os.find_executable/1,2`.
//!
//! Relies on `environment` for `PATH`. Promises what Erlang finds, which is not all that a shell would: a name with a
//! slash in it is looked for in the folders of `PATH` too, unless it is absolute.
#![forbid(unsafe_code)]

use super::argument::{Answer, binary_of, bytes, chardata, nil};
use super::environment::variable;
use super::{Entry, convert, table};
use crate::inspect::inspect;
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use wharf::term::Term;

fn runs(file: &[u8]) -> bool {
    std::fs::metadata(OsStr::from_bytes(file))
        .is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

/// A file in one of the folders of `path`, or of `PATH`, that may be run.
pub(crate) fn find(ctx: &Context, program: &[u8], path: Option<&[u8]>) -> Option<Vec<u8>> {
    if program.starts_with(b"/") {
        return runs(program).then(|| program.to_vec());
    }
    let path = match path {
        Some(path) => path.to_vec(),
        None => variable(ctx, b"PATH").unwrap_or_default(),
    };
    path.split(|byte| *byte == b':')
        .map(|folder| joined(unquoted(folder), program))
        .find(|file| runs(file))
}

fn unquoted(folder: &[u8]) -> &[u8] {
    let inner = folder.strip_prefix(b"\"");
    inner
        .and_then(|inner| inner.strip_suffix(b"\""))
        .unwrap_or(folder)
}

/// `filename:join/2`, with `.` for no folder.
fn joined(folder: &[u8], program: &[u8]) -> Vec<u8> {
    let folder = if folder.is_empty() { b"." } else { folder };
    let whole = [folder, b"/", program].concat();
    let mut parts = whole.split(|byte| *byte == b'/');
    let mut joined = parts.next().unwrap_or_default().to_vec();
    for part in parts.filter(|part| !matches!(*part, b"" | b".")) {
        joined.push(b'/');
        joined.extend_from_slice(part);
    }
    joined
}

/// Programs have no name with a zero in it; `function` is who says so.
pub(crate) fn without_nul<'a>(function: &str, program: &'a [u8]) -> Result<&'a [u8], Throw> {
    if program.contains(&0) {
        let shown = inspect(&binary_of(program));
        return Err(Throw::argument_error(&format!(
            "cannot execute System.{function} for program with null byte, got: {shown}"
        )));
    }
    Ok(program)
}

fn system_find(ctx: &mut Context, args: &[Term]) -> Answer {
    let program =
        bytes(&args[0]).ok_or_else(|| Throw::function_clause("System", "find_executable", args))?;
    let program = without_nul("find_executable/1", program)?;
    Ok(find(ctx, program, None).map_or_else(nil, binary_of))
}

fn os_find(ctx: &mut Context, args: &[Term]) -> Answer {
    let text = |term: &Term| match term {
        Term::Binary(_) => Err(Throw::badarg(None)),
        Term::Atom(name) => Ok(name.as_str().as_bytes().to_vec()),
        text => chardata(text).map_err(|_| Throw::badarg(None)),
    };
    let path = args.get(1).map(text).transpose()?;
    let found = find(ctx, &text(&args[0])?, path.as_deref());
    Ok(found.map_or_else(|| false.into(), |found| convert::characters(&found)))
}

/// The function of `System`.
pub(crate) const SYSTEM: &[Entry] = table! {
    "find_executable"/1 => system_find, "System.find_executable(program): its path, or nil";
};

/// The functions of `:os`.
pub(crate) const OS: &[Entry] = table! {
    "find_executable"/1 => os_find, ":os.find_executable(name): a charlist, or false";
    "find_executable"/2 => os_find, ":os.find_executable(name, path)";
};

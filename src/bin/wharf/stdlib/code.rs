//! `:code`: where an Erlang that is installed beside wharf keeps its applications.
//!
//! Scripts ask it for the folders of drivers. Relies on the usual places and on `ERL_LIBS`. Promises folders that exist.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad, chardata, error_with};
use super::{Entry, convert, environment, file, table};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use wharf::term::Term;

/// Where installations of Erlang are looked for.
const ROOTS: &[&str] = &["/usr/lib/erlang", "/usr/local/lib/erlang", "/opt/erlang"];

fn exists(path: &[u8]) -> bool {
    Path::new(OsStr::from_bytes(path)).is_dir()
}

/// The installation's folder, if there is one.
fn root(ctx: &Context) -> Option<Vec<u8>> {
    let named = environment::variable(ctx, b"ROOTDIR");
    let usual = ROOTS.iter().map(|root| root.as_bytes().to_vec());
    named
        .into_iter()
        .chain(usual)
        .find(|root| exists(&[root, &b"/lib"[..]].concat()))
}

/// The folder of an application: `name` or the last of `name-version`.
fn application(ctx: &Context, name: &[u8]) -> Option<Vec<u8>> {
    let listed = environment::variable(ctx, b"ERL_LIBS").unwrap_or_default();
    let listed = listed
        .split(|byte| *byte == b':')
        .filter(|folder| !folder.is_empty())
        .map(<[u8]>::to_vec);
    let folders = listed.chain(root(ctx).map(|root| [root, b"/lib".to_vec()].concat()));
    folders.into_iter().find_map(|folder| {
        let fits = |entry: &Vec<u8>| {
            entry == name
                || entry
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with(b"-"))
        };
        let found = file::entries(&folder).into_iter().rfind(fits)?;
        Some([&folder[..], b"/", &found].concat()).filter(|found| exists(found))
    })
}

fn name(args: &[Term]) -> Result<Vec<u8>, Throw> {
    match &args[0] {
        Term::Atom(name) => Ok(name.as_str().as_bytes().to_vec()),
        text => chardata(text).map_err(|_| bad(1, "not an atom")),
    }
}

fn folder(ctx: &Context, args: &[Term], below: Option<&[u8]>) -> Answer {
    Ok(match (application(ctx, &name(args)?), below) {
        (None, _) => error_with(Term::atom("bad_name")),
        (Some(found), None) => convert::characters(&found),
        (Some(found), Some(below)) => convert::characters(&[&found[..], b"/", below].concat()),
    })
}

fn root_dir(ctx: &mut Context, _: &[Term]) -> Answer {
    Ok(convert::characters(&root(ctx).unwrap_or_default()))
}

fn lib_dir(ctx: &mut Context, args: &[Term]) -> Answer {
    match args {
        [] => Ok(convert::characters(
            &[root(ctx).unwrap_or_default(), b"/lib".to_vec()].concat(),
        )),
        [_] => folder(ctx, args, None),
        _ => {
            let below = super::argument::atom(args, 2)?;
            folder(ctx, args, Some(below.as_str().as_bytes()))
        }
    }
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "root_dir"/0 => root_dir, ":code.root_dir(): the folder of an installed Erlang";
    "lib_dir"/0 => lib_dir, ":code.lib_dir(): the folder of its applications";
    "lib_dir"/1 => lib_dir, ":code.lib_dir(name): the folder of an application, or {:error, :bad_name}";
    "lib_dir"/2 => lib_dir, ":code.lib_dir(name, folder)";
    "priv_dir"/1 => |ctx, args| folder(ctx, args, Some(b"priv")), ":code.priv_dir(name): where an application keeps its drivers";
};

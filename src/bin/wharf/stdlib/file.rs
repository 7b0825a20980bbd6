//! `File`, and the cheap part of `:file` and `:filelib`: whole files and folders.
//!
//! Relies on the standard library. Promises Erlang's names for the errors of the operating system.
#![forbid(unsafe_code)]

use super::argument::{Answer, binary_of, chardata, error_with, has_flag, nil, ok, ok_with};
use super::enumeration::items::structure;
use super::{Entry, convert, table};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use wharf::term::Term;

/// The error's name as Erlang has it: `enoent`.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => format!("{:?}", nix::errno::Errno::from_raw(number)).to_lowercase(),
        None => "einval".to_owned(),
    }
}

fn path_of(args: &[Term], place: usize) -> Result<PathBuf, Throw> {
    let wrong = || Throw::function_clause("IO", "chardata_to_string", &args[place - 1..place]);
    match &args[place - 1] {
        text @ (Term::Binary(_) | Term::Nil | Term::List(_)) => {
            let bytes = chardata(text).map_err(|_| wrong())?;
            Ok(PathBuf::from(OsString::from_vec(bytes)))
        }
        _ => Err(wrong()),
    }
}

fn text_of(path: &Path) -> Term {
    binary_of(path.as_os_str().as_bytes())
}

/// `{:error, reason}`, or the value as `wrap` gives it.
fn answer<T>(result: io::Result<T>, wrap: impl FnOnce(T) -> Term) -> Term {
    match result {
        Ok(value) => wrap(value),
        Err(error) => error_with(Term::atom(&reason(&error))),
    }
}

fn done(result: io::Result<()>) -> Answer {
    Ok(answer(result, |()| ok()))
}

/// The value of `{:ok, value}` or `:ok`; `File.Error` for `{:error, reason}`.
fn or_raise(result: Term, action: &str, path: &Term) -> Answer {
    match result.as_tuple().map(|pair| &pair[..]) {
        Some([tag, value]) if tag.is_atom("ok") => Ok(value.clone()),
        Some([tag, reason]) if tag.is_atom("error") => Err(Throw::exception(
            "File.Error",
            &[
                ("reason", reason.clone()),
                ("path", path.clone()),
                ("action", Term::from(action)),
            ],
        )),
        Some([tag, reason, file]) if tag.is_atom("error") => Err(Throw::exception(
            "File.Error",
            &[
                ("reason", reason.clone()),
                ("path", file.clone()),
                ("action", Term::from(action)),
            ],
        )),
        _ => Ok(result),
    }
}

macro_rules! raising {
    ($function:expr, $action:literal) => {
        |ctx, args| {
            let result = $function(ctx, args)?;
            or_raise(result, $action, &args[0])
        }
    };
}

fn read(_: &mut Context, args: &[Term]) -> Answer {
    Ok(answer(fs::read(path_of(args, 1)?), |bytes| {
        ok_with(binary_of(bytes))
    }))
}

fn write(_: &mut Context, args: &[Term]) -> Answer {
    let path = path_of(args, 1)?;
    let modes = args.get(2).cloned().unwrap_or(Term::Nil);
    let Ok(bytes) = wharf::term::iodata::flatten(&args[1]) else {
        return Ok(error_with(Term::atom("badarg")));
    };
    let append = has_flag(&modes, "append");
    let file = OpenOptions::new()
        .write(true)
        .append(append)
        .create(true)
        .truncate(!append)
        .open(path);
    done(file.and_then(|mut file| file.write_all(&bytes)))
}

fn exists(args: &[Term], fits: fn(&fs::Metadata) -> bool) -> Answer {
    Ok(fs::metadata(path_of(args, 1)?)
        .is_ok_and(|facts| fits(&facts))
        .into())
}

fn rm(_: &mut Context, args: &[Term]) -> Answer {
    let path = path_of(args, 1)?;
    // Erlang refuses folders with the reason it has for what the user may not do.
    if fs::symlink_metadata(&path).is_ok_and(|facts| facts.is_dir()) {
        return Ok(error_with(Term::atom("eperm")));
    }
    done(fs::remove_file(path))
}

/// Removes a file or a folder with everything in it; the error names what could not be removed.
fn remove_all(path: &Path, removed: &mut Vec<Term>) -> Result<(), (io::Error, PathBuf)> {
    let failed = |error| (error, path.to_owned());
    let facts = match fs::symlink_metadata(path) {
        Ok(facts) => facts,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if facts.is_dir() {
        let place = removed.len();
        for entry in fs::read_dir(path).map_err(failed)? {
            remove_all(&entry.map_err(failed)?.path(), removed)?;
        }
        fs::remove_dir(path).map_err(failed)?;
        removed.insert(place, text_of(path));
    } else {
        fs::remove_file(path).map_err(failed)?;
        removed.push(text_of(path));
    }
    Ok(())
}

fn rm_rf(_: &mut Context, args: &[Term]) -> Answer {
    let mut removed = Vec::new();
    Ok(match remove_all(&path_of(args, 1)?, &mut removed) {
        Ok(()) => ok_with(Term::list(removed)),
        Err((error, path)) => Term::tuple([
            Term::atom("error"),
            Term::atom(&reason(&error)),
            text_of(&path),
        ]),
    })
}

fn rmdir(_: &mut Context, args: &[Term]) -> Answer {
    let result = fs::remove_dir(path_of(args, 1)?);
    Ok(match result {
        // Erlang knows a folder that is not empty as one that exists.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            error_with(Term::atom("eexist"))
        }
        result => answer(result, |()| ok()),
    })
}

/// The names in a folder, in the order the operating system has them.
fn names(path: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect()
}

fn ls(_: &mut Context, args: &[Term]) -> Answer {
    let path = if args.is_empty() {
        PathBuf::from(".")
    } else {
        path_of(args, 1)?
    };
    let listed = |names: Vec<OsString>| {
        ok_with(Term::list(
            names
                .iter()
                .map(|name| binary_of(name.as_bytes()))
                .collect(),
        ))
    };
    Ok(answer(names(&path), listed))
}

fn cwd(_: &mut Context, _: &[Term]) -> Answer {
    Ok(answer(std::env::current_dir(), |path| {
        ok_with(text_of(&path))
    }))
}

/// `System.cwd()`
pub(crate) fn cwd_or_nil(_: &mut Context, _: &[Term]) -> Answer {
    Ok(std::env::current_dir().map_or_else(|_| nil(), |path| text_of(&path)))
}

/// `File.cwd!()`
pub(crate) fn cwd_or_raise(ctx: &mut Context, args: &[Term]) -> Answer {
    let result = cwd(ctx, args)?;
    or_raise(result, "get current working directory", &Term::from(""))
}

fn cd(_: &mut Context, args: &[Term]) -> Answer {
    done(std::env::set_current_dir(path_of(args, 1)?))
}

fn touch(_: &mut Context, args: &[Term]) -> Answer {
    let path = path_of(args, 1)?;
    let file = OpenOptions::new()
        .append(true)
        .create(!path.is_dir())
        .read(path.is_dir())
        .open(&path);
    let now = std::time::SystemTime::now();
    done(match file {
        Ok(file) => file.set_modified(now),
        Err(error) if path.is_dir() => fs::File::open(&path)
            .and_then(|folder| folder.set_modified(now))
            .map_err(|_| error),
        Err(error) => Err(error),
    })
}

fn chmod(_: &mut Context, args: &[Term]) -> Answer {
    let mode = args[1].as_int().and_then(|mode| u32::try_from(mode).ok());
    let mode = mode.ok_or_else(|| Throw::function_clause("File", "chmod", args))?;
    done(fs::set_permissions(
        path_of(args, 1)?,
        fs::Permissions::from_mode(mode),
    ))
}

fn date_time(seconds: i64) -> Term {
    let [year, month, day, hour, minute, second] = super::clock::parts(seconds);
    Term::tuple([
        Term::tuple([year, month, day].map(Term::Int)),
        Term::tuple([hour, minute, second].map(Term::Int)),
    ])
}

/// `%File.Stat{}`
fn facts(facts: &fs::Metadata, posix: bool) -> Term {
    let kind = facts.file_type();
    let kind = if kind.is_file() {
        "regular"
    } else if kind.is_dir() {
        "directory"
    } else if kind.is_symlink() {
        "symlink"
    } else if kind.is_char_device() || kind.is_block_device() {
        "device"
    } else {
        "other"
    };
    let access = match facts.mode() & 0o600 {
        0o600 => "read_write",
        0o400 => "read",
        0o200 => "write",
        _ => "none",
    };
    let time = |seconds: i64| {
        if posix {
            Term::Int(seconds)
        } else {
            date_time(seconds)
        }
    };
    let number = |number: u64| Term::Int(i64::try_from(number).unwrap_or(i64::MAX));
    structure(
        "Elixir.File.Stat",
        &[
            ("size", number(facts.size())),
            ("type", Term::atom(kind)),
            ("access", Term::atom(access)),
            ("atime", time(facts.atime())),
            ("mtime", time(facts.mtime())),
            ("ctime", time(facts.ctime())),
            ("mode", number(u64::from(facts.mode()))),
            ("links", number(facts.nlink())),
            ("major_device", number(facts.dev())),
            ("minor_device", number(facts.rdev())),
            ("inode", number(facts.ino())),
            ("uid", number(u64::from(facts.uid()))),
            ("gid", number(u64::from(facts.gid()))),
        ],
    )
}

fn wants_posix(args: &[Term]) -> bool {
    let time = args
        .get(1)
        .and_then(|options| super::argument::option(options, "time"));
    time.is_some_and(|time| time.is_atom("posix"))
}

fn stat(_: &mut Context, args: &[Term]) -> Answer {
    Ok(answer(fs::metadata(path_of(args, 1)?), |found| {
        ok_with(facts(&found, wants_posix(args)))
    }))
}

fn lstat(_: &mut Context, args: &[Term]) -> Answer {
    Ok(answer(fs::symlink_metadata(path_of(args, 1)?), |found| {
        ok_with(facts(&found, wants_posix(args)))
    }))
}

fn cp(_: &mut Context, args: &[Term]) -> Answer {
    let (from, to) = (path_of(args, 1)?, path_of(args, 2)?);
    done(fs::copy(from, to).map(drop))
}

/// `File.CopyError` and `File.RenameError` for what two paths are about.
fn two_or_raise(result: Term, args: &[Term], exception: &str, action: &str) -> Answer {
    match result.as_tuple().map(|pair| &pair[..]) {
        Some([tag, reason]) if tag.is_atom("error") => Err(Throw::exception(
            exception,
            &[
                ("reason", reason.clone()),
                ("source", args[0].clone()),
                ("destination", args[1].clone()),
                ("on", Term::from("")),
                ("action", Term::from(action)),
            ],
        )),
        _ => Ok(result),
    }
}

fn rename(_: &mut Context, args: &[Term]) -> Answer {
    done(fs::rename(path_of(args, 1)?, path_of(args, 2)?))
}

fn ln_s(_: &mut Context, args: &[Term]) -> Answer {
    done(std::os::unix::fs::symlink(
        path_of(args, 1)?,
        path_of(args, 2)?,
    ))
}

fn read_link(_: &mut Context, args: &[Term]) -> Answer {
    Ok(answer(fs::read_link(path_of(args, 1)?), |path| {
        ok_with(text_of(&path))
    }))
}

fn mkdir(_: &mut Context, args: &[Term]) -> Answer {
    done(fs::create_dir(path_of(args, 1)?))
}

fn mkdir_p(_: &mut Context, args: &[Term]) -> Answer {
    done(fs::create_dir_all(path_of(args, 1)?))
}

/// `File.stream!(path)`: its lines, read at once.
fn stream(ctx: &mut Context, args: &[Term]) -> Answer {
    let result = read(ctx, args)?;
    let text = or_raise(result, "stream", &args[0])?;
    let lines = text
        .as_binary()
        .map_or(&[][..], |bytes| bytes)
        .split_inclusive(|byte| *byte == b'\n');
    Ok(super::enumeration::stream::of_items(Term::list(
        lines.map(binary_of).collect(),
    )))
}

fn is_directory(_: &mut Context, args: &[Term]) -> Answer {
    exists(args, fs::Metadata::is_dir)
}

/// The functions of `File`.
pub(crate) const TABLE: &[Entry] = table! {
    "read"/1 => read, "File.read(path): {:ok, binary} or {:error, reason}";
    "read!"/1 => raising!(read, "read file"), "File.read!(path): its bytes, or File.Error";
    "write"/2 => write, "File.write(path, iodata): :ok or {:error, reason}";
    "write"/3 => write, "File.write(path, iodata, modes): [:append] adds to it";
    "write!"/2 => raising!(write, "write to file"), "File.write!(path, iodata)";
    "write!"/3 => raising!(write, "write to file"), "File.write!(path, iodata, modes)";
    "stream!"/1 => stream, "File.stream!(path): its lines";
    "exists?"/1 => |_, args| exists(args, |_| true), "File.exists?(path)";
    "regular?"/1 => |_, args| exists(args, fs::Metadata::is_file), "File.regular?(path): whether it is a file";
    "dir?"/1 => is_directory, "File.dir?(path): whether it is a folder";
    "rm"/1 => rm, "File.rm(path): removes a file";
    "rm!"/1 => raising!(rm, "remove file"), "File.rm!(path)";
    "rm_rf"/1 => rm_rf, "File.rm_rf(path): removes everything; {:ok, paths}";
    "rm_rf!"/1 => raising!(rm_rf, "remove files and directories recursively from"), "File.rm_rf!(path): the removed paths";
    "mkdir"/1 => mkdir, "File.mkdir(path): makes a folder";
    "mkdir!"/1 => raising!(mkdir, "make directory"), "File.mkdir!(path)";
    "mkdir_p"/1 => mkdir_p, "File.mkdir_p(path): makes a folder and those above it";
    "mkdir_p!"/1 => raising!(mkdir_p, "make directory (with -p)"), "File.mkdir_p!(path)";
    "rmdir"/1 => rmdir, "File.rmdir(path): removes an empty folder";
    "rmdir!"/1 => raising!(rmdir, "remove directory"), "File.rmdir!(path)";
    "ls"/0 => ls, "File.ls(): the names in the current folder";
    "ls"/1 => ls, "File.ls(path): {:ok, names} or {:error, reason}";
    "ls!"/1 => raising!(ls, "list directory"), "File.ls!(path): the names in a folder";
    "cwd"/0 => cwd, "File.cwd(): {:ok, the current folder}";
    "cwd!"/0 => cwd_or_raise, "File.cwd!(): the current folder";
    "cd"/1 => cd, "File.cd(path): makes it the current folder";
    "cd!"/1 => raising!(cd, "set current working directory to"), "File.cd!(path)";
    "touch"/1 => touch, "File.touch(path): makes the file, or changes its time";
    "touch!"/1 => raising!(touch, "touch"), "File.touch!(path)";
    "chmod"/2 => chmod, "File.chmod(path, mode)";
    "chmod!"/2 => raising!(chmod, "change mode for"), "File.chmod!(path, mode)";
    "stat"/1 => stat, "File.stat(path): {:ok, %File.Stat{}} or {:error, reason}";
    "stat"/2 => stat, "File.stat(path, time: :posix)";
    "stat!"/1 => raising!(stat, "read file stats"), "File.stat!(path)";
    "stat!"/2 => raising!(stat, "read file stats"), "File.stat!(path, time: :posix)";
    "lstat"/1 => lstat, "File.lstat(path): of a symbolic link itself";
    "lstat!"/1 => raising!(lstat, "read file stats"), "File.lstat!(path)";
    "cp"/2 => cp, "File.cp(source, destination)";
    "cp!"/2 => |ctx, args| { let result = cp(ctx, args)?; two_or_raise(result, args, "File.CopyError", "copy") }, "File.cp!(source, destination)";
    "rename"/2 => rename, "File.rename(source, destination)";
    "rename!"/2 => |ctx, args| { let result = rename(ctx, args)?; two_or_raise(result, args, "File.RenameError", "rename") }, "File.rename!(source, destination)";
    "ln_s"/2 => ln_s, "File.ln_s(existing, new): a symbolic link";
    "ln_s!"/2 => |ctx, args| { let result = ln_s(ctx, args)?; two_or_raise(result, args, "File.LinkError", "create symlink") }, "File.ln_s!(existing, new)";
    "read_link"/1 => read_link, "File.read_link(path): {:ok, path} or {:error, reason}";
    "read_link!"/1 => raising!(read_link, "read link"), "File.read_link!(path)";
};

/// `{:ok, text}` with the text as a charlist.
fn as_charlist(result: Term) -> Term {
    match result.as_tuple().map(|pair| &pair[..]) {
        Some([tag, Term::Binary(text)]) if tag.is_atom("ok") => ok_with(convert::characters(text)),
        _ => result,
    }
}

fn list_dir(ctx: &mut Context, args: &[Term]) -> Answer {
    let result = ls(ctx, args)?;
    Ok(match result.as_tuple().map(|pair| &pair[..]) {
        Some([tag, names]) if tag.is_atom("ok") => {
            let names = names.to_list_vec().unwrap_or_default();
            ok_with(Term::list(
                names
                    .iter()
                    .map(|name| convert::characters(name.as_binary().map_or(&[], |name| name)))
                    .collect(),
            ))
        }
        _ => result,
    })
}

fn format_error(_: &mut Context, args: &[Term]) -> Answer {
    let reason = args[0].as_atom().map_or("", |reason| reason.as_str());
    Ok(Term::charlist(crate::inspect::exception::posix_text(
        reason,
    )))
}

/// The functions of `:file`.
pub(crate) const ERLANG: &[Entry] = table! {
    "read_file"/1 => read, ":file.read_file(name): {:ok, binary} or {:error, reason}";
    "write_file"/2 => write, ":file.write_file(name, iodata)";
    "write_file"/3 => write, ":file.write_file(name, iodata, modes)";
    "delete"/1 => rm, ":file.delete(name)";
    "del_dir"/1 => rmdir, ":file.del_dir(name)";
    "make_dir"/1 => mkdir, ":file.make_dir(name)";
    "list_dir"/1 => list_dir, ":file.list_dir(name): {:ok, charlists}";
    "rename"/2 => rename, ":file.rename(source, destination)";
    "get_cwd"/0 => |ctx, args| cwd(ctx, args).map(as_charlist), ":file.get_cwd(): {:ok, charlist}";
    "set_cwd"/1 => cd, ":file.set_cwd(path)";
    "change_mode"/2 => chmod, ":file.change_mode(name, mode)";
    "make_symlink"/2 => ln_s, ":file.make_symlink(existing, new)";
    "read_link"/1 => |ctx, args| read_link(ctx, args).map(as_charlist), ":file.read_link(name)";
    "format_error"/1 => format_error, ":file.format_error(reason): words for a reason";
};

/// The functions of `:filelib`.
pub(crate) const FILELIB: &[Entry] = table! {
    "is_file"/1 => |_, args| exists(args, |_| true), ":filelib.is_file(name): whether it exists";
    "is_regular"/1 => |_, args| exists(args, fs::Metadata::is_file), ":filelib.is_regular(name)";
    "is_dir"/1 => is_directory, ":filelib.is_dir(name)";
    "file_size"/1 => |_, args| Ok(Term::Int(fs::metadata(path_of(args, 1)?).map_or(0, |facts| i64::try_from(facts.len()).unwrap_or(0)))), ":filelib.file_size(name)";
    "ensure_dir"/1 => |_, args| { let path = path_of(args, 1)?; done(fs::create_dir_all(path.parent().unwrap_or(Path::new("")))) }, ":filelib.ensure_dir(name): makes the folders above it";
};

/// The current folder's text.
pub(crate) fn current() -> Vec<u8> {
    std::env::current_dir()
        .map(|path| path.as_os_str().as_bytes().to_vec())
        .unwrap_or_else(|_| b"/".to_vec())
}

/// Names in `folder`, for wildcards.
pub(crate) fn entries(folder: &[u8]) -> Vec<Vec<u8>> {
    let path = Path::new(OsStr::from_bytes(if folder.is_empty() {
        b"."
    } else {
        folder
    }));
    let mut names: Vec<Vec<u8>> = names(path)
        .unwrap_or_default()
        .into_iter()
        .map(OsString::into_vec)
        .collect();
    names.sort_unstable();
    names
}

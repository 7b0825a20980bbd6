//! Exceptions as text: the message of every exception of Elixir's that wharf can raise, and the words for exits.
//!
//! Relies on terms: an exception is a map with `__struct__` and `__exception__`. Promises Elixir's sentences.
#![forbid(unsafe_code)]

use super::{atom, inspect};
use wharf::term::{Map, Term};

/// The fields of an exception in the order `inspect` shows them, where that is not the alphabet's.
pub(crate) fn field_order(alias: &str) -> Option<&'static [&'static str]> {
    Some(match alias {
        "KeyError" => &["key", "term", "message"],
        "UndefinedFunctionError" => &["module", "function", "arity", "reason", "message"],
        "FunctionClauseError" => &["module", "function", "arity", "kind", "args", "clauses"],
        "Protocol.UndefinedError" => &["protocol", "value", "description"],
        "File.Error" => &["reason", "path", "action"],
        "File.CopyError" | "File.RenameError" => {
            &["reason", "source", "destination", "on", "action"]
        }
        "BadBooleanError" => &["term", "operator"],
        "BadArityError" => &["function", "args"],
        "File.Stat" => &[
            "size",
            "type",
            "access",
            "atime",
            "mtime",
            "ctime",
            "mode",
            "links",
            "major_device",
            "minor_device",
            "inode",
            "uid",
            "gid",
        ],
        _ => return None,
    })
}

/// The name of an exception's module without `Elixir.`, if the term is an exception.
pub(crate) fn name(exception: &Term) -> Option<&'static str> {
    let Term::Map(map) = exception else {
        return None;
    };
    if !map.get(&Term::atom("__exception__"))?.is_atom("true") {
        return None;
    }
    match map.get(&Term::atom("__struct__"))? {
        Term::Atom(name) => Some(
            name.as_str()
                .strip_prefix("Elixir.")
                .unwrap_or(name.as_str()),
        ),
        _ => None,
    }
}

/// `Exception.message/1`.
pub(crate) fn message(exception: &Term) -> String {
    let (Some(name), Term::Map(map)) = (name(exception), exception) else {
        return inspect(exception);
    };
    let shown = |field: &str| {
        map.get(&Term::atom(field))
            .map_or_else(|| "nil".to_owned(), inspect)
    };
    match name {
        "KeyError" => text(map, "message").unwrap_or_else(|| match map.get(&Term::atom("term")) {
            Some(term) if !term.is_atom("nil") => {
                format!("key {} not found in: {}", shown("key"), inspect(term))
            }
            _ => format!("key {} not found", shown("key")),
        }),
        "ErlangError" => match map.get(&Term::atom("reason")).and_then(Term::as_binary) {
            Some(reason) => format!(
                "Erlang error: {}{}",
                shown("original"),
                String::from_utf8_lossy(reason)
            ),
            None => format!("Erlang error: {}", shown("original")),
        },
        "MatchError" => format!("no match of right hand side value: {}", shown("term")),
        "CaseClauseError" => format!("no case clause matching: {}", shown("term")),
        "WithClauseError" => format!("no with clause matching: {}", shown("term")),
        "TryClauseError" => format!("no try clause matching: {}", shown("term")),
        "CondClauseError" => "no cond clause evaluated to a truthy value".to_owned(),
        "BadMapError" => format!("expected a map, got: {}", shown("term")),
        "BadFunctionError" => format!("expected a function, got: {}", shown("term")),
        "BadStructError" => format!(
            "expected a struct named {}, got: {}",
            shown("struct"),
            shown("term")
        ),
        "BadBooleanError" => {
            let operator = map
                .get(&Term::atom("operator"))
                .map(plain)
                .unwrap_or_default();
            format!(
                "expected a boolean on left-side of \"{operator}\", got: {}",
                shown("term")
            )
        }
        "BadArityError" => bad_arity(map),
        "UndefinedFunctionError" => text(map, "message").unwrap_or_else(|| undefined_function(map)),
        "FunctionClauseError" => format!("no function clause matching in {}", call(map)),
        "System.EnvError" => {
            format!(
                "could not fetch environment variable {} because it is not set",
                shown("env")
            )
        }
        "SystemLimitError" => "a system limit has been reached".to_owned(),
        "Protocol.UndefinedError" => protocol(map),
        "File.Error" => {
            let action = text(map, "action").unwrap_or_default();
            let (path, reason) = (shown("path"), file_reason(map));
            match (action.as_str(), map.get(&Term::atom("reason"))) {
                ("remove directory", Some(reason)) if reason.is_atom("eexist") => {
                    format!("could not {action} {path}: directory is not empty")
                }
                _ => format!("could not {action} {path}: {reason}"),
            }
        }
        "File.CopyError" | "File.RenameError" => {
            let action = text(map, "action").unwrap_or_default();
            format!(
                "could not {action} from {} to {}: {}",
                shown("source"),
                shown("destination"),
                file_reason(map)
            )
        }
        _ => text(map, "message").unwrap_or_else(|| match map.get(&Term::atom("message")) {
            Some(message) => inspect(message),
            None => format!(
                "got {} while retrieving Exception.message/1",
                inspect(exception)
            ),
        }),
    }
}

/// What `Exception.format_exit/1` says of an exit reason.
pub(crate) fn exit_text(reason: &Term) -> String {
    match reason {
        Term::Atom(name) => match name.as_str() {
            "normal" => "normal".to_owned(),
            "shutdown" => "shutdown".to_owned(),
            "killed" => "killed".to_owned(),
            "timeout" => "time out".to_owned(),
            "noconnection" => "no connection".to_owned(),
            "noproc" => "no process: the process is not alive or there's no process currently associated with the given \
                         name, possibly because its application isn't started"
                .to_owned(),
            "calling_self" => "process attempted to call itself".to_owned(),
            _ => inspect(reason),
        },
        Term::Tuple(items) if items.len() == 2 && items[0].is_atom("shutdown") => {
            format!("shutdown: {}", inspect(&items[1]))
        }
        Term::Tuple(items) if items.len() == 2 && items[1].to_list_vec().is_some() => match name(&items[0]) {
            Some(name) => format!("an exception was raised:\n    ** ({name}) {}", message(&items[0])),
            None => inspect(reason),
        },
        _ => inspect(reason),
    }
}

/// The kind of value, as `Protocol.UndefinedError` names it.
pub(crate) fn type_name(value: &Term) -> String {
    match value {
        Term::Nil | Term::List(_) => "List",
        Term::Atom(_) => "Atom",
        Term::Int(_) | Term::BigInt(_) => "Integer",
        Term::Float(_) => "Float",
        Term::Binary(_) | Term::Bitstring(_) => "BitString",
        Term::Pid(_) => "PID",
        Term::Port(_) => "Port",
        Term::Reference(_) | Term::Foreign(_) => "Reference",
        Term::Tuple(_) => "Tuple",
        Term::Fun(_) => "Function",
        Term::Map(map) => match map.get(&Term::atom("__struct__")) {
            Some(name @ Term::Atom(_)) => return format!("{} (a struct)", inspect(name)),
            _ => "Map",
        },
    }
    .to_owned()
}

fn protocol(map: &Map) -> String {
    let value = map.get(&Term::atom("value")).cloned().unwrap_or(Term::Nil);
    let protocol = map
        .get(&Term::atom("protocol"))
        .map_or_else(String::new, inspect);
    let description = match text(map, "description") {
        Some(description) if !description.is_empty() => format!(", {description}"),
        _ => String::new(),
    };
    format!(
        "protocol {protocol} not implemented for {} of type {}{description}",
        inspect(&value),
        type_name(&value)
    )
}

fn bad_arity(map: &Map) -> String {
    let function = map
        .get(&Term::atom("function"))
        .cloned()
        .unwrap_or(Term::Nil);
    let arguments = map
        .get(&Term::atom("args"))
        .and_then(Term::to_list_vec)
        .unwrap_or_default();
    let arity = if let Term::Fun(fun) = &function {
        fun.arity()
    } else {
        0
    };
    let count = match arguments.len() {
        0 => "no arguments".to_owned(),
        1 => format!("1 argument ({})", inspect(&arguments[0])),
        count => format!(
            "{count} arguments ({})",
            arguments.iter().map(inspect).collect::<Vec<_>>().join(", ")
        ),
    };
    format!(
        "{} with arity {arity} called with {count}",
        inspect(&function)
    )
}

fn undefined_function(map: &Map) -> String {
    let module = map.get(&Term::atom("module")).cloned().unwrap_or(Term::Nil);
    let call = call(map);
    if module.is_atom("nil") {
        return format!(
            "function {call} is undefined. If you are using the dot syntax, such as module.function(), make sure the \
             left-hand side of the dot is a module atom"
        );
    }
    match map.get(&Term::atom("reason")) {
        Some(reason) if reason.is_atom("function not exported") => {
            format!("function {call} is undefined or private")
        }
        Some(reason) if reason.is_atom("module could not be loaded") => {
            format!(
                "function {call} is undefined (module {} is not available)",
                inspect(&module)
            )
        }
        _ => format!("function {call} is undefined"),
    }
}

/// `Module.function/arity` of a call named by an exception's fields.
fn call(map: &Map) -> String {
    let name = map
        .get(&Term::atom("function"))
        .map(plain)
        .unwrap_or_default();
    let arity = map
        .get(&Term::atom("arity"))
        .map_or_else(|| "0".to_owned(), inspect);
    match map.get(&Term::atom("module")) {
        Some(module) if !module.is_atom("nil") || map.get(&Term::atom("args")).is_none() => {
            format!("{}.{}/{arity}", inspect(module), atom::function(&name))
        }
        _ => format!("{name}/{arity}"),
    }
}

fn text(map: &Map, field: &str) -> Option<String> {
    map.get(&Term::atom(field))
        .and_then(Term::as_binary)
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn plain(term: &Term) -> String {
    match term {
        Term::Atom(name) => name.as_str().to_owned(),
        _ => inspect(term),
    }
}

fn file_reason(map: &Map) -> String {
    match map.get(&Term::atom("reason")) {
        Some(Term::Atom(reason)) => posix_text(reason.as_str()).to_owned(),
        Some(reason) => inspect(reason),
        None => "unknown POSIX error".to_owned(),
    }
}

/// Erlang's words for an error of the operating system (`:file.format_error/1`).
pub(crate) fn posix_text(reason: &str) -> &'static str {
    match reason {
        "eacces" => "permission denied",
        "eagain" => "resource temporarily unavailable",
        "ebadf" => "bad file number",
        "ebusy" => "file busy",
        "eexist" => "file already exists",
        "einval" => "invalid argument",
        "eio" => "I/O error",
        "eisdir" => "illegal operation on a directory",
        "eloop" => "too many levels of symbolic links",
        "emfile" => "too many open files",
        "emlink" => "too many links",
        "enametoolong" => "file name too long",
        "enfile" => "file table overflow",
        "enoent" => "no such file or directory",
        "enomem" => "not enough memory",
        "enospc" => "no space left on device",
        "enotdir" => "not a directory",
        "enotempty" => "directory not empty",
        "enotsup" => "operation not supported",
        "enxio" => "no such device or address",
        "eperm" => "not owner",
        "epipe" => "broken pipe",
        "erofs" => "read-only file system",
        "espipe" => "invalid seek",
        "esrch" => "no such process",
        "etxtbsy" => "text file or pseudo-device busy",
        "exdev" => "cross-domain link",
        "badarg" => "bad argument",
        "terminated" => "the file server process is terminated",
        "system_limit" => "a system limit was hit, probably not enough ports",
        _ => "unknown POSIX error",
    }
}

//! Functions that belong to the language more than to a library: raising, spawning, operators by name.
//!
//! Relies on `stdlib` for all others. Promises one place where a module's function is looked up.
#![forbid(unsafe_code)]

use super::context::Context;
use super::exception;
use super::function::remote;
use super::native::Native;
use super::operators::{BinaryOp, UnaryOp};
use super::report;
use super::spawn::Tie;
use super::throw::{Class, Throw};
use crate::stdlib::{self, Entry, table};
use wharf::term::{Atom, Term};

/// The function `module.name/arity` that is written in Rust, if there is one.
pub(crate) fn lookup(module: Atom, name: &str, arity: usize) -> Option<Native> {
    stdlib::lookup(module, name, arity).or_else(|| match module.as_str() {
        "Elixir.Kernel" | "Elixir.Bitwise" => operator(name, arity),
        "erlang" => erlang_operator(name, arity),
        _ => None,
    })
}

/// Whether scripts can call functions of this module without defining it.
pub(crate) fn knows(module: Atom) -> bool {
    !stdlib::functions(module).is_empty()
}

/// Whether the function may be called in a guard.
pub(crate) fn allowed_in_guard(module: Atom, name: &str, _arity: usize) -> bool {
    const ALLOWED: &[&str] = &[
        "abs",
        "binary_part",
        "bit_size",
        "byte_size",
        "ceil",
        "div",
        "elem",
        "element",
        "floor",
        "hd",
        "length",
        "map_size",
        "node",
        "rem",
        "round",
        "self",
        "size",
        "tl",
        "trunc",
        "tuple_size",
        "not",
        "and",
        "or",
        "+",
        "-",
        "*",
        "/",
        "==",
        "!=",
        "<",
        ">",
        "<=",
        ">=",
        "=:=",
        "=/=",
        "=<",
        "/=",
        "band",
        "bor",
        "bxor",
        "bnot",
        "bsl",
        "bsr",
        "map_get",
        "float",
    ];
    let module = module.as_str();
    match module {
        "Elixir.Kernel" | "erlang" | "Elixir.Bitwise" => {
            name.starts_with("is_") || ALLOWED.contains(&name)
        }
        "Elixir.Access" => name == "get",
        "Elixir.Integer" => matches!(name, "is_odd" | "is_even"),
        _ => false,
    }
}

/// Raising and spawning: functions of `Kernel`.
pub(crate) const KERNEL: &[Entry] = table! {
    "raise"/1 => |context, args| Err(raise(context, &args[0], None)), "raise(message | exception): an error of this kind";
    "raise"/2 => |context, args| Err(raise(context, &args[0], Some(&args[1]))), "raise(exception, message | fields): an error of this kind";
    "reraise"/2 => |context, args| Err(raise(context, &args[0], None)), "reraise(exception, stacktrace): the error again";
    "reraise"/3 => |context, args| Err(raise(context, &args[0], Some(&args[1]))), "reraise(exception, fields, stacktrace): the error again";
};

/// The ways to start a process: functions of `Kernel` and `:erlang`.
pub(crate) const SPAWN: &[Entry] = table! {
    "spawn"/1 => |context, args| spawn(context, args, Tie::None), "spawn(fun): a new process that runs the function; its pid";
    "spawn"/3 => |context, args| spawn(context, args, Tie::None), "spawn(module, function, args): a new process that runs the function; its pid";
    "spawn_link"/1 => |context, args| spawn(context, args, Tie::Link), "spawn_link(fun): a new process, linked";
    "spawn_link"/3 => |context, args| spawn(context, args, Tie::Link), "spawn_link(module, function, args): a new process, linked";
    "spawn_monitor"/1 => |context, args| spawn(context, args, Tie::Monitor), "spawn_monitor(fun): a new process and its monitor";
    "spawn_monitor"/3 => |context, args| spawn(context, args, Tie::Monitor), "spawn_monitor(module, function, args): a new process and its monitor";
};

fn spawn(context: &mut Context, args: &[Term], tie: Tie) -> Result<Term, Throw> {
    let (fun, args) = match args {
        [fun @ Term::Fun(object)] if object.arity() == 0 => (fun.clone(), Vec::new()),
        [Term::Atom(module), Term::Atom(name), list] => {
            let args = list.to_list_vec().ok_or_else(|| Throw::badarg(None))?;
            (remote(*module, *name, args.len()), args)
        }
        [Term::Fun(_)] | [_, _, _] => return Err(Throw::badarg(None)),
        _ => return Err(Throw::badarg(Some("1st argument: not a fun"))),
    };
    let (pid, reference) = context.spawn(fun, args, tie)?;
    Ok(match reference {
        Some(reference) => Term::tuple([Term::Pid(pid), Term::Reference(reference)]),
        None => Term::Pid(pid),
    })
}

/// `raise what`, `raise module, argument`.
fn raise(context: &mut Context, what: &Term, argument: Option<&Term>) -> Throw {
    let exception = match (what, argument) {
        (Term::Binary(text), None) => return Throw::runtime_error(&String::from_utf8_lossy(text)),
        (Term::Atom(module), argument) => {
            exception::build(context, *module, argument.unwrap_or(&Term::Nil))
        }
        (Term::Map(_), _) if exception::is_exception(what) => Ok(what.clone()),
        (other, _) => {
            let shown = crate::inspect::inspect(other);
            return Throw::argument_error(&format!(
                "raise/1 and reraise/2 expect a module name, string or exception as the first argument, got: {shown}"
            ));
        }
    };
    match exception {
        Ok(exception) => Throw::error(exception),
        Err(throw) => throw,
    }
}

/// `Exception`: what failures say.
pub(crate) const EXCEPTION: &[Entry] = table! {
    "message"/1 => |context, args| Ok(Term::from(exception::message(context, &args[0]).as_str())), "Exception.message(exception): what it says";
    "exception?"/1 => |_, args| Ok(Term::from(exception::is_exception(&args[0]))), "Exception.exception?(term)";
    "normalize"/2 => normalize, "Exception.normalize(kind, reason): Erlang's reason as an exception";
    "normalize"/3 => normalize, "Exception.normalize(kind, reason, stacktrace): Erlang's reason as an exception";
    "format_banner"/2 => banner, "Exception.format_banner(kind, reason): `** (Error) message`";
    "format_banner"/3 => banner, "Exception.format_banner(kind, reason, stacktrace): `** (Error) message`";
    "format"/2 => banner, "Exception.format(kind, reason): `** (Error) message`";
    "format"/3 => banner, "Exception.format(kind, reason, stacktrace): `** (Error) message`";
};

fn normalize(_: &mut Context, args: &[Term]) -> Result<Term, Throw> {
    if !args[0].is_atom("error") {
        return Ok(args[1].clone());
    }
    Ok(exception::normalize(&Throw::error(args[1].clone())))
}

fn banner(context: &mut Context, args: &[Term]) -> Result<Term, Throw> {
    let class = match &args[0] {
        kind if kind.is_atom("exit") => Class::Exit,
        kind if kind.is_atom("throw") => Class::Throw,
        _ => Class::Error,
    };
    let throw = Throw::new(class, args[1].clone());
    Ok(Term::from(report::banner(context, &throw).as_str()))
}

/// Operators as functions: `&+/2`, `Kernel.+(1, 2)`.
fn operator(name: &str, arity: usize) -> Option<Native> {
    macro_rules! two {
        ($op:ident) => {
            |_, args| BinaryOp::$op.apply(&args[0], &args[1])
        };
    }
    if arity == 1 {
        return Some(match name {
            "-" => |_, args| UnaryOp::Negate.apply(&args[0]),
            "+" => |_, args| UnaryOp::Plus.apply(&args[0]),
            "not" => |_, args| UnaryOp::Not.apply(&args[0]),
            "!" => |_, args| UnaryOp::Falsy.apply(&args[0]),
            "~~~" | "bnot" => |_, args| UnaryOp::BitNot.apply(&args[0]),
            _ => return None,
        });
    }
    if arity != 2 {
        return None;
    }
    Some(match BinaryOp::named(name)? {
        BinaryOp::Add => two!(Add),
        BinaryOp::Subtract => two!(Subtract),
        BinaryOp::Multiply => two!(Multiply),
        BinaryOp::Divide => two!(Divide),
        BinaryOp::Power => two!(Power),
        BinaryOp::IntegerDivide => two!(IntegerDivide),
        BinaryOp::Remainder => two!(Remainder),
        BinaryOp::Equal => two!(Equal),
        BinaryOp::NotEqual => two!(NotEqual),
        BinaryOp::Exactly => two!(Exactly),
        BinaryOp::NotExactly => two!(NotExactly),
        BinaryOp::Less => two!(Less),
        BinaryOp::LessOrEqual => two!(LessOrEqual),
        BinaryOp::Greater => two!(Greater),
        BinaryOp::GreaterOrEqual => two!(GreaterOrEqual),
        BinaryOp::Append => two!(Append),
        BinaryOp::Without => two!(Without),
        BinaryOp::Concat => two!(Concat),
        BinaryOp::In => two!(In),
        BinaryOp::NotIn => two!(NotIn),
        BinaryOp::Matches => two!(Matches),
        BinaryOp::BitAnd => two!(BitAnd),
        BinaryOp::BitOr => two!(BitOr),
        BinaryOp::BitXor => two!(BitXor),
        BinaryOp::ShiftLeft => two!(ShiftLeft),
        BinaryOp::ShiftRight => two!(ShiftRight),
    })
}

/// Erlang's own spellings.
fn erlang_operator(name: &str, arity: usize) -> Option<Native> {
    let name = match name {
        "=:=" => "===",
        "=/=" => "!==",
        "/=" => "!=",
        "=<" => "<=",
        "<=" | "!=" | "===" | "!==" | "<>" | "in" | "not in" | "=~" | "**" | "!" | "&&&"
        | "|||" | "^^^" | "<<<" | ">>>" => return None,
        other => other,
    };
    operator(name, arity)
}

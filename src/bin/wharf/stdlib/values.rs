//! Small modules about one kind of value each: `Atom`, `Tuple`, `Range`, `Function`, `Module` and `Code`.
//!
//! Relies on `convert` and `kernel`. Promises Elixir's errors.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad, integer, tuple};
use super::enumeration::items::{new_range, range_parts, range_size, struct_name};
use super::{Entry, convert, table};
use crate::inspect::inspect;
use crate::lang::native::Context;
use crate::lang::operators::BinaryOp;
use crate::lang::throw::Throw;
use wharf::term::{Atom, Term};

/// The functions of `Atom`.
pub(crate) const ATOM: &[Entry] = table! {
    "to_string"/1 => convert::atom_to_binary, "Atom.to_string(atom)";
    "to_charlist"/1 => convert::atom_to_list, "Atom.to_charlist(atom)";
};

fn fold(args: &[Term], operator: BinaryOp, start: i64) -> Answer {
    let mut acc = Term::Int(start);
    for element in tuple(args, 1)? {
        acc = operator.apply(&acc, element)?;
    }
    Ok(acc)
}

fn insert_at(_: &mut Context, args: &[Term]) -> Answer {
    let mut elements = tuple(args, 1).map_err(|_| bad(2, "not a tuple"))?.to_vec();
    let place = usize::try_from(integer(args, 2)?)
        .ok()
        .filter(|place| *place <= elements.len());
    elements.insert(
        place.ok_or_else(|| bad(1, "out of range"))?,
        args[2].clone(),
    );
    Ok(Term::tuple(elements))
}

fn delete_at(_: &mut Context, args: &[Term]) -> Answer {
    let mut elements = tuple(args, 1).map_err(|_| bad(2, "not a tuple"))?.to_vec();
    let place = usize::try_from(integer(args, 2)?)
        .ok()
        .filter(|place| *place < elements.len());
    elements.remove(place.ok_or_else(|| bad(1, "out of range"))?);
    Ok(Term::tuple(elements))
}

fn append(_: &mut Context, args: &[Term]) -> Answer {
    let mut elements = tuple(args, 1)?.to_vec();
    elements.push(args[1].clone());
    Ok(Term::tuple(elements))
}

/// The functions of `Tuple`.
pub(crate) const TUPLE: &[Entry] = table! {
    "to_list"/1 => |_, args| tuple(args, 1).map(|elements| Term::list(elements.to_vec())), "Tuple.to_list(tuple)";
    "append"/2 => append, "Tuple.append(tuple, value)";
    "insert_at"/3 => insert_at, "Tuple.insert_at(tuple, index, value)";
    "delete_at"/2 => delete_at, "Tuple.delete_at(tuple, index)";
    "duplicate"/2 => |_, args| Ok(Term::tuple(vec![args[0].clone(); super::argument::terms(args, 2)?])), "Tuple.duplicate(value, size)";
    "sum"/1 => |_, args| fold(args, BinaryOp::Add, 0), "Tuple.sum(tuple)";
    "product"/1 => |_, args| fold(args, BinaryOp::Multiply, 1), "Tuple.product(tuple)";
};

fn range(args: &[Term], place: usize, function: &str) -> Result<(i64, i64, i64), Throw> {
    let map = args[place - 1]
        .as_map()
        .filter(|map| struct_name(map) == Some("Elixir.Range"));
    map.and_then(range_parts)
        .ok_or_else(|| Throw::function_clause("Range", function, args))
}

fn new(_: &mut Context, args: &[Term]) -> Answer {
    match args {
        [Term::Int(first), Term::Int(last)] => {
            Ok(new_range(*first, *last, if first <= last { 1 } else { -1 }))
        }
        [Term::Int(first), Term::Int(last), Term::Int(step)] if *step != 0 => {
            Ok(new_range(*first, *last, *step))
        }
        [first, last] => Err(Throw::argument_error(&format!(
            "ranges (first..last) expect both sides to be integers, got: {}..{}",
            inspect(first),
            inspect(last)
        ))),
        _ => Err(Throw::argument_error(&format!(
            "ranges (first..last//step) expect both sides to be integers and the step to be a non-zero integer, got: {}..{}//{}",
            inspect(&args[0]),
            inspect(&args[1]),
            inspect(&args[2])
        ))),
    }
}

/// Whether two ranges have no number in common.
fn disjoint(_: &mut Context, args: &[Term]) -> Answer {
    let (left, right) = (range(args, 1, "disjoint?")?, range(args, 2, "disjoint?")?);
    if range_size(left) == 0 || range_size(right) == 0 {
        return Ok(true.into());
    }
    let (short, long) = if range_size(left) <= range_size(right) {
        (left, right)
    } else {
        (right, left)
    };
    let (low, high) = (long.0.min(long.1), long.0.max(long.1));
    let mut number = i128::from(short.0);
    for _ in 0..range_size(short) {
        let inside = (i128::from(low)..=i128::from(high)).contains(&number);
        if inside && (number - i128::from(long.0)) % i128::from(long.2) == 0 {
            return Ok(false.into());
        }
        number += i128::from(short.2);
    }
    Ok(true.into())
}

/// The functions of `Range`.
pub(crate) const RANGE: &[Entry] = table! {
    "new"/2 => new, "Range.new(first, last)";
    "new"/3 => new, "Range.new(first, last, step)";
    "size"/1 => |_, args| range(args, 1, "size").map(|parts| range_size(parts).into()), "Range.size(range): the number of its items";
    "disjoint?"/2 => disjoint, "Range.disjoint?(left, right)";
};

fn info(_: &mut Context, args: &[Term]) -> Answer {
    let Term::Fun(fun) = &args[0] else {
        return Err(bad(1, "not a fun"));
    };
    match args[1].as_atom().map(|item| item.as_str()) {
        Some("arity") => Ok(Term::tuple([args[1].clone(), fun.arity().into()])),
        _ => Err(bad(2, "invalid item")),
    }
}

fn capture(_: &mut Context, args: &[Term]) -> Answer {
    let (module, function) = (
        super::argument::atom(args, 1)?,
        super::argument::atom(args, 2)?,
    );
    Ok(crate::lang::function::remote(
        module,
        function,
        super::argument::count(args, 3)?,
    ))
}

/// The functions of `Function`.
pub(crate) const FUNCTION: &[Entry] = table! {
    "identity"/1 => |_, args| Ok(args[0].clone()), "Function.identity(value): the value";
    "capture"/3 => capture, "Function.capture(module, function, arity): &module.function/arity";
    "info"/2 => info, "Function.info(fun, :arity)";
};

fn alias_text(part: &Term) -> Result<String, Throw> {
    let text = String::from_utf8_lossy(&convert::to_text(part)?).into_owned();
    Ok(text
        .strip_prefix("Elixir.")
        .unwrap_or(&text)
        .trim_start_matches('.')
        .to_owned())
}

fn concat(args: &[Term]) -> Answer {
    let parts = if args.len() == 1 {
        super::argument::list(args, 1)?
    } else {
        args.to_vec()
    };
    let parts: Vec<String> = parts.iter().map(alias_text).collect::<Result<_, _>>()?;
    convert::to_atom(&format!("Elixir.{}", parts.join(".")))
}

fn split(_: &mut Context, args: &[Term]) -> Answer {
    let text = String::from_utf8_lossy(&convert::to_text(&args[0])?).into_owned();
    match text.strip_prefix("Elixir.") {
        Some(alias) => Ok(Term::list(alias.split('.').map(Term::from).collect())),
        None => Err(Throw::argument_error(&format!(
            "expected an Elixir module, got: {}",
            inspect(&args[0])
        ))),
    }
}

/// The functions of `Module`.
pub(crate) const MODULE: &[Entry] = table! {
    "concat"/1 => |_, args| concat(args), "Module.concat(parts): one module's name of all";
    "concat"/2 => |_, args| concat(args), "Module.concat(left, right)";
    "split"/1 => split, "Module.split(module): the parts of its name";
};

fn is_known(ctx: &Context, module: Atom) -> bool {
    ctx.world().defines(module) || crate::lang::builtins::knows(module)
}

fn ensure_loaded(ctx: &mut Context, args: &[Term]) -> Answer {
    let module = super::argument::atom(args, 1)?;
    Ok(if is_known(ctx, module) {
        Term::tuple([Term::atom("module"), args[0].clone()])
    } else {
        super::argument::error_with(Term::atom("nofile"))
    })
}

/// The functions of `Code`.
pub(crate) const CODE: &[Entry] = table! {
    "ensure_loaded?"/1 => |ctx, args| { let module = super::argument::atom(args, 1)?; Ok(is_known(ctx, module).into()) }, "Code.ensure_loaded?(module): whether it is there";
    "ensure_loaded"/1 => ensure_loaded, "Code.ensure_loaded(module): {:module, module} or {:error, :nofile}";
};

/// The functions of `Node`: wharf's processes are of no node.
pub(crate) const NODE: &[Entry] = table! {
    "self"/0 => super::kernel::node, "Node.self(): :nonode@nohost";
    "list"/0 => |_, _| Ok(Term::Nil), "Node.list(): none";
    "alive?"/0 => |_, _| Ok(false.into()), "Node.alive?(): false";
};

/// What the language leaves of `Exception`.
pub(crate) const EXCEPTION: &[Entry] = table! {
    "format_exit"/1 => |_, args| Ok(Term::from(crate::inspect::exception::exit_text(&args[0]).as_str())), "Exception.format_exit(reason): words for an exit";
};

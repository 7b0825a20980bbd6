//! `Kernel`'s functions on values, which `:erlang` shares: tuples, lists, binaries, maps, tests of kind, calls.
//!
//! Relies on `convert` and `number`. Promises the errors of Erlang's BIFs, argument by argument.
#![forbid(unsafe_code)]

use super::argument::{Answer, atom, bad, binary, list, map, tuple};
use super::enumeration::items::struct_name;
use super::number::{self, is_integer, is_number};
use super::{Entry, convert, table};
use crate::inspect::{Options, inspect, inspect_with};
use crate::lang::native::Context;
use crate::lang::operators::BinaryOp;
use crate::lang::throw::Throw;
use wharf::term::{Reference, Term};

/// The place in a tuple of `size` that `index`, counted from `base`, names.
fn place(index: &Term, base: i64, size: usize) -> Option<usize> {
    usize::try_from(index.as_int()?.checked_sub(base)?)
        .ok()
        .filter(|place| *place < size)
}

/// `elem(tuple, index)`. The errors count arguments as `:erlang.element(index, tuple)` does, as Elixir's own do.
fn elem(_: &mut Context, args: &[Term]) -> Answer {
    element_of(&args[0], &args[1], 0)
}

/// `:erlang.element(index, tuple)`
pub(crate) fn element(_: &mut Context, args: &[Term]) -> Answer {
    element_of(&args[1], &args[0], 1)
}

fn element_of(tuple: &Term, index: &Term, base: i64) -> Answer {
    let Term::Tuple(tuple) = tuple else {
        return Err(bad(2, "not a tuple"));
    };
    if !is_integer(index) {
        return Err(bad(1, "not an integer"));
    }
    place(index, base, tuple.len())
        .map(|place| tuple[place].clone())
        .ok_or_else(|| bad(1, "out of range"))
}

/// `put_elem(tuple, index, value)`
fn put_elem(_: &mut Context, args: &[Term]) -> Answer {
    set_element(&args[0], &args[1], &args[2], 0)
}

/// `:erlang.setelement(index, tuple, value)`
pub(crate) fn setelement(_: &mut Context, args: &[Term]) -> Answer {
    set_element(&args[1], &args[0], &args[2], 1)
}

fn set_element(tuple: &Term, index: &Term, value: &Term, base: i64) -> Answer {
    let Term::Tuple(tuple) = tuple else {
        return Err(bad(2, "not a tuple"));
    };
    place(index, base, tuple.len())
        .and_then(|place| tuple.with_element(place, value.clone()))
        .map(Term::Tuple)
        .ok_or_else(|| bad(1, "out of range"))
}

pub(crate) fn tuple_size(_: &mut Context, args: &[Term]) -> Answer {
    tuple(args, 1).map(|tuple| tuple.len().into())
}

pub(crate) fn hd(_: &mut Context, args: &[Term]) -> Answer {
    args[0]
        .as_list()
        .map(|list| list.head())
        .ok_or_else(|| bad(1, "not a nonempty list"))
}

pub(crate) fn tl(_: &mut Context, args: &[Term]) -> Answer {
    args[0]
        .as_list()
        .map(|list| list.tail())
        .ok_or_else(|| bad(1, "not a nonempty list"))
}

pub(crate) fn length(_: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        Term::Nil => Ok(Term::Int(0)),
        Term::List(list) if list.as_bytes().is_some() => {
            Ok(list.as_bytes().map_or(0, <[u8]>::len).into())
        }
        _ => list(args, 1).map(|items| items.len().into()),
    }
}

pub(crate) fn byte_size(_: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        Term::Binary(bytes) => Ok(bytes.len().into()),
        Term::Bitstring(bits) => Ok(bits.bytes().len().into()),
        _ => Err(bad(1, "not a bitstring")),
    }
}

pub(crate) fn bit_size(_: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        Term::Binary(bytes) => Ok((bytes.len() * 8).into()),
        Term::Bitstring(bits) => Ok(bits.bit_len().into()),
        _ => Err(bad(1, "not a bitstring")),
    }
}

/// `:erlang.size(tuple_or_binary)`
pub(crate) fn size(ctx: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        Term::Tuple(_) => tuple_size(ctx, args),
        Term::Binary(_) | Term::Bitstring(_) => byte_size(ctx, args),
        _ => Err(bad(1, "not a tuple or binary")),
    }
}

/// `binary_part(binary, start, length)`; a negative length goes back from start.
pub(crate) fn binary_part(_: &mut Context, args: &[Term]) -> Answer {
    let bytes = binary(args, 1)?;
    let (start, length) = (
        super::argument::integer(args, 2)?,
        super::argument::integer(args, 3)?,
    );
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    if !(0..=size).contains(&start) {
        return Err(bad(2, "out of range"));
    }
    let end = start.saturating_add(length);
    if !(0..=size).contains(&end) {
        return Err(bad(3, "out of range"));
    }
    let (from, to) = (start.min(end), start.max(end));
    let range = usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0);
    Ok(Term::Binary(bytes.slice(range)))
}

pub(crate) fn map_size(_: &mut Context, args: &[Term]) -> Answer {
    map(args, 1).map(|map| map.len().into())
}

/// `is_map_key(map, key)`
fn is_map_key(_: &mut Context, args: &[Term]) -> Answer {
    map(args, 1).map(|map| map.contains_key(&args[1]).into())
}

pub(crate) fn apply_fun(ctx: &mut Context, args: &[Term]) -> Answer {
    let arguments = args[1].to_list_vec().ok_or_else(|| Throw::badarg(None))?;
    ctx.apply(&args[0], arguments)
}

pub(crate) fn apply_named(ctx: &mut Context, args: &[Term]) -> Answer {
    let (module, function) = (inspect(&args[0]), inspect(&args[1]));
    let Term::Atom(name) = &args[0] else {
        return Err(Throw::argument_error(&format!(
            "you attempted to apply a function named {function} on {module}. If you are using Kernel.apply/3, make sure the \
             module is an atom. If you are using the dot syntax, such as module.function(), make sure the left-hand side of \
             the dot is a module atom"
        )));
    };
    let Term::Atom(called) = &args[1] else {
        return Err(Throw::argument_error(&format!(
            "you attempted to apply a function named {function} on module {module}. However {function} is not a valid function \
             name. Function names (the second argument of apply) must always be an atom"
        )));
    };
    let Some(arguments) = args[2].to_list_vec() else {
        return Err(Throw::argument_error(&format!(
            "you attempted to apply a function named {function} on module {module} with arguments {}. Arguments (the third \
             argument of apply) must always be a proper list",
            inspect(&args[2])
        )));
    };
    ctx.call(*name, called.as_str(), arguments)
}

pub(crate) fn inspect_term(_: &mut Context, args: &[Term]) -> Answer {
    let options = match args.get(1) {
        Some(options) => {
            Options::from_keyword(options).map_err(|message| Throw::argument_error(&message))?
        }
        None => Options::default(),
    };
    Ok(Term::from(inspect_with(&args[0], &options).as_str()))
}

pub(crate) fn throw(_: &mut Context, args: &[Term]) -> Answer {
    Err(Throw::thrown(args[0].clone()))
}

pub(crate) fn exit(_: &mut Context, args: &[Term]) -> Answer {
    Err(Throw::exit(args[0].clone()))
}

/// `:nonode@nohost`: wharf's processes are of no node.
pub(crate) fn node(_: &mut Context, args: &[Term]) -> Answer {
    match args {
        [] | [Term::Pid(_) | Term::Port(_) | Term::Reference(_)] => Ok(Term::atom("nonode@nohost")),
        [Term::Foreign(foreign), ..] => Ok(Term::Atom(foreign.node())),
        _ => Err(bad(1, "not a pid, reference, or port")),
    }
}

pub(crate) fn make_ref(_: &mut Context, _: &[Term]) -> Answer {
    Ok(Term::Reference(Reference::fresh()))
}

fn then(ctx: &mut Context, args: &[Term]) -> Answer {
    ctx.apply(&args[1], vec![args[0].clone()])
}

fn tap(ctx: &mut Context, args: &[Term]) -> Answer {
    ctx.apply(&args[1], vec![args[0].clone()])?;
    Ok(args[0].clone())
}

fn function_exported(ctx: &mut Context, args: &[Term]) -> Answer {
    let (module, function, arity) = (
        atom(args, 1)?,
        atom(args, 2)?,
        super::argument::count(args, 3)?,
    );
    let known = ctx.exports(module, function.as_str(), arity)
        || super::lookup(module, function.as_str(), arity).is_some();
    Ok(known.into())
}

/// `struct(module, fields)`: the module's own fields, those of them that are given changed.
fn new_struct(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut fields = match &args[0] {
        Term::Atom(module) => match ctx.call(*module, "__struct__", Vec::new())? {
            Term::Map(map) => map,
            other => return Err(super::argument::bad_map(&other)),
        },
        Term::Map(map) => map.clone(),
        _ => return Err(Throw::function_clause("Kernel", "struct", args)),
    };
    if let Some(changes) = args.get(1) {
        for pair in super::enumeration::items::collect(ctx, changes)? {
            if let Term::Tuple(pair) = &pair
                && pair.len() == 2
                && fields.contains_key(&pair[0])
                && !pair[0].is_atom("__struct__")
            {
                fields.insert(pair[0].clone(), pair[1].clone());
            }
        }
    }
    Ok(Term::Map(fields))
}

/// Whether the term is a function of this many arguments.
pub(crate) fn is_function(_: &mut Context, args: &[Term]) -> Answer {
    match (&args[0], args.get(1)) {
        (_, Some(arity)) if !matches!(arity, Term::Int(0..)) => {
            Err(bad(2, "not a non-negative integer"))
        }
        (Term::Fun(fun), Some(arity)) => Ok((arity.as_usize() == Some(fun.arity())).into()),
        (term, _) => Ok((args.len() == 1 && matches!(term, Term::Fun(_))).into()),
    }
}

fn is_struct(_: &mut Context, args: &[Term]) -> Answer {
    let name = args[0].as_map().and_then(struct_name);
    Ok(match args.get(1) {
        Some(Term::Atom(wanted)) => name == Some(wanted.as_str()),
        Some(_) => return Err(Throw::argument_error("argument error")),
        None => name.is_some(),
    }
    .into())
}

fn is_exception(_: &mut Context, args: &[Term]) -> Answer {
    let name = crate::inspect::exception::name(&args[0]);
    Ok(match args.get(1) {
        Some(Term::Atom(wanted)) => {
            name.is_some() && args[0].as_map().and_then(struct_name) == Some(wanted.as_str())
        }
        _ => name.is_some(),
    }
    .into())
}

macro_rules! operator {
    ($operator:ident) => {
        |_, args| BinaryOp::$operator.apply(&args[0], &args[1])
    };
}

macro_rules! test {
    ($pattern:pat) => {
        |_, args| Ok(matches!(&args[0], $pattern).into())
    };
}

/// What `Kernel` and `:erlang` have under the same name.
pub(crate) const SHARED: &[Entry] = table! {
    "div"/2 => operator!(IntegerDivide), "div(dividend, divisor): the integer quotient";
    "rem"/2 => operator!(Remainder), "rem(dividend, divisor): the remainder of div/2";
    "abs"/1 => number::abs, "abs(number): without its sign";
    "round"/1 => number::round, "round(number): the nearest integer";
    "trunc"/1 => number::trunc, "trunc(number): the integer part";
    "floor"/1 => number::floor, "floor(number): the largest integer that is not larger";
    "ceil"/1 => number::ceil, "ceil(number): the smallest integer that is not smaller";
    "max"/2 => number::max, "max(first, second): the larger in Erlang's term order";
    "min"/2 => number::min, "min(first, second): the smaller in Erlang's term order";
    "tuple_size"/1 => tuple_size, "tuple_size(tuple): the number of elements";
    "hd"/1 => hd, "hd(list): the first element";
    "tl"/1 => tl, "tl(list): the list without its first element";
    "length"/1 => length, "length(list): the number of elements";
    "byte_size"/1 => byte_size, "byte_size(bitstring): the number of bytes";
    "bit_size"/1 => bit_size, "bit_size(bitstring): the number of bits";
    "binary_part"/3 => binary_part, "binary_part(binary, start, size): a part of the bytes";
    "map_size"/1 => map_size, "map_size(map): the number of keys";
    "apply"/2 => apply_fun, "apply(fun, args): calls fun with the arguments";
    "apply"/3 => apply_named, "apply(module, function, args): calls a function by name";
    "throw"/1 => throw, "throw(value): to the next catch";
    "exit"/1 => exit, "exit(reason): ends this process unless it is caught";
    "node"/0 => node, "node(): :nonode@nohost";
    "node"/1 => node, "node(pid): the node of a pid, port or reference";
    "make_ref"/0 => make_ref, "make_ref(): a new reference";
    "is_atom"/1 => test!(Term::Atom(_)), "is_atom(term)";
    "is_binary"/1 => test!(Term::Binary(_)), "is_binary(term)";
    "is_bitstring"/1 => test!(Term::Binary(_) | Term::Bitstring(_)), "is_bitstring(term)";
    "is_boolean"/1 => |_, args| Ok(args[0].as_bool().is_some().into()), "is_boolean(term)";
    "is_float"/1 => test!(Term::Float(_)), "is_float(term)";
    "is_function"/1 => is_function, "is_function(term)";
    "is_function"/2 => is_function, "is_function(term, arity)";
    "is_integer"/1 => |_, args| Ok(is_integer(&args[0]).into()), "is_integer(term)";
    "is_list"/1 => test!(Term::Nil | Term::List(_)), "is_list(term)";
    "is_map"/1 => test!(Term::Map(_)), "is_map(term)";
    "is_number"/1 => |_, args| Ok(is_number(&args[0]).into()), "is_number(term)";
    "is_pid"/1 => test!(Term::Pid(_)), "is_pid(term)";
    "is_port"/1 => test!(Term::Port(_)), "is_port(term)";
    "is_reference"/1 => test!(Term::Reference(_)), "is_reference(term)";
    "is_tuple"/1 => test!(Term::Tuple(_)), "is_tuple(term)";
};

/// What only `Kernel` has.
pub(crate) const TABLE: &[Entry] = table! {
    "elem"/2 => elem, "elem(tuple, index): the element at index, from 0";
    "put_elem"/3 => put_elem, "put_elem(tuple, index, value): the tuple with another element";
    "is_map_key"/2 => is_map_key, "is_map_key(map, key)";
    "is_nil"/1 => |_, args| Ok(args[0].is_atom("nil").into()), "is_nil(term)";
    "is_struct"/1 => is_struct, "is_struct(term)";
    "is_struct"/2 => is_struct, "is_struct(term, module)";
    "is_exception"/1 => is_exception, "is_exception(term)";
    "is_exception"/2 => is_exception, "is_exception(term, module)";
    "inspect"/1 => inspect_term, "inspect(term): the term as text";
    "inspect"/2 => inspect_term, "inspect(term, opts): opts are :limit, :width, :pretty, :charlists, :binaries, :base, :structs, :printable_limit";
    "to_string"/1 => convert::to_string, "to_string(term): atoms, numbers, charlists and strings as a string";
    "to_charlist"/1 => convert::to_charlist, "to_charlist(term): the same as a list of code points";
    "then"/2 => then, "then(value, fun): the result of fun.(value)";
    "tap"/2 => tap, "tap(value, fun): calls fun.(value), gives value";
    "function_exported?"/3 => function_exported, "function_exported?(module, function, arity)";
    "struct"/1 => new_struct, "struct(module): a struct with its defaults";
    "struct"/2 => new_struct, "struct(module_or_struct, fields): a struct with some fields changed";
    "self"/0 => super::process::own_pid, "self(): this process";
    "send"/2 => super::process::send, "send(dest, message): to a pid, port or name; gives the message";
    "flush"/0 => super::process::flush, "flush(): shows and takes the messages that wait";
    "get_in"/2 => super::access::get_in, "get_in(data, keys): the value under the keys, one inside the other";
    "put_in"/3 => super::access::put_in, "put_in(data, keys, value): data with another value under the keys";
    "update_in"/3 => super::access::update_in, "update_in(data, keys, fun): data with fun of the value under the keys";
    "pop_in"/2 => super::access::pop_in, "pop_in(data, keys): {value, data without it}";
    "get_and_update_in"/3 => super::access::get_and_update_in, "get_and_update_in(data, keys, fun): fun gives {result, new value}";
};

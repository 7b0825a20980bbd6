//! What is left of `:erlang`: conversions, the external format, errors, tuples and maps by Erlang's names, the system.
//!
//! Relies on `convert` and `kernel`. Promises the errors of Erlang's BIFs, argument by argument.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad, binary_of, list, map};
use super::{Entry, convert, kernel, table};
use crate::lang::native::Context;
use crate::lang::run::Ports;
use crate::lang::throw::{Class, Throw};
use std::sync::atomic::{AtomicI64, Ordering};
use wharf::term::{Binary, Bitstring, Pid, Term, decode, encode};

/// Erlang's release whose behaviour wharf has.
pub(crate) const OTP_RELEASE: &str = "25";
const ERTS_VERSION: &str = "13.1.5";
const DRIVER_VERSION: &str = "3.3";

/// `term_to_binary(term, options \\ [])`
fn term_to_binary(_: &mut Context, args: &[Term]) -> Answer {
    let mut level = None;
    if args.len() > 1 {
        for item in list(args, 2)? {
            match item.as_tuple().map(|pair| &pair[..]) {
                Some([name, Term::Int(value)])
                    if name.is_atom("compressed") && (0..=9).contains(value) =>
                {
                    level = u32::try_from(*value).ok();
                }
                Some([name, Term::Int(0..=2)]) if name.is_atom("minor_version") => {}
                None if item.is_atom("compressed") => level = Some(6),
                None if item.is_atom("local") || item.is_atom("deterministic") => {}
                _ => return Err(bad(2, "invalid option in list")),
            }
        }
    }
    let encoded = match level {
        Some(level) => encode::encode_compressed(&args[0], level),
        None => encode::encode(&args[0]),
    };
    encoded
        .map(binary_of)
        .map_err(|error| Throw::argument_error(&error.to_string()))
}

/// `binary_to_term(binary, options \\ [])`
fn binary_to_term(_: &mut Context, args: &[Term]) -> Answer {
    let bytes = super::argument::binary(args, 1)?;
    let mut used = false;
    if args.len() > 1 {
        for item in list(args, 2)? {
            match item {
                _ if item.is_atom("used") => used = true,
                _ if item.is_atom("safe") => {}
                _ => return Err(bad(2, "invalid option in list")),
            }
        }
    }
    let (term, size) =
        decode::decode(bytes).map_err(|_| bad(1, "invalid external representation of a term"))?;
    Ok(if used {
        Term::tuple([term, size.into()])
    } else {
        term
    })
}

/// `error(reason)`, `error(reason, arguments)`
fn error(_: &mut Context, args: &[Term]) -> Answer {
    Err(Throw::error(args[0].clone()))
}

/// `raise(class, reason, stacktrace)`; for a class that does not exist it gives `:badarg`
fn raise(_: &mut Context, args: &[Term]) -> Answer {
    let class = match &args[0] {
        class if class.is_atom("error") => Class::Error,
        class if class.is_atom("exit") => Class::Exit,
        class if class.is_atom("throw") => Class::Throw,
        _ => return Ok(Term::atom("badarg")),
    };
    Err(Throw::new(class, args[1].clone()))
}

/// `unique_integer(modifiers \\ [])`
pub(crate) fn unique_integer(_: &mut Context, args: &[Term]) -> Answer {
    static NEXT: AtomicI64 = AtomicI64::new(1);
    if !args.is_empty() {
        let known = |item: &Term| item.is_atom("positive") || item.is_atom("monotonic");
        if !args[0]
            .to_list_vec()
            .is_some_and(|items| items.iter().all(known))
        {
            return Err(bad(1, "invalid modifier"));
        }
    }
    Ok(Term::Int(NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// `system_info(item)`
fn system_info(ctx: &mut Context, args: &[Term]) -> Answer {
    let item = args[0].as_atom().map_or("", |item| item.as_str());
    let host = ctx.process().host();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(match item {
        "port_limit" => host.ports_max().into(),
        "port_count" => host.ports().len().into(),
        "process_limit" => Term::Int(262_144),
        "process_count" => host.processes().len().into(),
        "atom_limit" => Term::Int(1_048_576),
        "otp_release" => Term::charlist(OTP_RELEASE),
        "version" => Term::charlist(ERTS_VERSION),
        "driver_version" => Term::charlist(DRIVER_VERSION),
        "nif_version" => Term::charlist("2.16"),
        "machine" => Term::charlist("wharf"),
        "system_architecture" => {
            Term::charlist(&format!("{}-pc-linux-gnu", std::env::consts::ARCH))
        }
        "wordsize" => size_of::<usize>().into(),
        "schedulers"
        | "schedulers_online"
        | "logical_processors"
        | "logical_processors_online"
        | "dirty_cpu_schedulers" => threads.into(),
        "thread_pool_size" => Term::Int(1),
        "smp_support" | "threads" => true.into(),
        "multi_scheduling" => Term::atom("enabled"),
        "build_type" => Term::atom("opt"),
        "os_system_time_source" | "os_monotonic_time_source" => Term::Nil,
        "tolerant_timeofday" => Term::atom("enabled"),
        "time_warp_mode" => Term::atom("no_time_warp"),
        "endian" => Term::atom(if cfg!(target_endian = "little") {
            "little"
        } else {
            "big"
        }),
        "dynamic_trace" => Term::atom("none"),
        "kernel_poll" | "dist_buf_busy_limit" => true.into(),
        _ => return Err(bad(1, "invalid system info item")),
    })
}

fn pid_to_list(_: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        Term::Pid(pid) => Ok(Term::charlist(&pid.to_string())),
        _ => Err(bad(1, "not a pid")),
    }
}

fn ref_to_list(_: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        Term::Reference(reference) => Ok(Term::charlist(&reference.to_string())),
        _ => Err(bad(1, "not a reference")),
    }
}

fn fun_to_list(_: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        Term::Fun(_) => Ok(Term::charlist(&args[0].to_string())),
        _ => Err(bad(1, "not a function")),
    }
}

/// The pid that `<0.5.0>` names.
pub(crate) fn parse_pid(text: &str) -> Option<Pid> {
    let number = text.strip_prefix("<0.")?.strip_suffix(".0>")?;
    number.parse().ok().map(Pid::from_number)
}

fn list_to_pid(_: &mut Context, args: &[Term]) -> Answer {
    let pid = args[0]
        .to_charlist_string()
        .and_then(|text| parse_pid(&text));
    pid.map(Term::Pid)
        .ok_or_else(|| bad(1, "not a textual representation of a pid"))
}

fn split_binary(_: &mut Context, args: &[Term]) -> Answer {
    let (bytes, place) = (
        super::argument::binary(args, 1)?,
        super::argument::count(args, 2)?,
    );
    if place > bytes.len() {
        return Err(bad(2, "out of range"));
    }
    Ok(Term::tuple([
        Term::Binary(bytes.slice(0..place)),
        Term::Binary(bytes.slice(place..bytes.len())),
    ]))
}

fn binary_part(ctx: &mut Context, args: &[Term]) -> Answer {
    match args[1].as_tuple().map(|pair| &pair[..]) {
        Some([start, length]) => {
            kernel::binary_part(ctx, &[args[0].clone(), start.clone(), length.clone()])
        }
        _ => Err(bad(2, "not a tuple of start and length")),
    }
}

fn make_tuple(_: &mut Context, args: &[Term]) -> Answer {
    Ok(Term::tuple(vec![
        args[1].clone();
        super::argument::terms(args, 1)?
    ]))
}

fn append_element(_: &mut Context, args: &[Term]) -> Answer {
    let mut elements = super::argument::tuple(args, 1)?.to_vec();
    elements.push(args[1].clone());
    Ok(Term::tuple(elements))
}

fn delete_element(_: &mut Context, args: &[Term]) -> Answer {
    let mut elements = super::argument::tuple(args, 2)?.to_vec();
    let place = super::argument::count(args, 1)?;
    if place == 0 || place > elements.len() {
        return Err(bad(1, "out of range"));
    }
    elements.remove(place - 1);
    Ok(Term::tuple(elements))
}

fn insert_element(_: &mut Context, args: &[Term]) -> Answer {
    let mut elements = super::argument::tuple(args, 2)?.to_vec();
    let place = super::argument::count(args, 1)?;
    if place == 0 || place > elements.len() + 1 {
        return Err(bad(1, "out of range"));
    }
    elements.insert(place - 1, args[2].clone());
    Ok(Term::tuple(elements))
}

fn tuple_to_list(_: &mut Context, args: &[Term]) -> Answer {
    super::argument::tuple(args, 1).map(|tuple| Term::list(tuple.to_vec()))
}

fn list_to_tuple(_: &mut Context, args: &[Term]) -> Answer {
    list(args, 1).map(Term::tuple)
}

fn map_get(_: &mut Context, args: &[Term]) -> Answer {
    let missing = || Throw::key_error(args[0].clone(), args[1].clone());
    map(args, 2)?.get(&args[0]).cloned().ok_or_else(missing)
}

fn is_record(_: &mut Context, args: &[Term]) -> Answer {
    let tuple = args[0].as_tuple();
    let size_fits = args
        .get(2)
        .is_none_or(|size| size.as_usize() == tuple.map(|tuple| tuple.len()));
    Ok((size_fits && tuple.and_then(|tuple| tuple.first()) == Some(&args[1])).into())
}

fn bitstring_to_list(_: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        Term::Binary(bytes) => Ok(Term::bytes_list(bytes.clone())),
        Term::Bitstring(bits) => {
            let (last, whole) = bits.bytes().split_last().unwrap_or((&0, &[]));
            let mut items: Vec<Term> = whole
                .iter()
                .map(|byte| Term::Int(i64::from(*byte)))
                .collect();
            items.extend(Bitstring::term(
                Binary::from(&[*last][..]),
                bits.last_bits(),
            ));
            Ok(Term::list(items))
        }
        _ => Err(bad(1, "not a bitstring")),
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn adler32(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    high << 16 | low
}

fn halt(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut ports = Ports::Written;
    if args.len() > 1 {
        for option in list(args, 2)? {
            ports = match option.as_tuple().map(|pair| &pair[..]) {
                Some([name, wanted]) if name.is_atom("flush") && wanted.is_atom("true") => {
                    Ports::Written
                }
                Some([name, wanted]) if name.is_atom("flush") && wanted.is_atom("false") => {
                    Ports::Left
                }
                _ => return Err(bad(2, "invalid option in list")),
            };
        }
    }
    match args.first() {
        None => ctx.halt(0, ports),
        Some(Term::Int(status)) if *status >= 0 => {
            ctx.halt(i32::try_from(status & 0xFF).unwrap_or(0), ports)
        }
        Some(status) if status.is_atom("abort") => ctx.halt(134, Ports::Left),
        Some(Term::Nil | Term::List(_)) => ctx.halt(1, Ports::Left),
        Some(_) => Err(bad(1, "invalid status")),
    }
}

fn fun_info(_: &mut Context, args: &[Term]) -> Answer {
    let Term::Fun(fun) = &args[0] else {
        return Err(bad(1, "not a fun"));
    };
    match args[1].as_atom().map(|item| item.as_str()) {
        Some("arity") => Ok(Term::tuple([args[1].clone(), fun.arity().into()])),
        _ => Err(bad(2, "invalid item")),
    }
}

fn function_exported(ctx: &mut Context, args: &[Term]) -> Answer {
    let (module, function) = (
        super::argument::atom(args, 1)?,
        super::argument::atom(args, 2)?,
    );
    let arity = super::argument::count(args, 3)?;
    Ok((ctx.exports(module, function.as_str(), arity)
        || super::lookup(module, function.as_str(), arity).is_some())
    .into())
}

fn memory(_: &mut Context, _: &[Term]) -> Answer {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: i64 = status
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(0);
    Ok(Term::Int(pages * 4096))
}

fn atom_encoding(args: &[Term]) -> Result<(), Throw> {
    match args.get(1) {
        None => Ok(()),
        Some(encoding)
            if ["utf8", "unicode", "latin1"]
                .iter()
                .any(|name| encoding.is_atom(name)) =>
        {
            Ok(())
        }
        Some(_) => Err(bad(2, "not one of the atoms: latin1, utf8, or unicode")),
    }
}

fn statistics(_: &mut Context, args: &[Term]) -> Answer {
    match args[0].as_atom().map(|item| item.as_str()) {
        Some("wall_clock" | "runtime") => {
            let ms =
                i64::try_from((super::clock::monotonic_ns() + 576_460_752_000_000_000) / 1_000_000)
                    .unwrap_or(0);
            Ok(Term::tuple([Term::Int(ms), Term::Int(ms)]))
        }
        _ => Err(bad(1, "invalid statistics item")),
    }
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "term_to_binary"/1 => term_to_binary, ":erlang.term_to_binary(term): in the external format";
    "term_to_binary"/2 => term_to_binary, ":erlang.term_to_binary(term, options): :compressed, minor_version: n";
    "binary_to_term"/1 => binary_to_term, ":erlang.binary_to_term(binary): a term of the external format";
    "binary_to_term"/2 => binary_to_term, ":erlang.binary_to_term(binary, options): :safe, :used";
    "error"/1 => error, ":erlang.error(reason): raises";
    "error"/2 => error, ":erlang.error(reason, args): raises";
    "error"/3 => error, ":erlang.error(reason, args, options): raises";
    "raise"/3 => raise, ":erlang.raise(class, reason, stacktrace): raises again";
    "unique_integer"/0 => unique_integer, ":erlang.unique_integer()";
    "unique_integer"/1 => unique_integer, ":erlang.unique_integer(modifiers): :positive, :monotonic";
    "system_info"/1 => system_info, ":erlang.system_info(item): :port_limit, :port_count, :otp_release, :version and others";
    "statistics"/1 => statistics, ":erlang.statistics(item): :wall_clock, :runtime";
    "memory"/1 => memory, ":erlang.memory(:total): the bytes this program takes";
    "garbage_collect"/0 => |_, _| Ok(true.into()), ":erlang.garbage_collect(): nothing to do here";
    "garbage_collect"/1 => |_, _| Ok(true.into()), ":erlang.garbage_collect(pid): nothing to do here";
    "yield"/0 => |_, _| Ok(true.into()), ":erlang.yield()";
    "halt"/0 => halt, ":erlang.halt(): ends the program";
    "halt"/1 => halt, ":erlang.halt(status): ends the program";
    "halt"/2 => halt, ":erlang.halt(status, options): ends the program";
    "pid_to_list"/1 => pid_to_list, ":erlang.pid_to_list(pid)";
    "list_to_pid"/1 => list_to_pid, ":erlang.list_to_pid(charlist)";
    "ref_to_list"/1 => ref_to_list, ":erlang.ref_to_list(ref)";
    "fun_to_list"/1 => fun_to_list, ":erlang.fun_to_list(fun)";
    "fun_info"/2 => fun_info, ":erlang.fun_info(fun, :arity)";
    "function_exported"/3 => function_exported, ":erlang.function_exported(module, function, arity)";
    "element"/2 => kernel::element, ":erlang.element(place, tuple): places from 1";
    "setelement"/3 => kernel::setelement, ":erlang.setelement(place, tuple, value): places from 1";
    "size"/1 => kernel::size, ":erlang.size(tuple_or_binary)";
    "make_tuple"/2 => make_tuple, ":erlang.make_tuple(size, value)";
    "append_element"/2 => append_element, ":erlang.append_element(tuple, value)";
    "delete_element"/2 => delete_element, ":erlang.delete_element(place, tuple)";
    "insert_element"/3 => insert_element, ":erlang.insert_element(place, tuple, value)";
    "tuple_to_list"/1 => tuple_to_list, ":erlang.tuple_to_list(tuple)";
    "list_to_tuple"/1 => list_to_tuple, ":erlang.list_to_tuple(list)";
    "map_get"/2 => map_get, ":erlang.map_get(key, map)";
    "is_map_key"/2 => |_, args| map(args, 2).map(|map| map.contains_key(&args[0]).into()), ":erlang.is_map_key(key, map)";
    "is_record"/2 => is_record, ":erlang.is_record(term, tag)";
    "is_record"/3 => is_record, ":erlang.is_record(term, tag, size)";
    "float"/1 => |_, args| super::number::to_float(&args[0]).map(Term::Float).map_err(|_| bad(1, "not a number")), ":erlang.float(number)";
    "split_binary"/2 => split_binary, ":erlang.split_binary(binary, place)";
    "binary_part"/2 => binary_part, ":erlang.binary_part(binary, {start, length})";
    "iolist_to_binary"/1 => convert::iolist_to_binary, ":erlang.iolist_to_binary(iodata)";
    "iolist_size"/1 => convert::iolist_size, ":erlang.iolist_size(iodata)";
    "iolist_to_iovec"/1 => |ctx, args| convert::iolist_to_binary(ctx, args).map(|bytes| Term::list(vec![bytes])), ":erlang.iolist_to_iovec(iodata)";
    "list_to_binary"/1 => convert::list_to_binary, ":erlang.list_to_binary(iolist)";
    "binary_to_list"/1 => convert::binary_to_list, ":erlang.binary_to_list(binary)";
    "binary_to_list"/3 => convert::binary_slice_to_list, ":erlang.binary_to_list(binary, from, to): places from 1";
    "bitstring_to_list"/1 => bitstring_to_list, ":erlang.bitstring_to_list(bitstring)";
    "atom_to_list"/1 => convert::atom_to_list, ":erlang.atom_to_list(atom)";
    "atom_to_binary"/1 => convert::atom_to_binary, ":erlang.atom_to_binary(atom)";
    "atom_to_binary"/2 => |ctx, args| { atom_encoding(args)?; convert::atom_to_binary(ctx, args) }, ":erlang.atom_to_binary(atom, encoding)";
    "binary_to_atom"/1 => convert::binary_to_atom, ":erlang.binary_to_atom(binary)";
    "binary_to_atom"/2 => |ctx, args| { atom_encoding(args)?; convert::binary_to_atom(ctx, args) }, ":erlang.binary_to_atom(binary, encoding)";
    "binary_to_existing_atom"/1 => convert::binary_to_existing_atom, ":erlang.binary_to_existing_atom(binary)";
    "list_to_atom"/1 => convert::list_to_atom, ":erlang.list_to_atom(charlist)";
    "list_to_existing_atom"/1 => convert::list_to_existing_atom, ":erlang.list_to_existing_atom(charlist)";
    "integer_to_list"/1 => convert::integer_to_list, ":erlang.integer_to_list(integer)";
    "integer_to_list"/2 => convert::integer_to_list, ":erlang.integer_to_list(integer, base)";
    "integer_to_binary"/1 => convert::integer_to_binary, ":erlang.integer_to_binary(integer)";
    "integer_to_binary"/2 => convert::integer_to_binary, ":erlang.integer_to_binary(integer, base)";
    "list_to_integer"/1 => convert::list_to_integer, ":erlang.list_to_integer(charlist)";
    "list_to_integer"/2 => convert::list_to_integer, ":erlang.list_to_integer(charlist, base)";
    "binary_to_integer"/1 => convert::binary_to_integer, ":erlang.binary_to_integer(binary)";
    "binary_to_integer"/2 => convert::binary_to_integer, ":erlang.binary_to_integer(binary, base)";
    "list_to_float"/1 => convert::list_to_float, ":erlang.list_to_float(charlist)";
    "binary_to_float"/1 => convert::binary_to_float, ":erlang.binary_to_float(binary)";
    "float_to_list"/1 => convert::float_to_list, ":erlang.float_to_list(float)";
    "float_to_list"/2 => convert::float_to_list, ":erlang.float_to_list(float, options): :short, decimals: n, scientific: n, :compact";
    "float_to_binary"/1 => convert::float_to_binary, ":erlang.float_to_binary(float)";
    "float_to_binary"/2 => convert::float_to_binary, ":erlang.float_to_binary(float, options)";
    "crc32"/1 => |_, args| convert::flatten(args, 1, "not an iodata term").map(|bytes| crc32(&bytes).into()), ":erlang.crc32(iodata)";
    "adler32"/1 => |_, args| convert::flatten(args, 1, "not an iodata term").map(|bytes| adler32(&bytes).into()), ":erlang.adler32(iodata)";
    "group_leader"/0 => super::process::own_pid, ":erlang.group_leader(): this process";
    "display"/1 => |ctx, args| { ctx.write(format!("{}\n", args[0]).as_bytes()); Ok(true.into()) }, ":erlang.display(term): writes it in Erlang's words";
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_usual_ones() {
        assert_eq!(crc32(b"abc"), 891_568_578);
        assert_eq!(adler32(b"abc"), 38_600_999);
    }

    #[test]
    fn pids_are_read_back() {
        assert_eq!(parse_pid("<0.80.0>"), Some(Pid::from_number(80)));
        assert_eq!(parse_pid("<1.80.0>"), None);
    }
}

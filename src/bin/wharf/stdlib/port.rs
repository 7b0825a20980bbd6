//! `Port`, the port functions of `:erlang`, and `:erl_ddll`.
//!
//! Relies on `wharf::host::Process` for everything that happens. Promises Erlang's answers and errors.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad};
use super::process::{demonitor, or_nil};
use super::{Entry, table};
use crate::lang::native::Context;
use wharf::term::Term;

fn yes() -> Term {
    true.into()
}

/// `open_port(name, settings)`
fn open(ctx: &mut Context, args: &[Term]) -> Answer {
    Ok(Term::Port(ctx.process().open_port(&args[0], &args[1])?))
}

/// `port_command(port, data, flags \\ [])`
fn command(ctx: &mut Context, args: &[Term]) -> Answer {
    let flags = args.get(2).cloned().unwrap_or(Term::Nil);
    Ok(ctx
        .process()
        .port_command(&args[0], &args[1], &flags)?
        .into())
}

fn close(ctx: &mut Context, args: &[Term]) -> Answer {
    ctx.process().port_close(&args[0])?;
    Ok(yes())
}

fn connect(ctx: &mut Context, args: &[Term]) -> Answer {
    ctx.process().port_connect(&args[0], &args[1])?;
    Ok(yes())
}

fn control(ctx: &mut Context, args: &[Term]) -> Answer {
    Ok(ctx.process().port_control(&args[0], &args[1], &args[2])?)
}

/// `port_call(port, operation \\ 0, data)`
fn call(ctx: &mut Context, args: &[Term]) -> Answer {
    match args {
        [port, operation, data] => Ok(ctx.process().port_call(port, operation, data)?),
        // Erlang finds no words for the arguments of `port_call/2`.
        _ => ctx
            .process()
            .port_call(&args[0], &Term::Int(0), &args[1])
            .map_err(|mut raise| {
                raise.detail = None;
                raise.into()
            }),
    }
}

fn info(ctx: &mut Context, args: &[Term]) -> Answer {
    Ok(ctx.process().port_info(&args[0])?)
}

fn info_item(ctx: &mut Context, args: &[Term]) -> Answer {
    Ok(ctx.process().port_info_item(&args[0], &args[1])?)
}

/// `Port.info(port, item)`: a port without a name has the name `[]`.
fn elixir_info_item(ctx: &mut Context, args: &[Term]) -> Answer {
    Ok(match info_item(ctx, args)? {
        Term::Nil if args[1].is_atom("registered_name") => {
            Term::tuple([args[1].clone(), Term::Nil])
        }
        answer => or_nil(answer),
    })
}

fn list(ctx: &mut Context, _: &[Term]) -> Answer {
    Ok(Term::list(
        ctx.process()
            .host()
            .ports()
            .into_iter()
            .map(Term::Port)
            .collect(),
    ))
}

fn monitor(ctx: &mut Context, args: &[Term]) -> Answer {
    Ok(Term::Reference(
        ctx.process().monitor(&Term::atom("port"), &args[0])?,
    ))
}

fn set_data(ctx: &mut Context, args: &[Term]) -> Answer {
    ctx.process().port_set_data(&args[0], args[1].clone())?;
    Ok(yes())
}

fn get_data(ctx: &mut Context, args: &[Term]) -> Answer {
    Ok(ctx.process().port_get_data(&args[0])?)
}

fn to_list(_: &mut Context, args: &[Term]) -> Answer {
    match &args[0] {
        Term::Port(port) => Ok(Term::charlist(&port.to_string())),
        _ => Err(bad(1, "not a port")),
    }
}

fn from_list(_: &mut Context, args: &[Term]) -> Answer {
    let wrong = || bad(1, "not a textual representation of a port");
    let text = args[0].to_charlist_string().ok_or_else(wrong)?;
    let number = text
        .strip_prefix("#Port<0.")
        .and_then(|rest| rest.strip_suffix('>'))
        .and_then(|number| number.parse().ok());
    number
        .map(|number| Term::Port(wharf::term::PortId::from_number(number)))
        .ok_or_else(wrong)
}

/// The functions of `Port`.
pub(crate) const TABLE: &[Entry] = table! {
    "open"/2 => open, "Port.open(name, settings): name is {:spawn, command}, {:spawn_executable, path}, {:spawn_driver, command} or {:fd, in, out}";
    "command"/2 => command, "Port.command(port, data): sends data to the port";
    "command"/3 => command, "Port.command(port, data, options): options are :force and :nosuspend";
    "close"/1 => close, "Port.close(port)";
    "connect"/2 => connect, "Port.connect(port, pid): makes pid the owner, and links it";
    "info"/1 => |ctx, args| info(ctx, args).map(or_nil), "Port.info(port): facts, or nil when it is closed";
    "info"/2 => elixir_info_item, "Port.info(port, item): a fact, or nil when it is closed";
    "list"/0 => list, "Port.list(): all ports";
    "monitor"/1 => monitor, "Port.monitor(port_or_name): a reference; {:DOWN, ref, :port, port, reason} follows the end";
    "demonitor"/1 => demonitor, "Port.demonitor(ref)";
    "demonitor"/2 => demonitor, "Port.demonitor(ref, options): options are :flush and :info";
};

/// The functions of `:erlang` on ports.
pub(crate) const ERLANG: &[Entry] = table! {
    "open_port"/2 => open, ":erlang.open_port(name, settings)";
    "port_command"/2 => command, ":erlang.port_command(port, data)";
    "port_command"/3 => command, ":erlang.port_command(port, data, options)";
    "port_close"/1 => close, ":erlang.port_close(port)";
    "port_connect"/2 => connect, ":erlang.port_connect(port, pid)";
    "port_control"/3 => control, ":erlang.port_control(port, operation, data): the driver's answer, a list or binary";
    "port_call"/2 => call, ":erlang.port_call(port, term): the driver's answer, a term";
    "port_call"/3 => call, ":erlang.port_call(port, operation, term)";
    "port_info"/1 => info, ":erlang.port_info(port): facts or :undefined";
    "port_info"/2 => info_item, ":erlang.port_info(port, item)";
    "ports"/0 => list, ":erlang.ports(): all ports";
    "port_set_data"/2 => set_data, ":erlang.port_set_data(port, term): keeps a term with the port";
    "port_get_data"/1 => get_data, ":erlang.port_get_data(port)";
    "port_to_list"/1 => to_list, ":erlang.port_to_list(port)";
    "list_to_port"/1 => from_list, ":erlang.list_to_port(charlist)";
};

macro_rules! driver {
    ($name:literal) => {
        |ctx, args| Ok(ctx.process().ddll($name, args)?)
    };
}

/// The functions of `:erl_ddll`.
pub(crate) const DRIVERS: &[Entry] = table! {
    "load"/2 => driver!("load"), ":erl_ddll.load(path, name): loads name.so from the folder path";
    "load_driver"/2 => driver!("load_driver"), ":erl_ddll.load_driver(path, name): as load/2, killing its ports if it is unloaded";
    "try_load"/3 => driver!("try_load"), ":erl_ddll.try_load(path, name, options)";
    "unload"/1 => driver!("unload"), ":erl_ddll.unload(name)";
    "unload_driver"/1 => driver!("unload_driver"), ":erl_ddll.unload_driver(name)";
    "try_unload"/2 => driver!("try_unload"), ":erl_ddll.try_unload(name, options)";
    "reload"/2 => driver!("reload"), ":erl_ddll.reload(path, name)";
    "reload_driver"/2 => driver!("reload_driver"), ":erl_ddll.reload_driver(path, name)";
    "loaded_drivers"/0 => driver!("loaded_drivers"), ":erl_ddll.loaded_drivers(): {:ok, names}";
    "info"/0 => driver!("info"), ":erl_ddll.info(): facts about all drivers";
    "info"/1 => driver!("info"), ":erl_ddll.info(name)";
    "info"/2 => driver!("info"), ":erl_ddll.info(name, item)";
    "monitor"/2 => driver!("monitor"), ":erl_ddll.monitor(:driver, {name, when}): a reference";
    "demonitor"/1 => driver!("demonitor"), ":erl_ddll.demonitor(ref)";
    "format_error"/1 => driver!("format_error"), ":erl_ddll.format_error(reason): words for a reason";
    "start"/0 => driver!("start"), ":erl_ddll.start()";
    "stop"/0 => driver!("stop"), ":erl_ddll.stop()";
};

//! `Process`, and the functions on processes that `:erlang` has.
//!
//! Relies on `wharf::host::Process` for everything that happens. Promises Erlang's answers and errors; a process that
//! a signal kills while it waits here stops at once.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad, nil};
use super::enumeration::items::pair;
use super::{Entry, table};
use crate::inspect::{Options, inspect, inspect_lines};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use std::time::{Duration, Instant};
use wharf::term::{Atom, Pid, Term};

/// `true`.
fn yes() -> Term {
    true.into()
}

/// `self()`
pub(crate) fn own_pid(ctx: &mut Context, _: &[Term]) -> Answer {
    Ok(Term::Pid(ctx.process().pid()))
}

/// `send(destination, message)`
pub(crate) fn send(ctx: &mut Context, args: &[Term]) -> Answer {
    ctx.process().send(&args[0], args[1].clone())?;
    Ok(args[1].clone())
}

/// `:erlang.send/3` and `Process.send/3`: `:ok`, or `:nosuspend` or `:noconnect`
pub(crate) fn send_with(ctx: &mut Context, args: &[Term]) -> Answer {
    let options = read_send_options(args)?;
    let nosuspend = options.iter().any(|option| option.is_atom("nosuspend"));
    let sent = ctx
        .process()
        .send_with(&args[0], args[1].clone(), nosuspend)?;
    Ok(Term::atom(if sent { "ok" } else { "nosuspend" }))
}

fn read_send_options(args: &[Term]) -> Result<Vec<Term>, Throw> {
    let options = args[2].to_list_vec().ok_or_else(|| bad(3, "not a list"))?;
    let known = |option: &Term| option.is_atom("nosuspend") || option.is_atom("noconnect");
    match options.iter().all(known) {
        true => Ok(options),
        false => Err(bad(3, "invalid option in list")),
    }
}

/// `:erlang.send_nosuspend(destination, message, options \\ [])`
fn send_nosuspend(ctx: &mut Context, args: &[Term]) -> Answer {
    if args.len() == 3 {
        read_send_options(args)?;
    }
    Ok(ctx
        .process()
        .send_with(&args[0], args[1].clone(), true)?
        .into())
}

fn link(ctx: &mut Context, args: &[Term]) -> Answer {
    ctx.process().link(&args[0])?;
    Ok(yes())
}

fn unlink(ctx: &mut Context, args: &[Term]) -> Answer {
    ctx.process().unlink(&args[0])?;
    Ok(yes())
}

/// `:erlang.monitor(kind, what)`
fn monitor_kind(ctx: &mut Context, args: &[Term]) -> Answer {
    Ok(Term::Reference(ctx.process().monitor(&args[0], &args[1])?))
}

fn monitor(ctx: &mut Context, args: &[Term]) -> Answer {
    Ok(Term::Reference(
        ctx.process().monitor(&Term::atom("process"), &args[0])?,
    ))
}

/// `demonitor(reference, options \\ [])`
pub(crate) fn demonitor(ctx: &mut Context, args: &[Term]) -> Answer {
    let options = args.get(1).cloned().unwrap_or(Term::Nil);
    Ok(ctx.process().demonitor(&args[0], &options)?.into())
}

/// `exit(to, reason)`
fn exit_signal(ctx: &mut Context, args: &[Term]) -> Answer {
    ctx.process().exit_signal(&args[0], args[1].clone())?;
    // A signal to oneself has arrived when the function returns.
    match ctx.process().exited() {
        Some(reason) => Err(Throw::killed(reason)),
        None => Ok(yes()),
    }
}

/// `:erlang.process_flag(flag, value)`
pub(crate) fn flag(ctx: &mut Context, args: &[Term]) -> Answer {
    let wrong = || bad(2, "invalid value for this process flag");
    let Term::Atom(name) = &args[0] else {
        return Err(bad(1, "invalid process flag"));
    };
    match name.as_str() {
        "trap_exit" => {
            let trap = args[1].as_bool().ok_or_else(wrong)?;
            Ok(ctx.process().set_trap_exit(trap).into())
        }
        // There is nothing to tune here: accepted, with Erlang's usual settings as the former ones.
        "priority" => match &args[1] {
            Term::Atom(level) if matches!(level.as_str(), "low" | "normal" | "high" | "max") => {
                Ok(Term::atom("normal"))
            }
            _ => Err(wrong()),
        },
        "message_queue_data" => Ok(Term::atom("on_heap")),
        "min_heap_size" => Ok(Term::Int(233)),
        "min_bin_vheap_size" => Ok(Term::Int(46_422)),
        "max_heap_size" | "save_calls" => Ok(Term::Int(0)),
        "sensitive" => Ok(false.into()),
        "fullsweep_after" => Ok(Term::Int(65_535)),
        _ => Err(bad(1, "invalid process flag")),
    }
}

fn flag_of(ctx: &mut Context, args: &[Term]) -> Answer {
    pid(args, 1)?;
    flag(ctx, &args[1..])
}

fn pid(args: &[Term], place: usize) -> Result<Pid, Throw> {
    args[place - 1]
        .as_pid()
        .ok_or_else(|| bad(place, "not a pid"))
}

/// `Process.sleep(timeout)`, `:timer.sleep(timeout)`
pub(crate) fn sleep(ctx: &mut Context, args: &[Term]) -> Answer {
    let deadline = match &args[0] {
        Term::Int(milliseconds) if *milliseconds >= 0 => {
            Instant::now().checked_add(milliseconds_of(*milliseconds))
        }
        forever if forever.is_atom("infinity") => None,
        _ => return Err(Throw::function_clause("Process", "sleep", args)),
    };
    ctx.process()
        .receive(|_| None::<()>, deadline)
        .map_err(|exited| Throw::killed(exited.reason))?;
    Ok(Term::atom("ok"))
}

fn milliseconds_of(number: i64) -> Duration {
    Duration::from_millis(u64::try_from(number).unwrap_or(0))
}

fn is_alive(ctx: &mut Context, args: &[Term]) -> Answer {
    let pid = pid(args, 1)?;
    Ok(ctx.process().host().is_alive(pid).into())
}

/// `Process.register(pid_or_port, name)`
fn register(ctx: &mut Context, args: &[Term]) -> Answer {
    match &args[1] {
        Term::Atom(name) if !matches!(name.as_str(), "nil" | "true" | "false" | "undefined") => {}
        _ => return Err(Throw::function_clause("Process", "register", args)),
    }
    ctx.process().register(&args[1], &args[0]).map_err(|_| {
        Throw::argument_error(&format!(
            "could not register {} with name {} because it is not alive, the name is already taken, or it has already been given \
             another name",
            inspect(&args[0]),
            inspect(&args[1])
        ))
    })?;
    Ok(yes())
}

/// `:erlang.register(name, pid_or_port)`
fn register_name(ctx: &mut Context, args: &[Term]) -> Answer {
    if args[0].as_atom().is_some() && !matches!(args[1], Term::Pid(_) | Term::Port(_)) {
        return Err(bad(2, "not a pid or port"));
    }
    ctx.process().register(&args[0], &args[1])?;
    Ok(yes())
}

fn unregister(ctx: &mut Context, args: &[Term]) -> Answer {
    if args[0].as_atom().is_none() {
        return Err(bad(1, "not a pid"));
    }
    ctx.process().unregister(&args[0])?;
    Ok(yes())
}

fn whereis(ctx: &mut Context, args: &[Term]) -> Answer {
    Ok(ctx.process().whereis(&args[0])?)
}

/// Erlang's `undefined` as Elixir's `nil`.
pub(crate) fn or_nil(answer: Term) -> Term {
    if answer.is_atom("undefined") {
        nil()
    } else {
        answer
    }
}

fn registered(ctx: &mut Context, _: &[Term]) -> Answer {
    Ok(Term::list(
        ctx.process()
            .host()
            .registered()
            .into_iter()
            .map(Term::Atom)
            .collect(),
    ))
}

fn processes(ctx: &mut Context, _: &[Term]) -> Answer {
    Ok(Term::list(
        ctx.process()
            .host()
            .processes()
            .into_iter()
            .map(Term::Pid)
            .collect(),
    ))
}

/// `:erlang.process_info(pid)`
fn info(ctx: &mut Context, args: &[Term]) -> Answer {
    let pid = pid(args, 1)?;
    Ok(ctx
        .process()
        .host()
        .process_facts(pid)
        .unwrap_or_else(|| Term::atom("undefined")))
}

/// One fact about a process, if it lives.
fn fact(ctx: &mut Context, pid: Pid, item: Atom) -> Result<Option<Term>, Throw> {
    if let Some(fact) = ctx.process().host().process_info(pid, item) {
        return Ok(Some(fact));
    }
    let value = match item.as_str() {
        _ if !ctx.process().host().is_alive(pid) => return Ok(None),
        "dictionary" if pid == ctx.process().pid() => dictionary_pairs(ctx),
        "dictionary" | "suspending" | "binary" => Term::Nil,
        "messages" => {
            return Err(Throw::argument_error(
                "the messages of a process cannot be seen here",
            ));
        }
        "priority" => Term::atom("normal"),
        "group_leader" => Term::Pid(pid),
        "memory" | "heap_size" | "total_heap_size" | "stack_size" | "reductions" => Term::Int(0),
        "error_handler" => Term::atom("error_handler"),
        "current_function" | "initial_call" => {
            Term::tuple([Term::atom("erlang"), Term::atom("apply"), Term::Int(2)])
        }
        _ => return Err(bad(2, "invalid item or item list")),
    };
    Ok(Some(Term::tuple([Term::Atom(item), value])))
}

/// `:erlang.process_info(pid, item_or_items)`
fn info_item(ctx: &mut Context, args: &[Term]) -> Answer {
    let pid = pid(args, 1)?;
    let undefined = || Term::atom("undefined");
    match &args[1] {
        Term::Atom(item) => Ok(fact(ctx, pid, *item)?.unwrap_or_else(undefined)),
        items => {
            let mut facts = Vec::new();
            for item in items
                .to_list_vec()
                .ok_or_else(|| bad(2, "invalid item or item list"))?
            {
                let item = item
                    .as_atom()
                    .ok_or_else(|| bad(2, "invalid item or item list"))?;
                match fact(ctx, pid, item)? {
                    // In a list an unnamed process has the name [].
                    Some(Term::Nil) => facts.push(Term::tuple([Term::Atom(item), Term::Nil])),
                    Some(fact) => facts.push(fact),
                    None => return Ok(undefined()),
                }
            }
            Ok(Term::list(facts))
        }
    }
}

/// `Process.info(pid, item)`
fn elixir_info_item(ctx: &mut Context, args: &[Term]) -> Answer {
    let answer = info_item(ctx, args)?;
    Ok(match (&args[1], answer) {
        (name @ Term::Atom(_), Term::Nil) => Term::tuple([name.clone(), Term::Nil]),
        (_, answer) => or_nil(answer),
    })
}

/// When a message is due: after so many milliseconds, or at a time of the monotonic clock.
fn delay(args: &[Term], place: usize, options: Option<&Term>) -> Result<Duration, Throw> {
    let time = match &args[place - 1] {
        Term::Int(time) => *time,
        _ => return Err(bad(place, "not an integer")),
    };
    let absolute = options
        .and_then(|options| super::argument::option(options, "abs"))
        .is_some_and(|abs| abs.is_true());
    if absolute {
        let now = super::clock::monotonic_ns() / 1_000_000;
        return Ok(milliseconds_of(
            (i128::from(time) - now)
                .clamp(0, i128::from(i64::MAX))
                .try_into()
                .unwrap_or(0),
        ));
    }
    if time < 0 {
        return Err(bad(place, "out of range"));
    }
    Ok(milliseconds_of(time))
}

/// The time and the destination of a delayed message; the error speaks of both.
fn delayed(args: &[Term]) -> Result<(Duration, Term), Throw> {
    let to = match &args[1] {
        to @ (Term::Pid(_) | Term::Atom(_)) => Ok(to.clone()),
        _ => Err("2nd argument: not a pid or an atom"),
    };
    match (delay(args, 1, args.get(3)), to) {
        (Ok(delay), Ok(to)) => Ok((delay, to)),
        (Ok(_), Err(words)) => Err(Throw::badarg(Some(words))),
        (Err(throw), Ok(_)) => Err(throw),
        (Err(mut throw), Err(words)) => {
            throw.detail = throw
                .detail
                .take()
                .map(|detail| format!("{detail}\n{words}"));
            Err(throw)
        }
    }
}

/// `:erlang.send_after(time, destination, message, options \\ [])`
pub(crate) fn send_after(ctx: &mut Context, args: &[Term]) -> Answer {
    let (delay, to) = delayed(args)?;
    Ok(Term::Reference(ctx.process().send_after(
        delay,
        &to,
        args[2].clone(),
    )))
}

/// `Process.send_after(destination, message, time, options \\ [])`
fn elixir_send_after(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut turned = vec![args[2].clone(), args[0].clone(), args[1].clone()];
    turned.extend(args.get(3).cloned());
    send_after(ctx, &turned)
}

/// `:erlang.start_timer(time, destination, message)`: the message names its timer
fn start_timer(ctx: &mut Context, args: &[Term]) -> Answer {
    let (delay, to) = delayed(args)?;
    let (tag, message) = (Term::atom("timeout"), args[2].clone());
    // The timer's reference is known only when it is set: another reference names it in the message and to the caller.
    let reference = ctx.process().make_ref();
    let timer = ctx.process().send_after(
        delay,
        &to,
        Term::tuple([tag, Term::Reference(reference), message]),
    );
    ctx.dictionary()
        .insert(timer_key(reference), Term::Reference(timer));
    Ok(Term::Reference(reference))
}

fn timer_key(reference: wharf::term::Reference) -> Term {
    Term::tuple([Term::atom("$timer"), Term::Reference(reference)])
}

/// What scripts may see of the dictionary.
fn visible(key: &Term) -> bool {
    !key.as_tuple()
        .is_some_and(|pair| pair.len() == 2 && pair[0].is_atom("$timer"))
}

fn timer(ctx: &mut Context, args: &[Term]) -> Result<wharf::term::Reference, Throw> {
    let reference = args[0]
        .as_reference()
        .ok_or_else(|| bad(1, "not a reference"))?;
    let named = ctx
        .dictionary()
        .get(&timer_key(reference))
        .and_then(Term::as_reference);
    Ok(named.unwrap_or(reference))
}

fn time_left(left: Option<Duration>) -> Term {
    left.map_or_else(
        || false.into(),
        |left| Term::Int(i64::try_from(left.as_millis()).unwrap_or(i64::MAX)),
    )
}

/// `cancel_timer(reference, options \\ [])`
pub(crate) fn cancel_timer(ctx: &mut Context, args: &[Term]) -> Answer {
    let timer = timer(ctx, args)?;
    let left = time_left(ctx.process().cancel_timer(timer));
    let option = |name: &str| {
        args.get(1)
            .and_then(|options| super::argument::option(options, name))
    };
    let wants_info = option("info").is_none_or(|info| info.is_true());
    if option("async").is_some_and(|later| later.is_true()) {
        if wants_info {
            let message = Term::tuple([Term::atom("cancel_timer"), args[0].clone(), left]);
            let me = Term::Pid(ctx.process().pid());
            ctx.process().send(&me, message)?;
        }
        return Ok(Term::atom("ok"));
    }
    Ok(if wants_info { left } else { Term::atom("ok") })
}

fn read_timer(ctx: &mut Context, args: &[Term]) -> Answer {
    let timer = timer(ctx, args)?;
    Ok(time_left(ctx.process().read_timer(timer)))
}

fn put(ctx: &mut Context, args: &[Term], none: Term) -> Answer {
    Ok(ctx
        .dictionary()
        .insert(args[0].clone(), args[1].clone())
        .unwrap_or(none))
}

fn get(ctx: &mut Context, args: &[Term], none: Term) -> Answer {
    Ok(ctx.dictionary().get(&args[0]).cloned().unwrap_or(none))
}

fn erase(ctx: &mut Context, args: &[Term], none: Term) -> Answer {
    Ok(ctx.dictionary().remove(&args[0]).unwrap_or(none))
}

fn dictionary_pairs(ctx: &mut Context) -> Term {
    let visible = ctx.dictionary().iter().filter(|(key, _)| visible(key));
    Term::list(visible.map(pair).collect())
}

fn dictionary(ctx: &mut Context, _: &[Term]) -> Answer {
    Ok(dictionary_pairs(ctx))
}

fn dictionary_keys(ctx: &mut Context, args: &[Term]) -> Answer {
    let wanted = args.first();
    let fits = |value: &Term| wanted.is_none_or(|wanted| value == wanted);
    let keys = ctx
        .dictionary()
        .iter()
        .filter(|(key, value)| visible(key) && fits(value));
    Ok(Term::list(keys.map(|(key, _)| key.clone()).collect()))
}

/// `flush()`: shows and takes all messages that wait, as in iex.
pub(crate) fn flush(ctx: &mut Context, _: &[Term]) -> Answer {
    loop {
        let next = ctx.process().receive_any(Duration::ZERO);
        match next.map_err(|exited| Throw::killed(exited.reason))? {
            Some(message) => {
                let shown = inspect_lines(&message, &Options::default());
                ctx.write(format!("{shown}\n").as_bytes());
            }
            None => return Ok(Term::atom("ok")),
        }
    }
}

fn undefined() -> Term {
    Term::atom("undefined")
}

/// The functions of `Process`.
pub(crate) const TABLE: &[Entry] = table! {
    "send"/3 => send_with, "Process.send(dest, msg, opts): opts are :nosuspend and :noconnect";
    "link"/1 => link, "Process.link(pid_or_port): a link, so that exits are told both ways";
    "unlink"/1 => unlink, "Process.unlink(pid_or_port)";
    "monitor"/1 => monitor, "Process.monitor(pid_or_name): a reference; {:DOWN, ref, :process, pid, reason} follows the end";
    "demonitor"/1 => demonitor, "Process.demonitor(ref)";
    "demonitor"/2 => demonitor, "Process.demonitor(ref, opts): opts are :flush and :info";
    "exit"/2 => exit_signal, "Process.exit(pid_or_port, reason): sends an exit signal";
    "flag"/2 => flag, "Process.flag(:trap_exit, true): exit signals become messages; gives the former value";
    "flag"/3 => flag_of, "Process.flag(pid, flag, value)";
    "sleep"/1 => sleep, "Process.sleep(milliseconds)";
    "alive?"/1 => is_alive, "Process.alive?(pid)";
    "register"/2 => register, "Process.register(pid_or_port, name)";
    "unregister"/1 => unregister, "Process.unregister(name)";
    "whereis"/1 => |ctx, args| whereis(ctx, args).map(or_nil), "Process.whereis(name): a pid, a port or nil";
    "registered"/0 => registered, "Process.registered(): all names";
    "list"/0 => processes, "Process.list(): all pids";
    "info"/1 => |ctx, args| info(ctx, args).map(or_nil), "Process.info(pid): facts, or nil when it has ended";
    "info"/2 => elixir_info_item, "Process.info(pid, item): a fact, or nil when it has ended";
    "send_after"/3 => elixir_send_after, "Process.send_after(dest, msg, milliseconds): a reference for cancel_timer/1";
    "send_after"/4 => elixir_send_after, "Process.send_after(dest, msg, time, opts): abs: true for a time of the monotonic clock";
    "cancel_timer"/1 => cancel_timer, "Process.cancel_timer(ref): the milliseconds that were left, or false";
    "cancel_timer"/2 => cancel_timer, "Process.cancel_timer(ref, opts): opts are :async and :info";
    "read_timer"/1 => read_timer, "Process.read_timer(ref): the milliseconds left, or false";
    "put"/2 => |ctx, args| put(ctx, args, nil()), "Process.put(key, value): in this process's dictionary; the former value";
    "get"/0 => dictionary, "Process.get(): this process's dictionary";
    "get"/1 => |ctx, args| get(ctx, args, nil()), "Process.get(key): from this process's dictionary, or nil";
    "get"/2 => |ctx, args| get(ctx, args, args[1].clone()), "Process.get(key, default)";
    "get_keys"/0 => dictionary_keys, "Process.get_keys(): the keys of this process's dictionary";
    "get_keys"/1 => dictionary_keys, "Process.get_keys(value): the keys with this value";
    "delete"/1 => |ctx, args| erase(ctx, args, nil()), "Process.delete(key): the value that was there";
};

/// The functions of `:erlang` on processes.
pub(crate) const ERLANG: &[Entry] = table! {
    "self"/0 => own_pid, "self(): this process";
    "send"/2 => send, "send(dest, message): gives the message";
    "send"/3 => send_with, ":erlang.send(dest, message, opts): :ok or :nosuspend";
    "send_nosuspend"/2 => send_nosuspend, ":erlang.send_nosuspend(dest, message): false instead of waiting for a busy port";
    "send_nosuspend"/3 => send_nosuspend, ":erlang.send_nosuspend(dest, message, opts)";
    "link"/1 => link, ":erlang.link(pid_or_port)";
    "unlink"/1 => unlink, ":erlang.unlink(pid_or_port)";
    "monitor"/2 => monitor_kind, ":erlang.monitor(:process | :port, what)";
    "demonitor"/1 => demonitor, ":erlang.demonitor(ref)";
    "demonitor"/2 => demonitor, ":erlang.demonitor(ref, opts)";
    "exit"/2 => exit_signal, ":erlang.exit(pid_or_port, reason): sends an exit signal";
    "process_flag"/2 => flag, ":erlang.process_flag(flag, value): the former value";
    "process_flag"/3 => flag_of, ":erlang.process_flag(pid, flag, value)";
    "is_process_alive"/1 => is_alive, ":erlang.is_process_alive(pid)";
    "register"/2 => register_name, ":erlang.register(name, pid_or_port)";
    "unregister"/1 => unregister, ":erlang.unregister(name)";
    "whereis"/1 => whereis, ":erlang.whereis(name): a pid, a port or :undefined";
    "registered"/0 => registered, ":erlang.registered(): all names";
    "processes"/0 => processes, ":erlang.processes(): all pids";
    "process_info"/1 => info, ":erlang.process_info(pid)";
    "process_info"/2 => info_item, ":erlang.process_info(pid, item_or_items)";
    "send_after"/3 => send_after, ":erlang.send_after(milliseconds, dest, message)";
    "send_after"/4 => send_after, ":erlang.send_after(time, dest, message, opts)";
    "start_timer"/3 => start_timer, ":erlang.start_timer(milliseconds, dest, message): sends {:timeout, ref, message}";
    "start_timer"/4 => start_timer, ":erlang.start_timer(time, dest, message, opts)";
    "cancel_timer"/1 => cancel_timer, ":erlang.cancel_timer(ref)";
    "cancel_timer"/2 => cancel_timer, ":erlang.cancel_timer(ref, opts)";
    "read_timer"/1 => read_timer, ":erlang.read_timer(ref)";
    "put"/2 => |ctx, args| put(ctx, args, undefined()), ":erlang.put(key, value): in this process's dictionary";
    "get"/0 => dictionary, ":erlang.get(): this process's dictionary";
    "get"/1 => |ctx, args| get(ctx, args, undefined()), ":erlang.get(key)";
    "get_keys"/0 => dictionary_keys, ":erlang.get_keys()";
    "erase"/1 => |ctx, args| erase(ctx, args, undefined()), ":erlang.erase(key): the value that was there";
};

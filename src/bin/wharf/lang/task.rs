//! `Task`: a process that computes one value for the process that started it.
//!
//! Relies on `Context::spawn`. Promises Elixir's protocol: the answer is `{ref, value}`, the process is linked and
//! monitored, and waiting for one that died or takes too long is an exit that names the task.
#![forbid(unsafe_code)]

use super::context::Context;
use super::function::{made, remote};
use super::spawn::Tie;
use super::throw::Throw;
use crate::stdlib::{Entry, table};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use wharf::term::{Map, Reference, Term, atom};

/// The functions of `Task`.
pub(crate) const TABLE: &[Entry] = table! {
    "async"/1 => start_async, "Task.async(fun): a task that computes the function's value";
    "async"/3 => start_async, "Task.async(module, function, args): a task that computes the function's value";
    "await"/1 => |context, args| wait(context, &args[0], &Term::from(5000)), "Task.await(task): its value, within 5 seconds";
    "await"/2 => |context, args| wait(context, &args[0], &args[1]), "Task.await(task, timeout): its value";
    "await_many"/1 => |context, args| wait_many(context, &args[0], &Term::from(5000)), "Task.await_many(tasks): their values, within 5 seconds";
    "await_many"/2 => |context, args| wait_many(context, &args[0], &args[1]), "Task.await_many(tasks, timeout): their values";
    "start"/1 => |context, args| start(context, args, Tie::None), "Task.start(fun): {:ok, pid} of a process that runs the function";
    "start"/3 => |context, args| start(context, args, Tie::None), "Task.start(module, function, args)";
    "start_link"/1 => |context, args| start(context, args, Tie::Link), "Task.start_link(fun): the same, linked";
    "start_link"/3 => |context, args| start(context, args, Tie::Link), "Task.start_link(module, function, args)";
};

/// A function and its arguments, given as `fun` or as `module, name, args`.
fn function(args: &[Term]) -> Result<(Term, Vec<Term>), Throw> {
    match args {
        [fun @ Term::Fun(object)] if object.arity() == 0 => Ok((fun.clone(), Vec::new())),
        [Term::Atom(module), Term::Atom(name), list] => {
            let args = list.to_list_vec().ok_or_else(|| Throw::badarg(None))?;
            Ok((remote(*module, *name, args.len()), args))
        }
        _ => Err(Throw::function_clause("Task", "async", args)),
    }
}

fn start(context: &mut Context, args: &[Term], tie: Tie) -> Result<Term, Throw> {
    let (fun, args) = function(args)?;
    let (pid, _) = context.spawn(fun, args, tie)?;
    Ok(Term::tuple([Term::Atom(atom::OK), Term::Pid(pid)]))
}

fn start_async(context: &mut Context, args: &[Term]) -> Result<Term, Throw> {
    let mfa = match args {
        [_, _, list] => vec![
            args[0].clone(),
            args[1].clone(),
            Term::from(list.to_list_vec().map_or(0, |list| list.len())),
        ],
        _ => vec![Term::atom("erlang"), Term::atom("apply"), Term::from(2)],
    };
    let (fun, args) = function(args)?;
    let owner = Term::Pid(context.process().pid());
    let (tell, told) = channel::<Reference>();
    let told = Mutex::new(told);
    let to = owner.clone();
    let body = made(0, move |context, _| {
        let value = context.apply(&fun, args.clone())?;
        // The monitor exists once the process does; its owner says which one it is.
        let reference = told.lock().ok().and_then(|told| told.recv().ok());
        if let Some(reference) = reference {
            context
                .process()
                .send(&to, Term::tuple([Term::Reference(reference), value]))?;
        }
        Ok(Term::Atom(atom::OK))
    });
    let (pid, reference) = context.spawn(body, Vec::new(), Tie::LinkAndMonitor)?;
    let reference = reference.ok_or_else(|| Throw::badarg(None))?;
    // A task that ended already does not listen.
    let _ = tell.send(reference);
    let mut task = Map::new();
    task.insert(Term::atom("__struct__"), Term::atom("Elixir.Task"));
    task.insert(Term::atom("mfa"), Term::tuple(mfa));
    task.insert(Term::atom("owner"), owner);
    task.insert(Term::atom("pid"), Term::Pid(pid));
    task.insert(Term::atom("ref"), Term::Reference(reference));
    Ok(Term::Map(task))
}

fn wait_many(context: &mut Context, tasks: &Term, timeout: &Term) -> Result<Term, Throw> {
    let tasks = tasks.to_list_vec().ok_or_else(|| Throw::badarg(None))?;
    let values = tasks
        .iter()
        .map(|task| wait(context, task, timeout))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Term::list(values))
}

fn wait(context: &mut Context, task: &Term, timeout: &Term) -> Result<Term, Throw> {
    let field = |name: &str| {
        task.as_map()
            .and_then(|map| map.get(&Term::atom(name)))
            .cloned()
    };
    let Some(reference @ Term::Reference(_)) = field("ref") else {
        return Err(Throw::function_clause(
            "Task",
            "await",
            &[task.clone(), timeout.clone()],
        ));
    };
    let deadline = match timeout.as_int().and_then(|time| u64::try_from(time).ok()) {
        Some(time) => Some(Instant::now() + Duration::from_millis(time)),
        None if timeout.is_atom("infinity") => None,
        None => return Err(Throw::error(Term::atom("timeout_value"))),
    };
    let answer = context.process().receive(
        |message| match message.as_tuple().map(|parts| &parts[..]) {
            Some([first, value]) if *first == reference => Some(Ok(value.clone())),
            Some([Term::Atom(atom::DOWN), first, _, _, reason]) if *first == reference => {
                Some(Err(reason.clone()))
            }
            _ => None,
        },
        deadline,
    );
    let failed = |reason: Term| {
        let call = [
            Term::atom("Elixir.Task"),
            Term::atom("await"),
            Term::list(vec![task.clone(), timeout.clone()]),
        ];
        Throw::exit(Term::tuple([reason, Term::tuple(call)]))
    };
    let flush = Term::list(vec![Term::Atom(atom::FLUSH)]);
    match answer {
        Ok(Some(Ok(value))) => {
            context.process().demonitor(&reference, &flush)?;
            Ok(value)
        }
        Ok(Some(Err(reason))) => Err(failed(reason)),
        Ok(None) => {
            context.process().demonitor(&reference, &flush)?;
            Err(failed(Term::atom("timeout")))
        }
        Err(exited) => Err(Throw::killed(exited.reason)),
    }
}

//! Processes of a script: one thread each, with a stack of its own.
//!
//! Relies on `wharf::host`. Promises that links and monitors are in place before the new process runs, that its end has
//! the reason Erlang would give, and that a failure is reported as Elixir's logger does.
#![forbid(unsafe_code)]

use super::context::Context;
use super::function::Closure;
use super::node::Lambda;
use super::report;
use super::throw::{Call, Class, Throw};
use std::sync::Arc;
use wharf::host::Process;
use wharf::term::{Fun, Pid, Reference, Term, atom};

/// What ties a new process to the one that starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tie {
    None,
    Link,
    Monitor,
    /// As `Task.async/1` does.
    LinkAndMonitor,
}

/// A spawned process's stack: address space, of which only what is used costs memory.
pub(crate) const STACK_BYTES: usize = 256 << 20;

/// What to make do with when there is no such address space.
const SMALL_STACK_BYTES: usize = 4 << 20;

impl Context {
    /// Starts a process that evaluates `fun` with `args`.
    pub(crate) fn spawn(
        &mut self,
        fun: Term,
        args: Vec<Term>,
        tie: Tie,
    ) -> Result<(Pid, Option<Reference>), Throw> {
        let child = self.process.host().process();
        let (pid, who) = (child.pid(), Term::Pid(child.pid()));
        if matches!(tie, Tie::Link | Tie::LinkAndMonitor) {
            self.process.link(&who)?;
        }
        let reference = match tie {
            Tie::Monitor | Tie::LinkAndMonitor => {
                Some(self.process.monitor(&Term::Atom(atom::PROCESS), &who)?)
            }
            _ => None,
        };
        let world = self.world.clone();
        start(child, move |child, stack| {
            let mut context = Context::new(child, world, stack);
            let result = guarded(|| context.apply(&fun, args));
            context.end(result);
        })?;
        Ok((pid, reference))
    }

    /// Ends this process as its function's result says.
    pub(super) fn end(&mut self, result: Result<Term, Throw>) {
        let reason = match result {
            Ok(_) => Term::Atom(atom::NORMAL),
            Err(throw) if throw.killed => return,
            Err(throw) => {
                if throw.class != Class::Exit {
                    let text = report::process_failed(self, &throw);
                    self.world.complain(&text);
                }
                exit_reason(&throw)
            }
        };
        self.process.exit(reason);
    }
}

/// What links and monitors are told.
pub(super) fn exit_reason(throw: &Throw) -> Term {
    let trace = || Term::list(throw.trace.iter().map(Call::term).collect());
    match throw.class {
        Class::Exit => throw.reason.clone(),
        Class::Error => Term::tuple([throw.reason.clone(), trace()]),
        Class::Throw => Term::tuple([
            Term::tuple([Term::atom("nocatch"), throw.reason.clone()]),
            trace(),
        ]),
    }
}

/// A fault of wharf's own ends one process, with a reason, and not silently the whole script.
fn guarded<T>(body: impl FnOnce() -> Result<T, Throw>) -> Result<T, Throw> {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
    result.unwrap_or_else(|_| Err(Throw::error(Term::Atom(atom::INTERNAL_ERROR))))
}

fn start(child: Process, body: impl FnOnce(Process, usize) + Send + 'static) -> Result<(), Throw> {
    // The first attempt may fail to get its stack; the body must survive it.
    let body = Arc::new(std::sync::Mutex::new(Some(body)));
    for stack in [STACK_BYTES, SMALL_STACK_BYTES] {
        let (child, body) = (child.clone(), body.clone());
        let builder = std::thread::Builder::new()
            .name(format!("process {}", child.pid().number()))
            .stack_size(stack);
        let started = builder.spawn(move || {
            let body = body.lock().ok().and_then(|mut body| body.take());
            if let Some(body) = body {
                body(child, stack);
            }
        });
        if started.is_ok() {
            return Ok(());
        }
    }
    child.exit(Term::Atom(atom::SYSTEM_LIMIT));
    Err(Throw::error(Term::Atom(atom::SYSTEM_LIMIT)))
}

/// The function value of code and what it took along.
pub(super) fn closure(lambda: Arc<Lambda>, captured: Vec<Term>) -> Term {
    Term::Fun(Fun::new(Closure {
        lambda,
        captured: captured.into(),
    }))
}

/// `&name/1`.
pub(super) fn closure_of(lambda: &Arc<Lambda>) -> Term {
    closure(lambda.clone(), Vec::new())
}

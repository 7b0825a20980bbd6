//! What a running script process carries along: itself, its world, how deep it may still go.
//!
//! Relies on `wharf::host::Process`. Promises natives what `native` lists, and that a process which a signal killed
//! stops at its next call.
#![forbid(unsafe_code)]

use super::node::Lambda;
use super::run::Ports;
use super::throw::{Call, Throw};
use super::world::World;
use std::collections::HashMap;
use std::sync::Arc;
use wharf::host::Process;
use wharf::term::{Atom, Term, atom};

/// A process that evaluates.
pub(crate) struct Context {
    pub(super) process: Process,
    pub(super) world: World,
    /// The call that a function ended in, on its way to the loop that makes it.
    pub(super) pending: Option<Tail>,
    /// The stack may not grow below this address.
    floor: usize,
    dictionary: HashMap<Term, Term>,
    /// What the `rescue` and `catch` clauses that are running have caught.
    pub(super) traces: Vec<Vec<Call>>,
}

/// A call in tail position.
pub(super) struct Tail {
    pub(super) lambda: Arc<Lambda>,
    pub(super) args: Vec<Term>,
    pub(super) captured: Option<Arc<[Term]>>,
}

/// What is kept free at the end of a stack for natives, deeply nested expressions and unwinding.
const STACK_RESERVE_MAX: usize = 32 << 20;

impl Context {
    /// The context of a process that runs in the current thread, which has `stack` bytes of stack.
    pub(crate) fn new(process: Process, world: World, stack: usize) -> Context {
        let reserve = STACK_RESERVE_MAX.min(stack / 4);
        let floor = stack_address().saturating_sub(stack - reserve);
        Context {
            process,
            world,
            pending: None,
            floor,
            dictionary: HashMap::new(),
            traces: Vec::new(),
        }
    }

    /// The process that runs.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// What this process shares with the others of its script.
    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// Writes to standard output (captured in transcripts).
    pub(crate) fn write(&mut self, text: &[u8]) {
        self.world.write(text);
    }

    /// The process dictionary.
    pub(crate) fn dictionary(&mut self) -> &mut HashMap<Term, Term> {
        &mut self.dictionary
    }

    /// Whether the script defines `module.function/arity`.
    pub(crate) fn exports(&self, module: Atom, function: &str, arity: usize) -> bool {
        self.world.exports(module, function, arity)
    }

    /// Calls an anonymous function.
    pub(crate) fn apply(&mut self, fun: &Term, args: Vec<Term>) -> Result<Term, Throw> {
        self.call_value(fun, args)
    }

    /// `apply(module, function, args)`.
    pub(crate) fn call(
        &mut self,
        module: Atom,
        function: &str,
        args: Vec<Term>,
    ) -> Result<Term, Throw> {
        self.call_named(module, Atom::new(function), args)
    }

    /// Ends the whole program, as `System.halt/1`. In a transcript the program is not the session's to end: there all
    /// of the session's processes do.
    pub(crate) fn halt(&mut self, status: i32, ports: Ports) -> Result<Term, Throw> {
        if !self.world.halt(status) {
            super::run::leave(&self.world, status, ports);
        }
        let kill = Term::Atom(atom::KILL);
        let host = self.process.host();
        let killer = host.process();
        for pid in host.processes() {
            if pid != killer.pid() {
                // One that is gone already needs no signal.
                let _ = killer.exit_signal(&Term::from(pid), kill.clone());
            }
        }
        Err(Throw::killed(Term::Atom(atom::KILLED)))
    }

    /// Before a call: is there room, does the process still live?
    pub(super) fn check(&self) -> Result<(), Throw> {
        if stack_address() < self.floor {
            return Err(Throw::error(Term::Atom(atom::SYSTEM_LIMIT)));
        }
        match self.process.exited() {
            Some(reason) => Err(Throw::killed(reason)),
            None => Ok(()),
        }
    }
}

/// Roughly where the stack ends at the moment.
#[inline(never)]
fn stack_address() -> usize {
    let here = 0u8;
    std::hint::black_box(std::ptr::from_ref(&here)).addr()
}

//! Calls, and the loop that makes tail calls free.
#![forbid(unsafe_code)]

use super::{Eval, Frame, NIL, Unwind};
use crate::lang::builtins;
use crate::lang::context::{Context, Tail};
use crate::lang::exception::module_text;
use crate::lang::function::{Closure, Library, Remote, call_made};
use crate::lang::native::Native;
use crate::lang::node::{FunctionCell, Lambda, Node, Pattern};
use crate::lang::operators::BinaryOp;
use crate::lang::throw::{Call, Class, Throw};
use std::sync::Arc;
use wharf::term::{Atom, Term, atom};

/// The failure that left a function; a tail call never does.
fn into_throw(unwind: Unwind) -> Throw {
    match unwind {
        Unwind::Throw(throw) => throw,
        Unwind::Tail => Throw::error(Term::atom("internal_error")),
    }
}

impl Context {
    /// Runs a function, and the functions it ends in.
    pub(in crate::lang) fn run(
        &mut self,
        mut lambda: Arc<Lambda>,
        mut args: Vec<Term>,
        mut captured: Option<Arc<[Term]>>,
    ) -> Result<Term, Throw> {
        loop {
            self.check()?;
            args.resize(lambda.slots, Term::Nil);
            if let Some(captured) = &captured {
                for ((_, slot), value) in lambda.captures.iter().zip(captured.iter()) {
                    args[*slot] = value.clone();
                }
            }
            let mut frame = Frame {
                slots: args,
                lambda: &lambda,
            };
            match self.body(&mut frame) {
                Ok(value) => return Ok(value),
                Err(Unwind::Throw(throw)) => return Err(throw),
                Err(Unwind::Tail) => {
                    let Some(tail) = self.pending.take() else {
                        return Ok(NIL);
                    };
                    args = tail.args;
                    captured = tail.captured;
                    lambda = tail.lambda;
                }
            }
        }
    }

    /// Runs a file's or prompt's code on variables that outlive it.
    pub(in crate::lang) fn run_file(
        &mut self,
        lambda: &Arc<Lambda>,
        slots: &mut Vec<Term>,
    ) -> Result<Term, Throw> {
        let mut frame = Frame {
            slots: std::mem::take(slots),
            lambda,
        };
        let result = self.body(&mut frame);
        *slots = frame.slots;
        result.map_err(into_throw)
    }

    /// Evaluates the clause that takes the arguments in the first slots.
    fn body(&mut self, frame: &mut Frame) -> Eval {
        let lambda = frame.lambda;
        'clauses: for clause in &lambda.clauses {
            for (slot, pattern) in clause.patterns.iter().enumerate() {
                if matches!(pattern, Pattern::Any) {
                    continue;
                }
                // Out of its slot for a moment, so that the pattern may write to others.
                let argument = std::mem::take(&mut frame.slots[slot]);
                let matches = self.matches(pattern, &argument, frame);
                frame.slots[slot] = argument;
                if !matches? {
                    continue 'clauses;
                }
            }
            if clause.guard.is_some() && !self.guard(clause.guard.as_ref(), frame) {
                continue;
            }
            return self.eval(&clause.body, frame);
        }
        Err(Unwind::Throw(self.no_clause(frame)))
    }

    #[cold]
    fn no_clause(&self, frame: &Frame) -> Throw {
        let lambda = frame.lambda;
        let mut throw = Throw::error(Term::atom("function_clause"));
        throw.trace.push(Call {
            module: lambda.module,
            function: lambda.name.clone(),
            arity: lambda.arity,
            arguments: Some(frame.slots[..lambda.arity].to_vec()),
            file: lambda.file.clone(),
            line: lambda.line,
        });
        throw
    }

    /// Calls a script's function now, or leaves it to the loop when nothing follows.
    fn enter(
        &mut self,
        lambda: &Arc<Lambda>,
        args: Vec<Term>,
        captured: Option<Arc<[Term]>>,
        tail: bool,
        line: u32,
        frame: &Frame,
    ) -> Eval {
        if tail {
            self.pending = Some(Tail {
                lambda: lambda.clone(),
                args,
                captured,
            });
            return Err(Unwind::Tail);
        }
        self.run(lambda.clone(), args, captured)
            .map_err(|throw| frame.pass(throw, line))
    }

    pub(super) fn call_local(
        &mut self,
        function: &FunctionCell,
        args: &[Node],
        tail: bool,
        line: u32,
        frame: &mut Frame,
    ) -> Eval {
        let Some(lambda) = function.get() else {
            let throw = Throw::message(
                "UndefinedFunctionError",
                "the function is not compiled yet: its module is still being defined",
            );
            return Err(frame.pass(throw, line));
        };
        let mut values = Vec::with_capacity(lambda.slots);
        for arg in args {
            values.push(self.eval(arg, frame)?);
        }
        self.enter(lambda, values, None, tail, line, frame)
    }

    pub(super) fn call_native(
        &mut self,
        native: Native,
        name: (Atom, Atom),
        args: &[Node],
        line: u32,
        frame: &mut Frame,
    ) -> Eval {
        match args {
            [] => self.native(native, name, &[], line, frame),
            [one] => {
                let args = [self.eval(one, frame)?];
                self.native(native, name, &args, line, frame)
            }
            [one, two] => {
                let args = [self.eval(one, frame)?, self.eval(two, frame)?];
                self.native(native, name, &args, line, frame)
            }
            _ => {
                let args = self.eval_all(args, frame)?;
                self.native(native, name, &args, line, frame)
            }
        }
    }

    fn native(
        &mut self,
        native: Native,
        name: (Atom, Atom),
        args: &[Term],
        line: u32,
        frame: &Frame,
    ) -> Eval {
        let answer = native(self, args);
        // It may have waited, and have been killed meanwhile.
        if let Some(reason) = self.process().exited() {
            return Err(Throw::killed(reason).into());
        }
        answer.map_err(|throw| native_failed(throw, name, args, line, frame))
    }

    #[cold]
    pub(super) fn operator_failed(
        &mut self,
        op: BinaryOp,
        left: &Term,
        right: &Term,
        throw: Throw,
        line: u32,
        frame: &Frame,
    ) -> Eval {
        // Membership in what only the library can go through.
        if matches!(op, BinaryOp::In | BinaryOp::NotIn)
            && matches!(right, Term::Map(_) | Term::Fun(_))
        {
            let found = self.call(
                Atom::new("Elixir.Enum"),
                "member?",
                vec![right.clone(), left.clone()],
            );
            let found = found.map_err(|throw| frame.pass(throw, line))?;
            return Ok(Term::boolean(found.is_true() == (op == BinaryOp::In)));
        }
        Err(frame.pass(throw, line))
    }

    /// Calls any function value, with these arguments.
    pub(super) fn invoke(
        &mut self,
        fun: &Term,
        args: Vec<Term>,
        tail: bool,
        line: u32,
        frame: &Frame,
    ) -> Eval {
        let Term::Fun(object) = fun else {
            let throw = Throw::error(Term::tuple([Term::atom("badfun"), fun.clone()]));
            return Err(frame.pass(throw, line));
        };
        if object.arity() != args.len() {
            let what = Term::tuple([fun.clone(), Term::list(args)]);
            return Err(frame.pass(
                Throw::error(Term::tuple([Term::atom("badarity"), what])),
                line,
            ));
        }
        if let Some(closure) = object.downcast_ref::<Closure>() {
            return self.enter(
                &closure.lambda,
                args,
                Some(closure.captured.clone()),
                tail,
                line,
                frame,
            );
        }
        if let Some(remote) = object.downcast_ref::<Remote>() {
            return self.remote(remote.module, remote.name, args, tail, line, frame);
        }
        if let Some(library) = object.downcast_ref::<Library>() {
            return self.native(
                library.native,
                (library.module, library.name),
                &args,
                line,
                frame,
            );
        }
        match call_made(object, self, &args) {
            Some(result) => result.map_err(|throw| frame.pass(throw, line)),
            None => Err(frame.pass(
                Throw::error(Term::tuple([Term::atom("badfun"), fun.clone()])),
                line,
            )),
        }
    }

    /// Calls `module.name` as it is now.
    pub(super) fn remote(
        &mut self,
        module: Atom,
        name: Atom,
        args: Vec<Term>,
        tail: bool,
        line: u32,
        frame: &Frame,
    ) -> Eval {
        if let Some(lambda) = self.world.function(module, name, args.len()) {
            return self.enter(&lambda, args, None, tail, line, frame);
        }
        if let Some(native) = builtins::lookup(module, name.as_str(), args.len()) {
            return self.native(native, (module, name), &args, line, frame);
        }
        if let Some(value) = self.struct_function(module, name.as_str(), &args) {
            return value.map_err(|throw| frame.pass(throw, line));
        }
        Err(frame.pass(
            Throw::undefined_function(module, name.as_str(), &args),
            line,
        ))
    }

    /// `target.name(args)`, the target computed.
    pub(super) fn dynamic(
        &mut self,
        target: &Term,
        name: Atom,
        args: Vec<Term>,
        tail: bool,
        line: u32,
        frame: &Frame,
    ) -> Eval {
        match target {
            Term::Atom(module) => self.remote(*module, name, args, tail, line, frame),
            // `map.key()` reads as a call without arguments.
            Term::Map(map) if args.is_empty() && map.contains_key(&Term::Atom(name)) => {
                self.field(target, name, line, frame)
            }
            _ => Err(frame.pass(not_a_module(target, name, args), line)),
        }
    }

    /// `target.name`.
    pub(super) fn field(&mut self, target: &Term, name: Atom, line: u32, frame: &Frame) -> Eval {
        let value = match target {
            Term::Map(map) => map.get(&Term::Atom(name)).cloned(),
            Term::Atom(atom::NIL | atom::TRUE | atom::FALSE) => None,
            Term::Atom(module) => {
                return self.remote(*module, name, Vec::new(), false, line, frame);
            }
            _ => None,
        };
        value.ok_or_else(|| {
            let reason = Term::tuple([Term::atom("badkey"), Term::Atom(name), target.clone()]);
            frame.pass(Throw::error(reason), line)
        })
    }

    /// `apply/2,3`.
    pub(super) fn apply_list(
        &mut self,
        target: &[Node],
        args: &Node,
        tail: bool,
        line: u32,
        frame: &mut Frame,
    ) -> Eval {
        let target = self.eval_all(target, frame)?;
        let args = self.eval(args, frame)?;
        let Some(args) = args.to_list_vec() else {
            return Err(frame.pass(Throw::badarg(None), line));
        };
        match target.as_slice() {
            [fun] => self.invoke(fun, args, tail, line, frame),
            [Term::Atom(module), Term::Atom(name)] => {
                self.remote(*module, *name, args, tail, line, frame)
            }
            [module, Term::Atom(name)] => Err(frame.pass(not_a_module(module, *name, args), line)),
            _ => Err(frame.pass(Throw::badarg(None), line)),
        }
    }

    /// Calls a function value from Rust.
    pub(in crate::lang) fn call_value(
        &mut self,
        fun: &Term,
        args: Vec<Term>,
    ) -> Result<Term, Throw> {
        if let Term::Fun(object) = fun
            && let Some(closure) = object.downcast_ref::<Closure>()
            && closure.lambda.arity == args.len()
        {
            return self.run(closure.lambda.clone(), args, Some(closure.captured.clone()));
        }
        let lambda = outside();
        let frame = Frame {
            slots: Vec::new(),
            lambda: &lambda,
        };
        self.invoke(fun, args, false, 0, &frame).map_err(unmarked)
    }

    /// `apply(module, name, args)` from Rust.
    pub(in crate::lang) fn call_named(
        &mut self,
        module: Atom,
        name: Atom,
        args: Vec<Term>,
    ) -> Result<Term, Throw> {
        let lambda = outside();
        let frame = Frame {
            slots: Vec::new(),
            lambda: &lambda,
        };
        self.remote(module, name, args, false, 0, &frame)
            .map_err(unmarked)
    }
}

/// Code that is nobody's: calls from Rust leave no line in a trace.
fn outside() -> Lambda {
    Lambda {
        module: None,
        name: "".into(),
        arity: 0,
        file: "".into(),
        line: 0,
        slots: 0,
        captures: Vec::new(),
        clauses: Vec::new(),
    }
}

/// Takes back the line that `outside` left.
fn unmarked(unwind: Unwind) -> Throw {
    let mut throw = into_throw(unwind);
    throw.trace.retain(|call| !call.function.is_empty());
    throw
}

/// A failed native is itself the first line of the trace when the error is Erlang's.
#[cold]
fn native_failed(
    mut throw: Throw,
    name: (Atom, Atom),
    args: &[Term],
    line: u32,
    frame: &Frame,
) -> Unwind {
    if throw.trace.is_empty()
        && throw.class == Class::Error
        && !matches!(throw.reason, Term::Map(_))
        && !throw.killed
    {
        throw.trace.push(native_call(name, args));
    }
    frame.pass(throw, line)
}

fn native_call((module, name): (Atom, Atom), args: &[Term]) -> Call {
    let arguments = Some(args.to_vec());
    Call {
        module: Some(module),
        function: name.as_str().into(),
        arity: args.len(),
        arguments,
        file: "".into(),
        line: 0,
    }
}

/// What `:erlang.apply/3` says of a target that is no module.
fn not_a_module(target: &Term, name: Atom, args: Vec<Term>) -> Throw {
    let mut throw = Throw::badarg(Some("1st argument: not an atom"));
    let apply = (Atom::new("erlang"), Atom::new("apply"));
    throw.trace.push(native_call(
        apply,
        &[target.clone(), Term::Atom(name), Term::list(args)],
    ));
    throw
}

/// A module's functions that `defstruct` and `defexception` bring.
impl Context {
    pub(in crate::lang) fn struct_function(
        &mut self,
        module: Atom,
        name: &str,
        args: &[Term],
    ) -> Option<Result<Term, Throw>> {
        let structure = self.world.module(module)?.structure.clone()?;
        match (name, args) {
            ("__struct__", []) => Some(Ok(Term::Map(structure.defaults))),
            ("exception", [fields]) if structure.is_exception => {
                let mut map = structure.defaults;
                match fields {
                    Term::Binary(_) => {
                        map.insert(Term::atom("message"), fields.clone());
                    }
                    _ => {
                        for pair in fields.to_list_vec().unwrap_or_default() {
                            if let Term::Tuple(pair) = &pair
                                && pair.len() == 2
                            {
                                map.insert(pair[0].clone(), pair[1].clone());
                            }
                        }
                    }
                }
                Some(Ok(Term::Map(map)))
            }
            ("message", [Term::Map(exception)]) if structure.is_exception => {
                let none = || {
                    Term::from(
                        format!(
                            "got nil while retrieving the message of {}",
                            module_text(module)
                        )
                        .as_str(),
                    )
                };
                Some(Ok(exception
                    .get(&Term::atom("message"))
                    .cloned()
                    .unwrap_or_else(none)))
            }
            _ => None,
        }
    }
}

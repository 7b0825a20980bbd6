//! What leaves an evaluation early: an error, an exit or a thrown value, with the calls it came through.
//!
//! Relies on terms only. Promises that a [`Throw`] carries what Erlang would carry (`{:badmatch, v}`, `:function_clause`,
//! an exception map), so that `catch` sees Erlang's reason and `rescue` can normalise it (see `exception.rs`).
#![forbid(unsafe_code)]

use std::sync::Arc;
use wharf::host::Raise;
use wharf::term::{Atom, Map, Term, atom};

/// The class of a failure, which `catch` sees as `:error`, `:exit` or `:throw`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Error,
    Exit,
    Throw,
}

impl Class {
    pub(crate) fn term(self) -> Term {
        match self {
            Class::Error => Term::Atom(atom::ERROR),
            Class::Exit => Term::atom("exit"),
            Class::Throw => Term::atom("throw"),
        }
    }
}

/// One call on the way to a failure, as a line of Elixir's stack trace.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The module, as an atom (`:"Elixir.Foo"`); `None` for code outside any module.
    pub(crate) module: Option<Atom>,
    /// The function's name; Elixir's own spelling for anonymous ones and files.
    pub(crate) function: Arc<str>,
    pub(crate) arity: usize,
    /// The arguments, where the failure is about them (no clause matched).
    pub(crate) arguments: Option<Vec<Term>>,
    /// The file and line the call had reached; an empty file for native functions.
    pub(crate) file: Arc<str>,
    pub(crate) line: u32,
}

impl Call {
    /// The call as an element of `__STACKTRACE__`.
    pub(crate) fn term(&self) -> Term {
        let module = self
            .module
            .map_or(Term::atom("elixir_compiler_0"), Term::Atom);
        let arity = match &self.arguments {
            Some(arguments) => Term::list(arguments.clone()),
            None => Term::from(self.arity),
        };
        let place = if self.file.is_empty() {
            Term::Nil
        } else {
            let file = Term::tuple([Term::atom("file"), Term::charlist(&self.file)]);
            Term::list(vec![
                file,
                Term::tuple([Term::atom("line"), Term::from(self.line)]),
            ])
        };
        // Names in traces are few: those of the script's functions.
        let function = Atom::try_new(&self.function).unwrap_or(atom::EMPTY);
        Term::tuple([module, Term::Atom(function), arity, place])
    }
}

/// A failure on its way to whoever catches it.
#[derive(Clone, Debug)]
pub(crate) struct Throw(Box<Thrown>);

/// What a [`Throw`] carries.
#[derive(Clone, Debug)]
pub(crate) struct Thrown {
    pub(crate) class: Class,
    pub(crate) reason: Term,
    /// Erlang's explanation of a bad argument: `1st argument: not a pid`.
    pub(crate) detail: Option<String>,
    /// Innermost call first.
    pub(crate) trace: Vec<Call>,
    /// The process was killed by a signal: nothing may catch this, no `after` runs.
    pub(crate) killed: bool,
}

impl std::ops::Deref for Throw {
    type Target = Thrown;
    fn deref(&self) -> &Thrown {
        &self.0
    }
}

impl std::ops::DerefMut for Throw {
    fn deref_mut(&mut self) -> &mut Thrown {
        &mut self.0
    }
}

impl From<Raise> for Throw {
    fn from(raise: Raise) -> Throw {
        let class = match raise.class {
            wharf::host::Class::Exit => Class::Exit,
            wharf::host::Class::Throw => Class::Throw,
            _ => Class::Error,
        };
        let mut throw = Throw::new(class, raise.reason);
        throw.detail = raise.detail;
        throw
    }
}

impl Throw {
    pub(crate) fn new(class: Class, reason: Term) -> Throw {
        Throw(Box::new(Thrown {
            class,
            reason,
            detail: None,
            trace: Vec::new(),
            killed: false,
        }))
    }

    /// `:erlang.error(reason)`.
    pub(crate) fn error(reason: impl Into<Term>) -> Throw {
        Throw::new(Class::Error, reason.into())
    }

    /// `exit(reason)`.
    pub(crate) fn exit(reason: impl Into<Term>) -> Throw {
        Throw::new(Class::Exit, reason.into())
    }

    /// `throw(value)`.
    pub(crate) fn thrown(value: impl Into<Term>) -> Throw {
        Throw::new(Class::Throw, value.into())
    }

    /// The end of a process that a signal killed: passes every `catch`.
    pub(crate) fn killed(reason: Term) -> Throw {
        let mut throw = Throw::new(Class::Exit, reason);
        throw.killed = true;
        throw
    }

    /// `:badarg`, with Erlang's words about which argument when there are some ("1st argument: not a pid").
    pub(crate) fn badarg(detail: Option<&str>) -> Throw {
        let mut throw = Throw::error(Atom::new("badarg"));
        throw.detail = detail.map(str::to_owned);
        throw
    }

    /// Raises the exception `name` ("ArgumentError") with these fields.
    pub(crate) fn exception(name: &str, fields: &[(&str, Term)]) -> Throw {
        let module = Term::atom(&format!("Elixir.{name}"));
        let mut map = Map::new();
        map.insert(Term::atom("__struct__"), module);
        map.insert(Term::atom("__exception__"), Term::from(true));
        for (key, value) in fields {
            map.insert(Term::atom(key), value.clone());
        }
        Throw::error(Term::Map(map))
    }

    /// Raises `name` with a `message` field alone.
    pub(crate) fn message(name: &str, message: &str) -> Throw {
        Throw::exception(name, &[("message", Term::from(message))])
    }

    /// `raise ArgumentError, message`.
    pub(crate) fn argument_error(message: &str) -> Throw {
        Throw::message("ArgumentError", message)
    }

    /// `raise message`.
    pub(crate) fn runtime_error(message: &str) -> Throw {
        Throw::message("RuntimeError", message)
    }

    /// `** (KeyError) key :a not found in: %{}`.
    pub(crate) fn key_error(key: Term, term: Term) -> Throw {
        Throw::exception(
            "KeyError",
            &[("key", key), ("term", term), ("message", Term::atom("nil"))],
        )
    }

    /// `:badarith`: rescued as an `ArithmeticError`.
    pub(crate) fn arithmetic() -> Throw {
        Throw::error(Atom::new("badarith"))
    }

    /// `{:badmatch, value}`: rescued as a `MatchError`.
    pub(crate) fn match_error(value: Term) -> Throw {
        Throw::error(Term::tuple([Term::atom("badmatch"), value]))
    }

    /// `{:case_clause, value}`: rescued as a `CaseClauseError`.
    pub(crate) fn case_clause(value: Term) -> Throw {
        Throw::error(Term::tuple([Term::atom("case_clause"), value]))
    }

    /// `:function_clause`: no clause of `module.function` takes these arguments.
    pub(crate) fn function_clause(module: &str, function: &str, arguments: &[Term]) -> Throw {
        Throw::about_call(
            "function_clause",
            Some(Atom::new(&format!("Elixir.{module}"))),
            function,
            arguments,
        )
    }

    /// `:undef`: there is no such function. `module` is the whole atom.
    pub(crate) fn undefined_function(module: Atom, function: &str, arguments: &[Term]) -> Throw {
        Throw::about_call("undef", Some(module), function, arguments)
    }

    /// An error whose first call is named with its arguments.
    pub(crate) fn about_call(
        reason: &str,
        module: Option<Atom>,
        function: &str,
        arguments: &[Term],
    ) -> Throw {
        let mut throw = Throw::error(Atom::new(reason));
        throw.trace.push(Call {
            module,
            function: function.into(),
            arity: arguments.len(),
            arguments: Some(arguments.to_vec()),
            file: "".into(),
            line: 0,
        });
        throw
    }
}

//! Functions as values: closures of a script, functions by name, functions made in Rust.
#![forbid(unsafe_code)]

use super::native::{Context, Native};
use super::node::Lambda;
use super::throw::Throw;
use std::fmt;
use std::sync::Arc;
use wharf::term::{Atom, Fun, FunObject, Term};

/// A `fn` or `&name/1`, with the variables it took along.
#[derive(Debug)]
pub(crate) struct Closure {
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) captured: Arc<[Term]>,
}

impl FunObject for Closure {
    fn arity(&self) -> usize {
        self.lambda.arity
    }

    fn name(&self) -> String {
        let lambda = &self.lambda;
        // Elixir numbers a module's functions and adds a hash; the place in the file tells them apart as well.
        let number = format!(
            "{}.{}",
            lambda.line,
            lambda.slots + 1000 * lambda.line as usize
        );
        let arity = lambda.arity;
        match (lambda.name.split_once(" in "), lambda.module) {
            (Some((_, place)), Some(_)) => format!("{number}/{arity} in {place}"),
            (None, Some(module)) => format!(
                "{number}/{arity} in {}.{}",
                super::exception::module_text(module),
                lambda.name
            ),
            _ if lambda.file.contains('.') => format!("{number} in file:{}", lambda.file),
            _ => format!("{number}/{arity} in :erl_eval.expr/6"),
        }
    }
}

/// `&Module.name/1`, looked up when called.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) module: Atom,
    pub(crate) name: Atom,
    pub(crate) arity: usize,
}

impl FunObject for Remote {
    fn arity(&self) -> usize {
        self.arity
    }

    fn name(&self) -> String {
        format!(
            "&{}.{}/{}",
            super::exception::module_text(self.module),
            self.name.as_str(),
            self.arity
        )
    }
}

/// A function of the standard library.
pub(crate) struct Library {
    pub(crate) native: Native,
    pub(crate) module: Atom,
    pub(crate) name: Atom,
    pub(crate) arity: usize,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl FunObject for Library {
    fn arity(&self) -> usize {
        self.arity
    }

    fn name(&self) -> String {
        // What Kernel takes from Erlang shows as Erlang's.
        let module = match self.module.as_str() {
            "Elixir.Kernel" if is_erlangs(self.name.as_str()) => ":erlang".to_owned(),
            _ => super::exception::module_text(self.module),
        };
        format!("&{module}.{}/{}", self.name.as_str(), self.arity)
    }
}

fn is_erlangs(name: &str) -> bool {
    name.starts_with("is_") && !matches!(name, "is_nil" | "is_struct" | "is_exception")
        || matches!(
            name,
            "+" | "-"
                | "*"
                | "/"
                | "++"
                | "--"
                | "<"
                | ">"
                | ">="
                | "abs"
                | "hd"
                | "tl"
                | "length"
                | "self"
                | "round"
                | "trunc"
        )
        || matches!(
            name,
            "byte_size" | "bit_size" | "tuple_size" | "map_size" | "max" | "min" | "not" | "=="
        )
}

/// A function made in Rust, with what it captured.
struct Made<F> {
    arity: usize,
    body: F,
}

impl<F> fmt::Debug for Made<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Made")
            .field("arity", &self.arity)
            .finish_non_exhaustive()
    }
}

type Body = Box<dyn Fn(&mut Context, &[Term]) -> Result<Term, Throw> + Send + Sync>;

impl FunObject for Made<Body> {
    fn arity(&self) -> usize {
        self.arity
    }

    fn name(&self) -> String {
        format!("0.0/{} in wharf", self.arity)
    }
}

/// The function value of a standard library function.
pub(crate) fn named_native(module: Atom, name: &str, arity: usize, native: Native) -> Term {
    Term::Fun(Fun::new(Library {
        native,
        module,
        name: Atom::new(name),
        arity,
    }))
}

/// The function value `&module.name/arity`.
pub(crate) fn remote(module: Atom, name: Atom, arity: usize) -> Term {
    Term::Fun(Fun::new(Remote {
        module,
        name,
        arity,
    }))
}

/// A function value of a Rust closure.
pub(crate) fn made(
    arity: usize,
    body: impl Fn(&mut Context, &[Term]) -> Result<Term, Throw> + Send + Sync + 'static,
) -> Term {
    let body: Body = Box::new(body);
    Term::Fun(Fun::new(Made { arity, body }))
}

/// Calls a function value made in Rust; `None` if it is another kind.
pub(super) fn call_made(
    fun: &Fun,
    context: &mut Context,
    args: &[Term],
) -> Option<Result<Term, Throw>> {
    let made = fun.downcast_ref::<Made<Body>>()?;
    Some((made.body)(context, args))
}

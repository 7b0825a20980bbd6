//! The standard library's functions.
#![forbid(unsafe_code)]

use crate::lang::native::Native;
use wharf::term::Atom;

/// The function `module.function/arity`, if the standard library has it. `module` is the whole atom: `:erlang`,
/// `:"Elixir.Enum"`.
pub(crate) fn lookup(_module: Atom, _function: &str, _arity: usize) -> Option<Native> {
    None
}

//! The door between the language and the functions written in Rust (`stdlib`).
//!
//! A native function takes the running process's [`Context`] and its arguments, all evaluated, and gives a term or a
//! `Throw`. It may call back into the language with [`Context::apply`].
#![forbid(unsafe_code)]

use super::throw::Throw;
use wharf::term::Term;

pub(crate) use super::context::Context;

/// A function of the standard library.
pub(crate) type Native = fn(&mut Context, &[Term]) -> Result<Term, Throw>;

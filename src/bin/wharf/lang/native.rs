//! The door between the language and the functions written in Rust (`stdlib`).
//!
//! A native function takes the running process's [`Context`] and its arguments, all evaluated, and gives a term or a
//! [`Throw`]. It may call back into the language with [`Context::apply`].
#![forbid(unsafe_code)]

use super::throw::Throw;
use wharf::term::Term;

pub(crate) use super::context::Context;
// Context gives natives (bodies follow in context.rs):
//   process(&self) -> &wharf::host::Process
//   apply(&mut self, fun: &Term, args: Vec<Term>) -> Result<Term, Throw>             an anonymous function
//   call(&mut self, module: Atom, function: &str, args: Vec<Term>) -> Result<Term, Throw>   apply/3
//   write(&mut self, text: &[u8])                     standard output, captured in transcripts
//   spawn(&mut self, fun: Term, args: Vec<Term>, how: Spawn) -> Result<(Pid, Option<Reference>), Throw>
//   halt(&mut self, status: i32) -> !                 System.halt/1
//   dictionary(&mut self) -> &mut HashMap<Term, Term> the process dictionary
//   exports(&self, module: Atom, function: &str, arity: usize) -> bool   defined by the script
// lang keeps for itself: operators, and, or, !, if/case/..., raise, |>, in, match?, spawn/spawn_link/spawn_monitor
// (Kernel and :erlang), to be looked up before stdlib. Everything else is stdlib's: also throw/1, exit/1, send/2, self/0,
// apply/2,3, to_string/1, inspect/1,2, Kernel.elem/2, :erlang.error/1. Interpolation calls Kernel.to_string/1,
// `for` over anything but lists, maps and ranges calls Enum.to_list/1, `into:` Enum.into/2, `x[k]` Access.get/2.

/// A function of the standard library.
pub(crate) type Native = fn(&mut Context, &[Term]) -> Result<Term, Throw>;

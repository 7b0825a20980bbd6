//! The language: Elixir's syntax over wharf's processes and ports.
//!
//! The parts, in the order a script meets them: `parse` (text to tree, `ast`), `compile` (names to slots, `node`), `eval`
//! (the tree walked by a process's `context`). `session` holds it all together for prompts and files, `run` for the
//! command line. `native` is the door to the functions written in Rust.
#![forbid(unsafe_code)]

mod ast;
pub(crate) mod builtins;
mod compile;
pub(crate) mod context;
pub(crate) mod enumerable;
mod eval;
pub(crate) mod exception;
pub(crate) mod function;
pub(crate) mod native;
mod node;
pub(crate) mod operators;
pub(crate) mod parse;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod spawn;
pub(crate) mod task;
pub(crate) mod throw;
pub(crate) mod world;

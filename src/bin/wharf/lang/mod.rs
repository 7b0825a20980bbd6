//! The language: Elixir's syntax over wharf's processes and ports.
//!
//! The parts, in the order a script meets them: `parse` (text to tree), `compile` (names to slots), `eval`.
#![forbid(unsafe_code)]

pub(crate) mod native;
pub(crate) mod throw;

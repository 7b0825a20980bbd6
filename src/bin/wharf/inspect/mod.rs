//! Terms as Elixir shows them.
#![forbid(unsafe_code)]

use wharf::term::Term;

/// What `inspect/1` gives.
pub(crate) fn inspect(term: &Term) -> String {
    term.to_string()
}

//! Terms as Elixir shows them.
//!
//! `inspect` turns a term into a document, and the document into lines: `atom`, `text` and `number` write the leaves,
//! `container` the lists, tuples, maps and structs, `document` breaks lines. `exception` has the messages of exceptions.
#![forbid(unsafe_code)]

pub(crate) mod atom;
mod container;
mod document;
pub(crate) mod exception;
pub(crate) mod number;
pub(crate) mod options;
pub(crate) mod text;

pub(crate) use options::Options;
use wharf::term::Term;

/// What `inspect/1` gives: all on one line.
pub(crate) fn inspect(term: &Term) -> String {
    inspect_with(term, &Options::default())
}

/// What `inspect/2` gives: on lines of the options' width if they ask for `pretty`.
pub(crate) fn inspect_with(term: &Term, options: &Options) -> String {
    container::document(term, options)
        .grouped()
        .render(if options.pretty { options.width } else { None })
}

/// What `IO.inspect/2` and iex print: always on lines of the options' width.
pub(crate) fn inspect_lines(term: &Term, options: &Options) -> String {
    container::document(term, options)
        .grouped()
        .render(options.width)
}

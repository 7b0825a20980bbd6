//! Funs of other systems: kept as the bytes that they came as in the external term format.
//!
//! A fun may hold funs. Only the outermost needs bytes of its own; those within it share one
//! copy, so that what is nested deeply is not copied once for every level.
#![forbid(unsafe_code)]

use super::encode::write_atom;
use super::external as tag;
use super::fun::{Fun, FunObject};
use super::{Atom, Binary, Term};

/// A fun of another system, as it came in the external term format. It cannot be called, but goes
/// out again as the same bytes.
#[derive(Debug)]
pub struct ExternalFun {
    pub(super) encoded: Binary,
    pub(super) arity: usize,
    pub(super) name: String,
    /// The module and the function, if it is `fun module:function/arity`.
    pub(super) export: Option<(Atom, Atom)>,
}

impl FunObject for ExternalFun {
    fn arity(&self) -> usize {
        self.arity
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

/// The fun `module:function/arity`.
pub(super) fn export(module: Atom, function: Atom, arity: u8) -> Term {
    let mut encoded = vec![tag::EXPORT];
    write_atom(module, &mut encoded);
    write_atom(function, &mut encoded);
    encoded.extend([tag::SMALL_INTEGER, arity]);
    let name = format!("{module}:{function}/{arity}");
    Term::Fun(Fun::new(ExternalFun {
        encoded: Binary::from(encoded),
        arity: usize::from(arity),
        name,
        export: Some((module, function)),
    }))
}

/// The bytes of the funs in one term.
#[derive(Default)]
pub(super) struct FunBytes {
    /// How many funs are being read, each within the one before.
    open: usize,
    /// The whole term's bytes, once a fun within a fun needs some of them.
    shared: Option<Binary>,
}

impl FunBytes {
    /// A fun begins.
    pub(super) fn open(&mut self) {
        self.open += 1;
    }

    /// The innermost fun has ended: what `bytes` has of it, from `began` to `end`.
    pub(super) fn close(&mut self, bytes: &[u8], began: usize, end: usize) -> Binary {
        self.open = self.open.saturating_sub(1);
        if self.open == 0 {
            return Binary::from(&bytes[began..end]);
        }
        let shared = self.shared.get_or_insert_with(|| Binary::from(bytes));
        shared.slice(began..end)
    }
}

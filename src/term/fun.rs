//! Funs: opaque here. Whoever can call one (the command's evaluator) brings the object.
#![forbid(unsafe_code)]

use super::Atom;
use super::external_fun::ExternalFun;
use super::release::{Body, release};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// What a fun is to the terms that carry it.
pub trait FunObject: Any + Send + Sync + fmt::Debug {
    /// How many arguments it takes.
    fn arity(&self) -> usize;
    /// What stands between `#Fun<` and `>` when it is printed.
    fn name(&self) -> String;
}

/// A fun; cloning shares the object. Equal only to itself, or, if it came in the external format,
/// to one of the same bytes.
#[derive(Clone)]
pub struct Fun(
    /// `None` only while it is dropped.
    Option<Arc<dyn FunObject>>,
);

impl Fun {
    /// A fun made of this object.
    pub fn new(object: impl FunObject) -> Fun {
        Fun(Some(Arc::new(object)))
    }

    /// The object, if it is of this type.
    pub fn downcast_ref<T: FunObject>(&self) -> Option<&T> {
        let object: &dyn Any = self.0.as_deref()?;
        object.downcast_ref()
    }

    /// How many arguments it takes.
    pub fn arity(&self) -> usize {
        self.0.as_ref().map_or(0, |object| object.arity())
    }

    /// What stands between `#Fun<` and `>` when it is printed.
    pub fn name(&self) -> String {
        self.0
            .as_ref()
            .map_or_else(String::new, |object| object.name())
    }

    /// What equality, order and hash look at.
    pub(super) fn identity(&self) -> Identity<'_> {
        match (self.downcast_ref::<ExternalFun>(), &self.0) {
            (Some(external), _) => match external.export {
                Some((module, function)) => Identity::Export(module, function, external.arity),
                None => Identity::External(&external.encoded),
            },
            (None, Some(object)) => Identity::Object(Arc::as_ptr(object).addr()),
            (None, None) => Identity::Object(0),
        }
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Identity<'a> {
    Object(usize),
    External(&'a [u8]),
    /// After all others, by module, function and arity.
    Export(Atom, Atom, usize),
}

impl Drop for Fun {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            release(Body::Fun(object));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::term::text::parse;
    use std::cmp::Ordering;

    #[test]
    fn named_funs_are_ordered_by_their_names() {
        let order = [
            "aa:b/3",
            "b:a/1",
            "b:a/2",
            "b:aa/0",
            "erlang:a/1",
            "lists:a/1",
        ];
        let funs = order.map(|name| parse(&format!("fun {name}")).unwrap());
        for pair in funs.windows(2) {
            assert_eq!(pair[0].compare(&pair[1]), Ordering::Less, "{pair:?}");
        }
    }
}

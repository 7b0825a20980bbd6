//! Matching terms against patterns.
#![forbid(unsafe_code)]

use super::{Eval, Frame};
use crate::lang::context::Context;
use crate::lang::node::{Node, Pattern};
use wharf::term::{Map, Term};

impl Context {
    /// Whether the term matches; binds variables as far as it got.
    pub(in crate::lang) fn matches(
        &mut self,
        pattern: &Pattern,
        term: &Term,
        frame: &mut Frame,
    ) -> Eval<bool> {
        Ok(match pattern {
            Pattern::Any => true,
            Pattern::Bind(slot) => {
                frame.slots[*slot] = term.clone();
                true
            }
            Pattern::Same(slot) => frame.slots[*slot] == *term,
            Pattern::Value(value) => value == term,
            Pattern::Computed(node) => self.eval(node, frame)? == *term,
            Pattern::Tuple(items) => {
                let Term::Tuple(tuple) = term else {
                    return Ok(false);
                };
                if tuple.len() != items.len() {
                    return Ok(false);
                }
                for (item, element) in items.iter().zip(tuple.iter()) {
                    if !self.matches(item, element, frame)? {
                        return Ok(false);
                    }
                }
                true
            }
            Pattern::List(items, rest) => self.matches_list(items, rest.as_deref(), term, frame)?,
            Pattern::Map(pairs) => match term {
                Term::Map(map) => self.matches_pairs(pairs, map, frame)?,
                _ => false,
            },
            Pattern::Struct(name, pairs) => {
                let Term::Map(map) = term else {
                    return Ok(false);
                };
                let Some(module @ Term::Atom(_)) = map.get(&struct_key()) else {
                    return Ok(false);
                };
                let module = module.clone();
                self.matches(name, &module, frame)? && self.matches_pairs(pairs, map, frame)?
            }
            Pattern::Both(left, right) => {
                self.matches(left, term, frame)? && self.matches(right, term, frame)?
            }
            Pattern::Prefix(text, rest) => {
                let Term::Binary(bytes) = term else {
                    return Ok(false);
                };
                if !bytes.starts_with(text) {
                    return Ok(false);
                }
                let rest_of = Term::from(bytes.slice(text.len()..bytes.len()));
                self.matches(rest, &rest_of, frame)?
            }
            Pattern::Bits(segments) => self.matches_bits(segments, term, frame)?,
        })
    }

    fn matches_list(
        &mut self,
        items: &[Pattern],
        rest: Option<&Pattern>,
        term: &Term,
        frame: &mut Frame,
    ) -> Eval<bool> {
        let mut current = term.clone();
        for item in items {
            let Term::List(list) = &current else {
                return Ok(false);
            };
            if !matches!(item, Pattern::Any) && !self.matches(item, &list.head(), frame)? {
                return Ok(false);
            }
            let tail = list.tail();
            current = tail;
        }
        match rest {
            Some(rest) => self.matches(rest, &current, frame),
            None => Ok(matches!(current, Term::Nil)),
        }
    }

    fn matches_pairs(
        &mut self,
        pairs: &[(Node, Pattern)],
        map: &Map,
        frame: &mut Frame,
    ) -> Eval<bool> {
        for (key, pattern) in pairs {
            let value = match key {
                Node::Const(key) => map.get(key),
                _ => map.get(&self.eval(key, frame)?),
            };
            match value {
                Some(value) if self.matches(pattern, value, frame)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

pub(in crate::lang) fn struct_key() -> Term {
    Term::atom("__struct__")
}

//! `cond` and `with`; and what `defmodule` does when it is reached.
#![forbid(unsafe_code)]

use super::{Eval, Frame};
use crate::lang::context::Context;
use crate::lang::node::{ModuleNode, Node, With, WithStep};
use crate::lang::operators::truthy;
use crate::lang::throw::Throw;
use crate::lang::world::{Module, Structure};
use wharf::term::Term;

impl Context {
    pub(super) fn cond(&mut self, arms: &[(Node, Node)], line: u32, frame: &mut Frame) -> Eval {
        for (test, body) in arms {
            let test = self.eval(test, frame)?;
            if truthy(&test) {
                return self.eval(body, frame);
            }
        }
        Err(frame.pass(Throw::error(Term::atom("cond_clause")), line))
    }

    pub(super) fn with(&mut self, with: &With, frame: &mut Frame) -> Eval {
        for step in &with.steps {
            match step {
                WithStep::Plain(node) => {
                    self.eval(node, frame)?;
                }
                WithStep::Arrow(pattern, guard, value) => {
                    let value = self.eval(value, frame)?;
                    if self.matches(pattern, &value, frame)? && self.guard(guard.as_ref(), frame) {
                        continue;
                    }
                    let Some(clauses) = &with.otherwise else {
                        return Ok(value);
                    };
                    return match self.choose(clauses, &value, frame)? {
                        Some(clause) => self.eval(&clause.body, frame),
                        None => {
                            let reason = Term::tuple([Term::atom("with_clause"), value]);
                            Err(frame.pass(Throw::error(reason), with.line))
                        }
                    };
                }
            }
        }
        self.eval(&with.body, frame)
    }

    /// Runs a module's body, then makes its functions callable.
    pub(super) fn define_module(&mut self, node: &ModuleNode, frame: &mut Frame) -> Eval {
        let value = self.eval(&node.body, frame)?;
        let structure = match &node.structure {
            None => None,
            Some(structure) => {
                let fields = self.eval(&structure.fields, frame)?;
                Some(
                    Structure::new(node.name, structure, &fields)
                        .map_err(|throw| frame.pass(throw, node.line))?,
                )
            }
        };
        let functions = node
            .functions
            .iter()
            .filter(|function| function.public)
            .map(|function| {
                (
                    (function.name, function.lambda.arity),
                    function.lambda.clone(),
                )
            })
            .collect();
        self.world.define(Module {
            name: node.name,
            functions,
            structure,
        });
        Ok(Term::tuple([
            Term::atom("module"),
            Term::Atom(node.name),
            Term::from(""),
            value,
        ]))
    }
}

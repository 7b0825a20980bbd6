//! `try`: rescuing, catching, and what runs in any case.
#![forbid(unsafe_code)]

use super::{Eval, Frame, Unwind};
use crate::lang::context::Context;
use crate::lang::exception;
use crate::lang::node::Try;
use crate::lang::throw::{Class, Throw};
use wharf::term::Term;

impl Context {
    pub(super) fn try_node(&mut self, node: &Try, frame: &mut Frame) -> Eval {
        let result = match self.eval(&node.body, frame) {
            Ok(value) => self.try_else(node, value, frame),
            Err(Unwind::Throw(throw)) if !throw.killed => self.handle(node, throw, frame),
            other => other,
        };
        let killed = matches!(&result, Err(Unwind::Throw(throw)) if throw.killed);
        if let (Some(after), false) = (&node.after, killed) {
            self.eval(after, frame)?;
        }
        result
    }

    fn try_else(&mut self, node: &Try, value: Term, frame: &mut Frame) -> Eval {
        let Some(clauses) = &node.otherwise else {
            return Ok(value);
        };
        match self.choose(clauses, &value, frame)? {
            Some(clause) => self.eval(&clause.body, frame),
            None => Err(frame.pass(
                Throw::error(Term::tuple([Term::atom("try_clause"), value])),
                node.line,
            )),
        }
    }

    /// The first clause that wants the failure; it goes on when none does.
    fn handle(&mut self, node: &Try, throw: Throw, frame: &mut Frame) -> Eval {
        self.traces.push(throw.trace.clone());
        let result = self.handle_traced(node, throw, frame);
        self.traces.pop();
        result
    }

    fn handle_traced(&mut self, node: &Try, throw: Throw, frame: &mut Frame) -> Eval {
        if throw.class == Class::Error && !node.rescue.is_empty() {
            let exception = exception::normalize(&throw);
            for rescue in &node.rescue {
                let wanted = match &rescue.modules {
                    None => true,
                    Some(modules) => {
                        let modules = self.eval_all(modules, frame)?;
                        modules
                            .iter()
                            .any(|module| exception::is_of(&exception, module))
                    }
                };
                if wanted && self.matches(&rescue.bind, &exception, frame)? {
                    return self.eval(&rescue.body, frame);
                }
            }
        }
        for clause in &node.catch {
            let class = throw.class.term();
            if self.matches(&clause.class, &class, frame)?
                && self.matches(&clause.value, &throw.reason, frame)?
                && self.guard(clause.guard.as_ref(), frame)
            {
                return self.eval(&clause.body, frame);
            }
        }
        Err(Unwind::Throw(throw))
    }
}

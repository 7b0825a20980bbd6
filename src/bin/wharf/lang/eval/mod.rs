//! Walks the resolved tree.
//!
//! Relies on `node`, and on `Context` for the process. Promises that calls in tail position do not deepen the stack
//! (they come back as [`Unwind::Tail`] to the loop that called), and that running out of stack is an error of the script.
#![forbid(unsafe_code)]

mod binary;
mod bits;
mod branch;
mod call;
mod data;
mod handle;
mod matching;
mod repeat;
mod wait;

use super::context::Context;
use super::node::{Clause, Lambda, Node, Pattern};
use super::operators::{boolean, truthy};
use super::throw::{Call, Throw};
use std::sync::Arc;
use wharf::term::{Term, atom};

/// Why an evaluation gives no value.
pub(super) enum Unwind {
    /// The function ends in the call that `Context::pending` holds.
    Tail,
    Throw(Throw),
}

impl From<Throw> for Unwind {
    fn from(throw: Throw) -> Unwind {
        Unwind::Throw(throw)
    }
}

pub(super) type Eval<T = Term> = Result<T, Unwind>;

/// A running function: its variables and its code.
pub(super) struct Frame<'l> {
    pub(super) slots: Vec<Term>,
    pub(super) lambda: &'l Lambda,
}

/// How many calls a stack trace keeps.
const TRACE_MAX: usize = 8;

impl Frame<'_> {
    /// Notes on a failure that it came through this function, at this line.
    #[cold]
    pub(super) fn pass(&self, mut throw: Throw, line: u32) -> Unwind {
        if throw.trace.len() < TRACE_MAX && !throw.killed {
            throw.trace.push(Call {
                module: self.lambda.module,
                function: self.lambda.name.clone(),
                arity: self.lambda.arity,
                arguments: None,
                file: self.lambda.file.clone(),
                line,
            });
        }
        Unwind::Throw(throw)
    }
}

/// `nil`.
pub(super) const NIL: Term = Term::Atom(atom::NIL);

impl Context {
    /// Evaluates a node.
    pub(super) fn eval(&mut self, node: &Node, frame: &mut Frame) -> Eval {
        match node {
            Node::Const(term) => Ok(term.clone()),
            Node::Slot(slot) => Ok(frame.slots[*slot].clone()),
            Node::Block(body) => {
                let Some((last, before)) = body.split_last() else {
                    return Ok(NIL);
                };
                for node in before {
                    self.eval(node, frame)?;
                }
                self.eval(last, frame)
            }
            Node::Binary(op, left, right, line) => {
                let left = self.eval(left, frame)?;
                let right = self.eval(right, frame)?;
                match op.apply(&left, &right) {
                    Ok(value) => Ok(value),
                    Err(throw) => self.operator_failed(*op, &left, &right, throw, *line, frame),
                }
            }
            Node::If { test, yes, no } => {
                let test = self.eval(test, frame)?;
                self.eval(if truthy(&test) { yes } else { no }, frame)
            }
            Node::CallLocal {
                function,
                args,
                tail,
                line,
            } => self.call_local(function, args, *tail, *line, frame),
            Node::CallNative {
                native,
                module,
                name,
                args,
                line,
            } => self.call_native(*native, (*module, *name), args, *line, frame),
            Node::Match(pattern, value, line) => {
                let value = self.eval(value, frame)?;
                if let Pattern::Bind(slot) = **pattern {
                    frame.slots[slot] = value.clone();
                    return Ok(value);
                }
                match self.matches(pattern, &value, frame)? {
                    true => Ok(value),
                    false => Err(frame.pass(Throw::match_error(value), *line)),
                }
            }
            Node::Case {
                subject,
                clauses,
                line,
            } => {
                let subject = self.eval(subject, frame)?;
                match self.choose(clauses, &subject, frame)? {
                    Some(clause) => self.eval(&clause.body, frame),
                    None => Err(frame.pass(Throw::case_clause(subject), *line)),
                }
            }
            Node::Tuple(items) => Ok(Term::tuple(self.eval_all(items, frame)?)),
            Node::List(items, rest) => {
                let items = self.eval_all(items, frame)?;
                let rest = match rest {
                    Some(rest) => self.eval(rest, frame)?,
                    None => Term::Nil,
                };
                Ok(Term::improper(items, rest))
            }
            Node::Strict {
                is_or,
                left,
                right,
                line,
            } => {
                let left = self.eval(left, frame)?;
                match boolean(&left) {
                    Some(value) if value == *is_or => Ok(left),
                    Some(_) => self.eval(right, frame),
                    None => {
                        let operator = Term::atom(if *is_or { "or" } else { "and" });
                        let throw =
                            Throw::error(Term::tuple([Term::atom("badbool"), operator, left]));
                        Err(frame.pass(throw, *line))
                    }
                }
            }
            Node::Relaxed { is_or, left, right } => {
                let left = self.eval(left, frame)?;
                if truthy(&left) == *is_or {
                    Ok(left)
                } else {
                    self.eval(right, frame)
                }
            }
            Node::Unary(op, operand, line) => {
                let operand = self.eval(operand, frame)?;
                op.apply(&operand).map_err(|throw| frame.pass(throw, *line))
            }
            Node::CallFun {
                fun,
                args,
                tail,
                line,
            } => {
                let fun = self.eval(fun, frame)?;
                let args = self.eval_all(args, frame)?;
                self.invoke(&fun, args, *tail, *line, frame)
            }
            Node::Fn(lambda) => Ok(self.closure(lambda, frame)),
            Node::Cond(arms, line) => self.cond(arms, *line, frame),
            Node::Receive(receive) => self.receive(receive, frame),
            _ => self.eval_more(node, frame),
        }
    }

    /// The rarer nodes, apart to keep the common ones' stack frames small.
    #[inline(never)]
    fn eval_more(&mut self, node: &Node, frame: &mut Frame) -> Eval {
        match node {
            Node::Either(left, right) => {
                let holds = self.guard(Some(left), frame) || self.guard(Some(right), frame);
                Ok(Term::boolean(holds))
            }
            Node::Attribute(cell) => Ok(cell.read().map(|term| term.clone()).unwrap_or(NIL)),
            Node::SetAttribute(cell, value) => {
                let value = self.eval(value, frame)?;
                if let Ok(mut cell) = cell.write() {
                    *cell = value;
                }
                Ok(Term::Atom(atom::OK))
            }
            Node::Map(pairs) => self.map(pairs, frame),
            Node::MapUpdate { map, pairs, line } => self.map_update(map, pairs, *line, frame),
            Node::Struct {
                module,
                update,
                pairs,
                line,
            } => self.structure(module, update.as_deref(), pairs, *line, frame),
            Node::Bits(segments) => self.build_bits(segments, frame),
            Node::Range(parts, line) => self.range(parts, *line, frame),
            Node::Text(sort, pieces, line) => self.text(*sort, pieces, *line, frame),
            Node::Matches(subject, clause) => {
                let subject = self.eval(subject, frame)?;
                Ok(Term::boolean(self.accepts(clause, &subject, frame)?))
            }
            Node::With(with) => self.with(with, frame),
            Node::For(comprehension) => self.comprehension(comprehension, frame),
            Node::Try(node) => self.try_node(node, frame),
            Node::CallRemote {
                module,
                name,
                args,
                tail,
                line,
            } => {
                let args = self.eval_all(args, frame)?;
                self.remote(*module, *name, args, *tail, *line, frame)
            }
            Node::CallDynamic {
                target,
                name,
                args,
                tail,
                line,
            } => {
                let target = self.eval(target, frame)?;
                let args = self.eval_all(args, frame)?;
                self.dynamic(&target, *name, args, *tail, *line, frame)
            }
            Node::Field { target, name, line } => {
                let target = self.eval(target, frame)?;
                self.field(&target, *name, *line, frame)
            }
            Node::Apply {
                target,
                args,
                tail,
                line,
            } => self.apply_list(target, args, *tail, *line, frame),
            Node::LocalFun(cell) => match cell.get() {
                Some(lambda) => Ok(super::spawn::closure_of(lambda)),
                None => Err(frame.pass(Throw::error(Term::atom("undef")), frame.lambda.line)),
            },
            Node::StackTrace => {
                let trace = self
                    .traces
                    .last()
                    .map(|trace| trace.iter().map(Call::term).collect());
                Ok(Term::list(trace.unwrap_or_default()))
            }
            Node::DefModule(module) => self.define_module(module, frame),
            Node::Refused(reason) => {
                let description = Term::from(reason.as_str());
                Err(Unwind::Throw(Throw::exception(
                    "CompileError",
                    &[("description", description)],
                )))
            }
            // The common nodes are `eval`'s own.
            _ => Ok(NIL),
        }
    }

    pub(super) fn eval_all(&mut self, nodes: &[Node], frame: &mut Frame) -> Eval<Vec<Term>> {
        let mut terms = Vec::with_capacity(nodes.len());
        for node in nodes {
            terms.push(self.eval(node, frame)?);
        }
        Ok(terms)
    }

    /// The first clause, of one pattern each, that takes the term.
    pub(super) fn choose<'c>(
        &mut self,
        clauses: &'c [Clause],
        term: &Term,
        frame: &mut Frame,
    ) -> Eval<Option<&'c Clause>> {
        for clause in clauses {
            if self.accepts(clause, term, frame)? {
                return Ok(Some(clause));
            }
        }
        Ok(None)
    }

    pub(super) fn accepts(
        &mut self,
        clause: &Clause,
        term: &Term,
        frame: &mut Frame,
    ) -> Eval<bool> {
        let pattern = clause.patterns.first().unwrap_or(&Pattern::Any);
        Ok(self.matches(pattern, term, frame)? && self.guard(clause.guard.as_ref(), frame))
    }

    /// Whether the guard holds; a guard that fails does not.
    pub(super) fn guard(&mut self, guard: Option<&Node>, frame: &mut Frame) -> bool {
        match guard {
            None => true,
            Some(guard) => matches!(self.eval(guard, frame), Ok(value) if value.is_true()),
        }
    }

    fn closure(&mut self, lambda: &Arc<Lambda>, frame: &Frame) -> Term {
        let captured = lambda
            .captures
            .iter()
            .map(|(outer, _)| frame.slots[*outer].clone())
            .collect();
        super::spawn::closure(lambda.clone(), captured)
    }
}

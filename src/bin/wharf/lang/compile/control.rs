//! `with` and `try`.
#![forbid(unsafe_code)]

use super::forms::Form;
use super::{Compiled, Compiler};
use crate::lang::ast::{Clause as SourceClause, Expr, Kind, SectionBody};
use crate::lang::node::{CatchClause, Node, Pattern, Rescue, Try, With, WithStep};
use crate::lang::parse::SyntaxError;
use wharf::term::Term;

impl Compiler<'_> {
    pub(super) fn with(&mut self, form: &Form, tail: bool) -> Compiled<Node> {
        let line = form.at.line;
        let otherwise = match form.section("else") {
            Some(_) => Some(self.clauses(form.clauses("with", "else")?, 1, tail)?),
            None => None,
        };
        // A clause of `else` may catch what the body never sees, so the body stays in tail position.
        self.scoped(|this| {
            let mut steps = Vec::new();
            for step in &form.args {
                steps.push(match &step.kind {
                    Kind::Binary("<-", pattern, value) => {
                        let value = this.expr(value, false)?;
                        let (pattern, guard) = this.guarded_pattern(pattern)?;
                        WithStep::Arrow(pattern, guard, value)
                    }
                    _ => WithStep::Plain(this.expr(step, false)?),
                });
            }
            let body = this.expr(&form.body("do")?, tail)?;
            Ok(Node::With(Box::new(With {
                steps,
                body,
                otherwise,
                line,
            })))
        })
    }

    /// `pattern when guard`, left of an arrow.
    pub(super) fn guarded_pattern(&mut self, expr: &Expr) -> Compiled<(Pattern, Option<Node>)> {
        match &expr.kind {
            Kind::Binary("when", pattern, guard) => {
                let pattern = self.pattern(pattern)?;
                Ok((pattern, self.guard(Some(guard))?))
            }
            _ => Ok((self.pattern(expr)?, None)),
        }
    }

    pub(super) fn try_form(&mut self, form: &Form) -> Compiled<Node> {
        if !form.args.is_empty() {
            return Err(SyntaxError::meaning(form.at, "try takes no arguments"));
        }
        let body = self.scoped(|this| this.expr(&form.body("do")?, false))?;
        let mut node = Try {
            body,
            rescue: Vec::new(),
            catch: Vec::new(),
            otherwise: None,
            after: None,
            line: form.at.line,
        };
        let outside = std::mem::replace(&mut self.unit().handles, true);
        if form.section("rescue").is_some() {
            for clause in form.clauses("try", "rescue")? {
                let clause = self.scoped(|this| this.rescue(clause))?;
                node.rescue.push(clause);
            }
        }
        if form.section("catch").is_some() {
            for clause in form.clauses("try", "catch")? {
                let clause = self.scoped(|this| this.catch(clause))?;
                node.catch.push(clause);
            }
        }
        self.unit().handles = outside;
        if form.section("else").is_some() {
            node.otherwise = Some(self.clauses(form.clauses("try", "else")?, 1, false)?);
        }
        if let Some(SectionBody::Expr(after)) = form.section("after") {
            node.after = Some(self.scoped(|this| this.expr(after, false))?);
        }
        Ok(Node::Try(Box::new(node)))
    }

    /// `e in [A, B] ->`, `e in A ->`, `A ->`, `[A, B] ->`, `e ->`.
    fn rescue(&mut self, clause: &SourceClause) -> Compiled<Rescue> {
        let [pattern] = clause.patterns.as_slice() else {
            return Err(SyntaxError::meaning(
                clause.at,
                "expected one arg for rescue clauses (->) in try",
            ));
        };
        if clause.guard.is_some() {
            return Err(SyntaxError::meaning(
                clause.at,
                "invalid \"rescue\" clause. The clause should match on an alias, a variable or be in the \"var in [alias]\" format",
            ));
        }
        let (bind, modules) = match &pattern.kind {
            Kind::Binary("in", name, modules) => (self.pattern(name)?, Some(&**modules)),
            Kind::Variable(_) => (self.pattern(pattern)?, None),
            _ => (Pattern::Any, Some(pattern)),
        };
        let modules = match modules.map(|modules| (&modules.kind, modules)) {
            None => None,
            Some((Kind::Variable(name), _)) if name == "_" => None,
            Some((Kind::List(modules, None), _)) => Some(self.exprs(modules)?),
            Some((_, module)) => Some(vec![self.expr(module, false)?]),
        };
        let body = self.expr(&clause.body, false)?;
        Ok(Rescue {
            bind,
            modules,
            body,
        })
    }

    /// `value ->` catches what was thrown, `kind, value ->` anything.
    fn catch(&mut self, clause: &SourceClause) -> Compiled<CatchClause> {
        let mut patterns = match clause.patterns.as_slice() {
            [value] => {
                let thrown = Expr::new(clause.at, Kind::Literal(Term::atom("throw")));
                self.patterns(&[thrown, value.clone()])?
            }
            [_, _] => self.patterns(&clause.patterns)?,
            _ => {
                return Err(SyntaxError::meaning(
                    clause.at,
                    "expected one or two args for catch clauses (->) in try",
                ));
            }
        };
        let value = patterns.pop().unwrap_or(Pattern::Any);
        let class = patterns.pop().unwrap_or(Pattern::Any);
        let guard = self.guard(clause.guard.as_ref())?;
        let body = self.expr(&clause.body, false)?;
        Ok(CatchClause {
            class,
            value,
            guard,
            body,
        })
    }
}

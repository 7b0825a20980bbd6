//! `for` and `receive`.
#![forbid(unsafe_code)]

use super::forms::Form;
use super::{Compiled, Compiler};
use crate::lang::ast::{Expr, Kind, SectionBody};
use crate::lang::node::{For, ForStep, Node, Receive};
use crate::lang::parse::SyntaxError;

impl Compiler<'_> {
    pub(super) fn comprehension(&mut self, form: &Form) -> Compiled<Node> {
        let line = form.at.line;
        let mut node = For {
            steps: Vec::new(),
            body: Node::Block(Vec::new()),
            into: None,
            uniq: None,
            reduce: None,
            line,
        };
        let mut first = None;
        for (key, value) in &form.options {
            let value = self.expr(value, false)?;
            match *key {
                "into" => node.into = Some(value),
                "uniq" => node.uniq = Some(value),
                "reduce" => first = Some(value),
                _ => {
                    return Err(SyntaxError::meaning(
                        form.at,
                        format!("unsupported option {key} given to for"),
                    ));
                }
            }
        }
        self.scoped(|this| {
            for step in &form.args {
                let step = this.generator(step)?;
                node.steps.push(step);
            }
            match first {
                Some(first) => {
                    let clauses = this.clauses(form.clauses("for", "do")?, 1, false)?;
                    node.reduce = Some((first, clauses));
                }
                None => node.body = this.expr(&form.body("do")?, false)?,
            }
            Ok(())
        })?;
        Ok(Node::For(Box::new(node)))
    }

    fn generator(&mut self, step: &Expr) -> Compiled<ForStep> {
        let line = step.at.line;
        match &step.kind {
            Kind::Binary("<-", pattern, source) => {
                let source = self.expr(source, false)?;
                let (pattern, guard) = self.guarded_pattern(pattern)?;
                Ok(ForStep::Each(pattern, guard, source, line))
            }
            // `<<c <- text>>` reads as one segment with the arrow inside the last.
            Kind::Bits(segments) => match self.bits_generator(segments)? {
                Some(step) => Ok(step),
                None => Ok(ForStep::Filter(self.expr(step, false)?)),
            },
            _ => Ok(ForStep::Filter(self.expr(step, false)?)),
        }
    }

    fn bits_generator(&mut self, segments: &[Expr]) -> Compiled<Option<ForStep>> {
        let Some((last, before)) = segments.split_last() else {
            return Ok(None);
        };
        let Kind::Binary("<-", segment, source) = &last.kind else {
            return Ok(None);
        };
        let line = last.at.line;
        let source = self.expr(source, false)?;
        let mut segments = before.to_vec();
        segments.push((**segment).clone());
        let mut bound = super::Names::new();
        let pattern = self.bits_pattern(&segments, &mut bound)?;
        self.unit().names.extend(bound);
        Ok(Some(ForStep::Bits(pattern, source, line)))
    }

    pub(super) fn receive(&mut self, form: &Form, tail: bool) -> Compiled<Node> {
        let clauses = match form.section("do") {
            Some(SectionBody::Expr(Expr {
                kind: Kind::Block(body),
                ..
            })) if body.is_empty() => Vec::new(),
            Some(_) => self.clauses(form.clauses("receive", "do")?, 1, tail)?,
            None => {
                return Err(SyntaxError::meaning(
                    form.at,
                    "missing :do option in \"receive\"",
                ));
            }
        };
        let after = match form.section("after") {
            None => None,
            Some(_) => {
                let [clause] = form.clauses("receive", "after")? else {
                    return Err(SyntaxError::meaning(
                        form.at,
                        "expected a single -> clause for :after in \"receive\"",
                    ));
                };
                let [time] = clause.patterns.as_slice() else {
                    return Err(SyntaxError::meaning(
                        clause.at,
                        "expected one time before -> in \"after\"",
                    ));
                };
                let time = self.expr(time, false)?;
                Some((time, self.scoped(|this| this.expr(&clause.body, tail))?))
            }
        };
        Ok(Node::Receive(Box::new(Receive {
            clauses,
            after,
            line: form.at.line,
        })))
    }
}

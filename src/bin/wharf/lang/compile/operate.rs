//! Operators, the pipe, and module attributes (which read as an operator).
#![forbid(unsafe_code)]

use super::{Attribute, Compiled, Compiler};
use crate::lang::ast::{At, CallExpr, Expr, Kind};
use crate::lang::node::Node;
use crate::lang::operators::{BinaryOp, UnaryOp};
use crate::lang::parse::SyntaxError;
use std::sync::Arc;
use wharf::term::Term;

impl Compiler<'_> {
    pub(super) fn unary(&mut self, operator: &str, operand: &Expr, at: At) -> Compiled<Node> {
        let op = match operator {
            "@" => return self.attribute(operand, at),
            "^" => {
                let Kind::Variable(name) = &operand.kind else {
                    return Err(SyntaxError::meaning(
                        at,
                        "invalid argument for unary operator ^, expected an existing variable",
                    ));
                };
                return Err(SyntaxError::meaning(
                    at,
                    format!(
                        "misplaced operator ^{name}\n\nThe pin operator ^ is supported only inside matches or inside custom macros. Make sure you are inside a match or all necessary macros have been required"
                    ),
                ));
            }
            "-" => UnaryOp::Negate,
            "+" => UnaryOp::Plus,
            "not" => UnaryOp::Not,
            "!" => UnaryOp::Falsy,
            "~~~" => UnaryOp::BitNot,
            _ => {
                return Err(SyntaxError::unsupported(
                    at,
                    &format!("operator `{operator}`"),
                ));
            }
        };
        let operand = self.expr(operand, false)?;
        if let (UnaryOp::Negate | UnaryOp::Plus, Node::Const(number)) = (op, &operand)
            && let Ok(number) = op.apply(number)
        {
            return Ok(Node::Const(number));
        }
        Ok(Node::Unary(op, Box::new(operand), at.line))
    }

    pub(super) fn binary(
        &mut self,
        operator: &'static str,
        left: &Expr,
        right: &Expr,
        at: At,
        tail: bool,
    ) -> Compiled<Node> {
        let line = at.line;
        match operator {
            "=" => {
                self.refuse_in_guard(at, "=")?;
                let value = self.expr(right, false)?;
                let pattern = self.pattern(left)?;
                return Ok(Node::Match(Box::new(pattern), Box::new(value), line));
            }
            "|>" => return self.pipe(left, right, at, tail),
            "and" | "or" => {
                let (left, right) = (
                    Box::new(self.expr(left, false)?),
                    Box::new(self.scoped(|this| this.expr(right, tail))?),
                );
                return Ok(Node::Strict {
                    is_or: operator == "or",
                    left,
                    right,
                    line,
                });
            }
            "&&" | "||" => {
                let (left, right) = (
                    Box::new(self.expr(left, false)?),
                    Box::new(self.scoped(|this| this.expr(right, tail))?),
                );
                return Ok(Node::Relaxed {
                    is_or: operator == "||",
                    left,
                    right,
                });
            }
            // Guards: `a when b when c` is either of them.
            "when" if self.unit().in_guard => {
                let (left, right) = (self.expr(left, false)?, self.expr(right, false)?);
                return Ok(Node::Either(Box::new(left), Box::new(right)));
            }
            ".." => {
                let (first, last) = (self.expr(left, false)?, self.expr(right, false)?);
                return Ok(Node::Range(Box::new((first, last, None)), line));
            }
            "//" => {
                let Kind::Binary("..", first, last) = &left.kind else {
                    return Err(SyntaxError::wrong(
                        at,
                        "the range step operator (//) must immediately follow the range definition operator (..), for example: 1..9//2",
                    ));
                };
                let (first, last) = (self.expr(first, false)?, self.expr(last, false)?);
                let step = self.expr(right, false)?;
                return Ok(Node::Range(Box::new((first, last, Some(step))), line));
            }
            _ => {}
        }
        let Some(op) = BinaryOp::named(operator) else {
            return Err(match operator {
                "<-" | "\\\\" | "when" | "::" | "|" | "=>" => {
                    SyntaxError::wrong(at, format!("syntax error before: '{operator}'"))
                }
                _ => SyntaxError::unsupported(at, &format!("operator `{operator}`")),
            });
        };
        let (left, right) = (self.expr(left, false)?, self.expr(right, false)?);
        Ok(Node::Binary(op, Box::new(left), Box::new(right), line))
    }

    fn pipe(&mut self, left: &Expr, right: &Expr, at: At, tail: bool) -> Compiled<Node> {
        let mut call = right.clone();
        match &mut call.kind {
            Kind::Call(call) | Kind::Remote(_, call) => call.args.insert(0, left.clone()),
            Kind::Apply(_, args) => args.insert(0, left.clone()),
            // `x |> name` calls, parentheses or not.
            Kind::Variable(name) => {
                call.kind = Kind::Call(Box::new(CallExpr {
                    name: name.clone(),
                    args: vec![left.clone()],
                    parentheses: true,
                    sections: Vec::new(),
                }));
            }
            Kind::Binary(_, inner, _) => {
                // `x |> f() == y` never reads this way; `x |> a() |> b()` groups to the left.
                let at = inner.at;
                return Err(SyntaxError::wrong(
                    at,
                    "cannot pipe into an operator; use parentheses",
                ));
            }
            _ => {
                return Err(SyntaxError::wrong(
                    at,
                    "cannot pipe into this, can only pipe into local calls foo(), remote calls Foo.bar() or anonymous function calls foo.()",
                ));
            }
        }
        self.expr(&call, tail)
    }

    /// `@name` reads, `@name value` sets.
    fn attribute(&mut self, operand: &Expr, at: At) -> Compiled<Node> {
        let Some(state) = self.modules.last() else {
            return Err(SyntaxError::meaning(at, "cannot invoke @/1 outside module"));
        };
        match &operand.kind {
            Kind::Variable(name) => Ok(match state.attributes.get(name) {
                Some(Attribute::Known(term)) => Node::Const(term.clone()),
                Some(Attribute::Cell(cell)) => Node::Attribute(cell.clone()),
                None => {
                    let warning = format!(
                        "undefined module attribute @{name}, please remove access to @{name} or explicitly set it before access"
                    );
                    self.warnings.push((warning, at.line));
                    Node::Const(Term::atom("nil"))
                }
            }),
            Kind::Call(call) if call.args.len() == 1 => {
                // Documentation and types say nothing to an evaluator.
                const IGNORED: &[&str] = &[
                    "spec",
                    "type",
                    "typep",
                    "opaque",
                    "callback",
                    "macrocallback",
                    "impl",
                    "doc",
                    "moduledoc",
                    "typedoc",
                    "dialyzer",
                    "compile",
                    "behaviour",
                    "derive",
                    "deprecated",
                    "since",
                    "optional_callbacks",
                ];
                if IGNORED.contains(&call.name.as_str()) {
                    return Ok(Node::Const(Term::atom("ok")));
                }
                if self.env.function.is_some() {
                    return Err(SyntaxError::meaning(
                        at,
                        "cannot set attribute inside function/macro",
                    ));
                }
                let value = self.expr(&call.args[0], false)?;
                let known = match &value {
                    Node::Const(term) => Some(term.clone()),
                    _ => None,
                };
                let Some(state) = self.modules.last_mut() else {
                    return Ok(value);
                };
                if let Some(term) = known {
                    state
                        .attributes
                        .insert(call.name.clone(), Attribute::Known(term));
                    return Ok(Node::Const(Term::atom("ok")));
                }
                let cell = Arc::new(std::sync::RwLock::new(Term::atom("nil")));
                state
                    .attributes
                    .insert(call.name.clone(), Attribute::Cell(cell.clone()));
                Ok(Node::SetAttribute(cell, Box::new(value)))
            }
            _ => Err(SyntaxError::wrong(
                at,
                "expected 0 or 1 argument for this attribute",
            )),
        }
    }
}

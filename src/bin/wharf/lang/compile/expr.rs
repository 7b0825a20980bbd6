//! Expressions: literals, variables, collections, operators, anonymous functions.
#![forbid(unsafe_code)]

use super::{Compiled, Compiler, Unit};
use crate::lang::ast::{At, Clause as SourceClause, Expr, Kind, MapExpr, Piece, Quoted};
use crate::lang::native::Native;
use crate::lang::node::{Clause, Lambda, Node};
use crate::lang::parse::SyntaxError;
use std::sync::Arc;
use wharf::term::{Atom, Binary, Term};

impl Compiler<'_> {
    /// Compiles an expression; `tail` where its value is the function's own.
    pub(super) fn expr(&mut self, expr: &Expr, tail: bool) -> Compiled<Node> {
        let at = expr.at;
        Ok(match &expr.kind {
            Kind::Literal(term) => Node::Const(term.clone()),
            Kind::Variable(name) => self.variable(name, at, tail)?,
            Kind::Alias(name) => Node::Const(Term::Atom(self.module_named(name))),
            Kind::AliasUnder(..) => Node::Const(Term::Atom(self.module_expr(expr)?)),
            Kind::Quoted(sort, pieces) => self.text(*sort, pieces, at)?,
            Kind::List(items, rest) => {
                let items = self.exprs(items)?;
                match rest {
                    None => constant_or(items, Term::list, |items| Node::List(items, None)),
                    Some(rest) => Node::List(items, Some(Box::new(self.expr(rest, false)?))),
                }
            }
            Kind::Tuple(items) => constant_or(self.exprs(items)?, Term::tuple, Node::Tuple),
            Kind::Map(map) => self.map(map, at)?,
            Kind::Bits(segments) => Node::Bits(self.bits(segments)?),
            Kind::Unary(operator, operand) => self.unary(operator, operand, at)?,
            Kind::Binary(operator, left, right) => self.binary(operator, left, right, at, tail)?,
            Kind::Operator(name) => {
                return Err(SyntaxError::wrong(
                    at,
                    format!("syntax error before: '{name}'"),
                ));
            }
            Kind::Call(call) => self.call(call, at, tail)?,
            Kind::Remote(target, call) => self.remote(target, call, at, tail)?,
            Kind::MultiAlias(..) => {
                return Err(SyntaxError::wrong(
                    at,
                    "`{…}` after a dot belongs to `alias`",
                ));
            }
            Kind::Apply(fun, args) => {
                self.refuse_in_guard(at, "an anonymous function")?;
                let fun = Box::new(self.expr(fun, false)?);
                Node::CallFun {
                    fun,
                    args: self.exprs(args)?,
                    tail,
                    line: at.line,
                }
            }
            Kind::Access(target, key) => {
                let args = vec![self.expr(target, false)?, self.expr(key, false)?];
                self.library_call("Elixir.Access", "get", args, at)?
            }
            Kind::Fn(clauses) => self.function(clauses, at)?,
            Kind::Block(body) => self.block(body, tail)?,
            Kind::Clauses(_) => {
                let reason = "unexpected operator ->. If you want to define multiple clauses, the first expression must use ->";
                return Err(SyntaxError::wrong(at, reason));
            }
            Kind::Capture(operand, highest) => self.capture(operand, *highest, at)?,
            Kind::CaptureArgument(number) => match self.find(&format!("&{number}")) {
                Some(slot) => Node::Slot(slot),
                None => {
                    return Err(SyntaxError::meaning(
                        at,
                        format!(
                            "capture argument &{number} must be used within the capture operator &"
                        ),
                    ));
                }
            },
        })
    }

    pub(super) fn exprs(&mut self, exprs: &[Expr]) -> Compiled<Vec<Node>> {
        exprs.iter().map(|expr| self.expr(expr, false)).collect()
    }

    pub(super) fn block(&mut self, body: &[Expr], tail: bool) -> Compiled<Node> {
        let Some((last, before)) = body.split_last() else {
            return Ok(Node::Const(Term::atom("nil")));
        };
        let mut nodes = self.exprs(before)?;
        let last = self.expr(last, tail)?;
        if nodes.is_empty() {
            return Ok(last);
        }
        nodes.push(last);
        Ok(Node::Block(nodes))
    }

    fn variable(&mut self, name: &str, at: At, tail: bool) -> Compiled<Node> {
        if let Some(slot) = self.find(name) {
            return Ok(Node::Slot(slot));
        }
        match name {
            "__MODULE__" => Ok(Node::Const(
                self.env.module.map_or(Term::atom("nil"), Term::Atom),
            )),
            "__DIR__" => {
                let dir = std::path::absolute(&*self.file).ok();
                let dir = dir
                    .as_deref()
                    .and_then(|path| path.parent())
                    .map(|path| path.to_string_lossy().into_owned());
                Ok(Node::Const(Term::from(dir.as_deref().unwrap_or("."))))
            }
            "__STACKTRACE__" if self.units.iter().any(|unit| unit.handles) => Ok(Node::StackTrace),
            "__STACKTRACE__" => Err(SyntaxError::meaning(
                at,
                "__STACKTRACE__ is available only inside catch and rescue clauses of try expressions",
            )),
            "__ENV__" | "__CALLER__" => Err(SyntaxError::unsupported(at, &format!("`{name}`"))),
            "_" => Err(SyntaxError::meaning(
                at,
                "invalid use of _. \"_\" represents a value to be ignored in a pattern and cannot be used in expressions",
            )),
            _ => {
                if self.function_named(name, 0).is_none() {
                    let warning = format!(
                        "variable \"{name}\" does not exist and is being expanded to \"{name}()\", please use parentheses to \
                         remove the ambiguity or change the variable name"
                    );
                    self.warnings.push((warning, at.line));
                }
                self.named_call(name, Vec::new(), at, tail)
            }
        }
    }

    fn text(&mut self, sort: Quoted, pieces: &[Piece], at: At) -> Compiled<Node> {
        let mut nodes = Vec::new();
        for piece in pieces {
            nodes.push(match piece {
                Piece::Bytes(bytes) => Node::Const(Term::from(Binary::from(bytes.clone()))),
                Piece::Expr(expr) => {
                    let node = self.expr(expr, false)?;
                    self.library_call("Elixir.Kernel", "to_string", vec![node], expr.at)?
                }
            });
        }
        Ok(Node::Text(sort, nodes, at.line))
    }

    fn map(&mut self, map: &MapExpr, at: At) -> Compiled<Node> {
        let structure = map
            .structure
            .as_ref()
            .map(|name| self.expr(name, false))
            .transpose()?;
        let update = map
            .update
            .as_ref()
            .map(|map| self.expr(map, false))
            .transpose()?
            .map(Box::new);
        let mut pairs = Vec::new();
        for (key, value) in &map.pairs {
            pairs.push((self.expr(key, false)?, self.expr(value, false)?));
        }
        Ok(match (structure, update) {
            (Some(module), update) => Node::Struct {
                module: Box::new(module),
                update,
                pairs,
                line: at.line,
            },
            (None, Some(map)) => Node::MapUpdate {
                map,
                pairs,
                line: at.line,
            },
            (None, None) => Node::Map(pairs),
        })
    }

    /// `fn … end`.
    fn function(&mut self, clauses: &[SourceClause], at: At) -> Compiled<Node> {
        let arity = clauses.first().map_or(0, |clause| clause.patterns.len());
        if clauses.is_empty() {
            return Err(SyntaxError::wrong(
                at,
                "expected clauses to be defined inside fn",
            ));
        }
        if clauses.iter().any(|clause| clause.patterns.len() != arity) {
            return Err(SyntaxError::meaning(
                at,
                "cannot mix clauses with different arities in anonymous functions",
            ));
        }
        self.refuse_in_guard(at, "fn")?;
        self.lambda(arity, at, false, |this| {
            clauses
                .iter()
                .map(|clause| {
                    this.function_clause(&clause.patterns, clause.guard.as_ref(), &clause.body)
                })
                .collect()
        })
    }

    /// A clause whose arguments are in the first slots.
    pub(super) fn function_clause(
        &mut self,
        patterns: &[Expr],
        guard: Option<&Expr>,
        body: &Expr,
    ) -> Compiled<Clause> {
        self.scoped(|this| {
            let patterns = this.argument_patterns(patterns)?;
            let guard = this.guard(guard)?;
            let body = this.expr(body, true)?;
            Ok(Clause {
                patterns,
                guard,
                body,
            })
        })
    }

    /// An anonymous function around what `inside` compiles.
    pub(super) fn lambda(
        &mut self,
        arity: usize,
        at: At,
        is_capture: bool,
        inside: impl FnOnce(&mut Self) -> Compiled<Vec<Clause>>,
    ) -> Compiled<Node> {
        let handles = self.unit().handles;
        self.units.push(Unit {
            slots: arity,
            is_capture,
            handles,
            ..Unit::default()
        });
        let clauses = inside(self);
        let unit = self.units.pop().unwrap_or_default();
        Ok(Node::Fn(Arc::new(Lambda {
            module: self.env.module,
            name: self.anonymous_name(arity),
            arity,
            file: self.file.clone(),
            line: at.line,
            slots: unit.slots,
            captures: unit.captures,
            clauses: clauses?,
        })))
    }

    fn anonymous_name(&self, arity: usize) -> Arc<str> {
        match (&self.env.module, &self.env.function) {
            (Some(module), Some((name, outer))) => {
                let module = crate::lang::exception::module_text(*module);
                format!("anonymous fn/{arity} in {module}.{name}/{outer}").into()
            }
            _ => format!("anonymous fn/{arity} in :elixir_compiler_0.__FILE__/1").into(),
        }
    }

    /// A call of a standard library function that the language itself needs.
    pub(super) fn library_call(
        &mut self,
        module: &str,
        name: &str,
        args: Vec<Node>,
        at: At,
    ) -> Compiled<Node> {
        let (module, line) = (Atom::new(module), at.line);
        let native: Option<Native> = crate::lang::builtins::lookup(module, name, args.len());
        Ok(match native {
            Some(native) => Node::CallNative {
                native,
                module,
                name: Atom::new(name),
                args,
                line,
            },
            None => Node::CallRemote {
                module,
                name: Atom::new(name),
                args,
                tail: false,
                line,
            },
        })
    }

    pub(super) fn refuse_in_guard(&mut self, at: At, what: &str) -> Compiled<()> {
        if self.unit().in_guard {
            return Err(SyntaxError::meaning(
                at,
                format!("invalid expression in guard, {what} is not allowed in guards"),
            ));
        }
        Ok(())
    }
}

/// All constants make a constant.
fn constant_or(
    items: Vec<Node>,
    constant: impl FnOnce(Vec<Term>) -> Term,
    node: impl FnOnce(Vec<Node>) -> Node,
) -> Node {
    let terms: Option<Vec<Term>> = items
        .iter()
        .map(|item| match item {
            Node::Const(term) => Some(term.clone()),
            _ => None,
        })
        .collect();
    match terms {
        Some(terms) => Node::Const(constant(terms)),
        None => node(items),
    }
}

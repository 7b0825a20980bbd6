//! Patterns: of `=`, of clauses, of generators.
//!
//! Promises that a name binds once and compares from then on, and that a pin means the value from before the pattern.
#![forbid(unsafe_code)]

use super::{Compiled, Compiler, Names};
use crate::lang::ast::{At, Expr, Kind, MapExpr, Piece, Quoted};
use crate::lang::node::{Node, Pattern};
use crate::lang::operators::UnaryOp;
use crate::lang::parse::SyntaxError;
use wharf::term::{Atom, Term};

impl Compiler<'_> {
    pub(super) fn pattern(&mut self, expr: &Expr) -> Compiled<Pattern> {
        let mut bound = Names::new();
        let pattern = self.pattern_in(expr, &mut bound)?;
        self.unit().names.extend(bound);
        Ok(pattern)
    }

    /// Patterns side by side: a name in two of them must mean the same value.
    pub(super) fn patterns(&mut self, exprs: &[Expr]) -> Compiled<Vec<Pattern>> {
        let mut bound = Names::new();
        let patterns = exprs
            .iter()
            .map(|expr| self.pattern_in(expr, &mut bound))
            .collect::<Compiled<Vec<_>>>()?;
        self.unit().names.extend(bound);
        Ok(patterns)
    }

    /// The patterns of a function's arguments, which are in the first slots already: plain names cost nothing.
    pub(super) fn argument_patterns(&mut self, exprs: &[Expr]) -> Compiled<Vec<Pattern>> {
        let mut bound = Names::new();
        let mut patterns = Vec::new();
        for (slot, expr) in exprs.iter().enumerate() {
            patterns.push(match &expr.kind {
                Kind::Variable(name) if is_plain(name) && !bound.contains_key(name) => {
                    bound.insert(name.clone(), slot);
                    Pattern::Any
                }
                _ => self.pattern_in(expr, &mut bound)?,
            });
        }
        self.unit().names.extend(bound);
        Ok(patterns)
    }

    pub(super) fn pattern_in(&mut self, expr: &Expr, bound: &mut Names) -> Compiled<Pattern> {
        let at = expr.at;
        Ok(match &expr.kind {
            Kind::Literal(term) => Pattern::Value(term.clone()),
            Kind::Variable(name) if name == "_" => Pattern::Any,
            Kind::Variable(name) if is_plain(name) => match bound.get(name) {
                Some(slot) => Pattern::Same(*slot),
                None => {
                    let slot = self.fresh();
                    bound.insert(name.clone(), slot);
                    Pattern::Bind(slot)
                }
            },
            Kind::Variable(_) | Kind::Alias(_) | Kind::AliasUnder(..) => {
                match self.expr(expr, false)? {
                    Node::Const(term) => Pattern::Value(term),
                    node => Pattern::Computed(node),
                }
            }
            Kind::Quoted(sort, pieces) => Pattern::Value(constant_text(*sort, pieces, at)?),
            Kind::Tuple(items) => Pattern::Tuple(self.patterns_in(items, bound)?),
            Kind::List(items, rest) => {
                let items = self.patterns_in(items, bound)?;
                match rest {
                    Some(rest) => {
                        Pattern::List(items, Some(Box::new(self.pattern_in(rest, bound)?)))
                    }
                    None if items.is_empty() => Pattern::Value(Term::Nil),
                    None => Pattern::List(items, None),
                }
            }
            Kind::Map(map) => self.map_pattern(map, at, bound)?,
            Kind::Bits(segments) => Pattern::Bits(self.bits_pattern(segments, bound)?),
            Kind::Block(body) if body.len() == 1 => self.pattern_in(&body[0], bound)?,
            Kind::Unary("^", operand) => self.pin(operand, at)?,
            Kind::Unary("@", _) => match self.expr(expr, false)? {
                Node::Const(term) => Pattern::Value(term),
                node => Pattern::Computed(node),
            },
            Kind::Unary(sign @ ("-" | "+"), operand) => match &operand.kind {
                Kind::Literal(number) => {
                    let op = if *sign == "-" {
                        UnaryOp::Negate
                    } else {
                        UnaryOp::Plus
                    };
                    Pattern::Value(
                        op.apply(number)
                            .map_err(|_| SyntaxError::meaning(at, "this is no number"))?,
                    )
                }
                _ => {
                    return Err(SyntaxError::meaning(
                        at,
                        "cannot invoke function -/1 inside a match",
                    ));
                }
            },
            Kind::Binary("=", left, right) => {
                let left = self.pattern_in(left, bound)?;
                Pattern::Both(Box::new(left), Box::new(self.pattern_in(right, bound)?))
            }
            Kind::Binary("<>", left, right) => self.prefix(left, right, at, bound)?,
            Kind::Binary("++", left, right) => {
                let items = match self.pattern_in(left, bound)? {
                    Pattern::List(items, None) => items,
                    Pattern::Value(list) if list.to_list_vec().is_some() => list
                        .to_list_vec()
                        .unwrap_or_default()
                        .into_iter()
                        .map(Pattern::Value)
                        .collect(),
                    _ => {
                        return Err(SyntaxError::meaning(
                            at,
                            "the left side of ++ inside a match must be a list of known length",
                        ));
                    }
                };
                Pattern::List(items, Some(Box::new(self.pattern_in(right, bound)?)))
            }
            Kind::Binary("..", first, last) => self.range_pattern(first, last, None, bound)?,
            Kind::Binary("//", range, step) => match &range.kind {
                Kind::Binary("..", first, last) => {
                    self.range_pattern(first, last, Some(step), bound)?
                }
                _ => {
                    return Err(SyntaxError::wrong(
                        at,
                        "a step (//) must follow a range (..)",
                    ));
                }
            },
            Kind::Call(call) => {
                return Err(SyntaxError::meaning(
                    at,
                    format!(
                        "cannot invoke function {}/{} inside a match",
                        call.name,
                        call.args.len()
                    ),
                ));
            }
            Kind::Remote(_, call) => {
                let (name, arity) = (&call.name, call.args.len());
                return Err(SyntaxError::meaning(
                    at,
                    format!("cannot invoke remote function {name}/{arity} inside a match"),
                ));
            }
            Kind::Binary(operator, ..) => {
                return Err(SyntaxError::meaning(
                    at,
                    format!("cannot invoke function {operator}/2 inside a match"),
                ));
            }
            _ => return Err(SyntaxError::meaning(at, "this is no pattern")),
        })
    }

    fn patterns_in(&mut self, exprs: &[Expr], bound: &mut Names) -> Compiled<Vec<Pattern>> {
        exprs
            .iter()
            .map(|expr| self.pattern_in(expr, bound))
            .collect()
    }

    fn pin(&mut self, operand: &Expr, at: At) -> Compiled<Pattern> {
        let Kind::Variable(name) = &operand.kind else {
            return Err(SyntaxError::meaning(
                at,
                "invalid argument for unary operator ^, expected an existing variable",
            ));
        };
        match self.find(name) {
            Some(slot) => Ok(Pattern::Same(slot)),
            None => Err(SyntaxError::meaning(
                at,
                format!(
                    "undefined variable ^{name}. No variable \"{name}\" has been defined before the current pattern"
                ),
            )),
        }
    }

    fn prefix(
        &mut self,
        left: &Expr,
        right: &Expr,
        at: At,
        bound: &mut Names,
    ) -> Compiled<Pattern> {
        let text = match self.pattern_in(left, bound)? {
            Pattern::Value(Term::Binary(text)) => text.to_vec(),
            _ => {
                return Err(SyntaxError::meaning(
                    at,
                    "the left argument of <> operator inside a match should always be a literal binary because its size can't be verified",
                ));
            }
        };
        Ok(Pattern::Prefix(
            text,
            Box::new(self.pattern_in(right, bound)?),
        ))
    }

    fn map_pattern(&mut self, map: &MapExpr, at: At, bound: &mut Names) -> Compiled<Pattern> {
        if map.update.is_some() {
            return Err(SyntaxError::meaning(
                at,
                "cannot use map/struct update syntax in match",
            ));
        }
        let mut pairs = Vec::new();
        for (key, value) in &map.pairs {
            let key = match &key.kind {
                Kind::Unary("^", pinned) => self.expr(pinned, false)?,
                Kind::Variable(name) if is_plain(name) => {
                    return Err(SyntaxError::meaning(
                        key.at,
                        format!(
                            "cannot use variable {name} as map key inside a pattern. If you are attempting to match on an existing variable, use the pin operator: ^{name}"
                        ),
                    ));
                }
                _ => self.expr(key, false)?,
            };
            pairs.push((key, self.pattern_in(value, bound)?));
        }
        Ok(match &map.structure {
            Some(name) => Pattern::Struct(Box::new(self.pattern_in(name, bound)?), pairs),
            None => Pattern::Map(pairs),
        })
    }

    fn range_pattern(
        &mut self,
        first: &Expr,
        last: &Expr,
        step: Option<&Expr>,
        bound: &mut Names,
    ) -> Compiled<Pattern> {
        let key = |name: &str| Node::Const(Term::atom(name));
        let mut pairs = vec![
            (key("first"), self.pattern_in(first, bound)?),
            (key("last"), self.pattern_in(last, bound)?),
        ];
        if let Some(step) = step {
            pairs.push((key("step"), self.pattern_in(step, bound)?));
        }
        let range = Pattern::Value(Term::Atom(Atom::new("Elixir.Range")));
        Ok(Pattern::Struct(Box::new(range), pairs))
    }
}

/// An ordinary variable's name, not one that the language gives.
fn is_plain(name: &str) -> bool {
    name != "_"
        && !matches!(
            name,
            "__MODULE__" | "__DIR__" | "__ENV__" | "__CALLER__" | "__STACKTRACE__"
        )
}

fn constant_text(sort: Quoted, pieces: &[Piece], at: At) -> Compiled<Term> {
    let refuse = || SyntaxError::meaning(at, "cannot use interpolation inside a match");
    let mut text = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => text.extend_from_slice(bytes),
            Piece::Expr(_) => return Err(refuse()),
        }
    }
    match sort {
        Quoted::String => Ok(Term::from(wharf::term::Binary::from(text))),
        _ => Err(refuse()),
    }
}

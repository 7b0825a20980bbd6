//! The tree that a script becomes: Elixir's constructs, before names mean anything.
//!
//! Relies on terms for literals. Promises that every node knows its line and column.
#![forbid(unsafe_code)]

use wharf::term::Term;

/// A place in a source file; lines and columns count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// An expression and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) at: At,
    pub(crate) kind: Kind,
}

/// What an interpolated literal makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quoted {
    String,
    Charlist,
    Atom,
    /// `~w` with its modifier: `s`, `a` or `c`.
    Words(char),
}

/// A piece of an interpolated literal.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Bytes(Vec<u8>),
    Expr(Expr),
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Literal(Term),
    Variable(String),
    /// `Foo.Bar` as written, before `alias` is applied.
    Alias(String),
    /// `__MODULE__.Foo` and the like.
    AliasUnder(Box<Expr>, String),
    Quoted(Quoted, Vec<Piece>),
    List(Vec<Expr>, Option<Box<Expr>>),
    Tuple(Vec<Expr>),
    Map(Box<MapExpr>),
    Bits(Vec<Expr>),
    Unary(&'static str, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// An operator named, not used: the `+` of `&+/2`.
    Operator(&'static str),
    Call(Box<CallExpr>),
    /// `target.name(args)`, `target.name`.
    Remote(Box<Expr>, Box<CallExpr>),
    /// `Foo.{A, B}`: only `alias` and its like know what to do with it.
    MultiAlias(Box<Expr>, Vec<Expr>),
    /// `fun.(args)`.
    Apply(Box<Expr>, Vec<Expr>),
    Access(Box<Expr>, Box<Expr>),
    Fn(Vec<Clause>),
    Block(Vec<Expr>),
    /// `(pattern -> body)`: the clauses of a section written as a keyword.
    Clauses(Vec<Clause>),
    /// `&(…)` and the highest `&n` inside.
    Capture(Box<Expr>, usize),
    CaptureArgument(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct MapExpr {
    pub(crate) structure: Option<Expr>,
    pub(crate) update: Option<Expr>,
    pub(crate) pairs: Vec<(Expr, Expr)>,
}

/// A call by name. `foo(a) do … else … end` has its blocks apart from its arguments.
#[derive(Clone, Debug)]
pub(crate) struct CallExpr {
    pub(crate) name: String,
    pub(crate) args: Vec<Expr>,
    pub(crate) parentheses: bool,
    pub(crate) sections: Vec<Section>,
}

/// One part of a do block: `do`, `else`, `rescue`, `catch` or `after`.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) body: SectionBody,
}

#[derive(Clone, Debug)]
pub(crate) enum SectionBody {
    Expr(Expr),
    Clauses(Vec<Clause>),
}

impl SectionBody {
    pub(crate) fn at(&self) -> At {
        match self {
            SectionBody::Expr(expr) => expr.at,
            SectionBody::Clauses(clauses) => clauses
                .first()
                .map_or(At { line: 1, column: 1 }, |clause| clause.at),
        }
    }
}

/// `patterns when guard -> body`.
#[derive(Clone, Debug)]
pub(crate) struct Clause {
    pub(crate) at: At,
    pub(crate) patterns: Vec<Expr>,
    pub(crate) guard: Option<Expr>,
    pub(crate) body: Expr,
}

impl Expr {
    pub(crate) fn new(at: At, kind: Kind) -> Expr {
        Expr { at, kind }
    }

    /// The keyword list this expression is, if it is one: `[a: 1]`, or the last argument of `f(a: 1)`.
    pub(crate) fn keywords(&self) -> Option<Vec<(&'static str, &Expr)>> {
        let Kind::List(items, None) = &self.kind else {
            return None;
        };
        items
            .iter()
            .map(|item| match &item.kind {
                Kind::Tuple(pair) if pair.len() == 2 => match &pair[0].kind {
                    Kind::Literal(Term::Atom(key)) => Some((key.as_str(), &pair[1])),
                    _ => None,
                },
                _ => None,
            })
            .collect()
    }
}

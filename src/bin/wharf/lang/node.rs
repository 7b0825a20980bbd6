//! The resolved tree: what `compile` makes and `eval` walks. Names have become slots, calls know what they call.
//!
//! Relies on nothing but terms and natives. Promises that every node that can fail knows its line.
#![forbid(unsafe_code)]

use super::native::Native;
use super::operators::{BinaryOp, UnaryOp};
use std::sync::{Arc, OnceLock, RwLock};
use wharf::term::{Atom, Term};

/// An index into a running function's variables.
pub(crate) type Slot = usize;

/// The code of one function, or of one `fn`.
#[derive(Debug)]
pub(crate) struct Lambda {
    /// The module it was written in.
    pub(crate) module: Option<Atom>,
    /// Its name as stack traces show it.
    pub(crate) name: Arc<str>,
    pub(crate) arity: usize,
    pub(crate) file: Arc<str>,
    pub(crate) line: u32,
    /// How many variables a call needs, arguments first.
    pub(crate) slots: usize,
    /// For a `fn`: which of the surrounding variables it takes along, and where it keeps them.
    pub(crate) captures: Vec<(Slot, Slot)>,
    pub(crate) clauses: Vec<Clause>,
}

/// Arguments' patterns, a guard, a body.
#[derive(Debug)]
pub(crate) struct Clause {
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) guard: Option<Node>,
    pub(crate) body: Node,
}

/// A function of a module that may still be on its way through the compiler.
pub(crate) type FunctionCell = Arc<OnceLock<Arc<Lambda>>>;

/// What a module attribute held at some point of its module's body.
pub(crate) type AttributeCell = Arc<RwLock<Term>>;

/// A pattern, against which a term matches or not.
#[derive(Debug)]
pub(crate) enum Pattern {
    Any,
    Bind(Slot),
    /// The variable's value, again (`^x`, or a name that occurs twice).
    Same(Slot),
    Value(Term),
    /// A value known only when the clause is tried: `^x.y`, a map's pinned key, an attribute.
    Computed(Node),
    Tuple(Vec<Pattern>),
    List(Vec<Pattern>, Option<Box<Pattern>>),
    Map(Vec<(Node, Pattern)>),
    /// `%Name{…}`: the module, then the fields.
    Struct(Box<Pattern>, Vec<(Node, Pattern)>),
    Both(Box<Pattern>, Box<Pattern>),
    /// `"text" <> rest`.
    Prefix(Vec<u8>, Box<Pattern>),
    Bits(Vec<Segment<Pattern>>),
}

/// One part of a binary, in construction (`T` is a node) or in a pattern.
#[derive(Debug)]
pub(crate) struct Segment<T> {
    pub(crate) value: T,
    pub(crate) sort: SegmentSort,
    pub(crate) size: Option<Node>,
    pub(crate) unit: usize,
    pub(crate) signed: bool,
    pub(crate) little: bool,
    pub(crate) line: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SegmentSort {
    Integer,
    Float,
    Binary,
    Bitstring,
    Utf8,
    Utf16,
    Utf32,
}

/// An expression.
#[derive(Debug)]
pub(crate) enum Node {
    Const(Term),
    Slot(Slot),
    Attribute(AttributeCell),
    SetAttribute(AttributeCell, Box<Node>),
    Tuple(Vec<Node>),
    List(Vec<Node>, Option<Box<Node>>),
    Map(Vec<(Node, Node)>),
    MapUpdate {
        map: Box<Node>,
        pairs: Vec<(Node, Node)>,
        line: u32,
    },
    /// `%Name{…}`: defaults from the module, fields checked. With `update`, `%Name{map | …}`.
    Struct {
        module: Box<Node>,
        update: Option<Box<Node>>,
        pairs: Vec<(Node, Node)>,
        line: u32,
    },
    Bits(Vec<Segment<Node>>),
    /// `first..last//step`; without a step it goes where `last` is.
    Range(Box<(Node, Node, Option<Node>)>, u32),
    /// The pieces of an interpolated literal, and what they make.
    Text(super::ast::Quoted, Vec<Node>, u32),
    Block(Vec<Node>),
    Match(Box<Pattern>, Box<Node>, u32),
    Binary(BinaryOp, Box<Node>, Box<Node>, u32),
    Unary(UnaryOp, Box<Node>, u32),
    /// `left and right`, `left or right`: the left side must be a boolean.
    Strict {
        is_or: bool,
        left: Box<Node>,
        right: Box<Node>,
        line: u32,
    },
    /// `&&`, `||`: anything but false and nil is true.
    Relaxed {
        is_or: bool,
        left: Box<Node>,
        right: Box<Node>,
    },
    /// `guard when guard`: either holds, and neither's failure matters to the other.
    Either(Box<Node>, Box<Node>),
    If {
        test: Box<Node>,
        yes: Box<Node>,
        no: Box<Node>,
    },
    Cond(Vec<(Node, Node)>, u32),
    Case {
        subject: Box<Node>,
        clauses: Vec<Clause>,
        line: u32,
    },
    /// `match?(pattern when guard, subject)`.
    Matches(Box<Node>, Box<Clause>),
    With(Box<With>),
    For(Box<For>),
    Receive(Box<Receive>),
    Try(Box<Try>),
    Fn(Arc<Lambda>),
    CallLocal {
        function: FunctionCell,
        args: Vec<Node>,
        tail: bool,
        line: u32,
    },
    CallNative {
        native: Native,
        module: Atom,
        name: Atom,
        args: Vec<Node>,
        line: u32,
    },
    /// A function of a module known by name, found when called.
    CallRemote {
        module: Atom,
        name: Atom,
        args: Vec<Node>,
        tail: bool,
        line: u32,
    },
    /// `target.name(args)`, where the target is computed.
    CallDynamic {
        target: Box<Node>,
        name: Atom,
        args: Vec<Node>,
        tail: bool,
        line: u32,
    },
    /// `target.name` without parentheses: a map's key, or a module's function.
    Field {
        target: Box<Node>,
        name: Atom,
        line: u32,
    },
    CallFun {
        fun: Box<Node>,
        args: Vec<Node>,
        tail: bool,
        line: u32,
    },
    /// `apply(fun, args)`, `apply(module, name, args)`.
    Apply {
        target: Vec<Node>,
        args: Box<Node>,
        tail: bool,
        line: u32,
    },
    /// `&name/1`.
    LocalFun(FunctionCell),
    /// `__STACKTRACE__`.
    StackTrace,
    DefModule(Box<ModuleNode>),
    /// Code that the compiler refused inside a module: it fails when the module is defined, as in Elixir.
    Refused(String),
}

#[derive(Debug)]
pub(crate) struct With {
    pub(crate) steps: Vec<WithStep>,
    pub(crate) body: Node,
    pub(crate) otherwise: Option<Vec<Clause>>,
    pub(crate) line: u32,
}

#[derive(Debug)]
pub(crate) enum WithStep {
    /// `pattern when guard <- expression`.
    Arrow(Pattern, Option<Node>, Node),
    Plain(Node),
}

#[derive(Debug)]
pub(crate) struct For {
    pub(crate) steps: Vec<ForStep>,
    pub(crate) body: Node,
    pub(crate) into: Option<Node>,
    pub(crate) uniq: Option<Node>,
    /// The first accumulator and the clauses that make the next one.
    pub(crate) reduce: Option<(Node, Vec<Clause>)>,
    pub(crate) line: u32,
}

#[derive(Debug)]
pub(crate) enum ForStep {
    Each(Pattern, Option<Node>, Node, u32),
    Bits(Vec<Segment<Pattern>>, Node, u32),
    Filter(Node),
}

#[derive(Debug)]
pub(crate) struct Receive {
    pub(crate) clauses: Vec<Clause>,
    pub(crate) after: Option<(Node, Node)>,
    pub(crate) line: u32,
}

#[derive(Debug)]
pub(crate) struct Try {
    pub(crate) body: Node,
    pub(crate) rescue: Vec<Rescue>,
    pub(crate) catch: Vec<CatchClause>,
    pub(crate) otherwise: Option<Vec<Clause>>,
    pub(crate) after: Option<Node>,
    pub(crate) line: u32,
}

/// `e in [A, B] -> body`; no modules means any exception.
#[derive(Debug)]
pub(crate) struct Rescue {
    pub(crate) bind: Pattern,
    pub(crate) modules: Option<Vec<Node>>,
    pub(crate) body: Node,
}

/// `kind, value when guard -> body`.
#[derive(Debug)]
pub(crate) struct CatchClause {
    pub(crate) class: Pattern,
    pub(crate) value: Pattern,
    pub(crate) guard: Option<Node>,
    pub(crate) body: Node,
}

/// A `defmodule`: its body is evaluated, then its functions become callable.
#[derive(Debug)]
pub(crate) struct ModuleNode {
    pub(crate) name: Atom,
    pub(crate) body: Node,
    pub(crate) functions: Vec<FunctionNode>,
    /// `defstruct` or `defexception`: the fields with their defaults.
    pub(crate) structure: Option<StructNode>,
    pub(crate) line: u32,
}

#[derive(Debug)]
pub(crate) struct FunctionNode {
    pub(crate) name: Atom,
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) public: bool,
}

#[derive(Debug)]
pub(crate) struct StructNode {
    pub(crate) fields: Node,
    pub(crate) is_exception: bool,
    pub(crate) enforced: Vec<Atom>,
}

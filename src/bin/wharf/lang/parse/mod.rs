//! Text to tree: reads a script with the tree-sitter grammar for Elixir and makes `ast` of it.
//!
//! Relies on tree-sitter for what belongs together; `fault` says what is wrong where it found nothing sensible,
//! `quoted` reads strings and their like. Promises a tree, or a [`SyntaxError`] with line, column and reason.
#![forbid(unsafe_code)]

mod call;
mod fault;
mod quoted;
#[cfg(test)]
mod tests;
mod tokens;

pub(crate) use quoted::{charlist, words};

use super::ast::{At, Clause, Expr, Kind, MapExpr};
use std::cell::Cell;
use tree_sitter::Node;
use wharf::term::{Atom, Term};

/// Where a text cannot be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) at: At,
    pub(crate) reason: String,
    pub(crate) sort: Fault,
}

/// The sorts of syntax errors, each an exception of Elixir's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The text is wrong.
    Wrong,
    /// The text stops too early: more lines may complete it.
    Incomplete,
    /// The text is Elixir, but not in the subset.
    Unsupported,
    /// The text reads well, but means nothing: a name that nobody defined.
    Meaning,
}

impl SyntaxError {
    pub(crate) fn unsupported(at: At, what: &str) -> SyntaxError {
        SyntaxError {
            at,
            reason: format!("{what} is not supported"),
            sort: Fault::Unsupported,
        }
    }

    pub(crate) fn meaning(at: At, reason: impl Into<String>) -> SyntaxError {
        SyntaxError {
            at,
            reason: reason.into(),
            sort: Fault::Meaning,
        }
    }

    pub(crate) fn wrong(at: At, reason: impl Into<String>) -> SyntaxError {
        SyntaxError {
            at,
            reason: reason.into(),
            sort: Fault::Wrong,
        }
    }
}

type Parsed<T> = Result<T, SyntaxError>;

/// How deep expressions may nest; far beyond what people write, well within the stack.
const DEPTH_MAX: usize = 4000;

/// How many bytes a name may have.
const NAME_MAX: usize = 240;

/// Reads a whole script, as one block of expressions. `line` is the number of its first line.
pub(crate) fn parse(source: &str, line: u32) -> Parsed<Expr> {
    let mut parser = tree_sitter::Parser::new();
    let language = tree_sitter_elixir::LANGUAGE.into();
    let reader = |at, reason: &str| SyntaxError::wrong(at, reason);
    let start = At { line, column: 1 };
    parser
        .set_language(&language)
        .map_err(|_| reader(start, "the Elixir grammar does not fit this build"))?;
    // Expressions end at line ends: one at the end of the text spares the grammar a special case.
    let mut text = source.to_owned();
    text.push('\n');
    let tree = parser
        .parse(&text, None)
        .ok_or_else(|| reader(start, "the text could not be read"))?;
    let root = tree.root_node();
    let mut reader = Reader {
        source: &text,
        line,
        depth: 0,
        captured: 0,
        mark: Cell::default(),
    };
    if root.has_error() {
        return Err(fault::explain(&mut reader, root));
    }
    let body = reader.expressions(root)?;
    Ok(reader.block(start, body))
}

/// Walks the grammar's tree.
struct Reader<'s> {
    source: &'s str,
    line: u32,
    depth: usize,
    /// The highest `&n` of the capture being read.
    captured: usize,
    /// The last place asked for, so that a long line is not counted from its beginning each time.
    mark: Cell<Mark>,
}

/// A place in the text, in bytes, and how many characters of its row are before it.
#[derive(Clone, Copy, Default)]
struct Mark {
    row: usize,
    byte: usize,
    before: usize,
}

/// Every operator, so that the tree can name them without owning strings.
const OPERATORS: &[&str] = &[
    "<-", "\\\\", "when", "::", "|", "=>", "&", "=", "||", "|||", "or", "&&", "&&&", "and", "==",
    "!=", "=~", "===", "!==", "<", ">", "<=", ">=", "|>", "<<<", ">>>", "<<~", "~>>", "<~", "~>",
    "<~>", "<|>", "in", "not in", "^^^", "//", "++", "--", "+++", "---", "<>", "..", "+", "-", "*",
    "/", "**", "!", "^", "~~~", "not", "@", ".", "->",
];

/// Words that can be no names; the grammar lets some of them pass.
fn is_reserved(word: &str) -> bool {
    const RESERVED: &[&str] = &[
        "do", "end", "fn", "after", "else", "rescue", "catch", "and", "or", "not", "in", "when",
    ];
    RESERVED.contains(&word)
}

fn operator(text: &str) -> Option<&'static str> {
    let text = if text.starts_with("not") && text.ends_with("in") {
        "not in"
    } else {
        text
    };
    OPERATORS.iter().find(|known| **known == text).copied()
}

impl<'s> Reader<'s> {
    fn text(&self, node: Node) -> &'s str {
        self.source.get(node.byte_range()).unwrap_or("")
    }

    fn at(&self, node: Node) -> At {
        let point = node.start_position();
        self.at_byte(node.start_byte(), point.row, point.column)
    }

    /// Columns count characters, the grammar counts bytes.
    fn at_byte(&self, byte: usize, row: usize, column: usize) -> At {
        let characters = |range: std::ops::Range<usize>| {
            self.source
                .get(range)
                .map_or(0, |text| text.chars().count())
        };
        let mark = self.mark.get();
        let before = if mark.row != row {
            characters(byte.saturating_sub(column)..byte)
        } else if mark.byte <= byte {
            mark.before + characters(mark.byte..byte)
        } else {
            mark.before.saturating_sub(characters(byte..mark.byte))
        };
        self.mark.set(Mark { row, byte, before });
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        At {
            line: self.line.saturating_add(count(row)),
            column: count(before + 1),
        }
    }

    /// The children that mean something.
    fn children<'t>(&self, node: Node<'t>) -> Vec<Node<'t>> {
        let mut cursor = node.walk();
        node.named_children(&mut cursor)
            .filter(|child| child.kind() != "comment")
            .collect()
    }

    fn field<'t>(&self, node: Node<'t>, name: &str) -> Parsed<Node<'t>> {
        node.child_by_field_name(name)
            .ok_or_else(|| SyntaxError::wrong(self.at(node), format!("no {name} here")))
    }

    fn expressions(&mut self, node: Node) -> Parsed<Vec<Expr>> {
        self.children(node)
            .into_iter()
            .map(|child| self.expr(child))
            .collect()
    }

    /// Several expressions in a row; a single one stands for itself.
    fn block(&self, at: At, mut body: Vec<Expr>) -> Expr {
        if body.len() == 1 {
            return body.remove(0);
        }
        Expr::new(at, Kind::Block(body))
    }

    fn expr(&mut self, node: Node) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(SyntaxError::wrong(
                self.at(node),
                "expressions nest too deeply",
            ));
        }
        let at = self.at(node);
        let kind = self.kind(node, at);
        self.depth -= 1;
        Ok(Expr::new(at, kind?))
    }

    fn kind(&mut self, node: Node, at: At) -> Parsed<Kind> {
        let text = self.text(node);
        Ok(match node.kind() {
            "identifier" if text == "..." => return Err(SyntaxError::unsupported(at, "`...`")),
            "identifier" if is_reserved(text) => {
                return Err(SyntaxError::wrong(
                    at,
                    format!("unexpected reserved word: {text}"),
                ));
            }
            "identifier" => Kind::Variable(self.name(node)?),
            "alias" if text.len() > NAME_MAX => {
                return Err(SyntaxError::wrong(
                    at,
                    "atom length must be less than system limit",
                ));
            }
            "alias" => Kind::Alias(text.split('.').map(str::trim).collect::<Vec<_>>().join(".")),
            "integer" => Kind::Literal(quoted::integer(text)),
            "float" => {
                Kind::Literal(quoted::float(text).ok_or_else(|| {
                    SyntaxError::wrong(at, format!("invalid float number {text}"))
                })?)
            }
            "char" => Kind::Literal(quoted::character(text)),
            "boolean" | "nil" => Kind::Literal(Term::atom(text)),
            "atom" => Kind::Literal(Term::Atom(self.atom(at, text.get(1..).unwrap_or(""))?)),
            "string" | "charlist" | "quoted_atom" => self.quoted(node)?,
            "sigil" => self.sigil(node)?,
            "list" => self.list(node)?,
            "tuple" => Kind::Tuple(self.items(node)?),
            "bitstring" => Kind::Bits(self.items(node)?),
            "map" => self.map(node)?,
            "operator_identifier" => match operator(text) {
                Some(name) => Kind::Operator(name),
                None => {
                    return Err(SyntaxError::wrong(
                        at,
                        format!("syntax error before: '{text}'"),
                    ));
                }
            },
            "unary_operator" => self.unary(node, at)?,
            "binary_operator" => self.binary(node)?,
            "dot" => self.dot(node)?,
            "call" => self.call(node)?,
            "access_call" => {
                let (target, key) = (self.field(node, "target")?, self.field(node, "key")?);
                Kind::Access(Box::new(self.expr(target)?), Box::new(self.expr(key)?))
            }
            "anonymous_function" => Kind::Fn(self.clauses(node)?),
            "block"
                if self
                    .children(node)
                    .iter()
                    .any(|child| child.kind() == "stab_clause") =>
            {
                Kind::Clauses(self.clauses(node)?)
            }
            "block" => Kind::Block(self.expressions(node)?),
            other => return Err(SyntaxError::unsupported(at, &format!("`{text}` ({other})"))),
        })
    }

    /// A name that may become an atom, also with `Elixir.` in front.
    fn name(&self, node: Node) -> Parsed<String> {
        let text = self.text(node);
        if text.len() > NAME_MAX {
            return Err(SyntaxError::wrong(
                self.at(node),
                "atom length must be less than system limit",
            ));
        }
        Ok(text.to_owned())
    }

    fn atom(&self, at: At, name: &str) -> Parsed<Atom> {
        if name.chars().count() > 255 {
            return Err(SyntaxError::wrong(
                at,
                "atom length must be less than system limit",
            ));
        }
        Atom::try_new(name).map_err(|_| SyntaxError::wrong(at, "there are too many atoms"))
    }

    /// The elements of brackets, keywords among them as pairs.
    fn items(&mut self, node: Node) -> Parsed<Vec<Expr>> {
        let mut items = Vec::new();
        for child in self.children(node) {
            match child.kind() {
                // `{1, a: 2}` and `<<a: 1>>` hold the keywords as one list.
                "keywords" if node.kind() != "list" => {
                    let pairs = self.keywords(child)?;
                    items.push(Expr::new(self.at(child), Kind::List(pairs, None)));
                }
                "keywords" => items.extend(self.keywords(child)?),
                _ => items.push(self.expr(child)?),
            }
        }
        Ok(items)
    }

    /// `a: 1, "b c": 2` as pairs.
    fn keywords(&mut self, node: Node) -> Parsed<Vec<Expr>> {
        let mut pairs = Vec::new();
        for pair in self.children(node) {
            let (key, value) = (self.field(pair, "key")?, self.field(pair, "value")?);
            let at = self.at(key);
            let key = match key.kind() {
                "quoted_keyword" => match self.quoted(key)? {
                    Kind::Quoted(_, pieces) => {
                        Expr::new(at, Kind::Quoted(super::ast::Quoted::Atom, pieces))
                    }
                    Kind::Literal(text) => {
                        let name = text
                            .as_binary()
                            .map(|b| String::from_utf8_lossy(b).into_owned())
                            .unwrap_or_default();
                        Expr::new(at, Kind::Literal(Term::Atom(self.atom(at, &name)?)))
                    }
                    _ => return Err(SyntaxError::wrong(at, "this key cannot be read")),
                },
                _ => {
                    let name = self.text(key).trim_end().trim_end_matches(':');
                    Expr::new(at, Kind::Literal(Term::Atom(self.atom(at, name)?)))
                }
            };
            pairs.push(Expr::new(at, Kind::Tuple(vec![key, self.expr(value)?])));
        }
        Ok(pairs)
    }

    fn list(&mut self, node: Node) -> Parsed<Kind> {
        let mut items = self.items(node)?;
        // `[a | rest]` reads as an operator on the last element.
        if let Some(last) = items.last_mut()
            && let Kind::Binary("|", head, tail) = &last.kind
        {
            let (head, tail) = ((**head).clone(), tail.clone());
            *last = head;
            return Ok(Kind::List(items, Some(tail)));
        }
        Ok(Kind::List(items, None))
    }

    fn map(&mut self, node: Node) -> Parsed<Kind> {
        let mut map = MapExpr {
            structure: None,
            update: None,
            pairs: Vec::new(),
        };
        for child in self.children(node) {
            if child.kind() == "struct" {
                if let Some(name) = self.children(child).first() {
                    map.structure = Some(self.expr(*name)?);
                }
                continue;
            }
            for item in self.children(child) {
                if item.kind() == "keywords" {
                    for pair in self.keywords(item)? {
                        push_pair(&mut map, pair)?;
                    }
                    continue;
                }
                let is_update = item.kind() == "binary_operator"
                    && self.text(self.field(item, "operator")?) == "|";
                if is_update && map.update.is_none() && map.pairs.is_empty() {
                    let (left, right) = (self.field(item, "left")?, self.field(item, "right")?);
                    map.update = Some(self.expr(left)?);
                    if right.kind() == "keywords" {
                        for pair in self.keywords(right)? {
                            push_pair(&mut map, pair)?;
                        }
                    } else {
                        let pair = self.expr(right)?;
                        push_pair(&mut map, pair)?;
                    }
                    continue;
                }
                let pair = self.expr(item)?;
                push_pair(&mut map, pair)?;
            }
        }
        Ok(Kind::Map(Box::new(map)))
    }

    fn unary(&mut self, node: Node, at: At) -> Parsed<Kind> {
        let name = self.text(self.field(node, "operator")?);
        let Some(name) = operator(name) else {
            return Err(SyntaxError::unsupported(at, &format!("operator `{name}`")));
        };
        let Some(operand) = self.children(node).pop() else {
            return Err(SyntaxError::wrong(
                at,
                format!("operator {name} needs an operand"),
            ));
        };
        if name == "&" {
            if operand.kind() == "integer" {
                let number = self.text(operand).parse().unwrap_or(0);
                if number == 0 {
                    return Err(SyntaxError::wrong(
                        at,
                        "capture argument &0 must be numbered between 1 and 255",
                    ));
                }
                if number > 255 {
                    return Err(SyntaxError::wrong(
                        at,
                        format!("capture argument &{number} must be numbered between 1 and 255"),
                    ));
                }
                self.captured = self.captured.max(number);
                return Ok(Kind::CaptureArgument(number));
            }
            let outside = std::mem::take(&mut self.captured);
            let operand = self.expr(operand)?;
            let highest = std::mem::replace(&mut self.captured, outside);
            return Ok(Kind::Capture(Box::new(operand), highest));
        }
        let operand = self.expr(operand)?;
        Ok(Kind::Unary(name, Box::new(operand)))
    }

    fn binary(&mut self, node: Node) -> Parsed<Kind> {
        let operator_node = self.field(node, "operator")?;
        let name = self.text(operator_node);
        let Some(name) = operator(name) else {
            return Err(SyntaxError::unsupported(
                self.at(operator_node),
                &format!("operator `{name}`"),
            ));
        };
        let (left, right) = (self.field(node, "left")?, self.field(node, "right")?);
        let left = if left.kind() == "arguments" {
            let at = self.at(left);
            let items = self.items(left)?;
            self.block(at, items)
        } else {
            self.expr(left)?
        };
        let right = if right.kind() == "keywords" {
            Expr::new(self.at(right), Kind::List(self.keywords(right)?, None))
        } else {
            self.expr(right)?
        };
        Ok(Kind::Binary(name, Box::new(left), Box::new(right)))
    }

    fn dot(&mut self, node: Node) -> Parsed<Kind> {
        let (left, right) = (self.field(node, "left")?, self.field(node, "right")?);
        let left = Box::new(self.expr(left)?);
        match right.kind() {
            "tuple" => Ok(Kind::MultiAlias(left, self.items(right)?)),
            _ => Ok(Kind::AliasUnder(left, self.text(right).to_owned())),
        }
    }

    /// The clauses of `fn`, `case`, …: each has patterns, perhaps a guard, and a body.
    fn clauses(&mut self, node: Node) -> Parsed<Vec<Clause>> {
        let stabs: Vec<Node> = self
            .children(node)
            .into_iter()
            .filter(|child| child.kind() == "stab_clause")
            .collect();
        stabs.into_iter().map(|stab| self.clause(stab)).collect()
    }

    fn clause(&mut self, node: Node) -> Parsed<Clause> {
        let at = self.at(node);
        let mut guard = None;
        let patterns = match node.child_by_field_name("left") {
            None => Vec::new(),
            Some(left) if left.kind() == "binary_operator" => {
                let (arguments, test) = (self.field(left, "left")?, self.field(left, "right")?);
                guard = Some(self.expr(test)?);
                self.arguments(arguments)?
            }
            Some(left) => self.arguments(left)?,
        };
        let body = match node.child_by_field_name("right") {
            Some(body) => {
                let (at, body) = (self.at(body), self.expressions(body)?);
                self.block(at, body)
            }
            None => Expr::new(at, Kind::Block(Vec::new())),
        };
        Ok(Clause {
            at,
            patterns,
            guard,
            body,
        })
    }
}

/// `key => value` or a keyword pair.
fn push_pair(map: &mut MapExpr, pair: Expr) -> Parsed<()> {
    match pair.kind {
        Kind::Binary("=>", key, value) => map.pairs.push((*key, *value)),
        Kind::Tuple(mut pair) if pair.len() == 2 => {
            let value = pair.pop();
            map.pairs.extend(pair.pop().zip(value));
        }
        // `a = b => c` and the like group around the arrow.
        Kind::Binary(operator, left, right) => match right.kind {
            Kind::Binary("=>", key, value) => {
                let at = key.at;
                map.pairs
                    .push((Expr::new(at, Kind::Binary(operator, left, key)), *value));
            }
            _ => {
                return Err(SyntaxError::wrong(
                    pair.at,
                    "a map holds `key => value` pairs",
                ));
            }
        },
        _ => {
            return Err(SyntaxError::wrong(
                pair.at,
                "a map holds `key => value` pairs",
            ));
        }
    }
    Ok(())
}

//! Calls: by name, on a module or value, of a function value; with do blocks.
#![forbid(unsafe_code)]

use super::{Parsed, Reader, SyntaxError};
use crate::lang::ast::{CallExpr, Expr, Kind, Section, SectionBody};
use tree_sitter::Node;

impl Reader<'_> {
    pub(super) fn call(&mut self, node: Node) -> Parsed<Kind> {
        let target = self.field(node, "target")?;
        let mut call = CallExpr {
            name: String::new(),
            args: Vec::new(),
            parentheses: false,
            sections: Vec::new(),
        };
        for child in self.children(node) {
            match child.kind() {
                _ if child == target => {}
                "arguments" => {
                    call.parentheses = self.text(child).starts_with('(')
                        && child.start_byte() == target.end_byte();
                    call.args = self.arguments(child)?;
                }
                "do_block" => call.sections = self.sections(child)?,
                _ => {
                    return Err(SyntaxError::unsupported(
                        self.at(child),
                        "this kind of call",
                    ));
                }
            }
        }
        match target.kind() {
            "identifier" => {
                call.name = self.name(target)?;
                Ok(Kind::Call(Box::new(call)))
            }
            "dot" => {
                let left = self.field(target, "left")?;
                let left = Box::new(self.expr(left)?);
                let Some(right) = target.child_by_field_name("right") else {
                    return Ok(Kind::Apply(left, call.args));
                };
                call.name = match right.kind() {
                    "string" | "charlist" => match self.quoted(right)? {
                        Kind::Literal(name) => name
                            .as_binary()
                            .map(|name| String::from_utf8_lossy(name).into_owned())
                            .or_else(|| charlist_text(&name))
                            .ok_or_else(|| SyntaxError::wrong(self.at(right), "this is no name"))?,
                        _ => {
                            return Err(SyntaxError::unsupported(
                                self.at(right),
                                "interpolation in a function's name",
                            ));
                        }
                    },
                    _ => self.name(right)?,
                };
                Ok(Kind::Remote(left, Box::new(call)))
            }
            // `f.(1).(2)` and `f(1)(2)`.
            "call" => Ok(Kind::Apply(Box::new(self.expr(target)?), call.args)),
            _ => Err(SyntaxError::unsupported(self.at(target), "a call of this")),
        }
    }

    /// Arguments, with trailing keywords as one list.
    pub(super) fn arguments(&mut self, node: Node) -> Parsed<Vec<Expr>> {
        if node.kind() != "arguments" {
            return Ok(vec![self.expr(node)?]);
        }
        self.items(node)
    }

    fn sections(&mut self, node: Node) -> Parsed<Vec<Section>> {
        let mut sections = vec![self.section("do", node)?];
        for child in self.children(node) {
            let name = match child.kind() {
                "after_block" => "after",
                "rescue_block" => "rescue",
                "catch_block" => "catch",
                "else_block" => "else",
                _ => continue,
            };
            sections.push(self.section(name, child)?);
        }
        Ok(sections)
    }

    fn section(&mut self, name: &'static str, node: Node) -> Parsed<Section> {
        let at = self.at(node);
        let parts: Vec<Node> = self
            .children(node)
            .into_iter()
            .filter(|child| !child.kind().ends_with("_block") || child.kind() == "block")
            .collect();
        let body = if parts.iter().any(|part| part.kind() == "stab_clause") {
            SectionBody::Clauses(self.clauses(node)?)
        } else {
            let body = parts
                .into_iter()
                .map(|part| self.expr(part))
                .collect::<Parsed<Vec<_>>>()?;
            SectionBody::Expr(self.block(at, body))
        };
        Ok(Section { name, body })
    }
}

fn charlist_text(term: &wharf::term::Term) -> Option<String> {
    let codes = term.to_list_vec()?;
    codes
        .iter()
        .map(|code| {
            code.as_int()
                .and_then(|code| u32::try_from(code).ok())
                .and_then(char::from_u32)
        })
        .collect()
}

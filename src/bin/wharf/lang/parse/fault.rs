//! What is wrong with a text that the grammar could not read.
//!
//! Promises the first fault's place and a reason in Elixir's words: what is unbalanced, or before which token the
//! syntax broke.
#![forbid(unsafe_code)]

use super::{Fault, Reader, SyntaxError, tokens};
use tree_sitter::Node;

/// Explains the first fault below `root`.
pub(super) fn explain(reader: &mut Reader, root: Node) -> SyntaxError {
    let source = reader.source.strip_suffix('\n').unwrap_or(reader.source);
    if let Some(error) = tokens::imbalance(source, reader.line) {
        return error;
    }
    let fault = first_fault(root).unwrap_or(root);
    if fault.is_missing() {
        let at = reader.at(fault);
        return SyntaxError {
            at,
            reason: format!("syntax error: `{}` is missing here", fault.kind()),
            sort: Fault::Wrong,
        };
    }
    let culprit = culprit(fault);
    let at = reader.at(culprit);
    let token = reader.text(culprit).lines().next().unwrap_or("").to_owned();
    let reason = match culprit.kind() {
        _ if token.is_empty() => "syntax error before: end of line".to_owned(),
        "integer" | "float" | "string" | "charlist" | "quoted_content" => {
            format!("syntax error before: \"{}\"", token.trim_matches('"'))
        }
        "end" | "do" | "fn" | "after" | "else" | "rescue" | "catch" => {
            format!("unexpected reserved word: {token}")
        }
        _ if !token.trim_end().ends_with(':')
            && token.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':')) =>
        {
            format!("syntax error before: {token}")
        }
        _ => format!("syntax error before: '{}'", token.trim_end()),
    };
    SyntaxError {
        at,
        reason,
        sort: Fault::Wrong,
    }
}

/// The first node that the grammar could not place, or had to invent.
fn first_fault(node: Node) -> Option<Node> {
    if node.is_error() || node.is_missing() {
        return Some(node);
    }
    if !node.has_error() {
        return None;
    }
    let mut cursor = node.walk();
    node.children(&mut cursor).find_map(first_fault)
}

/// The token before which the syntax broke. The grammar skips either that token or the expression in front of it.
fn culprit(fault: Node) -> Node {
    let mut cursor = fault.walk();
    let children: Vec<Node> = fault.children(&mut cursor).collect();
    if let ([only], Some(next)) = (children.as_slice(), fault.next_sibling()) {
        let same_line = next.start_position().row == fault.end_position().row;
        let skipped_whole = only.is_named() && only.kind() != "operator_identifier";
        if same_line && skipped_whole && next.is_named() {
            return leaf(next);
        }
    }
    match children.as_slice() {
        [] => fault,
        [only] => leaf(*only),
        [.., last] => leaf(*last),
    }
}

fn leaf(node: Node) -> Node {
    match node.child(0) {
        Some(first) if !matches!(node.kind(), "string" | "charlist" | "sigil") => leaf(first),
        _ => node,
    }
}

//! Forms that look at names and paths instead of values: `binding()`, `put_in(map.key[:other], value)` and its relatives.
#![forbid(unsafe_code)]

use super::{Compiled, Compiler};
use crate::lang::ast::{At, CallExpr, Expr, Kind};
use crate::lang::node::Node;
use crate::lang::parse::SyntaxError;
use wharf::term::{Atom, Term};

impl Compiler<'_> {
    /// `binding()`: the variables in sight and their values.
    pub(super) fn binding(&mut self) -> Node {
        let level = self
            .units
            .iter()
            .rposition(|unit| unit.barrier)
            .unwrap_or(0);
        let names = self.units[level..]
            .iter()
            .flat_map(|unit| unit.names.keys().cloned());
        // Captured arguments and the like are no names of the script's.
        let mut names: Vec<String> = names.filter(|name| !name.contains(['&', ' '])).collect();
        names.sort();
        names.dedup();
        let pairs = names.into_iter().filter_map(|name| {
            let slot = self.find(&name)?;
            Some(Node::Tuple(vec![
                Node::Const(Term::atom(&name)),
                Node::Slot(slot),
            ]))
        });
        Node::List(pairs.collect(), None)
    }

    /// `put_in(path, value)` is `put_in(root, keys, value)`; the others likewise.
    pub(super) fn path_form(&mut self, call: &CallExpr, at: At) -> Compiled<Node> {
        let (path, rest) = call
            .args
            .split_first()
            .ok_or_else(|| SyntaxError::meaning(at, "a path is missing"))?;
        let mut keys = Vec::new();
        let root = self.path(path, &mut keys)?;
        if keys.is_empty() {
            let reason = format!(
                "cannot use {}/{} with this path, it must have at least one access",
                call.name,
                call.args.len()
            );
            return Err(SyntaxError::meaning(at, reason));
        }
        let mut args = vec![root, Node::List(keys, None)];
        args.extend(self.exprs(rest)?);
        self.library_call("Elixir.Kernel", &call.name, args, at)
    }

    /// Where a path starts; its keys, outermost first, go to `keys`.
    fn path(&mut self, path: &Expr, keys: &mut Vec<Node>) -> Compiled<Node> {
        match &path.kind {
            Kind::Access(target, key) => {
                let root = self.path(target, keys)?;
                keys.push(self.expr(key, false)?);
                Ok(root)
            }
            Kind::Remote(target, call)
                if call.args.is_empty() && !matches!(target.kind, Kind::Alias(_)) =>
            {
                let root = self.path(target, keys)?;
                keys.push(Node::Const(Term::Atom(Atom::new(&call.name))));
                Ok(root)
            }
            _ => self.expr(path, false),
        }
    }
}

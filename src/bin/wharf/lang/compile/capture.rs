//! `&name/1`, `&Module.name/1`, `&(… &1 …)`.
#![forbid(unsafe_code)]

use super::calls::Meaning;
use super::{Compiled, Compiler};
use crate::lang::ast::{At, CallExpr, Expr, Kind};
use crate::lang::builtins;
use crate::lang::function::{named_native, remote};
use crate::lang::node::{Clause, Node, Pattern};
use crate::lang::parse::SyntaxError;
use wharf::term::{Atom, Term};

impl Compiler<'_> {
    pub(super) fn capture(&mut self, operand: &Expr, highest: usize, at: At) -> Compiled<Node> {
        self.refuse_in_guard(at, "&")?;
        if highest == 0 {
            return self.capture_named(operand, at);
        }
        if self.unit().is_capture {
            return Err(SyntaxError::meaning(
                at,
                "nested captures are not allowed. You cannot define a function using the capture operator & inside another function defined via &",
            ));
        }
        self.lambda(highest, at, true, |this| {
            for number in 1..=highest {
                this.unit().names.insert(format!("&{number}"), number - 1);
            }
            let body = this.expr(operand, true)?;
            Ok(vec![Clause {
                patterns: (0..highest).map(|_| Pattern::Any).collect(),
                guard: None,
                body,
            }])
        })
    }

    fn capture_named(&mut self, operand: &Expr, at: At) -> Compiled<Node> {
        let refuse = || {
            SyntaxError::meaning(
                at,
                "invalid args for &, expected one of:\n\n  * &Mod.fun/arity to capture a remote function, such as &Enum.map/2\n  * &fun/arity to capture a local or imported function, such as &is_atom/1\n  * &some_code(&1, ...) containing at least one argument as &1, such as &List.flatten(&1)",
            )
        };
        let operand = match &operand.kind {
            Kind::Block(body) if body.len() == 1 => &body[0],
            _ => operand,
        };
        let Kind::Binary("/", name, arity) = &operand.kind else {
            return Err(refuse());
        };
        let Kind::Literal(Term::Int(arity)) = &arity.kind else {
            return Err(refuse());
        };
        let arity = usize::try_from(*arity).map_err(|_| refuse())?;
        match &name.kind {
            Kind::Remote(module, call) if call.args.is_empty() => {
                self.capture_remote(module, &call.name, arity, at)
            }
            Kind::Variable(name) => self.capture_local(name, arity, at),
            Kind::Call(call) if call.args.is_empty() => self.capture_local(&call.name, arity, at),
            Kind::Operator(name) => self.capture_local(name, arity, at),
            _ => Err(refuse()),
        }
    }

    fn capture_local(&mut self, name: &str, arity: usize, at: At) -> Compiled<Node> {
        match self.function_named(name, arity) {
            Some(Meaning::Local(cell)) => Ok(Node::LocalFun(cell)),
            Some(Meaning::Native(module, native)) => {
                Ok(Node::Const(named_native(module, name, arity, native)))
            }
            Some(Meaning::Imported(module)) => {
                Ok(Node::Const(remote(module, Atom::new(name), arity)))
            }
            // Special forms and operators with laziness become functions around themselves.
            None => self.capture_form(name, arity, at),
        }
    }

    fn capture_form(&mut self, name: &str, arity: usize, at: At) -> Compiled<Node> {
        let args: Vec<Expr> = (1..=arity)
            .map(|number| Expr::new(at, Kind::CaptureArgument(number)))
            .collect();
        let lazy = ["and", "or", "&&", "||", "!", "not", "|>", ".."]
            .iter()
            .find(|lazy| **lazy == name);
        let body = match (lazy, args.as_slice()) {
            (Some(operator), [one]) => Kind::Unary(operator, Box::new(one.clone())),
            (Some(operator), [left, right]) => {
                Kind::Binary(operator, Box::new(left.clone()), Box::new(right.clone()))
            }
            _ => Kind::Call(Box::new(CallExpr {
                name: name.to_owned(),
                args,
                parentheses: true,
                sections: Vec::new(),
            })),
        };
        self.capture(&Expr::new(at, body), arity, at)
    }

    fn capture_remote(
        &mut self,
        target: &Expr,
        name: &str,
        arity: usize,
        at: At,
    ) -> Compiled<Node> {
        let module = match &target.kind {
            Kind::Alias(_) | Kind::AliasUnder(..) | Kind::Literal(Term::Atom(_)) => {
                self.module_expr(target)?
            }
            Kind::Variable(variable) if variable == "__MODULE__" => self.module_expr(target)?,
            _ => {
                // `&module.name/1`: the module is known when the capture is made.
                let args = vec![
                    self.expr(target, false)?,
                    Node::Const(Term::atom(name)),
                    Node::Const(Term::from(arity)),
                ];
                return self.library_call("Elixir.Function", "capture", args, at);
            }
        };
        if !self.defines(module)
            && let Some(native) = builtins::lookup(module, name, arity)
        {
            return Ok(Node::Const(named_native(module, name, arity, native)));
        }
        Ok(Node::Const(remote(module, Atom::new(name), arity)))
    }
}

//! Calls: which function a name means here, and how it is reached.
#![forbid(unsafe_code)]

use super::{Compiled, Compiler, Import};
use crate::lang::ast::{At, CallExpr, Expr, Kind, SectionBody};
use crate::lang::builtins;
use crate::lang::exception::module_text;
use crate::lang::native::Native;
use crate::lang::node::{FunctionCell, Node};
use crate::lang::operators::BinaryOp;
use crate::lang::parse::SyntaxError;
use wharf::term::{Atom, Term, atom};

/// What a bare name and arity mean.
pub(super) enum Meaning {
    Local(FunctionCell),
    Native(Atom, Native),
    Imported(Atom),
}

impl Compiler<'_> {
    /// `name(args)`: a special form, a function of this module, an imported one, or one of `Kernel`'s.
    pub(super) fn call(&mut self, call: &CallExpr, at: At, tail: bool) -> Compiled<Node> {
        if let Some(node) = self.special_form(call, at, tail)? {
            return Ok(node);
        }
        let args = self.call_arguments(call)?;
        self.named_call(&call.name, args, at, tail)
    }

    /// A do block goes to an ordinary function as keywords.
    fn call_arguments(&mut self, call: &CallExpr) -> Compiled<Vec<Node>> {
        let mut args = self.exprs(&call.args)?;
        if !call.sections.is_empty() {
            let mut pairs = Vec::new();
            for section in &call.sections {
                let SectionBody::Expr(body) = &section.body else {
                    return Err(SyntaxError::unsupported(
                        section.body.at(),
                        "a block of clauses for an ordinary function",
                    ));
                };
                let body = self.scoped(|this| this.expr(body, false))?;
                pairs.push(Node::Tuple(vec![
                    Node::Const(Term::atom(section.name)),
                    body,
                ]));
            }
            args.push(Node::List(pairs, None));
        }
        Ok(args)
    }

    pub(super) fn named_call(
        &mut self,
        name: &str,
        args: Vec<Node>,
        at: At,
        tail: bool,
    ) -> Compiled<Node> {
        let (line, arity) = (at.line, args.len());
        if name == "apply" && (arity == 2 || arity == 3) && !self.is_local(name, arity) {
            let mut target = args;
            let args = Box::new(target.pop().unwrap_or(Node::Const(Term::Nil)));
            return Ok(Node::Apply {
                target,
                args,
                tail,
                line,
            });
        }
        // `div` and `rem` are operators in all but spelling.
        if arity == 2
            && matches!(name, "div" | "rem")
            && !self.is_local(name, arity)
            && let Some(op) = BinaryOp::named(name)
        {
            return Ok(two(args, |left, right| Node::Binary(op, left, right, line)));
        }
        match self.function_named(name, arity) {
            Some(Meaning::Local(_)) if self.unit().in_guard && !self.is_guard(name, arity) => {
                Err(SyntaxError::meaning(at, no_guard(name, arity)))
            }
            Some(Meaning::Local(function)) => Ok(Node::CallLocal {
                function,
                args,
                tail,
                line,
            }),
            Some(Meaning::Native(module, native)) => {
                self.check_guard(module, name, arity, at)?;
                Ok(Node::CallNative {
                    native,
                    module,
                    name: Atom::new(name),
                    args,
                    line,
                })
            }
            Some(Meaning::Imported(module)) => Ok(Node::CallRemote {
                module,
                name: Atom::new(name),
                args,
                tail,
                line,
            }),
            None => Err(SyntaxError::meaning(at, self.undefined(name, arity))),
        }
    }

    fn undefined(&self, name: &str, arity: usize) -> String {
        match self.env.module {
            Some(module) => format!(
                "undefined function {name}/{arity} (expected {} to define such a function or for it to be imported, but none are available)",
                module_text(module)
            ),
            None => format!("undefined function {name}/{arity} (there is no such import)"),
        }
    }

    fn is_guard(&self, name: &str, arity: usize) -> bool {
        let declared = self
            .modules
            .last()
            .and_then(|module| module.functions.get(&(name.to_owned(), arity)));
        declared.is_some_and(|declared| declared.is_guard)
    }

    fn is_local(&self, name: &str, arity: usize) -> bool {
        self.modules
            .last()
            .is_some_and(|module| module.functions.contains_key(&(name.to_owned(), arity)))
    }

    pub(super) fn function_named(&self, name: &str, arity: usize) -> Option<Meaning> {
        let key = (name.to_owned(), arity);
        if let Some(declared) = self
            .modules
            .last()
            .and_then(|module| module.functions.get(&key))
        {
            return Some(Meaning::Local(declared.cell.clone()));
        }
        for import in self.env.imports.iter().rev() {
            if !import.allows(&key) {
                continue;
            }
            if self.exports(import.module, name, arity) {
                return Some(Meaning::Imported(import.module));
            }
            if let Some(native) = builtins::lookup(import.module, name, arity) {
                return Some(Meaning::Native(import.module, native));
            }
        }
        let kernel = Atom::new("Elixir.Kernel");
        let native = builtins::lookup(kernel, name, arity);
        // At a prompt, iex's own helpers are at hand too.
        native
            .map(|native| Meaning::Native(kernel, native))
            .or_else(|| {
                let helpers = Atom::new("Elixir.IEx.Helpers");
                builtins::lookup(helpers, name, arity)
                    .map(|native| Meaning::Native(helpers, native))
            })
    }

    /// `target.name(args)`.
    pub(super) fn remote(
        &mut self,
        target: &Expr,
        call: &CallExpr,
        at: At,
        tail: bool,
    ) -> Compiled<Node> {
        let module = match &target.kind {
            Kind::Alias(_) | Kind::AliasUnder(..) => Some(self.module_expr(target)?),
            // `nil.key` is a slip with a map, not a module.
            Kind::Literal(Term::Atom(atom::NIL | atom::TRUE | atom::FALSE)) => None,
            Kind::Literal(Term::Atom(name)) => Some(*name),
            Kind::Variable(name) if name == "__MODULE__" => self.env.module,
            _ => None,
        };
        let (line, name) = (at.line, Atom::new(&call.name));
        let Some(module) = module else {
            let target = Box::new(self.expr(target, false)?);
            if call.args.is_empty() && call.sections.is_empty() && !call.parentheses {
                return Ok(Node::Field { target, name, line });
            }
            self.refuse_in_guard(at, "a call of a computed module")?;
            let args = self.call_arguments(call)?;
            return Ok(Node::CallDynamic {
                target,
                name,
                args,
                tail,
                line,
            });
        };
        let kernel = module.as_str() == "Elixir.Kernel";
        if kernel && let Some(node) = self.special_form(call, at, tail)? {
            return Ok(node);
        }
        if (kernel || module.as_str() == "Elixir.Bitwise")
            && call.args.len() == 2
            && let Some(op) = BinaryOp::named(&call.name)
        {
            return Ok(two(self.exprs(&call.args)?, |left, right| {
                Node::Binary(op, left, right, line)
            }));
        }
        let args = self.call_arguments(call)?;
        let arity = args.len();
        if matches!(module.as_str(), "Elixir.Kernel" | "erlang")
            && call.name == "apply"
            && (arity == 2 || arity == 3)
        {
            return self.named_call("apply", args, at, tail);
        }
        if !self.defines(module)
            && let Some(native) = builtins::lookup(module, &call.name, arity)
        {
            self.check_guard(module, &call.name, arity, at)?;
            return Ok(Node::CallNative {
                native,
                module,
                name,
                args,
                line,
            });
        }
        self.refuse_in_guard(
            at,
            &format!("{}.{}/{arity}", module_text(module), call.name),
        )?;
        Ok(Node::CallRemote {
            module,
            name,
            args,
            tail,
            line,
        })
    }

    /// Only functions without effects may run in guards.
    fn check_guard(&mut self, module: Atom, name: &str, arity: usize, at: At) -> Compiled<()> {
        if !self.unit().in_guard || builtins::allowed_in_guard(module, name, arity) {
            return Ok(());
        }
        let reason = match module.as_str() {
            "Elixir.Kernel" => no_guard(name, arity),
            _ => format!(
                "cannot invoke remote function {}.{name}/{arity} inside guards",
                module_text(module)
            ),
        };
        Err(SyntaxError::meaning(at, reason))
    }

    /// The module that an alias, an atom or `__MODULE__.Name` names.
    pub(super) fn module_expr(&mut self, expr: &Expr) -> Compiled<Atom> {
        match &expr.kind {
            Kind::Alias(name) => Ok(self.module_named(name)),
            Kind::Literal(Term::Atom(name)) => Ok(*name),
            Kind::Variable(name) if name == "__MODULE__" => self
                .env
                .module
                .ok_or_else(|| SyntaxError::meaning(expr.at, "there is no module here")),
            Kind::AliasUnder(left, right) => {
                let left = self.module_expr(left)?;
                Atom::try_new(&format!("{}.{right}", left.as_str()))
                    .map_err(|_| SyntaxError::wrong(expr.at, "this name is too long"))
            }
            _ => Err(SyntaxError::meaning(
                expr.at,
                "expected a module's name here",
            )),
        }
    }

    /// `import Module, only: [name: arity]`.
    pub(super) fn import(&mut self, args: &[Expr], at: At) -> Compiled<Node> {
        let Some(target) = args.first() else {
            return Err(SyntaxError::meaning(at, "import needs a module"));
        };
        let module = self.module_expr(target)?;
        let mut import = Import {
            module,
            only: None,
            except: Vec::new(),
        };
        for (key, value) in args.get(1).and_then(Expr::keywords).unwrap_or_default() {
            let names: Vec<(String, usize)> = match value.keywords() {
                Some(pairs) => pairs
                    .iter()
                    .filter_map(|(name, arity)| match &arity.kind {
                        Kind::Literal(Term::Int(arity)) => {
                            Some(((*name).to_owned(), usize::try_from(*arity).ok()?))
                        }
                        _ => None,
                    })
                    .collect(),
                None if matches!(&value.kind, Kind::Literal(Term::Atom(_))) => continue,
                None => {
                    return Err(SyntaxError::meaning(
                        value.at,
                        format!(
                            "invalid :{key} option for import, expected a keyword list with integer values"
                        ),
                    ));
                }
            };
            match key {
                "only" => import.only = Some(names),
                "except" => import.except = names,
                _ => {}
            }
        }
        if !self.defines(module) && !builtins::knows(module) {
            return Err(SyntaxError::meaning(
                at,
                format!(
                    "module {} is not loaded and could not be found",
                    module_text(module)
                ),
            ));
        }
        self.env.imports.push(import);
        Ok(Node::Const(Term::Atom(module)))
    }

    /// `alias A.B`, `alias A.B, as: C`, `alias A.{B, C}`.
    pub(super) fn alias(&mut self, args: &[Expr], at: At) -> Compiled<Node> {
        let Some(target) = args.first() else {
            return Err(SyntaxError::meaning(at, "alias needs a module"));
        };
        if let Kind::MultiAlias(base, names) = &target.kind {
            let base = self.module_expr(base)?;
            for name in names {
                if let Kind::Alias(name) = &name.kind {
                    let full = format!("{}.{name}", base.as_str());
                    self.add_alias(name.rsplit('.').next().unwrap_or(name), &full);
                }
            }
            return Ok(Node::Const(Term::Nil));
        }
        let module = self.module_expr(target)?;
        let options = args.get(1).and_then(Expr::keywords).unwrap_or_default();
        match options
            .iter()
            .find(|(key, _)| *key == "as")
            .map(|(_, name)| &name.kind)
        {
            Some(Kind::Alias(name)) => self.add_alias(name, module.as_str()),
            Some(_) => {
                return Err(SyntaxError::meaning(
                    at,
                    "invalid value for option :as, expected a simple alias",
                ));
            }
            None => self.add_alias(
                module.as_str().rsplit('.').next().unwrap_or(""),
                module.as_str(),
            ),
        }
        Ok(Node::Const(Term::Atom(module)))
    }

    pub(super) fn add_alias(&mut self, name: &str, module: &str) {
        let module = module.strip_prefix("Elixir.").unwrap_or(module);
        self.env.aliases.insert(name.to_owned(), module.to_owned());
    }
}

impl Import {
    fn allows(&self, key: &(String, usize)) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(key)) && !self.except.contains(key)
    }
}

/// A node of the only two arguments.
fn two(mut args: Vec<Node>, node: impl FnOnce(Box<Node>, Box<Node>) -> Node) -> Node {
    let nothing = || Node::Const(Term::Nil);
    let right = args.pop().unwrap_or_else(nothing);
    let left = args.pop().unwrap_or_else(nothing);
    node(Box::new(left), Box::new(right))
}

fn no_guard(name: &str, arity: usize) -> String {
    format!(
        "cannot find or invoke local {name}/{arity} inside guard. Only macros can be invoked in a guard and they must be \
         defined before their invocation"
    )
}

//! `defmodule` and what stands inside: functions with clauses, guards and defaults, structs, delegates.
//!
//! Promises that every function of the module can call every other, wherever it stands.
#![forbid(unsafe_code)]

use super::forms::Form;
use super::{Compiled, Compiler, Declared, ModuleState, Unit};
use crate::lang::ast::{At, CallExpr, Expr, Kind};
use crate::lang::exception::module_text;
use crate::lang::node::{FunctionNode, Lambda, ModuleNode, Node, StructNode};
use crate::lang::parse::SyntaxError;
use std::sync::{Arc, OnceLock};
use wharf::term::{Atom, Term};

/// `name(arguments) when guard`, taken apart.
struct Head {
    name: String,
    args: Vec<Expr>,
    /// How many of the arguments have defaults.
    defaults: usize,
    guard: Option<Expr>,
}

impl Compiler<'_> {
    pub(super) fn defmodule(&mut self, form: &Form) -> Compiled<Node> {
        let at = form.at;
        let [name] = form.args.as_slice() else {
            return Err(SyntaxError::meaning(
                at,
                "defmodule needs a name and a do block",
            ));
        };
        let body = form.body("do")?;
        let name = self.define_name(name)?;
        // What is wrong inside a module comes out when the module is defined, after what stands before it has run.
        match self.module_body(name, &body, at) {
            Ok(node) => Ok(node),
            Err(error) if error.sort == crate::lang::parse::Fault::Unsupported => Err(error),
            Err(error) => Ok(Node::Refused(format!(
                "{}:{}: {}",
                self.file, error.at.line, error.reason
            ))),
        }
    }

    /// A module inside another gets its name in front, and an alias for the short name.
    fn define_name(&mut self, name: &Expr) -> Compiled<Atom> {
        let (Kind::Alias(short), Some(outer)) = (&name.kind, self.env.module) else {
            return self.module_expr(name);
        };
        let full = format!("{}.{short}", outer.as_str());
        let first = short.split('.').next().unwrap_or(short);
        self.add_alias(first, &format!("{}.{first}", outer.as_str()));
        Atom::try_new(&full).map_err(|_| SyntaxError::wrong(name.at, "this name is too long"))
    }

    fn module_body(&mut self, name: Atom, body: &Expr, at: At) -> Compiled<Node> {
        let env = self.env.clone();
        let names = self.unit().names.clone();
        self.env.module = Some(name);
        self.env.function = None;
        self.modules.push(ModuleState::default());
        let result = self.inside_module(body);
        let state = self.modules.pop().unwrap_or_default();
        self.env = env;
        self.unit().names = names;
        let body = result?;
        let (functions, structure) = self.finish_module(name, state)?;
        let exports = functions.iter().filter(|function| function.public);
        let exports = exports
            .map(|function| (function.name.as_str().to_owned(), function.lambda.arity))
            .collect();
        self.defined.insert(name, exports);
        Ok(Node::DefModule(Box::new(ModuleNode {
            name,
            body,
            functions,
            structure,
            line: at.line,
        })))
    }

    fn inside_module(&mut self, body: &Expr) -> Compiled<Node> {
        let items: &[Expr] = match &body.kind {
            Kind::Block(items) => items,
            _ => std::slice::from_ref(body),
        };
        for item in items {
            if let Kind::Call(call) = &item.kind {
                self.declare(call, item.at)?;
            }
        }
        self.block(items, false)
    }

    /// Notes a definition before anything is compiled, so that calls find it.
    fn declare(&mut self, call: &CallExpr, at: At) -> Compiled<()> {
        let is_guard = call.name.starts_with("defguard");
        let public = matches!(call.name.as_str(), "def" | "defguard" | "defdelegate");
        if !public && !matches!(call.name.as_str(), "defp" | "defguardp") {
            return Ok(());
        }
        let Some(head) = call.args.first() else {
            return Ok(());
        };
        let head = head_of(head)?;
        let arity = head.args.len();
        let Some(state) = self.modules.last_mut() else {
            return Ok(());
        };
        for arity in arity - head.defaults..=arity {
            let key = (head.name.clone(), arity);
            if !state.functions.contains_key(&key) {
                state.order.push(key.clone());
                let cell = Arc::new(OnceLock::new());
                let (clauses, line) = (Vec::new(), at.line);
                state.functions.insert(
                    key,
                    Declared {
                        cell,
                        public,
                        is_guard,
                        clauses,
                        slots: arity,
                        line,
                        defined: false,
                    },
                );
            }
        }
        Ok(())
    }

    fn finish_module(
        &mut self,
        name: Atom,
        state: ModuleState,
    ) -> Compiled<(Vec<FunctionNode>, Option<StructNode>)> {
        let mut functions = Vec::new();
        let mut declared = state.functions;
        for key in state.order {
            let Some(function) = declared.remove(&key) else {
                continue;
            };
            if !function.defined {
                let at = At {
                    line: function.line,
                    column: 1,
                };
                return Err(SyntaxError::meaning(
                    at,
                    format!(
                        "implementation not provided for predefined def {}/{}",
                        key.0, key.1
                    ),
                ));
            }
            let lambda = Arc::new(Lambda {
                module: Some(name),
                name: key.0.as_str().into(),
                arity: key.1,
                file: self.file.clone(),
                line: function.line,
                slots: function.slots,
                captures: Vec::new(),
                clauses: function.clauses,
            });
            let _ = function.cell.set(lambda.clone());
            functions.push(FunctionNode {
                name: Atom::new(&key.0),
                lambda,
                public: function.public,
            });
        }
        Ok((functions, state.structure))
    }

    /// `def`, `defp` and their relatives.
    pub(super) fn definition(
        &mut self,
        what: &str,
        form: &Form,
        call: &CallExpr,
    ) -> Compiled<Node> {
        let at = form.at;
        if self.modules.is_empty() {
            return Err(SyntaxError::meaning(
                at,
                format!("cannot invoke {what}/2 outside module"),
            ));
        }
        if self.env.function.is_some() {
            return Err(SyntaxError::meaning(
                at,
                format!("cannot invoke {what}/2 inside function/macro"),
            ));
        }
        match what {
            "defstruct" | "defexception" => return self.structure(what, call, at),
            _ => {}
        }
        let Some(head) = form.args.first() else {
            return Err(SyntaxError::meaning(at, format!("{what} needs a name")));
        };
        // `defguard` and `def` inside other forms were not seen before.
        self.declare(call, at)?;
        let mut head = head_of(head)?;
        let name = head.name.clone();
        let body = match what {
            "defguard" | "defguardp" => head.guard.take(),
            "defdelegate" => Some(delegate(&head, form)?),
            _ if form.sections.iter().any(|(section, _)| *section != "do") => {
                Some(implicit_try(form))
            }
            _ if form.section("do").is_some() => Some(form.body("do")?),
            // A head alone declares defaults for the clauses that follow.
            _ => None,
        };
        self.defaults(&head, at)?;
        let plain: Vec<Expr> = head
            .args
            .iter()
            .map(|arg| without_default(arg).clone())
            .collect();
        let Some(body) = body else {
            return Ok(Node::Const(Term::atom("nil")));
        };
        let arity = plain.len();
        self.env.function = Some((name.clone(), arity));
        let slots = self
            .modules
            .last()
            .and_then(|state| state.functions.get(&(name.clone(), arity)))
            .map_or(arity, |f| f.slots);
        self.units.push(Unit {
            slots,
            barrier: true,
            ..Unit::default()
        });
        let clause = self.function_clause(&plain, head.guard.as_ref(), &body);
        let slots = self.units.pop().map_or(slots, |unit| unit.slots);
        self.env.function = None;
        let clause = clause?;
        if let Some(function) = self
            .modules
            .last_mut()
            .and_then(|state| state.functions.get_mut(&(name.clone(), arity)))
        {
            if !function.defined {
                function.line = at.line;
            }
            function.defined = true;
            function.slots = slots;
            function.clauses.push(clause);
        }
        Ok(Node::Const(Term::tuple([
            Term::atom(&name),
            Term::from(arity),
        ])))
    }

    /// Shorter versions of a function with defaults call the long one.
    fn defaults(&mut self, head: &Head, at: At) -> Compiled<()> {
        let arity = head.args.len();
        for missing in 1..=head.defaults {
            // The last `missing` defaults apply.
            let mut to_fill = missing;
            let mut given = Vec::new();
            let mut args = Vec::new();
            for (index, arg) in head.args.iter().enumerate().rev() {
                match &arg.kind {
                    Kind::Binary("\\\\", _, default) if to_fill > 0 => {
                        to_fill -= 1;
                        args.push((**default).clone());
                    }
                    _ => {
                        let variable =
                            Expr::new(arg.at, Kind::Variable(format!("argument {index}")));
                        given.push(variable.clone());
                        args.push(variable);
                    }
                }
            }
            given.reverse();
            args.reverse();
            let call = CallExpr {
                name: head.name.clone(),
                args,
                parentheses: true,
                sections: Vec::new(),
            };
            let body = Expr::new(at, Kind::Call(Box::new(call)));
            self.env.function = Some((head.name.clone(), arity - missing));
            self.units.push(Unit {
                slots: given.len(),
                barrier: true,
                ..Unit::default()
            });
            let clause = self.function_clause(&given, None, &body);
            let slots = self.units.pop().map_or(arity, |unit| unit.slots);
            self.env.function = None;
            let clause = clause?;
            let key = (head.name.clone(), arity - missing);
            if let Some(function) = self
                .modules
                .last_mut()
                .and_then(|state| state.functions.get_mut(&key))
            {
                function.defined = true;
                function.slots = slots;
                function.clauses.push(clause);
            }
        }
        Ok(())
    }

    fn structure(&mut self, what: &str, call: &CallExpr, at: At) -> Compiled<Node> {
        let fields = match call.args.first() {
            Some(fields) => self.expr(fields, false)?,
            None => Node::Const(Term::Nil),
        };
        let enforced = match self
            .modules
            .last()
            .and_then(|state| state.attributes.get("enforce_keys"))
        {
            Some(super::Attribute::Known(keys)) => keys
                .to_list_vec()
                .unwrap_or_default()
                .iter()
                .filter_map(Term::as_atom)
                .collect(),
            _ => Vec::new(),
        };
        let is_exception = what == "defexception";
        let module = self.env.module;
        let Some(state) = self.modules.last_mut() else {
            return Ok(fields);
        };
        if state.structure.is_some() {
            let name = module.map(module_text).unwrap_or_default();
            return Err(SyntaxError::meaning(
                at,
                format!(
                    "defstruct has already been called for {name}, defstruct can only be called once per module"
                ),
            ));
        }
        state.structure = Some(StructNode {
            fields,
            is_exception,
            enforced,
        });
        Ok(Node::Const(Term::atom("nil")))
    }
}

fn head_of(head: &Expr) -> Compiled<Head> {
    let (head, guard) = match &head.kind {
        Kind::Binary("when", head, guard) => (&**head, Some((**guard).clone())),
        _ => (head, None),
    };
    let (name, args) = match &head.kind {
        Kind::Call(call) => (call.name.clone(), call.args.clone()),
        Kind::Variable(name) => (name.clone(), Vec::new()),
        Kind::Binary(operator, ..) | Kind::Unary(operator, _) => {
            return Err(SyntaxError::unsupported(
                head.at,
                &format!("a definition of the operator `{operator}`"),
            ));
        }
        _ => {
            return Err(SyntaxError::meaning(
                head.at,
                "invalid syntax in def: a function's name and arguments belong here",
            ));
        }
    };
    let defaults = args
        .iter()
        .filter(|arg| matches!(arg.kind, Kind::Binary("\\\\", ..)))
        .count();
    Ok(Head {
        name,
        args,
        defaults,
        guard,
    })
}

fn without_default(arg: &Expr) -> &Expr {
    match &arg.kind {
        Kind::Binary("\\\\", arg, _) => arg,
        _ => arg,
    }
}

/// `def f(x) do … rescue … end` is a `try` around the body.
fn implicit_try(form: &Form) -> Expr {
    let sections = form
        .sections
        .iter()
        .map(|(name, body)| crate::lang::ast::Section {
            name,
            body: body.clone(),
        })
        .collect();
    let call = CallExpr {
        name: "try".to_owned(),
        args: Vec::new(),
        parentheses: false,
        sections,
    };
    Expr::new(form.at, Kind::Call(Box::new(call)))
}

/// `defdelegate name(args), to: Module, as: other`.
fn delegate(head: &Head, form: &Form) -> Compiled<Expr> {
    let options = form
        .args
        .get(1)
        .and_then(Expr::keywords)
        .unwrap_or_default();
    let option = |name: &str| {
        options
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).clone())
    };
    let Some(target) = option("to") else {
        return Err(SyntaxError::meaning(
            form.at,
            "expected to: to be given as argument",
        ));
    };
    let name = match option("as").map(|name| name.kind) {
        Some(Kind::Literal(Term::Atom(name))) => name.as_str().to_owned(),
        _ => head.name.clone(),
    };
    let args = head
        .args
        .iter()
        .map(|arg| without_default(arg).clone())
        .collect();
    let call = CallExpr {
        name,
        args,
        parentheses: true,
        sections: Vec::new(),
    };
    Ok(Expr::new(
        form.at,
        Kind::Remote(Box::new(target), Box::new(call)),
    ))
}

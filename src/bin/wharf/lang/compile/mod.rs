//! Tree to code: variables become slots, names become functions, special forms become nodes.
//!
//! Relies on `ast` and on what the world already defines. Promises code in which every name means something, or a
//! [`SyntaxError`] in the words of Elixir's compiler.
#![forbid(unsafe_code)]

mod bits;
mod calls;
mod capture;
mod control;
mod expr;
mod forms;
mod loops;
mod module;
mod operate;
mod path;
mod pattern;

use super::ast::{Clause as SourceClause, Expr};
use super::node::{AttributeCell, Clause, FunctionCell, Lambda, Node, Slot};
use super::parse::SyntaxError;
use super::world::World;
use std::collections::HashMap;
use std::sync::Arc;
use wharf::term::{Atom, Term};

type Compiled<T> = Result<T, SyntaxError>;

/// Variable names and where they live.
type Names = HashMap<String, Slot>;

/// One function, `fn`, or file on its way.
#[derive(Default)]
struct Unit {
    names: Names,
    slots: usize,
    captures: Vec<(Slot, Slot)>,
    /// A named function: variables around it are out of reach.
    barrier: bool,
    /// Inside a `&(…)`.
    is_capture: bool,
    /// Inside `rescue` or `catch`, where `__STACKTRACE__` means something.
    handles: bool,
    /// Inside a guard: only some functions may be called.
    in_guard: bool,
}

/// `import Module, only: […]`.
#[derive(Clone)]
struct Import {
    module: Atom,
    only: Option<Vec<(String, usize)>>,
    except: Vec<(String, usize)>,
}

/// What the surrounding text has said about names.
#[derive(Clone, Default)]
struct Env {
    module: Option<Atom>,
    function: Option<(String, usize)>,
    aliases: HashMap<String, String>,
    imports: Vec<Import>,
}

/// An attribute's present value: known, or known when the module's body has run that far.
#[derive(Clone)]
enum Attribute {
    Known(Term),
    Cell(AttributeCell),
}

/// A function that the module being compiled defines somewhere.
struct Declared {
    cell: FunctionCell,
    public: bool,
    /// Made by `defguard`, so guards may call it.
    is_guard: bool,
    clauses: Vec<Clause>,
    slots: usize,
    line: u32,
    defined: bool,
}

/// The module being compiled.
#[derive(Default)]
struct ModuleState {
    functions: HashMap<(String, usize), Declared>,
    order: Vec<(String, usize)>,
    attributes: HashMap<String, Attribute>,
    structure: Option<super::node::StructNode>,
}

/// What a file or prompt brings along from earlier evaluations, and leaves for later ones.
#[derive(Clone, Default)]
pub(crate) struct Bindings {
    /// The variables' names, in the order of their slots.
    pub(crate) names: Vec<String>,
    env: Env,
}

/// Compiled code of a file or prompt.
pub(crate) struct Program {
    pub(crate) lambda: Arc<Lambda>,
    /// The variables afterwards, and their slots.
    pub(crate) variables: Vec<(String, Slot)>,
    pub(crate) bindings: Bindings,
    /// What deserves a word on standard error, with its line.
    pub(crate) warnings: Vec<(String, u32)>,
}

/// Why there is no code, and what was odd before.
pub(crate) type Refused = (SyntaxError, Vec<(String, u32)>);

/// Compiles the expressions of a file or a prompt.
pub(crate) fn compile(
    world: &World,
    file: &Arc<str>,
    tree: &Expr,
    bindings: &Bindings,
) -> Result<Program, Refused> {
    let mut unit = Unit::default();
    for name in &bindings.names {
        unit.names.insert(name.clone(), unit.slots);
        unit.slots += 1;
    }
    let mut compiler = Compiler {
        world,
        file: file.clone(),
        units: vec![unit],
        env: bindings.env.clone(),
        modules: Vec::new(),
        warnings: Vec::new(),
        defined: HashMap::new(),
    };
    let body = match compiler.expr(tree, false) {
        Ok(body) => body,
        Err(error) => return Err((error, compiler.warnings)),
    };
    let unit = compiler.units.pop().unwrap_or_default();
    let lambda = Arc::new(Lambda {
        module: None,
        name: "(file)".into(),
        arity: 0,
        file: file.clone(),
        line: tree.at.line,
        slots: unit.slots,
        captures: Vec::new(),
        clauses: vec![Clause {
            patterns: Vec::new(),
            guard: None,
            body,
        }],
    });
    let mut variables: Vec<(String, Slot)> = unit.names.into_iter().collect();
    variables.sort();
    let names = variables.iter().map(|(name, _)| name.clone()).collect();
    Ok(Program {
        lambda,
        variables,
        bindings: Bindings {
            names,
            env: compiler.env,
        },
        warnings: compiler.warnings,
    })
}

struct Compiler<'w> {
    world: &'w World,
    file: Arc<str>,
    units: Vec<Unit>,
    env: Env,
    modules: Vec<ModuleState>,
    warnings: Vec<(String, u32)>,
    /// The modules of this text so far, with their public functions: they exist only when it runs.
    defined: HashMap<Atom, Vec<(String, usize)>>,
}

impl Compiler<'_> {
    /// Whether a script defines this module, here or before.
    fn defines(&self, module: Atom) -> bool {
        self.defined.contains_key(&module) || self.world.defines(module)
    }

    fn exports(&self, module: Atom, name: &str, arity: usize) -> bool {
        let here = self.defined.get(&module);
        here.is_some_and(|functions| {
            functions
                .iter()
                .any(|(other, n)| other == name && *n == arity)
        }) || self.world.exports(module, name, arity)
    }

    fn unit(&mut self) -> &mut Unit {
        if self.units.is_empty() {
            self.units.push(Unit::default());
        }
        let last = self.units.len() - 1;
        &mut self.units[last]
    }

    /// A fresh slot in the current function.
    fn fresh(&mut self) -> Slot {
        let unit = self.unit();
        unit.slots += 1;
        unit.slots - 1
    }

    /// The variable's slot in the current function; taken along from outside when that is where it lives.
    fn find(&mut self, name: &str) -> Option<Slot> {
        self.find_in(self.units.len() - 1, name)
    }

    fn find_in(&mut self, level: usize, name: &str) -> Option<Slot> {
        if let Some(slot) = self.units[level].names.get(name) {
            return Some(*slot);
        }
        if level == 0 || self.units[level].barrier {
            return None;
        }
        let outer = self.find_in(level - 1, name)?;
        let unit = &mut self.units[level];
        if let Some((_, inner)) = unit.captures.iter().find(|(from, _)| *from == outer) {
            return Some(*inner);
        }
        let inner = unit.slots;
        unit.slots += 1;
        unit.captures.push((outer, inner));
        Some(inner)
    }

    /// Compiles something whose variables stay inside.
    fn scoped<T>(&mut self, inside: impl FnOnce(&mut Self) -> Compiled<T>) -> Compiled<T> {
        let names = self.unit().names.clone();
        let (aliases, imports) = (self.env.aliases.clone(), self.env.imports.clone());
        let result = inside(self);
        self.unit().names = names;
        self.env.aliases = aliases;
        self.env.imports = imports;
        result
    }

    /// Compiles clauses with one pattern each.
    fn clauses(
        &mut self,
        clauses: &[SourceClause],
        arity: usize,
        tail: bool,
    ) -> Compiled<Vec<Clause>> {
        clauses
            .iter()
            .map(|clause| self.clause(clause, arity, tail))
            .collect()
    }

    fn clause(&mut self, clause: &SourceClause, arity: usize, tail: bool) -> Compiled<Clause> {
        if clause.patterns.len() != arity {
            let reason = format!(
                "expected {arity} argument{} before ->",
                if arity == 1 { "" } else { "s" }
            );
            return Err(SyntaxError::meaning(clause.at, reason));
        }
        self.scoped(|this| {
            let patterns = this.patterns(&clause.patterns)?;
            let guard = this.guard(clause.guard.as_ref())?;
            let body = this.expr(&clause.body, tail)?;
            Ok(Clause {
                patterns,
                guard,
                body,
            })
        })
    }

    fn guard(&mut self, guard: Option<&Expr>) -> Compiled<Option<Node>> {
        let Some(guard) = guard else { return Ok(None) };
        let outside = std::mem::replace(&mut self.unit().in_guard, true);
        let node = self.expr(guard, false);
        self.unit().in_guard = outside;
        node.map(Some)
    }

    /// The module a name stands for, `alias` applied.
    fn module_named(&self, name: &str) -> Atom {
        let (first, rest) = name
            .split_once('.')
            .map_or((name, None), |(first, rest)| (first, Some(rest)));
        if first == "Elixir" {
            return Atom::new(name);
        }
        let first = self.env.aliases.get(first).map_or(first, String::as_str);
        match rest {
            Some(rest) => Atom::new(&format!("Elixir.{first}.{rest}")),
            None => Atom::new(&format!("Elixir.{first}")),
        }
    }
}

//! What the processes of one script share: its modules, where its output goes, the host its processes live in.
//!
//! Relies on `wharf::host`. Promises that a module is seen whole or not at all.
#![forbid(unsafe_code)]

use super::node::{Lambda, StructNode};
use super::throw::Throw;
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use wharf::host::Host;
use wharf::term::{Atom, Map, Term, atom};

/// Where `IO.puts` and its like write.
#[derive(Clone, Default)]
pub(crate) enum Output {
    /// The command's own standard output.
    #[default]
    Standard,
    /// Kept for a transcript to look at.
    Captured(Arc<Mutex<Vec<u8>>>),
    /// A terminal on which a line is being edited.
    Screen(Print),
}

/// Prints above a line being edited.
pub(crate) type Print = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// A module that a script defined.
pub(crate) struct Module {
    pub(crate) name: Atom,
    /// Public functions by name and arity.
    pub(crate) functions: HashMap<(Atom, usize), Arc<Lambda>>,
    /// A struct's fields with their defaults, `__struct__` included.
    pub(crate) structure: Option<Structure>,
}

/// What `defstruct` said.
#[derive(Clone)]
pub(crate) struct Structure {
    pub(crate) defaults: Map,
    pub(crate) enforced: Vec<Atom>,
    pub(crate) is_exception: bool,
}

/// The fields of every struct, in the order their modules declared them, which is how they are shown. Worlds share it:
/// text is made without one.
static FIELD_ORDER: LazyLock<RwLock<HashMap<Atom, Arc<[Atom]>>>> = LazyLock::new(RwLock::default);

/// The struct's fields in the order of `defstruct`, for a module of some script.
pub(crate) fn field_order(module: Atom) -> Option<Arc<[Atom]>> {
    FIELD_ORDER
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&module)
        .cloned()
}

/// One script's world. Cheap to clone.
#[derive(Clone)]
pub(crate) struct World {
    inner: Arc<Inner>,
}

struct Inner {
    host: Host,
    modules: RwLock<HashMap<Atom, Arc<Module>>>,
    output: Output,
    arguments: Vec<String>,
    /// The status that a transcript wanted to end with.
    halted: OnceLock<i32>,
}

impl World {
    /// A world in a host. `arguments` are the script's own (`System.argv/0`).
    pub(crate) fn new(host: Host, output: Output, arguments: Vec<String>) -> World {
        World {
            inner: Arc::new(Inner {
                host,
                modules: RwLock::default(),
                output,
                arguments,
                halted: OnceLock::new(),
            }),
        }
    }

    /// Notes that a transcript wants to end with a status; false where ending is the program's own affair.
    pub(crate) fn halt(&self, status: i32) -> bool {
        let captured = matches!(self.inner.output, Output::Captured(_));
        if captured {
            self.inner.halted.get_or_init(|| status);
        }
        captured
    }

    /// The status that a transcript wanted to end with.
    pub(crate) fn halted(&self) -> Option<i32> {
        self.inner.halted.get().copied()
    }

    pub(crate) fn arguments(&self) -> &[String] {
        &self.inner.arguments
    }

    pub(crate) fn host(&self) -> &Host {
        &self.inner.host
    }

    /// Writes to standard output, or to where it is captured.
    pub(crate) fn write(&self, text: &[u8]) {
        match &self.inner.output {
            Output::Captured(kept) => lock(kept).extend_from_slice(text),
            Output::Screen(print) => print(text),
            Output::Standard => {
                let mut out = std::io::stdout().lock();
                // A closed standard output is no reason to fail, as in Erlang.
                let _ = out.write_all(text).and_then(|()| out.flush());
            }
        }
    }

    /// Writes to standard error, after what is on its way to standard output.
    pub(crate) fn complain(&self, text: &str) {
        if let Output::Screen(print) = &self.inner.output {
            return print(text.as_bytes());
        }
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }

    /// Makes a module's functions callable, in place of an earlier module of that name.
    pub(crate) fn define(&self, module: Module) {
        let mut modules = self
            .inner
            .modules
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        modules.insert(module.name, Arc::new(module));
    }

    pub(crate) fn module(&self, name: Atom) -> Option<Arc<Module>> {
        self.inner
            .modules
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&name)
            .cloned()
    }

    pub(crate) fn defines(&self, name: Atom) -> bool {
        self.module(name).is_some()
    }

    /// A public function of a script's module.
    pub(crate) fn function(&self, module: Atom, name: Atom, arity: usize) -> Option<Arc<Lambda>> {
        let modules = self
            .inner
            .modules
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        modules.get(&module)?.functions.get(&(name, arity)).cloned()
    }

    pub(crate) fn exports(&self, module: Atom, name: &str, arity: usize) -> bool {
        Atom::existing(name).is_some_and(|name| self.function(module, name, arity).is_some())
    }

    /// The modules that scripts have defined, with their public functions, for completion and help.
    pub(crate) fn modules(&self) -> Vec<Arc<Module>> {
        let modules = self
            .inner
            .modules
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        modules.values().cloned().collect()
    }
}

impl Structure {
    /// The struct of these evaluated fields.
    pub(crate) fn new(module: Atom, node: &StructNode, fields: &Term) -> Result<Structure, Throw> {
        let mut defaults = Map::new();
        defaults.insert(Term::atom("__struct__"), Term::Atom(module));
        if node.is_exception {
            defaults.insert(Term::atom("__exception__"), Term::from(true));
        }
        let mut order = Vec::new();
        let refuse = || Throw::argument_error("struct fields definition must be list");
        for field in fields.to_list_vec().ok_or_else(refuse)? {
            let (key, value) = match &field {
                Term::Atom(_) => (field.clone(), Term::Atom(atom::NIL)),
                Term::Tuple(pair) if pair.len() == 2 => (pair[0].clone(), pair[1].clone()),
                _ => (Term::Nil, Term::Nil),
            };
            let Term::Atom(name) = key else {
                return Err(Throw::argument_error("struct field names must be atoms"));
            };
            order.push(name);
            defaults.insert(key, value);
        }
        FIELD_ORDER
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(module, order.into());
        Ok(Structure {
            defaults,
            enforced: node.enforced.clone(),
            is_exception: node.is_exception,
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The standard library: the functions scripts find without defining them.
//!
//! Relies on `lang::native` for what a function is, and on `inspect`. Each file holds the functions of a module or of
//! a part of one, and ends in a table of them; this file finds a function in the tables. Completion and help read them too.
#![forbid(unsafe_code)]

use crate::lang::native::Native;
use crate::lang::{builtins, task};
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;
use wharf::term::Atom;

mod access;
mod argument;
mod base;
mod binary;
mod charlist;
mod clock;
mod code;
mod command;
mod convert;
mod enumeration;
mod environment;
mod erlang;
mod executable;
mod file;
mod format;
mod integer;
mod io;
mod kernel;
mod keyword;
mod list;
mod lists;
mod map;
mod mapset;
mod math;
mod number;
mod path;
mod port;
mod process;
mod prompt;
mod system;
mod text;
mod values;

/// A function of the library.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) arity: usize,
    pub(crate) run: Native,
    /// How it is called, and a sentence on what it does.
    pub(crate) help: &'static str,
}

/// A table of functions: `"name"/arity => function, "help";`.
macro_rules! table {
    ($($name:literal / $arity:literal => $run:expr, $help:literal;)*) => {
        &[$($crate::stdlib::Entry { name: $name, arity: $arity, run: $run, help: $help }),*]
    };
}
pub(crate) use table;

/// Every module and its tables. Module names are whole atoms.
const MODULES: &[(&str, &[&[Entry]])] = &[
    ("Elixir.Access", &[access::TABLE]),
    ("Elixir.Atom", &[values::ATOM]),
    ("Elixir.Base", &[base::TABLE]),
    ("Elixir.Bitwise", &[integer::BITWISE]),
    ("Elixir.Code", &[values::CODE]),
    (
        "Elixir.Enum",
        &[
            enumeration::build::TABLE,
            enumeration::order::TABLE,
            enumeration::reduce::TABLE,
            enumeration::search::TABLE,
            enumeration::shape::TABLE,
            enumeration::slice::TABLE,
        ],
    ),
    (
        "Elixir.Exception",
        &[builtins::EXCEPTION, values::EXCEPTION],
    ),
    ("Elixir.File", &[file::TABLE]),
    ("Elixir.Float", &[integer::FLOAT]),
    ("Elixir.Function", &[values::FUNCTION]),
    ("Elixir.IO", &[io::TABLE]),
    ("Elixir.IO.ANSI", &[io::ANSI]),
    ("Elixir.Integer", &[integer::INTEGER]),
    (
        "Elixir.Kernel",
        &[
            builtins::KERNEL,
            builtins::SPAWN,
            kernel::SHARED,
            kernel::TABLE,
            prompt::TABLE,
        ],
    ),
    ("Elixir.Keyword", &[keyword::TABLE]),
    ("Elixir.List", &[list::TABLE]),
    ("Elixir.Map", &[map::TABLE]),
    ("Elixir.MapSet", &[mapset::TABLE]),
    ("Elixir.Module", &[values::MODULE]),
    ("Elixir.Node", &[values::NODE]),
    ("Elixir.Path", &[path::TABLE]),
    ("Elixir.Port", &[port::TABLE]),
    ("Elixir.Process", &[process::TABLE]),
    ("Elixir.Range", &[values::RANGE]),
    ("Elixir.Stream", &[enumeration::stream::TABLE]),
    (
        "Elixir.String",
        &[
            text::change::TABLE,
            text::grapheme::TABLE,
            text::pattern::TABLE,
        ],
    ),
    (
        "Elixir.System",
        &[
            clock::SYSTEM,
            command::SYSTEM,
            environment::SYSTEM,
            executable::SYSTEM,
            system::TABLE,
        ],
    ),
    ("Elixir.Task", &[task::TABLE]),
    ("Elixir.Tuple", &[values::TUPLE]),
    ("binary", &[binary::TABLE]),
    ("code", &[code::TABLE]),
    ("erl_ddll", &[port::DRIVERS]),
    (
        "erlang",
        &[
            builtins::SPAWN,
            kernel::SHARED,
            erlang::TABLE,
            process::ERLANG,
            port::ERLANG,
            clock::ERLANG,
            integer::BITWISE,
        ],
    ),
    ("file", &[file::ERLANG]),
    ("filelib", &[file::FILELIB]),
    ("filename", &[path::ERLANG]),
    ("io", &[io::ERLANG]),
    ("io_lib", &[format::TABLE]),
    ("lists", &[lists::TABLE]),
    ("maps", &[map::ERLANG]),
    ("math", &[math::MATH]),
    (
        "os",
        &[command::OS, environment::OS, executable::OS, system::OS],
    ),
    ("rand", &[math::RAND]),
    ("string", &[charlist::TABLE]),
    ("timer", &[math::TIMER]),
];

type Functions = BTreeMap<(&'static str, usize), &'static Entry>;

static INDEX: LazyLock<HashMap<Atom, Functions>> = LazyLock::new(|| {
    let mut index: HashMap<Atom, Functions> = HashMap::new();
    for (module, tables) in MODULES {
        let functions = index.entry(Atom::new(module)).or_default();
        for entry in tables.iter().copied().flatten() {
            functions.insert((entry.name, entry.arity), entry);
        }
    }
    index
});

/// The function `module.function/arity`, if the standard library has it. `module` is the whole atom: `:erlang`,
/// `:"Elixir.Enum"`.
pub(crate) fn lookup(module: Atom, function: &str, arity: usize) -> Option<Native> {
    let functions: &BTreeMap<(&str, usize), &'static Entry> = INDEX.get(&module)?;
    functions.get(&(function, arity)).map(|entry| entry.run)
}

/// The modules of the library, whole atoms' names, in the alphabet's order.
pub(crate) fn modules() -> Vec<&'static str> {
    let mut names: Vec<&str> = MODULES.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names
}

/// The functions of a module by name and arity; empty for a module the library does not have.
pub(crate) fn functions(module: Atom) -> Vec<&'static Entry> {
    INDEX
        .get(&module)
        .map(|functions| functions.values().copied().collect())
        .unwrap_or_default()
}

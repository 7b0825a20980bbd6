//! Exceptions: Erlang's reasons as Elixir's structs, the structs' defaults, and how they read.
//!
//! Relies on `inspect` for messages. Promises what `Exception.normalize/3` gives.
#![forbid(unsafe_code)]

use super::context::Context;
use super::throw::Throw;
use wharf::term::{Atom, Map, Term, atom};

/// A module as Elixir writes it: `Foo.Bar`, `:erlang`.
pub(crate) fn module_text(module: Atom) -> String {
    crate::inspect::inspect(&Term::Atom(module))
}

/// The exceptions that come with the language, with their fields.
fn fields(name: &str) -> Option<Vec<(&'static str, Term)>> {
    let nil = || Term::Atom(atom::NIL);
    let message = |text: &str| vec![("message", Term::from(text))];
    Some(match name {
        "RuntimeError" => message("runtime error"),
        "ArgumentError" => message("argument error"),
        "ArithmeticError" => message("bad argument in arithmetic expression"),
        "SystemLimitError" => message("a system limit has been reached"),
        "UnicodeConversionError" => vec![("encoded", nil()), ("message", nil())],
        "SyntaxError" | "TokenMissingError" | "CompileError" => {
            vec![
                ("file", nil()),
                ("line", nil()),
                ("description", Term::from("expression is incomplete")),
            ]
        }
        "KeyError" => vec![("key", nil()), ("term", nil()), ("message", nil())],
        "MatchError" | "CaseClauseError" | "WithClauseError" | "TryClauseError" | "BadMapError"
        | "BadFunctionError" => {
            vec![("term", nil())]
        }
        "BadStructError" => vec![("struct", nil()), ("term", nil())],
        "BadBooleanError" => vec![("term", nil()), ("operator", nil())],
        "BadArityError" => vec![("function", nil()), ("args", nil())],
        "CondClauseError" => Vec::new(),
        "ErlangError" => vec![("original", nil()), ("reason", nil())],
        "UndefinedFunctionError" => {
            vec![
                ("module", nil()),
                ("function", nil()),
                ("arity", nil()),
                ("reason", nil()),
                ("message", nil()),
            ]
        }
        "FunctionClauseError" => {
            let names = ["module", "function", "arity", "kind", "args", "clauses"];
            names.into_iter().map(|name| (name, nil())).collect()
        }
        "Protocol.UndefinedError" => vec![
            ("protocol", nil()),
            ("value", nil()),
            ("description", Term::from("")),
        ],
        "Enum.EmptyError" => message("empty error"),
        "Enum.OutOfBoundsError" => message("out of bounds error"),
        "File.Error" => vec![
            ("reason", nil()),
            ("path", Term::from("")),
            ("action", Term::from("")),
        ],
        "System.EnvError" => vec![("env", nil())],
        _ => return None,
    })
}

/// The struct of an exception that comes with the language, or of a range.
pub(crate) fn defaults(module: Atom) -> Option<Map> {
    let name = module.as_str().strip_prefix("Elixir.")?;
    if name == "Range" {
        return super::enumerable::make_range(0, 0, 1).as_map().cloned();
    }
    let mut map = Map::new();
    map.insert(Term::atom("__struct__"), Term::Atom(module));
    map.insert(Term::atom("__exception__"), Term::from(true));
    for (key, value) in fields(name)? {
        map.insert(Term::atom(key), value);
    }
    Some(map)
}

/// `module.exception(argument)`: what `raise module, argument` raises.
pub(crate) fn build(context: &mut Context, module: Atom, argument: &Term) -> Result<Term, Throw> {
    let Some(mut map) = defaults(module) else {
        return context.call(module, "exception", vec![argument.clone()]);
    };
    match argument {
        Term::Binary(_) => {
            map.insert(Term::atom("message"), argument.clone());
        }
        _ => {
            for pair in argument.to_list_vec().unwrap_or_default() {
                if let Term::Tuple(pair) = &pair
                    && pair.len() == 2
                {
                    map.insert(pair[0].clone(), pair[1].clone());
                }
            }
        }
    }
    Ok(Term::Map(map))
}

/// Whether the term is an exception's struct.
pub(crate) fn is_exception(term: &Term) -> bool {
    let Term::Map(map) = term else { return false };
    map.get(&Term::atom("__exception__"))
        .is_some_and(Term::is_true)
        && map.contains_key(&Term::atom("__struct__"))
}

/// Whether `rescue` of this module wants the exception.
pub(crate) fn is_of(exception: &Term, module: &Term) -> bool {
    matches!(exception, Term::Map(map) if map.get(&Term::atom("__struct__")) == Some(module))
}

/// What `rescue` binds: exceptions as they are, Erlang's reasons as the exceptions that stand for them.
pub(crate) fn normalize(throw: &Throw) -> Term {
    if is_exception(&throw.reason) {
        return throw.reason.clone();
    }
    let simple = |name: &str, fields: &[(&str, Term)]| exception(name, fields);
    if let Term::Atom(reason) = &throw.reason {
        return match reason.as_str() {
            "badarg" => simple(
                "ArgumentError",
                &[("message", Term::from(argument_message(throw).as_str()))],
            ),
            "badarith" => simple("ArithmeticError", &[]),
            "system_limit" => simple("SystemLimitError", &[]),
            "cond_clause" => simple("CondClauseError", &[]),
            "undef" => about_call(throw, "UndefinedFunctionError"),
            "function_clause" => about_call(throw, "FunctionClauseError"),
            _ => simple("ErlangError", &[("original", throw.reason.clone())]),
        };
    }
    let parts: &[Term] = match &throw.reason {
        Term::Tuple(tuple) => tuple,
        _ => &[],
    };
    let tag = parts
        .first()
        .and_then(Term::as_atom)
        .map_or("", Atom::as_str);
    match (tag, parts) {
        ("badmatch", [_, term]) => simple("MatchError", &[("term", term.clone())]),
        ("case_clause", [_, term]) => simple("CaseClauseError", &[("term", term.clone())]),
        ("with_clause", [_, term]) => simple("WithClauseError", &[("term", term.clone())]),
        ("try_clause", [_, term]) => simple("TryClauseError", &[("term", term.clone())]),
        ("badmap", [_, term]) => simple("BadMapError", &[("term", term.clone())]),
        ("badfun", [_, term]) => simple("BadFunctionError", &[("term", term.clone())]),
        ("badbool", [_, operator, term]) => simple(
            "BadBooleanError",
            &[("operator", operator.clone()), ("term", term.clone())],
        ),
        ("badkey", [_, key]) => simple("KeyError", &[("key", key.clone())]),
        ("badkey", [_, key, term]) if !matches!(term, Term::Map(_)) => {
            let (key_text, text) = (crate::inspect::inspect(key), crate::inspect::inspect(term));
            let message = format!(
                "key {key_text} not found in: {text}. If you are using the dot syntax, such as map.field, make sure the \
                 left-hand side of the dot is a map"
            );
            let message = Term::from(message.as_str());
            simple(
                "KeyError",
                &[
                    ("key", key.clone()),
                    ("term", term.clone()),
                    ("message", message),
                ],
            )
        }
        ("badkey", [_, key, term]) => {
            simple("KeyError", &[("key", key.clone()), ("term", term.clone())])
        }
        ("badstruct", [_, name, term]) => simple(
            "BadStructError",
            &[("struct", name.clone()), ("term", term.clone())],
        ),
        ("badarg", [_, payload]) => {
            let message = format!("argument error: {}", crate::inspect::inspect(payload));
            simple(
                "ArgumentError",
                &[("message", Term::from(message.as_str()))],
            )
        }
        ("badarity", [_, Term::Tuple(call)]) if call.len() == 2 => simple(
            "BadArityError",
            &[("function", call[0].clone()), ("args", call[1].clone())],
        ),
        _ => simple("ErlangError", &[("original", throw.reason.clone())]),
    }
}

/// "argument error", or which arguments were wrong.
fn argument_message(throw: &Throw) -> String {
    match &throw.detail {
        None => "argument error".to_owned(),
        Some(detail) if !detail.contains(" argument: ") => detail.clone(),
        Some(detail) => {
            let lines: String = detail
                .lines()
                .map(|line| format!("  * {}\n", line.trim()))
                .collect();
            format!("errors were found at the given arguments:\n\n{lines}")
        }
    }
}

fn exception(name: &str, fields: &[(&str, Term)]) -> Term {
    let module = Atom::new(&format!("Elixir.{name}"));
    let mut map = defaults(module).unwrap_or_default();
    for (key, value) in fields {
        map.insert(Term::atom(key), value.clone());
    }
    Term::Map(map)
}

/// An exception about the call that the trace begins with.
fn about_call(throw: &Throw, name: &str) -> Term {
    let Some(call) = throw.trace.first() else {
        return exception(name, &[]);
    };
    let module = call
        .module
        .map_or(Term::atom("elixir_compiler_0"), Term::Atom);
    let function = Atom::try_new(&call.function).unwrap_or(atom::EMPTY);
    exception(
        name,
        &[
            ("module", module),
            ("function", Term::Atom(function)),
            ("arity", Term::from(call.arity)),
        ],
    )
}

/// `Exception.message/1`: what the exception says.
pub(crate) fn message(context: &mut Context, exception: &Term) -> String {
    let module = match exception {
        Term::Map(map) => map.get(&Term::atom("__struct__")).and_then(Term::as_atom),
        _ => None,
    };
    if let Some(module) = module
        && context.world().defines(module)
    {
        return match context.call(module, "message", vec![exception.clone()]) {
            Ok(Term::Binary(text)) => String::from_utf8_lossy(&text).into_owned(),
            Ok(other) => format!(
                "got {} while retrieving the message of {}",
                crate::inspect::inspect(&other),
                module_text(module)
            ),
            Err(_) => format!("the message of {} could not be had", module_text(module)),
        };
    }
    library_message(context, exception)
}

/// What no library module can say about itself: whether a missing function's module is there.
fn library_message(context: &Context, exception: &Term) -> String {
    let Term::Map(map) = exception else {
        return crate::inspect::inspect(exception);
    };
    let field = |name: &str| map.get(&Term::atom(name));
    let name = field("__struct__")
        .and_then(Term::as_atom)
        .map_or("", Atom::as_str);
    match (name, field("function"), field("description")) {
        // Anonymous functions have no name to quote.
        ("Elixir.FunctionClauseError", Some(Term::Atom(function)), _)
            if function.as_str().starts_with("anonymous fn/") =>
        {
            return format!("no function clause matching in {}", function.as_str());
        }
        (
            "Elixir.CompileError" | "Elixir.SyntaxError" | "Elixir.TokenMissingError",
            _,
            Some(Term::Binary(text)),
        ) => {
            return String::from_utf8_lossy(text).into_owned();
        }
        _ => {}
    }
    let is_undefined =
        field("__struct__").is_some_and(|name| name.is_atom("Elixir.UndefinedFunctionError"));
    let own = field("message").is_none_or(|message| message.is_atom("nil"));
    if let (
        true,
        true,
        Some(Term::Atom(module)),
        Some(Term::Atom(function)),
        Some(Term::Int(arity)),
    ) = (
        is_undefined,
        own,
        field("module"),
        field("function"),
        field("arity"),
    ) {
        let (name, call) = (
            module_text(*module),
            format!("{}/{arity}", function.as_str()),
        );
        if module.as_str() == "nil" {
            return format!("function nil.{call} is undefined");
        }
        return match context.world().module(*module) {
            Some(module) => {
                let arities = module
                    .functions
                    .keys()
                    .filter(|(other, _)| other == function)
                    .count();
                let hint = if arities > 0 {
                    alternatives(&module, *function)
                } else {
                    String::new()
                };
                format!("function {name}.{call} is undefined or private{hint}")
            }
            None if super::builtins::knows(*module) => {
                format!("function {name}.{call} is undefined or private")
            }
            None => format!("function {name}.{call} is undefined (module {name} is not available)"),
        };
    }
    crate::inspect::exception::message(exception)
}

fn alternatives(module: &super::world::Module, function: Atom) -> String {
    let mut arities: Vec<usize> = module
        .functions
        .keys()
        .filter(|(name, _)| *name == function)
        .map(|(_, arity)| *arity)
        .collect();
    arities.sort_unstable();
    let lines: String = arities
        .iter()
        .map(|arity| format!("      * {}/{arity}\n", function.as_str()))
        .collect();
    format!(". Did you mean one of:\n\n{lines}")
}

/// `protocol Enumerable not implemented for …`.
pub(crate) fn protocol_undefined(protocol: &str, value: &Term) -> Throw {
    let protocol = Term::atom(&format!("Elixir.{protocol}"));
    Throw::exception(
        "Protocol.UndefinedError",
        &[
            ("protocol", protocol),
            ("value", value.clone()),
            ("description", Term::from("")),
        ],
    )
}

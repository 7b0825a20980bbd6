//! The options of `inspect/2` and `IO.inspect/2`.
//!
//! Relies on terms. Promises Elixir's defaults and names; options it does not know are left alone, as Elixir does.
#![forbid(unsafe_code)]

use super::number::Base;
use wharf::term::Term;

/// Whether something that could be text is shown as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum AsText {
    /// When all of it is printable.
    #[default]
    Infer,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How to show a term.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// How many items of all containers; `None` shows all.
    pub(crate) limit: Option<usize>,
    /// How many characters of each text; `None` shows all.
    pub(crate) printable_limit: Option<usize>,
    /// The width lines are broken at; `None` for no breaking.
    pub(crate) width: Option<usize>,
    /// Whether `inspect/2` breaks lines; `IO.inspect/2` always does.
    pub(crate) pretty: bool,
    pub(crate) charlists: AsText,
    pub(crate) binaries: AsText,
    pub(crate) base: Base,
    /// Whether structs are shown as such, and not as maps.
    pub(crate) structs: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            limit: Some(50),
            printable_limit: Some(4096),
            width: Some(80),
            pretty: false,
            charlists: AsText::Infer,
            binaries: AsText::Infer,
            base: Base::Decimal,
            structs: true,
        }
    }
}

impl Options {
    /// The defaults changed by a keyword list; the error says what was wrong with it.
    pub(crate) fn from_keyword(options: &Term) -> Result<Options, String> {
        let mut result = Options::default();
        let entries = options
            .to_list_vec()
            .ok_or_else(|| format!("expected a keyword list, got: {}", super::inspect(options)))?;
        for entry in &entries {
            let pair = match entry {
                Term::Tuple(pair) if pair.len() == 2 => pair,
                _ => {
                    return Err(format!(
                        "expected a keyword list, got: {}",
                        super::inspect(options)
                    ));
                }
            };
            let Term::Atom(key) = &pair[0] else {
                return Err(format!(
                    "expected a keyword list, got: {}",
                    super::inspect(options)
                ));
            };
            result.set(key.as_str(), &pair[1]);
        }
        Ok(result)
    }

    fn set(&mut self, key: &str, value: &Term) {
        match key {
            "limit" => self.limit = bound(value, Some(50)),
            "printable_limit" => self.printable_limit = bound(value, Some(4096)),
            "width" => self.width = bound(value, Some(80)),
            "pretty" => self.pretty = !(value.is_atom("false") || value.is_atom("nil")),
            "structs" => self.structs = !(value.is_atom("false") || value.is_atom("nil")),
            "charlists" | "char_lists" => self.charlists = as_text(value, "as_charlists"),
            "binaries" => self.binaries = as_text(value, "as_strings"),
            "base" => self.base = base(value),
            _ => {}
        }
    }
}

/// A number of items, or `:infinity`.
fn bound(value: &Term, otherwise: Option<usize>) -> Option<usize> {
    match value {
        Term::Int(number) => usize::try_from(*number).ok().or(Some(0)),
        _ if value.is_atom("infinity") => None,
        _ => otherwise,
    }
}

fn as_text(value: &Term, always: &str) -> AsText {
    if value.is_atom("infer") {
        AsText::Infer
    } else if value.is_atom(always) {
        AsText::Always
    } else {
        AsText::Never
    }
}

fn base(value: &Term) -> Base {
    match value {
        _ if value.is_atom("binary") => Base::Binary,
        _ if value.is_atom("octal") => Base::Octal,
        _ if value.is_atom("hex") => Base::Hexadecimal,
        _ => Base::Decimal,
    }
}

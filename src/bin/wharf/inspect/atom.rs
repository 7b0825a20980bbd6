//! Atoms as Elixir writes them: `:ok`, `nil`, `Foo.Bar`, `:"two words"`, and as keys: `ok:`, `"two words":`.
//!
//! Relies on `text` for escapes. Promises what the reader turns into the same atom.
#![forbid(unsafe_code)]

use super::text::escape;

/// Operators and other special names that need no quotes.
const UNQUOTED: &[&str] = &[
    "%", "%{}", "{}", "<<>>", "...", "..", "..//", ".", "->", "!", "@", "&", "&&", "&&&", "|",
    "||", "|||", "+", "++", "+++", "-", "--", "---", "*", "**", "/", "=", "==", "===", "=~", "!=",
    "!==", "<", ">", "<=", ">=", "<-", "<>", "|>", "<<<", ">>>", "<<~", "~>>", "<~>", "~>", "<~",
    "^", "\\\\",
];

/// The atom of this name, as an expression.
pub(crate) fn inspect(name: &str) -> String {
    match name {
        "nil" | "true" | "false" => name.to_owned(),
        "Elixir" => "Elixir".to_owned(),
        _ => match name.strip_prefix("Elixir.") {
            Some(alias) if is_alias(alias) => alias.to_owned(),
            _ if needs_quotes(name) => format!(":\"{}\"", escape(name.as_bytes(), '"', None).0),
            _ => format!(":{name}"),
        },
    }
}

/// The atom of this name as the key of a keyword list: `name:`.
pub(crate) fn key(name: &str) -> String {
    if needs_quotes(name) || name == "Elixir" {
        format!("\"{}\":", escape(name.as_bytes(), '"', None).0)
    } else {
        format!("{name}:")
    }
}

/// Whether a list or map may use `name:` for a key; module names may not.
pub(crate) fn is_keyword_key(name: &str) -> bool {
    !name.starts_with("Elixir.")
}

/// `Foo.Bar`: the names of an alias, without `Elixir.` before them.
pub(crate) fn is_alias(name: &str) -> bool {
    name.split('.').all(|part| {
        part.starts_with(|first: char| first.is_ascii_uppercase())
            && part
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || character == '_')
    })
}

/// The name of a function after a dot or an ampersand: `size`, `"two words"`, `+`.
pub(crate) fn function(name: &str) -> String {
    if needs_quotes(name) || is_alias(name) {
        format!("\"{}\"", escape(name.as_bytes(), '"', None).0)
    } else {
        name.to_owned()
    }
}

fn needs_quotes(name: &str) -> bool {
    !UNQUOTED.contains(&name) && !is_identifier(name)
}

/// A letter or underscore, then letters, digits, `_` and `@`, then perhaps one `?` or `!`.
fn is_identifier(name: &str) -> bool {
    let body = name.strip_suffix(['?', '!']).unwrap_or(name);
    let mut characters = body.chars();
    let starts = characters
        .next()
        .is_some_and(|first| first == '_' || is_letter(first));
    starts
        && characters.all(|character| {
            character == '_' || character == '@' || is_letter(character) || character.is_numeric()
        })
}

/// Letters an identifier may have; the compatibility letters are not in their normal form.
fn is_letter(character: char) -> bool {
    character.is_alphabetic() && !matches!(character, 'ª' | 'µ' | 'º')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atoms_are_quoted_only_where_needed() {
        for (name, shown) in [
            ("ok", ":ok"),
            ("ok?", ":ok?"),
            ("two words", ":\"two words\""),
            ("Elixir.Foo.Bar", "Foo.Bar"),
            ("Elixir.foo", ":\"Elixir.foo\""),
            ("Foo", ":Foo"),
            ("nil", "nil"),
            ("", ":\"\""),
            ("a\"b", ":\"a\\\"b\""),
            ("+", ":+"),
            ("::", ":\"::\""),
            ("foo@bar", ":foo@bar"),
            ("1a", ":\"1a\""),
            ("日本", ":日本"),
        ] {
            assert_eq!(inspect(name), shown);
        }
        assert_eq!(key("two words"), "\"two words\":");
        assert_eq!(key("nil"), "nil:");
    }
}

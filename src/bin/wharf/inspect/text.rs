//! Text inside quotes: what can be shown as text at all, and how its characters are escaped.
//!
//! Relies on nothing. Promises the escapes of Elixir 1.14.
#![forbid(unsafe_code)]

use std::fmt::Write;

/// `bytes` escaped for a place between `quote`s, and whether everything is there; `limit` bounds the characters.
///
/// Bytes that are no UTF-8 become `\xFF`.
pub(crate) fn escape(bytes: &[u8], quote: char, limit: Option<usize>) -> (String, bool) {
    let mut output = String::with_capacity(bytes.len() + 2);
    let mut left = limit.unwrap_or(usize::MAX);
    for chunk in bytes.utf8_chunks() {
        let mut characters = chunk.valid().chars().peekable();
        while let Some(character) = characters.next() {
            if left == 0 {
                return (output, false);
            }
            left -= 1;
            if character == '#' && characters.peek() == Some(&'{') {
                output.push('\\');
            }
            escape_character(&mut output, character, quote);
        }
        for byte in chunk.invalid() {
            if left == 0 {
                return (output, false);
            }
            left -= 1;
            write!(output, "\\x{byte:02X}").expect("writing to a string");
        }
    }
    (output, true)
}

fn escape_character(output: &mut String, character: char, quote: char) {
    match character {
        '\0' => output.push_str("\\0"),
        '\x07' => output.push_str("\\a"),
        '\x08' => output.push_str("\\b"),
        '\t' => output.push_str("\\t"),
        '\n' => output.push_str("\\n"),
        '\x0B' => output.push_str("\\v"),
        '\x0C' => output.push_str("\\f"),
        '\r' => output.push_str("\\r"),
        '\x1B' => output.push_str("\\e"),
        '\x7F' => output.push_str("\\d"),
        '\\' => output.push_str("\\\\"),
        '\u{FEFF}' => output.push_str("\\uFEFF"),
        _ if character == quote => {
            output.push('\\');
            output.push(quote);
        }
        _ if is_printable(character) => output.push(character),
        _ if character <= '\u{FF}' => {
            write!(output, "\\x{:02X}", u32::from(character)).expect("writing to a string")
        }
        _ => write!(output, "\\x{{{:X}}}", u32::from(character)).expect("writing to a string"),
    }
}

/// `String.printable?/1` of one character.
pub(crate) fn is_printable(character: char) -> bool {
    matches!(
        character,
        ' '..='\x7F' | '\x07'..='\r' | '\x1B' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}'
    )
}

/// `String.printable?/2`: the first `limit` characters are UTF-8 and printable.
pub(crate) fn is_printable_text(bytes: &[u8], limit: Option<usize>) -> bool {
    let limit = limit.unwrap_or(usize::MAX);
    let mut seen = 0;
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if seen == limit {
                return true;
            }
            if !is_printable(character) {
                return false;
            }
            seen += 1;
        }
        if !chunk.invalid().is_empty() {
            return seen == limit;
        }
    }
    true
}

/// `List.ascii_printable?/2` of one element.
pub(crate) fn is_printable_ascii(code: i64) -> bool {
    matches!(code, 32..=126 | 7..=13 | 27)
}

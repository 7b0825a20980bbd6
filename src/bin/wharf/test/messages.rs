//! What `flush()` waits for: the expected messages against those that have arrived.
//!
//! Relies on what Erlang promises about order: messages of one sender arrive in order, messages
//! of different senders in any. Bytes of a program arrive in pieces of any size, so adjacent
//! `{port, {:data, text}}` messages count as one unless the session asked for packets.
#![forbid(unsafe_code)]

use super::names::Names;

/// Whether the boundaries of data messages mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Boundaries {
    /// A stream: they do not.
    Loose,
    /// Packets, or a driver's own messages: they do.
    Exact,
}

/// How far the expected messages have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All are there, and nothing else.
    Complete,
    /// All are there, and others with them.
    Unexpected,
    /// Some are missing; they may still come.
    Waiting,
    /// A message has come where its sender was to send another.
    Conflict,
}

/// Cuts the lines beneath a `flush()` into messages: a message ends where its brackets close.
pub(crate) fn split(lines: &[String]) -> Vec<String> {
    let mut messages = Vec::new();
    let mut message = String::new();
    for line in lines {
        if !message.is_empty() {
            message.push('\n');
        }
        message.push_str(line);
        if open_brackets(&message) <= 0 {
            messages.push(std::mem::take(&mut message));
        }
    }
    if !message.is_empty() {
        messages.push(message);
    }
    messages
}

/// Brackets opened and not closed, outside of strings and charlists.
fn open_brackets(text: &str) -> i64 {
    let mut depth = 0;
    let mut quote = None;
    let mut escaped = false;
    for c in text.chars() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(q), _) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, _) => {}
        }
    }
    depth
}

/// Compares, and keeps the names met on the way.
pub(crate) fn compare(
    names: &mut Names,
    expected: &[String],
    actual: &[String],
    boundaries: Boundaries,
) -> Progress {
    let (expected, mut actual) = match boundaries {
        Boundaries::Loose => (merge(expected), merge(actual)),
        Boundaries::Exact => (expected.to_vec(), actual.to_vec()),
    };
    for message in &expected {
        let heads = heads(&actual);
        let found = heads
            .iter()
            .copied()
            .find(|&at| names.matches(message, &actual[at]));
        if let Some(at) = found {
            actual.remove(at);
            continue;
        }
        let conflict = heads.iter().any(|&at| {
            let head = &actual[at];
            same_sender(names, message, head)
                && !(boundaries == Boundaries::Loose && begins(names, message, head))
        });
        return if conflict {
            Progress::Conflict
        } else {
            Progress::Waiting
        };
    }
    if actual.is_empty() {
        Progress::Complete
    } else {
        Progress::Unexpected
    }
}

/// The messages that are the earliest of their sender.
fn heads(messages: &[String]) -> Vec<usize> {
    let mut senders = Vec::new();
    let mut heads = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let sender = sender(message);
        if !senders.contains(&sender) {
            senders.push(sender);
            heads.push(at);
        }
    }
    heads
}

/// The id of the port or process that a message comes from, where its form tells.
fn sender(message: &str) -> Option<&str> {
    let id = |text: &str| -> Option<(usize, usize)> {
        let start = text.find('#')?;
        Some((start, start + text[start..].find('>')? + 1))
    };
    let rest = message.strip_prefix('{')?.trim_start();
    let rest = if let Some(rest) = rest.strip_prefix(":DOWN,") {
        let (_, reference_end) = id(rest)?;
        &rest[reference_end..]
    } else if let Some(rest) = rest.strip_prefix(":EXIT,") {
        rest
    } else if rest.starts_with('#') {
        rest
    } else {
        return None;
    };
    let (start, end) = id(rest)?;
    Some(&rest[start..end])
}

fn same_sender(names: &Names, expected: &str, actual: &str) -> bool {
    match (sender(expected), sender(actual)) {
        (Some(name), Some(id)) => names.knows(name, id),
        _ => false,
    }
}

/// Whether `actual` is the beginning of the data that `expected` names.
fn begins(names: &Names, expected: &str, actual: &str) -> bool {
    match (data(expected), data(actual)) {
        (Some(whole), Some(part)) => {
            names.knows(whole.port, part.port)
                && whole.quote == part.quote
                && whole.text.starts_with(part.text)
        }
        _ => false,
    }
}

/// `{port, {:data, text}}`, taken apart.
struct Data<'a> {
    port: &'a str,
    quote: char,
    text: &'a str,
}

fn data(message: &str) -> Option<Data<'_>> {
    let rest = message.strip_prefix('{')?;
    let (port, rest) = rest.split_once(", {:data, ")?;
    let text = rest.strip_suffix("}}")?;
    if !port.starts_with("#Port<") || !port.ends_with('>') {
        return None;
    }
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let text = text.strip_prefix(quote)?.strip_suffix(quote)?;
    Some(Data { port, quote, text })
}

/// Joins adjacent data messages of one port.
fn merge(messages: &[String]) -> Vec<String> {
    let mut merged: Vec<String> = Vec::new();
    for message in messages {
        let from = sender(message);
        let before = merged
            .iter_mut()
            .rev()
            .find(|earlier| sender(earlier) == from);
        if let (Some(before), Some(new)) = (before, data(message))
            && let Some(old) = data(before)
            && (old.port, old.quote) == (new.port, new.quote)
        {
            let Data { port, quote, text } = old;
            *before = format!("{{{port}, {{:data, {quote}{text}{}{quote}}}}}", new.text);
            continue;
        }
        merged.push(message.clone());
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(expected: &[&str], actual: &[&str]) -> Progress {
        let strings = |texts: &[&str]| -> Vec<String> { texts.iter().map(|&t| t.into()).collect() };
        let mut names = Names::default();
        assert!(names.matches("[#Port<1>, #Port<2>]", "[#Port<0.1>, #Port<0.2>]"));
        compare(
            &mut names,
            &strings(expected),
            &strings(actual),
            Boundaries::Loose,
        )
    }

    const HELLO: &str = r#"{#Port<1>, {:data, "hello"}}"#;
    const WORLD: &str = r#"{#Port<1>, {:data, "world"}}"#;

    #[test]
    fn pieces_of_a_stream_are_one() {
        let actual = [
            r#"{#Port<0.1>, {:data, "hellowor"}}"#,
            r#"{#Port<0.1>, {:data, "ld"}}"#,
        ];
        assert_eq!(progress(&[HELLO, WORLD], &actual), Progress::Complete);
        assert_eq!(progress(&[HELLO, WORLD], &actual[..1]), Progress::Waiting);
        assert_eq!(progress(&[HELLO], &actual), Progress::Conflict);
    }

    #[test]
    fn senders_may_overtake_each_other_but_not_themselves() {
        let (a, b) = ("{#Port<0.1>, :closed}", "{#Port<0.2>, :closed}");
        let expected = ["{#Port<1>, :closed}", "{#Port<2>, :closed}"];
        assert_eq!(progress(&expected, &[b, a]), Progress::Complete);
        assert_eq!(progress(&expected, &[b]), Progress::Waiting);
        let expected = ["{#Port<1>, :connected}", "{#Port<1>, :closed}"];
        assert_eq!(progress(&expected, &[a]), Progress::Conflict);
    }

    #[test]
    fn what_was_not_expected_is_seen() {
        assert_eq!(
            progress(&[], &["{#Port<0.1>, :closed}"]),
            Progress::Unexpected
        );
        assert_eq!(progress(&[], &[]), Progress::Complete);
        assert_eq!(progress(&[":a"], &[":b"]), Progress::Waiting);
    }

    #[test]
    fn a_message_ends_where_its_brackets_close() {
        let lines = ["{#Port<1>,", " {:data, \"a}\"}}", ":ok"].map(String::from);
        assert_eq!(split(&lines), ["{#Port<1>,\n {:data, \"a}\"}}", ":ok"]);
    }
}

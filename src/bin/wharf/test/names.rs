//! Does an answer say what was expected? Ids by name, line breaks where they fall.
//!
//! Promises: an id such as `#Port<0.5>` in the expectation stands for any id of its kind, one
//! name for one id and one id under one name within a session; a line break matches a line
//! break, a space, or nothing next to a bracket; everything else is compared letter by letter.
#![forbid(unsafe_code)]

use std::collections::HashMap;

/// The names that a session has given to ids so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    meaning: HashMap<String, String>,
    name: HashMap<String, String>,
}

/// What a text is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    /// `#Port<0.5>` and the like: kind and all.
    Id(&'a str),
    /// White space with a line break in it.
    Break,
    Char(char),
}

/// Kinds of which one name means one thing.
const NAMED: [&str; 3] = ["#Port<", "#PID<", "#Reference<"];
/// A function shows where it was made, not which one it is: any will do.
const ANY: &str = "#Function<";

impl Names {
    /// Compares; on a match the names met on the way are kept, otherwise nothing is.
    pub(crate) fn matches(&mut self, expected: &str, actual: &str) -> bool {
        let mut attempt = self.clone();
        let matched = attempt.compare(&pieces(expected), &pieces(actual));
        if matched {
            *self = attempt;
        }
        matched
    }

    fn compare(&mut self, expected: &[Piece<'_>], actual: &[Piece<'_>]) -> bool {
        let (mut e, mut a) = (0, 0);
        loop {
            match (expected.get(e), actual.get(a)) {
                (None, None) => return true,
                (Some(Piece::Id(name)), Some(Piece::Id(id))) => {
                    if !self.same(name, id) {
                        return false;
                    }
                    (e, a) = (e + 1, a + 1);
                }
                (Some(x), Some(y)) if x == y => (e, a) = (e + 1, a + 1),
                (Some(Piece::Break), _) | (_, Some(Piece::Break)) => {
                    let (next_e, next_a) = (past_space(expected, e), past_space(actual, a));
                    let both = next_e > e && next_a > a;
                    if !both
                        && !beside_bracket(expected, e, next_e)
                        && !beside_bracket(actual, a, next_a)
                    {
                        return false;
                    }
                    (e, a) = (next_e, next_a);
                }
                _ => return false,
            }
        }
    }

    fn same(&mut self, name: &str, id: &str) -> bool {
        let kind_end = name.find('<').map_or(name.len(), |at| at + 1);
        let kind = &name[..kind_end];
        if !id.starts_with(kind) {
            return false;
        }
        if kind == ANY || matches!(&name[kind_end..], "...>" | "…>" | "_>") {
            return true;
        }
        match (self.meaning.get(name), self.name.get(id)) {
            (Some(meaning), _) => meaning == id,
            (None, Some(_)) => false,
            (None, None) => {
                self.meaning.insert(name.to_owned(), id.to_owned());
                self.name.insert(id.to_owned(), name.to_owned());
                true
            }
        }
    }

    /// Whether `name` already stands for `id`.
    pub(crate) fn knows(&self, name: &str, id: &str) -> bool {
        self.meaning.get(name).is_some_and(|meaning| meaning == id)
    }

    /// The actual text with ids under the names that the session gave them, for a diff in
    /// which only real differences show.
    pub(crate) fn renamed(&self, actual: &str) -> String {
        let mut text = String::with_capacity(actual.len());
        let mut rest = actual;
        while let Some(id) = next_id(rest) {
            text.push_str(&rest[..id.start]);
            let found = &rest[id.clone()];
            text.push_str(self.name.get(found).map_or(found, String::as_str));
            rest = &rest[id.end..];
        }
        text + rest
    }
}

/// Where the next id stands in `text`.
fn next_id(text: &str) -> Option<std::ops::Range<usize>> {
    text.match_indices('#').find_map(|(start, _)| {
        let rest = &text[start..];
        NAMED
            .iter()
            .chain([&ANY])
            .find(|kind| rest.starts_with(**kind))?;
        let end = rest.find('>')?;
        Some(start..start + end + 1)
    })
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::with_capacity(text.len());
    let mut rest = text.trim();
    while !rest.is_empty() {
        let id = next_id(rest);
        let until = id.as_ref().map_or(rest.len(), |id| id.start);
        plain_pieces(&rest[..until], &mut pieces);
        if let Some(id) = id {
            pieces.push(Piece::Id(&rest[id.clone()]));
            rest = &rest[id.end..];
        } else {
            break;
        }
    }
    pieces
}

fn plain_pieces<'a>(text: &'a str, pieces: &mut Vec<Piece<'a>>) {
    let mut chars = text.char_indices().peekable();
    while let Some(&(start, first)) = chars.peek() {
        if !first.is_whitespace() {
            pieces.push(Piece::Char(first));
            chars.next();
            continue;
        }
        let rest = &text[start..];
        let run = &rest[..rest.len() - rest.trim_start().len()];
        if run.contains('\n') {
            pieces.push(Piece::Break);
        } else {
            pieces.extend(run.chars().map(Piece::Char));
        }
        while chars.next_if(|&(at, _)| at < start + run.len()).is_some() {}
    }
}

/// The first piece at or after `at` that is not white space.
fn past_space(pieces: &[Piece<'_>], at: usize) -> usize {
    let space = |piece: &&Piece<'_>| {
        matches!(piece, Piece::Break) || matches!(piece, Piece::Char(c) if c.is_whitespace())
    };
    at + pieces[at..].iter().take_while(space).count()
}

/// Whether the space in `start..end` follows an opening or precedes a closing bracket.
fn beside_bracket(pieces: &[Piece<'_>], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| pieces.get(at));
    matches!(before, Some(Piece::Char('[' | '{' | '(' | '<')))
        || matches!(pieces.get(end), Some(Piece::Char(']' | '}' | ')' | '>')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_means_one_thing() {
        let mut names = Names::default();
        assert!(names.matches("{#Port<0.1>, :a}", "{#Port<0.7>, :a}"));
        assert!(names.matches("#Port<0.1>", "#Port<0.7>"));
        assert!(!names.matches("#Port<0.1>", "#Port<0.8>"));
        assert!(
            !names.matches("#Port<0.2>", "#Port<0.7>"),
            "one thing, two names"
        );
        assert!(names.matches("#Port<0.2>", "#Port<0.8>"));
        assert!(!names.matches("#PID<0.1.0>", "#Port<0.9>"), "another kind");
    }

    #[test]
    fn a_failed_comparison_names_nothing() {
        let mut names = Names::default();
        assert!(!names.matches("{#Port<0.1>, :a}", "{#Port<0.7>, :b}"));
        assert!(names.matches("#Port<0.1>", "#Port<0.8>"));
    }

    #[test]
    fn functions_and_dots_match_any() {
        let mut names = Names::default();
        assert!(names.matches(
            "[#Function<1>, #Function<1>]",
            "[#Function<2.3/1>, #Function<4>]"
        ));
        assert!(names.matches("[#PID<...>, #PID<…>]", "[#PID<0.1.0>, #PID<0.2.0>]"));
    }

    #[test]
    fn line_breaks_fall_where_they_like_between_words() {
        let mut names = Names::default();
        assert!(names.matches("[\n  1,\n  2\n]", "[1, 2]"));
        assert!(names.matches("[a: 1, b: 2]", "[\n  a: 1,\n  b: 2\n]"));
        assert!(names.matches("<<\n1, 2>>", "<<1, 2>>"));
        assert!(!names.matches("1\n2", "12"));
        assert!(!names.matches("{1,2}", "{1, 2}"));
        assert!(!names.matches("\"a b\"", "\"ab\""));
    }

    #[test]
    fn a_diff_shows_ids_by_their_names() {
        let mut names = Names::default();
        assert!(names.matches("#Port<0.1444>", "#Port<0.5>"));
        assert_eq!(
            names.renamed("{#Port<0.5>, #Port<0.6>}"),
            "{#Port<0.1444>, #Port<0.6>}"
        );
    }
}

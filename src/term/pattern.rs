//! Patterns, as on the left of an arrow in Erlang: terms with variables in them.
//!
//! Variables are read as references that are like no other, so that a pattern is a term, and what
//! holds for reading terms holds for reading patterns. Matching keeps a list of its own, and no
//! depth exhausts the stack.
#![forbid(unsafe_code)]

use super::scan::Scanner;
use super::text::{ParseError, read_all};
use super::{Binary, Reference, Term};

/// A variable in a pattern.
pub(super) struct Variable {
    pub(super) name: String,
    /// What stands for it in the term.
    pub(super) stand_in: Reference,
    /// Of the rest of a binary: what comes before it.
    pub(super) prefix: Option<Binary>,
}

/// A term with variables.
///
/// `_` matches everything; a variable matches anything, but the same wherever it stands again. A map
/// matches when it has the pattern's keys with matching values. The rest of a binary is written
/// `<<"begin", Rest/binary>>`.
///
/// ```
/// use wharf::term::{pattern::Pattern, text::parse};
///
/// let pattern = Pattern::parse("{Port, {data, <<\"log: \", What/binary>>}}").unwrap();
/// let message = parse("{#Port<0.5>, {data, <<\"log: ready\">>}}").unwrap();
/// let bound = pattern.bind(&message).unwrap();
/// assert_eq!(bound[0], ("Port".to_owned(), parse("#Port<0.5>").unwrap()));
/// assert_eq!(bound[1], ("What".to_owned(), parse("<<\"ready\">>").unwrap()));
/// assert!(!pattern.matches(&parse("{#Port<0.5>, eof}").unwrap()));
/// ```
pub struct Pattern {
    term: Term,
    variables: Vec<Variable>,
}

impl Pattern {
    /// Reads a pattern from Erlang text.
    ///
    /// # Errors
    /// It is none; the error says where.
    pub fn parse(text: &str) -> Result<Pattern, ParseError> {
        let mut scanner = Scanner::of_pattern(text);
        let term = read_all(&mut scanner, text)?;
        let variables = scanner.into_variables();
        Ok(Pattern { term, variables })
    }

    /// Whether the term matches.
    pub fn matches(&self, term: &Term) -> bool {
        self.bind(term).is_some()
    }

    /// What the variables are when the term matches, by name and in the order in which they were
    /// bound, those that begin with `_` left out.
    pub fn bind(&self, term: &Term) -> Option<Vec<(String, Term)>> {
        let mut bound: Vec<(String, Term)> = Vec::new();
        let mut left = vec![(self.term.clone(), term.clone())];
        while let Some((pattern, term)) = left.pop() {
            match (&pattern, &term) {
                (Term::Reference(reference), _) => match self.variable(*reference) {
                    Some(variable) => variable.take(&term, &mut bound)?,
                    None => equal(&pattern, &term)?,
                },
                (Term::Tuple(pattern), Term::Tuple(term)) => {
                    if pattern.len() != term.len() {
                        return None;
                    }
                    let pairs = pattern.iter().cloned().zip(term.iter().cloned());
                    left.extend(pairs.rev());
                }
                (Term::List(pattern), Term::List(term)) => {
                    left.push((pattern.tail(), term.tail()));
                    left.push((pattern.head(), term.head()));
                }
                (Term::Map(pattern), Term::Map(term)) => {
                    for (key, value) in pattern.iter() {
                        left.push((value.clone(), term.get(key)?.clone()));
                    }
                }
                _ => equal(&pattern, &term)?,
            }
        }
        Some(bound)
    }

    fn variable(&self, stand_in: Reference) -> Option<&Variable> {
        let mut all = self.variables.iter();
        all.find(|variable| variable.stand_in == stand_in)
    }
}

impl Variable {
    /// Binds the variable, or compares with what it is already.
    fn take(&self, term: &Term, bound: &mut Vec<(String, Term)>) -> Option<()> {
        let value = match &self.prefix {
            None => term.clone(),
            Some(prefix) => {
                let bytes = term.as_binary()?;
                if !bytes.starts_with(prefix) {
                    return None;
                }
                Term::Binary(bytes.slice(prefix.len()..bytes.len()))
            }
        };
        if self.name == "_" {
            return Some(());
        }
        match bound.iter().find(|(name, _)| *name == self.name) {
            Some((_, before)) => equal(before, &value),
            None => {
                bound.push((self.name.clone(), value));
                Some(())
            }
        }
    }
}

fn equal(one: &Term, other: &Term) -> Option<()> {
    (one == other).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::text::parse;

    fn bound(pattern: &str, term: &str) -> Option<String> {
        let pattern = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let bound = pattern.bind(&parse(term).expect("a term"))?;
        let bound = bound.iter().map(|(name, term)| format!("{name}={term}"));
        Some(bound.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn terms_without_variables_match_themselves_exactly() {
        for term in [
            "ok",
            "1",
            "{a,[1|b],#{k => \"v\"}}",
            "<<1,2>>",
            "#Ref<0.0.0.5>",
        ] {
            assert_eq!(bound(term, term).as_deref(), Some(""), "{term}");
        }
        for (pattern, term) in [
            ("1", "1.0"),
            ("{a}", "{a,b}"),
            ("[a]", "[a,b]"),
            ("[]", "[a]"),
        ] {
            assert_eq!(bound(pattern, term), None, "{pattern} {term}");
        }
    }

    #[test]
    fn variables_are_the_same_wherever_they_stand() {
        assert_eq!(bound("{A,B,A}", "{1,2,1}").as_deref(), Some("A=1 B=2"));
        assert_eq!(bound("{A,B,A}", "{1,2,3}"), None);
        assert_eq!(bound("{A,A}", "{1,1.0}"), None);
        assert_eq!(bound("{_,_}", "{1,2}").as_deref(), Some(""));
        assert_eq!(bound("[H|T]", "\"abc\"").as_deref(), Some("H=97 T=\"bc\""));
        assert_eq!(bound("[A,B]", "\"ab\"").as_deref(), Some("A=97 B=98"));
    }

    #[test]
    fn maps_need_the_patterns_keys_only() {
        assert_eq!(
            bound("#{a := X}", "#{a => 1,b => 2}").as_deref(),
            Some("X=1")
        );
        assert_eq!(bound("#{a => X}", "#{a => 1}").as_deref(), Some("X=1"));
        assert_eq!(bound("#{c := _}", "#{a => 1}"), None);
        assert_eq!(bound("#{}", "#{a => 1}").as_deref(), Some(""));
    }

    #[test]
    fn the_rest_of_a_binary_can_be_anything() {
        let rest = |term| bound("<<\"ab\", 10, R/binary>>", term);
        assert_eq!(rest("<<\"ab\\ncd\">>").as_deref(), Some("R=<<\"cd\">>"));
        assert_eq!(rest("<<\"ab\\n\">>").as_deref(), Some("R=<<>>"));
        assert_eq!(rest("<<\"ab\">>"), None);
        assert_eq!(rest("\"ab\\ncd\""), None);
        assert_eq!(bound("<<_/bytes>>", "<<1,2>>").as_deref(), Some(""));
        let error = |text| Pattern::parse(text).err().expect("no pattern").to_string();
        assert!(error("<<R/binary, 1>>").contains("`>>`"));
        assert!(error("<<1:3, R/binary>>").contains("whole byte"));
        assert!(error("<<R>>").contains("Name/binary"));
        assert!(parse("<<R/binary>>").is_err());
        assert!(parse("#{a := 1}").is_err());
    }

    #[test]
    fn depth_does_not_exhaust_the_stack() {
        let deep = format!("{}X{}", "[".repeat(9_999), "]".repeat(9_999));
        let term = format!("{}1{}", "[".repeat(9_999), "]".repeat(9_999));
        assert_eq!(bound(&deep, &term).as_deref(), Some("X=1"));
    }
}

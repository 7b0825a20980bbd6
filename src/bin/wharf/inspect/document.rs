//! A document printer: text with optional line breaks, laid out for a width.
//!
//! Relies on nothing. Promises Elixir's layouts: a [`Document::Group`] goes on one line when it fits; otherwise its strict
//! breaks all become new lines and its flexible breaks only those after which the next piece would not fit. Widths count
//! bytes, as Elixir's documents do.
#![forbid(unsafe_code)]

/// Something to lay out.
#[derive(Clone, Debug)]
pub(crate) enum Document {
    /// Text without a line break of the layout's.
    Text(String),
    /// One after the other.
    Sequence(Vec<Document>),
    /// Lines begun inside are indented by this many more columns.
    Nest(usize, Box<Document>),
    /// A place for a new line, and what stands there when there is none.
    Break(&'static str, Kind),
    /// Decides for the breaks directly inside.
    Group(Box<Document>),
}

/// How a break behaves in a group that does not fit on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Always a new line.
    Strict,
    /// A new line only where what follows does not fit.
    Flexible,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Flat,
    Broken,
}

type Item<'a> = (usize, Mode, &'a Document);

impl Document {
    /// A piece of text.
    pub(crate) fn text(text: impl Into<String>) -> Document {
        Document::Text(text.into())
    }

    /// `documents`, one after the other.
    pub(crate) fn sequence<const N: usize>(documents: [Document; N]) -> Document {
        Document::Sequence(documents.into())
    }

    /// `self` with its lines indented by `columns` more.
    pub(crate) fn nested(self, columns: usize) -> Document {
        Document::Nest(columns, Box::new(self))
    }

    /// `self` as a group.
    pub(crate) fn grouped(self) -> Document {
        Document::Group(Box::new(self))
    }

    /// Whether this is text alone, which a flexible layout may put several of on a line.
    pub(crate) fn is_simple(&self) -> bool {
        match self {
            Document::Text(_) => true,
            Document::Sequence(parts) => parts.iter().all(Document::is_simple),
            Document::Nest(..) | Document::Break(..) | Document::Group(_) => false,
        }
    }

    /// The text of this document on lines of `width` bytes where that can be had; `None` never breaks a line.
    pub(crate) fn render(&self, width: Option<usize>) -> String {
        let mut output = String::new();
        let mut column = 0;
        let mut pending: Vec<Item<'_>> = vec![(0, Mode::Flat, self)];
        while let Some((indent, mode, document)) = pending.pop() {
            match document {
                Document::Text(text) => {
                    output.push_str(text);
                    column += text.len();
                }
                Document::Sequence(parts) => {
                    pending.extend(parts.iter().rev().map(|part| (indent, mode, part)))
                }
                Document::Nest(columns, inner) => pending.push((indent + columns, mode, inner)),
                Document::Group(inner) => {
                    let mode = match width {
                        Some(width) if !fits(width, column, &[], (indent, Mode::Flat, inner)) => {
                            Mode::Broken
                        }
                        _ => Mode::Flat,
                    };
                    pending.push((indent, mode, inner));
                }
                Document::Break(flat, kind) => {
                    let here = mode == Mode::Flat
                        || *kind == Kind::Flexible
                            && width.is_none_or(|width| match pending.pop() {
                                Some(next) => {
                                    let fit = fits(width, column + flat.len(), &pending, next);
                                    pending.push(next);
                                    fit
                                }
                                None => true,
                            });
                    if here {
                        output.push_str(flat);
                        column += flat.len();
                    } else {
                        output.push('\n');
                        output.extend(std::iter::repeat_n(' ', indent));
                        column = indent;
                    }
                }
            }
        }
        output
    }
}

/// Whether `first`, and then `rest` from its end, reach the next certain line break before passing `width`.
fn fits<'a>(width: usize, mut column: usize, rest: &[Item<'a>], first: Item<'a>) -> bool {
    let mut rest = rest.iter().rev();
    let mut pending = vec![first];
    loop {
        if column > width {
            return false;
        }
        let Some((indent, mode, document)) = pending.pop().or_else(|| rest.next().copied()) else {
            return true;
        };
        match document {
            Document::Text(text) => column += text.len(),
            Document::Sequence(parts) => {
                pending.extend(parts.iter().rev().map(|part| (indent, mode, part)))
            }
            Document::Nest(columns, inner) => pending.push((indent + columns, mode, inner)),
            Document::Group(inner) => pending.push((indent, Mode::Flat, inner)),
            Document::Break(_, _) if mode == Mode::Broken => return true,
            Document::Break(flat, _) => column += flat.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(kind: Kind) -> Document {
        let mut parts = vec![Document::text("[")];
        for word in ["one,", "two,", "three"] {
            if parts.len() > 1 {
                parts.push(Document::Break(" ", kind));
            }
            parts.push(Document::text(word));
        }
        Document::Sequence(vec![
            Document::Sequence(parts).nested(1),
            Document::text("]"),
        ])
        .grouped()
    }

    #[test]
    fn what_fits_stays_on_one_line() {
        assert_eq!(
            words(Kind::Strict).render(Some(16)),
            "[one,\n two,\n three]"
        );
        assert_eq!(words(Kind::Strict).render(Some(17)), "[one, two, three]");
        assert_eq!(words(Kind::Strict).render(None), "[one, two, three]");
    }

    #[test]
    fn flexible_breaks_fill_lines() {
        assert_eq!(
            words(Kind::Flexible).render(Some(10)),
            "[one, two,\n three]"
        );
        assert_eq!(
            words(Kind::Flexible).render(Some(1)),
            "[one,\n two,\n three]"
        );
    }
}

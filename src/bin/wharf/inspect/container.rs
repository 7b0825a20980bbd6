//! Terms to documents: Elixir's notation of every kind of term, with its limits.
//!
//! Relies on `document` for lines and on `atom`, `text` and `number` for leaves. Promises the layout of Elixir 1.14: lists
//! of leaves fill their lines, lists with anything larger in them take a line for each item, tuples always fill.
#![forbid(unsafe_code)]

use super::document::{Document, Kind};
use super::options::{AsText, Options};
use super::{atom, number, text};
use wharf::term::{Map, Term};

/// Containers inside containers beyond this are shown as `...`: a guard for the stack.
const DEPTH_MAX: usize = 1_000;

/// The document of a term.
pub(crate) fn document(term: &Term, options: &Options) -> Document {
    Printer { options }.term(term, options.limit, 0)
}

/// How a container breaks its lines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// One item per line.
    Strict,
    /// As many items as fit.
    Fill,
    /// Fills if all items are leaves.
    FillLeaves,
}

/// What is inside a container.
struct Items {
    documents: Vec<Document>,
    /// The last one is the tail of an improper list.
    improper: bool,
}

struct Printer<'a> {
    options: &'a Options,
}

impl Printer<'_> {
    fn term(&self, term: &Term, limit: Option<usize>, depth: usize) -> Document {
        if depth > DEPTH_MAX {
            return Document::text("...");
        }
        match term {
            Term::Nil => Document::text("[]"),
            Term::Atom(name) => Document::text(atom::inspect(name.as_str())),
            Term::Int(integer) => {
                Document::text(number::inspect_integer(*integer, self.options.base))
            }
            Term::BigInt(integer) => {
                Document::text(number::inspect_big(integer, self.options.base))
            }
            Term::Float(float) => Document::text(number::inspect_float(*float)),
            Term::Binary(bytes) => self.binary(bytes, limit),
            Term::Bitstring(bits) => self.bits(bits.bytes(), bits.bit_len(), limit),
            Term::Pid(pid) => Document::text(format!("#PID{}", angles(&pid.to_string()))),
            Term::Port(port) => Document::text(format!("#Port{}", angles(&port.to_string()))),
            Term::Reference(reference) => {
                Document::text(format!("#Reference{}", angles(&reference.to_string())))
            }
            Term::Fun(fun) => Document::text(fun_text(&fun.name())),
            Term::Foreign(_) => Document::text(term.to_string()),
            Term::Tuple(items) => {
                let items = self.each(items.iter(), limit, |item, limit| {
                    self.term(item, limit, depth + 1)
                });
                container("{", items, "}", Layout::Fill)
            }
            Term::List(_) => self.list(term, limit, depth),
            Term::Map(map) => self.map(map, limit, depth),
        }
    }

    fn binary(&self, bytes: &[u8], limit: Option<usize>) -> Document {
        let as_text = self.options.base == number::Base::Decimal
            && match self.options.binaries {
                AsText::Always => true,
                AsText::Never => false,
                AsText::Infer => text::is_printable_text(bytes, self.options.printable_limit),
            };
        if !as_text {
            return self.bits(bytes, bytes.len() * 8, limit);
        }
        let (escaped, whole) = text::escape(bytes, '"', self.options.printable_limit);
        Document::text(format!(
            "\"{escaped}\"{}",
            if whole { "" } else { " <> ..." }
        ))
    }

    /// `<<1, 2, 3::size(4)>>`, of the first `size` bits.
    fn bits(&self, bytes: &[u8], size: usize, limit: Option<usize>) -> Document {
        let mut parts = Vec::new();
        let (whole, rest) = (size / 8, size % 8);
        for (index, byte) in bytes.iter().take(size.div_ceil(8)).enumerate() {
            if limit.is_some_and(|limit| index >= limit) {
                parts.push(Document::text("..."));
                break;
            }
            let value = if index < whole {
                i64::from(*byte)
            } else {
                i64::from(*byte) >> (8 - rest)
            };
            let value = number::inspect_integer(value, self.options.base);
            if index >= whole {
                parts.push(Document::text(format!("{value}::size({rest})")));
            } else if (index + 1) * 8 < size {
                parts.push(Document::text(format!("{value},")));
                parts.push(Document::Break(" ", Kind::Flexible));
            } else {
                parts.push(Document::text(value));
            }
        }
        if parts.is_empty() {
            return Document::text("<<>>");
        }
        Document::sequence([
            Document::text("<<"),
            Document::Sequence(parts).nested(2),
            Document::text(">>"),
        ])
        .grouped()
    }

    fn list(&self, term: &Term, limit: Option<usize>, depth: usize) -> Document {
        let Term::List(list) = term else {
            return Document::text("[]");
        };
        let whole = term.to_list_vec();
        if let Some(items) = &whole {
            if self.is_text(items) {
                return self.charlist(items);
            }
            if is_keyword(items.iter()) {
                let items = self.each(items.iter(), limit, |item, limit| {
                    self.keyword_pair(item, limit, depth + 1)
                });
                return container("[", items, "]", Layout::Strict);
            }
            let items = self.each(items.iter(), limit, |item, limit| {
                self.term(item, limit, depth + 1)
            });
            return container("[", items, "]", Layout::FillLeaves);
        }
        // An improper list: the last item and the tail count as one.
        let (heads, rest) = list.to_parts();
        let last = heads.len() - 1;
        let mut left = limit;
        let mut documents = Vec::new();
        for (index, head) in heads.iter().enumerate() {
            if left == Some(0) {
                documents.push(Document::text("..."));
                return container(
                    "[",
                    Items {
                        documents,
                        improper: false,
                    },
                    "]",
                    Layout::FillLeaves,
                );
            }
            left = left.map(|left| left - 1);
            documents.push(self.term(head, left, depth + 1));
            if index == last {
                documents.push(self.term(&rest, left, depth + 1));
            }
        }
        container(
            "[",
            Items {
                documents,
                improper: true,
            },
            "]",
            Layout::FillLeaves,
        )
    }

    fn is_text(&self, items: &[Term]) -> bool {
        match self.options.charlists {
            AsText::Never => false,
            AsText::Always => items.iter().all(|item| character(item).is_some()),
            AsText::Infer => items
                .iter()
                .take(self.options.printable_limit.unwrap_or(usize::MAX))
                .all(|item| matches!(item, Term::Int(code) if text::is_printable_ascii(*code))),
        }
    }

    fn charlist(&self, items: &[Term]) -> Document {
        let characters: String = items.iter().filter_map(character).collect();
        let (escaped, whole) =
            text::escape(characters.as_bytes(), '\'', self.options.printable_limit);
        Document::text(format!("'{escaped}'{}", if whole { "" } else { " ++ ..." }))
    }

    fn map(&self, map: &Map, limit: Option<usize>, depth: usize) -> Document {
        let name = map.get(&Term::atom("__struct__"));
        match name {
            Some(Term::Atom(name)) if self.options.structs => {
                if let Some(shown) = self.known_struct(name.as_str(), map, limit, depth) {
                    return shown;
                }
                match name.as_str().strip_prefix("Elixir.") {
                    Some(alias) if atom::is_alias(alias) => {
                        self.structure(alias, map, limit, depth)
                    }
                    _ => self.plain_map(map, limit, depth),
                }
            }
            _ => self.plain_map(map, limit, depth),
        }
    }

    fn plain_map(&self, map: &Map, limit: Option<usize>, depth: usize) -> Document {
        let is_keyword = map
            .iter()
            .all(|(key, _)| matches!(key, Term::Atom(name) if atom::is_keyword_key(name.as_str())));
        let items = self.each(map.iter(), limit, |(key, value), limit| match key {
            Term::Atom(name) if is_keyword => self.pair(name.as_str(), value, limit, depth + 1),
            _ => Document::sequence([
                self.term(key, limit, depth + 1),
                Document::text(" => "),
                self.term(value, limit, depth + 1),
            ]),
        });
        container("%{", items, "}", Layout::Strict)
    }

    /// `%Name{field: value}`.
    fn structure(&self, alias: &str, map: &Map, limit: Option<usize>, depth: usize) -> Document {
        let mut fields: Vec<(&Term, &Term)> = map
            .iter()
            .filter(|(key, _)| {
                !(key.is_atom("__struct__") || key.is_atom("__exception__") && is_exception(map))
            })
            .collect();
        if let Some(order) = super::exception::field_order(alias) {
            fields.sort_by_key(|(key, _)| {
                order
                    .iter()
                    .position(|name| key.is_atom(name))
                    .unwrap_or(order.len())
            });
        }
        if let Some(Term::Atom(module)) = map.get(&Term::atom("__struct__"))
            && let Some(order) = crate::lang::world::field_order(*module)
        {
            fields
                .sort_by_key(|(key, _)| order.iter().position(|name| key.as_atom() == Some(*name)));
        }
        let items = self.each(fields.into_iter(), limit, |(key, value), limit| match key {
            Term::Atom(name) => self.pair(name.as_str(), value, limit, depth + 1),
            _ => self.term(key, limit, depth + 1),
        });
        container(&format!("%{alias}{{"), items, "}", Layout::Strict)
    }

    /// Structs with a notation of their own: `1..3`, `MapSet.new([1])`.
    fn known_struct(
        &self,
        name: &str,
        map: &Map,
        limit: Option<usize>,
        depth: usize,
    ) -> Option<Document> {
        let field = |name: &str| map.get(&Term::atom(name));
        match name {
            "Elixir.Range" => {
                let (first, last, step) = (field("first")?, field("last")?, field("step")?);
                let mut text = format!("{}..{}", self.leaf(first)?, self.leaf(last)?);
                if !matches!(step, Term::Int(1)) {
                    text.push_str("//");
                    text.push_str(&self.leaf(step)?);
                }
                Some(Document::text(text))
            }
            "Elixir.MapSet" => {
                let Term::Map(members) = field("map")? else {
                    return None;
                };
                let items: Vec<&Term> = members.iter().map(|(key, _)| key).collect();
                let list = Term::list(items.into_iter().cloned().collect());
                let shown = Printer {
                    options: &Options {
                        charlists: AsText::Never,
                        ..self.options.clone()
                    },
                };
                Some(Document::sequence([
                    Document::text("MapSet.new("),
                    shown.term(&list, limit, depth + 1),
                    Document::text(")"),
                ]))
            }
            _ => None,
        }
    }

    fn leaf(&self, term: &Term) -> Option<String> {
        match term {
            Term::Int(integer) => Some(number::inspect_integer(*integer, self.options.base)),
            Term::BigInt(integer) => Some(number::inspect_big(integer, self.options.base)),
            _ => None,
        }
    }

    fn keyword_pair(&self, pair: &Term, limit: Option<usize>, depth: usize) -> Document {
        match pair {
            Term::Tuple(pair) => match (&pair[0], &pair[1]) {
                (Term::Atom(key), value) => self.pair(key.as_str(), value, limit, depth),
                (key, _) => self.term(key, limit, depth),
            },
            _ => self.term(pair, limit, depth),
        }
    }

    fn pair(&self, key: &str, value: &Term, limit: Option<usize>, depth: usize) -> Document {
        Document::sequence([
            Document::text(atom::key(key) + " "),
            self.term(value, limit, depth),
        ])
    }

    /// The documents of as many items as the limit allows; each item, and what is inside it, has one less than the last.
    fn each<T>(
        &self,
        items: impl Iterator<Item = T>,
        mut limit: Option<usize>,
        mut show: impl FnMut(T, Option<usize>) -> Document,
    ) -> Items {
        let mut documents = Vec::new();
        for item in items {
            if limit == Some(0) {
                documents.push(Document::text("..."));
                break;
            }
            limit = limit.map(|limit| limit - 1);
            documents.push(show(item, limit));
        }
        Items {
            documents,
            improper: false,
        }
    }
}

fn container(left: &str, items: Items, right: &str, layout: Layout) -> Document {
    if items.documents.is_empty() {
        return Document::text(format!("{left}{right}"));
    }
    let fill = layout == Layout::Fill
        || layout == Layout::FillLeaves && items.documents.iter().all(Document::is_simple);
    let kind = if fill { Kind::Flexible } else { Kind::Strict };
    let count = items.documents.len();
    let mut body = Vec::with_capacity(count * 3);
    for (index, item) in items.documents.into_iter().enumerate() {
        body.push(item);
        if index + 1 < count {
            body.push(Document::text(if items.improper && index + 2 == count {
                " |"
            } else {
                ","
            }));
            body.push(Document::Break(" ", kind));
        }
    }
    if fill {
        let body = Document::Sequence(body).nested(1);
        Document::sequence([Document::text(left), body, Document::text(right)]).grouped()
    } else {
        body.insert(0, Document::Break("", Kind::Strict));
        body.insert(0, Document::text(left));
        let body = Document::Sequence(body).nested(2);
        Document::sequence([
            body,
            Document::Break("", Kind::Strict),
            Document::text(right),
        ])
        .grouped()
    }
}

/// Whether these are the items of a keyword list: pairs whose keys are atoms, module names aside.
fn is_keyword<'a>(mut items: impl Iterator<Item = &'a Term>) -> bool {
    items.all(|item| match item {
        Term::Tuple(pair) if pair.len() == 2 => {
            matches!(&pair[0], Term::Atom(key) if atom::is_keyword_key(key.as_str()))
        }
        _ => false,
    })
}

fn is_exception(map: &Map) -> bool {
    map.get(&Term::atom("__exception__"))
        .is_some_and(|value| value.is_atom("true"))
}

fn character(item: &Term) -> Option<char> {
    match item {
        Term::Int(code) => char::from_u32(u32::try_from(*code).ok()?),
        _ => None,
    }
}

/// A captured named function says so itself; others are `#Function<…>`.
fn fun_text(name: &str) -> String {
    if name.starts_with('&') {
        name.to_owned()
    } else {
        format!("#Function<{name}>")
    }
}

/// The part in angle brackets of `#Port<0.5>`.
fn angles(shown: &str) -> &str {
    shown.find('<').map_or(shown, |start| &shown[start..])
}

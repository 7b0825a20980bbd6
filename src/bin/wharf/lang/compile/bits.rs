//! `<<…>>`: what each part's modifiers mean, the same for building and for matching.
#![forbid(unsafe_code)]

use super::{Compiled, Compiler, Names};
use crate::lang::ast::{At, Expr, Kind};
use crate::lang::node::{Node, Pattern, Segment, SegmentSort};
use crate::lang::parse::SyntaxError;
use wharf::term::Term;

/// What stands right of `::`.
#[derive(Default)]
struct Modifiers {
    sort: Option<SegmentSort>,
    size: Option<Node>,
    unit: Option<usize>,
    signed: bool,
    little: bool,
}

impl Compiler<'_> {
    pub(super) fn bits(&mut self, segments: &[Expr]) -> Compiled<Vec<Segment<Node>>> {
        let mut compiled = Vec::new();
        for segment in segments {
            let (value, spec) = split(segment);
            let default = default_sort(value);
            let sort = self.modifiers(spec, &Names::new())?.sort;
            for value in expanded(value, sort) {
                let node = self.expr(&value, false)?;
                compiled.push(
                    self.modifiers(spec, &Names::new())?
                        .segment(node, default, segment.at)?,
                );
            }
        }
        Ok(compiled)
    }

    pub(super) fn bits_pattern(
        &mut self,
        segments: &[Expr],
        bound: &mut Names,
    ) -> Compiled<Vec<Segment<Pattern>>> {
        let mut compiled = Vec::new();
        for (index, segment) in segments.iter().enumerate() {
            let (value, spec) = split(segment);
            let default = default_sort(value);
            let sort = self.modifiers(spec, bound)?.sort;
            for value in expanded(value, sort) {
                let modifiers = self.modifiers(spec, bound)?;
                let pattern = self.pattern_in(&value, bound)?;
                let part = modifiers.segment(pattern, default, segment.at)?;
                let open = matches!(part.sort, SegmentSort::Binary | SegmentSort::Bitstring)
                    && part.size.is_none()
                    && !matches!(part.value, Pattern::Value(_));
                if open && index + 1 < segments.len() {
                    return Err(SyntaxError::meaning(
                        segment.at,
                        "a binary field without size is only allowed at the end of a binary pattern and never allowed in binary generators",
                    ));
                }
                compiled.push(part);
            }
        }
        Ok(compiled)
    }

    fn modifiers(&mut self, expr: Option<&Expr>, bound: &Names) -> Compiled<Modifiers> {
        let mut modifiers = Modifiers::default();
        if let Some(expr) = expr {
            self.modifier(expr, &mut modifiers, bound)?;
        }
        Ok(modifiers)
    }

    fn modifier(&mut self, expr: &Expr, modifiers: &mut Modifiers, bound: &Names) -> Compiled<()> {
        match &expr.kind {
            Kind::Binary("-", left, right) => {
                self.modifier(left, modifiers, bound)?;
                self.modifier(right, modifiers, bound)?;
            }
            Kind::Binary("*", size, unit) => {
                if !matches!(&size.kind, Kind::Variable(name) if name == "_") {
                    modifiers.size = Some(self.size(size, bound)?);
                }
                modifiers.unit = Some(unit_of(unit)?);
            }
            Kind::Literal(Term::Int(_)) => modifiers.size = Some(self.size(expr, bound)?),
            Kind::Call(call) if call.name == "size" && call.args.len() == 1 => {
                modifiers.size = Some(self.size(&call.args[0], bound)?);
            }
            Kind::Call(call) if call.name == "unit" && call.args.len() == 1 => {
                modifiers.unit = Some(unit_of(&call.args[0])?)
            }
            Kind::Variable(name) => self.named_modifier(name, expr.at, modifiers)?,
            Kind::Call(call) if call.args.is_empty() => {
                self.named_modifier(&call.name, expr.at, modifiers)?
            }
            _ => return Err(SyntaxError::meaning(expr.at, "unknown bitstring specifier")),
        }
        Ok(())
    }

    fn named_modifier(&mut self, name: &str, at: At, modifiers: &mut Modifiers) -> Compiled<()> {
        match name {
            "integer" => modifiers.sort = Some(SegmentSort::Integer),
            "float" => modifiers.sort = Some(SegmentSort::Float),
            "binary" | "bytes" => modifiers.sort = Some(SegmentSort::Binary),
            "bitstring" | "bits" => modifiers.sort = Some(SegmentSort::Bitstring),
            "utf8" => modifiers.sort = Some(SegmentSort::Utf8),
            "utf16" => modifiers.sort = Some(SegmentSort::Utf16),
            "utf32" => modifiers.sort = Some(SegmentSort::Utf32),
            "signed" => modifiers.signed = true,
            "unsigned" => modifiers.signed = false,
            "little" => modifiers.little = true,
            "big" => modifiers.little = false,
            "native" => modifiers.little = cfg!(target_endian = "little"),
            _ => {
                return Err(SyntaxError::meaning(
                    at,
                    format!("unknown bitstring specifier: {name}()"),
                ));
            }
        }
        Ok(())
    }

    /// A size may use what the same pattern has bound already.
    fn size(&mut self, expr: &Expr, bound: &Names) -> Compiled<Node> {
        let names = self.unit().names.clone();
        self.unit().names.extend(bound.clone());
        let node = self.expr(expr, false);
        self.unit().names = names;
        node
    }
}

impl Modifiers {
    fn segment<T>(self, value: T, default: SegmentSort, at: At) -> Compiled<Segment<T>> {
        let sort = self.sort.unwrap_or(default);
        let unit = self
            .unit
            .unwrap_or(if sort == SegmentSort::Binary { 8 } else { 1 });
        if self.size.is_some()
            && matches!(
                sort,
                SegmentSort::Utf8 | SegmentSort::Utf16 | SegmentSort::Utf32
            )
        {
            return Err(SyntaxError::meaning(
                at,
                "size and unit are not supported on utf types",
            ));
        }
        let (size, signed, little) = (self.size, self.signed, self.little);
        Ok(Segment {
            value,
            sort,
            size,
            unit,
            signed,
            little,
            line: at.line,
        })
    }
}

fn split(segment: &Expr) -> (&Expr, Option<&Expr>) {
    match &segment.kind {
        Kind::Binary("::", value, modifiers) => (value, Some(modifiers)),
        _ => (segment, None),
    }
}

fn default_sort(value: &Expr) -> SegmentSort {
    match &value.kind {
        Kind::Literal(Term::Binary(_)) | Kind::Quoted(..) | Kind::Binary("<>", ..) => {
            SegmentSort::Binary
        }
        Kind::Literal(Term::Float(_)) => SegmentSort::Float,
        Kind::Bits(_) => SegmentSort::Bitstring,
        _ => SegmentSort::Integer,
    }
}

/// `"abc"::utf16` means one part for each character, `'abc'` one integer each.
fn expanded(value: &Expr, sort: Option<SegmentSort>) -> Vec<Expr> {
    let each = |codes: Vec<Term>| {
        codes
            .into_iter()
            .map(|code| Expr::new(value.at, Kind::Literal(code)))
            .collect()
    };
    let utf = matches!(
        sort,
        Some(SegmentSort::Utf8 | SegmentSort::Utf16 | SegmentSort::Utf32)
    );
    match &value.kind {
        Kind::Literal(Term::Binary(text)) if utf => each(
            String::from_utf8_lossy(text)
                .chars()
                .map(|c| Term::from(u32::from(c)))
                .collect(),
        ),
        Kind::Literal(list @ Term::List(_)) => match list.to_list_vec() {
            Some(codes) => each(codes),
            None => vec![value.clone()],
        },
        _ => vec![value.clone()],
    }
}

fn unit_of(expr: &Expr) -> Compiled<usize> {
    match &expr.kind {
        Kind::Literal(Term::Int(unit @ 1..=256)) => Ok(usize::try_from(*unit).unwrap_or(1)),
        _ => Err(SyntaxError::meaning(
            expr.at,
            "unit in bitstring expects an integer between 1 and 256 as argument",
        )),
    }
}

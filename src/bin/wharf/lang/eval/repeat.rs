//! `for`: generators, filters, and what becomes of the results.
#![forbid(unsafe_code)]

use super::binary::{Reader, Writer};
use super::{Eval, Frame};
use crate::lang::context::Context;
use crate::lang::enumerable::Elements;
use crate::lang::node::{For, ForStep};
use crate::lang::operators::truthy;
use crate::lang::throw::Throw;
use std::collections::HashSet;
use wharf::term::{Atom, Term};

/// What has been gathered.
#[derive(Default)]
struct Gathered {
    items: Vec<Term>,
    seen: Option<HashSet<Term>>,
    accumulator: Option<Term>,
}

impl Context {
    pub(super) fn comprehension(&mut self, node: &For, frame: &mut Frame) -> Eval {
        let mut gathered = Gathered::default();
        if let Some(uniq) = &node.uniq
            && truthy(&self.eval(uniq, frame)?)
        {
            gathered.seen = Some(HashSet::new());
        }
        let into = node
            .into
            .as_ref()
            .map(|into| self.eval(into, frame))
            .transpose()?;
        if let Some((first, _)) = &node.reduce {
            gathered.accumulator = Some(self.eval(first, frame)?);
        }
        self.generate(node, 0, &mut gathered, frame)?;
        if let Some(accumulator) = gathered.accumulator {
            return Ok(accumulator);
        }
        match into {
            None => Ok(Term::list(gathered.items)),
            Some(into) => self.collect(gathered.items, into, node.line, frame),
        }
    }

    /// Runs the generators and filters from this one on.
    fn generate(
        &mut self,
        node: &For,
        step: usize,
        gathered: &mut Gathered,
        frame: &mut Frame,
    ) -> Eval<()> {
        match node.steps.get(step) {
            None => self.gather(node, gathered, frame),
            Some(ForStep::Filter(test)) => {
                let test = self.eval(test, frame)?;
                if truthy(&test) {
                    self.generate(node, step + 1, gathered, frame)
                } else {
                    Ok(())
                }
            }
            Some(ForStep::Each(pattern, guard, source, line)) => {
                let source = self.eval(source, frame)?;
                let mut elements = match Elements::of(&source) {
                    Some(elements) => elements,
                    None => {
                        let list = self.call(Atom::new("Elixir.Enum"), "to_list", vec![source]);
                        Elements::List(list.map_err(|throw| frame.pass(throw, *line))?)
                    }
                };
                for element in elements.by_ref() {
                    self.check().map_err(|throw| frame.pass(throw, *line))?;
                    if self.matches(pattern, &element, frame)? && self.guard(guard.as_ref(), frame)
                    {
                        self.generate(node, step + 1, gathered, frame)?;
                    }
                }
                match elements.improper_tail() {
                    Some(tail) => Err(frame.pass(
                        Throw::function_clause("Enum", "reduce", std::slice::from_ref(tail)),
                        *line,
                    )),
                    None => Ok(()),
                }
            }
            Some(ForStep::Bits(segments, source, line)) => {
                let source = self.eval(source, frame)?;
                let Some(mut reader) = Reader::of(&source) else {
                    return Err(frame.pass(
                        Throw::error(Term::tuple([Term::atom("bad_generator"), source])),
                        *line,
                    ));
                };
                // Bits that are too few for the pattern end it.
                while reader.left() > 0 {
                    let before = reader.left();
                    if !self.read_bits(segments, &mut reader, frame)? || reader.left() == before {
                        break;
                    }
                    self.generate(node, step + 1, gathered, frame)?;
                }
                Ok(())
            }
        }
    }

    fn gather(&mut self, node: &For, gathered: &mut Gathered, frame: &mut Frame) -> Eval<()> {
        if let (Some((_, clauses)), Some(accumulator)) = (&node.reduce, &gathered.accumulator) {
            let accumulator = accumulator.clone();
            let Some(clause) = self.choose(clauses, &accumulator, frame)? else {
                return Err(frame.pass(Throw::case_clause(accumulator), node.line));
            };
            gathered.accumulator = Some(self.eval(&clause.body, frame)?);
            return Ok(());
        }
        let value = self.eval(&node.body, frame)?;
        if gathered
            .seen
            .as_mut()
            .is_none_or(|seen| seen.insert(value.clone()))
        {
            gathered.items.push(value);
        }
        Ok(())
    }

    /// `into:` for the common collections; the library knows the others.
    fn collect(&mut self, items: Vec<Term>, into: Term, line: u32, frame: &Frame) -> Eval {
        match &into {
            Term::Nil => return Ok(Term::list(items)),
            Term::Binary(_) | Term::Bitstring(_) => {
                let mut writer = Writer::default();
                for item in std::iter::once(&into).chain(&items) {
                    match item {
                        Term::Binary(bytes) => writer.bits(bytes, bytes.len() * 8),
                        Term::Bitstring(bits) => writer.bits(bits.bytes(), bits.bit_len()),
                        _ => {
                            let shown = crate::inspect::inspect(item);
                            let throw = Throw::argument_error(&format!(
                                "collecting into a binary requires a bitstring, got: {shown}"
                            ));
                            return Err(frame.pass(throw, line));
                        }
                    }
                }
                return Ok(writer.finish());
            }
            Term::Map(map) if !map.contains_key(&super::matching::struct_key()) => {
                let mut map = map.clone();
                for item in items {
                    match item {
                        Term::Tuple(pair) if pair.len() == 2 => {
                            map.insert(pair[0].clone(), pair[1].clone())
                        }
                        _ => return Err(frame.pass(Throw::badarg(None), line)),
                    };
                }
                return Ok(Term::Map(map));
            }
            _ => {}
        }
        let args = vec![Term::list(items), into];
        self.call(Atom::new("Elixir.Enum"), "into", args)
            .map_err(|throw| frame.pass(throw, line))
    }
}

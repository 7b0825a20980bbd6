//! Values made of others: maps, structs, ranges, interpolated text.
#![forbid(unsafe_code)]

use super::matching::struct_key;
use super::{Eval, Frame};
use crate::lang::ast::Quoted;
use crate::lang::context::Context;
use crate::lang::enumerable::make_range;
use crate::lang::exception;
use crate::lang::node::Node;
use crate::lang::parse::{charlist, words};
use crate::lang::throw::Throw;
use wharf::term::{Atom, Binary, Map, Term};

impl Context {
    pub(super) fn map(&mut self, pairs: &[(Node, Node)], frame: &mut Frame) -> Eval {
        let mut map = Map::new();
        for (key, value) in pairs {
            let key = self.eval(key, frame)?;
            let value = self.eval(value, frame)?;
            map.insert(key, value);
        }
        Ok(Term::Map(map))
    }

    /// `%{map | key: value}`: the keys must be there.
    pub(super) fn map_update(
        &mut self,
        map: &Node,
        pairs: &[(Node, Node)],
        line: u32,
        frame: &mut Frame,
    ) -> Eval {
        let target = self.eval(map, frame)?;
        let Term::Map(mut map) = target else {
            return Err(frame.pass(
                Throw::error(Term::tuple([Term::atom("badmap"), target])),
                line,
            ));
        };
        for (key, value) in pairs {
            let key = self.eval(key, frame)?;
            let value = self.eval(value, frame)?;
            if !map.contains_key(&key) {
                let reason = Term::tuple([Term::atom("badkey"), key]);
                return Err(frame.pass(Throw::error(reason), line));
            }
            map.insert(key, value);
        }
        Ok(Term::Map(map))
    }

    /// `%Name{…}` and `%Name{struct | …}`.
    pub(super) fn structure(
        &mut self,
        module: &Node,
        update: Option<&Node>,
        pairs: &[(Node, Node)],
        line: u32,
        frame: &mut Frame,
    ) -> Eval {
        let name = self.eval(module, frame)?;
        let Term::Atom(module) = name else {
            return Err(frame.pass(
                Throw::argument_error("expected struct name to be a compile time atom or alias"),
                line,
            ));
        };
        let mut given = Vec::new();
        let base = match update {
            Some(update) => self.eval(update, frame)?,
            None => Term::Map(
                self.struct_defaults(module)
                    .map_err(|throw| frame.pass(throw, line))?,
            ),
        };
        let is_one = |map: &Map| map.get(&struct_key()) == Some(&name);
        let mut map = match base {
            Term::Map(map) if is_one(&map) => map,
            other => {
                let fields = [("struct", name.clone()), ("term", other)];
                return Err(frame.pass(Throw::exception("BadStructError", &fields), line));
            }
        };
        for (key, value) in pairs {
            let key = self.eval(key, frame)?;
            let value = self.eval(value, frame)?;
            if !map.contains_key(&key) {
                return Err(frame.pass(Throw::key_error(key, Term::Map(map)), line));
            }
            given.push(key.clone());
            map.insert(key, value);
        }
        if update.is_none()
            && let Some(missing) = self.missing_keys(module, &given)
        {
            return Err(frame.pass(missing, line));
        }
        Ok(Term::Map(map))
    }

    /// The struct's fields as `defstruct` set them.
    fn struct_defaults(&mut self, module: Atom) -> Result<Map, Throw> {
        if let Some(structure) = self
            .world
            .module(module)
            .and_then(|module| module.structure.clone())
        {
            return Ok(structure.defaults);
        }
        if let Some(map) = exception::defaults(module) {
            return Ok(map);
        }
        let name = exception::module_text(module);
        Err(Throw::message(
            "CompileError",
            &format!(
                "{name}.__struct__/0 is undefined, cannot expand struct {name}. Make sure the struct name is correct"
            ),
        ))
    }

    fn missing_keys(&self, module: Atom, given: &[Term]) -> Option<Throw> {
        let structure = self.world.module(module)?.structure.clone()?;
        let missing: Vec<Term> = structure
            .enforced
            .iter()
            .map(|key| Term::Atom(*key))
            .filter(|key| !given.contains(key))
            .collect();
        if missing.is_empty() {
            return None;
        }
        let keys = crate::inspect::inspect(&Term::list(missing));
        let name = exception::module_text(module);
        Some(Throw::argument_error(&format!(
            "the following keys must also be given when building struct {name}: {keys}"
        )))
    }

    pub(super) fn range(
        &mut self,
        parts: &(Node, Node, Option<Node>),
        line: u32,
        frame: &mut Frame,
    ) -> Eval {
        let (first, last) = (self.eval(&parts.0, frame)?, self.eval(&parts.1, frame)?);
        let step = parts
            .2
            .as_ref()
            .map(|step| self.eval(step, frame))
            .transpose()?;
        let (Term::Int(from), Term::Int(to)) = (&first, &last) else {
            let (first, last) = (
                crate::inspect::inspect(&first),
                crate::inspect::inspect(&last),
            );
            let throw = Throw::argument_error(&format!(
                "ranges (first..last) expect both sides to be integers, got: {first}..{last}"
            ));
            return Err(frame.pass(throw, line));
        };
        let step = match step {
            None if from <= to => 1,
            None => -1,
            Some(Term::Int(step)) if step != 0 => step,
            Some(other) => {
                let (first, last, step) = (from, to, crate::inspect::inspect(&other));
                let throw = Throw::argument_error(&format!(
                    "ranges (first..last//step) expect both sides to be integers and the step to be a non-zero integer, got: {first}..{last}//{step}"
                ));
                return Err(frame.pass(throw, line));
            }
        };
        Ok(make_range(*from, *to, step))
    }

    /// An interpolated literal: the pieces are binaries by now.
    pub(super) fn text(
        &mut self,
        sort: Quoted,
        pieces: &[Node],
        line: u32,
        frame: &mut Frame,
    ) -> Eval {
        let mut text = Vec::new();
        for piece in pieces {
            if let Term::Binary(bytes) = self.eval(piece, frame)? {
                text.extend_from_slice(&bytes);
            }
        }
        Ok(match sort {
            Quoted::String => Term::from(Binary::from(text)),
            Quoted::Charlist => charlist(&text),
            Quoted::Words(sort) => words(&text, sort),
            Quoted::Atom => {
                let name = String::from_utf8_lossy(&text);
                match Atom::try_new(&name) {
                    Ok(atom) => Term::Atom(atom),
                    Err(_) => {
                        return Err(frame.pass(Throw::error(Term::atom("system_limit")), line));
                    }
                }
            }
        })
    }
}

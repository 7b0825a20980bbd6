//! `Stream`: items made when they are asked for.
//!
//! A stream is a struct `%Stream{enum: source, funs: steps}` of plain terms; [`Stream`] is one being walked. Relies on
//! `items`. Promises that `Enum.take/2` of an endless stream ends.
#![forbid(unsafe_code)]

use super::items::{Items, collect, structure};
use super::{apply, holds};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use crate::stdlib::argument::{Answer, ok};
use crate::stdlib::{Entry, table};
use std::collections::{HashSet, VecDeque};
use wharf::term::{Map, Term};

/// A stream on its way.
pub(crate) struct Stream {
    source: Source,
    steps: Vec<Step>,
    ended: bool,
}

enum Source {
    Items(Items),
    Repeatedly(Term),
    Iterate {
        start: Option<Term>,
        last: Term,
        fun: Term,
    },
    Cycle {
        all: Vec<Term>,
        place: usize,
    },
    Unfold {
        acc: Term,
        fun: Term,
    },
    Concat(VecDeque<Term>, Option<Items>),
    Zip(Vec<Items>),
}

enum Step {
    Map(Term),
    Each(Term),
    Filter(Term, bool),
    Take(usize),
    TakeWhile(Term),
    Drop(usize),
    DropWhile(Option<Term>),
    WithIndex(i64),
    Dedup(Option<Term>),
    Uniq(HashSet<Term>),
    FlatMap { fun: Term, inner: Option<Items> },
    Chunk { size: usize, chunk: Vec<Term> },
}

impl Stream {
    /// The beginning of the stream that `map` describes.
    pub(crate) fn of(map: &Map) -> Option<Stream> {
        let Term::Tuple(source) = map.get(&Term::atom("enum"))? else {
            return None;
        };
        let name = if let Term::Atom(name) = source.first()? {
            name.as_str()
        } else {
            return None;
        };
        let part = |place: usize| source.get(place).cloned();
        let source = match name {
            "items" => Source::Items(Items::of(source.get(1)?).ok()?),
            "repeatedly" => Source::Repeatedly(part(1)?),
            "iterate" => Source::Iterate {
                start: part(1),
                last: Term::Nil,
                fun: part(2)?,
            },
            "cycle" => Source::Cycle {
                all: source.get(1)?.to_list_vec()?,
                place: 0,
            },
            "unfold" => Source::Unfold {
                acc: part(1)?,
                fun: part(2)?,
            },
            "concat" => Source::Concat(source.get(1)?.to_list_vec()?.into(), None),
            "zip" => {
                let columns = source.get(1)?.to_list_vec()?;
                Source::Zip(
                    columns
                        .iter()
                        .map(Items::of)
                        .collect::<Result<_, _>>()
                        .ok()?,
                )
            }
            _ => return None,
        };
        let steps = map
            .get(&Term::atom("funs"))?
            .to_list_vec()?
            .iter()
            .map(Step::of)
            .collect::<Option<_>>()?;
        Some(Stream {
            source,
            steps,
            ended: false,
        })
    }

    /// The next item.
    pub(crate) fn next(&mut self, ctx: &mut Context) -> Result<Option<Term>, Throw> {
        self.through(ctx, self.steps.len())
    }

    /// The next item to come out of the first `count` steps.
    fn through(&mut self, ctx: &mut Context, count: usize) -> Result<Option<Term>, Throw> {
        let Some(last) = count.checked_sub(1) else {
            return self.next_of_source(ctx);
        };
        loop {
            if self.ended {
                return Ok(None);
            }
            match &mut self.steps[last] {
                Step::Take(0) => {
                    self.ended = true;
                    return Ok(None);
                }
                Step::FlatMap {
                    inner: Some(inner), ..
                } => {
                    if let Some(item) = inner.next(ctx)? {
                        return Ok(Some(item));
                    }
                }
                _ => {}
            }
            let Some(item) = self.through(ctx, last)? else {
                return Ok(match &mut self.steps[last] {
                    Step::Chunk { chunk, .. } if !chunk.is_empty() => {
                        Some(Term::list(std::mem::take(chunk)))
                    }
                    _ => None,
                });
            };
            match self.steps[last].pass(ctx, item)? {
                Pass::On(item) => return Ok(Some(item)),
                Pass::Skip => {}
                Pass::End => self.ended = true,
            }
        }
    }

    fn next_of_source(&mut self, ctx: &mut Context) -> Result<Option<Term>, Throw> {
        if self.ended {
            return Ok(None);
        }
        match &mut self.source {
            Source::Items(items) => items.next(ctx),
            Source::Repeatedly(fun) => ctx.apply(fun, Vec::new()).map(Some),
            Source::Iterate { start, last, fun } => {
                *last = match start.take() {
                    Some(start) => start,
                    None => apply(ctx, fun, last.clone())?,
                };
                Ok(Some(last.clone()))
            }
            Source::Cycle { all, place } => {
                let item = all.get(*place).cloned();
                *place = (*place + 1) % all.len().max(1);
                Ok(item)
            }
            Source::Unfold { acc, fun } => {
                let answer = apply(ctx, fun, acc.clone())?;
                match &answer {
                    Term::Tuple(pair) if pair.len() == 2 => {
                        *acc = pair[1].clone();
                        Ok(Some(pair[0].clone()))
                    }
                    _ if answer.is_atom("nil") => {
                        self.ended = true;
                        Ok(None)
                    }
                    _ => Err(Throw::case_clause(answer)),
                }
            }
            Source::Concat(parts, current) => loop {
                if let Some(items) = current
                    && let Some(item) = items.next(ctx)?
                {
                    return Ok(Some(item));
                }
                match parts.pop_front() {
                    Some(part) => *current = Some(Items::of(&part)?),
                    None => return Ok(None),
                }
            },
            Source::Zip(columns) => {
                let mut row = Vec::new();
                for column in columns {
                    match column.next(ctx)? {
                        Some(item) => row.push(item),
                        None => return Ok(None),
                    }
                }
                Ok(Some(Term::tuple(row)))
            }
        }
    }
}

/// What a step makes of an item.
enum Pass {
    On(Term),
    Skip,
    End,
}

impl Step {
    fn of(term: &Term) -> Option<Step> {
        let Term::Tuple(pair) = term else { return None };
        let [Term::Atom(name), argument] = &pair[..] else {
            return None;
        };
        let number = || match argument {
            Term::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        };
        Some(match name.as_str() {
            "map" => Step::Map(argument.clone()),
            "each" => Step::Each(argument.clone()),
            "filter" => Step::Filter(argument.clone(), true),
            "reject" => Step::Filter(argument.clone(), false),
            "take" => Step::Take(number()?),
            "take_while" => Step::TakeWhile(argument.clone()),
            "drop" => Step::Drop(number()?),
            "drop_while" => Step::DropWhile(Some(argument.clone())),
            "with_index" => Step::WithIndex(i64::try_from(number()?).ok()?),
            "dedup" => Step::Dedup(None),
            "uniq" => Step::Uniq(HashSet::new()),
            "flat_map" => Step::FlatMap {
                fun: argument.clone(),
                inner: None,
            },
            "chunk_every" => Step::Chunk {
                size: number()?.max(1),
                chunk: Vec::new(),
            },
            _ => return None,
        })
    }

    fn pass(&mut self, ctx: &mut Context, item: Term) -> Result<Pass, Throw> {
        Ok(match self {
            Step::Map(fun) => Pass::On(apply(ctx, fun, item)?),
            Step::Each(fun) => {
                apply(ctx, fun, item.clone())?;
                Pass::On(item)
            }
            Step::Filter(fun, wanted) if holds(ctx, fun, item.clone())? == *wanted => {
                Pass::On(item)
            }
            Step::Filter(..) => Pass::Skip,
            Step::Take(left) => {
                *left -= 1;
                Pass::On(item)
            }
            Step::TakeWhile(fun) if holds(ctx, fun, item.clone())? => Pass::On(item),
            Step::TakeWhile(_) => Pass::End,
            Step::Drop(0) => Pass::On(item),
            Step::Drop(left) => {
                *left -= 1;
                Pass::Skip
            }
            Step::DropWhile(fun) => match fun {
                Some(condition) if holds(ctx, condition, item.clone())? => Pass::Skip,
                _ => {
                    *fun = None;
                    Pass::On(item)
                }
            },
            Step::WithIndex(index) => {
                *index += 1;
                Pass::On(Term::tuple([item, Term::Int(*index - 1)]))
            }
            Step::Dedup(last) if last.as_ref() == Some(&item) => Pass::Skip,
            Step::Dedup(last) => {
                *last = Some(item.clone());
                Pass::On(item)
            }
            Step::Uniq(seen) => {
                if seen.insert(item.clone()) {
                    Pass::On(item)
                } else {
                    Pass::Skip
                }
            }
            Step::FlatMap { fun, inner } => {
                let part = apply(ctx, fun, item)?;
                *inner = Some(Items::of(&part)?);
                Pass::Skip
            }
            Step::Chunk { size, chunk } => {
                chunk.push(item);
                if chunk.len() == *size {
                    Pass::On(Term::list(std::mem::take(chunk)))
                } else {
                    Pass::Skip
                }
            }
        })
    }
}

fn stream(source: Term, steps: Vec<Term>) -> Term {
    structure(
        "Elixir.Stream",
        &[("enum", source), ("funs", Term::list(steps))],
    )
}

/// `enumerable`, and one more step.
fn step(enumerable: &Term, name: &str, argument: Term) -> Answer {
    let added = Term::tuple([Term::atom(name), argument]);
    if let Term::Map(map) = enumerable
        && super::items::struct_name(map) == Some("Elixir.Stream")
        && let (Some(source), Some(steps)) =
            (map.get(&Term::atom("enum")), map.get(&Term::atom("funs")))
    {
        let mut steps = steps.to_list_vec().unwrap_or_default();
        steps.push(added);
        return Ok(stream(source.clone(), steps));
    }
    Items::of(enumerable)?;
    Ok(stream(
        Term::tuple([Term::atom("items"), enumerable.clone()]),
        vec![added],
    ))
}

fn source<const N: usize>(parts: [Term; N]) -> Answer {
    Ok(stream(Term::tuple(parts.to_vec()), Vec::new()))
}

/// A stream of ready items.
pub(crate) fn of_items(items: Term) -> Term {
    stream(Term::tuple([Term::atom("items"), items]), Vec::new())
}

fn number(name: &'static str, args: &[Term]) -> Answer {
    match &args[1] {
        Term::Int(amount) if *amount >= 0 => step(&args[0], name, args[1].clone()),
        _ => Err(Throw::function_clause("Stream", name, args)),
    }
}

fn run(ctx: &mut Context, args: &[Term]) -> Answer {
    let mut items = Items::of(&args[0])?;
    while items.next(ctx)?.is_some() {}
    Ok(ok())
}

fn cycle(ctx: &mut Context, args: &[Term]) -> Answer {
    let all = collect(ctx, &args[0])?;
    if all.is_empty() {
        return Err(Throw::argument_error(
            "cannot cycle over an empty enumerable",
        ));
    }
    source([Term::atom("cycle"), Term::list(all)])
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "map"/2 => |_, args| step(&args[0], "map", args[1].clone()), "Stream.map(enumerable, fun): fun of each item, when asked for";
    "each"/2 => |_, args| step(&args[0], "each", args[1].clone()), "Stream.each(enumerable, fun): calls fun with each item as it passes";
    "filter"/2 => |_, args| step(&args[0], "filter", args[1].clone()), "Stream.filter(enumerable, fun): the items for which fun is truthy";
    "reject"/2 => |_, args| step(&args[0], "reject", args[1].clone()), "Stream.reject(enumerable, fun): the items for which fun is falsy";
    "take"/2 => |_, args| number("take", args), "Stream.take(enumerable, count): the first items";
    "drop"/2 => |_, args| number("drop", args), "Stream.drop(enumerable, count): all but the first items";
    "take_while"/2 => |_, args| step(&args[0], "take_while", args[1].clone()), "Stream.take_while(enumerable, fun)";
    "drop_while"/2 => |_, args| step(&args[0], "drop_while", args[1].clone()), "Stream.drop_while(enumerable, fun)";
    "with_index"/1 => |_, args| step(&args[0], "with_index", Term::Int(0)), "Stream.with_index(enumerable): {item, index} for each item";
    "with_index"/2 => |_, args| number("with_index", args), "Stream.with_index(enumerable, offset)";
    "dedup"/1 => |_, args| step(&args[0], "dedup", Term::Nil), "Stream.dedup(enumerable): repetitions that follow each other become one";
    "uniq"/1 => |_, args| step(&args[0], "uniq", Term::Nil), "Stream.uniq(enumerable): the items without repetitions";
    "flat_map"/2 => |_, args| step(&args[0], "flat_map", args[1].clone()), "Stream.flat_map(enumerable, fun): the items of all results of fun";
    "chunk_every"/2 => |_, args| number("chunk_every", args), "Stream.chunk_every(enumerable, count): lists of count items";
    "repeatedly"/1 => |_, args| source([Term::atom("repeatedly"), args[0].clone()]), "Stream.repeatedly(fun): the results of fun, without end";
    "iterate"/2 => |_, args| source([Term::atom("iterate"), args[0].clone(), args[1].clone()]), "Stream.iterate(start, fun): start, fun.(start) and so on, without end";
    "unfold"/2 => |_, args| source([Term::atom("unfold"), args[0].clone(), args[1].clone()]), "Stream.unfold(acc, fun): fun gives {item, acc}, or nil to end";
    "cycle"/1 => cycle, "Stream.cycle(enumerable): its items again and again";
    "concat"/1 => |ctx, args| { let parts = collect(ctx, &args[0])?; source([Term::atom("concat"), Term::list(parts)]) }, "Stream.concat(enumerables): one after the other";
    "concat"/2 => |_, args| source([Term::atom("concat"), Term::list(args.to_vec())]), "Stream.concat(first, second): one after the other";
    "zip"/2 => |_, args| source([Term::atom("zip"), Term::list(args.to_vec())]), "Stream.zip(left, right): {item, item} of both";
    "run"/1 => run, "Stream.run(stream): walks to the end, for what happens on the way";
};

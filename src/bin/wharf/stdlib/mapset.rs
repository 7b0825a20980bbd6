//! `MapSet`: a struct around a map whose keys are the members.
//!
//! Relies on `enumeration`. Promises members in Erlang's term order.
#![forbid(unsafe_code)]

use super::argument::{Answer, is_truthy};
use super::enumeration::build::new_set;
use super::enumeration::items::{collect, members, struct_name};
use super::{Entry, table};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use wharf::term::Term;

/// The members of the set at `place` (from 1).
fn set(args: &[Term], place: usize) -> Result<Vec<Term>, Throw> {
    match &args[place - 1] {
        Term::Map(map) if struct_name(map) == Some("Elixir.MapSet") => Ok(members(map)),
        _ => Err(Throw::function_clause("MapSet", "to_list", args)),
    }
}

fn new(ctx: &mut Context, args: &[Term]) -> Answer {
    let Some(source) = args.first() else {
        return Ok(new_set(Vec::new()));
    };
    let mut items = collect(ctx, source)?;
    if let Some(fun) = args.get(1) {
        for item in &mut items {
            *item = ctx.apply(fun, vec![item.clone()])?;
        }
    }
    Ok(new_set(items))
}

fn put(_: &mut Context, args: &[Term]) -> Answer {
    let mut members = set(args, 1)?;
    members.push(args[1].clone());
    Ok(new_set(members))
}

fn delete(_: &mut Context, args: &[Term]) -> Answer {
    let mut members = set(args, 1)?;
    members.retain(|member| *member != args[1]);
    Ok(new_set(members))
}

fn union(_: &mut Context, args: &[Term]) -> Answer {
    let mut members = set(args, 1)?;
    members.extend(set(args, 2)?);
    Ok(new_set(members))
}

/// The members of the first set that are, or are not, in the second.
fn common(args: &[Term], wanted: bool) -> Result<Vec<Term>, Throw> {
    let (mut left, right) = (set(args, 1)?, set(args, 2)?);
    left.retain(|member| right.contains(member) == wanted);
    Ok(left)
}

fn symmetric_difference(_: &mut Context, args: &[Term]) -> Answer {
    let mut members = common(args, false)?;
    members.extend(common(&[args[1].clone(), args[0].clone()], false)?);
    Ok(new_set(members))
}

fn filter(ctx: &mut Context, args: &[Term], wanted: bool) -> Answer {
    let mut kept = Vec::new();
    for member in set(args, 1)? {
        if is_truthy(&ctx.apply(&args[1], vec![member.clone()])?) == wanted {
            kept.push(member);
        }
    }
    Ok(new_set(kept))
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "new"/0 => new, "MapSet.new(): an empty set";
    "new"/1 => new, "MapSet.new(enumerable): a set of its items";
    "new"/2 => new, "MapSet.new(enumerable, transform): a set of the results of transform";
    "put"/2 => put, "MapSet.put(set, value)";
    "delete"/2 => delete, "MapSet.delete(set, value)";
    "member?"/2 => |_, args| Ok(set(args, 1)?.contains(&args[1]).into()), "MapSet.member?(set, value)";
    "size"/1 => |_, args| Ok(set(args, 1)?.len().into()), "MapSet.size(set)";
    "to_list"/1 => |_, args| set(args, 1).map(Term::list), "MapSet.to_list(set)";
    "union"/2 => union, "MapSet.union(left, right)";
    "intersection"/2 => |_, args| common(args, true).map(new_set), "MapSet.intersection(left, right)";
    "difference"/2 => |_, args| common(args, false).map(new_set), "MapSet.difference(left, right)";
    "symmetric_difference"/2 => symmetric_difference, "MapSet.symmetric_difference(left, right)";
    "subset?"/2 => |_, args| Ok(common(args, false)?.is_empty().into()), "MapSet.subset?(left, right)";
    "disjoint?"/2 => |_, args| Ok(common(args, true)?.is_empty().into()), "MapSet.disjoint?(left, right)";
    "equal?"/2 => |_, args| Ok((set(args, 1)? == set(args, 2)?).into()), "MapSet.equal?(left, right)";
    "filter"/2 => |ctx, args| filter(ctx, args, true), "MapSet.filter(set, fun)";
    "reject"/2 => |ctx, args| filter(ctx, args, false), "MapSet.reject(set, fun)";
};

//! `:math`, `:rand` and `:timer`.
//!
//! Relies on the processor's floats. Promises `:badarith` where a function has no value.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad, ok, ok_with};
use super::number::{finite, is_number, random, random_below, to_float};
use super::{Entry, process, table};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use std::time::Instant;
use wharf::term::Term;

fn float(args: &[Term], place: usize) -> Result<f64, Throw> {
    let number = &args[place - 1];
    if is_number(number) {
        to_float(number)
    } else {
        Err(bad(place, "not a number"))
    }
}

fn one(args: &[Term], function: fn(f64) -> f64) -> Answer {
    finite(function(float(args, 1)?))
}

fn two(args: &[Term], function: fn(f64, f64) -> f64) -> Answer {
    finite(function(float(args, 1)?, float(args, 2)?))
}

/// The functions of `:math`.
pub(crate) const MATH: &[Entry] = table! {
    "pi"/0 => |_, _| Ok(Term::Float(std::f64::consts::PI)), ":math.pi()";
    "tau"/0 => |_, _| Ok(Term::Float(std::f64::consts::TAU)), ":math.tau()";
    "sqrt"/1 => |_, args| one(args, f64::sqrt), ":math.sqrt(x)";
    "exp"/1 => |_, args| one(args, f64::exp), ":math.exp(x)";
    "log"/1 => |_, args| one(args, f64::ln), ":math.log(x): the natural logarithm";
    "log2"/1 => |_, args| one(args, f64::log2), ":math.log2(x)";
    "log10"/1 => |_, args| one(args, f64::log10), ":math.log10(x)";
    "sin"/1 => |_, args| one(args, f64::sin), ":math.sin(x)";
    "cos"/1 => |_, args| one(args, f64::cos), ":math.cos(x)";
    "tan"/1 => |_, args| one(args, f64::tan), ":math.tan(x)";
    "asin"/1 => |_, args| one(args, f64::asin), ":math.asin(x)";
    "acos"/1 => |_, args| one(args, f64::acos), ":math.acos(x)";
    "atan"/1 => |_, args| one(args, f64::atan), ":math.atan(x)";
    "sinh"/1 => |_, args| one(args, f64::sinh), ":math.sinh(x)";
    "cosh"/1 => |_, args| one(args, f64::cosh), ":math.cosh(x)";
    "tanh"/1 => |_, args| one(args, f64::tanh), ":math.tanh(x)";
    "floor"/1 => |_, args| one(args, f64::floor), ":math.floor(x)";
    "ceil"/1 => |_, args| one(args, f64::ceil), ":math.ceil(x)";
    "atan2"/2 => |_, args| two(args, f64::atan2), ":math.atan2(y, x)";
    "fmod"/2 => |_, args| two(args, |a, b| a % b), ":math.fmod(x, y)";
    "pow"/2 => |_, args| two(args, f64::powf), ":math.pow(x, y)";
};

/// From 0.0 up to 1.0, which it never is.
fn uniform(_: &mut Context, args: &[Term]) -> Answer {
    match args.first() {
        #[allow(clippy::cast_precision_loss)] // 53 bits fit
        None => Ok(Term::Float((random() >> 11) as f64 / (1_u64 << 53) as f64)),
        Some(bound) => {
            let bound = bound.as_usize().filter(|bound| *bound > 0);
            let bound =
                bound.ok_or_else(|| Throw::about_call("function_clause", None, "uniform", args))?;
            Ok((random_below(bound) + 1).into())
        }
    }
}

fn random_bytes(_: &mut Context, args: &[Term]) -> Answer {
    let count = super::argument::count(args, 1)?;
    let count = super::argument::amount(count, 1)?;
    let bytes: Vec<u8> = std::iter::repeat_with(|| random().to_le_bytes())
        .flatten()
        .take(count)
        .collect();
    Ok(super::argument::binary_of(bytes))
}

/// The functions of `:rand`.
pub(crate) const RAND: &[Entry] = table! {
    "uniform"/0 => uniform, ":rand.uniform(): a float from 0.0 up to 1.0";
    "uniform"/1 => uniform, ":rand.uniform(n): an integer from 1 to n";
    "bytes"/1 => random_bytes, ":rand.bytes(count)";
    "seed"/1 => |_, _| Ok(ok()), ":rand.seed(algorithm): accepted; numbers are not repeated";
    "seed"/2 => |_, _| Ok(ok()), ":rand.seed(algorithm, seed): accepted; numbers are not repeated";
};

/// `:timer.tc`: the microseconds a call takes, and its result.
fn tc(ctx: &mut Context, args: &[Term]) -> Answer {
    let start = Instant::now();
    let result = match args {
        [fun] => ctx.apply(fun, Vec::new())?,
        [fun, arguments] => ctx.apply(
            fun,
            arguments.to_list_vec().ok_or_else(|| Throw::badarg(None))?,
        )?,
        _ => super::kernel::apply_named(ctx, args)?,
    };
    let micros = i64::try_from(start.elapsed().as_micros()).unwrap_or(i64::MAX);
    Ok(Term::tuple([Term::Int(micros), result]))
}

/// `:timer.send_after(time, to \\ self(), message)`
fn send_after(ctx: &mut Context, args: &[Term]) -> Answer {
    let (to, message) = match args {
        [_, to, message] => (to.clone(), message.clone()),
        _ => (Term::Pid(ctx.process().pid()), args[1].clone()),
    };
    process::send_after(ctx, &[args[0].clone(), to, message]).map(ok_with)
}

fn cancel(ctx: &mut Context, args: &[Term]) -> Answer {
    process::cancel_timer(ctx, args).map(|_| ok_with(Term::atom("cancel")))
}

/// The functions of `:timer`.
pub(crate) const TIMER: &[Entry] = table! {
    "sleep"/1 => process::sleep, ":timer.sleep(milliseconds)";
    "tc"/1 => tc, ":timer.tc(fun): {microseconds, result}";
    "tc"/2 => tc, ":timer.tc(fun, args)";
    "tc"/3 => tc, ":timer.tc(module, function, args)";
    "send_after"/2 => send_after, ":timer.send_after(milliseconds, message): to this process";
    "send_after"/3 => send_after, ":timer.send_after(milliseconds, dest, message): {:ok, ref}";
    "cancel"/1 => cancel, ":timer.cancel(ref)";
    "seconds"/1 => |_, args| super::integer::multiplied(args, 1_000), ":timer.seconds(count): in milliseconds";
    "minutes"/1 => |_, args| super::integer::multiplied(args, 60_000), ":timer.minutes(count): in milliseconds";
    "hours"/1 => |_, args| super::integer::multiplied(args, 3_600_000), ":timer.hours(count): in milliseconds";
};

//! Time: clocks, units and their conversion.
//!
//! Relies on the standard library's clocks. Promises nanoseconds as the native unit, as Erlang has it on Linux.
#![forbid(unsafe_code)]

use super::argument::{Answer, bad, big};
use super::{Entry, table};
use crate::inspect::inspect;
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use num_bigint::BigInt;
use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use wharf::term::Term;

/// Where the monotonic clock began. Erlang's is negative for centuries to come; so is this one.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);
const START_NS: i128 = -576_460_752_000_000_000;

/// The monotonic clock in nanoseconds.
pub(crate) fn monotonic_ns() -> i128 {
    START_NS + i128::try_from(START.elapsed().as_nanos()).unwrap_or(0)
}

/// The time since 1970 in nanoseconds.
pub(crate) fn system_ns() -> i128 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i128::try_from(since.as_nanos()).unwrap_or(i128::MAX),
        Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX),
    }
}

/// How many of a unit make a second.
fn per_second(unit: &Term) -> Option<i64> {
    match unit {
        Term::Int(parts) if *parts > 0 => Some(*parts),
        Term::Atom(name) => Some(match name.as_str() {
            "second" | "seconds" => 1,
            "millisecond" | "milli_seconds" => 1_000,
            "microsecond" | "micro_seconds" => 1_000_000,
            "nanosecond" | "nano_seconds" | "native" | "perf_counter" => 1_000_000_000,
            _ => return None,
        }),
        _ => None,
    }
}

fn elixir_unit(unit: &Term) -> Result<i64, Throw> {
    per_second(unit).ok_or_else(|| {
        Throw::argument_error(&format!(
            "unsupported time unit. Expected :second, :millisecond, :microsecond, :nanosecond, or a positive integer, got {}",
            inspect(unit)
        ))
    })
}

fn divided(value: BigInt, to: i64, from: i64) -> Answer {
    super::number::floor_div_mod(&Term::integer(value * to), &Term::Int(from))
        .map(|(quotient, _)| quotient)
}

fn read(nanoseconds: i128, args: &[Term], elixir: bool) -> Answer {
    let unit = match args.first() {
        None => 1_000_000_000,
        Some(unit) if elixir => elixir_unit(unit)?,
        Some(unit) => per_second(unit).ok_or_else(|| bad(1, "invalid time unit"))?,
    };
    divided(BigInt::from(nanoseconds), unit, 1_000_000_000)
}

/// `convert_time_unit(time, from, to)`
fn convert(args: &[Term], elixir: bool) -> Answer {
    let time = big(&args[0]).ok_or_else(|| bad(1, "not an integer"))?;
    let unit = |place: usize| match elixir {
        true => elixir_unit(&args[place - 1]),
        false => per_second(&args[place - 1]).ok_or_else(|| bad(place, "invalid time unit")),
    };
    divided(time, unit(3)?, unit(2)?)
}

/// `:erlang.timestamp()`: megaseconds, seconds, microseconds
fn timestamp(_: &mut Context, _: &[Term]) -> Answer {
    let micros = i64::try_from(system_ns() / 1_000).unwrap_or(i64::MAX);
    let parts = [
        micros / 1_000_000_000_000,
        micros / 1_000_000 % 1_000_000,
        micros % 1_000_000,
    ];
    Ok(Term::tuple(parts.map(Term::Int)))
}

fn now_parts() -> [i64; 6] {
    parts(i64::try_from(system_ns().div_euclid(1_000_000_000)).unwrap_or(0))
}

/// Year, month, day, hour, minute and second in Greenwich, of seconds since 1970.
pub(crate) fn parts(seconds: i64) -> [i64; 6] {
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days counted from the first of March of year 0, in eras of 400 years.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    [
        year,
        month,
        day,
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60,
    ]
}

fn date() -> Term {
    let [year, month, day, ..] = now_parts();
    Term::tuple([year, month, day].map(Term::Int))
}

fn time() -> Term {
    let [.., hour, minute, second] = now_parts();
    Term::tuple([hour, minute, second].map(Term::Int))
}

/// The functions of `:erlang` on time.
pub(crate) const ERLANG: &[Entry] = table! {
    "monotonic_time"/0 => |_, args| read(monotonic_ns(), args, false), ":erlang.monotonic_time(): in nanoseconds";
    "monotonic_time"/1 => |_, args| read(monotonic_ns(), args, false), ":erlang.monotonic_time(unit)";
    "system_time"/0 => |_, args| read(system_ns(), args, false), ":erlang.system_time(): in nanoseconds";
    "system_time"/1 => |_, args| read(system_ns(), args, false), ":erlang.system_time(unit)";
    "time_offset"/0 => |_, args| read(system_ns() - monotonic_ns(), args, false), ":erlang.time_offset()";
    "time_offset"/1 => |_, args| read(system_ns() - monotonic_ns(), args, false), ":erlang.time_offset(unit)";
    "convert_time_unit"/3 => |_, args| convert(args, false), ":erlang.convert_time_unit(time, from, to)";
    "timestamp"/0 => timestamp, ":erlang.timestamp(): {megaseconds, seconds, microseconds}";
    "now"/0 => timestamp, ":erlang.now(): {megaseconds, seconds, microseconds}";
    "date"/0 => |_, _| Ok(date()), ":erlang.date(): {year, month, day}";
    "time"/0 => |_, _| Ok(time()), ":erlang.time(): {hour, minute, second}";
    "universaltime"/0 => |_, _| Ok(Term::tuple([date(), time()])), ":erlang.universaltime()";
    "localtime"/0 => |_, _| Ok(Term::tuple([date(), time()])), ":erlang.localtime(): as in Greenwich";
};

/// The functions of `System` on time.
pub(crate) const SYSTEM: &[Entry] = table! {
    "monotonic_time"/0 => |_, args| read(monotonic_ns(), args, true), "System.monotonic_time(): in nanoseconds";
    "monotonic_time"/1 => |_, args| read(monotonic_ns(), args, true), "System.monotonic_time(unit)";
    "system_time"/0 => |_, args| read(system_ns(), args, true), "System.system_time(): in nanoseconds";
    "system_time"/1 => |_, args| read(system_ns(), args, true), "System.system_time(unit)";
    "os_time"/0 => |_, args| read(system_ns(), args, true), "System.os_time(): in nanoseconds";
    "os_time"/1 => |_, args| read(system_ns(), args, true), "System.os_time(unit)";
    "time_offset"/0 => |_, args| read(system_ns() - monotonic_ns(), args, true), "System.time_offset()";
    "time_offset"/1 => |_, args| read(system_ns() - monotonic_ns(), args, true), "System.time_offset(unit)";
    "convert_time_unit"/3 => |_, args| convert(args, true), "System.convert_time_unit(time, from, to)";
};

//! Outcomes as JSON: an array with an object for each column.
#![forbid(unsafe_code)]

use super::outcome::Outcome;
use super::rows::Better;
use super::spread::Spread;
use serde_json::{Value, json};

/// All of them, in their order.
pub(super) fn array(outcomes: &[Outcome]) -> Value {
    outcomes.iter().map(object).collect()
}

fn object(outcome: &Outcome) -> Value {
    json!({
        "row": outcome.group.row,
        "name": outcome.column.name,
        "unit": outcome.column.unit,
        "better": match outcome.column.better {
            Better::More => "more",
            Better::Less => "less",
        },
        "wharf": spread(outcome.wharf.as_ref()),
        "otp": spread(outcome.erlang.as_ref()),
        "ratio": spread(outcome.times_erlang.as_ref()),
        "c": spread(outcome.floor.as_ref()),
        "c_ratio": spread(outcome.times_floor.as_ref()),
        "target": outcome.column.target_text(),
        "met": outcome.met(),
        "error": outcome.failure,
    })
}

fn spread(spread: Option<&Spread>) -> Value {
    match spread {
        None => Value::Null,
        Some(spread) => json!({
            "median": spread.median(),
            "min": spread.min(),
            "max": spread.max(),
        }),
    }
}

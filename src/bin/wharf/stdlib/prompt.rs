//! What iex offers at its prompt beyond `Kernel`.
#![forbid(unsafe_code)]

use super::argument::Answer;
use super::{Entry, table};
use crate::inspect::{Options, inspect_lines};
use crate::lang::native::Context;
use crate::lang::throw::Throw;
use std::time::Instant;
use wharf::term::Term;

/// `flush()`: takes and prints what is in the mailbox, without waiting.
fn flush(ctx: &mut Context, _: &[Term]) -> Answer {
    loop {
        let now = Some(Instant::now());
        let next = ctx
            .process()
            .receive(|message| Some(message.clone()), now)
            .map_err(|exited| Throw::killed(exited.reason))?;
        let Some(message) = next else {
            return Ok(Term::atom("ok"));
        };
        let text = inspect_lines(&message, &Options::default());
        ctx.write(format!("{text}\n").as_bytes());
    }
}

pub(crate) const TABLE: &[Entry] = table! {
    "flush"/0 => flush, "flush(): prints the messages that have come, and takes them";
};

//! `receive`: the first message that a clause wants, or what comes after.
#![forbid(unsafe_code)]

use super::{Eval, Frame};
use crate::lang::context::Context;
use crate::lang::node::Receive;
use crate::lang::throw::Throw;
use std::time::{Duration, Instant};
use wharf::term::Term;

impl Context {
    pub(super) fn receive(&mut self, node: &Receive, frame: &mut Frame) -> Eval {
        let deadline = match &node.after {
            None => None,
            Some((time, _)) => {
                let time = self.eval(time, frame)?;
                self.deadline(&time)
                    .map_err(|throw| frame.pass(throw, node.line))?
            }
        };
        let process = self.process.clone();
        let mut failure = None;
        let chosen = process.receive(
            |message| {
                for clause in &node.clauses {
                    match self.accepts(clause, message, frame) {
                        Ok(true) => return Some(Some(clause)),
                        Ok(false) => {}
                        Err(unwind) => {
                            failure = Some(unwind);
                            return Some(None);
                        }
                    }
                }
                None
            },
            deadline,
        );
        if let Some(failure) = failure {
            return Err(failure);
        }
        match chosen {
            Ok(Some(Some(clause))) => self.eval(&clause.body, frame),
            Ok(_) => match &node.after {
                Some((_, body)) => self.eval(body, frame),
                None => Ok(super::NIL),
            },
            Err(exited) => Err(Throw::killed(exited.reason).into()),
        }
    }

    /// When a wait of this many milliseconds is over; `None` is never.
    fn deadline(&self, time: &Term) -> Result<Option<Instant>, Throw> {
        if time.is_atom("infinity") {
            return Ok(None);
        }
        // Erlang waits for 32 bits of milliseconds at most.
        match time.as_int().and_then(|time| u32::try_from(time).ok()) {
            Some(time) => Ok(Some(
                Instant::now() + Duration::from_millis(u64::from(time)),
            )),
            None => Err(Throw::error(Term::atom("timeout_value"))),
        }
    }
}

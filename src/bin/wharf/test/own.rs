//! wharf's own language as the one that answers prompts.
//!
//! Relies on a session that runs in a thread of its own, so that a prompt can be given up: its
//! process is killed then, which ends whatever it waits for.
#![forbid(unsafe_code)]

use super::check::{Answer, Interpreter};
use crate::inspect::exception::exit_text;
use crate::inspect::inspect;
use crate::lang::session::{Failure, Session};
use crate::lang::world::{Output, World};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use wharf::host::{Host, Process};
use wharf::term::Term;

/// A session and the thread that asks it.
pub(crate) struct Own {
    inputs: Sender<(String, u32)>,
    answers: Receiver<(Result<Term, Failure>, Process)>,
    /// The session's process; another one after it died.
    process: Process,
    world: World,
    printed: Arc<Mutex<Vec<u8>>>,
    /// iex counts the inputs that gave a value, and names lines by that.
    prompt: u32,
}

/// How long a killed process may take to notice.
const GRACE: Duration = Duration::from_secs(1);

impl Own {
    /// A fresh session in a host of its own.
    pub(crate) fn start(host: Host) -> Result<Own, String> {
        let printed = Arc::new(Mutex::new(Vec::new()));
        let world = World::new(host, Output::Captured(printed.clone()), Vec::new());
        let mut session = Session::new(world.clone(), "iex")
            .map_err(|error| format!("the session's process cannot start: {error}"))?;
        let process = session.process();
        let (inputs, work) = channel::<(String, u32)>();
        let (done, answers) = channel();
        std::thread::spawn(move || {
            while let Ok((source, line)) = work.recv() {
                let result = session.eval_at(&source, line);
                if done.send((result, session.process())).is_err() {
                    break;
                }
            }
        });
        Ok(Own {
            inputs,
            answers,
            process,
            world,
            printed,
            prompt: 1,
        })
    }

    fn take_printed(&self) -> String {
        let mut printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&std::mem::take(&mut *printed)).into_owned()
    }

    fn give_up(&self) {
        let kill = Term::atom("kill");
        // It may have died just now; then there is nothing to kill.
        let _ = self
            .process
            .host()
            .process()
            .exit_signal(&Term::from(self.process.pid()), kill);
        let _ = self.answers.recv_timeout(GRACE);
    }
}

impl Interpreter for Own {
    fn evaluate(&mut self, source: &str, timeout: Duration) -> Answer {
        let lost = || Answer::Gone("the session ended".to_owned());
        if self.inputs.send((source.to_owned(), self.prompt)).is_err() {
            return lost();
        }
        let (result, process) = match self.answers.recv_timeout(timeout) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => {
                self.give_up();
                return Answer::TimedOut;
            }
            Err(RecvTimeoutError::Disconnected) => return lost(),
        };
        self.process = process;
        if let Some(status) = self.world.halted() {
            return Answer::Gone(format!("the session ended itself, with status {status}"));
        }
        let printed = self.take_printed();
        match result {
            Ok(value) => {
                self.prompt += 1;
                Answer::Value {
                    printed,
                    value: inspect(&value),
                }
            }
            Err(ref failure @ Failure::Syntax { ref error, .. }) => Answer::Syntax {
                line: (error.at.line.saturating_sub(self.prompt) + 1) as usize,
                column: error.at.column as usize,
                reason: error.reason.clone(),
                error: failure.banner(),
            },
            Err(Failure::Ended { pid, reason }) => Answer::Raised {
                printed,
                error: format!(
                    "** (EXIT from {pid}) shell process exited with reason: {}",
                    exit_text(&reason)
                ),
            },
            Err(failure) => Answer::Raised {
                printed,
                error: failure.banner(),
            },
        }
    }

    fn messages(&mut self, wait: Duration) -> Result<Vec<String>, Answer> {
        let mut messages = Vec::new();
        let mut deadline = Instant::now() + wait;
        loop {
            match self
                .process
                .receive(|message| Some(message.clone()), Some(deadline))
            {
                Ok(Some(message)) => messages.push(inspect(&message)),
                Ok(None) => return Ok(messages),
                Err(exited) if messages.is_empty() => {
                    // The next evaluation finds the process dead and replaces it.
                    let pid = inspect(&Term::from(self.process.pid()));
                    let reason = exit_text(&exited.reason);
                    let error =
                        format!("** (EXIT from {pid}) shell process exited with reason: {reason}");
                    return Err(Answer::Raised {
                        printed: String::new(),
                        error,
                    });
                }
                Err(_) => return Ok(messages),
            }
            deadline = Instant::now();
        }
    }
}

//! An evaluation that goes on: expressions one after the other, their variables kept, in one process.
//!
//! Relies on a thread with a large stack that runs everything, so that deep recursion does not depend on the caller.
//! Promises that a process which dies is reported and replaced, as iex does.
#![forbid(unsafe_code)]

use super::compile::{Bindings, compile};
use super::context::Context;
use super::parse::{Fault, SyntaxError, parse};
use super::report;
use super::throw::{Class, Throw};
use super::world::World;
use std::borrow::Cow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use wharf::host::Process;
use wharf::term::{Term, atom};

/// Why an evaluation gave no value.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The text cannot be read, or means nothing.
    Syntax {
        file: Arc<str>,
        error: SyntaxError,
        /// The line it is in.
        source: String,
    },
    /// An error, exit or throw that nobody caught.
    Uncaught {
        throw: Throw,
        banner: String,
        report: String,
    },
    /// A signal ended the process.
    Ended { pid: String, reason: Term },
}

/// A line of the script, or what is around a place in it that has `before` characters before it; and how many it
/// then has.
fn excerpt(line: &str, before: usize) -> (Cow<'_, str>, usize) {
    const AROUND: usize = 100;
    if line.chars().count() <= 3 * AROUND {
        return (Cow::Borrowed(line), before);
    }
    let start = before.saturating_sub(AROUND);
    let shown: String = line.chars().skip(start).take(2 * AROUND).collect();
    if start == 0 {
        return (Cow::Owned(format!("{shown}…")), before);
    }
    (Cow::Owned(format!("…{shown}…")), before - start + 1)
}

impl Failure {
    /// Whether more lines could complete the text.
    pub(crate) fn is_incomplete(&self) -> bool {
        matches!(self, Failure::Syntax { error, .. } if error.sort == Fault::Incomplete)
    }

    /// `** (ArgumentError) argument error`, without the calls beneath.
    pub(crate) fn banner(&self) -> String {
        match self {
            Failure::Uncaught { banner, .. } => banner.clone(),
            Failure::Syntax { .. } => self.report().lines().next().unwrap_or("").to_owned(),
            Failure::Ended { .. } => self.report().trim_end().to_owned(),
        }
    }

    /// All that is to be said, as Elixir says it on standard error.
    pub(crate) fn report(&self) -> String {
        match self {
            Failure::Uncaught { report, .. } => report.clone(),
            Failure::Syntax {
                file,
                error,
                source,
            } => {
                let (at, reason) = (error.at, &error.reason);
                let name = match error.sort {
                    Fault::Wrong => "SyntaxError",
                    Fault::Incomplete => "TokenMissingError",
                    Fault::Unsupported => "CompileError",
                    Fault::Meaning => {
                        return format!("** (CompileError) {file}:{}: {reason}\n", at.line);
                    }
                };
                let mut text = format!("** ({name}) {file}:{}:{}: {reason}\n", at.line, at.column);
                // A missing end is best seen where the beginning is; all else is worth a look at the line.
                if !reason.contains("missing terminator") {
                    let number = at.line.to_string();
                    let margin = " ".repeat(number.len() + 3);
                    let (source, before) = excerpt(source, at.column.saturating_sub(1) as usize);
                    let arrow = " ".repeat(before);
                    text.push_str(&format!(
                        "{margin}|\n  {number} | {source}\n{margin}| {arrow}^\n"
                    ));
                }
                text
            }
            Failure::Ended { pid, reason } => {
                format!(
                    "** (EXIT from {pid}) {}\n",
                    crate::inspect::exception::exit_text(reason)
                )
            }
        }
    }

    /// Whether the script chose to end, which is nothing to complain about: `exit(:normal)`, `exit({:shutdown, 3})`.
    pub(crate) fn is_quiet(&self) -> bool {
        let Failure::Uncaught { throw, .. } = self else {
            return false;
        };
        let quiet = match &throw.reason {
            Term::Atom(atom::NORMAL | atom::SHUTDOWN) => true,
            Term::Tuple(pair) => {
                pair.len() == 2
                    && pair[0] == Term::Atom(atom::SHUTDOWN)
                    && pair[1].as_int().is_some()
            }
            _ => false,
        };
        throw.class == Class::Exit && quiet
    }

    /// The status that a command ends with.
    pub(crate) fn exit_status(&self) -> i32 {
        let Failure::Uncaught { throw, .. } = self else {
            return 1;
        };
        if throw.class != Class::Exit {
            return 1;
        }
        match &throw.reason {
            Term::Atom(atom::NORMAL | atom::SHUTDOWN) => 0,
            Term::Tuple(pair) if pair.len() == 2 && pair[0] == Term::Atom(atom::SHUTDOWN) => pair
                [1]
            .as_int()
            .and_then(|status| i32::try_from(status).ok())
            .unwrap_or(1),
            _ => 1,
        }
    }
}

struct Request {
    source: String,
    file: Arc<str>,
    line: u32,
    answer: Sender<Result<Term, Failure>>,
}

/// A running session. Dropping it ends its processes.
pub(crate) struct Session {
    world: World,
    requests: Sender<Request>,
    shared: Arc<Mutex<Shared>>,
    file: Arc<str>,
}

/// What the caller may look at while the session's thread works.
struct Shared {
    process: Process,
    variables: Vec<String>,
}

/// The main process's stack: address space, of which only what is used costs memory.
const STACK_BYTES: usize = 1 << 30;
const SMALL_STACK_BYTES: usize = 64 << 20;

impl Session {
    /// A session in a world. `file` names the text in errors ("iex", a path).
    pub(crate) fn new(world: World, file: &str) -> std::io::Result<Session> {
        let process = world.host().process();
        let shared = Arc::new(Mutex::new(Shared {
            process,
            variables: Vec::new(),
        }));
        let mut result = Err(std::io::Error::other("no thread"));
        for stack in [STACK_BYTES, SMALL_STACK_BYTES] {
            let (requests, work) = channel();
            let (world_of, shared_of) = (world.clone(), shared.clone());
            let builder = std::thread::Builder::new()
                .name("main process".to_owned())
                .stack_size(stack);
            result = builder
                .spawn(move || Worker::new(world_of, shared_of, stack).serve(&work))
                .map(|_| requests);
            if result.is_ok() {
                break;
            }
        }
        Ok(Session {
            world,
            requests: result?,
            shared,
            file: file.into(),
        })
    }

    /// Evaluates expressions that begin at this line of the session's file; their variables stay for the next time.
    pub(crate) fn eval_at(&mut self, source: &str, line: u32) -> Result<Term, Failure> {
        let (answer, result) = channel();
        let request = Request {
            source: source.to_owned(),
            file: self.file.clone(),
            line,
            answer,
        };
        let lost = || Failure::Ended {
            pid: "the session".to_owned(),
            reason: Term::atom("internal_error"),
        };
        self.requests.send(request).map_err(|_| lost())?;
        result.recv().map_err(|_| lost())?
    }

    /// The process that evaluates now.
    pub(crate) fn process(&self) -> Process {
        shared(&self.shared).process.clone()
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// The names of the variables that are bound.
    pub(crate) fn variables(&self) -> Vec<String> {
        shared(&self.shared).variables.clone()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Spawned processes go with the session; each has a thread that waits for this.
        let process = self.process();
        for pid in self.world.host().processes() {
            if pid != process.pid() {
                let _ = process.exit_signal(&Term::Pid(pid), Term::Atom(atom::KILL));
            }
        }
        process.exit(Term::Atom(atom::NORMAL));
    }
}

fn shared(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The session's thread.
struct Worker {
    context: Context,
    shared: Arc<Mutex<Shared>>,
    stack: usize,
    bindings: Bindings,
    values: Vec<Term>,
}

impl Worker {
    fn new(world: World, shared_state: Arc<Mutex<Shared>>, stack: usize) -> Worker {
        let process = shared(&shared_state).process.clone();
        let context = Context::new(process, world, stack);
        Worker {
            context,
            shared: shared_state,
            stack,
            bindings: Bindings::default(),
            values: Vec::new(),
        }
    }

    fn serve(mut self, work: &Receiver<Request>) {
        while let Ok(request) = work.recv() {
            let result = self.evaluate_guarded(&request);
            let result = self.settle(result);
            shared(&self.shared).variables = self.bindings.names.clone();
            // Who asked may have gone.
            let _ = request.answer.send(result);
        }
    }

    fn evaluate_guarded(&mut self, request: &Request) -> Result<Term, Failure> {
        let evaluate = std::panic::AssertUnwindSafe(|| self.evaluate(request));
        let fault = |_| Throw::error(Term::Atom(atom::INTERNAL_ERROR));
        match std::panic::catch_unwind(evaluate).map_err(fault) {
            Ok(result) => result,
            Err(throw) => Err(self.uncaught(throw)),
        }
    }

    fn evaluate(&mut self, request: &Request) -> Result<Term, Failure> {
        let file = &request.file;
        let refuse = |error: SyntaxError| {
            let index = error.at.line.saturating_sub(request.line) as usize;
            let source = request.source.lines().nth(index).unwrap_or("").to_owned();
            Failure::Syntax {
                file: file.clone(),
                error,
                source,
            }
        };
        let tree = parse(&request.source, request.line).map_err(refuse)?;
        let world = self.context.world.clone();
        let program = compile(&world, file, &tree, &self.bindings);
        let program = program.map_err(|(error, warnings)| {
            warn(&world, file, &warnings);
            refuse(error)
        })?;
        warn(&world, file, &program.warnings);
        let mut slots = self.values.clone();
        slots.resize(program.lambda.slots, Term::Nil);
        let result = self.context.run_file(&program.lambda, &mut slots);
        match result {
            Ok(value) => {
                self.values = program
                    .variables
                    .iter()
                    .map(|(_, slot)| slots[*slot].clone())
                    .collect();
                self.bindings = program.bindings;
                Ok(value)
            }
            // A failed line binds nothing, as in iex.
            Err(throw) => Err(self.uncaught(throw)),
        }
    }

    fn uncaught(&mut self, throw: Throw) -> Failure {
        let banner = report::banner(&mut self.context, &throw);
        let report = report::full(&mut self.context, &throw);
        Failure::Uncaught {
            throw,
            banner,
            report,
        }
    }

    /// A process that a signal ended gives way to a new one.
    fn settle(&mut self, result: Result<Term, Failure>) -> Result<Term, Failure> {
        let Some(reason) = self.context.process.exited() else {
            return result;
        };
        let pid = crate::inspect::inspect(&Term::Pid(self.context.process.pid()));
        let process = self.context.world.host().process();
        shared(&self.shared).process = process.clone();
        self.context = Context::new(process, self.context.world.clone(), self.stack);
        Err(Failure::Ended { pid, reason })
    }
}

fn warn(world: &World, file: &str, warnings: &[(String, u32)]) {
    for (warning, line) in warnings {
        world.complain(&format!("warning: {warning}\n  {file}:{line}\n\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::lang::world::Output;
    use wharf::host::Host;

    fn session() -> Session {
        let host = Host::new().expect("a host");
        let world = World::new(host, Output::Captured(Arc::default()), Vec::new());
        Session::new(world, "iex").expect("a session")
    }

    fn shown(session: &mut Session, source: &str) -> String {
        match session.eval_at(source, 1) {
            Ok(value) => inspect(&value),
            Err(failure) => failure.banner(),
        }
    }

    #[test]
    fn a_long_line_is_shown_around_its_fault() {
        let wrong = format!("[{}1 2, {}]", "1, ".repeat(5000), "é, ".repeat(5000));
        let said = parse(&wrong, 1).map(drop).unwrap_err();
        let place = said.at.column as usize - 1;
        let (shown, before) = excerpt(&wrong, place);
        assert!(shown.chars().count() < 300, "{shown}");
        assert_eq!(shown.chars().nth(before), wrong.chars().nth(place));
        assert_eq!(excerpt("x = )", 4), ("x = )".into(), 4));
    }

    #[test]
    fn variables_modules_and_aliases_stay() {
        let mut session = session();
        for (source, expected) in [
            ("x = 1", "1"),
            ("{y, x} = {x, 2}", "{1, 2}"),
            (
                "defmodule A.B do\n  def f(n), do: n * 10\nend; alias A.B",
                "A.B",
            ),
            ("B.f(x) + y", "21"),
            ("f = fn -> x end; x = 5; f.()", "2"),
            ("import A.B; f(x)", "50"),
        ] {
            assert_eq!(shown(&mut session, source), expected, "{source}");
        }
        assert_eq!(session.variables(), ["f", "x", "y"]);
    }

    #[test]
    fn a_failed_line_binds_nothing_and_ends_nobody() {
        let mut session = session();
        let before = session.process().pid();
        assert_eq!(shown(&mut session, "x = 1"), "1");
        assert_eq!(
            shown(&mut session, "x = 2; raise \"no\""),
            "** (RuntimeError) no"
        );
        assert_eq!(shown(&mut session, "x"), "1");
        assert_eq!(shown(&mut session, "exit(:why)"), "** (exit) :why");
        assert_eq!(session.process().pid(), before);
    }

    #[test]
    fn a_killed_process_is_replaced() {
        let mut session = session();
        let before = session.process().pid();
        assert_eq!(shown(&mut session, "x = 1"), "1");
        let said = shown(
            &mut session,
            "Process.exit(self(), :kill); Process.sleep(:infinity)",
        );
        assert!(
            said.starts_with("** (EXIT from #PID<") && said.ends_with("killed"),
            "{said}"
        );
        assert_ne!(session.process().pid(), before);
        assert_eq!(shown(&mut session, "1 + 1"), "2");
    }

    #[test]
    fn text_that_stops_early_is_not_wrong() {
        let mut session = session();
        for source in [
            "fn x ->",
            "if true do",
            "[1,",
            "\"abc",
            "1 +",
            "x = %{a: 1",
            "\"\"\"\nabc",
            "case 1 do\n 1 -> 2\n",
        ] {
            let failure = session.eval_at(source, 1).expect_err(source);
            assert!(failure.is_incomplete(), "{source}: {}", failure.report());
        }
        for source in ["1 2", "end", "x = )", "foo(1", "undefined_name"] {
            let incomplete = session
                .eval_at(source, 1)
                .is_err_and(|failure| failure.is_incomplete());
            assert_eq!(incomplete, source == "foo(1", "{source}");
        }
    }

    #[test]
    fn endless_loops_end_when_somebody_ends_the_process() {
        let mut session = session();
        let process = session.process();
        let ender = std::thread::spawn(move || {
            // The loop says when it runs.
            let wait = std::time::Duration::from_secs(20);
            let running = process.receive(
                |message| message.is_atom("running").then_some(()),
                Some(std::time::Instant::now() + wait),
            );
            assert!(matches!(running, Ok(Some(()))));
            process.exit(Term::Atom(atom::KILLED));
        });
        let said = shown(
            &mut session,
            "send(self(), :running); f = fn f -> f.(f) end; f.(f)",
        );
        assert!(said.ends_with("killed"), "{said}");
        ender.join().expect("the ender saw the loop run");
    }
}

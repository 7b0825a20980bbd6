//! `wharf shell`: the language, a prompt at a time.
//!
//! Relies on rustyline for the line being edited, on `complete` for what Tab offers, on
//! `interrupt` for Ctrl-C while something runs. Where standard input is no terminal the same
//! inputs are read as plain lines. Promises that nothing evaluated can end the shell but
//! `System.halt`.
#![forbid(unsafe_code)]

mod color;
mod complete;
mod help;
mod history;
mod interrupt;

use crate::args::{Global, Shell};
use crate::inspect::exception::exit_text;
use crate::inspect::{Options, inspect_lines};
use crate::lang::session::{Failure, Session};
use crate::lang::world::{Output, Print, World};
use crate::print::{Paint, complain, say};
use complete::Assistant;
use interrupt::Interrupts;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor, ExternalPrinter};
use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

type LineEditor = Editor<Assistant, FileHistory>;

/// Reads and evaluates until the input ends.
pub(crate) fn run(options: &Shell, global: &Global) -> ExitCode {
    let result = if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        interactive(options, global)
    } else {
        plain(global)
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(Paint::stderr(global.color), error);
            ExitCode::FAILURE
        }
    }
}

/// The inputs of a terminal.
fn interactive(options: &Shell, global: &Global) -> Result<(), String> {
    // Before any other thread starts, so that all leave Ctrl-C to the one that waits for it.
    let interrupts = Interrupts::watch()?;
    let paint = Paint::stdout(global.color);
    let mut editor = editor(paint).map_err(|error| format!("the terminal: {error}"))?;
    let screen = Screen::of(&mut editor);
    let mut shell = Evaluator::start(global, Output::Screen(screen.writer()), paint)?;
    if let Some(assistant) = editor.helper_mut() {
        assistant.drivers = complete::driver_names(&global.driver_path);
    }
    let history = if options.no_history {
        None
    } else {
        history::path()
    };
    if let Some(path) = &history {
        // A first run has no history yet.
        let _ = editor.load_history(path);
    }
    say(format!(
        "wharf {} - {} for help, Ctrl-C twice or Ctrl-D to leave\n",
        env!("CARGO_PKG_VERSION"),
        paint.bold("h")
    ));
    let mut input = String::new();
    let mut leaving = false;
    loop {
        if let Some(assistant) = editor.helper_mut() {
            assistant.refresh(&shell.session);
        }
        let prompt = shell.prompt(!input.is_empty());
        screen.editing(true);
        let line = editor.readline(&(prompt.as_str(), paint.dim(&prompt).as_str()));
        screen.editing(false);
        match line {
            Ok(line) => {
                if leaving && matches!(line.trim(), "a" | "A") {
                    break;
                }
                leaving = false;
                input.push_str(&line);
                if input.trim().is_empty() {
                    input.clear();
                    continue;
                }
                let done = interrupts.during(&shell.session.process(), || shell.put(&input));
                match done {
                    Put::Incomplete => input.push('\n'),
                    Put::Done => {
                        // A history that cannot be kept is no reason to stop.
                        let _ = editor.add_history_entry(input.as_str());
                        input.clear();
                    }
                }
            }
            Err(ReadlineError::Interrupted) => {
                let typed = editor.helper().is_some_and(Assistant::line_has_text);
                if typed || !input.is_empty() {
                    input.clear();
                } else if leaving {
                    break;
                } else {
                    say("BREAK: (a)bort, or Ctrl-C again; anything else goes on\n");
                    leaving = true;
                }
            }
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(format!("the terminal: {error}")),
        }
    }
    if let Some(path) = &history
        && let Err(error) = editor.save_history(path)
    {
        complain(
            Paint::stderr(global.color),
            format!("{}: {error}", path.display()),
        );
    }
    Ok(())
}

fn editor(paint: Paint) -> rustyline::Result<LineEditor> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .history_ignore_space(true)
        .history_ignore_dups(true)?
        .max_history_size(2000)?
        .auto_add_history(false)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Assistant::new(paint)));
    Ok(editor)
}

/// The inputs of a pipe or a file, with prompts so that the output reads like a session.
fn plain(global: &Global) -> Result<(), String> {
    let paint = Paint::stdout(global.color);
    let mut shell = Evaluator::start(global, Output::Standard, paint)?;
    let mut input = String::new();
    let mut lines = std::io::stdin().lock().lines();
    loop {
        say(shell.prompt(!input.is_empty()));
        let Some(line) = lines.next() else { break };
        let line = line.map_err(|error| format!("standard input: {error}"))?;
        input.push_str(&line);
        match shell.put(&input) {
            Put::Incomplete => input.push('\n'),
            Put::Done => input.clear(),
        }
    }
    say("\n");
    if !input.is_empty() {
        return Err("the input ended within an expression".to_owned());
    }
    Ok(())
}

/// What became of an input.
enum Put {
    /// It goes on in the next line.
    Incomplete,
    /// It was evaluated, or refused.
    Done,
}

/// The session, and what is printed about it.
struct Evaluator {
    session: Session,
    paint: Paint,
    /// Counts the inputs that gave a value, as iex does.
    count: u32,
}

impl Evaluator {
    fn start(global: &Global, output: Output, paint: Paint) -> Result<Evaluator, String> {
        let world = World::new(crate::host(global)?, output, Vec::new());
        let session = Session::new(world, "shell")
            .map_err(|error| format!("the shell's process cannot start: {error}"))?;
        Ok(Evaluator {
            session,
            paint,
            count: 1,
        })
    }

    fn prompt(&self, continued: bool) -> String {
        let count = self.count;
        if continued {
            format!("  ...({count})> ")
        } else {
            format!("wharf({count})> ")
        }
    }

    /// Evaluates an input and prints what comes of it.
    fn put(&mut self, input: &str) -> Put {
        if input.trim().is_empty() {
            return Put::Done;
        }
        if let Some(topic) = help::topic(input) {
            say(help::about(topic, self.session.world(), self.paint));
            return Put::Done;
        }
        if input.ends_with("\n#iex:break") {
            let broken = format!(
                "** (TokenMissingError) shell:{}: incomplete expression",
                self.count
            );
            say(self.paint.red(broken) + "\n");
            return Put::Done;
        }
        match self.session.eval_at(input, self.count) {
            Ok(value) => {
                self.count += 1;
                let text = inspect_lines(&value, &Options::default());
                say(color::value(&text, self.paint) + "\n");
            }
            Err(failure) if failure.is_incomplete() => return Put::Incomplete,
            Err(Failure::Ended { pid, reason }) => {
                let reason = exit_text(&reason);
                let text =
                    format!("** (EXIT from {pid}) shell process exited with reason: {reason}");
                say(self.paint.red(text) + "\n");
            }
            Err(failure) => say(self.paint.red(failure.report().trim_end()) + "\n"),
        }
        Put::Done
    }
}

/// Standard output, shared between the line being edited and what processes print meanwhile.
#[derive(Clone)]
struct Screen(Arc<Mutex<State>>);

struct State {
    printer: Option<Box<dyn ExternalPrinter + Send>>,
    editing: bool,
}

impl Screen {
    fn of(editor: &mut LineEditor) -> Screen {
        let printer = editor.create_external_printer().ok();
        let printer = printer.map(|printer| Box::new(printer) as Box<dyn ExternalPrinter + Send>);
        Screen(Arc::new(Mutex::new(State {
            printer,
            editing: false,
        })))
    }

    fn editing(&self, editing: bool) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .editing = editing;
    }

    /// Prints above the line being edited, if one is.
    fn writer(&self) -> Print {
        let state = self.0.clone();
        Arc::new(move |bytes| {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let state = &mut *state;
            if let (true, Some(printer)) = (state.editing, &mut state.printer)
                && printer
                    .print(String::from_utf8_lossy(bytes).into_owned())
                    .is_ok()
            {
                return;
            }
            let mut out = std::io::stdout().lock();
            // A terminal that has gone away takes the shell with it at the next prompt.
            let _ = out.write_all(bytes).and_then(|()| out.flush());
        })
    }
}

//! The command line: what can be asked of `wharf`, and what its help says.
//!
//! Relies on clap for parsing, `--help` and `--version`. Promises that a wrong command line
//! ends with status 2 before anything is run.
#![forbid(unsafe_code)]

use crate::bench::only::Only;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

/// Erlang's port system without the Erlang virtual machine.
///
/// Runs scripts in Elixir's syntax that open ports: programs, descriptors, and C port drivers
/// built for Erlang, unmodified.
#[derive(Debug, Parser)]
#[command(name = "wharf", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every subcommand understands.
#[derive(Args, Debug, Clone)]
pub(crate) struct Global {
    /// Where `{:spawn_driver, name}` looks for name.so when no script has loaded it
    ///
    /// May be given several times; the first directory that has the driver wins. The sample
    /// drivers that come with wharf are looked up last.
    #[arg(
        long,
        value_name = "DIR",
        global = true,
        env = "WHARF_DRIVER_PATH",
        value_delimiter = ':'
    )]
    pub(crate) driver_path: Vec<PathBuf>,

    /// What wharf itself logs to stderr: off, error, warn, info, debug or trace
    #[arg(
        long,
        value_name = "LEVEL",
        global = true,
        env = "WHARF_LOG",
        default_value = "error"
    )]
    pub(crate) log: tracing_subscriber::filter::LevelFilter,

    /// When to colour what is printed
    #[arg(
        long,
        value_name = "WHEN",
        global = true,
        default_value = "auto",
        hide_possible_values = false
    )]
    pub(crate) color: Color,
}

/// When to write colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Into files and pipes too
    Always,
    /// Plain text only
    Never,
}

// Deferred: what only other subcommands understand is not put together at each start.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Evaluate a script
    ///
    /// Prints what the script prints. An error that nothing rescues goes to stderr with its line,
    /// and the exit status is 1.
    #[command(after_help = RUN_EXAMPLES)]
    Run(Run),

    /// Evaluate expressions and print the value of the last one
    #[command(after_help = EVAL_EXAMPLES)]
    Eval(Eval),

    /// Run transcripts: files with iex> prompts and the answers expected beneath
    ///
    /// Takes Markdown and plain text. Each prompt is evaluated, and its answer compared with the
    /// lines beneath it. #Port<0.5>, #PID<0.90.0> and the like stand for any id, but one name
    /// means one thing within a session. A session ends at a code fence, or at a blank line
    /// followed by text. flush() waits for the messages written beneath it.
    #[command(after_help = TEST_EXAMPLES)]
    Test(Test),

    /// The same language, interactively
    #[command(after_help = SHELL_EXAMPLES)]
    Shell(Shell),

    /// Tell what a driver is: its entry, version, flags, callbacks and symbols
    ///
    /// Exits with 1, and says why, when the driver cannot be loaded.
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect(Inspect),

    /// Measure what ports and drivers cost on this machine
    ///
    /// Runs the rows that docs/performance.md explains, several readings of each, every one in a
    /// process of its own, and prints the medians with their spread. Where a peer is asked for,
    /// its readings are taken turn about with wharf's, and compared pair by pair.
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(Bench),

    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The script; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: String,

    /// What System.argv() gives the script
    #[arg(
        value_name = "ARG",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) arguments: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Eval {
    /// What to evaluate
    #[arg(value_name = "EXPRS", allow_hyphen_values = true)]
    pub(crate) source: String,
}

#[derive(Args, Debug)]
pub(crate) struct Test {
    /// Transcripts to run
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// How long one prompt may take, and how long flush() waits for its messages
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) timeout: Duration,

    /// Write the results as JUnit XML too
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,

    /// Put the prompts to a real iex instead, to hold the transcript against Erlang itself
    #[arg(long)]
    pub(crate) iex: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Shell {
    /// Keep no history file
    #[arg(long)]
    pub(crate) no_history: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// The driver's shared library
    #[arg(value_name = "DRIVER.so")]
    pub(crate) driver: PathBuf,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// Only these rows, such as 1,4-7,12b; `growth` for the curves of --growth
    #[arg(long, value_name = "ROWS")]
    pub(crate) only: Option<Only>,

    /// How many readings of each
    #[arg(long, value_name = "N", default_value = "5", value_parser = at_least_one)]
    pub(crate) rounds: usize,

    /// Have Erlang do the same, and tell how many times better wharf is
    #[arg(long)]
    pub(crate) vs_otp: bool,

    /// Have plain C do the same, with nothing around it, and compare with that
    #[arg(long)]
    pub(crate) vs_c: bool,

    /// Measure, too, how cost grows with size and with the number of ports, messages and the like
    #[arg(long)]
    pub(crate) growth: bool,

    /// Print an array with an object for each number of a row
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,

    /// Print the table as Markdown
    #[arg(long)]
    pub(crate) markdown: bool,

    /// Write a page with drawings of every reading, and of how cost grows
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,

    /// Take one reading of this item in this process, and print its numbers
    #[arg(long, value_name = "ITEM", num_args = 1.., hide = true)]
    pub(crate) one: Option<Vec<String>>,

    /// Where the files for readings are already
    #[arg(long, value_name = "DIR", hide = true)]
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell to complete for
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// A number of times.
fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("`{text}` is not a number from 1 on")),
        Ok(number) => Ok(number),
    }
}

/// A positive number of seconds, fractions allowed.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("`{text}` is not a number of seconds, such as 5 or 0.5"))?;
    if seconds <= 0.0 {
        return Err("there must be some time to wait".to_owned());
    }
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

const EXAMPLES: &str = "\
Examples:
  wharf eval 'port = Port.open({:spawn, \"cat\"}, [:binary]); Port.command(port, \"hi\"); flush()'
  wharf run script.exs
  wharf test docs/ports.md
  wharf shell
  wharf inspect ./my_drv.so
  wharf --driver-path ./build run talk_to_my_drv.exs

`wharf help COMMAND` tells more about one command.";

const RUN_EXAMPLES: &str = "\
Examples:
  wharf run script.exs
  wharf --driver-path ./build run script.exs one two     System.argv() is [\"one\", \"two\"]
  echo 'IO.puts(\"hello\")' | wharf run -";

const EVAL_EXAMPLES: &str = "\
Examples:
  wharf eval '1 + 2'
  wharf eval 'Port.open({:spawn, \"echo hello\"}, [:binary]); receive do {_, {:data, text}} -> text end'";

const TEST_EXAMPLES: &str = "\
A transcript is what iex shows, pasted into a text:

  iex> port = Port.open({:spawn, \"cat\"}, [:binary])
  iex> Port.command(port, \"hello\")
  true
  iex> flush()
  {#Port<0.5>, {:data, \"hello\"}}

A prompt with nothing beneath accepts any value; long input goes on after `...>`. An answer that
starts with `** (ArgumentError)` expects that error. The last line says `N passed, N failed`, and
the exit status is 1 when something failed.

Examples:
  wharf test README.md docs/*.md
  wharf test --timeout 0.5 --junit results.xml notes.txt
  wharf test --iex docs/ports.md";

const SHELL_EXAMPLES: &str = "\
In the shell:
  Tab           completes modules, functions, variables, driver names and files
  h Port.open   explains a module or a function; `h` alone lists what there is
  Ctrl-C        abandons the input or interrupts what runs; twice on an empty prompt leaves
  Ctrl-D        leaves";

const INSPECT_EXAMPLES: &str = "\
Examples:
  wharf inspect ./my_drv.so
  wharf inspect --json ./my_drv.so | jq .callbacks";

const BENCH_EXAMPLES: &str = "\
Examples:
  wharf bench
  wharf bench --only 1-7,12b --vs-otp
  wharf bench --vs-otp --vs-c --html bench.html
  wharf bench --vs-otp --vs-c --rounds 9 --json > results.json";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  wharf completions bash > ~/.local/share/bash-completion/completions/wharf
  wharf completions fish > ~/.config/fish/completions/wharf.fish
  wharf completions zsh > \"${fpath[1]}/_wharf\"";

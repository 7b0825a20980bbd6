//! What an open is told besides the name: checked once, then only read.
//!
//! Two doors lead here: the builder for Rust programs, and `settings`, which reads Erlang's
//! list of options. Both end in [`Options::check`], which judges the final values for the way
//! the port is opened, so that the order of options never matters to a conflict.
//!
//! Relies on `flow` for limits and `environment` for variables. Promises that checked options hold no NUL,
//! no impossible limit and nothing that their mechanism cannot honour.

#![forbid(unsafe_code)]

use crate::port::environment::{self, Variable};
use crate::port::flow::{LIMIT_DISABLED, Limits};
use crate::port::line::LINE_BYTES_DEFAULT;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use thiserror::Error;

/// How long the length is that goes before each packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packet {
    /// One byte: packets of at most 255 bytes.
    One,
    /// Two bytes: packets of at most 65,535 bytes.
    Two,
    /// Four bytes: packets of less than 4 GiB.
    Four,
}

impl Packet {
    /// The number of length bytes.
    pub const fn header_bytes(self) -> usize {
        match self {
            Packet::One => 1,
            Packet::Two => 2,
            Packet::Four => 4,
        }
    }
}

/// Which ways data may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To the port and from it.
    #[default]
    Both,
    /// From the port only.
    Input,
    /// To the port only.
    Output,
}

impl Direction {
    /// Whether data comes from the port.
    pub const fn reads(self) -> bool {
        !matches!(self, Direction::Output)
    }

    /// Whether data goes to the port.
    pub const fn writes(self) -> bool {
        !matches!(self, Direction::Input)
    }
}

/// By which way a port is opened, as far as options care. What `{spawn, _}` means is decided
/// before: a loaded driver, or a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// A command line for the shell.
    Program,
    /// One file with exact arguments.
    Executable,
    /// Descriptors that are open already.
    Fd,
    /// An instance of a driver.
    Driver {
        /// The driver has told that commands must never wait in a limited queue
        /// (`ERL_DRV_FLAG_NO_BUSY_MSGQ`).
        no_busy_msgq: bool,
    },
}

/// An option that cannot be honoured. Erlang says `badarg` to all of them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("option {option}: {problem}")]
pub struct BadOption {
    pub(crate) option: String,
    pub(crate) problem: String,
    pub(crate) explanation: Explanation,
}

/// Which of its few sentences Erlang would explain the `badarg` with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Explanation {
    InvalidOption,
    InvalidName,
    NeedsExecutable,
}

impl BadOption {
    pub(crate) fn new(
        option: impl Into<String>,
        problem: impl Into<String>,
        explanation: Explanation,
    ) -> BadOption {
        BadOption {
            option: option.into(),
            problem: problem.into(),
            explanation,
        }
    }

    /// The option that was refused, as Erlang writes it.
    pub fn option(&self) -> &str {
        &self.option
    }

    /// The sentence with which Erlang 25 explains its `badarg`. It blames the name for what
    /// that kind of port cannot do.
    pub fn erlang_text(&self) -> &'static str {
        match self.explanation {
            Explanation::InvalidOption => "2nd argument: invalid option in list",
            Explanation::InvalidName => "1st argument: invalid port name",
            Explanation::NeedsExecutable => "1st argument: must be spawn_executable",
        }
    }
}

/// The options of an open.
///
/// ```
/// use wharf::{Options, Packet};
/// let options = Options::new().binary().packet(Packet::Two).exit_status().env("LANG", "C");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub(crate) binary: bool,
    pub(crate) packet: Option<Packet>,
    pub(crate) line: Option<usize>,
    pub(crate) direction: Direction,
    pub(crate) nouse_stdio: bool,
    pub(crate) stderr_to_stdout: bool,
    pub(crate) exit_status: bool,
    pub(crate) eof: bool,
    pub(crate) parallelism: bool,
    pub(crate) cd: Option<Vec<u8>>,
    /// In order; the last entry for a name wins.
    pub(crate) env: Vec<Variable>,
    /// `None` when never given: even an empty list is refused where arguments make no sense.
    pub(crate) args: Option<Vec<Vec<u8>>>,
    pub(crate) arg0: Option<Vec<u8>>,
    pub(crate) busy_limits_port: Option<Limits>,
    pub(crate) busy_limits_msgq: Option<Limits>,
}

impl Options {
    /// What an empty list of options means: a stream of lists of bytes, both ways.
    pub fn new() -> Options {
        Options::default()
    }

    /// Data comes as one binary instead of a list of bytes.
    pub fn binary(mut self) -> Options {
        self.binary = true;
        self
    }

    /// Data is cut into packets, each with its length in front.
    pub fn packet(mut self, packet: Packet) -> Options {
        self.packet = Some(packet);
        self
    }

    /// Data is a plain stream: takes `packet` back, but not `line`.
    pub fn stream(mut self) -> Options {
        self.packet = None;
        self
    }

    /// Data comes in lines, in pieces of at most this many bytes.
    pub fn line(mut self, bytes_max: usize) -> Options {
        self.line = Some(bytes_max);
        self
    }

    /// Data comes in lines, in pieces of at most 512 bytes.
    pub fn lines(self) -> Options {
        self.line(LINE_BYTES_DEFAULT)
    }

    /// The program starts in this directory.
    pub fn cd(mut self, directory: impl AsRef<OsStr>) -> Options {
        self.cd = Some(bytes(directory));
        self
    }

    /// The program's environment has this variable.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Options {
        self.env.push((bytes(name), Some(bytes(value))));
        self
    }

    /// The program's environment has no such variable.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Options {
        self.env.push((bytes(name), None));
        self
    }

    /// One more argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Options {
        self.args.get_or_insert_default().push(bytes(argument));
        self
    }

    /// More arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Options {
        let arguments = arguments.into_iter().map(bytes);
        self.args.get_or_insert_default().extend(arguments);
        self
    }

    /// What the program is told to be called, instead of its file name.
    pub fn arg0(mut self, name: impl AsRef<OsStr>) -> Options {
        self.arg0 = Some(bytes(name));
        self
    }

    /// Tell the owner how the program ended.
    pub fn exit_status(mut self) -> Options {
        self.exit_status = true;
        self
    }

    /// Talk on the program's descriptors 0 and 1, the default.
    pub fn use_stdio(mut self) -> Options {
        self.nouse_stdio = false;
        self
    }

    /// Talk on the program's descriptors 3 and 4.
    pub fn nouse_stdio(mut self) -> Options {
        self.nouse_stdio = true;
        self
    }

    /// What the program writes to its standard error comes as data, too.
    pub fn stderr_to_stdout(mut self) -> Options {
        self.stderr_to_stdout = true;
        self
    }

    /// Data comes from the port only.
    pub fn input_only(mut self) -> Options {
        self.direction = Direction::Input;
        self
    }

    /// Data goes to the port only.
    pub fn output_only(mut self) -> Options {
        self.direction = Direction::Output;
        self
    }

    /// The end of the port's output is a message, not the end of the port.
    pub fn eof(mut self) -> Options {
        self.eof = true;
        self
    }

    /// Accepted for the sake of programs that also run elsewhere: hides a console window on
    /// Windows, and changes nothing here.
    pub fn hide(self) -> Options {
        self
    }

    /// A hint for Erlang's scheduler; `port_info` shows it.
    pub fn parallelism(mut self, wanted: bool) -> Options {
        self.parallelism = wanted;
        self
    }

    /// How much output may be queued before senders wait.
    pub fn busy_limits_port(mut self, limits: Limits) -> Options {
        self.busy_limits_port = Some(limits);
        self
    }

    /// How many bytes of commands may wait for the port before senders wait.
    pub fn busy_limits_msgq(mut self, limits: Limits) -> Options {
        self.busy_limits_msgq = Some(limits);
        self
    }

    /// Whether data comes as binaries.
    pub(crate) fn is_binary(&self) -> bool {
        self.binary
    }

    /// The longest piece of a line, if data comes in lines.
    pub(crate) fn line_limit(&self) -> Option<usize> {
        self.line
    }

    /// Whether the end of the port's output is a message.
    pub(crate) fn wants_eof(&self) -> bool {
        self.eof
    }

    /// Whether the hint for Erlang's scheduler was given.
    pub(crate) fn is_parallel(&self) -> bool {
        self.parallelism
    }

    /// The limits of the output queue.
    pub(crate) fn port_limits(&self) -> Limits {
        self.busy_limits_port.unwrap_or_default()
    }

    /// The limits of the commands that wait for the port.
    pub(crate) fn message_limits(&self) -> Limits {
        self.busy_limits_msgq.unwrap_or_default()
    }

    /// Whether a port opened this way could honour these options together.
    pub fn check(&self, mechanism: Mechanism) -> Result<(), BadOption> {
        self.check_combination()?;
        self.check_values()?;
        self.check_mechanism(mechanism)
    }

    /// The conflicts that exist whatever is opened.
    pub(crate) fn check_combination(&self) -> Result<(), BadOption> {
        if self.packet.is_some() && self.line.is_some() {
            return Err(invalid("line", "cannot be combined with packet"));
        }
        if self.nouse_stdio && self.stderr_to_stdout {
            return Err(invalid(
                "stderr_to_stdout",
                "cannot be combined with nouse_stdio",
            ));
        }
        Ok(())
    }

    /// What terms cannot get wrong any more, but the builder can.
    fn check_values(&self) -> Result<(), BadOption> {
        if self.line == Some(0) {
            return Err(invalid("line", "must be at least 1"));
        }
        let texts = [("cd", self.cd.as_ref()), ("arg0", self.arg0.as_ref())];
        let args = self.args.iter().flatten().map(|arg| ("args", Some(arg)));
        for (option, text) in texts.into_iter().chain(args) {
            if text.is_some_and(|text| text.contains(&0)) {
                return Err(invalid(option, "contains a NUL"));
            }
        }
        for (name, value) in &self.env {
            if let Some(problem) = environment::problem(name, value.as_deref()) {
                return Err(invalid("env", problem));
            }
        }
        let limits = [
            ("busy_limits_port", self.busy_limits_port),
            ("busy_limits_msgq", self.busy_limits_msgq),
        ];
        for (option, limits) in limits {
            if let Some(Limits::Watermarks { low, high }) = limits
                && ([low, high].contains(&0) || [low, high].contains(&LIMIT_DISABLED))
            {
                return Err(invalid(option, LIMITS_EXPECTED));
            }
        }
        Ok(())
    }

    fn check_mechanism(&self, mechanism: Mechanism) -> Result<(), BadOption> {
        let driver = matches!(mechanism, Mechanism::Driver { .. });
        let named =
            |option, problem| Err(BadOption::new(option, problem, Explanation::InvalidName));
        if mechanism != Mechanism::Executable {
            let problem = "needs spawn_executable";
            if self.args.is_some() {
                return Err(BadOption::new(
                    "args",
                    problem,
                    Explanation::NeedsExecutable,
                ));
            }
            if self.arg0.is_some() {
                return named("arg0", problem);
            }
        }
        if self.exit_status && (driver || mechanism == Mechanism::Fd) {
            return named("exit_status", "needs an external program");
        }
        if driver && self.busy_limits_port.is_some() {
            let problem = "does not apply to drivers, which keep their own queue";
            return named("busy_limits_port", problem);
        }
        if mechanism == (Mechanism::Driver { no_busy_msgq: true })
            && matches!(self.busy_limits_msgq, Some(Limits::Watermarks { .. }))
        {
            let problem = "this driver must not have its commands held up";
            return named("busy_limits_msgq", problem);
        }
        Ok(())
    }
}

/// What a pair of limits must be.
pub(crate) const LIMITS_EXPECTED: &str =
    "must be disabled or {Low, High}, each of 1 to 18446744073709551614";

/// A complaint about an option as such.
pub(crate) fn invalid(option: impl Into<String>, problem: impl Into<String>) -> BadOption {
    BadOption::new(option, problem, Explanation::InvalidOption)
}

fn bytes(text: impl AsRef<OsStr>) -> Vec<u8> {
    text.as_ref().as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Mechanism; 5] = [
        Mechanism::Program,
        Mechanism::Executable,
        Mechanism::Fd,
        Mechanism::Driver {
            no_busy_msgq: false,
        },
        Mechanism::Driver { no_busy_msgq: true },
    ];

    /// For which of `ALL` the options are fine.
    fn accepted(options: &Options) -> [bool; 5] {
        ALL.map(|mechanism| options.check(mechanism).is_ok())
    }

    const EVERYWHERE: [bool; 5] = [true; 5];
    const NOWHERE: [bool; 5] = [false; 5];

    fn marks(low: u64, high: u64) -> Limits {
        Limits::Watermarks { low, high }
    }

    #[test]
    fn nothing_special_goes_everywhere() {
        let options = Options::new()
            .binary()
            .lines()
            .cd("/tmp")
            .env("A", "b=c")
            .env_remove("B")
            .env("", "x")
            .nouse_stdio()
            .input_only()
            .eof()
            .hide()
            .parallelism(true)
            .busy_limits_msgq(Limits::Disabled);
        assert_eq!(accepted(&Options::new()), EVERYWHERE);
        assert_eq!(accepted(&options), EVERYWHERE);
        assert_eq!(accepted(&Options::new().packet(Packet::Four)), EVERYWHERE);
        assert_eq!(accepted(&Options::new().stderr_to_stdout()), EVERYWHERE);
    }

    #[test]
    fn some_options_need_their_mechanism() {
        let executable = [false, true, false, false, false];
        assert_eq!(accepted(&Options::new().arg("x")), executable);
        assert_eq!(accepted(&Options::new().args([""; 0])), executable);
        assert_eq!(accepted(&Options::new().arg0("x")), executable);
        let program = [true, true, false, false, false];
        assert_eq!(accepted(&Options::new().exit_status()), program);
        let queued = [true, true, true, false, false];
        for limits in [Limits::Disabled, marks(1, 2)] {
            assert_eq!(accepted(&Options::new().busy_limits_port(limits)), queued);
        }
        let held = [true, true, true, true, false];
        assert_eq!(
            accepted(&Options::new().busy_limits_msgq(marks(1, 2))),
            held
        );
    }

    #[test]
    fn conflicts_are_judged_on_final_values() {
        let both = Options::new().packet(Packet::Two).line(5);
        assert_eq!(accepted(&both), NOWHERE);
        assert_eq!(accepted(&both.stream()), EVERYWHERE);
        let both = Options::new().nouse_stdio().stderr_to_stdout();
        assert_eq!(accepted(&both), NOWHERE);
        assert_eq!(accepted(&both.use_stdio()), EVERYWHERE);
    }

    #[test]
    fn the_builder_cannot_smuggle_values_past_the_check() {
        for bad in [
            Options::new().line(0),
            Options::new().cd("a\0b"),
            Options::new().arg0("a\0b"),
            Options::new().args(["a", "b\0"]),
            Options::new().env("A=B", "c"),
            Options::new().env_remove("A=B"),
            Options::new().env("A\0", "c"),
            Options::new().env("A", "c\0"),
            Options::new().busy_limits_port(marks(0, 5)),
            Options::new().busy_limits_msgq(marks(5, 0)),
            Options::new().busy_limits_port(marks(5, u64::MAX)),
        ] {
            assert_eq!(accepted(&bad), NOWHERE, "{bad:?}");
        }
    }

    #[test]
    fn refusals_explain_themselves() {
        let refused = |options: Options, mechanism| options.check(mechanism).unwrap_err();
        let bad = refused(Options::new().packet(Packet::One).lines(), Mechanism::Fd);
        assert_eq!(
            bad.to_string(),
            "option line: cannot be combined with packet"
        );
        assert_eq!(bad.option(), "line");
        assert_eq!(bad.erlang_text(), "2nd argument: invalid option in list");
        // Arguments are what Erlang mentions first.
        let bad = refused(
            Options::new().exit_status().arg("x").arg0("y"),
            Mechanism::Fd,
        );
        assert_eq!(bad.erlang_text(), "1st argument: must be spawn_executable");
        let bad = refused(Options::new().exit_status(), Mechanism::Fd);
        assert_eq!(bad.erlang_text(), "1st argument: invalid port name");
        let bad = refused(Options::new().arg0("y"), Mechanism::Program);
        assert_eq!(bad.erlang_text(), "1st argument: invalid port name");
    }

    #[test]
    fn directions_and_headers() {
        assert!(Direction::Both.reads() && Direction::Both.writes());
        assert!(Direction::Input.reads() && !Direction::Input.writes());
        assert!(!Direction::Output.reads() && Direction::Output.writes());
        let headers = [Packet::One, Packet::Two, Packet::Four].map(Packet::header_bytes);
        assert_eq!(headers, [1, 2, 4]);
    }
}

//! Reads Erlang's list of options: the second argument of `open_port`.
//!
//! Relies on `options` for what the options mean and `text` for their bytes. Promises
//! Erlang's own rules: the last of several wins, `stream` takes `packet` back but not
//! `line`, and a later `env` replaces an earlier one altogether. Conflicts are left to
//! [`Options::check`].

#![forbid(unsafe_code)]

use crate::port::environment;
use crate::port::flow::Limits;
use crate::port::line::LINE_BYTES_DEFAULT;
use crate::port::name::shown;
use crate::port::options::{
    BadOption, Direction, Explanation, LIMITS_EXPECTED, Options, Packet, invalid,
};
use crate::port::text::native_text;
use crate::term::{Atom, Term, atom};

/// The largest line limit: what Erlang keeps in a word.
const LINE_BYTES_MAX: i64 = (1 << 59) - 1;

impl Options {
    /// Reads the second argument of Erlang's `open_port`.
    pub fn from_term(settings: &Term) -> Result<Options, BadOption> {
        let mut reader = Reader::default();
        match settings {
            Term::Nil => {}
            Term::List(list) => {
                let mut elements = list.iter();
                for option in &mut elements {
                    reader.read(&option)?;
                }
                if !matches!(elements.rest(), Term::Nil) {
                    return Err(invalid(shown(settings), "options must be a proper list"));
                }
            }
            _ => return Err(invalid(shown(settings), "options must be a list")),
        }
        reader.finish()
    }
}

/// The options so far.
#[derive(Default)]
struct Reader {
    options: Options,
    input: bool,
    output: bool,
    /// The final `cd`, if it is no text. Erlang looks at it only when all else is right.
    bad_cd: Option<BadOption>,
}

impl Reader {
    fn read(&mut self, option: &Term) -> Result<(), BadOption> {
        match option {
            Term::Atom(name) => self.read_flag(*name),
            Term::Tuple(tuple) => match tuple.elements() {
                [Term::Atom(name), value] => self.read_pair(*name, value),
                _ => Err(unknown(option)),
            },
            _ => Err(unknown(option)),
        }
    }

    fn read_flag(&mut self, name: Atom) -> Result<(), BadOption> {
        let options = &mut self.options;
        match name {
            atom::BINARY => options.binary = true,
            atom::STREAM => options.packet = None,
            atom::LINE => options.line = Some(LINE_BYTES_DEFAULT),
            atom::USE_STDIO => options.nouse_stdio = false,
            atom::NOUSE_STDIO => options.nouse_stdio = true,
            atom::STDERR_TO_STDOUT => options.stderr_to_stdout = true,
            atom::EXIT_STATUS => options.exit_status = true,
            atom::EOF => options.eof = true,
            atom::IN => self.input = true,
            atom::OUT => self.output = true,
            // They change nothing on Unix.
            atom::HIDE | atom::OVERLAPPED_IO => {}
            _ => return Err(unknown(&Term::Atom(name))),
        }
        Ok(())
    }

    fn read_pair(&mut self, name: Atom, value: &Term) -> Result<(), BadOption> {
        let options = &mut self.options;
        match name {
            atom::PACKET => options.packet = Some(packet(value)?),
            atom::LINE => options.line = Some(line(value)?),
            atom::CD => self.read_cd(value),
            atom::ENV => options.env = environment::read(value)?,
            atom::ARGS => options.args = Some(args(value)?),
            atom::ARG0 => {
                let text = native_text(value);
                options.arg0 = Some(text.map_err(|reason| invalid("arg0", reason.to_string()))?);
            }
            atom::PARALLELISM => {
                let wanted = value.as_bool();
                options.parallelism =
                    wanted.ok_or_else(|| invalid("parallelism", "must be true or false"))?;
            }
            atom::BUSY_LIMITS_PORT => options.busy_limits_port = Some(limits(name, value)?),
            atom::BUSY_LIMITS_MSGQ => options.busy_limits_msgq = Some(limits(name, value)?),
            _ => return Err(unknown(&Term::tuple([Term::Atom(name), value.clone()]))),
        }
        Ok(())
    }

    fn read_cd(&mut self, value: &Term) {
        let directory = match value {
            // The bare empty list takes an earlier directory back.
            Term::Nil => Ok(None),
            _ => native_text(value).map(Some),
        };
        self.bad_cd = match directory {
            Ok(directory) => {
                self.options.cd = directory;
                None
            }
            Err(reason) => {
                let problem = reason.to_string();
                Some(BadOption::new("cd", problem, Explanation::InvalidName))
            }
        };
    }

    fn finish(mut self) -> Result<Options, BadOption> {
        self.options.direction = match (self.input, self.output) {
            (true, false) => Direction::Input,
            (false, true) => Direction::Output,
            _ => Direction::Both,
        };
        match self.bad_cd {
            Some(bad) => self.options.check_combination().and(Err(bad)),
            None => Ok(self.options),
        }
    }
}

fn unknown(option: &Term) -> BadOption {
    let hint = match option {
        Term::Tuple(tuple) => match tuple.elements() {
            [Term::Atom(_), Term::Atom(atom::TRUE)] => "is not known; flags are bare atoms",
            _ => "is not known",
        },
        _ => "is not known",
    };
    invalid(shown(option), hint)
}

fn packet(value: &Term) -> Result<Packet, BadOption> {
    match value {
        Term::Int(1) => Ok(Packet::One),
        Term::Int(2) => Ok(Packet::Two),
        Term::Int(4) => Ok(Packet::Four),
        _ => Err(invalid(
            "packet",
            format!("must be 1, 2 or 4, not {}", shown(value)),
        )),
    }
}

fn line(value: &Term) -> Result<usize, BadOption> {
    value
        .as_int()
        .filter(|limit| (1..=LINE_BYTES_MAX).contains(limit))
        .and_then(|limit| usize::try_from(limit).ok())
        .ok_or_else(|| {
            let problem = format!("must be an integer of at least 1, not {}", shown(value));
            invalid("line", problem)
        })
}

fn args(value: &Term) -> Result<Vec<Vec<u8>>, BadOption> {
    let arguments = value
        .to_list_vec()
        .ok_or_else(|| invalid("args", "must be a proper list"))?;
    arguments
        .iter()
        .map(|argument| {
            native_text(argument).map_err(|reason| {
                invalid("args", format!("argument {}: {reason}", shown(argument)))
            })
        })
        .collect()
}

fn limits(option: Atom, value: &Term) -> Result<Limits, BadOption> {
    let limits = match value {
        Term::Atom(atom::DISABLED) => Some(Limits::Disabled),
        Term::Tuple(tuple) => match tuple.elements() {
            [low, high] => unsigned(low)
                .zip(unsigned(high))
                .and_then(|(low, high)| Limits::new(low, high)),
            _ => None,
        },
        _ => None,
    };
    limits.ok_or_else(|| invalid(option.as_str(), LIMITS_EXPECTED))
}

fn unsigned(term: &Term) -> Option<u64> {
    u64::try_from(term.to_big_int()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::options::Mechanism;
    use num_bigint::BigInt;

    fn flag(name: &str) -> Term {
        Term::atom(name)
    }

    fn pair(name: &str, value: Term) -> Term {
        Term::tuple(vec![Term::atom(name), value])
    }

    fn text(text: &str) -> Term {
        Term::charlist(text)
    }

    fn read(options: Vec<Term>) -> Result<Options, BadOption> {
        Options::from_term(&Term::list(options))
    }

    fn good(options: Vec<Term>) -> Options {
        read(options).unwrap()
    }

    /// The option alone is refused, with the sentence for a bad list.
    fn assert_bad(option: Term) {
        let bad = read(vec![option.clone()]).expect_err(&option.to_string());
        assert_eq!(bad.erlang_text(), "2nd argument: invalid option in list");
    }

    #[test]
    fn no_options_are_the_defaults() {
        assert_eq!(good(vec![]), Options::new());
    }

    #[test]
    fn every_option_is_understood() {
        let options = good(vec![
            flag("binary"),
            pair("line", Term::Int(80)),
            flag("stream"),
            pair("cd", text("/tmp")),
            pair(
                "env",
                Term::list(vec![
                    Term::tuple(vec![text("A"), text("b")]),
                    Term::tuple(vec![text("B"), Term::boolean(false)]),
                ]),
            ),
            pair(
                "args",
                Term::list(vec![text("x"), Term::from("y"), flag("z")]),
            ),
            pair("arg0", Term::from("zero")),
            flag("exit_status"),
            flag("nouse_stdio"),
            flag("in"),
            flag("eof"),
            flag("hide"),
            flag("overlapped_io"),
            pair("parallelism", Term::boolean(true)),
            pair(
                "busy_limits_port",
                Term::tuple(vec![Term::Int(1), Term::Int(2)]),
            ),
            pair("busy_limits_msgq", flag("disabled")),
        ]);
        let built = Options::new()
            .binary()
            .line(80)
            .cd("/tmp")
            .env("A", "b")
            .env_remove("B")
            .args(["x", "y"])
            .arg("z")
            .arg0("zero")
            .exit_status()
            .nouse_stdio()
            .input_only()
            .eof()
            .hide()
            .parallelism(true)
            .busy_limits_port(Limits::Watermarks { low: 1, high: 2 })
            .busy_limits_msgq(Limits::Disabled);
        assert_eq!(options, built);
        assert_eq!(options.check(Mechanism::Executable), Ok(()));
        assert_eq!(
            good(vec![flag("stderr_to_stdout")]),
            Options::new().stderr_to_stdout()
        );
    }

    #[test]
    fn settings_must_be_a_proper_list() {
        let improper = Term::improper(vec![flag("binary")], flag("x"));
        for settings in [
            improper,
            flag("binary"),
            Term::from(""),
            Term::tuple(vec![]),
        ] {
            let bad = Options::from_term(&settings).unwrap_err();
            assert_eq!(bad.erlang_text(), "2nd argument: invalid option in list");
        }
    }

    #[test]
    fn flags_are_bare() {
        for name in [
            "binary",
            "exit_status",
            "in",
            "out",
            "eof",
            "hide",
            "stream",
            "use_stdio",
        ] {
            assert_bad(pair(name, Term::boolean(true)));
        }
        let bad = read(vec![pair("binary", Term::boolean(true))]).unwrap_err();
        assert_eq!(
            bad.to_string(),
            "option {binary,true}: is not known; flags are bare atoms"
        );
        for name in [
            "packet",
            "cd",
            "env",
            "args",
            "arg0",
            "parallelism",
            "bogus",
        ] {
            assert_bad(flag(name));
        }
        assert_bad(Term::Int(1));
        assert_bad(Term::tuple(vec![]));
        assert_bad(Term::tuple(vec![
            flag("packet"),
            Term::Int(2),
            Term::Int(2),
        ]));
        assert_bad(Term::tuple(vec![text("packet"), Term::Int(2)]));
    }

    #[test]
    fn packet_sizes() {
        for (bytes, packet) in [(1, Packet::One), (2, Packet::Two), (4, Packet::Four)] {
            let options = good(vec![pair("packet", Term::Int(bytes))]);
            assert_eq!(options.packet, Some(packet));
        }
        for bytes in [0, 3, 8, -1] {
            assert_bad(pair("packet", Term::Int(bytes)));
        }
        assert_bad(pair("packet", Term::Float(4.0)));
        assert_bad(pair("packet", text("4")));
    }

    #[test]
    fn line_limits() {
        let limit = |value| good(vec![pair("line", Term::Int(value))]).line;
        assert_eq!(good(vec![flag("line")]).line, Some(512));
        assert_eq!(limit(1), Some(1));
        assert_eq!(limit((1 << 59) - 1), Some((1 << 59) - 1));
        for value in [0, -1, 1 << 59, i64::MAX] {
            assert_bad(pair("line", Term::Int(value)));
        }
        assert_bad(pair("line", Term::integer(BigInt::from(1) << 70)));
        assert_bad(pair("line", Term::Float(5.0)));
    }

    #[test]
    fn the_last_one_wins() {
        let packet = |bytes| pair("packet", Term::Int(bytes));
        assert_eq!(
            good(vec![packet(4), flag("stream"), packet(2)]).packet,
            Some(Packet::Two)
        );
        assert_eq!(good(vec![packet(4), flag("stream")]).packet, None);
        let line = |limit| pair("line", Term::Int(limit));
        assert_eq!(
            good(vec![line(5), flag("line"), line(3), flag("stream")]).line,
            Some(3)
        );
        assert!(!good(vec![flag("nouse_stdio"), flag("use_stdio")]).nouse_stdio);
        let cd = |directory| pair("cd", directory);
        assert_eq!(
            good(vec![cd(text("/a")), cd(text("/b"))]).cd,
            Some(b"/b".to_vec())
        );
        let args = |argument| pair("args", Term::list(vec![text(argument)]));
        assert_eq!(
            good(vec![args("a"), args("b")]).args,
            Some(vec![b"b".to_vec()])
        );
        let arg0 = |name| pair("arg0", text(name));
        assert_eq!(good(vec![arg0("a"), arg0("")]).arg0, Some(vec![]));
        // A bad value is bad, whatever follows.
        assert!(read(vec![packet(3), packet(2)]).is_err());
    }

    #[test]
    fn directions_add_up() {
        let direction =
            |flags: &[&str]| good(flags.iter().map(|name| flag(name)).collect()).direction;
        assert_eq!(direction(&[]), Direction::Both);
        assert_eq!(direction(&["in"]), Direction::Input);
        assert_eq!(direction(&["out", "out"]), Direction::Output);
        assert_eq!(direction(&["out", "in"]), Direction::Both);
    }

    #[test]
    fn conflicts_are_seen_by_the_check() {
        let options = good(vec![pair("packet", Term::Int(2)), flag("line")]);
        assert!(options.check(Mechanism::Program).is_err());
        let options = good(vec![
            pair("packet", Term::Int(2)),
            flag("line"),
            flag("stream"),
        ]);
        assert!(options.check(Mechanism::Program).is_ok());
    }

    #[test]
    fn directories() {
        let cd = |value| good(vec![pair("cd", text("/a")), pair("cd", value)]).cd;
        assert_eq!(cd(Term::Nil), None);
        assert_eq!(cd(Term::from("")), Some(vec![]));
        assert_eq!(cd(Term::list(vec![Term::Nil])), Some(vec![]));
        assert_eq!(cd(flag("nil")), Some(b"nil".to_vec()));
        assert_eq!(cd(Term::from("/usr\0x")), Some(b"/usr".to_vec()));
    }

    #[test]
    fn a_bad_directory_is_noticed_last() {
        let bad_cd = || pair("cd", Term::Int(5));
        let sentence = |options| read(options).unwrap_err().erlang_text();
        let name = "1st argument: invalid port name";
        let list = "2nd argument: invalid option in list";
        assert_eq!(sentence(vec![bad_cd()]), name);
        assert_eq!(sentence(vec![bad_cd(), flag("bogus")]), list);
        let conflict = vec![bad_cd(), pair("packet", Term::Int(2)), flag("line")];
        assert_eq!(sentence(conflict), list);
        assert!(read(vec![bad_cd(), pair("cd", text("/tmp"))]).is_ok());
    }

    #[test]
    fn arguments() {
        let args = |value| pair("args", value);
        assert_eq!(good(vec![args(Term::Nil)]).args, Some(vec![]));
        let mixed = Term::list(vec![flag("a"), Term::Nil, Term::from("x\0y"), text("å")]);
        let expected: Vec<Vec<u8>> = ["a", "", "x", "å"].map(|arg| arg.into()).to_vec();
        assert_eq!(good(vec![args(mixed)]).args, Some(expected));
        assert_bad(args(text("ab")));
        assert_bad(args(Term::from("ab")));
        assert_bad(args(flag("ab")));
        assert_bad(args(Term::list(vec![Term::Int(1)])));
        assert_bad(args(Term::improper(vec![text("a")], flag("b"))));
        assert_bad(args(Term::list(vec![Term::list(vec![
            Term::Int(98),
            Term::Int(0),
        ])])));
        assert_bad(pair("arg0", Term::Int(5)));
    }

    #[test]
    fn limits_are_disabled_or_two_marks() {
        let big = |value: u64| Term::integer(BigInt::from(value));
        let both = |low, high| Term::tuple(vec![low, high]);
        for option in ["busy_limits_port", "busy_limits_msgq"] {
            let largest = both(Term::Int(1), big(u64::MAX - 1));
            assert!(read(vec![pair(option, largest)]).is_ok());
            for bad in [
                both(Term::Int(0), Term::Int(5)),
                both(Term::Int(5), Term::Int(0)),
                both(Term::Int(-1), Term::Int(5)),
                both(Term::Int(1), big(u64::MAX)),
                both(Term::Int(1), Term::integer(BigInt::from(1) << 64)),
                both(Term::Float(1.0), Term::Int(2)),
                Term::tuple(vec![Term::Int(1), Term::Int(2), Term::Int(3)]),
                flag("x"),
                Term::Int(5),
            ] {
                assert_bad(pair(option, bad));
            }
        }
        let crossed = both(Term::Int(5), Term::Int(2));
        let options = good(vec![pair("busy_limits_port", crossed)]);
        let clamped = Limits::Watermarks { low: 2, high: 2 };
        assert_eq!(options.busy_limits_port, Some(clamped));
    }

    #[test]
    fn parallelism_is_a_boolean() {
        assert!(!good(vec![pair("parallelism", Term::boolean(false))]).parallelism);
        assert_bad(pair("parallelism", flag("yes")));
        assert_bad(pair("parallelism", Term::Int(1)));
    }
}

//! What must hold for every list of options: the last one wins, conflicts are judged by what is
//! left at the end, both doors lead to the same, and no term is too odd to be refused.
#![forbid(unsafe_code)]

use proptest::collection::vec;
use proptest::prelude::*;
use wharf::term::encode::encode;
use wharf::term::{Binary, Term};
use wharf::{Limits, Mechanism, Options, Packet, PortName};

/// One option that is fine by itself.
#[derive(Clone, Debug, PartialEq)]
enum Setting {
    Flag(&'static str),
    Packet(Packet),
    Line(u32),
    Cd(String),
    NoCd,
    Env(Vec<(String, Option<String>)>),
    Args(Vec<String>),
    Arg0(String),
    Parallelism(bool),
    PortLimits(Option<(u64, u64)>),
    MessageLimits(Option<(u64, u64)>),
}

const FLAGS: [&str; 12] = [
    "binary",
    "stream",
    "line",
    "use_stdio",
    "nouse_stdio",
    "stderr_to_stdout",
    "exit_status",
    "eof",
    "in",
    "out",
    "hide",
    "overlapped_io",
];

const PACKETS: [Packet; 3] = [Packet::One, Packet::Two, Packet::Four];

fn text() -> impl Strategy<Value = String> {
    "[a-zäπ /.-]{1,6}"
}

fn limits() -> impl Strategy<Value = Option<(u64, u64)>> {
    let mark = || prop_oneof![1..20_u64, Just(u64::MAX - 1)];
    proptest::option::of((mark(), mark()))
}

fn setting() -> impl Strategy<Value = Setting> {
    use Setting::*;
    let packet = proptest::sample::select(PACKETS.to_vec());
    prop_oneof![
        6 => proptest::sample::select(&FLAGS[..]).prop_map(Flag),
        1 => packet.prop_map(Packet),
        1 => (1..100_u32).prop_map(Line),
        1 => text().prop_map(Cd),
        1 => Just(NoCd),
        1 => vec(("[A-Z]{0,2}", proptest::option::of("[a-z=]{0,3}")), 0..4).prop_map(Env),
        1 => vec("[a-z ]{0,3}", 0..4).prop_map(Args),
        1 => text().prop_map(Arg0),
        1 => any::<bool>().prop_map(Parallelism),
        1 => limits().prop_map(PortLimits),
        1 => limits().prop_map(MessageLimits),
    ]
}

fn list(settings: &[Setting]) -> Term {
    Term::list(settings.iter().map(Setting::term).collect())
}

fn pair(name: &str, value: Term) -> Term {
    Term::tuple([Term::atom(name), value])
}

/// An empty charlist that is not the bare empty list, which may mean something else.
fn charlist(text: &str) -> Term {
    match text {
        "" => Term::list(vec![Term::Nil]),
        _ => Term::charlist(text),
    }
}

fn limits_term(limits: &Option<(u64, u64)>) -> Term {
    match *limits {
        Some((low, high)) => Term::tuple([Term::from(low), Term::from(high)]),
        None => Term::atom("disabled"),
    }
}

impl Setting {
    fn term(&self) -> Term {
        match self {
            Setting::Flag(name) => Term::atom(name),
            Setting::Packet(packet) => {
                let bytes = packet.header_bytes() as u64;
                pair("packet", Term::from(bytes))
            }
            Setting::Line(limit) => pair("line", Term::from(i64::from(*limit))),
            Setting::Cd(path) => pair("cd", charlist(path)),
            Setting::NoCd => pair("cd", Term::Nil),
            Setting::Env(variables) => {
                let variable = |(name, value): &(String, Option<String>)| {
                    let value = value.as_deref().map_or(Term::boolean(false), charlist);
                    Term::tuple([charlist(name), value])
                };
                pair("env", Term::list(variables.iter().map(variable).collect()))
            }
            Setting::Args(args) => {
                let args = args.iter().map(|arg| Term::from(arg.as_str()));
                pair("args", Term::list(args.collect()))
            }
            Setting::Arg0(name) => pair("arg0", charlist(name)),
            Setting::Parallelism(wanted) => pair("parallelism", Term::boolean(*wanted)),
            Setting::PortLimits(limits) => pair("busy_limits_port", limits_term(limits)),
            Setting::MessageLimits(limits) => pair("busy_limits_msgq", limits_term(limits)),
        }
    }

    /// Settings of one topic take each other back; those of different topics never meet.
    fn topic(&self) -> &str {
        match self {
            Setting::Flag("stream") | Setting::Packet(_) => "packet",
            Setting::Flag("line") | Setting::Line(_) => "line",
            Setting::Flag("use_stdio" | "nouse_stdio") => "stdio",
            Setting::Flag(name) => name,
            Setting::Cd(_) | Setting::NoCd => "cd",
            Setting::Env(_) => "env",
            Setting::Args(_) => "args",
            Setting::Arg0(_) => "arg0",
            Setting::Parallelism(_) => "parallelism",
            Setting::PortLimits(_) => "busy_limits_port",
            Setting::MessageLimits(_) => "busy_limits_msgq",
        }
    }
}

/// What is left when each topic has had its last word.
fn last_words(settings: &[Setting]) -> Vec<&Setting> {
    let is_last = |at: &usize| {
        let later = &settings[at + 1..];
        later
            .iter()
            .all(|other| other.topic() != settings[*at].topic())
    };
    let last = (0..settings.len()).filter(is_last);
    last.map(|at| &settings[at]).collect()
}

fn marks(limits: &Option<(u64, u64)>) -> Limits {
    match *limits {
        Some((low, high)) => Limits::new(low, high).expect("in range"),
        None => Limits::Disabled,
    }
}

/// The same by the other door.
fn built(settings: &[Setting]) -> Options {
    let (mut input, mut output) = (false, false);
    let mut options = Options::new();
    for setting in last_words(settings) {
        options = match setting {
            Setting::Flag("binary") => options.binary(),
            Setting::Flag("stream") => options.stream(),
            Setting::Flag("line") => options.lines(),
            Setting::Flag("use_stdio") => options.use_stdio(),
            Setting::Flag("nouse_stdio") => options.nouse_stdio(),
            Setting::Flag("stderr_to_stdout") => options.stderr_to_stdout(),
            Setting::Flag("exit_status") => options.exit_status(),
            Setting::Flag("eof") => options.eof(),
            Setting::Flag("in") => {
                input = true;
                options
            }
            Setting::Flag("out") => {
                output = true;
                options
            }
            Setting::Flag(_) => options.hide(),
            Setting::Packet(packet) => options.packet(*packet),
            Setting::Line(limit) => options.line(*limit as usize),
            Setting::Cd(path) => options.cd(path),
            Setting::NoCd => options,
            Setting::Env(variables) => {
                variables
                    .iter()
                    .fold(options, |options, (name, value)| match value {
                        Some(value) => options.env(name, value),
                        None => options.env_remove(name),
                    })
            }
            Setting::Args(args) => options.args(args),
            Setting::Arg0(name) => options.arg0(name),
            Setting::Parallelism(wanted) => options.parallelism(*wanted),
            Setting::PortLimits(limits) => options.busy_limits_port(marks(limits)),
            Setting::MessageLimits(limits) => options.busy_limits_msgq(marks(limits)),
        };
    }
    match (input, output) {
        (true, false) => options.input_only(),
        (false, true) => options.output_only(),
        _ => options,
    }
}

const MECHANISMS: [Mechanism; 5] = [
    Mechanism::Program,
    Mechanism::Executable,
    Mechanism::Fd,
    Mechanism::Driver {
        no_busy_msgq: false,
    },
    Mechanism::Driver { no_busy_msgq: true },
];

/// Whether such a port can honour what is left.
fn fits(settings: &[Setting], mechanism: Mechanism) -> bool {
    let left = last_words(settings);
    let has = |wanted: &dyn Fn(&Setting) -> bool| left.iter().any(|setting| wanted(setting));
    let flag = |name| has(&|setting| *setting == Setting::Flag(name));
    let driver = matches!(mechanism, Mechanism::Driver { .. });
    let line = has(&|setting| setting.topic() == "line");
    let packet = has(&|setting| matches!(setting, Setting::Packet(_)));
    let arguments = has(&|setting| matches!(setting.topic(), "args" | "arg0"));
    let queue = has(&|setting| setting.topic() == "busy_limits_port");
    let commands = has(&|setting| matches!(setting, Setting::MessageLimits(Some(_))));
    let conflicts = [
        line && packet,
        flag("nouse_stdio") && flag("stderr_to_stdout"),
        arguments && mechanism != Mechanism::Executable,
        flag("exit_status") && (driver || mechanism == Mechanism::Fd),
        queue && driver,
        commands && mechanism == Mechanism::Driver { no_busy_msgq: true },
    ];
    !conflicts.contains(&true)
}

/// Any term at all, options among them, and what is nearly one.
fn odd() -> impl Strategy<Value = Term> {
    let leaf = prop_oneof![
        Just(Term::Nil),
        proptest::sample::select(&FLAGS[..]).prop_map(Term::atom),
        proptest::sample::select(vec![
            "packet", "cd", "env", "args", "arg0", "true", "false", "x", ""
        ])
        .prop_map(Term::atom),
        proptest::sample::select(vec![0, 1, 2, 3, 4, -1, 1 << 59, (1 << 59) - 1, i64::MAX])
            .prop_map(Term::Int),
        any::<f64>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(Term::Float),
        "[a\u{0}ä=]{0,3}".prop_map(|text| Term::from(text.as_str())),
        "[a\u{0}ä=]{0,3}".prop_map(|text| Term::charlist(&text)),
        vec(any::<u8>(), 0..4).prop_map(|bytes| Term::Binary(Binary::from(bytes))),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Term::tuple),
            vec(inner.clone(), 0..4).prop_map(Term::list),
            (vec(inner.clone(), 1..3), inner.clone())
                .prop_map(|(some, tail)| Term::improper(some, tail)),
            (
                proptest::sample::select(vec![
                    "packet",
                    "line",
                    "cd",
                    "env",
                    "args",
                    "arg0",
                    "parallelism",
                    "busy_limits_port",
                    "busy_limits_msgq",
                    "spawn",
                    "spawn_executable",
                    "spawn_driver"
                ]),
                inner
            )
                .prop_map(|(name, value)| pair(name, value)),
        ]
    })
}

fn is_cd(option: &Term) -> bool {
    option
        .as_tuple()
        .is_some_and(|pair| pair.len() == 2 && pair[0].is_atom("cd"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_doors_lead_to_the_same(settings in vec(setting(), 0..12)) {
        let read = Options::from_term(&list(&settings));
        prop_assert_eq!(read, Ok(built(&settings)));
    }

    #[test]
    fn saying_it_twice_says_nothing_new(settings in vec(setting(), 0..12)) {
        let twice = [&settings[..], &settings[..]].concat();
        prop_assert_eq!(Options::from_term(&list(&twice)), Options::from_term(&list(&settings)));
    }

    #[test]
    fn topics_do_not_care_about_each_other(settings in vec(setting(), 0..12), keys in vec(any::<u8>(), 12)) {
        let mut sorted = settings.clone();
        let mut topics: Vec<&str> = settings.iter().map(Setting::topic).collect();
        topics.sort_unstable();
        topics.dedup();
        // Keeps the order within each topic.
        let place = |setting: &Setting| topics.iter().position(|topic| *topic == setting.topic());
        sorted.sort_by_key(|setting| place(setting).map(|at| keys[at]));
        let (here, there) = (Options::from_term(&list(&settings)), Options::from_term(&list(&sorted)));
        prop_assert_eq!(&here, &there);
        for mechanism in MECHANISMS {
            prop_assert_eq!(here.as_ref().unwrap().check(mechanism), there.as_ref().unwrap().check(mechanism));
        }
    }

    #[test]
    fn conflicts_are_judged_by_what_is_left(settings in vec(setting(), 0..10)) {
        let options = Options::from_term(&list(&settings)).unwrap();
        for mechanism in MECHANISMS {
            let checked = options.check(mechanism);
            prop_assert_eq!(checked.is_ok(), fits(&settings, mechanism), "{:?}: {:?}", mechanism, &checked);
            if let Err(bad) = checked {
                prop_assert!(!bad.option().is_empty() && bad.erlang_text().contains("argument"));
            }
        }
    }

    #[test]
    fn one_bad_option_spoils_the_list(settings in vec(setting(), 0..5), odd in odd(), at in 0..6_usize) {
        let alone = Options::from_term(&Term::list(vec![odd.clone()]));
        let at = at.min(settings.len());
        let mut terms: Vec<Term> = settings.iter().map(Setting::term).collect();
        terms.insert(at, odd.clone());
        let among = Options::from_term(&Term::list(terms.clone()));
        // A directory is looked at last of all, and a later one may take its place.
        if is_cd(&odd) {
            let replaced = settings[at..].iter().any(|setting| setting.topic() == "cd");
            prop_assert_eq!(among.is_ok(), alone.is_ok() || replaced);
        } else {
            prop_assert_eq!(among.is_ok(), alone.is_ok(), "{}", odd);
            if let Err(bad) = among {
                prop_assert_eq!(bad.erlang_text(), "2nd argument: invalid option in list");
                prop_assert!(bad.to_string().len() < 400);
            }
        }
        let improper = Term::improper(terms, Term::atom("binary"));
        prop_assert!(Options::from_term(&improper).is_err());
    }

    #[test]
    fn no_term_is_too_odd_for_a_name_or_a_list(odd in odd()) {
        if let Ok(options) = Options::from_term(&odd) {
            prop_assert!(odd.to_list_vec().is_some());
            for mechanism in MECHANISMS {
                let _ = options.check(mechanism);
            }
        }
        match PortName::from_term(&odd) {
            Ok(PortName::Fd { .. }) => {}
            Ok(name) => prop_assert!(!name.display_bytes().contains(&0)),
            Err(bad) => prop_assert!(bad.to_string().len() < 400),
        }
        // Whatever it is, it is a term like others.
        prop_assert!(encode(&odd).is_ok());
    }
}

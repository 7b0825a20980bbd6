//! What an open refuses, in Erlang's terms and at the typed door, in which words, and that
//! nothing is left of it.
#![forbid(unsafe_code)]

use wharf::{Host, Limits, Options, Packet, PortName, Process, Term};

/// A term in Erlang's notation.
fn erl(text: &str) -> Term {
    wharf::term::text::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

/// An owner that hears of ends.
fn owner() -> Process {
    let owner = Host::new().expect("a host").process();
    owner.set_trap_exit(true);
    owner
}

#[track_caller]
fn nothing_is_left(owner: &Process) {
    assert_eq!(owner.host().ports(), []);
    assert_eq!(owner.messages_waiting(), 0);
}

const NAME: Option<&str> = Some("1st argument: invalid port name");
const EXECUTABLE: Option<&str> = Some("1st argument: must be spawn_executable");
const OPTION: Option<&str> = Some("2nd argument: invalid option in list");
const BOTH: Option<&str> = Some("1st argument: not a tuple\n2nd argument: invalid option in list");

#[test]
fn terms_are_refused_with_erlangs_reasons_and_words() {
    let cases = [
        ("{spawn,17}", "[]", "badarg", NAME),
        ("{spawn,[]}", "[]", "badarg", NAME),
        ("{spawn,[\"a\",<<\"b\">>]}", "[]", "badarg", NAME),
        ("{spawn,[99,0]}", "[]", "badarg", NAME),
        ("{spawn,[55296]}", "[]", "badarg", NAME),
        ("{spawn,[1114112]}", "[]", "badarg", NAME),
        ("{spawn,[99|116]}", "[]", "badarg", NAME),
        ("{spawn_driver,\"no_such_driver\"}", "[]", "badarg", NAME),
        ("{spawn_driver,\"fd\"}", "[]", "badarg", NAME),
        ("{spawn_driver,<<>>}", "[]", "badarg", NAME),
        ("{spawn,\"cat\",[]}", "[]", "badarg", NAME),
        ("{vanilla,\"cat\"}", "[]", "badarg", NAME),
        ("{}", "[]", "badarg", NAME),
        ("17", "[]", "badarg", None),
        ("<<\"cat\">>", "[]", "badarg", None),
        ("cat", "[]", "badarg", None),
        ("\"cat\"", "[]", "badarg", None),
        ("{fd,1.0,2}", "[]", "badarg", NAME),
        ("{fd,0,1152921504606846976}", "[]", "badarg", NAME),
        ("{fd,-1,1}", "[]", "einval", None),
        ("{fd,0,100000000}", "[]", "einval", None),
        ("{spawn_executable,\"/no/such\"}", "[]", "enoent", None),
        ("{spawn_executable,\"cat\"}", "[]", "enoent", None),
        ("{spawn_executable,\"/bin/cat -n\"}", "[]", "enoent", None),
        ("{spawn_executable,\"/etc/passwd\"}", "[]", "eacces", None),
        (
            "{spawn_executable,\"/etc/passwd/x\"}",
            "[]",
            "enotdir",
            None,
        ),
        ("{spawn,\"cat\"}", "[unknown]", "badarg", OPTION),
        ("{spawn,\"cat\"}", "binary", "badarg", OPTION),
        ("{spawn,\"cat\"}", "[binary|in]", "badarg", OPTION),
        ("{spawn,\"cat\"}", "[{binary,true}]", "badarg", OPTION),
        ("{spawn,\"cat\"}", "[{packet,3}]", "badarg", OPTION),
        ("{spawn,\"cat\"}", "[{packet,4.0}]", "badarg", OPTION),
        ("{spawn,\"cat\"}", "[{line,0}]", "badarg", OPTION),
        (
            "{spawn,\"cat\"}",
            "[{line,576460752303423488}]",
            "badarg",
            OPTION,
        ),
        ("{spawn,\"cat\"}", "[line,{packet,2}]", "badarg", OPTION),
        (
            "{spawn,\"cat\"}",
            "[nouse_stdio,stderr_to_stdout]",
            "badarg",
            OPTION,
        ),
        (
            "{spawn,\"cat\"}",
            "[{env,[{\"A=\",\"b\"}]}]",
            "badarg",
            OPTION,
        ),
        (
            "{spawn,\"cat\"}",
            "[{env,[{<<\"A\">>,\"b\"}]}]",
            "badarg",
            OPTION,
        ),
        (
            "{spawn,\"cat\"}",
            "[{busy_limits_port,{0,1}}]",
            "badarg",
            OPTION,
        ),
        (
            "{spawn,\"cat\"}",
            "[{busy_limits_msgq,{1,18446744073709551615}}]",
            "badarg",
            OPTION,
        ),
        ("{spawn,\"cat\"}", "[{parallelism,1}]", "badarg", OPTION),
        ("{spawn,\"cat\"}", "[{cd,17}]", "badarg", NAME),
        ("{spawn,\"cat\"}", "[{args,[]}]", "badarg", EXECUTABLE),
        (
            "{spawn,\"cat\"}",
            "[{args,[]},{cd,17}]",
            "badarg",
            EXECUTABLE,
        ),
        ("{spawn,17}", "[{args,[]}]", "badarg", EXECUTABLE),
        ("{fd,0,1}", "[{args,[]}]", "badarg", EXECUTABLE),
        ("{spawn,\"cat\"}", "[{arg0,\"x\"}]", "badarg", NAME),
        ("{fd,0,1}", "[exit_status]", "badarg", NAME),
        (
            "{spawn_executable,\"/bin/cat\"}",
            "[{args,\"ab\"}]",
            "badarg",
            OPTION,
        ),
        ("17", "[unknown]", "badarg", BOTH),
        ("cat", "[{packet,2},line]", "badarg", BOTH),
        ("cat", "[{cd,17}]", "badarg", None),
        ("cat", "[{args,[]}]", "badarg", None),
    ];
    let owner = owner();
    for (name, options, reason, words) in cases {
        let raise = owner
            .open_port(&erl(name), &erl(options))
            .expect_err(&format!("{name} {options}"));
        assert_eq!(raise.reason, Term::atom(reason), "{name} {options}");
        assert_eq!(raise.detail.as_deref(), words, "{name} {options}");
        if reason == "badarg" {
            assert!(raise.hint.is_some(), "{name} {options}: no explanation");
        }
        nothing_is_left(&owner);
    }
}

#[test]
fn the_typed_door_names_what_was_wrong() {
    let marks = |low, high| Limits::Watermarks { low, high };
    let cat = || PortName::spawn("cat");
    let file = || PortName::spawn_executable("/bin/cat");
    let new = Options::new;
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let circle = folder.join(format!("circle-{}", std::process::id()));
    std::os::unix::fs::symlink(&circle, &circle).expect("a new name");
    let cases = [
        (
            PortName::spawn_executable(&circle),
            new(),
            "eloop",
            "in a circle",
        ),
        (
            cat(),
            new().packet(Packet::Two).lines(),
            "badarg",
            "option line: cannot be combined with packet",
        ),
        (
            cat(),
            new().nouse_stdio().stderr_to_stdout(),
            "badarg",
            "option stderr_to_stdout",
        ),
        (
            cat(),
            new().line(0),
            "badarg",
            "option line: must be at least 1",
        ),
        (
            cat(),
            new().arg("x"),
            "badarg",
            "option args: needs spawn_executable",
        ),
        (
            cat(),
            new().args([""; 0]),
            "badarg",
            "option args: needs spawn_executable",
        ),
        (
            cat(),
            new().arg0("x"),
            "badarg",
            "option arg0: needs spawn_executable",
        ),
        (
            cat(),
            new().cd("a\0b"),
            "badarg",
            "option cd: contains a NUL",
        ),
        (cat(), new().env("A=", "b"), "badarg", "option env"),
        (cat(), new().env("A", "b\0"), "badarg", "option env"),
        (cat(), new().env_remove("A\0"), "badarg", "option env"),
        (
            cat(),
            new().busy_limits_port(marks(0, 1)),
            "badarg",
            "option busy_limits_port",
        ),
        (
            cat(),
            new().busy_limits_msgq(marks(1, u64::MAX)),
            "badarg",
            "option busy_limits_msgq",
        ),
        (
            file(),
            new().arg("a\0"),
            "badarg",
            "option args: contains a NUL",
        ),
        (
            file(),
            new().arg0("a\0"),
            "badarg",
            "option arg0: contains a NUL",
        ),
        (
            PortName::fd(0, 1),
            new().exit_status(),
            "badarg",
            "option exit_status",
        ),
        (PortName::fd(0, 1), new().arg("x"), "badarg", "option args"),
        (PortName::fd(-1, 1), new(), "einval", "-1/1"),
        (PortName::fd(0, i32::MAX), new(), "einval", "0/2147483647"),
        (PortName::spawn("ca\0t"), new(), "badarg", "contains a NUL"),
        (
            PortName::spawn_executable("/bin/cat\0"),
            new(),
            "badarg",
            "contains a NUL",
        ),
        (
            PortName::spawn_driver("\0"),
            new(),
            "badarg",
            "contains a NUL",
        ),
        (
            PortName::spawn_driver("no_such_driver"),
            new(),
            "badarg",
            "no_such_driver",
        ),
        (
            PortName::spawn_executable("/no/such"),
            new(),
            "enoent",
            "there is no such file",
        ),
        (
            PortName::spawn_executable(""),
            new(),
            "enoent",
            "there is no such file",
        ),
        (
            PortName::spawn_executable("/etc/passwd"),
            new(),
            "eacces",
            "may not be executed",
        ),
        (
            PortName::spawn_executable("/etc/passwd/x"),
            new(),
            "enotdir",
            "not a directory",
        ),
        (
            PortName::spawn_executable("x".repeat(256)),
            new(),
            "enametoolong",
            "too long",
        ),
    ];
    let owner = owner();
    for (name, options, reason, words) in cases {
        let shown = format!("{name:?} {options:?}");
        let error = owner.open(name, options).expect_err(&shown);
        assert!(error.is(reason), "{shown}: {error}");
        assert!(error.to_string().contains(words), "{shown}: {error}");
        nothing_is_left(&owner);
    }
    std::fs::remove_file(&circle).expect("there");
}

#[test]
fn a_full_table_refuses_one_more_of_every_kind_until_one_is_closed() {
    let host = Host::builder().ports_max(3).build().expect("a host");
    let owner = host.process();
    owner.set_trap_exit(true);
    let open = |name| owner.open(name, Options::new());
    let first = open(PortName::spawn("cat")).expect("room");
    let others = [
        PortName::spawn("cat"),
        PortName::spawn_executable("/bin/cat"),
    ];
    let _others = others.map(|name| open(name).expect("room"));
    // What is refused for another reason takes no room, before or after.
    for _ in 0..2 {
        let missing = open(PortName::spawn_executable("/no/such"));
        assert!(missing.is_err());
        for name in [
            PortName::spawn("cat"),
            PortName::spawn_executable("/bin/cat"),
            PortName::fd(0, 1),
        ] {
            let error = open(name).expect_err("the table is full");
            assert!(error.is("system_limit"), "{error}");
            assert!(error.to_string().contains("ports_max"), "{error}");
        }
        assert_eq!(host.ports().len(), 3);
        assert_eq!(owner.messages_waiting(), 0);
    }
    let raise = owner.open_port(&erl("{spawn,\"cat\"}"), &Term::Nil);
    assert_eq!(raise.unwrap_err().reason, Term::atom("system_limit"));
    first.close().expect("open");
    let missing = open(PortName::spawn_executable("/no/such")).expect_err("missing");
    assert!(missing.is("enoent"), "{missing}");
    open(PortName::spawn("cat")).expect("room again");
    // Another host has a table of its own.
    let other = Host::new().expect("a host").process();
    other
        .open(PortName::spawn("cat"), Options::new())
        .expect("room");
}

//! External programs as ports: what is run, with which descriptors, and what its owner hears,
//! in Erlang's own terms. What is expected here is what Erlang/OTP 25 was seen to do.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use wharf::{Host, PortId, Process, Term};

const SOON: Duration = Duration::from_secs(60);

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

fn open(owner: &Process, name: &str, options: &str) -> PortId {
    let opened = owner.open_port(&erl(name), &erl(options));
    opened.unwrap_or_else(|raise| panic!("{name} {options}: {raise:?}"))
}

fn sh(owner: &Process, script: &str, options: &str) -> PortId {
    let options = format!("[{{args,[\"-c\",<<{script:?}>>]}},binary{options}]");
    open(owner, "{spawn_executable,\"/bin/sh\"}", &options)
}

fn os_pid(owner: &Process, port: PortId) -> String {
    let info = owner
        .port_info_item(&Term::Port(port), &Term::atom("os_pid"))
        .unwrap();
    info.as_tuple().unwrap()[1].to_string()
}

/// The next message in Erlang's notation, with `P` for the port.
fn next(owner: &Process, port: PortId) -> String {
    let message = owner
        .receive_any(SOON)
        .expect("alive")
        .expect("a message in time");
    message
        .to_string()
        .replace(&Term::Port(port).to_string(), "P")
}

/// Messages up to the end of the port.
fn until_end(owner: &Process, port: PortId) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        all.push(next(owner, port));
        if all
            .last()
            .is_some_and(|message| message.starts_with("{'EXIT'"))
        {
            return all;
        }
    }
}

#[track_caller]
fn hears(script: &str, options: &str, expected: &[&str]) {
    let owner = owner();
    let port = sh(&owner, script, options);
    assert_eq!(until_end(&owner, port), expected, "{script} {options}");
}

const NORMAL: &str = "{'EXIT',P,normal}";

/// A folder of the test's own, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("wharf-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A pipe with a name, where one program waits until the test writes. Each is used once:
    /// what is written while its last reader leaves would be lost.
    fn gate(&self, name: &str) -> String {
        let path = self.file(name);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The end of a port is told a moment before it leaves the table.
fn wait_for_no_ports(owner: &Process) {
    let deadline = Instant::now() + SOON;
    while !owner.host().ports().is_empty() {
        assert!(Instant::now() < deadline, "{:?}", owner.host().ports());
        std::thread::yield_now();
    }
}

/// While another program is being started it may have a copy of this one's input, and then a
/// write goes well though the program is gone.
fn write_until_refused(owner: &Process, port: &Term) {
    let deadline = Instant::now() + SOON;
    while owner.port_command(port, &erl("\"x\""), &Term::Nil) == Ok(true) {
        assert!(Instant::now() < deadline, "writing goes well forever");
    }
}

/// Waits until a file holds what the check wants, and gives it.
fn wait_for(file: &Path, wanted: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + SOON;
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if wanted(&text) {
            return text;
        }
        assert!(
            Instant::now() < deadline,
            "{} holds {text:?}",
            file.display()
        );
        std::thread::yield_now();
    }
}

#[test]
fn output_then_status_then_the_unfinished_line_then_the_end() {
    hears("echo hello", "", &["{P,{data,<<\"hello\\n\">>}}", NORMAL]);
    hears("exit 3", "", &[NORMAL]);
    hears("exit 3", ",exit_status", &["{P,{exit_status,3}}", NORMAL]);
    hears(
        "kill -9 $$",
        ",exit_status",
        &["{P,{exit_status,137}}", NORMAL],
    );
    hears(
        "printf 'ab\\ncd'",
        ",line,exit_status",
        &[
            "{P,{data,{eol,<<\"ab\">>}}}",
            "{P,{exit_status,0}}",
            "{P,{data,{noeol,<<\"cd\">>}}}",
            NORMAL,
        ],
    );
    hears(
        "printf '\\000\\002ok\\000\\000\\000\\005abc'",
        ",{packet,2},exit_status",
        &[
            "{P,{data,<<\"ok\">>}}",
            "{P,{data,<<>>}}",
            "{P,{exit_status,0}}",
            NORMAL,
        ],
    );
}

#[test]
fn the_end_of_output_counts_not_the_end_of_the_program() {
    let folder = Folder::new("late");
    let owner = owner();
    // Closed output, program still there: over without the option, not over with it.
    let gate = folder.gate("first");
    let port = sh(&owner, &format!("exec >&-; read x <{gate}; exit 4"), "");
    assert_eq!(until_end(&owner, port), [NORMAL]);
    std::fs::write(&gate, "go\n").unwrap();
    let gate = folder.gate("second");
    let script = format!("exec >&-; read x <{gate}; exit 4");
    let port = sh(&owner, &script, ",exit_status");
    std::fs::write(&gate, "go\n").unwrap();
    let expected = ["{P,{exit_status,4}}", NORMAL];
    assert_eq!(until_end(&owner, port), expected);
    // Program over, output still open in another one.
    let gate = folder.gate("third");
    let script = format!("(read x <{gate}; echo late) & exit 2");
    let port = sh(&owner, &script, ",exit_status");
    std::fs::write(&gate, "go\n").unwrap();
    let expected = ["{P,{data,<<\"late\\n\">>}}", "{P,{exit_status,2}}", NORMAL];
    assert_eq!(until_end(&owner, port), expected);
}

#[test]
fn with_eof_the_port_stays() {
    let owner = owner();
    let port = sh(&owner, "echo hi; exit 1", ",eof,exit_status");
    let expected = ["{P,{data,<<\"hi\\n\">>}}", "{P,{exit_status,1}}", "{P,eof}"];
    for message in expected {
        assert_eq!(next(&owner, port), message);
    }
    let name = Term::Port(port);
    let os_pid = owner.port_info_item(&name, &Term::atom("os_pid")).unwrap();
    assert!(os_pid.to_string().starts_with("{os_pid,"), "{os_pid}");
    write_until_refused(&owner, &name);
    assert_eq!(next(&owner, port), "{'EXIT',P,epipe}");
}

#[test]
fn what_cannot_be_run_ends_with_the_error_number() {
    let owner = owner();
    let folder = Folder::new("exec");
    let script = folder.file("script");
    std::fs::write(&script, "no interpreter is named here\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).unwrap();
    let script = format!("{{spawn_executable,{script:?}}}");
    let cases = [
        ("{spawn_executable,\"/tmp\"}", "[exit_status]", "13"),
        (script.as_str(), "[exit_status]", "8"),
        (
            "{spawn_executable,\"/bin/sh\"}",
            "[exit_status,{cd,\"/no/such/dir\"}]",
            "2",
        ),
        (
            "{spawn,\"true\"}",
            "[exit_status,{cd,\"/etc/passwd\"}]",
            "20",
        ),
        ("{spawn,\"true\"}", "[exit_status,{cd,<<>>}]", "2"),
        (
            "{spawn,\"no_such_program 2>/dev/null\"}",
            "[exit_status]",
            "127",
        ),
        ("{spawn,\"/tmp 2>/dev/null\"}", "[exit_status]", "126"),
        ("{spawn,<<>>}", "[exit_status]", "0"),
    ];
    for (name, options, status) in cases {
        let port = open(&owner, name, options);
        let expected = [format!("{{P,{{exit_status,{status}}}}}"), NORMAL.to_owned()];
        assert_eq!(until_end(&owner, port), expected, "{name}");
    }
    for (file, reason) in [
        ("/no/such", "enoent"),
        ("/etc/passwd", "eacces"),
        ("/etc/passwd/x", "enotdir"),
    ] {
        let refused = owner.open_port(
            &erl(&format!("{{spawn_executable,\"{file}\"}}")),
            &Term::Nil,
        );
        assert_eq!(refused.unwrap_err().reason, Term::atom(reason), "{file}");
    }
    assert_eq!(owner.messages_waiting(), 0);
    wait_for_no_ports(&owner);
}

/// Which descriptor is what, for each combination of options. `vm` is what the host has.
#[test]
fn descriptors_are_where_erlang_puts_them() {
    let link = |process: &str, number: usize| {
        let path = std::fs::read_link(format!("/proc/{process}/fd/{number}"));
        path.map_or("closed".to_owned(), |path| path.display().to_string())
    };
    let cases = [
        ("", "pipe pipe vm closed closed"),
        (",in", "vm pipe vm closed closed"),
        (",out", "pipe vm vm closed closed"),
        (",in,out", "pipe pipe vm closed closed"),
        (",nouse_stdio", "vm vm vm pipe pipe"),
        (",nouse_stdio,in", "vm vm vm closed pipe"),
        (",nouse_stdio,out", "vm vm vm pipe closed"),
        (",stderr_to_stdout", "pipe pipe same closed closed"),
        (",stderr_to_stdout,out", "pipe vm pipe closed closed"),
    ];
    // Held open meanwhile: none of these must reach a program.
    let null = || std::fs::File::open("/dev/null").unwrap();
    let _held: Vec<std::fs::File> = (0..20).map(|_| null()).collect();
    for (options, expected) in cases {
        let owner = owner();
        let options = format!("[{{args,[\"5\"]}}{options}]");
        let port = open(&owner, "{spawn_executable,\"/bin/sleep\"}", &options);
        let pid = os_pid(&owner, port);
        for (number, wanted) in expected.split(' ').chain(["closed"; 20]).enumerate() {
            let right = |found: &str| match wanted {
                "vm" => found == link("self", number),
                "pipe" => found.starts_with("pipe:") && found != link("self", number),
                "same" => found == link(&pid, number - 1),
                exact => found == exact,
            };
            // The program opens files of its own for a moment while it starts.
            let deadline = Instant::now() + SOON;
            while !right(&link(&pid, number)) {
                let found = link(&pid, number);
                let late = Instant::now() >= deadline;
                assert!(
                    !late,
                    "{options}: descriptor {number} is {found}, wanted {wanted}"
                );
                std::thread::yield_now();
            }
        }
    }
}

#[test]
fn descriptors_three_and_four_are_talked_on() {
    let owner = owner();
    let port = sh(&owner, "cat <&3 >&4", ",nouse_stdio");
    owner
        .port_command(&Term::Port(port), &erl("\"34\""), &Term::Nil)
        .unwrap();
    assert_eq!(next(&owner, port), "{P,{data,<<\"34\">>}}");
}

#[test]
fn environment_directory_and_name_are_as_told() {
    let owner = owner();
    let cases = [
        (
            "{spawn,\"echo $AA-$HOME\"}",
            "[binary,{env,[{\"AA\",\"1\"},{\"HOME\",false}]}]",
            "1-",
        ),
        ("{spawn,\"pwd\"}", "[binary,{cd,\"/usr\"}]", "/usr"),
        ("{spawn,\" echo $0\"}", "[binary]", "sh"),
        (
            "{spawn_executable,\"/bin/sh\"}",
            "[binary,{arg0,\"zero\"},{args,[\"-c\",\"echo $0 $1\",\"x\",<<\"y z\">>]}]",
            "x y z",
        ),
        (
            "{spawn_executable,\"/bin/sh\"}",
            "[binary,{arg0,\"zero\"},{args,[\"-c\",\"echo $0\"]}]",
            "zero",
        ),
    ];
    for (name, options, expected) in cases {
        let port = open(&owner, name, options);
        let expected = [
            format!("{{P,{{data,<<\"{expected}\\n\">>}}}}"),
            NORMAL.to_owned(),
        ];
        assert_eq!(until_end(&owner, port), expected, "{name} {options}");
    }
}

#[test]
fn one_direction_only() {
    let owner = owner();
    let port = open(&owner, "{spawn,\"sleep 5\"}", "[in]");
    assert_eq!(
        owner.port_command(&Term::Port(port), &Term::Nil, &Term::Nil),
        Ok(true)
    );
    assert_eq!(next(&owner, port), "{'EXIT',P,ebadf}");
    // Without output to read nothing is heard of the program, until it is written to.
    let port = sh(&owner, "exit 0", ",out,exit_status,eof");
    let name = Term::Port(port);
    let pid = os_pid(&owner, port);
    let deadline = Instant::now() + SOON;
    while Path::new(&format!("/proc/{pid}")).exists() {
        assert!(Instant::now() < deadline, "process {pid} was not reaped");
        std::thread::yield_now();
    }
    assert_eq!(owner.port_command(&name, &Term::Nil, &Term::Nil), Ok(true));
    assert_eq!(owner.messages_waiting(), 0);
    write_until_refused(&owner, &name);
    assert_eq!(next(&owner, port), "{'EXIT',P,epipe}");
}

#[test]
fn packets_that_are_too_long_end_the_port() {
    for (packet, len) in [(1, 256), (2, 65_536)] {
        let owner = owner();
        let port = open(
            &owner,
            "{spawn,\"cat\"}",
            &format!("[binary,{{packet,{packet}}}]"),
        );
        let data = Term::from(wharf::Binary::from(vec![b'x'; len]));
        assert_eq!(
            owner.port_command(&Term::Port(port), &data, &Term::Nil),
            Ok(true)
        );
        assert_eq!(next(&owner, port), "{'EXIT',P,einval}");
    }
}

// The next two tests hold what docs/compatibility.md says that differs from Erlang.

#[test]
fn a_length_that_cannot_be_does_not_hide_the_programs_end() {
    for claim in ["377\\377", "200\\000", "177\\377"] {
        hears(
            &format!("printf '\\000\\000\\000\\002ok\\{claim}\\377\\377abc'; exit 3"),
            ",{packet,4},exit_status",
            &["{P,{data,<<\"ok\">>}}", "{P,{exit_status,3}}", NORMAL],
        );
    }
}

#[test]
fn bits_that_are_no_whole_bytes_are_no_data() {
    let owner = owner();
    let port = open(&owner, "{spawn,\"cat\"}", "[binary]");
    let name = Term::Port(port);
    for data in ["<<1:3>>", "[<<1:3>>]", "<<\"ab\",1:3>>", "[97|<<1:3>>]"] {
        let raised = owner.port_command(&name, &erl(data), &Term::Nil);
        assert_eq!(raised.unwrap_err().reason, Term::atom("badarg"), "{data}");
        let command = Term::tuple([Term::atom("command"), erl(data)]);
        owner
            .send(&name, Term::tuple([Term::Pid(owner.pid()), command]))
            .unwrap();
        assert_eq!(next(&owner, port), "{'EXIT',P,badsig}", "{data}");
    }
    owner
        .port_command(&name, &erl("<<\"goes on\">>"), &Term::Nil)
        .unwrap();
    assert_eq!(next(&owner, port), "{P,{data,<<\"goes on\">>}}");
}

#[test]
fn large_packets_come_back_whole() {
    let owner = owner();
    let port = open(
        &owner,
        "{spawn,\"cat\"}",
        "[binary,{packet,4},{busy_limits_port,disabled}]",
    );
    let body: Vec<u8> = (0..5_000_000_u32)
        .map(|n| n.wrapping_mul(31).to_le_bytes()[1])
        .collect();
    let body = Term::from(wharf::Binary::from(body));
    for _ in 0..3 {
        owner
            .port_command(&Term::Port(port), &body, &Term::Nil)
            .unwrap();
    }
    let expected = Term::tuple([Term::Port(port), Term::tuple([Term::atom("data"), body])]);
    for _ in 0..3 {
        assert!(owner.receive_any(SOON).unwrap().unwrap() == expected);
    }
}

#[test]
fn a_stream_comes_in_pieces_of_at_most_64_kib_and_nothing_is_lost() {
    let owner = owner();
    let port = sh(&owner, "head -c 1000000 /dev/zero", "");
    let mut total = 0;
    loop {
        let message = owner.receive_any(SOON).unwrap().unwrap();
        let parts = message.as_tuple().unwrap().to_vec();
        if parts[0] == Term::atom("EXIT") {
            break;
        }
        assert_eq!(parts[0], Term::Port(port));
        let data = parts[1].as_tuple().unwrap()[1].as_binary().unwrap().len();
        assert!((1..=65_536).contains(&data), "{data}");
        total += data;
    }
    assert_eq!(total, 1_000_000);
}

#[test]
fn closing_writes_what_was_queued_unless_killed() {
    let folder = Folder::new("flush");
    let out = folder.file("out");
    let data = Term::from(wharf::Binary::from(vec![b'x'; 400_000]));
    for (options, kill, all) in [
        (",out", false, true),
        (",exit_status", false, true),
        (",out", true, false),
    ] {
        let gate = folder.gate(&format!("gate{options}{kill}"));
        let owner = owner();
        let script = format!("read x <{}; cat >{}; echo . >>{1}", gate, out.display());
        let port = sh(&owner, &script, options);
        let name = Term::Port(port);
        assert_eq!(owner.port_command(&name, &data, &Term::Nil), Ok(true));
        if kill {
            owner.exit_signal(&name, Term::atom("kill")).unwrap();
            assert_eq!(next(&owner, port), "{'EXIT',P,killed}");
            wait_for_no_ports(&owner);
        } else {
            owner
                .send(
                    &name,
                    Term::tuple([Term::Pid(owner.pid()), Term::atom("close")]),
                )
                .unwrap();
            assert_eq!(next(&owner, port), NORMAL);
            assert_eq!(owner.host().ports(), [port]);
        }
        std::fs::write(&gate, "go\n").unwrap();
        if !kill {
            assert_eq!(next(&owner, port), "{P,closed}");
        }
        let text = wait_for(&out, |text| text.ends_with(".\n"));
        assert_eq!(text.len() == 400_002, all, "{options}: {}", text.len());
        std::fs::remove_file(&out).unwrap();
    }
}

#[test]
fn the_end_of_output_while_closing_drops_the_queue() {
    let folder = Folder::new("drop");
    let gate = folder.gate("gate");
    let owner = owner();
    let port = sh(
        &owner,
        &format!("read x <{gate}; exec >&-; sleep 5"),
        ",eof",
    );
    let name = Term::Port(port);
    let data = Term::from(wharf::Binary::from(vec![b'x'; 400_000]));
    owner.port_command(&name, &data, &Term::Nil).unwrap();
    owner
        .send(
            &name,
            Term::tuple([Term::Pid(owner.pid()), Term::atom("close")]),
        )
        .unwrap();
    assert_eq!(next(&owner, port), NORMAL);
    std::fs::write(&gate, "go\n").unwrap();
    assert_eq!(next(&owner, port), "{P,closed}");
}

#[test]
fn many_ports_at_once_each_hear_their_own() {
    let owner = owner();
    let ports: Vec<PortId> = (0..40)
        .map(|n| {
            sh(
                &owner,
                &format!("read x; echo $x; exit {n}"),
                ",exit_status",
            )
        })
        .collect();
    for port in &ports {
        let line = Term::charlist(&format!("{port}\n"));
        owner
            .port_command(&Term::Port(*port), &line, &Term::Nil)
            .unwrap();
    }
    for (n, port) in ports.iter().enumerate() {
        let mine = |message: &Term| {
            let of = message.as_tuple()?.contains(&Term::Port(*port));
            of.then(|| message.to_string())
        };
        let hear = || {
            owner
                .receive(mine, Some(Instant::now() + SOON))
                .unwrap()
                .expect("in time")
        };
        assert_eq!(hear(), format!("{{{port},{{data,<<\"{port}\\n\">>}}}}"));
        assert_eq!(hear(), format!("{{{port},{{exit_status,{n}}}}}"));
        assert_eq!(hear(), format!("{{'EXIT',{port},normal}}"));
    }
}

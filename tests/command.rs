//! The `wharf` command as a person or a script meets it: exit statuses, what goes where, errors.
#![forbid(unsafe_code)]
#![cfg(feature = "cli")]

#[path = "support/command.rs"]
mod command;
#[path = "support/program.rs"]
mod program;

use command::wharf;
use program::run_within;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// What a run of the command gave.
struct Run {
    status: i32,
    out: String,
    err: String,
}

fn run(arguments: &[&str]) -> Run {
    run_with(arguments, "")
}

fn run_with(arguments: &[&str], input: &str) -> Run {
    let output = run_within(wharf(arguments), input, PATIENCE);
    Run {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A file of that name for one test.
fn file(name: &str, text: &[u8]) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("command");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn help_and_version() {
    let help = run(&["--help"]);
    assert_eq!(help.status, 0);
    for word in [
        "run",
        "eval",
        "test",
        "shell",
        "inspect",
        "bench",
        "completions",
        "--driver-path",
        "Examples:",
    ] {
        assert!(help.out.contains(word), "{word} in {}", help.out);
    }
    assert_eq!(
        run(&["--version"]).out,
        format!("wharf {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(run(&["frobnicate"]).status, 2);
    assert!(run(&["completions", "bash"]).out.contains("complete"));
}

#[test]
fn eval_prints_the_last_value_as_iex_would() {
    let value = run(&["eval", "x = 20; {x + 1, \"two\", 'three', %{a: nil}}"]);
    assert_eq!(
        (value.out.as_str(), value.status),
        ("{21, \"two\", 'three', %{a: nil}}\n", 0)
    );
    let printed = run(&["eval", "IO.puts(\"first\")"]);
    assert_eq!(printed.out, "first\n:ok\n");
}

#[test]
fn an_uncaught_error_is_told_with_its_line() {
    let script = file(
        "uncaught.exs",
        b"IO.puts(\"before\")\n\nraise ArgumentError, \"as you wish\"\n",
    );
    let failed = run(&["run", &script]);
    assert_eq!((failed.out.as_str(), failed.status), ("before\n", 1));
    assert!(
        failed.err.starts_with("** (ArgumentError) as you wish\n"),
        "{}",
        failed.err
    );
    assert!(failed.err.contains("uncaught.exs:3"), "{}", failed.err);
}

#[test]
fn scripts_come_from_files_and_from_standard_input() {
    assert_eq!(run_with(&["run", "-"], "IO.puts(6 * 7)").out, "42\n");
    let script = file("arguments.exs", b"IO.inspect(System.argv())");
    assert_eq!(
        run(&["run", &script, "one", "--two"]).out,
        "[\"one\", \"--two\"]\n"
    );
    let missing = run(&["run", "no/such/file.exs"]);
    assert_eq!(missing.status, 1);
    assert!(missing.err.contains("no/such/file.exs"), "{}", missing.err);
}

#[test]
fn a_syntax_error_is_told_with_line_and_column() {
    let script = file("syntax.exs", b"x = 1\ny = [1, 2\nz = 3)\n");
    let failed = run(&["run", &script]);
    assert_eq!(failed.status, 1);
    assert!(failed.err.contains("syntax.exs:"), "{}", failed.err);
    let place = failed.err.split("syntax.exs:").nth(1).unwrap();
    let mut numbers = place.split(':');
    let line: u32 = numbers.next().unwrap().parse().unwrap();
    let column: u32 = numbers.next().unwrap().parse().unwrap();
    assert!((2..=3).contains(&line) && column >= 1, "{}", failed.err);
}

#[test]
fn the_status_of_halt() {
    assert_eq!(run(&["eval", "System.halt(7)"]).status, 7);
}

#[test]
fn a_transcript_that_passes() {
    let text = b"Text.\n\n    iex> a = [1,\n    ...>   2]\n    [1, 2]\n    iex> Enum.sum(a)\n    3\n\nDone.\n";
    let passed = run(&["test", &file("passes.md", text)]);
    assert_eq!(
        (passed.out.as_str(), passed.status),
        ("2 passed, 0 failed\n", 0)
    );
}

#[test]
fn a_transcript_that_fails() {
    let text = b"iex> 1 + 1\n3\niex> raise \"oh\"\n** (ArgumentError) oh\niex> 4\n4\n";
    let failed = run(&["test", &file("fails.md", text)]);
    assert_eq!(failed.status, 1);
    assert!(
        failed.out.ends_with("\n1 passed, 2 failed\n"),
        "{}",
        failed.out
    );
    for part in [
        "fails.md:1:",
        "-3\n",
        "+2\n",
        "fails.md:3:",
        "+** (RuntimeError) oh\n",
    ] {
        assert!(failed.out.contains(part), "{part:?} in {}", failed.out);
    }
}

#[test]
fn sessions_do_not_share_variables() {
    let text = b"iex> a = 1\n1\n\nText\n\niex> a\n1\n";
    let failed = run(&["test", &file("sessions.md", text)]);
    assert!(
        failed.out.ends_with("1 passed, 1 failed\n"),
        "{}",
        failed.out
    );
}

#[test]
fn names_mean_one_thing_within_a_session() {
    let same = b"iex> p = self()\n#PID<0.5.0>\niex> {p, self()}\n{#PID<0.5.0>, #PID<0.5.0>}\n";
    assert_eq!(run(&["test", &file("same.md", same)]).status, 0);
    let other = b"iex> self()\n#PID<0.5.0>\niex> self()\n#PID<0.6.0>\n";
    assert_eq!(run(&["test", &file("other.md", other)]).status, 1);
    let two = b"iex> {self(), spawn(fn -> :ok end)}\n{#PID<0.5.0>, #PID<0.5.0>}\n";
    assert_eq!(run(&["test", &file("two.md", two)]).status, 1);
}

#[test]
fn flush_waits_for_what_is_expected_and_reports_what_is_not() {
    let late = b"iex> me = self()\niex> spawn(fn -> Process.sleep(200); send(me, :late) end)\niex> flush()\n:late\n";
    assert_eq!(
        run(&["test", &file("late.md", late)]).out,
        "3 passed, 0 failed\n"
    );
    let more = b"iex> send(self(), :a)\niex> send(self(), :b)\niex> flush()\n:a\n";
    let failed = run(&["test", &file("more.md", more)]);
    assert!(
        failed.out.contains("+:b\n") && failed.status == 1,
        "{}",
        failed.out
    );
    let never = b"iex> flush()\n:never\n";
    let start = Instant::now();
    let failed = run(&["test", "--timeout", "0.3", &file("never.md", never)]);
    assert!(
        failed.out.contains("-:never\n") && failed.status == 1,
        "{}",
        failed.out
    );
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_prompt_that_hangs_is_reported_and_the_next_session_runs() {
    let text = b"iex> Process.sleep(:infinity)\niex> 1\n1\n\nText\n\niex> 2\n2\n";
    let failed = run(&["test", "--timeout", "0.3", &file("hangs.md", text)]);
    assert_eq!(failed.status, 1);
    assert!(
        failed.out.contains("hangs.md:1: no answer within 0.3 s"),
        "{}",
        failed.out
    );
    assert!(
        failed.out.ends_with("1 passed, 2 failed\n"),
        "{}",
        failed.out
    );
    let text = b"iex> f = fn f -> f.(f) end\niex> f.(f)\n";
    let failed = run(&["test", "--timeout", "0.3", &file("spins.md", text)]);
    assert!(
        failed.out.contains("spins.md:2: no answer within 0.3 s"),
        "{}",
        failed.out
    );
}

#[test]
fn a_transcript_that_halts_does_not_end_the_run() {
    let transcript = file(
        "halts.md",
        b"iex> spawn(fn -> System.halt(0) end); Process.sleep(:infinity)\n\ntext\n\n\
          iex> try do System.halt(3) rescue _ -> 1 after 2 end\n\nmore\n\niex> 1\n2\n",
    );
    let failed = run(&["test", &transcript]);
    assert_eq!(failed.status, 1, "{}", failed.out);
    for part in ["with status 0", "with status 3", "-2", "3 failed"] {
        assert!(failed.out.contains(part), "{part} in {}", failed.out);
    }
}

/// A closed pipe is nothing to panic about, whatever the command has to say.
#[test]
fn a_reader_that_is_gone() {
    let transcript = file("unread.md", b"iex> 1\n2\n");
    for arguments in [
        vec!["test", transcript.as_str()],
        vec!["inspect", "/dev/null"],
        vec!["eval", "for n <- 1..100, do: IO.puts(n)"],
        vec!["shell"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = wharf(&arguments)
            .stdin(std::process::Stdio::null())
            .stdout(writer)
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let status = child.wait().unwrap().code();
        assert!(matches!(status, Some(0 | 1)), "{arguments:?}: {status:?}");
    }
}

#[test]
fn a_syntax_error_in_a_transcript_is_told_with_line_and_column() {
    let text = b"Text\n\n    iex> x = 1\n    iex> [1, 2}\n";
    let failed = run(&["test", &file("bad.md", text)]);
    assert_eq!(failed.status, 1);
    assert!(failed.out.contains("bad.md:4:"), "{}", failed.out);
    let column: usize = failed
        .out
        .split("bad.md:4:")
        .nth(1)
        .unwrap()
        .split(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!((10..=17).contains(&column), "{}", failed.out);
}

#[test]
fn files_that_are_no_transcripts() {
    let cases = [
        (
            file("text.md", b"Nothing to see.\n"),
            "no line starts with an `iex>` prompt",
        ),
        (file("binary.md", b"iex> 1\n\0\xff"), "not UTF-8 text"),
        (env!("CARGO_TARGET_TMPDIR").to_owned(), "cannot be read"),
        ("no/such.md".to_owned(), "cannot be read"),
    ];
    for (path, reason) in cases {
        let failed = run(&["test", &path]);
        assert_eq!(failed.status, 1, "{path}");
        assert!(failed.out.contains(reason), "{reason} in {}", failed.out);
        assert!(
            failed.out.ends_with("0 passed, 1 failed\n"),
            "{}",
            failed.out
        );
    }
}

#[test]
fn junit_lists_every_prompt() {
    let report = file("report.xml", b"");
    let text = b"iex> 1\n1\niex> \"<&>\"\n2\n";
    assert_eq!(
        run(&["test", "--junit", &report, &file("junit.md", text)]).status,
        1
    );
    let xml = std::fs::read_to_string(report).unwrap();
    assert!(
        xml.contains("tests=\"2\"") && xml.contains("failures=\"1\""),
        "{xml}"
    );
    assert!(xml.contains("&lt;&amp;&gt;"), "{xml}");
}

#[test]
fn the_shell_reads_plain_lines() {
    let input = "x = 20\nfn a ->\n  a + 1\nend.(x)\n1 / 0\nh Port\n[x\n";
    let session = run_with(&["shell"], input);
    for part in [
        "wharf(1)> 20\n",
        "...(2)> 21\n",
        "** (ArithmeticError)",
        "command/2",
    ] {
        assert!(session.out.contains(part), "{part:?} in {}", session.out);
    }
    assert!(
        session.err.contains("within an expression"),
        "{}",
        session.err
    );
    assert_eq!(run_with(&["shell"], "exit(:boom)\n1 + 1\n").status, 0);
}

#[test]
fn an_input_without_end_is_given_up_as_in_iex() {
    let session = run_with(&["shell"], "x = [1,\n#iex:break\n1 + 1\n");
    assert!(
        session.out.contains("shell:1: incomplete expression"),
        "{}",
        session.out
    );
    assert!(session.out.contains("> 2\n"), "{}", session.out);
}

#[test]
fn the_shell_outlives_its_process() {
    let session = run_with(&["shell"], "x = 1\nProcess.exit(self(), :kill)\nx + 1\n");
    assert!(
        session
            .out
            .contains("shell process exited with reason: killed"),
        "{}",
        session.out
    );
    assert!(session.out.contains("> 2\n"), "{}", session.out);
}

#[test]
fn inspect_says_what_is_wrong_with_a_file() {
    for (path, reason) in [
        ("no/such_drv.so".to_owned(), "there is no such file"),
        (file("text_drv.so", b"hello"), "no ELF file"),
        (env!("CARGO_TARGET_TMPDIR").to_owned(), "it is a directory"),
    ] {
        let failed = run(&["inspect", &path]);
        assert_eq!(failed.status, 1);
        assert!(failed.out.contains(reason), "{reason} in {}", failed.out);
        assert!(failed.out.contains("{error,{open_error,"), "{}", failed.out);
    }
}

#[test]
fn a_driver_on_the_path_that_does_not_load_is_explained() {
    let broken = file("broken_drv.so", b"no driver");
    let folder = Path::new(&broken).parent().unwrap().display().to_string();
    let open = "Port.open({:spawn_driver, \"broken_drv\"}, [])";
    let failed = run(&["--driver-path", &folder, "eval", open]);
    assert_eq!(failed.status, 1);
    for part in ["** (ArgumentError)", "broken_drv.so: it is no ELF file"] {
        assert!(failed.err.contains(part), "{part} in {}", failed.err);
    }
}

/// On a terminal of its own, by `script`, which everybody on Linux has.
#[test]
fn the_shell_on_a_terminal() {
    let shell = format!("{} shell --no-history", env!("CARGO_BIN_EXE_wharf"));
    let mut terminal = std::process::Command::new("script");
    terminal
        .args(["-qec", &shell, "/dev/null"])
        .env("NO_COLOR", "1")
        .env("TERM", "xterm");
    // Tab completes the name of the driver.
    let keys = "p = Port.open({:spawn_driver, \"counter_d\t\"}, [:binary]); Port.command(p, \"7\"); \
                receive do {^p, {:data, sum}} -> IO.puts(\"sum \" <> sum) end; System.halt(3)\r";
    let output = run_within(terminal, keys, PATIENCE);
    let screen = String::from_utf8_lossy(&output.stdout);
    assert!(screen.contains("sum 7"), "{screen}");
    assert_eq!(output.status.code(), Some(3), "{screen}");
}

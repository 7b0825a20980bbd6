//! Scripts that fail: what a person reads on standard error, and the exit status.
//!
//! The words were recorded from Elixir 1.14; where wharf says more, or cannot do what Elixir does, the test says so.
#![cfg(feature = "cli")]

use std::io::Write;
use std::process::{Command, Stdio};

/// The first line on standard error, and the exit status.
fn run(source: &str) -> (String, i32) {
    let (_, errors, status) = outputs(source);
    (
        errors.lines().next().unwrap_or("").trim_end().to_owned(),
        status,
    )
}

fn outputs(source: &str) -> (String, String, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wharf"))
        .args(["run", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("wharf starts");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(source.as_bytes())
        .expect("wharf reads");
    let output = child.wait_with_output().expect("wharf ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code().unwrap_or(-1),
    )
}

#[test]
fn syntax_errors_name_line_column_and_reason() {
    for (source, expected) in [
        (
            "x = 1 2",
            "(SyntaxError) stdin:1:7: syntax error before: \"2\"",
        ),
        (
            "a = 1\nfoo(1 2)",
            "(SyntaxError) stdin:2:7: syntax error before: \"2\"",
        ),
        (
            "x = = 3",
            "(SyntaxError) stdin:1:5: syntax error before: '='",
        ),
        (
            "%{a: 1 b: 2}",
            "(SyntaxError) stdin:1:8: syntax error before: 'b:'",
        ),
        ("x = 1 + )", "(SyntaxError) stdin:1:9: unexpected token: )"),
        (
            "end",
            "(SyntaxError) stdin:1:1: unexpected reserved word: end",
        ),
        (
            "x = [1, 2}",
            "(SyntaxError) stdin:1:10: unexpected token: }. The \"[\" at line 1 is missing terminator \"]\"",
        ),
        (
            "if true do\n  1\n",
            "(TokenMissingError) stdin:3:1: missing terminator: end (for \"do\" starting at line 1)",
        ),
        (
            "f = fn x -> x\n",
            "(TokenMissingError) stdin:2:1: missing terminator: end (for \"fn\" starting at line 1)",
        ),
        (
            "x = (1 + 2\ny = 3\n",
            "(TokenMissingError) stdin:3:1: missing terminator: ) (for \"(\" starting at line 1)",
        ),
        (
            "x = \"abc\n",
            "(TokenMissingError) stdin:2:1: missing terminator: \" (for string starting at line 1)",
        ),
        (
            "x = 1 +",
            "(TokenMissingError) stdin:1:8: syntax error: expression is incomplete",
        ),
    ] {
        assert_eq!(run(source), (format!("** {expected}"), 1), "{source}");
    }
}

#[test]
fn syntax_errors_show_the_line() {
    let (_, errors, _) = outputs("a = 1\nb = 2 3\n");
    assert_eq!(
        errors,
        "** (SyntaxError) stdin:2:7: syntax error before: \"3\"\n    |\n  2 | b = 2 3\n    |       ^\n"
    );
}

#[test]
fn what_is_not_supported_is_named_with_its_place() {
    for (source, expected) in [
        ("use GenServer", "1:1: `use` is not supported"),
        (
            "x = 1\ndefmodule A do\n  defmacro m(x), do: x\nend",
            "3:3: `defmacro` is not supported",
        ),
        ("y = quote do 1 end", "1:5: `quote` is not supported"),
        (
            "x = ~r/a/",
            "1:5: the regular expression sigil `~r` is not supported",
        ),
        (
            "defmodule A do\n  def a + b, do: {a, b}\nend",
            "2:7: a definition of the operator `+` is not supported",
        ),
    ] {
        assert_eq!(
            run(source),
            (format!("** (CompileError) stdin:{expected}"), 1),
            "{source}"
        );
    }
}

#[test]
fn names_that_nobody_defined_are_found_before_anything_runs() {
    let (printed, errors, status) = outputs("IO.puts \"ran\"\nfoo(1)\n");
    assert_eq!((printed.as_str(), status), ("", 1));
    assert_eq!(
        errors.lines().next(),
        Some("** (CompileError) stdin:2: undefined function foo/1 (there is no such import)")
    );
    let (printed, errors, _) = outputs("IO.puts \"ran\"\nIO.puts x\n");
    assert_eq!(printed, "");
    assert!(errors.contains("variable \"x\" does not exist"), "{errors}");
    assert!(
        errors.contains(
            "** (CompileError) stdin:2: undefined function x/0 (there is no such import)"
        ),
        "{errors}"
    );
    let (printed, errors, _) =
        outputs("IO.puts \"ran\"\ndefmodule A do\n  def f(x), do: g(x)\nend\n");
    assert_eq!(printed, "ran\n");
    let expected = "** (CompileError) stdin:3: undefined function g/1 (expected A to define such a function or for it to be \
                    imported, but none are available)";
    assert_eq!(errors.lines().next(), Some(expected));
}

#[test]
fn uncaught_failures_end_a_script_with_their_banner() {
    for (source, expected, status) in [
        ("raise \"boom\"", "** (RuntimeError) boom", 1),
        (
            "{:ok, x} = {:error, 1}\nx",
            "** (MatchError) no match of right hand side value: {:error, 1}",
            1,
        ),
        ("exit(:foo)", "** (exit) :foo", 1),
        ("throw {:a, 1}", "** (throw) {:a, 1}", 1),
        ("exit(:normal)", "", 0),
        ("exit(:shutdown)", "", 0),
        ("exit({:shutdown, 7})", "", 7),
        (
            "Port.open({:spawn, \"cat\"}, [:foo])",
            "** (ArgumentError) errors were found at the given arguments:",
            1,
        ),
        (
            ":erlang.port_command(:foo, \"x\")",
            "** (ArgumentError) argument error",
            1,
        ),
        (
            "A.f(2)",
            "** (UndefinedFunctionError) function A.f/1 is undefined (module A is not available)",
            1,
        ),
        (
            "defmodule A do\n  def f(1), do: 1\nend\nA.f(2)",
            "** (FunctionClauseError) no function clause matching in A.f/1",
            1,
        ),
        ("System.halt(3)", "", 3),
    ] {
        assert_eq!(run(source), (expected.to_owned(), status), "{source}");
    }
}

#[test]
fn the_trace_names_functions_and_lines() {
    let source = "defmodule A do\n  def f(x), do: 1 + g(x)\n  def g(1), do: 1\nend\nA.f(2)\n";
    let (_, errors, _) = outputs(source);
    let expected = "** (FunctionClauseError) no function clause matching in A.g/1    \n    \n    The following arguments were given \
                    to A.g/1:\n    \n        # 1\n        2\n    \n    stdin:3: A.g/1\n    stdin:2: A.f/1\n    stdin:5: (file)\n";
    assert_eq!(errors, expected);
}

#[test]
fn a_linked_failure_ends_the_script() {
    let (_, errors, status) =
        outputs("spawn_link(fn -> exit(:boom) end)\nProcess.sleep(:infinity)\n");
    assert!(errors.starts_with("** (EXIT from #PID<"), "{errors}");
    assert!(errors.trim_end().ends_with("boom"), "{errors}");
    assert_eq!(status, 1);
}

#[test]
fn a_failed_process_is_reported_and_its_script_goes_on() {
    let source = "{pid, ref} = spawn_monitor(fn -> raise \"boom\" end)\n\
                  receive do {:DOWN, ^ref, :process, ^pid, _} -> IO.puts \"on\" end\n";
    let (printed, errors, status) = outputs(source);
    assert_eq!((printed.as_str(), status), ("on\n", 0));
    assert!(
        errors.contains("raised an exception\n** (RuntimeError) boom\n    stdin:1: anonymous fn/0"),
        "{errors}"
    );
}

#[test]
fn endless_recursion_is_an_error_and_nothing_worse() {
    for source in [
        "defmodule A do\n  def f(n), do: 1 + f(n + 1)\nend\nA.f(0)\n",
        "f = fn f -> Enum.map([1], fn _ -> f.(f) end) end\nf.(f)\n",
    ] {
        let (first, status) = run(source);
        assert_eq!(
            (first.as_str(), status),
            ("** (SystemLimitError) a system limit has been reached", 1),
            "{source}"
        );
    }
}

#[test]
fn absurd_texts_are_refused_and_nothing_worse() {
    for source in [
        "(".repeat(50_000),
        "[".repeat(50_000) + &"]".repeat(50_000),
        "1+".repeat(50_000) + "1",
        "\u{0}\u{1}".to_owned(),
    ] {
        let (first, status) = run(&source);
        assert!(first.starts_with("** (") && status == 1, "{first}");
    }
}

#[test]
fn a_file_that_is_no_text_is_refused() {
    let folder = std::env::temp_dir().join(format!("wharf-no-text-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("binary.exs");
    std::fs::write(&file, b"IO.puts 1\n\xFF\xFE").expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_wharf"))
        .arg("run")
        .arg(&file)
        .output()
        .expect("wharf runs");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(errors.contains("line 2: this is no UTF-8 text"), "{errors}");
    assert_eq!(output.status.code(), Some(1));
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

#[test]
fn eval_prints_the_last_value_as_a_prompt_would() {
    let eval = |source: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_wharf"))
            .args(["eval", source])
            .output()
            .expect("wharf runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (
            text(output.stdout),
            text(output.stderr),
            output.status.code(),
        )
    };
    assert_eq!(
        eval("x = 1; {x, 'a', \"b\"}"),
        ("{1, 'a', \"b\"}\n".to_owned(), String::new(), Some(0))
    );
    assert_eq!(
        eval("IO.puts \"said\""),
        ("said\n:ok\n".to_owned(), String::new(), Some(0))
    );
    let (printed, errors, status) = eval("1 +");
    assert_eq!((printed.as_str(), status), ("", Some(1)));
    assert!(
        errors.starts_with(
            "** (TokenMissingError) nofile:1:4: syntax error: expression is incomplete"
        ),
        "{errors}"
    );
}

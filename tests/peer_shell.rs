//! What scripts cannot see of themselves, told to wharf, and to Elixir where it is installed: the words
//! on the host's standard error, and what an open raises in a process that has no descriptors left.
#![forbid(unsafe_code)]
#![cfg(feature = "cli")]

use std::process::{Command, Output, Stdio};
use std::time::Duration;

#[path = "support/program.rs"]
mod program;

const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `script` after `before`, a line for the shell, in wharf and in Elixir.
fn tell(before: &str, script: &str) -> Vec<(&'static str, Output)> {
    let mut told = vec![run(
        "wharf",
        before,
        env!("CARGO_BIN_EXE_wharf"),
        "eval",
        script,
    )];
    let elixir = Command::new("elixir")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if elixir.is_ok() {
        told.push(run("elixir", before, "elixir", "-e", script));
    } else {
        println!("skipped: no elixir");
    }
    told
}

fn run(
    name: &'static str,
    before: &str,
    program: &str,
    flag: &str,
    script: &str,
) -> (&'static str, Output) {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{before} exec \"$@\""), "sh"])
        .args([program, flag, script])
        .env("LC_ALL", "C.UTF-8")
        .env("NO_COLOR", "1");
    (name, program::run_within(command, "", PATIENCE))
}

#[test]
fn a_folder_that_is_not_there_is_told_on_standard_error() {
    let script = r#"
        Process.flag(:trap_exit, true)
        for name <- [{:spawn_executable, "/bin/true"}, {:spawn, "true"}], cd <- ["/no/such/folder", "/etc/passwd"] do
          p = Port.open(name, [:exit_status, cd: cd])
          receive do {^p, {:exit_status, status}} -> IO.puts(status) end
          receive do {:EXIT, ^p, reason} -> IO.puts(reason) end
        end
        System.halt(0)
    "#;
    let mut expected = String::new();
    for _ in 0..2 {
        for folder in ["/no/such/folder", "/etc/passwd"] {
            expected += &format!("spawn: Could not cd to {folder}\n");
        }
    }
    for (who, output) in tell("", script) {
        let said = String::from_utf8_lossy(&output.stderr).replace('\r', "");
        assert_eq!(said, expected, "{who}");
        let told = String::from_utf8_lossy(&output.stdout);
        // The numbers of ENOENT and ENOTDIR.
        assert_eq!(told, "2\nnormal\n20\nnormal\n".repeat(2), "{who}");
    }
}

#[test]
fn without_descriptors_an_open_raises_emfile() {
    let script = r#"
        open = fn open, number ->
          result =
            try do
              Port.open({:spawn_executable, "/bin/cat"}, [])
              :opened
            catch
              :error, reason -> reason
            end
          if result == :opened and number < 200, do: open.(open, number + 1), else: {result, number > 3}
        end
        IO.inspect(open.(open, 0))
        System.halt(0)
    "#;
    for (who, output) in tell("ulimit -n 64;", script) {
        let told = String::from_utf8_lossy(&output.stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(told, "{:emfile, true}\n", "{who}: {said}");
    }
}

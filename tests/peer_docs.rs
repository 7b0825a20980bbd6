//! The guide to ports says what a real iex says: the same prompts, the same rules of comparison.
#![forbid(unsafe_code)]
#![cfg(feature = "cli")]

#[path = "support/command.rs"]
mod command;
#[path = "support/program.rs"]
mod program;

use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn iex_gives_the_same_answers() {
    if Command::new("iex")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        println!("skipped: no iex");
        return;
    }
    let wharf = command::wharf(&["test", "--iex", "--timeout", "20", "docs/ports.md"]);
    let output = program::run_within(wharf, "", Duration::from_secs(300));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.trim_end().ends_with(" passed, 0 failed"), "{text}");
}

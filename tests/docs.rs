//! The sessions in the papers are transcripts, and pass.
#![forbid(unsafe_code)]
#![cfg(feature = "cli")]

#[path = "support/command.rs"]
mod command;
#[path = "support/program.rs"]
mod program;

use std::time::Duration;

fn passes(paper: &str) {
    let output = program::run_within(
        command::wharf(&["test", paper]),
        "",
        Duration::from_secs(120),
    );
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.trim_end().ends_with(" passed, 0 failed"), "{text}");
    assert!(!text.starts_with('0'), "{text}");
}

#[test]
fn the_readme() {
    passes("README.md");
}

#[test]
fn the_guide_to_ports() {
    passes("docs/ports.md");
}

#[test]
fn the_guide_to_drivers() {
    passes("docs/drivers.md");
}

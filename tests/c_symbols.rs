//! What `libwharf.so` exports is `include/wharf.symbols`, and so is what `include/wharf.h` declares.
//!
//! Programs that were linked before ask for these names, so none ever goes by accident: the list is
//! changed by hand. Rust's own symbols, and the functions for drivers, stay inside; drivers find those
//! through the trampolines.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object, ObjectSymbol};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo has put the library for this test.
fn built(name: &str) -> PathBuf {
    let myself = std::env::current_exe().unwrap();
    myself.parent().unwrap().join(name)
}

fn listed() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("include/wharf.symbols")).unwrap();
    let names = text.lines().filter(|line| !line.starts_with('#'));
    names.map(str::to_owned).collect()
}

/// The functions that the header declares, once the preprocessor has read it.
fn declared() -> BTreeSet<String> {
    let ran = Command::new("cc")
        .args(["-E", "-P", "-x", "c"])
        .arg(root().join("include/wharf.h"))
        .output()
        .expect("a C compiler");
    assert!(ran.status.success());
    let text = String::from_utf8(ran.stdout).unwrap();
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices('(') {
        let before = &text[..at];
        let start = before
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(0, |at| at + 1);
        // Not a pointer to a function, whose name stands in parentheses of its own.
        if before[start..].starts_with("wharf_") && !text[at..].starts_with("(*") {
            names.insert(before[start..].to_owned());
        }
    }
    names
}

/// Fails with the names that are in one of the two only.
fn same(list: &[String], other: &BTreeSet<String>, what: &str) {
    let list: BTreeSet<String> = list.iter().cloned().collect();
    let new: Vec<_> = other.difference(&list).collect();
    let gone: Vec<_> = list.difference(other).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "include/wharf.symbols and {what} differ.\n\
         new, to be added to the list: {new:?}\n\
         gone, which breaks programs that use them: {gone:?}"
    );
}

#[test]
fn the_list_is_sorted_and_says_nothing_twice() {
    let sorted: Vec<String> = BTreeSet::from_iter(listed()).into_iter().collect();
    assert_eq!(listed(), sorted);
}

#[test]
fn the_header_declares_what_the_list_says() {
    same(&listed(), &declared(), "include/wharf.h");
}

#[test]
fn the_shared_library_exports_what_the_list_says_and_nothing_else() {
    let bytes = std::fs::read(built("libwharf.so")).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let exported = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition())
        .map(|symbol| symbol.name().unwrap().to_owned())
        .collect();
    same(&listed(), &exported, "libwharf.so");
}

/// A program that is linked with the archive may be the host of a driver of its own, or of a copy of
/// these functions: the names stay free.
#[test]
fn the_static_library_takes_no_name_of_the_driver_interface() {
    let ran = Command::new("nm")
        .args(["--extern-only", "--defined-only", "--format=posix"])
        .arg(built("libwharf.a"))
        .output()
        .expect("nm comes with the linker");
    let text = String::from_utf8_lossy(&ran.stdout);
    let found: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| {
            ["wharf_", "driver_", "erl_"]
                .iter()
                .any(|start| name.starts_with(start))
        })
        .map(str::to_owned)
        .collect();
    same(
        &listed(),
        &found,
        "libwharf.a, of names like ours and those of drivers,",
    );
}

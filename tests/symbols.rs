//! The list of functions that a host offers its drivers is the one that Erlang's header declares
//! and Erlang's own executable exports.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object, ObjectSymbol};

/// What all names for drivers begin with.
const FAMILIES: [&str; 8] = [
    "driver_",
    "erl_drv_",
    "erl_errno_",
    "null_",
    "get_port_",
    "set_",
    "add_driver_",
    "remove_driver_",
];

/// What Erlang exports under such names without offering it to drivers.
const INTERNAL: [&str; 4] = [
    "driver_list",
    "driver_tab",
    "driver_term_nil",
    "erl_drv_thr_init",
];

fn listed() -> BTreeSet<String> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/driver/symbols.txt");
    let list = std::fs::read_to_string(list).unwrap();
    let names = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    names.map(str::to_owned).collect()
}

fn is_for_drivers(name: &str) -> bool {
    FAMILIES.iter().any(|family| name.starts_with(family)) && !INTERNAL.contains(&name)
}

/// The functions that a header declares, once the preprocessor has read it.
fn declared(header: &Path) -> BTreeSet<String> {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let ran = Command::new(compiler)
        .args(["-E", "-P", "-x", "c"])
        .arg(header)
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let text = String::from_utf8(ran.stdout).unwrap();
    // A declaration has its name in front of its first parenthesis; a macro's use has none here.
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices('(') {
        let before = text[..at].trim_end();
        let start = before
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(0, |at| at + 1);
        if is_for_drivers(&before[start..]) {
            names.insert(before[start..].to_owned());
        }
    }
    names
}

fn differences(here: &BTreeSet<String>, there: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
    let only = |one: &BTreeSet<String>, other| one.difference(other).cloned().collect();
    (only(here, there), only(there, here))
}

#[test]
fn our_header_declares_what_the_list_says() {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/erl_driver.h");
    assert_eq!(differences(&listed(), &declared(&header)), (vec![], vec![]));
    assert_eq!(listed().len(), 113);
}

#[test]
fn erlangs_header_declares_nothing_else() {
    let header = Path::new("/usr/lib/erlang/usr/include/erl_driver.h");
    if !header.exists() {
        println!("skipped: no erlang-dev");
        return;
    }
    let (ours_alone, theirs_alone) = differences(&listed(), &declared(header));
    assert_eq!(theirs_alone, Vec::<String>::new());
    // Exported since long, and declared in no header: drivers that use them declare them.
    assert_eq!(ours_alone, ["driver_report_exit", "erl_drv_port_control"]);
}

#[test]
fn erlangs_executable_exports_the_same() {
    let Some(executable) = beam() else {
        println!("skipped: no beam.smp");
        return;
    };
    let bytes = std::fs::read(&executable).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let exported: BTreeSet<String> = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition())
        .filter_map(|symbol| symbol.name().ok().map(str::to_owned))
        .filter(|name| is_for_drivers(name))
        .collect();
    assert_eq!(differences(&listed(), &exported), (vec![], vec![]));
}

/// The executable of an installed Erlang.
fn beam() -> Option<PathBuf> {
    let root = Path::new("/usr/lib/erlang");
    let folders = std::fs::read_dir(root).ok()?.filter_map(Result::ok);
    let mut found = folders.map(|folder| folder.path().join("bin/beam.smp"));
    found.find(|path| path.exists())
}

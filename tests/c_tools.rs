//! Each program of `c_tests/` once more under the tools that watch memory: valgrind's memcheck, and the
//! sanitizers for addresses, leaks and undefined behaviour, for which the program is compiled. They
//! watch the library's memory as well, because it takes it from the same `malloc`.
//!
//! The thread sanitizer has to see every atomic operation, so the library has to be compiled for it, too:
//! `.ci/sanitize` does that.
#![forbid(unsafe_code)]

#[path = "support/c.rs"]
mod c;
#[path = "support/drivers.rs"]
mod drivers;
#[path = "support/program.rs"]
mod program;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::time::Duration;

/// Programs have deadlines of their own; this is for one that hangs under a tool.
const PATIENCE: Duration = Duration::from_secs(600);

const MEMCHECK: [&str; 7] = [
    "--quiet",
    "--error-exitcode=9",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite",
    // Possible losses are hash tables, which Rust points to from within.
    "--show-leak-kinds=definite",
    "--fair-sched=try",
    "--num-callers=25",
];
const SANITIZERS: &str = "-fsanitize=address,undefined -fno-sanitize-recover=all";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The programs, by their sources.
fn programs() -> Vec<PathBuf> {
    let found = sources(|name| name.starts_with("door_") && name.ends_with(".c"));
    assert!(found.len() > 10);
    found
}

/// The files in `c_tests/` whose names are of that kind.
fn sources(wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    std::fs::read_dir(root().join("c_tests"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| wanted(path.file_name().unwrap().to_str().unwrap()))
        .collect()
}

/// What a tool says of a program.
fn watched(by: &[&str], program: &Path, drivers: &Path) -> Output {
    let line: Vec<&std::ffi::OsStr> = by
        .iter()
        .map(std::ffi::OsStr::new)
        .chain([program.as_os_str(), drivers.as_os_str()])
        .collect();
    let mut command = Command::new(line[0]);
    command
        .args(&line[1..])
        .current_dir(root())
        // Cargo's, which leads to a library that was built before.
        .env_remove("LD_LIBRARY_PATH")
        .env("UBSAN_OPTIONS", "print_stacktrace=1");
    program::run_within(command, "", PATIENCE)
}

/// Compiles all programs with these flags and runs them under a tool, two at a time: most of their time
/// they wait. Complains of all that fail.
fn all_pass(test: &str, flags: &str, by: &[&str]) {
    let folder = c::scratch(test);
    let drivers = drivers::compile_all(test);
    for driver in sources(|name| name.ends_with("_drv.c")) {
        drivers::compile(&driver, &drivers);
    }
    let left = Mutex::new(programs());
    let complaints = Mutex::new(String::new());
    let work = || {
        loop {
            let Some(source) = left.lock().unwrap().pop() else {
                return;
            };
            let binary = folder.join(source.file_stem().unwrap());
            c::compile(&source, flags, &c::shared(), &binary);
            let ran = watched(by, &binary, &drivers);
            if !ran.status.success() {
                *complaints.lock().unwrap() += &format!(
                    "{}: {}\n{}{}\n",
                    source.display(),
                    ran.status,
                    String::from_utf8_lossy(&ran.stdout),
                    String::from_utf8_lossy(&ran.stderr)
                );
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let complaints = complaints.into_inner().unwrap();
    assert!(complaints.is_empty(), "{complaints}");
}

/// A program that does something wrong with what the library gave it.
fn wrong(folder: &Path, name: &str, body: &str, flags: &str) -> PathBuf {
    let source = folder.join(format!("{name}.c"));
    let text = format!("#include \"wharf.h\"\nint main(void)\n{{\n{body}\n}}\n");
    std::fs::write(&source, text).unwrap();
    let binary = folder.join(name);
    c::compile(&source, flags, &c::shared(), &binary);
    binary
}

/// Many, because one may still be found in what is left on the stack.
const LEAKS: &str = "\
    int i;
    for (i = 0; i < 100; i++)
        if (wharf_options_new() == NULL)
            return 1;
    return 0;";
const USES_FREED: &str = "\
    wharf_options *options = wharf_options_new();
    wharf_options_free(options);
    return wharf_options_packet(options, 4) == WHARF_STATUS_OK ? 0 : 1;";

/// Tools that see nothing would pass everything.
fn sees(test: &str, flags: &str, by: &[&str], leak: &str, freed: &str) {
    let folder = c::scratch(&format!("{test}_sees"));
    for (name, body, words) in [("leaks", LEAKS, leak), ("uses_freed", USES_FREED, freed)] {
        let ran = watched(by, &wrong(&folder, name, body, flags), &folder);
        let text = String::from_utf8_lossy(&ran.stderr);
        assert!(
            !ran.status.success() && text.contains(words),
            "{name}: {text}"
        );
    }
}

fn memcheck() -> Vec<&'static str> {
    ["valgrind"].into_iter().chain(MEMCHECK).collect()
}

#[test]
fn under_valgrind() {
    if c::have("valgrind") {
        all_pass("c_valgrind", "", &memcheck());
    }
}

#[test]
fn valgrind_sees_what_is_wrong() {
    if c::have("valgrind") {
        let (leak, freed) = ("definitely lost", "Invalid read");
        sees("c_valgrind", "", &memcheck(), leak, freed);
    }
}

/// Whether the compiler has sanitizers.
fn sanitizes(test: &str) -> bool {
    let folder = c::scratch(&format!("{test}_probe"));
    let source = folder.join("probe.c");
    std::fs::write(&source, "int main(void) { return 0; }\n").unwrap();
    let can = Command::new("cc")
        .args(SANITIZERS.split_whitespace())
        .arg("-o")
        .args([&folder.join("probe"), &source])
        .output()
        .expect("a C compiler")
        .status
        .success();
    if !can {
        println!("skipped: the C compiler has no sanitizers");
    }
    can
}

#[test]
fn under_sanitizers() {
    if sanitizes("c_sanitized") {
        all_pass("c_sanitized", SANITIZERS, &["env"]);
    }
}

#[test]
fn sanitizers_see_what_is_wrong() {
    if sanitizes("c_sanitizers") {
        let (leak, freed) = ("LeakSanitizer", "heap-use-after-free");
        sees("c_sanitizers", SANITIZERS, &["env"], leak, freed);
    }
}

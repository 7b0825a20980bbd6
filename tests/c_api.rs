//! The C door: programs in C and C++ use `include/wharf.h` and the library as anybody would.
//!
//! Each `c_tests/door_*.c` is one program; it fails by its exit status, and says why on its
//! standard error. All are compiled with every warning as an error.
#![forbid(unsafe_code)]

#[path = "support/drivers.rs"]
mod drivers;
#[path = "support/program.rs"]
mod program;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::Duration;

const WARNINGS: [&str; 6] = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wshadow",
    "-Wconversion",
    "-Werror",
];
/// The language, the standard, and what only C has to say.
const STANDARDS: [(&str, &str, &[&str]); 3] = [
    ("c", "c99", &["-Wstrict-prototypes", "-Wc++-compat"]),
    ("c", "c11", &["-Wstrict-prototypes", "-Wc++-compat"]),
    ("c++", "c++17", &[]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo has put `libwharf.so` and `libwharf.a` for this test.
fn libraries() -> PathBuf {
    let myself = std::env::current_exe().unwrap();
    let folder = myself.parent().unwrap().to_owned();
    assert!(folder.join("libwharf.so").exists(), "{folder:?}");
    folder
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c_api");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

fn compile(source: &Path, language: &str, standard: &str, flags: &[&str], output: &Path) {
    let libraries = libraries();
    let ran = Command::new("cc")
        .args(["-x", language, &format!("-std={standard}"), "-g"])
        .args(WARNINGS)
        .args(flags)
        .arg("-I")
        .arg(root().join("include"))
        .arg("-o")
        .arg(output)
        .arg(source)
        .args(["-x", "none", "-pthread", "-lwharf", "-L"])
        .arg(&libraries)
        .arg(format!("-Wl,-rpath,{}", libraries.display()))
        .output()
        .expect("a C compiler");
    assert!(
        ran.status.success(),
        "{} as {standard}:\n{}",
        source.display(),
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// The sample drivers, compiled as their authors would.
fn sample_drivers() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = drivers::compile_all("c_api");
        drivers::compile(&root().join("c_tests/careless_drv.c"), &folder);
        folder
    })
}

fn run(program: &Path) -> Output {
    let mut command = Command::new(program);
    command
        .arg(sample_drivers())
        .current_dir(root())
        // Cargo's, which leads to a library that was built before.
        .env_remove("LD_LIBRARY_PATH");
    program::run_within(command, "", Duration::from_secs(60))
}

/// Compiles and runs `c_tests/door_NAME.c` in every language.
fn door(name: &str) {
    let source = root().join("c_tests").join(format!("door_{name}.c"));
    for (language, standard, flags) in STANDARDS {
        let output = scratch(&format!("{name}-{standard}"));
        compile(&source, language, standard, flags, &output);
        let ran = run(&output);
        assert!(
            ran.status.success(),
            "{name} as {standard}: {}\n{}{}",
            ran.status,
            String::from_utf8_lossy(&ran.stdout),
            String::from_utf8_lossy(&ran.stderr)
        );
    }
}

macro_rules! doors {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            door(stringify!($name));
        })*

        const DOORS: &[&str] = &[$(stringify!($name)),*];
    };
}

doors! {
    driver environment header host left link log message misuse options poll port races request send status
    term threads
}

/// The C programs in a paper, each with the line it begins at.
fn programs_in(paper: &str) -> Vec<(usize, String)> {
    let text = std::fs::read_to_string(root().join(paper)).unwrap();
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if line == "```c" {
            let block = lines.by_ref().map(|(_, line)| line);
            let program: Vec<&str> = block.take_while(|line| *line != "```").collect();
            found.push((at + 1, program.join("\n") + "\n"));
        }
    }
    found
}

/// Compiles and runs each of them where the drivers are in a folder `build`.
fn paper(paper: &str, programs_min: usize) {
    let name = paper.replace('/', "-");
    let folder = scratch(&name);
    std::fs::create_dir_all(&folder).unwrap();
    if !folder.join("build").exists() {
        std::os::unix::fs::symlink(sample_drivers(), folder.join("build")).unwrap();
    }
    let programs = programs_in(paper);
    assert!(programs.len() >= programs_min, "{}", programs.len());
    for (at, program) in programs {
        let source = folder.join(format!("line-{at}.c"));
        std::fs::write(&source, program).unwrap();
        for (language, standard, flags) in STANDARDS {
            let output = folder.join(format!("line-{at}-{standard}"));
            compile(&source, language, standard, flags, &output);
            let mut command = Command::new(&output);
            command.current_dir(&folder);
            let ran = program::run_within(command, "", Duration::from_secs(60));
            assert!(
                ran.status.success(),
                "{paper}:{at} as {standard}: {}\n{}{}",
                ran.status,
                String::from_utf8_lossy(&ran.stdout),
                String::from_utf8_lossy(&ran.stderr)
            );
        }
    }
}

#[test]
fn the_guide() {
    paper("docs/c-api.md", 10);
}

#[test]
fn the_readme() {
    paper("README.md", 1);
}

#[test]
fn every_program_is_run() {
    let mut found: Vec<String> = std::fs::read_dir(root().join("c_tests"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_prefix("door_")?.strip_suffix(".c")?.to_owned()))
        .collect();
    found.sort();
    assert_eq!(found, DOORS);
}

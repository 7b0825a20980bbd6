//! `include/erl_driver.h` gives drivers the layout of driver interface 3.3, compiles as C and as
//! C++, and takes the spellings that existing drivers use.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian and a plain installation of Erlang keep its header.
const ERLANGS_OWN: [&str; 2] = [
    "/usr/lib/erlang/usr/include",
    "/usr/local/lib/erlang/usr/include",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("header");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// Compiles a file from `c_tests/`, as the language given, and returns where.
fn compile(source: &str, language: &str, standard: &str, include: &Path, more: &[&str]) -> PathBuf {
    let output = scratch(&format!(
        "{source}-{language}-{standard}-{}",
        include.is_absolute()
    ));
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let ran = Command::new(compiler)
        .args([
            "-Wall",
            "-Wextra",
            "-Werror",
            "-x",
            language,
            &format!("-std={standard}"),
        ])
        .arg("-I")
        .arg(include)
        .args(more)
        .arg("-o")
        .arg(&output)
        .arg(root().join("c_tests").join(source))
        .current_dir(root())
        .output()
        .expect("a C compiler is installed");
    assert!(
        ran.status.success(),
        "{source} as {standard}:\n{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    output
}

fn layout(language: &str, standard: &str, include: &Path) -> String {
    let program = compile("layout.c", language, standard, include, &[]);
    let ran = Command::new(program).output().unwrap();
    assert!(ran.status.success());
    String::from_utf8(ran.stdout).unwrap()
}

fn expected() -> String {
    std::fs::read_to_string(root().join("c_tests/layout.expected")).unwrap()
}

#[test]
fn layout_is_that_of_driver_interface_3_3_in_c() {
    assert_eq!(layout("c", "c11", Path::new("include")), expected());
}

#[test]
fn layout_is_the_same_in_cpp() {
    assert_eq!(layout("c++", "c++17", Path::new("include")), expected());
}

#[test]
fn layout_is_that_of_erlangs_own_header() {
    let Some(theirs) = ERLANGS_OWN
        .map(Path::new)
        .into_iter()
        .find(|path| path.join("erl_driver.h").exists())
    else {
        eprintln!("skipped: no erlang-dev");
        return;
    };
    assert_eq!(layout("c", "gnu11", theirs), expected());
}

#[test]
fn existing_sources_compile() {
    let shared = ["-shared", "-fPIC"];
    for (language, standard) in [
        ("c", "c99"),
        ("c", "gnu17"),
        ("c++", "c++11"),
        ("c++", "gnu++20"),
    ] {
        compile(
            "accepted.c",
            language,
            standard,
            Path::new("include"),
            &shared,
        );
    }
}

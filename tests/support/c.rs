//! C programs that use the library as it was built for this test.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where cargo has put `libwharf.so` and `libwharf.a` for this test.
pub(crate) fn libraries() -> PathBuf {
    let myself = std::env::current_exe().unwrap();
    let folder = myself.parent().unwrap().to_owned();
    assert!(folder.join("libwharf.so").exists(), "{folder:?}");
    folder
}

/// An empty folder for the test of that name.
pub(crate) fn scratch(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Compiles one file with `include/` in reach, by the words of `flags` in front of it and of `link` behind.
#[allow(dead_code)] // some tests compile by other means
pub(crate) fn compile(source: &Path, flags: &str, link: &str, output: &Path) {
    let mut compiler = Command::new("cc");
    compiler
        .args(["-std=c11", "-g", "-Wall", "-Wextra", "-Werror"])
        .args(flags.split_whitespace())
        .arg(concat!("-I", env!("CARGO_MANIFEST_DIR"), "/include"))
        .arg("-o")
        .args([output, source])
        .args(link.split_whitespace());
    succeeds(&mut compiler);
}

/// Runs a command that has to succeed, and gives its standard output.
pub(crate) fn succeeds(command: &mut Command) -> String {
    let ran = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        ran.status.success(),
        "{command:?}: {}\n{}{}",
        ran.status,
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    String::from_utf8(ran.stdout).unwrap()
}

/// How to link with the shared library, so that programs find it again.
#[allow(dead_code)] // some tests link by other means
pub(crate) fn shared() -> String {
    let folder = libraries().display().to_string();
    format!("-pthread -L{folder} -lwharf -Wl,-rpath,{folder}")
}

/// Whether there is such a command.
#[allow(dead_code)] // some tests need nothing that may be missing
pub(crate) fn have(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let here = std::env::split_paths(&path).any(|folder| folder.join(command).is_file());
    if !here {
        println!("skipped: no {command}");
    }
    here
}

//! Sample drivers, compiled as anybody would compile them, for tests.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles all of `drivers/` into an empty folder for the test of that name.
#[allow(dead_code)] // some tests compile only what they need
pub(crate) fn compile_all(test: &str) -> PathBuf {
    compile_all_with(test, &own_header(), &[])
}

/// The same against the header in another folder, and with more flags.
#[allow(dead_code)]
pub(crate) fn compile_all_with(test: &str, include: &Path, flags: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("drivers-{test}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("drivers");
    for entry in std::fs::read_dir(sources).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "c") {
            compile_with(&path, &folder, include, flags);
        }
    }
    folder
}

/// Compiles the drivers that are there for tests only.
#[allow(dead_code)] // some tests only need the samples
pub(crate) fn compile_probes(folder: &Path) {
    for name in [
        "probe_drv",
        "probe_ack_drv",
        "env_drv",
        "memory_drv",
        "jobs_drv",
        "jobs_bare_drv",
        "script_drv",
        "script_bare_drv",
        "script_ack_drv",
        "script_soft_drv",
    ] {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers");
        compile(&sources.join(name).with_extension("c"), folder);
    }
}

/// Compiles one C file to a driver in `folder`.
pub(crate) fn compile(source: &Path, folder: &Path) -> PathBuf {
    compile_with(source, folder, &own_header(), &[])
}

/// Where `erl_driver.h` of this project is.
fn own_header() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include")
}

fn compile_with(source: &Path, folder: &Path, include: &Path, flags: &[&str]) -> PathBuf {
    let library = folder.join(source.with_extension("so").file_name().unwrap());
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-pthread", "-w"])
        .args(flags)
        .arg("-I")
        .arg(include)
        .arg("-o")
        .args([library.as_path(), source])
        .status()
        .expect("a C compiler");
    assert!(status.success(), "{} does not compile", source.display());
    library
}

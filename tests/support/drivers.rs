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
        "adding_drv",
        "probe_drv",
        "probe_ack_drv",
        "env_drv",
        "memory_drv",
        "jobs_drv",
        "jobs_bare_drv",
        "reply_drv",
        "script_drv",
        "script_ack_drv",
        "script_bare_drv",
        "script_port_drv",
        "script_soft_drv",
        "vector_drv",
        "watch_drv",
        "locks_drv",
    ] {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers");
        compile(&sources.join(name).with_extension("c"), folder);
    }
}

/// Compiles `tests/drivers/loading_drv.c` once for each name, good and bad, that the stories about
/// loading ask for.
#[allow(dead_code)] // for those stories only
pub(crate) fn compile_loadings(folder: &Path) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers/loading_drv.c");
    for (name, flags) in [
        ("load_a", ""),
        ("load_b", ""),
        ("load_port", "-DFLAGS=ERL_DRV_FLAG_USE_PORT_LOCKING"),
        ("load_locked", ""),
        ("load_locked_waiting", ""),
        ("load_locked_killing", ""),
        ("load.dot", ""),
        ("lo\u{e4}d", ""),
        ("load_2_0", "-DMAJOR=2 -DMINOR=0"),
        ("load_2_9", "-DMAJOR=2 -DMINOR=9"),
        ("load_3_0", "-DMINOR=0"),
        ("load_1_3", "-DMAJOR=1"),
        ("load_3_4", "-DMINOR=4"),
        ("load_4_0", "-DMAJOR=4 -DMINOR=0"),
        ("load_marker", "-DMARKER=1"),
        ("load_no_init", "-DNO_INIT"),
        ("load_no_entry", "-DNO_ENTRY"),
        ("load_init_1", "-DINIT_RESULT=1"),
        ("load_init_less", "-DINIT_RESULT=-1"),
        ("load_misnamed", "-DSHOWN_NAME=\"another\""),
        ("load_both", "-DSHOWN_NAME=\"another\" -DINIT_RESULT=1"),
    ] {
        let name_flag = format!("-DNAME=\"{name}\"");
        let flags: Vec<&str> = flags.split_whitespace().chain([&*name_flag]).collect();
        let library = folder.join(format!("{name}.so"));
        compile_as(&source, &library, &own_header(), &flags);
    }
}

/// Compiles one C file to a driver in `folder`.
pub(crate) fn compile(source: &Path, folder: &Path) -> PathBuf {
    compile_with(source, folder, &own_header(), &[])
}

/// The same, with more flags.
#[allow(dead_code)]
pub(crate) fn compile_with_flags(source: &Path, folder: &Path, flags: &[&str]) -> PathBuf {
    compile_with(source, folder, &own_header(), flags)
}

/// Where `erl_driver.h` of this project is.
fn own_header() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include")
}

fn compile_with(source: &Path, folder: &Path, include: &Path, flags: &[&str]) -> PathBuf {
    let library = folder.join(source.with_extension("so").file_name().unwrap());
    compile_as(source, &library, include, flags);
    library
}

fn compile_as(source: &Path, library: &Path, include: &Path, flags: &[&str]) {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    // For sanitizers.
    let more = std::env::var("WHARF_TEST_CFLAGS").unwrap_or_default();
    let status = Command::new(compiler)
        .args(more.split_whitespace())
        .args(["-shared", "-fPIC", "-O1", "-pthread", "-w"])
        .args(flags)
        .arg("-I")
        .arg(include)
        .arg("-o")
        .args([library, source])
        .status()
        .expect("a C compiler");
    assert!(status.success(), "{} does not compile", source.display());
}

//! What `cargo cinstall` puts into a prefix is all that a program in C needs: by pkg-config, by CMake,
//! linked with the shared or with the static library, and a driver needs the header alone.
//!
//! The prefix is filled once, without optimization, which changes nothing about what goes where.
#![forbid(unsafe_code)]

#[path = "support/c.rs"]
mod c;
#[path = "support/program.rs"]
mod program;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);

/// All that is installed, but for the manual.
const FILES: [&str; 7] = [
    "include/wharf/erl_driver.h",
    "include/wharf/wharf.h",
    "lib/libwharf.a",
    "lib/libwharf.so",
    "lib/libwharf.so.0.1",
    "lib/libwharf.so.0.1.0",
    "lib/pkgconfig/wharf.pc",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the library is installed; `None` without cargo-c.
fn prefix() -> Option<&'static Path> {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    if !c::have("cargo-cinstall") {
        return None;
    }
    Some(PREFIX.get_or_init(|| {
        let prefix = c::scratch("installed");
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["cinstall", "--debug", "--locked", "--offline"])
            .args(["--libdir", "lib", "--prefix"])
            .arg(&prefix)
            .arg("--target-dir")
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("installed-target"))
            .current_dir(root())
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        c::succeeds(&mut cargo);
        prefix
    }))
}

/// A command that finds what is in the prefix, as if it were where systems keep such things.
fn with(prefix: &Path, command: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(command);
    command
        .env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"))
        .env("LD_LIBRARY_PATH", prefix.join("lib"));
    command
}

/// Runs a line of shell with the prefix at hand, in a folder of its own.
fn shell(prefix: &Path, name: &str, line: &str) -> PathBuf {
    let folder = c::scratch(&format!("installed-{name}"));
    let mut shell = with(prefix, "sh");
    shell
        .args(["-e", "-c", line])
        .env("ROOT", root())
        .current_dir(&folder);
    c::succeeds(&mut shell);
    folder
}

/// A program opens a port of a program, and one of a driver that was compiled with the installed header.
fn runs(prefix: &Path, program: &Path) {
    let drivers = shell(
        prefix,
        &format!(
            "drivers-{}",
            program.parent().unwrap().file_name().unwrap().display()
        ),
        "cc -shared -fPIC $(pkg-config --cflags wharf) -o counter_drv.so $ROOT/drivers/counter_drv.c",
    );
    let mut host = with(prefix, program);
    host.arg(&drivers);
    let ran = program::run_within(host, "", PATIENCE);
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}: {errors}", program.display());
    assert_eq!(ran.stdout, b"42\n");
}

/// What a library or program says to the loader: its entries of one kind.
fn dynamic(file: &Path, kind: &str) -> Vec<String> {
    let text = c::succeeds(Command::new("readelf").args(["-W", "-d"]).arg(file));
    let entries = text
        .lines()
        .filter(|line| line.contains(&format!("({kind})")));
    entries
        .filter_map(|line| line.split_once('[')?.1.split_once(']'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn all_files(folder: &Path, below: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all_files(&path, below, found);
        } else {
            found.push(path.strip_prefix(below).unwrap().display().to_string());
        }
    }
}

#[test]
fn everything_is_where_systems_look_for_it() {
    let Some(prefix) = prefix() else { return };
    let mut found = Vec::new();
    all_files(prefix, prefix, &mut found);
    found.sort();
    let (manual, others): (Vec<String>, Vec<String>) = found
        .into_iter()
        .partition(|file| file.starts_with("share/man/"));
    assert_eq!(others, FILES);
    for page in std::fs::read_dir(root().join("man")).unwrap() {
        let page = page.unwrap().file_name();
        let page = format!("share/man/man1/{}", page.display());
        assert!(manual.contains(&page), "{page}: {manual:?}");
    }
    for name in ["libwharf", "wharf_open", "wharf_status"] {
        let page = format!("share/man/man3/{name}.3");
        assert!(manual.contains(&page), "{page}: {manual:?}");
    }
}

#[test]
fn the_shared_library_has_a_name_with_its_version() {
    let Some(prefix) = prefix() else { return };
    let library = prefix.join("lib/libwharf.so.0.1.0");
    assert_eq!(dynamic(&library, "SONAME"), ["libwharf.so.0.1"]);
    assert_eq!(
        std::fs::read_link(prefix.join("lib/libwharf.so.0.1")).unwrap(),
        Path::new("libwharf.so.0.1.0")
    );
}

#[test]
fn the_installed_library_exports_what_the_list_says() {
    let Some(prefix) = prefix() else { return };
    let list = std::fs::read_to_string(root().join("include/wharf.symbols")).unwrap();
    let listed: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    let mut nm = Command::new("nm");
    nm.args(["--dynamic", "--defined-only", "--format=posix"])
        .arg(prefix.join("lib/libwharf.so"));
    let text = c::succeeds(&mut nm);
    let exported: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(exported, listed);
}

#[test]
fn a_program_by_pkg_config() {
    let Some(prefix) = prefix() else { return };
    let folder = shell(
        prefix,
        "shared",
        "cc $ROOT/tests/hosts/linked.c $(pkg-config --cflags --libs wharf) -o linked",
    );
    let program = folder.join("linked");
    assert!(dynamic(&program, "NEEDED").contains(&"libwharf.so.0.1".to_owned()));
    runs(prefix, &program);
}

#[test]
fn a_program_in_cpp_by_pkg_config() {
    let Some(prefix) = prefix() else { return };
    let folder = shell(
        prefix,
        "cpp",
        "c++ -x c++ -std=c++17 $ROOT/tests/hosts/linked.c $(pkg-config --cflags --libs wharf) -o linked",
    );
    runs(prefix, &folder.join("linked"));
}

#[test]
fn a_program_with_the_static_library() {
    let Some(prefix) = prefix() else { return };
    let folder = shell(
        prefix,
        "static",
        "cc $ROOT/tests/hosts/linked.c $(pkg-config --cflags wharf) -l:libwharf.a \
         -Wl,--as-needed $(pkg-config --static --libs wharf) -o linked",
    );
    let program = folder.join("linked");
    let needed = dynamic(&program, "NEEDED");
    assert!(
        !needed.iter().any(|name| name.contains("wharf")),
        "{needed:?}"
    );
    runs(prefix, &program);
}

#[test]
fn a_program_by_cmake() {
    let Some(prefix) = prefix() else { return };
    if !c::have("cmake") {
        return;
    }
    let folder = shell(
        prefix,
        "cmake",
        "cmake -S $ROOT/tests/installed -B . -DPROGRAM=$ROOT/tests/hosts/linked.c && cmake --build .",
    );
    runs(prefix, &folder.join("linked"));
}

#[test]
fn the_manual_is_found() {
    let Some(prefix) = prefix() else { return };
    if !c::have("man") {
        return;
    }
    for (section, name) in [("1", "wharf"), ("3", "libwharf"), ("3", "wharf_open")] {
        let mut man = Command::new("man");
        man.arg("-M")
            .arg(prefix.join("share/man"))
            .args(["-w", section, name]);
        let page = c::succeeds(&mut man);
        assert!(
            page.trim_end().ends_with(&format!("{name}.{section}")),
            "{page}"
        );
    }
}

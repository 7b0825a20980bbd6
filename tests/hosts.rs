//! A driver loads in every kind of host, without a flag or a build script of the host's own.
//!
//! Each host opens the sample driver `counter_drv`, which no host is linked with, tells it 42 and
//! prints what it answers. What differs is how wharf is part of the program, and so, whether the
//! system's loader could find the driver functions by itself: it can in none of them.
#![forbid(unsafe_code)]

#[path = "support/c.rs"]
mod c;
#[cfg(feature = "cli")]
#[path = "support/command.rs"]
mod command;
#[path = "support/drivers.rs"]
mod drivers;
#[path = "support/program.rs"]
mod program;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of the driver, compiled once with nothing but the header.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = c::scratch("hosts-driver");
        drivers::compile(&root().join("drivers/counter_drv.c"), &folder);
        folder
    })
}

/// Runs a host, which has to print 42 last.
fn counts(mut host: Command) {
    // Cargo's, which leads to a library that was built before.
    host.env_remove("LD_LIBRARY_PATH");
    let shown = format!("{host:?}");
    let ran = program::run_within(host, "", PATIENCE);
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success() && text.lines().last() == Some("42"),
        "{shown}: {}\n{text}{}",
        ran.status,
        String::from_utf8_lossy(&ran.stderr)
    );
}

#[cfg(feature = "cli")]
#[test]
fn the_command() {
    let script = format!(
        "me = self()
        :ok = :erl_ddll.load_driver(~c\"{}\", ~c\"counter_drv\")
        port = Port.open({{:spawn_driver, ~c\"counter_drv\"}}, [:binary])
        send(port, {{me, {{:command, \"42\"}}}})
        receive do {{^port, {{:data, text}}}} -> IO.puts(text) end",
        folder().display()
    );
    let ran = program::run_within(command::wharf(&["eval", &script]), "", PATIENCE);
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(
        text.starts_with("42\n"),
        "{text}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// A crate of its own that depends on this one; `target` is its folder for what is built.
struct Crate {
    folder: PathBuf,
    target: PathBuf,
}

/// The crate, made anew. What was built of it stays, and its versions are those of this package.
fn dependent() -> &'static Mutex<Crate> {
    static CRATE: OnceLock<Mutex<Crate>> = OnceLock::new();
    CRATE.get_or_init(|| {
        let folder = c::scratch("hosts-crate");
        let manifest = format!(
            "[package]\nname = \"host\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [[bin]]\nname = \"host\"\npath = {:?}\n\n\
             [dependencies]\nwharf = {{ path = {:?} }}\n\n\
             [profile.release]\nlto = \"fat\"\nstrip = true\n\n[workspace]\n",
            root().join("tests/hosts/host.rs"),
            root()
        );
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hosts-target");
        Mutex::new(Crate { folder, target })
    })
}

impl Crate {
    /// Has cargo do something with it.
    fn cargo(&self, arguments: &[&str]) -> String {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(arguments)
            .args(["--quiet", "--offline", "--target-dir"])
            .arg(&self.target)
            .current_dir(&self.folder)
            // As a user builds: nothing of how this test was built is handed on.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("DRIVERS", folder());
        c::succeeds(&mut cargo)
    }

    fn built(&self, profile: &str) -> Command {
        let mut host = Command::new(self.target.join(profile).join("host"));
        host.arg(folder());
        host
    }
}

#[test]
fn a_rust_program_and_its_tests() {
    let host = dependent().lock().unwrap();
    let text = host.cargo(&["test"]);
    assert!(text.contains("1 passed"), "{text}");
    host.cargo(&["build"]);
    counts(host.built("debug"));
}

#[test]
fn a_rust_program_optimized_as_a_whole_and_stripped() {
    let host = dependent().lock().unwrap();
    host.cargo(&["build", "--release"]);
    counts(host.built("release"));
}

fn compiled(name: &str, source: &str, link: &str) -> PathBuf {
    let binary = c::scratch(&format!("hosts-{name}")).join(name);
    c::compile(&root().join("tests/hosts").join(source), "", link, &binary);
    binary
}

#[test]
fn a_c_program_with_the_shared_library() {
    let mut host = Command::new(compiled("shared", "linked.c", &c::shared()));
    host.arg(folder());
    counts(host);
}

#[test]
fn a_c_program_with_the_static_library() {
    let archive = c::libraries().join("libwharf.a");
    // What Rust's own library needs, as `rustc --print native-static-libs` says.
    let link = format!(
        "{} -lgcc_s -lutil -lrt -pthread -lm -ldl",
        archive.display()
    );
    let mut host = Command::new(compiled("static", "linked.c", &link));
    host.arg(folder());
    counts(host);
}

/// Hosts that open the library themselves, with `RTLD_LOCAL`.
fn private(story: &str, libraries: &[&Path]) {
    let binary = compiled(&format!("private-{story}"), "private.c", "-ldl");
    let mut host = Command::new(binary);
    host.arg(story).arg(folder()).args(libraries);
    counts(host);
}

#[test]
fn a_c_program_that_opens_the_library_privately() {
    private("once", &[&c::libraries().join("libwharf.so")]);
}

#[test]
fn a_c_program_that_closes_the_library_and_opens_it_again() {
    private("twice", &[&c::libraries().join("libwharf.so")]);
}

#[test]
fn two_copies_in_one_program_do_not_take_each_others_drivers() {
    let library = c::libraries().join("libwharf.so");
    let copy = c::scratch("hosts-copy").join("libwharf.so");
    std::fs::copy(&library, &copy).unwrap();
    private("copies", &[&library, &copy]);
}

#[test]
fn python() {
    if !c::have("python3") {
        return;
    }
    let mut host = Command::new("python3");
    host.arg(root().join("examples/python.py"))
        .arg(c::libraries().join("libwharf.so"))
        .arg(folder());
    let text = c::succeeds(&mut host);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with(",{data,<<\"hello\">>}}"), "{text}");
    assert!(lines[1].ends_with(",{data,<<\"42\">>}}"), "{text}");
    assert!(
        lines[2].starts_with("refused, as it should be: wharf_open: "),
        "{text}"
    );
}

//! Prepares what the library embeds:
//!
//! - the trampoline library through which drivers find our functions (`src/driver/symbols.txt`);
//! - with feature `drivers`, the sample drivers in `drivers/`, and those that are measured with;
//! - with feature `cli`, what else `wharf bench` needs, from `benches/peers/`;
//! - with feature `capi`, which `cargo cinstall` brings, section 3 of the manual;
//! - with feature `bindgen`, a check that `src/driver/raw.rs` still says what
//!   `include/erl_driver.h` says (`WHARF_REGENERATE=1` writes it anew).
//!
//! Relies on a C compiler, found by the `cc` crate, and for the last on libclang.

#[cfg(feature = "capi")]
#[path = "build/manual.rs"]
mod manual;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, process::Command};

/// The word for `[]`, the same as `driver::handle::NIL`: drivers read it as a datum.
const TERM_NIL: u64 = 0x3b;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=include");
    println!("cargo::rerun-if-env-changed=WHARF_REGENERATE");
    // Threads of ours may be at work, and drivers may call us, for as long as the process lives; so
    // who closes the shared library again must not take it out of memory.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    trampolines(&out);
    if env::var_os("CARGO_FEATURE_DRIVERS").is_some() {
        sample_drivers(&out);
        bench_drivers(&out);
    }
    if env::var_os("CARGO_FEATURE_CLI").is_some() {
        bench_programs(&out);
        short_relocations();
    }
    #[cfg(feature = "capi")]
    manual_pages(&out);
    #[cfg(feature = "bindgen")]
    bindings();
}

/// Has the command keep the addresses that its loader has to adapt in the short form, which is a fiftieth
/// of the usual one: all of it is read, and so in memory, at each start. For a program that runs where it is
/// built, or on a system as new as that, and only if the loader there knows the form.
fn short_relocations() {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|is| is == value);
    let native = env::var("HOST").is_ok_and(|host| is("TARGET", &host));
    if native && is("CARGO_CFG_TARGET_ENV", "gnu") && glibc_version() >= Some((2, 36)) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this machine's glibc.
fn glibc_version() -> Option<(u32, u32)> {
    let told = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let told = String::from_utf8(told.ok()?.stdout).ok()?;
    let (major, minor) = told.trim().strip_prefix("glibc ")?.split_once('.')?;
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Makes `trampolines.so`: for each name a jump through a table, which the host fills before
/// the first driver is opened. And `symbols.rs`: the names, and the functions to fill it with.
fn trampolines(out: &Path) {
    let list = "src/driver/symbols.txt";
    println!("cargo::rerun-if-changed={list}");
    let text = fs::read_to_string(list).expect("the list of symbols is there");
    let names: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();

    let arch = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo names the architecture");
    let jump = |slot: usize| match arch.as_str() {
        "x86_64" => format!("endbr64\\n\\tjmp *wharf_driver_table+{}(%rip)", 8 * slot),
        "aarch64" => format!(
            "hint #34\\n\\tadrp x16, wharf_driver_table+{0}\\n\\tldr x16, [x16, :lo12:wharf_driver_table+{0}]\\n\\tbr x16",
            8 * slot
        ),
        other => panic!("wharf has no trampolines for {other}: add the jump to build.rs"),
    };
    let mut c = format!(
        "/* Written by build.rs. */\n\
         __attribute__((visibility(\"default\"))) void *wharf_driver_table[{}];\n\
         __attribute__((visibility(\"default\"))) const unsigned long driver_term_nil = {TERM_NIL}ul;\n",
        names.len()
    );
    let mut rust = format!(
        "/// The names, in the order of the table.\npub(crate) const NAMES: [&str; {0}] = {names:?};\n\
         /// The functions, in the same order.\n\
         pub(super) fn functions() -> [*const (); {0}] {{\n    [\n",
        names.len()
    );
    for (slot, name) in names.iter().enumerate() {
        writeln!(
            c,
            "__asm__(\".text\\n\\t.p2align 4\\n\\t.globl {name}\\n\\t.type {name}, %function\\n{name}:\\n\\t{}\\n\\t.size {name}, .-{name}\");",
            jump(slot)
        )
        .expect("writing to a string");
        writeln!(rust, "        super::{name} as *const (),").expect("writing to a string");
    }
    rust.push_str("    ]\n}\n");
    let source = out.join("trampolines.c");
    fs::write(&source, c).expect("OUT_DIR can be written");
    fs::write(out.join("symbols.rs"), rust).expect("OUT_DIR can be written");
    shared_library(
        &source,
        &out.join("trampolines.so"),
        // Jumps need no sanitizer, and have no library that would bring its functions.
        &["-nostdlib", "-Wl,-Bsymbolic", "-fno-sanitize=all"],
    );
}

/// Compiles `drivers/*.c`, and writes `samples.rs`, which embeds them by name.
fn sample_drivers(out: &Path) {
    println!("cargo::rerun-if-changed=drivers");
    let built = out.join("drivers");
    fs::create_dir_all(&built).expect("OUT_DIR can be written");
    let mut sources: Vec<PathBuf> = fs::read_dir("drivers")
        .expect("the sample drivers are there")
        .map(|entry| entry.expect("a directory can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    sources.sort();
    let mut rust = String::from("&[\n");
    for source in sources {
        let name = source
            .file_stem()
            .expect("it has an extension")
            .to_str()
            .expect("plain names");
        let library = built.join(format!("{name}.so"));
        shared_library(&source, &library, &["-Iinclude", "-Wall", "-Wextra"]);
        writeln!(rust, "    ({name:?}, include_bytes!({library:?})),")
            .expect("writing to a string");
    }
    rust.push_str("]\n");
    fs::write(out.join("samples.rs"), rust).expect("OUT_DIR can be written");
}

/// The driver that is measured with, once with `output` and once with `outputv`.
fn bench_drivers(out: &Path) {
    println!("cargo::rerun-if-changed=benches/peers");
    let built = out.join("bench");
    fs::create_dir_all(&built).expect("OUT_DIR can be written");
    let source = Path::new("benches/peers/bench_drv.c");
    let flags = ["-Iinclude", "-Wall", "-Wextra", "-Wl,-z,lazy"];
    shared_library(source, &built.join("bench_drv.so"), &flags);
    let flags = [&flags[..], &["-DOUTV"]].concat();
    shared_library(source, &built.join("bench_drvv.so"), &flags);
}

/// What else `wharf bench` embeds: the programs behind its ports, and the same work in plain C.
fn bench_programs(out: &Path) {
    let (from, built) = (Path::new("benches/peers"), out.join("bench"));
    let flags = ["-Iinclude", "-Wall", "-Wextra"];
    c_program(&from.join("prog.c"), &built.join("prog"), &flags);
    let flags = [&flags[..], &["-rdynamic", "-pthread", "-ldl"]].concat();
    c_program(&from.join("floor.c"), &built.join("floor"), &flags);
}

/// Runs the C compiler on one file, for a library that a program loads.
fn shared_library(source: &Path, library: &Path, flags: &[&str]) {
    let flags = [&["-shared", "-fPIC", "-Wl,--build-id=none"], flags].concat();
    c_program(source, library, &flags);
}

/// Runs the C compiler on one file.
fn c_program(source: &Path, program: &Path, flags: &[&str]) {
    let compiler = cc::Build::new()
        .cargo_metadata(false)
        .opt_level(2)
        .pic(true)
        .get_compiler();
    let mut command: Command = compiler.to_command();
    // The libraries that flags name come after what needs them.
    let (libraries, flags): (Vec<&str>, Vec<&str>) =
        flags.iter().partition(|flag| flag.starts_with("-l"));
    command.args(flags).arg("-o").arg(program).arg(source);
    command.args(libraries);
    let status = command.status();
    assert!(
        status.as_ref().is_ok_and(std::process::ExitStatus::success),
        "the C compiler failed ({status:?}): {command:?}"
    );
}

/// Writes the pages about the C library, for `cargo cinstall` to find.
#[cfg(feature = "capi")]
fn manual_pages(out: &Path) {
    println!("cargo::rerun-if-changed=build/manual.rs");
    let folder = out.join("man3");
    // Not those of functions that are gone.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("OUT_DIR can be written");
    let header = fs::read_to_string("include/wharf.h").expect("the header is there");
    manual::write(&header, env!("CARGO_PKG_VERSION"), &folder);
}

/// Compares `src/driver/raw.rs` with the header, or writes it.
#[cfg(feature = "bindgen")]
fn bindings() {
    let path = "src/driver/raw.rs";
    println!("cargo::rerun-if-changed={path}");
    let fresh = bindgen::Builder::default()
        .header("include/erl_driver.h")
        .allowlist_file(".*erl_driver\\.h")
        .raw_line("//! The driver interface as Rust sees it: generated from `include/erl_driver.h`, no logic.")
        .raw_line("//! `WHARF_REGENERATE=1 cargo check --features bindgen` writes this file.")
        .raw_line("")
        .raw_line("#![allow(missing_docs, unreachable_pub, dead_code)]\n#![allow(non_camel_case_types, non_upper_case_globals)]")
        .raw_line("")
        .disable_header_comment()
        .generate_comments(false)
        .layout_tests(false)
        .derive_copy(true)
        .derive_debug(false)
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .rust_edition(bindgen::RustEdition::Edition2024)
        .formatter(bindgen::Formatter::Rustfmt)
        .generate()
        .expect("bindgen reads our own header")
        .to_string();
    if env::var_os("WHARF_REGENERATE").is_some_and(|value| value == "1") {
        fs::write(path, fresh).expect("the source tree can be written");
        return;
    }
    let stored = fs::read_to_string(path).unwrap_or_default();
    assert!(
        stored == fresh,
        "{path} differs from what include/erl_driver.h says: run\n\
         WHARF_REGENERATE=1 cargo check --features bindgen"
    );
}

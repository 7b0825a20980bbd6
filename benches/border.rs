//! What the C door costs beside the Rust door: the same loops in both languages, turn about.
//!
//! A round of `echo` is three calls in C: a command, a receive, and the message freed; of `control` two, as
//! the answer is freed; of `bytes` one, which copies the answer to memory of the caller. Rust frees what it
//! got by the way.
//!
//! `cargo bench --bench border` prints nanoseconds of processor time per round, the median and the
//! least of all turns: the machine may be busy with something else. The C side is `border.c`,
//! compiled here against the library of this build.
#![forbid(unsafe_code)]

#[path = "../tests/support/drivers.rs"]
mod drivers;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use wharf::{Host, Options, PortName};

const TURNS: usize = 15;
const LOOPS: [(&str, u32); 4] = [
    ("echo", 200_000),
    ("control", 200_000),
    ("bytes", 200_000),
    ("program", 10_000),
];

fn compile() -> PathBuf {
    let libraries = std::env::current_exe().unwrap();
    let libraries = libraries.parent().unwrap();
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("border");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = Command::new("cc")
        .args(["-O2", "-D_POSIX_C_SOURCE=200809L", "-I"])
        .arg(root.join("include"))
        .arg("-o")
        .arg(&program)
        .arg(root.join("benches/border.c"))
        .arg("-L")
        .arg(libraries)
        .arg("-lwharf")
        .arg(format!("-Wl,-rpath,{}", libraries.display()))
        .status();
    assert!(done.expect("a C compiler").success());
    program
}

/// Nanoseconds per round in C.
fn in_c(program: &Path, folder: &Path, name: &str, rounds: u32) -> f64 {
    let ran = Command::new(program)
        .arg(folder)
        .args([name, &rounds.to_string()])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8(ran.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

/// Of the processor, for this process.
fn now_ns() -> f64 {
    let now = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).unwrap();
    Duration::from(now).as_secs_f64() * 1e9
}

/// The same in Rust.
fn in_rust(folder: &Path, name: &str, rounds: u32) -> f64 {
    let host = Host::new().unwrap();
    let me = host.process();
    let open = |name| me.open(name, Options::new().binary()).unwrap();
    let driver = |driver| {
        me.load_driver(folder, driver).unwrap();
        open(PortName::spawn_driver(driver))
    };
    let port = match name {
        "echo" => driver("echo_drv"),
        "control" | "bytes" => driver("counter_drv"),
        _ => open(PortName::spawn("cat")),
    };
    let mut answer = [0; 32];
    let began = now_ns();
    for _ in 0..rounds {
        match name {
            "control" => drop(port.control(u32::from(b'g'), "").unwrap()),
            "bytes" => {
                let told = port.control(u32::from(b'g'), "").unwrap();
                let told = told.as_list().and_then(|list| list.as_bytes()).unwrap();
                answer[..told.len()].copy_from_slice(told);
            }
            _ => {
                port.command("12345678").unwrap();
                drop(me.next(Duration::MAX).unwrap());
            }
        }
    }
    std::hint::black_box(answer);
    (now_ns() - began) / f64::from(rounds)
}

/// The median and the least.
fn summary(mut taken: Vec<f64>) -> (f64, f64) {
    taken.sort_by(f64::total_cmp);
    (taken[taken.len() / 2], taken[0])
}

fn main() {
    let program = compile();
    let folder = drivers::compile_all("border");
    println!("ns per round        Rust: median    least    C: median    least");
    for (name, rounds) in LOOPS {
        let (mut rust, mut c) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            rust.push(in_rust(&folder, name, rounds));
            c.push(in_c(&program, &folder, name, rounds));
        }
        let ((rust, rust_least), (c, c_least)) = (summary(rust), summary(c));
        println!("{name:<20}{rust:>12.1} {rust_least:>8.1} {c:>12.1} {c_least:>8.1}");
    }
}

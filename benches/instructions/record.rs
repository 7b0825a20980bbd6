//! `benches/instructions.toml`: how many instructions there were, and with what they were counted.
#![forbid(unsafe_code)]

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

/// Names and what they stand for, in the order of the file.
pub(super) struct Record {
    surroundings: Vec<(String, String)>,
    counts: Vec<(String, f64)>,
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.toml")
}

impl Record {
    pub(super) fn new(surroundings: Vec<(String, String)>, counts: Vec<(String, f64)>) -> Record {
        Record {
            surroundings,
            counts,
        }
    }

    /// What the file says; nothing where there is none.
    pub(super) fn stored() -> Record {
        let text = std::fs::read_to_string(file()).unwrap_or_default();
        let mut record = Record::new(Vec::new(), Vec::new());
        let lines = text.lines().filter(|line| !line.starts_with(['#', '[']));
        for (name, value) in lines.filter_map(|line| line.split_once(" = ")) {
            let name = name.trim_matches('"').to_owned();
            match value.parse() {
                Ok(count) => record.counts.push((name, count)),
                Err(_) => {
                    let value = value.trim_matches('"').to_owned();
                    record.surroundings.push((name, value));
                }
            }
        }
        record
    }

    pub(super) fn store(&self) {
        let mut text = String::from(
            "# Instructions of the core paths, each time they are gone. Written by\n\
             # WHARF_REGENERATE=1 cargo bench --features drivers --bench instructions\n",
        );
        for (name, value) in &self.surroundings {
            let _ = writeln!(text, "{name} = \"{value}\"");
        }
        text.push_str("\n[instructions]\n");
        for (name, count) in &self.counts {
            let _ = writeln!(text, "\"{name}\" = {count:.1}");
        }
        std::fs::write(file(), &text).expect("the source tree can be written");
        print!("{text}");
    }

    pub(super) fn count(&self, name: &str) -> Option<f64> {
        let found = self.counts.iter().find(|(known, _)| known == name);
        found.map(|(_, count)| *count)
    }

    /// The first of the surroundings that is another one here.
    pub(super) fn differs_from(&self, here: &[(String, String)]) -> Option<String> {
        here.iter().find_map(|(name, value)| {
            let stored = self.surroundings.iter().find(|(known, _)| known == name);
            let stored = stored.map_or("nothing", |(_, value)| value.as_str());
            (stored != value).then(|| format!("{name}: {stored}, and here is {value}"))
        })
    }
}

/// With what instructions are counted here: what changes the numbers without a change of ours.
pub(super) fn surroundings() -> Vec<(String, String)> {
    let wide = if cfg!(target_arch = "x86_64") && processor_has("avx2") {
        " with avx2"
    } else {
        ""
    };
    [
        ("compiler", first_line("rustc", "--version")),
        ("valgrind", first_line("valgrind", "--version")),
        ("libc", first_line("ldd", "--version")),
        ("processor", format!("{}{wide}", std::env::consts::ARCH)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

fn processor_has(flag: &str) -> bool {
    let facts = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    facts.split_whitespace().any(|word| word == flag)
}

fn first_line(program: &str, flag: &str) -> String {
    let output = Command::new(program).arg(flag).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().next().unwrap_or("not there").to_owned()
}

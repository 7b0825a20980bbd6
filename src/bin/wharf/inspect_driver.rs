//! `wharf inspect`: what a driver is, read from its file and told by itself.
//!
//! Relies on `object` for what the file needs, and on [`Host::inspect_driver`] for the entry,
//! which the driver's own code has to fill in. Promises one sentence a person understands and
//! Erlang's own reason for a driver that cannot be loaded.
#![forbid(unsafe_code)]

use crate::args::{Global, Inspect};
use crate::print::{Paint, complain, say};
use object::read::elf::{Dyn, ElfFile64};
use object::{Architecture, Object, ObjectSymbol, ReadCache, ReadRef};
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use wharf::host::{DriverFacts, DriverFault};
use wharf::{Host, Term};

/// Everything that is told about one driver.
struct Report {
    path: String,
    file: Option<Library>,
    driver: Result<DriverFacts, DriverFault>,
}

/// What can be read from the file without running anything.
struct Library {
    architecture: &'static str,
    /// The libraries it needs.
    libraries: Vec<String>,
    /// The functions of the driver interface that it calls.
    symbols: Vec<String>,
    has_driver_init: bool,
}

/// Prints what there is to know; fails when the driver cannot be loaded.
pub(crate) fn run(options: &Inspect, global: &Global) -> ExitCode {
    let host = match crate::host(global) {
        Ok(host) => host,
        Err(error) => {
            complain(Paint::stderr(global.color), error);
            return ExitCode::FAILURE;
        }
    };
    let report = Report {
        path: options.driver.display().to_string(),
        file: library(&options.driver),
        driver: inspect(&host, &options.driver),
    };
    if options.json {
        say(format!("{:#}\n", report.json()));
    } else {
        say(report.text(Paint::stdout(global.color)));
    }
    if report.driver.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The loader looks for a name without a slash in the system's folders; a person means this one.
fn inspect(host: &Host, path: &Path) -> Result<DriverFacts, DriverFault> {
    match std::path::absolute(path) {
        Ok(path) => host.inspect_driver(path),
        Err(_) => host.inspect_driver(path),
    }
}

/// Nothing, of a file that is no library: the host says why.
fn library(path: &Path) -> Option<Library> {
    // A device or a pipe may never end.
    if !path.is_file() {
        return None;
    }
    let cache = ReadCache::new(File::open(path).ok()?);
    let elf = ElfFile64::<object::Endianness, _>::parse(&cache).ok()?;
    let interface = Host::driver_symbols();
    let undefined = elf.dynamic_symbols().filter(ObjectSymbol::is_undefined);
    let names = undefined.filter_map(|symbol| Some(symbol.name().ok()?.to_owned()));
    let mut symbols: Vec<String> = names
        .filter(|name| interface.contains(&name.as_str()) || name == "driver_term_nil")
        .collect();
    symbols.sort_unstable();
    Some(Library {
        architecture: match elf.architecture() {
            Architecture::X86_64 => "x86-64",
            Architecture::Aarch64 => "arm64",
            _ => "of another kind of machine",
        },
        libraries: needed(&elf).unwrap_or_default(),
        symbols,
        has_driver_init: elf.dynamic_symbols().any(|symbol| {
            symbol.is_definition() && matches!(symbol.name(), Ok("driver_init" | "_driver_init"))
        }),
    })
}

fn needed<'data, R: ReadRef<'data>>(
    elf: &ElfFile64<'data, object::Endianness, R>,
) -> Option<Vec<String>> {
    let endian = elf.endian();
    let sections = elf.elf_section_table();
    let (dynamic, link) = sections.dynamic(endian, elf.data()).ok()??;
    let strings = sections.strings(endian, elf.data(), link).ok()?;
    let entries = dynamic
        .iter()
        .filter(|entry| entry.tag(endian) == object::elf::DT_NEEDED);
    let name = |entry: &object::elf::Dyn64<_>| {
        Some(String::from_utf8_lossy(entry.string(endian, strings).ok()?).into_owned())
    };
    Some(entries.filter_map(name).collect())
}

/// Erlang's answer to `erl_ddll:load`.
fn error_term(fault: &DriverFault) -> String {
    Term::tuple([Term::atom("error"), fault.reason.clone()]).to_string()
}

impl Report {
    fn json(&self) -> Value {
        let mut object = json!({ "path": self.path, "loads": self.driver.is_ok() });
        if let Some(file) = &self.file {
            object["architecture"] = json!(file.architecture);
            object["libraries"] = json!(file.libraries);
            object["symbols"] = json!(file.symbols);
            object["driver_init"] = json!(file.has_driver_init);
        }
        match &self.driver {
            Ok(facts) => {
                object["name"] = json!(facts.name);
                object["version"] = json!({ "major": facts.major, "minor": facts.minor });
                object["flags"] = json!(facts.flags);
                object["callbacks"] = json!(facts.callbacks);
                object["missing"] = json!([]);
            }
            Err(fault) => {
                object["missing"] = json!(fault.missing);
                object["error"] = json!({ "message": fault.message, "term": error_term(fault) });
            }
        }
        object
    }

    fn text(&self, paint: Paint) -> String {
        let mut text = format!("{}\n", paint.bold(&self.path));
        let mut row = |label: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {} {}", paint.dim(format!("{label:<11}")), value);
        };
        let none_or = |items: Vec<&str>| {
            if items.is_empty() {
                "none".to_owned()
            } else {
                items.join(" ")
            }
        };
        if let Ok(facts) = &self.driver {
            row("name", &facts.name);
            row("version", &format!("{}.{}", facts.major, facts.minor));
            row("flags", &none_or(facts.flags.clone()));
            row("callbacks", &none_or(facts.callbacks.clone()));
        }
        if let Some(file) = &self.file {
            row("machine", file.architecture);
            row(
                "libraries",
                &none_or(file.libraries.iter().map(String::as_str).collect()),
            );
            let symbols = none_or(file.symbols.iter().map(String::as_str).collect());
            for (at, line) in wrapped(&symbols, 84).iter().enumerate() {
                row(if at == 0 { "needs" } else { "" }, line);
            }
            if let Err(fault) = &self.driver
                && !fault.missing.is_empty()
            {
                row("missing", &paint.red(fault.missing.join(" ")));
            }
        }
        match &self.driver {
            Ok(_) => row("loads", &paint.green("yes")),
            Err(fault) => {
                row("loads", &paint.red(format!("no: {fault}")));
                row("in Erlang", &error_term(fault));
            }
        }
        text
    }
}

/// Words in lines of at most `width` letters.
fn wrapped(words: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        let line = lines
            .last_mut()
            .filter(|line| line.len() + word.len() < width);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

//! The manual: `man/*.1` is what the command says of itself, and section 3, which `cargo cinstall`
//! makes of `include/wharf.h`, has a page for all that the header declares. Both are read without a
//! complaint.
#![forbid(unsafe_code)]
#![cfg(feature = "cli")]

#[allow(dead_code, unreachable_pub)]
#[path = "../src/bin/wharf/args.rs"]
mod args;
#[path = "support/c.rs"]
mod c;
#[path = "../build/manual.rs"]
mod manual;

/// What the help of an option says does not depend on what its text becomes.
mod bench {
    pub(crate) mod only {
        pub(crate) type Only = String;
    }
}

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Section 1 as it should be, by file: a page for the command and for each of its subcommands.
fn section_1() -> BTreeMap<String, String> {
    let mut command = args::Arguments::command().disable_help_subcommand(true);
    command.build();
    let mut pages = BTreeMap::new();
    for subcommand in command.get_subcommands() {
        let name = format!("wharf-{}", subcommand.get_name());
        pages.insert(format!("{name}.1"), page(subcommand.clone(), &name));
    }
    pages.insert("wharf.1".to_owned(), page(command, "wharf"));
    pages
}

fn page(command: clap::Command, name: &str) -> String {
    let examples = command.get_after_help().map(ToString::to_string);
    // Examples keep their lines, in a section of their own.
    let command = command
        .after_help(None::<&str>)
        .version(env!("CARGO_PKG_VERSION"));
    let man = clap_mangen::Man::new(command)
        .title(name)
        .source(concat!("wharf ", env!("CARGO_PKG_VERSION")))
        .manual("User Commands")
        .date("");
    let mut page = Vec::new();
    man.render(&mut page).unwrap();
    let mut page = String::from_utf8(page).unwrap();
    if let Some(examples) = examples {
        page.push_str(".SH NOTES\n.nf\n");
        for line in examples.lines() {
            let line = line.replace('\\', "\\e").replace('-', "\\-");
            writeln!(page, "\\&{line}").unwrap();
        }
        page.push_str(".fi\n");
    }
    let others = match name {
        "wharf" => ".BR libwharf (3)",
        _ => ".BR wharf (1)",
    };
    writeln!(page, ".SH SEE ALSO\n{others}").unwrap();
    page
}

#[test]
fn section_1_is_what_the_command_says_of_itself() {
    let folder = root().join("man");
    let fresh = section_1();
    if std::env::var_os("WHARF_REGENERATE").is_some_and(|value| value == "1") {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in &fresh {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    let stored: BTreeMap<String, String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    assert!(
        stored == fresh,
        "man/ differs from what the command says of itself: run\n\
         WHARF_REGENERATE=1 cargo test --features cli --test manual"
    );
    reads_well(fresh.keys().map(|name| folder.join(name)));
}

#[test]
fn section_3_has_a_page_for_all_that_the_header_declares() {
    let header = std::fs::read_to_string(root().join("include/wharf.h")).unwrap();
    let folder = c::scratch("manual");
    let names = manual::write(&header, env!("CARGO_PKG_VERSION"), &folder);
    let symbols = std::fs::read_to_string(root().join("include/wharf.symbols")).unwrap();
    for function in symbols.lines().filter(|line| !line.starts_with('#')) {
        assert!(names.contains(&format!("{function}.3")), "{function}");
    }
    for of_the_header in [
        "libwharf.3",
        "wharf_status.3",
        "wharf_host.3",
        "wharf_message.3",
    ] {
        assert!(
            names.iter().any(|name| name == of_the_header),
            "{of_the_header}"
        );
    }
    for name in &names {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let about = text
            .split(" \\- ")
            .nth(1)
            .and_then(|rest| rest.lines().next());
        assert!(
            about.is_some_and(|about| about.len() > 10),
            "{name}: {about:?}"
        );
        assert!(!text.contains('`'), "{name} has words in backticks left");
    }
    let open = std::fs::read_to_string(folder.join("wharf_open.3")).unwrap();
    for part in [
        "\\fBwharf_status wharf_open(const wharf_process *process,\\fP\n",
        ".IP \\(bu 2\n\\fBWHARF_STATUS_LIMIT\\fP: the host has as many ports as it may have.\n",
        ".EX\nwharf_open(me, \"{spawn, \\e\"cat\\e\"}\", \"[binary]\", &port);\n",
        ".BR wharf_error_reason (3),\n",
    ] {
        assert!(open.contains(part), "{part}\n{open}");
    }
    reads_well(names.iter().map(|name| folder.join(name)));
}

/// The formatter has nothing to say about these pages.
fn reads_well(pages: impl Iterator<Item = PathBuf>) {
    if !c::have("groff") {
        return;
    }
    let mut groff = Command::new("groff");
    groff.args(["-man", "-Tutf8", "-ww", "-z"]).args(pages);
    let ran = groff.output().unwrap();
    let complaints = String::from_utf8_lossy(&ran.stderr);
    assert!(
        ran.status.success() && complaints.is_empty(),
        "{complaints}"
    );
}

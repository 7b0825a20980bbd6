//! `include/wharf.h` says what `src/capi` does: it is made of it, and every exported function is
//! behind the border.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The order of the header's chapters; `mod.rs` names the same files.
const NOUNS: [&str; 20] = [
    "version",
    "status",
    "text",
    "log",
    "host",
    "environment",
    "process",
    "driver",
    "port",
    "options",
    "request",
    "receive",
    "message",
    "send",
    "link",
    "name",
    "term",
    "compose",
    "parts",
    "external",
];

fn source(noun: &str) -> PathBuf {
    root().join("src/capi").join(noun).with_extension("rs")
}

#[test]
fn the_header_is_made_of_the_rust_files() {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    let sources = NOUNS.map(source);
    let bindings = sources
        .iter()
        .fold(cbindgen::Builder::new(), cbindgen::Builder::with_src)
        .with_config(config)
        .generate()
        .unwrap();
    let mut fresh = Vec::new();
    bindings.write(&mut fresh);
    let fresh = String::from_utf8(fresh).unwrap();
    let path = root().join("include/wharf.h");
    if std::env::var_os("WHARF_REGENERATE").is_some_and(|value| value == "1") {
        std::fs::write(&path, fresh).unwrap();
        return;
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == fresh,
        "include/wharf.h differs from what src/capi says: run\n\
         WHARF_REGENERATE=1 cargo test --test c_header"
    );
}

/// An exported function of the door.
struct Export {
    name: String,
    /// The header's text about it.
    told: String,
    /// From the name to the body.
    signature: String,
    body: String,
}

fn exports() -> Vec<Export> {
    const MARK: &str = "#[unsafe(no_mangle)]";
    let mut found = Vec::new();
    for noun in NOUNS {
        let text = std::fs::read_to_string(source(noun)).unwrap();
        for (at, _) in text.match_indices(MARK) {
            let (before, after) = (&text[..at], &text[at + MARK.len()..]);
            let mut told: Vec<&str> = before
                .lines()
                .rev()
                .take_while(|line| line.starts_with("///"))
                .map(|line| line.trim_start_matches("///").trim())
                .collect();
            told.reverse();
            let function = after.split("fn ").nth(1).unwrap();
            let after = &after[after.find("fn ").unwrap() + 3..];
            found.push(Export {
                name: function.split('(').next().unwrap().to_owned(),
                told: told.join(" "),
                signature: after.split('{').next().unwrap().to_owned(),
                body: after.split("\n}\n").next().unwrap().to_owned(),
            });
        }
    }
    assert!(found.len() > 100, "{} functions", found.len());
    found
}

/// Statuses are told by another function's text where this one's says so.
fn refers(told: &str) -> bool {
    told.contains("as of `wharf_") || told.contains("as `wharf_")
}

#[test]
fn every_function_is_told_to_a_c_reader() {
    let mut missing = Vec::new();
    for Export {
        name,
        told,
        signature,
        ..
    } in exports()
    {
        let mut must = |is_there: bool, what: &str| {
            if !is_there {
                missing.push(format!("{name}: {what}"));
            }
        };
        must(
            told.to_lowercase().contains("thread"),
            "which threads may call it",
        );
        if signature.contains("-> wharf_status") {
            let names = told.contains("`WHARF_STATUS_OK`") || refers(&told);
            must(names, "which statuses it answers");
            let of_living = signature.contains("*const wharf_process")
                || signature.contains("*mut wharf_process")
                || signature.contains("wharf_host,");
            let freed = !of_living || told.contains("`WHARF_STATUS_FREED`") || refers(&told);
            must(freed, "that what it is about may have been freed");
        }
        let gives = signature.contains("*mut *mut") || signature.contains("-> *mut");
        if gives {
            let owner = told.contains("belongs to") || told.contains("frees") || refers(&told);
            must(owner, "whose the result is");
        }
        if signature.contains("-> *") {
            must(
                told.contains("NULL"),
                "when it answers NULL, or that it never does",
            );
        }
        if signature.contains("-> usize") {
            must(told.contains("(size_t)-1"), "how it answers a failure");
        }
    }
    assert!(missing.is_empty(), "not said:\n{}", missing.join("\n"));
}

#[test]
fn every_exported_function_stops_panics_under_its_own_name() {
    // Nothing in them can panic.
    let bare = [
        "wharf_status_text",
        "wharf_abi_version",
        "wharf_version_number",
        "wharf_version_text",
    ];
    // What they share stops it.
    let shared = ["wharf_error_text", "wharf_error_reason"];
    for Export { name, body, .. } in exports() {
        assert!(name.starts_with("wharf_"), "{name}");
        let guarded = body.contains(&format!("export!({name},"));
        let excused = bare.contains(&name.as_str()) || shared.contains(&name.as_str());
        assert!(guarded != excused, "{name}: its body belongs into export!");
    }
}

#[test]
fn every_file_of_the_door_is_in_the_header_or_exports_nothing() {
    for entry in std::fs::read_dir(root().join("src/capi")).unwrap() {
        let path = entry.unwrap().path();
        let exporting = std::fs::read_to_string(&path)
            .unwrap()
            .contains("no_mangle");
        let noun = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(exporting, NOUNS.contains(&noun), "{}", path.display());
    }
}

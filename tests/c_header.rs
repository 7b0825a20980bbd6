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

/// The exported functions of the door, with the text of each from its name to its end.
fn exports() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for noun in NOUNS {
        let text = std::fs::read_to_string(source(noun)).unwrap();
        for part in text.split("#[unsafe(no_mangle)]").skip(1) {
            let name = part
                .split("fn ")
                .nth(1)
                .and_then(|rest| rest.split('(').next());
            let body = part.split("\n}\n").next().unwrap();
            found.push((name.unwrap().to_owned(), body.to_owned()));
        }
    }
    assert!(found.len() > 10);
    found
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
    for (name, body) in exports() {
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

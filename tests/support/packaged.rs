//! Where a distribution keeps the drivers it packages.

use std::path::PathBuf;

/// The folder of a packaged driver, or a line that says it is missing.
pub(crate) fn folder(application: &str, name: &str) -> Option<PathBuf> {
    // Some applications are beside Erlang's own.
    let applications = ["/usr/lib/erlang/lib", "/usr/lib"]
        .into_iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .flatten();
    let found = applications
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(application))
        .flat_map(|entry| [entry.path().join("priv"), entry.path().join("priv/lib")])
        .find(|folder| folder.join(format!("{name}.so")).exists());
    if found.is_none() {
        eprintln!("skipped: no {name}");
    }
    found
}

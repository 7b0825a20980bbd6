//! Where the inputs of earlier sessions are kept.
#![forbid(unsafe_code)]

use std::path::PathBuf;

/// `$XDG_STATE_HOME/wharf/history`, its folder made; `None` where there is no home to keep it in.
pub(super) fn path() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    let folder = state.join("wharf");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

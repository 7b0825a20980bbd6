//! The `wharf` command, for tests.
#![forbid(unsafe_code)]

use std::process::Command;

/// The `wharf` command with these arguments, in the package's folder.
pub(crate) fn wharf(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wharf"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env_remove("WHARF_DRIVER_PATH").env("NO_COLOR", "1");
    command
}

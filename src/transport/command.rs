//! What to run: a command line for the shell, or one file with exact arguments.
//!
//! Promises that what is run, and with which arguments, environment and directory, is what
//! Erlang runs for the same open.
#![forbid(unsafe_code)]

use std::ffi::CString;

use crate::os::child::{self, Child, Given, Program};
use crate::os::errno::Errno;
use crate::os::fd;
use crate::port::Options;
use crate::port::variables::{Strings, Variables};

/// A program with everything it is told, but for its descriptors.
#[derive(Debug)]
pub(super) struct Command {
    path: CString,
    argv: Vec<CString>,
    env: Strings,
    directory: Option<CString>,
    /// Whether the file has to look like a program from here before it is tried.
    checked: bool,
}

impl Command {
    /// A command line: what its first words make of it is the shell's business, but the
    /// shell is to make way for it (`exec`).
    pub(super) fn shell(line: &[u8], options: &Options, variables: &Variables) -> Command {
        let line = c_string([b"exec ", line].concat());
        Command {
            path: c"/bin/sh".into(),
            argv: vec![c"sh".into(), c"-c".into(), line],
            env: variables.strings(&options.env),
            directory: options.cd.clone().map(c_string),
            checked: false,
        }
    }

    /// A file, which is neither looked for nor taken apart.
    pub(super) fn file(file: &[u8], options: &Options, variables: &Variables) -> Command {
        let arg0 = options.arg0.clone().unwrap_or_else(|| file.to_vec());
        let args = options.args.iter().flatten().cloned();
        Command {
            path: c_string(file.to_vec()),
            argv: std::iter::once(arg0).chain(args).map(c_string).collect(),
            env: variables.strings(&options.env),
            directory: options.cd.clone().map(c_string),
            checked: true,
        }
    }

    /// Starts it. A directory that cannot be entered is told on the host's standard error, as
    /// Erlang does; like a file that turns out not to be a program it is no error here, but
    /// the program's exit status.
    pub(super) fn start(&self, descriptors: [Given<'_>; 5]) -> Result<Child, Errno> {
        if self.checked {
            child::check_executable(&self.path)?;
        }
        let started = child::start(&Program {
            path: &self.path,
            argv: &self.argv,
            env: &self.env,
            directory: self.directory.as_deref(),
            descriptors,
        })?;
        if let (Some(_), Some(directory)) = (started.directory_error, &self.directory) {
            let directory = directory.as_bytes();
            fd::complain(&[b"spawn: Could not cd to ", directory, b"\r\n"].concat());
        }
        Ok(started.child)
    }
}

/// Up to the first NUL, of which checked options and names have none.
fn c_string(mut bytes: Vec<u8>) -> CString {
    if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
        bytes.truncate(end);
    }
    CString::new(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    fn no_variables() -> Variables {
        Variables::default()
    }

    fn strings(texts: &[CString]) -> Vec<&str> {
        texts.iter().map(|text| text.to_str().unwrap()).collect()
    }

    #[test]
    fn a_command_line_is_the_shells() {
        let command = Command::shell(b"cat -u", &Options::new().cd("/usr"), &no_variables());
        assert_eq!(command.path.as_c_str(), c"/bin/sh");
        assert_eq!(strings(&command.argv), ["sh", "-c", "exec cat -u"]);
        assert_eq!(command.directory.as_deref(), Some(c"/usr"));
        assert!(!command.checked);
    }

    #[test]
    fn a_file_gets_its_arguments_as_they_are() {
        let options = Options::new().args(["a b", ""]);
        let command = Command::file(b"/bin/echo", &options, &no_variables());
        assert_eq!(strings(&command.argv), ["/bin/echo", "a b", ""]);
        assert_eq!(command.directory, None);
        assert!(command.checked);
        let renamed = Command::file(b"/bin/sh", &Options::new().arg0("zero"), &no_variables());
        assert_eq!(renamed.path.as_c_str(), c"/bin/sh");
        assert_eq!(strings(&renamed.argv), ["zero"]);
    }

    #[test]
    fn the_environment_is_the_hosts_with_changes() {
        let variables = no_variables();
        variables.put(b"PATH", b"/bin");
        variables.put(b"WHARF_HOST", b"2");
        let options = Options::new().env("WHARF_TEST", "1").env_remove("PATH");
        let command = Command::shell(b"env", &options, &variables);
        assert_eq!(strings(&command.env), ["WHARF_HOST=2", "WHARF_TEST=1"]);
        let plain = Command::shell(b"env", &Options::new(), &variables);
        assert_eq!(strings(&plain.env), ["PATH=/bin", "WHARF_HOST=2"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_passed_on_as_they_are(
            file in vec(1_u8.., 0..20),
            args in vec(vec(1_u8.., 0..20), 0..5),
            arg0 in proptest::option::of(vec(1_u8.., 0..20)),
        ) {
            let text = |bytes: &[u8]| CString::new(bytes).unwrap();
            let mut options = Options::new().args(args.iter().map(|arg| OsStr::from_bytes(arg)));
            if let Some(name) = &arg0 {
                options = options.arg0(OsStr::from_bytes(name));
            }
            let command = Command::file(&file, &options, &no_variables());
            prop_assert_eq!(&command.path, &text(&file));
            let named = text(arg0.as_ref().unwrap_or(&file));
            let expected: Vec<CString> = std::iter::once(named).chain(args.iter().map(|arg| text(arg))).collect();
            prop_assert_eq!(&command.argv, &expected);
            let command = Command::shell(&file, &Options::new(), &no_variables());
            prop_assert_eq!(&command.argv[2], &text(&[b"exec ", &file[..]].concat()));
            prop_assert_eq!(command.argv.len(), 3);
        }
    }

    #[test]
    fn a_nul_ends_the_text() {
        assert_eq!(c_string(b"ca\0t".to_vec()).as_c_str(), c"ca");
    }

    #[test]
    fn what_is_no_program_from_here_is_refused_before_anything_starts() {
        let start = |file: &[u8]| {
            let command = Command::file(file, &Options::new(), &no_variables());
            command
                .start([Given::Closed; 5])
                .map(drop)
                .map_err(Errno::name)
        };
        assert_eq!(start(b"/no/such/file"), Err("enoent"));
        assert_eq!(start(b"/etc/passwd"), Err("eacces"));
        assert_eq!(start(b"/etc/passwd/x"), Err("enotdir"));
    }
}

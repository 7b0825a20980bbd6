//! A folder of its own for one run, with what the readings need: the driver, the program behind
//! ports, the work in plain C, and the Erlang peer once it is asked for. Gone when dropped.
#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

macro_rules! built {
    ($name:literal) => {
        (
            $name,
            include_bytes!(concat!(env!("OUT_DIR"), "/bench/", $name)) as &[u8],
        )
    };
}

const FILES: [(&str, &[u8]); 4] = [
    built!("bench_drv.so"),
    built!("bench_drvv.so"),
    built!("prog"),
    built!("floor"),
];

const ERLANG: &str = include_str!("../../../../benches/peers/otp_bench.erl");

/// See the module's text.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// A new one, where the system keeps such.
    pub(super) fn new() -> io::Result<Folder> {
        let base = std::env::temp_dir();
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700);
        let mut attempt = 0_u32;
        let path = loop {
            let name = format!("wharf-bench-{}-{attempt}", std::process::id());
            let path = base.join(name);
            match builder.create(&path) {
                Ok(()) => break path,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
                Err(error) => {
                    let text = format!("no folder can be made in {}: {error}", base.display());
                    return Err(io::Error::new(error.kind(), text));
                }
            }
        };
        let folder = Folder(path);
        for (name, contents) in FILES {
            let file = folder.0.join(name);
            fs::write(&file, contents)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o700))?;
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Compiles the Erlang peer, and tells which Erlang it is.
    pub(super) fn with_erlang(&self) -> Result<String, String> {
        let missing = |error: io::Error| {
            format!(
                "Erlang's erl and erlc are needed: {error}; install Erlang, or leave --vs-otp out"
            )
        };
        let source = self.0.join("otp_bench.erl");
        fs::write(&source, ERLANG).map_err(|error| error.to_string())?;
        let mut compiler = Command::new("erlc");
        compiler.current_dir(&self.0).arg(&source);
        let compiled = compiler.output().map_err(missing)?;
        if !compiled.status.success() {
            let told = String::from_utf8_lossy(&compiled.stdout).into_owned();
            return Err(format!("erlc refuses the peer: {told}"));
        }
        let mut erl = Command::new("erl");
        erl.args(["-noshell", "-eval"]).arg(
            "io:format(\"Erlang/OTP ~s, ~s\", [erlang:system_info(otp_release), \
             case catch erlang:system_info(emu_flavor) of F when is_atom(F) -> F; _ -> emu end]), halt().",
        );
        let told = erl.output().map_err(missing)?;
        Ok(String::from_utf8_lossy(&told.stdout).into_owned())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing better can be done with a folder that will not go.
        let _ = fs::remove_dir_all(&self.0);
    }
}

//! What a driver's file tells before the system's loader touches it.
//!
//! The loader's own words are short ("no such file", for a library of another machine), and a
//! file that was cut off kills the process that loads it. Relies on `object` to read the file's
//! header and its table of segments, never the whole of it. Promises to find nothing wrong with
//! a file that the loader takes.
#![forbid(unsafe_code)]

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, ReadCache};

/// Where a file says whether it is for 32 or 64 bits.
const CLASS: usize = 4;

/// What is wrong with a file.
pub(super) struct FileFault {
    /// In words, for "it does not load: …".
    pub(super) sentence: String,
    /// The loader would crash or wait for ever instead of refusing.
    pub(super) deadly: bool,
}

/// Finds what is wrong with a file that is to be loaded.
pub(super) fn fault(path: &Path) -> Option<FileFault> {
    check(path).err()
}

fn harmless(sentence: impl Into<String>) -> FileFault {
    FileFault {
        sentence: sentence.into(),
        deadly: false,
    }
}

fn deadly(sentence: impl Into<String>) -> FileFault {
    FileFault {
        sentence: sentence.into(),
        deadly: true,
    }
}

fn check(path: &Path) -> Result<(), FileFault> {
    let facts = std::fs::metadata(path).map_err(unreadable)?;
    if facts.is_dir() {
        return Err(harmless("it is a directory"));
    }
    if !facts.is_file() {
        return Err(deadly("it is a device or a pipe, not a file"));
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let mut start = [0; CLASS + 1];
    match file.read_exact(&mut start) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(unreadable(error)),
        _ if !start.starts_with(&elf::ELFMAG) => {
            Err(harmless("it is no ELF file, so no shared library"))
        }
        _ if start[CLASS] == elf::ELFCLASS32.0 => Err(harmless(
            "it is a 32-bit library, and this is a 64-bit program",
        )),
        _ => check_elf(file, &facts),
    }
}

fn unreadable(error: io::Error) -> FileFault {
    harmless(match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => format!("it cannot be read: {error}"),
    })
}

fn check_elf(file: File, facts: &Metadata) -> Result<(), FileFault> {
    let cache = ReadCache::new(file);
    let damaged = |error: object::Error| harmless(format!("its ELF header is damaged: {error}"));
    let header = FileHeader64::<Endianness>::parse(&cache).map_err(damaged)?;
    let endian = header.endian().map_err(damaged)?;
    match header.e_type(endian) {
        elf::ET_DYN => {}
        elf::ET_REL => {
            return Err(harmless(
                "it is an object file, not a shared library: link it with -shared",
            ));
        }
        _ => return Err(harmless("it is no shared library: link it with -shared")),
    }
    let machine = header.e_machine(endian);
    if let Some(here) = machine_here()
        && machine != here
    {
        return Err(harmless(format!(
            "it is made for {}, and this is {}",
            machine_name(machine),
            machine_name(here)
        )));
    }
    let segments = header.program_headers(endian, &cache).map_err(damaged)?;
    let length = segments
        .iter()
        .filter(|segment| segment.p_type(endian) == elf::PT_LOAD)
        .map(|segment| {
            segment
                .p_offset(endian)
                .saturating_add(segment.p_filesz(endian))
        })
        .max();
    match length {
        Some(length) if length > facts.len() => Err(deadly(format!(
            "it is cut short: it should have at least {length} bytes, and has {}",
            facts.len()
        ))),
        _ => Ok(()),
    }
}

/// The kind of machine that this program runs on.
fn machine_here() -> Option<elf::Machine> {
    match std::env::consts::ARCH {
        "x86_64" => Some(elf::EM_X86_64),
        "aarch64" => Some(elf::EM_AARCH64),
        _ => None,
    }
}

fn machine_name(machine: elf::Machine) -> String {
    match machine {
        elf::EM_X86_64 => "x86-64".to_owned(),
        elf::EM_AARCH64 => "arm64".to_owned(),
        other => format!("another kind of machine (ELF number {})", other.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The header and the table of segments of a good library or program: this one.
    fn start_of_this_program() -> Vec<u8> {
        let mut start = Vec::new();
        let file = File::open("/proc/self/exe").unwrap();
        file.take(2048).read_to_end(&mut start).unwrap();
        start
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_damage_is_a_sentence_or_nothing(
            changes in proptest::collection::vec((0..1024_usize, any::<u8>()), 0..12),
            kept in prop_oneof![0..100_usize, Just(2048)],
        ) {
            let mut bytes = start_of_this_program();
            for (at, byte) in changes {
                // Most of what there is to be wrong is in the first 64 bytes.
                bytes[if at < 512 { at % 64 } else { at }] = byte;
            }
            bytes.truncate(kept);
            let name = format!("wharf-damaged-{}.so", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::write(&path, &bytes).unwrap();
            let found = fault(&path);
            std::fs::remove_file(&path).unwrap();
            if let Some(fault) = found {
                prop_assert!(fault.sentence.len() > 10);
            } else {
                prop_assert!(bytes.starts_with(&elf::ELFMAG));
            }
        }
    }
}

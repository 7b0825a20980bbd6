//! What a driver writes to pipes and sockets with, by what its file asks of others.
//!
//! Erlang ignores SIGPIPE, so drivers write without a thought for it. In a host where the signal is
//! deadly they have to be kept from it, which costs system calls. So a driver without any writing function
//! is left alone; one that writes by the kernel's functions alone gets them from us, with the shield
//! around each call; only where there may be more to it is the shield around all of a callback.
//!
//! Relies on `object` to read the file's dynamic symbols and relocations. Promises to say
//! [`Writing::Shielded`] in doubt: where the file cannot be read, needs other libraries than the C and
//! C++ runtime's, calls functions that find functions, or imports a writer in a way that cannot be bound.
//! A driver with system calls in its own machine code is beyond this.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use object::elf;
use object::read::elf::{ElfFile64, FileHeader};
use object::{
    Endianness, Object, ObjectSymbol, ReadCache, ReadRef, Relocation, RelocationFlags,
    RelocationTarget,
};

use super::missing;
use crate::os::imports::Slot;
use crate::os::writers;

/// Functions of the C library that write, or may call whatever writes. Without the underscores in
/// front, and without the endings in [`plain`].
const WRITERS: &[&str] = &[
    // The kernel's, and the door to all of them.
    "write",
    "writev",
    "pwrite",
    "pwritev",
    "pwritev2",
    "send",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "sendfile",
    "splice",
    "tee",
    "vmsplice",
    // What may take the signal out of what a thread blocks.
    "pthread_sigmask",
    "sigprocmask",
    "aio_write",
    "lio_listio",
    "syscall",
    // Streams.
    "fwrite",
    "fputs",
    "fputc",
    "putc",
    "putchar",
    "puts",
    "putw",
    "fputws",
    "fputwc",
    "putwc",
    "putwchar",
    "overflow",
    "woverflow",
    "printf",
    "fprintf",
    "vprintf",
    "vfprintf",
    "dprintf",
    "vdprintf",
    "wprintf",
    "fwprintf",
    "vwprintf",
    "vfwprintf",
    "fflush",
    "fclose",
    "fcloseall",
    "freopen",
    "pclose",
    "fseek",
    "fseeko",
    "fsetpos",
    "rewind",
    // Reports.
    "perror",
    "psignal",
    "psiginfo",
    "error",
    "error_at_line",
    "warn",
    "warnx",
    "vwarn",
    "vwarnx",
    "syslog",
    "vsyslog",
    "malloc_info",
    "malloc_stats",
    "backtrace_symbols_fd",
    // Questions to other machines.
    "getaddrinfo",
    "getnameinfo",
    "gethostbyname",
    "gethostbyname2",
    "gethostbyname_r",
    "gethostbyname2_r",
    "gethostbyaddr",
    "gethostbyaddr_r",
    "res_query",
    "res_search",
    "res_send",
    "res_nquery",
    "res_nsearch",
    "res_nsend",
    // What finds functions by name.
    "dlopen",
    "dlmopen",
    "dlsym",
    "dlvsym",
];

/// Libraries that call nothing of the above unless asked by one of its names.
const QUIET_LIBRARIES: &[&str] = &[
    "libc.",
    "libm.",
    "libmvec.",
    "libpthread.",
    "libdl.",
    "librt.",
    "libgcc_s.",
    "libstdc++.",
    "ld-linux",
];

/// What a driver writes with.
#[derive(Debug)]
pub(super) enum Writing {
    /// Nothing.
    No,
    /// Functions that can be bound to ours, at these places.
    Bound(Vec<Slot>),
    /// Anything: all of a callback has to be kept from SIGPIPE.
    Shielded,
}

impl Writing {
    /// What the driver in this file writes with.
    pub(super) fn of_file(file: &Path) -> Writing {
        File::open(file).map_or(Writing::Shielded, |file| {
            Writing::of_bytes(&ReadCache::new(file))
        })
    }

    /// What the driver in these bytes writes with.
    pub(super) fn of_bytes<'data>(file: impl ReadRef<'data>) -> Writing {
        Self::read(file).unwrap_or(Writing::Shielded)
    }

    /// `None` in doubt.
    fn read<'data>(file: impl ReadRef<'data>) -> Option<Writing> {
        let elf = ElfFile64::<Endianness, _>::parse(file).ok()?;
        let is_quiet = |name: &&str| QUIET_LIBRARIES.iter().any(|quiet| name.starts_with(quiet));
        if !missing::dependencies(&elf)?.iter().all(is_quiet) {
            return None;
        }
        let mut imports = HashMap::new();
        for symbol in elf.dynamic_symbols().filter(|symbol| symbol.is_undefined()) {
            let name = symbol.name().ok()?;
            if is_writer(name) {
                imports.insert(symbol.index(), (writers::find(name)?, false));
            }
        }
        if imports.is_empty() {
            return Some(Writing::No);
        }
        let machine = elf.elf_header().e_machine(elf.endian());
        let dynamic = Dynamic::read(&elf)?;
        let mut slots = Vec::new();
        for (address, relocation) in elf.dynamic_relocations()? {
            let RelocationTarget::Symbol(symbol) = relocation.target() else {
                continue;
            };
            let Some((writer, is_used)) = imports.get_mut(&symbol) else {
                continue;
            };
            match slot_kind(machine, &relocation)? {
                SlotKind::Call => {}
                // Code that has run before the slots are bound may have kept the address.
                SlotKind::Any if dynamic.runs_code_at_once => return None,
                SlotKind::Any => {}
            }
            *is_used = true;
            slots.push(Slot {
                address,
                writer: *writer,
            });
        }
        let all_are_used = imports.values().all(|(_, is_used)| *is_used);
        (all_are_used && !dynamic.changes_code).then_some(Writing::Bound(slots))
    }
}

/// What a place is used for where the loader puts nothing but a symbol's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SlotKind {
    /// Only for calls.
    Call,
    Any,
}

/// `None` if it puts something else there.
fn slot_kind(machine: elf::Machine, relocation: &Relocation) -> Option<SlotKind> {
    let RelocationFlags::Elf { r_type } = relocation.flags() else {
        return None;
    };
    if relocation.addend() != 0 || relocation.has_implicit_addend() {
        return None;
    }
    let (call, any) = match machine {
        elf::EM_X86_64 => (
            elf::R_X86_64_JUMP_SLOT,
            [elf::R_X86_64_GLOB_DAT, elf::R_X86_64_64],
        ),
        elf::EM_AARCH64 => (
            elf::R_AARCH64_JUMP_SLOT,
            [elf::R_AARCH64_GLOB_DAT, elf::R_AARCH64_ABS64],
        ),
        _ => return None,
    };
    if r_type == call {
        Some(SlotKind::Call)
    } else {
        any.contains(&r_type).then_some(SlotKind::Any)
    }
}

/// What a library's file tells the loader to do besides.
struct Dynamic {
    /// It changes the library's code.
    changes_code: bool,
    /// It calls more than what compilers put into every library.
    runs_code_at_once: bool,
}

impl Dynamic {
    fn read<'data, R: ReadRef<'data>>(elf: &ElfFile64<'data, Endianness, R>) -> Option<Dynamic> {
        const ADDRESS_BYTES: u64 = 8;
        let mut changes_code = false;
        let (mut has_init, mut init_array_bytes) = (false, 0);
        for entry in elf.elf_dynamic_table().ok()?.iter() {
            match entry.tag {
                elf::DT_TEXTREL => changes_code = true,
                elf::DT_FLAGS => changes_code |= entry.val & elf::DF_TEXTREL.0 != 0,
                elf::DT_INIT => has_init = true,
                elf::DT_INIT_ARRAYSZ => init_array_bytes = entry.val,
                _ => {}
            }
        }
        Some(Dynamic {
            changes_code,
            runs_code_at_once: !matches!(
                (has_init, init_array_bytes),
                (true, ADDRESS_BYTES) | (false, 0)
            ),
        })
    }
}

fn is_writer(symbol: &str) -> bool {
    WRITERS.contains(&plain(symbol)) || is_stream_of_cpp(symbol)
}

/// A function's name without what stands for checked, unlocked and large-file variants of it.
fn plain(symbol: &str) -> &str {
    let name = symbol.strip_prefix("_IO_").unwrap_or(symbol);
    let mut name = name.trim_start_matches('_');
    for ending in ["_chk", "_unlocked", "64", "64v2"] {
        name = name.strip_suffix(ending).unwrap_or(name);
    }
    name
}

/// Streams of C++'s standard library, by how their names are mangled.
fn is_stream_of_cpp(symbol: &str) -> bool {
    symbol.starts_with("_Z")
        && (["stream", "filebuf", "ios_base", "print"]
            .iter()
            .any(|part| symbol.contains(part))
            // `std::ostream`, `std::iostream`, `<<` and `std::cout`.
            || ["_ZNSo", "_ZNKSo", "_ZNSd", "_ZStls", "_ZSt4c"]
                .iter()
                .any(|start| symbol.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_of_a_writer_are_writers() {
        for name in [
            "write",
            "__write",
            "__vfprintf_chk",
            "__fprintf_chk",
            "fputs_unlocked",
            "_IO_putc",
            "__overflow",
            "pwrite64",
            "pwritev64v2",
            "sendfile64",
            "syscall",
            "_ZNSo5flushEv",
            "_ZSt4cout",
            "_ZSt16__ostream_insertIcSt11char_traitsIcEERSt13basic_ostreamIT_T0_ES6_PKS3_l",
        ] {
            assert!(is_writer(name), "{name}");
        }
        for name in [
            "read",
            "readv",
            "memcpy",
            "snprintf",
            "__snprintf_chk",
            "__isoc99_sscanf",
            "driver_output",
            "erl_drv_send_term",
            "_Znwm",
            "__cxa_finalize",
            "",
        ] {
            assert!(!is_writer(name), "{name}");
        }
    }

    #[test]
    fn what_can_be_bound_is_a_writer() {
        for name in [
            "write",
            "writev",
            "pwrite",
            "pwrite64",
            "pwritev",
            "pwritev64",
            "pwritev2",
            "pwritev64v2",
            "send",
            "sendto",
            "sendmsg",
            "sendmmsg",
            "sendfile",
            "sendfile64",
            "splice",
            "tee",
            "vmsplice",
        ] {
            assert!(is_writer(name) && writers::find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn in_doubt_all_is_shielded() {
        assert!(matches!(
            Writing::of_bytes(&b"no library"[..]),
            Writing::Shielded
        ));
        let missing = Path::new("/no/such/file");
        assert!(matches!(Writing::of_file(missing), Writing::Shielded));
    }

    #[test]
    fn samples_that_only_answer_do_not_write() {
        for (name, expected) in [
            ("echo_drv", "No"),
            ("call_drv", "No"),
            ("counter_drv", "No"),
            ("queue_drv", "Bound"),
        ] {
            let Some(bytes) = crate::driver::samples::find(name) else {
                continue;
            };
            let writing = format!("{:?}", Writing::of_bytes(bytes));
            assert!(writing.starts_with(expected), "{name}: {writing}");
        }
    }
}

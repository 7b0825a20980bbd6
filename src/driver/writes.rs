//! Whether a driver may write to pipes or sockets, by what its file asks of others.
//!
//! Erlang ignores SIGPIPE, so drivers write without a thought for it. In a host where the signal is
//! deadly their callbacks have to be kept from it, which costs system calls that a driver without any
//! writing function need not pay. Relies on `object` to read the file's dynamic symbols. Promises to say
//! "it may" in doubt: where the file cannot be read, needs other libraries than the C and C++
//! runtime's, or calls functions that find functions. A driver with system calls in its own machine
//! code is beyond this.
#![forbid(unsafe_code)]

use std::fs::File;
use std::path::Path;

use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSymbol, ReadCache, ReadRef};

use super::missing;

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

/// The same for a driver's file.
pub(super) fn file_may_write(file: &Path) -> bool {
    File::open(file).map_or(true, |file| may_write(&ReadCache::new(file)))
}

/// Whether the driver in these bytes may write.
pub(super) fn may_write<'data>(file: impl ReadRef<'data>) -> bool {
    let Ok(elf) = ElfFile64::<Endianness, _>::parse(file) else {
        return true;
    };
    let Some(libraries) = missing::dependencies(&elf) else {
        return true;
    };
    let is_quiet = |name: &&str| QUIET_LIBRARIES.iter().any(|quiet| name.starts_with(quiet));
    if !libraries.iter().all(is_quiet) {
        return true;
    }
    elf.dynamic_symbols()
        .filter(|symbol| symbol.is_undefined())
        .any(|symbol| symbol.name().map_or(true, is_writer))
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
    fn in_doubt_it_may() {
        assert!(may_write(&b"no library"[..]));
        assert!(file_may_write(Path::new("/no/such/file")));
    }

    #[test]
    fn samples_that_only_answer_may_not() {
        for (name, expected) in [
            ("echo_drv", false),
            ("call_drv", false),
            ("counter_drv", false),
            ("queue_drv", true),
        ] {
            let Some(bytes) = crate::driver::samples::find(name) else {
                continue;
            };
            assert_eq!(may_write(bytes), expected, "{name}");
        }
    }
}

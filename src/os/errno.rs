//! Error numbers and the lower-case names Erlang gives them.
//!
//! Ports fail with atoms such as `enoent`, drivers ask for the same names as C strings, and both must
//! agree with what Erlang answers. So the table is Erlang's, asked number by number: one it does not
//! know, zero and negative numbers are all `unknown`, even where Linux has a name for them
//! (`ECANCELED`, for one).

use std::ffi::CStr;
use std::{fmt, io};

/// Why a system call failed: an error number as the kernel gives it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Errno(i32);

/// What the room's functions return.
pub(crate) type Result<T> = std::result::Result<T, Errno>;

/// The name of every number that Erlang has none for.
const UNKNOWN: &CStr = c"unknown";

/// Builds the table; a macro only so that it reads as a table.
macro_rules! table {
    ($($number:ident $name:literal,)*) => {
        const NAMES: &[(i32, &CStr)] = &[
            $((libc::$number, match CStr::from_bytes_with_nul(concat!($name, "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => UNKNOWN,
            }),)*
        ];
    };
}

table! {
    EPERM "eperm", ENOENT "enoent", ESRCH "esrch", EINTR "eintr", EIO "eio", ENXIO "enxio",
    E2BIG "e2big", ENOEXEC "enoexec", EBADF "ebadf", ECHILD "echild", EAGAIN "eagain",
    ENOMEM "enomem", EACCES "eacces", EFAULT "efault", ENOTBLK "enotblk", EBUSY "ebusy",
    EEXIST "eexist", EXDEV "exdev", ENODEV "enodev", ENOTDIR "enotdir", EISDIR "eisdir",
    EINVAL "einval", ENFILE "enfile", EMFILE "emfile", ENOTTY "enotty", ETXTBSY "etxtbsy",
    EFBIG "efbig", ENOSPC "enospc", ESPIPE "espipe", EROFS "erofs", EMLINK "emlink", EPIPE "epipe",
    EDOM "edom", ERANGE "erange", EDEADLK "edeadlk", ENAMETOOLONG "enametoolong", ENOLCK "enolck",
    ENOSYS "enosys", ENOTEMPTY "enotempty", ELOOP "eloop", ENOMSG "enomsg", EIDRM "eidrm",
    ECHRNG "echrng", EL2NSYNC "el2nsync", EL3HLT "el3hlt", EL3RST "el3rst", ELNRNG "elnrng",
    EUNATCH "eunatch", ENOCSI "enocsi", EL2HLT "el2hlt", EBADE "ebade", EBADR "ebadr",
    EXFULL "exfull", ENOANO "enoano", EBADRQC "ebadrqc", EBADSLT "ebadslt", EBFONT "ebfont",
    ENOSTR "enostr", ENODATA "enodata", ETIME "etime", ENOSR "enosr", ENONET "enonet",
    ENOPKG "enopkg", EREMOTE "eremote", ENOLINK "enolink", EADV "eadv", ESRMNT "esrmnt",
    ECOMM "ecomm", EPROTO "eproto", EMULTIHOP "emultihop", EDOTDOT "edotdot", EBADMSG "ebadmsg",
    EOVERFLOW "eoverflow", ENOTUNIQ "enotuniq", EBADFD "ebadfd", EREMCHG "eremchg",
    ELIBACC "elibacc", ELIBBAD "elibbad", ELIBSCN "elibscn", ELIBMAX "elibmax", ELIBEXEC "elibexec",
    EILSEQ "eilseq", EUSERS "eusers", ENOTSOCK "enotsock", EDESTADDRREQ "edestaddrreq",
    EMSGSIZE "emsgsize", EPROTOTYPE "eprototype", ENOPROTOOPT "enoprotoopt",
    EPROTONOSUPPORT "eprotonosupport", ESOCKTNOSUPPORT "esocktnosupport", ENOTSUP "enotsup",
    EPFNOSUPPORT "epfnosupport", EAFNOSUPPORT "eafnosupport", EADDRINUSE "eaddrinuse",
    EADDRNOTAVAIL "eaddrnotavail", ENETDOWN "enetdown", ENETUNREACH "enetunreach",
    ENETRESET "enetreset", ECONNABORTED "econnaborted", ECONNRESET "econnreset", ENOBUFS "enobufs",
    EISCONN "eisconn", ENOTCONN "enotconn", ESHUTDOWN "eshutdown", ETOOMANYREFS "etoomanyrefs",
    ETIMEDOUT "etimedout", ECONNREFUSED "econnrefused", EHOSTDOWN "ehostdown",
    EHOSTUNREACH "ehostunreach", EALREADY "ealready", EINPROGRESS "einprogress", ESTALE "estale",
    EUCLEAN "euclean", ENOTNAM "enotnam", ENAVAIL "enavail", EREMOTEIO "eremoteio", EDQUOT "edquot",
}

impl Errno {
    pub(crate) const EAGAIN: Errno = Errno(libc::EAGAIN);
    pub(crate) const EBADF: Errno = Errno(libc::EBADF);
    pub(crate) const EBUSY: Errno = Errno(libc::EBUSY);
    pub(crate) const ECHILD: Errno = Errno(libc::ECHILD);
    pub(crate) const EEXIST: Errno = Errno(libc::EEXIST);
    pub(crate) const EINTR: Errno = Errno(libc::EINTR);
    pub(crate) const EINVAL: Errno = Errno(libc::EINVAL);
    pub(crate) const EDEADLK: Errno = Errno(libc::EDEADLK);
    pub(crate) const ENOMEM: Errno = Errno(libc::ENOMEM);
    pub(crate) const ENOSYS: Errno = Errno(libc::ENOSYS);
    pub(crate) const EOPNOTSUPP: Errno = Errno(libc::EOPNOTSUPP);
    pub(crate) const EPERM: Errno = Errno(libc::EPERM);
    #[cfg(test)]
    pub(crate) const EPIPE: Errno = Errno(libc::EPIPE);
    pub(crate) const ESRCH: Errno = Errno(libc::ESRCH);

    /// The error with this number.
    pub(crate) const fn new(number: i32) -> Errno {
        Errno(number)
    }

    /// What the calling thread's last failed call left behind.
    pub(crate) fn last() -> Errno {
        Errno::from(io::Error::last_os_error())
    }

    /// Leaves the number behind, where a failed call does.
    pub(crate) fn leave(self) {
        nix::errno::Errno::set_raw(self.0);
    }

    /// The number.
    pub(crate) const fn number(self) -> i32 {
        self.0
    }

    /// Erlang's name for it (`enoent`), `unknown` if Erlang has none.
    pub(crate) fn name(self) -> &'static str {
        self.c_name().to_str().unwrap_or("unknown")
    }

    /// The same name for C.
    pub(crate) fn c_name(self) -> &'static CStr {
        match NAMES.binary_search_by_key(&self.0, |(number, _)| *number) {
            Ok(index) => NAMES[index].1,
            Err(_) => UNKNOWN,
        }
    }
}

/// The kernel's sentence with Erlang's name: `No such file or directory (enoent)`.
impl fmt::Display for Errno {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = io::Error::from_raw_os_error(self.0).to_string();
        let sentence = text.split(" (os error").next().unwrap_or(&text);
        write!(out, "{sentence} ({})", self.name())
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Errno({} {})", self.0, self.name())
    }
}

impl std::error::Error for Errno {}

/// Errors without a number (none of the calls made here give one) count as `EIO`.
impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Errno {
        Errno(error.raw_os_error().unwrap_or(libc::EIO))
    }
}

impl From<Errno> for io::Error {
    fn from(error: Errno) -> io::Error {
        io::Error::from_raw_os_error(error.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_erlangs() {
        assert_eq!(Errno::new(libc::ENOENT).name(), "enoent");
        assert_eq!(Errno::new(libc::EOPNOTSUPP).name(), "enotsup");
        assert_eq!(Errno::new(libc::EDQUOT).c_name(), c"edquot");
    }

    #[test]
    fn what_erlang_does_not_know_is_unknown() {
        for number in [
            0,
            -1,
            i32::MIN,
            i32::MAX,
            41,
            libc::ECANCELED,
            libc::EOWNERDEAD,
        ] {
            assert_eq!(Errno::new(number).name(), "unknown", "{number}");
        }
    }

    #[test]
    fn table_is_in_order() {
        assert!(NAMES.is_sorted_by_key(|(number, _)| *number));
        assert_eq!(NAMES.len(), 117);
    }

    #[test]
    fn shown_with_sentence_and_name() {
        assert_eq!(
            Errno::new(libc::ENOENT).to_string(),
            "No such file or directory (enoent)"
        );
        assert_eq!(format!("{:?}", Errno::EPIPE), "Errno(32 epipe)");
    }
}

//! The kernel's functions that write, each kept from SIGPIPE around its call alone.
//!
//! They take the place of the C library's functions of the same names in libraries whose imports are
//! bound to them ([`imports`](super::imports)), so they are called by foreign code, in whatever thread,
//! signal handler or forked process. Relies on [`sigpipe`](super::sigpipe). Promises to be what they
//! replace in all but the signal: answers, `errno`, and being places where a thread can be cancelled,
//! which unwinds them: hence the ABI, and no destructor in the way.

use std::ffi::{CStr, c_int, c_uint, c_void};

use libc::{iovec, mmsghdr, msghdr, off_t, sigset_t, size_t, sockaddr, socklen_t, ssize_t};

use super::sigpipe::{after_call, after_new_mask, before_call, before_new_mask};

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer {
    /// What it is called, as the C library's.
    pub(super) name: &'static CStr,
    pub(super) function: *const (),
}

macro_rules! writer {
    ($name:ident, $function:ident) => {
        Writer {
            name: match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => c"",
            },
            function: $function as *const (),
        }
    };
}

/// Behind `also` are other names of the same function.
macro_rules! writers {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty $(, also $also:ident)?;)*) => {
        /// Declared here because they unwind where a thread is cancelled, which the usual declarations
        /// leave out.
        mod c {
            use super::*;

            unsafe extern "C-unwind" {
                $(pub(super) fn $name($($argument: $kind),*) -> $answer;)*
            }
        }

        $(
            unsafe extern "C-unwind" fn $name($($argument: $kind),*) -> $answer {
                // No closure: unlike this one its frame could not be unwound in a program that aborts
                // where others panic.
                let call = before_call();
                // SAFETY: the caller takes this for the C library's function, and promises the same.
                let answer = unsafe { c::$name($($argument),*) };
                after_call(call);
                answer
            }
        )*

        /// All of them, and those that change what is known.
        const WRITERS: &[Writer] = &[
            $(writer!($name, $name), $(writer!($also, $name),)?)*
            writer!(pthread_sigmask, pthread_sigmask),
            writer!(sigprocmask, sigprocmask),
        ];
    };
}

// An offset has 64 bits on the machines that drivers are loaded on, whatever the name.
writers! {
    write(fd: c_int, bytes: *const c_void, length: size_t) -> ssize_t;
    writev(fd: c_int, pieces: *const iovec, number: c_int) -> ssize_t;
    pwrite(fd: c_int, bytes: *const c_void, length: size_t, at: off_t) -> ssize_t, also pwrite64;
    pwritev(fd: c_int, pieces: *const iovec, number: c_int, at: off_t) -> ssize_t, also pwritev64;
    pwritev2(fd: c_int, pieces: *const iovec, number: c_int, at: off_t, flags: c_int) -> ssize_t,
        also pwritev64v2;
    send(fd: c_int, bytes: *const c_void, length: size_t, flags: c_int) -> ssize_t;
    sendto(fd: c_int, bytes: *const c_void, length: size_t, flags: c_int, to: *const sockaddr,
        to_length: socklen_t) -> ssize_t;
    sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t;
    sendmmsg(fd: c_int, messages: *mut mmsghdr, number: c_uint, flags: c_int) -> c_int;
    sendfile(to: c_int, from: c_int, at: *mut off_t, length: size_t) -> ssize_t, also sendfile64;
    splice(from: c_int, from_at: *mut off_t, to: c_int, to_at: *mut off_t, length: size_t,
        flags: c_uint) -> ssize_t;
    tee(from: c_int, to: c_int, length: size_t, flags: c_uint) -> ssize_t;
    vmsplice(fd: c_int, pieces: *const iovec, number: size_t, flags: c_uint) -> ssize_t;
}

const _: () = assert!(size_of::<off_t>() == 8, "a driver's offsets have 64 bits");

macro_rules! new_mask {
    ($name:ident) => {
        /// Not one that writes: afterwards the thread may no longer block SIGPIPE.
        unsafe extern "C-unwind" fn $name(
            how: c_int,
            mask: *const sigset_t,
            before: *mut sigset_t,
        ) -> c_int {
            if !mask.is_null() {
                before_new_mask();
            }
            // SAFETY: the caller takes this for the C library's function, and promises the same.
            let answer = unsafe { libc::$name(how, mask, before) };
            if !mask.is_null() {
                after_new_mask();
            }
            answer
        }
    };
}

new_mask!(pthread_sigmask);
new_mask!(sigprocmask);

/// The one for a function of the C library, by its name.
pub(crate) fn find(name: &str) -> Option<Writer> {
    WRITERS
        .iter()
        .find(|writer| writer.name.to_bytes() == name.as_bytes())
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_by_the_whole_name() {
        for writer in WRITERS {
            let name = writer.name.to_str().unwrap();
            assert_eq!(find(name).unwrap().function, writer.function, "{name}");
        }
        assert!(find("").is_none());
        assert!(find("printf").is_none());
        assert!(find("__write").is_none());
    }
}

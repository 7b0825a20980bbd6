//! Processes: who owns ports and gets messages.

use std::ffi::c_char;
use std::os::fd::AsRawFd;

use super::host::wharf_host;
use super::living;
use super::status::{Fault, wharf_status};
use super::term::{hand_over, wharf_term};
use super::{argument, export};
use crate::host::Exited;
use wharf_status::*;

/// A process: somebody who owns ports and gets messages. It has no thread of its own; threads act
/// for it by calling functions with it.
///
/// Made by `wharf_process_new`, ended by `wharf_process_free`, or with its host. All threads may
/// use it at the same time; one of them receives at a time, others that try wait for their turn. It
/// may end before it is freed, by an exit signal from a port or process that it is linked to;
/// functions then answer `WHARF_STATUS_EXITED`. The pointer names the process and does not
/// point to memory: once it is freed, functions answer `WHARF_STATUS_FREED`.
#[allow(non_camel_case_types)]
pub struct wharf_process {
    _opaque: [u8; 0],
}

/// The identity of a process. Compare by `id`; 0 is no process.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct wharf_pid {
    /// A number that no other process of this program has or will have.
    pub id: u64,
}

/// Makes a process in a host. NULL is a failure: the host is NULL or was freed; `wharf_error_text`
/// says which.
///
/// The process belongs to the caller, who ends it with `wharf_process_free`; `wharf_host_free` ends
/// it as well. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_new(host: *const wharf_host) -> *mut wharf_process {
    export!(wharf_process_new, |_| std::ptr::null_mut(), {
        living::enter_process(host)
    })
}

/// Ends a process, normally, and frees it: its ports are closed, its messages are dropped.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`: nothing was done.
///
/// Any thread may call this. Threads that wait in a function of the process come back with
/// `WHARF_STATUS_EXITED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_free(process: *mut wharf_process) -> wharf_status {
    export!(wharf_process_free, {
        let entry = living::remove_process(process)?;
        entry.process.exit(crate::term::Term::atom("normal"));
        Ok(())
    })
}

/// The identity of a process; 0 inside for NULL and for one that was freed.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_pid(process: *const wharf_process) -> wharf_pid {
    export!(wharf_process_pid, |_| wharf_pid { id: 0 }, {
        let pid = living::process(process)?.process.pid();
        Ok(wharf_pid { id: pid.number() })
    })
}

/// The host of a process, which belongs to whoever has made it. NULL is a failure: the process is
/// NULL or was freed.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_host(process: *const wharf_process) -> *mut wharf_host {
    export!(wharf_process_host, |_| std::ptr::null_mut(), {
        Ok(living::process(process)?.host())
    })
}

/// Whether exit signals become messages from now on (`{'EXIT', From, Reason}`) instead of ending
/// the process. Off at first.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_trap_exit(
    process: *const wharf_process,
    trap: bool,
) -> wharf_status {
    export!(wharf_process_trap_exit, {
        living::process(process)?.process.set_trap_exit(trap);
        Ok(())
    })
}

/// How many messages wait. `(size_t)-1` is a failure: NULL, or freed.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_messages_count(process: *const wharf_process) -> usize {
    export!(wharf_process_messages_count, |_| usize::MAX, {
        Ok(living::process(process)?.process.messages_waiting())
    })
}

/// A descriptor for the program's own event loop: `poll` says that it is readable when a message waits for
/// the process, also one that a selective receive has left, and once the process has ended. Then receive
/// with a timeout of 0 until there is none; now and then there is none to begin with. -1 is a failure: the
/// process is NULL or was freed, or there can be no more descriptors.
///
/// The descriptor belongs to the process: do not read, write or close it. It is closed when the process is
/// freed, by `wharf_process_free` or `wharf_host_free`, so take it out of the loop before. Each call gives
/// the same one. By edge (`EPOLLET`) it tells that a first message has come, and is quiet until all were
/// received.
///
/// A process whose descriptor nobody asked for pays nothing for it. While the program waits in its loop, a
/// thread of the library waits for programs, drivers and timers.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_fd(process: *const wharf_process) -> i32 {
    export!(wharf_process_fd, |_| -1, {
        let entry = living::process(process)?;
        let descriptor = entry.process.descriptor();
        let descriptor = descriptor.map_err(|error| {
            let text = format!("there is no descriptor for the process: {error}");
            Fault::new(WHARF_STATUS_REFUSED, text)
        })?;
        Ok(descriptor.as_raw_fd())
    })
}

/// Whether a process has ended, and why: the reason is written to `*reason`, which may be NULL where it is
/// not wanted.
///
/// The reason belongs to the caller, who frees it with `wharf_term_free`. `*reason` is written when the
/// answer is `WHARF_STATUS_EXITED` only.
///
/// - `WHARF_STATUS_OK`: it lives.
/// - `WHARF_STATUS_EXITED`: it has ended.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_exited(
    process: *const wharf_process,
    reason: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_process_exited, {
        match living::process(process)?.process.exited() {
            None => Ok(()),
            Some(fate) => {
                // SAFETY: C's promise.
                unsafe { hand_over(reason, fate.clone()) };
                Err(Exited { reason: fate }.into())
            }
        }
    })
}

/// Ends a process for a reason, which is Erlang text, for example `normal` or `{shutdown, 3}`: its ports
/// are closed, and links and monitors are told the reason. It is still to be freed. One that has ended
/// already stays as it is.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_SYNTAX`: the reason is not a term.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_process_end(
    process: *const wharf_process,
    reason: *const c_char,
) -> wharf_status {
    export!(wharf_process_end, {
        let entry = living::process(process)?;
        // SAFETY: C's promise.
        let reason = unsafe { argument::term_text("reason", reason) }?;
        entry.process.exit(reason);
        Ok(())
    })
}

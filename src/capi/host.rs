//! Hosts: small worlds of processes and ports.

use std::ffi::c_char;
use std::path::PathBuf;

use super::living;
use super::port::wharf_port;
use super::process::wharf_pid;
use super::status::{Fault, wharf_status};
use super::term::{hand_over, wharf_term};
use super::{argument, export};
use crate::ffi::pointer;
use crate::host::{Host, Leftover};
use crate::term::{Atom, Pid};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use wharf_status::*;

/// A host: a small world of processes, ports and drivers. Any number can live in a program, and
/// they do not see each other.
///
/// Made by `wharf_host_new`, ended by `wharf_host_free`. All threads may use it. The pointer names
/// the host and does not point to memory; after `wharf_host_free` every function that is given
/// it, or a process of that host, answers `WHARF_STATUS_FREED`.
#[allow(non_camel_case_types)]
pub struct wharf_host {
    _opaque: [u8; 0],
}

/// Settings of a host, for `wharf_host_new`. Fill it with zeros first: 0 and NULL mean what is
/// usual.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wharf_host_settings {
    /// How many ports may be open at once: usually 65,536. One more is `WHARF_STATUS_LIMIT`.
    pub ports_max: usize,
    /// How many messages may wait for one process: usually any number. A process that gets one
    /// more is ended.
    pub messages_max: usize,
    /// How many threads serve `driver_async`: usually 1, at most 1024.
    pub async_threads: usize,
    /// How many threads may run ports whose callers did not run them themselves: usually one per
    /// processor, and at least two.
    pub work_threads: usize,
    /// Folders, separated by `:`, where `{spawn_driver, Name}` finds `Name.so` that nobody has
    /// loaded: usually none. Read during `wharf_host_new` only.
    pub driver_path: *const c_char,
    /// Whether binaries that drivers allocate are not noted, so that `wharf_host_free` cannot name those
    /// that nobody has freed. Usually they are, which makes each `driver_alloc_binary` a little slower.
    pub binaries_unnoted: bool,
    /// For later versions: zeros.
    pub reserved: [usize; 8],
}

/// Makes a host, with a copy of the environment that the program has now. `settings` may be NULL;
/// it is read during the call only.
///
/// The host belongs to the caller, who ends it with `wharf_host_free`. NULL is a failure, about
/// which `wharf_error_text` says more: the kernel gives no descriptors for watching others, or
/// `reserved` is not zero. No signal handler is installed and no thread is started before there is
/// something for it to do.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_new(settings: *const wharf_host_settings) -> *mut wharf_host {
    export!(wharf_host_new, |_| std::ptr::null_mut(), {
        let mut builder = Host::builder().note_binaries(true);
        // SAFETY: C's promise.
        if let Some(settings) = unsafe { pointer::load(settings) } {
            if settings.reserved != [0; 8] {
                return Err(Fault::new(
                    WHARF_STATUS_BADARG,
                    "the settings have a part that is not zero and that this version does not know",
                ));
            }
            if settings.ports_max > 0 {
                builder = builder.ports_max(settings.ports_max);
            }
            if settings.messages_max > 0 {
                builder = builder.messages_max(settings.messages_max);
            }
            if settings.async_threads > 0 {
                builder = builder.async_threads(settings.async_threads);
            }
            if settings.work_threads > 0 {
                builder = builder.work_threads(settings.work_threads);
            }
            builder = builder.note_binaries(!settings.binaries_unnoted);
            // SAFETY: C's promise.
            if let Some(path) = unsafe { pointer::string(settings.driver_path) } {
                let folders = path.to_bytes().split(|byte| *byte == b':');
                for folder in folders.filter(|folder| !folder.is_empty()) {
                    builder = builder.driver_path(PathBuf::from(OsStr::from_bytes(folder)));
                }
            }
        }
        let host = builder.build();
        let host = host.map_err(|error| Fault::new(WHARF_STATUS_REFUSED, error.to_string()))?;
        living::enter_host(host)
    })
}

/// What was left behind, by kinds. See `wharf_host_left`.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct wharf_leftovers {
    /// How much of everything, the bytes aside.
    pub all: usize,
    /// Ports that are open, or still closing.
    pub ports: usize,
    /// Descriptors that ports of drivers have selected.
    pub descriptors: usize,
    /// Timers that ports of drivers have set, and messages that are to be sent later.
    pub timers: usize,
    /// Monitors that have not told anything yet.
    pub monitors: usize,
    /// Jobs of `driver_async` that wait or run.
    pub jobs: usize,
    /// Threads that drivers have made and nobody has joined.
    pub threads: usize,
    /// Binaries that drivers have allocated and nobody has freed.
    pub binaries: usize,
    /// How many bytes those have.
    pub binary_bytes: usize,
    /// For later versions: zeros.
    pub reserved: [usize; 7],
}

/// Counts what was left, by kinds.
fn count(left: &[Leftover]) -> wharf_leftovers {
    let mut counts = wharf_leftovers {
        all: left.len(),
        ..wharf_leftovers::default()
    };
    for one in left {
        match one {
            Leftover::Port { .. } => counts.ports += 1,
            Leftover::Descriptor { .. } => counts.descriptors += 1,
            Leftover::Timer { .. } | Leftover::Message { .. } => counts.timers += 1,
            Leftover::Monitor { .. } => counts.monitors += 1,
            Leftover::Job => counts.jobs += 1,
            Leftover::Thread { .. } => counts.threads += 1,
            Leftover::Binary { bytes, .. } => {
                counts.binaries += 1;
                counts.binary_bytes += bytes;
            }
        }
    }
    counts
}

/// Writes the counts, and what there is to say.
///
/// # Safety
/// If not NULL, `place` can be written.
unsafe fn tell(left: &[Leftover], place: *mut wharf_leftovers) -> Result<(), Fault> {
    // SAFETY: the caller's promise.
    unsafe { pointer::store(place, count(left)) };
    if left.is_empty() {
        return Ok(());
    }
    let lines = left.iter().map(|one| format!("left behind: {one}"));
    let text = lines.collect::<Vec<_>>().join("\n");
    Err(Fault::new(WHARF_STATUS_LEFT, text))
}

/// What a host would leave behind if it ended now: ports, what their drivers have selected, set and
/// started, monitors, delayed messages, and binaries that drivers have allocated and nobody has freed, with
/// their size and whose callback allocated them. The numbers are written to `*left`, which may be NULL, and
/// `wharf_error_text` has a line for each. Drivers may yet free some, when their ports end or they are
/// unloaded; `wharf_host_end` tells what was left after that.
///
/// - `WHARF_STATUS_OK`: nothing.
/// - `WHARF_STATUS_LEFT`: something; `*left` is written, too.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this, but no driver from its own callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_left(
    host: *const wharf_host,
    left: *mut wharf_leftovers,
) -> wharf_status {
    export!(wharf_host_left, {
        let found = living::host(host)?.host.leftovers();
        // SAFETY: C's promise.
        unsafe { tell(&found, left) }
    })
}

/// Ends a host: its processes end, its ports are closed without waiting for output that nobody
/// reads, its drivers are unloaded. `host` and every `wharf_process` of it are freed by this.
///
/// - `WHARF_STATUS_OK`: nothing of it was left.
/// - `WHARF_STATUS_LEFT`: it has ended all the same, and something was left behind that somebody should
///   have put away; `wharf_error_text` has a line for each. Ports, descriptors, timers, monitors and jobs
///   count when they were there at the beginning, binaries and threads of drivers when they are there at
///   the end. For a test this is a mistake; a program may ignore it.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`: nothing was done.
///
/// Any thread may call this, but no driver from its own callback. Threads that wait in a function of the
/// host's processes come back with `WHARF_STATUS_EXITED`; a driver whose callback one of them is in is
/// unloaded when that has returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_free(host: *mut wharf_host) -> wharf_status {
    export!(wharf_host_free, {
        // SAFETY: NULL is fine.
        unsafe { end(host, std::ptr::null_mut()) }
    })
}

/// Ends and frees a host as `wharf_host_free` does, and writes the numbers of what was left behind to
/// `*left`, which may be NULL.
///
/// - `WHARF_STATUS_OK`, `WHARF_STATUS_LEFT`: as of `wharf_host_free`; `*left` is written.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`: nothing was done.
///
/// Any thread may call this, but no driver from its own callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_end(
    host: *mut wharf_host,
    left: *mut wharf_leftovers,
) -> wharf_status {
    export!(wharf_host_end, {
        // SAFETY: C's promise.
        unsafe { end(host, left) }
    })
}

/// # Safety
/// If not NULL, `left` can be written.
unsafe fn end(host: *mut wharf_host, left: *mut wharf_leftovers) -> Result<(), Fault> {
    let (entry, processes) = living::remove_host(host)?;
    let ended = entry.host.clone().end();
    // With the last handles the drivers go.
    drop((processes, entry));
    // SAFETY: the caller's promise.
    unsafe { tell(&ended.leftovers(), left) }
}

/// How many ports the host has, those included that are still closing. `(size_t)-1` is a failure:
/// NULL, or freed.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_ports_count(host: *const wharf_host) -> usize {
    export!(wharf_host_ports_count, |_| usize::MAX, {
        Ok(living::host(host)?.host.ports().len())
    })
}

/// Closes all ports of the host as the end of an Erlang node does: output that was taken is written
/// before a port ends. Waits up to `timeout_ms` for that.
///
/// - `WHARF_STATUS_OK`: no port is left.
/// - `WHARF_STATUS_TIMEOUT`: some have not taken their output yet; ask again to wait on.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`.
///
/// Any thread may call this, but no driver from its own callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_close_ports(
    host: *const wharf_host,
    timeout_ms: i64,
) -> wharf_status {
    export!(wharf_host_close_ports, {
        let entry = living::host(host)?;
        let timeout = argument::timeout(timeout_ms).unwrap_or(std::time::Duration::MAX);
        let left = entry.host.close_ports(timeout);
        match left.len() {
            0 => Ok(()),
            n => Err(Fault::new(
                WHARF_STATUS_TIMEOUT,
                format!("{n} ports have not taken their output yet"),
            )),
        }
    })
}

/// Lists the ports of a host, those that are closing included: up to `max` of them are written to
/// `ports`. The answer is how many there are, which may be more than `max`; `(size_t)-1` is a failure: the
/// host is NULL or was freed, or `ports` is NULL and `max` is not 0.
///
/// Any thread may call this; ports come and go meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_ports(
    host: *const wharf_host,
    ports: *mut wharf_port,
    max: usize,
) -> usize {
    export!(wharf_host_ports, |_| usize::MAX, {
        let all = living::host(host)?.host.ports();
        if max > 0 {
            argument::place("ports", ports)?;
        }
        for (at, id) in all.iter().enumerate().take(max) {
            // SAFETY: C promises room for `max` ports.
            unsafe { pointer::store(ports.add(at), wharf_port { id: id.number() }) };
        }
        Ok(all.len())
    })
}

/// Lists the processes of a host: up to `max` of them are written to `pids`. The answer is how many there
/// are, which may be more than `max`; `(size_t)-1` is a failure: the host is NULL or was freed, or `pids`
/// is NULL and `max` is not 0. Among them is one of the host's own once `wharf_driver_load` was used.
///
/// Any thread may call this; processes come and go meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_processes(
    host: *const wharf_host,
    pids: *mut wharf_pid,
    max: usize,
) -> usize {
    export!(wharf_host_processes, |_| usize::MAX, {
        let all = living::host(host)?.host.processes();
        if max > 0 {
            argument::place("pids", pids)?;
        }
        for (at, pid) in all.iter().enumerate().take(max) {
            // SAFETY: C promises room for `max` identities.
            unsafe { pointer::store(pids.add(at), wharf_pid { id: pid.number() }) };
        }
        Ok(all.len())
    })
}

/// Whether there is such a process in this host, and it has not ended. False for NULL and for a host that
/// was freed.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_is_alive(host: *const wharf_host, pid: wharf_pid) -> bool {
    export!(wharf_host_is_alive, |_| false, {
        Ok(living::host(host)?.host.is_alive(Pid::from_number(pid.id)))
    })
}

/// How many ports may be open in the host at once. `(size_t)-1` is a failure: NULL, or freed.
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_ports_max(host: *const wharf_host) -> usize {
    export!(wharf_host_ports_max, |_| usize::MAX, {
        Ok(living::host(host)?.host.ports_max())
    })
}

/// One fact about a process of the host, as Erlang's `process_info(Pid, Item)`: `status`, `links`,
/// `monitors`, `monitored_by`, `message_queue_len`, `registered_name`, `trap_exit`. Only the fact is given,
/// without the item's name. With NULL for `item` all usual ones are given, as a list of pairs.
///
/// The term belongs to the caller, who frees it with `wharf_term_free`. `*fact` is written on success
/// only.
///
/// - `WHARF_STATUS_OK`
/// - `WHARF_STATUS_NOTFOUND`: there is no such item, or the process has none.
/// - `WHARF_STATUS_EXITED`: there is no such process, or it has ended.
/// - `WHARF_STATUS_SYNTAX`: the item's name is not UTF-8.
/// - `WHARF_STATUS_NULL`, `WHARF_STATUS_FREED`
///
/// Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wharf_host_process_info(
    host: *const wharf_host,
    pid: wharf_pid,
    item: *const c_char,
    fact: *mut *mut wharf_term,
) -> wharf_status {
    export!(wharf_host_process_info, {
        let entry = living::host(host)?;
        let place = argument::place("fact", fact)?;
        let pid = Pid::from_number(pid.id);
        if !entry.host.is_alive(pid) {
            let text = format!("there is no process {pid} in this host");
            return Err(Fault::new(WHARF_STATUS_EXITED, text));
        }
        let found = match item.is_null() {
            true => entry.host.process_facts(pid),
            false => {
                // SAFETY: C's promise.
                let item = unsafe { argument::utf8("item", item) }?;
                let fact = Atom::existing(item).and_then(|item| entry.host.process_info(pid, item));
                fact.and_then(|fact| fact.as_tuple()?.last().cloned())
            }
        };
        let found = found.ok_or_else(|| {
            let text = format!("{pid} has no such fact");
            Fault::new(WHARF_STATUS_NOTFOUND, text)
        })?;
        // SAFETY: not NULL; the rest is C's promise.
        unsafe { hand_over(place, found) };
        Ok(())
    })
}

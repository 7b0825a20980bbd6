//! What C holds by a pointer and what may end by itself: hosts and processes.
//!
//! The pointer is a number in disguise, looked up in a table on every use, and no number is used
//! twice. So one that was freed, or never given out, finds nothing; C cannot tell, since the types
//! are opaque. Values that only C uses (terms, messages, options) are plain memory.

use std::sync::{Arc, OnceLock};

use super::host::wharf_host;
use super::process::wharf_process;
use super::recent;
use super::status::Fault;
use super::status::wharf_status::*;
use crate::host::{Host, Process};
use crate::table::Table;

/// A host as C holds it.
pub(super) struct HostEntry {
    pub(super) host: Host,
    /// In whose name drivers are loaded for the whole host.
    loader: OnceLock<Process>,
}

impl HostEntry {
    pub(super) fn loader(&self) -> &Process {
        self.loader.get_or_init(|| self.host.process())
    }
}

/// A process as C holds it.
pub(super) struct ProcessEntry {
    pub(super) process: Process,
    number: u64,
    host: u64,
}

impl ProcessEntry {
    /// Its host, as C names it.
    pub(super) fn host(&self) -> *mut wharf_host {
        pointer(self.host, HOST)
    }
}

static HOSTS: Table<HostEntry> = Table::new();
static PROCESSES: Table<ProcessEntry> = Table::new();

/// Pointers are multiples of eight, as those of memory are; one bit tells the two kinds apart.
const KIND_BITS: u32 = 4;
const HOST: u64 = 0;
const PROCESS: u64 = 8;

fn number<P>(pointer: *const P, kind: u64) -> Option<u64> {
    let address = u64::try_from(pointer.addr()).ok()?;
    (address & ((1 << KIND_BITS) - 1) == kind).then_some(address >> KIND_BITS)
}

fn pointer<P>(number: u64, kind: u64) -> *mut P {
    let address = usize::try_from(number << KIND_BITS | kind).unwrap_or(0);
    std::ptr::without_provenance_mut(address)
}

fn found<P, T>(pointer: *const P, what: &str, found: Option<T>) -> Result<T, Fault> {
    found.ok_or_else(|| match pointer.is_null() {
        true => Fault::new(WHARF_STATUS_NULL, format!("the {what} is NULL")),
        false => {
            let text = format!("the {what} was freed, or never was one");
            Fault::new(WHARF_STATUS_FREED, text)
        }
    })
}

fn full(what: &str) -> Fault {
    let text = format!("there are 16,777,215 {what} already");
    Fault::new(WHARF_STATUS_LIMIT, text)
}

pub(super) fn enter_host(host: Host) -> Result<*mut wharf_host, Fault> {
    let mut given = 0;
    let entered = HOSTS.insert(|number| {
        given = number;
        let loader = OnceLock::new();
        Some(Arc::new(HostEntry { host, loader }))
    });
    let entered = entered.map(|_| pointer(given, HOST));
    entered.ok_or_else(|| full("hosts"))
}

/// Makes a process of the host that C names.
pub(super) fn enter_process(of: *const wharf_host) -> Result<*mut wharf_process, Fault> {
    let process = host(of)?.host.process();
    let host_number = number(of, HOST).unwrap_or(0);
    let entered = PROCESSES.insert(|number| {
        Some(Arc::new(ProcessEntry {
            process,
            number,
            host: host_number,
        }))
    });
    let entered = entered.ok_or_else(|| full("processes"))?;
    // The host may be freed at the same time, by somebody who did not see this process yet.
    host(of).inspect_err(|_| drop(PROCESSES.remove(entered.number)))?;
    Ok(pointer(entered.number, PROCESS))
}

/// The host that C names.
pub(super) fn host(named: *const wharf_host) -> Result<Arc<HostEntry>, Fault> {
    found(
        named,
        "host",
        number(named, HOST).and_then(|number| HOSTS.get(number)),
    )
}

/// The process that C names.
#[inline]
pub(super) fn process(named: *const wharf_process) -> Result<Arc<ProcessEntry>, Fault> {
    let entry = number(named, PROCESS).and_then(|number| PROCESSES.get(number));
    found(named, "process", entry)
}

/// Takes a host out, and all of its processes.
pub(super) fn remove_host(
    named: *const wharf_host,
) -> Result<(Arc<HostEntry>, Vec<Arc<ProcessEntry>>), Fault> {
    let host_number = number(named, HOST);
    let entry = found(
        named,
        "host",
        host_number.and_then(|number| HOSTS.remove(number)),
    )?;
    let all = PROCESSES.all().into_iter();
    let mine = all.filter(|process| Some(process.host) == host_number);
    let removed = mine.filter_map(|process| PROCESSES.remove(process.number));
    let removed = removed.collect();
    recent::forget_all();
    Ok((entry, removed))
}

/// Takes a process out.
pub(super) fn remove_process(named: *const wharf_process) -> Result<Arc<ProcessEntry>, Fault> {
    let entry = found(named, "process", take_out(named))?;
    recent::forget_all();
    Ok(entry)
}

/// The same, and threads that have used it may still find it.
pub(super) fn take_out(named: *const wharf_process) -> Option<Arc<ProcessEntry>> {
    number(named, PROCESS).and_then(|number| PROCESSES.remove(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_good_for_one_host_and_never_for_a_process() {
        let one = enter_host(Host::new().expect("a host")).expect("room");
        let process = enter_process(one).expect("room");
        assert!(host(process.cast()).is_err());
        assert!(self::process(one.cast()).is_err());
        assert!(host(one.wrapping_byte_add(1)).is_err());
        remove_host(one).expect("there");
        let status = |fault: Fault| fault.status;
        assert_eq!(
            self::process(process).map(drop).map_err(status),
            Err(WHARF_STATUS_FREED)
        );
        assert_eq!(host(one).map(drop).map_err(status), Err(WHARF_STATUS_FREED));
        assert_eq!(enter_process(one).map_err(status), Err(WHARF_STATUS_FREED));
        let null = self::process(std::ptr::null()).map(drop);
        assert_eq!(null.map_err(status), Err(WHARF_STATUS_NULL));
    }
}

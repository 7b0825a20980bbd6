//! What drivers hold that Erlang would not miss: for people who test a driver and ask what it
//! leaves behind.
//!
//! Binaries of `driver_alloc_binary` are noted only while a host keeps a ledger, by the host and
//! driver whose code allocated them. Threads are always noted, by `abi::thread`. What a port holds is
//! asked of the port.
//!
//! Relies on the mark of a [`Counted`], by which the end of one that was noted is seen at the price of a
//! branch. Promises that nothing is noted, and nothing looked up, while no host keeps a ledger.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Once, Weak};
use std::time::Duration;

use super::instance::Instance;
use super::{callback, context};
use crate::lock::Lock;
use crate::port::Port;
use crate::port::variables::Variables;
use crate::runtime::turn::OnTurn;
use crate::term::{Counted, on_end_of_marked};

/// A binary that a driver has allocated and nobody has freed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldBinary {
    pub(crate) bytes: usize,
    /// `None` when it was allocated outside the callbacks of a port.
    pub(crate) driver: Option<String>,
}

/// What a port of a driver holds.
#[derive(Debug, Default)]
pub(crate) struct HeldByPort {
    pub(crate) descriptors: Vec<RawFd>,
    pub(crate) timer: Option<Duration>,
}

/// A host is known by its variables; a weak pointer keeps the address from being used again.
type HostMark = Weak<Variables>;

struct Entry {
    host: HostMark,
    binary: HeldBinary,
}

/// How many hosts keep a ledger.
static KEEPERS: AtomicUsize = AtomicUsize::new(0);
static BOOK: LazyLock<Lock<Book>> = LazyLock::new(|| Lock::new(Book::default()));

#[derive(Default)]
struct Book {
    keepers: Vec<HostMark>,
    /// By the address of the binary.
    binaries: HashMap<usize, Entry>,
}

/// The ledger of one host, kept until this is dropped.
pub(crate) struct Ledger {
    host: HostMark,
}

impl Ledger {
    /// Begins to note what the drivers of the host with these variables allocate.
    pub(crate) fn keep(variables: &Arc<Variables>) -> Ledger {
        static TOLD: Once = Once::new();
        TOLD.call_once(|| on_end_of_marked(binary_ended));
        let host = Arc::downgrade(variables);
        BOOK.lock().keepers.push(Weak::clone(&host));
        KEEPERS.fetch_add(1, Ordering::Relaxed);
        Ledger { host }
    }

    /// The binaries that were not freed, the largest first.
    pub(crate) fn binaries(&self) -> Vec<HeldBinary> {
        let book = BOOK.lock();
        let mine = book
            .binaries
            .values()
            .filter(|entry| entry.host.ptr_eq(&self.host));
        let mut held: Vec<HeldBinary> = mine.map(|entry| entry.binary.clone()).collect();
        drop(book);
        held.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.driver.cmp(&b.driver)));
        held
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        KEEPERS.fetch_sub(1, Ordering::Relaxed);
        let mut book = BOOK.lock();
        book.keepers.retain(|keeper| !keeper.ptr_eq(&self.host));
        book.binaries
            .retain(|_, entry| !entry.host.ptr_eq(&self.host));
    }
}

/// Notes a binary that a driver has allocated, before it sees it.
#[inline]
pub(super) fn binary_allocated(counted: &mut Counted) {
    if KEEPERS.load(Ordering::Relaxed) != 0 {
        note(counted);
    }
}

#[cold]
fn note(counted: &mut Counted) {
    let Some(variables) = context::variables() else {
        return;
    };
    let host = Arc::downgrade(&variables);
    let driver = callback::driver();
    let binary = HeldBinary {
        bytes: counted.len(),
        driver,
    };
    let mut book = BOOK.lock();
    if book.keepers.iter().any(|keeper| keeper.ptr_eq(&host)) {
        counted.mark();
        let address = counted.as_raw().addr().get();
        book.binaries.insert(address, Entry { host, binary });
    }
}

/// The last holder of a binary that was noted has gone; its memory is about to be freed.
fn binary_ended(address: usize) {
    let entry = BOOK.lock().binaries.remove(&address);
    drop(entry);
}

/// What a port holds, if it is one of a driver.
pub(crate) fn held_by_port(on: &mut OnTurn<'_>, port: &Port) -> HeldByPort {
    match port.transport_as::<Instance>() {
        Some(instance) => instance.held(on),
        None => HeldByPort::default(),
    }
}

//! What a process holds: descriptors, children, threads, and every byte that Rust code allocated.
#![allow(unsafe_code)] // an allocator that counts

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicIsize, Ordering};

/// The system's allocator, with the number of bytes in use.
struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

fn count(bytes: usize, sign: isize) {
    LIVE.fetch_add(
        sign * isize::try_from(bytes).unwrap_or(0),
        Ordering::Relaxed,
    );
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(layout.size(), -1);
        count(size, 1);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that Rust code has allocated and not given back.
pub(crate) fn live_bytes() -> isize {
    LIVE.load(Ordering::Relaxed)
}

/// Kilobytes of memory that are in use, whoever allocated them.
pub(crate) fn resident_kb() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Descriptors, children and threads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Books {
    descriptors: BTreeMap<String, usize>,
    children: Vec<String>,
    threads: BTreeMap<String, usize>,
}

impl Books {
    #[allow(dead_code)] // each test file uses its part
    pub(crate) fn has_thread(&self, name: &str) -> bool {
        self.threads.keys().any(|known| known.trim_end() == name)
    }

    pub(crate) fn now() -> Books {
        let mut books = Books {
            descriptors: BTreeMap::new(),
            children: Vec::new(),
            threads: BTreeMap::new(),
        };
        for entry in fs::read_dir("/proc/self/fd").unwrap().flatten() {
            let link = fs::read_link(entry.path()).unwrap_or_default();
            // The number of a pipe or a socket is another one each time.
            let link = link.display().to_string();
            let kind = link.split_once(':').map_or(&*link, |(kind, _)| kind);
            *books.descriptors.entry(kind.to_owned()).or_default() += 1;
        }
        for entry in fs::read_dir("/proc/self/task").unwrap().flatten() {
            // A thread may end while it is looked at.
            let Ok(name) = fs::read_to_string(entry.path().join("comm")) else {
                continue;
            };
            *books.threads.entry(name).or_default() += 1;
            // Children that have ended and were not waited for are listed as well.
            let children = fs::read_to_string(entry.path().join("children")).unwrap_or_default();
            books
                .children
                .extend(children.split_whitespace().map(str::to_owned));
        }
        books.children.sort();
        books
    }
}

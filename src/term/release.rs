//! Lets go of nested terms without using stack for every level.
//!
//! Containers (tuples, list cells, maps, funs) hand their counted body to [`release`] when they
//! are dropped. The first levels are dropped as usual; what lies deeper waits in a list of its
//! own until the outermost drop of this thread is done with the upper levels.
#![forbid(unsafe_code)]

use super::list::{Cell, drop_cells};
use super::map::Entries;
use super::{FunObject, Term, stock};
use std::cell::{Cell as Slot, RefCell};
use std::sync::Arc;

/// Levels dropped by plain recursion: enough for nearly all terms, little enough for any stack.
const DEPTH_MAX: u32 = 48;

/// The body of a container, about to lose one holder.
pub(super) enum Body {
    Tuple(Arc<[Term]>),
    Cell(Arc<Cell>),
    Map(Arc<Entries>),
    Fun(Arc<dyn FunObject>),
}

impl Body {
    fn drop_now(self) {
        match self {
            Body::Tuple(elements) => drop_tuple(elements),
            Body::Cell(cell) => drop_cells(cell),
            Body::Map(entries) => drop(entries),
            Body::Fun(object) => drop(object),
        }
    }
}

fn drop_tuple(mut elements: Arc<[Term]>) {
    if stock::wants(elements.len())
        && let Some(places) = Arc::get_mut(&mut elements)
    {
        places.fill_with(Term::default);
        stock::put(elements);
    }
}

/// Where a thread is with dropping.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// Levels that are being dropped by recursion.
    depth: u32,
    /// Bodies that wait in `LATER`.
    waiting: usize,
}

thread_local! {
    static PROGRESS: Slot<Progress> = const { Slot::new(Progress { depth: 0, waiting: 0 }) };
    static LATER: RefCell<Vec<Body>> = const { RefCell::new(Vec::new()) };
}

/// Drops `body`, and whatever that sets free, in bounded stack.
pub(super) fn release(body: Body) {
    let before = PROGRESS.get();
    if before.depth < DEPTH_MAX {
        PROGRESS.set(Progress {
            depth: before.depth + 1,
            ..before
        });
        body.drop_now();
        if before.depth == 0 {
            drop_waiting();
        }
        PROGRESS.set(Progress {
            depth: before.depth,
            ..PROGRESS.get()
        });
        return;
    }
    let mut body = Some(body);
    // A thread that is ending may have lost its list already; plain recursion is left then.
    if LATER
        .try_with(|later| later.borrow_mut().extend(body.take()))
        .is_ok()
    {
        PROGRESS.set(Progress {
            waiting: before.waiting + 1,
            ..before
        });
    }
}

/// Drops what waits, and what that adds to it, until nothing does.
fn drop_waiting() {
    loop {
        let progress = PROGRESS.get();
        if progress.waiting == 0 {
            return;
        }
        PROGRESS.set(Progress {
            waiting: progress.waiting - 1,
            ..progress
        });
        if let Ok(Some(body)) = LATER.try_with(|later| later.borrow_mut().pop()) {
            body.drop_now();
        }
    }
}

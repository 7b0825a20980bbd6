//! Lets go of nested terms without using stack for every level.
//!
//! Containers (tuples, list cells, maps, funs) hand their counted body to [`release`] when they
//! are dropped. The first levels are dropped as usual; what lies deeper waits in a list of its
//! own until the outermost drop of this thread is done with the upper levels.
#![forbid(unsafe_code)]

use super::{FunObject, Term, list::Cell, map::Entries};
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
            Body::Tuple(elements) => drop(elements),
            Body::Cell(cell) => drop(cell),
            Body::Map(entries) => drop(entries),
            Body::Fun(object) => drop(object),
        }
    }
}

thread_local! {
    static DEPTH: Slot<u32> = const { Slot::new(0) };
    static WAITING: Slot<usize> = const { Slot::new(0) };
    static LATER: RefCell<Vec<Body>> = const { RefCell::new(Vec::new()) };
}

/// Drops `body`, and whatever that sets free, in bounded stack.
pub(super) fn release(body: Body) {
    let depth = DEPTH.get();
    if depth >= DEPTH_MAX {
        // A thread that is ending may have lost its list already; plain recursion is left then.
        let mut body = Some(body);
        let put_off = LATER.try_with(|later| later.borrow_mut().extend(body.take()));
        if put_off.is_ok() {
            WAITING.set(WAITING.get() + 1);
        }
        return;
    }
    DEPTH.set(depth + 1);
    body.drop_now();
    if depth == 0 {
        while WAITING.get() > 0 {
            let next = LATER.try_with(|later| later.borrow_mut().pop());
            WAITING.set(WAITING.get() - 1);
            if let Ok(Some(body)) = next {
                body.drop_now();
            }
        }
    }
    DEPTH.set(depth);
}

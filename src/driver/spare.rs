//! A counted allocation that each thread keeps for the next short command to `outputv`.
//!
//! A driver with `outputv` gets every byte in a binary that it may keep. Mostly it does not; then the
//! allocation serves again.
#![forbid(unsafe_code)]

use std::cell::Cell;

use crate::term::{Binary, Counted};

thread_local! {
    static SPARE: Cell<Option<Counted>> = const { Cell::new(None) };
}

/// Runs `f` with a counted copy of at most [`Binary::SMALL_MAX`] bytes; with `None` when there is no
/// memory for it.
#[inline]
pub(super) fn with_copy<R>(bytes: &[u8], f: impl FnOnce(Option<&Binary>) -> R) -> R {
    // A thread at its end has none.
    let spare = SPARE.try_with(Cell::take).ok().flatten();
    let spare = spare.or_else(|| Counted::alloc(Binary::SMALL_MAX));
    let Some(copy) = spare.and_then(|mut spare| {
        spare.refill(bytes)?;
        Some(Binary::from(spare))
    }) else {
        return f(None);
    };
    let result = f(Some(&copy));
    if let Some(spare) = copy.into_sole() {
        // One that was put there meanwhile, by a command within the command, goes.
        let _ = SPARE.try_with(|place| place.set(Some(spare)));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start_of(binary: &Binary) -> *const u8 {
        binary.as_ptr()
    }

    #[test]
    fn it_serves_again_unless_it_was_kept() {
        let first = with_copy(b"first", |copy| start_of(copy.unwrap()));
        let kept = with_copy(b"second", |copy| {
            let copy = copy.unwrap();
            assert_eq!((start_of(copy), &copy[..]), (first, &b"second"[..]));
            copy.clone()
        });
        with_copy(b"third", |copy| {
            let copy = copy.unwrap();
            assert_ne!(start_of(copy), first);
            with_copy(b"within", |within| {
                assert_eq!(&within.unwrap()[..], b"within")
            });
            assert_eq!(&copy[..], b"third");
        });
        assert_eq!(&kept[..], b"second");
    }
}

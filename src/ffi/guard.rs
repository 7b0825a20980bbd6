//! Stops a panic at the border.
//!
//! A panic that ran on into C would end the process. [`run`] turns it into a value instead, so
//! that the exported function can return its failure value and the panic can be dealt with once
//! control is back in Rust.
#![forbid(unsafe_code)]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A panic that was caught, with its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Panic(pub(crate) String);

/// Runs a body, and catches its panic.
///
/// What the body had its hands on may be half-changed after a panic; the caller gives up the
/// port that was being served, so nobody looks at it again.
#[inline]
pub(crate) fn run<R>(body: impl FnOnce() -> R) -> Result<R, Panic> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| Panic(message(&*payload)))
}

#[cold]
fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_pass_and_panics_become_values() {
        assert_eq!(run(|| 5), Ok(5));
        let text = "formatted";
        assert_eq!(
            run(|| -> i32 { panic!("a {text} one") }),
            Err(Panic("a formatted one".into()))
        );
        assert_eq!(
            run(|| -> i32 { panic!("plain") }),
            Err(Panic("plain".into()))
        );
    }
}

//! How long a thread looks out for events before it sleeps in the kernel.
//!
//! To be woken costs more than most programs take for an answer, above all where two processors are
//! concerned. So a thread looks out for twice as long as the last event took to come, if that was
//! soon, and not at all where it was not. Between the looks it lets others run, who may be those that
//! bring the event. Where they do not give the processor back soon, it sleeps the next times instead:
//! the kernel then wakes it before them.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicI64, Ordering};

use crate::os::clock;

/// An event that takes longer is not looked out for.
const SPAN_MAX_NS: i64 = 100_000;
/// Shorter ones are not worth a look.
const SPAN_MIN_NS: i64 = 2_000;
/// After others have kept the processor, there is no vigil for so long; each time twice as long, up to a limit.
const REST_MIN_NS: i64 = 10_000_000;
const REST_MAX_NS: i64 = 2_000_000_000;

/// See the file's text. Used by one thread at a time.
pub(super) struct Vigil {
    span_ns: AtomicI64,
    rest_ns: AtomicI64,
    rests_until_ns: AtomicI64,
}

impl Vigil {
    pub(super) fn new() -> Vigil {
        Vigil {
            span_ns: AtomicI64::new(0),
            rest_ns: AtomicI64::new(REST_MIN_NS),
            rests_until_ns: AtomicI64::new(0),
        }
    }

    /// Looks out, from now on, whether `there` holds.
    pub(super) fn keep(&self, began_ns: i64, mut there: impl FnMut() -> bool) -> bool {
        let span_ns = self.span_ns.load(Ordering::Relaxed);
        if span_ns < SPAN_MIN_NS || began_ns < self.rests_until_ns.load(Ordering::Relaxed) {
            return false;
        }
        let mut now_ns = began_ns;
        while now_ns - began_ns < span_ns {
            if there() {
                return true;
            }
            let before_ns = clock::monotonic_ns();
            std::thread::yield_now();
            now_ns = clock::monotonic_ns();
            if now_ns - before_ns > SPAN_MAX_NS {
                self.rest(now_ns);
                break;
            }
        }
        there()
    }

    #[cold]
    fn rest(&self, now_ns: i64) {
        let rest_ns = self.rest_ns.load(Ordering::Relaxed);
        self.rests_until_ns
            .store(now_ns + rest_ns, Ordering::Relaxed);
        self.rest_ns
            .store((2 * rest_ns).min(REST_MAX_NS), Ordering::Relaxed);
    }

    /// An event has come that was waited for since then.
    pub(super) fn came(&self, began_ns: i64) {
        let took_ns = clock::monotonic_ns() - began_ns;
        let span_ns = match took_ns {
            ..=SPAN_MAX_NS => (2 * took_ns).clamp(SPAN_MIN_NS, SPAN_MAX_NS),
            _ => self.span_ns.load(Ordering::Relaxed) / 2,
        };
        self.span_ns.store(span_ns, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// How often `there` is asked.
    fn looks(vigil: &Vigil, comes_at: usize) -> (bool, usize) {
        let looks = Cell::new(0);
        let came = vigil.keep(clock::monotonic_ns(), || {
            looks.set(looks.get() + 1);
            looks.get() == comes_at
        });
        (came, looks.get())
    }

    #[test]
    fn it_is_kept_where_events_come_soon_and_given_up_where_they_do_not() {
        let vigil = Vigil::new();
        assert_eq!(looks(&vigil, 1), (false, 0));
        let now_ns = clock::monotonic_ns();
        vigil.came(now_ns - SPAN_MAX_NS / 4);
        assert_eq!(looks(&vigil, 1), (true, 1));
        for _ in 0..20 {
            vigil.came(clock::monotonic_ns() - 2 * SPAN_MAX_NS);
        }
        assert_eq!(looks(&vigil, 1), (false, 0));
    }

    #[test]
    fn it_rests_for_longer_each_time_that_others_have_kept_the_processor() {
        let vigil = Vigil::new();
        let mut now_ns = clock::monotonic_ns();
        let mut rest_ns = REST_MIN_NS;
        while rest_ns < 2 * REST_MAX_NS {
            vigil.came(clock::monotonic_ns());
            vigil.rest(now_ns);
            let until_ns = now_ns + rest_ns.min(REST_MAX_NS);
            assert!(!vigil.keep(until_ns - 1, || true));
            assert!(vigil.keep(until_ns, || true));
            (now_ns, rest_ns) = (until_ns, 2 * rest_ns);
        }
    }
}

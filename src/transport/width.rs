//! How much a pipe of ours holds: more than at first, once much goes through it.
//!
//! A pipe that is full makes its two sides wait for each other. The kernel gives each user only so much
//! memory for pipes (`pipe-user-pages-soft`); beyond it, the user's new pipes are as small as can be.
//! Hence a pipe grows only for a port that has shown bulk traffic, all such pipes of this process together
//! take no more than a quarter of what there is, and what the kernel refuses stays refused.
#![forbid(unsafe_code)]

use std::os::fd::AsRawFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::os::fd;

/// What has to go through a pipe that is full before it is worth being larger.
const BULK_BYTES: u32 = 512 * 1024;
/// What one to read from holds then. More would have left the processor's cache by the time it is read.
pub(super) const WIDE_IN_BYTES: usize = 512 * 1024;
/// And one to write to: as much as an ordinary user may have in one.
pub(super) const WIDE_OUT_BYTES: usize = 1 << 20;

/// What one end of a pipe knows of it, which holds so many bytes once it is wide.
#[derive(Debug, Default)]
pub(super) struct Width<const WIDE_BYTES: usize> {
    /// How many bytes found it full.
    crowded: u32,
    share: Option<Share<WIDE_BYTES>>,
}

impl<const WIDE_BYTES: usize> Width<WIDE_BYTES> {
    /// So many bytes went through while the pipe was full.
    #[inline]
    pub(super) fn crowded(&mut self, pipe: &impl AsRawFd, bytes: usize) {
        let before = self.crowded;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.crowded = before.saturating_add(bytes);
        // Tried once in a pipe's life.
        if before < BULK_BYTES && self.crowded >= BULK_BYTES {
            self.share = Share::take().filter(|_| fd::grow_pipe(pipe, WIDE_BYTES).is_ok());
        }
    }

    /// Whether it holds more than at first.
    #[inline]
    pub(super) fn is_wide(&self) -> bool {
        self.share.is_some()
    }
}

/// One wide pipe's part of what this process allows itself.
#[derive(Debug)]
struct Share<const BYTES: usize>(());

/// What all wide pipes hold.
static TAKEN_BYTES: AtomicUsize = AtomicUsize::new(0);

impl<const BYTES: usize> Share<BYTES> {
    fn take() -> Option<Share<BYTES>> {
        static MAX_BYTES: OnceLock<usize> = OnceLock::new();
        let max = *MAX_BYTES.get_or_init(|| fd::pipe_bytes_of_user() / 4);
        let more = |taken| Some(taken + BYTES).filter(|&taken| taken <= max);
        TAKEN_BYTES
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()
            .map(|_| Share(()))
    }
}

impl<const BYTES: usize> Drop for Share<BYTES> {
    fn drop(&mut self) {
        TAKEN_BYTES.fetch_sub(BYTES, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::fd::pipe;

    /// What a pipe takes before it is full.
    fn room(writer: &impl AsRawFd) -> usize {
        fd::set_nonblocking(writer, true).unwrap();
        let page = [0; 4096];
        let mut taken = 0;
        while let Ok(more) = fd::write(writer, &page) {
            taken += more;
        }
        taken
    }

    #[test]
    fn a_pipe_grows_once_much_has_gone_through_it_and_as_many_as_may() {
        let bulk = usize::try_from(BULK_BYTES).unwrap();
        let few = pipe().unwrap();
        let mut width = Width::<WIDE_OUT_BYTES>::default();
        width.crowded(&few.reader, bulk - 1);
        assert!(room(&few.writer) < WIDE_IN_BYTES && !width.is_wide());
        let max = fd::pipe_bytes_of_user() / 4 / WIDE_OUT_BYTES;
        let mut pipes = Vec::new();
        for _ in 0..max + 3 {
            let pipe = pipe().unwrap();
            let mut width = Width::<WIDE_OUT_BYTES>::default();
            width.crowded(&pipe.reader, bulk);
            width.crowded(&pipe.reader, bulk);
            pipes.push((pipe, width));
        }
        let wide = |(_, width): &&(fd::Pipe, Width<WIDE_OUT_BYTES>)| width.is_wide();
        assert!(pipes.iter().filter(wide).count() <= max);
        // The system may be short of memory for pipes, or this user have too many.
        if let Some((pipe, _)) = pipes.iter().find(wide) {
            assert!(room(&pipe.writer) >= WIDE_OUT_BYTES);
        }
        drop(pipes);
        // Other tests may have wide pipes, but not that many.
        assert!(
            max < 4 || Share::<WIDE_OUT_BYTES>::take().is_some(),
            "shares are given back"
        );
    }
}

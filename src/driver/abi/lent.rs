//! What `driver_peekq` lends out: the queue as the arrays that C expects.

use std::ffi::c_int;
use std::ptr;

use crate::driver::raw::{ErlDrvBinary, ErlIOVec, SysIOVec};
use crate::port::queue::Queue;

/// The arrays last lent. They are good until the queue changes, and stay allocated until the
/// next look at it.
#[derive(Default)]
pub(in crate::driver) struct LentQueue {
    iov: Vec<SysIOVec>,
    binv: Vec<*mut ErlDrvBinary>,
}

// SAFETY: the pointers are only handed to C, never followed here; what they point to belongs to
// the queue beside this, which moves between threads with it.
unsafe impl Send for LentQueue {}

impl LentQueue {
    /// The queue's segments as a vector for C; with NULLs when it is empty.
    pub(super) fn lend(&mut self, queue: &Queue) -> ErlIOVec {
        self.iov.clear();
        self.binv.clear();
        for segment in queue.segments() {
            self.iov.push(SysIOVec {
                iov_base: segment.as_bytes().as_ptr().cast_mut().cast(),
                iov_len: segment.len(),
            });
            let binary = segment
                .as_counted()
                .map(|(counted, _)| counted.as_raw().as_ptr());
            self.binv.push(binary.unwrap_or(ptr::null_mut()).cast());
        }
        let empty = self.iov.is_empty();
        ErlIOVec {
            vsize: c_int::try_from(self.iov.len()).unwrap_or(c_int::MAX),
            size: queue.bytes(),
            iov: if empty {
                ptr::null_mut()
            } else {
                self.iov.as_mut_ptr()
            },
            binv: if empty {
                ptr::null_mut()
            } else {
                self.binv.as_mut_ptr()
            },
        }
    }
}

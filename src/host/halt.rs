//! The end of a program: every port closes, and what was written to it goes out first.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use crate::host::Host;
use crate::port::table;
use crate::term::PortId;

/// How long one look at the ports that are still closing lasts. Their programs decide when they
/// are done; nobody is told, since whoever would be is about to end.
const LOOK: Duration = Duration::from_millis(1);

impl Host {
    /// Closes all ports as `erlang:halt/1` does: queued output is written before a port ends.
    /// Gives the ports that have not taken theirs within `timeout`; asking again waits on.
    pub fn close_ports(&self, timeout: Duration) -> Vec<PortId> {
        // Later than the clock reaches is never.
        let deadline = Instant::now().checked_add(timeout);
        loop {
            // Also those that were opened, or finished opening, since the last look.
            table::of_host(self.services())
                .iter()
                .for_each(crate::port::Port::retire);
            let left = table::of_host(self.services());
            if left.is_empty() || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return left.iter().map(|port| port.id()).collect();
            }
            std::thread::sleep(LOOK);
        }
    }
}

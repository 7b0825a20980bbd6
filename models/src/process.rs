//! The library's mailbox and pause, for messages that are numbers.

#[path = "../../src/process/parker.rs"]
mod parker;
#[path = "../../src/process/mailbox.rs"]
pub(crate) mod mailbox;
#[path = "../../src/process/pause.rs"]
pub(crate) mod pause;

pub(crate) mod signal {
    /// A message, as far as a mailbox cares.
    #[derive(Debug, Default)]
    pub(crate) struct Message(pub(crate) u32);
}

//! The library's turns and workers.

#[path = "../../src/runtime/turn.rs"]
pub(crate) mod turn;
#[path = "../../src/runtime/workers.rs"]
pub(crate) mod workers;

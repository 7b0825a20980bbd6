//! (to be written)

#[allow(dead_code)]
mod line;

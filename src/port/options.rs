//! stub
#![forbid(unsafe_code)]
#![allow(missing_docs)]
use crate::port::flow::Limits;
use crate::term::Term;
#[derive(Clone, Debug, Default)]
pub struct Options;
#[derive(Clone, Debug)]
pub struct BadOption;
impl Options {
    pub fn from_term(_: &Term) -> Result<Options, BadOption> {
        Ok(Options)
    }
    pub fn is_binary(&self) -> bool {
        true
    }
    pub fn line_limit(&self) -> Option<usize> {
        None
    }
    pub fn wants_eof(&self) -> bool {
        false
    }
    pub fn is_parallel(&self) -> bool {
        false
    }
    pub fn port_limits(&self) -> Limits {
        Limits::DEFAULT
    }
    pub fn message_limits(&self) -> Limits {
        Limits::DEFAULT
    }
}

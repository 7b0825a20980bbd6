//! Back ends made of descriptors: programs, and descriptors that the host has already.
//!
//! Relies on `port` for what a back end has to fulfil, on `runtime` to be told of events and
//! on `os` for everything the kernel does. Promises never to wait on a turn, and to close
//! what it opened and nothing else.
#![forbid(unsafe_code)]

mod child;
mod command;
mod fd;
mod outbox;
mod packet;
mod stream;
mod width;

use std::sync::Arc;

use crate::port::options::Options;
use crate::port::transport::Transport;
use crate::port::variables::Variables;
use crate::runtime::turn::Turn;
use crate::transport::child::Program;
use crate::transport::command::Command;
use crate::transport::fd::Descriptors;

/// `{spawn, Command}`: a program run by the shell, with these variables but for what the options
/// change.
pub(crate) fn shell_command(
    command: &[u8],
    options: &Options,
    variables: &Variables,
    turn: &Arc<Turn>,
) -> Box<dyn Transport> {
    Box::new(Program::new(
        Command::shell(command, options, variables),
        options,
        turn,
    ))
}

/// `{spawn_executable, File}`: a program run from its file, with variables likewise.
pub(crate) fn executable(
    file: &[u8],
    options: &Options,
    variables: &Variables,
    turn: &Arc<Turn>,
) -> Box<dyn Transport> {
    Box::new(Program::new(
        Command::file(file, options, variables),
        options,
        turn,
    ))
}

/// `{fd, In, Out}`: descriptors that are open already. Numbers out of range are `einval`
/// when the port starts.
pub(crate) fn descriptors(
    input: i64,
    output: i64,
    options: &Options,
    turn: &Arc<Turn>,
) -> Box<dyn Transport> {
    Box::new(Descriptors::new(input, output, options, turn))
}

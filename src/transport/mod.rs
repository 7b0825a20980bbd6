//! (to be written)

use std::sync::Arc;

use crate::port::options::Options;
use crate::port::transport::Transport;
use crate::runtime::turn::Turn;

/// `{spawn, Command}`: a program run by the shell.
pub(crate) fn shell_command(
    _command: &[u8],
    _options: &Options,
    _turn: &Arc<Turn>,
) -> Box<dyn Transport> {
    todo!()
}

/// `{spawn_executable, File}`: a program run from its file.
pub(crate) fn executable(
    _file: &[u8],
    _options: &Options,
    _turn: &Arc<Turn>,
) -> Box<dyn Transport> {
    todo!()
}

/// `{fd, In, Out}`: descriptors that are open already. Numbers out of range are `einval`
/// when the port starts.
pub(crate) fn descriptors(
    _input: i64,
    _output: i64,
    _options: &Options,
    _turn: &Arc<Turn>,
) -> Box<dyn Transport> {
    todo!()
}

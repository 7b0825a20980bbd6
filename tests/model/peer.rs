//! What the test holds of whatever is behind a port: the other ends of pipes, or a process id.

use std::fs::File;
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use crate::step::{Kind, Opts};

/// See the module's text.
pub(crate) enum Peer {
    None,
    Pipes {
        /// The port reads the one and writes the other; we keep them, for it never closes them.
        port_ends: (PipeReader, PipeWriter),
        to_port: Option<PipeWriter>,
        from_port: PipeReader,
        read: usize,
    },
    Fifo {
        path: PathBuf,
        reader: File,
        /// To see whether there is room.
        writer: File,
        read: usize,
    },
    /// A program that is to be killed.
    Program(Option<i32>),
}

fn nonblocking(fd: &impl AsFd) {
    fcntl(fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("a descriptor of ours");
}

impl Peer {
    /// What has to be there before the port is opened.
    pub(crate) fn new(kind: Kind) -> Peer {
        match kind {
            Kind::Fd => {
                let (port_in, to_port) = std::io::pipe().expect("a pipe");
                let (from_port, port_out) = std::io::pipe().expect("a pipe");
                nonblocking(&from_port);
                Peer::Pipes {
                    port_ends: (port_in, port_out),
                    to_port: Some(to_port),
                    from_port,
                    read: 0,
                }
            }
            Kind::Queue => {
                static SERIAL: AtomicUsize = AtomicUsize::new(0);
                let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
                let name = format!("model-{}-{serial}", std::process::id());
                let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
                let _ = std::fs::remove_file(&path);
                mkfifo(&path, Mode::S_IRWXU).expect("a named pipe");
                let open = |read: bool| {
                    let mut options = File::options();
                    options.read(read).write(!read);
                    let options = options.custom_flags(OFlag::O_NONBLOCK.bits());
                    options.open(&path).expect("the named pipe opens")
                };
                let (reader, writer) = (open(true), open(false));
                Peer::Fifo {
                    reader,
                    writer,
                    path,
                    read: 0,
                }
            }
            Kind::Deaf => Peer::Program(None),
            _ => Peer::None,
        }
    }

    /// Name and settings for `open_port`, as Erlang writes them.
    pub(crate) fn opening(&self, kind: Kind, opts: Opts) -> (String, String) {
        const LINES: &str = "exec 2>/dev/null; while read l; do case $l in \
            x*) exit ${l#x};; y*) printf zz; exit ${l#y};; *) echo $l;; esac; done";
        let sh = |script: &str| {
            let args = format!("[{{args,[\"-c\",\"{script}\"]}},");
            let options = opts.text().replacen('[', &args, 1).replace(",]", "]");
            ("{spawn_executable,\"/bin/sh\"}".to_owned(), options)
        };
        let name = match (kind, self) {
            (Kind::Told, _) => return sh(LINES),
            (Kind::Quick(status), _) => return sh(&format!("exit {status}")),
            (
                Kind::Fd,
                Peer::Pipes {
                    port_ends: (input, output),
                    ..
                },
            ) => {
                format!("{{fd,{},{}}}", input.as_raw_fd(), output.as_raw_fd())
            }
            (Kind::Queue, Peer::Fifo { path, .. }) => {
                format!("{{spawn_driver,\"queue_drv {}\"}}", path.display())
            }
            (Kind::Deaf, _) => "{spawn,\"sleep 100 2>/dev/null\"}".into(),
            (Kind::Echo, _) => "{spawn_driver,\"echo_drv\"}".into(),
            (Kind::Busy, _) => "{spawn_driver,\"busy_drv\"}".into(),
            (Kind::Missing, _) => "{spawn_executable,\"/no/such/file\"}".into(),
            (Kind::NoDriver, _) => "{spawn_driver,\"no_such_drv\"}".into(),
            _ => "{spawn,\"cat 2>/dev/null\"}".into(),
        };
        (name, opts.text())
    }

    /// Reads until so many bytes have come in all.
    pub(crate) fn read_all(&mut self, bytes: usize, deadline: Instant) -> Result<(), String> {
        let mut buffer = vec![0; 65_536];
        let (from, so_far): (&mut dyn ReadFd, &mut usize) = match self {
            Peer::Pipes {
                from_port, read, ..
            } => (from_port, read),
            Peer::Fifo { reader, read, .. } => (reader, read),
            _ => return Ok(()),
        };
        while *so_far < bytes {
            match from.read(&mut buffer) {
                Ok(0) => return Err(format!("the output ends after {so_far} of {bytes} bytes")),
                Ok(more) => *so_far += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !ready(from.as_fd(), PollFlags::POLLIN, deadline) {
                        return Err(format!("only {so_far} of {bytes} bytes came out"));
                    }
                }
                Err(error) => return Err(format!("reading what the port wrote: {error}")),
            }
        }
        match from.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock && *so_far == bytes => Ok(()),
            extra => Err(format!(
                "more than {bytes} bytes came out: {so_far} and {extra:?}"
            )),
        }
    }

    /// Waits until the pipe behind a port takes no more. True when it does not.
    pub(crate) fn is_full(&self) -> bool {
        let writer = match self {
            Peer::Pipes { port_ends, .. } => port_ends.1.as_fd(),
            Peer::Fifo { writer, .. } => writer.as_fd(),
            _ => return true,
        };
        !ready(writer, PollFlags::POLLOUT, Instant::now())
    }

    /// Writes to the port, with the header that it expects.
    pub(crate) fn write(&mut self, text: &str, opts: Opts) {
        if let Peer::Pipes {
            to_port: Some(to_port),
            ..
        } = self
        {
            let length = u32::try_from(text.len()).unwrap().to_be_bytes();
            let header = &length[4 - usize::from(opts.packet.unwrap_or(0))..];
            let whole = [header, text.as_bytes()].concat();
            to_port.write_all(&whole).expect("the port's pipe has room");
        }
    }

    /// Ends: closes what the port reads, or kills the program.
    pub(crate) fn end(&mut self) {
        match self {
            Peer::Pipes { to_port, .. } => *to_port = None,
            Peer::Program(pid) => {
                if let Some(pid) = pid.take() {
                    // It ends by nobody else, so the number is still its own.
                    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
                }
            }
            _ => {}
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.end();
        if let Peer::Fifo { path, .. } = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

trait ReadFd: Read + AsFd {}
impl<T: Read + AsFd> ReadFd for T {}

fn ready(fd: BorrowedFd<'_>, what: PollFlags, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
    let mut fds = [PollFd::new(fd, what)];
    matches!(poll(&mut fds, left), Ok(1))
}

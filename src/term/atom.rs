//! Atoms: interned names.
//!
//! One table for the whole process, because the driver interface has no host argument. Names are
//! never freed, so the table is bounded: [`Atom::try_new`] fails when it is full. The index of a
//! name is found under a sharded read lock; the name of an index without any lock. The names that
//! wharf itself uses are constants with fixed indices.
#![forbid(unsafe_code)]

use parking_lot::RwLock;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::ffi::CStr;
use std::fmt;
use std::sync::atomic::{self, AtomicU32};
use std::sync::{LazyLock, OnceLock};

/// An interned name: cheap to copy, compare and hash. Ordered as Erlang orders atoms, by text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Atom(u32);

/// Why a name could not become an atom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AtomError {
    /// Longer than [`Atom::CHARS_MAX`] characters.
    #[error("an atom's name has at most 255 characters")]
    TooLong,
    /// The table has [`Atom::COUNT_MAX`] names already.
    #[error("the atom table is full (1048576 names)")]
    TableFull,
}

impl Atom {
    /// The longest name, in characters.
    pub const CHARS_MAX: usize = 255;
    /// How many atoms one process can have.
    pub const COUNT_MAX: u32 = 1_048_576;

    /// The atom of this name, for names that the program itself knows.
    ///
    /// # Panics
    /// When the name is too long or the table is full; [`try_new`](Atom::try_new) is for names
    /// that come from elsewhere.
    pub fn new(name: &str) -> Atom {
        match Atom::try_new(name) {
            Ok(atom) => atom,
            Err(error) => panic!("{error}: {name:.40}"),
        }
    }

    /// The atom of this name, added to the table if it is new.
    pub fn try_new(name: &str) -> Result<Atom, AtomError> {
        if name.len() > Atom::CHARS_MAX && name.chars().nth(Atom::CHARS_MAX).is_some() {
            return Err(AtomError::TooLong);
        }
        TABLE.intern(name)
    }

    /// The atom of this name if the table has it.
    pub fn existing(name: &str) -> Option<Atom> {
        TABLE.find(name)
    }

    /// The atom that a C driver names in Latin-1; cut after [`CHARS_MAX`](Atom::CHARS_MAX)
    /// characters, as `driver_mk_atom` does.
    pub fn from_latin1(name: &[u8]) -> Result<Atom, AtomError> {
        let name = &name[..name.len().min(Atom::CHARS_MAX)];
        match std::str::from_utf8(name) {
            Ok(text) if text.is_ascii() => TABLE.intern(text),
            _ => TABLE.intern(
                &name
                    .iter()
                    .map(|byte| char::from(*byte))
                    .collect::<String>(),
            ),
        }
    }

    /// The name.
    pub fn as_str(self) -> &'static str {
        match KNOWN.get(self.0 as usize) {
            Some(name) => name,
            None => TABLE.name(self.0).unwrap_or(""),
        }
    }

    /// The name for C: with a NUL at its end. A NUL within is part of an atom like any other
    /// character, though C reads no further than that.
    pub(crate) fn as_c_str(self) -> &'static CStr {
        let ended = match KNOWN_ENDED.get(self.0 as usize) {
            Some(name) => name,
            None => TABLE.ended(self.0).unwrap_or("\0"),
        };
        CStr::from_bytes_until_nul(ended.as_bytes()).unwrap_or_default()
    }

    /// The name in Latin-1, if it has no other characters.
    pub fn to_latin1(self) -> Option<Vec<u8>> {
        self.as_str()
            .chars()
            .map(|c| u8::try_from(c).ok())
            .collect()
    }

    /// A number that stands for this atom in this process, never reused.
    pub fn index(self) -> u32 {
        self.0
    }

    /// The atom with this [`index`](Atom::index), if there is one.
    pub fn from_index(index: u32) -> Option<Atom> {
        let known = (index as usize) < KNOWN.len() || TABLE.name(index).is_some();
        known.then_some(Atom(index))
    }
}

impl Ord for Atom {
    fn cmp(&self, other: &Atom) -> Ordering {
        if self == other {
            Ordering::Equal
        } else {
            self.as_str().cmp(other.as_str())
        }
    }
}

impl PartialOrd for Atom {
    fn partial_cmp(&self, other: &Atom) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq<str> for Atom {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Atom {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Debug for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const SHARDS: usize = 16;
const CHUNK: usize = 1024;
const CHUNKS: usize = Atom::COUNT_MAX as usize / CHUNK;

type Chunk = Box<[OnceLock<&'static str>]>;

struct Table {
    indices: [RwLock<HashMap<&'static str, u32>>; SHARDS],
    /// Names by index, each with a NUL behind it; a chunk comes into being with its first name.
    names: Box<[OnceLock<Chunk>]>,
    next: AtomicU32,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let table = Table {
        indices: std::array::from_fn(|_| RwLock::new(HashMap::new())),
        names: (0..CHUNKS).map(|_| OnceLock::new()).collect(),
        next: AtomicU32::new(0),
    };
    for name in KNOWN {
        let index = table.next.fetch_add(1, atomic::Ordering::Relaxed);
        table.indices[shard(name)].write().insert(name, index);
    }
    table
});

impl Table {
    fn find(&self, name: &str) -> Option<Atom> {
        self.indices[shard(name)]
            .read()
            .get(name)
            .copied()
            .map(Atom)
    }

    fn intern(&self, name: &str) -> Result<Atom, AtomError> {
        if let Some(atom) = self.find(name) {
            return Ok(atom);
        }
        let mut indices = self.indices[shard(name)].write();
        if let Some(index) = indices.get(name) {
            return Ok(Atom(*index));
        }
        let step = |next: u32| (next < Atom::COUNT_MAX).then(|| next + 1);
        let index = self
            .next
            .fetch_update(atomic::Ordering::Relaxed, atomic::Ordering::Relaxed, step)
            .map_err(|_| AtomError::TableFull)?;
        let ended: &'static str = Box::leak(format!("{name}\0").into_boxed_str());
        let at = index as usize;
        let chunk =
            self.names[at / CHUNK].get_or_init(|| (0..CHUNK).map(|_| OnceLock::new()).collect());
        // The index is new and this thread's alone, so the slot is empty.
        let _ = chunk[at % CHUNK].set(ended);
        indices.insert(without_end(ended), index);
        Ok(Atom(index))
    }

    fn name(&self, index: u32) -> Option<&'static str> {
        self.ended(index).map(without_end)
    }

    /// The name with a NUL behind it.
    fn ended(&self, index: u32) -> Option<&'static str> {
        let at = index as usize;
        self.names.get(at / CHUNK)?.get()?[at % CHUNK]
            .get()
            .copied()
    }
}

fn without_end(ended: &'static str) -> &'static str {
    &ended[..ended.len() - 1]
}

/// Which part of the table a name lives in: cheap, and spread well enough for locks.
fn shard(name: &str) -> usize {
    let bytes = name.as_bytes();
    let ends = bytes.first().zip(bytes.last());
    let (first, last) = ends.map_or((0, 0), |(first, last)| {
        (usize::from(*first), usize::from(*last))
    });
    (bytes.len() ^ first ^ (last << 1)) % SHARDS
}

macro_rules! known_atoms {
    ($($constant:ident = $name:literal,)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u32)]
        enum Index { $($constant),* }

        $(
            #[doc = concat!("The atom `", $name, "`.")]
            pub const $constant: Atom = Atom(Index::$constant as u32);
        )*

        /// The names with fixed indices, in the order of their constants.
        const KNOWN: &[&str] = &[$($name),*];
        /// The same for C.
        const KNOWN_ENDED: &[&str] = &[$(concat!($name, "\0")),*];
    };
}

known_atoms! {
    OK = "ok", ERROR = "error", TRUE = "true", FALSE = "false", UNDEFINED = "undefined", NIL = "nil",
    NORMAL = "normal", KILL = "kill", KILLED = "killed", SHUTDOWN = "shutdown", NOPROC = "noproc",
    NOPORT = "noport", BADSIG = "badsig", BADARG = "badarg", BADARITH = "badarith", NOTSUP = "notsup",
    SYSTEM_LIMIT = "system_limit", INTERNAL_ERROR = "internal_error", NOCONNECTION = "noconnection",
    UP = "up", DOWN = "DOWN", UP_MESSAGE = "UP", EXIT = "EXIT", PORT = "port", PROCESS = "process",
    COMMAND = "command", CONNECT = "connect", CONNECTED = "connected", CLOSE = "close", CLOSED = "closed",
    DATA = "data", EOL = "eol", NOEOL = "noeol", EOF = "eof", EXIT_STATUS = "exit_status",
    BUSY = "busy", NOSUSPEND = "nosuspend", FORCE = "force", NOCONNECT = "noconnect",
    SPAWN = "spawn", SPAWN_DRIVER = "spawn_driver", SPAWN_EXECUTABLE = "spawn_executable", FD = "fd",
    PACKET = "packet", STREAM = "stream", LINE = "line", CD = "cd", ENV = "env", ARGS = "args", ARG0 = "arg0",
    USE_STDIO = "use_stdio", NOUSE_STDIO = "nouse_stdio", STDERR_TO_STDOUT = "stderr_to_stdout",
    OVERLAPPED_IO = "overlapped_io", IN = "in", OUT = "out", BINARY = "binary", HIDE = "hide",
    PARALLELISM = "parallelism", BUSY_LIMITS_PORT = "busy_limits_port",
    BUSY_LIMITS_MSGQ = "busy_limits_msgq", DISABLED = "disabled",
    NAME = "name", LINKS = "links", ID = "id", INPUT = "input", OUTPUT = "output", OS_PID = "os_pid",
    REGISTERED_NAME = "registered_name", MONITORS = "monitors", MONITORED_BY = "monitored_by",
    LOCKING = "locking", PORT_LEVEL = "port_level", DRIVER_LEVEL = "driver_level", MEMORY = "memory",
    QUEUE_SIZE = "queue_size", FLUSH = "flush", INFO = "info", INFINITY = "infinity",
    TRAP_EXIT = "trap_exit", MESSAGES = "messages", MESSAGE_QUEUE_LEN = "message_queue_len",
    STATUS = "status", DICTIONARY = "dictionary", RUNNING = "running", WAITING = "waiting",
    EINVAL = "einval", EPIPE = "epipe", EBADF = "ebadf", ENOENT = "enoent", EACCES = "eacces",
    ENOMEM = "enomem", EAGAIN = "eagain", EMFILE = "emfile", ENAMETOOLONG = "enametoolong",
    ENOTDIR = "enotdir", EISDIR = "eisdir", EIO = "eio", UNKNOWN = "unknown",
    PERMANENT = "permanent", LOADED = "loaded", UNLOADED = "unloaded", LOADED_ONLY = "loaded_only",
    UNLOADED_ONLY = "unloaded_only", PENDING = "pending", PENDING_DRIVER = "pending_driver",
    PENDING_PROCESS = "pending_process", ALREADY_LOADED = "already_loaded", NOT_LOADED = "not_loaded",
    NOT_LOADED_BY_THIS_PROCESS = "not_loaded_by_this_process", LINKED_IN_DRIVER = "linked_in_driver",
    INCONSISTENT = "inconsistent", OPEN_ERROR = "open_error", BAD_DRIVER_NAME = "bad_driver_name",
    DRIVER_INCORRECT_VERSION = "driver_incorrect_version", NOT_A_DRIVER = "not_a_driver",
    LOAD_CANCELLED = "load_cancelled", UNLOAD_CANCELLED = "unload_cancelled",
    KILL_PORTS = "kill_ports", DRIVER_OPTIONS = "driver_options", MONITOR = "monitor", RELOAD = "reload",
    PENDING_ONLY = "pending_only", PROCESSES = "processes", PORT_COUNT = "port_count",
    AWAITING_LOAD = "awaiting_load", AWAITING_UNLOAD = "awaiting_unload", STATIC = "static",
    EMPTY = "", DOT = ".", NONODE_NOHOST = "nonode@nohost",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_is_the_same_atom() {
        assert_eq!(Atom::new("ok"), OK);
        let atom = Atom::new("a name nobody else uses");
        assert_eq!(Atom::new("a name nobody else uses"), atom);
        assert_eq!(atom.as_str(), "a name nobody else uses");
        assert_eq!(Atom::from_index(atom.index()), Some(atom));
        assert_eq!(Atom::existing("surely never interned by anyone"), None);
        assert_eq!(Atom::from_index(Atom::COUNT_MAX), None);
        assert_eq!(Atom::from_index(u32::MAX), None);
    }

    #[test]
    fn known_names_are_distinct_and_in_place() {
        for (index, name) in KNOWN.iter().enumerate() {
            let atom = Atom::new(name);
            assert_eq!((atom.index() as usize, atom.as_str()), (index, *name));
        }
        assert_eq!(
            (EXIT.as_str(), DOWN.as_str(), EMPTY.as_str()),
            ("EXIT", "DOWN", "")
        );
    }

    #[test]
    fn length_counts_characters() {
        let longest = "ö".repeat(255);
        assert_eq!(
            Atom::try_new(&longest).map(Atom::as_str),
            Ok(longest.as_str())
        );
        assert_eq!(Atom::try_new(&"ö".repeat(256)), Err(AtomError::TooLong));
        assert_eq!(
            Atom::from_latin1(&[0xF6; 299]).map(Atom::as_str),
            Ok(longest.as_str())
        );
        assert_eq!(Atom::new(&longest).to_latin1(), Some(vec![0xF6; 255]));
        assert_eq!(Atom::new("π").to_latin1(), None);
    }

    #[test]
    fn order_is_by_text() {
        let mut atoms = [
            Atom::new("zz"),
            OK,
            Atom::new("a"),
            EXIT,
            EMPTY,
            Atom::new("π"),
        ];
        atoms.sort();
        assert_eq!(atoms.map(Atom::as_str), ["", "EXIT", "a", "ok", "zz", "π"]);
    }

    #[test]
    fn threads_agree_about_indices() {
        let intern = || {
            (0..200)
                .map(|i| Atom::new(&format!("threads_agree_{i}")))
                .collect::<Vec<_>>()
        };
        let others: Vec<_> = (0..4).map(|_| std::thread::spawn(intern)).collect();
        let mine = intern();
        for other in others {
            assert_eq!(other.join().ok(), Some(mine.clone()));
        }
    }
}

//! From a file to a checked driver, and back.
//!
//! The steps are those of Erlang's loader, in its order: open the library, call `driver_init`,
//! check and copy the table it returns, compare the name, call `init`. Relies on `os::library`
//! for the system's loader and on `abi::table` to make our functions visible first. Promises
//! that a driver that fails a step is closed again, and that `finish` runs once, right before
//! the library is closed, if and only if `init` succeeded.
//!
//! `driver_init`, `init` and `finish` of all drivers run one at a time: the registry's owner sees
//! to that.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::abi::{table, thread};
use super::entry::{self, Entry, EntryError};
use super::missing;
use super::pace::Pace;
use super::raw::ErlDrvEntry;
use super::registry::without_slashes;
use super::writes::Writing;
use crate::lock::{self, Lock, LongLock};
use crate::os::imports;
use crate::os::library::{self, Library, LibraryError, Scope};
use crate::os::sigpipe::without_sigpipe;
use crate::runtime::turn::Turn;
use crate::runtime::workers::Workers;
use crate::term::{Atom, Term};

/// A loaded, checked driver.
pub(crate) struct Driver {
    pub(super) entry: Entry,
    name: Box<str>,
    /// `None` for a driver that is part of the program, and after unloading.
    library: Lock<Option<Library>>,
    unloaded: OnceLock<()>,
    /// Whether all of its callbacks run without SIGPIPE.
    pub(super) shielded: bool,
    /// Where the library with the table is.
    base: Option<usize>,
    /// What all ports run on, unless each has a turn of its own.
    turn: OnceLock<Arc<Turn>>,
    pub(super) pace: Pace,
}

/// Why a driver could not be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The system's loader refused the file.
    #[error("{message}{}", list(.missing))]
    Open {
        /// Its words, without the path in front.
        message: String,
        /// All the symbols that nobody has, if that is what was wrong.
        missing: Vec<String>,
    },
    /// Our own functions could not be made visible to drivers.
    #[error("the driver functions could not be provided: {0}")]
    Symbols(LibraryError),
    /// It is a library, but not a driver.
    #[error("it has no function driver_init: it is not a port driver, or lacks DRIVER_INIT")]
    NoInit,
    /// `driver_init` returned NULL.
    #[error("its driver_init returned no table of callbacks")]
    NoEntry,
    /// The table is not acceptable.
    #[error(transparent)]
    Entry(EntryError),
    /// The driver itself refused.
    #[error("its init callback failed with {0}")]
    Init(i32),
}

/// `: a, b` after "undefined symbols".
fn list(missing: &[String]) -> String {
    if missing.len() > 1 {
        format!(" (in all: {})", missing.join(", "))
    } else {
        String::new()
    }
}

impl LoadError {
    /// What is wrong with the file, in words: the system's loader says little.
    pub(super) fn sentence(&self, file: &Path) -> String {
        let LoadError::Open { missing, .. } = self else {
            return self.to_string();
        };
        match missing.as_slice() {
            [] => super::file::fault(file).map_or_else(|| self.to_string(), |fault| fault.sentence),
            [one] => format!("it needs a symbol that nobody provides: {one}"),
            all => format!("it needs symbols that nobody provides: {}", all.join(", ")),
        }
    }

    /// The reason that `erl_ddll` gives, unless it has a number for the text.
    pub(crate) fn reason(&self) -> Option<Term> {
        let name = match self {
            LoadError::Open { .. } | LoadError::Symbols(_) => return None,
            LoadError::NoInit => "no_driver_init",
            LoadError::NoEntry | LoadError::Init(_) => "driver_init_failed",
            LoadError::Entry(EntryError::Marker(_) | EntryError::Version(_)) => {
                "driver_incorrect_version"
            }
            LoadError::Entry(EntryError::Name { .. }) => "bad_driver_name",
        };
        Some(Term::Atom(Atom::new(name)))
    }
}

/// Held while a driver's library is opened or closed. Between the look whether a file is open and the
/// opening nobody else may open it; and what was done in a library that is gone happened before
/// anything in one that gets its place in memory.
static LOADER: LongLock<()> = LongLock::new(());

/// Opens a driver's file so that its variables are nobody else's. A file that is open already,
/// by another host or because a thread was left in it, is opened once more as an anonymous copy:
/// the system's loader would hand out the same library again, whose `init` then starts afresh
/// under the ports of the other host, and whose lock those ports do not share.
fn open_own(file: &Path, name: &str) -> Result<Library, LibraryError> {
    let _one_at_a_time = LOADER.lock();
    if Library::is_open(file)
        && let Ok(bytes) = std::fs::read(file)
    {
        let shown = std::ffi::CString::new(name).unwrap_or_default();
        // SAFETY: the caller of `from_file` names a driver to be run in this process.
        return unsafe { Library::open_bytes(&shown, &bytes, Scope::Local) };
    }
    // SAFETY: as above.
    unsafe { Library::open(file, Scope::Local) }
}

fn close(library: Library) -> Result<(), LibraryError> {
    let _one_at_a_time = LOADER.lock();
    without_sigpipe(|| library.close())
}

impl Driver {
    /// Loads the driver `name` from a file.
    ///
    /// The driver's code runs: whoever names a file here wants that.
    pub(crate) fn from_file(file: &Path, name: &str) -> Result<Driver, LoadError> {
        table::provide().map_err(LoadError::Symbols)?;
        if let Some(fault) = super::file::fault(file)
            && fault.deadly
        {
            return Err(LoadError::Open {
                message: fault.sentence,
                missing: Vec::new(),
            });
        }
        let writing = Writing::of_file(file);
        let library = without_sigpipe(|| open_own(file, name));
        let library = library.map_err(|error| refused(file, &error))?;
        Driver::from_library(library, name, &writing)
    }

    /// Loads the driver `name` from the bytes of its file.
    pub(crate) fn from_bytes(bytes: &[u8], name: &str) -> Result<Driver, LoadError> {
        table::provide().map_err(LoadError::Symbols)?;
        let shown = std::ffi::CString::new(name).unwrap_or_default();
        // SAFETY: as above; the bytes are a driver that is built in.
        let library =
            without_sigpipe(|| unsafe { Library::open_bytes(&shown, bytes, Scope::Local) })
                .map_err(|error| LoadError::Open {
                    message: error.to_string(),
                    missing: Vec::new(),
                })?;
        Driver::from_library(library, name, &Writing::of_bytes(bytes))
    }

    fn from_library(library: Library, name: &str, writing: &Writing) -> Result<Driver, LoadError> {
        let init = library
            .symbol(c"driver_init")
            .or_else(|_| library.symbol(c"_driver_init"))
            .map_err(|_| LoadError::NoInit)?;
        let shielded = match writing {
            Writing::No => false,
            // SAFETY: by its file the library imports these functions by these slots.
            Writing::Bound(slots) => !unsafe { imports::bind(&library, init, slots) },
            Writing::Shielded => true,
        };
        tracing::debug!(
            driver = name,
            ?writing,
            shielded,
            "how it is kept from SIGPIPE"
        );
        // SAFETY: by this name a driver exports a function of this type and no other.
        let init = unsafe {
            std::mem::transmute::<*mut std::ffi::c_void, unsafe extern "C" fn() -> *const ErlDrvEntry>(
                init.as_ptr(),
            )
        };
        // SAFETY: the function of a library that stays open until the end of this function.
        let table = without_sigpipe(|| unsafe { init() });
        // SAFETY: what driver_init returned.
        unsafe { Driver::from_table(table, Some(library), Some(name), shielded) }
    }

    /// Checks a table and calls `init`. `shielded` says whether the driver's callbacks have to be
    /// kept from SIGPIPE.
    ///
    /// # Safety
    /// As for [`entry::read`]. The table belongs to `library` if there is one, and stays for
    /// ever if there is none.
    pub(super) unsafe fn from_table(
        table: *const ErlDrvEntry,
        library: Option<Library>,
        name: Option<&str>,
        shielded: bool,
    ) -> Result<Driver, LoadError> {
        if table.is_null() {
            return Err(LoadError::NoEntry);
        }
        // SAFETY: the caller's promise.
        let entry = unsafe { entry::read(table) }.map_err(LoadError::Entry)?;
        if let Some(name) = name {
            entry.check_name(name).map_err(LoadError::Entry)?;
        }
        if let Some(init) = entry.callbacks.init {
            // SAFETY: a callback from a checked table; its library is open.
            let result = without_sigpipe(|| unsafe { init() });
            if result != 0 {
                return Err(LoadError::Init(result));
            }
        }
        Ok(Driver {
            name: entry.name.to_string_lossy().into(),
            entry,
            library: Lock::new(library),
            shielded,
            unloaded: OnceLock::new(),
            base: library::base_of(table.addr()),
            turn: OnceLock::new(),
            pace: Pace::default(),
        })
    }

    /// The name it is opened by.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The turn for a new port.
    pub(super) fn turn(&self, workers: &Arc<Workers>) -> Arc<Turn> {
        if self.entry.flags.port_locking() {
            return Turn::new(workers);
        }
        Arc::clone(self.turn.get_or_init(|| Turn::new(workers)))
    }

    /// Calls `finish` and closes the library. Once; later calls do nothing.
    ///
    /// No port of the driver may be open, no job of it may be under way, and no thread may be
    /// in its code: the registry counts them.
    /// The library stays where it is if a thread runs in it that the driver did not wait for, or
    /// if `used` says so of it.
    pub(crate) fn unload(&self, used: impl FnOnce(&Driver) -> bool) {
        if self.unloaded.set(()).is_err() {
            return;
        }
        lock::assert_none_held();
        if let Some(finish) = self.entry.callbacks.finish {
            // SAFETY: a callback from a checked table, whose library is still open.
            without_sigpipe(|| unsafe { finish() });
        }
        if self.base.is_some_and(thread::run_in) || used(self) {
            tracing::error!(driver = ?self.entry.name,
                "its library stays: a thread of the driver, or another driver, still uses it");
            return;
        }
        let library = self.library.lock().take();
        if let Some(library) = library
            && let Err(error) = close(library)
        {
            tracing::warn!(driver = ?self.entry.name, %error, "closing the library failed");
        }
    }

    /// Whether it is the one that its library was opened for.
    pub(super) fn has_library(&self) -> bool {
        self.library.lock().is_some()
    }

    /// Whether both are parts of one library.
    pub(super) fn shares_library_with(&self, other: &Driver) -> bool {
        self.base.is_some() && self.base == other.base
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.fmt(f)
    }
}

/// A library whose driver was not unloaded stays open: somebody may still be in its code.
impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(library) = self.library.lock().take() {
            std::mem::forget(library);
        }
    }
}

/// Erlang's form of the loader's message, and what else can be found out.
fn refused(file: &Path, error: &LibraryError) -> LoadError {
    let message = error.to_string();
    let prefix = format!("{}: ", file.display());
    let message = message.strip_prefix(&prefix).unwrap_or(&message).to_owned();
    let missing = if message.starts_with("undefined symbol") {
        // SAFETY: the file's own code was to run a moment ago, and its dependencies' with it.
        unsafe { missing::symbols(file) }
    } else {
        Vec::new()
    };
    LoadError::Open { message, missing }
}

/// Where `erl_ddll` looks: the folder without trailing slashes, the name, `.so`.
pub(crate) fn file_of(folder: &OsStr, name: &str) -> PathBuf {
    let mut file = without_slashes(folder).to_owned();
    file.push(format!("/{name}.so"));
    PathBuf::from(file)
}
